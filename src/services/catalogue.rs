//! What drupal.org publishes: taking its answers, judging versions anew, and telling the sites.
//!
//! A publication and the judgements that follow from it are one commit; the sites that run what
//! was judged anew are told in small batches afterwards, and a sync that comes first sees the new
//! judgements already.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ring::digest::{SHA256, digest};

use super::histories::{Grounds, Histories};
use super::{Error, Result, advisory_feed, ledger};
use crate::app::App;
use crate::clock::Stopwatch;
use crate::domain::exposed::BranchFix;
use crate::domain::exposure::CauseKind;
use crate::domain::inventory::Origin;
use crate::domain::judgement::{FeedState, Judgement};
use crate::domain::prepared::Prepared;
use crate::domain::release_history::ReleaseHistory;
use crate::domain::schedule::{self, Outcome, Subject};
use crate::outbound::drupal_org::Fetched;
use crate::store::catalogue::{Checked, Module};
use crate::store::fanouts::LeftUntold;
use crate::store::ledger::Place;
use crate::store::module_versions::Version;
use crate::store::{
    Connection, Lane, Store, StoreError, catalogue, chronicle, contacts, fanouts, module_versions,
    publications,
};

/// How long one batch of background work may hold the writer.
const BATCH: Duration = Duration::from_millis(10);

/// The modules that are due now, the longest due first.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Internal`].
pub fn due(app: &App, most: u32) -> Result<Vec<Module>> {
    let now = app.clock.now();
    Ok(app.store.read(|db| catalogue::due(db, now, most))?)
}

/// The module of that id.
///
/// # Errors
/// [`Error::NotFound`]; what the store says.
pub fn module(app: &App, id: i64) -> Result<Module> {
    app.store
        .read(|db| catalogue::get(db, id))?
        .ok_or(Error::NotFound)
}

/// Takes an answer about a module: stores a new document, judges the module's versions anew and
/// remembers whom to tell. The last good data stays when nothing good came.
///
/// # Errors
/// [`Error::NotFound`] where there is no such module; otherwise what the store says.
pub async fn record(app: &App, module_id: i64, answer: Fetched) -> Result<()> {
    record_as_of(app, module_id, answer, app.clock.now()).await
}

/// The same with an answer that was given at another time than now: one that was carried here.
///
/// # Errors
/// As [`record`].
pub async fn record_as_of(
    app: &App,
    module_id: i64,
    answer: Fetched,
    as_of: Timestamp,
) -> Result<()> {
    let longest = SignedDuration::try_from(app.config.feed.stale_after);
    let work = Recording {
        histories: app.histories.clone(),
        // The freshest history proves nothing while advisories are missing.
        stale_after: if lacks_advisories(app)? {
            SignedDuration::ZERO
        } else {
            longest.unwrap_or(SignedDuration::MAX)
        },
        module_id,
        now: app.clock.now(),
        as_of: as_of.min(app.clock.now()),
    };
    let work = Arc::new((work, answer));
    loop {
        // What was published before is told to the end first, so that the order of publications is kept.
        while fan_out_module(&app.store, module_id).await? {}
        let mine = Arc::clone(&work);
        let recorded = app
            .store
            .write(Lane::Back, move |db| {
                if fanouts::of_module(db, module_id)?.is_some() {
                    return Ok(false);
                }
                mine.0.record(db, &mine.1).map(|()| true)
            })
            .await?;
        if recorded {
            return Ok(());
        }
    }
}

/// An answer on its way into the store.
pub(super) struct Recording {
    pub histories: Histories,
    pub stale_after: SignedDuration,
    pub module_id: i64,
    pub now: Timestamp,
    /// When the answer was given.
    pub as_of: Timestamp,
}

impl Recording {
    pub(super) fn record(&self, db: &Connection, answer: &Fetched) -> Result<()> {
        let Some(module) = catalogue::get(db, self.module_id)? else {
            return Err(Error::NotFound);
        };
        match answer {
            Fetched::Document {
                history,
                etag,
                last_modified,
            } => self.document(
                db,
                &module,
                history,
                (etag.as_deref(), last_modified.as_deref()),
            )?,
            Fetched::NotModified if module.publication_id.is_some() => {
                let (etag, modified) = (module.etag.clone(), module.last_modified.clone());
                self.good(db, &module, etag.as_deref(), modified.as_deref())?;
            }
            // A "not modified" without anything stored says nothing: ask again without validators.
            Fetched::NotModified => self.bad(
                db,
                &module,
                FeedState::Failed,
                "answered 304 to a first request",
                None,
            )?,
            Fetched::Absent => self.absent(db, &module)?,
            Fetched::Unreadable { reason } => {
                self.bad(db, &module, FeedState::Unreadable, reason, None)?;
            }
            Fetched::Failed {
                reason,
                retry_after,
            } => self.bad(db, &module, FeedState::Failed, reason, *retry_after)?,
        }
        Ok(())
    }

