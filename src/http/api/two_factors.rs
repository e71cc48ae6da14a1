//! `/auth/2fa`: the second step of a sign-in, for people. Keys have no part in it.

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::{TokensOut, missing};
use super::{maybe_written, written};
use crate::domain::second_factor::{Required, Standing};
use crate::http::call::{Answer, Call};
use crate::http::route::{Gives, Operation, Takes, schema_of};
use crate::services::Result;
use crate::services::two_factors::challenges::{self, Response};
use crate::services::two_factors::{self, SetUp};

/// The answer to a challenge.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct VerifyIn {
    /// From `POST /auth/login`: good for 5 minutes and 5 wrong codes.
    challenge_token: String,
    /// What the app shows, or a backup code.
    code: String,
}

/// What stands for a sign-in that is too long ago.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct SetUpIn {
    /// The caller's password. Needed where he signed in more than 15 minutes ago.
    password: Option<String>,
}

/// A code of the app.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct CodeIn {
    /// What the app shows.
    code: String,
}

/// What switches the second step off.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct DisableTwoFactorIn {
    /// The caller's password.
    password: String,
    /// What the app shows, or a backup code.
    code: String,
}

/// What makes new backup codes.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct NewBackupCodesIn {
    /// The caller's password.
    password: String,
}

/// How it stands with the caller's second step.
#[derive(Debug, Serialize, ToSchema)]
pub struct TwoFactorOut {
    /// A code is asked for at sign-in.
    enabled: bool,
    /// Since when.
    #[schema(format = DateTime)]
    enabled_at: Option<String>,
    /// Backup codes that are unused.
    backup_codes_left: i64,
    /// The caller's organizations that need it of their members, the soonest first.
    required_by: Vec<RequiredOut>,
}

/// An organization that needs a second step of its members.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequiredOut {
    organization_id: i64,
    name: String,
    /// From then on members without it can do nothing there.
    #[schema(format = DateTime)]
    from: String,
}

/// A secret that waits for the app's first code.
#[derive(Debug, Serialize, ToSchema)]
pub struct SetUpOut {
    /// To be typed into an app, in base32.
    secret: String,
    /// The same with the account's name, as apps read it.
    otpauth_uri: String,
    /// The same as a QR code, an SVG.
    qr_svg: String,
}

/// Backup codes: shown once.
#[derive(Debug, Serialize, ToSchema)]
pub struct BackupCodesOut {
    /// Ten, each good once.
    backup_codes: Vec<String>,
}

