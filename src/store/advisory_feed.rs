//! How far drupal.org's listings of advisories have been read, which of their nodes are still to be asked
//! for, and which are of no use. The advisories themselves are in `advisories`.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Result;
use super::time::{at, ms};
use crate::domain::advisory::Record;

/// How one of the two listings is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Announcements rather than advisories.
    pub psa: bool,
    /// The first time that it was asked for.
    pub followed_since: Option<Timestamp>,
    /// Every change up to here was taken, Unix seconds; `None`: it was never read.
    pub mark: Option<i64>,
    /// When it is looked at next.
    pub next_look_at: Timestamp,
    /// Where the running look goes on; 0: none runs.
    pub look_page: u32,
    /// The newest change that the running look came upon, Unix seconds.
    pub look_newest: Option<i64>,
    /// Looks that failed in a row.
    pub look_failures: u32,
    /// Why the last look failed, in words for people.
    pub look_error: Option<String>,
    /// When all that had changed was last told.
    pub last_success_at: Option<Timestamp>,
    /// The `ETag` of its first page.
    pub etag: Option<String>,
    /// The `Last-Modified` of its first page.
    pub last_modified: Option<String>,
    /// When it is gone through next, or goes on.
    pub next_sweep_at: Timestamp,
    /// Where the running sweep goes on; 0: none runs.
    pub sweep_page: u32,
    /// When the running sweep began.
    pub sweep_started_at: Option<Timestamp>,
    /// The newest change that the running sweep came upon, Unix seconds.
    pub sweep_newest: Option<i64>,
    /// Pages that the running sweep had to leave out.
    pub sweep_gaps: u32,
    /// Pages that the sweep before it had to leave out.
    pub left_out: u32,
    /// How often in a row the same page failed.
    pub sweep_failures: u32,
    /// What is wrong with going through it, in words for people.
    pub sweep_error: Option<String>,
    /// The oldest change that the filling came to, Unix seconds.
    pub reached: Option<i64>,
    /// The first time that all of it was read.
    pub filled_at: Option<Timestamp>,
}

