//! One module's pages: its versions and who runs what, the sites that run it, its settings, a new
//! one, and its end.

use super::catalogue::row;
use super::charts::VersionBar;
use super::export::{self, Export};
use super::fleet::organizations_of;
use super::listing::{Listing, Tab, asked};
use super::overview::natural;
use super::parts::{Clock, Status, Versions};
use super::view::fleet::Choice;
use super::view::forms::ConfirmPage;
use super::view::module::{
    ModuleForm as FormView, ModuleHead, ModuleSettingsPage, ModuleSiteRow, ModuleSitesPage,
    ModuleVersionsPage, NewModulePage, VersionRow,
};
use super::visit::{Handler, Reply, Visit, by_field};
use super::words;
use crate::domain::access::Permission;
use crate::domain::affected_site::{AffectedSite, LIST as SITES};
use crate::domain::listing::{Format, PER_PAGE_MAX, Query};
use crate::domain::module::{Module, ModuleForm};
use crate::domain::module_version::{LIST as VERSIONS, ModuleVersion};
use crate::domain::site::ENVIRONMENTS;
use crate::services::{Error, Result, modules};

/// `GET /modules/{id}`.
pub const SHOW: Handler = |visit| Box::pin(show(visit));
/// `GET /modules/{id}/sites`.
pub const RUN_BY: Handler = |visit| Box::pin(run_by(visit));
/// `GET /modules/{id}/settings`.
pub const SETTINGS: Handler = |visit| Box::pin(settings(visit));
/// `POST /modules/{id}/settings`.
pub const UPDATE: Handler = |visit| Box::pin(update(visit));
/// `GET /modules/new`.
pub const NEW: Handler = |visit| Box::pin(new(visit));
/// `POST /modules/new`.
pub const CREATE: Handler = |visit| Box::pin(create(visit));
/// `GET /modules/{id}/delete`.
pub const ASK_DELETE: Handler = |visit| Box::pin(ask_delete(visit));
/// `POST /modules/{id}/delete`.
pub const DELETE: Handler = |visit| Box::pin(delete(visit));

/// Versions in the chart.
const BARS: usize = 12;
/// The types to choose from.
const KINDS: [&str; 3] = ["module", "theme", "profile"];

async fn found(visit: &Visit) -> Result<Module> {
    modules::find(&visit.app, visit.actor()?, visit.id()?).await
}

/// What stands above every tab of a module.
fn head(visit: &Visit, module: Module, tab: &str) -> Result<ModuleHead> {
    let actor = visit.actor()?;
    let at = |word: &str, count: Option<u64>, path: &str| {
        Tab::new(
            word,
            count,
            format!("/modules/{}{path}", module.id),
            tab == path,
        )
    };
    let mut tabs = vec![
        at("Versions", None, ""),
        at("Sites", Some(natural(module.sites_count)), "/sites"),
    ];
    if actor.require_platform(Permission::ModulesWrite).is_ok() {
        tabs.push(at("Settings", None, "/settings"));
    }
    Ok(ModuleHead {
        link: module.drupal_link(),
        status: module.project_status.clone(),
        branches: module.supported_branches.clone(),
        next_check: module.next_check_at,
        may_refresh: module.is_project()
            && actor.require(Permission::ModulesWrite).is_ok()
            && visit.app.config.drupal_org.enabled,
        tabs,
        row: row(module),
    })
}

async fn show(visit: Visit) -> Result<Reply> {
    let module = found(&visit).await?;
    let actor = visit.actor()?;
    let query = Query::parse(&VERSIONS, asked(&visit.query)).map_err(Error::Invalid)?;
    let page = modules::versions(&visit.app, actor, module.id, &query).await?;
    let run = [("filter[sites_count][gt]", "0")];
    let mut all = Query::parse(&VERSIONS, run).map_err(Error::Invalid)?;
    all.per_page = PER_PAGE_MAX;
    let run = modules::versions(&visit.app, actor, module.id, &all)
        .await?
        .rows;
    Reply::page(&ModuleVersionsPage {
        shell: visit.shell(&module.title).await?,
        finding: skew(&run),
        bars: bars(&run),
        list: Listing::of(&visit.path, &visit.query, &query, &page),
        rows: page
            .rows
            .into_iter()
            .map(|version| version_row(module.id, version))
            .collect(),
        head: head(&visit, module, "")?,
    })
}

