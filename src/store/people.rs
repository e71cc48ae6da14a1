//! People as those see them who look after them: everybody in sight, members of an organization, and
//! what keeps somebody where he is.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::listing::{Ask, Column, Source, Wall, page};
use super::wall::within;
use super::{Result, row};
use crate::domain::access::Sight;
use crate::domain::listing::Page;
use crate::domain::member::{DeletedUser, MEMBERS, Member, Membership, USERS, User};
use crate::domain::role::ADMIN;

/// The list of people.
pub static SOURCE: Source = Source {
    list: &USERS,
    from: "users AS u",
    drivers: &[],
    live: "u.deleted_at IS NULL",
    id: "u.id",
    columns: None,
    wall: Wall::Used {
        organization: "u.id IN (SELECT m.user_id FROM memberships AS m WHERE m.organization_id IN {organizations})",
        site: "0",
    },
    fields: &[
        ("id", Column::Plain("u.id")),
        ("name", Column::Name("u.name")),
        ("email", Column::Name("u.email")),
        ("status", Column::Words(STANDINGS)),
        ("created_at", Column::Plain("u.created_at")),
    ],
    sorts: &[
        ("name", &["u.name COLLATE NOCASE"]),
        ("email", &["u.email COLLATE NOCASE"]),
        ("id", &[]),
    ],
    ties: &[],
    search: &["u.name", "u.email"],
    search_index: None,
    counted: &[],
};

/// The list of an organization's members; the path names the organization.
pub static MEMBERS_SOURCE: Source = Source {
    list: &MEMBERS,
    from: "memberships AS m JOIN users AS u ON u.id = m.user_id JOIN roles AS r ON r.id = m.role_id",
    drivers: &[],
    live: "u.deleted_at IS NULL",
    id: "m.user_id",
    columns: None,
    wall: Wall::Owned {
        organization: "m.organization_id",
        site: None,
    },
    fields: &[
        ("user_id", Column::Plain("m.user_id")),
        ("name", Column::Name("u.name")),
        ("email", Column::Name("u.email")),
        ("role_id", Column::Plain("m.role_id")),
        ("role", Column::Name("r.name")),
        ("status", Column::Words(STANDINGS)),
        ("created_at", Column::Plain("m.created_at")),
    ],
    sorts: &[
        ("name", &["u.name COLLATE NOCASE"]),
        ("email", &["u.email COLLATE NOCASE"]),
        ("user_id", &[]),
        ("created_at", &["m.created_at"]),
    ],
    ties: &[],
    search: &["u.name", "u.email"],
    search_index: None,
    counted: &[],
};

const STANDINGS: &[(&str, &str)] = &[
    ("active", "u.password_hash IS NOT NULL"),
    ("invited", "u.password_hash IS NULL"),
];

/// Until when the link of an invitation is good, and whether a second factor is on.
const BESIDE: &str = "(SELECT max(n.expires_at) FROM notifications AS n WHERE n.user_id = u.id AND n.kind = 'invitation') AS invited_until,
    EXISTS (SELECT 1 FROM second_factors AS f WHERE f.user_id = u.id AND f.enabled_at IS NOT NULL) AS two_factor_enabled";

/// One page of people.
///
/// # Errors
/// What SQLite says.
pub fn list(db: &Connection, ask: &Ask<'_>) -> Result<Page<User>> {
    page(db, &SOURCE, ask, |db, id| find(db, ask.sight, id))
}

/// Somebody in sight, with what he is in the organizations in sight.
///
/// # Errors
/// What SQLite says.
pub fn find(db: &Connection, sight: &Sight, id: i64) -> Result<Option<User>> {
    let found = db
        .prepare_cached(&format!(
            "SELECT u.id, u.email, u.name, u.password_hash IS NULL AS invited, u.platform_admin, u.time_zone, u.created_at,
               (SELECT max(s.last_used_at) FROM sessions AS s WHERE s.user_id = u.id) AS last_seen_at, {BESIDE}
             FROM users AS u WHERE u.id = ?1 AND u.deleted_at IS NULL
               AND (?2 IS NULL OR EXISTS (SELECT 1 FROM memberships AS m
                     WHERE m.user_id = u.id AND m.organization_id IN (SELECT value FROM json_each(?2))))"
        ))?
        .query_row(params![id, within(sight)], |found| {
            Ok(User {
                id: found.get("id")?,
                email: found.get("email")?,
                name: found.get("name")?,
                invited: found.get("invited")?,
                invited_until: row::maybe_time(found, "invited_until")?,
                platform_admin: found.get("platform_admin")?,
                time_zone: found.get("time_zone")?,
                two_factor_enabled: found.get("two_factor_enabled")?,
                last_seen_at: row::maybe_time(found, "last_seen_at")?,
                memberships: Vec::new(),
                created_at: row::time(found, "created_at")?,
            })
        })
        .optional()?;
    let Some(mut user) = found else {
        return Ok(None);
    };
    user.memberships = memberships(db, sight, id)?;
    Ok(Some(user))
}