    fn document(
        &self,
        db: &Connection,
        module: &Module,
        history: &ReleaseHistory,
        (etag, last_modified): (Option<&str>, Option<&str>),
    ) -> Result<()> {
        let hash = digest(&SHA256, &serde_json::to_vec(history).map_err(internal)?);
        let newest = match module.publication_id {
            Some(id) => publications::newest_hash(db, id)?,
            None => None,
        };
        if newest.as_deref() != Some(hash.as_ref()) {
            let id = publications::publish(db, module.id, hash.as_ref(), history, self.now)?;
            chronicle::write(db, "publication", id, self.now)?;
            let module = Module {
                feed: FeedState::Ok,
                publication_id: Some(id),
                ..module.clone()
            };
            judge_anew(db, &self.histories, &module, self.now)?;
        }
        self.good(db, module, etag, last_modified)
    }

    /// A good answer: the data is fresh again.
    fn good(
        &self,
        db: &Connection,
        module: &Module,
        etag: Option<&str>,
        last_modified: Option<&str>,
    ) -> Result<()> {
        let success_at = module
            .last_success_at
            .map_or(self.as_of, |last| last.max(self.as_of));
        let stale_at = success_at.checked_add(self.stale_after).ok();
        let stale = stale_at.is_some_and(|at| at <= self.now);
        if module.stale != stale {
            let versions = module_versions::of_module(db, module.id)?;
            let all: Vec<i64> = versions.iter().map(|version| version.id).collect();
            fanouts::request(db, module.id, &all, self.now)?;
        }
        let checked = Checked {
            feed: FeedState::Ok,
            error: None,
            failures: 0,
            success_at: Some(success_at),
            next_check_at: self.next(module, Outcome::Good),
            stale_at: stale_at.filter(|_| !stale),
            stale,
            etag,
            last_modified,
        };
        Ok(catalogue::set_checked(db, module.id, &checked, self.now)?)
    }

    /// drupal.org knows no such project. What was good before stays what it was: a project that
    /// vanishes is no proof that it is safe.
    fn absent(&self, db: &Connection, module: &Module) -> Result<()> {
        let feed = self.settle(db, module, FeedState::Absent)?;
        let in_a_row = in_a_row(module, feed);
        let outcome = if feed == FeedState::Absent {
            Outcome::Absent { in_a_row }
        } else {
            Outcome::Failed {
                in_a_row,
                retry_after: None,
            }
        };
        let next = self.next(module, outcome);
        self.keep(
            db,
            module,
            feed,
            "drupal.org knows no such project",
            in_a_row,
            next,
        )
    }

    fn bad(
        &self,
        db: &Connection,
        module: &Module,
        state: FeedState,
        reason: &str,
        retry_after: Option<Duration>,
    ) -> Result<()> {
        let feed = self.settle(db, module, state)?;
        let in_a_row = in_a_row(module, feed);
        let next = self.next(
            module,
            Outcome::Failed {
                in_a_row,
                retry_after: retry_after.and_then(|wait| SignedDuration::try_from(wait).ok()),
            },
        );
        self.keep(db, module, feed, reason, in_a_row, next)
    }

    /// The state after an answer that wasn't good; versions are judged anew where it changes.
    fn settle(&self, db: &Connection, module: &Module, state: FeedState) -> Result<FeedState> {
        if module.publication_id.is_some() {
            return Ok(FeedState::Ok);
        }
        if module.feed != state {
            let module = Module {
                feed: state,
                ..module.clone()
            };
            judge_anew(db, &self.histories, &module, self.now)?;
        }
        Ok(state)
    }

    fn keep(
        &self,
        db: &Connection,
        module: &Module,
        feed: FeedState,
        reason: &str,
        failures: u32,
        next_check_at: Option<Timestamp>,
    ) -> Result<()> {
        let stale_at = match module.last_success_at {
            Some(success) if !module.stale => success.checked_add(self.stale_after).ok(),
            _ => None,
        };
        let checked = Checked {
            feed,
            error: Some(reason),
            failures,
            success_at: module.last_success_at,
            next_check_at,
            stale_at,
            stale: module.stale,
            etag: module.etag.as_deref(),
            last_modified: module.last_modified.as_deref(),
        };
        Ok(catalogue::set_checked(db, module.id, &checked, self.now)?)
    }

    fn next(&self, module: &Module, outcome: Outcome) -> Option<Timestamp> {
        if module.deleted {
            return None;
        }
        let subject = Subject {
            id: module.id,
            looked_up: module.origin == Origin::Project,
            in_use: module.sites_count > 0,
        };
        schedule::next_check(self.now, subject, outcome)
    }
}

