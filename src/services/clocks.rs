//! The clocks of windows: that half, three quarters and all of the promised time have passed is told
//! once each, with the instant at which it was so, however late it is noticed. A window that closed
//! before has nothing more to tell.

use std::collections::HashMap;

use jiff::Timestamp;

use super::Result;
use super::exposures;
use super::lists::ask;
use crate::app::App;
use crate::domain::access::{Actor, Permission};
use crate::domain::exposure_event::{ExposureEvent, MARKS};
use crate::domain::listing::{Page, Query};
use crate::store::clocks::{self, Ticking};
use crate::store::sla::Promises;
use crate::store::{self, Connection, Lane, StoreError};

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
            let mut promised = HashMap::new();
            for window in clocks::to_look_at(db, now, HANDFUL)? {
                let place = (window.site_id, window.organization_id);
                if let std::collections::hash_map::Entry::Vacant(free) = promised.entry(place) {
                    free.insert(Promises::read(db, place.0, place.1)?);
                }
                look(db, &window, promised.get(&place), now)?;
            }
            Ok::<_, StoreError>(())
        })
        .await?;
    Ok(true)
}

fn look(
    db: &Connection,
    window: &Ticking,
    promises: Option<&Promises>,
    now: Timestamp,
) -> store::Result<()> {
    let (Some(due_at), Some(promises)) = (window.due_at, promises) else {
        return clocks::look_again(db, window.id, None);
    };
    let until = window.closed_at.map_or(now, |closed| closed.min(now));
    let mut next = None;
    for (quarters, kind) in MARKS {
        let mark = promises.mark(window.opened_at, due_at, quarters);
        if mark <= until {
            clocks::pass(db, window.id, kind, mark, now)?;
        } else if next.is_none() && window.closed_at.is_none_or(|closed| mark <= closed) {
            next = Some(mark);
        }
    }
    clocks::look_again(db, window.id, next)
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
