//! The manual and the README say what is so: keys and defaults, and links that lead somewhere.

use std::fs;
use std::path::{Path, PathBuf};

use dewline::cli::config::keys;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_manual_lists_every_key_with_its_default() {
    let manual = fs::read_to_string(root().join("assets/manual/running.md")).unwrap();
    let rows: Vec<&str> = manual
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    for key in keys::ALL {
        let default = match key.default {
            "" => String::new(),
            default => format!("`{default}`"),
        };
        let start = format!("| `{}` | {default} | {}", key.path, key.about);
        let row = rows
            .iter()
            .find(|row| row.starts_with(&start))
            .unwrap_or_else(|| panic!("no row begins with {start}"));
        assert_eq!(row.contains("*secret*"), key.secret, "{row}");
        assert_eq!(row.contains("*later*"), !key.used, "{row}");
    }
}

#[test]
fn links_between_guides_lead_somewhere() {
    let manual = root().join("assets/manual");
    let mut texts: Vec<PathBuf> = fs::read_dir(&manual)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .collect();
    assert!(texts.len() > 5);
    texts.push(root().join("README.md"));
    for text in texts {
        let words = fs::read_to_string(&text).unwrap();
        assert!(words.starts_with("# "), "{} has a title", text.display());
        for link in words
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            // A chapter of the manual, as the program serves it; other paths are pages.
            let target = match link.strip_prefix("/manual/") {
                Some(chapter) => manual.join(format!("{chapter}.md")),
                None if link.starts_with("http") || link.starts_with('/') => continue,
                None => text.parent().unwrap_or(Path::new(".")).join(link),
            };
            assert!(target.exists(), "{} links to {link}", text.display());
        }
    }
}
