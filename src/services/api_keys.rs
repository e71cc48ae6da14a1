//! API keys of sites and organizations: made, changed, rotated, revoked. The secret is shown when
//! it is made and never again. Nobody gives a key more than he holds himself.

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{Error, Result, audit};
use crate::app::App;
use crate::domain::access::{Actor, Permission, Sight};
use crate::domain::credentials::{ApiKey, KEY_ENTROPY};
use crate::domain::fault::Fault;
use crate::domain::network::Network;
use crate::domain::person::parse_name;
use crate::store::api_keys::{self as keys, ApiKeyRow, Change, NewApiKey};
use crate::store::{Connection, Lane};

/// How long the old key is taken after a rotation, unless another time is asked for.
pub const GRACE: SignedDuration = SignedDuration::from_hours(24);
/// The longest grace that can be asked for, in minutes: a week.
pub const LONGEST_GRACE_MINUTES: u32 = 7 * 24 * 60;
/// Networks that one key can have.
const MOST_NETWORKS: usize = 50;

/// What can be said about a key. Times are instants.
#[derive(Debug, Clone, Default)]
pub struct KeyWords {
    /// Its name.
    pub name: String,
    /// What an organization's key may do, as permission words. A site's key: `sync` or nothing said.
    pub scopes: Vec<String>,
    /// From where it may be used, in CIDR; empty: from anywhere.
    pub networks: Vec<String>,
    /// Its end; none: until it is revoked.
    pub expires_at: Option<Timestamp>,
}

/// A key with its secret: shown once.
#[derive(Debug)]
pub struct ShownKey {
    /// The whole key.
    pub secret: SecretString,
    /// All else about it.
    pub key: ApiKeyRow,
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
    words: KeyWords,
) -> Result<ShownKey> {
    actor.require(Permission::ApiKeysManage)?;
    let change = parse(&words, site_id.is_some(), app.clock.now());
    let owner = app
        .store
        .read(|db| owner(db, actor.sight(), site_id, organization_id))?;
    let (organization_id, change) = match (owner, change) {
        (Ok(owner), Ok(change)) => (owner, change),
        (owner, change) => {
            let mut faults = change.err().unwrap_or_default();
            faults.extend(owner.err());
            return Err(Error::Invalid(faults));
        }
    };
    require_all(actor, &change.scopes)?;
    let fresh = fresh(app)?;
    let new = NewApiKey {
        site_id,
        organization_id,
        name: change.name,
        prefix: fresh.prefix().to_owned(),
        secret_hash: fresh.hash(),
        scopes: change.scopes,
        networks: change.networks,
        expires_at: change.expires_at,
    };
    let (now, by) = (app.clock.now().as_millisecond(), actor.label());
    let entry = audit::entry(app, actor, "api_key.created");
    let key = app
        .store
        .write(Lane::Front, move |db| {
            let id = keys::insert(db, &new, now, &by)?;
            let key = keys::find(db, Sight::All, id)?.ok_or(Error::NotFound)?;
            record(db, about(entry, &key).after(shown(&key)))?;
            Ok::<_, Error>(key)
        })
        .await?;
    Ok(ShownKey {
        secret: fresh.reveal().into(),
        key,
    })
}

/// One key.
///
/// # Errors
/// [`Error::NotFound`] where it isn't in sight.
pub async fn get(app: &App, actor: &Actor, id: i64) -> Result<ApiKeyRow> {
    actor.require(Permission::ApiKeysManage)?;
    find(app, actor, id)
}

/// The keys of one site, newest first.
///
/// # Errors
/// [`Error::NotFound`] where the site isn't in sight.
pub async fn of_site(app: &App, actor: &Actor, site_id: i64) -> Result<Vec<ApiKeyRow>> {
    actor.require(Permission::ApiKeysManage)?;
    let sight = actor.sight();
    app.store.read(|db| {
        let organization = keys::organization_of_site(db, site_id)?;
        if !organization.is_some_and(|id| sight.sees(id, site_id)) {
            return Err(Error::NotFound);
        }
        Ok(keys::of_site(db, site_id)?)
    })
}

