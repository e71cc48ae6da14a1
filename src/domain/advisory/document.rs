//! An advisory as an OSV document of Drupal's advisory database. Knows nothing of how it is compared.

use serde_json::Value;

use super::node::Refused;
use super::record::{Record, Span};
use super::{Advisory, id, plain};
use crate::domain::inventory::is_project_name;

const LONGEST_TITLE: usize = 300;
const MOST_SPANS: usize = 500;
const LONGEST_VERSION: usize = 100;

/// Whether a document is one of OSV's.
pub fn is_osv(document: &Value) -> bool {
    document.get("affected").is_some() || document.get("schema_version").is_some()
}

impl Advisory {
    /// The advisory of an OSV document, under the id that the document itself uses; `None` where it was
    /// taken back.
    ///
    /// # Errors
    /// Why it is of no use.
    pub fn from_osv(document: &Value) -> Result<Option<Self>, Refused> {
        let id = text(document, "id").ok_or(Refused::NoId)?;
        let record = under(id.to_owned(), document)?;
        Ok((!record.withdrawn).then(|| Self::of(&record)))
    }
}

/// Reads a document.
///
/// # Errors
/// Why it is of no use.
pub fn read(document: &Value) -> Result<Record, Refused> {
    let named = text(document, "id").ok_or(Refused::NoId)?;
    // The database writes DRUPAL-CONTRIB-2025-125 for SA-CONTRIB-2025-125.
    let id = id::find(&named.replacen("DRUPAL-", "SA-", 1))
        .or_else(|| id::find(named))
        .ok_or(Refused::NoId)?;
    under(id, document)
}

/// Reads a document that is known by an id.
fn under(id: String, document: &Value) -> Result<Record, Refused> {
    let published = date(document, "published")?;
    let changed = date(document, "modified")?;
    let published = published.or(changed).ok_or(Refused::NoDate)?;
    let affected = document.get("affected").and_then(Value::as_array);
    let affected = affected.map(Vec::as_slice).unwrap_or_default();
    let project = project(affected)?;
    let (ranges, cut) = ranges(affected);
    let affected_versions = constraint(affected);
    let stated = affected.iter().any(|entry| {
        let specific = entry.get("database_specific");
        specific
            .and_then(|of| of.get("affected_versions"))
            .is_some_and(Value::is_string)
            || entry
                .get("versions")
                .is_some_and(|versions| *versions != Value::Array(Vec::new()))
    });
    let aliases = document.get("aliases").and_then(Value::as_array);
    let aliases = aliases.into_iter().flatten().filter_map(Value::as_str);
    Ok(Record {
        title: plain::of_markup(text(document, "summary").unwrap_or_default(), LONGEST_TITLE),
        kind: String::new(),
        psa: id.starts_with("PSA-"),
        vector: None,
        score: None,
        cves: id::cves(aliases),
        changed: changed.unwrap_or(published),
        lost_versions: (cut || stated) && affected_versions.is_none() && ranges.is_none(),
        affected_versions,
        ranges,
        fixed_in: Vec::new(),
        url: id::safe_url(link(document), &id),
        nid: None,
        project_nid: None,
        withdrawn: document.get("withdrawn").is_some_and(Value::is_string),
        project,
        published,
        id,
    })
}

fn date(document: &Value, name: &'static str) -> Result<Option<i64>, Refused> {
    match document.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let at = value
                .as_str()
                .and_then(|text| text.parse::<jiff::Timestamp>().ok());
            let at = at.ok_or(Refused::WrongType(name))?.as_second();
            if at < 0 {
                return Err(Refused::DateOutOfRange(at));
            }
            Ok(Some(at))
        }
    }
}

fn text<'a>(document: &'a Value, name: &str) -> Option<&'a str> {
    document.get(name)?.as_str()
}

/// The one project that all entries are about. An advisory is kept with one: of a document about several,
/// some would be forgotten.
fn project(entries: &[Value]) -> Result<String, Refused> {
    let mut found = None;
    for entry in entries {
        let name = entry
            .get("package")
            .and_then(|package| text(package, "name"));
        let project = match name.and_then(|name| name.strip_prefix("drupal/")) {
            Some("core" | "drupal") => "drupal",
            Some(name) if is_project_name(name) => name,
            _ => return Err(Refused::NoProject),
        };
        if found.is_some_and(|other| other != project) {
            return Err(Refused::SeveralProjects);
        }
        found = Some(project);
    }
    found.map(str::to_owned).ok_or(Refused::NoProject)
}

/// What drupal.org states, of all entries.
fn constraint(entries: &[Value]) -> Option<String> {
    let stated = entries.iter().filter_map(|entry| {
        let text = entry
            .get("database_specific")?
            .get("affected_versions")?
            .as_str()?;
        Some(text.trim()).filter(|text| !text.is_empty())
    });
    let joined = stated.collect::<Vec<_>>().join(" || ");
    (!joined.is_empty() && joined.len() <= 4_000).then_some(joined)
}

/// The spans of all entries, and whether some could not be kept: then none are, for half of them would be
/// wrong. `None`: there are none.
fn ranges(entries: &[Value]) -> (Option<Vec<Span>>, bool) {
    let mut all = Vec::new();
    for entry in entries {
        match spans(entry) {
            Some(spans) => all.extend(spans),
            None => return (None, true),
        }
    }
    if all.len() > MOST_SPANS {
        return (None, true);
    }
    let none = all.is_empty();
    ((!none).then_some(all), false)
}

