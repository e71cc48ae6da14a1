//! A person's own sign-ins and browsers: seen by himself only, and ended by him at once. What is
//! another's is not there.

use serde_json::json;

use super::lists::ask;
use super::sign_in::person;
use super::{Error, Result, audit};
use crate::app::App;
use crate::domain::access::{Actor, Sight};
use crate::domain::listing::{Page, Query};
use crate::domain::session::{OwnDevice, OwnSession};
use crate::store::{Lane, devices, sessions};

/// No organization's wall stands between a person and what is his: the lists are asked within him.
const OWN: Sight = Sight::All;

/// The caller's sessions that have not ended.
///
/// # Errors
/// [`Error::Forbidden`] for keys.
pub async fn list(app: &App, actor: &Actor, query: &Query) -> Result<Page<OwnSession>> {
    let (user_id, session_id) = person(actor)?;
    let mut page = app
        .store
        .read(|db| sessions::list(db, &ask(app, &OWN, query, &[("s.user_id", user_id)])))?;
    for row in &mut page.rows {
        row.current = row.id == session_id;
    }
    Ok(page)
}

/// Ends one of the caller's sessions, perhaps this one: it is refused from the next request on.
///
/// # Errors
/// [`Error::NotFound`] where it is another's, or has ended.
pub async fn end(app: &App, actor: &Actor, id: i64) -> Result<()> {
    let (user_id, _) = person(actor)?;
    let entry = audit::entry(app, actor, "session.ended").subject("session", id);
    let now = app.clock.now().as_millisecond();
    app.store
        .write(Lane::Front, move |db| {
            let found = sessions::find(db, id)?.filter(|found| found.user_id == user_id);
            found.ok_or(Error::NotFound)?;
            sessions::end(db, id, now)?;
            crate::store::audit::append(db, &entry)?;
            Ok::<_, Error>(())
        })
        .await?;
    app.callers.forget();
    Ok(())
}

/// Ends all of the caller's sessions but this one, and says how many.
///
/// # Errors
/// [`Error::Forbidden`] for keys.
pub async fn end_others(app: &App, actor: &Actor) -> Result<usize> {
    let (user_id, session_id) = person(actor)?;
    let entry = audit::entry(app, actor, "session.others_ended").subject("user", user_id);
    let now = app.clock.now().as_millisecond();
    let ended = app
        .store
        .write(Lane::Front, move |db| {
            let ended = sessions::end_others_of(db, user_id, session_id, now)?;
            let entry = entry.after(json!({ "sessions_ended": ended }));
            crate::store::audit::append(db, &entry)?;
            Ok::<_, Error>(ended)
        })
        .await?;
    app.callers.forget();
    Ok(ended)
}

/// The caller's browsers that are known again.
///
/// # Errors
/// [`Error::Forbidden`] for keys.
pub async fn devices(app: &App, actor: &Actor, query: &Query) -> Result<Page<OwnDevice>> {
    let (user_id, _) = person(actor)?;
    app.store.read(|db| {
        Ok(devices::list(
            db,
            &ask(app, &OWN, query, &[("d.user_id", user_id)]),
        )?)
    })
}

/// The browser of the present session, where it is known.
///
/// # Errors
/// [`Error::Forbidden`] for keys.
pub fn present_device(app: &App, actor: &Actor) -> Result<Option<i64>> {
    let (_, session_id) = person(actor)?;
    app.store
        .read(|db| devices::of_session(db, session_id).map_err(Error::from))
}

/// Forgets one of the caller's browsers: its sessions end, and it is trusted no more.
///
/// # Errors
/// [`Error::NotFound`] where it is another's, or was revoked.
pub async fn revoke_device(app: &App, actor: &Actor, id: i64) -> Result<()> {
    let (user_id, _) = person(actor)?;
    let entry = audit::entry(app, actor, "device.revoked").subject("device", id);
    let now = app.clock.now().as_millisecond();
    app.store
        .write(Lane::Front, move |db| {
            let name = devices::name_of(db, user_id, id)?.ok_or(Error::NotFound)?;
            devices::revoke(db, user_id, id, now)?;
            let entry = entry.before(json!({ "name": name }));
            crate::store::audit::append(db, &entry)?;
            Ok::<_, Error>(())
        })
        .await?;
    app.callers.forget();
    Ok(())
}
