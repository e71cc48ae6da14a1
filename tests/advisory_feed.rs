//! Following drupal.org's advisories: when it is asked, what becomes of each answer, and how it goes on
//! after whatever went wrong.

mod faults;

use std::path::Path;
use std::sync::Arc;

use dewline::app::App;
use dewline::clock::{Clock, SeededEntropy};
use dewline::demo::advisory::{Advisory, project_nid};
use dewline::demo::drupal_org::{Behaviour, Paging};
use dewline::domain::access::Actor;
use dewline::domain::advisory::Record;
use dewline::jobs::{Worked, refresh_advisories};
use dewline::services::advisory_feed::{State, state};
use dewline::services::import_catalogue::{self, Report};
use dewline::services::sign_in::{self, Attempt};
use dewline::store::advisories;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::support::{EMAIL, PASSWORD, TestApp};

const TUESDAY: &str = "2026-11-24T10:00:00Z";
const WEDNESDAY: &str = "2026-11-25T14:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn seconds(text: &str) -> i64 {
    at(text).as_second()
}

/// So many advisories of so many projects, one a minute before the harness' beginning.
fn many(house: &TestApp, count: i64, projects: i64) {
    let start = house.clock.now().as_second() - 90 * 86_400;
    for n in 0..count {
        let id = format!("SA-CONTRIB-2026-{n:03}");
        let project = format!("p{}", n % projects);
        house
            .drupal_org
            .put_advisory(Advisory::new(1000 + n, &id, &project, start - n * 3600));
    }
}

fn advisory(nid: i64, id: &str, project: &str, house: &TestApp) -> Advisory {
    Advisory::new(nid, id, project, house.clock.now().as_second())
}

fn held(app: &App, id: &str) -> Option<Record> {
    app.store
        .read(|db| advisories::held(db, id))
        .unwrap()
        .map(|held| held.record)
}

async fn feed(app: &App) -> State {
    state(app, &Actor::System).await.unwrap()
}

/// Paths of what was asked since the last time, without what every page has in common.
fn asked(house: &TestApp) -> Vec<String> {
    let requests = house.drupal_org.take_advisory_requests();
    requests.iter().map(|asked| short(&asked.path)).collect()
}

fn short(path: &str) -> String {
    let path = path.strip_prefix("/api-d7/").unwrap();
    match path.strip_prefix("node.json?type=sa&sort=changed&direction=DESC&field_is_psa=") {
        Some(rest) => {
            let (psa, page) = rest.split_once("&limit=50&page=").unwrap();
            let kind = if psa == "1" { "psa" } else { "sa" };
            format!("{kind} {page}")
        }
        None => path.to_owned(),
    }
}

async fn steps(app: &Arc<App>, count: usize) -> Worked {
    let mut worked = Worked::Idle;
    for _ in 0..count {
        worked = refresh_advisories::step(app).await.unwrap();
    }
    worked
}

/// Only this job, until nothing of it is due.
async fn to_rest(app: &Arc<App>) {
    while refresh_advisories::step(app).await.unwrap() == Worked::More {}
}

/// Lets time pass, a second at a time as the loop does, and gives when which page was asked for.
async fn passes(house: &TestApp, time: SignedDuration) -> Vec<(Timestamp, String)> {
    house.drupal_org.take_advisory_requests();
    for _ in 0..time.as_secs() {
        house.clock.advance(SignedDuration::from_secs(1));
        to_rest(&house.app).await;
    }
    let requests = house.drupal_org.take_advisory_requests();
    requests
        .iter()
        .map(|asked| (asked.at, short(&asked.path)))
        .collect()
}

