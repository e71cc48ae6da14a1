//! What is typed about a site or an organization, and the light that waits for a first sync.

use super::site::refusals;
use super::*;
use crate::http::web::view::forms::*;

pub(super) fn site_form(faults: &[(&str, &str)]) -> SiteForm {
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

pub(super) fn pages() -> Pages {
    vec![
        ("sites-new", NewSitePage { shell: shell("Connect a site", "/sites/new"), form: site_form(&[("sync_interval_minutes", "Give a whole number from 5 to 10080."), ("name", "This organization has a site of this name in production already.")]) }.render()),
        ("connect", connect(light(false, false), true).render()),
        ("connect-refused", connect(light(false, true), false).render()),
        ("connect-on", connect(light(true, false), false).render()),
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
    ]
}
