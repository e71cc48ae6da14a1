//! The reference as a Postman collection: the OpenAPI document in another form, and nothing that isn't
//! in it. Sign in by its first folder, and all other requests carry the token.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::DOCUMENT;
use crate::http::call::{Answer, Call};
use crate::http::route::{Gives, Operation, Takes};
use crate::services::Result;

const SCHEMA: &str = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";
/// What signs in, and what keeps one signed in: what they answer goes into the collection's variables.
const SIGN_IN: [&str; 2] = ["login", "refresh"];

static TEXT: LazyLock<String> = LazyLock::new(|| collection().to_string());

/// `GET /api/postman.json`.
pub const SHOW: Operation = Operation {
    name: "postman",
    summary: "This reference as a Postman collection",
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

/// The collection, in the form v2.1: a folder for each tag, in the document's order.
pub fn collection() -> Value {
    let mut folders: Vec<(String, Vec<Value>)> = Vec::new();
    for (path, methods) in members(at(&DOCUMENT, "/paths")) {
        for (method, operation) in members(methods) {
            let tag = text(at(operation, "/tags/0"));
            let item = item(path, method, operation);
            match folders.iter_mut().find(|(name, _)| name == tag) {
                Some((_, items)) => items.push(item),
                None => folders.push((tag.to_owned(), vec![item])),
            }
        }
    }
    let about = at(&DOCUMENT, "/info");
    let folders = folders.into_iter();
    json!({
        "info": {
            "name": at(about, "/title"),
            "version": at(about, "/version"),
            "description": at(about, "/description"),
            "schema": SCHEMA,
        },
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}", "type": "string"}]},
        "variable": [
            {"key": "address", "value": "http://127.0.0.1:8080", "description": "Where Dewline answers."},
            {"key": "token", "value": "", "description": "An access token, or an API key. Signing in sets it."},
            {"key": "refresh_token", "value": "", "description": "Signing in sets it."},
        ],
        "item": folders.map(|(name, item)| json!({"name": name, "item": item})).collect::<Vec<_>>(),
    })
}

fn item(path: &str, method: &str, operation: &Value) -> Value {
    let request = request(path, method, operation);
    let responses = members(at(operation, "/responses"))
        .flat_map(|(status, response)| answers(status, response, &request));
    let mut item = json!({
        "name": at(operation, "/summary"),
        "response": responses.collect::<Vec<_>>(),
        "request": request,
    });
    if SIGN_IN.contains(&text(at(operation, "/operationId"))) {
        let script = [
            "const told = pm.response.json().data;",
            "pm.collectionVariables.set('token', told.access_token);",
            "pm.collectionVariables.set('refresh_token', told.refresh_token);",
        ];
        let script = json!({"type": "text/javascript", "exec": script});
        put(
            &mut item,
            "event",
            json!([{"listen": "test", "script": script}]),
        );
    }
    item
}

fn request(path: &str, method: &str, operation: &Value) -> Value {
    let parameters = at(operation, "/parameters").as_array();
    let parameters = parameters.map(Vec::as_slice).unwrap_or_default();
    let of = |place: &'static str| parameters.iter().filter(move |p| at(p, "/in") == place);
    // Comparisons other than "is" are in the reference; here they would bury the rest.
    let plain = |p: &&Value| text(at(p, "/name")).matches('[').count() < 2;
    let query: Vec<Value> = of("query").filter(plain).map(question).collect();
    let steps: Vec<String> = path
        .trim_start_matches('/')
        .split('/')
        .map(|step| {
            match step
                .strip_prefix('{')
                .and_then(|step| step.strip_suffix('}'))
            {
                Some(name) => format!(":{name}"),
                None => step.to_owned(),
            }
        })
        .collect();
    let mut headers: Vec<Value> = of("header").map(question).collect();
    let body = body(operation);
    if body.is_some() {
        headers.push(json!({"key": "Content-Type", "value": "application/json"}));
    }
    let mut request = json!({
        "method": method.to_uppercase(),
        "header": headers,
        "url": {
            "raw": format!("{{{{address}}}}/{}", steps.join("/")),
            "host": ["{{address}}"],
            "path": steps,
            "query": query,
            "variable": of("path").map(variable).collect::<Vec<_>>(),
        },
    });
    if let Some(body) = body {
        put(&mut request, "body", body);
    }
    if *at(operation, "/security") == json!([]) {
        put(&mut request, "auth", json!({"type": "noauth"}));
    }
    if let Some(description) = at(operation, "/description").as_str() {
        put(&mut request, "description", description.into());
    }
    request
}

/// A parameter that isn't sent until somebody wants it.
fn question(parameter: &Value) -> Value {
    json!({
        "key": at(parameter, "/name"),
        "value": written(parameter),
        "description": at(parameter, "/description").as_str().unwrap_or_default(),
        "disabled": true,
    })
}

fn variable(parameter: &Value) -> Value {
    json!({
        "key": at(parameter, "/name"),
        "value": written(parameter),
        "description": at(parameter, "/description").as_str().unwrap_or_default(),
    })
}

/// The value that the document gives as an example, or by default.
fn written(parameter: &Value) -> String {
    let value = match at(parameter, "/example") {
        Value::Null => at(parameter, "/schema/default"),
        value => value,
    };
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// What is sent, as the document's example has it.
fn body(operation: &Value) -> Option<Value> {
    let content = at(operation, "/requestBody/content/application~1json");
    let (_, example) = members(at(content, "/examples")).next()?;
    let mut value = at(example, "/value").clone();
    if text(at(operation, "/operationId")) == "refresh" {
        put(&mut value, "refresh_token", "{{refresh_token}}".into());
    }
    Some(json!({
        "mode": "raw",
        "raw": format!("{value:#}"),
        "options": {"raw": {"language": "json"}},
    }))
}

/// The examples of one answer.
fn answers(status: &str, response: &Value, request: &Value) -> Vec<Value> {
    let told = |(media, content): (&str, &Value)| {
        members(at(content, "/examples"))
            .map(|(name, example)| {
                let body = match at(example, "/value") {
                    Value::String(text) => text.clone(),
                    value => format!("{value:#}"),
                };
                json!({
                    "name": format!("{status} {name}"),
                    "originalRequest": request,
                    "code": status.parse::<u16>().unwrap_or_default(),
                    "status": at(response, "/description"),
                    "header": [{"key": "Content-Type", "value": media}],
                    "body": body,
                })
            })
            .collect::<Vec<_>>()
    };
    members(at(response, "/content")).flat_map(told).collect()
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let members = value.as_object().into_iter().flat_map(Map::iter);
    members.map(|(name, value)| (name.as_str(), value))
}

/// What stands at a JSON pointer; null: nothing.
fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn put(object: &mut Value, name: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}
