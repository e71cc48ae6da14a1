//! Sites as they are kept, but for what they run.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::listing::{Ask, Column, Source, Wall, page};
use super::row::{self, InOrder};
use super::wall::within;
use super::{Result, chronicle};
use crate::domain::access::Sight;
use crate::domain::listing::Page;
use crate::domain::site::{Counts, DeletedSite, LIST, Site, SiteFacts, Stranger};
use crate::domain::site_status::Standing;

/// The list of sites.
pub static SOURCE: Source = Source {
    list: &LIST,
    from: "sites AS s LEFT JOIN site_contacts AS c ON c.site_id = s.id",
    drivers: &[(
        "last_sync_at",
        "site_contacts AS c INDEXED BY site_contacts_last CROSS JOIN sites AS s ON s.id = c.site_id",
        "c.site_id",
    )],
    live: "s.deleted_at IS NULL",
    id: "s.id",
    columns: None,
    wall: Wall::Owned {
        organization: "s.organization_id",
        site: Some("s.id"),
    },
    fields: &[
        ("id", Column::Plain("s.id")),
        ("name", Column::Name("s.name")),
        ("url", Column::Name("s.url")),
        ("organization_id", Column::Plain("s.organization_id")),
        (
            "environment",
            Column::ByIndex(
                &Column::Plain("s.environment"),
                &Column::Plain("+s.environment"),
            ),
        ),
        (
            "tags",
            Column::ByIndex(
                &Column::Through("s.id", "SELECT site_id FROM site_tags WHERE tag"),
                &Column::Members("s.tags"),
            ),
        ),
        (
            "status",
            Column::ByIndex(
                &Column::Standing("s.status"),
                &Column::Standing("+s.status"),
            ),
        ),
        (
            "silent",
            Column::Words(&[
                ("true", "unlikely(s.silent_since > 0)"),
                ("false", "s.silent_since IS NULL"),
            ]),
        ),
        ("silent_since", Column::Plain("s.silent_since")),
        ("drupal_version", Column::Plain("s.drupal_version")),
        ("php_version", Column::Plain("s.php_version")),
        ("last_sync_at", Column::Plain("c.last_sync_at")),
        ("open_exposures", Column::Plain("s.open_exposures")),
        (
            "next_due_at",
            Column::Until(
                "s.next_due_at",
                "ifnull(s.next_due_at, 9223372036854775807)",
            ),
        ),
        ("created_at", Column::Plain("s.created_at")),
        ("updated_at", Column::Plain("s.updated_at")),
    ],
    sorts: &[
        ("name", &["s.name COLLATE NOCASE"]),
        ("id", &[]),
        ("status", &["s.status"]),
        ("last_sync_at", &["c.last_sync_at"]),
        (
            "next_due_at",
            &["ifnull(s.next_due_at, 9223372036854775807)"],
        ),
        // Ids are handed out in the order of time.
        ("created_at", &[]),
    ],
    ties: &[
        ("name", "s.environment"),
        ("status", "ifnull(s.next_due_at, 9223372036854775807)"),
    ],
    search: &["s.name", "s.url"],
    search_index: Some("sites_search"),
    counted: &[],
};

/// One page of them.
///
/// # Errors
/// What SQLite says.
pub fn list(db: &Connection, ask: &Ask<'_>) -> Result<Page<Site>> {
    page(db, &SOURCE, ask, find)
}

/// One that isn't deleted.
///
/// # Errors
/// What SQLite says.
pub fn find(db: &Connection, id: i64) -> Result<Option<Site>> {
    Ok(db.prepare_cached(
        "SELECT s.id, s.name, s.url, s.organization_id, o.name, s.environment, s.tags, s.notes, s.status, s.status_reason,
           s.silent_since,
           (SELECT min(m.last_success_at) FROM site_modules AS sm JOIN modules AS m ON m.id = sm.module_id
            WHERE sm.site_id = s.id AND sm.enabled = 1 AND m.kind = 'project'),
           s.drupal_version, s.php_version, s.sync_interval_minutes, c.last_sync_at,
           s.total, s.not_current, s.security, s.unknown, s.custom, s.disabled,
           s.open_exposures, s.next_due_at, s.stranger_at, s.stranger_url, s.created_at, s.updated_at
         FROM sites AS s
         JOIN organizations AS o ON o.id = s.organization_id
         LEFT JOIN site_contacts AS c ON c.site_id = s.id
         WHERE s.id = ?1 AND s.deleted_at IS NULL",
    )?
    .query_row([id], |found| read(InOrder::of(found)))
    .optional()?)
}

