//! What drupal.org's nodes become.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn listed() -> Value {
    json!({
        "nid": "3555001", "type": "sa", "status": "1", "language": "und",
        "title": "Rope &amp; ladder - Moderately critical - Cross site scripting - SA-CONTRIB-2026-007",
        "url": "https://www.drupal.org/sa-contrib-2026-007",
        "created": "1770000000", "changed": "1770003600",
        "field_project": {"uri": "https://www.drupal.org/api-d7/node/1234", "id": "1234", "resource": "node"},
        "field_affected_versions": "<1.5.0 || >=2.0.0 <2.1.3",
        "field_fixed_in": [{"uri": "https://www.drupal.org/api-d7/node/99", "id": "99", "resource": "node"}],
        "field_sa_criticality": "AC:Basic/A:User/CI:Some/II:Some/E:Theoretical/TD:All",
        "field_sa_type": "Cross site scripting", "field_sa_cve": ["CVE-2026-12345"],
        "field_sa_advisory_id": "7", "field_is_psa": "0",
        "field_sa_description": {"value": "<p>words</p>", "format": "1"},
        "field_sa_changes": [], "body": [],
    })
}

fn with(name: &str, value: Value) -> Result<Node, Refused> {
    let mut node = listed();
    node[name] = value;
    read(&node)
}

fn record(name: &str, value: Value) -> Record {
    with(name, value).unwrap().record
}

#[test]
fn a_listed_node_names_its_project_by_a_number() {
    let Node { record, published } = read(&listed()).unwrap();
    assert!(published);
    assert_eq!(record.id, "SA-CONTRIB-2026-007");
    assert_eq!(
        (record.project.as_str(), record.project_nid),
        ("", Some(1234))
    );
    assert_eq!(
        record.title,
        "Rope & ladder - Moderately critical - Cross site scripting - SA-CONTRIB-2026-007"
    );
    assert_eq!(
        record.vector.as_deref(),
        Some("AC:Basic/A:User/CI:Some/II:Some/E:Theoretical/TD:All")
    );
    assert_eq!(record.score, Some(14));
    assert_eq!(record.cves, ["CVE-2026-12345"]);
    assert_eq!(
        (record.published, record.changed),
        (1_770_000_000, 1_770_003_600)
    );
    assert_eq!(record.nid, Some(3_555_001));
    assert_eq!(record.ranges, None);
    assert!(!record.psa && !record.withdrawn);
}

#[test]
fn a_single_node_names_it_by_its_name() {
    let project = json!({"id": "1234", "resource": "node", "machine_name": "rope"});
    assert_eq!(record("field_project", project).project, "rope");
    let project = json!({"id": "1234", "machine_name": "Not a name"});
    assert_eq!(record("field_project", project).project, "");
    let core = json!({"id": "3060", "resource": "node"});
    assert_eq!(record("field_project", core).project, "drupal");
    assert_eq!(
        project_name(&json!({"field_project_machine_name": "rope"})).unwrap(),
        "rope"
    );
    assert_eq!(
        project_name(&json!({"field_project_machine_name": 7})),
        None
    );
}

#[test]
fn the_id_is_found_in_any_of_four_places() {
    let mut node = listed();
    node["title"] = json!("Rope");
    node["url"] = json!("https://www.drupal.org/node/3555001");
    assert_eq!(read(&node).unwrap().record.id, "SA-CONTRIB-2026-007");
    node["field_sa_advisory_id"] = json!(12);
    assert_eq!(read(&node).unwrap().record.id, "SA-CONTRIB-2026-012");
    node["sa_id"] = json!("SA-CONTRIB-2026-011");
    assert_eq!(read(&node).unwrap().record.id, "SA-CONTRIB-2026-011");
    node["sa_id"] = json!([]);
    node["field_sa_advisory_id"] = json!([]);
    assert_eq!(read(&node), Err(Refused::NoId));
}

#[test]
fn an_announcement_needs_no_project() {
    let mut node = listed();
    node["url"] = json!("https://www.drupal.org/psa-2026-01-02");
    node["field_sa_advisory_id"] = json!([]);
    node["field_is_psa"] = json!("1");
    node["field_project"] = json!([]);
    let record = read(&node).unwrap().record;
    assert_eq!((record.id.as_str(), record.psa), ("PSA-2026-01-02", true));
    assert_eq!(record.project, "securitydrupalorg");
}

