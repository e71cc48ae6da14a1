//! The audit log: whatever changes something leaves a row, without secrets; each organization reads its
//! own rows; and what a list can be asked.

use std::collections::BTreeSet;

use axum::http::Method;
use dewline::domain::access::Actor;
use dewline::domain::audit::ACTIONS;
use dewline::services::admins;
use dewline::services::import_catalogue::{self, Carried, CarriedProject, Content};
use dewline::store::StoreError;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{Answer, Client, EMAIL, PASSWORD, Site, TestApp, module};

/// What the API changes: the operation, where, with what, and the rows that it leaves.
#[rustfmt::skip]
fn calls() -> Vec<(&'static str, &'static str, Value, &'static [&'static str])> {
    vec![
        ("create_organization", "/organizations", json!({"name": "Tower"}), &["organization.created"]),
        ("update_organization", "/organizations/2", json!({"notes": "calls on Mondays"}), &["organization.updated"]),
        ("update_sla_policy", "/organizations/2/sla-policy", json!({"environments": {"staging": {"calendar": "none"}}}), &["sla_policy.updated"]),
        ("delete_organization", "/organizations/2", Value::Null, &["organization.deleted"]),
        ("restore_organization", "/organizations/2/restore", json!({}), &["organization.restored"]),
        ("create_site", "/sites", json!({"name": "Quay", "url": "https://quay.example.org", "organization_id": 1}), &["site.created"]),
        ("update_site", "/sites/2", json!({"tags": ["shop"]}), &["site.updated"]),
        ("delete_site", "/sites/2", Value::Null, &["site.deleted"]),
        ("restore_site", "/sites/2/restore", json!({}), &["site.restored"]),
        ("announce_patch_run", "/patch-runs", json!({"site_id": 1, "ticket": "OPS-7", "started_at": "2026-11-20T07:59:00Z"}), &["patch_run.announced"]),
        ("create_module", "/modules", json!({"module_name": "pathauto", "title": "Pathauto"}), &["module.created"]),
        ("update_module", "/modules/3", json!({"title": "Aliases"}), &["module.updated"]),
        ("delete_module", "/modules/3", Value::Null, &["module.deleted"]),
        ("restore_module", "/modules/3/restore", json!({}), &["module.restored"]),
        ("refresh_module", "/modules/2/refresh", json!({}), &["module.refreshed"]),
        ("create_api_key", "/api-keys", json!({"name": "Reports", "organization_id": 1, "scopes": ["sites:read"]}), &["api_key.created"]),
        ("update_api_key", "/api-keys/2", json!({"name": "Monthly", "networks": ["192.0.2.0/24"]}), &["api_key.updated"]),
        ("rotate_api_key", "/api-keys/2/rotate", json!({"grace_minutes": 5}), &["api_key.rotated"]),
        ("revoke_api_key", "/api-keys/2", Value::Null, &["api_key.revoked"]),
        ("create_user", "/users", json!({"email": "vic@example.org", "name": "Vic", "password": "purple anchor 52 violins"}), &["user.created"]),
        ("update_user", "/users/2", json!({"name": "Victor"}), &["user.updated"]),
        ("delete_user", "/users/2", Value::Null, &["user.deleted"]),
        ("restore_user", "/users/2/restore", json!({}), &["user.restored"]),
        ("add_member", "/organizations/1/members", json!({"email": "kim@example.org", "name": "Kim", "role": "viewer"}), &["user.invited"]),
        ("renew_invitation", "/users/3/invite", json!({}), &["user.invited"]),
        ("update_member", "/organizations/1/members/3", json!({"role": "manager"}), &["member.changed"]),
        ("remove_member", "/organizations/1/members/3", Value::Null, &["member.removed"]),
        ("create_role", "/roles", json!({"name": "Editor", "organization_id": 1, "permissions": ["sites:read"]}), &["role.created"]),
        ("update_role", "/roles/4", json!({"permissions": []}), &["role.updated"]),
        ("delete_role", "/roles/4", Value::Null, &["role.deleted"]),
        ("login", "/auth/login", json!({"email": EMAIL, "password": PASSWORD}), &["session.opened"]),
        // Last: it ends the session through which all this is asked.
        ("logout", "/auth/logout", json!(null), &["session.ended"]),
    ]
}

