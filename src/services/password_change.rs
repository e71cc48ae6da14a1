//! A new password: for whoever knows the old one, or holds the link that was asked for with his
//! address. Nobody learns from it whether an address is known.

use std::net::IpAddr;

use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::delays::{self, Place};
use super::own_account::{confirm, drop_links, own};
use super::sign_in::{person, secret};
use super::{Error, Result, audit, notifications};
use crate::app::App;
use crate::domain::access::Actor;
use crate::domain::credentials::fingerprint;
use crate::domain::fault::Fault;
use crate::domain::person::{Email, check_password};
use crate::store::notifications::NewNotification;
use crate::store::one_time_tokens::{self as tokens, NewToken, PASSWORD_RESET};
use crate::store::users::User;
use crate::store::{Connection, Lane, devices, sessions, users};

/// A link is good for so long.
const LIFETIME: SignedDuration = SignedDuration::from_hours(1);
/// Links for one person within that time; what is asked for beyond makes no newer one, so that
/// nobody can keep spoiling the link that somebody waits for.
const AT_MOST: i64 = 3;

/// Asks for a link for whoever has that address. The answer and the work are the same where nobody has.
///
/// # Errors
/// [`Error::TooMany`]; [`Error::Invalid`] where it cannot be an address.
pub async fn forgot(app: &App, email: &str, address: IpAddr) -> Result<()> {
    let email = Email::parse(email, "/email").map_err(|fault| Error::Invalid(vec![fault]))?;
    let place = Place::household(address);
    app.resets.take(&delays::key(email.as_str(), place))?;
    let (token, now) = (secret(app)?, app.clock.now());
    let link = Link {
        hash: fingerprint(&token),
        path: format!("/reset?token={token}"),
        email: email.as_str().to_owned(),
        now: now.as_millisecond(),
        expires_at: (now + LIFETIME).as_millisecond(),
        random: notifications::fresh(&*app.entropy)?,
    };
    let entry =
        audit::entry_of_stranger(app, "user.reset_asked").after(json!({ "email": email.as_str() }));
    let key = app.secret_key.clone();
    app.store
        .write(Lane::Front, move |db| {
            let user = users::find_by_email(db, &link.email)?;
            let made = link.make(db, &key, user.as_ref())?;
            let entry = match user {
                Some(user) => entry.subject("user", user.id),
                None => entry.refused(),
            };
            crate::store::audit::append(db, &entry)?;
            if !made {
                link.unmake(db)?;
            }
            Ok::<_, Error>(())
        })
        .await
}

/// A link to be. For nobody, or for somebody who has enough of them, it is made and taken away again:
/// the same work.
struct Link {
    hash: [u8; 32],
    path: String,
    email: String,
    now: i64,
    expires_at: i64,
    random: [u8; notifications::LINK_ENTROPY],
}

impl Link {
    /// `false`: it must not stay.
    fn make(
        &self,
        db: &Connection,
        key: &super::secret_key::SecretKey,
        user: Option<&User>,
    ) -> Result<bool> {
        let user_id = user.map(|user| user.id);
        let hour_ago = self.now - (self.expires_at - self.now);
        let many = tokens::made_since(db, PASSWORD_RESET, user_id, hour_ago)? >= AT_MOST;
        let stays = user_id.filter(|_| !many);
        if let Some(user_id) = stays {
            // Only the newest is good. The older ones stay as a count of what was asked for.
            tokens::use_up_of(db, PASSWORD_RESET, user_id, self.now)?;
            crate::store::notifications::drop_of(db, user_id, notifications::PASSWORD_RESET)?;
        }
        let token = NewToken {
            purpose: PASSWORD_RESET,
            hash: &self.hash,
            user_id: stays,
            made_by: None,
            created_at: self.now,
            expires_at: self.expires_at,
        };
        tokens::insert(db, &token)?;
        let message = NewNotification {
            organization_id: None,
            user_id: stays,
            recipient: user.map_or_else(|| self.email.clone(), |user| user.email.clone()),
            kind: notifications::PASSWORD_RESET,
            created_at: self.now,
            expires_at: self.expires_at,
        };
        let id = notifications::queue(db, key, self.random, &message, &self.path)?;
        if stays.is_none() {
            crate::store::notifications::remove(db, id)?;
        }
        Ok(stays.is_some())
    }

    fn unmake(&self, db: &Connection) -> Result<()> {
        Ok(tokens::remove(db, &self.hash)?)
    }
}