fn read(mut found: InOrder<'_, '_>) -> rusqlite::Result<Site> {
    Ok(Site {
        id: found.value()?,
        name: found.value()?,
        url: found.value()?,
        organization_id: found.value()?,
        organization: found.value()?,
        environment: found.value()?,
        tags: found.texts()?,
        notes: found.value()?,
        status: found.standing()?,
        status_reason: found.value()?,
        silent_since: found.maybe_time()?,
        data_as_of: found.maybe_time()?,
        drupal_version: found.value()?,
        php_version: found.value()?,
        sync_interval_minutes: found.value()?,
        last_sync_at: found.maybe_time()?,
        counts: Counts {
            total: found.value()?,
            not_current: found.value()?,
            security: found.value()?,
            unknown: found.value()?,
            custom: found.value()?,
            disabled: found.value()?,
        },
        open_exposures: found.value()?,
        next_due_at: found.maybe_time()?,
        stranger: stranger(found.maybe_time()?, found.value()?),
        created_at: found.time()?,
        updated_at: found.time()?,
    })
}

fn stranger(at: Option<Timestamp>, url: Option<String>) -> Option<Stranger> {
    at.map(|at| Stranger { at, url })
}

/// The organization of a site that isn't deleted: what the wall asks.
///
/// # Errors
/// What SQLite says.
pub fn organization_of(db: &Connection, id: i64) -> Result<Option<i64>> {
    Ok(db
        .prepare_cached("SELECT organization_id FROM sites WHERE id = ?1 AND deleted_at IS NULL")?
        .query_row([id], |found| found.get(0))
        .optional()?)
}

/// Keeps a new one, that has never synced, and gives its id.
///
/// # Errors
/// A constraint, where the name is taken in that organization and environment.
pub fn insert(
    db: &Connection,
    organization_id: i64,
    facts: &SiteFacts,
    by: &str,
    now: Timestamp,
) -> Result<i64> {
    let id = db
        .prepare_cached(
            "INSERT INTO sites (organization_id, name, url, environment, tags, notes, sync_interval_minutes,
               status, created_at, updated_at, created_by, updated_by)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10, ?10)",
        )?
        .insert(params![
            organization_id,
            facts.name,
            facts.url,
            facts.environment,
            tags(facts),
            facts.notes,
            facts.sync_interval_minutes,
            Standing::Pending.rank(),
            now.as_millisecond(),
            by
        ])?;
    db.prepare_cached("INSERT INTO site_contacts (site_id) VALUES (?1)")?
        .execute([id])?;
    Ok(id)
}

/// Changes what people say about a site.
///
/// # Errors
/// A constraint, where the name is taken in that organization and environment.
pub fn update(db: &Connection, id: i64, facts: &SiteFacts, by: &str, now: Timestamp) -> Result<()> {
    db.prepare_cached(
        "UPDATE sites SET name = ?2, url = ?3, environment = ?4, tags = ?5, notes = ?6,
           sync_interval_minutes = ?7, updated_at = ?8, updated_by = ?9 WHERE id = ?1",
    )?
    .execute(params![
        id,
        facts.name,
        facts.url,
        facts.environment,
        tags(facts),
        facts.notes,
        facts.sync_interval_minutes,
        now.as_millisecond(),
        by
    ])?;
    Ok(())
}

fn tags(facts: &SiteFacts) -> String {
    serde_json::Value::from(facts.tags.clone()).to_string()
}

/// Why a site or a key goes: what is restored together went together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Going {
    /// Somebody deleted the site.
    Itself,
    /// Its organization was deleted.
    WithOrganization,
}

