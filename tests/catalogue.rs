//! Keeping up with drupal.org: when it is asked, and what becomes of the fleet when it answers, answers
//! badly, or doesn't answer.

use std::collections::BTreeMap;
use std::path::Path;

use dewline::demo::drupal_org::{Asked, Behaviour};
use dewline::demo::history::{Project, Release};
use dewline::domain::access::Actor;
use dewline::services::import_catalogue::{self, Report};
use dewline::store::{Lane, StoreError, catalogue};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::TestApp;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// One appliance with two sites, in front of a stand-in for drupal.org.
struct Fleet {
    house: TestApp,
    /// Id and key.
    sites: Vec<(i64, String)>,
    /// A key that may read everything and ask for a refresh.
    key: String,
}

impl Fleet {
    async fn at(start: &str) -> Self {
        Self::new(start, true).await
    }

    /// A box without internet.
    async fn apart(start: &str) -> Self {
        Self::new(start, false).await
    }

    async fn new(start: &str, online: bool) -> Self {
        let house = TestApp::with(|config| config.drupal_org.enabled = online).await;
        let harbour = house.organization("Harbour").await;
        let mut sites = Vec::new();
        for name in ["Town hall", "Library"] {
            let site = house.site_of(harbour, name).await;
            sites.push((site.id, site.key));
        }
        let scopes = ["sites:read", "modules:read", "modules:write", "jobs:read"];
        let key = house.key(harbour, &scopes).await;
        house.clock.set(at(start));
        Self { house, sites, key }
    }

    /// drupal.org has a project with one release, 1.0.0.
    fn project(&self, name: &str) {
        let project = Project::new(name, name, "project_module", &["1.0."]);
        self.house
            .publishes(project.with(Release::new("1.0.0", 1_760_000_000)));
    }

    fn publish(&self, project: &str, release: Release) {
        self.house.releases(project, release);
    }

    fn behaves(&self, behaviour: Behaviour) {
        self.house.drupal_org.set_behaviour_for_all(behaviour);
    }

    fn behaves_about(&self, project: &str, behaviour: Option<Behaviour>) {
        self.house.drupal_org.set_behaviour(project, behaviour);
    }

    fn requests(&self) -> Vec<Asked> {
        self.house.drupal_org.take_requests()
    }

    fn now(&self) -> Timestamp {
        self.house.app.clock.now()
    }

    /// The first or second site has core and these modules at these versions.
    async fn syncs(&self, site: usize, modules: &[(&str, &str)]) {
        let mut entries = vec![json!({"name": "drupal", "type": "core", "version": "11.2.0"})];
        entries.extend(modules.iter().map(|(name, version)| {
            json!({"name": name, "version": version, "custom": name.starts_with("our_")})
        }));
        let (id, key) = &self.sites[site - 1];
        let inventory = json!({"schema": 1, "modules": entries});
        let path = format!("/sites/{id}/modules/sync");
        self.house.bearer(key).post(&path, &inventory).await.ok();
    }

    async fn runs_jobs(&self) {
        self.house.run_jobs().await;
    }

    /// Lets the time pass up to `end`, stopping wherever a module is due.
    async fn lives_until(&self, end: Timestamp) {
        let app = &self.house.app;
        loop {
            self.runs_jobs().await;
            let now = self.now();
            if now >= end {
                return;
            }
            let due = app.store.read(catalogue::next_due).unwrap();
            let due = due.max(app.feed.as_ref().unwrap().paused_until());
            let hourly = now + SignedDuration::from_hours(1);
            let next = due.map_or(hourly, |due| due.min(hourly)).min(end);
            assert!(next > now, "a module stays due");
            self.house.clock.set(next);
        }
    }

    async fn lives_for(&self, time: SignedDuration) {
        self.lives_until(self.now() + time).await;
    }

    /// What `dewline import catalogue` does with files that were made so long ago.
    async fn imports_made(&self, ago: SignedDuration, path: &Path) -> Report {
        use dewline::clock::Clock;
        made(path, self.house.clock.now().checked_sub(ago).unwrap());
        self.imports(path).await
    }

    /// What `dewline import catalogue` does.
    async fn imports(&self, path: &Path) -> Report {
        let mut handfuls = Vec::new();
        let mut report = import_catalogue::read(path, &mut |handful| {
            handfuls.push(handful);
            Ok(())
        })
        .unwrap();
        for handful in handfuls {
            let took = import_catalogue::take(&self.house.app, &Actor::System, handful).await;
            report.add(took.unwrap());
        }
        report
    }

