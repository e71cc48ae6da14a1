//! What can be done with roles. Nobody puts a permission into a role, or touches a role that has one,
//! which he doesn't hold himself where the role is used.

use serde_json::{Value, json};

use super::lists::ask;
use super::standing::renewed;
use super::{Error, Result, audit};
use crate::app::App;
use crate::domain::access::{Actor, Denied, Permission, Sight};
use crate::domain::fault::Fault;
use crate::domain::grants::Permissions;
use crate::domain::listing::{PER_PAGE_MAX, Page, Query};
use crate::domain::role::{LIST, Role, RoleFacts, RoleForm};
use crate::store::audit::Entry;
use crate::store::{Connection, Lane, StoreError, audit as record, in_hand, organizations, roles};

/// One page of the roles in sight: the platform's, and those of organizations in sight.
///
/// # Errors
/// Where the caller may not, or the store can't.
pub async fn list(app: &App, actor: &Actor, query: &Query) -> Result<Page<Role>> {
    let sight = actor.require(Permission::OrganizationsRead)?;
    app.store
        .read(|db| Ok(roles::list(db, &ask(app, &sight, query, &[]))?))
}

/// One in sight.
///
/// # Errors
/// [`Error::NotFound`] where it isn't there or isn't the caller's to see.
pub async fn find(app: &App, actor: &Actor, id: i64) -> Result<Role> {
    let sight = actor.require(Permission::OrganizationsRead)?;
    in_sight(app, &sight, id)
}

/// It is there and the caller can see it.
///
/// # Errors
/// [`Error::NotFound`].
pub fn seen(app: &App, sight: &Sight, id: i64) -> Result<()> {
    in_sight(app, sight, id).map(drop)
}

fn in_sight(app: &App, sight: &Sight, id: i64) -> Result<Role> {
    app.store
        .read(|db| roles::find(db, sight, id).map_err(Error::from))?
        .ok_or(Error::NotFound)
}

/// The roles that can be given in an organization.
///
/// # Errors
/// Where the caller may not manage people there.
pub async fn usable(app: &App, actor: &Actor, organization_id: i64) -> Result<Vec<Role>> {
    actor.require_in(Permission::UsersManage, organization_id)?;
    Ok(app.store.read(|db| roles::usable(db, organization_id))?)
}

/// The roles that can be given somewhere in that sight, as far as one page shows them, and that hold
/// nothing which the caller doesn't hold where they can be used.
///
/// # Errors
/// Where the caller may not manage people anywhere.
pub async fn usable_in(app: &App, actor: &Actor, sight: &Sight) -> Result<Vec<Role>> {
    actor.require(Permission::UsersManage)?;
    let mut query = Query::first(&LIST);
    query.per_page = PER_PAGE_MAX;
    let page = app
        .store
        .read(|db| roles::list(db, &ask(app, sight, &query, &[])).map_err(Error::from))?;
    let may = |role: &Role| match (role.organization_id, sight.organizations()) {
        (Some(owner), _) => may_grant(actor, Some(owner), role.permissions).is_ok(),
        (None, None) => true,
        (None, Some(mine)) => mine
            .iter()
            .any(|id| may_grant(actor, Some(*id), role.permissions).is_ok()),
    };
    Ok(page.rows.into_iter().filter(may).collect())
}

/// Makes one, for an organization or for the platform.
///
/// # Errors
/// [`Error::Invalid`] with all faults; [`Error::Forbidden`] for a permission that the caller doesn't
/// hold there; [`Error::Conflict`] `name_taken`.
pub async fn create(
    app: &App,
    actor: &Actor,
    organization_id: Option<i64>,
    form: &RoleForm,
) -> Result<Role> {
    actor.require(Permission::RolesManage)?;
    may_manage(actor, organization_id)?;
    let facts = form.check(None).map_err(Error::Invalid)?;
    may_grant(actor, organization_id, facts.permissions)?;
    let (by, now, maker) = (actor.label(), app.clock.now(), actor.clone());
    let entry = audit::entry(app, actor, "role.created");
    app.store
        .write(Lane::Front, move |db| {
            let maker = renewed(db, &maker, now)?;
            may_manage(&maker, organization_id)?;
            may_grant(&maker, organization_id, facts.permissions)?;
            if let Some(owner) = organization_id
                && !organizations::exists(db, owner)?
            {
                let fault = Fault::new(
                    "/organization_id",
                    "not_found",
                    "There is none with this id.",
                );
                return Err(Error::Invalid(vec![fault]));
            }
            is_free(db, organization_id, &facts.name)?;
            let id = roles::insert(db, organization_id, &facts, &by, now).map_err(taken)?;
            let made = roles::find(db, &Sight::All, id)?.ok_or(Error::NotFound)?;
            keep(db, entry.after(shown(&made)), &made)?;
            Ok(made)
        })
        .await
}