/// Deletes one softly, with all that follows in the same commit: its keys end, its open windows end
/// at this instant, nobody waits for its syncs any more, and the chronicle says so.
///
/// # Errors
/// What SQLite says.
pub fn delete(db: &Connection, id: i64, going: Going, by: &str, now: Timestamp) -> Result<()> {
    let at = now.as_millisecond();
    db.prepare_cached(
        "UPDATE exposures SET closed_at = ?2, outcome = 'ended', updated_at = ?2
         WHERE site_id = ?1 AND closed_at IS NULL",
    )?
    .execute(params![id, at])?;
    db.prepare_cached(
        "UPDATE sites SET deleted_at = ?2, went_with = ?4, updated_at = ?2, updated_by = ?3, open_exposures = 0,
           next_due_at = NULL WHERE id = ?1",
    )?
    .execute(params![
        id,
        at,
        by,
        (going == Going::WithOrganization).then_some("organization")
    ])?;
    db.prepare_cached("UPDATE site_contacts SET watch_at = NULL WHERE site_id = ?1")?
        .execute([id])?;
    db.prepare_cached(
        "UPDATE api_keys SET revoked_at = ?2, went_with = ?4, updated_at = ?2, updated_by = ?3
         WHERE site_id = ?1 AND revoked_at IS NULL",
    )?
    .execute(params![
        id,
        at,
        by,
        match going {
            Going::Itself => "site",
            Going::WithOrganization => "organization",
        }
    ])?;
    chronicle::write(db, "site_deleted", id, now)
}

/// Brings a deleted one back, with what its deletion took: the windows that ended with it are open
/// again, the keys that were revoked with it work again. What follows from what happened meanwhile
/// is the caller's to draw.
///
/// # Errors
/// A constraint, where the name is taken meanwhile.
pub fn restore(db: &Connection, id: i64, by: &str, now: Timestamp) -> Result<()> {
    let at = now.as_millisecond();
    db.prepare_cached(
        "UPDATE sites SET deleted_at = NULL, went_with = NULL, updated_at = ?2, updated_by = ?3 WHERE id = ?1",
    )?
    .execute(params![id, at, by])?;
    db.prepare_cached(
        "UPDATE exposures SET closed_at = NULL, outcome = NULL, warn_at = CASE WHEN due_at IS NOT NULL THEN 0 END, updated_at = ?2 WHERE site_id = ?1 AND outcome = 'ended'",
    )?
    .execute(params![id, at])?;
    db.prepare_cached(
        "UPDATE api_keys SET revoked_at = NULL, went_with = NULL, updated_at = ?2, updated_by = ?3
         WHERE site_id = ?1 AND went_with = 'site'",
    )?
    .execute(params![id, at, by])?;
    chronicle::write(db, "site_restored", id, now)
}

/// A deleted one.
///
/// # Errors
/// What SQLite says.
pub fn find_deleted(db: &Connection, id: i64) -> Result<Option<DeletedSite>> {
    Ok(db
        .prepare_cached(
            "SELECT s.id, s.name, s.environment, s.organization_id, o.name AS organization,
               o.deleted_at IS NOT NULL AS organization_deleted, s.deleted_at
             FROM sites AS s JOIN organizations AS o ON o.id = s.organization_id
             WHERE s.id = ?1 AND s.deleted_at IS NOT NULL",
        )?
        .query_row([id], deleted)
        .optional()?)
}

/// Those in sight that were deleted by themselves, the newest first.
///
/// # Errors
/// What SQLite says.
pub fn list_deleted(db: &Connection, sight: &Sight, most: u32) -> Result<Vec<DeletedSite>> {
    let mut prepared = db.prepare_cached(
        "SELECT s.id, s.name, s.environment, s.organization_id, o.name AS organization,
           o.deleted_at IS NOT NULL AS organization_deleted, s.deleted_at
         FROM sites AS s INDEXED BY sites_deleted JOIN organizations AS o ON o.id = s.organization_id
         WHERE s.deleted_at IS NOT NULL AND s.went_with IS NULL AND (?1 IS NULL OR s.organization_id IN (SELECT value FROM json_each(?1)))
         ORDER BY s.deleted_at DESC, s.id DESC LIMIT ?2",
    )?;
    let found = prepared.query_map(params![within(sight), most], deleted)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

fn deleted(found: &Row<'_>) -> rusqlite::Result<DeletedSite> {
    Ok(DeletedSite {
        id: found.get("id")?,
        name: found.get("name")?,
        environment: found.get("environment")?,
        organization_id: found.get("organization_id")?,
        organization: found.get("organization")?,
        organization_deleted: found.get("organization_deleted")?,
        deleted_at: row::time(found, "deleted_at")?,
    })
}

/// The organization of a site, deleted or not: who may bring it back.
///
/// # Errors
/// What SQLite says.
pub fn organization_of_any(db: &Connection, id: i64) -> Result<Option<i64>> {
    Ok(db
        .prepare_cached("SELECT organization_id FROM sites WHERE id = ?1")?
        .query_row([id], |found| found.get(0))
        .optional()?)
}