/// Each introduction with the end that follows it; `None`: there are more than can be kept.
fn spans(entry: &Value) -> Option<Vec<Span>> {
    let list = |value: &Value, name: &str| -> Vec<Value> {
        value
            .get(name)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let mut spans = Vec::new();
    let ranges = list(entry, "ranges");
    if ranges.len() > MOST_SPANS {
        return None;
    }
    for range in &ranges {
        let mut open: Vec<Span> = Vec::new();
        let events = list(range, "events");
        if events.len() > MOST_SPANS || events.iter().any(is_too_long) {
            return None;
        }
        for event in &events {
            let text = |name: &str| event.get(name).and_then(Value::as_str).map(str::to_owned);
            let (introduced, fixed, last_affected) =
                (text("introduced"), text("fixed"), text("last_affected"));
            if introduced.is_some() {
                open.push(Span {
                    introduced,
                    fixed: None,
                    last_affected: None,
                });
            }
            if fixed.is_none() && last_affected.is_none() {
                continue;
            }
            if open.is_empty() {
                open.push(Span {
                    introduced: Some("0".to_owned()),
                    fixed: None,
                    last_affected: None,
                });
            }
            if let Some(span) = open.last_mut() {
                (span.fixed, span.last_affected) = (fixed, last_affected);
            }
        }
        spans.append(&mut open);
    }
    Some(spans)
}

/// A version that nobody writes.
fn is_too_long(event: &Value) -> bool {
    ["introduced", "fixed", "last_affected"]
        .into_iter()
        .filter_map(|name| event.get(name)?.as_str())
        .any(|text| text.len() > LONGEST_VERSION)
}

fn link(document: &Value) -> Option<&str> {
    let references = document.get("references")?.as_array()?;
    references
        .iter()
        .find_map(|reference| reference.get("url")?.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn document() -> Value {
        json!({
            "schema_version": "1.7.0", "id": "DRUPAL-CONTRIB-2026-125",
            "published": "2026-12-10T17:53:01.000Z", "modified": "2026-12-10T19:09:57.000Z",
            "aliases": ["CVE-2026-14472"],
            "affected": [{
                "package": {"ecosystem": "Packagist:https://packages.drupal.org/8", "name": "drupal/rope"},
                "ranges": [
                    {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.6.4"}]},
                    {"type": "ECOSYSTEM", "events": [{"introduced": "3.7.0"}, {"last_affected": "3.7.3"}]},
                ],
                "database_specific": {"affected_versions": "<3.6.4 || >=3.7.0 <=3.7.3"},
            }],
            "references": [{"type": "WEB", "url": "https://www.drupal.org/sa-contrib-2026-125"}],
        })
    }

    #[test]
    fn a_document_becomes_a_record() {
        let record = read(&document()).unwrap();
        assert_eq!(record.id, "SA-CONTRIB-2026-125");
        assert_eq!(record.project, "rope");
        assert_eq!(record.cves, ["CVE-2026-14472"]);
        assert_eq!(
            (record.published, record.changed),
            (1_796_925_181, 1_796_929_797)
        );
        assert_eq!(
            record.affected_versions.as_deref(),
            Some("<3.6.4 || >=3.7.0 <=3.7.3")
        );
        let spans = record.ranges.unwrap();
        assert_eq!(spans[0].fixed.as_deref(), Some("3.6.4"));
        assert_eq!(spans[1].last_affected.as_deref(), Some("3.7.3"));
        assert!(!record.withdrawn);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let changed = |name: &str, value: Value| {
            let mut document = document();
            document[name] = value;
            read(&document)
        };
        assert_eq!(changed("id", json!(7)), Err(Refused::NoId));
        assert_eq!(changed("id", json!("GHSA-1234")), Err(Refused::NoId));
        assert_eq!(
            changed("published", json!("soon")),
            Err(Refused::WrongType("published"))
        );
        assert_eq!(changed("affected", json!([])), Err(Refused::NoProject));
        assert_eq!(
            changed("affected", json!([{"package": {"name": "vendor/thing"}}])),
            Err(Refused::NoProject)
        );
        let both = |left: &str, right: &str| {
            let entry = |name: &str| json!({"package": {"name": name}});
            changed("affected", json!([entry(left), entry(right)]))
        };
        assert_eq!(
            both("drupal/rope", "drupal/knot"),
            Err(Refused::SeveralProjects)
        );
        assert_eq!(
            both("drupal/core", "drupal/drupal").unwrap().project,
            "drupal"
        );
        assert!(
            changed("withdrawn", json!("2027-01-01T00:00:00Z"))
                .unwrap()
                .withdrawn
        );
        let core = changed("affected", json!([{"package": {"name": "drupal/core"}}])).unwrap();
        assert_eq!(
            (core.project.as_str(), core.affected_versions),
            ("drupal", None)
        );
    }

    proptest! {
        #[test]
        fn no_damage_panics(at in 0..40_usize, junk in "[\\[\\]{}\",:0-9a-z]{0,6}") {
            let text = document().to_string();
            let cut = text.floor_char_boundary(at * text.len() / 40);
            for broken in [format!("{}{junk}", &text[..cut]), format!("{}{junk}{}", &text[..cut], &text[cut..])] {
                if let Ok(value) = serde_json::from_str::<Value>(&broken) {
                    let _ = read(&value);
                }
            }
        }
    }
}
