//! Security advisories: taking what their sources tell, and what follows from that for the versions of
//! their project and the sites that run them.

use std::sync::Arc;

use jiff::Timestamp;
use ring::digest::{SHA256, digest};

use super::histories::Histories;
use super::lists::ask;
use super::overview::DAY;
use super::{Error, Result, advisory_feed, catalogue as publishing};
use crate::app::App;
use crate::domain::access::{Actor, Permission, Sight};
use crate::domain::advisory::Record;
use crate::domain::advisory::reach::{Blind, Ground, Named, Reach, Span, Tally};
use crate::domain::advisory::shown::{Affected, Shown};
use crate::domain::inventory::Origin;
use crate::domain::listing::{Page, Query};
use crate::domain::schedule::due_at_once;
use crate::store::{
    self, Connection, Lane, Store, advisories, catalogue, chronicle, exposures, fanouts,
    module_versions, reach as far,
};

/// One page of the advisories about modules in sight.
///
/// # Errors
/// Where the caller may not, or the store can't.
pub async fn list(app: &App, actor: &Actor, query: &Query) -> Result<Page<Shown>> {
    let sight = actor.require(Permission::ModulesRead)?;
    app.store
        .read(|db| Ok(advisories::list(db, &ask(app, &sight, query, &[]))?))
}

/// The number of an advisory that the caller can see.
///
/// # Errors
/// [`Error::NotFound`] where it isn't there or no site in sight runs its project.
pub fn seen(app: &App, sight: &Sight, id: &str) -> Result<i64> {
    app.store
        .read(|db| advisories::number(db, sight, id).map_err(Error::from))?
        .ok_or(Error::NotFound)
}

/// One advisory, by its number.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(app: &App, actor: &Actor, number: i64) -> Result<Shown> {
    let sight = actor.require(Permission::ModulesRead)?;
    within(app, &sight, number)
}

fn within(app: &App, sight: &Sight, number: i64) -> Result<Shown> {
    let found = app
        .store
        .read(|db| advisories::find(db, sight, number).map_err(Error::from))?
        .ok_or(Error::NotFound)?;
    seen(app, sight, &found.id)?;
    Ok(found)
}

/// One page of the windows that an advisory explains, now and ever.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn affected(
    app: &App,
    actor: &Actor,
    number: i64,
    query: &Query,
) -> Result<Page<Affected>> {
    let sight = actor.require(Permission::SitesRead)?;
    within(app, &sight, number)?;
    let within = [("ea.advisory_id", number)];
    app.store.read(|db| {
        Ok(exposures::of_advisory(
            db,
            &ask(app, &sight, query, &within),
        )?)
    })
}

/// Windows of one advisory that are counted for its page, and for a line of the overview.
const COUNTED: u32 = 50_000;
const GLANCED: u32 = 1_000;
/// Sites of which nobody can tell that are named.
const NAMED: u32 = 50;

/// How far an advisory reaches among the sites in sight.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn reach(app: &App, actor: &Actor, number: i64) -> Result<Reach> {
    let sight = actor.require(Permission::SitesRead)?;
    let shown = within(app, &sight, number)?;
    let (sight, now) = (sight, app.clock.now());
    app.store.read(|db| {
        let mut reach = measured(db, &sight, &shown, now)?;
        reach.blind = blind_of(db, &sight, &reach, number, NAMED)?;
        Ok(reach)
    })
}

/// The sites in sight of which nobody can tell whether an advisory names what they run, at most `most`.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn blind(app: &App, actor: &Actor, number: i64, most: u32) -> Result<Vec<Blind>> {
    let sight = actor.require(Permission::SitesRead)?;
    let shown = within(app, &sight, number)?;
    let (sight, now) = (sight, app.clock.now());
    app.store.read(|db| {
        let reach = measured(db, &sight, &shown, now)?;
        blind_of(db, &sight, &reach, number, most)
    })
}

/// What is counted of it; no site is named.
fn measured(db: &Connection, sight: &Sight, shown: &Shown, now: Timestamp) -> Result<Reach> {
    let mut reach = Reach {
        tally: far::tally(db, sight, shown.number, now, COUNTED)?,
        ..Reach::default()
    };
    let Some(module) = shown.module_id else {
        return Ok(reach);
    };
    reach.ground = far::ground(db, module)?;
    reach.silent = far::silent(db, sight, module, COUNTED)?;
    reach.versions = far::versions(db, sight, module, &shown.id)?;
    Ok(reach)
}

