//! What happened on sites, read for people: syncs, events, patch runs, refused syncs. All of them
//! are written in the order of time, so that their ids are in that order too.

use rusqlite::{Connection, OptionalExtension, Row};

use super::listing::{Ask, Column, Source, Wall, page};
use super::{Result, row};
use crate::domain::history::{
    Announced, EVENTS, Event, PATCH_RUNS, PatchChange, PatchRun, RefusedSync, SYNCS, Sync,
};
use crate::domain::listing::Page;

/// The list of a site's syncs.
pub static SYNCS_SOURCE: Source = Source {
    list: &SYNCS,
    from: "syncs AS y CROSS JOIN sites AS s ON s.id = y.site_id",
    drivers: &[],
    live: "s.deleted_at IS NULL",
    id: "y.id",
    columns: None,
    wall: Wall::Owned {
        organization: "s.organization_id",
        site: Some("y.site_id"),
    },
    fields: &[
        ("id", Column::Plain("y.id")),
        ("received_at", Column::Plain("y.received_at")),
        ("generated_at", Column::Plain("y.generated_at")),
        ("source", Column::Plain("y.source")),
        ("patch_run_id", Column::Plain("y.patch_run_id")),
    ],
    sorts: &[("id", &[]), ("received_at", &[])],
    ties: &[],
    search: &[],
    search_index: None,
    counted: &[],
};

/// The list of a site's events.
pub static EVENTS_SOURCE: Source = Source {
    list: &EVENTS,
    from: "events AS n",
    drivers: &[],
    live: "1",
    id: "n.id",
    columns: None,
    wall: Wall::Owned {
        organization: "n.organization_id",
        site: Some("n.site_id"),
    },
    fields: &[
        ("id", Column::Plain("n.id")),
        ("occurred_at", Column::Plain("n.occurred_at")),
        ("kind", Column::Plain("n.kind")),
        (
            "module",
            Column::Through("+n.module_id", "SELECT id FROM modules WHERE name"),
        ),
        ("sync_id", Column::Plain("n.sync_id")),
    ],
    sorts: &[("id", &[]), ("occurred_at", &[])],
    ties: &[],
    search: &[],
    search_index: None,
    counted: &[],
};

/// The conditions that a patch run's state stands for.
const RUN_STATES: &[(&str, &str)] = &[
    ("claimed", "p.sync_id IS NULL"),
    (
        "proved",
        "p.sync_id IS NOT NULL AND p.announced_at IS NOT NULL",
    ),
    ("unattributed", "p.announced_at IS NULL"),
];

/// The list of patch runs.
pub static PATCH_RUNS_SOURCE: Source = Source {
    list: &PATCH_RUNS,
    from: "patch_runs AS p",
    drivers: &[],
    live: "1",
    id: "p.id",
    columns: None,
    wall: Wall::Owned {
        organization: "p.organization_id",
        site: Some("p.site_id"),
    },
    fields: &[
        ("id", Column::Plain("p.id")),
        ("site_id", Column::Plain("p.site_id")),
        ("organization_id", Column::Plain("p.organization_id")),
        ("run_date", Column::Plain("p.run_at")),
        ("modules_updated", Column::Plain("p.modules_updated")),
        (
            "security_patches_applied",
            Column::Plain("p.security_patches_applied"),
        ),
        ("state", Column::Words(RUN_STATES)),
    ],
    sorts: &[("run_date", &["p.run_at"]), ("id", &[])],
    ties: &[],
    search: &[],
    search_index: None,
    counted: &[],
};

/// One page of syncs.
///
/// # Errors
/// What SQLite says.
pub fn syncs(db: &Connection, ask: &Ask<'_>) -> Result<Page<Sync>> {
    page(db, &SYNCS_SOURCE, ask, sync)
}

/// One sync.
///
/// # Errors
/// What SQLite says.
pub fn sync(db: &Connection, id: i64) -> Result<Option<Sync>> {
    let mut prepared = db.prepare_cached(
        "SELECT id, site_id, received_at, generated_at, agent, source, total, added, updated, downgraded, removed,
           unchanged, patch_run_id FROM syncs WHERE id = ?1",
    )?;
    let found = prepared.query_row([id], |found| {
        Ok(Sync {
            id: found.get("id")?,
            site_id: found.get("site_id")?,
            received_at: row::time(found, "received_at")?,
            generated_at: row::time(found, "generated_at")?,
            agent: found.get("agent")?,
            source: found.get("source")?,
            total: found.get("total")?,
            added: found.get("added")?,
            updated: found.get("updated")?,
            downgraded: found.get("downgraded")?,
            removed: found.get("removed")?,
            unchanged: found.get("unchanged")?,
            patch_run_id: found.get("patch_run_id")?,
        })
    });
    Ok(found.optional()?)
}

