//! One's own account and a lost password, on the pages.

use dewline::services::notifications;
use dewline::store::StoreError;

use super::{House, PASSWORD};

const NEW: &str = "seven grey herons wait";

impl House {
    /// The path of the newest link that waits.
    pub fn newest_link(&self) -> String {
        let (id, sealed): (i64, Vec<u8>) = self
            .app
            .store
            .read(|db| {
                let newest = "SELECT id, link_sealed FROM notifications ORDER BY id DESC";
                let found = db.query_row(newest, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
                Ok::<_, StoreError>(found)
            })
            .unwrap();
        notifications::link(&self.app.secret_key, id, &sealed).unwrap()
    }
}

#[tokio::test]
async fn a_lost_password_is_replaced_on_the_pages() {
    let house = House::new().await;
    let mut browser = house.browser();
    assert!(
        browser
            .looks("/sign-in")
            .await
            .text
            .contains("href=\"/forgotten\"")
    );
    assert_eq!(browser.looks("/forgotten").await.status, 200);
    let known = browser
        .sends("/forgotten", &[("email", "ada@example.org")])
        .await;
    let unknown = browser
        .sends("/forgotten", &[("email", "bob@example.org")])
        .await;
    assert_eq!(
        (known.status, unknown.status),
        (200.into_status(), 200.into_status())
    );
    assert_eq!(known.text.replace("ada@", "bob@"), unknown.text);
    let wrong = browser.sends("/forgotten", &[("email", "nothing")]).await;
    assert_eq!(wrong.status, 422);
    assert!(
        wrong.text.contains("not an e-mail address"),
        "{}",
        wrong.text
    );

    let link = house.newest_link();
    let page = browser.looks(&link).await;
    assert_eq!(
        (page.status, page.header("cache-control")),
        (200.into_status(), "private, no-store")
    );
    let token = link.split('=').nth(1).unwrap();
    let sends = [("token", token), ("password", "password1234")];
    let page = browser.sends("/reset", &sends).await;
    assert_eq!(page.status, 422);
    assert!(page.text.contains("easy to guess") && !page.text.contains("password1234"));
    let page = browser
        .sends("/reset", &[("token", token), ("password", NEW)])
        .await;
    assert_eq!(page.leads_to(), "/sign-in");
    assert!(
        browser
            .looks("/sign-in")
            .await
            .text
            .contains("Sign in with it.")
    );
    assert_eq!(browser.looks(&link).await.status, 404);
    assert_eq!(
        browser
            .sends("/reset", &[("token", token), ("password", NEW)])
            .await
            .status,
        404
    );
    browser.signs_in("ada@example.org", NEW).await.leads_to();
}

trait IntoStatus {
    fn into_status(self) -> axum::http::StatusCode;
}
impl IntoStatus for u16 {
    fn into_status(self) -> axum::http::StatusCode {
        axum::http::StatusCode::from_u16(self).unwrap()
    }
}

#[tokio::test]
async fn profile_and_password_are_changed_on_their_pages() {
    let house = House::new().await;
    let mut browser = house.adas_browser().await;
    let mut other = house.adas_browser().await;
    let page = browser.looks("/account").await;
    assert!(
        page.text.contains("value=\"ada@example.org\""),
        "{}",
        page.text
    );
    let mut fields = vec![
        ("name", "Ada L."),
        ("time_zone", "Mars"),
        ("email", "ada@example.org"),
    ];
    let page = browser.sends("/account", &fields).await;
    assert_eq!(page.status, 422);
    assert!(page.text.contains("not the name of a time zone") && page.text.contains("Ada L."));
    fields[1].1 = "Europe/Vienna";
    assert_eq!(
        browser.sends("/account", &fields).await.leads_to(),
        "/account"
    );
    let page = browser.looks("/account").await;
    assert!(page.text.contains("Europe/Vienna") && page.text.contains(">Ada L.<"));
    fields[2].1 = "ada.l@example.org";
    fields.push(("current_password", "not this"));
    let page = browser.sends("/account", &fields).await;
    assert_eq!(page.status, 422);
    assert!(page.text.contains("This is not your password.") && !page.text.contains("not this"));

    let wrong = [("current_password", "not this"), ("password", NEW)];
    assert_eq!(browser.sends("/account/password", &wrong).await.status, 422);
    for _ in 0..3 {
        browser.sends("/account/password", &wrong).await;
    }
    let page = browser.sends("/account/password", &wrong).await;
    assert_eq!(
        (page.status, page.header("retry-after")),
        (429.into_status(), "1")
    );
    house.passes(jiff::SignedDuration::from_secs(1));
    let right = [("current_password", PASSWORD), ("password", NEW)];
    let copied = browser.cookies.clone();
    browser.sends("/account/password", &right).await.leads_to();
    let mut thief = house.browser();
    thief.cookies = copied;
    let led = thief.looks("/account").await;
    assert!(
        led.leads_to().starts_with("/sign-in"),
        "the cookie before is worth nothing"
    );
    assert_eq!(browser.looks("/account/password").await.status, 200);
    assert!(
        other
            .looks("/account")
            .await
            .leads_to()
            .starts_with("/sign-in")
    );
}

#[tokio::test]
async fn sessions_and_browsers_are_ended_on_their_page() {
    let house = House::new().await;
    let mut browser = house.adas_browser().await;
    let (mut second, mut third) = (house.adas_browser().await, house.adas_browser().await);
    let page = browser.looks("/account/sessions").await;
    assert!(page.text.contains("Firefox on Linux") && page.text.contains("this session"));
    let page = browser.sends("/account/sessions/2/end", &[]).await;
    assert_eq!(page.leads_to(), "/account/sessions");
    assert!(
        second
            .looks("/account")
            .await
            .leads_to()
            .starts_with("/sign-in")
    );
    browser
        .sends("/account/browsers/3/forget", &[])
        .await
        .leads_to();
    assert!(
        third
            .looks("/account")
            .await
            .leads_to()
            .starts_with("/sign-in")
    );
    let mut fourth = house.adas_browser().await;
    browser.sends("/account/sessions/end", &[]).await.leads_to();
    assert!(
        browser
            .looks("/account/sessions")
            .await
            .text
            .contains("1 other session has ended.")
    );
    assert!(
        fourth
            .looks("/account")
            .await
            .leads_to()
            .starts_with("/sign-in")
    );
    // Nobody ends another's.
    house.person("eve@example.org", "Eve").await;
    let mut eve = house.browser();
    eve.signs_in("eve@example.org", PASSWORD).await.leads_to();
    for path in ["/account/sessions/1/end", "/account/browsers/1/forget"] {
        assert_eq!(eve.sends(path, &[]).await.status, 404);
    }
    assert_eq!(browser.looks("/account").await.status, 200);
}

#[tokio::test]
async fn one_leaves_with_ones_password_and_never_as_the_last_administrator() {
    let house = House::new().await;
    let mut browser = house.adas_browser().await;
    assert_eq!(browser.looks("/account/delete").await.status, 200);
    let page = browser
        .sends("/account/delete", &[("password", PASSWORD)])
        .await;
    assert_eq!(page.status, 409);
    assert!(
        page.text
            .contains("Nobody else is a platform administrator.")
    );
    house.person("eve@example.org", "Eve").await;
    let page = browser
        .sends("/account/delete", &[("password", "not this")])
        .await;
    assert_eq!(page.status, 422);
    let page = browser
        .sends("/account/delete", &[("password", PASSWORD)])
        .await;
    assert_eq!(page.leads_to(), "/sign-in");
    assert_eq!(
        browser.signs_in("ada@example.org", PASSWORD).await.status,
        401
    );
}

#[tokio::test]
async fn exact_times_are_shown_in_ones_own_time_zone() {
    let house = House::new().await;
    let mut browser = house.adas_browser().await;
    let page = browser.looks("/account/sessions").await;
    assert!(
        page.text.contains("Fri 20 Nov 2026 08:00:00 UTC"),
        "{}",
        page.text
    );
    let fields = [
        ("name", "Ada"),
        ("time_zone", "Asia/Tokyo"),
        ("email", "ada@example.org"),
    ];
    browser.sends("/account", &fields).await.leads_to();
    let page = browser.looks("/account/sessions").await;
    assert!(
        page.text.contains("Fri 20 Nov 2026 17:00:00 JST"),
        "{}",
        page.text
    );
    // Nobody else's.
    house.person("eve@example.org", "Eve").await;
    let mut eve = house.browser();
    eve.signs_in("eve@example.org", PASSWORD).await.leads_to();
    let page = eve.looks("/account/sessions").await;
    assert!(page.text.contains("08:00:00 UTC"), "{}", page.text);
}
