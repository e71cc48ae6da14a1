//! Who stands behind a key, and what of its scopes he lets it do now.
//!
//! An organization's key may do what whoever made it, and whoever was the last to learn its secret, may do
//! at this moment in its organization. A key that another key made may do what that one may, from where that
//! one may be used, and ends with it; this holds for a site's key, too. Otherwise a site's key goes on whoever
//! made it: a colleague who leaves must not silence the fleet.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Error, Result};
use crate::app::App;
use crate::domain::access::{Actor, Sight};
use crate::domain::api_key::ApiKey;
use crate::domain::grants::{Grants, Permissions};
use crate::domain::network::Network;
use crate::store::{Connection, api_keys, memberships, users};

/// What limits a key beside its own scopes, networks and end.
#[derive(Debug, Clone)]
pub(super) struct Behind {
    /// What the key that made it has as scopes; every one where no key made it.
    scopes: Permissions,
    /// What each person behind it holds; none: it was made on the machine itself, or is a site's.
    people: Vec<Arc<Grants>>,
    /// From where the key that made it may be used; empty: from anywhere.
    pub(super) networks: Vec<Network>,
    /// When the key that made it ends.
    pub(super) ends_at: Option<Timestamp>,
}

impl Behind {
    /// What the key may do at that instant.
    pub(super) fn lets(&self, key: &ApiKey, now: Timestamp) -> Permissions {
        if self.ends_at.is_some_and(|end| end <= now) {
            return Permissions::NONE;
        }
        let held = Permissions::of(&key.scopes).and(self.scopes);
        self.people.iter().fold(held, |held, person| {
            held.and(person.at(now).permissions_in(key.organization_id))
        })
    }
}

enum Maker {
    Person(i64),
    Key(i64),
    Machine,
}

fn maker(key: &ApiKey) -> Maker {
    let key_id = key.created_by.strip_prefix("key:");
    match (
        person(&key.created_by),
        key_id.and_then(|id| id.parse().ok()),
    ) {
        (Some(person), _) => Maker::Person(person),
        (_, Some(key)) => Maker::Key(key),
        _ => Maker::Machine,
    }
}

/// The person whose label it is.
fn person(label: &str) -> Option<i64> {
    label.strip_prefix("user:")?.parse().ok()
}

/// What stands behind a key; `None` where the key that made it is gone or revoked: it went with that one.
///
/// # Errors
/// What the store says.
pub(super) fn behind(db: &Connection, key: &ApiKey) -> Result<Option<Behind>> {
    let parent = match maker(key) {
        Maker::Key(id) => match standing(db, id)? {
            // A key that a key made makes no keys: there is no longer line.
            Some(parent) if !matches!(maker(&parent), Maker::Key(_)) => Some(parent),
            _ => return Ok(None),
        },
        Maker::Person(_) | Maker::Machine => None,
    };
    let mut people = Vec::new();
    if key.site_id.is_none() {
        let mut ids: Vec<i64> = [Some(key), parent.as_ref()]
            .into_iter()
            .flatten()
            .flat_map(|key| [person(&key.created_by), person(&key.secret_by)])
            .flatten()
            .collect();
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            people.push(Arc::new(memberships::grants(db, id)?));
        }
    }
    Ok(Some(Behind {
        scopes: match &parent {
            Some(parent) if key.site_id.is_none() => Permissions::of(&parent.scopes),
            _ => Permissions::ALL,
        },
        people,
        networks: parent.as_ref().map_or(Ok(Vec::new()), networks)?,
        ends_at: parent.and_then(|parent| parent.expires_at),
    }))
}

/// From where a key may be used; empty: from anywhere.
///
/// # Errors
/// [`Error::Internal`] for what can't be read: that must not turn into "from anywhere".
pub(super) fn networks(key: &ApiKey) -> Result<Vec<Network>> {
    let read = key.networks.iter().map(|text| text.parse::<Network>());
    read.collect::<std::result::Result<_, _>>()
        .map_err(|error| Error::Internal(format!("key {}: {error}", key.id)))
}

