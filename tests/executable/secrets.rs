//! A composer.lock may hold passwords of private repositories: they are written nowhere, neither in the
//! database nor in the log at its most talkative.

use std::fs;
use std::io::Read;
use std::path::Path;

use flate2::read::DeflateDecoder;
use rusqlite::types::Value as Cell;
use serde_json::{Value, json};

use super::push::two_sites;
use super::wire::ask;
use super::{Serving, data_dir, dewline};

const SECRET: &str = "s3cr3t-w0rd";

/// A lock with the secret in every place where one was ever seen, and more.
fn lock() -> Value {
    let url = |path: &str| format!("https://deploy:{SECRET}@packages.example.org/{path}");
    let mut packages = vec![
        json!({"name": "drupal/core", "version": "10.3.1", "type": "drupal-core",
            "dist": {"type": "zip", "url": url("core.zip"), "mirrors": [{"url": url("mirror"), "preferred": true}]},
            "source": {"type": "git", "url": url("core.git"), "reference": SECRET},
            "transport-options": {"http": {"header": [format!("Authorization: Bearer {SECRET}")]},
                "ssl": {"passphrase": SECRET}},
            "notification-url": url("downloads"), "support": {"source": url("tree")},
            "authors": [{"name": SECRET, "email": format!("{SECRET}@example.org")}]}),
        json!({"name": "drupal/token", "version": "1.13.0", "type": "drupal-module",
            "extra": {"auth": SECRET, "drupal": {"version": "8.x-1.13", "datestamp": "1697885927", "auth": SECRET}}}),
        json!({"name": "example/town-hall-tools", "version": "dev-main", "type": "drupal-custom-module",
            "description": SECRET, "extra": [SECRET], "dist": {"url": format!("https://x?access_token={SECRET}")}}),
    ];
    // Enough for what is kept of it to be packed.
    packages.extend((0..60).map(|n| {
        json!({"name": format!("example/library-{n}"), "version": format!("1.{n}.0"), "type": "library",
            "dist": {"url": url("library.zip")}})
    }));
    json!({
        "_readme": [SECRET], "content-hash": "5b1f9e0c3d2a47868f1b6f0e9a7c4d21", "packages": packages,
        "packages-dev": [], "repositories": [{"type": "composer", "url": url("")}],
        "http-basic": {"packages.example.org": {"username": "deploy", "password": SECRET}},
        "github-oauth": {"github.com": SECRET}, "bearer": {"packages.example.org": SECRET},
        "config": {"gitlab-token": {"gitlab.com": SECRET}},
    })
}

/// No file below the data directory holds it as it stands.
fn is_in_no_file(data: &Path) {
    let mut read = 0;
    for entry in fs::read_dir(data).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            let bytes = fs::read(entry.path()).unwrap();
            assert!(!holds(&bytes, SECRET), "{}", entry.path().display());
            read += bytes.len();
        }
    }
    assert!(read > 100_000, "{read} bytes were read");
}

fn holds(bytes: &[u8], word: &str) -> bool {
    bytes
        .windows(word.len())
        .any(|window| window == word.as_bytes())
}

/// What is packed in the database, unpacked.
fn unpacked(data: &Path) -> Vec<Vec<u8>> {
    let db = rusqlite::Connection::open(data.join("dewline.db")).unwrap();
    let mut tables = db
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .unwrap();
    let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let mut all = Vec::new();
    for table in tables {
        let mut rows = db
            .prepare(&format!("SELECT * FROM \"{}\"", table.unwrap()))
            .unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                if let Cell::Blob(packed) = row.get(column).unwrap() {
                    let mut bytes = Vec::new();
                    // What isn't packed is no text either: a hash.
                    let _ = DeflateDecoder::new(&packed[..]).read_to_end(&mut bytes);
                    all.push(bytes);
                }
            }
        }
    }
    all
}

#[test]
fn passwords_in_a_lock_are_written_nowhere() {
    let (_above, data) = data_dir();
    let sites = two_sites(&data);
    let mut command = dewline(&data, &["serve"]);
    command.env("DEWLINE_LOG__LEVEL", "trace");
    let serving = Serving::from(command);
    let send = |site: usize, rest: &str, body: &str, status: u16| {
        let (id, key) = &sites[site];
        let path = format!("/api/v1/sites/{id}/{rest}");
        let answer = ask(&serving.address, "POST", &path, key, Some(body)).unwrap();
        assert_eq!(answer.status, status, "{}", answer.body);
        assert!(!answer.body.contains(SECRET), "{}", answer.body);
    };
    let lock = lock().to_string();
    send(0, "composer-lock", &lock, 200);
    // Refused ones too: cut, wrong, with a name that is an address, and with a parameter.
    send(1, "composer-lock", &lock[..lock.len() / 2], 400);
    let wrong = lock.replacen("\"1.13.0\"", "[1]", 1);
    send(1, "composer-lock", &wrong, 422);
    let named = format!("https://deploy:{SECRET}@packages.example.org");
    let named = json!({"packages": [{"name": named, "version": "1"}]});
    send(1, "composer-lock", &named.to_string(), 422);
    send(1, &format!("composer-lock?token={SECRET}"), &lock, 400);
    // And the address of an inventory.
    let address = format!("https://deploy:{SECRET}@b.example.org/");
    let inventory = json!({"schema": 1, "site": {"url": address}, "modules": []});
    send(1, "modules/sync", &inventory.to_string(), 200);

    assert!(data.join("dewline.db-wal").is_file());
    is_in_no_file(&data);
    let (status, out, log) = serving.stop();
    assert_eq!(status, Some(0));
    for (_, key) in &sites {
        assert!(!log.contains(key), "keys aren't logged either");
    }
    assert!(log.lines().count() >= 6, "{log}");
    assert!(!log.contains(SECRET), "{log}");
    assert!(!out.contains(SECRET));
    is_in_no_file(&data);
    let unpacked = unpacked(&data);
    assert!(
        unpacked
            .iter()
            .any(|bytes| holds(bytes, "example/library-59")),
        "what is kept of the lock was seen"
    );
    assert!(unpacked.iter().all(|bytes| !holds(bytes, SECRET)));
}
