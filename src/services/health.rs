//! Whether the house can do its work.

use super::{Error, Result};
use crate::app::App;
use crate::store::organizations;

/// The database can be read.
///
/// # Errors
/// [`Error::Unavailable`].
pub fn ready(app: &App) -> Result<()> {
    app.store
        .read(|db| organizations::exists(db, 0).map(drop).map_err(Error::from))
        .map_err(|error| {
            tracing::error!(%error, "not ready");
            Error::Unavailable {
                retry_after: 5,
                detail: "The database cannot be read.".to_owned(),
            }
        })
}
