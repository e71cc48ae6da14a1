//! Every page's one way from the router to its handler: who visits, how often, whether the form
//! comes from our own pages; and from the reply, or what a service said, to the answer.

use std::sync::Arc;
use std::time::Duration;

use axum::RequestPartsExt;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{RawPathParams, Request};
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, COOKIE, HOST, LOCATION,
    ORIGIN, REFERER, RETRY_AFTER, SET_COOKIE, USER_AGENT,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use jiff::tz::TimeZone;
use secrecy::SecretString;
use url::form_urlencoded;

use super::secrets::Secrets;
use super::shell::{Gate, Shell, Theme};
use super::view::fault::{FaultPage, FramedFaultPage};
use super::visit::{
    BROWSER, CHALLENGE, Cookie, FLASH, Page, Reply, SESSION, THEME, Visit, flash_of, own_path,
};
use super::words;
use crate::domain::access::Actor;
use crate::http::budgets::{self, Payer, Told};
use crate::http::edge::{Edge, Known};
use crate::http::pass;
use crate::http::route::{Needs, Scope, Tier};
use crate::services::{Error, callers};

/// How long a form or file may take to arrive.
const PATIENCE: Duration = Duration::from_secs(60);
/// A form or file, at most.
const MOST: usize = 4 * 1024 * 1024;
/// What pages may load: only what this server serves.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
);

/// Nothing that a page of ours could ask the browser for.
const NOTHING: HeaderValue = HeaderValue::from_static(
    "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
);

/// What the pages keep between visits.
#[derive(Debug)]
pub struct Pages {
    /// What every request passes.
    pub edge: Arc<Edge>,
    /// Secrets that wait to be shown.
    pub secrets: Arc<Secrets>,
}

/// Answers a visit to a path, whose pages these are.
pub async fn path(pages: &[Page], house: Arc<Pages>, request: Request) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    let cookies = Cookies::of(&parts.headers);
    let gate = Gate {
        title: String::new(),
        path: parts.uri.path().to_owned(),
        theme: cookies.theme(),
    };
    let known = parts.extensions.get::<Known>().cloned();
    let secure = known.as_ref().is_some_and(|known| known.tls);
    let request_id = known
        .as_ref()
        .map_or_else(String::new, |k| k.request_id.clone());
    let mut told = None;
    let result = match known {
        Some(known) => {
            let line = (pages, &mut told);
            answer(line, &house, &known, &cookies, &mut parts, body).await
        }
        None => Err(Error::Internal("the edge was not passed".to_owned())),
    };
    let partial = parts.headers.contains_key("hx-request");
    let mut response = match result {
        Ok(reply) => response_of(reply, partial, secure),
        Err(Error::Unauthenticated) => response_of(Reply::go(sign_in(&parts)), partial, secure),
        Err(error) => {
            let frame = frame(&house, &parts, &cookies).await;
            fault(gate, error, &request_id, frame)
        }
    };
    if let Some(told) = told {
        budgets::tell(&mut response, told);
    }
    // A message is shown once.
    if cookies.flash.is_some()
        && response.status() == StatusCode::OK
        && parts.method == Method::GET
        && !partial
    {
        set_cookie(
            &mut response,
            &Cookie {
                name: FLASH,
                value: String::new(),
                max_age: 0,
            },
            secure,
        );
    }
    harden(&mut response);
    if parts.method == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    response
}

