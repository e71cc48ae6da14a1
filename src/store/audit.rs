//! The record of what people and keys did: append-only, each row sealed together with the one
//! before it, so that a row that was changed, removed or moved shows.

use ring::digest::{Context, SHA256};
use rusqlite::{OptionalExtension, Row, params};
use serde_json::{Value, json};

use super::{Connection, Result};

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

/// Appends the row, sealed with the one before it, and returns its id. Must run in the write that
/// does what the row says.
///
/// # Errors
/// What SQLite says.
pub fn append(db: &Connection, entry: &Entry) -> Result<i64> {
    let last: Option<(i64, Vec<u8>)> = db
        .prepare_cached("SELECT id, hash FROM audit_logs ORDER BY id DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (before, previous) = last.unwrap_or_default();
    let id = before + 1;
    let data = entry.data.to_string();
    let hash = seal(&previous, id, entry, &data)?;
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
    Ok(id)
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

/// Walks the whole chain. `Some(id)`: the first row that does not fit the one before it, or before
/// which a row is missing.
///
/// # Errors
/// What SQLite says.
pub fn first_broken(db: &Connection) -> Result<Option<i64>> {
    let mut statement = db.prepare(
        "SELECT id, created_at, actor_kind, actor_id, actor_name, action, subject_kind, subject_id,
                organization_id, site_id, status, data, address, request_id, hash
           FROM audit_logs ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let (mut expected, mut previous) = (1, Vec::new());
    while let Some(row) = rows.next()? {
        let (id, entry, data, hash) = sealed(row)?;
        if id != expected || seal(&previous, id, &entry, &data)? != hash {
            return Ok(Some(id));
        }
        expected = id + 1;
        previous = hash;
    }
    Ok(None)
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
