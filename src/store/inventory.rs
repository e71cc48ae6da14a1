//! What sites run now and what they ran before: the newest inventory, the runs, and the syncs,
//! events and patch runs that led there.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Result;
use super::time::{at, ms};
use crate::domain::exposure::Run;
use crate::domain::inventory::{Entry, Facts, Kind, ModuleType, Origin, Pulse};
use crate::domain::site_status::{Counted, Standing, Tally};

/// What a sync needs to know of its site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standpoint {
    /// The site's organization.
    pub organization_id: i64,
    /// The site's interval in minutes.
    pub interval_minutes: i64,
    /// What identifies the installation that spoke last.
    pub seen_url: Option<String>,
    /// What identifies the installation that spoke last.
    pub seen_instance: Option<String>,
    /// It is marked silent.
    pub silent: bool,
    /// When it was last heard of.
    pub last_sync_at: Option<Timestamp>,
    /// The newest accepted `generated_at`.
    pub generated_at: Option<Timestamp>,
    /// The hash of its newest inventory.
    pub content_hash: Option<Vec<u8>>,
    /// The sync that brought it.
    pub sync_id: Option<i64>,
    /// The site's word.
    pub status: Standing,
    /// Modules that can't be judged.
    pub unknown: i64,
    /// (site, module) pairs with an open exposure.
    pub open_exposures: i64,
    /// The newest site's id.
    pub newest_site: i64,
}

/// The standpoint of a site that isn't deleted.
///
/// # Errors
/// What SQLite says.
pub fn standpoint(db: &Connection, site_id: i64) -> Result<Option<Standpoint>> {
    let mut query = db.prepare_cached(
        "SELECT s.organization_id, s.sync_interval_minutes, s.seen_url, s.seen_instance, s.silent_since IS NOT NULL,
            c.last_sync_at, c.generated_at, c.content_hash, c.sync_id, s.status, s.unknown, s.open_exposures,
            (SELECT max(id) FROM sites)
         FROM sites AS s JOIN site_contacts AS c ON c.site_id = s.id WHERE s.id = ?1 AND s.deleted_at IS NULL",
    )?;
    Ok(query
        .query_row([site_id], |row| {
            Ok(Standpoint {
                organization_id: row.get(0)?,
                interval_minutes: row.get(1)?,
                seen_url: row.get(2)?,
                seen_instance: row.get(3)?,
                silent: row.get(4)?,
                last_sync_at: row.get::<_, Option<i64>>(5)?.map(at),
                generated_at: row.get::<_, Option<i64>>(6)?.map(at),
                content_hash: row.get(7)?,
                sync_id: row.get(8)?,
                status: Standing::from_rank(row.get(9)?).unwrap_or(Standing::Unknown),
                unknown: row.get(10)?,
                open_exposures: row.get(11)?,
                newest_site: row.get(12)?,
            })
        })
        .optional()?)
}

/// What a site's row of contacts says from now on.
#[derive(Debug, Clone, Copy)]
pub struct Contact<'a> {
    /// The site.
    pub site_id: i64,
    /// When it was heard of.
    pub at: Timestamp,
    /// When the site made what it said.
    pub generated_at: Timestamp,
    /// What changes all the time.
    pub pulse: &'a Pulse,
    /// The sync that brought something new, and the hash of its inventory.
    pub news: Option<(i64, &'a [u8])>,
}

/// Records that a site was heard of: the one small write of an unchanged sync.
///
/// # Errors
/// What SQLite says.
pub fn heard(db: &Connection, contact: &Contact<'_>) -> Result<()> {
    let (sync_id, hash) = contact.news.unzip();
    db.prepare_cached(
        "UPDATE site_contacts SET last_sync_at = ?2, generated_at = ?3, cron_last_run = ?4, report_errors = ?5,
            report_warnings = ?6, sync_id = ifnull(?7, sync_id), content_hash = ifnull(?8, content_hash) WHERE site_id = ?1",
    )?
    .execute(params![
        contact.site_id,
        ms(contact.at),
        ms(contact.generated_at),
        contact.pulse.cron_last_run.map(ms),
        contact.pulse.errors,
        contact.pulse.warnings,
        sync_id,
        hash
    ])?;
    Ok(())
}

