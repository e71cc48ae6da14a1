//! Asks drupal.org about the modules that are due.

use std::sync::Arc;

use super::Worked;
use crate::app::App;
use crate::services::{Result, refresh};

/// Asks about a handful of modules, a few at once.
///
/// # Errors
/// What the store says.
pub async fn step(app: &Arc<App>) -> Result<Worked> {
    Ok(Worked::from(refresh::step(app).await?))
}
