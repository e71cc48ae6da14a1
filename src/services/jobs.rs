//! Background work that somebody asked for: how it stands.

use super::lists::ask;
use super::{Error, Result};
use crate::app::App;
use crate::domain::access::{Actor, Permission};
use crate::domain::job::Job;
use crate::domain::listing::{Page, Query};
use crate::store::jobs;

/// One page of the jobs in sight.
///
/// # Errors
/// Where the caller may not, or the store can't.
pub async fn list(app: &App, actor: &Actor, query: &Query) -> Result<Page<Job>> {
    actor.require(Permission::JobsRead)?;
    app.store
        .read(|db| Ok(jobs::list(db, &ask(app, actor, query, &[]))?))
}

/// One in sight.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(app: &App, actor: &Actor, id: i64) -> Result<Job> {
    actor.require(Permission::JobsRead)?;
    let mine = actor.sight().organization();
    app.store
        .read(|db| jobs::find(db, id).map_err(Error::from))?
        .filter(|job| mine.is_none() || job.organization_id == mine)
        .ok_or(Error::NotFound)
}
