//! The fleet at a glance: how many sites stand how, what is open and most urgent, who reported,
//! this month against the last, and how fresh all of it is.

use jiff::Timestamp;

use super::Result;
use super::advisory_feed::{self, Freshness};
use super::month;
use crate::app::App;
use crate::domain::access::{Actor, Permission, Sight};
use crate::domain::exposure::Risk;
use crate::domain::figures::Compliance;
use crate::domain::site_status::Standing;
pub use crate::store::overview::OpenWindow;
use crate::store::overview::{self as store, Happened, Mark, Quiet, Tally};
use crate::store::{Connection, fanouts, standing};

const HOUR: i64 = 3_600_000;
/// A day in milliseconds.
pub(super) const DAY: i64 = 24 * HOUR;
/// Up to so many sites the fleet is drawn site by site.
const DRAWN: i64 = 200;
/// Up to so many sites contacts are counted by the hour.
const COUNTED: i64 = 50_000;
/// Closed windows whose duration is looked at, at most: the newest.
const SAMPLE: u32 = 20_000;
/// Days of the trend.
const DAYS: i64 = 30;
/// The most urgent sites that are named.
const URGENT: u32 = 12;
/// Silent sites that are named.
const QUIET: u32 = 5;

/// The one word for a site among others: the worst of its status, what is past due, and silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Word {
    /// Its status.
    pub standing: Standing,
    /// Something on it is past due.
    pub overdue: bool,
    /// It is silent.
    pub silent: bool,
}

/// What stands on every page.
#[derive(Debug, Default)]
pub struct Glance {
    /// Sites in sight.
    pub sites: i64,
    /// Of those: heard within 24 hours.
    pub reported: i64,
    /// (site, module) pairs with an open window.
    pub open: i64,
    /// Of those: past due.
    pub late: i64,
    /// Modules that sites in sight run.
    pub modules: i64,
    /// When drupal.org last told all that is needed: the oldest of its newest good answers.
    pub read_at: Option<Timestamp>,
    /// Something that sites stand on is too old to be called fine.
    pub stale: bool,
    /// Some advisories could not be read.
    pub incomplete: bool,
}

/// What happened in a month so far, and in as much of the month before it.
#[derive(Debug, Clone)]
pub struct Months {
    /// When this month began.
    pub this_from: Timestamp,
    /// When the last began.
    pub last_from: Timestamp,
    /// Whole days compared, the running one included.
    pub days: i64,
    /// This month.
    pub this: Happened,
    /// The last.
    pub last: Happened,
    /// How long each window took that a fix closed this month, milliseconds, the shortest first.
    pub this_took: Vec<i64>,
    /// The same of the last.
    pub last_took: Vec<i64>,
    /// What is due in this month, the whole of it.
    pub this_due: Compliance,
    /// What was due in the last, the whole of it.
    pub last_due: Compliance,
}

/// The overview.
#[derive(Debug)]
pub struct Overview {
    /// Sites by their word, each group of an organization's own, in the order of names.
    pub groups: Vec<Vec<(Word, i64)>>,
    /// The most urgent sites: each one's most urgent window, and in how many modules it has one.
    pub urgent: Vec<(OpenWindow, i64)>,
    /// Sites by the hour of their last contact, the oldest of 24 first; empty where the fleet is too large.
    pub hours: Vec<i64>,
    /// Those silent the longest.
    pub quiet: Vec<Quiet>,
    /// The comparison.
    pub months: Months,
    /// Open windows at the end of each day, the oldest first, and now.
    pub trend: Vec<i64>,
    /// (site, module) pairs with an open window by their worst risk, worst first.
    pub risks: Vec<(Option<Risk>, i64)>,
}

/// What drupal.org told of releases and of advisories, taken together.
pub(super) struct ToldOf {
    /// When it last told all that is needed: the oldest of its newest good answers.
    pub read_at: Option<Timestamp>,
    /// Something that sites stand on is too old to be called fine.
    pub stale: bool,
    /// Modules that sites in sight run.
    pub modules: i64,
}

/// What drupal.org told of what the sites in sight stand on.
pub(super) fn told(
    db: &Connection,
    sight: &Sight,
    advisories: Option<Freshness>,
) -> Result<ToldOf> {
    let (read_at, stale, modules) = store::feed(db, sight)?;
    let releases = read_at.and_then(|at| Timestamp::from_millisecond(at).ok());
    let both = [releases, advisories.and_then(|fresh| fresh.read_at)];
    Ok(ToldOf {
        read_at: both.into_iter().flatten().min(),
        stale: stale || advisories.is_some_and(|fresh| fresh.too_old),
        modules,
    })
}

