//! Proving the record: `dewline check` looks whether what is kept agrees with itself, and with
//! `--replay` builds inventories, exposures and counters anew from syncs and publications alone and
//! compares. It works on a consistent copy, so the appliance may keep running.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::advisories::{self as advising, Taking};
use super::catalogue::{self as publishing, Recording};
use super::histories::Histories;
use super::sync::{Arrival, Delta, Outcome, Source};
use super::{Error, Result, clocks, ledger};
use crate::app::DATABASE;
use crate::config::Config;
use crate::domain::inventory::{Entry, Inventory, Origin, Pulse};
use crate::outbound::drupal_org::Fetched;
use crate::store::catalogue::NewModule;
pub use crate::store::check::Finding;
use crate::store::chronicle::Happened;
use crate::store::clocks as store_clocks;
use crate::store::sites::Going;
use crate::store::sla::Promises;
use crate::store::{
    self, Connection, Lane, Settings, Store, StoreError, advisories, audit, blob, catalogue, check,
    chronicle, fanouts, module_versions, publications, replay, sites,
};

/// Parts of the chronicle read at once.
const PART: u32 = 500;

/// How copies are opened: they are thrown away, so that nothing of them need be on the disk.
const COPIES: Settings = Settings {
    readers: 2,
    queue: 64,
    cache_kib: 32 * 1024,
    durable: false,
};

/// Checks the data directory of a configuration.
///
/// # Errors
/// Where the database can't be opened or copied.
pub async fn run(config: &Config, replay: bool) -> Result<Vec<Finding>> {
    let database = config.data_dir.join(DATABASE);
    let folder = tempfile::tempdir().map_err(|error| Error::Internal(error.to_string()))?;
    let copy = folder.path().join("copy.db");
    check::copy(&database, &copy)?;
    let store = Store::open(&copy, COPIES)?;
    // Sites that still wait to be told are told first: that work is kept and would go on by itself.
    while publishing::tell_next(&store).await? {}
    let mut findings = store.read(|db| {
        let mut findings = check::integrity(db)?;
        findings.extend(check::counters(db)?);
        findings.extend(check::searches(db)?);
        findings.push(check::events_give_inventories(db)?);
        findings.push(all_told(db)?);
        findings.push(clocks_of_windows(db)?);
        findings.push(check::memberships(db)?);
        findings.push(sealed(db)?);
        Ok::<_, StoreError>(findings)
    })?;
    findings.push(words_of_sites(&store).await?);
    if replay {
        let rebuilt = folder.path().join("rebuilt.db");
        findings.extend(replayed(&store, &copy, &rebuilt).await?);
    }
    Ok(findings)
}

/// Each site's word and counters are what counting its modules gives.
async fn words_of_sites(store: &Store) -> Result<Finding> {
    let wrong = store
        .write(Lane::Back, |db| {
            let (_, sites) = check::everything(db)?;
            let mut wrong = Vec::new();
            for site in &sites {
                // A site that never spoke waits: there is nothing to count on it.
                if check::has_spoken(db, *site)? && ledger::recount(db, *site)? {
                    wrong.push(format!("site {site} was counted wrong"));
                }
            }
            Ok::<_, StoreError>((sites.len() as u64, wrong))
        })
        .await?;
    Ok(Finding {
        about: "the word and counters of each site",
        looked_at: wrong.0,
        wrong: wrong.1,
        worth_knowing: Vec::new(),
    })
}

/// Nobody waits to be told by a fault of ours. Named are 50 at most.
fn all_told(db: &Connection) -> store::Result<Finding> {
    let left = fanouts::all_left(db, 50)?.into_iter();
    Ok(Finding {
        about: "every site was told what was published",
        looked_at: 1,
        wrong: left
            .map(|(id, name, module, since)| {
                format!("site {id} ({name}) could not be told of {module} since {since}")
            })
            .collect(),
        worth_knowing: Vec::new(),
    })
}

