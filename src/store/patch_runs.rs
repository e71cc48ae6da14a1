//! Patch runs, written: announced by a deploy script, proved by an inventory. One row stands for both,
//! whichever comes first; each run has at most one announcement. They are read in `history`.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::Result;
use super::inventory::Counts;
use super::time::ms;
use crate::domain::announcement::{Announcement, patience};

/// An inventory shows a patch run. The newest announcement of its site that began before, isn't stale and
/// wasn't passed over is proved by it; where there is none, the run is nobody's. Passed over is one after
/// whose end the site was heard of before: that inventory could have shown it, and did not. Ties the sync
/// to the run and gives its id.
///
/// # Errors
/// What SQLite says.
pub fn prove(
    db: &Connection,
    (site_id, organization_id, sync_id): (i64, i64, i64),
    (counts, interval_minutes): (&Counts, i64),
    (now, heard_before): (Timestamp, Option<Timestamp>),
) -> Result<i64> {
    let claim: Option<i64> = db
        .prepare_cached(
            "SELECT id FROM patch_runs WHERE site_id = ?1 AND sync_id IS NULL AND started_at <= ?2
                AND max(ifnull(finished_at, 0), announced_at) >= ?2 - ?3
                AND (finished_at IS NULL OR ?4 IS NULL OR ?4 < finished_at) ORDER BY started_at DESC, id DESC LIMIT 1",
        )?
        .query_row(
            params![site_id, ms(now), patience_ms(interval_minutes), heard_before.map(ms)],
            |row| row.get(0),
        )
        .optional()?;
    let id = if let Some(id) = claim {
        db.prepare_cached(
            "UPDATE patch_runs SET sync_id = ?2, run_at = ?3, modules_updated = ?4, modules_downgraded = ?5 WHERE id = ?1",
        )?
        .execute(params![id, sync_id, ms(now), counts.updated, counts.downgraded])?;
        id
    } else {
        db.prepare_cached(
            "INSERT INTO patch_runs (site_id, organization_id, sync_id, run_at, modules_updated, modules_downgraded, security_patches_applied)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)",
        )?
        .execute(params![site_id, organization_id, sync_id, ms(now), counts.updated, counts.downgraded])?;
        db.last_insert_rowid()
    };
    db.prepare_cached("UPDATE syncs SET patch_run_id = ?2 WHERE id = ?1")?
        .execute([sync_id, id])?;
    Ok(id)
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

/// Keeps an announcement: at the earliest run since its start that an inventory showed and nobody
/// announced, while that isn't too long after its end and no other inventory came between the two;
/// otherwise as a claim. Gives the run's id.
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
    let interval: i64 = db
        .prepare_cached("SELECT sync_interval_minutes FROM sites WHERE id = ?1")?
        .query_row([said.site_id], |row| row.get(0))?;
    let ended = said.finished_at.unwrap_or(now);
    let shown: Option<i64> = db
        .prepare_cached(
            "SELECT p.id FROM patch_runs AS p JOIN syncs AS y ON y.id = p.sync_id
             WHERE p.site_id = ?1 AND p.run_at BETWEEN ?2 AND min(?3, ?4 + ?5) AND p.announced_at IS NULL
                AND (?6 IS NULL OR y.heard_before IS NULL OR y.heard_before < ?6) ORDER BY p.run_at, p.id LIMIT 1",
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
            |row| row.get(0),
        )
        .optional()?;
    let id = if let Some(id) = shown {
        id
    } else {
        db.prepare_cached(
            "INSERT INTO patch_runs (site_id, organization_id, run_at, modules_updated, modules_downgraded,
                security_patches_applied, announced_at) VALUES (?1, ?2, ?3, 0, 0, 0, ?4)",
        )?
        .execute(params![said.site_id, organization_id, ms(said.started_at), ms(now)])?;
        db.last_insert_rowid()
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
