//! Exposures in hand: whoever has one, has seen it or puts it aside changes no state, no due time and
//! no count; and a fix that the site's core can't take says so.

use dewline::clock::Clock;
use dewline::demo::history::{Project, Release};
use dewline::store::{Lane, StoreError, memberships};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::browser::sends;
use crate::support::{Answer, EMAIL, Site, TestApp, days_ago, module};

const VIEWER: i64 = 3;

/// A site with an open exposure of the module token, and that exposure's id.
async fn exposed() -> (TestApp, i64, i64) {
    let (house, harbour, ..) = TestApp::exposed().await;
    let found = house.admin().get("/exposures").await.column("id")[0].clone();
    (house, harbour, found.as_i64().unwrap())
}

impl TestApp {
    /// A person who can see the sites of an organization.
    async fn person_of(&self, organization: i64, name: &str) -> i64 {
        let email = format!("{}@example.org", name.to_lowercase());
        let made = json!({"email": email, "name": name, "password": "purple anchor 52 violins"});
        let made = self.admin().post("/users", &made).await.created();
        let id = made["data"]["id"].as_i64().unwrap();
        let write = self.app.store.write(Lane::Front, move |db| {
            memberships::set(db, organization, id, VIEWER, 0, "system")
        });
        let written: Result<(), StoreError> = write.await;
        written.unwrap();
        id
    }

    async fn acts(&self, exposure: i64, what: &str, body: Value) -> Answer {
        let path = format!("/exposures/{exposure}/{what}");
        self.admin().post(&path, &body).await
    }

    /// Everything that counts: the dashboard, the site, and what the list says of state and clock.
    async fn counts(&self) -> Value {
        let mut overview = self.admin().get("/dashboard/overview").await.ok()["data"].clone();
        overview.as_object_mut().unwrap().remove("as_of");
        let site = self.admin().get("/sites/1").await.ok()["data"].clone();
        let list = self.admin().get("/exposures?filter[state]=open").await;
        json!({
            "overview": overview, "site": [site["status"], site["open_exposures"], site["next_due_at"]],
            "states": list.column("state"), "due": list.column("due_at"), "opened": list.column("opened_at"),
        })
    }

