//! The record of what people and keys did: append-only, each row sealed together with the one
//! before it, so that a row that was changed, removed or moved shows.

use std::fmt::{self, Write as _};

use ring::digest::{Context, SHA256};
use rusqlite::{OptionalExtension, Row, params};
use serde_json::{Value, json};

use super::listing::{Ask, Column, Source, Wall, page};
use super::{Connection, Result, row};
use crate::domain::audit::{LIST, Recorded};
use crate::domain::listing::Page;

/// The list of the record's rows.
pub static SOURCE: Source = Source {
    list: &LIST,
    from: "audit_logs AS a",
    drivers: &[],
    live: "1",
    id: "a.id",
    columns: None,
    wall: Wall::Owned {
        organization: "a.organization_id",
        site: Some("a.site_id"),
    },
    fields: &[
        ("id", Column::Plain("a.id")),
        ("created_at", Column::Plain("a.created_at")),
        ("actor", Column::Name("a.actor_name")),
        ("actor_kind", Column::Plain("a.actor_kind")),
        (
            "actor_id",
            Column::ByIndex(&Column::Plain("a.actor_id"), &Column::Plain("+a.actor_id")),
        ),
        (
            "action",
            Column::ByIndex(&Column::Plain("a.action"), &Column::Plain("+a.action")),
        ),
        ("subject_kind", Column::Plain("a.subject_kind")),
        (
            "subject_id",
            Column::ByIndex(
                &Column::Plain("a.subject_id"),
                &Column::Plain("+a.subject_id"),
            ),
        ),
        ("organization_id", Column::Plain("a.organization_id")),
        ("site_id", Column::Plain("a.site_id")),
        ("status", Column::Plain("a.status")),
        (
            "address",
            Column::ByIndex(&Column::Plain("a.address"), &Column::Plain("+a.address")),
        ),
        ("request_id", Column::Plain("a.request_id")),
    ],
    sorts: &[("created_at", &["a.created_at"]), ("id", &[])],
    ties: &[],
    search: &[],
    search_index: None,
    counted: &[],
};

/// One row to be. Built by the services, finished inside the write whose fact it records.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// When, in milliseconds.
    pub created_at: i64,
    /// `user`, `key`, `system`, `stranger`.
    pub actor_kind: String,
    /// The user's or key's id.
    pub actor_id: Option<i64>,
    /// The name at that time.
    pub actor_name: String,
    /// A word such as `api_key.created`.
    pub action: String,
    /// What it was done to, such as `api_key`.
    pub subject_kind: String,
    /// That thing's id.
    pub subject_id: Option<i64>,
    /// The organization whose record this is.
    pub organization_id: Option<i64>,
    /// The site that it touches.
    pub site_id: Option<i64>,
    /// `done`, `refused` or `failed`.
    pub status: String,
    /// `{"before": .., "after": ..}`; never a secret.
    pub data: Value,
    /// The caller's address.
    pub address: String,
    /// The request that asked for it.
    pub request_id: String,
}

impl Entry {
    /// The row is about this.
    #[must_use]
    pub fn subject(mut self, kind: &str, id: i64) -> Self {
        kind.clone_into(&mut self.subject_kind);
        self.subject_id = Some(id);
        self
    }

    /// The row belongs to this organization's record.
    #[must_use]
    pub fn organization(mut self, id: i64) -> Self {
        self.organization_id = Some(id);
        self
    }

    /// The row touches this site.
    #[must_use]
    pub fn site(mut self, id: i64) -> Self {
        self.site_id = Some(id);
        self
    }

    /// It was refused, not done.
    #[must_use]
    pub fn refused(mut self) -> Self {
        "refused".clone_into(&mut self.status);
        self
    }

    /// How it was. Never a secret.
    #[must_use]
    pub fn before(self, value: Value) -> Self {
        self.with("before", value)
    }

    /// How it is now. Never a secret.
    #[must_use]
    pub fn after(self, value: Value) -> Self {
        self.with("after", value)
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        if let Some(data) = self.data.as_object_mut() {
            data.insert(name.to_owned(), value);
        }
        self
    }
}

