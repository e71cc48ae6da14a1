//! An advisory as it is kept: what its sources told, joined. Knows neither where it came from nor
//! which version anybody runs.

use serde::{Deserialize, Serialize};

use crate::domain::exposure::Risk;

/// What is told of one security advisory. All texts are plain, without markup.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Such as `SA-CONTRIB-2025-125`, `SA-CORE-2025-001` or `PSA-2025-01-02`.
    pub id: String,
    /// The project's short name, `drupal` for core; empty for an announcement about none.
    pub project: String,
    /// Its title.
    pub title: String,
    /// The kind of hole, such as "Cross site scripting"; may be empty.
    pub kind: String,
    /// A public service announcement: it is shown and never matched.
    pub psa: bool,
    /// drupal.org's risk vector, such as `AC:None/A:None/CI:All/II:All/E:Theoretical/TD:All`.
    pub vector: Option<String>,
    /// The risk, 0 to 25; `None`: unknown.
    pub score: Option<u8>,
    /// The CVE numbers.
    pub cves: Vec<String>,
    /// When it was published, Unix seconds. What lies in the future opens no window early.
    pub published: i64,
    /// When its source last changed it, Unix seconds.
    pub changed: i64,
    /// The affected versions as a composer constraint; `None`: not stated.
    pub affected_versions: Option<String>,
    /// It names versions that could not be kept: what it is known to name counts, of all else nobody can tell.
    #[serde(default)]
    pub lost_versions: bool,
    /// The affected versions as OSV's spans, where an OSV document told them.
    pub ranges: Option<Vec<Span>>,
    /// The versions stated to fix it, as drupal.org writes them.
    pub fixed_in: Vec<String>,
    /// Its page.
    pub url: String,
    /// Its node on drupal.org.
    pub nid: Option<i64>,
    /// Its project's node on drupal.org.
    pub project_nid: Option<i64>,
    /// It was taken back.
    pub withdrawn: bool,
}

/// From a version on, up to a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The first affected version; `0`: everything from the start.
    pub introduced: Option<String>,
    /// The first version that is not affected any more.
    pub fixed: Option<String>,
    /// The last affected version.
    pub last_affected: Option<String>,
}

impl Record {
    /// How bad it is, where that is known.
    pub fn risk(&self) -> Option<Risk> {
        self.score.map(Risk::of_score)
    }

    /// Joins what a source tells now with what is held. The newer word counts; what it doesn't tell
    /// stays as it was, for no source tells everything. Spans go with the constraint they stood beside.
    #[must_use]
    pub fn joined_with(self, held: &Self) -> Self {
        let (newer, older) = if self.changed < held.changed {
            (held.clone(), &self)
        } else {
            (self, held)
        };
        // drupal.org itself names none any more, or more than can be kept: the old ones don't stand.
        let unnamed = newer.affected_versions.is_none()
            && (newer.lost_versions || (newer.nid.is_some() && older.nid.is_some()));
        let taken_back = older.withdrawn && newer.nid.is_none() && newer.changed <= older.changed;
        let same_versions = newer.affected_versions.is_none()
            || older.affected_versions.is_none()
            || newer.affected_versions == older.affected_versions;
        // What was lost belongs to the words that it stood beside, and stands as long as they do.
        let still_lost = older.lost_versions
            && !unnamed
            && (newer.affected_versions.is_none()
                || (newer.ranges.is_none() && newer.affected_versions == older.affected_versions));
        let text = |newer: String, older: &String| {
            if newer.is_empty() {
                older.clone()
            } else {
                newer
            }
        };
        let list = |newer: Vec<String>, older: &Vec<String>| {
            if newer.is_empty() {
                older.clone()
            } else {
                newer
            }
        };
        Self {
            project: text(newer.project, &older.project),
            title: text(newer.title, &older.title),
            kind: text(newer.kind, &older.kind),
            url: text(newer.url, &older.url),
            score: newer.score.or(older.score),
            vector: newer.vector.or_else(|| older.vector.clone()),
            cves: list(newer.cves, &older.cves),
            ranges: newer
                .ranges
                .or_else(|| older.ranges.clone().filter(|_| same_versions && !unnamed)),
            affected_versions: newer
                .affected_versions
                .or_else(|| older.affected_versions.clone().filter(|_| !unnamed)),
            lost_versions: newer.lost_versions || still_lost,
            withdrawn: newer.withdrawn || taken_back,
            fixed_in: list(newer.fixed_in, &older.fixed_in),
            nid: newer.nid.or(older.nid),
            project_nid: newer.project_nid.or(older.project_nid),
            ..newer
        }
    }
}

/// The risk of a vector: the sum of its six parts, 0 to 25. `None` where a part is missing, twice
/// there or unknown.
pub fn score(vector: &str) -> Option<u8> {
    let mut parts = [None; 6];
    for part in vector.split('/') {
        let (name, value) = part.trim().split_once(':')?;
        let (place, points) = points(name.trim(), value.trim())?;
        if parts.get_mut(place)?.replace(points).is_some() {
            return None;
        }
    }
    parts.into_iter().sum()
}

