//! One site's beginnings and ends: named, changed, deleted, and whether a stranger is itself.

use super::fleet::organizations_of;
use super::overview::natural;
use super::view::fleet::Choice;
use super::view::forms::{ConfirmPage, NewSitePage, SiteForm as FormView, SiteSettingsPage};
use super::visit::{Handler, Reply, Visit, by_field, organization_chosen};
use super::{connect, site, words};
use crate::domain::access::Permission;
use crate::domain::organization::OrganizationForm;
use crate::domain::site::{ENVIRONMENTS, INTERVAL_DEFAULT, Site, SiteForm};
use crate::services::{Error, Result, organizations, sites, sync};

/// `GET /sites/new`.
pub const NEW: Handler = |visit| Box::pin(new(visit));
/// `POST /sites/new`.
pub const CREATE: Handler = |visit| Box::pin(create(visit));
/// `GET /sites/{id}/settings`.
pub const SETTINGS: Handler = |visit| Box::pin(settings(visit));
/// `POST /sites/{id}/settings`.
pub const UPDATE: Handler = |visit| Box::pin(update(visit));
/// `GET /sites/{id}/delete`.
pub const ASK_DELETE: Handler = |visit| Box::pin(ask_delete(visit));
/// `POST /sites/{id}/delete`.
pub const DELETE: Handler = |visit| Box::pin(delete(visit));
/// `POST /sites/{id}/stranger`.
pub const ANSWER: Handler = |visit| Box::pin(answer(visit));

async fn new(visit: Visit) -> Result<Reply> {
    let form = typed(&visit, Vec::new()).await?;
    Reply::page(&NewSitePage {
        shell: visit.shell("Connect a site").await?,
        form,
    })
}

/// Makes the site, its organization where that is new too, and its first key.
async fn create(visit: Visit) -> Result<Reply> {
    let form = sent(&visit);
    let made = match home(&visit, &form).await {
        Ok(organization) => sites::create(&visit.app, visit.actor()?, organization, &form).await,
        Err(error) => Err(error),
    };
    match made {
        Ok(site) => connect::with_new_key(&visit, &site).await,
        Err(error) => {
            let form = typed(&visit, faults(error)?).await?;
            Ok(Reply::page(&NewSitePage {
                shell: visit.shell("Connect a site").await?,
                form,
            })?
            .status(422))
        }
    }
}

/// The organization that was chosen, or a new one: made only where nothing is wrong with the site.
async fn home(visit: &Visit, form: &SiteForm) -> Result<Option<i64>> {
    let name = visit.field("new_organization");
    if name.is_empty() {
        return organization_chosen(visit);
    }
    form.check(None).map_err(Error::Invalid)?;
    let new = OrganizationForm {
        name: Some(name.to_owned()),
        notes: None,
        ..OrganizationForm::default()
    };
    match organizations::create(&visit.app, visit.actor()?, &new).await {
        Ok(made) => Ok(Some(made.id)),
        Err(Error::Invalid(mut faults)) => {
            faults
                .iter_mut()
                .for_each(|fault| fault.pointer = "/new_organization".to_owned());
            Err(Error::Invalid(faults))
        }
        Err(other) => Err(other),
    }
}

