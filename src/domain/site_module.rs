//! What a site runs, as people and programs read it: one row a project, with its verdict.

use jiff::Timestamp;

use super::compatibility::Compatibility;
use super::coverage::{Coverage, Requirement};
use super::judgement::Judgement;
use super::listing::{Field, Kind, List};
use super::site_status::Standing;

/// One project on one site.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteModule {
    /// The module.
    pub module_id: i64,
    /// Its short name.
    pub name: String,
    /// Its title, or its name where it has none.
    pub title: String,
    /// `core`, `module`, `theme`, `profile` or `library`.
    pub kind: String,
    /// Code that drupal.org doesn't know.
    pub custom: bool,
    /// The installed version; `None`: the site could not say.
    pub installed: Option<String>,
    /// The row of that version.
    pub version_id: i64,
    /// Whether it is enabled.
    pub enabled: bool,
    /// The verdict.
    pub judgement: Judgement,
    /// Its Composer name, where the site told it.
    pub composer: Option<String>,
    /// The names of its components, as the site told them.
    pub components: Vec<String>,
    /// When drupal.org last gave a good answer about it.
    pub checked_at: Option<Timestamp>,
    /// When the site first had it.
    pub first_seen_at: Timestamp,
    /// When its version or state last changed there.
    pub updated_at: Timestamp,
    /// Its newest stored release history.
    pub publication_id: Option<i64>,
}

impl SiteModule {
    /// Its standing.
    pub fn standing(&self) -> Standing {
        self.judgement.standing
    }

    /// The release to go to.
    pub fn recommended(&self) -> Option<&str> {
        self.judgement.assessment.as_ref()?.recommended.as_deref()
    }

    /// A recommended version differs from the installed one.
    pub fn update_available(&self) -> bool {
        self.recommended()
            .is_some_and(|recommended| self.installed.as_deref() != Some(recommended))
    }

    /// It is exposed by something that has a fix.
    pub fn security_update(&self) -> bool {
        self.judgement.exposed() == Some(true) && !self.judgement.fixed_in().is_empty()
    }
}

/// What is worked out for a site when it is read: it depends on the site's core, or on the day.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitting {
    /// Whether the releases that the verdict names work with the site's core.
    pub compatibility: Vec<Compatibility>,
    /// For core: until when it gets security releases, and what that means today.
    pub coverage: Option<(Coverage, Requirement)>,
}

const TYPES: [&str; 5] = ["core", "module", "theme", "profile", "library"];
const STATUSES: [&str; 9] = [
    "not_secure",
    "revoked",
    "not_supported",
    "unknown",
    "not_checked",
    "pending",
    "not_current",
    "current",
    "custom",
];

/// The list of what a site runs.
pub static LIST: List = List {
    name: "site-modules",
    fields: &[
        Field::new("name", Kind::Text),
        Field::new("title", Kind::Text),
        Field::new("type", Kind::Word(&TYPES)),
        Field::new("module_id", Kind::Integer),
        Field::optional("installed", Kind::Text),
        Field::new("enabled", Kind::Boolean),
        Field::new("custom", Kind::Boolean),
        Field::new("status", Kind::Word(&STATUSES)),
        Field::optional("reason", Kind::Text),
        Field::optional("recommended", Kind::Text),
        Field::optional("exposed", Kind::Boolean),
        Field::new("update_available", Kind::Boolean),
        Field::new("first_seen_at", Kind::Time),
        Field::new("updated_at", Kind::Time),
    ],
    sorts: &["name", "status", "type", "first_seen_at", "updated_at"],
    default_sort: "name",
    search: true,
    columns: &[
        "name",
        "title",
        "type",
        "module_id",
        "installed",
        "enabled",
        "custom",
        "status",
        "reason",
        "recommended",
        "latest",
        "also",
        "security_updates",
        "advisories",
        "disputed_advisories",
        "composer",
        "components",
        "update_available",
        "security_update",
        "exposed",
        "exposed_by",
        "fixed_in",
        "core_compatibility",
        "security_coverage",
        "checked_at",
        "current_version_id",
        "first_seen_at",
        "updated_at",
    ],
};
