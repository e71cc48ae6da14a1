//! The catalogue, read and kept; and asking drupal.org about one module now.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::histories::Grounds;
use super::lists::ask;
use super::sites::SHOWN;
use super::{Error, Result, audit};
use crate::app::App;
use crate::domain::access::{Actor, Permission, Sight};
use crate::domain::affected_site::AffectedSite;
use crate::domain::handful;
use crate::domain::inventory::Origin;
use crate::domain::job::{Job, REFRESH_MODULE};
use crate::domain::judgement::Judgement;
use crate::domain::listing::{Page, Query};
use crate::domain::module::{DeletedModule, Module, ModuleFacts, ModuleForm};
use crate::domain::module_version::ModuleVersion;
use crate::domain::prepared::Prepared;
use crate::store::catalogue::{Module as Kept, NewModule};
use crate::store::modules::SeenVersion;
use crate::store::{Lane, affected_sites, audit as record, catalogue, jobs, modules};

/// One page of the modules in sight.
///
/// # Errors
/// Where the caller may not, or the store can't.
pub async fn list(app: &App, actor: &Actor, query: &Query) -> Result<Page<Module>> {
    let sight = actor.require(Permission::ModulesRead)?;
    app.store
        .read(|db| Ok(modules::list(db, &ask(app, &sight, query, &[]))?))
}

/// One in sight.
///
/// # Errors
/// [`Error::NotFound`] where it isn't there or no site in sight runs it.
pub async fn find(app: &App, actor: &Actor, id: i64) -> Result<Module> {
    let sight = actor.require(Permission::ModulesRead)?;
    in_sight(app, &sight, id)
}

/// It is there and the caller can see it.
///
/// # Errors
/// [`Error::NotFound`].
pub fn seen(app: &App, sight: &Sight, id: i64) -> Result<()> {
    in_sight(app, sight, id).map(drop)
}

fn in_sight(app: &App, sight: &Sight, id: i64) -> Result<Module> {
    app.store
        .read(|db| modules::find(db, sight, id).map_err(Error::from))?
        .ok_or(Error::NotFound)
}

/// One page of the versions of a module: those of its stored release history in the history's order,
/// then those that sites in sight run and it doesn't list.
///
/// # Errors
/// [`Error::NotFound`] where the module isn't there or no site in sight runs it.
pub async fn versions(
    app: &App,
    actor: &Actor,
    id: i64,
    query: &Query,
) -> Result<Page<ModuleVersion>> {
    let sight = actor.require(Permission::ModulesRead)?;
    seen(app, &sight, id)?;
    let rows = app.store.read(|db| {
        let module = catalogue::get(db, id)?.ok_or(Error::NotFound)?;
        let grounds = app.histories.grounds(db, &module)?;
        let seen = modules::seen_versions(db, &sight, id)?;
        Ok::<_, Error>(joined(&module, &grounds, seen))
    })?;
    Ok(handful::page(rows, query))
}

/// What drupal.org lists and what sites run, as one list.
fn joined(module: &Kept, grounds: &Grounds, seen: Vec<SeenVersion>) -> Vec<ModuleVersion> {
    let releases = grounds.history().map_or([].as_slice(), Prepared::releases);
    let evidence = grounds.about(module);
    let mut rows: Vec<ModuleVersion> = Vec::with_capacity(releases.len());
    for release in releases {
        let judged = evidence.judge(Some(&release.version), 0);
        let date = release.real_date();
        rows.push(ModuleVersion {
            release_date: date.and_then(|seconds| Timestamp::from_second(seconds).ok()),
            is_security_update: release.security,
            is_insecure: release.insecure,
            is_supported: release.supported,
            is_listed: true,
            sites_count: 0,
            ..version(Some(release.version.clone()), judged)
        });
    }
    for found in seen {
        let known = rows
            .iter_mut()
            .find(|row| row.version_number == found.version);
        match known {
            Some(row) => row.sites_count += found.sites,
            None if found.sites > 0 => rows.push(ModuleVersion {
                sites_count: found.sites,
                ..version(found.version, found.judgement)
            }),
            None => {}
        }
    }
    for (row, position) in rows.iter_mut().zip(1..) {
        row.position = position;
    }
    rows
}

