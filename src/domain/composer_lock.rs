//! What a `composer.lock` says a site runs. Only names, types and versions are read; sources,
//! repositories and whatever credentials they hold are never kept.
//!
//! A lock can't tell what is enabled or whether development packages were left out: everything in it
//! counts as enabled, so that nothing exposed is missed.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;

use super::fault::Fault;
use super::inventory::{
    self, Inventory, LONGEST_VERSION, RawAgent, RawEntry, RawInventory, is_composer_name,
    is_project_name,
};
use super::objects::by_name;

/// The part of a lock that matters.
#[derive(Debug, Deserialize)]
#[serde(remote = "Self")]
pub struct Lock<'a> {
    /// What is installed.
    #[serde(borrow)]
    pub packages: Option<Vec<Package<'a>>>,
    /// What is installed for development.
    #[serde(rename = "packages-dev", borrow)]
    pub packages_dev: Option<Vec<Package<'a>>>,
}

/// One package of a lock.
#[derive(Debug, Deserialize)]
#[serde(remote = "Self")]
pub struct Package<'a> {
    /// `vendor/name`.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// Composer's version.
    #[serde(borrow)]
    pub version: Cow<'a, str>,
    /// `drupal-module`, `library`, …
    #[serde(
        rename = "type",
        default,
        borrow,
        deserialize_with = "inventory::borrowed"
    )]
    pub kind: Option<Cow<'a, str>>,
    /// Where drupal.org's own version and date stand. Any other project may keep anything here.
    pub extra: Option<serde_json::Value>,
}

by_name!(Lock<'a>, Package<'a>);

/// Reads a lock as an inventory.
///
/// # Errors
/// All faults, with JSON pointers into the lock.
pub fn read(lock: &Lock<'_>) -> Result<Inventory, Vec<Fault>> {
    let Some(packages) = &lock.packages else {
        return Err(vec![Fault::new(
            "/packages",
            "required",
            "a composer.lock has a list of packages; this document has none",
        )]);
    };
    let development = lock.packages_dev.as_deref().unwrap_or_default();
    let modules = entries(packages.iter().chain(development).collect());
    Inventory::build(&RawInventory {
        schema: 1,
        generated_at: None,
        agent: Some(RawAgent {
            name: Some(Cow::Borrowed("composer.lock")),
            version: None,
        }),
        site: None,
        modules,
    })
    .map_err(|faults| {
        faults
            .into_iter()
            .map(|fault| at_package(fault, packages.len()))
            .collect()
    })
}

/// A fault's place in the inventory becomes its place in the lock.
fn at_package(mut fault: Fault, first: usize) -> Fault {
    if let Some(rest) = fault.pointer.strip_prefix("/modules") {
        let mut parts = rest.splitn(3, '/').skip(1);
        fault.pointer = match parts.next().and_then(|index| index.parse::<usize>().ok()) {
            None => "/packages".to_owned(),
            Some(index) => {
                let field = parts.next().map(|f| format!("/{f}")).unwrap_or_default();
                if index < first {
                    format!("/packages/{index}{field}")
                } else {
                    format!("/packages-dev/{}{field}", index - first)
                }
            }
        };
    }
    fault
}

/// What a package is kept as.
struct Kept<'a> {
    name: &'a str,
    word: &'static str,
    custom: bool,
}

impl<'a> Kept<'a> {
    fn of(package: &'a Package<'_>) -> Self {
        let kind = package.kind.as_deref().unwrap_or("library");
        let name = package.name.as_ref();
        let short = name.split_once('/').map_or(name, |(_, short)| short);
        let ours = name.starts_with("drupal/") && is_project_name(short);
        let (name, word, custom) = match kind {
            "drupal-core" => ("drupal", "core", false),
            "drupal-module" if ours => (short, "module", false),
            "drupal-theme" if ours => (short, "theme", false),
            "drupal-profile" if ours => (short, "profile", false),
            "drupal-custom-module" if is_project_name(short) => (short, "module", true),
            "drupal-custom-theme" if is_project_name(short) => (short, "theme", true),
            "drupal-custom-profile" if is_project_name(short) => (short, "profile", true),
            _ => (name, "library", false),
        };
        Self { name, word, custom }
    }
}

