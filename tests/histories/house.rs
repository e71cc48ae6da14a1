//! An appliance in which histories are played, and what is asked of it afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;

use dewline::app::App;
use dewline::clock::{Clock, ManualClock, SeededEntropy};
use dewline::config::Config;
use dewline::services::check;
use dewline::store::{Lane, Settings, StoreError};
use jiff::Timestamp;
use tempfile::TempDir;

use super::model::Minute;
use super::ops::Op;
use super::play::Town;

/// An appliance in which many histories are played, one after the other.
pub struct House {
    pub app: Arc<App>,
    pub clock: Arc<ManualClock>,
    histories: usize,
    _folder: TempDir,
}

impl House {
    pub fn open() -> Self {
        let folder = TempDir::new().unwrap();
        let clock = Arc::new(ManualClock::at("2026-01-01T00:00:00Z".parse().unwrap()));
        let mut config = Config {
            data_dir: folder.path().join("data"),
            ..Config::default()
        };
        config.drupal_org.enabled = false;
        let settings = Settings {
            readers: 2,
            durable: false,
            ..Settings::default()
        };
        let entropy = Arc::new(SeededEntropy::new(7));
        Self {
            app: App::open_with(config, clock.clone(), entropy, settings).unwrap(),
            clock,
            histories: 0,
            _folder: folder,
        }
    }

    /// `dewline check --replay`: what it finds wrong.
    pub async fn proves_itself(&self) -> Result<(), String> {
        let findings = check::run(&self.app.config, true).await.unwrap();
        let wrong = findings
            .into_iter()
            .filter(|finding| !finding.wrong.is_empty());
        let lines: Vec<String> = wrong
            .map(|finding| format!("{}: {:#?}", finding.about, finding.wrong))
            .collect();
        if lines.is_empty() {
            Ok(())
        } else {
            Err(lines.join("\n"))
        }
    }

    /// Something is written behind the program's back; so many rows of it.
    pub async fn breaks(&self, sql: &'static str) -> u64 {
        let written = self.app.store.write(Lane::Front, move |db| {
            let before = db.total_changes();
            db.execute_batch(sql)?;
            Ok::<_, StoreError>(db.total_changes() - before)
        });
        written.await.unwrap()
    }

    /// How many windows there are, by how they stand and what they are for.
    pub fn windows(&self) -> BTreeMap<String, i64> {
        let read = self.app.store.read(|db| {
            let mut query = db.prepare(
                "SELECT ifnull(outcome, 'open'), count(*) FROM exposures GROUP BY 1
                 UNION ALL SELECT 'for: ' || cause_kind, count(*) FROM exposures GROUP BY 1
                 UNION ALL SELECT 'unproven', count(*) FROM exposures WHERE unproven_since IS NOT NULL
                 UNION ALL SELECT 'without a due time', count(*) FROM exposures WHERE due_at IS NULL
                 UNION ALL SELECT kind, count(*) FROM exposure_events GROUP BY 1",
            )?;
            let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok::<_, StoreError>(rows.collect::<rusqlite::Result<_>>()?)
        });
        read.unwrap()
    }

    /// Plays a history. What differs from the model, or breaks a rule, is said.
    pub async fn plays(&mut self, ops: &[Op], wild: bool) -> Result<(), String> {
        self.histories += 1;
        self.clock.set(minute(self.now() + 1_440));
        let mut town = Town::begins(self, self.histories).await;
        for (at, op) in ops.iter().enumerate() {
            let told = |error: String| format!("after {at}, {op:?}: {error}");
            town.does(op).await.map_err(told)?;
            town.keeps_the_rules(wild).map_err(told)?;
            if *op == Op::Jobs && !wild {
                town.agrees().map_err(told)?;
            }
        }
        town.does(&Op::Jobs).await?;
        town.keeps_the_rules(wild)?;
        if wild { Ok(()) } else { town.agrees() }
    }

    pub fn now(&self) -> Minute {
        self.clock.now().as_second() / 60
    }
}

pub fn minute(at: Minute) -> Timestamp {
    Timestamp::from_second(at * 60).unwrap()
}
