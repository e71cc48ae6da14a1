//! Whoever fails to sign in waits longer and longer, and keeps nobody else out.

use argon2::password_hash::PasswordHasher;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, Version};
use dewline::services::{Error, sign_in};
use dewline::store::Lane;
use jiff::SignedDuration;
use serde_json::json;

use super::{House, PASSWORD, attempt, is_unknown};
use dewline::services::Result;
use dewline::services::sign_in::Tokens;

fn waits(answer: Result<Tokens>) -> u64 {
    match answer {
        Err(Error::TooMany { retry_after }) => retry_after,
        other => panic!("{other:?}"),
    }
}

impl House {
    async fn fails(&self, email: &str, times: usize) {
        for _ in 0..times {
            assert!(is_unknown(self.signs_in(email, "wrong").await));
        }
    }
}

#[tokio::test]
async fn waits_grow_alike_for_accounts_that_are_there_and_those_that_are_not() {
    let house = House::new().await;
    for email in ["ada@example.org", "nobody@example.org"] {
        house.fails(email, 5).await;
        for seconds in [1, 2, 4, 8] {
            assert_eq!(waits(house.signs_in(email, "wrong").await), seconds);
            // Too early: not even the right password is looked at, and the wait stays as it is.
            assert_eq!(waits(house.signs_in(email, PASSWORD).await), seconds);
            house.passes(SignedDuration::from_mins(1));
            house.fails(email, 1).await;
        }
    }
}

#[tokio::test]
async fn of_a_program_that_goes_on_guessing_each_wait_leaves_one_row() {
    let house = House::new().await;
    house.fails("ada@example.org", 5).await;
    let early = "SELECT count(*) FROM audit_logs WHERE action = 'session.opened' AND data LIKE '%too_early%'";
    for round in 1..=2 {
        for _ in 0..4 {
            waits(house.signs_in("ada@example.org", "wrong").await);
        }
        assert_eq!(house.count(early), round);
        house.passes(SignedDuration::from_mins(1));
        house.fails("ada@example.org", 1).await;
    }
}

#[tokio::test]
async fn the_right_password_makes_all_good_again() {
    let house = House::new().await;
    house.fails("ada@example.org", 5).await;
    house.passes(SignedDuration::from_secs(1));
    assert!(house.signs_in("ada@example.org", PASSWORD).await.is_ok());
    house.passes(SignedDuration::from_mins(1));
    house.fails("ada@example.org", 5).await;
    assert_eq!(waits(house.signs_in("ada@example.org", PASSWORD).await), 1);
}

#[tokio::test]
async fn a_strangers_failures_keep_the_owner_out_of_neither_his_house_nor_his_browser() {
    let house = House::new().await;
    let mut own = house.adas_browser().await;
    own.sends("/sign-out", &[]).await;
    house.fails("ada@example.org", 5).await;
    assert_eq!(waits(house.signs_in("ada@example.org", PASSWORD).await), 1);
    // In the same house, by a browser that is known: at once.
    own.signs_in("ada@example.org", PASSWORD).await.leads_to();
    // And from anywhere else.
    let mut elsewhere = attempt("ada@example.org", PASSWORD);
    elsewhere.address = "198.51.100.7".parse().unwrap();
    assert!(sign_in::api(&house.app, &elsewhere).await.is_ok());
}

#[tokio::test]
async fn all_of_a_households_network_has_one_budget_for_an_account() {
    let house = House::new().await;
    house.person("eve@example.org", "Eve").await;
    let tries = async |email: &str, password: &str, from: &str| {
        let mut tried = attempt(email, password);
        tried.address = from.parse().unwrap();
        sign_in::api(&house.app, &tried).await
    };
    // Ten a minute, the right ones too.
    for host in 1..=10 {
        let from = format!("2001:db8:7:1::{host:x}");
        assert!(tries("ada@example.org", PASSWORD, &from).await.is_ok());
    }
    let inside = "2001:db8:7:1:ffff:ffff:ffff:ffff";
    let refused = tries("ada@example.org", PASSWORD, inside).await;
    assert!(matches!(refused, Err(Error::TooMany { .. })));
    assert!(tries("eve@example.org", PASSWORD, inside).await.is_ok());
    let next_door = "2001:db8:7:2::1";
    assert!(tries("ada@example.org", PASSWORD, next_door).await.is_ok());
    // And the growing delay: five wrong ones from anywhere in it.
    house.passes(SignedDuration::from_mins(1));
    for host in 1..=5 {
        let from = format!("2001:db8:7:1:{host}::9");
        assert!(is_unknown(
            tries("ada@example.org", "wrong", &from).await.map(drop)
        ));
    }
    let refused = tries("ada@example.org", PASSWORD, inside).await;
    assert!(matches!(refused, Err(Error::TooMany { retry_after: 1 })));
    assert!(tries("ada@example.org", PASSWORD, next_door).await.is_ok());
}

#[tokio::test]
async fn a_known_browser_has_a_budget_and_no_free_pass() {
    let house = House::new().await;
    let mut stolen = house.adas_browser().await;
    for _ in 0..5 {
        let page = stolen.signs_in("ada@example.org", "wrong").await;
        assert_eq!(page.status, 401);
    }
    let page = stolen.signs_in("ada@example.org", PASSWORD).await;
    assert_eq!(
        (page.status.as_u16(), page.header("retry-after")),
        (429, "1")
    );
    assert!(page.text.contains("Try again in 1 s."), "{}", page.text);
    // Without its cookie it is anybody.
    let mut plain = house.browser();
    plain.signs_in("ada@example.org", PASSWORD).await.leads_to();
    // It helps with nobody else's account.
    house.person("eve@example.org", "Eve").await;
    let mut eve = house.browser();
    eve.address = "198.51.100.7";
    eve.signs_in("eve@example.org", PASSWORD).await.leads_to();
    house.fails("ada@example.org", 5).await;
    eve.address = "192.0.2.1";
    assert_eq!(eve.signs_in("ada@example.org", PASSWORD).await.status, 429);
}

#[tokio::test]
async fn programs_are_told_how_long_to_wait() {
    let house = House::new().await;
    house.fails("ada@example.org", 5).await;
    let words = json!({"email": "ada@example.org", "password": PASSWORD});
    let answer = house.asks_from("192.0.2.1", "/auth/login", words).await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.headers["retry-after"], "1");
}

#[tokio::test]
async fn a_hash_of_other_parameters_is_made_anew_by_the_right_password_only() {
    let house = House::new().await;
    let weak = Params::new(64, 1, 1, None).unwrap();
    let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, weak);
    let old: PasswordHash = weak
        .hash_password_with_salt(PASSWORD.as_bytes(), b"sixteen bytes ok")
        .unwrap();
    let old = old.to_string();
    let kept = old.clone();
    house
        .app
        .store
        .write(Lane::Front, move |db| {
            db.execute("UPDATE users SET password_hash = ?1", [&kept])
                .map_err(|e| Error::Internal(e.to_string()))
        })
        .await
        .unwrap();
    let current =
        "SELECT count(*) FROM users WHERE password_hash LIKE '$argon2id$v=19$m=19456,t=2,p=1$%'";
    house.fails("ada@example.org", 1).await;
    assert_eq!(house.count(current), 0);
    assert!(house.signs_in("ada@example.org", PASSWORD).await.is_ok());
    assert_eq!(house.count(current), 1);
    assert!(house.signs_in("ada@example.org", PASSWORD).await.is_ok());
}
