//! `/audit-logs`: what people and keys changed, and every sign-in.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::written;
use crate::domain::audit::{LIST as FIELDS, Recorded};
use crate::http::call::{Answer, Call};
use crate::http::route::{Gives, Operation, Takes, schema_of};
use crate::services::{Result, audit};

/// One row of the record.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditRowOut {
    /// Its place in the chain, from 1, without a gap.
    id: i64,
    #[schema(format = DateTime)]
    created_at: String,
    actor: AuditActor,
    /// What was done, such as `site.updated`; `session.opened` is a sign-in.
    action: String,
    subject: AuditSubject,
    /// The organization whose record this is. Null: the platform's own.
    organization_id: Option<i64>,
    /// The site that it touches.
    site_id: Option<i64>,
    /// `done`, `refused` or `failed`.
    status: String,
    data: AuditData,
    /// From where it was asked for. Null: on the machine itself.
    address: Option<String>,
    /// The request that asked for it. Null: on the machine itself.
    request_id: Option<String>,
    /// The seal over the row before it and this one: SHA-256, in hexadecimal digits.
    hash: String,
}

/// Who did it.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditActor {
    /// `user`, `key`, `system` (the product, or its operator on the machine) or `stranger`.
    kind: String,
    /// The person's or key's id.
    id: Option<i64>,
    /// The name at that time.
    name: String,
}

/// What it was done to.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditSubject {
    /// Such as `site` or `api_key`.
    kind: String,
    id: Option<i64>,
}

/// How the subject was and is, without secrets.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditData {
    /// Null where it was not there before.
    #[schema(value_type = Option<Object>)]
    before: Option<Value>,
    /// Null where it is not there any more, or nothing of it changed.
    #[schema(value_type = Option<Object>)]
    after: Option<Value>,
}

impl From<Recorded> for AuditRowOut {
    fn from(row: Recorded) -> Self {
        Self {
            id: row.id,
            created_at: written(row.created_at),
            actor: AuditActor {
                kind: row.actor_kind,
                id: row.actor_id,
                name: row.actor_name,
            },
            action: row.action,
            subject: AuditSubject {
                kind: row.subject_kind,
                id: row.subject_id,
            },
            organization_id: row.organization_id,
            site_id: row.site_id,
            status: row.status,
            data: AuditData {
                before: row.before,
                after: row.after,
            },
            address: row.address,
            request_id: row.request_id,
            hash: row.hash,
        }
    }
}

/// `GET /audit-logs`.
pub const LIST: Operation = Operation {
    name: "list_audit_logs",
    summary: "The audit log, newest first: what people and keys changed, and every sign-in",
    takes: Takes::Nothing,
    gives: Gives::Page(&FIELDS, schema_of::<AuditRowOut>),
    handler: |call| Box::pin(list(call)),
};

async fn list(call: Call) -> Result<Answer> {
    let page = audit::list(&call.app, call.actor()?, call.query()?).await?;
    Answer::page::<_, AuditRowOut>(&FIELDS, page)
}
