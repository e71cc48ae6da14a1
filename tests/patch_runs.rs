//! Patch runs: announced by deploy scripts, proved by inventories, and by nothing else.

use dewline::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::{Site, TestApp};

impl TestApp {
    fn minutes_ago(&self, minutes: i64) -> String {
        (self.clock.now() - SignedDuration::from_mins(minutes)).to_string()
    }

    async fn announces(&self, key: &str, run: &Value) -> Value {
        self.bearer(key).post("/patch-runs", run).await.created()["data"].clone()
    }

    async fn site_sends(&self, site: i64, key: &str, version: &str) {
        Site::known(self, site, key)
            .syncs(&[("token", version)])
            .await;
    }

    async fn all_runs(&self) -> Vec<Value> {
        let answer = self.admin().get("/patch-runs?sort=id").await.ok();
        answer["data"].as_array().unwrap().clone()
    }

    /// `state, ticket, modules updated` of each run.
    async fn ledger_of_runs(&self) -> Vec<(String, Option<String>, i64)> {
        let read = |run: &Value| {
            let ticket = run["announced"]["ticket"].as_str().map(ToOwned::to_owned);
            let state = run["state"].as_str().unwrap().to_owned();
            (state, ticket, run["modules_updated"].as_i64().unwrap())
        };
        self.all_runs().await.iter().map(read).collect()
    }
}

