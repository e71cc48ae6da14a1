//! What belongs to a person himself: profile, sessions, browsers, and leaving.

use axum::http::Method;
use serde_json::{Value, json};

use super::{House, PASSWORD};

impl House {
    async fn puts_me(&self, bearer: &str, words: Value) -> (u16, Vec<String>, Value) {
        let answer = self
            .asks(Method::PUT, "/auth/me", bearer, Some(words))
            .await;
        let data = answer.body["data"].clone();
        (answer.status.as_u16(), answer.codes(), data)
    }

    async fn deletes(&self, path: &str, bearer: &str) -> u16 {
        let answer = self.asks(Method::DELETE, path, bearer, None).await;
        answer.status.as_u16()
    }

    async fn bearer_of(&self, email: &str) -> String {
        use secrecy::ExposeSecret;
        let tokens = self.signs_in(email, PASSWORD).await.unwrap();
        tokens.access_token.expose_secret().to_owned()
    }

    async fn ids(&self, path: &str, bearer: &str) -> Vec<i64> {
        let answer = self.gets(path, bearer).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let rows = answer.body["data"].as_array().unwrap();
        rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
    }
}

#[tokio::test]
async fn a_person_changes_name_time_zone_and_with_the_password_the_address() {
    let house = House::new().await;
    let bearer = house.bearer().await;
    assert_eq!(
        house.gets("/auth/me", &bearer).await.body["data"]["time_zone"],
        "UTC"
    );
    let words = json!({"name": " Ada L. ", "time_zone": "europe/vienna"});
    let (status, _, me) = house.puts_me(&bearer, words).await;
    assert_eq!(status, 200);
    assert_eq!(
        (&me["name"], &me["time_zone"], &me["email"]),
        (
            &json!("Ada L."),
            &json!("Europe/Vienna"),
            &json!("ada@example.org")
        )
    );
    let words = json!({"email": "ada.l@example.org"});
    let (status, codes, _) = house.puts_me(&bearer, words).await;
    assert_eq!(
        (status, codes),
        (422, vec!["/current_password required".to_owned()])
    );
    let words = json!({"email": "ada.l@example.org", "current_password": "not this"});
    let (status, codes, _) = house.puts_me(&bearer, words).await;
    assert_eq!(
        (status, codes),
        (422, vec!["/current_password wrong_password".to_owned()])
    );
    let words = json!({"email": "ada.l@example.org", "current_password": PASSWORD});
    assert_eq!(house.puts_me(&bearer, words).await.0, 200);
    assert!(house.signs_in("ada.l@example.org", PASSWORD).await.is_ok());
    assert!(house.signs_in("ada@example.org", PASSWORD).await.is_err());
    house.person("eve@example.org", "Eve").await;
    let words = json!({"email": "EVE@example.org", "current_password": PASSWORD});
    let (status, codes, _) = house.puts_me(&bearer, words).await;
    assert_eq!((status, codes), (409, vec![" email_taken".to_owned()]));
    let recorded = "SELECT count(*) FROM audit_logs WHERE action = 'user.profile_changed' AND data LIKE '%Ada L.%'";
    assert_eq!(house.count(recorded), 2);
    let secret = format!("SELECT count(*) FROM audit_logs WHERE data LIKE '%{PASSWORD}%'");
    assert_eq!(house.count(&secret), 0);
}

#[tokio::test]
async fn what_is_not_sent_stays_as_it_is_at_that_moment() {
    let house = House::new().await;
    let bearer = house.bearer().await;
    // The first waits for its password to be looked at while the second is written.
    let moved = json!({"email": "ada.l@example.org", "current_password": PASSWORD});
    let named = json!({"name": "Ada L.", "time_zone": "Europe/Vienna"});
    let (moved, named) =
        tokio::join!(house.puts_me(&bearer, moved), house.puts_me(&bearer, named),);
    assert_eq!((moved.0, named.0), (200, 200));
    let me = &house.gets("/auth/me", &bearer).await.body["data"];
    let stands = [&me["name"], &me["time_zone"], &me["email"]];
    assert_eq!(stands, ["Ada L.", "Europe/Vienna", "ada.l@example.org"]);
}

