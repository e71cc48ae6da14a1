//! Reading OSV documents. Knows their form and nothing of what follows from them.

use serde::Deserialize;

use super::{Advisory, Affected, Range, Span};
use crate::domain::constraint::Constraint;

#[derive(Deserialize)]
struct Osv {
    id: String,
    published: Option<String>,
    #[serde(default)]
    affected: Vec<OsvAffected>,
}

#[derive(Deserialize)]
struct OsvAffected {
    package: OsvPackage,
    #[serde(default)]
    ranges: Vec<OsvRange>,
    #[serde(default)]
    database_specific: OsvSpecific,
}

#[derive(Deserialize)]
struct OsvPackage {
    name: String,
}

#[derive(Deserialize)]
struct OsvRange {
    #[serde(default)]
    events: Vec<OsvEvent>,
}

#[derive(Deserialize)]
struct OsvEvent {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
}

#[derive(Default, Deserialize)]
struct OsvSpecific {
    affected_versions: Option<String>,
}

impl Advisory {
    /// Reads an OSV document; `None` where it isn't one.
    #[must_use]
    pub fn from_osv(bytes: &[u8]) -> Option<Self> {
        let osv: Osv = serde_json::from_slice(bytes).ok()?;
        let published = osv
            .published
            .and_then(|text| text.parse::<jiff::Timestamp>().ok());
        Some(Self {
            id: osv.id,
            published: published.map(jiff::Timestamp::as_second),
            affected: osv.affected.into_iter().map(OsvAffected::read).collect(),
        })
    }
}

impl OsvAffected {
    fn read(self) -> Affected {
        Affected {
            package: self.package.name,
            stated: true,
            ranges: Some(
                self.ranges
                    .into_iter()
                    .flat_map(OsvRange::spans)
                    .map(|span| Range::of(&span))
                    .collect(),
            ),
            constraint: self
                .database_specific
                .affected_versions
                .as_deref()
                .and_then(Constraint::parse),
        }
    }
}

impl OsvRange {
    /// Each introduction with the end that follows it.
    fn spans(self) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        for event in self.events {
            if event.introduced.is_some() {
                spans.push(Span {
                    introduced: event.introduced,
                    fixed: None,
                    last_affected: None,
                });
            }
            if event.fixed.is_none() && event.last_affected.is_none() {
                continue;
            }
            match spans.last_mut() {
                Some(span) => (span.fixed, span.last_affected) = (event.fixed, event.last_affected),
                None => spans.push(Span {
                    introduced: None,
                    fixed: event.fixed,
                    last_affected: event.last_affected,
                }),
            }
        }
        spans
    }
}
