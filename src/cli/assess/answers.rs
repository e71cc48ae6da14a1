//! One answer a question, in the words of the contract with the operator.
//! Knows no rules: it asks the domain and writes down what it says.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::cli::assess::shelf::{Entry, Shelf};
use crate::cli::assess::{Stats, timed};
use crate::domain::advisory::{self, Advisory};
use crate::domain::compatibility::{self, CoreVersions};
use crate::domain::composer::Composer;
use crate::domain::coverage::{self, Coverage};
use crate::domain::prepared::Prepared;
use crate::domain::release_history::{Document, Release, ReleaseHistory};
use crate::domain::status::{Assessment, History, Installed, assess};
use crate::domain::version::{InstallType, Version, branch_major, existing_major};

/// A line of the input. Keys that aren't here are ignored.
#[derive(Deserialize)]
pub struct Question {
    pub ask: Option<String>,
    project: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    version: Option<String>,
    datestamp: Option<i64>,
    file: Option<String>,
    scenario: Option<String>,
    core_version: Option<String>,
    core_file: Option<String>,
    package: Option<String>,
    now: Option<OneOrMany>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Question {
    fn file(&self) -> Result<&str, String> {
        self.file
            .as_deref()
            .ok_or_else(|| "file is missing".to_owned())
    }

    fn version(&self) -> Result<&str, String> {
        self.version
            .as_deref()
            .ok_or_else(|| "version is missing".to_owned())
    }
}

/// The verdict on an installed version.
pub fn status(question: &Question, shelf: &mut Shelf, stats: &mut Stats) -> Result<Value, String> {
    let entry = stored(question, shelf, stats)?;
    let pending = question.scenario.as_deref() == Some("fetch_pending");
    let history = match &entry {
        None => History::NoData,
        Some(Entry::NotFetched) => History::NotFetched,
        Some(Entry::Ready(prepared)) if pending => History::FetchPending(prepared),
        Some(Entry::Ready(prepared)) => History::Stored(prepared),
    };
    let core = match (&question.core_file, &question.core_version) {
        (Some(file), Some(version)) => Some((shelf.entry(file, &mut stats.parsing)?, version)),
        _ => None,
    };
    let installed = Installed {
        version: question.version.as_deref(),
        datestamp: question.datestamp.unwrap_or_default(),
    };
    let package = advisory::package_of(question.project.as_deref().unwrap_or_default());
    let advisories = shelf.advisories(&package);
    let (verdict, matches, compatibilities) = timed(&mut stats.engine, || {
        let mut verdict = assess(&history, &installed);
        let joined = advisory::join(
            &mut verdict.exposed,
            history.prepared(),
            &installed,
            advisories,
            None,
        );
        let core = core
            .as_ref()
            .and_then(|(entry, version)| CoreVersions::new(entry.ready()?, version));
        let compatibilities = match (history.prepared(), core) {
            (Some(project), Some(core)) => {
                compatibility::compatibilities(compatibility::named(&verdict), project, &core)
            }
            _ => Vec::new(),
        };
        (verdict, joined.matches, compatibilities)
    });
    let mut answer = verdict_in_words(&verdict);
    put(
        &mut answer,
        "advisories",
        matches
            .into_iter()
            .map(|found| found.id)
            .collect::<Vec<_>>(),
    );
    let compatible = compatibilities
        .into_iter()
        .map(|found| (found.version, (found.compatible, found.works_with)));
    put(
        &mut answer,
        "core_compat",
        compatible.collect::<BTreeMap<_, _>>(),
    );
    if question.kind.as_deref() == Some("core")
        && let (Some(prepared), Some(version)) = (history.prepared(), installed.version)
        && let Some(found) = coverage::coverage(prepared, version)
    {
        put(&mut answer, "coverage", coverage_in_words(&found));
    }
    Ok(Value::Object(answer))
}

/// What is stored of the project; `None` for nothing at all.
fn stored(
    question: &Question,
    shelf: &mut Shelf,
    stats: &mut Stats,
) -> Result<Option<Entry>, String> {
    match question.scenario.as_deref() {
        None | Some("" | "normal" | "fetch_pending") => {
            shelf.entry(question.file()?, &mut stats.parsing).map(Some)
        }
        Some("not_fetched") => Ok(Some(Entry::NotFetched)),
        Some("no_data") => Ok(None),
        Some(other) => Err(format!(
            "scenario is one of fetch_pending, not_fetched, no_data, not {other:?}"
        )),
    }
}

/// Adds a key, unless its value would be null or empty.
fn put(answer: &mut Map<String, Value>, key: &str, value: impl serde::Serialize) {
    let value = json!(value);
    let empty = match &value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    };
    if !empty {
        answer.insert(key.to_owned(), value);
    }
}

