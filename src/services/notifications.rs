//! What waits to be sent: a link for one person, encrypted until somebody may see it. Who may see it,
//! and how it is sent, isn't asked here.

use super::secret_key::SecretKey;
use super::{Error, Result};
use crate::clock::Entropy;
use crate::store::Connection;
use crate::store::notifications::{self, NewNotification};

/// The kind of a link with which a lost password is replaced.
pub const PASSWORD_RESET: &str = "password_reset";

/// What encrypts links.
const PURPOSE: &str = "notifications: links";

/// Random bytes that one link takes.
pub const LINK_ENTROPY: usize = crate::services::secret_key::SEAL_ENTROPY;

/// Queues a message within the write that makes its link, and returns its id. `link` is a path of
/// this server, such as `/reset?token=…`: it is kept encrypted and bound to its row. `random` is of
/// no other use.
///
/// # Errors
/// What the store says; [`Error::Internal`] where the link cannot be encrypted.
pub fn queue(
    db: &Connection,
    key: &SecretKey,
    random: [u8; LINK_ENTROPY],
    new: &NewNotification,
    link: &str,
) -> Result<i64> {
    let id = notifications::insert(db, new)?;
    let sealed = key.seal(PURPOSE, &bound_to(id), random, link.as_bytes());
    notifications::seal(db, id, &sealed.ok_or_else(unsealed)?)?;
    Ok(id)
}

/// The path in a message's encrypted link.
///
/// # Errors
/// [`Error::Internal`] where it isn't this row's, or this installation's.
pub fn link(key: &SecretKey, id: i64, sealed: &[u8]) -> Result<String> {
    let opened = key.unseal(PURPOSE, &bound_to(id), sealed);
    opened
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(unsealed)
}

/// Random bytes for [`queue`].
///
/// # Errors
/// Where there is no randomness.
pub fn fresh(entropy: &dyn Entropy) -> Result<[u8; LINK_ENTROPY]> {
    let mut random = [0; LINK_ENTROPY];
    entropy.fill(&mut random)?;
    Ok(random)
}

fn bound_to(id: i64) -> String {
    format!("notification {id}")
}

fn unsealed() -> Error {
    Error::Internal("a message's link cannot be read with this installation's key".to_owned())
}
