//! The table of a report: the cells of the file, in words.

use super::super::view::reports::{Head, PageCell, PageRow};
use super::super::words;
use crate::domain::report::{Cell, Holds, Report, Row};

/// Columns behind these are for programs: the numbers of what is named.
const BESIDES: [&str; 4] = ["exposure_id", "site_id", "organization_id", "module_id"];

fn is_number(holds: Holds) -> bool {
    matches!(holds, Holds::Whole | Holds::Number)
}

pub(super) fn heads(report: &Report) -> Vec<Head> {
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

pub(super) fn row_of(report: &Report, row: &Row) -> PageRow {
    let named = report.columns.iter().zip(row);
    let id = |name: &str| {
        let mut all = report.columns.iter().zip(row);
        all.find(|(column, _)| column.name == name)
            .map(|(_, cell)| cell.csv().into_owned())
    };
    let mut cells = Vec::new();
    let mut besides = Vec::new();
    for (column, cell) in named {
        if BESIDES.contains(&column.name) {
            besides.push(cell.csv().into_owned());
            continue;
        }
        cells.push(PageCell {
            value: cell.csv().into_owned(),
            words: in_words(column.name, cell),
            href: match column.name {
                "site" => id("site_id").map(|id| format!("/sites/{id}")),
                "organization" => id("organization_id").map(|id| format!("/organizations/{id}")),
                "module" => id("module_id")
                    .map(|id| format!("/modules/{id}"))
                    .or_else(|| id("exposure_id").map(|id| format!("/exposures/{id}"))),
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
        ("compliance", Cell::Number(share)) => words::share(Some(*share)),
        ("risk" | "status" | "state", Cell::Text(word)) => word.replace('_', " "),
        ("kind", Cell::Text(word)) if &**word == "php" => "PHP".to_owned(),
        ("kind", Cell::Text(word)) => words::sentence(word),
        (_, Cell::Text(text)) => text.to_string(),
        (_, Cell::Texts(texts)) if texts.is_empty() => "–".to_owned(),
        (_, Cell::Texts(texts)) => texts.join(", "),
        (_, Cell::Whole(number)) => words::number(number.unsigned_abs()),
        (_, Cell::Number(number)) => number.to_string(),
        (_, Cell::Time(at)) => jiff::Timestamp::from_millisecond(*at)
            .map(|at| at.strftime("%-d %b %Y, %H:%M").to_string())
            .unwrap_or_default(),
    }
}
