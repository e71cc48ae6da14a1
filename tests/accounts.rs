//! Signing in, tokens, keys, and the record of what was done.

use std::net::IpAddr;
use std::sync::Arc;

use dewline::app::App;
use dewline::clock::{ManualClock, SeededEntropy};
use dewline::config::Config;
use dewline::domain::access::{Actor, Permission};
use dewline::domain::api_key::ApiKeyForm;
use dewline::services::admins::{self, NewPerson};
use dewline::services::api_keys::{self, ShownKey};
use dewline::services::sign_in::{self, Attempt, Tokens};
use dewline::services::{Error, Result, callers, set_up};
use dewline::store::{Lane, audit};
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use tempfile::TempDir;

pub const PASSWORD: &str = "correct horse battery";

pub struct House {
    pub app: Arc<App>,
    clock: Arc<ManualClock>,
    folder: TempDir,
}

impl House {
    pub async fn new() -> Self {
        Self::seeded(1).await
    }

    /// With two organizations, a site in each, and Ada, who may do all in all.
    async fn seeded(seed: u64) -> Self {
        let folder = TempDir::new().unwrap();
        let clock = Arc::new(ManualClock::at("2026-11-20T08:00:00Z".parse().unwrap()));
        let mut config = Config::default();
        config.data_dir = folder.path().join("data");
        config.drupal_org.enabled = false;
        let entropy = Arc::new(SeededEntropy::new(seed));
        let app = App::open(config, clock.clone(), entropy).unwrap();
        let house = Self { app, clock, folder };
        house
            .sql(
                "INSERT INTO organizations (id, name, created_at, updated_at, created_by, updated_by)
                   VALUES (1, 'Harbour', 0, 0, 'system', 'system'), (2, 'Meadow', 0, 0, 'system', 'system');
                 INSERT INTO sites (id, organization_id, name, environment, status, created_at, updated_at, created_by, updated_by)
                   VALUES (11, 1, 'Town hall', 'production', 5, 0, 0, 'system', 'system'),
                          (21, 2, 'Library', 'production', 5, 0, 0, 'system', 'system');",
            )
            .await;
        let ada = NewPerson {
            email: "ada@example.org".to_owned(),
            name: "Ada".to_owned(),
            password: PASSWORD.into(),
        };
        admins::create(&house.app, &Actor::System, ada)
            .await
            .unwrap();
        house
    }

    async fn sql(&self, sql: &'static str) {
        self.app
            .store
            .write(Lane::Front, move |db| {
                db.execute_batch(sql)
                    .map_err(|e| Error::Internal(e.to_string()))
            })
            .await
            .unwrap();
    }

    pub fn count(&self, sql: &str) -> i64 {
        self.app
            .store
            .read(|db| {
                Ok::<_, dewline::store::StoreError>(db.query_row(sql, [], |row| row.get(0))?)
            })
            .unwrap()
    }

    async fn signs_in(&self, email: &str, password: &str) -> Result<Tokens> {
        sign_in::api(&self.app, &attempt(email, password)).await
    }

    async fn ada(&self) -> Actor {
        let tokens = self.signs_in("ada@example.org", PASSWORD).await.unwrap();
        self.calls(tokens.access_token.expose_secret()).unwrap()
    }

    fn calls(&self, presented: &str) -> Result<Actor> {
        self.calls_from(presented, "192.0.2.1")
    }

    fn calls_from(&self, presented: &str, address: &str) -> Result<Actor> {
        callers::authenticate(&self.app, presented, address.parse().unwrap())
    }

    async fn site_key(&self, form: ApiKeyForm) -> ShownKey {
        let ada = self.ada().await;
        api_keys::create(&self.app, &ada, Some(11), None, &form)
            .await
            .unwrap()
    }

    fn passes(&self, by: SignedDuration) {
        self.clock.advance(by);
    }
}

fn attempt(email: &str, password: &str) -> Attempt {
    Attempt {
        email: email.to_owned(),
        password: password.into(),
        address: here(),
        device: "curl/8".to_owned(),
    }
}

fn here() -> IpAddr {
    "192.0.2.1".parse().unwrap()
}

fn named(name: &str) -> ApiKeyForm {
    ApiKeyForm {
        name: Some(name.to_owned()),
        ..ApiKeyForm::default()
    }
}

fn with_scopes(name: &str, scopes: &[&str]) -> ApiKeyForm {
    ApiKeyForm {
        scopes: Some(scopes.iter().map(|scope| (*scope).to_owned()).collect()),
        ..named(name)
    }
}

