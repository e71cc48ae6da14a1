//! Roles: who makes them, what can be in them, and that what they say counts at the next request.

use serde_json::json;

use super::browser::Browser;
use super::people::{Cast, id};
use crate::support::{EMAIL, PASSWORD};

#[tokio::test]
async fn everybody_reads_what_can_be_allowed_and_the_roles_of_his_own_organizations() {
    let cast = Cast::gathers().await;
    let words = cast.viewer().get("/permissions").await.column("name");
    assert_eq!(words.len(), 18);
    assert!(words.contains(&json!("sites:read")));
    let own = cast.role("Editor", &["sites:read"]).await;
    let foreign = json!({"name": "Gardener", "organization_id": cast.meadow, "permissions": []});
    let foreign = id(&cast.platform().post("/roles", &foreign).await.created());
    let seen = cast.viewer().get("/roles").await.column("name");
    assert_eq!(seen, ["admin", "manager", "viewer", "Editor"]);
    assert_eq!(
        cast.viewer().get(&format!("/roles/{own}")).await.status,
        200
    );
    let there = cast.viewer().get(&format!("/roles/{foreign}")).await;
    let nowhere = cast.viewer().get("/roles/999").await;
    assert_eq!(there.status, 404);
    assert_eq!(there.json()["detail"], nowhere.json()["detail"]);
    let counts = cast.viewer().get("/roles").await.column("members_count");
    assert_eq!(counts, [1, 0, 1, 0], "those of his own organization");
}

#[tokio::test]
async fn built_in_roles_stay_as_they_are() {
    let cast = Cast::gathers().await;
    for client in [cast.platform(), cast.admin()] {
        let changed = client.put("/roles/3", &json!({"permissions": []})).await;
        assert_eq!(changed.status, 409);
        assert_eq!(changed.json()["errors"][0]["code"], "built_in");
        assert_eq!(client.delete("/roles/1").await.status, 409);
    }
    assert_eq!(cast.viewer().delete("/roles/1").await.status, 403);
}

#[tokio::test]
async fn roles_for_every_organization_belong_to_the_platform_administrator() {
    let cast = Cast::gathers().await;
    let words = json!({"name": "Auditor", "permissions": ["audit:read"]});
    assert_eq!(cast.admin().post("/roles", &words).await.status, 403);
    let auditor = id(&cast.platform().post("/roles", &words).await.created());
    let path = format!("/roles/{auditor}");
    assert_eq!(cast.admin().get(&path).await.status, 200);
    assert_eq!(
        cast.admin().put(&path, &json!({"name": "x"})).await.status,
        403
    );
    assert_eq!(cast.admin().delete(&path).await.status, 403);
    let other = json!({"name": "Spy", "organization_id": cast.meadow, "permissions": []});
    let refused = cast.admin().post("/roles", &other).await;
    let nowhere = json!({"name": "Spy", "organization_id": 999, "permissions": []});
    let nowhere = cast.admin().post("/roles", &nowhere).await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.json()["detail"], nowhere.json()["detail"]);
}

#[tokio::test]
async fn nobody_puts_into_a_role_what_he_does_not_hold() {
    let cast = Cast::gathers().await;
    let keeper = cast
        .role("Keeper of roles", &["organizations:read", "roles:manage"])
        .await;
    let token = cast
        .comes("kim@example.org", cast.harbour, json!(keeper))
        .await;
    let kim = cast.house.bearer(&token);
    let words = |permission: &str| json!({"name": "Mine", "organization_id": cast.harbour, "permissions": [permission]});
    let refused = kim.post("/roles", &words("sites:delete")).await;
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("sites:delete"), "{}", refused.text);
    let made = id(&kim.post("/roles", &words("roles:manage")).await.created());
    let path = format!("/roles/{made}");
    let grown = kim
        .put(&path, &json!({"permissions": ["audit:read"]}))
        .await;
    assert_eq!(grown.status, 403);
    let strong = cast.role("Strong", &["sites:delete"]).await;
    for answer in [
        kim.put(&format!("/roles/{strong}"), &json!({"name": "Weak"}))
            .await,
        kim.delete(&format!("/roles/{strong}")).await,
    ] {
        assert_eq!(answer.status, 403);
    }
    assert_eq!(kim.delete(&path).await.status, 204);
}

