//! Reading the ledger for people: what is open, what has been.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::listing::{Ask, Column, Source, Wall, page};
use super::time::{at, ms};
use super::wall::within;
use super::{Result, advisories, row};
use crate::domain::access::Sight;
use crate::domain::advisory::shown::{AFFECTED, Affected};
use crate::domain::exposure::{Cause, CauseKind, Outcome};
use crate::domain::judgement::Judgement;
use crate::domain::listing::{Filter, Op, Page, Query, Value};
use crate::domain::window::{Assignee, LIST, Window};

/// A module with an open row.
#[derive(Debug, Clone)]
pub struct Open {
    /// Its name.
    pub module: String,
    /// What is installed.
    pub installed: Option<String>,
    /// The judgement on that.
    pub judgement: Judgement,
    /// By when.
    pub due_at: Option<Timestamp>,
}

/// The modules of a site with an open row, most urgent first.
///
/// # Errors
/// What SQLite says, or [`StoreError::Corrupt`](super::StoreError::Corrupt).
pub fn open(db: &Connection, site_id: i64) -> Result<Vec<Open>> {
    let mut query = db.prepare_cached(
        "SELECT m.name, v.version, v.verdict, min(e.due_at) FROM exposures AS e JOIN modules AS m ON m.id = e.module_id
            JOIN site_modules AS sm ON sm.site_id = e.site_id AND sm.module_id = e.module_id
            JOIN module_versions AS v ON v.id = sm.version_id
         WHERE e.site_id = ?1 AND e.closed_at IS NULL GROUP BY e.module_id ORDER BY min(e.due_at), m.name",
    )?;
    let mut rows = query.query([site_id])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let verdict: String = row.get(2)?;
        all.push(Open {
            module: row.get(0)?,
            installed: row.get(1)?,
            judgement: serde_json::from_str(&verdict)?,
            due_at: row.get::<_, Option<i64>>(3)?.map(at),
        });
    }
    Ok(all)
}

/// The windows that an advisory explains, now and ever.
pub static OF_ADVISORY: Source = Source {
    list: &AFFECTED,
    from: "exposure_advisories AS ea JOIN exposures AS e ON e.id = ea.exposure_id JOIN sites AS s ON s.id = e.site_id",
    drivers: &[],
    live: "s.deleted_at IS NULL",
    id: "e.id",
    columns: None,
    wall: Wall::Owned {
        organization: "e.organization_id",
        site: Some("e.site_id"),
    },
    fields: &[
        ("site_id", Column::Plain("e.site_id")),
        ("site", Column::Name("s.name")),
        ("organization_id", Column::Plain("e.organization_id")),
        ("environment", Column::Plain("e.environment")),
        ("state", Column::Words(STATES)),
        ("opened_at", Column::Plain("e.opened_at")),
        ("due_at", Column::Plain("e.due_at")),
        ("closed_at", Column::Plain("e.closed_at")),
    ],
    sorts: &[
        // What is open comes first, most urgent first.
        (
            "due_at",
            &[
                "ifnull(e.closed_at, 0)",
                "ifnull(e.due_at, 9223372036854775807)",
            ],
        ),
        ("site", &["s.name COLLATE NOCASE"]),
        ("opened_at", &["e.opened_at"]),
    ],
    ties: &[],
    search: &["s.name"],
    search_index: None,
    counted: &[],
};

/// One page of the windows that an advisory explains.
///
/// # Errors
/// What SQLite says; where a verdict cannot be read.
pub fn of_advisory(db: &Connection, ask: &Ask<'_>) -> Result<Page<Affected>> {
    page(db, &OF_ADVISORY, ask, |db, id| {
        let Some(window) = find(db, id)? else {
            return Ok(None);
        };
        let organization = window.organization.clone();
        Ok(Some(Affected {
            window,
            organization,
        }))
    })
}

/// The conditions that a state stands for.
const STATES: &[(&str, &str)] = &[
    ("open", "e.closed_at IS NULL"),
    (
        "overdue",
        "e.closed_at IS NULL AND unlikely(ifnull(e.due_at, 9223372036854775807) < {now})",
    ),
    ("met", "e.outcome = 'met'"),
    ("breached", "e.outcome = 'breached'"),
    ("withdrawn", "e.outcome = 'withdrawn'"),
    ("ended", "e.outcome = 'ended'"),
];

/// Of the open windows of a module on a site, the one whose clock runs out first: a person has one thing
/// to do there, however many causes there are.
const MOST_URGENT: &[(&str, &str)] = &[
    (
        "true",
        "EXISTS (SELECT 1 FROM open_pairs AS p WHERE p.site_id = e.site_id AND p.module_id = e.module_id AND p.exposure_id = e.id)",
    ),
    (
        "false",
        "NOT EXISTS (SELECT 1 FROM open_pairs AS p WHERE p.site_id = e.site_id AND p.module_id = e.module_id AND p.exposure_id = e.id)",
    ),
];

