//! Every API call's one way from the router to its handler: the contract's order of refusals.
//! 404 and 405 for the route; 401, or 429 where the address has had too many of these; 429; 403 and 404 for what the path names; then the body (415,
//! 413, 400) and the query (400); what was sent being invalid (422) is the handler's to say.

use std::sync::Arc;

use axum::RequestPartsExt;
use axum::body::Body;
use axum::extract::{RawPathParams, Request};
use axum::http::header::{AUTHORIZATION, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Response};
use jiff::Timestamp;
use url::form_urlencoded;

use super::budgets::{self, Payer, Told};
use super::call::{Answer, Call};
use super::edge::{Edge, Known};
use super::envelope::Written;
use super::kept::{Moment, Question};
use super::problem::{self, Refusal};
use super::route::{Gives, Needs, Route, Tier};
use super::{body, envelope, pass, report};
use crate::app::App;
use crate::domain::access::{Actor, Permission, Sight};
use crate::domain::fault::Fault;
use crate::domain::listing::{Format, Query};
use crate::domain::report::Asked;
use crate::services::{Error, audit, callers, reports, sites, sync};

/// Answers a call to a path, whose routes these are.
pub async fn path(routes: &[Route], edge: Arc<Edge>, request: Request) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    let known = parts
        .extensions
        .get::<Known>()
        .cloned()
        .unwrap_or_else(|| Known {
            request_id: String::new(),
            address: std::net::Ipv4Addr::UNSPECIFIED.into(),
            tls: false,
        });
    let path = parts.uri.path().to_owned();
    let mut told = None;
    let result = answer(routes, &edge, &known, &mut parts, body, &mut told).await;
    let mut response = match result {
        Ok(response) => response,
        Err(refusal) => problem::answer(refusal, &path, &known.request_id),
    };
    if parts.method == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    let free = routes.iter().any(|route| route.tier == Tier::Free);
    let unknown = || edge.budgets.take(Payer::anonymous(known.address)).0;
    if let Some(told) = told.or_else(|| if free { None } else { unknown() }) {
        budgets::tell(&mut response, told);
    }
    response
}

/// The answer to an address below `/api` that is no route's.
pub async fn nowhere(edge: Arc<Edge>, request: Request) -> Response<Body> {
    path(&[], edge, request).await
}

async fn answer(
    routes: &[Route],
    edge: &Edge,
    known: &Known,
    parts: &mut Parts,
    body: Body,
    told: &mut Option<Told>,
) -> Result<Response<Body>, Refusal> {
    let route = route(routes, &parts.method)?;
    let actor = match route.needs {
        Needs::Public => None,
        Needs::Person | Needs::May(_) | Needs::Platform(_) => {
            let found = caller(&edge.app, &parts.headers, known);
            Some(found.map_err(|error| strange(error, edge, known, told))?)
        }
    };
    let names = names(parts).await;
    let ids = pass::ids(&names);
    if route.tier != Tier::Free {
        pay(edge, route, actor.as_ref(), ids.as_deref(), known, told)?;
    }
    let (sight, ids) = match &actor {
        Some(actor) => {
            let sight = pass::permitted(route.needs, actor)?;
            let line = (route.needs, route.scope);
            let ids = pass::in_sight(&edge.app, line, actor, &sight, &names)?;
            let sight = match route.operation.gives {
                Gives::Report(_) => reports::sight(actor, format(parts))?,
                _ => sight,
            };
            (Some(sight), ids)
        }
        None => (None, ids.ok_or(Error::NotFound)?),
    };
    // What may be in a file hangs on more than what its asker sees.
    let kept = route.kept && format(parts) != Format::Csv;
    let now = kept.then(|| Moment::now(&edge.app));
    let question = now.map(|now| (question(parts, sight.clone()), now));
    if let Some((question, now)) = &question
        && let Some(answer) = edge.kept.find(question, *now)
    {
        return Ok(answer.told(&known.request_id, &parts.headers));
    }
    let body = match body::take(route.operation.takes, &parts.headers, body).await {
        Ok(body) => body,
        Err(refusal) => return Err(noted(edge, route, &ids, known, refusal).await),
    };
    // A body can take its time: whoever lost his session, key or role meanwhile has lost it.
    let (actor, sight) = match actor {
        Some(_) if body::limit(route.operation.takes).is_some() => {
            let actor = caller(&edge.app, &parts.headers, known)?;
            let sight = pass::permitted(route.needs, &actor)?;
            let line = (route.needs, route.scope);
            pass::in_sight(&edge.app, line, &actor, &sight, &names)?;
            (Some(actor), Some(sight))
        }
        before => (before, sight),
    };
    let pairs = pairs(parts.uri.query().unwrap_or_default())?;
    let query = query(route, &pairs)?;
    let asked = asked(route, &pairs, edge.app.clock.now())?;
    let call = Call {
        app: Arc::clone(&edge.app),
        actor: actor.clone(),
        address: known.address,
        device: device(&parts.headers),
        request_id: known.request_id.clone(),
        ids,
        query: query.clone(),
        asked: asked.clone(),
        body,
    };
    let answer: Answer = (route.operation.handler)(call).await?;
    let method = if parts.method == Method::HEAD {
        &Method::GET
    } else {
        &parts.method
    };
    let told = envelope::Asked {
        method,
        path: parts.uri.path(),
        pairs: &pairs,
        query: query.as_ref(),
        sight,
        request_id: &known.request_id,
        headers: &parts.headers,
    };
    let written = match answer {
        Answer::Rows(report, walk) => report::written(report, *walk, &told).await?,
        answer => envelope::written(answer, &told),
    };
    Ok(match written {
        Written::Whole(response) => response,
        Written::Read(answer) => {
            let answer = Arc::new(answer);
            if let Some((question, moment)) = question {
                edge.kept.keep(question, moment, Arc::clone(&answer));
            }
            answer.told(&known.request_id, &parts.headers)
        }
    })
}

