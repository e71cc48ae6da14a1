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
    let branches: String = (0..20_000).map(|at| format!("{at}.7.,")).collect();
    let release = |version: &str| {
        format!(
            "<release><version>{version}</version><status>published</status><release_link>l</release_link></release>"
        )
    };
    let releases: String = (0..20_000)
        .map(|at| release(&format!("{at}.0.0")) + &release("1.0.0"))
        .collect();
    let text = wrapped(&format!(
        "<supported_branches>{branches}x</supported_branches><releases>{releases}</releases>"
    ));
    let Document::Stored(history) = parse(text.as_bytes()) else {
        panic!("it can be read")
    };
    assert_eq!(history.releases.len(), 20_000);
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
    assert_eq!(found.also.len(), 19_999);
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

#[test]
fn documents_are_forgiven_what_core_forgives() {
    let title = |bytes: &[u8]| match parse(bytes) {
        Document::Stored(history) => history.title,
        _ => None,
    };
    let text = wrapped("<title>t</title><dc:creator>x</dc:creator>");
    assert_eq!(
        title(text.as_bytes()).as_deref(),
        Some("t"),
        "a prefix that nobody declared"
    );
    let told = format!("<?xml version='1.0'?><!-- a <b> --><!DOCTYPE project>{text}");
    assert_eq!(title(told.as_bytes()).as_deref(), Some("t"));
    let spaced = "<project xmlns=\"urn:x\"><short_name>a</short_name><title>a<b>no</b><!-- no --> b<![CDATA[ c]]></title></project>";
    assert_eq!(title(spaced.as_bytes()).as_deref(), Some("a b c"));
    let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><project><short_name/><title>caf\xe9</title></project>";
    assert_eq!(title(latin).as_deref(), Some("caf\u{e9}"));
    let wide: Vec<u8> = "\u{feff}<project><short_name/><title>w</title></project>"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(title(&wide).as_deref(), Some("w"));
    assert_eq!(
        title(format!("\u{feff}<?xml version='1.0'?>{text}").as_bytes()).as_deref(),
        Some("t")
    );
    assert_eq!(
        title(format!("\n<?xml version='1.0'?>{text}").as_bytes()),
        None,
        "a line before the declaration"
    );
    assert_eq!(title(format!("{text}<more/>").as_bytes()), None);
    assert_eq!(title(wrapped("<title>&nbsp;</title>").as_bytes()), None);
}
