//! What a site says it runs, and what changed since the last time it said so.
//!
//! Parse, don't validate: an [`Inventory`] can't be wrong once built, and everything that is wrong
//! with what was sent is said at once. Knows neither the store nor the verdicts.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::entries::entries;
use super::fault::Fault;
use super::text;

mod changes;
mod entries;
mod raw;
pub mod read;

pub use changes::{Change, Kind, diff};
pub use entries::{is_composer_name, is_project_name};
pub(super) use raw::text as borrowed;
pub use raw::{RawAgent, RawDatabase, RawEntry, RawInventory, RawReport, RawSite};

/// Entries in one inventory, at most.
pub const MOST_ENTRIES: usize = 5_000;
/// Characters of a version, at most.
pub const LONGEST_VERSION: usize = 64;

/// Whose code it is, and so who may see its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A project on drupal.org.
    Project,
    /// The organization's own.
    Custom,
    /// A Composer package that isn't a Drupal project.
    Library,
}

impl Origin {
    /// How the store writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Custom => "custom",
            Self::Library => "library",
        }
    }

    /// The origin that the store's word stands for.
    pub fn from_word(word: &str) -> Self {
        match word {
            "custom" => Self::Custom,
            "library" => Self::Library,
            _ => Self::Project,
        }
    }
}

/// What kind of code it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModuleType {
    /// Drupal itself.
    Core,
    /// A module.
    Module,
    /// A theme.
    Theme,
    /// An install profile.
    Profile,
    /// A library.
    Library,
}

impl ModuleType {
    /// Its word in the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Module => "module",
            Self::Theme => "theme",
            Self::Profile => "profile",
            Self::Library => "library",
        }
    }

    /// The type that the word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        [
            Self::Core,
            Self::Module,
            Self::Theme,
            Self::Profile,
            Self::Library,
        ]
        .into_iter()
        .find(|t| t.word() == word)
    }

    /// The type that drupal.org gives a project, where it is one of ours.
    pub fn of_project(word: &str) -> Option<Self> {
        match word {
            "project_core" => Some(Self::Core),
            "project_module" => Some(Self::Module),
            "project_theme" => Some(Self::Theme),
            "project_distribution" | "project_profile" => Some(Self::Profile),
            _ => None,
        }
    }
}

/// One project, custom module or library that a site has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Whose code it is.
    #[serde(rename = "o")]
    pub origin: Origin,
    /// Its name, unique within its origin.
    #[serde(rename = "n")]
    pub name: String,
    /// Its title, or empty.
    #[serde(rename = "t", default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Its type.
    #[serde(rename = "k")]
    pub kind: ModuleType,
    /// The installed version, exactly as the site wrote it.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether it is enabled.
    #[serde(rename = "e")]
    pub enabled: bool,
    /// The snapshot's date in Unix seconds; 0 for anything but a development snapshot.
    #[serde(rename = "d", default, skip_serializing_if = "is_zero")]
    pub datestamp: i64,
    /// Its Composer name, or empty.
    #[serde(rename = "c", default, skip_serializing_if = "String::is_empty")]
    pub composer: String,
    /// The names of its components, in order.
    #[serde(rename = "s", default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

impl Entry {
    /// The two say the same about what runs. Titles, types and Composer names may differ.
    pub fn is_same(&self, other: &Self) -> bool {
        self.version == other.version
            && self.datestamp == other.datestamp
            && self.enabled == other.enabled
            && self.components == other.components
    }
}

/// What an inventory tells of the installation itself. `None`: it wasn't said, and isn't compared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The site's address.
    pub url: Option<String>,
    /// A hash of host and document root.
    pub instance: Option<String>,
    /// Drupal's version, for information.
    pub drupal_version: Option<String>,
    /// PHP's version.
    pub php_version: Option<String>,
    /// The database's driver and version.
    pub database: Option<(String, String)>,
    /// The install profile.
    pub install_profile: Option<String>,
    /// The program that made the inventory: name and version.
    pub agent: Option<String>,
}

/// What changes with every cron run and so is no change of the inventory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pulse {
    /// When cron last ran.
    pub cron_last_run: Option<Timestamp>,
    /// Errors in Drupal's own status report.
    pub errors: Option<i64>,
    /// Warnings there.
    pub warnings: Option<i64>,
}

/// A whole inventory, right in itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    /// When the site made it; `None`: it didn't say.
    pub generated_at: Option<Timestamp>,
    /// What it tells of the installation.
    pub facts: Facts,
    /// What changes all the time.
    pub pulse: Pulse,
    /// The entries, by origin and name; each pair once.
    pub entries: Vec<Entry>,
}

