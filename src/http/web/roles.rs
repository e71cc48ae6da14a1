//! Roles: side by side, made, changed, removed.

use super::fleet::organizations_of;
use super::overview::natural;
use super::people::faults as faults_of;
use super::view::fleet::Choice;
use super::view::forms::ConfirmPage;
use super::view::roles::{GridRow, RoleColumn, RolePage, RolesPage, Tick};
use super::visit::{Handler, Reply, Visit, organization_chosen};
use crate::domain::access::Permission;
use crate::domain::grants::Permissions;
use crate::domain::listing::{PER_PAGE_MAX, Query};
use crate::domain::role::{LIST as FIELDS, Role, RoleForm};
use crate::services::{Error, Result, roles};

/// `GET /roles`.
pub const LIST: Handler = |visit| Box::pin(list(visit));
/// `GET /roles/new`.
pub const NEW: Handler = |visit| Box::pin(new(visit));
/// `POST /roles/new`.
pub const CREATE: Handler = |visit| Box::pin(create(visit));
/// `GET /roles/{id}`.
pub const SHOW: Handler = |visit| Box::pin(show(visit));
/// `POST /roles/{id}`.
pub const UPDATE: Handler = |visit| Box::pin(update(visit));
/// `GET /roles/{id}/delete`.
pub const ASK_DELETE: Handler = |visit| Box::pin(ask_delete(visit));
/// `POST /roles/{id}/delete`.
pub const DELETE: Handler = |visit| Box::pin(delete(visit));

async fn list(visit: Visit) -> Result<Reply> {
    let mut query = Query::first(&FIELDS);
    query.per_page = PER_PAGE_MAX;
    let found = roles::list(&visit.app, visit.actor()?, &query).await?;
    let rows = Permission::ALL.iter().map(|permission| GridRow {
        word: permission.word(),
        does: permission.does(),
        held: found
            .rows
            .iter()
            .map(|role| role.permissions.contains(*permission))
            .collect(),
    });
    Reply::page(&RolesPage {
        shell: visit.shell("Roles").await?,
        rows: rows.collect(),
        columns: found
            .rows
            .iter()
            .map(|role| RoleColumn {
                id: role.id,
                name: role.name.clone(),
                whose: whose(role),
                description: role.description.clone(),
                members: natural(role.members_count),
            })
            .collect(),
    })
}

fn whose(role: &Role) -> String {
    match &role.organization {
        _ if role.built_in => "built in".to_owned(),
        Some(organization) => organization.clone(),
        None => "every organization".to_owned(),
    }
}

fn ticks(held: Permissions, may: Permissions) -> Vec<Tick> {
    Permission::ALL
        .iter()
        .map(|permission| Tick {
            word: permission.word(),
            does: permission.does(),
            held: held.contains(*permission),
            may: may.contains(*permission),
        })
        .collect()
}

fn ticked(visit: &Visit) -> Vec<String> {
    let words = visit.fields("permissions").into_iter();
    words.map(str::to_owned).collect()
}

/// What the form holds, as far as it is known here.
fn chosen(visit: &Visit) -> Permissions {
    let words = visit.fields("permissions").into_iter();
    words.filter_map(Permission::from_word).collect()
}

async fn new(visit: Visit) -> Result<Reply> {
    let like = match visit.parameter("like").parse() {
        Ok(id) => Some(roles::find(&visit.app, visit.actor()?, id).await?),
        Err(_) => None,
    };
    let held = like.map_or(Permissions::NONE, |role| role.permissions);
    new_page(&visit, held, Vec::new()).await
}

async fn new_page(
    visit: &Visit,
    held: Permissions,
    faults: Vec<(String, String)>,
) -> Result<Reply> {
    let actor = visit.actor()?;
    let sight = actor.require(Permission::RolesManage)?;
    let mut organizations = organizations_of(
        visit,
        Permission::RolesManage,
        visit.field("organization_id"),
    )
    .await?;
    if actor.is_platform() {
        let all = Choice::new("", "Every organization", visit.field("organization_id"));
        organizations.insert(0, all);
    }
    let may = match sight.organizations() {
        None => Permissions::ALL,
        Some(ids) => {
            let mine = |id: &i64| actor.permissions_in(*id).iter().collect::<Vec<_>>();
            ids.iter().flat_map(mine).collect()
        }
    };
    Reply::page(&RolePage {
        shell: visit.shell("New role").await?,
        id: None,
        whose: String::new(),
        may: true,
        why_not: String::new(),
        name: visit.field("name").to_owned(),
        description: visit.field("description").to_owned(),
        organizations,
        ticks: ticks(held.and(may), may),
        members: 0,
        faults,
    })
}

