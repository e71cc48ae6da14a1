//! A site that a module or an advisory concerns: what it runs, whether that exposes it, and the window
//! in which it did.

use jiff::Timestamp;

use super::listing::{Field, Kind, List};
use super::site::ENVIRONMENTS;
use super::window::Window;

/// One site and what it runs of one module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AffectedSite {
    /// The site.
    pub site_id: i64,
    /// Its name.
    pub site: String,
    /// Its organization.
    pub organization_id: i64,
    /// Its organization's name.
    pub organization: String,
    /// Its environment.
    pub environment: String,
    /// The module's name.
    pub module: String,
    /// What is installed; `None`: the site could not say.
    pub installed: Option<String>,
    /// It is enabled there.
    pub enabled: bool,
    /// The installed version is exposed; `None`: can't tell.
    pub exposed: Option<bool>,
    /// The releases that fix what is installed.
    pub fixed_in: Vec<String>,
    /// The window that counts: the open one that is due first, else the newest.
    pub window: Option<Window>,
}

impl AffectedSite {
    /// The state of the window that counts, at `now`; `None`: it never had one.
    pub fn state(&self, now: Timestamp) -> Option<&'static str> {
        self.window.as_ref().map(|window| window.state(now))
    }
}

/// The sites that run a module. `state=open` means open or overdue.
pub static LIST: List = List {
    name: "module-sites",
    fields: &[
        Field::new("site_id", Kind::Integer),
        Field::new("site", Kind::Text),
        Field::new("organization_id", Kind::Integer),
        Field::new("environment", Kind::Word(&ENVIRONMENTS)),
        Field::optional("installed", Kind::Text),
        Field::new("enabled", Kind::Boolean),
        Field::optional("exposed", Kind::Boolean),
        Field::new("state", Kind::Word(&super::window::STATES)),
        Field::optional("opened_at", Kind::Time),
        Field::optional("due_at", Kind::Time),
        Field::optional("closed_at", Kind::Time),
    ],
    sorts: &["installed", "site", "due_at"],
    default_sort: "installed",
    search: true,
    columns: &[
        "site_id",
        "site",
        "organization_id",
        "organization",
        "environment",
        "module",
        "installed",
        "enabled",
        "exposed",
        "state",
        "fixed_in",
        "opened_at",
        "due_at",
        "closed_at",
    ],
};
