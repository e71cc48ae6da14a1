//! Security advisories: the list, and one with the sites that it hits.

use super::charts;
use super::export::{self, Export};
use super::fleet::organizations_of;
use super::listing::{Listing, Tab, asked, viewed};
use super::overview::{client, natural};
use super::parts::{Clock, Risk, Versions};
use super::vector;
use super::view::advisories::{AdvisoriesPage, AdvisoryPage, AdvisoryRow, AffectedRow};
use super::view::fleet::Choice;
use super::view::site::composer_command;
use super::visit::{Handler, Reply, Visit};
use super::words;
use crate::domain::access::Permission;
use crate::domain::advisory::reach::{Blind, Named, Reach};
use crate::domain::advisory::shown::{AFFECTED, Affected, LIST as ADVISORIES, Shown};
use crate::domain::exposure;
use crate::domain::listing::{PER_PAGE_MAX, Query};
use crate::domain::site::ENVIRONMENTS;
use crate::services::{Error, Result, advisories};

/// `GET /advisories`.
pub const LIST: Handler = |visit| Box::pin(list(visit));
/// `GET /advisories/{id}`.
pub const SHOW: Handler = |visit| Box::pin(show(visit));

/// Each view's word and name.
const VIEWS: [(&str, &str); 3] = [
    ("Sites exposed now", "affected"),
    ("Announcements", "announcements"),
    ("Withdrawn", "withdrawn"),
];

async fn list(visit: Visit) -> Result<Reply> {
    let query = query(&visit)?;
    if visit.parameter("format") == "csv" {
        return all(&visit, query).await;
    }
    let page = advisories::list(&visit.app, visit.actor()?, &query).await?;
    let mut list = Listing::of("/advisories", &visit.query, &query, &page);
    for chip in &mut list.chips {
        let word = match chip.parameter.as_str() {
            "filter[published_at][gte]" => "Published from",
            "filter[published_at][lte]" => "Published until",
            "filter[affected_sites_count][gt]" => "Exposed sites, more than",
            "filter[psa]" => "Announcement",
            _ => continue,
        };
        word.clone_into(&mut chip.key);
    }
    Reply::page(&AdvisoriesPage {
        shell: visit.shell("Advisories").await?,
        following: advisories::following(&visit.app, visit.actor()?).await?,
        views: views(visit.parameter("view")),
        list,
        rows: page.rows.iter().map(row).collect(),
        risks: exposure::Risk::WORST_FIRST
            .iter()
            .map(|risk| {
                let word = words::sentence(&risk.word().replace('_', " "));
                Choice::new(risk.word(), word, visit.parameter("filter[risk]"))
            })
            .collect(),
    })
}

/// What the URL asks, with what a view stands for; the same parser as the API's.
fn query(visit: &Visit) -> Result<Query> {
    let (view, mut pairs) = viewed(&visit.query, &VIEWS)?;
    match view {
        "affected" => pairs.push(("filter[affected_sites_count][gt]", "0")),
        "announcements" => pairs.push(("filter[psa]", "true")),
        "withdrawn" => pairs.push(("filter[withdrawn_at][null]", "false")),
        _ => {}
    }
    Query::parse(&ADVISORIES, pairs).map_err(Error::Invalid)
}

fn views(here: &str) -> Vec<Tab> {
    let view = |word: &str, name: &str| {
        let href = match name {
            "" => "/advisories".to_owned(),
            name => format!("/advisories?view={name}"),
        };
        Tab::new(word, None, href, here == name)
    };
    let all = VIEWS.iter().map(|(word, name)| view(word, name));
    std::iter::once(view("All", "")).chain(all).collect()
}

fn row(shown: &Shown) -> AdvisoryRow {
    AdvisoryRow {
        id: shown.id.clone(),
        title: title(shown),
        psa: shown.psa,
        withdrawn: shown.withdrawn_at.is_some(),
        module_id: shown.module_id,
        module: shown.module_title.clone(),
        risk: Risk::from_word(shown.risk.as_deref()),
        score: shown.score,
        cves: shown.cves.clone(),
        published: shown.published_at,
        sites: natural(shown.affected_sites_count),
    }
}

/// A title without what stands beside it anyway: drupal.org's repeat the risk and the id: "Token - Critical - Access bypass - SA-CONTRIB-2026-001".
pub fn title(shown: &Shown) -> String {
    let mut said: Vec<String> = Vec::new();
    for part in shown.title.split(" - ").map(str::trim) {
        let level = part.to_ascii_lowercase().replace(' ', "_");
        match (part.strip_prefix(&shown.id), said.last_mut()) {
            // What stands after the id belongs to what stands before it.
            (Some(rest), Some(last)) => last.push_str(rest),
            (Some(_), None) => {}
            _ if exposure::Risk::from_word(&level).is_some() => {}
            _ => said.push(part.to_owned()),
        }
    }
    if said.is_empty() {
        shown.title.clone()
    } else {
        said.join(", ")
    }
}

