//! Sign-ins: of browsers (`page`) and of programs that act for a person (`api`). One row each.

use rusqlite::{OptionalExtension, Row, params};

use super::listing::{Ask, Column, Source, Wall, page_at_once};
use super::{Connection, Result, row};
use crate::domain::listing::Page;
use crate::domain::session::{OwnSession, SESSIONS};

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A browser with a cookie.
    Page,
    /// A program with an access token and a refresh token.
    Api,
}

impl Kind {
    /// The word in the column.
    pub fn word(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Api => "api",
        }
    }
}

/// A session that has not ended, with the person it belongs to. Times in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The id.
    pub id: i64,
    /// The person.
    pub user_id: i64,
    /// His name.
    pub user_name: String,
    /// His address.
    pub user_email: String,
    /// A browser's, not a program's.
    pub page: bool,
    /// SHA-256 of the cookie, or of the secret in the refresh token now valid.
    pub secret_hash: [u8; 32],
    /// SHA-256 of the secret in the refresh token before it.
    pub previous_hash: Option<[u8; 32]>,
    /// When the refresh token was last exchanged.
    pub rotated_at: Option<i64>,
    /// When the person signed in.
    pub created_at: i64,
    /// The last call, as far as it has been written.
    pub last_used_at: i64,
    /// The end, whatever happens.
    pub expires_at: i64,
    /// The IANA name of the person's time zone.
    pub time_zone: String,
}

/// A session to be. Times in milliseconds.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The person.
    pub user_id: i64,
    /// What it is for.
    pub kind: Kind,
    /// SHA-256 of the cookie, or of the secret in the refresh token.
    pub secret_hash: [u8; 32],
    /// What the browser or program calls itself.
    pub device: String,
    /// Where it signed in from.
    pub address: String,
    /// Now.
    pub created_at: i64,
    /// The end, whatever happens.
    pub expires_at: i64,
    /// The browser, where it is a page's.
    pub device_id: Option<i64>,
}

const ALIVE: &str =
    "SELECT s.id, s.user_id, u.name, u.email, s.kind = 'page', s.secret_hash, s.previous_hash,
        s.rotated_at, s.created_at, s.last_used_at, s.expires_at, u.time_zone
   FROM sessions s JOIN users u ON u.id = s.user_id
  WHERE s.ended_at IS NULL AND u.deleted_at IS NULL";

fn session(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        id: row.get(0)?,
        user_id: row.get(1)?,
        user_name: row.get(2)?,
        user_email: row.get(3)?,
        page: row.get(4)?,
        secret_hash: row.get(5)?,
        previous_hash: row.get(6)?,
        rotated_at: row.get(7)?,
        created_at: row.get(8)?,
        last_used_at: row.get(9)?,
        expires_at: row.get(10)?,
        time_zone: row.get(11)?,
    })
}

/// Adds a session and returns its id. Those of the same person that are past their end are told to
/// have ended, so that what is open stays little.
///
/// # Errors
/// What SQLite says.
pub fn insert(db: &Connection, new: &NewSession) -> Result<i64> {
    db.prepare_cached(
        "UPDATE sessions SET ended_at = expires_at
          WHERE user_id = ?1 AND ended_at IS NULL AND expires_at <= ?2",
    )?
    .execute(params![new.user_id, new.created_at])?;
    db.prepare_cached(
        "INSERT INTO sessions (user_id, kind, secret_hash, device, address, created_at, last_used_at, expires_at, device_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8)",
    )?
    .execute(params![
        new.user_id,
        new.kind.word(),
        new.secret_hash,
        new.device,
        new.address,
        new.created_at,
        new.expires_at,
        new.device_id
    ])?;
    Ok(db.last_insert_rowid())
}

/// The session with that id, if neither it nor its person has ended. Expiry is the caller's question.
///
/// # Errors
/// What SQLite says.
pub fn find(db: &Connection, id: i64) -> Result<Option<Session>> {
    Ok(db
        .prepare_cached(&format!("{ALIVE} AND s.id = ?1"))?
        .query_row([id], session)
        .optional()?)
}

/// The browser's session whose cookie has that hash.
///
/// # Errors
/// What SQLite says.
pub fn find_page(db: &Connection, hash: &[u8; 32]) -> Result<Option<Session>> {
    Ok(db
        .prepare_cached(&format!(
            "{ALIVE} AND s.kind = 'page' AND s.secret_hash = ?1"
        ))?
        .query_row([hash], session)
        .optional()?)
}

