//! The polite client: it says who it is, sends no usage figures, asks a few at a time and at a steady
//! pace, sends validators, takes no more than it can use, and waits when it is told to wait.

use std::error::Error as _;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE,
    IF_NONE_MATCH, LAST_MODIFIED, RETRY_AFTER,
};
use reqwest::{Response, StatusCode, Url, redirect};
use tokio::sync::Semaphore;

use super::answer::{self, Reading};
use super::{Answer, Feed, FetchRequest, Fetched, body};
use crate::clock::Clock;
use crate::domain::inventory::is_project_name;

/// drupal.org asks for one thread and allows few: never more than this.
const AT_ONCE: usize = 4;
const REDIRECTS: usize = 3;
/// Being told to slow down without being told for how long.
const PAUSE_WITHOUT_WORD: SignedDuration = SignedDuration::from_secs(60);
/// A longer pause is taken for a mistake.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(24);
const LONGEST_VALIDATOR: usize = 512;

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

/// How large an answer may be, in bytes. The largest history in 2026, Drupal core's, has 300 KB.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// As it comes over the wire.
    pub on_the_wire: usize,
    /// Unpacked.
    pub unpacked: usize,
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
                on_the_wire: 8 * 1024 * 1024,
                unpacked: 16 * 1024 * 1024,
            },
        }
    }
}

/// drupal.org over HTTP.
#[derive(Debug)]
pub struct Client {
    /// In words where the machine can't speak TLS: the appliance still starts, and says so.
    http: Result<reqwest::Client, String>,
    base: Url,
    limits: Limits,
    clock: Arc<dyn Clock>,
    permits: Semaphore,
    pace: DefaultDirectRateLimiter,
    /// Milliseconds since 1970; 0: no pause.
    paused_until: AtomicI64,
}

impl Client {
    /// A client that asks nothing yet.
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Self {
        Self {
            http: connect(&settings).map_err(|error| {
                tracing::error!(
                    error = reason_chain(&error),
                    "no connection to drupal.org can be made"
                );
                "this machine can't make TLS connections (are its CA certificates installed?)"
                    .to_owned()
            }),
            base: settings.release_history_url,
            limits: settings.limits,
            clock,
            permits: Semaphore::new(AT_ONCE),
            // No burst: the pace is even, however many are due.
            pace: RateLimiter::direct(
                Quota::per_second(settings.requests_per_second).allow_burst(NonZeroU32::MIN),
            ),
            paused_until: AtomicI64::new(0),
        }
    }

    async fn ask(&self, request: FetchRequest) -> Fetched {
        if !is_project_name(&request.project) {
            return Fetched::failed("not a name that drupal.org could know");
        }
        let http = match &self.http {
            Ok(http) => http,
            Err(reason) => return Fetched::failed(reason),
        };
        let Some(url) = address(&self.base, &request.project) else {
            return Fetched::failed("the address of the release histories is of no use");
        };
        let Ok(_permit) = self.permits.acquire().await else {
            return Fetched::failed("stopping");
        };
        if self.paused_until().is_none() {
            self.pace.until_ready().await;
        }
        // Looked at last: the answer to a neighbour may have told us to wait meanwhile.
        if let Some(until) = self.paused_until() {
            return Fetched::Failed {
                reason: "drupal.org asked us to wait".to_owned(),
                retry_after: until.duration_since(self.clock.now()).try_into().ok(),
            };
        }
        let validators = validators(&request);
        let conditional = !validators.is_empty();
        match http.get(url).headers(validators).send().await {
            Ok(response) => self.take(response, conditional, &request.project).await,
            Err(error) => {
                tracing::debug!(error = reason_chain(&error), "drupal.org was not reached");
                Fetched::failed(unreached(&error))
            }
        }
    }

    async fn take(&self, response: Response, conditional: bool, project: &str) -> Fetched {
        match response.status() {
            StatusCode::NOT_MODIFIED if conditional => Fetched::NotModified,
            StatusCode::OK => {
                let etag = text(response.headers(), ETAG);
                let last_modified = text(response.headers(), LAST_MODIFIED);
                let received = match body::read(response, self.limits).await {
                    Ok(received) => received,
                    Err(reason) => return Fetched::failed(reason),
                };
                let (limits, project) = (self.limits, project.to_owned());
                let read = tokio::task::spawn_blocking(move || {
                    let bytes = received.unpacked(limits)?;
                    Ok(answer::read(&bytes, &project))
                });
                match read
                    .await
                    .unwrap_or_else(|_| Err("could not be read".to_owned()))
                {
                    Ok(Reading::History(history)) => Fetched::Document {
                        history,
                        etag,
                        last_modified,
                    },
                    Ok(Reading::NoSuchProject) => Fetched::Absent,
                    Ok(Reading::Nothing) => Fetched::failed("an empty answer"),
                    Ok(Reading::Unreadable(reason)) => Fetched::Unreadable {
                        reason: reason.to_owned(),
                    },
                    Err(reason) => Fetched::failed(reason),
                }
            }
            status => {
                let wish = retry_after(response.headers(), self.clock.now());
                self.pause(status, wish);
                Fetched::Failed {
                    reason: format!("answered {}", status.as_u16()),
                    retry_after: wish.and_then(|wait| wait.try_into().ok()),
                }
            }
        }
    }