async fn answer(
    (pages, told): (&[Page], &mut Option<Told>),
    house: &Pages,
    known: &Known,
    cookies: &Cookies,
    parts: &mut Parts,
    body: Body,
) -> Result<Reply, Error> {
    let wanted = if parts.method == Method::HEAD {
        &Method::GET
    } else {
        &parts.method
    };
    let page = pages
        .iter()
        .find(|page| page.method == wanted)
        .ok_or(Error::NotFound)?;
    let actor = person(house, cookies);
    let payer = match (page.tier, &actor) {
        (Tier::Auth, _) => Payer::sign_in(known.address),
        (_, Some(actor)) => Payer::caller(actor, known.address),
        (_, None) => Payer::anonymous(known.address),
    };
    let (left, wait) = house.edge.budgets.take(payer);
    *told = left;
    if let Some(retry_after) = wait {
        return Err(Error::TooMany { retry_after });
    }
    if page.needs != Needs::Public && actor.is_none() {
        return Err(Error::Unauthenticated);
    }
    if parts.method == Method::POST && !is_ours(&parts.headers) {
        return Err(Error::Forbidden(
            "The form was sent from another site. Open the page here and send it again.".to_owned(),
        ));
    }
    let names = names(parts).await?;
    admit(house, page, actor.as_ref(), &names)?;
    let zone = actor
        .as_ref()
        .map_or(TimeZone::UTC, |_| zone(house, cookies));
    let mut visit = visit(house, known, cookies, actor, (parts, names), body).await?;
    if parts.method == Method::POST {
        // A form can take its time: whoever lost his session or role meanwhile has lost it.
        visit.actor = person(house, cookies);
        admit(house, page, visit.actor.as_ref(), &visit.names)?;
    }
    words::read_in(zone, (page.handler)(visit)).await
}

/// The time zone of whoever is signed in; UTC for everybody else.
fn zone(house: &Pages, cookies: &Cookies) -> TimeZone {
    cookies
        .session
        .as_deref()
        .and_then(|cookie| callers::time_zone(&house.edge.app, cookie))
        .and_then(|name| TimeZone::get(&name).ok())
        .unwrap_or(TimeZone::UTC)
}

/// Who visits, by his cookie.
fn person(house: &Pages, cookies: &Cookies) -> Option<Actor> {
    let cookie = cookies.session.as_deref()?;
    callers::page_session(&house.edge.app, cookie).ok()
}

/// The visitor holds what the page asks for, and sees what its path names.
fn admit(house: &Pages, page: &Page, actor: Option<&Actor>, names: &[String]) -> Result<(), Error> {
    if page.needs == Needs::Public {
        return Ok(());
    }
    let actor = actor.ok_or(Error::Unauthenticated)?;
    let asked = [Some(page.needs), page.also.map(Needs::May)];
    for needs in asked.into_iter().flatten() {
        let sight = pass::permitted(needs, actor)?;
        if !matches!(page.scope, Scope::Nothing) {
            let line = (needs, page.scope);
            pass::in_sight(&house.edge.app, line, actor, &sight, names)?;
        }
    }
    Ok(())
}

async fn visit(
    house: &Pages,
    known: &Known,
    cookies: &Cookies,
    actor: Option<Actor>,
    (parts, names): (&Parts, Vec<String>),
    body: Body,
) -> Result<Visit, Error> {
    let media = text_of(&parts.headers, &CONTENT_TYPE).to_owned();
    let body = if parts.method == Method::POST {
        tokio::time::timeout(PATIENCE, to_bytes(body, MOST))
            .await
            .map_err(|_| {
                Error::Unreadable("The form did not arrive in time. Send it again.".to_owned())
            })?
            .map_err(|_| Error::TooLarge("A form holds at most 4 MiB.".to_owned()))?
    } else {
        Bytes::new()
    };
    let is_form = media.starts_with("application/x-www-form-urlencoded");
    Ok(Visit {
        now: house.edge.app.clock.now(),
        app: Arc::clone(&house.edge.app),
        actor,
        address: known.address,
        device: text_of(&parts.headers, &USER_AGENT).to_owned(),
        browser: cookies.browser.clone().map(SecretString::from),
        challenge: cookies.challenge.clone().map(SecretString::from),
        request_id: known.request_id.clone(),
        path: parts.uri.path().to_owned(),
        query: pairs(parts.uri.query().unwrap_or_default().as_bytes()),
        names,
        form: if is_form { pairs(&body) } else { Vec::new() },
        body,
        media,
        theme: cookies.theme(),
        flash: cookies.flash.as_deref().and_then(flash_of),
        origin: origin(house, &parts.headers),
        secrets: Arc::clone(&house.secrets),
        edge: Arc::clone(&house.edge),
    })
}

