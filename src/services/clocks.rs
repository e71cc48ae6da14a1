//! The clocks of windows: that half, three quarters and all of the promised time have passed is told
//! once each, with the instant at which it was so, however late it is noticed. A window that closed
//! before has nothing more to tell.

use jiff::Timestamp;

use super::lists::ask;
use super::{Result, exposures, ledger};
use crate::app::App;
use crate::domain::access::{Actor, Permission};
use crate::domain::exposure_event::ExposureEvent;
use crate::domain::listing::{Page, Query};
use crate::store::clocks::{self, Ticking};
use crate::store::sla::Promises;
use crate::store::{self, Connection, Lane, StoreError, chronicle};

/// Windows looked at in one write.
const HANDFUL: u32 = 200;

/// Looks at the clocks whose time has come; `false`: there is none.
///
/// # Errors
/// What the store says.
pub async fn step(app: &App) -> Result<bool> {
    let now = app.clock.now();
    if app
        .store
        .read(|db| clocks::to_look_at(db, now, 1))?
        .is_empty()
    {
        return Ok(false);
    }
    app.store
        .write(Lane::Back, move |db| {
            for site in clocks::to_look_at(db, now, HANDFUL)? {
                // What was published may tighten a window or have ended it: that is drawn before its clock is read.
                if ledger::settle_or_leave(db, site)? {
                    ledger::recount(db, site)?;
                }
                if look(db, site, now)? {
                    chronicle::write(db, "clock", site, now)?;
                }
            }
            Ok::<_, StoreError>(())
        })
        .await?;
    Ok(true)
}

/// Looks at the clocks of one site; `true`: one of them told something.
///
/// # Errors
/// What the store says.
pub(super) fn look(db: &Connection, site_id: i64, now: Timestamp) -> store::Result<bool> {
    let windows = clocks::of_site(db, site_id, now)?;
    let Some(organization_id) = windows.first().map(|window| window.organization_id) else {
        return Ok(false);
    };
    let promises = Promises::read(db, site_id, organization_id)?;
    let mut told = false;
    for window in &windows {
        let until = window.closed_at.map_or(now, |closed| closed.min(now));
        let mut next = None;
        for (kind, mark) in marks(window, &promises) {
            if mark <= until {
                told |= clocks::pass(db, window.id, kind, mark, now)?;
            } else if next.is_none() {
                next = Some(mark);
            }
        }
        clocks::look_again(db, window.id, next)?;
    }
    Ok(told)
}

/// What the clock of a window has to tell before it closes, in order, and at which instants.
pub(super) fn marks(
    window: &Ticking,
    promises: &Promises,
) -> impl Iterator<Item = (&'static str, Timestamp)> {
    promises
        .marks(window.opened_at, window.due_at)
        .filter(|(_, mark)| window.closed_at.is_none_or(|closed| *mark <= closed))
}

/// One page of what happened to a window: its clock, and what people did with it.
///
/// # Errors
/// [`super::Error::NotFound`] where it isn't there or isn't the caller's to see.
pub async fn events(
    app: &App,
    actor: &Actor,
    exposure_id: i64,
    query: &Query,
) -> Result<Page<ExposureEvent>> {
    let sight = actor.require(Permission::SitesRead)?;
    let window = exposures::find(app, actor, exposure_id).await?;
    let within = [("v.exposure_id", window.id)];
    app.store
        .read(|db| Ok(clocks::events(db, &ask(app, &sight, query, &within))?))
}

/// When half, three quarters and all of its time have passed, or will have; none where nothing is promised.
///
/// # Errors
/// [`super::Error::NotFound`] where it isn't there or isn't the caller's to see.
pub async fn quarters(
    app: &App,
    actor: &Actor,
    exposure_id: i64,
) -> Result<Vec<(&'static str, Timestamp)>> {
    let window = exposures::find(app, actor, exposure_id).await?;
    let promises = app
        .store
        .read(|db| Promises::read(db, window.site_id, window.organization_id))?;
    Ok(promises.marks(window.opened_at, window.due_at).collect())
}
