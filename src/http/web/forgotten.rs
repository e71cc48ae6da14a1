//! A lost password: asking for a link, and the page that the link leads to. What is said is the same
//! whoever asks.

use secrecy::SecretString;

use super::view::account::{ForgottenPage, ResetPage};
use super::visit::{Handler, Reply, SESSION, Visit, by_field};
use super::words;
use crate::services::{Error, Result, password_change};

/// `GET /forgotten`.
pub const ASK: Handler = |visit| Box::pin(ask(visit));
/// `POST /forgotten`.
pub const TAKE: Handler = |visit| Box::pin(take(visit));
/// `GET /reset?token=…`.
pub const SHOW: Handler = |visit| Box::pin(show(visit));
/// `POST /reset`.
pub const RESET: Handler = |visit| Box::pin(reset(visit));

async fn ask(visit: Visit) -> Result<Reply> {
    page(&visit, false, None)
}

fn page(visit: &Visit, asked: bool, error: Option<String>) -> Result<Reply> {
    Reply::page(&ForgottenPage {
        shell: visit.gate("Password lost"),
        email: visit.field("email").to_owned(),
        asked,
        error,
    })
}

async fn take(visit: Visit) -> Result<Reply> {
    match password_change::forgot(&visit.app, visit.field("email"), visit.address).await {
        Ok(()) => page(&visit, true, None),
        Err(Error::Invalid(faults)) => {
            let said = by_field(&faults).into_iter().map(|(_, said)| said).next();
            Ok(page(&visit, false, said)?.status(422))
        }
        Err(Error::TooMany { retry_after }) => {
            let wait = words::wait(retry_after);
            let said = format!("Too many attempts. Try again in {wait}.");
            let reply = page(&visit, false, Some(said))?;
            Ok(reply.status(429).retry_after(retry_after))
        }
        Err(other) => Err(other),
    }
}

async fn show(visit: Visit) -> Result<Reply> {
    let token = visit.parameter("token").to_owned();
    let good = password_change::look(&visit.app, &token).await.is_ok();
    reset_page(&visit, token, good, None)
}

fn reset_page(visit: &Visit, token: String, good: bool, error: Option<String>) -> Result<Reply> {
    let mut shell = visit.gate("New password");
    // The token isn't handed on to whatever leads back here.
    shell.path = "/sign-in".to_owned();
    let reply = Reply::page(&ResetPage {
        shell,
        token,
        good,
        error,
    })?;
    Ok(if good { reply } else { reply.status(404) })
}

async fn reset(visit: Visit) -> Result<Reply> {
    let token = visit.field("token").to_owned();
    let password = SecretString::from(visit.raw_field("password"));
    match password_change::reset(&visit.app, &token, &password, visit.address).await {
        Ok(()) => Ok(Reply::go("/sign-in")
            .cookie(SESSION, "", 0)
            .saying("The password is set. Sign in with it.")),
        Err(Error::Invalid(faults)) => {
            let said = by_field(&faults).into_iter().map(|(_, said)| said).next();
            Ok(reset_page(&visit, token, true, said)?.status(422))
        }
        Err(Error::NotFound) => reset_page(&visit, String::new(), false, None),
        Err(other) => Err(other),
    }
}
