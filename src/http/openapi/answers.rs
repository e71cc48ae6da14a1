//! The answers of an operation: what it gives, and every refusal that it can give, with the headers
//! and an example of each. Refusals that don't depend on data are told here by the very code that
//! tells them to callers.

use axum::body::Bytes;
use axum::http::{HeaderMap, Method};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::examples::{Example, REQUEST_ID};
use super::{Schemas, referred};
use crate::domain::listing::COUNTED;
use crate::domain::report::{Covers, Report};
use crate::http::problem::{self, Refusal};
use crate::http::route::{Gives, Needs, Route, SchemaOf, Takes, Tier};
use crate::http::{body, csv, dispatch, pass, report};
use crate::services::Error;

/// Seconds to wait in the example of a used-up budget.
const WAIT: u64 = 12;

/// All answers, by status.
pub fn of(route: &Route, example: &Example, schemas: &mut Schemas) -> Value {
    let mut all: Map<String, Value> = Map::new();
    let (status, content) = success(route, example, schemas);
    let mut answer = json!({
        "description": route.operation.summary,
        "headers": header_references(route, status),
    });
    if let (Some(fields), Some(content)) = (answer.as_object_mut(), content) {
        fields.insert("content".to_owned(), content);
    }
    all.insert(status.to_string(), answer);
    if route.method == Method::GET {
        let headers = header_references(route, 304);
        all.insert(
            "304".to_owned(),
            json!({"description": "The client has it already.", "headers": headers}),
        );
    }
    for (status, description, examples) in refusals(route, example) {
        let content = json!({
            "schema": {"$ref": "#/components/schemas/Problem"},
            "examples": examples,
        });
        all.insert(
            status.to_string(),
            json!({
                "description": description,
                "headers": header_references(route, status),
                "content": {"application/problem+json": content},
            }),
        );
    }
    Value::Object(all)
}

fn success(route: &Route, example: &Example, schemas: &mut Schemas) -> (u16, Option<Value>) {
    let shown = example.answer.as_ref();
    let one = |schema: SchemaOf, schemas: &mut Schemas| {
        let data = referred(schema, schemas);
        let schema = envelope(&data, &meta(false));
        Some(json!({"application/json": with_example(&schema, shown)}))
    };
    match route.operation.gives {
        Gives::One(schema) => (200, one(schema, schemas)),
        Gives::Created(schema) => (201, one(schema, schemas)),
        Gives::Accepted(schema) => (202, one(schema, schemas)),
        Gives::Nothing => (204, None),
        Gives::Bare(media) => {
            let kind = if media.contains("json") {
                "object"
            } else {
                "string"
            };
            let content = with_example(&json!({"type": kind}), shown);
            (200, Some(json!({media: content})))
        }
        Gives::Report(asked) => {
            let rows = json!({"type": "array", "items": report::schema(asked)});
            let columns: Vec<&str> = asked.columns.iter().map(|column| column.name).collect();
            let table = shown.map(|answer| Value::from(csv::table(&columns, &rows_of(answer))));
            let content = json!({
                "application/json": with_example(&envelope(&rows, &covering(asked)), shown),
                "text/csv": with_example(&json!({"type": "string"}), table.as_ref()),
            });
            (200, Some(content))
        }
        Gives::Page(list, schema) => {
            let rows = json!({"type": "array", "items": referred(schema, schemas)});
            let table = shown.map(|answer| Value::from(csv::table(list.columns, &rows_of(answer))));
            let content = json!({
                "application/json": with_example(&envelope(&rows, &meta(true)), shown),
                "text/csv": with_example(&json!({"type": "string"}), table.as_ref()),
            });
            (200, Some(content))
        }
    }
}

fn with_example(schema: &Value, example: Option<&Value>) -> Value {
    match example {
        Some(example) => json!({"schema": schema, "examples": {"example": {"value": example}}}),
        None => json!({"schema": schema}),
    }
}