fn is_unknown<T>(answer: Result<T>) -> bool {
    matches!(answer, Err(Error::Unauthenticated))
}

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
    for _ in 0..10 {
        assert!(is_unknown(house.signs_in("bob@example.org", "wrong").await));
    }
    let refused = house.signs_in("BOB@example.org", "wrong").await;
    assert!(matches!(refused, Err(Error::TooMany { retry_after: 6 })));
    // Neither another account nor another address is locked out by it.
    assert!(house.signs_in("ada@example.org", PASSWORD).await.is_ok());
    let mut elsewhere = attempt("bob@example.org", "wrong");
    elsewhere.address = "198.51.100.7".parse().unwrap();
    assert!(is_unknown(sign_in::api(&house.app, &elsewhere).await));
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
        .unwrap();
    let cookie = page.cookie.expose_secret();
    for _ in 0..13 {
        house.passes(SignedDuration::from_hours(23));
        assert!(callers::page_session(&house.app, cookie).is_ok());
    }
    house.passes(SignedDuration::from_hours(14 * 24));
    assert!(is_unknown(callers::page_session(&house.app, cookie)));
    let second = sign_in::page(&house.app, &attempt("ada@example.org", PASSWORD))
        .await
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
async fn a_sites_key_speaks_for_its_site_and_can_only_sync() {
    let house = House::new().await;
    let shown = house.site_key(named("web")).await;
    let actor = house.calls(shown.secret.expose_secret()).unwrap();
    assert!(actor.require(Permission::Sync).is_ok());
    assert!(actor.require(Permission::SitesRead).is_err());
    assert!(actor.sight().sees(1, 11));
    assert!(!actor.sight().sees(2, 21));
}

#[tokio::test]
async fn a_typo_in_a_key_is_refused_without_a_look_up() {
    let house = House::new().await;
    let shown = house.site_key(named("web")).await;
    let mut typo = shown.secret.expose_secret().to_owned();
    let last = if typo.ends_with('a') { "b" } else { "a" };
    typo.replace_range(60.., last);
    assert!(is_unknown(house.calls(&typo)));
    house.app.store.close();
    assert!(is_unknown(house.calls("dwl_x")));
}

#[tokio::test]
async fn a_revoked_key_is_refused_in_the_same_second() {
    let house = House::new().await;
    let shown = house.site_key(named("web")).await;
    let key = shown.secret.expose_secret();
    assert!(house.calls(key).is_ok());
    let ada = house.ada().await;
    api_keys::revoke(&house.app, &ada, shown.key.id)
        .await
        .unwrap();
    assert!(is_unknown(house.calls(key)));
    api_keys::revoke(&house.app, &ada, shown.key.id)
        .await
        .unwrap();
    assert!(
        api_keys::get(&house.app, &ada, shown.key.id)
            .await
            .unwrap()
            .revoked_at
            .is_some()
    );
    let rotated = api_keys::rotate(&house.app, &ada, shown.key.id, None).await;
    assert!(matches!(
        rotated,
        Err(Error::Conflict {
            code: "revoked",
            ..
        })
    ));
}

#[tokio::test]
async fn a_key_ends_when_it_says_so() {
    let house = House::new().await;
    let form = ApiKeyForm {
        expires_at: Some(Some("2026-11-20T09:00:00Z".to_owned())),
        ..named("web")
    };
    let shown = house.site_key(form).await;
    assert!(house.calls(shown.secret.expose_secret()).is_ok());
    house.passes(SignedDuration::from_hours(1));
    assert!(is_unknown(house.calls(shown.secret.expose_secret())));
}

#[tokio::test]
async fn a_key_is_taken_from_its_networks_only() {
    let house = House::new().await;
    let form = ApiKeyForm {
        networks: Some(vec!["192.0.2.0/24".to_owned(), "2001:db8::/32".to_owned()]),
        ..named("web")
    };
    let shown = house.site_key(form).await;
    let key = shown.secret.expose_secret();
    assert!(house.calls_from(key, "192.0.2.200").is_ok());
    assert!(house.calls_from(key, "2001:db8::7").is_ok());
    assert!(house.calls_from(key, "::ffff:192.0.2.200").is_ok());
    assert!(is_unknown(house.calls_from(key, "198.51.100.1")));
    assert!(is_unknown(house.calls_from(key, "2001:db9::7")));
}

