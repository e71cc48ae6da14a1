//! The examples of the API's reference are what the program answers: a small fleet is built, every
//! operation is called on it, and each file in `src/http/openapi/examples/` is held equal to what was
//! sent and what came back. After a change that is meant, record them anew:
//!
//!   DEWLINE_RECORD=1 cargo test --test main examples

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use dewline::clock::Clock;
use dewline::demo::advisory::Advisory;
use dewline::demo::history::Release;
use dewline::domain::access::Actor;
use dewline::http::openapi::examples::{Example, REQUEST_ID};
use dewline::http::route::Takes;
use dewline::services::admins::{self, NewPerson};
use dewline::services::notifications;
use dewline::services::sign_in::{self, Attempt};
use dewline::store::{Lane, StoreError};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::accounts::second_factor::Phone;
use crate::support::contract::{DOCUMENT, validator};
use crate::support::{Answer, Client, EMAIL, PASSWORD, TestApp, module};

const ADVISORY: &str = "SA-CONTRIB-2026-901";
const INSTANCE: &str = "6f1c0a52";

/// A fleet, and what was recorded on it.
struct Story {
    house: TestApp,
    town_hall: String,
    recorded: BTreeMap<String, Example>,
}

impl Story {
    /// Two organizations; two sites that ran a module when its security release came out, one of which
    /// installed it.
    async fn begins() -> Self {
        let house = TestApp::start().await;
        let harbour = house.organization("Harbour Agency").await;
        house.organization("Meadow Studio").await;
        house.publishes(module("token"));
        let town_hall = house.site_of(harbour, "Town hall").await.key;
        let library = house.site_of(harbour, "Library").await.key;
        let mut story = Self {
            house,
            town_hall,
            recorded: BTreeMap::new(),
        };
        story.syncs(1, &story.town_hall, "1.0.0").await;
        story.syncs(2, &library, "1.0.0").await;
        story.house.run_jobs().await;
        let now = story.house.clock.now().as_second();
        story
            .house
            .releases("token", Release::security("1.0.1", now));
        story.house.drupal_org.put_advisory(advisory(now));
        story.passes(SignedDuration::from_hours(2)).await;
        story
    }

    async fn passes(&mut self, time: SignedDuration) {
        self.house.waits(time).await;
        self.house.run_jobs().await;
    }

    async fn syncs(&self, site: i64, key: &str, version: &str) {
        let path = format!("/sites/{site}/modules/sync");
        let inventory = inventory(self.house.clock.now(), version, INSTANCE);
        self.house.bearer(key).post(&path, &inventory).await.ok();
    }

    fn admin(&self) -> Client<'_> {
        self.house.admin()
    }

    async fn calls(
        &self,
        client: Client<'_>,
        name: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        let routes = dewline::http::routes();
        let route = routes
            .iter()
            .find(|route| route.operation.name == name)
            .unwrap_or_else(|| panic!("no operation is named {name}"));
        let client = client.with("x-request-id", REQUEST_ID);
        let body = body.map(|body| body.to_string().into_bytes());
        client.send(route.method.clone(), path, body).await
    }

    /// A call that does what the operation is for.
    async fn shows(&mut self, name: &str, path: &str, body: Option<Value>) {
        let answer = self.calls(self.admin(), name, path, body.as_ref()).await;
        self.keeps(name, path, body, &answer);
    }

    fn keeps(&mut self, name: &str, path: &str, body: Option<Value>, answer: &Answer) {
        assert!(answer.status.is_success(), "{name}: {}", answer.text);
        let shown = match answer.json() {
            Value::Null if answer.text.is_empty() => None,
            Value::Null => Some(Value::from(answer.text.clone())),
            other => Some(other),
        };
        let kept = self.recorded.entry(name.to_owned()).or_default();
        assert_eq!(kept.path, "", "{name} is shown once");
        kept.path = whole(path);
        kept.request = body;
        kept.answer = shown.map(without_secrets);
    }

    /// A call that is refused for what was sent (422), or for what is there (409).
    async fn refuses(&mut self, name: &str, path: &str, body: Option<Value>) {
        let answer = self.calls(self.admin(), name, path, body.as_ref()).await;
        let problem = answer.json();
        let kept = self.recorded.entry(name.to_owned()).or_default();
        match answer.status.as_u16() {
            422 => kept.invalid = Some(problem),
            409 => {
                let code = problem["errors"][0]["code"].as_str().unwrap().to_owned();
                kept.conflicts.insert(code, problem);
            }
            other => panic!("{name} was refused with {other}: {}", answer.text),
        }
    }
}

fn advisory(published: i64) -> Advisory {
    Advisory {
        title: "Token - Moderately critical - Cross site scripting (an example)".to_owned(),
        cves: vec!["CVE-2026-99901".to_owned()],
        ..Advisory::new(9010, ADVISORY, "token", published)
    }
}

fn whole(path: &str) -> String {
    path.strip_prefix('/')
        .filter(|rest| rest.starts_with('/'))
        .map_or_else(|| format!("/api/v1{path}"), str::to_owned)
}