#[tokio::test]
async fn nobody_asks_by_moving_again_and_again_who_has_an_address() {
    let house = House::new().await;
    let bearer = house.bearer().await;
    house.person("eve@example.org", "Eve").await;
    let to_eves = json!({"email": "eve@example.org", "current_password": PASSWORD});
    for _ in 0..5 {
        assert_eq!(house.puts_me(&bearer, to_eves.clone()).await.0, 409);
    }
    assert_eq!(house.puts_me(&bearer, to_eves).await.0, 429);
    // What moves nothing is not held.
    let named = json!({"name": "Ada L.", "email": "ada@example.org"});
    assert_eq!(house.puts_me(&bearer, named).await.0, 200);
}

#[tokio::test]
async fn nobody_makes_more_of_himself_than_he_is() {
    let house = House::new().await;
    let bearer = house.bearer().await;
    let words = json!({"id": 7, "platform_admin": true, "password_hash": "x", "name": "", "time_zone": "Mars"});
    let (status, mut codes, _) = house.puts_me(&bearer, words).await;
    codes.sort();
    assert_eq!(status, 422);
    assert_eq!(
        codes,
        [
            "/id unknown_field",
            "/name required",
            "/password_hash unknown_field",
            "/platform_admin unknown_field",
            "/time_zone unknown_time_zone",
        ]
    );
}

#[tokio::test]
async fn sessions_are_seen_and_ended_by_their_owner_only() {
    let house = House::new().await;
    house.person("eve@example.org", "Eve").await;
    let (ada, eve) = (
        house.bearer().await,
        house.bearer_of("eve@example.org").await,
    );
    let mut browser = house.adas_browser().await;
    let listed = house.gets("/auth/sessions", &ada).await;
    let rows = listed.body["data"].as_array().unwrap().clone();
    assert_eq!(rows.len(), 2);
    let page = rows.iter().find(|row| row["kind"] == "page").unwrap();
    let own = rows.iter().find(|row| row["kind"] == "api").unwrap();
    assert_eq!(
        (&page["current"], &own["current"]),
        (&json!(false), &json!(true))
    );
    assert!(page["device"].as_str().unwrap().contains("Firefox"));
    assert_eq!(page["address"], "192.0.2.1");
    assert_eq!(page["expires_at"], "2026-12-04T08:00:00Z");
    let asked = house
        .ids("/auth/sessions?filter[kind]=page&sort=created_at", &ada)
        .await;
    assert_eq!(asked, [page["id"].as_i64().unwrap()]);
    let path = format!("/auth/sessions/{}", page["id"]);
    assert_eq!(house.deletes(&path, &eve).await, 404);
    assert_eq!(browser.looks("/").await.status, 200);
    assert_eq!(house.deletes(&path, &ada).await, 204);
    assert!(browser.looks("/").await.leads_to().starts_with("/sign-in"));
    assert_eq!(house.deletes(&path, &ada).await, 404);
    // All but the one that asks.
    let other = house.bearer().await;
    assert_eq!(house.deletes("/auth/sessions", &ada).await, 204);
    assert_eq!(house.gets("/auth/me", &other).await.status, 401);
    assert_eq!(house.ids("/auth/sessions", &ada).await.len(), 1);
    assert_eq!(house.ids("/auth/sessions", &eve).await.len(), 1);
    // Its own, too.
    let path = format!("/auth/sessions/{}", own["id"]);
    assert_eq!(house.deletes(&path, &ada).await, 204);
    assert_eq!(house.gets("/auth/me", &ada).await.status, 401);
}

