//! The stand-in's `api-d7`: a listing of advisories, the last changed first, and their nodes. It
//! misbehaves in every way that is asked of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::extract::{OriginalUri, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::super::advisory::{Advisory, project_nid};
use super::{Asked, Behaviour, Document, Shared, StandIn, lock, misbehave, readable, whole};

/// How many nodes a page has at most, whatever is asked for.
const LARGEST_PAGE: usize = 50;

/// How the listing is divided into pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Paging {
    /// As it should be.
    #[default]
    Proper,
    /// The first page again and again, each with a next one.
    Repeating,
    /// Always another page, with nodes that were never there.
    ForEver,
    /// Nothing at all.
    Empty,
}

/// What there is to be listed.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    advisories: BTreeMap<i64, Advisory>,
    /// Nodes as they are, whatever they hold.
    raw: Vec<Value>,
    paging: Paging,
    page_size: Option<usize>,
    listing: Behaviour,
    pages: HashMap<(bool, usize), Behaviour>,
    nodes: HashMap<i64, Behaviour>,
    without_names: bool,
    /// Nothing that changed later (Unix seconds) is listed.
    old_copy: Option<i64>,
}

impl StandIn {
    /// What to set as `drupal_org.advisories_url`.
    pub fn advisories_url(&self) -> String {
        format!("http://{}/api-d7/node.json", self.address)
    }

    /// Publishes an advisory, or replaces it.
    pub fn put_advisory(&self, advisory: Advisory) {
        let shelf = &mut lock(&self.shared.catalogue).shelf;
        shelf.advisories.insert(advisory.nid, advisory);
    }

    /// Changes an advisory; its time of change moves to now. False where there is none of that number.
    pub fn change_advisory(&self, nid: i64, change: impl FnOnce(&mut Advisory)) -> bool {
        let now = self.shared.clock.now().as_second();
        let shelf = &mut lock(&self.shared.catalogue).shelf;
        let Some(advisory) = shelf.advisories.get_mut(&nid) else {
            return false;
        };
        advisory.changed = now;
        change(advisory);
        true
    }

    /// Takes an advisory away, as if it had never been.
    pub fn remove_advisory(&self, nid: i64) {
        lock(&self.shared.catalogue).shelf.advisories.remove(&nid);
    }

    /// Lists a node as it is, whatever it holds. It is listed by its `listed_by`, else by its `changed`, and
    /// shown alone by its `nid`.
    pub fn put_node(&self, node: Value) {
        lock(&self.shared.catalogue).shelf.raw.push(node);
    }

    /// Takes away the nodes of this number that were put as they are.
    pub fn take_node(&self, nid: i64) {
        let nid = nid.to_string();
        let shelf = &mut lock(&self.shared.catalogue).shelf;
        let other = |node: &Value| node.get("nid").and_then(Value::as_str) != Some(nid.as_str());
        shelf.raw.retain(other);
    }

    /// From now on divides the listing like this.
    pub fn set_paging(&self, paging: Paging) {
        lock(&self.shared.catalogue).shelf.paging = paging;
    }

    /// From now on lists only what had changed by then (Unix seconds), as an old copy does; `None`: all.
    /// Single nodes are as ever.
    pub fn set_old_copy(&self, changed: Option<i64>) {
        lock(&self.shared.catalogue).shelf.old_copy = changed;
    }

    /// From now on puts so many nodes on a page.
    pub fn set_page_size(&self, size: usize) {
        lock(&self.shared.catalogue).shelf.page_size = Some(size);
    }

    /// From now on answers like this about the listing, every page of it.
    pub fn set_listing_behaviour(&self, behaviour: Behaviour) {
        lock(&self.shared.catalogue).shelf.listing = behaviour;
    }

    /// From now on answers like this about one page of the advisories.
    pub fn set_page_behaviour(&self, page: usize, behaviour: Behaviour) {
        let shelf = &mut lock(&self.shared.catalogue).shelf;
        shelf.pages.insert((false, page), behaviour);
    }

    /// From now on answers like this about one node.
    pub fn set_node_behaviour(&self, nid: i64, behaviour: Behaviour) {
        lock(&self.shared.catalogue)
            .shelf
            .nodes
            .insert(nid, behaviour);
    }

    /// From now on no advisory tells the name of its project, also alone: only the project's own node does.
    pub fn hide_names(&self) {
        lock(&self.shared.catalogue).shelf.without_names = true;
    }

    /// Every request for advisories since the start, or since they were last taken.
    pub fn take_advisory_requests(&self) -> Vec<Asked> {
        std::mem::take(&mut *lock(&self.shared.asked_advisories))
    }
}

pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    OriginalUri(uri): OriginalUri,
    Query(words): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let number = |name: &str| words.get(name).and_then(|word| word.parse::<usize>().ok());
    let psa = words.get("field_is_psa").is_some_and(|word| word == "1");
    let page = number("page").unwrap_or(0);
    let (document, behaviour) = {
        let catalogue = lock(&shared.catalogue);
        let shelf = &catalogue.shelf;
        let behaviour = shelf.pages.get(&(psa, page)).unwrap_or(&shelf.listing);
        let limit = number("limit").unwrap_or(LARGEST_PAGE);
        (shelf.page(psa, page, limit), behaviour.clone())
    };
    answer(
        &shared,
        uri.to_string(),
        &headers,
        Some(document),
        behaviour,
    )
    .await
}

