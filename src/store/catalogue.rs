//! Modules, and how asking drupal.org about each stands.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Result;
use super::time::{at, ms};
use crate::domain::inventory::{ModuleType, Origin};
use crate::domain::judgement::FeedState;

/// A module, as the services judge with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// Its id.
    pub id: i64,
    /// Whose code it is.
    pub origin: Origin,
    /// Its name.
    pub name: String,
    /// Its title, or empty.
    pub title: String,
    /// Its type.
    pub kind: ModuleType,
    /// How asking drupal.org stands.
    pub feed: FeedState,
    /// Refusals and failures in a row; for an absent project: how often it was absent.
    pub failures: u32,
    /// When drupal.org was last asked.
    pub last_checked_at: Option<Timestamp>,
    /// When it last gave a good answer.
    pub last_success_at: Option<Timestamp>,
    /// When it is to be asked next.
    pub next_check_at: Option<Timestamp>,
    /// When somebody last made it due at once.
    pub asked_at: Option<Timestamp>,
    /// Its data is too old to say "current".
    pub stale: bool,
    /// The validators of its last answer.
    pub etag: Option<String>,
    /// The validators of its last answer.
    pub last_modified: Option<String>,
    /// Its newest stored document.
    pub publication_id: Option<i64>,
    /// Sites that have it.
    pub sites_count: i64,
    /// It was deleted: nobody asks for it.
    pub deleted: bool,
}

impl Module {
    /// It is a drupal.org project.
    pub fn is_project(&self) -> bool {
        self.origin == Origin::Project
    }
}

const MODULE: &str = "SELECT id, kind, name, title, type, feed_state, failures, last_checked_at, last_success_at, \
    next_check_at, asked_at, stale, etag, last_modified, publication_id, sites_count, deleted_at IS NOT NULL \
    FROM modules";

fn module(row: &Row<'_>) -> rusqlite::Result<Module> {
    let kind: String = row.get(1)?;
    let type_: String = row.get(4)?;
    let feed: String = row.get(5)?;
    Ok(Module {
        id: row.get(0)?,
        origin: Origin::from_word(&kind),
        name: row.get(2)?,
        title: row.get(3)?,
        kind: ModuleType::from_word(&type_).unwrap_or(ModuleType::Module),
        feed: FeedState::from_word(&feed).unwrap_or(FeedState::Pending),
        failures: row.get(6)?,
        last_checked_at: row.get::<_, Option<i64>>(7)?.map(at),
        last_success_at: row.get::<_, Option<i64>>(8)?.map(at),
        next_check_at: row.get::<_, Option<i64>>(9)?.map(at),
        asked_at: row.get::<_, Option<i64>>(10)?.map(at),
        stale: row.get(11)?,
        etag: row.get(12)?,
        last_modified: row.get(13)?,
        publication_id: row.get(14)?,
        sites_count: row.get(15)?,
        deleted: row.get(16)?,
    })
}

/// The module of that id.
///
/// # Errors
/// What SQLite says.
pub fn get(db: &Connection, id: i64) -> Result<Option<Module>> {
    let mut query = db.prepare_cached(&format!("{MODULE} WHERE id = ?1"))?;
    Ok(query.query_row([id], module).optional()?)
}

/// The module of that name, deleted or not: drupal.org's, or the organization's own.
///
/// # Errors
/// What SQLite says.
pub fn find(
    db: &Connection,
    origin: Origin,
    organization_id: i64,
    name: &str,
) -> Result<Option<Module>> {
    let mut query = db.prepare_cached(&format!(
        "{MODULE} WHERE name = ?1 AND ifnull(organization_id, 0) = ?2 AND kind = ?3"
    ))?;
    let owner = owner(origin, organization_id).unwrap_or(0);
    Ok(query
        .query_row(params![name, owner, origin.word()], module)
        .optional()?)
}

/// Custom code and libraries are kept per organization; projects belong to the platform.
pub(super) fn owner(origin: Origin, organization_id: i64) -> Option<i64> {
    (origin != Origin::Project).then_some(organization_id)
}

/// A module that nobody has named before.
#[derive(Debug, Clone, Copy)]
pub struct NewModule<'a> {
    /// Whose code it is.
    pub origin: Origin,
    /// Whose custom code it is.
    pub organization_id: i64,
    /// Its name.
    pub name: &'a str,
    /// Its title, or empty.
    pub title: &'a str,
    /// Its type.
    pub kind: ModuleType,
}

