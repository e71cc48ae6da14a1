//! The ledger through the services: windows that were over before anybody knew, batches that are
//! interrupted, and histories made by chance. After each, the record is played again and agrees.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{Site, TestApp, days_ago, module};
use dewline::demo::history::Release;
use dewline::store::{Lane, StoreError};

impl TestApp {
    /// The clock, in Unix seconds.
    pub fn clock_seconds(&self) -> i64 {
        use dewline::clock::Clock;
        self.clock.now().as_second()
    }

    /// `dewline check --replay` finds nothing wrong.
    pub async fn proves_itself(&self) {
        let findings = dewline::services::check::run(&self.app.config, true)
            .await
            .unwrap();
        for finding in findings {
            assert!(
                finding.wrong.is_empty(),
                "{}: {:#?}",
                finding.about,
                finding.wrong
            );
        }
    }

    /// Something happens to the database that no service does.
    pub async fn runs(&self, sql: String) {
        let written = self.app.store.write(Lane::Front, move |db| {
            db.execute_batch(&sql)?;
            Ok::<_, StoreError>(())
        });
        written.await.unwrap();
    }

    pub async fn windows(&self) -> Vec<Value> {
        let answer = self
            .admin()
            .get("/exposures?sort=opened_at&per_page=200")
            .await;
        answer.ok()["data"].as_array().unwrap().clone()
    }

    async fn push(&self, site: &(i64, String), modules: &[(&str, &str)]) {
        let path = format!("/sites/{}/modules/sync", site.0);
        self.bearer(&site.1)
            .post(&path, &Site::inventory(modules))
            .await
            .ok();
    }
}

