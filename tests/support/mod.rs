//! The harness: one appliance in memory and a folder of its own, in front of a stand-in for drupal.org,
//! asked through the real router. Its words are the domain's. Every answer of the API is held against
//! the OpenAPI document. Time stands still until it is moved; nothing sleeps.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use dewline::app::{App, DATABASE};
use dewline::clock::{ManualClock, SeededEntropy};
use dewline::config::Config;
use dewline::demo::drupal_org::StandIn;
use dewline::demo::history::{Project, Release};
use dewline::domain::access::Actor;
use dewline::services::admins::{self, NewPerson};
use dewline::services::secret_key;
use dewline::store::Settings;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

pub mod browser;
pub mod contract;
pub mod tables;

pub const START: &str = "2026-11-20T08:00:00Z";
pub const EMAIL: &str = "ada@example.org";
pub const PASSWORD: &str = "correct horse battery";

/// One appliance.
pub struct TestApp {
    pub app: Arc<App>,
    pub clock: Arc<ManualClock>,
    pub drupal_org: Arc<StandIn>,
    router: Router,
    admin: String,
    _folder: TempDir,
}

impl TestApp {
    /// With a platform administrator, core on drupal.org, and nothing else.
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// The same with another configuration.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::with_store(Settings::default(), change).await
    }

    /// The same with other settings of the store, too.
    pub async fn with_store(settings: Settings, change: impl FnOnce(&mut Config)) -> Self {
        let folder = TempDir::new().unwrap();
        let clock = Arc::new(ManualClock::at(START.parse().unwrap()));
        let drupal_org = StandIn::start(clock.clone()).await.unwrap();
        let mut config = Config {
            data_dir: folder.path().join("data"),
            ..Config::default()
        };
        config.drupal_org.release_history_url = drupal_org.release_history_url();
        config.drupal_org.advisories_url = drupal_org.advisories_url();
        config.drupal_org.requests_per_second = 100_000;
        change(&mut config);
        let entropy = Arc::new(SeededEntropy::new(7));
        let app = App::open_with(config, clock.clone(), entropy, settings).unwrap();
        let ada = NewPerson {
            email: EMAIL.to_owned(),
            name: "Ada".to_owned(),
            password: PASSWORD.into(),
        };
        admins::create(&app, &Actor::System, ada).await.unwrap();
        let router = dewline::http::router(app.clone());
        let mut house = Self {
            app,
            clock,
            drupal_org: Arc::new(drupal_org),
            router,
            admin: String::new(),
            _folder: folder,
        };
        house.admin = house.signs_in().await;
        house.publishes(
            Project::new("drupal", "Drupal core", "project_core", &["11.2."])
                .with(Release::new("11.2.0", days_ago(200))),
        );
        house
    }

    /// The same with a site of Harbour's that runs token 1.0.0, of which 1.0.1 is a security fix: Harbour,
    /// the site and its key.
    pub async fn exposed() -> (Self, i64, i64, String) {
        let house = Self::start().await;
        let harbour = house.organization("Harbour").await;
        house.publishes(module("token").with(Release::security("1.0.1", days_ago(1))));
        let site = house.site_of(harbour, "Quay").await;
        site.syncs(&[("token", "1.0.0")]).await;
        let (id, key) = (site.id, site.key);
        house.run_jobs().await;
        (house, harbour, id, key)
    }

    /// The same appliance as it stands now, apart: what is done to the copy leaves this one alone.
    pub fn copied(&self) -> Self {
        let folder = TempDir::new().unwrap();
        let (from, to) = (&self.app.config.data_dir, folder.path().join("data"));
        std::fs::create_dir(&to).unwrap();
        std::fs::copy(from.join(secret_key::FILE), to.join(secret_key::FILE)).unwrap();
        let database = rusqlite::Connection::open(from.join(DATABASE)).unwrap();
        let copy = to.join(DATABASE);
        database
            .execute("VACUUM INTO ?1", [copy.to_str().unwrap()])
            .unwrap();
        let config = Config {
            data_dir: to,
            ..self.app.config.clone()
        };
        // Other secrets than those that were handed out before.
        let entropy = Arc::new(SeededEntropy::new(8));
        let clock = Arc::clone(&self.clock);
        // Quickly opened, and soon thrown away.
        let settings = Settings {
            readers: 2,
            durable: false,
            ..Settings::default()
        };
        let app = App::open_with(config, clock.clone(), entropy, settings).unwrap();
        Self {
            router: dewline::http::router(app.clone()),
            app,
            clock,
            drupal_org: Arc::clone(&self.drupal_org),
            admin: self.admin.clone(),
            _folder: folder,
        }
    }

    /// A new access token of the administrator.
    pub async fn signs_in(&self) -> String {
        let words = json!({"email": EMAIL, "password": PASSWORD});
        let answer = self.anonymous().post("/auth/login", &words).await.ok();
        answer["data"]["access_token"].as_str().unwrap().to_owned()
    }

    /// The administrator; the token is renewed by whoever moves the clock far.
    pub fn admin(&self) -> Client<'_> {
        self.bearer(&self.admin)
    }

    /// Whoever presents this token or key.
    pub fn bearer(&self, credential: &str) -> Client<'_> {
        Client {
            house: self,
            headers: vec![("authorization".to_owned(), format!("Bearer {credential}"))],
            peer: "203.0.113.9:40000".parse().unwrap(),
        }
    }

    /// Whoever presents nothing.
    pub fn anonymous(&self) -> Client<'_> {
        Client {
            headers: Vec::new(),
            ..self.bearer("")
        }
    }

    /// Makes an organization and gives its id.
    pub async fn organization(&self, name: &str) -> i64 {
        let answer = self
            .admin()
            .post("/organizations", &json!({"name": name}))
            .await;
        answer.created()["data"]["id"].as_i64().unwrap()
    }

    /// Makes a key of an organization that may do these things.
    pub async fn key(&self, organization: i64, scopes: &[&str]) -> String {
        let words = json!({"name": "a key", "organization_id": organization, "scopes": scopes});
        let answer = self.admin().post("/api-keys", &words).await;
        answer.created()["data"]["key"].as_str().unwrap().to_owned()
    }

    /// Makes a site of an organization, with its key.
    pub async fn site_of(&self, organization: i64, name: &str) -> Site<'_> {
        let words = json!({
            "name": name,
            "url": format!("https://{}.example.org", name.to_lowercase().replace(' ', "-")),
            "organization_id": organization,
        });
        let site = self.admin().post("/sites", &words).await.created();
        let id = site["data"]["id"].as_i64().unwrap();
        let words = json!({"name": "its key", "site_id": id});
        let key = self.admin().post("/api-keys", &words).await.created();
        Site {
            house: self,
            id,
            key: key["data"]["key"].as_str().unwrap().to_owned(),
        }
    }

    /// drupal.org publishes a project, as it stands from now on.
    pub fn publishes(&self, project: Project) {
        self.drupal_org.put(project);
    }

    /// drupal.org publishes a release of a project.
    pub fn releases(&self, project: &str, release: Release) {
        assert!(
            self.drupal_org.publish(project, release),
            "{project} is there"
        );
    }

    /// Time passes; the administrator signs in anew.
    #[allow(dead_code)]
    pub async fn waits(&mut self, time: SignedDuration) {
        self.clock.advance(time);
        self.admin = self.signs_in().await;
    }

    /// Everything that is due by the clock is done.
    pub async fn run_jobs(&self) {
        dewline::jobs::run_due(&self.app).await.unwrap();
    }
}