fn verdict_in_words(verdict: &Assessment) -> Map<String, Value> {
    let mut answer = Map::new();
    put(&mut answer, "status", verdict.status);
    put(&mut answer, "reason", verdict.reason);
    put(
        &mut answer,
        "extra",
        verdict.extra.into_iter().collect::<Vec<_>>(),
    );
    put(&mut answer, "project_status", verdict.project_status);
    put(&mut answer, "install_type", verdict.install_type);
    put(&mut answer, "existing_major", &verdict.existing_major);
    put(&mut answer, "recommended", &verdict.recommended);
    put(&mut answer, "latest_version", &verdict.latest);
    put(&mut answer, "dev_version", &verdict.dev_version);
    put(&mut answer, "latest_dev", &verdict.latest_dev);
    put(&mut answer, "security_updates", &verdict.security_updates);
    put(&mut answer, "also", &verdict.also);
    answer.insert("exposed".to_owned(), json!(verdict.exposed.answer));
    put(&mut answer, "rule", verdict.exposed.rule);
    answer
}

/// How a version string is read.
pub fn version(question: &Question, stats: &mut Stats) -> Result<Value, String> {
    let text = question.version.as_deref();
    Ok(timed(&mut stats.engine, || {
        let mut answer = Map::new();
        match text.and_then(Version::parse) {
            Some(found) => put(
                &mut answer,
                "ok",
                [Some(found.major), found.minor, found.extra],
            ),
            None => put(&mut answer, "error", true),
        }
        let major = text.and_then(branch_major);
        put(&mut answer, "branch_major", major.map(|(text, _)| text));
        let install_type = InstallType::of(text).as_str();
        put(
            &mut answer,
            "process",
            [install_type, text.and_then(existing_major).unwrap_or("-1")],
        );
        Value::Object(answer)
    }))
}

/// What a document says.
pub fn parse(question: &Question, shelf: &Shelf, stats: &mut Stats) -> Result<Value, String> {
    let file = question.file()?;
    Ok(match shelf.document(file, &mut stats.parsing)? {
        Document::Unparsable => json!({ "file": file, "stored": "unparsable" }),
        Document::NotFetched => json!({ "file": file, "stored": "not-fetched" }),
        Document::Stored(history) => history_in_words(file, &history),
    })
}

fn history_in_words(file: &str, history: &ReleaseHistory) -> Value {
    let mut answer = Map::new();
    put(&mut answer, "file", file);
    put(&mut answer, "stored", "parsed");
    put(&mut answer, "title", &history.title);
    put(&mut answer, "short_name", &history.short_name);
    put(&mut answer, "type", &history.kind);
    put(
        &mut answer,
        "supported_branches",
        &history.supported_branches,
    );
    put(&mut answer, "project_status", &history.project_status);
    put(&mut answer, "link", &history.link);
    let releases = history.releases.iter().map(release_in_words).collect();
    answer.insert("releases".to_owned(), Value::Array(releases));
    Value::Object(answer)
}