async fn names(parts: &mut Parts) -> Result<Vec<String>, Error> {
    let names = parts
        .extract::<RawPathParams>()
        .await
        .map_err(|_| Error::NotFound)?;
    Ok(names.iter().map(|(_, text)| text.to_owned()).collect())
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text)
        .into_owned()
        .filter(|(_, value)| !value.contains('\0'))
        .collect()
}

fn text_of<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// How people reach this server: as the configuration says, else as this visitor does.
fn origin(house: &Pages, headers: &HeaderMap) -> String {
    let told = &house.edge.app.config.public_url;
    if told.is_empty() {
        format!("http://{}", text_of(headers, &HOST))
    } else {
        told.trim_end_matches('/').to_owned()
    }
}

/// The form comes from a page of ours: the browser says so, or says nothing at all.
fn is_ours(headers: &HeaderMap) -> bool {
    let site = text_of(headers, &HeaderName::from_static("sec-fetch-site"));
    if !site.is_empty() {
        return matches!(site, "same-origin" | "none");
    }
    let origin = text_of(headers, &ORIGIN);
    let host = origin.split_once("://").map(|(_, host)| host);
    origin.is_empty() || host == Some(text_of(headers, &HOST))
}

fn sign_in(parts: &Parts) -> String {
    let next = match (&parts.method, parts.uri.path_and_query()) {
        (&Method::GET, Some(next)) if next.as_str() != "/" => next.as_str(),
        _ => return "/sign-in".to_owned(),
    };
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("next", next)
        .finish();
    format!("/sign-in?{query}")
}

#[derive(Debug, Default)]
struct Cookies {
    session: Option<String>,
    theme: Option<String>,
    flash: Option<String>,
    browser: Option<String>,
    challenge: Option<String>,
}

impl Cookies {
    fn of(headers: &HeaderMap) -> Self {
        let mut found = Self::default();
        let all = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok());
        for (name, value) in all
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
        {
            match name {
                SESSION => found.session = Some(value.to_owned()),
                THEME => found.theme = Some(value.to_owned()),
                CHALLENGE => found.challenge = Some(value.to_owned()),
                BROWSER => found.browser = Some(value.to_owned()),
                FLASH => found.flash = Some(value.to_owned()),
                _ => {}
            }
        }
        found
    }

    fn theme(&self) -> Theme {
        Theme::from_word(self.theme.as_deref().unwrap_or_default())
    }
}

fn response_of(reply: Reply, partial: bool, secure: bool) -> Response<Body> {
    let body = reply.flow.unwrap_or_else(|| Body::from(reply.text));
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.media));
    if let Some(name) = reply.file {
        let value = HeaderValue::try_from(format!("attachment; filename=\"{name}\""));
        headers.extend(value.ok().map(|value| (CONTENT_DISPOSITION, value)));
    }
    if let Some(Ok(to)) = reply.to.map(HeaderValue::try_from) {
        // A part of a page can't be led elsewhere by its own status: the script leads the page.
        if partial {
            headers.insert(HeaderName::from_static("hx-redirect"), to);
            *response.status_mut() = StatusCode::OK;
        } else {
            headers.insert(LOCATION, to);
        }
    }
    if let Some(seconds) = reply.retry_after {
        wait(&mut response, seconds);
    }
    for cookie in &reply.cookies {
        set_cookie(&mut response, cookie, secure);
    }
    response
}

fn set_cookie(response: &mut Response<Body>, cookie: &Cookie, secure: bool) {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!(
        "{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{secure}",
        cookie.name, cookie.value, cookie.max_age
    );
    if let Ok(value) = HeaderValue::try_from(text) {
        response.headers_mut().append(SET_COOKIE, value);
    }
}

