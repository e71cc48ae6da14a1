//! Words that would like to be more than words: markup in every field that a site or a person can send,
//! lines in heads, formulas in tables.

use std::collections::BTreeSet;

use axum::http::Method;
use dewline::http::route::Gives;
use dewline::http::{pages, routes};
use serde_json::{Value, json};

use crate::matrix::things;
use crate::matrix::town::Town;
use crate::support::browser::sends;
use crate::support::{EMAIL, PASSWORD, TestApp};

/// Ends a text, an attribute and a comment, and runs where it isn't escaped.
const MARKUP: &str = "\"'--><img src=x onerror=alert(1)>";
/// What it must never be on a page.
const ALIVE: &str = "<img src=x";

/// Every place of the value that holds a text or a number, as JSON pointers.
fn texts(value: &Value, place: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                texts(value, &format!("{place}/{name}"), found);
            }
        }
        Value::Array(all) => {
            for (at, value) in all.iter().enumerate() {
                texts(value, &format!("{place}/{at}"), found);
            }
        }
        Value::String(_) | Value::Number(_) => found.push(place.to_owned()),
        _ => {}
    }
}

/// All that a site can say of itself.
fn inventory() -> Value {
    json!({
        "schema": 1,
        "generated_at": "2026-11-21T09:00:00Z",
        "agent": {"name": "agent", "version": "1.0.0"},
        "site": {
            "url": "https://harbour.example.org", "instance": "f0e1", "drupal_version": "11.2.0", "php_version": "8.3.6",
            "install_profile": "standard", "database": {"driver": "mysql", "version": "8.0.36"},
            "cron_last_run": "2026-11-21T08:00:00Z", "status_report": {"errors": 0, "warnings": 2},
        },
        "modules": [
            {"name": "drupal", "type": "core", "version": "11.2.0"},
            {"name": "shared", "title": "Shared", "version": "1.0.0", "composer": "drupal/shared", "components": ["shared_ui"]},
            {"name": "harbour_custom", "title": "Ours", "type": "theme", "version": "1.0", "custom": true},
            {"name": "vendor/library", "title": "Library", "type": "library", "version": "1.0"},
            {"name": "shared_part", "title": "Part", "version": "1.0.0", "project": "shared", "datestamp": 1},
            {"name": "harbour_module", "title": "Harbour", "version": "1.0.0"},
        ],
    })
}

/// What of it a site may put into any words.
const TAKEN: [&str; 22] = [
    "/agent/name",
    "/agent/version",
    "/modules/0/version",
    "/modules/1/components/0",
    "/modules/1/composer",
    "/modules/1/title",
    "/modules/1/version",
    "/modules/2/title",
    "/modules/2/version",
    "/modules/3/title",
    "/modules/3/version",
    "/modules/4/title",
    "/modules/4/version",
    "/modules/5/title",
    "/modules/5/version",
    "/site/database/driver",
    "/site/database/version",
    "/site/drupal_version",
    "/site/install_profile",
    "/site/instance",
    "/site/php_version",
    "/site/url",
];

/// What a composer.lock may.
const LOCKED: [&str; 12] = [
    "/content-hash",
    "/packages/0/name",
    "/packages/0/version",
    "/packages/1/description",
    "/packages/1/extra/drupal/datestamp",
    "/packages/1/extra/drupal/version",
    "/packages/1/type",
    "/packages/1/version",
    "/packages/2/homepage",
    "/packages/2/type",
    "/packages/2/version",
    "/plugin-api-version",
];

/// What a composer.lock can say.
fn lock() -> Value {
    json!({
        "packages": [
            {"name": "drupal/core", "version": "11.2.0", "type": "drupal-core"},
            {"name": "drupal/shared", "version": "1.0.0", "type": "drupal-module", "description": "Shared",
             "extra": {"drupal": {"version": "1.0.0", "datestamp": "1"}}},
            {"name": "vendor/library", "version": "1.0", "type": "library", "homepage": "https://library.example"},
        ],
        "content-hash": "0",
        "plugin-api-version": "2.6.0",
    })
}

