//! `/jobs`: background work that somebody asked for.

use serde::Serialize;
use utoipa::ToSchema;

use super::{maybe_written, written};
use crate::domain::job::{Job, LIST as FIELDS};
use crate::http::call::{Answer, Call};
use crate::http::route::{Gives, Operation, Takes, schema_of};
use crate::services::{Result, jobs};

/// A job.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobOut {
    id: i64,
    name: String,
    /// `queued`, `running`, `succeeded`, `failed`, `cancelled` or `dead`.
    state: String,
    progress: JobProgress,
    attempts: i64,
    last_error: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    started_at: Option<String>,
    #[schema(format = DateTime)]
    finished_at: Option<String>,
}

/// How far a job is.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobProgress {
    done: i64,
    /// Null: not known yet.
    total: Option<i64>,
}

impl From<Job> for JobOut {
    fn from(job: Job) -> Self {
        Self {
            id: job.id,
            name: job.name,
            state: job.state,
            progress: JobProgress {
                done: job.done,
                total: job.total,
            },
            attempts: job.attempts,
            last_error: job.last_error,
            created_at: written(job.created_at),
            started_at: maybe_written(job.started_at),
            finished_at: maybe_written(job.finished_at),
        }
    }
}

/// `GET /jobs`.
pub const LIST: Operation = Operation {
    name: "list_jobs",
    summary: "The jobs in sight, newest first",
    takes: Takes::Nothing,
    gives: Gives::Page(&FIELDS, schema_of::<JobOut>),
    handler: |call| Box::pin(list(call)),
};

/// `GET /jobs/{id}`.
pub const SHOW: Operation = Operation {
    name: "show_job",
    summary: "One job: how it stands",
    takes: Takes::Nothing,
    gives: Gives::One(schema_of::<JobOut>),
    handler: |call| Box::pin(show(call)),
};

async fn list(call: Call) -> Result<Answer> {
    let page = jobs::list(&call.app, call.actor()?, call.query()?).await?;
    Answer::page::<_, JobOut>(&FIELDS, page)
}

async fn show(call: Call) -> Result<Answer> {
    let found = jobs::find(&call.app, call.actor()?, call.id()?).await?;
    Answer::one(&JobOut::from(found))
}
