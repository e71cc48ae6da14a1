//! A site's tabs with believable content.

use super::forms::site_form;
use super::*;
use crate::http::web::view::{forms::*, site::*};

pub(super) fn head(tab: &str) -> SiteHead {
    let at = |word: &str, count, path: &str| {
        Tab::new(word, count, format!("/sites/7{path}"), tab == path)
    };
    SiteHead {
        id: 7,
        name: "oberwalden.example".into(),
        url: "https://oberwalden.example".into(),
        status: Status::Overdue,
        reason: None,
        silent_since: None,
        organization_id: 3,
        organization: "Gemeinde Oberwalden".into(),
        environment: "production".into(),
        tags: vec!["gold".into()],
        core: Some("10.6.12".into()),
        php: Some("8.3.14".into()),
        last: Some(ago(0.5)),
        data_as_of: Some(ago(0.6)),
        stranger: None,
        tabs: vec![
            at("Modules", Some(47), ""),
            at("Exposures", Some(9), "/exposures"),
            at("Patch runs", Some(38), "/patch-runs"),
            at("Events", Some(412), "/events"),
            at("Syncs", None, "/syncs"),
            at("Keys", Some(1), "/keys"),
            at("Settings", None, "/settings"),
        ],
        may_write: true,
        may_connect: true,
        may_delete: true,
    }
}

fn runs() -> Vec<RunRow> {
    vec![
        RunRow {
            id: 3,
            state: "proved",
            at: ago(400.0),
            updated: 3,
            downgraded: 0,
            security: 1,
            changes: vec![
                (
                    "Colorbox".into(),
                    Versions::new(Some("2.1.4"), Some("2.1.5")),
                ),
                (
                    "Token".into(),
                    Versions::new(Some("8.x-1.13"), Some("8.x-1.15")),
                ),
            ],
            closed: vec!["Colorbox".into()],
            advisories: Advisories::all(&["SA-CONTRIB-2026-041".into()]),
        },
        RunRow {
            id: 2,
            state: "unattributed",
            at: ago(1700.0),
            updated: 0,
            downgraded: 1,
            security: 0,
            changes: vec![],
            closed: vec![],
            advisories: Advisories::default(),
        },
    ]
}

fn site_modules() -> SiteModulesPage {
    let lane = |name: &str, windows: &[(f64, f64, Option<f64>)]| charts::Lane {
        name: name.into(),
        windows: windows
            .iter()
            .map(|(opened, due, closed)| charts::Window {
                opened: ago(*opened),
                due: Some(ago(*due)),
                closed: closed.map(ago),
            })
            .collect(),
    };
    let row = |title: &str, from: &str, to: Option<&str>, status, reason: &str| ModuleRow {
        module_id: 1,
        title: title.into(),
        name: title.to_lowercase(),
        versions: Versions::new(Some(from), to),
        status,
        advisories: Advisories::first(
            &["SA-CORE-2026-012".into(), "SA-CORE-2026-011".into()]
                [2 * usize::from(status > Status::Exposed)..],
            1,
        ),
        reason: reason.into(),
        components: u64::from(title == "Webform") * 3,
    };
    SiteModulesPage {
        shell: shell("oberwalden.example", "/sites/7"),
        head: head(""),
        timeline: Some(charts::Timeline {
            now: now(),
            from: ago(24.0 * 172.0),
            lanes: vec![
                lane(
                    "Drupal core",
                    &[
                        (2424.0, 2256.0, Some(2380.0)),
                        (1576.0, 1408.0, Some(1560.0)),
                        (206.0, 37.8, None),
                    ],
                ),
                lane("Search API Autocomplete", &[(40.0, -128.0, None)]),
                lane("Paragraphs", &[(700.0, 530.0, Some(570.0))]),
                lane("CAPTCHA", &[(3500.0, 3332.0, Some(3240.0))]),
            ],
            more: 2,
            patch_runs: vec![
                ago(3800.0),
                ago(3240.0),
                ago(2380.0),
                ago(1560.0),
                ago(570.0),
            ],
        }),
        summary: "2 exposed, 1 unsupported, 1 unknown, 4 updates".into(),
        list: list("/sites/7", 47, &[]),
        rows: vec![
            row(
                "Drupal core",
                "10.6.12",
                Some("10.6.13"),
                Status::Overdue,
                "Security release 10.6.13; due 22 Jul 19:52",
            ),
            row(
                "Search API Autocomplete",
                "8.x-1.11",
                Some("8.x-1.12"),
                Status::Exposed,
                "Security release 8.x-1.12; due 29 Jul 17:55",
            ),
            row(
                "CKEditor 4",
                "1.0.2",
                None,
                Status::Unsupported,
                "No supported branch",
            ),
            row(
                "Devel",
                "5.x-dev",
                None,
                Status::NotChecked,
                "A development snapshot without a date",
            ),
            row(
                "Metatag",
                "2.1.0",
                Some("2.1.1"),
                Status::Update,
                "Released 12 May",
            ),
            row("Webform", "6.2.9", None, Status::Fine, ""),
            row(
                "oberwalden_forms",
                "1.4",
                None,
                Status::Custom,
                "Custom code, not on drupal.org",
            ),
            row(
                "Stage File Proxy",
                "3.1.4",
                None,
                Status::Disabled,
                "On disk, not enabled: not counted",
            ),
        ],
        command: composer_command(&[
            (None, "drupal".into(), "10.6.13".into()),
            (None, "search_api_autocomplete".into(), "8.x-1.12".into()),
        ]),
        runs: runs(),
    }
}

