//! Reports as pages: figures, charts and a table that has the cells of the file, and the files.

mod form;
mod rows;
mod told;

use jiff::{Timestamp, civil::Date};

use self::rows::Gone;
use super::listing::{Listing, asked};
use super::view::reports::{Note, ReportLink, ReportPage, ReportsPage};
use super::visit::{Handler, Reply, Visit};
use super::words;
use crate::domain::report::{self, Asked, DAY, Filter, Report, date_of};
use crate::http::report as writing;
use crate::services::reports::{self, LEAVES, Leaf, PAGE};
use crate::services::{Error, Result};

/// Modules that could not be judged and are named, at most.
const NAMED: usize = 10;

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
    if report.has_period()
        && ["from", "to"]
            .iter()
            .all(|name| pairs.iter().all(|(k, _)| k != name))
    {
        pairs.splice(0..0, usual(&visit, report));
    }
    let question = match form::asked(&visit, report, &mut pairs).await? {
        Ok(question) => question,
        Err(faults) if visit.parameter("format").is_empty() => {
            return form::refused(&visit, report, pairs, &faults).await;
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
    let notes = notes(&visit, &question, &leaf).await?;
    let (figures, charts) = told::told(&visit, report, &question, &leaf).await?;
    let gone = Gone::among(&visit, report, &leaf.rows).await?;
    let mut shown = form::blank(&visit, report, pairs, question.environment()).await?;
    shown.list = Listing {
        total: leaf.total as u64,
        at_least: leaf.more,
        beyond: leaf.rows.is_empty() && leaf.total > 0,
        page: page as u64,
        pages: leaf.total.div_ceil(PAGE).max(1) as u64,
        ..shown.list
    };
    shown.period = period(report, &question, &shown);
    shown.days = report.has_period().then(|| {
        let (from, to) = (date_of(question.from), date_of(question.to - 1));
        (from.to_string(), to.to_string())
    });
    // What nobody has on record has no figures: a zero would be taken for an all-clear.
    if leaf.total > 0 || notes.is_empty() || !leaf.unknown.is_empty() {
        (shown.figures, shown.charts) = (figures, charts);
    }
    shown.notes = notes;
    shown.heads = rows::heads(report);
    shown.rows = leaf
        .rows
        .iter()
        .map(|row| rows::row_of(report, row, &gone))
        .collect();
    if *report == report::END_OF_LIFE && shown.shell.may("sites:read") {
        rows::lead_to_unreported(&question, &leaf.rows, &mut shown.rows);
    }
    Reply::page(&shown)
}

/// What must be known to read the rows: names that nobody has on record, and what could not be judged.
async fn notes(visit: &Visit, question: &Asked, leaf: &Leaf) -> Result<Vec<Note>> {
    let mut notes = Vec::new();
    if leaf.total == 0 {
        for missing in reports::not_on_record(&visit.app, visit.actor()?, question).await? {
            let text = match missing {
                Filter::Module => "No module of that name is on record.",
                Filter::Tag => "No site with that tag is on record.",
                _ => "No such site is on record.",
            };
            notes.push(Note {
                text: text.to_owned(),
                links: Vec::new(),
                more: 0,
            });
        }
    }
    let unknown = leaf.unknown.len() as u64;
    if unknown > 0 {
        let modules = words::count(unknown, "module", "modules");
        let named = leaf.unknown.iter().take(NAMED);
        notes.push(Note {
            text: format!(
                "{modules} could not be judged, and nobody knows whether there is something newer:"
            ),
            links: named
                .map(|(id, name)| (format!("/modules/{id}"), name.clone()))
                .collect(),
            more: unknown.saturating_sub(NAMED as u64),
        });
    }
    Ok(notes)
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

/// Where a time begins or ends, milliseconds: at midnight that day, else the instant itself.
fn moment(at: i64, day: Date) -> String {
    let instant = Timestamp::from_millisecond(at).unwrap_or_default();
    let said = match at {
        _ if at % DAY == 0 => day.strftime("%-d %b %Y"),
        _ if at % 60_000 < 1_000 => instant.strftime("%-d %b %Y, %H:%M"),
        _ => instant.strftime("%-d %b %Y, %H:%M:%S"),
    };
    said.to_string()
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
    let when = if report.has_period() {
        let from = moment(question.from, date_of(question.from));
        let to = moment(question.to, date_of(question.to - 1));
        format!("{from} to {to} (UTC)")
    } else {
        "as it stands now".to_owned()
    };
    let mut said = format!("{whom}, {when}, {environment}");
    for chip in &page.list.chips {
        if !matches!(chip.parameter.as_str(), "organization_id" | "environment") {
            said += &format!(", {} {}", chip.key.to_lowercase(), chip.value);
        }
    }
    said
}
