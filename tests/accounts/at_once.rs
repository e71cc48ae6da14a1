//! What is taken from somebody who is signed in acts at the very next click and call, through the doors by
//! which it is taken: nothing here tells the program what to forget.

use dewline::services::callers;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::browser::Browser;
use super::people::{Cast, SECRET, id};
use super::second_factor::Phone;
use super::{House, PASSWORD};
use crate::support::Client;

/// Somebody with a program and a browser that were used a moment ago.
struct SignedIn<'a> {
    program: Client<'a>,
    browser: Browser<'a>,
}

impl<'a> SignedIn<'a> {
    async fn of(cast: &'a Cast, email: &str) -> Self {
        let token = cast.enters(email, SECRET).await;
        Self {
            program: cast.house.bearer(&token),
            browser: cast.browser(email, SECRET).await,
        }
    }

    /// What an empty body gets there, and a look at the page.
    async fn tries(&mut self, route: &str, page: &str) -> (u16, u16) {
        let called = self.program.post(route, &json!({})).await.status.as_u16();
        (called, self.browser.looks(page).await.status.as_u16())
    }

    async fn reads(&mut self, route: &str, page: &str) -> (u16, u16) {
        let called = self.program.get(route).await.status.as_u16();
        (called, self.browser.looks(page).await.status.as_u16())
    }
}

#[tokio::test]
async fn a_demotion_acts_at_the_next_request() {
    let cast = Cast::gathers().await;
    let mut vic = SignedIn::of(&cast, "vic@example.org").await;
    let path = cast.members(&format!("/{}", cast.user("vic@example.org").await));
    let becomes = async |role: &str| {
        let changed = cast.admin().put(&path, &json!({"role": role})).await;
        assert_eq!(changed.status, 200, "{}", changed.text);
    };
    for _ in 0..2 {
        assert_eq!(vic.tries("/sites", "/sites/new").await, (403, 403));
        becomes("manager").await;
        assert_eq!(vic.tries("/sites", "/sites/new").await, (422, 200));
        becomes("viewer").await;
    }
    assert_eq!(vic.tries("/sites", "/sites/new").await, (403, 403));
    assert_eq!(vic.reads("/sites", "/sites").await, (200, 200));
    // Out of the organization he is out of everything, and still signed in.
    assert_eq!(cast.admin().delete(&path).await.status, 204);
    assert_eq!(vic.reads("/sites", "/sites").await, (403, 403));
    assert_eq!(vic.reads("/auth/me", "/account").await, (200, 200));
}

#[tokio::test]
async fn whoever_no_longer_looks_after_the_platform_is_refused_at_the_next_request() {
    let cast = Cast::gathers().await;
    let mut vic = SignedIn::of(&cast, "vic@example.org").await;
    let path = format!("/users/{}", cast.user("vic@example.org").await);
    let becomes = async |platform_admin: bool| {
        let words = json!({"platform_admin": platform_admin});
        cast.platform().put(&path, &words).await.ok();
    };
    let deed = ("/organizations", "/organizations/new");
    assert_eq!(vic.tries(deed.0, deed.1).await, (403, 403));
    becomes(true).await;
    assert_eq!(vic.tries(deed.0, deed.1).await, (422, 200));
    becomes(false).await;
    assert_eq!(vic.tries(deed.0, deed.1).await, (403, 403));
    assert_eq!(vic.reads("/sites", "/sites").await, (200, 200));
}

#[tokio::test]
async fn an_organization_that_asks_for_a_second_factor_at_once_has_it_at_the_next_request() {
    let cast = Cast::gathers().await;
    let mut vic = SignedIn::of(&cast, "vic@example.org").await;
    let path = format!("/organizations/{}", cast.harbour);
    let asks = async |words: Value| {
        cast.platform().put(&path, &words).await.ok();
    };
    assert_eq!(vic.reads("/sites", "/sites").await, (200, 200));
    asks(json!({"require_two_factor": true, "two_factor_grace_days": 0})).await;
    assert_eq!(vic.reads("/sites", "/sites").await, (403, 403));
    assert_eq!(vic.program.get(&path).await.status, 403);
    // What is his own stays open: there he sets it up.
    assert_eq!(
        vic.reads("/auth/2fa", "/account/two-factor").await,
        (200, 200)
    );
    asks(json!({"require_two_factor": false})).await;
    assert_eq!(vic.reads("/sites", "/sites").await, (200, 200));
}

