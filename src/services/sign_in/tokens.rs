//! A program's tokens, and new ones for those that it has.

use jiff::{SignedDuration, Timestamp};

use super::{Me, Tokens};
use crate::app::App;
use crate::domain::credentials::fingerprint;
use crate::services::access_tokens::{LIFETIME, RefreshToken};
use crate::services::{Error, Result, audit};
use crate::store::{Connection, Lane, sessions, users};

/// A refresh token is good for so long.
pub(super) const REFRESH_LIFETIME: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Within so long a refresh token that is sent again gets the same successor: an answer was lost.
const REPEAT: SignedDuration = SignedDuration::from_secs(10);

pub(super) fn tokens(
    app: &App,
    user: Me,
    secret: &str,
    session_id: i64,
    created_at: i64,
) -> Result<Tokens> {
    let now = app.clock.now();
    let refresh = app
        .access_tokens
        .refresh_token(secret, session_id, created_at);
    Ok(Tokens {
        access_token: app.access_tokens.issue(user.id, session_id, now)?.into(),
        refresh_token: refresh.into(),
        expires_in: LIFETIME.as_secs(),
        user,
    })
}

enum Refreshed {
    To(Me),
    Reused,
}

/// Exchanges a refresh token for new tokens. Sent again within 10 seconds it gets the same
/// successor; sent later it ends the session, because somebody else may hold a copy.
///
/// # Errors
/// [`Error::Unauthenticated`] for every reason there is not to believe it.
pub async fn refresh(app: &App, presented: &str) -> Result<Tokens> {
    let presented = RefreshToken::parse(presented).ok_or(Error::Unauthenticated)?;
    let id = presented.session_id;
    let session = app
        .store
        .read(|db| sessions::find(db, id))?
        .filter(|session| !session.page)
        .filter(|session| app.access_tokens.is_genuine(&presented, session.created_at))
        .ok_or(Error::Unauthenticated)?;
    let next = app.access_tokens.successor(&presented.secret);
    let exchange = Exchange {
        id,
        presented: fingerprint(&presented.secret),
        next: fingerprint(&next),
        now: app.clock.now(),
    };
    let entry = audit::entry_of_person(
        app,
        session.user_id,
        &session.user_name,
        "session.refresh_reused",
    )
    .subject("session", id)
    .refused();
    let outcome = app
        .store
        .write(Lane::Front, move |db| exchange.run(db, &entry))
        .await?;
    match outcome {
        Refreshed::To(user) => tokens(app, user, &next, id, session.created_at),
        Refreshed::Reused => {
            app.callers.forget();
            Err(Error::Unauthenticated)
        }
    }
}

struct Exchange {
    id: i64,
    presented: [u8; 32],
    next: [u8; 32],
    now: Timestamp,
}

impl Exchange {
    fn run(&self, db: &Connection, entry: &crate::store::audit::Entry) -> Result<Refreshed> {
        let now = self.now.as_millisecond();
        let session = sessions::find(db, self.id)?
            .filter(|session| session.expires_at > now)
            .ok_or(Error::Unauthenticated)?;
        if session.secret_hash == self.presented {
            let until = (self.now + REFRESH_LIFETIME).as_millisecond();
            sessions::rotate(db, self.id, &self.next, now, until)?;
        } else {
            let age = session
                .rotated_at
                .map_or(i64::MAX, |at| now.saturating_sub(at));
            let repeated = session.previous_hash == Some(self.presented)
                && i128::from(age) <= REPEAT.as_millis();
            if !repeated {
                sessions::end(db, self.id, now)?;
                crate::store::audit::append(db, entry)?;
                return Ok(Refreshed::Reused);
            }
        }
        let user = users::find(db, session.user_id)?.ok_or(Error::Unauthenticated)?;
        Ok(Refreshed::To(Me::of(&user)?))
    }
}
