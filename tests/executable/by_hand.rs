//! Jobs that an operator runs by hand.

use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use dewline::clock::SystemClock;
use dewline::demo::advisory::Advisory;
use dewline::demo::drupal_org::{Behaviour, StandIn};

use super::{Serving, data_dir, dewline, run, text};

/// A stand-in with three advisories, and the flags that lead to it.
async fn stand_in() -> (StandIn, Vec<String>) {
    let stand_in = StandIn::start(Arc::new(SystemClock)).await.unwrap();
    for n in 1..=3 {
        let id = format!("SA-CONTRIB-2026-00{n}");
        stand_in.put_advisory(Advisory::new(n, &id, "rope", 1_770_000_000 + n));
    }
    let flags = [
        "drupal_org.enabled=true".to_owned(),
        format!("drupal_org.advisories_url={}", stand_in.advisories_url()),
        format!(
            "drupal_org.release_history_url={}",
            stand_in.release_history_url()
        ),
        "drupal_org.requests_per_second=100".to_owned(),
    ];
    let flags = flags
        .into_iter()
        .flat_map(|setting| ["--set".to_owned(), setting]);
    (stand_in, flags.collect())
}

fn runs(data: &Path, job: &str, flags: &[String]) -> Output {
    let mut words = vec!["job", "run", job];
    words.extend(flags.iter().map(String::as_str));
    run(data, &words, "")
}

#[tokio::test(flavor = "multi_thread")]
async fn advisories_are_asked_for_by_hand_beside_a_running_appliance_or_without_one() {
    let (stand_in, flags) = stand_in().await;
    let (_above, data) = data_dir();
    let alone = runs(&data, "refresh-advisories", &flags);
    assert_eq!(alone.status.code(), Some(0), "{}", text(&alone.stderr));
    assert_eq!(
        text(&alone.stdout),
        "refresh-advisories: 3 advisories known\n"
    );
    assert!(!stand_in.take_advisory_requests().is_empty());

    stand_in.put_advisory(Advisory::new(
        9,
        "SA-CONTRIB-2026-009",
        "rope",
        1_770_000_009,
    ));
    let mut command = dewline(&data, &["serve"]);
    command.args(&flags);
    let serving = Serving::from(command);
    let beside = runs(&data, "refresh-advisories", &[]);
    assert_eq!(
        text(&beside.stdout),
        "refresh-advisories: 4 advisories known\n"
    );
    let catalogue = runs(&data, "refresh-catalogue", &[]);
    assert_eq!(text(&catalogue.stdout), "refresh-catalogue: done\n");
    assert_eq!(serving.stop().0, Some(0));

    stand_in.set_listing_behaviour(Behaviour::Status(500, None));
    let failed = runs(&data, "refresh-advisories", &flags);
    assert_eq!(failed.status.code(), Some(1));
    assert!(
        text(&failed.stderr).contains("answered 500"),
        "{}",
        text(&failed.stderr)
    );
}

#[test]
fn a_job_that_cannot_be_run_is_refused_in_words() {
    let (_above, data) = data_dir();
    let unknown = runs(&data, "make-coffee", &[]);
    assert_eq!(unknown.status.code(), Some(2));
    let said = text(&unknown.stderr);
    assert!(
        said.contains("no such job: make-coffee") && said.contains("refresh-advisories"),
        "{said}"
    );
    let apart = runs(&data, "refresh-advisories", &[]);
    assert_eq!(apart.status.code(), Some(1));
    assert!(text(&apart.stderr).contains("set not to ask drupal.org"));
    assert_eq!(
        text(&runs(&data, "mark-stale", &[]).stdout),
        "mark-stale: done\n"
    );
}