/// What stands on every page.
///
/// # Errors
/// What the store says.
pub async fn glance(app: &App, actor: &Actor) -> Result<Glance> {
    let sight = actor.require(Permission::SitesRead)?;
    let now = app.clock.now().as_millisecond();
    let advisories = advisory_feed::freshness(app)?;
    app.store.read(|db| {
        let tallies = store::tallies(db, &sight)?;
        let told = told(db, &sight, advisories)?;
        let sites = tallies.iter().map(|t| t.sites).sum();
        let open = tallies.iter().map(|t| t.open).sum();
        let late = store::late_pairs(db, &sight, now)?;
        Ok(Glance {
            sites,
            reported: sites - store::unheard(db, &sight, now - DAY)?,
            open,
            late,
            modules: told.modules,
            read_at: told.read_at,
            stale: told.stale,
            incomplete: advisories.is_some_and(|fresh| fresh.incomplete),
        })
    })
}

/// How many sites have which word.
///
/// # Errors
/// What the store says.
pub async fn words(app: &App, actor: &Actor) -> Result<Vec<(Word, i64)>> {
    let sight = actor.require(Permission::SitesRead)?;
    let now = app.clock.now().as_millisecond();
    let (all, overdue) = app.store.read(|db| {
        Ok::<_, super::Error>((
            store::tallies(db, &sight)?,
            store::overdue(db, &sight, now)?,
        ))
    })?;
    Ok(grouped(&all, &overdue).concat())
}

/// The same of one organization; one that isn't in sight has nothing.
///
/// # Errors
/// What the store says.
pub async fn of_organization(app: &App, actor: &Actor, id: i64) -> Result<Vec<(Word, i64)>> {
    let sight = actor.sight(Permission::SitesRead);
    if !sight.sees_organization(id) {
        return Ok(Vec::new());
    }
    let one = Sight::organization(id);
    let now = app.clock.now().as_millisecond();
    let (all, overdue) = app.store.read(|db| {
        Ok::<_, super::Error>((store::tallies(db, &one)?, store::overdue(db, &one, now)?))
    })?;
    Ok(grouped(&all, &overdue).concat())
}

/// The overview.
///
/// # Errors
/// What the store says.
pub async fn show(app: &App, actor: &Actor) -> Result<Overview> {
    let sight = actor.require(Permission::SitesRead)?;
    let now = app.clock.now();
    let at = now.as_millisecond();
    app.store.read(|db| {
        let tallies = store::tallies(db, &sight)?;
        let sites: i64 = tallies.iter().map(|t| t.sites).sum();
        let groups = if sites <= DRAWN {
            drawn(&store::marks(db, &sight)?, at)
        } else {
            grouped(&tallies, &store::overdue(db, &sight, at)?)
        };
        let hours = if sites <= COUNTED {
            by_hour(&store::contacts_by_hour(db, &sight, at)?)
        } else {
            Vec::new()
        };
        let (this, last) = (month::of(now), month::before(now));
        let passed = (at - this.0) / DAY + 1;
        // As many days of the last month, as far as it has them.
        let last_until = (last.0 + passed * DAY).min(last.1);
        let (this_days, last_days) = (days_of(this.0, at), days_of(last.0, last_until - 1));
        Ok(Overview {
            groups,
            urgent: store::urgent(db, &sight, URGENT)?,
            hours,
            quiet: store::quiet(db, &sight, QUIET)?,
            months: Months {
                this: store::happened(db, &sight, this_days)?,
                last: store::happened(db, &sight, last_days)?,
                this_took: took(db, &sight, (this.0, at.saturating_add(1)))?,
                last_took: took(db, &sight, (last.0, last_until))?,
                this_due: month::due(db, &sight, this, now)?,
                last_due: month::due(db, &sight, last, now)?,
                days: passed,
                this_from: Timestamp::from_millisecond(this.0).unwrap_or(now),
                last_from: Timestamp::from_millisecond(last.0).unwrap_or(now),
            },
            trend: trend(&store::by_day(db, &sight, at / DAY)?, at / DAY),
            risks: store::by_risk(db, &sight)?,
        })
    })
}

/// How drupal.org is followed.
#[derive(Debug)]
pub struct Feed {
    /// Modules in use that are looked up.
    pub tracked: i64,
    /// Of those: with data too old to be called fine.
    pub stale: i64,
    /// Of those: never answered.
    pub pending: i64,
    /// When the next is asked.
    pub next: Option<Timestamp>,
    /// Those whose last question failed, the most used first.
    pub failing: Vec<FailingModule>,
    /// Sites that could not be told what was published.
    pub untold: Vec<UntoldSite>,
}

/// A site that could not be told what was published about a module, by a fault of ours.
#[derive(Debug)]
pub struct UntoldSite {
    /// The site.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The module's name.
    pub module: String,
    /// Since when.
    pub since: Timestamp,
}

