//! A catalogue that somebody carried here, for a box without internet: release histories and advisories
//! from a folder or an archive are taken as drupal.org's own answers are, so that nothing good is lost to a
//! bad file.

mod advisories;

use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Error, Result, audit, catalogue as publishing};
use crate::app::App;
use crate::domain::access::{Actor, Permission};
use crate::domain::advisory::node::Node;
use crate::domain::inventory::{ModuleType, Origin};
use crate::domain::release_history::ReleaseHistory;
use crate::outbound::archive::{self, Bounds, Found};
use crate::outbound::drupal_org::{self, Fetched, Reading};
use crate::store::catalogue::{Module, NewModule};
use crate::store::{Lane, audit as record, catalogue, publications};

/// Histories and advisories handed over at a time.
const HANDFUL: usize = 100;
/// Bytes of the documents handed over at a time, about.
const HANDFUL_BYTES: usize = 8 << 20;

/// What a file held.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Carried {
    /// What it said about a project.
    Project(CarriedProject),
    /// An advisory.
    Advisory(Box<CarriedAdvisory>),
}

/// An advisory of a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CarriedAdvisory {
    /// The file, and which of its advisories it is.
    pub place: String,
    /// What it says.
    pub node: Node,
}

/// What a file said about a project.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CarriedProject {
    /// The project that the file's name says.
    pub project: String,
    /// What is in it.
    pub content: Content,
    /// When the file was made, Unix seconds: its data is that old. 0: nobody knows.
    pub made_at: i64,
}

/// What a file held about a project.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Content {
    /// A release history.
    History(Box<ReleaseHistory>),
    /// drupal.org's word that there is no such project.
    NoSuchProject,
    /// Nothing.
    Nothing,
    /// Something else; a few words for people.
    Unreadable(String),
}

/// What became of files, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Histories taken that differ from what was there.
    pub taken: u64,
    /// Histories taken that were there already.
    pub unchanged: u64,
    /// Names that drupal.org doesn't know, by its own word.
    pub absent: u64,
    /// Advisories taken that differ from what was there.
    pub advisories_taken: u64,
    /// Advisories taken that were there already.
    pub advisories_unchanged: u64,
    /// Advisories that were left though they may count against projects: no verdict knows of them.
    #[serde(default)]
    pub advisories_forgotten: u64,
    /// What was left, and why, each a line for people; at most [`Report::MOST`] of them.
    pub left: Vec<String>,
    /// How many were left.
    pub left_in_all: u64,
    /// Why reading ended before the end; what came until then counts.
    pub cut_short: Option<String>,
}

impl Report {
    /// Lines kept.
    pub const MOST: usize = 200;

    fn leave(&mut self, what: &str, why: &str) {
        self.left_in_all += 1;
        if self.left.len() < Self::MOST {
            self.left.push(format!("{what}: {why}"));
        }
    }

    /// Leaves an advisory that may count against these projects, and others that it doesn't name readably.
    fn forget(&mut self, what: &str, why: &str, projects: &[String]) {
        self.advisories_forgotten += 1;
        if projects.is_empty() {
            self.leave(what, why);
        } else {
            let named: Vec<&str> = projects.iter().take(20).map(String::as_str).collect();
            let named = named.join(", ");
            self.leave(what, &format!("{why}; not known here for: {named}"));
        }
    }

    /// Everything that was taken, or was there already.
    pub fn good(&self) -> u64 {
        self.taken
            + self.unchanged
            + self.absent
            + self.advisories_taken
            + self.advisories_unchanged
    }

    /// Adds what another handful gave.
    pub fn add(&mut self, other: Self) {
        self.taken += other.taken;
        self.unchanged += other.unchanged;
        self.absent += other.absent;
        self.advisories_taken += other.advisories_taken;
        self.advisories_unchanged += other.advisories_unchanged;
        self.advisories_forgotten += other.advisories_forgotten;
        self.left_in_all += other.left_in_all;
        self.left.extend(other.left);
        self.left.truncate(Self::MOST);
        self.cut_short = self.cut_short.take().or(other.cut_short);
    }
}

/// Reads a folder or an archive and hands over what it holds, in handfuls; gives back what was of no use.
/// Needs no data directory, and blocks.
///
/// # Errors
/// What `take` says.
pub fn read(
    path: &Path,
    take: &mut dyn FnMut(Vec<Carried>) -> std::result::Result<(), String>,
) -> std::result::Result<Report, String> {
    let mut report = Report::default();
    let mut hand = Hand {
        carried: Vec::new(),
        bytes: 0,
        refused: Ok(()),
        take,
    };
    let mut unnamed = advisories::Unnamed::default();
    let ended = archive::read(path, Bounds::default(), &mut |found| match found {
        Found::Skipped { path, reason } => report.leave(&path, reason),
        Found::Advisories { path, bytes } => {
            for carried in advisories::read(&path, &bytes, &mut report) {
                if let Some(carried) = unnamed.keep_back(carried) {
                    hand.put(Carried::Advisory(Box::new(carried)), 0);
                }
            }
            hand.weighs(bytes.len());
        }
        Found::History {
            project,
            bytes,
            made_at,
        } => {
            let content = Content::from(drupal_org::read(&bytes, &project));
            let carried = CarriedProject {
                project,
                content,
                made_at,
            };
            hand.put(Carried::Project(carried), bytes.len());
        }
    });
    for carried in unnamed.name() {
        hand.put(Carried::Advisory(Box::new(carried)), 0);
    }
    hand.empty()?;
    report.cut_short = ended.err().map(|error| error.to_string());
    Ok(report)
}