/// Entries of one name can't be told apart: custom code that shares its short name with something else is
/// kept under its Composer name, which only a library may have. All who share it, so that a name never
/// passes from one to another.
fn entries<'a>(packages: Vec<&'a Package<'_>>) -> Vec<RawEntry<'a>> {
    let mut kept: Vec<Kept<'a>> = packages.iter().map(|package| Kept::of(package)).collect();
    if kept.iter().any(|kept| kept.custom) {
        let mut bearers: HashMap<&str, u32> = HashMap::with_capacity(kept.len());
        for kept in &kept {
            *bearers.entry(kept.name).or_default() += 1;
        }
        for (kept, package) in kept.iter_mut().zip(&packages) {
            if kept.custom && bearers.get(kept.name).is_some_and(|bearers| *bearers > 1) {
                (kept.name, kept.word) = (package.name.as_ref(), "library");
            }
        }
    }
    let pairs = packages.into_iter().zip(kept);
    pairs.map(|(package, kept)| entry(package, &kept)).collect()
}

fn entry<'a>(package: &'a Package<'_>, kept: &Kept<'a>) -> RawEntry<'a> {
    let drupal = package.extra.as_ref().and_then(|extra| extra.get("drupal"));
    let version = drupal
        .and_then(|drupal| drupal.get("version"))
        .and_then(serde_json::Value::as_str)
        .filter(|_| kept.word != "library")
        .map_or_else(|| Cow::Borrowed(package.version.as_ref()), Cow::Borrowed);
    // One too long to be kept (a branch of git) isn't known, which is never called fine, and refuses
    // nothing. Half of it would be another version.
    let is_kept = version.chars().nth(LONGEST_VERSION).is_none();
    RawEntry {
        name: lower(kept.name),
        kind: Some(Cow::Borrowed(kept.word)),
        version: is_kept.then_some(version),
        datestamp: drupal
            .and_then(|drupal| drupal.get("datestamp"))
            .and_then(date),
        composer: is_composer_name(&package.name).then(|| Cow::Borrowed(package.name.as_ref())),
        custom: Some(kept.custom),
        ..RawEntry::default()
    }
}

