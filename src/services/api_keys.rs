//! API keys of sites and organizations: made, changed, rotated, revoked. The secret is shown when
//! it is made and never again. Nobody gives a key more than he holds himself.

use jiff::SignedDuration;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::lists::ask;
use super::standing::renewed;
use super::{Error, Result, audit, key_makers};
use crate::app::App;
use crate::domain::access::{Actor, Permission, Sight};
use crate::domain::api_key::{ApiKey, ApiKeyForm, check_grace};
use crate::domain::credentials::{KEY_ENTROPY, KeyText};
use crate::domain::fault::Fault;
use crate::domain::listing::{Page, Query};
use crate::store::api_keys::{self as keys, NewApiKey, NewSecret};
use crate::store::{Connection, Lane};

/// How long the old key is taken after a rotation, unless another time is asked for.
pub const GRACE: SignedDuration = SignedDuration::from_hours(24);
/// A key with its secret: shown once.
#[derive(Debug)]
pub struct ShownKey {
    /// The whole key.
    pub secret: SecretString,
    /// All else about it.
    pub key: ApiKey,
}

/// Makes a key for a site or for an organization: exactly one is named.
///
/// # Errors
/// [`Error::Invalid`] with all faults, an owner that isn't in sight among them;
/// [`Error::Forbidden`] for a scope that the caller doesn't hold.
pub async fn create(
    app: &App,
    actor: &Actor,
    site_id: Option<i64>,
    organization_id: Option<i64>,
    form: &ApiKeyForm,
) -> Result<ShownKey> {
    let sight = actor.require(Permission::ApiKeysManage)?;
    in_reach(&sight, organization_id)?;
    let learner = app.store.read(|db| {
        key_makers::may_make(db, actor)?;
        key_makers::learner(db, actor)
    })?;
    let now = app.clock.now();
    let of_site = site_id.is_some() || organization_id.is_none();
    let facts = form.check(of_site, None, now);
    let owner = app
        .store
        .read(|db| owner(db, &sight, site_id, organization_id))?;
    let (organization_id, facts) = match (owner, facts) {
        (Ok(owner), Ok(facts)) => (owner, facts),
        (owner, facts) => {
            let mut faults = facts.err().unwrap_or_default();
            faults.extend(owner.err());
            return Err(Error::Invalid(faults));
        }
    };
    require_all(actor, organization_id, &facts.scopes)?;
    let fresh = fresh(app)?;
    let new = NewApiKey {
        site_id,
        organization_id,
        prefix: fresh.prefix().to_owned(),
        secret_hash: fresh.hash(),
        secret_by: learner,
        facts,
    };
    let (by, maker) = (actor.label(), actor.clone());
    let entry = audit::entry(app, actor, "api_key.created");
    let key = app
        .store
        .write(Lane::Front, move |db| {
            let maker = renewed(db, &maker, now)?;
            maker.require_in(Permission::ApiKeysManage, new.organization_id)?;
            require_all(&maker, new.organization_id, &new.facts.scopes)?;
            let id = keys::insert(db, &new, now, &by)?;
            let key = keys::find(db, &Sight::All, id)?.ok_or(Error::NotFound)?;
            record(db, about(entry, &key).after(shown(&key)))?;
            Ok::<_, Error>(key)
        })
        .await?;
    Ok(ShownKey {
        secret: fresh.reveal().into(),
        key,
    })
}

/// One page of the keys in sight, revoked ones too.
///
/// # Errors
/// Where the caller may not, or the store can't.
pub async fn list(app: &App, actor: &Actor, query: &Query) -> Result<Page<ApiKey>> {
    let sight = actor.require(Permission::ApiKeysManage)?;
    app.store
        .read(|db| Ok(keys::list(db, &ask(app, &sight, query, &[]))?))
}

/// It is there and the caller can see it.
///
/// # Errors
/// [`Error::NotFound`].
pub fn seen(app: &App, sight: &Sight, id: i64) -> Result<()> {
    find(app, sight, id).map(drop)
}

/// One key.
///
/// # Errors
/// [`Error::NotFound`] where it isn't in sight.
pub async fn get(app: &App, actor: &Actor, id: i64) -> Result<ApiKey> {
    let sight = actor.require(Permission::ApiKeysManage)?;
    find(app, &sight, id)
}

