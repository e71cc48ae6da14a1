//! Signing in and out: a person's e-mail address and password become a session, for a browser's
//! pages or for a program with tokens. Second factors will stand between [`check`] and the session.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use super::access_tokens::{LIFETIME, RefreshToken};
use super::limits::Limiter;
use super::{Error, Result, audit};
use crate::app::App;
use crate::clock::Clock;
use crate::config::RateLimits;
use crate::domain::access::Actor;
use crate::domain::credentials::{fingerprint, token};
use crate::domain::network::household;
use crate::domain::person::{Email, LONGEST_PASSWORD};
use crate::store::sessions::{Kind, NewSession};
use crate::store::users::User;
use crate::store::{Connection, Lane, sessions, users};

/// A browser's session ends so long after sign-in, whatever happens.
const PAGE_LIFETIME: SignedDuration = SignedDuration::from_hours(14 * 24);
/// A refresh token is good for so long.
const REFRESH_LIFETIME: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Within so long a refresh token that is sent again gets the same successor: an answer was lost.
const REPEAT: SignedDuration = SignedDuration::from_secs(10);

/// Attempts to sign in: so many a minute for one account from one address.
#[derive(Debug)]
pub struct SignInLimiter(Limiter<([u8; 32], IpAddr)>);

impl SignInLimiter {
    /// The budget of the configuration.
    pub fn new(limits: &RateLimits, clock: Arc<dyn Clock>) -> Self {
        Self(Limiter::new(limits.enabled.then_some(limits.auth), clock))
    }

    fn take(&self, email: &str, address: IpAddr) -> Result<()> {
        let account = fingerprint(&email.trim().to_lowercase());
        self.0
            .take(&(account, household(address)))
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
    /// Since when there is this person.
    pub created_at: Timestamp,
}

impl Me {
    fn of(user: &User) -> Result<Self> {
        Ok(Self {
            id: user.id,
            email: user.email.clone(),
            name: user.name.clone(),
            platform_admin: user.platform_admin,
            created_at: Timestamp::from_millisecond(user.created_at)
                .map_err(|error| Error::Internal(error.to_string()))?,
        })
    }
}

/// Signs a browser in, always with a new session of its own.
///
/// # Errors
/// [`Error::TooMany`]; [`Error::Unauthenticated`] alike for a wrong password and an unknown person.
pub async fn page(app: &App, attempt: &Attempt) -> Result<PageSession> {
    let user = check(app, attempt).await?;
    open_page(app, user, attempt.address, &attempt.device).await
}

/// A browser's session for a person who has just proven who he is.
pub(super) async fn open_page(
    app: &App,
    user: User,
    address: IpAddr,
    device: &str,
) -> Result<PageSession> {
    let (cookie, user_id) = (secret(app)?, user.id);
    let expires_at = app.clock.now() + PAGE_LIFETIME;
    let session = new_session(
        app,
        &user,
        Kind::Page,
        &cookie,
        (address, device),
        expires_at,
    );
    open(app, user, session).await?;
    Ok(PageSession {
        cookie: cookie.into(),
        expires_at,
        user_id,
    })
}

/// Signs a program in.
///
/// # Errors
/// As [`page`].
pub async fn api(app: &App, attempt: &Attempt) -> Result<Tokens> {
    let user = check(app, attempt).await?;
    let secret = secret(app)?;
    let expires_at = app.clock.now() + REFRESH_LIFETIME;
    let from = (attempt.address, attempt.device.as_str());
    let session = new_session(app, &user, Kind::Api, &secret, from, expires_at);
    let created_at = session.created_at;
    let me = Me::of(&user)?;
    let session_id = open(app, user, session).await?;
    tokens(app, me, &secret, session_id, created_at)
}

/// The person whose password this is. Takes the same time whether there is such a person or not.
async fn check(app: &App, attempt: &Attempt) -> Result<User> {
    app.sign_ins.take(&attempt.email, attempt.address)?;
    let email = attempt.email.trim().to_owned();
    if attempt.password.expose_secret().len() > LONGEST_PASSWORD {
        record_failure(app, &email).await?;
        return Err(Error::Unauthenticated);
    }
    let user = app.store.read(|db| users::find_by_email(db, &email))?;
    let hash = user.as_ref().and_then(|user| user.password_hash.clone());
    let right = app.passwords.verify(&attempt.password, hash).await?;
    match user.filter(|_| right) {
        Some(user) => Ok(user),
        None => {
            record_failure(app, &email).await?;
            Err(Error::Unauthenticated)
        }
    }
}

/// What was typed is only recorded where it can be an address: people type passwords there, too.
async fn record_failure(app: &App, email: &str) -> Result<()> {
    let typed = Email::parse(email, "").map(|email| email.as_str().to_owned());
    let entry = audit::entry_of_stranger(app, "session.opened")
        .refused()
        .after(serde_json::json!({ "email": typed.ok() }));
    app.store
        .write(Lane::Front, move |db| {
            crate::store::audit::append(db, &entry).map(drop)
        })
        .await?;
    Ok(())
}

fn new_session(
    app: &App,
    user: &User,
    kind: Kind,
    secret: &str,
    (address, device): (IpAddr, &str),
    expires_at: Timestamp,
) -> NewSession {
    NewSession {
        user_id: user.id,
        kind,
        secret_hash: fingerprint(secret),
        device: device
            .chars()
            .filter(|c| !c.is_control())
            .take(200)
            .collect(),
        address: audit::shown(address),
        created_at: app.clock.now().as_millisecond(),
        expires_at: expires_at.as_millisecond(),
    }
}

async fn open(app: &App, user: User, session: NewSession) -> Result<i64> {
    let entry = audit::entry_of_person(app, user.id, &user.name, "session.opened")
        .after(serde_json::json!({ "kind": session.kind.word(), "device": session.device }));
    app.store
        .write(Lane::Front, move |db| {
            // The password was proven before this write: it must still be the one that was proven.
            let now = users::find(db, user.id)?;
            if now.is_none_or(|now| now.password_hash != user.password_hash) {
                return Err(Error::Unauthenticated);
            }
            let id = sessions::insert(db, &session)?;
            crate::store::audit::append(db, &entry.subject("session", id))?;
            Ok(id)
        })
        .await
}

fn secret(app: &App) -> Result<String> {
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

fn person(actor: &Actor) -> Result<(i64, i64)> {
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
