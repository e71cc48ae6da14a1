//! Mass assignment: whoever sends more than a route or a form takes gets no more than it gives.

use dewline::http::route::Takes;
use dewline::http::routes;
use dewline::store::StoreError;
use serde_json::json;

use crate::matrix::things;
use crate::matrix::town::Town;
use crate::support::TestApp;
use crate::support::browser::sends;

/// What a statement that gives one text gives.
fn told(house: &TestApp, sql: &str) -> String {
    let read = house
        .app
        .store
        .read(|db| Ok::<_, StoreError>(db.query_row(sql, [], |row| row.get(0))?));
    read.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// All that makes a person what he is, and where he is a member.
fn person(house: &TestApp, id: i64) -> (String, String) {
    let row = format!(
        "SELECT json_array(id, email, name, time_zone, platform_admin, password_hash, created_at, created_by, deleted_at)
           FROM users WHERE id = {id}"
    );
    let places = format!(
        "SELECT json_group_array(json_array(organization_id, role_id)) FROM memberships WHERE user_id = {id}"
    );
    (told(house, &row), told(house, &places))
}

#[tokio::test]
async fn every_route_refuses_a_member_that_it_does_not_know_and_a_sync_passes_over_it() {
    let town = Town::stands().await;
    let (mut refused, mut passed_over) = (0, Vec::new());
    for route in routes() {
        let line = format!("{} {}", route.method, route.path);
        if matches!(route.operation.takes, Takes::Nothing) {
            continue;
        }
        let path = things::path(&town, &town.own, &line);
        let mut body = things::body(&town.own, &route).unwrap_or_else(|| json!({}));
        body["zz"] = json!(1);
        let body = body.to_string().into_bytes();
        let client = town.house.admin();
        let answer = client.send(route.method.clone(), &path, Some(body)).await;
        if matches!(route.operation.takes, Takes::Large(..)) {
            assert_eq!(answer.status, 200, "{line}: {}", answer.text);
            passed_over.push(route.operation.name);
            continue;
        }
        assert_eq!(answer.status, 422, "{line}: {}", answer.text);
        let faults = answer.faults();
        assert!(
            faults.contains(&"/zz unknown_field".to_owned()),
            "{line}: {faults:?}"
        );
        refused += 1;
    }
    assert!(refused > 25, "{refused}");
    assert_eq!(passed_over, ["sync_site", "sync_site_from_composer_lock"]);
}

#[tokio::test]
async fn a_form_gives_nobody_what_it_has_no_field_for() {
    let town = Town::stands().await;
    let (house, own) = (&town.house, &town.own);
    let admin = town.visitor("admin").at(house);
    let platform = town.visitor("platform").at(house);
    let foreign = town.third.organization.to_string();
    let more = [
        ("id", "1"),
        ("user_id", "1"),
        ("organization_id", foreign.as_str()),
        ("role", "1"),
        ("role_id", "1"),
        ("password_hash", "x"),
        ("deleted_at", "1"),
        ("created_by", "system"),
    ];
    let before = person(house, own.person);
    let mut fields = vec![
        ("name", "harbour"),
        ("time_zone", "UTC"),
        ("platform_admin", "1"),
    ];
    fields.extend(more);
    fields.push(("email", "harbour@harbour.example"));
    let sent = sends(&admin, "/account", &fields).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    assert_eq!(person(house, own.person), before);
    // Who looks after the platform is the platform's to say, whoever the form is about.
    for id in [own.person, own.guest] {
        let known = person(house, id);
        let sent = sends(&admin, &format!("/users/{id}"), &fields).await;
        assert_eq!(sent.status, 403);
        assert_eq!(person(house, id), known);
    }
    fields.retain(|(name, _)| *name != "platform_admin");
    let path = format!("/users/{}", own.person);
    assert_eq!(sends(&platform, &path, &fields).await.status, 303);
    assert_eq!(person(house, own.person), before);
}

#[tokio::test]
async fn a_form_moves_nothing_into_another_organization() {
    let town = Town::stands().await;
    let (house, own) = (&town.house, &town.own);
    let admin = town.visitor("admin").at(house);
    let foreign = town.third.organization.to_string();
    let elsewhere = [
        ("organization_id", foreign.as_str()),
        ("organization", foreign.as_str()),
        ("site_id", "1"),
        ("id", "1"),
        ("user_id", "1"),
        ("created_by", "user:1"),
    ];
    let whose = |table: &str, id: i64| {
        let owner = format!(
            "SELECT json_array(id, organization_id, created_by) FROM {table} WHERE id = {id}"
        );
        told(house, &owner)
    };
    let people = || {
        let all = "SELECT json_group_array(json_array(organization_id, user_id)) FROM memberships";
        told(house, all)
    };
    let place = format!("/organizations/{}/members/{}", own.organization, own.guest);
    let site = [
        ("name", "New"),
        ("url", "https://new.example.org"),
        ("environment", "production"),
        ("sync_interval_minutes", "60"),
    ];
    let named = [
        ("name", "New"),
        ("permissions", "sites:read"),
        ("scopes", "sites:read"),
    ];
    for (path, fields, table, id) in [
        (
            format!("/sites/{}/settings", own.site),
            site.as_slice(),
            "sites",
            own.site,
        ),
        (
            format!("/roles/{}", own.role),
            named.as_slice(),
            "roles",
            own.role,
        ),
        (
            format!("/api-keys/{}", own.key),
            named.as_slice(),
            "api_keys",
            own.key,
        ),
        (place, [("role", "2")].as_slice(), "roles", own.role),
    ] {
        let (known, members) = (whose(table, id), people());
        let fields: Vec<_> = fields.iter().chain(&elsewhere).copied().collect();
        let sent = sends(&admin, &path, &fields).await;
        assert_eq!(sent.status, 303, "{path}: {}", sent.text);
        assert_eq!((whose(table, id), people()), (known, members), "{path}");
    }
    let changed = format!("SELECT name FROM sites WHERE id = {}", own.site);
    assert_eq!(told(house, &changed), "New", "the forms were taken");
}
