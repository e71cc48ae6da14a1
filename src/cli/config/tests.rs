//! Every mistake that can be made in a configuration, and what is said about it.

use std::io::Write;

use super::*;

fn env(pairs: &[(&str, &str)]) -> Sources {
    Sources {
        environment: pairs.iter().map(|(n, v)| (n.into(), v.into())).collect(),
        ..Sources::default()
    }
}

fn file(text: &str) -> (tempfile::NamedTempFile, Sources) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let sources = Sources {
        file: Some(file.path().to_owned()),
        ..Sources::default()
    };
    (file, sources)
}

fn said(sources: &Sources) -> Vec<String> {
    let mistakes = load(sources).expect_err("there are mistakes");
    let place = sources
        .file
        .as_ref()
        .map_or(String::new(), |f| f.display().to_string());
    mistakes
        .iter()
        .map(|m| {
            if place.is_empty() {
                m.to_string()
            } else {
                m.to_string().replace(&place, "FILE")
            }
        })
        .collect()
}

#[test]
fn nothing_set_gives_the_defaults() {
    let loaded = load(&Sources::default()).unwrap();
    assert_eq!(
        format!("{:?}", loaded.config),
        format!("{:?}", Config::default())
    );
    assert!(loaded.settings.iter().all(|s| s.origin == Origin::Default));
}

#[test]
fn flags_win_over_environment_over_file_over_default() {
    let (_file, mut sources) = file(
        "listen = \"127.0.0.1:1\"\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]\n[rate_limits]\nauth = 1_0\nuser = 5\n[drupal_org]\nenabled = false\n",
    );
    sources.environment = env(&[
        ("DEWLINE_LISTEN", "127.0.0.1:2"),
        ("DEWLINE_RATE_LIMITS__USER", "6"),
        ("DEWLINE_FEED__STALE_AFTER", "12h"),
        ("DEWLINE_PUBLIC_URL", ""),
        ("HOME", "/root"),
    ])
    .environment;
    sources.flags = vec![("listen".into(), "--listen".into(), "127.0.0.1:3".into())];
    let loaded = load(&sources).unwrap();
    assert_eq!(loaded.config.listen, "127.0.0.1:3");
    assert_eq!(loaded.config.rate_limits.user, 6);
    assert_eq!(loaded.config.rate_limits.auth, 10);
    assert!(!loaded.config.drupal_org.enabled);
    assert_eq!(loaded.config.trusted_proxies, ["10.0.0.0/8", "::1"]);
    assert_eq!(loaded.config.feed.stale_after.as_secs(), 12 * 3600);
    let origins: Vec<String> = loaded
        .settings
        .iter()
        .filter(|s| s.origin != Origin::Default)
        .map(|s| s.origin.to_string())
        .collect();
    assert!(origins.contains(&"flag --listen".to_owned()));
    assert!(origins.contains(&"environment DEWLINE_RATE_LIMITS__USER".to_owned()));
    assert!(origins.iter().any(|o| o.ends_with(", line 7")));
}

#[test]
fn every_budget_is_set_in_the_file_and_in_the_environment() {
    let budgets = |sources: &Sources| {
        let limits = load(sources).unwrap().config.rate_limits;
        [
            limits.auth,
            limits.anonymous,
            limits.user,
            limits.api_key,
            limits.sync,
        ]
    };
    let (_file, mut sources) =
        file("[rate_limits]\nauth = 11\nanonymous = 12\nuser = 13\napi_key = 14\nsync = 15\n");
    assert_eq!(budgets(&sources), [11, 12, 13, 14, 15]);
    sources.environment = env(&[
        ("DEWLINE_RATE_LIMITS__AUTH", "21"),
        ("DEWLINE_RATE_LIMITS__ANONYMOUS", "22"),
        ("DEWLINE_RATE_LIMITS__USER", "23"),
        ("DEWLINE_RATE_LIMITS__API_KEY", "24"),
        ("DEWLINE_RATE_LIMITS__SYNC", "25"),
    ])
    .environment;
    assert_eq!(budgets(&sources), [21, 22, 23, 24, 25]);
    let (_file, wrong) = file("[rate_limits]\nsync = 0\napi_key = -1\nanonymous = 1000001\n");
    assert_eq!(said(&wrong).len(), 3, "{:?}", said(&wrong));
}

