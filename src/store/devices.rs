//! The browsers with which people sign in, known again by a cookie.

use rusqlite::{OptionalExtension, Row, params};

use super::listing::{Ask, Column, Source, Wall, page_at_once};
use super::{Connection, Result, row};
use crate::domain::listing::Page;
use crate::domain::session::{DEVICES, OwnDevice};

/// A browser that isn't revoked. Times in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The id.
    pub id: i64,
    /// Whose it is.
    pub user_id: i64,
    /// Until when no second factor is asked for.
    pub trusted_until: Option<i64>,
}

/// A sign-in with a browser. Times in milliseconds.
#[derive(Debug, Clone)]
pub struct Use {
    /// The person who signs in.
    pub user_id: i64,
    /// What the browser calls itself.
    pub name: String,
    /// From where.
    pub address: String,
    /// Now.
    pub at: i64,
}

fn device(row: &Row<'_>) -> rusqlite::Result<Device> {
    Ok(Device {
        id: row.get(0)?,
        user_id: row.get(1)?,
        trusted_until: row.get(2)?,
    })
}

/// The person's browser whose cookie has that hash; another person's is not there.
///
/// # Errors
/// What SQLite says.
pub fn find_of(db: &Connection, user_id: i64, hash: &[u8; 32]) -> Result<Option<Device>> {
    Ok(db
        .prepare_cached(
            "SELECT id, user_id, trusted_until FROM devices
              WHERE secret_hash = ?2 AND user_id = ?1 AND revoked_at IS NULL",
        )?
        .query_row(params![user_id, hash], device)
        .optional()?)
}

/// Adds a browser and returns its id.
///
/// # Errors
/// What SQLite says.
pub fn insert(db: &Connection, hash: &[u8; 32], first: &Use) -> Result<i64> {
    db.prepare_cached(
        "INSERT INTO devices (user_id, secret_hash, name, address, created_at, last_used_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
    )?
    .execute(params![
        first.user_id,
        hash,
        first.name,
        first.address,
        first.at
    ])?;
    Ok(db.last_insert_rowid())
}

/// Notes a further sign-in with it.
///
/// # Errors
/// What SQLite says.
pub fn note_use(db: &Connection, id: i64, again: &Use) -> Result<()> {
    db.prepare_cached(
        "UPDATE devices SET name = ?2, address = ?3, last_used_at = max(last_used_at, ?4) WHERE id = ?1",
    )?
    .execute(params![id, again.name, again.address, again.at])?;
    Ok(())
}

/// Until when no second factor is asked for on it; `None`: it is asked for again.
///
/// # Errors
/// What SQLite says.
pub fn trust(db: &Connection, id: i64, until: Option<i64>) -> Result<()> {
    db.prepare_cached("UPDATE devices SET trusted_until = ?2 WHERE id = ?1")?
        .execute(params![id, until])?;
    Ok(())
}

/// On none of a person's browsers the second factor is passed over any more.
///
/// # Errors
/// What SQLite says.
pub fn distrust_all_of(db: &Connection, user_id: i64) -> Result<()> {
    db.prepare_cached(
        "UPDATE devices SET trusted_until = NULL WHERE user_id = ?1 AND trusted_until IS NOT NULL",
    )?
    .execute([user_id])?;
    Ok(())
}

/// On none of a person's browsers but one, where it is given, the second factor is passed over any
/// more.
///
/// # Errors
/// What SQLite says.
pub fn distrust_others_of(db: &Connection, user_id: i64, but: Option<i64>) -> Result<()> {
    db.prepare_cached(
        "UPDATE devices SET trusted_until = NULL
          WHERE user_id = ?1 AND id IS NOT ?2 AND trusted_until IS NOT NULL",
    )?
    .execute(params![user_id, but])?;
    Ok(())
}