/// Exchanges the refresh token.
///
/// # Errors
/// What SQLite says.
pub fn rotate(db: &Connection, id: i64, to: &[u8; 32], now: i64, expires_at: i64) -> Result<()> {
    db.prepare_cached(
        "UPDATE sessions SET previous_hash = secret_hash, secret_hash = ?2, rotated_at = ?3,
                last_used_at = ?3, expires_at = ?4
          WHERE id = ?1",
    )?
    .execute(params![id, to, now, expires_at])?;
    Ok(())
}

/// Gives a browser's session another cookie.
///
/// # Errors
/// What SQLite says.
pub fn exchange_cookie(db: &Connection, id: i64, to: &[u8; 32]) -> Result<()> {
    db.prepare_cached("UPDATE sessions SET secret_hash = ?2 WHERE id = ?1 AND kind = 'page'")?
        .execute(params![id, to])?;
    Ok(())
}

/// Ends one session. `false`: it had ended before.
///
/// # Errors
/// What SQLite says.
pub fn end(db: &Connection, id: i64, now: i64) -> Result<bool> {
    let ended = db
        .prepare_cached("UPDATE sessions SET ended_at = ?2 WHERE id = ?1 AND ended_at IS NULL")?
        .execute(params![id, now])?;
    Ok(ended > 0)
}

/// Ends all sessions of a person and says how many.
///
/// # Errors
/// What SQLite says.
pub fn end_all_of(db: &Connection, user_id: i64, now: i64) -> Result<usize> {
    Ok(db
        .prepare_cached(
            "UPDATE sessions SET ended_at = ?2 WHERE user_id = ?1 AND ended_at IS NULL",
        )?
        .execute(params![user_id, now])?)
}

/// Notes the last use; never moves it back.
///
/// # Errors
/// What SQLite says.
pub fn note_use(db: &Connection, id: i64, at: i64) -> Result<()> {
    db.prepare_cached("UPDATE sessions SET last_used_at = max(last_used_at, ?2) WHERE id = ?1")?
        .execute(params![id, at])?;
    Ok(())
}

/// Ends all sessions of a person but one, and says how many.
///
/// # Errors
/// What SQLite says.
pub fn end_others_of(db: &Connection, user_id: i64, but: i64, now: i64) -> Result<usize> {
    Ok(db
        .prepare_cached(
            "UPDATE sessions SET ended_at = ?3 WHERE user_id = ?1 AND id <> ?2 AND ended_at IS NULL",
        )?
        .execute(params![user_id, but, now])?)
}

/// The list of a person's sessions that have not ended: it is always asked within a person, and the
/// organizations' wall has no part in it. A page's ends when it was not used for 24 hours.
pub static SOURCE: Source = Source {
    list: &SESSIONS,
    from: "sessions AS s",
    drivers: &[],
    live: "s.ended_at IS NULL AND s.expires_at > {now} AND (s.kind <> 'page' OR s.last_used_at > {now} - 86400000)",
    id: "s.id",
    columns: Some("s.id, s.kind, s.device, s.address, s.created_at, s.last_used_at, s.expires_at"),
    wall: Wall::Used {
        organization: "1",
        site: "1",
    },
    fields: &[
        ("id", Column::Plain("s.id")),
        ("kind", Column::Plain("s.kind")),
        ("device", Column::Name("s.device")),
        ("address", Column::Plain("s.address")),
        ("created_at", Column::Plain("s.created_at")),
        ("last_used_at", Column::Plain("s.last_used_at")),
        ("expires_at", Column::Plain("s.expires_at")),
    ],
    sorts: &[
        ("id", &[]),
        ("created_at", &["s.created_at"]),
        ("last_used_at", &["s.last_used_at"]),
    ],
    ties: &[],
    search: &[],
    search_index: None,
    counted: &[],
};

/// One page of a person's sessions; which of them asks is the caller's to say.
///
/// # Errors
/// What SQLite says.
pub fn list(db: &Connection, ask: &Ask<'_>) -> Result<Page<OwnSession>> {
    page_at_once(db, &SOURCE, ask, |found| {
        Ok(OwnSession {
            id: found.get("id")?,
            kind: found.get("kind")?,
            device: found.get("device")?,
            address: found.get("address")?,
            created_at: row::time(found, "created_at")?,
            last_used_at: row::time(found, "last_used_at")?,
            expires_at: row::time(found, "expires_at")?,
            current: false,
        })
    })
}
