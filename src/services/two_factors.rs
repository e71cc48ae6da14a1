//! A person's own second factor: set up with an app, switched on by its first code, and off again;
//! backup codes; and its reset by whoever looks after the platform. The step at sign-in is
//! `challenges`; how codes are believed, `codes`.

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::json;

use super::own_account::{confirm, own};
use super::sign_in::person;
use super::standing::renewed;
use super::{Error, Result, audit};
use crate::app::App;
use crate::domain::access::{Actor, Permission};
use crate::domain::fault::Fault;
use crate::domain::second_factor::{
    Authenticator, BACKUP_CODES, BACKUP_ENTROPY, Code, Required, SECRET, Standing,
};
use crate::store::users::User;
use crate::store::{Connection, Lane, devices, second_factors, sessions, users};

pub mod challenges;
mod codes;

use codes::{Given, Presented, seal, unseal};

/// So long after a sign-in a second factor is set up without the password being asked again.
const FRESH: SignedDuration = SignedDuration::from_mins(15);

/// A secret as its owner's app takes it. Shown while it waits for the first code, and never again.
#[derive(Debug)]
pub struct SetUp {
    /// As text, in groups of four.
    pub grouped: String,
    /// As text.
    pub secret: SecretString,
    /// The `otpauth://` address.
    pub address: SecretString,
    /// The address as a QR code, an SVG.
    pub qr_svg: SecretString,
}

/// Backup codes as people read them: shown once.
pub type BackupCodes = Vec<String>;

/// How it stands with the caller's second factor.
///
/// # Errors
/// [`Error::Forbidden`] for keys.
pub async fn standing(app: &App, actor: &Actor) -> Result<Standing> {
    let (user_id, _) = person(actor)?;
    app.store.read(|db| {
        let factor = second_factors::find(db, user_id)?;
        let enabled_at = factor.as_ref().and_then(|factor| factor.enabled_at);
        Ok(Standing {
            enabled_at: enabled_at.map(time).transpose()?,
            waiting: factor.is_some() && enabled_at.is_none(),
            backup_codes_left: second_factors::backup_codes_left(db, user_id)?,
            required_by: required_by(db, user_id)?,
        })
    })
}

/// The caller's organization that needs a second factor first, while he has none. Whoever may do all in
/// all loses nothing without one.
///
/// # Errors
/// What the store says.
pub async fn missing(app: &App, actor: &Actor) -> Result<Option<Required>> {
    let Actor::Person { user_id, .. } = actor else {
        return Ok(None);
    };
    if actor.is_platform() {
        return Ok(None);
    }
    app.store.read(|db| {
        let required = required_by(db, *user_id)?;
        if required.is_empty() || second_factors::is_enabled(db, *user_id)? {
            return Ok(None);
        }
        Ok(required.into_iter().next())
    })
}

fn required_by(db: &Connection, user_id: i64) -> Result<Vec<Required>> {
    second_factors::required_by(db, user_id)?
        .into_iter()
        .map(|required| {
            Ok(Required {
                organization_id: required.organization_id,
                name: required.name,
                from: time(required.from)?,
            })
        })
        .collect()
}

/// The caller must give his password to set one up: his sign-in is too long ago to stand for it.
///
/// # Errors
/// [`Error::Forbidden`] for keys.
pub async fn asks_password(app: &App, actor: &Actor) -> Result<bool> {
    let (_, session_id) = person(actor)?;
    let session = app.store.read(|db| sessions::find(db, session_id))?;
    let opened = time(session.ok_or(Error::Unauthenticated)?.created_at)?;
    Ok(app.clock.now().duration_since(opened) > FRESH)
}

/// Whoever found a session open can't make its owner's account his own.
async fn prove(
    app: &App,
    actor: &Actor,
    user: &User,
    password: Option<&SecretString>,
) -> Result<()> {
    match password {
        Some(password) => confirm(app, user, password, "/password").await,
        None if asks_password(app, actor).await? => Err(Error::Invalid(vec![Fault::new(
            "/password",
            "required",
            "is needed where the sign-in is more than 15 minutes ago.",
        )])),
        None => Ok(()),
    }
}

