//! A catalogue that somebody carried here, for a box without internet: release histories from a folder
//! or an archive are taken as drupal.org's own answers are, so that nothing good is lost to a bad file.

use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Error, Result, catalogue as publications};
use crate::app::App;
use crate::domain::access::{Actor, Permission};
use crate::domain::inventory::{ModuleType, Origin};
use crate::domain::release_history::ReleaseHistory;
use crate::outbound::archive::{self, Bounds, Found};
use crate::outbound::drupal_org::{self, Fetched, Reading};
use crate::store::catalogue::{Module, NewModule};
use crate::store::{Lane, catalogue};

/// Histories handed over at a time.
const HANDFUL: usize = 100;
/// Bytes of the documents handed over at a time, about.
const HANDFUL_BYTES: usize = 8 << 20;

/// What a file said about a project.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Carried {
    /// The project that the file's name says.
    pub project: String,
    /// What is in it.
    pub content: Content,
    /// When the file was made, Unix seconds: its data is that old. 0: nobody knows.
    pub made_at: i64,
}

/// What a file held.
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

    /// Adds what another handful gave.
    pub fn add(&mut self, other: Self) {
        self.taken += other.taken;
        self.unchanged += other.unchanged;
        self.absent += other.absent;
        self.left_in_all += other.left_in_all;
        self.left.extend(other.left);
        self.left.truncate(Self::MOST);
        self.cut_short = self.cut_short.take().or(other.cut_short);
    }
}

/// Reads a folder or an archive and hands over what it holds about projects, in handfuls; gives back
/// what was of no use. Needs no data directory, and blocks.
///
/// # Errors
/// What `take` says.
pub fn read(
    path: &Path,
    take: &mut dyn FnMut(Vec<Carried>) -> std::result::Result<(), String>,
) -> std::result::Result<Report, String> {
    let mut report = Report::default();
    let mut handful = Vec::new();
    let mut bytes_in_hand = 0;
    let mut refused = Ok(());
    let ended = archive::read(path, Bounds::default(), &mut |found| match found {
        Found::Skipped { path, reason } => report.leave(&path, reason),
        Found::History {
            project,
            bytes,
            made_at,
        } => {
            bytes_in_hand += bytes.len();
            let content = Content::from(drupal_org::read(&bytes, &project));
            handful.push(Carried {
                project,
                content,
                made_at,
            });
            if refused.is_ok() && (handful.len() >= HANDFUL || bytes_in_hand >= HANDFUL_BYTES) {
                bytes_in_hand = 0;
                refused = take(std::mem::take(&mut handful));
            }
        }
    });
    refused?;
    if !handful.is_empty() {
        take(handful)?;
    }
    report.cut_short = ended.err().map(|error| error.to_string());
    Ok(report)
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
    for Carried {
        project,
        content,
        made_at,
    } in handful
    {
        let as_of = Timestamp::from_second(made_at).unwrap_or(Timestamp::UNIX_EPOCH);
        let answer = match content {
            Content::History(history) => {
                let module = module(
                    app,
                    &project,
                    catalogue::type_of(&history).unwrap_or(ModuleType::Module),
                )
                .await?;
                if is_older(app, &module, &history)? {
                    report.leave(&project, "older than what is already here");
                    continue;
                }
                let document = Fetched::Document {
                    history,
                    etag: None,
                    last_modified: None,
                };
                publications::record_as_of(app, module.id, document, as_of).await?;
                let after = publications::module(app, module.id)?;
                if after.publication_id == module.publication_id {
                    report.unchanged += 1;
                } else {
                    report.taken += 1;
                }
                continue;
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
        publications::record_as_of(app, module.id, answer, as_of).await?;
    }
    Ok(report)
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
    let stored = app.store.read(|db| catalogue::document(db, publication))?;
    Ok(newest(history) < newest(&stored))
}

fn newest(history: &ReleaseHistory) -> Option<Timestamp> {
    let dates = history.releases.iter().filter_map(|release| {
        let seconds = release.date.as_deref()?.trim().parse().ok()?;
        Timestamp::from_second(seconds).ok()
    });
    dates.max()
}