    /// 429, and 503 with a time, speak for the whole server: nobody is asked until then.
    fn pause(&self, status: StatusCode, wish: Option<SignedDuration>) {
        let wait = match (status, wish) {
            (StatusCode::TOO_MANY_REQUESTS, None) => PAUSE_WITHOUT_WORD,
            (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, Some(wait)) => wait,
            _ => return,
        };
        let until = self
            .clock
            .now()
            .saturating_add(wait)
            .unwrap_or(Timestamp::MAX);
        self.paused_until
            .fetch_max(until.as_millisecond(), Ordering::SeqCst);
        tracing::warn!(status = status.as_u16(), %until, "drupal.org asked us to wait");
    }
}

impl Feed for Client {
    fn fetch<'a>(&'a self, request: FetchRequest) -> Answer<'a> {
        Box::pin(self.ask(request))
    }

    fn paused_until(&self) -> Option<Timestamp> {
        let until = Timestamp::from_millisecond(self.paused_until.load(Ordering::SeqCst)).ok()?;
        (until > self.clock.now()).then_some(until)
    }
}

fn connect(settings: &Settings) -> reqwest::Result<reqwest::Client> {
    // Without a provider the HTTP client would panic; a second installation is refused and harmless.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("text/xml"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    let builder = reqwest::Client::builder()
        .user_agent(concat!(
            "Dewline/",
            env!("CARGO_PKG_VERSION"),
            " (update monitor for Drupal sites, self-hosted; no usage figures)"
        ))
        .default_headers(headers)
        .no_gzip()
        .referer(false)
        .redirect(same_host())
        .connect_timeout(settings.connect_timeout)
        .timeout(settings.total_timeout)
        .pool_max_idle_per_host(AT_ONCE);
    // A proxy of the environment is for the world outside, not for a mirror on this machine.
    let on_this_machine = matches!(
        settings.release_history_url.host_str(),
        Some("localhost" | "127.0.0.1" | "[::1]")
    );
    if on_this_machine {
        builder.no_proxy()
    } else {
        builder
    }
    .build()
}

/// A few hops, on the host that was asked, and never from HTTPS down to HTTP.
fn same_host() -> redirect::Policy {
    redirect::Policy::custom(|attempt| {
        let next = attempt.url();
        let trusted = attempt.previous().first().is_some_and(|first| {
            let upgraded = first.scheme() == "http" && next.scheme() == "https";
            first.host_str() == next.host_str() && (upgraded || first.origin() == next.origin())
        });
        if trusted && attempt.previous().len() <= REDIRECTS {
            attempt.follow()
        } else {
            // The redirect itself becomes the answer: "answered 302".
            attempt.stop()
        }
    })
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

fn validators(request: &FetchRequest) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (IF_NONE_MATCH, &request.etag),
        (IF_MODIFIED_SINCE, &request.last_modified),
    ] {
        if let Some(value) = value.as_deref().and_then(|v| HeaderValue::from_str(v).ok()) {
            headers.insert(name, value);
        }
    }
    headers
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?.trim();
    (!value.is_empty() && value.len() <= LONGEST_VALIDATOR).then(|| value.to_owned())
}

/// Seconds, or a date. Nothing below zero, nothing beyond a day.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<SignedDuration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if value.bytes().all(|b| b.is_ascii_digit()) && !value.is_empty() {
        SignedDuration::from_secs(value.parse().unwrap_or(i64::MAX))
    } else {
        let date = jiff::fmt::rfc2822::DateTimeParser::new()
            .relaxed_weekday(true)
            .parse_timestamp(value)
            .ok()?;
        date.duration_since(now)
    };
    Some(wait.clamp(SignedDuration::ZERO, LONGEST_PAUSE))
}

fn unreached(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "took too long to answer"
    } else if reason_chain(error).contains("certificate") {
        "its certificate is not trusted"
    } else if error.is_connect() {
        "could not be reached"
    } else {
        "the answer broke off"
    }
}

fn reason_chain(error: &reqwest::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        words.push_str(": ");
        words.push_str(&inner.to_string());
        source = inner.source();
    }
    words
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

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = "2015-10-21T07:28:00Z".parse().unwrap();
        for (value, seconds) in [
            ("120", Some(120)),
            ("0", Some(0)),
            ("999999999999999999999999", Some(86_400)),
            ("Wed, 21 Oct 2015 07:30:00 GMT", Some(120)),
            ("Wed, 21 Oct 2015 07:00:00 GMT", Some(0)),
            ("Wed, 21 Oct 2035 07:00:00 GMT", Some(86_400)),
            ("soon", None),
            ("-5", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
            let wait = retry_after(&headers, now).map(|w| w.as_secs());
            assert_eq!(wait, seconds, "{value}");
        }
    }
}
