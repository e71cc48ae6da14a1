//! Exposures, read: the ledger as it stands now, with who has each in hand, and what its fix asks of
//! the site's core.

use std::collections::HashMap;

use super::lists::ask;
use super::site_modules::{Core, needs_core};
use super::{Error, Result, sites};
use crate::app::App;
use crate::domain::access::{Actor, Permission, Sight};
use crate::domain::listing::{Page, Query};
use crate::domain::window::Window;
pub use crate::store::exposures::Aside;
use crate::store::{self, Connection, exposures};

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
    app.store.read(|db| {
        let mut page = exposures::list(db, &ask(app, &sight, query, &within))?;
        fit(app, db, &mut page.rows)?;
        Ok(page)
    })
}

/// How many open exposures are snoozed, and how many nothing fixes yet.
///
/// # Errors
/// Where the caller may not; what the store says.
pub async fn aside(app: &App, actor: &Actor) -> Result<Aside> {
    let sight = actor.require(Permission::SitesRead)?;
    let now = app.clock.now();
    Ok(app.store.read(|db| exposures::aside(db, &sight, now))?)
}

/// One exposure.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(app: &App, actor: &Actor, id: i64) -> Result<Window> {
    let sight = actor.require(Permission::SitesRead)?;
    app.store
        .read(|db| fitted(app, db, id).map_err(Error::from))?
        .filter(|window| sight.sees(window.organization_id, window.site_id))
        .ok_or(Error::NotFound)
}

/// It is there and the caller can see it.
///
/// # Errors
/// [`Error::NotFound`].
pub fn seen(app: &App, sight: &Sight, id: i64) -> Result<()> {
    app.store
        .read(|db| exposures::find(db, id).map_err(Error::from))?
        .filter(|window| sight.sees(window.organization_id, window.site_id))
        .map(drop)
        .ok_or(Error::NotFound)
}

/// One exposure with what its fix asks of the site's core.
///
/// # Errors
/// What the store says.
pub(super) fn fitted(app: &App, db: &Connection, id: i64) -> store::Result<Option<Window>> {
    let mut found: Vec<Window> = exposures::find(db, id)?.into_iter().collect();
    fit(app, db, &mut found)?;
    Ok(found.pop())
}

/// Fills in what the fixes ask of the sites' cores.
fn fit(app: &App, db: &Connection, windows: &mut [Window]) -> store::Result<()> {
    let mut cores: HashMap<i64, Option<Core>> = HashMap::new();
    for window in windows {
        let (Some(publication), None) = (window.publication_id, window.closed_at) else {
            continue;
        };
        if window.fixed_in.is_empty() {
            continue;
        }
        let core = match cores.entry(window.site_id) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(Core::of(db, window.site_id)?)
            }
        };
        if let Some(core) = core {
            window.needs_core = needs_core(app, db, publication, &window.fixed_in, core)?;
        }
    }
    Ok(())
}
