//! What every request passes, page or API: its id, the caller's address, one line in the log with
//! both, and a roof over whatever goes wrong inside. Knows no route.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::STRICT_TRANSPORT_SECURITY;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response};
use axum::middleware::Next;
use futures_util::FutureExt;
use tracing::Instrument;
use uuid::Builder;

use super::budgets::Budgets;
use super::kept::Kept;
use super::problem::{self, Refusal};
use crate::app::App;
use crate::domain::network::Network;
use crate::services::Error;
use crate::services::audit::{Origin, on_behalf_of};

/// The header of request ids.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the edge keeps between requests.
#[derive(Debug)]
pub struct Edge {
    /// The house.
    pub app: Arc<App>,
    /// How often one may call.
    pub budgets: Budgets,
    /// What was answered since something changed.
    pub kept: Kept,
    /// From whom `X-Forwarded-*` is believed.
    proxies: Vec<Network>,
}

impl Edge {
    /// The edge of this house. Proxies that aren't networks were refused with the configuration.
    pub fn new(app: Arc<App>) -> Self {
        Self {
            budgets: Budgets::new(&app),
            kept: Kept::default(),
            proxies: app
                .config
                .trusted_proxies
                .iter()
                .filter_map(|proxy| proxy.trim().parse().ok())
                .collect(),
            app,
        }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.proxies.iter().any(|proxy| proxy.contains(address))
    }

    /// The address of whoever really calls: the last hop in `X-Forwarded-For` that isn't a trusted
    /// proxy, and only where a trusted proxy says so.
    fn caller(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.trusts(peer) {
            return peer;
        }
        let mut nearest = peer;
        let hops: Vec<&str> = headers
            .get_all("x-forwarded-for")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .collect();
        for hop in hops.into_iter().rev() {
            let Some(address) = address_of(hop) else {
                return nearest;
            };
            nearest = address;
            if !self.trusts(address) {
                return address;
            }
        }
        nearest
    }

    /// People come over TLS: the configuration says so, or a trusted proxy does.
    fn is_tls(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        let told = headers.get("x-forwarded-proto");
        self.app.config.public_url.starts_with("https://")
            || self.trusts(peer)
                && told.is_some_and(|proto| proto.as_bytes().eq_ignore_ascii_case(b"https"))
    }
}

fn address_of(hop: &str) -> Option<IpAddr> {
    hop.parse()
        .ok()
        .or_else(|| hop.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
        .or_else(|| hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok())
}

/// What is known of a request from its first byte: kept among its extensions.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its id.
    pub request_id: String,
    /// The caller's address.
    pub address: IpAddr,
    /// Between the caller and the first of our proxies, or us, nothing is readable.
    pub tls: bool,
}

/// Gives a request its id and address, and its answer the headers that every answer has.
pub async fn around(
    State(edge): State<Arc<Edge>>,
    mut request: Request,
    next: Next,
) -> Response<Body> {
    let known = Known {
        request_id: request_id(&edge.app, request.headers()),
        address: edge.caller(peer(&request), request.headers()),
        tls: edge.is_tls(peer(&request), request.headers()),
    };
    let trace_id = trace_id(request.headers()).unwrap_or_default();
    let path = request.uri().path().to_owned();
    let method = request.method().clone();
    let span = tracing::info_span!(
        "request",
        request_id = known.request_id,
        trace_id,
        %method,
        path,
        address = %known.address,
    );
    let origin = Origin {
        address: Some(known.address),
        request_id: known.request_id.clone(),
    };
    request.extensions_mut().insert(known.clone());
    let began = edge.app.clock.now();
    let answering = on_behalf_of(origin, next.run(request)).instrument(span.clone());
    // Panics become an answer here. What changes something is a task of its own, so that it comes to
    // its end even if the caller goes away.
    let answered = if method.is_safe() {
        AssertUnwindSafe(answering).catch_unwind().await.ok()
    } else {
        tokio::spawn(answering).await.ok()
    };
    let mut response = answered.unwrap_or_else(|| {
        let refusal = Refusal::Service(Error::Internal("a handler failed".to_owned()));
        span.in_scope(|| problem::answer(refusal, &path, &known.request_id))
    });
    // Outside the span, whose fields would be read back from their text for each line.
    tracing::info!(
        parent: None,
        request_id = known.request_id,
        trace_id,
        %method,
        path,
        address = %known.address,
        status = response.status().as_u16(),
        took_ms = edge.app.clock.now().as_millisecond() - began.as_millisecond(),
        "answered"
    );
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&known.request_id) {
        headers.insert(REQUEST_ID, id);
    }
    guard(headers, known.tls);
    if path.starts_with("/api/") {
        headers.insert(
            HeaderName::from_static("api-version"),
            HeaderValue::from_static("1"),
        );
    }
    response
}

/// What every answer says to browsers, whoever makes it; what a page says more exactly stays.
fn guard(headers: &mut HeaderMap, behind_tls: bool) {
    let fixed = [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        (
            "content-security-policy",
            "default-src 'none'; frame-ancestors 'none'",
        ),
    ];
    for (name, value) in fixed {
        let value = HeaderValue::from_static(value);
        headers
            .entry(HeaderName::from_static(name))
            .or_insert(value);
    }
    if behind_tls {
        headers.insert(
            STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
}

fn peer(request: &Request) -> IpAddr {
    request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| {
            peer.ip()
        })
}

/// The caller's own id, where it is a sane one; else a new one.
fn request_id(app: &App, headers: &HeaderMap) -> String {
    let sane = |text: &&str| {
        (1..=128).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
    };
    let own = headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(sane);
    if let Some(own) = own {
        return own.to_owned();
    }
    let millis = u64::try_from(app.clock.now().as_millisecond()).unwrap_or(0);
    let mut random = [0_u8; 10];
    if let Err(error) = app.entropy.fill(&mut random) {
        tracing::warn!(%error, "a request id without randomness");
    }
    Builder::from_unix_timestamp_millis(millis, &random)
        .into_uuid()
        .to_string()
}

/// The trace that the caller's W3C `traceparent` names: 32 lower-case hex digits, not all zero.
fn trace_id(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("traceparent")?.to_str().ok()?;
    let mut parts = value.split('-');
    let (version, trace, parent, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, length: usize| {
        text.len() == length
            && text
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let nonzero = |text: &str| text.bytes().any(|byte| byte != b'0');
    let valid = hex(version, 2)
        && version != "ff"
        && hex(trace, 32)
        && nonzero(trace)
        && hex(parent, 16)
        && nonzero(parent)
        && hex(flags, 2)
        && (version != "00" || parts.next().is_none());
    valid.then(|| trace.to_owned())
}