/// Unix seconds, so many days before the clock's start.
pub fn days_ago(days: i64) -> i64 {
    let start: Timestamp = START.parse().unwrap();
    start.as_second() - days * 86_400
}

/// A contributed module of drupal.org with one release, 1.0.0.
pub fn module(name: &str) -> Project {
    Project::new(name, name, "project_module", &["1.0."]).with(Release::new("1.0.0", days_ago(100)))
}

/// One site and its key.
pub struct Site<'a> {
    house: &'a TestApp,
    pub id: i64,
    pub key: String,
}

impl Site<'_> {
    /// A site that was made before, as time goes on.
    pub fn known<'a>(house: &'a TestApp, id: i64, key: &str) -> Site<'a> {
        Site {
            house,
            id,
            key: key.to_owned(),
        }
    }

    /// Its address below `/api/v1`.
    pub fn path(&self, rest: &str) -> String {
        format!("/sites/{}{rest}", self.id)
    }

    /// The inventory of core and these modules at these versions.
    pub fn inventory(modules: &[(&str, &str)]) -> Value {
        let mut entries = vec![json!({"name": "drupal", "type": "core", "version": "11.2.0"})];
        entries.extend(
            modules
                .iter()
                .map(|(name, version)| json!({"name": name, "version": version})),
        );
        json!({"schema": 1, "modules": entries})
    }

    /// Sends core and these modules at these versions, and gets its receipt.
    pub async fn syncs(&self, modules: &[(&str, &str)]) -> Value {
        self.sends(&Self::inventory(modules)).await.ok()["data"].clone()
    }

    /// Sends this as its inventory.
    pub async fn sends(&self, inventory: &Value) -> Answer {
        let client = self.house.bearer(&self.key);
        client.post(&self.path("/modules/sync"), inventory).await
    }
}

/// Somebody who asks.
#[derive(Clone)]
pub struct Client<'a> {
    house: &'a TestApp,
    headers: Vec<(String, String)>,
    peer: SocketAddr,
}

impl Client<'_> {
    /// The same with one more header.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same from another address.
    pub fn from(mut self, peer: &str) -> Self {
        self.peer = SocketAddr::new(peer.parse().unwrap(), 40_000);
        self
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body.to_string().into_bytes()))
            .await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, Some(body.to_string().into_bytes()))
            .await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    /// Sends a request below `/api/v1` (or from the root, where the path begins with `//`) and holds the
    /// answer against the contract.
    pub async fn send(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Answer {
        let path = match path.strip_prefix('/') {
            Some(rooted) if rooted.starts_with('/') => rooted.to_owned(),
            _ => format!("/api/v1{path}"),
        };
        let mut request = Request::builder().method(method.clone()).uri(&path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let typed = self.headers.iter().any(|(name, _)| name == "content-type");
        if body.is_some() && !typed {
            request = request.header("content-type", "application/json");
        }
        let mut request = request
            .body(body.map_or_else(Body::empty, Body::from))
            .unwrap();
        request.extensions_mut().insert(ConnectInfo(self.peer));
        let response = self.house.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 64 << 20).await.unwrap();
        let answer = Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        };
        contract::holds(&method, &path, &answer);
        answer
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    /// The body as JSON; null where it isn't.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// The body of a 200.
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()
    }

    /// The body of a 201.
    pub fn created(&self) -> Value {
        assert_eq!(self.status, 201, "{}", self.text);
        self.json()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// `pointer code` of everything that was wrong.
    pub fn faults(&self) -> Vec<String> {
        let errors = self.json()["errors"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        errors
            .iter()
            .map(|error| format!("{} {}", text(&error["pointer"]), text(&error["code"])))
            .collect()
    }

    /// One field of every row of a list.
    pub fn column(&self, name: &str) -> Vec<Value> {
        let rows = self.ok()["data"].as_array().unwrap().clone();
        rows.iter().map(|row| row[name].clone()).collect()
    }
}
