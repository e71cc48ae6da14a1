//! The dashboards through the API: what they count, inside the wall, and that no answer is older
//! than what it tells of.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{EMAIL, Site, TestApp, days_ago, module};
use dewline::clock::Clock;
use dewline::demo::advisory::Advisory;
use dewline::demo::history::Release;

impl TestApp {
    async fn overview(&self) -> Value {
        let mut data = self.admin().get("/dashboard/overview").await.ok()["data"].clone();
        data.as_object_mut().unwrap().remove("as_of");
        data
    }

    async fn names(&self, path: &str) -> Vec<Value> {
        self.admin().get(path).await.column("name")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_counts_what_stands_in_the_ledger() {
    let mut house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let empty = house.overview().await;
    assert_eq!(
        empty["sites"],
        json!({"total": 0, "exposed": 0, "silent": 0, "unknown": 0, "fine": 0})
    );
    assert_eq!(empty["exposures"]["by_risk"], json!({}));
    assert_eq!(empty["month"]["compliance"], Value::Null);

    house.publishes(module("poll").with(Release::security("1.0.1", days_ago(1))));
    let site = house.site_of(harbour, "Quay").await;
    let (path, key) = (site.path(""), site.key.clone());
    site.syncs(&[("poll", "1.0.0")]).await;
    house.run_jobs().await;
    let found = house.overview().await;
    assert_eq!(found["sites"]["total"], 1);
    assert_eq!(found["sites"]["exposed"], 1);
    assert_eq!(found["exposures"]["open"], 1);
    assert_eq!(found["exposures"]["overdue"], 0);
    assert_eq!(found["exposures"]["by_risk"], json!({"unknown": 1}));
    assert_eq!(found["syncs"], json!({"last_24h": 1, "refused_24h": 0}));
    assert_eq!(found["feed"]["stale"], false);

    let listed = house.admin().get("/exposures").await.ok()["data"][0].clone();
    let due: jiff::Timestamp = listed["due_at"].as_str().unwrap().parse().unwrap();
    let left = due.duration_since(house.clock.now());
    house.waits(left - SignedDuration::from_hours(24)).await;
    assert_eq!(house.overview().await["exposures"]["due_soon"], 1);
    house.waits(SignedDuration::from_hours(25)).await;
    let late = house.overview().await["exposures"].clone();
    assert_eq!(
        (&late["overdue"], &late["due_soon"]),
        (&json!(1), &json!(0))
    );

    let sync = format!("{path}/modules/sync");
    let body = Site::inventory(&[("poll", "1.0.1")]);
    house.bearer(&key).post(&sync, &body).await.ok();
    let refused = house.bearer(&key).post(&sync, &json!({"schema": 1})).await;
    assert_eq!(refused.status, 422);
    let fixed = house.overview().await;
    assert_eq!(fixed["exposures"]["open"], 0);
    assert_eq!(fixed["exposures"]["by_risk"], json!({}));
    assert_eq!(
        fixed["month"],
        json!({"patched": 1, "met": 0, "breached": 1, "compliance": 0.0})
    );
    assert_eq!(fixed["syncs"]["refused_24h"], 1);
    house.proves_itself().await;
}

#[tokio::test]
async fn the_overview_of_an_organization_counts_nothing_of_another() {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let meadow = house.organization("Meadow").await;
    house.site_of(harbour, "Quay").await;
    let key = house.key(meadow, &["sites:read"]).await;
    let theirs = house.bearer(&key).get("/dashboard/overview").await.ok();
    assert_eq!(theirs["data"]["sites"]["total"], 0);
    assert_eq!(house.overview().await["sites"]["total"], 1);
    let blind = house.key(harbour, &["sync"]).await;
    let refused = house.bearer(&blind).get("/dashboard/overview").await;
    assert_eq!(refused.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn how_fresh_data_is_is_told_of_ones_own_modules() {
    let mut house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let meadow = house.organization("Meadow").await;
    house.publishes(module("poll"));
    house.publishes(module("token"));
    let quay = house.site_of(harbour, "Quay").await;
    quay.syncs(&[("poll", "1.0.0")]).await;
    let barn = house.site_of(meadow, "Barn").await;
    barn.syncs(&[("token", "1.0.0")]).await;
    house.run_jobs().await;
    let first = house.clock.now();
    // Only what Harbour runs is answered no more.
    let refused = dewline::demo::drupal_org::Behaviour::Status(503, None);
    house.drupal_org.set_behaviour("poll", Some(refused));
    for _ in 0..26 {
        house.waits(SignedDuration::from_hours(1)).await;
        house.run_jobs().await;
    }
    let mut told = Vec::new();
    for organization in [harbour, meadow] {
        let key = house.key(organization, &["sites:read"]).await;
        let answer = house.bearer(&key).get("/dashboard/overview").await.ok();
        let feed = &answer["data"]["feed"];
        let read: jiff::Timestamp = feed["last_success_at"].as_str().unwrap().parse().unwrap();
        told.push((feed["stale"].as_bool().unwrap(), read > first));
    }
    assert_eq!(told, [(true, false), (false, true)]);
    assert_eq!(house.overview().await["feed"]["stale"], true);
}

#[tokio::test]
async fn what_is_asked_again_after_a_change_is_answered_anew() {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let one = house.site_of(harbour, "One").await;
    let path = one.path("");
    assert_eq!(house.names("/sites").await, ["One"]);
    assert_eq!(house.names("/sites").await, ["One"]);
    house.site_of(harbour, "Two").await;
    assert_eq!(house.names("/sites").await, ["One", "Two"]);
    let renamed = json!({"name": "Uno"});
    house.admin().put(&path, &renamed).await.ok();
    assert_eq!(house.names("/sites").await, ["Two", "Uno"]);
    house.admin().delete(&path).await;
    assert_eq!(house.names("/sites").await, ["Two"]);
    assert_eq!(house.overview().await["sites"]["total"], 1);
}

#[tokio::test]
async fn what_is_asked_again_is_the_askers_own_and_paid_for() {
    let house = TestApp::with(|config| config.rate_limits.api_key = 3).await;
    let harbour = house.organization("Harbour").await;
    let meadow = house.organization("Meadow").await;
    house.site_of(harbour, "Quay").await;
    house.site_of(meadow, "Barn").await;
    let key = house.key(meadow, &["sites:read"]).await;
    assert_eq!(house.names("/sites").await, ["Barn", "Quay"]);
    let mut ids = std::collections::BTreeSet::new();
    for left in ["2", "1", "0"] {
        let answer = house.bearer(&key).get("/sites").await;
        assert_eq!(answer.header("ratelimit-remaining"), left);
        assert_eq!(answer.column("name"), ["Barn"]);
        let body = answer.ok();
        assert_eq!(body["meta"]["request_id"], answer.header("x-request-id"));
        ids.insert(answer.header("x-request-id").to_owned());
    }
    assert_eq!(ids.len(), 3);
    assert_eq!(house.bearer(&key).get("/sites").await.status, 429);
}

/// The cells of a row of the page's comparison of months: this month's, and the last one's.
fn row_of(page: &str, word: &str) -> Option<(String, String)> {
    let (_, row) = page.split_once(&format!("<th scope=\"row\">{word}</th>"))?;
    let mut cells = row.split("<td class=\"num\">").skip(1);
    let mut cell = || Some(cells.next()?.split("</td>").next()?.to_owned());
    let this = cell()?.replace("<b>", "").replace("</b>", "");
    Some((this, cell()?))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_page_and_the_dashboard_tell_one_month_by_one_rule() {
    let mut house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    for name in ["poll", "token", "views_bulk"] {
        house.publishes(module(name).with(Release::security("1.0.1", days_ago(1))));
    }
    let all = [
        ("poll", "1.0.0"),
        ("token", "1.0.0"),
        ("views_bulk", "1.0.0"),
    ];
    let sites = [
        house.site_of(harbour, "Quay").await,
        house.site_of(harbour, "Pier").await,
    ];
    let mut keys = Vec::new();
    for site in sites {
        keys.push((site.path("/modules/sync"), site.key.clone()));
        site.syncs(&all).await;
    }
    // Not of production: in no figure of either.
    let staging = json!({"environment": "staging"});
    let stage = house.site_of(harbour, "Stage").await;
    house.admin().put(&stage.path(""), &staging).await.ok();
    stage.syncs(&all).await;
    house.run_jobs().await;
    let counted = house.overview().await["exposures"]["open"].clone();
    assert_eq!(counted, 9, "those of staging are open, too");
    // One is closed before its time, one after it, and the rest runs past it: the days on which they are closed
    // and the days on which they were due lie in two months for a while.
    for (days, closing) in [(1, Some(0)), (9, Some(1)), (20, None), (25, None)] {
        house.waits(SignedDuration::from_hours(24 * days)).await;
        if let Some(site) = closing {
            let (path, key) = &keys[site];
            let now = [
                ("poll", "1.0.1"),
                ("token", "1.0.1"),
                ("views_bulk", "1.0.0"),
            ];
            let body = Site::inventory(&now);
            house.bearer(key).post(path, &body).await.ok();
        }
        let month = house.overview().await["month"].clone();
        let page = house.signed_in(EMAIL).await.get("//").await;
        assert_eq!(page.status, 200);
        let number = |word: &str| month[word].as_i64().unwrap().to_string();
        let this = |word: &str| row_of(&page.text, word).map(|(this, _)| this);
        let nothing = || "0".to_owned();
        let said = [this("Closed"), this("Met"), this("Breached")];
        let said = said.map(|said| said.unwrap_or_else(nothing));
        assert_eq!(
            said,
            [number("patched"), number("met"), number("breached")],
            "after {days} more days"
        );
        let share = month["compliance"].as_f64().map_or_else(
            || "–".to_owned(),
            |share| format!("{} %", (share * 1_000.0).round() / 10.0),
        );
        assert_eq!(this("Compliance").unwrap_or_else(|| "–".to_owned()), share);
    }
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_misses_two_fixes_counts_under_the_worse_and_an_unknown_risk_is_worse_than_a_little_one()
 {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let fixes = [
        Release::security("1.0.1", days_ago(3)),
        Release::security("1.0.2", days_ago(1)),
    ];
    house.publishes(
        fixes
            .into_iter()
            .fold(module("token"), |token, fix| token.with(fix)),
    );
    house.drupal_org.put_advisory(Advisory {
        vector: Some("AC:Complex/A:User/CI:Some/II:None/E:Theoretical/TD:Uncommon".to_owned()),
        ..Advisory::new(50, "SA-CONTRIB-2026-050", "token", days_ago(3))
    });
    let site = house.site_of(harbour, "Quay").await;
    site.syncs(&[("token", "1.0.0")]).await;
    house.run_jobs().await;
    let mut risks = house.admin().get("/exposures").await.column("risk");
    risks.sort_by_key(Value::to_string);
    assert_eq!(risks, [json!("less_critical"), Value::Null]);
    assert_eq!(
        house.overview().await["exposures"]["by_risk"],
        json!({"unknown": 1})
    );
}
