//! Bad input at the door that takes inventories: each gets its own clear answer and leaves no trace in
//! the inventory.

use axum::http::Method;
use dewline::demo::history::Release;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{Answer, Site, TestApp, days_ago, module};

/// A house with one site that has synced token 1.0.0.
pub async fn house() -> (TestApp, i64, String) {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    house.publishes(module("token").with(Release::new("1.0.1", days_ago(1))));
    let site = house.site_of(harbour, "Town hall").await;
    site.syncs(&[("token", "1.0.0")]).await;
    let (id, key) = (site.id, site.key);
    (house, id, key)
}

pub async fn sends(house: &TestApp, key: &str, id: i64, body: &Value) -> Answer {
    house
        .bearer(key)
        .post(&format!("/sites/{id}/modules/sync"), body)
        .await
}

/// What the site runs, as far as an inventory could have changed it.
pub async fn inventory(house: &TestApp, id: i64) -> Value {
    let path = format!("/sites/{id}/modules?per_page=200");
    let rows = house.admin().get(&path).await;
    json!([
        rows.column("name"),
        rows.column("installed"),
        rows.column("updated_at")
    ])
}

#[tokio::test]
async fn what_is_wrong_with_an_inventory_is_told_at_its_place_and_changes_nothing() {
    let (house, id, key) = house().await;
    let before = inventory(&house, id).await;
    let long = "1".repeat(10_000);
    for (body, expected) in [
        (json!({}), &["/schema required", "/modules required"][..]),
        (json!({"schema": 1}), &["/modules required"]),
        (
            json!({"schema": "1", "modules": {}}),
            &["/schema", "/modules"],
        ),
        (
            json!({"schema": 1, "modules": [{}]}),
            &["/modules/0/name required"],
        ),
        (
            json!({"schema": 1, "modules": [{"name": "a"}, {"name": "b"}, {"name": "a"}]}),
            &["/modules/2/name duplicate"],
        ),
        (
            json!({"schema": 1, "modules": [{"name": "Token"}, {"name": "a b"}]}),
            &["/modules/0/name", "/modules/1/name"],
        ),
        (
            json!({"schema": 1, "modules": [{"name": "a\u{0}"}]}),
            &["/modules/0/name"],
        ),
        (
            json!({"schema": 1, "modules": [{"name": "a", "version": "1\u{0}"}]}),
            &["/modules/0/version"],
        ),
        (
            json!({"schema": 1, "modules": [{"name": "a", "version": "1\u{202e}"}]}),
            &["/modules/0/version"],
        ),
        (
            json!({"schema": 1, "modules": [{"name": "a", "version": long}]}),
            &["/modules/0/version"],
        ),
        (
            json!({"schema": 1, "modules": [{"name": "a", "version": 1}]}),
            &["/modules/0/version"],
        ),
        (
            json!({"schema": 1, "modules": [{"name": "a", "type": "plugin"}]}),
            &["/modules/0/type"],
        ),
        (
            json!({"schema": 1, "modules": [], "generated_at": "yesterday"}),
            &["/generated_at"],
        ),
    ] {
        let answer = sends(&house, &key, id, &body).await;
        assert_eq!(answer.status, 422, "{body}: {}", answer.text);
        let told = answer.faults();
        for place in expected {
            assert!(
                told.iter().any(|fault| fault.starts_with(place)),
                "{place} in {told:?}"
            );
        }
        assert_eq!(inventory(&house, id).await, before, "{body}");
    }
    let many: Vec<Value> = (0..5_001)
        .map(|n| json!({"name": format!("m{n}")}))
        .collect();
    let answer = sends(&house, &key, id, &json!({"schema": 1, "modules": many})).await;
    assert_eq!(answer.status, 422);
    assert!(
        answer.faults()[0].starts_with("/modules "),
        "{:?}",
        answer.faults()
    );
    assert_eq!(inventory(&house, id).await, before);
}