pub(super) fn refusals(any: bool) -> Vec<RefusedRow> {
    let row = RefusedRow {
        at: ago(0.05),
        status: 422,
        code: "invalid".into(),
        detail: "/modules/3/name: a project's short name has a-z, 0-9 and _ only.".into(),
        address: "192.0.2.7".into(),
    };
    if any { vec![row] } else { vec![] }
}

pub(super) fn pages() -> Pages {
    let mut fresh = site_modules();
    (fresh.head.last, fresh.head.status) = (None, Status::Pending);
    let mut strange = site_modules();
    strange.head.stranger = Some(Stranger {
        at: ago(1.0),
        url: Some("https://copy.example".into()),
        known_url: Some("https://oberwalden.example".into()),
    });
    strange.head.silent_since = Some(ago(20.0));
    let exposure = |state: &str, left: f64, opened: f64, closed: Option<f64>| ExposureRow {
        id: 1,
        module: "Drupal core".into(),
        versions: Versions::new(Some("10.6.12"), Some("10.6.13")),
        state: state.into(),
        clock: Clock {
            closed: closed.map(ago),
            ..clock(left, opened)
        },
        cause: "Security release 10.6.13".into(),
        advisories: Advisories::all(&["SA-CORE-2026-012".into()]),
        risk: Risk { level: 3 },
        unproven_since: (state == "open").then(|| ago(3.0)),
        no_fix: (state == "open").then(|| words::without_fix(true)),
    };
    vec![
        ("site", site_modules().render()),
        ("site-new", fresh.render()),
        ("site-stranger", strange.render()),
        (
            "site-exposures",
            SiteExposuresPage {
                shell: shell("Exposures", "/sites/7/exposures"),
                head: head("/exposures"),
                list: list("/sites/7/exposures", 4, &[]),
                timeline: site_modules().timeline,
                rows: vec![
                    exposure("overdue", -37.8, 206.0, None),
                    exposure("open", 128.0, 40.0, None),
                    exposure("met", -900.0, 1100.0, Some(1081.0)),
                    exposure("breached", -900.0, 1100.0, Some(700.0)),
                ],
            }
            .render(),
        ),
        (
            "site-runs",
            SiteRunsPage {
                shell: shell("Patch runs", "/sites/7/patch-runs"),
                head: head("/patch-runs"),
                list: list("/sites/7/patch-runs", 2, &[]),
                rows: runs(),
            }
            .render(),
        ),
        (
            "site-events",
            SiteEventsPage {
                shell: shell("Events", "/sites/7/events"),
                head: head("/events"),
                list: list("/sites/7/events", 412, &[]),
                rows: [
                    "installed",
                    "updated",
                    "downgraded",
                    "removed",
                    "enabled",
                    "disabled",
                ]
                .map(|kind| EventRow {
                    at: ago(400.0),
                    kind: kind.into(),
                    module_id: 1,
                    module: "Token".into(),
                    versions: Versions::new(Some("8.x-1.13"), Some("8.x-1.15")),
                })
                .into(),
            }
            .render(),
        ),
        (
            "site-syncs",
            SiteSyncsPage {
                shell: shell("Syncs", "/sites/7/syncs"),
                head: head("/syncs"),
                interval: 60,
                next_before: Some(ago(-1.6)),
                refused: refusals(true),
                list: list("/sites/7/syncs", 1, &[]),
                rows: vec![SyncRow {
                    at: ago(400.0),
                    agent: "dewline-drupal 1.0.0".into(),
                    source: "inventory".into(),
                    total: 47,
                    added: 0,
                    changed: 3,
                    removed: 1,
                }],
            }
            .render(),
        ),
        (
            "site-settings",
            SiteSettingsPage {
                shell: shell("Settings", "/sites/7/settings"),
                head: head("/settings"),
                form: site_form(&[]),
            }
            .render(),
        ),
    ]
}
