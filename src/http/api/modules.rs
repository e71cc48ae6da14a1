//! `/modules`: the catalogue, counted over the sites in sight.

use serde::Serialize;
use utoipa::ToSchema;

use super::jobs::JobOut;
use super::maybe_written;
use crate::domain::module::{LIST as FIELDS, Module, ModuleForm};
use crate::http::call::{Answer, Call};
use crate::http::fields::Fields;
use crate::http::route::{Gives, Operation, Takes, schema_of};
use crate::services::{Result, modules};

/// A module: a drupal.org project, or an organization's own code.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModuleOut {
    id: i64,
    module_name: String,
    title: String,
    /// `core`, `module`, `theme`, `profile` or `library`.
    #[serde(rename = "type")]
    kind: String,
    /// `project`, `custom` or `library`.
    origin: String,
    drupal_link: Option<String>,
    /// The project's own status, else how asking for it stands; `custom` for code that isn't there.
    status: String,
    supported_branches: Vec<String>,
    /// Sites in sight that have it.
    sites_count: i64,
    /// Sites in sight that run a version that is exposed.
    exposed_sites_count: i64,
    #[schema(format = DateTime)]
    last_checked_at: Option<String>,
    #[schema(format = DateTime)]
    last_success_at: Option<String>,
    #[schema(format = DateTime)]
    next_check_at: Option<String>,
    /// Why the last question to drupal.org failed.
    last_error: Option<String>,
}

impl From<Module> for ModuleOut {
    fn from(module: Module) -> Self {
        Self {
            id: module.id,
            drupal_link: module.drupal_link(),
            status: module.status().to_owned(),
            module_name: module.name,
            title: module.title,
            kind: module.kind,
            origin: module.origin,
            supported_branches: module.supported_branches,
            sites_count: module.sites_count,
            exposed_sites_count: module.exposed_sites_count,
            last_checked_at: maybe_written(module.last_checked_at),
            last_success_at: maybe_written(module.last_success_at),
            next_check_at: maybe_written(module.next_check_at),
            last_error: module.last_error,
        }
    }
}

/// `GET /modules`.
pub const LIST: Operation = Operation {
    name: "list_modules",
    summary: "The modules that sites in sight run; for the platform administrator all of them",
    takes: Takes::Nothing,
    gives: Gives::Page(&FIELDS, schema_of::<ModuleOut>),
    handler: |call| Box::pin(list(call)),
};

/// `GET /modules/{id}`.
pub const SHOW: Operation = Operation {
    name: "show_module",
    summary: "One module",
    takes: Takes::Nothing,
    gives: Gives::One(schema_of::<ModuleOut>),
    handler: |call| Box::pin(show(call)),
};

/// `POST /modules/{id}/refresh`.
pub const REFRESH: Operation = Operation {
    name: "refresh_module",
    summary: "Ask drupal.org about a module now",
    takes: Takes::Nothing,
    gives: Gives::Accepted(schema_of::<JobOut>),
    handler: |call| Box::pin(refresh(call)),
};

/// What can be sent of a module; in a change, what isn't sent stays.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
#[schema(as = ModuleIn)]
pub struct ModuleIn {
    /// The project's short name on drupal.org. Required when it is added; it can't change.
    #[schema(pattern = "^[a-z][a-z0-9_]{0,127}$")]
    module_name: Option<String>,
    /// At most 255 characters; what drupal.org publishes next replaces it.
    #[schema(min_length = 1, max_length = 255)]
    title: Option<String>,
    /// `module`, `theme` or `profile`; `core` for drupal alone. What drupal.org publishes next replaces it.
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// `POST /modules`.
pub const CREATE: Operation = Operation {
    name: "create_module",
    summary: "Add a drupal.org project to the catalogue; it is asked for at once (platform administrator)",
    takes: Takes::Json(schema_of::<ModuleIn>),
    gives: Gives::Created(schema_of::<ModuleOut>),
    handler: |call| Box::pin(create(call)),
};

/// `PUT /modules/{id}`.
pub const UPDATE: Operation = Operation {
    name: "update_module",
    summary: "Change a module's title or type, until drupal.org publishes something else; what isn't sent stays (platform administrator)",
    takes: Takes::Json(schema_of::<ModuleIn>),
    gives: Gives::One(schema_of::<ModuleOut>),
    handler: |call| Box::pin(update(call)),
};

/// `DELETE /modules/{id}`.
pub const DELETE: Operation = Operation {
    name: "delete_module",
    summary: "Delete a module softly; 409 in_use where a site runs it (platform administrator)",
    takes: Takes::Nothing,
    gives: Gives::Nothing,
    handler: |call| Box::pin(delete(call)),
};

/// `POST /modules/{id}/restore`.
pub const RESTORE: Operation = Operation {
    name: "restore_module",
    summary: "Bring a deleted module back; it is asked for at once (platform administrator)",
    takes: Takes::Nothing,
    gives: Gives::One(schema_of::<ModuleOut>),
    handler: |call| Box::pin(restore(call)),
};

async fn list(call: Call) -> Result<Answer> {
    let page = modules::list(&call.app, call.actor()?, call.query()?).await?;
    Answer::page::<_, ModuleOut>(&FIELDS, page)
}

async fn show(call: Call) -> Result<Answer> {
    let found = modules::find(&call.app, call.actor()?, call.id()?).await?;
    Answer::one(&ModuleOut::from(found))
}

async fn create(mut call: Call) -> Result<Answer> {
    let form = form(call.fields());
    let made = modules::create(&call.app, call.actor()?, &form).await?;
    let location = format!("/api/v1/modules/{}", made.id);
    Answer::created(location, &ModuleOut::from(made))
}

async fn update(mut call: Call) -> Result<Answer> {
    let form = form(call.fields());
    let changed = modules::update(&call.app, call.actor()?, call.id()?, form).await?;
    Answer::one(&ModuleOut::from(changed))
}

async fn delete(call: Call) -> Result<Answer> {
    modules::delete(&call.app, call.actor()?, call.id()?).await?;
    Ok(Answer::Nothing)
}

async fn restore(call: Call) -> Result<Answer> {
    let restored = modules::restore(&call.app, call.actor()?, call.id()?).await?;
    Answer::one(&ModuleOut::from(restored))
}

fn form(mut fields: Fields) -> ModuleForm {
    ModuleForm {
        name: fields.text("module_name"),
        title: fields.text("title"),
        kind: fields.text("type"),
        unreadable: fields.faults(),
    }
}

async fn refresh(call: Call) -> Result<Answer> {
    let job = modules::refresh(&call.app, call.actor()?, call.id()?).await?;
    let location = format!("/api/v1/jobs/{}", job.id);
    Answer::accepted(location, &JobOut::from(job))
}