#[tokio::test]
async fn the_listing_is_read_whole_newest_first_and_then_only_looked_at() {
    let house = TestApp::start().await;
    many(&house, 120, 3);
    house.drupal_org.put_advisory(Advisory::announcement(
        9001,
        "PSA-2026-01-02",
        1_767_312_000,
    ));
    to_rest(&house.app).await;
    assert_eq!(
        asked(&house),
        [
            "sa 0",
            // The listing tells projects by their numbers: each is asked for once.
            "node/1000.json",
            "node/1001.json",
            "node/1002.json",
            // The rest of the first page waits for nothing: it is known by then.
            "sa 1",
            "sa 2",
            "psa 0",
            "node/9001.json",
        ]
    );
    let state = feed(&house.app).await;
    assert_eq!((state.held, state.filled, state.waiting), (120, true, 0));
    assert_eq!((state.errors, state.troubles), (vec![], vec![]));
    let first = held(&house.app, "SA-CONTRIB-2026-000").unwrap();
    assert_eq!((first.project.as_str(), first.score), ("p0", Some(14)));
    assert_eq!(first.affected_versions.as_deref(), Some("<1.0.1"));
    assert!(held(&house.app, "PSA-2026-01-02").unwrap().psa);

    house.clock.advance(SignedDuration::from_mins(15));
    to_rest(&house.app).await;
    let requests = house.drupal_org.take_advisory_requests();
    let said: Vec<_> = requests
        .iter()
        .map(|r| (short(&r.path), r.answered))
        .collect();
    assert_eq!(said, [("sa 0".to_owned(), 304), ("psa 0".to_owned(), 304)]);
}

#[tokio::test]
async fn a_request_says_who_asks_and_nothing_else() {
    let house = TestApp::start().await;
    to_rest(&house.app).await;
    let requests = house.drupal_org.take_advisory_requests();
    let mut names: Vec<_> = requests[0]
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "accept-encoding", "host", "user-agent"]);
    assert_eq!(requests[0].header("accept"), Some("application/json"));
    assert!(
        requests[0]
            .header("user-agent")
            .unwrap()
            .starts_with("Dewline/")
    );
}

#[tokio::test]
async fn a_filling_that_was_interrupted_goes_on_where_it_stood() {
    let house = TestApp::start().await;
    many(&house, 200, 1);
    while asked(&house) != ["sa 1"] {
        assert_eq!(steps(&house.app, 1).await, Worked::More);
    }
    let before = feed(&house.app).await;
    assert!(!before.filled);
    let oldest = house.clock.now().as_second() - 90 * 86_400 - 99 * 3600;
    assert_eq!(before.since.unwrap().as_second(), oldest);

    house.app.store.close();
    let config = house.app.config.clone();
    let again = App::open(config, house.clock.clone(), Arc::new(SeededEntropy::new(8))).unwrap();
    to_rest(&again).await;
    assert_eq!(asked(&house), ["sa 2", "sa 3", "psa 0"]);
    let after = feed(&again).await;
    assert_eq!((after.held, after.filled), (200, true));
}

#[tokio::test]
async fn what_is_new_comes_in_while_the_rest_is_still_being_read() {
    let house = TestApp::start().await;
    many(&house, 200, 1);
    while asked(&house) != ["sa 1"] {
        steps(&house.app, 1).await;
    }
    house
        .drupal_org
        .put_advisory(advisory(5000, "SA-CONTRIB-2026-900", "p0", &house));
    house.clock.advance(SignedDuration::from_mins(15));
    asked(&house);
    steps(&house.app, 1).await;
    assert_eq!(asked(&house), ["sa 0"]);
    assert!(held(&house.app, "SA-CONTRIB-2026-900").is_some());
    to_rest(&house.app).await;
    assert_eq!(feed(&house.app).await.held, 201);
}

#[tokio::test]
async fn on_a_tuesday_it_is_asked_every_15_minutes_and_in_the_window_every_2() {
    let house = TestApp::start().await;
    house.clock.set(at(TUESDAY));
    to_rest(&house.app).await;
    let minutes = |requests: &[(Timestamp, String)], since: &str| -> Vec<i64> {
        let looks = requests.iter().filter(|(_, path)| path == "sa 0");
        looks
            .map(|(asked, _)| asked.duration_since(at(since)).as_mins())
            .collect()
    };
    let tuesday = passes(&house, SignedDuration::from_hours(1)).await;
    assert_eq!(minutes(&tuesday, TUESDAY), [15, 30, 45, 60]);

    // Wednesday: 14:00 to 15:00 as ever, then every two minutes until 19:00, then as ever.
    house.clock.set(at(WEDNESDAY));
    to_rest(&house.app).await;
    let before = passes(&house, SignedDuration::from_hours(1)).await;
    assert_eq!(minutes(&before, WEDNESDAY), [15, 30, 45, 60]);
    let inside = passes(&house, SignedDuration::from_mins(20)).await;
    let looks = minutes(&inside, WEDNESDAY);
    assert!((9..=11).contains(&looks.len()), "{looks:?}");
    assert!(looks.first().is_some_and(|first| *first <= 62));
    assert!(
        looks.windows(2).all(|two| two[1] - two[0] == 2),
        "{looks:?}"
    );
    house.clock.set(at("2026-11-25T18:59:30Z"));
    to_rest(&house.app).await;
    let after = passes(&house, SignedDuration::from_mins(40)).await;
    let looks = minutes(&after, "2026-11-25T19:00:00Z");
    assert_eq!(looks, [1, 16, 31]);
}

