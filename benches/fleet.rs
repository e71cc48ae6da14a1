//! A fleet with years of history, played through the services, and what its pages, dashboards and
//! reports cost then.
//!
//! `cargo bench --bench fleet -- DIR [sites] [modules] [days]` (1,000 sites, 80 modules and 730 days
//! unless said otherwise). Where DIR holds no fleet yet, one is made there first; a run that was broken
//! off is to be started in an empty DIR. Prints, through the router and without the network: for lists,
//! dashboards and pages the median and the 99th percentile, each of 200 questions that nobody asked
//! before (`--only=WORD`: those alone whose name holds the word); for reports the time to the first byte, the whole time, and rows a second; the size of the
//! database and the most memory that the process held while it answered.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use dewline::app::App;
use dewline::clock::{Clock, ManualClock, SeededEntropy};
use dewline::config::Config;
use dewline::demo::dice::Dice;
use dewline::demo::history::{Project, Release};
use dewline::domain::access::Actor;
use dewline::domain::advisory::Record;
use dewline::domain::inventory::Origin;
use dewline::domain::release_history::{Document, parse};
use dewline::outbound::drupal_org::Fetched;
use dewline::services::admins::{self, NewPerson};
use dewline::services::advisories;
use dewline::services::catalogue::{fan_out, record};
use dewline::services::sync::{self, Source};
use dewline::store::{Settings, StoreError, catalogue};
use futures_util::StreamExt;
use tower::ServiceExt;

const DAY: i64 = 86_400;
const END: i64 = 1_790_000_000;
/// Contributed modules in the world, of which each site has some.
const WORLD: usize = 300;
const SITES_OF_A_CLIENT: usize = 50;
const TOGETHER: usize = 256;
const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "correct horse battery";

/// One module's releases: when each came, and the score of the hole that it closes.
struct Plan {
    name: String,
    number: usize,
    releases: Vec<(i64, Option<u8>)>,
}

impl Plan {
    fn new(number: usize, from: i64, until: i64) -> Self {
        let dice = Dice::of(7, &format!("module {number}"));
        let mut releases = vec![(from - 30 * DAY, None)];
        let mut at = from;
        loop {
            at += dice.between(50 * DAY, 200 * DAY);
            if at >= until {
                break;
            }
            let score = dice
                .chance(20)
                .then(|| u8::try_from(dice.between(3, 24)).unwrap());
            releases.push((at, score));
        }
        Self {
            name: format!("module_{number}"),
            number,
            releases,
        }
    }

    /// The number of the newest release at that time.
    fn newest(&self, at: i64) -> usize {
        let out = self.releases.iter().take_while(|(when, _)| *when <= at);
        out.count().saturating_sub(1)
    }

    fn history(&self, at: i64) -> Fetched {
        let mut project = Project::new(&self.name, &self.name, "project_module", &["1."]);
        let out = self.releases.iter().take(self.newest(at) + 1);
        for (number, (when, security)) in out.enumerate() {
            let version = format!("1.{number}.0");
            project = project.with(if security.is_some() {
                Release::security(&version, *when)
            } else {
                Release::new(&version, *when)
            });
        }
        let Document::Stored(history) = parse(project.to_xml().as_bytes()) else {
            panic!("not a release history");
        };
        Fetched::Document {
            history: Box::new(history),
            etag: None,
            last_modified: None,
        }
    }

    /// What is said of the hole that its release closes.
    fn advisory(&self, release: usize) -> Option<Record> {
        let (at, score) = *self.releases.get(release)?;
        let number = (self.number * 100 + release) as i64;
        Some(Record {
            id: format!("SA-CONTRIB-2026-{number:05}"),
            project: self.name.clone(),
            title: format!("{} - Cross site scripting", self.name),
            kind: "Cross site scripting".to_owned(),
            psa: false,
            vector: None,
            score: Some(score?),
            cves: vec![format!("CVE-2026-{number:05}")],
            published: at,
            changed: at,
            affected_versions: Some(format!("<1.{release}.0")),
            lost_versions: false,
            ranges: None,
            fixed_in: vec![format!("1.{release}.0")],
            url: format!("https://www.drupal.org/sa-contrib-2026-{number:05}"),
            nid: Some(number + 1),
            project_nid: Some(self.number as i64 + 1_000_000),
            withdrawn: false,
        })
    }
}

/// A site: the modules it has, the release of each that it runs, and every how many days it is cared for.
struct Site {
    runs: Vec<(usize, usize)>,
    every: i64,
}

