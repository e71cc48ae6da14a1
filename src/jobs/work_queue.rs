//! Does what somebody asked for: the jobs that wait in the store.

use std::sync::Arc;

use super::Worked;
use crate::app::App;
use crate::services::{Result, jobs};

/// One of them.
///
/// # Errors
/// What the store says.
pub async fn step(app: &Arc<App>) -> Result<Worked> {
    Ok(Worked::from(jobs::work(app).await?))
}
