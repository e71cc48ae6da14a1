//! What sites run, read for people: rows of the inventory with their verdicts.

use rusqlite::{Connection, OptionalExtension, Row};

use super::Result;
use super::listing::{Ask, Column, Source, Wall, page_at_once};
use super::row::InOrder;
use crate::domain::listing::Page;
use crate::domain::site_module::{LIST, SiteModule};

/// The list of what a site runs.
pub static SOURCE: Source = Source {
    list: &LIST,
    from: "site_modules AS sm JOIN sites AS s ON s.id = sm.site_id JOIN modules AS m ON m.id = sm.module_id \
           JOIN module_versions AS v ON v.id = sm.version_id",
    drivers: &[],
    live: "s.deleted_at IS NULL",
    id: "sm.module_id",
    columns: Some(COLUMNS),
    wall: Wall::Owned {
        organization: "s.organization_id",
        site: Some("sm.site_id"),
    },
    fields: &[
        ("name", Column::Plain("m.name")),
        ("title", Column::Name("m.title")),
        ("type", Column::Plain("m.type")),
        ("module_id", Column::Plain("sm.module_id")),
        ("installed", Column::Plain("v.version")),
        ("enabled", Column::Plain("sm.enabled")),
        (
            "custom",
            Column::Words(&[
                ("true", "m.kind <> 'project'"),
                ("false", "m.kind = 'project'"),
            ]),
        ),
        ("status", Column::Standing("v.status")),
        ("reason", Column::Plain("v.reason")),
        ("recommended", Column::Plain("v.recommended")),
        ("exposed", Column::Plain("v.exposed")),
        (
            "update_available",
            Column::Words(&[
                (
                    "true",
                    "v.recommended IS NOT NULL AND v.recommended IS NOT v.version",
                ),
                (
                    "false",
                    "v.recommended IS NULL OR v.recommended IS v.version",
                ),
            ]),
        ),
        ("first_seen_at", Column::Plain("sm.first_seen_at")),
        ("updated_at", Column::Plain("sm.updated_at")),
    ],
    sorts: &[
        ("name", &["m.name"]),
        ("status", &["v.status"]),
        ("type", &["m.type"]),
        ("first_seen_at", &["sm.first_seen_at"]),
        ("updated_at", &["sm.updated_at"]),
    ],
    ties: &[("status", "m.name"), ("type", "m.name")],
    search: &["m.name", "m.title"],
    search_index: None,
    counted: &[],
};

/// One page of what a site runs.
///
/// # Errors
/// What SQLite says; [`StoreError::Corrupt`](super::StoreError::Corrupt) where a verdict cannot be read.
pub fn list(db: &Connection, ask: &Ask<'_>) -> Result<Page<SiteModule>> {
    page_at_once(db, &SOURCE, ask, read)
}

/// What [`read`] reads, in its order.
const COLUMNS: &str = "sm.module_id, m.name, m.title, m.type, m.kind <> 'project', v.version, sm.version_id, sm.enabled, v.verdict,
    sm.composer, sm.components, m.last_success_at, sm.first_seen_at, sm.updated_at, m.publication_id";

/// One module on one site.
///
/// # Errors
/// What SQLite says; [`StoreError::Corrupt`](super::StoreError::Corrupt) where a verdict cannot be read.
pub fn find(db: &Connection, site_id: i64, module_id: i64) -> Result<Option<SiteModule>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM site_modules AS sm JOIN modules AS m ON m.id = sm.module_id
           JOIN module_versions AS v ON v.id = sm.version_id WHERE sm.site_id = ?1 AND sm.module_id = ?2"
    );
    let mut prepared = db.prepare_cached(&sql)?;
    let mut rows = prepared.query([site_id, module_id])?;
    rows.next()?.map(read).transpose()
}

fn read(found: &Row<'_>) -> Result<SiteModule> {
    let mut found = InOrder::of(found);
    let (module_id, name, title) = (
        found.value()?,
        found.value::<String>()?,
        found.value::<String>()?,
    );
    Ok(SiteModule {
        module_id,
        title: if title.is_empty() {
            name.clone()
        } else {
            title
        },
        name,
        kind: found.value()?,
        custom: found.value()?,
        installed: found.value()?,
        version_id: found.value()?,
        enabled: found.value()?,
        judgement: serde_json::from_str(&found.value::<String>()?)?,
        composer: found.value()?,
        components: found.texts()?,
        checked_at: found.maybe_time()?,
        first_seen_at: found.time()?,
        updated_at: found.time()?,
        publication_id: found.value()?,
    })
}

/// The version of core that a site runs and the newest stored history of core: what compatibility is
/// worked out from.
///
/// # Errors
/// What SQLite says.
pub fn core_of(db: &Connection, site_id: i64) -> Result<Option<(String, i64)>> {
    let mut prepared = db.prepare_cached(
        "SELECT v.version, m.publication_id FROM sites AS s JOIN module_versions AS v ON v.id = s.core_version_id
           JOIN modules AS m ON m.id = v.module_id
         WHERE s.id = ?1 AND v.version IS NOT NULL AND m.publication_id IS NOT NULL",
    )?;
    Ok(prepared
        .query_row([site_id], |found| Ok((found.get(0)?, found.get(1)?)))
        .optional()?)
}
