//! What is wrong with a listing of advisories, and costs no more than that: an empty one, an old copy, a huge
//! node, one that can't be recorded, one that is hidden.

use dewline::clock::Clock;
use dewline::demo::advisory::Advisory;
use dewline::demo::drupal_org::{Behaviour, Paging};
use dewline::jobs::Worked;
use jiff::SignedDuration;
use serde_json::json;

use super::{advisory, asked, feed, held, many, node, page, passes, steps, to_rest};
use crate::support::TestApp;

/// A house that asks as fast as it is answered.
async fn brisk() -> TestApp {
    TestApp::with(|config| config.drupal_org.requests_per_second = 1_000_000).await
}

#[tokio::test]
async fn a_page_that_is_of_no_use_does_not_keep_what_is_older_away() {
    let house = brisk().await;
    many(&house, 200, 1);
    house.drupal_org.set_page_behaviour(2, Behaviour::WebPage);
    for _ in 0..10 {
        to_rest(&house.app).await;
        house.clock.advance(SignedDuration::from_mins(31));
    }
    let state = feed(&house.app).await;
    assert_eq!((state.held, state.filled), (150, false));
    assert_eq!(state.errors, ["page 2: a web page instead of advisories"]);
    // Not the last page, though that was read: what lies between is not known.
    assert!(state.incomplete);
    let before_the_gap = held(&house.app, "SA-CONTRIB-2026-099").unwrap();
    assert_eq!(state.since.unwrap().as_second(), before_the_gap.changed);
    for (path, words) in [
        ("", "Some advisories are not read yet"),
        ("advisories", "Some are not read yet."),
        ("feed", "Some are not read yet."),
    ] {
        let shown = page(&house, path).await;
        assert!(shown.contains(words), "{path}: {shown}");
    }

    house.drupal_org.set_page_behaviour(2, Behaviour::Normal);
    house.clock.advance(SignedDuration::from_hours(25));
    to_rest(&house.app).await;
    let state = feed(&house.app).await;
    assert_eq!(
        (state.held, state.filled, state.errors, state.incomplete),
        (200, true, vec![], false)
    );
    for path in ["", "advisories", "feed"] {
        assert!(!page(&house, path).await.contains("could not be read"));
    }
}

/// Letters that no compression makes small.
fn noise(bytes: usize) -> String {
    let mut state = 42_u64;
    let letter = |state: &mut u64| {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        char::from(b'0' + u8::try_from((*state >> 33) % 64).unwrap())
    };
    (0..bytes)
        .map(|_| letter(&mut state))
        .map(|c| if c == '\\' { 'x' } else { c })
        .collect()
}

/// Lists a huge advisory that is as old as the one of [`many`] with this number.
fn huge(house: &TestApp, nid: i64, like: i64, body: String) {
    let created = house.clock.now().as_second() - 90 * 86_400 - like * 3600 + 60;
    let mut node = Advisory::new(nid, &format!("SA-CONTRIB-2025-{like}"), "p0", created).single();
    node["body"] = json!({"value": body});
    house.drupal_org.put_node(node);
}

#[tokio::test]
async fn a_huge_node_costs_only_itself_on_the_first_page_too() {
    let house = brisk().await;
    many(&house, 150, 1);
    huge(&house, 900, 0, noise(9 << 20));
    huge(&house, 901, 117, " ".repeat(9 << 20));
    to_rest(&house.app).await;
    let state = feed(&house.app).await;
    assert_eq!((state.held, state.filled), (150, true));
    assert_eq!(state.errors, Vec::<String>::new());
    assert_eq!(state.troubles, [(0, "too large to be taken".to_owned())]);
    assert!(state.incomplete);

    // What is new comes in past it.
    house
        .drupal_org
        .put_advisory(advisory(5000, "SA-CONTRIB-2026-900", "p0", &house));
    house.clock.advance(SignedDuration::from_mins(15));
    to_rest(&house.app).await;
    assert!(held(&house.app, "SA-CONTRIB-2026-900").is_some());
    let state = feed(&house.app).await;
    assert_eq!(state.last_success, Some(house.clock.now()));
    assert_eq!(state.errors, Vec::<String>::new());
}

