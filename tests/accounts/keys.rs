//! Keys of sites and organizations: what they open, and when they end.

use dewline::domain::access::Permission;
use dewline::domain::api_key::ApiKeyForm;
use dewline::services::api_keys::{self, ShownKey};
use dewline::services::{Error, Result, callers, sign_in};
use jiff::SignedDuration;
use secrecy::ExposeSecret;

use super::{House, is_unknown, named, with_scopes};

#[tokio::test]
async fn a_sites_key_speaks_for_its_site_and_can_only_sync() {
    let house = House::new().await;
    let shown = house.site_key(named("web")).await;
    let actor = house.calls(shown.secret.expose_secret()).unwrap();
    assert!(actor.require(Permission::Sync).is_ok());
    assert!(actor.require(Permission::SitesRead).is_err());
    assert!(actor.sight(Permission::Sync).sees(1, 11));
    assert!(!actor.sight(Permission::Sync).sees(2, 21));
}

#[tokio::test]
async fn a_typo_in_a_key_is_refused_without_a_look_up() {
    let house = House::new().await;
    let shown = house.site_key(named("web")).await;
    let mut typo = shown.secret.expose_secret().to_owned();
    let last = if typo.ends_with('a') { "b" } else { "a" };
    typo.replace_range(60.., last);
    assert!(is_unknown(house.calls(&typo)));
    house.app.store.close();
    assert!(is_unknown(house.calls("dwl_x")));
}

#[tokio::test]
async fn a_revoked_key_is_refused_in_the_same_second() {
    let house = House::new().await;
    let shown = house.site_key(named("web")).await;
    let key = shown.secret.expose_secret();
    assert!(house.calls(key).is_ok());
    let ada = house.ada().await;
    api_keys::revoke(&house.app, &ada, shown.key.id)
        .await
        .unwrap();
    assert!(is_unknown(house.calls(key)));
    api_keys::revoke(&house.app, &ada, shown.key.id)
        .await
        .unwrap();
    assert!(
        api_keys::get(&house.app, &ada, shown.key.id)
            .await
            .unwrap()
            .revoked_at
            .is_some()
    );
    let rotated = api_keys::rotate(&house.app, &ada, shown.key.id, None).await;
    assert!(matches!(
        rotated,
        Err(Error::Conflict {
            code: "revoked",
            ..
        })
    ));
}

#[tokio::test]
async fn a_key_ends_when_it_says_so() {
    let house = House::new().await;
    let form = ApiKeyForm {
        expires_at: Some(Some("2026-11-20T09:00:00Z".to_owned())),
        ..named("web")
    };
    let shown = house.site_key(form).await;
    assert!(house.calls(shown.secret.expose_secret()).is_ok());
    house.passes(SignedDuration::from_hours(1));
    assert!(is_unknown(house.calls(shown.secret.expose_secret())));
}

#[tokio::test]
async fn a_key_is_taken_from_its_networks_only() {
    let house = House::new().await;
    let form = ApiKeyForm {
        networks: Some(vec!["192.0.2.0/24".to_owned(), "2001:db8::/32".to_owned()]),
        ..named("web")
    };
    let shown = house.site_key(form).await;
    let key = shown.secret.expose_secret();
    assert!(house.calls_from(key, "192.0.2.200").is_ok());
    assert!(house.calls_from(key, "2001:db8::7").is_ok());
    assert!(house.calls_from(key, "::ffff:192.0.2.200").is_ok());
    assert!(is_unknown(house.calls_from(key, "198.51.100.1")));
    assert!(is_unknown(house.calls_from(key, "2001:db9::7")));
}

#[tokio::test]
async fn the_old_key_is_taken_during_the_grace_and_not_after() {
    let house = House::new().await;
    let ada = house.ada().await;
    let first = house.site_key(named("web")).await;
    let second = api_keys::rotate(&house.app, &ada, first.key.id, Some(60))
        .await
        .unwrap();
    assert_ne!(first.key.prefix, second.key.prefix);
    assert!(house.calls(first.secret.expose_secret()).is_ok());
    assert!(house.calls(second.secret.expose_secret()).is_ok());
    house.passes(SignedDuration::from_mins(60));
    assert!(is_unknown(house.calls(first.secret.expose_secret())));
    let third = api_keys::rotate(&house.app, &ada, first.key.id, Some(0))
        .await
        .unwrap();
    assert!(is_unknown(house.calls(second.secret.expose_secret())));
    assert!(house.calls(third.secret.expose_secret()).is_ok());
    let long = api_keys::rotate(&house.app, &ada, first.key.id, Some(10_081)).await;
    assert!(matches!(long, Err(Error::Invalid(_))));
}

