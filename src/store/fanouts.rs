//! Sites that are to be told of versions that were judged anew: those that wait module by module, and
//! those that could not be told with the others.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::Result;
use super::time::{at, ms};

/// Remembers that the sites of these versions are to be told.
///
/// # Errors
/// What SQLite says.
pub fn request(db: &Connection, module_id: i64, versions: &[i64], now: Timestamp) -> Result<()> {
    let mut all = of_module(db, module_id)?.map_or_else(Vec::new, |waiting| waiting.versions);
    all.extend(versions);
    all.sort_unstable();
    all.dedup();
    db.prepare_cached(
        "INSERT INTO fanouts (module_id, requested_at, generation, version_ids) VALUES (?1, ?2, 1, ?3)
         ON CONFLICT DO UPDATE SET generation = generation + 1,
            version_ids = excluded.version_ids",
    )?
    .execute(params![module_id, ms(now), serde_json::to_string(&all)?])?;
    Ok(())
}

/// A fan-out that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fanout {
    /// Since when.
    pub requested_at: Timestamp,
    /// Which request it is: raised by each.
    pub generation: i64,
    /// For which versions.
    pub versions: Vec<i64>,
}

/// The fan-out that waits for a module.
///
/// # Errors
/// What SQLite says.
pub fn of_module(db: &Connection, module_id: i64) -> Result<Option<Fanout>> {
    let row: Option<(i64, i64, String)> = db
        .prepare_cached(
            "SELECT requested_at, generation, version_ids FROM fanouts WHERE module_id = ?1",
        )?
        .query_row([module_id], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    row.map(|(requested, generation, ids)| {
        Ok(Fanout {
            requested_at: at(requested),
            generation,
            versions: serde_json::from_str(&ids)?,
        })
    })
    .transpose()
}

/// A module with a fan-out that waits, the oldest first.
///
/// # Errors
/// What SQLite says.
pub fn next(db: &Connection) -> Result<Option<i64>> {
    Ok(db
        .prepare_cached("SELECT module_id FROM fanouts ORDER BY requested_at, module_id LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?)
}

/// Every site that runs one of these versions, or ran it, in order.
///
/// # Errors
/// What SQLite says.
pub fn sites(db: &Connection, versions: &[i64]) -> Result<Vec<i64>> {
    let mut sites = Vec::new();
    for table in ["site_modules", "module_runs"] {
        let mut query = db.prepare_cached(&format!(
            "SELECT site_id FROM {table} WHERE version_id = ?1"
        ))?;
        for version in versions {
            let rows = query.query_map([version], |row| row.get::<_, i64>(0))?;
            for site in rows {
                sites.push(site?);
            }
        }
    }
    sites.sort_unstable();
    sites.dedup();
    Ok(sites)
}

/// The modules of a site whose fan-out waits: id, name, and since when.
///
/// # Errors
/// What SQLite says.
pub fn untold(db: &Connection, site_id: i64) -> Result<Vec<(i64, String, Timestamp)>> {
    // Every unchanged sync asks this, and mostly nobody waits.
    let somebody: bool = db
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM fanouts) OR EXISTS (SELECT 1 FROM left_untold WHERE site_id = ?1)",
        )?
        .query_row([site_id], |row| row.get(0))?;
    if !somebody {
        return Ok(Vec::new());
    }
    let mut query = db.prepare_cached(
        "SELECT m.id, m.name, f.requested_at FROM fanouts AS f JOIN modules AS m ON m.id = f.module_id
         WHERE f.module_id IN (SELECT module_id FROM site_modules WHERE site_id = ?1
            UNION ALL SELECT module_id FROM module_runs WHERE site_id = ?1)
         UNION ALL SELECT m.id, m.name, l.requested_at FROM left_untold AS l JOIN modules AS m ON m.id = l.module_id
         WHERE l.site_id = ?1
         ORDER BY 3, 1",
    )?;
    let rows = query.query_map([site_id], |row| {
        Ok((row.get(0)?, row.get(1)?, at(row.get(2)?)))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The fan-out of a module is done, unless it was asked for again meanwhile.
///
/// # Errors
/// What SQLite says.
pub fn end(db: &Connection, module_id: i64, generation: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM fanouts WHERE module_id = ?1 AND generation = ?2")?
        .execute([module_id, generation])?;
    Ok(())
}

/// A site that could not be told with the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftUntold {
    /// The module.
    pub module_id: i64,
    /// The site.
    pub site_id: i64,
    /// Since when it waits.
    pub requested_at: Timestamp,
}

/// Remembers that a site could not be told, why, and when to try again.
///
/// # Errors
/// What SQLite says.
pub fn leave_untold(
    db: &Connection,
    left: &LeftUntold,
    error: &str,
    next_try_at: Timestamp,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO left_untold (module_id, site_id, requested_at, next_try_at, error) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET next_try_at = excluded.next_try_at, error = excluded.error",
    )?
    .execute(params![
        left.module_id,
        left.site_id,
        ms(left.requested_at),
        ms(next_try_at),
        error
    ])?;
    Ok(())
}

/// What a site was not told of a module, the oldest first.
///
/// # Errors
/// What SQLite says.
pub fn left_of(db: &Connection, site_id: i64, module_id: i64) -> Result<Vec<Timestamp>> {
    let mut query = db.prepare_cached(
        "SELECT requested_at FROM left_untold WHERE site_id = ?1 AND module_id = ?2 ORDER BY requested_at",
    )?;
    let rows = query.query_map([site_id, module_id], |row| Ok(at(row.get(0)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Sites that could not be told: id, name, the module's name, and since when; so many at most.
///
/// # Errors
/// What SQLite says.
pub fn all_left(db: &Connection, most: u32) -> Result<Vec<(i64, String, String, Timestamp)>> {
    let mut query = db.prepare_cached(
        "SELECT s.id, s.name, m.name, l.requested_at FROM left_untold AS l JOIN sites AS s ON s.id = l.site_id
         JOIN modules AS m ON m.id = l.module_id ORDER BY l.site_id, l.module_id, l.requested_at LIMIT ?1",
    )?;
    let rows = query.query_map([most], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, at(row.get(3)?)))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The site that is to be tried again first, where one is due.
///
/// # Errors
/// What SQLite says.
pub fn next_left(db: &Connection, now: Timestamp) -> Result<Option<LeftUntold>> {
    Ok(db
        .prepare_cached(
            "SELECT module_id, site_id, requested_at FROM left_untold WHERE next_try_at <= ?1 ORDER BY next_try_at LIMIT 1",
        )?
        .query_row([ms(now)], |row| {
            Ok(LeftUntold {
                module_id: row.get(0)?,
                site_id: row.get(1)?,
                requested_at: at(row.get(2)?),
            })
        })
        .optional()?)
}

/// A site was told after all.
///
/// # Errors
/// What SQLite says.
pub fn told_after_all(db: &Connection, site_id: i64, module_id: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM left_untold WHERE site_id = ?1 AND module_id = ?2")?
        .execute([site_id, module_id])?;
    Ok(())
}
