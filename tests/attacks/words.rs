//! Words that would like to be more than words: markup in every field that a site or a person can send,
//! lines in heads, formulas in tables.

use axum::http::Method;
use dewline::http::route::Gives;
use dewline::http::{pages, routes};
use serde_json::{Value, json};

use crate::matrix::things;
use crate::matrix::town::{Town, cookie, sends};
use crate::support::{EMAIL, TestApp};

/// Ends a text, an attribute and a comment, and runs where it isn't escaped.
const MARKUP: &str = "\"'--><img src=x onerror=alert(1)>";
/// What it must never be on a page.
const ALIVE: &str = "<img src=x";

/// Every place of the value that holds a text, as JSON pointers.
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
        Value::String(_) => found.push(place.to_owned()),
        _ => {}
    }
}

/// All that a site can say of itself.
fn inventory() -> Value {
    json!({
        "schema": 1,
        "agent": {"name": "agent", "version": "1.0.0"},
        "site": {
            "name": "Harbour", "drupal_version": "11.2.0", "php_version": "8.3.6", "install_profile": "standard",
            "database": {"driver": "mysql", "version": "8.0.36"},
        },
        "modules": [
            {"name": "drupal", "type": "core", "version": "11.2.0"},
            {"name": "shared", "title": "Shared", "version": "1.0.0", "composer": "drupal/shared", "components": ["shared"]},
            {"name": "harbour_custom", "title": "Ours", "type": "theme", "version": "1.0", "custom": true},
            {"name": "vendor/library", "title": "Library", "type": "library", "version": "1.0"},
        ],
    })
}

/// Sends it with the words in one place after the other, and gives how many were taken.
async fn says_everywhere(town: &Town, words: &str) -> usize {
    let mut places = Vec::new();
    texts(&inventory(), "", &mut places);
    let key = town.house.bearer(&town.own.site_key);
    let path = format!("/sites/{}/modules/sync", town.own.site);
    let mut together = inventory();
    let mut taken = 0;
    for place in places {
        let mut tried = together.clone();
        *tried.pointer_mut(&place).unwrap() = json!(words);
        if key.post(&path, &tried).await.status == 200 {
            together = tried;
            taken += 1;
        }
    }
    taken
}

/// The same in everything that people write.
async fn writes_everywhere(town: &Town, words: &str) {
    let (house, own) = (&town.house, &town.own);
    let admin = house.admin();
    for (path, name) in [
        (format!("/sites/{}", own.site), "name"),
        (format!("/sites/{}", own.site), "notes"),
        (format!("/organizations/{}", own.organization), "name"),
        (format!("/organizations/{}", own.organization), "notes"),
        (format!("/api-keys/{}", own.key), "name"),
        (format!("/modules/{}", own.module), "title"),
    ] {
        admin.put(&path, &json!({name: words})).await.ok();
    }
    // Not everything is a tag; what is refused says so without repeating it as markup.
    admin
        .put(&format!("/sites/{}", own.site), &json!({"tags": [words]}))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn markup_is_text_on_every_page_wherever_it_was_sent() {
    let town = Town::stands().await;
    assert!(
        says_everywhere(&town, MARKUP).await >= 5,
        "no field took it: the test is blind"
    );
    writes_everywhere(&town, MARKUP).await;
    town.house.run_jobs().await;
    // A refused sync is told of on the site's pages.
    let path = format!("/sites/{}/modules/sync", town.own.site);
    let refused = json!({"schema": 1, "modules": [{"name": MARKUP, "version": MARKUP}]});
    town.house
        .bearer(&town.own.site_key)
        .post(&path, &refused)
        .await;
    let encoded: String = url::form_urlencoded::byte_serialize(MARKUP.as_bytes()).collect();
    let mut escaped = 0;
    let flash = format!("dewline_flash=t={encoded}; dewline_theme={MARKUP}");
    for page in pages().iter().filter(|page| page.method == Method::GET) {
        let path = things::path(&town, &town.own, &format!("GET {}", page.path));
        for visitor in ["platform", "admin", "a stranger"] {
            let (header, credential) = town
                .visitor(visitor)
                .credential
                .clone()
                .unwrap_or(("cookie", String::new()));
            let client = town
                .house
                .anonymous()
                .with(header, &format!("{credential}; {flash}"));
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
                escaped += usize::from(
                    answer.text.contains("&lt;img src=x") || answer.text.contains("&#60;img src=x"),
                );
            }
        }
    }
    assert!(escaped > 20, "{escaped}: it was nowhere at all");
    let nowhere = town.house.anonymous().get(&format!("//{encoded}")).await;
    assert_eq!(nowhere.status, 404);
    assert!(!nowhere.text.contains(ALIVE));
}

#[tokio::test]
async fn no_text_becomes_a_line_of_a_head() {
    let house = TestApp::start().await;
    let cookie = cookie(&house, EMAIL).await;
    let visitor = house.anonymous().with("cookie", &cookie);
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

#[tokio::test(flavor = "multi_thread")]
async fn no_cell_of_a_file_starts_a_formula() {
    for start in ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "=cmd|' /C calc'!A0"] {
        let town = Town::stands().await;
        says_everywhere(&town, start).await;
        writes_everywhere(&town, start).await;
        town.house.run_jobs().await;
        let mut met = 0;
        for route in routes() {
            let Gives::Page(..) = route.operation.gives else {
                continue;
            };
            let path = things::path(&town, &town.own, &format!("GET {}", route.path));
            let answer = town.house.admin().get(&format!("{path}?format=csv")).await;
            assert_eq!(answer.status, 200, "{path}");
            met += cells(&path, &answer.text, start);
        }
        for page in ["//audit?format=csv"] {
            let answer = town.visitor("platform").at(&town.house).get(page).await;
            if answer.header("content-type").starts_with("text/csv") {
                met += cells(page, &answer.text, start);
            }
        }
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
