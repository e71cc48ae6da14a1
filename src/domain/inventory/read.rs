//! From bytes to an inventory. The common case is one pass over the text; only where a type is
//! wrong the document is walked again, to say everything that is wrong with it at once.

use serde::Deserialize;
use serde_json::Value;

use super::{Fault, Inventory, RawInventory};
use crate::domain::composer_lock::{self, Lock};
use crate::domain::text;

const NO_LOCK: &str = "must be an object: a composer.lock";

/// Why there is no inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unread {
    /// It isn't what it claims to be.
    Unreadable(String),
    /// It is, but things are wrong with it.
    Invalid(Vec<Fault>),
}

/// Reads the body of a sync.
///
/// # Errors
/// [`Unread`], with all faults at once.
pub fn inventory(bytes: &[u8]) -> Result<Inventory, Unread> {
    let text = utf8(bytes)?;
    match serde_json::from_str::<RawInventory<'_>>(text) {
        Ok(raw) => Inventory::build(&raw).map_err(Unread::Invalid),
        Err(first) => Err(explain(text, &first)),
    }
}

/// Reads a raw `composer.lock`.
///
/// # Errors
/// [`Unread`], with all faults at once.
pub fn lock(bytes: &[u8]) -> Result<Inventory, Unread> {
    let text = utf8(bytes)?;
    match serde_json::from_str::<Lock<'_>>(text) {
        Ok(lock) => composer_lock::read(&lock).map_err(Unread::Invalid),
        Err(first) => {
            let value = json(text)?;
            let faults = lock_faults(&value);
            Err(if faults.is_empty() {
                Unread::Unreadable(format!("not a composer.lock: {}", told(&first)))
            } else {
                Unread::Invalid(faults)
            })
        }
    }
}

fn no_object(words: &'static str) -> Vec<Fault> {
    vec![Fault::new("", "wrong_type", words)]
}

fn utf8(bytes: &[u8]) -> Result<&str, Unread> {
    std::str::from_utf8(bytes).map_err(|error| {
        Unread::Unreadable(format!(
            "the body is not UTF-8: the byte at {} is wrong",
            error.valid_up_to()
        ))
    })
}

fn json(text: &str) -> Result<Value, Unread> {
    serde_json::from_str(text)
        .map_err(|error| Unread::Unreadable(format!("the body is not JSON: {}", told(&error))))
}

/// The parser's words may quote what was sent, and a lock may hold secrets: keep the place only.
fn told(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Eof => "it ends too early",
        serde_json::error::Category::Syntax => {
            "a character that doesn't belong there, or too deep a nesting"
        }
        serde_json::error::Category::Data => "a field twice, or a value of another type",
        serde_json::error::Category::Io => "it could not be read",
    };
    format!(
        "{what}, at line {}, column {}",
        error.line(),
        error.column()
    )
}

/// Says everything that is wrong with a document that didn't fit.
fn explain(text: &str, first: &serde_json::Error) -> Unread {
    let mut value = match json(text) {
        Ok(value) => value,
        Err(unread) => return unread,
    };
    let mut faults = repair(&mut value);
    if let Ok(raw) = <RawInventory<'_> as Deserialize>::deserialize(value)
        && let Err(more) = Inventory::build(&raw)
    {
        faults.extend(more);
    }
    if faults.is_empty() {
        return Unread::Unreadable(format!("the body doesn't fit: {}", told(first)));
    }
    Unread::Invalid(faults)
}

/// The types that a field can have.
#[derive(Clone, Copy)]
enum Type {
    Text,
    Whole,
    Switch,
    Object,
    Texts,
}

impl Type {
    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::Whole => value.is_i64(),
            Self::Switch => value.is_boolean(),
            Self::Object => value.is_object(),
            Self::Texts => value
                .as_array()
                .is_some_and(|list| list.iter().all(Value::is_string)),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Whole => "a whole number",
            Self::Switch => "true or false",
            Self::Object => "an object",
            Self::Texts => "a list of texts",
        }
    }
}

const TOP: &[(&str, Type)] = &[
    ("generated_at", Type::Text),
    ("agent", Type::Object),
    ("site", Type::Object),
];
const AGENT: &[(&str, Type)] = &[("name", Type::Text), ("version", Type::Text)];
const SITE: &[(&str, Type)] = &[
    ("url", Type::Text),
    ("instance", Type::Text),
    ("drupal_version", Type::Text),
    ("php_version", Type::Text),
    ("database", Type::Object),
    ("install_profile", Type::Text),
    ("cron_last_run", Type::Text),
    ("status_report", Type::Object),
];
const DATABASE: &[(&str, Type)] = &[("driver", Type::Text), ("version", Type::Text)];
const REPORT: &[(&str, Type)] = &[("errors", Type::Whole), ("warnings", Type::Whole)];
const ENTRY: &[(&str, Type)] = &[
    ("title", Type::Text),
    ("type", Type::Text),
    ("version", Type::Text),
    ("enabled", Type::Switch),
    ("datestamp", Type::Whole),
    ("composer", Type::Text),
    ("components", Type::Texts),
    ("project", Type::Text),
    ("custom", Type::Switch),
];