/// What was read and not handed over yet.
struct Hand<'a> {
    carried: Vec<Carried>,
    bytes: usize,
    refused: std::result::Result<(), String>,
    take: &'a mut dyn FnMut(Vec<Carried>) -> std::result::Result<(), String>,
}

impl Hand<'_> {
    fn put(&mut self, carried: Carried, bytes: usize) {
        self.carried.push(carried);
        self.weighs(bytes);
    }

    fn weighs(&mut self, bytes: usize) {
        self.bytes += bytes;
        if self.refused.is_ok() && (self.carried.len() >= HANDFUL || self.bytes >= HANDFUL_BYTES) {
            self.bytes = 0;
            self.refused = (self.take)(std::mem::take(&mut self.carried));
        }
    }

    fn empty(self) -> std::result::Result<(), String> {
        self.refused?;
        if self.carried.is_empty() {
            return Ok(());
        }
        (self.take)(self.carried)
    }
}

impl From<Reading> for Content {
    fn from(reading: Reading) -> Self {
        match reading {
            Reading::History(history) => Self::History(history),
            Reading::NoSuchProject => Self::NoSuchProject,
            Reading::Nothing => Self::Nothing,
            Reading::Unreadable(why) => Self::Unreadable(why.to_owned()),
        }
    }
}

/// Takes a handful of what was read, each in one write, as drupal.org's answer of the time at which
/// the file was made: old data stays old.
///
/// # Errors
/// [`Error::Forbidden`] for whoever isn't the platform administrator; what the store says: what came
/// before is taken then.
pub async fn take(app: &App, actor: &Actor, handful: Vec<Carried>) -> Result<Report> {
    actor.require_platform(Permission::ModulesWrite)?;
    let mut report = Report::default();
    for carried in handful {
        match carried {
            Carried::Project(carried) => take_project(app, carried, &mut report).await?,
            Carried::Advisory(carried) => advisories::take(app, *carried, &mut report).await?,
        }
    }
    let entry = audit::entry(app, actor, "catalogue.imported").after(shown(&report));
    app.store
        .write(Lane::Back, move |db| record::append(db, &entry).map(drop))
        .await?;
    Ok(report)
}

/// What the record says of a handful.
fn shown(report: &Report) -> Value {
    json!({
        "histories_taken": report.taken,
        "histories_unchanged": report.unchanged,
        "unknown_to_drupal_org": report.absent,
        "advisories_taken": report.advisories_taken,
        "advisories_unchanged": report.advisories_unchanged,
        "left": report.left_in_all,
    })
}

async fn take_project(app: &App, carried: CarriedProject, report: &mut Report) -> Result<()> {
    let project = carried.project;
    let as_of = Timestamp::from_second(carried.made_at).unwrap_or(Timestamp::UNIX_EPOCH);
    let answer = match carried.content {
        Content::History(history) => {
            return take_history(app, &project, history, as_of, report).await;
        }
        Content::NoSuchProject => {
            report.absent += 1;
            Fetched::Absent
        }
        Content::Nothing => {
            report.leave(&project, "an empty file");
            Fetched::Failed {
                reason: "an empty file".to_owned(),
                retry_after: None,
            }
        }
        Content::Unreadable(reason) => {
            report.leave(&project, &reason);
            Fetched::Unreadable { reason }
        }
    };
    let module = module(app, &project, ModuleType::Module).await?;
    publishing::record_as_of(app, module.id, answer, as_of).await
}

async fn take_history(
    app: &App,
    project: &str,
    history: Box<ReleaseHistory>,
    as_of: Timestamp,
    report: &mut Report,
) -> Result<()> {
    let kind = history
        .kind
        .as_deref()
        .and_then(ModuleType::of_project)
        .unwrap_or(ModuleType::Module);
    let module = module(app, project, kind).await?;
    if is_older(app, &module, &history)? {
        report.leave(project, "older than what is already here");
        return Ok(());
    }
    let document = Fetched::Document {
        history,
        etag: None,
        last_modified: None,
    };
    publishing::record_as_of(app, module.id, document, as_of).await?;
    let after = publishing::module(app, module.id)?;
    if after.publication_id == module.publication_id {
        report.unchanged += 1;
    } else {
        report.taken += 1;
    }
    Ok(())
}

/// The project's module, made where it isn't there.
async fn module(app: &App, project: &str, kind: ModuleType) -> Result<Module> {
    let find = |db: &_, name: &str| catalogue::find(db, Origin::Project, 0, name);
    if let Some(known) = app.store.read(|db| find(db, project))? {
        return Ok(known);
    }
    let (name, now) = (project.to_owned(), app.clock.now());
    app.store
        .write(Lane::Back, move |db| {
            if find(db, &name)?.is_none() {
                let new = NewModule {
                    origin: Origin::Project,
                    organization_id: 0,
                    name: &name,
                    title: "",
                    kind,
                };
                catalogue::add(db, &new, now)?;
            }
            find(db, &name)?.ok_or(Error::NotFound)
        })
        .await
}

/// An older document must not take back what is known already.
fn is_older(app: &App, module: &Module, history: &ReleaseHistory) -> Result<bool> {
    let Some(publication) = module.publication_id else {
        return Ok(false);
    };
    let stored = app
        .store
        .read(|db| publications::document(db, publication))?;
    Ok(newest(history) < newest(&stored))
}

fn newest(history: &ReleaseHistory) -> Option<Timestamp> {
    let dates = history.releases.iter().filter_map(|release| {
        let seconds = release.date.as_deref()?.trim().parse().ok()?;
        Timestamp::from_second(seconds).ok()
    });
    dates.max()
}
