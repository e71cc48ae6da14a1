//! What is taken back while a request is under way is gone when the request comes to write: nobody hands
//! on what he held a moment ago.

use dewline::domain::access::Actor;
use dewline::domain::api_key::ApiKeyForm;
use dewline::domain::member::{InvitationForm, RoleName};
use dewline::domain::role::RoleForm;
use dewline::services::members::Joining;
use dewline::services::people::{UserForm, Wanted};
use dewline::services::{
    Error, Result, api_keys, invitations, members, people, roles, sign_in, two_factors,
};
use secrecy::ExposeSecret;

use super::{House, PASSWORD, attempt, is_unknown, with_scopes};

const BEA: i64 = 5;
const CARL: i64 = 6;
const ADMIN: i64 = 1;
const VIEWER: i64 = 3;

/// Bea is an administrator of Harbour, Carl a viewer of it and Nell invited.
async fn harbour() -> (House, Actor) {
    let house = House::new().await;
    house
        .sql(
            "INSERT INTO users (id, email, name, password_hash, created_at, updated_at, created_by, updated_by)
               SELECT 5, 'bea@example.org', 'Bea', password_hash, 0, 0, 'system', 'system' FROM users WHERE id = 1
               UNION ALL SELECT 6, 'carl@example.org', 'Carl', password_hash, 0, 0, 'system', 'system' FROM users WHERE id = 1;
             INSERT INTO memberships (organization_id, user_id, role_id, created_at, updated_at, created_by, updated_by)
               VALUES (1, 5, 1, 0, 0, 'system', 'system'), (1, 6, 3, 0, 0, 'system', 'system');",
        )
        .await;
    let bea = comes(&house, "bea@example.org").await;
    (house, bea)
}

async fn comes(house: &House, email: &str) -> Actor {
    let tokens = house.signs_in(email, PASSWORD).await.unwrap();
    house.calls(tokens.access_token.expose_secret()).unwrap()
}

fn invitation(email: &str, role: i64) -> Joining {
    Joining {
        user_id: None,
        role: Some(RoleName::Id(role)),
        invitation: InvitationForm {
            email: Some(email.to_owned()),
            name: Some("Nell".to_owned()),
            unreadable: Vec::new(),
        },
    }
}

fn role(name: &str) -> RoleForm {
    RoleForm {
        name: Some(name.to_owned()),
        permissions: Some(vec!["sites:read".to_owned()]),
        ..RoleForm::default()
    }
}

fn forbidden<T>(done: Result<T>) -> bool {
    matches!(done, Err(Error::Forbidden(_)))
}

#[tokio::test]
async fn whoever_was_demoted_meanwhile_hands_nothing_on() {
    let (house, bea) = harbour().await;
    let app = &house.app;
    let invited = members::add(app, &bea, 1, invitation("nell@example.org", VIEWER)).await;
    let nell = invited.unwrap().member.user_id;
    let own = roles::create(app, &bea, Some(1), &role("Reader")).await;
    let own = own.unwrap().id;
    let key = api_keys::create(app, &bea, None, Some(1), &with_scopes("k", &["sites:read"])).await;
    let key = key.unwrap().key.id;
    let ada = house.ada().await;
    let less = (Some(RoleName::Id(VIEWER)), Vec::new());
    let another = members::add(
        app,
        &ada,
        1,
        Joining {
            user_id: Some(1),
            role: Some(RoleName::Id(ADMIN)),
            ..Joining::default()
        },
    );
    another.await.unwrap();
    members::change(app, &ada, 1, BEA, less.clone())
        .await
        .unwrap();

    let more = (Some(RoleName::Id(ADMIN)), Vec::new());
    assert!(forbidden(
        members::add(app, &bea, 1, invitation("new@example.org", VIEWER)).await
    ));
    assert!(forbidden(members::change(app, &bea, 1, CARL, more).await));
    assert!(forbidden(members::remove(app, &bea, 1, CARL).await));
    assert!(forbidden(
        invitations::renew(app, &bea, nell).await.map(drop)
    ));
    assert!(forbidden(
        roles::create(app, &bea, Some(1), &role("Other")).await
    ));
    assert!(forbidden(
        roles::update(app, &bea, own, role("Other")).await
    ));
    assert!(forbidden(roles::delete(app, &bea, own).await));
    let scopes = with_scopes("k", &["sites:read"]);
    assert!(forbidden(
        api_keys::create(app, &bea, None, Some(1), &scopes).await
    ));
    let form = ApiKeyForm::default();
    assert!(forbidden(api_keys::update(app, &bea, key, form).await));
    assert!(forbidden(api_keys::rotate(app, &bea, key, None).await));
}

#[tokio::test]
async fn whoever_looks_after_the_platform_no_longer_changes_nobody() {
    let (house, _) = harbour().await;
    let app = &house.app;
    let second = house.person("second@example.org", "Second").await;
    let stale = comes(&house, "second@example.org").await;
    let ada = house.ada().await;
    let demoted = UserForm {
        platform_admin: Some(false),
        ..UserForm::default()
    };
    people::update(app, &ada, second, demoted).await.unwrap();
    let promoted = UserForm {
        platform_admin: Some(true),
        ..UserForm::default()
    };
    assert!(forbidden(people::update(app, &stale, CARL, promoted).await));
    assert!(forbidden(people::delete(app, &stale, CARL).await));
    let wanted = |password: Option<&str>| Wanted {
        organization_id: None,
        role: None,
        password: password.map(Into::into),
        invitation: invitation("new@example.org", VIEWER).invitation,
    };
    assert!(forbidden(people::create(app, &stale, wanted(None)).await));
    let made = people::create(app, &stale, wanted(Some("seven grey herons wait"))).await;
    assert!(forbidden(made));
    people::delete(app, &ada, CARL).await.unwrap();
    assert!(forbidden(people::restore(app, &stale, CARL).await));
    assert!(forbidden(two_factors::reset(app, &stale, BEA).await));
}

#[tokio::test]
async fn whoever_signed_out_meanwhile_hands_nothing_on() {
    let (house, bea) = harbour().await;
    sign_in::sign_out(&house.app, &bea).await.unwrap();
    let words = invitation("new@example.org", VIEWER);
    assert!(is_unknown(members::add(&house.app, &bea, 1, words).await));
    assert!(
        sign_in::api(&house.app, &attempt("new@example.org", PASSWORD))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_key_that_was_narrowed_or_revoked_meanwhile_hands_nothing_on() {
    let (house, bea) = harbour().await;
    let app = &house.app;
    let all = [
        "users:manage",
        "organizations:read",
        "sites:read",
        "modules:read",
        "reports:read",
    ];
    let shown = api_keys::create(app, &bea, None, Some(1), &with_scopes("k", &all)).await;
    let shown = shown.unwrap();
    let key = house.calls(shown.secret.expose_secret()).unwrap();
    let narrow = with_scopes("k", &all[1..]);
    api_keys::update(app, &bea, shown.key.id, narrow)
        .await
        .unwrap();
    let words = || invitation("new@example.org", VIEWER);
    assert!(forbidden(members::add(app, &key, 1, words()).await));
    api_keys::update(app, &bea, shown.key.id, with_scopes("k", &all))
        .await
        .unwrap();
    members::add(app, &key, 1, words()).await.unwrap();
    api_keys::revoke(app, &bea, shown.key.id).await.unwrap();
    let other = invitation("other@example.org", VIEWER);
    assert!(is_unknown(members::add(app, &key, 1, other).await));
}
