//! A lost password is replaced by a link that is good once, for an hour, and nobody learns from
//! asking for one who is there.

use axum::http::Method;
use dewline::services::{notifications, sign_in};
use dewline::store::StoreError;
use jiff::SignedDuration;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{House, PASSWORD, is_unknown};

const NEW: &str = "seven grey herons wait";

impl House {
    async fn forgets(&self, email: &str) -> (u16, Value) {
        let answer = self
            .asks_from(
                "192.0.2.1",
                "/auth/password/forgot",
                json!({"email": email}),
            )
            .await;
        let mut body = answer.body;
        body["meta"]["request_id"] = Value::Null;
        (answer.status.as_u16(), body)
    }

    /// The links that wait, as the platform administrator will see them.
    fn links(&self) -> Vec<String> {
        let sealed: Vec<(i64, Vec<u8>)> = self
            .app
            .store
            .read(|db| {
                let mut found =
                    db.prepare("SELECT id, link_sealed FROM notifications ORDER BY id")?;
                let rows = found.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
                Ok::<_, StoreError>(rows.collect::<Result<_, _>>()?)
            })
            .unwrap();
        sealed
            .into_iter()
            .map(|(id, sealed)| notifications::link(&self.app.secret_key, id, &sealed).unwrap())
            .collect()
    }

    fn token(&self) -> String {
        let links = self.links();
        assert_eq!(links.len(), 1, "{links:?}");
        links[0].strip_prefix("/reset?token=").unwrap().to_owned()
    }

    async fn resets(&self, token: &str, password: &str) -> (u16, Vec<String>) {
        let words = json!({"token": token, "password": password});
        let answer = self
            .asks_from("192.0.2.1", "/auth/password/reset", words)
            .await;
        (answer.status.as_u16(), answer.codes())
    }
}

#[tokio::test]
async fn a_link_is_good_once_and_ends_all_sessions() {
    let house = House::new().await;
    let mut browser = house.adas_browser().await;
    let tokens = house.signs_in("ada@example.org", PASSWORD).await.unwrap();
    assert_eq!(house.forgets(" ADA@example.org").await.0, 200);
    let token = house.token();
    let (status, codes) = house.resets(&token, "password1234").await;
    assert_eq!(
        (status, codes),
        (422, vec!["/password easy_to_guess".to_owned()])
    );
    assert_eq!(house.resets(&token, NEW).await.0, 204);
    assert!(is_unknown(house.calls(tokens.access_token.expose_secret())));
    let refreshed = sign_in::refresh(&house.app, tokens.refresh_token.expose_secret()).await;
    assert!(is_unknown(refreshed));
    assert_eq!(browser.looks("/").await.leads_to(), "/sign-in");
    assert!(is_unknown(
        house.signs_in("ada@example.org", PASSWORD).await
    ));
    assert!(house.signs_in("ada@example.org", NEW).await.is_ok());
    let (status, codes) = house.resets(&token, "eight red foxes wait").await;
    assert_eq!((status, codes), (422, vec!["/token not_good".to_owned()]));
    assert!(house.links().is_empty());
    let recorded =
        "SELECT count(*) FROM audit_logs WHERE action = 'user.password_reset' AND actor_id = 1";
    assert_eq!(house.count(recorded), 1);
    assert_eq!(
        house.count(&format!(
            "SELECT count(*) FROM audit_logs WHERE data LIKE '%{token}%'"
        )),
        0
    );
}

#[tokio::test]
async fn asking_is_answered_alike_and_leaves_nothing_where_nobody_is() {
    let house = House::new().await;
    let known = house.forgets("ada@example.org").await;
    let rows = || {
        (
            house.count("SELECT count(*) FROM notifications"),
            house.count("SELECT count(*) FROM one_time_tokens"),
        )
    };
    assert_eq!(rows(), (1, 1));
    assert_eq!(house.forgets("nobody@example.org").await, known);
    assert_eq!(rows(), (1, 1));
    let asked = "SELECT count(*) FROM audit_logs WHERE action = 'user.reset_asked'";
    assert_eq!(house.count(asked), 2);
    assert_eq!(house.forgets("no address").await.0, 422);
}

