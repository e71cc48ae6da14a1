//! A stand-in for drupal.org on loopback, for the demo and for tests: it serves release histories,
//! publishes, writes down every request, and misbehaves in every way that is asked of it. Advisories
//! are in `listing`.

mod listing;

pub use listing::Paging;

use std::collections::{HashMap, VecDeque};
use std::io::Write as _;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{OriginalUri, Path, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::body::Frame;
use jiff::Timestamp;
use tokio::sync::{Semaphore, watch};

use super::history::{Project, Release};
use crate::clock::Clock;

/// How the stand-in answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Behaviour {
    /// As drupal.org should: gzip, validators, 304.
    #[default]
    Normal,
    /// Without `ETag` and `Last-Modified`.
    WithoutValidators,
    /// The right answer, once it is let go.
    Held,
    /// No answer until the stand-in stops.
    Silent,
    /// The first half, then the connection is cut.
    Partial,
    /// A well-formed answer that ends in the middle of the document.
    BrokenXml,
    /// A document that declares entities.
    Entities,
    /// A web page.
    WebPage,
    /// Another project's history.
    OtherProject,
    /// A complaint of drupal.org's, with status 200.
    Complaint,
    /// The word that there is no such project, though there is.
    Absent,
    /// Nothing, with status 200.
    Empty,
    /// So many bytes of blanks in the document.
    Huge(usize),
    /// A few bytes that unpack to so many.
    GzipBomb(usize),
    /// Said to be gzip, and isn't.
    BrokenGzip,
    /// 429, with this `Retry-After`.
    TooMany(Option<String>),
    /// Any other status, with this `Retry-After`.
    Status(u16, Option<String>),
    /// To this address.
    Redirect(String),
}

/// One request, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// By the injected clock.
    pub at: Timestamp,
    /// Path and query.
    pub path: String,
    /// The project's name in it.
    pub project: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The status that was answered.
    pub answered: u16,
}

impl Asked {
    /// The first header of this name, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The running stand-in. It stops when this is dropped.
#[derive(Debug)]
pub struct StandIn {
    shared: Arc<Shared>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
}

#[derive(Debug)]
struct Shared {
    clock: Arc<dyn Clock>,
    catalogue: Mutex<Catalogue>,
    asked: Mutex<Vec<Asked>>,
    asked_advisories: Mutex<Vec<Asked>>,
    /// How many requests wait for their answers, held or met with silence.
    held: watch::Sender<usize>,
    /// Answers that may leave.
    gate: Semaphore,
    stop: watch::Receiver<bool>,
}

#[derive(Debug, Default)]
struct Catalogue {
    projects: HashMap<String, Project>,
    documents: HashMap<String, Arc<Document>>,
    behaviours: HashMap<String, Behaviour>,
    for_all: Behaviour,
    shelf: listing::Shelf,
}

/// A document ready to be sent.
#[derive(Debug)]
struct Document {
    xml: Bytes,
    packed: Bytes,
    etag: String,
    last_modified: String,
}

impl StandIn {
    /// Starts on a free port of 127.0.0.1, without projects.
    ///
    /// # Errors
    /// Where no port can be had.
    pub async fn start(clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let shared = Arc::new(Shared {
            clock,
            catalogue: Mutex::default(),
            asked: Mutex::default(),
            asked_advisories: Mutex::default(),
            held: watch::Sender::new(0),
            gate: Semaphore::new(0),
            stop: stopped.clone(),
        });
        let router = Router::new()
            .route("/release-history/{project}/current", get(release_history))
            .route("/api-d7/node.json", get(listing::list))
            .route("/api-d7/node/{file}", get(listing::single))
            .with_state(Arc::clone(&shared));
        tokio::spawn(async move {
            let serving = axum::serve(listener, router).with_graceful_shutdown(until(stopped));
            if let Err(error) = serving.await {
                tracing::warn!(%error, "the stand-in for drupal.org stopped");
            }
        });
        Ok(Self {
            shared,
            address,
            stop,
        })
    }

    /// What to set as `drupal_org.release_history_url`.
    pub fn release_history_url(&self) -> String {
        format!("http://{}/release-history", self.address)
    }

    /// Adds a project, or replaces it.
    pub fn put(&self, project: Project) {
        let at = self.shared.clock.now();
        let mut catalogue = lock(&self.shared.catalogue);
        catalogue.write(&project, at);
        catalogue
            .projects
            .insert(project.short_name.clone(), project);
    }

    /// Adds a document as it is, whatever it holds.
    pub fn put_document(&self, project: &str, bytes: impl Into<Bytes>) {
        let document = Document::new(bytes.into(), self.shared.clock.now());
        let mut catalogue = lock(&self.shared.catalogue);
        catalogue
            .documents
            .insert(project.to_owned(), Arc::new(document));
    }

    /// Publishes a release. False where there is no such project.
    pub fn publish(&self, project: &str, release: Release) -> bool {
        self.change(project, |p| p.publish(release))
    }

