//! Patch runs: what was done, and what it fixed.

use serde::Serialize;
use utoipa::ToSchema;

use super::written;
use crate::domain::history::{PATCH_RUNS, PatchRun};
use crate::http::call::{Answer, Call};
use crate::http::route::{Gives, Operation, Takes, schema_of};
use crate::services::{Result, history};

/// A sync that raised or lowered versions.
#[derive(Debug, Serialize, ToSchema)]
pub struct PatchRunOut {
    id: i64,
    site_id: i64,
    /// The site's name.
    site: String,
    #[schema(format = DateTime)]
    run_date: String,
    modules_updated: i64,
    modules_downgraded: i64,
    security_patches_applied: i64,
    changes: Vec<ChangeOut>,
    sync_id: i64,
}

/// One module in a patch run.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeOut {
    module: String,
    from: Option<String>,
    to: Option<String>,
    /// `updated` or `downgraded`.
    kind: String,
}

impl From<PatchRun> for PatchRunOut {
    fn from(run: PatchRun) -> Self {
        let changes = run.changes.into_iter().map(|change| ChangeOut {
            module: change.module,
            from: change.from,
            to: change.to,
            kind: change.kind,
        });
        Self {
            id: run.id,
            site_id: run.site_id,
            site: run.site,
            run_date: written(run.run_at),
            modules_updated: run.modules_updated,
            modules_downgraded: run.modules_downgraded,
            security_patches_applied: run.security_patches_applied,
            changes: changes.collect(),
            sync_id: run.sync_id,
        }
    }
}

/// `GET /patch-runs`.
pub const LIST: Operation = Operation {
    name: "list_patch_runs",
    summary: "The patch runs of the sites in sight, newest first",
    takes: Takes::Nothing,
    gives: Gives::Page(&PATCH_RUNS, schema_of::<PatchRunOut>),
    handler: |call| Box::pin(list(call, false)),
};

/// `GET /sites/{id}/patch-runs`.
pub const LIST_OF_SITE: Operation = Operation {
    name: "list_site_patch_runs",
    summary: "The patch runs of a site, newest first",
    takes: Takes::Nothing,
    gives: Gives::Page(&PATCH_RUNS, schema_of::<PatchRunOut>),
    handler: |call| Box::pin(list(call, true)),
};

/// `GET /patch-runs/{id}`.
pub const SHOW: Operation = Operation {
    name: "show_patch_run",
    summary: "One patch run",
    takes: Takes::Nothing,
    gives: Gives::One(schema_of::<PatchRunOut>),
    handler: |call| Box::pin(show(call)),
};

async fn list(call: Call, of_site: bool) -> Result<Answer> {
    let site = if of_site { Some(call.id()?) } else { None };
    let page = history::patch_runs(&call.app, call.actor()?, site, call.query()?).await?;
    Answer::page::<_, PatchRunOut>(&PATCH_RUNS, page)
}

async fn show(call: Call) -> Result<Answer> {
    let found = history::patch_run(&call.app, call.actor()?, call.id()?).await?;
    Answer::one(&PatchRunOut::from(found))
}
