//! Where the configuration comes from: flags over environment over file over default.
//!
//! Every mistake of every source is found before anything is said, and each names the key, where
//! the value came from and what would be right. Values of secrets are never repeated.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use crate::config::Config;

mod file;
pub mod keys;
mod values;

use keys::Key;

/// The file that is read where none is named.
pub const DEFAULT_FILE: &str = "/etc/dewline/dewline.toml";
/// The variable that names the file.
const FILE_VARIABLE: &str = "DEWLINE_CONFIG";
/// Variables of the push script, which may run on the same machine.
const PUSH_PREFIX: &str = "DEWLINE_PUSH_";

/// Everything that the configuration is read from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file of `--config`.
    pub file: Option<PathBuf>,
    /// The file that is read if it is there and no other is named.
    pub default_file: Option<PathBuf>,
    /// The process's environment.
    pub environment: Vec<(OsString, OsString)>,
    /// Flags, as (key, flag, value).
    pub flags: Vec<(String, String, String)>,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The configuration file, at a line.
    File(PathBuf, usize),
    /// An environment variable.
    Environment(String),
    /// A file that an environment variable names.
    EnvironmentFile(String, PathBuf),
    /// A flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(file, 0) => write!(f, "{}", file.display()),
            Self::File(file, line) => write!(f, "{}, line {line}", file.display()),
            Self::Environment(variable) => write!(f, "environment {variable}"),
            Self::EnvironmentFile(variable, file) => {
                write!(f, "environment {variable}, file {}", file.display())
            }
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The key, where one is concerned.
    pub key: Option<String>,
    /// Where it stands.
    pub origin: Origin,
    /// What is wrong and what would be right.
    pub what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "{key} ({}): {}", self.origin, self.what),
            None => write!(f, "{}: {}", self.origin, self.what),
        }
    }
}

/// One key with the value that holds.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The key.
    pub key: &'static Key,
    /// Its value, as it was written.
    pub value: String,
    /// Where that came from.
    pub origin: Origin,
}

/// The effective configuration.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The values for the program.
    pub config: Config,
    /// The values for people, in the order of [`keys::ALL`].
    pub settings: Vec<Setting>,
}

/// What a source says about one key, before it is checked.
struct Candidate {
    path: String,
    text: String,
    origin: Origin,
}

/// Reads all sources.
///
/// # Errors
/// Every mistake there is.
pub fn load(sources: &Sources) -> Result<Loaded, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let mut candidates = Vec::new();
    if let Some((named, file)) = file_to_read(sources) {
        file::read(&file, named, &mut candidates, &mut mistakes);
    }
    from_environment(&sources.environment, &mut candidates, &mut mistakes);
    from_flags(&sources.flags, &mut candidates, &mut mistakes);
    let loaded = apply(candidates, &mut mistakes);
    if mistakes.is_empty() {
        Ok(loaded)
    } else {
        Err(mistakes)
    }
}

/// The file, and whether somebody named it (then it has to be there).
fn file_to_read(sources: &Sources) -> Option<(bool, PathBuf)> {
    let by_variable = || {
        let (_, value) = sources
            .environment
            .iter()
            .find(|(name, _)| name == FILE_VARIABLE)?;
        (!value.is_empty()).then(|| PathBuf::from(value))
    };
    match sources.file.clone().or_else(by_variable) {
        Some(file) => Some((true, file)),
        None => sources.default_file.clone().map(|file| (false, file)),
    }
}

