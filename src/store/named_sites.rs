//! Sites by their names: those to choose from, and what became of those that a page names. Each read is
//! bounded by what is shown, not by the fleet.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Result;
use super::wall::{list, within};
use crate::domain::access::Sight;
use crate::domain::site::Named;

const NAMED: &str = "s.id, s.name, s.environment, o.name, s.tags, s.deleted_at IS NOT NULL";

fn named(row: &Row<'_>) -> rusqlite::Result<(Named, String)> {
    let named = Named {
        id: row.get(0)?,
        name: row.get(1)?,
        environment: row.get(2)?,
        organization: row.get(3)?,
        tags: Vec::new(),
        deleted: row.get(5)?,
    };
    Ok((named, row.get(4)?))
}

fn tagged((mut named, tags): (Named, String)) -> Result<Named> {
    named.tags = serde_json::from_str(&tags)?;
    Ok(named)
}

/// At most so many that aren't deleted, in no order: where all are in sight the first by name, else the first
/// of each organization.
///
/// # Errors
/// What SQLite says.
pub fn first(db: &Connection, sight: &Sight, most: u32) -> Result<Vec<Named>> {
    let found: Vec<_> = if let Some(organizations) = sight.organizations() {
        db.prepare_cached(&format!(
            "SELECT {NAMED} FROM json_each(?1) AS j CROSS JOIN sites AS s INDEXED BY sites_name ON s.organization_id = j.value
               CROSS JOIN organizations AS o ON o.id = s.organization_id WHERE s.deleted_at IS NULL LIMIT ?2"
        ))?
        .query_map(params![list(organizations), most], named)?
        .collect::<rusqlite::Result<_>>()?
    } else {
        db.prepare_cached(&format!(
            "SELECT {NAMED} FROM sites AS s INDEXED BY sites_by_name CROSS JOIN organizations AS o ON o.id = s.organization_id
             WHERE s.deleted_at IS NULL ORDER BY s.name COLLATE NOCASE LIMIT ?1"
        ))?
        .query_map([most], named)?
        .collect::<rusqlite::Result<_>>()?
    };
    found.into_iter().map(tagged).collect()
}

/// At most so many in sight and in these environments that have this very name, letters large or small, and
/// aren't deleted.
///
/// # Errors
/// What SQLite says.
pub fn called(
    db: &Connection,
    sight: &Sight,
    name: &str,
    environments: &[&str],
    most: u32,
) -> Result<Vec<Named>> {
    let mut prepared = db.prepare_cached(&format!(
        "SELECT {NAMED} FROM sites AS s INDEXED BY sites_by_name CROSS JOIN organizations AS o ON o.id = s.organization_id
         WHERE s.deleted_at IS NULL AND s.name = ?2 COLLATE NOCASE
           AND (?1 IS NULL OR s.organization_id IN (SELECT value FROM json_each(?1)))
           AND s.environment IN (SELECT value FROM json_each(?4)) LIMIT ?3"
    ))?;
    let found = prepared.query_map(
        params![
            within(sight),
            name,
            most,
            serde_json::to_string(environments)?
        ],
        named,
    )?;
    let found: Vec<_> = found.collect::<rusqlite::Result<_>>()?;
    found.into_iter().map(tagged).collect()
}

/// One in sight, deleted or not.
///
/// # Errors
/// What SQLite says.
pub fn one(db: &Connection, sight: &Sight, id: i64) -> Result<Option<Named>> {
    db.prepare_cached(&format!(
        "SELECT {NAMED} FROM sites AS s CROSS JOIN organizations AS o ON o.id = s.organization_id
         WHERE s.id = ?2 AND (?1 IS NULL OR s.organization_id IN (SELECT value FROM json_each(?1)))"
    ))?
    .query_row(params![within(sight), id], named)
    .optional()?
    .map(tagged)
    .transpose()
}

/// Whether a site in sight has this tag, deleted or not.
///
/// # Errors
/// What SQLite says.
pub fn any_with_tag(db: &Connection, sight: &Sight, tag: &str) -> Result<bool> {
    let mut prepared = db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM site_tags AS t CROSS JOIN sites AS s ON s.id = t.site_id
         WHERE t.tag = ?2 AND (?1 IS NULL OR s.organization_id IN (SELECT value FROM json_each(?1))))",
    )?;
    Ok(prepared.query_row(params![within(sight), tag], |row| row.get(0))?)
}

/// Whether a site in sight has this module, or had a window of it.
///
/// # Errors
/// What SQLite says.
pub fn any_with_module(db: &Connection, sight: &Sight, name: &str) -> Result<bool> {
    let mut prepared = db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM modules AS m CROSS JOIN module_versions AS v ON v.module_id = m.id
             CROSS JOIN site_modules AS sm ON sm.version_id = v.id CROSS JOIN sites AS s ON s.id = sm.site_id
             WHERE m.name = ?2 AND (?1 IS NULL OR s.organization_id IN (SELECT value FROM json_each(?1))))
           OR EXISTS (SELECT 1 FROM modules AS m CROSS JOIN exposures AS e ON e.module_id = m.id
             WHERE m.name = ?2 AND (?1 IS NULL OR e.organization_id IN (SELECT value FROM json_each(?1))))",
    )?;
    Ok(prepared.query_row(params![within(sight), name], |row| row.get(0))?)
}

/// Which of these sites were deleted.
///
/// # Errors
/// What SQLite says.
pub fn deleted(db: &Connection, sight: &Sight, ids: &[i64]) -> Result<Vec<i64>> {
    let mut prepared = db.prepare_cached(
        "SELECT s.id FROM json_each(?2) AS j CROSS JOIN sites AS s ON s.id = j.value
         WHERE s.deleted_at IS NOT NULL AND (?1 IS NULL OR s.organization_id IN (SELECT value FROM json_each(?1)))",
    )?;
    let found = prepared.query_map(params![within(sight), list(ids)], |row| row.get(0))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Which of these organizations were deleted.
///
/// # Errors
/// What SQLite says.
pub fn deleted_organizations(db: &Connection, sight: &Sight, ids: &[i64]) -> Result<Vec<i64>> {
    let mut prepared = db.prepare_cached(
        "SELECT o.id FROM json_each(?2) AS j CROSS JOIN organizations AS o ON o.id = j.value
         WHERE o.deleted_at IS NOT NULL AND (?1 IS NULL OR o.id IN (SELECT value FROM json_each(?1)))",
    )?;
    let found = prepared.query_map(params![within(sight), list(ids)], |row| row.get(0))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}