/// Sends it with the words in one place after the other, and gives the places where they were taken.
async fn sends_everywhere(
    town: &Town,
    (key, path): (&str, String),
    whole: Value,
    words: &str,
) -> Vec<String> {
    let mut places = Vec::new();
    texts(&whole, "", &mut places);
    // Whoever has said where he is must say the same again, so that comes first.
    places.sort_by_key(|place| !matches!(place.as_str(), "/site/url" | "/site/instance"));
    let key = town.house.bearer(key);
    let mut together = whole;
    if let Some(site) = together.pointer_mut("/site") {
        let told = site.as_object_mut().unwrap();
        told.remove("url");
        told.remove("instance");
    }
    let mut taken = Vec::new();
    for place in places {
        let mut tried = together.clone();
        match tried.pointer_mut(&place) {
            Some(value) => *value = json!(words),
            None => tried["site"][place.rsplit('/').next().unwrap()] = json!(words),
        }
        if key.post(&path, &tried).await.status == 200 {
            together = tried;
            taken.push(place);
        }
    }
    taken.sort();
    taken
}

/// Two sites say it wherever they can: one as an agent does, the other by its composer.lock.
async fn says_everywhere(town: &Town, words: &str) -> (Vec<String>, Vec<String>) {
    let own = &town.own;
    let path = format!("/sites/{}/modules/sync", own.site);
    let said = sends_everywhere(town, (&own.site_key, path), inventory(), words).await;
    let path = format!("/sites/{}/composer-lock", own.patched_site);
    let locked = sends_everywhere(town, (&own.patched_site_key, path), lock(), words).await;
    (said, locked)
}

