//! What becomes of a database that another version of the program made.

use std::path::{Path, PathBuf};

use dewline::store::{Settings, Store, StoreError};
use refinery::Target;
use rusqlite::Connection;
use tempfile::TempDir;

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// A database as the version before made it, with an organization in it.
fn older(folder: &Path) -> PathBuf {
    let file = folder.join("dewline.db");
    let mut db = Connection::open(&file).unwrap();
    let runner = embedded::migrations::runner().set_target(Target::Version(newest() - 1));
    runner.run(&mut db).unwrap();
    db.execute(
        "INSERT INTO organizations (id, name, created_at, updated_at, created_by, updated_by) VALUES (1, 'Harbour', 0, 0, 'system', 'system')",
        [],
    )
    .unwrap();
    file
}

fn newest() -> i32 {
    let runner = embedded::migrations::runner();
    let versions = runner.get_migrations().iter();
    versions.map(refinery::Migration::version).max().unwrap()
}

fn copy_of(file: &Path) -> PathBuf {
    file.with_extension(format!("before-v{}.db", newest()))
}

/// The schema's version and the organizations.
fn content(file: &Path) -> (i32, Vec<String>) {
    let db = Connection::open(file).unwrap();
    let version = "SELECT max(version) FROM refinery_schema_history";
    let version = db.query_row(version, [], |row| row.get(0)).unwrap();
    let mut names = db.prepare("SELECT name FROM organizations").unwrap();
    let names = names.query_map([], |row| row.get(0)).unwrap();
    (version, names.map(Result::unwrap).collect())
}

#[test]
fn an_older_database_is_copied_beside_itself_before_it_is_migrated() {
    let folder = TempDir::new().unwrap();
    let file = older(folder.path());
    drop(Store::open(&file, Settings::default()).unwrap());
    let harbour = vec!["Harbour".to_owned()];
    assert_eq!(content(&file), (newest(), harbour.clone()));
    assert_eq!(content(&copy_of(&file)), (newest() - 1, harbour));

    std::fs::remove_file(copy_of(&file)).unwrap();
    drop(Store::open(&file, Settings::default()).unwrap());
    assert!(
        !copy_of(&file).exists(),
        "only what is migrated needs a copy"
    );
}

#[test]
fn what_an_attempt_left_behind_that_was_cut_short_is_not_taken_for_a_copy() {
    let folder = TempDir::new().unwrap();
    let file = older(folder.path());
    let copy = copy_of(&file);
    let part = copy.with_extension("part");
    std::fs::write(&copy, "half of a copy of long ago").unwrap();
    std::fs::write(&part, "half of a copy").unwrap();
    drop(Store::open(&file, Settings::default()).unwrap());
    assert_eq!(content(&copy).0, newest() - 1);
    assert!(!part.exists());
}

#[test]
fn a_database_with_other_migrations_than_the_programs_is_refused() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("dewline.db");
    drop(Store::open(&file, Settings::default()).unwrap());
    let db = Connection::open(&file).unwrap();
    db.execute(
        "UPDATE refinery_schema_history SET checksum = '1' WHERE version = 2",
        [],
    )
    .unwrap();
    drop(db);
    let refused = Store::open(&file, Settings::default());
    assert!(
        matches!(&refused, Err(StoreError::Migration(why)) if why.contains("different than")),
        "{refused:?}"
    );
}
