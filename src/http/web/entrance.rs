//! The doors: set-up, sign-in, sign-out, the theme.

use secrecy::SecretString;

use super::view::entrance::{SetupPage, SignInPage};
use super::visit::{BROWSER, Handler, Reply, SESSION, THEME, Visit, by_field, own_path};
use super::{code, words};
use crate::services::sign_in::{self, Attempt, BROWSER_LIFETIME, Entered, PageSession};
use crate::services::{Error, Result, set_up};

/// A year.
const LONG: i64 = 365 * 24 * 3_600;

/// `GET /set-up?token=…`.
pub const SET_UP: Handler = |visit| Box::pin(show_set_up(visit));
/// `POST /set-up`.
pub const COMPLETE: Handler = |visit| Box::pin(complete(visit));
/// `GET /sign-in`.
pub const ASK: Handler = |visit| Box::pin(ask(visit));
/// `POST /sign-in`.
pub const SIGN_IN: Handler = |visit| Box::pin(enter(visit));
/// `POST /sign-out`.
pub const SIGN_OUT: Handler = |visit| Box::pin(leave(visit));
/// `POST /theme`.
pub const CHANGE_THEME: Handler = |visit| Box::pin(theme(visit));

async fn show_set_up(visit: Visit) -> Result<Reply> {
    let token = visit.parameter("token").to_owned();
    let good = set_up::look(&visit.app, &token).await.is_ok();
    // Who brings a link is told about it; who brings none only came to the wrong door.
    if !good && token.is_empty() && !set_up::is_needed(&visit.app).await? {
        return Ok(Reply::go("/sign-in"));
    }
    let reply = Reply::page(&set_up_page(&visit, token, !good, &[]))?;
    Ok(if good { reply } else { reply.status(404) })
}

fn set_up_page(
    visit: &Visit,
    token: String,
    bad_token: bool,
    faults: &[(String, String)],
) -> SetupPage {
    let error = |field: &str| {
        faults
            .iter()
            .find(|(f, _)| f == field)
            .map(|(_, said)| said.clone())
    };
    SetupPage {
        shell: visit.gate("Set up"),
        token,
        bad_token,
        name: visit.field("name").to_owned(),
        email: visit.field("email").to_owned(),
        name_error: error("name"),
        email_error: error("email"),
        password_error: error("password"),
    }
}

async fn complete(visit: Visit) -> Result<Reply> {
    let token = visit.field("token").to_owned();
    let person = set_up::person(
        visit.field("email"),
        visit.field("name"),
        visit.raw_field("password"),
    );
    match set_up::complete(&visit.app, &token, person, (visit.address, &visit.device)).await {
        Ok(session) => signed_in(&visit, session, "/sites/new").await,
        Err(Error::Invalid(faults)) => {
            let page = set_up_page(&visit, token, false, &by_field(&faults));
            Ok(Reply::page(&page)?.status(422))
        }
        Err(Error::NotFound) => {
            Ok(Reply::page(&set_up_page(&visit, token, true, &[]))?.status(404))
        }
        Err(other) => Err(other),
    }
}

/// A browser's session and its cookies. The session that it had before, whoever's it was, ends with it:
/// nobody holds its cookie any more.
pub(super) async fn signed_in(visit: &Visit, session: PageSession, to: &str) -> Result<Reply> {
    use secrecy::ExposeSecret;
    if let Some(before) = &visit.actor {
        sign_in::sign_out(&visit.app, before).await?;
    }
    let seconds = session.expires_at.as_second() - visit.now.as_second();
    let reply = Reply::go(to)
        .cookie(SESSION, session.cookie.expose_secret(), seconds)
        .cookie(
            BROWSER,
            session.browser.expose_secret(),
            BROWSER_LIFETIME.as_secs(),
        );
    Ok(reply)
}

/// The same session under another cookie: a copy that somebody made of the one before is worth nothing.
pub(super) async fn under_new_cookie(visit: &Visit, reply: Reply) -> Result<Reply> {
    use secrecy::ExposeSecret;
    let made = sign_in::new_cookie(&visit.app, visit.actor()?).await?;
    Ok(match made {
        Some((cookie, ends)) => {
            let seconds = ends.as_second() - visit.now.as_second();
            reply.cookie(SESSION, cookie.expose_secret(), seconds)
        }
        None => reply,
    })
}

async fn ask(visit: Visit) -> Result<Reply> {
    if visit.actor.is_some() {
        return Ok(Reply::go(own_path(visit.parameter("next"))));
    }
    if set_up::is_needed(&visit.app).await? {
        return Reply::page(&set_up_page(&visit, String::new(), true, &[]));
    }
    Reply::page(&sign_in_page(
        &visit,
        own_path(visit.parameter("next")),
        None,
    ))
}

fn sign_in_page(visit: &Visit, next: String, error: Option<String>) -> SignInPage {
    SignInPage {
        shell: visit.gate("Sign in"),
        email: visit.field("email").to_owned(),
        error,
        next,
        note: visit.flash.as_ref().map(|flash| flash.text.clone()),
    }
}

async fn enter(visit: Visit) -> Result<Reply> {
    let next = own_path(visit.field("next"));
    let attempt = Attempt {
        email: visit.field("email").to_owned(),
        password: SecretString::from(visit.raw_field("password")),
        address: visit.address,
        device: visit.device.clone(),
        browser: visit.browser.clone(),
    };
    let refused = |why: String| Reply::page(&sign_in_page(&visit, next.clone(), Some(why)));
    match sign_in::page(&visit.app, &attempt).await {
        Ok(Entered::Session(session)) => signed_in(&visit, session, &next).await,
        Ok(Entered::Challenge(challenge)) => Ok(code::lead(&challenge, &next)),
        Err(Error::Unauthenticated) => {
            let why = "This e-mail and password do not go together.".to_owned();
            Ok(refused(why)?.status(401))
        }
        Err(Error::TooMany { retry_after }) => {
            let wait = words::wait(retry_after);
            let why = format!("Too many attempts. Try again in {wait}.");
            Ok(refused(why)?.status(429).retry_after(retry_after))
        }
        Err(other) => Err(other),
    }
}

async fn leave(visit: Visit) -> Result<Reply> {
    sign_in::sign_out(&visit.app, visit.actor()?).await?;
    let to = match own_path(visit.field("back")) {
        back if back.starts_with("/invitation?") => back,
        _ => "/sign-in".to_owned(),
    };
    Ok(Reply::go(to)
        .cookie(SESSION, "", 0)
        .saying("You are signed out."))
}

async fn theme(visit: Visit) -> Result<Reply> {
    let theme = super::shell::Theme::from_word(visit.field("theme"));
    Ok(Reply::go(own_path(visit.field("back"))).cookie(THEME, theme.word(), LONG))
}
