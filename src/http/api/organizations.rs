//! `/organizations`.

use serde::Serialize;
use utoipa::ToSchema;

use super::written;
use crate::domain::organization::{LIST as FIELDS, Organization, OrganizationForm};
use crate::http::call::{Answer, Call};
use crate::http::fields::Fields;
use crate::http::route::{Gives, Operation, Takes, schema_of};
use crate::services::{Result, organizations};

/// An organization.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganizationOut {
    id: i64,
    name: String,
    notes: String,
    /// Whether its members need a second factor, now or later.
    require_two_factor: bool,
    /// From then on whoever has none has no rights in it.
    #[schema(format = DateTime)]
    two_factor_required_from: Option<String>,
    /// Its sites that aren't deleted.
    sites_count: i64,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
}

impl From<Organization> for OrganizationOut {
    fn from(organization: Organization) -> Self {
        Self {
            id: organization.id,
            name: organization.name,
            notes: organization.notes,
            require_two_factor: organization.second_factor_from.is_some(),
            two_factor_required_from: organization.second_factor_from.map(written),
            sites_count: organization.sites_count,
            created_at: written(organization.created_at),
            updated_at: written(organization.updated_at),
        }
    }
}

/// What can be sent of an organization; in a change, what isn't sent stays.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
#[schema(as = OrganizationIn)]
pub struct OrganizationIn {
    /// 1 to 120 characters, unique whatever its case. Required when it is made.
    #[schema(min_length = 1, max_length = 120)]
    name: Option<String>,
    /// At most 4,000 characters.
    #[schema(max_length = 4000)]
    notes: Option<String>,
    /// Whether its members need a second factor.
    require_two_factor: Option<bool>,
    /// Days from now until it is asked for. Not sent: what it was, or 14.
    #[schema(minimum = 0, maximum = 90)]
    two_factor_grace_days: Option<i64>,
}

/// `GET /organizations`.
pub const LIST: Operation = Operation {
    name: "list_organizations",
    summary: "The organizations in sight",
    takes: Takes::Nothing,
    gives: Gives::Page(&FIELDS, schema_of::<OrganizationOut>),
    handler: |call| Box::pin(list(call)),
};

/// `POST /organizations`.
pub const CREATE: Operation = Operation {
    name: "create_organization",
    summary: "Make an organization (platform administrator)",
    takes: Takes::Json(schema_of::<OrganizationIn>),
    gives: Gives::Created(schema_of::<OrganizationOut>),
    handler: |call| Box::pin(create(call)),
};

/// `GET /organizations/{id}`.
pub const SHOW: Operation = Operation {
    name: "show_organization",
    summary: "One organization",
    takes: Takes::Nothing,
    gives: Gives::One(schema_of::<OrganizationOut>),
    handler: |call| Box::pin(show(call)),
};

/// `PUT /organizations/{id}`.
pub const UPDATE: Operation = Operation {
    name: "update_organization",
    summary: "Change an organization; what isn't sent stays",
    takes: Takes::Json(schema_of::<OrganizationIn>),
    gives: Gives::One(schema_of::<OrganizationOut>),
    handler: |call| Box::pin(update(call)),
};

/// `DELETE /organizations/{id}`.
pub const DELETE: Operation = Operation {
    name: "delete_organization",
    summary: "Delete an organization softly, with its sites and keys (platform administrator)",
    takes: Takes::Nothing,
    gives: Gives::Nothing,
    handler: |call| Box::pin(delete(call)),
};

/// `POST /organizations/{id}/restore`.
pub const RESTORE: Operation = Operation {
    name: "restore_organization",
    summary: "Bring a deleted organization back, with exactly what its deletion took (platform administrator)",
    takes: Takes::Nothing,
    gives: Gives::One(schema_of::<OrganizationOut>),
    handler: |call| Box::pin(restore(call)),
};

async fn list(call: Call) -> Result<Answer> {
    let page = organizations::list(&call.app, call.actor()?, call.query()?).await?;
    Answer::page::<_, OrganizationOut>(&FIELDS, page)
}

async fn create(mut call: Call) -> Result<Answer> {
    let form = form(call.fields());
    let made = organizations::create(&call.app, call.actor()?, &form).await?;
    let location = format!("/api/v1/organizations/{}", made.id);
    Answer::created(location, &OrganizationOut::from(made))
}

async fn show(call: Call) -> Result<Answer> {
    let found = organizations::find(&call.app, call.actor()?, call.id()?).await?;
    Answer::one(&OrganizationOut::from(found))
}

async fn update(mut call: Call) -> Result<Answer> {
    let form = form(call.fields());
    let changed = organizations::update(&call.app, call.actor()?, call.id()?, form).await?;
    Answer::one(&OrganizationOut::from(changed))
}

async fn delete(call: Call) -> Result<Answer> {
    organizations::delete(&call.app, call.actor()?, call.id()?).await?;
    Ok(Answer::Nothing)
}

async fn restore(call: Call) -> Result<Answer> {
    let restored = organizations::restore(&call.app, call.actor()?, call.id()?).await?;
    Answer::one(&OrganizationOut::from(restored))
}

fn form(mut fields: Fields) -> OrganizationForm {
    OrganizationForm {
        name: fields.text("name"),
        notes: fields.text("notes"),
        require_two_factor: fields.boolean("require_two_factor"),
        two_factor_grace_days: fields.integer("two_factor_grace_days"),
        unreadable: fields.faults(),
    }
}
