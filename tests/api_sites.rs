//! Organizations and sites: made, changed, listed, deleted, and what goes with them.

use serde_json::{Value, json};

use crate::support::{Site, TestApp, days_ago, module};
use dewline::demo::history::Release;

#[tokio::test]
async fn a_site_is_made_with_defaults_and_waits_for_its_first_sync() {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let words = json!({"name": " Town hall ", "url": "https://www.example.org", "organization_id": harbour});
    let answer = house.admin().post("/sites", &words).await;
    let site = answer.created();
    assert_eq!(answer.header("location"), "/api/v1/sites/1");
    assert_eq!(site["links"]["self"], "/api/v1/sites/1");
    let data = &site["data"];
    assert_eq!(data["name"], "Town hall");
    assert_eq!(
        (&data["environment"], &data["sync_interval_minutes"]),
        (&json!("production"), &json!(60))
    );
    assert_eq!(
        (&data["status"], &data["silent"]),
        (&json!("pending"), &json!(false))
    );
    assert_eq!(data["counts"]["total"], 0);
    assert_eq!(house.admin().get("/sites/1").await.ok()["data"], *data);
}

#[tokio::test]
async fn all_that_is_wrong_with_a_site_is_told_at_once() {
    let house = TestApp::start().await;
    let answer = house.admin().post("/sites", &json!({})).await;
    assert_eq!(
        answer.faults(),
        [
            "/organization_id required",
            "/name required",
            "/url required"
        ]
    );
    let words = json!({
        "name": "a\u{202e}b", "url": "javascript:alert(1)", "organization_id": 99, "environment": "test",
        "tags": ["a", "", 7], "sync_interval_minutes": 4, "notes": 1, "colour": "red",
    });
    let answer = house.admin().post("/sites", &words).await;
    assert_eq!(answer.status, 422);
    let mut told = answer.faults();
    told.sort();
    assert_eq!(
        told,
        [
            "/colour unknown_field",
            "/environment not_allowed",
            "/name control_character",
            "/notes wrong_type",
            "/organization_id not_found",
            "/sync_interval_minutes out_of_range",
            "/tags/2 wrong_type",
            "/url not_a_url",
        ]
    );
    for (interval, status) in [(5, 201), (10_080, 201), (10_081, 422)] {
        let harbour = house.organization(&format!("Harbour {interval}")).await;
        let words = json!({
            "name": "a", "url": "http://a.example", "organization_id": harbour, "sync_interval_minutes": interval,
        });
        assert_eq!(house.admin().post("/sites", &words).await.status, status);
    }
}

#[tokio::test]
async fn names_are_unique_among_what_is_there() {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let answer = house
        .admin()
        .post("/organizations", &json!({"name": "HARBOUR"}))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.faults()),
        (409, vec![" name_taken".to_owned()])
    );
    let site = house.site_of(harbour, "Town hall").await;
    let words = |environment: &str| json!({"name": "town HALL", "url": "https://a.example", "organization_id": harbour, "environment": environment});
    assert_eq!(
        house
            .admin()
            .post("/sites", &words("production"))
            .await
            .status,
        409
    );
    let staging = house
        .admin()
        .post("/sites", &words("staging"))
        .await
        .created();
    let path = format!("/sites/{}", staging["data"]["id"]);
    let moved = house
        .admin()
        .put(&path, &json!({"environment": "production"}))
        .await;
    assert_eq!(moved.status, 409);
    assert_eq!(house.admin().delete(&site.path("")).await.status, 204);
    let moved = house
        .admin()
        .put(&path, &json!({"environment": "production"}))
        .await;
    assert_eq!(moved.ok()["data"]["environment"], "production");
}

