//! Reports as pages: figures, charts and a table that has the cells of the file, and the files.

use super::charts::{self, Day, VersionBar};
use super::fleet::organizations_of;
use super::listing::{FilterChip, Listing, asked};
use super::view::fleet::Choice;
use super::view::reports::{
    Chart, Figure, Head, PageCell, PageRow, ReportLink, ReportPage, ReportsPage,
};
use super::visit::{Handler, Reply, Visit};
use super::words;
use crate::domain::access::Permission;
use crate::domain::figures;
use crate::domain::listing::Format;
use crate::domain::report::{
    self, Asked, Cell, ENVIRONMENT_WORDS, Filter, Holds, RISK_WORDS, Report, Row, date_of,
};
use crate::http::report as writing;
use crate::services::reports::{self, LEAVES, Leaf, Month, PAGE};
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

/// Columns behind these are for programs: the numbers of what is named.
const BESIDES: [&str; 4] = ["exposure_id", "site_id", "organization_id", "module_id"];

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
        _ => "Until when core and PHP get security releases, and which sites run them.",
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
    let question = Asked::parse(report, named, visit.now).map_err(Error::Invalid)?;
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
    let (figures, charts) = told(&visit, report, &question, &leaf).await?;
    let chosen = visit.parameter("organization_id");
    let organizations = organizations_of(&visit, Permission::ReportsRead, chosen).await?;
    let choices = |words: &[&str], chosen: &str| -> Vec<Choice> {
        let said = |word: &&str| Choice::new(*word, word.replace('_', " "), chosen);
        words.iter().map(said).collect()
    };
    let has = |filter| report.filters.contains(&filter);
    Reply::page(&ReportPage {
        shell: visit.shell(report.title).await?,
        title: report.title,
        about: about(report),
        period: period(report, &question),
        days: report.dated.then(|| {
            let (from, to) = (date_of(question.from), date_of(question.to - 1));
            (from.to_string(), to.to_string())
        }),
        risks: if has(Filter::Risk) {
            choices(&RISK_WORDS, visit.parameter("risk"))
        } else {
            Vec::new()
        },
        environments: choices(&ENVIRONMENT_WORDS, question.environment()),
        by_module: has(Filter::Module),
        figures,
        charts,
        heads: heads(report),
        rows: leaf.rows.iter().map(|row| row_of(report, row)).collect(),
        list: listing(report, pairs, &leaf, page, &organizations),
        organizations,
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

fn period(report: &Report, question: &Asked) -> String {
    let environment = match question.environment() {
        "all" => "all environments".to_owned(),
        one => one.to_owned(),
    };
    if !report.dated || report.name == "module-updates" {
        return format!("As it stands now, {environment}");
    }
    let (from, to) = (date_of(question.from), date_of(question.to - 1));
    let day = |day: jiff::civil::Date| day.strftime("%-d %b %Y").to_string();
    format!("{} to {} (UTC), {environment}", day(from), day(to))
}

fn listing(
    report: &Report,
    pairs: Vec<(String, String)>,
    leaf: &Leaf,
    page: usize,
    organizations: &[Choice],
) -> Listing {
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
        total: leaf.total as u64,
        at_least: leaf.more,
        page: page as u64,
        pages: leaf.total.div_ceil(PAGE).max(1) as u64,
        sort: String::new(),
    }
}

fn is_number(holds: Holds) -> bool {
    matches!(holds, Holds::Whole | Holds::Number)
}

fn heads(report: &Report) -> Vec<Head> {
    let shown = report
        .columns
        .iter()
        .filter(|column| !BESIDES.contains(&column.name));
    let head = shown.map(|column| Head {
        word: match column.name {
            "p90_hours" => "90th percentile, hours".to_owned(),
            "median_hours" => "Median, hours".to_owned(),
            name => words::sentence(&name.trim_end_matches("_at").replace('_', " ")),
        },
        number: is_number(column.holds),
    });
    head.collect()
}

fn row_of(report: &Report, row: &Row) -> PageRow {
    let named = report.columns.iter().zip(row);
    let id = |name: &str| {
        let mut all = report.columns.iter().zip(row);
        all.find(|(column, _)| column.name == name)
            .map(|(_, cell)| cell.csv())
    };
    let mut cells = Vec::new();
    let mut besides = Vec::new();
    for (column, cell) in named {
        if BESIDES.contains(&column.name) {
            besides.push(cell.csv());
            continue;
        }
        cells.push(PageCell {
            value: cell.csv(),
            words: in_words(column.name, cell),
            href: match column.name {
                "site" => id("site_id").map(|id| format!("/sites/{id}")),
                "organization" => id("organization_id").map(|id| format!("/organizations/{id}")),
                "module" => id("module_id").map(|id| format!("/modules/{id}")),
                _ => None,
            },
            number: is_number(column.holds),
        });
    }
    PageRow { cells, besides }
}

fn in_words(name: &str, cell: &Cell) -> String {
    match (name, cell) {
        (_, Cell::Empty) => "–".to_owned(),
        ("compliance", Cell::Number(share)) => percent(*share),
        ("risk" | "status" | "state", Cell::Text(word)) => word.replace('_', " "),
        ("kind", Cell::Text(word)) if word == "php" => "PHP".to_owned(),
        ("kind", Cell::Text(word)) => words::sentence(word),
        (_, Cell::Text(text)) => text.clone(),
        (_, Cell::Texts(texts)) if texts.is_empty() => "–".to_owned(),
        (_, Cell::Texts(texts)) => texts.join(", "),
        (_, Cell::Whole(number)) => words::number(number.unsigned_abs()),
        (_, Cell::Number(number)) => number.to_string(),
        (_, Cell::Time(at)) => jiff::Timestamp::from_millisecond(*at)
            .map(|at| at.strftime("%-d %b %Y, %H:%M").to_string())
            .unwrap_or_default(),
    }
}

fn percent(share: f64) -> String {
    let tenths = (share * 1_000.0).round() / 10.0;
    format!("{tenths} %")
}

fn figure(word: &'static str, value: impl Into<String>) -> Figure {
    Figure {
        word,
        value: value.into(),
        late: false,
    }
}

fn count(number: i64) -> String {
    words::number(number.max(0).unsigned_abs())
}

fn took(took: Option<i64>) -> String {
    took.map_or_else(|| "–".to_owned(), words::short_span)
}

/// The large figures and the charts of a report.
async fn told(
    visit: &Visit,
    report: &'static Report,
    question: &Asked,
    leaf: &Leaf,
) -> Result<(Vec<Figure>, Vec<Chart>)> {
    let mut json = question.clone();
    json.format = Format::Json;
    match report.name {
        "security-updates" => {
            let more = if leaf.more { "more than " } else { "" };
            let opened = format!("{more}{}", words::number(leaf.total as u64));
            Ok((vec![figure("Opened", opened)], Vec::new()))
        }
        "sla-compliance" => {
            let (months, all) = reports::months(&visit.app, visit.actor()?, &json).await?;
            Ok((kept(&all), by_month(&months)))
        }
        "historical" => {
            let days = reports::open_by_risk(&visit.app, visit.actor()?, &json).await?;
            let open: i64 = days.last().map_or(0, |(_, open)| open.iter().sum());
            let charts = if days.is_empty() {
                Vec::new()
            } else {
                vec![by_risk(&days)]
            };
            Ok((vec![figure("Open at the end", count(open))], charts))
        }
        "end-of-life" => Ok((Vec::new(), platforms(&leaf.rows))),
        _ => Ok((
            vec![figure(
                "Versions to update",
                words::number(leaf.total as u64),
            )],
            Vec::new(),
        )),
    }
}

/// How what was promised was kept.
fn kept(all: &Month) -> Vec<Figure> {
    let judged = all.compliance;
    let share = judged.share().map_or_else(|| "–".to_owned(), percent);
    vec![
        figure("Compliance", share),
        figure("Met", count(judged.met)),
        figure("Breached", count(judged.breached)),
        Figure {
            late: judged.overdue > 0,
            ..figure("Overdue now", count(judged.overdue))
        },
        figure("Median to patch", took(all.median)),
        figure("90th percentile", took(all.p90)),
        figure(
            "Exposure hours",
            count(figures::hours(all.exposed).round() as i64),
        ),
    ]
}

fn by_month(months: &[Month]) -> Vec<Chart> {
    let drawn: Vec<charts::Month> = months
        .iter()
        .map(|month| charts::Month {
            name: month.name.clone(),
            share: month.compliance.share(),
            median: month.median,
            p90: month.p90,
        })
        .collect();
    let judged = drawn.iter().filter(|month| month.share.is_some());
    let worst = judged.min_by(|a, b| {
        a.share
            .partial_cmp(&b.share)
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    let finding = worst.map_or_else(
        || "Nothing was due.".to_owned(),
        |month| {
            let share = percent(month.share.unwrap_or_default());
            format!("The lowest was {share} in {}.", month.name)
        },
    );
    let slowest = drawn
        .iter()
        .filter_map(|month| Some((month.median?, month.name.as_str())))
        .max();
    let long = slowest.map_or_else(
        || "Nothing was closed.".to_owned(),
        |(median, name)| {
            format!(
                "The longest median was {} in {name}.",
                words::short_span(median)
            )
        },
    );
    let cells = |month: &Month| {
        vec![
            month.name.clone(),
            month
                .compliance
                .share()
                .map_or_else(|| "–".to_owned(), percent),
            count(month.compliance.due()),
            count(month.compliance.met),
        ]
    };
    let times = |month: &Month| vec![month.name.clone(), took(month.median), took(month.p90)];
    vec![
        Chart {
            title: "Compliance by month",
            about: "closed in time, in percent, by the month in which they were due; filled: all of them",
            svg: charts::compliance(&drawn, &finding),
            columns: vec!["Month", "Compliance", "Due", "Met"],
            rows: months.iter().map(cells).collect(),
        },
        Chart {
            title: "Time to patch",
            about: "dot: median, bar: 90th percentile; logarithmic",
            svg: charts::time_to_patch(&drawn, &long),
            columns: vec!["Month", "Median", "90th percentile"],
            rows: months.iter().map(times).collect(),
        },
    ]
}

fn by_risk(days: &[(i64, [i64; 6])]) -> Chart {
    let drawn: Vec<Day> = days
        .iter()
        .map(|(day, open)| (date_of(day * report::DAY).to_string(), *open))
        .collect();
    let most = drawn
        .iter()
        .map(|(day, open)| (open.iter().sum::<i64>(), day))
        .max();
    let finding = most.map_or_else(String::new, |(most, day)| {
        format!("At most {} were open, on {day}.", count(most))
    });
    let mut columns = vec!["Day"];
    columns.extend(charts::BANDS);
    let cells = |(day, open): &Day| {
        let mut cells = vec![day.clone()];
        cells.extend(open.iter().map(|open| count(*open)));
        cells
    };
    // A table of a year is read week by week.
    let every = drawn.len().div_ceil(60).max(1);
    Chart {
        title: "Open exposures by risk",
        about: "at the end of each day; the worst at the bottom and darkest, unknown grey on top",
        svg: charts::open_by_risk(&drawn, &finding),
        columns,
        rows: drawn.iter().rev().step_by(every).map(cells).collect(),
    }
}

/// Sites by the version of core.
fn platforms(rows: &[Row]) -> Vec<Chart> {
    let mut bars = Vec::new();
    for row in rows {
        if let [
            Cell::Text(kind),
            Cell::Text(version),
            _,
            Cell::Text(state),
            Cell::Whole(sites),
            ..,
        ] = row.as_slice()
            && kind == "core"
        {
            let sites = sites.unsigned_abs();
            bars.push((version.clone(), sites, state.replace('_', " ")));
        }
    }
    if bars.is_empty() {
        return Vec::new();
    }
    let drawn: Vec<VersionBar> = bars
        .iter()
        .map(|(version, sites, _)| VersionBar {
            version: version.clone(),
            sites: *sites,
            exposed: false,
        })
        .collect();
    let finding = format!(
        "{} run.",
        words::count(bars.len() as u64, "version", "versions")
    );
    vec![Chart {
        title: "Sites by core version",
        about: "the oldest version first",
        svg: charts::version_bars(&drawn, &finding),
        columns: vec!["Version", "Support", "Sites"],
        rows: bars
            .into_iter()
            .map(|(version, sites, state)| vec![version, state, words::number(sites)])
            .collect(),
    }]
}