    /// Marks a release as insecure. False where there is no such project or release.
    pub fn mark_insecure(&self, project: &str, version: &str) -> bool {
        let mut found = false;
        self.change(project, |p| found = p.mark_insecure(version)) && found
    }

    /// Changes anything about a project. False where there is no such project.
    pub fn change(&self, project: &str, change: impl FnOnce(&mut Project)) -> bool {
        let at = self.shared.clock.now();
        let mut catalogue = lock(&self.shared.catalogue);
        let Some(mut changed) = catalogue.projects.remove(project) else {
            return false;
        };
        change(&mut changed);
        catalogue.write(&changed, at);
        catalogue.projects.insert(project.to_owned(), changed);
        true
    }

    /// From now on answers about one project like this; `None`: like about all others.
    pub fn set_behaviour(&self, project: &str, behaviour: Option<Behaviour>) {
        let behaviours = &mut lock(&self.shared.catalogue).behaviours;
        match behaviour {
            Some(behaviour) => behaviours.insert(project.to_owned(), behaviour),
            None => behaviours.remove(project),
        };
    }

    /// From now on answers like this, where nothing else is set for a project.
    pub fn set_behaviour_for_all(&self, behaviour: Behaviour) {
        lock(&self.shared.catalogue).for_all = behaviour;
    }

    /// Every request since the start, or since they were last taken, in the order they were answered.
    pub fn take_requests(&self) -> Vec<Asked> {
        std::mem::take(&mut *lock(&self.shared.asked))
    }

    /// How many requests wait for their answers, held or met with silence.
    pub fn held(&self) -> usize {
        *self.shared.held.borrow()
    }

    /// Waits until at least so many do.
    pub async fn until_held(&self, requests: usize) {
        // The sender lives as long as this.
        let _ = self
            .shared
            .held
            .subscribe()
            .wait_for(|held| *held >= requests)
            .await;
    }

    /// Lets so many of those that are held have their answers, the first first.
    pub fn let_go(&self, requests: usize) {
        self.shared
            .held
            .send_modify(|held| *held = held.saturating_sub(requests));
        self.shared.gate.add_permits(requests);
    }
}

impl Shared {
    /// Keeps a request waiting, where it is to wait.
    async fn keep_waiting(&self, behaviour: &Behaviour) {
        if !matches!(behaviour, Behaviour::Held | Behaviour::Silent) {
            return;
        }
        self.held.send_modify(|held| *held += 1);
        let stopped = until(self.stop.clone());
        if *behaviour == Behaviour::Silent {
            return stopped.await;
        }
        tokio::select! {
            let_go = self.gate.acquire() => {
                if let Ok(permit) = let_go {
                    permit.forget();
                }
            }
            () = stopped => {}
        }
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
    }
}

impl Catalogue {
    fn write(&mut self, project: &Project, at: Timestamp) {
        let document = Document::new(project.to_xml().into(), at);
        self.documents
            .insert(project.short_name.clone(), Arc::new(document));
    }

    fn behaviour(&self, project: &str) -> Behaviour {
        let own = self.behaviours.get(project);
        own.unwrap_or(&self.for_all).clone()
    }
}

impl Document {
    fn new(xml: Bytes, changed_at: Timestamp) -> Self {
        let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
        Self {
            packed: packed(&xml),
            etag: format!("\"{:08x}-{}\"", crc32fast::hash(&xml), xml.len()),
            last_modified: printer
                .timestamp_to_rfc9110_string(&changed_at)
                .unwrap_or_default(),
            xml,
        }
    }

    fn is_known_to(&self, headers: &HeaderMap) -> bool {
        // The tag decides where both are sent.
        match (
            headers.get(header::IF_NONE_MATCH),
            headers.get(header::IF_MODIFIED_SINCE),
        ) {
            (Some(tag), _) => tag.as_bytes() == self.etag.as_bytes(),
            (None, Some(date)) => date.as_bytes() == self.last_modified.as_bytes(),
            (None, None) => false,
        }
    }
}

async fn release_history(
    State(shared): State<Arc<Shared>>,
    Path(project): Path<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    let at = shared.clock.now();
    let (document, behaviour) = {
        let catalogue = lock(&shared.catalogue);
        (
            catalogue.documents.get(&project).cloned(),
            catalogue.behaviour(&project),
        )
    };
    shared.keep_waiting(&behaviour).await;
    let response = match (&behaviour, document) {
        (Behaviour::Silent, _) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        (Behaviour::Normal | Behaviour::Held, Some(document)) => whole(&document, &headers, true),
        (Behaviour::WithoutValidators, Some(document)) => whole(&document, &headers, false),
        (Behaviour::Normal | Behaviour::Held | Behaviour::WithoutValidators, None) => {
            no_such_project(&project)
        }
        (other, document) => misbehave(other, &project, document.as_deref()),
    };
    lock(&shared.asked).push(Asked {
        at,
        path: uri.to_string(),
        project,
        headers: readable(&headers),
        answered: response.status().as_u16(),
    });
    response
}

/// The document as drupal.org sends it.
fn whole(document: &Document, asked: &HeaderMap, with_validators: bool) -> Response {
    if with_validators && document.is_known_to(asked) {
        return (
            StatusCode::NOT_MODIFIED,
            [(header::ETAG, document.etag.clone())],
        )
            .into_response();
    }
    let takes_gzip = asked
        .get(header::ACCEPT_ENCODING)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.contains("gzip"));
    let mut response = if takes_gzip {
        gzip(document.packed.clone())
    } else {
        xml(document.xml.clone())
    };
    if with_validators {
        for (name, value) in [
            (header::ETAG, &document.etag),
            (header::LAST_MODIFIED, &document.last_modified),
        ] {
            if let Ok(value) = value.parse() {
                response.headers_mut().insert(name, value);
            }
        }
    }
    response
}

