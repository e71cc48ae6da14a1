//! Security advisories, every form in which they were told, and which windows each explains.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::listing::{Ask, Column, Counted, Source, Wall, page};
use super::time::{at, ms};
use super::{Result, blob, row, wall};
use crate::domain::access::Sight;
use crate::domain::advisory::Record;
use crate::domain::advisory::shown::{LIST, Shown};
use crate::domain::exposure::Risk;
use crate::domain::listing::Page;

/// An advisory as it is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its number here.
    pub id: i64,
    /// What is known of it.
    pub record: Record,
    /// Since when its risk is known.
    pub risk_known_at: Option<Timestamp>,
    /// Since when it names the versions that it names, and stands.
    pub versions_known_at: Timestamp,
    /// Since when it is known to be taken back.
    pub withdrawn_at: Option<Timestamp>,
}

/// The advisory of that name.
///
/// # Errors
/// What SQLite says; where its newest form can't be read back.
pub fn held(db: &Connection, name: &str) -> Result<Option<Held>> {
    let mut query = db.prepare_cached(
        "SELECT a.id, r.document, a.risk_known_at, a.versions_known_at, a.withdrawn_at
         FROM advisories AS a JOIN advisory_revisions AS r ON r.id = a.revision_id WHERE a.name = ?1",
    )?;
    let mut rows = query.query([name])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    Ok(Some(Held {
        id: row.get(0)?,
        record: blob::unpack(&row.get::<_, Vec<u8>>(1)?)?,
        risk_known_at: row.get::<_, Option<i64>>(2)?.map(at),
        versions_known_at: at(row.get(3)?),
        withdrawn_at: row.get::<_, Option<i64>>(4)?.map(at),
    }))
}

/// Keeps a form of an advisory that differs from the one before, and makes it the newest; gives the
/// number of the form.
///
/// # Errors
/// What SQLite says.
pub fn keep(
    db: &Connection,
    record: &Record,
    hash: &[u8],
    before: Option<&Held>,
    now: Timestamp,
) -> Result<i64> {
    let risk_known_at = match before {
        _ if record.score.is_none() => None,
        Some(held) if held.record.risk() == record.risk() => held.risk_known_at,
        _ => Some(now),
    };
    let same_versions = |held: &Held| {
        (&held.record.affected_versions, &held.record.ranges)
            == (&record.affected_versions, &record.ranges)
    };
    // What was taken back counted against nobody meanwhile: it is news when it comes back.
    let comes_back = |held: &Held| held.record.withdrawn && !record.withdrawn;
    let versions_known_at = before
        .filter(|held| same_versions(held) && !comes_back(held))
        .map_or(now, |held| held.versions_known_at);
    let withdrawn_at = record
        .withdrawn
        .then(|| before.and_then(|held| held.withdrawn_at).unwrap_or(now));
    let id = match before {
        Some(held) => held.id,
        None => {
            db.prepare_cached(
                "INSERT INTO advisories (name, project, title, kind, psa, cves, published_at, changed_at, fixed_in, url, known_at,
                    versions_known_at, revision_id, updated_at)
                 VALUES (?1, '', '', '', 0, '[]', 0, 0, '[]', '', ?2, ?2, 0, ?2)",
            )?
            .execute(params![record.id, ms(now)])?;
            db.last_insert_rowid()
        }
    };
    db.prepare_cached(
        "INSERT INTO advisory_revisions (advisory_id, received_at, content_hash, document) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![id, ms(now), hash, blob::pack(record)?])?;
    let revision = db.last_insert_rowid();
    db.prepare_cached(
        "UPDATE advisories SET project = ?2, title = ?3, kind = ?4, psa = ?5, risk = ?6, score = ?7, vector = ?8,
            risk_known_at = ?9, cves = ?10, published_at = ?11, changed_at = ?12, affected_versions = ?13, fixed_in = ?14,
            url = ?15, nid = ?16, project_nid = ?17, withdrawn_at = ?18, revision_id = ?19, versions_known_at = ?20, updated_at = ?21
         WHERE id = ?1",
    )?
    .execute(params![
        id,
        record.project,
        record.title,
        record.kind,
        record.psa,
        record.risk().map(Risk::word),
        record.score,
        record.vector,
        risk_known_at.map(ms),
        serde_json::to_string(&record.cves)?,
        record.published.saturating_mul(1000),
        record.changed.saturating_mul(1000),
        record.affected_versions,
        serde_json::to_string(&record.fixed_in)?,
        record.url,
        record.nid,
        record.project_nid,
        withdrawn_at.map(ms),
        revision,
        ms(versions_known_at),
        ms(now)
    ])?;
    Ok(revision)
}

