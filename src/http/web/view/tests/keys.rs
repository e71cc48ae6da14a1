//! One key's pages with believable content: changing it, and giving it a new secret.

use super::*;
use crate::http::web::view::keys::{KeyPage, RotatePage};

pub(super) fn pages() -> Vec<(&'static str, askama::Result<String>)> {
    vec![
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
