//! The executable as an operator meets it: starts, prints, locks, is reached by commands, stops.

mod by_hand;
mod killed;
mod log;
mod push;
mod second_step;
mod secrets;
mod wire;

use std::fs;
use std::io::{BufRead, BufReader, Read, Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use tempfile::TempDir;

/// `dewline` with no configuration but what the test gives, standard input closed.
pub fn dewline(data_dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dewline"));
    command
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| name == "LLVM_PROFILE_FILE"))
        .env("DEWLINE_DATA_DIR", data_dir)
        .env("DEWLINE_LISTEN", "127.0.0.1:0")
        .env("DEWLINE_DRUPAL_ORG__ENABLED", "false")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs a command to its end, with `input` on its standard input.
pub fn run(data_dir: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = dewline(data_dir, arguments)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

/// A running `dewline serve`; killed where the test ends early.
pub struct Serving {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// Its standard error: a file, because a pipe that nobody reads would hold it up.
    log: fs::File,
    /// `http://127.0.0.1:PORT`.
    pub address: String,
    /// The lines before `listening on`.
    pub before: Vec<String>,
}

impl Serving {
    /// Starts it and waits until it says where it listens.
    pub fn start(data_dir: &Path) -> Self {
        Self::from(dewline(data_dir, &["serve"]))
    }

    /// Starts a prepared command and waits until it says where it listens.
    pub fn from(mut command: Command) -> Self {
        let mut log = tempfile::tempfile().unwrap();
        let mut child = command.stderr(log.try_clone().unwrap()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut before = Vec::new();
        loop {
            let mut line = String::new();
            if stdout.read_line(&mut line).unwrap() == 0 {
                panic!("ended early: {}", whole(&mut log));
            }
            let line = line.trim_end().to_owned();
            match line.strip_prefix("listening on ") {
                Some(address) => {
                    let address = address.to_owned();
                    return Self {
                        child,
                        stdout,
                        log,
                        address,
                        before,
                    };
                }
                None => before.push(line),
            }
        }
    }

    /// Kills it with SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill")
            .args(["-s", name, &id])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// Stops it with SIGTERM; returns the exit status and what was still written to both outputs.
    pub fn stop(mut self) -> (Option<i32>, String, String) {
        self.signal("TERM");
        let mut out = String::new();
        self.stdout.read_to_string(&mut out).unwrap();
        let status = self.child.wait().unwrap().code();
        (status, out, whole(&mut self.log))
    }
}

fn whole(log: &mut fs::File) -> String {
    let mut text = String::new();
    log.rewind().unwrap();
    log.read_to_string(&mut text).unwrap();
    text
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn data_dir() -> (TempDir, PathBuf) {
    let above = TempDir::new().unwrap();
    let path = above.path().join("data");
    (above, path)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_first_start_makes_a_private_directory_and_prints_one_set_up_link() {
    let (_above, data) = data_dir();
    let serving = Serving::start(&data);
    assert_eq!(serving.before.len(), 1, "{:?}", serving.before);
    let link = format!("{}/set-up?token=", serving.address);
    assert!(serving.before[0].contains(&link), "{:?}", serving.before);
    assert_eq!(mode(&data), 0o700);
    for entry in fs::read_dir(&data).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        assert_eq!(mode(&entry.path()), 0o600, "{name}");
    }
    let (status, out, err) = serving.stop();
    assert_eq!(status, Some(0), "{err}");
    assert_eq!(out, "", "nothing more on standard output");
}

#[test]
fn logs_are_json_where_there_is_no_terminal_and_say_how_to_reach_it() {
    let (_above, data) = data_dir();
    let (_, _, err) = Serving::start(&data).stop();
    let lines: Vec<serde_json::Value> = err
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    assert!(lines.iter().any(|line| {
        let message = line["message"].as_str().unwrap_or_default();
        message.contains("reachable from this machine only") && message.contains("ssh -L")
    }));
}

#[test]
fn both_signals_stop_it_and_it_starts_again_on_what_it_left() {
    let (_above, data) = data_dir();
    let first = Serving::start(&data);
    first.signal("INT");
    let (status, ..) = first.stop();
    assert_eq!(status, Some(0));
    let (status, ..) = Serving::start(&data).stop();
    assert_eq!(status, Some(0));
}

#[test]
fn a_second_serve_on_the_same_directory_is_refused() {
    let (_above, data) = data_dir();
    let serving = Serving::start(&data);
    let second = run(&data, &["serve"], "");
    assert_eq!(second.status.code(), Some(1));
    assert!(text(&second.stderr).contains("is in use by another dewline"));
    drop(serving);
}

#[test]
fn a_database_of_a_newer_dewline_is_refused_in_words() {
    let (_above, data) = data_dir();
    assert_eq!(Serving::start(&data).stop().0, Some(0));
    let db = rusqlite::Connection::open(data.join("dewline.db")).unwrap();
    db.execute(
        "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
         VALUES (9000, 'of_tomorrow', '2030-01-01T00:00:00Z', '1')",
        [],
    )
    .unwrap();
    drop(db);
    let refused = run(&data, &["serve"], "");
    assert_eq!(refused.status.code(), Some(1));
    let said = text(&refused.stderr);
    assert!(said.contains("of a newer Dewline (schema 9000;"), "{said}");
}

#[test]
fn wrong_usage_and_wrong_configuration_end_with_2() {
    let (_above, data) = data_dir();
    assert_eq!(run(&data, &["frobnicate"], "").status.code(), Some(2));
    let wrong = run(
        &data,
        &["serve", "--set", "listen=x", "--set", "speed=1"],
        "",
    );
    assert_eq!(wrong.status.code(), Some(2));
    let said = text(&wrong.stderr);
    assert!(said.contains("listen (flag --set listen)"), "{said}");
    assert!(
        said.contains("speed (flag --set speed): this key is not known"),
        "{said}"
    );
    assert!(!data.exists(), "nothing was made");
    assert_eq!(run(&data, &["--help"], "").status.code(), Some(0));
    assert_eq!(run(&data, &["--version"], "").status.code(), Some(0));
}

#[test]
fn a_taken_port_is_said_plainly() {
    let (_above, data) = data_dir();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let refused = run(&data, &["serve", "--listen", &listen], "");
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains(&format!("cannot listen on {listen}: ")));
}

#[test]
fn the_effective_configuration_is_shown_with_its_origins() {
    let (_above, data) = data_dir();
    let shown = run(
        &data,
        &["config", "--public-url", "https://d.example.org/"],
        "",
    );
    assert_eq!(shown.status.code(), Some(0));
    let said = text(&shown.stdout);
    assert!(said.contains("drupal_org.enabled = \"false\""), "{said}");
    assert!(
        said.contains("environment DEWLINE_DRUPAL_ORG__ENABLED"),
        "{said}"
    );
    assert!(said.contains("flag --public-url"), "{said}");
    let whole: toml::Table = said.parse().expect("it is a configuration file itself");
    assert!(whole.contains_key("mail"));
}

#[test]
fn administrators_are_made_beside_a_stopped_and_through_a_running_appliance() {
    let (_above, data) = data_dir();
    let create = |email: &str, password: &str| {
        let arguments = [
            "admin",
            "create",
            "--email",
            email,
            "--name",
            "A",
            "--password-stdin",
        ];
        run(&data, &arguments, &format!("{password}\n"))
    };
    let weak = create("a@example.org", "short");
    assert_eq!(weak.status.code(), Some(1));
    assert!(
        text(&weak.stderr).contains("password: "),
        "{}",
        text(&weak.stderr)
    );
    let made = create("a@example.org", "a long enough phrase of words");
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));

    let serving = Serving::start(&data);
    assert!(
        serving.before.is_empty(),
        "no set-up link: {:?}",
        serving.before
    );
    assert_eq!(mode(&data.join("dewline.sock")), 0o600);
    let taken = create("a@example.org", "a long enough phrase of words");
    assert_eq!(taken.status.code(), Some(1));
    assert!(
        text(&taken.stderr).contains("already somebody"),
        "{}",
        text(&taken.stderr)
    );
    let through = create("b@example.org", "a long enough phrase of words");
    assert_eq!(through.status.code(), Some(0), "{}", text(&through.stderr));
    let reset = [
        "admin",
        "reset-password",
        "--email",
        "b@example.org",
        "--password-stdin",
    ];
    let reset = run(&data, &reset, "another long enough phrase\n");
    assert_eq!(reset.status.code(), Some(0), "{}", text(&reset.stderr));
    let (status, _, log) = serving.stop();
    assert_eq!(status, Some(0));
    assert!(!log.contains("phrase"), "passwords are never logged");
}

