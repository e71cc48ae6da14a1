//! What drupal.org published: modules that the sites run, how fresh that is, and the manual.

use askama::Template;
use jiff::Timestamp;

use super::super::listing::Listing;
use super::super::parts::Html;
use super::super::shell::Shell;
use super::super::{charts, parts, words};

/// One module of the catalogue.
#[derive(Debug, Clone)]
pub struct CatalogueRow {
    /// The module.
    pub id: i64,
    /// Its title.
    pub title: String,
    /// Its short name.
    pub name: String,
    /// `core`, `module`, `theme`, `profile`, `library`.
    pub kind: String,
    /// Sites that run it.
    pub sites: u64,
    /// Sites exposed by it.
    pub exposed: u64,
    /// When drupal.org was asked last.
    pub checked: Option<Timestamp>,
    /// How asking stands, in words, where it isn't well.
    pub trouble: Option<String>,
}

/// The modules that sites in sight run.
#[derive(Debug, Template)]
#[template(path = "modules.html")]
pub struct ModulesPage {
    /// What stands around it.
    pub shell: Shell,
    /// What every list has.
    pub list: Listing,
    /// The rows of this page.
    pub rows: Vec<CatalogueRow>,
    /// May keep the catalogue.
    pub may_write: bool,
}

/// One piece of background work.
#[derive(Debug, Clone)]
pub struct JobRow {
    /// The job.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// `queued`, `running`, `succeeded`, `failed`, `cancelled`, `dead`.
    pub state: String,
    /// Done and total, where it counts.
    pub progress: Option<(u64, u64)>,
    /// What went wrong last.
    pub error: Option<String>,
    /// When it was asked for.
    pub created: Timestamp,
    /// When it ended.
    pub finished: Option<Timestamp>,
}

/// How the advisories are followed.
#[derive(Debug, Clone, Default)]
pub struct AdvisoriesRow {
    /// They are asked for.
    pub following: bool,
    /// Where they come from.
    pub source: String,
    /// Those that stand.
    pub held: u64,
    /// All of them were read.
    pub filled: bool,
    /// Else: how far back they were read.
    pub since: Option<Timestamp>,
    /// Some could not be read.
    pub incomplete: bool,
    /// When the listing was last read.
    pub read: Option<Timestamp>,
    /// When it is asked for next.
    pub next: Option<Timestamp>,
    /// Those that wait to be asked for one by one.
    pub waiting: u64,
    /// What is wrong with reading the listing.
    pub errors: Vec<String>,
    /// Those of no use: which, its page, and why.
    pub troubles: Vec<(String, Option<String>, String)>,
}

/// How drupal.org is followed.
#[derive(Debug, Template)]
#[template(path = "feed.html")]
pub struct FeedPage {
    /// What stands around it.
    pub shell: Shell,
    /// Where release histories come from.
    pub source: String,
    /// Modules that are looked up.
    pub tracked: u64,
    /// Of those: with data too old to call anything fine.
    pub stale: u64,
    /// Of those: never answered yet.
    pub pending: u64,
    /// Of those: the last question failed.
    pub failing: Vec<CatalogueRow>,
    /// Sites that could not be told what was published: id, name, the module's name, since when.
    pub untold: Vec<(i64, String, String, Timestamp)>,
    /// When the next question is due.
    pub next: Option<Timestamp>,
    /// The advisories.
    pub advisories: AdvisoriesRow,
    /// The newest jobs.
    pub jobs: Vec<JobRow>,
}

/// One chapter of the manual.
#[derive(Debug, Clone)]
pub struct Chapter {
    /// Its path below `/manual/`.
    pub slug: String,
    /// Its title.
    pub title: String,
}

/// A chapter of the manual; open to everybody who reaches the server and is signed in.
#[derive(Debug, Template)]
#[template(path = "manual.html")]
pub struct ManualPage {
    /// What stands around it.
    pub shell: Shell,
    /// All chapters.
    pub chapters: Vec<Chapter>,
    /// The one shown.
    pub slug: String,
    /// Its text.
    pub text: Html,
}
