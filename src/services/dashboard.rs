//! The dashboards as programs ask for them: the fleet's state in numbers, from counters that are
//! kept in the same commit as what they count.

use jiff::{Timestamp, tz::TimeZone};

use super::{Result, advisory_feed, overview as glance};
use crate::app::App;
use crate::domain::access::{Actor, Permission};
use crate::domain::site_status::Standing;
use crate::store::overview as store;

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
    /// Windows of production sites that a fix closed this month (UTC): in time, and late.
    pub closed: (i64, i64),
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
    /// Windows, of which a pair can have several, by the word of their risk; empty: unknown.
    pub by_risk: Vec<(String, i64)>,
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
        let sites = sites(&tallies);
        let overdue = store::late_pairs(db, &sight, now)?;
        let told = glance::told(db, &sight, advisories)?;
        Ok(Fleet {
            exposures: Exposures {
                open: tallies.iter().map(|tally| tally.open).sum(),
                overdue,
                // To the instant itself: what is due then is due within 24 hours.
                due_soon: store::late_pairs(db, &sight, now + DAY + 1)? - overdue,
                by_risk: store::open_by_risk(db, &sight)?,
            },
            feed_read_at: told.read_at,
            feed_stale: told.stale,
            heard: sites.total - store::unheard(db, &sight, now - DAY)?,
            refused: store::refused(db, &sight, now - DAY)?,
            closed: store::closed(db, &sight, month_start(as_of), now.saturating_add(1))?,
            as_of,
            sites,
        })
    })
}

fn sites(tallies: &[store::Tally]) -> Sites {
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

fn month_start(now: Timestamp) -> i64 {
    let first = now.to_zoned(TimeZone::UTC).date().first_of_month();
    let start = first.to_zoned(TimeZone::UTC);
    start.map_or(now, |at| at.timestamp()).as_millisecond()
}
