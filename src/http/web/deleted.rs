//! What was deleted and can come back, and bringing it back.

use super::listing::Tab;
use super::overview::natural;
use super::view::deleted::{DeletedPage, DeletedRow};
use super::visit::{Handler, Reply, Visit};
use super::words;
use crate::domain::access::{Actor, Permission};
use crate::services::{Error, Result, modules, organizations, people, sites};

/// `GET /deleted`.
pub const LIST: Handler = |visit| Box::pin(list(visit));
/// `POST /sites/{id}/restore`.
pub const RESTORE_SITE: Handler = |visit| Box::pin(restore_site(visit));
/// `POST /organizations/{id}/restore`.
pub const RESTORE_ORGANIZATION: Handler = |visit| Box::pin(restore_organization(visit));
/// `POST /users/{id}/restore`.
pub const RESTORE_USER: Handler = |visit| Box::pin(restore_user(visit));
/// `POST /modules/{id}/restore`.
pub const RESTORE_MODULE: Handler = |visit| Box::pin(restore_module(visit));

async fn list(visit: Visit) -> Result<Reply> {
    let actor = visit.actor()?;
    let kind = visit.parameter("kind");
    let (one, many, rows) = match kind {
        "organizations" => (
            "organization",
            "organizations",
            organization_rows(&visit).await?,
        ),
        "modules" => ("module", "modules", module_rows(&visit).await?),
        "users" => ("user", "users", user_rows(&visit).await?),
        _ => ("site", "sites", site_rows(&visit).await?),
    };
    Reply::page(&DeletedPage {
        shell: visit.shell("Deleted").await?,
        tabs: tabs(actor, many),
        one,
        many,
        rows,
    })
}

/// The kinds that the visitor may bring back.
fn tabs(actor: &Actor, here: &str) -> Vec<Tab> {
    let all = [
        (
            "Sites",
            "sites",
            actor.require(Permission::SitesDelete).is_ok(),
        ),
        (
            "Organizations",
            "organizations",
            actor
                .require_platform(Permission::OrganizationsManage)
                .is_ok(),
        ),
        (
            "Modules",
            "modules",
            actor.require_platform(Permission::ModulesWrite).is_ok(),
        ),
        (
            "Users",
            "users",
            actor.require_platform(Permission::UsersManage).is_ok(),
        ),
    ];
    all.into_iter()
        .filter(|(_, _, may)| *may)
        .map(|(word, kind, _)| Tab::new(word, None, format!("/deleted?kind={kind}"), kind == here))
        .collect()
}

async fn site_rows(visit: &Visit) -> Result<Vec<DeletedRow>> {
    let found = sites::deleted(&visit.app, visit.actor()?).await?;
    let row = |site: crate::domain::site::DeletedSite| DeletedRow {
        about: if site.organization_deleted {
            format!(
                "{}, {}: its organization is deleted too",
                site.organization, site.environment
            )
        } else {
            format!("{}, {}", site.organization, site.environment)
        },
        restore: (!site.organization_deleted).then(|| format!("/sites/{}/restore", site.id)),
        name: site.name,
        at: site.deleted_at,
    };
    Ok(found.into_iter().map(row).collect())
}

async fn organization_rows(visit: &Visit) -> Result<Vec<DeletedRow>> {
    let found = organizations::deleted(&visit.app, visit.actor()?).await?;
    let row = |organization: crate::domain::organization::DeletedOrganization| DeletedRow {
        about: format!(
            "comes back with {}",
            words::count(natural(organization.sites_count), "site", "sites")
        ),
        restore: Some(format!("/organizations/{}/restore", organization.id)),
        name: organization.name,
        at: organization.deleted_at,
    };
    Ok(found.into_iter().map(row).collect())
}

async fn module_rows(visit: &Visit) -> Result<Vec<DeletedRow>> {
    let found = modules::deleted(&visit.app, visit.actor()?).await?;
    let row = |module: crate::domain::module::DeletedModule| DeletedRow {
        name: module.title,
        about: module.name,
        at: module.deleted_at,
        restore: Some(format!("/modules/{}/restore", module.id)),
    };
    Ok(found.into_iter().map(row).collect())
}

async fn user_rows(visit: &Visit) -> Result<Vec<DeletedRow>> {
    let found = people::deleted(&visit.app, visit.actor()?).await?;
    let row = |user: crate::domain::member::DeletedUser| DeletedRow {
        name: user.name,
        about: user.email,
        at: user.deleted_at,
        restore: Some(format!("/users/{}/restore", user.id)),
    };
    Ok(found.into_iter().map(row).collect())
}

async fn restore_user(visit: Visit) -> Result<Reply> {
    match people::restore(&visit.app, visit.actor()?, visit.id()?).await {
        Ok(user) => Ok(Reply::go(format!("/users/{}", user.id)).saying(&back(&user.name))),
        Err(error) => refused(error, "users"),
    }
}

async fn restore_site(visit: Visit) -> Result<Reply> {
    match sites::restore(&visit.app, visit.actor()?, visit.id()?).await {
        Ok(site) => Ok(Reply::go(format!("/sites/{}", site.id)).saying(&back(&site.name))),
        Err(error) => refused(error, "sites"),
    }
}

async fn restore_organization(visit: Visit) -> Result<Reply> {
    match organizations::restore(&visit.app, visit.actor()?, visit.id()?).await {
        Ok(found) => {
            Ok(Reply::go(format!("/organizations/{}", found.id)).saying(&back(&found.name)))
        }
        Err(error) => refused(error, "organizations"),
    }
}

async fn restore_module(visit: Visit) -> Result<Reply> {
    match modules::restore(&visit.app, visit.actor()?, visit.id()?).await {
        Ok(module) => Ok(Reply::go(format!("/modules/{}", module.id)).saying(&back(&module.title))),
        Err(error) => refused(error, "modules"),
    }
}

fn back(name: &str) -> String {
    format!("{name} is back.")
}

/// Why it can't come back, said where it stands; what isn't a conflict goes on.
fn refused(error: Error, kind: &str) -> Result<Reply> {
    match error {
        Error::Conflict { detail, .. } => {
            Ok(Reply::go(format!("/deleted?kind={kind}"))
                .saying(&format!("Not restored. {detail}")))
        }
        other => Err(other),
    }
}
