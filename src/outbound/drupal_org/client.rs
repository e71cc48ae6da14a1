//! The client for release histories: which address is asked, and what an answer is taken for.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Url;

use super::answer::{self, Reading};
use super::body::Lost;
use super::line::{self, Heard, Limits, Line, Manners, Validators};
use super::{Answer, Feed, FetchRequest, Fetched};
use crate::clock::Clock;
use crate::domain::inventory::is_project_name;

/// drupal.org asks for one thread and allows few: never more than this.
const AT_ONCE: usize = 4;

/// How the client behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder of all histories; `/{project}/current` is added.
    pub release_history_url: Url,
    /// The pace: requests begun a second, at most.
    pub requests_per_second: NonZeroU32,
    /// For a connection to be made.
    pub connect_timeout: Duration,
    /// For a whole answer, redirects included.
    pub total_timeout: Duration,
    /// How large an answer may be.
    pub limits: Limits,
}

impl Settings {
    /// The settled ones, for the histories at this address.
    pub fn new(release_history_url: Url) -> Self {
        Self {
            release_history_url,
            requests_per_second: NonZeroU32::new(5).unwrap_or(NonZeroU32::MIN),
            connect_timeout: Duration::from_secs(10),
            total_timeout: Duration::from_secs(30),
            limits: Limits {
                // The largest history in 2026, Drupal core's, has 300 KB.
                on_the_wire: 8 * 1024 * 1024,
                unpacked: 16 * 1024 * 1024,
            },
        }
    }
}

/// drupal.org over HTTP.
#[derive(Debug)]
pub struct Client {
    line: Line,
    base: Url,
}

impl Client {
    /// A client that asks nothing yet.
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Self {
        let manners = Manners {
            accept: "text/xml",
            at_once: AT_ONCE,
            requests_per_second: settings.requests_per_second,
            connect_timeout: settings.connect_timeout,
            total_timeout: settings.total_timeout,
            limits: settings.limits,
            on_this_machine: line::is_on_this_machine(&settings.release_history_url),
        };
        Self {
            line: Line::new(&manners, clock),
            base: settings.release_history_url,
        }
    }

    async fn ask(&self, request: FetchRequest) -> Fetched {
        if !is_project_name(&request.project) {
            return Fetched::failed("not a name that drupal.org could know");
        }
        let Some(url) = address(&self.base, &request.project) else {
            return Fetched::failed("the address of the release histories is of no use");
        };
        let known = Validators {
            etag: request.etag,
            last_modified: request.last_modified,
        };
        let project = request.project;
        match self.line.get(url, &known).await {
            Heard::NotModified => Fetched::NotModified,
            Heard::TooLarge(reason) => Fetched::failed(reason),
            Heard::Status { code, retry_after } => Fetched::Failed {
                reason: line::answered(code),
                retry_after,
            },
            Heard::Failed {
                reason,
                retry_after,
            } => Fetched::Failed {
                reason,
                retry_after,
            },
            Heard::Body(received, validators) => {
                let read = move |bytes: &[u8]| answer::read(bytes, &project);
                match self.line.read(received, read).await {
                    Ok(reading) => Fetched::of(reading, validators),
                    Err(Lost::TooLarge(reason) | Lost::Broken(reason)) => Fetched::failed(reason),
                }
            }
        }
    }
}

impl Fetched {
    fn of(reading: Reading, validators: Validators) -> Self {
        match reading {
            Reading::History(history) => Self::Document {
                history,
                etag: validators.etag,
                last_modified: validators.last_modified,
            },
            Reading::NoSuchProject => Self::Absent,
            Reading::Nothing => Self::failed("an empty answer"),
            Reading::Unreadable(reason) => Self::Unreadable {
                reason: reason.to_owned(),
            },
        }
    }
}

impl Feed for Client {
    fn fetch<'a>(&'a self, request: FetchRequest) -> Answer<'a> {
        Box::pin(self.ask(request))
    }

    fn paused_until(&self) -> Option<Timestamp> {
        self.line.paused_until()
    }
}

/// Where a project's release history is: `{base}/{project}/current`, never with usage arguments.
/// `None`: the base can't have a path.
pub fn address(base: &Url, project: &str) -> Option<Url> {
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.path_segments_mut()
        .ok()?
        .pop_if_empty()
        .extend([project, "current"]);
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_carries_no_arguments() {
        for (base, expected) in [
            (
                "https://updates.drupal.org/release-history",
                "https://updates.drupal.org/release-history/token/current",
            ),
            (
                "https://mirror.example/a/?b=c#d",
                "https://mirror.example/a/token/current",
            ),
            (
                "http://127.0.0.1:8080",
                "http://127.0.0.1:8080/token/current",
            ),
        ] {
            let url = address(&base.parse().unwrap(), "token").unwrap();
            assert_eq!(url.as_str(), expected);
        }
        assert_eq!(address(&"data:text".parse().unwrap(), "token"), None);
    }
}
