//! Patch runs, written: announced by a deploy script, proved by an inventory. One row stands for both,
//! whichever comes first; each run has at most one announcement. They are read in `history`.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::Result;
use super::ledger::recount_patches;
use super::syncs::Counts;
use super::time::ms;
use crate::domain::announcement::{Announcement, patience};

/// An inventory shows changes. The newest announcement of its site that began before, isn't stale and
/// wasn't passed over is proved by it, whatever they are. Passed over is one after whose end the site was
/// heard of before: that inventory could have shown it, and did not. Where there is none, versions that were
/// raised or lowered are a run that is nobody's, and other changes are none. Ties the sync to the run and
/// gives its id. A site's first inventory shows no changes: there is nothing to compare it with.
///
/// # Errors
/// What SQLite says.
pub fn prove(
    db: &Connection,
    (site_id, organization_id, sync_id): (i64, i64, i64),
    (counts, interval_minutes): (&Counts, i64),
    (now, heard_before): (Timestamp, Option<Timestamp>),
) -> Result<Option<i64>> {
    let Some(heard_before) = heard_before else {
        return Ok(None);
    };
    let claim: Option<i64> = db
        .prepare_cached(
            "SELECT id FROM patch_runs WHERE site_id = ?1 AND sync_id IS NULL AND started_at <= ?2
                AND max(ifnull(finished_at, 0), announced_at) >= ?2 - ?3
                AND (finished_at IS NULL OR ?4 < finished_at) ORDER BY started_at DESC, id DESC LIMIT 1",
        )?
        .query_row(
            params![site_id, ms(now), patience_ms(interval_minutes), ms(heard_before)],
            |row| row.get(0),
        )
        .optional()?;
    let id = if let Some(id) = claim {
        db.prepare_cached(
            "UPDATE patch_runs SET sync_id = ?2, run_at = ?3, modules_updated = ?4, modules_downgraded = ?5 WHERE id = ?1",
        )?
        .execute(params![id, sync_id, ms(now), counts.updated, counts.downgraded])?;
        id
    } else if counts.updated + counts.downgraded > 0 {
        db.prepare_cached(
            "INSERT INTO patch_runs (site_id, organization_id, sync_id, run_at, modules_updated, modules_downgraded, security_patches_applied)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)",
        )?
        .execute(params![site_id, organization_id, sync_id, ms(now), counts.updated, counts.downgraded])?;
        db.last_insert_rowid()
    } else {
        return Ok(None);
    };
    tie(db, sync_id, id)?;
    Ok(Some(id))
}

fn tie(db: &Connection, sync_id: i64, id: i64) -> Result<()> {
    db.prepare_cached("UPDATE syncs SET patch_run_id = ?2 WHERE id = ?1")?
        .execute([sync_id, id])?;
    Ok(())
}

fn patience_ms(interval_minutes: i64) -> i64 {
    i64::try_from(patience(interval_minutes).as_millis()).unwrap_or(i64::MAX)
}

/// The run that was announced with the same site, commit and start: a script that tries again means the
/// same one.
///
/// # Errors
/// What SQLite says.
pub fn announced_before(db: &Connection, said: &Announcement) -> Result<Option<i64>> {
    Ok(db
        .prepare_cached(
            "SELECT min(id) FROM patch_runs WHERE site_id = ?1 AND started_at = ?2 AND commit_ref IS ?3",
        )?
        .query_row(
            params![said.site_id, ms(said.started_at), said.commit],
            |row| row.get(0),
        )?)
}

/// Adds what was not said of a run the first time. `true`: there was something.
///
/// # Errors
/// What SQLite says.
pub fn say_more(db: &Connection, id: i64, said: &Announcement) -> Result<bool> {
    let changed = db
        .prepare_cached(
            "UPDATE patch_runs SET performed_by = ifnull(performed_by, ?2), ticket = ifnull(ticket, ?3),
                finished_at = ifnull(finished_at, ?4)
             WHERE id = ?1 AND ((performed_by IS NULL AND ?2 IS NOT NULL) OR (ticket IS NULL AND ?3 IS NOT NULL)
                OR (finished_at IS NULL AND ?4 IS NOT NULL))",
        )?
        .execute(params![
            id,
            said.performed_by,
            said.ticket,
            said.finished_at.map(ms)
        ])?;
    Ok(changed > 0)
}

