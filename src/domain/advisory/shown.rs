//! An advisory as people and programs read it, and the windows that it explains.

use jiff::Timestamp;

use crate::domain::listing::{Field, Kind, List};
use crate::domain::window::{RISKS, STATES, Window};

/// An advisory, counted over the sites in sight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its number here.
    pub number: i64,
    /// Its id, such as `SA-CONTRIB-2025-125`.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The kind of hole; may be empty.
    pub kind: String,
    /// Its project's short name; empty: about none.
    pub project: String,
    /// The project here, where it is one of ours and in sight.
    pub module_id: Option<i64>,
    /// The project's title, or its name.
    pub module_title: String,
    /// An announcement: shown, never matched.
    pub psa: bool,
    /// The level; `None`: unknown.
    pub risk: Option<String>,
    /// The risk, 0 to 25.
    pub score: Option<u8>,
    /// drupal.org's vector.
    pub vector: Option<String>,
    /// The CVE numbers.
    pub cves: Vec<String>,
    /// When it was published.
    pub published_at: Timestamp,
    /// When its source last changed it.
    pub updated_at: Timestamp,
    /// Since when it is known here.
    pub known_at: Timestamp,
    /// Since when it is known to be taken back.
    pub withdrawn_at: Option<Timestamp>,
    /// A composer constraint, as stated.
    pub affected_versions: Option<String>,
    /// The versions that fix it.
    pub fixed_in: Vec<String>,
    /// Its page.
    pub url: String,
    /// Sites in sight with an open window that it explains.
    pub affected_sites_count: i64,
}

/// The list of advisories.
pub static LIST: List = List {
    name: "advisories",
    fields: &[
        Field::new("id", Kind::Text),
        Field::new("title", Kind::Text),
        Field::new("module", Kind::Text),
        Field::new("psa", Kind::Boolean),
        Field::optional("risk", Kind::Word(&RISKS)),
        Field::new("cve", Kind::Member),
        Field::new("published_at", Kind::Time),
        Field::new("updated_at", Kind::Time),
        Field::optional("withdrawn_at", Kind::Time),
        Field::new("affected_sites_count", Kind::Integer),
    ],
    sorts: &["published_at", "affected_sites_count", "id"],
    default_sort: "-published_at",
    search: true,
    columns: &[
        "id",
        "title",
        "module",
        "module_id",
        "kind",
        "psa",
        "risk",
        "cves",
        "published_at",
        "updated_at",
        "known_at",
        "withdrawn_at",
        "affected_versions",
        "fixed_in",
        "url",
        "affected_sites_count",
    ],
};

/// A window that an advisory explains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Affected {
    /// The window.
    pub window: Window,
    /// The name of the site's organization.
    pub organization: String,
}

impl Affected {
    /// Whether the site is exposed by it now; `None`: can't tell.
    pub fn exposed(&self) -> Option<bool> {
        match (self.window.closed_at, self.window.unproven_since) {
            (Some(_), _) => Some(false),
            (None, Some(_)) => None,
            (None, None) => Some(true),
        }
    }
}

/// The windows that an advisory explains, now and ever. `state=open` means open or overdue.
pub static AFFECTED: List = List {
    name: "advisory-sites",
    fields: &[
        Field::new("site_id", Kind::Integer),
        Field::new("site", Kind::Text),
        Field::new("organization_id", Kind::Integer),
        Field::new("environment", Kind::Text),
        Field::new("state", Kind::Word(&STATES)),
        Field::new("opened_at", Kind::Time),
        Field::optional("due_at", Kind::Time),
        Field::optional("closed_at", Kind::Time),
    ],
    sorts: &["due_at", "site", "opened_at"],
    default_sort: "due_at",
    search: true,
    columns: &[
        "exposure_id",
        "site_id",
        "site",
        "organization_id",
        "organization",
        "environment",
        "module",
        "installed",
        "exposed",
        "state",
        "fixed_in",
        "opened_at",
        "due_at",
        "closed_at",
    ],
};
