//! Every page with believable content: rendered in a test, and written to `target/pages` to be looked at.

use askama::Template;

use super::super::parts::{Clock, Risk, Status, Versions};
use super::super::shell::samples::{ago, gate, now, shell};
use super::super::{charts, words};
use super::{entrance::*, fault::*, overview::*};

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
        versions: Versions::new(Some(from), Some(to)),
        cause: format!("Security release {to}"),
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
            ("Closed in time", "97.4 %", "93.6 %"),
            ("Median to patch", "19 h", "27 h"),
        ]
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

fn pages() -> Vec<(&'static str, String)> {
    let mut healthy = overview();
    healthy.counts = Counts {
        fine: 100,
        update: 42,
        ..Counts::default()
    };
    (healthy.exposed, healthy.silent, healthy.open) = (vec![], vec![], 0);
    let mut empty = overview();
    empty.counts = Counts::default();
    let mut pages = vec![
        ("overview", overview().render()),
        ("overview-healthy", healthy.render()),
        ("overview-empty", empty.render()),
        (
            "signin",
            SignInPage {
                shell: gate("Sign in"),
                email: "mara@halvorsen.example".into(),
                error: Some("This e-mail and password do not go together.".into()),
                next: "/".into(),
                note: None,
            }
            .render(),
        ),
        (
            "setup",
            SetupPage {
                shell: gate("Set up"),
                token: "t".into(),
                bad_token: false,
                name: "".into(),
                email: "mara@".into(),
                name_error: None,
                email_error: Some("An address has something after the @.".into()),
                password_error: None,
            }
            .render(),
        ),
    ];
    for (name, status) in [
        ("fault-403", 403),
        ("fault-404", 404),
        ("fault-429", 429),
        ("fault-500", 500),
        ("fault-503", 503),
    ] {
        pages.push((
            name,
            FaultPage::new(
                gate(""),
                status,
                None,
                "0198a5f0-0000-7000-8000-000000000000",
            )
            .render(),
        ));
    }
    pages
        .into_iter()
        .map(|(name, html)| (name, html.unwrap()))
        .collect()
}

#[test]
fn every_page_renders_with_believable_content_and_nothing_inline() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pages");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, html) in pages() {
        assert!(!html.contains(" style="), "{name} has inline style");
        assert!(
            !html.contains("<style") && !html.contains(" onclick") && !html.contains("<script>"),
            "{name} has inline script or style"
        );
        std::fs::write(folder.join(format!("{name}.html")), html).unwrap();
    }
}
