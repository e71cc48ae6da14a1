//! `/modules/{id}/versions` and `/modules/{id}/sites`: what there is of a module, and who runs it.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::maybe_written;
use crate::domain::affected_site::{AffectedSite, LIST as SITES};
use crate::domain::module_version::{LIST as VERSIONS, ModuleVersion};
use crate::http::call::{Answer, Call};
use crate::http::route::{Gives, Operation, Takes, schema_of};
use crate::services::{Result, modules};

/// A version of a module: released by drupal.org, or merely seen on a site.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModuleVersionOut {
    /// Null: sites could not say which.
    version_number: Option<String>,
    #[schema(format = DateTime)]
    release_date: Option<String>,
    is_security_update: bool,
    is_insecure: bool,
    is_supported: bool,
    /// drupal.org lists it.
    is_listed: bool,
    /// The status of a site's module at this version.
    status: &'static str,
    /// Why, where the status alone doesn't say.
    reason: Option<String>,
    /// Null: can't tell.
    exposed: Option<bool>,
    /// Sites in sight that have it.
    sites_count: i64,
}

impl From<ModuleVersion> for ModuleVersionOut {
    fn from(version: ModuleVersion) -> Self {
        Self {
            version_number: version.version_number,
            release_date: maybe_written(version.release_date),
            is_security_update: version.is_security_update,
            is_insecure: version.is_insecure,
            is_supported: version.is_supported,
            is_listed: version.is_listed,
            status: version.status.word(),
            reason: version.reason,
            exposed: version.exposed,
            sites_count: version.sites_count,
        }
    }
}

/// A site that a module or an advisory concerns.
#[derive(Debug, Serialize, ToSchema)]
pub struct AffectedSiteOut {
    site_id: i64,
    /// The site's name.
    site: String,
    organization_id: i64,
    /// The organization's name.
    organization: String,
    environment: String,
    /// The module's name.
    module: String,
    /// Null: the site could not say.
    installed: Option<String>,
    enabled: bool,
    /// Null: can't tell.
    exposed: Option<bool>,
    /// `open`, `overdue`, `met`, `breached`, `withdrawn` or `ended`: of the open window that is due
    /// first, else of the newest; null: it never had one.
    state: Option<&'static str>,
    fixed_in: Vec<String>,
    #[schema(format = DateTime)]
    opened_at: Option<String>,
    #[schema(format = DateTime)]
    due_at: Option<String>,
    #[schema(format = DateTime)]
    closed_at: Option<String>,
}

impl From<(AffectedSite, Timestamp)> for AffectedSiteOut {
    fn from((site, now): (AffectedSite, Timestamp)) -> Self {
        let state = site.state(now);
        let window = site.window.as_ref();
        Self {
            state,
            opened_at: maybe_written(window.map(|window| window.opened_at)),
            due_at: maybe_written(window.and_then(|window| window.due_at)),
            closed_at: maybe_written(window.and_then(|window| window.closed_at)),
            site_id: site.site_id,
            site: site.site,
            organization_id: site.organization_id,
            organization: site.organization,
            environment: site.environment,
            module: site.module,
            installed: site.installed,
            enabled: site.enabled,
            exposed: site.exposed,
            fixed_in: site.fixed_in,
        }
    }
}

/// `GET /modules/{id}/versions`.
pub const LIST: Operation = Operation {
    name: "list_module_versions",
    summary: "The versions of a module in the release history's order, then those that sites run and it doesn't list",
    takes: Takes::Nothing,
    gives: Gives::Page(&VERSIONS, schema_of::<ModuleVersionOut>),
    handler: |call| Box::pin(list(call)),
};

/// `GET /modules/{id}/sites`.
pub const RUN_BY: Operation = Operation {
    name: "list_module_sites",
    summary: "The sites in sight that run a module; filter[state]=open means open or overdue",
    takes: Takes::Nothing,
    gives: Gives::Page(&SITES, schema_of::<AffectedSiteOut>),
    handler: |call| Box::pin(run_by(call)),
};

async fn list(call: Call) -> Result<Answer> {
    let page = modules::versions(&call.app, call.actor()?, call.id()?, call.query()?).await?;
    Answer::page::<_, ModuleVersionOut>(&VERSIONS, page)
}

async fn run_by(call: Call) -> Result<Answer> {
    let page = modules::sites(&call.app, call.actor()?, call.id()?, call.query()?).await?;
    let now = call.app.clock.now();
    Answer::page::<_, AffectedSiteOut>(&SITES, page.map(|site| (site, now)))
}