fn release_in_words(release: &Release) -> Value {
    let mut answer = Map::new();
    put(&mut answer, "version", &release.key);
    put(&mut answer, "status", &release.status);
    put(&mut answer, "date", &release.date);
    put(
        &mut answer,
        "core_compatibility",
        &release.core_compatibility,
    );
    put(&mut answer, "release_link", &release.release_link);
    put(&mut answer, "download_link", &release.download_link);
    let terms = release
        .terms
        .iter()
        .map(|(name, values)| (name.clone(), json!(values)));
    put(&mut answer, "terms", terms.collect::<Map<_, _>>());
    let valid = release.has_valid_fields();
    put(&mut answer, "valid", valid);
    for (key, release_type) in [
        ("sec", "Security update"),
        ("insecure", "Insecure"),
        ("unsupported", "Unsupported"),
    ] {
        put(
            &mut answer,
            key,
            Some(true).filter(|_| valid && release.is(release_type)),
        );
    }
    Value::Object(answer)
}

/// How long a version of core is covered.
pub fn coverage(
    question: &Question,
    shelf: &mut Shelf,
    stats: &mut Stats,
) -> Result<Value, String> {
    let installed = question.version()?;
    let core = match shelf.entry(question.file()?, &mut stats.parsing)? {
        Entry::Ready(core) => core,
        Entry::NotFetched => return Ok(json!({ "coverage": {} })),
    };
    let days = match &question.now {
        None => Vec::new(),
        Some(OneOrMany::One(day)) => vec![day.clone()],
        Some(OneOrMany::Many(days)) => days.clone(),
    };
    timed(&mut stats.engine, || coverage_on(&core, installed, &days))
}

fn coverage_on(core: &Prepared, installed: &str, days: &[String]) -> Result<Value, String> {
    let Some(found) = coverage::coverage(core, installed) else {
        return Ok(json!({ "coverage": {} }));
    };
    let mut requirements = Vec::new();
    if days.is_empty() && !found.is_dated() {
        requirements.push(requirement_in_words(&found, installed, None, Date::MIN));
    }
    for day in days {
        let today: Date = day
            .parse()
            .map_err(|_| format!("now is a day, YYYY-MM-DD, not {day:?}"))?;
        requirements.push(requirement_in_words(&found, installed, Some(day), today));
    }
    let mut answer = Map::new();
    put(&mut answer, "coverage", coverage_in_words(&found));
    put(&mut answer, "requirement", requirements);
    Ok(Value::Object(answer))
}

fn coverage_in_words(found: &Coverage) -> Value {
    match found {
        Coverage::Window {
            end_version,
            minors_left,
        } => {
            json!({ "security_coverage_end_version": end_version, "additional_minors_coverage": minors_left })
        }
        Coverage::Dates { end, warn } => {
            json!({ "security_coverage_end_date": end, "security_coverage_ending_warn_date": warn })
        }
    }
}

fn requirement_in_words(
    found: &Coverage,
    installed: &str,
    now: Option<&str>,
    today: Date,
) -> Value {
    let requirement = found.requirement(installed, today);
    let mut answer = Map::new();
    put(&mut answer, "now", now);
    put(&mut answer, "value", requirement.value);
    put(&mut answer, "severity", requirement.severity);
    answer.insert("message".to_owned(), json!(requirement.message));
    Value::Object(answer)
}

/// Which advisories name a version of a package, by either reading and by each.
pub fn advisories(question: &Question, shelf: &Shelf, stats: &mut Stats) -> Result<Value, String> {
    let package = question.package.as_deref().ok_or("package is missing")?;
    let text = question.version()?;
    Ok(timed(&mut stats.engine, || {
        let Some(version) = Composer::of_drupal(text) else {
            // Composer has no such version: the answer isn't "none" but unknown.
            return json!({ "advisories": null, "osv": null, "composer": null });
        };
        let ids = |counts: &dyn Fn(&Advisory) -> Option<bool>| -> Vec<String> {
            let named = shelf
                .advisories(package)
                .iter()
                .filter(|advisory| counts(advisory) == Some(true));
            named.map(|advisory| advisory.id.clone()).collect()
        };
        json!({
            "advisories": ids(&|advisory| advisory.reading(&version).either()),
            "osv": ids(&|advisory| advisory.reading(&version).osv),
            "composer": ids(&|advisory| advisory.reading(&version).composer),
        })
    }))
}
