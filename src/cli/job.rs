//! `dewline job run`: one job now, in the foreground. The work is done where the data is, step by step, so
//! that its progress can be shown from afar too.

use std::sync::Arc;
use std::time::Duration;

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::clock::Stopwatch;
use crate::config::Config;
use crate::domain::access::Actor;
use crate::jobs::{self, Worked};
use crate::services::{Result, advisory_feed, refresh};

use super::orders::{Desk, Order};
use super::{Outcome, Stopped, print};

/// How long it works before it says how far it is.
const BETWEEN_WORDS: Duration = Duration::from_millis(500);
const CATALOGUE: &str = "refresh-catalogue";
const ADVISORIES: &str = "refresh-advisories";

/// What can be done with jobs.
#[derive(Debug, Subcommand)]
pub enum Job {
    /// Run one job now and wait until nothing of it is left; may run while `dewline serve` does
    ///
    /// refresh-catalogue asks drupal.org about all modules, refresh-advisories for what is new among
    /// the advisories. The others do what is due: fan-out, mark-stale, watch-clocks, watch-silence, work-queue,
    /// note-last-uses.
    Run {
        /// Its name
        name: String,
    },
}

/// How far a job is.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Progress {
    /// Something of it is left.
    pub more: bool,
    /// What waits, where that can be counted.
    pub left: Option<u32>,
    /// How it stands, in words for people.
    pub said: String,
    /// What went wrong, in words for people.
    pub wrong: Vec<String>,
}

/// Runs the job that is named.
pub fn run(config: Config, job: Job) -> Outcome {
    let Job::Run { name } = job;
    if !jobs::ALL.iter().any(|known| known.name == name) {
        let names: Vec<&str> = jobs::ALL.iter().map(|known| known.name).collect();
        let names = names.join(", ");
        return Err(Stopped::Usage(format!(
            "no such job: {name} (there are {names})"
        )));
    }
    let desk = Desk::open(config)?;
    let bar = bar(&name);
    let mut begin = true;
    let last = loop {
        let job = name.clone();
        let (said, _) = desk.give(Order::WorkOn { job, begin })?;
        begin = false;
        let progress: Progress = serde_json::from_str(&said)?;
        show(&bar, &progress);
        if !progress.more {
            break progress;
        }
    };
    bar.finish_and_clear();
    print(&format!("{name}: {}\n", last.said));
    match last.wrong.as_slice() {
        [] => Ok(()),
        wrong => Err(Stopped::Failed(wrong.join("; "))),
    }
}

/// Does some steps of a job, where the data is.
///
/// # Errors
/// What the service says.
pub async fn work(app: &Arc<App>, name: &str, begin: bool) -> Result<Progress> {
    if begin {
        match name {
            CATALOGUE => drop(refresh::begin(app, &Actor::System).await?),
            ADVISORIES => advisory_feed::begin(app, &Actor::System).await?,
            _ => {}
        }
    }
    let Some(job) = jobs::ALL.iter().find(|job| job.name == name) else {
        return Ok(Progress::default());
    };
    let watch = Stopwatch::start();
    let mut more = true;
    while more && watch.spent() < BETWEEN_WORDS {
        more = (job.step)(app).await? == Worked::More;
    }
    let mut progress = Progress {
        more,
        said: "done".to_owned(),
        ..Progress::default()
    };
    match name {
        CATALOGUE => {
            let left = refresh::left(app)?;
            progress.left = Some(left);
            // Nobody may be asked any more, though some are due.
            if !more && left > 0 {
                progress
                    .wrong
                    .push(format!("{left} modules could not be asked about now"));
            }
        }
        ADVISORIES => {
            let state = advisory_feed::state(app, &Actor::System).await?;
            progress.said = match (state.filled, state.since) {
                (false, Some(since)) => {
                    let day = since.strftime("%Y-%m-%d");
                    format!("{} advisories known, those changed since {day}", state.held)
                }
                _ => format!("{} advisories known", state.held),
            };
            progress.wrong = state.errors;
        }
        _ => {}
    }
    Ok(progress)
}

/// Drawn on a terminal only.
fn bar(name: &str) -> ProgressBar {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{prefix} {wide_bar} {msg}") {
        bar.set_style(style);
    }
    bar.set_prefix(name.to_owned());
    bar
}

fn show(bar: &ProgressBar, progress: &Progress) {
    match progress.left {
        Some(left) => {
            let left = u64::from(left);
            let total = bar.length().unwrap_or(0).max(left);
            bar.set_length(total);
            bar.set_position(total.saturating_sub(left));
            bar.set_message(format!("{left} left"));
        }
        None => bar.set_message(progress.said.clone()),
    }
}