fn from_environment(
    environment: &[(OsString, OsString)],
    candidates: &mut Vec<Candidate>,
    mistakes: &mut Vec<Mistake>,
) {
    let mut ours: Vec<(String, &OsString)> = environment
        .iter()
        .filter_map(|(name, value)| Some((name.to_str()?.to_owned(), value)))
        .filter(|(name, value)| {
            name.starts_with("DEWLINE_")
                && !name.starts_with(PUSH_PREFIX)
                && name != FILE_VARIABLE
                && !value.is_empty()
        })
        .collect();
    ours.sort();
    let mut seen = BTreeMap::new();
    for (name, value) in ours {
        let origin = Origin::Environment(name.clone());
        let mut wrong = |key: Option<&str>, what: String| {
            mistakes.push(Mistake {
                key: key.map(str::to_owned),
                origin: origin.clone(),
                what,
            });
        };
        let Some((key, by_file)) = key_of_variable(&name) else {
            wrong(None, "this variable is not known; `dewline config` lists the keys, and DEWLINE_ is reserved for them".to_owned());
            continue;
        };
        if let Some(other) = seen.insert(key.path, name.clone()) {
            wrong(Some(key.path), format!("is set by {other} too; keep one"));
        }
        let Some(text) = value.to_str() else {
            wrong(Some(key.path), "the value is not UTF-8".to_owned());
            continue;
        };
        let (text, origin) = if by_file {
            match std::fs::read_to_string(text) {
                Ok(secret) => (
                    secret.trim_end_matches(['\r', '\n']).to_owned(),
                    Origin::EnvironmentFile(name.clone(), text.into()),
                ),
                Err(error) => {
                    wrong(
                        Some(key.path),
                        format!("cannot read the file {text}: {error}"),
                    );
                    continue;
                }
            }
        } else {
            (text.to_owned(), origin)
        };
        candidates.push(Candidate {
            path: key.path.to_owned(),
            text,
            origin,
        });
    }
}

/// The key that a variable sets, and whether it names a file with the value.
fn key_of_variable(name: &str) -> Option<(&'static Key, bool)> {
    if let Some(key) = keys::ALL.iter().find(|key| key.variable() == name) {
        return Some((key, false));
    }
    let bare = name.strip_suffix("_FILE")?;
    let key = keys::ALL.iter().find(|key| key.variable() == bare)?;
    key.secret.then_some((key, true))
}

fn from_flags(
    flags: &[(String, String, String)],
    candidates: &mut Vec<Candidate>,
    mistakes: &mut Vec<Mistake>,
) {
    for (path, flag, value) in flags {
        let origin = Origin::Flag(flag.clone());
        if let Some(key) = keys::find(path).filter(|key| key.secret) {
            mistakes.push(Mistake {
                key: Some(path.clone()),
                origin,
                what: format!(
                    "a secret on the command line can be read by every process; use {} or {}_FILE",
                    key.variable(),
                    key.variable()
                ),
            });
            continue;
        }
        candidates.push(Candidate {
            path: path.clone(),
            text: value.clone(),
            origin,
        });
    }
}

/// Checks every candidate, also those that a later one overrules, and keeps the last of each key.
fn apply(candidates: Vec<Candidate>, mistakes: &mut Vec<Mistake>) -> Loaded {
    let mut config = Config::default();
    let mut held = BTreeMap::new();
    for Candidate { path, text, origin } in candidates {
        let Some(key) = keys::find(&path) else {
            mistakes.push(Mistake {
                key: Some(path),
                origin,
                what: "this key is not known; `dewline config` lists those that are".to_owned(),
            });
            continue;
        };
        if let Err(right) = (key.take)(&mut config, &text) {
            let what = if key.secret {
                right
            } else {
                format!("{text:?} cannot be used: {right}")
            };
            mistakes.push(Mistake {
                key: Some(path),
                origin,
                what,
            });
            continue;
        }
        held.insert(key.path, (text, origin));
    }
    let settings = keys::ALL
        .iter()
        .map(|key| {
            let (value, origin) = held
                .remove(key.path)
                .unwrap_or((key.default.to_owned(), Origin::Default));
            Setting { key, value, origin }
        })
        .collect();
    Loaded { config, settings }
}

/// The configuration as a person reads it: a TOML file with the origin of each value beside it.
pub fn show(loaded: &Loaded) -> String {
    let lines: Vec<(String, String)> = loaded
        .settings
        .iter()
        .map(|Setting { key, value, origin }| {
            let shown = match (key.secret, value.is_empty()) {
                (true, false) => "(hidden)".to_owned(),
                _ => toml::Value::String(value.clone()).to_string(),
            };
            let note = if key.used {
                ""
            } else {
                "; not used by this version yet"
            };
            (
                format!("{} = {shown}", key.path),
                format!("# {origin}{note}; {}", key.about),
            )
        })
        .collect();
    let width = lines
        .iter()
        .map(|(left, _)| left.chars().count())
        .max()
        .unwrap_or(0);
    lines
        .iter()
        .map(|(left, right)| format!("{left:width$}  {right}\n"))
        .collect()
}

#[cfg(test)]
mod tests;
