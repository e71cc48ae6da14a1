//! A site with more windows than a page has: what is open, what a run closed and the last year are told whole.

use dewline::demo::history::Release;
use jiff::SignedDuration;

use crate::support::{EMAIL, Site, TestApp, days_ago, module};

/// More windows than a page has, all of them newer than the first ones.
const MANY: usize = 205;

#[tokio::test(flavor = "multi_thread")]
async fn an_open_window_and_what_a_run_closed_are_told_however_many_came_after() {
    let mut house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let names: Vec<String> = (0..MANY).map(|number| format!("part_{number}")).collect();
    for name in ["poll", "wiki"]
        .into_iter()
        .chain(names.iter().map(String::as_str))
    {
        house.publishes(module(name).with(Release::security("1.0.1", days_ago(1))));
    }
    let site = house.site_of(harbour, "Quay").await;
    let (id, key) = (site.id, site.key.clone());
    let syncs = async |house: &TestApp, wiki: &str, parts: Option<&str>| {
        let parts = names.iter().zip(parts.into_iter().cycle());
        let parts = parts.map(|(name, version)| (name.as_str(), version));
        let all: Vec<(&str, &str)> = [("poll", "1.0.0"), ("wiki", wiki)]
            .into_iter()
            .chain(parts)
            .collect();
        Site::known(house, id, &key).syncs(&all).await;
        house.run_jobs().await;
    };
    for (wiki, parts) in [
        ("1.0.0", None),
        ("1.0.1", None),
        ("1.0.1", Some("1.0.0")),
        ("1.0.1", Some("1.0.1")),
    ] {
        house.waits(SignedDuration::from_hours(1)).await;
        syncs(&house, wiki, parts).await;
    }
    house.waits(SignedDuration::from_hours(8 * 24)).await;

    let browser = house.signed_in(EMAIL).await;
    let page = browser.get(&format!("//sites/{id}")).await;
    assert_eq!(page.status, 200);
    assert!(
        page.text.contains("due\u{a0}"),
        "poll is still open, and says since when it is due"
    );
    let runs = browser.get(&format!("//sites/{id}/patch-runs")).await;
    assert!(
        !runs.text.contains("nothing that was open"),
        "the first run closed the window of wiki"
    );
    let told = house
        .admin()
        .get(&format!("/dashboard/sites/{id}"))
        .await
        .ok();
    let timeline = told["data"]["timeline"].as_array().unwrap();
    assert_eq!(timeline.len(), MANY + 2);
    assert_eq!(timeline[0]["module"], "poll", "what is open comes first");
    assert_eq!(timeline[0]["state"], "overdue");
}
