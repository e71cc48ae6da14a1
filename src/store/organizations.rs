//! Organizations as they are kept.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::listing::{Ask, Column, Source, Wall, page};
use super::{Result, row};
use crate::domain::listing::Page;
use crate::domain::organization::{DeletedOrganization, LIST, Organization, OrganizationFacts};

/// The list of organizations.
pub static SOURCE: Source = Source {
    list: &LIST,
    from: "organizations AS o",
    drivers: &[],
    live: "o.deleted_at IS NULL",
    id: "o.id",
    columns: None,
    wall: Wall::Owned {
        organization: "o.id",
        site: None,
    },
    fields: &[
        ("id", Column::Plain("o.id")),
        ("name", Column::Name("o.name")),
        ("created_at", Column::Plain("o.created_at")),
        ("updated_at", Column::Plain("o.updated_at")),
    ],
    sorts: &[
        ("name", &["o.name COLLATE NOCASE"]),
        ("id", &[]),
        // Ids are handed out in the order of time.
        ("created_at", &[]),
    ],
    ties: &[],
    search: &["o.name"],
    search_index: None,
    counted: &[],
};

/// One page of them.
///
/// # Errors
/// What SQLite says.
pub fn list(db: &Connection, ask: &Ask<'_>) -> Result<Page<Organization>> {
    page(db, &SOURCE, ask, find)
}

/// One that isn't deleted.
///
/// # Errors
/// What SQLite says.
pub fn find(db: &Connection, id: i64) -> Result<Option<Organization>> {
    Ok(db.prepare_cached(
        "SELECT id, name, notes, second_factor_from, created_at, updated_at,
           (SELECT ifnull(sum(sites), 0) FROM organization_statuses WHERE organization_id = o.id) AS sites_count
         FROM organizations AS o WHERE id = ?1 AND deleted_at IS NULL",
    )?
    .query_row([id], |found| {
        Ok(Organization {
            id: found.get("id")?,
            name: found.get("name")?,
            notes: found.get("notes")?,
            second_factor_from: row::maybe_time(found, "second_factor_from")?,
            sites_count: found.get("sites_count")?,
            created_at: row::time(found, "created_at")?,
            updated_at: row::time(found, "updated_at")?,
        })
    })
    .optional()?)
}

/// It is there and isn't deleted.
///
/// # Errors
/// What SQLite says.
pub fn exists(db: &Connection, id: i64) -> Result<bool> {
    Ok(db
        .prepare_cached("SELECT 1 FROM organizations WHERE id = ?1 AND deleted_at IS NULL")?
        .exists([id])?)
}

/// The one of that name, whatever its case.
///
/// # Errors
/// What SQLite says.
pub fn find_named(db: &Connection, name: &str) -> Result<Option<i64>> {
    Ok(db
        .prepare_cached(
            "SELECT id FROM organizations WHERE name = ?1 COLLATE NOCASE AND deleted_at IS NULL",
        )?
        .query_row([name], |found| found.get(0))
        .optional()?)
}

/// Keeps a new one and gives its id.
///
/// # Errors
/// A constraint, where the name is taken.
pub fn insert(db: &Connection, facts: &OrganizationFacts, by: &str, now: Timestamp) -> Result<i64> {
    Ok(db.prepare_cached(
        "INSERT INTO organizations (name, notes, second_factor_from, created_at, updated_at, created_by, updated_by)
         VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?5)",
    )?
    .insert(params![
        facts.name,
        facts.notes,
        facts.second_factor_from.map(Timestamp::as_millisecond),
        now.as_millisecond(),
        by
    ])?)
}

/// Changes one.
///
/// # Errors
/// A constraint, where the name is taken.
pub fn update(
    db: &Connection,
    id: i64,
    facts: &OrganizationFacts,
    by: &str,
    now: Timestamp,
) -> Result<()> {
    db.prepare_cached(
        "UPDATE organizations SET name = ?2, notes = ?3, updated_at = ?4, updated_by = ?5, second_factor_from = ?6 WHERE id = ?1",
    )?
    .execute(params![id, facts.name, facts.notes, now.as_millisecond(), by, facts.second_factor_from.map(Timestamp::as_millisecond)])?;
    Ok(())
}