fn blind_of(
    db: &Connection,
    sight: &Sight,
    reach: &Reach,
    number: i64,
    most: u32,
) -> Result<Vec<Blind>> {
    let mut all = Vec::new();
    for version in &reach.versions {
        let room = most.saturating_sub(u32::try_from(all.len()).unwrap_or(most));
        if version.named == Named::Unclear && room > 0 {
            all.extend(far::blind(db, sight, version.id, number, room)?);
        }
    }
    Ok(all)
}

/// How much the number of affected sites is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Certainty {
    /// Sites on versions that the advisory can't be compared with.
    pub unclear: i64,
    /// Silent sites that run its project.
    pub silent: i64,
    /// Some sites have not been gone through yet.
    pub telling: bool,
    /// What drupal.org said of the project or in its advisories is too old, or was never heard.
    pub stale: bool,
    /// Nobody is affected, and every site of those in sight has said so itself.
    pub none_is_proven: bool,
}

/// What limits the answer to who is affected among the sites in sight.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn certainty(app: &App, actor: &Actor, number: i64) -> Result<Certainty> {
    let sight = actor.require(Permission::ModulesRead)?;
    let shown = find(app, actor, number).await?;
    let old_news = following(app, actor)
        .await?
        .is_some_and(|following| following.stale || following.read_at.is_none());
    let (sight, now) = (sight, app.clock.now());
    app.store.read(|db| {
        let reach = measured(db, &sight, &shown, now)?;
        let since = now.as_millisecond() - DAY;
        let all_heard = store::overview::unheard(db, &sight, since)? == 0;
        let old = |ground: &Ground| ground.stale || !ground.answered;
        Ok(Certainty {
            unclear: reach.on(Named::Unclear),
            silent: reach.silent,
            telling: reach.ground.is_some_and(|ground| ground.telling),
            stale: old_news || (reach.running() > 0 && reach.ground.as_ref().is_some_and(old)),
            none_is_proven: !shown.psa && reach.none_is_proven() && all_heard && !old_news,
        })
    })
}

/// The newest advisories that hit sites in sight, and how many are through with each.
///
/// # Errors
/// What the store says.
pub async fn newest(app: &App, actor: &Actor, most: u32) -> Result<Vec<(Shown, Tally)>> {
    let sight = actor.require(Permission::SitesRead)?;
    let (sight, now) = (sight, app.clock.now());
    app.store.read(|db| {
        let mut all = Vec::new();
        for id in far::newest(db, &sight, most)? {
            if let Some(shown) = advisories::find(db, &sight, id)? {
                all.push((shown, far::tally(db, &sight, id, now, GLANCED)?));
            }
        }
        Ok(all)
    })
}

/// How far the advisories that are held can be trusted to be all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Following {
    /// drupal.org's listing was read to its end at least once.
    pub filled: bool,
    /// Else: how far back it was read.
    pub since: Option<Timestamp>,
    /// When it was last looked at with success.
    pub read_at: Option<Timestamp>,
    /// That is too long ago to call anything fine.
    pub stale: bool,
    /// Some could not be read.
    pub incomplete: bool,
}

/// How drupal.org's advisories are followed. `None`: they aren't.
///
/// # Errors
/// What the store says.
pub async fn following(app: &App, actor: &Actor) -> Result<Option<Following>> {
    actor.require(Permission::ModulesRead)?;
    let Some(fresh) = advisory_feed::freshness(app)? else {
        return Ok(None);
    };
    let listings = app.store.read(store::advisory_feed::listings)?;
    let found = listings.iter().find(|listing| !listing.psa);
    Ok(Some(Following {
        filled: found.is_some_and(|listing| listing.filled_at.is_some()),
        since: found
            .and_then(|listing| listing.reached)
            .and_then(|seconds| Timestamp::from_second(seconds).ok()),
        read_at: fresh.read_at,
        stale: fresh.too_old,
        incomplete: fresh.incomplete,
    }))
}

/// Windows of one advisory that are drawn, at most.
const DRAWN: u32 = 5_000;

/// The windows of sites in sight that an advisory explains, in time. Empty: there are none, or too many.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn course(app: &App, actor: &Actor, number: i64) -> Result<Vec<Span>> {
    let sight = actor.require(Permission::SitesRead)?;
    within(app, &sight, number)?;
    let spans = app
        .store
        .read(|db| far::course(db, &sight, number, DRAWN + 1))?;
    Ok(if spans.len() > DRAWN as usize {
        Vec::new()
    } else {
        spans
    })
}

/// What became of what a source told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It was not known before.
    New,
    /// It says something else than before.
    Changed,
    /// It says what was known.
    Known,
    /// It is left: its id is that of another project's advisory, which another node told.
    Claimed,
}

/// Why what is [`Taken::Claimed`] is left, in words for people.
pub const CLAIMED: &str = "another node has this id";

