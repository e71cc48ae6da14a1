//! A composer.lock at the door: what it says a site runs, old or odd as it may be, and what is wrong with
//! one.

use axum::http::Method;
use dewline::demo::history::{Project, Release};
use serde_json::{Value, json};

use crate::api_sync::{house, inventory, sends};
use crate::support::{Answer, TestApp, days_ago};

#[tokio::test]
async fn a_lock_is_an_inventory_and_its_credentials_are_kept_nowhere() {
    let (house, id, key) = house().await;
    let path = format!("/sites/{id}/composer-lock");
    let lock = json!({
        "packages": [
            {"name": "drupal/core", "version": "11.2.0", "type": "drupal-core",
             "dist": {"url": "https://user:s3cr3t-w0rd@repo.example.org/core.zip"}},
            {"name": "drupal/token", "version": "1.0.0", "type": "drupal-module",
             "transport-options": {"http": {"header": ["Authorization: Bearer s3cr3t-w0rd"]}}},
            {"name": "symfony/console", "version": "v7.1.0", "type": "library"},
        ],
        "packages-dev": [],
    });
    let receipt = house.bearer(&key).post(&path, &lock).await.ok();
    assert_eq!(receipt["data"]["counts"]["total"], 3);
    let rows = house.admin().get(&format!("/sites/{id}/modules")).await;
    assert_eq!(rows.column("name"), ["drupal", "symfony/console", "token"]);
    let cut = lock.to_string().into_bytes()[..200].to_vec();
    let answer = house
        .bearer(&key)
        .send(Method::POST, &path, Some(cut))
        .await;
    assert_eq!(answer.status, 400);
    assert!(!answer.text.contains("s3cr3t"));
    house.app.store.close();
    for file in std::fs::read_dir(&house.app.config.data_dir).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(11).any(|window| window == b"s3cr3t-w0rd"));
    }
}

/// Sends these bytes as a site's composer.lock.
async fn pushes(house: &TestApp, key: &str, id: i64, lock: &[u8]) -> Answer {
    let path = format!("/sites/{id}/composer-lock");
    let client = house.bearer(key);
    client.send(Method::POST, &path, Some(lock.to_vec())).await
}

