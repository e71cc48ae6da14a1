//! The forms of exposures, promises, patch runs and reports, as a browser sends them: what is right is
//! done and stands on the page; what is wrong is said at its field and keeps what was typed; whoever may
//! not, may not here either.

use std::io::Read;
use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use dewline::clock::Clock;
use dewline::demo::advisory::Advisory;
use dewline::demo::history::{Project, Release};
use flate2::read::GzDecoder;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tower::ServiceExt;

use crate::matrix::town::{joins, person};
use crate::support::browser::{cookie, sends};
use crate::support::{Answer, Client, EMAIL, Site, TestApp, days_ago};

const VIEWER: i64 = 3;

/// What is sent to which form, and what the page says then.
type Sent<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str]);

/// A house with an open exposure of the module token on a site, and that exposure's page.
async fn exposed() -> (TestApp, i64, String) {
    let (house, harbour, ..) = TestApp::exposed().await;
    let found = house.admin().get("/exposures").await.column("id")[0].clone();
    (house, harbour, format!("/exposures/{found}"))
}

async fn look(browser: &Client<'_>, path: &str) -> Answer {
    let page = browser.get(&format!("/{path}")).await;
    assert_eq!(page.status, 200, "{path}: {}", page.text);
    page
}

fn holds(page: &Answer, all: &[&str]) {
    for said in all {
        assert!(page.text.contains(said), "{said}: {}", page.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exposure_is_taken_given_acknowledged_put_aside_and_taken_up_again_on_its_page() {
    let (house, harbour, path) = exposed().await;
    let mo = person(&house, "mo@example.org", "Mo Tern").await;
    joins(&house, harbour, mo, VIEWER).await;
    let browser = house.signed_in(EMAIL).await;
    holds(
        &look(&browser, &path).await,
        &["Nobody has it.", "Take it", "Mo Tern"],
    );

    let user = mo.to_string();
    let acts: [Sent; 5] = [
        (
            "assign",
            &[("user_id", &user)],
            &["Mo Tern has it.", "Given to Mo Tern"],
        ),
        (
            "assign",
            &[("user_id", "")],
            &["Nobody has it.", "Given to nobody"],
        ),
        (
            "acknowledge",
            &[("note", "Planned <b>for</b> Tuesday")],
            &["Acknowledged", "Planned &#60;b&#62;for&#60;/b&#62; Tuesday"],
        ),
        (
            "snooze",
            &[("hours", "72"), ("reason", "The client moves")],
            &[
                "Snoozed until",
                "The client moves",
                "open, due and counted",
                "Take it up again",
            ],
        ),
        ("snooze", &[("hours", "0")], &["Taken up again"]),
    ];
    for (what, fields, said) in acts {
        let answer = sends(&browser, &format!("{path}/{what}"), fields).await;
        assert_eq!(answer.status, 303, "{what}: {}", answer.text);
        assert_eq!(answer.header("location"), path);
        holds(&look(&browser, &path).await, said);
    }
    let list = look(&browser, "/exposures").await;
    holds(&list, &["1 exposure", "What is snoozed is counted, too."]);
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_form_of_an_exposure_is_said_at_its_field_and_nothing_is_done() {
    let (house, _, path) = exposed().await;
    let browser = house.signed_in(EMAIL).await;
    let long = "x".repeat(501);
    let wrongs: [Sent; 7] = [
        (
            "assign",
            &[("user_id", "9999")],
            &["nobody with this id who sees this site"],
        ),
        (
            "assign",
            &[("user_id", "Mo")],
            &["nobody with this id who sees this site"],
        ),
        ("acknowledge", &[("note", &long)], &["aria-invalid", &long]),
        (
            "snooze",
            &[("hours", "72"), ("reason", " ")],
            &[
                "id=\"f-reason\"",
                "aria-invalid",
                "<option value=\"72\" selected>",
            ],
        ),
        (
            "snooze",
            &[("hours", "soon"), ("reason", "It waits")],
            &["Choose for how long", "value=\"It waits\""],
        ),
        (
            "snooze",
            &[("reason", "It waits")],
            &["Choose for how long", "value=\"It waits\""],
        ),
        (
            "snooze",
            &[("hours", "90000"), ("reason", "It waits")],
            &["value=\"It waits\"", "90 days"],
        ),
    ];
    for (what, fields, said) in wrongs {
        let page = sends(&browser, &format!("{path}/{what}"), fields).await;
        assert_eq!(page.status, 422, "{what} {fields:?}: {}", page.text);
        holds(&page, said);
        holds(&page, &["class=\"err\""]);
    }
    let page = look(&browser, &path).await;
    holds(&page, &["Nobody has it."]);
    assert!(!page.text.contains("Snoozed until"), "nothing was done");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_only_sees_an_exposure_gets_no_form_and_a_stranger_no_page() {
    let (house, harbour, path) = exposed().await;
    let mo = person(&house, "mo@example.org", "Mo Tern").await;
    joins(&house, harbour, mo, VIEWER).await;
    let meadow = house.organization("Meadow").await;
    let ike = person(&house, "ike@example.org", "Ike").await;
    joins(&house, meadow, ike, 1).await;
    let viewer = house.signed_in("mo@example.org").await;
    let page = look(&viewer, &path).await;
    assert!(
        !page
            .text
            .contains("<form method=\"post\" action=\"/exposures")
    );
    let stranger = house.signed_in("ike@example.org").await;
    for what in ["assign", "acknowledge", "snooze"] {
        let fields = [("hours", "24"), ("reason", "x"), ("user_id", "1")];
        let act = format!("{path}/{what}");
        assert_eq!(sends(&viewer, &act, &fields).await.status, 403, "{what}");
        assert_eq!(sends(&stranger, &act, &fields).await.status, 404, "{what}");
        let nobody = sends(&house.anonymous(), &act, &fields).await;
        assert_eq!(nobody.status, 303, "is led to sign in: {}", nobody.text);
    }
    assert_eq!(stranger.get(&format!("/{path}")).await.status, 404);
    let sla = format!("/organizations/{harbour}/sla");
    let page = look(&viewer, &sla).await;
    assert!(
        !page.text.contains("Promise this from now on"),
        "shown, not offered"
    );
    assert_eq!(
        sends(&viewer, &sla, &[("time_zone", "UTC")]).await.status,
        403
    );
    assert_eq!(
        sends(&stranger, &sla, &[("time_zone", "UTC")]).await.status,
        404
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_closed_meanwhile_says_so() {
    let (mut house, _, path) = exposed().await;
    house.waits(SignedDuration::from_hours(9)).await;
    let key = house.key(1, &["sync"]).await;
    let body = Site::inventory(&[("token", "1.0.1")]);
    house
        .bearer(&key)
        .post("/sites/1/modules/sync", &body)
        .await
        .ok();
    let browser = house.signed_in(EMAIL).await;
    let answer = sends(&browser, &format!("{path}/acknowledge"), &[("note", "x")]).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (303, path.as_str())
    );
    holds(
        &look(&browser, &path).await,
        &["Closed in time", "Closed by", "a patch run"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_view_of_the_work_list_shows_its_own_and_an_unknown_filter_is_refused() {
    let (house, harbour, path) = exposed().await;
    let browser = house.signed_in(EMAIL).await;
    let page = look(&browser, "/exposures?view=clients").await;
    let to = format!("/exposures?filter%5Borganization_id%5D={harbour}");
    holds(&page, &["Harbour", &to, "By clock", "Mine", "By client"]);
    holds(&look(&browser, &to).await, &[&path, "data-left="]);
    holds(
        &look(&browser, "/exposures?view=mine").await,
        &["None here"],
    );
    sends(&browser, &format!("{path}/assign"), &[("user_id", "1")]).await;
    holds(&look(&browser, "/exposures?view=mine").await, &[&path]);
    let aside = [("hours", "24"), ("reason", "Later")];
    sends(&browser, &format!("{path}/snooze"), &aside).await;
    let without = look(&browser, "/exposures?view=working").await;
    holds(&without, &["1 snoozed exposure is not shown here."]);
    for wrong in [
        "/exposures?filter%5Brisk%5D=dire",
        "/exposures?colour=red",
        "/patch-runs?view=guessed",
        "/exposures?view=nope",
        "/exposures?view=Mine",
        "/exposures?view=clients&filter%5Benvironment%5D=staging",
        "/sites?view=nope",
        "/advisories?view=nope",
        "/modules?view=nope",
        "/patch-runs?filter%5Bsite_id%5D=x",
    ] {
        let page = browser.get(&format!("/{wrong}")).await;
        assert_eq!(page.status, 422, "{wrong}: {}", page.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_after_the_last_page_is_never_taken_for_an_all_clear() {
    let (house, ..) = exposed().await;
    let browser = house.signed_in(EMAIL).await;
    for path in [
        "/exposures?page=50",
        "/exposures?view=nobody&page=9",
        "/sites?page=50",
        "/sites/1/exposures?page=50",
        "/modules?page=50",
        "/advisories?page=50",
        "/audit?page=50",
        "/reports/security-updates?page=50",
    ] {
        let page = look(&browser, path).await;
        holds(&page, &["After the last page", "Show page 1<"]);
        assert!(!page.text.contains("Nothing is exposed"), "{path}");
        assert!(!page.text.contains("Never exposed"), "{path}");
    }
    // Narrowed to nothing is not nothing, either.
    let page = look(&browser, "/sites/1/exposures?filter%5Bstate%5D=withdrawn").await;
    holds(&page, &["None matches", "Show all"]);
    assert!(!page.text.contains("Never exposed"), "{}", page.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_run_has_its_state_wherever_it_stands() {
    let (house, harbour, _) = exposed().await;
    let key = house
        .key(harbour, &["sync", "sites:read", "sites:write"])
        .await;
    let body = Site::inventory(&[("token", "1.0.1")]);
    house
        .bearer(&key)
        .post("/sites/1/modules/sync", &body)
        .await
        .ok();
    let browser = house.signed_in(EMAIL).await;
    for path in ["/patch-runs", "/sites/1/patch-runs", "/patch-runs/1"] {
        holds(&look(&browser, path).await, &["Unattributed"]);
    }
    holds(
        &look(&browser, "/sites/1").await,
        &["unattributed", "/patch-runs/1"],
    );
    let started = (house.clock.now() - SignedDuration::from_mins(5)).to_string();
    let run = serde_json::json!({"site_id": 1, "started_at": started, "ticket": "OPS-7"});
    house.admin().post("/patch-runs", &run).await.created();
    holds(
        &look(&browser, "/sites/1/patch-runs").await,
        &["Proved", "Unattributed"].map(|word| {
            if word == "Unattributed" {
                "Patch runs"
            } else {
                word
            }
        }),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_impossible_question_to_a_report_is_shown_with_what_was_typed() {
    let (house, harbour, _) = exposed().await;
    let browser = house.signed_in(EMAIL).await;
    let wrong = format!(
        "/reports/security-updates?from=2026-05-02&to=2026-05-01&risk=dire&module=token&organization_id={harbour}"
    );
    let page = browser.get(&format!("/{wrong}")).await;
    assert_eq!(page.status, 422);
    let chosen = format!("<option value=\"{harbour}\" selected>");
    holds(
        &page,
        &[
            "Nothing is shown.",
            "Until is not after from.",
            "id=\"d-to\"",
            "value=\"2026-05-02\"",
            "value=\"2026-05-01\"",
            "value=\"token\"",
            &chosen,
            "<details class=\"addf\" open>",
        ],
    );
    for (query, said) in [
        ("from=2010-01-01&to=2026-01-01", "more than 3660 days"),
        ("from=yesterday&to=2026-01-01", "value=\"yesterday\""),
        ("organization_id=x", "Organization takes"),
        ("environment=moon", "Environment takes one of"),
    ] {
        for name in ["security-updates", "sla-compliance", "historical"] {
            let page = browser.get(&format!("//reports/{name}?{query}")).await;
            assert_eq!(page.status, 422, "{name}?{query}");
            holds(&page, &[said, "class=\"faults\""]);
        }
    }
    let file = browser.get(&format!("/{wrong}&format=csv")).await;
    assert_eq!(file.status, 422, "a file is refused, too");
    // What cannot be seen leaves nothing, and says no more.
    let foreign = look(&browser, "/reports/security-updates?organization_id=99").await;
    holds(&foreign, &["Nothing in this time", "Organization 99"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_draws_its_windows_and_says_for_whom_it_is() {
    let (house, harbour, path) = exposed().await;
    let browser = house.signed_in(EMAIL).await;
    let report = format!("/reports/security-updates?organization_id={harbour}&module=token");
    let page = look(&browser, &report).await;
    holds(
        &page,
        &[
            "Exposure windows over time",
            "1 window, 1 of them open, 0 late.",
            "The table below has the same figures.",
            "Harbour, ",
            "(UTC), production, module token",
            &format!("href=\"{path}\""),
            "data-print",
        ],
    );
    let long_ago = look(
        &browser,
        "/reports/security-updates?from=2020-01-01&to=2020-02-01",
    )
    .await;
    assert!(!long_ago.text.contains("Exposure windows over time"));
    let year: Timestamp = house.clock.now();
    assert!(
        look(&browser, &path)
            .await
            .text
            .contains("The window and its clock"),
        "{year}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_takes_it_packed_gets_the_whole_file() {
    let (house, ..) = exposed().await;
    let cookie = cookie(&house, EMAIL).await;
    let peer: SocketAddr = "203.0.113.9:40000".parse().unwrap();
    for format in ["csv", "json"] {
        let path = format!("/reports/security-updates?format={format}");
        let request = Request::get(&path)
            .header("cookie", &cookie)
            .header("accept-encoding", "gzip, deflate, br")
            .extension(ConnectInfo(peer))
            .body(Body::empty())
            .unwrap();
        let router = dewline::http::router(house.app.clone());
        let answer = router.oneshot(request).await.unwrap();
        assert_eq!(answer.headers()["content-encoding"], "gzip");
        let packed = axum::body::to_bytes(answer.into_body(), 1 << 20).await;
        let mut text = String::new();
        GzDecoder::new(packed.unwrap().as_ref())
            .read_to_string(&mut text)
            .unwrap();
        assert!(text.contains("Quay"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_of_core_that_gets_no_fix_is_to_be_left_and_no_release_is_named_as_its_fix() {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let core = Project::new("drupal", "Drupal core", "project_core", &["11.1."])
        .with(Release::new("10.2.1", days_ago(400)))
        .with(Release::new("11.1.3", days_ago(90)))
        .with(Release::security("11.1.4", days_ago(1)));
    house.publishes(core);
    house.drupal_org.put_advisory(Advisory {
        affected_versions: Some(">=10.2.0 <11.1.4".to_owned()),
        ..Advisory::new(60, "SA-CORE-2026-020", "drupal", days_ago(1))
    });
    let site = house.site_of(harbour, "Quay").await;
    let core = json!({"name": "drupal", "type": "core", "version": "10.2.1"});
    site.sends(&json!({"schema": 1, "modules": [core]}))
        .await
        .ok();
    house.run_jobs().await;
    let found = house.admin().get("/exposures").await.ok()["data"][0].clone();
    assert_eq!(
        (&found["no_fix"], &found["fixed_in"]),
        (&json!(true), &json!([]))
    );
    let browser = house.signed_in(EMAIL).await;
    let page = look(&browser, &format!("/exposures/{}", found["id"])).await;
    holds(
        &page,
        &["Nothing fixes it on this branch. Move to a newer branch of core"],
    );
    assert!(!page.text.contains("Replace the module"), "{}", page.text);
    holds(
        &look(&browser, "/").await,
        &["no fix on this branch: move to a newer one"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_open_stays_on_the_overview_though_nothing_is_promised_and_nobody_can_tell_any_more()
 {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let promise = json!({"environments": {"production": {"calendar": "none"}}});
    let path = format!("/organizations/{harbour}/sla-policy");
    house.admin().put(&path, &promise).await.ok();
    house.publishes(crate::support::module("token").with(Release::security("1.0.1", days_ago(1))));
    let site = house.site_of(harbour, "Quay").await;
    site.syncs(&[("token", "1.0.0")]).await;
    house.run_jobs().await;
    site.syncs(&[("token", "built by hand")]).await;
    house.run_jobs().await;
    let found = house.admin().get("/exposures").await.ok()["data"][0].clone();
    assert_eq!(
        (&found["state"], &found["due_at"]),
        (&json!("open"), &json!(null))
    );
    assert_ne!(found["unproven_since"], json!(null), "{found}");
    let page = look(&house.signed_in(EMAIL).await, "/").await;
    holds(&page, &["Quay", "cannot tell since", "All open exposures"]);
    assert!(!page.text.contains("Nothing is exposed"), "{}", page.text);
}
