//! What drupal.org published of a module: its release histories, and the security releases in them.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::time::{at, ms};
use super::{Result, blob};
use crate::domain::exposed::BranchFix;
use crate::domain::inventory::ModuleType;
use crate::domain::release_history::ReleaseHistory;

/// Stores a release history that differs from the one before, and makes it the module's newest.
///
/// # Errors
/// What SQLite says.
pub fn publish(
    db: &Connection,
    module_id: i64,
    hash: &[u8],
    history: &ReleaseHistory,
    now: Timestamp,
) -> Result<i64> {
    db.prepare_cached(
        "INSERT INTO publications (module_id, received_at, content_hash, document) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![module_id, ms(now), hash, blob::pack(history)?])?;
    let id = db.last_insert_rowid();
    db.prepare_cached(
        "UPDATE modules SET publication_id = ?2, title = ifnull(?3, title), project_status = ?4, supported_branches = ?5,
            type = ifnull(?6, type) WHERE id = ?1",
    )?
    .execute(params![
        module_id,
        id,
        history.title.as_deref().filter(|title| !title.is_empty()),
        history.project_status,
        history.supported_branches,
        history.kind.as_deref().and_then(ModuleType::of_project).map(ModuleType::word)
    ])?;
    Ok(id)
}

/// The hash of the module's newest document.
///
/// # Errors
/// What SQLite says.
pub fn newest_hash(db: &Connection, publication_id: i64) -> Result<Option<Vec<u8>>> {
    Ok(db
        .prepare_cached("SELECT content_hash FROM publications WHERE id = ?1")?
        .query_row([publication_id], |row| row.get(0))
        .optional()?)
}

/// A stored document.
///
/// # Errors
/// [`StoreError::Corrupt`] where it can't be read back.
pub fn document(db: &Connection, publication_id: i64) -> Result<ReleaseHistory> {
    let bytes: Vec<u8> = db
        .prepare_cached("SELECT document FROM publications WHERE id = ?1")?
        .query_row([publication_id], |row| row.get(0))?;
    blob::unpack(&bytes)
}

/// A security release of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// Its version.
    pub version: String,
    /// When it was released; `None`: without a usable date.
    pub date: Option<Timestamp>,
    /// When it became known here.
    pub known_at: Timestamp,
}

/// The security releases of a module.
///
/// # Errors
/// What SQLite says.
pub fn fixes(db: &Connection, module_id: i64) -> Result<Vec<Fix>> {
    let mut query =
        db.prepare_cached("SELECT version, date, known_at FROM fixes WHERE module_id = ?1")?;
    let rows = query.query_map([module_id], |row| {
        Ok(Fix {
            version: row.get(0)?,
            date: row.get::<_, Option<i64>>(1)?.map(at),
            known_at: at(row.get(2)?),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Adds releases that only advisories name as fixes, where they aren't known yet.
///
/// # Errors
/// What SQLite says.
pub fn add_fixes(
    db: &Connection,
    module_id: i64,
    fixes: &[BranchFix],
    now: Timestamp,
) -> Result<()> {
    for fix in fixes {
        db.prepare_cached(
            "INSERT INTO fixes (module_id, version, date, known_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            module_id,
            fix.version,
            fix.date.map(|seconds| seconds.saturating_mul(1000)),
            ms(now)
        ])?;
    }
    Ok(())
}

/// Makes the fixes of a module exactly these. What was known keeps the
/// moment since when it is; what is gone is forgotten.
///
/// # Errors
/// What SQLite says.
pub fn set_fixes(
    db: &Connection,
    module_id: i64,
    releases: &[(&str, Option<Timestamp>)],
    now: Timestamp,
) -> Result<()> {
    for known in fixes(db, module_id)? {
        if !releases
            .iter()
            .any(|(version, _)| *version == known.version)
        {
            db.prepare_cached("DELETE FROM fixes WHERE module_id = ?1 AND version = ?2")?
                .execute(params![module_id, known.version])?;
        }
    }
    let mut add = db.prepare_cached(
        "INSERT INTO fixes (module_id, version, date, known_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET date = excluded.date",
    )?;
    for (version, date) in releases {
        add.execute(params![module_id, version, date.map(ms), ms(now)])?;
    }
    Ok(())
}