/// Both listings, that of the advisories first.
///
/// # Errors
/// What SQLite says.
pub fn listings(db: &Connection) -> Result<Vec<Listing>> {
    let mut statement = db.prepare_cached(
        "SELECT psa, mark, next_look_at, look_page, look_newest, look_failures, look_error, last_success_at, etag, last_modified,
            next_sweep_at, sweep_page, sweep_started_at, sweep_gaps, sweep_failures, sweep_error, reached, filled_at,
            followed_since, sweep_newest, left_out
         FROM advisory_listings ORDER BY psa",
    )?;
    let rows = statement.query_map([], listing)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn listing(row: &Row<'_>) -> rusqlite::Result<Listing> {
    let time = |column| row.get::<_, Option<i64>>(column).map(|ms| ms.map(at));
    Ok(Listing {
        psa: row.get(0)?,
        mark: row.get(1)?,
        next_look_at: at(row.get(2)?),
        look_page: row.get(3)?,
        look_newest: row.get(4)?,
        look_failures: row.get(5)?,
        look_error: row.get(6)?,
        last_success_at: time(7)?,
        etag: row.get(8)?,
        last_modified: row.get(9)?,
        next_sweep_at: at(row.get(10)?),
        sweep_page: row.get(11)?,
        sweep_started_at: time(12)?,
        sweep_gaps: row.get(13)?,
        sweep_failures: row.get(14)?,
        sweep_error: row.get(15)?,
        reached: row.get(16)?,
        filled_at: time(17)?,
        followed_since: time(18)?,
        sweep_newest: row.get(19)?,
        left_out: row.get(20)?,
    })
}

/// Writes how a listing is read.
///
/// # Errors
/// What SQLite says.
pub fn save(db: &Connection, listing: &Listing) -> Result<()> {
    db.prepare_cached(
        "UPDATE advisory_listings SET mark = ?2, next_look_at = ?3, look_page = ?4, look_newest = ?5, look_failures = ?6,
            look_error = ?7, last_success_at = ?8, etag = ?9, last_modified = ?10, next_sweep_at = ?11, sweep_page = ?12,
            sweep_started_at = ?13, sweep_gaps = ?14, sweep_failures = ?15, sweep_error = ?16, reached = ?17, filled_at = ?18,
            followed_since = ?19, sweep_newest = ?20, left_out = ?21
         WHERE psa = ?1",
    )?
    .execute(params![
        listing.psa,
        listing.mark,
        ms(listing.next_look_at),
        listing.look_page,
        listing.look_newest,
        listing.look_failures,
        listing.look_error,
        listing.last_success_at.map(ms),
        listing.etag,
        listing.last_modified,
        ms(listing.next_sweep_at),
        listing.sweep_page,
        listing.sweep_started_at.map(ms),
        listing.sweep_gaps,
        listing.sweep_failures,
        listing.sweep_error,
        listing.reached,
        listing.filled_at.map(ms),
        listing.followed_since.map(ms),
        listing.sweep_newest,
        listing.left_out,
    ])?;
    Ok(())
}

/// A sweep begins: nothing of the listing was seen yet.
///
/// # Errors
/// What SQLite says.
pub fn forget_seen(db: &Connection, psa: bool) -> Result<()> {
    db.prepare_cached("DELETE FROM advisory_seen WHERE psa = ?1")?
        .execute([psa])?;
    Ok(())
}

/// Remembers nodes that a sweep came upon; gives how many of them it hadn't seen before.
///
/// # Errors
/// What SQLite says.
pub fn see(db: &Connection, psa: bool, nids: &[i64]) -> Result<usize> {
    let mut statement =
        db.prepare_cached("INSERT OR IGNORE INTO advisory_seen (nid, psa) VALUES (?1, ?2)")?;
    let mut new = 0;
    for nid in nids {
        new += statement.execute(params![nid, psa])?;
    }
    Ok(new)
}

/// Advisories that stand, were known when the sweep began, and that it did not come upon: their nodes;
/// and how many stand in all.
///
/// # Errors
/// What SQLite says.
pub fn vanished(db: &Connection, psa: bool, known_before: Timestamp) -> Result<(Vec<i64>, usize)> {
    let mut statement = db.prepare_cached(
        "SELECT a.nid, s.nid IS NULL FROM advisories AS a LEFT JOIN advisory_seen AS s ON s.psa = a.psa AND s.nid = a.nid
         WHERE a.nid IS NOT NULL AND a.psa = ?1 AND a.withdrawn_at IS NULL AND a.known_at < ?2",
    )?;
    let rows = statement.query_map(params![psa, ms(known_before)], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    let held: Vec<(i64, bool)> = rows.collect::<rusqlite::Result<_>>()?;
    let lost = held.iter().filter(|(_, lost)| *lost);
    Ok((lost.map(|(nid, _)| *nid).collect(), held.len()))
}

/// A node that waits to be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its number.
    pub nid: i64,
    /// It was found among the announcements.
    pub psa: bool,
    /// How often it was asked for in vain.
    pub tries: u32,
    /// The listing lacks it: where it is gone alone too, it was taken back.
    pub missing: bool,
    /// What the listing told, where only the name of the project is missing.
    pub told: Option<Record>,
}

/// The advisory that stands, has a node, and was changed last at this very time (Unix seconds).
///
/// # Errors
/// What SQLite says.
pub fn node_changed_at(db: &Connection, psa: bool, changed: i64) -> Result<Option<i64>> {
    Ok(db
        .prepare_cached(
            "SELECT nid FROM advisories
             WHERE nid IS NOT NULL AND changed_at = ?1 AND psa = ?2 AND withdrawn_at IS NULL LIMIT 1",
        )?
        .query_row(params![changed.saturating_mul(1000), psa], |row| row.get(0))
        .optional()?)
}

/// What the listing told of a node that has to be asked for alone.
#[derive(Debug, Clone, Copy)]
pub struct Reason<'a> {
    /// When it changed, Unix seconds.
    pub changed: i64,
    /// All but the name of its project.
    pub told: Option<&'a Record>,
    /// It was told by a sweep, which comes once a day: what was refused before is worth another try.
    pub sweeping: bool,
}

