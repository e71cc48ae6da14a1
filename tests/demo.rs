//! The demo: the same seed makes the same history, everything that can be seen is on it, and its
//! record holds.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dewline::app::App;
use dewline::clock::{ManualClock, SeededEntropy};
use dewline::config::Config;
use dewline::demo::drupal_org::StandIn;
use dewline::demo::live::Life;
use dewline::demo::story::{self, EMAIL, Length};
use dewline::domain::access::Actor;
use dewline::services::{advisory_feed, check};
use dewline::store::Settings;
use dewline::{http, jobs};
use jiff::{SignedDuration, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::watch;

use crate::executable::{Serving, dewline};

/// What of the history has to be the same: all but secrets, and what is sealed with them.
const HISTORY: &[&str] = &[
    "SELECT id, organization_id, name, url, environment, drupal_version, php_version, status, status_reason, total, \
     not_current, security, unknown, custom, disabled, open_exposures, next_due_at, silent_since, stranger_at FROM sites",
    "SELECT * FROM site_contacts",
    "SELECT * FROM site_modules ORDER BY 1, 2",
    "SELECT id, name, title, feed_state, next_check_at, sites_count, exposed_sites_count FROM modules",
    "SELECT id, module_id, version, datestamp, status, exposed, sites_count FROM module_versions",
    "SELECT * FROM publications",
    "SELECT * FROM syncs",
    "SELECT * FROM events",
    "SELECT * FROM patch_runs",
    "SELECT * FROM exposures",
    "SELECT * FROM refused_syncs",
    "SELECT * FROM chronicle",
];

fn fill(directory: &Path, arguments: &[&str]) {
    fill_until(directory, "2026-07-24T09:30:00Z", arguments);
}

fn fill_until(directory: &Path, until: &str, arguments: &[&str]) {
    let data_dir = directory.to_str().unwrap();
    let mut all = vec![
        "demo",
        "--no-serve",
        "--data-dir",
        data_dir,
        "--until",
        until,
    ];
    all.extend(arguments);
    let output = dewline(directory, &all).output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.starts_with("sign in as admin@dewline.example with the password "),
        "{said}"
    );
}

