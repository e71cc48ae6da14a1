//! The OpenAPI document, built from the table of routes and the wire types: nothing in it is written
//! twice, so it says what the program does.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};

use super::call::{Answer, Call};
use super::envelope::Pagination;
use super::problem::Problem;
use super::route::{Gives, Needs, Operation, Route, SchemaOf, Scope, Takes, schema_of};
use crate::domain::listing::{COUNTED, Field, Kind, List, Op, PER_PAGE, PER_PAGE_MAX};
use crate::services::Result;

/// The document as text, worked out at the first question.
static TEXT: LazyLock<String> = LazyLock::new(|| document().to_string());

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
            "headers": headers(),
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
    let mut document = json!({
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [tag(route)],
        "parameters": parameters(route),
        "responses": responses(route, schemas),
        "x-permission": permission(route.needs),
    });
    let Some(fields) = document.as_object_mut() else {
        return document;
    };
    if route.needs == Needs::Public {
        fields.insert("security".to_owned(), json!([]));
    } else {
        fields.insert("security".to_owned(), json!([{"bearer": []}, {"key": []}]));
    }
    if let Scope::Of(what, _) | Scope::Called(what, _) = route.scope {
        fields.insert("x-scope".to_owned(), json!(what));
    }
    let required = !matches!(operation.takes, Takes::MaybeJson(_));
    let body = match operation.takes {
        Takes::Nothing => return document,
        Takes::Json(schema) | Takes::MaybeJson(schema) => referred(schema, schemas),
        Takes::Large(schema, limit) => {
            let about = format!("Plain or as gzip; at most {limit} bytes once unpacked.");
            fields.insert("description".to_owned(), json!(about));
            referred(schema, schemas)
        }
    };
    fields.insert(
        "requestBody".to_owned(),
        json!({"required": required, "content": {"application/json": {"schema": body}}}),
    );
    document
}

fn tag(route: &Route) -> &'static str {
    route
        .path
        .split('/')
        .nth(1)
        .filter(|first| !matches!(*first, "healthz" | "readyz" | "openapi.json"))
        .unwrap_or("platform")
}

fn permission(needs: Needs) -> &'static str {
    match needs {
        Needs::Public => "public",
        Needs::Person => "person",
        Needs::May(permission) | Needs::Platform(permission) => permission.word(),
    }
}

fn parameters(route: &Route) -> Vec<Value> {
    let mut all: Vec<Value> = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": named(route)}))
        .collect();
    if let Gives::Page(list, _) = route.operation.gives {
        all.extend(list_parameters(list));
    }
    all
}

/// What stands in the path: a number, or a name.
fn named(route: &Route) -> Value {
    match route.scope {
        Scope::Called(..) => json!({"type": "string", "minLength": 1, "maxLength": 64}),
        _ => json!({"type": "integer", "format": "int64", "minimum": 1}),
    }
}

fn list_parameters(list: &'static List) -> Vec<Value> {
    let mut sorts: Vec<String> = list.sorts.iter().map(|sort| (*sort).to_owned()).collect();
    sorts.extend(list.sorts.iter().map(|sort| format!("-{sort}")));
    let mut all = vec![
        query(
            "page",
            "The page, from 1.",
            &json!({"type": "integer", "minimum": 1, "default": 1}),
        ),
        query(
            "per_page",
            "Rows on a page.",
            &json!({"type": "integer", "minimum": 1, "maximum": PER_PAGE_MAX, "default": PER_PAGE}),
        ),
        json!({
            "name": "sort", "in": "query", "explode": false,
            "description": format!("Keys of the order, a minus before those that go down; {} by default. Always made total by id.", list.default_sort),
            "schema": {"type": "array", "items": {"type": "string", "enum": sorts}},
        }),
        query(
            "format",
            "The envelope, or comma-separated values with the row's names as columns.",
            &json!({"type": "string", "enum": ["json", "csv"], "default": "json"}),
        ),
    ];
    if list.search {
        all.push(query(
            "q",
            "Searches the names.",
            &json!({"type": "string", "maxLength": 255}),
        ));
    }
    for field in list.fields {
        for op in field.operators() {
            let name = match op {
                Op::Eq => format!("filter[{}]", field.name),
                _ => format!("filter[{}][{}]", field.name, op.word()),
            };
            all.push(query(&name, "", &filter_schema(field, op)));
        }
    }
    all
}

fn query(name: &str, description: &str, schema: &Value) -> Value {
    let mut parameter = json!({"name": name, "in": "query", "schema": schema});
    if let (Some(fields), false) = (parameter.as_object_mut(), description.is_empty()) {
        fields.insert("description".to_owned(), json!(description));
    }
    parameter
}

fn filter_schema(field: &Field, op: Op) -> Value {
    match (op, field.kind) {
        (Op::Null, _) | (_, Kind::Boolean) => json!({"type": "boolean"}),
        (Op::In, _) => json!({"type": "string", "description": "A comma list."}),
        (_, Kind::Integer) => json!({"type": "integer", "format": "int64"}),
        (_, Kind::Time) => {
            json!({"type": "string", "description": "RFC 3339, or a day as YYYY-MM-DD."})
        }
        (_, Kind::Word(words)) => json!({"type": "string", "enum": words}),
        (_, Kind::Text | Kind::Member) => json!({"type": "string", "maxLength": 255}),
    }
}

