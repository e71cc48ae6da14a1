//! What can be done with sites, but for taking their inventories.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::lists::ask;
use super::{Error, Result, audit, ledger, watch};
use crate::app::App;
use crate::domain::access::{Actor, Permission, Sight};
use crate::domain::fault::Fault;
use crate::domain::listing::{Page, Query};
use crate::domain::site::{DeletedSite, ENVIRONMENTS, Site, SiteFacts, SiteForm};
use crate::store::audit::Entry;
use crate::store::sites::Going;
use crate::store::{Connection, Lane, StoreError, audit as record, in_hand, organizations, sites};

/// Deleted things that are listed, at most.
pub(super) const SHOWN: u32 = 200;

/// One page of the sites in sight.
///
/// # Errors
/// Where the caller may not, or the store can't.
pub async fn list(app: &App, actor: &Actor, query: &Query) -> Result<Page<Site>> {
    let sight = actor.require(Permission::SitesRead)?;
    app.store
        .read(|db| Ok(sites::list(db, &ask(app, &sight, query, &[]))?))
}

/// One in sight.
///
/// # Errors
/// [`Error::NotFound`] where it isn't there or isn't the caller's to see.
pub async fn find(app: &App, actor: &Actor, id: i64) -> Result<Site> {
    let sight = actor.require(Permission::SitesRead)?;
    let site = app
        .store
        .read(|db| sites::find(db, id).map_err(Error::from))?
        .ok_or(Error::NotFound)?;
    if sight.sees(site.organization_id, site.id) {
        Ok(site)
    } else {
        Err(Error::NotFound)
    }
}

/// It is there and the caller can see it. Gives its organization.
///
/// # Errors
/// [`Error::NotFound`].
pub fn seen(app: &App, sight: &Sight, id: i64) -> Result<i64> {
    let look_up = || {
        app.store
            .read(|db| sites::organization_of(db, id).map_err(Error::from))
    };
    app.callers
        .home(id, look_up)?
        .filter(|organization| sight.sees(*organization, id))
        .ok_or(Error::NotFound)
}

/// In which organization the caller may make a site: the one he names, or the only one he sees.
///
/// # Errors
/// [`Error::Forbidden`] where he names one beyond his wall, whether it exists or not;
/// [`Error::Invalid`] where he names none and sees several.
pub fn home(actor: &Actor, named: Option<i64>) -> Result<i64> {
    let sight = actor.require(Permission::SitesWrite)?;
    match (sight.only_organization(), named) {
        (_, Some(named)) if !sight.sees_organization(named) => Err(Error::Forbidden(format!(
            "this needs the permission {} in that organization",
            Permission::SitesWrite
        ))),
        (_, Some(named)) => Ok(named),
        (Some(only), None) => Ok(only),
        (None, None) => Err(Error::Invalid(vec![crate::domain::form::required(
            "/organization_id",
        )])),
    }
}

/// Makes one, that waits for its first sync.
///
/// # Errors
/// As [`home`]; [`Error::Invalid`] with all faults; [`Error::Conflict`] where the name is taken in
/// that organization and environment.
pub async fn create(
    app: &App,
    actor: &Actor,
    organization_id: Option<i64>,
    form: &SiteForm,
) -> Result<Site> {
    let organization = match home(actor, organization_id) {
        Err(Error::Invalid(mut faults)) => {
            faults.extend(form.check(None).err().unwrap_or_default());
            return Err(Error::Invalid(faults));
        }
        other => other?,
    };
    let checked = form.check(None);
    let (by, now) = (actor.label(), app.clock.now());
    let entry = audit::entry(app, actor, "site.created");
    app.store
        .write(Lane::Front, move |db| {
            if !organizations::exists(db, organization)? {
                let mut faults = vec![Fault::new(
                    "/organization_id",
                    "not_found",
                    "names an organization that isn't there.",
                )];
                faults.extend(checked.err().unwrap_or_default());
                return Err(Error::Invalid(faults));
            }
            let facts = checked.map_err(Error::Invalid)?;
            let id = sites::insert(db, organization, &facts, &by, now).map_err(taken)?;
            let made = sites::find(db, id)?.ok_or(Error::NotFound)?;
            keep(db, entry.after(shown(&made)), &made)?;
            Ok(made)
        })
        .await
}

/// Changes what people say about one; what the form doesn't say stays.
///
/// # Errors
/// As [`create`]; [`Error::NotFound`].
pub async fn update(
    app: &App,
    actor: &Actor,
    id: i64,
    organization_id: Option<i64>,
    mut form: SiteForm,
) -> Result<Site> {
    let sight = actor.require(Permission::SitesWrite)?;
    let home = seen(app, &sight, id)?;
    if organization_id.is_some_and(|named| named != home) {
        form.unreadable.push(Fault::new(
            "/organization_id",
            "immutable",
            "cannot be changed: a site stays with its organization.",
        ));
    }
    let (by, now) = (actor.label(), app.clock.now());
    let entry = audit::entry(app, actor, "site.updated");
    app.store
        .write(Lane::Front, move |db| {
            let before = sites::find(db, id)?.ok_or(Error::NotFound)?;
            let entry = entry.before(shown(&before));
            let facts = form
                .check(Some(&facts_of(before)))
                .map_err(Error::Invalid)?;
            sites::update(db, id, &facts, &by, now).map_err(taken)?;
            watch::rearm(db, id, now)?;
            let after = sites::find(db, id)?.ok_or(Error::NotFound)?;
            keep(db, entry.after(shown(&after)), &after)?;
            Ok(after)
        })
        .await
}

