//! What a site says it runs, and what changed since the last time it said so.
//!
//! Parse, don't validate: an [`Inventory`] can't be wrong once built, and everything that is wrong
//! with what was sent is said at once. Knows neither the store nor the verdicts.

use std::borrow::Cow;
use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use self::read::shown;
use super::fault::Fault;
use super::objects::by_name;
use super::text;

pub mod read;

/// Entries in one inventory, at most.
pub const MOST_ENTRIES: usize = 5_000;
/// Characters of a version, at most.
pub const LONGEST_VERSION: usize = 64;

/// An inventory as it arrives: right in its types, nothing else is known of it.
#[derive(Debug, Deserialize)]
#[serde(remote = "Self")]
pub struct RawInventory<'a> {
    /// The version of the format.
    pub schema: i64,
    /// When the site made it.
    #[serde(default, borrow, deserialize_with = "text")]
    pub generated_at: Option<Cow<'a, str>>,
    /// Who made it.
    #[serde(borrow)]
    pub agent: Option<RawAgent<'a>>,
    /// The installation.
    #[serde(borrow)]
    pub site: Option<RawSite<'a>>,
    /// The whole inventory.
    #[serde(borrow)]
    pub modules: Vec<RawEntry<'a>>,
}

/// The program that made an inventory.
#[derive(Debug, Deserialize)]
#[serde(remote = "Self")]
pub struct RawAgent<'a> {
    /// Its name.
    #[serde(default, borrow, deserialize_with = "text")]
    pub name: Option<Cow<'a, str>>,
    /// Its version.
    #[serde(default, borrow, deserialize_with = "text")]
    pub version: Option<Cow<'a, str>>,
}

/// The installation that an inventory is of.
#[derive(Debug, Default, Deserialize)]
#[serde(remote = "Self")]
pub struct RawSite<'a> {
    /// Its address.
    #[serde(default, borrow, deserialize_with = "text")]
    pub url: Option<Cow<'a, str>>,
    /// A hash of host and document root.
    #[serde(default, borrow, deserialize_with = "text")]
    pub instance: Option<Cow<'a, str>>,
    /// Drupal's version, for information.
    #[serde(default, borrow, deserialize_with = "text")]
    pub drupal_version: Option<Cow<'a, str>>,
    /// PHP's version.
    #[serde(default, borrow, deserialize_with = "text")]
    pub php_version: Option<Cow<'a, str>>,
    /// The database.
    #[serde(borrow)]
    pub database: Option<RawDatabase<'a>>,
    /// The install profile.
    #[serde(default, borrow, deserialize_with = "text")]
    pub install_profile: Option<Cow<'a, str>>,
    /// When cron last ran.
    #[serde(default, borrow, deserialize_with = "text")]
    pub cron_last_run: Option<Cow<'a, str>>,
    /// Drupal's own status report.
    pub status_report: Option<RawReport>,
}

/// The database of an installation.
#[derive(Debug, Deserialize)]
#[serde(remote = "Self")]
pub struct RawDatabase<'a> {
    /// `mysql`, `pgsql`, `sqlite`.
    #[serde(default, borrow, deserialize_with = "text")]
    pub driver: Option<Cow<'a, str>>,
    /// Its version.
    #[serde(default, borrow, deserialize_with = "text")]
    pub version: Option<Cow<'a, str>>,
}

/// What Drupal's own status report counts.
#[derive(Debug, Deserialize)]
#[serde(remote = "Self")]
pub struct RawReport {
    /// Errors.
    pub errors: Option<i64>,
    /// Warnings.
    pub warnings: Option<i64>,
}

