//! Exposed, fix by fix: what may close a window and what may not.

use dewline::domain::advisory::{Advisory, join};
use dewline::domain::exposed::{Exposed, Rule};
use dewline::domain::prepared::Prepared;
use dewline::domain::status::{History, Installed, assess};
use serde_json::json;

use super::prepared;

fn exposed(prepared: &Prepared, version: &str, datestamp: i64) -> Exposed {
    assess(
        &History::Stored(prepared),
        &Installed {
            version: Some(version),
            datestamp,
        },
    )
    .exposed
}

const ROWS: [&str; 7] = [
    "2.0.1 1700400000 pS",
    "2.0.0 1700300000 p",
    "1.1.2 1700350000 pS",
    "1.1.1 1700200000 pS",
    "1.1.0 1700100000 p",
    "1.0.0 1700000000 p",
    "1.x-dev 1700500000 p",
];

#[test]
fn every_fix_of_the_branch_is_named_and_no_other() {
    let history = prepared(Some("1.,2.0."), &ROWS);
    let found = exposed(&history, "1.1.1", 0);
    assert_eq!(
        (found.answer, found.rule, found.branch.as_deref()),
        (Some(true), Rule::FixAbove, Some("1."))
    );
    let fixes: Vec<_> = found
        .fixes
        .iter()
        .map(|fix| (fix.version.as_str(), fix.date, fix.comes_after))
        .collect();
    assert_eq!(
        fixes,
        [
            ("1.1.2", Some(1_700_350_000), Some(true)),
            ("1.1.1", Some(1_700_200_000), Some(false))
        ]
    );
}

#[test]
fn only_proof_closes_a_window() {
    let history = prepared(Some("1.,2.0."), &ROWS);
    // The fix itself is installed, but a later one is missing: the one window closes, the other doesn't.
    let found = exposed(&history, "1.1.1", 0);
    assert_eq!(
        (found.about("1.1.1"), found.about("1.1.2")),
        (Some(false), Some(true))
    );
    // Moved to another branch that is sound: that proves it for every cause.
    let found = exposed(&history, "2.0.1", 0);
    assert_eq!(
        (found.answer, found.about("1.1.2")),
        (Some(false), Some(false))
    );
    // Moved to another branch that isn't: nothing is proven about the old cause.
    let found = exposed(&history, "2.0.0", 0);
    assert_eq!(
        (found.answer, found.about("1.1.2"), found.about("2.0.1")),
        (Some(true), None, Some(true))
    );
    // Nothing to judge: nothing is proven.
    for version in ["", "nonsense", "9.0.0", "7.x-1.0"] {
        let found = exposed(&history, version, 0);
        assert_eq!(
            (found.answer, found.about("1.1.2")),
            (None, None),
            "{version}"
        );
    }
    let missing = assess(
        &History::Stored(&history),
        &Installed {
            version: None,
            datestamp: 0,
        },
    )
    .exposed;
    assert_eq!(missing.about("1.1.2"), None);
}

#[test]
fn without_data_nothing_is_proven() {
    let history = prepared(Some("1."), &ROWS);
    let installed = Installed {
        version: Some("1.1.2"),
        datestamp: 0,
    };
    for (name, history) in [
        ("no data", History::NoData),
        ("failed", History::NotFetched),
        ("awaited", History::FetchPending(&history)),
    ] {
        let found = assess(&history, &installed).exposed;
        assert_eq!(
            (found.answer, found.rule, found.about("1.1.2")),
            (None, Rule::NoVerdict, None),
            "{name}"
        );
    }
}

#[test]
fn a_snapshot_is_judged_by_its_date_alone() {
    let history = prepared(Some("1."), &ROWS);
    assert_eq!(
        exposed(&history, "1.x-dev", 1_700_350_000).about("1.1.2"),
        Some(false)
    );
    assert_eq!(
        exposed(&history, "1.x-dev", 1_700_349_900).about("1.1.2"),
        Some(true)
    );
    assert_eq!(
        exposed(&history, "1.x-dev", 1_700_349_901).about("1.1.2"),
        Some(false)
    );
    assert_eq!(exposed(&history, "1.x-dev", 0).about("1.1.2"), None);
    let undated = prepared(Some("1."), &["1.1.2 - pS", "1.1.0 1700100000 p"]);
    assert_eq!(
        exposed(&undated, "1.x-dev", 1_800_000_000).about("1.1.2"),
        None
    );
}

#[test]
fn a_version_that_is_not_listed_is_compared_by_composer() {
    let history = prepared(Some("1."), &ROWS);
    assert_eq!(exposed(&history, "1.1.9", 0).about("1.1.2"), Some(false));
    assert_eq!(exposed(&history, "1.1.0-rc1", 0).about("1.1.2"), Some(true));
    assert_eq!(exposed(&history, "1.1.0-unstable1", 0).about("1.1.2"), None);
}

#[test]
fn without_branches_the_dates_must_agree_with_the_order() {
    // No branch is supported: the whole major has to do, and a fix of another line stands above.
    let history = prepared(
        None,
        &[
            "1.2.1 1700000000 pS",
            "1.2.0 1699000000 p",
            "1.1.5 1700050000 p",
        ],
    );
    assert_eq!(exposed(&history, "1.2.0", 0).about("1.2.1"), Some(true));
    assert_eq!(exposed(&history, "1.1.5", 0).about("1.2.1"), Some(false));
}

fn advisory(constraint: &str) -> Advisory {
    let document = json!({
        "id": "DRUPAL-CONTRIB-2026-007", "published": "2023-11-15T00:00:00Z",
        "affected": [{ "package": { "name": "drupal/a" }, "ranges": [],
            "database_specific": { "affected_versions": constraint } }],
    });
    Advisory::from_osv(&document).unwrap().remove(0)
}

#[test]
fn an_advisory_makes_a_yes_or_takes_a_no_back_and_never_softens() {
    let history = prepared(
        Some("1."),
        &[
            "1.1.0 1700000000 p",
            "1.0.0 1600000000 p",
            "1.x-dev 1700000000 p",
        ],
    );
    let joined = |version: &str, datestamp: i64, constraint: &str| {
        let installed = Installed {
            version: Some(version),
            datestamp,
        };
        let mut found = assess(&History::Stored(&history), &installed).exposed;
        let joined = join(
            &mut found,
            Some(&history),
            &installed,
            &[advisory(constraint)],
            None,
        );
        (found.answer, found.rule, joined.matches.len())
    };
    assert_eq!(
        joined("1.0.0", 0, "<1.1.0"),
        (Some(true), Rule::Advisory, 1)
    );
    assert_eq!(
        joined("1.1.0", 0, "<1.1.0"),
        (Some(false), Rule::NoFixInBranch, 0)
    );
    assert_eq!(
        joined("1.0.0-unstable1", 0, "<1.1.0"),
        (None, Rule::AdvisoryUnclear, 0)
    );
    // A snapshot from before the advisory is affected if a release of its branch is; later ones have the fix.
    assert_eq!(
        joined("1.x-dev", 1_600_000_000, "<1.1.0"),
        (Some(true), Rule::Advisory, 1)
    );
    assert_eq!(
        joined("1.x-dev", 1_800_000_000, "<1.1.0"),
        (Some(false), Rule::NoFixInBranch, 0)
    );
    assert_eq!(
        joined("1.x-dev", 0, "<1.1.0"),
        (None, Rule::AdvisoryUnclear, 0)
    );
    assert_eq!(joined("nonsense", 0, "<1.1.0"), (None, Rule::NoVerdict, 0));
}
