//! Where the tables beside the repository are: cases that only somebody who has them can be held to.

use std::io::Write;
use std::path::{Path, PathBuf};

/// The folder with the tables: `data` in `DEWLINE_SHARED`, or in `shared` beside the repository or one
/// further up. Where it isn't there the test that asks is written down for `tests/run`, which says how many
/// were.
pub fn tables() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named = std::env::var_os("DEWLINE_SHARED").map(PathBuf::from);
    let near = ["../shared", "../../shared"].map(|near| root.join(near));
    let found = named
        .into_iter()
        .chain(near)
        .map(|folder| folder.join("data"))
        .find(|folder| folder.is_dir());
    if found.is_none() {
        write_down();
    }
    found
}

fn write_down() {
    let test = std::thread::current();
    let test = test.name().unwrap_or("a test");
    eprintln!(
        "{test}: the tables are not here; set DEWLINE_SHARED to the folder that holds data/ to be held to them"
    );
    if let Some(list) = std::env::var_os("TESTS_WITHOUT_TABLES") {
        let mut list = std::fs::OpenOptions::new().append(true).open(list).unwrap();
        list.write_all(format!("{test}\n").as_bytes()).unwrap();
    }
}
