//! What is promised: by organization and environment, in versions that never rewrite the past; by when
//! windows are due then; and what their clocks tell.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::browser::sends;
use crate::support::{EMAIL, Site, TestApp, days_ago, module};
use dewline::demo::advisory::Advisory;
use dewline::demo::history::Release;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// An organization with one site, and two modules of drupal.org.
async fn house() -> (TestApp, i64, String) {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    house.publishes(module("poll"));
    house.publishes(module("wiki"));
    let site = house.site_of(harbour, "Town hall").await;
    let (id, key) = (site.id, site.key.clone());
    Site::known(&house, id, &key)
        .syncs(&[("poll", "1.0.0"), ("wiki", "1.0.0")])
        .await;
    house.run_jobs().await;
    (house, id, key)
}

fn path(organization: i64) -> String {
    format!("/organizations/{organization}/sla-policy")
}

impl TestApp {
    /// Promises this for the first organization from now on.
    async fn promises(&self, environments: Value) {
        let said = json!({"environments": environments});
        self.admin().put(&path(1), &said).await.ok();
    }

    async fn window_of(&self, module: &str) -> Value {
        let windows = self.windows().await;
        let mut found = windows.iter().filter(|window| window["module"] == module);
        let window = found.next().unwrap().clone();
        assert_eq!(found.next(), None);
        window
    }

    /// `kind at` of everything that happened to a window.
    async fn told_of(&self, window: &Value) -> Vec<String> {
        let path = format!("/exposures/{}/events", window["id"]);
        let events = self.admin().get(&path).await.ok()["data"].clone();
        let line = |event: &Value| {
            assert!(event["at"].as_str() <= event["noticed_at"].as_str());
            format!("{} {}", event["kind"], event["at"]).replace('"', "")
        };
        events.as_array().unwrap().iter().map(line).collect()
    }
}

fn all(calendar: &str, hours: i64) -> Value {
    json!({"calendar": calendar, "hours": {"highly_critical": hours, "critical": hours,
        "moderately_critical": hours, "less_critical": hours, "not_critical": hours}})
}

#[tokio::test]
async fn an_organization_without_a_policy_of_its_own_has_the_one_that_holds_for_all() {
    let (house, _, _) = house().await;
    let data = house.admin().get(&path(1)).await.ok()["data"].clone();
    let terms = json!({"calendar": "calendar", "hours": {"highly_critical": 24, "critical": 72,
        "moderately_critical": 168, "less_critical": 336, "not_critical": 720}});
    assert_eq!(
        data,
        json!({
            "environments": {"production": terms, "staging": terms, "development": terms},
            "time_zone": "UTC",
            "holidays": [],
            "valid_from": "1970-01-01T00:00:00Z",
        })
    );
    assert_eq!(house.admin().get(&path(99)).await.status, 404);
}

#[tokio::test]
async fn what_is_not_sent_stays_and_what_is_sent_back_changes_nothing() {
    let (mut house, _, _) = house().await;
    let said = json!({
        "environments": {"staging": {"calendar": "none"}, "production": {"hours": {"critical": 12}}},
        "time_zone": "europe/vienna",
        "holidays": ["2026-12-26", "2026-12-25", "2026-12-25"],
    });
    let changed = house.admin().put(&path(1), &said).await.ok()["data"].clone();
    assert_eq!(changed["environments"]["staging"]["calendar"], "none");
    assert_eq!(
        changed["environments"]["production"]["calendar"],
        "calendar"
    );
    assert_eq!(
        changed["environments"]["production"]["hours"]["critical"],
        12
    );
    assert_eq!(
        changed["environments"]["production"]["hours"]["less_critical"],
        336
    );
    assert_eq!(changed["time_zone"], "Europe/Vienna");
    assert_eq!(changed["holidays"], json!(["2026-12-25", "2026-12-26"]));
    assert_eq!(changed["valid_from"], "2026-11-20T08:00:00Z");

    house.waits(HOUR).await;
    let same = house.admin().put(&path(1), &changed).await.ok()["data"].clone();
    assert_eq!(same, changed);
    assert_eq!(house.admin().get(&path(1)).await.ok()["data"], changed);
    let record = house
        .admin()
        .get("/audit-logs?filter[action]=sla_policy.updated")
        .await
        .ok();
    assert_eq!(record["data"].as_array().unwrap().len(), 1);
    // Another organization goes on as it was.
    let other = house.organization("Meadow").await;
    let of_other = house.admin().get(&path(other)).await.ok()["data"].clone();
    assert_eq!(of_other["time_zone"], "UTC");
}