/// One entry as it arrives.
#[derive(Debug, Default, Deserialize)]
#[serde(remote = "Self")]
pub struct RawEntry<'a> {
    /// The project's short name, or a component's.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// Its title.
    #[serde(default, borrow, deserialize_with = "text")]
    pub title: Option<Cow<'a, str>>,
    /// `core`, `module` (the default), `theme`, `profile`, `library`.
    #[serde(rename = "type", default, borrow, deserialize_with = "text")]
    pub kind: Option<Cow<'a, str>>,
    /// The installed version.
    #[serde(default, borrow, deserialize_with = "text")]
    pub version: Option<Cow<'a, str>>,
    /// Whether it is enabled; it is, unless said otherwise.
    pub enabled: Option<bool>,
    /// The date of the package, Unix seconds.
    pub datestamp: Option<i64>,
    /// Its Composer name.
    #[serde(default, borrow, deserialize_with = "text")]
    pub composer: Option<Cow<'a, str>>,
    /// The names of its components.
    #[serde(default, borrow, deserialize_with = "texts")]
    pub components: Option<Vec<Cow<'a, str>>>,
    /// The project it is a component of.
    #[serde(default, borrow, deserialize_with = "text")]
    pub project: Option<Cow<'a, str>>,
    /// Code that drupal.org doesn't know.
    pub custom: Option<bool>,
}

by_name!(
    RawInventory<'a>,
    RawAgent<'a>,
    RawSite<'a>,
    RawDatabase<'a>,
    RawReport,
    RawEntry<'a>
);

/// A text that stays where it was sent, unless it has escapes. Serde borrows a `Cow` only where it
/// stands by itself, so that one inside an option needs this around it.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

