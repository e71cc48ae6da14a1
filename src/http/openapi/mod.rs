//! The OpenAPI document, built from the table of routes and the wire types: nothing in it is written
//! twice, so it says what the program does.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use utoipa::openapi::schema::AdditionalProperties;
use utoipa::openapi::{RefOr, Schema};

use super::call::{Answer, Call};
use super::envelope::Pagination;
use super::problem::Problem;
use super::route::{Gives, Needs, Operation, Route, SchemaOf, Scope, Takes, schema_of};
use crate::domain::access::Permission;
use crate::services::Result;

mod answers;
pub mod examples;
mod parameters;
pub mod postman;

use examples::Example;

/// The document, worked out at the first question.
pub static DOCUMENT: LazyLock<Value> = LazyLock::new(document);
/// The same as text.
static TEXT: LazyLock<String> = LazyLock::new(|| DOCUMENT.to_string());

/// `GET /api/openapi.json`.
pub const SHOW: Operation = Operation {
    name: "openapi",
    summary: "This document",
    takes: Takes::Nothing,
    gives: Gives::Bare("application/json"),
    handler: |call| Box::pin(show(call)),
};

async fn show(_call: Call) -> Result<Answer> {
    Ok(Answer::Bare {
        media: "application/json",
        text: TEXT.clone(),
    })
}

type Schemas = Vec<(String, RefOr<Schema>)>;

/// The document.
pub fn document() -> Value {
    let mut schemas = Schemas::new();
    schema_of::<Problem>(&mut schemas);
    schema_of::<Pagination>(&mut schemas);
    let mut paths: Map<String, Value> = Map::new();
    for route in super::routes() {
        let operation = operation(&route, &mut schemas);
        let path = paths.entry(route.full_path()).or_insert_with(|| json!({}));
        if let Some(methods) = path.as_object_mut() {
            methods.insert(route.method.as_str().to_lowercase(), operation);
        }
    }
    let schemas: Map<String, Value> = schemas
        .into_iter()
        .map(|(name, schema)| (name, written(&schema)))
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Dewline",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "headers": answers::headers(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "An access token from POST /api/v1/auth/login, or an API key."},
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key of a site or an organization."},
            },
        },
    })
}

const ABOUT: &str = "Tells which Drupal sites are exposed, since when, and by when it must be fixed. \
    Success is an envelope of data, meta and links; errors are RFC 9457 problem details. \
    Refusals come in this order: 404 or 405 for the route, 401, 429, 403 or 404, 415, 413, 400, 422.";

fn written(schema: &RefOr<Schema>) -> Value {
    serde_json::to_value(schema).unwrap_or_default()
}

fn referred(schema: SchemaOf, schemas: &mut Schemas) -> Value {
    written(&schema(schemas))
}

fn operation(route: &Route, schemas: &mut Schemas) -> Value {
    let operation = route.operation;
    let example = Example::of(operation.name).unwrap_or_default();
    let mut document = json!({
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [tag(route)],
        "parameters": parameters::of(route, &example),
        "responses": answers::of(route, &example, schemas),
        "x-permission": permission(route.needs),
        "x-who": who(route.needs),
    });
    let Some(fields) = document.as_object_mut() else {
        return document;
    };
    fields.insert("security".to_owned(), security(route.needs));
    if let Scope::Of(what, ..) | Scope::Called(what, ..) = route.scope {
        fields.insert("x-scope".to_owned(), json!(what));
    }
    let required = !matches!(operation.takes, Takes::MaybeJson(_));
    let body = match operation.takes {
        Takes::Nothing => return document,
        Takes::Json(schema) | Takes::MaybeJson(schema) => {
            let making = matches!(operation.gives, Gives::Created(_));
            closed(schema, making, schemas)
        }
        Takes::Large(schema, limit) => {
            let about = format!("Plain or as gzip; at most {limit} bytes once unpacked.");
            fields.insert("description".to_owned(), json!(about));
            referred(schema, schemas)
        }
    };
    let mut content = json!({"schema": body});
    if let (Some(content), Some(request)) = (content.as_object_mut(), example.request) {
        content.insert(
            "examples".to_owned(),
            json!({"example": {"value": request}}),
        );
    }
    fields.insert(
        "requestBody".to_owned(),
        json!({"required": required, "content": {"application/json": content}}),
    );
    document
}

fn tag(route: &Route) -> &'static str {
    route
        .path
        .split('/')
        .nth(1)
        .filter(|first| {
            !matches!(
                *first,
                "healthz" | "readyz" | "openapi.json" | "postman.json"
            )
        })
        .unwrap_or("platform")
}

fn permission(needs: Needs) -> &'static str {
    match needs {
        Needs::Public => "public",
        Needs::Person => "person",
        Needs::May(permission) | Needs::Platform(permission) => permission.word(),
    }
}

/// The credentials that can pass: what is a person's own, and what is the platform's, no key opens.
fn security(needs: Needs) -> Value {
    match needs {
        Needs::Public => json!([]),
        Needs::Person | Needs::Platform(_) => json!([{"bearer": []}]),
        Needs::May(_) => json!([{"bearer": []}, {"key": []}]),
    }
}

/// What the description of a field says that is needed only where the thing is made, not where it
/// is changed.
const NEEDED: &str = "Required when it is ";

/// The schema of a body that takes no fields beside its own; where something is made by it, with the
/// fields that are needed then.
fn closed(schema: SchemaOf, making: bool, schemas: &mut Schemas) -> Value {
    let mut body = referred(schema, schemas);
    let name = body.pointer("/$ref").and_then(Value::as_str);
    let name = name.and_then(|name| name.rsplit('/').next());
    let found = schemas
        .iter_mut()
        .find(|(known, _)| Some(known.as_str()) == name);
    let Some((_, RefOr::T(Schema::Object(object)))) = found else {
        return body;
    };
    object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
    let described = object.properties.iter();
    let needed: Vec<&String> = described
        .filter(|(_, field)| written(field).to_string().contains(NEEDED))
        .map(|(name, _)| name)
        .collect();
    if let (true, Some(fields)) = (making, body.as_object_mut()) {
        fields.insert("required".to_owned(), json!(needed));
    }
    body
}

/// Who may call, in words.
fn who(needs: Needs) -> String {
    match needs {
        Needs::Public => "Anybody.".to_owned(),
        Needs::Person => "A person who is signed in; keys are refused.".to_owned(),
        Needs::May(Permission::Sync) => {
            "The site's own key, or an organization's key with the scope sync.".to_owned()
        }
        Needs::May(permission) => {
            format!("Whoever holds the permission {permission}.")
        }
        Needs::Platform(permission) => {
            format!("The platform administrator, who holds {permission} for all.")
        }
    }
}