#[tokio::test]
async fn the_old_key_is_taken_during_the_grace_and_not_after() {
    let house = House::new().await;
    let ada = house.ada().await;
    let first = house.site_key(named("web")).await;
    let second = api_keys::rotate(&house.app, &ada, first.key.id, Some(60))
        .await
        .unwrap();
    assert_ne!(first.key.prefix, second.key.prefix);
    assert!(house.calls(first.secret.expose_secret()).is_ok());
    assert!(house.calls(second.secret.expose_secret()).is_ok());
    house.passes(SignedDuration::from_mins(60));
    assert!(is_unknown(house.calls(first.secret.expose_secret())));
    let third = api_keys::rotate(&house.app, &ada, first.key.id, Some(0))
        .await
        .unwrap();
    assert!(is_unknown(house.calls(second.secret.expose_secret())));
    assert!(house.calls(third.secret.expose_secret()).is_ok());
    let long = api_keys::rotate(&house.app, &ada, first.key.id, Some(10_081)).await;
    assert!(matches!(long, Err(Error::Invalid(_))));
}

#[tokio::test]
async fn the_keys_of_what_is_deleted_are_refused() {
    let house = House::new().await;
    let shown = house.site_key(named("web")).await;
    let ada = house.ada().await;
    let form = with_scopes("ci", &["sites:read"]);
    let wide = api_keys::create(&house.app, &ada, None, Some(1), &form)
        .await
        .unwrap();
    house
        .sql("UPDATE sites SET deleted_at = 1 WHERE id = 11")
        .await;
    house.app.callers.forget();
    assert!(is_unknown(house.calls(shown.secret.expose_secret())));
    assert!(house.calls(wide.secret.expose_secret()).is_ok());
    house
        .sql("UPDATE organizations SET deleted_at = 1 WHERE id = 1")
        .await;
    house.app.callers.forget();
    assert!(is_unknown(house.calls(wide.secret.expose_secret())));
    let gone = api_keys::get(&house.app, &ada, wide.key.id).await;
    assert!(matches!(gone, Err(Error::NotFound)));
}

#[tokio::test]
async fn nobody_gives_a_key_more_than_he_holds_or_beyond_his_wall() {
    let house = House::new().await;
    let ada = house.ada().await;
    let form = with_scopes("clerk", &["api_keys:manage", "sites:read"]);
    let clerk = api_keys::create(&house.app, &ada, None, Some(1), &form)
        .await
        .unwrap();
    let clerk = house.calls(clerk.secret.expose_secret()).unwrap();
    let strong = api_keys::create(
        &house.app,
        &ada,
        None,
        Some(1),
        &with_scopes("x", &["sites:delete"]),
    )
    .await
    .unwrap();
    let foreign = api_keys::create(&house.app, &ada, Some(21), None, &named("y"))
        .await
        .unwrap();
    let app = &house.app;
    let forbidden = |answer: Result<ShownKey>| matches!(answer, Err(Error::Forbidden(_)));
    let read = with_scopes("r", &["sites:read"]);
    assert!(
        api_keys::create(app, &clerk, None, Some(1), &read)
            .await
            .is_ok()
    );
    assert!(forbidden(
        api_keys::create(
            app,
            &clerk,
            None,
            Some(1),
            &with_scopes("d", &["sites:delete"])
        )
        .await
    ));
    assert!(forbidden(
        api_keys::create(app, &clerk, Some(11), None, &named("s")).await
    ));
    assert!(forbidden(
        api_keys::create(app, &clerk, None, Some(2), &read).await
    ));
    assert!(forbidden(
        api_keys::create(app, &clerk, None, Some(99), &read).await
    ));
    // Whoever rotates a key holds it: a stronger one is out of reach.
    assert!(forbidden(
        api_keys::rotate(app, &clerk, strong.key.id, None).await
    ));
    let unseen = api_keys::create(app, &clerk, Some(21), None, &named("s")).await;
    assert!(matches!(unseen, Err(Error::Invalid(faults)) if faults[0].code == "not_found"));
    assert!(matches!(
        api_keys::get(app, &clerk, foreign.key.id).await,
        Err(Error::NotFound)
    ));
    assert!(matches!(
        api_keys::revoke(app, &clerk, foreign.key.id).await,
        Err(Error::NotFound)
    ));
    let site = house.calls(foreign.secret.expose_secret()).unwrap();
    assert!(matches!(
        api_keys::get(app, &site, foreign.key.id).await,
        Err(Error::Forbidden(_))
    ));
    assert!(matches!(
        sign_in::me(app, &clerk).await,
        Err(Error::Forbidden(_))
    ));
}