/// The keys of one site, newest first.
///
/// # Errors
/// [`Error::NotFound`] where the site isn't in sight.
pub async fn of_site(app: &App, actor: &Actor, site_id: i64) -> Result<Vec<ApiKey>> {
    let sight = actor.require(Permission::ApiKeysManage)?;
    app.store.read(|db| {
        let organization = keys::organization_of_site(db, site_id)?;
        if !organization.is_some_and(|id| sight.sees(id, site_id)) {
            return Err(Error::NotFound);
        }
        Ok(keys::of_site(db, site_id)?)
    })
}

/// Changes a key; what the form doesn't say stays.
///
/// # Errors
/// As [`create`]; [`Error::NotFound`]; [`Error::Conflict`] `revoked`.
pub async fn update(app: &App, actor: &Actor, id: i64, form: ApiKeyForm) -> Result<ApiKey> {
    let sight = actor.require(Permission::ApiKeysManage)?;
    let key = find(app, &sight, id)?;
    key_makers::in_hand(actor, &key, false)?;
    // Whoever may less than the key must not open it to other networks or times either.
    require_all(actor, key.organization_id, &key.scopes)?;
    let (now, by, changer) = (app.clock.now(), actor.label(), actor.clone());
    let entry = audit::entry(app, actor, "api_key.updated");
    let key = app
        .store
        .write(Lane::Front, move |db| {
            let before = alive(db, id)?;
            let changer = renewed(db, &changer, now)?;
            changer.require_in(Permission::ApiKeysManage, before.organization_id)?;
            require_all(&changer, before.organization_id, &before.scopes)?;
            let facts = form
                .check(before.site_id.is_some(), Some(&before), now)
                .map_err(Error::Invalid)?;
            require_all(&changer, before.organization_id, &facts.scopes)?;
            keys::update(db, id, &facts, now, &by)?;
            let after = alive(db, id)?;
            let entry = about(entry, &after).before(shown(&before));
            record(db, entry.after(shown(&after)))?;
            Ok::<_, Error>(after)
        })
        .await?;
    app.callers.forget();
    Ok(key)
}

/// Revokes a key at once. A key that is revoked already stays as it is.
///
/// # Errors
/// [`Error::NotFound`] where it isn't in sight.
pub async fn revoke(app: &App, actor: &Actor, id: i64) -> Result<()> {
    let sight = actor.require(Permission::ApiKeysManage)?;
    if find(app, &sight, id)?.revoked_at.is_some() {
        return Ok(());
    }
    let (now, by) = (app.clock.now(), actor.label());
    let entry = audit::entry(app, actor, "api_key.revoked");
    app.store
        .write(Lane::Front, move |db| {
            let key = keys::find(db, &Sight::All, id)?.ok_or(Error::NotFound)?;
            if key.revoked_at.is_some() {
                return Ok(());
            }
            keys::revoke(db, id, now, &by)?;
            record(db, about(entry, &key).before(shown(&key)))
        })
        .await?;
    app.callers.forget();
    Ok(())
}

/// Gives a key a new secret. The old one is taken for `grace_minutes` more (0: not at all), so that
/// the new one can be brought to where the old one is in use; one that was still alive from an
/// earlier rotation ends now.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] `revoked`; [`Error::Invalid`] at `/grace_minutes`;
/// [`Error::Forbidden`] where the key may do more than the caller.
pub async fn rotate(
    app: &App,
    actor: &Actor,
    id: i64,
    grace_minutes: Option<i64>,
) -> Result<ShownKey> {
    let sight = actor.require(Permission::ApiKeysManage)?;
    let key = find(app, &sight, id)?;
    let grace = grace(grace_minutes)?;
    key_makers::in_hand(actor, &key, true)?;
    // Whoever rotates a key learns its secret, and so could do what it may: from now on it may no more than
    // he. Its maker stays who made it: a key whose maker is gone does not come back to life.
    require_all(actor, key.organization_id, &key.scopes)?;
    let fresh = fresh(app)?;
    let (prefix, hash) = (fresh.prefix().to_owned(), fresh.hash());
    let (now, by, changer) = (app.clock.now(), actor.label(), actor.clone());
    let entry = audit::entry(app, actor, "api_key.rotated");
    let key = app
        .store
        .write(Lane::Front, move |db| {
            let before = alive(db, id)?;
            let changer = renewed(db, &changer, now)?;
            changer.require_in(Permission::ApiKeysManage, before.organization_id)?;
            require_all(&changer, before.organization_id, &before.scopes)?;
            let to = NewSecret {
                prefix,
                hash,
                learner: key_makers::learner(db, &changer)?,
            };
            keys::rotate(db, id, &to, now + grace, now, &by)?;
            let after = alive(db, id)?;
            let entry = about(entry, &after).before(shown(&before));
            record(db, entry.after(shown(&after)))?;
            Ok::<_, Error>(after)
        })
        .await?;
    app.callers.forget();
    Ok(ShownKey {
        secret: fresh.reveal().into(),
        key,
    })
}