/// The same in everything that people write, and in what their browsers call themselves. Gives the link of
/// somebody who was invited by that name.
async fn writes_everywhere(town: &Town, words: &str) -> String {
    let (house, own) = (&town.house, &town.own);
    let admin = house.admin();
    for (path, name) in [
        (format!("/sites/{}", own.site), "name"),
        (format!("/sites/{}", own.site), "notes"),
        (format!("/organizations/{}", own.organization), "name"),
        (format!("/organizations/{}", own.organization), "notes"),
        (format!("/api-keys/{}", own.key), "name"),
        (format!("/modules/{}", own.module), "title"),
        (format!("/users/{}", own.person), "name"),
        (format!("/roles/{}", own.role), "name"),
        (format!("/roles/{}", own.role), "description"),
    ] {
        admin.put(&path, &json!({name: words})).await.ok();
    }
    // Not everything is a tag; what is refused says so without repeating it as markup.
    admin
        .put(&format!("/sites/{}", own.site), &json!({"tags": [words]}))
        .await;
    let browser = house
        .anonymous()
        .with("user-agent", words)
        .from("198.51.100.7");
    let known = [("email", EMAIL), ("password", PASSWORD)];
    assert_eq!(sends(&browser, "/sign-in", &known).await.status, 303);
    let unknown = [("email", words), ("password", words)];
    assert_eq!(sends(&browser, "/sign-in", &unknown).await.status, 401);
    let program = json!({"email": EMAIL, "password": PASSWORD});
    browser.post("/auth/login", &program).await.ok();
    let guest = json!({"email": "words@harbour.example", "name": words, "role": "viewer"});
    let path = format!("/organizations/{}/members", own.organization);
    let made = admin.post(&path, &guest).await.created();
    made["data"]["invitation"]["link"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Another installation uses the site's key, and calls itself so.
async fn is_cloned(town: &Town, words: &str) {
    let mut clone = inventory();
    clone["site"]["url"] = json!(format!("https://evil.example/{words}"));
    clone["site"]["instance"] = json!(format!("{words}2"));
    let path = format!("/sites/{}/modules/sync", town.own.site);
    let key = town.house.bearer(&town.own.site_key);
    let answer = key.post(&path, &clone).await;
    assert_eq!(answer.status, 409, "{}", answer.text);
    assert_eq!(answer.faults(), [" different_installation"]);
}

/// Pages on which the words must be met by the platform administrator, for the test not to be blind.
const MET: [&str; 24] = [
    "/",
    "/account/sessions",
    "/advisories/{id}",
    "/api-keys",
    "/api-keys/{id}",
    "/audit",
    "/modules",
    "/modules/{id}",
    "/modules/{id}/sites",
    "/notifications",
    "/organizations",
    "/organizations/{id}",
    "/organizations/{id}/members",
    "/roles",
    "/roles/{id}",
    "/sites",
    "/sites/{id}",
    "/sites/{id}/events",
    "/sites/{id}/keys",
    "/sites/{id}/patch-runs",
    "/sites/{id}/settings",
    "/sites/{id}/syncs",
    "/users",
    "/users/{id}",
];

fn is_met(text: &str) -> bool {
    text.contains("&lt;img src=x") || text.contains("&#60;img src=x")
}

#[tokio::test(flavor = "multi_thread")]
async fn markup_is_text_on_every_page_wherever_it_was_sent() {
    let town = Town::stands().await;
    let (said, locked) = says_everywhere(&town, MARKUP).await;
    assert_eq!(said, TAKEN);
    assert_eq!(locked, LOCKED);
    let invitation = writes_everywhere(&town, MARKUP).await;
    is_cloned(&town, MARKUP).await;
    town.house.run_jobs().await;
    // A refused sync is told of on the site's pages.
    let path = format!("/sites/{}/modules/sync", town.own.site);
    let refused = json!({"schema": 1, "modules": [{"name": MARKUP, "version": MARKUP}]});
    let key = town.house.bearer(&town.own.site_key);
    assert_eq!(key.post(&path, &refused).await.status, 422);
    let encoded: String = url::form_urlencoded::byte_serialize(MARKUP.as_bytes()).collect();
    let mut met = BTreeSet::new();
    let flash = format!("dewline_flash=t={encoded}; dewline_theme={MARKUP}");
    for page in pages().iter().filter(|page| page.method == Method::GET) {
        let path = things::path(&town, &town.own, &format!("GET {}", page.path));
        for visitor in ["platform", "admin", "a stranger"] {
            let (header, credential) = town
                .visitor(visitor)
                .credential
                .clone()
                .unwrap_or(("cookie", String::new()));
            let plain = town.house.anonymous().with(header, &credential);
            let client = town
                .house
                .anonymous()
                .with(header, &format!("{credential}; {flash}"));
            if visitor == "platform" && is_met(&plain.get(&format!("/{path}")).await.text) {
                met.insert(page.path);
            }
            for query in [
                String::new(),
                format!("?q={encoded}"),
                format!("?next={encoded}&token={encoded}&email={encoded}"),
                format!(
                    "?organization={encoded}&environment={encoded}&tag={encoded}&month={encoded}&kind={encoded}"
                ),
                format!("?filter[name]={encoded}&sort={encoded}&{encoded}={encoded}"),
            ] {
                let answer = client.get(&format!("/{path}{query}")).await;
                assert!(
                    answer.status.as_u16() < 500,
                    "GET {path}{query}: {}",
                    answer.text
                );
                assert!(
                    !answer.text.contains(ALIVE),
                    "GET {path}{query} to {visitor}: {}",
                    answer.text
                );
            }
        }
    }
    let missed: Vec<_> = MET.iter().filter(|path| !met.contains(*path)).collect();
    assert!(
        missed.is_empty(),
        "it was not on {missed:?}, but on {met:?}"
    );
    let platform = town.visitor("platform").at(&town.house);
    let shown = platform
        .get(&format!("//sites/{}", town.own.site))
        .await
        .text;
    let (_, notice) = shown.split_once("A different installation used").unwrap();
    let (notice, _) = notice.split_once("</section>").unwrap();
    assert_eq!(notice.matches("img src=x").count(), 1, "{notice}");
    let invited = town.house.anonymous().get(&format!("/{invitation}")).await;
    assert_eq!(invited.status, 200);
    assert!(
        is_met(&invited.text) && !invited.text.contains(ALIVE),
        "{}",
        invited.text
    );
    let nowhere = town.house.anonymous().get(&format!("//{encoded}")).await;
    assert_eq!(nowhere.status, 404);
    assert!(!nowhere.text.contains(ALIVE));
}

#[tokio::test]
async fn no_text_becomes_a_line_of_a_head() {
    let house = TestApp::start().await;
    let visitor = house.signed_in(EMAIL).await;
    for name in [
        "a\r\nSet-Cookie: evil=1",
        "a\nLocation: https://evil.example",
        "a\u{85}b",
        "a; evil=1, evil=2",
        "\"; filename=evil.exe",
    ] {
        let made = sends(&visitor, "/organizations/new", &[("name", name)]).await;
        let api = house
            .admin()
            .post("/organizations", &json!({"name": name}))
            .await;
        for answer in [&made, &api] {
            for (header, value) in &answer.headers {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                // A message to come stands in a cookie, encoded.
                let word = if header == "set-cookie" {
                    "evil="
                } else {
                    "evil"
                };
                assert!(!value.contains(word), "{header}: {value}");
            }
        }
        if made.status == 303 {
            // What is said of it at its end stands in a cookie, and only there.
            let path = format!("{}/delete", made.header("location"));
            let gone = sends(&visitor, &path, &[]).await;
            assert_eq!(
                (gone.status.as_u16(), gone.header("location")),
                (303, "/organizations")
            );
            let lines: Vec<_> = gone.headers.get_all("set-cookie").iter().collect();
            assert_eq!(lines.len(), 1, "{lines:?}");
            let line = lines[0].to_str().unwrap();
            assert_eq!(line.matches("; ").count(), 4, "{line}");
            assert!(
                !line.contains("evil=1,") && !line.contains("; evil"),
                "{line}"
            );
        }
        let refused = name.chars().any(char::is_control);
        assert_eq!(
            api.status.as_u16() == 422,
            refused,
            "{name:?}: {}",
            api.text
        );
    }
    let file = house.admin().get("/organizations?format=csv").await;
    assert!(!file.header("content-disposition").contains("evil"));
}

/// The pages that are files, too.
const FILES: [&str; 10] = [
    "/advisories",
    "/advisories/{id}",
    "/audit",
    "/modules/{id}/sites",
    "/reports/end-of-life",
    "/reports/historical",
    "/reports/module-updates",
    "/reports/security-updates",
    "/reports/sla-compliance",
    "/sites",
];

#[tokio::test(flavor = "multi_thread")]
async fn no_cell_of_a_file_starts_a_formula() {
    for start in ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "=cmd|' /C calc'!A0"] {
        let town = Town::stands().await;
        let (said, _) = says_everywhere(&town, start).await;
        assert_eq!(said, TAKEN, "{start}");
        writes_everywhere(&town, start).await;
        town.house.run_jobs().await;
        let mut met = 0;
        for route in routes() {
            if !matches!(route.operation.gives, Gives::Page(..) | Gives::Report(_)) {
                continue;
            }
            let path = things::path(&town, &town.own, &format!("GET {}", route.path));
            let answer = town.house.admin().get(&format!("{path}?format=csv")).await;
            assert_eq!(answer.status, 200, "{path}");
            met += cells(&path, &answer.text, start);
        }
        let visitor = town.visitor("platform").at(&town.house);
        let mut files = Vec::new();
        for page in pages().iter().filter(|page| page.method == Method::GET) {
            let path = things::path(&town, &town.own, &format!("GET {}", page.path));
            let answer = visitor.get(&format!("/{path}?format=csv")).await;
            if !answer.header("content-type").starts_with("text/csv") {
                continue;
            }
            assert_eq!(answer.status, 200, "{path}");
            let of_it = cells(&path, &answer.text, start);
            // What advisories say comes from drupal.org, and so do the names in most reports.
            let foreign = ["/advisories", "/reports/"];
            assert!(
                of_it > 0 || foreign.iter().any(|start| page.path.starts_with(start)),
                "{start} is nowhere in {path}"
            );
            met += of_it;
            files.push(page.path);
        }
        files.sort_unstable();
        assert_eq!(files, FILES);
        assert!(met > 3, "{start} was in {met} cells: the test is blind");
    }
}

/// How many cells hold the words; none of them may begin as a formula does.
fn cells(path: &str, text: &str, words: &str) -> usize {
    let mut met = 0;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    for row in reader.records() {
        for cell in &row.unwrap() {
            let number = cell.parse::<f64>().is_ok();
            let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
            assert!(!formula || number, "{path}: the cell {cell:?}");
            met += usize::from(cell.contains(words));
        }
    }
    met
}
