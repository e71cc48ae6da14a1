//! What the dashboards of security and of one site count.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use super::Result;
use super::wall::within;
use crate::domain::access::Sight;

/// A module with open windows: id, name, sites, windows.
pub type OpenModule = (i64, String, i64, i64);

/// Those on the most sites.
///
/// # Errors
/// What SQLite says.
pub fn by_module(db: &Connection, sight: &Sight, most: u32) -> Result<Vec<OpenModule>> {
    let mut statement = db.prepare_cached(
        "SELECT m.id, m.name, w.sites, (SELECT count(*) FROM exposures AS e WHERE e.module_id = m.id AND e.closed_at IS NULL
             AND (?1 IS NULL OR e.organization_id IN (SELECT value FROM json_each(?1)))) AS open FROM
           (SELECT p.module_id, count(*) AS sites FROM open_pairs AS p
            WHERE ?1 IS NULL OR p.organization_id IN (SELECT value FROM json_each(?1))
            GROUP BY p.module_id ORDER BY sites DESC, p.module_id LIMIT ?2) AS w
         CROSS JOIN modules AS m ON m.id = w.module_id ORDER BY w.sites DESC, open DESC, m.name",
    )?;
    let found = statement.query_map(params![within(sight), most], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// An organization with open windows: id, name, its (site, module) pairs with one, those past due.
pub type OpenOrganization = (i64, String, i64, i64);

/// Those, in the order of their names.
///
/// # Errors
/// What SQLite says.
pub fn by_organization(db: &Connection, sight: &Sight, now: i64) -> Result<Vec<OpenOrganization>> {
    let mut statement = db.prepare_cached(
        "SELECT o.id, o.name, sum(d.pairs), sum(d.pairs * (d.day < ?2 / 86400000)) FROM organizations AS o
           CROSS JOIN open_pair_days AS d ON d.organization_id = o.id
         WHERE o.deleted_at IS NULL AND (?1 IS NULL OR o.id IN (SELECT value FROM json_each(?1)))
         GROUP BY o.id ORDER BY o.name COLLATE NOCASE, o.id",
    )?;
    let found = statement.query_map(params![within(sight), now], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    })?;
    let mut all: Vec<OpenOrganization> = found.collect::<rusqlite::Result<_>>()?;
    // Of what is due today, some is past due by now.
    let mut today = db.prepare_cached(
        "SELECT organization_id, count(*) FROM open_pairs
         WHERE due_at >= ?2 / 86400000 * 86400000 AND due_at < ?2 AND (?1 IS NULL OR organization_id IN (SELECT value FROM json_each(?1)))
         GROUP BY +organization_id",
    )?;
    let late = today.query_map(params![within(sight), now], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    let late: HashMap<i64, i64> = late.collect::<rusqlite::Result<_>>()?;
    for (id, _, _, overdue) in &mut all {
        *overdue += late.get(id).copied().unwrap_or_default();
    }
    Ok(all)
}

/// When the oldest open window opened, milliseconds.
///
/// # Errors
/// What SQLite says.
pub fn oldest(db: &Connection, sight: &Sight) -> Result<Option<i64>> {
    let mut statement = db.prepare_cached(
        "SELECT e.opened_at FROM exposures AS e
         WHERE e.closed_at IS NULL AND (?1 IS NULL OR e.organization_id IN (SELECT value FROM json_each(?1)))
         ORDER BY e.opened_at LIMIT 1",
    )?;
    let mut found = statement.query_map([within(sight)], |row| row.get(0))?;
    Ok(found.next().transpose()?)
}

/// How long those windows of production were open, milliseconds, that a fix closed from then to before
/// then; the newest of them, at most so many.
///
/// # Errors
/// What SQLite says.
pub fn took(
    db: &Connection,
    sight: &Sight,
    (from, until): (i64, i64),
    most: u32,
) -> Result<Vec<i64>> {
    let mut statement = db.prepare_cached(
        "SELECT e.closed_at - e.opened_at FROM exposures AS e
         WHERE e.closed_at >= ?2 AND e.closed_at < ?4 AND e.outcome IN ('met', 'breached') AND e.environment = 'production'
           AND (?1 IS NULL OR e.organization_id IN (SELECT value FROM json_each(?1)))
         ORDER BY e.closed_at DESC LIMIT ?3",
    )?;
    let found = statement.query_map(params![within(sight), from, most, until], |row| row.get(0))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// The modules that a site runs enabled, by the rank of their status: (rank, modules).
///
/// # Errors
/// What SQLite says.
pub fn modules_by_status(db: &Connection, site_id: i64) -> Result<Vec<(i64, i64)>> {
    let mut statement = db.prepare_cached(
        "SELECT v.status, count(*) FROM site_modules AS sm CROSS JOIN module_versions AS v ON v.id = sm.version_id
         WHERE sm.site_id = ?1 AND sm.enabled = 1 GROUP BY v.status",
    )?;
    let found = statement.query_map([site_id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}
