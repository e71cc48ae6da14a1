//! `/exposures/{id}/events`: what happened to a window while it was open.

use serde::Serialize;
use utoipa::ToSchema;

use super::written;
use crate::domain::exposure_event::{ExposureEvent, LIST as FIELDS};
use crate::http::call::{Answer, Call};
use crate::http::route::{Gives, Operation, Takes, schema_of};
use crate::services::{Result, clocks};

/// One thing that happened to a window.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExposureEventOut {
    id: i64,
    exposure_id: i64,
    /// `half`, `three_quarters` or `due`: so much of the promised time had passed. `assigned`,
    /// `acknowledged`, `snoozed` or `woken`: what people did with it.
    kind: String,
    /// The instant itself, however late it was noticed.
    #[schema(format = DateTime)]
    at: String,
    #[schema(format = DateTime)]
    noticed_at: String,
    /// The name of whoever did it; null: the clock.
    by: Option<String>,
    note: String,
}

impl From<ExposureEvent> for ExposureEventOut {
    fn from(event: ExposureEvent) -> Self {
        Self {
            id: event.id,
            exposure_id: event.exposure_id,
            kind: event.kind,
            at: written(event.at),
            noticed_at: written(event.noticed_at),
            by: event.by,
            note: event.note,
        }
    }
}

/// `GET /exposures/{id}/events`.
pub const LIST: Operation = Operation {
    name: "list_exposure_events",
    summary: "What happened to an exposure, in order: half, three quarters and all of the promised time passed, people took it in hand",
    takes: Takes::Nothing,
    gives: Gives::Page(&FIELDS, schema_of::<ExposureEventOut>),
    handler: |call| Box::pin(list(call)),
};

async fn list(call: Call) -> Result<Answer> {
    let page = clocks::events(&call.app, call.actor()?, call.id()?, call.query()?).await?;
    Answer::page::<_, ExposureEventOut>(&FIELDS, page)
}