fn open(directory: &Path) -> Connection {
    let file = directory.join("dewline.db");
    Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

fn rows(db: &Connection, query: &str) -> Vec<Vec<Value>> {
    let mut statement = db.prepare(query).unwrap();
    let columns = statement.column_count();
    let rows = statement
        .query_map([], |row| (0..columns).map(|at| row.get(at)).collect())
        .unwrap();
    rows.map(Result::unwrap).collect()
}

fn number(db: &Connection, query: &str) -> i64 {
    db.query_row(query, [], |row| row.get(0)).unwrap()
}

#[test]
fn the_same_seed_makes_the_same_history() {
    let above = TempDir::new().unwrap();
    let databases = [("one", "7"), ("same", "7"), ("other", "8")].map(|(name, seed)| {
        let directory = above.path().join(name);
        fill(&directory, &["--days", "15", "--seed", seed]);
        open(&directory)
    });
    let [one, same, other] = &databases;
    for query in HISTORY {
        assert!(rows(one, query) == rows(same, query), "differs: {query}");
    }
    let events = "SELECT * FROM events";
    assert!(rows(one, events) != rows(other, events));
}

#[test]
fn it_can_be_made_at_any_time_of_the_day() {
    let above = TempDir::new().unwrap();
    for hour in [0, 1, 8, 12, 20, 22, 23] {
        let until = format!("2026-07-24T{hour:02}:25:50Z");
        let directory = above.path().join(hour.to_string());
        fill_until(&directory, &until, &["--days", "3", "--seed", "7"]);
        let db = open(&directory);
        let asked = until.parse::<Timestamp>().unwrap().as_millisecond();
        let early = format!("SELECT count(*) FROM syncs WHERE received_at > {asked}");
        assert_eq!(number(&db, &early), 0, "{until}: something came too late");
        let backwards = "SELECT count(*) FROM syncs a JOIN syncs b ON b.site_id = a.site_id AND b.id > a.id \
                         WHERE b.received_at < a.received_at";
        assert_eq!(number(&db, backwards), 0, "{until}: out of order");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_on_it_and_its_record_can_be_played_again() {
    let above = TempDir::new().unwrap();
    let directory = above.path().join("data");
    fill(&directory, &["--days", "60", "--seed", "7"]);
    everything_is_on(&open(&directory));
    is_left_alone(&directory);
    can_be_played_again(&directory).await;
}

async fn can_be_played_again(directory: &Path) {
    let config = Config {
        data_dir: directory.to_owned(),
        ..Config::default()
    };
    let findings = check::run(&config, true).await.unwrap();
    assert!(findings.len() > 3);
    for finding in findings {
        assert!(
            finding.wrong.is_empty(),
            "{}: {:?}",
            finding.about,
            finding.wrong
        );
    }
}

fn everything_is_on(db: &Connection) {
    assert_eq!(number(db, "SELECT count(*) FROM organizations"), 3);
    assert_eq!(number(db, "SELECT count(*) FROM sites"), 41);
    assert_eq!(
        number(db, "SELECT count(DISTINCT status) FROM sites"),
        8,
        "every word a site can have"
    );
    let some = [
        "SELECT count(*) FROM sites WHERE silent_since IS NOT NULL",
        "SELECT count(*) FROM sites WHERE stranger_at IS NOT NULL",
        "SELECT count(*) FROM sites WHERE custom > 0 AND disabled > 0",
        "SELECT count(*) FROM refused_syncs WHERE code = 'invalid' AND detail <> ''",
        "SELECT count(*) FROM syncs WHERE source = 'composer-lock'",
        "SELECT count(*) FROM exposures WHERE outcome = 'met'",
        "SELECT count(*) FROM exposures WHERE outcome = 'breached'",
        "SELECT count(*) FROM exposures WHERE closed_at IS NULL AND due_at > 1784885400000",
        "SELECT count(*) FROM exposures WHERE closed_at IS NULL AND due_at < 1784885400000",
        "SELECT count(*) FROM exposures WHERE closed_by_patch_run_id IS NOT NULL",
        "SELECT count(*) FROM modules WHERE feed_state = 'absent'",
        "SELECT count(*) FROM advisories WHERE affected_sites > 0 AND risk IS NULL",
        "SELECT count(*) FROM advisories WHERE affected_sites > 0 AND risk IS NOT NULL",
        "SELECT count(*) FROM advisories WHERE psa = 1",
        "SELECT count(*) FROM exposures WHERE no_fix = 1 AND closed_at IS NULL",
    ];
    for query in some {
        assert!(number(db, query) > 0, "nothing: {query}");
    }
    for kind in ["installed", "updated", "downgraded", "removed", "disabled"] {
        let query = format!("SELECT count(*) FROM events WHERE kind = '{kind}'");
        assert!(number(db, &query) > 0, "nothing was {kind}");
    }
    assert_eq!(number(db, "SELECT count(*) FROM fanouts"), 0);
}

/// A directory with data is no place to play in.
fn is_left_alone(directory: &Path) {
    let data_dir = directory.to_str().unwrap();
    let before = number(&open(directory), "SELECT count(*) FROM syncs");
    let output = dewline(directory, &["demo", "--no-serve", "--data-dir", data_dir])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("holds data already"));
    assert_eq!(
        number(&open(directory), "SELECT count(*) FROM syncs"),
        before
    );
}

#[tokio::test]
async fn it_is_opened_with_the_sign_in_that_it_prints() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let above = TempDir::new().unwrap();
    // Where an installation keeps its data is no place for the demo: only the flag names one.
    let installation = above.path().join("installation");
    let mut command = dewline(&installation, &["demo", "--days", "3"]);
    let throw_away = above.path().join("throw-away");
    std::fs::create_dir(&throw_away).unwrap();
    command.env("TMPDIR", &throw_away);
    let serving = Serving::from(command);
    assert!(!installation.exists());
    let line = serving.before.first().unwrap();
    let password = line
        .strip_prefix("sign in as admin@dewline.example with the password ")
        .unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http
        .post(format!("{}/api/v1/auth/login", serving.address))
        .json(&json!({"email": "admin@dewline.example", "password": password}))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let signed_in: serde_json::Value = answer.json().await.unwrap();
    let token = signed_in["data"]["access_token"].as_str().unwrap();
    let sites = http
        .get(format!("{}/api/v1/sites", serving.address))
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert_eq!(sites.status(), 200);
    let sites: serde_json::Value = sites.json().await.unwrap();
    assert!(sites["data"].as_array().unwrap().len() > 10);
    assert_eq!(std::fs::read_dir(&throw_away).unwrap().count(), 1);
    let (status, _, errors) = serving.stop();
    assert_eq!(status, Some(0), "{errors}");
    assert_eq!(
        std::fs::read_dir(&throw_away).unwrap().count(),
        0,
        "nothing is left behind"
    );
}

/// When the demo's present begins, and its administrator's password.
const NOW: &str = "2026-07-24T09:30:00Z";
const PASSWORD: &str = "a long enough phrase of words";

/// A demo whose time stands still until it is moved.
struct Watched {
    app: Arc<App>,
    clock: Arc<ManualClock>,
    life: Life,
    address: String,
    http: reqwest::Client,
    token: String,
    /// The projects that are made up: all that may get a security release.
    invented: Vec<String>,
    _stop: watch::Sender<bool>,
}

impl Watched {
    async fn begin(directory: &Path) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let until: Timestamp = NOW.parse().unwrap();
        let clock = Arc::new(ManualClock::at(until));
        let stand_in = StandIn::start(clock.clone()).await.unwrap();
        let mut config = Config {
            data_dir: directory.to_owned(),
            ..Config::default()
        };
        config.drupal_org.release_history_url = stand_in.release_history_url();
        config.drupal_org.advisories_url = stand_in.advisories_url();
        config.drupal_org.requests_per_second = 100_000;
        let settings = Settings {
            durable: false,
            ..Settings::default()
        };
        let entropy = Arc::new(SeededEntropy::new(7));
        let app = App::open_with(config, clock.clone(), entropy, settings).unwrap();
        let length = Length {
            seed: 7,
            days: 3,
            until,
        };
        let world = story::play(&app, &clock, length, PASSWORD.into(), |_| ())
            .await
            .unwrap();
        clock.set(until);
        let invented = world.plans.iter().filter(|plan| plan.invented);
        let invented = invented.map(|plan| plan.name.clone()).collect();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let router = http::router(app.clone());
        tokio::spawn(http::server::serve(
            listener,
            router,
            stopped,
            Duration::ZERO,
        ));
        let mut watched = Self {
            life: Life::begin(app.clone(), world, stand_in, address).unwrap(),
            app,
            clock,
            address: format!("http://{address}/api/v1"),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            token: String::new(),
            invented,
            _stop: stop,
        };
        let answer = watched
            .http
            .post(format!("{}/auth/login", watched.address))
            .json(&json!({"email": EMAIL, "password": PASSWORD}));
        let answer: serde_json::Value = answer.send().await.unwrap().json().await.unwrap();
        watched.token = answer["data"]["access_token"].as_str().unwrap().to_owned();
        watched
    }

    /// So many seconds pass, each with all that is due in it.
    async fn lives(&mut self, seconds: usize) {
        for _ in 0..seconds {
            self.clock.advance(SignedDuration::from_secs(1));
            self.life.second().await;
            self.life.all_heard().await;
            jobs::run_due(&self.app).await.unwrap();
        }
    }

    async fn asks(&self, path: &str) -> serde_json::Value {
        let url = format!("{}{path}", self.address);
        let answer = self.http.get(url).bearer_auth(&self.token).send();
        let answer = answer.await.unwrap();
        assert_eq!(answer.status(), 200);
        let mut answer: serde_json::Value = answer.json().await.unwrap();
        answer["data"].take()
    }

    /// The exposures that were opened since the present began.
    async fn exposures(&self) -> Vec<serde_json::Value> {
        let path = format!("/exposures?filter[opened_at][gt]={NOW}&per_page=200");
        self.asks(&path).await.as_array().unwrap().clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_while_one_watches_exposes_sites_until_they_patch() {
    let above = TempDir::new().unwrap();
    let directory = above.path().join("data");
    let mut demo = Watched::begin(&directory).await;
    demo.lives(35).await;
    assert_eq!(demo.exposures().await, Vec::<serde_json::Value>::new());
    let feed = advisory_feed::state(&demo.app, &Actor::System).await;
    let errors = feed.unwrap().errors;
    assert_eq!(errors, Vec::<String>::new(), "what it said before it says");

    demo.lives(20).await;
    let hit = demo.exposures().await;
    assert!(!hit.is_empty(), "a security release was published");
    let module = hit[0]["module"].as_str().unwrap().to_owned();
    assert!(demo.invented.contains(&module), "{module}");
    for exposure in &hit {
        assert_eq!(exposure["module"], module);
        assert_eq!(exposure["state"], "open");
        let site = demo.asks(&format!("/sites/{}", exposure["site_id"])).await;
        assert_eq!(site["status"], "not_secure", "{site}");
    }

    // Those who patch at once do so within minutes, and say so with their next sync.
    let mut patched = Vec::new();
    for _ in 0..12 {
        demo.lives(60).await;
        patched = demo.exposures().await;
        patched.retain(|exposure| exposure["module"] == module && exposure["state"] == "met");
        if !patched.is_empty() {
            break;
        }
    }
    let closed = patched.first().expect("somebody patched");
    let run = closed["closed_by_patch_run_id"].as_i64().unwrap();
    let run = demo.asks(&format!("/patch-runs/{run}")).await;
    assert_eq!(run["site_id"], closed["site_id"]);
    assert!(run["security_patches_applied"].as_i64().unwrap() > 0);
    let change = run["changes"].as_array().unwrap().iter();
    let change = change.filter(|change| change["module"] == module).count();
    assert_eq!(change, 1, "{run}");
    demo.app.store.close();
    can_be_played_again(&directory).await;
}