/// What changes something and leaves no row, and why.
const KEPT_ELSEWHERE: [(&str, &str); 12] = [
    (
        "assign_exposure",
        "leaves a row; takes an open exposure: tried in in_hand.rs",
    ),
    ("acknowledge_exposure", "likewise"),
    ("snooze_exposure", "likewise"),
    (
        "sync_site",
        "what a site sends is kept as syncs, events and patch runs",
    ),
    ("sync_site_from_composer_lock", "likewise"),
    (
        "refresh",
        "goes on with a session whose opening has its row; a token sent twice has one, too",
    ),
    (
        "set_up_two_factor",
        "nothing is on until the app's first code",
    ),
    (
        "enable_two_factor",
        "takes an app's code: tried with a person's phone",
    ),
    ("disable_two_factor", "likewise"),
    ("make_backup_codes", "likewise"),
    ("verify_two_factor", "likewise"),
    ("reset_two_factor", "likewise"),
];

/// What a person changes about himself: it would end the session through which all this is asked. Its rows
/// are held in `accounts/own_account.rs` and `accounts/reset.rs`.
const OF_ONESELF: [&str; 9] = [
    "change_password",
    "delete_me",
    "end_other_sessions",
    "end_session",
    "forgot_password",
    "leave_organization",
    "reset_password",
    "revoke_device",
    "update_me",
];

/// What pages change: where, with which fields, and the rows that it leaves.
#[rustfmt::skip]
const FORMS: &[(&str, &str, &str, &[&str])] = &[
    ("/organizations/new", "/organizations/new", "name=Tower", &["organization.created"]),
    ("/organizations/{id}", "/organizations/2", "name=Tower&notes=calls", &["organization.updated"]),
    ("/organizations/{id}/sla", "/organizations/2/sla", "staging_calendar=none&holidays=2026-12-25", &["sla_policy.updated"]),
    ("/organizations/{id}/delete", "/organizations/2/delete", "", &["organization.deleted"]),
    ("/organizations/{id}/restore", "/organizations/2/restore", "", &["organization.restored"]),
    ("/sites/new", "/sites/new", "name=Quay&url=https://quay.example.org&organization_id=1&environment=production&sync_interval_minutes=60", &["site.created", "api_key.created"]),
    ("/sites/{id}/settings", "/sites/2/settings", "name=Quay&url=https://quay.example.org&environment=production&sync_interval_minutes=30", &["site.updated"]),
    ("/sites/{id}/connect", "/sites/2/connect", "", &["api_key.created"]),
    ("/sites/{id}/keys", "/sites/2/keys", "name=other", &["api_key.created"]),
    ("/sites/{id}/delete", "/sites/2/delete", "", &["site.deleted"]),
    ("/sites/{id}/restore", "/sites/2/restore", "", &["site.restored"]),
    ("/sites/{id}/stranger", "/sites/1/stranger", "is=moved", &["site.moved"]),
    ("/api-keys", "/api-keys", "name=Reports&organization_id=1&scopes=sites:read", &["api_key.created"]),
    ("/api-keys/{id}", "/api-keys/1", "name=Renamed", &["api_key.updated"]),
    ("/api-keys/{id}/rotate", "/api-keys/1/rotate", "", &["api_key.rotated"]),
    ("/api-keys/{id}/revoke", "/api-keys/1/revoke", "", &["api_key.revoked"]),
    ("/modules/new", "/modules/new", "module_name=pathauto&title=Pathauto&type=module", &["module.created"]),
    ("/modules/{id}/settings", "/modules/3/settings", "title=Aliases&type=module", &["module.updated"]),
    ("/modules/{id}/delete", "/modules/3/delete", "", &["module.deleted"]),
    ("/modules/{id}/restore", "/modules/3/restore", "", &["module.restored"]),
    ("/modules/{id}/refresh", "/modules/2/refresh", "", &["module.refreshed"]),
    ("/users/invite", "/users/invite", "name=Pat&email=pat%40example.org&organization_id=1&role=3", &["user.invited"]),
    ("/notifications/{id}/link", "/notifications/1/link", "", &["notification.link_shown"]),
    ("/users/{id}", "/users/2", "name=Patricia&email=pat%40example.org&time_zone=Europe/Vienna", &["user.updated"]),
    ("/users/{id}/invite", "/users/2/invite", "", &["user.invited"]),
    ("/users/{id}/delete", "/users/2/delete", "", &["user.deleted"]),
    ("/users/{id}/restore", "/users/2/restore", "", &["user.restored"]),
    ("/organizations/{id}/members", "/organizations/1/members", "name=Kim&email=kim%40example.org&role=3", &["user.invited"]),
    ("/organizations/{id}/members/{user_id}", "/organizations/1/members/3", "role=2", &["member.changed"]),
    ("/organizations/{id}/members/{user_id}/remove", "/organizations/1/members/3/remove", "", &["member.removed"]),
    ("/roles/new", "/roles/new", "name=Editor&organization_id=1&permissions=sites:read", &["role.created"]),
    ("/roles/{id}", "/roles/4", "name=Writer&permissions=sites:read", &["role.updated"]),
    ("/roles/{id}/delete", "/roles/4/delete", "", &["role.deleted"]),
    ("/sign-in", "/sign-in", "email=ada%40example.org&password=correct+horse+battery", &["session.opened", "session.ended"]),
    // Last: these end the session through which all this is asked.
    ("/sign-out", "/sign-out", "", &["session.ended"]),
];

