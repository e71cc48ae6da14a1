//! Signing in and out: a person's e-mail address and password become a session, for a browser's
//! pages or for a program with tokens. Between the two stands [`Proven`]: whoever holds it has given
//! the right password and nothing else yet.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use super::access_tokens::{LIFETIME, RefreshToken};
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
use crate::store::sessions::{Kind, NewSession};
use crate::store::users::User;
use crate::store::{Connection, Lane, devices, second_factors, sessions, users};

/// A browser's session ends so long after sign-in, whatever happens.
const PAGE_LIFETIME: SignedDuration = SignedDuration::from_hours(14 * 24);
/// A refresh token is good for so long.
const REFRESH_LIFETIME: SignedDuration = SignedDuration::from_hours(30 * 24);
/// A browser is known again for so long after the last sign-in with it.
pub const BROWSER_LIFETIME: SignedDuration = SignedDuration::from_hours(365 * 24);
/// Within so long a refresh token that is sent again gets the same successor: an answer was lost.
const REPEAT: SignedDuration = SignedDuration::from_secs(10);

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

/// A browser's session, always a new one, and its cookies.
pub(super) async fn open_page(app: &App, proven: Proven) -> Result<PageSession> {
    let (cookie, user_id) = (secret(app)?, proven.user.id);
    let expires_at = app.clock.now() + PAGE_LIFETIME;
    let browser = match &proven.browser {
        Some(browser) => browser.clone(),
        None => secret(app)?.into(),
    };
    let session = new_session(app, &proven, Kind::Page, &cookie, expires_at);
    let hash = fingerprint(browser.expose_secret());
    open(app, proven, move |db| {
        Ok(NewSession {
            device_id: Some(seen_browser(db, &hash, &session)?),
            ..session
        })
    })
    .await?;
    Ok(PageSession {
        cookie: cookie.into(),
        expires_at,
        user_id,
        browser,
    })
}

/// Another cookie for the caller's own browser session: the one before opens nothing any more. `None`
/// for a program's session, whose refresh token is good once anyway.
///
/// # Errors
/// [`Error::Forbidden`] for keys; [`Error::Unauthenticated`] where the session has ended.
pub async fn new_cookie(app: &App, actor: &Actor) -> Result<Option<(SecretString, Timestamp)>> {
    let (_, session_id) = person(actor)?;
    let cookie = secret(app)?;
    let hash = fingerprint(&cookie);
    let session = app
        .store
        .write(Lane::Front, move |db| {
            let session = sessions::find(db, session_id)?.ok_or(Error::Unauthenticated)?;
            if session.page {
                sessions::exchange_cookie(db, session_id, &hash)?;
            }
            Ok::<_, Error>(session)
        })
        .await?;
    app.callers.forget();
    let ends = Timestamp::from_millisecond(session.expires_at)
        .map_err(|error| Error::Internal(error.to_string()))?;
    Ok(session.page.then(|| (cookie.into(), ends)))
}

/// The id of the browser with which somebody signs in: noted again, or new.
fn seen_browser(db: &Connection, hash: &[u8; 32], session: &NewSession) -> Result<i64> {
    let seen = devices::Use {
        user_id: session.user_id,
        name: session.device.clone(),
        address: session.address.clone(),
        at: session.created_at,
    };
    devices::forget_older(
        db,
        seen.user_id,
        seen.at - BROWSER_LIFETIME.as_secs() * 1000,
    )?;
    match devices::find_of(db, seen.user_id, hash)? {
        Some(known) => {
            devices::note_use(db, known.id, &seen)?;
            Ok(known.id)
        }
        None => Ok(devices::insert(db, hash, &seen)?),
    }
}

