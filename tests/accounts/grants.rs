//! What a person holds: organization by organization, from one request to the next.

use dewline::domain::access::{Actor, Permission};
use dewline::domain::organization::OrganizationForm;
use dewline::services::{Error, api_keys, organizations};
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

fn requiring(days: Option<i64>) -> OrganizationForm {
    OrganizationForm {
        require_two_factor: Some(true),
        two_factor_grace_days: days,
        ..OrganizationForm::default()
    }
}

#[tokio::test]
async fn an_organization_asks_for_a_second_factor_after_some_days_and_keeps_the_date() {
    let house = with_bea().await;
    let ada = house.ada().await;
    let update = async |form| organizations::update(&house.app, &ada, 1, form).await;
    let from = house.app.clock.now() + SignedDuration::from_hours(14 * 24);
    let changed = update(requiring(None)).await.unwrap();
    assert_eq!(changed.second_factor_from, Some(from));

    house.passes(SignedDuration::from_hours(24));
    let renamed = OrganizationForm {
        name: Some("Haven".to_owned()),
        ..OrganizationForm::default()
    };
    assert_eq!(
        update(renamed).await.unwrap().second_factor_from,
        Some(from)
    );
    let again = update(requiring(None)).await.unwrap();
    assert_eq!(again.second_factor_from, Some(from));
    let now = house.app.clock.now();
    let at_once = update(requiring(Some(0))).await.unwrap();
    assert_eq!(at_once.second_factor_from, Some(now));

    let off = OrganizationForm {
        require_two_factor: Some(false),
        ..OrganizationForm::default()
    };
    assert_eq!(update(off.clone()).await.unwrap().second_factor_from, None);
    for (form, code) in [
        (requiring(Some(91)), "out_of_range"),
        (requiring(Some(-1)), "out_of_range"),
        (
            OrganizationForm {
                two_factor_grace_days: Some(3),
                ..off
            },
            "not_required",
        ),
    ] {
        let Err(Error::Invalid(faults)) = update(form).await else {
            panic!("{code}");
        };
        assert_eq!(
            (faults[0].pointer.as_str(), &*faults[0].code),
            ("/two_factor_grace_days", code)
        );
    }
}

#[tokio::test]
async fn nobody_locks_himself_out_by_asking_for_a_second_factor_that_he_has_not() {
    let house = with_bea().await;
    house
        .sql("UPDATE memberships SET role_id = 1 WHERE organization_id = 1 AND user_id = 5;")
        .await;
    let bea = house.calls(&token_of_bea(&house).await).unwrap();
    let update = async |form| organizations::update(&house.app, &bea, 1, form).await;
    let Err(Error::Invalid(faults)) = update(requiring(Some(0))).await else {
        panic!("she would be out");
    };
    assert_eq!(faults[0].code, "no_second_factor");
    update(requiring(Some(1))).await.unwrap();
    house
        .sql("INSERT INTO second_factors (user_id, secret_sealed, enabled_at, created_at) VALUES (5, x'00', 1, 1);")
        .await;
    update(requiring(Some(0))).await.unwrap();
}
