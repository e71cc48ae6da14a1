//! Advisories and the fleet: which sites each hits, since when and until when, however late, wrong or
//! short-lived it was.

use std::collections::HashMap;
use std::path::Path;

use dewline::clock::Clock;
use dewline::demo::advisory::Advisory;
use dewline::demo::history::{Project, Release};
use dewline::domain::access::Actor;
use dewline::services::advisory_feed::state;
use dewline::services::import_catalogue;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::tables::tables;
use crate::support::{Site, TestApp, days_ago, module};

const SA: &str = "SA-CONTRIB-2026-050";

/// An advisory against everything of a module below a version, published so many days before the start.
fn against(module: &str, below: &str, days: i64) -> Advisory {
    Advisory {
        affected_versions: Some(format!("<{below}")),
        ..Advisory::new(50, SA, module, days_ago(days))
    }
}

impl TestApp {
    /// drupal.org's newest words have been read and followed.
    async fn listens(&mut self) {
        self.waits(SignedDuration::from_mins(16)).await;
        self.run_jobs().await;
    }

    async fn gets(&self, path: &str) -> Value {
        self.admin().get(path).await.ok()["data"].clone()
    }

    async fn all_windows(&self) -> Vec<Value> {
        let windows = self.gets("/exposures?sort=id").await;
        windows.as_array().unwrap().clone()
    }

    async fn only(&self) -> Value {
        let windows = self.all_windows().await;
        assert_eq!(windows.len(), 1, "{windows:?}");
        windows[0].clone()
    }
}

