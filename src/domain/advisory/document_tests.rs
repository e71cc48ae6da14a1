//! What becomes of OSV documents: of several projects, with lists, damaged, too long.

use super::*;
use proptest::prelude::*;
use serde_json::json;

fn document() -> Value {
    json!({
        "schema_version": "1.7.0", "id": "DRUPAL-CONTRIB-2026-125",
        "published": "2026-12-10T17:53:01.000Z", "modified": "2026-12-10T19:09:57.000Z",
        "aliases": ["CVE-2026-14472"],
        "affected": [{
            "package": {"ecosystem": "Packagist:https://packages.drupal.org/8", "name": "drupal/rope"},
            "ranges": [
                {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.6.4"}]},
                {"type": "ECOSYSTEM", "events": [{"introduced": "3.7.0"}, {"last_affected": "3.7.3"}]},
            ],
            "database_specific": {"affected_versions": "<3.6.4 || >=3.7.0 <=3.7.3"},
        }],
        "references": [{"type": "WEB", "url": "https://www.drupal.org/sa-contrib-2026-125"}],
    })
}

#[test]
fn a_document_becomes_a_record() {
    let record = read(&document()).unwrap();
    assert_eq!(record.id, "SA-CONTRIB-2026-125");
    assert_eq!(record.project, "rope");
    assert_eq!(record.cves, ["CVE-2026-14472"]);
    assert_eq!(
        (record.published, record.changed),
        (1_796_925_181, 1_796_929_797)
    );
    assert_eq!(
        record.affected_versions.as_deref(),
        Some("<3.6.4 || >=3.7.0 <=3.7.3")
    );
    let spans = record.ranges.unwrap();
    assert_eq!(spans[0].fixed.as_deref(), Some("3.6.4"));
    assert_eq!(spans[1].last_affected.as_deref(), Some("3.7.3"));
    assert!(!record.withdrawn);
}

#[test]
fn what_is_wrong_is_said() {
    let changed = |name: &str, value: Value| {
        let mut document = document();
        document[name] = value;
        read(&document)
    };
    assert_eq!(changed("id", json!(7)), Err(Refused::NoId));
    assert_eq!(changed("id", json!("GHSA-1234")), Err(Refused::NoId));
    assert_eq!(
        changed("published", json!("soon")),
        Err(Refused::WrongType("published"))
    );
    assert_eq!(changed("affected", json!([])), Err(Refused::NoProject));
    assert_eq!(
        changed("affected", json!([{"package": {"name": "vendor/thing"}}])),
        Err(Refused::NoProject)
    );
    assert!(
        changed("withdrawn", json!("2027-01-01T00:00:00Z"))
            .unwrap()
            .withdrawn
    );
    let core = changed("affected", json!([{"package": {"name": "drupal/core"}}])).unwrap();
    assert_eq!(
        (core.project.as_str(), core.affected_versions),
        ("drupal", None)
    );
}

/// What a document about these packages says.
fn of_packages(packages: &[&str]) -> Value {
    let entry = |name: &&str| json!({"package": {"name": name}});
    let mut document = document();
    document["affected"] = packages.iter().map(entry).collect();
    document
}

#[test]
fn packages_from_elsewhere_are_passed_over() {
    for (packages, project) in [
        (&["left-pad", "drupal/rope"][..], "rope"),
        (&["drupal/rope", "vendor/rope"], "rope"),
        (&["drupal/core", "drupal/drupal"], "drupal"),
        (&["Drupal/Rope", "drupal/core-recommended"], "rope"),
    ] {
        let record = read(&of_packages(packages)).unwrap();
        assert_eq!(
            (record.project.as_str(), record.lost_versions),
            (project, false)
        );
    }
    assert_eq!(forgotten_with(&of_packages(&["left-pad"])), None);
}

#[test]
fn what_is_forgotten_with_a_document_is_known() {
    let several = of_packages(&["drupal/rope", "left-pad", "drupal/knot"]);
    assert_eq!(read(&several), Err(Refused::SeveralProjects));
    let named = vec!["knot".to_owned(), "rope".to_owned()];
    assert_eq!(forgotten_with(&several), Some(named));
    for affected in [json!([]), json!([{}]), json!({"0": 1}), json!(null)] {
        let mut document = document();
        document["affected"] = affected;
        assert_eq!(forgotten_with(&document), Some(Vec::new()), "{document}");
    }
    let mut withdrawn = several.clone();
    withdrawn["withdrawn"] = json!("2027-01-01T00:00:00Z");
    assert_eq!(forgotten_with(&withdrawn), None);
    let mut announcement = several;
    announcement["id"] = json!("DRUPAL-PSA-2026-01-02");
    assert_eq!(forgotten_with(&announcement), None);
}

#[test]
fn an_entry_that_may_be_about_any_package_leaves_a_doubt() {
    let mut document = document();
    document["affected"]
        .as_array_mut()
        .unwrap()
        .push(json!({"ranges": []}));
    let record = read(&document).unwrap();
    assert_eq!(
        (record.project.as_str(), record.lost_versions),
        ("rope", true)
    );
}

#[test]
fn each_project_has_what_its_own_entries_say() {
    let mut document = document();
    let mut other = document["affected"][0].clone();
    other["package"]["name"] = json!("drupal/knot");
    other["ranges"] = json!([]);
    other["database_specific"]["affected_versions"] = json!("<9.0.0");
    document["affected"].as_array_mut().unwrap().push(other);
    let found = Advisory::from_osv(&document).unwrap();
    let says = |package: &str, version: &str| {
        let advisory = found.iter().find(|found| found.package == package).unwrap();
        advisory
            .reading(&Composer::normalize(version).unwrap())
            .either()
    };
    assert_eq!(found.len(), 2);
    assert_eq!(says("drupal/rope", "3.6.3"), Some(true));
    assert_eq!(says("drupal/rope", "8.0.0"), Some(false));
    assert_eq!(says("drupal/knot", "8.0.0"), Some(true));
    assert_eq!(says("drupal/knot", "9.0.0"), Some(false));
}

#[test]
fn an_announcement_and_what_was_taken_back_count_against_nothing() {
    let with = |name: &str, value: Value| {
        let mut document = document();
        document[name] = value;
        (
            Advisory::from_osv(&document).map(|found| found.len()),
            read(&document).unwrap(),
        )
    };
    let (found, record) = with("id", json!("DRUPAL-PSA-2026-01-02"));
    assert_eq!(
        (found, record.psa, record.id.as_str()),
        (Ok(0), true, "PSA-2026-01-02")
    );
    let (found, record) = with("withdrawn", json!("2027-01-01T00:00:00Z"));
    assert_eq!((found, record.withdrawn), (Ok(0), true));
    for standing in [json!(""), json!("no"), json!(false), json!(null)] {
        let (found, record) = with("withdrawn", standing);
        assert_eq!((found, record.withdrawn, record.psa), (Ok(1), false, false));
    }
}

/// What the first entry of the document says of a version, changed so.
fn says(version: &str, change: impl FnOnce(&mut Value)) -> Option<bool> {
    let mut document = document();
    change(&mut document["affected"][0]);
    let record = read(&document).unwrap();
    assert!(
        record
            .ranges
            .as_ref()
            .is_none_or(|spans| spans.len() <= MOST_SPANS)
    );
    // The way through the store, where the spans are text.
    let text = serde_json::to_string(&record).unwrap();
    let record: Record = serde_json::from_str(&text).unwrap();
    Advisory::of(&record)
        .reading(&Composer::of_drupal(version).unwrap())
        .either()
}

#[test]
fn versions_that_are_listed_are_named_beside_those_in_ranges() {
    let listed = |entry: &mut Value| {
        entry["versions"] = json!(["3.6.1", "3.9.0", "8.x-4.2", "5.0.0-beta2", "6.x-dev"])
    };
    for (version, named) in [
        ("3.6.1", true),
        ("3.9.0", true),
        ("v3.9.0", true),
        ("4.2.0", true),
        ("8.x-4.2", true),
        ("5.0.0-beta2", true),
        ("6.x-dev", true),
        ("3.9.1", false),
        ("4.1.0", false),
        ("5.0.0-beta1", false),
        ("5.0.0", false),
    ] {
        assert_eq!(says(version, listed), Some(named), "{version}");
    }
    let alone = |entry: &mut Value| {
        *entry = json!({"package": {"name": "drupal/rope"}, "versions": ["3.9.0"]});
    };
    assert_eq!(says("3.9.0", alone), Some(true));
    assert_eq!(says("3.6.1", alone), Some(false));
}

#[test]
fn a_constraint_that_says_nothing_matters_only_where_nothing_else_is_said() {
    let blank = |entry: &mut Value| {
        entry["database_specific"]["affected_versions"] = json!(" ");
    };
    assert_eq!(says("9.0.0", blank), Some(false));
    let nothing = |entry: &mut Value| {
        blank(entry);
        entry["ranges"] = json!([]);
    };
    assert_eq!(says("9.0.0", nothing), None);
}

#[test]
fn versions_that_the_ranges_hold_already_cost_nothing() {
    let mut long = document();
    let all: Vec<_> = (0..4_000).map(|at| format!("3.5.{at}")).collect();
    long["affected"][0]["versions"] = json!(all);
    assert_eq!(read(&long), read(&document()));
}

#[test]
fn where_versions_are_lost_there_is_no_all_clear() {
    let many: Vec<_> = (0..600).map(|at| format!("4.{at}.0")).collect();
    let events: Vec<_> = (0..600)
        .map(|at| json!({"introduced": format!("4.{at}.0")}))
        .collect();
    let lost: [(&str, Value); 11] = [
        ("/versions", json!(many)),
        ("/versions", json!(vec!["3.6.1"; 5_001])),
        ("/versions", json!(["9".repeat(101)])),
        ("/versions", json!(["all before 2"])),
        ("/versions", json!(["dev-main"])),
        ("/versions", json!([7])),
        ("/versions", json!({"0": "9.0.0"})),
        ("/ranges", json!([{"events": events}])),
        ("/ranges", json!({"events": []})),
        ("/ranges/0/events", json!([{"introduced": 9}])),
        (
            "/database_specific/affected_versions",
            json!("<3.6.4 || ".repeat(400) + "<3.6.4"),
        ),
    ];
    for (place, value) in lost {
        let change = |entry: &mut Value| match place.rsplit_once('/') {
            Some((above, name)) => entry.pointer_mut(above).unwrap()[name] = value.clone(),
            None => panic!("{place}"),
        };
        assert_eq!(says("9.0.0", change), None, "{place}");
        assert_eq!(says("3.6.1", change), Some(true), "{place}: still named");
    }
}

#[test]
fn what_is_of_no_use_leaves_a_doubt_about_each_project() {
    let mut document = of_packages(&["drupal/rope", "left-pad", "drupal/core"]);
    document["published"] = json!("soon");
    assert_eq!(
        Advisory::from_osv(&document),
        Err(Refused::WrongType("published"))
    );
    let doubts = Advisory::unreadable(&document);
    let packages: Vec<_> = doubts.iter().map(|doubt| doubt.package.as_str()).collect();
    assert_eq!(packages, ["drupal/core", "drupal/rope"]);
    for doubt in doubts {
        assert!(!doubt.names_no_versions());
        assert_eq!(
            doubt
                .reading(&Composer::normalize("9.0.0").unwrap())
                .either(),
            None
        );
    }
}

proptest! {
    #[test]
    fn no_damage_panics(at in 0..40_usize, junk in "[\\[\\]{}\",:0-9a-z]{0,6}") {
        let text = document().to_string();
        let cut = text.floor_char_boundary(at * text.len() / 40);
        for broken in [format!("{}{junk}", &text[..cut]), format!("{}{junk}{}", &text[..cut], &text[cut..])] {
            if let Ok(value) = serde_json::from_str::<Value>(&broken) {
                let _ = (read(&value), Advisory::from_osv(&value), forgotten_with(&value));
            }
        }
    }
}
