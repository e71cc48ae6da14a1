//! Histories made by chance, played through the services: the ledger says what a slow and plain model of
//! its rules says, and what its own replay says. What once differed is kept in `cases.rs`, cut down to
//! what is needed.
//!
//!   DEWLINE_HISTORIES=5000 cargo test --test main histories

mod cases;
mod drupal_org;
mod house;
mod model;
mod office;
mod ops;
mod play;

use std::collections::BTreeMap;

use house::House;
use ops::{Chance, Op};
use tokio::task::JoinSet;

/// Histories in one database: then they are proved together.
const TOGETHER: usize = 100;

/// Databases that are filled at the same time.
const AT_ONCE: usize = 2;

/// What happens in enough of them.
const SEEN: [&str; 13] = [
    "open",
    "met",
    "breached",
    "withdrawn",
    "ended",
    "for: release",
    "for: advisory",
    "for: project",
    "unproven",
    "without a due time",
    "half",
    "three_quarters",
    "due",
];

/// Every third history is wild: more happens in it than the model knows.
fn is_wild(seed: u64) -> bool {
    seed.is_multiple_of(3)
}

/// What is wrong with a history, played alone.
async fn fault(ops: &[Op], wild: bool) -> Option<String> {
    let mut house = House::open();
    match house.plays(ops, wild).await {
        Err(said) => Some(said),
        Ok(()) => house.proves_itself().await.err(),
    }
}

/// The history without whatever can be left out of it, and with the simplest of what can't; and what is
/// wrong then.
async fn cut_down(mut ops: Vec<Op>, wild: bool) -> (Vec<Op>, String) {
    let mut said = fault(&ops, wild).await.unwrap_or_default();
    loop {
        let before = ops.clone();
        let mut part = ops.len().div_ceil(2);
        while part > 0 {
            let mut at = 0;
            while at < ops.len() {
                let mut fewer = ops.clone();
                fewer.drain(at..(at + part).min(ops.len()));
                match fault(&fewer, wild).await {
                    Some(other) => (ops, said) = (fewer, other),
                    None => at += part,
                }
            }
            part /= 2;
        }
        for at in 0..ops.len() {
            for simpler in ops[at].simpler() {
                let mut plainer = ops.clone();
                plainer[at] = simpler;
                if let Some(other) = fault(&plainer, wild).await {
                    (ops, said) = (plainer, other);
                    break;
                }
            }
        }
        if ops == before {
            return (ops, said);
        }
    }
}

async fn is_wrong(seed: u64, said: &str) -> ! {
    let wild = is_wild(seed);
    let ops = Chance::of(seed).history(wild);
    let (ops, why) = cut_down(ops, wild).await;
    let lines: String = ops.iter().map(|op| format!("{}, ", op.as_code())).collect();
    let case = format!("(\"what should be\", {wild}, vec![{lines}]),");
    panic!("history {seed} (wild: {wild}): {said}\n\nit is enough that\n{case}\n\n{why}");
}