fn row(state: &str, ticket: Option<&str>, updated: i64) -> (String, Option<String>, i64) {
    (state.to_owned(), ticket.map(ToOwned::to_owned), updated)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announced_run_is_claimed_until_an_inventory_proves_it() {
    let (mut house, _, site, key) = TestApp::exposed().await;
    house.waits(SignedDuration::from_mins(10)).await;
    let said = house
        .announces(&key, &json!({
            "site_id": site, "performed_by": "deploy of Monday", "ticket": "OPS-7", "commit": "4f1c0de",
            "started_at": house.minutes_ago(10), "finished_at": house.minutes_ago(2),
        }))
        .await;
    assert_eq!(said["state"], "claimed");
    assert_eq!(said["sync_id"], Value::Null);
    assert_eq!(said["changes"], json!([]));
    assert_eq!(said["announced"]["commit"], "4f1c0de");
    assert_eq!(said["announced"]["by"], "its key");
    let open = house
        .admin()
        .get("/exposures?filter[state]=open")
        .await
        .ok();
    assert_eq!(
        open["data"].as_array().unwrap().len(),
        1,
        "saying so closes nothing"
    );

    house.waits(SignedDuration::from_mins(5)).await;
    house.site_sends(site, &key, "1.0.1").await;
    let runs = house.all_runs().await;
    assert_eq!(runs.len(), 1, "one row stands for both");
    assert_eq!(runs[0]["id"], said["id"]);
    assert_eq!(runs[0]["state"], "proved");
    assert_eq!(runs[0]["security_patches_applied"], 1);
    assert_eq!(runs[0]["run_date"], house.clock.now().to_string());
    assert_eq!(runs[0]["announced"]["ticket"], "OPS-7");
    assert_eq!(runs[0]["changes"][0]["to"], "1.0.1");
    let closed = house.admin().get("/exposures?filter[state]=met").await.ok();
    assert_eq!(closed["data"][0]["closed_by_patch_run_id"], said["id"]);
    for (state, count) in [("claimed", 0), ("proved", 1), ("unattributed", 0)] {
        let path = format!("/patch-runs?filter[state]={state}");
        let found = house.admin().get(&path).await.column("id").len();
        assert_eq!(found, count, "{state}");
    }
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_nobody_announced_is_unattributed_until_somebody_does() {
    let (mut house, _, site, key) = TestApp::exposed().await;
    let began = house.minutes_ago(1);
    house.site_sends(site, &key, "1.0.1").await;
    assert_eq!(house.ledger_of_runs().await, [row("unattributed", None, 1)]);
    assert_eq!(house.all_runs().await[0]["announced"], Value::Null);
    house.waits(SignedDuration::from_hours(30)).await;
    // It began after the inventory: another run.
    let later = json!({"site_id": site, "ticket": "later", "started_at": house.minutes_ago(60)});
    house.announces(&key, &later).await;
    // It ended a day and more before: another one, too.
    let early = (house.clock.now() - SignedDuration::from_hours(24 * 3)).to_string();
    let early =
        json!({"site_id": site, "ticket": "early", "started_at": early, "finished_at": early});
    house.announces(&key, &early).await;
    let right = json!({"site_id": site, "ticket": "right", "started_at": began});
    house.announces(&key, &right).await;
    assert_eq!(
        house.ledger_of_runs().await,
        [
            row("proved", Some("right"), 1),
            row("claimed", Some("later"), 0),
            row("claimed", Some("early"), 0)
        ]
    );
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inventory_proves_the_newest_claim_that_is_not_stale() {
    let (mut house, _, site, key) = TestApp::exposed().await;
    let run = |ticket: &str, started_at: String| json!({"site_id": site, "ticket": ticket, "started_at": started_at});
    house
        .announces(&key, &run("stale", house.minutes_ago(5)))
        .await;
    house.waits(SignedDuration::from_hours(25)).await;
    house.site_sends(site, &key, "1.0.1").await;
    assert_eq!(
        house.ledger_of_runs().await,
        [
            row("claimed", Some("stale"), 0),
            row("unattributed", None, 1)
        ]
    );
    house
        .announces(&key, &run("first", house.minutes_ago(-1)))
        .await;
    house
        .announces(&key, &run("second", house.minutes_ago(-2)))
        .await;
    house.waits(SignedDuration::from_mins(10)).await;
    // Nothing changed: no run, and nothing is proved by it.
    house.site_sends(site, &key, "1.0.1").await;
    assert_eq!(house.all_runs().await.len(), 4);
    // A version that went down is a run as well.
    house.site_sends(site, &key, "1.0.0").await;
    let told = house.ledger_of_runs().await;
    assert_eq!(
        told[2..],
        [
            row("claimed", Some("first"), 0),
            row("proved", Some("second"), 0)
        ]
    );
    house.waits(SignedDuration::from_mins(10)).await;
    house.site_sends(site, &key, "1.0.1").await;
    assert_eq!(
        house.ledger_of_runs().await[2],
        row("proved", Some("first"), 1)
    );
    house.proves_itself().await;
}

impl TestApp {
    /// A run of five minutes that is over now.
    fn run_of(&self, site: i64, ticket: &str) -> Value {
        json!({"site_id": site, "ticket": ticket, "started_at": self.minutes_ago(5), "finished_at": self.minutes_ago(0)})
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_an_inventory_has_passed_over_is_never_proved() {
    let (mut house, _, site, key) = TestApp::exposed().await;
    house.waits(SignedDuration::from_mins(10)).await;
    let run = house.run_of(site, "OPS-7");
    house.announces(&key, &run).await;
    house.waits(SignedDuration::from_mins(25)).await;
    house.site_sends(site, &key, "1.0.0").await;
    // In the evening somebody updates by hand and announces nothing.
    house.waits(SignedDuration::from_hours(9)).await;
    house.site_sends(site, &key, "1.0.1").await;
    assert_eq!(
        house.ledger_of_runs().await,
        [
            row("claimed", Some("OPS-7"), 0),
            row("unattributed", None, 1)
        ]
    );
    // The same run, said too late, isn't that one either.
    let late = json!({"site_id": site, "ticket": "OPS-8", "commit": "4f1c0de",
        "started_at": run["started_at"], "finished_at": run["finished_at"]});
    house.announces(&key, &late).await;
    assert_eq!(
        house.ledger_of_runs().await[1..],
        [
            row("unattributed", None, 1),
            row("claimed", Some("OPS-8"), 0)
        ]
    );
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_runs_that_ended_the_first_inventory_proves_the_newest_alone() {
    let (mut house, _, site, key) = TestApp::exposed().await;
    for ticket in ["first", "second"] {
        house.waits(SignedDuration::from_mins(10)).await;
        house.announces(&key, &house.run_of(site, ticket)).await;
    }
    house.waits(SignedDuration::from_mins(1)).await;
    house.site_sends(site, &key, "1.0.1").await;
    house.waits(SignedDuration::from_mins(1)).await;
    house.site_sends(site, &key, "1.0.0").await;
    assert_eq!(
        house.ledger_of_runs().await,
        [
            row("claimed", Some("first"), 0),
            row("proved", Some("second"), 1),
            row("unattributed", None, 0)
        ]
    );
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_a_module_is_a_run_where_it_was_announced_and_else_none() {
    // Nobody announces it: no run. Then somebody does, after the inventory, or before it.
    for announced in ["never", "after", "before"] {
        let (mut house, _, site, key) = TestApp::exposed().await;
        house.waits(SignedDuration::from_mins(10)).await;
        let run = house.run_of(site, "OPS-9");
        if announced == "before" {
            house.announces(&key, &run).await;
        }
        house.waits(SignedDuration::from_mins(1)).await;
        Site::known(&house, site, &key).syncs(&[]).await;
        if announced == "after" {
            house.announces(&key, &run).await;
        }
        let met = house.admin().get("/exposures?filter[state]=met").await.ok();
        let by = &met["data"][0]["closed_by_patch_run_id"];
        if announced == "never" {
            assert_eq!(house.ledger_of_runs().await, []);
            assert_eq!(*by, Value::Null);
        } else {
            let runs = house.all_runs().await;
            assert_eq!(
                house.ledger_of_runs().await,
                [row("proved", Some("OPS-9"), 0)],
                "{announced}"
            );
            assert_eq!(*by, runs[0]["id"]);
            assert_eq!(runs[0]["run_date"], met["data"][0]["closed_at"]);
            assert_eq!(runs[0]["security_patches_applied"], 1);
            let change = json!({"module": "token", "from": "1.0.0", "to": null, "kind": "removed"});
            assert!(runs[0]["changes"].as_array().unwrap().contains(&change));
        }
        house.proves_itself().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_inventory_of_a_site_proves_nothing() {
    let (mut house, harbour, ..) = TestApp::exposed().await;
    let site = house.site_of(harbour, "Mill").await;
    let (id, key) = (site.id, site.key.clone());
    house.announces(&key, &house.run_of(id, "OPS-1")).await;
    for version in ["1.0.0", "1.0.1"] {
        house.waits(SignedDuration::from_mins(1)).await;
        house.site_sends(id, &key, version).await;
    }
    assert_eq!(
        house.ledger_of_runs().await,
        [
            row("claimed", Some("OPS-1"), 0),
            row("unattributed", None, 1)
        ]
    );
    house.proves_itself().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_tries_again_means_the_same_run() {
    let (house, _, site, key) = TestApp::exposed().await;
    let start = house.minutes_ago(9);
    let begun = json!({"site_id": site, "commit": "4f1c0de", "started_at": start});
    let first = house.announces(&key, &begun).await;
    let again = house.announces(&key, &begun).await;
    assert_eq!(first, again);
    let ended = json!({"site_id": site, "commit": "4f1c0de", "started_at": start, "finished_at": house.minutes_ago(1)});
    let ended = house.announces(&key, &ended).await;
    assert_eq!(ended["id"], first["id"]);
    assert_eq!(ended["announced"]["finished_at"], house.minutes_ago(1));
    let other = json!({"site_id": site, "commit": "90ab12c", "started_at": start});
    assert_ne!(house.announces(&key, &other).await["id"], first["id"]);
    let rows = house
        .admin()
        .get("/audit-logs?filter[action]=patch_run.announced")
        .await
        .column("subject");
    assert_eq!(rows.len(), 3, "begun, ended, and another one");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_announces_for_a_site_that_is_not_his() {
    let (house, harbour, site, key) = TestApp::exposed().await;
    let gone = house.site_of(harbour, "Gone").await.id;
    house.admin().delete(&format!("/sites/{gone}")).await;
    let meadow = house.organization("Meadow").await;
    let foreign = house.site_of(meadow, "Field").await;
    let own = house.key(harbour, &["sync"]).await;
    let theirs = house.key(meadow, &["sync"]).await;
    let run = |site: i64| json!({"site_id": site, "started_at": house.minutes_ago(1)});
    let mut refused = Vec::new();
    for (key, site) in [
        (&own, foreign.id),
        (&own, gone),
        (&own, 4_000),
        (&theirs, site),
        (&foreign.key, site),
        (&key, foreign.id),
    ] {
        let answer = house.bearer(key).post("/patch-runs", &run(site)).await;
        assert_eq!(
            (answer.status.as_u16(), answer.faults()),
            (422, vec!["/site_id not_found".to_owned()])
        );
        refused.push(answer.json()["errors"].clone());
    }
    refused.dedup();
    assert_eq!(
        refused.len(),
        1,
        "what is foreign and what is not there sound alike"
    );
    let reader = house.key(harbour, &["sites:read"]).await;
    assert_eq!(
        house
            .bearer(&reader)
            .post("/patch-runs", &run(site))
            .await
            .status,
        403
    );
    assert_eq!(house.all_runs().await.len(), 0);
    house.announces(&own, &run(site)).await;
    let id = house.all_runs().await[0]["id"].clone();
    let blind = house.key(meadow, &["sites:read"]).await;
    assert_eq!(
        house
            .bearer(&blind)
            .get(&format!("/patch-runs/{id}"))
            .await
            .status,
        404
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_a_run_is_refused_with_all_that_is_wrong() {
    let (house, _, site, key) = TestApp::exposed().await;
    let wrong = json!({
        "site_id": site, "performed_by": "x".repeat(201), "ticket": "a\u{7}b", "commit": 5, "who": "me",
        "started_at": house.minutes_ago(0), "finished_at": house.minutes_ago(1),
    });
    let answer = house.bearer(&key).post("/patch-runs", &wrong).await;
    let mut faults = answer.faults();
    faults.sort_unstable();
    assert_eq!(
        faults,
        [
            "/commit wrong_type",
            "/finished_at before_start",
            "/performed_by too_long",
            "/ticket control_character",
            "/who unknown_field"
        ]
    );
    let empty = house.bearer(&key).post("/patch-runs", &json!({})).await;
    assert_eq!(
        empty.faults(),
        ["/started_at required", "/site_id required"]
    );
    let ahead = json!({"site_id": site, "started_at": house.minutes_ago(-6)});
    let ahead = house.bearer(&key).post("/patch-runs", &ahead).await;
    assert_eq!(ahead.faults(), ["/started_at in_the_future"]);
    assert_eq!(house.all_runs().await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_formula_in_a_ticket_is_text_in_a_spreadsheet() {
    let (house, _, site, key) = TestApp::exposed().await;
    let run = json!({"site_id": site, "ticket": "=1+1", "started_at": house.minutes_ago(1)});
    let made = house.announces(&key, &run).await;
    assert_eq!(made["announced"]["ticket"], "=1+1");
    let csv = house.admin().get("/patch-runs?format=csv").await;
    assert_eq!(csv.status, 200);
    let line = csv.text.lines().nth(1).unwrap().to_owned();
    assert!(line.split(',').all(|cell| !cell.starts_with('=')), "{line}");
    let at: Timestamp = made["run_date"].as_str().unwrap().parse().unwrap();
    assert!(line.contains(&at.to_string()), "{line}");
}
