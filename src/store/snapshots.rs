//! The counts of a day that no ledger can tell afterwards: how many sites there were, and how they stood.

use rusqlite::{Connection, OptionalExtension, params};

use super::Result;

/// The setting that says which day was looked at last.
const DAY: &str = "snapshots.day";

/// How the sites of one organization in one environment stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    organization_id: i64,
    environment: String,
    sites: i64,
    exposed: i64,
    not_current: i64,
    silent: i64,
}

/// The last day, counted from 1970, that was looked at.
///
/// # Errors
/// What SQLite says.
pub fn last_day(db: &Connection) -> Result<Option<i64>> {
    let mut prepared = db.prepare_cached("SELECT value FROM settings WHERE name = ?1")?;
    let kept: Option<String> = prepared.query_row([DAY], |row| row.get(0)).optional()?;
    Ok(kept.and_then(|day| day.parse().ok()))
}

/// How all sites stand now.
///
/// # Errors
/// What SQLite says.
pub fn counts(db: &Connection) -> Result<Vec<Count>> {
    let mut statement = db.prepare_cached(
        "SELECT organization_id, environment, count(*), sum(status = 0), sum(not_current + security > 0), sum(silent_since IS NOT NULL)
         FROM sites WHERE deleted_at IS NULL GROUP BY organization_id, environment",
    )?;
    let found = statement.query_map([], |row| {
        Ok(Count {
            organization_id: row.get(0)?,
            environment: row.get(1)?,
            sites: row.get(2)?,
            exposed: row.get(3)?,
            not_current: row.get(4)?,
            silent: row.get(5)?,
        })
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Keeps them as that day's, and that it was looked at. Time in milliseconds.
///
/// # Errors
/// What SQLite says.
pub fn keep(db: &Connection, day: i64, counts: &[Count], now: i64) -> Result<()> {
    let mut statement = db.prepare_cached(
        "INSERT INTO daily_snapshots (organization_id, environment, day, sites, exposed, not_current, silent, taken_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
    )?;
    for count in counts {
        statement.execute(params![
            count.organization_id,
            count.environment,
            day,
            count.sites,
            count.exposed,
            count.not_current,
            count.silent,
            now
        ])?;
    }
    db.prepare_cached(
        "INSERT INTO settings (name, value, updated_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
    )?
    .execute(params![DAY, day.to_string(), now])?;
    Ok(())
}
