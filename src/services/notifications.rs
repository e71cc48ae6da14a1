//! What waits to be sent: a link for one person, encrypted until somebody may see it. How it is sent
//! isn't known here.

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::json;

use super::invitations::{may_see_link, still_invites};
use super::lists::ask;
use super::secret_key::SecretKey;
use super::standing::renewed;
use super::{Error, Result, audit};
use crate::app::App;
use crate::clock::Entropy;
use crate::domain::access::{Actor, Permission, Sight};
use crate::domain::listing::{Page, Query};
use crate::domain::notification::{Notification, Waiting};
use crate::store::notifications::{self, NewNotification};
use crate::store::{Connection, Lane, audit as record};

/// The kind of a link with which a lost password is replaced.
pub const PASSWORD_RESET: &str = "password_reset";
/// The kind of a link with which somebody who was invited comes in.
pub const INVITATION: &str = "invitation";

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

/// One page of the messages in sight: those about organizations in which the caller may see what is
/// sent. What is about no organization is the platform administrator's.
///
/// # Errors
/// Where the caller may not, or the store can't.
pub async fn list(app: &App, actor: &Actor, query: &Query) -> Result<Page<Waiting>> {
    let sight = actor.require(Permission::NotificationsManage)?;
    let now = app.clock.now();
    app.store.read(|db| {
        let page = notifications::list(db, &ask(app, &sight, query, &[]))?;
        let works: Result<Vec<bool>> = page
            .rows
            .iter()
            .map(|message| Ok(dead(db, message, now)?.is_none()))
            .collect();
        let mut works = works?.into_iter();
        Ok(page.map(|message| Waiting {
            message,
            link_works: works.next().unwrap_or_default(),
        }))
    })
}

/// Why a message's link opens nothing any more; `None`: it does.
fn dead(db: &Connection, message: &Notification, now: Timestamp) -> Result<Option<Error>> {
    let conflict = |code, detail: &str| {
        Some(Error::Conflict {
            code,
            detail: detail.to_owned(),
        })
    };
    if message.expires_at <= now {
        let detail = "This link is no longer good. Make a new one.";
        return Ok(conflict("expired", detail));
    }
    match message.user_id.filter(|_| message.kind == INVITATION) {
        Some(user_id) if !still_invites(db, user_id, now)? => Ok(conflict(
            "void",
            "Whoever sent this link may no longer give what it gives: it opens nothing. Make a new one.",
        )),
        _ => Ok(None),
    }
}

/// It is there and the caller can see it.
///
/// # Errors
/// [`Error::NotFound`].
pub fn seen(app: &App, sight: &Sight, id: i64) -> Result<()> {
    app.store
        .read(|db| notifications::find(db, sight, id).map_err(Error::from))?
        .map(drop)
        .ok_or(Error::NotFound)
}

/// The message, and the path in its link: for whoever brings it to its recipient himself, on record.
/// An invitation's is shown to those who could have given all that it leads to; anything else to the
/// platform administrator.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Forbidden`]; [`Error::Conflict`] `expired` or `void`.
pub async fn show_link(app: &App, actor: &Actor, id: i64) -> Result<(Notification, SecretString)> {
    actor.require(Permission::NotificationsManage)?;
    let (viewer, now) = (actor.clone(), app.clock.now());
    let entry = audit::entry(app, actor, "notification.link_shown").subject("notification", id);
    let key = app.secret_key.clone();
    app.store
        .write(Lane::Front, move |db| {
            let viewer = renewed(db, &viewer, now)?;
            let sight = viewer.require(Permission::NotificationsManage)?;
            let message = notifications::find(db, &sight, id)?.ok_or(Error::NotFound)?;
            match message.user_id.filter(|_| message.kind == INVITATION) {
                Some(user_id) => drop(may_see_link(db, &viewer, user_id)?),
                None => viewer.require_platform(Permission::UsersManage)?,
            }
            if let Some(why) = dead(db, &message, now)? {
                return Err(why);
            }
            let sealed = notifications::sealed(db, id)?.ok_or(Error::NotFound)?;
            let path = link(&key, id, &sealed)?;
            let entry = match message.organization_id {
                Some(organization) => entry.organization(organization),
                None => entry,
            };
            let said = json!({"kind": message.kind, "recipient": message.recipient});
            record::append(db, &entry.after(said))?;
            Ok((message, path.into()))
        })
        .await
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
