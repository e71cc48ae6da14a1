//! `/dashboard`: the fleet in numbers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::exposures::ExposureOut;
use super::patch_runs::PatchRunOut;
use super::sites::SiteOut;
use super::{maybe_written, written};
use crate::domain::exposure::Risk;
use crate::domain::figures;
use crate::domain::window::Window;
use crate::http::call::{Answer, Call};
use crate::http::route::{Gives, Operation, Takes, schema_of};
use crate::services::Result;
use crate::services::dashboard::{self, Fleet};

/// The fleet in numbers.
#[derive(Debug, Serialize, ToSchema)]
pub struct OverviewOut {
    sites: OverviewSites,
    exposures: OverviewExposures,
    feed: OverviewFeed,
    syncs: OverviewSyncs,
    month: OverviewMonth,
    /// When this was so: at most a second ago.
    #[schema(format = DateTime)]
    as_of: String,
}

/// Sites by what is to be said of them; one that is silent is counted by its status too.
#[derive(Debug, Serialize, ToSchema)]
pub struct OverviewSites {
    total: i64,
    /// Their status is `not_secure`.
    exposed: i64,
    silent: i64,
    /// Their status is `unknown`, `not_checked` or `pending`.
    unknown: i64,
    /// Their status is `current`, and they are not silent.
    fine: i64,
}

/// Modules with an open exposure, counted on each site, by their earliest due time.
#[derive(Debug, Serialize, ToSchema)]
pub struct OverviewExposures {
    open: i64,
    overdue: i64,
    /// Due within 24 hours.
    due_soon: i64,
    /// The same modules by the worst risk of what is open on them: `highly_critical` to
    /// `not_critical`, and `unknown`. A level without any is left out.
    by_risk: BTreeMap<String, i64>,
}

/// How fresh drupal.org's data is.
#[derive(Debug, Serialize, ToSchema)]
pub struct OverviewFeed {
    #[schema(format = DateTime)]
    last_success_at: Option<String>,
    /// Something that sites stand on is too old to be called fine.
    stale: bool,
}

/// Who reported.
#[derive(Debug, Serialize, ToSchema)]
pub struct OverviewSyncs {
    /// Sites whose inventory was taken within 24 hours.
    last_24h: i64,
    /// Refused syncs, of each site's newest 20.
    refused_24h: i64,
}

/// This month so far (UTC), production sites only.
#[derive(Debug, Serialize, ToSchema)]
pub struct OverviewMonth {
    /// Exposures that a fix closed.
    patched: i64,
    /// Of the exposures due this month: closed in time.
    met: i64,
    /// Of those: closed late.
    breached: i64,
    /// met / (met + breached + overdue) of those, 0 to 1; null where none was to be judged yet.
    compliance: Option<f64>,
}

impl From<Fleet> for OverviewOut {
    fn from(fleet: Fleet) -> Self {
        let named = |risk: Option<Risk>| risk.map_or("unknown", Risk::word).to_owned();
        let by_risk = fleet.exposures.by_risk.into_iter();
        Self {
            sites: OverviewSites {
                total: fleet.sites.total,
                exposed: fleet.sites.exposed,
                silent: fleet.sites.silent,
                unknown: fleet.sites.unknown,
                fine: fleet.sites.fine,
            },
            exposures: OverviewExposures {
                open: fleet.exposures.open,
                overdue: fleet.exposures.overdue,
                due_soon: fleet.exposures.due_soon,
                by_risk: by_risk.map(|(risk, open)| (named(risk), open)).collect(),
            },
            feed: OverviewFeed {
                last_success_at: maybe_written(fleet.feed_read_at),
                stale: fleet.feed_stale,
            },
            syncs: OverviewSyncs {
                last_24h: fleet.heard,
                refused_24h: fleet.refused,
            },
            month: OverviewMonth {
                patched: fleet.patched,
                met: fleet.due.met,
                breached: fleet.due.breached,
                compliance: fleet.due.share(),
            },
            as_of: written(fleet.as_of),
        }
    }
}

/// `GET /dashboard/overview`.
pub const OVERVIEW: Operation = Operation {
    name: "show_overview",
    summary: "The fleet in sight, in numbers",
    takes: Takes::Nothing,
    gives: Gives::One(schema_of::<OverviewOut>),
    handler: |call| Box::pin(overview(call)),
};

async fn overview(call: Call) -> Result<Answer> {
    let fleet = dashboard::overview(&call.app, call.actor()?).await?;
    Answer::one(&OverviewOut::from(fleet))
}

