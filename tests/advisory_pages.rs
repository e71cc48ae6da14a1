//! The pages about advisories, through the router: who is affected, what isn't known, and who may see it.

use dewline::clock::Clock;
use dewline::demo::advisory::Advisory;
use dewline::demo::drupal_org::Behaviour;
use dewline::demo::history::Release;
use dewline::domain::access::{Actor, Permission};
use dewline::domain::advisory::Record;
use dewline::domain::advisory::record::Span;
use dewline::domain::grants::Permissions;
use dewline::services::{Error, advisories};
use jiff::SignedDuration;
use serde_json::json;

use crate::support::browser::cookie;
use crate::support::{Answer, EMAIL, TestApp, days_ago, module};

const ID: &str = "SA-CONTRIB-2026-101";

impl TestApp {
    async fn visits(&self, path: &str) -> Answer {
        self.visits_with(&cookie(self, EMAIL).await, path).await
    }

    /// The same by somebody who is signed in: sign-ins are counted.
    async fn visits_with(&self, cookie: &str, path: &str) -> Answer {
        let visitor = self.anonymous().with("cookie", cookie);
        visitor.get(&format!("/{path}")).await
    }

    /// A page without its markup, in one line.
    async fn reads(&self, path: &str) -> String {
        self.reads_with(&cookie(self, EMAIL).await, path).await
    }

    async fn reads_with(&self, cookie: &str, path: &str) -> String {
        let answer = self.visits_with(cookie, path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        plain(&answer.text)
    }

    async fn hears_of(&self, record: Record) {
        advisories::record(&self.app, record).await.unwrap();
        self.run_jobs().await;
    }
}

/// What a reader sees.
fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                text.push(' ');
            }
            c if !inside => text.push(c),
            _ => {}
        }
    }
    let text = text
        .replace("&#39;", "'")
        .replace("&#60;", "<")
        .replace("&lt;", "<");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An advisory about everything of poll below 1.0.1.
fn advisory(house: &TestApp) -> Record {
    Record {
        id: ID.to_owned(),
        project: "poll".to_owned(),
        title: format!("Poll - Critical - Access bypass - {ID}"),
        vector: Some("AC:Basic/A:None/CI:All/II:Some/E:Theoretical/TD:All".to_owned()),
        score: Some(18),
        cves: vec!["CVE-2026-1234".to_owned()],
        published: house.clock_seconds() - 3600,
        changed: house.clock_seconds(),
        affected_versions: Some("<1.0.1".to_owned()),
        fixed_in: vec!["1.0.1".to_owned()],
        url: "https://www.drupal.org/sa-contrib-2026-101".to_owned(),
        ..Record::default()
    }
}

