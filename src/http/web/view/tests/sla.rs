//! What an organization promises, with believable content.

use super::*;
use crate::http::web::view::sla::{CalendarCell, HoursCell, RiskRow, SlaPage, VersionRow};

const ENVIRONMENTS: [&str; 3] = ["production", "staging", "development"];

fn page(may: bool, faults: Vec<(String, String)>) -> SlaPage {
    let calendar = |environment, word, value: &str| CalendarCell {
        environment,
        choices: vec![
            Choice::new("calendar", "Every hour", value),
            Choice::new("business", "Business hours", value),
            Choice::new("none", "Nothing promised", value),
        ],
        word,
    };
    let risk = |risk: &str, hours: u32| RiskRow {
        risk: risk.into(),
        cells: ENVIRONMENTS
            .map(|environment| HoursCell {
                name: format!("{environment}_{}", risk.to_lowercase().replace(' ', "_")),
                label: format!("Hours in {environment}, {}", risk.to_lowercase()),
                value: hours.to_string(),
            })
            .to_vec(),
    };
    let version = |from, own, production: &str| VersionRow {
        from,
        own,
        terms: vec![
            production.into(),
            "Every hour: 24, 72, 168, 336, 720".into(),
            "Nothing promised".into(),
        ],
        office: "Europe/Vienna, 13 holidays".into(),
    };
    SlaPage {
        shell: shell("What Gemeinde Oberwalden promises", "/organizations/3/sla"),
        id: 3,
        organization: "Gemeinde Oberwalden".into(),
        calendars: vec![
            calendar("production", "Business hours", "business"),
            calendar("staging", "Every hour", "calendar"),
            calendar("development", "Nothing promised", "none"),
        ],
        risks: vec![
            risk("Highly critical", 8),
            risk("Critical", 24),
            risk("Moderately critical", 80),
            risk("Less critical", 160),
            risk("Not critical", 720),
        ],
        time_zone: "Europe/Vienna".into(),
        zones: vec!["Europe/Vienna".into(), "UTC".into()],
        holidays: "2026-12-25\n2026-12-26".into(),
        may,
        faults,
        versions: vec![
            version(
                Some(ago(2000.0)),
                true,
                "Business hours: 8, 24, 80, 160, 720",
            ),
            version(None, false, "Every hour: 24, 72, 168, 336, 720"),
        ],
    }
}

pub fn pages() -> Pages {
    let wrong = vec![(
        "staging_critical".to_owned(),
        "Staging, critical: takes a whole number of hours from 1 to 8760.".to_owned(),
    )];
    vec![
        ("sla", page(true, Vec::new()).render()),
        ("sla-read", page(false, Vec::new()).render()),
        ("sla-wrong", page(true, wrong).render()),
    ]
}
