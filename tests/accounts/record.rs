//! What is kept, and how: no secret in clear, private files, a record that shows what is done to it.

use dewline::services::sign_in;
use dewline::store::audit;
use secrecy::ExposeSecret;

use super::{House, PASSWORD, attempt, is_unknown, named};

#[tokio::test]
async fn no_secret_stands_in_the_data_directory_in_clear() {
    let house = House::new().await;
    let shown = house.site_key(named("web")).await;
    let tokens = house.signs_in("ada@example.org", PASSWORD).await.unwrap();
    let next = sign_in::refresh(&house.app, tokens.refresh_token.expose_secret())
        .await
        .unwrap();
    let page = sign_in::page(&house.app, &attempt("ada@example.org", PASSWORD))
        .await
        .unwrap();
    assert!(is_unknown(
        house
            .signs_in("ada@example.org", "wrong-secret-typed")
            .await
    ));
    assert!(is_unknown(house.signs_in("wrong-secret-typed", "x").await));
    let refresh = next.refresh_token.expose_secret();
    let secrets = [
        &shown.secret.expose_secret()[12..],
        &refresh[4..47],
        tokens.access_token.expose_secret(),
        page.cookie.expose_secret(),
        PASSWORD,
        "wrong-secret-typed",
    ];
    house.app.store.close();
    let mut files = 0;
    for file in std::fs::read_dir(house.folder.path().join("data")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        files += 1;
        for secret in secrets {
            assert!(
                !bytes
                    .windows(secret.len())
                    .any(|part| part == secret.as_bytes()),
                "{secret}"
            );
        }
    }
    assert!(files >= 2);
}

#[tokio::test]
async fn the_data_directory_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let house = House::new().await;
    let data = house.folder.path().join("data");
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    for file in std::fs::read_dir(&data).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[tokio::test]
async fn a_row_of_the_record_that_is_changed_removed_or_moved_shows() {
    let house = House::new().await;
    for name in ["a", "b", "c"] {
        house.site_key(named(name)).await;
    }
    let broken = || house.app.store.read(audit::first_broken).unwrap();
    assert_eq!(broken(), None);
    let rows = house.count("SELECT count(*) FROM audit_logs");
    assert!(rows >= 7, "{rows}");
    house
        .sql("UPDATE audit_logs SET actor_name = 'Eve' WHERE id = 3")
        .await;
    assert_eq!(broken(), Some(3));
    house
        .sql("UPDATE audit_logs SET actor_name = 'Ada' WHERE id = 3")
        .await;
    assert_eq!(broken(), None);
    house.sql("UPDATE audit_logs SET id = 100 WHERE id = 4; UPDATE audit_logs SET id = 4 WHERE id = 5; UPDATE audit_logs SET id = 5 WHERE id = 100").await;
    assert_eq!(broken(), Some(4));
    house.sql("UPDATE audit_logs SET id = 100 WHERE id = 4; UPDATE audit_logs SET id = 4 WHERE id = 5; UPDATE audit_logs SET id = 5 WHERE id = 100; DELETE FROM audit_logs WHERE id = 2").await;
    assert_eq!(broken(), Some(3));
}