/// Keeps an announcement: at the earliest inventory since its start that showed changes and is nobody's yet,
/// while that isn't too long after its end and no other inventory came between the two; otherwise as a
/// claim. Gives the run's id.
///
/// # Errors
/// What SQLite says.
pub fn announce(
    db: &Connection,
    organization_id: i64,
    said: &Announcement,
    by: &str,
    now: Timestamp,
) -> Result<i64> {
    let id = match shown(db, said, now)? {
        Some((_, Some(run))) => run,
        Some((sync_id, None)) => {
            let id = add(db, organization_id, said, now)?;
            db.prepare_cached(
                "UPDATE patch_runs SET sync_id = y.id, run_at = y.received_at FROM syncs AS y WHERE patch_runs.id = ?1 AND y.id = ?2",
            )?
            .execute([id, sync_id])?;
            tie(db, sync_id, id)?;
            db.prepare_cached(
                "UPDATE exposures SET closed_by_patch_run_id = ?3 WHERE site_id = ?1 AND closed_by_sync_id = ?2",
            )?
            .execute([said.site_id, sync_id, id])?;
            recount_patches(db, id)?;
            id
        }
        None => add(db, organization_id, said, now)?,
    };
    db.prepare_cached(
        "UPDATE patch_runs SET announced_at = ?2, announced_by = ?3, performed_by = ?4, ticket = ?5, commit_ref = ?6,
            started_at = ?7, finished_at = ?8 WHERE id = ?1",
    )?
    .execute(params![
        id,
        ms(now),
        by,
        said.performed_by,
        said.ticket,
        said.commit,
        ms(said.started_at),
        said.finished_at.map(ms)
    ])?;
    Ok(id)
}

fn add(db: &Connection, organization_id: i64, said: &Announcement, now: Timestamp) -> Result<i64> {
    db.prepare_cached(
        "INSERT INTO patch_runs (site_id, organization_id, run_at, modules_updated, modules_downgraded,
            security_patches_applied, announced_at) VALUES (?1, ?2, ?3, 0, 0, 0, ?4)",
    )?
    .execute(params![said.site_id, organization_id, ms(said.started_at), ms(now)])?;
    Ok(db.last_insert_rowid())
}

/// The inventory that shows an announced run, and the run that it is already.
fn shown(
    db: &Connection,
    said: &Announcement,
    now: Timestamp,
) -> Result<Option<(i64, Option<i64>)>> {
    let interval: i64 = db
        .prepare_cached("SELECT sync_interval_minutes FROM sites WHERE id = ?1")?
        .query_row([said.site_id], |row| row.get(0))?;
    let ended = said.finished_at.unwrap_or(now);
    Ok(db
        .prepare_cached(
            "SELECT y.id, p.id FROM syncs AS y LEFT JOIN patch_runs AS p ON p.id = y.patch_run_id
             WHERE y.site_id = ?1 AND y.id > ifnull((SELECT z.id FROM syncs AS z
                    WHERE z.site_id = ?1 AND z.received_at < ?2 ORDER BY z.id DESC LIMIT 1), 0)
                AND y.received_at <= min(?3, ?4 + ?5) AND p.announced_at IS NULL AND y.heard_before IS NOT NULL
                AND (?6 IS NULL OR y.heard_before < ?6) AND EXISTS (SELECT 1 FROM events AS n WHERE n.sync_id = y.id)
             ORDER BY y.id LIMIT 1",
        )?
        .query_row(
            params![
                said.site_id,
                ms(said.started_at),
                ms(now),
                ms(ended),
                patience_ms(interval),
                said.finished_at.map(ms)
            ],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?)
}
