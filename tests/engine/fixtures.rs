//! The repository's own cases, so that a fresh clone tests the whole engine.

use std::collections::HashMap;

use dewline::domain::advisory::Advisory;
use dewline::domain::compatibility::{CoreVersions, compatibilities, named};
use dewline::domain::composer::Composer;
use dewline::domain::coverage::{Coverage, coverage};
use dewline::domain::prepared::Prepared;
use dewline::domain::status::{Assessment, History, Installed, assess};
use serde_json::{Map, Value, json};

use super::compact::{documents, folder, lines, ready};
use super::{ask, differences, report, with};

/// The histories by their id; `None` for one that failed to download.
fn histories() -> HashMap<String, Option<Prepared>> {
    documents()
        .into_iter()
        .map(|(id, document)| (id, ready(&document)))
        .collect()
}

/// An assessment in the words of the tables.
fn words(found: &Assessment) -> Map<String, Value> {
    let all = json!({
        "status": found.status, "reason": found.reason, "extra": found.extra.map(|extra| vec![extra]),
        "project_status": found.project_status, "install_type": found.install_type,
        "recommended": found.recommended, "latest_version": found.latest, "dev_version": found.dev_version,
        "latest_dev": found.latest_dev, "security_updates": found.security_updates, "also": found.also,
    });
    let all = all.as_object().unwrap().clone();
    all.into_iter()
        .filter(|(_, value)| !value.is_null() && *value != json!([]))
        .collect()
}

#[test]
fn verdicts_are_core_s_and_exposed_follows_the_rules() {
    let histories = histories();
    let cases = lines(&folder().join("verdicts.jsonl"));
    let mut wrong = Vec::new();
    for case in &cases {
        let stored = histories[case["history"].as_str().unwrap()].as_ref();
        let history = match (case["scenario"].as_str(), stored) {
            (Some("no_data"), _) => History::NoData,
            (Some("not_fetched"), _) | (_, None) => History::NotFetched,
            (Some("fetch_pending"), Some(prepared)) => History::FetchPending(prepared),
            (_, Some(prepared)) => History::Stored(prepared),
        };
        let installed = Installed {
            version: case["version"].as_str(),
            datestamp: case["datestamp"].as_i64().unwrap(),
        };
        let found = assess(&history, &installed);
        let mut said = words(&found);
        if let (Some(core), Some(version)) = (case["core"].as_str(), case["core_version"].as_str())
            && let (Some(project), Some(core)) = (stored, &histories[core])
            && let Some(core) = CoreVersions::new(core, version)
        {
            let all = compatibilities(named(&found), project, &core);
            let all: Map<_, _> = all
                .into_iter()
                .map(|one| (one.version, json!([one.compatible, one.works_with])))
                .collect();
            said.insert("core_compat".to_owned(), json!(all));
        }
        let differing = differences(&case["expect"], &json!(said));
        let ours = (json!(found.exposed.answer), json!(found.exposed.rule));
        if !differing.is_empty() || ours != (case["exposed"].clone(), case["rule"].clone()) {
            wrong.push(format!("{case}: {differing:?} {ours:?}"));
        }
        let listed = stored.is_some_and(|stored| {
            history.prepared().is_some()
                && stored
                    .releases()
                    .iter()
                    .any(|release| Some(release.version.as_str()) == installed.version)
        });
        assert_eq!(found.listed, listed, "{case}");
        let kept = serde_json::to_string(&found).unwrap();
        assert_eq!(
            serde_json::from_str::<Assessment>(&kept).unwrap(),
            found,
            "an assessment survives being stored"
        );
    }
    report(&wrong, cases.len());
}

#[test]
fn coverage_is_core_s() {
    let histories = histories();
    for case in lines(&folder().join("coverage.jsonl")) {
        let version = case["version"].as_str().unwrap();
        let core = histories[case["history"].as_str().unwrap()].as_ref();
        let found = core.and_then(|core| coverage(core, version));
        let said = match &found {
            None => json!({}),
            Some(Coverage::Window {
                end_version,
                minors_left,
            }) => {
                json!({ "security_coverage_end_version": end_version, "additional_minors_coverage": minors_left })
            }
            Some(Coverage::Dates { end, warn }) => {
                json!({ "security_coverage_end_date": end, "security_coverage_ending_warn_date": warn })
            }
        };
        assert_eq!(said, case["coverage"], "{case}");
        for line in case["requirement"].as_array().unwrap() {
            let today = line["now"].as_str().unwrap().parse().unwrap();
            let found = found.as_ref().unwrap().requirement(version, today);
            let said = json!({
                "now": line["now"], "value": found.value, "severity": found.severity, "message": found.message
            });
            assert_eq!(said, *line, "{case}");
        }
    }
}

#[test]
fn version_strings_are_parsed_as_core_parses_them() {
    let cases = lines(&folder().join("versions.jsonl"));
    let questions: Vec<Value> = cases
        .iter()
        .map(|case| with(case, "ask", "version"))
        .collect();
    for (case, answer) in cases.iter().zip(ask(None, None, &questions)) {
        assert_eq!(*case, with(&answer, "version", case["version"].clone()));
    }
}

#[test]
fn documents_are_read_as_core_reads_them() {
    let cases = lines(&folder().join("documents.jsonl"));
    let questions: Vec<Value> = cases
        .iter()
        .map(|case| json!({ "ask": "parse", "file": case["file"] }))
        .collect();
    for (case, answer) in cases
        .iter()
        .zip(ask(Some(&folder().join("documents")), None, &questions))
    {
        assert_eq!(*case, answer);
    }
}

#[test]
fn advisories_name_the_versions_they_name() {
    for case in lines(&folder().join("advisories.jsonl")) {
        let advisory = Advisory::from_osv(&case["osv"]).unwrap().remove(0);
        let package = case["package"].as_str().unwrap();
        for entry in case["versions"].as_array().unwrap() {
            let version = Composer::of_drupal(entry[0].as_str().unwrap());
            assert_eq!(
                version.as_ref().map(Composer::as_str),
                entry[1].as_str(),
                "{entry}"
            );
            let Some(version) = version else { continue };
            let reading = advisory.reading(&version);
            let expected = (entry[2] == 1, entry[3] == 1);
            assert_eq!(
                (reading.osv, reading.composer),
                (Some(expected.0), Some(expected.1)),
                "{package} {entry}"
            );
            assert_eq!(reading.either(), Some(expected.0 || expected.1));
        }
    }
}