    async fn get(&self, path: &str) -> Value {
        self.house.bearer(&self.key).get(path).await.ok()["data"].clone()
    }

    async fn site(&self, site: usize) -> Value {
        self.get(&format!("/sites/{}", self.sites[site - 1].0))
            .await
    }

    async fn status(&self, site: usize) -> String {
        text(&self.site(site).await["status"])
    }

    async fn open_exposures(&self) -> i64 {
        let (one, two) = (self.site(1).await, self.site(2).await);
        one["open_exposures"].as_i64().unwrap() + two["open_exposures"].as_i64().unwrap()
    }

    /// Asks for a refresh of a module, and gives the job.
    async fn wants(&self, module: &Value) -> i64 {
        let path = format!("/modules/{module}/refresh");
        let answer = self.house.bearer(&self.key).post(&path, &json!({})).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        answer.json()["data"]["id"].as_i64().unwrap()
    }

    /// State, attempts and last error of a job.
    async fn job(&self, id: i64) -> String {
        let job = self.get(&format!("/jobs/{id}")).await;
        let error = text(&job["last_error"]);
        format!("{} {} {error}", text(&job["state"]), job["attempts"])
    }

    async fn module(&self, name: &str) -> Value {
        let all = self
            .get(&format!("/modules?filter[module_name]={name}"))
            .await;
        all[0].clone()
    }

