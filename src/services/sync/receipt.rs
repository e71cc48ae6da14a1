//! What a site is told after its sync: what it changed, how the site stands now, what to update.

use jiff::Timestamp;

use super::arrival::{Arrival, Taken};
use crate::app::App;
use crate::domain::check_in::next_check_in;
use crate::domain::site_status::Standing;
use crate::services::Result;
use crate::store::exposures::{self, Open};
use crate::store::syncs::Counts;

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
    /// The advisories that name what is installed.
    pub advisories: Vec<String>,
    /// By when.
    pub due_at: Option<Timestamp>,
}

impl From<Open> for Update {
    fn from(open: Open) -> Self {
        Self {
            fixed_in: open.judgement.fixed_in(),
            advisories: open.judgement.advisory_ids(),
            recommended: open
                .judgement
                .assessment
                .and_then(|assessment| assessment.recommended),
            module: open.module,
            installed: open.installed,
            due_at: open.due_at,
        }
    }
}

/// The receipt of a sync that is on disk. Only a site with open exposures is asked about again.
///
/// # Errors
/// What the store says.
pub(super) fn write(app: &App, arrival: &Arrival, taken: &Taken) -> Result<Receipt> {
    let (site_id, received_at) = (arrival.site_id, arrival.now);
    let open = if taken.stands.open_exposures > 0 {
        app.store.read(|db| exposures::open(db, site_id))?
    } else {
        Vec::new()
    };
    Ok(Receipt {
        sync_id: taken.sync_id,
        site_id,
        received_at,
        counts: taken.counts,
        unknown: taken.stands.unknown,
        patch_run_id: taken.patch_run_id,
        status: taken.stands.status,
        open_exposures: taken.stands.open_exposures,
        updates: open.into_iter().map(Update::from).collect(),
        next_sync_before: next_check_in(
            received_at,
            taken.interval_minutes,
            site_id,
            taken.newest_site,
        ),
    })
}
