//! Counts the sites when a day is over.

use std::sync::Arc;

use super::Worked;
use crate::app::App;
use crate::services::{Result, snapshots};

/// One day.
///
/// # Errors
/// What the store says.
pub async fn step(app: &Arc<App>) -> Result<Worked> {
    Ok(Worked::from(snapshots::step(app).await?))
}