/// A module whose last question failed.
#[derive(Debug)]
pub struct FailingModule {
    /// Its id.
    pub id: i64,
    /// Its title.
    pub title: String,
    /// Its short name.
    pub name: String,
    /// What went wrong.
    pub trouble: String,
    /// Sites that run it.
    pub sites: i64,
}

/// Modules in trouble that are named.
const NAMED: u32 = 50;

/// How drupal.org is followed: the platform's matter.
///
/// # Errors
/// Where the caller may not; what the store says.
pub async fn feed(app: &App, actor: &Actor) -> Result<Feed> {
    actor.require(Permission::ModulesRead)?;
    actor.require_platform(Permission::ModulesRead)?;
    app.store.read(|db| {
        let (tracked, stale, pending, next) = store::feed_counts(db)?;
        let failing = store::failing(db, NAMED)?.into_iter();
        let untold = fanouts::all_left(db, NAMED)?.into_iter();
        Ok(Feed {
            tracked,
            stale,
            pending,
            next: next.and_then(|at| Timestamp::from_millisecond(at).ok()),
            untold: untold
                .map(|(id, name, module, since)| UntoldSite {
                    id,
                    name,
                    module,
                    since,
                })
                .collect(),
            failing: failing
                .map(|(id, title, name, trouble, sites)| FailingModule {
                    id,
                    title,
                    name,
                    trouble,
                    sites,
                })
                .collect(),
        })
    })
}

fn word(status: i64, overdue: bool, silent: bool) -> Word {
    Word {
        standing: Standing::from_rank(status).unwrap_or(Standing::Unknown),
        overdue,
        silent,
    }
}

fn drawn(marks: &[Mark], now: i64) -> Vec<Vec<(Word, i64)>> {
    marks
        .chunk_by(|a, b| a.organization_id == b.organization_id)
        .map(|own| {
            own.iter()
                .map(|m| {
                    (
                        word(m.status, m.due.is_some_and(|due| due < now), m.silent),
                        1,
                    )
                })
                .collect()
        })
        .collect()
}

/// Counts by organization, those past due taken out of their kind and set before it.
fn grouped(all: &[Tally], overdue: &[Tally]) -> Vec<Vec<(Word, i64)>> {
    let late = |t: &Tally| {
        let same = overdue.iter().find(|o| {
            (o.organization_id, o.status, o.silent) == (t.organization_id, t.status, t.silent)
        });
        same.map_or(0, |o| o.sites).min(t.sites)
    };
    all.chunk_by(|a, b| a.organization_id == b.organization_id)
        .map(|own| {
            own.iter()
                .flat_map(|t| {
                    let late = late(t);
                    [
                        (word(t.status, true, t.silent), late),
                        (word(t.status, false, t.silent), t.sites - late),
                    ]
                })
                .filter(|(_, n)| *n > 0)
                .collect()
        })
        .collect()
}

fn by_hour(found: &[(i64, i64)]) -> Vec<i64> {
    (0..24)
        .rev()
        .map(|hour| {
            found
                .iter()
                .filter(|(h, _)| *h == hour)
                .map(|(_, n)| n)
                .sum()
        })
        .collect()
}

/// The first and the last day of a span, milliseconds, counted from 1970 (UTC).
fn days_of(from: i64, last: i64) -> (i64, i64) {
    (from / DAY, last / DAY)
}

/// How long each window of production took that a fix closed in a span, the shortest first.
fn took(db: &Connection, sight: &Sight, span: (i64, i64)) -> Result<Vec<i64>> {
    let mut took = standing::took(db, sight, span, SAMPLE)?;
    took.sort_unstable();
    Ok(took)
}

/// What was open at the end of each day up to today: all that was opened until then without what was closed.
fn trend(days: &[store::Day], today: i64) -> Vec<i64> {
    let mut days = days.iter().peekable();
    let mut open = 0;
    let ends = today - DAYS + 1..=today;
    ends.map(|day| {
        while let Some((_, opened, closed)) = days.next_if(|(of, ..)| *of <= day) {
            open += opened - closed;
        }
        open
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trend_ends_with_what_is_open_today() {
        let values = trend(&[(50, 4, 0), (98, 4, 0), (100, 3, 1)], 100);
        assert_eq!(values.len(), 30);
        assert_eq!((values[0], &values[26..]), (4, [4, 8, 8, 10].as_slice()));
    }

    #[test]
    fn what_is_past_due_is_counted_once() {
        let tally = |sites| Tally {
            organization_id: 1,
            status: 0,
            silent: false,
            sites,
            open: 0,
        };
        let groups = grouped(&[tally(5)], &[tally(2)]).concat();
        assert_eq!(groups.iter().map(|(_, n)| n).sum::<i64>(), 5);
        assert!(groups[0].0.overdue && groups[0].1 == 2);
    }
}
