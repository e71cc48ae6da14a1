//! Signing in, setting up, and what went wrong, with believable content.

use super::*;
use crate::http::web::view::{entrance::*, fault::*};

pub(super) fn pages() -> Pages {
    let mut pages = vec![
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
    pages
}
