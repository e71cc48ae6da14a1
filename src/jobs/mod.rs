//! What happens by itself: one file per job, each with one small `step` that can be repeated
//! safely, and the loop here that calls them.
//!
//! A step does what is due by the app's clock (a bounded amount: one module, one handful of sites)
//! and says whether more is due. Due rows are the queue, so a look at an idle job is one indexed
//! query; the loop looks once a second. Knows nothing of what the jobs do.

pub mod fan_out;
pub mod mark_stale;
pub mod note_last_uses;
pub mod refresh_advisories;
pub mod refresh_catalogue;
pub mod take_snapshots;
pub mod watch_clocks;
pub mod watch_silence;
pub mod work_queue;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::Instrument;

use crate::app::App;
use crate::services::{Error, Result};

/// How long an idle job waits before it looks again.
const LOOK: Duration = Duration::from_secs(1);
/// How long a failing job waits at most before it tries again.
const LONGEST_REST: Duration = Duration::from_secs(60);
/// Rounds that [`run_due`] makes before it says that the jobs don't come to rest.
const ROUNDS: usize = 100_000;

/// What a step found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worked {
    /// Nothing more is due now.
    Idle,
    /// Something was done and more may be due: call again at once.
    More,
}

impl From<bool> for Worked {
    fn from(something: bool) -> Self {
        if something { Self::More } else { Self::Idle }
    }
}

/// The future that a step returns.
pub type Step<'a> = Pin<Box<dyn Future<Output = Result<Worked>> + Send + 'a>>;

/// One job: `Job { name: "mark-stale", step: |app| Box::pin(mark_stale::step(app)) }`.
#[derive(Clone, Copy)]
pub struct Job {
    /// Its name, as `dewline job run` and the log say it.
    pub name: &'static str,
    /// Does what is due, a bounded amount of it.
    pub step: for<'a> fn(&'a Arc<App>) -> Step<'a>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("name", &self.name).finish()
    }
}

/// All jobs, in the order in which one's work feeds the next.
pub const ALL: &[Job] = &[
    Job {
        name: "work-queue",
        step: |app| Box::pin(work_queue::step(app)),
    },
    Job {
        name: "refresh-advisories",
        step: |app| Box::pin(refresh_advisories::step(app)),
    },
    Job {
        name: "refresh-catalogue",
        step: |app| Box::pin(refresh_catalogue::step(app)),
    },
    Job {
        name: "mark-stale",
        step: |app| Box::pin(mark_stale::step(app)),
    },
    Job {
        name: "fan-out",
        step: |app| Box::pin(fan_out::step(app)),
    },
    Job {
        name: "watch-clocks",
        step: |app| Box::pin(watch_clocks::step(app)),
    },
    Job {
        name: "watch-silence",
        step: |app| Box::pin(watch_silence::step(app)),
    },
    Job {
        name: "take-snapshots",
        step: |app| Box::pin(take_snapshots::step(app)),
    },
    Job {
        name: "note-last-uses",
        step: |app| Box::pin(note_last_uses::step(app)),
    },
];

/// Runs all jobs, each in a task of its own, until `stop` says true; returns when every step that
/// was running has finished.
pub async fn run(app: Arc<App>, stop: watch::Receiver<bool>) {
    let mut tasks = JoinSet::new();
    for job in ALL {
        let span = tracing::info_span!("job", name = job.name);
        tasks.spawn(keep_running(*job, Arc::clone(&app), stop.clone()).instrument(span));
    }
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a job's task ended unexpectedly");
        }
    }
}

async fn keep_running(job: Job, app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut rest = LOOK;
    while !*stop.borrow() {
        let wait = match (job.step)(&app).await {
            Ok(Worked::More) => {
                rest = LOOK;
                tokio::task::yield_now().await;
                continue;
            }
            Ok(Worked::Idle) => {
                rest = LOOK;
                LOOK
            }
            Err(error) => {
                tracing::error!(%error, again_in_seconds = rest.as_secs(), "the job failed");
                let wait = rest;
                rest = (rest * 2).min(LONGEST_REST);
                wait
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            changed = stop.changed() => if changed.is_err() { return },
        }
    }
}

/// Does everything that is due now by the app's clock, in order, until nothing is: for tests, for
/// the demo's past, and for commands that run a job by hand.
///
/// # Errors
/// The first error of a step; [`Error::Internal`] where the jobs never come to rest.
pub async fn run_due(app: &Arc<App>) -> Result<()> {
    for _ in 0..ROUNDS {
        let mut at_rest = true;
        for job in ALL {
            at_rest &= (job.step)(app).await? == Worked::Idle;
        }
        if at_rest {
            return Ok(());
        }
    }
    Err(Error::Internal("the jobs do not come to rest".to_owned()))
}
