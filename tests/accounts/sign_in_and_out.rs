//! People: signing in and out, sessions, tokens, the set-up link.

use dewline::domain::access::Actor;
use dewline::services::admins::{self, NewPerson};
use dewline::services::sign_in::{self, Tokens};
use dewline::services::{Error, callers, set_up};
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};

use super::{House, PASSWORD, attempt, here, is_unknown};

#[tokio::test]
async fn a_person_signs_in_with_the_right_password_only() {
    let house = House::new().await;
    let tokens = house.signs_in(" ADA@example.org", PASSWORD).await.unwrap();
    assert_eq!(tokens.expires_in, 900);
    assert_eq!(tokens.user.name, "Ada");
    assert!(matches!(
        house.calls(tokens.access_token.expose_secret()),
        Ok(Actor::Person { .. })
    ));
    assert!(is_unknown(house.signs_in("ada@example.org", "wrong").await));
    assert!(is_unknown(
        house.signs_in("bob@example.org", PASSWORD).await
    ));
    let refused =
        "SELECT count(*) FROM audit_logs WHERE action = 'session.opened' AND status = 'refused'";
    assert_eq!(house.count(refused), 2);
}

#[tokio::test]
async fn an_account_takes_ten_attempts_a_minute_from_one_address() {
    let house = House::new().await;
    house.person("bob@example.org", "Bob").await;
    for _ in 0..10 {
        assert!(house.signs_in("bob@example.org", PASSWORD).await.is_ok());
    }
    let refused = house.signs_in("BOB@example.org", PASSWORD).await;
    assert!(matches!(refused, Err(Error::TooMany { retry_after: 6 })));
    // Neither another account nor another address is locked out by it.
    assert!(house.signs_in("ada@example.org", PASSWORD).await.is_ok());
    let mut elsewhere = attempt("bob@example.org", PASSWORD);
    elsewhere.address = "198.51.100.7".parse().unwrap();
    assert!(sign_in::api(&house.app, &elsewhere).await.is_ok());
}

#[tokio::test]
async fn signing_out_acts_at_the_next_request() {
    let house = House::new().await;
    let tokens = house.signs_in("ada@example.org", PASSWORD).await.unwrap();
    let access = tokens.access_token.expose_secret();
    let actor = house.calls(access).unwrap();
    sign_in::sign_out(&house.app, &actor).await.unwrap();
    assert!(is_unknown(house.calls(access)));
    assert!(is_unknown(
        sign_in::refresh(&house.app, tokens.refresh_token.expose_secret()).await
    ));
}

