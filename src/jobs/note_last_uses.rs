//! Writes when keys and sessions were last used: once a minute, not on each call.

use std::sync::Arc;

use super::Worked;
use crate::app::App;
use crate::services::{Result, callers};

/// Writes what was noted since the last time, if a minute has passed.
///
/// # Errors
/// What the store says.
pub async fn step(app: &Arc<App>) -> Result<Worked> {
    callers::write_last_uses(app).await?;
    Ok(Worked::Idle)
}