/// Pages that change something and are tried apart, and why.
const TRIED_APART: [(&str, &str); 22] = [
    (
        "/exposures/{id}/assign",
        "takes an open exposure: by the same services as in in_hand.rs",
    ),
    ("/exposures/{id}/acknowledge", "likewise"),
    ("/exposures/{id}/snooze", "likewise"),
    (
        "/users/{id}/second-step",
        "needs somebody who has one: two_factor.reset",
    ),
    (
        "/account",
        "one's own: by the same services as the calls of OF_ONESELF",
    ),
    ("/account/browsers/{id}/forget", "likewise"),
    ("/account/delete", "likewise"),
    ("/account/password", "likewise"),
    ("/account/sessions/end", "likewise"),
    ("/account/sessions/{id}/end", "likewise"),
    (
        "/account/organizations/{organization_id}/leave",
        "likewise, in accounts/people.rs",
    ),
    ("/forgotten", "likewise"),
    ("/invitation", "likewise, in accounts/invitations.rs"),
    ("/reset", "likewise"),
    ("/set-up", "there must be nobody yet"),
    ("/sites/import", "takes a file"),
    (
        "/sign-in/code",
        "takes an app's code: tried with a person's phone",
    ),
    (
        "/account/two-factor/set-up",
        "nothing is on until the app's first code",
    ),
    ("/account/two-factor/enable", "takes an app's code"),
    ("/account/two-factor/codes", "likewise"),
    ("/account/two-factor/disable", "likewise"),
    ("/theme", "changes a cookie of the browser, nothing here"),
];

/// An organization with a site that runs a module of drupal.org.
async fn house() -> TestApp {
    let house = TestApp::start().await;
    let harbour = house.organization("Harbour").await;
    house.publishes(module("token"));
    let site = house.site_of(harbour, "Town hall").await;
    site.sends(&from("https://www.example.org")).await.ok();
    house.run_jobs().await;
    house
}

/// An inventory of the installation at this address.
fn from(url: &str) -> Value {
    let mut inventory = Site::inventory(&[("token", "1.0.0")]);
    inventory["site"] = json!({"url": url});
    inventory
}

impl TestApp {
    /// The whole record, the oldest first.
    async fn record(&self) -> Vec<Value> {
        let answer = self.admin().get("/audit-logs?sort=id&per_page=200").await;
        answer.ok()["data"].as_array().unwrap().clone()
    }

    /// The rows that were left since there were so many.
    async fn rows_since(&self, known: usize) -> Vec<Value> {
        self.record().await.split_off(known)
    }
}

/// Sends a form as a browser does.
async fn posts(client: &Client<'_>, path: &str, form: &str) -> Answer {
    let client = client
        .clone()
        .with("content-type", "application/x-www-form-urlencoded");
    let path = format!("/{path}");
    client
        .send(Method::POST, &path, Some(form.as_bytes().to_vec()))
        .await
}

fn actions(rows: &[Value]) -> Vec<&str> {
    rows.iter()
        .map(|row| row["action"].as_str().unwrap())
        .collect()
}

