//! Which sites run a module, read for people: found by the module's versions, or among the sites of
//! one organization, whichever are fewer.

use rusqlite::{Connection, OptionalExtension, params};

use super::listing::{Ask, Column, Source, Wall, page};
use super::{Result, exposures};
use crate::domain::affected_site::{AffectedSite, LIST};
use crate::domain::judgement::Judgement;
use crate::domain::listing::{Op, Page, Value};

const WALL: Wall = Wall::Owned {
    organization: "s.organization_id",
    site: Some("sm.site_id"),
};

const FIELDS: &[(&str, Column)] = &[
    ("site_id", Column::Plain("sm.site_id")),
    ("site", Column::Name("s.name")),
    ("organization_id", Column::Plain("s.organization_id")),
    ("environment", Column::Plain("s.environment")),
    ("installed", Column::Plain("v.version")),
    ("enabled", Column::Plain("sm.enabled")),
    ("exposed", Column::Plain("v.exposed")),
    (
        "state",
        Column::Words(&[
            ("open", "e.id IS NOT NULL AND e.closed_at IS NULL"),
            ("overdue", "e.closed_at IS NULL AND e.due_at < {now}"),
            ("met", "e.outcome = 'met'"),
            ("breached", "e.outcome = 'breached'"),
            ("withdrawn", "e.outcome = 'withdrawn'"),
            ("ended", "e.outcome = 'ended'"),
        ]),
    ),
    ("opened_at", Column::Plain("e.opened_at")),
    ("due_at", Column::Plain("e.due_at")),
    ("closed_at", Column::Plain("e.closed_at")),
];

const SORTS: &[(&str, &[&str])] = &[
    ("installed", &["ifnull(v.version, char(0))", "v.datestamp"]),
    ("site", &["s.name COLLATE NOCASE", "s.environment"]),
    (
        "due_at",
        &[
            "e.closed_at IS NOT NULL",
            "ifnull(e.due_at, 9223372036854775807)",
        ],
    ),
];

/// The sites of everybody that run a module. The window that counts is the open one that is due
/// first, else the newest.
pub static SOURCE: Source = Source {
    list: &LIST,
    from: "module_versions AS v CROSS JOIN site_modules AS sm ON sm.version_id = v.id CROSS JOIN sites AS s ON s.id = sm.site_id \
           LEFT JOIN exposures AS e ON e.id = (SELECT w.id FROM exposures AS w WHERE w.site_id = sm.site_id AND w.module_id = sm.module_id \
             ORDER BY w.closed_at IS NOT NULL, ifnull(w.due_at, 9223372036854775807) * (w.closed_at IS NULL), w.opened_at DESC, w.id DESC LIMIT 1)",
    drivers: &[],
    live: "s.deleted_at IS NULL",
    id: "sm.site_id",
    columns: None,
    wall: WALL,
    fields: FIELDS,
    sorts: SORTS,
    ties: &[],
    search: &["s.name"],
    search_index: None,
    counted: &[],
};

/// The same within one organization.
pub static OF_ORGANIZATION: Source = Source {
    list: &LIST,
    from: "sites AS s CROSS JOIN site_modules AS sm ON sm.site_id = s.id CROSS JOIN module_versions AS v ON v.id = sm.version_id \
           LEFT JOIN exposures AS e ON e.id = (SELECT w.id FROM exposures AS w WHERE w.site_id = sm.site_id AND w.module_id = sm.module_id \
             ORDER BY w.closed_at IS NOT NULL, ifnull(w.due_at, 9223372036854775807) * (w.closed_at IS NULL), w.opened_at DESC, w.id DESC LIMIT 1)",
    drivers: &[],
    live: "s.deleted_at IS NULL",
    id: "sm.site_id",
    columns: None,
    wall: WALL,
    fields: FIELDS,
    sorts: SORTS,
    ties: &[],
    search: &["s.name"],
    search_index: None,
    counted: &[],
};

/// One page of the sites in sight that run a module.
///
/// # Errors
/// What SQLite says.
pub fn list(db: &Connection, module_id: i64, ask: &Ask<'_>) -> Result<Page<AffectedSite>> {
    let load = |db: &Connection, site_id| find(db, module_id, site_id);
    match only_organization(ask) {
        Some(organization) => {
            let within = [
                ("sm.module_id", module_id),
                ("s.organization_id", organization),
            ];
            let ask = Ask {
                within: &within,
                ..*ask
            };
            page(db, &OF_ORGANIZATION, &ask, load)
        }
        None => {
            let within = [("v.module_id", module_id)];
            let ask = Ask {
                within: &within,
                ..*ask
            };
            page(db, &SOURCE, &ask, load)
        }
    }
}

/// The one organization that is in sight or asked for.
fn only_organization(ask: &Ask<'_>) -> Option<i64> {
    ask.sight.only_organization().or_else(|| {
        ask.query.filters.iter().find_map(|filter| {
            match (filter.field.name, filter.op, filter.values.as_slice()) {
                ("organization_id", Op::Eq, [Value::Integer(id)]) => Some(*id),
                _ => None,
            }
        })
    })
}

fn find(db: &Connection, module_id: i64, site_id: i64) -> Result<Option<AffectedSite>> {
    let mut prepared = db.prepare_cached(
        "SELECT s.name, s.organization_id, o.name, s.environment, m.name, v.version, sm.enabled, v.verdict,
           (SELECT w.id FROM exposures AS w WHERE w.site_id = sm.site_id AND w.module_id = sm.module_id
            ORDER BY w.closed_at IS NOT NULL, ifnull(w.due_at, 9223372036854775807) * (w.closed_at IS NULL), w.opened_at DESC,
              w.id DESC LIMIT 1)
         FROM site_modules AS sm JOIN sites AS s ON s.id = sm.site_id JOIN organizations AS o ON o.id = s.organization_id
           JOIN modules AS m ON m.id = sm.module_id JOIN module_versions AS v ON v.id = sm.version_id
         WHERE sm.site_id = ?1 AND sm.module_id = ?2",
    )?;
    let found = prepared
        .query_row(params![site_id, module_id], |row| {
            let site = AffectedSite {
                site_id,
                site: row.get(0)?,
                organization_id: row.get(1)?,
                organization: row.get(2)?,
                environment: row.get(3)?,
                module: row.get(4)?,
                installed: row.get(5)?,
                enabled: row.get(6)?,
                exposed: None,
                fixed_in: Vec::new(),
                window: None,
            };
            Ok((
                site,
                row.get::<_, String>(7)?,
                row.get::<_, Option<i64>>(8)?,
            ))
        })
        .optional()?;
    let Some((mut site, verdict, window)) = found else {
        return Ok(None);
    };
    let judged: Judgement = serde_json::from_str(&verdict)?;
    site.exposed = judged.exposed();
    site.fixed_in = judged.fixed_in();
    if let Some(window) = window {
        site.window = exposures::find(db, window)?;
    }
    Ok(Some(site))
}
