//! One site: what stands above each of its tabs, and the first of them, with what it runs.

use jiff::Timestamp;

use super::fleet::status_of;
use super::listing::{Listing, Tab, asked};
use super::overview::{cause, natural};
use super::parts::{Advisories, Status, Versions};
use super::site_timeline::timeline;
use super::site_windows::{closings, drawn_windows, open_windows};
use super::view::site::{ModuleRow, RunRow, SiteHead, SiteModulesPage, Stranger, composer_command};
use super::visit::{Handler, Reply, Visit};
use super::words;
use crate::domain::access::Permission;
use crate::domain::history::{PATCH_RUNS, PatchRun};
use crate::domain::listing::{List, PER_PAGE_MAX, Query};
use crate::domain::site::Site;
use crate::domain::site_module::{LIST as MODULES, SiteModule};
use crate::domain::window::Window;
use crate::services::{Error, Result, history, site_modules, sites};

/// `GET /sites/{id}`.
pub const SHOW: Handler = |visit| Box::pin(show(visit));

/// Patch runs beside the modules.
const RECENT: usize = 6;

/// What stands above every tab of a site.
pub fn head(visit: &Visit, site: &Site, tab: &str) -> SiteHead {
    let at = |word: &str, count: Option<u64>, path: &str| {
        Tab::new(
            word,
            count,
            format!("/sites/{}{path}", site.id),
            tab == path,
        )
    };
    let may = |permission| {
        visit
            .actor
            .as_ref()
            .is_some_and(|actor| actor.require_in(permission, site.organization_id).is_ok())
    };
    let mut tabs = vec![
        at("Modules", Some(natural(site.counts.total)), ""),
        at("Exposures", None, "/exposures"),
        at("Patch runs", None, "/patch-runs"),
        at("Events", None, "/events"),
        at("Syncs", None, "/syncs"),
    ];
    if may(Permission::ApiKeysManage) {
        tabs.push(at("Keys", None, "/keys"));
    }
    if may(Permission::SitesWrite) {
        tabs.push(at("Settings", None, "/settings"));
    }
    SiteHead {
        id: site.id,
        name: site.name.clone(),
        url: site.url.clone(),
        status: status_of(visit, site),
        reason: site.status_reason.as_deref().map(words::reason),
        silent_since: site.silent_since,
        organization_id: site.organization_id,
        organization: site.organization.clone(),
        environment: site.environment.clone(),
        tags: site.tags.clone(),
        core: site.drupal_version.clone(),
        php: site.php_version.clone(),
        last: site.last_sync_at,
        data_as_of: site.data_as_of,
        stranger: site.stranger.as_ref().map(|stranger| Stranger {
            at: stranger.at,
            url: stranger.url.clone(),
            known_url: Some(site.url.clone()).filter(|url| !url.is_empty()),
        }),
        tabs,
        may_write: may(Permission::SitesWrite),
        may_connect: may(Permission::ApiKeysManage),
        may_delete: may(Permission::SitesDelete),
    }
}

pub(super) async fn found(visit: &Visit) -> Result<Site> {
    sites::find(&visit.app, visit.actor()?, visit.id()?).await
}

/// The question of the URL; where it names no order, `order` is taken.
pub(super) fn query(visit: &Visit, list: &'static List, order: Option<&str>) -> Result<Query> {
    let mut pairs: Vec<(&str, &str)> = asked(&visit.query).collect();
    if let Some(order) = order.filter(|_| !pairs.iter().any(|(name, _)| *name == "sort")) {
        pairs.push(("sort", order));
    }
    Query::parse(list, pairs).map_err(Error::Invalid)
}

pub(super) async fn runs(visit: &Visit, site: &Site) -> Result<Vec<PatchRun>> {
    let mut query = Query::first(&PATCH_RUNS);
    query.per_page = PER_PAGE_MAX;
    Ok(
        history::patch_runs(&visit.app, visit.actor()?, Some(site.id), &query)
            .await?
            .rows,
    )
}

async fn show(visit: Visit) -> Result<Reply> {
    let site = found(&visit).await?;
    let mut query = query(&visit, &MODULES, Some("status"))?;
    if visit.parameter("per_page").is_empty() {
        query.per_page = 100;
    }
    let page = site_modules::list(&visit.app, visit.actor()?, site.id, &query).await?;
    let open = open_windows(&visit, &site).await?;
    let drawn = drawn_windows(&visit, &site, &open).await?;
    let runs = runs(&visit, &site).await?;
    let recent = runs.get(..RECENT).unwrap_or(&runs);
    let closings = closings(&visit, &site, recent).await?;
    let list = Listing::of(&visit.path, &visit.query, &query, &page);
    let mut rows: Vec<ModuleRow> = page
        .rows
        .iter()
        .map(|(module, _)| module_row(&visit, module, &open))
        .collect();
    // What counts in nothing comes last, unless another order was asked for.
    if visit.parameter("sort").is_empty() {
        rows.sort_by_key(|row| row.status);
    }
    let raises: Vec<(Option<String>, String, String)> = page
        .rows
        .iter()
        .filter_map(|(module, _)| raise(module))
        .collect();
    Reply::page(&SiteModulesPage {
        shell: visit.shell(&site.name).await?,
        head: head(&visit, &site, ""),
        timeline: timeline(visit.now, &drawn, &runs),
        summary: summary(&site),
        list,
        rows,
        command: composer_command(&raises),
        runs: recent.iter().map(|run| run_row(run, &closings)).collect(),
    })
}