#[test]
fn a_password_is_never_asked_for_where_nobody_can_type_it() {
    let (_above, data) = data_dir();
    let refused = run(
        &data,
        &["admin", "create", "--email", "a@b.c", "--name", "A"],
        "",
    );
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("--password-stdin"));
}

#[test]
fn a_list_of_sites_is_taken_whole_or_not_at_all_and_given_back_with_keys() {
    let (above, data) = data_dir();
    let file = above.path().join("sites.csv");
    let import = |list: &str| {
        fs::write(&file, list).unwrap();
        run(&data, &["import", "sites", file.to_str().unwrap()], "")
    };
    let wrong = import(
        "name,url,organization,tags\n\
         Town hall,https://town.example.org,Northwind,\"news, city\"\n\
         ,nowhere,Northwind,\n\
         Library,https://library.example.org,,\n",
    );
    assert_eq!(wrong.status.code(), Some(1));
    insta::assert_snapshot!(text(&wrong.stderr));

    let serving = Serving::start(&data);
    let right = import(
        "name,url,organization,tags,environment\n\
         Town hall,https://town.example.org,Northwind,\"news, city\",production\n\
         Town hall,https://staging.example.org,northwind,,staging\n\
         =Library,https://library.example.org,Acme,,\n",
    );
    assert_eq!(right.status.code(), Some(0), "{}", text(&right.stderr));
    let note = text(&right.stderr);
    assert!(
        note.contains("3 sites were made"),
        "nothing was left of the first try: {note}"
    );
    assert!(
        note.contains("Organizations that weren't there were made: Northwind, Acme."),
        "{note}"
    );
    let mut rows = csv::Reader::from_reader(&right.stdout[..]);
    assert_eq!(rows.headers().unwrap().iter().next_back(), Some("api_key"));
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    assert_eq!(&rows[2][0], "'=Library", "no cell starts a formula");
    assert_eq!(&rows[1][2], "Northwind");
    assert!(rows.iter().all(|row| row[7].starts_with("dwl_")));

    let again = import("name,url,organization\ntown HALL,https://x.example.org,Northwind\n");
    assert_eq!(again.status.code(), Some(1));
    assert!(
        text(&again.stderr).contains("line 2, name: is the name of a site"),
        "{}",
        text(&again.stderr)
    );
    assert_eq!(serving.stop().0, Some(0));

    let checked = run(&data, &["check", "--replay"], "");
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stdout));
}

