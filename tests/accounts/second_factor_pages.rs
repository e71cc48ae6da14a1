//! The second step on pages: from the QR code to the backup codes, and browsers that are remembered.

use dewline::clock::Clock;
use dewline::domain::access::Actor;
use dewline::services::{admins, two_factors};
use jiff::SignedDuration;

use super::browser::Browser;
use super::second_factor::Phone;
use super::{House, PASSWORD};

const PLACE: &str = "/account/two-factor";
const EMAIL: &str = "ada@example.org";
const NEW: &str = "seven grey herons wait";

impl House {
    fn shown_by(&self, phone: &Phone) -> String {
        phone.shows_at(self.clock.now().as_second())
    }
}

/// The text between two others.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text
        .split_once(from)
        .unwrap_or_else(|| panic!("no {from}: {text}"));
    rest.split_once(to).unwrap().0
}

async fn set_up(house: &House, browser: &mut Browser<'_>) -> (Phone, Vec<String>) {
    let led = browser.sends("/account/two-factor/set-up", &[]).await;
    assert_eq!(led.leads_to(), PLACE);
    let page = browser.looks(PLACE).await;
    assert!(page.text.contains(r#"<div class="qr" role="img""#));
    let phone = Phone(between(&page.text, r#"<pre id="the-secret">"#, "</pre>").to_owned());
    let code = house.shown_by(&phone);
    let led = browser
        .sends("/account/two-factor/enable", &[("code", &code)])
        .await;
    assert_eq!(led.leads_to(), "/account/two-factor/codes");
    let page = browser.looks("/account/two-factor/codes").await;
    let list = between(&page.text, r#"id="codes" role="list">"#, "</ol>");
    let codes = list
        .split("</li>")
        .filter_map(|item| Some(item.split_once("<li>")?.1.to_owned()));
    let codes: Vec<String> = codes.collect();
    assert_eq!(codes.len(), 10);
    house.passes(SignedDuration::from_secs(30));
    (phone, codes)
}

#[tokio::test]
async fn from_the_qr_code_to_the_backup_codes_and_back_in() {
    let house = House::new().await;
    let mut browser = house.adas_browser().await;
    assert!(browser.looks(PLACE).await.text.contains("Set it up"));
    let mut thief = house.browser();
    thief.cookies = browser.cookies.clone();
    let (phone, codes) = set_up(&house, &mut browser).await;
    let led = thief.looks("/account").await;
    assert!(
        led.leads_to().starts_with("/sign-in"),
        "a cookie that was copied before opens nothing"
    );
    // They are shown once.
    assert_eq!(
        browser.looks("/account/two-factor/codes").await.leads_to(),
        PLACE
    );
    let page = browser.looks(PLACE).await;
    assert!(page.text.contains("10 of 10 left"), "{}", page.text);
    assert!(!page.text.contains(&codes[0]) && !page.text.contains(&phone.0));
    browser.sends("/sign-out", &[]).await;
    let fields = [
        ("email", EMAIL),
        ("password", PASSWORD),
        ("next", "/sites?q=a"),
    ];
    let led = browser.sends("/sign-in", &fields).await;
    assert_eq!(led.leads_to(), "/sign-in/code?next=%2Fsites%3Fq%3Da");
    assert!(browser.session().is_none());
    let set = led.sets("dewline_challenge");
    assert!(
        set[0].ends_with("; Path=/; Max-Age=300; HttpOnly; SameSite=Lax"),
        "{set:?}"
    );
    let page = browser.looks("/sign-in/code?next=%2Fsites%3Fq%3Da").await;
    assert!(page.text.contains(r#"autocomplete="one-time-code""#));
    let refused = browser
        .sends(
            "/sign-in/code",
            &[("code", "000 00"), ("next", "/sites?q=a")],
        )
        .await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("This code is not right"));
    let code = house.shown_by(&phone);
    let spaced = format!("{} {}", &code[..3], &code[3..]);
    let led = browser
        .sends(
            "/sign-in/code",
            &[("code", &spaced), ("next", "/sites?q=a")],
        )
        .await;
    assert_eq!(led.leads_to(), "/sites?q=a");
    assert!(browser.session().is_some());
    assert!(!browser.cookies.contains_key("dewline_challenge"));
    browser.sends("/sign-out", &[]).await;
    browser.signs_in(EMAIL, PASSWORD).await.leads_to();
    let led = browser
        .sends(
            "/sign-in/code",
            &[("code", &codes[4]), ("next", "//evil.example")],
        )
        .await;
    assert_eq!(led.leads_to(), "/");
}

#[tokio::test]
async fn without_a_challenge_there_is_nothing_to_enter_a_code_for() {
    let house = House::new().await;
    let mut browser = house.browser();
    assert_eq!(
        browser.looks("/sign-in/code?next=/sites").await.leads_to(),
        "/sign-in?next=%2Fsites"
    );
    browser
        .cookies
        .insert("dewline_challenge".to_owned(), "x".repeat(43));
    let led = browser.sends("/sign-in/code", &[("code", "123456")]).await;
    assert_eq!(led.leads_to(), "/sign-in?next=%2F");
    assert!(browser.session().is_none());
}

#[tokio::test]
async fn cookies_that_others_left_in_the_browser_are_not_taken_over_at_the_second_step() {
    let house = House::new().await;
    let (phone, _) = set_up(&house, &mut house.adas_browser().await).await;
    house.person("eve@example.org", "Eve").await;
    let mut eve = house.browser();
    eve.signs_in("eve@example.org", PASSWORD).await.leads_to();
    let names = ["dewline_session", "dewline_device"];
    let of_eve = names.map(|name| (name.to_owned(), eve.cookies[name].clone()));
    let invented = names.map(|name| (name.to_owned(), "x".repeat(43)));
    for planted in [of_eve, invented] {
        let mut browser = house.browser();
        let led = browser.signs_in(EMAIL, PASSWORD).await;
        assert!(led.leads_to().starts_with("/sign-in/code"));
        browser.cookies.extend(planted.clone());
        let code = house.shown_by(&phone);
        let fields = [("code", code.as_str()), ("remember", "yes")];
        let led = browser.sends("/sign-in/code", &fields).await;
        assert_eq!(led.leads_to(), "/");
        for (name, value) in &planted {
            assert_ne!(browser.cookies[name], *value, "{name}");
            assert_eq!(led.sets(name).len(), 1, "{name}");
        }
        let account = browser.looks("/account").await;
        assert!(account.text.contains(EMAIL), "{}", account.text);
        // What was planted is nobody's, or still Eve's, and no browser that Ada trusts.
        let mut thief = house.browser();
        thief.cookies = planted.into();
        let page = thief.looks("/account").await;
        assert!(!page.text.contains(EMAIL), "{}", page.text);
        let led = thief.signs_in(EMAIL, PASSWORD).await;
        assert!(led.leads_to().starts_with("/sign-in/code"));
        house.passes(SignedDuration::from_secs(30));
    }
}

#[tokio::test]
async fn an_administrator_switches_it_off_on_a_page_for_whoever_lost_everything() {
    let house = House::new().await;
    let bob = house.person("bob@example.org", "Bob").await;
    let mut bobs = house.browser();
    bobs.signs_in("bob@example.org", PASSWORD).await.leads_to();
    let (phone, _) = set_up(&house, &mut bobs).await;
    let mut ada = house.adas_browser().await;
    let (person, place) = (format!("/users/{bob}"), format!("/users/{bob}/second-step"));
    assert!(ada.looks(&person).await.text.contains(&place));
    let question = ada.looks(&place).await;
    assert!(
        question
            .text
            .contains("Switch off two-step sign-in of Bob?")
    );
    assert!(question.text.contains(&format!(r#"action="{place}""#)));
    assert_eq!(ada.sends(&place, &[]).await.leads_to(), person);
    let said = ada.looks(&person).await.text;
    assert!(said.contains("Two-step sign-in is off."), "{said}");
    let recorded = format!(
        "SELECT count(*) FROM audit_logs WHERE action = 'two_factor.reset' AND actor_id = 1 AND subject_id = {bob}"
    );
    assert_eq!(house.count(&recorded), 1);
    // The password alone opens now, and the phone nothing.
    let mut anywhere = house.browser();
    let led = anywhere.signs_in("bob@example.org", PASSWORD).await;
    assert_eq!(led.leads_to(), "/");
    let code = house.shown_by(&phone);
    let led = anywhere.sends("/sign-in/code", &[("code", &code)]).await;
    assert_eq!(led.leads_to(), "/sign-in?next=%2F");
    // There is nothing more to switch off, and nobody else may.
    assert_eq!(ada.sends(&place, &[]).await.status, 409);
    assert_eq!(house.count(&recorded), 1);
}

#[tokio::test]
async fn a_remembered_browser_is_not_asked_for_thirty_days() {
    let house = House::new().await;
    let mut browser = house.adas_browser().await;
    let (phone, _) = set_up(&house, &mut browser).await;
    browser.sends("/sign-out", &[]).await;
    browser.signs_in(EMAIL, PASSWORD).await;
    let code = house.shown_by(&phone);
    let fields = [("code", code.as_str()), ("remember", "yes")];
    browser.sends("/sign-in/code", &fields).await.leads_to();
    house.passes(SignedDuration::from_secs(30 * 86_400 - 1));
    assert_eq!(browser.signs_in(EMAIL, PASSWORD).await.leads_to(), "/");
    // Another browser is asked, whatever this one was told.
    assert_eq!(
        house.browser().signs_in(EMAIL, PASSWORD).await.leads_to(),
        "/sign-in/code"
    );
    browser.sends("/sign-out", &[]).await;
    house.passes(SignedDuration::from_secs(1));
    assert_eq!(
        browser.signs_in(EMAIL, PASSWORD).await.leads_to(),
        "/sign-in/code"
    );
}

/// Signs a browser out and in again, with a code, and has it remembered.
async fn is_remembered(house: &House, browser: &mut Browser<'_>, phone: &Phone) {
    browser.sends("/sign-out", &[]).await;
    assert_eq!(
        browser.signs_in(EMAIL, PASSWORD).await.leads_to(),
        "/sign-in/code"
    );
    let code = house.shown_by(phone);
    let fields = [("code", code.as_str()), ("remember", "yes")];
    assert_eq!(
        browser.sends("/sign-in/code", &fields).await.leads_to(),
        "/"
    );
    house.passes(SignedDuration::from_secs(30));
}

#[tokio::test]
async fn a_browser_that_is_forgotten_is_asked_again_and_the_others_are_not() {
    let house = House::new().await;
    let mut laptop = house.adas_browser().await;
    let (phone, _) = set_up(&house, &mut laptop).await;
    let mut home = house.browser();
    is_remembered(&house, &mut laptop, &phone).await;
    is_remembered(&house, &mut home, &phone).await;
    let page = home.looks(PLACE).await;
    assert!(
        page.text.contains("2 browsers are remembered"),
        "{}",
        page.text
    );
    assert!(page.text.contains(r#"href="/account/sessions#known""#));
    let page = home.looks("/account/sessions").await;
    assert!(page.text.contains("no code asked until"), "{}", page.text);
    // The laptop is the first browser of all.
    assert_eq!(
        home.sends("/account/browsers/1/forget", &[])
            .await
            .leads_to(),
        "/account/sessions"
    );
    assert!(
        home.looks(PLACE)
            .await
            .text
            .contains("1 browser is remembered")
    );
    assert!(
        laptop
            .looks("/account")
            .await
            .leads_to()
            .starts_with("/sign-in")
    );
    assert_eq!(
        laptop.signs_in(EMAIL, PASSWORD).await.leads_to(),
        "/sign-in/code"
    );
    home.sends("/sign-out", &[]).await;
    assert_eq!(home.signs_in(EMAIL, PASSWORD).await.leads_to(), "/");
}

#[tokio::test]
async fn a_new_password_ends_the_trust_of_all_browsers_whoever_sets_it() {
    let house = House::new().await;
    let mut browser = house.adas_browser().await;
    let (phone, _) = set_up(&house, &mut browser).await;
    let mut second = house.browser();
    is_remembered(&house, &mut browser, &phone).await;
    is_remembered(&house, &mut second, &phone).await;

    browser.sends("/sign-out", &[]).await;
    browser.sends("/forgotten", &[("email", EMAIL)]).await;
    let link = house.newest_link();
    let token = link.strip_prefix("/reset?token=").unwrap();
    let fields = [("token", token), ("password", NEW)];
    assert_eq!(
        browser.sends("/reset", &fields).await.leads_to(),
        "/sign-in"
    );
    for browser in [&mut browser, &mut second] {
        let led = browser.signs_in(EMAIL, NEW).await;
        assert_eq!(led.leads_to(), "/sign-in/code");
        let code = house.shown_by(&phone);
        let fields = [("code", code.as_str()), ("remember", "yes")];
        browser.sends("/sign-in/code", &fields).await.leads_to();
        house.passes(SignedDuration::from_secs(30));
        browser.sends("/sign-out", &[]).await;
        assert_eq!(browser.signs_in(EMAIL, NEW).await.leads_to(), "/");
    }

    house
        .browser()
        .sends("/forgotten", &[("email", EMAIL)])
        .await;
    let asked_for = house.newest_link();
    admins::reset_password(&house.app, &Actor::System, EMAIL, &PASSWORD.into())
        .await
        .unwrap();
    for browser in [&mut browser, &mut second] {
        let led = browser.signs_in(EMAIL, PASSWORD).await;
        assert_eq!(led.leads_to(), "/sign-in/code");
    }
    // The link that was asked for before is void, too.
    assert_eq!(browser.looks(&asked_for).await.status, 404);
}

#[tokio::test]
async fn whoever_changes_his_password_keeps_the_trust_in_the_browser_before_him_only() {
    let house = House::new().await;
    let mut browser = house.adas_browser().await;
    let (phone, _) = set_up(&house, &mut browser).await;
    let mut second = house.browser();
    is_remembered(&house, &mut browser, &phone).await;
    is_remembered(&house, &mut second, &phone).await;
    let fields = [("current_password", PASSWORD), ("password", NEW)];
    browser.sends("/account/password", &fields).await.leads_to();
    browser.sends("/sign-out", &[]).await;
    assert_eq!(browser.signs_in(EMAIL, NEW).await.leads_to(), "/");
    let led = second.signs_in(EMAIL, NEW).await;
    assert_eq!(led.leads_to(), "/sign-in/code");
}

#[tokio::test]
async fn a_browser_that_was_found_open_is_asked_for_the_password_and_others_are_signed_out() {
    let house = House::new().await;
    let mut browser = house.adas_browser().await;
    let mut other = house.adas_browser().await;
    house.passes(SignedDuration::from_mins(16));
    let page = browser.looks(PLACE).await;
    assert!(page.text.contains("You signed in a while ago."));
    let refused = browser.sends("/account/two-factor/set-up", &[]).await;
    assert_eq!(refused.status, 422);
    let fields = [("password", PASSWORD)];
    let led = browser.sends("/account/two-factor/set-up", &fields).await;
    assert_eq!(led.leads_to(), PLACE);
    let page = browser.looks(PLACE).await;
    let phone = Phone(between(&page.text, r#"<pre id="the-secret">"#, "</pre>").to_owned());
    assert_eq!(other.looks("/account").await.status, 200);
    let code = house.shown_by(&phone);
    let fields = [("code", code.as_str())];
    browser
        .sends("/account/two-factor/enable", &fields)
        .await
        .leads_to();
    assert_eq!(browser.looks("/account").await.status, 200);
    let led = other.looks("/account").await;
    assert!(led.leads_to().starts_with("/sign-in"));
}

#[tokio::test]
async fn every_part_of_the_account_leads_to_two_step_sign_in_and_back() {
    let house = House::new().await;
    let mut browser = house.adas_browser().await;
    for path in ["/account", "/account/password", PLACE, "/account/sessions"] {
        let page = browser.looks(path).await;
        for to in ["/account", "/account/password", PLACE, "/account/sessions"] {
            let here = if to == path {
                " aria-current=\"page\""
            } else {
                ""
            };
            let tab = format!(r#"<a href="{to}"{here}>"#);
            assert!(page.text.contains(&tab), "{path} leads to {to}");
        }
    }
}

#[tokio::test]
async fn a_remembered_browser_is_asked_again_after_a_reset() {
    let house = House::new().await;
    let mut browser = house.adas_browser().await;
    let (phone, _) = set_up(&house, &mut browser).await;
    is_remembered(&house, &mut browser, &phone).await;
    two_factors::reset(&house.app, &Actor::System, 1)
        .await
        .unwrap();
    // Whoever has what was lost is signed out.
    let led = browser.looks("/account").await;
    assert!(led.leads_to().starts_with("/sign-in"));
    browser.signs_in(EMAIL, PASSWORD).await.leads_to();
    set_up(&house, &mut browser).await;
    browser.sends("/sign-out", &[]).await;
    assert_eq!(
        browser.signs_in(EMAIL, PASSWORD).await.leads_to(),
        "/sign-in/code"
    );
}

#[tokio::test]
async fn a_known_browser_has_guesses_of_its_own() {
    let house = House::new().await;
    let mut own = house.adas_browser().await;
    let (phone, _) = set_up(&house, &mut own).await;
    own.sends("/sign-out", &[]).await;
    // Somebody who knows the password guesses elsewhere.
    let mut thief = house.browser();
    thief.address = "203.0.113.66";
    for _ in 0..3 {
        thief.signs_in(EMAIL, PASSWORD).await;
        for _ in 0..5 {
            thief.sends("/sign-in/code", &[("code", "12345678")]).await;
        }
        house.passes(SignedDuration::from_mins(2));
    }
    thief.signs_in(EMAIL, PASSWORD).await;
    let code = house.shown_by(&phone);
    let held = thief.sends("/sign-in/code", &[("code", &code)]).await;
    assert_eq!(held.status, 429);
    assert!(
        held.text.contains("a backup code is taken now"),
        "{}",
        held.text
    );
    own.signs_in(EMAIL, PASSWORD).await;
    own.sends("/sign-in/code", &[("code", &code)])
        .await
        .leads_to();
    assert!(own.session().is_some());
}

#[tokio::test]
async fn what_is_wrong_is_said_at_the_form_that_was_sent() {
    let house = House::new().await;
    let mut browser = house.adas_browser().await;
    browser.sends("/account/two-factor/set-up", &[]).await;
    let page = browser
        .sends("/account/two-factor/enable", &[("code", "12")])
        .await;
    assert_eq!(page.status, 422);
    assert!(
        page.text.contains("Code is not right, or was used before."),
        "{}",
        page.text
    );
    let (phone, codes) = set_up(&house, &mut browser).await;
    let page = browser
        .sends("/account/two-factor/codes", &[("password", "not this one")])
        .await;
    assert_eq!(page.status, 422);
    assert_eq!(page.text.matches("This is not your password.").count(), 1);
    let code = house.shown_by(&phone);
    let fields = [("password", "not this one"), ("code", code.as_str())];
    let page = browser.sends("/account/two-factor/disable", &fields).await;
    assert_eq!(page.status, 422);
    assert!(!page.text.contains("not this one"));
    let fields = [("password", PASSWORD), ("code", codes[0].as_str())];
    let led = browser.sends("/account/two-factor/disable", &fields).await;
    assert_eq!(led.leads_to(), PLACE);
    assert!(
        browser
            .looks(PLACE)
            .await
            .text
            .contains("Two-step sign-in is off")
    );
}

#[tokio::test]
async fn whose_organization_needs_it_reads_so_on_every_page_until_it_is_on() {
    let house = House::new().await;
    house
        .sql(
            "UPDATE organizations SET second_factor_from = 1796112000000 WHERE id = 1;
             INSERT INTO memberships (organization_id, user_id, role_id, created_at, updated_at, created_by, updated_by)
               VALUES (1, 1, 1, 0, 0, 'system', 'system');",
        )
        .await;
    let mut browser = house.adas_browser().await;
    for path in ["/", PLACE] {
        // Whoever may do all in all sees everything without it.
        let page = browser.looks(path).await;
        assert!(!page.text.contains("asks its members"), "{path}");
    }
    house
        .sql("UPDATE users SET platform_admin = 0 WHERE id = 1")
        .await;
    house.app.callers.forget();
    for path in ["/", "/sites", "/manual", PLACE] {
        let page = browser.looks(path).await;
        assert!(
            page.text
                .contains("Harbour asks its members for two-step sign-in from"),
            "{path}"
        );
    }
    set_up(&house, &mut browser).await;
    assert!(
        !browser
            .looks("/")
            .await
            .text
            .contains("two-step sign-in from")
    );
}