pub(super) fn text<'de: 'a, 'a, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Cow<'a, str>>, D::Error> {
    Ok(Option::<Text<'a>>::deserialize(from)?.map(|text| text.0))
}

fn texts<'de: 'a, 'a, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Vec<Cow<'a, str>>>, D::Error> {
    let texts = Option::<Vec<Text<'a>>>::deserialize(from)?;
    Ok(texts.map(|texts| texts.into_iter().map(|text| text.0).collect()))
}

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

/// Groups components under their projects and checks every entry.
fn entries(raw: &[RawEntry<'_>], faults: &mut Vec<Fault>) -> Vec<Entry> {
    let mut seen: HashMap<&str, usize> = HashMap::with_capacity(raw.len());
    let joined = raw.iter().any(|one| component_of(one).is_some());
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut entries: Vec<Entry> = Vec::with_capacity(raw.len());
    for (index, one) in raw.iter().enumerate() {
        if let Some(first) = seen.insert(&one.name, index) {
            faults.push(Fault::new(
                format!("/modules/{index}/name"),
                "duplicate",
                format!("{} is named before, at /modules/{first}", shown(&one.name)),
            ));
            continue;
        }
        let Some(entry) = entry(one, index, faults) else {
            continue;
        };
        if component_of(one).is_none() {
            if joined {
                places.insert(&one.name, entries.len());
            }
            entries.push(entry);
        }
    }
    for (index, one) in raw.iter().enumerate() {
        if let Some(project) = component_of(one)
            && seen.get(one.name.as_ref()) == Some(&index)
        {
            join(one, project, &mut places, &mut entries);
        }
    }
    entries.sort_unstable_by(|a, b| (a.origin, &a.name).cmp(&(b.origin, &b.name)));
    for entry in &mut entries {
        entry.components.sort_unstable();
        entry.components.dedup();
    }
    entries
}

/// The project that an entry is a component of, if it is another than itself.
fn component_of<'a>(one: &'a RawEntry<'_>) -> Option<&'a str> {
    one.project
        .as_deref()
        .filter(|project| *project != one.name)
}

/// Puts a component under its project; a project that isn't listed itself is known by its components.
fn join<'a>(
    one: &'a RawEntry<'_>,
    project: &'a str,
    places: &mut HashMap<&'a str, usize>,
    entries: &mut Vec<Entry>,
) {
    let enabled = one.enabled.unwrap_or(true);
    let stamp = snapshot_date(one.version.as_deref(), one.datestamp);
    if let Some(owner) = places.get(project).and_then(|at| entries.get_mut(*at)) {
        owner.components.push(one.name.clone().into_owned());
        owner.enabled |= enabled;
        if owner.version.as_deref() == one.version.as_deref() {
            owner.datestamp = owner.datestamp.max(stamp);
        }
        return;
    }
    places.insert(project, entries.len());
    entries.push(Entry {
        origin: origin(one, kind_of(one, project)),
        name: project.to_owned(),
        title: String::new(),
        kind: kind_of(one, project),
        version: one.version.as_deref().map(str::to_owned),
        enabled,
        datestamp: stamp,
        composer: String::new(),
        components: vec![one.name.clone().into_owned()],
    });
}

/// What drupal.org calls `drupal` is core, whatever a site says.
fn kind_of(one: &RawEntry<'_>, name: &str) -> ModuleType {
    let said = one.kind.as_deref().and_then(ModuleType::from_word);
    if name == "drupal" && one.custom != Some(true) && said != Some(ModuleType::Library) {
        return ModuleType::Core;
    }
    said.unwrap_or(ModuleType::Module)
}

fn origin(one: &RawEntry<'_>, kind: ModuleType) -> Origin {
    if one.custom == Some(true) {
        Origin::Custom
    } else if kind == ModuleType::Library {
        Origin::Library
    } else {
        Origin::Project
    }
}

/// Checks one entry; the pointers are worded only where something is wrong.
fn entry(one: &RawEntry<'_>, index: usize, faults: &mut Vec<Fault>) -> Option<Entry> {
    let before = faults.len();
    let kind = kind_of(one, &one.name);
    if let Some(word) = one.kind.as_deref()
        && ModuleType::from_word(word).is_none()
    {
        faults.push(Fault::new(
            format!("/modules/{index}/type"),
            "unknown_word",
            format!(
                "type is {}; it can be core, module, theme, profile or library",
                shown(word)
            ),
        ));
    }
    check_name(one, kind, index, faults);
    for (text, field, most) in [
        (&one.title, "title", 255),
        (&one.version, "version", LONGEST_VERSION),
        (&one.composer, "composer", 255),
    ] {
        if let Some(text) = text.as_deref()
            && !text::is_plain(text, most)
        {
            text::check(text, &format!("/modules/{index}/{field}"), most, faults);
        }
    }
    for (at, component) in one.components.iter().flatten().enumerate() {
        if !text::is_plain(component, 255) {
            text::check(
                component,
                &format!("/modules/{index}/components/{at}"),
                255,
                faults,
            );
        }
    }
    if one
        .datestamp
        .is_some_and(|date| !(0..=253_402_300_799).contains(&date))
    {
        faults.push(Fault::new(
            format!("/modules/{index}/datestamp"),
            "out_of_range",
            "datestamp must be Unix seconds, 0 or more",
        ));
    }
    if faults.len() > before {
        return None;
    }
    Some(Entry {
        origin: origin(one, kind),
        name: one.name.clone().into_owned(),
        title: one.title.as_deref().unwrap_or_default().to_owned(),
        kind,
        version: one.version.as_deref().map(str::to_owned),
        enabled: one.enabled.unwrap_or(true),
        datestamp: snapshot_date(one.version.as_deref(), one.datestamp),
        composer: one.composer.as_deref().unwrap_or_default().to_owned(),
        components: own_components(one),
    })
}

/// The components that an entry lists, without itself.
fn own_components(one: &RawEntry<'_>) -> Vec<String> {
    one.components
        .iter()
        .flatten()
        .filter(|name| **name != one.name)
        .map(|name| name.clone().into_owned())
        .collect()
}

fn check_name(one: &RawEntry<'_>, kind: ModuleType, index: usize, faults: &mut Vec<Fault>) {
    let library = kind == ModuleType::Library;
    let known = is_project_name(&one.name) || (library && is_composer_name(&one.name));
    if !known {
        let right = if library {
            "a Composer name such as vendor/name"
        } else {
            "a project's short name: a small letter, then up to 127 small letters, digits and _"
        };
        faults.push(Fault::new(
            format!("/modules/{index}/name"),
            "invalid_name",
            format!("{} is not {right}", shown(&one.name)),
        ));
    }
    if kind == ModuleType::Core && one.name != "drupal" && one.custom != Some(true) {
        faults.push(Fault::new(
            format!("/modules/{index}/type"),
            "invalid",
            "only drupal is of type core",
        ));
    }
    if let Some(project) = one.project.as_deref()
        && !is_project_name(project)
    {
        faults.push(Fault::new(
            format!("/modules/{index}/project"),
            "invalid_name",
            format!("{} is not a project's short name", shown(project)),
        ));
    }
}

/// `[a-z][a-z0-9_]{0,127}`: a project's short name on drupal.org.
pub fn is_project_name(name: &str) -> bool {
    name.len() <= 128
        && name.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// `vendor/name` as Composer writes it.
pub fn is_composer_name(name: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.-".contains(&b))
    };
    name.len() <= 255
        && name
            .split_once('/')
            .is_some_and(|(vendor, rest)| part(vendor) && part(rest))
}

/// Only a development snapshot's date tells one version from another.
fn snapshot_date(version: Option<&str>, datestamp: Option<i64>) -> i64 {
    match version {
        Some(version) if version.contains("dev") || version.contains("HEAD") => {
            datestamp.unwrap_or(0)
        }
        _ => 0,
    }
}

/// What happened to one entry between two inventories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It wasn't there before.
    Installed,
    /// Another version that is newer, or can't be compared.
    Updated,
    /// An older version.
    Downgraded,
    /// It is no longer there.
    Removed,
    /// It was switched on.
    Enabled,
    /// It was switched off.
    Disabled,
}