/// A version as it is judged, of which drupal.org says nothing.
fn version(number: Option<String>, judged: Judgement) -> ModuleVersion {
    ModuleVersion {
        position: 0,
        version_number: number,
        release_date: None,
        is_security_update: false,
        is_insecure: false,
        is_supported: false,
        is_listed: false,
        exposed: judged.exposed(),
        status: judged.standing,
        reason: judged.reason,
        sites_count: 0,
    }
}

/// One page of the sites in sight that run a module.
///
/// # Errors
/// [`Error::NotFound`] where the module isn't there or no site in sight runs it.
pub async fn sites(app: &App, actor: &Actor, id: i64, query: &Query) -> Result<Page<AffectedSite>> {
    let sight = actor.require(Permission::SitesRead)?;
    seen(app, &sight, id)?;
    app.store
        .read(|db| Ok(affected_sites::list(db, id, &ask(app, &sight, query, &[]))?))
}

/// Adds a drupal.org project, which is due to be asked for at once. One that was deleted comes back.
///
/// # Errors
/// Where the caller isn't the platform administrator; [`Error::Invalid`] with all faults;
/// [`Error::Conflict`] where it is there already.
pub async fn create(app: &App, actor: &Actor, form: &ModuleForm) -> Result<Module> {
    actor.require_platform(Permission::ModulesWrite)?;
    let facts = form.check(None).map_err(Error::Invalid)?;
    let (by, now) = (actor.label(), app.clock.now());
    let entry = audit::entry(app, actor, "module.created");
    app.store
        .write(Lane::Front, move |db| {
            let id = match catalogue::find(db, Origin::Project, 0, &facts.name)? {
                Some(known) if !known.deleted => return Err(taken()),
                Some(gone) => {
                    catalogue::restore(db, gone.id, now)?;
                    let title = Some(facts.title.clone()).filter(|title| !title.is_empty());
                    let facts = ModuleFacts {
                        title: title.unwrap_or(gone.title),
                        ..facts
                    };
                    modules::update(db, gone.id, &facts, &by, now)?;
                    gone.id
                }
                None => {
                    let new = NewModule {
                        origin: Origin::Project,
                        organization_id: 0,
                        name: &facts.name,
                        title: &facts.title,
                        kind: facts.kind,
                    };
                    let id = catalogue::add(db, &new, now)?;
                    modules::made_by(db, id, &by)?;
                    id
                }
            };
            let made = modules::find(db, &Sight::All, id)?.ok_or(Error::NotFound)?;
            record::append(db, &entry.subject("module", id).after(shown(&made)))?;
            Ok(made)
        })
        .await
}

/// Changes a module's title and type, until drupal.org publishes something else about it; what the
/// form doesn't say stays.
///
/// # Errors
/// Where the caller isn't the platform administrator; [`Error::Invalid`] with all faults;
/// [`Error::NotFound`].
pub async fn update(app: &App, actor: &Actor, id: i64, form: ModuleForm) -> Result<Module> {
    actor.require_platform(Permission::ModulesWrite)?;
    let (by, now) = (actor.label(), app.clock.now());
    let entry = audit::entry(app, actor, "module.updated").subject("module", id);
    app.store
        .write(Lane::Front, move |db| {
            let known = catalogue::get(db, id)?
                .filter(|known| !known.deleted)
                .ok_or(Error::NotFound)?;
            let before = modules::find(db, &Sight::All, id)?.ok_or(Error::NotFound)?;
            let facts = ModuleFacts {
                name: known.name,
                title: known.title,
                kind: known.kind,
            };
            let facts = form.check(Some(&facts)).map_err(Error::Invalid)?;
            modules::update(db, id, &facts, &by, now)?;
            let after = modules::find(db, &Sight::All, id)?.ok_or(Error::NotFound)?;
            record::append(db, &entry.before(shown(&before)).after(shown(&after)))?;
            Ok(after)
        })
        .await
}

