//! Patch runs: what was announced, and what inventories show.

use askama::Template;
use jiff::Timestamp;

use super::super::listing::{Listing, Tab};
use super::super::parts::Versions;
use super::super::shell::Shell;
use super::super::{charts, parts, words};

/// One patch run.
#[derive(Debug, Clone)]
pub struct PatchRunRow {
    /// Its id.
    pub id: i64,
    /// The site.
    pub site_id: i64,
    /// Its name.
    pub site: String,
    /// When its inventory arrived; while it is claimed, when it was started.
    pub at: Timestamp,
    /// `claimed`, `proved` or `unattributed`.
    pub state: &'static str,
    /// What was done, in words.
    pub words: String,
    /// Module and versions.
    pub changes: Vec<(String, Versions)>,
    /// Fixes that it brought.
    pub security: u64,
    /// Ticket, commit and who, as far as they were said.
    pub said: Vec<String>,
}

/// The patch runs in sight.
#[derive(Debug, Template)]
#[template(path = "patch_runs.html")]
pub struct PatchRunsPage {
    /// What stands around it.
    pub shell: Shell,
    /// The views above it.
    pub views: Vec<Tab>,
    /// What every list has.
    pub list: Listing,
    /// The rows of this page.
    pub rows: Vec<PatchRunRow>,
}

/// One window that a patch run closed.
#[derive(Debug, Clone)]
pub struct ClosedRow {
    /// Its id.
    pub id: i64,
    /// The module's title.
    pub module: String,
    /// The state's word.
    pub state: &'static str,
    /// How long it was open.
    pub took: String,
}

/// One patch run.
#[derive(Debug, Template)]
#[template(path = "patch_run.html")]
pub struct PatchRunPage {
    /// Its site was deleted: nothing leads there.
    pub site_deleted: bool,
    /// What stands around it.
    pub shell: Shell,
    /// What its line in the list says.
    pub row: PatchRunRow,
    /// What was announced, as (word, value).
    pub facts: Vec<(&'static str, String)>,
    /// When it was announced.
    pub announced_at: Option<Timestamp>,
    /// When it began and ended, as announced.
    pub span: Option<(Timestamp, Option<Timestamp>)>,
    /// What it closed.
    pub closed: Vec<ClosedRow>,
}
