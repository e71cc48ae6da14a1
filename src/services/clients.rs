//! The organizations with something open: how much, and on how many sites past due.

use std::collections::BTreeMap;

use super::Result;
use crate::app::App;
use crate::domain::access::{Actor, Permission};
use crate::store::{overview as store, reports};

/// An organization with something open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// (site, module) pairs with an open window.
    pub open: i64,
    /// Sites with something past due.
    pub overdue: i64,
}

/// The organizations in sight with something open: those with the most sites past due first.
///
/// # Errors
/// Where the caller may not; what the store says.
pub async fn urgent(app: &App, actor: &Actor) -> Result<Vec<Client>> {
    let sight = actor.require(Permission::SitesRead)?;
    let now = app.clock.now().as_millisecond();
    app.store.read(|db| {
        let mut counted: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        for tally in store::tallies(db, &sight)?.iter().filter(|t| t.open > 0) {
            counted.entry(tally.organization_id).or_default().0 += tally.open;
        }
        for tally in store::overdue(db, &sight, now)? {
            if let Some(counted) = counted.get_mut(&tally.organization_id) {
                counted.1 += tally.sites;
            }
        }
        let ids: Vec<i64> = counted.keys().copied().collect();
        let named = reports::organizations(db, &ids)?.into_iter();
        let mut clients: Vec<Client> = named
            .map(|(id, name)| {
                let (open, overdue) = counted.get(&id).copied().unwrap_or_default();
                Client {
                    id,
                    name,
                    open,
                    overdue,
                }
            })
            .collect();
        clients.sort_by_key(|client| std::cmp::Reverse((client.overdue, client.open)));
        Ok(clients)
    })
}
