//! Patch runs that are announced, by deploy scripts above all. An announced run stays claimed until an
//! inventory of its site proves it, and closes no window before that.

use jiff::SignedDuration;
use serde_json::json;

use super::{Error, Result, audit};
use crate::app::App;
use crate::domain::access::{Actor, Permission, Sight};
use crate::domain::announcement::{Announcement, AnnouncementForm};
use crate::domain::fault::Fault;
use crate::domain::history::PatchRun;
use crate::store::audit::append;
use crate::store::{Lane, api_keys, history, patch_runs};

/// It is there and the caller can see it.
///
/// # Errors
/// [`Error::NotFound`].
pub fn seen(app: &App, sight: &Sight, id: i64) -> Result<()> {
    app.store
        .read(|db| history::patch_run(db, id).map_err(Error::from))?
        .filter(|(organization, run)| sight.sees(*organization, run.site_id))
        .map(drop)
        .ok_or(Error::NotFound)
}

/// Announces a run. The same one (site, commit, start) announced again is the same row, with what
/// was not said of it the first time.
///
/// # Errors
/// [`Error::Invalid`] with all faults, a site that isn't in sight among them.
pub async fn announce(app: &App, actor: &Actor, form: AnnouncementForm) -> Result<PatchRun> {
    let sight = actor.require(Permission::Sync)?;
    let now = app.clock.now();
    let tolerance =
        SignedDuration::try_from(app.config.sync.clock_tolerance).unwrap_or(SignedDuration::ZERO);
    let site = form.site_id;
    let checked = form.check(now, tolerance);
    let home = match site {
        Some(site) => app
            .store
            .read(|db| api_keys::organization_of_site(db, site).map_err(Error::from))?
            .filter(|organization| sight.sees(*organization, site)),
        None => None,
    };
    let (said, organization) = match (checked, home) {
        (Ok(said), Some(home)) => (said, home),
        (checked, home) => {
            let mut faults = checked.err().unwrap_or_default();
            if site.is_some() && home.is_none() {
                let detail = "There is none with this id.";
                faults.push(Fault::new("/site_id", "not_found", detail));
            }
            return Err(Error::Invalid(faults));
        }
    };
    let by = actor.label();
    let entry = audit::entry(app, actor, "patch_run.announced")
        .organization(organization)
        .site(said.site_id)
        .after(shown(&said));
    app.store
        .write(Lane::Front, move |db| {
            let (id, changed) = match patch_runs::announced_before(db, &said)? {
                Some(id) => (id, patch_runs::say_more(db, id, &said)?),
                None => (
                    patch_runs::announce(db, organization, &said, &by, now)?,
                    true,
                ),
            };
            if changed {
                append(db, &entry.subject("patch_run", id))?;
            }
            let (_, run) = history::patch_run(db, id)?.ok_or(Error::NotFound)?;
            Ok(run)
        })
        .await
}

/// What the record says about an announcement.
fn shown(said: &Announcement) -> serde_json::Value {
    json!({
        "performed_by": said.performed_by,
        "ticket": said.ticket,
        "commit": said.commit,
        "started_at": said.started_at,
        "finished_at": said.finished_at,
    })
}
