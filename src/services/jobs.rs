//! Background work that somebody asked for: how it stands, and the doing of it.

use jiff::SignedDuration;
use serde::Deserialize;

use super::lists::ask;
use super::{Error, Result, refresh};
use crate::app::App;
use crate::domain::access::{Actor, Permission, Sight};
use crate::domain::job::{Job, REFRESH_MODULE};
use crate::domain::listing::{Page, Query};
use crate::store::Lane;
use crate::store::jobs::{self, Claimed};

/// A job that has not ended after this long was abandoned: its process is gone.
const ABANDONED: SignedDuration = SignedDuration::from_mins(10);
/// How often a job is begun at most.
const ATTEMPTS: i64 = 5;

/// One page of the jobs in sight.
///
/// # Errors
/// Where the caller may not, or the store can't.
pub async fn list(app: &App, actor: &Actor, query: &Query) -> Result<Page<Job>> {
    let sight = actor.require(Permission::JobsRead)?;
    app.store
        .read(|db| Ok(jobs::list(db, &ask(app, &sight, query, &[]))?))
}

/// One in sight.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(app: &App, actor: &Actor, id: i64) -> Result<Job> {
    let sight = actor.require(Permission::JobsRead)?;
    app.store
        .read(|db| jobs::find(db, id).map_err(Error::from))?
        .filter(|job| match job.organization_id {
            Some(id) => sight.sees_organization(id),
            None => sight == Sight::All,
        })
        .ok_or(Error::NotFound)
}

/// Does the job that waits the longest. False: none is due.
///
/// # Errors
/// What the store says; what goes wrong with a job is kept on the job.
pub async fn work(app: &App) -> Result<bool> {
    let now = app.clock.now();
    let Some(id) = app.store.read(|db| jobs::due(db, now))? else {
        return Ok(false);
    };
    let abandoned_at = now.saturating_add(ABANDONED).unwrap_or(now);
    let claimed = app
        .store
        .write(Lane::Back, move |db| jobs::claim(db, id, now, abandoned_at))
        .await?;
    if let Some(job) = claimed {
        let outcome = perform(app, &job).await;
        settle(app, job, outcome).await?;
    }
    Ok(true)
}

async fn perform(app: &App, job: &Claimed) -> Result<Option<String>> {
    if job.attempts > ATTEMPTS {
        return Ok(Some("given up: it was begun too often".to_owned()));
    }
    match job.name.as_str() {
        REFRESH_MODULE => {
            #[derive(Deserialize)]
            struct Payload {
                module_id: i64,
            }
            let payload: Payload = serde_json::from_str(&job.payload)
                .map_err(|error| Error::Internal(error.to_string()))?;
            refresh::one(app, payload.module_id).await
        }
        _ => Ok(Some("this version doesn't know such a job".to_owned())),
    }
}

async fn settle(app: &App, job: Claimed, outcome: Result<Option<String>>) -> Result<()> {
    let now = app.clock.now();
    let again = match &outcome {
        Err(Error::Unavailable { retry_after, .. }) if job.attempts < ATTEMPTS => {
            let wait = SignedDuration::from_secs(i64::try_from(*retry_after).unwrap_or(60));
            now.saturating_add(wait).ok()
        }
        _ => None,
    };
    let wrong = match outcome {
        Ok(wrong) => wrong,
        Err(Error::Unavailable { detail, .. }) => Some(detail),
        Err(Error::NotFound) => Some("it is no longer there".to_owned()),
        Err(error) => {
            tracing::error!(%error, job = job.name, id = job.id, "a job failed");
            Some("an internal fault; the log says more".to_owned())
        }
    };
    app.store
        .write(Lane::Back, move |db| match (again, wrong) {
            (Some(until), Some(wrong)) => jobs::put_off(db, job.id, &wrong, until),
            (_, wrong) => jobs::finish(db, job.id, wrong.as_deref(), now),
        })
        .await?;
    Ok(())
}
