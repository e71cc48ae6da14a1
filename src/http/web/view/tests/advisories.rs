//! The pages of advisories with believable content, and what they say of it.

use super::*;
use crate::domain::advisory::reach::{Blind, Ground, InUse, Named, Reach, Tally};
use crate::http::web::vector;
use crate::http::web::view::advisories::*;
use crate::services::advisories::Following;

pub(super) fn pages() -> Pages {
    vec![
        ("advisories", list_page().render()),
        ("advisory", page().render()),
        ("advisory-nobody", nobody().render()),
    ]
}

fn row() -> AdvisoryRow {
    AdvisoryRow {
        id: "SA-CONTRIB-2026-082".into(),
        title: "Search API Autocomplete, Cross site scripting".into(),
        psa: false,
        withdrawn: false,
        module_id: Some(4),
        module: "Search API Autocomplete".into(),
        risk: Risk { level: 3 },
        score: Some(13),
        cves: vec!["CVE-2026-16640".into()],
        published: ago(40.0),
        sites: 6,
    }
}

fn following(read: f64, stale: bool) -> Following {
    Following {
        filled: true,
        since: None,
        read_at: Some(ago(read)),
        stale,
        incomplete: false,
    }
}

fn list_page() -> AdvisoriesPage {
    AdvisoriesPage {
        shell: shell("Advisories", "/advisories"),
        views: vec![Tab::new("All", None, "/advisories", true)],
        list: list("/advisories", 591, &[("filter[risk]", "critical")]),
        rows: vec![
            row(),
            AdvisoryRow {
                id: "PSA-2026-07-15".into(),
                title: "A release is coming".into(),
                psa: true,
                risk: Risk { level: 0 },
                score: None,
                ..row()
            },
            AdvisoryRow {
                withdrawn: true,
                sites: 0,
                ..row()
            },
        ],
        risks: vec![Choice::new("critical", "Critical", "critical")],
        following: Some(Following {
            filled: false,
            since: Some(ago(9000.0)),
            ..following(0.1, false)
        }),
    }
}

fn in_use(version: &str, named: Named, sites: i64) -> InUse {
    InUse {
        id: 1,
        version: Some(version.into()),
        named,
        sites,
    }
}

fn page() -> AdvisoryPage {
    let site = |group, left: f64, closed: Option<f64>, state| AffectedRow {
        group,
        clock: Clock {
            closed: closed.map(ago),
            ..clock(left, 40.0)
        },
        state,
        site_id: 7,
        site: "oberwalden.example".into(),
        client: "Gemeinde Oberwalden, staging".into(),
        versions: Versions::new(Some("8.x-1.11"), Some("8.x-1.12")),
        no_fix: false,
        unproven_since: None,
        disputed: closed.is_none(),
    };
    AdvisoryPage {
        shell: shell("SA-CONTRIB-2026-082", "/advisories/SA-CONTRIB-2026-082"),
        row: row(),
        vector: vector::explained("AC:None/A:User/CI:Some/II:Some/E:Theoretical/TD:All"),
        updated: ago(39.0),
        known: ago(39.9),
        withdrawn_at: None,
        affected: Some("<1.12.0".into()),
        fixed_in: vec!["8.x-1.12".into()],
        url: Some("https://www.drupal.org/sa-contrib-2026-082".into()),
        reach: Reach {
            tally: Tally {
                open: 6,
                overdue: 1,
                done: 11,
                ..Tally::default()
            },
            versions: vec![
                in_use("8.x-1.11", Named::Disputed, 6),
                in_use("8.x-1.x-dev", Named::Unclear, 1),
                in_use("8.x-1.12", Named::No, 11),
            ],
            blind: vec![Blind {
                site_id: 9,
                site: "lab.suedmark.example".into(),
                organization: "Akademie".into(),
                environment: "development".into(),
                installed: Some("8.x-1.x-dev".into()),
            }],
            silent: 0,
            ground: Some(Ground {
                answered: true,
                stale: false,
                telling: false,
            }),
        },
        following: Some(following(0.1, false)),
        course: charts::course(
            now(),
            &[
                (ago(40.0), Some(ago(-128.0)), Some(ago(20.0))),
                (ago(40.0), Some(ago(-128.0)), None),
            ],
        ),
        list: list("/advisories/SA-CONTRIB-2026-082", 17, &[]),
        rows: vec![
            site(None, -5.0, None, "overdue"),
            site(None, 128.0, None, "open"),
            site(Some("Closed"), 128.0, Some(2.0), "met"),
        ],
        command: Some("composer require -W drupal/search_api_autocomplete:^1.12".into()),
        environments: vec![],
        organizations: vec![],
        states: vec![],
    }
}

fn nobody() -> AdvisoryPage {
    let mut page = page();
    page.reach = Reach {
        versions: vec![in_use("8.x-1.12", Named::No, 11)],
        ground: page.reach.ground,
        ..Reach::default()
    };
    (page.rows, page.command) = (vec![], None);
    page.shell.fresh.reported = page.shell.sites;
    page
}

#[test]
fn the_answer_stands_in_the_title() {
    let says = |page: &AdvisoryPage, what: &str| {
        let text = page.render().unwrap();
        assert!(text.contains(what), "{what} is not in {text}");
    };
    says(&page(), "SA-CONTRIB-2026-082: 6 sites still exposed");
    says(&page(), "11 of 17 sites done");
    says(&page(), "can&#39;t be compared with 8.x-1.x-dev (1 site)");
    says(&nobody(), "SA-CONTRIB-2026-082: no site is affected");
    says(&nobody(), "No site in your fleet runs an affected version");
}

#[test]
fn nobody_is_called_unaffected_on_old_data() {
    let mut silent = nobody();
    silent.shell.fresh.reported -= 1;
    let mut old = nobody();
    old.following = Some(following(30.0, true));
    for page in [silent, old] {
        let text = page.render().unwrap();
        assert!(text.contains("no site is known to be affected"), "{text}");
        assert!(!text.contains("No site in your fleet"), "{text}");
    }
}