/// One page of events.
///
/// # Errors
/// What SQLite says.
pub fn events(db: &Connection, ask: &Ask<'_>) -> Result<Page<Event>> {
    page(db, &EVENTS_SOURCE, ask, event)
}

fn event(db: &Connection, id: i64) -> Result<Option<Event>> {
    let mut prepared = db.prepare_cached(
        "SELECT n.id, n.site_id, n.sync_id, n.occurred_at, n.kind, n.module_id, m.name,
           coalesce(nullif(m.title, ''), m.name) AS title, n.from_version, n.to_version
         FROM events AS n JOIN modules AS m ON m.id = n.module_id WHERE n.id = ?1",
    )?;
    let found = prepared.query_row([id], |found| {
        Ok(Event {
            id: found.get("id")?,
            site_id: found.get("site_id")?,
            sync_id: found.get("sync_id")?,
            occurred_at: row::time(found, "occurred_at")?,
            kind: found.get("kind")?,
            module_id: found.get("module_id")?,
            module: found.get("name")?,
            title: found.get("title")?,
            from: found.get("from_version")?,
            to: found.get("to_version")?,
        })
    });
    Ok(found.optional()?)
}

/// One page of patch runs.
///
/// # Errors
/// What SQLite says.
pub fn patch_runs(db: &Connection, ask: &Ask<'_>) -> Result<Page<PatchRun>> {
    page(db, &PATCH_RUNS_SOURCE, ask, |db, id| {
        Ok(patch_run(db, id)?.map(|(_, run)| run))
    })
}

/// One patch run, and the organization it belongs to.
///
/// # Errors
/// What SQLite says.
pub fn patch_run(db: &Connection, id: i64) -> Result<Option<(i64, PatchRun)>> {
    let mut prepared = db.prepare_cached(
        "SELECT p.*, s.name AS site, coalesce(
            (SELECT name FROM users WHERE id = CAST(substr(p.announced_by, 6) AS INTEGER) AND p.announced_by LIKE 'user:%'),
            (SELECT name FROM api_keys WHERE id = CAST(substr(p.announced_by, 5) AS INTEGER) AND p.announced_by LIKE 'key:%'),
            p.announced_by) AS announcer
         FROM patch_runs AS p JOIN sites AS s ON s.id = p.site_id WHERE p.id = ?1",
    )?;
    let found = prepared.query_row([id], |found| {
        let run = PatchRun {
            id: found.get("id")?,
            site_id: found.get("site_id")?,
            site: found.get("site")?,
            run_at: row::time(found, "run_at")?,
            modules_updated: found.get("modules_updated")?,
            modules_downgraded: found.get("modules_downgraded")?,
            security_patches_applied: found.get("security_patches_applied")?,
            changes: Vec::new(),
            sync_id: found.get("sync_id")?,
            announced: announced(found)?,
        };
        Ok((found.get("organization_id")?, run))
    });
    let Some((organization, mut run)) = found.optional()? else {
        return Ok(None);
    };
    if let Some(sync) = run.sync_id {
        run.changes = changes(db, sync)?;
    }
    Ok(Some((organization, run)))
}

fn announced(found: &Row<'_>) -> rusqlite::Result<Option<Announced>> {
    let times = (
        row::maybe_time(found, "announced_at")?,
        row::maybe_time(found, "started_at")?,
    );
    let (Some(at), Some(started_at)) = times else {
        return Ok(None);
    };
    Ok(Some(Announced {
        at,
        by: found.get("announcer")?,
        performed_by: found.get("performed_by")?,
        ticket: found.get("ticket")?,
        commit: found.get("commit_ref")?,
        started_at,
        finished_at: row::maybe_time(found, "finished_at")?,
    }))
}

fn changes(db: &Connection, sync_id: i64) -> Result<Vec<PatchChange>> {
    let mut prepared = db.prepare_cached(
        "SELECT m.name, n.from_version, n.to_version, n.kind FROM events AS n JOIN modules AS m ON m.id = n.module_id
         WHERE n.sync_id = ?1 ORDER BY n.id",
    )?;
    let read = |found: &Row<'_>| {
        Ok(PatchChange {
            module: found.get(0)?,
            from: found.get(1)?,
            to: found.get(2)?,
            kind: found.get(3)?,
        })
    };
    let rows = prepared.query_map([sync_id], read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The newest syncs of a site that were refused, newest first.
///
/// # Errors
/// What SQLite says.
pub fn refused(db: &Connection, site_id: i64, most: u32) -> Result<Vec<RefusedSync>> {
    let mut prepared = db.prepare_cached(
        "SELECT received_at, status, code, detail, address FROM refused_syncs WHERE site_id = ?1 ORDER BY id DESC LIMIT ?2",
    )?;
    let rows = prepared.query_map((site_id, most), |found| {
        Ok(RefusedSync {
            received_at: row::time(found, "received_at")?,
            status: found.get("status")?,
            code: found.get("code")?,
            detail: found.get("detail")?,
            address: found.get("address")?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
