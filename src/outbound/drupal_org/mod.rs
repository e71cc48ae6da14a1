//! drupal.org: what is asked, and what can come back. Release histories are here, advisories in a file
//! of their own. Knows neither the store nor what an answer means for a site.

pub mod advisories;
mod answer;
mod body;
mod client;
mod line;
mod pace;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use jiff::Timestamp;

use crate::domain::release_history::ReleaseHistory;

pub use answer::{Reading, read};
pub use client::{Client, Settings, address};
pub use line::{Limits, Validators};

/// Where release histories come from: drupal.org, a mirror, or the stand-in.
pub trait Feed: Send + Sync + std::fmt::Debug {
    /// Asks for the release history of one project. Never fails otherwise than in words.
    fn fetch<'a>(&'a self, request: FetchRequest) -> Answer<'a>;

    /// Until when nothing is asked at all, because the server said so. `None`: ask.
    fn paused_until(&self) -> Option<Timestamp>;
}

/// An answer on its way.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Fetched> + Send + 'a>>;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchRequest {
    /// The project's machine name.
    pub project: String,
    /// The `ETag` of the document that is already there.
    pub etag: Option<String>,
    /// The `Last-Modified` of the document that is already there.
    pub last_modified: Option<String>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// A release history, of the project that was asked for.
    Document {
        /// What it says.
        history: Box<ReleaseHistory>,
        /// To be sent back next time.
        etag: Option<String>,
        /// To be sent back next time.
        last_modified: Option<String>,
    },
    /// The document that is already there is still the newest.
    NotModified,
    /// There is no such project. drupal.org says so in a document that answers 200.
    Absent,
    /// Something came whole that is not the project's release history; what is already there stays.
    Unreadable {
        /// A few words for people, such as `a web page instead of a release history`.
        reason: String,
    },
    /// No usable answer; what is already there stays.
    Failed {
        /// A few words for people, such as `answered 503`.
        reason: String,
        /// How long the server asked us to wait, at most a day.
        retry_after: Option<Duration>,
    },
}

impl Fetched {
    /// One word for the log.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Document { .. } => "document",
            Self::NotModified => "not-modified",
            Self::Absent => "absent",
            Self::Unreadable { .. } => "unreadable",
            Self::Failed { .. } => "failed",
        }
    }

    fn failed(reason: impl Into<String>) -> Self {
        Self::Failed {
            reason: reason.into(),
            retry_after: None,
        }
    }
}
