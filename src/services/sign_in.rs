//! Signing in and out: a person's e-mail address and password become a session, for a browser's
//! pages or for a program with tokens. Between the two stands [`Proven`]: whoever holds it has given
//! the right password and nothing else yet.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::delays::{self, Key, Place};
use super::limits::{Figures, Limiter};
use super::passwords::is_current;
use super::two_factors::challenges;
use super::{Error, Result, audit};
use crate::app::App;
use crate::clock::Clock;
use crate::config::RateLimits;
use crate::domain::access::Actor;
use crate::domain::credentials::{fingerprint, token};
use crate::domain::person::{Email, LONGEST_PASSWORD};
use crate::store::devices::Device;
use crate::store::users::User;
use crate::store::{Connection, Lane, devices, second_factors, sessions, users};

mod opening;
mod tokens;

pub use opening::{BROWSER_LIFETIME, new_cookie};
pub(super) use opening::{open_api, open_page};
pub use tokens::refresh;

/// Attempts to sign in: so many a minute for one account from one address.
#[derive(Debug)]
pub struct SignInLimiter(Limiter<Key>);

impl SignInLimiter {
    /// The budget of the configuration.
    pub fn new(limits: &RateLimits, clock: Arc<dyn Clock>) -> Self {
        Self(Limiter::new(limits.enabled.then_some(limits.auth), clock))
    }

    /// How it stands.
    pub fn figures(&self) -> Figures {
        self.0.figures()
    }

    /// Takes one attempt out of the key's budget.
    pub(super) fn take(&self, key: &Key) -> Result<()> {
        self.0
            .take(key)
            .map(drop)
            .map_err(|retry_after| Error::TooMany { retry_after })
    }
}

/// Who wants to sign in, and from where.
#[derive(Debug)]
pub struct Attempt {
    /// The address that was typed.
    pub email: String,
    /// The password that was typed.
    pub password: SecretString,
    /// The caller's address.
    pub address: IpAddr,
    /// What the browser or program calls itself; cut to 200 characters.
    pub device: String,
    /// The cookie by which a browser is known again, as it was sent.
    pub browser: Option<SecretString>,
}

/// A person who has proven who he is by his password, and from where: what a session is opened for,
/// after whatever else is asked of him.
#[derive(Debug)]
pub struct Proven {
    /// The person, with the hash of the password that was proven.
    pub user: User,
    /// His own browser, where it was known again.
    pub known: Option<Device>,
    /// The cookie of that browser.
    browser: Option<SecretString>,
    address: IpAddr,
    device: String,
    /// He has answered the challenge of his second factor, too.
    second_step: bool,
}

/// A browser's new session.
#[derive(Debug)]
pub struct PageSession {
    /// The cookie's value.
    pub cookie: SecretString,
    /// When it ends, whatever happens.
    pub expires_at: Timestamp,
    /// Who signed in.
    pub user_id: i64,
    /// The value of the cookie by which the browser is known again.
    pub browser: SecretString,
}

/// A program's tokens.
#[derive(Debug)]
pub struct Tokens {
    /// Good for [`Tokens::expires_in`].
    pub access_token: SecretString,
    /// Good once, for 30 days.
    pub refresh_token: SecretString,
    /// Whole seconds.
    pub expires_in: i64,
    /// Whose they are.
    pub user: Me,
}

/// The caller as he sees himself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// The id.
    pub id: i64,
    /// The address with which he signs in.
    pub email: String,
    /// His name.
    pub name: String,
    /// May do all in all.
    pub platform_admin: bool,
    /// The IANA name of the time zone in which he reads times.
    pub time_zone: String,
    /// Since when there is this person.
    pub created_at: Timestamp,
}

impl Me {
    pub(super) fn of(user: &User) -> Result<Self> {
        Ok(Self {
            id: user.id,
            email: user.email.clone(),
            name: user.name.clone(),
            platform_admin: user.platform_admin,
            time_zone: user.time_zone.clone(),
            created_at: Timestamp::from_millisecond(user.created_at)
                .map_err(|error| Error::Internal(error.to_string()))?,
        })
    }
}

