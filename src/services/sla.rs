//! What an organization promises: read, and changed. A change is a new version; what opened before is
//! due by the one that held then.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Error, Result, audit};
use crate::app::App;
use crate::domain::access::{Actor, Permission, Sight};
use crate::domain::exposure::Risk;
use crate::domain::site::ENVIRONMENTS;
use crate::domain::sla::{Hours, Policy};
use crate::domain::sla_form::PolicyForm;
pub use crate::store::sla::Version;
use crate::store::{Lane, audit as record, organizations, sla};

/// The newest version of what an organization promises: its own, or what holds for all that have none.
///
/// # Errors
/// [`Error::NotFound`] where it isn't there or isn't the caller's to see.
pub async fn find(app: &App, actor: &Actor, organization_id: i64) -> Result<Version> {
    seen(
        app,
        &actor.require(Permission::OrganizationsRead)?,
        organization_id,
    )?;
    Ok(app
        .store
        .read(|db| sla::in_force(db, organization_id, Timestamp::MAX))?)
}

/// Versions of a list, at most.
const LISTED: u32 = 500;

/// The versions that held or hold for an organization, the newest first: its own, and below them what
/// held before it had any; 500 at most.
///
/// # Errors
/// As [`find`].
pub async fn versions(app: &App, actor: &Actor, organization_id: i64) -> Result<Vec<Version>> {
    seen(
        app,
        &actor.require(Permission::OrganizationsRead)?,
        organization_id,
    )?;
    let (mut all, of_all) = app.store.read(|db| {
        let own = sla::versions(db, organization_id, LISTED)?;
        Ok::<_, Error>((own, sla::versions(db, 0, LISTED)?))
    })?;
    let first = all.last().map_or(Timestamp::MAX, |own| own.valid_from);
    all.extend(of_all.into_iter().filter(|other| other.valid_from < first));
    all.truncate(LISTED as usize);
    Ok(all)
}

/// Changes what an organization promises from now on; what the form doesn't say stays. A form that says
/// nothing else than what holds changes nothing.
///
/// # Errors
/// [`Error::Invalid`] with all faults; [`Error::NotFound`]; where the caller may not.
pub async fn change(
    app: &App,
    actor: &Actor,
    organization_id: i64,
    form: PolicyForm,
) -> Result<Version> {
    seen(
        app,
        &actor.require(Permission::SettingsManage)?,
        organization_id,
    )?;
    let (by, now) = (actor.label(), app.clock.now());
    let entry = audit::entry(app, actor, "sla_policy.updated");
    app.store
        .write(Lane::Front, move |db| {
            let organization = organizations::find(db, organization_id)?.ok_or(Error::NotFound)?;
            let before = sla::in_force(db, organization_id, Timestamp::MAX)?;
            let policy = form
                .check(&before.policy, before.valid_from)
                .map_err(Error::Invalid)?;
            if policy == before.policy {
                return Ok(before);
            }
            // A server's clock that was set back doesn't put the newest version behind an older one.
            let own = before.organization_id.map(|_| before.valid_from);
            let from = own.map_or(now, |held_since| held_since.max(now));
            sla::add(db, Some(organization_id), &policy, &by, (from, now))?;
            let after = sla::in_force(db, organization_id, Timestamp::MAX)?;
            let entry = entry
                .before(shown(&organization.name, &before.policy))
                .after(shown(&organization.name, &after.policy))
                .subject("sla_policy", organization_id)
                .organization(organization_id);
            record::append(db, &entry)?;
            Ok(after)
        })
        .await
}

fn seen(app: &App, sight: &Sight, organization_id: i64) -> Result<()> {
    super::organizations::seen(app, sight, organization_id)
}

/// What the record says of a policy.
fn shown(name: &str, policy: &Policy) -> Value {
    let mut said = Map::new();
    let mut say = |what: String, value: Value| drop(said.insert(what, value));
    say("name".to_owned(), json!(name));
    let office = &policy.office;
    say("time_zone".to_owned(), json!(office.zone.iana_name()));
    say("holidays".to_owned(), json!(office.holidays));
    let hours = |hours: &Hours| Risk::WORST_FIRST.map(|risk| hours.of(Some(risk)));
    for environment in ENVIRONMENTS {
        let terms = policy.environments.of(environment);
        let calendar = terms.calendar.word();
        say(format!("{environment}_calendar"), json!(calendar));
        say(format!("{environment}_hours"), json!(hours(&terms.hours)));
    }
    Value::Object(said)
}