/// Judges all versions of a module by what is known of it now, and remembers whose sites are to be told.
pub(super) fn judge_anew(
    db: &Connection,
    histories: &Histories,
    module: &Module,
    now: Timestamp,
) -> Result<()> {
    let grounds = histories.grounds(db, module)?;
    let evidence = grounds.about(module);
    let mut flipped = Vec::new();
    let mut unmarked = Vec::new();
    for version in module_versions::of_module(db, module.id)? {
        let judged = evidence.judge(version.version.as_deref(), version.datestamp);
        unmarked.extend(judged.unmarked.iter().cloned());
        if judged == version.judgement {
            continue;
        }
        let known = insecure_known_at(&judged, &module.name, version.insecure_known_at, now);
        module_versions::set_judgement(db, version.id, &judged, known, now)?;
        if matters(&judged, &version) {
            flipped.push(version.id);
        }
    }
    publications::set_fixes(db, module.id, &fixes(&grounds, &unmarked), now)?;
    if !flipped.is_empty() {
        fanouts::request(db, module.id, &flipped, now)?;
    }
    Ok(())
}

/// How often in a row it went like this: absence and failure are counted apart.
fn in_a_row(module: &Module, now: FeedState) -> u32 {
    if (module.feed == FeedState::Absent) == (now == FeedState::Absent) {
        module.failures.saturating_add(1)
    } else {
        1
    }
}

/// Since when a version is known to be insecure without a fix.
pub(super) fn insecure_known_at(
    judged: &Judgement,
    project: &str,
    before: Option<Timestamp>,
    now: Timestamp,
) -> Option<Timestamp> {
    judged
        .causes(project)
        .iter()
        .any(|cause| cause.kind == CauseKind::Project)
        .then(|| before.unwrap_or(now))
}

/// The new judgement changes something for the sites that run the version, or ran it.
fn matters(judged: &Judgement, before: &Version) -> bool {
    let fixes = |judgement: &Judgement| {
        judgement
            .assessment
            .as_ref()
            .map(|assessment| assessment.exposed.fixes.clone())
    };
    judged.standing != before.judgement.standing
        || judged.advisories != before.judgement.advisories
        || judged.unclear != before.judgement.unclear
        || judged.unmarked != before.judgement.unmarked
        || judged.exposed() != before.judgement.exposed()
        || fixes(judged) != fixes(&before.judgement)
}

/// The releases of a module that are fixes: its valid, published security releases, and those that only
/// advisories name.
fn fixes<'a>(grounds: &'a Grounds, unmarked: &'a [BranchFix]) -> Vec<(&'a str, Option<Timestamp>)> {
    let marked = grounds
        .history()
        .into_iter()
        .flat_map(Prepared::releases)
        .filter(|release| release.valid && release.published && release.security)
        .map(|release| (release.version.as_str(), release.real_date()));
    let mut fixes: Vec<(&str, Option<Timestamp>)> = marked
        .chain(unmarked.iter().map(|fix| (fix.version.as_str(), fix.date)))
        .map(|(version, date)| {
            (
                version,
                date.and_then(|date| Timestamp::from_second(date).ok()),
            )
        })
        .collect();
    fixes.sort_unstable();
    fixes.dedup_by_key(|(version, _)| *version);
    fixes
}

fn internal(error: serde_json::Error) -> Error {
    Error::Internal(error.to_string())
}

/// Tells the sites of one module whose versions were judged anew, or one that could not be told before;
/// `false`: nobody waits.
///
/// # Errors
/// What the store says.
pub async fn fan_out(app: &App) -> Result<bool> {
    let now = app.clock.now();
    if tell_next(&app.store).await? {
        return Ok(true);
    }
    match app.store.read(|db| fanouts::next_left(db, now))? {
        Some(left) => try_again(app, &left, now).await.map(|()| true),
        None => Ok(false),
    }
}

/// Tells the sites of the module that waits longest.
pub(super) async fn tell_next(store: &Store) -> Result<bool> {
    match store.read(fanouts::next)? {
        Some(module_id) => fan_out_module(store, module_id).await,
        None => Ok(false),
    }
}

