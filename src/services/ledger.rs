//! Keeping the ledger, the sites' words and their counters true: the one place in which a fact's
//! consequences are drawn, whichever spring it came from. Called inside the write that holds the fact.

use jiff::Timestamp;

use super::Result;
use crate::app::App;
use crate::config::Sla;
use crate::domain::exposure::{Verdicts, reconcile as steps};
use crate::domain::site_status::{Counted, Standing, Tally, tally};
use crate::domain::sla::{Hours, Policy};
use crate::store::ledger::{Book, Place};
use crate::store::sla::Promises;
use crate::store::{
    self, Connection, Lane, catalogue, chronicle, contacts, fanouts, inventory, ledger, sla,
};

/// The hours that the configuration states.
pub fn hours(sla: &Sla) -> Hours {
    Hours {
        highly_critical: sla.highly_critical_hours,
        critical: sla.critical_hours,
        moderately_critical: sla.moderately_critical_hours,
        less_critical: sla.less_critical_hours,
        not_critical: sla.not_critical_hours,
    }
}

/// Adds what the configuration states to the versions that hold where an organization has none of its own,
/// where it differs from the newest: what is due by that one stays due by it. Before anything is on record
/// it holds from the beginning.
///
/// # Errors
/// What the store says.
pub async fn keep_promise(app: &App) -> Result<()> {
    let (stated, now) = (Policy::plain(hours(&app.config.sla)), app.clock.now());
    if app
        .store
        .read(|db| sla::in_force(db, 0, Timestamp::MAX))?
        .policy
        == stated
    {
        return Ok(());
    }
    app.store
        .write(Lane::Front, move |db| {
            let from = if chronicle::is_empty(db)? {
                Timestamp::UNIX_EPOCH
            } else {
                now.max(sla::in_force(db, 0, Timestamp::MAX)?.valid_from)
            };
            sla::add(db, None, &stated, "system", (from, now))
        })
        .await?;
    Ok(())
}

/// Makes the ledger's rows of one (site, module) say what follows from its history. `now` is the
/// time of the sync or publication that asks.
///
/// # Errors
/// What the store says.
pub fn reconcile(
    db: &Connection,
    place: &Place,
    project: &str,
    now: Timestamp,
) -> store::Result<()> {
    let runs = inventory::runs(db, place.site_id, place.module_id)?;
    let rows = ledger::rows(db, place.site_id, place.module_id)?;
    let ran = runs.iter().map(|run| run.version_id);
    let book = Book::read(db, place.module_id, project, ran, &rows)?;
    if rows.is_empty()
        && runs
            .iter()
            .all(|run| book.causes(run.version_id).is_empty())
    {
        return Ok(());
    }
    let promises = Promises::read(db, place.site_id, place.organization_id)?;
    let mut patch_runs = Vec::new();
    for step in steps(now, &runs, &rows, &book, &promises) {
        patch_runs.extend(ledger::take(db, (place, &promises), &step, now)?);
    }
    book.explain(db, place)?;
    patch_runs.dedup();
    for patch_run in patch_runs {
        ledger::recount_patches(db, patch_run)?;
    }
    Ok(())
}

/// Draws for one site the consequences of what was published and not yet told: before it syncs again or is
/// deleted, so that what was first is drawn first. `true`: there was something; the site is to be counted anew.
///
/// # Errors
/// What the store says.
pub fn settle(db: &Connection, site_id: i64) -> store::Result<bool> {
    let untold = fanouts::untold(db, site_id)?;
    if untold.is_empty() {
        return Ok(false);
    }
    let Some(site) = contacts::standpoint(db, site_id)? else {
        return Ok(false);
    };
    for (module_id, project, requested_at) in untold {
        let place = Place {
            organization_id: site.organization_id,
            site_id,
            module_id,
        };
        reconcile(db, &place, &project, requested_at)?;
        fanouts::told_after_all(db, site_id, module_id)?;
    }
    Ok(true)
}

/// As [`settle`], where the site must go on whatever is wrong with its rows: before it is deleted, or its
/// clocks are read. What can't be told is left.
///
/// # Errors
/// What SQLite says of the savepoint.
pub fn settle_or_leave(db: &Connection, site_id: i64) -> store::Result<bool> {
    db.prepare_cached("SAVEPOINT settled")?.execute([])?;
    let settled = settle(db, site_id);
    if let Err(error) = &settled {
        tracing::error!(site = site_id, %error, "a site could not be told what was published");
        db.prepare_cached("ROLLBACK TO settled")?.execute([])?;
    }
    db.prepare_cached("RELEASE settled")?.execute([])?;
    Ok(settled.unwrap_or(false))
}

/// Draws the consequences of what was published while a site was deleted, and counts it: it stands
/// as if it had been there all the time.
///
/// # Errors
/// What the store says.
pub fn catch_up(db: &Connection, site_id: i64, now: Timestamp) -> store::Result<()> {
    let Some(site) = contacts::standpoint(db, site_id)? else {
        return Ok(());
    };
    for module_id in catalogue::deleted_on(db, site_id)? {
        catalogue::restore(db, module_id, now)?;
    }
    for (module_id, project) in catalogue::questionable(db, site_id)? {
        let place = Place {
            organization_id: site.organization_id,
            site_id,
            module_id,
        };
        reconcile(db, &place, &project, now)?;
    }
    // A site that never spoke waits: there is nothing to count on it.
    if site.last_sync_at.is_some() {
        recount(db, site_id)?;
    }
    Ok(())
}

/// Counts a site anew: its word, its counters, its open exposures. `true`: something differed.
///
/// # Errors
/// What the store says.
pub fn recount(db: &Connection, site_id: i64) -> store::Result<bool> {
    let modules = inventory::counted(db, site_id)?;
    let open = ledger::open_of(db, site_id)?;
    Ok(count(db, site_id, &modules, &open)?.differed)
}

/// What counting a site gave.
#[derive(Debug, Clone, Copy)]
pub struct Count {
    /// Its word and its counters.
    pub tally: Tally,
    /// (site, module) pairs with an open row.
    pub open_exposures: i64,
    /// Something differed from what was counted before.
    pub differed: bool,
}

/// Counts a site whose modules (each with its version) and open rows (module and due time, by
/// module) have been read already.
///
/// # Errors
/// What the store says.
pub fn count(
    db: &Connection,
    site_id: i64,
    modules: &[(i64, Counted)],
    open: &[(i64, Option<Timestamp>)],
) -> store::Result<Count> {
    let tally = tally(modules.iter().map(|(_, counted)| *counted));
    let core = modules
        .iter()
        .find(|(_, counted)| counted.core && counted.standing != Standing::Custom)
        .map(|(version_id, _)| *version_id);
    let pairs = open.chunk_by(|a, b| a.0 == b.0).count();
    let open_exposures = i64::try_from(pairs).unwrap_or(i64::MAX);
    let next_due = open.iter().filter_map(|(_, due)| *due).min();
    let open = (open_exposures, next_due);
    Ok(Count {
        tally,
        open_exposures,
        differed: inventory::set_tally(db, site_id, &tally, core, open)?,
    })
}
