//! Marks modules whose data became too old to say "current".

use std::sync::Arc;

use super::Worked;
use crate::app::App;
use crate::services::{Result, catalogue};

/// A handful of modules.
///
/// # Errors
/// What the store says.
pub async fn step(app: &Arc<App>) -> Result<Worked> {
    Ok(Worked::from(catalogue::mark_stale(app).await?))
}
