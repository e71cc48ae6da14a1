//! Tells the sites whose versions were judged anew.

use std::sync::Arc;

use super::Worked;
use crate::app::App;
use crate::services::{Result, catalogue};

/// One module's sites.
///
/// # Errors
/// What the store says.
pub async fn step(app: &Arc<App>) -> Result<Worked> {
    Ok(Worked::from(catalogue::fan_out(app).await?))
}