#[tokio::test]
async fn a_new_password_ends_all_sessions_at_once() {
    let house = House::new().await;
    let tokens = house.signs_in("ada@example.org", PASSWORD).await.unwrap();
    let page = sign_in::page(&house.app, &attempt("ada@example.org", PASSWORD))
        .await
        .unwrap()
        .session()
        .unwrap();
    let cookie = page.cookie.expose_secret();
    assert!(callers::page_session(&house.app, cookie).is_ok());
    assert!(house.calls(tokens.access_token.expose_secret()).is_ok());
    let new = SecretString::from("another long password");
    admins::reset_password(&house.app, &Actor::System, "ada@example.org", &new)
        .await
        .unwrap();
    assert!(is_unknown(callers::page_session(&house.app, cookie)));
    assert!(is_unknown(house.calls(tokens.access_token.expose_secret())));
    assert!(is_unknown(
        house.signs_in("ada@example.org", PASSWORD).await
    ));
    assert!(
        house
            .signs_in("ada@example.org", "another long password")
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_page_session_ends_when_idle_and_when_old() {
    let house = House::new().await;
    let page = sign_in::page(&house.app, &attempt("ada@example.org", PASSWORD))
        .await
        .unwrap()
        .session()
        .unwrap();
    let cookie = page.cookie.expose_secret();
    // Never idle: it is used every 23 hours, and once more in its last minute.
    for _ in 0..14 {
        house.passes(SignedDuration::from_hours(23));
        assert!(callers::page_session(&house.app, cookie).is_ok());
    }
    house.passes(SignedDuration::from_mins((14 * 24 - 14 * 23) * 60 - 1));
    assert!(callers::page_session(&house.app, cookie).is_ok());
    house.passes(SignedDuration::from_mins(1));
    assert!(is_unknown(callers::page_session(&house.app, cookie)));
    let second = sign_in::page(&house.app, &attempt("ada@example.org", PASSWORD))
        .await
        .unwrap()
        .session()
        .unwrap();
    assert_ne!(second.cookie.expose_secret(), cookie);
    house.passes(SignedDuration::from_hours(24));
    assert!(is_unknown(callers::page_session(
        &house.app,
        second.cookie.expose_secret()
    )));
    // A page's cookie is no bearer, and an access token is no cookie.
    assert!(is_unknown(house.calls(cookie)));
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_its_copy_gives_it_away() {
    let house = House::new().await;
    let first = house.signs_in("ada@example.org", PASSWORD).await.unwrap();
    let refresh = async |tokens: &Tokens| {
        sign_in::refresh(&house.app, tokens.refresh_token.expose_secret()).await
    };
    let second = refresh(&first).await.unwrap();
    house.passes(SignedDuration::from_secs(10));
    let again = refresh(&first).await.unwrap();
    assert_eq!(
        second.refresh_token.expose_secret(),
        again.refresh_token.expose_secret()
    );
    let third = refresh(&second).await.unwrap();
    assert!(house.calls(third.access_token.expose_secret()).is_ok());
    // The first is two rotations old: whoever sends it has a copy. All of the family ends.
    assert!(is_unknown(refresh(&first).await));
    assert!(is_unknown(refresh(&third).await));
    assert!(is_unknown(house.calls(third.access_token.expose_secret())));
    assert_eq!(
        house.count("SELECT count(*) FROM audit_logs WHERE action = 'session.refresh_reused'"),
        1
    );
}

#[tokio::test]
async fn a_refresh_token_sent_again_after_ten_seconds_ends_the_family() {
    let house = House::new().await;
    let first = house.signs_in("ada@example.org", PASSWORD).await.unwrap();
    let text = first.refresh_token.expose_secret();
    let second = sign_in::refresh(&house.app, text).await.unwrap();
    house.passes(SignedDuration::from_secs(11));
    assert!(is_unknown(sign_in::refresh(&house.app, text).await));
    assert!(is_unknown(house.calls(second.access_token.expose_secret())));
}

#[tokio::test]
async fn a_forged_refresh_token_harms_nobody() {
    let house = House::new().await;
    let tokens = house.signs_in("ada@example.org", PASSWORD).await.unwrap();
    let good = tokens.refresh_token.expose_secret();
    let forged = format!("dwr_{}", "x".repeat(43)) + &good[47..];
    assert!(is_unknown(sign_in::refresh(&house.app, &forged).await));
    assert!(is_unknown(
        sign_in::refresh(&house.app, tokens.access_token.expose_secret()).await
    ));
    assert!(is_unknown(house.calls(good)));
    assert!(sign_in::refresh(&house.app, good).await.is_ok());
}

#[tokio::test]
async fn a_refresh_token_lives_thirty_days() {
    let house = House::new().await;
    let tokens = house.signs_in("ada@example.org", PASSWORD).await.unwrap();
    house.passes(SignedDuration::from_hours(30 * 24 - 1));
    let next = sign_in::refresh(&house.app, tokens.refresh_token.expose_secret())
        .await
        .unwrap();
    house.passes(SignedDuration::from_hours(30 * 24));
    assert!(is_unknown(
        sign_in::refresh(&house.app, next.refresh_token.expose_secret()).await
    ));
}

#[tokio::test]
async fn tokens_of_another_installation_and_old_ones_are_refused() {
    let (house, other) = (House::seeded(1).await, House::seeded(2).await);
    let foreign = other.signs_in("ada@example.org", PASSWORD).await.unwrap();
    let own = house.signs_in("ada@example.org", PASSWORD).await.unwrap();
    assert!(is_unknown(
        house.calls(foreign.access_token.expose_secret())
    ));
    assert!(is_unknown(
        sign_in::refresh(&house.app, foreign.refresh_token.expose_secret()).await
    ));
    house.passes(SignedDuration::from_mins(15));
    assert!(is_unknown(house.calls(own.access_token.expose_secret())));
}

#[tokio::test]
async fn the_set_up_link_is_good_once() {
    let house = House::new().await;
    assert!(set_up::begin(&house.app).await.unwrap().is_none());
    house.sql("DELETE FROM users").await;
    let old = set_up::begin(&house.app).await.unwrap().unwrap();
    let token = set_up::begin(&house.app).await.unwrap().unwrap();
    assert!(matches!(
        set_up::look(&house.app, &old).await,
        Err(Error::NotFound)
    ));
    set_up::look(&house.app, &token).await.unwrap();
    let wrong = set_up::person("eve", "", "short");
    let refused = set_up::complete(&house.app, &token, wrong, (here(), "")).await;
    assert!(matches!(refused, Err(Error::Invalid(faults)) if faults.len() == 3));
    let eve = || set_up::person("eve@example.org", "Eve", PASSWORD);
    let page = set_up::complete(&house.app, &token, eve(), (here(), "Firefox"))
        .await
        .unwrap();
    assert!(callers::page_session(&house.app, page.cookie.expose_secret()).is_ok());
    let again = set_up::complete(&house.app, &token, eve(), (here(), "")).await;
    assert!(matches!(again, Err(Error::NotFound)));
    assert!(!set_up::is_needed(&house.app).await.unwrap());
}

#[tokio::test]
async fn an_old_set_up_link_is_not_taken() {
    let house = House::new().await;
    house.sql("DELETE FROM users").await;
    let token = set_up::begin(&house.app).await.unwrap().unwrap();
    house.passes(SignedDuration::from_hours(24));
    assert!(matches!(
        set_up::look(&house.app, &token).await,
        Err(Error::NotFound)
    ));
}

#[tokio::test]
async fn only_the_operator_makes_administrators() {
    let house = House::new().await;
    let ada = house.ada().await;
    let person = |email: &str| NewPerson {
        email: email.to_owned(),
        name: "Bob".to_owned(),
        password: PASSWORD.into(),
    };
    let refused = admins::create(&house.app, &ada, person("bob@example.org")).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))));
    let taken = admins::create(&house.app, &Actor::System, person("Ada@Example.org")).await;
    assert!(matches!(
        taken,
        Err(Error::Conflict {
            code: "email_taken",
            ..
        })
    ));
    let nobody = admins::reset_password(
        &house.app,
        &Actor::System,
        "x@example.org",
        &PASSWORD.into(),
    )
    .await;
    assert!(matches!(nobody, Err(Error::NotFound)));
}

#[tokio::test]
async fn whoever_refreshes_stays_signed_in_longer_than_a_first_refresh_token_is_good() {
    let house = House::new().await;
    let mut tokens = house.signs_in("ada@example.org", PASSWORD).await.unwrap();
    for day in 0..35 {
        let called = house.calls(tokens.access_token.expose_secret());
        assert!(called.is_ok(), "after {day} days");
        house.passes(SignedDuration::from_hours(24));
        tokens = sign_in::refresh(&house.app, tokens.refresh_token.expose_secret())
            .await
            .unwrap();
    }
    // Without it the session ends.
    house.passes(SignedDuration::from_hours(31 * 24));
    let refreshed = sign_in::refresh(&house.app, tokens.refresh_token.expose_secret()).await;
    assert!(is_unknown(refreshed));
}
