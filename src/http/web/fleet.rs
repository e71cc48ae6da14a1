//! The list of sites.

use super::export::{self, Export};
use super::listing::{Listing, Tab, viewed};
use super::overview::{counts, natural};
use super::parts::{Clock, Status};
use super::view::fleet::{Choice, SiteRow, SitesPage, Why};
use super::view::overview::Counts;
use super::visit::{Handler, Reply, Visit};
use super::words;
use crate::domain::access::Permission;
use crate::domain::listing::{PER_PAGE_MAX, Query};
use crate::domain::site::{ENVIRONMENTS, LIST as SITES, Site};
use crate::services::overview as glance;
use crate::services::{Error, Result, organizations, sites};

/// `GET /sites`.
pub const LIST: Handler = |visit| Box::pin(list(visit));

/// Worst first, and of those the most urgent.
const ORDER: &str = "status,next_due_at";

/// Each view's word and name.
const VIEWS: [(&str, &str); 7] = [
    ("Overdue", "overdue"),
    ("Exposed", "exposed"),
    ("Unsupported", "unsupported"),
    ("Silent", "silent"),
    ("Unknown", "unknown"),
    ("Update available", "update"),
    ("Fine", "fine"),
];

async fn list(visit: Visit) -> Result<Reply> {
    let query = query(&visit)?;
    if visit.parameter("format") == "csv" {
        return csv(&visit, query).await;
    }
    let actor = visit.actor()?;
    let page = sites::list(&visit.app, actor, &query).await?;
    let counts = counts(glance::words(&visit.app, actor).await?);
    let organizations = organizations_of(
        &visit,
        Permission::SitesRead,
        visit.parameter("filter[organization_id]"),
    )
    .await?;
    let mut list = Listing::of("/sites", &visit.query, &query, &page);
    for chip in &mut list.chips {
        let named = organizations
            .iter()
            .find(|o| chip.parameter == "filter[organization_id]" && o.value == chip.value);
        chip.value = named.map_or_else(|| chip.value.clone(), |o| o.word.clone());
    }
    Reply::page(&SitesPage {
        shell: visit.shell("Sites").await?,
        views: views(&counts, visit.parameter("view")),
        list,
        rows: page
            .rows
            .into_iter()
            .map(|site| row(&visit, site))
            .collect(),
        environments: ENVIRONMENTS
            .iter()
            .map(|e| Choice::new(*e, *e, visit.parameter("filter[environment]")))
            .collect(),
        organizations,
        may_write: actor.require(Permission::SitesWrite).is_ok(),
    })
}

/// What the URL asks, with what a view stands for; the same parser as the API's.
fn query(visit: &Visit) -> Result<Query> {
    let now = words::machine(visit.now);
    let (view, mut pairs) = viewed(&visit.query, &VIEWS)?;
    if !pairs.iter().any(|(name, _)| *name == "sort") {
        pairs.push(("sort", ORDER));
    }
    let calm = ("filter[silent]", "false");
    match view {
        "exposed" => pairs.push(("filter[status]", "not_secure")),
        "overdue" => pairs.push(("filter[next_due_at][lt]", &now)),
        "unsupported" => pairs.push(("filter[status][in]", "not_supported,revoked")),
        "silent" => pairs.push(("filter[silent]", "true")),
        "unknown" => pairs.extend([("filter[status][in]", "unknown,not_checked,pending"), calm]),
        "update" => pairs.extend([("filter[status]", "not_current"), calm]),
        "fine" => pairs.extend([("filter[status]", "current"), calm]),
        _ => {}
    }
    Query::parse(&SITES, pairs).map_err(Error::Invalid)
}

fn views(counts: &Counts, here: &str) -> Vec<Tab> {
    let view = |word: &str, count, name: &str| {
        Tab::new(
            word,
            Some(count),
            format!("/sites?view={name}"),
            here == name,
        )
    };
    let mut views = vec![Tab::new(
        "All",
        Some(counts.total()),
        "/sites",
        here.is_empty(),
    )];
    let all = VIEWS.into_iter().map(|(word, name)| {
        let count = match name {
            "overdue" => counts.overdue,
            "exposed" => counts.exposed,
            "unsupported" => counts.unsupported,
            "silent" => counts.silent,
            "unknown" => counts.unknown,
            "update" => counts.update,
            _ => counts.fine,
        };
        (word, count, name)
    });
    // A view of nothing is left out, unless it is the one that is open.
    views.extend(
        all.filter(|(_, n, name)| *n > 0 || here == *name)
            .map(|(word, n, name)| view(word, n, name)),
    );
    views
}

