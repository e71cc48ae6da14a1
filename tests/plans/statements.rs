//! Every statement that stands in the store, found in its source, so that none can be left out: its
//! plan, and why each walk through a whole table and each sort by hand is bounded.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Connection;

use super::bounds::{Bound, STATEMENTS};
use crate::support::TestApp;

/// Files whose statements look at everything on purpose.
const APART: [&str; 5] = [
    // `dewline check` counts everything again, on a copy.
    "check.rs",
    "replay.rs",
    // Lists are composed while asked; their plans are a page of their own.
    "listing.rs",
    // A search is a part of these.
    "search.rs",
    // Nothing but the connection's own settings.
    "writer.rs",
];

/// What a program puts between braces, where it isn't a constant of the same file.
const CHOICES: [(&str, &[&str]); 5] = [
    (
        "led",
        &[
            "e.site_id = :site AND :organization IS :organization",
            "e.organization_id = :organization",
            ":organization IS :organization",
        ],
    ),
    ("begun", &["sm.run_started_at < ?4", "?4 IS NULL"]),
    ("table", &["site_modules", "module_runs"]),
    ("column", &["secret_hash", "old_hash"]),
    ("take", &["", "seen_url = stranger_url,"]),
];

/// A statement and where it stands: `file::function`.
pub struct Found {
    pub place: String,
    pub sql: String,
}

/// The string literals of a source, each with the function it stands in, or the constant it is.
fn literals(source: &str) -> (Vec<(String, String)>, BTreeMap<String, String>) {
    let (mut found, mut constants) = (Vec::new(), BTreeMap::new());
    let (mut function, mut constant) = (String::new(), None);
    let mut rest = source;
    while let Some(next) = rest.chars().next() {
        if let Some(comment) = rest.strip_prefix("//") {
            rest = &comment[comment.find('\n').unwrap_or(comment.len())..];
        } else if let Some(name) = rest.strip_prefix("fn ") {
            function = word(name);
            rest = name;
        } else if let Some(name) = rest.strip_prefix("const ") {
            constant = Some(word(name));
            rest = name;
        } else if let Some(item) = ["\nstatic ", "pub static "]
            .iter()
            .find_map(|start| rest.strip_prefix(start))
        {
            function = format!("static {}", word(item));
            rest = item;
        } else if rest.starts_with("'\"'") {
            rest = &rest[3..];
        } else if next == '"' {
            let (text, after) = literal(&rest[1..]);
            match constant.take() {
                Some(name) => drop(constants.insert(name, text)),
                None => found.push((function.clone(), text)),
            }
            rest = after;
        } else {
            if next == ';' {
                constant = None;
            }
            rest = &rest[next.len_utf8()..];
        }
    }
    (found, constants)
}

fn word(text: &str) -> String {
    text.chars()
        .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
        .collect()
}

/// A literal up to its closing quote, escapes undone, and what follows it.
fn literal(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, &text[at + 1..]),
            '\\' => match letters.next() {
                Some((at, '\n')) => {
                    let blank = text[at..].len() - text[at..].trim_start().len();
                    letters = text.char_indices();
                    letters
                        .by_ref()
                        .take_while(|(here, _)| here + 1 < at + blank)
                        .for_each(drop);
                }
                Some((_, 'n')) => value.push('\n'),
                Some((_, other)) => value.push(other),
                None => break,
            },
            other => value.push(other),
        }
    }
    (value, "")
}

fn is_statement(text: &str) -> bool {
    ["SELECT ", "UPDATE ", "DELETE ", "INSERT ", "WITH "]
        .iter()
        .any(|verb| text.trim_start().starts_with(verb))
}

/// Every form that a statement with braces can take.
fn filled(sql: &str, constants: &BTreeMap<String, String>) -> Vec<String> {
    let Some((before, rest)) = sql.split_once('{') else {
        return vec![sql.to_owned()];
    };
    let (name, after) = rest.split_once('}').unwrap();
    let values: Vec<&str> = match constants.get(name) {
        Some(value) => vec![value],
        None => CHOICES
            .iter()
            .find(|(known, _)| *known == name)
            .unwrap_or_else(|| panic!("what can {{{name}}} be in: {sql}"))
            .1
            .to_vec(),
    };
    values
        .into_iter()
        .flat_map(|value| filled(&format!("{before}{value}{after}"), constants))
        .collect()
}

/// Every statement of the store, in the order of files and lines.
pub fn all() -> Vec<Found> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "rs"))
        .collect();
    files.sort();
    let mut all = Vec::new();
    for path in files {
        let name = path.file_name().unwrap().to_str().unwrap();
        if APART.contains(&name) {
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        let (found, constants) = literals(&source);
        for (function, text) in found {
            let braced = text.split_once('{').and_then(|(start, rest)| {
                let inner = rest.split_once('}')?.0;
                (start.is_empty() && constants.contains_key(inner)).then_some(())
            });
            if function.starts_with("static ") || !(is_statement(&text) || braced.is_some()) {
                continue;
            }
            for sql in filled(&text, &constants) {
                let place = format!("{}::{function}", name.trim_end_matches(".rs"));
                all.push(Found { place, sql });
            }
        }
    }
    all
}

pub fn steps(db: &Connection, sql: &str) -> Vec<String> {
    let mut prepared = db
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .unwrap_or_else(|error| panic!("{error}: {sql}"));
    let count = prepared.parameter_count();
    let nothing = vec![rusqlite::types::Null; count];
    let steps = prepared
        .query_map(rusqlite::params_from_iter(nothing), |row| {
            row.get::<_, String>(3)
        })
        .unwrap();
    steps.map(Result::unwrap).collect()
}

/// A walk through all of a table or index, or a sort by hand.
pub fn is_dear(step: &str) -> bool {
    // The members of one value at hand are no table.
    let members = step.contains(" VIRTUAL TABLE ") && step.contains("json_each");
    let walks = step.starts_with("SCAN ") && !step.contains("CONSTANT ROW") && !members;
    walks || step.contains("TEMP B-TREE")
}

#[tokio::test]
async fn no_statement_walks_a_whole_table_or_sorts_by_hand_without_a_bound() {
    let house = TestApp::start().await;
    let (mut page, mut bad) = (Vec::new(), Vec::new());
    let mut used = Vec::new();
    for Found { place, sql } in all() {
        let steps = house
            .app
            .store
            .read(|db| Ok::<_, dewline::store::StoreError>(steps(db, &sql)))
            .unwrap();
        let mut lines = Vec::new();
        for step in steps {
            let mut line = step.clone();
            if is_dear(&step) {
                let bound = STATEMENTS
                    .iter()
                    .find(|bound| bound.place == place && step.starts_with(bound.step));
                match bound {
                    Some(bound) => {
                        used.push((bound.place, bound.step));
                        line = format!("{step}   <- {}", bound.because);
                    }
                    None => bad.push(format!("{place}: {step}\n    {sql}")),
                }
            }
            lines.push(line);
        }
        if !lines.is_empty() {
            page.push(format!("{place}\n    {}", lines.join("\n    ")));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    for Bound { place, step, .. } in STATEMENTS {
        assert!(
            used.contains(&(place, step)),
            "{place}, {step}: nothing needs this any more"
        );
    }
    insta::assert_snapshot!(page.join("\n"));
}

#[test]
fn statements_are_found_in_every_file_that_has_them() {
    let all = all();
    let of = |place: &str| all.iter().filter(|found| found.place == place).count();
    assert_eq!(of("overview::happened"), 1);
    assert_eq!(of("fanouts::sites"), 2);
    assert!(all.len() > 150, "{}", all.len());
}
