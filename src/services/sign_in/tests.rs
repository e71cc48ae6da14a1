//! What happens between a right password and its session, where nobody outside can step in.

use super::*;
use crate::clock::{ManualClock, SeededEntropy};
use crate::config::Config;
use crate::services::admins::{self, NewPerson};

const EMAIL: &str = "ada@example.org";

async fn sql(app: &App, sql: &'static str) {
    app.store
        .write(Lane::Front, move |db| {
            db.execute_batch(sql)
                .map_err(|error| Error::Internal(error.to_string()))
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_second_factor_that_is_switched_on_during_a_sign_in_is_asked_for() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut config = Config {
        data_dir: folder.path().join("data"),
        ..Config::default()
    };
    config.drupal_org.enabled = false;
    let clock = Arc::new(ManualClock::at("2026-11-20T08:00:00Z".parse().unwrap()));
    let app = App::open(config, clock, Arc::new(SeededEntropy::new(1))).unwrap();
    let ada = NewPerson {
        email: EMAIL.to_owned(),
        name: "Ada".to_owned(),
        password: "correct horse battery".into(),
    };
    admins::create(&app, &Actor::System, ada).await.unwrap();
    let attempt = |browser: Option<SecretString>| Attempt {
        email: EMAIL.to_owned(),
        password: "correct horse battery".into(),
        address: "192.0.2.1".parse().unwrap(),
        device: String::new(),
        browser,
    };
    let entered = page(&app, &attempt(None)).await.unwrap();
    let browser = entered.session().map(|session| session.browser);
    sql(&app, "UPDATE devices SET trusted_until = 9e15").await;

    let program = check(&app, &attempt(None)).await.unwrap();
    let trusted = check(&app, &attempt(browser.clone())).await.unwrap();
    let distrusted = check(&app, &attempt(browser)).await.unwrap();
    sql(
        &app,
        "INSERT INTO second_factors (user_id, secret_sealed, enabled_at, created_at) VALUES (1, x'00', 1, 1)",
    )
    .await;
    let refused = open_api(&app, program).await;
    assert!(matches!(refused, Err(Error::Unauthenticated)));
    open_page(&app, trusted).await.unwrap();
    sql(&app, "UPDATE devices SET trusted_until = NULL").await;
    let refused = open_page(&app, distrusted).await;
    assert!(matches!(refused, Err(Error::Unauthenticated)));
    let answered = check(&app, &attempt(None)).await.unwrap();
    open_api(&app, answered.with_second_step()).await.unwrap();
}
