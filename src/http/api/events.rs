//! `/sites/{id}/events`: every difference between two inventories of a site.

use serde::Serialize;
use utoipa::ToSchema;

use super::written;
use crate::domain::history::{EVENTS, Event};
use crate::http::call::{Answer, Call};
use crate::http::route::{Gives, Operation, Takes, schema_of};
use crate::services::{Result, history};

/// One difference between two inventories of a site.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventOut {
    id: i64,
    site_id: i64,
    sync_id: i64,
    #[schema(format = DateTime)]
    occurred_at: String,
    /// `installed`, `updated`, `downgraded`, `removed`, `enabled` or `disabled`.
    kind: String,
    module_id: i64,
    module: String,
    from: Option<String>,
    to: Option<String>,
}

impl From<Event> for EventOut {
    fn from(event: Event) -> Self {
        Self {
            id: event.id,
            site_id: event.site_id,
            sync_id: event.sync_id,
            occurred_at: written(event.occurred_at),
            kind: event.kind,
            module_id: event.module_id,
            module: event.module,
            from: event.from,
            to: event.to,
        }
    }
}

/// `GET /sites/{id}/events`.
pub const LIST: Operation = Operation {
    name: "list_events",
    summary: "What changed on a site, newest first",
    takes: Takes::Nothing,
    gives: Gives::Page(&EVENTS, schema_of::<EventOut>),
    handler: |call| Box::pin(list(call)),
};

async fn list(call: Call) -> Result<Answer> {
    let page = history::events(&call.app, call.actor()?, call.id()?, call.query()?).await?;
    Answer::page::<_, EventOut>(&EVENTS, page)
}
