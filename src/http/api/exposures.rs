//! Exposures: every window in which a site ran something with a known security fix outstanding.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::site_modules::CauseOut;
use super::{maybe_written, written};
use crate::domain::fault::Fault;
use crate::domain::window::{LIST as FIELDS, Window};
use crate::http::call::{Answer, Call};
use crate::http::route::{Gives, Operation, Takes, schema_of};
use crate::services::{Result, exposures, in_hand};

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
    /// The organization's name.
    organization: String,
    /// Who has it in hand; null: nobody.
    assignee: Option<AssigneeOut>,
    #[schema(format = DateTime)]
    assigned_at: Option<String>,
    /// When somebody said that it was seen.
    #[schema(format = DateTime)]
    acknowledged_at: Option<String>,
    /// Until when it is put aside, or was. It is open, due and counted all the same.
    #[schema(format = DateTime)]
    snoozed_until: Option<String>,
    snooze_reason: Option<String>,
    /// The version of core that the site runs now.
    site_core: Option<String>,
    /// The versions of core that the fix takes, where the site's is none of them; null: nothing stands in the way.
    needs_core: Option<String>,
    /// The lowest supported version of core that takes the fix, where core must be raised first; null: none does,
    /// or none must.
    core_to: Option<String>,
}

/// A person who has an exposure in hand.
#[derive(Debug, Serialize, ToSchema)]
pub struct AssigneeOut {
    id: i64,
    name: String,
}

/// Who is to have an exposure in hand.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct AssignmentIn {
    /// A person who sees the site; null: nobody.
    user_id: Option<i64>,
}

/// What is said of an exposure that was seen.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct AcknowledgementIn {
    #[schema(max_length = 500)]
    note: Option<String>,
}

/// Until when an exposure is put aside, and why.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct SnoozeIn {
    /// Within 90 days; null: it is taken up again.
    #[schema(format = DateTime)]
    until: Option<String>,
    /// Required where there is an end.
    #[schema(max_length = 500)]
    reason: Option<String>,
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
            organization: window.organization,
            assignee: window.assignee.map(|person| AssigneeOut {
                id: person.id,
                name: person.name,
            }),
            assigned_at: maybe_written(window.assigned_at),
            acknowledged_at: maybe_written(window.acknowledged_at),
            snoozed_until: maybe_written(window.snoozed_until),
            snooze_reason: window.snooze_reason,
            site_core: window.site_core,
            core_to: window
                .needs_core
                .as_ref()
                .and_then(|need| need.core_to.clone()),
            needs_core: window.needs_core.map(|need| need.constraint),
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

/// `POST /exposures/{id}/assign`.
pub const ASSIGN: Operation = Operation {
    name: "assign_exposure",
    summary: "Give an exposure to a person who sees its site, or to nobody; it stays open, due and counted",
    takes: Takes::Json(schema_of::<AssignmentIn>),
    gives: Gives::One(schema_of::<ExposureOut>),
    handler: |call| Box::pin(assign(call)),
};

/// `POST /exposures/{id}/acknowledge`.
pub const ACKNOWLEDGE: Operation = Operation {
    name: "acknowledge_exposure",
    summary: "Say that an exposure was seen; it stays open, due and counted",
    takes: Takes::MaybeJson(schema_of::<AcknowledgementIn>),
    gives: Gives::One(schema_of::<ExposureOut>),
    handler: |call| Box::pin(acknowledge(call)),
};

/// `POST /exposures/{id}/snooze`.
pub const SNOOZE: Operation = Operation {
    name: "snooze_exposure",
    summary: "Put an exposure aside until a time, for a reason, or take it up again (until: null); it stays open, due and counted",
    takes: Takes::Json(schema_of::<SnoozeIn>),
    gives: Gives::One(schema_of::<ExposureOut>),
    handler: |call| Box::pin(snooze(call)),
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

async fn assign(mut call: Call) -> Result<Answer> {
    let mut fields = call.fields();
    let said = fields.has("user_id");
    let user = fields.integer("user_id");
    let missing = Fault::new("/user_id", "required", "Say who, or null for nobody.");
    fields.finish((!said).then_some(missing).into_iter().collect())?;
    let window = in_hand::assign(&call.app, call.actor()?, call.id()?, user).await?;
    after(&call, window)
}

async fn acknowledge(mut call: Call) -> Result<Answer> {
    let mut fields = call.fields();
    let note = fields.text("note").unwrap_or_default();
    fields.finish(Vec::new())?;
    let window = in_hand::acknowledge(&call.app, call.actor()?, call.id()?, &note).await?;
    after(&call, window)
}

async fn snooze(mut call: Call) -> Result<Answer> {
    let mut fields = call.fields();
    let said = fields.has("until");
    let until = fields.text("until");
    let reason = fields.text("reason").unwrap_or_default();
    let missing = Fault::new(
        "/until",
        "required",
        "Say until when, or null to take it up again.",
    );
    fields.finish((!said).then_some(missing).into_iter().collect())?;
    let (app, actor, id) = (&call.app, call.actor()?, call.id()?);
    let window = in_hand::snooze(app, actor, id, until.as_deref(), &reason).await?;
    after(&call, window)
}

fn after(call: &Call, window: Window) -> Result<Answer> {
    let at = format!("/api/v1/exposures/{}", window.id);
    Ok(Answer::one(&ExposureOut::from((window, call.app.clock.now())))?.located(at))
}