#[tokio::test]
async fn the_keys_of_what_is_deleted_are_refused() {
    let house = House::new().await;
    let shown = house.site_key(named("web")).await;
    let ada = house.ada().await;
    let form = with_scopes("ci", &["sites:read"]);
    let wide = api_keys::create(&house.app, &ada, None, Some(1), &form)
        .await
        .unwrap();
    house
        .sql("UPDATE sites SET deleted_at = 1 WHERE id = 11")
        .await;
    house.app.callers.forget();
    assert!(is_unknown(house.calls(shown.secret.expose_secret())));
    assert!(house.calls(wide.secret.expose_secret()).is_ok());
    house
        .sql("UPDATE organizations SET deleted_at = 1 WHERE id = 1")
        .await;
    house.app.callers.forget();
    assert!(is_unknown(house.calls(wide.secret.expose_secret())));
    let gone = api_keys::get(&house.app, &ada, wide.key.id).await;
    assert!(matches!(gone, Err(Error::NotFound)));
}

#[tokio::test]
async fn nobody_gives_a_key_more_than_he_holds_or_beyond_his_wall() {
    let house = House::new().await;
    let ada = house.ada().await;
    let form = with_scopes("clerk", &["api_keys:manage", "sites:read"]);
    let clerk = api_keys::create(&house.app, &ada, None, Some(1), &form)
        .await
        .unwrap();
    let clerk = house.calls(clerk.secret.expose_secret()).unwrap();
    let strong = api_keys::create(
        &house.app,
        &ada,
        None,
        Some(1),
        &with_scopes("x", &["sites:delete"]),
    )
    .await
    .unwrap();
    let foreign = api_keys::create(&house.app, &ada, Some(21), None, &named("y"))
        .await
        .unwrap();
    let app = &house.app;
    let forbidden = |answer: Result<ShownKey>| matches!(answer, Err(Error::Forbidden(_)));
    let read = with_scopes("r", &["sites:read"]);
    assert!(
        api_keys::create(app, &clerk, None, Some(1), &read)
            .await
            .is_ok()
    );
    assert!(forbidden(
        api_keys::create(
            app,
            &clerk,
            None,
            Some(1),
            &with_scopes("d", &["sites:delete"])
        )
        .await
    ));
    assert!(forbidden(
        api_keys::create(app, &clerk, Some(11), None, &named("s")).await
    ));
    assert!(forbidden(
        api_keys::create(app, &clerk, None, Some(2), &read).await
    ));
    assert!(forbidden(
        api_keys::create(app, &clerk, None, Some(99), &read).await
    ));
    // Whoever rotates a key holds it: a stronger one is out of reach.
    assert!(forbidden(
        api_keys::rotate(app, &clerk, strong.key.id, None).await
    ));
    let unseen = api_keys::create(app, &clerk, Some(21), None, &named("s")).await;
    assert!(matches!(unseen, Err(Error::Invalid(faults)) if faults[0].code == "not_found"));
    assert!(matches!(
        api_keys::get(app, &clerk, foreign.key.id).await,
        Err(Error::NotFound)
    ));
    assert!(matches!(
        api_keys::revoke(app, &clerk, foreign.key.id).await,
        Err(Error::NotFound)
    ));
    let site = house.calls(foreign.secret.expose_secret()).unwrap();
    assert!(matches!(
        api_keys::get(app, &site, foreign.key.id).await,
        Err(Error::Forbidden(_))
    ));
    assert!(matches!(
        sign_in::me(app, &clerk).await,
        Err(Error::Forbidden(_))
    ));
}

#[tokio::test]
async fn the_last_use_is_written_once_a_minute_not_on_each_call() {
    let house = House::new().await;
    let shown = house.site_key(named("web")).await;
    let key = shown.secret.expose_secret();
    let ada = house.ada().await;
    let last_use = async || {
        let key = api_keys::get(&house.app, &ada, shown.key.id).await.unwrap();
        (
            key.last_used_at.map(|at| at.to_string()),
            key.last_used_from,
        )
    };
    let answers = house.app.store.stats().answers;
    for _ in 0..100 {
        house.calls_from(key, "192.0.2.9").unwrap();
    }
    assert_eq!(house.app.store.stats().answers, answers);
    assert_eq!(last_use().await, (None, None));
    assert!(callers::write_last_uses(&house.app).await.unwrap());
    let first = (
        Some("2026-11-20T08:00:00Z".to_owned()),
        Some("192.0.2.9".to_owned()),
    );
    assert_eq!(last_use().await, first);
    house.passes(SignedDuration::from_secs(59));
    house.calls_from(key, "192.0.2.10").unwrap();
    assert!(!callers::write_last_uses(&house.app).await.unwrap());
    assert_eq!(last_use().await, first);
    house.passes(SignedDuration::from_secs(1));
    assert!(callers::write_last_uses(&house.app).await.unwrap());
    assert_eq!(last_use().await.1.as_deref(), Some("192.0.2.10"));
}
