//! Reading drupal.org's listing of advisories: what changed last every few minutes, all of it once a day,
//! and single nodes where the listing doesn't say enough. One page or node a step, and every step's end is
//! written down, so that whoever comes after a restart goes on where it stood. What an advisory means is
//! `advisories`' concern.

mod course;
mod nodes;
mod pages;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Error, Result};
use crate::app::App;
use crate::domain::access::{Actor, Permission};
use crate::domain::advisory::listing::Page;
use crate::outbound::drupal_org::Validators;
use crate::outbound::drupal_org::advisories::{AdvisoryFeed, Told};
use crate::store::advisory_feed::{self as store, Listing, Wanted};
use crate::store::{Connection, Lane, StoreError};

/// What is to be done next.
enum Task {
    Look(Listing),
    Node(Wanted),
    Sweep(Listing),
}

/// Asks for a page of a listing or for a node, whatever is due first. False: nothing is, or nobody may be
/// asked now.
///
/// # Errors
/// What the store says.
pub async fn step(app: &Arc<App>) -> Result<bool> {
    let Some(feed) = app.advisory_feed.clone() else {
        return Ok(false);
    };
    let _turn = app.asking_advisories.lock().await;
    if feed.paused_until().is_some() {
        return Ok(false);
    }
    let now = app.clock.now();
    match app.store.read(|db| next(db, now))? {
        None => return Ok(false),
        Some(Task::Look(listing)) => look(app, &*feed, listing).await?,
        Some(Task::Node(wanted)) => nodes::ask(app, &*feed, &wanted).await?,
        Some(Task::Sweep(mut listing)) => {
            // Known also where the first question never ends.
            if listing.followed_since.is_none() {
                listing.followed_since = Some(now);
                save(app, listing.clone()).await?;
            }
            sweep(app, &*feed, listing).await?;
        }
    }
    Ok(true)
}

/// Has the listings looked at now, and the first reading go on. [`step`] does the asking.
///
/// # Errors
/// Where the caller may not; [`Error::Unavailable`] where nobody may be asked now; what the store says.
pub async fn begin(app: &App, actor: &Actor) -> Result<()> {
    actor.require_platform(Permission::ModulesWrite)?;
    let feed = app.advisory_feed.as_ref().ok_or_else(Error::not_asking)?;
    let now = app.clock.now();
    if let Some(until) = feed.paused_until() {
        return Err(Error::asked_to_wait(now, until));
    }
    let _turn = app.asking_advisories.lock().await;
    app.store
        .write(Lane::Back, move |db| {
            for mut listing in store::listings(db)? {
                listing.hurry(now);
                store::save(db, &listing)?;
            }
            Ok(())
        })
        .await
}

/// New advisories before everything; then what is known by a number only, so that what was read is
/// complete before more is.
fn next(db: &Connection, now: Timestamp) -> std::result::Result<Option<Task>, StoreError> {
    let listings = store::listings(db)?;
    if let Some(listing) = listings
        .iter()
        .find(|listing| listing.is_to_be_looked_at(now))
    {
        return Ok(Some(Task::Look(listing.clone())));
    }
    if let Some(wanted) = store::due_node(db, now)? {
        return Ok(Some(Task::Node(wanted)));
    }
    let sweep = listings
        .into_iter()
        .find(|listing| listing.next_sweep_at <= now);
    Ok(sweep.map(Task::Sweep))
}

async fn look(app: &App, feed: &dyn AdvisoryFeed, mut listing: Listing) -> Result<()> {
    let known = match listing.look_page {
        0 => Validators {
            etag: listing.etag.clone(),
            last_modified: listing.last_modified.clone(),
        },
        _ => Validators::default(),
    };
    let told = pages::ask(feed, listing.psa, listing.look_page, known).await;
    let now = app.clock.now();
    match told {
        Told::NotModified => listing.end_look(now),
        Told::Page(page, validators) => match doubt(app, &listing, listing.look_page, &page).await?
        {
            Some(why) => listing.look_failed(why, None, now),
            None => {
                let whole = nodes::take(app, listing.psa, &page.entries, false).await?;
                if listing.look_page == 0 {
                    listing.remember(if whole {
                        validators
                    } else {
                        Validators::default()
                    });
                }
                listing.looked_at(&page, now);
            }
        },
        Told::Failed {
            reason,
            retry_after,
        } => listing.look_failed(&reason, retry_after, now),
        Told::Unreadable(reason) | Told::TooLarge(reason) => {
            listing.look_failed(&reason, None, now);
        }
        Told::Gone | Told::Node { .. } => listing.look_failed("not a page", None, now),
    }
    save(app, listing).await
}

async fn sweep(app: &App, feed: &dyn AdvisoryFeed, mut listing: Listing) -> Result<()> {
    let known = Validators::default();
    let told = pages::ask(feed, listing.psa, listing.sweep_page, known).await;
    let now = app.clock.now();
    match told {
        Told::Page(page, validators) => {
            if let Some(why) = doubt(app, &listing, listing.sweep_page, &page).await? {
                listing.sweep_failed(why, None, now);
                return save(app, listing).await;
            }
            let whole = nodes::take(app, listing.psa, &page.entries, true).await?;
            if listing.mark.is_none() && whole {
                listing.remember(validators);
            }
            app.store
                .write(Lane::Back, move |db| {
                    listing.swept(db, &page, now)?;
                    store::save(db, &listing)
                })
                .await?;
            return Ok(());
        }
        Told::Failed {
            reason,
            retry_after,
        } => listing.sweep_failed(&reason, retry_after, now),
        Told::Unreadable(reason) | Told::TooLarge(reason) => {
            listing.sweep_unreadable(&reason, now);
        }
        Told::NotModified | Told::Gone | Told::Node { .. } => {
            listing.sweep_failed("not a page", None, now);
        }
    }
    save(app, listing).await
}

