//! The second step of a sign-in: whoever has given the right password gets a challenge for a few
//! minutes, and a session only for the right code.

use std::net::IpAddr;

use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::codes::{Given, Presented};
use crate::app::App;
use crate::domain::credentials::{fingerprint, token};
use crate::services::sign_in::{self, PageSession, Proven, Tokens};
use crate::services::{Error, Result, audit};
use crate::store::challenges::{self, NewChallenge};
use crate::store::users::User;
use crate::store::{Lane, devices, second_factors, users};

/// How long a challenge waits for its code.
pub const LIFETIME: SignedDuration = SignedDuration::from_mins(5);
/// How long a remembered browser is not asked for codes.
pub const REMEMBERED: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Wrong codes that void a challenge: the password is asked for again.
const PATIENCE: i64 = 5;

/// The answer to a challenge.
#[derive(Debug)]
pub struct Response {
    /// The challenge, as it was given.
    pub challenge: SecretString,
    /// What was typed: an app's code or a backup code.
    pub code: String,
    /// This browser is not asked again for 30 days.
    pub remember: bool,
    /// The caller's address.
    pub address: IpAddr,
    /// What the browser or program calls itself.
    pub device: String,
    /// The cookie by which a browser is known again, as it was sent.
    pub browser: Option<SecretString>,
}

/// The challenge that stands between this person's password and a session; `None` where nothing more
/// is asked of him, or not in this browser.
///
/// # Errors
/// What the store says.
pub(in crate::services) async fn demand(
    app: &App,
    proven: &Proven,
) -> Result<Option<SecretString>> {
    let (user_id, now) = (proven.user.id, app.clock.now());
    let trusted = proven.known.as_ref().and_then(|known| known.trusted_until);
    let remembered = trusted.is_some_and(|until| until > now.as_millisecond());
    if remembered
        || !app
            .store
            .read(|db| second_factors::is_enabled(db, user_id))?
    {
        return Ok(None);
    }
    let mut random = [0; 32];
    app.entropy.fill(&mut random)?;
    let challenge = token(&random);
    let new = NewChallenge {
        secret_hash: fingerprint(&challenge),
        user_id,
        bound_to: bound_to(&proven.user),
        created_at: now.as_millisecond(),
        expires_at: (now + LIFETIME).as_millisecond(),
    };
    app.store
        .write(Lane::Front, move |db| challenges::insert(db, &new))
        .await?;
    Ok(Some(challenge.into()))
}

/// A challenge is good for as long as the password that it followed is.
fn bound_to(user: &User) -> [u8; 32] {
    fingerprint(user.password_hash.as_deref().unwrap_or_default())
}

/// The challenge is open: whoever brings it may be asked for a code.
///
/// # Errors
/// [`Error::Unauthenticated`] where it isn't.
pub async fn look(app: &App, challenge: &str) -> Result<()> {
    challenger(app, &fingerprint(challenge)).map(drop)
}

fn challenger(app: &App, hash: &[u8; 32]) -> Result<User> {
    let now = app.clock.now().as_millisecond();
    app.store.read(|db| {
        let open = challenges::find(db, hash, now)?.ok_or(Error::Unauthenticated)?;
        users::find(db, open.user_id)?
            .filter(|user| bound_to(user).as_slice() == open.bound_to)
            .ok_or(Error::Unauthenticated)
    })
}

/// Signs a browser in.
///
/// # Errors
/// [`Error::Unauthenticated`] where the challenge is not open, or this was one wrong code too many;
/// [`Error::Invalid`] at `/code`; [`Error::TooMany`] while an app's codes are refused.
pub async fn page(app: &App, response: &Response) -> Result<PageSession> {
    let proven = answer(app, response).await?;
    let user_id = proven.user.id;
    let session = sign_in::open_page(app, proven).await?;
    if response.remember {
        let hash = fingerprint(session.browser.expose_secret());
        let until = (app.clock.now() + REMEMBERED).as_millisecond();
        app.store
            .write(Lane::Front, move |db| {
                match devices::find_of(db, user_id, &hash)? {
                    Some(device) => devices::trust(db, device.id, Some(until)),
                    None => Ok(()),
                }
            })
            .await?;
    }
    Ok(session)
}

/// Signs a program in.
///
/// # Errors
/// As [`page`].
pub async fn api(app: &App, response: &Response) -> Result<Tokens> {
    let proven = answer(app, response).await?;
    sign_in::open_api(app, proven).await
}

enum Answered {
    Right,
    Not(Given),
    Void,
}

async fn answer(app: &App, response: &Response) -> Result<Proven> {
    let hash = fingerprint(response.challenge.expose_secret());
    let user = challenger(app, &hash)?;
    let from = (response.address, response.device.as_str());
    let proven = Proven::of(app, user, response.browser.as_ref(), from)?;
    let device = proven.known.as_ref().map(|known| known.id);
    let presented =
        Presented::of(app, &proven.user, device, &response.code)?.ok_or(Error::Unauthenticated)?;
    let (user_id, name) = (proven.user.id, &proven.user.name);
    let refused = audit::entry_of_person(app, user_id, name, "session.opened")
        .refused()
        .after(json!({ "email": proven.user.email, "second_factor": "wrong code" }));
    let used = audit::entry_of_person(app, user_id, name, "two_factor.backup_code_used")
        .subject("two_factor", user_id);
    let (bound_to, now) = (bound_to(&proven.user), app.clock.now().as_millisecond());
    let answered = app
        .store
        .write(Lane::Front, move |db| {
            let open = challenges::find(db, &hash, now)?
                .filter(|open| open.bound_to == bound_to)
                .ok_or(Error::Unauthenticated)?;
            let given = presented.take(db)?;
            if given == Given::Right {
                crate::store::one_time_tokens::mark_used(db, open.id, now)?;
                if presented.backup.is_some() {
                    crate::store::audit::append(db, &used)?;
                }
                return Ok(Answered::Right);
            }
            crate::store::audit::append(db, &refused)?;
            challenges::count_wrong(db, open.id)?;
            if open.wrong + 1 < PATIENCE {
                return Ok(Answered::Not(given));
            }
            crate::store::one_time_tokens::mark_used(db, open.id, now)?;
            Ok::<_, Error>(Answered::Void)
        })
        .await?;
    match answered {
        Answered::Right => Ok(proven.with_second_step()),
        Answered::Not(given) => Err(given
            .or_fault(app.clock.now())
            .err()
            .unwrap_or(Error::Unauthenticated)),
        Answered::Void => Err(Error::Unauthenticated),
    }
}
