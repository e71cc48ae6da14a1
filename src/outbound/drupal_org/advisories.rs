//! The client for advisories: drupal.org's listing of nodes, page by page, and single nodes. One request
//! at a time. The listing's own links lack what makes them work, so addresses are made here.

use std::future::Future;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Url;
use serde_json::Value;

use super::body::Lost;
use super::line::{self, Heard, Limits, Line, Manners, Validators};
use crate::clock::Clock;
use crate::domain::advisory::listing::{self, Page};
use crate::domain::advisory::node::{self, Node, Refused};

/// Nodes asked for on a page.
pub const ON_A_PAGE: usize = 50;

/// Where advisories come from: drupal.org, a mirror, or the stand-in.
pub trait AdvisoryFeed: Send + Sync + std::fmt::Debug {
    /// Asks once. Never fails otherwise than in words.
    fn ask<'a>(&'a self, question: Question) -> Reply<'a>;

    /// Until when nothing is asked at all, because the server said so. `None`: ask.
    fn paused_until(&self) -> Option<Timestamp>;
}

/// A reply on its way.
pub type Reply<'a> = Pin<Box<dyn Future<Output = Told> + Send + 'a>>;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// A page of the listing, the last changed first.
    Page {
        /// Announcements rather than advisories.
        psa: bool,
        /// From 0 on.
        number: u32,
        /// Nodes on a page: fewer than [`ON_A_PAGE`] where so many are too large.
        size: usize,
        /// Of the same page as it was.
        known: Validators,
    },
    /// One node.
    Node(i64),
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// A page, and what to send back next time.
    Page(Page, Validators),
    /// A node, read in both ways in which it can be of use.
    Node {
        /// As an advisory.
        advisory: Box<Result<Node, Refused>>,
        /// As a project: its short name.
        project: Option<String>,
    },
    /// The page is as it was.
    NotModified,
    /// There is no such node, or not for everybody: 403, 404 or 410.
    Gone,
    /// It is larger than what is taken, as it will be the next time; a few words for people.
    TooLarge(String),
    /// It came whole and is of no use, as it will be the next time; a few words for people.
    Unreadable(String),
    /// No usable answer this time.
    Failed {
        /// A few words for people.
        reason: String,
        /// How long the server asked us to wait, at most a day.
        retry_after: Option<Duration>,
    },
}

/// How the client behaves.
#[derive(Debug, Clone)]
pub struct AdvisorySettings {
    /// The listing; a node is beside it, in the folder `node`.
    pub advisories_url: Url,
    /// The pace: requests begun a second, at most.
    pub requests_per_second: NonZeroU32,
    /// For a whole answer, redirects included.
    pub total_timeout: Duration,
    /// How large an answer may be: 50 nodes have about 400 KB.
    pub limits: Limits,
}

impl AdvisorySettings {
    /// The settled ones, for the listing at this address.
    pub fn new(advisories_url: Url) -> Self {
        Self {
            advisories_url,
            requests_per_second: NonZeroU32::new(2).unwrap_or(NonZeroU32::MIN),
            total_timeout: Duration::from_secs(30),
            limits: Limits {
                on_the_wire: 4 * 1024 * 1024,
                unpacked: 8 * 1024 * 1024,
            },
        }
    }
}

/// drupal.org's listing over HTTP.
#[derive(Debug)]
pub struct AdvisoryClient {
    line: Line,
    base: Url,
}

impl AdvisoryClient {
    /// A client that asks nothing yet.
    pub fn new(settings: AdvisorySettings, clock: Arc<dyn Clock>) -> Self {
        let manners = Manners {
            accept: "application/json",
            at_once: 1,
            requests_per_second: settings.requests_per_second,
            connect_timeout: Duration::from_secs(10),
            total_timeout: settings.total_timeout,
            limits: settings.limits,
            on_this_machine: line::is_on_this_machine(&settings.advisories_url),
        };
        Self {
            line: Line::new(&manners, clock),
            base: settings.advisories_url,
        }
    }

