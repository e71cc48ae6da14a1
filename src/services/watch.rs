//! Noticing silence: a site that misses its deadline is marked with that deadline, whenever it is
//! noticed. The deadline isn't moved by each sync; the watcher looks when the last known one
//! passes, and moves it if the site has spoken meanwhile.

use jiff::Timestamp;

use super::Result;
use crate::app::App;
use crate::domain::check_in::silent_after;
use crate::store::{self, Connection, Lane, StoreError, contacts};

/// Sites looked at in one write.
const HANDFUL: u32 = 50;

/// Looks at the sites whose deadline has passed; `false`: none has.
///
/// # Errors
/// What the store says.
pub async fn step(app: &App) -> Result<bool> {
    let now = app.clock.now();
    if app
        .store
        .read(|db| contacts::to_watch(db, now, 1))?
        .is_empty()
    {
        return Ok(false);
    }
    app.store
        .write(Lane::Back, move |db| {
            for site in contacts::to_watch(db, now, HANDFUL)? {
                let deadline = silent_after(site.last_sync_at, site.interval_minutes);
                if site.done {
                    contacts::watch(db, site.site_id, None)?;
                } else if deadline <= now {
                    contacts::fall_silent(db, site.site_id, deadline)?;
                    contacts::watch(db, site.site_id, None)?;
                } else {
                    contacts::watch(db, site.site_id, Some(deadline))?;
                }
            }
            Ok::<_, StoreError>(())
        })
        .await?;
    Ok(true)
}

/// A site's interval may have changed: its deadline follows, and a silence that is none any more ends.
///
/// # Errors
/// What the store says.
pub fn rearm(db: &Connection, site_id: i64, now: Timestamp) -> store::Result<()> {
    let Some(site) = contacts::standpoint(db, site_id)? else {
        return Ok(());
    };
    let Some(last) = site.last_sync_at else {
        return Ok(());
    };
    let deadline = silent_after(last, site.interval_minutes);
    if deadline > now {
        return contacts::speaks_again(db, site_id, deadline);
    }
    contacts::fall_silent(db, site_id, deadline)?;
    contacts::watch(db, site_id, None)
}