/// A site is silent no longer, or spoke for the first time: watch for its next silence.
///
/// # Errors
/// What SQLite says.
pub fn speaks_again(db: &Connection, site_id: i64, watch_at: Timestamp) -> Result<()> {
    db.prepare_cached(
        "UPDATE sites SET silent_since = NULL WHERE id = ?1 AND silent_since IS NOT NULL",
    )?
    .execute([site_id])?;
    db.prepare_cached("UPDATE site_contacts SET watch_at = ?2 WHERE site_id = ?1")?
        .execute(params![site_id, ms(watch_at)])?;
    Ok(())
}

/// A site whose silence may be due, as the watcher finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watched {
    /// The site.
    pub site_id: i64,
    /// When it was last heard of.
    pub last_sync_at: Timestamp,
    /// Its interval in minutes.
    pub interval_minutes: i64,
    /// It is deleted, or silent already.
    pub done: bool,
}

/// Sites to look at, the longest due first.
///
/// # Errors
/// What SQLite says.
pub fn to_watch(db: &Connection, now: Timestamp, most: u32) -> Result<Vec<Watched>> {
    let mut query = db.prepare_cached(
        "SELECT c.site_id, ifnull(c.last_sync_at, 0), s.sync_interval_minutes,
            s.deleted_at IS NOT NULL OR s.silent_since IS NOT NULL OR c.last_sync_at IS NULL
         FROM site_contacts AS c JOIN sites AS s ON s.id = c.site_id
         WHERE c.watch_at <= ?1 ORDER BY c.watch_at LIMIT ?2",
    )?;
    let rows = query.query_map(params![ms(now), most], |row| {
        Ok(Watched {
            site_id: row.get(0)?,
            last_sync_at: at(row.get(1)?),
            interval_minutes: row.get(2)?,
            done: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// When to look at a site again; `None`: when it speaks.
///
/// # Errors
/// What SQLite says.
pub fn watch(db: &Connection, site_id: i64, next: Option<Timestamp>) -> Result<()> {
    db.prepare_cached("UPDATE site_contacts SET watch_at = ?2 WHERE site_id = ?1")?
        .execute(params![site_id, next.map(ms)])?;
    Ok(())
}

/// Marks a site as silent since its missed deadline.
///
/// # Errors
/// What SQLite says.
pub fn fall_silent(db: &Connection, site_id: i64, deadline: Timestamp) -> Result<()> {
    db.prepare_cached("UPDATE sites SET silent_since = ?2 WHERE id = ?1")?
        .execute(params![site_id, ms(deadline)])?;
    Ok(())
}

/// Another installation used the site's key: remember it as a warning.
///
/// # Errors
/// What SQLite says.
pub fn warn_of_stranger(
    db: &Connection,
    site_id: i64,
    url: Option<&str>,
    instance: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    db.prepare_cached(
        "UPDATE sites SET stranger_at = ?2, stranger_url = ?3, stranger_instance = ?4 WHERE id = ?1",
    )?
    .execute(params![site_id, ms(now), url, instance])?;
    Ok(())
}

/// The warning is answered: `moved` takes the other installation as the site's own.
///
/// # Errors
/// What SQLite says.
pub fn answer_stranger(
    db: &Connection,
    site_id: i64,
    moved: bool,
    by: &str,
    now: Timestamp,
) -> Result<bool> {
    let take = if moved {
        "seen_url = ifnull(stranger_url, seen_url), seen_instance = ifnull(stranger_instance, seen_instance),"
    } else {
        ""
    };
    let changed = db.prepare_cached(&format!(
        "UPDATE sites SET {take} stranger_at = NULL, stranger_url = NULL, stranger_instance = NULL, updated_at = ?2,
            updated_by = ?3 WHERE id = ?1 AND stranger_at IS NOT NULL AND deleted_at IS NULL"
    ))?
    .execute(params![site_id, ms(now), by])?;
    Ok(changed > 0)
}

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

/// A sync as it is kept.
#[derive(Debug, Clone, Copy)]
pub struct NewSync<'a> {
    /// The site.
    pub site_id: i64,
    /// When it arrived.
    pub received_at: Timestamp,
    /// When the site was last heard of before.
    pub heard_before: Option<Timestamp>,
    /// When the site made it.
    pub generated_at: Timestamp,
    /// Who made it.
    pub agent: &'a str,
    /// `inventory` or `composer-lock`.
    pub source: &'static str,
    /// The hash of the inventory.
    pub content_hash: &'a [u8],
    /// What it changed.
    pub counts: Counts,
    /// What a replay needs, packed.
    pub delta: &'a [u8],
}

/// What a sync changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Every project, custom and disabled too.
    pub total: i64,
    /// New ones.
    pub added: i64,
    /// Raised.
    pub updated: i64,
    /// Lowered.
    pub downgraded: i64,
    /// Gone.
    pub removed: i64,
    /// The rest.
    pub unchanged: i64,
}

/// Keeps a sync; gives its id.
///
/// # Errors
/// What SQLite says.
pub fn add_sync(db: &Connection, sync: &NewSync<'_>) -> Result<i64> {
    let counts = &sync.counts;
    db.prepare_cached(
        "INSERT INTO syncs (site_id, received_at, generated_at, agent, source, content_hash, total, added, updated,
            downgraded, removed, unchanged, delta, heard_before)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?
    .execute(params![
        sync.site_id,
        ms(sync.received_at),
        ms(sync.generated_at),
        sync.agent,
        sync.source,
        sync.content_hash,
        counts.total,
        counts.added,
        counts.updated,
        counts.downgraded,
        counts.removed,
        counts.unchanged,
        sync.delta,
        sync.heard_before.map(ms)
    ])?;
    Ok(db.last_insert_rowid())
}

/// Writes what an inventory told of the installation. What wasn't said stays.
///
/// # Errors
/// What SQLite says.
pub fn set_facts(
    db: &Connection,
    site_id: i64,
    facts: &Facts,
    core: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    let info = serde_json::json!({
        "database": facts.database.as_ref().map(|(driver, version)| serde_json::json!({"driver": driver, "version": version})),
        "install_profile": facts.install_profile,
        "agent": facts.agent,
    });
    db.prepare_cached(
        "UPDATE sites SET drupal_version = ifnull(?2, drupal_version), php_version = ifnull(?3, php_version),
            info = json_patch(info, ?4), seen_url = ifnull(?5, seen_url), seen_instance = ifnull(?6, seen_instance),
            first_sync_at = ifnull(first_sync_at, ?7), changed_at = ?7 WHERE id = ?1",
    )?
    .execute(params![
        site_id,
        core.or(facts.drupal_version.as_deref()),
        facts.php_version,
        without_nulls(&info).to_string(),
        facts.url,
        facts.instance,
        ms(now)
    ])?;
    Ok(())
}

/// `json_patch` takes a null as "remove": what wasn't said must not remove anything.
fn without_nulls(value: &serde_json::Value) -> serde_json::Value {
    let said = value
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| (key.clone(), value.clone()));
    serde_json::Value::Object(said.collect())
}

/// Keeps an event.
///
/// # Errors
/// What SQLite says.
pub fn add_event(
    db: &Connection,
    (site_id, organization_id, sync_id, module_id): (i64, i64, i64, i64),
    kind: Kind,
    versions: (Option<&str>, Option<&str>),
    now: Timestamp,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO events (site_id, organization_id, sync_id, module_id, occurred_at, kind, from_version, to_version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        site_id,
        organization_id,
        sync_id,
        module_id,
        ms(now),
        kind.word(),
        versions.0,
        versions.1
    ])?;
    Ok(())
}

/// The patch run of a sync, if it was one.
///
/// # Errors
/// What SQLite says.
pub fn patch_run_of(db: &Connection, sync_id: i64) -> Result<Option<i64>> {
    Ok(db
        .prepare_cached("SELECT patch_run_id FROM syncs WHERE id = ?1")?
        .query_row([sync_id], |row| row.get(0))
        .optional()?
        .flatten())
}

/// A sync that was refused.
#[derive(Debug, Clone, Copy)]
pub struct Refused<'a> {
    /// The site.
    pub site_id: i64,
    /// The status of the answer.
    pub status: u16,
    /// The stable word of the answer.
    pub code: &'a str,
    /// The answer's sentence.
    pub detail: &'a str,
    /// Who sent it.
    pub address: &'a str,
}

/// Refusals that are kept of each site.
const REFUSALS_KEPT: i64 = 20;

/// Keeps a refusal, and of each site only the newest few.
///
/// # Errors
/// What SQLite says.
pub fn add_refusal(db: &Connection, refused: &Refused<'_>, now: Timestamp) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO refused_syncs (site_id, received_at, status, code, detail, address) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        refused.site_id,
        ms(now),
        refused.status,
        refused.code,
        refused.detail,
        refused.address
    ])?;
    db.prepare_cached(
        "DELETE FROM refused_syncs WHERE site_id = ?1 AND id <=
            (SELECT id FROM refused_syncs WHERE site_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
    )?
    .execute([refused.site_id, REFUSALS_KEPT])?;
    Ok(())
}
