//! Reports as pages: figures, charts and a table that has the cells of the file, and the files.

mod rows;
mod told;

use super::fleet::organizations_of;
use super::listing::{FilterChip, Listing, asked};
use super::view::fleet::Choice;
use super::view::reports::{ReportLink, ReportPage, ReportsPage};
use super::visit::{Handler, Reply, Visit};
use super::words;
use crate::domain::access::Permission;
use crate::domain::fault::Fault;
use crate::domain::report::{self, Asked, ENVIRONMENT_WORDS, Filter, RISK_WORDS, Report, date_of};
use crate::http::report as writing;
use crate::services::reports::{self, LEAVES, PAGE};
use crate::services::{Error, Result};

/// `GET /reports`.
pub const LIST: Handler = |visit| Box::pin(list(visit));
/// `GET /reports/security-updates`.
pub const SECURITY_UPDATES: Handler = |visit| Box::pin(show(visit, &report::SECURITY_UPDATES));
/// `GET /reports/module-updates`.
pub const MODULE_UPDATES: Handler = |visit| Box::pin(show(visit, &report::MODULE_UPDATES));
/// `GET /reports/sla-compliance`.
pub const SLA_COMPLIANCE: Handler = |visit| Box::pin(show(visit, &report::SLA_COMPLIANCE));
/// `GET /reports/historical`.
pub const HISTORICAL: Handler = |visit| Box::pin(show(visit, &report::HISTORICAL));
/// `GET /reports/end-of-life`.
pub const END_OF_LIFE: Handler = |visit| Box::pin(show(visit, &report::END_OF_LIFE));

async fn list(visit: Visit) -> Result<Reply> {
    let link = |report: &&'static Report| ReportLink {
        href: format!("/reports/{}", report.name),
        title: report.title,
        about: about(report),
    };
    Reply::page(&ReportsPage {
        shell: visit.shell("Reports").await?,
        reports: report::ALL.iter().map(link).collect(),
    })
}

/// What a report tells, in a sentence.
fn about(report: &Report) -> &'static str {
    match report.name {
        "security-updates" => {
            "Every exposure that opened: when, by when it was due, when it was closed."
        }
        "sla-compliance" => "What was due each month, and what was closed in time.",
        "module-updates" => "Versions that sites run now and that are not current.",
        "historical" => "Sites and exposures, day by day.",
        _ => "Until when core and PHP get security releases, and how many sites run them.",
    }
}

async fn show(visit: Visit, report: &'static Report) -> Result<Reply> {
    let mut pairs: Vec<(String, String)> = asked(&visit.query)
        .filter(|(name, _)| *name != "page")
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    if report.dated
        && ["from", "to"]
            .iter()
            .all(|name| pairs.iter().all(|(k, _)| k != name))
    {
        pairs.splice(0..0, usual(&visit, report));
    }
    let named = pairs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let question = match Asked::parse(report, named, visit.now) {
        Ok(question) => question,
        Err(faults) if visit.parameter("format").is_empty() => {
            return refused(&visit, report, pairs, &faults).await;
        }
        Err(faults) => return Err(Error::Invalid(faults)),
    };
    let format = pairs
        .iter()
        .find(|(name, _)| name == "format")
        .map(|(_, value)| value.clone());
    let walk = reports::begin(&visit.app, visit.actor()?, report, question.clone())?;
    if let Some(format) = format {
        let path = format!("/api/v1/reports/{}", report.name);
        let address = (path.as_str(), pairs.as_slice());
        let body = writing::file(report, walk, address, &visit.request_id).await?;
        let (name, media) = match format.as_str() {
            "csv" => (file_name(report), "text/csv; charset=utf-8"),
            _ => ("report.json", "application/json"),
        };
        return Ok(Reply::flow(name, media, body));
    }
    let page = visit
        .parameter("page")
        .parse()
        .unwrap_or(1)
        .clamp(1, LEAVES / PAGE);
    let leaf = reports::leaf(walk, page).await?;
    let (figures, charts) = told::told(&visit, report, &question, &leaf).await?;
    let mut shown = blank(&visit, report, pairs, question.environment()).await?;
    shown.list = Listing {
        total: leaf.total as u64,
        at_least: leaf.more,
        page: page as u64,
        pages: leaf.total.div_ceil(PAGE).max(1) as u64,
        ..shown.list
    };
    shown.period = period(report, &question, &shown);
    shown.days = report.dated.then(|| {
        let (from, to) = (date_of(question.from), date_of(question.to - 1));
        (from.to_string(), to.to_string())
    });
    (shown.figures, shown.charts) = (figures, charts);
    shown.heads = rows::heads(report);
    shown.rows = leaf
        .rows
        .iter()
        .map(|row| rows::row_of(report, row))
        .collect();
    Reply::page(&shown)
}

