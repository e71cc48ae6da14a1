//! How far an advisory reaches among the sites in sight: counted windows, versions in use, and what
//! nobody can tell. Every question is bounded by the advisory or by its project's versions.

use jiff::Timestamp;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Result;
use super::time::{at, ms};
use super::wall::{list, within};
use crate::domain::access::Sight;
use crate::domain::advisory::reach::{Blind, Ground, InUse, Named, Span, Tally};
use crate::domain::judgement::Judgement;

/// How many sites in sight are through with an advisory; deleted ones are out of sight. At most `most` windows are counted.
///
/// # Errors
/// What SQLite says.
pub fn tally(
    db: &Connection,
    sight: &Sight,
    advisory_id: i64,
    now: Timestamp,
    most: u32,
) -> Result<Tally> {
    let (windows, mut tally): (i64, Tally) = db
        .prepare_cached(
            "SELECT ifnull(sum(windows), 0), ifnull(sum(open), 0), ifnull(sum(overdue), 0), ifnull(sum(unproven), 0),
                ifnull(sum(done AND NOT open), 0)
             FROM (SELECT count(*) AS windows, max(closed_at IS NULL) AS open,
                     max(closed_at IS NULL AND ifnull(due_at, 9223372036854775807) < ?4) AS overdue,
                     max(closed_at IS NULL AND unproven_since IS NOT NULL) AS unproven,
                     max(ifnull(outcome IN ('met', 'breached'), 0)) AS done
                   FROM (SELECT e.site_id, e.closed_at, e.due_at, e.unproven_since, e.outcome
                         FROM exposure_advisories AS ea JOIN exposures AS e ON e.id = ea.exposure_id JOIN sites AS s ON s.id = e.site_id
                         WHERE ea.advisory_id = ?1 AND s.deleted_at IS NULL AND (?2 IS NULL OR e.organization_id IN (SELECT value FROM json_each(?2))) AND (?3 IS NULL OR e.site_id = ?3)
                         LIMIT ?5)
                   GROUP BY site_id)",
        )?
        .query_row(
            params![
                advisory_id,
                within(sight),
                sight.site(),
                ms(now),
                i64::from(most) + 1
            ],
            |row| Ok((row.get(0)?, counted(row)?)),
        )?;
    tally.at_least = windows > i64::from(most);
    Ok(tally)
}

fn counted(row: &Row<'_>) -> rusqlite::Result<Tally> {
    Ok(Tally {
        open: row.get(1)?,
        overdue: row.get(2)?,
        unproven: row.get(3)?,
        done: row.get(4)?,
        at_least: false,
    })
}

