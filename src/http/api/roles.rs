//! `/roles` and `/permissions`: what people can be allowed, and under which names.

use serde::Serialize;
use utoipa::ToSchema;

use super::written;
use crate::domain::access::Permission;
use crate::domain::handful::{Cell, Row, page};
use crate::domain::listing::{Field, Kind, List};
use crate::domain::role::{LIST as FIELDS, Role, RoleForm};
use crate::http::call::{Answer, Call};
use crate::http::fields::Fields;
use crate::http::route::{Gives, Operation, Takes, schema_of};
use crate::services::{Result, roles};

/// A permission.
#[derive(Debug, Serialize, ToSchema)]
pub struct PermissionOut {
    /// Its word, `resource:action`.
    name: &'static str,
    /// What it lets one do.
    description: &'static str,
}

/// The list of permissions.
static PERMISSIONS: List = List {
    name: "permissions",
    fields: &[Field::new("name", Kind::Text)],
    sorts: &["name"],
    default_sort: "name",
    search: false,
    columns: &["name", "description"],
};

impl From<Permission> for PermissionOut {
    fn from(permission: Permission) -> Self {
        Self {
            name: permission.word(),
            description: permission.does(),
        }
    }
}

impl Row for Permission {
    fn cell(&self, _: &str) -> Cell<'_> {
        Cell::Text(self.word())
    }
}

/// A role.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoleOut {
    id: i64,
    name: String,
    description: String,
    /// The organization that made it; null: it can be used in every one.
    organization_id: Option<i64>,
    /// That organization's name.
    organization: Option<String>,
    /// What it lets one do.
    permissions: Vec<&'static str>,
    /// It came with the product and stays as it is.
    built_in: bool,
    /// People in sight who hold it, once for each organization.
    members_count: i64,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
}

impl From<Role> for RoleOut {
    fn from(role: Role) -> Self {
        Self {
            id: role.id,
            name: role.name,
            description: role.description,
            organization_id: role.organization_id,
            organization: role.organization,
            permissions: role.permissions.iter().map(Permission::word).collect(),
            built_in: role.built_in,
            members_count: role.members_count,
            created_at: written(role.created_at),
            updated_at: written(role.updated_at),
        }
    }
}

/// What can be sent of a new role.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct NewRoleIn {
    /// 1 to 60 characters, unique whatever its case.
    #[schema(min_length = 1, max_length = 60)]
    name: String,
    /// At most 300 characters.
    #[schema(max_length = 300)]
    description: Option<String>,
    /// The organization in which it can be used; null: every one (platform administrator).
    organization_id: Option<i64>,
    /// Words of `GET /permissions` that the caller holds himself.
    permissions: Vec<String>,
}

/// What can be changed of a role; what isn't sent stays.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct RoleIn {
    /// 1 to 60 characters, unique whatever its case.
    #[schema(min_length = 1, max_length = 60)]
    name: Option<String>,
    /// At most 300 characters.
    #[schema(max_length = 300)]
    description: Option<String>,
    /// Words of `GET /permissions` that the caller holds himself.
    permissions: Option<Vec<String>>,
}

/// `GET /permissions`.
pub const ALL: Operation = Operation {
    name: "list_permissions",
    summary: "What can be allowed, word by word",
    takes: Takes::Nothing,
    gives: Gives::Page(&PERMISSIONS, schema_of::<PermissionOut>),
    handler: |call| Box::pin(all(call)),
};

/// `GET /roles`.
pub const LIST: Operation = Operation {
    name: "list_roles",
    summary: "The roles in sight: the platform's, and those of organizations in sight",
    takes: Takes::Nothing,
    gives: Gives::Page(&FIELDS, schema_of::<RoleOut>),
    handler: |call| Box::pin(list(call)),
};

/// `POST /roles`.
pub const CREATE: Operation = Operation {
    name: "create_role",
    summary: "Make a role of an organization, or of the platform (platform administrator)",
    takes: Takes::Json(schema_of::<NewRoleIn>),
    gives: Gives::Created(schema_of::<RoleOut>),
    handler: |call| Box::pin(create(call)),
};

/// `GET /roles/{id}`.
pub const SHOW: Operation = Operation {
    name: "show_role",
    summary: "One role",
    takes: Takes::Nothing,
    gives: Gives::One(schema_of::<RoleOut>),
    handler: |call| Box::pin(show(call)),
};

/// `PUT /roles/{id}`.
pub const UPDATE: Operation = Operation {
    name: "update_role",
    summary: "Change a role for everybody who holds it; what isn't sent stays",
    takes: Takes::Json(schema_of::<RoleIn>),
    gives: Gives::One(schema_of::<RoleOut>),
    handler: |call| Box::pin(update(call)),
};

/// `DELETE /roles/{id}`.
pub const DELETE: Operation = Operation {
    name: "delete_role",
    summary: "Remove a role that nobody holds",
    takes: Takes::Nothing,
    gives: Gives::Nothing,
    handler: |call| Box::pin(delete(call)),
};

async fn all(call: Call) -> Result<Answer> {
    let permissions = page(Permission::ALL.to_vec(), call.query()?);
    Answer::page::<_, PermissionOut>(&PERMISSIONS, permissions)
}

async fn list(call: Call) -> Result<Answer> {
    let page = roles::list(&call.app, call.actor()?, call.query()?).await?;
    Answer::page::<_, RoleOut>(&FIELDS, page)
}

async fn create(mut call: Call) -> Result<Answer> {
    let mut fields = call.fields();
    let organization = fields.integer("organization_id");
    let form = form(fields);
    let made = roles::create(&call.app, call.actor()?, organization, &form).await?;
    let location = format!("/api/v1/roles/{}", made.id);
    Answer::created(location, &RoleOut::from(made))
}

async fn show(call: Call) -> Result<Answer> {
    let found = roles::find(&call.app, call.actor()?, call.id()?).await?;
    Answer::one(&RoleOut::from(found))
}

async fn update(mut call: Call) -> Result<Answer> {
    let form = form(call.fields());
    let changed = roles::update(&call.app, call.actor()?, call.id()?, form).await?;
    Answer::one(&RoleOut::from(changed))
}

async fn delete(call: Call) -> Result<Answer> {
    roles::delete(&call.app, call.actor()?, call.id()?).await?;
    Ok(Answer::Nothing)
}

fn form(mut fields: Fields) -> RoleForm {
    RoleForm {
        name: fields.text("name"),
        description: fields.text("description"),
        permissions: fields.texts("permissions"),
        unreadable: fields.faults(),
    }
}
