//! What a node becomes: an advisory that is recorded, one that is taken back, one that has to be asked for
//! alone, or one that is of no use.

use jiff::{SignedDuration, Timestamp};

use crate::app::App;
use crate::domain::advisory::listing::Entry;
use crate::domain::advisory::node::{Node, Refused};
use crate::domain::advisory::record::Record;
use crate::domain::schedule;
use crate::outbound::drupal_org::advisories::{AdvisoryFeed, Question, Told};
use crate::services::Result;
use crate::services::advisories::{self as publications, Taken};
use crate::store::advisory_feed::{self as store, Wanted};
use crate::store::{Connection, Lane, Result as Stored, advisories};

/// What asking today can't mend is asked for again so much later.
const TOMORROW: SignedDuration = SignedDuration::from_hours(24);
/// After a failure nobody is asked for so long.
const REST: SignedDuration = SignedDuration::from_mins(1);

/// Takes the entries of a page. One that can't be taken costs only itself. False: one could not be
/// recorded, so that the page is worth reading again.
///
/// # Errors
/// What the store says.
pub(super) async fn take(app: &App, psa: bool, entries: &[Entry], sweeping: bool) -> Result<bool> {
    let mut whole = true;
    for entry in entries {
        let now = app.clock.now();
        let changed = entry.changed.unwrap_or(0);
        let nid = entry.nid.unwrap_or(0);
        let told = match &entry.node {
            Ok(node) => match app.store.read(|db| weigh(db, node))? {
                Weighed::Known => continue,
                Weighed::Told(record) => {
                    match taken(app, *record).await {
                        Ok(()) => settle(app, nid).await?,
                        Err(untaken) => {
                            whole &= untaken != Untaken::Failed;
                            let again_at = untaken.again_at(now, 1);
                            refuse(app, (nid, psa), changed, untaken.words(), again_at).await?;
                        }
                    }
                    continue;
                }
                Weighed::NamedByNumber => Some(node.record.clone()),
            },
            // A node alone says more.
            Err(Refused::NoId | Refused::NoDate | Refused::NoProject) if nid > 0 => None,
            Err(why) => {
                refuse(app, (nid, psa), changed, &why.to_string(), None).await?;
                continue;
            }
        };
        write(app, move |db| {
            let reason = store::Reason {
                changed,
                told: told.as_ref(),
                sweeping,
            };
            store::want(db, (nid, psa), reason, now)
        })
        .await?;
    }
    Ok(whole)
}

/// Why an advisory was not taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Untaken {
    /// Its id is another's.
    Claimed,
    /// The store could not, which may be over in a moment.
    Failed,
}

impl Untaken {
    /// The same in words for people.
    fn words(self) -> &'static str {
        match self {
            Self::Claimed => publications::CLAIMED,
            Self::Failed => "it could not be recorded",
        }
    }

    /// When to ask for it alone, where that is worth it, after so many tries.
    fn again_at(self, now: Timestamp, tries: u32) -> Option<Timestamp> {
        (self == Self::Failed).then(|| schedule::next_look_after_failure(now, tries, None))
    }
}

/// Records an advisory.
async fn taken(app: &App, record: Record) -> std::result::Result<(), Untaken> {
    let name = record.id.clone();
    match publications::record(app, record).await {
        Ok(Taken::Claimed) => Err(Untaken::Claimed),
        Ok(Taken::New | Taken::Changed | Taken::Known) => Ok(()),
        Err(error) => {
            tracing::error!(%error, advisory = name, "an advisory could not be recorded");
            Err(Untaken::Failed)
        }
    }
}

async fn refuse(
    app: &App,
    (nid, psa): (i64, bool),
    changed: i64,
    why: &str,
    again_at: Option<Timestamp>,
) -> Result<()> {
    let why = why.to_owned();
    // What has no number can't be asked for.
    let again_at = again_at.filter(|_| nid > 0);
    write(app, move |db| {
        store::refuse(db, (nid, psa), changed, &why, again_at)
    })
    .await
}

/// What a node means for what is held.
enum Weighed {
    Known,
    Told(Box<Record>),
    /// Its project's name is not known.
    NamedByNumber,
}

fn weigh(db: &Connection, node: &Node) -> Stored<Weighed> {
    let told = &node.record;
    let held = advisories::held(db, &told.id)?.map(|held| held.record);
    if !node.published {
        let standing = held.filter(|held| !held.withdrawn && held.nid == told.nid);
        return Ok(standing.map_or(Weighed::Known, |held| {
            Weighed::Told(Box::new(taken_back(held)))
        }));
    }
    let same = held.as_ref().is_some_and(|held| {
        (held.nid, held.changed, held.withdrawn) == (told.nid, told.changed, false)
    });
    let open = told.nid.map_or(Ok(false), |nid| store::is_open(db, nid))?;
    if same && !open {
        return Ok(Weighed::Known);
    }
    let mut record = told.clone();
    if record.project.is_empty() {
        let known = match record.project_nid {
            Some(nid) => store::project_of_node(db, nid)?,
            None => None,
        };
        match known {
            Some(project) => record.project = project,
            None => return Ok(Weighed::NamedByNumber),
        }
    }
    Ok(Weighed::Told(Box::new(record)))
}

