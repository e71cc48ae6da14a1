//! Asks drupal.org about advisories: what is new, what a node says, and what of the whole listing is left.

use std::sync::Arc;

use super::Worked;
use crate::app::App;
use crate::services::{Result, advisory_feed};

/// One page of the listing, or one node.
///
/// # Errors
/// What the store says.
pub async fn step(app: &Arc<App>) -> Result<Worked> {
    Ok(Worked::from(advisory_feed::step(app).await?))
}
