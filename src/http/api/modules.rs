//! `/modules`: the catalogue, counted over the sites in sight.

use serde::Serialize;
use utoipa::ToSchema;

use super::jobs::JobOut;
use super::maybe_written;
use crate::domain::module::{LIST as FIELDS, Module};
use crate::http::call::{Answer, Call};
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

async fn list(call: Call) -> Result<Answer> {
    let page = modules::list(&call.app, call.actor()?, call.query()?).await?;
    Answer::page::<_, ModuleOut>(&FIELDS, page)
}

async fn show(call: Call) -> Result<Answer> {
    let found = modules::find(&call.app, call.actor()?, call.id()?).await?;
    Answer::one(&ModuleOut::from(found))
}

async fn refresh(call: Call) -> Result<Answer> {
    let job = modules::refresh(&call.app, call.actor()?, call.id()?).await?;
    let location = format!("/api/v1/jobs/{}", job.id);
    Answer::accepted(location, &JobOut::from(job))
}
