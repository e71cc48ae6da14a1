//! Organizations: their list, a new one, one of them, and its end.

use super::listing::{Listing, asked};
use super::overview::{counts, natural};
use super::view::forms::{ConfirmPage, OrganizationPage, OrganizationRow, OrganizationsPage};
use super::visit::{Handler, Reply, Visit, by_field};
use super::words;
use crate::domain::access::Permission;
use crate::domain::fault::Fault;
use crate::domain::listing::Query;
use crate::domain::organization::{
    LIST as FIELDS, LONGEST_GRACE_DAYS, Organization, OrganizationForm,
};
use crate::services::overview::of_organization;
use crate::services::{Error, Result, organizations};

/// `GET /organizations`.
pub const LIST: Handler = |visit| Box::pin(list(visit));
/// `GET /organizations/new`.
pub const NEW: Handler = |visit| Box::pin(new(visit));
/// `POST /organizations/new`.
pub const CREATE: Handler = |visit| Box::pin(create(visit));
/// `GET /organizations/{id}`.
pub const SHOW: Handler = |visit| Box::pin(show(visit));
/// `POST /organizations/{id}`.
pub const UPDATE: Handler = |visit| Box::pin(update(visit));
/// `GET /organizations/{id}/delete`.
pub const ASK_DELETE: Handler = |visit| Box::pin(ask_delete(visit));
/// `POST /organizations/{id}/delete`.
pub const DELETE: Handler = |visit| Box::pin(delete(visit));

async fn list(visit: Visit) -> Result<Reply> {
    let query = Query::parse(&FIELDS, asked(&visit.query)).map_err(Error::Invalid)?;
    let page = organizations::list(&visit.app, visit.actor()?, &query).await?;
    let list = Listing::of("/organizations", &visit.query, &query, &page);
    let mut rows = Vec::with_capacity(page.rows.len());
    for organization in page.rows {
        rows.push(row(&visit, &organization).await?);
    }
    Reply::page(&OrganizationsPage {
        shell: visit.shell("Organizations").await?,
        list,
        rows,
    })
}

async fn row(visit: &Visit, organization: &Organization) -> Result<OrganizationRow> {
    let words = of_organization(&visit.app, visit.actor()?, organization.id).await?;
    // Whatever else they are: a silent site that is overdue is silent, too.
    let silent = words
        .iter()
        .filter(|(word, _)| word.silent)
        .map(|(_, n)| *n);
    let silent = natural(silent.sum());
    let counts = counts(words);
    Ok(OrganizationRow {
        id: organization.id,
        name: organization.name.clone(),
        sites: natural(organization.sites_count),
        exposed: counts.exposed,
        silent,
    })
}

async fn new(visit: Visit) -> Result<Reply> {
    page(&visit, None, &[]).await
}

async fn create(visit: Visit) -> Result<Reply> {
    match organizations::create(&visit.app, visit.actor()?, &form(&visit)).await {
        Ok(made) => Ok(Reply::go(format!("/organizations/{}", made.id))
            .saying(&format!("{} was made.", made.name))),
        Err(error) => Ok(page(&visit, None, &faults(error)?).await?.status(422)),
    }
}

async fn show(visit: Visit) -> Result<Reply> {
    let found = organizations::find(&visit.app, visit.actor()?, visit.id()?).await?;
    page(&visit, Some(&found), &[]).await
}

async fn update(visit: Visit) -> Result<Reply> {
    let id = visit.id()?;
    match organizations::update(&visit.app, visit.actor()?, id, form(&visit)).await {
        Ok(_) => Ok(Reply::go(format!("/organizations/{id}")).saying("Saved.")),
        Err(error) => {
            let faults = faults(error)?;
            let found = organizations::find(&visit.app, visit.actor()?, id).await?;
            Ok(page(&visit, Some(&found), &faults).await?.status(422))
        }
    }
}