/// All advisories that match, not only those of the page.
async fn all(visit: &Visit, mut query: Query) -> Result<Reply> {
    (query.page, query.per_page) = (1, PER_PAGE_MAX);
    let mut file = Export::new(&[
        "id",
        "title",
        "module",
        "psa",
        "risk",
        "score",
        "cves",
        "published_at",
        "updated_at",
        "withdrawn_at",
        "affected_versions",
        "fixed_in",
        "url",
        "affected_sites_count",
    ])?;
    loop {
        let page = advisories::list(&visit.app, visit.actor()?, &query).await?;
        for shown in &page.rows {
            file.row([
                shown.id.as_str(),
                &shown.title,
                &shown.project,
                if shown.psa { "true" } else { "false" },
                shown.risk.as_deref().unwrap_or_default(),
                &shown.score.map(|n| n.to_string()).unwrap_or_default(),
                &shown.cves.join(", "),
                &words::machine(shown.published_at),
                &words::machine(shown.updated_at),
                &shown.withdrawn_at.map(words::machine).unwrap_or_default(),
                shown.affected_versions.as_deref().unwrap_or_default(),
                &shown.fixed_in.join(", "),
                &shown.url,
                &shown.affected_sites_count.to_string(),
            ])?;
        }
        if !page.more || query.page * PER_PAGE_MAX >= export::MOST {
            return file.file("advisories.csv");
        }
        query.page += 1;
    }
}

async fn show(visit: Visit) -> Result<Reply> {
    let actor = visit.actor()?;
    let name = visit.names.first().ok_or(Error::NotFound)?;
    let number = advisories::seen(&visit.app, &actor.sight(Permission::ModulesRead), name)?;
    let query = Query::parse(&AFFECTED, asked(&visit.query)).map_err(Error::Invalid)?;
    if visit.parameter("format") == "csv" {
        return affected(&visit, number, query).await;
    }
    let shown = advisories::find(&visit.app, actor, number).await?;
    let reach = advisories::reach(&visit.app, actor, number).await?;
    let page = advisories::affected(&visit.app, actor, number, &query).await?;
    let organizations = organizations_of(
        &visit,
        Permission::SitesRead,
        visit.parameter("filter[organization_id]"),
    )
    .await?;
    let mut list = Listing::of(&visit.path, &visit.query, &query, &page);
    for chip in &mut list.chips {
        let named = organizations
            .iter()
            .find(|o| chip.parameter == "filter[organization_id]" && o.value == chip.value);
        chip.value = named.map_or_else(|| chip.value.clone(), |o| o.word.clone());
    }
    let spans = advisories::course(&visit.app, actor, number).await?;
    let spans: Vec<_> = spans.iter().map(|s| (s.opened, s.due, s.closed)).collect();
    let rows = rows(
        &visit,
        &page.rows,
        &reach,
        query.sorts.len() == 1 && list.sort == "due_at",
    );
    let safe = shown.url.starts_with("https://");
    Reply::page(&AdvisoryPage {
        shell: visit.shell(&shown.id).await?,
        following: advisories::following(&visit.app, actor).await?,
        row: row(&shown),
        vector: shown
            .vector
            .as_deref()
            .map(vector::explained)
            .unwrap_or_default(),
        updated: shown.updated_at,
        known: shown.known_at,
        withdrawn_at: shown.withdrawn_at,
        affected: shown.affected_versions,
        fixed_in: shown.fixed_in,
        url: safe.then_some(shown.url),
        command: command(&page.rows),
        reach,
        course: charts::course(visit.now, &spans),
        list,
        rows,
        environments: ENVIRONMENTS
            .iter()
            .map(|e| Choice::new(*e, *e, visit.parameter("filter[environment]")))
            .collect(),
        organizations,
        states: STATES
            .iter()
            .map(|(value, word)| Choice::new(*value, *word, visit.parameter("filter[state]")))
            .collect(),
    })
}

const STATES: [(&str, &str); 6] = [
    ("open", "open, late or not"),
    ("overdue", "overdue"),
    ("met", "closed in time"),
    ("breached", "closed late"),
    ("withdrawn", "withdrawn"),
    ("ended", "ended"),
];