#[tokio::test]
async fn whatever_is_wrong_with_a_policy_is_told_and_nothing_is_changed() {
    let (house, _, _) = house().await;
    let said = json!({
        "environments": {
            "production": {"calendar": "always", "hours": {"critical": 0, "less_critical": -3, "not_critical": 1.5}},
            "staging": {"hours": {"highly_critical": 8761, "worst": 1}},
            "moon": {},
        },
        "time_zone": "Mars/Olympus",
        "holidays": ["2026-02-30"],
        "valid_from": "2020-01-01T00:00:00Z",
    });
    let mut faults = house.admin().put(&path(1), &said).await.faults();
    faults.sort();
    assert_eq!(
        faults,
        [
            "/environments/moon unknown_field",
            "/environments/production/calendar not_allowed",
            "/environments/production/hours/critical out_of_range",
            "/environments/production/hours/less_critical out_of_range",
            "/environments/production/hours/not_critical wrong_type",
            "/environments/staging/hours/highly_critical out_of_range",
            "/environments/staging/hours/worst unknown_field",
            "/holidays/0 not_a_date",
            "/time_zone unknown_time_zone",
            "/valid_from immutable",
        ]
    );
    for said in [
        json!({"environments": []}),
        json!({"environments": {"production": 3}}),
        json!([1]),
    ] {
        assert_eq!(
            house.admin().put(&path(1), &said).await.status,
            422,
            "{said}"
        );
    }
    let data = house.admin().get(&path(1)).await.ok()["data"].clone();
    assert_eq!(data["valid_from"], "1970-01-01T00:00:00Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_policy_never_rewrites_the_past_even_where_the_past_is_learnt_later() {
    let (mut house, _, _) = house().await;
    let before = house.clock_seconds() + 600;
    house.releases("poll", Release::security("1.0.1", before));
    house.waits(HOUR).await;
    house
        .promises(json!({"production": all("calendar", 10)}))
        .await;
    house.waits(HOUR).await;
    house.releases("wiki", Release::security("1.0.1", house.clock_seconds()));
    house.waits(HOUR).await;
    house.run_jobs().await;
    // Opened before the change though known after it: the hours of then.
    let poll = house.window_of("poll").await;
    assert_eq!(poll["opened_at"], "2026-11-20T08:10:00Z");
    assert_eq!(poll["due_at"], "2026-11-27T08:10:00Z");
    let wiki = house.window_of("wiki").await;
    assert_eq!(wiki["opened_at"], "2026-11-20T10:00:00Z");
    assert_eq!(wiki["due_at"], "2026-11-20T20:00:00Z");
    house.promises(json!({"production": all("none", 1)})).await;
    assert_eq!(house.window_of("wiki").await, wiki);
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_promised_first_holds_for_its_time_however_often_the_promise_is_changed() {
    let (mut house, _, _) = house().await;
    house
        .promises(json!({"production": all("calendar", 10)}))
        .await;
    let then = house.clock_seconds() + 600;
    for change in 0..501 {
        if change % 100 == 0 {
            house.waits(HOUR).await;
        }
        let hours = 20 + change % 2;
        house
            .promises(json!({"production": all("calendar", hours)}))
            .await;
    }
    house.releases("poll", Release::security("1.0.1", then));
    house.waits(HOUR).await;
    house.run_jobs().await;
    let poll = house.window_of("poll").await;
    assert_eq!(poll["opened_at"], "2026-11-20T08:10:00Z");
    assert_eq!(poll["due_at"], "2026-11-20T18:10:00Z");
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_due_where_nothing_is_promised_and_the_window_is_open_all_the_same() {
    let (mut house, site, _) = house().await;
    house
        .promises(json!({"production": {"calendar": "none"}}))
        .await;
    house.waits(HOUR).await;
    house.releases("poll", Release::security("1.0.1", house.clock_seconds()));
    house.waits(HOUR).await;
    house.run_jobs().await;
    let window = house.window_of("poll").await;
    assert_eq!(
        (&window["due_at"], &window["state"]),
        (&Value::Null, &json!("open"))
    );
    // What is worse than it was thought tightens what was promised, and nothing was.
    let told = Advisory::new(77, "SA-CONTRIB-2026-077", "poll", house.clock_seconds());
    house.drupal_org.put_advisory(told);
    house.waits(HOUR * 24 * 40).await;
    house.run_jobs().await;
    let window = house.window_of("poll").await;
    assert_eq!(
        (&window["due_at"], &window["state"]),
        (&Value::Null, &json!("open"))
    );
    assert_eq!(house.told_of(&window).await, [""; 0]);
    let found = house.admin().get(&format!("/sites/{site}")).await.ok();
    assert_eq!(found["data"]["open_exposures"], 1, "{found}");
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_moves_to_another_environment_takes_no_window_with_it() {
    let (mut house, site, _) = house().await;
    house
        .promises(json!({"production": all("calendar", 10), "staging": all("calendar", 100)}))
        .await;
    house.waits(HOUR).await;
    house.releases("poll", Release::security("1.0.1", house.clock_seconds()));
    house.waits(HOUR).await;
    house.run_jobs().await;
    house.waits(HOUR).await;
    let words = json!({"environment": "staging"});
    house
        .admin()
        .put(&format!("/sites/{site}"), &words)
        .await
        .ok();
    house.waits(HOUR).await;
    house.releases("wiki", Release::security("1.0.1", house.clock_seconds()));
    house.waits(HOUR).await;
    house.run_jobs().await;
    assert_eq!(
        house.window_of("poll").await["due_at"],
        "2026-11-20T19:00:00Z"
    );
    assert_eq!(
        house.window_of("wiki").await["due_at"],
        "2026-11-24T16:00:00Z"
    );
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn business_hours_are_counted_where_the_office_is() {
    let (mut house, _, _) = house().await;
    let said = json!({
        "environments": {"production": all("business", 10)},
        "time_zone": "Europe/Vienna",
        "holidays": ["2026-11-23"],
    });
    house.admin().put(&path(1), &said).await.ok();
    house.waits(HOUR).await;
    // Friday 10:00 in Vienna: seven hours that day, Monday is a holiday, three on Tuesday.
    house.releases("poll", Release::security("1.0.1", house.clock_seconds()));
    house.waits(HOUR).await;
    house.run_jobs().await;
    let window = house.window_of("poll").await;
    assert_eq!(window["due_at"], "2026-11-24T11:00:00Z");
    house.waits(HOUR * 24 * 5).await;
    house.run_jobs().await;
    assert_eq!(
        house.told_of(&window).await,
        [
            "half 2026-11-20T14:00:00Z",
            "three_quarters 2026-11-24T08:30:00Z",
            "due 2026-11-24T11:00:00Z"
        ]
    );
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_tells_each_quarter_once_with_its_own_instant_and_nothing_after_the_end() {
    let (mut house, site, key) = house().await;
    house
        .promises(json!({"production": all("calendar", 8)}))
        .await;
    house.waits(HOUR).await;
    for project in ["poll", "wiki"] {
        house.releases(project, Release::security("1.0.1", house.clock_seconds()));
    }
    house.waits(HOUR * 2).await;
    house.run_jobs().await;
    let (poll, wiki) = (house.window_of("poll").await, house.window_of("wiki").await);
    assert_eq!(house.told_of(&poll).await, [""; 0]);
    // Nobody looks while the server is down; one of the two is patched before the third quarter.
    house.waits(HOUR * 3).await;
    Site::known(&house, site, &key)
        .syncs(&[("poll", "1.0.0"), ("wiki", "1.0.1")])
        .await;
    house.waits(HOUR * 24).await;
    house.run_jobs().await;
    house.waits(HOUR * 24).await;
    house.run_jobs().await;
    assert_eq!(
        house.told_of(&poll).await,
        [
            "half 2026-11-20T13:00:00Z",
            "three_quarters 2026-11-20T15:00:00Z",
            "due 2026-11-20T17:00:00Z"
        ]
    );
    assert_eq!(house.told_of(&wiki).await, ["half 2026-11-20T13:00:00Z"]);
    assert_eq!(house.window_of("wiki").await["state"], "met");
    let foreign = house
        .key(house.organization("Meadow").await, &["sites:read"])
        .await;
    let path = format!("/exposures/{}/events", poll["id"]);
    assert_eq!(house.bearer(&foreign).get(&path).await.status, 404);
    assert_eq!(house.bearer(&key).get(&path).await.status, 403);
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_ended_with_its_site_goes_on_where_it_was_when_that_comes_back() {
    let (mut house, site, _) = house().await;
    house
        .promises(json!({"production": all("calendar", 8)}))
        .await;
    house.releases("poll", Release::security("1.0.1", days_ago(0)));
    house.waits(HOUR).await;
    house.run_jobs().await;
    let window = house.window_of("poll").await;
    house.waits(HOUR * 4).await;
    house.admin().delete(&format!("/sites/{site}")).await;
    house.waits(HOUR * 24).await;
    house.run_jobs().await;
    assert_eq!(house.told_of(&window).await, ["half 2026-11-20T12:00:00Z"]);
    let path = format!("/sites/{site}/restore");
    house.admin().post(&path, &json!({})).await.ok();
    house.run_jobs().await;
    assert_eq!(house.told_of(&window).await.len(), 3);
    assert_eq!(house.window_of("poll").await["state"], "overdue");
    house.proves_itself().await;
}

#[tokio::test]
async fn the_page_shows_what_is_promised_keeps_what_was_typed_and_says_what_is_wrong_with_it() {
    let (house, _, _) = house().await;
    let ada = house.signed_in(EMAIL).await;
    let page = ada.get("//organizations/1/sla").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("It has said nothing of its own"));
    let wrong = [
        ("production_critical", "soon"),
        ("staging_critical", "0"),
        ("staging_calendar", "business"),
        ("time_zone", "Nowhere"),
        ("holidays", "2026-12-25 never"),
    ];
    let page = sends(&ada, "/organizations/1/sla", &wrong).await;
    assert_eq!(page.status, 422);
    for said in [
        "Production, critical: takes a whole number.",
        "Staging, critical: takes a whole number of hours from 1 to 8760.",
        "This is not the name of a time zone such as Europe/Vienna.",
        "Each takes a day such as 2026-12-25",
        "value=\"soon\"",
        "value=\"Nowhere\"",
        "<option value=\"business\" selected>",
        "2026-12-25 never</textarea>",
    ] {
        assert!(page.text.contains(said), "{said}: {}", page.text);
    }
    let right = [
        ("production_calendar", "business"),
        ("production_critical", "16"),
        ("time_zone", "Europe/Vienna"),
        ("holidays", "2026-12-26\r\n2026-12-25"),
    ];
    let answer = sends(&ada, "/organizations/1/sla", &right).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let data = house.admin().get(&path(1)).await.ok()["data"].clone();
    assert_eq!(data["environments"]["production"]["hours"]["critical"], 16);
    assert_eq!(data["environments"]["production"]["calendar"], "business");
    assert_eq!(data["holidays"], json!(["2026-12-25", "2026-12-26"]));
    let page = ada.get("//organizations/1/sla").await;
    assert!(
        page.text.contains("Business hours: 24, 16, 168, 336, 720"),
        "{}",
        page.text
    );
}
