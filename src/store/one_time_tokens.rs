//! One-time links: kept as a hash, each good for one purpose, once, until it expires.

use rusqlite::{OptionalExtension, params};

use super::{Connection, Result};

/// The link with which the first person makes himself the platform administrator.
pub const SET_UP: &str = "setup";
/// The link with which somebody replaces a lost password.
pub const PASSWORD_RESET: &str = "password_reset";

/// A token to be. Times in milliseconds.
#[derive(Debug, Clone)]
pub struct NewToken<'a> {
    /// What it is for.
    pub purpose: &'a str,
    /// SHA-256 of its text.
    pub hash: &'a [u8; 32],
    /// Whose it is.
    pub user_id: Option<i64>,
    /// The label of whoever answers for what it gives; `None`: it gives only what its owner has.
    pub made_by: Option<&'a str>,
    /// Now.
    pub created_at: i64,
    /// Until then it is good.
    pub expires_at: i64,
}

/// Adds a token.
///
/// # Errors
/// What SQLite says.
pub fn insert(db: &Connection, new: &NewToken<'_>) -> Result<i64> {
    db.prepare_cached(
        "INSERT INTO one_time_tokens (purpose, secret_hash, user_id, made_by, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        new.purpose,
        new.hash,
        new.user_id,
        new.made_by,
        new.created_at,
        new.expires_at
    ])?;
    Ok(db.last_insert_rowid())
}

/// The label of whoever made the token of that purpose that waits for a person and is good at `now`.
///
/// # Errors
/// What SQLite says.
pub fn maker(db: &Connection, purpose: &str, user_id: i64, now: i64) -> Result<Option<String>> {
    let found: Option<Option<String>> = db
        .prepare_cached(
            "SELECT made_by FROM one_time_tokens
              WHERE user_id = ?2 AND purpose = ?1 AND used_at IS NULL AND expires_at > ?3 ORDER BY created_at DESC LIMIT 1",
        )?
        .query_row(params![purpose, user_id, now], |row| row.get(0))
        .optional()?;
    Ok(found.flatten())
}

/// The id of the token with that hash, if it is of that purpose, unused and not expired at `now`.
///
/// # Errors
/// What SQLite says.
pub fn find(db: &Connection, purpose: &str, hash: &[u8; 32], now: i64) -> Result<Option<i64>> {
    Ok(db
        .prepare_cached(
            "SELECT id FROM one_time_tokens
              WHERE secret_hash = ?1 AND purpose = ?2 AND used_at IS NULL AND expires_at > ?3",
        )?
        .query_row(params![hash, purpose, now], |row| row.get(0))
        .optional()?)
}

/// Marks a token as used.
///
/// # Errors
/// What SQLite says.
pub fn mark_used(db: &Connection, id: i64, now: i64) -> Result<()> {
    db.prepare_cached("UPDATE one_time_tokens SET used_at = ?2 WHERE id = ?1")?
        .execute(params![id, now])?;
    Ok(())
}

/// Removes the tokens of a purpose that were never used: a new one takes their place.
///
/// # Errors
/// What SQLite says.
pub fn drop_unused(db: &Connection, purpose: &str) -> Result<()> {
    db.prepare_cached("DELETE FROM one_time_tokens WHERE purpose = ?1 AND used_at IS NULL")?
        .execute([purpose])?;
    Ok(())
}

/// The person whose unused token of that purpose it is, at `now`.
///
/// # Errors
/// What SQLite says.
pub fn holder(db: &Connection, purpose: &str, hash: &[u8; 32], now: i64) -> Result<Option<i64>> {
    let found: Option<Option<i64>> = db
        .prepare_cached(
            "SELECT user_id FROM one_time_tokens
              WHERE secret_hash = ?1 AND purpose = ?2 AND used_at IS NULL AND expires_at > ?3",
        )?
        .query_row(params![hash, purpose, now], |row| row.get(0))
        .optional()?;
    Ok(found.flatten())
}

/// How many tokens of a purpose were made for a person since `since`; those before are forgotten.
///
/// # Errors
/// What SQLite says.
pub fn made_since(db: &Connection, purpose: &str, user_id: Option<i64>, since: i64) -> Result<i64> {
    db.prepare_cached(
        "DELETE FROM one_time_tokens WHERE user_id = ?2 AND purpose = ?1 AND created_at <= ?3",
    )?
    .execute(params![purpose, user_id, since])?;
    Ok(db
        .prepare_cached("SELECT count(*) FROM one_time_tokens WHERE user_id = ?2 AND purpose = ?1")?
        .query_row(params![purpose, user_id], |row| row.get(0))?)
}

/// A person's tokens of a purpose are no longer good.
///
/// # Errors
/// What SQLite says.
pub fn use_up_of(db: &Connection, purpose: &str, user_id: i64, now: i64) -> Result<()> {
    db.prepare_cached(
        "UPDATE one_time_tokens SET used_at = ?3
          WHERE user_id = ?2 AND purpose = ?1 AND used_at IS NULL",
    )?
    .execute(params![purpose, user_id, now])?;
    Ok(())
}

/// Removes all tokens of a person that were not used, whatever their purpose.
///
/// # Errors
/// What SQLite says.
pub fn drop_unused_of(db: &Connection, user_id: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM one_time_tokens WHERE user_id = ?1 AND used_at IS NULL")?
        .execute([user_id])?;
    Ok(())
}

/// Removes one token.
///
/// # Errors
/// What SQLite says.
pub fn remove(db: &Connection, hash: &[u8; 32]) -> Result<()> {
    db.prepare_cached("DELETE FROM one_time_tokens WHERE secret_hash = ?1")?
        .execute([hash])?;
    Ok(())
}