impl Site {
    fn new(number: usize, modules: usize, plans: &[Plan], at: i64) -> Self {
        let runs = (0..modules.saturating_sub(1))
            .map(|n| (number * 7 + n * 3 + n) % WORLD)
            .collect::<std::collections::BTreeSet<_>>();
        let runs = runs
            .into_iter()
            .map(|module| (module, plans[module].newest(at)));
        Self {
            runs: runs.collect(),
            every: [1, 7, 7, 7, 14, 30, 30, 90, 365, 10_000][number % 10],
        }
    }

    /// Brings its modules up to date; `true`: something changed.
    fn update(&mut self, plans: &[Plan], at: i64) -> bool {
        let mut changed = false;
        for (module, release) in &mut self.runs {
            let newest = plans[*module].newest(at);
            changed |= newest != *release;
            *release = newest;
        }
        changed
    }

    fn body(&self, number: usize, at: i64) -> Vec<u8> {
        let at = jiff::Timestamp::from_second(at).unwrap();
        let mut text = format!(
            r#"{{"schema":1,"generated_at":"{at}","agent":{{"name":"bench","version":"1"}},
            "site":{{"url":"https://site{number}.example","drupal_version":"11.2.3","php_version":"8.3.6"}},"modules":[
            {{"name":"drupal","type":"core","version":"11.2.3"}}"#
        );
        for (module, release) in &self.runs {
            write!(
                text,
                r#",{{"name":"module_{module}","title":"Module {module}","type":"module","version":"1.{release}.0","enabled":true}}"#
            )
            .unwrap();
        }
        text.push_str("]}");
        text.into_bytes()
    }
}

fn open(folder: &Path, at: i64) -> (Arc<App>, Arc<ManualClock>) {
    let mut config = Config {
        data_dir: folder.to_owned(),
        ..Config::default()
    };
    config.drupal_org.enabled = false;
    config.rate_limits.enabled = false;
    let clock = Arc::new(ManualClock::at(jiff::Timestamp::from_second(at).unwrap()));
    // Whoever opens it again hands out other secrets than before.
    let entropy = Arc::new(SeededEntropy::new(std::process::id().into()));
    let settings = Settings {
        durable: false,
        ..Settings::default()
    };
    let app = App::open_with(config, Arc::clone(&clock) as _, entropy, settings).unwrap();
    (app, clock)
}

async fn make(folder: &Path, count: usize, modules: usize, days: i64) {
    let from = END - days * DAY;
    let (app, clock) = open(folder, from);
    let ada = NewPerson {
        email: EMAIL.to_owned(),
        name: "Ada".to_owned(),
        password: PASSWORD.into(),
    };
    admins::create(&app, &Actor::System, ada).await.unwrap();
    found(&app, count, from).await;
    let plans: Vec<Plan> = (0..WORLD).map(|n| Plan::new(n, from, END)).collect();
    let mut sites: Vec<Site> = (0..count)
        .map(|n| Site::new(n, modules, &plans, from))
        .collect();
    let started = Instant::now();
    let mut syncs = count;
    send(&app, &sites, (0..count).collect(), from).await;
    for plan in &plans {
        hear(&app, plan, from).await;
    }
    for day in 1..=days {
        let midnight = from + day * DAY;
        clock.set(jiff::Timestamp::from_second(midnight).unwrap());
        for plan in &plans {
            let news = |(at, _): &(i64, Option<u8>)| (midnight - DAY..midnight).contains(at);
            if plan.releases.iter().any(news) {
                hear(&app, plan, midnight).await;
            }
        }
        while fan_out(&app).await.unwrap() {}
        let cared = (0..count).filter(|n| (day + *n as i64) % sites[*n].every == 0);
        let cared: Vec<usize> = cared.collect();
        let mut changed = Vec::new();
        for number in cared {
            if sites[number].update(&plans, midnight) {
                changed.push(number);
            }
        }
        syncs += changed.len();
        clock.set(jiff::Timestamp::from_second(midnight + 3_600).unwrap());
        send(&app, &sites, changed, midnight + 3_600).await;
        if day % 73 == 0 {
            println!(
                "{day} days, {syncs} changed syncs, {:.0} s",
                started.elapsed().as_secs_f64()
            );
        }
    }
    // Every site that lives has just spoken.
    clock.set(jiff::Timestamp::from_second(END + 7_200).unwrap());
    send(&app, &sites, (0..count).collect(), END + 7200).await;
}

/// Clients and sites, as the operator would have made them.
async fn found(app: &App, count: usize, at: i64) {
    app.store
        .write(dewline::store::Lane::Front, move |db| {
            let millis = at * 1000;
            for client in 0..count.div_ceil(SITES_OF_A_CLIENT) {
                db.execute(
                    "INSERT INTO organizations (id, name, created_at, updated_at, created_by, updated_by)
                     VALUES (?1, 'Client ' || ?1, ?2, ?2, 'system', 'system')",
                    [client as i64 + 1, millis],
                )?;
            }
            for site in 0..count {
                let client = (site / SITES_OF_A_CLIENT) as i64 + 1;
                db.execute(
                    "INSERT INTO sites (id, organization_id, name, environment, status, created_at, updated_at, created_by, updated_by)
                     VALUES (?1, ?2, 'Site ' || ?1, CASE ?1 % 10 WHEN 9 THEN 'staging' ELSE 'production' END, 5, ?3, ?3, 'system', 'system')",
                    [site as i64 + 1, client, millis],
                )?;
                db.execute("INSERT INTO site_contacts (site_id) VALUES (?1)", [site as i64 + 1])?;
            }
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
}

async fn hear(app: &App, plan: &Plan, at: i64) {
    let known = app
        .store
        .read(|db| catalogue::find(db, Origin::Project, 0, &plan.name))
        .unwrap();
    if let Some(module) = known {
        record(app, module.id, plan.history(at)).await.unwrap();
        if let Some(advisory) = plan.advisory(plan.newest(at)) {
            advisories::record(app, advisory).await.unwrap();
        }
    }
}

/// So many sites send what they run, many at a time.
async fn send(app: &Arc<App>, sites: &[Site], numbers: Vec<usize>, at: i64) {
    for part in numbers.chunks(TOGETHER) {
        let mut all = tokio::task::JoinSet::new();
        for number in part {
            let (app, body) = (Arc::clone(app), sites[*number].body(*number, at));
            let id = *number as i64 + 1;
            all.spawn(async move {
                sync::receive(&app, &Actor::System, id, Source::Inventory, &body, "")
                    .await
                    .map(drop)
            });
        }
        while let Some(answer) = all.join_next().await {
            answer.unwrap().unwrap();
        }
    }
}

struct Questions {
    router: Router,
    token: String,
    cookie: String,
}

/// Milliseconds to the first byte and to the last, bytes, and the body's lines or rows.
struct Took {
    first: f64,
    whole: f64,
    bytes: usize,
    rows: usize,
}

impl Questions {
    async fn ask(&self, path: &str) -> Took {
        let request = Request::builder().uri(path);
        let request = if path.starts_with("/api/") {
            request.header("authorization", format!("Bearer {}", self.token))
        } else {
            request.header("cookie", &self.cookie)
        };
        let request = near(request.body(Body::empty()).unwrap());
        let start = Instant::now();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let csv = path.contains("format=csv");
        let mut body = response.into_body().into_data_stream();
        let (mut first, mut bytes, mut rows) = (None, 0, 0);
        while let Some(data) = body.next().await {
            let data = data.unwrap();
            first.get_or_insert_with(|| start.elapsed().as_secs_f64() * 1000.0);
            bytes += data.len();
            rows += if csv {
                data.iter().filter(|byte| **byte == b'\n').count()
            } else {
                data.windows(8).filter(|part| part == b"{\"site\":").count()
            };
            assert!(
                status.is_success(),
                "{path}: {status} {}",
                String::from_utf8_lossy(&data)
            );
        }
        let whole = start.elapsed().as_secs_f64() * 1000.0;
        Took {
            first: first.unwrap_or(whole),
            whole,
            bytes,
            rows,
        }
    }
}

/// A request from this machine.
fn near(mut request: Request<Body>) -> Request<Body> {
    let peer: std::net::SocketAddr = "127.0.0.1:4000".parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    request
}

fn size_of(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).unwrap();
    files
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum()
}

/// The most memory that this process ever held, in kB.
fn most_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kb = line.and_then(|line| line.trim().strip_suffix("kB"));
    kb.and_then(|kb| kb.trim().parse().ok()).unwrap_or_default()
}

/// Lists, dashboards and pages; `{}` is a number that makes each question one of its own.
const PAGES: [&str; 27] = [
    "/api/v1/sites?q=site%20{}",
    "/api/v1/sites?page={}",
    "/api/v1/sites?filter[status]=not_secure&sort=-name&page={}",
    "/api/v1/sites/{}/modules",
    "/api/v1/exposures?page={}",
    "/api/v1/exposures?filter[state]=open&page={}",
    "/api/v1/exposures?filter[risk]=critical&page={}",
    "/api/v1/patch-runs?page={}",
    "/api/v1/modules?page={}",
    "/api/v1/advisories?page={}",
    "/api/v1/dashboard/overview?",
    "/api/v1/dashboard/security?",
    "/api/v1/dashboard/sites/{}",
    "/",
    "/sites?page={}",
    "/sites/{}",
    "/sites/{}/exposures",
    "/sites/{}/patch-runs",
    "/exposures?page={}",
    "/exposures?view=core&page={}",
    "/exposures/{}",
    "/patch-runs?page={}",
    "/patch-runs/{}",
    "/modules?page={}",
    "/advisories?page={}",
    "/reports/sla-compliance",
    "/reports/historical",
];

const REPORTS: [&str; 4] = [
    "security-updates",
    "module-updates",
    "sla-compliance",
    "historical",
];

impl Questions {
    /// Asked by the operator, who has just signed in.
    async fn of(router: Router) -> Self {
        let login = format!(r#"{{"email":"{EMAIL}","password":"{PASSWORD}"}}"#);
        let request = Request::post("/api/v1/auth/login")
            .header("content-type", "application/json")
            .body(Body::from(login))
            .unwrap();
        let answer = router.clone().oneshot(near(request)).await.unwrap();
        let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20)
            .await
            .unwrap();
        let told: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let form = format!(
            "email={}&password={}",
            EMAIL.replace('@', "%40"),
            PASSWORD.replace(' ', "+")
        );
        let request = Request::post("/sign-in")
            .header("host", "127.0.0.1")
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form))
            .unwrap();
        let answer = router.clone().oneshot(near(request)).await.unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        Self {
            router,
            token: told["data"]["access_token"].as_str().unwrap().to_owned(),
            cookie: cookie.split(';').next().unwrap().to_owned(),
        }
    }
}

