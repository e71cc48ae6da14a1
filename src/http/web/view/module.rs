//! One module: its versions and who runs what, the sites that run it, and its settings.

use askama::Template;
use jiff::Timestamp;

use super::super::charts::{self, VersionBar};
use super::super::listing::{Listing, Tab};
use super::super::parts::{Clock, Html, Status, Versions};
use super::super::shell::Shell;
use super::super::{parts, words};
use super::catalogue::CatalogueRow;
use super::fleet::Choice;

/// What stands above every tab of a module.
#[derive(Debug, Clone)]
pub struct ModuleHead {
    /// Its row of the catalogue.
    pub row: CatalogueRow,
    /// Its page at drupal.org; absent for custom code.
    pub link: Option<String>,
    /// What drupal.org says of the project.
    pub status: Option<String>,
    /// Branches that get fixes.
    pub branches: Vec<String>,
    /// When it is asked next.
    pub next_check: Option<Timestamp>,
    /// May have it asked now.
    pub may_refresh: bool,
    /// The tabs.
    pub tabs: Vec<Tab>,
}

/// One version of the module.
#[derive(Debug, Clone)]
pub struct VersionRow {
    /// The version; `None`: sites could not say.
    pub version: Option<String>,
    /// When it was released.
    pub released: Option<Timestamp>,
    /// A site that runs it has this status.
    pub status: Status,
    /// What drupal.org says of the release, in words.
    pub about: String,
    /// Sites that run it.
    pub sites: u64,
    /// Where they are listed.
    pub run_by: Option<String>,
}

/// The versions of a module.
#[derive(Debug, Template)]
#[template(path = "module_versions.html")]
pub struct ModuleVersionsPage {
    /// What stands around it.
    pub shell: Shell,
    /// What stands above it.
    pub head: ModuleHead,
    /// The versions that sites run, for the chart.
    pub bars: Vec<VersionBar>,
    /// What the chart shows, in words.
    pub finding: String,
    /// What every list has.
    pub list: Listing,
    /// The rows of this page.
    pub rows: Vec<VersionRow>,
}

impl ModuleVersionsPage {
    fn chart(&self) -> Html {
        charts::version_bars(&self.bars, &self.finding)
    }
}

/// One site that runs the module.
#[derive(Debug, Clone)]
pub struct ModuleSiteRow {
    /// The site.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its organization.
    pub organization: String,
    /// Its environment.
    pub environment: String,
    /// Installed, and what fixes it.
    pub versions: Versions,
    /// Exposed, past due, can't tell, not enabled; `None`: not exposed.
    pub status: Option<Status>,
    /// The window that is open, or was the last.
    pub clock: Option<Clock>,
}

/// The sites that run a module.
#[derive(Debug, Template)]
#[template(path = "module_sites.html")]
pub struct ModuleSitesPage {
    /// What stands around it.
    pub shell: Shell,
    /// What stands above it.
    pub head: ModuleHead,
    /// What every list has.
    pub list: Listing,
    /// The rows of this page.
    pub rows: Vec<ModuleSiteRow>,
    /// The environments to choose from.
    pub environments: Vec<Choice>,
    /// The organizations to choose from.
    pub organizations: Vec<Choice>,
    /// The states to choose from.
    pub states: Vec<Choice>,
}

/// What was typed into a module's form, and what is wrong with it.
#[derive(Debug, Clone, Default)]
pub struct ModuleForm {
    /// Its short name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// The types to choose from.
    pub kinds: Vec<Choice>,
    /// (field, sentence): what is wrong.
    pub faults: Vec<(String, String)>,
}

impl ModuleForm {
    /// What is wrong with a field.
    pub fn error(&self, field: &str) -> Option<String> {
        super::forms::error_of(&self.faults, field)
    }
}

/// A module to be added.
#[derive(Debug, Template)]
#[template(path = "module_new.html")]
pub struct NewModulePage {
    /// What stands around it.
    pub shell: Shell,
    /// Its form.
    pub form: ModuleForm,
}

/// A module's settings.
#[derive(Debug, Template)]
#[template(path = "module_settings.html")]
pub struct ModuleSettingsPage {
    /// What stands around it.
    pub shell: Shell,
    /// What stands above it.
    pub head: ModuleHead,
    /// Its form.
    pub form: ModuleForm,
}
