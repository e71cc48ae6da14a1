//! Modules, what drupal.org published about them, and the judgement of each version.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::time::{at, ms};
use super::{Result, StoreError, blob};
use crate::domain::exposed::BranchFix;
use crate::domain::inventory::{Entry, ModuleType, Origin};
use crate::domain::judgement::{FeedState, Judgement};
use crate::domain::release_history::ReleaseHistory;
use crate::domain::site_status::{Counted, Standing};

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
fn owner(origin: Origin, organization_id: i64) -> Option<i64> {
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

/// Stores a release history that differs from the one before, and makes it the module's newest.
///
/// # Errors
/// What SQLite says.
pub fn publish(
    db: &Connection,
    module_id: i64,
    hash: &[u8],
    history: &ReleaseHistory,
    now: Timestamp,
) -> Result<i64> {
    db.prepare_cached(
        "INSERT INTO publications (module_id, received_at, content_hash, document) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![module_id, ms(now), hash, blob::pack(history)?])?;
    let id = db.last_insert_rowid();
    db.prepare_cached(
        "UPDATE modules SET publication_id = ?2, title = ifnull(?3, title), project_status = ?4, supported_branches = ?5,
            type = ifnull(?6, type) WHERE id = ?1",
    )?
    .execute(params![
        module_id,
        id,
        history.title.as_deref().filter(|title| !title.is_empty()),
        history.project_status,
        history.supported_branches,
        type_of(history).map(ModuleType::word)
    ])?;
    Ok(id)
}

/// The type that drupal.org gives a project, where it is one of ours.
pub fn type_of(history: &ReleaseHistory) -> Option<ModuleType> {
    match history.kind.as_deref() {
        Some("project_core") => Some(ModuleType::Core),
        Some("project_module") => Some(ModuleType::Module),
        Some("project_theme") => Some(ModuleType::Theme),
        Some("project_distribution" | "project_profile") => Some(ModuleType::Profile),
        _ => None,
    }
}

/// The hash of the module's newest document.
///
/// # Errors
/// What SQLite says.
pub fn newest_hash(db: &Connection, publication_id: i64) -> Result<Option<Vec<u8>>> {
    Ok(db
        .prepare_cached("SELECT content_hash FROM publications WHERE id = ?1")?
        .query_row([publication_id], |row| row.get(0))
        .optional()?)
}

/// A stored document.
///
/// # Errors
/// [`StoreError::Corrupt`] where it can't be read back.
pub fn document(db: &Connection, publication_id: i64) -> Result<ReleaseHistory> {
    let bytes: Vec<u8> = db
        .prepare_cached("SELECT document FROM publications WHERE id = ?1")?
        .query_row([publication_id], |row| row.get(0))?;
    blob::unpack(&bytes)
}

/// A security release of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// Its version.
    pub version: String,
    /// When it was released; `None`: without a usable date.
    pub date: Option<Timestamp>,
    /// When it became known here.
    pub known_at: Timestamp,
}

/// The security releases of a module.
///
/// # Errors
/// What SQLite says.
pub fn fixes(db: &Connection, module_id: i64) -> Result<Vec<Fix>> {
    let mut query =
        db.prepare_cached("SELECT version, date, known_at FROM fixes WHERE module_id = ?1")?;
    let rows = query.query_map([module_id], |row| {
        Ok(Fix {
            version: row.get(0)?,
            date: row.get::<_, Option<i64>>(1)?.map(at),
            known_at: at(row.get(2)?),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Adds releases that only advisories name as fixes, where they aren't known yet.
///
/// # Errors
/// What SQLite says.
pub fn add_fixes(
    db: &Connection,
    module_id: i64,
    fixes: &[BranchFix],
    now: Timestamp,
) -> Result<()> {
    for fix in fixes {
        db.prepare_cached(
            "INSERT INTO fixes (module_id, version, date, known_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            module_id,
            fix.version,
            fix.date.map(|seconds| seconds.saturating_mul(1000)),
            ms(now)
        ])?;
    }
    Ok(())
}

/// Makes the fixes of a module exactly these. What was known keeps the
/// moment since when it is; what is gone is forgotten.
///
/// # Errors
/// What SQLite says.
pub fn set_fixes(
    db: &Connection,
    module_id: i64,
    releases: &[(&str, Option<Timestamp>)],
    now: Timestamp,
) -> Result<()> {
    for known in fixes(db, module_id)? {
        if !releases
            .iter()
            .any(|(version, _)| *version == known.version)
        {
            db.prepare_cached("DELETE FROM fixes WHERE module_id = ?1 AND version = ?2")?
                .execute(params![module_id, known.version])?;
        }
    }
    let mut add = db.prepare_cached(
        "INSERT INTO fixes (module_id, version, date, known_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET date = excluded.date",
    )?;
    for (version, date) in releases {
        add.execute(params![module_id, version, date.map(ms), ms(now)])?;
    }
    Ok(())
}

/// One version of a module, with its judgement.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// Its id.
    pub id: i64,
    /// Its module.
    pub module_id: i64,
    /// As the site wrote it.
    pub version: Option<String>,
    /// The snapshot's date, Unix seconds.
    pub datestamp: i64,
    /// The judgement.
    pub judgement: Judgement,
    /// Since when it is known to be insecure without a fix.
    pub insecure_known_at: Option<Timestamp>,
}

const VERSION: &str =
    "SELECT id, module_id, version, datestamp, verdict, insecure_known_at FROM module_versions";

fn version(row: &Row<'_>) -> Result<Version> {
    let verdict: String = row.get(4)?;
    Ok(Version {
        id: row.get(0)?,
        module_id: row.get(1)?,
        version: row.get(2)?,
        datestamp: row.get(3)?,
        judgement: serde_json::from_str(&verdict)?,
        insecure_known_at: row.get::<_, Option<i64>>(5)?.map(at),
    })
}

/// What is known of what a site names: its module and, where that version was ever seen, the
/// version's id and what running it enabled means for a site's word.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// The module.
    pub module_id: i64,
    /// The module was deleted.
    pub deleted: bool,
    /// The version.
    pub version: Option<(i64, Counted)>,
}

const KNOWN: &str = "SELECT m.id, v.id, v.status, v.reason = 'drupal-7-end-of-life', v.exposed,
        m.type = 'core' AND m.name = 'drupal', m.stale, m.deleted_at IS NOT NULL
     FROM modules AS m LEFT JOIN module_versions AS v
        ON v.module_id = m.id AND ifnull(v.version, char(0)) = ifnull(?1, char(0)) AND v.datestamp = ?2";

fn known(row: &Row<'_>) -> rusqlite::Result<Known> {
    let version: Option<i64> = row.get(1)?;
    let counted = |_| {
        Ok::<_, rusqlite::Error>(Counted {
            standing: standing(row.get(2)?),
            end_of_life: row.get::<_, Option<bool>>(3)?.unwrap_or(false),
            exposed: row.get(4)?,
            enabled: true,
            core: row.get(5)?,
            stale: row.get(6)?,
        })
    };
    Ok(Known {
        module_id: row.get(0)?,
        deleted: row.get(7)?,
        version: version.zip(version.map(counted).transpose()?),
    })
}

/// What is known of a version of the module of that name: drupal.org's, or the organization's own.
///
/// # Errors
/// What SQLite says.
pub fn known_by_name(
    db: &Connection,
    organization_id: i64,
    entry: &Entry,
) -> Result<Option<Known>> {
    let mut query = db.prepare_cached(&format!(
        "{KNOWN} WHERE m.name = ?3 AND ifnull(m.organization_id, 0) = ?4 AND m.kind = ?5"
    ))?;
    let owner = owner(entry.origin, organization_id).unwrap_or(0);
    Ok(query
        .query_row(
            params![
                entry.version,
                entry.datestamp,
                entry.name,
                owner,
                entry.origin.word()
            ],
            known,
        )
        .optional()?)
}

/// What is known of a version of that module.
///
/// # Errors
/// What SQLite says.
pub fn known_by_id(db: &Connection, module_id: i64, entry: &Entry) -> Result<Option<Known>> {
    let mut query = db.prepare_cached(&format!("{KNOWN} WHERE m.id = ?3"))?;
    Ok(query
        .query_row(params![entry.version, entry.datestamp, module_id], known)
        .optional()?)
}

/// One version with its judgement.
///
/// # Errors
/// What SQLite says, or [`StoreError::Corrupt`].
pub fn version_of(db: &Connection, id: i64) -> Result<Version> {
    let mut query = db.prepare_cached(&format!("{VERSION} WHERE id = ?1"))?;
    let mut rows = query.query([id])?;
    match rows.next()? {
        Some(row) => version(row),
        None => Err(StoreError::Corrupt(format!("no version {id}"))),
    }
}

/// All versions of a module, with their judgements.
///
/// # Errors
/// What SQLite says, or [`StoreError::Corrupt`].
pub fn versions(db: &Connection, module_id: i64) -> Result<Vec<Version>> {
    let mut query = db.prepare_cached(&format!("{VERSION} WHERE module_id = ?1 ORDER BY id"))?;
    let mut rows = query.query([module_id])?;
    let mut versions = Vec::new();
    while let Some(row) = rows.next()? {
        versions.push(version(row)?);
    }
    Ok(versions)
}

/// Adds a version with its judgement.
///
/// # Errors
/// What SQLite says.
pub fn add_version(
    db: &Connection,
    module_id: i64,
    version: Option<&str>,
    datestamp: i64,
    judged: &Judgement,
    insecure_known_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<i64> {
    let assessment = judged.assessment.as_ref();
    db.prepare_cached(
        "INSERT INTO module_versions (module_id, version, datestamp, status, reason, exposed, rule, recommended, latest,
            verdict, listed, insecure_known_at, assessed_at, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13)",
    )?
    .execute(params![
        module_id,
        version,
        datestamp,
        judged.standing.rank(),
        judged.reason,
        judged.exposed(),
        assessment.map_or("", |a| a.exposed.rule.as_str()),
        assessment.and_then(|a| a.recommended.as_deref()),
        assessment.and_then(|a| a.latest.as_deref()),
        serde_json::to_string(judged)?,
        judged.listed(),
        insecure_known_at.map(ms),
        ms(now)
    ])?;
    Ok(db.last_insert_rowid())
}

/// Writes a version's new judgement.
///
/// # Errors
/// What SQLite says.
pub fn set_judgement(
    db: &Connection,
    id: i64,
    judged: &Judgement,
    insecure_known_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<()> {
    let assessment = judged.assessment.as_ref();
    db.prepare_cached(
        "UPDATE module_versions SET status = ?2, reason = ?3, exposed = ?4, rule = ?5, recommended = ?6, latest = ?7,
            verdict = ?8, listed = ?9, insecure_known_at = ?10, assessed_at = ?11 WHERE id = ?1",
    )?
    .execute(params![
        id,
        judged.standing.rank(),
        judged.reason,
        judged.exposed(),
        assessment.map_or("", |a| a.exposed.rule.as_str()),
        assessment.and_then(|a| a.recommended.as_deref()),
        assessment.and_then(|a| a.latest.as_deref()),
        serde_json::to_string(judged)?,
        judged.listed(),
        insecure_known_at.map(ms),
        ms(now)
    ])?;
    Ok(())
}

/// The standing of a stored rank.
pub fn standing(rank: i64) -> Standing {
    Standing::from_rank(rank).unwrap_or(Standing::Unknown)
}

/// Remembers that the sites of these versions are to be told.
///
/// # Errors
/// What SQLite says.
pub fn request_fanout(
    db: &Connection,
    module_id: i64,
    versions: &[i64],
    now: Timestamp,
) -> Result<()> {
    let mut all = fanout(db, module_id)?.map_or_else(Vec::new, |waiting| waiting.versions);
    all.extend(versions);
    all.sort_unstable();
    all.dedup();
    db.prepare_cached(
        "INSERT INTO fanouts (module_id, requested_at, generation, version_ids) VALUES (?1, ?2, 1, ?3)
         ON CONFLICT DO UPDATE SET generation = generation + 1,
            version_ids = excluded.version_ids",
    )?
    .execute(params![module_id, ms(now), serde_json::to_string(&all)?])?;
    Ok(())
}

/// A fan-out that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fanout {
    /// Since when.
    pub requested_at: Timestamp,
    /// Which request it is: raised by each.
    pub generation: i64,
    /// For which versions.
    pub versions: Vec<i64>,
}

/// The fan-out that waits for a module.
///
/// # Errors
/// What SQLite says.
pub fn fanout(db: &Connection, module_id: i64) -> Result<Option<Fanout>> {
    let row: Option<(i64, i64, String)> = db
        .prepare_cached(
            "SELECT requested_at, generation, version_ids FROM fanouts WHERE module_id = ?1",
        )?
        .query_row([module_id], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    row.map(|(requested, generation, ids)| {
        Ok(Fanout {
            requested_at: at(requested),
            generation,
            versions: serde_json::from_str(&ids)?,
        })
    })
    .transpose()
}

/// A module with a fan-out that waits, the oldest first.
///
/// # Errors
/// What SQLite says.
pub fn next_fanout(db: &Connection) -> Result<Option<i64>> {
    Ok(db
        .prepare_cached("SELECT module_id FROM fanouts ORDER BY requested_at, module_id LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?)
}

/// Every site that runs one of these versions, or ran it, in order.
///
/// # Errors
/// What SQLite says.
pub fn fanout_sites(db: &Connection, versions: &[i64]) -> Result<Vec<i64>> {
    let mut sites = Vec::new();
    for table in ["site_modules", "module_runs"] {
        let mut query = db.prepare_cached(&format!(
            "SELECT site_id FROM {table} WHERE version_id = ?1"
        ))?;
        for version in versions {
            let rows = query.query_map([version], |row| row.get::<_, i64>(0))?;
            for site in rows {
                sites.push(site?);
            }
        }
    }
    sites.sort_unstable();
    sites.dedup();
    Ok(sites)
}

/// The modules of a site whose fan-out waits: id, name, and since when.
///
/// # Errors
/// What SQLite says.
pub fn untold(db: &Connection, site_id: i64) -> Result<Vec<(i64, String, Timestamp)>> {
    // Every unchanged sync asks this, and mostly nobody waits.
    let somebody: bool = db
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM fanouts) OR EXISTS (SELECT 1 FROM left_untold WHERE site_id = ?1)",
        )?
        .query_row([site_id], |row| row.get(0))?;
    if !somebody {
        return Ok(Vec::new());
    }
    let mut query = db.prepare_cached(
        "SELECT m.id, m.name, f.requested_at FROM fanouts AS f JOIN modules AS m ON m.id = f.module_id
         WHERE f.module_id IN (SELECT module_id FROM site_modules WHERE site_id = ?1
            UNION ALL SELECT module_id FROM module_runs WHERE site_id = ?1)
         UNION ALL SELECT m.id, m.name, l.requested_at FROM left_untold AS l JOIN modules AS m ON m.id = l.module_id
         WHERE l.site_id = ?1
         ORDER BY 3, 1",
    )?;
    let rows = query.query_map([site_id], |row| {
        Ok((row.get(0)?, row.get(1)?, at(row.get(2)?)))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The fan-out of a module is done, unless it was asked for again meanwhile.
///
/// # Errors
/// What SQLite says.
pub fn end_fanout(db: &Connection, module_id: i64, generation: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM fanouts WHERE module_id = ?1 AND generation = ?2")?
        .execute([module_id, generation])?;
    Ok(())
}

/// A site that could not be told with the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftUntold {
    /// The module.
    pub module_id: i64,
    /// The site.
    pub site_id: i64,
    /// Since when it waits.
    pub requested_at: Timestamp,
}

/// Remembers that a site could not be told, why, and when to try again.
///
/// # Errors
/// What SQLite says.
pub fn leave_untold(
    db: &Connection,
    left: &LeftUntold,
    error: &str,
    next_try_at: Timestamp,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO left_untold (module_id, site_id, requested_at, next_try_at, error) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET next_try_at = excluded.next_try_at, error = excluded.error",
    )?
    .execute(params![
        left.module_id,
        left.site_id,
        ms(left.requested_at),
        ms(next_try_at),
        error
    ])?;
    Ok(())
}

/// What a site was not told of a module, the oldest first.
///
/// # Errors
/// What SQLite says.
pub fn left_of(db: &Connection, site_id: i64, module_id: i64) -> Result<Vec<Timestamp>> {
    let mut query = db.prepare_cached(
        "SELECT requested_at FROM left_untold WHERE site_id = ?1 AND module_id = ?2 ORDER BY requested_at",
    )?;
    let rows = query.query_map([site_id, module_id], |row| Ok(at(row.get(0)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Sites that could not be told: id, name, the module's name, and since when; so many at most.
///
/// # Errors
/// What SQLite says.
pub fn all_left(db: &Connection, most: u32) -> Result<Vec<(i64, String, String, Timestamp)>> {
    let mut query = db.prepare_cached(
        "SELECT s.id, s.name, m.name, l.requested_at FROM left_untold AS l JOIN sites AS s ON s.id = l.site_id
         JOIN modules AS m ON m.id = l.module_id ORDER BY l.site_id, l.module_id, l.requested_at LIMIT ?1",
    )?;
    let rows = query.query_map([most], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, at(row.get(3)?)))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The site that is to be tried again first, where one is due.
///
/// # Errors
/// What SQLite says.
pub fn next_left_untold(db: &Connection, now: Timestamp) -> Result<Option<LeftUntold>> {
    Ok(db
        .prepare_cached(
            "SELECT module_id, site_id, requested_at FROM left_untold WHERE next_try_at <= ?1 ORDER BY next_try_at LIMIT 1",
        )?
        .query_row([ms(now)], |row| {
            Ok(LeftUntold {
                module_id: row.get(0)?,
                site_id: row.get(1)?,
                requested_at: at(row.get(2)?),
            })
        })
        .optional()?)
}

/// A site was told after all.
///
/// # Errors
/// What SQLite says.
pub fn told_after_all(db: &Connection, site_id: i64, module_id: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM left_untold WHERE site_id = ?1 AND module_id = ?2")?
        .execute([site_id, module_id])?;
    Ok(())
}

/// Nothing changed the truth yet.
///
/// # Errors
/// What SQLite says.
pub fn is_chronicle_empty(db: &Connection) -> Result<bool> {
    Ok(db
        .prepare_cached("SELECT NOT EXISTS (SELECT 1 FROM chronicle)")?
        .query_row([], |row| row.get(0))?)
}

/// Writes down that something changed the truth, in the order of its commit.
///
/// # Errors
/// What SQLite says.
pub fn chronicle(db: &Connection, kind: &str, reference: i64, now: Timestamp) -> Result<()> {
    db.prepare_cached("INSERT INTO chronicle (kind, ref, at) VALUES (?1, ?2, ?3)")?
        .execute(params![kind, reference, ms(now)])?;
    Ok(())
}
