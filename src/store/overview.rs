//! What the overview counts: each question bounded by an index or by a counter, so that it costs
//! the same for forty sites and for hundreds of thousands.

use rusqlite::{Connection, Row, params};

use super::wall::{counted, list, within};
use super::{Result, advisories};
use crate::domain::access::Sight;
use crate::domain::exposure::Risk;
use crate::domain::figures::Compliance;

/// Sites of one kind.
#[derive(Debug, Clone, Copy)]
pub struct Tally {
    /// Their organization.
    pub organization_id: i64,
    /// The rank of their status.
    pub status: i64,
    /// They are silent.
    pub silent: bool,
    /// How many.
    pub sites: i64,
    /// (site, module) pairs with an open window on them.
    pub open: i64,
}

/// The sites of each organization by status and silence, organizations in the order of their names.
///
/// # Errors
/// What SQLite says.
pub fn tallies(db: &Connection, sight: &Sight) -> Result<Vec<Tally>> {
    collect(
        db,
        "SELECT t.organization_id, t.status, t.silent, t.sites, t.open_exposures
         FROM organization_statuses AS t JOIN organizations AS o ON o.id = t.organization_id
         WHERE t.sites > 0 AND o.deleted_at IS NULL AND (?1 IS NULL OR t.organization_id IN (SELECT value FROM json_each(?1)))
         ORDER BY o.name COLLATE NOCASE, o.id, t.status, t.silent",
        sight,
        tally,
    )
}

/// Sites with something past due, likewise.
///
/// # Errors
/// What SQLite says.
pub fn overdue(db: &Connection, sight: &Sight, now: i64) -> Result<Vec<Tally>> {
    let mut statement = db.prepare_cached(
        "SELECT organization_id, status, silent_since IS NOT NULL, count(*), sum(open_exposures) FROM sites
         WHERE deleted_at IS NULL AND ifnull(next_due_at, 9223372036854775807) < ?2 AND (?1 IS NULL OR organization_id IN (SELECT value FROM json_each(?1)))
         GROUP BY 1, 2, 3",
    )?;
    let found = statement.query_map(params![within(sight), now], tally)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

fn tally(row: &Row<'_>) -> rusqlite::Result<Tally> {
    Ok(Tally {
        organization_id: row.get(0)?,
        status: row.get(1)?,
        silent: row.get(2)?,
        sites: row.get(3)?,
        open: row.get(4)?,
    })
}

/// One site of a small fleet: organization, status, silence, the earliest due time.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    /// Its organization.
    pub organization_id: i64,
    /// The rank of its status.
    pub status: i64,
    /// It is silent.
    pub silent: bool,
    /// The earliest due time of what is open.
    pub due: Option<i64>,
}

/// The sites one by one, by organization and name: for fleets that can be drawn so.
///
/// # Errors
/// What SQLite says.
pub fn marks(db: &Connection, sight: &Sight) -> Result<Vec<Mark>> {
    collect(
        db,
        "SELECT s.organization_id, s.status, s.silent_since IS NOT NULL, s.next_due_at
         FROM organizations AS o JOIN sites AS s ON s.organization_id = o.id AND s.deleted_at IS NULL
         WHERE o.deleted_at IS NULL AND (?1 IS NULL OR o.id IN (SELECT value FROM json_each(?1)))
         ORDER BY o.name COLLATE NOCASE, o.id, s.name COLLATE NOCASE",
        sight,
        |row| Ok(Mark { organization_id: row.get(0)?, status: row.get(1)?, silent: row.get(2)?, due: row.get(3)? }),
    )
}

/// Sites that have not been heard of since then, or never: few in a fleet that works.
///
/// # Errors
/// What SQLite says.
pub fn unheard(db: &Connection, sight: &Sight, since: i64) -> Result<i64> {
    Ok(db
        .prepare_cached(
            "SELECT
               (SELECT count(*) FROM site_contacts AS c JOIN sites AS s ON s.id = c.site_id
                WHERE c.last_sync_at < ?2 AND s.deleted_at IS NULL AND (?1 IS NULL OR s.organization_id IN (SELECT value FROM json_each(?1))))
             + (SELECT count(*) FROM site_contacts AS c JOIN sites AS s ON s.id = c.site_id
                WHERE c.last_sync_at IS NULL AND s.deleted_at IS NULL AND (?1 IS NULL OR s.organization_id IN (SELECT value FROM json_each(?1))))",
        )?
        .query_row(params![within(sight), since], |row| row.get(0))?)
}

