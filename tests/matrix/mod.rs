//! Every line of the tables of routes and pages, asked by everybody who can come to the door.
//!
//! The outcome is a table that a person can read (`snapshots/`). A new line shows up there by
//! itself; where its path or body needs something, the test says what to add in `things.rs`. After a change
//! that is meant: run the test, and take the new table.

mod keys;
mod outcome;
mod sight;
mod single;
pub mod things;
pub mod town;

use axum::http::Method;
use dewline::http::route::Needs;
use dewline::http::{pages, routes};

use crate::support::{Answer, Client, TestApp};
use outcome::{Line, Outcome, table};
use town::{Caller, Town};

/// An id that nothing has.
const NOTHING: &str = "987654";

/// One line of either table.
struct Asked {
    method: Method,
    path: &'static str,
    /// From the root, with real ids.
    filled: String,
    /// The same with an id that nothing has in the place of the first.
    absent: Option<String>,
    body: Option<(&'static str, Vec<u8>)>,
    needs: Needs,
}

impl Asked {
    fn new(town: &Town, method: &Method, path: &'static str, root: &str, needs: Needs) -> Self {
        let filled = things::path(town, &town.own, &format!("{method} {path}"));
        let absent = path.contains("{id}").then(|| {
            let mut parts: Vec<&str> = filled.split('/').collect();
            let at = path.split('/').position(|part| part == "{id}").unwrap();
            parts[at] = NOTHING;
            format!("{root}{}", parts.join("/"))
        });
        Self {
            method: method.clone(),
            path,
            filled: format!("{root}{filled}"),
            absent,
            body: None,
            needs,
        }
    }

    async fn by(&self, caller: &Client<'_>, path: &str) -> Answer {
        let caller = caller.clone().with("x-request-id", "the-same");
        let (media, bytes) = match &self.body {
            Some((media, bytes)) => (*media, Some(bytes.clone())),
            None => ("", None),
        };
        let caller = match media {
            "" => caller,
            media => caller.with("content-type", media),
        };
        caller
            .send(self.method.clone(), &format!("/{path}"), bytes)
            .await
    }

    /// What everybody gets. `house` is one in which nothing was changed yet, and so it is left.
    async fn by_all(&self, town: &Town, callers: &[Caller], house: &mut TestApp) -> Line {
        let mut outcomes = Vec::new();
        for (at, caller) in callers.iter().enumerate() {
            // From an address of his own: one who fails to sign in makes no other wait.
            let address = format!("203.0.113.{}", at + 1);
            let client = caller.at(house).from(&address);
            let before = house.app.store.commits();
            let answer = self.by(&client, &self.filled).await;
            let outcome = Outcome::of(&answer);
            let changed = house.app.store.commits() != before;
            if outcome.code == 404 {
                self.tells_nothing(&client, &caller.name, &answer).await;
            }
            if changed && outcome.code < 400 {
                *house = town.house.copied();
            }
            outcomes.push((caller.clone(), outcome));
        }
        Line {
            what: format!("{:6} {}", self.method.as_str(), self.path),
            needs: self.needs,
            outcomes,
        }
    }

    /// What isn't his looks to him as what isn't there.
    async fn tells_nothing(&self, caller: &Client<'_>, name: &str, answer: &Answer) {
        let Some(absent) = &self.absent else { return };
        let nothing = self.by(caller, absent).await;
        let said = |answer: &Answer, path: &str| answer.text.replace(path, "PATH");
        assert_eq!(
            said(answer, &self.filled),
            said(&nothing, absent),
            "{} {}: {name} can tell what isn't his from what isn't there",
            self.method,
            self.path,
        );
    }
}

fn api(town: &Town) -> Vec<Asked> {
    let line = |route: &dewline::http::route::Route| {
        let root = route.full_path();
        let root = root.strip_suffix(route.path).unwrap();
        let body = things::body(&town.own, route);
        Asked {
            body: body.map(|body| ("application/json", body.to_string().into_bytes())),
            ..Asked::new(town, &route.method, route.path, root, route.needs)
        }
    };
    routes().iter().map(line).collect()
}

fn forms(town: &Town) -> Vec<Asked> {
    let line = |page: &dewline::http::web::visit::Page| {
        let body = (page.method == Method::POST).then(|| {
            let fields = things::form(&town.own, page);
            let mut text = url::form_urlencoded::Serializer::new(String::new());
            let text = text.extend_pairs(fields).finish();
            ("application/x-www-form-urlencoded", text.into_bytes())
        });
        Asked {
            body,
            ..Asked::new(town, page.method, page.path, "", page.needs)
        }
    };
    pages().iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_opens_to_whoever_may_and_to_nobody_else() {
    let town = Town::stands().await;
    let mut house = town.house.copied();
    let mut lines = Vec::new();
    for asked in api(&town) {
        lines.push(asked.by_all(&town, &town.callers, &mut house).await);
    }
    for line in &lines {
        line.keeps_the_rules_of_the_api();
    }
    insta::assert_snapshot!("routes", table("API", &lines));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_opens_to_whoever_may_and_to_nobody_else() {
    let town = Town::stands().await;
    let mut house = town.house.copied();
    let mut lines = Vec::new();
    for asked in forms(&town) {
        lines.push(asked.by_all(&town, &town.visitors, &mut house).await);
    }
    for line in &lines {
        line.keeps_the_rules_of_the_pages();
    }
    insta::assert_snapshot!("pages", table("PAGES", &lines));
}
