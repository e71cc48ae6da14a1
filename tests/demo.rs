//! The demo: the same seed makes the same history, everything that can be seen is on it, and its
//! record holds.

use std::path::Path;

use dewline::config::Config;
use dewline::services::check;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use serde_json::json;
use tempfile::TempDir;

use crate::executable::{Serving, dewline};

/// What of the history has to be the same: all but secrets, and what is sealed with them.
const HISTORY: &[&str] = &[
    "SELECT id, organization_id, name, url, environment, drupal_version, php_version, status, status_reason, total, \
     not_current, security, unknown, custom, disabled, open_exposures, next_due_at, silent_since, stranger_at FROM sites",
    "SELECT * FROM site_contacts",
    "SELECT * FROM site_modules ORDER BY 1, 2",
    "SELECT id, name, title, feed_state, next_check_at, sites_count, exposed_sites_count FROM modules",
    "SELECT id, module_id, version, datestamp, status, exposed, sites_count FROM module_versions",
    "SELECT * FROM publications",
    "SELECT * FROM syncs",
    "SELECT * FROM events",
    "SELECT * FROM patch_runs",
    "SELECT * FROM exposures",
    "SELECT * FROM refused_syncs",
    "SELECT * FROM chronicle",
];

fn fill(directory: &Path, arguments: &[&str]) {
    let data_dir = directory.to_str().unwrap();
    let mut all = vec![
        "demo",
        "--no-serve",
        "--data-dir",
        data_dir,
        "--until",
        "2026-07-24T09:30:00Z",
    ];
    all.extend(arguments);
    let output = dewline(directory, &all).output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.starts_with("sign in as admin@dewline.example with the password "),
        "{said}"
    );
}

fn open(directory: &Path) -> Connection {
    let file = directory.join("dewline.db");
    Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

fn rows(db: &Connection, query: &str) -> Vec<Vec<Value>> {
    let mut statement = db.prepare(query).unwrap();
    let columns = statement.column_count();
    let rows = statement
        .query_map([], |row| (0..columns).map(|at| row.get(at)).collect())
        .unwrap();
    rows.map(Result::unwrap).collect()
}

fn number(db: &Connection, query: &str) -> i64 {
    db.query_row(query, [], |row| row.get(0)).unwrap()
}

#[test]
fn the_same_seed_makes_the_same_history() {
    let above = TempDir::new().unwrap();
    let databases = [("one", "7"), ("same", "7"), ("other", "8")].map(|(name, seed)| {
        let directory = above.path().join(name);
        fill(&directory, &["--days", "15", "--seed", seed]);
        open(&directory)
    });
    let [one, same, other] = &databases;
    for query in HISTORY {
        assert!(rows(one, query) == rows(same, query), "differs: {query}");
    }
    let events = "SELECT * FROM events";
    assert!(rows(one, events) != rows(other, events));
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_on_it_and_its_record_can_be_played_again() {
    let above = TempDir::new().unwrap();
    let directory = above.path().join("data");
    fill(&directory, &["--days", "60", "--seed", "7"]);
    everything_is_on(&open(&directory));
    is_left_alone(&directory);
    let config = Config {
        data_dir: directory,
        ..Config::default()
    };
    let findings = check::run(&config, true).await.unwrap();
    assert!(findings.len() > 3);
    for finding in findings {
        assert!(
            finding.wrong.is_empty(),
            "{}: {:?}",
            finding.about,
            finding.wrong
        );
    }
}

fn everything_is_on(db: &Connection) {
    assert_eq!(number(db, "SELECT count(*) FROM organizations"), 3);
    assert_eq!(number(db, "SELECT count(*) FROM sites"), 41);
    assert_eq!(
        number(db, "SELECT count(DISTINCT status) FROM sites"),
        8,
        "every word a site can have"
    );
    let some = [
        "SELECT count(*) FROM sites WHERE silent_since IS NOT NULL",
        "SELECT count(*) FROM sites WHERE stranger_at IS NOT NULL",
        "SELECT count(*) FROM sites WHERE custom > 0 AND disabled > 0",
        "SELECT count(*) FROM refused_syncs WHERE code = 'invalid' AND detail <> ''",
        "SELECT count(*) FROM syncs WHERE source = 'composer-lock'",
        "SELECT count(*) FROM exposures WHERE outcome = 'met'",
        "SELECT count(*) FROM exposures WHERE outcome = 'breached'",
        "SELECT count(*) FROM exposures WHERE closed_at IS NULL AND due_at > 1784885400000",
        "SELECT count(*) FROM exposures WHERE closed_at IS NULL AND due_at < 1784885400000",
        "SELECT count(*) FROM exposures WHERE closed_by_patch_run_id IS NOT NULL",
        "SELECT count(*) FROM modules WHERE feed_state = 'absent'",
        "SELECT count(*) FROM advisories WHERE affected_sites > 0 AND risk IS NULL",
        "SELECT count(*) FROM advisories WHERE affected_sites > 0 AND risk IS NOT NULL",
        "SELECT count(*) FROM advisories WHERE psa = 1",
        "SELECT count(*) FROM exposures WHERE no_fix = 1 AND closed_at IS NULL",
    ];
    for query in some {
        assert!(number(db, query) > 0, "nothing: {query}");
    }
    for kind in ["installed", "updated", "downgraded", "removed", "disabled"] {
        let query = format!("SELECT count(*) FROM events WHERE kind = '{kind}'");
        assert!(number(db, &query) > 0, "nothing was {kind}");
    }
    assert_eq!(number(db, "SELECT count(*) FROM fanouts"), 0);
}

/// A directory with data is no place to play in.
fn is_left_alone(directory: &Path) {
    let data_dir = directory.to_str().unwrap();
    let before = number(&open(directory), "SELECT count(*) FROM syncs");
    let output = dewline(directory, &["demo", "--no-serve", "--data-dir", data_dir])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("holds data already"));
    assert_eq!(
        number(&open(directory), "SELECT count(*) FROM syncs"),
        before
    );
}

#[tokio::test]
async fn it_is_opened_with_the_sign_in_that_it_prints() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let above = TempDir::new().unwrap();
    // Where an installation keeps its data is no place for the demo: only the flag names one.
    let installation = above.path().join("installation");
    let mut command = dewline(&installation, &["demo", "--days", "3"]);
    let throw_away = above.path().join("throw-away");
    std::fs::create_dir(&throw_away).unwrap();
    command.env("TMPDIR", &throw_away);
    let serving = Serving::from(command);
    assert!(!installation.exists());
    let line = serving.before.first().unwrap();
    let password = line
        .strip_prefix("sign in as admin@dewline.example with the password ")
        .unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http
        .post(format!("{}/api/v1/auth/login", serving.address))
        .json(&json!({"email": "admin@dewline.example", "password": password}))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let signed_in: serde_json::Value = answer.json().await.unwrap();
    let token = signed_in["data"]["access_token"].as_str().unwrap();
    let sites = http
        .get(format!("{}/api/v1/sites", serving.address))
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert_eq!(sites.status(), 200);
    let sites: serde_json::Value = sites.json().await.unwrap();
    assert!(sites["data"].as_array().unwrap().len() > 10);
    assert_eq!(std::fs::read_dir(&throw_away).unwrap().count(), 1);
    let (status, _, errors) = serving.stop();
    assert_eq!(status, Some(0), "{errors}");
    assert_eq!(
        std::fs::read_dir(&throw_away).unwrap().count(),
        0,
        "nothing is left behind"
    );
}