#[tokio::test]
async fn sessions_that_are_over_are_not_listed() {
    let house = House::new().await;
    house.adas_browser().await;
    house.bearer().await;
    house.passes(jiff::SignedDuration::from_hours(24));
    let fresh = house.bearer().await;
    // The browser slept too long; the program's refresh token is good for 30 days.
    let answer = house.gets("/auth/sessions?sort=id", &fresh).await;
    let rows = answer.body["data"].as_array().unwrap();
    let kinds: Vec<&str> = rows
        .iter()
        .map(|row| row["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["api", "api"]);
}

#[tokio::test]
async fn a_browser_is_forgotten_with_its_sessions_by_its_owner_only() {
    let house = House::new().await;
    house.person("eve@example.org", "Eve").await;
    let (ada, eve) = (
        house.bearer().await,
        house.bearer_of("eve@example.org").await,
    );
    let mut browser = house.adas_browser().await;
    let ids = house.ids("/auth/devices", &ada).await;
    assert_eq!(ids.len(), 1);
    let path = format!("/auth/devices/{}", ids[0]);
    assert!(house.ids("/auth/devices", &eve).await.is_empty());
    assert_eq!(house.deletes(&path, &eve).await, 404);
    assert_eq!(house.deletes(&path, &ada).await, 204);
    assert!(browser.looks("/").await.leads_to().starts_with("/sign-in"));
    assert_eq!(house.deletes(&path, &ada).await, 404);
    let cookie = browser.cookies["dewline_device"].clone();
    browser
        .signs_in("ada@example.org", PASSWORD)
        .await
        .leads_to();
    assert_ne!(browser.cookies["dewline_device"], cookie, "it is a new one");
    assert_eq!(house.gets("/auth/me", &ada).await.status, 200);
}

#[tokio::test]
async fn a_person_leaves_unless_nobody_else_looks_after_the_platform() {
    let house = House::new().await;
    let bearer = house.bearer().await;
    let leave = async |password: &str| {
        let words = Some(json!({"password": password}));
        let answer = house.asks(Method::DELETE, "/auth/me", &bearer, words).await;
        (answer.status.as_u16(), answer.codes())
    };
    let last = vec![" last_administrator".to_owned()];
    assert_eq!(leave(PASSWORD).await, (409, last));
    house.person("eve@example.org", "Eve").await;
    let wrong = vec!["/password wrong_password".to_owned()];
    assert_eq!(leave("not this").await, (422, wrong));
    assert_eq!(leave(PASSWORD).await.0, 204);
    assert_eq!(house.gets("/auth/me", &bearer).await.status, 401);
    assert!(house.signs_in("ada@example.org", PASSWORD).await.is_err());
    let on_record =
        "SELECT count(*) FROM audit_logs WHERE action = 'user.deleted' AND subject_id = 1";
    assert_eq!(house.count(on_record), 1);
    // The address is free again.
    house.person("ada@example.org", "Another").await;
}

#[tokio::test]
async fn tokens_and_cookies_are_taken_only_for_what_they_are() {
    let house = House::new().await;
    let tokens = house.logs_in().await;
    let (access, refresh) = (
        tokens["access_token"].as_str().unwrap(),
        tokens["refresh_token"].as_str().unwrap(),
    );
    let mut browser = house.adas_browser().await;
    let cookie = browser.session().unwrap().clone();
    let device = browser.cookies["dewline_device"].clone();
    for wrong in [refresh, &cookie, &device] {
        assert_eq!(house.gets("/auth/me", wrong).await.status, 401);
    }
    for wrong in [access, &cookie, &device] {
        let words = json!({"refresh_token": wrong});
        let answer = house.posts("/auth/refresh", "", words).await;
        assert_eq!(answer.status, 401);
    }
    for wrong in [access, refresh, &device] {
        browser
            .cookies
            .insert("dewline_session".to_owned(), wrong.to_owned());
        assert!(browser.looks("/").await.leads_to().starts_with("/sign-in"));
    }
}

#[tokio::test]
async fn what_a_person_ends_or_changes_of_his_own_leaves_a_row_each() {
    let house = House::new().await;
    let ada = house.bearer().await;
    house.adas_browser().await;
    house.adas_browser().await;
    house.bearer().await;
    assert_eq!(house.deletes("/auth/sessions/2", &ada).await, 204);
    assert_eq!(house.deletes("/auth/devices/2", &ada).await, 204);
    assert_eq!(house.deletes("/auth/sessions", &ada).await, 204);
    let words = json!({"current_password": PASSWORD, "password": "seven grey herons wait"});
    let path = "/auth/password";
    let answer = house.asks(Method::PUT, path, &ada, Some(words)).await;
    assert_eq!(answer.status, 204);
    for (action, subject) in [
        ("session.ended", 2),
        ("device.revoked", 2),
        ("session.others_ended", 1),
        ("user.password_changed", 1),
    ] {
        let rows = format!(
            "SELECT count(*) FROM audit_logs WHERE action = '{action}' AND subject_id = {subject}
                AND actor_id = 1 AND status = 'done' AND request_id <> '' AND organization_id IS NULL"
        );
        assert_eq!(house.count(&rows), 1, "{action}");
    }
}
