//! Platform administrators, made and helped by the operator on the machine itself: whoever can run
//! commands there holds the data anyway.

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::password_change::replace;
use super::{Error, Result, audit};
use crate::app::App;
use crate::domain::access::Actor;
use crate::domain::person::{Email, check_password, parse_name};
use crate::store::users::NewUser;
use crate::store::{Lane, users};

/// A person to be, as he or the operator typed it.
#[derive(Debug)]
pub struct NewPerson {
    /// The address with which he signs in.
    pub email: String,
    /// The name that others see.
    pub name: String,
    /// The password.
    pub password: SecretString,
}

/// A person to be whose words are in order.
pub(super) struct ValidPerson {
    email: Email,
    name: String,
    pub(super) password: SecretString,
}

impl ValidPerson {
    /// All faults at once, at `/email`, `/name` and `/password`.
    pub(super) fn parse(person: NewPerson) -> Result<Self> {
        let email = Email::parse(&person.email, "/email");
        let name = parse_name(&person.name, "/name");
        let about = [person.name.as_str(), person.email.as_str()];
        let password = check_password(person.password.expose_secret(), "/password", &about);
        match (email, name, password) {
            (Ok(email), Ok(name), Ok(())) => Ok(Self {
                email,
                name,
                password: person.password,
            }),
            (email, name, password) => Err(Error::Invalid(
                [email.err(), name.err(), password.err()]
                    .into_iter()
                    .flatten()
                    .collect(),
            )),
        }
    }

    /// The row of a platform administrator.
    pub(super) fn administrator(&self, password_hash: String) -> NewUser {
        NewUser {
            email: self.email.as_str().to_owned(),
            name: self.name.clone(),
            password_hash,
            platform_admin: true,
        }
    }
}

/// Makes a platform administrator and returns the id.
///
/// # Errors
/// [`Error::Forbidden`] for anybody but the operator; [`Error::Invalid`] with all faults;
/// [`Error::Conflict`] `email_taken`.
pub async fn create(app: &App, actor: &Actor, person: NewPerson) -> Result<i64> {
    require_operator(actor)?;
    let valid = ValidPerson::parse(person)?;
    let password_hash = app.passwords.hash(&valid.password, &*app.entropy).await?;
    let new = valid.administrator(password_hash);
    let (now, by) = (app.clock.now().as_millisecond(), actor.label());
    let entry = audit::entry(app, actor, "user.created")
        .after(json!({ "email": new.email, "name": new.name, "platform_admin": true }));
    app.store
        .write(Lane::Front, move |db| {
            if users::find_by_email(db, &new.email)?.is_some() {
                return Err(Error::Conflict {
                    code: "email_taken",
                    detail: format!("There is already somebody with the address {}.", new.email),
                });
            }
            let id = users::insert(db, &new, now, &by)?;
            crate::store::audit::append(db, &entry.subject("user", id))?;
            Ok(id)
        })
        .await
}

/// Gives a person a new password, voids the links that he asked for, and ends all his sessions. A second
/// factor is asked for again on every browser.
///
/// # Errors
/// [`Error::Forbidden`] for anybody but the operator; [`Error::NotFound`] where nobody has that
/// address; [`Error::Invalid`] at `/password`.
pub async fn reset_password(
    app: &App,
    actor: &Actor,
    email: &str,
    password: &SecretString,
) -> Result<()> {
    require_operator(actor)?;
    let email = email.trim().to_owned();
    let known = app.store.read(|db| users::find_by_email(db, &email))?;
    let name = known.ok_or(Error::NotFound)?.name;
    check_password(password.expose_secret(), "/password", &[&name, &email])
        .map_err(|fault| Error::Invalid(vec![fault]))?;
    let hash = app.passwords.hash(password, &*app.entropy).await?;
    let (now, by) = (app.clock.now().as_millisecond(), actor.label());
    let entry = audit::entry(app, actor, "user.password_reset");
    app.store
        .write(Lane::Front, move |db| {
            let user = users::find_by_email(db, &email)?.ok_or(Error::NotFound)?;
            let ended = replace(db, (user.id, None), &hash, now, &by)?;
            let entry = entry.subject("user", user.id);
            crate::store::audit::append(db, &entry.after(json!({ "sessions_ended": ended })))?;
            Ok::<_, Error>(())
        })
        .await?;
    app.callers.forget();
    Ok(())
}

fn require_operator(actor: &Actor) -> Result<()> {
    match actor {
        Actor::System => Ok(()),
        _ => Err(Error::Forbidden(
            "this is done on the machine itself".to_owned(),
        )),
    }
}
