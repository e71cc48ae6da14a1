//! The organizations with something open: how much, and how much of it is past due.

use super::Result;
use crate::app::App;
use crate::domain::access::{Actor, Permission};
use crate::store::standing;

/// An organization with something open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// (site, module) pairs with an open window.
    pub open: i64,
    /// Of those: past due.
    pub overdue: i64,
}

/// The organizations in sight with something open: those with the most past due first.
///
/// # Errors
/// Where the caller may not; what the store says.
pub async fn urgent(app: &App, actor: &Actor) -> Result<Vec<Client>> {
    let sight = actor.require(Permission::SitesRead)?;
    let now = app.clock.now().as_millisecond();
    app.store.read(|db| {
        let found = standing::by_organization(db, &sight, now)?.into_iter();
        let mut clients: Vec<Client> = found
            .map(|(id, name, open, overdue)| Client {
                id,
                name,
                open,
                overdue,
            })
            .collect();
        clients.sort_by_key(|client| std::cmp::Reverse((client.overdue, client.open)));
        Ok(clients)
    })
}
