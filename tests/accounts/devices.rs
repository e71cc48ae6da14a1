//! Browsers are known again by a cookie of their own, and only to the person who signed in there.

use super::{House, PASSWORD};

const BROWSERS: &str = "SELECT count(*) FROM devices";

#[tokio::test]
async fn a_browser_is_known_again_and_its_session_is_always_new() {
    let house = House::new().await;
    let mut browser = house.adas_browser().await;
    let (session, device) = (
        browser.session().unwrap().clone(),
        browser.cookies["dewline_device"].clone(),
    );
    assert_ne!(session, device);
    browser.sends("/sign-out", &[]).await.leads_to();
    assert!(browser.session().is_none());
    browser
        .signs_in("ada@example.org", PASSWORD)
        .await
        .leads_to();
    assert_ne!(*browser.session().unwrap(), session);
    assert_eq!(browser.cookies["dewline_device"], device);
    assert_eq!(house.count(BROWSERS), 1);
    let of_it = "SELECT count(*) FROM sessions WHERE device_id = 1";
    assert_eq!(house.count(of_it), 2);
    house.adas_browser().await;
    assert_eq!(house.count(BROWSERS), 2);
    // A program is no browser.
    house.ada().await;
    assert_eq!(house.count(BROWSERS), 2);
}

#[tokio::test]
async fn signing_in_ends_the_session_that_the_browser_had() {
    let house = House::new().await;
    house.person("eve@example.org", "Eve").await;
    let mut browser = house.adas_browser().await;
    let before = browser.cookies.clone();
    browser
        .signs_in("eve@example.org", PASSWORD)
        .await
        .leads_to();
    assert_eq!(browser.looks("/account").await.status, 200);
    let mut copied = house.browser();
    copied.cookies = before;
    assert_eq!(
        copied.looks("/account").await.leads_to(),
        "/sign-in?next=%2Faccount"
    );
    let ended = "SELECT count(*) FROM audit_logs
        WHERE action = 'session.ended' AND actor_id = 1 AND subject_id = 1";
    assert_eq!(house.count(ended), 1);
}

#[tokio::test]
async fn cookies_that_others_left_in_the_browser_are_never_taken_over() {
    let house = House::new().await;
    house.person("eve@example.org", "Eve").await;
    let mut eve = house.browser();
    eve.signs_in("eve@example.org", PASSWORD).await.leads_to();
    for planted in [eve.cookies.clone(), invented()] {
        let mut browser = house.browser();
        browser.cookies = planted.clone();
        browser
            .signs_in("ada@example.org", PASSWORD)
            .await
            .leads_to();
        assert_ne!(
            browser.cookies["dewline_session"],
            planted["dewline_session"]
        );
        assert_ne!(browser.cookies["dewline_device"], planted["dewline_device"]);
        // What was planted is nobody's, or still Eve's.
        let mut thief = house.browser();
        thief.cookies = planted;
        let page = thief.looks("/").await;
        assert!(!page.text.contains(">Ada<"), "{}", page.text);
    }
}

fn invented() -> std::collections::BTreeMap<String, String> {
    ["dewline_session", "dewline_device"]
        .map(|name| (name.to_owned(), "x".repeat(43)))
        .into()
}

#[tokio::test]
async fn a_browser_that_was_not_used_for_a_year_is_forgotten() {
    let house = House::new().await;
    house.adas_browser().await;
    house.passes(jiff::SignedDuration::from_hours(366 * 24));
    house.adas_browser().await;
    assert_eq!(house.count(BROWSERS), 1);
}

#[tokio::test]
async fn both_cookies_are_out_of_the_reach_of_scripts_and_of_other_sites() {
    let house = House::new().await;
    let mut browser = house.browser();
    let page = browser.signs_in("ada@example.org", PASSWORD).await;
    for (name, age) in [
        ("dewline_session", 14 * 86_400),
        ("dewline_device", 365 * 86_400),
    ] {
        let set = page.sets(name);
        let kept = format!("; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax");
        assert!(set.len() == 1 && set[0].ends_with(&kept), "{set:?}");
    }
}
