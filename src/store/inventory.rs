//! What sites run now and what they ran before: the newest inventory, the runs, and what follows for
//! the site's word.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Result;
use super::time::{at, ms};
use crate::domain::exposure::Run;
use crate::domain::inventory::{Entry, ModuleType, Origin};
use crate::domain::site_status::{Counted, Standing, Tally};

/// One module that a site has, with the rows it points to.
#[derive(Debug, Clone)]
pub struct Held {
    /// The module.
    pub module_id: i64,
    /// The version.
    pub version_id: i64,
    /// Since when the version runs enabled.
    pub run_started_at: Option<Timestamp>,
    /// What it means for the site's word.
    pub counted: Counted,
    /// What the site said, but for what is never compared: the title and the Composer name.
    pub entry: Entry,
}

/// Everything that a site has, in the order of an inventory.
///
/// # Errors
/// What SQLite says, or [`StoreError::Corrupt`](super::StoreError::Corrupt).
pub fn held(db: &Connection, site_id: i64) -> Result<Vec<Held>> {
    let mut query = db.prepare_cached(
        "SELECT sm.module_id, sm.version_id, sm.run_started_at, m.kind, m.name, m.type, v.version, v.datestamp, sm.enabled,
            sm.components, v.status, v.reason = 'drupal-7-end-of-life', v.exposed, m.stale
         FROM site_modules AS sm JOIN modules AS m ON m.id = sm.module_id JOIN module_versions AS v ON v.id = sm.version_id
         WHERE sm.site_id = ?1",
    )?;
    let mut rows = query.query([site_id])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(held_one(row)?);
    }
    all.sort_unstable_by(|a: &Held, b| {
        (a.entry.origin, &a.entry.name).cmp(&(b.entry.origin, &b.entry.name))
    });
    Ok(all)
}

fn held_one(row: &Row<'_>) -> Result<Held> {
    let word = |at: usize| {
        row.get_ref(at)
            .map(|value| value.as_str().unwrap_or_default())
    };
    let entry = Entry {
        origin: Origin::from_word(word(3)?),
        name: row.get(4)?,
        title: String::new(),
        kind: ModuleType::from_word(word(5)?).unwrap_or(ModuleType::Module),
        version: row.get(6)?,
        enabled: row.get(8)?,
        datestamp: row.get(7)?,
        composer: String::new(),
        components: match word(9)? {
            "" => Vec::new(),
            json => serde_json::from_str(json)?,
        },
    };
    Ok(Held {
        module_id: row.get(0)?,
        version_id: row.get(1)?,
        run_started_at: row.get::<_, Option<i64>>(2)?.map(at),
        counted: Counted {
            standing: Standing::from_rank(row.get(10)?).unwrap_or(Standing::Unknown),
            end_of_life: row.get::<_, Option<bool>>(11)?.unwrap_or(false),
            exposed: row.get(12)?,
            enabled: entry.enabled,
            core: entry.kind == ModuleType::Core && entry.name == "drupal",
            stale: row.get(13)?,
        },
        entry,
    })
}

/// What is written of a module that a site has.
#[derive(Debug, Clone, Copy)]
pub struct Runs<'a> {
    /// The site.
    pub site_id: i64,
    /// The module.
    pub module_id: i64,
    /// The version.
    pub version_id: i64,
    /// Since when the version runs enabled.
    pub started_at: Option<Timestamp>,
    /// What the site said.
    pub entry: &'a Entry,
}

/// Writes that a site has a module that it didn't have.
///
/// # Errors
/// What SQLite says.
pub fn install(db: &Connection, runs: &Runs<'_>, now: Timestamp) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO site_modules (site_id, module_id, version_id, enabled, run_started_at, first_seen_at, updated_at, components, composer)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8)",
    )?
    .execute(params![
        runs.site_id,
        runs.module_id,
        runs.version_id,
        runs.entry.enabled,
        runs.started_at.map(ms),
        ms(now),
        components(runs.entry)?,
        composer(runs.entry)
    ])?;
    Ok(())
}

/// Writes what a site now has of a module that it had before.
///
/// # Errors
/// What SQLite says.
pub fn replace(db: &Connection, runs: &Runs<'_>, now: Timestamp) -> Result<()> {
    db.prepare_cached(
        "UPDATE site_modules SET version_id = ?3, enabled = ?4, run_started_at = ?5, updated_at = ?6, components = ?7,
            composer = ?8 WHERE site_id = ?1 AND module_id = ?2",
    )?
    .execute(params![
        runs.site_id,
        runs.module_id,
        runs.version_id,
        runs.entry.enabled,
        runs.started_at.map(ms),
        ms(now),
        components(runs.entry)?,
        composer(runs.entry)
    ])?;
    Ok(())
}

