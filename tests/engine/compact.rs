//! The compact form of the fixtures, in full again. The benchmark reads them too.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use dewline::domain::prepared::Prepared;
use dewline::domain::release_history::{Document, Release, ReleaseHistory};
use serde_json::Value;

/// Where the fixtures are.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/engine")
}

/// The lines of a file of JSON lines.
pub fn lines(path: &Path) -> Vec<Value> {
    let text =
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The documents of the fixtures by their id.
pub fn documents() -> HashMap<String, Document> {
    let read = |line: Value| {
        let id = line["id"].as_str().unwrap().to_owned();
        let document = match &line["history"] {
            Value::String(word) if word == "not-fetched" => Document::NotFetched,
            Value::String(_) => Document::Unparsable,
            history => Document::Stored(expanded(history)),
        };
        (id, document)
    };
    lines(&folder().join("histories.jsonl"))
        .into_iter()
        .map(read)
        .collect()
}

/// A document as it is judged against; `None` for one that failed to download.
pub fn ready(document: &Document) -> Option<Prepared> {
    match document {
        Document::NotFetched => None,
        Document::Unparsable => Some(Prepared::unreadable()),
        Document::Stored(history) => Some(Prepared::new(history)),
    }
}

/// A compact history in full.
fn expanded(compact: &Value) -> ReleaseHistory {
    let releases = compact["releases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| match row {
            Value::Array(row) => {
                let text = |at: usize| row.get(at).and_then(Value::as_str);
                let core_compatibility = text(3).map(str::to_owned);
                Release {
                    core_compatibility,
                    ..release(text(0).unwrap(), text(1), text(2).unwrap())
                }
            }
            stored => serde_json::from_value(stored.clone()).unwrap(),
        });
    let releases = releases.collect();
    let mut bare = compact.clone();
    bare["releases"] = Value::Array(Vec::new());
    ReleaseHistory {
        releases,
        ..serde_json::from_value(bare).unwrap()
    }
}

/// A release that core accepts; the flags are those of the fixtures.
pub fn release(version: &str, date: Option<&str>, flags: &str) -> Release {
    let types = [
        ('S', "Security update"),
        ('I', "Insecure"),
        ('U', "Unsupported"),
    ];
    let types: Vec<String> = types
        .iter()
        .filter(|(flag, _)| flags.contains(*flag))
        .map(|(_, name)| (*name).to_owned())
        .collect();
    Release {
        key: version.to_owned(),
        status: Some(
            if flags.starts_with('u') {
                "unpublished"
            } else {
                "published"
            }
            .to_owned(),
        ),
        date: date.map(str::to_owned),
        release_link: Some("https://example.com/release".to_owned()),
        terms: if types.is_empty() {
            Vec::new()
        } else {
            vec![("Release type".to_owned(), types)]
        },
        ..Release::default()
    }
}