/// The time from upstream to here, of advisories of projects never heard of, published at odd moments.
async fn delays(house: &TestApp, from: &str, every: SignedDuration, count: i64) -> Vec<i64> {
    house.clock.set(at(from));
    to_rest(&house.app).await;
    let mut delays = Vec::new();
    for n in 0..count {
        let id = format!("SA-CONTRIB-2026-{}", 500 + n);
        let project = format!("new{n}");
        let published = house.clock.now();
        house
            .drupal_org
            .put_advisory(advisory(7000 + n, &id, &project, house));
        while held(&house.app, &id).is_none() {
            house.clock.advance(SignedDuration::from_secs(1));
            to_rest(&house.app).await;
        }
        delays.push(house.clock.now().duration_since(published).as_secs());
        house.clock.advance(every);
        to_rest(&house.app).await;
    }
    delays
}

#[tokio::test]
async fn an_advisory_is_here_within_five_minutes_in_the_window_and_within_the_hour_always() {
    let house = TestApp::start().await;
    let odd = SignedDuration::from_secs(397);
    let inside = delays(&house, "2026-11-25T15:00:00Z", odd, 20).await;
    assert!(inside.iter().all(|delay| *delay <= 2 * 60), "{inside:?}");

    let house = TestApp::start().await;
    let outside = delays(&house, TUESDAY, odd, 20).await;
    assert!(outside.iter().all(|delay| *delay <= 15 * 60), "{outside:?}");
    println!("seconds from upstream to here: in the window {inside:?}, outside {outside:?}");
}

#[tokio::test]
async fn a_failure_in_the_window_costs_no_more_than_five_minutes() {
    let house = TestApp::start().await;
    house.clock.set(at("2026-11-25T15:30:00Z"));
    to_rest(&house.app).await;
    house
        .drupal_org
        .set_listing_behaviour(Behaviour::Status(503, None));
    passes(&house, SignedDuration::from_mins(30)).await;
    house.drupal_org.set_listing_behaviour(Behaviour::Normal);
    let published = house.clock.now();
    house
        .drupal_org
        .put_advisory(advisory(42, "SA-CONTRIB-2026-042", "rope", &house));
    while held(&house.app, "SA-CONTRIB-2026-042").is_none() {
        house.clock.advance(SignedDuration::from_secs(1));
        to_rest(&house.app).await;
    }
    let delay = house.clock.now().duration_since(published);
    assert!(delay <= SignedDuration::from_mins(5), "{delay}");
}

#[tokio::test]
async fn a_new_advisory_makes_its_module_due_at_once() {
    let house = TestApp::start().await;
    house.publishes(crate::support::module("rope"));
    let organization = house.organization("An agency").await;
    let site = house.site_of(organization, "Town hall").await;
    site.syncs(&[("rope", "1.0.0")]).await;
    house.run_jobs().await;
    house.clock.advance(SignedDuration::from_mins(16));
    house.run_jobs().await;
    house.drupal_org.take_requests();
    house
        .drupal_org
        .put_advisory(advisory(42, "SA-CONTRIB-2026-042", "rope", &house));
    house.clock.advance(SignedDuration::from_mins(15));
    house.run_jobs().await;
    let asked: Vec<String> = house
        .drupal_org
        .take_requests()
        .into_iter()
        .map(|a| a.project)
        .collect();
    assert!(asked.contains(&"rope".to_owned()), "{asked:?}");
}

