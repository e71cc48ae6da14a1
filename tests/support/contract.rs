//! Holds every answer of the API against the OpenAPI document and against what the contract says of
//! every answer.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use axum::http::Method;
use jsonschema::Validator;
use serde_json::{Value, json};

use super::Answer;

pub static DOCUMENT: LazyLock<Value> = LazyLock::new(dewline::http::openapi::document);

type Known = HashMap<String, Arc<Validator>>;
static VALIDATORS: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);

/// Panics where an answer isn't what the document says.
pub fn holds(method: &Method, uri: &str, answer: &Answer) {
    let path = uri.split('?').next().unwrap();
    // The reference's pages stand there too.
    if !path.starts_with("/api/") || path.starts_with("/api/docs") {
        return;
    }
    let status = answer.status.as_u16();
    assert_eq!(answer.header("api-version"), "1", "{method} {path}");
    assert!(!answer.header("x-request-id").is_empty(), "{method} {path}");
    if status >= 400 {
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let problem = answer.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["instance"], path);
        assert_eq!(problem["request_id"], answer.header("x-request-id"));
    }
    let Some(operation) = operation(method, path) else {
        assert!(
            matches!(status, 404 | 405),
            "{method} {path} is not in the document"
        );
        return;
    };
    let (template, verb) = operation;
    let responses = &DOCUMENT["paths"][&template][&verb]["responses"];
    let response = &responses[status.to_string()];
    assert!(
        !response.is_null(),
        "{method} {path} answered {status}, which isn't in the document"
    );
    if status == 409 {
        let code = answer.json()["errors"][0]["code"].clone();
        let routes = dewline::http::routes();
        let route = routes.iter().find(|route| {
            route.full_path() == template && route.method.as_str().eq_ignore_ascii_case(&verb)
        });
        assert!(
            route.is_some_and(|route| route.conflicts.contains(&code.as_str().unwrap())),
            "{method} {path} answered 409 {code}, which its line in the table of routes doesn't name"
        );
    }
    for (name, reference) in response["headers"].as_object().unwrap() {
        let pointer = reference["$ref"].as_str().unwrap().trim_start_matches('#');
        let always = DOCUMENT.pointer(pointer).unwrap()["required"] == true;
        let there = answer.headers.contains_key(name.to_lowercase());
        assert!(there || !always, "{method} {path} {status}: no {name}");
    }
    let media = answer.header("content-type").split(';').next().unwrap();
    let schema = &response["content"][media]["schema"];
    if !media.ends_with("json") {
        return;
    }
    assert!(
        !schema.is_null(),
        "{method} {path} answered {media}, which isn't in the document"
    );
    let validator = validator(&format!("{verb} {template} {status}"), schema);
    let body = answer.json();
    let wrong: Vec<String> = validator
        .iter_errors(&body)
        .map(|error| format!("{}: {error}", error.instance_path))
        .collect();
    assert!(
        wrong.is_empty(),
        "{method} {path} answered {status}: {wrong:#?}\n{}",
        answer.text
    );
}

/// The path's template and the method's word, where the document has them.
fn operation(method: &Method, path: &str) -> Option<(String, String)> {
    let wanted: Vec<&str> = path.split('/').collect();
    let verb = method.as_str().to_lowercase();
    let verb = if verb == "head" {
        "get".to_owned()
    } else {
        verb
    };
    DOCUMENT["paths"]
        .as_object()?
        .iter()
        .find_map(|(template, methods)| {
            let parts: Vec<&str> = template.split('/').collect();
            let same = parts.len() == wanted.len()
                && parts
                    .iter()
                    .zip(&wanted)
                    .all(|(part, given)| part.starts_with('{') || part == given);
            (same && !methods[&verb].is_null()).then(|| (template.clone(), verb.clone()))
        })
}

/// A validator of a schema in the document, kept under that name.
pub fn validator(name: &str, schema: &Value) -> Arc<Validator> {
    let mut known = VALIDATORS.lock().unwrap_or_else(|error| error.into_inner());
    let made = || {
        let whole = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "components": DOCUMENT["components"],
            "allOf": [schema],
        });
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .build(&whole)
            .unwrap();
        Arc::new(validator)
    };
    Arc::clone(known.entry(name.to_owned()).or_insert_with(made))
}
