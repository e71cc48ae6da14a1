//! The form around a report: what was asked in it, what can be chosen, and what is wrong with it.

use super::super::fleet::organizations_of;
use super::super::listing::{FilterChip, Listing};
use super::super::view::fleet::Choice;
use super::super::view::reports::{ReportPage, TYPED_SITE};
use super::super::visit::{Reply, Visit};
use super::super::words;
use super::about;
use crate::domain::access::Permission;
use crate::domain::fault::Fault;
use crate::domain::listing::Format;
use crate::domain::report::{Asked, ENVIRONMENT_WORDS, Filter, RISK_WORDS, Report};
use crate::domain::site::{ENVIRONMENTS, Named};
use crate::services::named_sites::{self, Few};
use crate::services::{Result, reports};

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn number(text: &str) -> Option<i64> {
    text.parse().ok()
}

/// What is asked. Whoever types a site's name means that site: its number takes the name's place, so that the
/// addresses of files and pages are those of the API. What is typed in the form is a name first, digits or
/// not, and a number only where no site is called so.
pub(super) async fn asked(
    visit: &Visit,
    report: &'static Report,
    pairs: &mut [(String, String)],
) -> Result<std::result::Result<Asked, Vec<Fault>>> {
    let mut unknown = None;
    let mut by_name = false;
    for (field, _) in pairs.iter_mut().filter(|(name, _)| name == TYPED_SITE) {
        "site_id".clone_into(field);
        by_name = true;
    }
    let mut typed = pairs.iter_mut().filter(|(name, _)| name == "site_id");
    if let (Some((_, value)), None) = (typed.next(), typed.next())
        && (by_name || !is_number(value))
    {
        match meant(visit, value).await? {
            Ok(id) => *value = id,
            Err(fault) => unknown = Some(fault),
        }
    }
    let named = pairs
        .iter()
        .filter(|(name, _)| unknown.is_none() || name != "site_id")
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let read = Asked::parse(report, named, visit.now);
    Ok(match (read, unknown) {
        (read, None) => read,
        (Ok(_), Some(fault)) => Err(vec![fault]),
        (Err(mut faults), Some(fault)) => {
            faults.push(fault);
            Err(faults)
        }
    })
}

/// The number of the site with that name, as it stands in an address.
async fn meant(visit: &Visit, name: &str) -> Result<std::result::Result<String, Fault>> {
    let environments = match visit.parameter("environment") {
        "all" => &ENVIRONMENTS[..],
        "staging" => &ENVIRONMENTS[1..2],
        "development" => &ENVIRONMENTS[2..],
        _ => &ENVIRONMENTS[..1],
    };
    let within = number(visit.parameter("organization_id"));
    let found = named_sites::called(
        &visit.app,
        visit.actor()?,
        Permission::ReportsRead,
        (within, name),
        environments,
    );
    Ok(match found.await?.as_slice() {
        [one] => Ok(one.id.to_string()),
        [] if is_number(name) => Ok(name.to_owned()),
        [] => Err(Fault::new(
            "?site_id",
            "unknown_site",
            "site_id must be one that you can see there.",
        )),
        _ => Err(Fault::new(
            "?site_id",
            "ambiguous",
            "site_id is the name of several sites: choose an organization and one environment, too.",
        )),
    })
}

/// A site as people call it.
fn called(site: &Named, alone: bool) -> String {
    let mut called = site.name.clone();
    if site.environment != ENVIRONMENTS[0] {
        called += &format!(", {}", site.environment);
    }
    if !alone {
        called += &format!(" ({})", site.organization);
    }
    if site.deleted {
        called += " (deleted)";
    }
    called
}

/// The sites to choose from; the one that is asked for stays one of them, whatever it is.
fn sites(few: &Few, chosen: &str, named: Option<&Named>, alone: bool) -> Vec<Choice> {
    let choice = |site: &Named| Choice::new(site.id.to_string(), called(site, alone), chosen);
    let mut choices: Vec<Choice> = few.sites.iter().map(choice).collect();
    if !chosen.is_empty() && choices.iter().all(|choice| !choice.chosen) {
        let word = named.map_or_else(|| chosen.to_owned(), |site| called(site, alone));
        choices.push(Choice::new(chosen, word, chosen));
    }
    choices
}

