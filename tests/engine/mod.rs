//! The status engine: core's word, exposed beside it, and everything they are made from.

mod assess;
pub mod compact;
mod exposed;
mod fixtures;
mod hostile;
mod properties;
mod tables;

use dewline::domain::prepared::Prepared;
use dewline::domain::release_history::ReleaseHistory;
use serde_json::{Map, Value, json};

use compact::release;

/// A release history from rows of `version date flags`, `-` for no date.
fn history(branches: Option<&str>, rows: &[&str]) -> ReleaseHistory {
    let releases = rows.iter().map(|row| {
        let mut words = row.split(' ');
        let (version, date) = (words.next().unwrap(), words.next().unwrap());
        release(
            version,
            Some(date).filter(|date| *date != "-"),
            words.next().unwrap_or("p"),
        )
    });
    ReleaseHistory {
        supported_branches: branches.map(str::to_owned),
        project_status: Some("published".to_owned()),
        releases: releases.collect(),
        ..ReleaseHistory::default()
    }
}

fn prepared(branches: Option<&str>, rows: &[&str]) -> Prepared {
    Prepared::new(&history(branches, rows))
}

/// The keys of the tables, as far as agreement is asked on them.
const ASKED: [&str; 12] = [
    "status",
    "install_type",
    "reason",
    "recommended",
    "latest_version",
    "dev_version",
    "latest_dev",
    "security_updates",
    "also",
    "extra",
    "core_compat",
    "project_status",
];

/// The asked keys on which an answer differs from what is expected: (key, expected, found).
fn differences(expected: &Value, found: &Value) -> Vec<(String, Value, Value)> {
    let differing = ASKED
        .iter()
        .filter(|key| expected.get(**key) != found.get(**key));
    let value = |of: &Value, key: &str| of.get(key).cloned().unwrap_or(Value::Null);
    differing
        .map(|key| ((*key).to_owned(), value(expected, key), value(found, key)))
        .collect()
}

/// Puts questions to `dewline assess` and collects its answers, one a question.
pub fn ask(
    history: Option<&std::path::Path>,
    advisories: Option<&std::path::Path>,
    questions: &[Value],
) -> Vec<Value> {
    let args = dewline::cli::assess::AssessArgs {
        history: history.map(Into::into),
        advisories: advisories.map(Into::into),
        stats: false,
    };
    let input: String = questions
        .iter()
        .map(|question| format!("{question}\n"))
        .collect();
    let mut output = Vec::new();
    dewline::cli::assess::run(args, input.as_bytes(), &mut output, std::io::sink()).unwrap();
    let answers: Vec<Value> = String::from_utf8(output)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), questions.len());
    answers
}

/// A question made of another with one key more.
fn with(question: &Value, key: &str, value: impl Into<Value>) -> Value {
    let mut map: Map<String, Value> = question.as_object().cloned().unwrap_or_default();
    map.insert(key.to_owned(), value.into());
    json!(map)
}

/// Fails with the first few of what went wrong, and how many there are.
#[track_caller]
fn report(wrong: &[String], of: usize) {
    let some = wrong.iter().take(8).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} of {of} differ:\n{some}", wrong.len());
}