    async fn put(&self, question: Question) -> Told {
        let (url, known) = match &question {
            Question::Page {
                psa,
                number,
                size,
                known,
            } => (
                Some(page_address(&self.base, *psa, *number, *size)),
                known.clone(),
            ),
            Question::Node(nid) => (node_address(&self.base, *nid), Validators::default()),
        };
        let Some(url) = url else {
            return Told::Unreadable("the address of the advisories is of no use".to_owned());
        };
        match self.line.get(url, &known).await {
            Heard::NotModified => Told::NotModified,
            Heard::TooLarge(reason) => Told::TooLarge(reason),
            Heard::Status {
                code: 403 | 404 | 410,
                ..
            } if matches!(question, Question::Node(_)) => Told::Gone,
            Heard::Status { code, retry_after } => Told::Failed {
                reason: line::answered(code),
                retry_after,
            },
            Heard::Failed {
                reason,
                retry_after,
            } => Told::Failed {
                reason,
                retry_after,
            },
            Heard::Body(received, validators) => {
                let read = move |bytes: &[u8]| read(&question, bytes, validators);
                match self.line.read(received, read).await {
                    Ok(told) => told,
                    Err(Lost::TooLarge(reason)) => Told::TooLarge(reason),
                    Err(Lost::Broken(reason)) => Told::Unreadable(reason),
                }
            }
        }
    }
}

impl AdvisoryFeed for AdvisoryClient {
    fn ask<'a>(&'a self, question: Question) -> Reply<'a> {
        Box::pin(self.put(question))
    }

    fn paused_until(&self) -> Option<Timestamp> {
        self.line.paused_until()
    }
}

fn read(question: &Question, bytes: &[u8], validators: Validators) -> Told {
    let read = match question {
        Question::Page { size, .. } => {
            listing::read(bytes, *size).map(|page| Told::Page(page, validators))
        }
        Question::Node(nid) => listing::json(bytes).and_then(|node| single(&node, *nid)),
    };
    read.unwrap_or_else(|reason| Told::Unreadable(reason.to_owned()))
}

/// A node that says it is another one is no answer.
fn single(node: &Value, asked: i64) -> Result<Told, &'static str> {
    match node::outline(node).0 {
        Some(nid) if nid != asked => Err("another node than the one asked for"),
        _ => Ok(Told::Node {
            advisory: Box::new(node::read(node)),
            project: node::project_name(node),
        }),
    }
}

/// A page of the listing.
fn page_address(base: &Url, psa: bool, number: u32, size: usize) -> Url {
    let mut url = base.clone();
    url.set_fragment(None);
    url.query_pairs_mut()
        .clear()
        .append_pair("type", "sa")
        .append_pair("sort", "changed")
        .append_pair("direction", "DESC")
        .append_pair("field_is_psa", if psa { "1" } else { "0" })
        .append_pair("limit", &size.to_string())
        .append_pair("page", &number.to_string());
    url
}

/// A node, in the folder of the listing. `None`: the listing's address can't have a path.
fn node_address(base: &Url, nid: i64) -> Option<Url> {
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.path_segments_mut()
        .ok()?
        .pop_if_empty()
        .pop()
        .extend(["node", &format!("{nid}.json")]);
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_made_from_the_listings_own() {
        let base: Url = "https://www.drupal.org/api-d7/node.json?x=1#y"
            .parse()
            .unwrap();
        assert_eq!(
            page_address(&base, false, 7, 50).as_str(),
            "https://www.drupal.org/api-d7/node.json?type=sa&sort=changed&direction=DESC&field_is_psa=0&limit=50&page=7"
        );
        assert_eq!(
            node_address(&base, 3_555_001).unwrap().as_str(),
            "https://www.drupal.org/api-d7/node/3555001.json"
        );
        assert_eq!(node_address(&"data:text".parse().unwrap(), 1), None);
    }
}
