//! A site syncs: its inventory is compared with the one before, and everything that follows
//! (events, patch run, exposures, counters) is one commit with it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::histories::Histories;
use super::{Error, Result, catalogue, ledger};
use crate::app::App;
use crate::domain::access::{Actor, Permission};
use crate::domain::check_in::{next_check_in, silent_after};
use crate::domain::composer::Composer;
use crate::domain::exposure::{Promise, Run};
use crate::domain::fault::Fault;
use crate::domain::inventory::read::{self, Unread};
use crate::domain::inventory::{Change, Entry, Facts, Inventory, Kind, Origin, diff};
use crate::domain::schedule::due_at_once;
use crate::domain::site_status::Standing;
use crate::store::catalogue::NewModule;
use crate::store::inventory::{Counts, Held, NewSync, Refused, Standpoint};
use crate::store::ledger::Place;
use crate::store::{self, Connection, Lane, blob, exposures, inventory as kept};

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

    fn word(self) -> &'static str {
        match self {
            Self::Inventory => "inventory",
            Self::ComposerLock => "composer-lock",
        }
    }
}

/// What a site is told about its sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The sync, or the one that this confirms.
    pub sync_id: i64,
    /// The site.
    pub site_id: i64,
    /// When it arrived.
    pub received_at: Timestamp,
    /// What it changed.
    pub counts: Counts,
    /// Modules that can't be judged.
    pub unknown: i64,
    /// The patch run that it was.
    pub patch_run_id: Option<i64>,
    /// The site's word.
    pub status: Standing,
    /// (site, module) pairs with an open exposure.
    pub open_exposures: i64,
    /// What to update for security, most urgent first.
    pub updates: Vec<Update>,
    /// When the site is expected to sync next.
    pub next_sync_before: Timestamp,
}

/// One module that a site has to update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The module's name.
    pub module: String,
    /// What is installed.
    pub installed: Option<String>,
    /// What core recommends.
    pub recommended: Option<String>,
    /// The releases that fix it.
    pub fixed_in: Vec<String>,
    /// By when.
    pub due_at: Option<Timestamp>,
}

