//! An advisory as a node of drupal.org's api-d7. Liberal in what it takes: numbers come as strings, and
//! what is absent as null, an empty text, list or object. Refused is only what can't be told apart from
//! others, or whose time isn't told: everything else is kept as far as it can be read.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::record::{Record, score};
use super::{id, plain};
use crate::domain::inventory::is_project_name;

const LONGEST_TITLE: usize = 300;
const LONGEST_KIND: usize = 200;
/// A constraint must be whole to be true: a longer one is left out, and the advisory counts as unclear.
const LONGEST_CONSTRAINT: usize = 4_000;
const MOST_FIXES: usize = 50;
/// The last second that a date can have: 9999-12-30.
const LAST_SECOND: i64 = 253_402_207_200;
/// The node of Drupal core.
const CORE_NODE: i64 = 3060;
/// The project that announcements belong to where they name none.
const ANNOUNCEMENTS: &str = "securitydrupalorg";

/// An advisory as a node tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// What it says; its project is empty where the node names it by a number only.
    pub record: Record,
    /// It can be seen by everybody.
    pub published: bool,
}

/// Why a node is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Something other than an object.
    #[error("not a node")]
    NotANode,
    /// A node of another type.
    #[error("a node of the type {0}, not an advisory")]
    OtherType(String),
    /// A field of a type that it can't have.
    #[error("{0} is not what it should be")]
    WrongType(&'static str),
    /// No id anywhere.
    #[error("it has no id such as SA-CONTRIB-2026-001")]
    NoId,
    /// No time anywhere.
    #[error("it has no date")]
    NoDate,
    /// A date before 1970 or after 9999.
    #[error("its date {0} is out of range")]
    DateOutOfRange(i64),
    /// Larger than what is taken from drupal.org at once.
    #[error("too large to be taken")]
    TooLarge,
    /// Neither a name nor a number of a project.
    #[error("it does not say which project it is about")]
    NoProject,
    /// Several projects at once.
    #[error("it is about several projects; one advisory is taken for one project")]
    SeveralProjects,
}

/// Reads a node.
///
/// # Errors
/// Why it is of no use.
pub fn read(node: &Value) -> Result<Node, Refused> {
    if !node.is_object() {
        return Err(Refused::NotANode);
    }
    match text(node.get("type")) {
        None | Some("sa") => {}
        Some(other) => {
            let name = other.chars().take(40).collect();
            return Err(Refused::OtherType(name));
        }
    }
    let nid = positive(node, "nid")?;
    let (published, changed) = dates(node)?;
    let project = Project::read(node)?;
    let title = plain::of_markup(text(node.get("title")).unwrap_or_default(), LONGEST_TITLE);
    let id = id_of(node, &title, &project, published).ok_or(Refused::NoId)?;
    let psa = flag(node.get("field_is_psa")) || id.starts_with("PSA-");
    let vector = text(node.get("field_sa_criticality")).filter(|vector| score(vector).is_some());
    let url = id::safe_url(text(node.get("url")), &id);
    let record = Record {
        project: project.name(&id, psa)?,
        kind: plain::of_markup(&texts(node.get("field_sa_type")).join(", "), LONGEST_KIND),
        score: vector.map_or_else(|| stated_score(node), score),
        vector: vector.map(str::to_owned),
        cves: id::cves(texts(node.get("field_sa_cve"))),
        affected_versions: constraint(text(node.get("field_affected_versions"))),
        lost_versions: text(node.get("field_affected_versions"))
            .is_some_and(|text| text.len() > LONGEST_CONSTRAINT),
        ranges: None,
        fixed_in: fixed_in(node),
        project_nid: project.nid,
        withdrawn: false,
        id,
        title,
        psa,
        published,
        changed,
        url,
        nid,
    };
    let published = node
        .get("status")
        .is_none_or(|status| absent(status) || flag(Some(status)));
    Ok(Node { record, published })
}

/// The number of a node and the time of its last change, also where the node itself is of no use.
pub fn outline(node: &Value) -> (Option<i64>, Option<i64>) {
    let number = |name: &str| node.get(name).and_then(number).filter(|n| *n > 0);
    (number("nid"), number("changed"))
}

/// The machine name that the node of a project tells.
pub fn project_name(node: &Value) -> Option<String> {
    let name = text(node.get("field_project_machine_name"))?;
    is_project_name(name).then(|| name.to_owned())
}

struct Project {
    name: Option<String>,
    nid: Option<i64>,
}

impl Project {
    fn read(node: &Value) -> Result<Self, Refused> {
        let none = Self {
            name: None,
            nid: None,
        };
        let Some(mut field) = node.get("field_project") else {
            return Ok(none);
        };
        if let Some(list) = field.as_array() {
            match list.first() {
                Some(first) => field = first,
                None => return Ok(none),
            }
        }
        if absent(field) {
            return Ok(none);
        }
        if !field.is_object() {
            return Err(Refused::WrongType("field_project"));
        }
        let name = ["machine_name", "field_project_machine_name"]
            .into_iter()
            .find_map(|key| text(field.get(key)))
            .filter(|name| is_project_name(name))
            .map(str::to_owned);
        let nid = positive(field, "id").map_err(|_| Refused::WrongType("field_project.id"))?;
        Ok(Self { name, nid })
    }

