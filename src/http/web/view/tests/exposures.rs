//! The pages of exposures and patch runs with believable content, and what they say of it.

use super::*;
use crate::http::web::view::exposures::*;
use crate::http::web::view::patch_runs::*;

fn row() -> WorkRow {
    WorkRow {
        id: 4,
        clock: Clock {
            now: now(),
            opened: ago(40.0),
            due: Some(ago(-32.0)),
            closed: None,
        },
        module: "Search API Autocomplete".into(),
        site_id: 7,
        site: "oberwalden.example".into(),
        client: "Gemeinde Oberwalden".into(),
        versions: Versions::new(Some("8.x-1.11"), Some("8.x-1.12")),
        hurdle: Some("needs core 10.3.0, site has 10.2.8".into()),
        risk: Risk { level: 3 },
        assignee: "Mara Lindqvist".into(),
        seen: true,
        snoozed: None,
        unproven_since: None,
    }
}

fn work_list() -> ExposuresPage {
    ExposuresPage {
        shell: shell("Exposures", "/exposures?view=working"),
        views: vec![Tab::new("All open", None, "/exposures", true)],
        note: Some("1 snoozed exposure is not shown here.".into()),
        list: list("/exposures", 2, &[("filter[risk]", "critical")]),
        rows: vec![
            row(),
            WorkRow {
                id: 5,
                hurdle: Some("no fix yet".into()),
                assignee: String::new(),
                snoozed: Some(ago(-60.0)),
                ..row()
            },
        ],
        clients: None,
        risks: Vec::new(),
        environments: Vec::new(),
        organizations: Vec::new(),
    }
}

fn by_client() -> ExposuresPage {
    let client = |id, name: &str, open, late| ClientRow {
        id,
        name: name.into(),
        open,
        late,
    };
    ExposuresPage {
        rows: Vec::new(),
        note: None,
        clients: Some(vec![
            client(3, "Gemeinde Oberwalden", 12, 2),
            client(4, "Larkspur Health", 3, 0),
        ]),
        ..work_list()
    }
}

fn exposure() -> ExposurePage {
    ExposurePage {
        site_deleted: false,
        shell: shell(
            "Search API Autocomplete on oberwalden.example",
            "/exposures/4",
        ),
        row: row(),
        life: charts::life(
            &charts::Life {
                now: now(),
                opened: ago(40.0),
                marks: vec![(ago(4.0), "half"), (ago(-14.0), "three quarters")],
                due: Some(ago(-32.0)),
                closed: None,
                gone: false,
                acts: vec![ago(3.0)],
            },
            "Opened Wed 22 Jul 17:42, due Sat 25 Jul 17:42, still open.",
        ),
        marks: vec![(ago(4.0), "half"), (ago(-14.0), "three quarters")],
        module_id: 4,
        state: "open",
        cause: "8.x-1.12 is a security release".into(),
        advisories: Advisories::all(&["SA-CONTRIB-2026-082".into()]),
        published: Some(ago(40.0)),
        known: ago(39.0),
        no_fix: None,
        steps: vec![
            "Raise core from 10.2.8 to 10.3.0".into(),
            "Raise Search API Autocomplete to 8.x-1.12".into(),
        ],
        command: Some("composer require -W drupal/core-recommended:10.3.0".into()),
        snooze_reason: String::new(),
        acknowledged_at: Some(ago(3.0)),
        patch_run: None,
        told: vec![ToldRow {
            at: ago(3.0),
            said: "Acknowledged".into(),
            by: "Mara Lindqvist".into(),
            note: "Planned for Tuesday".into(),
        }],
        may_act: true,
        people: Vec::new(),
        me: Some(1),
        spans: Vec::new(),
        typed: Typed {
            note: String::new(),
            reason: "later".into(),
        },
        errors: vec![("reason".into(), "Say why it is put aside.".into())],
    }
}

fn run(state: &'static str) -> PatchRunRow {
    PatchRunRow {
        id: 3,
        site_id: 7,
        site: "oberwalden.example".into(),
        at: ago(5.0),
        state,
        words: "1 module raised".into(),
        changes: vec![("token".into(), Versions::new(Some("1.0.0"), Some("1.0.1")))],
        security: 1,
        said: vec!["OPS-7".into(), "4f1c0de".into()],
    }
}

fn runs() -> PatchRunsPage {
    PatchRunsPage {
        shell: shell("Patch runs", "/patch-runs"),
        views: vec![Tab::new("All", None, "/patch-runs", true)],
        list: list("/patch-runs", 3, &[]),
        rows: vec![run("claimed"), run("proved"), run("unattributed")],
    }
}

fn patch_run() -> PatchRunPage {
    PatchRunPage {
        site_deleted: false,
        shell: shell("Patch run on oberwalden.example", "/patch-runs/3"),
        row: run("proved"),
        facts: vec![
            ("Announced by", "deploy".into()),
            ("Ticket", "OPS-7".into()),
        ],
        announced_at: Some(ago(5.1)),
        span: Some((ago(5.3), Some(ago(5.2)))),
        closed: vec![ClosedRow {
            id: 4,
            module: "Token".into(),
            state: "met",
            took: "9 h".into(),
        }],
    }
}

pub(super) fn pages() -> Vec<(&'static str, Result<String, askama::Error>)> {
    vec![
        ("exposures", work_list().render()),
        ("exposures-clients", by_client().render()),
        ("exposure", exposure().render()),
        ("patch-runs", runs().render()),
        ("patch-run", patch_run().render()),
    ]
}

#[test]
fn the_work_list_shows_what_is_snoozed_and_says_what_a_view_leaves_out() {
    let page = work_list().render().unwrap();
    for said in [
        "1 snoozed exposure is not shown here.",
        "snoozed until",
        "needs core 10.3.0, site has 10.2.8",
        "no fix yet",
        "nobody",
    ] {
        assert!(page.contains(said), "{said}");
    }
}

#[test]
fn an_exposure_shows_its_steps_in_order_and_a_fault_at_its_field() {
    let page = exposure().render().unwrap();
    let core = page.find("Raise core from 10.2.8").unwrap();
    assert!(core < page.find("Raise Search API").unwrap());
    assert!(page.contains("Say why it is put aside."));
    assert!(page.contains("value=\"later\""));
}
