//! Roles as they are kept: the platform's are there for everybody, an organization's own for whoever
//! sees it.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::listing::{Ask, Column, Source, Wall, page};
use super::wall::within;
use super::{Result, memberships, row};
use crate::domain::access::Sight;
use crate::domain::grants::Permissions;
use crate::domain::listing::Page;
use crate::domain::role::{LIST, Role, RoleFacts};

/// The list of roles.
pub static SOURCE: Source = Source {
    list: &LIST,
    from: "roles AS r",
    drivers: &[],
    live: "(r.organization_id IS NULL OR EXISTS (SELECT 1 FROM organizations AS o WHERE o.id = r.organization_id AND o.deleted_at IS NULL))",
    id: "r.id",
    columns: None,
    wall: Wall::Used {
        organization: "(r.organization_id IS NULL OR r.organization_id IN {organizations})",
        site: "0",
    },
    fields: &[
        ("id", Column::Plain("r.id")),
        ("name", Column::Name("r.name")),
        ("organization_id", Column::Plain("r.organization_id")),
        ("built_in", Column::Plain("r.built_in")),
        ("created_at", Column::Plain("r.created_at")),
    ],
    sorts: &[("id", &[]), ("name", &["r.name COLLATE NOCASE"])],
    ties: &[],
    search: &["r.name", "r.description"],
    search_index: None,
    counted: &[],
};

/// One page of them.
///
/// # Errors
/// What SQLite says.
pub fn list(db: &Connection, ask: &Ask<'_>) -> Result<Page<Role>> {
    page(db, &SOURCE, ask, |db, id| find(db, ask.sight, id))
}

/// One in sight, its holders counted in the organizations in sight.
///
/// # Errors
/// What SQLite says.
pub fn find(db: &Connection, sight: &Sight, id: i64) -> Result<Option<Role>> {
    let found = db
        .prepare_cached(
            "SELECT r.id, r.organization_id, o.name AS organization, r.name, r.description, r.built_in, r.created_at, r.updated_at,
               (SELECT count(*) FROM memberships AS m JOIN users AS u ON u.id = m.user_id
                 WHERE m.role_id = r.id AND u.deleted_at IS NULL
                   AND (?2 IS NULL OR m.organization_id IN (SELECT value FROM json_each(?2)))) AS members_count
             FROM roles AS r LEFT JOIN organizations AS o ON o.id = r.organization_id
             WHERE r.id = ?1
               AND (r.organization_id IS NULL
                    OR o.deleted_at IS NULL AND (?2 IS NULL OR r.organization_id IN (SELECT value FROM json_each(?2))))",
        )?
        .query_row(params![id, within(sight)], |found| {
            Ok(Role {
                id: found.get("id")?,
                organization_id: found.get("organization_id")?,
                organization: found.get("organization")?,
                name: found.get("name")?,
                description: found.get("description")?,
                permissions: Permissions::NONE,
                built_in: found.get("built_in")?,
                members_count: found.get("members_count")?,
                created_at: row::time(found, "created_at")?,
                updated_at: row::time(found, "updated_at")?,
            })
        })
        .optional()?;
    let Some(mut role) = found else {
        return Ok(None);
    };
    role.permissions = memberships::of_role(db, id)?;
    Ok(Some(role))
}

/// The one of that name that can be used in an organization: its own before the platform's.
///
/// # Errors
/// What SQLite says.
pub fn find_named(db: &Connection, organization_id: i64, name: &str) -> Result<Option<i64>> {
    let named = |owner: i64| {
        db.prepare_cached(
            "SELECT id FROM roles WHERE coalesce(organization_id, 0) = ?1 AND name = ?2 COLLATE NOCASE",
        )?
        .query_row(params![owner, name], |found| found.get(0))
        .optional()
    };
    match named(organization_id)? {
        Some(own) => Ok(Some(own)),
        None => Ok(named(0)?),
    }
}

