//! The parameters of an operation, each with its closed set: what stands in its path, and what its
//! list can be asked.

use serde_json::{Value, json};
use url::form_urlencoded;

use super::examples::Example;
use crate::domain::listing::{
    Field, IN_MAX, Kind, List, Op, PAGE_MAX, PER_PAGE, PER_PAGE_MAX, SORTS_MAX, TEXT_MAX,
};
use crate::domain::report::{
    Covers, DAYS, DAYS_MAX, ENVIRONMENT_WORDS, Filter, RISK_WORDS, Report,
};
use crate::http::route::{Gives, Route, Scope};

/// All of them, with the values that the example has.
pub fn of(route: &Route, example: &Example) -> Vec<Value> {
    let (path, asked) = example.path.split_once('?').unwrap_or((&example.path, ""));
    let asked: Vec<(String, String)> = form_urlencoded::parse(asked.as_bytes())
        .into_owned()
        .collect();
    let template = route.full_path();
    let mut all: Vec<Value> = template
        .split('/')
        .enumerate()
        .filter_map(|(at, part)| Some((at, part.strip_prefix('{')?.strip_suffix('}')?)))
        .map(|(at, name)| {
            let schema = named(route);
            let mut parameter =
                json!({"name": name, "in": "path", "required": true, "schema": schema});
            if let Some(value) = path.split('/').nth(at) {
                exemplify(&mut parameter, value);
            }
            parameter
        })
        .collect();
    let asks = match route.operation.gives {
        Gives::Page(list, _) => list_parameters(list),
        Gives::Report(report) => report_parameters(report),
        _ => Vec::new(),
    };
    if !asks.is_empty() {
        all.extend(asks);
        for parameter in &mut all {
            let given = asked.iter().find(|(name, _)| parameter["name"] == **name);
            if let Some((_, value)) = given {
                exemplify(parameter, value);
            }
        }
    }
    all
}

/// The value as the parameter's schema has it: a number, a list, or a text.
fn exemplify(parameter: &mut Value, value: &str) {
    let value = match parameter.pointer("/schema/type").and_then(Value::as_str) {
        Some("integer") => value
            .parse::<i64>()
            .map_or_else(|_| json!(value), |n| json!(n)),
        Some("boolean") => json!(value == "true"),
        Some("array") => json!(value.split(',').collect::<Vec<_>>()),
        _ => json!(value),
    };
    if let Some(fields) = parameter.as_object_mut() {
        fields.insert("example".to_owned(), value);
    }
}

/// What stands in the path: a number, or a name.
fn named(route: &Route) -> Value {
    match route.scope {
        Scope::Called(..) => json!({"type": "string", "minLength": 1, "maxLength": 64}),
        _ => json!({"type": "integer", "format": "int64", "minimum": 1}),
    }
}

fn report_parameters(report: &Report) -> Vec<Value> {
    let mut all = Vec::new();
    if report.takes_time() {
        let more = match report.covers {
            Covers::Running => {
                " It tells of now: a time leaves the sites on which a version ran before the end."
            }
            Covers::Days => " Whole days (UTC) are told.",
            Covers::Time | Covers::Now => "",
        };
        let last = format!(
            "Until just before then, or until the end of that day; now by default. At most {DAYS_MAX} days after from.{more}"
        );
        let first = format!("From then on; {DAYS} days before the end by default.{more}");
        all.push(query("from", &first, &one(Kind::Time)));
        all.push(query("to", &last, &one(Kind::Time)));
    }
    for filter in report.filters {
        let (about, schema) = match filter {
            Filter::Organization | Filter::Site => (
                "What is not in sight leaves nothing.",
                json!({"type": "integer", "format": "int64", "minimum": 1}),
            ),
            Filter::Module => ("A module's name.", text()),
            Filter::Tag => ("Sites with this tag.", text()),
            Filter::Risk => (
                "One risk level.",
                json!({"type": "string", "enum": RISK_WORDS}),
            ),
            Filter::Environment => (
                "One environment, or all.",
                json!({"type": "string", "enum": ENVIRONMENT_WORDS, "default": "production"}),
            ),
        };
        all.push(query(filter.name(), about, &schema));
    }
    all.push(query(
        "format",
        "The envelope, or comma-separated values, which need reports:export, too.",
        &json!({"type": "string", "enum": ["json", "csv"], "default": "json"}),
    ));
    all
}

fn text() -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": TEXT_MAX})
}

fn list_parameters(list: &'static List) -> Vec<Value> {
    let mut sorts: Vec<String> = list.sorts.iter().map(|sort| (*sort).to_owned()).collect();
    sorts.extend(list.sorts.iter().map(|sort| format!("-{sort}")));
    let mut all = vec![
        query(
            "page",
            "The page, from 1.",
            &json!({"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": 1}),
        ),
        query(
            "per_page",
            "Rows on a page.",
            &json!({"type": "integer", "minimum": 1, "maximum": PER_PAGE_MAX, "default": PER_PAGE}),
        ),
        json!({
            "name": "sort", "in": "query", "explode": false,
            "description": format!("Keys of the order, a minus before those that go down; {} by default. Always made total by id.", list.default_sort),
            "schema": {"type": "array", "minItems": 1, "maxItems": SORTS_MAX, "uniqueItems": true, "items": {"type": "string", "enum": sorts}},
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
            "Finds what has this text in its name, title or address, whatever its case.",
            &json!({"type": "string", "maxLength": TEXT_MAX}),
        ));
    }
    for field in list.fields {
        for op in field.operators() {
            let name = match op {
                Op::Eq => format!("filter[{}]", field.name),
                _ => format!("filter[{}][{}]", field.name, op.word()),
            };
            let mut parameter = query(&name, "", &filter_schema(field, op));
            if let (Some(fields), Op::In) = (parameter.as_object_mut(), op) {
                fields.insert("explode".to_owned(), json!(false));
            }
            all.push(parameter);
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
        (Op::In, kind) => {
            json!({"type": "array", "minItems": 1, "maxItems": IN_MAX, "items": one(kind)})
        }
        (_, kind) => one(kind),
    }
}

/// One value of that kind.
fn one(kind: Kind) -> Value {
    match kind {
        Kind::Boolean => json!({"type": "boolean"}),
        Kind::Integer => json!({"type": "integer", "format": "int64"}),
        Kind::Time => json!({
            "type": "string",
            "description": "RFC 3339, or a day as YYYY-MM-DD.",
            "anyOf": [{"format": "date-time"}, {"format": "date"}],
        }),
        Kind::Word(words) => json!({"type": "string", "enum": words}),
        Kind::Text | Kind::Member => json!({"type": "string", "maxLength": TEXT_MAX}),
    }
}
