//! The tabs of a site behind the first: its windows, what was done, what changed, what arrived.

use jiff::Timestamp;

use super::listing::Listing;
use super::overview::{cause, natural};
use super::parts::{Advisories, Clock, Risk, Versions};
use super::site::{found, head, query, run_row, runs};
use super::site_timeline::timeline;
use super::site_windows::{closings, drawn_windows, open_windows};
use super::view::site::{
    EventRow, ExposureRow, RefusedRow, SiteEventsPage, SiteExposuresPage, SiteRunsPage,
    SiteSyncsPage, SyncRow,
};
use super::visit::{Handler, Reply, Visit};
use super::words;
use crate::domain::check_in::silent_after;
use crate::domain::history::{EVENTS, PATCH_RUNS, RefusedSync, SYNCS};
use crate::domain::window::{LIST as WINDOWS, Window};
use crate::services::{Result, exposures, history};

/// `GET /sites/{id}/exposures`.
pub const EXPOSURES: Handler = |visit| Box::pin(show_exposures(visit));
/// `GET /sites/{id}/patch-runs`.
pub const RUNS: Handler = |visit| Box::pin(show_runs(visit));
/// `GET /sites/{id}/events`.
pub const CHANGES: Handler = |visit| Box::pin(show_events(visit));
/// `GET /sites/{id}/syncs`.
pub const ARRIVALS: Handler = |visit| Box::pin(show_syncs(visit));

/// Refused syncs that are shown.
const REFUSED: u32 = 20;

async fn show_exposures(visit: Visit) -> Result<Reply> {
    let site = found(&visit).await?;
    let query = query(&visit, &WINDOWS, None)?;
    let page = exposures::list(&visit.app, visit.actor()?, Some(site.id), &query).await?;
    let open = open_windows(&visit, &site).await?;
    let drawn = drawn_windows(&visit, &site, &open).await?;
    let list = Listing::of(&visit.path, &visit.query, &query, &page);
    Reply::page(&SiteExposuresPage {
        shell: visit.shell(&format!("Exposures of {}", site.name)).await?,
        head: head(&visit, &site, "/exposures"),
        list,
        timeline: timeline(visit.now, &drawn, &runs(&visit, &site).await?),
        rows: page
            .rows
            .iter()
            .map(|window| exposure_row(visit.now, window))
            .collect(),
    })
}

fn exposure_row(now: Timestamp, window: &Window) -> ExposureRow {
    ExposureRow {
        id: window.id,
        module: window.title.clone(),
        versions: Versions::new(
            window.installed.as_deref(),
            window.fixed_in.first().map(String::as_str),
        ),
        state: window.state(now).to_owned(),
        clock: Clock {
            now,
            opened: window.opened_at,
            due: window.due_at,
            closed: window.closed_at,
        },
        cause: cause(window.cause.kind.word(), &window.cause.id, window.no_fix),
        advisories: Advisories::all(&window.advisories),
        risk: Risk::from_word(window.risk.as_deref()),
        unproven_since: window.unproven_since.filter(|_| window.closed_at.is_none()),
        no_fix: window
            .no_fix
            .then(|| words::without_fix(window.module == "drupal")),
    }
}

async fn show_runs(visit: Visit) -> Result<Reply> {
    let site = found(&visit).await?;
    let query = query(&visit, &PATCH_RUNS, None)?;
    let page = history::patch_runs(&visit.app, visit.actor()?, Some(site.id), &query).await?;
    let closings = closings(&visit, &site, &page.rows).await?;
    let list = Listing::of(&visit.path, &visit.query, &query, &page);
    Reply::page(&SiteRunsPage {
        shell: visit.shell(&format!("Patch runs of {}", site.name)).await?,
        head: head(&visit, &site, "/patch-runs"),
        list,
        rows: page
            .rows
            .iter()
            .map(|run| run_row(run, &closings))
            .collect(),
    })
}

async fn show_events(visit: Visit) -> Result<Reply> {
    let site = found(&visit).await?;
    let query = query(&visit, &EVENTS, None)?;
    let page = history::events(&visit.app, visit.actor()?, site.id, &query).await?;
    let list = Listing::of(&visit.path, &visit.query, &query, &page);
    let rows = page.rows.into_iter().map(|event| EventRow {
        at: event.occurred_at,
        kind: event.kind,
        module_id: event.module_id,
        module: event.title,
        versions: match (event.from, event.to) {
            (Some(from), None) => Versions::new(Some(&from), None),
            (None, Some(to)) => Versions::new(Some(&to), None),
            (from, to) => Versions::new(from.as_deref(), to.as_deref()),
        },
    });
    Reply::page(&SiteEventsPage {
        shell: visit.shell(&format!("Events of {}", site.name)).await?,
        head: head(&visit, &site, "/events"),
        list,
        rows: rows.collect(),
    })
}

async fn show_syncs(visit: Visit) -> Result<Reply> {
    let site = found(&visit).await?;
    let query = query(&visit, &SYNCS, None)?;
    let actor = visit.actor()?;
    let page = history::syncs(&visit.app, actor, site.id, &query).await?;
    let refused = history::refused(&visit.app, actor, site.id, REFUSED).await?;
    let list = Listing::of(&visit.path, &visit.query, &query, &page);
    let rows = page.rows.into_iter().map(|sync| SyncRow {
        at: sync.received_at,
        agent: sync.agent,
        source: sync.source,
        total: natural(sync.total),
        added: natural(sync.added),
        changed: natural(sync.updated + sync.downgraded),
        removed: natural(sync.removed),
    });
    Reply::page(&SiteSyncsPage {
        shell: visit.shell(&format!("Syncs of {}", site.name)).await?,
        head: head(&visit, &site, "/syncs"),
        interval: natural(site.sync_interval_minutes),
        next_before: site
            .last_sync_at
            .map(|last| silent_after(last, site.sync_interval_minutes)),
        refused: refused.into_iter().map(RefusedRow::from).collect(),
        list,
        rows: rows.collect(),
    })
}

impl From<RefusedSync> for RefusedRow {
    fn from(refused: RefusedSync) -> Self {
        Self {
            at: refused.received_at,
            status: u16::try_from(refused.status).unwrap_or(0),
            code: refused.code,
            detail: refused.detail,
            address: refused.address,
        }
    }
}
