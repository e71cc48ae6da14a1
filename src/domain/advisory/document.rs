//! Advisories as an OSV document of Drupal's advisory database tells them. Knows nothing of where it came
//! from, nor of what anybody runs.

use std::collections::BTreeMap;

use serde_json::Value;

use super::node::Refused;
use super::record::{Record, Span};
use super::{Advisory, Range, id, plain};
use crate::domain::composer::Composer;
use crate::domain::inventory::is_project_name;

const LONGEST_TITLE: usize = 300;
const MOST_SPANS: usize = 500;
const LONGEST_VERSION: usize = 100;
const LONGEST_CONSTRAINT: usize = 4_000;
/// Versions that an entry lists one by one, at most.
const MOST_VERSIONS: usize = 5_000;

/// Whether a document is one of OSV's.
pub fn is_osv(document: &Value) -> bool {
    document.get("affected").is_some() || document.get("schema_version").is_some()
}

impl Advisory {
    /// The advisories of an OSV document, one for each project that it names, under the id that the document
    /// itself uses. None where it was taken back, or is an announcement, which is never matched.
    ///
    /// # Errors
    /// Why it is of no use.
    pub fn from_osv(document: &Value) -> Result<Vec<Self>, Refused> {
        if counts_against_nothing(document) {
            return Ok(Vec::new());
        }
        let id = text(document, "id").ok_or(Refused::NoId)?;
        let records = records(id, document)?;
        Ok(records.iter().map(Self::of).collect())
    }

    /// What must not be forgotten of a document that is of no use: for each project that it names an
    /// advisory that nothing can be compared with.
    pub fn unreadable(document: &Value) -> Vec<Self> {
        let projects = Projects::of(document).entries;
        let lost = projects.into_keys().map(|project| Record {
            id: text(document, "id").unwrap_or_default().to_owned(),
            project,
            // Nobody knows when: no snapshot is newer.
            published: i64::MAX,
            lost_versions: true,
            ..Record::default()
        });
        lost.map(|record| Self::of(&record)).collect()
    }
}

/// Reads a document about one project: an advisory is kept with one, so that of a document about several some
/// would be forgotten.
///
/// # Errors
/// Why it is of no use.
pub fn read(document: &Value) -> Result<Record, Refused> {
    let id = drupals_id(document).ok_or(Refused::NoId)?;
    let mut records = records(&id, document)?;
    match (records.pop(), records.is_empty()) {
        (Some(record), true) => Ok(record),
        (Some(_), false) => Err(Refused::SeveralProjects),
        (None, _) => Err(Refused::NoProject),
    }
}

/// The projects that nothing is known of if a document isn't taken; there may be others that it doesn't
/// name readably. `None`: it counts against no project of drupal.org.
pub fn forgotten_with(document: &Value) -> Option<Vec<String>> {
    let projects = Projects::of(document);
    let foreign = projects.entries.is_empty() && !projects.unreadable;
    (!foreign && !counts_against_nothing(document)).then(|| projects.entries.into_keys().collect())
}

/// The id as drupal.org writes it: the database has DRUPAL-CONTRIB-2025-125 for SA-CONTRIB-2025-125.
fn drupals_id(document: &Value) -> Option<String> {
    let named = text(document, "id")?;
    id::find(&named.replacen("DRUPAL-", "SA-", 1)).or_else(|| id::find(named))
}

fn is_announcement(document: &Value) -> bool {
    drupals_id(document).is_some_and(|id| id.starts_with("PSA-"))
}

fn is_withdrawn(document: &Value) -> bool {
    text(document, "withdrawn").is_some_and(|at| at.parse::<jiff::Timestamp>().is_ok())
}

fn counts_against_nothing(document: &Value) -> bool {
    is_withdrawn(document) || is_announcement(document)
}

/// Reads a document that is known by an id: a record for each project, with what it says of that one.
fn records(id: &str, document: &Value) -> Result<Vec<Record>, Refused> {
    let published = date(document, "published")?;
    let changed = date(document, "modified")?;
    let published = published.or(changed).ok_or(Refused::NoDate)?;
    let projects = Projects::of(document);
    if projects.entries.is_empty() {
        return Err(Refused::NoProject);
    }
    let aliases = document.get("aliases").and_then(Value::as_array);
    let aliases = aliases.into_iter().flatten().filter_map(Value::as_str);
    let common = Record {
        title: plain::of_markup(text(document, "summary").unwrap_or_default(), LONGEST_TITLE),
        psa: is_announcement(document),
        cves: id::cves(aliases),
        changed: changed.unwrap_or(published),
        url: id::safe_url(link(document), id),
        withdrawn: is_withdrawn(document),
        published,
        id: id.to_owned(),
        ..Record::default()
    };
    let record = |(project, entries): (String, Vec<&Value>)| {
        let versions = Versions::of(&entries);
        Record {
            project,
            lost_versions: versions.lost || projects.unreadable,
            affected_versions: versions.constraint,
            ranges: (!versions.spans.is_empty()).then_some(versions.spans),
            ..common.clone()
        }
    };
    Ok(projects.entries.into_iter().map(record).collect())
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

/// A list, which may be absent; `None`: something else stands there.
fn list<'a>(value: &'a Value, name: &str) -> Option<&'a [Value]> {
    match value.get(name) {
        None | Some(Value::Null) => Some(&[]),
        Some(found) => found.as_array().map(Vec::as_slice),
    }
}

