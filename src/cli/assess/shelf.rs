//! The files that questions name: release histories and advisories, read once and kept ready.
//! Knows nothing of questions and answers.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use crate::cli::assess::timed;
use crate::domain::advisory::{self, Advisory};
use crate::domain::prepared::Prepared;
use crate::domain::release_history::{self, Document};

/// How many histories are kept ready at a time.
const KEPT: usize = 1024;

/// A stored document, as an assessment takes it.
#[derive(Clone)]
pub enum Entry {
    /// There is a record, if perhaps an empty one.
    Ready(Rc<Prepared>),
    /// The download came back with nothing.
    NotFetched,
}

impl Entry {
    /// What it can be judged by.
    pub fn ready(&self) -> Option<&Prepared> {
        match self {
            Self::Ready(prepared) => Some(prepared),
            Self::NotFetched => None,
        }
    }
}

/// The two directories.
pub struct Shelf {
    history: Option<PathBuf>,
    ready: HashMap<String, Entry>,
    advisories: HashMap<String, Vec<Advisory>>,
}

impl Shelf {
    /// Reads all advisories; histories are read when they are asked for.
    pub fn open(
        history: Option<PathBuf>,
        advisories: Option<&Path>,
        errors: &mut impl Write,
    ) -> io::Result<Self> {
        let mut by_package: HashMap<String, Vec<Advisory>> = HashMap::new();
        for path in advisories.map(documents).transpose()?.unwrap_or_default() {
            for advisory in read_advisories(&path, errors)? {
                by_package
                    .entry(advisory.package.clone())
                    .or_default()
                    .push(advisory);
            }
        }
        for list in by_package.values_mut() {
            list.sort_by(|left, right| left.id.cmp(&right.id));
        }
        Ok(Self {
            history,
            ready: HashMap::new(),
            advisories: by_package,
        })
    }

    /// The advisories of a package, ids ascending.
    pub fn advisories(&self, package: &str) -> &[Advisory] {
        self.advisories
            .get(package)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// Reads and parses a document.
    pub fn document(&self, file: &str, parsing: &mut Duration) -> Result<Document, String> {
        let folder = self
            .history
            .as_ref()
            .ok_or("no --history directory is given")?;
        let plain = Path::new(file)
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if file.is_empty() || !plain {
            return Err(format!(
                "{file:?} is not the name of a file in the directory"
            ));
        }
        let bytes = std::fs::read(folder.join(file)).map_err(|error| format!("{file}: {error}"))?;
        Ok(timed(parsing, || release_history::parse(&bytes)))
    }

    /// A document made ready, from the shelf if it was asked for before.
    pub fn entry(&mut self, file: &str, parsing: &mut Duration) -> Result<Entry, String> {
        if let Some(entry) = self.ready.get(file) {
            return Ok(entry.clone());
        }
        let document = self.document(file, parsing)?;
        let entry = timed(parsing, || match document {
            Document::Stored(history) => Entry::Ready(Rc::new(Prepared::new(&history))),
            Document::Unparsable => Entry::Ready(Rc::new(Prepared::unreadable())),
            Document::NotFetched => Entry::NotFetched,
        });
        if self.ready.len() >= KEPT {
            self.ready.clear();
        }
        self.ready.insert(file.to_owned(), entry.clone());
        Ok(entry)
    }
}

/// The advisories of an OSV document. One that is of no use leaves a doubt about each project that it names.
fn read_advisories(path: &Path, errors: &mut impl Write) -> io::Result<Vec<Advisory>> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string());
    let document = bytes.and_then(|bytes| advisory::listing::json(&bytes).map_err(str::to_owned));
    let place = path.display();
    let document = match document {
        Ok(document) => document,
        Err(why) => {
            writeln!(errors, "{place}: left out: {why}")?;
            return Ok(Vec::new());
        }
    };
    let why = match Advisory::from_osv(&document) {
        Ok(advisories) => return Ok(advisories),
        Err(why) => why,
    };
    let doubts = Advisory::unreadable(&document);
    let fate = if doubts.is_empty() {
        "left out"
    } else {
        "compared with nothing"
    };
    writeln!(errors, "{place}: {fate}: {why}")?;
    Ok(doubts)
}

/// The JSON files of a directory.
fn documents(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
