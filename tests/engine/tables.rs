//! Agreement with every case of the tables beside the repository; where they aren't there the fixtures have to do.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::compact::lines;
use super::{ask, differences, report, with};
use crate::support::tables::tables;

/// Puts the lines of a table as questions and compares line by line.
fn compare(
    table: &str,
    question: impl Fn(&Value) -> Vec<Value>,
    differs: impl Fn(&Value, &[Value]) -> Vec<String>,
) {
    let Some(folder) = tables() else { return };
    let cases = lines(&folder.join(table));
    let (histories, advisories) = (folder.join("release-history"), folder.join("advisories"));
    let questions: Vec<Vec<Value>> = cases.iter().map(question).collect();
    let answers = ask(
        Some(&histories),
        Some(&advisories)
            .filter(|_| table.contains("advisor"))
            .map(|x| &**x),
        &questions.concat(),
    );
    let (mut wrong, mut at) = (Vec::new(), 0);
    for (case, asked) in cases.iter().zip(&questions) {
        wrong.extend(differs(case, &answers[at..at + asked.len()]));
        at += asked.len();
    }
    report(&wrong, at);
}

fn said(text: &Value, more: impl std::fmt::Debug) -> Vec<String> {
    let mut text = text.to_string();
    text.truncate(300);
    vec![format!("{text}: {more:?}")]
}

#[test]
fn every_verdict_is_core_s() {
    let differs = |case: &Value, answers: &[Value]| {
        let found = differences(&case["expect"], &answers[0]);
        if found.is_empty() {
            Vec::new()
        } else {
            said(case, found)
        }
    };
    compare(
        "cases-update-status.jsonl",
        |case| vec![with(case, "expect", Value::Null)],
        differs,
    );
}

#[test]
fn every_version_is_exposed_or_not_by_the_rules() {
    let Some(folder) = tables() else { return };
    let key = |case: &Value| (case["file"].to_string(), case["n"].to_string());
    let expected: HashMap<_, _> = lines(&folder.join("cases-exposed.jsonl"))
        .into_iter()
        .map(|case| (key(&case), case))
        .collect();
    let differs = |case: &Value, answers: &[Value]| {
        let Some(expected) = expected.get(&key(case)) else {
            return Vec::new();
        };
        let same = ["exposed", "rule"]
            .iter()
            .all(|word| expected[*word] == answers[0][*word]);
        if same {
            Vec::new()
        } else {
            said(expected, &answers[0])
        }
    };
    compare(
        "cases-update-status.jsonl",
        |case| vec![case.clone()],
        differs,
    );
}

#[test]
fn every_document_is_read_as_core_reads_it() {
    let differs = |case: &Value, answers: &[Value]| {
        let (mut case, mut answer) = (case.clone(), answers[0].clone());
        let linked = case.to_string().contains("_link\":");
        for release in case
            .get_mut("releases")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            release.as_object_mut().unwrap().remove("why");
        }
        for release in answer
            .get_mut("releases")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            if !linked {
                release
                    .as_object_mut()
                    .unwrap()
                    .retain(|key, _| !key.ends_with("_link"));
            }
        }
        if case == answer {
            Vec::new()
        } else {
            said(&case, answer)
        }
    };
    compare(
        "cases-parse.jsonl",
        |case| vec![json!({ "ask": "parse", "file": case["file"] })],
        differs,
    );
}

#[test]
fn every_version_string_is_parsed_as_core_parses_it() {
    let differs = |case: &Value, answers: &[Value]| {
        let answer = with(&answers[0], "version", case["version"].clone());
        if *case == answer {
            Vec::new()
        } else {
            said(case, answer)
        }
    };
    compare(
        "cases-version-parse.jsonl",
        |case| vec![with(case, "ask", "version")],
        differs,
    );
}

#[test]
fn every_coverage_is_core_s() {
    let question = |case: &Value| {
        let days: Vec<Value> = case["requirement"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|line| line["now"].clone())
            .collect();
        vec![
            json!({ "ask": "coverage", "file": case["file"], "version": case["version"], "now": days }),
        ]
    };
    let differs = |case: &Value, answers: &[Value]| {
        let same = ["coverage", "requirement"]
            .iter()
            .all(|word| case.get(*word) == answers[0].get(*word));
        if same {
            Vec::new()
        } else {
            said(case, &answers[0])
        }
    };
    compare("cases-core-coverage.jsonl", question, differs);
}

/// One question a version: the first of each entry.
fn versions_of(case: &Value) -> Vec<Value> {
    let versions = case["versions"].as_array().into_iter().flatten();
    versions
        .map(
            |entry| json!({ "ask": "advisories", "package": case["package"], "version": entry[0] }),
        )
        .collect()
}

#[test]
fn every_advisory_names_the_versions_it_names() {
    let differs = |case: &Value, answers: &[Value]| {
        let mut wrong = Vec::new();
        for (entry, answer) in case["versions"]
            .as_array()
            .into_iter()
            .flatten()
            .zip(answers)
        {
            let named = |list: &str| {
                answer[list]
                    .as_array()
                    .map(|ids| i64::from(ids.contains(&case["id"])))
            };
            let expected = (entry[2].as_i64(), entry[3].as_i64());
            if expected != (named("osv"), named("composer")) {
                wrong.extend(said(&case["id"], (entry, answer)));
            }
        }
        wrong
    };
    compare("cases-advisories.jsonl", versions_of, differs);
}

#[test]
fn every_package_has_the_advisories_it_has() {
    let differs = |case: &Value, answers: &[Value]| {
        let mut wrong = Vec::new();
        for (entry, answer) in case["versions"]
            .as_array()
            .into_iter()
            .flatten()
            .zip(answers)
        {
            let composer = entry.get(2).unwrap_or(&entry[1]);
            let either = answer["advisories"].as_array().into_iter().flatten();
            let either_is_both = either.clone().all(|id| {
                [&entry[1], composer]
                    .iter()
                    .any(|list| list.as_array().is_some_and(|list| list.contains(id)))
            });
            if answer["osv"] != entry[1] || answer["composer"] != *composer || !either_is_both {
                wrong.extend(said(&case["package"], (entry, answer)));
            }
        }
        wrong
    };
    compare("cases-advisory-match.jsonl", versions_of, differs);
}

/// Of the table's rows, those without a site key and without arguments of their own: ours never sends any.
#[test]
fn every_address_without_arguments_is_the_one_that_core_asks() {
    let Some(folder) = tables() else { return };
    let mut asked = 0;
    for case in lines(&folder.join("cases-fetch-url.jsonl")) {
        let url = case["url"].as_str().unwrap();
        if url.contains('?') {
            continue;
        }
        let base = ["project_status_url", "fetch_url"]
            .iter()
            .find_map(|key| case[*key].as_str())
            .unwrap_or("https://updates.drupal.org/release-history");
        let name = case["name"].as_str().unwrap();
        let ours = dewline::outbound::drupal_org::address(&base.parse().unwrap(), name);
        assert_eq!(ours.unwrap().as_str(), url, "{case}");
        asked += 1;
    }
    assert!(asked > 0, "no row of the table was asked");
    println!("{asked} addresses agree");
}
