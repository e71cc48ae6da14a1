//! What a verdict costs: median nanoseconds a case and a release, over the repository's own cases.
//! `cargo bench --bench engine`
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Instant;

use dewline::domain::advisory::Advisory;
use dewline::domain::composer::Composer;
use dewline::domain::prepared::Prepared;
use dewline::domain::release_history::{Document, parse};
use dewline::domain::status::{History, Installed, assess};

#[path = "../tests/engine/compact.rs"]
mod compact;

/// How often each piece of work is measured, and how often it is done for one measurement.
const ROUNDS: usize = 21;
const REPEATS: u32 = 20;

fn main() {
    let documents = compact::documents();
    verdicts(&documents);
    preparing(&documents);
    parsing();
    advisories();
}

fn verdicts(documents: &HashMap<String, Document>) {
    let ready: HashMap<&str, Option<Prepared>> = documents
        .iter()
        .map(|(id, document)| (id.as_str(), compact::ready(document)))
        .collect();
    let (mut cases, mut releases) = (Vec::new(), Vec::new());
    for case in compact::lines(&compact::folder().join("verdicts.jsonl")) {
        let Some(prepared) = &ready[case["history"].as_str().unwrap()] else {
            continue;
        };
        let history = History::Stored(prepared);
        let installed = Installed {
            version: case["version"].as_str(),
            datestamp: case["datestamp"].as_i64().unwrap(),
        };
        let time = measure(|| assess(black_box(&history), black_box(&installed)));
        cases.push(time);
        releases.push(time / prepared.releases().len().max(1) as f64);
    }
    say("verdict, a case", cases);
    say("verdict, a release", releases);
}

fn preparing(documents: &HashMap<String, Document>) {
    let mut times = Vec::new();
    for document in documents.values() {
        if let Document::Stored(history) = document {
            let time = measure(|| Prepared::new(black_box(history)));
            times.push(time / history.releases.len().max(1) as f64);
        }
    }
    say("making ready, a release", times);
}

fn parsing() {
    let mut times = Vec::new();
    for entry in std::fs::read_dir(compact::folder().join("documents")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        times.push(measure(|| parse(black_box(&bytes))));
    }
    say("parsing, a document of 5 kB", times);
}

fn advisories() {
    let mut times = Vec::new();
    for case in compact::lines(&compact::folder().join("advisories.jsonl")) {
        let advisory = Advisory::from_osv(&case["osv"]).unwrap().remove(0);
        for version in case["versions"].as_array().unwrap() {
            let text = version[0].as_str().unwrap();
            let decide =
                || Composer::of_drupal(black_box(text)).map(|version| advisory.reading(&version));
            times.push(measure(decide));
        }
    }
    say("advisory, a decision", times);
}

/// The median time of one run, nanoseconds.
#[allow(clippy::disallowed_methods)]
fn measure<T>(work: impl Fn() -> T) -> f64 {
    let round = || {
        let start = Instant::now();
        for _ in 0..REPEATS {
            black_box(work());
        }
        start.elapsed().as_nanos() as f64 / f64::from(REPEATS)
    };
    middle((0..ROUNDS).map(|_| round()).collect(), 0.5)
}

fn middle(mut times: Vec<f64>, part: f64) -> f64 {
    times.sort_by(f64::total_cmp);
    times[((times.len() - 1) as f64 * part) as usize]
}

fn say(what: &str, times: Vec<f64>) {
    let (median, high, worst) = (
        middle(times.clone(), 0.5),
        middle(times.clone(), 0.95),
        middle(times, 1.0),
    );
    println!("{what:<30} median {median:>9.0} ns   95 % {high:>9.0} ns   worst {worst:>9.0} ns");
}