/// Deletes one softly: its open windows end, its keys stop working at the next request.
///
/// # Errors
/// [`Error::NotFound`]; where the caller may not.
pub async fn delete(app: &App, actor: &Actor, id: i64) -> Result<()> {
    let sight = actor.require(Permission::SitesDelete)?;
    seen(app, &sight, id)?;
    let (by, now) = (actor.label(), app.clock.now());
    let entry = audit::entry(app, actor, "site.deleted");
    app.store
        .write(Lane::Front, move |db| {
            let before = sites::find(db, id)?.ok_or(Error::NotFound)?;
            ledger::settle_or_leave(db, id)?;
            sites::delete(db, id, Going::Itself, &by, now)?;
            keep(db, entry.before(shown(&before)), &before)
        })
        .await?;
    app.callers.forget();
    Ok(())
}

/// It is there, deleted or not, and the caller could see it if it weren't.
///
/// # Errors
/// [`Error::NotFound`].
pub fn seen_or_gone(app: &App, sight: &Sight, id: i64) -> Result<()> {
    app.store
        .read(|db| sites::organization_of_any(db, id).map_err(Error::from))?
        .filter(|organization| sight.sees(*organization, id))
        .map(drop)
        .ok_or(Error::NotFound)
}

/// The deleted sites in sight, the newest first; without those that went with their organization
/// and come back with it.
///
/// # Errors
/// Where the caller may not, or the store can't.
pub async fn deleted(app: &App, actor: &Actor) -> Result<Vec<DeletedSite>> {
    let sight = actor.require(Permission::SitesDelete)?;
    app.store
        .read(|db| sites::list_deleted(db, &sight, SHOWN).map_err(Error::from))
}

/// Brings a deleted one back: the windows that ended with it are open again, the keys that were
/// revoked with it work again, and what was published meanwhile is made good.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] with `not_deleted`, `organization_deleted`, or
/// `name_taken` where another site has its name meanwhile.
pub async fn restore(app: &App, actor: &Actor, id: i64) -> Result<Site> {
    let sight = actor.require(Permission::SitesDelete)?;
    seen_or_gone(app, &sight, id)?;
    let (by, now) = (actor.label(), app.clock.now());
    let entry = audit::entry(app, actor, "site.restored");
    let restored = app
        .store
        .write(Lane::Front, move |db| {
            let gone = sites::find_deleted(db, id)?.ok_or_else(not_deleted)?;
            if gone.organization_deleted {
                return Err(Error::Conflict {
                    code: "organization_deleted",
                    detail: format!(
                        "Its organization, {}, is deleted too. Restore that first.",
                        gone.organization
                    ),
                });
            }
            bring_back(db, id, &by, now)?;
            let restored = sites::find(db, id)?.ok_or(Error::NotFound)?;
            keep(db, entry.after(shown(&restored)), &restored)?;
            Ok(restored)
        })
        .await?;
    app.callers.forget();
    Ok(restored)
}

/// Brings one back within a write: its rows, what was published meanwhile, and who waits for it.
pub(super) fn bring_back(db: &Connection, id: i64, by: &str, now: Timestamp) -> Result<()> {
    sites::restore(db, id, by, now).map_err(taken)?;
    ledger::catch_up(db, id, now)?;
    in_hand::let_go_on(db, id, now)?;
    Ok(watch::rearm(db, id, now)?)
}

/// What isn't deleted can't be restored.
pub(super) fn not_deleted() -> Error {
    Error::Conflict {
        code: "not_deleted",
        detail: "It isn't deleted.".to_owned(),
    }
}

/// What the record says of a site.
pub(super) fn shown(site: &Site) -> Value {
    json!({
        "name": site.name,
        "url": site.url,
        "environment": site.environment,
        "tags": site.tags,
        "sync_interval_minutes": site.sync_interval_minutes,
        "notes": site.notes,
    })
}

fn keep(db: &Connection, entry: Entry, site: &Site) -> Result<()> {
    let entry = entry
        .subject("site", site.id)
        .organization(site.organization_id)
        .site(site.id);
    record::append(db, &entry)?;
    Ok(())
}

fn facts_of(site: Site) -> SiteFacts {
    SiteFacts {
        name: site.name,
        url: site.url,
        environment: ENVIRONMENTS
            .into_iter()
            .find(|word| *word == site.environment)
            .unwrap_or("production"),
        tags: site.tags,
        sync_interval_minutes: site.sync_interval_minutes,
        notes: site.notes,
    }
}

fn taken(error: StoreError) -> Error {
    if error.is_constraint() {
        return Error::Conflict {
            code: "name_taken",
            detail: "There is a site of that name in that organization and environment.".to_owned(),
        };
    }
    error.into()
}
