//! `/api-keys`: keys of sites and organizations. The secret is in two answers only: to the call
//! that makes a key and to the one that rotates it.

use secrecy::ExposeSecret;
use serde::Serialize;
use utoipa::ToSchema;

use super::{maybe_written, written};
use crate::domain::api_key::{ApiKey, ApiKeyForm, LIST as FIELDS};
use crate::http::call::{Answer, Call};
use crate::http::fields::Fields;
use crate::http::route::{Gives, Operation, Takes, schema_of};
use crate::services::Result;
use crate::services::api_keys::{self, ShownKey};

/// An API key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApiKeyOut {
    id: i64,
    name: String,
    /// `dwl_` and 8 characters by which it is recognised.
    prefix: String,
    /// The site it belongs to; null: an organization's key.
    site_id: Option<i64>,
    /// The organization it belongs to; null: a site's key.
    organization_id: Option<i64>,
    /// What it may do; a site's key: `sync`.
    scopes: Vec<&'static str>,
    /// From where it may be used, in CIDR; empty: from anywhere.
    networks: Vec<String>,
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// Written once a minute at most.
    #[schema(format = DateTime)]
    last_used_at: Option<String>,
    /// The address of the last use.
    last_used_from: Option<String>,
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
    /// After a rotation: until when the key before it is taken.
    #[schema(format = DateTime)]
    old_key_expires_at: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
}

/// An API key with its secret: shown once.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownApiKeyOut {
    /// The whole key: `dwl_`, 8 characters, the secret, 6 characters of checksum.
    key: String,
    #[serde(flatten)]
    about: ApiKeyOut,
}

/// What can be sent of a key; in a change, what isn't sent stays.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct ApiKeyIn {
    /// 1 to 200 characters. Required when it is made.
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// The site whose key it will be. Exactly one of site_id and organization_id is sent, only when the key is made.
    site_id: Option<i64>,
    /// The organization whose key it will be. Exactly one of site_id and organization_id is sent, only when the key is made.
    organization_id: Option<i64>,
    /// What an organization's key may do: permissions that the caller holds himself. It never does more than
    /// those who made it and rotated it last hold now. A key made by a key ends with it, and is taken only
    /// from its networks.
    scopes: Option<Vec<String>>,
    /// From where it may be used, in CIDR; empty: from anywhere. If a key made it, also only from where that one may.
    #[schema(max_items = 50)]
    networks: Option<Vec<String>>,
    /// Its end; null: until it is revoked.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// What can be sent of a rotation.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct RotationIn {
    /// How long the old key is taken: 1,440 by default, 0: not at all, at most 10,080.
    #[schema(minimum = 0, maximum = 10080)]
    grace_minutes: Option<i64>,
}

impl From<ApiKey> for ApiKeyOut {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id,
            name: key.name,
            prefix: key.prefix,
            site_id: key.site_id,
            organization_id: key.site_id.is_none().then_some(key.organization_id),
            scopes: key.scopes.iter().map(|scope| scope.word()).collect(),
            networks: key.networks,
            expires_at: maybe_written(key.expires_at),
            last_used_at: maybe_written(key.last_used_at),
            last_used_from: key.last_used_from,
            revoked_at: maybe_written(key.revoked_at),
            old_key_expires_at: maybe_written(key.old_expires_at),
            created_at: written(key.created_at),
            updated_at: written(key.updated_at),
        }
    }
}

impl From<ShownKey> for ShownApiKeyOut {
    fn from(shown: ShownKey) -> Self {
        Self {
            key: shown.secret.expose_secret().to_owned(),
            about: shown.key.into(),
        }
    }
}

/// `GET /api-keys`.
pub const LIST: Operation = Operation {
    name: "list_api_keys",
    summary: "The API keys in sight, revoked ones too",
    takes: Takes::Nothing,
    gives: Gives::Page(&FIELDS, schema_of::<ApiKeyOut>),
    handler: |call| Box::pin(list(call)),
};

/// `POST /api-keys`.
pub const CREATE: Operation = Operation {
    name: "create_api_key",
    summary: "Make a key for a site or an organization; its secret is shown this once",
    takes: Takes::Json(schema_of::<ApiKeyIn>),
    gives: Gives::Created(schema_of::<ShownApiKeyOut>),
    handler: |call| Box::pin(create(call)),
};

/// `GET /api-keys/{id}`.
pub const SHOW: Operation = Operation {
    name: "show_api_key",
    summary: "One API key, without its secret",
    takes: Takes::Nothing,
    gives: Gives::One(schema_of::<ApiKeyOut>),
    handler: |call| Box::pin(show(call)),
};

/// `PUT /api-keys/{id}`.
pub const UPDATE: Operation = Operation {
    name: "update_api_key",
    summary: "Change a key; what isn't sent stays",
    takes: Takes::Json(schema_of::<ApiKeyIn>),
    gives: Gives::One(schema_of::<ApiKeyOut>),
    handler: |call| Box::pin(update(call)),
};

/// `DELETE /api-keys/{id}`.
pub const DELETE: Operation = Operation {
    name: "revoke_api_key",
    summary: "Revoke a key at once; it stays in the list with its revoked_at",
    takes: Takes::Nothing,
    gives: Gives::Nothing,
    handler: |call| Box::pin(revoke(call)),
};

/// `POST /api-keys/{id}/rotate`.
pub const ROTATE: Operation = Operation {
    name: "rotate_api_key",
    summary: "Give a key a new secret; the old one is taken until old_key_expires_at",
    takes: Takes::MaybeJson(schema_of::<RotationIn>),
    gives: Gives::One(schema_of::<ShownApiKeyOut>),
    handler: |call| Box::pin(rotate(call)),
};

async fn list(call: Call) -> Result<Answer> {
    let page = api_keys::list(&call.app, call.actor()?, call.query()?).await?;
    Answer::page::<_, ApiKeyOut>(&FIELDS, page)
}

async fn create(mut call: Call) -> Result<Answer> {
    let mut fields = call.fields();
    let (site, organization) = (fields.integer("site_id"), fields.integer("organization_id"));
    let form = form(fields);
    let made = api_keys::create(&call.app, call.actor()?, site, organization, &form).await?;
    let location = format!("/api/v1/api-keys/{}", made.key.id);
    Answer::created(location, &ShownApiKeyOut::from(made))
}

async fn show(call: Call) -> Result<Answer> {
    let found = api_keys::get(&call.app, call.actor()?, call.id()?).await?;
    Answer::one(&ApiKeyOut::from(found))
}

async fn update(mut call: Call) -> Result<Answer> {
    let form = form(call.fields());
    let changed = api_keys::update(&call.app, call.actor()?, call.id()?, form).await?;
    Answer::one(&ApiKeyOut::from(changed))
}

async fn revoke(call: Call) -> Result<Answer> {
    api_keys::revoke(&call.app, call.actor()?, call.id()?).await?;
    Ok(Answer::Nothing)
}

async fn rotate(mut call: Call) -> Result<Answer> {
    let mut fields = call.fields();
    let grace = fields.integer("grace_minutes");
    fields.finish(Vec::new())?;
    let rotated = api_keys::rotate(&call.app, call.actor()?, call.id()?, grace).await?;
    Answer::one(&ShownApiKeyOut::from(rotated))
}

fn form(mut fields: Fields) -> ApiKeyForm {
    let says_end = fields.has("expires_at");
    let end = fields.text("expires_at");
    ApiKeyForm {
        name: fields.text("name"),
        scopes: fields.texts("scopes"),
        networks: fields.texts("networks"),
        expires_at: says_end.then_some(end),
        unreadable: fields.faults(),
    }
}
