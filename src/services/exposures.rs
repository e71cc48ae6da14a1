//! Exposures, read: the ledger as it stands now.

use super::lists::ask;
use super::{Error, Result, sites};
use crate::app::App;
use crate::domain::access::{Actor, Permission};
use crate::domain::listing::{Page, Query};
use crate::domain::window::Window;
use crate::store::exposures;

/// One page of exposures: of one site, or of all in sight.
///
/// # Errors
/// [`Error::NotFound`] where the site isn't there or isn't the caller's to see.
pub async fn list(
    app: &App,
    actor: &Actor,
    site_id: Option<i64>,
    query: &Query,
) -> Result<Page<Window>> {
    let sight = actor.require(Permission::SitesRead)?;
    if let Some(site) = site_id {
        sites::seen(app, &sight, site)?;
    }
    let within: Vec<_> = site_id
        .map(|site| ("e.site_id", site))
        .into_iter()
        .collect();
    app.store
        .read(|db| Ok(exposures::list(db, &ask(app, &sight, query, &within))?))
}

/// One exposure.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(app: &App, actor: &Actor, id: i64) -> Result<Window> {
    let sight = actor.require(Permission::SitesRead)?;
    app.store
        .read(|db| exposures::find(db, id).map_err(Error::from))?
        .filter(|window| sight.sees(window.organization_id, window.site_id))
        .ok_or(Error::NotFound)
}