/// Composer's names are case-insensitive; old packages are written with capitals.
fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// drupal.org writes the date as a text of digits.
fn date(value: &serde_json::Value) -> Option<i64> {
    value
        .as_i64()
        .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::super::inventory::{ModuleType, Origin};
    use super::*;

    fn inventory(text: &str) -> Inventory {
        read(&serde_json::from_str(text).unwrap()).unwrap()
    }

    #[test]
    fn a_lock_names_core_projects_custom_code_and_libraries() {
        let inventory = inventory(
            r#"{"packages": [
                {"name": "drupal/core", "version": "10.3.1", "type": "drupal-core"},
                {"name": "drupal/token", "version": "1.13.0", "type": "drupal-module",
                 "extra": {"drupal": {"version": "8.x-1.13", "datestamp": "1700000000"}}},
                {"name": "acme/intranet", "version": "1.0.0", "type": "drupal-custom-module"},
                {"name": "Acme/Client", "version": "v2.0", "type": "library", "extra": []}],
              "packages-dev": [{"name": "drupal/devel", "version": "dev-5.x", "type": "drupal-module",
                 "extra": {"drupal": {"version": "5.x-dev", "datestamp": "1700000001"}}}]}"#,
        );
        let seen: Vec<_> = inventory
            .entries
            .iter()
            .map(|e| (e.origin, e.name.as_str(), e.version.as_deref(), e.enabled))
            .collect();
        assert_eq!(
            seen,
            [
                (Origin::Project, "devel", Some("5.x-dev"), true),
                (Origin::Project, "drupal", Some("10.3.1"), true),
                (Origin::Project, "token", Some("8.x-1.13"), true),
                (Origin::Custom, "intranet", Some("1.0.0"), true),
                (Origin::Library, "acme/client", Some("v2.0"), true),
            ]
        );
        assert_eq!(inventory.entries[0].datestamp, 1_700_000_001);
        assert_eq!(inventory.entries[1].kind, ModuleType::Core);
    }

    #[test]
    fn a_document_without_packages_is_no_lock() {
        let faults = read(&serde_json::from_str("{}").unwrap()).unwrap_err();
        assert_eq!(faults[0].pointer, "/packages");
    }

    #[test]
    fn faults_point_into_the_lock() {
        let lock = format!(
            r#"{{"packages": [{{"name": "drupal/token", "version": "{}", "type": "drupal-module"}}],
                "packages-dev": [{{"name": "a b", "version": "1"}}]}}"#,
            "\\u200b"
        );
        let faults = read(&serde_json::from_str(&lock).unwrap()).unwrap_err();
        let pointers: Vec<_> = faults.iter().map(|f| f.pointer.as_str()).collect();
        assert_eq!(pointers, ["/packages/0/version", "/packages-dev/0/name"]);
    }

    /// Origin, name, type and version of what is kept of these packages: name, type and version.
    fn kept(packages: &[(&str, &str, &str)]) -> Vec<(Origin, String, ModuleType, Option<String>)> {
        let package = |(name, kind, version): &(&str, &str, &str)| serde_json::json!({"name": name, "type": kind, "version": version});
        let packages: Vec<_> = packages.iter().map(package).collect();
        let read = inventory(&serde_json::json!({ "packages": packages }).to_string());
        let seen = read.entries.into_iter();
        seen.map(|one| (one.origin, one.name, one.kind, one.version))
            .collect()
    }

    #[test]
    fn custom_code_that_shares_a_short_name_has_its_composer_name() {
        let found = kept(&[
            ("acme/base", "drupal-custom-module", "1.0.0"),
            ("acme/foo", "drupal-custom-theme", "2.0.0"),
            ("acme/own", "drupal-custom-profile", "3.0.0"),
            ("beta/base", "drupal-custom-theme", "1.1.0"),
            ("drupal/core", "drupal-core", "10.3.1"),
            ("Beta/drupal", "drupal-custom-module", "4.0.0"),
            ("drupal/foo", "drupal-module", "5.0.0"),
            ("gamma/foo", "library", "6.0.0"),
        ]);
        let is = |origin, name: &str, kind, version: &str| {
            (origin, name.to_owned(), kind, Some(version.to_owned()))
        };
        let library = ModuleType::Library;
        assert_eq!(
            found,
            [
                is(Origin::Project, "drupal", ModuleType::Core, "10.3.1"),
                is(Origin::Project, "foo", ModuleType::Module, "5.0.0"),
                is(Origin::Custom, "acme/base", library, "1.0.0"),
                is(Origin::Custom, "acme/foo", library, "2.0.0"),
                is(Origin::Custom, "beta/base", library, "1.1.0"),
                is(Origin::Custom, "beta/drupal", library, "4.0.0"),
                is(Origin::Custom, "own", ModuleType::Profile, "3.0.0"),
                is(Origin::Library, "gamma/foo", library, "6.0.0"),
            ]
        );
    }

    #[test]
    fn a_version_that_is_too_long_is_not_known() {
        let (whole, longer) = ("é".repeat(64), "é".repeat(65));
        for kind in [
            "drupal-core",
            "drupal-module",
            "drupal-custom-module",
            "library",
        ] {
            let version = |version: &str| kept(&[("drupal/core", kind, version)])[0].3.clone();
            assert_eq!(version(&whole), Some(whole.clone()), "{kind}");
            assert_eq!(version(&longer), None, "{kind}");
        }
    }
}
