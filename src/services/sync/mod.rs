//! A site syncs: its inventory is compared with the one before, and everything that follows
//! (events, patch run, exposures, counters) is one commit with it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Error, Result, audit, sites};
use crate::app::App;
use crate::domain::access::{Actor, Permission};
use crate::domain::fault::Fault;
use crate::domain::inventory::Inventory;
use crate::domain::inventory::read::{self, Unread};
use crate::store::syncs::Refused;
use crate::store::{self, Connection, Lane, audit as record, contacts, syncs};
use familiar::Text;

mod arrival;
mod familiar;
mod receipt;
mod writing;

pub use arrival::Arrival;
pub(super) use arrival::{Delta, Outcome};
pub use familiar::Familiar;
pub use receipt::{Receipt, Update};

/// What was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// An inventory made by an agent.
    Inventory,
    /// A raw `composer.lock`.
    ComposerLock,
}

impl Source {
    /// The source that a stored word stands for.
    pub(super) fn from_word(word: &str) -> Self {
        if word == Self::ComposerLock.word() {
            Self::ComposerLock
        } else {
            Self::Inventory
        }
    }

    fn read(self, body: &[u8]) -> Result<Inventory> {
        match self {
            Self::Inventory => read::inventory(body),
            Self::ComposerLock => read::lock(body),
        }
        .map_err(|unread| match unread {
            Unread::Unreadable(detail) => Error::Unreadable(detail),
            Unread::Invalid(faults) => Error::Invalid(faults),
        })
    }

    fn word(self) -> &'static str {
        match self {
            Self::Inventory => "inventory",
            Self::ComposerLock => "composer-lock",
        }
    }
}

/// The caller may sync this site: to be asked before anything is read.
///
/// # Errors
/// [`Error::Forbidden`] without the permission; [`Error::NotFound`] where the site isn't in sight.
pub fn admit(app: &App, actor: &Actor, site_id: i64) -> Result<()> {
    let sight = actor.require(Permission::Sync)?;
    sites::seen(app, &sight, site_id).map(drop)
}

/// Takes an inventory. 200 may be said only when this has returned: then it is on disk.
///
/// # Errors
/// [`Error::Unreadable`], [`Error::Invalid`] (all faults at once), [`Error::Conflict`] with
/// `older_inventory` or `different_installation`; the refusal is kept and nothing else changes.
pub async fn receive(
    app: &App,
    actor: &Actor,
    site_id: i64,
    source: Source,
    body: &[u8],
    address: &str,
) -> Result<Receipt> {
    admit(app, actor, site_id)?;
    let taken = take(app, site_id, source, body).await;
    if let Err(error) = &taken {
        refuse(app, site_id, error, address).await?;
    }
    taken
}

async fn take(app: &App, site_id: i64, source: Source, body: &[u8]) -> Result<Receipt> {
    let text = Text::of(source, body);
    if let Some(known) = text.and_then(|text| Arrival::known(app, site_id, &text))
        && let Some(receipt) = offer(app, &Arc::new(known?)).await?
    {
        return Ok(receipt);
    }
    let arrival = Arc::new(Arrival::read(app, site_id, source, body)?);
    let receipt = whole(offer(app, &arrival).await?)?;
    if let Some(text) = text {
        app.familiar.remember(&text, &arrival);
    }
    Ok(receipt)
}

/// Takes an inventory that was read. When this has returned it is on disk.
///
/// # Errors
/// As [`receive`], but for what reading says; a refusal isn't kept.
pub async fn keep(app: &App, arrival: Arrival) -> Result<Receipt> {
    whole(offer(app, &Arc::new(arrival)).await?)
}

fn whole(receipt: Option<Receipt>) -> Result<Receipt> {
    receipt.ok_or_else(|| Error::Internal("an inventory that was read was not taken".to_owned()))
}

/// Offers an inventory to the store. `None`: it must be read first.
async fn offer(app: &App, arrival: &Arc<Arrival>) -> Result<Option<Receipt>> {
    let work = Arc::clone(arrival);
    let outcome = app
        .store
        .write_repeatable(Lane::Front, move |db| work.apply(db))
        .await?;
    match outcome {
        Outcome::Gone => Err(Error::NotFound),
        Outcome::Older(newest) => Err(Error::Conflict {
            code: "older_inventory",
            detail: format!(
                "A newer inventory, generated at {newest}, was accepted before. Nothing was changed."
            ),
        }),
        Outcome::Stranger => Err(Error::Conflict {
            code: "different_installation",
            detail: "Another installation sent this site's last accepted inventory. If the site has moved, \
                say so on its page; if this is a copy, give it a site and a key of its own."
                .to_owned(),
        }),
        Outcome::Unread => Ok(None),
        Outcome::Taken(taken) => receipt::write(app, arrival, &taken).map(Some),
    }
}

