//! The dashboards as programs ask for them: the fleet's state in numbers, from counters that are
//! kept in the same commit as what they count.

use jiff::{SignedDuration, Timestamp};

use super::{Result, advisory_feed, exposures, history, month, overview as glance, sites};
use crate::app::App;
use crate::domain::access::{Actor, Permission, Sight};
use crate::domain::exposure::Risk;
use crate::domain::figures::{self, Compliance};
use crate::domain::history::{PATCH_RUNS, PatchRun};
use crate::domain::listing::{List, PER_PAGE_MAX, Query};
use crate::domain::site::Site;
use crate::domain::site_status::Standing;
use crate::domain::window::{LIST, Window};
use crate::store::standing::{self, OpenModule, OpenOrganization};
use crate::store::{self as whole, Connection, overview as store};

const DAY: i64 = 24 * 3_600_000;

/// The fleet in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fleet {
    /// The sites.
    pub sites: Sites,
    /// What is open on them.
    pub exposures: Exposures,
    /// The oldest of drupal.org's newest good answers, about releases and about advisories.
    pub feed_read_at: Option<Timestamp>,
    /// Something that sites stand on is too old to be called fine.
    pub feed_stale: bool,
    /// Sites whose inventory was taken within 24 hours.
    pub heard: i64,
    /// Syncs refused within 24 hours, of those that are kept.
    pub refused: i64,
    /// Windows of production that a fix closed this month (UTC).
    pub patched: i64,
    /// Windows of production that are due this month, by what became of them.
    pub due: Compliance,
    /// When this was so.
    pub as_of: Timestamp,
}

/// Sites by what is to be said of them. One that is silent is counted by its status too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sites {
    /// All.
    pub total: i64,
    /// With something exposed or not secure on them.
    pub exposed: i64,
    /// Not heard of for too long.
    pub silent: i64,
    /// Not to be judged, not checked, or not heard of yet.
    pub unknown: i64,
    /// Neither silent nor in want of anything.
    pub fine: i64,
}

/// Open exposures: (site, module) pairs, each by its earliest due time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exposures {
    /// All.
    pub open: i64,
    /// Past due.
    pub overdue: i64,
    /// Due within 24 hours.
    pub due_soon: i64,
    /// By the worst risk of a pair, worst first; unknown last.
    pub by_risk: Vec<(Option<Risk>, i64)>,
}

/// The overview, of what is in sight.
///
/// # Errors
/// Where the caller may not; what the store says.
pub async fn overview(app: &App, actor: &Actor) -> Result<Fleet> {
    let sight = actor.require(Permission::SitesRead)?;
    let as_of = app.clock.now();
    let now = as_of.as_millisecond();
    let advisories = advisory_feed::freshness(app)?;
    app.store.read(|db| {
        let tallies = store::tallies(db, &sight)?;
        let sites = by_status(&tallies);
        let overdue = store::late_pairs(db, &sight, now)?;
        let told = glance::told(db, &sight, advisories)?;
        Ok(Fleet {
            exposures: Exposures {
                open: tallies.iter().map(|tally| tally.open).sum(),
                overdue,
                // To the instant itself: what is due then is due within 24 hours.
                due_soon: store::late_pairs(db, &sight, now + DAY + 1)? - overdue,
                by_risk: store::by_risk(db, &sight)?,
            },
            feed_read_at: told.read_at,
            feed_stale: told.stale,
            heard: sites.total - store::unheard(db, &sight, now - DAY)?,
            refused: store::refused(db, &sight, now - DAY)?,
            patched: patched(db, &sight, as_of)?,
            due: month::due(db, &sight, month::of(as_of), as_of)?,
            as_of,
            sites,
        })
    })
}

fn by_status(tallies: &[store::Tally]) -> Sites {
    let mut sites = Sites::default();
    for tally in tallies {
        sites.total += tally.sites;
        if tally.silent {
            sites.silent += tally.sites;
        }
        match Standing::from_rank(tally.status).unwrap_or(Standing::Unknown) {
            Standing::NotSecure => sites.exposed += tally.sites,
            Standing::Unknown | Standing::NotChecked | Standing::Pending => {
                sites.unknown += tally.sites;
            }
            Standing::Current if !tally.silent => sites.fine += tally.sites,
            _ => {}
        }
    }
    sites
}

/// Windows of production that a fix has closed this month (UTC).
fn patched(db: &Connection, sight: &Sight, now: Timestamp) -> whole::Result<i64> {
    let (from, _) = month::of(now);
    let days = (from / DAY, now.as_millisecond() / DAY);
    let happened = store::happened(db, sight, days)?;
    Ok(happened.met + happened.breached)
}