/// What the first step of a sign-in led to.
#[derive(Debug)]
pub enum Entered<Session> {
    /// Nothing more is asked.
    Session(Session),
    /// A code is asked for: the text with which it is to be sent.
    Challenge(SecretString),
}

impl<Session> Entered<Session> {
    /// The session, where nothing more is asked.
    pub fn session(self) -> Option<Session> {
        match self {
            Self::Session(session) => Some(session),
            Self::Challenge(_) => None,
        }
    }
}

/// Signs a browser in, always with a new session of its own; or asks for the second step.
///
/// # Errors
/// [`Error::TooMany`]; [`Error::Unauthenticated`] alike for a wrong password and an unknown person.
pub async fn page(app: &App, attempt: &Attempt) -> Result<Entered<PageSession>> {
    let proven = check(app, attempt).await?;
    match challenges::demand(app, &proven).await? {
        Some(challenge) => Ok(Entered::Challenge(challenge)),
        None => open_page(app, proven).await.map(Entered::Session),
    }
}

/// Signs a program in.
///
/// # Errors
/// As [`page`].
pub async fn api(app: &App, attempt: &Attempt) -> Result<Entered<Tokens>> {
    let proven = check(app, attempt).await?;
    match challenges::demand(app, &proven).await? {
        Some(challenge) => Ok(Entered::Challenge(challenge)),
        None => open_api(app, proven).await.map(Entered::Session),
    }
}

impl Proven {
    /// That this person has just proven who he is. Only his own browser is known again: what another
    /// person, or nobody, left there counts for nothing.
    pub(super) fn of(
        app: &App,
        user: User,
        browser: Option<&SecretString>,
        (address, device): (IpAddr, &str),
    ) -> Result<Self> {
        let known = known_browser(app, Some(user.id), browser)?;
        Ok(Self {
            browser: browser.filter(|_| known.is_some()).cloned(),
            user,
            known,
            address,
            device: device
                .chars()
                .filter(|c| !c.is_control())
                .take(200)
                .collect(),
            second_step: false,
        })
    }

    /// That he has answered his challenge, too.
    pub(super) fn with_second_step(self) -> Self {
        Self {
            second_step: true,
            ..self
        }
    }

    /// Nothing more is asked of him, within the write that opens his session: a second factor may have
    /// been switched on since his password was taken, and the trust in his browser been taken back.
    fn is_enough(&self, db: &Connection, now: i64) -> Result<bool> {
        if self.second_step || !second_factors::is_enabled(db, self.user.id)? {
            return Ok(true);
        }
        let Some(browser) = &self.browser else {
            return Ok(false);
        };
        let known = devices::find_of(db, self.user.id, &fingerprint(browser.expose_secret()))?;
        let trusted = known.and_then(|known| known.trusted_until);
        Ok(trusted.is_some_and(|until| until > now))
    }
}

fn known_browser(
    app: &App,
    user_id: Option<i64>,
    browser: Option<&SecretString>,
) -> Result<Option<Device>> {
    let (Some(user_id), Some(browser)) = (user_id, browser) else {
        return Ok(None);
    };
    let hash = fingerprint(browser.expose_secret());
    Ok(app.store.read(|db| devices::find_of(db, user_id, &hash))?)
}

