//! What the log says of requests: every line that belongs to one carries its id, as JSON and as text.

use serde_json::Value;

use super::push::two_sites;
use super::wire::{Answer, ask_with};
use super::{Serving, data_dir, dewline};

/// The ids that callers send, with the path that each asks for and the status that it gets.
const ASKED: [(&str, &str, &str, u16); 7] = [
    ("first-1", "GET", "/healthz", 200),
    ("lock.taken", "POST", "/composer-lock", 200),
    ("lock_refused", "POST", "/composer-lock", 422),
    ("stranger", "GET", "/api/v1/sites", 401),
    ("lost", "GET", "/nowhere", 404),
    ("fault-of-ours", "POST", "/composer-lock", 500),
    ("not-ready", "GET", "/readyz", 503),
];

/// Serves in this format, asks all of it, and gives the lines of the log.
fn lines_of(format: &str) -> (Vec<String>, String) {
    let (_above, data) = data_dir();
    let (site, key) = two_sites(&data).remove(0);
    let mut command = dewline(&data, &["serve"]);
    command
        .env("DEWLINE_LOG__FORMAT", format)
        .env("DEWLINE_LOG__LEVEL", "trace");
    let serving = Serving::from(command);
    let ask = |id: &str, method: &str, path: &str, body: &str| -> Answer {
        let path = match path {
            "/composer-lock" => format!("/api/v1/sites/{site}/composer-lock"),
            other => other.to_owned(),
        };
        let bearer = format!("Bearer {key}");
        let mut headers = vec![("X-Request-Id", id)];
        if method == "POST" {
            headers.push(("Authorization", &bearer));
        }
        ask_with(
            &serving.address,
            method,
            &path,
            &headers,
            Some(body).filter(|body| !body.is_empty()),
        )
        .unwrap()
    };
    for (id, method, path, status) in ASKED {
        let body = match (id, method) {
            ("lock_refused", _) => r#"{"packages": [{"name": "a/b"}]}"#,
            ("fault-of-ours", _) => r#"{"packages": [{"name": "a/c", "version": "2"}]}"#,
            (_, "POST") => r#"{"packages": [{"name": "a/b", "version": "1"}]}"#,
            _ => "",
        };
        match id {
            "fault-of-ours" => alter(&data, "ALTER TABLE syncs RENAME TO elsewhere"),
            "not-ready" => alter(&data, "ALTER TABLE organizations RENAME TO away"),
            _ => {}
        }
        let answer = ask(id, method, path, body);
        assert_eq!(answer.status, status, "{id}: {}", answer.body);
        assert_eq!(answer.header("x-request-id"), id);
    }
    // What isn't an id gets one of ours.
    let answer = ask("no id at all", "GET", "/healthz", "");
    let made = answer.header("x-request-id").to_owned();
    assert_eq!(made.len(), 36, "{made}");
    let (status, _, log) = serving.stop();
    assert_eq!(status, Some(0), "{log}");
    assert!(!log.contains("no id at all"));
    let lines: Vec<&str> = log.lines().collect();
    let first = lines.iter().position(|line| line.contains("first-1"));
    let last = lines.iter().rposition(|line| line.contains(&made));
    let mut during = lines[first.unwrap()..=last.unwrap()].to_vec();
    during.retain(|line| !is_of_no_request(line));
    (during.into_iter().map(str::to_owned).collect(), made)
}

/// The one line that is written after it says where it listens, and those of the jobs.
fn is_of_no_request(line: &str) -> bool {
    let of_a_job = [" job{", "\"name\":\"job\""];
    line.contains("reachable from this machine only")
        || of_a_job.iter().any(|job| line.contains(job))
}

/// Another program changes the database beneath it.
fn alter(data: &std::path::Path, sql: &str) {
    let db = rusqlite::Connection::open(data.join("dewline.db")).unwrap();
    db.execute_batch(sql).unwrap();
}

/// All ids that a line carries: its own field and those of the spans around it.
fn ids(line: &Value) -> Vec<&str> {
    let spans = line["spans"].as_array().into_iter().flatten();
    spans
        .chain([line])
        .filter_map(|fields| fields["request_id"].as_str())
        .collect()
}

#[test]
fn every_line_of_a_request_carries_its_id() {
    let (lines, made) = lines_of("json");
    let mut said: Vec<(String, String)> = Vec::new();
    for line in &lines {
        let fields: Value = serde_json::from_str(line).unwrap();
        let mut ids = ids(&fields);
        ids.dedup();
        let [id] = ids[..] else {
            panic!("not one id: {line}");
        };
        let message = fields["message"].as_str().unwrap().to_owned();
        said.push((id.to_owned(), message));
    }
    let all = ASKED.iter().map(|(id, ..)| *id).chain([made.as_str()]);
    for id in all {
        let of_it: Vec<&str> = said
            .iter()
            .filter(|(of, _)| of == id)
            .map(|(_, message)| message.as_str())
            .collect();
        let expected: &[&str] = match id {
            "fault-of-ours" => &["a fault of ours", "answered"],
            "not-ready" => &["not ready", "answered"],
            _ => &["answered"],
        };
        assert_eq!(of_it, expected, "{id}");
    }
}

#[test]
fn so_do_the_lines_for_people() {
    let (lines, made) = lines_of("text");
    let mut count = 0;
    for line in &lines {
        let of_one = ASKED.iter().map(|(id, ..)| *id).chain([made.as_str()]);
        let ids = of_one.filter(|id| line.contains(&format!("request_id=\"{id}\"")));
        assert_eq!(ids.count(), 1, "{line}");
        count += 1;
    }
    assert_eq!(count, ASKED.len() + 3);
}
