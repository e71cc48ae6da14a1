//! Refusals and failures as RFC 9457 problem details. What went wrong inside stays in the log.

use axum::body::Body;
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Response, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::fault::Fault;
use crate::services::Error;

/// Why a request was refused before a service was asked.
#[derive(Debug)]
pub enum Refusal {
    /// No route has this path.
    NoRoute,
    /// The path is known, the method isn't; these are.
    Method(String),
    /// The body's media type or encoding isn't taken; the sentence says what is.
    MediaType(String),
    /// The body did not arrive in time.
    Slow,
    /// A query that can't be understood.
    Query(Vec<Fault>),
    /// What a service said, or would say.
    Service(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Service(error)
    }
}

/// What the types of all problems begin with.
const KINDS: &str = "urn:dewline:problem:";

/// RFC 9457 problem details.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// A stable name for the kind of problem, as a URI.
    #[serde(rename = "type")]
    kind: String,
    /// The kind of problem in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What happened this time, for people.
    detail: String,
    /// The path that was asked for.
    instance: String,
    /// The request's id, as in the log.
    request_id: String,
    /// All that is wrong with what was sent.
    errors: Vec<ProblemError>,
}

/// One thing that is wrong, and where.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemError {
    /// A JSON pointer into the body, or `?name` for a query parameter.
    pointer: String,
    /// A stable word for programs.
    code: String,
    /// A sentence for people.
    detail: String,
}

struct Told {
    status: StatusCode,
    code: String,
    title: &'static str,
    detail: String,
    errors: Vec<Fault>,
    retry_after: Option<u64>,
    allow: Option<String>,
}

impl Told {
    fn new(status: StatusCode, code: &str, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            title,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
            allow: None,
        }
    }
}

impl Problem {
    /// The stable word for the kind of problem.
    pub fn code(&self) -> &str {
        self.kind.strip_prefix(KINDS).unwrap_or(&self.kind)
    }

    fn new(told: &Told, instance: &str, request_id: &str) -> Self {
        let errors = told.errors.iter().map(|fault| ProblemError {
            pointer: fault.pointer.clone(),
            code: fault.code.to_string(),
            detail: fault.detail.clone(),
        });
        Self {
            kind: format!("{KINDS}{}", told.code),
            title: told.title.to_owned(),
            status: told.status.as_u16(),
            detail: told.detail.clone(),
            instance: instance.to_owned(),
            request_id: request_id.to_owned(),
            errors: errors.collect(),
        }
    }
}

/// The problem that tells a refusal.
pub fn document(refusal: Refusal, instance: &str, request_id: &str) -> Problem {
    Problem::new(&told(refusal), instance, request_id)
}

/// The answer that tells a refusal.
pub fn answer(refusal: Refusal, instance: &str, request_id: &str) -> Response<Body> {
    if let Refusal::Service(Error::Internal(why)) = &refusal {
        tracing::error!(request_id, %why, "a fault of ours");
    }
    let told = told(refusal);
    let problem = Problem::new(&told, instance, request_id);
    let text = serde_json::to_string(&problem).unwrap_or_default();
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = told.status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if told.status == StatusCode::UNAUTHORIZED {
        headers.insert(
            WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"dewline\""),
        );
    }
    if let Some(seconds) = told.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    }
    if let Some(Ok(methods)) = told.allow.map(HeaderValue::try_from) {
        headers.insert(ALLOW, methods);
    }
    response
}

fn told(refusal: Refusal) -> Told {
    match refusal {
        Refusal::NoRoute => Told::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "Not found",
            "Nothing is at this address.",
        ),
        Refusal::Method(allowed) => Told {
            allow: Some(allowed.clone()),
            ..Told::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "Method not allowed",
                format!("This address takes {allowed}."),
            )
        },
        Refusal::MediaType(takes) => Told::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "Unsupported media type",
            takes,
        ),
        Refusal::Slow => Told::new(
            StatusCode::REQUEST_TIMEOUT,
            "too-slow",
            "Too slow",
            "The body did not arrive in time. Nothing was changed.",
        ),
        Refusal::Query(faults) => Told {
            errors: faults,
            ..Told::new(
                StatusCode::BAD_REQUEST,
                "unknown-query",
                "Not understood",
                "The query can't be understood; see errors.",
            )
        },
        Refusal::Service(error) => told_by_service(error),
    }
}

fn told_by_service(error: Error) -> Told {
    match error {
        Error::NotFound => Told::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "Not found",
            "It is not there, or not yours to see.",
        ),
        Error::Unauthenticated => Told::new(
            StatusCode::UNAUTHORIZED,
            "unauthenticated",
            "Not authenticated",
            "Send a valid access token or API key.",
        ),
        Error::Forbidden(why) => Told::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            "Not permitted",
            format!("Not permitted: {why}."),
        ),
        Error::Unreadable(why) => {
            Told::new(StatusCode::BAD_REQUEST, "unreadable", "Not understood", why)
                .with_code("unreadable")
        }
        Error::Invalid(faults) => Told {
            errors: faults,
            ..Told::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid",
                "Not valid",
                "What was sent is not valid; see errors. Nothing was changed.",
            )
        },
        Error::Conflict { code, detail } => Told::new(
            StatusCode::CONFLICT,
            &code.replace('_', "-"),
            "Conflict",
            detail,
        )
        .with_code(code),
        Error::TooLarge(why) => {
            Told::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large", why)
        }
        Error::TooMany { retry_after } => Told {
            retry_after: Some(retry_after),
            ..Told::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-requests",
                "Too many requests",
                format!("Try again in {retry_after} s."),
            )
        },
        Error::Unavailable {
            retry_after,
            detail,
        } => Told {
            retry_after: Some(retry_after),
            ..Told::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "Not now",
                detail,
            )
        },
        Error::Internal(_) => Told::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "A fault of ours",
            "Something went wrong in Dewline. The log knows more under this request id.",
        ),
    }
}

impl Told {
    /// What is wrong with all that was sent stands among the errors too, where programs look for codes.
    fn with_code(mut self, code: &'static str) -> Self {
        self.errors.push(Fault::new("", code, self.detail.clone()));
        self
    }
}