/// The list of exposures.
pub static SOURCE: Source = Source {
    list: &LIST,
    from: "exposures AS e",
    drivers: &[],
    live: "1",
    id: "e.id",
    columns: None,
    wall: Wall::Owned {
        organization: "e.organization_id",
        site: Some("e.site_id"),
    },
    fields: &[
        ("id", Column::Plain("e.id")),
        ("site_id", Column::Plain("e.site_id")),
        ("organization_id", Column::Plain("e.organization_id")),
        (
            "module",
            Column::Through("e.module_id", "SELECT id FROM modules WHERE name"),
        ),
        ("module_id", Column::Plain("e.module_id")),
        ("state", Column::Words(STATES)),
        ("cause", Column::Plain("e.cause_kind")),
        (
            "risk",
            Column::ByIndex(&Column::Plain("e.risk"), &Column::Plain("+e.risk")),
        ),
        (
            "no_fix",
            Column::Words(&[("true", "e.no_fix = 1"), ("false", "e.no_fix = 0")]),
        ),
        ("environment", Column::Plain("e.environment")),
        ("most_urgent", Column::Words(MOST_URGENT)),
        ("assignee_id", Column::Plain("e.assignee_id")),
        ("acknowledged_at", Column::Plain("e.acknowledged_at")),
        (
            "snoozed",
            Column::Words(&[
                ("true", "e.snoozed_until > {now}"),
                ("false", "likely(ifnull(e.snoozed_until, 0) <= {now})"),
            ]),
        ),
        ("published_at", Column::Plain("e.published_at")),
        ("opened_at", Column::Plain("e.opened_at")),
        ("known_at", Column::Plain("e.known_at")),
        (
            "due_at",
            Column::Until("e.due_at", "ifnull(e.due_at, 9223372036854775807)"),
        ),
        ("unproven_since", Column::Plain("e.unproven_since")),
        ("closed_at", Column::Plain("e.closed_at")),
        (
            "closed_by_patch_run_id",
            Column::Plain("e.closed_by_patch_run_id"),
        ),
    ],
    sorts: &[
        ("opened_at", &["e.opened_at"]),
        ("due_at", &["ifnull(e.due_at, 9223372036854775807)"]),
        ("id", &[]),
    ],
    ties: &[],
    search: &[],
    search_index: None,
    counted: &[],
};

/// The work list: the most urgent window of each module of a site, in the order in which they are due. An
/// index has that order, so windows are read for the rows of the page alone.
pub static WORK: Source = Source {
    list: &LIST,
    drivers: &[],
    live: "1",
    columns: None,
    ties: &[],
    search: &[],
    search_index: None,
    counted: &[],
    from: "open_pairs AS p LEFT JOIN exposures AS e ON e.id = p.exposure_id",
    id: "p.exposure_id",
    wall: Wall::Owned {
        organization: "p.organization_id",
        site: Some("p.site_id"),
    },
    fields: &[
        ("state", Column::Words(WORK_STATES)),
        ("most_urgent", Column::Words(&[("true", "1")])),
        ("organization_id", Column::Plain("p.organization_id")),
    ],
    sorts: &[("due_at", &["p.due_at"])],
};

/// What is open is what is listed.
const WORK_STATES: &[(&str, &str)] = &[("open", "1"), ("overdue", "p.due_at < {now}")];

/// Where a question about all windows in sight is answered: from the work list where nothing was asked but
/// what it has an index for.
pub fn source_of(query: &Query) -> &'static Source {
    if is_work(query) { &WORK } else { &SOURCE }
}

fn is_work(query: &Query) -> bool {
    let of_each_module = |filter: &Filter| {
        filter.field.name == "most_urgent" && filter.values == [Value::Word("true")]
    };
    let state = |filter: &Filter| {
        let known = |value: &Value| {
            let mut words = WORK_STATES.iter();
            words.any(|(word, _)| *value == Value::Word(word))
        };
        filter.field.name == "state" && filter.op == Op::Eq && filter.values.iter().all(known)
    };
    let organization =
        |filter: &Filter| filter.field.name == "organization_id" && filter.op == Op::Eq;
    query.filters.iter().any(of_each_module)
        && query.q.is_none()
        && query.sorts.first().is_some_and(|sort| sort.key == "due_at")
        && query.sorts.len() == 1
        && query
            .filters
            .iter()
            .all(|filter| of_each_module(filter) || state(filter) || organization(filter))
}