async fn measure(folder: &Path, only: &str) {
    let (app, clock) = open(folder, END + 7_260);
    let router = dewline::http::router(Arc::clone(&app));
    println!("\n{:<62} {:>8} {:>8}", "page", "p50 ms", "p99 ms");
    for page in PAGES.into_iter().filter(|page| page.contains(only)) {
        // Nobody stays signed in so long.
        let questions = Questions::of(router.clone()).await;
        let mut took = Vec::new();
        for number in 1..=200 {
            // What was answered is kept for less than a second of this clock.
            clock.advance(jiff::SignedDuration::from_secs(1));
            let path = page.replace("{}", &number.to_string());
            took.push(questions.ask(&path).await.whole);
        }
        took.sort_by(f64::total_cmp);
        println!("{page:<62} {:>8.2} {:>8.2}", took[100], took[197]);
    }
    println!(
        "\n{:<44} {:>9} {:>9} {:>9} {:>9}",
        "report", "first ms", "whole ms", "kB", "rows/s"
    );
    let end = clock.now();
    let questions = Questions::of(router).await;
    for report in REPORTS {
        for (word, days) in [("a month", 30), ("a year", 365), ("all", 800)] {
            for format in ["json", "csv"] {
                let from = (end - jiff::SignedDuration::from_hours(24 * days)).strftime("%Y-%m-%d");
                let path =
                    format!("/api/v1/reports/{report}?from={from}&environment=all&format={format}");
                let name = format!("{report}, {word}, {format}");
                if !name.contains(only) {
                    continue;
                }
                let took = questions.ask(&path).await;
                println!(
                    "{name:<44} {:>9.1} {:>9.1} {:>9} {:>9.0}",
                    took.first,
                    took.whole,
                    took.bytes / 1024,
                    took.rows as f64 / (took.whole / 1000.0)
                );
            }
        }
    }
    println!(
        "\ndatabase {} MB, most memory {} MB",
        size_of(folder) >> 20,
        most_memory() >> 10
    );
}

fn main() {
    let only = std::env::args().find_map(|word| Some(word.strip_prefix("--only=")?.to_owned()));
    let mut words = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"));
    let Some(folder) = words.next().map(PathBuf::from) else {
        println!(
            "say where the fleet is or shall be: cargo bench --bench fleet -- DIR [sites] [modules] [days]"
        );
        return;
    };
    let mut number = |default: usize| words.next().map_or(default, |word| word.parse().unwrap());
    let (sites, modules, days) = (number(1_000), number(80), number(730));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let made = folder.join("made");
    runtime.block_on(async {
        if !made.exists() {
            std::fs::create_dir_all(&folder).unwrap();
            make(&folder.join("data"), sites, modules, days as i64).await;
            std::fs::write(
                &made,
                format!("{sites} sites, {modules} modules, {days} days\n"),
            )
            .unwrap();
        }
        measure(&folder.join("data"), &only.unwrap_or_default()).await;
    });
}
