//! An inventory on its way into the store: whether it may be taken, and what it changes. Runs
//! inside the write that keeps it; the same code plays a history again.

use std::borrow::Cow;

use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::familiar::Text;
use super::writing::Writing;
use super::{Source, check_clock};
use crate::app::App;
use crate::domain::check_in::silent_after;
use crate::domain::composer::Composer;
use crate::domain::inventory::{Change, Entry, Facts, Inventory, Kind, Origin, diff};
use crate::domain::site_status::Standing;
use crate::services::histories::Histories;
use crate::services::{Result, ledger};
use crate::store::contacts::{Contact, Standpoint};
use crate::store::syncs::{Counts, NewSync};
use crate::store::{self, Connection, blob, contacts, inventory as kept, patch_runs, syncs};

/// An inventory that is right in itself, on its way into the store.
#[derive(Debug)]
pub struct Arrival {
    pub(in crate::services) site_id: i64,
    pub(in crate::services) now: Timestamp,
    pub(in crate::services) source: Source,
    pub(in crate::services) hash: Vec<u8>,
    pub(in crate::services) inventory: Inventory,
    /// How many entries it has, where they were not read: it is the same text as the one before.
    pub(in crate::services) unread: Option<usize>,
    pub(in crate::services) histories: Histories,
}

/// What became of an inventory inside the write.
#[derive(Debug)]
pub(in crate::services) enum Outcome {
    /// There is no such site.
    Gone,
    /// One that was generated later was accepted before.
    Older(Timestamp),
    /// Another installation sent the last one.
    Stranger,
    /// It isn't the inventory that it was thought to be: it must be read whole.
    Unread,
    /// It is the site's newest.
    Taken(Taken),
}

/// What an inventory brought that was taken.
#[derive(Debug, Clone, Copy)]
pub(in crate::services) struct Taken {
    pub(super) sync_id: i64,
    pub(super) counts: Counts,
    pub(super) patch_run_id: Option<i64>,
    pub(super) interval_minutes: i64,
    pub(super) newest_site: i64,
    pub(super) stands: Stands,
}

/// How a site stands after its sync.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stands {
    pub(super) status: Standing,
    pub(super) unknown: i64,
    pub(super) open_exposures: i64,
}

/// What a replay needs of a sync.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::services) struct Delta<'a> {
    /// What was told of the installation.
    pub facts: Cow<'a, Facts>,
    /// Entries that are new or differ, whole.
    pub put: Vec<Cow<'a, Entry>>,
    /// Entries that are gone.
    pub gone: Vec<(Origin, Cow<'a, str>)>,
}

impl Arrival {
    /// Reads and hashes what was sent: all of a sync that needs no store.
    ///
    /// # Errors
    /// [`Error::Unreadable`](crate::services::Error::Unreadable);
    /// [`Error::Invalid`](crate::services::Error::Invalid) with all faults at once.
    pub fn read(app: &App, site_id: i64, source: Source, body: &[u8]) -> Result<Self> {
        let inventory = source.read(body)?;
        let now = app.clock.now();
        check_clock(app, &inventory, now)?;
        Ok(Self {
            site_id,
            now,
            source,
            hash: digest(&SHA256, &inventory.canonical()).as_ref().to_vec(),
            inventory,
            unread: None,
            histories: app.histories.clone(),
        })
    }

    /// As [`Arrival::read`], where the text is known from the site's last inventory.
    pub(super) fn known(app: &App, site_id: i64, text: &Text) -> Option<Result<Self>> {
        let (inventory, hash, total) = app.familiar.find(site_id, text)?;
        let now = app.clock.now();
        Some(check_clock(app, &inventory, now).map(|()| Self {
            site_id,
            now,
            source: Source::Inventory,
            hash,
            inventory,
            unread: Some(total),
            histories: app.histories.clone(),
        }))
    }

    pub(in crate::services) fn apply(&self, db: &Connection) -> Result<Outcome> {
        let Some(site) = contacts::standpoint(db, self.site_id)? else {
            return Ok(Outcome::Gone);
        };
        if self.is_stranger(&site) {
            let facts = &self.inventory.facts;
            let (url, instance) = (facts.url.as_deref(), facts.instance.as_deref());
            contacts::warn_of_stranger(db, self.site_id, url, instance, self.now)?;
            return Ok(Outcome::Stranger);
        }
        if let (Some(generated), Some(newest)) = (self.inventory.generated_at, site.generated_at)
            && generated < newest
        {
            return Ok(Outcome::Older(newest));
        }
        let same = site
            .sync_id
            .filter(|_| site.content_hash.as_ref() == Some(&self.hash));
        if same.is_none() && self.unread.is_some() {
            return Ok(Outcome::Unread);
        }
        // The server's clock may have been set back; the site's history never runs backwards.
        let now = site
            .last_sync_at
            .map_or(self.now, |last| last.max(self.now));
        let generated = self
            .inventory
            .generated_at
            .unwrap_or(self.now)
            .max(site.generated_at.unwrap_or(Timestamp::MIN));
        if site.silent || site.last_sync_at.is_none() {
            let watch_at = silent_after(now, site.interval_minutes);
            contacts::speaks_again(db, self.site_id, watch_at)?;
        }
        let taken = match same {
            Some(sync_id) => {
                self.heard(db, now, generated, None)?;
                // What was published meanwhile is told before this sync is answered.
                if ledger::settle(db, self.site_id)? {
                    ledger::recount(db, self.site_id)?;
                    let site = contacts::standpoint(db, self.site_id)?.unwrap_or(site);
                    self.unchanged(sync_id, &site)
                } else {
                    self.unchanged(sync_id, &site)
                }
            }
            None => self.changed(db, &site, now, generated)?,
        };
        Ok(Outcome::Taken(taken))
    }

