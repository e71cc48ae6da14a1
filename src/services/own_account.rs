//! What belongs to a person himself and to nobody else: his name, address and time zone, and his
//! leaving. What is dangerous in a stolen session needs the password once more.

use secrecy::SecretString;
use serde_json::json;

use super::delays::{self, Place};
use super::sign_in::{Me, is_right, person};
use super::{Error, Result, audit, leaving};
use crate::app::App;
use crate::domain::access::Actor;
use crate::domain::fault::Fault;
use crate::domain::form::required;
use crate::domain::person::{Email, parse_name, parse_time_zone};
use crate::store::users::User;
use crate::store::{Connection, Lane, notifications, one_time_tokens, users};

/// What can be changed; what isn't sent stays.
#[derive(Debug, Default)]
pub struct Profile {
    /// The name that others see.
    pub name: Option<String>,
    /// The IANA name of the time zone in which he reads times.
    pub time_zone: Option<String>,
    /// The address with which he signs in: another one needs the password.
    pub email: Option<String>,
    /// His password, for that.
    pub current_password: Option<SecretString>,
    /// What could not be read.
    pub unreadable: Vec<Fault>,
}

pub use crate::domain::person::time_zones;

/// The caller as the store has him.
pub(super) fn own(app: &App, actor: &Actor) -> Result<User> {
    let (user_id, _) = person(actor)?;
    app.store
        .read(|db| users::find(db, user_id))?
        .ok_or(Error::Unauthenticated)
}

/// That the caller knows his password, too: whoever found a browser open does not. Asked too often
/// it must wait; nobody but this person's own sessions counts for that.
///
/// # Errors
/// [`Error::Invalid`] at `pointer`; [`Error::TooMany`].
pub(super) async fn confirm(
    app: &App,
    user: &User,
    password: &SecretString,
    pointer: &str,
) -> Result<()> {
    let key = delays::key("", Place::Person(user.id));
    app.delays.begin(key)?;
    if is_right(app, Some(user), password).await? {
        app.delays.succeeded(&key);
        return Ok(());
    }
    Err(Error::Invalid(vec![Fault::new(
        pointer,
        "wrong_password",
        "This is not your password.",
    )]))
}

/// Changes what the caller says about himself.
///
/// # Errors
/// [`Error::Invalid`] with all faults; [`Error::Conflict`] `email_taken`; as [`confirm`].
pub async fn update(app: &App, actor: &Actor, sent: Profile) -> Result<Me> {
    let user = own(app, actor)?;
    let mut faults = sent.unreadable;
    let mut keep = |read: Option<std::result::Result<String, Fault>>, known: &str| match read {
        None => known.to_owned(),
        Some(Ok(text)) => text,
        Some(Err(fault)) => {
            faults.push(fault);
            known.to_owned()
        }
    };
    let name = keep(sent.name.map(|text| parse_name(&text, "/name")), &user.name);
    let time_zone = sent.time_zone;
    let time_zone = keep(
        time_zone.map(|text| parse_time_zone(&text, "/time_zone")),
        &user.time_zone,
    );
    let email = sent.email.map(|text| Email::parse(&text, "/email"));
    let email = keep(
        email.map(|read| read.map(|email| email.as_str().to_owned())),
        &user.email,
    );
    let moves = email != user.email;
    if moves && sent.current_password.is_none() {
        faults.push(required("/current_password"));
    }
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    if let Some(password) = sent.current_password.filter(|_| moves) {
        confirm(app, &user, &password, "/current_password").await?;
    }
    let changed = User {
        name,
        time_zone,
        email,
        ..user.clone()
    };
    write(app, actor, user, changed).await
}

async fn write(app: &App, actor: &Actor, before: User, after: User) -> Result<Me> {
    let said = |user: &User| json!({ "name": user.name, "email": user.email, "time_zone": user.time_zone });
    let entry = audit::entry(app, actor, "user.profile_changed")
        .subject("user", after.id)
        .before(said(&before))
        .after(said(&after));
    let (now, by) = (app.clock.now().as_millisecond(), actor.label());
    let written = after.clone();
    app.store
        .write(Lane::Front, move |db| {
            if before.email != after.email {
                let taken = users::find_by_email(db, &after.email)?;
                if taken.is_some_and(|other| other.id != after.id) {
                    return Err(Error::Conflict {
                        code: "email_taken",
                        detail: "This address cannot be used.".to_owned(),
                    });
                }
                // A link that went to the old address is not for whoever reads it there now.
                drop_links(db, after.id)?;
            }
            users::update_profile(db, &after, now, &by)?;
            crate::store::audit::append(db, &entry)?;
            Ok(())
        })
        .await?;
    app.callers.forget();
    Me::of(&written)
}

/// What was sent to a person, or begun by him, and not used is no longer good.
pub(super) fn drop_links(db: &Connection, user_id: i64) -> Result<()> {
    one_time_tokens::drop_unused_of(db, user_id)?;
    notifications::drop_of(db, user_id, super::notifications::PASSWORD_RESET)?;
    Ok(())
}

/// Takes the caller away: he can no longer sign in, and what he did stays on record.
///
/// # Errors
/// [`Error::Conflict`] `last_administrator`; as [`confirm`].
pub async fn leave(app: &App, actor: &Actor, password: &SecretString) -> Result<()> {
    let user = own(app, actor)?;
    app.store.read(|db| leaving::may_leave(db, user.id))?;
    confirm(app, &user, password, "/password").await?;
    let entry = audit::entry(app, actor, "user.deleted")
        .subject("user", user.id)
        .before(json!({ "name": user.name, "email": user.email }));
    let (now, by) = (app.clock.now(), actor.label());
    app.store
        .write(Lane::Front, move |db| {
            leaving::may_leave(db, user.id)?;
            leaving::go(db, user.id, now, &by)?;
            crate::store::audit::append(db, &entry)?;
            Ok::<_, Error>(())
        })
        .await?;
    app.callers.forget();
    Ok(())
}
