//! What a sync costs above the bare floor, in syncs a second with 64 callers: all in one run, in
//! turn, on one disk. Ratios only: the figures themselves are this machine's.
//!
//! * `store`: from an inventory that was read and hashed to the answer after its commit.
//! * `whole`: from the bytes to the same answer; reading and hashing alone has a line of its own.
//! * `floor`: the least that any program does with rusqlite. One thread owns a connection to a copy
//!   of the same database, with the store's settings. It takes what waits in a channel, and for each
//!   sync in one transaction reads the site's row, reads the modules that the site has where something
//!   changed, finds the ids of what is new to it, and writes the same rows, the triggers' counters
//!   among them. After the commit it hands each caller his answer. It compares nothing, judges
//!   nothing, draws no consequences, and has no savepoints.
//!
//! `cargo bench --bench sync -- [sites] [callers]` (400 sites and 64 callers unless said otherwise).

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods
)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Instant;

use dewline::app::App;
use dewline::clock::{ManualClock, SeededEntropy};
use dewline::config::Config;
use dewline::domain::access::Actor;
use dewline::services::sync::{self, Arrival, Source};
use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::oneshot;

const MODULES: usize = 80;
const ROUNDS: usize = 5;
const GROUP: usize = 256;
/// How often each site says the same in one round: one time is over before threads are awake.
const AGAIN: usize = 10;

/// The version of a module on a site, of whose modules three have the patch release `raised`.
fn version(site: usize, module: usize, raised: usize) -> String {
    let changed = (module + MODULES - site % MODULES) % MODULES < 3;
    format!("2.{}.{}", module % 7, if changed { raised } else { 0 })
}

