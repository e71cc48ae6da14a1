//! `dewline assess`: it survives any line and answers in the order of the questions.

use dewline::cli::assess::{AssessArgs, run};
use serde_json::{Value, json};

use super::ask;

const DOCUMENT: &str = r#"<?xml version="1.0"?><project><short_name>a</short_name><supported_branches>1.0.</supported_branches>
<releases><release><version>1.0.1</version><status>published</status><release_link>l</release_link><date>1700000000</date>
<terms><term><name>Release type</name><value>Security update</value></term></terms></release>
<release><version>1.0.0</version><status>published</status><release_link>l</release_link><date>1600000000</date></release></releases></project>"#;

const ADVISORY: &str = r#"{"id":"DRUPAL-CONTRIB-2026-001","published":"2023-11-14T22:13:20Z","affected":[{"package":{"name":"drupal/a"},
"ranges":[{"events":[{"introduced":"0"},{"fixed":"1.0.2"}]}],"database_specific":{"affected_versions":"<1.0.2"}}]}"#;

#[test]
fn a_verdict_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.xml"), DOCUMENT).unwrap();
    std::fs::write(folder.path().join("one.json"), ADVISORY).unwrap();
    std::fs::write(folder.path().join("other.json"), "[]").unwrap();
    let question = |version: &str, datestamp: i64| json!({ "project": "a", "type": "module", "version": version, "datestamp": datestamp, "file": "a.xml", "unknown": 1 });
    let questions = [
        question("1.0.0", 0),
        question("1.0.1", 0),
        question("1.0.x-dev", 1_800_000_000),
    ];
    let without = ask(Some(folder.path()), None, &questions);
    assert_eq!(without[0]["status"], "NOT_CURRENT");
    assert_eq!(
        (&without[0]["exposed"], &without[0]["rule"]),
        (&json!(true), &json!("fix-above"))
    );
    assert_eq!(without[0]["security_updates"], json!(["1.0.1"]));
    assert_eq!(
        (&without[1]["status"], &without[1]["exposed"]),
        (&json!("CURRENT"), &json!(false))
    );

    let joined = ask(Some(folder.path()), Some(folder.path()), &questions);
    assert_eq!(
        (&joined[0]["rule"], &joined[0]["advisories"]),
        (&json!("fix-above"), &json!(["DRUPAL-CONTRIB-2026-001"]))
    );
    assert_eq!(
        (&joined[1]["exposed"], &joined[1]["rule"]),
        (&json!(true), &json!("advisory"))
    );
    assert_eq!(
        (&joined[2]["exposed"], joined[2].get("advisories")),
        (&json!(false), None)
    );
}

#[test]
fn an_advisory_that_cannot_be_read_whole_is_no_all_clear() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.xml"), DOCUMENT).unwrap();
    let advisory: Value = serde_json::from_str(ADVISORY).unwrap();
    let verdict = |change: &dyn Fn(&mut Value)| {
        let mut advisory = advisory.clone();
        change(&mut advisory);
        std::fs::write(folder.path().join("one.json"), advisory.to_string()).unwrap();
        let question =
            json!({ "project": "a", "type": "module", "version": "1.0.1", "file": "a.xml" });
        let answer = ask(Some(folder.path()), Some(folder.path()), &[question]).remove(0);
        (answer["exposed"].clone(), answer["rule"].clone())
    };
    let also = |advisory: &mut Value, package: &str| {
        let entry = json!({ "package": { "name": package }, "versions": ["7.0.0"] });
        advisory["affected"].as_array_mut().unwrap().push(entry);
    };
    let named = (json!(true), json!("advisory"));
    let doubt = (Value::Null, json!("advisory-unclear"));
    let clear = (json!(false), json!("fixed"));
    assert_eq!(verdict(&|_| {}), named);
    assert_eq!(verdict(&|advisory| also(advisory, "left-pad")), named);
    assert_eq!(
        verdict(&|advisory| also(advisory, "drupal/b")),
        named,
        "two projects"
    );
    assert_eq!(
        verdict(&|advisory| advisory["published"] = json!("soon")),
        doubt
    );
    assert_eq!(verdict(&|advisory| advisory["id"] = json!(7)), doubt);
    let nowhere = json!([{ "package": { "name": "drupal/a" }, "versions": ["dev-main"] }]);
    assert_eq!(
        verdict(&|advisory| advisory["affected"] = nowhere.clone()),
        doubt
    );
    let listed = json!([{ "package": { "name": "drupal/a" }, "versions": ["1.0.1"],
        "ranges": [{ "events": [{ "introduced": "0" }, { "fixed": "1.0.1" }] }] }]);
    assert_eq!(
        verdict(&|advisory| advisory["affected"] = listed.clone()),
        named
    );
    assert_eq!(
        verdict(&|advisory| advisory["id"] = json!("DRUPAL-PSA-2026-01-02")),
        clear
    );
}

#[test]
fn any_line_is_survived() {
    let folder = tempfile::tempdir().unwrap();
    let args = AssessArgs {
        history: Some(folder.path().into()),
        advisories: None,
        stats: true,
    };
    let mut input = b"{not json\n\n[]\nnull\n\xff\xfe\n{\"version\":3}\n{\"ask\":\"poem\"}\n{\"file\":\"absent.xml\",\"version\":\"1.0.0\"}\n\
        {\"file\":\"../../etc/passwd\"}\n{\"scenario\":\"strange\"}\n{}\n"
        .to_vec();
    input.extend(std::iter::repeat_n(b'x', 3 << 20));
    input.extend(b"\n{\"scenario\":\"no_data\",\"version\":\"1.0.0\"}");
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    run(args, input.as_slice(), &mut output, &mut errors).unwrap();
    let answers: Vec<Value> = String::from_utf8(output)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), 13);
    for answer in &answers[..12] {
        assert!(
            answer["error"]
                .as_str()
                .is_some_and(|error| !error.is_empty()),
            "{answer}"
        );
    }
    assert_eq!(
        (&answers[12]["status"], &answers[12]["exposed"]),
        (&json!("UNKNOWN"), &Value::Null)
    );
    assert!(answers[12].as_object().unwrap().contains_key("exposed"));
    let stats: Value = serde_json::from_slice(&errors).unwrap();
    assert_eq!(stats["cases"], 13);
}

#[test]
fn a_version_without_a_counterpart_is_unknown_to_the_advisories() {
    let asked = json!({ "ask": "advisories", "package": "drupal/a", "version": "7.x-1.0" });
    let answers = ask(None, None, &[asked]);
    assert_eq!(
        answers[0],
        json!({ "advisories": null, "osv": null, "composer": null })
    );
}