async fn module_of(site: &Site<'_>, house: &TestApp, name: &str) -> Value {
    let modules = house.gets(&site.path("/modules")).await;
    let all = modules.as_array().unwrap();
    all.iter().find(|one| one["name"] == name).unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_advisory_explains_the_windows_of_the_release_that_fixes_it() {
    let mut house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    house.publishes(module("token").with(Release::security("1.0.1", days_ago(1))));
    let key = {
        let site = house.site_of(harbour, "Town hall").await;
        site.syncs(&[("token", "1.0.0")]).await;
        (site.id, site.key.clone())
    };
    house.run_jobs().await;
    let before = house.only().await;
    assert_eq!(
        (&before["risk"], &before["advisories"]),
        (&Value::Null, &json!([]))
    );

    let mut advisory = against("token", "1.0.1", 1);
    advisory.vector = Some("AC:None/A:None/CI:All/II:All/E:Exploit/TD:All".to_owned());
    advisory.cves = vec!["CVE-2026-12345".to_owned()];
    house.drupal_org.put_advisory(advisory);
    house.listens().await;

    let window = house.only().await;
    assert_eq!(window["cause"], json!({"kind": "release", "id": "1.0.1"}));
    assert_eq!(window["advisories"], json!([SA]));
    assert_eq!(window["risk"], "highly_critical");
    assert!(
        window["due_at"].as_str() < before["due_at"].as_str(),
        "a worse risk tightens: {window}"
    );
    let shown = house.gets(&format!("/advisories/{SA}")).await;
    assert_eq!(shown["affected_sites_count"], 1);
    assert_eq!(shown["risk"]["score"], 25);
    assert_eq!(shown["cves"], json!(["CVE-2026-12345"]));
    let hit = house.gets(&format!("/advisories/{SA}/sites")).await;
    assert_eq!(hit[0]["site"], "Town hall");
    assert_eq!(
        (&hit[0]["exposed"], &hit[0]["state"], &hit[0]["fixed_in"]),
        (&json!(true), &json!("open"), &json!(["1.0.1"]))
    );

    let site = Site::known(&house, key.0, &key.1);
    let receipt = site
        .syncs(&[("token", "1.0.0"), ("views_bulk", "1.0.0")])
        .await;
    assert_eq!(receipt["security"]["updates"][0]["advisories"], json!([SA]));
    site.syncs(&[("token", "1.0.1")]).await;
    let shown = house.gets(&format!("/advisories/{SA}")).await;
    assert_eq!(shown["affected_sites_count"], 0);
    let ever = house.gets(&format!("/advisories/{SA}/sites")).await;
    assert_eq!(ever[0]["state"], "met");
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_advisory_without_a_fix_is_a_cause_of_its_own_until_the_fix_comes() {
    let mut house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    house.publishes(module("token"));
    house.drupal_org.put_advisory(against("token", "1.0.1", 2));
    let site = house.site_of(harbour, "Town hall").await;
    site.syncs(&[("token", "1.0.0")]).await;
    let (id, key) = (site.id, site.key.clone());
    house.run_jobs().await;

    let window = house.only().await;
    assert_eq!(window["cause"], json!({"kind": "advisory", "id": SA}));
    assert_eq!(
        (&window["no_fix"], &window["fixed_in"]),
        (&json!(true), &json!([]))
    );
    let site = Site::known(&house, id, &key);
    let token = module_of(&site, &house, "token").await;
    assert_eq!(token["status"], "current", "core knows nothing of it");
    assert_eq!(
        (&token["exposed"], &token["advisories"]),
        (&json!(true), &json!([SA]))
    );
    assert_eq!(token["security_update"], false, "nothing fixes it");
    assert_eq!(house.gets(&site.path("")).await["status"], "not_secure");

    // The fix comes without being marked as a security update.
    let fix = house.clock.now().as_second();
    house.releases("token", Release::new("1.0.1", fix));
    house.waits(SignedDuration::from_hours(2)).await;
    house.run_jobs().await;
    let fixed = house.only().await;
    assert_eq!(
        fixed["id"], window["id"],
        "the same row takes the release as its cause"
    );
    assert_eq!(fixed["cause"], json!({"kind": "release", "id": "1.0.1"}));
    assert_eq!(fixed["no_fix"], false);
    for kept in ["opened_at", "known_at", "due_at"] {
        assert_eq!(fixed[kept], window[kept], "{kept}");
    }
    let site = Site::known(&house, id, &key);
    site.syncs(&[("token", "1.0.1")]).await;
    assert_eq!(house.only().await["state"], "met");
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_advisory_that_is_corrected_withdrawn_and_published_again_leaves_its_trace() {
    let mut house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    house.publishes(module("token"));
    let site = house.site_of(harbour, "Town hall").await;
    site.syncs(&[("token", "1.0.0")]).await;
    house.drupal_org.put_advisory(against("token", "2.0.0", 1));
    house.run_jobs().await;
    assert_eq!(house.only().await["state"], "open");

    // Corrected: the version was never affected.
    house.drupal_org.change_advisory(50, |advisory| {
        advisory.affected_versions = Some("<0.9.0".to_owned());
    });
    house.listens().await;
    assert_eq!(house.only().await["state"], "withdrawn");

    // Corrected back: a window of its own.
    house.drupal_org.change_advisory(50, |advisory| {
        advisory.affected_versions = Some("<2.0.0".to_owned());
    });
    house.listens().await;
    let windows = house.all_windows().await;
    assert_eq!(windows.len(), 2);
    assert_eq!(windows[1]["state"], "open");

    // Taken back upstream: it is listed no more, which the daily round over all of them notices.
    house
        .drupal_org
        .change_advisory(50, |advisory| advisory.published = false);
    house.waits(SignedDuration::from_hours(25)).await;
    house.run_jobs().await;
    assert_eq!(house.all_windows().await[1]["state"], "withdrawn");
    let shown = house.gets(&format!("/advisories/{SA}")).await;
    assert!(shown["withdrawn_at"].is_string(), "{shown}");
    assert_eq!(shown["affected_sites_count"], 0);
    let ever = house
        .gets(&format!("/advisories/{SA}/sites?sort=opened_at"))
        .await;
    let states: Vec<&Value> = ever
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["state"])
        .collect();
    assert_eq!(
        states,
        ["withdrawn", "withdrawn"],
        "what was is not forgotten"
    );
    assert_eq!(house.all_windows().await[0]["advisories"], json!([SA]));

    // And published again.
    house
        .drupal_org
        .change_advisory(50, |advisory| advisory.published = true);
    house.listens().await;
    let states: Vec<Value> = house
        .all_windows()
        .await
        .iter()
        .map(|w| w["state"].clone())
        .collect();
    assert_eq!(states, ["withdrawn", "withdrawn", "open"]);
    let shown = house.gets(&format!("/advisories/{SA}")).await;
    assert_eq!(shown["withdrawn_at"], Value::Null);
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_again_is_known_since_then() {
    let mut house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    house.publishes(module("token"));
    let site = house.site_of(harbour, "Town hall").await;
    site.syncs(&[("token", "1.0.0")]).await;
    house.drupal_org.put_advisory(against("token", "2.0.0", 0));
    house.run_jobs().await;
    house
        .drupal_org
        .change_advisory(50, |advisory| advisory.published = false);
    house.waits(SignedDuration::from_hours(25)).await;
    house.run_jobs().await;
    assert_eq!(house.only().await["state"], "withdrawn");

    // Nobody could know of it when this one was first heard of.
    house.waits(SignedDuration::from_hours(96)).await;
    let site = house.site_of(harbour, "Library").await;
    site.syncs(&[("token", "1.0.0")]).await;
    house.run_jobs().await;
    house.only().await;

    house.waits(SignedDuration::from_hours(144)).await;
    house
        .drupal_org
        .change_advisory(50, |advisory| advisory.published = true);
    let before = house.clock.now();
    house.listens().await;
    let windows = house.all_windows().await;
    assert_eq!(windows.len(), 3);
    for window in &windows[1..] {
        assert_eq!(window["closed_at"], Value::Null);
        let known: jiff::Timestamp = window["known_at"].as_str().unwrap().parse().unwrap();
        assert!(known >= before, "{known} is before {before}");
    }
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_another_node_claims_for_another_project_changes_nothing() {
    let mut house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    house.publishes(module("token"));
    house.publishes(module("poll"));
    let site = house.site_of(harbour, "Town hall").await;
    site.syncs(&[("token", "1.0.0"), ("poll", "1.0.0")]).await;
    house.drupal_org.put_advisory(against("token", "2.0.0", 1));
    house.run_jobs().await;
    let copy = Advisory {
        nid: 51,
        changed: days_ago(0),
        ..against("poll", "2.0.0", 0)
    };
    house.drupal_org.put_advisory(copy);
    house.listens().await;
    assert_eq!(house.only().await["module"], "token");
    assert_eq!(house.only().await["state"], "open");
    // Somebody is told: poll may have a hole that nobody here knows of.
    let told = state(&house.app, &Actor::System).await.unwrap();
    assert!(told.incomplete);
    assert_eq!(told.troubles, [(51, "another node has this id".to_owned())]);

    // It has the id once nobody else does.
    house
        .drupal_org
        .change_advisory(50, |advisory| advisory.published = false);
    for _ in 0..2 {
        house.waits(SignedDuration::from_hours(25)).await;
        house.run_jobs().await;
    }
    let told = state(&house.app, &Actor::System).await.unwrap();
    assert_eq!((told.incomplete, told.troubles), (false, vec![]));
    assert_eq!(house.all_windows().await[1]["module"], "poll");
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_says_the_same_as_before_is_told_what_was_published_a_moment_ago() {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    house.publishes(module("token"));
    let site = house.site_of(harbour, "Town hall").await;
    site.syncs(&[("token", "1.0.0")]).await;
    house.run_jobs().await;
    house.releases("token", Release::security("1.0.1", days_ago(0)));
    let token = module_of(&site, &house, "token").await["module_id"]
        .as_i64()
        .unwrap();
    dewline::services::refresh::one(&house.app, token)
        .await
        .unwrap();
    // Nobody has been told yet, and the site comes first.
    let receipt = site.syncs(&[("token", "1.0.0")]).await;
    assert_eq!(receipt["counts"]["unchanged"], receipt["counts"]["total"]);
    assert_eq!(receipt["security"]["status"], "not_secure");
    assert_eq!(receipt["security"]["open_exposures"], 1);
    house.run_jobs().await;
    assert_eq!(house.all_windows().await.len(), 1);
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_core_advisory_with_eight_branches_finds_the_fix_of_each_sites_branch() {
    let mut house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let branches = [
        "9.5", "10.3", "10.4", "10.5", "10.6", "11.1", "11.2", "11.3",
    ];
    let supported: Vec<String> = branches.iter().map(|branch| format!("{branch}.")).collect();
    let supported: Vec<&str> = supported.iter().map(String::as_str).collect();
    let mut core = Project::new("drupal", "Drupal core", "project_core", &supported);
    for branch in branches {
        for patch in 1..4 {
            core.publish(Release::new(
                &format!("{branch}.{patch}"),
                days_ago(90 - patch),
            ));
        }
        core.publish(Release::security(&format!("{branch}.4"), days_ago(1)));
    }
    house.publishes(core);
    let parts: Vec<String> = branches
        .iter()
        .map(|branch| format!(">={branch}.0 <{branch}.4"))
        .collect();
    let mut advisory = Advisory::new(60, "SA-CORE-2026-020", "drupal", days_ago(1));
    advisory.affected_versions = Some(parts.join(" || "));
    house.drupal_org.put_advisory(advisory);
    for branch in branches {
        for version in [format!("{branch}.2"), format!("{branch}.4")] {
            let site = house.site_of(harbour, &format!("Site {version}")).await;
            let core = json!({"name": "drupal", "type": "core", "version": version});
            site.sends(&json!({"schema": 1, "modules": [core]}))
                .await
                .ok();
        }
    }
    house.run_jobs().await;
    let hit = house
        .gets("/advisories/SA-CORE-2026-020/sites?sort=site&per_page=50")
        .await;
    let mut found: Vec<(String, String)> = hit
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["site"].to_string(), row["fixed_in"].to_string()))
        .collect();
    found.sort();
    let mut right: Vec<(String, String)> = branches
        .iter()
        .map(|branch| (format!("\"Site {branch}.2\""), format!("[\"{branch}.4\"]")))
        .collect();
    right.sort();
    assert_eq!(found, right);
    house.listens().await;
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_security_release_without_the_insecure_mark_opens_a_window_though_core_only_sees_an_update()
 {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let mut project = module("token").with(Release::security("1.0.1", days_ago(1)));
    for release in &mut project.releases {
        release
            .types
            .retain(|kind| *kind != dewline::demo::history::ReleaseType::Insecure);
    }
    house.publishes(project);
    let site = house.site_of(harbour, "Town hall").await;
    site.syncs(&[("token", "1.0.0")]).await;
    house.run_jobs().await;
    let token = module_of(&site, &house, "token").await;
    assert_eq!(
        (&token["status"], &token["exposed"]),
        (&json!("not_current"), &json!(true))
    );
    assert_eq!(house.only().await["state"], "open");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_installed_the_fix_before_we_heard_of_it_has_its_window_in_the_record() {
    let mut house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    house.publishes(module("token"));
    let site = house.site_of(harbour, "Town hall").await;
    site.syncs(&[("token", "1.0.0")]).await;
    let (id, key) = (site.id, site.key.clone());
    house.run_jobs().await;
    let released = house.clock.now().as_second() + 600;
    house.waits(SignedDuration::from_mins(20)).await;
    // Ten minutes ago it was released; the site has it already.
    let mut fast = module("token").with(Release::security("1.0.1", released));
    fast.publish(Release::new("1.0.2", released + 1));
    let site = Site::known(&house, id, &key);
    site.syncs(&[("token", "1.0.1")]).await;
    assert!(house.all_windows().await.is_empty());
    house.publishes(fast);
    let mut advisory = against("token", "1.0.1", 0);
    advisory.created = released;
    advisory.changed = released;
    house.drupal_org.put_advisory(advisory);
    house.waits(SignedDuration::from_hours(2)).await;
    house.run_jobs().await;
    let window = house.only().await;
    assert_eq!(window["state"], "met", "{window}");
    assert_eq!(window["advisories"], json!([SA]));
    let ever = house.gets(&format!("/advisories/{SA}/sites")).await;
    assert_eq!(ever.as_array().unwrap().len(), 1);
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sees_one_organization_sees_the_advisories_about_what_its_sites_run() {
    let mut house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let hills = house.organization("Hills").await;
    for name in ["token", "poll"] {
        house.publishes(module(name).with(Release::security("1.0.1", days_ago(1))));
    }
    house
        .site_of(harbour, "Town hall")
        .await
        .syncs(&[("token", "1.0.0")])
        .await;
    house
        .site_of(hills, "Museum")
        .await
        .syncs(&[("token", "1.0.0"), ("poll", "1.0.0")])
        .await;
    house.drupal_org.put_advisory(against("token", "1.0.1", 1));
    let other = Advisory {
        nid: 51,
        id: "SA-CONTRIB-2026-051".to_owned(),
        title: "About poll - SA-CONTRIB-2026-051".to_owned(),
        ..against("poll", "1.0.1", 1)
    };
    house.drupal_org.put_advisory(other);
    house.listens().await;
    let key = house.key(harbour, &["modules:read", "sites:read"]).await;
    let mine = house.bearer(&key);
    let list = mine.get("/advisories").await.ok();
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    assert_eq!(list["data"][0]["id"], SA);
    assert_eq!(list["data"][0]["affected_sites_count"], 1);
    assert_eq!(list["meta"]["pagination"]["total"], 1);
    let sites = mine.get(&format!("/advisories/{SA}/sites")).await.ok();
    assert_eq!(sites["data"].as_array().unwrap().len(), 1);
    assert_eq!(sites["data"][0]["site"], "Town hall");
    for path in [
        "/advisories/SA-CONTRIB-2026-051",
        "/advisories/SA-CONTRIB-2026-051/sites",
        "/advisories/SA-CONTRIB-1999-001",
    ] {
        assert_eq!(mine.get(path).await.status, 404, "{path}");
    }
    assert_eq!(
        house.gets(&format!("/advisories/{SA}")).await["affected_sites_count"],
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_hit_sees_the_advisory_after_the_module_is_gone() {
    let mut house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let hills = house.organization("Hills").await;
    house.publishes(module("token"));
    house.drupal_org.put_advisory(against("token", "1.0.1", 2));
    let site = house.site_of(harbour, "Town hall").await;
    site.syncs(&[("token", "1.0.0")]).await;
    house.site_of(hills, "Museum").await.syncs(&[]).await;
    house.run_jobs().await;
    assert_eq!(house.only().await["no_fix"], true);
    let (id, key) = (site.id, site.key.clone());
    house.waits(SignedDuration::from_mins(5)).await;
    let site = Site::known(&house, id, &key);
    let receipt = site.syncs(&[("poll", "1.0.0")]).await;
    assert_eq!(receipt["counts"]["removed"], 1, "{receipt}");
    let closed = house.only().await;
    assert_ne!(closed["closed_at"], Value::Null, "{closed}");

    let key = house.key(harbour, &["modules:read", "sites:read"]).await;
    let mine = house.bearer(&key);
    let shown = mine.get(&format!("/advisories/{SA}")).await.ok();
    assert_eq!(shown["data"]["affected_sites_count"], 0);
    assert_eq!(
        shown["data"]["module_id"],
        Value::Null,
        "the module is out of its sight"
    );
    let sites = mine.get(&format!("/advisories/{SA}/sites")).await.ok();
    assert_eq!(sites["data"].as_array().unwrap().len(), 1);
    assert_eq!(sites["data"][0]["exposed"], false);
    assert_eq!(
        sites["data"][0]["closed_at"],
        house.only().await["closed_at"]
    );
    let list = mine.get("/advisories").await.ok();
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    assert_eq!(list["data"][0]["id"], SA);

    let key = house.key(hills, &["modules:read", "sites:read"]).await;
    let theirs = house.bearer(&key);
    let unseen = theirs.get(&format!("/advisories/{SA}")).await;
    assert_eq!(unseen.status, 404);
    let list = theirs.get("/advisories").await.ok();
    assert_eq!(list["data"], json!([]));
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_had_the_fix_before_the_advisory_was_known_sees_it_after_the_module_is_gone() {
    let mut house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    house.publishes(module("token"));
    let (id, key) = {
        let site = house.site_of(harbour, "Town hall").await;
        site.syncs(&[("token", "1.0.0")]).await;
        (site.id, site.key.clone())
    };
    house.run_jobs().await;
    let released = house.clock.now().as_second() + 600;
    house.waits(SignedDuration::from_mins(20)).await;
    let site = Site::known(&house, id, &key);
    site.syncs(&[("token", "1.0.1")]).await;
    house.publishes(module("token").with(Release::security("1.0.1", released)));
    let mut advisory = against("token", "1.0.1", 0);
    (advisory.created, advisory.changed) = (released, released);
    house.drupal_org.put_advisory(advisory);
    house.waits(SignedDuration::from_hours(2)).await;
    house.run_jobs().await;
    assert_eq!(house.only().await["state"], "met");
    let site = Site::known(&house, id, &key);
    let receipt = site.syncs(&[("poll", "1.0.0")]).await;
    assert_eq!(receipt["counts"]["removed"], 1, "{receipt}");
    let key = house.key(harbour, &["modules:read", "sites:read"]).await;
    let path = format!("/advisories/{SA}/sites");
    let sites = house.bearer(&key).get(&path).await.ok();
    assert_eq!(sites["data"][0]["state"], "met");
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_site_is_neither_listed_nor_counted_until_it_is_restored() {
    let mut house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    house.publishes(module("token").with(Release::security("1.0.1", days_ago(1))));
    house.drupal_org.put_advisory(against("token", "1.0.1", 1));
    let (id, key) = {
        let site = house.site_of(harbour, "Town hall").await;
        site.syncs(&[("token", "1.0.0")]).await;
        (site.id, site.key.clone())
    };
    house.run_jobs().await;
    house.waits(SignedDuration::from_mins(5)).await;
    let site = Site::known(&house, id, &key);
    site.syncs(&[("token", "1.0.1")]).await;
    let path = site.path("");
    let key = house.key(harbour, &["modules:read", "sites:read"]).await;
    // An answer about the fleet is kept for a moment.
    house.waits(SignedDuration::from_mins(1)).await;
    let before = house.gets("/dashboard/overview").await["month"].clone();
    assert_eq!(before["met"], 1, "{before}");
    assert_eq!(house.admin().delete(&path).await.status, 204);

    assert_eq!(
        house.gets(&format!("/advisories/{SA}/sites")).await,
        json!([])
    );
    let number =
        dewline::services::advisories::seen(&house.app, &dewline::domain::access::Sight::All, SA)
            .unwrap();
    let reach = dewline::services::advisories::reach(&house.app, &Actor::System, number)
        .await
        .unwrap();
    assert_eq!(reach.tally.hit(), 0, "{reach:?}");
    let course = dewline::services::advisories::course(&house.app, &Actor::System, number)
        .await
        .unwrap();
    assert!(course.is_empty(), "{course:?}");
    let unseen = house.bearer(&key).get(&format!("/advisories/{SA}")).await;
    assert_eq!(unseen.status, 404, "it hit nobody who is there");
    house.waits(SignedDuration::from_mins(1)).await;
    let after = house.gets("/dashboard/overview").await["month"].clone();
    assert_eq!(after["met"], 1, "what was fixed stays on record: {after}");

    let restore = format!("{path}/restore");
    house.admin().post(&restore, &json!({})).await.ok();
    house.waits(SignedDuration::from_mins(1)).await;
    let back = house.gets(&format!("/advisories/{SA}/sites")).await;
    assert_eq!(back[0]["state"], "met");
    let reach = dewline::services::advisories::reach(&house.app, &Actor::System, number)
        .await
        .unwrap();
    assert_eq!(reach.tally.done, 1);
    let again = house.gets("/dashboard/overview").await["month"].clone();
    assert_eq!(again["met"], before["met"]);
    house.proves_itself().await;
}

/// One package of a table: its advisories, and what each version has of them.
struct Case {
    project: String,
    versions: Vec<(String, Vec<String>)>,
    /// Those on which its two readings disagree, by version.
    disputed: HashMap<String, Vec<String>>,
}

/// What a fleet was told.
struct Told {
    /// Versions that were compared.
    versions: usize,
    /// Advisories that are listed.
    advisories: u64,
    /// Disagreements that are shown: an advisory and a version each.
    disputed: usize,
}

/// Imports a folder, has a fleet run every version of every case, and compares what each site is told.
async fn fleet_agrees(folder: &Path, cases: &[Case]) -> Told {
    let house = TestApp::start().await;
    let fleet = house.organization("Fleet").await;
    let handfuls = tokio::task::block_in_place(|| {
        let mut handfuls = Vec::new();
        import_catalogue::read(folder, &mut |handful| {
            handfuls.push(handful);
            Ok(())
        })
        .unwrap();
        handfuls
    });
    for handful in handfuls {
        import_catalogue::take(&house.app, &Actor::System, handful)
            .await
            .unwrap();
    }
    let most = cases.iter().map(|case| case.versions.len()).max().unwrap();
    let list = house.admin().get("/advisories").await.ok();
    let mut all = Told {
        versions: 0,
        advisories: list["meta"]["pagination"]["total"].as_u64().unwrap(),
        disputed: 0,
    };
    for round in 0..most {
        let site = house.site_of(fleet, &format!("Site {round}")).await;
        let running: Vec<(&Case, &(String, Vec<String>))> = cases
            .iter()
            .filter_map(|case| Some((case, case.versions.get(round)?)))
            .collect();
        let modules: Vec<Value> = running
            .iter()
            .map(|(case, (version, _))| {
                let name = case.project.as_str();
                let kind = if name == "drupal" { "core" } else { "module" };
                json!({"name": name, "version": version, "type": kind})
            })
            .collect();
        site.sends(&json!({"schema": 1, "modules": modules}))
            .await
            .ok();
        let mut told = Vec::new();
        for page in 1.. {
            let path = site.path(&format!("/modules?per_page=200&page={page}"));
            let answer = house.admin().get(&path).await.ok();
            told.extend(answer["data"].as_array().unwrap().clone());
            if answer["links"]["next"].is_null() {
                break;
            }
        }
        for (case, (version, ids)) in running {
            let name = case.project.as_str();
            let row = told.iter().find(|row| row["name"] == name).unwrap();
            assert_eq!(row["advisories"], json!(ids), "{name} {version}");
            let exposed = if ids.is_empty() {
                Value::Null
            } else {
                json!(true)
            };
            assert_eq!(
                row["exposed"], exposed,
                "{name} {version}: no history is known"
            );
            let disputed = case.disputed.get(version).cloned().unwrap_or_default();
            assert_eq!(
                row["disputed_advisories"],
                json!(disputed),
                "{name} {version}"
            );
            all.disputed += disputed.len();
            all.versions += 1;
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_is_told_of_every_advisory_that_names_what_it_runs() {
    let text = include_str!("fixtures/advisories.jsonl");
    let folder = TempDir::new().unwrap();
    let shelf = folder.path().join("advisories");
    std::fs::create_dir(&shelf).unwrap();
    let mut cases = Vec::new();
    let mut nid = 1000;
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let project = line["project"].as_str().unwrap();
        for told in line["advisories"].as_array().unwrap() {
            nid += 1;
            let mut advisory = Advisory::new(
                nid,
                told[0].as_str().unwrap(),
                project,
                told[1].as_i64().unwrap(),
            );
            advisory.affected_versions = told[2].as_str().map(str::to_owned);
            let file = shelf.join(format!("{nid}.json"));
            std::fs::write(file, advisory.single().to_string()).unwrap();
        }
        cases.push(Case {
            project: project.to_owned(),
            versions: serde_json::from_value(line["versions"].clone()).unwrap(),
            disputed: HashMap::new(),
        });
    }
    assert_eq!(fleet_agrees(folder.path(), &cases).await.versions, 434);
}

/// Disagreements of the table: an advisory and a release each.
const DISPUTED: usize = 459;

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_advisory_database_agrees_with_the_table_through_the_api() {
    let Some(folder) = tables() else { return };
    let text = std::fs::read_to_string(folder.join("cases-advisory-match.jsonl")).unwrap();
    let cases: Vec<Case> = text.lines().map(case_of).collect();
    let only = TempDir::new().unwrap();
    let shelf = only.path().join("advisories");
    std::fs::create_dir(&shelf).unwrap();
    for file in std::fs::read_dir(folder.join("advisories")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), shelf.join(file.file_name())).unwrap();
    }
    let told = fleet_agrees(only.path(), &cases).await;
    assert!(told.versions > 3_000, "{}", told.versions);
    assert_eq!(told.advisories, 591);
    assert_eq!(told.disputed, DISPUTED);
}

/// A line of the table. A snapshot needs its date and its branch's releases: it is asked elsewhere.
fn case_of(line: &str) -> Case {
    let line: Value = serde_json::from_str(line).unwrap();
    let package = line["package"].as_str().unwrap();
    let name = package.strip_prefix("drupal/").unwrap();
    let ids = |list: &Value| -> Vec<String> {
        let list = list.as_array().into_iter().flatten();
        list.map(|id| id.as_str().unwrap().replace("DRUPAL-", "SA-"))
            .collect()
    };
    let versions = line["versions"].as_array().unwrap().iter();
    let named = |row: &Value| row[0].as_str().unwrap().to_owned();
    // The second reading stands there only where it differs.
    let differing = versions.clone().filter(|row| row[2].is_array());
    let disputed = differing.map(|row| {
        let (ranges, constraint) = (ids(&row[1]), ids(&row[2]));
        let mut apart: Vec<String> = ranges
            .iter()
            .filter(|id| !constraint.contains(id))
            .chain(constraint.iter().filter(|id| !ranges.contains(id)))
            .cloned()
            .collect();
        apart.sort();
        (named(row), apart)
    });
    Case {
        disputed: disputed.collect(),
        project: if name == "core" { "drupal" } else { name }.to_owned(),
        versions: versions
            .filter(|row| !row[0].as_str().unwrap().contains("dev"))
            .map(|row| {
                let mut either = ids(&row[1]);
                either.extend(ids(&row[2]));
                either.sort();
                either.dedup();
                (row[0].as_str().unwrap().to_owned(), either)
            })
            .collect(),
    }
}