/// Changes what can be said about a key: all of it.
///
/// # Errors
/// As [`create`]; [`Error::NotFound`]; [`Error::Conflict`] `revoked`.
pub async fn update(app: &App, actor: &Actor, id: i64, words: KeyWords) -> Result<ApiKeyRow> {
    actor.require(Permission::ApiKeysManage)?;
    let key = find(app, actor, id)?;
    let change = parse(&words, key.site_id.is_some(), app.clock.now()).map_err(Error::Invalid)?;
    require_all(actor, &key.scopes)?;
    require_all(actor, &change.scopes)?;
    let (now, by) = (app.clock.now().as_millisecond(), actor.label());
    let entry = audit::entry(app, actor, "api_key.updated");
    let key = app
        .store
        .write(Lane::Front, move |db| {
            let before = alive(db, id)?;
            keys::update(db, id, &change, now, &by)?;
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
    actor.require(Permission::ApiKeysManage)?;
    if find(app, actor, id)?.revoked_at.is_some() {
        return Ok(());
    }
    let (now, by) = (app.clock.now().as_millisecond(), actor.label());
    let entry = audit::entry(app, actor, "api_key.revoked");
    app.store
        .write(Lane::Front, move |db| {
            let key = alive(db, id)?;
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
    grace_minutes: Option<u32>,
) -> Result<ShownKey> {
    actor.require(Permission::ApiKeysManage)?;
    let key = find(app, actor, id)?;
    let grace = grace(grace_minutes)?;
    // Whoever rotates a key learns its secret, and so could do what it may.
    require_all(actor, &key.scopes)?;
    let fresh = fresh(app)?;
    let (prefix, hash) = (fresh.prefix().to_owned(), fresh.hash());
    let (now, by) = (app.clock.now(), actor.label());
    let entry = audit::entry(app, actor, "api_key.rotated");
    let key = app
        .store
        .write(Lane::Front, move |db| {
            let before = alive(db, id)?;
            let until = (now + grace).as_millisecond();
            keys::rotate(db, id, (&prefix, &hash), until, now.as_millisecond(), &by)?;
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

fn grace(minutes: Option<u32>) -> Result<SignedDuration> {
    match minutes {
        None => Ok(GRACE),
        Some(minutes) if minutes <= LONGEST_GRACE_MINUTES => {
            Ok(SignedDuration::from_mins(i64::from(minutes)))
        }
        Some(_) => Err(Error::Invalid(vec![Fault::new(
            "/grace_minutes",
            "too_long",
            format!("The old key is taken for at most {LONGEST_GRACE_MINUTES} minutes more."),
        )])),
    }
}

fn find(app: &App, actor: &Actor, id: i64) -> Result<ApiKeyRow> {
    app.store
        .read(|db| keys::find(db, actor.sight(), id))?
        .ok_or(Error::NotFound)
}

/// The key as it is inside the write: another may have revoked it meanwhile.
fn alive(db: &Connection, id: i64) -> Result<ApiKeyRow> {
    let key = keys::find(db, Sight::All, id)?.ok_or(Error::NotFound)?;
    if key.revoked_at.is_some() {
        return Err(Error::Conflict {
            code: "revoked",
            detail: "This key was revoked. Make a new one.".to_owned(),
        });
    }
    Ok(key)
}

fn fresh(app: &App) -> Result<ApiKey> {
    let mut random = [0; KEY_ENTROPY];
    app.entropy.fill(&mut random)?;
    Ok(ApiKey::from_random(&random))
}

fn require_all(actor: &Actor, scopes: &[Permission]) -> Result<()> {
    scopes
        .iter()
        .try_for_each(|scope| Ok(actor.require(*scope)?))
}

/// The organization to which the key will belong, if its owner is in sight.
fn owner(
    db: &Connection,
    sight: Sight,
    site_id: Option<i64>,
    organization_id: Option<i64>,
) -> Result<std::result::Result<i64, Fault>> {
    let (found, pointer) = match (site_id, organization_id) {
        (Some(site), None) => {
            let organization = keys::organization_of_site(db, site)?;
            (organization.filter(|id| sight.sees(*id, site)), "/site_id")
        }
        (None, Some(id)) => {
            let mine = sight.site().is_none() && sight.organization().is_none_or(|my| my == id);
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

fn parse(
    words: &KeyWords,
    of_site: bool,
    now: Timestamp,
) -> std::result::Result<Change, Vec<Fault>> {
    let mut faults = Vec::new();
    let name = parse_name(&words.name, "/name");
    let scopes = scopes(&words.scopes, of_site, &mut faults);
    let networks = networks(&words.networks, &mut faults);
    if words.expires_at.is_some_and(|end| end <= now) {
        let detail = "The end of a key lies in the future.";
        faults.push(Fault::new("/expires_at", "in_the_past", detail));
    }
    match name {
        Ok(name) if faults.is_empty() => Ok(Change {
            name,
            scopes,
            networks,
            expires_at: words.expires_at.map(Timestamp::as_millisecond),
        }),
        name => {
            faults.extend(name.err());
            Err(faults)
        }
    }
}

fn scopes(words: &[String], of_site: bool, faults: &mut Vec<Fault>) -> Vec<Permission> {
    if of_site && words.is_empty() {
        return vec![Permission::Sync];
    }
    if words.is_empty() {
        let detail = "An organization's key needs at least one scope.";
        faults.push(Fault::new("/scopes", "required", detail));
    }
    let mut scopes = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let pointer = format!("/scopes/{at}");
        match Permission::from_word(word) {
            None => {
                let all: Vec<&str> = Permission::ALL.iter().map(|p| p.word()).collect();
                let detail = format!("This is not a scope. There are: {}.", all.join(", "));
                faults.push(Fault::new(pointer, "unknown_scope", detail));
            }
            Some(scope) if of_site && scope != Permission::Sync => {
                let detail = "A site's key can only sync.";
                faults.push(Fault::new(pointer, "not_for_sites", detail));
            }
            Some(scope) if scopes.contains(&scope) => {
                faults.push(Fault::new(
                    pointer,
                    "duplicate",
                    "This scope is there twice.",
                ));
            }
            Some(scope) => scopes.push(scope),
        }
    }
    scopes
}

fn networks(texts: &[String], faults: &mut Vec<Fault>) -> Vec<String> {
    if texts.len() > MOST_NETWORKS {
        let detail = format!("A key has at most {MOST_NETWORKS} networks.");
        faults.push(Fault::new("/networks", "too_many", detail));
        return Vec::new();
    }
    let mut networks = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        match text.trim().parse::<Network>() {
            Ok(network) => networks.push(network.to_string()),
            Err(error) => faults.push(Fault::new(
                format!("/networks/{at}"),
                "not_a_network",
                error.to_string(),
            )),
        }
    }
    networks
}

/// What the record says about a key: never its secret.
fn shown(key: &ApiKeyRow) -> Value {
    json!({
        "name": key.name,
        "prefix": key.prefix,
        "scopes": key.scopes,
        "networks": key.networks,
        "expires_at": key.expires_at,
        "old_expires_at": key.old_expires_at,
    })
}

fn about(entry: crate::store::audit::Entry, key: &ApiKeyRow) -> crate::store::audit::Entry {
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