/// Keeps the reason why a sync was refused, so that a person finds it on the site's page.
///
/// # Errors
/// What the store says.
pub async fn refuse(app: &App, site_id: i64, error: &Error, address: &str) -> Result<()> {
    let Some((status, code, detail)) = refusal(error) else {
        return Ok(());
    };
    let (now, address) = (app.clock.now(), address.to_owned());
    app.store
        .write(Lane::Front, move |db| {
            let refused = Refused {
                site_id,
                status,
                code: &code,
                detail: &detail,
                address: &address,
            };
            syncs::add_refusal(db, &refused, now)
        })
        .await?;
    Ok(())
}

/// The status, word and sentence of a refusal that is worth keeping.
fn refusal(error: &Error) -> Option<(u16, String, String)> {
    match error {
        Error::Unreadable(detail) => Some((400, "unreadable".to_owned(), detail.clone())),
        Error::TooLarge(detail) => Some((413, "too_large".to_owned(), detail.clone())),
        Error::Conflict { code, detail } => Some((409, (*code).to_owned(), detail.clone())),
        Error::Invalid(faults) => {
            let mut detail: Vec<String> = faults
                .iter()
                .take(3)
                .map(|fault| format!("{}: {}", fault.pointer, fault.detail))
                .collect();
            if faults.len() > 3 {
                detail.push(format!("and {} more", faults.len() - 3));
            }
            Some((422, "invalid".to_owned(), detail.join("; ")))
        }
        _ => None,
    }
}

/// `generated_at` may lie a little in the future, as clocks go.
fn check_clock(app: &App, inventory: &Inventory, now: Timestamp) -> Result<()> {
    let tolerance =
        SignedDuration::try_from(app.config.sync.clock_tolerance).unwrap_or(SignedDuration::ZERO);
    let latest = now.checked_add(tolerance).unwrap_or(Timestamp::MAX);
    match inventory.generated_at {
        Some(generated) if generated > latest => Err(Error::Invalid(vec![Fault::new(
            "/generated_at",
            "in_the_future",
            format!(
                "the site's clock says {generated} and ours says {now}: more than {} s apart. Set the site's clock",
                tolerance.as_secs()
            ),
        )])),
        _ => Ok(()),
    }
}

/// A person answers the warning that another installation spoke for a site: it has moved, or it
/// is a copy that has nothing to say here.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`] where the site isn't in sight or there is no warning.
pub async fn answer_stranger(app: &App, actor: &Actor, site_id: i64, moved: bool) -> Result<()> {
    let sight = actor.require(Permission::SitesWrite)?;
    let site = app.store.read(|db| contacts::standpoint(db, site_id))?;
    let organization = site
        .map(|site| site.organization_id)
        .filter(|organization| sight.sees(*organization, site_id))
        .ok_or(Error::NotFound)?;
    let (now, by) = (app.clock.now(), actor.label());
    let action = if moved {
        "site.moved"
    } else {
        "site.copy_refused"
    };
    let entry = audit::entry(app, actor, action)
        .subject("site", site_id)
        .organization(organization)
        .site(site_id);
    let answered = app
        .store
        .write(Lane::Front, move |db| {
            let before = installation(db, site_id)?;
            let answered = contacts::answer_stranger(db, site_id, moved, &by, now)?;
            if answered {
                let entry = entry.before(before).after(installation(db, site_id)?);
                record::append(db, &entry)?;
            }
            if answered && moved {
                store::chronicle::write(db, "site_moved", site_id, now)?;
            }
            Ok::<_, Error>(answered)
        })
        .await?;
    if answered {
        Ok(())
    } else {
        Err(Error::NotFound)
    }
}

/// What the record says of the installation that speaks for a site, and of one that was warned of.
fn installation(db: &Connection, site_id: i64) -> Result<Value> {
    let known = contacts::standpoint(db, site_id)?;
    let warned_of = store::sites::find(db, site_id)?.and_then(|site| site.stranger);
    Ok(json!({
        "speaks_from": known.and_then(|site| site.seen_url),
        "warned_of": warned_of.and_then(|stranger| stranger.url),
    }))
}
