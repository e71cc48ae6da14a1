//! `/auth/me` and `/auth/password`: what a person changes about himself. Keys have no part in it.

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::{MeOut, missing};
use crate::domain::fault::Fault;
use crate::http::call::{Answer, Call};
use crate::http::route::{Gives, Operation, Takes, schema_of};
use crate::services::own_account::{self, Profile};
use crate::services::{Error, Result, password_change};

/// What can be sent of oneself; what isn't sent stays.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct ProfileIn {
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// The IANA name of a time zone, such as `Europe/Vienna`.
    time_zone: Option<String>,
    /// The address to sign in with. Another one needs `current_password`.
    email: Option<String>,
    /// The caller's password.
    current_password: Option<String>,
}

/// The caller's password once more.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct ConfirmIn {
    /// The caller's password.
    password: String,
}

/// Whose password is lost.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct ForgotIn {
    /// The address that he signs in with.
    email: String,
}

/// The same for everybody.
#[derive(Debug, Serialize, ToSchema)]
pub struct ForgotOut {
    /// What happens next, for people.
    message: &'static str,
}

/// A new password, with a link's token.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct ResetIn {
    /// The token in the link: good once, for an hour.
    token: String,
    /// At least 12 characters, and not easy to guess.
    #[schema(min_length = 12)]
    password: String,
}

/// A new password, with the one before it.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct PasswordIn {
    /// The caller's password until now.
    current_password: String,
    /// At least 12 characters, and not easy to guess.
    #[schema(min_length = 12)]
    password: String,
}

/// What everybody is told who asks for a link.
const ASKED: &str =
    "If somebody signs in with this address, a link that is good for an hour now waits for him.";

/// `PUT /auth/me`.
pub const UPDATE: Operation = Operation {
    name: "update_me",
    summary: "Change one's own name, time zone or e-mail address",
    takes: Takes::Json(schema_of::<ProfileIn>),
    gives: Gives::One(schema_of::<MeOut>),
    handler: |call| Box::pin(update(call)),
};

/// `DELETE /auth/me`.
pub const LEAVE: Operation = Operation {
    name: "delete_me",
    summary: "Delete oneself; refused for the last platform administrator",
    takes: Takes::Json(schema_of::<ConfirmIn>),
    gives: Gives::Nothing,
    handler: |call| Box::pin(leave(call)),
};

/// `POST /auth/password/forgot`.
pub const FORGOT: Operation = Operation {
    name: "forgot_password",
    summary: "Ask for a link with which a lost password is replaced; the answer is the same for every address",
    takes: Takes::Json(schema_of::<ForgotIn>),
    gives: Gives::One(schema_of::<ForgotOut>),
    handler: |call| Box::pin(forgot(call)),
};

/// `POST /auth/password/reset`.
pub const RESET: Operation = Operation {
    name: "reset_password",
    summary: "Set a new password with a link's token; ends all sessions, and leaves the second factor on",
    takes: Takes::Json(schema_of::<ResetIn>),
    gives: Gives::Nothing,
    handler: |call| Box::pin(reset(call)),
};

/// `PUT /auth/password`.
pub const CHANGE_PASSWORD: Operation = Operation {
    name: "change_password",
    summary: "Change one's own password; ends all other sessions",
    takes: Takes::Json(schema_of::<PasswordIn>),
    gives: Gives::Nothing,
    handler: |call| Box::pin(change(call)),
};

async fn update(mut call: Call) -> Result<Answer> {
    let mut fields = call.fields();
    let mut sent = Profile {
        name: fields.text("name"),
        time_zone: fields.text("time_zone"),
        email: fields.text("email"),
        current_password: fields.text("current_password").map(SecretString::from),
        unreadable: Vec::new(),
    };
    sent.unreadable = fields.faults();
    let me = own_account::update(&call.app, call.actor()?, sent).await?;
    Answer::one(&MeOut::from(me))
}

async fn leave(mut call: Call) -> Result<Answer> {
    let mut fields = call.fields();
    let password = fields.text("password").map(SecretString::from);
    fields.finish(missing(&[("/password", password.is_none())]))?;
    let password = password.unwrap_or_default();
    own_account::leave(&call.app, call.actor()?, &password).await?;
    Ok(Answer::Nothing)
}

async fn forgot(mut call: Call) -> Result<Answer> {
    let mut fields = call.fields();
    let email = fields.text("email");
    fields.finish(missing(&[("/email", email.is_none())]))?;
    password_change::forgot(&call.app, &email.unwrap_or_default(), call.address).await?;
    Answer::one(&ForgotOut { message: ASKED })
}

async fn reset(mut call: Call) -> Result<Answer> {
    let mut fields = call.fields();
    let token = fields.text("token").map(SecretString::from);
    let password = fields.text("password").map(SecretString::from);
    fields.finish(missing(&[
        ("/token", token.is_none()),
        ("/password", password.is_none()),
    ]))?;
    let (token, password) = (token.unwrap_or_default(), password.unwrap_or_default());
    let done =
        password_change::reset(&call.app, token.expose_secret(), &password, call.address).await;
    done.map_err(|error| match error {
        Error::NotFound => Error::Invalid(vec![Fault::new(
            "/token",
            "not_good",
            "This link was used, is older than an hour, or is not the newest.",
        )]),
        other => other,
    })?;
    Ok(Answer::Nothing)
}

async fn change(mut call: Call) -> Result<Answer> {
    let mut fields = call.fields();
    let current = fields.text("current_password").map(SecretString::from);
    let password = fields.text("password").map(SecretString::from);
    fields.finish(missing(&[
        ("/current_password", current.is_none()),
        ("/password", password.is_none()),
    ]))?;
    let (current, password) = (current.unwrap_or_default(), password.unwrap_or_default());
    password_change::change(&call.app, call.actor()?, &current, &password).await?;
    Ok(Answer::Nothing)
}