#[tokio::test]
async fn a_corrected_advisory_is_taken_as_it_is_now() {
    let house = TestApp::start().await;
    house.clock.set(at(TUESDAY));
    house
        .drupal_org
        .put_advisory(advisory(42, "SA-CONTRIB-2026-042", "rope", &house));
    to_rest(&house.app).await;
    house.clock.advance(SignedDuration::from_hours(3));
    house.drupal_org.change_advisory(42, |advisory| {
        advisory.vector = Some("AC:None/A:None/CI:All/II:All/E:Exploit/TD:All".to_owned());
        advisory.affected_versions = Some("<1.0.1 || >=2.0.0 <2.0.3".to_owned());
        advisory.cves = vec!["CVE-2026-4242".to_owned()];
    });
    to_rest(&house.app).await;
    let corrected = held(&house.app, "SA-CONTRIB-2026-042").unwrap();
    assert_eq!(corrected.score, Some(25));
    assert_eq!(corrected.cves, ["CVE-2026-4242"]);
    assert_eq!(
        corrected.affected_versions.as_deref(),
        Some("<1.0.1 || >=2.0.0 <2.0.3")
    );
    assert_eq!(corrected.published, seconds(TUESDAY));
}

#[tokio::test]
async fn what_vanishes_is_asked_for_alone_before_it_counts_as_taken_back() {
    let house = TestApp::start().await;
    house.clock.set(at(TUESDAY));
    many(&house, 60, 1);
    to_rest(&house.app).await;
    // One is gone, one is hidden, one only fails to be listed, one can't be told.
    house.drupal_org.remove_advisory(1003);
    house
        .drupal_org
        .change_advisory(1004, |advisory| advisory.published = false);
    house
        .drupal_org
        .set_node_behaviour(1004, Behaviour::Status(403, None));
    house.drupal_org.remove_advisory(1005);
    house
        .drupal_org
        .set_node_behaviour(1005, Behaviour::Status(500, None));
    house.clock.advance(SignedDuration::from_mins(20));
    asked(&house);
    to_rest(&house.app).await;
    assert!(!held(&house.app, "SA-CONTRIB-2026-003").unwrap().withdrawn);
    house.clock.advance(SignedDuration::from_hours(24));
    to_rest(&house.app).await;
    // The one that failed holds the others up for a minute.
    house.clock.advance(SignedDuration::from_mins(1));
    to_rest(&house.app).await;
    let withdrawn = |id: &str| held(&house.app, id).unwrap().withdrawn;
    assert!(withdrawn("SA-CONTRIB-2026-003"));
    assert!(withdrawn("SA-CONTRIB-2026-004"));
    assert!(!withdrawn("SA-CONTRIB-2026-005"));
    assert!(!withdrawn("SA-CONTRIB-2026-006"));
    let state = feed(&house.app).await;
    assert_eq!(state.held, 58);
    assert_eq!(state.troubles, [(1005, "answered 500".to_owned())]);

    // What comes back stands again.
    house
        .drupal_org
        .change_advisory(1004, |advisory| advisory.published = true);
    house.clock.advance(SignedDuration::from_mins(20));
    to_rest(&house.app).await;
    assert!(!withdrawn("SA-CONTRIB-2026-004"));
}

#[tokio::test]
async fn a_listing_that_loses_half_of_all_is_not_believed() {
    let house = TestApp::start().await;
    many(&house, 100, 1);
    to_rest(&house.app).await;
    for nid in 1050..1100 {
        house.drupal_org.remove_advisory(nid);
    }
    house.clock.advance(SignedDuration::from_hours(25));
    asked(&house);
    to_rest(&house.app).await;
    assert!(asked(&house).iter().all(|path| !path.starts_with("node/")));
    let state = feed(&house.app).await;
    assert_eq!(state.held, 100);
    assert_eq!(
        state.errors,
        ["the listing lacks 50 of 100 advisories at once: that is not believed"]
    );
}