/// Which of the six parts it is, and what it counts.
fn points(name: &str, value: &str) -> Option<(usize, u8)> {
    let (place, values): (usize, [(&str, u8); 3]) = match name {
        "AC" => (0, [("None", 4), ("Basic", 2), ("Complex", 1)]),
        "A" => (1, [("None", 4), ("User", 2), ("Admin", 1)]),
        "CI" => (2, [("All", 5), ("Some", 3), ("None", 0)]),
        "II" => (3, [("All", 5), ("Some", 3), ("None", 0)]),
        "E" => (4, [("Exploit", 4), ("Proof", 2), ("Theoretical", 1)]),
        "TD" => (5, [("All", 3), ("Default", 2), ("Uncommon", 1)]),
        _ => return None,
    };
    let (_, points) = values.into_iter().find(|(word, _)| *word == value)?;
    Some((place, points))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_risk_is_the_sum_of_the_vectors_parts() {
        assert_eq!(
            score("AC:None/A:None/CI:All/II:All/E:Exploit/TD:All"),
            Some(25)
        );
        assert_eq!(
            score("AC:Complex/A:Admin/CI:None/II:None/E:Theoretical/TD:Uncommon"),
            Some(4)
        );
        assert_eq!(
            score("AC:Basic/A:User/CI:Some/II:Some/E:Proof/TD:Default"),
            Some(14)
        );
    }

    #[test]
    fn a_broken_vector_has_no_risk() {
        for vector in [
            "",
            "AC:None",
            "AC:None/A:None/CI:All/II:All/E:Exploit/TD:Everything",
            "AC:None/AC:None/A:None/CI:All/II:All/E:Exploit/TD:All",
            "high",
        ] {
            assert_eq!(score(vector), None, "{vector}");
        }
    }

    #[test]
    fn versions_that_drupal_org_names_no_more_dont_stand() {
        let held = Record {
            nid: Some(1),
            changed: 10,
            affected_versions: Some("<1.5.0".to_owned()),
            ..Record::default()
        };
        let emptied = Record {
            nid: Some(1),
            changed: 20,
            ..Record::default()
        };
        assert_eq!(emptied.clone().joined_with(&held).affected_versions, None);
        let carried = Record {
            nid: None,
            ..emptied
        };
        let joined = carried.joined_with(&held);
        assert_eq!(joined.affected_versions.as_deref(), Some("<1.5.0"));
    }

    #[test]
    fn what_was_lost_stays_lost_until_it_is_told_anew() {
        let held = Record {
            changed: 10,
            lost_versions: true,
            affected_versions: Some("<1.5.0".to_owned()),
            ..Record::default()
        };
        let told = |affected_versions: Option<&str>, ranges: Option<Vec<Span>>| Record {
            changed: 20,
            affected_versions: affected_versions.map(str::to_owned),
            ranges,
            ..Record::default()
        };
        for (newer, lost) in [
            (told(None, None), true),
            (told(None, Some(Vec::new())), true),
            (told(Some("<1.5.0"), None), true),
            (told(Some("<1.5.0"), Some(Vec::new())), false),
            (told(Some("<1.6.0"), None), false),
        ] {
            assert_eq!(
                newer.clone().joined_with(&held).lost_versions,
                lost,
                "{newer:?}"
            );
        }
    }

    #[test]
    fn an_old_copy_brings_back_nothing_that_was_taken_back() {
        let held = Record {
            nid: Some(1),
            changed: 10,
            withdrawn: true,
            ..Record::default()
        };
        let copy = Record {
            changed: 10,
            ..Record::default()
        };
        assert!(copy.joined_with(&held).withdrawn);
        let again = Record {
            nid: Some(1),
            changed: 10,
            ..Record::default()
        };
        assert!(!again.joined_with(&held).withdrawn);
    }

    #[test]
    fn the_newer_word_counts_and_what_it_leaves_out_stays() {
        let held = Record {
            id: "SA-CONTRIB-2025-001".to_owned(),
            score: Some(12),
            changed: 10,
            affected_versions: Some("<1.5.0".to_owned()),
            ranges: Some(Vec::new()),
            ..Record::default()
        };
        let corrected = Record {
            changed: 20,
            affected_versions: Some("<1.4.0".to_owned()),
            ..Record::default()
        };
        let joined = corrected.clone().joined_with(&held);
        assert_eq!(joined.affected_versions.as_deref(), Some("<1.4.0"));
        assert_eq!(joined.ranges, None, "spans of another constraint");
        assert_eq!(joined.score, Some(12));
        let late = held.clone().joined_with(&corrected);
        assert_eq!(late.affected_versions.as_deref(), Some("<1.4.0"));
    }
}
