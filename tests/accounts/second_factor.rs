//! The second step of a sign-in, as programs take it: codes are good once and only around their time,
//! guessing is held, and whoever lost everything is helped by an administrator.

use dewline::domain::access::Actor;
use dewline::services::admins::{self, NewPerson};
use dewline::services::two_factors::challenges::{self, Response};
use dewline::services::{Error, two_factors};
use dewline::store::{Lane, StoreError};
use jiff::SignedDuration;
use secrecy::SecretString;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use crate::support::{Answer, EMAIL, PASSWORD, TestApp};

const BOB: &str = "bob@example.org";

/// A person's phone.
pub struct Phone(pub String);

impl Phone {
    /// What it shows at that time.
    pub fn shows_at(&self, seconds: i64) -> String {
        let totp = Builder::new()
            .with_secret(Secret::try_from_base32(self.0.replace(' ', "")).unwrap())
            .with_account_name("any")
            .build()
            .unwrap();
        totp.generate(seconds.try_into().unwrap()).to_string()
    }

    fn shows(&self, house: &TestApp) -> String {
        self.shows_at(now(house))
    }
}

fn now(house: &TestApp) -> i64 {
    use dewline::clock::Clock;
    house.clock.now().as_second()
}

/// A code of six digits that the phone shows at no time near now.
fn wrong(phone: &Phone, house: &TestApp) -> String {
    let near: Vec<String> = (-3..=3)
        .map(|n| phone.shows_at(now(house) + 30 * n))
        .collect();
    let code = (0..10)
        .map(|n| format!("00000{n}"))
        .find(|code| !near.contains(code));
    code.unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// An appliance whose limits on requests don't get in the way of what guesses do.
async fn house() -> TestApp {
    TestApp::with(|config| config.rate_limits.enabled = false).await
}

/// Ada sets up her phone: what it is, and her backup codes.
async fn set_up(house: &TestApp) -> (Phone, Vec<String>) {
    set_up_as(house, house.admin()).await
}

async fn set_up_as(house: &TestApp, client: crate::support::Client<'_>) -> (Phone, Vec<String>) {
    let made = client.post("/auth/2fa/setup", &json!({})).await.ok();
    let phone = Phone(text(&made["data"]["secret"]));
    let code = json!({"code": phone.shows(house)});
    let enabled = client.post("/auth/2fa/enable", &code).await.ok();
    let codes = enabled["data"]["backup_codes"].as_array().unwrap();
    let codes: Vec<String> = codes.iter().map(text).collect();
    assert_eq!(codes.len(), 10);
    house.clock.advance(SignedDuration::from_secs(30));
    (phone, codes)
}

async fn bob(house: &TestApp) -> i64 {
    let person = NewPerson {
        email: BOB.to_owned(),
        name: "Bob".to_owned(),
        password: PASSWORD.into(),
    };
    admins::create(&house.app, &Actor::System, person)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_secret_waits_an_hour_for_its_first_code() {
    let house = house().await;
    let made = house.admin().post("/auth/2fa/setup", &json!({})).await.ok();
    let phone = Phone(text(&made["data"]["secret"]));
    house.clock.advance(SignedDuration::from_mins(60));
    let token = house.signs_in().await;
    let code = json!({"code": phone.shows(&house)});
    let late = house.bearer(&token).post("/auth/2fa/enable", &code).await;
    assert_eq!(
        late.json()["errors"][0]["code"],
        "not_set_up",
        "{}",
        late.text
    );
    set_up_as(&house, house.bearer(&token)).await;
}

/// The first step.
async fn challenge_of(house: &TestApp, email: &str) -> String {
    let words = json!({"email": email, "password": PASSWORD});
    let answer = house.anonymous().post("/auth/login", &words).await.ok();
    assert_eq!(answer["data"]["two_factor_required"], true);
    assert!(answer["data"]["access_token"].is_null(), "{answer}");
    text(&answer["data"]["challenge_token"])
}

/// The second step.
async fn answers(house: &TestApp, challenge: &str, code: &str) -> Answer {
    let words = json!({"challenge_token": challenge, "code": code});
    house.anonymous().post("/auth/2fa/verify", &words).await
}

/// Both steps, from the first one on.
async fn signs_in(house: &TestApp, code: &str) -> Answer {
    answers(house, &challenge_of(house, EMAIL).await, code).await
}

fn count(house: &TestApp, sql: &str) -> i64 {
    let counted = house
        .app
        .store
        .read(|db| Ok::<_, StoreError>(db.query_row(sql, [], |row| row.get(0))?));
    counted.unwrap()
}

#[tokio::test]
async fn tokens_are_given_after_the_second_step_only() {
    let house = house().await;
    let made = house.admin().post("/auth/2fa/setup", &json!({})).await.ok();
    let address = text(&made["data"]["otpauth_uri"]);
    assert!(
        address.starts_with("otpauth://totp/Dewline:ada%40example.org?secret="),
        "{address}"
    );
    assert!(text(&made["data"]["qr_svg"]).starts_with("<svg"));
    // Until the first code nothing is asked.
    house.signs_in().await;
    assert_eq!(
        house.admin().get("/auth/2fa").await.ok()["data"]["enabled"],
        false
    );
    let (phone, _) = set_up(&house).await;
    let sessions = "SELECT count(*) FROM sessions";
    let before = count(&house, sessions);
    let challenge = challenge_of(&house, EMAIL).await;
    assert_eq!(count(&house, sessions), before);
    assert_eq!(house.bearer(&challenge).get("/auth/me").await.status, 401);
    let tokens = answers(&house, &challenge, &phone.shows(&house)).await.ok();
    assert_eq!(count(&house, sessions), before + 1);
    let token = text(&tokens["data"]["access_token"]);
    let standing = house.bearer(&token).get("/auth/2fa").await.ok();
    assert_eq!(standing["data"]["enabled"], true);
    assert_eq!(standing["data"]["backup_codes_left"], 10);
    let refresh = json!({"refresh_token": tokens["data"]["refresh_token"]});
    house.anonymous().post("/auth/refresh", &refresh).await.ok();
}

#[tokio::test]
async fn a_code_is_good_once() {
    let house = house().await;
    let (phone, _) = set_up(&house).await;
    let code = phone.shows(&house);
    signs_in(&house, &code).await.ok();
    let again = signs_in(&house, &code).await;
    assert_eq!(
        (again.status.as_u16(), again.faults()),
        (422, vec!["/code wrong".to_owned()])
    );
    // The one before it is within the drift, but earlier than what was taken.
    let earlier = phone.shows_at(now(&house) - 30);
    assert_eq!(signs_in(&house, &earlier).await.status, 422);
    house.clock.advance(SignedDuration::from_secs(30));
    signs_in(&house, &phone.shows(&house)).await.ok();
}

#[tokio::test]
async fn a_phone_may_be_one_step_early_or_late_and_not_two() {
    let house = house().await;
    let (phone, _) = set_up(&house).await;
    for (steps, status) in [(-2, 422), (-1, 200), (2, 422), (1, 200)] {
        house.clock.advance(SignedDuration::from_secs(120));
        let code = phone.shows_at(now(&house) + 30 * steps);
        assert_eq!(
            signs_in(&house, &code).await.status,
            status,
            "{steps} steps"
        );
    }
}

#[tokio::test]
async fn a_challenge_is_good_once_for_five_minutes_and_for_one_person() {
    let house = house().await;
    let (phone, codes) = set_up(&house).await;
    let used = challenge_of(&house, EMAIL).await;
    answers(&house, &used, &phone.shows(&house)).await.ok();
    house.clock.advance(SignedDuration::from_secs(30));
    assert_eq!(
        answers(&house, &used, &phone.shows(&house)).await.status,
        401
    );
    let late = challenge_of(&house, EMAIL).await;
    house.clock.advance(SignedDuration::from_mins(5));
    assert_eq!(
        answers(&house, &late, &phone.shows(&house)).await.status,
        401
    );
    assert_eq!(
        answers(&house, "nobody's", &phone.shows(&house))
            .await
            .status,
        401
    );
    // Bob's phone and Bob's paper say nothing about Ada.
    bob(&house).await;
    let words = json!({"email": BOB, "password": PASSWORD});
    let token = house.anonymous().post("/auth/login", &words).await.ok();
    let token = text(&token["data"]["access_token"]);
    let (bobs, bobs_codes) = set_up_as(&house, house.bearer(&token)).await;
    let adas = challenge_of(&house, EMAIL).await;
    assert_eq!(
        answers(&house, &adas, &bobs.shows(&house)).await.status,
        422
    );
    assert_eq!(answers(&house, &adas, &bobs_codes[0]).await.status, 422);
    assert_eq!(
        answers(&house, &adas, &codes[0]).await.ok()["data"]["user"]["email"],
        EMAIL
    );
}

#[tokio::test]
async fn a_challenge_takes_five_wrong_codes() {
    let house = house().await;
    let (phone, _) = set_up(&house).await;
    let challenge = challenge_of(&house, EMAIL).await;
    for _ in 0..4 {
        let wrong = wrong(&phone, &house);
        assert_eq!(answers(&house, &challenge, &wrong).await.status, 422);
    }
    let wrong = wrong(&phone, &house);
    assert_eq!(answers(&house, &challenge, &wrong).await.status, 401);
    let right = phone.shows(&house);
    assert_eq!(answers(&house, &challenge, &right).await.status, 401);
    signs_in(&house, &right).await.ok();
    let refused =
        "SELECT count(*) FROM audit_logs WHERE action = 'session.opened' AND status = 'refused'";
    assert_eq!(count(&house, refused), 5);
}

#[tokio::test]
async fn guessing_over_many_challenges_and_addresses_is_held_but_backup_codes_are_taken() {
    let house = house().await;
    let (phone, codes) = set_up(&house).await;
    let guess = async |n: u8, code: &str| {
        let challenge = challenge_of(&house, EMAIL).await;
        let words = json!({"challenge_token": challenge, "code": code});
        let client = house.anonymous().from(&format!("198.51.100.{n}"));
        client.post("/auth/2fa/verify", &words).await
    };
    for n in 0..10 {
        assert_eq!(guess(n, &wrong(&phone, &house)).await.status, 422);
    }
    // Now even the right one isn't looked at, from wherever it comes.
    let held = guess(10, &phone.shows(&house)).await;
    assert_eq!(held.status, 429);
    assert_eq!(held.header("retry-after"), "3600");
    guess(11, &codes[0]).await.ok();
    // A backup code was right: what was wrong before it is forgotten.
    guess(12, &phone.shows(&house)).await.ok();
    for n in 0..10 {
        guess(n, &wrong(&phone, &house)).await;
    }
    // Guessing on makes the pause longer, and what comes within it doesn't.
    house.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(guess(13, &wrong(&phone, &house)).await.status, 422);
    for n in 0..3 {
        assert_eq!(
            guess(n, &phone.shows(&house)).await.header("retry-after"),
            "7200"
        );
    }
    house.clock.advance(SignedDuration::from_hours(2));
    guess(14, &phone.shows(&house)).await.ok();
}

#[tokio::test]
async fn a_backup_code_is_good_once_and_new_ones_make_old_ones_void() {
    let house = house().await;
    let (_, codes) = set_up(&house).await;
    // As people type it.
    let typed = format!(" {} ", codes[0].to_uppercase().replace('-', " "));
    let tokens = signs_in(&house, &typed).await.ok();
    assert_eq!(signs_in(&house, &codes[0]).await.status, 422);
    let token = text(&tokens["data"]["access_token"]);
    let ada = house.bearer(&token);
    assert_eq!(
        ada.get("/auth/2fa").await.ok()["data"]["backup_codes_left"],
        9
    );
    let wrong = ada
        .post(
            "/auth/2fa/backup-codes",
            &json!({"password": "not this one"}),
        )
        .await;
    assert_eq!(wrong.faults(), ["/password wrong_password"]);
    let new = ada
        .post("/auth/2fa/backup-codes", &json!({"password": PASSWORD}))
        .await
        .ok();
    assert_eq!(signs_in(&house, &codes[1]).await.status, 422);
    signs_in(&house, &text(&new["data"]["backup_codes"][0]))
        .await
        .ok();
}

#[tokio::test]
async fn a_new_password_voids_challenges_and_leaves_the_second_step() {
    let house = house().await;
    let (phone, _) = set_up(&house).await;
    let challenge = challenge_of(&house, EMAIL).await;
    let new = "another long lantern";
    admins::reset_password(&house.app, &Actor::System, EMAIL, &SecretString::from(new))
        .await
        .unwrap();
    assert_eq!(
        answers(&house, &challenge, &phone.shows(&house))
            .await
            .status,
        401
    );
    let words = json!({"email": EMAIL, "password": new});
    let answer = house.anonymous().post("/auth/login", &words).await.ok();
    assert_eq!(answer["data"]["two_factor_required"], true);
}

#[tokio::test]
async fn switching_it_off_takes_the_password_and_a_code() {
    let house = house().await;
    let (phone, codes) = set_up(&house).await;
    let ada = house.admin();
    let off = async |password: &str, code: &str| {
        let words = json!({"password": password, "code": code});
        ada.post("/auth/2fa/disable", &words).await
    };
    assert_eq!(
        off("not this one", &phone.shows(&house)).await.faults(),
        ["/password wrong_password"]
    );
    assert_eq!(
        off(PASSWORD, &wrong(&phone, &house)).await.faults(),
        ["/code wrong"]
    );
    let again = ada.post("/auth/2fa/setup", &json!({})).await;
    assert_eq!(again.json()["errors"][0]["code"], "already_enabled");
    assert_eq!(off(PASSWORD, &phone.shows(&house)).await.status, 204);
    house.signs_in().await;
    assert_eq!(off(PASSWORD, &codes[0]).await.status, 409);
    let left = "SELECT (SELECT count(*) FROM second_factors) + (SELECT count(*) FROM backup_codes)";
    assert_eq!(count(&house, left), 0);
}

#[tokio::test]
async fn setting_up_again_replaces_the_secret_that_waited() {
    let house = house().await;
    let ada = house.admin();
    let code = json!({"code": "123456"});
    let early = ada.post("/auth/2fa/enable", &code).await;
    assert_eq!(early.json()["errors"][0]["code"], "not_set_up");
    let first = ada.post("/auth/2fa/setup", &json!({})).await.ok();
    let first = Phone(text(&first["data"]["secret"]));
    ada.post("/auth/2fa/setup", &json!({})).await.ok();
    let code = json!({"code": first.shows(&house)});
    assert_eq!(
        ada.post("/auth/2fa/enable", &code).await.faults(),
        ["/code wrong"]
    );
}

#[tokio::test]
async fn switching_it_on_ends_the_sessions_that_were_opened_without_it() {
    let house = house().await;
    let words = json!({"email": EMAIL, "password": PASSWORD});
    let other = house.anonymous().post("/auth/login", &words).await.ok();
    let token = text(&other["data"]["access_token"]);
    house.bearer(&token).get("/auth/me").await.ok();
    set_up(&house).await;
    assert_eq!(house.bearer(&token).get("/auth/me").await.status, 401);
    let refresh = json!({"refresh_token": other["data"]["refresh_token"]});
    let refused = house.anonymous().post("/auth/refresh", &refresh).await;
    assert_eq!(refused.status, 401);
    house.admin().get("/auth/me").await.ok();
    let recorded = "SELECT count(*) FROM audit_logs
        WHERE action = 'two_factor.enabled' AND data LIKE '%\"sessions_ended\":1%'";
    assert_eq!(count(&house, recorded), 1);
}

#[tokio::test]
async fn setting_up_long_after_the_sign_in_takes_the_password() {
    let house = house().await;
    let words = json!({"email": EMAIL, "password": PASSWORD});
    let tokens = house.anonymous().post("/auth/login", &words).await.ok();
    house.clock.advance(SignedDuration::from_mins(14));
    let refresh = json!({"refresh_token": tokens["data"]["refresh_token"]});
    let tokens = house.anonymous().post("/auth/refresh", &refresh).await.ok();
    let token = text(&tokens["data"]["access_token"]);
    let ada = house.bearer(&token);
    let path = "/auth/2fa/setup";
    house.clock.advance(SignedDuration::from_mins(1));
    ada.post(path, &json!({})).await.ok();
    house.clock.advance(SignedDuration::from_secs(1));
    let stale = ada.post(path, &json!({})).await;
    assert_eq!(stale.faults(), ["/password required"]);
    let wrong = ada.post(path, &json!({"password": "not this one"})).await;
    assert_eq!(wrong.faults(), ["/password wrong_password"]);
    ada.post(path, &json!({"password": PASSWORD})).await.ok();
}

#[tokio::test]
async fn keys_have_no_part_in_it() {
    let house = house().await;
    let harbour = house.organization("Harbour").await;
    let key = house
        .key(harbour, &["organizations:manage", "sites:read"])
        .await;
    let key = house.bearer(&key);
    assert_eq!(key.get("/auth/2fa").await.status, 403);
    for path in [
        "/auth/2fa/setup",
        "/auth/2fa/enable",
        "/auth/2fa/disable",
        "/auth/2fa/backup-codes",
    ] {
        assert_eq!(key.post(path, &json!({})).await.status, 403, "{path}");
        assert_eq!(
            house.anonymous().post(path, &json!({})).await.status,
            401,
            "{path}"
        );
    }
    assert_eq!(key.post("/users/1/2fa/reset", &json!({})).await.status, 403);
}

#[tokio::test]
async fn whoever_lost_everything_is_helped_by_an_administrator_on_record() {
    let house = house().await;
    let bob = bob(&house).await;
    let words = json!({"email": BOB, "password": PASSWORD});
    let tokens = house.anonymous().post("/auth/login", &words).await.ok();
    let token = text(&tokens["data"]["access_token"]);
    set_up_as(&house, house.bearer(&token)).await;
    challenge_of(&house, BOB).await;
    let path = format!("/users/{bob}/2fa/reset");
    assert_eq!(house.admin().post(&path, &json!({})).await.status, 204);
    assert_eq!(house.bearer(&token).get("/auth/me").await.status, 401);
    let recorded =
        "SELECT count(*) FROM audit_logs WHERE action = 'two_factor.reset' AND actor_id = 1";
    assert_eq!(count(&house, recorded), 1);
    assert_eq!(house.admin().post(&path, &json!({})).await.status, 409);
    assert_eq!(
        house
            .admin()
            .post("/users/77/2fa/reset", &json!({}))
            .await
            .status,
        404
    );
    let tokens = house.anonymous().post("/auth/login", &words).await.ok();
    let token = text(&tokens["data"]["access_token"]);
    // By the operator on the machine, likewise.
    set_up_as(&house, house.bearer(&token)).await;
    two_factors::reset_of(&house.app, &Actor::System, BOB)
        .await
        .unwrap();
    let nobody = two_factors::reset_of(&house.app, &Actor::System, "x@example.org").await;
    assert!(matches!(nobody, Err(Error::NotFound)));
}

#[tokio::test]
async fn what_is_done_with_it_is_on_record() {
    let house = house().await;
    let (phone, codes) = set_up(&house).await;
    signs_in(&house, &codes[0]).await.ok();
    let ada = house.admin();
    ada.post("/auth/2fa/backup-codes", &json!({"password": PASSWORD}))
        .await
        .ok();
    let off = json!({"password": PASSWORD, "code": phone.shows(&house)});
    assert_eq!(ada.post("/auth/2fa/disable", &off).await.status, 204);
    set_up(&house).await;
    // Her own goes by her password and a code, not by her office.
    let own = ada.post("/users/1/2fa/reset", &json!({})).await;
    assert_eq!(own.json()["errors"][0]["code"], "own_account");
    assert_eq!(ada.get("/auth/2fa").await.ok()["data"]["enabled"], true);
    let rows = ada
        .get("/audit-logs?filter[subject_kind]=two_factor&sort=id")
        .await;
    let actions: Vec<String> = rows.column("action").iter().map(text).collect();
    assert_eq!(
        actions,
        [
            "two_factor.enabled",
            "two_factor.backup_code_used",
            "two_factor.codes_made",
            "two_factor.disabled",
            "two_factor.enabled",
        ]
    );
    let who = json!({"kind": "user", "id": 1, "name": "Ada"});
    assert!(rows.column("actor").iter().all(|actor| *actor == who));
    let whose = rows.column("subject");
    assert!(whose.iter().all(|subject| subject["id"] == 1), "{whose:?}");
}

#[tokio::test]
async fn a_secret_that_was_copied_to_another_row_does_not_open() {
    let house = house().await;
    let (phone, _) = set_up(&house).await;
    let bob = bob(&house).await;
    house
        .app
        .store
        .write(Lane::Front, move |db| {
            db.execute(
                "INSERT INTO second_factors SELECT ?1, secret_sealed, enabled_at, 0, created_at FROM second_factors",
                [bob],
            )
            .map_err(StoreError::from)
        })
        .await
        .unwrap();
    let response = Response {
        challenge: challenge_of(&house, BOB).await.into(),
        code: phone.shows(&house),
        remember: false,
        address: "192.0.2.1".parse().unwrap(),
        device: String::new(),
        browser: None,
    };
    let refused = challenges::api(&house.app, &response).await;
    assert!(matches!(refused, Err(Error::Internal(_))), "{refused:?}");
}

#[tokio::test]
async fn nothing_secret_is_kept_as_it_is_or_put_on_record() {
    let house = house().await;
    let (phone, codes) = set_up(&house).await;
    signs_in(&house, &codes[3]).await.ok();
    let dump: String = house
        .app
        .store
        .read(|db| {
            Ok::<_, StoreError>(db.query_row(
                "SELECT group_concat(data) || (SELECT group_concat(hex(secret_sealed)) FROM second_factors)
                   || (SELECT group_concat(hex(code_hash)) FROM backup_codes) FROM audit_logs",
                [],
                |row| row.get(0),
            )?)
        })
        .unwrap();
    let secret = Secret::try_from_base32(&phone.0).unwrap();
    let bytes: String = secret
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    for hidden in [&phone.0, &bytes, &codes[3], &codes[3].replace('-', "")] {
        assert!(!dump.contains(hidden.as_str()), "{hidden}");
    }
}
