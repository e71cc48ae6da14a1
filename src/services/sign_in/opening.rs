//! Sessions are opened here, a browser's or a program's, for whoever is [`Proven`].

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use super::tokens::{REFRESH_LIFETIME, tokens};
use super::{Me, PageSession, Proven, Tokens, person, secret};
use crate::app::App;
use crate::domain::access::Actor;
use crate::domain::credentials::fingerprint;
use crate::services::{Error, Result, audit};
use crate::store::sessions::{Kind, NewSession};
use crate::store::{Connection, Lane, devices, sessions, users};

/// A browser's session ends so long after sign-in, whatever happens.
const PAGE_LIFETIME: SignedDuration = SignedDuration::from_hours(14 * 24);

/// A browser is known again for so long after the last sign-in with it.
pub const BROWSER_LIFETIME: SignedDuration = SignedDuration::from_hours(365 * 24);

/// A browser's session, always a new one, and its cookies.
pub(in crate::services) async fn open_page(app: &App, proven: Proven) -> Result<PageSession> {
    let (cookie, user_id) = (secret(app)?, proven.user.id);
    let expires_at = app.clock.now() + PAGE_LIFETIME;
    let browser = match &proven.browser {
        Some(browser) => browser.clone(),
        None => secret(app)?.into(),
    };
    let session = new_session(app, &proven, Kind::Page, &cookie, expires_at);
    let hash = fingerprint(browser.expose_secret());
    open(app, proven, move |db| {
        Ok(NewSession {
            device_id: Some(seen_browser(db, &hash, &session)?),
            ..session
        })
    })
    .await?;
    Ok(PageSession {
        cookie: cookie.into(),
        expires_at,
        user_id,
        browser,
    })
}

/// Another cookie for the caller's own browser session: the one before opens nothing any more. `None`
/// for a program's session, whose refresh token is good once anyway.
///
/// # Errors
/// [`Error::Forbidden`] for keys; [`Error::Unauthenticated`] where the session has ended.
pub async fn new_cookie(app: &App, actor: &Actor) -> Result<Option<(SecretString, Timestamp)>> {
    let (_, session_id) = person(actor)?;
    let cookie = secret(app)?;
    let hash = fingerprint(&cookie);
    let session = app
        .store
        .write(Lane::Front, move |db| {
            let session = sessions::find(db, session_id)?.ok_or(Error::Unauthenticated)?;
            if session.page {
                sessions::exchange_cookie(db, session_id, &hash)?;
            }
            Ok::<_, Error>(session)
        })
        .await?;
    app.callers.forget();
    let ends = Timestamp::from_millisecond(session.expires_at)
        .map_err(|error| Error::Internal(error.to_string()))?;
    Ok(session.page.then(|| (cookie.into(), ends)))
}

/// The id of the browser with which somebody signs in: noted again, or new.
fn seen_browser(db: &Connection, hash: &[u8; 32], session: &NewSession) -> Result<i64> {
    let seen = devices::Use {
        user_id: session.user_id,
        name: session.device.clone(),
        address: session.address.clone(),
        at: session.created_at,
    };
    devices::forget_older(
        db,
        seen.user_id,
        seen.at - BROWSER_LIFETIME.as_secs() * 1000,
    )?;
    match devices::find_of(db, seen.user_id, hash)? {
        Some(known) => {
            devices::note_use(db, known.id, &seen)?;
            Ok(known.id)
        }
        None => Ok(devices::insert(db, hash, &seen)?),
    }
}

/// A program's session and its tokens.
pub(in crate::services) async fn open_api(app: &App, proven: Proven) -> Result<Tokens> {
    let secret = secret(app)?;
    let expires_at = app.clock.now() + REFRESH_LIFETIME;
    let session = new_session(app, &proven, Kind::Api, &secret, expires_at);
    let created_at = session.created_at;
    let me = Me::of(&proven.user)?;
    let session_id = open(app, proven, move |_| Ok(session)).await?;
    tokens(app, me, &secret, session_id, created_at)
}

fn new_session(
    app: &App,
    proven: &Proven,
    kind: Kind,
    secret: &str,
    expires_at: Timestamp,
) -> NewSession {
    NewSession {
        user_id: proven.user.id,
        kind,
        secret_hash: fingerprint(secret),
        device: proven.device.clone(),
        address: audit::shown(proven.address),
        created_at: app.clock.now().as_millisecond(),
        expires_at: expires_at.as_millisecond(),
        device_id: None,
    }
}

/// Opens the session that `make` gives within the write.
async fn open(
    app: &App,
    proven: Proven,
    make: impl FnOnce(&Connection) -> Result<NewSession> + Send + 'static,
) -> Result<i64> {
    let user = &proven.user;
    let entry = audit::entry_of_person(app, user.id, &user.name, "session.opened");
    let at = app.clock.now().as_millisecond();
    app.store
        .write(Lane::Front, move |db| {
            // The password was proven before this write: it must still be the one that was proven.
            let user = &proven.user;
            let now = users::find(db, user.id)?;
            let replaced = now.is_none_or(|now| now.password_hash != user.password_hash);
            if replaced || !proven.is_enough(db, at)? {
                return Err(Error::Unauthenticated);
            }
            let session = make(db)?;
            let id = sessions::insert(db, &session)?;
            let said = serde_json::json!({ "kind": session.kind.word(), "device": session.device });
            crate::store::audit::append(db, &entry.subject("session", id).after(said))?;
            Ok(id)
        })
        .await
}