/// The projects of drupal.org that a document is about, each with its entries. Packages from elsewhere
/// are passed over.
struct Projects<'a> {
    entries: BTreeMap<String, Vec<&'a Value>>,
    /// Nobody can tell which package some entry is about; it may be any.
    unreadable: bool,
}

impl<'a> Projects<'a> {
    fn of(document: &'a Value) -> Self {
        let affected = list(document, "affected").filter(|entries| !entries.is_empty());
        let mut found = Self {
            entries: BTreeMap::new(),
            unreadable: affected.is_none(),
        };
        for entry in affected.unwrap_or_default() {
            let package = entry.get("package");
            match package.and_then(|package| text(package, "name")) {
                None => found.unreadable = true,
                Some(name) => {
                    if let Some(project) = project(name) {
                        found.entries.entry(project).or_default().push(entry);
                    }
                }
            }
        }
        found
    }
}

/// The project that a package is released from.
fn project(package: &str) -> Option<String> {
    let package = package.to_ascii_lowercase();
    match package.strip_prefix("drupal/")? {
        "core" | "drupal" => Some("drupal".to_owned()),
        name => is_project_name(name).then(|| name.to_owned()),
    }
}

/// The versions that entries about one project name, in all ways that they name them.
#[derive(Default)]
struct Versions {
    spans: Vec<Span>,
    constraint: Option<String>,
    /// They name more than could be kept.
    lost: bool,
}

impl Versions {
    fn of(entries: &[&Value]) -> Self {
        let mut found = Self::default();
        found.take_ranges(entries);
        found.take_lists(entries);
        found.take_constraints(entries);
        found
    }

    /// Takes all spans, or none: half of them would be wrong.
    fn take_ranges(&mut self, entries: &[&Value]) {
        for entry in entries {
            match spans(entry) {
                Some(spans) if self.spans.len() + spans.len() <= MOST_SPANS => {
                    self.spans.extend(spans);
                }
                _ => {
                    self.spans.clear();
                    self.lost = true;
                    return;
                }
            }
        }
    }

    /// Takes the versions that are listed one by one: each that no span holds is a span of its own.
    fn take_lists(&mut self, entries: &[&Value]) {
        let mut held: Vec<Range> = self.spans.iter().map(Range::of).collect();
        for entry in entries {
            let listed = list(entry, "versions").filter(|listed| listed.len() <= MOST_VERSIONS);
            self.lost |= listed.is_none();
            for version in listed.unwrap_or_default() {
                let Some(version) = comparable(version) else {
                    self.lost = true;
                    continue;
                };
                if held.iter().any(|range| range.holds(&version) == Some(true)) {
                    continue;
                }
                if held.len() >= MOST_SPANS {
                    self.lost = true;
                    return;
                }
                let span = Span {
                    introduced: Some(version.as_str().to_owned()),
                    fixed: None,
                    last_affected: Some(version.as_str().to_owned()),
                };
                held.push(Range::of(&span));
                self.spans.push(span);
            }
        }
    }

    /// Takes what drupal.org states.
    fn take_constraints(&mut self, entries: &[&Value]) {
        let (mut all, mut blank) = (Vec::new(), false);
        for entry in entries {
            let specific = entry.get("database_specific");
            match specific.and_then(|of| of.get("affected_versions")) {
                None | Some(Value::Null) => {}
                Some(Value::String(text)) if !text.trim().is_empty() => all.push(text.trim()),
                Some(Value::String(_)) => blank = true,
                Some(_) => self.lost = true,
            }
        }
        // One that says nothing matters only where nothing else is said.
        self.lost |= blank && all.is_empty() && self.spans.is_empty();
        let joined = all.join(" || ");
        if joined.len() > LONGEST_CONSTRAINT {
            self.lost = true;
        } else if !joined.is_empty() {
            self.constraint = Some(joined);
        }
    }
}

/// A listed version that can be compared with others: no named branch.
fn comparable(version: &Value) -> Option<Composer> {
    let text = version
        .as_str()
        .filter(|text| text.len() <= LONGEST_VERSION)?;
    Composer::of_drupal(text).filter(|version| !version.is_branch())
}

/// Each introduction with the end that follows it; `None`: there are more than can be kept, or it is
/// something else.
fn spans(entry: &Value) -> Option<Vec<Span>> {
    let mut spans = Vec::new();
    let ranges = list(entry, "ranges").filter(|ranges| ranges.len() <= MOST_SPANS)?;
    for range in ranges {
        let mut open: Vec<Span> = Vec::new();
        let events = list(range, "events").filter(|events| events.len() <= MOST_SPANS)?;
        for event in events {
            let introduced = bound(event, "introduced")?;
            let (fixed, last_affected) = (bound(event, "fixed")?, bound(event, "last_affected")?);
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

/// One version of an event; `None`: what stands there is no version that anybody writes.
fn bound(event: &Value, name: &str) -> Option<Option<String>> {
    match event.as_object()?.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(Value::String(text)) if text.len() <= LONGEST_VERSION => Some(Some(text.clone())),
        Some(_) => None,
    }
}

fn link(document: &Value) -> Option<&str> {
    let references = document.get("references")?.as_array()?;
    references
        .iter()
        .find_map(|reference| reference.get("url")?.as_str())
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
