//! What is deleted can come back: a site, an organization with exactly what its deletion took, a
//! module of the catalogue. Meanwhile the world went on, and what comes back is as true as if it had
//! been there all the time.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{TestApp, days_ago, module};
use dewline::demo::history::Release;

impl TestApp {
    async fn posts(&self, path: &str) -> (u16, Value) {
        let answer = self.admin().post(path, &json!({})).await;
        (answer.status.as_u16(), answer.json())
    }

    async fn restores(&self, path: &str) -> Value {
        let (status, answer) = self.posts(&format!("{path}/restore")).await;
        assert_eq!(status, 200, "{answer}");
        answer["data"].clone()
    }

    async fn refused(&self, path: &str) -> (u16, String) {
        let (status, answer) = self.posts(&format!("{path}/restore")).await;
        (
            status,
            answer["errors"][0]["code"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        )
    }

    async fn deletes(&self, path: &str) -> u16 {
        self.admin().delete(path).await.status.as_u16()
    }

    async fn only_window(&self) -> Value {
        let windows = self.admin().get("/exposures").await.ok()["data"].clone();
        assert_eq!(windows.as_array().unwrap().len(), 1, "{windows}");
        windows[0].clone()
    }

    async fn recorded(&self) -> Vec<String> {
        self.app
            .store
            .read(|db| {
                let mut prepared = db.prepare("SELECT action FROM audit_logs ORDER BY id")?;
                let rows = prepared.query_map([], |row| row.get(0))?;
                Ok::<_, dewline::store::StoreError>(rows.collect::<rusqlite::Result<_>>()?)
            })
            .unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_site_has_its_keys_its_word_and_the_very_same_window() {
    let mut house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    house.publishes(module("poll").with(Release::security("1.0.1", days_ago(1))));
    let (path, key, sync) = {
        let site = house.site_of(harbour, "Town hall").await;
        site.syncs(&[("poll", "1.0.0")]).await;
        (site.path(""), site.key.clone(), site.path("/modules/sync"))
    };
    house.run_jobs().await;
    let before = house.admin().get(&path).await.ok()["data"].clone();
    let window = house.only_window().await;
    assert_eq!(
        (&before["status"], &window["state"]),
        (&json!("not_secure"), &json!("open"))
    );

    assert_eq!(house.deletes(&path).await, 204);
    assert_eq!(house.only_window().await["state"], "ended");
    house.waits(SignedDuration::from_mins(10)).await;
    let after = house.restores(&path).await;

    assert_eq!(after["counts"], before["counts"]);
    for same in ["status", "open_exposures", "next_due_at", "last_sync_at"] {
        assert_eq!(after[same], before[same], "{same}");
    }
    let again = house.only_window().await;
    for same in [
        "id",
        "state",
        "opened_at",
        "known_at",
        "due_at",
        "closed_at",
    ] {
        assert_eq!(again[same], window[same], "{same}");
    }
    let inventory = crate::support::Site::inventory(&[("poll", "1.0.1")]);
    house.bearer(&key).post(&sync, &inventory).await.ok();
    assert_eq!(house.only_window().await["state"], "met");
    assert_eq!(
        house
            .recorded()
            .await
            .iter()
            .filter(|a| *a == "site.restored")
            .count(),
        1
    );
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_published_while_a_site_was_deleted_is_made_good() {
    let mut house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    house.publishes(module("poll"));
    let path = {
        let site = house.site_of(harbour, "Town hall").await;
        site.syncs(&[("poll", "1.0.0")]).await;
        // Another keeps the module in use.
        house
            .site_of(harbour, "Library")
            .await
            .syncs(&[("poll", "1.0.1")])
            .await;
        site.path("")
    };
    house.run_jobs().await;
    assert_eq!(house.deletes(&path).await, 204);
    let released = house.clock_seconds() + 600;
    house.releases("poll", Release::security("1.0.1", released));
    house.waits(SignedDuration::from_mins(70)).await;
    house.run_jobs().await;
    assert_eq!(
        house.admin().get("/exposures").await.ok()["data"],
        json!([])
    );
    house.proves_itself().await;

    house.waits(SignedDuration::from_hours(30)).await;
    let site = house.restores(&path).await;
    let window = house.only_window().await;
    assert_eq!(
        (&site["status"], &site["open_exposures"]),
        (&json!("not_secure"), &json!(1))
    );
    assert_eq!(window["opened_at"], "2026-11-20T08:10:00Z");
    assert_eq!(
        window["known_at"], "2026-11-20T09:10:00Z",
        "when the fix was known here"
    );
    assert_eq!(
        (&site["silent"], &site["silent_since"]),
        (&json!(true), &json!("2026-11-20T10:10:00Z"))
    );
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_comes_back_with_exactly_what_its_deletion_took() {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    house.publishes(module("poll").with(Release::security("1.0.1", days_ago(1))));
    let (kept, gone, revoked) = (
        house.site_of(harbour, "Town hall").await,
        house.site_of(harbour, "Museum").await,
        house.key(harbour, &["sites:read"]).await,
    );
    let working = house.key(harbour, &["sites:read"]).await;
    kept.syncs(&[("poll", "1.0.0")]).await;
    gone.syncs(&[("poll", "1.0.0")]).await;
    house.run_jobs().await;
    let keys = house.admin().get("/api-keys?sort=id").await.ok();
    let id = keys["data"][2]["id"].as_i64().unwrap();
    assert_eq!(house.deletes(&format!("/api-keys/{id}")).await, 204);
    assert_eq!(house.deletes(&gone.path("")).await, 204);
    let path = format!("/organizations/{harbour}");
    assert_eq!(house.deletes(&path).await, 204);
    assert_eq!(house.bearer(&working).get("/sites").await.status, 401);
    assert_eq!(
        house.refused(&kept.path("")).await,
        (409, "organization_deleted".to_owned())
    );

    let organization = house.restores(&path).await;
    assert_eq!(organization["sites_count"], 1);
    let sites = house.bearer(&working).get("/sites").await.ok();
    assert_eq!(sites["data"].as_array().unwrap().len(), 1, "{sites}");
    assert_eq!(sites["data"][0]["name"], "Town hall");
    assert_eq!(sites["data"][0]["open_exposures"], 1);
    assert_eq!(house.bearer(&revoked).get("/sites").await.status, 401);
    kept.syncs(&[("poll", "1.0.1")]).await;
    // What had been deleted before stays deleted, and can come back by itself.
    assert_eq!(house.admin().get(&gone.path("")).await.status, 404);
    house.restores(&gone.path("")).await;
    gone.syncs(&[("poll", "1.0.1")]).await;
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_come_back_says_why() {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let site = house.site_of(harbour, "Town hall").await;
    let path = site.path("");
    assert_eq!(house.refused(&path).await, (409, "not_deleted".to_owned()));
    assert_eq!(house.refused("/sites/77").await.0, 404);
    assert_eq!(house.refused("/organizations/77").await.0, 404);
    assert_eq!(house.refused("/modules/77").await.0, 404);
    assert_eq!(house.deletes(&path).await, 204);
    house.site_of(harbour, "town HALL").await;
    assert_eq!(house.refused(&path).await, (409, "name_taken".to_owned()));

    let organization = format!("/organizations/{harbour}");
    assert_eq!(
        house.refused(&organization).await,
        (409, "not_deleted".to_owned())
    );
    assert_eq!(house.deletes(&organization).await, 204);
    house.organization("HARBOUR").await;
    assert_eq!(
        house.refused(&organization).await,
        (409, "name_taken".to_owned())
    );
    assert_eq!(house.admin().get(&organization).await.status, 404);
    house.proves_itself().await;
}

#[tokio::test]
async fn only_who_may_delete_a_site_may_restore_it_and_only_his_own() {
    let house = TestApp::start().await;
    let (harbour, meadow) = (
        house.organization("Harbour").await,
        house.organization("Meadow").await,
    );
    let (mine, foreign) = (
        house.site_of(harbour, "Town hall").await,
        house.site_of(meadow, "Library").await,
    );
    let writes = house.key(harbour, &["sites:read", "sites:write"]).await;
    let deletes = house
        .key(
            harbour,
            &["sites:delete", "organizations:manage", "modules:write"],
        )
        .await;
    for site in [&mine, &foreign] {
        assert_eq!(house.deletes(&site.path("")).await, 204);
    }
    let restore = async |key: &str, path: &str| {
        let path = format!("{path}/restore");
        house
            .bearer(key)
            .post(&path, &json!({}))
            .await
            .status
            .as_u16()
    };
    assert_eq!(restore(&writes, &mine.path("")).await, 403);
    assert_eq!(restore(&deletes, &foreign.path("")).await, 404);
    assert_eq!(
        restore(&deletes, &format!("/organizations/{harbour}")).await,
        403
    );
    assert_eq!(restore(&deletes, "/modules/1").await, 403);
    assert_eq!(restore(&deletes, &mine.path("")).await, 200);
}