/// The caller may sync this site: to be asked before anything is read.
///
/// # Errors
/// [`Error::Forbidden`] without the permission; [`Error::NotFound`] where the site isn't in sight.
pub fn admit(app: &App, actor: &Actor, site_id: i64) -> Result<()> {
    actor.require(Permission::Sync)?;
    let sight = actor.sight();
    if sight.site().is_some_and(|mine| mine != site_id) {
        return Err(Error::NotFound);
    }
    match app.store.read(|db| kept::standpoint(db, site_id))? {
        Some(site) if sight.sees(site.organization_id, site_id) => Ok(()),
        _ => Err(Error::NotFound),
    }
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
            kept::add_refusal(db, &refused, now)
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

async fn take(app: &App, site_id: i64, source: Source, body: &[u8]) -> Result<Receipt> {
    let inventory = match source {
        Source::Inventory => read::inventory(body),
        Source::ComposerLock => read::lock(body),
    }
    .map_err(|unread| match unread {
        Unread::Unreadable(detail) => Error::Unreadable(detail),
        Unread::Invalid(faults) => Error::Invalid(faults),
    })?;
    let now = app.clock.now();
    check_clock(app, &inventory, now)?;
    let work = Arrival {
        site_id,
        now,
        source,
        hash: digest(&SHA256, &inventory.canonical()).as_ref().to_vec(),
        inventory,
        promise: ledger::promise(&app.config.sla),
        histories: app.histories.clone(),
    };
    let work = Arc::new(work);
    let mine = Arc::clone(&work);
    let outcome = app
        .store
        .write(Lane::Front, move |db| mine.apply(db))
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
        Outcome::Taken(taken) => receipt(app, &work, taken),
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

/// What became of an inventory inside the write.
pub(super) enum Outcome {
    Gone,
    Older(Timestamp),
    Stranger,
    Taken(Taken),
}

#[derive(Clone, Copy)]
pub(super) struct Taken {
    sync_id: i64,
    counts: Counts,
    patch_run_id: Option<i64>,
    interval_minutes: i64,
}

/// An inventory on its way into the store.
pub(super) struct Arrival {
    pub site_id: i64,
    pub now: Timestamp,
    pub source: Source,
    pub hash: Vec<u8>,
    pub inventory: Inventory,
    pub promise: Promise,
    pub histories: Histories,
}

/// What a replay needs of a sync.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Delta {
    /// What was told of the installation.
    pub facts: Facts,
    /// Entries that are new or differ, whole.
    pub put: Vec<Entry>,
    /// Entries that are gone.
    pub gone: Vec<(Origin, String)>,
}

impl Arrival {
    pub(super) fn apply(&self, db: &Connection) -> Result<Outcome> {
        let Some(site) = kept::standpoint(db, self.site_id)? else {
            return Ok(Outcome::Gone);
        };
        if self.is_stranger(&site) {
            let facts = &self.inventory.facts;
            let (url, instance) = (facts.url.as_deref(), facts.instance.as_deref());
            kept::warn_of_stranger(db, self.site_id, url, instance, self.now)?;
            return Ok(Outcome::Stranger);
        }
        if let (Some(generated), Some(newest)) = (self.inventory.generated_at, site.generated_at)
            && generated < newest
        {
            return Ok(Outcome::Older(newest));
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
        kept::heard(db, self.site_id, now, generated, &self.inventory.pulse)?;
        if site.silent || site.last_sync_at.is_none() {
            let watch_at = silent_after(now, site.interval_minutes);
            kept::speaks_again(db, self.site_id, watch_at)?;
        }
        if let (Some(sync_id), Some(hash)) = (site.sync_id, &site.content_hash)
            && *hash == self.hash
        {
            return Ok(Outcome::Taken(self.unchanged(sync_id, &site)));
        }
        self.changed(db, &site, now, generated).map(Outcome::Taken)
    }

    /// Domain rule 11: what isn't sent isn't compared.
    fn is_stranger(&self, site: &Standpoint) -> bool {
        let facts = &self.inventory.facts;
        let differs = |seen: &Option<String>, said: &Option<String>, alike: fn(&str) -> String| matches!((seen, said), (Some(seen), Some(said)) if alike(seen) != alike(said));
        differs(&site.seen_instance, &facts.instance, str::to_owned)
            || differs(&site.seen_url, &facts.url, same_address)
    }

    fn unchanged(&self, sync_id: i64, site: &Standpoint) -> Taken {
        let total = count(self.inventory.entries.len());
        Taken {
            sync_id,
            counts: Counts {
                total,
                unchanged: total,
                ..Counts::default()
            },
            patch_run_id: None,
            interval_minutes: site.interval_minutes,
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
        ledger::settle(db, self.site_id, &self.promise)?;
        let held = kept::held(db, self.site_id)?;
        let before: Vec<Entry> = held.iter().map(|held| held.entry.clone()).collect();
        let changes = diff(&before, &self.inventory.entries, is_older);
        let counts = counts(&changes, self.inventory.entries.len());
        let facts = &self.inventory.facts;
        let delta = blob::pack(&delta(facts, &changes))?;
        let sync_id = kept::add_sync(
            db,
            &NewSync {
                site_id: self.site_id,
                received_at: now,
                generated_at,
                agent: facts.agent.as_deref().unwrap_or_default(),
                source: self.source.word(),
                content_hash: &self.hash,
                counts,
                delta: &delta,
            },
        )?;
        store::catalogue::chronicle(db, "sync", sync_id, now)?;
        kept::set_facts(db, self.site_id, facts, self.core_version(), now)?;
        let ids = (self.site_id, site.organization_id, sync_id);
        let patch_run_id = if counts.updated + counts.downgraded > 0 {
            Some(kept::add_patch_run(db, ids, &counts, now)?)
        } else {
            None
        };
        let mut writing = Writing {
            arrival: self,
            db,
            organization_id: site.organization_id,
            sync_id,
            now,
            touched: Vec::new(),
        };
        for change in &changes {
            writing.take(&held, change)?;
        }
        writing.consequences()?;
        Ok(Taken {
            sync_id,
            counts,
            patch_run_id,
            interval_minutes: site.interval_minutes,
        })
    }

    fn core_version(&self) -> Option<&str> {
        self.inventory
            .entries
            .iter()
            .find(|entry| entry.origin == Origin::Project && entry.name == "drupal")
            .and_then(|core| core.version.as_deref())
    }
}

/// The rows of one changed sync, as they are written.
struct Writing<'a> {
    arrival: &'a Arrival,
    db: &'a Connection,
    organization_id: i64,
    sync_id: i64,
    now: Timestamp,
    /// Modules whose windows may have changed: id and name.
    touched: Vec<(i64, String)>,
}

impl Writing<'_> {
    fn take(&mut self, held: &[Held], change: &Change<'_>) -> Result<()> {
        let Some(entry) = change.after.or(change.before) else {
            return Ok(());
        };
        let old = change.before.and_then(|before| {
            held.binary_search_by(|held| {
                (held.entry.origin, &held.entry.name).cmp(&(before.origin, &before.name))
            })
            .ok()
            .and_then(|at| held.get(at))
        });
        let module = match old {
            Some(old) => old.module_id,
            None => self.module(entry)?,
        };
        let new = match change.after {
            Some(after) => Some((after, self.version(module, after)?)),
            None => None,
        };
        self.write(module, old, new)?;
        self.events(module, change)?;
        let exposed = old.is_some_and(|old| old.exposed == Some(true))
            || new.is_some_and(|(_, (_, exposed))| exposed == Some(true));
        if exposed || store::ledger::has_open(self.db, self.arrival.site_id, module)? {
            self.touched.push((module, entry.name.clone()));
        }
        Ok(())
    }

    /// Writes what is held now, and ends the run of what was held before.
    fn write(
        &self,
        module: i64,
        old: Option<&Held>,
        new: Option<(&Entry, (i64, Option<bool>))>,
    ) -> Result<()> {
        let site = self.arrival.site_id;
        let goes_on = match (old, new) {
            (Some(old), Some((entry, (version, _)))) => (old.version_id == version
                && entry.enabled)
                .then_some(old.run_started_at)
                .flatten(),
            _ => None,
        };
        if let Some(old) = old
            && let Some(started_at) = old.run_started_at
            && goes_on.is_none()
        {
            let run = Run {
                version_id: old.version_id,
                started_at,
                ended_at: Some(self.now),
                ended_by_sync: Some(self.sync_id),
            };
            kept::end_run(self.db, site, module, &run)?;
        }
        match new {
            None => kept::remove(self.db, site, module)?,
            Some((entry, (version, _))) => {
                let started = goes_on.or_else(|| entry.enabled.then_some(self.now));
                kept::put(self.db, site, module, version, started, entry, self.now)?;
            }
        }
        Ok(())
    }

    fn events(&self, module: i64, change: &Change<'_>) -> Result<()> {
        let versions = (
            change.before.and_then(|entry| entry.version.as_deref()),
            change.after.and_then(|entry| entry.version.as_deref()),
        );
        let ids = (
            self.arrival.site_id,
            self.organization_id,
            self.sync_id,
            module,
        );
        for kind in &change.kinds {
            kept::add_event(self.db, ids, *kind, versions, self.now)?;
        }
        Ok(())
    }

    fn module(&self, entry: &Entry) -> Result<i64> {
        let known =
            store::catalogue::find(self.db, entry.origin, self.organization_id, &entry.name)?;
        if let Some(module) = known {
            // Nothing may be unwatched while a site runs it.
            if module.deleted {
                store::catalogue::restore(self.db, module.id, self.now)?;
            }
            return Ok(module.id);
        }
        let new = NewModule {
            origin: entry.origin,
            organization_id: self.organization_id,
            name: &entry.name,
            // A project's title is drupal.org's to give: what one organization says isn't shown to another.
            title: if entry.origin == Origin::Project {
                ""
            } else {
                &entry.title
            },
            kind: entry.kind,
        };
        Ok(store::catalogue::add(self.db, &new, self.now)?)
    }

    /// The version's id and whether it is exposed; one never seen is judged here, once. What
    /// drupal.org isn't known to list makes its module due at once.
    fn version(&self, module_id: i64, entry: &Entry) -> Result<(i64, Option<bool>)> {
        let version = entry.version.as_deref();
        let known = store::catalogue::find_version(self.db, module_id, version, entry.datestamp)?;
        if let Some(known) = known {
            return Ok(known);
        }
        let module = store::catalogue::get(self.db, module_id)?.ok_or(Error::NotFound)?;
        let grounds = self.arrival.histories.grounds(self.db, &module)?;
        let judged = grounds.about(&module).judge(version, entry.datestamp);
        let insecure = catalogue::insecure_known_at(&judged, &module.name, None, self.now);
        let id = store::catalogue::add_version(
            self.db,
            module_id,
            version,
            entry.datestamp,
            &judged,
            insecure,
            self.now,
        )?;
        store::catalogue::add_fixes(self.db, module_id, &judged.unmarked, self.now)?;
        if module.origin == Origin::Project && !judged.listed() && module.last_checked_at.is_some()
        {
            let asked = module.last_checked_at.max(module.asked_at);
            store::catalogue::make_due(self.db, module_id, due_at_once(self.now, asked), self.now)?;
        }
        Ok((id, judged.exposed()))
    }

    fn consequences(&mut self) -> Result<()> {
        for (module_id, name) in &self.touched {
            let place = Place {
                organization_id: self.organization_id,
                site_id: self.arrival.site_id,
                module_id: *module_id,
            };
            ledger::reconcile(self.db, &place, name, &self.arrival.promise, self.now)?;
        }
        ledger::recount(self.db, self.arrival.site_id)?;
        Ok(())
    }
}

/// An address without what may change without the site moving: the scheme and a final slash.
fn same_address(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.trim_end_matches('/').to_ascii_lowercase()
}

fn is_older(a: &str, b: &str) -> bool {
    match (Composer::of_drupal(a), Composer::of_drupal(b)) {
        (Some(a), Some(b)) => a.order(&b) == Some(std::cmp::Ordering::Less),
        _ => false,
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn counts(changes: &[Change<'_>], total: usize) -> Counts {
    let of = |kind: Kind| {
        count(
            changes
                .iter()
                .filter(|change| change.kinds.contains(&kind))
                .count(),
        )
    };
    let total = count(total);
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

fn delta(facts: &Facts, changes: &[Change<'_>]) -> Delta {
    Delta {
        facts: facts.clone(),
        put: changes
            .iter()
            .filter_map(|change| change.after.cloned())
            .collect(),
        gone: changes
            .iter()
            .filter(|change| change.after.is_none())
            .filter_map(|change| change.before)
            .map(|entry| (entry.origin, entry.name.clone()))
            .collect(),
    }
}

fn receipt(app: &App, work: &Arrival, taken: Taken) -> Result<Receipt> {
    let site_id = work.site_id;
    let summary = app.store.read(|db| exposures::summary(db, site_id))?;
    Ok(Receipt {
        sync_id: taken.sync_id,
        site_id,
        received_at: work.now,
        counts: taken.counts,
        unknown: summary.unknown,
        patch_run_id: taken.patch_run_id,
        status: summary.status,
        open_exposures: summary.open_exposures,
        updates: summary
            .updates
            .into_iter()
            .map(|update| Update {
                fixed_in: update.judgement.fixed_in(),
                recommended: update
                    .judgement
                    .assessment
                    .and_then(|assessment| assessment.recommended),
                module: update.module,
                installed: update.installed,
                due_at: update.due_at,
            })
            .collect(),
        next_sync_before: next_check_in(
            work.now,
            taken.interval_minutes,
            site_id,
            summary.newest_site,
        ),
    })
}

/// A person answers the warning that another installation spoke for a site: it has moved, or it
/// is a copy that has nothing to say here.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`] where the site isn't in sight or there is no warning.
pub async fn answer_stranger(app: &App, actor: &Actor, site_id: i64, moved: bool) -> Result<()> {
    actor.require(Permission::SitesWrite)?;
    let site = app.store.read(|db| kept::standpoint(db, site_id))?;
    if !site.is_some_and(|site| actor.sight().sees(site.organization_id, site_id)) {
        return Err(Error::NotFound);
    }
    let (now, by) = (app.clock.now(), actor.label());
    let answered = app
        .store
        .write(Lane::Front, move |db| {
            let answered = kept::answer_stranger(db, site_id, moved, &by, now)?;
            if answered && moved {
                store::catalogue::chronicle(db, "site_moved", site_id, now)?;
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