/// Makes a new secret for the caller's app. Until its first code comes nothing is asked at sign-in;
/// made again, it replaces the one that waited. It waits for an hour. The password is needed unless he has just signed in.
///
/// # Errors
/// [`Error::Invalid`] at `/password`; [`Error::TooMany`]; [`Error::Conflict`] `already_enabled`;
/// [`Error::Forbidden`] for keys.
pub async fn set_up(app: &App, actor: &Actor, password: Option<&SecretString>) -> Result<SetUp> {
    let user = own(app, actor)?;
    prove(app, actor, &user, password).await?;
    let mut secret = [0; SECRET];
    app.entropy.fill(&mut secret)?;
    let shown = shown(secret, &user)?;
    let (user_id, now) = (user.id, app.clock.now().as_millisecond());
    let sealed = seal(app, user_id, &secret)?;
    app.store
        .write(Lane::Front, move |db| {
            if second_factors::is_enabled(db, user_id)? {
                return Err(already_enabled());
            }
            second_factors::propose(db, user_id, &sealed, now)?;
            Ok(())
        })
        .await?;
    Ok(shown)
}

/// The secret that waits for its first code, where there is one: its owner may look again until then, or
/// for an hour.
///
/// # Errors
/// [`Error::Forbidden`] for keys; [`Error::Internal`] where it doesn't open with the key file.
pub async fn waiting(app: &App, actor: &Actor) -> Result<Option<SetUp>> {
    let user = own(app, actor)?;
    let factor = app.store.read(|db| second_factors::find(db, user.id))?;
    let now = app.clock.now().as_millisecond();
    match factor.filter(|factor| factor.enabled_at.is_none() && factor.is_good(now)) {
        Some(factor) => {
            let secret = unseal(app, user.id, &factor.secret_sealed)?;
            Ok(Some(shown(secret, &user)?))
        }
        None => Ok(None),
    }
}

fn shown(secret: [u8; SECRET], user: &User) -> Result<SetUp> {
    let authenticator = Authenticator::new(secret, &user.email)?;
    Ok(SetUp {
        grouped: authenticator.grouped(),
        secret: authenticator.text().into(),
        address: authenticator.address()?.into(),
        qr_svg: authenticator.qr_svg()?.into(),
    })
}

/// Switches the second factor on with the app's first code, and gives ten backup codes. It ends the
/// caller's other sessions: they were opened without it.
///
/// # Errors
/// [`Error::Invalid`] at `/code`; [`Error::TooMany`] after many wrong ones; [`Error::Conflict`]
/// `already_enabled` or `not_set_up`.
pub async fn enable(app: &App, actor: &Actor, code: &str) -> Result<BackupCodes> {
    let (_, session_id) = person(actor)?;
    let user = own(app, actor)?;
    let presented = Presented::of(app, &user, None, code)?.ok_or_else(not_set_up)?;
    let (backup, hashes) = backup_codes(app, user.id)?;
    let entry = audit::entry(app, actor, "two_factor.enabled").subject("two_factor", user.id);
    let (user_id, now) = (user.id, app.clock.now().as_millisecond());
    let given = app
        .store
        .write(Lane::Front, move |db| {
            if second_factors::is_enabled(db, user_id)? {
                return Err(already_enabled());
            }
            let given = presented.take(db)?;
            if given == Given::Right {
                second_factors::enable(db, user_id, now)?;
                second_factors::replace_backup_codes(db, user_id, &hashes, now)?;
                devices::distrust_all_of(db, user_id)?;
                let ended = sessions::end_others_of(db, user_id, session_id, now)?;
                let entry = entry.after(json!({ "sessions_ended": ended }));
                crate::store::audit::append(db, &entry)?;
            }
            Ok(given)
        })
        .await?;
    given.or_fault(app.clock.now())?;
    app.callers.forget();
    Ok(backup)
}

/// Switches it off again: nothing but the password is asked from then on.
///
/// # Errors
/// [`Error::Invalid`] at `/password` or `/code`; [`Error::TooMany`]; [`Error::Conflict`]
/// `not_enabled`.
pub async fn disable(app: &App, actor: &Actor, password: &SecretString, code: &str) -> Result<()> {
    let user = own(app, actor)?;
    must_be_enabled(app, user.id)?;
    confirm(app, &user, password, "/password").await?;
    let device = device_of(app, actor)?;
    let presented = Presented::of(app, &user, device, code)?.ok_or_else(not_enabled)?;
    let entry = audit::entry(app, actor, "two_factor.disabled").subject("two_factor", user.id);
    let given = app
        .store
        .write(Lane::Front, move |db| {
            let given = presented.take(db)?;
            if given == Given::Right {
                take_away(db, user.id)?;
                crate::store::audit::append(db, &entry)?;
            }
            Ok::<_, Error>(given)
        })
        .await?;
    given.or_fault(app.clock.now())?;
    app.callers.forget();
    Ok(())
}

