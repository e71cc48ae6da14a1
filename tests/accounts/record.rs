//! What is kept, and how: no secret in clear, private files, a record that shows what is done to it.

use dewline::services::{Error, sign_in};
use dewline::store::audit::{self, Broken};
use dewline::store::{Lane, StoreError};
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
        .unwrap()
        .session()
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

/// A house whose record has some rows, all of them in order.
async fn recorded() -> House {
    let house = House::new().await;
    for name in ["a", "b", "c"] {
        house.site_key(named(name)).await;
    }
    assert!(rows(&house) >= 7, "{}", rows(&house));
    assert_eq!(first_broken(&house), None);
    house
}

fn rows(house: &House) -> i64 {
    house.count("SELECT count(*) FROM audit_logs")
}

fn first_broken(house: &House) -> Option<Broken> {
    house.app.store.read(audit::first_broken).unwrap().1
}

#[tokio::test]
async fn an_edited_row_shows_whatever_was_edited() {
    let house = recorded().await;
    for (edit, undo) in [
        ("created_at = created_at + 1", "created_at = created_at - 1"),
        ("actor_kind = 'system'", "actor_kind = 'user'"),
        ("actor_id = actor_id + 1", "actor_id = actor_id - 1"),
        ("actor_name = 'Eve'", "actor_name = 'Ada'"),
        ("action = 'api_key.revoked'", "action = 'api_key.created'"),
        ("subject_kind = 'site'", "subject_kind = 'api_key'"),
        ("subject_id = subject_id + 1", "subject_id = subject_id - 1"),
        ("organization_id = 2", "organization_id = 1"),
        ("site_id = 21", "site_id = 11"),
        ("status = 'refused'", "status = 'done'"),
        (
            "data = replace(data, '\"a\"', '\"z\"')",
            "data = replace(data, '\"z\"', '\"a\"')",
        ),
        ("address = '198.51.100.1'", "address = ''"),
        ("request_id = 'x'", "request_id = ''"),
        ("hash = zeroblob(32)", ""),
    ] {
        house.edits(3, edit).await;
        assert_eq!(first_broken(&house), Some(Broken::Changed(3)), "{edit}");
        if !undo.is_empty() {
            house.edits(3, undo).await;
            assert_eq!(first_broken(&house), None, "{undo}");
        }
    }
}

#[tokio::test]
async fn exchanged_rows_show() {
    let house = recorded().await;
    house
        .sql(
            "UPDATE audit_logs SET id = 100 WHERE id = 4; UPDATE audit_logs SET id = 4 WHERE id = 5;
             UPDATE audit_logs SET id = 5 WHERE id = 100",
        )
        .await;
    assert_eq!(first_broken(&house), Some(Broken::Changed(4)));
}

#[tokio::test]
async fn a_row_deleted_in_the_middle_or_at_the_beginning_shows() {
    for (deleted, sql) in [
        (3, "DELETE FROM audit_logs WHERE id = 3"),
        (1, "DELETE FROM audit_logs WHERE id = 1"),
    ] {
        let house = recorded().await;
        house.sql(sql).await;
        assert_eq!(first_broken(&house), Some(Broken::Missing(deleted)));
    }
}

#[tokio::test]
async fn a_deleted_row_shows_although_those_after_it_were_moved_up() {
    let house = recorded().await;
    house
        .sql(
            "DELETE FROM audit_logs WHERE id = 3; UPDATE audit_logs SET id = -id WHERE id > 3;
             UPDATE audit_logs SET id = -id - 1 WHERE id < 0",
        )
        .await;
    assert_eq!(first_broken(&house), Some(Broken::Changed(3)));
}

#[tokio::test]
async fn the_newest_rows_cut_off_show_and_go_on_showing() {
    let house = recorded().await;
    let newest = rows(&house);
    house
        .sql("DELETE FROM audit_logs WHERE id > (SELECT max(id) - 2 FROM audit_logs)")
        .await;
    assert_eq!(rows(&house), newest - 2);
    assert_eq!(first_broken(&house), Some(Broken::Missing(newest - 1)));
    // What is done next doesn't close the gap.
    house.site_key(named("d")).await;
    assert_eq!(house.count("SELECT max(id) FROM audit_logs"), newest + 2);
    assert_eq!(first_broken(&house), Some(Broken::Missing(newest - 1)));
}

#[tokio::test]
async fn a_record_that_was_emptied_shows() {
    let house = recorded().await;
    house.sql("DELETE FROM audit_logs").await;
    assert_eq!(first_broken(&house), Some(Broken::Missing(1)));
}

#[tokio::test]
async fn the_mark_of_the_newest_row_cannot_be_taken_away_or_set_back_unseen() {
    let house = recorded().await;
    let newest = rows(&house);
    house
        .sql(
            "UPDATE settings SET value = (SELECT id || ' ' || lower(hex(hash)) FROM audit_logs WHERE id = 3)
             WHERE name = 'audit.newest'",
        )
        .await;
    assert_eq!(first_broken(&house), Some(Broken::Changed(4)));
    house.sql("DELETE FROM settings").await;
    assert_eq!(first_broken(&house), Some(Broken::Unmarked(newest)));
}

#[tokio::test]
async fn what_was_not_kept_is_not_on_record_and_leaves_no_gap() {
    let house = recorded().await;
    let before = rows(&house);
    let refused: Result<(), Error> = house
        .app
        .store
        .write(Lane::Front, |db| {
            let entry = audit::Entry {
                created_at: 0,
                actor_kind: "system".to_owned(),
                actor_id: None,
                actor_name: String::new(),
                action: "site.created".to_owned(),
                subject_kind: "site".to_owned(),
                subject_id: None,
                organization_id: None,
                site_id: None,
                status: "done".to_owned(),
                data: serde_json::json!({}),
                address: String::new(),
                request_id: String::new(),
            };
            audit::append(db, &entry)?;
            Err(Error::NotFound)
        })
        .await;
    assert!(refused.is_err());
    assert_eq!(rows(&house), before);
    house.site_key(named("d")).await;
    assert_eq!(first_broken(&house), None);
}

impl House {
    /// Somebody edits a row behind the product's back.
    async fn edits(&self, row: i64, change: &str) {
        let sql = format!("UPDATE audit_logs SET {change} WHERE id = {row}");
        self.app
            .store
            .write(Lane::Front, move |db| {
                assert_eq!(db.execute(&sql, [])?, 1);
                Ok::<_, StoreError>(())
            })
            .await
            .unwrap();
    }
}
