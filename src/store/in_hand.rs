//! Who has an exposure in hand: the columns that people write, and the rows that tell of it. Nothing
//! here touches what the ledger's rules read.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::Result;
use super::time::ms;
use crate::domain::in_hand::Snooze;

/// Gives a window to somebody, or to nobody.
///
/// # Errors
/// What SQLite says.
pub fn assign(db: &Connection, id: i64, user_id: Option<i64>, now: Timestamp) -> Result<()> {
    db.prepare_cached(
        "UPDATE exposures SET assignee_id = ?2, assigned_at = CASE WHEN ?2 IS NULL THEN NULL ELSE ?3 END WHERE id = ?1",
    )?
    .execute(params![id, user_id, ms(now)])?;
    Ok(())
}

/// Holds of a window whose assignee can't see it: he isn't there any more, or no role of his in its
/// organization lets him see sites.
const OUT_OF_SIGHT: &str = "NOT EXISTS (SELECT 1 FROM users AS u WHERE u.id = e.assignee_id AND u.deleted_at IS NULL
    AND (u.platform_admin = 1 OR EXISTS (SELECT 1 FROM memberships AS m JOIN role_permissions AS p ON p.role_id = m.role_id
        WHERE m.user_id = u.id AND m.organization_id = e.organization_id AND p.permission = 'sites:read')))";

/// Takes the open windows that a person can't see any more out of his hand, and tells so. To be called
/// wherever somebody loses what let him see sites.
///
/// # Errors
/// What SQLite says.
pub fn let_go(db: &Connection, user_id: i64, now: Timestamp) -> Result<()> {
    let mut prepared = db.prepare_cached(&format!(
        "SELECT e.id FROM exposures AS e WHERE e.assignee_id = ?1 AND e.closed_at IS NULL AND {OUT_OF_SIGHT}"
    ))?;
    let found = prepared.query_map([user_id], |row| row.get(0))?;
    in_nobodys_hand(db, &found.collect::<rusqlite::Result<Vec<_>>>()?, now)
}

/// The same for whoever holds a role, when that lets him do less.
///
/// # Errors
/// What SQLite says.
pub fn let_go_of_role(db: &Connection, role_id: i64, now: Timestamp) -> Result<()> {
    let mut prepared = db.prepare_cached("SELECT user_id FROM memberships WHERE role_id = ?1")?;
    let found = prepared.query_map([role_id], |row| row.get(0))?;
    for user_id in found.collect::<rusqlite::Result<Vec<i64>>>()? {
        let_go(db, user_id, now)?;
    }
    Ok(())
}

/// The same for a site that comes back, with windows that were in somebody's hand when it went.
///
/// # Errors
/// What SQLite says.
pub fn let_go_on(db: &Connection, site_id: i64, now: Timestamp) -> Result<()> {
    let mut prepared = db.prepare_cached(&format!(
        "SELECT e.id FROM exposures AS e WHERE e.site_id = ?1 AND e.closed_at IS NULL AND e.assignee_id IS NOT NULL AND {OUT_OF_SIGHT}"
    ))?;
    let found = prepared.query_map([site_id], |row| row.get(0))?;
    in_nobodys_hand(db, &found.collect::<rusqlite::Result<Vec<_>>>()?, now)
}

fn in_nobodys_hand(db: &Connection, windows: &[i64], now: Timestamp) -> Result<()> {
    for id in windows {
        assign(db, *id, None, now)?;
        tell(db, (*id, "assigned"), ("system", ""), "", now)?;
    }
    Ok(())
}

/// Somebody says that he has seen a window.
///
/// # Errors
/// What SQLite says.
pub fn acknowledge(db: &Connection, id: i64, by: &str, now: Timestamp) -> Result<()> {
    db.prepare_cached(
        "UPDATE exposures SET acknowledged_at = ?2, acknowledged_by = ?3 WHERE id = ?1",
    )?
    .execute(params![id, ms(now), by])?;
    Ok(())
}

/// Puts a window aside, or takes it up again.
///
/// # Errors
/// What SQLite says.
pub fn snooze(db: &Connection, id: i64, snooze: Option<&Snooze>, by: &str) -> Result<()> {
    db.prepare_cached(
        "UPDATE exposures SET snoozed_until = ?2, snooze_reason = ?3, snoozed_by = ?4 WHERE id = ?1",
    )?
    .execute(params![
        id,
        snooze.map(|snooze| ms(snooze.until)),
        snooze.map(|snooze| &snooze.reason),
        snooze.map(|_| by)
    ])?;
    Ok(())
}

/// Tells that somebody did something with a window: `assigned`, `acknowledged`, `snoozed` or `woken`.
/// The person or key is a label and a name.
///
/// # Errors
/// What SQLite says.
pub fn tell(
    db: &Connection,
    (exposure_id, kind): (i64, &str),
    (by, name): (&str, &str),
    note: &str,
    now: Timestamp,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO exposure_events (exposure_id, kind, at, noticed_at, actor, actor_name, note)
         VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![exposure_id, kind, ms(now), by, name, note])?;
    Ok(())
}

/// The open windows of the same module on the same site as that window, itself first.
///
/// # Errors
/// What SQLite says.
pub fn beside(db: &Connection, id: i64) -> Result<Vec<i64>> {
    let mut prepared = db.prepare_cached(
        "SELECT x.id FROM exposures AS e JOIN exposures AS x ON x.site_id = e.site_id AND x.module_id = e.module_id
         WHERE e.id = ?1 AND x.closed_at IS NULL",
    )?;
    let found = prepared.query_map([id], |row| row.get(0))?;
    let mut ids: Vec<i64> = found.collect::<rusqlite::Result<_>>()?;
    ids.sort_unstable_by_key(|other| (*other != id, *other));
    Ok(ids)
}

/// The members of an organization whose roles let them see sites, as (id, name), by name.
///
/// # Errors
/// What SQLite says.
pub fn people(db: &Connection, organization_id: i64) -> Result<Vec<(i64, String)>> {
    let mut prepared = db.prepare_cached(
        "SELECT u.id, u.name FROM memberships AS m JOIN users AS u ON u.id = m.user_id
         WHERE m.organization_id = ?1 AND u.deleted_at IS NULL AND u.password_hash IS NOT NULL
           AND EXISTS (SELECT 1 FROM role_permissions AS p WHERE p.role_id = m.role_id AND p.permission = 'sites:read')",
    )?;
    let found = prepared.query_map([organization_id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut people: Vec<(i64, String)> = found.collect::<rusqlite::Result<_>>()?;
    people.sort_by(|a, b| a.1.cmp(&b.1));
    Ok(people)
}
