//! The hours to patch that were in force, since when.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Result;
use super::time::ms;
use crate::domain::exposure::Promise;

const PROMISE: &str = "SELECT highly_critical, critical, moderately_critical, less_critical, not_critical FROM promises";

fn promise(row: &Row<'_>) -> rusqlite::Result<Promise> {
    Ok(Promise {
        highly_critical: row.get(0)?,
        critical: row.get(1)?,
        moderately_critical: row.get(2)?,
        less_critical: row.get(3)?,
        not_critical: row.get(4)?,
    })
}

/// The promise now in force.
///
/// # Errors
/// What SQLite says.
pub fn newest(db: &Connection) -> Result<Option<Promise>> {
    Ok(db
        .prepare_cached(&format!("{PROMISE} ORDER BY id DESC LIMIT 1"))?
        .query_row([], promise)
        .optional()?)
}

/// A promise of the past.
///
/// # Errors
/// What SQLite says.
pub fn get(db: &Connection, id: i64) -> Result<Promise> {
    Ok(db
        .prepare_cached(&format!("{PROMISE} WHERE id = ?1"))?
        .query_row([id], promise)?)
}

/// A promise comes into force; gives its id.
///
/// # Errors
/// What SQLite says.
pub fn add(db: &Connection, promise: &Promise, now: Timestamp) -> Result<i64> {
    db.prepare_cached(
        "INSERT INTO promises (valid_from, highly_critical, critical, moderately_critical, less_critical, not_critical)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        ms(now),
        promise.highly_critical,
        promise.critical,
        promise.moderately_critical,
        promise.less_critical,
        promise.not_critical
    ])?;
    Ok(db.last_insert_rowid())
}
