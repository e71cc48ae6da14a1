//! Every page with believable content: rendered in a test, and written to `target/pages` to be looked at.

mod account;
mod advisories;
mod audit;
mod exposures;
mod keys;
mod people;
mod reports;
mod sla;
mod two_factor;

use askama::Template;

use super::super::listing::{FilterChip, Listing, Tab};
use super::super::parts::{Advisories, Clock, Html, Risk, Status, Versions};
use super::super::shell::samples::{ago, gate, now, shell};
use super::super::{charts, words};
use super::limits::{LimitRow, LimitsPage};
use super::{
    catalogue::*, deleted::*, entrance::*, fault::*, fleet::*, forms::*, keys::*, module::*,
    overview::*, site::*,
};

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

fn list(path: &str, total: u64, query: &[(&str, &str)]) -> Listing {
    Listing {
        path: path.into(),
        query: query
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect(),
        total,
        at_least: false,
        page: 2,
        pages: total.div_ceil(25).max(1),
        sort: "status".into(),
        chips: query
            .iter()
            .filter(|(k, _)| k.starts_with("filter"))
            .map(|(k, v)| FilterChip {
                key: "Environment".into(),
                value: v.to_string(),
                parameter: k.to_string(),
            })
            .collect(),
    }
}

fn clock(left: f64, opened: f64) -> Clock {
    Clock {
        now: now(),
        opened: ago(opened),
        due: Some(ago(-left)),
        closed: None,
    }
}

fn sites() -> SitesPage {
    let row = |status,
               name: &str,
               why,
               client: &str,
               tag: &str,
               core: &str,
               exposed,
               updates,
               last: f64| SiteRow {
        id: 7,
        name: name.into(),
        status,
        silent: status == Status::Silent,
        why,
        client: client.into(),
        environment: if name.starts_with("stage") {
            "staging"
        } else {
            "production"
        }
        .into(),
        tags: vec![tag.into()],
        core: Some(core.into()),
        exposed,
        updates,
        last: Some(ago(last)),
    };
    let mut rows = vec![
        row(
            Status::Overdue,
            "intranet.larkspur.example",
            Why::Clock(clock(-99.0, 267.0)),
            "Larkspur Health",
            "gold",
            "11.3.14",
            1,
            11,
            0.7,
        ),
        row(
            Status::Overdue,
            "oberwalden.example",
            Why::Clock(clock(-37.8, 206.0)),
            "Gemeinde Oberwalden",
            "gold",
            "10.6.12",
            2,
            6,
            0.5,
        ),
        row(
            Status::Exposed,
            "elmshagen.example",
            Why::Clock(clock(32.3, 40.0)),
            "Stadtwerke Elmshagen",
            "silver",
            "10.6.13",
            1,
            9,
            0.9,
        ),
        row(
            Status::Exposed,
            "stage.quillbrook.example",
            Why::Clock(clock(128.0, 40.0)),
            "Quillbrook Libraries",
            "silver",
            "11.3.14",
            1,
            5,
            0.6,
        ),
        row(
            Status::Unsupported,
            "archive.kestrel.example",
            Why::Words("A module has no supported release".into()),
            "Kestrel Verlag",
            "bronze",
            "10.6.13",
            0,
            8,
            1.0,
        ),
        row(
            Status::Silent,
            "shop.fjordline.example",
            Why::Words("Expected 32 h 47 min ago".into()),
            "Fjordline Outdoor",
            "gold",
            "11.3.14",
            0,
            7,
            33.8,
        ),
        row(
            Status::Unknown,
            "lab.suedmark.example",
            Why::Words("Core was not reported".into()),
            "Akademie Südmark",
            "bronze",
            "",
            0,
            0,
            0.3,
        ),
        row(
            Status::Pending,
            "neu.suedmark.example",
            Why::Words("Nothing has arrived yet".into()),
            "Akademie Südmark",
            "bronze",
            "",
            0,
            0,
            0.3,
        ),
    ];
    rows[7].last = None;
    rows[7].core = None;
    rows.extend((0..14).map(|i| {
        let status = if i < 9 { Status::Update } else { Status::Fine };
        row(
            status,
            "events.varrel.example",
            Why::Nothing,
            "Kunsthalle Varrel",
            "bronze",
            "11.4.4",
            0,
            if i < 9 { 8 } else { 0 },
            0.4,
        )
    }));
    SitesPage {
        shell: shell("Sites", "/sites"),
        views: vec![
            Tab::new("All", Some(142), "/sites", true),
            Tab::new("Exposed", Some(9), "/sites?view=exposed", false),
            Tab::new("Unsupported", Some(4), "/sites?view=unsupported", false),
            Tab::new("Silent or unknown", Some(4), "/sites?view=unknown", false),
            Tab::new("Update available", Some(58), "/sites?view=update", false),
            Tab::new("Fine", Some(67), "/sites?view=fine", false),
        ],
        list: list("/sites", 69, &[("filter[environment]", "production")]),
        rows,
        environments: vec![
            Choice::new("production", "production", "production"),
            Choice::new("staging", "staging", ""),
        ],
        organizations: vec![Choice::new("1", "Gemeinde Oberwalden", "")],
        may_write: true,
    }
}