/// A program's session and its tokens.
pub(super) async fn open_api(app: &App, proven: Proven) -> Result<Tokens> {
    let secret = secret(app)?;
    let expires_at = app.clock.now() + REFRESH_LIFETIME;
    let session = new_session(app, &proven, Kind::Api, &secret, expires_at);
    let created_at = session.created_at;
    let me = Me::of(&proven.user)?;
    let session_id = open(app, proven, move |_| Ok(session)).await?;
    tokens(app, me, &secret, session_id, created_at)
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

fn new_session(
    app: &App,
    proven: &Proven,
    kind: Kind,
    secret: &str,
    expires_at: Timestamp,
) -> NewSession {
    NewSession {
        user_id: proven.user.id,
        kind,
        secret_hash: fingerprint(secret),
        device: proven.device.clone(),
        address: audit::shown(proven.address),
        created_at: app.clock.now().as_millisecond(),
        expires_at: expires_at.as_millisecond(),
        device_id: None,
    }
}

/// Opens the session that `make` gives within the write.
async fn open(
    app: &App,
    proven: Proven,
    make: impl FnOnce(&Connection) -> Result<NewSession> + Send + 'static,
) -> Result<i64> {
    let user = &proven.user;
    let entry = audit::entry_of_person(app, user.id, &user.name, "session.opened");
    let at = app.clock.now().as_millisecond();
    app.store
        .write(Lane::Front, move |db| {
            // The password was proven before this write: it must still be the one that was proven.
            let user = &proven.user;
            let now = users::find(db, user.id)?;
            let replaced = now.is_none_or(|now| now.password_hash != user.password_hash);
            if replaced || !proven.is_enough(db, at)? {
                return Err(Error::Unauthenticated);
            }
            let session = make(db)?;
            let id = sessions::insert(db, &session)?;
            let said = serde_json::json!({ "kind": session.kind.word(), "device": session.device });
            crate::store::audit::append(db, &entry.subject("session", id).after(said))?;
            Ok(id)
        })
        .await
}

pub(super) fn secret(app: &App) -> Result<String> {
    let mut random = [0; 32];
    app.entropy.fill(&mut random)?;
    Ok(token(&random))
}

fn tokens(app: &App, user: Me, secret: &str, session_id: i64, created_at: i64) -> Result<Tokens> {
    let now = app.clock.now();
    let refresh = app
        .access_tokens
        .refresh_token(secret, session_id, created_at);
    Ok(Tokens {
        access_token: app.access_tokens.issue(user.id, session_id, now)?.into(),
        refresh_token: refresh.into(),
        expires_in: LIFETIME.as_secs(),
        user,
    })
}

enum Refreshed {
    To(Me),
    Reused,
}

/// Exchanges a refresh token for new tokens. Sent again within 10 seconds it gets the same
/// successor; sent later it ends the session, because somebody else may hold a copy.
///
/// # Errors
/// [`Error::Unauthenticated`] for every reason there is not to believe it.
pub async fn refresh(app: &App, presented: &str) -> Result<Tokens> {
    let presented = RefreshToken::parse(presented).ok_or(Error::Unauthenticated)?;
    let id = presented.session_id;
    let session = app
        .store
        .read(|db| sessions::find(db, id))?
        .filter(|session| !session.page)
        .filter(|session| app.access_tokens.is_genuine(&presented, session.created_at))
        .ok_or(Error::Unauthenticated)?;
    let next = app.access_tokens.successor(&presented.secret);
    let exchange = Exchange {
        id,
        presented: fingerprint(&presented.secret),
        next: fingerprint(&next),
        now: app.clock.now(),
    };
    let entry = audit::entry_of_person(
        app,
        session.user_id,
        &session.user_name,
        "session.refresh_reused",
    )
    .subject("session", id)
    .refused();
    let outcome = app
        .store
        .write(Lane::Front, move |db| exchange.run(db, &entry))
        .await?;
    match outcome {
        Refreshed::To(user) => tokens(app, user, &next, id, session.created_at),
        Refreshed::Reused => {
            app.callers.forget();
            Err(Error::Unauthenticated)
        }
    }
}

struct Exchange {
    id: i64,
    presented: [u8; 32],
    next: [u8; 32],
    now: Timestamp,
}

impl Exchange {
    fn run(&self, db: &Connection, entry: &crate::store::audit::Entry) -> Result<Refreshed> {
        let now = self.now.as_millisecond();
        let session = sessions::find(db, self.id)?
            .filter(|session| session.expires_at > now)
            .ok_or(Error::Unauthenticated)?;
        if session.secret_hash == self.presented {
            let until = (self.now + REFRESH_LIFETIME).as_millisecond();
            sessions::rotate(db, self.id, &self.next, now, until)?;
        } else {
            let age = session
                .rotated_at
                .map_or(i64::MAX, |at| now.saturating_sub(at));
            let repeated = session.previous_hash == Some(self.presented)
                && i128::from(age) <= REPEAT.as_millis();
            if !repeated {
                sessions::end(db, self.id, now)?;
                crate::store::audit::append(db, entry)?;
                return Ok(Refreshed::Reused);
            }
        }
        let user = users::find(db, session.user_id)?.ok_or(Error::Unauthenticated)?;
        Ok(Refreshed::To(Me::of(&user)?))
    }
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
