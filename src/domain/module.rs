//! A module of the catalogue, as people and programs read it.

use jiff::Timestamp;

use super::fault::Fault;
use super::form;
use super::inventory::{ModuleType, is_project_name};
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

/// A deleted one, that can be brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedModule {
    /// Its id.
    pub id: i64,
    /// Its short name.
    pub name: String,
    /// Its title, or its name where it has none.
    pub title: String,
    /// When it was deleted.
    pub deleted_at: Timestamp,
}

/// What the platform administrator can say about a module; what isn't said stays as it is.
#[derive(Debug, Clone, Default)]
pub struct ModuleForm {
    /// The project's short name on drupal.org.
    pub name: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// Its type.
    pub kind: Option<String>,
    /// What is already known to be wrong: fields that could not be read, or aren't known.
    pub unreadable: Vec<Fault>,
}

/// A module's facts, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleFacts {
    /// Its name.
    pub name: String,
    /// At most 255 characters; empty: none is known.
    pub title: String,
    /// Its type.
    pub kind: ModuleType,
}

/// What a project can be said to be; core is core, and nothing else is.
const KINDS: [ModuleType; 3] = [ModuleType::Module, ModuleType::Theme, ModuleType::Profile];

impl ModuleForm {
    /// The facts, where nothing is wrong with them. `before` gives what the form doesn't say, and the
    /// name, which can't change.
    ///
    /// # Errors
    /// All faults at once.
    pub fn check(&self, before: Option<&ModuleFacts>) -> Result<ModuleFacts, Vec<Fault>> {
        let mut faults = self.unreadable.clone();
        let name = self.checked_name(before, &mut faults);
        let title = form::line(self.title.as_deref(), "/title", 255, &mut faults)
            .or_else(|| before.map(|facts| facts.title.clone()))
            .unwrap_or_default();
        let was = match before {
            Some(facts) => facts.kind,
            None if name.as_deref() == Some("drupal") => ModuleType::Core,
            None => ModuleType::Module,
        };
        let kind = self.checked_kind(was, &mut faults);
        match name {
            Some(name) if faults.is_empty() => Ok(ModuleFacts { name, title, kind }),
            _ => Err(faults),
        }
    }

    fn checked_name(
        &self,
        before: Option<&ModuleFacts>,
        faults: &mut Vec<Fault>,
    ) -> Option<String> {
        const POINTER: &str = "/module_name";
        match (&self.name, before) {
            (None, None) => {
                form::need(POINTER, faults);
                None
            }
            (None, Some(before)) => Some(before.name.clone()),
            (Some(name), Some(before)) if *name != before.name => {
                faults.push(Fault::new(
                    POINTER,
                    "immutable",
                    "cannot be changed: it is the project's name on drupal.org.",
                ));
                None
            }
            (Some(name), None) if !is_project_name(name) => {
                faults.push(Fault::new(
                    POINTER,
                    "invalid",
                    "takes the short name of a project on drupal.org: a small letter, then up to 127 small letters, digits and underscores.",
                ));
                None
            }
            (Some(name), _) => Some(name.clone()),
        }
    }

    fn checked_kind(&self, was: ModuleType, faults: &mut Vec<Fault>) -> ModuleType {
        let Some(word) = self.kind.as_deref() else {
            return was;
        };
        let free = KINDS.contains(&was);
        match ModuleType::from_word(word) {
            Some(kind) if kind == was || (free && KINDS.contains(&kind)) => kind,
            _ => {
                let allowed = if free {
                    "module, theme or profile"
                } else {
                    was.word()
                };
                faults.push(Fault::new(
                    "/type",
                    "not_allowed",
                    format!("takes {allowed} here."),
                ));
                was
            }
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