/// Has a node asked for at once, unless that was done since it changed.
///
/// # Errors
/// What SQLite says.
pub fn want(
    db: &Connection,
    (nid, psa): (i64, bool),
    why: Reason<'_>,
    now: Timestamp,
) -> Result<()> {
    let told = why.told.map(serde_json::to_string).transpose()?;
    db.prepare_cached(
        "INSERT INTO advisory_nodes (nid, psa, changed, told, next_try_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (nid) DO UPDATE SET psa = excluded.psa, changed = excluded.changed, told = excluded.told, tries = 0,
            next_try_at = excluded.next_try_at, missing = 0, error = NULL
         WHERE changed <> excluded.changed OR missing = 1 OR (?6 AND next_try_at IS NULL)",
    )?
    .execute(params![nid, psa, why.changed, told, ms(now), why.sweeping])?;
    Ok(())
}

/// Has a node that the listing lacks asked for at once, unless that waits already.
///
/// # Errors
/// What SQLite says.
pub fn miss(db: &Connection, nid: i64, psa: bool, now: Timestamp) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO advisory_nodes (nid, psa, changed, next_try_at, missing) VALUES (?1, ?2, 0, ?3, 1)
         ON CONFLICT (nid) DO UPDATE SET psa = excluded.psa, changed = 0, told = NULL, tries = 0,
            next_try_at = excluded.next_try_at, missing = 1, error = NULL
         WHERE missing = 0",
    )?
    .execute(params![nid, psa, ms(now)])?;
    Ok(())
}

/// Remembers why a node is of no use, and asks for it at `again_at`, where that would help.
///
/// # Errors
/// What SQLite says.
pub fn refuse(
    db: &Connection,
    (nid, psa): (i64, bool),
    changed: i64,
    why: &str,
    again_at: Option<Timestamp>,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO advisory_nodes (nid, psa, changed, error, next_try_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (nid) DO UPDATE SET psa = excluded.psa, changed = excluded.changed, told = NULL,
            next_try_at = excluded.next_try_at, missing = 0, error = excluded.error",
    )?
    .execute(params![nid, psa, changed, why, again_at.map(ms)])?;
    Ok(())
}

/// Nothing is to be asked or said of a node any more.
///
/// # Errors
/// What SQLite says.
pub fn settle(db: &Connection, nid: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM advisory_nodes WHERE nid = ?1")?
        .execute([nid])?;
    Ok(())
}

/// Forgets the nodes that are of no use or were asked for in vain, and that the sweep which began at
/// `started` did not come upon any more.
///
/// # Errors
/// What SQLite says.
pub fn settle_unseen(db: &Connection, psa: bool, started: Timestamp) -> Result<()> {
    db.prepare_cached(
        "DELETE FROM advisory_nodes WHERE psa = ?1 AND missing = 0 AND (next_try_at IS NULL OR (tries > 0 AND changed < ?2))
           AND nid NOT IN (SELECT nid FROM advisory_seen WHERE psa = ?1)",
    )?
    .execute(params![psa, started.as_second()])?;
    Ok(())
}

/// Whether something is to be asked or said of a node.
///
/// # Errors
/// What SQLite says.
pub fn is_open(db: &Connection, nid: i64) -> Result<bool> {
    Ok(db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM advisory_nodes WHERE nid = ?1)")?
        .query_row([nid], |row| row.get(0))?)
}