/// What cannot be asked, with what was typed and what is wrong with it.
pub(super) async fn refused(
    visit: &Visit,
    report: &'static Report,
    pairs: Vec<(String, String)>,
    faults: &[Fault],
) -> Result<Reply> {
    // Whoever may not see a report isn't told what can be asked of it.
    reports::sight(visit.actor()?, Format::Json)?;
    let chosen = visit.parameter("environment");
    let mut page = blank(visit, report, pairs, chosen).await?;
    let typed = |name: &str| page.list.value(name).to_owned();
    page.days = report.has_period().then(|| (typed("from"), typed("to")));
    page.errors = faults.iter().map(at_field).collect();
    if page.many_sites {
        let at_site = page.errors.iter_mut().filter(|(name, _)| name == "site_id");
        at_site.for_each(|(name, _)| TYPED_SITE.clone_into(name));
    }
    Ok(Reply::page(&page)?.status(422))
}

/// What is wrong, with the field as the form calls it.
fn at_field(fault: &Fault) -> (String, String) {
    let field = fault.pointer.trim_start_matches('?');
    let called = match field {
        "to" => "Until".to_owned(),
        other => words::sentence(&other.trim_end_matches("_id").replace('_', " ")),
    };
    let detail = fault.detail.strip_prefix(field).unwrap_or(&fault.detail);
    let said = format!("{called}{}", detail.replace('_', " "));
    (field.to_owned(), said)
}

/// The page before anything was counted.
pub(super) async fn blank(
    visit: &Visit,
    report: &'static Report,
    pairs: Vec<(String, String)>,
    environment: &str,
) -> Result<ReportPage> {
    let chosen = visit.parameter("organization_id");
    let organizations = organizations_of(visit, Permission::ReportsRead, chosen).await?;
    let choices = |words: &[&str], chosen: &str| -> Vec<Choice> {
        let said = |word: &&str| Choice::new(*word, word.replace('_', " "), chosen);
        words.iter().map(said).collect()
    };
    let has = |filter| report.filters.contains(&filter);
    let actor = visit.actor()?;
    let few = named_sites::few(&visit.app, actor, Permission::ReportsRead, number(chosen));
    let few = few.await?;
    let site = pairs.iter().find(|(name, _)| name == "site_id");
    let site = site.map_or("", |(_, value)| value.as_str()).to_owned();
    let named = match number(&site) {
        Some(id) => named_sites::one(&visit.app, actor, Permission::ReportsRead, id).await?,
        None => None,
    };
    let alone = organizations.len() == 1 || !chosen.is_empty();
    Ok(ReportPage {
        shell: visit.shell(report.title).await?,
        title: report.title,
        about: about(report),
        period: String::new(),
        days: None,
        risks: if has(Filter::Risk) {
            choices(&RISK_WORDS, visit.parameter("risk"))
        } else {
            Vec::new()
        },
        environments: choices(&ENVIRONMENT_WORDS, environment),
        by_module: has(Filter::Module),
        sites: sites(&few, &site, named.as_ref(), alone),
        site: named.as_ref().map_or(site, |named| match named.deleted {
            true => named.id.to_string(),
            false => named.name.clone(),
        }),
        many_sites: few.many,
        tags: few.tags,
        notes: Vec::new(),
        figures: Vec::new(),
        charts: Vec::new(),
        heads: Vec::new(),
        rows: Vec::new(),
        list: listing(report, pairs, &organizations, named.as_ref()),
        organizations,
        errors: Vec::new(),
    })
}

fn listing(
    report: &Report,
    pairs: Vec<(String, String)>,
    organizations: &[Choice],
    site: Option<&Named>,
) -> Listing {
    let chips = pairs
        .iter()
        .filter(|(name, _)| !report.has_period() || !matches!(name.as_str(), "from" | "to"));
    let chips = chips.map(|(name, value)| {
        let named = organizations.iter().find(|choice| choice.value == *value);
        let value = match (name.as_str(), named, site) {
            ("organization_id", Some(choice), _) => choice.word.clone(),
            ("site_id", _, Some(site)) => called(site, true),
            ("tag" | "from" | "to", ..) => value.clone(),
            _ => value.replace('_', " "),
        };
        FilterChip {
            key: words::sentence(name.trim_end_matches("_id")),
            value,
            parameter: name.clone(),
        }
    });
    Listing {
        path: format!("/reports/{}", report.name),
        chips: chips.collect(),
        query: pairs,
        page: 1,
        pages: 1,
        ..Listing::default()
    }
}