fn form(visit: &Visit) -> RoleForm {
    RoleForm {
        name: Some(visit.field("name").to_owned()),
        description: Some(visit.field("description").to_owned()),
        permissions: Some(ticked(visit)),
        unreadable: Vec::new(),
    }
}

/// What is wrong, by field.
fn faults(error: Error) -> Result<Vec<(String, String)>> {
    match error {
        Error::Conflict {
            code: "name_taken",
            detail,
        } => Ok(vec![("name".to_owned(), detail)]),
        Error::Forbidden(why) => {
            let said = format!("You can't put that into a role: {why}.");
            Ok(vec![("permissions".to_owned(), said)])
        }
        error @ Error::Invalid(_) => faults_of(error),
        other => Err(other),
    }
}

async fn create(visit: Visit) -> Result<Reply> {
    let made = match organization_chosen(&visit) {
        Ok(chosen) => roles::create(&visit.app, visit.actor()?, chosen, &form(&visit)).await,
        Err(fault) => Err(fault),
    };
    match made {
        Ok(made) => Ok(Reply::go("/roles").saying(&format!("{} was made.", made.name))),
        Err(error) => {
            let faults = faults(error)?;
            Ok(new_page(&visit, chosen(&visit), faults).await?.status(422))
        }
    }
}

async fn show(visit: Visit) -> Result<Reply> {
    page(&visit, Vec::new()).await
}

async fn page(visit: &Visit, faults: Vec<(String, String)>) -> Result<Reply> {
    let actor = visit.actor()?;
    let role = roles::find(&visit.app, actor, visit.id()?).await?;
    let held = match role.organization_id {
        Some(organization) => actor.permissions_in(organization),
        None if actor.is_platform() => Permissions::ALL,
        None => Permissions::NONE,
    };
    let manages = held.contains(Permission::RolesManage);
    let may = !role.built_in && manages && role.permissions.without(held).is_empty();
    let why_not = match (role.built_in, manages, may) {
        (_, _, true) => "",
        (true, ..) => "A built-in role stays as it is.",
        (_, true, _) => "It holds more than you, so you can't change it.",
        _ if role.organization_id.is_none() => {
            "It is for every organization: the platform administrator changes it."
        }
        _ => "You don't manage the roles of this organization.",
    };
    let retyped = !faults.is_empty();
    let typed = |name: &str, known: &str| {
        let text = if retyped { visit.field(name) } else { known };
        text.to_owned()
    };
    let ticked = if retyped {
        chosen(visit)
    } else {
        role.permissions
    };
    Reply::page(&RolePage {
        shell: visit.shell(&role.name).await?,
        id: Some(role.id),
        whose: if role.built_in {
            "every organization".to_owned()
        } else {
            whose(&role)
        },
        may,
        why_not: why_not.to_owned(),
        name: typed("name", &role.name),
        description: typed("description", &role.description),
        organizations: Vec::new(),
        ticks: ticks(ticked, held),
        members: natural(role.members_count),
        faults,
    })
}

async fn update(visit: Visit) -> Result<Reply> {
    let id = visit.id()?;
    match roles::update(&visit.app, visit.actor()?, id, form(&visit)).await {
        Ok(changed) => Ok(Reply::go("/roles").saying(&format!("{} was changed.", changed.name))),
        Err(error) => Ok(page(&visit, faults(error)?).await?.status(422)),
    }
}

async fn ask_delete(visit: Visit) -> Result<Reply> {
    let role = roles::find(&visit.app, visit.actor()?, visit.id()?).await?;
    let why_not = match role.members_count {
        _ if role.built_in => Some("A built-in role stays.".to_owned()),
        0 => None,
        1 => Some(
            "One person has it, so it can't be deleted. Give that person another role first."
                .to_owned(),
        ),
        held => Some(format!(
            "{held} people have it, so it can't be deleted. Give them another role first."
        )),
    };
    let asked = ConfirmPage {
        shell: visit.shell(&format!("Delete {}", role.name)).await?,
        question: format!("Delete the role “{}”?", role.name),
        explanation: "Nobody has it. It can't be brought back; a new one can be made.".to_owned(),
        keep: format!("/roles/{}", role.id),
        keep_word: "Keep it".to_owned(),
        action: format!("/roles/{}/delete", role.id),
        deed: "Delete the role".to_owned(),
    };
    Reply::page(&asked.or_why_not(why_not))
}

async fn delete(visit: Visit) -> Result<Reply> {
    let role = roles::find(&visit.app, visit.actor()?, visit.id()?).await?;
    roles::delete(&visit.app, visit.actor()?, role.id).await?;
    Ok(Reply::go("/roles").saying(&format!("{} was deleted.", role.name)))
}
