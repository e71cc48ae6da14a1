//! The catalogue, read for people: whoever doesn't see all sees the modules that sites in sight run,
//! counted over those sites.

use rusqlite::{Connection, OptionalExtension, Row};

use super::listing::{Ask, Column, Counted, Source, Wall, page};
use super::{Result, row};
use crate::domain::access::Sight;
use crate::domain::listing::Page;
use crate::domain::module::{LIST, Module};

/// The list of modules.
pub static SOURCE: Source = Source {
    list: &LIST,
    from: "modules AS m",
    drivers: &[],
    walked: &[],
    live: "1",
    id: "m.id",
    wall: Wall::Used {
        organization: "m.id IN (SELECT v.module_id FROM organization_versions AS ov JOIN module_versions AS v ON v.id = ov.version_id \
             WHERE ov.organization_id = {organization} AND ov.sites > 0)",
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
    search: &["m.name", "m.title"],
    counted: &[
        Counted {
            name: "{sites}",
            all: "m.sites_count",
            organization: "(SELECT ifnull(sum(ov.sites), 0) FROM module_versions AS v JOIN organization_versions AS ov \
                 ON ov.version_id = v.id WHERE v.module_id = m.id AND ov.organization_id = {organization})",
            site: "(SELECT count(*) FROM site_modules AS sm WHERE sm.site_id = {site} AND sm.module_id = m.id)",
        },
        Counted {
            name: "{exposed}",
            all: "m.exposed_sites_count",
            organization: "(SELECT ifnull(sum(ov.enabled), 0) FROM module_versions AS v JOIN organization_versions AS ov \
                 ON ov.version_id = v.id WHERE v.module_id = m.id AND v.exposed = 1 AND ov.organization_id = {organization})",
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
pub fn find(db: &Connection, sight: Sight, id: i64) -> Result<Option<Module>> {
    let Some(mut module) = bare(db, id)? else {
        return Ok(None);
    };
    let (sites, exposed) = match (sight.organization(), sight.site()) {
        (None, _) => return Ok(Some(module)),
        (Some(_), Some(site)) => counted(
            db,
            "SELECT count(*), ifnull(sum(sm.enabled = 1 AND v.exposed IS 1), 0) FROM site_modules AS sm
               JOIN module_versions AS v ON v.id = sm.version_id WHERE sm.module_id = ?1 AND sm.site_id = ?2",
            (id, site),
        )?,
        (Some(organization), None) => counted(
            db,
            "SELECT ifnull(sum(ov.sites), 0), ifnull(sum(iif(v.exposed IS 1, ov.enabled, 0)), 0)
             FROM module_versions AS v JOIN organization_versions AS ov ON ov.version_id = v.id
             WHERE v.module_id = ?1 AND ov.organization_id = ?2",
            (id, organization),
        )?,
    };
    module.sites_count = sites;
    module.exposed_sites_count = exposed;
    Ok((sites > 0).then_some(module))
}

fn counted(db: &Connection, sql: &str, ids: (i64, i64)) -> rusqlite::Result<(i64, i64)> {
    db.prepare_cached(sql)?
        .query_row(ids, |found| Ok((found.get(0)?, found.get(1)?)))
}

fn bare(db: &Connection, id: i64) -> rusqlite::Result<Option<Module>> {
    db.prepare_cached("SELECT * FROM modules WHERE id = ?1")?
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
