//! How often one may call: every answer says what is left, 429 says when to come back, and the platform
//! administrator sees how it stands.

use axum::http::Method;
use dewline::http::route::Tier;
use dewline::http::{pages, routes};

use crate::support::browser::sends;
use crate::support::{Answer, EMAIL, TestApp};

const TOLD: [&str; 4] = [
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "ratelimit-policy",
];

fn tells(answer: &Answer, path: &str) {
    for name in TOLD {
        assert!(
            !answer.header(name).is_empty(),
            "{path} ({}): no {name}",
            answer.status
        );
    }
}

#[tokio::test]
async fn every_answer_says_what_is_left() {
    let house = TestApp::start().await;
    let visitor = house.signed_in(EMAIL).await;
    for route in routes() {
        if route.method != Method::GET || route.tier == Tier::Free {
            continue;
        }
        let path = format!(
            "/{}",
            route
                .full_path()
                .replace("{id}", "1")
                .replace("{sync_id}", "1")
        );
        tells(&house.admin().get(&path).await, &path);
        tells(&house.anonymous().get(&path).await, &path);
    }
    for page in pages() {
        if page.method == Method::GET && !page.path.contains('{') {
            let path = format!("/{}", page.path);
            tells(&visitor.get(&path).await, &path);
        }
    }
    tells(&house.anonymous().get("/nowhere").await, "/nowhere");
}

#[tokio::test]
async fn answers_to_what_changes_something_say_it_too() {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let site = house.site_of(harbour, "Quay").await;
    let words = serde_json::json!({"name": "Tower"});
    let left = |answer: &Answer| -> u32 { answer.header("ratelimit-remaining").parse().unwrap() };
    // One that is done and one that is refused are paid alike.
    let done = house.admin().post("/organizations", &words).await;
    let refused = house.admin().post("/organizations", &words).await;
    assert_eq!((done.status.as_u16(), refused.status.as_u16()), (201, 409));
    for answer in [&done, &refused] {
        tells(answer, "POST /organizations");
        assert_eq!(answer.header("ratelimit-limit"), "600");
    }
    assert_eq!(left(&refused), left(&done) - 1);
    let changed = house
        .admin()
        .put(&site.path(""), &serde_json::json!({"notes": "x"}))
        .await;
    let deleted = house.admin().delete(&site.path("")).await;
    assert_eq!(
        (changed.status.as_u16(), deleted.status.as_u16()),
        (200, 204)
    );
    tells(&changed, "PUT");
    tells(&deleted, "DELETE");
    assert_eq!(left(&deleted), left(&changed) - 1);
    // A sync is paid by its site, a sign-in by its address.
    let other = house.site_of(harbour, "Pier").await;
    let received = other.sends(&crate::support::Site::inventory(&[])).await;
    assert_eq!(received.status, 200);
    tells(&received, "POST sync");
    assert_eq!(
        (
            received.header("ratelimit-limit"),
            received.header("ratelimit-remaining")
        ),
        ("60", "59")
    );
    let words = serde_json::json!({"email": "nobody@example.org", "password": "x"});
    let stranger = house.anonymous().from("198.51.100.1");
    let answer = stranger.post("/auth/login", &words).await;
    assert_eq!(answer.status, 401);
    tells(&answer, "POST /auth/login");
    assert_eq!(
        (
            answer.header("ratelimit-limit"),
            answer.header("ratelimit-remaining")
        ),
        ("10", "9")
    );
    // Forms, too.
    let visitor = house.signed_in(EMAIL).await;
    let form = sends(&visitor, "/organizations/new", &[("name", "Mill")]).await;
    assert_eq!(form.status, 303);
    tells(&form, "POST /organizations/new");
}

#[tokio::test]
async fn whoever_asks_too_often_is_told_when_to_come_back_and_the_platform_sees_it() {
    let house = TestApp::with(|config| config.rate_limits.user = 5).await;
    let visitor = house.signed_in(EMAIL).await;
    let mut last = visitor.get("//sites").await;
    for _ in 0..5 {
        last = visitor.get("//sites").await;
    }
    assert_eq!(
        (last.status.as_u16(), last.header("ratelimit-remaining")),
        (429, "0")
    );
    assert!(last.header("retry-after").parse::<u64>().unwrap() >= 1);
    house.clock.advance(jiff::SignedDuration::from_mins(1));
    let page = visitor.get("//limits").await;
    assert_eq!(page.status, 200, "{}", page.text);
    for said in [
        "refused in the last hour",
        "rate_limits.user",
        "rate_limits.sync",
        "An API key",
    ] {
        assert!(page.text.contains(said), "{said}: {}", page.text);
    }
    house.clock.advance(jiff::SignedDuration::from_hours(1));
    assert!(
        visitor
            .get("//limits")
            .await
            .text
            .contains("No call was refused")
    );
}

#[tokio::test]
async fn addresses_that_are_written_in_another_way_have_no_budget_of_their_own() {
    let house = TestApp::with(|config| config.rate_limits.anonymous = 3).await;
    let asks = async |address: &str| {
        house
            .anonymous()
            .from(address)
            .get("//api/openapi.json")
            .await
    };
    // IPv4 within IPv6 is the same caller, and so is all of a household's network.
    for (addresses, refused) in [
        (
            [
                "192.0.2.1",
                "::ffff:192.0.2.1",
                "192.0.2.1",
                "::ffff:c000:201",
            ],
            "192.0.2.1",
        ),
        (
            [
                "2001:db8:7::1",
                "2001:db8:7::2",
                "2001:db8:7:0:ffff::1",
                "2001:db8:7::4",
            ],
            "2001:db8:7::5",
        ),
    ] {
        let mut statuses = Vec::new();
        for address in addresses {
            statuses.push(asks(address).await.status.as_u16());
        }
        assert_eq!(statuses, [200, 200, 200, 429], "{addresses:?}");
        assert_eq!(asks(refused).await.status, 429);
    }
    assert_eq!(asks("2001:db8:7:1::1").await.status, 200);
    assert_eq!(asks("192.0.2.2").await.status, 200);
}

#[tokio::test]
async fn whoever_tries_out_credentials_runs_out_of_answers_and_nobody_else_does() {
    let house = TestApp::with(|config| config.rate_limits.anonymous = 3).await;
    let guesses = async |peer: &str| {
        let wrong = house.bearer("dwl_wrong").from(peer);
        wrong.get("/organizations").await
    };
    for left in ["2", "1", "0"] {
        let answer = guesses("192.0.2.1").await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("ratelimit-remaining")),
            (401, left)
        );
    }
    let refused = guesses("192.0.2.1").await;
    assert_eq!(refused.status, 429);
    tells(&refused, "/organizations");
    assert_eq!(refused.header("retry-after"), "20");
    // Other addresses, and whoever is known at this one, go on.
    assert_eq!(guesses("192.0.2.2").await.status, 401);
    let known = house.admin().from("192.0.2.1");
    assert_eq!(known.get("/organizations").await.status, 200);
    house.clock.advance(jiff::SignedDuration::from_secs(20));
    assert_eq!(guesses("192.0.2.1").await.status, 401);
}
