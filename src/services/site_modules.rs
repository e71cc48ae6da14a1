//! What a site runs: read with its verdicts, and with what depends on the site's core or the day.

use jiff::tz::TimeZone;

use super::lists::ask;
use super::{Error, Result, sites};
use crate::app::App;
use crate::domain::access::{Actor, Permission};
use crate::domain::compatibility::{CoreVersions, compatibilities};
use crate::domain::coverage::coverage;
use crate::domain::listing::{Page, Query};
use crate::domain::site_module::{Fitting, SiteModule};
use crate::store::{self, Connection, site_modules};

/// One page of what a site runs.
///
/// # Errors
/// [`Error::NotFound`] where the site isn't there or isn't the caller's to see.
pub async fn list(
    app: &App,
    actor: &Actor,
    site_id: i64,
    query: &Query,
) -> Result<Page<(SiteModule, Fitting)>> {
    actor.require(Permission::SitesRead)?;
    sites::seen(app, actor, site_id)?;
    app.store.read(|db| {
        let within = [("sm.site_id", site_id)];
        let page = site_modules::list(db, site_id, &ask(app, actor, query, &within))?;
        let core = core(app, db, site_id)?;
        let mut fittings = Vec::with_capacity(page.rows.len());
        for module in &page.rows {
            fittings.push(fitting(app, db, module, core.as_ref())?);
        }
        let mut fittings = fittings.into_iter();
        Ok::<_, Error>(page.map(|module| {
            let fitting = fittings.next().unwrap_or(Fitting {
                compatibility: Vec::new(),
                coverage: None,
            });
            (module, fitting)
        }))
    })
}

fn core(app: &App, db: &Connection, site_id: i64) -> store::Result<Option<CoreVersions>> {
    let Some((installed, publication)) = site_modules::core_of(db, site_id)? else {
        return Ok(None);
    };
    Ok(CoreVersions::new(
        &*app.histories.history(db, publication)?,
        &installed,
    ))
}

fn fitting(
    app: &App,
    db: &Connection,
    module: &SiteModule,
    core: Option<&CoreVersions>,
) -> store::Result<Fitting> {
    let mut fitting = Fitting {
        compatibility: Vec::new(),
        coverage: None,
    };
    let (Some(publication), Some(assessment)) =
        (module.publication_id, &module.judgement.assessment)
    else {
        return Ok(fitting);
    };
    if module.kind == "core" {
        let history = app.histories.history(db, publication)?;
        let today = app.clock.now().to_zoned(TimeZone::UTC).date();
        fitting.coverage = module.installed.as_deref().and_then(|installed| {
            let covered = coverage(&history, installed)?;
            let requirement = covered.requirement(installed, today);
            Some((covered, requirement))
        });
    } else if let Some(core) = core {
        let history = app.histories.history(db, publication)?;
        fitting.compatibility = compatibilities(assessment, &history, core);
    }
    Ok(fitting)
}
