//! The windows of one site, read for its pages: what is open, what patch runs have closed, and what is drawn.

use std::cmp::Reverse;

use super::site_timeline::horizon;
use super::visit::Visit;
use super::words;
use crate::domain::history::PatchRun;
use crate::domain::listing::{PER_PAGE_MAX, Query};
use crate::domain::site::Site;
use crate::domain::window::{LIST as WINDOWS, Window};
use crate::services::{Error, Result, exposures};

/// Open windows of a site that are read, and windows that its patch runs closed: more than any site has.
const WINDOWS_READ: u32 = 5_000;

/// The open windows of a site: all of them, for each can be the one that is due first.
///
/// # Errors
/// What the services say.
pub async fn open_windows(visit: &Visit, site: &Site) -> Result<Vec<Window>> {
    asked_of(visit, site, &[("filter[state]", "open")], WINDOWS_READ).await
}

/// What is drawn: the open windows, and of those that have closed within the timeline's span the newest, at
/// most as many as a page has. Nothing but a drawing may be made from them.
///
/// # Errors
/// What the services say.
pub async fn drawn_windows(visit: &Visit, site: &Site, open: &[Window]) -> Result<Vec<Window>> {
    let since = words::machine(horizon(visit.now));
    let closed = [("filter[closed_at][gt]", since.as_str())];
    let mut windows = asked_of(visit, site, &closed, PER_PAGE_MAX).await?;
    windows.extend(open.iter().cloned());
    windows.sort_by_key(|window| Reverse(window.opened_at));
    Ok(windows)
}

/// The windows that these patch runs have closed.
///
/// # Errors
/// What the services say.
pub async fn closings(visit: &Visit, site: &Site, runs: &[PatchRun]) -> Result<Vec<Window>> {
    let ids: Vec<String> = runs.iter().map(|run| run.id.to_string()).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids = ids.join(",");
    let closed = [("filter[closed_by_patch_run_id][in]", ids.as_str())];
    asked_of(visit, site, &closed, WINDOWS_READ).await
}

async fn asked_of(
    visit: &Visit,
    site: &Site,
    pairs: &[(&str, &str)],
    most: u32,
) -> Result<Vec<Window>> {
    let mut query = Query::parse(&WINDOWS, pairs.iter().copied()).map_err(Error::Invalid)?;
    query.per_page = most;
    let page = exposures::list(&visit.app, visit.actor()?, Some(site.id), &query).await?;
    Ok(page.rows)
}