/// Tokens and keys are cut: nobody takes one from here for a real one.
fn without_secrets(mut answer: Value) -> Value {
    if let Some(Value::String(address)) = answer.pointer_mut("/data/otpauth_uri") {
        *address = "otpauth://totp/Dewline:ada%40example.org?secret=…&issuer=Dewline".to_owned();
    }
    for name in ["access_token", "refresh_token", "key", "secret", "qr_svg"] {
        cut(answer.pointer_mut(&format!("/data/{name}")), 12);
    }
    for place in ["/data/link", "/data/invitation/link"] {
        cut(answer.pointer_mut(place), "/invitation?token=".len() + 6);
    }
    answer
}

fn cut(secret: Option<&mut Value>, to: usize) {
    if let Some(Value::String(secret)) = secret {
        let shown: String = secret.chars().take(to).collect();
        *secret = format!("{shown}…");
    }
}

fn inventory(generated_at: Timestamp, version: &str, instance: &str) -> Value {
    json!({
        "schema": 1,
        "generated_at": generated_at,
        "agent": {"name": "dewline-drupal", "version": "1.0.0"},
        "site": {
            "name": "Town hall",
            "url": "https://town-hall.example.org",
            "instance": instance,
            "drupal_version": "11.2.0",
            "php_version": "8.3.6",
            "install_profile": "standard",
            "database": {"driver": "mysql", "version": "8.0.36"},
            "cron_last_run": generated_at,
            "status_report": {"errors": 0, "warnings": 2},
        },
        "modules": [
            {"name": "drupal", "type": "core", "version": "11.2.0"},
            {"name": "token", "title": "Token", "version": version, "composer": "drupal/token", "components": ["token"]},
            {"name": "our_theme", "type": "theme", "version": null, "custom": true},
        ],
    })
}

fn lock(version: &str) -> Value {
    json!({
        "packages": [
            {"name": "drupal/core", "version": "11.2.0", "type": "drupal-core"},
            {"name": "drupal/token", "version": version, "type": "drupal-module",
             "extra": {"drupal": {"version": version, "datestamp": "1760000000"}}},
        ],
    })
}

/// Everything, in an order in which each call finds what it needs.
async fn told() -> BTreeMap<String, Example> {
    let mut story = Story::begins().await;
    platform(&mut story).await;
    ingestion(&mut story).await;
    announcements(&mut story).await;
    in_hand(&mut story).await;
    readings(&mut story).await;
    catalogue(&mut story).await;
    keys(&mut story).await;
    sites(&mut story).await;
    organizations(&mut story).await;
    two_factors(&mut story).await;
    roles(&mut story).await;
    people(&mut story).await;
    clocks(&mut story).await;
    oneself(&mut story).await;
    story.recorded
}

/// What belongs to a person himself; at the end he leaves.
async fn oneself(story: &mut Story) {
    let words = json!({"name": "Ada Lovelace", "time_zone": "Europe/Vienna"});
    story.shows("update_me", "/auth/me", Some(words)).await;
    let words = json!({"time_zone": "Mars/Olympus"});
    story.refuses("update_me", "/auth/me", Some(words)).await;
    let bob = NewPerson {
        email: "bob@example.org".to_owned(),
        name: "Bob".to_owned(),
        password: PASSWORD.into(),
    };
    let words = json!({"password": PASSWORD});
    story
        .refuses("delete_me", "/auth/me", Some(words.clone()))
        .await;
    admins::create(&story.house.app, &Actor::System, bob)
        .await
        .unwrap();
    let taken = json!({"email": "bob@example.org", "current_password": PASSWORD});
    story.refuses("update_me", "/auth/me", Some(taken)).await;
    browser_of_ada(story).await;
    story.shows("list_sessions", "/auth/sessions", None).await;
    story.shows("list_devices", "/auth/devices", None).await;
    story.shows("revoke_device", "/auth/devices/1", None).await;
    let other = story.house.signs_in().await;
    let found = story.house.bearer(&other).get("/auth/sessions").await.ok();
    let rows = found["data"].as_array().unwrap().clone();
    let own = rows.iter().find(|row| row["current"] == true).unwrap();
    let path = format!("/auth/sessions/{}", own["id"]);
    story.shows("end_session", &path, None).await;
    story
        .shows("end_other_sessions", "/auth/sessions", None)
        .await;

    let words = json!({"current_password": PASSWORD, "password": "seven grey herons wait"});
    let path = "/auth/password";
    story.shows("change_password", path, Some(words)).await;
    let words = json!({"current_password": PASSWORD, "password": "seven"});
    story.refuses("change_password", path, Some(words)).await;
    let path = "/auth/password/forgot";
    let words = json!({"email": EMAIL});
    story.shows("forgot_password", path, Some(words)).await;
    story
        .refuses("forgot_password", path, Some(json!({})))
        .await;
    let path = "/auth/password/reset";
    let token = reset_token(story);
    let words = json!({"token": token, "password": PASSWORD});
    let (client, name) = (story.house.anonymous(), "reset_password");
    let answer = story.calls(client, name, path, Some(&words)).await;
    let shown: String = token.chars().take(12).collect();
    let words = json!({"token": format!("{shown}…"), "password": PASSWORD});
    story.keeps(name, path, Some(words.clone()), &answer);
    story.refuses(name, path, Some(words)).await;

    story.passes(SignedDuration::from_mins(1)).await;
    let words = json!({"password": "not this one"});
    story.refuses("delete_me", "/auth/me", Some(words)).await;
    let words = json!({"password": PASSWORD});
    story.shows("delete_me", "/auth/me", Some(words)).await;
}

