//! The table of a report: the cells of the file, in words.

use std::collections::HashSet;

use super::super::view::reports::{Head, PageCell, PageRow};
use super::super::visit::Visit;
use super::super::words;
use crate::domain::access::Permission;
use crate::domain::report::{Asked, Cell, Holds, Report, Row};
use crate::services::{Result, named_sites};

/// Columns behind these are for programs: the numbers of what is named.
const BESIDES: [&str; 4] = ["exposure_id", "site_id", "organization_id", "module_id"];

/// What rows name and isn't there any more.
#[derive(Debug, Default)]
pub(super) struct Gone {
    sites: HashSet<i64>,
    organizations: HashSet<i64>,
}

impl Gone {
    /// Among these rows.
    pub(super) async fn among(visit: &Visit, report: &Report, rows: &[Row]) -> Result<Self> {
        let named = |name: &str| -> Vec<i64> {
            let at = report.columns.iter().position(|column| column.name == name);
            let ids = rows.iter().filter_map(|row| match row.get(at?) {
                Some(Cell::Whole(id)) => Some(*id),
                _ => None,
            });
            ids.collect::<HashSet<i64>>().into_iter().collect()
        };
        let (app, actor, may) = (&visit.app, visit.actor()?, Permission::ReportsRead);
        let (sites, organizations) = (named("site_id"), named("organization_id"));
        Ok(Self {
            sites: named_sites::deleted(app, actor, may, &sites).await?,
            organizations: named_sites::deleted_organizations(app, actor, may, &organizations)
                .await?,
        })
    }
}

/// Leads from the sites that reported no version to the list of them.
pub(super) fn lead_to_unreported(question: &Asked, rows: &[Row], shown: &mut [PageRow]) {
    let mut filters = url::form_urlencoded::Serializer::new(String::new());
    let number = |id: Option<i64>| id.map(|id| id.to_string());
    let environment = Some(question.environment()).filter(|word| *word != "all");
    let asked = [
        ("environment", environment.map(str::to_owned)),
        ("organization_id", number(question.organization_id)),
        ("id", number(question.site_id)),
        ("tags][contains", question.tag.clone()),
    ];
    for (name, value) in asked {
        if let Some(value) = value {
            filters.append_pair(&format!("filter[{name}]"), &value);
        }
    }
    let filters = filters.finish();
    for (row, shown) in rows.iter().zip(shown) {
        let field = match row.as_slice() {
            [Cell::Text(kind), Cell::Empty, ..] if &**kind == "core" => "drupal_version",
            [Cell::Text(_), Cell::Empty, ..] => "php_version",
            _ => continue,
        };
        if let Some(sites) = shown.cells.get_mut(4) {
            sites.href = Some(format!(
                "/sites?filter%5B{field}%5D%5Bnull%5D=true&{filters}"
            ));
        }
    }
}

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

pub(super) fn row_of(report: &Report, row: &Row, gone: &Gone) -> PageRow {
    let named = report.columns.iter().zip(row);
    let id = |name: &str| {
        let mut all = report.columns.iter().zip(row);
        all.find_map(|(column, cell)| match cell {
            Cell::Whole(id) if column.name == name => Some(*id),
            _ => None,
        })
    };
    let is_gone = |name: &str| match name {
        "site" => id("site_id").is_some_and(|id| gone.sites.contains(&id)),
        "organization" => id("organization_id").is_some_and(|id| gone.organizations.contains(&id)),
        _ => false,
    };
    let mut cells = Vec::new();
    let mut besides = Vec::new();
    for (column, cell) in named {
        if BESIDES.contains(&column.name) {
            besides.push(cell.csv().into_owned());
            continue;
        }
        let deleted = is_gone(column.name);
        cells.push(PageCell {
            value: cell.csv().into_owned(),
            words: in_words(column.name, cell),
            href: match column.name {
                _ if deleted => None,
                "site" => id("site_id").map(|id| format!("/sites/{id}")),
                "organization" => id("organization_id").map(|id| format!("/organizations/{id}")),
                "module" => id("module_id")
                    .map(|id| format!("/modules/{id}"))
                    .or_else(|| id("exposure_id").map(|id| format!("/exposures/{id}"))),
                _ => None,
            },
            deleted,
            number: is_number(column.holds),
        });
    }
    PageRow { cells, besides }
}

fn in_words(name: &str, cell: &Cell) -> String {
    match (name, cell) {
        ("version", Cell::Empty) => "not reported".to_owned(),
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