/// drupal.org has a fix of poll, an hour old.
async fn with_a_fix() -> TestApp {
    let house = TestApp::start().await;
    house.publishes(module("poll").with(Release::security("1.0.1", house.clock_seconds() - 3600)));
    house
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_affected_is_the_first_line_and_then_a_list_to_work_through() {
    let mut house = with_a_fix().await;
    let (harbour, tower) = (
        house.organization("Harbour").await,
        house.organization("Tower").await,
    );
    let quay = house.site_of(harbour, "Quay").await;
    let (quay, key) = (quay.id, quay.key);
    house
        .site_of(tower, "Bell")
        .await
        .syncs(&[("poll", "1.0.0")])
        .await;
    house
        .site_of(tower, "Other")
        .await
        .syncs(&[("token", "1.0.0")])
        .await;
    let inventory = |version: &str| crate::support::Site::inventory(&[("poll", version)]);
    let path = format!("/sites/{quay}/modules/sync");
    house
        .bearer(&key)
        .post(&path, &inventory("1.0.0"))
        .await
        .ok();
    house.hears_of(advisory(&house)).await;

    let page = house.reads(&format!("/advisories/{ID}")).await;
    assert!(page.contains(&format!("{ID}: 2 sites exposed")), "{page}");
    assert!(page.contains("0 of 2 sites done"), "{page}");
    for said in [
        "Quay Harbour 1.0.0",
        "1.0.0 → to 1.0.1",
        "Critical",
        "18 of 25",
        "CVE-2026-1234",
        "Account none is needed",
        "Affected <1.0.1",
    ] {
        assert!(page.contains(said), "{said} is not in {page}");
    }

    house.waits(SignedDuration::from_hours(2)).await;
    house
        .bearer(&key)
        .post(&path, &inventory("1.0.1"))
        .await
        .ok();
    let page = house.reads(&format!("/advisories/{ID}")).await;
    assert!(
        page.contains(&format!("{ID}: 1 site still exposed")),
        "{page}"
    );
    assert!(page.contains("1 of 2 sites done"), "{page}");
    let (open, closed) = (page.find("Bell").unwrap(), page.find("Quay").unwrap());
    assert!(open < closed, "what is open comes first: {page}");

    let closed = format!("/advisories/{ID}?filter%5Bstate%5D=met");
    let page = house.reads(&closed).await;
    assert!(
        page.contains("1 window") && !page.contains("Bell"),
        "{page}"
    );
    let theirs = format!("/advisories/{ID}?filter%5Borganization_id%5D={tower}");
    let page = house.reads(&theirs).await;
    assert!(
        page.contains("Organization Tower"),
        "the chip names it: {page}"
    );
    let csv = house.visits(&format!("/advisories/{ID}?format=csv")).await;
    assert_eq!(csv.text.lines().count(), 3, "{}", csv.text);
    assert!(csv.text.contains(",Quay,"), "{}", csv.text);

    let overview = house.reads("/").await;
    assert!(
        overview.contains(&format!("{ID} 1 open, 1 done")),
        "{overview}"
    );
    let of_site = house.visits(&format!("/sites/{quay}/exposures")).await;
    let link = format!("href=\"/advisories/{ID}\"");
    assert!(of_site.text.contains(&link), "{}", of_site.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_filtered_by_what_stands_in_its_address() {
    let house = with_a_fix().await;
    let cookie = cookie(&house, EMAIL).await;
    let harbour = house.organization("Harbour").await;
    house
        .site_of(harbour, "Quay")
        .await
        .syncs(&[("poll", "1.0.0")])
        .await;
    house.hears_of(advisory(&house)).await;
    let psa = Record {
        id: "PSA-2026-11-18".to_owned(),
        title: "A release is coming".to_owned(),
        psa: true,
        published: house.clock_seconds() - 60,
        ..Record::default()
    };
    house.hears_of(psa).await;
    let taken_back = Record {
        id: "SA-CONTRIB-2026-102".to_owned(),
        title: "Taken back".to_owned(),
        score: Some(6),
        withdrawn: true,
        ..advisory(&house)
    };
    house.hears_of(taken_back).await;
    for (question, ids) in [
        ("", [true, true, true]),
        ("?view=affected", [true, false, false]),
        ("?view=announcements", [false, true, false]),
        ("?view=withdrawn", [false, false, true]),
        ("?filter%5Brisk%5D=less_critical", [false, false, true]),
        ("?filter%5Bmodule%5D=poll", [true, false, true]),
        ("?q=CVE-2026-1234", [true, false, true]),
        ("?filter%5Bpublished_at%5D%5Blte%5D=2026-11-19", [false; 3]),
    ] {
        let page = house
            .reads_with(&cookie, &format!("/advisories{question}"))
            .await;
        let shown = [ID, "PSA-2026-11-18", "SA-CONTRIB-2026-102"].map(|id| page.contains(id));
        assert_eq!(shown, ids, "{question}: {page}");
    }
    let page = house.reads_with(&cookie, "/advisories").await;
    assert!(page.contains("Poll, Access bypass"), "{page}");
    assert!(page.contains("Announcement: A release"), "{page}");
    let csv = house.visits_with(&cookie, "/advisories?format=csv").await;
    // The names of the columns, these three, and the one that the stand-in lists by itself.
    assert_eq!(csv.text.lines().count(), 5, "{}", csv.text);
    let page = house
        .reads_with(&cookie, "/advisories/PSA-2026-11-18")
        .await;
    assert!(page.contains("matched with nothing"), "{page}");
    let page = house
        .reads_with(&cookie, "/advisories/SA-CONTRIB-2026-102")
        .await;
    assert!(page.contains("SA-CONTRIB-2026-102: withdrawn"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_called_unaffected_but_on_fresh_data() {
    let mut house = with_a_fix().await;
    let harbour = house.organization("Harbour").await;
    let (id, key) = {
        let site = house.site_of(harbour, "Quay").await;
        site.syncs(&[("poll", "1.0.1")]).await;
        (site.id, site.key)
    };
    house.hears_of(advisory(&house)).await;
    let page = house.reads(&format!("/advisories/{ID}")).await;
    assert!(page.contains("no site is affected"), "{page}");
    assert!(
        page.contains("No site in your fleet runs an affected version"),
        "{page}"
    );

    house
        .drupal_org
        .set_behaviour_for_all(Behaviour::Status(503, None));
    house.waits(SignedDuration::from_hours(25)).await;
    let path = format!("/sites/{id}/modules/sync");
    let inventory = crate::support::Site::inventory(&[("poll", "1.0.1")]);
    house.bearer(&key).post(&path, &inventory).await.ok();
    house.run_jobs().await;
    let page = house.reads(&format!("/advisories/{ID}")).await;
    assert!(page.contains("no site is known to be affected"), "{page}");
    assert!(page.contains("too old to call anything fine"), "{page}");
    assert!(!page.contains("No site in your fleet"), "{page}");
}

/// What the API says of how much is known.
async fn certainty(house: &TestApp, id: &str) -> [serde_json::Value; 6] {
    let shown = house.admin().get(&format!("/advisories/{id}")).await.ok();
    [
        "affected_sites_count",
        "unclear_sites_count",
        "silent_sites_count",
        "telling",
        "stale",
        "none_is_proven",
    ]
    .map(|name| shown["data"][name].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_and_the_file_call_nobody_unaffected_without_proof() {
    let mut house = with_a_fix().await;
    let harbour = house.organization("Harbour").await;
    let (id, key) = {
        let site = house.site_of(harbour, "Quay").await;
        site.syncs(&[("poll", "1.0.1")]).await;
        (site.id, site.key)
    };
    house.hears_of(advisory(&house)).await;
    assert_eq!(
        json!(certainty(&house, ID).await),
        json!([0, 0, 0, false, false, true])
    );
    let csv = format!("/advisories/{ID}?format=csv");
    assert_eq!(house.visits(&csv).await.text.lines().count(), 1);

    // It names no versions: nobody can tell.
    let without = "SA-CONTRIB-2026-104";
    let nothing_stated = Record {
        id: without.to_owned(),
        affected_versions: None,
        fixed_in: Vec::new(),
        ..advisory(&house)
    };
    house.hears_of(nothing_stated).await;
    let path = format!("/advisories/{without}/sites");
    let sites = house.admin().get(&path).await.ok();
    assert_eq!(sites["data"], json!([]));
    assert_eq!(
        json!(certainty(&house, without).await),
        json!([0, 1, 0, false, false, false])
    );
    let path = format!("/advisories/{without}?format=csv");
    let file = house.visits(&path).await.text;
    assert_eq!(file.lines().count(), 2, "{file}");
    assert!(
        file.contains(",Quay,") && file.contains(",poll,1.0.1,,cannot_tell,"),
        "{file}"
    );
    // An announcement proves nothing.
    let psa = Record {
        id: "PSA-2026-11-18".to_owned(),
        psa: true,
        project: String::new(),
        ..advisory(&house)
    };
    house.hears_of(psa).await;
    assert_eq!(certainty(&house, "PSA-2026-11-18").await[5], json!(false));

    // A module judged anew whose sites have not been told.
    let told = house.app.clone();
    let other = Record {
        id: "SA-CONTRIB-2026-107".to_owned(),
        affected_versions: Some("<1.0.2".to_owned()),
        ..advisory(&house)
    };
    advisories::record(&told, other).await.unwrap();
    assert_eq!(
        json!(certainty(&house, "SA-CONTRIB-2026-107").await),
        json!([0, 0, 0, true, false, false])
    );
    let path = "/advisories/SA-CONTRIB-2026-107?format=csv";
    let file = house.visits(path).await.text;
    assert!(file.contains(",poll,,,cannot_tell,"), "{file}");
    house.run_jobs().await;
    assert_eq!(
        json!(certainty(&house, "SA-CONTRIB-2026-107").await),
        json!([1, 0, 0, false, false, false])
    );

    // drupal.org is silent for a day; then the site, too.
    house
        .drupal_org
        .set_behaviour_for_all(Behaviour::Status(503, None));
    house.waits(SignedDuration::from_hours(25)).await;
    let path = format!("/sites/{id}/modules/sync");
    let inventory = crate::support::Site::inventory(&[("poll", "1.0.1")]);
    house.bearer(&key).post(&path, &inventory).await.ok();
    house.run_jobs().await;
    assert_eq!(
        json!(certainty(&house, ID).await),
        json!([0, 0, 0, false, true, false])
    );
    let file = house.visits(&csv).await.text;
    assert!(file.contains(",poll,,,cannot_tell,"), "{file}");
    house.waits(SignedDuration::from_hours(24 * 30)).await;
    house.run_jobs().await;
    assert_eq!(certainty(&house, ID).await[2], json!(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_can_tell_and_what_has_no_fix_is_said() {
    let house = TestApp::start().await;
    for name in ["poll", "webform", "token"] {
        house.publishes(module(name));
    }
    let harbour = house.organization("Harbour").await;
    let all = [("poll", "1.0.0"), ("webform", "1.0.0"), ("token", "1.0.0")];
    let site = house.site_of(harbour, "Quay").await;
    site.syncs(&all).await;
    house.run_jobs().await;
    let about = |project: &str, id: &str, versions: Option<&str>| Record {
        id: id.to_owned(),
        project: project.to_owned(),
        affected_versions: versions.map(str::to_owned),
        fixed_in: Vec::new(),
        ..advisory(&house)
    };
    house.hears_of(about("poll", ID, Some("*"))).await;
    let page = house.reads(&format!("/advisories/{ID}")).await;
    assert!(
        page.contains("poll 1.0.0: no fix yet: replace or uninstall"),
        "{page}"
    );

    let disputed = Record {
        ranges: Some(vec![Span {
            introduced: Some("7.0.0".to_owned()),
            fixed: None,
            last_affected: None,
        }]),
        ..about("webform", "SA-CONTRIB-2026-103", Some("<2"))
    };
    house.hears_of(disputed).await;
    let page = house.reads("/advisories/SA-CONTRIB-2026-103").await;
    assert!(
        page.contains("two readings of it disagree on 1.0.0 (1 site)"),
        "{page}"
    );

    house
        .hears_of(about("token", "SA-CONTRIB-2026-104", None))
        .await;
    let page = house.reads("/advisories/SA-CONTRIB-2026-104").await;
    assert!(page.contains("no site is known to be affected"), "{page}");
    assert!(page.contains("It states no affected versions"), "{page}");
    assert!(
        page.contains("Cannot tell it can't be compared with what these run"),
        "{page}"
    );

    let page = house.reads(&format!("/sites/{}", site.id)).await;
    assert!(page.contains(&format!("{ID} ; no fix yet")), "{page}");
    assert!(
        page.contains("SA-CONTRIB-2026-104 ; can't be compared"),
        "{page}"
    );
    house
        .hears_of(about("nobody_runs_it", "SA-CONTRIB-2026-105", Some("*")))
        .await;
    let page = house.reads("/advisories/SA-CONTRIB-2026-105").await;
    assert!(
        page.contains("No site in your fleet runs nobody_runs_it"),
        "{page}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_counts_its_own_sites_and_sees_what_they_run() {
    let house = with_a_fix().await;
    let (harbour, tower) = (
        house.organization("Harbour").await,
        house.organization("Tower").await,
    );
    for (organization, name) in [(harbour, "Quay"), (harbour, "Pier")] {
        let site = house.site_of(organization, name).await;
        site.syncs(&[("poll", "1.0.0")]).await;
    }
    house
        .site_of(tower, "Bell")
        .await
        .syncs(&[("token", "1.0.0")])
        .await;
    house.hears_of(advisory(&house)).await;
    let of = |organization_id| Actor::OrganizationKey {
        key_id: 1,
        organization_id,
        scopes: Permissions::of(&[Permission::ModulesRead, Permission::SitesRead]),
        name: "a key".to_owned(),
    };
    let number =
        advisories::seen(&house.app, &of(harbour).sight(Permission::ModulesRead), ID).unwrap();
    let reach = advisories::reach(&house.app, &of(harbour), number)
        .await
        .unwrap();
    assert_eq!((reach.tally.open, reach.running()), (2, 2));
    let newest = advisories::newest(&house.app, &of(harbour), 5)
        .await
        .unwrap();
    assert_eq!(newest.len(), 1);

    let unseen = advisories::reach(&house.app, &of(tower), number).await;
    assert!(matches!(unseen, Err(Error::NotFound)));
    assert!(
        advisories::newest(&house.app, &of(tower), 5)
            .await
            .unwrap()
            .is_empty()
    );
    let no_permission = Actor::SiteKey {
        key_id: 1,
        site_id: 1,
        organization_id: harbour,
        name: "a key".to_owned(),
    };
    let refused = advisories::reach(&house.app, &no_permission, number).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_led_to_sign_in_and_what_is_nowhere_is_not_found() {
    let house = with_a_fix().await;
    house.hears_of(advisory(&house)).await;
    for path in ["//advisories".to_owned(), format!("//advisories/{ID}")] {
        let answer = house.anonymous().get(&path).await;
        assert_eq!(answer.status, 303);
        assert!(answer.header("location").starts_with("/sign-in?next="));
    }
    for path in ["/advisories/SA-CONTRIB-2026-999", "/advisories/1"] {
        assert_eq!(house.visits(path).await.status, 404, "{path}");
    }
    let wrong = house.visits("/advisories?filter%5Bnothing%5D=1").await;
    assert_eq!(wrong.status, 422, "{}", wrong.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overview_without_risks_does_not_repeat_that() {
    let house = TestApp::start().await;
    house.publishes(module("poll").with(Release::security("1.0.1", days_ago(1))));
    let harbour = house.organization("Harbour").await;
    for name in ["Quay", "Pier"] {
        house
            .site_of(harbour, name)
            .await
            .syncs(&[("poll", "1.0.0")])
            .await;
    }
    house.run_jobs().await;
    let page = house.reads("/").await;
    assert!(page.contains("2 sites exposed"), "{page}");
    assert_eq!(page.matches("Risk not known").count(), 1, "{page}");
}

/// Seconds from upstream until the site's own page names each of `count` advisories, looked at every five seconds.
async fn seconds_to_the_page(from: &str, count: i64) -> Vec<i64> {
    let house = with_a_fix().await;
    let agency = house.organization("An agency").await;
    let site = house.site_of(agency, "Quay").await;
    site.syncs(&[("poll", "1.0.0")]).await;
    house.clock.set(from.parse().unwrap());
    house.run_jobs().await;
    let mut seconds = Vec::new();
    for n in 0..count {
        let id = format!("SA-CONTRIB-2026-{}", 900 + n);
        let published = house.clock.now();
        let advisory = Advisory::new(7000 + n, &id, "poll", published.as_second());
        house.drupal_org.put_advisory(advisory);
        let cookie = cookie(&house, EMAIL).await;
        let pages = [
            format!("/sites/{}/exposures", site.id),
            format!("/advisories/{id}"),
        ];
        loop {
            house.clock.advance(SignedDuration::from_secs(5));
            house.run_jobs().await;
            let of_site = house.visits_with(&cookie, &pages[0]).await;
            let of_advisory = house.visits_with(&cookie, &pages[1]).await;
            let told = of_advisory.text.contains("1 site exposed");
            if told && plain(&of_site.text).contains(&id) {
                break;
            }
        }
        seconds.push(house.clock.now().duration_since(published).as_secs());
        house.clock.advance(SignedDuration::from_secs(397));
        house.run_jobs().await;
    }
    seconds
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_is_on_the_page_within_five_minutes_in_the_window_and_an_hour_always() {
    let inside = seconds_to_the_page("2026-11-25T15:00:00Z", 8).await;
    assert!(inside.iter().all(|delay| *delay <= 5 * 60), "{inside:?}");
    let outside = seconds_to_the_page("2026-11-24T10:00:00Z", 5).await;
    assert!(outside.iter().all(|delay| *delay <= 3600), "{outside:?}");
    println!("seconds from upstream to the page: in the window {inside:?}, outside {outside:?}");
}