/// Whether a link is good, before its form is shown.
///
/// # Errors
/// [`Error::NotFound`] where it is not: unknown, used, expired, or not the newest.
pub async fn look(app: &App, token: &str) -> Result<()> {
    holder(app, token).map(drop)
}

fn holder(app: &App, token: &str) -> Result<User> {
    let (hash, now) = (fingerprint(token), app.clock.now().as_millisecond());
    app.store.read(|db| holder_of(db, &hash, now))
}

fn holder_of(db: &Connection, hash: &[u8; 32], now: i64) -> Result<User> {
    let user_id = tokens::holder(db, PASSWORD_RESET, hash, now)?.ok_or(Error::NotFound)?;
    users::find(db, user_id)?.ok_or(Error::NotFound)
}

/// Sets a new password for whoever holds the link, uses it up, and ends all his sessions. A second
/// factor stays as it is, and is asked for again on every browser.
///
/// # Errors
/// [`Error::NotFound`] as [`look`]; [`Error::Invalid`] at `/password`.
pub async fn reset(app: &App, token: &str, password: &SecretString, address: IpAddr) -> Result<()> {
    let user = holder(app, token)?;
    check(&user, password)?;
    let hash = app.passwords.hash(password, &*app.entropy).await?;
    let (link, now) = (fingerprint(token), app.clock.now().as_millisecond());
    let entry = audit::entry_of_person(app, user.id, &user.name, "user.password_reset")
        .subject("user", user.id);
    app.store
        .write(Lane::Front, move |db| {
            let user = holder_of(db, &link, now)?;
            let by = format!("user:{}", user.id);
            tokens::use_up_of(db, PASSWORD_RESET, user.id, now)?;
            let ended = replace(db, (user.id, None), &hash, now, &by)?;
            let entry = entry.after(json!({ "sessions_ended": ended }));
            crate::store::audit::append(db, &entry)?;
            Ok::<_, Error>(())
        })
        .await?;
    app.callers.forget();
    let place = Place::household(address);
    app.delays.succeeded(&delays::key(&user.email, place));
    Ok(())
}

/// Gives a person another password, within the write, and takes away what stood on the old one: links
/// and challenges that wait, the trust in browsers, and his sessions. The session in which he changes
/// it himself stays, and the trust in its browser. Says how many sessions were ended.
pub(super) fn replace(
    db: &Connection,
    (user_id, but): (i64, Option<i64>),
    hash: &str,
    now: i64,
    by: &str,
) -> Result<usize> {
    users::set_password(db, user_id, hash, now, by)?;
    drop_links(db, user_id)?;
    let Some(session_id) = but else {
        devices::distrust_all_of(db, user_id)?;
        return Ok(sessions::end_all_of(db, user_id, now)?);
    };
    let present = devices::of_session(db, session_id)?;
    devices::distrust_others_of(db, user_id, present)?;
    Ok(sessions::end_others_of(db, user_id, session_id, now)?)
}

/// Changes the caller's password and ends all his other sessions. A second factor is asked for again
/// on his other browsers.
///
/// # Errors
/// [`Error::Invalid`] at `/current_password` and `/password`; [`Error::TooMany`] after many wrong ones.
pub async fn change(
    app: &App,
    actor: &Actor,
    current: &SecretString,
    new: &SecretString,
) -> Result<()> {
    let (user_id, session_id) = person(actor)?;
    let user = own(app, actor)?;
    check(&user, new)?;
    confirm(app, &user, current, "/current_password").await?;
    let hash = app.passwords.hash(new, &*app.entropy).await?;
    let entry = audit::entry(app, actor, "user.password_changed").subject("user", user_id);
    let (now, by) = (app.clock.now().as_millisecond(), actor.label());
    app.store
        .write(Lane::Front, move |db| {
            // The password that was confirmed must still be his.
            let now_is = users::find(db, user_id)?.ok_or(Error::Unauthenticated)?;
            if now_is.password_hash != user.password_hash {
                return Err(Error::Unauthenticated);
            }
            let ended = replace(db, (user_id, Some(session_id)), &hash, now, &by)?;
            let entry = entry.after(json!({ "sessions_ended": ended }));
            crate::store::audit::append(db, &entry)?;
            Ok(())
        })
        .await?;
    app.callers.forget();
    Ok(())
}

fn check(user: &User, password: &SecretString) -> Result<()> {
    let about = [user.name.as_str(), user.email.as_str()];
    check_password(password.expose_secret(), "/password", &about)
        .map_err(|fault: Fault| Error::Invalid(vec![fault]))
}