    /// Domain rule 11: what isn't sent isn't compared.
    fn is_stranger(&self, site: &Standpoint) -> bool {
        let facts = &self.inventory.facts;
        let moved = |seen: &Option<String>,
                     said: &Option<String>,
                     alike: fn(&str, &str) -> bool| {
            matches!((seen, said), (Some(seen), Some(said)) if !alike(seen, said))
        };
        moved(&site.seen_instance, &facts.instance, |a, b| a == b)
            || moved(&site.seen_url, &facts.url, is_same_address)
    }

    fn heard(
        &self,
        db: &Connection,
        now: Timestamp,
        generated_at: Timestamp,
        sync_id: Option<i64>,
    ) -> store::Result<()> {
        let contact = Contact {
            site_id: self.site_id,
            at: now,
            generated_at,
            pulse: &self.inventory.pulse,
            news: sync_id.map(|id| (id, self.hash.as_slice())),
        };
        contacts::heard(db, &contact)
    }

    fn unchanged(&self, sync_id: i64, site: &Standpoint) -> Taken {
        let total = number(self.unread.unwrap_or(self.inventory.entries.len()));
        Taken {
            sync_id,
            counts: Counts {
                total,
                unchanged: total,
                ..Counts::default()
            },
            patch_run_id: None,
            interval_minutes: site.interval_minutes,
            newest_site: site.newest_site,
            stands: Stands {
                status: site.status,
                unknown: site.unknown,
                open_exposures: site.open_exposures,
            },
        }
    }

    fn changed(
        &self,
        db: &Connection,
        site: &Standpoint,
        now: Timestamp,
        generated_at: Timestamp,
    ) -> Result<Taken> {
        // What was published before this sync is drawn to its end before the sync is.
        ledger::settle(db, self.site_id)?;
        let held = kept::held(db, self.site_id)?;
        let before = held.iter().map(|held| &held.entry);
        let changes = diff(before, &self.inventory.entries, is_older);
        let counts = counts(&changes, self.inventory.entries.len());
        let times = (now, site.last_sync_at, generated_at);
        let sync_id = self.add_sync(db, times, counts, &changes)?;
        self.heard(db, now, generated_at, Some(sync_id))?;
        store::chronicle::write(db, "sync", sync_id, now)?;
        let facts = &self.inventory.facts;
        syncs::set_facts(db, self.site_id, facts, self.core_version(), now)?;
        let ids = (self.site_id, site.organization_id, sync_id);
        let patch_run_id = if changes.iter().all(|change| change.kinds.is_empty()) {
            None
        } else {
            let shown = (&counts, site.interval_minutes);
            patch_runs::prove(db, ids, shown, (now, site.last_sync_at))?
        };
        let stands = Writing::new(self, db, ids, now, &held)?.take(&changes)?;
        Ok(Taken {
            sync_id,
            counts,
            patch_run_id,
            interval_minutes: site.interval_minutes,
            newest_site: site.newest_site,
            stands,
        })
    }

    fn add_sync(
        &self,
        db: &Connection,
        (now, heard_before, generated_at): (Timestamp, Option<Timestamp>, Timestamp),
        counts: Counts,
        changes: &[Change<'_>],
    ) -> store::Result<i64> {
        let facts = &self.inventory.facts;
        let new = NewSync {
            site_id: self.site_id,
            received_at: now,
            heard_before,
            generated_at,
            agent: facts.agent.as_deref().unwrap_or_default(),
            source: self.source.word(),
            content_hash: &self.hash,
            counts,
            delta: &blob::pack(&delta(facts, changes))?,
        };
        syncs::add(db, &new)
    }

    fn core_version(&self) -> Option<&str> {
        self.inventory
            .entries
            .iter()
            .find(|entry| entry.origin == Origin::Project && entry.name == "drupal")
            .and_then(|core| core.version.as_deref())
    }
}

/// The same but for what may change without the site moving: the scheme and a final slash.
fn is_same_address(a: &str, b: &str) -> bool {
    fn rest(url: &str) -> &str {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        rest.trim_end_matches('/')
    }
    rest(a).eq_ignore_ascii_case(rest(b))
}

fn is_older(a: &str, b: &str) -> bool {
    match (Composer::of_drupal(a), Composer::of_drupal(b)) {
        (Some(a), Some(b)) => a.order(&b) == Some(std::cmp::Ordering::Less),
        _ => false,
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn counts(changes: &[Change<'_>], total: usize) -> Counts {
    let of = |kind: Kind| {
        let such = changes.iter().filter(|change| change.kinds.contains(&kind));
        number(such.count())
    };
    let total = number(total);
    let (added, updated, downgraded) =
        (of(Kind::Installed), of(Kind::Updated), of(Kind::Downgraded));
    Counts {
        total,
        added,
        updated,
        downgraded,
        removed: of(Kind::Removed),
        unchanged: total - added - updated - downgraded,
    }
}

fn delta<'a>(facts: &'a Facts, changes: &[Change<'a>]) -> Delta<'a> {
    Delta {
        facts: Cow::Borrowed(facts),
        put: changes
            .iter()
            .filter_map(|change| change.after.map(Cow::Borrowed))
            .collect(),
        gone: changes
            .iter()
            .filter(|change| change.after.is_none())
            .filter_map(|change| change.before)
            .map(|entry| (entry.origin, Cow::Borrowed(entry.name.as_str())))
            .collect(),
    }
}
