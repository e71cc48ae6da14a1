//! Reports with believable content.

use super::*;
use crate::http::web::view::reports::Note;
use crate::http::web::view::reports::{
    Chart, Figure, Head, PageCell, PageRow, ReportLink, ReportPage, ReportsPage,
};

const HOUR: i64 = 3_600_000;

fn months() -> Vec<charts::Month> {
    let shares = [
        0.88, 0.9, 0.86, 0.92, 0.93, 0.91, 0.95, 0.94, 0.96, 0.96, 0.94, 1.0,
    ];
    let month = |(i, share): (usize, f64)| charts::Month {
        name: format!("2026-{:02}", i + 1),
        share: Some(share),
        median: Some((41 - 2 * i as i64) * HOUR),
        p90: Some((190 - 8 * i as i64) * HOUR),
    };
    shares.into_iter().enumerate().map(month).collect()
}

fn chart(title: &'static str, svg: Html) -> Chart {
    Chart {
        title,
        about: "closed in time, in percent, by the month in which they were due".into(),
        svg,
        key: Html::default(),
        columns: vec!["Month", "Compliance"],
        rows: vec![
            vec!["2026-01".into(), "88 %".into()],
            vec!["2026-02".into(), "–".into()],
        ],
    }
}

fn page(rows: Vec<PageRow>, charts: Vec<Chart>) -> ReportPage {
    let path = "/reports/sla-compliance";
    let figure = |word, value: &str, late| Figure {
        word,
        value: value.into(),
        late,
    };
    ReportPage {
        shell: shell("SLA compliance", path),
        title: "SLA compliance",
        about: "What was due each month, and what was closed in time.",
        period: "1 Aug 2025 to 24 Jul 2026 (UTC), production".into(),
        days: Some(("2025-08-01".into(), "2026-07-24".into())),
        list: list(
            path,
            rows.len() as u64,
            &[("from", "2025-08-01"), ("risk", "critical")],
        ),
        organizations: vec![Choice::new("3", "Gemeinde Oberwalden", "3")],
        environments: vec![Choice::new("production", "production", "production")],
        risks: vec![Choice::new("critical", "critical", "critical")],
        by_module: true,
        sites: vec![Choice::new("7", "oberwalden.example", "7")],
        many_sites: false,
        site: "oberwalden.example".into(),
        tags: vec!["gold".into()],
        notes: vec![Note {
            text: "7 modules could not be judged:".into(),
            links: vec![("/modules/3".into(), "<token>".into())],
            more: 6,
        }],
        figures: vec![
            figure("Compliance", "93.2 %", false),
            figure("Overdue now", "2", true),
        ],
        charts,
        heads: vec![
            Head {
                word: "Organization".into(),
                number: false,
            },
            Head {
                word: "Met".into(),
                number: true,
            },
        ],
        rows,
        errors: Vec::new(),
    }
}

pub(super) fn pages() -> Pages {
    let days: Vec<charts::Day> = (0..90)
        .map(|i| (format!("day {i}"), [i % 3, i % 7, 20 - i % 20, 4, 2, 1]))
        .collect();
    let cell = |value: &str, href: Option<&str>, number| PageCell {
        value: value.into(),
        words: value.into(),
        href: href.map(str::to_owned),
        deleted: false,
        number,
    };
    let row = PageRow {
        cells: vec![
            cell("Gemeinde <Oberwalden>", Some("/organizations/3"), false),
            cell("57", None, true),
        ],
        besides: vec!["3".into()],
    };
    let drawn = vec![
        chart(
            "Compliance by month",
            charts::compliance(&months(), "The lowest was 86 %."),
        ),
        chart(
            "Time to patch",
            charts::time_to_patch(&months(), "The longest median was 41 h."),
        ),
        chart(
            "Open exposures by risk",
            charts::open_by_risk(&days, "At most 34 were open."),
        ),
    ];
    let index = ReportsPage {
        shell: shell("Reports", "/reports"),
        reports: vec![ReportLink {
            href: "/reports/sla-compliance".into(),
            title: "SLA compliance",
            about: "What was due each month, and what was closed in time.",
        }],
    };
    vec![
        ("reports", index.render()),
        ("report", page(vec![row], drawn).render()),
        ("report-empty", page(Vec::new(), Vec::new()).render()),
    ]
}
