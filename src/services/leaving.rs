//! Whether somebody may leave: what nobody else could do after him keeps him here.

use super::{Error, Result};
use crate::store::{Connection, users};

/// Asked within the write that takes a person away.
///
/// # Errors
/// [`Error::NotFound`] where there is no such person; [`Error::Conflict`] `last_administrator` where
/// he is the only platform administrator.
pub(super) fn may_leave(db: &Connection, user_id: i64) -> Result<()> {
    let user = users::find(db, user_id)?.ok_or(Error::NotFound)?;
    if user.platform_admin && !users::another_administrator(db, user_id)? {
        return Err(Error::Conflict {
            code: "last_administrator",
            detail: "Nobody else is a platform administrator. Make another one first.".to_owned(),
        });
    }
    Ok(())
}