    async fn told(&self, exposure: i64) -> Vec<(String, String, String)> {
        let sql = "SELECT kind, actor_name, note FROM exposure_events WHERE exposure_id = ?1 AND actor <> 'system' ORDER BY id";
        let read = self.app.store.read(|db| {
            let mut rows = db.prepare(sql)?;
            let found = rows.query_map([exposure], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
            found.collect::<Result<_, _>>().map_err(StoreError::from)
        });
        read.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_hand_counts_like_what_is_not() {
    let (mut house, harbour, exposure) = exposed().await;
    let mo = house.person_of(harbour, "Mo").await;
    let before = house.counts().await;
    let in_a_week = (house.clock.now() + SignedDuration::from_hours(168)).to_string();

    let given = house
        .acts(exposure, "assign", json!({"user_id": mo}))
        .await
        .ok();
    assert_eq!(given["data"]["assignee"], json!({"id": mo, "name": "Mo"}));
    assert_eq!(given["data"]["assigned_at"], house.clock.now().to_string());
    assert_eq!(house.counts().await, before);

    let seen = house
        .acts(exposure, "acknowledge", json!({"note": "On Tuesday"}))
        .await
        .ok();
    assert_eq!(
        seen["data"]["acknowledged_at"],
        house.clock.now().to_string()
    );
    assert_eq!(house.counts().await, before);

    let snoozed = json!({"until": in_a_week, "reason": "Frozen for the elections"});
    let snoozed = house.acts(exposure, "snooze", snoozed).await.ok();
    assert_eq!(snoozed["data"]["snoozed_until"], in_a_week);
    assert_eq!(snoozed["data"]["state"], "open");
    assert_eq!(house.counts().await, before);
    for (filter, count) in [
        (format!("filter[assignee_id]={mo}"), 1),
        ("filter[assignee_id][null]=true".to_owned(), 0),
        ("filter[snoozed]=true".to_owned(), 1),
        ("filter[snoozed]=false".to_owned(), 0),
        ("filter[acknowledged_at][null]=false".to_owned(), 1),
        ("filter[state]=open".to_owned(), 1),
    ] {
        let found = house.admin().get(&format!("/exposures?{filter}")).await;
        assert_eq!(found.column("id").len(), count, "{filter}");
    }
    let kept = |kind: &str, note: &str| (kind.to_owned(), "Ada".to_owned(), note.to_owned());
    assert_eq!(
        house.told(exposure).await,
        [
            kept("assigned", "Mo"),
            kept("acknowledged", "On Tuesday"),
            kept(
                "snoozed",
                &format!("until {in_a_week}: Frozen for the elections")
            ),
        ]
    );
    house.proves_itself().await;

    // A snooze ends by the clock alone.
    house.waits(SignedDuration::from_hours(168)).await;
    let over = house.admin().get("/exposures?filter[snoozed]=true").await;
    assert_eq!(over.column("id").len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn said_again_it_changes_nothing_and_what_is_put_aside_is_taken_up_again() {
    let (house, harbour, exposure) = exposed().await;
    let mo = house.person_of(harbour, "Mo").await;
    let soon = (house.clock.now() + SignedDuration::from_hours(1)).to_string();
    for (what, body) in [
        ("assign", json!({"user_id": mo})),
        ("assign", json!({"user_id": mo})),
        ("assign", json!({"user_id": null})),
        ("acknowledge", json!({})),
        ("acknowledge", json!({})),
        ("snooze", json!({"until": null})),
        ("snooze", json!({"until": soon, "reason": "later"})),
        ("snooze", json!({"until": null})),
    ] {
        house.acts(exposure, what, body).await.ok();
    }
    let kinds: Vec<String> = house
        .told(exposure)
        .await
        .into_iter()
        .map(|told| told.0)
        .collect();
    assert_eq!(
        kinds,
        ["assigned", "assigned", "acknowledged", "snoozed", "woken"]
    );
    let shown = house
        .admin()
        .get(&format!("/exposures/{exposure}"))
        .await
        .ok();
    for nothing in ["assignee", "assigned_at", "snoozed_until", "snooze_reason"] {
        assert_eq!(shown["data"][nothing], Value::Null, "{nothing}");
    }
    let rows = house
        .admin()
        .get("/audit-logs?filter[subject_kind]=exposure")
        .await;
    assert_eq!(rows.column("id").len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_whoever_sees_the_site_can_have_it_in_hand() {
    let (house, harbour, exposure) = exposed().await;
    let meadow = house.organization("Meadow").await;
    let stranger = house.person_of(meadow, "Stranger").await;
    for user in [stranger, 4_000] {
        let refused = house
            .acts(exposure, "assign", json!({"user_id": user}))
            .await;
        assert_eq!(
            (refused.status.as_u16(), refused.faults()),
            (422, vec!["/user_id not_found".to_owned()])
        );
    }
    let mo = house.person_of(harbour, "Mo").await;
    house
        .acts(exposure, "assign", json!({"user_id": mo}))
        .await
        .ok();
    // Whoever leaves has nothing in hand any more.
    let left = format!("/organizations/{harbour}/members/{mo}");
    assert!(house.admin().delete(&left).await.status.is_success());
    let shown = house
        .admin()
        .get(&format!("/exposures/{exposure}"))
        .await
        .ok();
    assert_eq!(shown["data"]["assignee"], Value::Null);

    let reader = house.key(harbour, &["sites:read"]).await;
    let path = format!("/exposures/{exposure}/acknowledge");
    assert_eq!(
        house.bearer(&reader).post(&path, &json!({})).await.status,
        403
    );
    let foreign = house.key(meadow, &["sites:read", "sites:write"]).await;
    assert_eq!(
        house.bearer(&foreign).post(&path, &json!({})).await.status,
        404
    );
    let writer = house.key(harbour, &["sites:read", "sites:write"]).await;
    house.bearer(&writer).post(&path, &json!({})).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_closed_is_in_nobodys_hand() {
    let (house, _, exposure) = exposed().await;
    let key = house
        .admin()
        .post("/api-keys", &json!({"name": "again", "site_id": 1}))
        .await
        .created();
    let site = Site::known(&house, 1, key["data"]["key"].as_str().unwrap());
    site.syncs(&[("token", "1.0.1")]).await;
    let soon = (house.clock.now() + SignedDuration::from_hours(1)).to_string();
    for (what, body) in [
        ("assign", json!({"user_id": 1})),
        ("acknowledge", json!({})),
        ("snooze", json!({"until": soon, "reason": "later"})),
    ] {
        let refused = house.acts(exposure, what, body).await;
        assert_eq!(
            (
                refused.status.as_u16(),
                &refused.json()["errors"][0]["code"]
            ),
            (409, &json!("closed")),
            "{what}"
        );
    }
    assert_eq!(house.told(exposure).await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_for_a_window_that_closed_meanwhile_touches_no_newer_one() {
    let (mut house, harbour, old) = exposed().await;
    let key = house.key(harbour, &["sync"]).await;
    for version in ["1.0.1", "1.0.0"] {
        house.waits(SignedDuration::from_mins(10)).await;
        Site::known(&house, 1, &key)
            .syncs(&[("token", version)])
            .await;
    }
    let open = house.admin().get("/exposures?filter[state]=open").await;
    let new = open.column("id")[0].as_i64().unwrap();
    assert_ne!(new, old);
    for (what, words) in [
        ("assign", &[("user_id", "1")][..]),
        ("acknowledge", &[("note", "seen")]),
        ("snooze", &[("hours", "24"), ("reason", "later")]),
    ] {
        let path = format!("/exposures/{old}/{what}");
        let browser = house.signed_in(EMAIL).await;
        let answer = sends(&browser, &path, words).await;
        assert_eq!(answer.status, 303);
        let said = answer.header("set-cookie");
        assert!(said.contains("closed"), "{what}: {said}");
    }
    assert_eq!(house.told(old).await.len(), 0);
    assert_eq!(house.told(new).await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_no_longer_see_a_site_has_nothing_of_it_in_hand() {
    let (house, harbour, exposure) = exposed().await;
    let role = async |name: &str, permission: &str| {
        let words = json!({"name": name, "permissions": [permission]});
        house.admin().post("/roles", &words).await.created()["data"]["id"].clone()
    };
    role("Librarian", "modules:read").await;
    let seer = role("Seer", "sites:read").await;
    let place = |user: i64| format!("/organizations/{harbour}/members/{user}");
    let freed = async || -> usize {
        let path = format!("/exposures/{exposure}");
        let shown = house.admin().get(&path).await.ok();
        assert_eq!(shown["data"]["assignee"], Value::Null);
        let told = house.admin().get(&format!("{path}/events")).await.ok();
        let told = told["data"].as_array().unwrap().clone();
        let mut free = told.iter().filter(|event| {
            event["kind"] == "assigned" && event["note"] == "" && event["by"] == Value::Null
        });
        free.by_ref().count()
    };
    for (at, name) in ["Mo", "Kim", "Lou", "Sam", "Tom"].into_iter().enumerate() {
        let user = house.person_of(harbour, name).await;
        if name == "Kim" {
            let seer = json!({"role": "Seer"});
            house.admin().put(&place(user), &seer).await.ok();
        }
        let given = json!({"user_id": user});
        house.acts(exposure, "assign", given).await.ok();
        let admin = house.admin();
        match name {
            "Mo" => {
                let words = json!({"role": "Librarian"});
                admin.put(&place(user), &words).await.ok();
            }
            "Kim" => {
                let words = json!({"permissions": ["modules:read"]});
                admin.put(&format!("/roles/{seer}"), &words).await.ok();
            }
            "Lou" => assert_eq!(admin.delete(&place(user)).await.status, 204),
            "Sam" => assert_eq!(admin.delete(&format!("/users/{user}")).await.status, 204),
            // He goes while the site is away, and it comes back.
            _ => {
                assert_eq!(admin.delete("/sites/1").await.status, 204);
                assert_eq!(admin.delete(&place(user)).await.status, 204);
                admin.post("/sites/1/restore", &json!({})).await.ok();
            }
        }
        assert_eq!(freed().await, at + 1, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_said_is_refused() {
    let (house, _, exposure) = exposed().await;
    let late = (house.clock.now() + SignedDuration::from_hours(24 * 91)).to_string();
    for (what, body, faults) in [
        ("assign", json!({}), vec!["/user_id required"]),
        (
            "assign",
            json!({"user_id": "Mo"}),
            vec!["/user_id wrong_type"],
        ),
        ("snooze", json!({"reason": "x"}), vec!["/until required"]),
        (
            "snooze",
            json!({"until": late, "reason": " "}),
            vec!["/until too_long", "/reason required"],
        ),
        (
            "snooze",
            json!({"until": "soon", "reason": "a\u{202e}b"}),
            vec!["/until not_a_time", "/reason control_character"],
        ),
        (
            "acknowledge",
            json!({"note": "x".repeat(501)}),
            vec!["/note too_long"],
        ),
        (
            "acknowledge",
            json!({"notes": "x"}),
            vec!["/notes unknown_field"],
        ),
    ] {
        let refused = house.acts(exposure, what, body).await;
        assert_eq!(
            (refused.status.as_u16(), refused.faults()),
            (422, faults.iter().map(ToString::to_string).collect())
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fix_that_the_sites_core_cannot_take_says_what_it_needs() {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    let core = |version: &str| Release::new(version, days_ago(10));
    let project = Project::new("drupal", "Drupal core", "project_core", &["11.2.", "11.3."]);
    house.publishes(
        project
            .with(core("11.2.0"))
            .with(core("11.3.0"))
            .with(core("11.3.4")),
    );
    let fix = |version: &str| Release::security(version, days_ago(1));
    house.publishes(module("token").with(fix("1.0.1").needing("^11.3")));
    house.publishes(module("poll").with(fix("1.0.1").needing("^11")));
    house.publishes(module("views_old").with(fix("1.0.1").needing("^10")));
    let site = house.site_of(harbour, "Quay").await;
    site.syncs(&[
        ("token", "1.0.0"),
        ("poll", "1.0.0"),
        ("views_old", "1.0.0"),
    ])
    .await;
    house.run_jobs().await;
    let found = house.admin().get("/exposures?sort=id").await.ok();
    let rows = found["data"].as_array().unwrap();
    let of = |name: &str| {
        let row = rows.iter().find(|row| row["module"] == name).unwrap();
        (
            row["site_core"].clone(),
            row["needs_core"].clone(),
            row["core_to"].clone(),
        )
    };
    assert_eq!(
        of("token"),
        (json!("11.2.0"), json!("^11.3"), json!("11.3.0"))
    );
    assert_eq!(of("poll"), (json!("11.2.0"), Value::Null, Value::Null));
    assert_eq!(
        of("views_old"),
        (json!("11.2.0"), json!("^10"), Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_causes_on_a_site_the_most_urgent_stands_for_the_module() {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    house.publishes(
        module("token")
            .with(Release::security("1.0.1", days_ago(9)))
            .with(Release::security("1.0.2", days_ago(2))),
    );
    let site = house.site_of(harbour, "Quay").await;
    site.syncs(&[("token", "1.0.0")]).await;
    house.run_jobs().await;
    let all = house
        .admin()
        .get("/exposures?filter[state]=open&sort=due_at,id")
        .await;
    let first = house
        .admin()
        .get("/exposures?filter[most_urgent]=true")
        .await;
    let others = house
        .admin()
        .get("/exposures?filter[most_urgent]=false")
        .await;
    let open = all.column("id");
    assert_eq!(first.column("id"), open[..1]);
    assert_eq!(others.column("id").len(), open.len() - 1);
    assert_eq!(
        house.admin().get("/sites/1").await.ok()["data"]["open_exposures"],
        1
    );
}
