//! The record: who did what, when, from where. Services build an entry here and append it inside
//! the write that does the thing (`store::audit::append`), so that neither exists without the other.

use std::net::IpAddr;

use serde_json::json;

use super::Result;
use super::lists::ask;
use crate::app::App;
use crate::domain::access::{Actor, Permission};
use crate::domain::audit::Recorded;
use crate::domain::listing::{Page, Query};
use crate::store::audit::{self as record, Entry};

/// Where a call came from: what the edge knows and services only record.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The caller's address.
    pub address: Option<IpAddr>,
    /// The request's id.
    pub request_id: String,
}

tokio::task_local! {
    static ORIGIN: Origin;
}

/// Runs a call on behalf of `origin`: entries that are built within it carry its address and
/// request id. The edge wraps every request in this.
pub async fn on_behalf_of<F: Future>(origin: Origin, call: F) -> F::Output {
    ORIGIN.scope(origin, call).await
}

/// One page of the record that is in sight, the newest first: an organization's key reads its
/// organization's rows.
///
/// # Errors
/// Where the caller may not, or the store can't.
pub async fn list(app: &App, actor: &Actor, query: &Query) -> Result<Page<Recorded>> {
    let sight = actor.require(Permission::AuditRead)?;
    app.store
        .read(|db| Ok(record::list(db, &ask(app, &sight, query, &[]))?))
}

/// All rows that `query` finds in sight, in its order and as they stand at one moment, given to `take`
/// one after the other. `true`: there are more than `most`, and only the first of them were given.
///
/// # Errors
/// As [`list`].
pub async fn whole(
    app: &App,
    actor: &Actor,
    query: Query,
    most: u32,
    take: impl FnMut(Recorded),
) -> Result<bool> {
    let sight = actor.require(Permission::AuditRead)?;
    let query = Query {
        page: 1,
        per_page: most,
        ..query
    };
    app.store
        .read(|db| Ok(record::each(db, &ask(app, &sight, &query, &[]), take)?))
}

/// An entry for what `actor` is about to do: `action` is one of `domain::audit::ACTIONS`. What a key
/// does belongs to its organization's record, unless something else is said.
pub fn entry(app: &App, actor: &Actor, action: &str) -> Entry {
    let (kind, id, name) = actor.identity();
    Entry {
        organization_id: actor.organization(),
        ..entry_of(app, (kind, id, name), action)
    }
}

/// An entry for somebody who isn't known: a sign-in that failed.
pub fn entry_of_stranger(app: &App, action: &str) -> Entry {
    entry_of(app, ("stranger", None, ""), action)
}

/// An entry for a person who has just become known: a sign-in.
pub fn entry_of_person(app: &App, id: i64, name: &str, action: &str) -> Entry {
    entry_of(app, ("user", Some(id), name), action)
}

fn entry_of(app: &App, (kind, id, name): (&str, Option<i64>, &str), action: &str) -> Entry {
    let origin = ORIGIN.try_with(Clone::clone).unwrap_or_default();
    let subject_kind = action.split('.').next().unwrap_or_default();
    Entry {
        created_at: app.clock.now().as_millisecond(),
        actor_kind: kind.to_owned(),
        actor_id: id,
        actor_name: name.to_owned(),
        action: action.to_owned(),
        subject_kind: subject_kind.to_owned(),
        subject_id: None,
        organization_id: None,
        site_id: None,
        status: "done".to_owned(),
        data: json!({}),
        address: origin.address.map_or_else(String::new, shown),
        request_id: origin.request_id,
    }
}

/// An address as it is kept and shown.
pub fn shown(address: IpAddr) -> String {
    address.to_canonical().to_string()
}
