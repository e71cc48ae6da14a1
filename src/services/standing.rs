//! What somebody may do at this moment, asked inside the write that hands rights to others: what a request
//! found at its start may have been taken back since.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Error, Result, key_makers};
use crate::domain::access::{Actor, Sight};
use crate::domain::api_key::ApiKey;
use crate::domain::grants::{Grants, Permissions};
use crate::store::{Connection, api_keys, memberships, sessions};

/// The caller as he stands in this write.
///
/// # Errors
/// [`Error::Unauthenticated`] where his session or key is no longer good.
pub(super) fn renewed(db: &Connection, actor: &Actor, now: Timestamp) -> Result<Actor> {
    match actor {
        // The product itself loses nothing; a site's key has nothing that it could give.
        Actor::System | Actor::SiteKey { .. } => Ok(actor.clone()),
        Actor::Person {
            user_id,
            session_id,
            name,
            ..
        } => {
            let session = sessions::find(db, *session_id)?.ok_or(Error::Unauthenticated)?;
            if session.user_id != *user_id || session.expires_at <= now.as_millisecond() {
                return Err(Error::Unauthenticated);
            }
            Ok(Actor::Person {
                user_id: *user_id,
                session_id: *session_id,
                name: name.clone(),
                grants: grants(db, *user_id, now)?,
            })
        }
        Actor::OrganizationKey {
            key_id,
            organization_id,
            scopes,
            name,
        } => {
            let key = alive(db, *key_id, now)?.ok_or(Error::Unauthenticated)?;
            Ok(Actor::OrganizationKey {
                key_id: *key_id,
                organization_id: *organization_id,
                // An old secret may less than its key: that stays.
                scopes: lets(db, &key, now)?.and(*scopes),
                name: name.clone(),
            })
        }
    }
}

/// What whoever has that label (`user:7`, `key:12`, `system`) holds now in an organization; without one:
/// everything, where he looks after the platform, and otherwise nothing.
///
/// # Errors
/// What the store says.
pub(super) fn held_by(
    db: &Connection,
    label: &str,
    organization_id: Option<i64>,
    now: Timestamp,
) -> Result<Permissions> {
    if label == Actor::System.label() {
        return Ok(Permissions::ALL);
    }
    if let Some(id) = id_of(label, "user:") {
        let grants = grants(db, id, now)?;
        return Ok(match organization_id {
            Some(organization) => grants.permissions_in(organization),
            None if grants.platform => Permissions::ALL,
            None => Permissions::NONE,
        });
    }
    match id_of(label, "key:")
        .map(|id| alive(db, id, now))
        .transpose()?
        .flatten()
    {
        Some(key) if key.site_id.is_none() && Some(key.organization_id) == organization_id => {
            lets(db, &key, now)
        }
        _ => Ok(Permissions::NONE),
    }
}

fn grants(db: &Connection, user_id: i64, now: Timestamp) -> Result<Arc<Grants>> {
    Ok(Arc::new(memberships::grants(db, user_id)?).at(now))
}

fn lets(db: &Connection, key: &ApiKey, now: Timestamp) -> Result<Permissions> {
    let behind = key_makers::behind(db, key)?;
    Ok(behind.map_or(Permissions::NONE, |behind| behind.lets(key, now)))
}

/// A key that is neither revoked nor at its end.
fn alive(db: &Connection, id: i64, now: Timestamp) -> Result<Option<ApiKey>> {
    let found = api_keys::find(db, &Sight::All, id)?;
    let ended = |key: &ApiKey| key.expires_at.is_some_and(|end| end <= now);
    Ok(found.filter(|key| key.revoked_at.is_none() && !ended(key)))
}

fn id_of(label: &str, kind: &str) -> Option<i64> {
    label.strip_prefix(kind)?.parse().ok()
}