    /// When a module's data was last good, and what went wrong since.
    async fn feed(&self, name: &str) -> (String, Value) {
        let module = self.module(name).await;
        (
            text(&module["last_success_at"]),
            module["last_error"].clone(),
        )
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("null").to_owned()
}

/// All files below were made at that time.
fn made(path: &Path, at: Timestamp) {
    let time =
        std::time::UNIX_EPOCH + std::time::Duration::from_secs(at.as_second().unsigned_abs());
    for entry in std::fs::read_dir(path).unwrap().flatten() {
        if entry.path().is_dir() {
            made(&entry.path(), at);
        } else {
            let file = std::fs::File::options()
                .append(true)
                .open(entry.path())
                .unwrap();
            file.set_modified(time).unwrap();
        }
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The times of all requests, in seconds, by project.
fn by_project(asked: &[Asked]) -> BTreeMap<&str, Vec<i64>> {
    let mut times: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for one in asked {
        let of_project = times.entry(&one.project).or_default();
        of_project.push(one.at.as_second());
    }
    times
}

fn gaps(times: &[i64]) -> Vec<i64> {
    times.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[tokio::test]
async fn a_tuesday_a_wednesday_and_a_thursday() {
    let fleet = Fleet::at("2026-11-24T00:00:00Z").await;
    let names: Vec<String> = (0..12).map(|n| format!("module_{n}")).collect();
    let mut modules: Vec<_> = names.iter().map(|name| (name.as_str(), "1.0.0")).collect();
    for name in &names {
        fleet.project(name);
    }
    fleet.project("left_behind");
    modules.extend([
        ("left_behind", "1.0.0"),
        ("nobody_knows", "1.0.0"),
        ("our_own", "1.0.0"),
    ]);
    fleet.syncs(1, &modules).await;
    modules.retain(|(name, _)| *name != "left_behind");
    fleet.house.clock.advance(SignedDuration::from_mins(1));
    fleet.syncs(1, &modules).await;

    fleet.lives_until(at("2026-11-27T00:00:00Z")).await;
    let asked = fleet.requests();
    let times = by_project(&asked);
    let opens = at("2026-11-25T15:00:00Z").as_second();
    let closes = at("2026-11-25T19:00:00Z").as_second();
    let first = at("2026-11-24T00:01:00Z").as_second();

    // Custom code is never named; the unknown name is asked once and after a day.
    assert!(!times.contains_key("our_own"));
    assert_eq!(times["nobody_knows"], [first, first + 24 * HOUR]);

    // What nobody runs is asked all the same, hourly, and the window changes nothing for it.
    let unused = &times["left_behind"];
    assert_eq!(unused[0], first);
    assert!(
        gaps(unused).iter().skip(2).all(|gap| *gap == 55 * MINUTE),
        "{unused:?}"
    );

    let mut phases = Vec::new();
    for name in names.iter().map(String::as_str).chain(["drupal"]) {
        let times = &times[name];
        // Never seen: at once. Then a place in the hour, found within the first two requests.
        assert_eq!(times[0], first, "{name}");
        assert!(
            gaps(times).iter().all(|gap| (MINUTE..=HOUR).contains(gap)),
            "{name}: {times:?}"
        );
        let (before, rest): (Vec<i64>, Vec<i64>) = times.iter().partition(|t| **t < opens);
        let (inside, after): (Vec<i64>, Vec<i64>) = rest.iter().partition(|t| **t < closes);
        assert!(
            gaps(&before).iter().skip(2).all(|gap| *gap == 55 * MINUTE),
            "{name}"
        );
        // In the window: within its first five minutes, and then every five, to the second.
        assert_eq!(inside.len(), 48, "{name}");
        assert!(inside[0] < opens + 5 * MINUTE, "{name}");
        assert!(gaps(&inside).iter().all(|gap| *gap == 5 * MINUTE), "{name}");
        assert!(
            gaps(&after).iter().skip(2).all(|gap| *gap == 55 * MINUTE),
            "{name}"
        );
        phases.push(inside[0] - opens);
    }
    // Spread evenly: 13 modules in 300 seconds, about one every 23 and nowhere a crowd or a hole.
    phases.sort_unstable();
    assert!(
        gaps(&phases).iter().all(|gap| (5..=50).contains(gap)),
        "{phases:?}"
    );

    // Nothing but the first document of each was sent: the rest was "not modified".
    let documents = asked.iter().filter(|one| one.answered == 200);
    assert_eq!(documents.count(), 14 + 2);
    let most: usize = asked.iter().filter(|one| one.answered == 304).count();
    assert!(most > 13 * 48, "{most}");
}

#[tokio::test]
async fn a_security_release_is_noticed_in_the_window_within_five_minutes() {
    let fleet = Fleet::at("2026-11-25T14:00:00Z").await;
    fleet.project("rope");
    fleet.syncs(1, &[("rope", "1.0.0")]).await;
    fleet.lives_until(at("2026-11-25T16:01:00Z")).await;
    assert_eq!(
        (fleet.status(1).await.as_str(), fleet.open_exposures().await),
        ("current", 0)
    );

    let published = fleet.now();
    fleet.publish("rope", Release::security("1.0.1", published.as_second()));
    fleet.lives_for(SignedDuration::from_mins(5)).await;
    assert_eq!(
        (fleet.status(1).await.as_str(), fleet.open_exposures().await),
        ("not_secure", 1)
    );
    let window = fleet.get("/exposures").await[0].clone();
    assert_eq!(at(&text(&window["opened_at"])), published);
    let known = at(&text(&window["known_at"]));
    assert!(known <= published + SignedDuration::from_mins(5));

    fleet.syncs(1, &[("rope", "1.0.1")]).await;
    fleet.runs_jobs().await;
    assert_eq!(
        (fleet.status(1).await.as_str(), fleet.open_exposures().await),
        ("current", 0)
    );
}

#[tokio::test]
async fn a_new_module_and_an_unlisted_version_are_asked_about_at_once() {
    let fleet = Fleet::at("2026-11-24T10:00:00Z").await;
    fleet.project("rope");
    fleet.syncs(1, &[("rope", "1.0.0")]).await;
    fleet.runs_jobs().await;
    fleet.lives_for(SignedDuration::from_mins(10)).await;
    fleet.requests();

    // A release that we haven't heard of yet, on four sites within one minute.
    let now = fleet.now();
    fleet.publish("rope", Release::new("1.0.1", now.as_second()));
    for version in ["1.0.1", "1.0.2", "1.0.3"] {
        fleet.syncs(1, &[("rope", version)]).await;
        fleet.lives_for(SignedDuration::from_secs(20)).await;
    }
    fleet.lives_for(SignedDuration::from_mins(9)).await;
    let asked = fleet.requests();
    let times = &by_project(&asked)["rope"];
    assert_eq!(times[0], now.as_second(), "at once");
    assert!(
        gaps(times).iter().all(|gap| *gap >= 5 * MINUTE),
        "{times:?}"
    );
    assert_eq!(fleet.status(1).await, "not_current");
    fleet.syncs(1, &[("rope", "1.0.1")]).await;
    fleet.runs_jobs().await;
    assert_eq!(fleet.status(1).await, "current");
}

#[tokio::test]
async fn whatever_drupal_org_answers_the_last_good_data_stays_and_nothing_turns_green() {
    let fleet = Fleet::at("2026-11-24T10:00:00Z").await;
    for name in ["rope", "ladder"] {
        fleet.project(name);
    }
    fleet.publish("rope", Release::security("1.0.1", 1_764_000_000));
    fleet.syncs(1, &[("rope", "1.0.0")]).await;
    fleet.syncs(2, &[("ladder", "1.0.0")]).await;
    fleet.runs_jobs().await;
    assert_eq!(
        (fleet.status(1).await, fleet.status(2).await),
        ("not_secure".to_owned(), "current".to_owned())
    );
    let (good, error) = fleet.feed("rope").await;
    assert_eq!((at(&good), error), (fleet.now(), Value::Null));

    let elsewhere = "http://localhost:1/".to_owned();
    for (behaviour, words) in [
        (Behaviour::Partial, "the answer broke off"),
        (
            Behaviour::BrokenXml,
            "not a release history, or a broken one",
        ),
        (Behaviour::Entities, "a document that declares entities"),
        (
            Behaviour::WebPage,
            "a web page instead of a release history",
        ),
        (
            Behaviour::OtherProject,
            "the release history of another project",
        ),
        (
            Behaviour::Complaint,
            "drupal.org did not understand the request",
        ),
        (Behaviour::Empty, "an empty answer"),
        (Behaviour::Huge(20 << 20), "larger than 8 MiB"),
        (Behaviour::GzipBomb(20 << 20), "larger than 16 MiB"),
        (Behaviour::BrokenGzip, "could not be unpacked"),
        (Behaviour::Status(500, None), "answered 500"),
        (
            Behaviour::Status(503, Some("60".to_owned())),
            "answered 503",
        ),
        (Behaviour::Status(304, None), ""),
        (Behaviour::Redirect(elsewhere), "answered 302"),
    ] {
        let before = fleet.feed("rope").await.0;
        fleet.behaves(behaviour.clone());
        fleet.lives_for(SignedDuration::from_mins(61)).await;
        let (good, error) = fleet.feed("rope").await;
        if words.is_empty() {
            assert!(good > before, "{behaviour:?}");
        } else {
            assert_eq!(
                (good, error.as_str()),
                (before, Some(words)),
                "{behaviour:?}"
            );
        }
        assert_eq!(fleet.status(1).await, "not_secure", "{behaviour:?}");
        assert_eq!(fleet.status(2).await, "current", "{behaviour:?}");
        assert_eq!(fleet.open_exposures().await, 1, "{behaviour:?}");
        fleet.behaves(Behaviour::Normal);
        fleet.lives_for(SignedDuration::from_mins(61)).await;
        assert_eq!(fleet.feed("rope").await.1, Value::Null, "{behaviour:?}");
    }
}

#[tokio::test]
async fn data_older_than_a_day_is_never_called_current() {
    let fleet = Fleet::at("2026-11-23T10:00:00Z").await;
    for name in ["rope", "ladder"] {
        fleet.project(name);
    }
    fleet.publish("rope", Release::security("1.0.1", 1_763_000_000));
    fleet.syncs(1, &[("rope", "1.0.0")]).await;
    fleet.syncs(2, &[("ladder", "1.0.0")]).await;
    fleet.lives_for(SignedDuration::from_hours(1)).await;

    fleet.behaves(Behaviour::Status(502, None));
    fleet.lives_for(SignedDuration::from_hours(22)).await;
    assert_eq!(fleet.status(2).await, "current");
    fleet.lives_for(SignedDuration::from_hours(3)).await;
    assert_eq!(
        (fleet.status(1).await, fleet.status(2).await),
        ("not_secure".to_owned(), "unknown".to_owned())
    );
    assert_eq!(fleet.site(2).await["status_reason"], "stale");
    // While it fails, it is asked less and less, but at least hourly.
    let asked = fleet.requests();
    let times = &by_project(&asked)["ladder"];
    assert!(gaps(times).iter().all(|gap| *gap <= HOUR));
    assert!(times.len() < 45, "{}", times.len());

    fleet.behaves(Behaviour::Normal);
    fleet.lives_for(SignedDuration::from_hours(1)).await;
    assert_eq!(
        (fleet.status(1).await, fleet.status(2).await),
        ("not_secure".to_owned(), "current".to_owned())
    );
}

#[tokio::test]
async fn what_was_never_answered_well_is_not_current() {
    for behaviour in [
        Behaviour::Empty,
        Behaviour::WebPage,
        Behaviour::BrokenXml,
        Behaviour::Absent,
        Behaviour::TooMany(None),
        Behaviour::Status(404, None),
    ] {
        let fleet = Fleet::at("2026-11-24T10:00:00Z").await;
        fleet.project("rope");
        fleet.behaves_about("rope", Some(behaviour.clone()));
        fleet.syncs(1, &[("rope", "1.0.0")]).await;
        fleet.runs_jobs().await;
        assert_ne!(fleet.status(1).await, "current", "{behaviour:?}");
        fleet.behaves_about("rope", None);
        fleet.lives_for(SignedDuration::from_hours(25)).await;
        assert_eq!(fleet.status(1).await, "current", "{behaviour:?}");
    }
}

#[tokio::test]
async fn when_told_to_wait_nobody_is_asked_until_then() {
    let fleet = Fleet::at("2026-11-25T15:30:00Z").await;
    for name in ["rope", "ladder", "anchor"] {
        fleet.project(name);
    }
    fleet
        .syncs(
            1,
            &[("rope", "1.0.0"), ("ladder", "1.0.0"), ("anchor", "1.0.0")],
        )
        .await;
    fleet.lives_for(SignedDuration::from_mins(10)).await;
    fleet.requests();

    fleet.behaves(Behaviour::TooMany(Some("1200".to_owned())));
    let mut told = None;
    for _ in 0..60 {
        fleet.house.clock.advance(SignedDuration::from_secs(30));
        fleet.runs_jobs().await;
        if let Some(first) = fleet.requests().first() {
            told = Some(first.at);
            break;
        }
    }
    let told = told.expect("nobody was asked");
    fleet.behaves(Behaviour::Normal);
    for _ in 0..60 {
        fleet.house.clock.advance(SignedDuration::from_secs(30));
        fleet.runs_jobs().await;
    }
    let asked = fleet.requests();
    let first = asked.first().expect("it goes on").at;
    let waited = first.duration_since(told).as_secs();
    assert!((1200..=1230).contains(&waited), "{waited}");
    assert_eq!(by_project(&asked).len(), 4, "everybody's turn came");
    assert_eq!(fleet.status(1).await, "current");
}

#[tokio::test]
async fn a_box_without_internet_lives_on_what_is_carried_to_it() {
    let fleet = Fleet::apart("2026-11-24T10:00:00Z").await;
    let folder = TempDir::new().unwrap();
    let histories = folder.path().join("release-history");
    std::fs::create_dir_all(histories.join("rope")).unwrap();
    let write = |name: &str, project: &Project| {
        std::fs::write(histories.join(name), project.to_xml()).unwrap();
    };
    let core = Project::new("drupal", "Drupal core", "project_core", &["11.2."]);
    write(
        "drupal.xml",
        &core.with(Release::new("11.2.0", 1_750_000_000)),
    );
    let mut rope = Project::new("rope", "Rope", "project_module", &["1.0."]);
    rope.publish(Release::new("1.0.0", 1_760_000_000));
    write("rope/current", &rope);
    write("misnamed.xml", &rope);
    std::fs::write(histories.join("ladder.xml"), "<project><short_name>ladder").unwrap();
    std::fs::write(histories.join("Upper.xml"), "<project/>").unwrap();

    fleet.syncs(1, &[("rope", "1.0.0")]).await;
    fleet.syncs(2, &[("ladder", "1.0.0")]).await;
    fleet.runs_jobs().await;
    assert_ne!(fleet.status(1).await, "current");

    let report = fleet
        .imports_made(SignedDuration::ZERO, folder.path())
        .await;
    assert_eq!(
        (report.taken, report.unchanged, report.cut_short),
        (2, 0, None)
    );
    assert_eq!(
        report.left,
        [
            "release-history/Upper.xml: not the name of a project",
            "ladder: not a release history, or a broken one",
            "misnamed: the release history of another project",
        ]
    );
    fleet.runs_jobs().await;
    assert_eq!(
        (fleet.status(1).await, fleet.status(2).await),
        ("current".to_owned(), "unknown".to_owned())
    );

    // Old files are old data, whenever they are carried.
    let report = fleet
        .imports_made(SignedDuration::from_hours(30), folder.path())
        .await;
    assert_eq!(report.unchanged, 2);
    assert_eq!(fleet.status(1).await, "current");

    // The next carriage brings a fix; the one after is an old copy and takes nothing back.
    let old = rope.clone();
    rope.publish(Release::security("1.0.1", 1_763_000_000));
    write("rope/current", &rope);
    assert_eq!(
        fleet
            .imports_made(SignedDuration::ZERO, folder.path())
            .await
            .taken,
        1
    );
    fleet.runs_jobs().await;
    assert_eq!(
        (fleet.status(1).await.as_str(), fleet.open_exposures().await),
        ("not_secure", 1)
    );
    write("rope/current", &old);
    let report = fleet
        .imports_made(SignedDuration::ZERO, folder.path())
        .await;
    assert!(
        report
            .left
            .contains(&"rope: older than what is already here".to_owned())
    );
    assert_eq!((report.taken, report.unchanged), (0, 1));
    fleet.runs_jobs().await;
    assert_eq!(fleet.status(1).await, "not_secure");
    assert_eq!(fleet.requests(), []);

    let report = fleet.imports(Path::new("/nowhere/at/all")).await;
    assert!(report.cut_short.unwrap().contains("No such file"));
}

#[tokio::test]
async fn a_module_is_asked_about_now_when_a_person_wants_it() {
    let fleet = Fleet::at("2026-11-24T10:00:00Z").await;
    fleet.project("rope");
    fleet.syncs(1, &[("rope", "1.0.0")]).await;
    fleet.runs_jobs().await;
    fleet.requests();
    let rope = fleet.module("rope").await["id"].clone();

    // Twice within a second: one job, one request.
    let job = fleet.wants(&rope).await;
    assert_eq!(fleet.wants(&rope).await, job);
    fleet.runs_jobs().await;
    assert_eq!(fleet.job(job).await, "succeeded 1 null");
    assert_eq!(fleet.requests().len(), 1);

    // By hand it isn't slowed; what goes wrong is said.
    fleet.behaves_about("rope", Some(Behaviour::WebPage));
    let job = fleet.wants(&rope).await;
    fleet.runs_jobs().await;
    let words = "failed 1 a web page instead of a release history";
    assert_eq!(fleet.job(job).await, words);

    // Told to wait, it waits as everybody does.
    fleet.behaves_about("rope", Some(Behaviour::TooMany(Some("300".to_owned()))));
    fleet.wants(&rope).await;
    fleet.runs_jobs().await;
    fleet.behaves_about("rope", None);
    let job = fleet.wants(&rope).await;
    fleet.runs_jobs().await;
    let words = "queued 1 drupal.org asked us to wait";
    assert_eq!(fleet.job(job).await, words);
    fleet.house.clock.advance(SignedDuration::from_secs(300));
    fleet.runs_jobs().await;
    assert!(fleet.job(job).await.starts_with("succeeded 2"));
}

#[tokio::test]
async fn a_job_whose_process_ended_is_begun_again_but_not_for_ever() {
    let fleet = Fleet::at("2026-11-24T10:00:00Z").await;
    fleet.syncs(1, &[]).await;
    fleet.runs_jobs().await;
    fleet.house.app.store.write(Lane::Front, |db| {
        db.execute_batch(
            "INSERT INTO jobs (organization_id, name, payload, state, attempts, run_at, created_at, created_by) VALUES
               (1, 'refresh-module', '{\"module_id\": 1}', 'running', 1, 0, 0, 'system'),
               (1, 'refresh-module', '{\"module_id\": 1}', 'running', 5, 0, 0, 'system'),
               (1, 'refresh-module', '{\"module_id\": 999}', 'queued', 0, 0, 0, 'system'),
               (1, 'paint-the-fence', '{}', 'queued', 0, 0, 0, 'system')",
        )?;
        Ok::<_, StoreError>(())
    }).await.unwrap();
    fleet.runs_jobs().await;
    let mut ends = Vec::new();
    for id in 1..=4 {
        ends.push(fleet.job(id).await);
    }
    assert_eq!(
        ends,
        [
            "succeeded 2 null",
            "failed 6 given up: it was begun too often",
            "failed 1 it is no longer there",
            "failed 1 this version doesn't know such a job",
        ]
    );
}