    /// The name, or nothing where only the number is told.
    fn name(&self, id: &str, psa: bool) -> Result<String, Refused> {
        match (&self.name, self.nid) {
            (Some(name), _) => Ok(name.clone()),
            (None, Some(CORE_NODE)) => Ok("drupal".to_owned()),
            _ if id.starts_with("SA-CORE-") => Ok("drupal".to_owned()),
            (None, Some(_)) => Ok(String::new()),
            (None, None) if psa => Ok(ANNOUNCEMENTS.to_owned()),
            (None, None) => Err(Refused::NoProject),
        }
    }

    fn is_core(&self) -> bool {
        self.nid == Some(CORE_NODE) || self.name.as_deref() == Some("drupal")
    }
}

/// When it was created and changed; one stands for the other where only one is told.
fn dates(node: &Value) -> Result<(i64, i64), Refused> {
    let date = |name: &'static str| match node.get(name) {
        None => Ok(None),
        Some(value) if absent(value) => Ok(None),
        Some(value) => match number(value) {
            None => Err(Refused::WrongType(name)),
            Some(at) if (0..=LAST_SECOND).contains(&at) => Ok(Some(at)),
            Some(at) => Err(Refused::DateOutOfRange(at)),
        },
    };
    let (created, changed) = (date("created")?, date("changed")?);
    let published = created.or(changed).ok_or(Refused::NoDate)?;
    Ok((published, changed.unwrap_or(published)))
}

fn id_of(node: &Value, title: &str, project: &Project, published: i64) -> Option<String> {
    let told = text(node.get("field_sa_advisory_id")).map(str::to_owned);
    let told = told.or_else(|| {
        let value = node.get("field_sa_advisory_id")?;
        number(value).map(|number| number.to_string())
    });
    let named = [
        text(node.get("sa_id")),
        told.as_deref(),
        text(node.get("url")),
        Some(title),
    ];
    named.into_iter().flatten().find_map(id::find).or_else(|| {
        // Only the number of its year: the year is that of its creation.
        let at = jiff::Timestamp::from_second(published).ok()?;
        let year = at.to_zoned(jiff::tz::TimeZone::UTC).year();
        id::of_number(told.as_deref()?, project.is_core(), year)
    })
}

/// A score that is told in figures: `14`, `["14", "Moderately critical"]`, `14∕25`.
fn stated_score(node: &Value) -> Option<u8> {
    let mut stated = node.get("sa_risk")?;
    if let Some(list) = stated.as_array() {
        stated = list.first()?;
    }
    let score = number(stated).or_else(|| {
        let text = stated.as_str()?;
        let (score, _) = text.split_once(['/', '\u{2215}', ' '])?;
        score.trim().parse().ok()
    })?;
    u8::try_from(score).ok().filter(|score| *score <= 25)
}

fn constraint(text: Option<&str>) -> Option<String> {
    let text = text.filter(|text| text.len() <= LONGEST_CONSTRAINT)?;
    Some(plain::of_signs(text)).filter(|text| !text.is_empty())
}

/// The releases that it says fix it, where it tells more of them than their numbers.
fn fixed_in(node: &Value) -> Vec<String> {
    let listed = node.get("field_fixed_in").and_then(Value::as_array);
    let versions = listed.into_iter().flatten().filter_map(|release| {
        ["field_release_version", "version"]
            .into_iter()
            .find_map(|key| text(release.get(key)))
    });
    versions
        .filter(|version| version.len() <= 100 && version.bytes().all(|b| b.is_ascii_graphic()))
        .take(MOST_FIXES)
        .map(str::to_owned)
        .collect()
}

/// What api-d7 sends for a field without a value.
fn absent(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A number above zero; zero and nothing are none.
fn positive(node: &Value, name: &'static str) -> Result<Option<i64>, Refused> {
    match node.get(name) {
        Some(value) if !absent(value) => match number(value) {
            Some(0) => Ok(None),
            Some(found) if found > 0 => Ok(Some(found)),
            _ => Err(Refused::WrongType(name)),
        },
        _ => Ok(None),
    }
}

fn flag(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(flag)) => *flag,
        Some(value) => number(value).is_some_and(|number| number != 0),
        None => false,
    }
}

/// A text, or the `value` of a field that has one, or the first of a list.
fn text(value: Option<&Value>) -> Option<&str> {
    let found = match value? {
        Value::String(text) => text,
        Value::Object(fields) => fields.get("value")?.as_str()?,
        Value::Array(list) => match list.first()? {
            Value::String(text) => text,
            Value::Object(fields) => fields.get("value")?.as_str()?,
            _ => return None,
        },
        _ => return None,
    };
    Some(found.trim()).filter(|text| !text.is_empty())
}

/// All texts of a field.
fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::Array(list)) => list
            .iter()
            .take(100)
            .filter_map(|one| text(Some(one)))
            .collect(),
        one => text(one).into_iter().collect(),
    }
}

#[cfg(test)]
#[path = "node_tests.rs"]
mod tests;
