//! The catalogue, read for people: whoever doesn't see all sees the modules that sites in sight run,
//! counted over those sites.

use jiff::Timestamp;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::listing::{Ask, Column, Counted, Source, Wall, page};
use super::wall::{self, within};
use super::{Result, row};
use crate::domain::access::Sight;
use crate::domain::judgement::Judgement;
use crate::domain::listing::Page;
use crate::domain::module::{DeletedModule, LIST, Module, ModuleFacts};

/// The list of modules.
pub static SOURCE: Source = Source {
    list: &LIST,
    from: "modules AS m",
    drivers: &[],
    live: "m.deleted_at IS NULL",
    id: "m.id",
    columns: None,
    wall: Wall::Used {
        organization: "m.id IN (SELECT v.module_id FROM organization_versions AS ov JOIN module_versions AS v ON v.id = ov.version_id \
             WHERE ov.organization_id IN {organizations} AND ov.sites > 0)",
        site: "m.id IN (SELECT sm.module_id FROM site_modules AS sm WHERE sm.site_id = {site})",
    },
    fields: &[
        ("id", Column::Plain("m.id")),
        ("module_name", Column::Plain("m.name")),
        ("title", Column::Name("m.title")),
        ("type", Column::Plain("m.type")),
        ("origin", Column::Plain("m.kind")),
        ("sites_count", Column::Plain("{sites}")),
        ("exposed_sites_count", Column::Plain("{exposed}")),
        ("last_checked_at", Column::Plain("m.last_checked_at")),
        ("next_check_at", Column::Plain("m.next_check_at")),
    ],
    sorts: &[
        ("module_name", &["m.name"]),
        ("id", &[]),
        ("sites_count", &["{sites}"]),
        ("exposed_sites_count", &["{exposed}"]),
        ("last_checked_at", &["m.last_checked_at"]),
    ],
    ties: &[("exposed_sites_count", "{sites}")],
    search: &["m.name", "m.title"],
    search_index: Some("modules_search"),
    counted: &[
        Counted {
            name: "{sites}",
            all: "m.sites_count",
            organization: "(SELECT ifnull(sum(ov.sites), 0) FROM module_versions AS v JOIN organization_versions AS ov \
                 ON ov.version_id = v.id WHERE v.module_id = m.id AND ov.organization_id IN {organizations})",
            site: "(SELECT count(*) FROM site_modules AS sm WHERE sm.site_id = {site} AND sm.module_id = m.id)",
        },
        Counted {
            name: "{exposed}",
            all: "m.exposed_sites_count",
            organization: "(SELECT ifnull(sum(ov.enabled), 0) FROM module_versions AS v JOIN organization_versions AS ov \
                 ON ov.version_id = v.id WHERE v.module_id = m.id AND v.exposed = 1 AND ov.organization_id IN {organizations})",
            site: "(SELECT count(*) FROM site_modules AS sm JOIN module_versions AS v ON v.id = sm.version_id \
                 WHERE sm.site_id = {site} AND sm.module_id = m.id AND sm.enabled = 1 AND v.exposed = 1)",
        },
    ],
};

/// One page of modules.
///
/// # Errors
/// What SQLite says.
pub fn list(db: &Connection, ask: &Ask<'_>) -> Result<Page<Module>> {
    page(db, &SOURCE, ask, |db, id| find(db, ask.sight, id))
}

/// One module, where a site in sight runs it or all is in sight.
///
/// # Errors
/// What SQLite says.
pub fn find(db: &Connection, sight: &Sight, id: i64) -> Result<Option<Module>> {
    let Some(mut module) = bare(db, id)? else {
        return Ok(None);
    };
    let (sites, exposed) = match (sight.organizations(), sight.site()) {
        (None, _) => return Ok(Some(module)),
        (Some(_), Some(site)) => counted(
            db,
            "SELECT count(*), ifnull(sum(sm.enabled = 1 AND v.exposed IS 1), 0) FROM site_modules AS sm
               JOIN module_versions AS v ON v.id = sm.version_id WHERE sm.module_id = ?1 AND sm.site_id = ?2",
            (id, Sql::Integer(site)),
        )?,
        (Some(mine), None) => counted(
            db,
            "SELECT ifnull(sum(ov.sites), 0), ifnull(sum(iif(v.exposed IS 1, ov.enabled, 0)), 0)
             FROM module_versions AS v JOIN organization_versions AS ov ON ov.version_id = v.id
             WHERE v.module_id = ?1 AND ov.organization_id IN (SELECT value FROM json_each(?2))",
            (id, Sql::Text(wall::list(mine))),
        )?,
    };
    module.sites_count = sites;
    module.exposed_sites_count = exposed;
    Ok((sites > 0).then_some(module))
}

/// It is there, deleted or not.
///
/// # Errors
/// What SQLite says.
pub fn exists_at_all(db: &Connection, id: i64) -> Result<bool> {
    Ok(db
        .prepare_cached("SELECT 1 FROM modules WHERE id = ?1")?
        .exists([id])?)
}

/// Changes what the platform administrator says about one.
///
/// # Errors
/// What SQLite says.
pub fn update(
    db: &Connection,
    id: i64,
    facts: &ModuleFacts,
    by: &str,
    now: Timestamp,
) -> Result<()> {
    db.prepare_cached(
        "UPDATE modules SET title = ?2, type = ?3, updated_by = ?4, updated_at = ?5 WHERE id = ?1",
    )?
    .execute(params![
        id,
        facts.title,
        facts.kind.word(),
        by,
        now.as_millisecond()
    ])?;
    Ok(())
}