/// Sites by the whole hours since their last contact, (hours, sites), up to 24.
///
/// # Errors
/// What SQLite says.
pub fn contacts_by_hour(db: &Connection, sight: &Sight, now: i64) -> Result<Vec<(i64, i64)>> {
    let mut statement = db.prepare_cached(
        "SELECT (?2 - c.last_sync_at) / 3600000, count(*) FROM site_contacts AS c JOIN sites AS s ON s.id = c.site_id
         WHERE c.last_sync_at > ?2 - 86400000 AND s.deleted_at IS NULL AND (?1 IS NULL OR s.organization_id IN (SELECT value FROM json_each(?1)))
         GROUP BY 1",
    )?;
    let found = statement.query_map(params![within(sight), now], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// A silent site: id, name, last contact.
pub type Quiet = (i64, String, Option<i64>);

/// Those silent the longest.
///
/// # Errors
/// What SQLite says.
pub fn quiet(db: &Connection, sight: &Sight, most: u32) -> Result<Vec<Quiet>> {
    let mut statement = db.prepare_cached(
        "SELECT s.id, s.name, c.last_sync_at FROM sites AS s LEFT JOIN site_contacts AS c ON c.site_id = s.id
         WHERE s.deleted_at IS NULL AND s.silent_since IS NOT NULL AND (?1 IS NULL OR s.organization_id IN (SELECT value FROM json_each(?1)))
         ORDER BY s.silent_since, s.id LIMIT ?2",
    )?;
    let found = statement.query_map(params![within(sight), most], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// An open window with what a page says of it. Times in milliseconds.
#[derive(Debug, Clone)]
pub struct OpenWindow {
    /// Its id.
    pub id: i64,
    /// The advisories that explain it.
    pub advisories: Vec<String>,
    /// The site.
    pub site_id: i64,
    /// Its name.
    pub site: String,
    /// Its environment.
    pub environment: String,
    /// Its organization's name.
    pub organization: String,
    /// It is silent.
    pub silent: bool,
    /// The module.
    pub module_id: i64,
    /// Its title.
    pub module: String,
    /// What is installed.
    pub installed: Option<String>,
    /// `release`, `advisory`, `project`.
    pub cause_kind: String,
    /// The release's version, the advisory's id, the project's name.
    pub cause: String,
    /// There is no fix.
    pub no_fix: bool,
    /// How bad.
    pub risk: Option<String>,
    /// Since when.
    pub opened_at: i64,
    /// Until when it had to be fixed.
    pub due_at: Option<i64>,
    /// Since when nobody can tell whether it still holds.
    pub unproven_since: Option<i64>,
}

/// The most urgent sites, each with its most urgent open window and in how many modules it has one:
/// those that are due first, then those without a due time.
///
/// # Errors
/// What SQLite says.
pub fn urgent(db: &Connection, sight: &Sight, most: u32) -> Result<Vec<(OpenWindow, i64)>> {
    let found = open_sites(db, sight, most)?;
    let mut first = db.prepare_cached(
        "SELECT e.site_id, s.name, s.environment, o.name, s.silent_since IS NOT NULL, e.module_id,
           coalesce(nullif(m.title, ''), m.name), v.version, e.cause_kind, e.cause, e.no_fix, e.risk, e.opened_at, e.due_at, e.id, e.unproven_since
         FROM exposures AS e
         JOIN sites AS s ON s.id = e.site_id JOIN organizations AS o ON o.id = e.organization_id
         JOIN modules AS m ON m.id = e.module_id JOIN module_versions AS v ON v.id = e.version_id
         WHERE e.site_id = ?1 AND e.closed_at IS NULL
         ORDER BY ifnull(e.due_at, 9223372036854775807), m.type <> 'core', e.opened_at, e.id LIMIT 1",
    )?;
    let mut urgent = Vec::with_capacity(found.len());
    for (site, open) in found {
        let rows = first.query_map([site], window)?;
        for row in rows {
            let mut window = row?;
            window.advisories = advisories::names_of(db, window.id)?;
            urgent.push((window, open));
        }
    }
    Ok(urgent)
}

/// Sites with something open and in how many modules, the most urgent first; the first of all of them
/// by the index alone, whatever their status says: a site that can't be told isn't off the hook.
fn open_sites(db: &Connection, sight: &Sight, most: u32) -> rusqlite::Result<Vec<(i64, i64)>> {
    let mut open = db.prepare_cached(
        "SELECT id, open_exposures FROM sites INDEXED BY sites_open
         WHERE deleted_at IS NULL AND open_exposures > 0
           AND (?1 IS NULL OR organization_id IN (SELECT value FROM json_each(?1)))
         ORDER BY ifnull(next_due_at, 9223372036854775807), organization_id, id LIMIT ?2",
    )?;
    let rows = open.query_map(params![within(sight), most], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    rows.collect()
}

fn window(row: &Row<'_>) -> rusqlite::Result<OpenWindow> {
    Ok(OpenWindow {
        site_id: row.get(0)?,
        site: row.get(1)?,
        environment: row.get(2)?,
        organization: row.get(3)?,
        silent: row.get(4)?,
        module_id: row.get(5)?,
        module: row.get(6)?,
        installed: row.get(7)?,
        cause_kind: row.get(8)?,
        cause: row.get(9)?,
        no_fix: row.get(10)?,
        risk: row.get(11)?,
        opened_at: row.get(12)?,
        due_at: row.get(13)?,
        id: row.get(14)?,
        unproven_since: row.get(15)?,
        advisories: Vec::new(),
    })
}

/// (site, module) pairs with an open window by the worst risk of their windows, in the order of [`Risk::RANKED`].
///
/// # Errors
/// What SQLite says.
pub fn by_risk(db: &Connection, sight: &Sight) -> Result<Vec<(Option<Risk>, i64)>> {
    let mut statement = db.prepare_cached(
        "SELECT risk, sum(pairs) FROM open_pair_days WHERE organization_id IN (SELECT value FROM json_each(?1)) GROUP BY risk",
    )?;
    let found = statement.query_map([counted(sight)], |row| {
        let rank = usize::try_from(row.get::<_, i64>(0)?).ok();
        let risk = rank.and_then(|rank| Risk::RANKED.get(rank));
        Ok((risk.copied().flatten(), row.get(1)?))
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// (site, module) pairs with an open window that is due before then. Whole days are counted already, those
/// of its own day are looked at.
///
/// # Errors
/// What SQLite says.
pub fn late_pairs(db: &Connection, sight: &Sight, before: i64) -> Result<i64> {
    Ok(db
        .prepare_cached(
            "SELECT (SELECT ifnull(sum(pairs), 0) FROM open_pair_days
                     WHERE organization_id IN (SELECT value FROM json_each(?1)) AND day < ?2 / 86400000)
                  + (SELECT count(*) FROM open_pairs
                     WHERE due_at >= ?2 / 86400000 * 86400000 AND due_at < ?2 AND (?3 IS NULL OR organization_id IN (SELECT value FROM json_each(?3))))",
        )?
        .query_row(params![counted(sight), before, within(sight)], |row| row.get(0))?)
}

/// Refused syncs since then, of those that are kept: the newest few of each site.
///
/// # Errors
/// What SQLite says.
pub fn refused(db: &Connection, sight: &Sight, since: i64) -> Result<i64> {
    Ok(db
        .prepare_cached(
            "SELECT count(*) FROM refused_syncs AS r JOIN sites AS s ON s.id = r.site_id
             WHERE r.received_at >= ?2 AND s.deleted_at IS NULL AND (?1 IS NULL OR s.organization_id IN (SELECT value FROM json_each(?1)))",
        )?
        .query_row(params![within(sight), since], |row| row.get(0))?)
}

/// What happened to windows of production on some days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Happened {
    /// Windows opened on them.
    pub opened: i64,
    /// Windows closed on them, in time.
    pub met: i64,
    /// Windows closed on them, late.
    pub breached: i64,
}

/// What happened from that day to that day, both counted from 1970 (UTC) and both included.
///
/// # Errors
/// What SQLite says.
pub fn happened(db: &Connection, sight: &Sight, (first, last): (i64, i64)) -> Result<Happened> {
    Ok(db
        .prepare_cached(
            "SELECT ifnull(sum(opened), 0), ifnull(sum(met), 0), ifnull(sum(breached), 0) FROM exposure_days
             WHERE organization_id IN (SELECT value FROM json_each(?1)) AND environment = 'production' AND risk IN (SELECT value FROM json_each(?4))
               AND day >= ?2 AND day <= ?3",
        )?
        .query_row(params![counted(sight), first, last, RISKS], |row| {
            Ok(Happened { opened: row.get(0)?, met: row.get(1)?, breached: row.get(2)? })
        })?)
}

/// What became of the windows of production that were due on those days; `now` in milliseconds.
///
/// # Errors
/// What SQLite says.
pub fn due(
    db: &Connection,
    sight: &Sight,
    (first, last): (i64, i64),
    now: i64,
) -> Result<Compliance> {
    let today = now.div_euclid(86_400_000);
    let mut found = db
        .prepare_cached(
            "SELECT ifnull(sum(due_met), 0), ifnull(sum(due_breached), 0), ifnull(sum(due_open * (day < ?4)), 0), ifnull(sum(due_open * (day >= ?4)), 0)
             FROM exposure_days
             WHERE organization_id IN (SELECT value FROM json_each(?1)) AND environment = 'production' AND risk IN (SELECT value FROM json_each(?5))
               AND day >= ?2 AND day <= ?3",
        )?
        .query_row(params![counted(sight), first, last, today, RISKS], |row| {
            Ok(Compliance { met: row.get(0)?, breached: row.get(1)?, overdue: row.get(2)?, ahead: row.get(3)? })
        })?;
    if first <= today && today <= last {
        // Of those that are due today, some are past due by now.
        let late: i64 = db
            .prepare_cached(
                "SELECT count(*) FROM exposures AS e WHERE e.closed_at IS NULL AND ifnull(e.due_at, 9223372036854775807) >= ?2
                   AND ifnull(e.due_at, 9223372036854775807) < ?3 AND e.environment = 'production'
                   AND (?1 IS NULL OR e.organization_id IN (SELECT value FROM json_each(?1)))",
            )?
            .query_row(params![within(sight), today * 86_400_000, now], |row| row.get(0))?;
        found.overdue += late;
        found.ahead -= late;
    }
    Ok(found)
}

/// Every word of a risk as days have it; empty: unknown.
const RISKS: &str =
    r#"["","highly_critical","critical","moderately_critical","less_critical","not_critical"]"#;

/// What happened on a day: (day counted from 1970, opened, closed).
pub type Day = (i64, i64, i64);

/// Windows opened and closed day by day, from the first to that day.
///
/// # Errors
/// What SQLite says.
pub fn by_day(db: &Connection, sight: &Sight, last: i64) -> Result<Vec<Day>> {
    let mut statement = db.prepare_cached(
        "SELECT day, sum(opened), sum(met + breached + gone) FROM exposure_days
         WHERE organization_id IN (SELECT value FROM json_each(?1)) AND day <= ?2 GROUP BY day ORDER BY day",
    )?;
    let found = statement.query_map(params![counted(sight), last], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// How drupal.org was followed: the oldest of the newest good answers, whether data that sites stand on is
/// stale, and how many modules they run; of one organization's sites or of all.
///
/// # Errors
/// What SQLite says.
pub fn feed(db: &Connection, sight: &Sight) -> Result<(Option<i64>, bool, i64)> {
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    Ok(match sight.organizations() {
        None => db
            .prepare_cached(
                "SELECT (SELECT min(last_success_at) FROM modules WHERE feed_state = 'ok' AND sites_count > 0),
                        EXISTS (SELECT 1 FROM modules WHERE stale = 1 AND sites_count > 0),
                        (SELECT count(*) FROM modules WHERE sites_count > 0)",
            )?
            .query_row([], read)?,
        Some(mine) => db
            .prepare_cached(
                "SELECT min(iif(m.feed_state = 'ok', m.last_success_at, NULL)), ifnull(max(m.stale), 0), count(DISTINCT m.id)
                 FROM organization_versions AS ov JOIN module_versions AS v ON v.id = ov.version_id
                   JOIN modules AS m ON m.id = v.module_id
                 WHERE ov.organization_id IN (SELECT value FROM json_each(?1)) AND ov.sites > 0",
            )?
            .query_row([list(mine)], read)?,
    })
}

/// How many modules in use are looked up, have stale data, were never answered; and when the next is asked.
///
/// # Errors
/// What SQLite says.
pub fn feed_counts(db: &Connection) -> Result<(i64, i64, i64, Option<i64>)> {
    Ok(db
        .prepare_cached(
            "SELECT count(*), ifnull(sum(stale), 0), ifnull(sum(feed_state = 'pending'), 0), min(next_check_at)
             FROM modules WHERE sites_count > 0 AND kind = 'project'",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?)
}

/// A module in use whose last question failed: id, title, name, what went wrong, sites.
pub type Failing = (i64, String, String, String, i64);

/// Those, the most used first.
///
/// # Errors
/// What SQLite says.
pub fn failing(db: &Connection, most: u32) -> Result<Vec<Failing>> {
    let mut statement = db.prepare_cached(
        "SELECT id, coalesce(nullif(title, ''), name), name, ifnull(last_error, feed_state), sites_count FROM modules
         WHERE sites_count > 0 AND kind = 'project' AND (last_error IS NOT NULL OR feed_state IN ('absent', 'failed', 'unreadable'))
         ORDER BY sites_count DESC, id DESC LIMIT ?1",
    )?;
    let found = statement.query_map([most], |row| {
        Ok((
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            row.get(4)?,
        ))
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

fn collect<T>(
    db: &Connection,
    sql: &str,
    sight: &Sight,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>> {
    let mut statement = db.prepare_cached(sql)?;
    let found = statement.query_map([within(sight)], read)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}