/// Those that most sites run, in the order of the releases.
fn bars(run: &[ModuleVersion]) -> Vec<VersionBar> {
    let mut counts: Vec<i64> = run.iter().map(|version| version.sites_count).collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let least = counts.get(BARS - 1).copied().unwrap_or(0);
    run.iter()
        .filter(|version| version.sites_count >= least)
        .take(BARS)
        .map(|version| VersionBar {
            version: named(version),
            sites: natural(version.sites_count),
            exposed: version.exposed == Some(true),
        })
        .collect()
}

fn named(version: &ModuleVersion) -> String {
    version
        .version_number
        .clone()
        .unwrap_or_else(|| "not told".to_owned())
}

/// How far the sites are apart, in words.
fn skew(run: &[ModuleVersion]) -> String {
    let sites: i64 = run.iter().map(|version| version.sites_count).sum();
    let exposed: i64 = run
        .iter()
        .filter(|version| version.exposed == Some(true))
        .map(|version| version.sites_count)
        .sum();
    let versions = words::count(run.len() as u64, "version", "versions");
    let on = format!(
        "{} on {versions}",
        words::count(natural(sites), "site", "sites")
    );
    if exposed == 0 {
        format!("{on}, none exposed by its version")
    } else {
        format!(
            "{on}, {} exposed by its version",
            words::number(natural(exposed))
        )
    }
}

fn version_row(module: i64, version: ModuleVersion) -> VersionRow {
    let said = [
        (version.is_security_update, "security update"),
        (version.is_insecure, "insecure"),
        (version.is_listed && !version.is_supported, "not supported"),
        (!version.is_listed, "not listed by drupal.org"),
    ];
    let about: Vec<&str> = said
        .into_iter()
        .filter(|(so, _)| *so)
        .map(|(_, word)| word)
        .collect();
    let own = Status::from_word(version.status.word(), false, false);
    let run_by = version
        .version_number
        .as_ref()
        .filter(|_| version.sites_count > 0)
        .map(|number| {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("filter[installed]", number)
                .finish();
            format!("/modules/{module}/sites?{query}")
        });
    VersionRow {
        run_by,
        status: match version.exposed {
            Some(true) => own.min(Status::Exposed),
            _ => own,
        },
        about: words::sentence(&about.join(", ")),
        sites: natural(version.sites_count),
        released: version.release_date,
        version: version.version_number,
    }
}

async fn run_by(visit: Visit) -> Result<Reply> {
    let module = found(&visit).await?;
    let mut pairs: Vec<(&str, &str)> = asked(&visit.query).collect();
    if !pairs.iter().any(|(name, _)| *name == "sort") {
        pairs.push(("sort", "due_at"));
    }
    let mut query = Query::parse(&SITES, pairs).map_err(Error::Invalid)?;
    if query.format == Format::Csv {
        return csv(&visit, module.id, query).await;
    }
    if visit.parameter("per_page").is_empty() {
        query.per_page = 50;
    }
    let page = modules::sites(&visit.app, visit.actor()?, module.id, &query).await?;
    let mut list = Listing::of(&visit.path, &visit.query, &query, &page);
    let organizations = organizations_of(
        &visit,
        Permission::SitesRead,
        visit.parameter("filter[organization_id]"),
    )
    .await?;
    for chip in &mut list.chips {
        let known = organizations
            .iter()
            .find(|o| chip.parameter == "filter[organization_id]" && o.value == chip.value);
        chip.value = known.map_or_else(|| chip.value.clone(), |o| o.word.clone());
    }
    let states = ["open", "overdue", "met", "breached", "withdrawn"];
    Reply::page(&ModuleSitesPage {
        shell: visit.shell(&module.title).await?,
        list,
        rows: page
            .rows
            .into_iter()
            .map(|site| site_row(&visit, site))
            .collect(),
        environments: choices(&ENVIRONMENTS, visit.parameter("filter[environment]")),
        organizations,
        states: choices(&states, visit.parameter("filter[state]")),
        head: head(&visit, module, "/sites")?,
    })
}

