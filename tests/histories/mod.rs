//! Histories made by chance, played through the services: the ledger says what a slow and plain model of
//! its rules says, and what its own replay says. What once differed is kept in `cases.rs`, cut down to
//! what is needed.
//!
//!   DEWLINE_HISTORIES=5000 cargo test --test main histories

mod cases;
mod house;
mod model;
mod ops;
mod play;

use std::collections::BTreeMap;

use house::House;
use ops::{Chance, Op};

/// Histories in one database: then they are proved together.
const TOGETHER: usize = 100;

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

/// The history without whatever can be left out of it, and what is wrong then.
async fn cut_down(mut ops: Vec<Op>, wild: bool) -> (Vec<Op>, String) {
    let mut said = fault(&ops, wild).await.unwrap_or_default();
    let mut part = ops.len() / 2;
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
    (ops, said)
}

async fn is_wrong(seed: u64, said: &str) -> ! {
    let wild = is_wild(seed);
    let ops = Chance::of(seed).history(wild);
    let (ops, why) = cut_down(ops, wild).await;
    panic!("history {seed} (wild: {wild}): {said}\n\nit is enough that\n{ops:?}\n\n{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_of_any_history_is_what_the_model_and_the_replay_say() {
    let asked = std::env::var("DEWLINE_HISTORIES").ok();
    let many: u64 = asked.map_or(150, |many| many.parse().unwrap());
    let first: u64 =
        std::env::var("DEWLINE_FIRST_HISTORY").map_or(1, |first| first.parse().unwrap());
    let seeds: Vec<u64> = (first..first + many).collect();
    let mut seen = BTreeMap::new();
    for part in seeds.chunks(TOGETHER) {
        let mut house = House::open();
        for seed in part {
            let ops = Chance::of(*seed).history(is_wild(*seed));
            if let Err(said) = house.plays(&ops, is_wild(*seed)).await {
                is_wrong(*seed, &said).await;
            }
        }
        if let Err(said) = house.proves_itself().await {
            for seed in part {
                let ops = Chance::of(*seed).history(is_wild(*seed));
                if fault(&ops, is_wild(*seed)).await.is_some() {
                    is_wrong(*seed, &said).await;
                }
            }
            panic!("together, not alone: {said}");
        }
        for (what, many) in house.windows() {
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
        module,
        security: true,
        dated: Some(-5),
    };
    let sync = |poll, wiki| Op::Sync(0, [poll, wiki]);
    let mut ops = vec![
        sync(Release(0), Release(0)),
        fix(0),
        fix(1),
        Op::Advise(0, Some(17)),
        Op::Jobs,
    ];
    ops.extend([
        sync(Release(1), Release(0)),
        Op::Jobs,
        Op::Sync(1, [Release(1), Absent]),
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
    ("DELETE FROM exposures WHERE closed_at IS NULL", "exposures"),
    ("INSERT INTO exposures (organization_id, site_id, module_id, version_id, cause_kind, cause, no_fix, opened_at, known_at,
        closed_at, outcome, created_at, updated_at, environment)
      SELECT organization_id, site_id, module_id, version_id, cause_kind, cause, no_fix, opened_at - 60000, known_at,
        opened_at, 'met', created_at, updated_at, environment FROM exposures WHERE closed_at IS NULL", "exposures"),
    ("UPDATE exposures SET risk = 'highly_critical' WHERE risk = 'critical'", "risks and explanations of exposures"),
    ("DELETE FROM exposure_advisories", "risks and explanations of exposures"),
    ("UPDATE sites SET open_exposures = open_exposures + 1", "sites' words and counters"),
    ("UPDATE sites SET next_due_at = next_due_at + 60000", "the word and counters of each site"),
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
