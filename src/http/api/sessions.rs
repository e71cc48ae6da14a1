//! `/auth/sessions` and `/auth/devices`: one's own sign-ins and browsers.

use serde::Serialize;
use utoipa::ToSchema;

use super::{maybe_written, written};
use crate::domain::session::{DEVICES as DEVICE_FIELDS, OwnDevice, OwnSession, SESSIONS as FIELDS};
use crate::http::call::{Answer, Call};
use crate::http::route::{Gives, Operation, Takes, schema_of};
use crate::services::{Result, sessions};

/// A sign-in that has not ended.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionOut {
    id: i64,
    /// `page`: a browser; `api`: a program with tokens.
    kind: String,
    /// What the browser or program calls itself.
    device: String,
    /// From where it signed in.
    address: String,
    #[schema(format = DateTime)]
    created_at: String,
    /// Written once a minute at most.
    #[schema(format = DateTime)]
    last_used_at: String,
    /// The end, whatever happens; a browser's session also ends when it was not used for 24 hours.
    #[schema(format = DateTime)]
    expires_at: String,
    /// It is the session of this call.
    current: bool,
}

/// A browser that is known again at sign-in.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeviceOut {
    id: i64,
    /// What it calls itself.
    name: String,
    /// From where it last signed in.
    address: String,
    #[schema(format = DateTime)]
    created_at: String,
    /// The last sign-in with it.
    #[schema(format = DateTime)]
    last_used_at: String,
    /// Until when no second factor is asked for on it.
    #[schema(format = DateTime)]
    trusted_until: Option<String>,
}

impl From<OwnSession> for SessionOut {
    fn from(session: OwnSession) -> Self {
        Self {
            id: session.id,
            kind: session.kind,
            device: session.device,
            address: session.address,
            created_at: written(session.created_at),
            last_used_at: written(session.last_used_at),
            expires_at: written(session.expires_at),
            current: session.current,
        }
    }
}

impl From<OwnDevice> for DeviceOut {
    fn from(device: OwnDevice) -> Self {
        Self {
            id: device.id,
            name: device.name,
            address: device.address,
            created_at: written(device.created_at),
            last_used_at: written(device.last_used_at),
            trusted_until: maybe_written(device.trusted_until),
        }
    }
}

/// `GET /auth/sessions`.
pub const LIST: Operation = Operation {
    name: "list_sessions",
    summary: "One's own sign-ins that have not ended, the one used last first",
    takes: Takes::Nothing,
    gives: Gives::Page(&FIELDS, schema_of::<SessionOut>),
    handler: |call| Box::pin(list(call)),
};

/// `DELETE /auth/sessions/{id}`.
pub const END: Operation = Operation {
    name: "end_session",
    summary: "End one of one's own sign-ins, from the next request on",
    takes: Takes::Nothing,
    gives: Gives::Nothing,
    handler: |call| Box::pin(end(call)),
};

/// `DELETE /auth/sessions`.
pub const END_OTHERS: Operation = Operation {
    name: "end_other_sessions",
    summary: "End all of one's own sign-ins but the one that asks",
    takes: Takes::Nothing,
    gives: Gives::Nothing,
    handler: |call| Box::pin(end_others(call)),
};

/// `GET /auth/devices`.
pub const DEVICES: Operation = Operation {
    name: "list_devices",
    summary: "The browsers that are known again at one's own sign-in",
    takes: Takes::Nothing,
    gives: Gives::Page(&DEVICE_FIELDS, schema_of::<DeviceOut>),
    handler: |call| Box::pin(devices(call)),
};

/// `DELETE /auth/devices/{id}`.
pub const REVOKE_DEVICE: Operation = Operation {
    name: "revoke_device",
    summary: "Forget a browser: its sessions end, and it is trusted no more",
    takes: Takes::Nothing,
    gives: Gives::Nothing,
    handler: |call| Box::pin(revoke_device(call)),
};

async fn list(call: Call) -> Result<Answer> {
    let page = sessions::list(&call.app, call.actor()?, call.query()?).await?;
    Answer::page::<_, SessionOut>(&FIELDS, page)
}

async fn end(call: Call) -> Result<Answer> {
    sessions::end(&call.app, call.actor()?, call.id()?).await?;
    Ok(Answer::Nothing)
}

async fn end_others(call: Call) -> Result<Answer> {
    sessions::end_others(&call.app, call.actor()?).await?;
    Ok(Answer::Nothing)
}

async fn devices(call: Call) -> Result<Answer> {
    let page = sessions::devices(&call.app, call.actor()?, call.query()?).await?;
    Answer::page::<_, DeviceOut>(&DEVICE_FIELDS, page)
}

async fn revoke_device(call: Call) -> Result<Answer> {
    sessions::revoke_device(&call.app, call.actor()?, call.id()?).await?;
    Ok(Answer::Nothing)
}