fn body(site: usize, minute: i64, raised: usize) -> Vec<u8> {
    let at = jiff::Timestamp::from_second(1_790_000_000 + minute * 60).unwrap();
    let mut text = format!(
        r#"{{"schema":1,"generated_at":"{at}","agent":{{"name":"bench","version":"1"}},
        "site":{{"url":"https://site{site}.example","drupal_version":"11.2.3","php_version":"8.3.6"}},"modules":[
        {{"name":"drupal","type":"core","version":"11.2.3"}}"#
    );
    for module in 1..MODULES {
        let version = version(site, module, raised);
        write!(
            text,
            r#",{{"name":"module_{module}","title":"Module {module}","type":"module","version":"{version}","enabled":true,"datestamp":1700000000,"composer":"drupal/module_{module}"}}"#,
        )
        .unwrap();
    }
    text.push_str("]}");
    text.into_bytes()
}

/// So many callers take the items one after the other; gives items a second.
async fn drive<T, F>(
    callers: usize,
    items: Vec<T>,
    each: impl Fn(T) -> F + Clone + Send + 'static,
) -> f64
where
    T: Send + 'static,
    F: Future<Output = ()> + Send,
{
    let count = items.len();
    let items = Arc::new(Mutex::new(items.into_iter()));
    let start = Instant::now();
    let callers: Vec<_> = (0..callers)
        .map(|_| {
            let (items, each) = (Arc::clone(&items), each.clone());
            tokio::spawn(async move {
                loop {
                    let next = items.lock().unwrap().next();
                    let Some(item) = next else { return };
                    each(item).await;
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    count as f64 / start.elapsed().as_secs_f64()
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
                    "INSERT INTO organizations (id, name, created_at, updated_at, created_by, updated_by) VALUES (1, 'Bench', 0, 0, 'system', 'system')",
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

    /// With one site more that has spoken, so that modules and versions are known.
    async fn with_one(sites: usize, callers: usize) -> Self {
        let mut bench = Self::new(sites + 1, callers).await;
        let (app, one) = (Arc::clone(&bench.app), sites as i64 + 1);
        let first = body(sites + 1, 0, 0);
        sync::receive(&app, &Actor::System, one, Source::Inventory, &first, "")
            .await
            .unwrap();
        bench.sites = sites;
        bench
    }

    fn bodies(&mut self, raised: usize) -> Vec<(i64, Vec<u8>)> {
        self.minute += 1;
        self.clock.advance(jiff::SignedDuration::from_mins(1));
        (1..=self.sites)
            .map(|site| (site as i64, body(site, self.minute, raised)))
            .collect()
    }

    /// All sites sync so many times, from their bytes.
    async fn whole(&mut self, raised: usize, times: usize) -> f64 {
        let bodies: Vec<_> = (0..times).flat_map(|_| self.bodies(raised)).collect();
        let app = Arc::clone(&self.app);
        drive(self.callers, bodies, move |(site, body)| {
            let app = Arc::clone(&app);
            async move {
                sync::receive(&app, &Actor::System, site, Source::Inventory, &body, "")
                    .await
                    .unwrap();
            }
        })
        .await
    }

    /// All sites sync so many times, from inventories that were read; and how many are read a second, by one
    /// thread.
    async fn store(&mut self, raised: usize, times: usize) -> (f64, f64) {
        let bodies: Vec<_> = (0..times).flat_map(|_| self.bodies(raised)).collect();
        let app = Arc::clone(&self.app);
        let start = Instant::now();
        let read: Vec<Arrival> = bodies
            .iter()
            .map(|(site, body)| Arrival::read(&app, *site, Source::Inventory, body).unwrap())
            .collect();
        let reads = read.len() as f64 / start.elapsed().as_secs_f64();
        let kept = drive(self.callers, read, move |arrival| {
            let app = Arc::clone(&app);
            async move {
                black_box(sync::keep(&app, arrival).await.unwrap());
            }
        })
        .await;
        (kept, reads)
    }
}

/// What waits for the floor's thread: a site, and where its caller wants to hear.
type Waiting = (i64, oneshot::Sender<i64>);

/// What rusqlite alone does with the same rows, on a copy of the same database.
struct Floor {
    db: Option<Connection>,
    sites: usize,
    callers: usize,
    now: i64,
    answers: usize,
    commits: usize,
}

impl Floor {
    fn new(bench: &Bench) -> Self {
        let file = bench.app.config.data_dir.join("floor.db");
        let from =
            Connection::open(bench.app.config.data_dir.join(dewline::app::DATABASE)).unwrap();
        from.execute("VACUUM INTO ?1", [file.to_string_lossy()])
            .unwrap();
        let db = Connection::open(file).unwrap();
        db.pragma_update(None, "journal_mode", "wal").unwrap();
        db.pragma_update(None, "synchronous", "full").unwrap();
        db.pragma_update(None, "foreign_keys", true).unwrap();
        db.pragma_update(None, "temp_store", "memory").unwrap();
        db.pragma_update(None, "cache_size", -32 * 1024).unwrap();
        db.pragma_update(None, "wal_autocheckpoint", 1000).unwrap();
        db.set_prepared_statement_cache_capacity(256);
        Self {
            db: Some(db),
            sites: bench.sites,
            callers: bench.callers,
            now: 1_800_000_000_000,
            answers: 0,
            commits: 0,
        }
    }

    /// Each site syncs so many times.
    async fn round(
        &mut self,
        times: usize,
        rows: impl Fn(&Connection, i64, i64) + Send + 'static,
    ) -> f64 {
        self.now += 60_000;
        let (now, db) = (self.now, self.db.take().unwrap());
        let (send, arrived) = mpsc::channel::<Waiting>();
        let thread = std::thread::spawn(move || {
            let mut commits = 0;
            while let Ok(first) = arrived.recv() {
                let mut group = vec![first];
                group.extend(arrived.try_iter().take(GROUP - 1));
                run(&db, "BEGIN IMMEDIATE", []);
                for (site, _) in &group {
                    rows(&db, *site, now);
                }
                run(&db, "COMMIT", []);
                commits += 1;
                for (site, caller) in group {
                    let _ = caller.send(site);
                }
            }
            (db, commits)
        });
        let sites: Vec<i64> = (0..times).flat_map(|_| 1..=self.sites as i64).collect();
        let a_second = drive(self.callers, sites, move |site| {
            let send = send.clone();
            async move {
                let (caller, answer) = oneshot::channel();
                send.send((site, caller)).unwrap();
                black_box(answer.await.unwrap());
            }
        })
        .await;
        let (db, commits) = thread.join().unwrap();
        self.db = Some(db);
        self.answers += self.sites * times;
        self.commits += commits;
        a_second
    }
}

fn run(db: &Connection, sql: &str, values: impl rusqlite::Params) {
    db.prepare_cached(sql).unwrap().execute(values).unwrap();
}

/// What any sync must know of its site: whether it is there, and what it said last.
fn site_row(db: &Connection, site: i64) {
    let row: Option<(i64, Option<Vec<u8>>, Option<i64>)> = db
        .prepare_cached(
            "SELECT s.organization_id, c.content_hash, c.sync_id FROM sites AS s JOIN site_contacts AS c ON c.site_id = s.id
             WHERE s.id = ?1 AND s.deleted_at IS NULL",
        )
        .unwrap()
        .query_row([site], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()
        .unwrap();
    black_box(row);
}

type Had = (i64, i64, Option<i64>, String, Option<String>);

/// What any changed sync must know: the modules that its site has.
fn modules_of(db: &Connection, site: i64) -> Vec<Had> {
    db.prepare_cached(
        "SELECT sm.module_id, sm.version_id, sm.run_started_at, m.name, v.version FROM site_modules AS sm
            JOIN modules AS m ON m.id = sm.module_id JOIN module_versions AS v ON v.id = sm.version_id WHERE sm.site_id = ?1",
    )
    .unwrap()
    .query_map([site], |row| {
        Ok((
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            row.get(4)?,
        ))
    })
    .unwrap()
    .map(Result::unwrap)
    .collect()
}

/// The ids of a module and a version that are known by name.
fn ids_of(db: &Connection, name: &str, version: &str) -> (i64, i64) {
    db.prepare_cached(
        "SELECT m.id, v.id FROM modules AS m JOIN module_versions AS v ON v.module_id = m.id
            AND ifnull(v.version, char(0)) = ?2 AND v.datestamp = 0
         WHERE m.name = ?1 AND ifnull(m.organization_id, 0) = 0 AND m.kind = 'project'",
    )
    .unwrap()
    .query_row([name, version], |row| Ok((row.get(0)?, row.get(1)?)))
    .unwrap()
}

fn unchanged_rows(db: &Connection, site: i64, now: i64) {
    site_row(db, site);
    run(
        db,
        "UPDATE site_contacts SET last_sync_at = ?2, generated_at = ?2 WHERE site_id = ?1",
        params![site, now],
    );
}

fn sync_rows(db: &Connection, site: i64, now: i64, delta: usize) -> i64 {
    run(
        db,
        "INSERT INTO syncs (site_id, received_at, generated_at, agent, source, content_hash, total, added, updated, downgraded,
            removed, unchanged, delta) VALUES (?1, ?2, ?2, 'bench 1', 'inventory', randomblob(32), 80, 0, 3, 0, 0, 77, zeroblob(?3))",
        params![site, now, delta as i64],
    );
    let sync = db.last_insert_rowid();
    run(
        db,
        "UPDATE site_contacts SET last_sync_at = ?2, generated_at = ?2, sync_id = ?3, content_hash = randomblob(32)
         WHERE site_id = ?1",
        params![site, now, sync],
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

fn changed_rows(db: &Connection, site: i64, now: i64, raised: usize) {
    site_row(db, site);
    let had = modules_of(db, site);
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
    for (module, old, started, name, before) in had {
        let Some(place) = name.strip_prefix("module_") else {
            continue;
        };
        let after = version(site as usize, place.parse().unwrap(), raised);
        if before.as_deref() == Some(&after) {
            continue;
        }
        let (_, new) = ids_of(db, &name, &after);
        run(
            db,
            "INSERT INTO module_runs VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![site, module, started, old, now, sync],
        );
        run(
            db,
            "UPDATE site_modules SET version_id = ?3, run_started_at = ?4, updated_at = ?4 WHERE site_id = ?1 AND module_id = ?2",
            params![site, module, new, now],
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
    site_row(db, site);
    black_box(modules_of(db, site));
    let sync = sync_rows(db, site, now, 1500);
    for place in 0..MODULES {
        let (module, version) = match place {
            0 => ids_of(db, "drupal", "11.2.3"),
            _ => ids_of(
                db,
                &format!("module_{place}"),
                &version(site as usize, place, 0),
            ),
        };
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

#[derive(Default)]
struct Figures {
    store: Vec<f64>,
    whole: Vec<f64>,
    floor: Vec<f64>,
}

impl Figures {
    fn tell(self, case: &str) {
        let ratio = |ours: &[f64]| {
            let ratios = ours.iter().zip(&self.floor).map(|(a, b)| a / b);
            median(ratios.collect())
        };
        let (of_store, of_whole) = (ratio(&self.store), ratio(&self.whole));
        println!(
            "{case:<10} floor {:>7.0}/s   store {:>7.0}/s, {of_store:.2} of it   whole {:>7.0}/s, {of_whole:.2} of it",
            median(self.floor),
            median(self.store),
            median(self.whole),
        );
    }
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

    let mut new = Figures::default();
    for _ in 0..ROUNDS {
        let mut bench = Bench::with_one(sites, callers).await;
        new.floor.push(Floor::new(&bench).round(1, new_rows).await);
        new.store.push(bench.store(0, 1).await.0);
        let mut bench = Bench::with_one(sites, callers).await;
        new.whole.push(bench.whole(0, 1).await);
    }
    new.tell("new");

    let mut bench = Bench::new(sites, callers).await;
    bench.whole(0, 1).await;
    bench.whole(1, 1).await;
    let mut bare = Floor::new(&bench);
    let (mut changed, mut unchanged) = (Figures::default(), Figures::default());
    let mut reads = Vec::new();
    for round in 0..ROUNDS {
        let raised = round % 2;
        let rows = move |db: &_, site, now| changed_rows(db, site, now, raised);
        changed.floor.push(bare.round(1, rows).await);
        changed.store.push(bench.store(0, 1).await.0);
        changed.whole.push(bench.whole(1, 1).await);
    }
    changed.tell("3 changed");
    for _ in 0..ROUNDS {
        unchanged
            .floor
            .push(bare.round(AGAIN, unchanged_rows).await);
        let (store, read) = bench.store(1, AGAIN).await;
        unchanged.store.push(store);
        reads.push(read);
        unchanged.whole.push(bench.whole(1, AGAIN).await);
    }
    unchanged.tell("unchanged");

    println!(
        "reading and hashing one body of {} bytes: {:.1} µs",
        body(1, 0, 0).len(),
        1e6 / median(reads)
    );
    let stats = bench.app.store.stats();
    println!(
        "syncs in one commit, on average: ours {:.0}, floor {:.0}",
        stats.answers as f64 / stats.commits as f64,
        bare.answers as f64 / bare.commits as f64
    );
}