/// The organizations to choose from: those in which the visitor holds the permission, by name.
///
/// # Errors
/// What the service says.
pub async fn organizations_of(
    visit: &Visit,
    permission: Permission,
    chosen: &str,
) -> Result<Vec<Choice>> {
    let named = organizations::named(&visit.app, visit.actor()?, permission).await?;
    Ok(named
        .into_iter()
        .map(|(id, name)| Choice::new(id.to_string(), name, chosen))
        .collect())
}

/// A site's status as pages show it.
pub fn status_of(visit: &Visit, site: &Site) -> Status {
    let overdue = site.next_due_at.is_some_and(|due| due < visit.now);
    Status::from_word(site.status.word(), overdue, site.silent_since.is_some())
}

fn row(visit: &Visit, site: Site) -> SiteRow {
    let status = status_of(visit, &site);
    SiteRow {
        id: site.id,
        status,
        silent: site.silent_since.is_some(),
        why: why(visit, &site, status),
        name: site.name,
        client: site.organization,
        environment: site.environment,
        tags: site.tags,
        core: site.drupal_version,
        exposed: natural(site.open_exposures),
        updates: natural(site.counts.not_current),
        last: site.last_sync_at,
    }
}

fn why(visit: &Visit, site: &Site, status: Status) -> Why {
    match (status, site.next_due_at, site.silent_since) {
        (Status::Overdue | Status::Exposed, Some(due), _) => Why::Clock(Clock {
            now: visit.now,
            opened: visit.now,
            due: Some(due),
            closed: None,
        }),
        (Status::Silent, _, Some(since)) => {
            Why::Words(format!("Expected {}", words::relative(visit.now, since)))
        }
        (Status::NotChecked, ..) if site.status_reason.is_none() => {
            Why::Words("Runs a development snapshot without a date".to_owned())
        }
        (Status::Pending, ..) => Why::Words("Nothing has arrived yet".to_owned()),
        (Status::Unsupported, ..) if site.status_reason.is_none() => {
            Why::Words("Runs something without support".to_owned())
        }
        (Status::Unknown, ..) if site.status_reason.is_none() => {
            Why::Words("Something on it can't be judged".to_owned())
        }
        (Status::Fine | Status::Update, ..) => Why::Nothing,
        _ => site
            .status_reason
            .as_deref()
            .map_or(Why::Nothing, |word| Why::Words(words::reason(word))),
    }
}

const COLUMNS: [&str; 14] = [
    "id",
    "name",
    "url",
    "organization",
    "environment",
    "tags",
    "status",
    "status_reason",
    "silent",
    "drupal_version",
    "php_version",
    "open_exposures",
    "next_due_at",
    "last_sync_at",
];

/// All sites that match, not only those of the page.
async fn csv(visit: &Visit, mut query: Query) -> Result<Reply> {
    query.per_page = PER_PAGE_MAX;
    query.page = 1;
    let mut export = Export::new(&COLUMNS)?;
    loop {
        let page = sites::list(&visit.app, visit.actor()?, &query).await?;
        for site in &page.rows {
            export.row(record(site).iter().map(String::as_str))?;
        }
        if !page.more || query.page * PER_PAGE_MAX >= export::MOST {
            break;
        }
        query.page += 1;
    }
    export.file("sites.csv")
}

fn record(site: &Site) -> Vec<String> {
    let time = |at: Option<jiff::Timestamp>| at.map(words::machine).unwrap_or_default();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    vec![
        site.id.to_string(),
        site.name.clone(),
        site.url.clone(),
        site.organization.clone(),
        site.environment.clone(),
        site.tags.join(", "),
        site.status.word().to_owned(),
        text(&site.status_reason),
        site.silent_since.is_some().to_string(),
        text(&site.drupal_version),
        text(&site.php_version),
        site.open_exposures.to_string(),
        time(site.next_due_at),
        time(site.last_sync_at),
    ]
}
