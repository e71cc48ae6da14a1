//! Writes what a handler gives: the envelope, CSV, or a bare document; with validators, so that a
//! client who has it already is told so in a line.

use std::convert::Infallible;
use std::fmt::Write as _;

use axum::body::{Body, Bytes};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LINK,
    LOCATION, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use ring::digest::{Context, SHA256};
use serde::Serialize;
use serde_json::Value;
use url::form_urlencoded;
use utoipa::ToSchema;

use super::call::Answer;
use crate::domain::access::Sight;
use crate::domain::listing::{Format, List, Query};

/// Where a page stands in its list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Pagination {
    /// The page, from 1.
    page: u32,
    /// Rows on a page.
    per_page: u32,
    /// Rows on all pages; exact up to 10,000.
    total: i64,
    /// Pages that the total makes.
    total_pages: i64,
    /// There are more rows than `total`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    total_is_at_least: bool,
}

/// What the envelope needs to know of the request.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path.
    pub path: &'a str,
    /// The query, decoded.
    pub pairs: &'a [(String, String)],
    /// The question, where there is one.
    pub query: Option<&'a Query>,
    /// What the caller can see.
    pub sight: Option<Sight>,
    /// The request's id.
    pub request_id: &'a str,
    /// What the client has already.
    pub headers: &'a HeaderMap,
}

/// The answer to a read, but for the request's id, which stands between its two halves.
#[derive(Debug)]
pub struct Enveloped {
    before: Bytes,
    /// `None`: it is a file, which tells no request's id.
    after: Option<Bytes>,
    etag: String,
    /// Where it is a file: its name.
    file: String,
}

/// From so many bytes on they are sent as they are kept, not copied together first.
const LARGE: usize = 256 * 1024;

impl Enveloped {
    /// JSON whose request's id stands between the two.
    pub fn json(before: Bytes, after: Bytes, etag: String) -> Self {
        Self {
            before,
            after: Some(after),
            etag,
            file: String::new(),
        }
    }

    /// A CSV file of that name, without its ending.
    pub fn csv(text: Bytes, name: &str, etag: String) -> Self {
        Self {
            before: text,
            after: None,
            etag,
            file: name.to_owned(),
        }
    }

    /// Its bytes.
    pub fn len(&self) -> usize {
        self.before.len() + self.after.as_ref().map_or(0, Bytes::len) + self.etag.len()
    }

    /// It says nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The answer to whoever asks this; one line for him who has it already.
    pub fn told(&self, request_id: &str, headers: &HeaderMap) -> Response<Body> {
        if has_already(headers, &self.etag) {
            return not_modified(&self.etag);
        }
        let Some(after) = &self.after else {
            let mut response = Response::new(Body::from(self.before.clone()));
            is_a_file(&mut response, &self.file);
            validators(&mut response, &self.etag);
            return response;
        };
        let id = Bytes::from(quoted(request_id));
        let pieces = [self.before.clone(), id, after.clone()];
        let length: usize = pieces.iter().map(Bytes::len).sum();
        let body = if length < LARGE {
            Body::from(pieces.concat())
        } else {
            let pieces = pieces.into_iter().map(Ok::<_, Infallible>);
            Body::from_stream(futures_util::stream::iter(pieces))
        };
        let mut response = Response::new(body);
        insert(&mut response, CONTENT_LENGTH, &length.to_string());
        insert(&mut response, CONTENT_TYPE, "application/json");
        validators(&mut response, &self.etag);
        response
    }
}

/// It is CSV to be saved under that name.
pub fn is_a_file(response: &mut Response<Body>, name: &str) {
    insert(response, CONTENT_TYPE, "text/csv; charset=utf-8");
    let named = format!("attachment; filename=\"{name}.csv\"");
    insert(response, CONTENT_DISPOSITION, &named);
}

/// What a handler gave, written.
#[derive(Debug)]
pub enum Written {
    /// The answer to a read, in JSON.
    Read(Enveloped),
    /// Any other.
    Whole(Response<Body>),
}

/// The answer to a request that was not refused.
pub fn written(answer: Answer, asked: &Asked<'_>) -> Written {
    Written::Whole(match answer {
        Answer::Nothing => status(Response::new(Body::empty()), StatusCode::NO_CONTENT),
        // `report::written` takes these.
        Answer::Rows(..) => status(
            Response::new(Body::empty()),
            StatusCode::INTERNAL_SERVER_ERROR,
        ),
        Answer::Bare { media, text } => bare(media, text, asked),
        Answer::One { data, links, .. } if *asked.method == Method::GET => {
            return Written::Read(one(&data, links, asked));
        }
        Answer::One {
            status: code,
            data,
            location,
            links,
        } => done(code, &data, location, links, asked),
        Answer::Page {
            rows,
            list,
            total,
            at_least,
            more,
        } => {
            let Some(query) = asked.query else {
                return Written::Whole(status(
                    Response::new(Body::empty()),
                    StatusCode::INTERNAL_SERVER_ERROR,
                ));
            };
            let pagination = Pagination {
                page: query.page,
                per_page: query.per_page,
                total,
                total_pages: (total + i64::from(query.per_page) - 1) / i64::from(query.per_page),
                total_is_at_least: at_least,
            };
            let links = page_links(&pagination, more, asked);
            match query.format {
                Format::Json => return Written::Read(page(&rows, &pagination, &links, asked)),
                Format::Csv => table(&rows, list, &links, asked),
            }
        }
    })
}

fn status(mut response: Response<Body>, code: StatusCode) -> Response<Body> {
    *response.status_mut() = code;
    response
}

