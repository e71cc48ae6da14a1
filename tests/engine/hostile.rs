//! Documents made to hurt: they are refused, or read with work that grows with their length only.
//! Nothing is timed: what these sizes would cost if the work grew faster could not go unnoticed.

use dewline::domain::prepared::Prepared;
use dewline::domain::release_history::{Document, is_no_such_project, parse};
use dewline::domain::status::{History, Installed, assess};

fn wrapped(inside: &str) -> String {
    format!("<project><short_name>a</short_name>{inside}</project>")
}

fn unparsable(text: &str) -> bool {
    parse(text.as_bytes()) == Document::Unparsable
}

#[test]
fn entities_of_its_own_make_a_document_unreadable() {
    let bomb = r#"<!DOCTYPE project [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>"#;
    assert!(unparsable(&format!(
        "{bomb}{}",
        wrapped("<title>&b;</title>")
    )));
    assert!(
        unparsable(&format!("{bomb}{}", wrapped(""))),
        "even where none is used"
    );
    let bare = parse(format!("<!DOCTYPE project>{}", wrapped("<title>t</title>")).as_bytes());
    assert!(matches!(bare, Document::Stored(history) if history.title.as_deref() == Some("t")));
}

#[test]
fn endless_depth_and_endless_attributes_are_refused() {
    let deep = |depth: usize| wrapped(&format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth)));
    assert!(!unparsable(&deep(200)));
    assert!(unparsable(&deep(300)));
    assert!(unparsable(&deep(1_000_000)));
    assert!(unparsable(&"<a>".repeat(1_000_000)));
    let attributes: String = (0..200_000).map(|at| format!(" a{at}=\"\"")).collect();
    assert!(unparsable(&wrapped(&format!("<a{attributes}/>"))));
    let namespaces: String = (0..200_000)
        .map(|at| format!("<a xmlns:n{at}=\"u{at}\"/>"))
        .collect();
    assert!(unparsable(&wrapped(&namespaces)));
    assert!(unparsable(&"<!x".repeat(500_000)));
    assert!(unparsable(&"<!--".repeat(500_000)));
    assert!(!unparsable(&wrapped(&format!(
        "<a b=\"{}\"/>",
        "x".repeat(2_000_000)
    ))));
}

#[test]
fn endless_branches_majors_and_repetitions_are_read() {
    let branches: String = (0..100_000).map(|at| format!("{at}.7.,")).collect();
    let release = |version: &str| {
        format!(
            "<release><version>{version}</version><status>published</status><release_link>l</release_link></release>"
        )
    };
    let releases: String = (0..100_000)
        .map(|at| release(&format!("{at}.0.0")) + &release("1.0.0"))
        .collect();
    let text = wrapped(&format!(
        "<supported_branches>{branches}x</supported_branches><releases>{releases}</releases>"
    ));
    let Document::Stored(history) = parse(text.as_bytes()) else {
        panic!("it can be read")
    };
    assert_eq!(history.releases.len(), 100_000);
    let prepared = Prepared::new(&history);
    for version in ["0.7.1", "0.0.0", "5.5.5", "1.x-dev"] {
        let _ = assess(
            &History::Stored(&prepared),
            &Installed {
                version: Some(version),
                datestamp: 1,
            },
        );
    }
    let open = Prepared::new(&dewline::domain::release_history::ReleaseHistory {
        supported_branches: Some(String::new()),
        ..history
    });
    let found = assess(
        &History::Stored(&open),
        &Installed {
            version: Some("0.5.0"),
            datestamp: 0,
        },
    );
    assert_eq!(found.also.len(), 99_999);
}

#[test]
fn the_document_that_says_no_such_project_is_told_apart() {
    let error = b"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<error>No release history was found for the requested project (x).</error>";
    assert!(is_no_such_project(error));
    assert_eq!(parse(error), Document::Unparsable);
    for other in [
        "",
        "0",
        "<html><error/></html>",
        "<error>",
        "<project><short_name>a</short_name></project>",
    ] {
        assert!(!is_no_such_project(other.as_bytes()), "{other}");
    }
}