/// The person whose password this is. Takes the same time whether there is such a person or not.
async fn check(app: &App, attempt: &Attempt) -> Result<Proven> {
    let email = attempt.email.trim().to_owned();
    let user = app.store.read(|db| users::find_by_email(db, &email))?;
    let id = user.as_ref().map(|user| user.id);
    let place = match known_browser(app, id, attempt.browser.as_ref())? {
        Some(own) => Place::Browser(own.id),
        None => Place::household(attempt.address),
    };
    let key = delays::key(&email, place);
    app.sign_ins.take(&key)?;
    let begun = match app.delays.begin(key) {
        Ok(begun) => begun,
        Err(early) => {
            // One row for each wait: a program that goes on trying fills no log.
            if early.first {
                record_failure(app, &email, Some("too_early")).await?;
            }
            return Err(early.into());
        }
    };
    let right = match is_right(app, user.as_ref(), &attempt.password).await {
        Ok(right) => right,
        Err(busy) => {
            app.delays.not_judged(begun);
            return Err(busy);
        }
    };
    let Some(user) = user.filter(|_| right) else {
        record_failure(app, &email, None).await?;
        return Err(Error::Unauthenticated);
    };
    app.delays.succeeded(&key);
    let user = with_current_hash(app, user, &attempt.password).await?;
    let from = (attempt.address, attempt.device.as_str());
    Proven::of(app, user, attempt.browser.as_ref(), from)
}

/// Whether it is this person's password; of nobody, after the same time, it never is.
pub(super) async fn is_right(
    app: &App,
    user: Option<&User>,
    password: &SecretString,
) -> Result<bool> {
    if password.expose_secret().len() > LONGEST_PASSWORD {
        return Ok(false);
    }
    let hash = user.and_then(|user| user.password_hash.clone());
    app.passwords.verify(password, hash).await
}

/// The same person, his hash made anew where it was made with other parameters.
async fn with_current_hash(app: &App, mut user: User, password: &SecretString) -> Result<User> {
    let Some(old) = user.password_hash.clone().filter(|old| !is_current(old)) else {
        return Ok(user);
    };
    let new = app.passwords.hash(password, &*app.entropy).await?;
    let (id, made) = (user.id, new.clone());
    let replaced = app
        .store
        .write(Lane::Front, move |db| {
            Ok::<_, Error>(users::rehash(db, id, &old, &made)?)
        })
        .await?;
    if !replaced {
        return Err(Error::Unauthenticated);
    }
    user.password_hash = Some(new);
    Ok(user)
}

/// What was typed is only recorded where it can be an address: people type passwords there, too.
async fn record_failure(app: &App, email: &str, why: Option<&str>) -> Result<()> {
    let typed = Email::parse(email, "").map(|email| email.as_str().to_owned());
    let entry = audit::entry_of_stranger(app, "session.opened")
        .refused()
        .after(match why {
            None => serde_json::json!({ "email": typed.ok() }),
            Some(why) => serde_json::json!({ "email": typed.ok(), "reason": why }),
        });
    app.store
        .write(Lane::Front, move |db| {
            crate::store::audit::append(db, &entry).map(drop)
        })
        .await?;
    Ok(())
}

pub(super) fn secret(app: &App) -> Result<String> {
    let mut random = [0; 32];
    app.entropy.fill(&mut random)?;
    Ok(token(&random))
}

/// Ends the caller's session: it is refused from the next request on.
///
/// # Errors
/// [`Error::Forbidden`] for keys, which have no session.
pub async fn sign_out(app: &App, actor: &Actor) -> Result<()> {
    let (_, session_id) = person(actor)?;
    let entry = audit::entry(app, actor, "session.ended").subject("session", session_id);
    let now = app.clock.now().as_millisecond();
    app.store
        .write(Lane::Front, move |db| {
            if sessions::end(db, session_id, now)? {
                crate::store::audit::append(db, &entry)?;
            }
            Ok::<_, Error>(())
        })
        .await?;
    app.callers.forget();
    Ok(())
}

/// The caller as he sees himself.
///
/// # Errors
/// [`Error::Forbidden`] for keys.
pub async fn me(app: &App, actor: &Actor) -> Result<Me> {
    let (user_id, _) = person(actor)?;
    let user = app
        .store
        .read(|db| users::find(db, user_id))?
        .ok_or(Error::Unauthenticated)?;
    Me::of(&user)
}

/// The person who calls and his session.
pub(super) fn person(actor: &Actor) -> Result<(i64, i64)> {
    match actor {
        Actor::Person {
            user_id,
            session_id,
            ..
        } => Ok((*user_id, *session_id)),
        _ => Err(Error::Forbidden(
            "this belongs to people; keys have no part in it".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests;