/// What somebody is in the organizations in sight that aren't deleted, by their names.
///
/// # Errors
/// What SQLite says.
pub fn memberships(db: &Connection, sight: &Sight, user_id: i64) -> Result<Vec<Membership>> {
    let mut prepared = db.prepare_cached(
        "SELECT m.organization_id, o.name AS organization, m.role_id, r.name AS role
         FROM memberships AS m JOIN organizations AS o ON o.id = m.organization_id JOIN roles AS r ON r.id = m.role_id
         WHERE m.user_id = ?1 AND o.deleted_at IS NULL
           AND (?2 IS NULL OR m.organization_id IN (SELECT value FROM json_each(?2)))
         ORDER BY o.name COLLATE NOCASE",
    )?;
    let found = prepared.query_map(params![user_id, within(sight)], |found| {
        Ok(Membership {
            organization_id: found.get("organization_id")?,
            organization: found.get("organization")?,
            role_id: found.get("role_id")?,
            role: found.get("role")?,
        })
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// One page of an organization's members.
///
/// # Errors
/// What SQLite says.
pub fn members(db: &Connection, organization_id: i64, ask: &Ask<'_>) -> Result<Page<Member>> {
    page(db, &MEMBERS_SOURCE, ask, |db, id| {
        member(db, organization_id, id)
    })
}

/// A member who isn't deleted.
///
/// # Errors
/// What SQLite says.
pub fn member(db: &Connection, organization_id: i64, user_id: i64) -> Result<Option<Member>> {
    Ok(db
        .prepare_cached(&format!(
            "SELECT m.organization_id, m.user_id, u.name, u.email, m.role_id, r.name AS role,
               u.password_hash IS NULL AS invited, m.created_at, {BESIDE}
             FROM memberships AS m JOIN users AS u ON u.id = m.user_id JOIN roles AS r ON r.id = m.role_id
             WHERE m.organization_id = ?1 AND m.user_id = ?2 AND u.deleted_at IS NULL"
        ))?
        .query_row([organization_id, user_id], read_member)
        .optional()?)
}

fn read_member(found: &Row<'_>) -> rusqlite::Result<Member> {
    Ok(Member {
        organization_id: found.get("organization_id")?,
        user_id: found.get("user_id")?,
        name: found.get("name")?,
        email: found.get("email")?,
        role_id: found.get("role_id")?,
        role: found.get("role")?,
        invited: found.get("invited")?,
        invited_until: row::maybe_time(found, "invited_until")?,
        two_factor_enabled: found.get("two_factor_enabled")?,
        created_at: row::time(found, "created_at")?,
    })
}

/// Whether somebody is a member of an organization that is deleted.
///
/// # Errors
/// What SQLite says.
pub fn is_in_a_deleted_organization(db: &Connection, user_id: i64) -> Result<bool> {
    Ok(db
        .prepare_cached(
            "SELECT 1 FROM memberships AS m JOIN organizations AS o ON o.id = m.organization_id
             WHERE m.user_id = ?1 AND o.deleted_at IS NOT NULL",
        )?
        .exists([user_id])?)
}

/// Whether somebody of that address is in the organization already: `Some(true)` where he is only
/// invited. People outside it aren't looked at.
///
/// # Errors
/// What SQLite says.
pub fn standing(db: &Connection, organization_id: i64, email: &str) -> Result<Option<bool>> {
    Ok(db
        .prepare_cached(
            "SELECT min(u.password_hash IS NULL) FROM users AS u JOIN memberships AS m ON m.user_id = u.id AND m.organization_id = ?1
             WHERE u.email = ?2 COLLATE NOCASE AND u.deleted_at IS NULL",
        )?
        .query_row(params![organization_id, email], |found| found.get(0))?)
}

/// Whether somebody of that address was invited by the platform, to no organization.
///
/// # Errors
/// What SQLite says.
pub fn invited_nowhere(db: &Connection, email: &str) -> Result<bool> {
    Ok(db
        .prepare_cached(
            "SELECT 1 FROM users AS u WHERE u.email = ?1 COLLATE NOCASE AND u.deleted_at IS NULL AND u.password_hash IS NULL
               AND NOT EXISTS (SELECT 1 FROM memberships AS m WHERE m.user_id = u.id)",
        )?
        .exists([email])?)
}

/// Whether somebody of that address was invited, to whatever, and hasn't come yet.
///
/// # Errors
/// What SQLite says.
pub fn is_invited(db: &Connection, email: &str) -> Result<bool> {
    Ok(db
        .prepare_cached(
            "SELECT 1 FROM users WHERE email = ?1 COLLATE NOCASE AND deleted_at IS NULL AND password_hash IS NULL",
        )?
        .exists([email])?)
}

/// Adds a person to be, who has no password yet.
///
/// # Errors
/// What SQLite says.
pub fn invite(db: &Connection, email: &str, name: &str, by: &str, now: Timestamp) -> Result<i64> {
    Ok(db
        .prepare_cached(
            "INSERT INTO users (email, name, created_at, updated_at, created_by, updated_by) VALUES (?1, ?2, ?3, ?3, ?4, ?4)",
        )?
        .insert(params![email, name, now.as_millisecond(), by])?)
}

/// An organization in which somebody is the only active administrator: its name, and whether it is
/// deleted. A deleted one counts: it can come back.
///
/// # Errors
/// What SQLite says.
pub fn only_administrator_of(db: &Connection, user_id: i64) -> Result<Option<(String, bool)>> {
    Ok(db
        .prepare_cached(
            "SELECT o.name, o.deleted_at IS NOT NULL FROM memberships AS m
               JOIN organizations AS o ON o.id = m.organization_id JOIN users AS u ON u.id = m.user_id
             WHERE m.user_id = ?1 AND m.role_id = ?2
               AND u.deleted_at IS NULL AND u.password_hash IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM memberships AS x JOIN users AS y ON y.id = x.user_id
                    WHERE x.organization_id = m.organization_id AND x.role_id = ?2 AND x.user_id <> ?1
                      AND y.deleted_at IS NULL AND y.password_hash IS NOT NULL)
             ORDER BY o.deleted_at IS NOT NULL LIMIT 1",
        )?
        .query_row([user_id, ADMIN], |found| Ok((found.get(0)?, found.get(1)?)))
        .optional()?)
}

/// Whether an organization has another active administrator.
///
/// # Errors
/// What SQLite says.
pub fn another_administrator_in(
    db: &Connection,
    organization_id: i64,
    user_id: i64,
) -> Result<bool> {
    Ok(db
        .prepare_cached(
            "SELECT 1 FROM memberships AS m JOIN users AS u ON u.id = m.user_id
             WHERE m.organization_id = ?1 AND m.role_id = ?3 AND m.user_id <> ?2
               AND u.deleted_at IS NULL AND u.password_hash IS NOT NULL LIMIT 1",
        )?
        .exists([organization_id, user_id, ADMIN])?)
}

/// The keys of an organization that somebody made, or whose secret he was the last to learn, and that still
/// work: they stop when he leaves.
///
/// # Errors
/// What SQLite says.
pub fn keys_made_by(
    db: &Connection,
    organization_id: i64,
    user_id: i64,
    now: Timestamp,
) -> Result<i64> {
    Ok(db
        .prepare_cached(
            "SELECT count(*) FROM api_keys WHERE organization_id = ?1 AND site_id IS NULL AND revoked_at IS NULL
               AND (expires_at IS NULL OR expires_at > ?3) AND 'user:' || ?2 IN (created_by, secret_by)",
        )?
        .query_row(
            params![organization_id, user_id, now.as_millisecond()],
            |found| found.get(0),
        )?)
}

/// The keys of an organization's sites that somebody made, or whose secret he was the last to learn, and that
/// still work: they go on when he leaves.
///
/// # Errors
/// What SQLite says.
pub fn site_keys_made_by(
    db: &Connection,
    organization_id: i64,
    user_id: i64,
    now: Timestamp,
) -> Result<i64> {
    Ok(db
        .prepare_cached(
            "SELECT count(*) FROM api_keys WHERE organization_id = ?1 AND site_id IS NOT NULL AND revoked_at IS NULL
               AND (expires_at IS NULL OR expires_at > ?3) AND 'user:' || ?2 IN (created_by, secret_by)",
        )?
        .query_row(
            params![organization_id, user_id, now.as_millisecond()],
            |found| found.get(0),
        )?)
}

/// How many sessions somebody has open at `now`.
///
/// # Errors
/// What SQLite says.
pub fn open_sessions(db: &Connection, user_id: i64, now: Timestamp) -> Result<i64> {
    Ok(db
        .prepare_cached(
            "SELECT count(*) FROM sessions WHERE user_id = ?1 AND ended_at IS NULL AND expires_at > ?2",
        )?
        .query_row(params![user_id, now.as_millisecond()], |found| found.get(0))?)
}

/// Says whether somebody is a platform administrator.
///
/// # Errors
/// What SQLite says.
pub fn set_platform_admin(db: &Connection, id: i64, yes: bool) -> Result<()> {
    db.prepare_cached("UPDATE users SET platform_admin = ?2 WHERE id = ?1")?
        .execute(params![id, yes])?;
    Ok(())
}

/// It is there, deleted or not.
///
/// # Errors
/// What SQLite says.
pub fn exists_at_all(db: &Connection, id: i64) -> Result<bool> {
    Ok(db
        .prepare_cached("SELECT 1 FROM users WHERE id = ?1")?
        .exists([id])?)
}

/// A deleted one. An invitation that is void isn't one: nobody ever came.
///
/// # Errors
/// What SQLite says.
pub fn find_deleted(db: &Connection, id: i64) -> Result<Option<DeletedUser>> {
    Ok(db
        .prepare_cached(
            "SELECT id, name, email, deleted_at FROM users AS u WHERE id = ?1 AND deleted_at IS NOT NULL
               AND (password_hash IS NOT NULL OR EXISTS (SELECT 1 FROM memberships AS m WHERE m.user_id = u.id))",
        )?
        .query_row([id], read_deleted)
        .optional()?)
}

/// The deleted ones, the newest first.
///
/// # Errors
/// What SQLite says.
pub fn list_deleted(db: &Connection, most: u32) -> Result<Vec<DeletedUser>> {
    let mut prepared = db.prepare_cached(
        "SELECT id, name, email, deleted_at FROM users AS u WHERE deleted_at IS NOT NULL
           AND (password_hash IS NOT NULL OR EXISTS (SELECT 1 FROM memberships AS m WHERE m.user_id = u.id))
         ORDER BY deleted_at DESC, id DESC LIMIT ?1",
    )?;
    let found = prepared.query_map([most], read_deleted)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

fn read_deleted(found: &Row<'_>) -> rusqlite::Result<DeletedUser> {
    Ok(DeletedUser {
        id: found.get("id")?,
        name: found.get("name")?,
        email: found.get("email")?,
        deleted_at: row::time(found, "deleted_at")?,
    })
}

/// Brings a deleted one back, as he was.
///
/// # Errors
/// A constraint, where somebody else has his address meanwhile.
pub fn restore(db: &Connection, id: i64, by: &str, now: Timestamp) -> Result<()> {
    db.prepare_cached(
        "UPDATE users SET deleted_at = NULL, updated_at = ?2, updated_by = ?3 WHERE id = ?1",
    )?
    .execute(params![id, now.as_millisecond(), by])?;
    Ok(())
}

/// Turns a person to be into one who can sign in.
///
/// # Errors
/// A constraint, where somebody has his address.
pub fn join(
    db: &Connection,
    id: i64,
    (name, time_zone, hash): (&str, &str, &str),
    now: Timestamp,
) -> Result<()> {
    db.prepare_cached(
        "UPDATE users SET name = ?2, time_zone = ?3, password_hash = ?4, updated_at = ?5, updated_by = 'user:' || ?1
         WHERE id = ?1 AND password_hash IS NULL",
    )?
    .execute(params![id, name, time_zone, hash, now.as_millisecond()])?;
    Ok(())
}
