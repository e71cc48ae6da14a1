//! What waits to be sent to somebody.

use rusqlite::params;

use super::{Connection, Result};

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