/// Windows of the security dashboard, at most.
const URGENT: u32 = 50;
/// Days whose closings tell how long patching takes.
const DAYS: i64 = 90;
/// Closings that are looked at for it, at most: the newest.
const SAMPLE: u32 = 20_000;

/// What is open, and how fast it is closed.
#[derive(Debug, Clone)]
pub struct Security {
    /// The most urgent windows.
    pub open: Vec<Window>,
    /// The modules with open windows on the most sites.
    pub by_module: Vec<OpenModule>,
    /// The organizations with open windows.
    pub by_organization: Vec<OpenOrganization>,
    /// When the oldest open window opened.
    pub oldest_opened_at: Option<Timestamp>,
    /// How long production took to patch, milliseconds: the middle of what was closed within 90 days.
    pub median: Option<i64>,
    /// When this was so.
    pub as_of: Timestamp,
}

/// The security dashboard, of what is in sight.
///
/// # Errors
/// Where the caller may not; what the store says.
pub async fn security(app: &App, actor: &Actor) -> Result<Security> {
    let sight = actor.require(Permission::SitesRead)?;
    let as_of = app.clock.now();
    let now = as_of.as_millisecond();
    let asked = question(
        &LIST,
        &[("filter[state]", "open"), ("sort", "due_at")],
        URGENT,
    );
    let open = exposures::list(app, actor, None, &asked).await?.rows;
    app.store.read(|db| {
        let mut took = standing::took(db, &sight, (now - DAYS * DAY, i64::MAX), SAMPLE)?;
        took.sort_unstable();
        let oldest = standing::oldest(db, &sight)?;
        Ok(Security {
            open,
            by_module: standing::by_module(db, &sight, URGENT)?,
            by_organization: standing::by_organization(db, &sight, now)?,
            oldest_opened_at: oldest.and_then(|at| Timestamp::from_millisecond(at).ok()),
            median: figures::rank(&took, 50),
            as_of,
        })
    })
}

/// One site with everything around it.
#[derive(Debug, Clone)]
pub struct OneSite {
    /// The site.
    pub site: Site,
    /// Its open windows, most urgent first.
    pub exposures: Vec<Window>,
    /// Its enabled modules by the word of their status.
    pub modules: Vec<(&'static str, i64)>,
    /// Its newest patch runs.
    pub patch_runs: Vec<PatchRun>,
    /// Its windows that were open within the last year: first those that still are, each part newest first.
    pub timeline: Vec<Window>,
    /// When this was so.
    pub as_of: Timestamp,
}

/// Windows of a site's timeline, at most: more than any site has.
const TIMELINE: u32 = 5_000;

/// The dashboard of a site.
///
/// # Errors
/// [`super::Error::NotFound`].
pub async fn site(app: &App, actor: &Actor, id: i64) -> Result<OneSite> {
    let as_of = app.clock.now();
    let open = question(
        &LIST,
        &[("filter[state]", "open"), ("sort", "due_at")],
        PER_PAGE_MAX,
    );
    let still = question(&LIST, &[("filter[state]", "open")], TIMELINE);
    let mut timeline = exposures::list(app, actor, Some(id), &still).await?.rows;
    let year_ago = as_of.checked_sub(SignedDuration::from_hours(365 * 24));
    let year_ago = year_ago.unwrap_or(as_of).to_string();
    let lately = [("filter[closed_at][gte]", year_ago.as_str())];
    let lately = question(&LIST, &lately, TIMELINE);
    timeline.extend(exposures::list(app, actor, Some(id), &lately).await?.rows);
    timeline.truncate(TIMELINE as usize);
    let runs = question(&PATCH_RUNS, &[], 10);
    let counted = app.store.read(|db| standing::modules_by_status(db, id))?;
    let named = |(rank, count)| Some((Standing::from_rank(rank)?.word(), count));
    Ok(OneSite {
        site: sites::find(app, actor, id).await?,
        exposures: exposures::list(app, actor, Some(id), &open).await?.rows,
        modules: counted.into_iter().filter_map(named).collect(),
        patch_runs: history::patch_runs(app, actor, Some(id), &runs).await?.rows,
        timeline,
        as_of,
    })
}

/// A question of our own to a list.
fn question(list: &'static List, pairs: &[(&str, &str)], most: u32) -> Query {
    let asked = Query::parse(list, pairs.iter().copied());
    let mut asked = asked.unwrap_or_else(|_| Query::first(list));
    asked.per_page = most;
    asked
}