fn form(visit: &Visit) -> OrganizationForm {
    let required = visit.field("require_two_factor") == "yes";
    let days = visit.field("two_factor_grace_days");
    let read: std::result::Result<i64, _> = days.parse();
    // Days that are left as they were, or belong to nothing, say nothing.
    let meant = required && !days.is_empty();
    let two_factor_grace_days = read.as_ref().ok().copied().filter(|_| meant);
    let mut unreadable = Vec::new();
    if meant && read.is_err() {
        let detail = format!("is a number of days from 0 to {LONGEST_GRACE_DAYS}.");
        unreadable.push(Fault::new("/two_factor_grace_days", "not_a_number", detail));
    }
    OrganizationForm {
        name: Some(visit.field("name").to_owned()),
        notes: Some(visit.field("notes").to_owned()),
        require_two_factor: Some(required),
        two_factor_grace_days,
        unreadable,
    }
}

/// What is wrong, by field; what isn't the form's fault goes on.
fn faults(error: Error) -> Result<Vec<(String, String)>> {
    match error {
        Error::Invalid(faults) => Ok(by_field(&faults)),
        Error::Conflict { detail, .. } => Ok(vec![("name".to_owned(), detail)]),
        other => Err(other),
    }
}

async fn page(
    visit: &Visit,
    found: Option<&Organization>,
    faults: &[(String, String)],
) -> Result<Reply> {
    let typed = |name: &str, known: &str| {
        if faults.is_empty() {
            known.to_owned()
        } else {
            visit.field(name).to_owned()
        }
    };
    let actor = visit.actor()?;
    let held = |id: i64, permission| actor.permissions_in(id).contains(permission);
    let row = match found {
        Some(found) => Some(row(visit, found).await?),
        None => None,
    };
    let without = match found {
        Some(o) if held(o.id, Permission::OrganizationsManage) => {
            let (without, members) = organizations::lacking_second_factor(&visit.app, actor, o.id)?;
            Some((natural(without), natural(members)))
        }
        _ => None,
    };
    Reply::page(&OrganizationPage {
        shell: visit
            .shell(found.map_or("New organization", |o| &o.name))
            .await?,
        id: found.map(|o| o.id),
        name: typed("name", found.map_or("", |o| &o.name)),
        notes: typed("notes", found.map_or("", |o| &o.notes)),
        needs_second_factor: if faults.is_empty() {
            found.is_some_and(|o| o.second_factor_from.is_some())
        } else {
            visit.field("require_two_factor") == "yes"
        },
        second_factor_from: found.and_then(|o| o.second_factor_from),
        grace_days: typed("two_factor_grace_days", ""),
        faults: faults.to_vec(),
        row,
        may: found.is_none_or(|o| held(o.id, Permission::OrganizationsManage)),
        manages_people: found.is_some_and(|o| held(o.id, Permission::UsersManage)),
        without,
    })
}

async fn ask_delete(visit: Visit) -> Result<Reply> {
    let found = organizations::find(&visit.app, visit.actor()?, visit.id()?).await?;
    let sites = words::count(natural(found.sites_count), "site", "sites");
    Reply::page(&ConfirmPage {
        shell: visit.shell(&format!("Delete {}", found.name)).await?,
        question: format!("Delete {}?", found.name),
        explanation: format!(
            "Takes with it {sites} and all their keys, at once. What was recorded stays on record; open exposures end. It can be restored with all of them."
        ),
        keep: format!("/organizations/{}", found.id),
        keep_word: "Keep it".to_owned(),
        action: format!("/organizations/{}/delete", found.id),
        deed: "Delete the organization".to_owned(),
    })
}

async fn delete(visit: Visit) -> Result<Reply> {
    let found = organizations::find(&visit.app, visit.actor()?, visit.id()?).await?;
    organizations::delete(&visit.app, visit.actor()?, found.id).await?;
    Ok(Reply::go("/organizations").gone(
        &format!("{} was deleted.", found.name),
        &format!("/organizations/{}/restore", found.id),
    ))
}