impl<'a> NewModule<'a> {
    /// A project on drupal.org of which only the name is known.
    pub fn project(name: &'a str) -> Self {
        Self {
            origin: Origin::Project,
            organization_id: 0,
            name,
            title: "",
            kind: if name == "drupal" {
                ModuleType::Core
            } else {
                ModuleType::Module
            },
        }
    }
}

/// Adds a module; a project is due at once.
///
/// # Errors
/// What SQLite says.
pub fn add(db: &Connection, new: &NewModule<'_>, now: Timestamp) -> Result<i64> {
    let project = new.origin == Origin::Project;
    let feed = if project {
        FeedState::Pending
    } else {
        FeedState::Never
    };
    db.prepare_cached(
        "INSERT INTO modules (organization_id, kind, name, title, type, feed_state, next_check_at, asked_at, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?8)",
    )?
    .execute(params![
        owner(new.origin, new.organization_id),
        new.origin.word(),
        new.name,
        new.title,
        new.kind.word(),
        feed.as_str(),
        project.then(|| ms(now)),
        ms(now)
    ])?;
    let id = db.last_insert_rowid();
    db.prepare_cached(
        "INSERT INTO modules_search (rowid, name, title) VALUES (?1, fold(?2) || '  ', fold(?3) || '  ')",
    )?
    .execute(params![id, new.name, new.title])?;
    Ok(id)
}

/// Makes a module due at `due`, unless it is due before.
///
/// # Errors
/// What SQLite says.
pub fn make_due(db: &Connection, id: i64, due: Timestamp, now: Timestamp) -> Result<()> {
    db.prepare_cached(
        "UPDATE modules SET next_check_at = ?2, asked_at = ?3
         WHERE id = ?1 AND kind = 'project' AND deleted_at IS NULL AND ifnull(next_check_at, ?2 + 1) > ?2",
    )?
    .execute(params![id, ms(due), ms(now)])?;
    Ok(())
}

/// Brings a deleted module back; a project is due at once. `false`: it isn't deleted.
///
/// # Errors
/// What SQLite says.
pub fn restore(db: &Connection, id: i64, now: Timestamp) -> Result<bool> {
    let restored = db
        .prepare_cached(
            "UPDATE modules SET deleted_at = NULL, updated_at = ?2, asked_at = iif(kind = 'project', ?2, NULL),
                next_check_at = iif(kind = 'project', ?2, NULL) WHERE id = ?1 AND deleted_at IS NOT NULL",
        )?
        .execute(params![id, ms(now)])?;
    Ok(restored > 0)
}

