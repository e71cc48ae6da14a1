//! What a person holds: organization by organization, from one request to the next.

use dewline::domain::access::{Actor, Permission};
use dewline::services::api_keys;
use jiff::SignedDuration;
use secrecy::ExposeSecret;

use super::{House, with_scopes};

/// Bea: a manager of Harbour and a viewer of Meadow, with Ada's password.
async fn with_bea() -> House {
    let house = House::new().await;
    house
        .sql(
            "INSERT INTO users (id, email, name, password_hash, created_at, updated_at, created_by, updated_by)
               SELECT 5, 'bea@example.org', 'Bea', password_hash, 0, 0, 'system', 'system' FROM users WHERE id = 1;
             INSERT INTO memberships (organization_id, user_id, role_id, created_at, updated_at, created_by, updated_by)
               VALUES (1, 5, 2, 0, 0, 'system', 'system'), (2, 5, 3, 0, 0, 'system', 'system');",
        )
        .await;
    house
}

async fn token_of_bea(house: &House) -> String {
    let tokens = house.signs_in("bea@example.org", super::PASSWORD).await;
    tokens.unwrap().access_token.expose_secret().to_owned()
}

fn sees(actor: &Actor, permission: Permission) -> Vec<i64> {
    let sight = actor.sight(permission);
    sight.organizations().unwrap().to_vec()
}

#[tokio::test]
async fn a_person_holds_in_each_organization_what_the_role_there_says() {
    let house = with_bea().await;
    let bea = house.calls(&token_of_bea(&house).await).unwrap();
    assert_eq!(sees(&bea, Permission::SitesRead), [1, 2]);
    assert_eq!(sees(&bea, Permission::SitesWrite), [1]);
    assert!(bea.require(Permission::UsersManage).is_err());
    assert!(bea.require_platform(Permission::SitesRead).is_err());
}

#[tokio::test]
async fn an_organization_that_asks_for_a_second_factor_suspends_whoever_has_none_and_only_there() {
    let house = with_bea().await;
    let token = token_of_bea(&house).await;
    let from = house.clock_ms() + 60_000;
    house
        .write(format!(
            "UPDATE organizations SET second_factor_from = {from} WHERE id = 1"
        ))
        .await;
    house.app.callers.forget();
    let bea = house.calls(&token).unwrap();
    assert_eq!(
        sees(&bea, Permission::SitesRead),
        [1, 2],
        "within the grace"
    );

    house.passes(SignedDuration::from_secs(60));
    let bea = house.calls(&token).unwrap();
    assert_eq!(sees(&bea, Permission::SitesRead), [2]);

    house
        .sql(
            "INSERT INTO second_factors (user_id, secret_sealed, enabled_at, created_at) VALUES (5, x'00', 1, 1);",
        )
        .await;
    house.app.callers.forget();
    let bea = house.calls(&token).unwrap();
    assert_eq!(sees(&bea, Permission::SitesRead), [1, 2]);
}

#[tokio::test]
async fn a_key_may_do_what_its_scopes_say_and_its_maker_may_do_now() {
    let house = with_bea().await;
    let bea = house.calls(&token_of_bea(&house).await).unwrap();
    let form = with_scopes("Deploy", &["sites:read", "sites:write"]);
    let key = api_keys::create(&house.app, &bea, None, Some(1), &form)
        .await
        .unwrap();
    let key = key.secret.expose_secret();
    let called = |permission| house.calls(key).unwrap().require(permission).is_ok();
    assert!(called(Permission::SitesRead) && called(Permission::SitesWrite));

    let demoted = "UPDATE memberships SET role_id = 3 WHERE organization_id = 1 AND user_id = 5";
    house.sql(demoted).await;
    house.app.callers.forget();
    assert!(called(Permission::SitesRead) && !called(Permission::SitesWrite));

    house.sql("DELETE FROM memberships WHERE user_id = 5").await;
    house.app.callers.forget();
    assert!(!called(Permission::SitesRead));
}