#[tokio::test]
async fn a_project_whose_name_no_advisory_tells_is_asked_for_by_its_own_node() {
    let house = TestApp::start().await;
    house.drupal_org.hide_names();
    many(&house, 2, 1);
    to_rest(&house.app).await;
    let project = format!("node/{}.json", project_nid("p0"));
    assert_eq!(
        asked(&house),
        ["sa 0", "node/1000.json", project.as_str(), "psa 0"]
    );
    assert_eq!(
        held(&house.app, "SA-CONTRIB-2026-001").unwrap().project,
        "p0"
    );
}

fn node(nid: i64, fields: Value) -> Value {
    let advisory = Advisory::new(
        nid,
        &format!("SA-CONTRIB-2026-{nid}"),
        "drupal",
        1_780_000_000 + nid,
    );
    let mut node = advisory.single();
    for (name, value) in fields.as_object().unwrap() {
        node[name] = value.clone();
    }
    node
}

#[tokio::test]
async fn bad_nodes_cost_only_themselves() {
    let house = TestApp::start().await;
    let future = (house.clock.now().as_second() + 400 * 86_400).to_string();
    for node in [
        node(1, json!({"field_affected_versions": null})),
        node(2, json!({"field_sa_criticality": "AC:Hard/A:None"})),
        node(
            3,
            json!({"title": "<b>Rope</b><script>alert(1)</script> &amp; ladder"}),
        ),
        node(4, json!({"created": future, "changed": future})),
        node(5, json!({"created": "soon"})),
        node(6, json!({"field_project": 7})),
        node(7, json!({"type": "page"})),
        node(
            8,
            json!({"field_sa_advisory_id": [], "sa_id": null, "url": "", "title": "nothing"}),
        ),
        json!("not a node"),
    ] {
        house.drupal_org.put_node(node);
    }
    house.drupal_org.put_advisory(Advisory::new(
        10,
        "SA-CORE-2026-010",
        "drupal",
        1_780_000_010,
    ));
    to_rest(&house.app).await;
    let take = |id: &str| held(&house.app, id).unwrap();
    assert_eq!(take("SA-CONTRIB-2026-1").affected_versions, None);
    let broken = take("SA-CONTRIB-2026-2");
    assert_eq!((broken.vector, broken.score), (None, None));
    assert_eq!(take("SA-CONTRIB-2026-3").title, "Rope & ladder");
    assert_eq!(take("SA-CONTRIB-2026-4").published.to_string(), future);
    assert!(!take("SA-CORE-2026-010").withdrawn);
    let mut troubles = feed(&house.app).await.troubles;
    troubles.sort();
    let words = |nid, why: &str| (nid, why.to_owned());
    assert_eq!(
        troubles,
        [
            words(0, "not a node"),
            words(5, "created is not what it should be"),
            words(6, "field_project is not what it should be"),
            words(7, "a node of the type page, not an advisory"),
            words(8, "it has no id such as SA-CONTRIB-2026-001"),
        ]
    );

    // A date to come hides nothing that comes now.
    house.clock.advance(SignedDuration::from_hours(1));
    house
        .drupal_org
        .put_advisory(advisory(42, "SA-CORE-2026-042", "drupal", &house));
    to_rest(&house.app).await;
    assert!(held(&house.app, "SA-CORE-2026-042").is_some());
}

#[tokio::test]
async fn an_id_that_two_nodes_claim_is_that_of_the_newer_one() {
    let house = TestApp::start().await;
    let older = Advisory::new(1, "SA-CORE-2026-001", "drupal", 1_780_000_000);
    let mut newer = Advisory::new(2, "SA-CORE-2026-001", "drupal", 1_780_000_100);
    newer.title = "The newer one".to_owned();
    house.drupal_org.put_advisory(older);
    house.drupal_org.put_advisory(newer);
    for _ in 0..3 {
        to_rest(&house.app).await;
        assert_eq!(
            held(&house.app, "SA-CORE-2026-001").unwrap().title,
            "The newer one"
        );
        house.clock.advance(SignedDuration::from_hours(25));
    }
    let revisions: i64 = house
        .app
        .store
        .read(|db| {
            let sql = "SELECT count(*) FROM advisory_revisions";
            db.query_row(sql, [], |row| row.get(0))
                .map_err(dewline::store::StoreError::from)
        })
        .unwrap();
    assert!(revisions <= 2, "{revisions} forms of it were kept");
}