pub(super) async fn fan_out_module(store: &Store, module_id: i64) -> Result<bool> {
    let waiting = store.read(|db| {
        let Some(fanout) = fanouts::of_module(db, module_id)? else {
            return Ok(None);
        };
        let sites = fanouts::sites(db, &fanout.versions)?;
        Ok::<_, StoreError>(Some((fanout, sites)))
    })?;
    let Some((fanout, sites)) = waiting else {
        return Ok(false);
    };
    let requested_at = fanout.requested_at;
    let sites: Arc<[i64]> = sites.into();
    let (mut done, mut together) = (0, true);
    while let Some(site_id) = sites.get(done).copied() {
        let batch = Arc::clone(&sites);
        let told = store
            .write(Lane::Back, move |db| {
                let until = if together { batch.len() } else { done + 1 };
                let batch = batch.get(done..until).unwrap_or_default();
                tell(db, module_id, batch, requested_at)
            })
            .await;
        done += match told {
            Ok(told) => told,
            Err(error) if !is_its_own(&error) => return Err(error),
            // One of them can't be told: from here on each is told alone, so that only that one is left.
            Err(_) if together => {
                together = false;
                continue;
            }
            Err(error) => {
                let left = LeftUntold {
                    module_id,
                    site_id,
                    requested_at,
                };
                leave(store, left, &error, requested_at).await?;
                1
            }
        };
    }
    store
        .write(Lane::Back, move |db| {
            fanouts::end(db, module_id, fanout.generation)
        })
        .await?;
    Ok(true)
}

/// What is wrong with one site's rows, and not with the store as a whole.
fn is_its_own(error: &Error) -> bool {
    matches!(error, Error::Internal(_))
}

/// How long a site that could not be told waits for the next try.
const AGAIN: SignedDuration = SignedDuration::from_mins(15);

async fn leave(store: &Store, left: LeftUntold, error: &Error, now: Timestamp) -> Result<()> {
    tracing::error!(site = left.site_id, module = left.module_id, %error, "a site could not be told what was published");
    let (why, again) = (error.to_string(), now.checked_add(AGAIN));
    store
        .write(Lane::Back, move |db| {
            fanouts::leave_untold(db, &left, &why, again.unwrap_or(Timestamp::MAX))
        })
        .await?;
    // Its windows can't be written, but its word and its counters follow from what its versions are called now.
    let counted = store.write(Lane::Back, move |db| ledger::recount(db, left.site_id));
    if let Err(error) = counted.await {
        tracing::error!(site = left.site_id, %error, "it could not be counted either");
    }
    Ok(())
}

async fn try_again(app: &App, left: &LeftUntold, now: Timestamp) -> Result<()> {
    let (module_id, site_id, requested_at) = (left.module_id, left.site_id, left.requested_at);
    let told = app
        .store
        .write(Lane::Back, move |db| {
            tell(db, module_id, &[site_id], requested_at).map(drop)
        })
        .await;
    match told {
        Err(error) if is_its_own(&error) => leave(&app.store, *left, &error, now).await,
        other => other,
    }
}

/// Tells sites until the batch's time is spent; gives how many were told.
fn tell(db: &Connection, module_id: i64, sites: &[i64], now: Timestamp) -> Result<usize> {
    let watch = Stopwatch::start();
    let Some(module) = catalogue::get(db, module_id)? else {
        return Ok(sites.len());
    };
    let mut told = 0;
    for site_id in sites {
        if let Some(site) = contacts::standpoint(db, *site_id)? {
            let place = Place {
                organization_id: site.organization_id,
                site_id: *site_id,
                module_id,
            };
            // What it was not told before comes first, as of then.
            let left = fanouts::left_of(db, *site_id, module_id)?;
            for requested_at in &left {
                ledger::reconcile(db, &place, &module.name, *requested_at)?;
            }
            if !left.is_empty() {
                fanouts::told_after_all(db, *site_id, module_id)?;
            }
            ledger::reconcile(db, &place, &module.name, now)?;
            ledger::recount(db, *site_id)?;
        }
        told += 1;
        if watch.spent() >= BATCH {
            break;
        }
    }
    Ok(told)
}

/// Advisories are followed, and were not told for too long.
fn lacks_advisories(app: &App) -> Result<bool> {
    Ok(advisory_feed::freshness(app)?.is_some_and(|fresh| fresh.too_old))
}

/// Marks modules whose data became too old; `false`: none is.
///
/// # Errors
/// What the store says.
pub async fn mark_stale(app: &App) -> Result<bool> {
    let now = app.clock.now();
    if lacks_advisories(app)? && app.store.read(|db| catalogue::any_fresh(db, now))? {
        app.store
            .write(Lane::Back, move |db| catalogue::end_freshness(db, now))
            .await?;
    }
    let modules = app
        .store
        .read(|db| catalogue::becoming_stale(db, now, 50))?;
    let some = !modules.is_empty();
    for module_id in modules {
        app.store
            .write(Lane::Back, move |db| {
                if !catalogue::set_stale(db, module_id, now)? {
                    return Ok(());
                }
                let all: Vec<i64> = module_versions::of_module(db, module_id)?
                    .iter()
                    .map(|version| version.id)
                    .collect();
                fanouts::request(db, module_id, &all, now)
            })
            .await?;
    }
    Ok(some)
}