/// Plays histories in one house and proves them together; gives what happened in them.
async fn played(seeds: Vec<u64>) -> BTreeMap<String, i64> {
    let mut house = House::open();
    for seed in &seeds {
        let ops = Chance::of(*seed).history(is_wild(*seed));
        if let Err(said) = house.plays(&ops, is_wild(*seed)).await {
            is_wrong(*seed, &said).await;
        }
    }
    if let Err(said) = house.proves_itself().await {
        for seed in seeds {
            let ops = Chance::of(seed).history(is_wild(seed));
            if fault(&ops, is_wild(seed)).await.is_some() {
                is_wrong(seed, &said).await;
            }
        }
        panic!("together, not alone: {said}");
    }
    house.windows()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_of_any_history_is_what_the_model_and_the_replay_say() {
    let asked = std::env::var("DEWLINE_HISTORIES").ok();
    let many: u64 = asked.map_or(1_000, |many| many.parse().unwrap());
    let first: u64 =
        std::env::var("DEWLINE_FIRST_HISTORY").map_or(1, |first| first.parse().unwrap());
    let seeds: Vec<u64> = (first..first + many).collect();
    let mut houses = JoinSet::new();
    let mut waiting = seeds.chunks(TOGETHER);
    let mut seen = BTreeMap::new();
    loop {
        while houses.len() < AT_ONCE
            && let Some(part) = waiting.next()
        {
            houses.spawn(played(part.to_vec()));
        }
        let Some(played) = houses.join_next().await else {
            break;
        };
        for (what, many) in played.unwrap() {
            *seen.entry(what).or_insert(0) += many;
        }
    }
    println!("{many} histories: {seen:?}");
    // What never happens in them is not tried by them.
    for what in SEEN {
        assert!(
            seen.get(what).is_some_and(|many| *many > 0),
            "{what} in none of {many} histories: {seen:?}"
        );
    }
}

/// Two windows, one of them closed by a patch, and an advisory.
fn some_history() -> Vec<Op> {
    use ops::Runs::{Absent, Release};
    let fix = |module| Op::Publish {
        line: (module, 0),
        security: true,
        dated: Some(-5),
    };
    let sync = |poll, wiki| Op::Sync(0, [poll, wiki]);
    let mut ops = vec![
        sync(Release(0, 0), Release(0, 0)),
        fix(0),
        fix(1),
        Op::Advise((0, 0), Some(17)),
        Op::Jobs,
    ];
    ops.extend([
        sync(Release(0, 1), Release(0, 0)),
        Op::Jobs,
        Op::Sync(1, [Release(0, 1), Absent]),
        Op::Jobs,
        // Half of a week and more.
        Op::Wait(6_000),
        Op::Jobs,
    ]);
    ops.into_iter().flat_map(|op| [Op::Wait(30), op]).collect()
}

/// What is done to the database behind the program's back, and which part of the proof says so.
const BROKEN: &[(&str, &str)] = &[
    ("UPDATE exposures SET due_at = due_at + 60000 WHERE closed_at IS NULL", "exposures"),
    ("UPDATE exposures SET opened_at = opened_at - 60000 WHERE closed_at IS NULL", "exposures"),
    ("UPDATE exposures SET known_at = known_at + 60000 WHERE closed_at IS NULL", "exposures"),
    ("UPDATE exposures SET unproven_since = known_at WHERE closed_at IS NULL", "exposures"),
    ("UPDATE exposures SET closed_at = closed_at - 60000 WHERE closed_at IS NOT NULL", "exposures"),
    ("UPDATE exposures SET outcome = 'breached' WHERE closed_at IS NOT NULL", "exposures"),
    ("UPDATE exposures SET closed_at = known_at, outcome = 'withdrawn' WHERE closed_at IS NULL", "exposures"),
    ("DELETE FROM exposure_events; DELETE FROM exposures WHERE closed_at IS NULL", "exposures"),
    ("INSERT INTO exposures (organization_id, site_id, module_id, version_id, cause_kind, cause, no_fix, opened_at, known_at,
        closed_at, outcome, created_at, updated_at, environment)
      SELECT organization_id, site_id, module_id, version_id, cause_kind, cause, no_fix, opened_at - 60000, known_at,
        opened_at, 'met', created_at, updated_at, environment FROM exposures WHERE closed_at IS NULL", "exposures"),
    ("UPDATE exposures SET risk = 'highly_critical' WHERE risk = 'critical'", "risks and explanations of exposures"),
    ("DELETE FROM exposure_advisories", "risks and explanations of exposures"),
    ("UPDATE sites SET open_exposures = open_exposures + 1", "sites' words and counters"),
    ("UPDATE sites SET next_due_at = next_due_at + 60000", "the word and counters of each site"),
    ("UPDATE exposure_events SET at = at - 60000 WHERE kind = 'half'", "what clocks told"),
    ("UPDATE exposure_events SET noticed_at = noticed_at + 60000 WHERE kind = 'half'", "what clocks told"),
    ("DELETE FROM exposure_events WHERE kind = 'half'", "what clocks told"),
    ("DELETE FROM exposure_events WHERE kind = 'half'", "the clocks of windows"),
    ("INSERT INTO exposure_events (exposure_id, kind, at, noticed_at)
      SELECT id, 'due', closed_at, closed_at + 60000 FROM exposures WHERE closed_at IS NOT NULL", "what clocks told"),
    ("UPDATE exposure_events SET noticed_at = at - 60000", "the clocks of windows"),
    ("UPDATE exposures SET warn_at = NULL WHERE closed_at IS NULL", "the clocks of windows"),
    ("UPDATE exposures SET warn_at = warn_at + 864000000 WHERE closed_at IS NULL", "the clocks of windows"),
    ("DELETE FROM chronicle WHERE kind = 'clock'", "what clocks told"),
    ("UPDATE exposure_days SET opened = opened + 1", "windows opened on each day"),
    ("UPDATE exposure_days SET met = met + 1 WHERE met > 0", "windows closed on each day"),
    ("DELETE FROM exposure_days", "windows opened on each day"),
    ("UPDATE events SET kind = 'downgraded' WHERE kind = 'updated'", "events"),
    ("UPDATE patch_runs SET security_patches_applied = 7", "patch runs"),
    ("UPDATE sla_policies SET terms = replace(terms, '168', '169')", "exposures"),
];

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_written_behind_the_programs_back_is_found_by_the_replay() {
    for (sql, about) in BROKEN {
        let mut house = House::open();
        house.plays(&some_history(), false).await.unwrap();
        house.proves_itself().await.unwrap();
        assert!(house.breaks(sql).await > 0, "{sql} changes something");
        let said = house.proves_itself().await.unwrap_err();
        let found = said
            .lines()
            .any(|line| line.starts_with(&format!("{about}: ")));
        assert!(found, "{sql}: {said}");
    }
}
