//! The catalogue as people keep it: modules added, changed, deleted and brought back by the platform
//! administrator, their versions, and which sites run them.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp, days_ago, module};
use dewline::demo::history::{Project, Release};

impl TestApp {
    async fn adds(&self, body: Value) -> Answer {
        self.admin().post("/modules", &body).await
    }

    async fn module_named(&self, name: &str) -> Value {
        let path = format!("/modules?filter%5Bmodule_name%5D={name}");
        self.admin().get(&path).await.ok()["data"][0].clone()
    }

    async fn rows(&self, path: &str) -> Vec<Value> {
        let answer = self.admin().get(path).await.ok();
        answer["data"].as_array().unwrap().clone()
    }
}

fn column(rows: &[Value], name: &str) -> Vec<Value> {
    rows.iter().map(|row| row[name].clone()).collect()
}

#[tokio::test]
async fn a_project_that_is_added_is_asked_for_at_once_and_drupal_org_has_the_last_word() {
    let mut house = TestApp::start().await;
    house.publishes(module("poll"));
    let added = house
        .adds(json!({"module_name": "poll", "title": "Our polls", "type": "theme"}))
        .await;
    let made = added.created()["data"].clone();
    assert_eq!(
        added.header("location"),
        format!("/api/v1/modules/{}", made["id"])
    );
    assert_eq!(made["title"], "Our polls");
    assert_eq!(
        (&made["type"], &made["status"]),
        (&json!("theme"), &json!("pending"))
    );
    house.run_jobs().await;
    let asked = house.module_named("poll").await;
    assert_eq!(
        (&asked["title"], &asked["type"]),
        (&json!("poll"), &json!("module"))
    );
    assert_eq!(asked["status"], "published");

    let path = format!("/modules/{}", made["id"]);
    let changed = house
        .admin()
        .put(&path, &json!({"title": "Polls"}))
        .await
        .ok();
    assert_eq!(changed["data"]["title"], "Polls");
    assert_eq!(changed["data"]["type"], "module", "what isn't sent stays");
    house.publishes(module("poll").with(Release::new("1.0.1", days_ago(1))));
    house.waits(SignedDuration::from_hours(25)).await;
    house.run_jobs().await;
    assert_eq!(house.module_named("poll").await["title"], "poll");
}

#[tokio::test]
async fn what_is_wrong_with_a_module_is_told_at_once() {
    let house = TestApp::start().await;
    for (body, faults) in [
        (json!({}), vec!["/module_name required"]),
        (json!([]), vec![" wrong_type", "/module_name required"]),
        (
            json!({"module_name": "Poll!", "title": "", "type": "song", "color": 1}),
            vec![
                "/color unknown_field",
                "/module_name invalid",
                "/title empty",
                "/type not_allowed",
            ],
        ),
        (
            json!({"module_name": 7, "title": "a\u{202e}b", "type": []}),
            vec![
                "/module_name wrong_type",
                "/title control_character",
                "/type wrong_type",
            ],
        ),
        (
            json!({"module_name": "a".repeat(129)}),
            vec!["/module_name invalid"],
        ),
        (
            json!({"module_name": "1poll", "title": "t".repeat(256)}),
            vec!["/module_name invalid", "/title too_long"],
        ),
        (
            json!({"module_name": "poll", "type": "core"}),
            vec!["/type not_allowed"],
        ),
        (
            json!({"module_name": "drupal", "type": "module"}),
            vec!["/type not_allowed"],
        ),
    ] {
        let answer = house.adds(body.clone()).await;
        assert_eq!(answer.status, 422, "{body}");
        let mut told = answer.faults();
        told.sort();
        assert_eq!(told, faults, "{body}");
    }
    let id = house.adds(json!({"module_name": "poll"})).await.created()["data"]["id"].clone();
    let taken = house.adds(json!({"module_name": "poll"})).await;
    assert_eq!(
        (taken.status.as_u16(), taken.faults()),
        (409, vec![" name_taken".to_owned()])
    );
    let path = format!("/modules/{id}");
    let renamed = house
        .admin()
        .put(&path, &json!({"module_name": "wiki"}))
        .await;
    assert_eq!(renamed.faults(), ["/module_name immutable"]);
    assert_eq!(
        house.admin().put("/modules/77", &json!({})).await.status,
        404
    );
}

