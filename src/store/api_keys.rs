//! The keys of sites and organizations: kept as hashes, found by them.

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{OptionalExtension, Row, params};

use super::listing::{Ask, Column, Source, Wall, page};
use super::wall::within;
use super::{Connection, Result};
use crate::domain::access::{Permission, Sight};
use crate::domain::api_key::{ApiKey, ApiKeyFacts, LIST};
use crate::domain::listing::Page;

/// A key to be.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// The site it belongs to, if it is a site's.
    pub site_id: Option<i64>,
    /// The organization it belongs to.
    pub organization_id: i64,
    /// `dwl_` and 8 characters.
    pub prefix: String,
    /// SHA-256 of the whole key.
    pub secret_hash: [u8; 32],
    /// Who learns the secret: the label of a person, or `system`.
    pub secret_by: String,
    /// All that people say about it.
    pub facts: ApiKeyFacts,
}

/// What a presented key turns out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresentedKey {
    /// The key; who learned its secret is said of the secret that was presented.
    pub key: ApiKey,
    /// It is the key before the last rotation: taken until [`ApiKey::old_expires_at`].
    pub superseded: bool,
}

const COLUMNS: &str = "k.id, k.site_id, k.organization_id, k.name, k.prefix, k.scopes, k.networks, k.expires_at,
    k.last_used_at, k.last_used_from, k.revoked_at, k.old_expires_at, k.created_at, k.updated_at, k.created_by,
    k.secret_by";

/// Keys of what is deleted are not there.
const ALIVE: &str = "api_keys k
    JOIN organizations o ON o.id = k.organization_id AND o.deleted_at IS NULL
    LEFT JOIN sites s ON s.id = k.site_id
   WHERE (k.site_id IS NULL OR s.deleted_at IS NULL)";

fn key(row: &Row<'_>) -> rusqlite::Result<ApiKey> {
    Ok(ApiKey {
        id: row.get("id")?,
        site_id: row.get("site_id")?,
        organization_id: row.get("organization_id")?,
        name: row.get("name")?,
        prefix: row.get("prefix")?,
        // A scope that this version doesn't know grants nothing.
        scopes: texts(row, "scopes")?
            .iter()
            .filter_map(|word| Permission::from_word(word))
            .collect(),
        networks: texts(row, "networks")?,
        expires_at: time(row, "expires_at")?,
        last_used_at: time(row, "last_used_at")?,
        last_used_from: row.get("last_used_from")?,
        revoked_at: time(row, "revoked_at")?,
        old_expires_at: time(row, "old_expires_at")?,
        created_at: time(row, "created_at")?.unwrap_or_default(),
        updated_at: time(row, "updated_at")?.unwrap_or_default(),
        created_by: row.get("created_by")?,
        secret_by: row.get("secret_by")?,
    })
}

fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    let millis: Option<i64> = row.get(column)?;
    Ok(millis.and_then(|millis| Timestamp::from_millisecond(millis).ok()))
}

/// Strict: networks that cannot be read must not turn into "from anywhere".
fn texts(row: &Row<'_>, column: &str) -> rusqlite::Result<Vec<String>> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, error.into()))
}

fn written(time: Option<Timestamp>) -> Option<i64> {
    time.map(Timestamp::as_millisecond)
}

fn json<T: serde::Serialize>(list: &[T]) -> Result<String> {
    Ok(serde_json::to_string(list)?)
}

/// Adds a key and returns its id.
///
/// # Errors
/// What SQLite says.
pub fn insert(db: &Connection, new: &NewApiKey, now: Timestamp, by: &str) -> Result<i64> {
    db.prepare_cached(
        "INSERT INTO api_keys (site_id, organization_id, name, prefix, secret_hash, scopes, networks, expires_at,
                created_at, updated_at, created_by, updated_by, secret_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10, ?10, ?11)",
    )?
    .execute(params![
        new.site_id,
        new.organization_id,
        new.facts.name,
        new.prefix,
        new.secret_hash,
        json(&new.facts.scopes)?,
        json(&new.facts.networks)?,
        written(new.facts.expires_at),
        now.as_millisecond(),
        by,
        new.secret_by,
    ])?;
    Ok(db.last_insert_rowid())
}

/// The key that hashes to this, or did before its last rotation. Keys of deleted sites and
/// organizations are not there; expiry and revocation are the caller's questions.
///
/// # Errors
/// What SQLite says.
pub fn find_presented(db: &Connection, hash: &[u8; 32]) -> Result<Option<PresentedKey>> {
    for (column, superseded) in [("secret_hash", false), ("old_hash", true)] {
        let found = db
            .prepare_cached(&format!(
                "SELECT {COLUMNS}, k.old_secret_by FROM {ALIVE} AND k.{column} = ?1"
            ))?
            .query_row([hash], |row| {
                let mut found = key(row)?;
                if superseded && let Some(before) = row.get("old_secret_by")? {
                    found.secret_by = before;
                }
                Ok(found)
            })
            .optional()?;
        if let Some(key) = found {
            return Ok(Some(PresentedKey { key, superseded }));
        }
    }
    Ok(None)
}

/// The key with that id, if it is in sight.
///
/// # Errors
/// What SQLite says.
pub fn find(db: &Connection, sight: &Sight, id: i64) -> Result<Option<ApiKey>> {
    Ok(db
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM {ALIVE} AND k.id = ?1
            AND (?2 IS NULL OR k.organization_id IN (SELECT value FROM json_each(?2))) AND (?3 IS NULL OR k.site_id = ?3)"
        ))?
        .query_row(params![id, within(sight), sight.site()], key)
        .optional()?)
}

