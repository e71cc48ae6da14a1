//! Forms that other sites send, places to which one could be led, cookies, and what is kept where.

use axum::http::Method;
use dewline::http::route::Needs;
use dewline::http::{pages, routes};
use url::Url;

use crate::matrix::things;
use crate::matrix::town::{Caller, Town};
use crate::support::browser::sends;
use crate::support::{Answer, EMAIL, PASSWORD, TestApp};

/// How a browser says that a form comes from elsewhere, and how an old one does.
const ELSEWHERE: [&[(&str, &str)]; 5] = [
    &[("sec-fetch-site", "cross-site")],
    &[("sec-fetch-site", "same-site")],
    &[
        ("sec-fetch-site", "cross-site"),
        ("origin", "http://dewline.example.org"),
        ("host", "dewline.example.org"),
    ],
    &[
        ("origin", "https://evil.example"),
        ("host", "dewline.example.org"),
    ],
    &[("origin", "null"), ("host", "dewline.example.org")],
];

#[tokio::test(flavor = "multi_thread")]
async fn no_form_is_taken_from_another_site() {
    let town = Town::stands().await;
    let signed_in = town.visitor("platform");
    let stranger = town.visitor("a stranger");
    for page in pages().iter().filter(|page| page.method == Method::POST) {
        let path = things::path(&town, &town.own, &format!("POST {}", page.path));
        let form = things::form(&town.own, page);
        let form: Vec<(&str, &str)> = form.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let mut visitors: Vec<&Caller> = vec![signed_in];
        visitors.extend((page.needs == Needs::Public).then_some(stranger));
        for visitor in visitors {
            for headers in ELSEWHERE {
                let mut client = visitor.at(&town.house);
                for (name, value) in headers {
                    client = client.with(name, value);
                }
                let before = town.house.app.store.commits();
                let answer = sends(&client, &path, &form).await;
                assert_eq!(answer.status, 403, "POST {path} with {headers:?}");
                assert!(answer.headers.get("set-cookie").is_none(), "POST {path}");
                assert_eq!(
                    town.house.app.store.commits(),
                    before,
                    "POST {path} changed something"
                );
            }
        }
    }
}

/// Where a browser would end up that is at the sign-in page of this server.
fn host_of(location: &str) -> String {
    let here = Url::parse("https://dewline.example.org/sign-in").unwrap();
    let there = here.join(location).unwrap();
    there.host_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn nobody_is_led_to_another_server() {
    let house = TestApp::with(|config| config.rate_limits.enabled = false).await;
    let signed_in = house.signed_in(EMAIL).await;
    for next in [
        "https://evil.example",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/\r\n/evil.example",
        "\t//evil.example",
        " //evil.example",
        "/\u{b}/evil.example",
        "/\u{0}/evil.example",
        "https:evil.example",
        "https:/evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "/.//evil.example",
        "/..//evil.example",
        "/sites/..//evil.example",
        "/%2f/evil.example",
        "/%5cevil.example",
        "/@evil.example",
        "@evil.example",
        ".evil.example",
        "／／evil.example",
        "/\u{ff0f}evil.example",
    ] {
        let encoded: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
        let fields = [("email", EMAIL), ("password", PASSWORD), ("next", next)];
        let theme = [("theme", "dark"), ("back", next)];
        let answers: [Answer; 3] = [
            sends(&house.anonymous(), "/sign-in", &fields).await,
            sends(&signed_in, "/theme", &theme).await,
            signed_in.get(&format!("//sign-in?next={encoded}")).await,
        ];
        for answer in answers {
            assert_eq!(answer.status, 303, "{next:?}: {}", answer.text);
            let location = answer.headers.get("location").unwrap();
            let location = String::from_utf8_lossy(location.as_bytes()).into_owned();
            assert_eq!(
                host_of(&location),
                "dewline.example.org",
                "{next:?} led to {location:?}"
            );
        }
    }
}

#[tokio::test]
async fn cookies_are_kept_from_scripts_and_other_sites_and_plain_wires() {
    for (public_url, secure) in [("", false), ("https://dewline.example.org", true)] {
        let house = TestApp::with(|config| config.public_url = public_url.to_owned()).await;
        let fields = [("email", EMAIL), ("password", PASSWORD)];
        let mut answers = vec![sends(&house.anonymous(), "/sign-in", &fields).await];
        let visitor = house.signed_in(EMAIL).await;
        answers.push(sends(&visitor, "/theme", &[("theme", "dark"), ("back", "/")]).await);
        answers.push(sends(&visitor, "/organizations/new", &[("name", "Harbour")]).await);
        answers.push(sends(&visitor, "/sign-out", &[]).await);
        let mut seen = 0;
        for answer in &answers {
            for line in answer.headers.get_all("set-cookie") {
                let line = line.to_str().unwrap();
                for needed in ["; HttpOnly", "; SameSite=Lax", "; Path=/"] {
                    assert!(line.contains(needed), "{line}");
                }
                assert_eq!(line.contains("; Secure"), secure, "{line}");
                assert!(!line.contains("Domain="), "{line}");
                seen += 1;
            }
        }
        assert!(seen >= 4, "{seen}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_private_is_kept_by_anybody_on_the_way() {
    let town = Town::stands().await;
    for page in pages().iter().filter(|page| page.method == Method::GET) {
        let path = things::path(&town, &town.own, &format!("GET {}", page.path));
        for visitor in ["admin", "a stranger"] {
            let answer = town
                .visitor(visitor)
                .at(&town.house)
                .get(&format!("/{path}"))
                .await;
            let kept = answer.header("cache-control");
            assert_eq!(kept, "private, no-store", "GET {path} to {visitor}");
        }
    }
    for route in routes().iter().filter(|route| route.method == Method::GET) {
        if route.needs == Needs::Public {
            continue;
        }
        let path = things::path(&town, &town.own, &format!("GET {}", route.path));
        for caller in ["admin", "other", "a stranger"] {
            let answer = town.caller(caller).at(&town.house).get(&path).await;
            let kept = answer.header("cache-control").to_owned();
            assert!(
                kept.contains("no-store") || kept == "private, no-cache",
                "GET {path} to {caller}: {kept:?}"
            );
            if answer.status == 200 {
                let varies: Vec<&str> = answer
                    .headers
                    .get_all("vary")
                    .iter()
                    .map(|v| v.to_str().unwrap())
                    .collect();
                assert!(
                    varies.join(",").to_lowercase().contains("authorization"),
                    "GET {path}"
                );
            }
        }
    }
}
