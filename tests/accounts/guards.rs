//! What guards the doors: headers, cookies behind TLS, where one is led, forms of other sites, and
//! what a stranger can learn.

use axum::http::Method;
use serde_json::json;

use super::{House, PASSWORD};
use crate::support::TestApp;

#[tokio::test]
async fn every_answer_carries_its_guards() {
    let house = TestApp::start().await;
    for path in ["//sign-in", "//nowhere", "//forgotten"] {
        let page = house.anonymous().get(path).await;
        assert!(
            page.header("content-security-policy")
                .starts_with("default-src 'self'"),
            "{path}"
        );
        assert!(
            page.header("content-security-policy")
                .contains("frame-ancestors 'none'")
        );
        assert!(
            page.header("permissions-policy").contains("camera=()"),
            "{path}"
        );
        assert_eq!(page.header("cache-control"), "private, no-store", "{path}");
    }
    for path in [
        "/auth/me",
        "/sites",
        "//healthz",
        "//sign-in",
        "//api/v1/nowhere",
    ] {
        let answer = house.admin().get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        assert!(
            answer
                .header("content-security-policy")
                .contains("frame-ancestors 'none'")
        );
        assert_eq!(
            answer.header("strict-transport-security"),
            "",
            "without TLS: {path}"
        );
    }
}

#[tokio::test]
async fn behind_tls_browsers_are_told_to_stay_there_and_cookies_too() {
    let house =
        TestApp::with(|config| config.public_url = "https://fleet.example.org".into()).await;
    for path in ["/sites", "//sign-in", "//healthz"] {
        let answer = house.admin().get(path).await;
        assert_eq!(
            answer.header("strict-transport-security"),
            "max-age=31536000",
            "{path}"
        );
    }
    let form = "email=ada%40example.org&password=correct+horse+battery";
    let answer = house
        .anonymous()
        .with("content-type", "application/x-www-form-urlencoded")
        .send(Method::POST, "//sign-in", Some(form.into()))
        .await;
    let set: Vec<&str> = answer
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|value| value.to_str().unwrap())
        .collect();
    assert_eq!(set.len(), 2);
    assert!(
        set.iter()
            .all(|line| line.ends_with("; HttpOnly; SameSite=Lax; Secure")),
        "{set:?}"
    );
}

#[tokio::test]
async fn only_a_trusted_proxy_says_that_it_speaks_tls() {
    let house =
        TestApp::with(|config| config.trusted_proxies = vec!["10.0.0.0/8".to_owned()]).await;
    let form = "email=ada%40example.org&password=correct+horse+battery";
    for (peer, proto, tls) in [
        ("10.0.0.1", "https", true),
        ("10.0.0.1", "http", false),
        ("192.0.2.1", "https", false),
    ] {
        let client = house
            .anonymous()
            .from(peer)
            .with("x-forwarded-proto", proto)
            .with("content-type", "application/x-www-form-urlencoded");
        let answer = client
            .send(Method::POST, "//sign-in", Some(form.into()))
            .await;
        assert_eq!(answer.status, 303);
        let told = !answer.header("strict-transport-security").is_empty();
        let secure = answer.header("set-cookie").ends_with("; Secure");
        assert_eq!((told, secure), (tls, tls), "{peer} {proto}");
    }
}

#[tokio::test]
async fn signing_in_leads_nowhere_else() {
    let house = House::new().await;
    for next in [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "\t//evil.example",
        "javascript:alert(1)",
        "/\r\nset-cookie: a=b",
    ] {
        let mut browser = house.browser();
        let fields = [
            ("email", "ada@example.org"),
            ("password", PASSWORD),
            ("next", next),
        ];
        let page = browser.sends("/sign-in", &fields).await;
        assert_eq!(page.leads_to(), "/", "{next:?}");
        house.passes(jiff::SignedDuration::from_secs(30));
    }
    let mut browser = house.browser();
    let fields = [
        ("email", "ada@example.org"),
        ("password", PASSWORD),
        ("next", "/sites?q=a"),
    ];
    assert_eq!(
        browser.sends("/sign-in", &fields).await.leads_to(),
        "/sites?q=a"
    );
}

#[tokio::test]
async fn pages_that_are_ones_own_stay_in_no_cache() {
    let house = House::new().await;
    let mut browser = house.adas_browser().await;
    for path in [
        "/",
        "/account",
        "/account/password",
        "/account/sessions",
        "/sites",
        "/audit",
    ] {
        let page = browser.looks(path).await;
        assert_eq!(page.status, 200);
        assert_eq!(page.header("cache-control"), "private, no-store", "{path}");
    }
    let bearer = house.bearer().await;
    for path in ["/auth/me", "/auth/sessions", "/auth/devices"] {
        let answer = house.gets(path, &bearer).await;
        assert_eq!(
            answer.headers["cache-control"], "private, no-cache",
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_stranger_learns_from_no_answer_who_is_there() {
    let house = House::new().await;
    let mut said = Vec::new();
    for email in ["ada@example.org", "bob@example.org"] {
        let mut browser = house.browser();
        let page = browser.signs_in(email, "wrong").await;
        said.push((page.status, page.text.replace(email, "…")));
    }
    assert_eq!(said[0], said[1]);
    // The work, too: as many hashes are computed for each, one row is written for each.
    house
        .sql(
            "INSERT INTO users (email, name, created_at, updated_at, created_by, updated_by)
               VALUES ('cyd@example.org', 'Cyd', 0, 0, 'system', 'system');",
        )
        .await;
    let long = "x".repeat(1025);
    for (password, hashes) in [("wrong", 1), (long.as_str(), 0)] {
        for email in ["ada@example.org", "bob@example.org", "cyd@example.org"] {
            let before = house.app.passwords.computed();
            let page = house.browser().signs_in(email, password).await;
            let answered = (page.status, page.text.replace(email, "…"));
            assert_eq!(answered, said[0], "{email}");
            let computed = house.app.passwords.computed() - before;
            assert_eq!(computed, hashes, "{email}");
        }
    }
    let written = "SELECT count(*) FROM audit_logs WHERE status = 'refused'";
    assert_eq!(house.count(written), 8);
    let words = json!({"token": "x", "password": PASSWORD});
    let answer = house
        .asks_from("192.0.2.1", "/auth/password/reset", words)
        .await;
    assert_eq!(answer.codes(), ["/token not_good"]);
}
