//! One snapshot a day (UTC): how the sites stood when the day was over. It is taken at the first look
//! after midnight, for yesterday alone, and within the hour: a day at whose end nobody looked has none,
//! and none is invented.

use super::Result;
use crate::app::App;
use crate::domain::report::day_of;
use crate::store::{Lane, snapshots};

/// For how long after midnight the sites still stand as they stood then, in milliseconds.
const GRACE: i64 = 3_600_000;
const DAY: i64 = 24 * 3_600_000;

/// Looks whether a day has ended; `false`: none has since the last look.
///
/// # Errors
/// What the store says.
pub async fn step(app: &App) -> Result<bool> {
    let now = app.clock.now().as_millisecond();
    let yesterday = day_of(now) - 1;
    let last = app.store.read(snapshots::last_day)?;
    if last.is_some_and(|last| last >= yesterday) {
        return Ok(false);
    }
    let is_late = now - (yesterday + 1) * DAY > GRACE;
    // Before the first look there was no yesterday here; a late one has missed it.
    let counts = match last {
        Some(_) if !is_late => app.store.read(snapshots::counts)?,
        _ => Vec::new(),
    };
    app.store
        .write(Lane::Back, move |db| {
            snapshots::keep(db, yesterday, &counts, now)
        })
        .await?;
    Ok(true)
}
