//! Asking drupal.org about the modules that are due, a few at once and outside any transaction; each
//! answer is recorded in one write. When a module is due is the schedule's word, how politely it is
//! asked the client's.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::{Error, Result, catalogue};
use crate::app::App;
use crate::domain::access::{Actor, Permission};
use crate::outbound::drupal_org::{Feed, FetchRequest, Fetched};
use crate::store::Lane;
use crate::store::catalogue::{self as store, Module};

/// Modules asked at the same time.
const AT_ONCE: usize = 4;
/// Modules that one step begins to ask at most: a stop waits for a step.
const MOST: usize = 20;

/// Asks about modules that are due, the longest due first. False: none is, or nobody may be asked now.
///
/// # Errors
/// The first error of the store; the other answers are recorded nevertheless.
pub async fn step(app: &Arc<App>) -> Result<bool> {
    let Some(feed) = &app.feed else {
        return Ok(false);
    };
    let _turn = app.asking_modules.lock().await;
    let mut begun: HashSet<i64> = HashSet::new();
    let mut asking = JoinSet::new();
    let mut outcome = Ok(());
    loop {
        if begun.len() < MOST && asking.len() < AT_ONCE && feed.paused_until().is_none() {
            // What was begun may still be due: its answer is under way, or was not recorded.
            let next = catalogue::due(app, MOST.try_into().unwrap_or(u32::MAX))?
                .into_iter()
                .find(|module| !begun.contains(&module.id));
            if let Some(module) = next {
                begun.insert(module.id);
                let (app, feed) = (Arc::clone(app), Arc::clone(feed));
                asking.spawn(async move { ask(&app, &*feed, &module).await });
                continue;
            }
        }
        match asking.join_next().await {
            None => break,
            Some(Ok(recorded)) => outcome = outcome.and(recorded.map(drop)),
            Some(Err(ended)) => {
                outcome = outcome.and(Err(Error::Internal(ended.to_string())));
            }
        }
    }
    outcome.map(|()| !begun.is_empty())
}

/// Has all modules asked about now; gives how many they are. [`step`] does the asking.
///
/// # Errors
/// Where the caller may not; [`Error::Unavailable`] where nobody may be asked now; what the store says.
pub async fn begin(app: &App, actor: &Actor) -> Result<u32> {
    actor.require_platform(Permission::ModulesWrite)?;
    feed(app)?;
    let now = app.clock.now();
    app.store
        .write(Lane::Back, move |db| Ok(store::make_all_due(db, now)?))
        .await
}

/// How many modules wait to be asked about.
///
/// # Errors
/// What the store says.
pub fn left(app: &App) -> Result<u32> {
    let now = app.clock.now();
    Ok(app.store.read(|db| store::count_due(db, now))?)
}

/// Asks about one module now, whether it is due or not. Gives back what went wrong with the answer, in a
/// few words for people; it is recorded all the same.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Unavailable`] where nobody may be asked now; what the store says.
pub async fn one(app: &App, module_id: i64) -> Result<Option<String>> {
    let feed = feed(app)?;
    let module = catalogue::module(app, module_id)?;
    ask(app, &**feed, &module).await
}

/// Whom to ask, where anybody may be asked now.
fn feed(app: &App) -> Result<&Arc<dyn Feed>> {
    let feed = app.feed.as_ref().ok_or_else(Error::not_asking)?;
    match feed.paused_until() {
        Some(until) => Err(Error::asked_to_wait(app.clock.now(), until)),
        None => Ok(feed),
    }
}

async fn ask(app: &App, feed: &dyn Feed, module: &Module) -> Result<Option<String>> {
    // Validators belong to the document that is stored: without one, all of it is wanted.
    let stored = module.publication_id.is_some();
    let answer = feed
        .fetch(FetchRequest {
            project: module.name.clone(),
            etag: module.etag.clone().filter(|_| stored),
            last_modified: module.last_modified.clone().filter(|_| stored),
        })
        .await;
    tracing::debug!(
        project = module.name,
        answer = answer.word(),
        "asked drupal.org"
    );
    let wrong = match &answer {
        Fetched::Document { .. } | Fetched::NotModified => None,
        Fetched::Absent => Some("drupal.org knows no such project".to_owned()),
        Fetched::Unreadable { reason } | Fetched::Failed { reason, .. } => Some(reason.clone()),
    };
    catalogue::record(app, module.id, answer).await?;
    Ok(wrong)
}