/// Revokes a person's browser and ends its sessions. `false`: it isn't his, or was revoked before.
///
/// # Errors
/// What SQLite says.
pub fn revoke(db: &Connection, user_id: i64, id: i64, now: i64) -> Result<bool> {
    let revoked = db
        .prepare_cached(
            "UPDATE devices SET revoked_at = ?3, trusted_until = NULL
              WHERE id = ?2 AND user_id = ?1 AND revoked_at IS NULL",
        )?
        .execute(params![user_id, id, now])?;
    db.prepare_cached(
        "UPDATE sessions SET ended_at = ?3
          WHERE device_id = ?2 AND user_id = ?1 AND ended_at IS NULL",
    )?
    .execute(params![user_id, id, now])?;
    Ok(revoked > 0)
}

/// Forgets a person's browsers with which he has not signed in since `before`: their cookies are gone.
///
/// # Errors
/// What SQLite says.
pub fn forget_older(db: &Connection, user_id: i64, before: i64) -> Result<()> {
    db.prepare_cached(
        "UPDATE sessions SET device_id = NULL
          WHERE device_id IN (SELECT id FROM devices WHERE user_id = ?1 AND last_used_at < ?2)",
    )?
    .execute(params![user_id, before])?;
    db.prepare_cached("DELETE FROM devices WHERE user_id = ?1 AND last_used_at < ?2")?
        .execute(params![user_id, before])?;
    Ok(())
}

/// What a person's browser that isn't revoked calls itself.
///
/// # Errors
/// What SQLite says.
pub fn name_of(db: &Connection, user_id: i64, id: i64) -> Result<Option<String>> {
    Ok(db
        .prepare_cached(
            "SELECT name FROM devices WHERE id = ?2 AND user_id = ?1 AND revoked_at IS NULL",
        )?
        .query_row(params![user_id, id], |row| row.get(0))
        .optional()?)
}

/// Revokes all of a person's browsers; their sessions are ended by whoever asks for this.
///
/// # Errors
/// What SQLite says.
pub fn revoke_all_of(db: &Connection, user_id: i64, now: i64) -> Result<()> {
    db.prepare_cached(
        "UPDATE devices SET revoked_at = ?2, trusted_until = NULL
          WHERE user_id = ?1 AND revoked_at IS NULL",
    )?
    .execute(params![user_id, now])?;
    Ok(())
}

/// The list of a person's browsers: always asked within a person; the organizations' wall has no part
/// in it.
pub static SOURCE: Source = Source {
    list: &DEVICES,
    from: "devices AS d",
    drivers: &[],
    live: "d.revoked_at IS NULL",
    id: "d.id",
    columns: Some("d.id, d.name, d.address, d.created_at, d.last_used_at, d.trusted_until"),
    wall: Wall::Used {
        organization: "1",
        site: "1",
    },
    fields: &[
        ("id", Column::Plain("d.id")),
        ("name", Column::Name("d.name")),
        ("address", Column::Plain("d.address")),
        ("created_at", Column::Plain("d.created_at")),
        ("last_used_at", Column::Plain("d.last_used_at")),
        ("trusted_until", Column::Plain("d.trusted_until")),
    ],
    sorts: &[
        ("id", &[]),
        ("created_at", &["d.created_at"]),
        ("last_used_at", &["d.last_used_at"]),
    ],
    ties: &[],
    search: &[],
    search_index: None,
    counted: &[],
};

/// One page of a person's browsers.
///
/// # Errors
/// What SQLite says.
pub fn list(db: &Connection, ask: &Ask<'_>) -> Result<Page<OwnDevice>> {
    page_at_once(db, &SOURCE, ask, |found| {
        Ok(OwnDevice {
            id: found.get("id")?,
            name: found.get("name")?,
            address: found.get("address")?,
            created_at: row::time(found, "created_at")?,
            last_used_at: row::time(found, "last_used_at")?,
            trusted_until: row::maybe_time(found, "trusted_until")?,
        })
    })
}

/// The browser in which a session was opened.
///
/// # Errors
/// What SQLite says.
pub fn of_session(db: &Connection, session_id: i64) -> Result<Option<i64>> {
    let found = db
        .prepare_cached("SELECT device_id FROM sessions WHERE id = ?1")?
        .query_row([session_id], |row| row.get(0))
        .optional()?;
    Ok(found.flatten())
}