fn grace(minutes: Option<i64>) -> Result<SignedDuration> {
    let Some(minutes) = minutes else {
        return Ok(GRACE);
    };
    let minutes = check_grace(minutes).map_err(|fault| Error::Invalid(vec![fault]))?;
    Ok(SignedDuration::from_mins(minutes))
}

fn find(app: &App, sight: &Sight, id: i64) -> Result<ApiKey> {
    app.store
        .read(|db| keys::find(db, sight, id))?
        .ok_or(Error::NotFound)
}

/// The key as it is inside the write: another may have revoked it meanwhile.
fn alive(db: &Connection, id: i64) -> Result<ApiKey> {
    let key = keys::find(db, &Sight::All, id)?.ok_or(Error::NotFound)?;
    if key.revoked_at.is_some() {
        return Err(Error::Conflict {
            code: "revoked",
            detail: "This key was revoked. Make a new one.".to_owned(),
        });
    }
    Ok(key)
}

pub(super) fn fresh(app: &App) -> Result<KeyText> {
    let mut random = [0; KEY_ENTROPY];
    app.entropy.fill(&mut random)?;
    Ok(KeyText::from_random(&random))
}

fn require_all(actor: &Actor, organization: i64, scopes: &[Permission]) -> Result<()> {
    scopes
        .iter()
        .try_for_each(|scope| Ok(actor.require_in(*scope, organization)?))
}

/// An organization beyond the caller's wall is refused like a permission that he lacks there,
/// whether it exists or not.
fn in_reach(sight: &Sight, organization_id: Option<i64>) -> Result<()> {
    match organization_id {
        Some(named) if !sight.sees_organization(named) => Err(Error::Forbidden(format!(
            "this needs the permission {} in that organization",
            Permission::ApiKeysManage
        ))),
        _ => Ok(()),
    }
}

/// The organization to which the key will belong, if its owner is in sight.
fn owner(
    db: &Connection,
    sight: &Sight,
    site_id: Option<i64>,
    organization_id: Option<i64>,
) -> Result<std::result::Result<i64, Fault>> {
    let (found, pointer) = match (site_id, organization_id) {
        (Some(site), None) => {
            let organization = keys::organization_of_site(db, site)?;
            (organization.filter(|id| sight.sees(*id, site)), "/site_id")
        }
        (None, Some(id)) => {
            let mine = sight.site().is_none() && sight.sees_organization(id);
            let there = mine && keys::organization_exists(db, id)?;
            (there.then_some(id), "/organization_id")
        }
        (None, None) => {
            let detail =
                "A key belongs to a site (site_id) or to an organization (organization_id).";
            return Ok(Err(Fault::new("/site_id", "required", detail)));
        }
        (Some(_), Some(_)) => {
            let detail = "A key belongs to a site or to an organization, not to both.";
            return Ok(Err(Fault::new("/organization_id", "not_both", detail)));
        }
    };
    Ok(found.ok_or_else(|| Fault::new(pointer, "not_found", "There is none with this id.")))
}

/// What the record says about a key: never its secret.
fn shown(key: &ApiKey) -> Value {
    json!({
        "name": key.name,
        "prefix": key.prefix,
        "scopes": key.scopes,
        "networks": key.networks,
        "expires_at": key.expires_at,
        "old_expires_at": key.old_expires_at,
    })
}

fn about(entry: crate::store::audit::Entry, key: &ApiKey) -> crate::store::audit::Entry {
    let entry = entry
        .subject("api_key", key.id)
        .organization(key.organization_id);
    match key.site_id {
        Some(site_id) => entry.site(site_id),
        None => entry,
    }
}

fn record(db: &Connection, entry: crate::store::audit::Entry) -> Result<()> {
    crate::store::audit::append(db, &entry)?;
    Ok(())
}