/// `grouped`: the open ones come first, so that a line may stand between them and the rest.
fn rows(visit: &Visit, found: &[Affected], reach: &Reach, grouped: bool) -> Vec<AffectedRow> {
    let disputed = |installed: &Option<String>| {
        let mut versions = reach.versions.iter();
        versions.any(|v| v.named == Named::Disputed && v.version == *installed)
    };
    let mut before = None;
    let mut rows = Vec::with_capacity(found.len());
    for affected in found {
        let window = &affected.window;
        let closed = window.closed_at.is_some();
        let first = before.replace(closed) != Some(closed);
        rows.push(AffectedRow {
            group: (grouped && first && closed).then_some("Closed"),
            clock: Clock {
                now: visit.now,
                opened: window.opened_at,
                due: window.due_at,
                closed: window.closed_at,
            },
            state: window.state(visit.now),
            site_id: window.site_id,
            site: window.site.clone(),
            client: client(&affected.organization, &window.environment),
            versions: Versions::new(
                window.installed.as_deref(),
                window.fixed_in.first().map(String::as_str),
            ),
            no_fix: window.no_fix,
            unproven_since: window.unproven_since.filter(|_| !closed),
            disputed: !closed && disputed(&window.installed),
        });
    }
    rows
}

/// The command that raises the module, where all open sites of the page that can be fixed need the same version.
fn command(found: &[Affected]) -> Option<String> {
    let fixable = |a: &&Affected| a.window.closed_at.is_none() && !a.window.no_fix;
    let open = || found.iter().filter(fixable);
    let first = &open().next()?.window;
    let version = first.fixed_in.first()?;
    let same = open().all(|a| a.window.fixed_in.first() == Some(version));
    let raise = (None, first.module.clone(), version.clone());
    same.then(|| composer_command(&[raise])).flatten()
}

/// All windows that match, not only those of the page.
async fn affected(visit: &Visit, number: i64, mut query: Query) -> Result<Reply> {
    (query.page, query.per_page) = (1, PER_PAGE_MAX);
    let mut file = Export::new(AFFECTED.columns)?;
    loop {
        let page = advisories::affected(&visit.app, visit.actor()?, number, &query).await?;
        for row in &page.rows {
            file.row(record(visit, row).iter().map(String::as_str))?;
        }
        if !page.more || query.page * PER_PAGE_MAX >= export::MOST {
            break;
        }
        query.page += 1;
    }
    if query.filters.is_empty() && query.q.is_none() {
        for cells in doubts(visit, number).await? {
            file.row(cells.iter().map(String::as_str))?;
        }
    }
    file.file("advisory-sites.csv")
}

/// What the windows leave open, so that a file with few rows is not read as an all-clear: a row for each
/// site that can't be compared, and one without a site where something else keeps from telling.
async fn doubts(visit: &Visit, number: i64) -> Result<Vec<[String; 14]>> {
    let (app, actor) = (&visit.app, visit.actor()?);
    let shown = advisories::find(app, actor, number).await?;
    let certainty = advisories::certainty(app, actor, number).await?;
    let blind = advisories::blind(app, actor, number, export::MOST).await?;
    let cells = |site: Option<&Blind>| {
        let mut cells: [String; 14] = Default::default();
        let [
            _,
            id,
            name,
            _,
            organization,
            environment,
            module,
            installed,
            _,
            state,
            ..,
        ] = &mut cells;
        if let Some(site) = site {
            *id = site.site_id.to_string();
            name.clone_from(&site.site);
            organization.clone_from(&site.organization);
            environment.clone_from(&site.environment);
            *installed = site.installed.clone().unwrap_or_default();
        }
        module.clone_from(&shown.project);
        "cannot_tell".clone_into(state);
        cells
    };
    let mut rows: Vec<_> = blind.iter().map(|site| cells(Some(site))).collect();
    let counts = !shown.psa && shown.withdrawn_at.is_none();
    let would_mislead = shown.affected_sites_count == 0 && !certainty.none_is_proven;
    if counts && rows.is_empty() && would_mislead {
        rows.push(cells(None));
    }
    Ok(rows)
}

/// The cells of a row, in the order of the list's columns.
fn record(visit: &Visit, affected: &Affected) -> [String; 14] {
    let window = &affected.window;
    let time = |at: Option<jiff::Timestamp>| at.map(words::machine).unwrap_or_default();
    let exposed = affected.exposed();
    [
        window.id.to_string(),
        window.site_id.to_string(),
        window.site.clone(),
        window.organization_id.to_string(),
        affected.organization.clone(),
        window.environment.clone(),
        window.module.clone(),
        window.installed.clone().unwrap_or_default(),
        exposed.map(|yes| yes.to_string()).unwrap_or_default(),
        window.state(visit.now).to_owned(),
        window.fixed_in.join(", "),
        words::machine(window.opened_at),
        time(window.due_at),
        time(window.closed_at),
    ]
}