#[test]
fn what_is_absent_or_broken_is_kept_without_it() {
    for nothing in [json!(null), json!([]), json!({}), json!(""), json!(7)] {
        let record = record("field_affected_versions", nothing);
        assert_eq!(record.affected_versions, None);
    }
    assert_eq!(
        record("field_affected_versions", json!("x".repeat(5000))).affected_versions,
        None
    );
    assert_eq!(
        record("field_affected_versions", json!("&lt;1.5.0"))
            .affected_versions
            .as_deref(),
        Some("<1.5.0")
    );
    let broken = record("field_sa_criticality", json!("AC:Hard/A:None"));
    assert_eq!((broken.vector, broken.score), (None, None));
    let mut stated = listed();
    stated["field_sa_criticality"] = json!(null);
    for (risk, score) in [
        (json!(["14", "Moderately critical"]), Some(14)),
        (json!([20, "Highly critical"]), Some(20)),
        (json!("14\u{2215}25"), Some(14)),
        (json!("26"), None),
        (json!({}), None),
        (json!([]), None),
    ] {
        stated["sa_risk"] = risk;
        assert_eq!(read(&stated).unwrap().record.score, score);
    }
    let title = record(
        "title",
        json!("<b>Rope</b><script>alert(1)</script> - SA-CONTRIB-2026-007"),
    )
    .title;
    assert_eq!(title, "Rope - SA-CONTRIB-2026-007");
    assert!(
        record("title", json!("x".repeat(100_000)))
            .title
            .chars()
            .count()
            <= 301
    );
    assert_eq!(
        record("url", json!("javascript:1")).url,
        "https://www.drupal.org/sa-contrib-2026-007"
    );
    assert_eq!(
        record("field_sa_cve", json!("CVE-2026-1111, CVE-2026-2222"))
            .cves
            .len(),
        2
    );
    assert_eq!(record("changed", json!(null)).changed, 1_770_000_000);
    assert_eq!(
        record("created", json!("4102444800")).published,
        4_102_444_800
    );
    assert!(!with("status", json!("0")).unwrap().published);
}

#[test]
fn what_cannot_be_told_apart_is_refused_with_the_reason() {
    for (name, value, why) in [
        (
            "type",
            json!("project_release"),
            "a node of the type project_release, not an advisory",
        ),
        ("nid", json!("many"), "nid is not what it should be"),
        ("nid", json!(-3), "nid is not what it should be"),
        (
            "created",
            json!({"a": 1}),
            "created is not what it should be",
        ),
        (
            "changed",
            json!("yesterday"),
            "changed is not what it should be",
        ),
        ("created", json!(-1), "its date -1 is out of range"),
        (
            "changed",
            json!(9_999_999_999_999_i64),
            "its date 9999999999999 is out of range",
        ),
        (
            "field_project",
            json!("rope"),
            "field_project is not what it should be",
        ),
        (
            "field_project",
            json!({"id": "x"}),
            "field_project.id is not what it should be",
        ),
        (
            "field_project",
            json!([]),
            "it does not say which project it is about",
        ),
    ] {
        assert_eq!(with(name, value).unwrap_err().to_string(), why);
    }
    assert_eq!(read(&json!([1])), Err(Refused::NotANode));
    let mut undated = listed();
    (undated["created"], undated["changed"]) = (json!(null), json!(""));
    assert_eq!(read(&undated), Err(Refused::NoDate));
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[A-Za-z0-9<>&;:/|. \\-]{0,30}|.{0,10}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map("value|id|machine_name|x", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_value_in_any_field_panics(field in 0..18_usize, value in any_value()) {
        let mut node = listed();
        let name = node.as_object().unwrap().keys().nth(field).cloned();
        node[name.unwrap_or_else(|| "sa_risk".to_owned())] = value.clone();
        let _ = read(&node);
        let _ = read(&value);
        outline(&value);
        project_name(&value);
    }
}
