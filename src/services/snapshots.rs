//! One snapshot a day (UTC): how the sites stood when the day was over. It is taken at the first look
//! after midnight, for yesterday alone: a day on which nobody looked has none, and none is invented.

use super::Result;
use crate::app::App;
use crate::domain::report::day_of;
use crate::store::{Lane, snapshots};

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
    // Before the first look there was no yesterday here.
    let counts = match last {
        Some(_) => app.store.read(snapshots::counts)?,
        None => Vec::new(),
    };
    app.store
        .write(Lane::Back, move |db| {
            snapshots::keep(db, yesterday, &counts, now)
        })
        .await?;
    Ok(true)
}
