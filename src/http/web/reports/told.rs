//! What a report says at a glance: its large figures, and its charts with their figures as tables.

use jiff::Timestamp;

use super::super::charts::{self, Bar, Day, Ending, Spans, VersionBar};
use super::super::parts::Html;
use super::super::view::reports::{Chart, Figure};
use super::super::visit::Visit;
use super::super::words;
use crate::domain::end_of_life::by_age;
use crate::domain::figures;
use crate::domain::listing::Format;
use crate::domain::report::{self, Asked, Cell, Report, Row, date_of};
use crate::services::Result;
use crate::services::reports::{self, Leaf, Month};

/// Windows that are drawn, at most; the table has all.
const DRAWN: usize = 30;

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
pub(super) async fn told(
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
            let mut figures = vec![figure("Opened", opened)];
            figures.extend(by_state(leaf));
            Ok((figures, windows(visit.now, question, leaf)))
        }
        "sla-compliance" => {
            let (months, all) = reports::months(&visit.app, visit.actor()?, &json).await?;
            Ok((kept(&all), by_month(&months)))
        }
        "historical" => {
            let days = reports::open_by_risk(&visit.app, visit.actor()?, &json).await?;
            let open = match leaf.last.as_ref().and_then(|row| row.get(3)) {
                Some(Cell::Whole(open)) => count(*open),
                _ => "–".to_owned(),
            };
            let charts = if days.is_empty() {
                Vec::new()
            } else {
                vec![by_risk(&days)]
            };
            Ok((vec![figure("Open at the end", open)], charts))
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
    let share = words::share(judged.share());
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
            let share = words::share(month.share);
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
            words::share(month.compliance.share()),
            count(month.compliance.due()),
            count(month.compliance.met),
        ]
    };
    let times = |month: &Month| vec![month.name.clone(), took(month.median), took(month.p90)];
    vec![
        Chart {
            key: Html::default(),
            title: "Compliance by month",
            about: "closed in time, in percent, by the month in which they were due; filled: all of them".into(),
            svg: charts::compliance(&drawn, &finding),
            columns: vec!["Month", "Compliance", "Due", "Met"],
            rows: months.iter().map(cells).collect(),
        },
        Chart {
            key: Html::default(),
            title: "Time to patch",
            about: "dot: median, bar: 90th percentile; logarithmic".into(),
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
    let first = drawn.len().saturating_sub(1);
    let peak = most.map(|(_, day)| day);
    let told = drawn
        .iter()
        .rev()
        .enumerate()
        .filter(|(back, (day, _))| back % every == 0 || *back == first || Some(day) == peak);
    let mut about =
        "at the end of each day; the worst at the bottom and darkest, unknown grey on top"
            .to_owned();
    if every > 1 {
        about += &format!(
            "; the table has one day of {every}, the first, the last and the one with the most"
        );
    }
    Chart {
        key: Html::default(),
        title: "Open exposures by risk",
        about: about.into(),
        svg: charts::open_by_risk(&drawn, &finding),
        columns,
        rows: told.map(|(_, day)| cells(day)).collect(),
    }
}

/// Sites by the version of core.
fn platforms(rows: &[Row]) -> Vec<Chart> {
    let mut bars = Vec::new();
    let mut unreported = 0;
    for row in rows {
        if let [
            Cell::Text(kind),
            version,
            _,
            Cell::Text(state),
            Cell::Whole(sites),
            ..,
        ] = row.as_slice()
            && &**kind == "core"
        {
            let sites = sites.unsigned_abs();
            match version {
                Cell::Text(version) => {
                    bars.push((version.to_string(), sites, state.replace('_', " ")));
                }
                _ => unreported += sites,
            }
        }
    }
    if bars.is_empty() {
        return Vec::new();
    }
    bars.sort_by_cached_key(|(version, ..)| by_age(version));
    let versions = words::count(bars.len() as u64, "version", "versions");
    let mut finding = format!("{versions} run.");
    if unreported > 0 {
        let silent = words::count(unreported, "site has", "sites have");
        finding = format!("{versions} run; {silent} not reported theirs.");
        bars.push(("not reported".to_owned(), unreported, "unknown".to_owned()));
    }
    let drawn: Vec<VersionBar> = bars
        .iter()
        .map(|(version, sites, _)| VersionBar {
            version: version.clone(),
            sites: *sites,
            exposed: false,
        })
        .collect();
    vec![Chart {
        key: Html::default(),
        title: "Sites by core version",
        about: "the oldest version first".into(),
        svg: charts::version_bars(&drawn, &finding),
        columns: vec!["Version", "Support", "Sites"],
        rows: bars
            .into_iter()
            .map(|(version, sites, state)| vec![version, state, words::number(sites)])
            .collect(),
    }]
}

/// What became of the windows, where all of them are at hand.
fn by_state(leaf: &Leaf) -> Vec<Figure> {
    if leaf.rows.is_empty() || leaf.more || leaf.rows.len() != leaf.total {
        return Vec::new();
    }
    let of = |state: &str| {
        let is = |row: &&Row| matches!(row.get(11), Some(Cell::Text(word)) if **word == *state);
        i64::try_from(leaf.rows.iter().filter(is).count()).unwrap_or(i64::MAX)
    };
    let (overdue, gone) = (of("overdue"), of("withdrawn") + of("ended"));
    let mut figures = vec![
        figure("Closed in time", count(of("met"))),
        figure("Closed late", count(of("breached"))),
        figure("Open, time left", count(of("open"))),
        Figure {
            late: overdue > 0,
            ..figure("Past due", count(overdue))
        },
    ];
    if gone > 0 {
        figures.push(figure("Count nowhere", count(gone)));
    }
    figures
}

/// The windows of the page's first rows, over time.
fn windows(now: Timestamp, question: &Asked, leaf: &Leaf) -> Vec<Chart> {
    let bars: Vec<Bar> = leaf
        .rows
        .iter()
        .take(DRAWN)
        .filter_map(|row| bar(now, row))
        .collect();
    let (Some(first), Ok(from), Ok(to)) = (
        bars.iter().map(|bar| bar.opened).min(),
        Timestamp::from_millisecond(question.from),
        Timestamp::from_millisecond(question.to),
    ) else {
        return Vec::new();
    };
    // Where nothing opened for long, the axis begins with what did; where time goes on, there is room for
    // what is still to come due.
    let begun = |to: Timestamp| words::between(first, to).max(86_400_000);
    let at = |millis: i64| Timestamp::from_millisecond(millis).unwrap_or(first);
    let from = from.max(at(first.as_millisecond() - begun(to.min(now)) / 40));
    let to = if to > now {
        let open = bars.iter().filter(|bar| bar.ending == Ending::Open);
        let due = open.filter_map(|bar| bar.due).max().unwrap_or(now);
        let room = now.as_millisecond() + begun(now) / 4;
        let least = now.as_millisecond() + begun(now) / 25;
        at(due.as_millisecond().min(room).max(least))
    } else {
        to
    };
    let late = bars.iter().filter(|bar| {
        let counts = bar.ending != Ending::Gone;
        counts && bar.due.is_some_and(|due| due < bar.closed.unwrap_or(now))
    });
    let finding = format!(
        "{}, {} of them open, {} late.",
        words::count(bars.len() as u64, "window", "windows"),
        bars.iter().filter(|bar| bar.ending == Ending::Open).count(),
        late.count()
    );
    let rest = leaf.rows.len().saturating_sub(bars.len());
    let more = match rest {
        0 => "each row of the table, from opened to closed".to_owned(),
        _ => format!(
            "the first {} rows of the table, from opened to closed; {} more stand there",
            bars.len(),
            words::number(rest as u64)
        ),
    };
    vec![Chart {
        title: "Exposure windows",
        about: more.into(),
        svg: charts::spans(
            &Spans {
                now,
                from,
                to,
                bars,
            },
            &finding,
        ),
        key: charts::spans_key(),
        columns: Vec::new(),
        rows: Vec::new(),
    }]
}

fn bar(now: Timestamp, row: &Row) -> Option<Bar> {
    let text = |at: usize| match row.get(at) {
        Some(Cell::Text(text)) => text,
        _ => "",
    };
    let time = |at: usize| match row.get(at) {
        Some(Cell::Time(at)) => Timestamp::from_millisecond(*at).ok(),
        _ => None,
    };
    let (opened, due, closed) = (time(8)?, time(9), time(10));
    let took = words::span(words::between(opened, closed.unwrap_or(now)));
    let (ending, said) = match text(11) {
        "met" if due.is_none() => (Ending::Closed, took),
        "met" => (Ending::Closed, format!("{took}, in time")),
        "breached" => (Ending::Closed, format!("{took}, late")),
        "overdue" => (Ending::Open, format!("open {took}, late")),
        "open" => (Ending::Open, format!("open {took}")),
        "withdrawn" => (Ending::Gone, "withdrawn".to_owned()),
        _ => (Ending::Gone, "site deleted".to_owned()),
    };
    Some(Bar {
        name: format!("{}, {}", text(3), text(0)),
        opened,
        due,
        closed,
        ending,
        said,
    })
}