/// Marks one as made by somebody.
///
/// # Errors
/// What SQLite says.
pub fn made_by(db: &Connection, id: i64, by: &str) -> Result<()> {
    db.prepare_cached("UPDATE modules SET created_by = ?2, updated_by = ?2 WHERE id = ?1")?
        .execute(params![id, by])?;
    Ok(())
}

/// Deletes one softly, unless a site that isn't deleted runs it: nobody asks for it any more.
/// `false`: one does.
///
/// # Errors
/// What SQLite says.
pub fn delete(db: &Connection, id: i64, by: &str, now: Timestamp) -> Result<bool> {
    let changed = db
        .prepare_cached(
            "UPDATE modules SET deleted_at = ?2, next_check_at = NULL, asked_at = NULL, updated_at = ?2, updated_by = ?3
             WHERE id = ?1 AND deleted_at IS NULL AND sites_count = 0",
        )?
        .execute(params![id, now.as_millisecond(), by])?;
    Ok(changed > 0)
}

/// The deleted ones, the newest first.
///
/// # Errors
/// What SQLite says.
pub fn list_deleted(db: &Connection, most: u32) -> Result<Vec<DeletedModule>> {
    let mut prepared = db.prepare_cached(
        "SELECT id, name, coalesce(nullif(title, ''), name) AS title, deleted_at FROM modules
         WHERE deleted_at IS NOT NULL ORDER BY deleted_at DESC, id DESC LIMIT ?1",
    )?;
    let found = prepared.query_map([most], |found| {
        Ok(DeletedModule {
            id: found.get("id")?,
            name: found.get("name")?,
            title: found.get("title")?,
            deleted_at: row::time(found, "deleted_at")?,
        })
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// A version of a module that somebody ran at some time, with its judgement, counted by sight.
#[derive(Debug, Clone)]
pub struct SeenVersion {
    /// The version; `None`: a site could not say.
    pub version: Option<String>,
    /// The judgement on it.
    pub judgement: Judgement,
    /// Sites in sight that have it.
    pub sites: i64,
}

/// The versions of a module that sites in sight run, and those that any site ever ran where all is
/// in sight.
///
/// # Errors
/// What SQLite says; where a verdict cannot be read.
pub fn seen_versions(db: &Connection, sight: &Sight, id: i64) -> Result<Vec<SeenVersion>> {
    let mut prepared = db.prepare_cached(
        "SELECT v.version, v.verdict,
           CASE WHEN ?3 IS NOT NULL THEN (SELECT count(*) FROM site_modules AS sm WHERE sm.site_id = ?3 AND sm.module_id = ?1 AND sm.version_id = v.id)
                WHEN ?2 IS NOT NULL THEN (SELECT ifnull(sum(ov.sites), 0) FROM organization_versions AS ov WHERE ov.version_id = v.id AND ov.organization_id IN (SELECT value FROM json_each(?2)))
                ELSE v.sites_count END AS sites
         FROM module_versions AS v WHERE v.module_id = ?1 ORDER BY ifnull(v.version, char(0)), v.datestamp",
    )?;
    let mut rows = prepared.query(params![id, within(sight), sight.site()])?;
    let mut seen = Vec::new();
    while let Some(row) = rows.next()? {
        let verdict: String = row.get(1)?;
        seen.push(SeenVersion {
            version: row.get(0)?,
            judgement: serde_json::from_str(&verdict)?,
            sites: row.get(2)?,
        });
    }
    Ok(seen)
}

/// The first of the organizations in sight whose sites run a module; nothing where all are in sight.
///
/// # Errors
/// What SQLite says.
pub fn run_by(db: &Connection, sight: &Sight, id: i64) -> Result<Option<i64>> {
    let Some(mine) = sight.organizations() else {
        return Ok(None);
    };
    Ok(db
        .prepare_cached(
            "SELECT min(ov.organization_id) FROM module_versions AS v JOIN organization_versions AS ov ON ov.version_id = v.id
             WHERE v.module_id = ?1 AND ov.sites > 0 AND ov.organization_id IN (SELECT value FROM json_each(?2))",
        )?
        .query_row(params![id, wall::list(mine)], |row| row.get(0))?)
}

fn counted(db: &Connection, sql: &str, (id, of): (i64, Sql)) -> rusqlite::Result<(i64, i64)> {
    db.prepare_cached(sql)?
        .query_row(params![id, of], |found| Ok((found.get(0)?, found.get(1)?)))
}

fn bare(db: &Connection, id: i64) -> rusqlite::Result<Option<Module>> {
    db.prepare_cached("SELECT * FROM modules WHERE id = ?1 AND deleted_at IS NULL")?
        .query_row([id], read)
        .optional()
}

fn read(found: &Row<'_>) -> rusqlite::Result<Module> {
    let name: String = found.get("name")?;
    let title: String = found.get("title")?;
    let branches: Option<String> = found.get("supported_branches")?;
    Ok(Module {
        id: found.get("id")?,
        title: if title.is_empty() {
            name.clone()
        } else {
            title
        },
        name,
        kind: found.get("type")?,
        origin: found.get("kind")?,
        project_status: found.get("project_status")?,
        feed_state: found.get("feed_state")?,
        last_error: found.get("last_error")?,
        supported_branches: branches
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
            .filter(|branch| !branch.is_empty())
            .map(str::to_owned)
            .collect(),
        sites_count: found.get("sites_count")?,
        exposed_sites_count: found.get("exposed_sites_count")?,
        last_checked_at: row::maybe_time(found, "last_checked_at")?,
        last_success_at: row::maybe_time(found, "last_success_at")?,
        next_check_at: row::maybe_time(found, "next_check_at")?,
        created_at: row::time(found, "created_at")?,
    })
}
