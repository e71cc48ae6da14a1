//! Reports through the API: counted by hand, inside the wall, the same as JSON and as CSV, and never in
//! memory.

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use dewline::clock::Clock;
use dewline::demo::history::Release;
use dewline::store::{Lane, StoreError};
use futures_util::StreamExt;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::net::SocketAddr;
use tower::ServiceExt;

use crate::matrix::town::{joins, person};
use crate::support::{Answer, EMAIL, PASSWORD, Site, TestApp, module};

const MANAGER: i64 = 2;
const VIEWER: i64 = 3;

pub const NAMES: [&str; 5] = [
    "security-updates",
    "module-updates",
    "sla-compliance",
    "historical",
    "end-of-life",
];

impl TestApp {
    async fn report(&self, path: &str) -> Vec<Value> {
        let answer = self.admin().get(&format!("/reports/{path}")).await.ok();
        answer["data"].as_array().unwrap().clone()
    }
}

/// Rows of a CSV file, by its columns, as texts.
pub fn read(text: &str) -> Vec<Vec<(String, String)>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let columns: Vec<String> = reader
        .headers()
        .unwrap()
        .iter()
        .map(str::to_owned)
        .collect();
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        let cells = row.iter().map(str::to_owned);
        columns.iter().cloned().zip(cells).collect()
    });
    rows.collect()
}

/// A cell of JSON as the file has it.
fn as_cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => dewline::domain::text::harmless(text).into_owned(),
        Value::Array(texts) => {
            let texts: Vec<&str> = texts.iter().map(|text| text.as_str().unwrap()).collect();
            dewline::domain::text::harmless(&texts.join(", ")).into_owned()
        }
        other => other.to_string(),
    }
}

fn told(rows: &[Value], names: &[&str]) -> Vec<Value> {
    let row = |row: &Value| names.iter().map(|name| row[*name].clone()).collect();
    rows.iter().map(row).collect()
}

/// Two organizations and four sites. On the first day a fix of `poll` comes out: Quay takes it after two
/// days, Barn (of the other organization) after twenty, which is late, Mill never, and the staging site
/// at once. Promised are seven days.
pub async fn fleet() -> (TestApp, i64, i64) {
    fleet_after(0).await
}