async fn browser_of_ada(story: &Story) {
    let attempt = Attempt {
        email: EMAIL.to_owned(),
        password: PASSWORD.into(),
        address: "203.0.113.9".parse().unwrap(),
        device: "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0".to_owned(),
        browser: None,
    };
    sign_in::page(&story.house.app, &attempt).await.unwrap();
}

fn reset_token(story: &Story) -> String {
    let app = &story.house.app;
    let sealed: (i64, Vec<u8>) = app
        .store
        .read(|db| {
            let newest = "SELECT id, link_sealed FROM notifications ORDER BY id DESC";
            let found = db.query_row(newest, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok::<_, StoreError>(found)
        })
        .unwrap();
    let link = notifications::link(&app.secret_key, sealed.0, &sealed.1).unwrap();
    link.strip_prefix("/reset?token=").unwrap().to_owned()
}

async fn platform(story: &mut Story) {
    story.shows("healthz", "//healthz", None).await;
    story.shows("readyz", "//readyz", None).await;
    for (name, path) in [
        ("openapi", "//api/openapi.json"),
        ("postman", "//api/postman.json"),
    ] {
        story.shows(name, path, None).await;
        let kept = story.recorded.get_mut(name).unwrap();
        kept.answer = kept.answer.take().map(abridged);
    }
    let words = json!({"email": EMAIL, "password": PASSWORD});
    let answer = story
        .calls(
            story.house.anonymous(),
            "login",
            "/auth/login",
            Some(&words),
        )
        .await;
    let tokens = answer.json()["data"].clone();
    let secret = json!({"email": EMAIL, "password": "correct horse battery"});
    story.keeps("login", "/auth/login", Some(secret), &answer);
    story
        .refuses("login", "/auth/login", Some(json!({"email": EMAIL})))
        .await;

    let token = json!({"refresh_token": tokens["refresh_token"]});
    let answer = story
        .calls(
            story.house.anonymous(),
            "refresh",
            "/auth/refresh",
            Some(&token),
        )
        .await;
    let shown = json!({"refresh_token": story.recorded["login"].answer.as_ref().unwrap()["data"]["refresh_token"]});
    story.keeps("refresh", "/auth/refresh", Some(shown), &answer);
    story
        .refuses("refresh", "/auth/refresh", Some(json!({})))
        .await;

    let token = answer.json()["data"]["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    story.shows("me", "/auth/me", None).await;
    let answer = story
        .calls(story.house.bearer(&token), "logout", "/auth/logout", None)
        .await;
    story.keeps("logout", "/auth/logout", None, &answer);
}

/// The administrator's own sign-in changes for a while.
async fn two_factors(story: &mut Story) {
    story.house.waits(SignedDuration::ZERO).await;
    let (set_up, enable, disable, codes, verify, reset) = (
        "/auth/2fa/setup",
        "/auth/2fa/enable",
        "/auth/2fa/disable",
        "/auth/2fa/backup-codes",
        "/auth/2fa/verify",
        "/users/1/2fa/reset",
    );
    let password = json!({"password": PASSWORD});
    let both = |code: &str| json!({"password": PASSWORD, "code": code});
    let code = Some(json!({"code": "123456"}));
    story
        .refuses("enable_two_factor", enable, code.clone())
        .await;
    story
        .refuses("disable_two_factor", disable, Some(both("123456")))
        .await;
    story
        .refuses("make_backup_codes", codes, Some(password.clone()))
        .await;
    story.refuses("reset_two_factor", reset, None).await;
    for (name, path) in [
        ("enable_two_factor", enable),
        ("disable_two_factor", disable),
        ("make_backup_codes", codes),
        ("verify_two_factor", verify),
    ] {
        story.refuses(name, path, Some(json!({}))).await;
    }

    let wrong = json!({"password": "not this one"});
    story
        .refuses("set_up_two_factor", set_up, Some(wrong))
        .await;
    let made = story
        .calls(story.admin(), "set_up_two_factor", set_up, Some(&password))
        .await;
    story.keeps("set_up_two_factor", set_up, Some(password.clone()), &made);
    let phone = Phone(made.ok()["data"]["secret"].as_str().unwrap().to_owned());
    let shows = |story: &Story| phone.shows_at(story.house.clock.now().as_second());
    let first = json!({"code": shows(story)});
    story.shows("enable_two_factor", enable, Some(first)).await;
    story.refuses("enable_two_factor", enable, code).await;
    story.refuses("set_up_two_factor", set_up, None).await;
    story.shows("show_two_factor", "/auth/2fa", None).await;

    story.house.clock.advance(SignedDuration::from_secs(30));
    let words = json!({"email": EMAIL, "password": PASSWORD});
    let asked = story
        .house
        .anonymous()
        .post("/auth/login", &words)
        .await
        .ok();
    let mut answer =
        json!({"challenge_token": asked["data"]["challenge_token"], "code": shows(story)});
    let anybody = story.house.anonymous();
    let entered = story
        .calls(anybody, "verify_two_factor", verify, Some(&answer))
        .await;
    let cut: String = asked["data"]["challenge_token"]
        .as_str()
        .unwrap()
        .chars()
        .take(12)
        .collect();
    answer["challenge_token"] = json!(format!("{cut}…"));
    story.keeps("verify_two_factor", verify, Some(answer), &entered);

    story
        .shows("make_backup_codes", codes, Some(password))
        .await;
    story.house.clock.advance(SignedDuration::from_secs(30));
    let off = both(&shows(story));
    story.shows("disable_two_factor", disable, Some(off)).await;
}

/// Nora has lost her phone.
async fn lost_phone(story: &mut Story, nora: &Value) {
    let path = format!("/users/{nora}/2fa/reset");
    story.refuses("reset_two_factor", &path, None).await;
    let phone = format!(
        "INSERT INTO second_factors (user_id, secret_sealed, enabled_at, created_at)
           VALUES ({nora}, x'00', 1, 1)"
    );
    let write = story
        .house
        .app
        .store
        .write(Lane::Front, move |db| Ok(db.execute_batch(&phone)?));
    let written: Result<(), StoreError> = write.await;
    written.unwrap();
    story.shows("reset_two_factor", &path, None).await;
}

/// A document among examples of itself: its first level only.
fn abridged(mut document: Value) -> Value {
    for (_, value) in document.as_object_mut().unwrap() {
        match value {
            Value::Object(fields)
                if fields.contains_key("title") || fields.contains_key("name") => {}
            Value::Object(fields) => fields.clear(),
            Value::Array(values) => values.clear(),
            _ => {}
        }
    }
    document
}

async fn ingestion(story: &mut Story) {
    let now = story.house.clock.now();
    let sync = "/sites/1/modules/sync";
    story
        .shows("sync_site", sync, Some(inventory(now, "1.0.1", INSTANCE)))
        .await;
    let wrong = json!({"schema": 1, "modules": [{"name": "token"}, {"name": "token"}]});
    story.refuses("sync_site", sync, Some(wrong)).await;
    let older = inventory(now - SignedDuration::from_hours(1), "1.0.0", INSTANCE);
    story.refuses("sync_site", sync, Some(older)).await;
    let stranger = inventory(now, "1.0.1", "99d0aa17");
    story.refuses("sync_site", sync, Some(stranger)).await;

    story.house.clock.advance(SignedDuration::from_mins(10));
    let name = "sync_site_from_composer_lock";
    story.house.site_of(1, "Old archive").await;
    let path = "/sites/3/composer-lock";
    story.shows(name, path, Some(lock("1.0.0"))).await;
    let none = json!({"packages": "none"});
    story.refuses(name, path, Some(none)).await;
}

async fn announcements(story: &mut Story) {
    let now = story.house.clock.now();
    let ago = |minutes| (now - SignedDuration::from_mins(minutes)).to_string();
    let run = json!({
        "site_id": 1, "performed_by": "Deploy of Monday", "ticket": "OPS-7", "commit": "4f1c0de",
        "started_at": ago(8), "finished_at": ago(3),
    });
    let (name, path) = ("announce_patch_run", "/patch-runs");
    story.shows(name, path, Some(run)).await;
    let wrong = json!({"site_id": 4_000, "started_at": ago(3), "finished_at": ago(8)});
    story.refuses(name, path, Some(wrong)).await;
}

async fn in_hand(story: &mut Story) {
    let one = async |story: &Story, filter: &str| {
        let path = format!("/exposures?filter[closed_at][null]={filter}&per_page=1");
        story.admin().get(&path).await.ok()["data"][0]["id"].clone()
    };
    let (open, closed) = (one(story, "true").await, one(story, "false").await);
    let until = (story.house.clock.now() + SignedDuration::from_hours(72)).to_string();
    for (name, act, said, wrong) in [
        (
            "assign_exposure",
            "assign",
            json!({"user_id": 1}),
            json!({"user_id": 4_000}),
        ),
        (
            "acknowledge_exposure",
            "acknowledge",
            json!({"note": "Planned for Tuesday"}),
            json!({"notes": "Tuesday"}),
        ),
        (
            "snooze_exposure",
            "snooze",
            json!({"until": until, "reason": "The client freezes changes until the elections"}),
            json!({"until": "soon", "reason": ""}),
        ),
    ] {
        let path = format!("/exposures/{open}/{act}");
        story.shows(name, &path, Some(said.clone())).await;
        story.refuses(name, &path, Some(wrong)).await;
        let path = format!("/exposures/{closed}/{act}");
        story.refuses(name, &path, Some(said)).await;
    }
}

async fn readings(story: &mut Story) {
    for (name, path) in [
        (
            "list_sites",
            "/sites?filter[environment]=production&sort=name&per_page=2",
        ),
        ("show_overview", "/dashboard/overview"),
        ("show_security", "/dashboard/security"),
        ("show_site_dashboard", "/dashboard/sites/2"),
        ("report_security_updates", "/reports/security-updates"),
        ("report_module_updates", "/reports/module-updates"),
        (
            "report_sla_compliance",
            "/reports/sla-compliance?from=2026-11-01&to=2026-12-31",
        ),
        ("report_historical", "/reports/historical"),
        ("report_end_of_life", "/reports/end-of-life"),
        ("show_site", "/sites/1"),
        ("list_site_modules", "/sites/2/modules?sort=name"),
        ("list_syncs", "/sites/1/syncs"),
        ("show_sync", "/sites/1/syncs/1"),
        ("list_site_patch_runs", "/sites/1/patch-runs"),
        (
            "list_site_exposures",
            "/sites/2/exposures?filter[state]=open",
        ),
        ("list_events", "/sites/1/events?per_page=2"),
        ("list_modules", "/modules?q=token"),
        ("show_module", "/modules/2"),
        ("list_module_versions", "/modules/2/versions"),
        ("list_module_sites", "/modules/2/sites"),
        (
            "list_exposures",
            "/exposures?filter[state]=open&sort=due_at&per_page=1",
        ),
        ("show_exposure", "/exposures/1"),
        ("list_patch_runs", "/patch-runs"),
        ("show_patch_run", "/patch-runs/1"),
        ("list_advisories", "/advisories?filter[module]=token"),
        ("show_advisory", &format!("/advisories/{ADVISORY}")),
        (
            "list_advisory_sites",
            &format!("/advisories/{ADVISORY}/sites?filter[state]=open"),
        ),
        (
            "list_audit_logs",
            "/audit-logs?filter[organization_id]=1&per_page=2",
        ),
        ("list_organizations", "/organizations"),
        ("show_organization", "/organizations/1"),
    ] {
        story.shows(name, path, None).await;
        let rows = story.recorded[name].answer.as_ref().unwrap()["data"].clone();
        assert_ne!(rows, json!([]), "{name} shows a row");
    }
}

async fn catalogue(story: &mut Story) {
    let new = json!({"module_name": "pathauto", "title": "Pathauto", "type": "module"});
    story
        .shows("create_module", "/modules", Some(new.clone()))
        .await;
    story.refuses("create_module", "/modules", Some(new)).await;
    story
        .refuses(
            "create_module",
            "/modules",
            Some(json!({"module_name": "Path auto"})),
        )
        .await;
    let id = story.recorded["create_module"].answer.as_ref().unwrap()["data"]["id"].clone();
    let path = format!("/modules/{id}");
    let title = json!({"title": "Pathauto (URL aliases)"});
    story.shows("update_module", &path, Some(title)).await;
    story
        .refuses("update_module", &path, Some(json!({"title": ""})))
        .await;
    story
        .refuses("restore_module", &format!("{path}/restore"), None)
        .await;
    story.shows("delete_module", &path, None).await;
    story.refuses("delete_module", "/modules/2", None).await;
    story
        .shows("restore_module", &format!("{path}/restore"), None)
        .await;

    let custom = story
        .admin()
        .get("/modules?filter[origin]=custom")
        .await
        .ok();
    let custom = format!("/modules/{}/refresh", custom["data"][0]["id"]);
    story
        .shows("refresh_module", "/modules/2/refresh", None)
        .await;
    story.refuses("refresh_module", &custom, None).await;
    story.shows("list_jobs", "/jobs", None).await;
    story.shows("show_job", "/jobs/1", None).await;

    // Where drupal.org isn't followed nobody can be asked.
    let house = TestApp::with(|config| config.drupal_org.enabled = false).await;
    let organization = house.organization("Harbour Agency").await;
    let site = house.site_of(organization, "Town hall").await;
    site.syncs(&[("token", "1.0.0")]).await;
    let mut apart = Story {
        house,
        town_hall: String::new(),
        recorded: std::mem::take(&mut story.recorded),
    };
    apart
        .refuses("refresh_module", "/modules/2/refresh", None)
        .await;
    story.recorded = apart.recorded;
}

async fn keys(story: &mut Story) {
    let new = json!({
        "name": "Reporting", "organization_id": 1, "scopes": ["sites:read", "modules:read"],
        "networks": ["192.0.2.0/24"], "expires_at": "2027-11-20T00:00:00Z",
    });
    story.shows("create_api_key", "/api-keys", Some(new)).await;
    let id = story.recorded["create_api_key"].answer.as_ref().unwrap()["data"]["id"].clone();
    let path = format!("/api-keys/{id}");
    let wrong = json!({"name": "", "organization_id": 1, "scopes": ["sites:fly"]});
    story
        .refuses("create_api_key", "/api-keys", Some(wrong.clone()))
        .await;
    story.shows("show_api_key", &path, None).await;
    story
        .shows(
            "update_api_key",
            &path,
            Some(json!({"name": "Monthly report"})),
        )
        .await;
    story
        .refuses("update_api_key", &path, Some(json!({"name": ""})))
        .await;
    let rotate = format!("{path}/rotate");
    story
        .shows(
            "rotate_api_key",
            &rotate,
            Some(json!({"grace_minutes": 60})),
        )
        .await;
    story
        .refuses(
            "rotate_api_key",
            &rotate,
            Some(json!({"grace_minutes": -1})),
        )
        .await;
    story
        .shows("list_api_keys", "/api-keys?per_page=2", None)
        .await;
    story.shows("revoke_api_key", &path, None).await;
    story
        .refuses("update_api_key", &path, Some(json!({"name": "Late"})))
        .await;
    story
        .refuses("rotate_api_key", &rotate, Some(json!({})))
        .await;
}

async fn sites(story: &mut Story) {
    let new = json!({
        "name": "Museum", "url": "https://museum.example.org", "organization_id": 2,
        "environment": "staging", "tags": ["culture"], "sync_interval_minutes": 60, "notes": "",
    });
    story
        .shows("create_site", "/sites", Some(new.clone()))
        .await;
    story
        .refuses("create_site", "/sites", Some(new.clone()))
        .await;
    story
        .refuses(
            "create_site",
            "/sites",
            Some(json!({"name": "", "url": "museum"})),
        )
        .await;
    let id = story.recorded["create_site"].answer.as_ref().unwrap()["data"]["id"].clone();
    let path = format!("/sites/{id}");
    let restore = format!("{path}/restore");
    story
        .shows(
            "update_site",
            &path,
            Some(json!({"environment": "production"})),
        )
        .await;
    story
        .refuses("update_site", &path, Some(json!({"environment": "moon"})))
        .await;
    story
        .refuses("update_site", "/sites/1", Some(json!({"name": "Library"})))
        .await;
    story.refuses("restore_site", &restore, None).await;
    story.shows("delete_site", &path, None).await;
    story.shows("restore_site", &restore, None).await;
    story.admin().delete(&path).await;
    let mut again = new;
    again["environment"] = json!("production");
    story.admin().post("/sites", &again).await.created();
    story.refuses("restore_site", &restore, None).await;
    story.admin().delete("/organizations/2").await;
    story.refuses("restore_site", &restore, None).await;
    story
        .admin()
        .post("/organizations/2/restore", &json!({}))
        .await
        .ok();
}

async fn organizations(story: &mut Story) {
    let new = json!({"name": "Orchard Press", "notes": "Three magazines"});
    story
        .shows("create_organization", "/organizations", Some(new.clone()))
        .await;
    story
        .refuses("create_organization", "/organizations", Some(new.clone()))
        .await;
    story
        .refuses("create_organization", "/organizations", Some(json!({})))
        .await;
    let id = story.recorded["create_organization"]
        .answer
        .as_ref()
        .unwrap()["data"]["id"]
        .clone();
    let path = format!("/organizations/{id}");
    let restore = format!("{path}/restore");
    story
        .shows(
            "update_organization",
            &path,
            Some(json!({"notes": "Four magazines"})),
        )
        .await;
    story
        .refuses("update_organization", &path, Some(json!({"name": ""})))
        .await;
    story
        .refuses(
            "update_organization",
            &path,
            Some(json!({"name": "Harbour Agency"})),
        )
        .await;
    promises(story, &format!("{path}/sla-policy")).await;
    story.refuses("restore_organization", &restore, None).await;
    story.shows("delete_organization", &path, None).await;
    story.shows("restore_organization", &restore, None).await;
    story.admin().delete(&path).await;
    story.admin().post("/organizations", &new).await.created();
    story.refuses("restore_organization", &restore, None).await;
}

/// What is promised, and what is not.
async fn promises(story: &mut Story, path: &str) {
    let business = json!({
        "environments": {
            "production": {"calendar": "business", "hours": {"highly_critical": 8, "critical": 16}},
            "development": {"calendar": "none"},
        },
        "time_zone": "Europe/Vienna",
        "holidays": ["2026-12-25", "2027-01-01"],
    });
    story.shows("show_sla_policy", path, None).await;
    story.shows("update_sla_policy", path, Some(business)).await;
    let wrong = json!({"environments": {"staging": {"hours": {"critical": 0}}}});
    story.refuses("update_sla_policy", path, Some(wrong)).await;
}

/// What clocks tell when time passes.
async fn clocks(story: &mut Story) {
    story.passes(SignedDuration::from_hours(24 * 4)).await;
    let path = "/exposures/2/events";
    story.shows("list_exposure_events", path, None).await;
}

async fn roles(story: &mut Story) {
    let paths = [
        ("list_permissions", "/permissions"),
        ("list_roles", "/roles?per_page=2"),
        ("show_role", "/roles/3"),
    ];
    for (name, path) in paths {
        story.shows(name, path, None).await;
    }
    let new = json!({"name": "Editor", "description": "Looks after sites and nothing else",
        "organization_id": 1, "permissions": ["sites:read", "sites:write"]});
    story
        .shows("create_role", "/roles", Some(new.clone()))
        .await;
    story.refuses("create_role", "/roles", Some(new)).await;
    let wrong = json!({"name": "Reader", "permissions": ["sites:eat"]});
    story.refuses("create_role", "/roles", Some(wrong)).await;
    let id = story.recorded["create_role"].answer.as_ref().unwrap()["data"]["id"].clone();
    let path = format!("/roles/{id}");
    let words = json!({"permissions": ["sites:read", "sites:write", "reports:read"]});
    story.shows("update_role", &path, Some(words)).await;
    for (path, words) in [
        (path.as_str(), json!({"name": ""})),
        ("/roles/3", json!({"name": "Reader"})),
        (path.as_str(), json!({"name": "viewer"})),
    ] {
        story.refuses("update_role", path, Some(words)).await;
    }
    story.refuses("delete_role", "/roles/1", None).await;
    let words = json!({"email": "mia@example.org", "name": "Mia Reyes", "role": id});
    let mia = story
        .admin()
        .post("/organizations/1/members", &words)
        .await
        .created();
    story.refuses("delete_role", &path, None).await;
    let mia = format!("/organizations/1/members/{}", mia["data"]["user_id"]);
    story.admin().delete(&mia).await;
    story.shows("delete_role", &path, None).await;
}

/// Somebody who has an account, and his id.
async fn has_an_account(story: &Story, email: &str, name: &str) -> i64 {
    let words = json!({"email": email, "name": name, "password": PASSWORD});
    let made = story.admin().post("/users", &words).await.created();
    made["data"]["id"].as_i64().unwrap()
}

async fn people(story: &mut Story) {
    let new = json!({"email": "nora@example.org", "name": "Nora Hale", "organization_id": 1, "role": "viewer"});
    story
        .shows("create_user", "/users", Some(new.clone()))
        .await;
    let nora = story.recorded["create_user"].answer.as_ref().unwrap()["data"]["id"].clone();
    let grace = has_an_account(story, "grace@example.org", "Grace Field").await;
    let admin = json!({"user_id": grace, "role": "admin"});
    story
        .admin()
        .post("/organizations/1/members", &admin)
        .await
        .created();
    let member = json!({"email": "grace@example.org", "name": "Grace", "organization_id": 1, "role": "viewer"});
    let taken = json!({"email": "grace@example.org", "name": "Grace"});
    let wrong = json!({"email": "nowhere", "organization_id": 1, "role": "captain"});
    for words in [new, member, taken, wrong] {
        story.refuses("create_user", "/users", Some(words)).await;
    }
    story
        .shows("list_users", "/users?filter[status]=invited", None)
        .await;
    story
        .shows("show_user", &format!("/users/{grace}"), None)
        .await;
    story
        .shows("list_notifications", "/notifications", None)
        .await;
    lost_phone(story, &nora).await;
    let path = format!("/users/{nora}");
    story
        .shows("update_user", &path, Some(json!({"name": "Nora Hall"})))
        .await;
    for (path, words) in [
        (path.as_str(), json!({"platform_admin": true})),
        (path.as_str(), json!({"time_zone": "Mars/Olympus"})),
        (&format!("/users/{grace}"), json!({"email": EMAIL})),
        ("/users/1", json!({"platform_admin": false})),
    ] {
        story.refuses("update_user", path, Some(words)).await;
    }
    story
        .shows("renew_invitation", &format!("{path}/invite"), None)
        .await;
    story
        .refuses("renew_invitation", &format!("/users/{grace}/invite"), None)
        .await;
    comes_and_goes(story).await;
    membership(story, grace).await;
}

async fn comes_and_goes(story: &mut Story) {
    let first = has_an_account(story, "ines@example.org", "Ines Moor").await;
    let path = format!("/users/{first}");
    let restore = format!("{path}/restore");
    story.refuses("delete_user", "/users/1", None).await;
    story.refuses("restore_user", &restore, None).await;
    story.shows("delete_user", &path, None).await;
    let second = has_an_account(story, "ines@example.org", "Another Ines").await;
    story.refuses("restore_user", &restore, None).await;
    story.admin().delete(&format!("/users/{second}")).await;
    story.shows("restore_user", &restore, None).await;
}

async fn membership(story: &mut Story, grace: i64) {
    let path = "/organizations/1/members";
    let new = json!({"email": "otto@example.org", "name": "Otto Brandt", "role": "manager"});
    story.shows("add_member", path, Some(new.clone())).await;
    let otto = story.recorded["add_member"].answer.as_ref().unwrap()["data"]["user_id"].clone();
    let member = json!({"user_id": grace, "role": "viewer"});
    for words in [new, member, json!({})] {
        story.refuses("add_member", path, Some(words)).await;
    }
    story.shows("list_members", path, None).await;
    let (otto, boss) = (format!("{path}/{otto}"), format!("{path}/{grace}"));
    story.shows("show_member", &otto, None).await;
    let role = json!({"role": "viewer"});
    story
        .shows("update_member", &otto, Some(role.clone()))
        .await;
    story
        .refuses("update_member", &otto, Some(json!({"role": "captain"})))
        .await;
    story
        .refuses("update_member", &boss, Some(role.clone()))
        .await;
    story.refuses("remove_member", &boss, None).await;
    story.shows("remove_member", &otto, None).await;

    let ada = json!({"user_id": 1, "role": "admin"});
    for path in [path, "/organizations/2/members"] {
        story.admin().post(path, &ada).await.created();
    }
    story
        .shows("leave_organization", "/auth/memberships/1", None)
        .await;
    story
        .refuses("leave_organization", "/auth/memberships/2", None)
        .await;
    let second = json!({"user_id": grace, "role": "admin"});
    story
        .admin()
        .post("/organizations/2/members", &second)
        .await
        .created();
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/http/openapi/examples")
}

fn written(example: &Example) -> String {
    format!("{}\n", serde_json::to_string_pretty(example).unwrap())
}

fn recording() -> bool {
    std::env::var_os("DEWLINE_RECORD").is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_are_what_the_program_answers() {
    let told = told().await;
    let mut wrong = Vec::new();
    for route in dewline::http::routes() {
        let name = route.operation.name;
        let title = format!("{name} ({} {})", route.method, route.full_path());
        let Some(example) = told.get(name).filter(|example| !example.path.is_empty()) else {
            wrong.push(format!(
                "{title}: no call; add one with story.shows(..) in tests/examples.rs"
            ));
            continue;
        };
        let takes = !matches!(route.operation.takes, Takes::Nothing);
        if takes && example.invalid.is_none() {
            wrong.push(format!(
                "{title}: no call that is refused with 422; add one with story.refuses(..)"
            ));
        }
        for code in route.conflicts {
            if !example.conflicts.contains_key(*code) {
                wrong.push(format!(
                    "{title}: no call that ends in 409 {code}; add one with story.refuses(..)"
                ));
            }
        }
        for code in example.conflicts.keys() {
            if !route.conflicts.contains(&code.as_str()) {
                wrong.push(format!("{title}: ends in 409 {code}, which its line in the table of routes doesn't name: .conflicts(&[..])"));
            }
        }
        let file = folder().join(format!("{name}.json"));
        if recording() {
            fs::write(&file, written(example)).unwrap();
        } else if fs::read_to_string(&file).unwrap_or_default() != written(example) {
            wrong.push(format!("{title}: answers otherwise than its example says; if that is meant, record it: DEWLINE_RECORD=1 cargo test --test main examples"));
        }
    }
    let known: Vec<&str> = dewline::http::routes()
        .iter()
        .map(|route| route.operation.name)
        .collect();
    for name in Example::names() {
        if !known.contains(&name.as_str()) {
            wrong.push(format!("{name}.json is no operation's example: remove it"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every place of the document where something is sent or answered: its title and its content.
fn contents() -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for (path, methods) in DOCUMENT["paths"].as_object().unwrap() {
        for (verb, operation) in methods.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            let mut bodies = vec![(format!("{name} request"), &operation["requestBody"])];
            for (status, answer) in operation["responses"].as_object().unwrap() {
                bodies.push((format!("{name} {status}"), answer));
            }
            for (title, body) in bodies {
                for (media, content) in body["content"].as_object().into_iter().flatten() {
                    all.push((format!("{verb} {path}, {title}, {media}"), content.clone()));
                }
            }
        }
    }
    all
}

#[test]
fn everything_that_is_sent_or_answered_has_an_example_that_fits_its_schema() {
    let mut wrong = Vec::new();
    let contents = contents();
    assert!(contents.len() > 400, "{}", contents.len());
    for (title, content) in contents {
        let examples = content["examples"].as_object().cloned().unwrap_or_default();
        if examples.is_empty() {
            wrong.push(format!("{title}: no example"));
        }
        for (name, example) in examples {
            let validator = validator(&title, &content["schema"]);
            for error in validator.iter_errors(&example["value"]) {
                wrong.push(format!("{title}, {name}: {} {error}", error.instance_path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What an object of this schema has by its types: its members, and which of them can be left out.
fn members(schema: &Value) -> BTreeMap<String, (Value, bool)> {
    let schema = resolved(schema);
    let mut all: BTreeMap<String, (Value, bool)> = schema["allOf"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(members)
        .collect();
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let needed = required.contains(&json!(name));
        all.insert(name.clone(), (member.clone(), needed));
    }
    all
}

fn resolved(schema: &Value) -> &Value {
    match schema["$ref"].as_str() {
        Some(reference) => DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}

/// Members that an example has and its type doesn't, or the other way round.
fn strange(at: &str, schema: &Value, value: &Value, wrong: &mut Vec<String>) {
    let schema = resolved(schema);
    let one_of = schema["oneOf"].as_array().into_iter().flatten();
    if let Some(other) = one_of.clone().find(|one| one["type"] != "null") {
        if !value.is_null() {
            strange(at, other, value, wrong);
        }
        return;
    }
    match value {
        Value::Object(fields) => {
            let members = members(schema);
            if members.is_empty() {
                return;
            }
            for (name, (_, needed)) in &members {
                if *needed && !fields.contains_key(name) {
                    wrong.push(format!("{at}: {name} is missing"));
                }
            }
            for (name, field) in fields {
                match members.get(name) {
                    Some((member, _)) => strange(&format!("{at}/{name}"), member, field, wrong),
                    None => wrong.push(format!("{at}: {name} is not in the type")),
                }
            }
        }
        Value::Array(values) => {
            for value in values {
                strange(at, &schema["items"], value, wrong);
            }
        }
        _ => {}
    }
}

#[test]
fn the_examples_have_the_members_of_their_types() {
    let mut wrong = Vec::new();
    for (title, content) in contents() {
        if title.ends_with("application/json") {
            let example = &content["examples"]["example"]["value"];
            strange(&title, &content["schema"], example, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_stands_in_a_path_has_an_example() {
    for (path, methods) in DOCUMENT["paths"].as_object().unwrap() {
        for operation in methods.as_object().unwrap().values() {
            for parameter in operation["parameters"].as_array().unwrap() {
                let shown = parameter["in"] != "path" || !parameter["example"].is_null();
                assert!(shown, "{path} {}", parameter["name"]);
            }
        }
    }
}
