//! `/advisories`: what drupal.org's security team says, and whom it hits.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{maybe_written, written};
use crate::domain::advisory::shown::{AFFECTED, Affected, LIST as FIELDS, Shown};
use crate::http::call::{Answer, Call};
use crate::http::route::{Gives, Operation, Takes, schema_of};
use crate::services::Result;
use crate::services::advisories::{self, Certainty};

/// A security advisory.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdvisoryOut {
    /// Such as `SA-CONTRIB-2025-125`.
    id: String,
    title: String,
    /// The project's short name; empty: about none.
    module: String,
    /// The project's number here, where it is known.
    module_id: Option<i64>,
    /// The kind of hole, such as "Cross site scripting"; may be empty.
    kind: String,
    /// An announcement: shown, never matched against sites.
    psa: bool,
    risk: AdvisoryRiskOut,
    cves: Vec<String>,
    #[schema(format = DateTime)]
    published_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
    /// Since when Dewline knows it.
    #[schema(format = DateTime)]
    known_at: String,
    /// Since when it is known to be taken back.
    #[schema(format = DateTime)]
    withdrawn_at: Option<String>,
    /// A composer constraint, as stated.
    affected_versions: Option<String>,
    fixed_in: Vec<String>,
    url: String,
    /// Sites in sight with an open window that it explains. Others may be affected, too: `GET /advisories/{id}`
    /// says what limits this.
    affected_sites_count: i64,
}

/// One security advisory, with what limits the answer to whom it hits. That no site is listed is an
/// all-clear only where `none_is_proven` is true.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdvisoryDetailOut {
    #[serde(flatten)]
    advisory: AdvisoryOut,
    /// Sites in sight on versions that it can't be compared with, because it states no affected versions or
    /// they can't be read: nobody can tell whether they are affected.
    unclear_sites_count: i64,
    /// Silent sites in sight that run its project, by what they said last: what runs there now isn't known.
    silent_sites_count: i64,
    /// Its project's versions were just judged anew, and some sites have not been gone through yet.
    telling: bool,
    /// What drupal.org said of its project, or in its advisories, is too old to call anything fine, or was
    /// never heard.
    stale: bool,
    /// No site in sight is affected, and that is proven: every site was heard of within a day, every version
    /// in use was compared, and nothing is stale, silent or still to be told. False for an announcement.
    none_is_proven: bool,
}

impl From<(Shown, Certainty)> for AdvisoryDetailOut {
    fn from((shown, certainty): (Shown, Certainty)) -> Self {
        Self {
            advisory: shown.into(),
            unclear_sites_count: certainty.unclear,
            silent_sites_count: certainty.silent,
            telling: certainty.telling,
            stale: certainty.stale,
            none_is_proven: certainty.none_is_proven,
        }
    }
}

/// How bad an advisory is.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdvisoryRiskOut {
    /// 0 to 25; null: unknown.
    score: Option<u8>,
    /// drupal.org's level; null: unknown.
    level: Option<String>,
    /// drupal.org's vector.
    vector: Option<String>,
}

impl From<Shown> for AdvisoryOut {
    fn from(shown: Shown) -> Self {
        Self {
            id: shown.id,
            title: shown.title,
            module: shown.project,
            module_id: shown.module_id,
            kind: shown.kind,
            psa: shown.psa,
            risk: AdvisoryRiskOut {
                score: shown.score,
                level: shown.risk,
                vector: shown.vector,
            },
            cves: shown.cves,
            published_at: written(shown.published_at),
            updated_at: written(shown.updated_at),
            known_at: written(shown.known_at),
            withdrawn_at: maybe_written(shown.withdrawn_at),
            affected_versions: shown.affected_versions,
            fixed_in: shown.fixed_in,
            url: shown.url,
            affected_sites_count: shown.affected_sites_count,
        }
    }
}

/// A site that an advisory hit: one window in which it ran a version that the advisory names.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdvisorySiteOut {
    exposure_id: i64,
    site_id: i64,
    /// The site's name.
    site: String,
    organization_id: i64,
    /// The organization's name.
    organization: String,
    environment: String,
    module: String,
    /// The newest affected version of the window.
    installed: Option<String>,
    /// Whether the site is exposed by it now; null: can't tell.
    exposed: Option<bool>,
    /// `open`, `overdue`, `met`, `breached`, `withdrawn` or `ended`.
    state: &'static str,
    fixed_in: Vec<String>,
    #[schema(format = DateTime)]
    opened_at: String,
    #[schema(format = DateTime)]
    due_at: Option<String>,
    #[schema(format = DateTime)]
    closed_at: Option<String>,
}

impl From<(Affected, Timestamp)> for AdvisorySiteOut {
    fn from((affected, now): (Affected, Timestamp)) -> Self {
        let exposed = affected.exposed();
        let window = affected.window;
        Self {
            exposure_id: window.id,
            site_id: window.site_id,
            state: window.state(now),
            site: window.site,
            organization_id: window.organization_id,
            organization: affected.organization,
            environment: window.environment,
            module: window.module,
            installed: window.installed,
            exposed,
            fixed_in: window.fixed_in,
            opened_at: written(window.opened_at),
            due_at: maybe_written(window.due_at),
            closed_at: maybe_written(window.closed_at),
        }
    }
}

/// `GET /advisories`.
pub const LIST: Operation = Operation {
    name: "list_advisories",
    summary: "The security advisories about modules in sight, newest first",
    takes: Takes::Nothing,
    gives: Gives::Page(&FIELDS, schema_of::<AdvisoryOut>),
    handler: |call| Box::pin(list(call)),
};

/// `GET /advisories/{id}`.
pub const SHOW: Operation = Operation {
    name: "show_advisory",
    summary: "One security advisory, and how much is known of whom it hits",
    takes: Takes::Nothing,
    gives: Gives::One(schema_of::<AdvisoryDetailOut>),
    handler: |call| Box::pin(show(call)),
};

/// `GET /advisories/{id}/sites`.
pub const SITES: Operation = Operation {
    name: "list_advisory_sites",
    summary: "The sites that an advisory hits or hit, most urgent first; filter[state]=open means open or overdue. An empty list is an all-clear only where the advisory says none_is_proven",
    takes: Takes::Nothing,
    gives: Gives::Page(&AFFECTED, schema_of::<AdvisorySiteOut>),
    handler: |call| Box::pin(sites(call)),
};

async fn list(call: Call) -> Result<Answer> {
    let page = advisories::list(&call.app, call.actor()?, call.query()?).await?;
    Answer::page::<_, AdvisoryOut>(&FIELDS, page)
}

async fn show(call: Call) -> Result<Answer> {
    let found = advisories::find(&call.app, call.actor()?, call.id()?).await?;
    let certainty = advisories::certainty(&call.app, call.actor()?, found.number).await?;
    let sites = format!("/api/v1/advisories/{}/sites", found.id);
    Ok(Answer::one(&AdvisoryDetailOut::from((found, certainty)))?.link("sites", sites))
}

async fn sites(call: Call) -> Result<Answer> {
    let now = call.app.clock.now();
    let page = advisories::affected(&call.app, call.actor()?, call.id()?, call.query()?).await?;
    Answer::page::<_, AdvisorySiteOut>(&AFFECTED, page.map(|affected| (affected, now)))
}