/// The node that is due: the least tried, and of those the one that changed last.
///
/// # Errors
/// What SQLite says.
pub fn due_node(db: &Connection, now: Timestamp) -> Result<Option<Wanted>> {
    let found: Option<(i64, bool, u32, Option<String>, bool)> = db
        .prepare_cached(
            "SELECT nid, psa, tries, told, missing FROM advisory_nodes WHERE next_try_at <= ?1 ORDER BY tries, changed DESC, nid DESC LIMIT 1",
        )?
        .query_row([ms(now)], |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get(4)?,
            ))
        })
        .optional()?;
    let wanted = found.map(|(nid, psa, tries, told, missing)| {
        let told = told.as_deref().map(serde_json::from_str).transpose()?;
        Ok(Wanted {
            nid,
            psa,
            tries,
            missing,
            told,
        })
    });
    wanted.transpose()
}

/// A node was asked for in vain: it is asked for again at `at`, and no other before `others_at`.
///
/// # Errors
/// What SQLite says.
pub fn postpone(
    db: &Connection,
    nid: i64,
    why: &str,
    at: Timestamp,
    others_at: Option<Timestamp>,
) -> Result<()> {
    db.prepare_cached(
        "UPDATE advisory_nodes SET tries = tries + 1, next_try_at = ?2, error = ?3 WHERE nid = ?1",
    )?
    .execute(params![nid, ms(at), why])?;
    if let Some(others_at) = others_at {
        db.prepare_cached("UPDATE advisory_nodes SET next_try_at = ?1 WHERE next_try_at < ?1")?
            .execute([ms(others_at)])?;
    }
    Ok(())
}

/// A node of no use and why; 0: one without a number.
pub type Trouble = (i64, String);

/// How many nodes wait to be asked for without anything being wrong, and those with which something is,
/// the last changed first.
///
/// # Errors
/// What SQLite says.
pub fn troubles(db: &Connection, most: u32) -> Result<(i64, Vec<Trouble>)> {
    let waiting = db
        .prepare_cached("SELECT count(*) FROM advisory_nodes WHERE error IS NULL")?
        .query_row([], |row| row.get(0))?;
    let mut statement = db.prepare_cached(
        "SELECT nid, error FROM advisory_nodes WHERE error IS NOT NULL ORDER BY changed DESC, nid DESC LIMIT ?1",
    )?;
    let rows = statement.query_map([most], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok((waiting, rows.collect::<rusqlite::Result<_>>()?))
}

/// Whether anything among the advisories is of no use, or was asked for in vain.
///
/// # Errors
/// What SQLite says.
pub fn any_trouble(db: &Connection) -> Result<bool> {
    Ok(db
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM advisory_nodes WHERE error IS NOT NULL AND psa = 0)",
        )?
        .query_row([], |row| row.get(0))?)
}

/// The name of the advisory that stands and has this node.
///
/// # Errors
/// What SQLite says.
pub fn name_of_node(db: &Connection, nid: i64) -> Result<Option<String>> {
    Ok(db
        .prepare_cached("SELECT name FROM advisories WHERE nid = ?1 AND withdrawn_at IS NULL")?
        .query_row([nid], |row| row.get(0))
        .optional()?)
}

/// The short name of the project that has this node, where some advisory told it.
///
/// # Errors
/// What SQLite says.
pub fn project_of_node(db: &Connection, project_nid: i64) -> Result<Option<String>> {
    Ok(db
        .prepare_cached("SELECT project FROM advisories WHERE project_nid = ?1 LIMIT 1")?
        .query_row([project_nid], |row| row.get(0))
        .optional()?)
}

/// How many advisories stand.
///
/// # Errors
/// What SQLite says.
pub fn standing(db: &Connection) -> Result<i64> {
    Ok(db
        .prepare_cached("SELECT count(*) FROM advisories WHERE withdrawn_at IS NULL AND psa = 0")?
        .query_row([], |row| row.get(0))?)
}