fn summary(site: &Site) -> String {
    let said =
        |n: i64, word: &str| (n > 0).then(|| format!("{} {word}", words::number(natural(n))));
    let counts = &site.counts;
    let all = [
        said(counts.security, "exposed"),
        said(counts.unknown, "unknown"),
        said(counts.not_current, "with an update"),
        said(counts.custom, "custom"),
        said(counts.disabled, "not enabled"),
    ];
    all.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The open window of a module that is due first.
fn open_of(open: &[Window], module_id: i64) -> Option<&Window> {
    open.iter()
        .filter(|w| w.module_id == module_id)
        .min_by_key(|w| w.due_at.unwrap_or(Timestamp::MAX))
}

fn module_row(visit: &Visit, module: &SiteModule, open: &[Window]) -> ModuleRow {
    let open = open_of(open, module.module_id);
    let status = module_status(visit.now, module, open);
    let target = module
        .recommended()
        .filter(|_| module.update_available())
        .map(str::to_owned);
    let target = target.or_else(|| module.judgement.fixed_in().into_iter().next());
    ModuleRow {
        module_id: module.module_id,
        title: module.title.clone(),
        name: module.name.clone(),
        versions: Versions::new(module.installed.as_deref(), target.as_deref()),
        status,
        advisories: against(module),
        reason: reason(visit.now, module, status, open),
        components: module.components.len() as u64,
    }
}

/// Advisories named in one cell of a table.
const NAMED_ADVISORIES: usize = 2;

/// The advisories that count against what is installed; where none does, those that can't be compared with it.
fn against(module: &SiteModule) -> Advisories {
    let counting = module.judgement.advisory_ids();
    let ids = if counting.is_empty() && module.judgement.exposed().is_none() {
        &module.judgement.unclear
    } else {
        &counting
    };
    Advisories::first(ids, NAMED_ADVISORIES)
}

fn module_status(now: Timestamp, module: &SiteModule, open: Option<&Window>) -> Status {
    if !module.enabled && !module.custom {
        return Status::Disabled;
    }
    let overdue = open.and_then(|w| w.due_at).is_some_and(|due| due < now);
    let own = Status::from_word(module.standing().word(), overdue, false);
    match module.judgement.exposed() {
        Some(true) => own.min(Status::Exposed),
        None if module.judgement.assessment.is_some() => own.min(Status::Unknown),
        _ => own,
    }
}

fn reason(now: Timestamp, module: &SiteModule, status: Status, open: Option<&Window>) -> String {
    if let Some(window) = open.filter(|_| matches!(status, Status::Overdue | Status::Exposed)) {
        // The advisories, where there are any, stand before it.
        let said = match (module.judgement.advisories.is_empty(), window.no_fix) {
            (true, _) => Some(cause(
                window.cause.kind.word(),
                &window.cause.id,
                window.no_fix,
            )),
            (false, true) => Some(words::without_fix(module.name == "drupal").to_owned()),
            (false, false) => None,
        };
        let disputed = module
            .judgement
            .advisories
            .iter()
            .any(|found| found.disputed);
        // In one piece where the line breaks.
        let due = |at| format!("due {}", words::moment(now, at)).replace(' ', "\u{a0}");
        let all = [
            said,
            disputed.then(|| "readings disagree".to_owned()),
            window.due_at.map(due),
        ];
        return all.into_iter().flatten().collect::<Vec<_>>().join("; ");
    }
    match (status, &module.judgement.reason) {
        (Status::Disabled, _) => "On disk, not enabled: not counted".to_owned(),
        (Status::Custom, _) if module.kind == "library" => "A library: never looked up".to_owned(),
        (Status::Custom, _) => "Custom code: never looked up".to_owned(),
        (_, Some(word)) => words::reason(word),
        (Status::Unknown, None) if !module.judgement.unclear.is_empty() => {
            "can't be compared with what is installed".to_owned()
        }
        (Status::Unknown, None) => "Cannot tell whether it is exposed".to_owned(),
        (Status::Exposed, None) => "Lacks a security release".to_owned(),
        (Status::Unsupported, None) => "No fix will come: replace or uninstall".to_owned(),
        _ => String::new(),
    }
}

/// What a Composer command can raise: exposed, and a release is there to go to.
fn raise(module: &SiteModule) -> Option<(Option<String>, String, String)> {
    if !module.enabled || module.judgement.exposed() != Some(true) {
        return None;
    }
    let target = module
        .recommended()
        .map(str::to_owned)
        .or_else(|| module.judgement.fixed_in().into_iter().next())?;
    Some((module.composer.clone(), module.name.clone(), target))
}

pub(super) fn run_row(run: &PatchRun, closings: &[Window]) -> RunRow {
    let closed = || {
        let mine = |w: &&Window| w.closed_by_patch_run_id == Some(run.id);
        closings.iter().filter(mine)
    };
    let mut advisories: Vec<String> = closed().flat_map(|w| w.advisories.clone()).collect();
    advisories.sort_unstable();
    advisories.dedup();
    advisories.reverse();
    RunRow {
        id: run.id,
        state: run.state(),
        at: run.run_at,
        updated: natural(run.modules_updated),
        downgraded: natural(run.modules_downgraded),
        security: natural(run.security_patches_applied),
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
        closed: in_short(closed().map(|w| w.title.clone())),
        advisories: Advisories::first(&advisories, NAMED_ADVISORIES),
    }
}

/// At most four names, each once, and how many more there are.
fn in_short(names: impl Iterator<Item = String>) -> Vec<String> {
    const NAMED: usize = 4;
    let mut short: Vec<String> = Vec::new();
    for name in names {
        if !short.contains(&name) {
            short.push(name);
        }
    }
    if short.len() > NAMED + 1 {
        let more = short.len() - NAMED;
        short.truncate(NAMED);
        short.push(format!("{more} more"));
    }
    short
}