/// Takes out what has a wrong type, so that the rest can be checked too.
fn repair(value: &mut Value) -> Vec<Fault> {
    let mut faults = Vec::new();
    if !value.is_object() {
        return no_object("must be an object");
    }
    optional(value, "", TOP, &mut faults);
    for (name, fields) in [("agent", AGENT), ("site", SITE)] {
        if let Some(part) = value.get_mut(name) {
            optional(part, &format!("/{name}"), fields, &mut faults);
        }
    }
    for (name, fields) in [("database", DATABASE), ("status_report", REPORT)] {
        if let Some(part) = value.pointer_mut(&format!("/site/{name}")) {
            optional(part, &format!("/site/{name}"), fields, &mut faults);
        }
    }
    required(
        value,
        "",
        "schema",
        Type::Whole,
        Value::from(1),
        &mut faults,
    );
    match value.get_mut("modules") {
        Some(Value::Array(entries)) => {
            for (index, entry) in entries.iter_mut().enumerate() {
                repair_entry(entry, index, &mut faults);
            }
        }
        Some(_) => faults.push(wrong("/modules", "a list")),
        None => faults.push(missing("/modules")),
    }
    faults
}

fn repair_entry(entry: &mut Value, index: usize, faults: &mut Vec<Fault>) {
    let place = format!("/modules/{index}");
    let stand_in = || Value::from(format!("x{index}"));
    if !entry.is_object() {
        faults.push(wrong(&place, "an object"));
        *entry = serde_json::json!({ "name": stand_in() });
        return;
    }
    optional(entry, &place, ENTRY, faults);
    required(entry, &place, "name", Type::Text, stand_in(), faults);
}

/// Takes out optional fields of a wrong type. A null is as good as nothing.
fn optional(value: &mut Value, place: &str, fields: &[(&str, Type)], faults: &mut Vec<Fault>) {
    let Some(object) = value.as_object_mut() else {
        return;
    };
    for (name, kind) in fields {
        if object
            .get(*name)
            .is_some_and(|value| !value.is_null() && !kind.fits(value))
        {
            faults.push(wrong(&format!("{place}/{name}"), kind.words()));
            object.remove(*name);
        }
    }
}

fn required(
    value: &mut Value,
    place: &str,
    name: &str,
    kind: Type,
    stand_in: Value,
    faults: &mut Vec<Fault>,
) {
    let Some(object) = value.as_object_mut() else {
        return;
    };
    let place = format!("{place}/{name}");
    match object.get(name) {
        Some(value) if kind.fits(value) => return,
        Some(_) => faults.push(wrong(&place, kind.words())),
        None => faults.push(missing(&place)),
    }
    object.insert(name.to_owned(), stand_in);
}

fn wrong(place: &str, right: &str) -> Fault {
    Fault::new(place, "wrong_type", format!("must be {right}"))
}

fn missing(place: &str) -> Fault {
    Fault::new(place, "required", "is missing")
}

/// What is wrong with the types of a lock.
fn lock_faults(value: &Value) -> Vec<Fault> {
    if !value.is_object() {
        return no_object(NO_LOCK);
    }
    let mut faults = Vec::new();
    for list in ["packages", "packages-dev"] {
        let place = format!("/{list}");
        match value.get(list) {
            None | Some(Value::Null) => {}
            Some(Value::Array(packages)) => {
                for (index, package) in packages.iter().enumerate() {
                    package_faults(package, &format!("{place}/{index}"), &mut faults);
                }
            }
            Some(_) => faults.push(wrong(&place, "a list")),
        }
    }
    faults
}

fn package_faults(package: &Value, place: &str, faults: &mut Vec<Fault>) {
    if !package.is_object() {
        faults.push(wrong(place, "an object"));
        return;
    }
    for name in ["name", "version"] {
        match package.get(name) {
            Some(Value::String(_)) => {}
            Some(_) => faults.push(wrong(&format!("{place}/{name}"), "a text")),
            None => faults.push(missing(&format!("{place}/{name}"))),
        }
    }
    if package
        .get("type")
        .is_some_and(|kind| !kind.is_string() && !kind.is_null())
    {
        faults.push(wrong(&format!("{place}/type"), "a text"));
    }
}