fn choices(words: &[&str], chosen: &str) -> Vec<Choice> {
    words
        .iter()
        .map(|word| Choice::new(*word, *word, chosen))
        .collect()
}

fn site_row(visit: &Visit, site: AffectedSite) -> ModuleSiteRow {
    let state = site.state(visit.now);
    let status = match (site.enabled, state, site.exposed) {
        (false, ..) => Some(Status::Disabled),
        (_, Some("overdue"), _) => Some(Status::Overdue),
        (_, _, Some(true)) => Some(Status::Exposed),
        (_, _, None) => Some(Status::Unknown),
        _ => None,
    };
    let target = site.fixed_in.first().map(String::as_str);
    ModuleSiteRow {
        id: site.site_id,
        versions: Versions::new(site.installed.as_deref(), target),
        name: site.site,
        organization: site.organization,
        environment: site.environment,
        status,
        clock: site.window.map(|window| Clock {
            now: visit.now,
            opened: window.opened_at,
            due: window.due_at,
            closed: window.closed_at,
        }),
    }
}

const COLUMNS: [&str; 11] = [
    "site_id",
    "site",
    "organization",
    "environment",
    "installed",
    "exposed",
    "state",
    "fixed_in",
    "opened_at",
    "due_at",
    "closed_at",
];

/// All sites that match, not only those of the page.
async fn csv(visit: &Visit, module: i64, mut query: Query) -> Result<Reply> {
    (query.per_page, query.page) = (PER_PAGE_MAX, 1);
    let mut export = Export::new(&COLUMNS)?;
    loop {
        let page = modules::sites(&visit.app, visit.actor()?, module, &query).await?;
        for site in &page.rows {
            export.row(record(visit, site).iter().map(String::as_str))?;
        }
        if !page.more || query.page * PER_PAGE_MAX >= export::MOST {
            break;
        }
        query.page += 1;
    }
    export.file("sites.csv")
}

fn record(visit: &Visit, site: &AffectedSite) -> Vec<String> {
    let time = |at: Option<jiff::Timestamp>| at.map(words::machine).unwrap_or_default();
    let window = site.window.as_ref();
    vec![
        site.site_id.to_string(),
        site.site.clone(),
        site.organization.clone(),
        site.environment.clone(),
        site.installed.clone().unwrap_or_default(),
        site.exposed.map(|yes| yes.to_string()).unwrap_or_default(),
        site.state(visit.now).unwrap_or_default().to_owned(),
        site.fixed_in.join(", "),
        time(window.map(|window| window.opened_at)),
        time(window.and_then(|window| window.due_at)),
        time(window.and_then(|window| window.closed_at)),
    ]
}

async fn settings(visit: Visit) -> Result<Reply> {
    visit.actor()?.require_platform(Permission::ModulesWrite)?;
    let module = found(&visit).await?;
    let form = FormView {
        title: module.title.clone(),
        kinds: kinds(&module.kind, &module.kind),
        ..FormView::default()
    };
    settings_page(&visit, module, form).await
}

async fn settings_page(visit: &Visit, module: Module, form: FormView) -> Result<Reply> {
    Reply::page(&ModuleSettingsPage {
        shell: visit
            .shell(&format!("Settings of {}", module.title))
            .await?,
        head: head(visit, module, "/settings")?,
        form,
    })
}

/// What a module of that type can be said to be.
fn kinds(was: &str, chosen: &str) -> Vec<Choice> {
    if KINDS.contains(&was) {
        choices(&KINDS, chosen)
    } else {
        choices(&[was], was)
    }
}

