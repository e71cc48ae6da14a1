//! The audit log with believable content.

use super::*;
use crate::domain::audit::Difference;
use crate::http::web::view::audit::{AuditPage, AuditRow};

fn row(what: &str, subject: &str) -> AuditRow {
    AuditRow {
        number: 4711,
        at: ago(3.0),
        who: "Mara Lindqvist".into(),
        kind: "",
        theirs: Some("/audit?filter%5Bactor_kind%5D=user&filter%5Bactor_id%5D=1".into()),
        what: what.into(),
        undone: None,
        subject: Some(subject.into()),
        everything: Some("/audit?filter%5Bsubject_kind%5D=site&filter%5Bsubject_id%5D=7".into()),
        organization: Some("Gemeinde Oberwalden".into()),
        differences: vec![Difference {
            name: "Sync interval minutes".into(),
            before: Some("60".into()),
            after: Some("15".into()),
        }],
        address: Some("2001:db8:4f2::19".into()),
        request_id: Some("0198a5f0-0000-7000-8000-000000000000".into()),
        seal: "c64f3ec627a829adda2cd5df2c33251244595f2466f2affedce60b5b7985a7b1".into(),
    }
}

fn page(rows: Vec<AuditRow>) -> AuditPage {
    AuditPage {
        shell: shell("Audit log", "/audit"),
        list: list(
            "/audit",
            rows.len() as u64,
            &[("filter[action]", "site.updated"), ("sort", "id")],
        ),
        rows,
        actions: vec![Choice::new(
            "site.updated",
            "Changed a site",
            "site.updated",
        )],
        statuses: vec![Choice::new("done", "done", "")],
        organizations: vec![Choice::new("3", "Gemeinde Oberwalden", "")],
    }
}

pub(super) fn pages() -> Pages {
    let refused = AuditRow {
        who: "Somebody unknown".into(),
        theirs: None,
        undone: Some("refused".into()),
        everything: None,
        organization: None,
        ..row("Tried to sign in", "mara@example.org")
    };
    let made = AuditRow {
        kind: "API key",
        ..row("Changed a site", "oberwalden.example")
    };
    vec![
        ("audit", page(vec![made, refused]).render()),
        ("audit-empty", page(Vec::new()).render()),
    ]
}

#[test]
fn the_filter_box_sends_along_what_it_does_not_hold_itself() {
    let kept = page(Vec::new()).kept();
    assert_eq!(kept, [("sort".to_owned(), "id".to_owned())]);
}