#[tokio::test]
async fn what_is_wrong_with_a_role_is_said_at_once() {
    let cast = Cast::gathers().await;
    let words = json!({"name": "", "permissions": ["sites:read", "sites:eat"], "built_in": true, "organization_id": cast.harbour});
    let refused = cast.admin().post("/roles", &words).await;
    assert_eq!(refused.status, 422);
    assert_eq!(
        refused.faults(),
        [
            "/built_in unknown_field",
            "/name empty",
            "/permissions/1 unknown_permission"
        ]
    );
    assert!(refused.text.contains("sites:write"));
    for name in ["ADMIN", "editor"] {
        let words = json!({"name": name, "organization_id": cast.harbour, "permissions": []});
        let first = cast.admin().post("/roles", &words).await;
        let taken = if name == "editor" {
            first.created();
            cast.admin().post("/roles", &words).await
        } else {
            first
        };
        assert_eq!(taken.status, 409, "{name}");
        assert_eq!(taken.json()["errors"][0]["code"], "name_taken");
    }
}

#[tokio::test]
async fn a_role_for_every_organization_and_one_of_an_organization_never_share_a_name() {
    let cast = Cast::gathers().await;
    cast.role("Editor", &[]).await;
    let everywhere = |name: &str| json!({"name": name, "permissions": []});
    let made = cast.platform().post("/roles", &everywhere("Clerk")).await;
    let clerk = format!("/roles/{}", id(&made.created()));
    for refused in [
        cast.platform().post("/roles", &everywhere("EDITOR")).await,
        cast.platform().put(&clerk, &everywhere("editor")).await,
        cast.admin()
            .post(
                "/roles",
                &json!({"name": "clerk", "organization_id": cast.harbour, "permissions": []}),
            )
            .await,
    ] {
        assert_eq!(refused.status, 409, "{}", refused.text);
        assert_eq!(refused.json()["errors"][0]["code"], "name_taken");
    }
    cast.platform().put(&clerk, &everywhere("CLERK")).await.ok();
    let meadow = json!({"name": "Editor", "organization_id": cast.meadow, "permissions": []});
    cast.platform().post("/roles", &meadow).await.created();
}

#[tokio::test]
async fn an_organization_that_no_form_offers_is_a_fault_at_its_field() {
    let cast = Cast::gathers().await;
    let mut browser = Browser::of(&cast.house.app);
    browser.signs_in(EMAIL, PASSWORD).await.leads_to();
    for (page, fields) in [
        ("/roles/new", [("name", "Clerk"), ("description", "")]),
        (
            "/users/invite",
            [("name", "New"), ("email", "new@example.org")],
        ),
        ("/api-keys", [("name", "New"), ("scopes", "sites:read")]),
        (
            "/sites/new",
            [("name", "New"), ("url", "https://new.example.org")],
        ),
    ] {
        let [first, second] = fields;
        let sent = [first, second, ("organization_id", "all")];
        let refused = browser.sends(page, &sent).await;
        assert_eq!(refused.status, 422, "{page}");
        assert!(
            refused.text.contains("There is none with this id."),
            "{page}"
        );
    }
    let roles = cast.platform().get("/roles").await.column("name");
    assert_eq!(roles, ["admin", "manager", "viewer"]);
    let invited = cast.platform().get("/users?filter[status]=invited").await;
    assert!(invited.column("id").is_empty());
    let everywhere = [("name", "Clerk"), ("organization_id", "")];
    assert_eq!(browser.sends("/roles/new", &everywhere).await.status, 303);
}

#[tokio::test]
async fn an_edited_role_counts_at_the_next_request_and_one_in_use_stays() {
    let cast = Cast::gathers().await;
    let editor = cast.role("Editor", &["sites:read", "audit:read"]).await;
    let token = cast
        .comes("kim@example.org", cast.harbour, json!("editor"))
        .await;
    let kim = cast.house.bearer(&token);
    assert_eq!(kim.get("/audit-logs").await.status, 200);
    let path = format!("/roles/{editor}");
    let less = json!({"permissions": ["sites:read"]});
    cast.admin().put(&path, &less).await.ok();
    assert_eq!(kim.get("/audit-logs").await.status, 403);
    assert_eq!(kim.get("/sites").await.status, 200);
    let refused = cast.admin().delete(&path).await;
    assert_eq!(refused.status, 409);
    assert_eq!(refused.json()["errors"][0]["code"], "in_use");
}

#[tokio::test]
async fn what_is_done_with_roles_is_on_record_in_their_organization() {
    let cast = Cast::gathers().await;
    let editor = cast.role("Editor", &["sites:read"]).await;
    let path = format!("/roles/{editor}");
    cast.admin()
        .put(&path, &json!({"description": "Writes"}))
        .await
        .ok();
    assert_eq!(cast.admin().delete(&path).await.status, 204);
    let rows = cast
        .admin()
        .get("/audit-logs?filter[subject_kind]=role")
        .await;
    let said = rows.column("action");
    assert_eq!(said, ["role.deleted", "role.updated", "role.created"]);
    assert_eq!(rows.column("organization_id"), vec![json!(cast.harbour); 3]);
}
