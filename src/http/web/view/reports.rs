//! Reports: the page on which they stand together, and the page of each.

use std::borrow::Cow;

use askama::Template;

use super::super::listing::Listing;
use super::super::parts::Html;
use super::super::shell::Shell;
use super::super::{charts, parts, words};
use super::fleet::Choice;

/// The field in which a site's name is typed where there are too many to choose from.
pub const TYPED_SITE: &str = "site";

/// A report on the page on which they stand together.
#[derive(Debug, Clone)]
pub struct ReportLink {
    /// Where it is.
    pub href: String,
    /// What it is called.
    pub title: &'static str,
    /// What it tells.
    pub about: &'static str,
}

/// All reports.
#[derive(Debug, Template)]
#[template(path = "reports.html")]
pub struct ReportsPage {
    /// What stands around it.
    pub shell: Shell,
    /// The reports.
    pub reports: Vec<ReportLink>,
}

/// One large figure.
#[derive(Debug, Clone)]
pub struct Figure {
    /// What it counts.
    pub word: &'static str,
    /// The number, with its unit.
    pub value: String,
    /// It is bad news.
    pub late: bool,
}

/// One chart, with the same figures as a table.
#[derive(Debug, Clone)]
pub struct Chart {
    /// What it shows.
    pub title: &'static str,
    /// How to read it.
    pub about: Cow<'static, str>,
    /// The drawing.
    pub svg: Html,
    /// What its signs mean, where they don't say it themselves.
    pub key: Html,
    /// The table's columns; the first one names the row. None where the page's own table has the figures.
    pub columns: Vec<&'static str>,
    /// The table's rows.
    pub rows: Vec<Vec<String>>,
}

/// What must be known to read the rows.
#[derive(Debug, Clone)]
pub struct Note {
    /// A sentence; a colon at its end where names follow.
    pub text: String,
    /// What it is about: where it is and its name.
    pub links: Vec<(String, String)>,
    /// So many more, which aren't named.
    pub more: u64,
}

/// One column's head.
#[derive(Debug, Clone)]
pub struct Head {
    /// Its words.
    pub word: String,
    /// It holds numbers.
    pub number: bool,
}

/// One cell: as a file has it, and in words.
#[derive(Debug, Clone)]
pub struct PageCell {
    /// As the file has it.
    pub value: String,
    /// In words.
    pub words: String,
    /// Where it leads.
    pub href: Option<String>,
    /// What it names was deleted.
    pub deleted: bool,
    /// It holds a number.
    pub number: bool,
}

/// One row.
#[derive(Debug, Clone)]
pub struct PageRow {
    /// What is shown.
    pub cells: Vec<PageCell>,
    /// What a file has besides: numbers of things, for programs.
    pub besides: Vec<String>,
}

/// One report.
#[derive(Debug, Template)]
#[template(path = "report.html")]
pub struct ReportPage {
    /// What stands around it.
    pub shell: Shell,
    /// What it is called.
    pub title: &'static str,
    /// What it tells.
    pub about: &'static str,
    /// The time that it covers, in words.
    pub period: String,
    /// The first and the last day asked for; nothing where it is of now.
    pub days: Option<(String, String)>,
    /// What it is narrowed to, and its pages.
    pub list: Listing,
    /// For the filter box: clients.
    pub organizations: Vec<Choice>,
    /// For the filter box: environments.
    pub environments: Vec<Choice>,
    /// For the filter box: risks; none where the report knows none.
    pub risks: Vec<Choice>,
    /// It can be narrowed to a module.
    pub by_module: bool,
    /// For the filter box: sites; besides the chosen one none where there are too many.
    pub sites: Vec<Choice>,
    /// There are too many: one is typed.
    pub many_sites: bool,
    /// The site asked for, as one types it.
    pub site: String,
    /// For the filter box: tags to propose.
    pub tags: Vec<String>,
    /// What must be known to read the rows.
    pub notes: Vec<Note>,
    /// The large figures.
    pub figures: Vec<Figure>,
    /// The charts.
    pub charts: Vec<Chart>,
    /// The columns.
    pub heads: Vec<Head>,
    /// The rows of this page.
    pub rows: Vec<PageRow>,
    /// What is wrong with what was asked, by field.
    pub errors: Vec<(String, String)>,
}

impl ReportPage {
    fn error(&self, field: &str) -> Option<&str> {
        let found = self.errors.iter().find(|(name, _)| name == field);
        found.map(|(_, said)| said.as_str())
    }

    /// What the filter box must send along: all that it doesn't hold itself.
    pub fn kept(&self) -> Vec<(String, String)> {
        const OWN: [&str; 8] = [
            "from",
            "to",
            "organization_id",
            "environment",
            "risk",
            "module",
            "site_id",
            "tag",
        ];
        let mut kept = self.list.hidden("");
        kept.retain(|(name, _)| !OWN.contains(&name.as_str()));
        kept
    }
}
