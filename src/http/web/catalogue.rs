//! Modules that the sites run, how drupal.org is followed, and background work.

use super::listing::{Listing, asked};
use super::overview::natural;
use super::view::catalogue::{AdvisoriesRow, CatalogueRow, FeedPage, JobRow, ModulesPage};
use super::visit::{Handler, Reply, Visit};
use crate::domain::access::Permission;
use crate::domain::job::{Job, LIST as JOBS};
use crate::domain::listing::Query;
use crate::domain::module::{LIST as MODULES, Module};
use crate::services::{Error, Result, advisory_feed, jobs, modules, overview};

/// `GET /modules`.
pub const LIST: Handler = |visit| Box::pin(list(visit));
/// `POST /modules/{id}/refresh`.
pub const REFRESH: Handler = |visit| Box::pin(refresh(visit));
/// `GET /feed`.
pub const FEED: Handler = |visit| Box::pin(feed(visit));

async fn list(visit: Visit) -> Result<Reply> {
    let mut pairs: Vec<(&str, &str)> = asked(&visit.query).collect();
    if !pairs.iter().any(|(name, _)| *name == "sort") {
        pairs.push(("sort", "-exposed_sites_count,-sites_count"));
    }
    let query = Query::parse(&MODULES, pairs).map_err(Error::Invalid)?;
    let page = modules::list(&visit.app, visit.actor()?, &query).await?;
    Reply::page(&ModulesPage {
        shell: visit.shell("Modules").await?,
        list: Listing::of("/modules", &visit.query, &query, &page),
        rows: page.rows.into_iter().map(row).collect(),
        may_write: visit
            .actor()?
            .require_platform(Permission::ModulesWrite)
            .is_ok(),
    })
}

/// A module as lists and its own pages show it.
pub fn row(module: Module) -> CatalogueRow {
    let trouble = match (module.is_project(), module.feed_state.as_str()) {
        (false, _) if module.origin == "library" => Some("a library: never looked up".to_owned()),
        (false, _) => Some("custom code: never looked up".to_owned()),
        (true, "absent") => Some("drupal.org knows no such project".to_owned()),
        (true, "failed") => Some("no answer yet".to_owned()),
        (true, "unreadable") => Some("the answer can't be read".to_owned()),
        _ => module
            .last_error
            .map(|error| format!("last question failed: {error}")),
    };
    CatalogueRow {
        id: module.id,
        title: module.title,
        name: module.name,
        kind: module.kind,
        sites: natural(module.sites_count),
        exposed: natural(module.exposed_sites_count),
        checked: module.last_checked_at,
        trouble,
    }
}

async fn refresh(visit: Visit) -> Result<Reply> {
    let id = visit.id()?;
    modules::refresh(&visit.app, visit.actor()?, id).await?;
    Ok(Reply::go(format!("/modules/{id}")).saying("drupal.org is being asked."))
}

async fn feed(visit: Visit) -> Result<Reply> {
    let actor = visit.actor()?;
    let state = overview::feed(&visit.app, actor).await?;
    let jobs = jobs::list(&visit.app, actor, &Query::first(&JOBS)).await?;
    let told = advisory_feed::state(&visit.app, actor).await?;
    Reply::page(&FeedPage {
        shell: visit.shell("drupal.org").await?,
        source: visit.app.config.drupal_org.release_history_url.clone(),
        tracked: natural(state.tracked),
        stale: natural(state.stale),
        pending: natural(state.pending),
        failing: state
            .failing
            .into_iter()
            .map(|failing| CatalogueRow {
                id: failing.id,
                title: failing.title,
                name: failing.name,
                kind: String::new(),
                sites: natural(failing.sites),
                exposed: 0,
                checked: None,
                trouble: Some(failing.trouble),
            })
            .collect(),
        untold: state
            .untold
            .into_iter()
            .map(|site| (site.id, site.name, site.module, site.since))
            .collect(),
        next: state.next,
        advisories: advisories(told, &visit.app.config.drupal_org.advisories_url),
        jobs: jobs.rows.into_iter().map(job).collect(),
    })
}

fn advisories(told: advisory_feed::State, source: &str) -> AdvisoriesRow {
    let trouble = |(nid, why): (i64, String)| match nid {
        0 => ("an entry without a number".to_owned(), None, why),
        nid => {
            let page = format!("https://www.drupal.org/node/{nid}");
            (format!("node {nid}"), Some(page), why)
        }
    };
    AdvisoriesRow {
        following: told.following,
        source: source.to_owned(),
        held: natural(told.held),
        filled: told.filled,
        since: told.since,
        incomplete: told.incomplete,
        read: told.last_success,
        next: told.next,
        waiting: natural(told.waiting),
        errors: told.errors,
        troubles: told.troubles.into_iter().map(trouble).collect(),
    }
}

fn job(job: Job) -> JobRow {
    JobRow {
        id: job.id,
        name: job.name,
        state: job.state,
        progress: job.total.map(|total| (natural(job.done), natural(total))),
        error: job.last_error,
        created: job.created_at,
        finished: job.finished_at,
    }
}
