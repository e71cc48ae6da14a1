//! What can be done with organizations.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::lists::ask;
use super::sites::{SHOWN, bring_back, not_deleted};
use super::{Error, Result, audit, ledger};
use crate::app::App;
use crate::domain::access::{Actor, Permission, Sight};
use crate::domain::fault::Fault;
use crate::domain::listing::{PER_PAGE_MAX, Page, Query};
use crate::domain::organization::{
    DeletedOrganization, LIST, Organization, OrganizationFacts, OrganizationForm,
};
use crate::store::audit::Entry;
use crate::store::sites::Going;
use crate::store::{
    Connection, Lane, StoreError, audit as record, organizations, second_factors, sites,
};

/// Pages of organizations whose names are read for a choice.
const NAMED_PAGES: u32 = 50;

/// One page of the organizations in sight.
///
/// # Errors
/// Where the caller may not, or the store can't.
pub async fn list(app: &App, actor: &Actor, query: &Query) -> Result<Page<Organization>> {
    let sight = actor.require(Permission::OrganizationsRead)?;
    app.store
        .read(|db| Ok(organizations::list(db, &ask(app, &sight, query, &[]))?))
}

/// Ids and names of those in which the caller holds the permission, by name: 10,000 at most, read a
/// page at a time.
///
/// # Errors
/// Where the caller may not, or the store can't.
pub async fn named(app: &App, actor: &Actor, permission: Permission) -> Result<Vec<(i64, String)>> {
    let sight = actor.require(permission)?;
    let mut query = Query::first(&LIST);
    query.per_page = PER_PAGE_MAX;
    let mut named = Vec::new();
    loop {
        let page = app
            .store
            .read(|db| organizations::list(db, &ask(app, &sight, &query, &[])))?;
        named.extend(page.rows.into_iter().map(|found| (found.id, found.name)));
        if !page.more || query.page >= NAMED_PAGES {
            return Ok(named);
        }
        query.page += 1;
    }
}

/// Its members who have no second factor, and all its members.
///
/// # Errors
/// Where the caller may not change it.
pub fn lacking_second_factor(app: &App, actor: &Actor, id: i64) -> Result<(i64, i64)> {
    actor.require_in(Permission::OrganizationsManage, id)?;
    app.store
        .read(|db| second_factors::lacking(db, id).map_err(Error::from))
}

/// One in sight.
///
/// # Errors
/// [`Error::NotFound`] where it isn't there or isn't the caller's to see.
pub async fn find(app: &App, actor: &Actor, id: i64) -> Result<Organization> {
    let sight = actor.require(Permission::OrganizationsRead)?;
    in_sight(&sight, id)?;
    app.store
        .read(|db| organizations::find(db, id).map_err(Error::from))?
        .ok_or(Error::NotFound)
}

/// The name of one whose members the caller manages: he may, even where he may not see the rest of it.
///
/// # Errors
/// [`Error::NotFound`]; where the caller may not.
pub fn name(app: &App, actor: &Actor, id: i64) -> Result<String> {
    actor.require_in(Permission::UsersManage, id)?;
    let found = app.store.read(|db| organizations::find(db, id))?;
    found.map(|found| found.name).ok_or(Error::NotFound)
}

/// It is there and the caller can see it.
///
/// # Errors
/// [`Error::NotFound`].
pub fn seen(app: &App, sight: &Sight, id: i64) -> Result<()> {
    in_sight(sight, id)?;
    if app
        .store
        .read(|db| organizations::exists(db, id).map_err(Error::from))?
    {
        Ok(())
    } else {
        Err(Error::NotFound)
    }
}

fn in_sight(sight: &Sight, id: i64) -> Result<()> {
    if sight.sees_organization(id) {
        Ok(())
    } else {
        Err(Error::NotFound)
    }
}

/// Makes one. Only the platform administrator can: it is a new wall.
///
/// # Errors
/// [`Error::Invalid`] with all faults; [`Error::Conflict`] where the name is taken.
pub async fn create(app: &App, actor: &Actor, form: &OrganizationForm) -> Result<Organization> {
    actor.require(Permission::OrganizationsManage)?;
    actor.require_platform(Permission::OrganizationsManage)?;
    let facts = form.check(None, app.clock.now()).map_err(Error::Invalid)?;
    let (by, now) = (actor.label(), app.clock.now());
    let entry = audit::entry(app, actor, "organization.created");
    app.store
        .write(Lane::Front, move |db| {
            let id = organizations::insert(db, &facts, &by, now).map_err(taken)?;
            let made = organizations::find(db, id)?.ok_or(Error::NotFound)?;
            keep(db, entry.after(shown(&made)), id)?;
            Ok(made)
        })
        .await
}

