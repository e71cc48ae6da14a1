//! Whether somebody may leave: what nobody else could do after him keeps him here. And what ends with
//! somebody who goes.

use jiff::Timestamp;

use super::{Error, Result, notifications};
use crate::store::{
    Connection, devices, in_hand, memberships, notifications as messages, one_time_tokens, people,
    sessions, users,
};

/// Asked within the write that takes a person away.
///
/// # Errors
/// [`Error::NotFound`] where there is no such person; [`Error::Conflict`] `last_administrator` where
/// he is the only platform administrator, or the only administrator of an organization.
pub(super) fn may_leave(db: &Connection, user_id: i64) -> Result<()> {
    let user = users::find(db, user_id)?.ok_or(Error::NotFound)?;
    let last = |detail: String| Error::Conflict {
        code: "last_administrator",
        detail,
    };
    if user.platform_admin && !users::another_administrator(db, user_id)? {
        let detail = "Nobody else is a platform administrator. Make another one first.";
        return Err(last(detail.to_owned()));
    }
    match people::only_administrator_of(db, user_id)? {
        Some((organization, false)) => Err(last(format!(
            "Nobody else is an administrator of {organization}. Give somebody else the role admin there first."
        ))),
        Some((organization, true)) => Err(last(format!(
            "Nobody else is an administrator of {organization}, which is deleted but can come back. \
             The platform administrator can restore it and give somebody else the role admin there."
        ))),
        None => Ok(()),
    }
}

/// Takes a person away softly, with his sessions, browsers and links; his memberships are kept, in
/// case he comes back.
pub(super) fn go(db: &Connection, user_id: i64, now: Timestamp, by: &str) -> Result<()> {
    let ms = now.as_millisecond();
    users::delete(db, user_id, ms, by)?;
    in_hand::let_go(db, user_id, now)?;
    sessions::end_all_of(db, user_id, ms)?;
    devices::revoke_all_of(db, user_id, ms)?;
    messages::drop_of(db, user_id, notifications::PASSWORD_RESET)?;
    drop_invitation(db, user_id)
}

/// A person to be vanishes: his link opens nothing any more, and nothing of him comes back.
pub(super) fn void(db: &Connection, user_id: i64, now: Timestamp, by: &str) -> Result<()> {
    memberships::remove_all_of(db, user_id)?;
    users::delete(db, user_id, now.as_millisecond(), by)?;
    drop_invitation(db, user_id)
}

/// The links that wait for a person to be are no longer good.
pub(super) fn drop_invitation(db: &Connection, user_id: i64) -> Result<()> {
    one_time_tokens::drop_unused_of(db, user_id)?;
    Ok(messages::drop_of(db, user_id, notifications::INVITATION)?)
}
