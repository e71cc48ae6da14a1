//! `/notifications`: what waits to be sent to whom. The links in it are never told here.

use serde::Serialize;
use utoipa::ToSchema;

use super::written;
use crate::domain::notification::{LIST as FIELDS, Waiting};
use crate::http::call::{Answer, Call};
use crate::http::route::{Gives, Operation, Takes, schema_of};
use crate::services::{Result, notifications};

/// A message that waits.
#[derive(Debug, Serialize, ToSchema)]
pub struct NotificationOut {
    id: i64,
    /// `invitation` or `password_reset`.
    kind: String,
    /// `queued`: it waits. Mail isn't sent yet.
    state: String,
    /// The address to which it would be sent.
    recipient: String,
    /// The organization that it is about; null: the platform's own.
    organization_id: Option<i64>,
    /// The person it is for.
    user_id: Option<i64>,
    #[schema(format = DateTime)]
    created_at: String,
    /// When its link ends.
    #[schema(format = DateTime)]
    expires_at: String,
    /// It opens something: it has not ended, and whoever sent it may still give what it gives.
    link_works: bool,
}

impl From<Waiting> for NotificationOut {
    fn from(waiting: Waiting) -> Self {
        let message = waiting.message;
        Self {
            id: message.id,
            kind: message.kind,
            state: message.state,
            recipient: message.recipient,
            organization_id: message.organization_id,
            user_id: message.user_id,
            created_at: written(message.created_at),
            expires_at: written(message.expires_at),
            link_works: waiting.link_works,
        }
    }
}

/// `GET /notifications`.
pub const LIST: Operation = Operation {
    name: "list_notifications",
    summary: "What waits to be sent to whom, the newest first",
    takes: Takes::Nothing,
    gives: Gives::Page(&FIELDS, schema_of::<NotificationOut>),
    handler: |call| Box::pin(list(call)),
};

async fn list(call: Call) -> Result<Answer> {
    let page = notifications::list(&call.app, call.actor()?, call.query()?).await?;
    Answer::page::<_, NotificationOut>(&FIELDS, page)
}
