//! The versions of modules that sites run or ran, and the judgement of each.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::catalogue::owner;
use super::time::{at, ms};
use super::{Result, StoreError};
use crate::domain::inventory::Entry;
use crate::domain::judgement::Judgement;
use crate::domain::site_status::{Counted, Standing};

/// One version of a module, with its judgement.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// Its id.
    pub id: i64,
    /// Its module.
    pub module_id: i64,
    /// As the site wrote it.
    pub version: Option<String>,
    /// The snapshot's date, Unix seconds.
    pub datestamp: i64,
    /// The judgement.
    pub judgement: Judgement,
    /// Since when it is known to be insecure without a fix.
    pub insecure_known_at: Option<Timestamp>,
}

const VERSION: &str =
    "SELECT id, module_id, version, datestamp, verdict, insecure_known_at FROM module_versions";

fn version(row: &Row<'_>) -> Result<Version> {
    let verdict: String = row.get(4)?;
    Ok(Version {
        id: row.get(0)?,
        module_id: row.get(1)?,
        version: row.get(2)?,
        datestamp: row.get(3)?,
        judgement: serde_json::from_str(&verdict)?,
        insecure_known_at: row.get::<_, Option<i64>>(5)?.map(at),
    })
}

/// What is known of what a site names: its module and, where that version was ever seen, the
/// version's id and what running it enabled means for a site's word.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// The module.
    pub module_id: i64,
    /// The module was deleted.
    pub deleted: bool,
    /// The version.
    pub version: Option<(i64, Counted)>,
}

const KNOWN: &str = "SELECT m.id, v.id, v.status, v.reason = 'drupal-7-end-of-life', v.exposed,
        m.type = 'core' AND m.name = 'drupal', m.stale, m.deleted_at IS NOT NULL
     FROM modules AS m LEFT JOIN module_versions AS v
        ON v.module_id = m.id AND ifnull(v.version, char(0)) = ifnull(?1, char(0)) AND v.datestamp = ?2";

fn known(row: &Row<'_>) -> rusqlite::Result<Known> {
    let version: Option<i64> = row.get(1)?;
    let counted = |_| {
        Ok::<_, rusqlite::Error>(Counted {
            standing: standing(row.get(2)?),
            end_of_life: row.get::<_, Option<bool>>(3)?.unwrap_or(false),
            exposed: row.get(4)?,
            enabled: true,
            core: row.get(5)?,
            stale: row.get(6)?,
        })
    };
    Ok(Known {
        module_id: row.get(0)?,
        deleted: row.get(7)?,
        version: version.zip(version.map(counted).transpose()?),
    })
}

/// What is known of a version of the module of that name: drupal.org's, or the organization's own.
///
/// # Errors
/// What SQLite says.
pub fn known_by_name(
    db: &Connection,
    organization_id: i64,
    entry: &Entry,
) -> Result<Option<Known>> {
    let mut query = db.prepare_cached(&format!(
        "{KNOWN} WHERE m.name = ?3 AND ifnull(m.organization_id, 0) = ?4 AND m.kind = ?5"
    ))?;
    let owner = owner(entry.origin, organization_id).unwrap_or(0);
    Ok(query
        .query_row(
            params![
                entry.version,
                entry.datestamp,
                entry.name,
                owner,
                entry.origin.word()
            ],
            known,
        )
        .optional()?)
}

/// What is known of a version of that module.
///
/// # Errors
/// What SQLite says.
pub fn known_by_id(db: &Connection, module_id: i64, entry: &Entry) -> Result<Option<Known>> {
    let mut query = db.prepare_cached(&format!("{KNOWN} WHERE m.id = ?3"))?;
    Ok(query
        .query_row(params![entry.version, entry.datestamp, module_id], known)
        .optional()?)
}

/// One version with its judgement.
///
/// # Errors
/// What SQLite says, or [`StoreError::Corrupt`].
pub fn get(db: &Connection, id: i64) -> Result<Version> {
    let mut query = db.prepare_cached(&format!("{VERSION} WHERE id = ?1"))?;
    let mut rows = query.query([id])?;
    match rows.next()? {
        Some(row) => version(row),
        None => Err(StoreError::Corrupt(format!("no version {id}"))),
    }
}

/// All versions of a module, with their judgements.
///
/// # Errors
/// What SQLite says, or [`StoreError::Corrupt`].
pub fn of_module(db: &Connection, module_id: i64) -> Result<Vec<Version>> {
    let mut query = db.prepare_cached(&format!("{VERSION} WHERE module_id = ?1 ORDER BY id"))?;
    let mut rows = query.query([module_id])?;
    let mut versions = Vec::new();
    while let Some(row) = rows.next()? {
        versions.push(version(row)?);
    }
    Ok(versions)
}

/// Adds a version with its judgement.
///
/// # Errors
/// What SQLite says.
pub fn add(
    db: &Connection,
    module_id: i64,
    version: Option<&str>,
    datestamp: i64,
    judged: &Judgement,
    insecure_known_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<i64> {
    let assessment = judged.assessment.as_ref();
    db.prepare_cached(
        "INSERT INTO module_versions (module_id, version, datestamp, status, reason, exposed, rule, recommended, latest,
            verdict, listed, insecure_known_at, assessed_at, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13)",
    )?
    .execute(params![
        module_id,
        version,
        datestamp,
        judged.standing.rank(),
        judged.reason,
        judged.exposed(),
        assessment.map_or("", |a| a.exposed.rule.as_str()),
        assessment.and_then(|a| a.recommended.as_deref()),
        assessment.and_then(|a| a.latest.as_deref()),
        serde_json::to_string(judged)?,
        judged.listed(),
        insecure_known_at.map(ms),
        ms(now)
    ])?;
    Ok(db.last_insert_rowid())
}

/// Writes a version's new judgement.
///
/// # Errors
/// What SQLite says.
pub fn set_judgement(
    db: &Connection,
    id: i64,
    judged: &Judgement,
    insecure_known_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<()> {
    let assessment = judged.assessment.as_ref();
    db.prepare_cached(
        "UPDATE module_versions SET status = ?2, reason = ?3, exposed = ?4, rule = ?5, recommended = ?6, latest = ?7,
            verdict = ?8, listed = ?9, insecure_known_at = ?10, assessed_at = ?11 WHERE id = ?1",
    )?
    .execute(params![
        id,
        judged.standing.rank(),
        judged.reason,
        judged.exposed(),
        assessment.map_or("", |a| a.exposed.rule.as_str()),
        assessment.and_then(|a| a.recommended.as_deref()),
        assessment.and_then(|a| a.latest.as_deref()),
        serde_json::to_string(judged)?,
        judged.listed(),
        insecure_known_at.map(ms),
        ms(now)
    ])?;
    Ok(())
}

/// The standing of a stored rank.
pub fn standing(rank: i64) -> Standing {
    Standing::from_rank(rank).unwrap_or(Standing::Unknown)
}
