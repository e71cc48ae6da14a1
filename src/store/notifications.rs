//! What waits to be sent to somebody.

use rusqlite::{OptionalExtension, params};

use super::listing::{Ask, Column, Source, Wall, page};
use super::wall::within;
use super::{Connection, Result, row};
use crate::domain::access::Sight;
use crate::domain::listing::Page;
use crate::domain::notification::{LIST, Notification};

/// The list of messages.
pub static SOURCE: Source = Source {
    list: &LIST,
    from: "notifications AS n",
    drivers: &[],
    live: "1",
    id: "n.id",
    columns: None,
    wall: Wall::Owned {
        organization: "n.organization_id",
        site: None,
    },
    fields: &[
        ("id", Column::Plain("n.id")),
        ("kind", Column::Plain("n.kind")),
        ("state", Column::Plain("n.state")),
        ("recipient", Column::Name("n.recipient")),
        ("organization_id", Column::Plain("n.organization_id")),
        ("user_id", Column::Plain("n.user_id")),
        ("created_at", Column::Plain("n.created_at")),
        ("expires_at", Column::Plain("n.expires_at")),
    ],
    sorts: &[("created_at", &["n.created_at"]), ("id", &[])],
    ties: &[],
    search: &[],
    search_index: None,
    counted: &[],
};

/// One page of messages.
///
/// # Errors
/// What SQLite says.
pub fn list(db: &Connection, ask: &Ask<'_>) -> Result<Page<Notification>> {
    page(db, &SOURCE, ask, |db, id| find(db, ask.sight, id))
}

/// One in sight.
///
/// # Errors
/// What SQLite says.
pub fn find(db: &Connection, sight: &Sight, id: i64) -> Result<Option<Notification>> {
    Ok(db
        .prepare_cached(
            "SELECT id, organization_id, user_id, recipient, kind, state, created_at, expires_at FROM notifications
             WHERE id = ?1 AND (?2 IS NULL OR organization_id IN (SELECT value FROM json_each(?2)))",
        )?
        .query_row(params![id, within(sight)], |found| {
            Ok(Notification {
                id: found.get("id")?,
                organization_id: found.get("organization_id")?,
                user_id: found.get("user_id")?,
                recipient: found.get("recipient")?,
                kind: found.get("kind")?,
                state: found.get("state")?,
                created_at: row::time(found, "created_at")?,
                expires_at: row::time(found, "expires_at")?,
            })
        })
        .optional()?)
}

/// The encrypted link of one.
///
/// # Errors
/// What SQLite says.
pub fn sealed(db: &Connection, id: i64) -> Result<Option<Vec<u8>>> {
    Ok(db
        .prepare_cached("SELECT link_sealed FROM notifications WHERE id = ?1")?
        .query_row([id], |found| found.get(0))
        .optional()?)
}

/// A message to be, without its link. Times in milliseconds.
#[derive(Debug, Clone)]
pub struct NewNotification {
    /// The organization that it is about.
    pub organization_id: Option<i64>,
    /// The person it is for, where there is one already.
    pub user_id: Option<i64>,
    /// His e-mail address.
    pub recipient: String,
    /// `invitation` or `password_reset`.
    pub kind: &'static str,
    /// Now.
    pub created_at: i64,
    /// When its link ends.
    pub expires_at: i64,
}

/// Adds a message and returns its id; its link comes with [`seal`].
///
/// # Errors
/// What SQLite says.
pub fn insert(db: &Connection, new: &NewNotification) -> Result<i64> {
    db.prepare_cached(
        "INSERT INTO notifications (organization_id, user_id, recipient, kind, state, link_sealed, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, 'queued', x'', ?5, ?6)",
    )?
    .execute(params![
        new.organization_id,
        new.user_id,
        new.recipient,
        new.kind,
        new.created_at,
        new.expires_at
    ])?;
    Ok(db.last_insert_rowid())
}

/// Gives a message its encrypted link.
///
/// # Errors
/// What SQLite says.
pub fn seal(db: &Connection, id: i64, sealed: &[u8]) -> Result<()> {
    db.prepare_cached("UPDATE notifications SET link_sealed = ?2 WHERE id = ?1")?
        .execute(params![id, sealed])?;
    Ok(())
}

/// Removes a person's messages of a kind: their links are no longer good.
///
/// # Errors
/// What SQLite says.
pub fn drop_of(db: &Connection, user_id: i64, kind: &str) -> Result<()> {
    db.prepare_cached("DELETE FROM notifications WHERE user_id = ?1 AND kind = ?2")?
        .execute(params![user_id, kind])?;
    Ok(())
}

/// Removes one message.
///
/// # Errors
/// What SQLite says.
pub fn remove(db: &Connection, id: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM notifications WHERE id = ?1")?
        .execute([id])?;
    Ok(())
}