/// Why the first page of the advisories can't be what drupal.org lists now, if it can't. Where it lacks
/// what was the newest, that is asked for alone: it may have been taken back.
async fn doubt(
    app: &App,
    listing: &Listing,
    number: u32,
    page: &Page,
) -> Result<Option<&'static str>> {
    if listing.psa || number > 0 {
        return Ok(None);
    }
    if page.entries.iter().all(|entry| entry.node.is_err()) {
        return Ok(Some("a listing without advisories"));
    }
    let now = app.clock.now();
    let Some(newest) = listing.lacks_newest(page, now) else {
        return Ok(None);
    };
    let found = app
        .store
        .read(|db| store::node_changed_at(db, false, newest))?
        .filter(|nid| page.entries.iter().all(|entry| entry.nid != Some(*nid)));
    let Some(nid) = found else {
        return Ok(None);
    };
    app.store
        .write(Lane::Back, move |db| store::miss(db, nid, false, now))
        .await?;
    Ok(Some("older than what was read before"))
}

async fn save(app: &App, listing: Listing) -> Result<()> {
    app.store
        .write(Lane::Back, move |db| store::save(db, &listing))
        .await
        .map_err(Error::from)
}

/// How fresh what is known of advisories is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// When drupal.org last told all that had changed; `None`: never yet.
    pub read_at: Option<Timestamp>,
    /// That is so long ago, or the first reading is so long unfinished, that nothing may be called fine.
    pub too_old: bool,
    /// Some could not be read.
    pub incomplete: bool,
}

/// Some pages or nodes of the advisories were not read: what is held may lack them.
///
/// # Errors
/// What the store says.
pub fn incomplete(db: &Connection) -> Result<bool> {
    let listings = store::listings(db)?;
    let gaps = listings
        .iter()
        .any(|listing| !listing.psa && (listing.has_gaps() || listing.is_unfinished()));
    Ok(gaps || store::any_trouble(db)?)
}

/// How fresh what is known of advisories is. `None`: they aren't followed, so nobody can tell.
///
/// # Errors
/// What the store says.
pub fn freshness(app: &App) -> Result<Option<Freshness>> {
    if app.advisory_feed.is_none() {
        return Ok(None);
    }
    let now = app.clock.now();
    let longest =
        SignedDuration::try_from(app.config.feed.stale_after).unwrap_or(SignedDuration::MAX);
    let listings = app.store.read(store::listings)?;
    let advisories = listings.iter().find(|listing| !listing.psa);
    // Who never got an answer waits since the first question.
    let since = advisories.and_then(|listing| listing.last_success_at.max(listing.followed_since));
    // Looks tell what is new, never what a filling that doesn't end has not come to.
    let unfilled = advisories
        .filter(|listing| listing.filled_at.is_none())
        .and_then(|listing| listing.followed_since);
    let long_ago = |since: Timestamp| now.duration_since(since) >= longest;
    Ok(Some(Freshness {
        read_at: advisories.and_then(|listing| listing.last_success_at),
        too_old: since.is_some_and(long_ago) || unfilled.is_some_and(long_ago),
        incomplete: app.store.read(incomplete)?,
    }))
}

/// How the advisories are followed.
#[derive(Debug, Clone)]
pub struct State {
    /// They are asked for.
    pub following: bool,
    /// Advisories that stand.
    pub held: i64,
    /// All of the listing was read at least once.
    pub filled: bool,
    /// Else: the oldest change that was come to.
    pub since: Option<Timestamp>,
    /// Some pages or nodes could not be read.
    pub incomplete: bool,
    /// When drupal.org last told all that had changed.
    pub last_success: Option<Timestamp>,
    /// What is wrong, in words for people.
    pub errors: Vec<String>,
    /// When the listing is asked for next.
    pub next: Option<Timestamp>,
    /// Advisories known by a number only, that wait to be asked for.
    pub waiting: i64,
    /// Nodes of no use, each with the reason; 0: one without a number.
    pub troubles: Vec<store::Trouble>,
}

/// Nodes of no use that are named.
const NAMED: u32 = 50;

/// How the advisories are followed: the platform's matter.
///
/// # Errors
/// Where the caller may not; what the store says.
pub async fn state(app: &App, actor: &Actor) -> Result<State> {
    actor.require(Permission::ModulesRead)?;
    actor.require_platform(Permission::ModulesRead)?;
    let following = app.advisory_feed.is_some();
    app.store.read(|db| {
        let listings = store::listings(db)?;
        let (waiting, troubles) = store::troubles(db, NAMED)?;
        let advisories = listings.iter().find(|listing| !listing.psa);
        let mut errors: Vec<String> = listings
            .iter()
            .flat_map(|listing| [&listing.look_error, &listing.sweep_error])
            .flatten()
            .cloned()
            .collect();
        errors.dedup();
        let seconds = advisories.and_then(|listing| listing.reached);
        Ok(State {
            following,
            held: store::standing(db)?,
            filled: listings.iter().all(|listing| listing.filled_at.is_some()),
            since: seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()),
            incomplete: incomplete(db)?,
            last_success: advisories.and_then(|listing| listing.last_success_at),
            next: listings
                .iter()
                .map(Listing::next_question)
                .min()
                .filter(|_| following),
            errors,
            waiting,
            troubles,
        })
    })
}
