//! Patch runs: what was done, and what it fixed.

use serde::Serialize;
use utoipa::ToSchema;

use super::{maybe_written, written};
use crate::domain::announcement::AnnouncementForm;
use crate::domain::history::{Announced, PATCH_RUNS, PatchRun};
use crate::http::call::{Answer, Call};
use crate::http::route::{Gives, Operation, Takes, schema_of};
use crate::services::{Result, history, patch_runs};

/// What was done with modules on a site: versions raised or lowered, shown by its inventory; or whatever an
/// inventory shows of a run that was announced.
#[derive(Debug, Serialize, ToSchema)]
pub struct PatchRunOut {
    id: i64,
    site_id: i64,
    /// The site's name.
    site: String,
    /// When the inventory that shows it arrived; while it is only claimed, when it was started.
    #[schema(format = DateTime)]
    run_date: String,
    modules_updated: i64,
    modules_downgraded: i64,
    security_patches_applied: i64,
    changes: Vec<ChangeOut>,
    /// The sync that shows it; null: it is only claimed.
    sync_id: Option<i64>,
    /// `claimed`: announced, and no inventory shows it yet. `proved`: announced and shown by one.
    /// `unattributed`: shown by an inventory, announced by nobody.
    state: &'static str,
    /// What was said of it; null: nobody announced it.
    announced: Option<AnnouncedOut>,
}

/// What was said of a patch run.
#[derive(Debug, Serialize, ToSchema)]
pub struct AnnouncedOut {
    /// The name of the person or the key who said it.
    by: String,
    performed_by: Option<String>,
    ticket: Option<String>,
    commit: Option<String>,
    #[schema(format = DateTime)]
    started_at: String,
    #[schema(format = DateTime)]
    finished_at: Option<String>,
    /// When it was said.
    #[schema(format = DateTime)]
    at: String,
}

/// What a deploy script says of a patch run.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct AnnouncementIn {
    site_id: i64,
    /// Who did it.
    #[schema(max_length = 200)]
    performed_by: Option<String>,
    /// The ticket for which it was done.
    #[schema(max_length = 200)]
    ticket: Option<String>,
    /// The commit that was brought out.
    #[schema(max_length = 200)]
    commit: Option<String>,
    /// At most 90 days ago.
    #[schema(format = DateTime)]
    started_at: String,
    /// Not before its start.
    #[schema(format = DateTime)]
    finished_at: Option<String>,
}

/// One module in a patch run.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeOut {
    module: String,
    from: Option<String>,
    to: Option<String>,
    /// `updated` or `downgraded`, and what else its inventory changed: `installed`, `removed`, `enabled`, `disabled`.
    kind: String,
}

impl From<PatchRun> for PatchRunOut {
    fn from(run: PatchRun) -> Self {
        let state = run.state();
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
            state,
            announced: run.announced.map(AnnouncedOut::from),
        }
    }
}

impl From<Announced> for AnnouncedOut {
    fn from(said: Announced) -> Self {
        Self {
            by: said.by,
            performed_by: said.performed_by,
            ticket: said.ticket,
            commit: said.commit,
            started_at: written(said.started_at),
            finished_at: maybe_written(said.finished_at),
            at: written(said.at),
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

/// `POST /patch-runs`.
pub const ANNOUNCE: Operation = Operation {
    name: "announce_patch_run",
    summary: "Announce a patch run, as a deploy script does with the site's key or its organization's; it is claimed until an inventory proves it, and closes no exposure before. The first inventory after its end proves it by any change: versions, and modules that were installed, removed, enabled or disabled",
    takes: Takes::Json(schema_of::<AnnouncementIn>),
    gives: Gives::Created(schema_of::<PatchRunOut>),
    handler: |call| Box::pin(announce(call)),
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

async fn announce(mut call: Call) -> Result<Answer> {
    let mut fields = call.fields();
    let form = AnnouncementForm {
        site_id: fields.integer("site_id"),
        performed_by: fields.text("performed_by"),
        ticket: fields.text("ticket"),
        commit: fields.text("commit"),
        started_at: fields.text("started_at"),
        finished_at: fields.text("finished_at"),
        unreadable: fields.faults(),
    };
    let run = patch_runs::announce(&call.app, call.actor()?, form).await?;
    let location = format!("/api/v1/patch-runs/{}", run.id);
    Answer::created(location, &PatchRunOut::from(run))
}
