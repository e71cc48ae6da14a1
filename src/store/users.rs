//! People: who they are and the hash of their password.

use rusqlite::{OptionalExtension, Row, params};

use super::{Connection, Result};

/// A person. Times in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The id.
    pub id: i64,
    /// The address with which he signs in.
    pub email: String,
    /// The name that others see.
    pub name: String,
    /// The password as a PHC string; `None` of somebody who is only invited.
    pub password_hash: Option<String>,
    /// May do all in all.
    pub platform_admin: bool,
    /// The IANA name of the time zone in which he reads times.
    pub time_zone: String,
    /// When the row was made.
    pub created_at: i64,
}

/// A person to be.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The address with which he signs in.
    pub email: String,
    /// The name that others see.
    pub name: String,
    /// The password as a PHC string.
    pub password_hash: String,
    /// May do all in all.
    pub platform_admin: bool,
}

const COLUMNS: &str = "id, email, name, password_hash, platform_admin, time_zone, created_at";

fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: row.get(0)?,
        email: row.get(1)?,
        name: row.get(2)?,
        password_hash: row.get(3)?,
        platform_admin: row.get(4)?,
        time_zone: row.get(5)?,
        created_at: row.get(6)?,
    })
}

/// Adds a person and returns the id. A taken address is a constraint violation.
///
/// # Errors
/// What SQLite says.
pub fn insert(db: &Connection, new: &NewUser, now: i64, by: &str) -> Result<i64> {
    db.prepare_cached(
        "INSERT INTO users (email, name, password_hash, platform_admin, created_at, updated_at, created_by, updated_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?6)",
    )?
    .execute(params![new.email, new.name, new.password_hash, new.platform_admin, now, by])?;
    Ok(db.last_insert_rowid())
}

/// The person with that id.
///
/// # Errors
/// What SQLite says.
pub fn find(db: &Connection, id: i64) -> Result<Option<User>> {
    Ok(db
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM users WHERE id = ?1 AND deleted_at IS NULL"
        ))?
        .query_row([id], user)
        .optional()?)
}

/// The person with that address who has a password, whatever its letters' case.
///
/// # Errors
/// What SQLite says.
pub fn find_by_email(db: &Connection, email: &str) -> Result<Option<User>> {
    Ok(db
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM users WHERE email = ?1 COLLATE NOCASE AND deleted_at IS NULL AND password_hash IS NOT NULL"
        ))?
        .query_row([email], user)
        .optional()?)
}

/// The name of a person, of one who is deleted too.
///
/// # Errors
/// What SQLite says.
pub fn name(db: &Connection, id: i64) -> Result<Option<String>> {
    Ok(db
        .prepare_cached("SELECT name FROM users WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?)
}

/// Whether there is anybody: before that, the set-up link is open.
///
/// # Errors
/// What SQLite says.
pub fn any(db: &Connection) -> Result<bool> {
    Ok(db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM users INDEXED BY users_email WHERE deleted_at IS NULL AND password_hash IS NOT NULL)")?
        .query_row([], |row| row.get(0))?)
}

/// Replaces the hash of a password that stays the same, if it still is that one.
///
/// # Errors
/// What SQLite says.
pub fn rehash(db: &Connection, id: i64, from: &str, to: &str) -> Result<bool> {
    let replaced = db
        .prepare_cached("UPDATE users SET password_hash = ?3 WHERE id = ?1 AND password_hash = ?2")?
        .execute(params![id, from, to])?;
    Ok(replaced > 0)
}

/// Replaces the password.
///
/// # Errors
/// What SQLite says.
pub fn set_password(db: &Connection, id: i64, hash: &str, now: i64, by: &str) -> Result<()> {
    db.prepare_cached(
        "UPDATE users SET password_hash = ?2, updated_at = ?3, updated_by = ?4 WHERE id = ?1",
    )?
    .execute(params![id, hash, now, by])?;
    Ok(())
}

/// Replaces what a person says about himself.
///
/// # Errors
/// What SQLite says.
pub fn update_profile(db: &Connection, to: &User, now: i64, by: &str) -> Result<()> {
    db.prepare_cached(
        "UPDATE users SET name = ?2, email = ?3, time_zone = ?4, updated_at = ?5, updated_by = ?6 WHERE id = ?1",
    )?
    .execute(params![to.id, to.name, to.email, to.time_zone, now, by])?;
    Ok(())
}

/// Takes a person away; he stays on record.
///
/// # Errors
/// What SQLite says.
pub fn delete(db: &Connection, id: i64, now: i64, by: &str) -> Result<()> {
    db.prepare_cached(
        "UPDATE users SET deleted_at = ?2, updated_at = ?2, updated_by = ?3 WHERE id = ?1 AND deleted_at IS NULL",
    )?
    .execute(params![id, now, by])?;
    Ok(())
}

/// Whether anybody else who can sign in may do all in all.
///
/// # Errors
/// What SQLite says.
pub fn another_administrator(db: &Connection, id: i64) -> Result<bool> {
    Ok(db
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM users WHERE platform_admin = 1 AND id <> ?1
                AND deleted_at IS NULL AND password_hash IS NOT NULL)",
        )?
        .query_row([id], |row| row.get(0))?)
}