#[tokio::test]
async fn a_listing_that_pages_for_ever_is_left_alone_in_the_end() {
    let house = TestApp::start().await;
    many(&house, 60, 1);
    house.drupal_org.set_paging(Paging::Repeating);
    to_rest(&house.app).await;
    let requests = asked(&house);
    assert!(requests.len() < 10, "{requests:?}");
    let state = feed(&house.app).await;
    assert_eq!(state.errors, ["the listing repeats itself"]);
    assert!(!state.filled);
    assert_eq!(state.held, 50);

    // The next day it is as it should be.
    house.drupal_org.set_paging(Paging::Proper);
    house.clock.advance(SignedDuration::from_hours(25));
    to_rest(&house.app).await;
    let state = feed(&house.app).await;
    assert_eq!((state.errors, state.filled, state.held), (vec![], true, 60));
}

#[tokio::test]
async fn a_listing_of_ever_new_pages_is_bounded() {
    let house = TestApp::start().await;
    house.drupal_org.set_page_size(1);
    house.drupal_org.set_paging(Paging::ForEver);
    to_rest(&house.app).await;
    let pages = asked(&house)
        .iter()
        .filter(|path| path.starts_with("sa "))
        .count();
    assert_eq!(pages, 400);
    let state = feed(&house.app).await;
    assert_eq!(state.errors[0], "the listing did not end after 400 pages");
    assert!(!state.filled);
}

#[tokio::test]
async fn every_misbehaviour_has_words_of_its_own_and_ends() {
    let house = TestApp::with(|config| config.drupal_org.requests_per_second = 1_000_000).await;
    many(&house, 60, 1);
    to_rest(&house.app).await;
    const MIB: usize = 1024 * 1024;
    for (behaviour, reason) in [
        (Behaviour::Partial, "the answer broke off"),
        (Behaviour::WebPage, "a web page instead of advisories"),
        (Behaviour::Complaint, "a web page instead of advisories"),
        (Behaviour::BrokenXml, "a document that is cut short"),
        (Behaviour::Empty, "an empty answer"),
        (Behaviour::Huge(10 * MIB), "larger than 4 MiB"),
        (Behaviour::GzipBomb(100 * MIB), "larger than 8 MiB"),
        (Behaviour::BrokenGzip, "could not be unpacked"),
        (Behaviour::Status(500, None), "answered 500"),
        (Behaviour::Status(304, None), "answered 304"),
        (Behaviour::Status(404, None), "answered 404"),
        (
            Behaviour::Redirect("http://localhost:9/".to_owned()),
            "answered 302",
        ),
    ] {
        house.drupal_org.set_listing_behaviour(behaviour.clone());
        house.clock.advance(SignedDuration::from_hours(1));
        to_rest(&house.app).await;
        // The first failure after validators were sent makes the next question one without.
        house.clock.advance(SignedDuration::from_hours(1));
        to_rest(&house.app).await;
        let errors = feed(&house.app).await.errors;
        assert!(
            errors.iter().any(|error| error.ends_with(reason)),
            "{behaviour:?}: {errors:?}"
        );
        assert_eq!(feed(&house.app).await.held, 60);
    }
    // Only late is not broken.
    house.drupal_org.set_listing_behaviour(Behaviour::Held);
    house.clock.advance(SignedDuration::from_hours(1));
    let late = async {
        house.drupal_org.until_held(1).await;
        house.drupal_org.set_listing_behaviour(Behaviour::Normal);
        house.drupal_org.let_go(1);
    };
    tokio::join!(to_rest(&house.app), late);
    assert_eq!(feed(&house.app).await.errors, Vec::<String>::new());
}

#[tokio::test]
async fn being_told_to_wait_stops_everything_until_then() {
    let house = TestApp::start().await;
    to_rest(&house.app).await;
    house
        .drupal_org
        .set_listing_behaviour(Behaviour::TooMany(Some("3600".to_owned())));
    house.clock.advance(SignedDuration::from_mins(20));
    to_rest(&house.app).await;
    house.drupal_org.set_listing_behaviour(Behaviour::Normal);
    asked(&house);
    let requests = passes(&house, SignedDuration::from_mins(59)).await;
    assert_eq!(requests, []);
    house.clock.advance(SignedDuration::from_mins(1));
    to_rest(&house.app).await;
    assert_eq!(feed(&house.app).await.errors, Vec::<String>::new());
}