#[tokio::test]
async fn a_lock_that_is_no_json_is_told_apart_from_json_that_is_no_lock() {
    let (house, id, key) = house().await;
    let before = inventory(&house, id).await;
    let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
    let twice = br#"{"packages": [], "packages": []}"#;
    for unreadable in [
        &b""[..],
        b"{\"packages\": [",
        b"{\"packages\": []} {}",
        b"{\"packages\": [], \"_readme\": \"\xff\"}",
        b"<!DOCTYPE html><title>composer.lock</title>",
        twice,
        &deep,
    ] {
        let answer = pushes(&house, &key, id, unreadable).await;
        assert_eq!(answer.status, 400, "{}", answer.text);
        assert_eq!(inventory(&house, id).await, before);
    }
    for (wrong, told) in [
        ("[]", " wrong_type"),
        ("[[], []]", " wrong_type"),
        ("null", " wrong_type"),
        ("{}", "/packages required"),
        (r#"{"packages": null}"#, "/packages required"),
        (r#"{"packages": "none"}"#, "/packages wrong_type"),
        (
            r#"{"packages": {"drupal/core": "11.2.0"}}"#,
            "/packages wrong_type",
        ),
        (
            r#"{"packages": [], "packages-dev": {}}"#,
            "/packages-dev wrong_type",
        ),
        (r#"{"packages": ["drupal/core"]}"#, "/packages/0 wrong_type"),
        (
            r#"{"packages": [["drupal/core", "10.3.1", "drupal-core", null]]}"#,
            "/packages/0 wrong_type",
        ),
        (
            r#"{"packages": [{"version": "1"}]}"#,
            "/packages/0/name required",
        ),
        (
            r#"{"packages": [{"name": "a/b"}]}"#,
            "/packages/0/version required",
        ),
        (
            r#"{"packages": [{"name": "a/b", "version": 1}]}"#,
            "/packages/0/version wrong_type",
        ),
        (
            r#"{"packages": [{"name": "a/b", "version": "1", "type": []}]}"#,
            "/packages/0/type wrong_type",
        ),
    ] {
        let answer = pushes(&house, &key, id, wrong.as_bytes()).await;
        assert_eq!(answer.status, 422, "{wrong}: {}", answer.text);
        assert_eq!(answer.faults(), [told], "{wrong}");
        assert_eq!(inventory(&house, id).await, before);
    }
    // The same of an inventory: a list of its values is not the object, at any level.
    let core = json!([
        "drupal", null, "core", "11.2.0", null, null, null, null, null, null
    ]);
    for (list, told) in [
        (json!([1, null, null, null, []]), " wrong_type"),
        (
            json!({"schema": 1, "agent": [], "modules": []}),
            "/agent wrong_type",
        ),
        (
            json!({"schema": 1, "site": {"database": []}, "modules": []}),
            "/site/database wrong_type",
        ),
        (
            json!({"schema": 1, "modules": [core]}),
            "/modules/0 wrong_type",
        ),
    ] {
        let answer = sends(&house, &key, id, &list).await;
        assert_eq!(
            (answer.status.as_u16(), answer.faults()),
            (422, vec![told.to_owned()])
        );
        assert_eq!(inventory(&house, id).await, before);
    }
}

/// Name, installed version and status of all that a site runs.
async fn stands(house: &TestApp, id: i64) -> Vec<(String, Value, String)> {
    let rows = house
        .admin()
        .get(&format!("/sites/{id}/modules?per_page=200"))
        .await
        .ok();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let rows = rows["data"].as_array().unwrap().iter();
    rows.map(|row| {
        (
            text(&row["name"]),
            row["installed"].clone(),
            text(&row["status"]),
        )
    })
    .collect()
}

#[tokio::test]
async fn a_lock_of_composer_1_is_an_inventory_like_any_other() {
    let (house, id, key) = house().await;
    let core = Project::new("drupal", "Drupal core", "project_core", &["11.2."])
        .with(Release::new("11.2.0", days_ago(200)))
        .with(Release::new("8.9.20", days_ago(1_800)));
    house.publishes(core);
    house.publishes(
        Project::new("ctools", "Chaos tools", "project_module", &["8.x-3."])
            .with(Release::new("8.x-3.4", days_ago(2_000))),
    );
    // As Composer 1 wrote it: no plugin-api-version, no packages-dev or a null, lists for empty objects.
    let lock = |core: &str, development: Value| {
        json!({
            "_readme": ["This file locks the dependencies of your project to a known state",
                "This file is @generated automatically"],
            "hash": "c2a1ec1f5d4f5d6a9c9a2c4f4b1d7b0e",
            "content-hash": "a1ec1f5d4f5d6a9c9a2c4f4b1d7b0ec2",
            "packages": [
                {"name": core, "version": "8.9.20", "type": "drupal-core", "extra": [],
                 "source": {"type": "git", "url": "https://git.drupal.org/project/drupal.git", "reference": "8.9.20"},
                 "replace": {"drupal/action": "self.version"}, "time": "2021-11-17 15:24:52"},
                {"name": "drupal/ctools", "version": "3.4.0", "type": "drupal-module",
                 "extra": {"branch-alias": {"dev-3.x": "3.x-dev"},
                    "drupal": {"version": "8.x-3.4", "datestamp": "1587397566"}}},
                {"name": "drupal/token", "version": "8.x-1.x-dev", "type": "drupal-module", "time": ""},
                {"name": "Twig/Twig", "version": "v1.44.6", "type": "library"},
            ],
            "packages-dev": development,
            "aliases": [], "minimum-stability": "dev", "stability-flags": {"drupal/token": 20},
            "prefer-stable": true, "prefer-lowest": false, "platform": [], "platform-dev": [],
        })
    };
    let mut without = lock("drupal/core", Value::Null);
    without.as_object_mut().unwrap().remove("packages-dev");
    let taken = pushes(&house, &key, id, without.to_string().as_bytes())
        .await
        .ok();
    assert_eq!(taken["data"]["counts"]["total"], 4);
    house.run_jobs().await;
    let row = |name: &str, version: &str, status: &str| {
        (name.to_owned(), json!(version), status.to_owned())
    };
    let expected = [
        row("ctools", "8.x-3.4", "current"),
        row("drupal", "8.9.20", "not_supported"),
        row("token", "8.x-1.x-dev", "not_supported"),
        row("twig/twig", "v1.44.6", "custom"),
    ];
    assert_eq!(stands(&house, id).await, expected);
    // With a null, and with core from the time when it was one package: the same says it again.
    for lock in [
        lock("drupal/core", Value::Null),
        lock("drupal/drupal", json!([])),
    ] {
        let again = pushes(&house, &key, id, lock.to_string().as_bytes())
            .await
            .ok();
        assert_eq!(again["data"]["sync_id"], taken["data"]["sync_id"]);
        assert_eq!(stands(&house, id).await, expected);
    }
}

#[tokio::test]
async fn a_branch_with_a_long_name_refuses_nothing_and_is_never_fine() {
    let (house, id, key) = house().await;
    let lock = |kind: &str, version: &str| {
        let lock = json!({"packages": [
            {"name": "drupal/core", "version": "11.2.0", "type": "drupal-core"},
            {"name": "drupal/acme", "version": version, "type": kind},
        ]});
        lock.to_string().into_bytes()
    };
    let installed = async || {
        let path = format!("/sites/{id}/modules?filter[name]=drupal/acme");
        house.admin().get(&path).await.column("installed")
    };
    let long = "dev-feature/".to_owned() + &"é".repeat(52);
    pushes(&house, &key, id, &lock("library", &long)).await.ok();
    assert_eq!(
        installed().await,
        [json!(long)],
        "64 characters are kept whole"
    );
    let longer = long.clone() + "x";
    pushes(&house, &key, id, &lock("library", &longer))
        .await
        .ok();
    assert_eq!(
        installed().await,
        [Value::Null],
        "not known, rather than another"
    );
    let row =
        |name: &str, version: Value, status: &str| (name.to_owned(), version, status.to_owned());
    house.publishes(
        Project::new("acme", "Acme", "project_module", &["1.0."])
            .with(Release::new("1.0.0", days_ago(200))),
    );
    for (kind, name, status) in [
        ("drupal-custom-module", "acme", "custom"),
        ("drupal-module", "acme", "unknown"),
    ] {
        pushes(&house, &key, id, &lock(kind, &longer)).await.ok();
        house.run_jobs().await;
        let found = stands(&house, id).await;
        assert!(found.contains(&row(name, Value::Null, status)), "{found:?}");
    }
    house.proves_itself().await;
}

#[tokio::test]
async fn two_packages_of_one_short_name_refuse_nothing_and_both_are_kept() {
    let (house, id, key) = house().await;
    let lock = json!({"packages": [
        {"name": "acme/base", "version": "1.0.0", "type": "drupal-custom-module"},
        {"name": "acme/token", "version": "2.0.0", "type": "drupal-custom-module"},
        {"name": "beta/base", "version": "1.1.0", "type": "drupal-custom-theme"},
        {"name": "drupal/core", "version": "11.2.0", "type": "drupal-core"},
        {"name": "drupal/token", "version": "1.0.0", "type": "drupal-module"},
    ]});
    let lock = lock.to_string().into_bytes();
    let taken = pushes(&house, &key, id, &lock).await.ok();
    assert_eq!(taken["data"]["counts"]["total"], 5);
    let path = format!("/sites/{id}/modules?per_page=200");
    let rows = house.admin().get(&path).await;
    let names = ["acme/base", "acme/token", "beta/base", "drupal", "token"];
    assert_eq!(rows.column("name"), names);
    assert_eq!(rows.column("custom"), [true, true, true, false, false]);
    let again = pushes(&house, &key, id, &lock).await.ok();
    assert_eq!(again["data"]["sync_id"], taken["data"]["sync_id"]);
    house.proves_itself().await;
}
