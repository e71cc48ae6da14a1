//! The list of sites, and the file that brings many at once.

use askama::Template;
use jiff::Timestamp;

use super::super::listing::{Listing, Tab};
use super::super::parts::{Clock, Status};
use super::super::shell::Shell;
use super::super::{charts, parts, words};

/// Why a site has its status.
#[derive(Debug, Clone)]
pub enum Why {
    /// It has an open exposure with a due time.
    Clock(Clock),
    /// In words.
    Words(String),
    /// There is nothing to say.
    Nothing,
}

/// One site.
#[derive(Debug, Clone)]
pub struct SiteRow {
    /// The site.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its worst status.
    pub status: Status,
    /// It is silent, whatever its status.
    pub silent: bool,
    /// Why.
    pub why: Why,
    /// Its organization.
    pub client: String,
    /// Its environment.
    pub environment: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Drupal's version there.
    pub core: Option<String>,
    /// Modules with an open exposure.
    pub exposed: u64,
    /// Modules with an update available.
    pub updates: u64,
    /// Its last contact.
    pub last: Option<Timestamp>,
}

/// A choice of a filter.
#[derive(Debug, Clone)]
pub struct Choice {
    /// What the URL says.
    pub value: String,
    /// What people read.
    pub word: String,
    /// It is the one in force.
    pub chosen: bool,
}

impl Choice {
    /// A choice, chosen where `value` equals `now`.
    pub fn new(value: impl Into<String>, word: impl Into<String>, now: &str) -> Self {
        let value = value.into();
        Self {
            chosen: value == now,
            word: word.into(),
            value,
        }
    }
}

/// All sites in sight.
#[derive(Debug, Template)]
#[template(path = "sites.html")]
pub struct SitesPage {
    /// What stands around it.
    pub shell: Shell,
    /// The views above it.
    pub views: Vec<Tab>,
    /// What every list has.
    pub list: Listing,
    /// The rows of this page.
    pub rows: Vec<SiteRow>,
    /// For the filter box.
    pub environments: Vec<Choice>,
    /// For the filter box.
    pub organizations: Vec<Choice>,
    /// May connect sites.
    pub may_write: bool,
}

/// One line of an imported file.
#[derive(Debug, Clone)]
pub struct ImportLine {
    /// Its number in the file.
    pub line: u64,
    /// What is wrong, all of it.
    pub faults: Vec<String>,
}

/// What became of an imported file.
#[derive(Debug, Clone)]
pub struct ImportResult {
    /// How many sites were made.
    pub made: u64,
    /// What is wrong, by line; then nothing was made.
    pub lines: Vec<ImportLine>,
    /// The sites with their keys as CSV; shown once.
    pub csv: String,
}

impl ImportResult {
    /// The CSV as a link that needs no server.
    pub fn link(&self) -> String {
        let encoded: String = url::form_urlencoded::byte_serialize(self.csv.as_bytes()).collect();
        format!(
            "data:text/csv;charset=utf-8,{}",
            encoded.replace('+', "%20")
        )
    }
}

/// Sites in bulk.
#[derive(Debug, Template)]
#[template(path = "import.html")]
pub struct ImportPage {
    /// What stands around it.
    pub shell: Shell,
    /// What became of the file that was just sent.
    pub result: Option<ImportResult>,
    /// Why the file as a whole could not be read.
    pub error: Option<String>,
}