/// What stands around a fault for somebody who is signed in, and the page from which he comes. `None` for
/// everybody else, and where that can't be had either.
async fn frame(house: &Pages, parts: &Parts, cookies: &Cookies) -> Option<(Shell, Option<String>)> {
    let known = parts.extensions.get::<Known>()?;
    let actor = person(house, cookies)?;
    let nothing = (parts, Vec::new());
    let visit = visit(house, known, cookies, Some(actor), nothing, Body::empty())
        .await
        .ok()?;
    let origin = format!("{}/", visit.origin);
    let from = text_of(&parts.headers, &REFERER).strip_prefix(&origin);
    let back = from
        .map(|path| own_path(&format!("/{path}")))
        .filter(|back| *back != visit.path && back != "/");
    Some((visit.shell("").await.ok()?, back))
}

/// What a service said, as a page in plain words.
fn fault(
    gate: Gate,
    error: Error,
    request_id: &str,
    frame: Option<(Shell, Option<String>)>,
) -> Response<Body> {
    let (status, detail, seconds) = match error {
        Error::NotFound => (404, None, None),
        Error::Unauthenticated => (401, None, None),
        Error::Forbidden(why) => (403, Some(why), None),
        Error::Unreadable(why) => (400, Some(why), None),
        Error::Invalid(faults) => {
            let said: Vec<String> = faults.into_iter().map(|fault| fault.detail).collect();
            (422, Some(said.join(" ")), None)
        }
        Error::Conflict { detail, .. } => (409, Some(detail), None),
        Error::TooLarge(why) => (413, Some(why), None),
        Error::TooMany { retry_after } => (
            429,
            Some(format!(
                "Too many requests came from here. Try again in {retry_after} s."
            )),
            Some(retry_after),
        ),
        Error::Unavailable {
            retry_after,
            detail,
        } => (503, Some(detail), Some(retry_after)),
        Error::Internal(why) => {
            tracing::error!(error = why, "a page failed");
            (500, None, None)
        }
    };
    let what = FaultPage::new(gate, status, detail, request_id);
    let page = match frame {
        Some((mut shell, back)) => {
            shell.title.clone_from(&what.happened);
            Reply::page(&FramedFaultPage { shell, what, back })
        }
        None => Reply::page(&what),
    };
    let reply = page.map(|reply| reply.status(status));
    let mut response = match reply {
        Ok(reply) => response_of(reply, false, false),
        Err(_) => Response::new(Body::from("Something broke here.")),
    };
    if let Some(seconds) = seconds {
        wait(&mut response, seconds);
    }
    response
}

fn wait(response: &mut Response<Body>, seconds: u64) {
    let seconds = HeaderValue::from(seconds.max(1));
    response.headers_mut().insert(RETRY_AFTER, seconds);
}

fn harden(response: &mut Response<Body>) {
    let fixed = [
        ("content-security-policy", POLICY),
        (
            "x-content-type-options",
            HeaderValue::from_static("nosniff"),
        ),
        ("referrer-policy", HeaderValue::from_static("same-origin")),
        ("permissions-policy", NOTHING),
        (
            "cross-origin-opener-policy",
            HeaderValue::from_static("same-origin"),
        ),
    ];
    let headers = response.headers_mut();
    for (name, value) in fixed {
        headers.insert(HeaderName::from_static(name), value);
    }
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("private, no-store"));
    headers.append("vary", HeaderValue::from_name(ACCEPT_ENCODING));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(k, v)| (HeaderName::from_static(k), HeaderValue::from_static(v)))
            .collect()
    }

    #[test]
    fn forms_of_other_sites_are_not_ours() {
        assert!(is_ours(&headers(&[("sec-fetch-site", "same-origin")])));
        assert!(!is_ours(&headers(&[("sec-fetch-site", "cross-site")])));
        assert!(!is_ours(&headers(&[("sec-fetch-site", "same-site")])));
        assert!(is_ours(&headers(&[
            ("origin", "http://a.example:8080"),
            ("host", "a.example:8080")
        ])));
        assert!(!is_ours(&headers(&[
            ("origin", "http://b.example"),
            ("host", "a.example")
        ])));
        assert!(!is_ours(&headers(&[
            ("origin", "null"),
            ("host", "a.example")
        ])));
    }
}