/// Clocks have told what they passed, none of it too early, and will tell what is left. Named are 50 at most.
fn clocks_of_windows(db: &Connection) -> store::Result<Finding> {
    let (mut looked_at, mut wrong) = (0, Vec::new());
    let mut promised = None;
    store_clocks::all(db, |window, told| {
        looked_at += 1;
        let promises = match promised.take() {
            Some((site, promises)) if site == window.site_id => promises,
            _ => Promises::read(db, window.site_id, window.organization_id)?,
        };
        for mark in told.iter().filter(|mark| mark.at > mark.noticed_at) {
            wrong.push(format!(
                "window {}: {} was noticed at {}, before it was so at {}",
                window.id, mark.kind, mark.noticed_at, mark.at
            ));
        }
        let passed = |mark: &Timestamp| window.warn_at.is_none_or(|next| *mark < next);
        for (kind, mark) in clocks::marks(&window, &promises) {
            if passed(&mark) && !told.iter().any(|told| told.kind == kind) {
                wrong.push(format!(
                    "window {}: {kind} at {mark} is told by nobody",
                    window.id
                ));
            }
        }
        promised = Some((window.site_id, promises));
        Ok(())
    })?;
    wrong.truncate(50);
    Ok(Finding {
        about: "the clocks of windows",
        looked_at,
        wrong,
        worth_knowing: Vec::new(),
    })
}

fn sealed(db: &Connection) -> store::Result<Finding> {
    let (looked_at, broken) = audit::first_broken(db)?;
    Ok(Finding {
        about: "the seals of the audit log",
        looked_at,
        wrong: broken.iter().map(ToString::to_string).collect(),
        worth_knowing: Vec::new(),
    })
}

/// Builds everything anew and compares.
async fn replayed(store: &Store, copy: &Path, rebuilt: &Path) -> Result<Vec<Finding>> {
    let target = Store::open(rebuilt, COPIES)?;
    replay::seed(rebuilt, copy)?;
    let mut replay = Replay {
        store,
        target: &target,
        histories: Histories::default(),
        held: HashMap::new(),
    };
    let mut last = 0;
    loop {
        let part = store.read(|db| chronicle::after(db, last, PART))?;
        let Some((newest, _, _)) = part.last() else {
            break;
        };
        last = *newest;
        for (_, at, happened) in part {
            replay.play(at, happened).await?;
        }
    }
    replay::take_feed_states(rebuilt, copy)?;
    replay.finish().await?;
    Ok(store.read(|kept| target.read(|new| replay::compared(kept, new)))?)
}

/// The state of a replay: what each site holds so far.
struct Replay<'a> {
    store: &'a Store,
    target: &'a Store,
    histories: Histories,
    held: HashMap<i64, BTreeMap<(Origin, String), Entry>>,
}

