//! How each site stands with us when it speaks: when it was last heard of and is to be missed, and
//! whether another installation speaks in its name.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::Result;
use super::time::{at, ms};
use crate::domain::inventory::Pulse;
use crate::domain::site_status::Standing;

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
