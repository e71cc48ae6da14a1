//! Sites by their names, for pages: those to choose from where they are few, the one that somebody typed,
//! and which of those that a page names were deleted.

use std::collections::HashSet;

use super::Result;
use crate::app::App;
use crate::domain::access::{Actor, Permission, Sight};
use crate::domain::site::Named;
use crate::store::named_sites as store;

/// Sites that can be chosen from a list; where there are more, one is typed.
pub const MOST: usize = 200;

/// The sites to choose from, in the order of their names.
#[derive(Debug, Clone, Default)]
pub struct Few {
    /// The sites; none where there are too many.
    pub sites: Vec<Named>,
    /// Tags of some sites, to be proposed.
    pub tags: Vec<String>,
    /// There are too many to choose from a list.
    pub many: bool,
}

/// What the caller sees with this permission, of one organization where one is asked for.
fn sight(actor: &Actor, permission: Permission, organization: Option<i64>) -> Result<Sight> {
    let sight = actor.require(permission)?;
    Ok(match organization {
        Some(one) if sight.sees_organization(one) => Sight::organization(one),
        Some(_) => Sight::nothing(),
        None => sight,
    })
}

/// Those in sight.
///
/// # Errors
/// [`super::Error::Forbidden`].
pub async fn few(
    app: &App,
    actor: &Actor,
    permission: Permission,
    organization: Option<i64>,
) -> Result<Few> {
    let sight = sight(actor, permission, organization)?;
    let most = u32::try_from(MOST + 1).unwrap_or(u32::MAX);
    let mut sites = app.store.read(|db| store::first(db, &sight, most))?;
    let mut tags: Vec<String> = sites.iter().flat_map(|site| site.tags.clone()).collect();
    tags.sort_by_cached_key(|tag| tag.to_lowercase());
    tags.dedup_by_key(|tag| tag.to_lowercase());
    tags.truncate(MOST);
    let many = sites.len() > MOST;
    if many {
        sites.clear();
    }
    sites.sort_by_cached_key(|site| (site.name.to_lowercase(), site.environment.clone()));
    Ok(Few { sites, tags, many })
}

/// Those in sight with this very name: two at most.
///
/// # Errors
/// [`super::Error::Forbidden`].
pub async fn called(
    app: &App,
    actor: &Actor,
    permission: Permission,
    (organization, name): (Option<i64>, &str),
    environments: &[&str],
) -> Result<Vec<Named>> {
    let sight = sight(actor, permission, organization)?;
    let sites = app
        .store
        .read(|db| store::called(db, &sight, name, environments, 2))?;
    Ok(sites)
}

/// One in sight, deleted or not.
///
/// # Errors
/// [`super::Error::Forbidden`].
pub async fn one(
    app: &App,
    actor: &Actor,
    permission: Permission,
    id: i64,
) -> Result<Option<Named>> {
    let sight = actor.require(permission)?;
    Ok(app.store.read(|db| store::one(db, &sight, id))?)
}

/// Which of these sites in sight were deleted.
///
/// # Errors
/// [`super::Error::Forbidden`].
pub async fn deleted(
    app: &App,
    actor: &Actor,
    permission: Permission,
    ids: &[i64],
) -> Result<HashSet<i64>> {
    let sight = actor.require(permission)?;
    let found = app.store.read(|db| store::deleted(db, &sight, ids))?;
    Ok(found.into_iter().collect())
}

/// Which of these organizations in sight were deleted.
///
/// # Errors
/// [`super::Error::Forbidden`].
pub async fn deleted_organizations(
    app: &App,
    actor: &Actor,
    permission: Permission,
    ids: &[i64],
) -> Result<HashSet<i64>> {
    let sight = actor.require(permission)?;
    let found = app
        .store
        .read(|db| store::deleted_organizations(db, &sight, ids))?;
    Ok(found.into_iter().collect())
}
