//! Who belongs to which organization, and what the role there lets him do.

use rusqlite::{Connection, params};

use super::Result;
use super::time::at;
use crate::domain::access::Permission;
use crate::domain::grants::{Grants, Held, Permissions};

/// What a person holds: nothing where he isn't there or is only invited.
///
/// # Errors
/// What SQLite says.
pub fn grants(db: &Connection, user_id: i64) -> Result<Grants> {
    let platform = db
        .prepare_cached(
            "SELECT 1 FROM users WHERE id = ?1 AND deleted_at IS NULL AND password_hash IS NOT NULL AND platform_admin = 1",
        )?
        .exists([user_id])?;
    let mut query = db.prepare_cached(
        "SELECT m.organization_id, m.role_id,
           CASE WHEN EXISTS (SELECT 1 FROM second_factors AS f WHERE f.user_id = u.id AND f.enabled_at IS NOT NULL) THEN NULL
                ELSE o.second_factor_from END
         FROM users AS u JOIN memberships AS m ON m.user_id = u.id JOIN organizations AS o ON o.id = m.organization_id
         WHERE u.id = ?1 AND u.deleted_at IS NULL AND u.password_hash IS NOT NULL AND o.deleted_at IS NULL",
    )?;
    let mut rows = query.query([user_id])?;
    let mut held = Vec::new();
    while let Some(row) = rows.next()? {
        held.push(Held {
            organization_id: row.get(0)?,
            permissions: of_role(db, row.get(1)?)?,
            until: row.get::<_, Option<i64>>(2)?.map(at),
        });
    }
    Ok(Grants::new(platform, held))
}

/// What a role lets one do.
///
/// # Errors
/// What SQLite says.
pub fn of_role(db: &Connection, role_id: i64) -> Result<Permissions> {
    let mut query =
        db.prepare_cached("SELECT permission FROM role_permissions WHERE role_id = ?1")?;
    let mut rows = query.query([role_id])?;
    let mut words = Vec::new();
    while let Some(row) = rows.next()? {
        let word: String = row.get(0)?;
        words.extend(Permission::from_word(&word));
    }
    Ok(words.into_iter().collect())
}

/// Makes a person a member, or gives a member another role. Times in milliseconds.
///
/// # Errors
/// What SQLite says.
pub fn set(
    db: &Connection,
    organization_id: i64,
    user_id: i64,
    role_id: i64,
    now: i64,
    by: &str,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO memberships (organization_id, user_id, role_id, created_at, updated_at, created_by, updated_by)
         VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?5)
         ON CONFLICT (organization_id, user_id) DO UPDATE SET role_id = ?3, updated_at = ?4, updated_by = ?5",
    )?
    .execute(params![organization_id, user_id, role_id, now, by])?;
    Ok(())
}

/// Gives a person what another one was, and says in which organizations: where he is a member already,
/// that stays.
///
/// # Errors
/// What SQLite says.
pub fn hand_over(db: &Connection, from: i64, to: i64, now: i64, by: &str) -> Result<Vec<i64>> {
    let mut insert = db.prepare_cached(
        "INSERT INTO memberships (organization_id, user_id, role_id, created_at, updated_at, created_by, updated_by)
         SELECT organization_id, ?2, role_id, ?3, ?3, created_by, ?4 FROM memberships WHERE user_id = ?1
         ON CONFLICT (organization_id, user_id) DO NOTHING RETURNING organization_id",
    )?;
    let given = insert
        .query_map(params![from, to, now, by], |found| found.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    remove_all_of(db, from)?;
    Ok(given)
}

/// Ends all memberships of a person.
///
/// # Errors
/// What SQLite says.
pub fn remove_all_of(db: &Connection, user_id: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM memberships WHERE user_id = ?1")?
        .execute([user_id])?;
    Ok(())
}

/// Ends a membership.
///
/// # Errors
/// What SQLite says.
pub fn remove(db: &Connection, organization_id: i64, user_id: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM memberships WHERE organization_id = ?1 AND user_id = ?2")?
        .execute([organization_id, user_id])?;
    Ok(())
}