/// Who did it, from where, on whose request, and what was and is: nothing of it is left out.
fn is_whole(row: &Value, what: &str) {
    assert_eq!(
        row["actor"],
        json!({"kind": "user", "id": 1, "name": "Ada"}),
        "{what}"
    );
    assert_eq!(
        (&row["status"], &row["address"]),
        (&json!("done"), &json!("203.0.113.9")),
        "{what}"
    );
    assert!(
        row["request_id"].as_str().is_some_and(|id| !id.is_empty()),
        "{what}"
    );
    assert!(row["subject"]["id"].is_i64(), "{what}: {row}");
    let action = row["action"].as_str().unwrap();
    let (kind, verb) = action.split_once('.').unwrap();
    assert_eq!(row["subject"]["kind"], kind, "{what}");
    let (before, after) = match verb {
        "announced" | "created" | "restored" | "opened" | "invited" | "link_shown" => (false, true),
        "deleted" | "revoked" | "removed" => (true, false),
        "updated" | "rotated" | "moved" | "changed" => (true, true),
        _ => (false, false),
    };
    assert_eq!(row["data"]["before"].is_object(), before, "{what}: {row}");
    assert_eq!(row["data"]["after"].is_object(), after, "{what}: {row}");
    assert_ne!(
        (row["data"]["before"].clone(), true),
        (row["data"]["after"].clone(), before && after),
        "{what} changed something"
    );
    let of_tenant = matches!(
        kind,
        "organization"
            | "sla_policy"
            | "site"
            | "patch_run"
            | "api_key"
            | "member"
            | "role"
            | "notification"
    ) || action == "user.invited";
    assert_eq!(row["organization_id"].is_i64(), of_tenant, "{what}: {row}");
    assert!(
        ACTIONS.iter().any(|(known, _)| *known == action),
        "{action} has no words"
    );
}

#[tokio::test]
async fn every_call_that_changes_something_leaves_a_row() {
    let house = house().await;
    let worker = house.signs_in().await;
    let routes = dewline::http::routes();
    let mut told = Vec::new();
    for (name, path, body, left) in calls() {
        let route = routes
            .iter()
            .find(|route| route.operation.name == name)
            .unwrap();
        let known = house.record().await.len();
        let body = (!body.is_null()).then(|| body.to_string().into_bytes());
        let answer = house
            .bearer(&worker)
            .send(route.method.clone(), path, body)
            .await;
        assert!(answer.status.is_success(), "{name}: {}", answer.text);
        told.push(answer);
        let rows = house.rows_since(known).await;
        assert_eq!(actions(&rows), left, "{name}");
        rows.iter().for_each(|row| is_whole(row, name));
    }
    let tried: BTreeSet<&str> = calls().iter().map(|(name, ..)| *name).collect();
    let excused = KEPT_ELSEWHERE.iter().map(|(name, _)| *name);
    let changing: BTreeSet<&str> = routes
        .iter()
        .filter(|route| route.method != Method::GET)
        .map(|route| route.operation.name)
        .collect();
    assert_eq!(
        tried
            .into_iter()
            .chain(excused)
            .chain(OF_ONESELF)
            .collect::<BTreeSet<_>>(),
        changing
    );
    holds_no_secret(&house, &told).await;
}

/// No key, token or password that was sent or told stands in the record.
async fn holds_no_secret(house: &TestApp, told: &[Answer]) {
    let record = house.admin().get("/audit-logs?per_page=200").await;
    let mut secrets = vec![PASSWORD.to_owned()];
    for answer in told {
        let data = &answer.json()["data"];
        for name in ["key", "access_token", "refresh_token"] {
            // A key's beginning is there to recognise it.
            secrets.extend(data[name].as_str().map(|secret| secret[12..].to_owned()));
        }
    }
    assert!(secrets.len() >= 5, "keys and tokens were told");
    for secret in secrets {
        assert!(!record.text.contains(&secret), "{secret}");
    }
    assert!(!record.text.contains("argon2"));
}

#[tokio::test]
async fn every_form_that_changes_something_leaves_its_rows() {
    let house = house().await;
    let mut browser = house.signed_in(EMAIL).await;
    for (place, path, form, left) in FORMS {
        if place.ends_with("/stranger") {
            let key = house.key(1, &["sync"]).await;
            let elsewhere = from("https://copy.example.org");
            let refused = house
                .bearer(&key)
                .post("/sites/1/modules/sync", &elsewhere)
                .await;
            assert_eq!(refused.status, 409, "{}", refused.text);
        }
        if *place == "/sign-out" {
            browser = house.signed_in(EMAIL).await;
        }
        let known = house.record().await.len();
        let answer = posts(&browser, path, form).await;
        assert_eq!(answer.status, 303, "{place}: {}", answer.text);
        let rows = house.rows_since(known).await;
        assert_eq!(actions(&rows), *left, "{place}");
        rows.iter().for_each(|row| is_whole(row, place));
    }
    let tried = FORMS.iter().map(|(place, ..)| *place);
    let excused = TRIED_APART.iter().map(|(place, _)| *place);
    let forms: BTreeSet<&str> = dewline::http::pages()
        .iter()
        .filter(|page| page.method == Method::POST)
        .map(|page| page.path)
        .collect();
    assert_eq!(tried.chain(excused).collect::<BTreeSet<_>>(), forms);
}

