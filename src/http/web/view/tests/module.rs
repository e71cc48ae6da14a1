//! The catalogue and a module's tabs with believable content.

use super::*;
use crate::http::web::view::{catalogue::*, module::*};

pub(super) fn catalogue() -> Vec<CatalogueRow> {
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

pub(super) fn pages() -> Pages {
    vec![
        (
            "modules",
            ModulesPage {
                shell: shell("Modules", "/modules"),
                list: list("/modules", 418, &[]),
                rows: catalogue(),
                may_write: true,
            }
            .render(),
        ),
        (
            "module",
            ModuleVersionsPage {
                shell: shell("Token", "/modules/1"),
                head: module_head(""),
                bars: vec![
                    charts::VersionBar {
                        version: "8.x-1.15".into(),
                        sites: 120,
                        exposed: false,
                    },
                    charts::VersionBar {
                        version: "8.x-1.13".into(),
                        sites: 7,
                        exposed: true,
                    },
                ],
                finding: "127 sites on 2 versions, 7 exposed by its version".into(),
                list: list("/modules/1", 41, &[]),
                rows: vec![
                    VersionRow {
                        version: Some("8.x-1.15".into()),
                        released: Some(ago(900.0)),
                        status: Status::Fine,
                        about: "Security update".into(),
                        sites: 120,
                        run_by: Some("/modules/1/sites?filter%5Binstalled%5D=8.x-1.15".into()),
                    },
                    VersionRow {
                        version: None,
                        released: None,
                        status: Status::Unknown,
                        about: "Not listed by drupal.org".into(),
                        sites: 1,
                        run_by: None,
                    },
                ],
            }
            .render(),
        ),
        (
            "module-sites",
            ModuleSitesPage {
                shell: shell("Token", "/modules/1/sites"),
                head: module_head("/sites"),
                list: list(
                    "/modules/1/sites",
                    127,
                    &[("filter[environment]", "production")],
                ),
                rows: vec![ModuleSiteRow {
                    id: 7,
                    name: "oberwalden.example".into(),
                    organization: "Gemeinde Oberwalden".into(),
                    environment: "staging".into(),
                    versions: Versions::new(Some("8.x-1.13"), Some("8.x-1.14")),
                    status: Some(Status::Exposed),
                    clock: Some(Clock {
                        now: now(),
                        opened: ago(30.0),
                        due: Some(ago(-12.0)),
                        closed: None,
                    }),
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
                form: ModuleForm {
                    name: "".into(),
                    title: "Token".into(),
                    kinds: vec![Choice::new("module", "module", "module")],
                    faults: vec![("title".into(), "Title cannot be empty.".into())],
                },
            }
            .render(),
        ),
        (
            "module-new",
            NewModulePage {
                shell: shell("Add a module", "/modules/new"),
                form: ModuleForm {
                    kinds: vec![Choice::new("module", "module", "module")],
                    ..ModuleForm::default()
                },
            }
            .render(),
        ),
    ]
}
