//! Killed without warning while sites speak, and started again: what was acknowledged is there.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;

use super::wire::ask;
use super::{Serving, data_dir, dewline, run, text};

const SITES: usize = 16;
/// Acknowledged syncs after which it is killed.
const ENOUGH: usize = 240;

/// A site with its key, the last patch number that was acknowledged and the last that was sent.
#[derive(Clone)]
struct Site {
    id: String,
    key: String,
    acknowledged: usize,
    sent: usize,
}

fn import(data: &Path) -> Vec<Site> {
    let mut list = "name,url,organization\n".to_owned();
    for n in 0..SITES {
        list.push_str(&format!("Site {n},https://s{n}.example.org,Acme\n"));
    }
    let made = run(data, &["import", "sites", "-"], &list);
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    csv::Reader::from_reader(&made.stdout[..])
        .records()
        .map(|row| {
            let row = row.unwrap();
            Site {
                id: row[6].to_owned(),
                key: row[7].to_owned(),
                acknowledged: 0,
                sent: 0,
            }
        })
        .collect()
}

fn inventory(patch: usize) -> String {
    let mut modules = vec![serde_json::json!({
        "name": "drupal", "type": "core", "version": format!("10.3.{patch}"),
    })];
    for n in 0..40 {
        let version = format!("1.{}.0", patch + n);
        modules.push(serde_json::json!({"name": format!("module_{n}"), "version": version}));
    }
    serde_json::json!({"schema": 1, "modules": modules}).to_string()
}

fn serving(data: &Path) -> Serving {
    let mut command = dewline(data, &["serve"]);
    command.env("DEWLINE_RATE_LIMITS__ENABLED", "false");
    Serving::from(command)
}

fn token(address: &str) -> String {
    let form = r#"{"email":"a@example.org","password":"a long enough phrase of words"}"#;
    let answer = ask(address, "POST", "/api/v1/auth/login", "", Some(form)).unwrap();
    answer.json()["data"]["access_token"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn killed_under_load_no_acknowledged_sync_is_lost() {
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
    let made = run(&data, &admin, "a long enough phrase of words\n");
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    let sites: Vec<Mutex<Site>> = import(&data).into_iter().map(Mutex::new).collect();

    let mut first = serving(&data);
    let (acknowledged, enough) = mpsc::channel();
    let over = AtomicBool::new(false);
    let address = first.address.clone();
    thread::scope(|threads| {
        for site in &sites {
            let (address, acknowledged, over) = (&address, acknowledged.clone(), &over);
            threads.spawn(move || {
                let mut site = site.lock().unwrap();
                while !over.load(Ordering::SeqCst) {
                    site.sent += 1;
                    let path = format!("/api/v1/sites/{}/modules/sync", site.id);
                    let body = inventory(site.sent);
                    match ask(address, "POST", &path, &site.key, Some(&body)) {
                        Ok(answer) if answer.status == 200 => {
                            site.acknowledged = site.sent;
                            acknowledged.send(()).unwrap();
                        }
                        Ok(answer) => panic!("{answer:?}"),
                        Err(_) => break,
                    }
                }
            });
        }
        drop(acknowledged);
        // Each message is an acknowledged sync; it ends early only where all have given up.
        let counted = enough.iter().take(ENOUGH).count();
        first.kill();
        over.store(true, Ordering::SeqCst);
        assert_eq!(counted, ENOUGH);
    });

    let again = serving(&data);
    let token = token(&again.address);
    for site in &sites {
        let site = site.lock().unwrap();
        let path = format!("/api/v1/sites/{}/modules?per_page=200", site.id);
        let answer = ask(&again.address, "GET", &path, &token, None).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        let modules = answer.json()["data"].as_array().unwrap().clone();
        let version_of = |name: &str| {
            let row = modules.iter().find(|row| row["name"] == name).expect(name);
            row["installed"].as_str().unwrap().to_owned()
        };
        // The one that was on its way when it was killed may be there, whole, or not at all.
        let kept: usize = version_of("drupal")["10.3.".len()..].parse().unwrap();
        assert!(
            (site.acknowledged..=site.sent).contains(&kept),
            "{kept} of {}",
            site.acknowledged
        );
        assert_eq!(version_of("module_7"), format!("1.{}.0", kept + 7));
    }
    let checked = run(&data, &["check", "--replay"], "");
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stdout));
    assert_eq!(again.stop().0, Some(0));
}
