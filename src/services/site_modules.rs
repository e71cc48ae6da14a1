//! What a site runs: read with its verdicts, and with what depends on the site's core or the day.

use std::cell::OnceCell;
use std::sync::Arc;

use jiff::tz::TimeZone;
use moka::sync::Cache;

use super::lists::ask;
use super::{Error, Result, sites};
use crate::app::App;
use crate::domain::access::{Actor, Permission};
use crate::domain::compatibility::{Compatibility, CoreVersions, compatibilities, named};
use crate::domain::coverage::coverage;
use crate::domain::listing::{Page, Query};
use crate::domain::site_module::{Fitting, SiteModule};
use crate::domain::window::NeedsCore;
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
    let sight = actor.require(Permission::SitesRead)?;
    sites::seen(app, &sight, site_id)?;
    app.store.read(|db| {
        let within = [("sm.site_id", site_id)];
        let page = site_modules::list(db, &ask(app, &sight, query, &within))?;
        let core = Core::of(db, site_id)?;
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

/// The core that a site runs.
pub(super) struct Core {
    installed: String,
    publication: i64,
    /// Worked out at the first question.
    versions: OnceCell<Option<CoreVersions>>,
}

impl Core {
    pub(super) fn of(db: &Connection, site_id: i64) -> store::Result<Option<Self>> {
        let found = site_modules::core_of(db, site_id)?;
        Ok(found.map(|(installed, publication)| Self {
            installed,
            publication,
            versions: OnceCell::new(),
        }))
    }

    fn versions(&self, app: &App, db: &Connection) -> store::Result<Option<&CoreVersions>> {
        if self.versions.get().is_none() {
            let history = app.histories.history(db, self.publication)?;
            let _ = self
                .versions
                .set(CoreVersions::new(&history, &self.installed));
        }
        Ok(self.versions.get().and_then(Option::as_ref))
    }
}

/// What compatibility depends on: the two histories, which never change, the core that is
/// installed, and the releases that are asked about.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Question {
    project: i64,
    core: i64,
    installed: String,
    named: String,
}

/// Compatibility that was worked out for a reader. Only what is committed is read here, so that the
/// numbers of publications are theirs for good.
#[derive(Debug)]
pub struct Fittings(Cache<Question, Arc<[Compatibility]>>);

/// Bytes of what is remembered.
const ROOM: u64 = 4 << 20;

impl Default for Fittings {
    fn default() -> Self {
        let weight = |question: &Question, found: &Arc<[Compatibility]>| {
            let own = question.installed.len() + question.named.len() + 200;
            let told = found
                .iter()
                .map(|one| one.version.len() + one.works_with.len() + 60);
            u32::try_from(own + told.sum::<usize>()).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().max_capacity(ROOM).weigher(weight).build())
    }
}

fn compatibility(
    app: &App,
    db: &Connection,
    publication: i64,
    named: &[&str],
    core: &Core,
) -> store::Result<Vec<Compatibility>> {
    let question = Question {
        project: publication,
        core: core.publication,
        installed: core.installed.clone(),
        named: named.join(" "),
    };
    if let Some(known) = app.fittings.0.get(&question) {
        return Ok(known.to_vec());
    }
    let found = match core.versions(app, db)? {
        Some(versions) => {
            let history = app.histories.history(db, publication)?;
            compatibilities(named.iter().copied(), &history, versions)
        }
        None => Vec::new(),
    };
    app.fittings.0.insert(question, found.as_slice().into());
    Ok(found)
}

fn fitting(
    app: &App,
    db: &Connection,
    module: &SiteModule,
    core: Option<&Core>,
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
        let named: Vec<&str> = named(assessment).collect();
        fitting.compatibility = compatibility(app, db, publication, &named, core)?;
    }
    Ok(fitting)
}

/// What keeps the site's core from taking the releases that fix something; none: nothing, or nothing that
/// they say.
///
/// # Errors
/// What the store says.
pub(super) fn needs_core(
    app: &App,
    db: &Connection,
    publication: i64,
    fixed_in: &[String],
    core: &Core,
) -> store::Result<Option<NeedsCore>> {
    let asked: Vec<&str> = fixed_in.iter().map(String::as_str).collect();
    let found = compatibility(app, db, publication, &asked, core)?;
    // A release that doesn't say, or takes the site's core: nothing stands in the way.
    if found.len() < asked.len() || found.iter().any(|one| one.compatible) {
        return Ok(None);
    }
    let reachable = found.iter().find(|one| !one.works_with.is_empty());
    let Some(fix) = reachable.or(found.first()) else {
        return Ok(None);
    };
    let history = app.histories.history(db, publication)?;
    let mut releases = history.releases().iter();
    let release = releases.find(|release| release.version == fix.version);
    let constraint = release.and_then(|release| release.core_compatibility.clone());
    let core_to = fix.works_with.split([' ', ',']).next();
    Ok(Some(NeedsCore {
        release: fix.version.clone(),
        constraint: constraint.unwrap_or_default(),
        core_to: core_to
            .filter(|version| !version.is_empty())
            .map(ToOwned::to_owned),
    }))
}
