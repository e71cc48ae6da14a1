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
    search: &[],
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
        "SELECT id FROM jobs WHERE state = 'queued' AND name = ?1 AND payload = ?2 AND organization_id IS ?3 LIMIT 1",
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
