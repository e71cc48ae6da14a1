//! Tells what the clocks of windows have passed.

use std::sync::Arc;

use super::Worked;
use crate::app::App;
use crate::services::{Result, clocks};

/// A handful of windows.
///
/// # Errors
/// What the store says.
pub async fn step(app: &Arc<App>) -> Result<Worked> {
    Ok(Worked::from(clocks::step(app).await?))
}