/// The windows of sites in sight that an advisory explains, in time; `most` of them.
///
/// # Errors
/// What SQLite says.
pub fn course(db: &Connection, sight: &Sight, advisory_id: i64, most: u32) -> Result<Vec<Span>> {
    let mut query = db.prepare_cached(
        "SELECT e.opened_at, e.due_at, e.closed_at FROM exposure_advisories AS ea JOIN exposures AS e ON e.id = ea.exposure_id
            JOIN sites AS s ON s.id = e.site_id
         WHERE ea.advisory_id = ?1 AND s.deleted_at IS NULL AND (?2 IS NULL OR e.organization_id IN (SELECT value FROM json_each(?2))) AND (?3 IS NULL OR e.site_id = ?3) LIMIT ?4",
    )?;
    let within = params![advisory_id, within(sight), sight.site(), most];
    let found = query.query_map(within, |row| {
        Ok(Span {
            opened: at(row.get(0)?),
            due: row.get::<_, Option<i64>>(1)?.map(at),
            closed: row.get::<_, Option<i64>>(2)?.map(at),
        })
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// The versions of a module that sites in sight run, enabled, and what an advisory says of each: what it
/// names comes first, then what most run.
///
/// # Errors
/// What SQLite says; where a verdict cannot be read.
pub fn versions(
    db: &Connection,
    sight: &Sight,
    module_id: i64,
    advisory: &str,
) -> Result<Vec<InUse>> {
    let mut all = Vec::new();
    let mut take = |row: &Row<'_>| -> Result<()> {
        let verdict: String = row.get(2)?;
        let judgement: Judgement = serde_json::from_str(&verdict)?;
        all.push(InUse {
            id: row.get(0)?,
            version: row.get(1)?,
            named: Named::by(&judgement, advisory),
            sites: row.get(3)?,
        });
        Ok(())
    };
    let (sql, of) = match (sight.organizations(), sight.site()) {
        (_, Some(site)) => (
            "SELECT v.id, v.version, v.verdict, 1 FROM site_modules AS sm JOIN module_versions AS v ON v.id = sm.version_id
             WHERE sm.module_id = ?1 AND sm.site_id = ?2 AND sm.enabled = 1",
            Sql::Integer(site),
        ),
        (Some(mine), None) => (
            "SELECT v.id, v.version, v.verdict, sum(ov.enabled) FROM module_versions AS v
                JOIN organization_versions AS ov ON ov.version_id = v.id
             WHERE v.module_id = ?1 AND ov.organization_id IN (SELECT value FROM json_each(?2)) AND ov.enabled > 0 GROUP BY v.id",
            Sql::Text(list(mine)),
        ),
        (None, None) => (
            "SELECT id, version, verdict, enabled_count FROM module_versions
             WHERE module_id = ?1 AND enabled_count > ?2",
            Sql::Integer(0),
        ),
    };
    let mut query = db.prepare_cached(sql)?;
    let mut rows = query.query(params![module_id, of])?;
    while let Some(row) = rows.next()? {
        take(row)?;
    }
    all.sort_by_key(|version| (version.named, -version.sites, version.id));
    Ok(all)
}

/// Sites in sight that run a version, enabled, and have no open window that the advisory explains.
///
/// # Errors
/// What SQLite says.
pub fn blind(
    db: &Connection,
    sight: &Sight,
    version_id: i64,
    advisory_id: i64,
    most: u32,
) -> Result<Vec<Blind>> {
    let mut query = db.prepare_cached(
        "SELECT s.id, s.name, o.name, s.environment, v.version
         FROM site_modules AS sm JOIN sites AS s ON s.id = sm.site_id JOIN organizations AS o ON o.id = s.organization_id
            JOIN module_versions AS v ON v.id = sm.version_id
         WHERE sm.version_id = ?1 AND sm.enabled = 1 AND s.deleted_at IS NULL
            AND (?2 IS NULL OR s.organization_id IN (SELECT value FROM json_each(?2))) AND (?3 IS NULL OR s.id = ?3)
            AND NOT EXISTS (SELECT 1 FROM exposures AS e JOIN exposure_advisories AS ea ON ea.exposure_id = e.id
                WHERE e.site_id = sm.site_id AND e.module_id = sm.module_id AND e.closed_at IS NULL AND ea.advisory_id = ?4)
         LIMIT ?5",
    )?;
    let found = query.query_map(
        params![version_id, within(sight), sight.site(), advisory_id, most],
        |row| {
            Ok(Blind {
                site_id: row.get(0)?,
                site: row.get(1)?,
                organization: row.get(2)?,
                environment: row.get(3)?,
                installed: row.get(4)?,
            })
        },
    )?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Silent sites in sight that run a module, enabled; at most `most` are counted.
///
/// # Errors
/// What SQLite says.
pub fn silent(db: &Connection, sight: &Sight, module_id: i64, most: u32) -> Result<i64> {
    Ok(db
        .prepare_cached(
            "SELECT count(*) FROM
               (SELECT 1 FROM sites AS s CROSS JOIN site_modules AS sm ON sm.site_id = s.id AND sm.module_id = ?1 AND sm.enabled = 1
                WHERE s.deleted_at IS NULL AND s.silent_since IS NOT NULL
                   AND (?2 IS NULL OR s.organization_id IN (SELECT value FROM json_each(?2))) AND (?3 IS NULL OR s.id = ?3) LIMIT ?4)",
        )?
        .query_row(
            params![module_id, within(sight), sight.site(), most],
            |row| row.get(0),
        )?)
}

/// What is held of a module, as far as it limits what can be said.
///
/// # Errors
/// What SQLite says.
pub fn ground(db: &Connection, module_id: i64) -> Result<Option<Ground>> {
    Ok(db
        .prepare_cached(
            "SELECT feed_state = 'ok', stale, EXISTS (SELECT 1 FROM fanouts WHERE module_id = ?1)
               OR EXISTS (SELECT 1 FROM left_untold WHERE module_id = ?1) FROM modules WHERE id = ?1",
        )?
        .query_row([module_id], |row| {
            Ok(Ground {
                answered: row.get(0)?,
                stale: row.get(1)?,
                telling: row.get(2)?,
            })
        })
        .optional()?)
}

/// The newest advisories that stand and hit sites in sight: their numbers.
///
/// # Errors
/// What SQLite says.
pub fn newest(db: &Connection, sight: &Sight, most: u32) -> Result<Vec<i64>> {
    let found = match sight.organizations() {
        None => db
            .prepare_cached(
                "SELECT a.id FROM advisories AS a
                 WHERE a.withdrawn_at IS NULL AND EXISTS (SELECT 1 FROM exposure_advisories AS ea JOIN exposures AS e ON e.id = ea.exposure_id
                    JOIN sites AS s ON s.id = e.site_id WHERE ea.advisory_id = a.id AND s.deleted_at IS NULL)
                 ORDER BY a.published_at DESC, a.id DESC LIMIT ?1",
            )?
            .query_map([most], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>(),
        Some(mine) => db
            .prepare_cached(
                "SELECT a.id FROM advisories AS a
                 WHERE a.withdrawn_at IS NULL
                    AND EXISTS (SELECT 1 FROM organization_advisories AS oa WHERE oa.organization_id IN (SELECT value FROM json_each(?2)) AND oa.advisory_id = a.id)
                    AND EXISTS (SELECT 1 FROM exposure_advisories AS ea JOIN exposures AS e ON e.id = ea.exposure_id
                        JOIN sites AS s ON s.id = e.site_id
                        WHERE ea.advisory_id = a.id AND e.organization_id IN (SELECT value FROM json_each(?2)) AND s.deleted_at IS NULL)
                 ORDER BY a.published_at DESC, a.id DESC LIMIT ?1",
            )?
            .query_map(params![most, list(mine)], |row| row.get(0))?
            .collect(),
    };
    Ok(found?)
}
