//! `/sites/{id}/modules`: what a site runs.

use serde::Serialize;
use utoipa::ToSchema;

use super::{maybe_written, written};
use crate::domain::compatibility::Compatibility;
use crate::domain::coverage::{Coverage, Requirement};
use crate::domain::exposure::Cause;
use crate::domain::site_module::{Fitting, LIST as FIELDS, SiteModule};
use crate::http::call::{Answer, Call};
use crate::http::route::{Gives, Operation, Takes, schema_of};
use crate::services::{Result, site_modules};

/// One project on a site.
#[derive(Debug, Serialize, ToSchema)]
pub struct SiteModuleOut {
    name: String,
    title: String,
    /// `core`, `module`, `theme`, `profile` or `library`.
    #[serde(rename = "type")]
    kind: String,
    module_id: i64,
    /// The installed version; null: the site could not say.
    installed: Option<String>,
    enabled: bool,
    /// Code that drupal.org doesn't know.
    custom: bool,
    status: &'static str,
    /// Why, where the status alone doesn't say.
    reason: Option<String>,
    /// The release to go to.
    recommended: Option<String>,
    /// The newest release of the major in question.
    latest: Option<String>,
    /// The first release of each newer major.
    also: Vec<String>,
    /// Security releases passed by.
    security_updates: Vec<String>,
    /// Advisories that name the installed version.
    advisories: Vec<String>,
    /// Those of them whose two readings (OSV ranges, composer constraint) disagree.
    disputed_advisories: Vec<String>,
    /// Its Composer name, as the site told it.
    composer: Option<String>,
    components: Vec<String>,
    /// A recommended version differs from the installed one.
    update_available: bool,
    /// Exposed by something that has a fix.
    security_update: bool,
    /// true, false, or null: can't tell.
    exposed: Option<bool>,
    /// What it is exposed by.
    exposed_by: Vec<CauseOut>,
    /// The releases that would end that.
    fixed_in: Vec<String>,
    /// Whether the releases named above work with the site's core.
    core_compatibility: Vec<CompatibilityOut>,
    /// For core: until when it gets security releases.
    security_coverage: Option<CoverageOut>,
    /// When drupal.org last gave a good answer about it.
    #[schema(format = DateTime)]
    checked_at: Option<String>,
    current_version_id: i64,
    #[schema(format = DateTime)]
    first_seen_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
}

/// Why something is exposed.
#[derive(Debug, Serialize, ToSchema)]
pub struct CauseOut {
    /// `release`, `advisory` or `project`.
    kind: &'static str,
    /// The fixing release, the advisory's id, or the project's name.
    id: String,
}

impl From<Cause> for CauseOut {
    fn from(cause: Cause) -> Self {
        Self {
            kind: cause.kind.word(),
            id: cause.id,
        }
    }
}

/// Whether a release works with the site's core.
#[derive(Debug, Serialize, ToSchema)]
pub struct CompatibilityOut {
    /// The release.
    version: String,
    /// It works with the installed core.
    compatible: bool,
    /// The versions of core that it works with, from the installed one on.
    works_with: String,
}

impl From<Compatibility> for CompatibilityOut {
    fn from(found: Compatibility) -> Self {
        Self {
            version: found.version,
            compatible: found.compatible,
            works_with: found.works_with,
        }
    }
}

/// Until when a version of core gets security releases.
#[derive(Debug, Serialize, ToSchema)]
pub struct CoverageOut {
    /// The release with which coverage ends.
    ends_with: Option<String>,
    /// The first day, or month, without coverage: `YYYY-MM-DD` or `YYYY-MM`.
    ends_on: Option<String>,
    /// What that means today, in words.
    summary: String,
    /// `info`, `warning` or `error`.
    severity: &'static str,
}

impl From<(Coverage, Requirement)> for CoverageOut {
    fn from((coverage, requirement): (Coverage, Requirement)) -> Self {
        let (ends_with, ends_on) = match coverage {
            Coverage::Window { end_version, .. } => (Some(end_version), None),
            Coverage::Dates { end, .. } => (None, Some(end.to_owned())),
        };
        Self {
            ends_with,
            ends_on,
            summary: requirement.value,
            severity: requirement.severity.as_str(),
        }
    }
}

impl From<(SiteModule, Fitting)> for SiteModuleOut {
    fn from((module, fitting): (SiteModule, Fitting)) -> Self {
        let (update_available, security_update) =
            (module.update_available(), module.security_update());
        let judgement = &module.judgement;
        let (exposed, fixed_in) = (judgement.exposed(), judgement.fixed_in());
        let exposed_by = judgement.causes(&module.name);
        let status = module.standing().word();
        let reason = judgement.reason.clone();
        let ids = |disputed: bool| -> Vec<String> {
            let found = judgement.advisories.iter();
            found
                .filter(|found| found.disputed || !disputed)
                .map(|found| found.id.clone())
                .collect()
        };
        let (advisories, disputed_advisories) = (ids(false), ids(true));
        let assessment = module.judgement.assessment;
        let also = assessment.iter().flat_map(|verdict| &verdict.also);
        Self {
            name: module.name,
            title: module.title,
            kind: module.kind,
            module_id: module.module_id,
            installed: module.installed,
            enabled: module.enabled,
            custom: module.custom,
            status,
            reason,
            also: also.map(|(_, version)| version.clone()).collect(),
            recommended: assessment
                .as_ref()
                .and_then(|verdict| verdict.recommended.clone()),
            latest: assessment
                .as_ref()
                .and_then(|verdict| verdict.latest.clone()),
            security_updates: assessment
                .map(|verdict| verdict.security_updates)
                .unwrap_or_default(),
            advisories,
            disputed_advisories,
            composer: module.composer.filter(|name| !name.is_empty()),
            components: module.components,
            update_available,
            security_update,
            exposed,
            exposed_by: exposed_by.into_iter().map(CauseOut::from).collect(),
            fixed_in,
            core_compatibility: fitting
                .compatibility
                .into_iter()
                .map(CompatibilityOut::from)
                .collect(),
            security_coverage: fitting.coverage.map(CoverageOut::from),
            checked_at: maybe_written(module.checked_at),
            current_version_id: module.version_id,
            first_seen_at: written(module.first_seen_at),
            updated_at: written(module.updated_at),
        }
    }
}

/// `GET /sites/{id}/modules`.
pub const LIST: Operation = Operation {
    name: "list_site_modules",
    summary: "What a site runs, each project with its verdict",
    takes: Takes::Nothing,
    gives: Gives::Page(&FIELDS, schema_of::<SiteModuleOut>),
    handler: |call| Box::pin(list(call)),
};

async fn list(call: Call) -> Result<Answer> {
    let page = site_modules::list(&call.app, call.actor()?, call.id()?, call.query()?).await?;
    Answer::page::<_, SiteModuleOut>(&FIELDS, page)
}