/// Marks one as deleted, with the keys that belong to it or its sites. Its sites are deleted one by
/// one by whoever calls, since each has a place in the chronicle.
///
/// # Errors
/// What SQLite says.
pub fn delete(db: &Connection, id: i64, by: &str, now: Timestamp) -> Result<()> {
    db.prepare_cached(
        "UPDATE organizations SET deleted_at = ?2, updated_at = ?2, updated_by = ?3 WHERE id = ?1",
    )?
    .execute(params![id, now.as_millisecond(), by])?;
    db.prepare_cached(
        "UPDATE api_keys SET revoked_at = ?2, went_with = 'organization', updated_at = ?2, updated_by = ?3
         WHERE organization_id = ?1 AND revoked_at IS NULL",
    )?
    .execute(params![id, now.as_millisecond(), by])?;
    Ok(())
}

/// Brings a deleted one back, with the keys that went with it. Its sites are brought back one by one
/// by whoever calls.
///
/// # Errors
/// A constraint, where the name is taken meanwhile.
pub fn restore(db: &Connection, id: i64, by: &str, now: Timestamp) -> Result<()> {
    db.prepare_cached(
        "UPDATE organizations SET deleted_at = NULL, updated_at = ?2, updated_by = ?3 WHERE id = ?1",
    )?
    .execute(params![id, now.as_millisecond(), by])?;
    db.prepare_cached(
        "UPDATE api_keys SET revoked_at = NULL, went_with = NULL, updated_at = ?2, updated_by = ?3
         WHERE organization_id = ?1 AND went_with = 'organization'",
    )?
    .execute(params![id, now.as_millisecond(), by])?;
    Ok(())
}

/// The ids of the sites that went with it.
///
/// # Errors
/// What SQLite says.
pub fn sites_gone(db: &Connection, id: i64) -> Result<Vec<i64>> {
    let mut prepared = db.prepare_cached(
        "SELECT id FROM sites INDEXED BY sites_deleted
         WHERE organization_id = ?1 AND deleted_at IS NOT NULL AND went_with = 'organization'",
    )?;
    let ids = prepared.query_map([id], |found| found.get(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

const DELETED: &str = "SELECT o.id, o.name, o.deleted_at,
    (SELECT count(*) FROM sites AS s INDEXED BY sites_deleted
      WHERE s.organization_id = o.id AND s.deleted_at IS NOT NULL AND s.went_with = 'organization') AS sites_count
  FROM organizations AS o WHERE o.deleted_at IS NOT NULL";

/// A deleted one.
///
/// # Errors
/// What SQLite says.
pub fn find_deleted(db: &Connection, id: i64) -> Result<Option<DeletedOrganization>> {
    Ok(db
        .prepare_cached(&format!("{DELETED} AND o.id = ?1"))?
        .query_row([id], deleted)
        .optional()?)
}

/// The deleted ones, the newest first.
///
/// # Errors
/// What SQLite says.
pub fn list_deleted(db: &Connection, most: u32) -> Result<Vec<DeletedOrganization>> {
    let mut prepared = db.prepare_cached(&format!(
        "{DELETED} ORDER BY o.deleted_at DESC, o.id DESC LIMIT ?1"
    ))?;
    let found = prepared.query_map([most], deleted)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

fn deleted(found: &Row<'_>) -> rusqlite::Result<DeletedOrganization> {
    Ok(DeletedOrganization {
        id: found.get("id")?,
        name: found.get("name")?,
        sites_count: found.get("sites_count")?,
        deleted_at: row::time(found, "deleted_at")?,
    })
}

/// It is there, deleted or not.
///
/// # Errors
/// What SQLite says.
pub fn exists_at_all(db: &Connection, id: i64) -> Result<bool> {
    Ok(db
        .prepare_cached("SELECT 1 FROM organizations WHERE id = ?1")?
        .exists([id])?)
}

/// The ids of its sites that aren't deleted.
///
/// # Errors
/// What SQLite says.
pub fn sites(db: &Connection, id: i64) -> Result<Vec<i64>> {
    let mut prepared = db.prepare_cached(
        "SELECT id FROM sites INDEXED BY sites_name WHERE organization_id = ?1 AND deleted_at IS NULL",
    )?;
    let ids = prepared.query_map([id], |found| found.get(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}
