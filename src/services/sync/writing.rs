//! The rows of one changed sync: what is held from now on, the runs that ended, the events, and
//! everything that follows for the ledger and for the site's word. Everything that a site had is
//! read once, before; what is counted in the end is that, with the changes put in their places.

use jiff::Timestamp;

use super::arrival::{Arrival, Stands};
use crate::domain::exposure::Run;
use crate::domain::inventory::{Change, Entry, Origin};
use crate::domain::schedule::due_at_once;
use crate::domain::site_status::Counted;
use crate::services::{Error, Result, catalogue, ledger};
use crate::store::catalogue::NewModule;
use crate::store::inventory::{Held, Runs};
use crate::store::ledger::Place;
use crate::store::{self, Connection, inventory as kept, syncs};

/// The rows of one changed sync, as they are written.
pub(super) struct Writing<'a> {
    arrival: &'a Arrival,
    db: &'a Connection,
    organization_id: i64,
    sync_id: i64,
    now: Timestamp,
    held: &'a [Held],
    /// What the site has from now on, for its word: first what it had, in the same order.
    counted: Vec<Option<(i64, Counted)>>,
    /// The open rows before: module and due time.
    open: Vec<(i64, Option<Timestamp>)>,
    /// Modules whose windows may have changed: id and name.
    touched: Vec<(i64, &'a str)>,
}

impl<'a> Writing<'a> {
    pub(super) fn new(
        arrival: &'a Arrival,
        db: &'a Connection,
        (site_id, organization_id, sync_id): (i64, i64, i64),
        now: Timestamp,
        held: &'a [Held],
    ) -> Result<Self> {
        Ok(Self {
            arrival,
            db,
            organization_id,
            sync_id,
            now,
            held,
            counted: held
                .iter()
                .map(|held| Some((held.version_id, held.counted)))
                .collect(),
            open: store::ledger::open_of(db, site_id)?,
            touched: Vec::new(),
        })
    }

    /// Writes all changes and what follows from them; gives how the site stands then.
    pub(super) fn take(mut self, changes: &[Change<'a>]) -> Result<Stands> {
        for change in changes {
            self.change(change)?;
        }
        self.consequences()
    }

    fn change(&mut self, change: &Change<'a>) -> Result<()> {
        let Some(entry) = change.after.or(change.before) else {
            return Ok(());
        };
        let place = change.before.and_then(|before| self.place(before));
        let old = place.and_then(|at| self.held.get(at));
        let new = match change.after {
            Some(after) => Some((after, self.known(old, after)?)),
            None => None,
        };
        let Some(module) = old
            .map(|old| old.module_id)
            .or(new.map(|(_, new)| new.module))
        else {
            return Ok(());
        };
        self.write(module, old, new)?;
        self.events(module, change)?;
        let exposed = |counted: Counted| counted.exposed == Some(true);
        if old.is_some_and(|old| exposed(old.counted))
            || new.is_some_and(|(_, new)| exposed(new.counted))
            || self.open.iter().any(|(open, _)| *open == module)
        {
            self.touched.push((module, &entry.name));
        }
        let now_counted = new.map(|(_, new)| (new.version, new.counted));
        match place.and_then(|at| self.counted.get_mut(at)) {
            Some(slot) => *slot = now_counted,
            None => self.counted.push(now_counted),
        }
        Ok(())
    }

    fn place(&self, entry: &Entry) -> Option<usize> {
        self.held
            .binary_search_by(|held| {
                (held.entry.origin, &held.entry.name).cmp(&(entry.origin, &entry.name))
            })
            .ok()
    }

    /// Writes what is held now, and ends the run of what was held before.
    fn write(&self, module: i64, old: Option<&Held>, new: Option<(&Entry, Known)>) -> Result<()> {
        let site = self.arrival.site_id;
        let goes_on = match (old, new) {
            (Some(old), Some((entry, new))) => (old.version_id == new.version && entry.enabled)
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
        let Some((entry, new)) = new else {
            return Ok(kept::remove(self.db, site, module)?);
        };
        let runs = Runs {
            site_id: site,
            module_id: module,
            version_id: new.version,
            started_at: goes_on.or_else(|| entry.enabled.then_some(self.now)),
            entry,
        };
        match old {
            Some(_) => kept::replace(self.db, &runs, self.now)?,
            None => kept::install(self.db, &runs, self.now)?,
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
            syncs::add_event(self.db, ids, *kind, versions, self.now)?;
        }
        Ok(())
    }

    /// The module and the version that an entry names. What was never seen is added, and a version
    /// judged, here, once.
    fn known(&self, old: Option<&Held>, entry: &Entry) -> Result<Known> {
        let known = match old {
            Some(old) => store::module_versions::known_by_id(self.db, old.module_id, entry)?,
            None => store::module_versions::known_by_name(self.db, self.organization_id, entry)?,
        };
        let module = match known {
            Some(known) => {
                // Nothing may be unwatched while a site runs it.
                if known.deleted {
                    store::catalogue::restore(self.db, known.module_id, self.now)?;
                }
                known.module_id
            }
            None => self.add_module(entry)?,
        };
        let (version, counted) = match known.and_then(|known| known.version) {
            Some(version) => version,
            None => self.add_version(module, entry)?,
        };
        Ok(Known {
            module,
            version,
            counted: Counted {
                enabled: entry.enabled,
                ..counted
            },
        })
    }

    fn add_module(&self, entry: &Entry) -> Result<i64> {
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

    /// Judges a version that was never seen. What drupal.org isn't known to list makes its module
    /// due at once.
    fn add_version(&self, module_id: i64, entry: &Entry) -> Result<(i64, Counted)> {
        let version = entry.version.as_deref();
        let module = store::catalogue::get(self.db, module_id)?.ok_or(Error::NotFound)?;
        let grounds = self.arrival.histories.grounds(self.db, &module)?;
        let judged = grounds.about(&module).judge(version, entry.datestamp);
        let insecure = catalogue::insecure_known_at(&judged, &module.name, None, self.now);
        store::module_versions::add(
            self.db,
            module_id,
            version,
            entry.datestamp,
            &judged,
            insecure,
            self.now,
        )?;
        store::publications::add_fixes(self.db, module_id, &judged.unmarked, self.now)?;
        if module.origin == Origin::Project && !judged.listed() && module.last_checked_at.is_some()
        {
            let asked = module.last_checked_at.max(module.asked_at);
            store::catalogue::make_due(self.db, module_id, due_at_once(self.now, asked), self.now)?;
        }
        store::module_versions::known_by_id(self.db, module_id, entry)?
            .and_then(|known| known.version)
            .ok_or(Error::NotFound)
    }

    fn consequences(self) -> Result<Stands> {
        let site_id = self.arrival.site_id;
        for (module_id, name) in &self.touched {
            let place = Place {
                organization_id: self.organization_id,
                site_id,
                module_id: *module_id,
            };
            ledger::reconcile(self.db, &place, name, self.now)?;
        }
        let open = if self.touched.is_empty() {
            self.open
        } else {
            store::ledger::open_of(self.db, site_id)?
        };
        let modules: Vec<_> = self.counted.into_iter().flatten().collect();
        let count = ledger::count(self.db, site_id, &modules, &open)?;
        Ok(Stands {
            status: count.tally.status,
            unknown: count.tally.unknown,
            open_exposures: count.open_exposures,
        })
    }
}

/// The module and the version that an entry names, and what the two mean for the site's word.
#[derive(Clone, Copy)]
struct Known {
    module: i64,
    version: i64,
    counted: Counted,
}
