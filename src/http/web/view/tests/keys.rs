//! Keys with believable content: their lists, changing one, and giving it a new secret.

use super::site::head;
use super::*;
use crate::http::web::view::keys::*;

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

pub(super) fn pages() -> Pages {
    let secret = || {
        Some(NewSecret {
            name: "deploy server".into(),
            secret: "dwl_4pT9xK2mQ7vB1nR8sL3wY6zC5hJ0dF9gA2eU4iO7tXc0Vq".into(),
            old_until: Some(ago(-24.0)),
        })
    };
    vec![
        (
            "site-keys",
            SiteKeysPage {
                shell: shell("Keys", "/sites/7/keys"),
                head: head("/keys"),
                secret: secret(),
                rows: keys(),
                form: KeyForm {
                    hint: "Where it will be kept.",
                    ..KeyForm::default()
                },
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
                form: KeyForm {
                    organizations: vec![Choice::new("3", "Gemeinde Oberwalden", "")],
                    ..key_form()
                },
            }
            .render(),
        ),
        (
            "key",
            KeyPage {
                shell: shell("CI", "/api-keys/2"),
                id: 2,
                name: "CI".into(),
                prefix: "dwl_4pT9xK2m".into(),
                back: "/api-keys".into(),
                form: key_form(),
            }
            .render(),
        ),
        (
            "key-of-a-site",
            KeyPage {
                shell: shell("deploy server", "/api-keys/1"),
                id: 1,
                name: "deploy server".into(),
                prefix: "dwl_4pT9xK2m".into(),
                back: "/sites/7/keys".into(),
                form: KeyForm {
                    name: "deploy server".into(),
                    ..KeyForm::default()
                },
            }
            .render(),
        ),
        (
            "key-rotate",
            RotatePage {
                shell: shell("Rotate deploy server", "/api-keys/1/rotate"),
                id: 1,
                name: "deploy server".into(),
                back: "/sites/7/keys".into(),
            }
            .render(),
        ),
    ]
}