#[test]
fn the_record_is_checked_beside_a_running_appliance_and_a_difference_is_a_failure() {
    let (_above, data) = data_dir();
    let fresh = run(&data, &["check", "--replay"], "");
    assert_eq!(fresh.status.code(), Some(0), "{}", text(&fresh.stderr));
    let serving = Serving::start(&data);
    let checked = run(&data, &["check"], "");
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stdout));
    assert!(
        text(&checked.stdout)
            .lines()
            .all(|line| line.starts_with("fine "))
    );
    assert_eq!(serving.stop().0, Some(0));

    let made = run(
        &data,
        &["import", "sites", "-"],
        "name,url,organization\nA,https://a.b,C\n",
    );
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    let db = rusqlite::Connection::open(data.join("dewline.db")).unwrap();
    db.execute(
        "UPDATE audit_logs SET actor_name = 'somebody else' WHERE id = 1",
        [],
    )
    .unwrap();
    drop(db);
    let broken = run(&data, &["check"], "");
    assert_eq!(broken.status.code(), Some(1), "{}", text(&broken.stdout));
    assert!(
        text(&broken.stdout).contains(
            "WRONG the seals of the audit log (1 looked at)\n      row 1 isn't as it was sealed\n"
        ),
        "{}",
        text(&broken.stdout)
    );
}

#[test]
fn systemd_is_told_that_it_is_ready_alive_and_stopping() {
    let (above, data) = data_dir();
    let path = above.path().join("notify.sock");
    let systemd = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    let mut command = dewline(&data, &["serve"]);
    command
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "60000000");
    let serving = Serving::from(command);
    assert_eq!(serving.stop().0, Some(0));
    systemd.set_nonblocking(true).unwrap();
    let mut said = Vec::new();
    let mut buffer = [0; 256];
    while let Ok(length) = systemd.recv(&mut buffer) {
        said.push(text(&buffer[..length]).trim_end().to_owned());
    }
    for word in ["READY=1", "WATCHDOG=1", "STOPPING=1"] {
        assert!(said.iter().any(|told| told == word), "{word} in {said:?}");
    }
}