/// All that a listing of no use must not do: fill, count as an answer, or take anything back.
async fn is_no_answer(house: &TestApp, why: &str) {
    let before = feed(&house.app).await;
    house.clock.advance(SignedDuration::from_hours(25));
    to_rest(&house.app).await;
    let after = feed(&house.app).await;
    assert_eq!(after.last_success, before.last_success, "{why}");
    assert_eq!((after.held, after.filled), (before.held, before.filled));
    assert_eq!(after.errors, [why]);
}

#[tokio::test]
async fn a_listing_without_advisories_is_no_answer() {
    let house = brisk().await;
    house.drupal_org.set_paging(Paging::Empty);
    is_no_answer(&house, "a listing without advisories").await;
    let state = feed(&house.app).await;
    assert_eq!((state.filled, state.last_success), (false, None));

    house.drupal_org.set_paging(Paging::Proper);
    many(&house, 60, 1);
    house.clock.advance(SignedDuration::from_hours(1));
    to_rest(&house.app).await;
    let state = feed(&house.app).await;
    assert_eq!((state.held, state.filled, state.errors), (60, true, vec![]));
    assert_eq!(state.last_success, Some(house.clock.now()));

    house.drupal_org.set_paging(Paging::Empty);
    is_no_answer(&house, "a listing without advisories").await;
}

#[tokio::test]
async fn a_listing_of_which_nothing_can_be_read_is_no_answer() {
    let house = brisk().await;
    for nid in 1..60 {
        house
            .drupal_org
            .put_node(node(nid, json!({"type": "page"})));
    }
    is_no_answer(&house, "a listing without advisories").await;
    let state = feed(&house.app).await;
    assert_eq!((state.filled, state.last_success), (false, None));
}

#[tokio::test]
async fn an_old_copy_of_the_listing_is_no_answer() {
    let house = brisk().await;
    many(&house, 60, 1);
    to_rest(&house.app).await;
    let newest = held(&house.app, "SA-CONTRIB-2026-000").unwrap().changed;
    house.drupal_org.set_old_copy(Some(newest - 1));
    is_no_answer(&house, "older than what was read before").await;
    assert!(!held(&house.app, "SA-CONTRIB-2026-000").unwrap().withdrawn);

    house.drupal_org.set_old_copy(None);
    house.clock.advance(SignedDuration::from_hours(1));
    to_rest(&house.app).await;
    let state = feed(&house.app).await;
    assert_eq!(state.last_success, Some(house.clock.now()));
    assert_eq!((state.held, state.errors), (60, vec![]));

    // The newest one was taken back indeed: it is gone alone, too.
    house.drupal_org.remove_advisory(1000);
    house.clock.advance(SignedDuration::from_mins(15));
    to_rest(&house.app).await;
    assert!(held(&house.app, "SA-CONTRIB-2026-000").unwrap().withdrawn);
    house.clock.advance(SignedDuration::from_mins(1));
    to_rest(&house.app).await;
    let state = feed(&house.app).await;
    assert_eq!(state.last_success, Some(house.clock.now()));
    assert_eq!((state.held, state.errors), (59, vec![]));
}

#[tokio::test]
async fn what_is_listed_is_not_taken_back_because_it_cannot_be_seen_alone() {
    let house = brisk().await;
    many(&house, 3, 1);
    house.drupal_org.put_node(node(500, json!({})));
    to_rest(&house.app).await;
    let stands = |house: &TestApp| !held(&house.app, "SA-CONTRIB-2026-500").unwrap().withdrawn;
    assert!(stands(&house));

    // The listing has it without its id, and alone it is hidden.
    let changed = (house.clock.now().as_second() - 60).to_string();
    let without = json!({"changed": changed, "sa_id": null, "field_sa_advisory_id": [], "url": "", "title": "x"});
    house.drupal_org.take_node(500);
    house.drupal_org.put_node(node(500, without));
    house
        .drupal_org
        .set_node_behaviour(500, Behaviour::Status(403, None));
    for _ in 0..3 {
        asked(&house);
        house.clock.advance(SignedDuration::from_hours(25));
        to_rest(&house.app).await;
        assert!(asked(&house).contains(&"node/500.json".to_owned()));
        assert!(stands(&house));
    }
    let state = feed(&house.app).await;
    assert_eq!(
        state.troubles,
        [(500, "listed, and not to be seen alone".to_owned())]
    );

    // Only what the listing lacks too was taken back.
    house.drupal_org.take_node(500);
    house.clock.advance(SignedDuration::from_hours(25));
    to_rest(&house.app).await;
    house.clock.advance(SignedDuration::from_mins(1));
    to_rest(&house.app).await;
    assert!(!stands(&house));
    assert_eq!(feed(&house.app).await.troubles, []);
}

