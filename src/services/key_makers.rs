//! Who stands behind an organization's key, and what of its scopes he lets it do now.
//!
//! A key that a person made may do what that person may do at this moment in the key's organization. A
//! key that another key made may do what that one may do, and ends with it. A site's key speaks only for
//! its site and goes on whoever made it: a colleague who leaves must not silence the fleet.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Error, Result};
use crate::app::App;
use crate::domain::access::{Actor, Sight};
use crate::domain::api_key::ApiKey;
use crate::domain::grants::{Grants, Permissions};
use crate::store::{Connection, api_keys, memberships, users};

/// What limits a key beside its own scopes.
#[derive(Debug, Clone)]
pub(super) struct Behind {
    /// What the key that made it has as scopes; every one where no key made it.
    scopes: Permissions,
    /// What the person behind it holds; `None`: it was made on the machine itself.
    person: Option<Arc<Grants>>,
    /// When the key that made it ends.
    pub(super) ends_at: Option<Timestamp>,
}

impl Behind {
    /// What limits a site's key: nothing.
    const NOTHING: Self = Self {
        scopes: Permissions::ALL,
        person: None,
        ends_at: None,
    };

    /// What the key may do at that instant.
    pub(super) fn lets(&self, key: &ApiKey, now: Timestamp) -> Permissions {
        if self.ends_at.is_some_and(|end| end <= now) {
            return Permissions::NONE;
        }
        let held = self.person.as_ref().map_or(Permissions::ALL, |person| {
            person.at(now).permissions_in(key.organization_id)
        });
        Permissions::of(&key.scopes).and(self.scopes).and(held)
    }
}

enum Maker {
    Person(i64),
    Key(i64),
    Machine,
}

fn maker(key: &ApiKey) -> Maker {
    let of = |kind: &str| key.created_by.strip_prefix(kind)?.parse().ok();
    match (of("user:"), of("key:")) {
        (Some(person), _) => Maker::Person(person),
        (_, Some(key)) => Maker::Key(key),
        _ => Maker::Machine,
    }
}

/// What stands behind a key; `None` where the key that made it is gone or revoked: it went with that one.
///
/// # Errors
/// What the store says.
pub(super) fn behind(db: &Connection, key: &ApiKey) -> Result<Option<Behind>> {
    if key.site_id.is_some() {
        return Ok(Some(Behind::NOTHING));
    }
    let grants = |person| Ok::<_, Error>(Some(Arc::new(memberships::grants(db, person)?)));
    Ok(match maker(key) {
        Maker::Machine => Some(Behind::NOTHING),
        Maker::Person(person) => Some(Behind {
            person: grants(person)?,
            ..Behind::NOTHING
        }),
        Maker::Key(id) => {
            let Some(parent) = standing(db, id)? else {
                return Ok(None);
            };
            // A key that a key made makes no keys: there is no longer line.
            let person = match maker(&parent) {
                Maker::Person(person) => grants(person)?,
                Maker::Machine => None,
                Maker::Key(_) => return Ok(None),
            };
            Some(Behind {
                scopes: Permissions::of(&parent.scopes),
                person,
                ends_at: parent.expires_at,
            })
        }
    })
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
        let maker = match maker(key) {
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

/// A key may not make keys where another key made it, nor lift the limits of itself or of one that a
/// person made, nor learn the secret of such a one: else it would outlive its own end.
///
/// # Errors
/// [`Error::Forbidden`], in words.
pub(super) fn in_hand(actor: &Actor, key: &ApiKey, rotates: bool) -> Result<()> {
    let Actor::OrganizationKey { key_id, .. } = actor else {
        return Ok(());
    };
    let its_own = key.created_by == actor.label() || (rotates && key.id == *key_id);
    if key.site_id.is_some() || its_own {
        return Ok(());
    }
    Err(Error::Forbidden(
        "a key changes and rotates only keys that it made itself".to_owned(),
    ))
}

/// The same of making one for the organization.
///
/// # Errors
/// [`Error::Forbidden`], in words.
pub(super) fn may_make(app: &App, actor: &Actor) -> Result<()> {
    let Actor::OrganizationKey { key_id, .. } = actor else {
        return Ok(());
    };
    let own = app
        .store
        .read(|db| api_keys::find(db, &Sight::All, *key_id).map_err(Error::from))?;
    match own.as_ref().map(maker) {
        Some(Maker::Key(_)) | None => Err(Error::Forbidden(
            "a key that another key made can't make keys".to_owned(),
        )),
        _ => Ok(()),
    }
}