/// Deletes a module softly: it isn't asked for any more. A site that runs it brings it back.
///
/// # Errors
/// Where the caller isn't the platform administrator; [`Error::NotFound`]; [`Error::Conflict`]
/// `in_use` where a site runs it.
pub async fn delete(app: &App, actor: &Actor, id: i64) -> Result<()> {
    actor.require_platform(Permission::ModulesWrite)?;
    let (by, now) = (actor.label(), app.clock.now());
    let entry = audit::entry(app, actor, "module.deleted").subject("module", id);
    app.store
        .write(Lane::Front, move |db| {
            let before = modules::find(db, &Sight::All, id)?.ok_or(Error::NotFound)?;
            if !modules::delete(db, id, &by, now)? {
                return Err(Error::Conflict {
                    code: "in_use",
                    detail: format!(
                        "A module in use can't be deleted. Sites that run it: {}.",
                        before.sites_count
                    ),
                });
            }
            record::append(db, &entry.before(shown(&before)))?;
            Ok(())
        })
        .await
}

/// It is there, deleted or not: for the platform administrator, who sees all.
///
/// # Errors
/// [`Error::NotFound`].
pub fn seen_or_gone(app: &App, sight: &Sight, id: i64) -> Result<()> {
    let all = *sight == Sight::All;
    if all
        && app
            .store
            .read(|db| modules::exists_at_all(db, id).map_err(Error::from))?
    {
        Ok(())
    } else {
        Err(Error::NotFound)
    }
}

/// The deleted modules, the newest first.
///
/// # Errors
/// Where the caller isn't the platform administrator, or the store can't.
pub async fn deleted(app: &App, actor: &Actor) -> Result<Vec<DeletedModule>> {
    actor.require_platform(Permission::ModulesWrite)?;
    app.store
        .read(|db| modules::list_deleted(db, SHOWN).map_err(Error::from))
}

/// Brings a deleted module back; it is due to be asked for at once.
///
/// # Errors
/// Where the caller isn't the platform administrator; [`Error::NotFound`]; [`Error::Conflict`]
/// `name_taken` where it is there already: a site or somebody brought it back meanwhile.
pub async fn restore(app: &App, actor: &Actor, id: i64) -> Result<Module> {
    actor.require_platform(Permission::ModulesWrite)?;
    seen_or_gone(app, &Sight::All, id)?;
    let now = app.clock.now();
    let entry = audit::entry(app, actor, "module.restored").subject("module", id);
    app.store
        .write(Lane::Front, move |db| {
            if !catalogue::restore(db, id, now)? {
                return Err(taken());
            }
            let restored = modules::find(db, &Sight::All, id)?.ok_or(Error::NotFound)?;
            record::append(db, &entry.after(shown(&restored)))?;
            Ok(restored)
        })
        .await
}

/// What the record says of a module.
fn shown(module: &Module) -> Value {
    json!({"module_name": module.name, "title": module.title, "type": module.kind})
}

fn taken() -> Error {
    Error::Conflict {
        code: "name_taken",
        detail: "There is a module of that name.".to_owned(),
    }
}

/// Has drupal.org asked about a module as soon as possible: gives the job that does it, the one that
/// waits already where there is one.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] `not_on_drupal_org` for custom code, whose name never
/// leaves the house; `feed_disabled` where nobody is to be asked.
pub async fn refresh(app: &App, actor: &Actor, id: i64) -> Result<Job> {
    let sight = actor.require(Permission::ModulesWrite)?;
    let module = in_sight(app, &sight, id)?;
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
    let follows = sight.and(&actor.sight(Permission::JobsRead));
    let organization = app.store.read(|db| {
        // The job belongs to an organization that runs the module, if possible one in which he can follow it.
        match modules::run_by(db, &follows, id)? {
            None => modules::run_by(db, &sight, id),
            followed => Ok(followed),
        }
    })?;
    let payload = json!({"module_id": id}).to_string();
    let (by, now) = (actor.label(), app.clock.now());
    let entry = audit::entry(app, actor, "module.refreshed").subject("module", id);
    let entry = match organization {
        Some(organization) => entry.organization(organization),
        None => entry,
    };
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