/// One form of an advisory.
///
/// # Errors
/// What SQLite says; where it can't be read back.
pub fn revision(db: &Connection, id: i64) -> Result<Record> {
    let document: Vec<u8> = db
        .prepare_cached("SELECT document FROM advisory_revisions WHERE id = ?1")?
        .query_row([id], |row| row.get(0))?;
    blob::unpack(&document)
}

/// What identifies the advisories of a project as they are told now: how many they are, and the number and the hash
/// of the newest form of any of them. `None`: it has none.
///
/// # Errors
/// What SQLite says.
pub fn newest(db: &Connection, project: &str) -> Result<Option<(i64, i64, Vec<u8>)>> {
    Ok(db
        .prepare_cached(
            "SELECT (SELECT count(*) FROM advisories WHERE project = ?1), id, content_hash FROM advisory_revisions
             WHERE id = (SELECT max(revision_id) FROM advisories WHERE project = ?1)",
        )?
        .query_row([project], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?)
}

/// The advisories of a project that stand and can be matched, in the order of their names.
///
/// # Errors
/// What SQLite says; where a form can't be read back.
pub fn standing(db: &Connection, project: &str) -> Result<Vec<Record>> {
    let mut query = db.prepare_cached(
        "SELECT r.document FROM advisories AS a JOIN advisory_revisions AS r ON r.id = a.revision_id
         WHERE a.project = ?1 AND a.withdrawn_at IS NULL AND a.psa = 0 ORDER BY a.name",
    )?;
    let documents = query
        .query_map([project], |row| row.get::<_, Vec<u8>>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    documents
        .iter()
        .map(|document| blob::unpack(document))
        .collect()
}

/// What the ledger asks of an advisory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its number here.
    pub id: i64,
    /// When it was published.
    pub published_at: Timestamp,
    /// Since when it names the versions that it names.
    pub known_at: Timestamp,
    /// How bad it is, and since when that is known.
    pub risk: Option<(Risk, Timestamp)>,
    /// It stands: it was not taken back.
    pub stands: bool,
}

/// All advisories of a project by name.
///
/// # Errors
/// What SQLite says.
pub fn told(db: &Connection, project: &str) -> Result<HashMap<String, Told>> {
    let mut query = db.prepare_cached(
        "SELECT name, id, published_at, versions_known_at, risk, risk_known_at, withdrawn_at IS NULL AND psa = 0
         FROM advisories WHERE project = ?1",
    )?;
    let rows = query.query_map([project], |row| {
        let risk: Option<String> = row.get(4)?;
        let since: Option<i64> = row.get(5)?;
        Ok((
            row.get(0)?,
            Told {
                id: row.get(1)?,
                published_at: at(row.get(2)?),
                known_at: at(row.get(3)?),
                risk: risk.as_deref().and_then(Risk::from_word).zip(since.map(at)),
                stands: row.get(6)?,
            },
        ))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The windows of a module on a site, each with the advisories that explain it now: (window, advisory).
///
/// # Errors
/// What SQLite says.
pub fn explained(db: &Connection, site_id: i64, module_id: i64) -> Result<HashSet<(i64, i64)>> {
    let mut query = db.prepare_cached(
        "SELECT ea.exposure_id, ea.advisory_id FROM exposures AS e JOIN exposure_advisories AS ea ON ea.exposure_id = e.id
         WHERE e.site_id = ?1 AND e.module_id = ?2",
    )?;
    let rows = query.query_map([site_id, module_id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Writes that an advisory explains a window.
///
/// # Errors
/// What SQLite says.
pub fn explain(db: &Connection, exposure_id: i64, advisory_id: i64) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO exposure_advisories (advisory_id, exposure_id) VALUES (?1, ?2)",
    )?
    .execute([advisory_id, exposure_id])?;
    Ok(())
}

/// Writes that an advisory explains a window no longer.
///
/// # Errors
/// What SQLite says.
pub fn unexplain(db: &Connection, exposure_id: i64, advisory_id: i64) -> Result<()> {
    db.prepare_cached(
        "DELETE FROM exposure_advisories WHERE advisory_id = ?1 AND exposure_id = ?2",
    )?
    .execute([advisory_id, exposure_id])?;
    Ok(())
}

/// The names of the advisories that explain a window, in order.
///
/// # Errors
/// What SQLite says.
pub fn names_of(db: &Connection, exposure_id: i64) -> Result<Vec<String>> {
    let mut query = db.prepare_cached(
        "SELECT a.name FROM exposure_advisories AS ea JOIN advisories AS a ON a.id = ea.advisory_id
         WHERE ea.exposure_id = ?1 ORDER BY a.name",
    )?;
    let rows = query.query_map([exposure_id], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The list of advisories.
pub static SOURCE: Source = Source {
    list: &LIST,
    from: "advisories AS a",
    drivers: &[],
    live: "1",
    id: "a.id",
    columns: None,
    wall: Wall::Used {
        // What sites in sight run, and what has hit one of them.
        organization: "(EXISTS (SELECT 1 FROM modules AS m JOIN module_versions AS v ON v.module_id = m.id \
             JOIN organization_versions AS ov ON ov.version_id = v.id WHERE m.name = a.project AND m.kind = 'project' \
             AND ov.organization_id IN {organizations} AND ov.sites > 0) \
             OR EXISTS (SELECT 1 FROM organization_advisories AS oa CROSS JOIN exposure_advisories AS ea CROSS JOIN exposures AS e \
             CROSS JOIN sites AS s WHERE oa.organization_id IN {organizations} AND oa.advisory_id = a.id AND ea.advisory_id = a.id \
             AND e.id = ea.exposure_id AND e.organization_id IN {organizations} AND s.id = e.site_id AND s.deleted_at IS NULL))",
        site: "(EXISTS (SELECT 1 FROM modules AS m JOIN site_modules AS sm ON sm.module_id = m.id \
             WHERE m.name = a.project AND m.kind = 'project' AND sm.site_id = {site}) \
             OR EXISTS (SELECT 1 FROM exposures AS e CROSS JOIN exposure_advisories AS ea \
             WHERE e.site_id = {site} AND ea.advisory_id = a.id AND ea.exposure_id = e.id))",
    },
    fields: &[
        ("id", Column::Plain("a.name")),
        ("title", Column::Name("a.title")),
        ("module", Column::Plain("a.project")),
        ("psa", Column::Plain("a.psa")),
        ("risk", Column::Plain("a.risk")),
        ("cve", Column::Members("a.cves")),
        ("published_at", Column::Plain("a.published_at")),
        ("updated_at", Column::Plain("a.changed_at")),
        ("withdrawn_at", Column::Plain("a.withdrawn_at")),
        ("affected_sites_count", Column::Plain("{affected}")),
    ],
    sorts: &[
        ("published_at", &["a.published_at"]),
        ("affected_sites_count", &["{affected}"]),
        ("id", &["a.name"]),
    ],
    ties: &[],
    search: &["a.name", "a.title", "a.project", "a.cves"],
    search_index: None,
    counted: &[Counted {
        name: "{affected}",
        all: "a.affected_sites",
        organization: "(SELECT ifnull(sum(oa.affected_sites), 0) FROM organization_advisories AS oa \
             WHERE oa.organization_id IN {organizations} AND oa.advisory_id = a.id)",
        site: "(SELECT count(*) FROM exposures AS e JOIN exposure_advisories AS ea ON ea.exposure_id = e.id \
             WHERE e.site_id = {site} AND e.closed_at IS NULL AND ea.advisory_id = a.id)",
    }],
};

/// One page of advisories.
///
/// # Errors
/// What SQLite says.
pub fn list(db: &Connection, ask: &Ask<'_>) -> Result<Page<Shown>> {
    page(db, &SOURCE, ask, |db, id| find(db, ask.sight, id))
}

/// The number of the advisory of that name, where a site in sight runs its project or was hit by it.
///
/// # Errors
/// What SQLite says.
pub fn number(db: &Connection, sight: &Sight, name: &str) -> Result<Option<i64>> {
    let found: Option<(i64, String)> = db
        .prepare_cached("SELECT id, project FROM advisories WHERE name = ?1")?
        .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((id, project)) = found else {
        return Ok(None);
    };
    if sight.organizations().is_none() {
        return Ok(Some(id));
    }
    let seen = module_in_sight(db, sight, &project)?.is_some() || has_hit(db, sight, id)?;
    Ok(seen.then_some(id))
}

/// It explains or explained a window of a site in sight.
fn has_hit(db: &Connection, sight: &Sight, id: i64) -> Result<bool> {
    let (Some(mine), site) = (sight.organizations(), sight.site()) else {
        return Ok(true);
    };
    Ok(db
        .prepare_cached(
            "SELECT 1 FROM organization_advisories AS oa CROSS JOIN exposure_advisories AS ea CROSS JOIN exposures AS e
                CROSS JOIN sites AS s
             WHERE oa.organization_id IN (SELECT value FROM json_each(?1)) AND oa.advisory_id = ?2 AND ea.advisory_id = ?2 AND e.id = ea.exposure_id
                AND e.organization_id = oa.organization_id AND (?3 IS NULL OR e.site_id = ?3) AND s.id = e.site_id AND s.deleted_at IS NULL",
        )?
        .exists(params![wall::list(mine), id, site])?)
}

/// The module of that name, where a site in sight runs it or all is in sight.
fn module_in_sight(db: &Connection, sight: &Sight, project: &str) -> Result<Option<i64>> {
    let module: Option<i64> = db
        .prepare_cached("SELECT id FROM modules WHERE name = ?1 AND kind = 'project'")?
        .query_row([project], |row| row.get(0))
        .optional()?;
    let Some(module) = module else {
        return Ok(None);
    };
    Ok(super::modules::find(db, sight, module)?.map(|seen| seen.id))
}

/// One advisory, counted over the sites in sight. Whether it may be seen is the caller's to ask.
///
/// # Errors
/// What SQLite says.
pub fn find(db: &Connection, sight: &Sight, id: i64) -> Result<Option<Shown>> {
    let found = db
        .prepare_cached(
            "SELECT a.*, m.id AS module_id, coalesce(nullif(m.title, ''), a.project) AS module_title
             FROM advisories AS a LEFT JOIN modules AS m ON m.name = a.project AND m.kind = 'project' WHERE a.id = ?1",
        )?
        .query_row([id], shown)
        .optional()?;
    let Some(mut found) = found else {
        return Ok(None);
    };
    if sight.organizations().is_some() {
        // One may have hit a site that runs its project no longer.
        found.module_id = module_in_sight(db, sight, &found.project)?;
    }
    found.affected_sites_count = match (sight.organizations(), sight.site()) {
        (None, _) => found.affected_sites_count,
        (Some(_), Some(site)) => db
            .prepare_cached(
                "SELECT count(*) FROM exposures AS e JOIN exposure_advisories AS ea ON ea.exposure_id = e.id
                 WHERE e.site_id = ?1 AND e.closed_at IS NULL AND ea.advisory_id = ?2",
            )?
            .query_row([site, id], |row| row.get(0))?,
        (Some(mine), None) => db
            .prepare_cached(
                "SELECT ifnull(sum(affected_sites), 0) FROM organization_advisories
                 WHERE organization_id IN (SELECT value FROM json_each(?1)) AND advisory_id = ?2",
            )?
            .query_row(params![wall::list(mine), id], |row| row.get(0))?,
    };
    Ok(Some(found))
}

fn shown(found: &Row<'_>) -> rusqlite::Result<Shown> {
    let list = |name: &str| -> rusqlite::Result<Vec<String>> {
        let text: String = found.get(name)?;
        Ok(serde_json::from_str(&text).unwrap_or_default())
    };
    Ok(Shown {
        number: found.get("id")?,
        id: found.get("name")?,
        title: found.get("title")?,
        kind: found.get("kind")?,
        project: found.get("project")?,
        module_id: found.get("module_id")?,
        module_title: found.get("module_title")?,
        psa: found.get("psa")?,
        risk: found.get("risk")?,
        score: found.get("score")?,
        vector: found.get("vector")?,
        cves: list("cves")?,
        published_at: row::time(found, "published_at")?,
        updated_at: row::time(found, "changed_at")?,
        known_at: row::time(found, "known_at")?,
        withdrawn_at: row::maybe_time(found, "withdrawn_at")?,
        affected_versions: found.get("affected_versions")?,
        fixed_in: list("fixed_in")?,
        url: found.get("url")?,
        affected_sites_count: found.get("affected_sites")?,
    })
}
