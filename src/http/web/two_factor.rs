//! A person's own second step: set up with a QR code, its backup codes, and off again.

use secrecy::{ExposeSecret, SecretString};

use super::account::{browsers, tabs};
use super::entrance::under_new_cookie;
use super::overview::natural;
use super::parts::Html;
use super::secrets::Kept;
use super::view::two_factor::{BackupCodesPage, Faults, TwoFactorPage, Waiting};
use super::visit::{Handler, Reply, Visit, by_field};
use super::words;
use crate::services::two_factors::{self, BackupCodes, SetUp};
use crate::services::{Error, Result};

/// `GET /account/two-factor`.
pub const SHOW: Handler = |visit| Box::pin(show(visit));
/// `POST /account/two-factor/set-up`.
pub const SET_UP: Handler = |visit| Box::pin(set_up(visit));
/// `POST /account/two-factor/enable`.
pub const ENABLE: Handler = |visit| Box::pin(enable(visit));
/// `GET /account/two-factor/codes`.
pub const CODES: Handler = |visit| Box::pin(codes(visit));
/// `POST /account/two-factor/codes`.
pub const NEW_CODES: Handler = |visit| Box::pin(new_codes(visit));
/// `POST /account/two-factor/disable`.
pub const DISABLE: Handler = |visit| Box::pin(disable(visit));

const PLACE: &str = "/account/two-factor";
const CODES_PLACE: &str = "/account/two-factor/codes";

async fn show(visit: Visit) -> Result<Reply> {
    page(&visit, Faults::default()).await
}

async fn page(visit: &Visit, faults: Faults) -> Result<Reply> {
    let standing = two_factors::standing(&visit.app, visit.actor()?).await?;
    let waiting = if standing.waiting {
        two_factors::waiting(&visit.app, visit.actor()?).await?
    } else {
        None
    };
    let platform = visit.actor()?.is_platform();
    Reply::page(&TwoFactorPage {
        shell: visit.shell("Two-step sign-in").await?,
        tabs: tabs(PLACE),
        enabled_at: standing.enabled_at,
        waiting: waiting.as_ref().map(Waiting::from),
        codes_left: natural(standing.backup_codes_left),
        asks_password: two_factors::asks_password(&visit.app, visit.actor()?).await?,
        required: standing
            .required_by
            .into_iter()
            // Whoever may do all in all sees everything without it.
            .filter(|_| !platform)
            .map(|required| (required.name, required.from))
            .collect(),
        remembered: browsers(visit)
            .await?
            .into_iter()
            .filter(|browser| browser.trusted_until.is_some())
            .collect(),
        faults,
    })
}

impl From<&SetUp> for Waiting {
    fn from(made: &SetUp) -> Self {
        Self {
            secret: made.grouped.clone(),
            address: made.address.expose_secret().to_owned(),
            // Made here, out of squares.
            qr: Html(made.qr_svg.expose_secret().to_owned()),
        }
    }
}

/// What was wrong with a form, at its fields; what isn't the form's fault goes on.
async fn refused(visit: &Visit, form: &'static str, error: Error) -> Result<Reply> {
    let (status, said) = match error {
        Error::Invalid(faults) => (422, by_field(&faults)),
        Error::TooMany { retry_after } => {
            let wait = words::wait(retry_after);
            let why = format!("Too many attempts. Try again in {wait}.");
            (
                429,
                vec![
                    ("code".to_owned(), why.clone()),
                    ("password".to_owned(), why),
                ],
            )
        }
        // Another tab was faster: the page shows how it is.
        Error::Conflict { detail, .. } => return Ok(Reply::go(PLACE).saying(&detail)),
        other => return Err(other),
    };
    Ok(page(visit, Faults { form, said }).await?.status(status))
}

async fn set_up(visit: Visit) -> Result<Reply> {
    let password = Some(visit.raw_field("password"))
        .filter(|typed| !typed.is_empty())
        .map(SecretString::from);
    match two_factors::set_up(&visit.app, visit.actor()?, password.as_ref()).await {
        Ok(_) => Ok(Reply::go(PLACE)),
        Err(error) => refused(&visit, "set-up", error).await,
    }
}

async fn enable(visit: Visit) -> Result<Reply> {
    match two_factors::enable(&visit.app, visit.actor()?, visit.field("code")).await {
        Ok(codes) => under_new_cookie(&visit, show_once(&visit, &codes)?).await,
        Err(error) => refused(&visit, "enable", error).await,
    }
}

async fn new_codes(visit: Visit) -> Result<Reply> {
    let password = SecretString::from(visit.raw_field("password"));
    match two_factors::new_backup_codes(&visit.app, visit.actor()?, &password).await {
        Ok(codes) => show_once(&visit, &codes),
        Err(error) => refused(&visit, "codes", error).await,
    }
}

async fn disable(visit: Visit) -> Result<Reply> {
    let password = SecretString::from(visit.raw_field("password"));
    let code = visit.field("code");
    match two_factors::disable(&visit.app, visit.actor()?, &password, code).await {
        Ok(()) => Ok(Reply::go(PLACE).saying("Two-step sign-in is off.")),
        Err(error) => refused(&visit, "disable", error).await,
    }
}

/// Keeps the codes for the page that shows them, once.
fn show_once(visit: &Visit, codes: &BackupCodes) -> Result<Reply> {
    let kept = Kept {
        name: String::new(),
        secret: codes.join("\n").into(),
        old_until: None,
    };
    visit.secrets.keep(visit.actor()?, CODES_PLACE, kept);
    Ok(Reply::go(CODES_PLACE))
}

async fn codes(visit: Visit) -> Result<Reply> {
    let Some(kept) = visit.secrets.take(visit.actor()?, CODES_PLACE) else {
        return Ok(
            Reply::go(PLACE).saying("Backup codes are shown once. New ones can be made here.")
        );
    };
    Reply::page(&BackupCodesPage {
        shell: visit.shell("Backup codes").await?,
        codes: kept.reveal().lines().map(str::to_owned).collect(),
        server: visit.origin.clone(),
    })
}
