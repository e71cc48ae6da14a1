//! Guards who may know whom: reads `src/` and names file and line where a room is named in the
//! wrong place. The rooms and their rules are one table here.

use std::fs;
use std::path::Path;

/// What a room never names: other rooms of ours, and packages.
struct Rule {
    /// The room: a folder or file right under `src/`, or a folder two levels down.
    room: &'static str,
    rooms: &'static [&'static str],
    packages: &'static [&'static str],
    /// Files of the room that are excused, with what they may name all the same.
    but: &'static [(&'static str, &'static str)],
}

const RULES: &[Rule] = &[
    Rule {
        room: "domain",
        rooms: &[
            "app",
            "cli",
            "clock",
            "config",
            "demo",
            "http",
            "jobs",
            "outbound",
            "services",
            "store",
            "telemetry",
        ],
        packages: &[
            "tokio", "rusqlite", "r2d2", "axum", "reqwest", "hyper", "tracing",
        ],
        but: &[],
    },
    Rule {
        room: "store",
        rooms: &["app", "cli", "demo", "http", "jobs", "outbound", "services"],
        packages: &["axum", "reqwest", "hyper"],
        but: &[],
    },
    Rule {
        room: "outbound",
        rooms: &["app", "cli", "demo", "http", "jobs", "services", "store"],
        packages: &["axum", "rusqlite", "r2d2"],
        but: &[],
    },
    Rule {
        room: "services",
        rooms: &["cli", "demo", "http", "jobs"],
        packages: &["axum", "rusqlite", "r2d2", "hyper", "reqwest"],
        but: &[],
    },
    Rule {
        room: "jobs",
        rooms: &["cli", "demo", "http", "store"],
        packages: &["axum", "rusqlite", "r2d2", "hyper", "reqwest"],
        but: &[],
    },
    Rule {
        room: "cli",
        rooms: &["store", "http", "outbound"],
        packages: &["axum", "rusqlite", "r2d2", "hyper", "reqwest"],
        but: &[
            ("cli/serve.rs", "http"),
            ("cli/openapi.rs", "http"),
            // A throw-away directory is filled faster with settings of its own.
            ("cli/demo.rs", "store"),
        ],
    },
    Rule {
        room: "http",
        rooms: &["cli", "demo", "jobs", "outbound", "store"],
        packages: &["rusqlite", "r2d2", "reqwest"],
        but: &[],
    },
    Rule {
        room: "http/api",
        rooms: &["http/web"],
        packages: &[],
        but: &[],
    },
    Rule {
        room: "http/web",
        rooms: &["http/api"],
        packages: &[],
        but: &[],
    },
    Rule {
        room: "clock",
        rooms: &[
            "app", "cli", "config", "demo", "http", "jobs", "outbound", "services", "store",
        ],
        packages: &["tokio", "rusqlite", "axum"],
        but: &[],
    },
    Rule {
        room: "config",
        rooms: &[
            "app", "cli", "demo", "http", "jobs", "outbound", "services", "store",
        ],
        packages: &["tokio", "rusqlite", "axum"],
        but: &[],
    },
    Rule {
        room: "app",
        rooms: &["cli", "demo", "http", "jobs"],
        packages: &["axum"],
        but: &[],
    },
    Rule {
        room: "telemetry",
        rooms: &[
            "app", "cli", "clock", "config", "demo", "domain", "http", "jobs", "outbound",
            "services", "store",
        ],
        packages: &["tokio", "rusqlite", "r2d2", "axum", "reqwest", "hyper"],
        but: &[],
    },
    // Outside the house: it may name anything.
    Rule {
        room: "demo",
        rooms: &[],
        packages: &[],
        but: &[],
    },
];

/// Rooms that are named by few: by these and by themselves.
const NAMED_BY: &[(&str, &[&str])] = &[("demo", &["cli"]), ("telemetry", &["cli"])];