/// How a report is to be written.
fn format(parts: &Parts) -> Format {
    let query = parts.uri.query().unwrap_or_default();
    let csv = form_urlencoded::parse(query.as_bytes())
        .any(|(name, value)| name == "format" && value == "csv");
    if csv { Format::Csv } else { Format::Json }
}

/// What is asked, by whom as far as a kept answer depends on it.
fn question(parts: &Parts, sight: Option<Sight>) -> Question {
    let address = parts.uri.path_and_query();
    Question {
        address: address.map_or_else(String::new, ToString::to_string),
        sight,
    }
}

fn route<'a>(routes: &'a [Route], method: &Method) -> Result<&'a Route, Refusal> {
    if routes.is_empty() {
        return Err(Refusal::NoRoute);
    }
    let wanted = if *method == Method::HEAD {
        &Method::GET
    } else {
        method
    };
    routes
        .iter()
        .find(|route| route.method == *wanted)
        .ok_or_else(|| {
            let mut allowed: Vec<&str> = routes.iter().map(|route| route.method.as_str()).collect();
            if allowed.contains(&"GET") {
                allowed.push("HEAD");
            }
            Refusal::Method(allowed.join(", "))
        })
}

/// A sync whose body could not even be read leaves its reason on the site's page.
async fn noted(
    edge: &Edge,
    route: &Route,
    ids: &[i64],
    known: &Known,
    refusal: Refusal,
) -> Refusal {
    if let (Tier::Sync, Some(site), Refusal::Service(error)) = (route.tier, ids.first(), &refusal) {
        let address = audit::shown(known.address);
        if let Err(failed) = sync::refuse(&edge.app, *site, error, &address).await {
            tracing::warn!(%failed, "a refusal could not be kept");
        }
    }
    refusal
}

/// Who calls, by the one credential that was sent. A cookie is never one.
fn caller(app: &App, headers: &HeaderMap, known: &Known) -> Result<Actor, Error> {
    let key = headers.get_all("x-api-key").iter();
    let bearer = headers.get_all(AUTHORIZATION).iter();
    let mut presented = key
        .map(|value| value.to_str().ok())
        .chain(bearer.map(|value| bearer_of(value.to_str().ok()?)));
    match (presented.next().flatten(), presented.next()) {
        (Some(text), None) => callers::authenticate(app, text, known.address),
        _ => Err(Error::Unauthenticated),
    }
}

/// Whoever is not believed pays as an unknown address: secrets can't be tried out without end.
fn strange(error: Error, edge: &Edge, known: &Known, told: &mut Option<Told>) -> Error {
    if !matches!(error, Error::Unauthenticated) {
        return error;
    }
    take(edge, Payer::anonymous(known.address), told)
        .err()
        .unwrap_or(error)
}