/// Takes what a source tells of an advisory, joined with what is held: judges the versions of its project
/// anew, remembers whose sites are to be told, and has its module asked for at once.
///
/// # Errors
/// What the store says.
pub async fn record(app: &App, told: Record) -> Result<Taken> {
    let work = Taking {
        histories: app.histories.clone(),
        now: app.clock.now(),
    };
    take(&app.store, work, told).await
}

/// The same into any store, at any time: a replay takes advisories as they came.
pub(super) async fn take(store: &Store, work: Taking, told: Record) -> Result<Taken> {
    let work = Arc::new((work, told));
    loop {
        // What was published before is told to the end first, so that the order of publications is kept.
        let modules = store.read(|db| work.0.modules(db, &work.1))?;
        for module in modules {
            while publishing::fan_out_module(store, module).await? {}
        }
        let mine = Arc::clone(&work);
        let taken = store
            .write(Lane::Back, move |db| {
                for module in mine.0.modules(db, &mine.1)? {
                    if fanouts::of_module(db, module)?.is_some() {
                        return Ok(None);
                    }
                }
                mine.0.take(db, mine.1.clone()).map(Some)
            })
            .await?;
        if let Some(taken) = taken {
            return Ok(taken);
        }
    }
}

/// Another node, which stands, has the id already: it is believed as long as it does.
fn is_claimed(held: &Record, told: &Record) -> bool {
    let other = held.nid.is_some() && told.nid.is_some() && held.nid != told.nid;
    other && !held.withdrawn && (held.project != told.project || told.changed <= held.changed)
}

/// What a source told, on its way into the store.
#[derive(Debug)]
pub(super) struct Taking {
    pub histories: Histories,
    pub now: Timestamp,
}

impl Taking {
    /// The modules that an advisory is or was about.
    fn modules(&self, db: &Connection, told: &Record) -> store::Result<Vec<i64>> {
        let before = advisories::held(db, &told.id)?.map(|held| held.record.project);
        let mut modules = Vec::new();
        for project in before.iter().chain([&told.project]) {
            let module = catalogue::find(db, Origin::Project, 0, project)?;
            modules.extend(module.map(|module| module.id));
        }
        modules.dedup();
        Ok(modules)
    }

    fn take(&self, db: &Connection, told: Record) -> Result<Taken> {
        let held = advisories::held(db, &told.id)?;
        if let Some(held) = &held
            && is_claimed(&held.record, &told)
        {
            tracing::warn!(id = told.id, node = told.nid, "{CLAIMED}");
            // Of two about one project the newer one speaks, and nothing is lost.
            return Ok(if held.record.project == told.project {
                Taken::Known
            } else {
                Taken::Claimed
            });
        }
        let record = match &held {
            Some(held) => told.joined_with(&held.record),
            None => told,
        };
        if held.as_ref().is_some_and(|held| held.record == record) {
            return Ok(Taken::Known);
        }
        let text =
            serde_json::to_vec(&record).map_err(|error| Error::Internal(error.to_string()))?;
        let hash = digest(&SHA256, &text);
        let revision = advisories::keep(db, &record, hash.as_ref(), held.as_ref(), self.now)?;
        chronicle::write(db, "advisory", revision, self.now)?;
        self.judge(db, &record.project)?;
        match held {
            None => Ok(Taken::New),
            Some(held) => {
                if held.record.project != record.project {
                    self.judge(db, &held.record.project)?;
                }
                self.weigh(db, &held.record, &record)?;
                Ok(Taken::Changed)
            }
        }
    }

    /// Judges the versions of a project anew and has it asked for.
    fn judge(&self, db: &Connection, project: &str) -> Result<()> {
        let Some(module) = catalogue::find(db, Origin::Project, 0, project)? else {
            return Ok(());
        };
        publishing::judge_anew(db, &self.histories, &module, self.now)?;
        let asked = module.last_checked_at.max(module.asked_at);
        catalogue::make_due(db, module.id, due_at_once(self.now, asked), self.now)?;
        Ok(())
    }

    /// Another risk changes no judgement, but due times: the sites that the advisory counts against are told.
    fn weigh(&self, db: &Connection, before: &Record, now: &Record) -> store::Result<()> {
        if before.risk() == now.risk() {
            return Ok(());
        }
        let Some(module) = catalogue::find(db, Origin::Project, 0, &now.project)? else {
            return Ok(());
        };
        let concerned: Vec<i64> = module_versions::of_module(db, module.id)?
            .into_iter()
            .filter(|version| version.judgement.cause_of(&now.id).is_some())
            .map(|version| version.id)
            .collect();
        if concerned.is_empty() {
            return Ok(());
        }
        fanouts::request(db, module.id, &concerned, self.now)
    }
}
