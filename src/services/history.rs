//! What happened on sites: syncs, events, patch runs, and syncs that were refused.

use super::lists::ask;
use super::{Error, Result, sites};
use crate::app::App;
use crate::domain::access::{Actor, Permission};
use crate::domain::history::{Event, PatchRun, RefusedSync, Sync};
use crate::domain::listing::{Page, Query};
use crate::store::history;

/// One page of a site's syncs.
///
/// # Errors
/// [`Error::NotFound`] where the site isn't there or isn't the caller's to see.
pub async fn syncs(app: &App, actor: &Actor, site_id: i64, query: &Query) -> Result<Page<Sync>> {
    let sight = actor.require(Permission::SitesRead)?;
    sites::seen(app, &sight, site_id)?;
    let within = [("y.site_id", site_id)];
    app.store
        .read(|db| Ok(history::syncs(db, &ask(app, &sight, query, &within))?))
}

/// One sync of a site.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn sync(app: &App, actor: &Actor, site_id: i64, sync_id: i64) -> Result<Sync> {
    let sight = actor.require(Permission::SitesRead)?;
    sites::seen(app, &sight, site_id)?;
    app.store
        .read(|db| history::sync(db, sync_id).map_err(Error::from))?
        .filter(|sync| sync.site_id == site_id)
        .ok_or(Error::NotFound)
}

/// One page of a site's events.
///
/// # Errors
/// [`Error::NotFound`] where the site isn't there or isn't the caller's to see.
pub async fn events(app: &App, actor: &Actor, site_id: i64, query: &Query) -> Result<Page<Event>> {
    let sight = actor.require(Permission::SitesRead)?;
    sites::seen(app, &sight, site_id)?;
    let within = [("n.site_id", site_id)];
    app.store
        .read(|db| Ok(history::events(db, &ask(app, &sight, query, &within))?))
}

/// One page of patch runs: of one site, or of all in sight.
///
/// # Errors
/// [`Error::NotFound`] where the site isn't there or isn't the caller's to see.
pub async fn patch_runs(
    app: &App,
    actor: &Actor,
    site_id: Option<i64>,
    query: &Query,
) -> Result<Page<PatchRun>> {
    let sight = actor.require(Permission::SitesRead)?;
    if let Some(site) = site_id {
        sites::seen(app, &sight, site)?;
    }
    let within: Vec<_> = site_id
        .map(|site| ("p.site_id", site))
        .into_iter()
        .collect();
    app.store
        .read(|db| Ok(history::patch_runs(db, &ask(app, &sight, query, &within))?))
}

/// One patch run.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn patch_run(app: &App, actor: &Actor, id: i64) -> Result<PatchRun> {
    let sight = actor.require(Permission::SitesRead)?;
    app.store
        .read(|db| history::patch_run(db, id).map_err(Error::from))?
        .filter(|(organization, run)| sight.sees(*organization, run.site_id))
        .map(|(_, run)| run)
        .ok_or(Error::NotFound)
}

/// The newest syncs of a site that were refused, newest first, at most `most`.
///
/// # Errors
/// [`Error::NotFound`] where the site isn't there or isn't the caller's to see.
pub async fn refused(
    app: &App,
    actor: &Actor,
    site_id: i64,
    most: u32,
) -> Result<Vec<RefusedSync>> {
    let sight = actor.require(Permission::SitesRead)?;
    sites::seen(app, &sight, site_id)?;
    app.store
        .read(|db| history::refused(db, site_id, most).map_err(Error::from))
}
