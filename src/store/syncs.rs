//! The syncs: what each brought, the events that it told, and those that were refused.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::Result;
use super::time::ms;
use crate::domain::inventory::{Facts, Kind};

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
pub fn add(db: &Connection, sync: &NewSync<'_>) -> Result<i64> {
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