#[tokio::test]
async fn what_cannot_be_read_is_told_apart_from_what_is_wrong() {
    let (house, id, key) = house().await;
    let before = inventory(&house, id).await;
    let path = format!("/sites/{id}/modules/sync");
    let deep = [
        b"{\"schema\":1,\"modules\":".to_vec(),
        b"[".repeat(100_000),
        b"]".repeat(100_000),
        b"}".to_vec(),
    ];
    for (body, status) in [
        (b"{\"schema\":1,\"modules\":[".to_vec(), 400),
        (Vec::new(), 400),
        (
            b"{\"schema\":1,\"modules\":[{\"name\":\"\xff\"}]}".to_vec(),
            400,
        ),
        (deep.concat(), 400),
        (vec![b' '; 9 << 20], 413),
    ] {
        let answer = house
            .bearer(&key)
            .send(Method::POST, &path, Some(body))
            .await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert_eq!(inventory(&house, id).await, before);
    }
}

#[tokio::test]
async fn versions_that_nobody_can_read_are_kept_and_shown_as_unknown() {
    let (house, id, key) = house().await;
    house.run_jobs().await;
    for version in [
        json!(""),
        json!("abc"),
        json!("1.0.0+build"),
        json!("9".repeat(64)),
        Value::Null,
    ] {
        let body = json!({"schema": 1, "modules": [
            {"name": "drupal", "type": "core", "version": "11.2.0"}, {"name": "token", "version": version},
        ]});
        sends(&house, &key, id, &body).await.ok();
        house.run_jobs().await;
        let path = format!("/sites/{id}/modules?filter[name]=token");
        let row = house.admin().get(&path).await.ok()["data"][0].clone();
        assert_eq!(row["installed"], version);
        assert_ne!(row["status"], "current", "{version}");
        assert_ne!(row["exposed"], json!(false), "{version}: {row}");
    }
}

#[tokio::test]
async fn clocks_are_compared_and_an_older_inventory_changes_nothing() {
    let (house, id, key) = house().await;
    let with = |at: &str| {
        let mut body = Site::inventory(&[]);
        body["generated_at"] = json!(at);
        body
    };
    let answer = sends(&house, &key, id, &with("2026-11-20T08:06:00Z")).await;
    assert_eq!(answer.faults(), ["/generated_at in_the_future"]);
    assert!(answer.text.contains("08:06:00Z") && answer.text.contains("08:00:00Z"));
    let before = inventory(&house, id).await;
    sends(&house, &key, id, &with("2026-11-20T07:00:00Z")).await;
    let answer = sends(&house, &key, id, &with("2026-11-20T06:00:00Z")).await;
    assert_eq!(
        (answer.status.as_u16(), answer.faults()),
        (409, vec![" older_inventory".to_owned()])
    );
    assert_eq!(inventory(&house, id).await, before);
}

#[tokio::test]
async fn a_key_speaks_for_its_own_site_while_both_are_there() {
    let (house, id, key) = house().await;
    let (meadow, body) = (house.organization("Meadow").await, Site::inventory(&[]));
    let foreign = house.site_of(meadow, "Library").await;
    assert_eq!(sends(&house, &key, foreign.id, &body).await.status, 404);
    assert_eq!(sends(&house, &foreign.key, id, &body).await.status, 404);
    assert_eq!(sends(&house, &key, 999, &body).await.status, 404);
    let words = json!({"name": "short", "site_id": id, "expires_at": "2026-11-20T09:00:00Z"});
    let made = house.admin().post("/api-keys", &words).await.created();
    let short = made["data"]["key"].as_str().unwrap();
    sends(&house, short, id, &body).await.ok();
    house.clock.advance(SignedDuration::from_hours(2));
    assert_eq!(sends(&house, short, id, &body).await.status, 401);
}

