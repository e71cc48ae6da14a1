//! The line to one of drupal.org's servers, and the manners kept on it: it says who asks, sends no usage
//! figures, asks a few at a time and at a steady pace, sends validators, takes no more than it can use,
//! and waits when it is told to wait. Knows nothing of what is asked.

use std::error::Error as _;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE,
    IF_NONE_MATCH, LAST_MODIFIED, RETRY_AFTER,
};
use reqwest::{Response, StatusCode, Url, redirect};
use tokio::sync::Semaphore;

use super::body::{self, Lost, Received};
use super::pace::Pace;
use crate::clock::Clock;

const REDIRECTS: usize = 3;
/// Being told to slow down without being told for how long.
const PAUSE_WITHOUT_WORD: SignedDuration = SignedDuration::from_secs(60);
/// A longer pause is taken for a mistake.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(24);
const LONGEST_VALIDATOR: usize = 512;

/// How one behaves on a line.
#[derive(Debug, Clone)]
pub(super) struct Manners {
    /// The media type that is wanted.
    pub accept: &'static str,
    /// Requests at the same time, at most.
    pub at_once: usize,
    /// The pace: requests begun a second, at most.
    pub requests_per_second: NonZeroU32,
    /// For a connection to be made.
    pub connect_timeout: Duration,
    /// For a whole answer, redirects included.
    pub total_timeout: Duration,
    /// How large an answer may be.
    pub limits: Limits,
    /// The other end is on this machine.
    pub on_this_machine: bool,
}

/// How large an answer may be, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// As it comes over the wire.
    pub on_the_wire: usize,
    /// Unpacked.
    pub unpacked: usize,
}

/// The validators of a document that is already there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validators {
    /// Its `ETag`.
    pub etag: Option<String>,
    /// Its `Last-Modified`.
    pub last_modified: Option<String>,
}

/// What was heard on a line.
#[derive(Debug)]
pub(super) enum Heard {
    /// A body with status 200, and what to send back next time.
    Body(Received, Validators),
    /// What is already there is still the newest.
    NotModified,
    /// Another status.
    Status {
        code: u16,
        retry_after: Option<Duration>,
    },
    /// A body larger than what is taken; in words for people.
    TooLarge(String),
    /// No usable answer.
    Failed {
        /// A few words for people.
        reason: String,
        retry_after: Option<Duration>,
    },
}

impl Heard {
    fn failed(reason: impl Into<String>) -> Self {
        Self::Failed {
            reason: reason.into(),
            retry_after: None,
        }
    }
}

/// Another status in words, as the reason of a failure.
pub(super) fn answered(code: u16) -> String {
    format!("answered {code}")
}

/// A line that asks nothing yet.
#[derive(Debug)]
pub(super) struct Line {
    /// In words where the machine can't speak TLS: the appliance still starts, and says so.
    http: Result<reqwest::Client, String>,
    limits: Limits,
    clock: Arc<dyn Clock>,
    permits: Semaphore,
    pace: Pace,
    /// Milliseconds since 1970; 0: no pause.
    paused_until: AtomicI64,
}

impl Line {
    pub fn new(manners: &Manners, clock: Arc<dyn Clock>) -> Self {
        Self {
            http: connect(manners).map_err(|error| {
                tracing::error!(
                    error = reason_chain(&error),
                    "no connection to drupal.org can be made"
                );
                "this machine can't make TLS connections (are its CA certificates installed?)"
                    .to_owned()
            }),
            limits: manners.limits,
            clock,
            permits: Semaphore::new(manners.at_once),
            pace: Pace::per_second(manners.requests_per_second),
            paused_until: AtomicI64::new(0),
        }
    }

    /// Asks once. Never fails otherwise than in words.
    pub async fn get(&self, url: Url, known: &Validators) -> Heard {
        let http = match &self.http {
            Ok(http) => http,
            Err(reason) => return Heard::failed(reason),
        };
        let Ok(_permit) = self.permits.acquire().await else {
            return Heard::failed("stopping");
        };
        if self.paused_until().is_none() {
            self.pace.turn().await;
        }
        // Looked at last: the answer to a neighbour may have told us to wait meanwhile.
        if let Some(until) = self.paused_until() {
            return Heard::Failed {
                reason: "drupal.org asked us to wait".to_owned(),
                retry_after: until.duration_since(self.clock.now()).try_into().ok(),
            };
        }
        let validators = known.headers();
        let conditional = !validators.is_empty();
        match http.get(url).headers(validators).send().await {
            Ok(response) => self.take(response, conditional).await,
            Err(error) => {
                tracing::debug!(error = reason_chain(&error), "drupal.org was not reached");
                Heard::failed(unreached(&error))
            }
        }
    }

    async fn take(&self, response: Response, conditional: bool) -> Heard {
        match response.status() {
            StatusCode::NOT_MODIFIED if conditional => Heard::NotModified,
            StatusCode::OK => {
                let validators = Validators {
                    etag: text(response.headers(), ETAG),
                    last_modified: text(response.headers(), LAST_MODIFIED),
                };
                match body::read(response, self.limits).await {
                    Ok(received) => Heard::Body(received, validators),
                    Err(Lost::TooLarge(reason)) => Heard::TooLarge(reason),
                    Err(Lost::Broken(reason)) => Heard::failed(reason),
                }
            }
            status => {
                let wish = retry_after(response.headers(), self.clock.now());
                self.pause(status, wish);
                Heard::Status {
                    code: status.as_u16(),
                    retry_after: wish.and_then(|wait| wait.try_into().ok()),
                }
            }
        }
    }

    /// Unpacks a body and reads it on a thread that nobody waits for.
    pub async fn read<T: Send + 'static>(
        &self,
        received: Received,
        read: impl FnOnce(&[u8]) -> T + Send + 'static,
    ) -> Result<T, Lost> {
        let limits = self.limits;
        tokio::task::spawn_blocking(move || received.unpacked(limits).map(|bytes| read(&bytes)))
            .await
            .unwrap_or_else(|_| Err(Lost::Broken("could not be read".to_owned())))
    }

    /// Until when nothing is asked at all, because the server said so.
    pub fn paused_until(&self) -> Option<Timestamp> {
        let until = Timestamp::from_millisecond(self.paused_until.load(Ordering::SeqCst)).ok()?;
        (until > self.clock.now()).then_some(until)
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

impl Validators {
    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            (IF_NONE_MATCH, &self.etag),
            (IF_MODIFIED_SINCE, &self.last_modified),
        ] {
            if let Some(value) = value.as_deref().and_then(|v| HeaderValue::from_str(v).ok()) {
                headers.insert(name, value);
            }
        }
        headers
    }
}

/// Whether an address is one of this machine: no proxy of the environment stands before those.
pub(super) fn is_on_this_machine(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

fn connect(manners: &Manners) -> reqwest::Result<reqwest::Client> {
    // Without a provider the HTTP client would panic; a second installation is refused and harmless.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static(manners.accept));
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
        .connect_timeout(manners.connect_timeout)
        .timeout(manners.total_timeout)
        .pool_max_idle_per_host(manners.at_once);
    if manners.on_this_machine {
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
