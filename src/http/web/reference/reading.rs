//! Reads the OpenAPI document into what the pages of the reference show.

use serde_json::Value;

use super::super::view::reference::{Content, Field, Filter, Operation, Refusal, Resource};

/// Levels of a body that are shown.
const DEPTH: usize = 4;

/// The resources in the order of their names, each with its operations by path.
pub fn resources(document: &Value) -> Vec<Resource> {
    let mut all: Vec<Resource> = Vec::new();
    for (path, methods) in members(document.get("paths")) {
        for (method, operation) in members(Some(methods)) {
            let name = text(operation.pointer("/tags/0"));
            let shown = self::operation(document, path, method, operation);
            match all.iter_mut().find(|resource| resource.name == name) {
                Some(resource) => resource.operations.push(shown),
                None => all.push(Resource {
                    name,
                    operations: vec![shown],
                }),
            }
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

fn operation(document: &Value, path: &str, method: &str, operation: &Value) -> Operation {
    let (answers, refusals) = answers(document, operation);
    Operation {
        name: text(operation.get("operationId")),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(operation.get("summary")),
        description: text(operation.get("description")),
        who: text(operation.get("x-who")),
        parameters: parameters(operation),
        filters: filters(operation),
        request: operation
            .pointer("/requestBody/content")
            .and_then(|content| bodies(document, content).into_iter().next()),
        answers,
        refusals,
    }
}

fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

fn members(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn parameters(operation: &Value) -> Vec<Field> {
    list(operation.get("parameters"))
        .filter(|parameter| filter_name(parameter).is_none())
        .map(|parameter| Field {
            name: text(parameter.get("name")),
            kind: kind(parameter.get("schema").unwrap_or(&Value::Null)),
            required: parameter.get("required") == Some(&Value::Bool(true)),
            about: text(parameter.get("description")),
        })
        .collect()
}

/// `filter[name]` is the field and `eq`; `filter[name][op]` the field and how it is compared.
fn filter_name(parameter: &Value) -> Option<(String, String)> {
    let name = parameter.get("name").and_then(Value::as_str)?;
    let inside = name.strip_prefix("filter[")?.strip_suffix(']')?;
    let (field, operator) = inside.split_once("][").unwrap_or((inside, "eq"));
    Some((field.to_owned(), operator.to_owned()))
}

fn filters(operation: &Value) -> Vec<Filter> {
    let mut all: Vec<Filter> = Vec::new();
    for parameter in list(operation.get("parameters")) {
        let Some((name, operator)) = filter_name(parameter) else {
            continue;
        };
        match all.iter_mut().find(|filter| filter.name == name) {
            Some(filter) => filter.operators.push(operator),
            None => all.push(Filter {
                name,
                kind: kind(parameter.get("schema").unwrap_or(&Value::Null)),
                operators: vec![operator],
            }),
        }
    }
    all
}

fn answers(document: &Value, operation: &Value) -> (Vec<Content>, Vec<Refusal>) {
    let (mut answers, mut refusals) = (Vec::new(), Vec::new());
    for (status, answer) in members(operation.get("responses")) {
        if status.starts_with(['4', '5']) {
            let content = answer.pointer("/content/application~1problem+json");
            let examples = members(content.and_then(|content| content.get("examples")));
            refusals.push(Refusal {
                status: status.clone(),
                about: text(answer.get("description")),
                examples: examples
                    .map(|(code, example)| (code.clone(), pretty(example.get("value"))))
                    .collect(),
            });
            continue;
        }
        let bodies = answer.get("content").map_or_else(
            || vec![Content::default()],
            |content| bodies(document, content),
        );
        answers.extend(bodies.into_iter().map(|content| Content {
            status: status.clone(),
            ..content
        }));
    }
    (answers, refusals)
}

fn bodies(document: &Value, content: &Value) -> Vec<Content> {
    members(Some(content))
        .map(|(media, content)| {
            let mut fields = Vec::new();
            let schema = content.get("schema").unwrap_or(&Value::Null);
            // Of the envelope only what it holds: the rest is the same everywhere.
            let data = schema.pointer("/properties/data").unwrap_or(schema);
            let inside = data.get("items").unwrap_or(data);
            collect(document, inside, "", 0, &mut fields);
            Content {
                status: String::new(),
                media: media.clone(),
                fields,
                example: pretty(content.pointer("/examples/example/value")),
            }
        })
        .collect()
}

fn pretty(value: Option<&Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => serde_json::to_string_pretty(value).unwrap_or_default(),
    }
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let other = list(schema.get("oneOf")).find(|one| one.get("type") != Some(&"null".into()));
    let schema = other.unwrap_or(schema);
    schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| document.pointer(reference.trim_start_matches('#')))
        .unwrap_or(schema)
}

/// The members of a body, those of what stands in it behind a dot.
fn collect(document: &Value, schema: &Value, before: &str, depth: usize, into: &mut Vec<Field>) {
    let here = resolved(document, schema);
    for part in list(here.get("allOf")) {
        collect(document, part, before, depth, into);
    }
    let needed: Vec<&Value> = list(here.get("required"))
        .chain(list(schema.get("required")))
        .collect();
    for (name, member) in members(here.get("properties")) {
        let inside = resolved(document, member);
        let name = format!("{before}{name}");
        let last = name.rsplit(['.', ']']).next().unwrap_or_default();
        into.push(Field {
            kind: kind(if member.get("$ref").is_some() {
                inside
            } else {
                member
            }),
            required: needed.iter().any(|needed| needed.as_str() == Some(last)),
            about: text(member.get("description").or(inside.get("description"))),
            name: name.clone(),
        });
        if depth < DEPTH {
            let (inner, mark) = match inside.get("items") {
                Some(items) => (items, "[]."),
                None => (member, "."),
            };
            collect(document, inner, &format!("{name}{mark}"), depth + 1, into);
        }
    }
}

/// What values a schema describes, in words.
fn kind(schema: &Value) -> String {
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return one_of(words);
    }
    if list(schema.get("oneOf")).any(|one| one.get("$ref").is_some()) {
        return "object or null".to_owned();
    }
    let word = |name: &str| match (name, schema.get("format").and_then(Value::as_str)) {
        ("string", Some("date-time")) => "time".to_owned(),
        ("string", _) if schema.get("anyOf").is_some() => "time or day".to_owned(),
        ("string", _) => "text".to_owned(),
        ("integer", _) => "whole number".to_owned(),
        ("boolean", _) => "true or false".to_owned(),
        ("array", _) => match schema.get("items") {
            Some(items) if items.get("enum").is_some() => format!("list of {}", kind(items)),
            Some(items) if items.get("type").is_some() => format!("list: {}", kind(items)),
            _ => "list of objects".to_owned(),
        },
        (other, _) => other.to_owned(),
    };
    match schema.get("type") {
        Some(Value::String(name)) => word(name) + &bounds(schema),
        Some(Value::Array(names)) => {
            let words: Vec<String> = names.iter().filter_map(Value::as_str).map(word).collect();
            words.join(" or ")
        }
        _ => "object".to_owned(),
    }
}

fn one_of(words: &[Value]) -> String {
    let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

fn bounds(schema: &Value) -> String {
    let number = |name: &str| schema.get(name).and_then(Value::as_i64);
    match (number("minimum"), number("maximum")) {
        (Some(least), Some(most)) => format!(", {least} to {most}"),
        (Some(least), None) => format!(" from {least}"),
        _ => String::new(),
    }
}