#[tokio::test]
async fn whoever_lets_the_grace_pass_is_out_until_the_second_step_is_on() {
    let mut cast = Cast::gathers().await;
    let path = format!("/organizations/{}", cast.harbour);
    let words = json!({"require_two_factor": true, "two_factor_grace_days": 7});
    let asked = cast.platform().put(&path, &words).await.ok();
    assert_eq!(
        asked["data"]["two_factor_required_from"], "2026-11-27T08:00:00Z",
        "{asked}"
    );
    let week = SignedDuration::from_hours(7 * 24);
    cast.house.waits(week - SignedDuration::from_secs(60)).await;
    let mut vic = SignedIn::of(&cast, "vic@example.org").await;
    assert_eq!(vic.reads("/sites", "/sites").await, (200, 200));
    assert_eq!(
        vic.program.get("/auth/2fa").await.ok()["data"]["required_by"][0]["organization_id"],
        cast.harbour
    );
    cast.house.clock.advance(SignedDuration::from_secs(59));
    assert_eq!(vic.reads("/sites", "/sites").await, (200, 200));
    cast.house.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(vic.reads("/sites", "/sites").await, (403, 403));
    // Mo is of another organization, which asks for nothing.
    let mut mo = SignedIn::of(&cast, "mo@example.org").await;
    assert_eq!(mo.reads("/sites", "/sites").await, (200, 200));

    let made = vic.program.post("/auth/2fa/setup", &json!({})).await.ok();
    let phone = Phone(made["data"]["secret"].as_str().unwrap().to_owned());
    assert_eq!(
        vic.reads("/sites", "/sites").await,
        (403, 403),
        "not before the first code"
    );
    let now = |cast: &Cast| {
        use dewline::clock::Clock;
        cast.house.clock.now().as_second()
    };
    let code = json!({"code": phone.shows_at(now(&cast))});
    vic.program.post("/auth/2fa/enable", &code).await.ok();
    assert_eq!(vic.program.get("/sites").await.status, 200);
    // Whoever signs in anew does so with both steps, and is in.
    cast.house.clock.advance(SignedDuration::from_secs(30));
    let words = json!({"email": "vic@example.org", "password": SECRET});
    let asked = cast
        .house
        .anonymous()
        .post("/auth/login", &words)
        .await
        .ok();
    let words = json!({
        "challenge_token": asked["data"]["challenge_token"], "code": phone.shows_at(now(&cast)),
    });
    let tokens = cast
        .house
        .anonymous()
        .post("/auth/2fa/verify", &words)
        .await
        .ok();
    let fresh = cast
        .house
        .bearer(tokens["data"]["access_token"].as_str().unwrap());
    assert_eq!(fresh.get("/sites").await.status, 200);
}

#[tokio::test]
async fn a_key_loses_at_its_next_call_what_its_maker_loses() {
    let cast = Cast::gathers().await;
    let site = cast.house.site_of(cast.harbour, "Quay").await.path("");
    let vic = cast.user("vic@example.org").await;
    let becomes = async |role: &str| {
        let path = cast.members(&format!("/{vic}"));
        cast.admin().put(&path, &json!({"role": role})).await.ok();
    };
    becomes("manager").await;
    let words = json!({"name": "his", "organization_id": cast.harbour, "scopes": ["sites:read", "sites:write"]});
    let made = cast.viewer().post("/api-keys", &words).await.created();
    let key = cast.house.bearer(made["data"]["key"].as_str().unwrap());
    let tries = async || {
        let writes = key.put(&site, &json!({"notes": "x"})).await.status.as_u16();
        (key.get(&site).await.status.as_u16(), writes)
    };
    assert_eq!(tries().await, (200, 200));
    becomes("viewer").await;
    assert_eq!(tries().await, (200, 403));
    becomes("manager").await;
    assert_eq!(tries().await, (200, 200));
    let account = format!("/users/{vic}");
    assert_eq!(cast.platform().delete(&account).await.status, 204);
    assert_eq!(tries().await, (403, 403));
    let back = format!("{account}/restore");
    cast.platform().post(&back, &json!({})).await.ok();
    assert_eq!(tries().await, (200, 200));
    let place = cast.members(&format!("/{vic}"));
    assert_eq!(cast.admin().delete(&place).await.status, 204);
    assert_eq!(tries().await, (403, 403));
}

#[tokio::test]
async fn a_role_of_ones_own_organization_that_loses_a_permission_loses_it_at_the_next_request() {
    let cast = Cast::gathers().await;
    let role = cast.role("Writer", &["sites:read", "sites:write"]).await;
    let place = cast.members(&format!("/{}", cast.user("vic@example.org").await));
    cast.admin().put(&place, &json!({"role": role})).await.ok();
    let mut vic = SignedIn::of(&cast, "vic@example.org").await;
    assert_eq!(vic.tries("/sites", "/sites/new").await, (422, 200));
    let words = json!({"permissions": ["sites:read"]});
    let changed = cast.admin().put(&format!("/roles/{role}"), &words).await;
    assert_eq!(id(&changed.ok()), role);
    assert_eq!(vic.tries("/sites", "/sites/new").await, (403, 403));
}

#[tokio::test]
async fn the_last_use_of_a_session_is_kept_and_told_and_keeps_it_awake() {
    let house = House::new().await;
    let mut browser = house.adas_browser().await;
    let used = async || {
        let listed = house.gets("/auth/sessions", &house.bearer().await).await;
        let rows = listed.body["data"].as_array().unwrap();
        let page = rows.iter().find(|row| row["kind"] == "page").unwrap();
        page["last_used_at"].as_str().unwrap().to_owned()
    };
    assert_eq!(used().await, "2026-11-20T08:00:00Z");
    for until in ["2026-11-21T07:00:00Z", "2026-11-22T06:00:00Z"] {
        house.passes(SignedDuration::from_hours(23));
        assert_eq!(browser.looks("/account").await.status, 200, "{until}");
        assert!(callers::write_last_uses(&house.app).await.unwrap());
        // As after a restart: what is known is what was written.
        house.app.callers.forget();
        assert_eq!(used().await, until);
    }
    house.passes(SignedDuration::from_hours(24));
    let led = browser.looks("/account").await;
    assert_eq!(led.leads_to(), "/sign-in?next=%2Faccount");
    browser
        .signs_in("ada@example.org", PASSWORD)
        .await
        .leads_to();
}
