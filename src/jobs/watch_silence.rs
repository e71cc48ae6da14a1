//! Marks sites that missed their deadline.

use std::sync::Arc;

use super::Worked;
use crate::app::App;
use crate::services::{Result, watch};

/// A handful of sites.
///
/// # Errors
/// What the store says.
pub async fn step(app: &Arc<App>) -> Result<Worked> {
    Ok(Worked::from(watch::step(app).await?))
}