/// Who learns a secret that the caller is given: himself, or whoever learned that of the key by which he
/// calls.
///
/// # Errors
/// What the store says.
pub(super) fn learner(db: &Connection, actor: &Actor) -> Result<String> {
    let own = match actor {
        Actor::OrganizationKey { key_id, .. } => api_keys::find(db, &Sight::All, *key_id)?,
        _ => None,
    };
    Ok(own.map_or_else(|| actor.label(), |key| key.secret_by))
}

fn standing(db: &Connection, id: i64) -> Result<Option<ApiKey>> {
    let found = api_keys::find(db, &Sight::All, id)?;
    Ok(found.filter(|key| key.revoked_at.is_none()))
}

/// What a reader is told about who stands behind a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Who made it, as the beginning of a sentence about it.
    pub maker: String,
    /// What its scopes say and it may not do now.
    pub lacks: Permissions,
}

/// Who stands behind a key, and what it may not do for that reason.
///
/// # Errors
/// What the store says.
pub fn of(app: &App, key: &ApiKey) -> Result<Standing> {
    let now = app.clock.now();
    app.store.read(|db| {
        let lets = behind(db, key)?.map_or(Permissions::NONE, |behind| behind.lets(key, now));
        let rotator = lacking_rotator(db, key, now)?;
        let maker = match maker(key) {
            _ if rotator.is_some() => rotator.map(|name| format!("{name}, who rotated it last,")),
            Maker::Person(id) => users::name(db, id)?.map(|name| format!("{name}, who made it,")),
            Maker::Key(id) => api_keys::find(db, &Sight::All, id)?
                .map(|key| format!("the key “{}”, which made it,", key.name)),
            Maker::Machine => None,
        };
        Ok(Standing {
            maker: maker.unwrap_or_else(|| "whoever made it".to_owned()),
            lacks: Permissions::of(&key.scopes).without(lets),
        })
    })
}

/// The name of whoever rotated an organization's key last and didn't make it, where he may not do all that
/// it says.
fn lacking_rotator(db: &Connection, key: &ApiKey, now: Timestamp) -> Result<Option<String>> {
    let Some(id) = person(&key.secret_by).filter(|_| key.secret_by != key.created_by) else {
        return Ok(None);
    };
    let held = Arc::new(memberships::grants(db, id)?).at(now);
    let lacks = Permissions::of(&key.scopes).without(held.permissions_in(key.organization_id));
    if key.site_id.is_some() || matches!(maker(key), Maker::Key(_)) || lacks.is_empty() {
        return Ok(None);
    }
    Ok(users::name(db, id)?)
}

/// A key changes only keys that it made, and rotates only these and itself: it must not lift the limits of
/// itself or of one that a person made, nor learn the secret of such a one, which would outlive its own end.
///
/// # Errors
/// [`Error::Forbidden`], in words.
pub(super) fn in_hand(actor: &Actor, key: &ApiKey, rotates: bool) -> Result<()> {
    let Actor::OrganizationKey { key_id, .. } = actor else {
        return Ok(());
    };
    if key.created_by == actor.label() || (rotates && key.id == *key_id) {
        return Ok(());
    }
    Err(Error::Forbidden(
        "a key changes and rotates only keys that it made itself".to_owned(),
    ))
}

/// A key that another key made makes no keys, neither for its organization nor for sites.
///
/// # Errors
/// [`Error::Forbidden`], in words.
pub(super) fn may_make(db: &Connection, actor: &Actor) -> Result<()> {
    let Actor::OrganizationKey { key_id, .. } = actor else {
        return Ok(());
    };
    let own = api_keys::find(db, &Sight::All, *key_id)?;
    match own.as_ref().map(maker) {
        Some(Maker::Key(_)) | None => Err(Error::Forbidden(
            "a key that another key made can't make keys".to_owned(),
        )),
        _ => Ok(()),
    }
}
