//! One site's pages: what it runs, its windows, what was done, what changed, what arrived.

use jiff::{SignedDuration, Timestamp};

use super::charts::{self, Lane};
use super::fleet::status_of;
use super::listing::{Listing, Tab, asked};
use super::overview::{cause, natural};
use super::parts::{Advisories, Clock, Risk, Status, Versions};
use super::view::site::{
    EventRow, ExposureRow, ModuleRow, RefusedRow, RunRow, SiteEventsPage, SiteExposuresPage,
    SiteHead, SiteModulesPage, SiteRunsPage, SiteSyncsPage, Stranger, SyncRow, composer_command,
};
use super::visit::{Handler, Reply, Visit};
use super::words;
use crate::domain::access::Permission;
use crate::domain::check_in::silent_after;
use crate::domain::history::{EVENTS, PATCH_RUNS, PatchRun, RefusedSync, SYNCS};
use crate::domain::listing::{List, PER_PAGE_MAX, Query};
use crate::domain::site::Site;
use crate::domain::site_module::{LIST as MODULES, SiteModule};
use crate::domain::window::{LIST as WINDOWS, Window};
use crate::services::{Error, Result, exposures, history, site_modules, sites};

/// `GET /sites/{id}`.
pub const SHOW: Handler = |visit| Box::pin(show(visit));
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
/// Patch runs beside the modules.
const RECENT: usize = 6;
/// Lanes of the timeline.
const LANES: usize = 8;
/// The timeline's span: at least, and at most.
const SPAN: (SignedDuration, SignedDuration) = (
    SignedDuration::from_hours(60 * 24),
    SignedDuration::from_hours(366 * 24),
);

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

async fn found(visit: &Visit) -> Result<Site> {
    sites::find(&visit.app, visit.actor()?, visit.id()?).await
}

/// The question of the URL; where it names no order, `order` is taken.
fn query(visit: &Visit, list: &'static List, order: Option<&str>) -> Result<Query> {
    let mut pairs: Vec<(&str, &str)> = asked(&visit.query).collect();
    if let Some(order) = order.filter(|_| !pairs.iter().any(|(name, _)| *name == "sort")) {
        pairs.push(("sort", order));
    }
    Query::parse(list, pairs).map_err(Error::Invalid)
}

/// The newest windows of a site: enough for its timeline.
///
/// # Errors
/// What the services say.
pub async fn windows(visit: &Visit, site: &Site) -> Result<Vec<Window>> {
    let mut query = Query::first(&WINDOWS);
    query.per_page = PER_PAGE_MAX;
    Ok(
        exposures::list(&visit.app, visit.actor()?, Some(site.id), &query)
            .await?
            .rows,
    )
}