impl Kind {
    /// Its word in the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Installed => "installed",
            Self::Updated => "updated",
            Self::Downgraded => "downgraded",
            Self::Removed => "removed",
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
        }
    }
}

/// One entry that differs between two inventories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<'a> {
    /// What it was; `None`: it is new.
    pub before: Option<&'a Entry>,
    /// What it is; `None`: it is gone.
    pub after: Option<&'a Entry>,
    /// What to call it: up to two words (a new version and a switch). None: only its components,
    /// title or Composer name differ.
    pub kinds: Vec<Kind>,
}

/// What differs between two inventories; both in the order of [`Inventory::entries`].
/// `is_older(a, b)` says that version `a` comes before version `b`, where that can be told.
pub fn diff<'a>(
    before: impl IntoIterator<Item = &'a Entry>,
    after: impl IntoIterator<Item = &'a Entry>,
    is_older: impl Fn(&str, &str) -> bool,
) -> Vec<Change<'a>> {
    let mut changes = Vec::new();
    let mut old = before.into_iter().peekable();
    let mut new = after.into_iter().peekable();
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return changes,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(a), Some(b)) => (a.origin, &a.name).cmp(&(b.origin, &b.name)),
        };
        let gone = if order.is_le() { old.next() } else { None };
        let come = if order.is_ge() { new.next() } else { None };
        let same = matches!((gone, come), (Some(gone), Some(come)) if gone.is_same(come));
        if !same {
            changes.push(Change {
                before: gone,
                after: come,
                kinds: kinds(gone, come, &is_older),
            });
        }
    }
}

fn kinds(
    before: Option<&Entry>,
    after: Option<&Entry>,
    is_older: &impl Fn(&str, &str) -> bool,
) -> Vec<Kind> {
    match (before, after) {
        (None, None) => Vec::new(),
        // Two words for what arrives switched off, so that the events alone tell what is enabled.
        (None, Some(after)) if !after.enabled => vec![Kind::Installed, Kind::Disabled],
        (None, Some(_)) => vec![Kind::Installed],
        (Some(_), None) => vec![Kind::Removed],
        (Some(before), Some(after)) => {
            let mut kinds = Vec::new();
            if before.version != after.version {
                let lower = match (&before.version, &after.version) {
                    (Some(from), Some(to)) => is_older(to, from),
                    _ => false,
                };
                kinds.push(if lower {
                    Kind::Downgraded
                } else {
                    Kind::Updated
                });
            } else if before.datestamp != after.datestamp {
                let lower = after.datestamp < before.datestamp && after.datestamp != 0;
                kinds.push(if lower {
                    Kind::Downgraded
                } else {
                    Kind::Updated
                });
            }
            match (before.enabled, after.enabled) {
                (false, true) => kinds.push(Kind::Enabled),
                (true, false) => kinds.push(Kind::Disabled),
                _ => {}
            }
            kinds
        }
    }
}
