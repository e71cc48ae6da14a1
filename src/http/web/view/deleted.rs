//! What was deleted and can come back.

use askama::Template;
use jiff::Timestamp;

use super::super::listing::Tab;
use super::super::shell::Shell;
use super::super::{charts, parts, words};

/// One deleted thing.
#[derive(Debug, Clone)]
pub struct DeletedRow {
    /// Its name.
    pub name: String,
    /// What else is known of it, in words.
    pub about: String,
    /// When it was deleted.
    pub at: Timestamp,
    /// Where a form brings it back; `None`: something else has to come back first, as `about` says.
    pub restore: Option<String>,
}

/// The deleted sites, organizations or modules.
#[derive(Debug, Template)]
#[template(path = "deleted.html")]
pub struct DeletedPage {
    /// What stands around it.
    pub shell: Shell,
    /// Sites, organizations, modules: those that the visitor may bring back.
    pub tabs: Vec<Tab>,
    /// The word for one of the kind shown.
    pub one: &'static str,
    /// The word for several.
    pub many: &'static str,
    /// The rows, the newest first.
    pub rows: Vec<DeletedRow>,
}