pub(super) fn insert(response: &mut Response<Body>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

pub(super) fn links_json(links: &[(&'static str, String)]) -> String {
    let each: Vec<_> = links
        .iter()
        .map(|(name, to)| format!("{}:{}", quoted(name), quoted(to)))
        .collect();
    format!("{{{}}}", each.join(","))
}

fn one(data: &str, further: Vec<(&'static str, String)>, asked: &Asked<'_>) -> Enveloped {
    let mut links = vec![("self", asked.path.to_owned())];
    links.extend(further);
    let links = links_json(&links);
    Enveloped::json(
        format!("{{\"data\":{data},\"meta\":{{\"request_id\":").into(),
        format!("}},\"links\":{links}}}").into(),
        etag(&[data, links.as_str()], asked.sight.as_ref()),
    )
}

/// What was made, changed or begun.
fn done(
    code: u16,
    data: &str,
    location: Option<String>,
    further: Vec<(&'static str, String)>,
    asked: &Asked<'_>,
) -> Response<Body> {
    let own = location.clone().unwrap_or_else(|| asked.path.to_owned());
    let mut links = vec![("self", own)];
    links.extend(further);
    let mut response = json_response(format!(
        "{{\"data\":{data},\"meta\":{{\"request_id\":{}}},\"links\":{}}}",
        quoted(asked.request_id),
        links_json(&links)
    ));
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::OK);
    insert(&mut response, CACHE_CONTROL, "no-store");
    if let (201 | 202, Some(location)) = (code, location) {
        insert(&mut response, LOCATION, &location);
    }
    response
}

fn page(
    rows: &[String],
    pagination: &Pagination,
    links: &[(&'static str, String)],
    asked: &Asked<'_>,
) -> Enveloped {
    let data = rows.join(",");
    let links = links_json(links);
    let pagination = serde_json::to_string(pagination).unwrap_or_default();
    Enveloped::json(
        format!("{{\"data\":[{data}],\"meta\":{{\"request_id\":").into(),
        format!(",\"pagination\":{pagination}}},\"links\":{links}}}").into(),
        etag(&[&data, &links, &pagination], asked.sight.as_ref()),
    )
}

fn table(
    rows: &[String],
    list: &'static List,
    links: &[(&'static str, String)],
    asked: &Asked<'_>,
) -> Response<Body> {
    let text = super::csv::table(list.columns, rows);
    let etag = etag(&[&text], asked.sight.as_ref());
    if has_already(asked.headers, &etag) {
        return not_modified(&etag);
    }
    let mut response = Response::new(Body::from(text));
    is_a_file(&mut response, list.name);
    let further: Vec<_> = links
        .iter()
        .map(|(name, to)| format!("<{to}>; rel=\"{name}\""))
        .collect();
    insert(&mut response, LINK, &further.join(", "));
    validators(&mut response, &etag);
    response
}

fn bare(media: &'static str, text: String, asked: &Asked<'_>) -> Response<Body> {
    let etag = etag(&[&text], asked.sight.as_ref());
    if has_already(asked.headers, &etag) {
        return not_modified(&etag);
    }
    let mut response = Response::new(Body::from(text));
    insert(&mut response, CONTENT_TYPE, media);
    validators(&mut response, &etag);
    response
}

fn json_response(text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    insert(&mut response, CONTENT_TYPE, "application/json");
    response
}

/// A weak validator over what was answered and who could see it; not over the request's id.
pub(super) fn etag(parts: &[impl AsRef<[u8]>], sight: Option<&Sight>) -> String {
    let mut hash = Context::new(&SHA256);
    hash.update(format!("{sight:?}").as_bytes());
    for part in parts {
        hash.update(b"\n");
        hash.update(part.as_ref());
    }
    let mut etag = "W/\"".to_owned();
    for byte in hash.finish().as_ref().iter().take(16) {
        let _ = write!(etag, "{byte:02x}");
    }
    etag.push('"');
    etag
}

fn has_already(headers: &HeaderMap, etag: &str) -> bool {
    let plain = etag.trim_start_matches("W/");
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.trim_start_matches("W/") == plain)
}

pub(super) fn validators(response: &mut Response<Body>, etag: &str) {
    insert(response, ETAG, etag);
    insert(response, CACHE_CONTROL, "private, no-cache");
    insert(response, VARY, "Authorization, X-API-Key, Accept-Encoding");
}

fn not_modified(etag: &str) -> Response<Body> {
    let mut response = status(Response::new(Body::empty()), StatusCode::NOT_MODIFIED);
    validators(&mut response, etag);
    response
}

fn page_links(
    pagination: &Pagination,
    more: bool,
    asked: &Asked<'_>,
) -> Vec<(&'static str, String)> {
    let to = |page: i64| with_page(asked.path, asked.pairs, page);
    let page = i64::from(pagination.page);
    let last = pagination.total_pages.max(1);
    let mut links = vec![("first", to(1))];
    if page > 1 {
        let before = if pagination.total_is_at_least {
            page - 1
        } else {
            (page - 1).min(last)
        };
        links.push(("prev", to(before)));
    }
    links.push(("self", with_pairs(asked.path, asked.pairs)));
    if more {
        links.push(("next", to(page + 1)));
    }
    if !pagination.total_is_at_least {
        links.push(("last", to(last)));
    }
    links
}

/// The same address with another page: filters and sort stay.
pub fn with_page(path: &str, pairs: &[(String, String)], page: i64) -> String {
    let mut changed: Vec<(String, String)> = pairs.to_vec();
    match changed.iter_mut().find(|(name, _)| name == "page") {
        Some((_, value)) => *value = page.to_string(),
        None => changed.push(("page".to_owned(), page.to_string())),
    }
    with_pairs(path, &changed)
}

pub(super) fn with_pairs(path: &str, pairs: &[(String, String)]) -> String {
    if pairs.is_empty() {
        return path.to_owned();
    }
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    format!("{path}?{query}")
}
