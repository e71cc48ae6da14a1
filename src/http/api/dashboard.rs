//! `/dashboard`: the fleet in numbers.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::{maybe_written, written};
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
    /// Open exposures by risk, each cause of its own: `highly_critical` to `not_critical`, and
    /// `unknown`. A level without any is left out.
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
    /// Of those: in time.
    met: i64,
    /// Of those: late.
    breached: i64,
    /// The share in time, 0 to 1; null where nothing was patched.
    compliance: Option<f64>,
}

impl From<Fleet> for OverviewOut {
    fn from(fleet: Fleet) -> Self {
        let (met, breached) = fleet.closed;
        let patched = met + breached;
        let named = |risk: String| {
            if risk.is_empty() {
                "unknown".to_owned()
            } else {
                risk
            }
        };
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
                patched,
                met,
                breached,
                compliance: (patched > 0).then(|| met as f64 / patched as f64),
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