#[test]
fn no_room_names_what_it_must_not() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    let mut files = 0;
    visit(&root, &mut |path| {
        let file = path
            .strip_prefix(&root)
            .unwrap()
            .to_string_lossy()
            .into_owned();
        files += 1;
        wrong.extend(faults(&file, &fs::read_to_string(path).unwrap()));
    });
    assert!(files > 20, "src/ was read");
    assert!(
        wrong.is_empty(),
        "{} in the wrong place:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_room_has_its_rule() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut lawless: Vec<String> = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| name.trim_end_matches(".rs").to_owned())
        .filter(|name| !["lib", "main"].contains(&name.as_str()))
        .filter(|name| RULES.iter().all(|rule| rule.room != name))
        .collect();
    lawless.sort();
    assert!(lawless.is_empty(), "rooms without a rule: {lawless:?}");
}

#[test]
fn every_file_says_what_it_is_for() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut silent = Vec::new();
    for folder in ["src", "tests", "benches"] {
        visit(&root.join(folder), &mut |path| {
            if !fs::read_to_string(path).unwrap().starts_with("//!") {
                silent.push(path.display().to_string());
            }
        });
    }
    assert!(
        silent.is_empty(),
        "files without a first line `//!`: {silent:#?}"
    );
}

#[test]
fn the_guard_sees_rooms_however_they_are_named() {
    let seen = |file: &str, text: &str| faults(file, text).len();
    assert_eq!(seen("domain/a.rs", "use crate::store::X;"), 1);
    assert_eq!(
        seen(
            "domain/a.rs",
            "use crate::{\n  domain::b,\n  store::{C, D},\n};"
        ),
        1
    );
    assert_eq!(
        seen("domain/a.rs", "fn f() { super::super::store::g() }"),
        1
    );
    assert_eq!(
        seen("domain/a.rs", "fn f() { super::store::g() }"),
        0,
        "a file of its own room"
    );
    assert_eq!(seen("domain/mod.rs", "fn f() { super::store::g() }"), 1);
    assert_eq!(seen("domain/a.rs", "fn f(x: rusqlite::Connection) {}"), 1);
    assert_eq!(
        seen(
            "domain/a.rs",
            "// crate::store\n/* tokio:: */ const A: &str = \"axum::x\";"
        ),
        0
    );
    assert_eq!(
        seen(
            "domain/a.rs",
            "#[cfg(test)]\nmod tests { use crate::store::X; }"
        ),
        0
    );
    assert_eq!(seen("http/api/a.rs", "use crate::http::web::shell;"), 1);
    assert_eq!(seen("http/api/a.rs", "use crate::http::caller;"), 0);
    assert_eq!(seen("cli/serve.rs", "use crate::{http, store};"), 1);
    assert_eq!(seen("telemetry.rs", "use crate::clock::Stopwatch;"), 1);
    for file in ["main.rs", "lib.rs", "app.rs", "services/a.rs", "http/a.rs"] {
        assert!(seen(file, "use crate::demo::dice;") >= 1, "{file}");
        assert!(
            seen(file, "fn f() { dewline::telemetry::start(); }") >= 1,
            "{file}"
        );
    }
    assert_eq!(seen("cli/a.rs", "use crate::{demo, telemetry};"), 0);
    assert_eq!(
        seen("demo/a.rs", "use crate::demo::dice; use crate::store;"),
        0
    );
    let where_ = faults("domain/a.rs", "\n\nuse crate::store::X;");
    assert!(where_[0].starts_with("src/domain/a.rs:3: "), "{where_:?}");
}