impl Replay<'_> {
    async fn play(&mut self, at: Timestamp, happened: Happened) -> Result<()> {
        match happened {
            Happened::Sync {
                site_id,
                generated_at,
                source,
                hash,
                delta,
            } => {
                let inventory = self.inventory(site_id, generated_at, &delta)?;
                let arrival = Arrival {
                    site_id,
                    now: at,
                    source: Source::from_word(&source),
                    hash,
                    inventory,
                    unread: None,
                    histories: self.histories.clone(),
                };
                self.target
                    .write(Lane::Back, move |db| match arrival.apply(db)? {
                        Outcome::Taken(_) => Ok(()),
                        _ => Err(Error::Internal(format!(
                            "the sync of site {site_id} at {at} can't be played again"
                        ))),
                    })
                    .await
            }
            Happened::Publication {
                module,
                publication_id,
            } => self.publish(&module, publication_id, at).await,
            Happened::Advised(revision) => {
                let record = self.store.read(|db| advisories::revision(db, revision))?;
                let taking = Taking {
                    histories: self.histories.clone(),
                    now: at,
                };
                advising::take(self.target, taking, record).await?;
                while publishing::tell_next(self.target).await? {}
                Ok(())
            }
            Happened::Deleted(site_id) => {
                self.target
                    .write(Lane::Back, move |db| {
                        sites::delete(db, site_id, Going::Itself, "check", at)
                    })
                    .await?;
                Ok(())
            }
            Happened::Restored(site_id) => {
                self.target
                    .write(Lane::Back, move |db| {
                        sites::restore(db, site_id, "check", at)?;
                        ledger::catch_up(db, site_id, at)
                    })
                    .await?;
                Ok(())
            }
            Happened::Clock(site_id) => {
                self.target
                    .write(Lane::Back, move |db| {
                        clocks::look(db, site_id, at).map(drop)
                    })
                    .await?;
                Ok(())
            }
            Happened::Moved(site_id) => {
                self.target
                    .write(Lane::Back, move |db| {
                        replay::forget_installation(db, site_id)
                    })
                    .await?;
                Ok(())
            }
        }
    }

    /// The whole inventory that a sync brought, from what it changed.
    fn inventory(
        &mut self,
        site_id: i64,
        generated_at: Timestamp,
        delta: &[u8],
    ) -> Result<Inventory> {
        let delta: Delta<'_> = blob::unpack(delta)?;
        let held = self.held.entry(site_id).or_default();
        for (origin, name) in delta.gone {
            held.remove(&(origin, name.into_owned()));
        }
        for entry in delta.put {
            held.insert((entry.origin, entry.name.clone()), entry.into_owned());
        }
        Ok(Inventory {
            generated_at: Some(generated_at),
            facts: delta.facts.into_owned(),
            pulse: Pulse::default(),
            entries: held.values().cloned().collect(),
        })
    }

    async fn publish(&self, name: &str, publication_id: i64, at: Timestamp) -> Result<()> {
        let history = self
            .store
            .read(|db| publications::document(db, publication_id))?;
        let (name, histories) = (name.to_owned(), self.histories.clone());
        self.target
            .write(Lane::Back, move |db| {
                let module_id = match catalogue::find(db, Origin::Project, 0, &name)? {
                    Some(module) => module.id,
                    None => catalogue::add(db, &NewModule::project(&name), at)?,
                };
                let recording = Recording {
                    histories,
                    stale_after: SignedDuration::from_hours(24),
                    module_id,
                    now: at,
                    as_of: at,
                };
                let answer = Fetched::Document {
                    history: Box::new(history),
                    etag: None,
                    last_modified: None,
                };
                recording.record(db, &answer)
            })
            .await?;
        while publishing::tell_next(self.target).await? {}
        Ok(())
    }

    /// Judges what never had a good answer, and counts every site.
    async fn finish(&self) -> Result<()> {
        let histories = self.histories.clone();
        self.target
            .write(Lane::Back, move |db| {
                let (modules, sites) = check::everything(db)?;
                for id in modules {
                    judge_without_history(db, &histories, id)?;
                }
                for site in sites {
                    if check::has_spoken(db, site)? {
                        ledger::recount(db, site)?;
                    }
                }
                Ok::<_, StoreError>(())
            })
            .await?;
        Ok(())
    }
}

fn judge_without_history(
    db: &Connection,
    histories: &Histories,
    module_id: i64,
) -> store::Result<()> {
    let Some(module) = catalogue::get(db, module_id)?.filter(|m| m.publication_id.is_none()) else {
        return Ok(());
    };
    let grounds = histories.grounds(db, &module)?;
    for version in module_versions::of_module(db, module_id)? {
        let judged = grounds
            .about(&module)
            .judge(version.version.as_deref(), version.datestamp);
        if judged != version.judgement {
            let known = version.insecure_known_at;
            module_versions::set_judgement(db, version.id, &judged, known, Timestamp::UNIX_EPOCH)?;
        }
    }
    Ok(())
}
