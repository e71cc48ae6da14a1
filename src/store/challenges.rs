//! Challenges between the two steps of a sign-in: one-time tokens that belong to a person and to the
//! password that he has just given. Times are milliseconds since 1970.

use rusqlite::{OptionalExtension, params};

use super::{Connection, Result};

const PURPOSE: &str = "second_factor";

/// A challenge that waits for its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The id.
    pub id: i64,
    /// The person who gave his password.
    pub user_id: i64,
    /// SHA-256 of the hash of that password.
    pub bound_to: Vec<u8>,
    /// Wrong codes so far.
    pub wrong: i64,
}

/// A challenge to be.
#[derive(Debug, Clone)]
pub struct NewChallenge {
    /// SHA-256 of its text.
    pub secret_hash: [u8; 32],
    /// The person who gave his password.
    pub user_id: i64,
    /// SHA-256 of the hash of that password.
    pub bound_to: [u8; 32],
    /// Now.
    pub created_at: i64,
    /// The end.
    pub expires_at: i64,
}

/// Adds one, and forgets those of the person that are over.
///
/// # Errors
/// What SQLite says.
pub fn insert(db: &Connection, new: &NewChallenge) -> Result<()> {
    db.prepare_cached(
        "DELETE FROM one_time_tokens
          WHERE user_id = ?1 AND purpose = ?2 AND (used_at IS NOT NULL OR expires_at <= ?3)",
    )?
    .execute(params![new.user_id, PURPOSE, new.created_at])?;
    db.prepare_cached(
        "INSERT INTO one_time_tokens (purpose, secret_hash, user_id, bound_to, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        PURPOSE,
        new.secret_hash,
        new.user_id,
        new.bound_to,
        new.created_at,
        new.expires_at
    ])?;
    Ok(())
}

/// The open one whose text has that hash.
///
/// # Errors
/// What SQLite says.
pub fn find(db: &Connection, hash: &[u8; 32], now: i64) -> Result<Option<Challenge>> {
    Ok(db
        .prepare_cached(
            "SELECT id, user_id, bound_to, wrong FROM one_time_tokens
              WHERE secret_hash = ?1 AND purpose = ?2 AND used_at IS NULL AND expires_at > ?3",
        )?
        .query_row(params![hash, PURPOSE, now], |row| {
            Ok(Challenge {
                id: row.get(0)?,
                user_id: row.get(1)?,
                bound_to: row.get(2)?,
                wrong: row.get(3)?,
            })
        })
        .optional()?)
}

/// Counts a wrong code.
///
/// # Errors
/// What SQLite says.
pub fn count_wrong(db: &Connection, id: i64) -> Result<()> {
    db.prepare_cached("UPDATE one_time_tokens SET wrong = wrong + 1 WHERE id = ?1")?
        .execute([id])?;
    Ok(())
}