/// One page of exposures.
///
/// # Errors
/// What SQLite says.
pub fn list(db: &Connection, ask: &Ask<'_>) -> Result<Page<Window>> {
    let source = if ask.within.is_empty() {
        source_of(ask.query)
    } else {
        &SOURCE
    };
    page(db, source, ask, find)
}

/// Open windows that are spoken of apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aside {
    /// Those that somebody put aside until later.
    pub snoozed: i64,
    /// Those that nothing fixes yet.
    pub no_fix: i64,
}

/// How many there are. Each is counted by its own index, whatever the planner thinks of an empty one.
///
/// # Errors
/// What SQLite says.
pub fn aside(db: &Connection, sight: &Sight, now: Timestamp) -> Result<Aside> {
    Ok(db
        .prepare_cached(
            "SELECT
               (SELECT count(*) FROM exposures INDEXED BY exposures_snoozed WHERE closed_at IS NULL AND snoozed_until IS NOT NULL
                  AND snoozed_until > ?2 AND (?1 IS NULL OR organization_id IN (SELECT value FROM json_each(?1)))),
               (SELECT count(*) FROM exposures INDEXED BY exposures_no_fix WHERE closed_at IS NULL AND no_fix = 1
                  AND (?1 IS NULL OR organization_id IN (SELECT value FROM json_each(?1))))",
        )?
        .query_row(params![within(sight), ms(now)], |row| {
            Ok(Aside {
                snoozed: row.get(0)?,
                no_fix: row.get(1)?,
            })
        })?)
}

/// One exposure.
///
/// # Errors
/// What SQLite says; where a verdict cannot be read.
pub fn find(db: &Connection, id: i64) -> Result<Option<Window>> {
    let mut prepared = db.prepare_cached(
        "SELECT e.*, s.name AS site, o.name AS organization, m.name AS module,
           coalesce(nullif(m.title, ''), m.name) AS title, v.version, u.name AS assignee, c.version AS site_core,
           CASE WHEN m.type <> 'core' THEN m.publication_id END AS publication_id
         FROM exposures AS e JOIN sites AS s ON s.id = e.site_id JOIN organizations AS o ON o.id = e.organization_id
           JOIN modules AS m ON m.id = e.module_id JOIN module_versions AS v ON v.id = e.version_id
           LEFT JOIN users AS u ON u.id = e.assignee_id LEFT JOIN module_versions AS c ON c.id = s.core_version_id
         WHERE e.id = ?1",
    )?;
    let Some(mut window) = prepared.query_row([id], window).optional()? else {
        return Ok(None);
    };
    window.advisories = advisories::names_of(db, id)?;
    Ok(Some(window))
}

fn window(found: &Row<'_>) -> rusqlite::Result<Window> {
    let kind: String = found.get("cause_kind")?;
    let outcome: Option<String> = found.get("outcome")?;
    let cause = Cause {
        kind: CauseKind::from_word(&kind).unwrap_or(CauseKind::Project),
        id: found.get("cause")?,
    };
    Ok(Window {
        id: found.get("id")?,
        organization_id: found.get("organization_id")?,
        site_id: found.get("site_id")?,
        site: found.get("site")?,
        environment: found.get("environment")?,
        module_id: found.get("module_id")?,
        module: found.get("module")?,
        title: found.get("title")?,
        installed: found.get("version")?,
        no_fix: found.get("no_fix")?,
        fixed_in: cause.fix().map(str::to_owned).into_iter().collect(),
        cause,
        advisories: Vec::new(),
        risk: found.get("risk")?,
        published_at: row::maybe_time(found, "published_at")?,
        opened_at: row::time(found, "opened_at")?,
        known_at: row::time(found, "known_at")?,
        due_at: row::maybe_time(found, "due_at")?,
        unproven_since: row::maybe_time(found, "unproven_since")?,
        closed_at: row::maybe_time(found, "closed_at")?,
        outcome: outcome.as_deref().and_then(Outcome::from_word),
        closed_by_patch_run_id: found.get("closed_by_patch_run_id")?,
        organization: found.get("organization")?,
        assignee: assignee(found)?,
        assigned_at: row::maybe_time(found, "assigned_at")?,
        acknowledged_at: row::maybe_time(found, "acknowledged_at")?,
        snoozed_until: row::maybe_time(found, "snoozed_until")?,
        snooze_reason: found.get("snooze_reason")?,
        site_core: found.get("site_core")?,
        needs_core: None,
        publication_id: found.get("publication_id")?,
    })
}

fn assignee(found: &Row<'_>) -> rusqlite::Result<Option<Assignee>> {
    let (id, name): (Option<i64>, Option<String>) =
        (found.get("assignee_id")?, found.get("assignee")?);
    Ok(id.zip(name).map(|(id, name)| Assignee { id, name }))
}