fn head(tab: &str) -> SiteHead {
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

fn site_form(faults: &[(&str, &str)]) -> SiteForm {
    SiteForm {
        name: "oberwalden.example".into(),
        url: "https://oberwalden.example".into(),
        organizations: vec![Choice::new("3", "Gemeinde Oberwalden", "3")],
        environments: ["production", "staging", "development"]
            .map(|e| Choice::new(e, e, "production"))
            .into(),
        tags: "gold".into(),
        interval: "60".into(),
        faults: faults
            .iter()
            .map(|(f, s)| (f.to_string(), s.to_string()))
            .collect(),
        ..SiteForm::default()
    }
}

fn light(arrived: bool, refused: bool) -> Light {
    Light {
        now: now(),
        site_id: 7,
        since: ago(0.19),
        arrived: arrived.then(|| ago(0.01)),
        modules: 47,
        exposed: 2,
        advisories: Advisories::all(&["SA-CORE-2026-012".into()]),
        refused: refusals(refused),
        address: "dewline.halvorsen.example".into(),
    }
}

fn refusals(any: bool) -> Vec<RefusedRow> {
    let row = RefusedRow {
        at: ago(0.05),
        status: 422,
        code: "invalid".into(),
        detail: "/modules/3/name: a project's short name has a-z, 0-9 and _ only.".into(),
        address: "192.0.2.7".into(),
    };
    if any { vec![row] } else { vec![] }
}

fn connect(light: Light, secret: bool) -> ConnectPage {
    ConnectPage {
        shell: shell("Connect oberwalden.example", "/sites/7/connect"),
        site_id: 7,
        name: "oberwalden.example".into(),
        organization: "Gemeinde Oberwalden".into(),
        environment: "production".into(),
        interval: 60,
        secret: secret.then(|| "dwl_4pT9xK2mQ7vB1nR8sL3wY6zC5hJ0dF9gA2eU4iO7tXc0Vq".into()),
        prefix: Some("dwl_4pT9xK2m".into()),
        address: "https://dewline.halvorsen.example".into(),
        minute: 17,
        light,
    }
}

fn keys() -> Vec<KeyRow> {
    let key = |id, name: &str, owner: Option<(&str, &str)>, revoked: Option<f64>| KeyRow {
        id,
        name: name.into(),
        prefix: "dwl_4pT9xK2m".into(),
        owner: owner.map(|(a, b)| (a.to_owned(), b.to_owned())),
        scopes: vec!["sync".into()],
        less: (id == 1).then(|| "Jo, who made it, may no longer sync; nor may the key.".into()),
        last_used: Some(ago(0.5)),
        expires: None,
        revoked: revoked.map(ago),
        old_until: (id == 3).then(|| ago(-0.5)),
        created: ago(4000.0),
    };
    vec![
        key(
            1,
            "deploy server",
            Some(("oberwalden.example", "/sites/7")),
            None,
        ),
        key(2, "old laptop", None, Some(900.0)),
        key(3, "rotated", None, Some(-20.0)),
    ]
}

fn key_form() -> KeyForm {
    let fault =
        "\"10.0.0\" is not a network such as 192.0.2.0/24, 2001:db8::/32 or a single address";
    KeyForm {
        name: "CI".into(),
        hint: "Who will hold it.",
        scopes: vec![
            Choice::new("sync", "Send the inventory of a site", "sync"),
            Choice::new(
                "sites:read",
                "See sites, what they run, and their history",
                "",
            ),
        ],
        until: "2027-01-31".into(),
        networks: "192.0.2.0/24\n10.0.0".into(),
        faults: vec![("networks".into(), fault.into())],
        ..KeyForm::default()
    }
}

fn catalogue() -> Vec<CatalogueRow> {
    let row = |title: &str, sites, exposed, trouble: Option<&str>| CatalogueRow {
        id: 1,
        title: title.into(),
        name: title.to_lowercase().replace(' ', "_"),
        kind: "module".into(),
        sites,
        exposed,
        checked: Some(ago(0.2)),
        trouble: trouble.map(str::to_owned),
    };
    vec![
        row("Token", 140, 0, None),
        row("Search API Autocomplete", 17, 6, None),
        row("Vanished", 1, 0, Some("drupal.org knows no such project")),
    ]
}

fn more() -> Vec<(&'static str, askama::Result<String>)> {
    let secret = || {
        Some(NewSecret {
            name: "deploy server".into(),
            secret: "dwl_4pT9xK2mQ7vB1nR8sL3wY6zC5hJ0dF9gA2eU4iO7tXc0Vq".into(),
            old_until: Some(ago(-24.0)),
        })
    };
    let mut nothing = sites();
    nothing.rows.clear();
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
        no_fix: (state == "open").then(|| words::no_fix(true)),
    };
    vec![
        ("sites", sites().render()),
        ("sites-none", nothing.render()),
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
                rows: vec![exposure("overdue", -37.8, 206.0, None), exposure("open", 128.0, 40.0, None), exposure("met", -900.0, 1100.0, Some(1081.0)), exposure("breached", -900.0, 1100.0, Some(700.0))],
            }
            .render(),
        ),
        ("site-runs", SiteRunsPage { shell: shell("Patch runs", "/sites/7/patch-runs"), head: head("/patch-runs"), list: list("/sites/7/patch-runs", 2, &[]), rows: runs() }.render()),
        (
            "site-events",
            SiteEventsPage {
                shell: shell("Events", "/sites/7/events"),
                head: head("/events"),
                list: list("/sites/7/events", 412, &[]),
                rows: ["installed", "updated", "downgraded", "removed", "enabled", "disabled"]
                    .map(|kind| EventRow { at: ago(400.0), kind: kind.into(), module_id: 1, module: "Token".into(), versions: Versions::new(Some("8.x-1.13"), Some("8.x-1.15")) })
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
                rows: vec![SyncRow { at: ago(400.0), agent: "dewline-drupal 1.0.0".into(), source: "inventory".into(), total: 47, added: 0, changed: 3, removed: 1 }],
            }
            .render(),
        ),
        ("site-keys", SiteKeysPage { shell: shell("Keys", "/sites/7/keys"), head: head("/keys"), secret: secret(), rows: keys(), form: KeyForm { hint: "Where it will be kept.", ..KeyForm::default() } }.render()),
        ("key", KeyPage { shell: shell("CI", "/api-keys/3"), id: 3, name: "CI".into(), prefix: "dwl_4pT9xK2m".into(), back: "/api-keys".into(), form: key_form() }.render()),
        ("key-rotate", RotatePage { shell: shell("Rotate CI", "/api-keys/3/rotate"), id: 3, name: "CI".into(), back: "/api-keys".into() }.render()),
        ("site-settings", SiteSettingsPage { shell: shell("Settings", "/sites/7/settings"), head: head("/settings"), form: site_form(&[]) }.render()),
        ("sites-new", NewSitePage { shell: shell("Connect a site", "/sites/new"), form: site_form(&[("sync_interval_minutes", "Give a whole number from 5 to 10080."), ("name", "This organization has a site of this name in production already.")]) }.render()),
        ("connect", connect(light(false, false), true).render()),
        ("connect-refused", connect(light(false, true), false).render()),
        ("connect-on", connect(light(true, false), false).render()),
        (
            "import",
            ImportPage {
                shell: shell("Import sites", "/sites/import"),
                error: None,
                result: Some(ImportResult {
                    made: 2,
                    lines: vec![ImportLine { line: 4, faults: vec!["environment: production, staging or development.".into()] }],
                    csv: "organization,name,environment,site_id,key\nVarrel,events.varrel.example,production,12,dwl_4pT9xK2mQ7vB1nR8".into(),
                }),
            }
            .render(),
        ),
        (
            "keys",
            KeysPage {
                shell: shell("API keys", "/api-keys"),
                secret: None,
                list: list("/api-keys", 3, &[]),
                rows: keys(),
                form: KeyForm { organizations: vec![Choice::new("3", "Gemeinde Oberwalden", "")], ..key_form() },
            }
            .render(),
        ),
        (
            "organizations",
            OrganizationsPage {
                shell: shell("Organizations", "/organizations"),
                list: list("/organizations", 2, &[]),
                rows: vec![OrganizationRow { id: 3, name: "Gemeinde Oberwalden".into(), sites: 4, exposed: 1, silent: 0 }],
            }
            .render(),
        ),
        (
            "organization",
            OrganizationPage {
                shell: shell("Gemeinde Oberwalden", "/organizations/3"),
                id: Some(3),
                name: "Gemeinde Oberwalden".into(),
                notes: "".into(),
                needs_second_factor: true,
                second_factor_from: Some(ago(-200.0)),
                grace_days: String::new(),
                faults: vec![("name".into(), "There is an organization of this name already.".into())],
                row: Some(OrganizationRow { id: 3, name: "Gemeinde Oberwalden".into(), sites: 4, exposed: 1, silent: 0 }),
                may: true,
                manages_people: true,
                without: Some((2, 5)),

            }
            .render(),
        ),
        (
            "confirm",
            ConfirmPage {
                shell: shell("Delete bergmann-soehne.example", "/sites/3/delete"),
                question: "Delete bergmann-soehne.example?".into(),
                explanation: "Takes with it 1 key. Its 14 exposures and 38 patch runs stay on record.".into(),
                keep: "/sites/3/settings".into(),
                keep_word: "Keep it".into(),
                action: "/sites/3/delete".into(),
                deed: "Delete the site".into(),
            }
            .render(),
        ),
        ("modules", ModulesPage { shell: shell("Modules", "/modules"), list: list("/modules", 418, &[]), rows: catalogue(), may_write: true }.render()),
        (
            "module",
            ModuleVersionsPage {
                shell: shell("Token", "/modules/1"),
                head: module_head(""),
                bars: vec![
                    charts::VersionBar { version: "8.x-1.15".into(), sites: 120, exposed: false },
                    charts::VersionBar { version: "8.x-1.13".into(), sites: 7, exposed: true },
                ],
                finding: "127 sites on 2 versions, 7 exposed by its version".into(),
                list: list("/modules/1", 41, &[]),
                rows: vec![
                    VersionRow { version: Some("8.x-1.15".into()), released: Some(ago(900.0)), status: Status::Fine, about: "Security update".into(), sites: 120, run_by: Some("/modules/1/sites?filter%5Binstalled%5D=8.x-1.15".into()) },
                    VersionRow { version: None, released: None, status: Status::Unknown, about: "Not listed by drupal.org".into(), sites: 1, run_by: None },
                ],
            }
            .render(),
        ),
        (
            "module-sites",
            ModuleSitesPage {
                shell: shell("Token", "/modules/1/sites"),
                head: module_head("/sites"),
                list: list("/modules/1/sites", 127, &[("filter[environment]", "production")]),
                rows: vec![ModuleSiteRow {
                    id: 7,
                    name: "oberwalden.example".into(),
                    organization: "Gemeinde Oberwalden".into(),
                    environment: "staging".into(),
                    versions: Versions::new(Some("8.x-1.13"), Some("8.x-1.14")),
                    status: Some(Status::Exposed),
                    clock: Some(Clock { now: now(), opened: ago(30.0), due: Some(ago(-12.0)), closed: None }),
                }],
                environments: vec![Choice::new("production", "production", "")],
                organizations: vec![Choice::new("3", "Gemeinde Oberwalden", "")],
                states: vec![Choice::new("open", "open", "")],
            }
            .render(),
        ),
        (
            "module-settings",
            ModuleSettingsPage {
                shell: shell("Settings of Token", "/modules/1/settings"),
                head: module_head("/settings"),
                form: ModuleForm { name: "".into(), title: "Token".into(), kinds: vec![Choice::new("module", "module", "module")], faults: vec![("title".into(), "Title cannot be empty.".into())] },
            }
            .render(),
        ),
        (
            "module-new",
            NewModulePage {
                shell: shell("Add a module", "/modules/new"),
                form: ModuleForm { kinds: vec![Choice::new("module", "module", "module")], ..ModuleForm::default() },
            }
            .render(),
        ),
        (
            "deleted",
            DeletedPage {
                shell: shell("Deleted", "/deleted"),
                tabs: vec![Tab::new("Sites", None, "/deleted?kind=sites", true)],
                one: "site",
                many: "sites",
                rows: vec![DeletedRow { name: "oberwalden.example".into(), about: "Gemeinde Oberwalden, production".into(), at: ago(2.0), restore: Some("/sites/7/restore".into()) }],
            }
            .render(),
        ),
        (
            "feed",
            FeedPage {
                shell: shell("drupal.org", "/feed"),
                source: "https://updates.drupal.org/release-history".into(),
                tracked: 418,
                stale: 0,
                pending: 3,
                failing: vec![catalogue().remove(2)],
                untold: vec![(7, "Town hall".into(), "token".into(), ago(2.0))],
                next: Some(ago(-0.05)),
                advisories: AdvisoriesRow {
                    following: true,
                    source: "https://www.drupal.org/api-d7/node.json".into(),
                    held: 1204,
                    filled: false,
                    since: Some(ago(9000.0)),
                    incomplete: true,
                    read: Some(ago(0.05)),
                    next: Some(ago(-0.1)),
                    waiting: 12,
                    errors: vec!["page 3: larger than 4 MiB".into()],
                    troubles: vec![("node 3555001".into(), Some("https://www.drupal.org/node/3555001".into()), "it has no date".into())],
                },
                jobs: vec![JobRow { id: 9, name: "refresh-module".into(), state: "running".into(), progress: Some((3, 10)), error: Some("timed out after 20 s".into()), created: ago(0.1), finished: None }],
            }
            .render(),
        ),
        (
            "limits",
            LimitsPage {
                shell: shell("Limits", "/limits"),
                enabled: true,
                rows: vec![LimitRow { whose: "an API key".into(), per_minute: Some(1200), remembered: 41, refused: 7, setting: "rate_limits.api_key" }],
                proxies: vec!["10.0.0.0/8".into()],
            }
            .render(),
        ),
        (
            "manual",
            ManualPage {
                shell: shell("Manual", "/manual/start"),
                chapters: vec![Chapter { slug: "start".into(), title: "From nothing to the first site".into() }],
                slug: "start".into(),
                text: Html("<h1>From nothing to the first site</h1><p>One paragraph with <code>code</code>.</p>".into()),
            }
            .render(),
        ),
    ]
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
        ("advisories", advisories::list_page().render()),
        ("advisory", advisories::page().render()),
        ("advisory-nobody", advisories::nobody().render()),
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
    let gone = FaultPage::new(
        gate(""),
        409,
        Some("Give somebody else the role first.".into()),
        "0198",
    );
    let framed = FramedFaultPage {
        shell: shell("This clashes", "/users/1/delete"),
        what: gone,
        back: Some("/users/1".into()),
    };
    pages.push(("fault-framed", framed.render()));
    pages.extend(more());
    pages.extend(audit::pages());
    pages.extend(exposures::pages());
    pages.extend(reports::pages());
    pages.extend(account::pages());
    pages.extend(keys::pages());
    pages.extend(people::pages());
    pages.extend(sla::pages());
    pages.extend(two_factor::pages());
    pages
        .into_iter()
        .map(|(name, html)| (name, html.unwrap()))
        .collect()
}

fn module_head(tab: &str) -> ModuleHead {
    let at =
        |word: &str, path: &str| Tab::new(word, None, format!("/modules/1{path}"), tab == path);
    ModuleHead {
        row: catalogue().remove(1),
        link: Some("https://www.drupal.org/project/token".into()),
        status: Some("published".into()),
        branches: vec!["8.x-1.".into()],
        next_check: Some(ago(-0.7)),
        may_refresh: true,
        tabs: vec![
            at("Versions", ""),
            at("Sites", "/sites"),
            at("Settings", "/settings"),
        ],
    }
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