impl From<Standing> for TwoFactorOut {
    fn from(standing: Standing) -> Self {
        Self {
            enabled: standing.enabled_at.is_some(),
            enabled_at: maybe_written(standing.enabled_at),
            backup_codes_left: standing.backup_codes_left,
            required_by: standing.required_by.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Required> for RequiredOut {
    fn from(required: Required) -> Self {
        Self {
            organization_id: required.organization_id,
            name: required.name,
            from: written(required.from),
        }
    }
}

impl From<SetUp> for SetUpOut {
    fn from(made: SetUp) -> Self {
        Self {
            secret: made.secret.expose_secret().to_owned(),
            otpauth_uri: made.address.expose_secret().to_owned(),
            qr_svg: made.qr_svg.expose_secret().to_owned(),
        }
    }
}

/// `GET /auth/2fa`.
pub const SHOW: Operation = Operation {
    name: "show_two_factor",
    summary: "How it stands with the caller's second step at sign-in",
    takes: Takes::Nothing,
    gives: Gives::One(schema_of::<TwoFactorOut>),
    handler: |call| Box::pin(show(call)),
};

/// `POST /auth/2fa/setup`.
pub const SET_UP: Operation = Operation {
    name: "set_up_two_factor",
    summary: "Make a secret for the caller's app; nothing is asked at sign-in until its first code; made again it replaces the one that waited. Where the sign-in is more than 15 minutes ago it takes the password, else no body",
    takes: Takes::MaybeJson(schema_of::<SetUpIn>),
    gives: Gives::One(schema_of::<SetUpOut>),
    handler: |call| Box::pin(set_up(call)),
};

/// `POST /auth/2fa/enable`.
pub const ENABLE: Operation = Operation {
    name: "enable_two_factor",
    summary: "Switch the second step on with the app's first code, which ends the caller's other sessions; the answer holds ten backup codes, shown once",
    takes: Takes::Json(schema_of::<CodeIn>),
    gives: Gives::One(schema_of::<BackupCodesOut>),
    handler: |call| Box::pin(enable(call)),
};

/// `POST /auth/2fa/disable`.
pub const DISABLE: Operation = Operation {
    name: "disable_two_factor",
    summary: "Switch the second step off; takes the password and a code",
    takes: Takes::Json(schema_of::<DisableTwoFactorIn>),
    gives: Gives::Nothing,
    handler: |call| Box::pin(disable(call)),
};

/// `POST /auth/2fa/backup-codes`.
pub const BACKUP_CODES: Operation = Operation {
    name: "make_backup_codes",
    summary: "Ten new backup codes, shown once; the old ones are void",
    takes: Takes::Json(schema_of::<NewBackupCodesIn>),
    gives: Gives::One(schema_of::<BackupCodesOut>),
    handler: |call| Box::pin(backup_codes(call)),
};

/// `POST /auth/2fa/verify`.
pub const VERIFY: Operation = Operation {
    name: "verify_two_factor",
    summary: "The second step of a sign-in: a code for the challenge. After 5 wrong codes the challenge is void (401); after 10 in a row the app's codes are refused for an hour, and longer after each further one (429), but not backup codes",
    takes: Takes::Json(schema_of::<VerifyIn>),
    gives: Gives::One(schema_of::<TokensOut>),
    handler: |call| Box::pin(verify(call)),
};

/// `POST /users/{id}/2fa/reset`.
pub const RESET: Operation = Operation {
    name: "reset_two_factor",
    summary: "Take away the second step of somebody who has lost it (platform administrator)",
    takes: Takes::Nothing,
    gives: Gives::Nothing,
    handler: |call| Box::pin(reset(call)),
};

async fn show(call: Call) -> Result<Answer> {
    let standing = two_factors::standing(&call.app, call.actor()?).await?;
    Answer::one(&TwoFactorOut::from(standing))
}

async fn set_up(mut call: Call) -> Result<Answer> {
    let mut fields = call.fields();
    let password = fields.text("password").map(SecretString::from);
    fields.finish(Vec::new())?;
    let made = two_factors::set_up(&call.app, call.actor()?, password.as_ref()).await?;
    Answer::one(&SetUpOut::from(made))
}

async fn enable(mut call: Call) -> Result<Answer> {
    let mut fields = call.fields();
    let code = fields.text("code");
    fields.finish(missing(&[("/code", code.is_none())]))?;
    let code = code.unwrap_or_default();
    let backup_codes = two_factors::enable(&call.app, call.actor()?, &code).await?;
    Answer::one(&BackupCodesOut { backup_codes })
}

async fn disable(mut call: Call) -> Result<Answer> {
    let mut fields = call.fields();
    let password = fields.text("password").map(SecretString::from);
    let code = fields.text("code");
    let faults = missing(&[("/password", password.is_none()), ("/code", code.is_none())]);
    fields.finish(faults)?;
    let (password, code) = (password.unwrap_or_default(), code.unwrap_or_default());
    two_factors::disable(&call.app, call.actor()?, &password, &code).await?;
    Ok(Answer::Nothing)
}

async fn backup_codes(mut call: Call) -> Result<Answer> {
    let mut fields = call.fields();
    let password = fields.text("password").map(SecretString::from);
    fields.finish(missing(&[("/password", password.is_none())]))?;
    let password = password.unwrap_or_default();
    let backup_codes = two_factors::new_backup_codes(&call.app, call.actor()?, &password).await?;
    Answer::one(&BackupCodesOut { backup_codes })
}

async fn verify(mut call: Call) -> Result<Answer> {
    let mut fields = call.fields();
    let challenge = fields.text("challenge_token").map(SecretString::from);
    let code = fields.text("code");
    let faults = missing(&[
        ("/challenge_token", challenge.is_none()),
        ("/code", code.is_none()),
    ]);
    fields.finish(faults)?;
    let response = Response {
        challenge: challenge.unwrap_or_default(),
        code: code.unwrap_or_default(),
        remember: false,
        address: call.address,
        device: call.device.clone(),
        browser: None,
    };
    let tokens = challenges::api(&call.app, &response).await?;
    Answer::one(&TokensOut::from(tokens))
}

async fn reset(call: Call) -> Result<Answer> {
    two_factors::reset(&call.app, call.actor()?, call.id()?).await?;
    Ok(Answer::Nothing)
}
