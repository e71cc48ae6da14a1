//! What a sync costs above the bare floor: the same rows written by rusqlite alone, in groups of
//! as many as there are callers. Both in one run, in turn, on the same disk; ratios only.
//!
//! `cargo bench --bench sync -- [sites] [callers]` (400 sites and 64 callers unless said otherwise).

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods
)]

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use dewline::app::App;
use dewline::clock::{ManualClock, SeededEntropy};
use dewline::config::Config;
use dewline::domain::access::Actor;
use dewline::services::sync::{self, Source};
use rusqlite::{Connection, params};

const MODULES: usize = 80;
const ROUNDS: usize = 5;

/// The body of a sync in which the modules named by `raised` have a newer version.
fn body(site: usize, minute: i64, raised: usize) -> Vec<u8> {
    let at = jiff::Timestamp::from_second(1_790_000_000 + minute * 60).unwrap();
    let mut text = format!(
        r#"{{"schema":1,"generated_at":"{at}","agent":{{"name":"bench","version":"1"}},
        "site":{{"url":"https://site{site}.example","drupal_version":"11.2.3","php_version":"8.3.6"}},"modules":[
        {{"name":"drupal","type":"core","version":"11.2.3"}}"#
    );
    for module in 1..MODULES {
        let changed = (module + MODULES - site % MODULES) % MODULES < 3;
        let patch = if changed { raised } else { 0 };
        write!(
            text,
            r#",{{"name":"module_{module}","title":"Module {module}","type":"module","version":"2.{}.{patch}","enabled":true,"datestamp":1700000000,"composer":"drupal/module_{module}"}}"#,
            module % 7
        )
        .unwrap();
    }
    text.push_str("]}");
    text.into_bytes()
}

struct Bench {
    app: Arc<App>,
    clock: Arc<ManualClock>,
    sites: usize,
    callers: usize,
    minute: i64,
    _folder: tempfile::TempDir,
}

impl Bench {
    async fn new(sites: usize, callers: usize) -> Self {
        let folder = tempfile::tempdir_in(std::env::current_dir().unwrap().join("target")).unwrap();
        let mut config = Config {
            data_dir: folder.path().join("data"),
            ..Config::default()
        };
        config.drupal_org.enabled = false;
        let clock = Arc::new(ManualClock::at(
            jiff::Timestamp::from_second(1_790_000_000).unwrap(),
        ));
        let entropy = Arc::new(SeededEntropy::new(1));
        let app = App::open(config, Arc::clone(&clock) as _, entropy).unwrap();
        app.store
            .write(dewline::store::Lane::Front, move |db| {
                db.execute(
                    "INSERT INTO organizations VALUES (1, 'Bench', '', 0, 0, 'system', 'system', NULL)",
                    [],
                )?;
                for site in 1..=sites {
                    db.execute(
                        "INSERT INTO sites (id, organization_id, name, environment, status, created_at, updated_at, created_by, updated_by)
                         VALUES (?1, 1, 'site ' || ?1, 'production', 5, 0, 0, 'system', 'system')",
                        [site as i64],
                    )?;
                    db.execute("INSERT INTO site_contacts (site_id) VALUES (?1)", [site as i64])?;
                }
                Ok::<_, dewline::store::StoreError>(())
            })
            .await
            .unwrap();
        Self {
            app,
            clock,
            sites,
            callers,
            minute: 0,
            _folder: folder,
        }
    }

    /// All sites sync once, by so many callers at a time; gives syncs a second.
    async fn round(&mut self, raised: usize) -> f64 {
        self.minute += 1;
        self.clock.advance(jiff::SignedDuration::from_mins(1));
        let bodies: Arc<Vec<Vec<u8>>> = Arc::new(
            (1..=self.sites)
                .map(|site| body(site, self.minute, raised))
                .collect(),
        );
        let next = Arc::new(AtomicUsize::new(0));
        let start = Instant::now();
        let callers: Vec<_> = (0..self.callers)
            .map(|_| {
                let (app, bodies, next) = (
                    Arc::clone(&self.app),
                    Arc::clone(&bodies),
                    Arc::clone(&next),
                );
                tokio::spawn(async move {
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(body) = bodies.get(at) else { return };
                        sync::receive(
                            &app,
                            &Actor::System,
                            at as i64 + 1,
                            Source::Inventory,
                            body,
                            "127.0.0.1",
                        )
                        .await
                        .unwrap();
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.await.unwrap();
        }
        self.sites as f64 / start.elapsed().as_secs_f64()
    }
}

/// What rusqlite alone does with the same rows, on a copy of the same database.
struct Floor {
    db: Connection,
    group: usize,
    now: i64,
}

impl Floor {
    fn new(bench: &Bench, name: &str) -> Self {
        let file = bench.app.config.data_dir.join(name);
        let from =
            Connection::open(bench.app.config.data_dir.join(dewline::app::DATABASE)).unwrap();
        from.execute("VACUUM INTO ?1", [file.to_string_lossy()])
            .unwrap();
        let db = Connection::open(file).unwrap();
        db.pragma_update(None, "journal_mode", "wal").unwrap();
        db.pragma_update(None, "synchronous", "full").unwrap();
        db.pragma_update(None, "cache_size", -32 * 1024).unwrap();
        db.set_prepared_statement_cache_capacity(256);
        Self {
            db,
            group: bench.callers,
            now: 1_800_000_000_000,
        }
    }

    /// Writes the rows of one sync of each site, so many in a commit; gives syncs a second.
    fn round(&mut self, sites: usize, rows: impl Fn(&Connection, i64, i64)) -> f64 {
        self.now += 60_000;
        let start = Instant::now();
        let all: Vec<i64> = (1..=sites as i64).collect();
        for group in all.chunks(self.group) {
            self.db.execute_batch("BEGIN IMMEDIATE").unwrap();
            for site in group {
                rows(&self.db, *site, self.now);
            }
            self.db.execute_batch("COMMIT").unwrap();
        }
        sites as f64 / start.elapsed().as_secs_f64()
    }
}

fn run(db: &Connection, sql: &str, values: impl rusqlite::Params) {
    db.prepare_cached(sql).unwrap().execute(values).unwrap();
}

fn unchanged_rows(db: &Connection, site: i64, now: i64) {
    run(
        db,
        "UPDATE site_contacts SET last_sync_at = ?2, generated_at = ?2 WHERE site_id = ?1",
        params![site, now],
    );
}

fn sync_rows(db: &Connection, site: i64, now: i64, delta: usize) -> i64 {
    unchanged_rows(db, site, now);
    run(
        db,
        "INSERT INTO syncs (site_id, received_at, generated_at, agent, source, content_hash, total, added, updated, downgraded,
            removed, unchanged, delta) VALUES (?1, ?2, ?2, 'bench 1', 'inventory', randomblob(32), 80, 0, 3, 0, 0, 77, zeroblob(?3))",
        params![site, now, delta as i64],
    );
    let sync = db.last_insert_rowid();
    run(
        db,
        "UPDATE site_contacts SET sync_id = ?2, content_hash = randomblob(32) WHERE site_id = ?1",
        params![site, sync],
    );
    run(
        db,
        "INSERT INTO chronicle (kind, ref, at) VALUES ('sync', ?1, ?2)",
        params![sync, now],
    );
    run(
        db,
        "UPDATE sites SET changed_at = ?2, info = json_patch(info, '{\"agent\":\"bench 1\"}') WHERE id = ?1",
        params![site, now],
    );
    sync
}

fn changed_rows(db: &Connection, site: i64, now: i64) {
    let sync = sync_rows(db, site, now, 250);
    run(
        db,
        "INSERT INTO patch_runs (site_id, organization_id, sync_id, run_at, modules_updated, modules_downgraded, security_patches_applied)
         VALUES (?1, 1, ?2, ?3, 3, 0, 0)",
        params![site, sync, now],
    );
    let run_id = db.last_insert_rowid();
    run(
        db,
        "UPDATE syncs SET patch_run_id = ?2 WHERE id = ?1",
        params![sync, run_id],
    );
    let modules: Vec<(i64, i64, i64)> = db
        .prepare_cached("SELECT module_id, version_id, run_started_at FROM site_modules AS sm WHERE site_id = ?1 AND EXISTS
                (SELECT 1 FROM module_versions AS v WHERE v.module_id = sm.module_id AND v.id <> sm.version_id) LIMIT 3")
        .unwrap()
        .query_map([site], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for (module, version, started) in modules {
        run(
            db,
            "INSERT INTO module_runs VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![site, module, started, version, now, sync],
        );
        run(
            db,
            "UPDATE site_modules SET version_id = (SELECT id FROM module_versions WHERE module_id = ?2 AND id <> ?3 LIMIT 1),
                run_started_at = ?4, updated_at = ?4 WHERE site_id = ?1 AND module_id = ?2",
            params![site, module, version, now],
        );
        event(db, site, sync, module, now, "updated");
    }
}

fn event(db: &Connection, site: i64, sync: i64, module: i64, now: i64, kind: &str) {
    run(
        db,
        "INSERT INTO events (site_id, organization_id, sync_id, module_id, occurred_at, kind, from_version, to_version)
         VALUES (?1, 1, ?2, ?3, ?4, ?5, '2.1.0', '2.1.1')",
        params![site, sync, module, now, kind],
    );
}

fn new_rows(db: &Connection, site: i64, now: i64) {
    let sync = sync_rows(db, site, now, 1500);
    let modules: Vec<(i64, i64)> = db
        .prepare_cached("SELECT module_id, min(id) FROM module_versions GROUP BY module_id")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for (module, version) in modules {
        run(
            db,
            "INSERT INTO site_modules (site_id, module_id, version_id, enabled, run_started_at, first_seen_at, updated_at, composer)
             VALUES (?1, ?2, ?3, 1, ?4, ?4, ?4, 'drupal/module')",
            params![site, module, version, now],
        );
        event(db, site, sync, module, now, "installed");
    }
    run(
        db,
        "UPDATE sites SET status = 5, total = 80, unknown = 80 WHERE id = ?1",
        params![site],
    );
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn tell(case: &str, ours: Vec<f64>, floor: Vec<f64>) {
    let ratios = ours.iter().zip(&floor).map(|(a, b)| a / b).collect();
    println!(
        "{case:<12} {:>9.0}/s   floor {:>9.0}/s   ratio {:.2}",
        median(ours),
        median(floor),
        median(ratios)
    );
}

fn argument(place: usize, default: usize) -> usize {
    std::env::args()
        .filter(|word| !word.starts_with("--"))
        .nth(place)
        .and_then(|word| word.parse().ok())
        .unwrap_or(default)
}

#[tokio::main]
async fn main() {
    let (sites, callers) = (argument(1, 400), argument(2, 64));
    println!(
        "{sites} sites of {MODULES} modules, {callers} callers, median of {ROUNDS} rounds in turn"
    );

    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        // One site first, so that modules and versions are known to both.
        let mut bench = Bench::new(sites + 1, callers).await;
        let first = body(sites + 1, 0, 0);
        sync::receive(
            &bench.app,
            &Actor::System,
            sites as i64 + 1,
            Source::Inventory,
            &first,
            "",
        )
        .await
        .unwrap();
        let mut bare = Floor::new(&bench, "floor.db");
        bench.sites = sites;
        floor.push(bare.round(sites, new_rows));
        ours.push(bench.round(0).await);
    }
    tell("new", ours, floor);

    let mut bench = Bench::new(sites, callers).await;
    bench.round(0).await;
    bench.round(1).await;
    let mut bare = Floor::new(&bench, "floor.db");
    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        floor.push(bare.round(sites, changed_rows));
        ours.push(bench.round(round % 2).await);
    }
    tell("3 changed", ours, floor);

    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        floor.push(bare.round(sites, unchanged_rows));
        ours.push(bench.round((ROUNDS - 1) % 2).await);
    }
    tell("unchanged", ours, floor);

    let stats = bench.app.store.stats();
    println!("{} answers in {} commits", stats.answers, stats.commits);
}
