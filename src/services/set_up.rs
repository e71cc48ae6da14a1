//! The first start: while there is nobody, a one-time link lets whoever holds it make himself the
//! platform administrator. The link is printed where only the operator sees it.

use std::net::IpAddr;

use jiff::SignedDuration;
use secrecy::SecretString;

use super::admins::{NewPerson, ValidPerson};
use super::sign_in::{PageSession, Proven, open_page};
use super::{Error, Result, audit};
use crate::app::App;
use crate::domain::access::Actor;
use crate::domain::credentials::{fingerprint, token};
use crate::store::one_time_tokens::{self as tokens, NewToken, SET_UP};
use crate::store::{Lane, users};

/// A link is good for so long; the next start prints a new one.
const LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// The path of the set-up page with its token.
pub fn path(token: &str) -> String {
    format!("/set-up?token={token}")
}

/// A fresh token for the set-up link, which replaces any before it; `None` where there is somebody.
///
/// # Errors
/// What the store says.
pub async fn begin(app: &App) -> Result<Option<String>> {
    let mut random = [0; 32];
    app.entropy.fill(&mut random)?;
    let fresh = token(&random);
    let (hash, now) = (fingerprint(&fresh), app.clock.now());
    let made = app
        .store
        .write(Lane::Front, move |db| {
            if users::any(db)? {
                return Ok::<_, Error>(false);
            }
            tokens::drop_unused(db, SET_UP)?;
            let (from, until) = (now.as_millisecond(), (now + LIFETIME).as_millisecond());
            let token = NewToken {
                purpose: SET_UP,
                hash: &hash,
                user_id: None,
                made_by: None,
                created_at: from,
                expires_at: until,
            };
            tokens::insert(db, &token)?;
            Ok(true)
        })
        .await?;
    Ok(made.then_some(fresh))
}

/// Whether there is nobody yet: then every page leads to the set-up page.
///
/// # Errors
/// What the store says.
pub async fn is_needed(app: &App) -> Result<bool> {
    Ok(!app.store.read(users::any)?)
}

/// Whether the link is good, before the form is shown.
///
/// # Errors
/// [`Error::NotFound`] where it is not: unknown, used, expired, or somebody is there already.
pub async fn look(app: &App, token: &str) -> Result<()> {
    let (hash, now) = (fingerprint(token), app.clock.now().as_millisecond());
    let good = app.store.read(|db| {
        Ok::<_, Error>(!users::any(db)? && tokens::find(db, SET_UP, &hash, now)?.is_some())
    })?;
    if good { Ok(()) } else { Err(Error::NotFound) }
}

/// Makes the platform administrator, uses the link up, and signs him in.
///
/// # Errors
/// [`Error::NotFound`] as [`look`]; [`Error::Invalid`] with all faults of the form.
pub async fn complete(
    app: &App,
    token: &str,
    person: NewPerson,
    (address, device): (IpAddr, &str),
) -> Result<PageSession> {
    look(app, token).await?;
    let valid = ValidPerson::parse(person)?;
    let password_hash = app.passwords.hash(&valid.password, &*app.entropy).await?;
    let new = valid.administrator(password_hash);
    let (hash, now) = (fingerprint(token), app.clock.now().as_millisecond());
    let entry = audit::entry(app, &Actor::System, "user.created")
        .after(serde_json::json!({ "email": new.email, "name": new.name, "platform_admin": true }));
    let user = app
        .store
        .write(Lane::Front, move |db| {
            let link = tokens::find(db, SET_UP, &hash, now)?;
            let link = link.filter(|_| !users::any(db).unwrap_or(true));
            let link = link.ok_or(Error::NotFound)?;
            tokens::mark_used(db, link, now)?;
            let id = users::insert(db, &new, now, &Actor::System.label())?;
            crate::store::audit::append(db, &entry.subject("user", id))?;
            users::find(db, id)?.ok_or(Error::NotFound)
        })
        .await?;
    open_page(app, Proven::of(app, user, None, (address, device))?).await
}

/// The password and the person's words, as the form sends them.
pub fn person(email: &str, name: &str, password: &str) -> NewPerson {
    NewPerson {
        email: email.to_owned(),
        name: name.to_owned(),
        password: SecretString::from(password),
    }
}