/// Whether a role of that name would stand beside one of the same name: for an organization its own and
/// the platform's count; for the platform those of all organizations, deleted ones too.
///
/// # Errors
/// What SQLite says.
pub fn is_named(db: &Connection, organization_id: Option<i64>, name: &str) -> Result<bool> {
    match organization_id {
        Some(owner) => Ok(find_named(db, owner, name)?.is_some()),
        None => Ok(db
            .prepare_cached("SELECT 1 FROM roles WHERE name = ?1 COLLATE NOCASE")?
            .exists([name])?),
    }
}

/// Those that can be used in an organization, the platform's first.
///
/// # Errors
/// What SQLite says.
pub fn usable(db: &Connection, organization_id: i64) -> Result<Vec<Role>> {
    let mut prepared = db.prepare_cached(
        "SELECT id FROM roles INDEXED BY roles_name WHERE coalesce(organization_id, 0) IN (0, ?1)",
    )?;
    let ids = prepared
        .query_map([organization_id], |found| found.get::<_, i64>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let sight = Sight::organization(organization_id);
    let mut roles = Vec::with_capacity(ids.len());
    for id in ids {
        roles.extend(find(db, &sight, id)?);
    }
    roles.sort_by_key(|role| (role.organization_id.is_some(), role.id));
    Ok(roles)
}

/// Keeps a new one and gives its id.
///
/// # Errors
/// A constraint, where its owner has one of that name.
pub fn insert(
    db: &Connection,
    organization_id: Option<i64>,
    facts: &RoleFacts,
    by: &str,
    now: Timestamp,
) -> Result<i64> {
    let id = db
        .prepare_cached(
            "INSERT INTO roles (organization_id, name, description, created_at, updated_at, created_by, updated_by)
             VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?5)",
        )?
        .insert(params![
            organization_id,
            facts.name,
            facts.description,
            now.as_millisecond(),
            by
        ])?;
    hold(db, id, facts.permissions)?;
    Ok(id)
}

/// Changes one.
///
/// # Errors
/// A constraint, where its owner has another one of that name.
pub fn update(db: &Connection, id: i64, facts: &RoleFacts, by: &str, now: Timestamp) -> Result<()> {
    db.prepare_cached(
        "UPDATE roles SET name = ?2, description = ?3, updated_at = ?4, updated_by = ?5 WHERE id = ?1",
    )?
    .execute(params![
        id,
        facts.name,
        facts.description,
        now.as_millisecond(),
        by
    ])?;
    hold(db, id, facts.permissions)
}

fn hold(db: &Connection, id: i64, permissions: Permissions) -> Result<()> {
    db.prepare_cached("DELETE FROM role_permissions WHERE role_id = ?1")?
        .execute([id])?;
    let mut insert =
        db.prepare_cached("INSERT INTO role_permissions (role_id, permission) VALUES (?1, ?2)")?;
    for permission in permissions.iter() {
        insert.execute(params![id, permission.word()])?;
    }
    Ok(())
}

/// Somebody who isn't deleted holds it.
///
/// # Errors
/// What SQLite says.
pub fn in_use(db: &Connection, id: i64) -> Result<bool> {
    Ok(db
        .prepare_cached(
            "SELECT 1 FROM memberships AS m JOIN users AS u ON u.id = m.user_id
             WHERE m.role_id = ?1 AND u.deleted_at IS NULL LIMIT 1",
        )?
        .exists([id])?)
}

/// Removes one that nobody holds, and the places that deleted people had by it: whoever of them comes
/// back comes without it. Gives how many places that were.
///
/// # Errors
/// A constraint, where somebody does hold it.
pub fn delete(db: &Connection, id: i64) -> Result<usize> {
    let ended = db
        .prepare_cached(
            "DELETE FROM memberships WHERE role_id = ?1
               AND user_id IN (SELECT u.id FROM users AS u WHERE u.deleted_at IS NOT NULL)",
        )?
        .execute([id])?;
    db.prepare_cached("DELETE FROM role_permissions WHERE role_id = ?1")?
        .execute([id])?;
    db.prepare_cached("DELETE FROM roles WHERE id = ?1")?
        .execute([id])?;
    Ok(ended)
}