#[tokio::test]
async fn one_that_cannot_be_recorded_costs_only_itself_and_is_taken_within_the_hour() {
    let house = brisk().await;
    many(&house, 60, 1);
    let trigger =
        "CREATE TRIGGER refuses BEFORE INSERT ON advisories WHEN new.name = 'SA-CONTRIB-2026-007'
        BEGIN SELECT RAISE(ABORT, 'no'); END";
    let does = async |sql: &'static str| {
        let lane = dewline::store::Lane::Front;
        let done = house.app.store.write(lane, move |db| {
            db.execute_batch(sql)
                .map_err(dewline::store::StoreError::from)
        });
        done.await.unwrap();
    };
    does(trigger).await;
    to_rest(&house.app).await;
    let state = feed(&house.app).await;
    assert_eq!((state.held, state.filled), (59, true));
    assert_eq!(
        state.troubles,
        [(1007, "it could not be recorded".to_owned())]
    );
    // Trying again doesn't keep the rest away, however long it lasts.
    passes(&house, SignedDuration::from_hours(3)).await;
    assert!(feed(&house.app).await.incomplete);
    does("DROP TRIGGER refuses").await;
    passes(&house, SignedDuration::from_hours(1)).await;
    let state = feed(&house.app).await;
    assert_eq!((state.held, state.troubles), (60, vec![]));
}

#[tokio::test]
async fn one_that_was_refused_is_asked_for_when_it_is_listed_otherwise_once_a_day() {
    let house = brisk().await;
    many(&house, 3, 1);
    house
        .drupal_org
        .put_node(node(500, json!({"type": "page"})));
    to_rest(&house.app).await;
    assert!(held(&house.app, "SA-CONTRIB-2026-500").is_none());
    // The same change, told otherwise: now it is only the id that is missing.
    house.drupal_org.take_node(500);
    let without = json!({"sa_id": null, "field_sa_advisory_id": [], "url": "", "title": "x"});
    house.drupal_org.put_node(node(500, without));
    house
        .drupal_org
        .set_node_behaviour(500, Behaviour::Status(403, None));
    asked(&house);
    house.clock.advance(SignedDuration::from_hours(25));
    to_rest(&house.app).await;
    let all = asked(&house);
    let times = all.iter().filter(|path| *path == "node/500.json").count();
    assert_eq!(times, 1);
    let later = passes(&house, SignedDuration::from_mins(31)).await;
    assert!(later.iter().all(|(_, path)| path != "node/500.json"));
}

#[tokio::test]
async fn one_odd_date_does_not_end_a_look() {
    let house = brisk().await;
    many(&house, 3, 1);
    to_rest(&house.app).await;
    let now = house.clock.now().as_second();
    for n in 0..70 {
        let id = format!("SA-CONTRIB-2026-{}", 500 + n);
        house
            .drupal_org
            .put_advisory(Advisory::new(5000 + n, &id, "p0", now - n));
    }
    // Among the first, with a date of long ago.
    let odd = json!({"changed": "1100000000", "listed_by": (now - 10).to_string()});
    house.drupal_org.put_node(node(700, odd));
    house.clock.advance(SignedDuration::from_mins(15));
    asked(&house);
    to_rest(&house.app).await;
    assert!(asked(&house).contains(&"sa 1".to_owned()));
    assert!(held(&house.app, "SA-CONTRIB-2026-569").is_some());
}