fn responses(route: &Route, schemas: &mut Schemas) -> Value {
    let mut all: Map<String, Value> = Map::new();
    let (status, content) = success(route, schemas);
    let mut answer =
        json!({"description": route.operation.summary, "headers": header_references()});
    if let (Some(fields), Some(content)) = (answer.as_object_mut(), content) {
        fields.insert("content".to_owned(), content);
    }
    all.insert(status.to_owned(), answer);
    if route.method == axum::http::Method::GET {
        all.insert(
            "304".to_owned(),
            json!({"description": "The client has it already.", "headers": header_references()}),
        );
    }
    for (status, description) in refusals(route) {
        all.insert(
            status.to_string(),
            json!({
                "description": description,
                "headers": header_references(),
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }),
        );
    }
    Value::Object(all)
}

fn success(route: &Route, schemas: &mut Schemas) -> (&'static str, Option<Value>) {
    let one = |schema: SchemaOf, schemas: &mut Schemas| {
        let data = referred(schema, schemas);
        Some(json!({"application/json": {"schema": envelope(&data, &meta(false))}}))
    };
    match route.operation.gives {
        Gives::One(schema) => ("200", one(schema, schemas)),
        Gives::Created(schema) => ("201", one(schema, schemas)),
        Gives::Accepted(schema) => ("202", one(schema, schemas)),
        Gives::Nothing => ("204", None),
        Gives::Bare(media) => ("200", Some(json!({media: {"schema": {}}}))),
        Gives::Page(_, schema) => {
            let rows = json!({"type": "array", "items": referred(schema, schemas)});
            let content = json!({
                "application/json": {"schema": envelope(&rows, &meta(true))},
                "text/csv": {"schema": {"type": "string"}},
            });
            ("200", Some(content))
        }
    }
}

fn envelope(data: &Value, meta: &Value) -> Value {
    json!({
        "type": "object",
        "required": ["data", "meta", "links"],
        "additionalProperties": false,
        "properties": {
            "data": data,
            "meta": meta,
            "links": {
                "type": "object",
                "required": ["self"],
                "additionalProperties": {"type": "string"},
            },
        },
    })
}

fn meta(paged: bool) -> Value {
    let id = json!({"type": "string"});
    if !paged {
        return json!({"type": "object", "required": ["request_id"], "properties": {"request_id": id}});
    }
    json!({
        "type": "object",
        "required": ["request_id", "pagination"],
        "properties": {
            "request_id": id,
            "pagination": {
                "$ref": "#/components/schemas/Pagination",
                "description": format!("The total is exact up to {COUNTED}; beyond, total_is_at_least is true."),
            },
        },
    })
}

fn refusals(route: &Route) -> Vec<(u16, &'static str)> {
    let known = route.needs != Needs::Public;
    let named = route.path.contains('{');
    let (body, large) = match route.operation.takes {
        Takes::Nothing => (false, false),
        Takes::Json(_) | Takes::MaybeJson(_) => (true, false),
        Takes::Large(..) => (true, true),
    };
    let writes = route.method != axum::http::Method::GET;
    let all = [
        (true, 400, "The body or the query can't be understood."),
        (
            known || route.path == "/auth/login" || route.path == "/auth/refresh",
            401,
            "Not authenticated.",
        ),
        (known, 403, "Not permitted."),
        (named, 404, "Not there, or not yours to see."),
        (body, 408, "The body did not arrive in time."),
        (writes, 409, "It clashes with what is there."),
        (body, 413, "Larger than what is taken."),
        (
            body,
            415,
            if large {
                "Not JSON, or packed otherwise than as gzip."
            } else {
                "Not JSON."
            },
        ),
        (body, 422, "Understood, but not valid: all faults at once."),
        (true, 429, "Too many requests; Retry-After says when."),
        (true, 500, "A fault of ours."),
        (true, 503, "Not now; Retry-After says when."),
    ];
    all.into_iter()
        .filter(|(applies, ..)| *applies)
        .map(|(_, status, description)| (status, description))
        .collect()
}

const HEADERS: [(&str, &str, &str); 6] = [
    (
        "X-Request-Id",
        "string",
        "The caller's own sane id, or a new one.",
    ),
    ("API-Version", "string", "1."),
    ("RateLimit-Limit", "integer", "Calls in a window."),
    ("RateLimit-Remaining", "integer", "Calls left now."),
    (
        "RateLimit-Reset",
        "integer",
        "Seconds until the budget is whole again.",
    ),
    ("RateLimit-Policy", "string", "The budget and its window."),
];

fn headers() -> Value {
    let all: Map<String, Value> = HEADERS
        .into_iter()
        .map(|(name, kind, about)| {
            (
                name.to_owned(),
                json!({"description": about, "schema": {"type": kind}}),
            )
        })
        .collect();
    Value::Object(all)
}

fn header_references() -> Value {
    let all: Map<String, Value> = HEADERS
        .into_iter()
        .map(|(name, ..)| {
            (
                name.to_owned(),
                json!({"$ref": format!("#/components/headers/{name}")}),
            )
        })
        .collect();
    Value::Object(all)
}
