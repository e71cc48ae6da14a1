//! The ledger's rows.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::Result;
use super::advisories::{self, Told};
use super::module_versions;
use super::publications::{self, Fix};
use super::sla::Promises;
use super::time::{at, ms};
use crate::domain::exposure::{Cause, CauseKind, Known, Outcome, Risk, Row, Step, Verdicts};
use crate::domain::judgement::Judgement;

/// The rows of a module on a site, in the order in which they opened.
///
/// # Errors
/// What SQLite says.
pub fn rows(db: &Connection, site_id: i64, module_id: i64) -> Result<Vec<Row>> {
    let mut query = db.prepare_cached(
        "SELECT id, cause_kind, cause, version_id, opened_at, known_at, due_at, unproven_since, closed_at, outcome, risk
         FROM exposures WHERE site_id = ?1 AND module_id = ?2 ORDER BY opened_at, id",
    )?;
    let rows = query.query_map([site_id, module_id], |row| {
        let kind: String = row.get(1)?;
        let outcome: Option<String> = row.get(9)?;
        let closed: Option<i64> = row.get(8)?;
        let risk: Option<String> = row.get(10)?;
        Ok(Row {
            id: row.get(0)?,
            cause: Cause {
                kind: CauseKind::from_word(&kind).unwrap_or(CauseKind::Project),
                id: row.get(2)?,
            },
            version_id: row.get(3)?,
            opened_at: at(row.get(4)?),
            known_at: at(row.get(5)?),
            risk: risk.as_deref().and_then(Risk::from_word),
            due_at: row.get::<_, Option<i64>>(6)?.map(at),
            unproven_since: row.get::<_, Option<i64>>(7)?.map(at),
            closed: closed
                .zip(outcome.as_deref().and_then(Outcome::from_word))
                .map(|(closed, how)| (at(closed), how)),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The open rows of a site: each one's module and due time, by module.
///
/// # Errors
/// What SQLite says.
pub fn open_of(db: &Connection, site_id: i64) -> Result<Vec<(i64, Option<Timestamp>)>> {
    let mut query = db.prepare_cached(
        "SELECT module_id, due_at FROM exposures INDEXED BY exposures_open WHERE site_id = ?1 AND closed_at IS NULL
         ORDER BY module_id",
    )?;
    let rows = query.query_map([site_id], |row| {
        Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?.map(at)))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Whose rows are written.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The site's organization.
    pub organization_id: i64,
    /// The site.
    pub site_id: i64,
    /// The module.
    pub module_id: i64,
}

/// Takes one step of the ledger for a site to which that was promised. Gives the patch run that closed a
/// row, where one did.
///
/// # Errors
/// What SQLite says.
pub fn take(
    db: &Connection,
    (place, promises): (&Place, &Promises),
    step: &Step,
    now: Timestamp,
) -> Result<Option<i64>> {
    match step {
        Step::Open(new) => {
            let (closed_at, outcome, sync) = match new.closed {
                Some((at, how, sync)) => (Some(ms(at)), Some(how.word()), sync),
                None => (None, None, None),
            };
            let patch_run = patch_run(db, sync)?;
            db.prepare_cached(
                "INSERT INTO exposures (organization_id, site_id, module_id, version_id, cause_kind, cause, no_fix, risk,
                    published_at, opened_at, known_at, due_at, unproven_since, closed_at, outcome, closed_by_sync_id,
                    closed_by_patch_run_id, created_at, updated_at, environment, warn_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?18, ?19, ?20)",
            )?
            .execute(params![
                place.organization_id,
                place.site_id,
                place.module_id,
                new.version_id,
                new.cause.kind.word(),
                new.cause.id,
                new.cause.kind != CauseKind::Release,
                new.risk.map(|risk| risk.word()),
                new.published_at.map(ms),
                ms(new.opened_at),
                ms(new.known_at),
                new.due_at.map(ms),
                new.unproven_since.map(ms),
                closed_at,
                outcome,
                sync,
                patch_run,
                ms(now),
                promises.environment(new.opened_at),
                new.warn_at.map(ms)
            ])?;
            Ok(patch_run)
        }
        Step::Close {
            row,
            at,
            outcome,
            by_sync,
        } => {
            let patch_run = patch_run(db, *by_sync)?;
            db.prepare_cached(
                "UPDATE exposures SET closed_at = ?2, outcome = ?3, closed_by_sync_id = ?4, closed_by_patch_run_id = ?5,
                    updated_at = ?6 WHERE id = ?1",
            )?
            .execute(params![row, ms(*at), outcome.word(), by_sync, patch_run, ms(now)])?;
            Ok(patch_run)
        }
        Step::Follow {
            row,
            version_id,
            unproven_since,
        } => {
            db.prepare_cached(
                "UPDATE exposures SET version_id = ?2, unproven_since = ?3, updated_at = ?4 WHERE id = ?1",
            )?
            .execute(params![row, version_id, unproven_since.map(ms), ms(now)])?;
            Ok(None)
        }
        Step::Weigh { row, risk, due_by } => {
            db.prepare_cached(
                "UPDATE exposures SET risk = ?2, due_at = min(due_at, ifnull(?3, due_at)), updated_at = ?4,
                    warn_at = CASE WHEN ?3 < due_at THEN 0 ELSE warn_at END WHERE id = ?1",
            )?
            .execute(params![row, risk.word(), due_by.map(ms), ms(now)])?;
            Ok(None)
        }
        Step::Retarget {
            row,
            cause,
            published_at,
        } => {
            db.prepare_cached(
                "UPDATE exposures SET cause_kind = ?2, cause = ?3, no_fix = ?4, published_at = ?5, updated_at = ?6 WHERE id = ?1",
            )?
            .execute(params![
                row,
                cause.kind.word(),
                cause.id,
                cause.kind != CauseKind::Release,
                published_at.map(ms),
                ms(now)
            ])?;
            Ok(None)
        }
        Step::Merge { into, from } => {
            db.prepare_cached(
                "UPDATE exposures AS e SET opened_at = min(e.opened_at, o.opened_at), known_at = min(e.known_at, o.known_at),
                    due_at = min(ifnull(e.due_at, o.due_at), ifnull(o.due_at, e.due_at)), warn_at = 0, updated_at = ?3,
                    assignee_id = ifnull(e.assignee_id, o.assignee_id), assigned_at = ifnull(e.assigned_at, o.assigned_at),
                    acknowledged_at = ifnull(e.acknowledged_at, o.acknowledged_at), acknowledged_by = ifnull(e.acknowledged_by, o.acknowledged_by),
                    snoozed_until = ifnull(e.snoozed_until, o.snoozed_until), snooze_reason = ifnull(e.snooze_reason, o.snooze_reason),
                    snoozed_by = ifnull(e.snoozed_by, o.snoozed_by)
                 FROM (SELECT * FROM exposures WHERE id = ?2) AS o WHERE e.id = ?1",
            )?
            .execute(params![into, from, ms(now)])?;
            db.prepare_cached(
                "UPDATE OR IGNORE exposure_events SET exposure_id = ?1 WHERE exposure_id = ?2",
            )?
            .execute([into, from])?;
            db.prepare_cached("DELETE FROM exposure_events WHERE exposure_id = ?1")?
                .execute([from])?;
            db.prepare_cached("DELETE FROM exposure_advisories WHERE exposure_id = ?1")?
                .execute([from])?;
            db.prepare_cached("DELETE FROM exposures WHERE id = ?1")?
                .execute([from])?;
            Ok(None)
        }
    }
}

fn patch_run(db: &Connection, sync: Option<i64>) -> Result<Option<i64>> {
    match sync {
        Some(sync) => super::syncs::patch_run_of(db, sync),
        None => Ok(None),
    }
}

/// What a patch run fixed: recounted after its rows were closed.
///
/// # Errors
/// What SQLite says.
pub fn recount_patches(db: &Connection, patch_run_id: i64) -> Result<()> {
    db.prepare_cached(
        "UPDATE patch_runs SET security_patches_applied = (SELECT count(*) FROM exposures
            WHERE closed_by_patch_run_id = ?1 AND outcome IN ('met', 'breached')) WHERE id = ?1",
    )?
    .execute([patch_run_id])?;
    Ok(())
}

/// What is known of the versions of one module, read once.
#[derive(Debug)]
pub struct Book {
    project: String,
    versions: HashMap<i64, (Judgement, Option<Timestamp>)>,
    fixes: HashMap<String, Fix>,
    /// Empty where none of the versions and causes has to do with an advisory.
    advisories: HashMap<String, Told>,
}

impl Book {
    /// Reads what the ledger asks about the versions that ran and those of the rows.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn read(
        db: &Connection,
        module_id: i64,
        project: &str,
        ran: impl IntoIterator<Item = i64>,
        rows: &[Row],
    ) -> Result<Self> {
        let mut book = Self {
            project: project.to_owned(),
            versions: HashMap::new(),
            fixes: publications::fixes(db, module_id)?
                .into_iter()
                .map(|fix| (fix.version.clone(), fix))
                .collect(),
            advisories: HashMap::new(),
        };
        for id in ran.into_iter().chain(rows.iter().map(|row| row.version_id)) {
            if let std::collections::hash_map::Entry::Vacant(place) = book.versions.entry(id) {
                let version = module_versions::get(db, id)?;
                place.insert((version.judgement, version.insecure_known_at));
            }
        }
        let advised = book
            .versions
            .values()
            .any(|(judged, _)| !judged.advisories.is_empty())
            || rows.iter().any(|row| row.cause.kind == CauseKind::Advisory);
        if advised {
            book.advisories = advisories::told(db, project)?;
        }
        Ok(book)
    }

    fn judged(&self, version_id: i64) -> Option<&Judgement> {
        self.versions.get(&version_id).map(|(judged, _)| judged)
    }

    /// The advisories that explain a row of a cause at a version.
    fn explaining<'a>(
        &'a self,
        version_id: i64,
        cause: &'a Cause,
    ) -> impl Iterator<Item = &'a Told> {
        let judged = self.judged(version_id);
        judged
            .into_iter()
            .flat_map(|judged| &judged.advisories)
            .filter(move |found| {
                judged
                    .and_then(|judged| judged.cause_of(&found.id))
                    .as_ref()
                    == Some(cause)
            })
            .filter_map(|found| self.advisories.get(&found.id))
    }

    /// The worst risk that explains a cause at a version, and since when it is known.
    fn risk(&self, version_id: i64, cause: &Cause) -> Option<(Risk, Timestamp)> {
        self.explaining(version_id, cause)
            .filter_map(|told| told.risk)
            .min()
    }

    /// Makes the windows of a module on a site name the advisories that explain them.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn explain(&self, db: &Connection, place: &Place) -> Result<()> {
        let before = advisories::explained(db, place.site_id, place.module_id)?;
        if before.is_empty() && self.advisories.is_empty() {
            return Ok(());
        }
        let rows = rows(db, place.site_id, place.module_id)?;
        let mut after = HashSet::new();
        let mut open = HashSet::new();
        // The newest first: an advisory explains one open window of a site at most.
        for row in rows.iter().rev() {
            if row.closed.is_some() {
                // What is closed stays as it was, though the advisory was corrected or taken back.
                after.extend(before.iter().filter(|(id, _)| *id == row.id));
            }
            for told in self.explaining(row.version_id, &row.cause) {
                if row.closed.is_some() || open.insert(told.id) {
                    after.insert((row.id, told.id));
                }
            }
        }
        for (row, advisory) in before.difference(&after) {
            advisories::unexplain(db, *row, *advisory)?;
        }
        for (row, advisory) in after.difference(&before) {
            advisories::explain(db, *row, *advisory)?;
        }
        Ok(())
    }
}