/// A short, harmless picture of a text, for messages.
pub(super) fn shown(text: &str) -> String {
    // An address may hold a name and a password.
    if text.contains('@') || text.contains("//") {
        return "the text".to_owned();
    }
    text::quoted(text, 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointers(body: &str) -> Vec<String> {
        match inventory(body.as_bytes()) {
            Err(Unread::Invalid(faults)) => faults.into_iter().map(|f| f.pointer).collect(),
            other => panic!("not invalid: {other:?}"),
        }
    }

    #[test]
    fn every_wrong_type_and_every_wrong_value_is_named_at_once() {
        let body = r#"{"schema": "1", "generated_at": 5, "site": {"url": 3, "database": []},
            "modules": [{"name": 1}, {"version": "1"}, "x", {"name": "token", "enabled": "yes"},
                        {"name": "Bad Name"}, {"name": "token"}]}"#;
        let mut found = pointers(body);
        found.sort();
        assert_eq!(
            found,
            [
                "/generated_at",
                "/modules/0/name",
                "/modules/1/name",
                "/modules/2",
                "/modules/3/enabled",
                "/modules/4/name",
                "/modules/5/name",
                "/schema",
                "/site/database",
                "/site/url",
            ]
        );
    }

    #[test]
    fn a_list_of_the_values_is_no_object_at_any_level() {
        for (body, place) in [
            (r#"[1, null, null, null, []]"#, ""),
            (r#"{"schema": 1, "agent": [], "modules": []}"#, "/agent"),
            (
                r#"{"schema": 1, "agent": ["drush", "1"], "modules": []}"#,
                "/agent",
            ),
            (r#"{"schema": 1, "site": [], "modules": []}"#, "/site"),
            (
                r#"{"schema": 1, "site": [null, null, null, null, null, null, null, null], "modules": []}"#,
                "/site",
            ),
            (
                r#"{"schema": 1, "site": {"database": []}, "modules": []}"#,
                "/site/database",
            ),
            (
                r#"{"schema": 1, "site": {"database": ["mysql", "8.0"]}, "modules": []}"#,
                "/site/database",
            ),
            (
                r#"{"schema": 1, "site": {"status_report": [0, 2]}, "modules": []}"#,
                "/site/status_report",
            ),
            (r#"{"schema": 1, "modules": [[]]}"#, "/modules/0"),
            (
                r#"{"schema": 1, "modules": [{"name": "a"}, ["token", null, null, "1.0", null, null, null, null, null, null]]}"#,
                "/modules/1",
            ),
        ] {
            assert_eq!(pointers(body), [place], "{body}");
        }
    }

    #[test]
    fn a_list_of_the_values_is_no_part_of_a_lock() {
        let core = r#"["drupal/core", "10.3.1", "drupal-core", null]"#;
        for (body, place) in [
            ("[[], []]".to_owned(), ""),
            (format!(r#"{{"packages": [{core}]}}"#), "/packages/0"),
            (
                format!(r#"{{"packages": [], "packages-dev": [{core}]}}"#),
                "/packages-dev/0",
            ),
        ] {
            let Err(Unread::Invalid(faults)) = lock(body.as_bytes()) else {
                panic!("{body} was read");
            };
            assert_eq!(
                (faults.len(), faults[0].pointer.as_str()),
                (1, place),
                "{body}"
            );
        }
    }

    #[test]
    fn what_is_no_json_is_unreadable_and_never_quoted() {
        for body in ["", "{", "[1,", "{\"a\": secret}"] {
            let Err(Unread::Unreadable(words)) = inventory(body.as_bytes()) else {
                panic!("{body} was read");
            };
            assert!(!words.contains("secret"));
        }
        assert!(
            matches!(inventory(b"{\"a\": \"\xff\"}"), Err(Unread::Unreadable(w)) if w.contains("UTF-8"))
        );
    }

    #[test]
    fn deep_nesting_is_refused() {
        let body = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(matches!(
            inventory(body.as_bytes()),
            Err(Unread::Unreadable(_))
        ));
    }

    #[test]
    fn a_field_twice_is_unreadable() {
        let body = r#"{"schema": 1, "schema": 1, "modules": []}"#;
        assert!(matches!(
            inventory(body.as_bytes()),
            Err(Unread::Unreadable(_))
        ));
    }

    #[test]
    fn unknown_fields_are_ignored() {
        let body = r#"{"schema": 1, "future": {"x": []}, "modules": [{"name": "drupal", "type": "core", "new": 1}]}"#;
        assert_eq!(inventory(body.as_bytes()).unwrap().entries.len(), 1);
    }
}