fn bearer_of(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// What the caller's program calls itself.
fn device(headers: &HeaderMap) -> String {
    let name = headers
        .get(USER_AGENT)
        .and_then(|value| value.to_str().ok());
    name.unwrap_or_default().to_owned()
}

/// What the path names, as it is written there.
async fn names(parts: &mut Parts) -> Vec<String> {
    match parts.extract::<RawPathParams>().await {
        Ok(named) => named.iter().map(|(_, text)| text.to_owned()).collect(),
        Err(_) => vec![String::new()],
    }
}

/// The call is paid for. The budget of a site's syncs is touched only by callers who can see the site:
/// nobody else can use it up. Whether there is such a site can cost a look-up, and then the caller pays
/// for that first: nobody walks over ids for nothing.
fn pay(
    edge: &Edge,
    route: &Route,
    actor: Option<&Actor>,
    ids: Option<&[i64]>,
    known: &Known,
    told: &mut Option<Told>,
) -> Result<(), Error> {
    let own = || {
        actor.map_or_else(
            || Payer::anonymous(known.address),
            |actor| Payer::caller(actor, known.address),
        )
    };
    let (actor, site) = match (route.tier, actor, ids.and_then(<[i64]>::first)) {
        (Tier::Auth, ..) => return take(edge, Payer::sign_in(known.address), told),
        (Tier::Sync, Some(actor), Some(site)) => (actor, *site),
        _ => return take(edge, own(), told),
    };
    let remembered = edge.app.callers.knows_home(site);
    if !remembered {
        take(edge, own(), told)?;
    }
    match sites::seen(&edge.app, &actor.sight(Permission::Sync), site) {
        Ok(_) => take(edge, Payer::Site(site), told),
        Err(Error::NotFound) if remembered => take(edge, own(), told),
        Err(Error::NotFound) => Ok(()),
        Err(error) => Err(error),
    }
}

fn take(edge: &Edge, payer: Payer, told: &mut Option<Told>) -> Result<(), Error> {
    let (left, wait) = edge.budgets.take(payer);
    *told = left;
    wait.map_or(Ok(()), |retry_after| Err(Error::TooMany { retry_after }))
}

/// The query, decoded.
///
/// # Errors
/// The parameters that aren't text.
fn pairs(query: &str) -> Result<Vec<(String, String)>, Refusal> {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    let broken = |text: &str| text.contains(char::REPLACEMENT_CHARACTER);
    let faults: Vec<Fault> = pairs
        .iter()
        .filter(|(name, value)| broken(name) || broken(value))
        .map(|(name, _)| {
            let shown = shown(name);
            Fault::new(
                format!("?{shown}"),
                "not_utf8",
                format!("{shown} is not valid UTF-8."),
            )
        })
        .collect();
    if !faults.is_empty() {
        return Err(Refusal::Query(faults));
    }
    Ok(pairs)
}

/// As much of a parameter's name as is told.
fn shown(name: &str) -> String {
    name.chars().take(100).collect()
}

/// The question to the route's list, understood; `None` where it gives no list and nothing was asked.
///
/// # Errors
/// All that can't be understood.
pub fn query(route: &Route, pairs: &[(String, String)]) -> Result<Option<Query>, Refusal> {
    if let Gives::Report(_) = route.operation.gives {
        return Ok(None);
    }
    let Gives::Page(list, _) = route.operation.gives else {
        let faults: Vec<Fault> = pairs
            .iter()
            .map(|(name, _)| {
                let shown = shown(name);
                Fault::new(
                    format!("?{shown}"),
                    "unknown_parameter",
                    format!("{shown} is not known here; this address takes no parameters."),
                )
            })
            .collect();
        return if faults.is_empty() {
            Ok(None)
        } else {
            Err(Refusal::Query(faults))
        };
    };
    Query::parse(
        list,
        pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    )
    .map(Some)
    .map_err(Refusal::Query)
}

/// The question to the route's report, understood; `None` where it gives none.
///
/// # Errors
/// All that can't be understood.
pub fn asked(
    route: &Route,
    pairs: &[(String, String)],
    now: Timestamp,
) -> Result<Option<Asked>, Refusal> {
    let Gives::Report(report) = route.operation.gives else {
        return Ok(None);
    };
    let pairs = pairs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    Asked::parse(report, pairs, now)
        .map(Some)
        .map_err(Refusal::Query)
}
