//! The operator takes a second step at sign-in away, on the machine itself.

use std::path::Path;
use std::process::Output;

use dewline::clock::{Clock, SystemClock};
use serde_json::{Value, json};

use super::wire::ask;
use super::{Serving, data_dir, run, text};
use crate::accounts::second_factor::Phone;

const EMAIL: &str = "a@example.org";
const PASSWORD: &str = "a long enough phrase of words";

fn disable(data: &Path, email: &str) -> Output {
    run(data, &["admin", "disable-2fa", "--email", email], "")
}

fn posts(serving: &Serving, path: &str, token: &str, body: &Value) -> Value {
    let path = format!("/api/v1/auth/{path}");
    let body = body.to_string();
    let answer = ask(&serving.address, "POST", &path, token, Some(&body)).unwrap();
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.json()["data"].take()
}

fn signs_in(serving: &Serving) -> Value {
    let words = json!({"email": EMAIL, "password": PASSWORD});
    posts(serving, "login", "", &words)
}

#[test]
fn a_second_step_that_was_lost_is_taken_away_beside_a_running_appliance_and_without_one() {
    let (_above, data) = data_dir();
    let admin = [
        "admin",
        "create",
        "--email",
        EMAIL,
        "--name",
        "A",
        "--password-stdin",
    ];
    run(&data, &admin, PASSWORD);

    let nobody = disable(&data, "b@example.org");
    assert_eq!(nobody.status.code(), Some(1));
    assert!(
        text(&nobody.stderr).contains("nobody signs in with b@example.org"),
        "{}",
        text(&nobody.stderr)
    );
    let none = disable(&data, EMAIL);
    assert_eq!(none.status.code(), Some(1));
    assert!(
        text(&none.stderr).contains("Two-step sign-in is not on."),
        "{}",
        text(&none.stderr)
    );

    for running in [true, false] {
        let serving = Serving::start(&data);
        let entered = signs_in(&serving);
        let token = entered["access_token"].as_str().unwrap();
        let shown = posts(&serving, "2fa/setup", token, &json!({}));
        let phone = Phone(shown["secret"].as_str().unwrap().to_owned());
        let code = phone.shows_at(SystemClock.now().as_second());
        posts(&serving, "2fa/enable", token, &json!({"code": code}));
        assert_eq!(signs_in(&serving)["two_factor_required"], true);
        let (serving, taken) = if running {
            let taken = disable(&data, EMAIL);
            (serving, taken)
        } else {
            assert_eq!(serving.stop().0, Some(0));
            let taken = disable(&data, " A@Example.org ");
            (Serving::start(&data), taken)
        };
        assert_eq!(taken.status.code(), Some(0), "{}", text(&taken.stderr));
        assert!(
            text(&taken.stderr).contains("signs in with the password alone"),
            "{}",
            text(&taken.stderr)
        );
        assert!(signs_in(&serving)["access_token"].is_string());
        assert_eq!(serving.stop().0, Some(0));
    }
}
