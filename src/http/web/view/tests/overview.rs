//! The overview with believable content: busy, healthy and empty.

use super::*;
use crate::http::web::view::overview::*;

#[allow(clippy::too_many_arguments)]
fn exposed(
    left: f64,
    opened: f64,
    site: &str,
    client: &str,
    module: &str,
    from: &str,
    to: &str,
    risk: u8,
) -> Exposed {
    let due = Some(ago(-left));
    Exposed {
        clock: Clock {
            now: now(),
            opened: ago(opened),
            due,
            closed: None,
        },
        window: charts::window_cell(now(), ago(opened), due),
        site_id: 7,
        site: site.into(),
        client: client.into(),
        silent: false,
        module: module.into(),
        more: u64::from(risk) - u64::from(risk > 0),
        versions: Versions::new(Some(from), Some(to)),
        cause: format!("Security release {to}"),
        advisories: Advisories::first(&["SA-CONTRIB-2026-082".into()][usize::from(risk == 0)..], 1),
        no_fix: None,
        unproven_since: None,
        risk: Risk { level: risk },
    }
}

fn overview() -> OverviewPage {
    let groups: Vec<_> = (0..14u64)
        .map(|g| charts::FleetGroup {
            runs: (0..10)
                .map(|i| {
                    let status = match (g * 31 + i * 17) % 41 {
                        3 => Status::Overdue,
                        5 | 7 => Status::Exposed,
                        11 => Status::Unsupported,
                        13 => Status::Silent,
                        17 => Status::Unknown,
                        n if n % 2 == 0 => Status::Update,
                        _ => Status::Fine,
                    };
                    (status, 1)
                })
                .collect(),
        })
        .collect();
    OverviewPage {
        shell: shell("Overview", "/"),
        counts: Counts {
            exposed: 9,
            overdue: 2,
            unsupported: 4,
            silent: 3,
            unknown: 1,
            update: 58,
            fine: 67,
        },
        clients: 14,
        line: charts::fleet_line(
            &groups,
            "9 exposed, 2 of them overdue, 3 silent, 1 unknown, 129 others",
        ),
        exposed: vec![
            exposed(
                -99.0,
                267.0,
                "intranet.larkspur.example",
                "Larkspur Health",
                "ECA",
                "2.1.19",
                "2.1.20",
                3,
            ),
            exposed(
                -37.8,
                206.0,
                "oberwalden.example",
                "Gemeinde Oberwalden",
                "Drupal core",
                "10.6.12",
                "10.6.13",
                3,
            ),
            exposed(
                32.3,
                40.0,
                "nordlicht-energie.example",
                "Nordlicht Energie",
                "Webform REST",
                "4.0.4",
                "4.1.0",
                4,
            ),
            exposed(
                32.3,
                40.0,
                "elmshagen.example",
                "Stadtwerke Elmshagen",
                "Webform REST",
                "4.0.3",
                "4.1.0",
                4,
            ),
            exposed(
                128.0,
                40.0,
                "oberwalden.example",
                "Gemeinde Oberwalden",
                "Search API Autocomplete",
                "8.x-1.11",
                "8.x-1.12",
                3,
            ),
            exposed(
                128.0,
                40.0,
                "kunsthalle-varrel.example",
                "Kunsthalle Varrel",
                "Search API Autocomplete",
                "8.x-1.11",
                "8.x-1.12",
                0,
            ),
            exposed(
                296.0,
                40.0,
                "fjordline.example",
                "Fjordline Outdoor",
                "PhotoSwipe",
                "3.1.2",
                "3.2.0",
                2,
            ),
        ],
        open: 11,
        risks: vec![
            (Risk { level: 4 }, 2),
            (Risk { level: 3 }, 8),
            (Risk { level: 0 }, 1),
        ],
        hits: vec![
            Hit {
                id: "SA-CONTRIB-2026-087".into(),
                title: "Webform REST, Access bypass".into(),
                published: ago(40.0),
                risk: Risk { level: 4 },
                open: 2,
                done: 9,
                at_least: false,
            },
            Hit {
                id: "SA-CORE-2026-012".into(),
                title: "Drupal core, Cross site scripting".into(),
                published: ago(200.0),
                risk: Risk { level: 0 },
                open: 0,
                done: 1000,
                at_least: true,
            },
        ],
        hours: vec![
            5, 6, 5, 6, 6, 5, 7, 6, 6, 7, 5, 8, 7, 6, 6, 6, 6, 5, 7, 6, 6, 5, 7, 2,
        ],
        silent: vec![
            SilentSite {
                id: 3,
                name: "bergmann-soehne.example".into(),
                last: Some(ago(77.0)),
            },
            SilentSite {
                id: 4,
                name: "shop.fjordline.example".into(),
                last: Some(ago(33.8)),
            },
            SilentSite {
                id: 5,
                name: "stage.varrel.example".into(),
                last: None,
            },
        ],
        this_month: words::month(now()),
        last_month: "June".into(),
        days: 24,
        months: [
            ("Opened", "86", "112"),
            ("Closed", "78", "109"),
            ("Median to patch", "19 h", "27 h"),
        ]
        .map(|(word, now, before)| MonthLine {
            word: word.into(),
            now: now.into(),
            before: before.into(),
        })
        .into(),
        due: [("Met", "76", "102"), ("Compliance", "97.4 %", "93.6 %")]
            .map(|(word, now, before)| MonthLine {
                word: word.into(),
                now: now.into(),
                before: before.into(),
            })
            .into(),
        trend: vec![
            4, 3, 3, 3, 2, 2, 2, 14, 11, 9, 7, 6, 5, 4, 16, 12, 9, 8, 7, 6, 6, 8, 7, 6, 4, 3, 3, 2,
            16, 11,
        ],
        wednesdays: vec![0, 7, 14, 21, 28],
    }
}

pub(super) fn pages() -> Pages {
    let mut healthy = overview();
    healthy.counts = Counts {
        fine: 100,
        update: 42,
        ..Counts::default()
    };
    (healthy.exposed, healthy.silent, healthy.open) = (vec![], vec![], 0);
    let mut empty = overview();
    empty.counts = Counts::default();
    vec![
        ("overview", overview().render()),
        ("overview-healthy", healthy.render()),
        ("overview-empty", empty.render()),
    ]
}