fn misbehave(behaviour: &Behaviour, project: &str, document: Option<&Document>) -> Response {
    let text = document.map(|d| d.xml.clone()).unwrap_or_default();
    let half = text.slice(..text.len() / 2);
    match behaviour {
        Behaviour::Partial => {
            let steps = VecDeque::from([Step::Send(half), Step::Cut]);
            let length = [(header::CONTENT_LENGTH, text.len())];
            (
                length.map(|(name, n)| (name, n.to_string())),
                Body::new(Script(steps)),
            )
                .into_response()
        }
        Behaviour::BrokenXml => xml(half),
        Behaviour::Entities => xml(declaring_entities(&text)),
        Behaviour::WebPage => (
            [(header::CONTENT_TYPE, "text/html; charset=utf-8")],
            "<!DOCTYPE html>\n<html><head><title>Just a moment</title></head><body></body></html>",
        )
            .into_response(),
        Behaviour::OtherProject => {
            let other = Project::new(
                "something_else",
                "Something else",
                "project_module",
                &["1.0."],
            );
            xml(other
                .with(Release::new("1.0.0", 1_600_000_000))
                .to_xml()
                .into())
        }
        Behaviour::Complaint => xml(error("You must specify a project name")),
        Behaviour::Absent => no_such_project(project),
        Behaviour::Empty => xml(Bytes::new()),
        Behaviour::Huge(bytes) => huge(*bytes),
        Behaviour::GzipBomb(bytes) => gzip(packed(&vec![b' '; *bytes])),
        Behaviour::BrokenGzip => gzip(text),
        Behaviour::TooMany(wait) => refused(429, wait.as_deref()),
        Behaviour::Status(code, wait) => refused(*code, wait.as_deref()),
        Behaviour::Redirect(to) => {
            (StatusCode::FOUND, [(header::LOCATION, to.clone())]).into_response()
        }
        // The rest are ways of answering properly.
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn refused(code: u16, retry_after: Option<&str>) -> Response {
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, "<html><body>not now</body></html>").into_response();
    if let Some(value) = retry_after.and_then(|wait| wait.parse().ok()) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

fn declaring_entities(text: &[u8]) -> Bytes {
    let document = String::from_utf8_lossy(text).into_owned();
    let declared = "?>\n<!DOCTYPE project [<!ENTITY boom \"boom\">]>";
    document.replacen("?>", declared, 1).into()
}

/// A document whose length nobody announces.
fn huge(bytes: usize) -> Response {
    let blanks = Bytes::from(vec![b' '; 64 * 1024]);
    let mut steps = VecDeque::from([Step::Send(Bytes::from_static(b"<project>"))]);
    steps.extend(std::iter::repeat_n(
        Step::Send(blanks),
        bytes.div_ceil(64 * 1024),
    ));
    steps.push_back(Step::Send(Bytes::from_static(b"</project>")));
    (text_xml(), Body::new(Script(steps))).into_response()
}

fn no_such_project(project: &str) -> Response {
    xml(error(&format!(
        "No release history was found for the requested project ({project})."
    )))
}

fn error(text: &str) -> Bytes {
    format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<error>{text}</error>\n").into()
}

fn xml(bytes: Bytes) -> Response {
    (text_xml(), bytes).into_response()
}

fn gzip(bytes: Bytes) -> Response {
    (text_xml(), [(header::CONTENT_ENCODING, "gzip")], bytes).into_response()
}

fn text_xml() -> [(HeaderName, &'static str); 1] {
    [(header::CONTENT_TYPE, "text/xml; charset=utf-8")]
}

fn packed(bytes: &[u8]) -> Bytes {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    // Writing to memory doesn't fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default().into()
}

fn readable(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect()
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // A sender that is gone has stopped too.
    let _ = stopped.wait_for(|stop| *stop).await;
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A body that follows a script.
#[derive(Debug)]
struct Script(VecDeque<Step>);

#[derive(Debug, Clone)]
enum Step {
    Send(Bytes),
    Cut,
}

impl HttpBody for Script {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(self.0.pop_front().map(|step| match step {
            Step::Send(bytes) => Ok(Frame::data(bytes)),
            Step::Cut => Err(std::io::ErrorKind::ConnectionReset.into()),
        }))
    }
}