/// The list of keys.
pub static SOURCE: Source = Source {
    list: &LIST,
    from: "api_keys AS k JOIN organizations AS o ON o.id = k.organization_id LEFT JOIN sites AS s ON s.id = k.site_id",
    drivers: &[],
    live: "o.deleted_at IS NULL AND (k.site_id IS NULL OR s.deleted_at IS NULL)",
    id: "k.id",
    columns: None,
    wall: Wall::Owned {
        organization: "k.organization_id",
        site: Some("k.site_id"),
    },
    fields: &[
        ("id", Column::Plain("k.id")),
        ("name", Column::Name("k.name")),
        ("prefix", Column::Plain("k.prefix")),
        ("site_id", Column::Plain("k.site_id")),
        // A site's key shows its site, not its organization.
        (
            "organization_id",
            Column::Plain("iif(k.site_id IS NULL, k.organization_id, NULL)"),
        ),
        ("scopes", Column::Members("k.scopes")),
        ("expires_at", Column::Plain("k.expires_at")),
        ("last_used_at", Column::Plain("k.last_used_at")),
        ("revoked_at", Column::Plain("k.revoked_at")),
        ("created_at", Column::Plain("k.created_at")),
    ],
    sorts: &[
        ("id", &[]),
        // Ids are handed out in the order of time.
        ("created_at", &[]),
    ],
    ties: &[],
    search: &["k.name", "k.prefix"],
    search_index: None,
    counted: &[],
};

/// One page of the keys in sight.
///
/// # Errors
/// What SQLite says.
pub fn list(db: &Connection, ask: &Ask<'_>) -> Result<Page<ApiKey>> {
    page(db, &SOURCE, ask, |db, id| find(db, ask.sight, id))
}

/// The keys of one site, newest first; at most 200.
///
/// # Errors
/// What SQLite says.
pub fn of_site(db: &Connection, site_id: i64) -> Result<Vec<ApiKey>> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM {ALIVE} AND k.site_id = ?1 ORDER BY k.id DESC LIMIT 200"
    ))?;
    let found = statement.query_map([site_id], key)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Changes a key.
///
/// # Errors
/// What SQLite says.
pub fn update(db: &Connection, id: i64, to: &ApiKeyFacts, now: Timestamp, by: &str) -> Result<()> {
    db.prepare_cached(
        "UPDATE api_keys SET name = ?2, scopes = ?3, networks = ?4, expires_at = ?5, updated_at = ?6, updated_by = ?7
          WHERE id = ?1",
    )?
    .execute(params![
        id,
        to.name,
        json(&to.scopes)?,
        json(&to.networks)?,
        written(to.expires_at),
        now.as_millisecond(),
        by,
    ])?;
    Ok(())
}

/// A new secret.
#[derive(Debug, Clone)]
pub struct NewSecret {
    /// `dwl_` and 8 characters.
    pub prefix: String,
    /// SHA-256 of the whole key.
    pub hash: [u8; 32],
    /// Who learns it: the label of a person, or `system`.
    pub learner: String,
}

/// Gives the key a new secret; the old one is taken until `old_expires_at`. One that was still
/// alive from the rotation before is not taken any more.
///
/// # Errors
/// What SQLite says.
pub fn rotate(
    db: &Connection,
    id: i64,
    to: &NewSecret,
    old_expires_at: Timestamp,
    now: Timestamp,
    by: &str,
) -> Result<()> {
    db.prepare_cached(
        "UPDATE api_keys SET old_hash = secret_hash, old_secret_by = secret_by, old_expires_at = ?4, prefix = ?2,
                secret_hash = ?3, secret_by = ?7, updated_at = ?5, updated_by = ?6
          WHERE id = ?1",
    )?
    .execute(params![
        id,
        to.prefix,
        to.hash,
        old_expires_at.as_millisecond(),
        now.as_millisecond(),
        by,
        to.learner,
    ])?;
    Ok(())
}

/// Revokes a key, with what is left of the one before it.
///
/// # Errors
/// What SQLite says.
pub fn revoke(db: &Connection, id: i64, now: Timestamp, by: &str) -> Result<()> {
    db.prepare_cached(
        "UPDATE api_keys SET revoked_at = ?2, old_hash = NULL, old_secret_by = NULL, old_expires_at = NULL,
                updated_at = ?2, updated_by = ?3
          WHERE id = ?1 AND revoked_at IS NULL",
    )?
    .execute(params![id, now.as_millisecond(), by])?;
    Ok(())
}

/// Notes the last uses: key, time in milliseconds, address. Never moves one back.
///
/// # Errors
/// What SQLite says.
pub fn note_uses(db: &Connection, uses: &[(i64, i64, String)]) -> Result<()> {
    let mut statement = db.prepare_cached(
        "UPDATE api_keys SET last_used_at = ?2, last_used_from = ?3
          WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at <= ?2)",
    )?;
    for (id, at, from) in uses {
        statement.execute(params![id, at, from])?;
    }
    Ok(())
}

/// The organization of a site that isn't deleted, nor its organization.
///
/// # Errors
/// What SQLite says.
pub fn organization_of_site(db: &Connection, site_id: i64) -> Result<Option<i64>> {
    Ok(db
        .prepare_cached(
            "SELECT o.id FROM sites s JOIN organizations o ON o.id = s.organization_id
              WHERE s.id = ?1 AND s.deleted_at IS NULL AND o.deleted_at IS NULL",
        )?
        .query_row([site_id], |row| row.get(0))
        .optional()?)
}

/// Whether there is such an organization that isn't deleted.
///
/// # Errors
/// What SQLite says.
pub fn organization_exists(db: &Connection, id: i64) -> Result<bool> {
    Ok(db
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM organizations WHERE id = ?1 AND deleted_at IS NULL)",
        )?
        .query_row([id], |row| row.get(0))?)
}
