//! A module of the catalogue, as people and programs read it.

use jiff::Timestamp;

use super::listing::{Field, Kind, List};

/// One module, counted over the sites in sight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// Its id.
    pub id: i64,
    /// Its short name, or its Composer name.
    pub name: String,
    /// Its title, or its name where it has none.
    pub title: String,
    /// `core`, `module`, `theme`, `profile` or `library`.
    pub kind: String,
    /// `project`, `custom` or `library`.
    pub origin: String,
    /// The project's own status, as drupal.org says it.
    pub project_status: Option<String>,
    /// How asking drupal.org stands.
    pub feed_state: String,
    /// Why the last question failed.
    pub last_error: Option<String>,
    /// The branches that get releases.
    pub supported_branches: Vec<String>,
    /// Sites that have it.
    pub sites_count: i64,
    /// Sites that run a version of it that is exposed.
    pub exposed_sites_count: i64,
    /// When drupal.org was last asked.
    pub last_checked_at: Option<Timestamp>,
    /// When it last gave a good answer.
    pub last_success_at: Option<Timestamp>,
    /// When it is asked next.
    pub next_check_at: Option<Timestamp>,
    /// Since when it is known.
    pub created_at: Timestamp,
}

impl Module {
    /// drupal.org knows it.
    pub fn is_project(&self) -> bool {
        self.origin == "project"
    }

    /// The page of the project, where it has one.
    pub fn drupal_link(&self) -> Option<String> {
        self.is_project()
            .then(|| format!("https://www.drupal.org/project/{}", self.name))
    }

    /// One word: the project's own status, else how asking for it stands.
    pub fn status(&self) -> &str {
        match (&self.project_status, self.is_project()) {
            (_, false) => "custom",
            (Some(status), true) => status,
            (None, true) => &self.feed_state,
        }
    }
}

const TYPES: [&str; 5] = ["core", "module", "theme", "profile", "library"];
const ORIGINS: [&str; 3] = ["project", "custom", "library"];

/// The list of modules.
pub static LIST: List = List {
    name: "modules",
    fields: &[
        Field::new("id", Kind::Integer),
        Field::new("module_name", Kind::Text),
        Field::new("title", Kind::Text),
        Field::new("type", Kind::Word(&TYPES)),
        Field::new("origin", Kind::Word(&ORIGINS)),
        Field::new("sites_count", Kind::Integer),
        Field::new("exposed_sites_count", Kind::Integer),
        Field::optional("last_checked_at", Kind::Time),
        Field::optional("next_check_at", Kind::Time),
    ],
    sorts: &[
        "module_name",
        "id",
        "sites_count",
        "exposed_sites_count",
        "last_checked_at",
    ],
    default_sort: "module_name",
    search: true,
    columns: &[
        "id",
        "module_name",
        "title",
        "type",
        "origin",
        "drupal_link",
        "status",
        "supported_branches",
        "sites_count",
        "exposed_sites_count",
        "last_checked_at",
        "last_success_at",
        "next_check_at",
        "last_error",
    ],
};