/// The same after so many days on which nothing happens.
async fn fleet_after(days: i64) -> (TestApp, i64, i64) {
    let mut house = TestApp::start().await;
    house.waits(SignedDuration::from_hours(24 * days)).await;
    let harbour = house.organization("Harbour").await;
    let meadow = house.organization("Meadow").await;
    house.publishes(module("poll"));
    let mut sites = Vec::new();
    for (organization, name) in [
        (harbour, "Quay"),
        (meadow, "Barn"),
        (harbour, "Mill"),
        (harbour, "Stage"),
    ] {
        let site = house.site_of(organization, name).await;
        sites.push((site.id, site.key.clone()));
    }
    let staging = json!({"environment": "staging"});
    house
        .admin()
        .put(&format!("/sites/{}", sites[3].0), &staging)
        .await
        .ok();
    let syncs = async |house: &TestApp, at: usize, version: &str| {
        let (id, key) = &sites[at];
        Site::known(house, *id, key)
            .syncs(&[("poll", version)])
            .await;
    };
    for at in 0..4 {
        syncs(&house, at, "1.0.0").await;
    }
    house.run_jobs().await;
    let now = house.clock.now().as_second();
    house.releases("poll", Release::security("1.0.1", now));
    house.waits(SignedDuration::from_hours(2)).await;
    house.run_jobs().await;
    syncs(&house, 3, "1.0.1").await;
    house.waits(SignedDuration::from_hours(46)).await;
    syncs(&house, 0, "1.0.1").await;
    house.waits(SignedDuration::from_hours(18 * 24)).await;
    syncs(&house, 1, "1.0.1").await;
    (house, harbour, meadow)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_report_says_what_was_counted_by_hand() {
    let (house, ..) = fleet().await;
    let rows = house.report("security-updates").await;
    assert_eq!(
        told(
            &rows,
            &[
                "site",
                "organization",
                "module",
                "installed",
                "fixed_in",
                "state"
            ]
        ),
        [
            json!(["Quay", "Harbour", "poll", "1.0.0", ["1.0.1"], "met"]),
            json!(["Barn", "Meadow", "poll", "1.0.0", ["1.0.1"], "breached"]),
            json!(["Mill", "Harbour", "poll", "1.0.0", ["1.0.1"], "overdue"]),
        ]
    );
    let rows = house.report("sla-compliance").await;
    assert_eq!(
        told(
            &rows,
            &[
                "organization",
                "due",
                "met",
                "breached",
                "overdue",
                "compliance",
                "median_hours",
                "p90_hours",
                "exposure_hours"
            ]
        ),
        [
            json!(["Harbour", 2, 1, 0, 1, 0.5, 48.0, 48.0, 528.0]),
            json!(["Meadow", 1, 0, 1, 0, 0.0, 480.0, 480.0, 480.0]),
        ]
    );
    let rows = house.report("historical").await;
    let sums = |name: &str| {
        rows.iter()
            .map(|row| row[name].as_i64().unwrap())
            .sum::<i64>()
    };
    assert_eq!((sums("opened"), sums("closed")), (3, 2));
    assert_eq!(rows.len(), 21, "from the first day on record until today");
    assert_eq!(rows[20]["open"], 1);
    assert_eq!(rows[0]["sites"], Value::Null, "no snapshot was taken");
    let rows = house.report("module-updates").await;
    assert_eq!(
        told(
            &rows,
            &["module", "installed", "recommended", "status", "sites"]
        ),
        [json!(["poll", "1.0.0", "1.0.1", "not_secure", 1])]
    );
    let rows = house.report("end-of-life").await;
    assert_eq!(
        told(&rows, &["kind", "version", "sites"]),
        [json!(["core", "11.2.0", 3]), json!(["php", null, 3])]
    );
    let everywhere = house.report("security-updates?environment=all").await;
    assert_eq!(everywhere.len(), 4);
    assert_eq!(
        house.report("security-updates?environment=staging").await[0]["state"],
        "met"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_at_whose_end_nobody_looked_has_no_counts() {
    let mut house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    house.publishes(module("poll"));
    house
        .site_of(harbour, "Quay")
        .await
        .syncs(&[("poll", "1.0.0")])
        .await;
    house.run_jobs().await;
    // The first midnight is 16 hours away. The second finds nobody: the next look is at 22:00.
    house.waits(SignedDuration::from_mins(16 * 60 + 5)).await;
    house.run_jobs().await;
    house.waits(SignedDuration::from_hours(24 + 22)).await;
    house.site_of(harbour, "Mill").await;
    house.run_jobs().await;
    house.waits(SignedDuration::from_hours(2)).await;
    house.run_jobs().await;
    house.waits(SignedDuration::from_hours(24)).await;
    let days = house
        .report("historical?from=2026-11-20&to=2026-11-22")
        .await;
    assert_eq!(
        told(&days, &["date", "sites"]),
        [
            json!(["2026-11-20", 1]),
            json!(["2026-11-21", null]),
            json!(["2026-11-22", 2]),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_counts_as_the_dashboard_does() {
    // All is due, and closed or past due, in one month: the one in which it is looked at.
    let (house, ..) = fleet_after(12).await;
    let month = house.admin().get("/dashboard/overview").await.ok()["data"]["month"].clone();
    let first = house
        .clock
        .now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date()
        .first_of_month();
    let last = first.last_of_month();
    let rows = house
        .report(&format!("sla-compliance?from={first}&to={last}"))
        .await;
    let sum = |name: &str| {
        rows.iter()
            .map(|row| row[name].as_i64().unwrap())
            .sum::<i64>()
    };
    assert_eq!((sum("met"), sum("breached"), sum("overdue")), (1, 1, 1));
    assert_eq!(
        (month["met"].as_i64(), month["breached"].as_i64()),
        (Some(sum("met")), Some(sum("breached")))
    );
    assert_eq!(month["compliance"], 0.3333);
    let harbour = house
        .report(&format!(
            "sla-compliance?organization_id=1&from={first}&to={last}"
        ))
        .await;
    assert_eq!(harbour[0]["compliance"], 0.5);
}

/// Copies of a window, each opened a moment later.
pub async fn copies(house: &TestApp, window: i64, many: i64) {
    let add = move |db: &rusqlite::Connection| -> Result<usize, StoreError> {
        Ok(db.execute(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
             INSERT INTO exposures (organization_id, site_id, environment, module_id, version_id, cause_kind, cause, no_fix,
               opened_at, known_at, due_at, closed_at, outcome, created_at, updated_at)
             SELECT e.organization_id, e.site_id, e.environment, e.module_id, e.version_id, e.cause_kind, e.cause, 0,
               e.opened_at + n.i, e.known_at + n.i, e.due_at, e.closed_at, e.outcome, 0, 0
             FROM n CROSS JOIN exposures AS e WHERE e.id = ?2",
            [many, window],
        )?)
    };
    house.app.store.write(Lane::Back, add).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn less_than_all_is_told_as_all_nowhere() {
    let (house, ..) = fleet_after(12).await;
    // Of 30,001 of Harbour one is past due.
    copies(&house, 1, 29_999).await;
    let met = house.report("security-updates?organization_id=1").await;
    assert_eq!(met.len(), 30_001);
    let month = house.admin().get("/dashboard/overview").await.ok()["data"]["month"].clone();
    assert_eq!(
        (&month["met"], &month["breached"]),
        (&json!(30_000), &json!(1))
    );
    assert_eq!(month["compliance"], 0.9999);
    let rows = house.report("sla-compliance").await;
    assert_eq!(
        told(&rows, &["organization", "compliance"]),
        [json!(["Harbour", 0.9999]), json!(["Meadow", 0.0])]
    );
    let file = house
        .admin()
        .get("/reports/sla-compliance?format=csv")
        .await;
    assert_eq!(
        read(&file.text)[0][6],
        ("compliance".into(), "0.9999".into())
    );
    let browser = house.signed_in(EMAIL).await;
    for path in ["//", "//reports/sla-compliance"] {
        let page = browser.get(path).await;
        assert_eq!(page.status, 200);
        assert!(page.text.contains("99.9 %"), "{path}");
        for told in ["<dd>100 %<", "<b>100 %<", "\">100 %</data>"] {
            assert!(!page.text.contains(told), "{path}: {told}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_open_at_the_end_is_told_of_a_part_too() {
    let (house, ..) = fleet().await;
    let browser = house.signed_in(EMAIL).await;
    for (query, open) in [
        ("", "1"),
        ("module=poll", "1"),
        ("site_id=3", "1"),
        ("site_id=1", "0"),
        // Before anything was on record nobody knows.
        ("from=2020-01-01&to=2020-01-31", "–"),
    ] {
        let page = browser.get(&format!("//reports/historical?{query}")).await;
        let told = format!("<dt>Open at the end</dt><dd>{open}</dd>");
        assert!(page.text.contains(&told), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_time_is_told_with_its_ends_and_its_peak() {
    let (mut house, ..) = fleet().await;
    house.waits(SignedDuration::from_hours(24 * 150)).await;
    let browser = house.signed_in(EMAIL).await;
    let page = browser.get("//reports/historical").await.text;
    assert!(page.contains("At most 3 were open, on 2026-11-21."));
    let last = house.clock.now().to_string();
    for day in ["2026-11-20", "2026-11-21", &last[..10]] {
        let head = format!("<th scope=\"row\">{day}</th>");
        assert!(page.contains(&head), "{day}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn module_updates_tell_of_now_and_a_time_leaves_what_had_begun_before_its_end() {
    let (mut house, harbour, _) = fleet().await;
    let answer = house.admin().get("/reports/module-updates").await.ok();
    assert_eq!(answer["meta"]["period"], Value::Null);
    assert_eq!(answer["meta"]["as_of"], house.clock.now().to_string());
    // Mill runs the old version from the first day on; Hut begins with it three weeks later.
    let site = house.site_of(harbour, "Hut").await;
    site.syncs(&[("poll", "1.0.0")]).await;
    house.run_jobs().await;
    house.waits(SignedDuration::from_hours(1)).await;
    let before_hut = house.clock.now() - SignedDuration::from_hours(2);
    let browser = house.signed_in(EMAIL).await;
    for (time, sites) in [
        (String::new(), Some(2)),
        ("from=2026-11-20".to_owned(), Some(2)),
        (format!("from=2026-11-20&to={before_hut}"), Some(1)),
        ("from=2020-01-01&to=2020-01-31".to_owned(), None),
    ] {
        let rows = house.report(&format!("module-updates?{time}")).await;
        let counted: Vec<Option<i64>> = rows.iter().map(|row| row["sites"].as_i64()).collect();
        assert_eq!(
            counted,
            sites.map_or(vec![], |one| vec![Some(one)]),
            "{time}"
        );
        let page = browser
            .get(&format!("//reports/module-updates?{time}"))
            .await;
        assert!(
            !page.text.contains("type=\"date\""),
            "nothing asks for a time"
        );
        let begins = page.text.contains("<span>From</span>2026-11-20<");
        assert_eq!(
            begins,
            time.contains("2026-11-20"),
            "what narrows is said: {time}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_of_day_is_printed_and_days_are_told_whole() {
    let (house, ..) = fleet().await;
    let browser = house.signed_in(EMAIL).await;
    let time = "from=2026-11-20T06:30:00Z&to=2026-11-22T10:00:05Z";
    let periods = [
        (
            "security-updates",
            time,
            "20 Nov 2026, 06:30 to 22 Nov 2026, 10:00:05 (UTC)",
        ),
        (
            "security-updates",
            "from=2026-11-20&to=2026-11-22",
            "20 Nov 2026 to 22 Nov 2026 (UTC)",
        ),
        ("historical", time, "20 Nov 2026 to 22 Nov 2026 (UTC)"),
    ];
    for (name, time, said) in periods {
        let page = browser.get(&format!("//reports/{name}?{time}")).await;
        assert!(page.text.contains(said), "{name}?{time}: {said}");
    }
    let of = async |name: &str| {
        let path = format!("/reports/{name}?{time}");
        house.admin().get(&path).await.ok()["meta"]["period"].clone()
    };
    assert_eq!(
        of("security-updates").await,
        json!({"from": "2026-11-20T06:30:00Z", "to": "2026-11-22T10:00:05Z"})
    );
    assert_eq!(
        of("historical").await,
        json!({"from": "2026-11-20T00:00:00Z", "to": "2026-11-23T00:00:00Z"})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_has_the_cells_of_the_envelope() {
    let (house, harbour, _) = fleet().await;
    for name in ["=1+1", "@x", "\u{ff1d}1", "-2"] {
        let site = house.site_of(harbour, name).await;
        site.syncs(&[("poll", "1.0.0")]).await;
    }
    house.run_jobs().await;
    for name in NAMES {
        let rows = house.report(name).await;
        assert!(!rows.is_empty(), "{name}");
        let file = house
            .admin()
            .get(&format!("/reports/{name}?format=csv"))
            .await;
        assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
        let lines = read(&file.text);
        assert_eq!(lines.len(), rows.len(), "{name}");
        for (line, row) in lines.iter().zip(&rows) {
            assert_eq!(line.len(), row.as_object().unwrap().len(), "{name}");
            for (column, cell) in line {
                assert_eq!(*cell, as_cell(&row[column]), "{name}, {column}");
                assert!(
                    !cell.starts_with(['=', '@', '+', '\u{ff1d}', '\t', '\r']),
                    "{cell}"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_leave_what_they_name() {
    let (house, harbour, meadow) = fleet().await;
    let names = async |query: String| -> Vec<Value> {
        let rows = house.report(&format!("security-updates?{query}")).await;
        rows.iter().map(|row| row["site"].clone()).collect()
    };
    assert_eq!(
        names(format!("organization_id={harbour}")).await,
        ["Quay", "Mill"]
    );
    assert_eq!(names(format!("organization_id={meadow}")).await, ["Barn"]);
    assert_eq!(names("site_id=3".to_owned()).await, ["Mill"]);
    assert_eq!(names("module=poll".to_owned()).await.len(), 3);
    assert_eq!(names("module=token".to_owned()).await.len(), 0);
    assert_eq!(names("risk=unknown".to_owned()).await.len(), 3);
    assert_eq!(names("risk=critical".to_owned()).await.len(), 0);
    house
        .admin()
        .put("/sites/1", &json!({"tags": ["Shop"]}))
        .await
        .ok();
    assert_eq!(names("tag=shop".to_owned()).await, ["Quay"]);
    for query in ["site_id=1", "tag=shop"] {
        let days = house.report(&format!("historical?{query}")).await;
        let last = days.last().unwrap();
        let opened: i64 = days.iter().map(|day| day["opened"].as_i64().unwrap()).sum();
        assert_eq!((opened, &last["open"]), (1, &json!(0)), "{query}");
        let due = house.report(&format!("sla-compliance?{query}")).await;
        assert_eq!(told(&due, &["due", "met"]), [json!([1, 1])], "{query}");
    }
    assert_eq!(house.report("module-updates?site_id=3").await.len(), 1);
    assert_eq!(house.report("module-updates?site_id=1").await.len(), 0);
    assert_eq!(house.report("end-of-life?tag=shop").await[0]["sites"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_in_sight_leaves_nothing_and_says_no_more() {
    let (house, harbour, meadow) = fleet().await;
    let key = house
        .key(harbour, &["reports:read", "reports:export"])
        .await;
    let mine = house.bearer(&key);
    for name in NAMES {
        let empty = async |query: &str| -> (Value, String) {
            let json = mine.get(&format!("/reports/{name}?{query}")).await.ok();
            let file = mine
                .get(&format!("/reports/{name}?{query}&format=csv"))
                .await;
            (json["data"].clone(), file.text)
        };
        let foreign = empty(&format!("organization_id={meadow}")).await;
        assert_eq!(foreign, empty("organization_id=999999").await, "{name}");
        assert_eq!(foreign.0, json!([]), "{name}");
        assert_eq!(
            empty("site_id=2").await,
            empty("site_id=999999").await,
            "{name}"
        );
        assert_eq!(empty("site_id=2").await.0, json!([]), "{name}");
    }
    let all = house.report("security-updates").await.len();
    let theirs = house.key(meadow, &["reports:read"]).await;
    let count = async |key: &str| {
        house
            .bearer(key)
            .get("/reports/security-updates")
            .await
            .column("site")
            .len()
    };
    assert_eq!(count(&key).await + count(&theirs).await, all);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_needs_the_permission_to_export() {
    let (house, harbour, _) = fleet().await;
    let reader = house.key(harbour, &["reports:read"]).await;
    let writer = house
        .key(harbour, &["reports:read", "reports:export"])
        .await;
    let blind = house.key(harbour, &["sites:read"]).await;
    for name in NAMES {
        let asks = async |key: &str, end: &str| -> u16 {
            let path = format!("/reports/{name}{end}");
            house.bearer(key).get(&path).await.status.as_u16()
        };
        // Somebody who may was answered just before: what is kept is not given to whoever may not.
        assert_eq!(asks(&writer, "?format=csv").await, 200, "{name}");
        assert_eq!(asks(&reader, "?format=csv").await, 403, "{name}");
        assert_eq!(asks(&reader, "").await, 200, "{name}");
        assert_eq!(asks(&blind, "").await, 403, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_never_lacks_an_organization_that_its_page_shows() {
    let (house, harbour, hills) = fleet().await;
    let mo = person(&house, "mo@example.org", "Mo Tern").await;
    joins(&house, harbour, mo, MANAGER).await;
    joins(&house, hills, mo, VIEWER).await;
    let words = json!({"email": "mo@example.org", "password": PASSWORD});
    let opened = house.anonymous().post("/auth/login", &words).await.ok();
    let api = house.bearer(opened["data"]["access_token"].as_str().unwrap());
    let browser = house.signed_in("mo@example.org").await;
    for name in NAMES {
        for (client, path) in [
            (&api, format!("/reports/{name}")),
            (&browser, format!("//reports/{name}")),
        ] {
            let all = client.get(&path).await;
            assert_eq!(all.status, 200, "{path}: {}", all.text);
            let file = client.get(&format!("{path}?format=csv")).await;
            assert_eq!(file.status, 403, "{path}: {}", file.text);
            assert!(file.text.contains("name one that has it"), "{path}");
            for (one, status) in [(harbour, 200), (hills, 403)] {
                let path = format!("{path}?format=csv&organization_id={one}");
                assert_eq!(client.get(&path).await.status, status, "{path}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn impossible_questions_are_refused_with_every_fault() {
    let house = TestApp::start().await;
    let asks = async |path: &str| -> Vec<String> {
        let answer: Answer = house.admin().get(&format!("/reports/{path}")).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text);
        answer.faults()
    };
    let path = "sla-compliance?from=2026-05-02&to=2026-05-01&risk=dire&page=2";
    assert_eq!(
        asks(path).await,
        [
            "?risk unknown_word",
            "?page unknown_parameter",
            "?to before_from"
        ]
    );
    assert_eq!(
        asks("historical?from=2010-01-01&to=2026-01-01").await,
        ["?to too_long"]
    );
    assert_eq!(
        asks("end-of-life?from=2026-01-01").await,
        ["?from unknown_parameter"]
    );
    assert_eq!(
        asks("security-updates?organization_id=x").await,
        ["?organization_id invalid"]
    );
    assert_eq!(
        asks("security-updates?filter[site_id]=1").await,
        ["?filter[site_id] unknown_parameter"]
    );
    for name in NAMES {
        let nothing = house.report(name).await;
        assert_eq!(
            nothing,
            Vec::<Value>::new(),
            "{name}: nothing has happened yet"
        );
    }
    let ten_years = house
        .report("historical?from=2016-12-01&to=2026-11-01")
        .await;
    assert_eq!(ten_years, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_is_in_the_next_answer() {
    let (house, ..) = fleet().await;
    let path = "security-updates";
    assert_eq!(house.report(path).await[2]["state"], "overdue");
    house.admin().delete("/sites/3").await;
    assert_eq!(house.report(path).await[2]["state"], "ended");
    let due = house.report("sla-compliance").await;
    assert_eq!(told(&due, &["due", "compliance"])[0], json!([1, 1.0]));
}

/// Windows enough that their report is far longer than what is answered whole.
const MANY: i64 = 120_000;

/// A report's body as it comes, and what is told before it.
async fn flows(house: &TestApp, path: &str) -> axum::http::Response<Body> {
    let token = house.signs_in().await;
    let mut request = Request::builder()
        .uri(format!("/api/v1/reports/{path}"))
        .header("authorization", format!("Bearer {token}"))
        .body(Body::empty())
        .unwrap();
    let peer: SocketAddr = "203.0.113.9:40000".parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    dewline::http::router(house.app.clone())
        .oneshot(request)
        .await
        .unwrap()
}

/// The most memory that the process has had, in KiB.
fn peak() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_report_flows_and_is_never_in_memory() {
    let (house, ..) = fleet().await;
    copies(&house, 1, MANY).await;
    let before = peak();
    let answer = flows(&house, "security-updates").await;
    assert_eq!(answer.status(), 200);
    assert!(answer.headers().get("etag").is_none(), "it flows");
    let mut body = answer.into_body().into_data_stream();
    let (mut length, mut rows, mut last) = (0, 0, Vec::new());
    while let Some(data) = body.next().await {
        let data = data.unwrap();
        length += data.len();
        rows += String::from_utf8_lossy(&data)
            .matches("\"exposure_id\":")
            .count() as i64;
        last = data.to_vec();
    }
    assert_eq!(rows, MANY + 3);
    assert!(last.ends_with(b"}"), "the envelope is whole");
    assert!(length > 30 << 20, "{length}");
    let grown = peak() - before;
    assert!(grown < 30 * 1024, "{grown} KiB more for {length} bytes");

    // Whoever leaves takes the rest of the work with him; a fault on the way cuts the body.
    let answer = flows(&house, "security-updates?format=csv").await;
    let mut body = answer.into_body().into_data_stream();
    assert!(body.next().await.unwrap().is_ok());
    let break_it = |db: &rusqlite::Connection| -> Result<usize, StoreError> {
        Ok(db.execute(
            "UPDATE exposures SET cause = CAST(x'ff' AS TEXT) WHERE id > 100000",
            [],
        )?)
    };
    house.app.store.write(Lane::Back, break_it).await.unwrap();
    let mut cut = false;
    while let Some(data) = body.next().await {
        cut |= data.is_err();
    }
    assert!(cut, "a part is never taken for the whole");
}

/// The cells of the table on a page, row by row: what stands in its `data` elements.
pub fn cells_of(page: &str) -> Vec<Vec<String>> {
    let plain = |text: &str| {
        let text = text
            .replace("&#60;", "<")
            .replace("&lt;", "<")
            .replace("&gt;", ">");
        let text = text
            .replace("&#62;", ">")
            .replace("&quot;", "\"")
            .replace("&#34;", "\"");
        let text = text.replace("&#39;", "'").replace("&#x27;", "'");
        text.replace("&#38;", "&").replace("&amp;", "&")
    };
    let Some((_, table)) = page.split_once("<table class=\"tbl report\">") else {
        return Vec::new();
    };
    let body = table.split("</table>").next().unwrap();
    let body = body.split_once("<tbody>").unwrap().1;
    let rows = body.split("<tr>").skip(1).map(|row| {
        let cells = row.split("<data value=\"").skip(1);
        cells
            .map(|cell| plain(cell.split('"').next().unwrap()))
            .collect()
    });
    rows.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_has_the_cells_of_its_files_one_by_one() {
    let (house, harbour, _) = fleet().await;
    for name in ["=1+1", "<b>\"Quay\" & 'co'</b>", "@x"] {
        let site = house.site_of(harbour, "Other").await;
        site.syncs(&[("poll", "1.0.0")]).await;
        house
            .admin()
            .put(&site.path(""), &json!({"name": name}))
            .await
            .ok();
    }
    house.run_jobs().await;
    let browser = house.signed_in(EMAIL).await;
    for name in NAMES {
        for query in [
            "",
            "environment=all",
            "environment=all&organization_id=1",
            "tag=none",
        ] {
            let page = browser.get(&format!("//reports/{name}?{query}")).await;
            assert_eq!(page.status, 200, "{name}?{query}: {}", page.text);
            let links = |word: &str| -> String {
                let at = page
                    .text
                    .find(&format!("format={word}\">"))
                    .unwrap_or_else(|| panic!("{name}: no link to {word}"));
                let start = page.text[..at].rfind("href=\"").unwrap() + 6;
                page.text[start..at]
                    .replace("&#38;", "&")
                    .replace("&amp;", "&")
                    + "format="
                    + word
            };
            let file = browser.get(&format!("/{}", links("csv"))).await;
            assert_eq!(file.status, 200, "{}", file.text);
            let lines: Vec<Vec<String>> = read(&file.text)
                .into_iter()
                .map(|row| row.into_iter().map(|(_, cell)| cell).collect())
                .collect();
            assert_eq!(cells_of(&page.text), lines, "{name}?{query}");
            let json = browser.get(&format!("/{}", links("json"))).await.ok();
            let rows = json["data"].as_array().unwrap();
            assert_eq!(rows.len(), lines.len(), "{name}?{query}");
            let columns: Vec<String> = csv::Reader::from_reader(file.text.as_bytes())
                .headers()
                .unwrap()
                .iter()
                .map(str::to_owned)
                .collect();
            for (row, line) in rows.iter().zip(&lines) {
                let cells: Vec<String> =
                    columns.iter().map(|column| as_cell(&row[column])).collect();
                assert_eq!(&cells, line, "{name}?{query}");
            }
        }
    }
    let refused = browser
        .get("//reports/historical?from=2026-05-02&to=2026-05-01")
        .await;
    assert!(refused.status.is_client_error(), "{}", refused.status);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_is_over_has_a_snapshot_and_a_missed_one_has_none() {
    let mut house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    house.publishes(module("poll").with(Release::security("1.0.1", crate::support::days_ago(1))));
    let site = house.site_of(harbour, "Quay").await;
    site.syncs(&[("poll", "1.0.0")]).await;
    house.run_jobs().await;
    let counts = async |house: &TestApp| {
        told(
            &house.report("historical").await,
            &["date", "sites", "exposed", "not_current"],
        )
    };
    // From 8:00 to 23:59 nothing; at midnight the day that is over.
    house.waits(SignedDuration::from_mins(16 * 60 - 1)).await;
    house.run_jobs().await;
    assert_eq!(
        counts(&house).await[0],
        json!(["2026-11-20", null, null, null])
    );
    house.waits(SignedDuration::from_mins(2)).await;
    house.run_jobs().await;
    house.run_jobs().await;
    let first = json!(["2026-11-20", 1, 1, 1]);
    assert_eq!(counts(&house).await[0], first);
    // Nobody looks for three days: of these only yesterday is told.
    house.waits(SignedDuration::from_hours(72)).await;
    house.run_jobs().await;
    let days = counts(&house).await;
    assert_eq!(days[0], first);
    assert_eq!(days[1], json!(["2026-11-21", null, null, null]));
    assert_eq!(days[2], json!(["2026-11-22", null, null, null]));
    assert_eq!(days[3], json!(["2026-11-23", 1, 1, 1]));
    let narrowed = house.report("historical?module=poll").await;
    assert_eq!(
        narrowed[3]["sites"],
        Value::Null,
        "nobody counts sites by module"
    );
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboards_of_security_and_of_a_site_say_what_stands_in_the_ledger() {
    let (house, harbour, meadow) = fleet().await;
    let found = house.admin().get("/dashboard/security").await.ok()["data"].clone();
    let open = house
        .admin()
        .get("/exposures?filter[state]=open&sort=due_at")
        .await
        .ok()["data"]
        .clone();
    assert_eq!(found["open"], open);
    assert_eq!(found["by_module"][0]["sites"], 1);
    assert_eq!(found["by_module"][0]["module"], "poll");
    assert_eq!(
        found["by_organization"],
        json!([{"organization_id": harbour, "organization": "Harbour", "open": 1, "overdue": 1}])
    );
    assert_eq!(found["oldest_opened_at"], open[0]["opened_at"]);
    assert_eq!(found["median_hours_to_patch"], 48.0);
    let site = house.admin().get("/dashboard/sites/3").await.ok()["data"].clone();
    assert_eq!(
        site["site"],
        house.admin().get("/sites/3").await.ok()["data"]
    );
    assert_eq!(site["status"], site["site"]["status"]);
    assert_eq!(site["exposures"], open);
    assert_eq!(site["modules"]["by_status"]["not_secure"], 1);
    assert_eq!(
        told(site["timeline"].as_array().unwrap(), &["module", "state"]),
        [json!(["poll", "overdue"])]
    );
    let runs = house.admin().get("/dashboard/sites/1").await.ok()["data"]["patch_runs"].clone();
    assert_eq!(runs.as_array().unwrap().len(), 1);
    let theirs = house.key(meadow, &["sites:read"]).await;
    let theirs = house.bearer(&theirs);
    assert_eq!(theirs.get("/dashboard/sites/3").await.status, 404);
    let nothing = theirs.get("/dashboard/security").await.ok()["data"].clone();
    assert_eq!(
        (&nothing["open"], &nothing["by_organization"]),
        (&json!([]), &json!([]))
    );
}
