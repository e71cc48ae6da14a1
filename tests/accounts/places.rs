//! What becomes of people's places in organizations when an organization, a role or a person goes and
//! comes back, and what `dewline check` says of them.

use dewline::services::check;
use serde_json::json;

use super::browser::Browser;
use super::people::{Cast, SECRET, code};

#[tokio::test]
async fn a_role_that_only_deleted_people_had_can_go_and_they_come_back_without_it() {
    let cast = Cast::gathers().await;
    let editor = cast.role("Editor", &["sites:read"]).await;
    cast.comes("kim@example.org", cast.harbour, json!("editor"))
        .await;
    let kim = format!("/users/{}", cast.user("kim@example.org").await);
    let meadow = format!("/organizations/{}/members", cast.meadow);
    let both = json!({"user_id": cast.user("kim@example.org").await, "role": "viewer"});
    cast.platform().post(&meadow, &both).await.created();
    let path = format!("/roles/{editor}");
    let page = format!("{path}/delete");
    let mut browser = cast.browser("hana@example.org", SECRET).await;
    let held = browser.looks(&page).await;
    assert!(held.text.contains("One person has it"), "{}", held.text);
    assert!(!held.text.contains("Nobody has it"));
    assert_eq!(browser.sends(&page, &[]).await.status, 409);
    assert_eq!(cast.platform().delete(&kim).await.status, 204);
    let role = cast.admin().get(&path).await.ok();
    assert_eq!(role["data"]["members_count"], 0);
    let free = browser.looks(&page).await;
    assert!(free.text.contains("Nobody has it"), "{}", free.text);
    assert_eq!(cast.admin().delete(&path).await.status, 204);
    let back = format!("{kim}/restore");
    let back = cast.platform().post(&back, &json!({})).await.ok();
    let places = back["data"]["memberships"].as_array().unwrap();
    assert_eq!(places.len(), 1, "{places:?}");
    assert_eq!(places[0]["organization"], "Meadow");
    let token = cast.enters("kim@example.org", SECRET).await;
    let sites = format!("/sites?filter[organization_id]={}", cast.harbour);
    let seen = cast.house.bearer(&token).get(&sites).await;
    assert_eq!(seen.column("id").len(), 0);
    let record = "/audit-logs?filter[action]=role.deleted";
    let rows = cast.admin().get(record).await.column("data");
    assert_eq!(rows[0]["before"]["places_of_deleted_people_ended"], 1);
}

#[tokio::test]
async fn a_deleted_organization_keeps_its_people_until_it_comes_back() {
    let cast = Cast::gathers().await;
    let (_, link) = cast.invites("later@example.org", "viewer").await;
    let hana = cast.user("hana@example.org").await;
    let (place, user) = (
        format!("/organizations/{}", cast.harbour),
        format!("/users/{hana}"),
    );
    assert_eq!(cast.platform().delete(&place).await.status, 204);
    for answer in [
        cast.platform().delete(&user).await,
        cast.admin()
            .send(
                axum::http::Method::DELETE,
                "/auth/me",
                Some(json!({"password": SECRET}).to_string().into_bytes()),
            )
            .await,
    ] {
        assert_eq!(code(&answer), "last_administrator");
        assert!(
            answer.text.contains("Harbour, which is deleted"),
            "{}",
            answer.text
        );
    }
    let leave = format!("/auth/memberships/{}", cast.harbour);
    let vic = cast.members(&format!("/{}", cast.user("vic@example.org").await));
    let new = json!({"email": "new@example.org", "name": "New", "role": "viewer"});
    for answer in [
        cast.viewer().delete(&leave).await,
        cast.platform().delete(&vic).await,
        cast.platform().get(&vic).await,
        cast.platform().put(&vic, &json!({"role": "manager"})).await,
        cast.platform().post(&cast.members(""), &new).await,
    ] {
        assert_eq!(answer.status, 404);
    }
    let mut stranger = Browser::of(&cast.house.app);
    assert_eq!(stranger.looks(&link).await.status, 404);
    let back = format!("{place}/restore");
    cast.platform().post(&back, &json!({})).await.ok();
    assert_eq!(stranger.looks(&link).await.status, 200);
    assert_eq!(
        cast.admin().get(&cast.members("")).await.column("role"),
        ["admin", "viewer", "viewer"]
    );
    assert_eq!(
        code(&cast.platform().delete(&user).await),
        "last_administrator"
    );
}

/// What the check says of people's places: what is wrong, and what is worth knowing.
async fn checked(cast: &Cast) -> (Vec<String>, Vec<String>) {
    let findings = check::run(&cast.house.app.config, false).await.unwrap();
    let mut found = findings.into_iter();
    let found = found
        .find(|one| one.about.starts_with("who belongs"))
        .unwrap();
    assert!(found.looked_at > 0);
    (found.wrong, found.worth_knowing)
}

#[tokio::test]
async fn the_check_names_organizations_that_nobody_looks_after_and_places_that_lead_nowhere() {
    let cast = Cast::gathers().await;
    assert_eq!(checked(&cast).await, (Vec::new(), Vec::new()));
    let empty = cast.house.organization("Empty").await;
    let gone = cast.house.organization("Gone").await;
    let path = format!("/organizations/{gone}");
    assert_eq!(cast.platform().delete(&path).await.status, 204);
    let known = vec![
        format!("organization {empty} (Empty) has no administrator"),
        format!("organization {gone} (Gone, deleted) has no administrator"),
    ];
    assert_eq!(checked(&cast).await, (Vec::new(), known.clone()));

    let editor = cast.role("Editor", &[]).await;
    let (vic, mo) = (
        cast.user("vic@example.org").await,
        cast.user("mo@example.org").await,
    );
    let (harbour, meadow) = (cast.harbour, cast.meadow);
    let file = cast.house.app.config.data_dir.join(dewline::app::DATABASE);
    let file = rusqlite::Connection::open(file).unwrap();
    file.execute_batch(&format!(
        "PRAGMA foreign_keys = OFF;
         UPDATE memberships SET role_id = 99 WHERE user_id = {vic};
         INSERT INTO memberships SELECT {meadow}, 98, 3, 0, 0, 'system', 'system';
         INSERT INTO memberships SELECT 97, {vic}, 3, 0, 0, 'system', 'system';
         UPDATE memberships SET role_id = {editor} WHERE user_id = {mo};"
    ))
    .unwrap();
    let (mut wrong, told) = checked(&cast).await;
    wrong.sort();
    let mut expected = [
        format!("person {vic} in organization {harbour}: there is no role 99"),
        format!("person 98 in organization {meadow}: there is no such person"),
        format!("person {vic} in organization 97: there is no such organization"),
        format!(
            "person {mo} in organization {meadow}: the role Editor belongs to another organization"
        ),
    ];
    expected.sort();
    assert_eq!(wrong, expected);
    let nobody = format!("organization {meadow} (Meadow) has no administrator");
    assert_eq!(told, [vec![nobody], known].concat());
}
