//! One's own account and a lost password, with believable content.

use super::*;
use crate::http::web::account::tabs;
use crate::http::web::view::account::{
    BrowserRow, ForgottenPage, LeavePage, PasswordPage, ProfilePage, ResetPage, SessionRow,
    SessionsPage,
};

fn session(id: i64, name: &str, hours: f64) -> SessionRow {
    SessionRow {
        id,
        name: name.into(),
        device: "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0".into(),
        program: name.starts_with("curl"),
        address: "2001:db8:4f2::19".into(),
        began: ago(hours + 20.0),
        used: ago(hours),
        current: id == 1,
    }
}

pub(super) fn pages() -> Pages {
    let said = |field: &str, text: &str| vec![(field.to_owned(), text.to_owned())];
    vec![
        (
            "account",
            ProfilePage {
                shell: shell("My account", "/account"),
                tabs: tabs("/account"),
                name: "Mara Lindqvist".into(),
                email: "mara@halvorsen.example".into(),
                time_zone: "Europe/Vienna".into(),
                zones: crate::domain::person::time_zones(),
                faults: said("current_password", "This is not your password."),
            }
            .render(),
        ),
        (
            "account-password",
            PasswordPage {
                shell: shell("My account", "/account/password"),
                tabs: tabs("/account/password"),
                email: "mara@halvorsen.example".into(),
                faults: said("password", "This password is easy to guess."),
            }
            .render(),
        ),
        (
            "account-sessions",
            SessionsPage {
                shell: shell("My account", "/account/sessions"),
                tabs: tabs("/account/sessions"),
                rows: vec![
                    session(1, "Firefox on Linux", 0.0),
                    session(2, "Safari on iPhone", 5.0),
                    session(3, "curl/8.5.0", 70.0),
                ],
                browsers: vec![BrowserRow {
                    present: true,
                    id: 1,
                    name: "Firefox on Linux".into(),
                    device: "Mozilla/5.0".into(),
                    address: "192.0.2.19".into(),
                    used: ago(20.0),
                    trusted_until: Some(ago(-500.0)),
                }],
                two_step: true,
            }
            .render(),
        ),
        (
            "account-delete",
            LeavePage {
                shell: shell("Delete my account", "/account/delete"),
                refused: Some("Nobody else is a platform administrator.".into()),
                faults: Vec::new(),
            }
            .render(),
        ),
        (
            "forgotten",
            ForgottenPage {
                shell: gate("Password lost"),
                email: "mara@halvorsen.example".into(),
                asked: true,
                error: None,
            }
            .render(),
        ),
        (
            "reset",
            ResetPage {
                shell: gate("New password"),
                token: "t".into(),
                good: true,
                error: Some("This password is easy to guess.".into()),
            }
            .render(),
        ),
    ]
}
