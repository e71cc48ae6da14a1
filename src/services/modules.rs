//! The catalogue, read; and asking drupal.org about one module now.

use serde_json::json;

use super::lists::ask;
use super::{Error, Result, audit};
use crate::app::App;
use crate::domain::access::{Actor, Permission};
use crate::domain::job::{Job, REFRESH_MODULE};
use crate::domain::listing::{Page, Query};
use crate::domain::module::Module;
use crate::store::{Lane, audit as record, jobs, modules};

/// One page of the modules in sight.
///
/// # Errors
/// Where the caller may not, or the store can't.
pub async fn list(app: &App, actor: &Actor, query: &Query) -> Result<Page<Module>> {
    actor.require(Permission::ModulesRead)?;
    app.store
        .read(|db| Ok(modules::list(db, &ask(app, actor, query, &[]))?))
}

/// One in sight.
///
/// # Errors
/// [`Error::NotFound`] where it isn't there or no site in sight runs it.
pub async fn find(app: &App, actor: &Actor, id: i64) -> Result<Module> {
    actor.require(Permission::ModulesRead)?;
    in_sight(app, actor, id)
}

/// It is there and the caller can see it.
///
/// # Errors
/// [`Error::NotFound`].
pub fn seen(app: &App, actor: &Actor, id: i64) -> Result<()> {
    in_sight(app, actor, id).map(drop)
}

fn in_sight(app: &App, actor: &Actor, id: i64) -> Result<Module> {
    app.store
        .read(|db| modules::find(db, actor.sight(), id).map_err(Error::from))?
        .ok_or(Error::NotFound)
}

/// Has drupal.org asked about a module as soon as possible: gives the job that does it, the one that
/// waits already where there is one.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] `not_on_drupal_org` for custom code, whose name never
/// leaves the house; `feed_disabled` where nobody is to be asked.
pub async fn refresh(app: &App, actor: &Actor, id: i64) -> Result<Job> {
    actor.require(Permission::ModulesWrite)?;
    let module = in_sight(app, actor, id)?;
    if !module.is_project() {
        return Err(Error::Conflict {
            code: "not_on_drupal_org",
            detail: "Custom code and libraries are never looked up on drupal.org.".to_owned(),
        });
    }
    if app.feed.is_none() {
        return Err(Error::Conflict {
            code: "feed_disabled",
            detail: "drupal.org is not asked here; import the catalogue instead.".to_owned(),
        });
    }
    let organization = actor.sight().organization();
    let payload = json!({"module_id": id}).to_string();
    let (by, now) = (actor.label(), app.clock.now());
    let entry = audit::entry(app, actor, "module.refreshed").subject("module", id);
    app.store
        .write(Lane::Front, move |db| {
            let job = match jobs::waiting(db, organization, REFRESH_MODULE, &payload)? {
                Some(job) => job,
                None => {
                    record::append(db, &entry)?;
                    jobs::add(db, organization, REFRESH_MODULE, &payload, &by, now)?
                }
            };
            jobs::find(db, job)?.ok_or(Error::NotFound)
        })
        .await
}