#[tokio::test]
async fn each_thing_that_a_file_makes_has_its_row() {
    let house = house().await;
    let known = house.record().await.len();
    let file = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n\
                name,url,organization\nQuay,https://quay.example.org,Tower\r\n--x--\r\n";
    let browser = house.signed_in(EMAIL).await;
    let answer = browser
        .with("content-type", "multipart/form-data; boundary=x")
        .send(
            Method::POST,
            "//sites/import",
            Some(file.as_bytes().to_vec()),
        )
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let rows = house.rows_since(known).await;
    assert_eq!(
        actions(&rows),
        [
            "session.opened",
            "organization.created",
            "site.created",
            "api_key.created"
        ]
    );
    rows.iter().for_each(|row| is_whole(row, "an import"));
}

#[tokio::test]
async fn what_is_refused_changes_nothing_and_leaves_no_row() {
    let house = house().await;
    let known = house.record().await.len();
    for (path, body, status) in [
        ("/organizations", json!({"name": "Harbour"}), 409),
        ("/organizations", json!({"name": ""}), 422),
        ("/sites", json!({"name": "x", "organization_id": 99}), 422),
        ("/sites/9/restore", json!({}), 404),
    ] {
        assert_eq!(
            house.admin().post(path, &body).await.status,
            status,
            "{path}"
        );
    }
    assert_eq!(house.rows_since(known).await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_sign_in_that_fails_is_on_record_whatever_was_typed() {
    let house = TestApp::start().await;
    let known = house.record().await.len();
    let too_long = "x".repeat(5_000);
    for (email, password) in [
        (EMAIL, "wrong horse battery"),
        ("nobody@example.org", PASSWORD),
        (EMAIL, &too_long),
        ("a password typed into the wrong field", PASSWORD),
    ] {
        let words = json!({"email": email, "password": password});
        let answer = house.anonymous().post("/auth/login", &words).await;
        assert_eq!(answer.status, 401, "{email}");
    }
    let rows = house.rows_since(known).await;
    let typed: Vec<&Value> = rows
        .iter()
        .map(|row| &row["data"]["after"]["email"])
        .collect();
    assert_eq!(
        typed,
        [
            &json!(EMAIL),
            &json!("nobody@example.org"),
            &json!(EMAIL),
            &Value::Null
        ]
    );
    for row in &rows {
        assert_eq!(
            (&row["action"], &row["status"]),
            (&json!("session.opened"), &json!("refused"))
        );
        assert_eq!(
            row["actor"],
            json!({"kind": "stranger", "id": null, "name": ""})
        );
        assert_eq!(row["subject"], json!({"kind": "session", "id": null}));
        assert_eq!(row["address"], "203.0.113.9");
    }
}

#[tokio::test]
async fn what_is_done_on_the_machine_itself_is_on_record() {
    let house = TestApp::start().await;
    let known = house.record().await.len();
    let absent = Carried::Project(CarriedProject {
        project: "poll".to_owned(),
        content: Content::NoSuchProject,
        made_at: 0,
    });
    import_catalogue::take(&house.app, &Actor::System, vec![absent])
        .await
        .unwrap();
    let password = "another horse battery".into();
    admins::reset_password(&house.app, &Actor::System, EMAIL, &password)
        .await
        .unwrap();
    let words = json!({"email": EMAIL, "password": "another horse battery"});
    let token = house.anonymous().post("/auth/login", &words).await.ok();
    let token = token["data"]["access_token"].as_str().unwrap().to_owned();
    let answer = house.bearer(&token).get("/audit-logs?sort=id").await;
    let rows = answer.ok()["data"]
        .as_array()
        .unwrap()
        .clone()
        .split_off(known);
    assert_eq!(
        actions(&rows),
        [
            "catalogue.imported",
            "user.password_reset",
            "session.opened"
        ]
    );
    assert_eq!(rows[0]["data"]["after"]["unknown_to_drupal_org"], 1);
    assert_eq!(rows[1]["subject"], json!({"kind": "user", "id": 1}));
    for row in &rows[..2] {
        assert_eq!(
            row["actor"],
            json!({"kind": "system", "id": null, "name": "Dewline"})
        );
        assert_eq!(
            (&row["address"], &row["request_id"]),
            (&Value::Null, &Value::Null)
        );
    }
    assert!(!answer.text.contains("another horse"));
}

#[tokio::test]
async fn an_organization_reads_its_own_rows_and_nobody_elses() {
    let house = house().await;
    let tower = house.organization("Tower").await;
    house.site_of(tower, "Bell").await;
    let key = house
        .key(1, &["audit:read", "sites:write", "modules:write"])
        .await;
    let client = house.bearer(&key);
    client.put("/sites/1", &json!({"notes": "seen"})).await.ok();
    let refreshed = client.post("/modules/2/refresh", &json!({})).await;
    assert_eq!(refreshed.status, 202, "{}", refreshed.text);

    let seen = client.get("/audit-logs?per_page=200").await;
    let rows = seen.ok()["data"].as_array().unwrap().clone();
    assert_eq!(
        actions(&rows),
        [
            "module.refreshed",
            "site.updated",
            "api_key.created",
            "api_key.created",
            "site.created",
            "organization.created"
        ]
    );
    assert!(rows.iter().all(|row| row["organization_id"] == 1));
    assert_eq!(
        rows[1]["actor"],
        json!({"kind": "key", "id": 3, "name": "a key"})
    );
    assert_eq!(rows[1]["site_id"], 1);
    for path in [
        "/audit-logs?filter[organization_id]=2",
        "/audit-logs?filter[organization_id][ne]=1",
        "/audit-logs?filter[organization_id][null]=true",
        "/audit-logs?filter[site_id]=2",
        "/audit-logs?filter[action]=session.opened",
        "/audit-logs?filter[actor][contains]=nobody",
    ] {
        let answer = client.get(path).await;
        assert_eq!(answer.ok()["meta"]["pagination"]["total"], 0, "{path}");
    }
    for path in [
        "/audit-logs?format=csv",
        "/audit-logs?sort=id",
        "/audit-logs?filter[id][gt]=1",
    ] {
        let answer = client.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        for word in ["Tower", "Bell", "session"] {
            assert!(!answer.text.contains(word), "{path} tells {word}");
        }
    }
    let without = house.key(1, &["sites:read"]).await;
    assert_eq!(house.bearer(&without).get("/audit-logs").await.status, 403);
    let of_site = Site::known(&house, 1, &house.site_of(1, "Pier").await.key).key;
    assert_eq!(house.bearer(&of_site).get("/audit-logs").await.status, 403);
    assert_eq!(house.anonymous().get("/audit-logs").await.status, 401);
}

#[tokio::test]
async fn what_was_deleted_stays_on_record() {
    let house = house().await;
    house.admin().delete("/sites/1").await;
    house.admin().delete("/organizations/1").await;
    let rows = house
        .admin()
        .get("/audit-logs?filter[organization_id]=1")
        .await
        .ok();
    let rows = rows["data"].as_array().unwrap().clone();
    assert_eq!(
        actions(&rows)[..2],
        ["organization.deleted", "site.deleted"]
    );
    assert_eq!(rows[1]["data"]["before"]["name"], "Town hall");
}

#[tokio::test]
async fn the_record_is_asked_by_who_what_whose_where_from_and_when() {
    let house = house().await;
    house.clock.advance(SignedDuration::from_mins(5));
    let words = json!({"email": EMAIL, "password": "wrong horse battery"});
    let elsewhere = house.anonymous().from("2001:db8::7");
    let request = elsewhere
        .with("x-request-id", "a-request")
        .post("/auth/login", &words)
        .await;
    assert_eq!(request.status, 401);
    house
        .admin()
        .put("/sites/1", &json!({"notes": "seen"}))
        .await
        .ok();
    // 1 Ada is made, 2 signs in, 3 organization, 4 site, 5 key, 6 fails to sign in, 7 changes the site.
    for (asked, expected) in [
        ("", &[7, 6, 5, 4, 3, 2, 1][..]),
        ("sort=id", &[1, 2, 3, 4, 5, 6, 7]),
        ("sort=created_at", &[1, 2, 3, 4, 5, 6, 7]),
        ("filter[actor]=ADA", &[7, 5, 4, 3, 2]),
        ("filter[actor][contains]=dew", &[1]),
        ("filter[actor_kind]=stranger", &[6]),
        (
            "filter[actor_kind]=user&filter[actor_id]=1",
            &[7, 5, 4, 3, 2],
        ),
        ("filter[actor_id][null]=true", &[6, 1]),
        ("filter[action]=site.updated", &[7]),
        ("filter[action][starts_with]=site.", &[7, 4]),
        ("filter[action][in]=site.created,api_key.created", &[5, 4]),
        ("filter[subject_kind]=site&filter[subject_id]=1", &[7, 4]),
        ("filter[organization_id]=1", &[7, 5, 4, 3]),
        ("filter[organization_id][null]=true", &[6, 2, 1]),
        ("filter[site_id]=1", &[7, 5, 4]),
        ("filter[status]=refused", &[6]),
        ("filter[address]=2001:db8::7", &[6]),
        ("filter[address][starts_with]=203.0.113.", &[7, 5, 4, 3, 2]),
        ("filter[request_id]=a-request", &[6]),
        ("filter[created_at][gt]=2026-11-20T08:00:00Z", &[7, 6]),
        (
            "filter[created_at][lte]=2026-11-20T08:00:00Z",
            &[5, 4, 3, 2, 1],
        ),
        ("filter[created_at]=2026-11-20", &[7, 6, 5, 4, 3, 2, 1]),
        ("filter[created_at][lt]=2026-11-20", &[]),
        ("filter[id][gt]=5&sort=id", &[6, 7]),
    ] {
        let answer = house.admin().get(&format!("/audit-logs?{asked}")).await;
        assert_eq!(answer.column("id"), expected, "{asked}");
    }
    let wrong = house
        .admin()
        .get("/audit-logs?filter[secret]=x&filter[status]=lost&sort=actor")
        .await;
    assert_eq!(wrong.status, 400);
    assert_eq!(
        wrong.faults(),
        [
            "?filter[secret] unknown_field",
            "?filter[status] invalid",
            "?sort unknown_field"
        ]
    );
}

#[tokio::test]
async fn the_page_says_in_words_what_was_done_and_what_differs() {
    let house = house().await;
    let tower = house.organization("<b>Tower</b>").await;
    let browser = house.signed_in(EMAIL).await;
    let path = "/sites/1/settings";
    let form = "name=Town+hall&url=https://town-hall.example.org&environment=production&sync_interval_minutes=15&notes=%3Cscript%3Ealert(1)%3C/script%3E";
    assert_eq!(posts(&browser, path, form).await.status, 303);
    let words = json!({"email": "eve@example.org", "password": "wrong horse battery"});
    house.anonymous().post("/auth/login", &words).await;

    let page = browser.get("//audit").await;
    assert_eq!(page.status, 200, "{}", page.text);
    for said in [
        "Tried to sign in: eve@example.org <span class=\"chip unknown\">refused</span>",
        "Somebody unknown",
        ">Changed a site: <a",
        "<dt>Sync interval minutes</dt><dd><del><span class=\"vh\">was </span>60</del>",
        "<ins><span class=\"vh\">is </span>15</ins>",
        "&#60;script&#62;alert(1)",
        "<dt>From</dt><dd>the machine itself</dd>",
    ] {
        assert!(page.text.contains(said), "{said}\n{}", page.text);
    }
    // Where it was made all is said; of the change only what differs.
    let told = page.text.matches("https://town-hall.example.org").count();
    assert_eq!(told, 1);
    assert!(!page.text.contains("<b>Tower</b>") && !page.text.contains("<script>alert"));

    let narrowed = format!(
        "//audit?filter[action]=organization.created&filter[organization_id]={tower}&filter[created_at][gte]=2026-11-20"
    );
    let page = browser.get(&narrowed).await;
    assert!(page.text.contains(">1 row<"), "{}", page.text);
    for chip in [
        "<span>What</span>Made an organization",
        "<span>Organization</span>&#60;b&#62;Tower",
        "<span>From</span>2026-11-20",
    ] {
        assert!(page.text.contains(chip), "{chip}\n{}", page.text);
    }
    let nothing = browser.get("//audit?filter[actor][contains]=nobody").await;
    assert!(
        nothing
            .text
            .contains("Nothing on record fits all filters at once.")
    );
    assert_eq!(browser.get("//audit?filter[colour]=red").await.status, 422);
    let stranger = house.anonymous().get("//audit").await;
    assert_eq!(
        (stranger.status.as_u16(), stranger.header("location")),
        (303, "/sign-in?next=%2Faudit")
    );
}

#[tokio::test]
async fn the_page_is_a_file_too_with_all_rows_that_match() {
    let house = TestApp::start().await;
    for number in 1..=30 {
        house.organization(&format!("=Tower {number}")).await;
    }
    let browser = house.signed_in(EMAIL).await;
    let file = browser
        .get("//audit?format=csv&filter[action]=organization.created&sort=id")
        .await;
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert!(file.header("content-disposition").contains("audit-log.csv"));
    let lines: Vec<&str> = file.text.trim_end().split("\r\n").collect();
    assert_eq!(lines.len(), 31);
    assert!(lines[0].starts_with("id,created_at,actor_kind,actor_id,actor,action,"));
    assert!(
        lines[1].starts_with(
            "3,2026-11-20T08:00:00Z,user,1,Ada,organization.created,organization,1,1,,done,,"
        ),
        "{}",
        lines[1]
    );
    assert!(lines[1].contains("=Tower 1") && !lines[1].contains(",=Tower"));
}

/// The ids in a file, in its order.
fn ids_of(file: &Answer) -> Vec<i64> {
    assert_eq!(file.status, 200, "{}", file.text);
    let mut reader = csv::Reader::from_reader(file.text.as_bytes());
    let rows = reader.records().map(|row| row.unwrap());
    rows.map(|row| row[0].parse().unwrap()).collect()
}

/// So many rows of the same second, put into the record past the program.
async fn fills(house: &TestApp, rows: u32) {
    let sql = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 999 + {rows})
         INSERT INTO audit_logs (id, created_at, actor_kind, actor_name, action, subject_kind, status, data, address, request_id, hash)
           SELECT i, 1795161600000, 'system', 'dewline', 'user.created', 'user', 'done', '{{}}', '', '', x'00' FROM n"
    );
    crate::matrix::town::changes(house, sql).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_holds_each_row_once_while_rows_are_appended() {
    let house = TestApp::with(|config| config.rate_limits.enabled = false).await;
    fills(&house, 700).await;
    let browser = house.signed_in(EMAIL).await;
    let appends = async {
        for number in 0..40 {
            house.organization(&format!("Tower {number}")).await;
            tokio::task::yield_now().await;
        }
    };
    let reads = async {
        for _ in 0..10 {
            let mut ids = ids_of(&browser.get("//audit?format=csv").await);
            assert!(ids.len() > 700);
            let newest = ids[0];
            assert!(ids.is_sorted_by(|a, b| a > b), "the newest first");
            ids.reverse();
            // Whatever stands in the record up to the newest row of the file is in the file.
            let known = format!("SELECT count(*) FROM audit_logs WHERE id <= {newest}");
            let known = crate::matrix::town::number(&house, &known);
            assert_eq!(i64::try_from(ids.len()).unwrap(), known);
        }
    };
    tokio::join!(appends, reads);
    let oldest_first = ids_of(&browser.get("//audit?format=csv&sort=id").await);
    assert!(oldest_first.is_sorted_by(|a, b| a < b));
}

#[tokio::test]
async fn a_file_that_does_not_hold_all_rows_says_so() {
    let house = TestApp::start().await;
    fills(&house, 50_000).await;
    let browser = house.signed_in(EMAIL).await;
    let few = browser.get("//audit?format=csv&filter[actor]=Ada").await;
    let named = few.header("content-disposition");
    assert!(named.contains("\"audit-log.csv\""), "{named}");
    let exactly = browser
        .get("//audit?format=csv&filter[action]=user.created&filter[actor_kind]=system&filter[id][gte]=1000")
        .await;
    assert_eq!(ids_of(&exactly).len(), 50_000);
    let named = exactly.header("content-disposition");
    assert!(named.contains("\"audit-log.csv\""), "{named}");
    let all = browser.get("//audit?format=csv").await;
    assert_eq!(ids_of(&all).len(), 50_000);
    let named = all.header("content-disposition");
    assert!(named.contains("only-the-first-50000-rows"), "{named}");
    let page = browser.get("//audit").await.text;
    assert!(page.contains("a file holds the first 50,000"), "{page}");
}

#[tokio::test]
async fn each_row_tells_its_seal() {
    let house = house().await;
    let sealed: Vec<String> = house
        .app
        .store
        .read(|db| {
            let mut prepared = db.prepare("SELECT lower(hex(hash)) FROM audit_logs ORDER BY id")?;
            let rows = prepared.query_map([], |row| row.get(0))?;
            Ok::<_, StoreError>(rows.collect::<rusqlite::Result<_>>()?)
        })
        .unwrap();
    let told: Vec<Value> = house
        .record()
        .await
        .iter()
        .map(|row| row["hash"].clone())
        .collect();
    assert_eq!(told, sealed);
    assert_eq!(sealed[0].len(), 64);
}
