//! Signing in, tokens, keys, and the record of what was done.

use std::net::IpAddr;
use std::sync::Arc;

use dewline::app::App;
use dewline::clock::{ManualClock, SeededEntropy};
use dewline::config::Config;
use dewline::domain::access::Actor;
use dewline::domain::api_key::ApiKeyForm;
use dewline::services::admins::{self, NewPerson};
use dewline::services::api_keys::{self, ShownKey};
use dewline::services::sign_in::{self, Attempt, Tokens};
use dewline::services::{Error, Result, callers};
use dewline::store::Lane;
use jiff::SignedDuration;
use secrecy::ExposeSecret;
use tempfile::TempDir;

mod at_once;
mod browser;
mod delays;
mod devices;
mod grants;
mod guards;
mod http;
mod invitations;
mod keys;
mod own_account;
mod own_pages;
mod people;
mod places;
mod record;
mod reset;
mod roles;
pub mod second_factor;
mod second_factor_pages;
mod sign_in_and_out;
mod taken_back;

pub const PASSWORD: &str = "correct horse battery";

pub struct House {
    pub app: Arc<App>,
    pub clock: Arc<ManualClock>,
    pub folder: TempDir,
}

impl House {
    pub async fn new() -> Self {
        Self::seeded(1).await
    }

    /// With two organizations, a site in each, and Ada, who may do all in all.
    pub async fn seeded(seed: u64) -> Self {
        let folder = TempDir::new().unwrap();
        let clock = Arc::new(ManualClock::at("2026-11-20T08:00:00Z".parse().unwrap()));
        let mut config = Config {
            data_dir: folder.path().join("data"),
            ..Config::default()
        };
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
        house.person("ada@example.org", "Ada").await;
        house
    }

    /// One more person who may do all in all, with the same password.
    pub async fn person(&self, email: &str, name: &str) -> i64 {
        let person = NewPerson {
            email: email.to_owned(),
            name: name.to_owned(),
            password: PASSWORD.into(),
        };
        admins::create(&self.app, &Actor::System, person)
            .await
            .unwrap()
    }

    pub async fn sql(&self, sql: &str) {
        self.write(sql.to_owned()).await;
    }

    /// The house's clock in milliseconds.
    pub fn clock_ms(&self) -> i64 {
        self.app.clock.now().as_millisecond()
    }

    pub async fn write(&self, sql: String) {
        self.app
            .store
            .write(Lane::Front, move |db| {
                db.execute_batch(&sql)
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

    pub async fn signs_in(&self, email: &str, password: &str) -> Result<Tokens> {
        let entered = sign_in::api(&self.app, &attempt(email, password)).await?;
        Ok(entered.session().expect("nothing more is asked"))
    }

    pub async fn ada(&self) -> Actor {
        let tokens = self.signs_in("ada@example.org", PASSWORD).await.unwrap();
        self.calls(tokens.access_token.expose_secret()).unwrap()
    }

    pub fn calls(&self, presented: &str) -> Result<Actor> {
        self.calls_from(presented, "192.0.2.1")
    }

    pub fn calls_from(&self, presented: &str, address: &str) -> Result<Actor> {
        callers::authenticate(&self.app, presented, address.parse().unwrap())
    }

    pub async fn site_key(&self, form: ApiKeyForm) -> ShownKey {
        let ada = self.ada().await;
        api_keys::create(&self.app, &ada, Some(11), None, &form)
            .await
            .unwrap()
    }

    pub fn passes(&self, by: SignedDuration) {
        self.clock.advance(by);
    }
}

pub fn attempt(email: &str, password: &str) -> Attempt {
    Attempt {
        email: email.to_owned(),
        password: password.into(),
        address: here(),
        device: "curl/8".to_owned(),
        browser: None,
    }
}

pub fn here() -> IpAddr {
    "192.0.2.1".parse().unwrap()
}

pub fn named(name: &str) -> ApiKeyForm {
    ApiKeyForm {
        name: Some(name.to_owned()),
        ..ApiKeyForm::default()
    }
}

pub fn with_scopes(name: &str, scopes: &[&str]) -> ApiKeyForm {
    ApiKeyForm {
        scopes: Some(scopes.iter().map(|scope| (*scope).to_owned()).collect()),
        ..named(name)
    }
}

pub fn is_unknown<T>(answer: Result<T>) -> bool {
    matches!(answer, Err(Error::Unauthenticated))
}