#[tokio::test]
async fn nodes_that_cannot_be_had_are_not_hammered() {
    let house = TestApp::start().await;
    many(&house, 40, 40);
    for nid in 1000..1040 {
        house
            .drupal_org
            .set_node_behaviour(nid, Behaviour::Status(503, None));
    }
    to_rest(&house.app).await;
    let requests = passes(&house, SignedDuration::from_mins(10)).await;
    let nodes = requests
        .iter()
        .filter(|(_, path)| path.starts_with("node/"))
        .count();
    assert!(
        (5..=11).contains(&nodes),
        "{nodes} questions in ten minutes"
    );
    assert!(feed(&house.app).await.waiting > 0);
    for nid in 1000..1040 {
        house.drupal_org.set_node_behaviour(nid, Behaviour::Normal);
    }
    house.clock.advance(SignedDuration::from_hours(1));
    to_rest(&house.app).await;
    assert_eq!(feed(&house.app).await.held, 40);
}

/// A page as the administrator sees it.
async fn page(house: &TestApp, path: &str) -> String {
    let attempt = Attempt {
        email: EMAIL.to_owned(),
        password: PASSWORD.into(),
        address: "192.0.2.1".parse().unwrap(),
        device: "a browser".to_owned(),
        browser: None,
    };
    let entered = sign_in::page(&house.app, &attempt).await.unwrap();
    let session = entered.session().unwrap();
    let cookie = format!("dewline_session={}", session.cookie.expose_secret());
    let browser = house.anonymous().with("cookie", &cookie);
    let answer = browser.get(&format!("//{path}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.text
}

#[tokio::test]
async fn a_listing_that_fails_for_a_day_turns_nothing_green() {
    let mut house = TestApp::start().await;
    house.publishes(crate::support::module("rope"));
    let organization = house.organization("An agency").await;
    let (id, key) = {
        let site = house.site_of(organization, "Town hall").await;
        site.syncs(&[("rope", "1.0.0")]).await;
        (site.id, site.key)
    };
    house.run_jobs().await;
    let status = async |house: &TestApp| {
        let site = house.admin().get(&format!("/sites/{id}")).await.ok();
        site["data"]["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status(&house).await, "current");
    assert!(
        !page(&house, "feed")
            .await
            .contains("too old to call anything fine")
    );

    // Release histories come as ever; only the advisories are missing.
    house
        .drupal_org
        .set_listing_behaviour(Behaviour::Status(503, None));
    for hour in 1..=26 {
        house.waits(SignedDuration::from_hours(1)).await;
        let inventory = crate::support::Site::inventory(&[("rope", "1.0.0")]);
        let path = format!("/sites/{id}/modules/sync");
        house.bearer(&key).post(&path, &inventory).await.ok();
        house.run_jobs().await;
        let expected = if hour < 24 { "current" } else { "unknown" };
        assert_eq!(status(&house).await, expected, "after {hour} hours");
    }
    let shown = page(&house, "feed").await;
    assert!(shown.contains("too old to call anything fine"));
    assert!(shown.contains("Answered 503"));
    assert!(
        shown.contains("26 h ago") || shown.contains("1 d ago"),
        "{shown}"
    );

    house.drupal_org.set_listing_behaviour(Behaviour::Normal);
    house.waits(SignedDuration::from_hours(1)).await;
    house.run_jobs().await;
    house.waits(SignedDuration::from_mins(10)).await;
    house.run_jobs().await;
    assert_eq!(status(&house).await, "current");
    assert!(
        !page(&house, "feed")
            .await
            .contains("too old to call anything fine")
    );
}

#[tokio::test]
async fn the_page_says_how_far_the_listing_was_read() {
    let house = TestApp::start().await;
    many(&house, 200, 1);
    while asked(&house) != ["sa 1"] {
        steps(&house.app, 1).await;
    }
    let shown = page(&house, "feed").await;
    assert!(shown.contains("advisories changed since"), "{shown}");
    assert!(shown.contains("100 advisories"));
    to_rest(&house.app).await;
    let shown = page(&house, "feed").await;
    assert!(shown.contains("all of them"));
    assert!(shown.contains("200 advisories"));
}

/// What `dewline import catalogue` does.
async fn imports(house: &TestApp, folder: &Path) -> Report {
    let mut handfuls = Vec::new();
    let mut report = import_catalogue::read(folder, &mut |handful| {
        handfuls.push(handful);
        Ok(())
    })
    .unwrap();
    for handful in handfuls {
        // They go through the socket of a running appliance.
        let handed = serde_json::to_vec(&handful).unwrap();
        let handful = serde_json::from_slice(&handed).unwrap();
        let took = import_catalogue::take(&house.app, &Actor::System, handful).await;
        report.add(took.unwrap());
    }
    report
}

#[tokio::test]
async fn advisories_are_carried_in_as_osv_documents_nodes_and_listings() {
    let house = TestApp::with(|config| config.drupal_org.enabled = false).await;
    let above = tempfile::tempdir().unwrap();
    let folder = above.path().join("advisories");
    std::fs::create_dir(&folder).unwrap();
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text).unwrap();
    let osv = json!({
        "schema_version": "1.7.0", "id": "DRUPAL-CONTRIB-2026-001",
        "published": "2026-03-04T17:00:00Z", "modified": "2026-03-04T17:00:00Z", "aliases": ["CVE-2026-1111"],
        "affected": [{
            "package": {"ecosystem": "Packagist:https://packages.drupal.org/8", "name": "drupal/rope"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.0.1"}]}],
            "database_specific": {"affected_versions": "<1.0.1"},
        }],
    });
    write("DRUPAL-CONTRIB-2026-001.json", osv.to_string());
    // The same one by drupal.org's own word, which tells the risk and no ranges.
    let created = seconds("2026-03-04T17:00:00Z");
    let rope = Advisory::new(11, "SA-CONTRIB-2026-001", "rope", created);
    write("a-node.json", rope.single().to_string());
    // A listing names projects by their numbers: the node above tells one of them.
    let listed = [
        Advisory::new(12, "SA-CONTRIB-2026-002", "rope", created).listed(),
        Advisory::new(13, "SA-CONTRIB-2026-003", "stranger", created).listed(),
        json!({"type": "sa", "nid": "14"}),
    ];
    write("0-listing.json", json!({"list": listed}).to_string());
    write("broken.json", "{\"id\": ".to_owned());
    write("page.json", "<!DOCTYPE html>".to_owned());
    write("huge.json", " ".repeat(10 << 20));
    let mut hidden = Advisory::new(15, "SA-CONTRIB-2026-005", "rope", created);
    hidden.published = false;
    write("hidden.json", hidden.single().to_string());

    let report = imports(&house, above.path()).await;
    assert_eq!(
        (report.advisories_taken, report.advisories_unchanged),
        (3, 0)
    );
    let mut left = report.left;
    left.sort();
    let stranger = format!(
        "advisories/0-listing.json, node 13: names its project by a number only ({})",
        project_nid("stranger")
    );
    assert_eq!(
        left,
        [
            stranger.as_str(),
            "advisories/0-listing.json, node 14: it has no date",
            "advisories/broken.json: a document that is cut short",
            "advisories/hidden.json: not published",
            "advisories/huge.json: too large",
            "advisories/page.json: a web page instead of advisories",
        ]
    );
    let joined = held(&house.app, "SA-CONTRIB-2026-001").unwrap();
    assert_eq!(joined.score, Some(14));
    assert_eq!(joined.cves, ["CVE-2026-1111"]);
    assert_eq!(joined.ranges.unwrap()[0].fixed.as_deref(), Some("1.0.1"));
    assert_eq!(
        held(&house.app, "SA-CONTRIB-2026-002").unwrap().project,
        "rope"
    );
    let again = imports(&house, above.path()).await;
    assert_eq!((again.advisories_taken, again.advisories_unchanged), (0, 3));

    let shown = page(&house, "feed").await;
    assert!(
        shown.contains("2 advisories") && shown.contains("They come by"),
        "{shown}"
    );
}