fn sent(visit: &Visit) -> SiteForm {
    let tags = visit
        .field("tags")
        .split(',')
        .map(str::trim)
        .filter(|tag| !tag.is_empty());
    SiteForm {
        name: Some(visit.field("name").to_owned()),
        url: Some(visit.field("url").to_owned()),
        environment: Some(visit.field("environment").to_owned()),
        tags: Some(tags.map(str::to_owned).collect()),
        // What isn't a whole number is out of range, and is said to be.
        sync_interval_minutes: Some(visit.field("sync_interval_minutes").parse().unwrap_or(0)),
        notes: visit
            .form
            .iter()
            .any(|(k, _)| k == "notes")
            .then(|| visit.field("notes").to_owned()),
        unreadable: Vec::new(),
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

/// The form as it was typed, or a fresh one.
async fn typed(visit: &Visit, faults: Vec<(String, String)>) -> Result<FormView> {
    let or = |name: &str, default: &str| {
        let typed = visit.field(name);
        if visit.form.is_empty() {
            default.to_owned()
        } else {
            typed.to_owned()
        }
    };
    let environment = or("environment", "production");
    Ok(FormView {
        name: or("name", ""),
        url: or("url", ""),
        organizations: organizations_of(
            visit,
            Permission::SitesWrite,
            &or("organization_id", visit.parameter("organization_id")),
        )
        .await?,
        new_organization: or("new_organization", ""),
        environments: environments(&environment),
        tags: or("tags", ""),
        interval: or("sync_interval_minutes", &INTERVAL_DEFAULT.to_string()),
        notes: or("notes", ""),
        faults,
    })
}

fn environments(chosen: &str) -> Vec<Choice> {
    ENVIRONMENTS
        .iter()
        .map(|e| Choice::new(*e, *e, chosen))
        .collect()
}

async fn settings(visit: Visit) -> Result<Reply> {
    let site = sites::find(&visit.app, visit.actor()?, visit.id()?).await?;
    settings_page(&visit, &site, known(&site)).await
}

fn known(site: &Site) -> FormView {
    FormView {
        name: site.name.clone(),
        url: site.url.clone(),
        organizations: vec![Choice::new(
            site.organization_id.to_string(),
            site.organization.clone(),
            &site.organization_id.to_string(),
        )],
        new_organization: String::new(),
        environments: environments(&site.environment),
        tags: site.tags.join(", "),
        interval: site.sync_interval_minutes.to_string(),
        notes: site.notes.clone(),
        faults: Vec::new(),
    }
}

async fn settings_page(visit: &Visit, site: &Site, form: FormView) -> Result<Reply> {
    Reply::page(&SiteSettingsPage {
        shell: visit.shell(&format!("Settings of {}", site.name)).await?,
        head: site::head(visit, site, "/settings"),
        form,
    })
}

async fn update(visit: Visit) -> Result<Reply> {
    let id = visit.id()?;
    match sites::update(&visit.app, visit.actor()?, id, None, sent(&visit)).await {
        Ok(_) => Ok(Reply::go(format!("/sites/{id}/settings")).saying("Saved.")),
        Err(error) => {
            let faults = faults(error)?;
            let site = sites::find(&visit.app, visit.actor()?, id).await?;
            let mut form = typed(&visit, faults).await?;
            form.organizations = known(&site).organizations;
            Ok(settings_page(&visit, &site, form).await?.status(422))
        }
    }
}

async fn ask_delete(visit: Visit) -> Result<Reply> {
    let site = sites::find(&visit.app, visit.actor()?, visit.id()?).await?;
    let open = match site.open_exposures {
        0 => String::new(),
        n => format!(
            " Ends {} that {} open now.",
            words::count(natural(n), "exposure", "exposures"),
            if n == 1 { "is" } else { "are" }
        ),
    };
    Reply::page(&ConfirmPage {
        shell: visit.shell(&format!("Delete {}", site.name)).await?,
        question: format!("Delete {}?", site.name),
        explanation: format!(
            "Its keys stop working at once.{open} What was recorded of it stays on record, and it can be restored."
        ),
        keep: format!("/sites/{}/settings", site.id),
        keep_word: "Keep it".to_owned(),
        action: format!("/sites/{}/delete", site.id),
        deed: "Delete the site".to_owned(),
    })
}

async fn delete(visit: Visit) -> Result<Reply> {
    let site = sites::find(&visit.app, visit.actor()?, visit.id()?).await?;
    sites::delete(&visit.app, visit.actor()?, site.id).await?;
    Ok(Reply::go("/sites").gone(
        &format!("{} was deleted.", site.name),
        &format!("/sites/{}/restore", site.id),
    ))
}

async fn answer(visit: Visit) -> Result<Reply> {
    let id = visit.id()?;
    let moved = visit.field("is") == "moved";
    sync::answer_stranger(&visit.app, visit.actor()?, id, moved).await?;
    let said = if moved {
        "Its next sync from there is taken."
    } else {
        "The copy's syncs go on being refused."
    };
    Ok(Reply::go(format!("/sites/{id}")).saying(said))
}