#[tokio::test]
async fn the_catalogue_is_written_by_the_platform_administrator_alone() {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let site = house.site_of(harbour, "Town hall").await;
    site.syncs(&[("poll", "1.0.0")]).await;
    let id = house.module_named("poll").await["id"].clone();
    let key = house
        .key(harbour, &["modules:read", "modules:write", "sites:read"])
        .await;
    let client = house.bearer(&key);
    let path = format!("/modules/{id}");
    let body = json!({"module_name": "wiki"});
    assert_eq!(client.post("/modules", &body).await.status, 403);
    assert_eq!(client.put(&path, &json!({"title": "x"})).await.status, 403);
    assert_eq!(client.delete(&path).await.status, 403);
    assert_eq!(client.get(&format!("{path}/versions")).await.status, 200);
    assert_eq!(client.get(&format!("{path}/sites")).await.status, 200);
    let reads = house.key(harbour, &["modules:read"]).await;
    assert_eq!(
        house
            .bearer(&reads)
            .get(&format!("{path}/sites"))
            .await
            .status,
        403
    );
    // What no site in sight runs is not there.
    let meadow = house.organization("Meadow").await;
    let foreign = house.key(meadow, &["modules:read", "sites:read"]).await;
    for rest in ["", "/versions", "/sites"] {
        let answer = house.bearer(&foreign).get(&format!("{path}{rest}")).await;
        assert_eq!(answer.status, 404, "{rest}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_in_use_stays_and_one_that_was_deleted_comes_back_with_the_site_that_runs_it() {
    let mut house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    house.publishes(module("poll"));
    let (site, key) = {
        let site = house.site_of(harbour, "Town hall").await;
        site.syncs(&[("poll", "1.0.0")]).await;
        (site.id, site.key.clone())
    };
    house.run_jobs().await;
    let path = format!("/modules/{}", house.module_named("poll").await["id"]);
    let refused = house.admin().delete(&path).await;
    assert_eq!(
        (refused.status.as_u16(), refused.faults()),
        (409, vec![" in_use".to_owned()])
    );

    // A deleted site uses nothing, and restored it leaves nothing unwatched.
    assert_eq!(
        house.admin().delete(&format!("/sites/{site}")).await.status,
        204
    );
    assert_eq!(house.admin().delete(&path).await.status, 204);
    assert_eq!(house.admin().get(&path).await.status, 404);
    assert_eq!(house.module_named("poll").await, Value::Null);
    house.drupal_org.take_requests();
    house.waits(SignedDuration::from_hours(49)).await;
    house.run_jobs().await;
    let asked = |house: &TestApp| {
        let requests = house.drupal_org.take_requests();
        requests
            .iter()
            .filter(|asked| asked.project == "poll")
            .count()
    };
    assert_eq!(asked(&house), 0, "a deleted module is not asked for");
    house
        .admin()
        .post(&format!("/sites/{site}/restore"), &json!({}))
        .await
        .ok();
    assert_eq!(
        house.admin().get(&path).await.ok()["data"]["sites_count"],
        1
    );
    house.run_jobs().await;
    assert_eq!(asked(&house), 1);

    // A sync brings one back too, and so does whoever adds it again: always the same one.
    let push = format!("/sites/{site}/modules/sync");
    let without = crate::support::Site::inventory(&[]);
    let with = crate::support::Site::inventory(&[("poll", "1.0.0")]);
    house.bearer(&key).post(&push, &without).await.ok();
    assert_eq!(house.admin().delete(&path).await.status, 204);
    house.bearer(&key).post(&push, &with).await.ok();
    assert_eq!(house.admin().get(&path).await.status, 200);
    house.bearer(&key).post(&push, &without).await.ok();
    assert_eq!(house.admin().delete(&path).await.status, 204);
    let again = house.adds(json!({"module_name": "poll"})).await.created();
    assert_eq!(format!("/modules/{}", again["data"]["id"]), path);
    let restore = house
        .admin()
        .post(&format!("{path}/restore"), &json!({}))
        .await;
    assert_eq!(
        (restore.status.as_u16(), restore.faults()),
        (409, vec![" name_taken".to_owned()])
    );
    assert_eq!(house.admin().delete(&path).await.status, 204);
    house
        .admin()
        .post(&format!("{path}/restore"), &json!({}))
        .await
        .ok();
    house.proves_itself().await;
}

#[tokio::test]
async fn versions_come_in_the_historys_order_with_who_runs_them() {
    let house = TestApp::start().await;
    let (harbour, meadow) = (
        house.organization("Harbour").await,
        house.organization("Meadow").await,
    );
    house.publishes(
        Project::new("poll", "Poll", "project_module", &["2.0."])
            .with(Release::new("1.9.0", days_ago(300)))
            .with(Release::new("2.0.0", days_ago(100)))
            .with(Release::security("2.0.1", days_ago(3))),
    );
    house
        .site_of(harbour, "One")
        .await
        .syncs(&[("poll", "2.0.0")])
        .await;
    house
        .site_of(harbour, "Two")
        .await
        .syncs(&[("poll", "2.0.1")])
        .await;
    house
        .site_of(meadow, "Three")
        .await
        .syncs(&[("poll", "2.0.0")])
        .await;
    house
        .site_of(meadow, "Four")
        .await
        .syncs(&[("poll", "2.0.0-patched")])
        .await;
    house.run_jobs().await;
    let path = format!(
        "/modules/{}/versions",
        house.module_named("poll").await["id"]
    );
    let rows = house.rows(&path).await;
    let newest_first = ["2.0.1", "2.0.0", "1.9.0", "2.0.0-patched"];
    assert_eq!(column(&rows, "version_number"), newest_first);
    assert_eq!(column(&rows, "sites_count"), [1, 2, 0, 1]);
    assert_eq!(column(&rows, "is_listed"), [true, true, true, false]);
    assert_eq!(
        column(&rows, "is_security_update"),
        [true, false, false, false]
    );
    assert_eq!(column(&rows, "is_supported"), [true, true, false, false]);
    assert_eq!(rows[0]["status"], "current");
    assert_eq!(rows[1]["status"], "not_secure");
    assert_eq!(rows[1]["exposed"], true);
    assert_eq!(rows[2]["release_date"], "2026-01-24T08:00:00Z");
    let run = house
        .rows(&format!(
            "{path}?filter%5Bsites_count%5D%5Bgt%5D=0&sort=-sites_count"
        ))
        .await;
    assert_eq!(column(&run, "sites_count"), [2, 1, 1]);
    let paged = house
        .admin()
        .get(&format!("{path}?per_page=2&page=2"))
        .await
        .ok();
    assert_eq!(paged["meta"]["pagination"]["total"], 4);
    assert_eq!(paged["data"][0]["version_number"], "1.9.0");
    // Counted by sight, and what only others run and nobody released is not there.
    let key = house.key(harbour, &["modules:read"]).await;
    let mine = house.bearer(&key).get(&path).await.ok();
    let mine = mine["data"].as_array().unwrap();
    assert_eq!(column(mine, "sites_count"), [1, 1, 0]);
    let csv = house.admin().get(&format!("{path}?format=csv")).await;
    assert!(
        csv.text
            .starts_with("version_number,release_date,is_security_update,"),
        "{}",
        csv.text
    );
}

#[tokio::test]
async fn the_sites_of_a_module_are_a_list_to_work_through() {
    let house = TestApp::start().await;
    let (harbour, meadow) = (
        house.organization("Harbour").await,
        house.organization("Meadow").await,
    );
    house.publishes(
        module("poll")
            .with(Release::security("1.0.1", days_ago(30)))
            .with(Release::security("1.0.2", days_ago(1))),
    );
    house
        .site_of(harbour, "One")
        .await
        .syncs(&[("poll", "1.0.2")])
        .await;
    house
        .site_of(harbour, "Two")
        .await
        .syncs(&[("poll", "1.0.0")])
        .await;
    house
        .site_of(meadow, "Three")
        .await
        .syncs(&[("poll", "1.0.1")])
        .await;
    house
        .site_of(meadow, "Four")
        .await
        .syncs(&[("wiki", "1.0.0")])
        .await;
    house.run_jobs().await;
    let path = format!("/modules/{}/sites", house.module_named("poll").await["id"]);
    let rows = house.rows(&path).await;
    assert_eq!(column(&rows, "installed"), ["1.0.0", "1.0.1", "1.0.2"]);
    assert_eq!(column(&rows, "site"), ["Two", "Three", "One"]);
    assert_eq!(column(&rows, "exposed"), [true, true, false]);
    assert_eq!(
        column(&rows, "organization"),
        ["Harbour", "Meadow", "Harbour"]
    );
    assert_eq!(column(&rows, "module"), ["poll"; 3]);
    assert_eq!(rows[1]["state"], "open");
    assert_eq!(rows[1]["fixed_in"], json!(["1.0.2"]));
    assert_eq!(rows[2]["state"], Value::Null);
    assert!(rows[0]["due_at"].as_str() <= rows[1]["due_at"].as_str());
    let asks =
        async |question: &str| column(&house.rows(&format!("{path}?{question}")).await, "site");
    assert_eq!(
        asks("filter%5Bexposed%5D=true&sort=due_at").await,
        ["Two", "Three"]
    );
    assert_eq!(
        asks("filter%5Bstate%5D=open&sort=site").await,
        ["Three", "Two"]
    );
    assert_eq!(asks("filter%5Binstalled%5D=1.0.2").await, ["One"]);
    assert_eq!(
        asks(&format!("filter%5Borganization_id%5D={harbour}&sort=-site")).await,
        ["Two", "One"]
    );
    assert_eq!(asks("filter%5Benvironment%5D=staging").await, [""; 0]);
    assert_eq!(asks("q=thr").await, ["Three"]);
    let key = house.key(meadow, &["sites:read"]).await;
    let mine = house.bearer(&key).get(&path).await.ok();
    assert_eq!(column(mine["data"].as_array().unwrap(), "site"), ["Three"]);
    let csv = house
        .admin()
        .get(&format!("{path}?format=csv&sort=site"))
        .await;
    let lines: Vec<String> = csv.text.lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 4);
    assert!(
        lines[0]
            .starts_with("site_id,site,organization_id,organization,environment,module,installed")
    );
}
