//! The second door of a sign-in: a code, after the password.

use super::entrance::signed_in;
use super::view::two_factor::CodePage;
use super::visit::{CHALLENGE, Handler, Reply, Visit, own_path};
use super::words;
use crate::services::two_factors::challenges::{self, Response};
use crate::services::{Error, Result};
use secrecy::{ExposeSecret, SecretString};

/// `GET /sign-in/code`.
pub const ASK: Handler = |visit| Box::pin(ask(visit));
/// `POST /sign-in/code`.
pub const ANSWER: Handler = |visit| Box::pin(answer(visit));

/// From the password to the code.
pub(super) fn lead(challenge: &SecretString, next: &str) -> Reply {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("next", next)
        .finish();
    let to = match next {
        "/" => "/sign-in/code".to_owned(),
        _ => format!("/sign-in/code?{query}"),
    };
    let seconds = challenges::LIFETIME.as_secs();
    Reply::go(to).cookie(CHALLENGE, challenge.expose_secret(), seconds)
}

async fn ask(visit: Visit) -> Result<Reply> {
    let next = own_path(visit.parameter("next"));
    if visit.actor.is_some() {
        return Ok(Reply::go(next));
    }
    match challenges::look(&visit.app, challenge(&visit).expose_secret()).await {
        Ok(()) => Reply::page(&page(&visit, next, None)),
        Err(Error::Unauthenticated) => Ok(over(&next)),
        Err(other) => Err(other),
    }
}

fn challenge(visit: &Visit) -> SecretString {
    visit.challenge.clone().unwrap_or_default()
}

fn page(visit: &Visit, next: String, error: Option<String>) -> CodePage {
    CodePage {
        shell: visit.gate("Sign in"),
        error,
        next,
        remember: visit.field("remember") == "yes",
        backup: visit.parameter("with") == "backup" || visit.field("with") == "backup",
    }
}

/// The challenge isn't open any more: from the start again.
fn over(next: &str) -> Reply {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("next", next)
        .finish();
    Reply::go(format!("/sign-in?{query}"))
        .cookie(CHALLENGE, "", 0)
        .saying("That took too long, or too many codes were wrong. Sign in again.")
}

async fn answer(visit: Visit) -> Result<Reply> {
    let next = own_path(visit.field("next"));
    let response = Response {
        challenge: challenge(&visit),
        code: visit.field("code").to_owned(),
        remember: visit.field("remember") == "yes",
        address: visit.address,
        device: visit.device.clone(),
        browser: visit.browser.clone(),
    };
    let refused = |why: String| Reply::page(&page(&visit, next.clone(), Some(why)));
    match challenges::page(&visit.app, &response).await {
        Ok(session) => {
            let reply = signed_in(&visit, session, &next).await?;
            Ok(reply.cookie(CHALLENGE, "", 0))
        }
        Err(Error::Unauthenticated) => Ok(over(&next)),
        Err(Error::Invalid(_)) => {
            let why = "This code is not right, or was used before.";
            Ok(refused(why.to_owned())?.status(422))
        }
        Err(Error::TooMany { retry_after }) => {
            let wait = words::wait(retry_after);
            let why = format!(
                "Too many wrong codes. The app's codes are taken again in {wait}; a backup code is taken now."
            );
            Ok(refused(why)?.status(429).retry_after(retry_after))
        }
        Err(other) => Err(other),
    }
}