/// Ten new backup codes; the old ones are void.
///
/// # Errors
/// [`Error::Invalid`] at `/password`; [`Error::TooMany`]; [`Error::Conflict`] `not_enabled`.
pub async fn new_backup_codes(
    app: &App,
    actor: &Actor,
    password: &SecretString,
) -> Result<BackupCodes> {
    let user = own(app, actor)?;
    must_be_enabled(app, user.id)?;
    confirm(app, &user, password, "/password").await?;
    let (backup, hashes) = backup_codes(app, user.id)?;
    let now = app.clock.now().as_millisecond();
    let entry = audit::entry(app, actor, "two_factor.codes_made").subject("two_factor", user.id);
    app.store
        .write(Lane::Front, move |db| {
            if !second_factors::is_enabled(db, user.id)? {
                return Err(not_enabled());
            }
            second_factors::replace_backup_codes(db, user.id, &hashes, now)?;
            crate::store::audit::append(db, &entry)?;
            Ok(())
        })
        .await?;
    Ok(backup)
}

/// Takes a person's second factor away, who has lost it: by the platform administrator. All his
/// sessions end: whoever has what was lost is signed out.
///
/// # Errors
/// [`Error::Forbidden`]; [`Error::NotFound`]; [`Error::Conflict`] `not_enabled`, or `own_account` for
/// himself: his own goes by his password and a code only.
pub async fn reset(app: &App, actor: &Actor, user_id: i64) -> Result<()> {
    actor.require_platform(Permission::UsersManage)?;
    if matches!(actor, Actor::Person { user_id: own, .. } if *own == user_id) {
        return Err(own_account());
    }
    let entry = audit::entry(app, actor, "two_factor.reset").subject("two_factor", user_id);
    let (helper, now) = (actor.clone(), app.clock.now());
    app.store
        .write(Lane::Front, move |db| {
            renewed(db, &helper, now)?.require_platform(Permission::UsersManage)?;
            let user = users::find(db, user_id)?.ok_or(Error::NotFound)?;
            if !take_away(db, user_id)? {
                return Err(not_enabled());
            }
            let ended = sessions::end_all_of(db, user_id, now.as_millisecond())?;
            let entry = entry.after(json!({ "email": user.email, "sessions_ended": ended }));
            crate::store::audit::append(db, &entry)?;
            Ok(())
        })
        .await?;
    app.callers.forget();
    Ok(())
}

/// The same for the person of that address, by the operator on the machine itself.
///
/// # Errors
/// As [`reset`].
pub async fn reset_of(app: &App, actor: &Actor, email: &str) -> Result<()> {
    actor.require_platform(Permission::UsersManage)?;
    let email = email.trim();
    let user = app.store.read(|db| users::find_by_email(db, email))?;
    reset(app, actor, user.ok_or(Error::NotFound)?.id).await
}

/// `false`: there was none. Browsers that were remembered are not passed over any more.
fn take_away(db: &Connection, user_id: i64) -> Result<bool> {
    devices::distrust_all_of(db, user_id)?;
    Ok(second_factors::remove(db, user_id)?)
}

fn backup_codes(app: &App, user_id: i64) -> Result<(BackupCodes, Vec<[u8; 32]>)> {
    let mut made = (Vec::new(), Vec::new());
    for _ in 0..BACKUP_CODES {
        let mut random = [0; BACKUP_ENTROPY];
        app.entropy.fill(&mut random)?;
        let code = Code::backup(&random);
        made.0.push(code.shown());
        made.1.push(codes::hash_of(app, user_id, &code));
    }
    Ok(made)
}

fn must_be_enabled(app: &App, user_id: i64) -> Result<()> {
    if app
        .store
        .read(|db| second_factors::is_enabled(db, user_id))?
    {
        Ok(())
    } else {
        Err(not_enabled())
    }
}

/// The browser in which the caller signed in.
fn device_of(app: &App, actor: &Actor) -> Result<Option<i64>> {
    let (_, session_id) = person(actor)?;
    Ok(app.store.read(|db| devices::of_session(db, session_id))?)
}

fn time(millis: i64) -> Result<Timestamp> {
    Timestamp::from_millisecond(millis).map_err(|error| Error::Internal(error.to_string()))
}

fn already_enabled() -> Error {
    Error::Conflict {
        code: "already_enabled",
        detail: "Two-step sign-in is on. Switch it off first to set up another app.".to_owned(),
    }
}

fn own_account() -> Error {
    Error::Conflict {
        code: "own_account",
        detail: "Switch off your own two-step sign-in with your password and a code: POST /auth/2fa/disable, or the page of your account."
            .to_owned(),
    }
}

fn not_set_up() -> Error {
    Error::Conflict {
        code: "not_set_up",
        detail: "There is no app yet. Set one up first.".to_owned(),
    }
}

fn not_enabled() -> Error {
    Error::Conflict {
        code: "not_enabled",
        detail: "Two-step sign-in is not on.".to_owned(),
    }
}