async fn site(house: &TestApp, organization: i64, name: &str) -> (i64, String) {
    let site = house.site_of(organization, name).await;
    (site.id, site.key.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fix_released_installed_and_only_then_known_has_its_window() {
    let mut house = TestApp::start().await;
    let organization = house.organization("Harbour").await;
    house.publishes(module("poll"));
    let fast = site(&house, organization, "Fast").await;
    house.push(&fast, &[("poll", "1.0.0")]).await;
    house.run_jobs().await;
    house.releases(
        "poll",
        Release::security("1.0.1", house.clock_seconds() + 600),
    );
    // Twenty minutes later the site has it; Dewline hears of it when the hour is over.
    house.waits(SignedDuration::from_mins(20)).await;
    house.push(&fast, &[("poll", "1.0.1")]).await;
    house.waits(SignedDuration::from_mins(50)).await;
    house.run_jobs().await;
    let windows = house.windows().await;
    assert_eq!(windows.len(), 1);
    assert_eq!(windows[0]["opened_at"], "2026-11-20T08:10:00Z");
    assert_eq!(windows[0]["closed_at"], "2026-11-20T08:20:00Z");
    assert_eq!(windows[0]["state"], "met");
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn disabled_code_opens_nothing_until_it_is_enabled() {
    let mut house = TestApp::start().await;
    let organization = house.organization("Harbour").await;
    house.publishes(module("poll").with(Release::security("1.0.1", days_ago(10))));
    let site = site(&house, organization, "Town hall").await;
    let send = async |house: &TestApp, enabled: bool| {
        let body = json!({"schema": 1, "modules": [
            {"name": "drupal", "type": "core", "version": "11.2.0"},
            {"name": "poll", "version": "1.0.0", "enabled": enabled}]});
        house
            .bearer(&site.1)
            .post(&format!("/sites/{}/modules/sync", site.0), &body)
            .await
            .ok();
    };
    send(&house, false).await;
    house.run_jobs().await;
    assert!(house.windows().await.is_empty());
    assert_eq!(
        house.admin().get(&format!("/sites/{}", site.0)).await.ok()["data"]["status"],
        "current"
    );
    house.waits(SignedDuration::from_mins(5)).await;
    send(&house, true).await;
    assert_eq!(
        house.windows().await[0]["opened_at"],
        "2026-11-20T08:05:00Z"
    );
    house.waits(SignedDuration::from_mins(5)).await;
    send(&house, false).await;
    assert_eq!(
        house.windows().await[0]["closed_at"],
        "2026-11-20T08:10:00Z"
    );
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_site_ends_its_windows_even_those_not_yet_told() {
    let mut house = TestApp::start().await;
    let organization = house.organization("Harbour").await;
    house.publishes(module("poll"));
    let site = site(&house, organization, "Town hall").await;
    house.push(&site, &[("poll", "1.0.0")]).await;
    house.run_jobs().await;
    house.releases("poll", Release::security("1.0.1", house.clock_seconds()));
    house.waits(SignedDuration::from_mins(61)).await;
    house.run_jobs().await;
    house.admin().delete(&format!("/sites/{}", site.0)).await;
    house.proves_itself().await;
    assert_eq!(house.windows().await[0]["state"], "ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_insecure_release_that_is_unlisted_again_is_withdrawn() {
    let mut house = TestApp::start().await;
    let organization = house.organization("Harbour").await;
    house.publishes(module("poll").with(Release::security("1.0.1", days_ago(1))));
    let site = site(&house, organization, "Town hall").await;
    house.push(&site, &[("poll", "1.0.0")]).await;
    house.run_jobs().await;
    assert_eq!(house.windows().await[0]["state"], "open");
    house.publishes(module("poll"));
    house.waits(SignedDuration::from_mins(61)).await;
    house.run_jobs().await;
    assert_eq!(house.windows().await[0]["state"], "withdrawn");
    house.proves_itself().await;
}

/// A repeatable sequence.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn histories_made_by_chance_are_proved_by_their_replay() {
    for seed in 1..=3 {
        let mut chance = Chance(seed);
        let mut house = TestApp::with(|config| config.rate_limits.enabled = false).await;
        let organization = house.organization("Harbour").await;
        for name in ["poll", "wiki"] {
            house.publishes(module(name));
        }
        let mut sites = Vec::new();
        for name in ["North", "South", "West"] {
            sites.push(site(&house, organization, name).await);
        }
        let mut gone = Vec::new();
        let mut newest = 0;
        for _ in 0..40 {
            match chance.below(10) {
                0 => {
                    newest += 1;
                    let date =
                        house.clock_seconds() - 1800 * i64::try_from(chance.below(4)).unwrap();
                    let version = format!("1.0.{newest}");
                    let release = match chance.below(3) {
                        0 => Release::new(&version, date),
                        _ => Release::security(&version, date),
                    };
                    house.releases("poll", release);
                }
                1 => {
                    let version = format!("1.0.{}", chance.below(newest + 1));
                    house.drupal_org.mark_insecure("poll", &version);
                }
                2 if sites.len() > 2 && chance.below(2) == 0 => {
                    let site = sites.pop().unwrap();
                    house.admin().delete(&format!("/sites/{}", site.0)).await;
                    gone.push(site);
                }
                2 => {
                    if let Some(site) = gone.pop() {
                        let path = format!("/sites/{}/restore", site.0);
                        house.admin().post(&path, &json!({})).await.ok();
                        sites.push(site);
                    }
                }
                3..=5 => house.run_jobs().await,
                _ => {
                    let at = usize::try_from(chance.below(sites.len() as u64)).unwrap();
                    let version = format!("1.0.{}", chance.below(newest + 2));
                    let odd = ["1.0.x-dev", "whatever"];
                    let version = match chance.below(8) {
                        pick @ 0..=1 => odd[usize::try_from(pick).unwrap()],
                        _ => version.as_str(),
                    };
                    let modules: &[(&str, &str)] = match chance.below(4) {
                        0 => &[("wiki", "1.0.0")],
                        _ => &[("poll", version), ("wiki", "1.0.0")],
                    };
                    house.push(&sites[at], modules).await;
                }
            }
            house
                .waits(SignedDuration::from_mins(
                    i64::try_from(chance.below(45)).unwrap() + 1,
                ))
                .await;
        }
        house.proves_itself().await;
        house.run_jobs().await;
        house.proves_itself().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_promise_never_rewrites_the_past() {
    let mut house = TestApp::start().await;
    dewline::services::ledger::keep_promise(&house.app)
        .await
        .unwrap();
    let organization = house.organization("Harbour").await;
    house.publishes(module("poll").with(Release::security("1.0.1", days_ago(1))));
    let site = site(&house, organization, "Town hall").await;
    house.push(&site, &[("poll", "1.0.0")]).await;
    house.run_jobs().await;
    let due = house.windows().await[0]["due_at"].clone();
    house.waits(SignedDuration::from_mins(5)).await;
    let mut config = house.app.config.clone();
    config.sla.moderately_critical_hours = 1;
    let findings = dewline::services::check::run(&config, true).await.unwrap();
    assert!(
        findings.iter().all(|finding| finding.wrong.is_empty()),
        "{findings:#?}"
    );
    assert_eq!(house.windows().await[0]["due_at"], due);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_cannot_be_told_holds_nobody_up_and_is_told_when_it_can() {
    let mut house = TestApp::start().await;
    let organization = house.organization("Harbour").await;
    house.publishes(module("poll"));
    house.publishes(module("token"));
    let broken = site(&house, organization, "Broken").await;
    let sound = site(&house, organization, "Sound").await;
    for site in [&broken, &sound] {
        house
            .push(site, &[("poll", "1.0.0"), ("token", "1.0.0")])
            .await;
    }
    house.run_jobs().await;
    let poison = format!(
        "CREATE TRIGGER poison BEFORE INSERT ON exposures WHEN new.site_id = {}
         BEGIN SELECT RAISE(ABORT, 'nothing can be written'); END",
        broken.0
    );
    house.runs(poison).await;

    for project in ["poll", "token"] {
        house.waits(SignedDuration::from_hours(1)).await;
        house.releases(
            project,
            Release::security("1.0.1", house.clock_seconds() - 60),
        );
        house.run_jobs().await;
    }
    let told = |windows: &[Value], site: i64| {
        let of_site = windows.iter().filter(|window| window["site_id"] == site);
        of_site.map(|window| window["opened_at"].clone()).collect()
    };
    let windows = house.windows().await;
    let of_sound: Vec<Value> = told(&windows, sound.0);
    assert_eq!(of_sound.len(), 2, "{windows:#?}");
    assert_eq!(told(&windows, broken.0), Vec::<Value>::new());
    // It is called what its version is, and whoever looks is told what is wrong.
    let path = format!("/sites/{}", broken.0);
    let word = house.admin().get(&path).await.ok()["data"]["status"].clone();
    assert_eq!(word, "not_secure");
    let findings = dewline::services::check::run(&house.app.config, false);
    let wrong: Vec<String> = findings
        .await
        .unwrap()
        .into_iter()
        .flat_map(|finding| finding.wrong)
        .collect();
    assert_eq!(wrong.len(), 2, "{wrong:#?}");
    assert!(wrong[0].contains("(Broken) could not be told of poll since"));
    // What it runs can't be called safe: it isn't answered at all.
    let path = format!("/sites/{}/modules/sync", broken.0);
    let inventory = Site::inventory(&[("poll", "1.0.0"), ("token", "1.0.0")]);
    let refused = house.bearer(&broken.1).post(&path, &inventory).await;
    assert_eq!(refused.status, 500, "{}", refused.text);

    house.runs("DROP TRIGGER poison".to_owned()).await;
    house.waits(SignedDuration::from_mins(16)).await;
    house.run_jobs().await;
    let windows = house.windows().await;
    assert_eq!(told(&windows, broken.0), of_sound, "{windows:#?}");
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_cannot_be_told_can_be_deleted() {
    let mut house = TestApp::start().await;
    let organization = house.organization("Harbour").await;
    house.publishes(module("poll"));
    let broken = site(&house, organization, "Broken").await;
    house.push(&broken, &[("poll", "1.0.0")]).await;
    house.run_jobs().await;
    let poison = "CREATE TRIGGER poison BEFORE INSERT ON exposures BEGIN SELECT RAISE(ABORT, 'nothing can be written'); END";
    house.runs(poison.to_owned()).await;
    house.waits(SignedDuration::from_hours(1)).await;
    house.releases(
        "poll",
        Release::security("1.0.1", house.clock_seconds() - 60),
    );
    house.run_jobs().await;
    let path = format!("/sites/{}", broken.0);
    assert_eq!(house.admin().delete(&path).await.status, 204);
    assert_eq!(house.admin().get(&path).await.status, 404);
}