async fn runs(visit: &Visit, site: &Site) -> Result<Vec<PatchRun>> {
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
    let windows = windows(&visit, &site).await?;
    let runs = runs(&visit, &site).await?;
    let list = Listing::of(&visit.path, &visit.query, &query, &page);
    let mut rows: Vec<ModuleRow> = page
        .rows
        .iter()
        .map(|(module, _)| module_row(&visit, module, &windows))
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
        timeline: timeline(visit.now, &windows, &runs, &page.rows),
        summary: summary(&site),
        list,
        rows,
        command: composer_command(&raises),
        runs: runs
            .iter()
            .take(RECENT)
            .map(|run| run_row(run, &windows))
            .collect(),
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
fn open_of(windows: &[Window], module_id: i64) -> Option<&Window> {
    windows
        .iter()
        .filter(|w| w.module_id == module_id && w.closed_at.is_none())
        .min_by_key(|w| w.due_at.unwrap_or(Timestamp::MAX))
}

fn module_row(visit: &Visit, module: &SiteModule, windows: &[Window]) -> ModuleRow {
    let open = open_of(windows, module.module_id);
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
            (false, true) => Some(words::no_fix(module.name == "drupal").to_owned()),
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

/// Lanes by module: what is open first, then what was exposed last.
fn timeline(
    now: Timestamp,
    windows: &[Window],
    runs: &[PatchRun],
    modules: &[(SiteModule, crate::domain::site_module::Fitting)],
) -> Option<charts::Timeline> {
    let (least, most) = SPAN;
    let horizon = now.checked_sub(most).unwrap_or(now);
    let shown: Vec<&Window> = windows
        .iter()
        .filter(|w| w.closed_at.is_none_or(|at| at > horizon))
        .collect();
    let oldest = shown.iter().map(|w| w.opened_at).min()?;
    let from = oldest
        .min(now.checked_sub(least).unwrap_or(now))
        .max(horizon);
    let mut order: Vec<(bool, Timestamp, i64)> = Vec::new();
    for window in &shown {
        let key = (
            window.closed_at.is_some(),
            window.opened_at,
            window.module_id,
        );
        match order.iter_mut().find(|(.., id)| *id == window.module_id) {
            Some(known) => *known = (known.0 && key.0, known.1.max(key.1), known.2),
            None => order.push(key),
        }
    }
    order.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
    let lanes = order
        .iter()
        .take(LANES)
        .map(|(.., id)| Lane {
            name: title(*id, &shown, modules),
            windows: shown
                .iter()
                .rev()
                .filter(|w| w.module_id == *id)
                .map(|w| drawn(w, from))
                .collect(),
        })
        .collect();
    let patch_runs = runs
        .iter()
        .filter(|run| run.sync_id.is_some())
        .map(|run| run.run_at)
        .filter(|at| *at >= from)
        .collect();
    Some(charts::Timeline {
        now,
        from,
        lanes,
        patch_runs,
    })
}

fn drawn(window: &Window, from: Timestamp) -> charts::Window {
    charts::Window {
        opened: window.opened_at.max(from),
        due: window.due_at,
        closed: window.closed_at,
    }
}

fn title(
    id: i64,
    windows: &[&Window],
    modules: &[(SiteModule, crate::domain::site_module::Fitting)],
) -> String {
    let known = modules
        .iter()
        .find(|(module, _)| module.module_id == id)
        .map(|(module, _)| module.title.clone());
    let named = || {
        windows
            .iter()
            .find(|w| w.module_id == id)
            .map(|w| w.title.clone())
    };
    known.or_else(named).unwrap_or_default()
}

fn run_row(run: &PatchRun, windows: &[Window]) -> RunRow {
    let closed = || {
        let mine = |w: &&Window| w.closed_by_patch_run_id == Some(run.id);
        windows.iter().filter(mine)
    };
    let mut advisories: Vec<String> = closed().flat_map(|w| w.advisories.clone()).collect();
    advisories.sort_unstable();
    advisories.dedup();
    advisories.reverse();
    RunRow {
        at: run.run_at,
        updated: natural(run.modules_updated),
        downgraded: natural(run.modules_downgraded),
        security: natural(run.security_patches_applied),
        changes: run
            .changes
            .iter()
            .map(|change| {
                (
                    change.module.clone(),
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

async fn show_exposures(visit: Visit) -> Result<Reply> {
    let site = found(&visit).await?;
    let query = query(&visit, &WINDOWS, None)?;
    let page = exposures::list(&visit.app, visit.actor()?, Some(site.id), &query).await?;
    let list = Listing::of(&visit.path, &visit.query, &query, &page);
    Reply::page(&SiteExposuresPage {
        shell: visit.shell(&format!("Exposures of {}", site.name)).await?,
        head: head(&visit, &site, "/exposures"),
        list,
        rows: page
            .rows
            .iter()
            .map(|window| exposure_row(visit.now, window))
            .collect(),
    })
}

fn exposure_row(now: Timestamp, window: &Window) -> ExposureRow {
    ExposureRow {
        module_id: window.module_id,
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
            .then(|| words::no_fix(window.module == "drupal")),
    }
}

async fn show_runs(visit: Visit) -> Result<Reply> {
    let site = found(&visit).await?;
    let query = query(&visit, &PATCH_RUNS, None)?;
    let page = history::patch_runs(&visit.app, visit.actor()?, Some(site.id), &query).await?;
    let windows = windows(&visit, &site).await?;
    let list = Listing::of(&visit.path, &visit.query, &query, &page);
    Reply::page(&SiteRunsPage {
        shell: visit.shell(&format!("Patch runs of {}", site.name)).await?,
        head: head(&visit, &site, "/patch-runs"),
        list,
        rows: page.rows.iter().map(|run| run_row(run, &windows)).collect(),
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
