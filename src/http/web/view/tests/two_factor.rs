//! The second step of a sign-in, with believable content.

use super::*;
use crate::domain::second_factor::{Authenticator, SECRET};
use crate::http::web::account::tabs;
use crate::http::web::view::account::BrowserRow;
use crate::http::web::view::two_factor::{
    BackupCodesPage, CodePage, Faults, TwoFactorPage, Waiting,
};

fn page() -> TwoFactorPage {
    TwoFactorPage {
        shell: shell("Two-step sign-in", "/account/two-factor"),
        tabs: tabs("/account/two-factor"),
        enabled_at: None,
        waiting: None,
        codes_left: 0,
        asks_password: false,
        required: Vec::new(),
        remembered: Vec::new(),
        faults: Faults::default(),
    }
}

fn fault(form: &'static str, field: &str, said: &str) -> Faults {
    Faults {
        form,
        said: vec![(field.to_owned(), said.to_owned())],
    }
}

fn waiting() -> Waiting {
    let app = Authenticator::new([7; SECRET], "mara@halvorsen.example").unwrap();
    Waiting {
        secret: app.grouped(),
        address: app.address().unwrap(),
        qr: Html(app.qr_svg().unwrap()),
    }
}

fn remembered(id: i64, name: &str) -> BrowserRow {
    BrowserRow {
        present: false,
        id,
        name: name.into(),
        device: "Mozilla/5.0".into(),
        address: "192.0.2.19".into(),
        used: ago(20.0),
        trusted_until: Some(ago(-500.0)),
    }
}

fn code(backup: bool, error: Option<&str>) -> CodePage {
    CodePage {
        shell: gate("Sign in"),
        error: error.map(str::to_owned),
        next: "/sites?view=exposed".into(),
        remember: backup,
        backup,
    }
}

fn codes() -> BackupCodesPage {
    BackupCodesPage {
        shell: shell("Backup codes", "/account/two-factor/codes"),
        codes: (0..10).map(|n| format!("k3m9{n}-7pq2w")).collect(),
        server: "https://dewline.halvorsen.example".into(),
    }
}

pub(super) fn pages() -> Pages {
    let off = TwoFactorPage {
        required: vec![
            ("Stadtwerke Elmshagen".into(), ago(-300.0)),
            ("Kunsthalle Varrel".into(), ago(30.0)),
        ],
        ..page()
    };
    let scanning = TwoFactorPage {
        waiting: Some(waiting()),
        faults: fault("enable", "code", "Code is not right, or was used before."),
        ..page()
    };
    let on = TwoFactorPage {
        enabled_at: Some(ago(900.0)),
        codes_left: 2,
        remembered: vec![
            remembered(1, "Firefox on Linux"),
            remembered(2, "Safari on iPhone"),
        ],
        faults: fault("disable", "password", "This is not your password."),
        ..page()
    };
    vec![
        ("two-factor-off", off.render()),
        ("two-factor-waiting", scanning.render()),
        ("two-factor-on", on.render()),
        ("backup-codes", codes().render()),
        ("code", code(false, None).render()),
        (
            "code-backup",
            code(true, Some("This code is not right, or was used before.")).render(),
        ),
    ]
}

#[test]
fn whoever_has_no_second_step_reads_which_app_to_get_before_what_to_scan() {
    let text = TwoFactorPage {
        waiting: Some(waiting()),
        ..page()
    }
    .render()
    .unwrap();
    let app = text.find("Google Authenticator").unwrap();
    let square = text.find(r#"class="qr""#).unwrap();
    let field = text.find(r#"name="code""#).unwrap();
    assert!(app < square && square < field);
}

#[test]
fn the_password_is_asked_for_where_the_sign_in_is_long_ago() {
    for waiting in [None, Some(waiting())] {
        let fresh = TwoFactorPage { waiting, ..page() };
        assert!(!fresh.render().unwrap().contains(r#"type="password""#));
        let stale = TwoFactorPage {
            asks_password: true,
            faults: fault("set-up", "password", "This is not your password."),
            ..fresh
        };
        let text = stale.render().unwrap();
        assert!(text.contains(r#"type="password""#) && text.contains("This is not your password."));
    }
}

#[test]
fn remembered_browsers_are_told_with_their_end_and_where_to_forget_them() {
    let none = TwoFactorPage {
        enabled_at: Some(ago(900.0)),
        codes_left: 10,
        ..page()
    };
    assert!(none.render().unwrap().contains("No browser is remembered"));
    let one = TwoFactorPage {
        remembered: vec![remembered(1, "Firefox on Linux")],
        ..none
    }
    .render()
    .unwrap();
    assert!(one.contains("1 browser is remembered"));
    assert!(one.contains("Firefox on Linux") && one.contains("/account/sessions#known"));
}

#[test]
fn the_file_of_backup_codes_holds_them_all_and_whose_they_are() {
    let page = codes();
    let file = page.file();
    let (_, encoded) = file.split_once(',').unwrap();
    let (text, _) = url::form_urlencoded::parse(encoded.as_bytes())
        .next()
        .unwrap();
    for code in &page.codes {
        assert!(text.lines().any(|line| line == code), "{code}: {text}");
    }
    assert!(text.contains("https://dewline.halvorsen.example"), "{text}");
}