#[tokio::test]
async fn the_last_use_is_written_once_a_minute_not_on_each_call() {
    let house = House::new().await;
    let shown = house.site_key(named("web")).await;
    let key = shown.secret.expose_secret();
    let ada = house.ada().await;
    let last_use = async || {
        let key = api_keys::get(&house.app, &ada, shown.key.id).await.unwrap();
        (
            key.last_used_at.map(|at| at.to_string()),
            key.last_used_from,
        )
    };
    let answers = house.app.store.stats().answers;
    for _ in 0..100 {
        house.calls_from(key, "192.0.2.9").unwrap();
    }
    assert_eq!(house.app.store.stats().answers, answers);
    assert_eq!(last_use().await, (None, None));
    assert!(callers::write_last_uses(&house.app).await.unwrap());
    let first = (
        Some("2026-11-20T08:00:00Z".to_owned()),
        Some("192.0.2.9".to_owned()),
    );
    assert_eq!(last_use().await, first);
    house.passes(SignedDuration::from_secs(59));
    house.calls_from(key, "192.0.2.10").unwrap();
    assert!(!callers::write_last_uses(&house.app).await.unwrap());
    assert_eq!(last_use().await, first);
    house.passes(SignedDuration::from_secs(1));
    assert!(callers::write_last_uses(&house.app).await.unwrap());
    assert_eq!(last_use().await.1.as_deref(), Some("192.0.2.10"));
}

#[tokio::test]
async fn no_secret_stands_in_the_data_directory_in_clear() {
    let house = House::new().await;
    let shown = house.site_key(named("web")).await;
    let tokens = house.signs_in("ada@example.org", PASSWORD).await.unwrap();
    let next = sign_in::refresh(&house.app, tokens.refresh_token.expose_secret())
        .await
        .unwrap();
    let page = sign_in::page(&house.app, &attempt("ada@example.org", PASSWORD))
        .await
        .unwrap();
    assert!(is_unknown(
        house
            .signs_in("ada@example.org", "wrong-secret-typed")
            .await
    ));
    assert!(is_unknown(house.signs_in("wrong-secret-typed", "x").await));
    let refresh = next.refresh_token.expose_secret();
    let secrets = [
        &shown.secret.expose_secret()[12..],
        &refresh[4..47],
        tokens.access_token.expose_secret(),
        page.cookie.expose_secret(),
        PASSWORD,
        "wrong-secret-typed",
    ];
    house.app.store.close();
    let mut files = 0;
    for file in std::fs::read_dir(house.folder.path().join("data")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        files += 1;
        for secret in secrets {
            assert!(
                !bytes
                    .windows(secret.len())
                    .any(|part| part == secret.as_bytes()),
                "{secret}"
            );
        }
    }
    assert!(files >= 2);
}

#[tokio::test]
async fn the_data_directory_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let house = House::new().await;
    let data = house.folder.path().join("data");
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    for file in std::fs::read_dir(&data).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[tokio::test]
async fn a_row_of_the_record_that_is_changed_removed_or_moved_shows() {
    let house = House::new().await;
    for name in ["a", "b", "c"] {
        house.site_key(named(name)).await;
    }
    let broken = || house.app.store.read(audit::first_broken).unwrap();
    assert_eq!(broken(), None);
    let rows = house.count("SELECT count(*) FROM audit_logs");
    assert!(rows >= 7, "{rows}");
    house
        .sql("UPDATE audit_logs SET actor_name = 'Eve' WHERE id = 3")
        .await;
    assert_eq!(broken(), Some(3));
    house
        .sql("UPDATE audit_logs SET actor_name = 'Ada' WHERE id = 3")
        .await;
    assert_eq!(broken(), None);
    house.sql("UPDATE audit_logs SET id = 100 WHERE id = 4; UPDATE audit_logs SET id = 4 WHERE id = 5; UPDATE audit_logs SET id = 5 WHERE id = 100").await;
    assert_eq!(broken(), Some(4));
    house.sql("UPDATE audit_logs SET id = 100 WHERE id = 4; UPDATE audit_logs SET id = 4 WHERE id = 5; UPDATE audit_logs SET id = 5 WHERE id = 100; DELETE FROM audit_logs WHERE id = 2").await;
    assert_eq!(broken(), Some(3));
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
