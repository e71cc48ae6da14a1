//! Exposures: every window in which a site ran something with a known security fix outstanding.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::site_modules::CauseOut;
use super::{maybe_written, written};
use crate::domain::window::{LIST as FIELDS, Window};
use crate::http::call::{Answer, Call};
use crate::http::route::{Gives, Operation, Takes, schema_of};
use crate::services::{Result, exposures};

/// One window.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExposureOut {
    id: i64,
    organization_id: i64,
    site_id: i64,
    /// The site's name.
    site: String,
    environment: String,
    module_id: i64,
    /// The module's name.
    module: String,
    /// The newest affected version of the window.
    installed: Option<String>,
    cause: CauseOut,
    /// `open`, `overdue`, `met`, `breached`, `withdrawn` or `ended`.
    state: &'static str,
    /// Nothing fixes it yet.
    no_fix: bool,
    fixed_in: Vec<String>,
    /// Drupal's risk level; null: unknown.
    risk: Option<String>,
    advisories: Vec<String>,
    #[schema(format = DateTime)]
    published_at: Option<String>,
    #[schema(format = DateTime)]
    opened_at: String,
    #[schema(format = DateTime)]
    known_at: String,
    #[schema(format = DateTime)]
    due_at: Option<String>,
    #[schema(format = DateTime)]
    unproven_since: Option<String>,
    #[schema(format = DateTime)]
    closed_at: Option<String>,
    closed_by_patch_run_id: Option<i64>,
}

impl From<(Window, Timestamp)> for ExposureOut {
    fn from((window, now): (Window, Timestamp)) -> Self {
        let state = window.state(now);
        Self {
            id: window.id,
            organization_id: window.organization_id,
            site_id: window.site_id,
            site: window.site,
            environment: window.environment,
            module_id: window.module_id,
            module: window.module,
            installed: window.installed,
            cause: window.cause.into(),
            state,
            no_fix: window.no_fix,
            fixed_in: window.fixed_in,
            risk: window.risk,
            advisories: window.advisories,
            published_at: maybe_written(window.published_at),
            opened_at: written(window.opened_at),
            known_at: written(window.known_at),
            due_at: maybe_written(window.due_at),
            unproven_since: maybe_written(window.unproven_since),
            closed_at: maybe_written(window.closed_at),
            closed_by_patch_run_id: window.closed_by_patch_run_id,
        }
    }
}

/// `GET /exposures`.
pub const LIST: Operation = Operation {
    name: "list_exposures",
    summary: "The exposures of the sites in sight; filter[state]=open means open or overdue",
    takes: Takes::Nothing,
    gives: Gives::Page(&FIELDS, schema_of::<ExposureOut>),
    handler: |call| Box::pin(list(call, false)),
};

/// `GET /sites/{id}/exposures`.
pub const LIST_OF_SITE: Operation = Operation {
    name: "list_site_exposures",
    summary: "The exposures of a site; filter[state]=open means open or overdue",
    takes: Takes::Nothing,
    gives: Gives::Page(&FIELDS, schema_of::<ExposureOut>),
    handler: |call| Box::pin(list(call, true)),
};

/// `GET /exposures/{id}`.
pub const SHOW: Operation = Operation {
    name: "show_exposure",
    summary: "One exposure",
    takes: Takes::Nothing,
    gives: Gives::One(schema_of::<ExposureOut>),
    handler: |call| Box::pin(show(call)),
};

async fn list(call: Call, of_site: bool) -> Result<Answer> {
    let site = if of_site { Some(call.id()?) } else { None };
    let page = exposures::list(&call.app, call.actor()?, site, call.query()?).await?;
    let now = call.app.clock.now();
    Answer::page::<_, ExposureOut>(&FIELDS, page.map(|window| (window, now)))
}

async fn show(call: Call) -> Result<Answer> {
    let found = exposures::find(&call.app, call.actor()?, call.id()?).await?;
    let site = format!("/api/v1/sites/{}", found.site_id);
    Ok(Answer::one(&ExposureOut::from((found, call.app.clock.now())))?.link("site", site))
}