#[tokio::test]
async fn what_a_change_does_not_say_stays_and_a_site_keeps_its_organization() {
    let house = TestApp::start().await;
    let (harbour, meadow) = (
        house.organization("Harbour").await,
        house.organization("Meadow").await,
    );
    let site = house.site_of(harbour, "Town hall").await;
    let words = json!({"tags": ["eu"], "notes": "two\nlines", "organization_id": harbour});
    let changed = house.admin().put(&site.path(""), &words).await.ok();
    assert_eq!(changed["data"]["name"], "Town hall");
    assert_eq!(changed["data"]["tags"], json!(["eu"]));
    let answer = house
        .admin()
        .put(&site.path(""), &json!({"organization_id": meadow}))
        .await;
    assert_eq!(answer.faults(), ["/organization_id immutable"]);
    let answer = house
        .admin()
        .put("/organizations/1", &json!({"notes": "quay"}))
        .await;
    assert_eq!(answer.ok()["data"]["name"], "Harbour");
}

#[tokio::test]
async fn a_key_makes_sites_in_its_own_organization_only() {
    let house = TestApp::start().await;
    let (mine, other) = (
        house.organization("Harbour").await,
        house.organization("Meadow").await,
    );
    let key = house.key(mine, &["sites:read", "sites:write"]).await;
    let words = |organization: Value| json!({"name": "a", "url": "https://a.example", "organization_id": organization});
    // One that is there and one that isn't are refused alike.
    for organization in [other, 999] {
        let answer = house
            .bearer(&key)
            .post("/sites", &words(json!(organization)))
            .await;
        assert_eq!(answer.status, 403);
    }
    let made = house
        .bearer(&key)
        .post("/sites", &words(Value::Null))
        .await
        .created();
    assert_eq!(made["data"]["organization_id"], mine);
    assert_eq!(house.bearer(&key).delete("/sites/1").await.status, 403);
    let answer = house
        .bearer(&key)
        .post("/organizations", &json!({"name": "b"}))
        .await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn a_deleted_site_is_gone_with_its_keys_and_its_windows_end() {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let (site, other) = (
        house.site_of(harbour, "Town hall").await,
        house.site_of(harbour, "Library").await,
    );
    let fixed = module("token").with(Release::security("1.0.1", days_ago(1)));
    house.publishes(fixed);
    site.syncs(&[("token", "1.0.0")]).await;
    other.syncs(&[("token", "1.0.0")]).await;
    house.run_jobs().await;
    let open = "/exposures?filter[state]=open";
    assert_eq!(house.admin().get(open).await.column("site_id").len(), 2);
    assert_eq!(house.admin().delete(&site.path("")).await.status, 204);
    assert_eq!(site.sends(&Site::inventory(&[])).await.status, 401);
    for path in [
        "",
        "/modules",
        "/syncs",
        "/events",
        "/exposures",
        "/patch-runs",
    ] {
        assert_eq!(
            house.admin().get(&site.path(path)).await.status,
            404,
            "{path}"
        );
    }
    assert_eq!(
        house.admin().get(open).await.column("site_id"),
        [json!(other.id)]
    );
    assert_eq!(
        house
            .admin()
            .get("/exposures?filter[state]=ended")
            .await
            .column("site_id"),
        [json!(site.id)]
    );
    assert_eq!(
        house.admin().get("/sites").await.column("id"),
        [json!(other.id)]
    );
    let token = house
        .admin()
        .get("/modules?filter[module_name]=token")
        .await;
    assert_eq!(token.column("sites_count"), [json!(1)]);
    // The organization takes the rest with it.
    let key = house.key(harbour, &["sites:read"]).await;
    assert_eq!(house.admin().delete("/organizations/1").await.status, 204);
    assert_eq!(house.bearer(&key).get("/sites").await.status, 401);
    assert_eq!(other.sends(&Site::inventory(&[])).await.status, 401);
    assert_eq!(
        house.admin().get("/sites").await.column("id"),
        [Value::Null; 0]
    );
    assert_eq!(
        house.admin().get(open).await.column("site_id"),
        [Value::Null; 0]
    );
    assert_eq!(house.admin().get("/organizations/1").await.status, 404);
    house.organization("Harbour").await;
}

#[tokio::test]
async fn a_site_is_told_its_truth_from_the_release_to_the_patch() {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let site = house.site_of(harbour, "Town hall").await;
    house.publishes(module("token"));
    site.syncs(&[("token", "1.0.0")]).await;
    house.run_jobs().await;
    assert_eq!(
        house.admin().get(&site.path("")).await.ok()["data"]["status"],
        "current"
    );
    house.releases("token", Release::security("1.0.1", days_ago(0)));
    let token = &house.admin().get("/modules?q=token").await.ok()["data"][0];
    let path = format!("/modules/{}/refresh", token["id"]);
    let asked = house.admin().post(&path, &json!(null)).await;
    assert_eq!(asked.status, 202);
    assert_eq!(asked.json()["data"]["name"], "refresh-module");
    house.run_jobs().await;
    let job = house
        .admin()
        .get(&asked.header("location").replace("/api/v1", ""))
        .await
        .ok();
    assert_eq!(job["data"]["state"], "succeeded");
    let shown = house
        .admin()
        .get(&site.path("/modules?filter[name]=token"))
        .await
        .ok()["data"][0]
        .clone();
    assert_eq!(shown["status"], "not_secure");
    assert_eq!(
        (
            &shown["exposed"],
            &shown["security_update"],
            &shown["update_available"]
        ),
        (&json!(true), &json!(true), &json!(true))
    );
    assert_eq!(shown["recommended"], "1.0.1");
    assert_eq!(
        shown["exposed_by"],
        json!([{"kind": "release", "id": "1.0.1"}])
    );
    let window = house.admin().get(&site.path("/exposures")).await.ok()["data"][0].clone();
    assert_eq!(
        (&window["state"], &window["module"]),
        (&json!("open"), &json!("token"))
    );
    assert_eq!(window["fixed_in"], json!(["1.0.1"]));
    house.clock.advance(jiff::SignedDuration::from_mins(10));
    let receipt = site.syncs(&[("token", "1.0.1")]).await;
    assert_eq!(receipt["counts"]["updated"], 1);
    assert_eq!(receipt["security"]["open_exposures"], 0);
    let run = house
        .admin()
        .get(&format!("/patch-runs/{}", receipt["patch_run_id"]))
        .await
        .ok();
    assert_eq!(run["data"]["security_patches_applied"], 1);
    assert_eq!(
        run["data"]["changes"],
        json!([{"module": "token", "from": "1.0.0", "to": "1.0.1", "kind": "updated"}])
    );
    let closed = house
        .admin()
        .get(&format!("/exposures/{}", window["id"]))
        .await
        .ok();
    assert_eq!(
        (
            &closed["data"]["state"],
            &closed["data"]["closed_by_patch_run_id"]
        ),
        (&json!("met"), &receipt["patch_run_id"])
    );
    let events = house
        .admin()
        .get(&site.path("/events?filter[kind]=updated&filter[module]=token"))
        .await;
    assert_eq!(events.column("to"), [json!("1.0.1")]);
}

#[tokio::test]
async fn an_exposure_is_overdue_by_the_clock_alone() {
    let mut house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    house.publishes(module("token").with(Release::security("1.0.1", days_ago(0))));
    let site = house.site_of(harbour, "Town hall").await;
    site.syncs(&[("token", "1.0.0")]).await;
    house.run_jobs().await;
    let of = async |house: &TestApp, state: &str| {
        house
            .admin()
            .get(&format!("/exposures?filter[state]={state}"))
            .await
            .column("state")
    };
    assert_eq!(of(&house, "overdue").await, [Value::Null; 0]);
    house.waits(jiff::SignedDuration::from_hours(24 * 8)).await;
    assert_eq!(of(&house, "overdue").await, [json!("overdue")]);
    assert_eq!(of(&house, "open").await, [json!("overdue")]);
    assert_eq!(of(&house, "met").await, [Value::Null; 0]);
}