#[tokio::test]
async fn a_look_that_does_not_come_to_what_is_known_is_no_answer_and_all_is_read() {
    let house = brisk().await;
    many(&house, 3, 1);
    to_rest(&house.app).await;
    let before = feed(&house.app).await.last_success;
    let now = house.clock.now().as_second();
    house.drupal_org.set_page_size(2);
    for n in 0..50 {
        let id = format!("SA-CONTRIB-2026-{}", 500 + n);
        house
            .drupal_org
            .put_advisory(Advisory::new(5000 + n, &id, "p0", now - n));
    }
    house.clock.advance(SignedDuration::from_hours(2));
    while feed(&house.app).await.errors.is_empty() {
        assert_eq!(steps(&house.app, 1).await, Worked::More);
    }
    let state = feed(&house.app).await;
    assert_eq!(
        state.errors,
        ["more changed than a look takes: all of it is read"]
    );
    assert_eq!(state.last_success, before);
    to_rest(&house.app).await;
    house.clock.advance(SignedDuration::from_mins(2));
    to_rest(&house.app).await;
    let state = feed(&house.app).await;
    assert_eq!((state.held, state.errors), (53, vec![]));
    assert!(state.last_success > before);
}

#[tokio::test]
async fn a_node_that_stands_in_both_listings_repeats_neither() {
    let house = brisk().await;
    many(&house, 3, 1);
    let mut both = node(1001, json!({"field_is_psa": "1"}));
    both["sa_id"] = json!("PSA-2026-01-02");
    house.drupal_org.put_node(both);
    to_rest(&house.app).await;
    let state = feed(&house.app).await;
    assert_eq!((state.errors, state.filled), (vec![], true));
}

#[tokio::test]
async fn a_listing_of_which_a_deep_page_never_comes_turns_nothing_green() {
    let mut house = brisk().await;
    many(&house, 120, 1);
    house.publishes(crate::support::module("rope"));
    let deep = Behaviour::Status(504, None);
    house.drupal_org.set_page_behaviour(1, deep);
    let organization = house.organization("An agency").await;
    let (id, key) = {
        let site = house.site_of(organization, "Town hall").await;
        (site.id, site.key)
    };
    let overview =
        async |house: &TestApp| house.admin().get("/dashboard/overview").await.ok()["data"].clone();
    // What is new comes as ever, page after page of the rest is refused.
    for hour in 0..=25 {
        let inventory = crate::support::Site::inventory(&[("rope", "1.0.0")]);
        let path = format!("/sites/{id}/modules/sync");
        house.bearer(&key).post(&path, &inventory).await.ok();
        house.run_jobs().await;
        let told = overview(&house).await;
        assert_eq!(told["feed"]["stale"], hour >= 24, "after {hour} hours");
        assert_eq!(
            told["sites"]["fine"],
            i64::from(hour < 24),
            "after {hour} hours"
        );
        house.waits(SignedDuration::from_hours(1)).await;
    }
    house.run_jobs().await;
    let state = feed(&house.app).await;
    assert_eq!((state.filled, state.incomplete), (false, true));
    let site = house.admin().get(&format!("/sites/{id}")).await.ok();
    assert_eq!(site["data"]["status"], "unknown");
    let shown = page(&house, "").await;
    assert!(shown.contains("too old to call anything fine"), "{shown}");
    assert!(shown.contains("Some advisories are not read yet"));

    house.drupal_org.set_page_behaviour(1, Behaviour::Normal);
    for _ in 0..3 {
        house.waits(SignedDuration::from_mins(40)).await;
        let inventory = crate::support::Site::inventory(&[("rope", "1.0.0")]);
        let path = format!("/sites/{id}/modules/sync");
        house.bearer(&key).post(&path, &inventory).await.ok();
        house.run_jobs().await;
    }
    let told = overview(&house).await;
    assert_eq!(
        (&told["feed"]["stale"], &told["sites"]["fine"]),
        (&json!(false), &json!(1))
    );
    assert!(!feed(&house.app).await.incomplete);
}

#[tokio::test]
async fn a_listing_that_repeats_itself_is_not_called_whole() {
    let house = brisk().await;
    many(&house, 60, 1);
    house.drupal_org.set_paging(Paging::Repeating);
    to_rest(&house.app).await;
    assert!(feed(&house.app).await.incomplete);
    house.drupal_org.set_paging(Paging::Proper);
    house.clock.advance(SignedDuration::from_hours(25));
    to_rest(&house.app).await;
    assert!(!feed(&house.app).await.incomplete);
}