impl Verdicts for Book {
    fn causes(&self, version_id: i64) -> Vec<Cause> {
        self.judged(version_id)
            .map(|judged| judged.causes(&self.project))
            .unwrap_or_default()
    }

    fn exposed(&self, version_id: i64) -> Option<bool> {
        self.judged(version_id).and_then(Judgement::exposed)
    }

    fn about(&self, version_id: i64, cause: &Cause) -> Option<bool> {
        self.judged(version_id)
            .and_then(|judged| judged.about(cause))
    }

    fn exists(&self, cause: &Cause) -> bool {
        match cause.kind {
            CauseKind::Release => self.fixes.contains_key(&cause.id),
            CauseKind::Advisory => self
                .advisories
                .get(&cause.id)
                .is_some_and(|told| told.stands),
            CauseKind::Project => true,
        }
    }

    fn attached(&self, version_id: i64, advisory: &str) -> Option<Cause> {
        self.judged(version_id)
            .and_then(|judged| judged.cause_of(advisory))
    }

    fn known(&self, cause: &Cause, version_id: i64) -> Option<Known> {
        let (date, known_at) = match cause.kind {
            CauseKind::Release => {
                let fix = self.fixes.get(&cause.id)?;
                (fix.date, fix.known_at)
            }
            CauseKind::Advisory => {
                let told = self.advisories.get(&cause.id)?;
                (Some(told.published_at), told.known_at)
            }
            CauseKind::Project => (
                None,
                self.versions
                    .get(&version_id)
                    .and_then(|(_, known)| *known)?,
            ),
        };
        Some(Known {
            cause: cause.clone(),
            date,
            known_at,
            risk: self.risk(version_id, cause),
        })
    }
}