#[test]
fn all_mistakes_of_all_sources_are_said_at_once() {
    let (_file, mut sources) = file(
        "listen = \"nowhere\"\ncolour = \"red\"\n\n[sla]\ncritical_hours = 0\nspeed = 3\n[drupal_org]\nenabled = \"perhaps\"\n[nonsense]\ndeep.er = 1\n[public_url]\n",
    );
    sources.environment = env(&[
        ("DEWLINE_LISTEN", "8080"),
        ("DEWLINE_LISTENN", "127.0.0.1:1"),
        ("DEWLINE_LISTEN_FILE", "/dev/null"),
        ("DEWLINE_SECRET_KEY", "hunter2"),
        ("DEWLINE_METRICS__TOKEN_FILE", "/nowhere/token"),
    ])
    .environment;
    sources.flags = vec![
        ("log.level".into(), "--set log.level".into(), "loud".into()),
        (
            "mail.url".into(),
            "--set mail.url".into(),
            "smtp://u:p@h".into(),
        ),
    ];
    let all = said(&sources);
    insta::assert_snapshot!(all.join("\n"));
    assert!(
        !all.join("\n").contains("hunter2"),
        "a secret is never repeated"
    );
}

#[test]
fn a_broken_file_is_named_with_its_line() {
    let (_file, sources) = file("listen = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"\n");
    let all = said(&sources);
    assert_eq!(all.len(), 1, "{all:?}");
    assert!(all[0].starts_with("FILE, line 2: not TOML: "), "{all:?}");
}

#[test]
fn a_file_that_was_named_must_be_there_and_the_default_one_need_not() {
    let missing = PathBuf::from("/nowhere/dewline.toml");
    let named = Sources {
        file: Some(missing.clone()),
        ..Sources::default()
    };
    assert!(
        load(&named).unwrap_err()[0]
            .to_string()
            .contains("cannot read")
    );
    assert!(load(&env(&[("DEWLINE_CONFIG", "/nowhere/dewline.toml")])).is_err());
    let by_default = Sources {
        default_file: Some(missing),
        ..Sources::default()
    };
    assert!(load(&by_default).is_ok());
}

#[test]
fn secrets_come_from_a_file_without_its_line_end_and_are_never_shown() {
    let mut secret = tempfile::NamedTempFile::new().unwrap();
    writeln!(secret, "0123456789abcdef0123456789abcdef").unwrap();
    let path = secret.path().to_str().unwrap();
    let loaded = load(&env(&[("DEWLINE_SECRET_KEY_FILE", path)])).unwrap();
    assert!(loaded.config.secret_key.is_some());
    let shown = show(&loaded);
    assert!(!shown.contains("0123456789abcdef"));
    assert!(shown.contains("secret_key = (hidden)"));
    let twice = env(&[
        ("DEWLINE_SECRET_KEY", "0123456789abcdef0123456789abcdef"),
        ("DEWLINE_SECRET_KEY_FILE", path),
    ]);
    assert!(said(&twice)[0].contains("is set by DEWLINE_SECRET_KEY too"));
}

#[test]
fn keys_of_later_versions_are_accepted_and_said_to_be_unused() {
    let loaded = load(&env(&[
        ("DEWLINE_MAIL__URL", "smtps://u:p@mail.example.org"),
        ("DEWLINE_RETENTION__SYNCS", "90d"),
    ]))
    .unwrap();
    let shown = show(&loaded);
    let line = shown
        .lines()
        .find(|l| l.starts_with("retention.syncs"))
        .unwrap();
    assert!(line.contains("environment DEWLINE_RETENTION__SYNCS; not used by this version yet"));
    assert!(!shown.contains("u:p@"));
}

#[test]
fn the_push_scripts_variables_do_not_disturb() {
    assert!(load(&env(&[("DEWLINE_PUSH_KEY", "dwl_x")])).is_ok());
}