#[tokio::test]
async fn a_copy_of_a_site_cannot_speak_for_it() {
    let (house, id, key) = house().await;
    let from = |url: &str, modules: &[(&str, &str)]| {
        let mut body = Site::inventory(modules);
        body["site"] = json!({"url": url});
        body
    };
    sends(
        &house,
        &key,
        id,
        &from("https://www.example.org", &[("token", "1.0.0")]),
    )
    .await
    .ok();
    let before = inventory(&house, id).await;
    let answer = sends(&house, &key, id, &from("https://staging.example.org", &[])).await;
    assert_eq!(
        (answer.status.as_u16(), answer.faults()),
        (409, vec![" different_installation".to_owned()])
    );
    assert_eq!(inventory(&house, id).await, before);
    let site = house.admin().get(&format!("/sites/{id}")).await.ok();
    assert_eq!(
        site["data"]["different_installation"]["url"],
        "https://staging.example.org"
    );
}

#[tokio::test]
async fn fields_that_agents_know_and_we_do_not_are_ignored() {
    let (house, id, key) = house().await;
    let mut body = Site::inventory(&[("token", "1.0.0")]);
    body["later"] = json!({"a": [1, 2, 3]});
    body["modules"][1]["later"] = json!(true);
    let receipt = sends(&house, &key, id, &body).await.ok();
    assert_eq!(receipt["data"]["counts"]["unchanged"], 2);
    assert_eq!(
        receipt["links"]["self"],
        format!("/api/v1/sites/{id}/syncs/{}", receipt["data"]["sync_id"])
    );
    assert_eq!(receipt["links"]["site"], format!("/api/v1/sites/{id}"));
    // A parameter isn't a field.
    let answer = house
        .bearer(&key)
        .post(&format!("/sites/{id}/modules/sync?x=1"), &body)
        .await;
    assert_eq!(answer.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_again_word_for_word_is_confirmed_and_held_to_its_time() {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let site = house.site_of(harbour, "Quay").await;
    let at = |time: &str, poll: &str| {
        let mut inventory = Site::inventory(&[("poll", poll)]);
        inventory["generated_at"] = json!(format!("2026-11-20T{time}Z"));
        inventory["site"] =
            json!({"instance": "a", "cron_last_run": format!("2026-11-20T{time}Z")});
        inventory
    };
    let first = site.sends(&at("07:00:00", "1.0.0")).await.ok()["data"].clone();
    assert_eq!(first["counts"]["added"], 2);
    for time in ["07:10:00", "07:20:00.5"] {
        let again = site.sends(&at(time, "1.0.0")).await.ok()["data"].clone();
        assert_eq!(again["sync_id"], first["sync_id"]);
        let counts = json!({"total": 2, "added": 0, "updated": 0, "downgraded": 0, "removed": 0,
            "unchanged": 2, "unknown": again["counts"]["unknown"]});
        assert_eq!(again["counts"], counts);
    }
    let older = site.sends(&at("07:15:00", "1.0.0")).await;
    assert_eq!(older.status, 409);
    let ahead = site.sends(&at("08:06:00", "1.0.0")).await;
    assert_eq!(ahead.faults(), ["/generated_at in_the_future"]);

    let other = site.sends(&at("07:30:00", "1.0.1")).await.ok()["data"].clone();
    assert_eq!(other["counts"]["updated"], 1);
    let back = site.sends(&at("07:40:00", "1.0.0")).await.ok()["data"].clone();
    assert_eq!(back["counts"]["downgraded"], 1);
    let lock =
        json!({"packages": [{"name": "drupal/poll", "version": "1.0.1", "type": "drupal-module"}]});
    let path = site.path("/composer-lock");
    house.bearer(&site.key).post(&path, &lock).await.ok();
    let whole = site.sends(&at("08:01:00", "1.0.0")).await.ok()["data"].clone();
    assert_eq!(whole["counts"]["total"], 2);
    assert_eq!(whole["counts"]["unchanged"], 0);
    let shown = house.admin().get(&site.path("/modules")).await;
    assert_eq!(shown.column("installed"), ["11.2.0", "1.0.0"]);
    house.proves_itself().await;
}