fn rows_of(answer: &Value) -> Vec<String> {
    let rows = answer.get("data").and_then(Value::as_array);
    rows.into_iter().flatten().map(Value::to_string).collect()
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

/// The meta of a report: the time that it covers, or the instant that it tells of.
fn covering(report: &Report) -> Value {
    let mut meta = meta(false);
    let time = json!({"type": "string", "format": "date-time"});
    let Some(properties) = meta.pointer_mut("/properties") else {
        return meta;
    };
    if report.covers == Covers::Running {
        properties["as_of"] = json!({
            "type": "string",
            "format": "date-time",
            "description": "When it was so.",
        });
        properties["unknown_modules"] = json!({
            "type": "integer",
            "description": "Modules that these sites run and that could not be judged: they have no row, and that is no all-clear.",
        });
    } else if report.has_period() {
        properties["period"] = json!({
            "type": "object",
            "required": ["from", "to"],
            "description": "From the first instant until just before the last.",
            "properties": {"from": time, "to": time},
        });
    }
    meta
}

/// Status, description, and examples by code.
type Told = (u16, &'static str, Value);

/// Every refusal that the operation can give.
fn refusals(route: &Route, example: &Example) -> Vec<Told> {
    let mut all = vec![misunderstood(route, example)];
    let mut tell = |status, description, refusal| {
        all.push((status, description, examples(example, vec![refusal])));
    };
    let service = Refusal::Service;
    let known = route.needs != Needs::Public;
    if known || route.tier == Tier::Auth {
        tell(401, "Not authenticated.", service(Error::Unauthenticated));
    }
    if let Some(error) = pass::forbidden(route.needs) {
        tell(403, "Not permitted.", service(error));
    }
    if route.path.contains('{') {
        tell(
            404,
            "Not there, or not yours to see.",
            service(Error::NotFound),
        );
    }
    if let Some(limit) = body::limit(route.operation.takes) {
        tell(408, "The body did not arrive in time.", Refusal::Slow);
        tell(413, "Larger than what is taken.", body::too_large(limit));
        if let Err(refusal) = body::media_type(&HeaderMap::new()) {
            let large = matches!(route.operation.takes, Takes::Large(..));
            let description = if large {
                "Not JSON, or packed otherwise than as gzip."
            } else {
                "Not JSON."
            };
            tell(415, description, refusal);
        }
    }
    if route.tier != Tier::Free {
        let error = Error::TooMany { retry_after: WAIT };
        tell(
            429,
            "Too many requests; Retry-After says when.",
            service(error),
        );
    }
    tell(
        500,
        "A fault of ours.",
        service(Error::Internal(String::new())),
    );
    tell(
        503,
        "Not now; Retry-After says when.",
        service(Error::full()),
    );
    all.extend(recorded(route, example));
    all
}

/// 400: a query that isn't known here, and a body that can't be read.
fn misunderstood(route: &Route, example: &Example) -> Told {
    let strange = [("nonsense".to_owned(), "1".to_owned())];
    let mut found: Vec<Refusal> = dispatch::query(route, &strange).err().into_iter().collect();
    found.extend(dispatch::asked(route, &strange, Timestamp::UNIX_EPOCH).err());
    let mut description = "The query can't be understood.";
    if body::limit(route.operation.takes).is_some() {
        description = "The body or the query can't be understood.";
        found.extend(body::read(route.operation.takes, Bytes::from_static(b"\xff")).err());
    }
    (400, description, examples(example, found))
}

/// 409 and 422 depend on data: a test recorded them.
fn recorded(route: &Route, example: &Example) -> Vec<Told> {
    let mut all = Vec::new();
    if !route.conflicts.is_empty() {
        let told = route.conflicts.iter().filter_map(|code| {
            let refused = example.conflicts.get(*code)?;
            Some(((*code).to_owned(), json!({"value": refused})))
        });
        let told = Value::Object(told.collect());
        all.push((409, "It clashes with what is there.", told));
    }
    if body::limit(route.operation.takes).is_some() {
        let told = example.invalid.iter();
        let told = told.map(|refused| ("invalid".to_owned(), json!({"value": refused})));
        let told = Value::Object(told.collect());
        all.push((422, "Understood, but not valid: all faults at once.", told));
    }
    all
}

/// The problems that a caller is told, by the last word of their type.
fn examples(example: &Example, refusals: Vec<Refusal>) -> Value {
    let path = example.path.split('?').next().unwrap_or_default();
    let told = refusals.into_iter().map(|refusal| {
        let problem = problem::document(refusal, path, REQUEST_ID);
        (problem.code().to_owned(), json!({"value": problem}))
    });
    Value::Object(told.collect())
}

/// Name, type, whether it is always there where it stands, what it says.
const HEADERS: [(&str, &str, bool, &str); 14] = [
    (
        "X-Request-Id",
        "string",
        true,
        "The caller's own sane id, or a new one.",
    ),
    ("API-Version", "string", true, "1."),
    (
        "RateLimit-Limit",
        "integer",
        false,
        "Calls in a window; like its like absent where limits are off.",
    ),
    ("RateLimit-Remaining", "integer", false, "Calls left now."),
    (
        "RateLimit-Reset",
        "integer",
        false,
        "Seconds until the budget is whole again.",
    ),
    (
        "RateLimit-Policy",
        "string",
        false,
        "The budget and its window in seconds.",
    ),
    ("Retry-After", "integer", true, "Seconds to wait."),
    ("WWW-Authenticate", "string", true, "How to authenticate."),
    ("Location", "string", true, "Where it is from now on."),
    (
        "ETag",
        "string",
        true,
        "A weak validator; send it as If-None-Match.",
    ),
    (
        "Vary",
        "string",
        true,
        "What else decides about the answer.",
    ),
    ("Cache-Control", "string", false, "Whether it may be kept."),
    (
        "Link",
        "string",
        false,
        "The links of the envelope, where the answer is CSV.",
    ),
    (
        "Content-Disposition",
        "string",
        false,
        "A name to save it under, where the answer is CSV.",
    ),
];

/// All headers, for the components.
pub fn headers() -> Value {
    let all = HEADERS.iter().map(|(name, kind, always, about)| {
        let header = json!({"description": about, "required": always, "schema": {"type": kind}});
        ((*name).to_owned(), header)
    });
    Value::Object(all.collect())
}

fn header_references(route: &Route, status: u16) -> Value {
    let reads = route.method == Method::GET;
    let stands = |name: &str| match name {
        "API-Version" => route.full_path().starts_with("/api/"),
        "Retry-After" => matches!(status, 429 | 503),
        "WWW-Authenticate" => status == 401,
        "Location" => matches!(status, 201 | 202),
        // A long report has none.
        "ETag" if status == 200 && matches!(route.operation.gives, Gives::Report(_)) => false,
        "ETag" | "Vary" => reads && matches!(status, 200 | 304),
        "Content-Disposition" => {
            let gives = route.operation.gives;
            status == 200 && matches!(gives, Gives::Page(..) | Gives::Report(_))
        }
        "Link" => status == 200 && matches!(route.operation.gives, Gives::Page(..)),
        name if name.starts_with("RateLimit-") => route.tier != Tier::Free,
        _ => true,
    };
    let all = HEADERS.iter().filter(|(name, ..)| stands(name));
    let all = all.map(|(name, ..)| {
        let reference = json!({"$ref": format!("#/components/headers/{name}")});
        ((*name).to_owned(), reference)
    });
    Value::Object(all.collect())
}
