//! Background work that somebody asked for.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::listing::{Ask, Column, Source, Wall, page};
use super::{Result, row};
use crate::domain::job::{Job, LIST};
use crate::domain::listing::Page;

/// The list of jobs.
pub static SOURCE: Source = Source {
    list: &LIST,
    from: "jobs AS j",
    drivers: &[],
    live: "1",
    id: "j.id",
    columns: None,
    wall: Wall::Owned {
        organization: "j.organization_id",
        site: None,
    },
    fields: &[
        ("id", Column::Plain("j.id")),
        ("name", Column::Plain("j.name")),
        ("state", Column::Plain("j.state")),
        ("created_at", Column::Plain("j.created_at")),
        ("finished_at", Column::Plain("j.finished_at")),
    ],
    sorts: &[("id", &[]), ("created_at", &[])],
    ties: &[],
    search: &[],
    search_index: None,
    counted: &[],
};

/// One page of jobs.
///
/// # Errors
/// What SQLite says.
pub fn list(db: &Connection, ask: &Ask<'_>) -> Result<Page<Job>> {
    page(db, &SOURCE, ask, find)
}

/// One job.
///
/// # Errors
/// What SQLite says.
pub fn find(db: &Connection, id: i64) -> Result<Option<Job>> {
    let mut prepared = db.prepare_cached("SELECT * FROM jobs WHERE id = ?1")?;
    let found = prepared.query_row([id], |found| {
        Ok(Job {
            id: found.get("id")?,
            organization_id: found.get("organization_id")?,
            name: found.get("name")?,
            state: found.get("state")?,
            done: found.get("done")?,
            total: found.get("total")?,
            attempts: found.get("attempts")?,
            last_error: found.get("last_error")?,
            created_at: row::time(found, "created_at")?,
            started_at: row::maybe_time(found, "started_at")?,
            finished_at: row::maybe_time(found, "finished_at")?,
        })
    });
    Ok(found.optional()?)
}

/// A job of that name and payload that waits to be begun, asked for by the same organization.
///
/// # Errors
/// What SQLite says.
pub fn waiting(
    db: &Connection,
    organization_id: Option<i64>,
    name: &str,
    payload: &str,
) -> Result<Option<i64>> {
    let mut prepared = db.prepare_cached(
        "SELECT id FROM jobs WHERE state IN ('queued', 'running') AND state = 'queued' AND name = ?1 AND payload = ?2 AND organization_id IS ?3 LIMIT 1",
    )?;
    let found = prepared.query_row(params![name, payload, organization_id], |found| {
        found.get(0)
    });
    Ok(found.optional()?)
}

/// Keeps a job to be begun at once, and gives its id.
///
/// # Errors
/// What SQLite says.
pub fn add(
    db: &Connection,
    organization_id: Option<i64>,
    name: &str,
    payload: &str,
    by: &str,
    now: Timestamp,
) -> Result<i64> {
    let mut prepared = db.prepare_cached(
        "INSERT INTO jobs (organization_id, name, payload, state, total, run_at, created_at, created_by)
         VALUES (?1, ?2, ?3, 'queued', 1, ?4, ?4, ?5)",
    )?;
    Ok(prepared.insert(params![
        organization_id,
        name,
        payload,
        now.as_millisecond(),
        by
    ])?)
}

/// A job that was taken to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// Its id.
    pub id: i64,
    /// What is to be done.
    pub name: String,
    /// With what, as JSON.
    pub payload: String,
    /// How often it was begun, this time included.
    pub attempts: i64,
}

/// The job that waits the longest, if one is due by now: one that nobody has begun, or whose process
/// ended before it did.
///
/// # Errors
/// What SQLite says.
pub fn due(db: &Connection, now: Timestamp) -> Result<Option<i64>> {
    let mut prepared = db.prepare_cached(
        "SELECT id FROM jobs WHERE state IN ('queued', 'running') AND run_at <= ?1 ORDER BY run_at, id LIMIT 1",
    )?;
    Ok(prepared
        .query_row([now.as_millisecond()], |found| found.get(0))
        .optional()?)
}

/// Takes a job that [`due`] gave; from `abandoned_at` on it may be taken again.
///
/// # Errors
/// What SQLite says.
pub fn claim(
    db: &Connection,
    id: i64,
    now: Timestamp,
    abandoned_at: Timestamp,
) -> Result<Option<Claimed>> {
    let mut prepared = db.prepare_cached(
        "UPDATE jobs SET state = 'running', attempts = attempts + 1, started_at = ifnull(started_at, ?2), run_at = ?3
         WHERE id = ?1 AND state IN ('queued', 'running') AND run_at <= ?2
         RETURNING id, name, payload, attempts",
    )?;
    let times = params![id, now.as_millisecond(), abandoned_at.as_millisecond()];
    let claimed = prepared.query_row(times, |found| {
        Ok(Claimed {
            id: found.get(0)?,
            name: found.get(1)?,
            payload: found.get(2)?,
            attempts: found.get(3)?,
        })
    });
    Ok(claimed.optional()?)
}

/// The job has ended: well, or with what went wrong.
///
/// # Errors
/// What SQLite says.
pub fn finish(db: &Connection, id: i64, error: Option<&str>, now: Timestamp) -> Result<()> {
    let mut prepared = db.prepare_cached(
        "UPDATE jobs SET state = iif(?2 IS NULL, 'succeeded', 'failed'), last_error = ?2,
           done = iif(?2 IS NULL, ifnull(total, done), done), finished_at = ?3
         WHERE id = ?1 AND state = 'running'",
    )?;
    prepared.execute(params![id, error, now.as_millisecond()])?;
    Ok(())
}

/// The job could not be done now and waits again.
///
/// # Errors
/// What SQLite says.
pub fn put_off(db: &Connection, id: i64, error: &str, until: Timestamp) -> Result<()> {
    let mut prepared = db.prepare_cached(
        "UPDATE jobs SET state = 'queued', last_error = ?2, run_at = ?3 WHERE id = ?1 AND state = 'running'",
    )?;
    prepared.execute(params![id, error, until.as_millisecond()])?;
    Ok(())
}
