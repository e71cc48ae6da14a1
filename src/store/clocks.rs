//! The clocks of windows: which are to be looked at, and what they and people have told.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::listing::{Ask, Column, Source, Wall, page};
use super::time::{at, ms};
use super::{Result, row};
use crate::domain::exposure_event::{ExposureEvent, LIST};
use crate::domain::listing::Page;

/// The list of what happened to a window.
pub static SOURCE: Source = Source {
    list: &LIST,
    from: "exposure_events AS v CROSS JOIN exposures AS e ON e.id = v.exposure_id",
    drivers: &[],
    live: "1",
    id: "v.id",
    columns: None,
    wall: Wall::Owned {
        organization: "e.organization_id",
        site: Some("e.site_id"),
    },
    fields: &[
        ("id", Column::Plain("v.id")),
        ("kind", Column::Plain("v.kind")),
        ("at", Column::Plain("v.at")),
        ("noticed_at", Column::Plain("v.noticed_at")),
    ],
    sorts: &[("at", &["v.at"])],
    ties: &[],
    search: &[],
    search_index: None,
    counted: &[],
};

/// A window whose clock is to be looked at.
#[derive(Debug, Clone, Copy)]
pub struct Ticking {
    /// The window.
    pub id: i64,
    /// Its site.
    pub site_id: i64,
    /// Whose site it is.
    pub organization_id: i64,
    /// When it opened.
    pub opened_at: Timestamp,
    /// By when it must be closed; `None`: nothing was promised.
    pub due_at: Option<Timestamp>,
    /// When it closed.
    pub closed_at: Option<Timestamp>,
    /// When its clock is looked at next; `None`: it has nothing more to tell.
    pub warn_at: Option<Timestamp>,
}

/// What a clock has told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// One of the kinds that clocks tell.
    pub kind: String,
    /// The instant itself.
    pub at: Timestamp,
    /// When it was noticed.
    pub noticed_at: Timestamp,
}

/// Sites with windows whose clocks are to be looked at by `now`, the longest waiting first; those of at most
/// so many windows.
///
/// # Errors
/// What SQLite says.
pub fn to_look_at(db: &Connection, now: Timestamp, most: u32) -> Result<Vec<i64>> {
    let mut query = db.prepare_cached(
        "SELECT site_id FROM exposures WHERE warn_at <= ?1 ORDER BY warn_at LIMIT ?2",
    )?;
    let rows = query.query_map(params![ms(now), most], |row| row.get(0))?;
    let mut sites: Vec<i64> = Vec::new();
    for site in rows {
        let site = site?;
        if !sites.contains(&site) {
            sites.push(site);
        }
    }
    Ok(sites)
}

/// The windows of one site whose clocks are to be looked at by `now`, in the order in which they were written.
///
/// # Errors
/// What SQLite says.
pub fn of_site(db: &Connection, site_id: i64, now: Timestamp) -> Result<Vec<Ticking>> {
    let mut query = db.prepare_cached(
        "SELECT id, site_id, organization_id, opened_at, due_at, closed_at, warn_at FROM exposures
         WHERE site_id = ?1 AND warn_at <= ?2 ORDER BY id",
    )?;
    let rows = query.query_map(params![site_id, ms(now)], ticking)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn ticking(row: &Row<'_>) -> rusqlite::Result<Ticking> {
    Ok(Ticking {
        id: row.get(0)?,
        site_id: row.get(1)?,
        organization_id: row.get(2)?,
        opened_at: at(row.get(3)?),
        due_at: row.get::<_, Option<i64>>(4)?.map(at),
        closed_at: row.get::<_, Option<i64>>(5)?.map(at),
        warn_at: row.get::<_, Option<i64>>(6)?.map(at),
    })
}

/// Every window, site by site, with what its clock has told. For `dewline check`, on its copy.
///
/// # Errors
/// What SQLite or the closure says.
pub fn all(db: &Connection, mut each: impl FnMut(Ticking, &[Mark]) -> Result<()>) -> Result<()> {
    let mut windows = db.prepare_cached(
        "SELECT id, site_id, organization_id, opened_at, due_at, closed_at, warn_at FROM exposures ORDER BY site_id, module_id",
    )?;
    let mut told = db.prepare_cached(
        "SELECT kind, at, noticed_at FROM exposure_events WHERE exposure_id = ?1 AND kind IN ('half', 'three_quarters', 'due')",
    )?;
    let mut rows = windows.query([])?;
    while let Some(row) = rows.next()? {
        let window = ticking(row)?;
        let marks = told
            .query_map([window.id], |row| {
                Ok(Mark {
                    kind: row.get(0)?,
                    at: at(row.get(1)?),
                    noticed_at: at(row.get(2)?),
                })
            })?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        each(window, &marks)?;
    }
    Ok(())
}

/// A clock has passed a mark. Told before, it stays as it was told, and this is `false`.
///
/// # Errors
/// What SQLite says.
pub fn pass(
    db: &Connection,
    exposure_id: i64,
    kind: &str,
    at: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    let written = db.prepare_cached(
        "INSERT INTO exposure_events (exposure_id, kind, at, noticed_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (exposure_id, kind) WHERE kind IN ('half', 'three_quarters', 'due') DO NOTHING",
    )?
    .execute(params![exposure_id, kind, ms(at), ms(now)])?;
    Ok(written > 0)
}

/// When to look at a clock again; `None`: it has nothing more to tell.
///
/// # Errors
/// What SQLite says.
pub fn look_again(db: &Connection, exposure_id: i64, next: Option<Timestamp>) -> Result<()> {
    db.prepare_cached("UPDATE exposures SET warn_at = ?2 WHERE id = ?1")?
        .execute(params![exposure_id, next.map(ms)])?;
    Ok(())
}

/// One page of what happened to a window.
///
/// # Errors
/// What SQLite says.
pub fn events(db: &Connection, ask: &Ask<'_>) -> Result<Page<ExposureEvent>> {
    page(db, &SOURCE, ask, event)
}

fn event(db: &Connection, id: i64) -> Result<Option<ExposureEvent>> {
    let mut query = db.prepare_cached(
        "SELECT id, exposure_id, kind, at, noticed_at, nullif(actor_name, '') AS by, note FROM exposure_events WHERE id = ?1",
    )?;
    let mut rows = query.query([id])?;
    rows.next()?.map(read).transpose().map_err(Into::into)
}

fn read(found: &Row<'_>) -> rusqlite::Result<ExposureEvent> {
    Ok(ExposureEvent {
        id: found.get("id")?,
        exposure_id: found.get("exposure_id")?,
        kind: found.get("kind")?,
        at: row::time(found, "at")?,
        noticed_at: row::time(found, "noticed_at")?,
        by: found.get("by")?,
        note: found.get("note")?,
    })
}