async fn update(visit: Visit) -> Result<Reply> {
    let id = visit.id()?;
    let form = ModuleForm {
        name: None,
        title: Some(visit.field("title").to_owned()),
        kind: Some(visit.field("type").to_owned()),
        unreadable: Vec::new(),
    };
    match modules::update(&visit.app, visit.actor()?, id, form).await {
        Ok(_) => Ok(Reply::go(format!("/modules/{id}/settings")).saying("Saved.")),
        Err(error) => {
            let faults = faults(error)?;
            let module = found(&visit).await?;
            let form = FormView {
                title: visit.field("title").to_owned(),
                kinds: kinds(&module.kind, visit.field("type")),
                faults,
                ..FormView::default()
            };
            Ok(settings_page(&visit, module, form).await?.status(422))
        }
    }
}

async fn new(visit: Visit) -> Result<Reply> {
    visit.actor()?.require_platform(Permission::ModulesWrite)?;
    new_page(&visit, Vec::new()).await
}

async fn new_page(visit: &Visit, faults: Vec<(String, String)>) -> Result<Reply> {
    Reply::page(&NewModulePage {
        shell: visit.shell("Add a module").await?,
        form: FormView {
            name: visit.field("module_name").to_owned(),
            title: visit.field("title").to_owned(),
            kinds: choices(&KINDS, visit.field("type")),
            faults,
        },
    })
}

async fn create(visit: Visit) -> Result<Reply> {
    let typed = |name: &str| {
        let typed = visit.field(name);
        (!typed.is_empty()).then(|| typed.to_owned())
    };
    let form = ModuleForm {
        name: Some(visit.field("module_name").to_owned()),
        title: typed("title"),
        // Core is core, whatever was chosen.
        kind: typed("type").filter(|_| visit.field("module_name") != "drupal"),
        unreadable: Vec::new(),
    };
    match modules::create(&visit.app, visit.actor()?, &form).await {
        Ok(made) => Ok(Reply::go(format!("/modules/{}", made.id)).saying(&format!(
            "{} was added; drupal.org is asked about it.",
            made.title
        ))),
        Err(error) => Ok(new_page(&visit, faults(error)?).await?.status(422)),
    }
}

/// What is wrong, by field; what isn't the form's fault goes on.
fn faults(error: Error) -> Result<Vec<(String, String)>> {
    match error {
        Error::Invalid(faults) => Ok(by_field(&faults)),
        Error::Conflict { detail, .. } => Ok(vec![("module_name".to_owned(), detail)]),
        other => Err(other),
    }
}

/// A module in use has its answer on its settings: it stays.
fn in_use(id: i64) -> Reply {
    Reply::go(format!("/modules/{id}/settings"))
}

async fn ask_delete(visit: Visit) -> Result<Reply> {
    visit.actor()?.require_platform(Permission::ModulesWrite)?;
    let module = found(&visit).await?;
    if module.sites_count > 0 {
        return Ok(in_use(module.id));
    }
    Reply::page(&ConfirmPage {
        shell: visit.shell(&format!("Delete {}", module.title)).await?,
        question: format!("Delete {}?", module.title),
        explanation: "It isn't asked for any more. A site that runs it brings it back by itself, and it can be restored."
            .to_owned(),
        keep: format!("/modules/{}/settings", module.id),
        keep_word: "Keep it".to_owned(),
        action: format!("/modules/{}/delete", module.id),
        deed: "Delete the module".to_owned(),
    })
}

async fn delete(visit: Visit) -> Result<Reply> {
    let module = found(&visit).await?;
    match modules::delete(&visit.app, visit.actor()?, module.id).await {
        Ok(()) => Ok(Reply::go("/modules").gone(
            &format!("{} was deleted.", module.title),
            &format!("/modules/{}/restore", module.id),
        )),
        Err(Error::Conflict { .. }) => Ok(in_use(module.id)),
        Err(other) => Err(other),
    }
}
