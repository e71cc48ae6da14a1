//! What a route is: the words of the table from which the router, the OpenAPI document and the
//! tests are built. Knows no route.

use std::future::Future;
use std::pin::Pin;

use axum::http::Method;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::call::{Answer, Call};
use crate::app::App;
use crate::domain::access::{Permission, Sight};
use crate::domain::listing::List;
use crate::domain::report::Report;
use crate::services::Result;

/// One line of the table.
#[derive(Debug, Clone)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path below `/api/v1`, or from the root where `rooted`.
    pub path: &'static str,
    /// Who may call.
    pub needs: Needs,
    /// What the path names, which the caller must be able to see.
    pub scope: Scope,
    /// Out of which budget it is paid.
    pub tier: Tier,
    /// The codes of the conflicts that it can end in (409).
    pub conflicts: &'static [&'static str],
    /// Its answers are kept, for whoever asks the same again before anything has changed.
    pub kept: bool,
    /// What it does.
    pub operation: Operation,
}

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Anybody.
    Public,
    /// A person, for what belongs to himself: keys are refused.
    Person,
    /// Whoever holds the permission.
    May(Permission),
    /// The platform administrator, who holds the permission for all.
    Platform(Permission),
}

/// Asks whether the thing of that id is in sight.
pub type Seen = fn(&App, &Sight, i64) -> Result<()>;

/// Finds the number of the thing of that name, where it is in sight.
pub type Named = fn(&App, &Sight, &str) -> Result<i64>;

/// What a path names by its first id.
#[derive(Debug, Clone, Copy)]
pub enum Scope {
    /// Nothing: a collection, or the caller himself.
    Nothing,
    /// One thing, which must be in sight; whoever holds the permission where it is can see it.
    Of(&'static str, Permission, Seen),
    /// One thing by its name, which must be in sight.
    Called(&'static str, Permission, Named),
}

/// Out of which budget a call is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// The caller's own: a person's, a key's, or an unknown address's.
    Caller,
    /// Sign-in, per address.
    Auth,
    /// The syncs of the site that the path names, whatever key is used.
    Sync,
    /// None: whoever watches over us asks as often as he likes.
    Free,
}

/// What a route does, as its file in `api/` declares it.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// Its unique name, such as `list_sites`.
    pub name: &'static str,
    /// One sentence for the document.
    pub summary: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// What it gives.
    pub gives: Gives,
    /// The handler.
    pub handler: Handler,
}

/// Writes the schema of a wire type, and of those within it, into the document.
pub type SchemaOf = fn(&mut Vec<(String, RefOr<Schema>)>) -> RefOr<Schema>;

/// What an operation takes in its body.
#[derive(Debug, Clone, Copy)]
pub enum Takes {
    /// No body; one that is sent is not read.
    Nothing,
    /// A JSON object of at most 1 MiB.
    Json(SchemaOf),
    /// The same, or no body at all.
    MaybeJson(SchemaOf),
    /// JSON that the service reads itself, of at most so many bytes once unpacked; gzip is taken.
    Large(SchemaOf, usize),
}

/// What an operation gives.
#[derive(Debug, Clone, Copy)]
pub enum Gives {
    /// 200 and one thing.
    One(SchemaOf),
    /// 200 and a page of a list.
    Page(&'static List, SchemaOf),
    /// 200 and the rows of a report, in JSON or CSV.
    Report(&'static Report),
    /// 201, its `Location`, and the thing.
    Created(SchemaOf),
    /// 202 and the job that will do it.
    Accepted(SchemaOf),
    /// 204.
    Nothing,
    /// 200 and a bare document of that media type.
    Bare(&'static str),
}

/// The future of a handler.
pub type Answering = Pin<Box<dyn Future<Output = Result<Answer>> + Send>>;
/// A handler: `|call| Box::pin(list(call))`.
pub type Handler = fn(Call) -> Answering;

/// The schema of a wire type.
pub fn schema_of<T: ToSchema>(into: &mut Vec<(String, RefOr<Schema>)>) -> RefOr<Schema> {
    let name = T::name().into_owned();
    if into.iter().all(|(known, _)| *known != name) {
        into.push((name.clone(), <T as PartialSchema>::schema()));
        T::schemas(into);
    }
    RefOr::Ref(utoipa::openapi::Ref::from_schema_name(name))
}

impl Route {
    fn new(
        method: Method,
        path: &'static str,
        needs: Needs,
        scope: Scope,
        operation: Operation,
    ) -> Self {
        Self {
            method,
            path,
            needs,
            scope,
            tier: Tier::Caller,
            conflicts: &[],
            kept: false,
            operation,
        }
    }

    /// The same, paid out of another budget.
    pub fn tier(self, tier: Tier) -> Self {
        Self { tier, ..self }
    }

    /// The same, which can clash with what is there.
    pub fn conflicts(self, conflicts: &'static [&'static str]) -> Self {
        Self { conflicts, ..self }
    }

    /// The same, its answers kept until something changes: of reads whose answer depends on what is
    /// asked, what the caller can see, the store and the time, and on nothing else.
    pub fn kept(self) -> Self {
        Self { kept: true, ..self }
    }

    /// The path from the root.
    pub fn full_path(&self) -> String {
        match self.path {
            "/openapi.json" | "/postman.json" => format!("/api{}", self.path),
            "/healthz" | "/readyz" => self.path.to_owned(),
            path => format!("/api/v1{path}"),
        }
    }
}

/// A route that reads.
pub fn get(path: &'static str, needs: Needs, scope: Scope, operation: Operation) -> Route {
    Route::new(Method::GET, path, needs, scope, operation)
}

/// A route that makes something or starts something.
pub fn post(path: &'static str, needs: Needs, scope: Scope, operation: Operation) -> Route {
    Route::new(Method::POST, path, needs, scope, operation)
}

/// A route that changes something.
pub fn put(path: &'static str, needs: Needs, scope: Scope, operation: Operation) -> Route {
    Route::new(Method::PUT, path, needs, scope, operation)
}

/// A route that deletes something.
pub fn delete(path: &'static str, needs: Needs, scope: Scope, operation: Operation) -> Route {
    Route::new(Method::DELETE, path, needs, scope, operation)
}