/// Changes one; what the form doesn't say stays. Who holds it may so at the next request.
///
/// # Errors
/// As [`create`]; [`Error::NotFound`]; [`Error::Conflict`] `built_in`.
pub async fn update(app: &App, actor: &Actor, id: i64, form: RoleForm) -> Result<Role> {
    let sight = actor.require(Permission::RolesManage)?;
    let (by, now, changer) = (actor.label(), app.clock.now(), actor.clone());
    let entry = audit::entry(app, actor, "role.updated");
    let counted = sight.clone();
    let changed = app
        .store
        .write(Lane::Front, move |db| {
            let changer = renewed(db, &changer, now)?;
            let before = changeable(db, &changer, &sight, id)?;
            let known = RoleFacts {
                name: before.name.clone(),
                description: before.description.clone(),
                permissions: before.permissions,
            };
            let facts = form.check(Some(&known)).map_err(Error::Invalid)?;
            may_grant(&changer, before.organization_id, facts.permissions)?;
            if facts.name.to_lowercase() != known.name.to_lowercase() {
                is_free(db, before.organization_id, &facts.name)?;
            }
            roles::update(db, id, &facts, &by, now).map_err(taken)?;
            in_hand::let_go_of_role(db, id, now)?;
            let after = roles::find(db, &counted, id)?.ok_or(Error::NotFound)?;
            keep(
                db,
                entry.before(shown(&before)).after(shown(&after)),
                &after,
            )?;
            Ok::<_, Error>(after)
        })
        .await?;
    app.callers.forget();
    Ok(changed)
}

/// Removes one that nobody holds, with the places that deleted people had by it.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] `built_in` or `in_use`; [`Error::Forbidden`].
pub async fn delete(app: &App, actor: &Actor, id: i64) -> Result<()> {
    let sight = actor.require(Permission::RolesManage)?;
    let (changer, now) = (actor.clone(), app.clock.now());
    let entry = audit::entry(app, actor, "role.deleted");
    app.store
        .write(Lane::Front, move |db| {
            let changer = renewed(db, &changer, now)?;
            let before = changeable(db, &changer, &sight, id)?;
            if roles::in_use(db, id)? {
                return Err(Error::Conflict {
                    code: "in_use",
                    detail: "A role that somebody has can't be deleted. Give these people another one first."
                        .to_owned(),
                });
            }
            let ended = roles::delete(db, id)?;
            let mut said = shown(&before);
            if let (Some(said), 1..) = (said.as_object_mut(), ended) {
                said.insert("places_of_deleted_people_ended".to_owned(), json!(ended));
            }
            keep(db, entry.before(said), &before)
        })
        .await
}

/// The role, where the caller may change it.
fn changeable(db: &Connection, actor: &Actor, sight: &Sight, id: i64) -> Result<Role> {
    let role = roles::find(db, sight, id)?.ok_or(Error::NotFound)?;
    if role.built_in {
        return Err(Error::Conflict {
            code: "built_in",
            detail: "A built-in role stays as it is. Make one of your own.".to_owned(),
        });
    }
    may_manage(actor, role.organization_id)?;
    may_grant(actor, role.organization_id, role.permissions)?;
    Ok(role)
}

/// What is for every organization belongs to the platform administrator. An organization beyond the
/// caller's wall is refused like a permission that he lacks there, whether it exists or not.
fn may_manage(actor: &Actor, organization_id: Option<i64>) -> Result<()> {
    match organization_id {
        None => actor.require_platform(Permission::RolesManage)?,
        Some(owner) => actor.require_in(Permission::RolesManage, owner)?,
    }
    Ok(())
}

/// Nobody grants what he doesn't hold.
///
/// # Errors
/// [`Error::Forbidden`], naming the first permission that the caller lacks there.
pub(super) fn may_grant(
    actor: &Actor,
    organization_id: Option<i64>,
    granted: Permissions,
) -> Result<()> {
    let held = match organization_id {
        Some(organization) => actor.permissions_in(organization),
        None if actor.is_platform() => Permissions::ALL,
        None => Permissions::NONE,
    };
    match granted.without(held).iter().next() {
        Some(lacking) => Err(Denied(lacking).into()),
        None => Ok(()),
    }
}

/// An organization's own role isn't called like one of the platform's, nor the other way round: which
/// one is meant would depend on where it is said.
fn is_free(db: &Connection, organization_id: Option<i64>, name: &str) -> Result<()> {
    if roles::is_named(db, organization_id, name)? {
        return Err(name_taken());
    }
    Ok(())
}

/// What the record says of a role.
fn shown(role: &Role) -> Value {
    json!({"name": role.name, "description": role.description, "permissions": role.permissions})
}

fn keep(db: &Connection, entry: Entry, role: &Role) -> Result<()> {
    let entry = match role.organization_id {
        Some(owner) => entry.organization(owner),
        None => entry,
    };
    record::append(db, &entry.subject("role", role.id))?;
    Ok(())
}

fn taken(error: StoreError) -> Error {
    if error.is_constraint() {
        return name_taken();
    }
    error.into()
}

fn name_taken() -> Error {
    Error::Conflict {
        code: "name_taken",
        detail: "There is a role of that name.".to_owned(),
    }
}
