//! How often one may call: every answer says what is left, 429 says when to come back, and the platform
//! administrator sees how it stands.

use axum::http::Method;
use dewline::http::route::Tier;
use dewline::http::{pages, routes};

use crate::matrix::town::cookie;
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
    let visitor = house
        .anonymous()
        .with("cookie", &cookie(&house, EMAIL).await);
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
async fn whoever_asks_too_often_is_told_when_to_come_back_and_the_platform_sees_it() {
    let house = TestApp::with(|config| config.rate_limits.user = 5).await;
    let visitor = house
        .anonymous()
        .with("cookie", &cookie(&house, EMAIL).await);
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
