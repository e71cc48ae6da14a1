//! A site syncs: what it is told, what changes, and what is refused without a trace.

use std::io::Write;

use axum::http::Method;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{Answer, Site, TestApp, days_ago, module};
use dewline::demo::history::{Project, Release};

fn token() -> Project {
    Project::new("token", "Token", "project_module", &["8.x-1."])
        .with(Release::new("8.x-1.13", days_ago(100)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sites_truth_from_the_first_sync_to_the_fix() {
    let mut house = TestApp::start().await;
    let organization = house.organization("Harbour").await;
    house.publishes(token());
    let site = house.site_of(organization, "Town hall").await;
    let (id, key) = (site.id, site.key.clone());

    // It arrives: nobody can tell until drupal.org was asked.
    let receipt = site.syncs(&[("token", "8.x-1.13")]).await;
    assert_eq!(receipt["counts"]["added"], 2);
    assert_eq!(receipt["security"]["status"], "unknown");
    house.run_jobs().await;
    let path = format!("/sites/{id}");
    assert_eq!(
        house.admin().get(&path).await.ok()["data"]["status"],
        "current"
    );

    // Upstream publishes a security release; an hour later it is noticed.
    let released = house.clock_seconds();
    house.releases("token", Release::security("8.x-1.14", released));
    house.waits(SignedDuration::from_mins(61)).await;
    house.run_jobs().await;
    let shown = house.admin().get(&path).await.ok()["data"].clone();
    assert_eq!(
        (shown["status"].as_str(), shown["open_exposures"].as_i64()),
        (Some("not_secure"), Some(1))
    );
    let rows = house.admin().get("/exposures").await.ok()["data"].clone();
    assert_eq!(rows[0]["module"], "token");
    assert_eq!(
        rows[0]["cause"],
        json!({"kind": "release", "id": "8.x-1.14"})
    );
    assert_eq!(rows[0]["opened_at"], "2026-11-20T08:00:00Z");
    assert_eq!(rows[0]["due_at"], "2026-11-27T08:00:00Z");
    assert_eq!(rows[0]["state"], "open");

    // The next push, still the same, is told what to do; the one after closes it.
    let push = async |house: &TestApp, version: &str| {
        let body = Site::inventory(&[("token", version)]);
        let path = format!("/sites/{id}/modules/sync");
        house.bearer(&key).post(&path, &body).await.ok()["data"].clone()
    };
    let told = push(&house, "8.x-1.13").await;
    assert_eq!(told["counts"]["unchanged"], 2);
    assert_eq!(
        told["security"]["updates"][0]["fixed_in"],
        json!(["8.x-1.14"])
    );
    assert_eq!(
        told["security"]["updates"][0]["due_at"],
        "2026-11-27T08:00:00Z"
    );
    let done = push(&house, "8.x-1.14").await;
    assert_eq!(done["security"]["open_exposures"], 0);
    let run = done["patch_run_id"].as_i64().unwrap();
    let row = house.admin().get("/exposures").await.ok()["data"][0].clone();
    assert_eq!(
        (
            row["state"].as_str(),
            row["closed_by_patch_run_id"].as_i64()
        ),
        (Some("met"), Some(run))
    );
    let run = house.admin().get(&format!("/patch-runs/{run}")).await.ok()["data"].clone();
    assert_eq!(run["security_patches_applied"], 1);
    assert_eq!(run["changes"][0]["to"], "8.x-1.14");
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_inventory_again_changes_nothing_but_the_last_contact() {
    let mut house = TestApp::start().await;
    let organization = house.organization("Harbour").await;
    let first = {
        let site = house.site_of(organization, "Town hall").await;
        (
            site.id,
            site.key.clone(),
            site.syncs(&[("token", "8.x-1.13")]).await,
        )
    };
    house.waits(SignedDuration::from_mins(30)).await;
    let path = format!("/sites/{}/modules/sync", first.0);
    let body = Site::inventory(&[("token", "8.x-1.13")]);
    let again = house.bearer(&first.1).post(&path, &body).await.ok()["data"].clone();
    assert_eq!(again["sync_id"], first.2["sync_id"]);
    assert_eq!(again["counts"]["unchanged"], 2);
    let site = house.admin().get(&format!("/sites/{}", first.0)).await.ok()["data"].clone();
    assert_eq!(site["last_sync_at"], "2026-11-20T08:30:00Z");
    for list in ["syncs", "patch-runs"] {
        let rows = house
            .admin()
            .get(&format!("/sites/{}/{list}", first.0))
            .await
            .ok();
        assert_eq!(
            rows["meta"]["pagination"]["total"],
            i64::from(list == "syncs")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_difference_is_an_event() {
    let house = TestApp::start().await;
    let site = house
        .site_of(house.organization("Harbour").await, "Town hall")
        .await;
    let send = async |modules: Value| {
        site.sends(&json!({"schema": 1, "modules": modules}))
            .await
            .ok();
    };
    send(json!([{"name": "a", "version": "1.0.0"}, {"name": "b", "version": "2.0.0"}, {"name": "c", "version": "1.0.0", "enabled": false}])).await;
    send(json!([{"name": "a", "version": "1.1.0"}, {"name": "b", "version": "1.9.0"}, {"name": "c", "version": "1.0.0"}])).await;
    send(json!([{"name": "a", "version": "1.1.0", "enabled": false}, {"name": "c", "version": "1.0.0"}])).await;
    let events = house
        .admin()
        .get(&site.path("/events?sort=id&per_page=100"))
        .await;
    let words: Vec<String> = events.ok()["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| {
            format!(
                "{} {}",
                e["module"].as_str().unwrap(),
                e["kind"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        words,
        [
            "a installed",
            "b installed",
            "c installed",
            "c disabled",
            "a updated",
            "b downgraded",
            "c enabled",
            "a disabled",
            "b removed",
        ]
    );
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn components_belong_to_their_project_and_custom_code_is_never_looked_up() {
    let house = TestApp::start().await;
    house.publishes(module("admin_toolbar"));
    let site = house
        .site_of(house.organization("Harbour").await, "Town hall")
        .await;
    let receipt = site
        .sends(&json!({"schema": 1, "modules": [
            {"name": "drupal", "type": "core", "version": "11.2.0"},
            {"name": "olivero", "type": "theme", "version": "11.2.0", "project": "drupal"},
            {"name": "admin_toolbar", "version": "1.0.0", "components": ["admin_toolbar", "admin_toolbar_tools"]},
            {"name": "harbour_forms", "version": "1.4", "custom": true},
            {"name": "acme/client", "type": "library", "version": "2.0"}]}))
        .await
        .ok();
    assert_eq!(receipt["data"]["counts"]["total"], 4);
    house.run_jobs().await;
    let asked: Vec<String> = house
        .drupal_org
        .take_requests()
        .iter()
        .map(|asked| asked.project.clone())
        .collect();
    assert!(
        !asked
            .iter()
            .any(|name| name.contains("harbour") || name.contains("acme")),
        "{asked:?}"
    );
    let modules = house
        .admin()
        .get(&site.path("/modules?per_page=100&sort=name"))
        .await
        .ok();
    let of = |name: &str| {
        let rows = modules["data"].as_array().unwrap();
        rows.iter().find(|row| row["name"] == name).unwrap().clone()
    };
    assert_eq!(of("drupal")["components"], json!(["olivero"]));
    assert_eq!(
        of("admin_toolbar")["components"],
        json!(["admin_toolbar_tools"])
    );
    assert_eq!(
        (
            of("harbour_forms")["status"].as_str(),
            of("harbour_forms")["custom"].as_bool()
        ),
        (Some("custom"), Some(true))
    );
    assert_eq!(of("acme/client")["status"], "custom");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_composer_lock_is_an_inventory_too_and_its_secrets_are_never_kept() {
    let house = TestApp::start().await;
    let site = house
        .site_of(house.organization("Harbour").await, "Town hall")
        .await;
    let lock = json!({
        "packages": [
            {"name": "drupal/core", "version": "11.2.0", "type": "drupal-core"},
            {"name": "drupal/token", "version": "1.13.0", "type": "drupal-module",
             "dist": {"url": "https://user:hunter2secret@repo.example.org/token.zip"},
             "extra": {"drupal": {"version": "8.x-1.13", "datestamp": "1700000000"}}},
            {"name": "acme/private", "version": "1.0", "type": "library",
             "source": {"url": "https://oauth2:hunter2secret@git.example.org/private.git"}}],
        "packages-dev": []
    });
    let answer = house
        .bearer(&site.key)
        .post(&site.path("/composer-lock"), &lock)
        .await
        .ok();
    assert_eq!(answer["data"]["counts"]["total"], 3);
    let modules = house.admin().get(&site.path("/modules?sort=name")).await;
    assert_eq!(
        modules.column("installed"),
        [json!("1.0"), json!("11.2.0"), json!("8.x-1.13")]
    );
    let database = std::fs::read(house.app.config.data_dir.join("dewline.db")).unwrap();
    let wal = std::fs::read(house.app.config.data_dir.join("dewline.db-wal")).unwrap_or_default();
    for bytes in [database, wal] {
        assert!(!bytes.windows(13).any(|part| part == b"hunter2secret"));
    }
}

/// Everything of a site that a refused sync must leave as it was.
async fn inventory_of(house: &TestApp, site: &Site<'_>) -> Value {
    let mut all = Vec::new();
    for list in [
        "/modules?per_page=200",
        "/syncs",
        "/events",
        "/exposures",
        "",
    ] {
        let mut answer = house.admin().get(&site.path(list)).await.ok();
        answer.as_object_mut().unwrap().remove("meta");
        // The one thing that a refusal may leave on the site: the warning.
        if let Some(site) = answer["data"].as_object_mut() {
            site.remove("different_installation");
        }
        all.push(answer);
    }
    Value::from(all)
}

async fn raw(house: &TestApp, site: &Site<'_>, body: Vec<u8>) -> Answer {
    let path = site.path("/modules/sync");
    house
        .bearer(&site.key)
        .send(Method::POST, &path, Some(body))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_inventories_get_their_own_answer_and_leave_no_trace() {
    let house = TestApp::with(|config| config.rate_limits.enabled = false).await;
    let site = house
        .site_of(house.organization("Harbour").await, "Town hall")
        .await;
    site.syncs(&[("token", "8.x-1.13")]).await;
    let before = inventory_of(&house, &site).await;
    let one = |entry: Value| json!({"schema": 1, "modules": [entry]});
    let many: Vec<Value> = (0..5001)
        .map(|n| json!({"name": format!("m{n}")}))
        .collect();
    let invalid: Vec<(Value, &[&str])> = vec![
        (
            json!({"schema": 2, "modules": []}),
            &["/schema unsupported"],
        ),
        (json!({"modules": []}), &["/schema required"]),
        (json!({"schema": 1}), &["/modules required"]),
        (
            json!({"schema": 1, "modules": {}}),
            &["/modules wrong_type"],
        ),
        (json!([]), &[" wrong_type"]),
        (
            one(json!({"version": "1.0"})),
            &["/modules/0/name required"],
        ),
        (
            one(json!({"name": "Token"})),
            &["/modules/0/name invalid_name"],
        ),
        (
            one(json!({"name": "a".repeat(129)})),
            &["/modules/0/name invalid_name"],
        ),
        (
            one(json!({"name": "a", "type": "plugin"})),
            &["/modules/0/type unknown_word"],
        ),
        (
            one(json!({"name": "a", "type": "core"})),
            &["/modules/0/type invalid"],
        ),
        (
            one(json!({"name": "a", "enabled": 1, "datestamp": "x"})),
            &[
                "/modules/0/enabled wrong_type",
                "/modules/0/datestamp wrong_type",
            ],
        ),
        (
            one(json!({"name": "a", "version": "9".repeat(10_000)})),
            &["/modules/0/version too_long"],
        ),
        (
            one(json!({"name": "a", "version": "1\u{0}0"})),
            &["/modules/0/version control_character"],
        ),
        (
            one(json!({"name": "a", "title": "\u{202E}evil"})),
            &["/modules/0/title control_character"],
        ),
        (
            one(json!({"name": "a", "title": "a\u{7}b"})),
            &["/modules/0/title control_character"],
        ),
        (
            json!({"schema": 1, "modules": [{"name": "a"}, {"name": "b"}, {"name": "a"}]}),
            &["/modules/2/name duplicate"],
        ),
        (
            json!({"schema": 1, "modules": many}),
            &["/modules too_many"],
        ),
        (
            json!({"schema": 1, "generated_at": "yesterday", "modules": []}),
            &["/generated_at not_a_time"],
        ),
        (
            json!({"schema": 1, "generated_at": "2026-11-20T08:06:00Z", "modules": []}),
            &["/generated_at in_the_future"],
        ),
        (
            json!({"schema": 1, "site": {"url": 7, "php_version": "8".repeat(65)}, "modules": []}),
            &["/site/url wrong_type", "/site/php_version too_long"],
        ),
    ];
    for (body, faults) in invalid {
        let answer = raw(&house, &site, body.to_string().into_bytes()).await;
        assert_eq!(answer.status, 422, "{}", answer.text);
        assert_eq!(answer.faults(), faults);
    }
    for (body, status) in [
        (b"".to_vec(), 400),
        (b"{\"schema\": 1, \"modules\": [".to_vec(), 400),
        (
            b"{\"schema\": 1, \"modules\": [{\"name\": \"\xff\"}]}".to_vec(),
            400,
        ),
        (
            ["[".repeat(5000), "]".repeat(5000)].concat().into_bytes(),
            400,
        ),
        (vec![b' '; 9 << 20], 413),
    ] {
        assert_eq!(raw(&house, &site, body).await.status, status);
    }
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..64 {
        packer.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    let bomb = house.bearer(&site.key).with("content-encoding", "gzip");
    let answer = bomb
        .send(
            Method::POST,
            &site.path("/modules/sync"),
            Some(packer.finish().unwrap()),
        )
        .await;
    assert_eq!(answer.status, 413);
    assert_eq!(inventory_of(&house, &site).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_that_nobody_can_read_are_kept_and_shown_as_unknown() {
    let house = TestApp::start().await;
    let site = house
        .site_of(house.organization("Harbour").await, "Town hall")
        .await;
    let odd = ["", "abc", "8.x-1.x-dev", "7.x-3.4", "1.0.0+build"];
    let mut modules: Vec<Value> = odd
        .iter()
        .enumerate()
        .map(|(n, version)| json!({"name": format!("m{n}"), "version": version}))
        .collect();
    modules.push(json!({"name": "m9", "version": null}));
    for n in [0, 1, 2, 3, 4, 9] {
        house.publishes(module(&format!("m{n}")));
    }
    site.sends(&json!({"schema": 1, "modules": modules}))
        .await
        .ok();
    house.run_jobs().await;
    let answer = house
        .admin()
        .get(&site.path("/modules?sort=name&filter[type]=module"))
        .await;
    assert_eq!(answer.column("installed")[..5], odd.map(Value::from));
    assert_eq!(answer.column("installed")[5], Value::Null);
    for row in answer.ok()["data"].as_array().unwrap() {
        let status = row["status"].as_str().unwrap();
        assert!(
            matches!(status, "unknown" | "not_checked" | "not_supported"),
            "{row}"
        );
        assert_ne!(row["exposed"], json!(false), "{row}");
    }
    let shown = house.admin().get(&site.path("")).await.ok()["data"].clone();
    assert_ne!(shown["status"], "current");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_inventory_and_another_installation_are_conflicts() {
    let house = TestApp::start().await;
    let site = house
        .site_of(house.organization("Harbour").await, "Town hall")
        .await;
    let from = |at: &str, url: &str, version: &str| {
        json!({"schema": 1, "generated_at": at, "site": {"url": url, "instance": "one"},
            "modules": [{"name": "token", "version": version}]})
    };
    site.sends(&from(
        "2026-11-20T07:59:00Z",
        "https://www.example.org",
        "1.1.0",
    ))
    .await
    .ok();
    let before = inventory_of(&house, &site).await;
    let older = site
        .sends(&from(
            "2026-11-20T07:58:00Z",
            "https://www.example.org",
            "1.0.0",
        ))
        .await;
    assert_eq!(older.status, 409);
    assert_eq!(older.faults(), [" older_inventory"]);
    let copy = site
        .sends(&from(
            "2026-11-20T08:00:00Z",
            "https://staging.example.org",
            "1.0.0",
        ))
        .await;
    assert_eq!(copy.status, 409);
    assert_eq!(copy.faults(), [" different_installation"]);
    assert_eq!(inventory_of(&house, &site).await, before);
    // A person says that it moved; then it is heard.
    dewline::services::sync::answer_stranger(
        &house.app,
        &dewline::domain::access::Actor::System,
        site.id,
        true,
    )
    .await
    .unwrap();
    site.sends(&json!({"schema": 1, "generated_at": "2026-11-20T08:00:00Z", "site": {"url": "https://staging.example.org", "instance": "one"},
        "modules": [{"name": "token", "version": "1.0.0"}]})).await.ok();
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_speaks_for_its_own_site_only_and_only_while_both_live() {
    let mut house = TestApp::start().await;
    let organization = house.organization("Harbour").await;
    let (mine, other) = {
        let mine = house.site_of(organization, "Town hall").await;
        let other = house.site_of(organization, "Library").await;
        ((mine.id, mine.key.clone()), other.id)
    };
    let body = Site::inventory(&[]);
    let push = async |house: &TestApp, site: i64| {
        let path = format!("/sites/{site}/modules/sync");
        house
            .bearer(&mine.1)
            .post(&path, &body)
            .await
            .status
            .as_u16()
    };
    assert_eq!(push(&house, other).await, 404);
    assert_eq!(push(&house, mine.0).await, 200);
    house.waits(SignedDuration::from_mins(1)).await;
    house.admin().delete(&format!("/sites/{}", mine.0)).await;
    assert_eq!(push(&house, mine.0).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_stamped_with_the_deadline_whenever_it_is_noticed() {
    let mut house = TestApp::start().await;
    let organization = house.organization("Harbour").await;
    let (id, key) = {
        let site = house.site_of(organization, "Town hall").await;
        site.syncs(&[]).await;
        (site.id, site.key.clone())
    };
    let path = format!("/sites/{id}");
    house.waits(SignedDuration::from_mins(129)).await;
    house.run_jobs().await;
    assert_eq!(house.admin().get(&path).await.ok()["data"]["silent"], false);
    house.waits(SignedDuration::from_hours(9)).await;
    house.run_jobs().await;
    let silent = house.admin().get(&path).await.ok()["data"].clone();
    assert_eq!(
        (silent["silent"].as_bool(), silent["silent_since"].as_str()),
        (Some(true), Some("2026-11-20T10:10:00Z"))
    );
    let body = Site::inventory(&[]);
    house
        .bearer(&key)
        .post(&format!("{path}/modules/sync"), &body)
        .await
        .ok();
    assert_eq!(house.admin().get(&path).await.ok()["data"]["silent"], false);
}
