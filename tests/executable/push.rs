//! `packaging/push/dewline-push.sh` against the running executable.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::wire::ask;
use super::{Serving, data_dir, run, text};

const LOCK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/composer.lock");

fn push(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/push/dewline-push.sh");
    Command::new("sh")
        .arg(script)
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

/// The ids of two sites, each with its key.
pub fn two_sites(data: &Path) -> Vec<(String, String)> {
    let list =
        "name,url,organization\nA,https://a.example.org,Acme\nB,https://b.example.org,Acme\n";
    let made = run(data, &["import", "sites", "-"], list);
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    csv::Reader::from_reader(&made.stdout[..])
        .records()
        .map(|row| {
            row.map(|row| (row[6].to_owned(), row[7].to_owned()))
                .unwrap()
        })
        .collect()
}

#[test]
fn a_real_composer_lock_becomes_the_modules_of_its_site() {
    let (_above, data) = data_dir();
    let admin = [
        "admin",
        "create",
        "--email",
        "a@example.org",
        "--name",
        "A",
        "--password-stdin",
    ];
    run(&data, &admin, "a long enough phrase of words\n");
    let sites = two_sites(&data);
    let (site, key) = &sites[0];
    let serving = Serving::start(&data);
    let key_file: PathBuf = data.join("push.key");
    fs::write(&key_file, format!("{key}\n")).unwrap();
    fs::set_permissions(&key_file, fs::Permissions::from_mode(0o600)).unwrap();

    let key_path = key_file.to_str().unwrap();
    let taken = push(
        &[
            "--url",
            &serving.address,
            "--site",
            site,
            "--key-file",
            key_path,
            "--lock",
            LOCK,
        ],
        &[],
    );
    assert_eq!(taken.status.code(), Some(0), "{}", text(&taken.stderr));
    assert!(text(&taken.stdout).starts_with("taken: "));

    let form = r#"{"email":"a@example.org","password":"a long enough phrase of words"}"#;
    let login = ask(
        &serving.address,
        "POST",
        "/api/v1/auth/login",
        "",
        Some(form),
    )
    .unwrap();
    let token = login.json()["data"]["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/api/v1/sites/{site}/modules");
    let modules = ask(&serving.address, "GET", &path, &token, None).unwrap();
    let mut rows: Vec<String> = modules.json()["data"]
        .as_array()
        .unwrap_or_else(|| panic!("{}", modules.body))
        .iter()
        .map(|row| format!("{} {} {}", row["name"], row["type"], row["installed"]).replace('"', ""))
        .collect();
    rows.sort();
    insta::assert_snapshot!(rows.join("\n"));

    let (status, _, log) = serving.stop();
    assert_eq!(status, Some(0));
    for entry in fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_file() {
            continue; // the socket
        }
        let bytes = fs::read(&path).unwrap();
        let held = bytes.windows(14).any(|w| w == b"not-to-be-kept");
        assert!(
            !held,
            "{} holds a password of a private repository",
            path.display()
        );
    }
    assert!(!log.contains("not-to-be-kept"));
}

#[test]
fn what_goes_wrong_is_said_clearly_and_the_key_is_never_printed() {
    let (_above, data) = data_dir();
    let sites = two_sites(&data);
    let serving = Serving::start(&data);
    let (url, site, key) = (
        serving.address.as_str(),
        sites[0].0.as_str(),
        sites[0].1.as_str(),
    );
    let said = |arguments: &[&str], variables: &[(&str, &str)]| {
        let output = push(arguments, variables);
        let all = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(!all.contains(key), "{all}");
        (output.status.code(), all)
    };
    let here = [
        ("DEWLINE_PUSH_URL", url),
        ("DEWLINE_PUSH_SITE", site),
        ("DEWLINE_PUSH_LOCK", LOCK),
    ];
    let with = |name: &'static str, value: &'static str| {
        let mut all = here.to_vec();
        all.push((name, value));
        all
    };

    let (status, words) = said(&[], &[]);
    assert_eq!(status, Some(2));
    assert!(words.contains("where is Dewline?"), "{words}");
    let (status, words) = said(&[], &here);
    assert_eq!(status, Some(2));
    assert!(words.contains("no key"), "{words}");
    let (status, words) = said(&[], &with("DEWLINE_PUSH_KEY", "dwl_wrong\" header"));
    assert_eq!(status, Some(2));
    assert!(words.contains("not a key of Dewline"), "{words}");
    let stranger = "dwl_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let (status, words) = said(&[], &with("DEWLINE_PUSH_KEY", stranger));
    assert_eq!(status, Some(1));
    assert!(words.contains("refused (401)"), "{words}");

    let other = [("DEWLINE_PUSH_KEY", sites[0].1.as_str())];
    let (status, words) = said(
        &["--url", url, "--site", &sites[1].0, "--lock", LOCK],
        &other,
    );
    assert_eq!(status, Some(1));
    assert!(words.contains("not for site"), "{words}");
    let broken = data.join("broken.lock");
    fs::write(&broken, "{\"packages\": [").unwrap();
    let broken = broken.to_str().unwrap();
    let (status, words) = said(&["--url", url, "--site", site, "--lock", broken], &other);
    assert_eq!(status, Some(1));
    assert!(words.contains("refused (400): "), "{words}");

    assert_eq!(serving.stop().0, Some(0));
    let (status, words) = said(
        &["--url", &url_of_nobody(), "--site", site, "--lock", LOCK],
        &other,
    );
    assert_eq!(status, Some(3));
    assert!(words.contains("cannot be reached"), "{words}");
}

/// An address at which nobody listens.
fn url_of_nobody() -> String {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    drop(taken);
    format!("http://{address}")
}
