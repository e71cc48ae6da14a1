//! `/auth`: signing in and out, for people. Keys have no part in it.

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use utoipa::ToSchema;

use super::written;
use crate::domain::fault::Fault;
use crate::domain::form::required;
use crate::http::call::{Answer, Call};
use crate::http::fields::Fields;
use crate::http::route::{Gives, Operation, Takes, schema_of};
use crate::services::Result;
use crate::services::sign_in::{self, Attempt, Entered, Me, Tokens};

/// Who signs in.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct LoginIn {
    /// The person's e-mail address.
    email: String,
    /// His password.
    password: String,
}

/// The refresh token that was given last.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct RefreshIn {
    /// Good once.
    refresh_token: String,
}

/// The tokens of a sign-in.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokensOut {
    /// To be sent as `Authorization: Bearer`.
    access_token: String,
    /// Good once, for 30 days, for new tokens.
    refresh_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds for which the access token is good.
    expires_in: i64,
    user: MeOut,
}

/// What a sign-in leads to: tokens, or the challenge of the second step.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct LoginOut {
    /// To be sent as `Authorization: Bearer`. Not there where a code is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
    /// Good once, for 30 days, for new tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    /// `Bearer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    /// Seconds for which the access token is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<MeOut>,
    /// True: a code is asked for, at `POST /auth/2fa/verify`, and the only other field is the challenge.
    #[serde(skip_serializing_if = "Option::is_none")]
    two_factor_required: Option<bool>,
    /// The challenge that is sent with the code. Good for 5 minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge_token: Option<String>,
}

impl From<Entered<Tokens>> for LoginOut {
    fn from(entered: Entered<Tokens>) -> Self {
        match entered {
            Entered::Session(tokens) => {
                let tokens = TokensOut::from(tokens);
                Self {
                    access_token: Some(tokens.access_token),
                    refresh_token: Some(tokens.refresh_token),
                    token_type: Some(tokens.token_type),
                    expires_in: Some(tokens.expires_in),
                    user: Some(tokens.user),
                    ..Self::default()
                }
            }
            Entered::Challenge(challenge) => Self {
                two_factor_required: Some(true),
                challenge_token: Some(challenge.expose_secret().to_owned()),
                ..Self::default()
            },
        }
    }
}

/// The caller as he sees himself.
#[derive(Debug, Serialize, ToSchema)]
pub struct MeOut {
    id: i64,
    email: String,
    name: String,
    /// May do all in all organizations.
    platform_admin: bool,
    /// The IANA name of the time zone in which he reads times.
    time_zone: String,
    #[schema(format = DateTime)]
    created_at: String,
}

impl From<Me> for MeOut {
    fn from(me: Me) -> Self {
        Self {
            id: me.id,
            email: me.email,
            name: me.name,
            platform_admin: me.platform_admin,
            time_zone: me.time_zone,
            created_at: written(me.created_at),
        }
    }
}

impl From<Tokens> for TokensOut {
    fn from(tokens: Tokens) -> Self {
        Self {
            access_token: tokens.access_token.expose_secret().to_owned(),
            refresh_token: tokens.refresh_token.expose_secret().to_owned(),
            token_type: "Bearer",
            expires_in: tokens.expires_in,
            user: tokens.user.into(),
        }
    }
}

/// `POST /auth/login`.
pub const LOGIN: Operation = Operation {
    name: "login",
    summary: "Sign in with e-mail address and password; somebody with a second step gets a challenge for it instead of tokens",
    takes: Takes::Json(schema_of::<LoginIn>),
    gives: Gives::One(schema_of::<LoginOut>),
    handler: |call| Box::pin(login(call)),
};

/// `POST /auth/refresh`.
pub const REFRESH: Operation = Operation {
    name: "refresh",
    summary: "Exchange a refresh token for new tokens; sent twice within 10 seconds it gets the same, later reuse ends the session",
    takes: Takes::Json(schema_of::<RefreshIn>),
    gives: Gives::One(schema_of::<TokensOut>),
    handler: |call| Box::pin(refresh(call)),
};

/// `POST /auth/logout`.
pub const LOGOUT: Operation = Operation {
    name: "logout",
    summary: "End the session of the access token, from the next request on",
    takes: Takes::Nothing,
    gives: Gives::Nothing,
    handler: |call| Box::pin(logout(call)),
};

/// `GET /auth/me`.
pub const ME: Operation = Operation {
    name: "me",
    summary: "The caller",
    takes: Takes::Nothing,
    gives: Gives::One(schema_of::<MeOut>),
    handler: |call| Box::pin(me(call)),
};

async fn login(mut call: Call) -> Result<Answer> {
    let mut fields = call.fields();
    let email = fields.text("email");
    let password = fields.text("password").map(SecretString::from);
    let missing = missing(&[
        ("/email", email.is_none()),
        ("/password", password.is_none()),
    ]);
    fields.finish(missing)?;
    let attempt = Attempt {
        email: email.unwrap_or_default(),
        password: password.unwrap_or_default(),
        address: call.address,
        device: call.device.clone(),
        browser: None,
    };
    let entered = sign_in::api(&call.app, &attempt).await?;
    Answer::one(&LoginOut::from(entered))
}

async fn refresh(mut call: Call) -> Result<Answer> {
    let mut fields: Fields = call.fields();
    let token = fields.text("refresh_token").map(SecretString::from);
    fields.finish(missing(&[("/refresh_token", token.is_none())]))?;
    let tokens = sign_in::refresh(&call.app, token.unwrap_or_default().expose_secret()).await?;
    Answer::one(&TokensOut::from(tokens))
}

async fn logout(call: Call) -> Result<Answer> {
    sign_in::sign_out(&call.app, call.actor()?).await?;
    Ok(Answer::Nothing)
}

async fn me(call: Call) -> Result<Answer> {
    let me = sign_in::me(&call.app, call.actor()?).await?;
    Answer::one(&MeOut::from(me))
}

/// The fields that are required and were not sent.
pub(super) fn missing(fields: &[(&str, bool)]) -> Vec<Fault> {
    fields
        .iter()
        .filter(|(_, missing)| *missing)
        .map(|(pointer, _)| required(pointer))
        .collect()
}