/// The name under which the newest seal is kept apart from the rows: whoever cuts the end off leaves it behind.
const NEWEST: &str = "audit.newest";

/// A row's id and hash.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Seal {
    id: i64,
    hash: Vec<u8>,
}

/// Appends the row, sealed with the one before it, and returns its id. Must run in the write that
/// does what the row says.
///
/// # Errors
/// What SQLite says.
pub fn append(db: &Connection, entry: &Entry) -> Result<i64> {
    // After a cut the chain goes on from the row that is missing, so that the gap stays.
    let previous = newest_row(db)?.max(newest_kept(db)?).unwrap_or_default();
    let id = previous.id + 1;
    let data = entry.data.to_string();
    let hash = seal(&previous.hash, id, entry, &data)?;
    db.prepare_cached(
        "INSERT INTO audit_logs (id, created_at, actor_kind, actor_id, actor_name, action, subject_kind, subject_id,
                organization_id, site_id, status, data, address, request_id, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?
    .execute(params![
        id,
        entry.created_at,
        entry.actor_kind,
        entry.actor_id,
        entry.actor_name,
        entry.action,
        entry.subject_kind,
        entry.subject_id,
        entry.organization_id,
        entry.site_id,
        entry.status,
        data,
        entry.address,
        entry.request_id,
        hash,
    ])?;
    keep_newest(db, &Seal { id, hash }, entry.created_at)?;
    Ok(id)
}

fn newest_row(db: &Connection) -> Result<Option<Seal>> {
    let mut prepared =
        db.prepare_cached("SELECT id, hash FROM audit_logs ORDER BY id DESC LIMIT 1")?;
    let found = prepared.query_row([], |row| {
        Ok(Seal {
            id: row.get(0)?,
            hash: row.get(1)?,
        })
    });
    Ok(found.optional()?)
}

/// What is kept apart; `None` also where it can't be read.
fn newest_kept(db: &Connection) -> Result<Option<Seal>> {
    let mut prepared = db.prepare_cached("SELECT value FROM settings WHERE name = ?1")?;
    let kept: Option<String> = prepared.query_row([NEWEST], |row| row.get(0)).optional()?;
    Ok(kept.and_then(|text| {
        let (id, hash) = text.split_once(' ')?;
        Some(Seal {
            id: id.parse().ok()?,
            hash: unhex(hash)?,
        })
    }))
}

fn keep_newest(db: &Connection, newest: &Seal, at: i64) -> Result<()> {
    let value = format!("{} {}", newest.id, hex(&newest.hash));
    db.prepare_cached(
        "INSERT INTO settings (name, value, updated_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
    )?
    .execute(params![NEWEST, value, at])?;
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into memory cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(digits).collect()
}

/// One page of the record.
///
/// # Errors
/// What SQLite says.
pub fn list(db: &Connection, ask: &Ask<'_>) -> Result<Page<Recorded>> {
    page(db, &SOURCE, ask, find)
}

/// The same page, row by row as it is read. `true`: there are more.
///
/// # Errors
/// As [`list`].
pub fn each(db: &Connection, ask: &Ask<'_>, mut take: impl FnMut(Recorded)) -> Result<bool> {
    let page = page(db, &SOURCE, ask, |db, id| Ok(find(db, id)?.map(&mut take)))?;
    Ok(page.more)
}

fn find(db: &Connection, id: i64) -> Result<Option<Recorded>> {
    let mut prepared = db.prepare_cached("SELECT * FROM audit_logs WHERE id = ?1")?;
    let found = prepared.query_row([id], |found| {
        let data: String = found.get("data")?;
        let mut data: Value = serde_json::from_str(&data).unwrap_or_default();
        let mut take = |name: &str| data.get_mut(name).map(Value::take);
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        Ok(Recorded {
            id,
            created_at: row::time(found, "created_at")?,
            actor_kind: found.get("actor_kind")?,
            actor_id: found.get("actor_id")?,
            actor_name: found.get("actor_name")?,
            action: found.get("action")?,
            subject_kind: found.get("subject_kind")?,
            subject_id: found.get("subject_id")?,
            organization_id: found.get("organization_id")?,
            site_id: found.get("site_id")?,
            status: found.get("status")?,
            before: take("before"),
            after: take("after"),
            address: some(found.get("address")?),
            request_id: some(found.get("request_id")?),
            hash: hex(&found.get::<_, Vec<u8>>("hash")?),
        })
    });
    Ok(found.optional()?)
}

/// SHA-256 over the hash before and the row as one JSON array.
fn seal(previous: &[u8], id: i64, entry: &Entry, data: &str) -> Result<Vec<u8>> {
    let row = serde_json::to_vec(&json!([
        id,
        entry.created_at,
        entry.actor_kind,
        entry.actor_id,
        entry.actor_name,
        entry.action,
        entry.subject_kind,
        entry.subject_id,
        entry.organization_id,
        entry.site_id,
        entry.status,
        data,
        entry.address,
        entry.request_id,
    ]))?;
    let mut context = Context::new(&SHA256);
    context.update(previous);
    context.update(&row);
    Ok(context.finish().as_ref().to_vec())
}

/// The first row that shows that somebody was at the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// The row isn't as it was sealed: it was edited, stands where another stood, or was put there.
    Changed(i64),
    /// The row is gone.
    Missing(i64),
    /// What is kept apart about the newest row is gone: nobody can tell whether rows after this one were cut off.
    Unmarked(i64),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(row) => write!(f, "row {row} isn't as it was sealed"),
            Self::Missing(row) => write!(f, "row {row} is missing"),
            Self::Unmarked(row) => {
                write!(
                    f,
                    "rows after {row} may be missing: the mark of the newest is gone"
                )
            }
        }
    }
}