impl Inventory {
    /// Builds an inventory, or says everything that is wrong with it.
    ///
    /// # Errors
    /// All faults, with JSON pointers into the body.
    pub fn build(raw: &RawInventory<'_>) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        if raw.schema != 1 {
            faults.push(Fault::new(
                "/schema",
                "unsupported",
                format!("schema is {}; this Dewline understands 1", raw.schema),
            ));
        }
        let generated_at = instant(raw.generated_at.as_deref(), "/generated_at", &mut faults);
        let (facts, pulse) = facts(raw, &mut faults);
        if raw.modules.len() > MOST_ENTRIES {
            faults.push(Fault::new(
                "/modules",
                "too_many",
                format!(
                    "modules has {} entries; at most {MOST_ENTRIES} are taken",
                    raw.modules.len()
                ),
            ));
            return Err(faults);
        }
        let entries = entries(&raw.modules, &mut faults);
        if faults.is_empty() {
            Ok(Self {
                generated_at,
                facts,
                pulse,
                entries,
            })
        } else {
            Err(faults)
        }
    }

    /// The bytes whose hash tells one inventory from another: everything but its times.
    pub fn canonical(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64 * self.entries.len() + 256);
        let facts = &self.facts;
        for text in [
            &facts.url,
            &facts.instance,
            &facts.drupal_version,
            &facts.php_version,
            &facts.install_profile,
            &facts.agent,
        ] {
            push(&mut bytes, text.as_deref());
        }
        let database = facts.database.as_ref();
        push(&mut bytes, database.map(|(driver, _)| driver.as_str()));
        push(&mut bytes, database.map(|(_, version)| version.as_str()));
        for entry in &self.entries {
            bytes.push(entry.origin as u8);
            bytes.push(u8::from(entry.enabled));
            bytes.extend_from_slice(&entry.datestamp.to_le_bytes());
            push(&mut bytes, Some(&entry.name));
            push(&mut bytes, entry.version.as_deref());
            for component in &entry.components {
                push(&mut bytes, Some(component));
            }
            bytes.push(0xFF);
        }
        bytes
    }
}

/// Writes a text so that no two lists of texts give the same bytes.
fn push(bytes: &mut Vec<u8>, text: Option<&str>) {
    match text {
        None => bytes.push(0xFE),
        Some(text) => {
            bytes.push(0xFD);
            bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
    }
}

fn instant(text: Option<&str>, pointer: &str, faults: &mut Vec<Fault>) -> Option<Timestamp> {
    let text = text?;
    match text.parse::<Timestamp>() {
        Ok(at) => Some(at),
        Err(_) => {
            faults.push(Fault::new(
                pointer,
                "not_a_time",
                "must be a time such as 2026-11-20T08:00:00Z",
            ));
            None
        }
    }
}

fn facts(raw: &RawInventory<'_>, faults: &mut Vec<Fault>) -> (Facts, Pulse) {
    let empty = RawSite::default();
    let site = raw.site.as_ref().unwrap_or(&empty);
    let mut take = |text: &Option<Cow<'_, str>>, pointer: &str, most: usize| {
        let text = text.as_deref()?;
        text::check(text, pointer, most, faults);
        Some(text.to_owned())
    };
    let database = site.database.as_ref().map(|database| {
        (
            take(&database.driver, "/site/database/driver", 64).unwrap_or_default(),
            take(&database.version, "/site/database/version", 128).unwrap_or_default(),
        )
    });
    let agent = raw.agent.as_ref().map(|agent| {
        let name = take(&agent.name, "/agent/name", 64).unwrap_or_default();
        let version = take(&agent.version, "/agent/version", 64).unwrap_or_default();
        format!("{name} {version}").trim().to_owned()
    });
    let facts = Facts {
        url: take(&site.url, "/site/url", 2048).map(|url| without_credentials(&url)),
        instance: take(&site.instance, "/site/instance", 128),
        drupal_version: take(&site.drupal_version, "/site/drupal_version", 64),
        php_version: take(&site.php_version, "/site/php_version", 64),
        database,
        install_profile: take(&site.install_profile, "/site/install_profile", 128),
        agent,
    };
    let report = site.status_report.as_ref();
    let pulse = Pulse {
        cron_last_run: instant(site.cron_last_run.as_deref(), "/site/cron_last_run", faults),
        errors: report.and_then(|report| report.errors),
        warnings: report.and_then(|report| report.warnings),
    };
    (facts, pulse)
}

/// An address without the name and password that it may hold: they are never kept.
fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}
