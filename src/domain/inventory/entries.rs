//! The entries of an inventory as it arrived become those that are kept: each is checked, and components
//! are grouped under their projects.

use std::collections::HashMap;

use super::read::shown;
use super::{Entry, LONGEST_VERSION, ModuleType, Origin, RawEntry};
use crate::domain::fault::Fault;
use crate::domain::text;

/// Groups components under their projects and checks every entry.
pub(super) fn entries(raw: &[RawEntry<'_>], faults: &mut Vec<Fault>) -> Vec<Entry> {
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