/// What cannot be asked, with what was typed and what is wrong with it.
async fn refused(
    visit: &Visit,
    report: &'static Report,
    pairs: Vec<(String, String)>,
    faults: &[Fault],
) -> Result<Reply> {
    // Whoever may not see a report isn't told what can be asked of it.
    reports::sight(visit.actor()?, crate::domain::listing::Format::Json)?;
    let chosen = visit.parameter("environment");
    let mut page = blank(visit, report, pairs, chosen).await?;
    let typed = |name: &str| page.list.value(name).to_owned();
    page.days = report.dated.then(|| (typed("from"), typed("to")));
    page.errors = faults.iter().map(at_field).collect();
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
async fn blank(
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
        figures: Vec::new(),
        charts: Vec::new(),
        heads: Vec::new(),
        rows: Vec::new(),
        list: listing(report, pairs, &organizations),
        organizations,
        errors: Vec::new(),
    })
}

/// The time that a page covers where nobody said: what a chart by month or day needs is a year.
fn usual(visit: &Visit, report: &Report) -> Vec<(String, String)> {
    let today = date_of(visit.now.as_millisecond());
    let year = jiff::Span::new().months(11);
    let month = jiff::Span::new().days(30);
    let from = match report.name {
        "sla-compliance" => today.first_of_month().checked_sub(year),
        "historical" => today.checked_sub(jiff::Span::new().days(365)),
        _ => today.checked_sub(month),
    };
    let from = from.unwrap_or(today);
    vec![
        ("from".to_owned(), from.to_string()),
        ("to".to_owned(), today.to_string()),
    ]
}

fn file_name(report: &Report) -> &'static str {
    match report.name {
        "security-updates" => "security-updates.csv",
        "sla-compliance" => "sla-compliance.csv",
        "module-updates" => "module-updates.csv",
        "historical" => "historical.csv",
        _ => "end-of-life.csv",
    }
}

/// For whom, of which time, and narrowed to what: all that a printed page must say of itself.
fn period(report: &Report, question: &Asked, page: &ReportPage) -> String {
    let asked = question.organization_id.map(|id| id.to_string());
    let named = page
        .organizations
        .iter()
        .find(|choice| Some(&choice.value) == asked.as_ref());
    let whom = match (named, asked, page.organizations.as_slice()) {
        (Some(one), ..) => one.word.clone(),
        (None, Some(id), _) => format!("Organization {id}"),
        (None, None, [only]) => only.word.clone(),
        (None, None, _) => "All organizations".to_owned(),
    };
    let environment = match question.environment() {
        "all" => "all environments",
        one => one,
    };
    let day = |day: jiff::civil::Date| day.strftime("%-d %b %Y").to_string();
    let when = if !report.dated || report.name == "module-updates" {
        "as it stands now".to_owned()
    } else {
        let (from, to) = (date_of(question.from), date_of(question.to - 1));
        format!("{} to {} (UTC)", day(from), day(to))
    };
    let mut said = format!("{whom}, {when}, {environment}");
    for chip in &page.list.chips {
        if !matches!(chip.parameter.as_str(), "organization_id" | "environment") {
            said += &format!(", {} {}", chip.key.to_lowercase(), chip.value);
        }
    }
    said
}

fn listing(report: &Report, pairs: Vec<(String, String)>, organizations: &[Choice]) -> Listing {
    let chips = pairs
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "from" | "to"));
    let chips = chips.map(|(name, value)| {
        let named = organizations.iter().find(|choice| choice.value == *value);
        let value = match (name.as_str(), named) {
            ("organization_id", Some(choice)) => choice.word.clone(),
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
