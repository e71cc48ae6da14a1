//! Patch runs: all in sight, and one with what was announced, what changed, and what it closed.

use super::listing::{Listing, Tab, viewed};
use super::overview::natural;
use super::parts::Versions;
use super::view::patch_runs::{ClosedRow, PatchRunPage, PatchRunRow, PatchRunsPage};
use super::visit::{Handler, Reply, Visit};
use super::words;
use crate::domain::access::Permission;
use crate::domain::history::{PATCH_RUNS, PatchRun};
use crate::domain::listing::Query;
use crate::domain::window::LIST as EXPOSURES;
use crate::services::{Error, Result, exposures, history, named_sites};

/// `GET /patch-runs`.
pub const LIST: Handler = |visit| Box::pin(list(visit));
/// `GET /patch-runs/{id}`.
pub const SHOW: Handler = |visit| Box::pin(show(visit));

/// Each view's word and name, which is the state.
const VIEWS: [(&str, &str); 3] = [
    ("Claimed", "claimed"),
    ("Proved", "proved"),
    ("Unattributed", "unattributed"),
];

async fn list(visit: Visit) -> Result<Reply> {
    let (view, mut pairs) = viewed(&visit.query, &VIEWS)?;
    if !view.is_empty() {
        pairs.push(("filter[state]", view));
    }
    let query = Query::parse(&PATCH_RUNS, pairs).map_err(Error::Invalid)?;
    let page = history::patch_runs(&visit.app, visit.actor()?, None, &query).await?;
    let tab = |word: &str, name: &str| {
        let href = match name {
            "" => "/patch-runs".to_owned(),
            name => format!("/patch-runs?view={name}"),
        };
        Tab::new(word, None, href, view == name)
    };
    Reply::page(&PatchRunsPage {
        shell: visit.shell("Patch runs").await?,
        views: std::iter::once(tab("All", ""))
            .chain(VIEWS.iter().map(|(word, name)| tab(word, name)))
            .collect(),
        list: Listing::of("/patch-runs", &visit.query, &query, &page),
        rows: page.rows.iter().map(row).collect(),
    })
}

fn row(run: &PatchRun) -> PatchRunRow {
    let announced = run.announced.as_ref();
    let said = announced.into_iter().flat_map(|said| {
        let words = [&said.ticket, &said.commit, &said.performed_by];
        words.into_iter().flatten().cloned()
    });
    PatchRunRow {
        id: run.id,
        site_id: run.site_id,
        site: run.site.clone(),
        at: run.run_at,
        state: run.state(),
        words: done(run),
        changes: run
            .changes
            .iter()
            .map(|change| {
                (
                    words::changed(change),
                    Versions::new(change.from.as_deref(), change.to.as_deref()),
                )
            })
            .collect(),
        security: natural(run.security_patches_applied),
        said: said.collect(),
    }
}

/// "3 modules raised, 1 lowered".
fn done(run: &PatchRun) -> String {
    if run.sync_id.is_none() {
        return "No inventory shows it yet".to_owned();
    }
    let (up, down) = (
        natural(run.modules_updated),
        natural(run.modules_downgraded),
    );
    let raised = || words::count(up, "module raised", "modules raised");
    match (up, down) {
        (0, 0) => {
            let changed = run.changes.len() as u64;
            words::count(changed, "other change", "other changes")
        }
        (_, 0) => raised(),
        (0, _) => words::count(down, "module lowered", "modules lowered"),
        _ => format!("{}, {} lowered", raised(), words::number(down)),
    }
}

async fn show(visit: Visit) -> Result<Reply> {
    let (app, actor, id) = (&visit.app, visit.actor()?, visit.id()?);
    let run = history::patch_run(app, actor, id).await?;
    let number = id.to_string();
    let query = Query::parse(
        &EXPOSURES,
        [
            ("filter[closed_by_patch_run_id]", number.as_str()),
            ("per_page", "200"),
        ],
    )
    .map_err(Error::Invalid)?;
    let closed = exposures::list(app, actor, None, &query).await?;
    let mut facts = Vec::new();
    if let Some(said) = &run.announced {
        facts.push(("Announced by", said.by.clone()));
        let more = [
            ("Done by", &said.performed_by),
            ("Ticket", &said.ticket),
            ("Commit", &said.commit),
        ];
        let told = more.into_iter();
        facts.extend(told.filter_map(|(word, value)| Some((word, value.clone()?))));
    }
    let gone = named_sites::deleted(app, actor, Permission::SitesRead, &[run.site_id]).await?;
    Reply::page(&PatchRunPage {
        site_deleted: gone.contains(&run.site_id),
        shell: visit.shell(&format!("Patch run on {}", run.site)).await?,
        row: row(&run),
        facts,
        announced_at: run.announced.as_ref().map(|said| said.at),
        span: run
            .announced
            .as_ref()
            .map(|said| (said.started_at, said.finished_at)),
        closed: closed
            .rows
            .iter()
            .map(|window| ClosedRow {
                id: window.id,
                module: window.title.clone(),
                state: window.state(visit.now),
                took: words::span(words::between(
                    window.opened_at,
                    window.closed_at.unwrap_or(visit.now),
                )),
            })
            .collect(),
    })
}
