//! One engine behind every door: what `dewline assess` says of a case is what the API says of a site
//! that runs it, after the document was carried in and the site has sent its inventory.

use std::fmt::Write as _;
use std::path::Path;

use dewline::domain::access::Actor;
use dewline::domain::release_history::{Document, OtherVersion, Release, ReleaseHistory};
use dewline::services::import_catalogue;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::engine::{ask, compact};
use crate::support::TestApp;

const CASES: usize = 200;

/// Cases that a site can send, from all over the table: each becomes a project of its own.
fn cases() -> Vec<Value> {
    let sendable = |case: &Value| {
        let version = case["version"].as_str().unwrap_or_default();
        case.get("scenario").is_none()
            && !version.is_empty()
            && version.len() <= 64
            && !version.contains(char::is_control)
    };
    let all: Vec<Value> = compact::lines(&compact::folder().join("verdicts.jsonl"))
        .into_iter()
        .filter(sendable)
        .collect();
    assert!(all.len() >= CASES, "{}", all.len());
    let every = all.len() / CASES;
    all.into_iter().step_by(every).take(CASES).collect()
}

fn xml(project: &str, history: &ReleaseHistory) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<project>");
    for (name, text) in [
        ("title", &history.title),
        ("short_name", &Some(project.to_owned())),
        ("type", &history.kind),
        ("supported_branches", &history.supported_branches),
        ("project_status", &history.project_status),
        ("link", &history.link),
    ] {
        element(&mut xml, name, text.as_deref());
    }
    xml.push_str("<releases>");
    for release in &history.releases {
        write_release(&mut xml, release);
    }
    xml.push_str("</releases></project>");
    xml
}

fn write_release(xml: &mut String, release: &Release) {
    xml.push_str("<release>");
    if release.other_version != Some(OtherVersion::Absent) {
        element(xml, "version", Some(&release.key));
    }
    if let Some(OtherVersion::Says(text)) = &release.other_version {
        element(xml, "version", Some(text));
    }
    for (name, text) in [
        ("status", &release.status),
        ("date", &release.date),
        ("core_compatibility", &release.core_compatibility),
        ("release_link", &release.release_link),
        ("download_link", &release.download_link),
    ] {
        element(xml, name, text.as_deref());
    }
    if !release.terms.is_empty() {
        xml.push_str("<terms>");
        for (name, values) in &release.terms {
            for value in values {
                xml.push_str("<term>");
                element(xml, "name", Some(name));
                element(xml, "value", Some(value));
                xml.push_str("</term>");
            }
        }
        xml.push_str("</terms>");
    }
    xml.push_str("</release>");
}

fn element(xml: &mut String, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        let text = text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        write!(xml, "<{name}>{text}</{name}>").unwrap();
    }
}

/// Writes the document of each case under a name of its own.
fn write_documents(folder: &Path, cases: &[Value]) {
    let documents = compact::documents();
    for (n, case) in cases.iter().enumerate() {
        let text = match &documents[case["history"].as_str().unwrap()] {
            Document::Stored(history) => xml(&format!("case_{n}"), history),
            Document::Unparsable => "<html>".to_owned(),
            Document::NotFetched => String::new(),
        };
        std::fs::write(folder.join(format!("case_{n}.xml")), text).unwrap();
    }
}

/// What the API calls core's word.
fn in_our_words(core: &Value) -> String {
    match core.as_str().unwrap() {
        "UNKNOWN" | "NOT_FETCHED" => "unknown".to_owned(),
        word => word.to_lowercase(),
    }
}

/// All modules of a site by their names.
async fn modules_of(house: &TestApp, site: i64) -> Vec<Value> {
    let mut all = Vec::new();
    for page in 1..=3 {
        let path = format!("/sites/{site}/modules?per_page=100&page={page}");
        let answer = house.admin().get(&path).await.ok();
        all.extend(answer["data"].as_array().unwrap().clone());
    }
    all
}

#[tokio::test]
async fn two_hundred_cases_are_told_alike_by_assess_and_by_the_api() {
    let cases = cases();
    let folder = TempDir::new().unwrap();
    let histories = folder.path().join("release-history");
    std::fs::create_dir(&histories).unwrap();
    write_documents(&histories, &cases);

    let questions: Vec<Value> = cases
        .iter()
        .enumerate()
        .map(|(n, case)| {
            json!({"project": format!("case_{n}"), "type": "module", "version": case["version"],
                   "datestamp": case["datestamp"], "file": format!("case_{n}.xml")})
        })
        .collect();
    let assessed = ask(Some(&histories), None, &questions);

    let house = TestApp::with(|config| config.drupal_org.enabled = false).await;
    let mut handfuls = Vec::new();
    import_catalogue::read(folder.path(), &mut |handful| {
        handfuls.push(handful);
        Ok(())
    })
    .unwrap();
    for handful in handfuls {
        import_catalogue::take(&house.app, &Actor::System, handful)
            .await
            .unwrap();
    }
    let harbour = house.organization("Harbour").await;
    let site = house.site_of(harbour, "Town hall").await;
    let modules: Vec<Value> = questions
        .iter()
        .map(|case| json!({"name": case["project"], "version": case["version"], "datestamp": case["datestamp"]}))
        .collect();
    site.sends(&json!({"schema": 1, "modules": modules}))
        .await
        .ok();

    let told = modules_of(&house, site.id).await;
    assert_eq!(told.len(), CASES);
    let mut wrong = Vec::new();
    for (n, (case, said)) in cases.iter().zip(&assessed).enumerate() {
        let project = format!("case_{n}");
        let told = told
            .iter()
            .find(|one| one["name"] == project.as_str())
            .unwrap();
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let also: Vec<Value> = list(&said["also"])
            .iter()
            .map(|pair| pair[1].clone())
            .collect();
        let ours = json!({
            "status": told["status"], "recommended": told["recommended"], "latest": told["latest"],
            "also": told["also"], "security_updates": told["security_updates"], "exposed": told["exposed"],
        });
        let expected = json!({
            "status": in_our_words(&said["status"]), "recommended": said["recommended"],
            "latest": said["latest_version"], "also": also,
            "security_updates": list(&said["security_updates"]), "exposed": said["exposed"],
        });
        let table = (in_our_words(&case["expect"]["status"]), &case["exposed"]);
        if ours != expected || (in_our_words(&said["status"]), &said["exposed"]) != table {
            wrong.push(format!("{case}\n  assess {expected}\n  api    {ours}"));
        }
    }
    // The cases are worth asking: many words, and all three answers.
    let kinds = |key: &str| {
        let mut all: Vec<String> = told.iter().map(|one| one[key].to_string()).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    assert!(kinds("status").len() >= 6, "{:?}", kinds("status"));
    assert_eq!(kinds("exposed"), ["false", "null", "true"]);
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