/// What is wrong in one file, as `src/file:line: ...`.
fn faults(file: &str, text: &str) -> Vec<String> {
    if file.ends_with("tests.rs") || file.contains("/tests/") {
        return Vec::new();
    }
    let code = code_only(text);
    let code = match code.find("#[cfg(test)]\nmod ") {
        Some(at) => &code[..at],
        None => &code[..],
    };
    let mut named = Vec::new();
    // `main.rs` sees the house from outside.
    for root in ["crate::", "dewline::"] {
        for (at, _) in code.match_indices(root) {
            if starts_a_word(code, at) {
                paths(code, at + root.len(), "", &mut named);
            }
        }
    }
    supers(file, code, &mut named);
    let mut wrong = Vec::new();
    for (room, by) in NAMED_BY {
        if belongs(file, room) || by.iter().any(|by| belongs(file, by)) {
            continue;
        }
        for (at, _) in named.iter().filter(|(_, path)| path_is_in(path, room)) {
            wrong.push(fault(file, code, *at, file, room));
        }
    }
    for rule in RULES.iter().filter(|rule| belongs(file, rule.room)) {
        for (at, path) in &named {
            let hit = rule.rooms.iter().find(|room| path_is_in(path, room));
            let excused = |room: &str| rule.but.iter().any(|(f, r)| *f == file && *r == room);
            if let Some(room) = hit
                && !excused(room)
            {
                wrong.push(fault(file, code, *at, rule.room, room));
            }
        }
        for package in rule.packages {
            for (at, _) in code.match_indices(&format!("{package}::")) {
                if starts_a_word(code, at) && !code[..at].ends_with("::") {
                    wrong.push(fault(file, code, at, rule.room, package));
                }
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    wrong
}

fn fault(file: &str, code: &str, at: usize, room: &str, named: &str) -> String {
    let line = 1 + code[..at].matches('\n').count();
    format!("src/{file}:{line}: {room} names {named}")
}

fn belongs(file: &str, room: &str) -> bool {
    file.strip_prefix(room)
        .is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
}

fn path_is_in(path: &str, room: &str) -> bool {
    path == room
        || path
            .strip_prefix(room)
            .is_some_and(|rest| rest.starts_with('/'))
}

fn starts_a_word(code: &str, at: usize) -> bool {
    !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// The first two levels of every path at `at`, `{a, b::c}` spread out.
fn paths(code: &str, at: usize, above: &str, found: &mut Vec<(usize, String)>) {
    let rest = &code[at..];
    let trimmed = rest.trim_start();
    let at = at + rest.len() - trimmed.len();
    if let Some(group) = trimmed.strip_prefix('{') {
        let (mut depth, mut entry) = (0, true);
        for (i, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => return,
                '}' => depth -= 1,
                ',' if depth == 0 => entry = true,
                c if entry && !c.is_whitespace() => {
                    entry = false;
                    paths(code, at + 1 + i, above, found);
                }
                _ => {}
            }
        }
        return;
    }
    let word: String = trimmed
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    let path = if above.is_empty() {
        word.clone()
    } else {
        format!("{above}/{word}")
    };
    let after = &trimmed[word.len()..];
    if above.is_empty() && after.starts_with("::") {
        paths(code, at + word.len() + 2, &path, found);
    }
    found.push((at, path));
}

/// Paths that climb out with `super::` as far as the root.
fn supers(file: &str, code: &str, found: &mut Vec<(usize, String)>) {
    let mut module: Vec<&str> = file.trim_end_matches(".rs").split('/').collect();
    if module.last() == Some(&"mod") {
        module.pop();
    }
    for (at, _) in code.match_indices("super::") {
        if !starts_a_word(code, at) || code[..at].ends_with("super::") {
            continue;
        }
        let mut climbed = 0;
        let mut end = at;
        while code[end..].starts_with("super::") {
            climbed += 1;
            end += "super::".len();
        }
        if climbed >= module.len() {
            paths(code, end, "", found);
        } else if climbed == module.len() - 1 {
            paths(code, end, module[0], found);
        }
    }
}

/// The text with comments and the insides of strings blanked, line ends kept.
fn code_only(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if c == '"' {
            string_end(rest)
        } else if rest.starts_with("r\"") || rest.starts_with("r#\"") {
            let close = if rest.starts_with("r#") { "\"#" } else { "\"" };
            let open = rest.find('"').unwrap() + 1;
            rest[open..]
                .find(close)
                .map_or(rest.len(), |end| open + end + close.len())
        } else if rest.starts_with("'\"'") || rest.starts_with("'\\\"'") {
            3
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        out.extend(rest[..skipped].chars().filter(|c| *c == '\n'));
        out.push(' ');
        rest = &rest[skipped..];
    }
    out
}

fn string_end(rest: &str) -> usize {
    let mut escaped = false;
    for (i, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return i + 1,
            _ => {}
        }
    }
    rest.len()
}

fn visit(folder: &Path, see: &mut dyn FnMut(&Path)) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() && path.file_name().is_some_and(|name| name != "node_modules") {
            visit(&path, see);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            see(&path);
        }
    }
}
