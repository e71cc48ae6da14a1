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
    let begun = app.delays.begin(key)?;
    match is_right(app, Some(user), password).await {
        Ok(true) => {
            app.delays.succeeded(&key);
            return Ok(());
        }
        Ok(false) => {}
        Err(busy) => {
            app.delays.not_judged(begun);
            return Err(busy);
        }
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
/// [`Error::Invalid`] with all faults; [`Error::Conflict`] `email_taken`; [`Error::TooMany`] where he
/// moves to other addresses again and again; as [`confirm`].
pub async fn update(app: &App, actor: &Actor, sent: Profile) -> Result<Me> {
    let user = own(app, actor)?;
    let mut faults = sent.unreadable;
    let mut keep = |read: Option<std::result::Result<String, Fault>>| match read? {
        Ok(text) => Some(text),
        Err(fault) => {
            faults.push(fault);
            None
        }
    };
    let name = keep(sent.name.map(|text| parse_name(&text, "/name")));
    let time_zone = sent.time_zone;
    let time_zone = keep(time_zone.map(|text| parse_time_zone(&text, "/time_zone")));
    let email = sent.email.map(|text| Email::parse(&text, "/email"));
    let email = keep(email.map(|read| read.map(|email| email.as_str().to_owned())));
    let moves = email.as_ref().is_some_and(|email| *email != user.email);
    if moves && sent.current_password.is_none() {
        faults.push(required("/current_password"));
    }
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    let mut changes = Changes {
        name,
        time_zone,
        email,
        proven: None,
    };
    if let Some(password) = sent.current_password.filter(|_| moves) {
        // Whether an address is taken shows whether somebody has it: right attempts count, too.
        app.delays
            .begin(delays::key(MOVING, Place::Person(user.id)))?;
        confirm(app, &user, &password, "/current_password").await?;
        changes.proven = user.password_hash;
    }
    write(app, actor, user.id, changes).await
}

/// Attempts to move to another address, apart from those at the password.
const MOVING: &str = "another address";

/// What was sent, in order.
struct Changes {
    name: Option<String>,
    time_zone: Option<String>,
    email: Option<String>,
    /// The hash of the password that was confirmed.
    proven: Option<String>,
}

impl Changes {
    /// The person as he stands in this write, with what was sent and nothing else.
    fn applied(self, db: &Connection, before: &User) -> Result<User> {
        let after = User {
            name: self.name.unwrap_or_else(|| before.name.clone()),
            time_zone: self.time_zone.unwrap_or_else(|| before.time_zone.clone()),
            email: self.email.unwrap_or_else(|| before.email.clone()),
            ..before.clone()
        };
        if after.email == before.email {
            return Ok(after);
        }
        // The password that was confirmed must still be his.
        if self.proven.is_none() || self.proven != before.password_hash {
            return Err(Error::Unauthenticated);
        }
        let taken = users::find_by_email(db, &after.email)?;
        if taken.is_some_and(|other| other.id != after.id) {
            return Err(Error::Conflict {
                code: "email_taken",
                detail: "This address cannot be used.".to_owned(),
            });
        }
        // A link that went to the old address is not for whoever reads it there now.
        drop_links(db, after.id)?;
        Ok(after)
    }
}

async fn write(app: &App, actor: &Actor, user_id: i64, changes: Changes) -> Result<Me> {
    let said = |user: &User| json!({ "name": user.name, "email": user.email, "time_zone": user.time_zone });
    let entry = audit::entry(app, actor, "user.profile_changed").subject("user", user_id);
    let (now, by) = (app.clock.now().as_millisecond(), actor.label());
    let written = app
        .store
        .write(Lane::Front, move |db| {
            let before = users::find(db, user_id)?.ok_or(Error::Unauthenticated)?;
            let after = changes.applied(db, &before)?;
            users::update_profile(db, &after, now, &by)?;
            let entry = entry.before(said(&before)).after(said(&after));
            crate::store::audit::append(db, &entry)?;
            Ok::<_, Error>(after)
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