/// Changes one; what the form doesn't say stays.
///
/// # Errors
/// As [`create`]; [`Error::NotFound`].
pub async fn update(
    app: &App,
    actor: &Actor,
    id: i64,
    form: OrganizationForm,
) -> Result<Organization> {
    let sight = actor.require(Permission::OrganizationsManage)?;
    in_sight(&sight, id)?;
    let (by, now) = (actor.label(), app.clock.now());
    let changer = actor.clone();
    let entry = audit::entry(app, actor, "organization.updated");
    let changed = app
        .store
        .write(Lane::Front, move |db| {
            let before = organizations::find(db, id)?.ok_or(Error::NotFound)?;
            let entry = entry.before(shown(&before));
            let known = OrganizationFacts {
                name: before.name,
                notes: before.notes,
                second_factor_from: before.second_factor_from,
            };
            let facts = form.check(Some(&known), now).map_err(Error::Invalid)?;
            if facts.second_factor_from != known.second_factor_from {
                keeps_himself_in(db, &changer, id, facts.second_factor_from, now)?;
            }
            organizations::update(db, id, &facts, &by, now).map_err(taken)?;
            let after = organizations::find(db, id)?.ok_or(Error::NotFound)?;
            keep(db, entry.after(shown(&after)), id)?;
            Ok::<_, Error>(after)
        })
        .await?;
    app.callers.forget();
    Ok(changed)
}

/// A member who has no second factor can't ask for one at once: he would be the first to be kept out.
fn keeps_himself_in(
    db: &Connection,
    changer: &Actor,
    organization: i64,
    from: Option<Timestamp>,
    now: Timestamp,
) -> Result<()> {
    let Actor::Person {
        user_id, grants, ..
    } = changer
    else {
        return Ok(());
    };
    let at_once = from.is_some_and(|from| from <= now);
    let member = grants
        .held()
        .iter()
        .any(|held| held.organization_id == organization);
    if at_once && member && !grants.platform && !second_factors::is_enabled(db, *user_id)? {
        return Err(Error::Invalid(vec![Fault::new(
            "/two_factor_grace_days",
            "no_second_factor",
            "would keep you out at once: set up your own two-step sign-in first, or give some days.",
        )]));
    }
    Ok(())
}

/// Deletes one softly, with its sites and keys, in one commit: its open windows end, its keys stop
/// working at the next request.
///
/// # Errors
/// [`Error::NotFound`]; where the caller may not.
pub async fn delete(app: &App, actor: &Actor, id: i64) -> Result<()> {
    actor.require_platform(Permission::OrganizationsManage)?;
    let sight = actor.require(Permission::OrganizationsManage)?;
    in_sight(&sight, id)?;
    let (by, now) = (actor.label(), app.clock.now());
    let entry = audit::entry(app, actor, "organization.deleted");
    app.store
        .write(Lane::Front, move |db| {
            let before = organizations::find(db, id)?.ok_or(Error::NotFound)?;
            for site in organizations::sites(db, id)? {
                ledger::settle_or_leave(db, site)?;
                sites::delete(db, site, Going::WithOrganization, &by, now)?;
            }
            organizations::delete(db, id, &by, now)?;
            keep(db, entry.before(shown(&before)), id)
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
    in_sight(sight, id)?;
    if app
        .store
        .read(|db| organizations::exists_at_all(db, id).map_err(Error::from))?
    {
        Ok(())
    } else {
        Err(Error::NotFound)
    }
}

/// The deleted ones, the newest first.
///
/// # Errors
/// Where the caller isn't the platform administrator, or the store can't.
pub async fn deleted(app: &App, actor: &Actor) -> Result<Vec<DeletedOrganization>> {
    actor.require_platform(Permission::OrganizationsManage)?;
    app.store
        .read(|db| organizations::list_deleted(db, SHOWN).map_err(Error::from))
}

/// Brings a deleted one back with exactly what its deletion took: the sites and keys that were
/// deleted before stay deleted.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] with `not_deleted`, or `name_taken` where another one
/// has its name meanwhile.
pub async fn restore(app: &App, actor: &Actor, id: i64) -> Result<Organization> {
    actor.require_platform(Permission::OrganizationsManage)?;
    seen_or_gone(app, &Sight::All, id)?;
    let (by, now) = (actor.label(), app.clock.now());
    let entry = audit::entry(app, actor, "organization.restored");
    let restored = app
        .store
        .write(Lane::Front, move |db| {
            organizations::find_deleted(db, id)?.ok_or_else(not_deleted)?;
            organizations::restore(db, id, &by, now).map_err(taken)?;
            for site in organizations::sites_gone(db, id)? {
                bring_back(db, site, &by, now)?;
            }
            let restored = organizations::find(db, id)?.ok_or(Error::NotFound)?;
            keep(db, entry.after(shown(&restored)), id)?;
            Ok::<_, Error>(restored)
        })
        .await?;
    app.callers.forget();
    Ok(restored)
}

/// What the record says of an organization.
fn shown(organization: &Organization) -> Value {
    json!({
        "name": organization.name,
        "notes": organization.notes,
        "two_factor_required_from": organization.second_factor_from,
        "sites_count": organization.sites_count,
    })
}

fn keep(db: &Connection, entry: Entry, id: i64) -> Result<()> {
    record::append(db, &entry.subject("organization", id).organization(id))?;
    Ok(())
}

fn taken(error: StoreError) -> Error {
    if error.is_constraint() {
        return Error::Conflict {
            code: "name_taken",
            detail: "There is an organization of that name.".to_owned(),
        };
    }
    error.into()
}