/// What is open in the fleet, and how fast it is closed.
#[derive(Debug, Serialize, ToSchema)]
pub struct SecurityDashboard {
    /// The 50 most urgent, as `GET /exposures` has them.
    open: Vec<ExposureOut>,
    /// The 50 modules with something open on the most sites.
    by_module: Vec<SecurityModule>,
    by_organization: Vec<SecurityOrganization>,
    #[schema(format = DateTime)]
    oldest_opened_at: Option<String>,
    /// Of what a fix closed on production within 90 days, from opened to closed: the middle.
    median_hours_to_patch: Option<f64>,
    /// When this was so: at most a second ago.
    #[schema(format = DateTime)]
    as_of: String,
}

/// A module with open exposures.
#[derive(Debug, Serialize, ToSchema)]
pub struct SecurityModule {
    module_id: i64,
    module: String,
    sites: i64,
    open: i64,
}

/// An organization with open exposures.
#[derive(Debug, Serialize, ToSchema)]
pub struct SecurityOrganization {
    organization_id: i64,
    organization: String,
    open: i64,
    overdue: i64,
}

/// `GET /dashboard/security`.
pub const SECURITY: Operation = Operation {
    name: "show_security",
    summary: "What is open in the fleet in sight, and how fast it is closed",
    takes: Takes::Nothing,
    gives: Gives::One(schema_of::<SecurityDashboard>),
    handler: |call| Box::pin(security(call)),
};

async fn security(call: Call) -> Result<Answer> {
    let found = dashboard::security(&call.app, call.actor()?).await?;
    let now = found.as_of;
    let modules = found.by_module.into_iter();
    let organizations = found.by_organization.into_iter();
    Answer::one(&SecurityDashboard {
        open: as_listed(found.open, now),
        by_module: modules
            .map(|(module_id, module, sites, open)| SecurityModule {
                module_id,
                module,
                sites,
                open,
            })
            .collect(),
        by_organization: organizations
            .map(
                |(organization_id, organization, open, overdue)| SecurityOrganization {
                    organization_id,
                    organization,
                    open,
                    overdue,
                },
            )
            .collect(),
        oldest_opened_at: maybe_written(found.oldest_opened_at),
        median_hours_to_patch: found.median.map(figures::hours),
        as_of: written(now),
    })
}

fn as_listed(windows: Vec<Window>, now: Timestamp) -> Vec<ExposureOut> {
    let all = windows.into_iter();
    all.map(|window| ExposureOut::from((window, now))).collect()
}

/// One site with everything around it.
#[derive(Debug, Serialize, ToSchema)]
pub struct SiteDashboard {
    /// As `GET /sites/{id}` has it.
    site: SiteOut,
    /// Its status.
    status: &'static str,
    /// What is open on it, most urgent first, at most 200.
    exposures: Vec<ExposureOut>,
    modules: SiteDashboardModules,
    /// The 10 newest.
    patch_runs: Vec<PatchRunOut>,
    /// The windows that were open within the last year, at most 5,000: first those that still are, each part
    /// newest first.
    timeline: Vec<TimelineOut>,
    /// When this was so: at most a second ago.
    #[schema(format = DateTime)]
    as_of: String,
}

/// The site's enabled modules.
#[derive(Debug, Serialize, ToSchema)]
pub struct SiteDashboardModules {
    /// By the word of their status; one without any is left out.
    by_status: BTreeMap<&'static str, i64>,
}

/// One window on the timeline.
#[derive(Debug, Serialize, ToSchema)]
pub struct TimelineOut {
    exposure_id: i64,
    module: String,
    /// Null: unknown.
    risk: Option<String>,
    #[schema(format = DateTime)]
    opened_at: String,
    #[schema(format = DateTime)]
    closed_at: Option<String>,
    /// `open`, `overdue`, `met`, `breached`, `withdrawn` or `ended`.
    state: &'static str,
}

/// `GET /dashboard/sites/{id}`.
pub const SITE: Operation = Operation {
    name: "show_site_dashboard",
    summary: "A site with what is open on it, what was done, and its last year",
    takes: Takes::Nothing,
    gives: Gives::One(schema_of::<SiteDashboard>),
    handler: |call| Box::pin(site(call)),
};

async fn site(call: Call) -> Result<Answer> {
    let found = dashboard::site(&call.app, call.actor()?, call.id()?).await?;
    let now = found.as_of;
    let timeline = found.timeline.into_iter().map(|window| TimelineOut {
        exposure_id: window.id,
        state: window.state(now),
        module: window.module,
        risk: window.risk,
        opened_at: written(window.opened_at),
        closed_at: maybe_written(window.closed_at),
    });
    Answer::one(&SiteDashboard {
        status: found.site.status.word(),
        site: found.site.into(),
        exposures: as_listed(found.exposures, now),
        modules: SiteDashboardModules {
            by_status: found.modules.into_iter().collect(),
        },
        patch_runs: found
            .patch_runs
            .into_iter()
            .map(PatchRunOut::from)
            .collect(),
        timeline: timeline.collect(),
        as_of: written(now),
    })
}