/// Walks the whole chain: how many rows were looked at, and the first that is broken.
///
/// # Errors
/// What SQLite says.
pub fn first_broken(db: &Connection) -> Result<(u64, Option<Broken>)> {
    let mut statement = db.prepare(
        "SELECT id, created_at, actor_kind, actor_id, actor_name, action, subject_kind, subject_id,
                organization_id, site_id, status, data, address, request_id, hash
           FROM audit_logs ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let (mut looked_at, mut last) = (0, Seal::default());
    while let Some(row) = rows.next()? {
        looked_at += 1;
        let (id, entry, data, hash) = sealed(row)?;
        let expected = last.id + 1;
        if id != expected {
            return Ok((looked_at, Some(Broken::Missing(expected))));
        }
        if seal(&last.hash, id, &entry, &data)? != hash {
            return Ok((looked_at, Some(Broken::Changed(id))));
        }
        last = Seal { id, hash };
    }
    Ok((looked_at, at_the_end(&last, newest_kept(db)?)))
}

/// Whether the last row is the newest that was ever sealed.
fn at_the_end(last: &Seal, kept: Option<Seal>) -> Option<Broken> {
    match kept {
        None if last.id == 0 => None,
        None => Some(Broken::Unmarked(last.id)),
        Some(kept) if kept == *last => None,
        Some(kept) if kept.id > last.id => Some(Broken::Missing(last.id + 1)),
        Some(kept) => Some(Broken::Changed(last.id.min(kept.id + 1))),
    }
}

fn sealed(row: &Row<'_>) -> rusqlite::Result<(i64, Entry, String, Vec<u8>)> {
    let entry = Entry {
        created_at: row.get(1)?,
        actor_kind: row.get(2)?,
        actor_id: row.get(3)?,
        actor_name: row.get(4)?,
        action: row.get(5)?,
        subject_kind: row.get(6)?,
        subject_id: row.get(7)?,
        organization_id: row.get(8)?,
        site_id: row.get(9)?,
        status: row.get(10)?,
        data: Value::Null,
        address: row.get(12)?,
        request_id: row.get(13)?,
    };
    Ok((row.get(0)?, entry, row.get(11)?, row.get(14)?))
}