pub(super) async fn single(
    State(shared): State<Arc<Shared>>,
    OriginalUri(uri): OriginalUri,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Response {
    let nid: i64 = file
        .strip_suffix(".json")
        .and_then(|number| number.parse().ok())
        .unwrap_or(0);
    let (node, behaviour) = {
        let shelf = &lock(&shared.catalogue).shelf;
        let behaviour = shelf.nodes.get(&nid).cloned().unwrap_or_default();
        (shelf.node(nid), behaviour)
    };
    answer(&shared, uri.to_string(), &headers, node, behaviour).await
}

async fn answer(
    shared: &Shared,
    path: String,
    headers: &HeaderMap,
    document: Option<Value>,
    behaviour: Behaviour,
) -> Response {
    let at = shared.clock.now();
    shared.keep_waiting(&behaviour).await;
    let document = document.map(|value| Document::new(value.to_string().into(), at));
    let mut response = match (&behaviour, document) {
        (Behaviour::Silent, _) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        (Behaviour::Normal | Behaviour::Held, Some(document)) => whole(&document, headers, true),
        (Behaviour::WithoutValidators, Some(document)) => whole(&document, headers, false),
        (Behaviour::Normal | Behaviour::Held | Behaviour::WithoutValidators, None) => {
            StatusCode::NOT_FOUND.into_response()
        }
        (other, document) => misbehave(other, "", document.as_ref()),
    };
    let json = HeaderValue::from_static("application/json");
    if response.status() == StatusCode::OK && !matches!(behaviour, Behaviour::WebPage) {
        response.headers_mut().insert(header::CONTENT_TYPE, json);
    }
    lock(&shared.asked_advisories).push(Asked {
        at,
        path,
        project: String::new(),
        headers: readable(headers),
        answered: response.status().as_u16(),
    });
    response
}

impl Shelf {
    /// All nodes of a kind, the last changed first.
    fn nodes(&self, psa: bool) -> Vec<Value> {
        let visible = self
            .advisories
            .values()
            .filter(|advisory| advisory.published && advisory.is_psa() == psa);
        let mut nodes: Vec<Value> = visible.map(Advisory::listed).collect();
        let flag = if psa { "1" } else { "0" };
        nodes.extend(
            self.raw
                .iter()
                .filter(|node| {
                    node.get("field_is_psa")
                        .and_then(Value::as_str)
                        .unwrap_or("0")
                        == flag
                })
                .cloned(),
        );
        // There is no drupal.org without an advisory: where none was put, an old one stands for all.
        if nodes.is_empty() && !psa {
            nodes.push(the_first().single());
        }
        nodes.retain(|node| self.old_copy.is_none_or(|until| changed(node) <= until));
        nodes.sort_by_key(|node| std::cmp::Reverse(changed(node)));
        nodes
    }

    fn page(&self, psa: bool, page: usize, limit: usize) -> Value {
        let size = self.page_size.unwrap_or(LARGEST_PAGE).min(limit).max(1);
        let nodes = self.nodes(psa);
        let last = nodes.len().saturating_sub(1) / size;
        let (listed, more): (Vec<Value>, bool) = match self.paging {
            Paging::Proper => (
                nodes.into_iter().skip(page * size).take(size).collect(),
                page < last,
            ),
            Paging::Repeating => (nodes.into_iter().take(size).collect(), true),
            Paging::Empty => (Vec::new(), false),
            Paging::ForEver => ((0..size).map(|n| invented(page * size + n)).collect(), true),
        };
        // drupal.org's links lack the `.json` without which they give another form.
        let link = |page: usize| {
            format!(
                "https://www.drupal.org/api-d7/node?type=sa&sort=changed&direction=DESC&page={page}"
            )
        };
        let mut document =
            json!({"self": link(page), "first": link(0), "last": link(last), "list": listed});
        if let Some(fields) = document.as_object_mut().filter(|_| more) {
            fields.insert("next".to_owned(), json!(link(page + 1)));
        }
        document
    }

    fn node(&self, nid: i64) -> Option<Value> {
        if let Some(advisory) = self.advisories.get(&nid) {
            return advisory.published.then(|| {
                if self.without_names {
                    advisory.listed()
                } else {
                    advisory.single()
                }
            });
        }
        let project = self
            .advisories
            .values()
            .find(|advisory| project_nid(&advisory.project) == nid);
        if let Some(advisory) = project {
            let name = &advisory.project;
            return Some(
                json!({"nid": nid.to_string(), "type": "project_module", "field_project_machine_name": name}),
            );
        }
        let is = |node: &&Value| {
            node.get("nid").and_then(Value::as_str) == Some(nid.to_string().as_str())
        };
        self.raw.iter().find(is).cloned()
    }
}

fn changed(node: &Value) -> i64 {
    let listed_by = node.get("listed_by").or_else(|| node.get("changed"));
    let changed = listed_by.and_then(Value::as_str);
    changed.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// An advisory of long ago, of a project that nobody runs.
fn the_first() -> Advisory {
    Advisory::new(
        1_000_000,
        "SA-CONTRIB-2010-001",
        "nobody_runs_this",
        1_262_304_000,
    )
}

/// One of endless nodes, each a second older than the one before.
fn invented(number: usize) -> Value {
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    let id = format!("SA-CONTRIB-2020-{:03}", number % 1000);
    Advisory::new(50_000_000 + number, &id, "drupal", 1_600_000_000 - number).listed()
}