#[test]
fn a_carried_catalogue_is_taken_by_a_running_appliance() {
    let (above, data) = data_dir();
    let carried = above.path().join("carried/release-history");
    fs::create_dir_all(&carried).unwrap();
    let history = r#"<?xml version="1.0" encoding="utf-8"?>
<project><title>Token</title><short_name>token</short_name><type>project_module</type>
<supported_branches>8.x-1.</supported_branches><project_status>published</project_status>
<releases><release><name>token 8.x-1.13</name><version>8.x-1.13</version><status>published</status>
<date>1697885927</date></release></releases></project>"#;
    fs::write(carried.join("token.xml"), history).unwrap();
    fs::write(carried.join("broken.xml"), "<project>").unwrap();
    let advisories = above.path().join("carried/advisories");
    fs::create_dir_all(&advisories).unwrap();
    let advisory = r#"{"schema_version": "1.7.0", "id": "DRUPAL-CONTRIB-2026-001", "modified": "2026-03-04T17:00:00Z",
        "affected": [{"package": {"ecosystem": "Packagist", "name": "drupal/token"},
            "database_specific": {"affected_versions": "<1.13.0"}}]}"#;
    fs::write(advisories.join("DRUPAL-CONTRIB-2026-001.json"), advisory).unwrap();
    fs::write(advisories.join("broken.json"), "{").unwrap();
    let folder = above.path().join("carried");
    let import = || {
        run(
            &data,
            &["import", "catalogue", folder.to_str().unwrap()],
            "",
        )
    };

    let serving = Serving::start(&data);
    let first = import();
    assert_eq!(first.status.code(), Some(0), "{}", text(&first.stderr));
    assert_eq!(
        text(&first.stdout),
        "release histories: 1 taken, 0 as they were, 0 unknown to drupal.org\n\
         advisories: 1 taken, 0 as they were\n2 left\n"
    );
    assert!(
        text(&first.stderr).contains("left: advisories/broken.json: a document that is cut short"),
        "{}",
        text(&first.stderr)
    );
    assert!(
        text(&first.stderr).contains("left: broken"),
        "{}",
        text(&first.stderr)
    );
    assert_eq!(serving.stop().0, Some(0));
    assert_eq!(
        text(&import().stdout),
        "release histories: 0 taken, 1 as they were, 0 unknown to drupal.org\n\
         advisories: 0 taken, 1 as they were\n2 left\n"
    );

    let nothing = run(&data, &["import", "catalogue", "/nowhere"], "");
    assert_eq!(nothing.status.code(), Some(1));
}

#[test]
fn an_advisory_that_is_carried_in_and_cannot_be_kept_is_a_failure_that_names_whom_it_concerns() {
    let (above, data) = data_dir();
    let advisories = above.path().join("carried/advisories");
    fs::create_dir_all(&advisories).unwrap();
    let write = |name: &str, number: u8, packages: &str| {
        let advisory = format!(
            r#"{{"schema_version": "1.7.0", "id": "DRUPAL-CONTRIB-2026-00{number}",
            "modified": "2026-03-04T17:00:00Z", "affected": [{packages}]}}"#
        );
        fs::write(advisories.join(name), advisory).unwrap();
    };
    let (rope, knot) = (
        r#"{"package": {"name": "drupal/rope"}}"#,
        r#"{"package": {"name": "drupal/knot"}}"#,
    );
    let folder = above.path().join("carried");
    let import = || {
        run(
            &data,
            &["import", "catalogue", folder.to_str().unwrap()],
            "",
        )
    };
    write(
        "one.json",
        1,
        &format!(r#"{{"package": {{"name": "left-pad"}}}}, {rope}"#),
    );
    write("foreign.json", 2, r#"{"package": {"name": "left-pad"}}"#);
    let fine = import();
    assert_eq!(fine.status.code(), Some(0), "{}", text(&fine.stderr));
    assert!(text(&fine.stdout).ends_with("advisories: 1 taken, 0 as they were\n1 left\n"));
    write("two.json", 3, &format!("{knot}, {rope}"));
    let failed = import();
    assert_eq!(failed.status.code(), Some(1));
    assert!(text(&failed.stdout).ends_with("advisories: 0 taken, 1 as they were\n2 left\n"));
    let said = text(&failed.stderr);
    assert!(
        said.contains("advisories/two.json: it is about several projects"),
        "{said}"
    );
    assert!(said.contains("not known here for: knot, rope"), "{said}");
    assert!(
        said.contains("1 of the advisories left may count against what sites run"),
        "{said}"
    );
}

#[test]
fn the_reference_of_the_api_is_printed_whatever_the_configuration() {
    let (_above, data) = data_dir();
    let printed = run(&data, &["openapi", "--set", "nonsense=1"], "");
    assert_eq!(printed.status.code(), Some(0));
    let document: serde_json::Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert!(document["paths"]["/api/v1/sites/{id}/modules/sync"]["post"].is_object());
    let printed = run(&data, &["postman", "--set", "nonsense=1"], "");
    assert_eq!(printed.status.code(), Some(0));
    let collection: serde_json::Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(collection["info"]["name"], "Dewline");
}

/// `cargo run` gives the program the environment that the build script set for the compiler.
#[test]
fn what_the_build_tells_itself_is_no_setting_of_the_program() {
    let output = Path::new(env!("OUT_DIR")).with_file_name("output");
    let told = fs::read_to_string(&output).unwrap();
    let told: Vec<(&str, &str)> = told
        .lines()
        .filter_map(|line| line.split_once("rustc-env=")?.1.split_once('='))
        .collect();
    assert!(!told.is_empty(), "{} names nothing", output.display());
    let (_above, data) = data_dir();
    let shown = dewline(&data, &["config"]).envs(told).output().unwrap();
    assert_eq!(shown.status.code(), Some(0), "{}", text(&shown.stderr));
}
