//! Exposures in hand: given to a person, acknowledged, put aside until a time, taken up again. Each act
//! is one write with its event and its row of the record; none changes what the ledger counts.

use serde_json::{Value, json};

use super::exposures::fitted;
use super::{Error, Result, audit};
use crate::app::App;
use crate::domain::access::{Actor, Permission, Sight};
use crate::domain::fault::Fault;
use crate::domain::in_hand::{Snooze, note};
use crate::domain::window::Window;
use crate::store::audit::append;
use crate::store::{Connection, Lane, exposures, in_hand, memberships, users};
use std::sync::Arc;

/// Gives an exposure to a person, or to nobody.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] `closed`; [`Error::Invalid`] at `/user_id` for somebody who
/// can't see it.
pub async fn assign(app: &App, actor: &Actor, id: i64, user_id: Option<i64>) -> Result<Window> {
    act(app, actor, id, Act::Assign(user_id)).await
}

/// Says that an exposure was seen, with a note or without. Said again without one it changes nothing.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] `closed`; [`Error::Invalid`] at `/note`.
pub async fn acknowledge(app: &App, actor: &Actor, id: i64, said: &str) -> Result<Window> {
    actor.require(Permission::SitesWrite)?;
    let mut faults = Vec::new();
    let said = note(said, "/note", &mut faults);
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    act(app, actor, id, Act::Acknowledge(said)).await
}

/// Puts an exposure aside until a time, for a reason, or takes it up again where no time is given.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] `closed`; [`Error::Invalid`] with all faults.
pub async fn snooze(
    app: &App,
    actor: &Actor,
    id: i64,
    until: Option<&str>,
    reason: &str,
) -> Result<Window> {
    actor.require(Permission::SitesWrite)?;
    let snooze = until
        .map(|until| Snooze::parse(until, reason, app.clock.now()).map_err(Error::Invalid))
        .transpose()?;
    act(app, actor, id, Act::Snooze(snooze)).await
}

/// The open exposures of the same module on the same site, that one first: who takes a module in hand
/// takes all of them. Once that one has closed there is nothing to take with it.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] `closed`.
pub async fn beside(app: &App, actor: &Actor, id: i64) -> Result<Vec<i64>> {
    let sight = actor.require(Permission::SitesWrite)?;
    app.store.read(|db| {
        still_open(&visible(db, &sight, id)?)?;
        Ok(in_hand::beside(db, id)?)
    })
}

/// The people to whom an exposure can be given: the members of its organization who see sites, and the
/// caller himself, as (id, name), by name.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn people(app: &App, actor: &Actor, id: i64) -> Result<Vec<(i64, String)>> {
    let sight = actor.require(Permission::SitesWrite)?;
    app.store.read(|db| {
        let window = visible(db, &sight, id)?;
        let mut people = in_hand::people(db, window.organization_id)?;
        if let Actor::Person { user_id, name, .. } = actor
            && !people.iter().any(|(id, _)| id == user_id)
        {
            people.push((*user_id, name.clone()));
        }
        Ok(people)
    })
}

#[derive(Debug)]
enum Act {
    Assign(Option<i64>),
    Acknowledge(String),
    Snooze(Option<Snooze>),
}

fn visible(db: &Connection, sight: &Sight, id: i64) -> Result<Window> {
    exposures::find(db, id)?
        .filter(|window| sight.sees(window.organization_id, window.site_id))
        .ok_or(Error::NotFound)
}

fn still_open(window: &Window) -> Result<()> {
    if window.closed_at.is_none() {
        return Ok(());
    }
    Err(Error::Conflict {
        code: "closed",
        detail: "This exposure has closed: there is nothing left to do.".to_owned(),
    })
}

async fn act(app: &App, actor: &Actor, id: i64, act: Act) -> Result<Window> {
    let sight = actor.require(Permission::SitesWrite)?;
    let now = app.clock.now();
    let (by, name) = (actor.label(), actor.identity().2.to_owned());
    let entry = audit::entry(app, actor, action(&act));
    app.store
        .write(Lane::Front, move |db| {
            let before = visible(db, &sight, id)?;
            still_open(&before)?;
            let (kind, said) = match &act {
                Act::Assign(to) => {
                    let to = to.map(|id| assignee(db, &before, id, now)).transpose()?;
                    let id_of = |to: &(i64, String)| to.0;
                    if to.as_ref().map(id_of) == before.assignee.as_ref().map(|a| a.id) {
                        return Ok(());
                    }
                    in_hand::assign(db, id, to.as_ref().map(id_of), now)?;
                    ("assigned", to.map(|to| to.1).unwrap_or_default())
                }
                Act::Acknowledge(said) => {
                    if before.acknowledged_at.is_some() && said.is_empty() {
                        return Ok(());
                    }
                    in_hand::acknowledge(db, id, &by, now)?;
                    ("acknowledged", said.clone())
                }
                Act::Snooze(Some(snooze)) => {
                    in_hand::snooze(db, id, Some(snooze), &by)?;
                    (
                        "snoozed",
                        format!("until {}: {}", snooze.until, snooze.reason),
                    )
                }
                Act::Snooze(None) => {
                    if before.snoozed(now).is_none() {
                        return Ok(());
                    }
                    in_hand::snooze(db, id, None, &by)?;
                    ("woken", String::new())
                }
            };
            in_hand::tell(db, (id, kind), (&by, &name), &said, now)?;
            let after = visible(db, &sight, id)?;
            let entry = entry
                .subject("exposure", id)
                .organization(before.organization_id)
                .site(before.site_id)
                .before(shown(&before, ""))
                .after(shown(&after, &said));
            append(db, &entry)?;
            Ok::<_, Error>(())
        })
        .await?;
    app.store
        .read(|db| fitted(app, db, id).map_err(Error::from))?
        .ok_or(Error::NotFound)
}

fn action(act: &Act) -> &'static str {
    match act {
        Act::Assign(_) => "exposure.assigned",
        Act::Acknowledge(_) => "exposure.acknowledged",
        Act::Snooze(Some(_)) => "exposure.snoozed",
        Act::Snooze(None) => "exposure.woken",
    }
}

/// A person who can see the exposure: whoever can't is not there.
fn assignee(
    db: &Connection,
    window: &Window,
    id: i64,
    now: jiff::Timestamp,
) -> Result<(i64, String)> {
    let grants = Arc::new(memberships::grants(db, id)?).at(now);
    let held = grants.permissions_in(window.organization_id);
    let name = users::name(db, id)?.filter(|_| held.contains(Permission::SitesRead));
    name.map(|name| (id, name)).ok_or_else(|| {
        let detail = "There is nobody with this id who sees this site.";
        Error::Invalid(vec![Fault::new("/user_id", "not_found", detail)])
    })
}

/// What the record says of an exposure in hand.
fn shown(window: &Window, said: &str) -> Value {
    let mut shown = json!({
        "site": window.site,
        "module": window.module,
        "assignee": window.assignee.as_ref().map(|assignee| &assignee.name),
        "acknowledged_at": window.acknowledged_at,
        "snoozed_until": window.snoozed_until,
        "snooze_reason": window.snooze_reason,
    });
    if let (false, Some(fields)) = (said.is_empty(), shown.as_object_mut()) {
        fields.insert("note".to_owned(), json!(said));
    }
    shown
}