#[tokio::test]
async fn only_the_newest_link_is_good_and_only_for_an_hour() {
    let house = House::new().await;
    house.forgets("ada@example.org").await;
    let old = house.token();
    house.forgets("ada@example.org").await;
    let new = house.token();
    assert_eq!(house.resets(&old, NEW).await.0, 422);
    house.passes(SignedDuration::from_mins(60));
    assert_eq!(house.resets(&new, NEW).await.0, 422);
    assert_eq!(house.resets("x", NEW).await.0, 422);
    assert!(house.signs_in("ada@example.org", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn nobody_can_keep_spoiling_the_link_that_somebody_waits_for() {
    let house = House::new().await;
    for _ in 0..3 {
        house.forgets("ada@example.org").await;
    }
    let third = house.token();
    assert_eq!(house.forgets("ada@example.org").await.0, 200);
    assert_eq!(house.token(), third);
    house.passes(SignedDuration::from_mins(61));
    house.forgets("ada@example.org").await;
    assert_ne!(house.token(), third);
}

#[tokio::test]
async fn links_are_asked_for_ten_times_a_minute_at_most() {
    let house = House::new().await;
    for _ in 0..10 {
        assert_eq!(house.forgets("ada@example.org").await.0, 200);
    }
    // One router for each call: this is the account's own budget, not the address's.
    assert_eq!(house.forgets("ada@example.org").await.0, 429);
    assert_eq!(house.forgets("eve@example.org").await.0, 200);
}

#[tokio::test]
async fn a_link_that_waits_is_sealed_and_bound_to_its_row() {
    let house = House::new().await;
    house.person("eve@example.org", "Eve").await;
    house.forgets("ada@example.org").await;
    let token = house.token();
    house.forgets("eve@example.org").await;
    let bare = format!(
        "SELECT count(*) FROM notifications WHERE CAST(link_sealed AS TEXT) LIKE '%{token}%'"
    );
    assert_eq!(house.count(&bare), 0);
    let (first, second): (i64, Vec<u8>) = house
        .app
        .store
        .read(|db| {
            let first = db.query_row("SELECT min(id) FROM notifications", [], |row| row.get(0))?;
            let second = db.query_row(
                "SELECT link_sealed FROM notifications ORDER BY id DESC",
                [],
                |row| row.get(0),
            )?;
            Ok::<_, StoreError>((first, second))
        })
        .unwrap();
    assert!(notifications::link(&house.app.secret_key, first, &second).is_err());
}

#[tokio::test]
async fn a_password_is_changed_by_whoever_knows_it_and_ends_the_other_sessions() {
    let house = House::new().await;
    let mut browser = house.adas_browser().await;
    house.forgets("ada@example.org").await;
    let token = house.token();
    let bearer = house.bearer().await;
    let change = async |current: &str, new: &str| {
        let words = json!({"current_password": current, "password": new});
        let path = "/auth/password";
        let answer = house.asks(Method::PUT, path, &bearer, Some(words)).await;
        (answer.status.as_u16(), answer.codes())
    };
    let wrong = vec!["/current_password wrong_password".to_owned()];
    assert_eq!(change("not this", NEW).await, (422, wrong));
    let guessed = vec!["/password easy_to_guess".to_owned()];
    assert_eq!(change(PASSWORD, "ada@example.org").await, (422, guessed));
    assert_eq!(change(PASSWORD, NEW).await.0, 204);
    assert_eq!(house.gets("/auth/me", &bearer).await.status, 200);
    assert_eq!(browser.looks("/").await.leads_to(), "/sign-in");
    // A link that was asked for before is no longer good.
    assert_eq!(house.resets(&token, "eight red foxes wait").await.0, 422);
    // Whoever found a program's token cannot go on guessing the password.
    for _ in 0..5 {
        assert_eq!(change("not this", "eight red foxes wait").await.0, 422);
    }
    assert_eq!(change(NEW, "eight red foxes wait").await.0, 429);
    assert!(house.signs_in("ada@example.org", NEW).await.is_ok());
}