fn components(entry: &Entry) -> Result<Option<String>> {
    Ok((!entry.components.is_empty())
        .then(|| serde_json::to_string(&entry.components))
        .transpose()?)
}

fn composer(entry: &Entry) -> Option<&str> {
    (!entry.composer.is_empty()).then_some(entry.composer.as_str())
}

/// Writes that a site no longer has a module.
///
/// # Errors
/// What SQLite says.
pub fn remove(db: &Connection, site_id: i64, module_id: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM site_modules WHERE site_id = ?1 AND module_id = ?2")?
        .execute([site_id, module_id])?;
    Ok(())
}

/// Writes that a run of a version has ended. A run that began and ended at one instant never was.
///
/// # Errors
/// What SQLite says.
pub fn end_run(db: &Connection, site_id: i64, module_id: i64, run: &Run) -> Result<()> {
    let Some(ended_at) = run.ended_at.filter(|end| *end > run.started_at) else {
        return Ok(());
    };
    db.prepare_cached(
        "INSERT INTO module_runs (site_id, module_id, started_at, version_id, ended_at, ended_by_sync)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        site_id,
        module_id,
        ms(run.started_at),
        run.version_id,
        ms(ended_at),
        run.ended_by_sync
    ])?;
    Ok(())
}

/// All enabled runs of a module on a site, in order; the last may still run.
///
/// # Errors
/// What SQLite says.
pub fn runs(db: &Connection, site_id: i64, module_id: i64) -> Result<Vec<Run>> {
    let mut query = db.prepare_cached(
        "SELECT version_id, started_at, ended_at, ended_by_sync FROM module_runs
         WHERE site_id = ?1 AND module_id = ?2 ORDER BY started_at",
    )?;
    let mut runs = query
        .query_map([site_id, module_id], |row| {
            Ok(Run {
                version_id: row.get(0)?,
                started_at: at(row.get(1)?),
                ended_at: Some(at(row.get(2)?)),
                ended_by_sync: row.get(3)?,
            })
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let current = db
        .prepare_cached(
            "SELECT version_id, run_started_at FROM site_modules
             WHERE site_id = ?1 AND module_id = ?2 AND run_started_at IS NOT NULL",
        )?
        .query_row([site_id, module_id], |row| {
            Ok(Run {
                version_id: row.get(0)?,
                started_at: at(row.get(1)?),
                ended_at: None,
                ended_by_sync: None,
            })
        })
        .optional()?;
    runs.extend(current);
    Ok(runs)
}

/// What a site's modules say for its word and counters, each with its version.
///
/// # Errors
/// What SQLite says.
pub fn counted(db: &Connection, site_id: i64) -> Result<Vec<(i64, Counted)>> {
    let mut query = db.prepare_cached(
        "SELECT v.status, v.reason = 'drupal-7-end-of-life', v.exposed, sm.enabled, m.type = 'core' AND m.name = 'drupal',
            m.stale, sm.version_id
         FROM site_modules AS sm JOIN module_versions AS v ON v.id = sm.version_id JOIN modules AS m ON m.id = sm.module_id
         WHERE sm.site_id = ?1",
    )?;
    let rows = query.query_map([site_id], |row| {
        let counted = Counted {
            standing: Standing::from_rank(row.get(0)?).unwrap_or(Standing::Unknown),
            end_of_life: row.get::<_, Option<bool>>(1)?.unwrap_or(false),
            exposed: row.get(2)?,
            enabled: row.get(3)?,
            core: row.get(4)?,
            stale: row.get(5)?,
        };
        Ok((row.get(6)?, counted))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Writes a site's word and counters, where they differ; `true`: they did.
///
/// # Errors
/// What SQLite says.
pub fn set_tally(
    db: &Connection,
    site_id: i64,
    tally: &Tally,
    core_version_id: Option<i64>,
    open: (i64, Option<Timestamp>),
) -> Result<bool> {
    let changed = db.prepare_cached(
        "UPDATE sites SET status = ?2, status_reason = ?3, total = ?4, not_current = ?5, security = ?6, unknown = ?7,
            custom = ?8, disabled = ?9, core_version_id = ?10, open_exposures = ?11, next_due_at = ?12
         WHERE id = ?1 AND (status, status_reason, total, not_current, security, unknown, custom, disabled, core_version_id,
            open_exposures, next_due_at) IS NOT (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?
    .execute(params![
        site_id,
        tally.status.rank(),
        tally.reason,
        tally.total,
        tally.not_current,
        tally.security,
        tally.unknown,
        tally.custom,
        tally.disabled,
        core_version_id,
        open.0,
        open.1.map(ms)
    ])?;
    Ok(changed > 0)
}