fn taken_back(held: Record) -> Record {
    Record {
        withdrawn: true,
        ..held
    }
}

/// Asks for one node; or records it as it was told, where the name of its project became known meanwhile.
///
/// # Errors
/// What the store says.
pub(super) async fn ask(app: &App, feed: &dyn AdvisoryFeed, wanted: &Wanted) -> Result<()> {
    let nid = wanted.nid;
    if let Some(told) = &wanted.told {
        let node = Node {
            record: told.clone(),
            published: true,
        };
        if let Weighed::Told(record) = app.store.read(|db| weigh(db, &node))? {
            return recorded(app, wanted, *record).await;
        }
    }
    match feed.ask(Question::Node(nid)).await {
        Told::Gone if wanted.missing => take_back(app, wanted).await,
        // The listing has it: who can't see it alone may be kept out for the moment.
        Told::Gone => put_off(app, wanted, "listed, and not to be seen alone").await,
        Told::Node { advisory, .. } => match *advisory {
            Ok(node) => record(app, feed, wanted, node).await,
            Err(why) => put_off(app, wanted, &why.to_string()).await,
        },
        Told::Unreadable(why) | Told::TooLarge(why) => put_off(app, wanted, &why).await,
        Told::Failed {
            reason,
            retry_after,
        } => {
            let wait = retry_after.and_then(|wait| SignedDuration::try_from(wait).ok());
            failed(app, wanted, &reason, wait).await
        }
        Told::NotModified | Told::Page(..) => put_off(app, wanted, "not a node").await,
    }
}

async fn record(app: &App, feed: &dyn AdvisoryFeed, wanted: &Wanted, mut node: Node) -> Result<()> {
    if node.published && node.record.project.is_empty() {
        match project_of(app, feed, &node.record).await? {
            Ok(project) => node.record.project = project,
            Err(Told::Failed { reason, .. }) => return failed(app, wanted, &reason, None).await,
            Err(_) => {
                return put_off(
                    app,
                    wanted,
                    "drupal.org does not tell its project's short name",
                )
                .await;
            }
        }
    }
    match app.store.read(|db| weigh(db, &node))? {
        Weighed::Told(record) => recorded(app, wanted, *record).await,
        Weighed::Known | Weighed::NamedByNumber => settle(app, wanted.nid).await,
    }
}

/// Records what a node that was asked for says; it is asked for again where that fails.
async fn recorded(app: &App, wanted: &Wanted, record: Record) -> Result<()> {
    match taken(app, record).await {
        Ok(()) => settle(app, wanted.nid).await,
        Err(untaken) => {
            let now = app.clock.now();
            let soon = untaken.again_at(now, wanted.tries.saturating_add(1));
            let at = soon.unwrap_or_else(|| after(now, TOMORROW));
            let nid = wanted.nid;
            write(app, move |db| {
                store::postpone(db, nid, untaken.words(), at, None)
            })
            .await
        }
    }
}

/// The short name of an advisory's project: as another advisory told it, or as the project's own node does.
async fn project_of(
    app: &App,
    feed: &dyn AdvisoryFeed,
    record: &Record,
) -> Result<std::result::Result<String, Told>> {
    let Some(nid) = record.project_nid else {
        return Ok(Err(Told::Gone));
    };
    if let Some(known) = app.store.read(|db| store::project_of_node(db, nid))? {
        return Ok(Ok(known));
    }
    Ok(match feed.ask(Question::Node(nid)).await {
        Told::Node {
            project: Some(project),
            ..
        } => Ok(project),
        other => Err(other),
    })
}

/// Nobody can see the node any more: its advisory was taken back.
async fn take_back(app: &App, wanted: &Wanted) -> Result<()> {
    let held = app
        .store
        .read(|db| match store::name_of_node(db, wanted.nid)? {
            Some(name) => advisories::held(db, &name),
            None => Ok(None),
        })?;
    match held {
        Some(held) => recorded(app, wanted, taken_back(held.record)).await,
        None => settle(app, wanted.nid).await,
    }
}

async fn settle(app: &App, nid: i64) -> Result<()> {
    if app.store.read(|db| store::is_open(db, nid))? {
        write(app, move |db| store::settle(db, nid)).await?;
    }
    Ok(())
}

async fn put_off(app: &App, wanted: &Wanted, why: &str) -> Result<()> {
    let (nid, why) = (wanted.nid, why.to_owned());
    let at = after(app.clock.now(), TOMORROW);
    write(app, move |db| store::postpone(db, nid, &why, at, None)).await
}

async fn failed(app: &App, wanted: &Wanted, why: &str, wait: Option<SignedDuration>) -> Result<()> {
    let now = app.clock.now();
    let (nid, why) = (wanted.nid, why.to_owned());
    let at = schedule::next_look_after_failure(now, wanted.tries.saturating_add(1), wait);
    let others_at = after(now, REST);
    write(app, move |db| {
        store::postpone(db, nid, &why, at, Some(others_at))
    })
    .await
}

async fn write(
    app: &App,
    work: impl FnOnce(&Connection) -> Stored<()> + Send + 'static,
) -> Result<()> {
    Ok(app.store.write(Lane::Back, work).await?)
}

fn after(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}