/// The deleted modules that a site runs: none may stay so.
///
/// # Errors
/// What SQLite says.
pub fn deleted_on(db: &Connection, site_id: i64) -> Result<Vec<i64>> {
    let mut query = db.prepare_cached(
        "SELECT m.id FROM site_modules AS sm JOIN modules AS m ON m.id = sm.module_id
         WHERE sm.site_id = ?1 AND m.deleted_at IS NOT NULL",
    )?;
    let rows = query.query_map([site_id], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The modules of a site that the ledger may have something to say about, (id, name): those with a
/// row there, and those of which it runs or ran a version that isn't known to be safe.
///
/// # Errors
/// What SQLite says.
pub fn questionable(db: &Connection, site_id: i64) -> Result<Vec<(i64, String)>> {
    let mut query = db.prepare_cached(
        "SELECT m.id, m.name FROM modules AS m WHERE m.kind = 'project' AND m.id IN (
           SELECT e.module_id FROM exposures AS e WHERE e.site_id = ?1
           UNION SELECT sm.module_id FROM site_modules AS sm JOIN module_versions AS v ON v.id = sm.version_id
             WHERE sm.site_id = ?1 AND v.exposed IS NOT 0
           UNION SELECT r.module_id FROM module_runs AS r JOIN module_versions AS v ON v.id = r.version_id
             WHERE r.site_id = ?1 AND v.exposed IS NOT 0)",
    )?;
    let rows = query.query_map([site_id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The modules that are due, the longest due first.
///
/// # Errors
/// What SQLite says.
pub fn due(db: &Connection, now: Timestamp, most: u32) -> Result<Vec<Module>> {
    let mut query = db.prepare_cached(&format!(
        "{MODULE} WHERE next_check_at <= ?1 ORDER BY next_check_at LIMIT ?2"
    ))?;
    let rows = query.query_map(params![ms(now), most], module)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Makes every module that is looked up due at `now`; gives how many are due then.
///
/// # Errors
/// What SQLite says.
pub fn make_all_due(db: &Connection, now: Timestamp) -> Result<u32> {
    db.prepare_cached("UPDATE modules SET next_check_at = ?1 WHERE next_check_at > ?1")?
        .execute([ms(now)])?;
    count_due(db, now)
}

/// How many modules are due.
///
/// # Errors
/// What SQLite says.
pub fn count_due(db: &Connection, now: Timestamp) -> Result<u32> {
    Ok(db
        .prepare_cached("SELECT count(*) FROM modules WHERE next_check_at <= ?1")?
        .query_row([ms(now)], |row| row.get(0))?)
}

/// When the next module is due.
///
/// # Errors
/// What SQLite says.
pub fn next_due(db: &Connection) -> Result<Option<Timestamp>> {
    let next: Option<i64> = db
        .prepare_cached("SELECT min(next_check_at) FROM modules WHERE next_check_at IS NOT NULL")?
        .query_row([], |row| row.get(0))?;
    Ok(next.map(at))
}

/// What an answer of drupal.org changes on the module's row.
#[derive(Debug, Clone)]
pub struct Checked<'a> {
    /// How asking stands now.
    pub feed: FeedState,
    /// What went wrong, in words; `None`: nothing.
    pub error: Option<&'a str>,
    /// Failures in a row.
    pub failures: u32,
    /// When it gave a good answer: now, or when it last did.
    pub success_at: Option<Timestamp>,
    /// When it is to be asked next.
    pub next_check_at: Option<Timestamp>,
    /// When its data becomes too old.
    pub stale_at: Option<Timestamp>,
    /// Whether its data is too old now.
    pub stale: bool,
    /// The validators to send next time.
    pub etag: Option<&'a str>,
    /// The validators to send next time.
    pub last_modified: Option<&'a str>,
}

/// Records that a module was asked for, and how that went.
///
/// # Errors
/// What SQLite says.
pub fn set_checked(db: &Connection, id: i64, checked: &Checked<'_>, now: Timestamp) -> Result<()> {
    db.prepare_cached(
        "UPDATE modules SET feed_state = ?2, last_error = ?3, failures = ?4, last_checked_at = ?5, last_success_at = ?6,
            next_check_at = ?7, stale_at = ?8, stale = ?9, etag = ?10, last_modified = ?11, updated_at = ?5 WHERE id = ?1",
    )?
    .execute(params![
        id,
        checked.feed.as_str(),
        checked.error,
        checked.failures,
        ms(now),
        checked.success_at.map(ms),
        checked.next_check_at.map(ms),
        checked.stale_at.map(ms),
        checked.stale,
        checked.etag,
        checked.last_modified
    ])?;
    Ok(())
}

/// Modules whose data became too old by now, not yet marked.
///
/// # Errors
/// What SQLite says.
pub fn becoming_stale(db: &Connection, now: Timestamp, most: u32) -> Result<Vec<i64>> {
    let mut query = db
        .prepare_cached("SELECT id FROM modules WHERE stale_at <= ?1 ORDER BY stale_at LIMIT ?2")?;
    let rows = query.query_map(params![ms(now), most], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Whether the data of any module is to become too old only later than now.
///
/// # Errors
/// What SQLite says.
pub fn any_fresh(db: &Connection, now: Timestamp) -> Result<bool> {
    Ok(db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM modules WHERE stale_at > ?1)")?
        .query_row([ms(now)], |row| row.get(0))?)
}

/// The data of all modules is too old from now on.
///
/// # Errors
/// What SQLite says.
pub fn end_freshness(db: &Connection, now: Timestamp) -> Result<()> {
    db.prepare_cached("UPDATE modules SET stale_at = ?1 WHERE stale_at > ?1")?
        .execute([ms(now)])?;
    Ok(())
}

/// Marks a module's data as too old; `false`: a good answer came first.
///
/// # Errors
/// What SQLite says.
pub fn set_stale(db: &Connection, id: i64, now: Timestamp) -> Result<bool> {
    let changed = db
        .prepare_cached(
            "UPDATE modules SET stale = 1, stale_at = NULL WHERE id = ?1 AND stale_at <= ?2",
        )?
        .execute(params![id, ms(now)])?;
    Ok(changed > 0)
}
