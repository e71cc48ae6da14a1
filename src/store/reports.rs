//! Reading for reports: each statement is one chunk of a walk, so that no read is long. What was due by
//! month comes from an index that holds all it needs; what opened day by day from counts that are kept.

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::wall::{Within, counted, list, within};
use super::{Result, StoreError};
use crate::domain::access::Sight;
use crate::domain::report::Asked;
use crate::domain::site_status::Standing;

/// What a report is narrowed to, ready to be bound.
#[derive(Debug, Clone)]
pub struct Narrowed {
    within: Within,
    counted: String,
    organization: Option<i64>,
    site: Option<i64>,
    module: Option<String>,
    risk: Option<&'static str>,
    tag: Option<String>,
    environments: String,
}

impl Narrowed {
    /// What was asked, inside the wall: an organization that isn't in sight leaves nothing.
    pub fn new(sight: &Sight, asked: &Asked) -> Self {
        let sight = match asked.organization_id {
            Some(one) if sight.sees_organization(one) => Sight::organization(one),
            Some(_) => Sight::nothing(),
            None => sight.clone(),
        };
        let words: Vec<String> = asked
            .environments
            .iter()
            .map(|word| format!("\"{word}\""))
            .collect();
        Self {
            within: within(&sight),
            counted: counted(&sight),
            organization: sight.only_organization(),
            site: asked.site_id,
            module: asked.module.clone(),
            risk: asked.risk,
            tag: asked.tag.clone(),
            environments: format!("[{}]", words.join(",")),
        }
    }

    /// Narrowed to windows of a site, a module or a tag: what is counted by organization can't tell.
    pub fn to_few(&self) -> bool {
        self.site.is_some() || self.module.is_some() || self.tag.is_some()
    }

    /// The one risk level that it is narrowed to.
    pub fn risk(&self) -> Option<&'static str> {
        self.risk
    }
}

/// The windows that count: the wall, and what was asked.
const COUNTS: &str =
    "(:within IS NULL OR +e.organization_id IN (SELECT value FROM json_each(:within)))
   AND (:site IS NULL OR e.site_id = :site)
   AND (:module IS NULL OR e.module_id IN (SELECT id FROM modules WHERE name = :module))
   AND (:risk IS NULL OR ifnull(e.risk, 'unknown') = :risk)
   AND (:tag IS NULL OR e.site_id IN (SELECT site_id FROM site_tags WHERE tag = :tag))";
/// The environments that were asked for, without leading through them.
const PLACED: &str = "+e.environment IN (SELECT value FROM json_each(:environments))";
/// What a row of security updates needs.
const UPDATE: &str = "e.id, e.opened_at, e.site_id, e.organization_id, e.environment, e.module_id, e.version_id, e.cause_kind,
   e.cause, e.risk, e.due_at, e.closed_at, e.outcome";

/// One window. Times in milliseconds.
#[derive(Debug)]
pub struct Update<'r> {
    /// Its id.
    pub id: i64,
    /// When it opened.
    pub opened_at: i64,
    /// The site.
    pub site_id: i64,
    /// The organization.
    pub organization_id: i64,
    /// The site's environment when it opened.
    pub environment: &'r str,
    /// The module.
    pub module_id: i64,
    /// What was installed.
    pub version_id: i64,
    /// `release`, `advisory` or `project`.
    pub cause_kind: &'r str,
    /// The release's version, the advisory's id, the project's name.
    pub cause: &'r str,
    /// How bad; `None`: unknown.
    pub risk: Option<&'r str>,
    /// By when.
    pub due_at: Option<i64>,
    /// When it closed.
    pub closed_at: Option<i64>,
    /// How it ended.
    pub outcome: Option<&'r str>,
}

impl<'r> Update<'r> {
    /// The version of the release that ends it, where one is known, as `domain::exposure::Cause::fix`.
    pub fn fix(&self) -> Option<&'r str> {
        (self.cause_kind == "release").then_some(self.cause)
    }

    fn of(row: &'r Row<'_>) -> rusqlite::Result<Self> {
        let text = |at: usize| Ok::<_, rusqlite::Error>(row.get_ref(at)?.as_str()?);
        let maybe = |at: usize| Ok::<_, rusqlite::Error>(row.get_ref(at)?.as_str_or_null()?);
        Ok(Self {
            id: row.get(0)?,
            opened_at: row.get(1)?,
            site_id: row.get(2)?,
            organization_id: row.get(3)?,
            environment: text(4)?,
            module_id: row.get(5)?,
            version_id: row.get(6)?,
            cause_kind: text(7)?,
            cause: text(8)?,
            risk: maybe(9)?,
            due_at: row.get(10)?,
            closed_at: row.get(11)?,
            outcome: maybe(12)?,
        })
    }
}

/// Tells the next windows after that one (opened at, id) that opened before `until`, in the order of their
/// opening.
///
/// # Errors
/// What SQLite says, and what the one who is told answers.
pub fn updates<E: From<StoreError>>(
    db: &Connection,
    narrowed: &Narrowed,
    (opened_at, id): (i64, i64),
    until: i64,
    most: u32,
    mut tell: impl FnMut(Update<'_>) -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    let led = match (narrowed.site, narrowed.organization) {
        (Some(_), _) => "e.site_id = :site AND :organization IS :organization",
        (None, Some(_)) => "e.organization_id = :organization",
        (None, None) => ":organization IS :organization",
    };
    let sql = format!(
        "SELECT {UPDATE} FROM exposures AS e
         WHERE {led} AND (e.opened_at, e.id) > (:opened, :id) AND e.opened_at < :until AND {COUNTS} AND {PLACED}
         ORDER BY e.opened_at, e.id LIMIT :most"
    );
    let mut statement = db.prepare_cached(&sql).map_err(StoreError::from)?;
    let mut rows = statement.query(
        named_params! {
            ":within": narrowed.within, ":site": narrowed.site, ":module": narrowed.module, ":risk": narrowed.risk,
            ":tag": narrowed.tag, ":environments": narrowed.environments, ":organization": narrowed.organization,
            ":opened": opened_at, ":id": id, ":until": until, ":most": most,
        },
    ).map_err(StoreError::from)?;
    while let Some(row) = rows.next().map_err(StoreError::from)? {
        tell(Update::of(row).map_err(StoreError::from)?)?;
    }
    Ok(())
}

/// What has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Named {
    /// A site.
    Site,
    /// An organization.
    Organization,
    /// A module.
    Module,
    /// A version of a module; it has none where the site didn't tell one.
    Version,
    /// An advisory.
    Advisory,
}

/// Its name.
///
/// # Errors
/// What SQLite says.
pub fn name(db: &Connection, of: Named, id: i64) -> Result<Option<String>> {
    let sql = match of {
        Named::Site => "SELECT name FROM sites WHERE id = ?1",
        Named::Organization => "SELECT name FROM organizations WHERE id = ?1",
        Named::Module => "SELECT name FROM modules WHERE id = ?1",
        Named::Version => "SELECT version FROM module_versions WHERE id = ?1",
        Named::Advisory => "SELECT name FROM advisories WHERE id = ?1",
    };
    Ok(db
        .prepare_cached(sql)?
        .query_row([id], |row| row.get(0))
        .optional()?
        .flatten())
}

/// The advisories that explain these windows: (which of the windows, from 0; id).
///
/// # Errors
/// What SQLite says.
pub fn advisories(db: &Connection, windows: &[i64]) -> Result<Vec<(u32, i64)>> {
    let mut statement = db.prepare_cached(
        "SELECT j.key, ea.advisory_id FROM json_each(?1) AS j CROSS JOIN exposure_advisories AS ea ON ea.exposure_id = j.value",
    )?;
    let found = statement.query_map([list(windows)], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// A window that was due. Times in milliseconds.
#[derive(Debug, Clone)]
pub struct Due {
    /// Whose site it is on.
    pub organization_id: i64,
    /// By when.
    pub due_at: i64,
    /// When it opened.
    pub opened_at: i64,
    /// When it closed.
    pub closed_at: Option<i64>,
    /// How it ended.
    pub outcome: Option<String>,
}

/// The windows that were due from `from` to before `until` and count, told one by one.
///
/// # Errors
/// What SQLite says.
pub fn due(
    db: &Connection,
    narrowed: &Narrowed,
    (from, until): (i64, i64),
    mut tell: impl FnMut(Due),
) -> Result<()> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT e.organization_id, e.due_at, e.opened_at, e.closed_at, e.outcome FROM exposures AS e
         WHERE e.environment IN (SELECT value FROM json_each(:environments)) AND e.due_at >= :from AND e.due_at < :until
           AND (e.outcome IS NULL OR e.outcome IN ('met', 'breached')) AND {COUNTS}"
    ))?;
    let mut rows = statement.query(named_params! {
        ":within": narrowed.within, ":site": narrowed.site, ":module": narrowed.module, ":risk": narrowed.risk,
        ":tag": narrowed.tag, ":environments": narrowed.environments, ":from": from, ":until": until,
    })?;
    while let Some(row) = rows.next()? {
        tell(Due {
            organization_id: row.get(0)?,
            due_at: row.get(1)?,
            opened_at: row.get(2)?,
            closed_at: row.get(3)?,
            outcome: row.get(4)?,
        });
    }
    Ok(())
}

/// The names of these organizations: (id, name), in the order of their names.
///
/// # Errors
/// What SQLite says.
pub fn organizations(db: &Connection, ids: &[i64]) -> Result<Vec<(i64, String)>> {
    let mut statement = db.prepare_cached(
        "SELECT o.id, o.name FROM json_each(?1) AS j CROSS JOIN organizations AS o ON o.id = j.value
         ORDER BY o.name COLLATE NOCASE, o.id",
    )?;
    let found = statement.query_map([list(ids)], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Windows of one risk on a day: (risk, empty: unknown; day counted from 1970; opened; closed).
pub type Moved = (String, i64, i64, i64);

/// Those, up to that day, of organizations as they are counted.
///
/// # Errors
/// What SQLite says.
pub fn days(db: &Connection, narrowed: &Narrowed, last: i64) -> Result<Vec<Moved>> {
    let mut statement = db.prepare_cached(
        "SELECT risk, day, sum(opened), sum(met + breached + gone) FROM exposure_days
         WHERE organization_id IN (SELECT value FROM json_each(?1)) AND environment IN (SELECT value FROM json_each(?3))
           AND day <= ?2 AND (?4 IS NULL OR ifnull(nullif(risk, ''), 'unknown') = ?4)
         GROUP BY risk, day",
    )?;
    let found = statement.query_map(
        params![narrowed.counted, last, narrowed.environments, narrowed.risk],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
    )?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// When each window opened and closed, milliseconds, of a site, a tag or a module, told one by one.
///
/// # Errors
/// What SQLite says.
pub fn spans(
    db: &Connection,
    narrowed: &Narrowed,
    until: i64,
    mut tell: impl FnMut(i64, Option<i64>),
) -> Result<()> {
    let sql = match (narrowed.site, &narrowed.tag) {
        (Some(_), _) => format!(
            "SELECT e.opened_at, e.closed_at FROM exposures AS e WHERE e.site_id = :site AND e.opened_at < :until AND {COUNTS} AND {PLACED}"
        ),
        (None, Some(_)) => format!(
            "SELECT e.opened_at, e.closed_at FROM site_tags AS t CROSS JOIN exposures AS e ON e.site_id = t.site_id
             WHERE t.tag = :tag AND e.opened_at < :until AND {COUNTS} AND {PLACED}"
        ),
        (None, None) => format!(
            "SELECT e.opened_at, e.closed_at FROM modules AS m CROSS JOIN exposures AS e ON e.module_id = m.id
             WHERE m.name = :module AND e.opened_at < :until AND {COUNTS} AND {PLACED}"
        ),
    };
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query(named_params! {
        ":within": narrowed.within, ":site": narrowed.site, ":module": narrowed.module, ":risk": narrowed.risk,
        ":tag": narrowed.tag, ":environments": narrowed.environments, ":until": until,
    })?;
    while let Some(row) = rows.next()? {
        tell(row.get(0)?, row.get(1)?);
    }
    Ok(())
}

/// What was counted at the end of a day: (day, sites, exposed, not current).
pub type Snapshot = (i64, i64, i64, i64);

/// The snapshots of these days, organizations together.
///
/// # Errors
/// What SQLite says.
pub fn snapshots(
    db: &Connection,
    narrowed: &Narrowed,
    (first, last): (i64, i64),
) -> Result<Vec<Snapshot>> {
    let mut statement = db.prepare_cached(
        "SELECT day, sum(sites), sum(exposed), sum(not_current) FROM daily_snapshots
         WHERE day >= ?2 AND day <= ?3 AND (?1 IS NULL OR organization_id IN (SELECT value FROM json_each(?1)))
           AND environment IN (SELECT value FROM json_each(?4)) GROUP BY day",
    )?;
    let found = statement.query_map(
        params![narrowed.within, first, last, narrowed.environments],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
    )?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// The sites that pass, in no order.
const SITES: &str = "SELECT s.id FROM sites AS s WHERE s.deleted_at IS NULL
   AND (:within IS NULL OR s.organization_id IN (SELECT value FROM json_each(:within)))
   AND (:site IS NULL OR s.id = :site) AND s.environment IN (SELECT value FROM json_each(:environments))
   AND (:tag IS NULL OR s.id IN (SELECT site_id FROM site_tags WHERE tag = :tag))";

/// The sites that pass: a set of ids.
#[derive(Debug, Clone, Default)]
pub struct Sites(Vec<u64>);

impl Sites {
    fn put(&mut self, id: i64) {
        let Ok(id) = usize::try_from(id) else { return };
        if self.0.len() <= id / 64 {
            self.0.resize(id / 64 + 1, 0);
        }
        if let Some(word) = self.0.get_mut(id / 64) {
            *word |= 1 << (id % 64);
        }
    }

    fn has(&self, id: i64) -> bool {
        let found = usize::try_from(id).ok();
        found.is_some_and(|id| {
            self.0
                .get(id / 64)
                .is_some_and(|word| word >> (id % 64) & 1 == 1)
        })
    }
}

/// Those.
///
/// # Errors
/// What SQLite says.
pub fn sites(db: &Connection, narrowed: &Narrowed) -> Result<Sites> {
    let mut statement = db.prepare_cached(SITES)?;
    let mut rows = statement.query(named_params! {
        ":within": narrowed.within, ":site": narrowed.site, ":tag": narrowed.tag, ":environments": narrowed.environments,
    })?;
    let mut sites = Sites::default();
    while let Some(row) = rows.next()? {
        sites.put(row.get(0)?);
    }
    Ok(sites)
}

/// A version that somebody runs.
#[derive(Debug, Clone)]
pub struct Version {
    /// The version.
    pub version_id: i64,
    /// The module.
    pub module_id: i64,
    /// The module's name.
    pub module: String,
    /// The version's name.
    pub installed: Option<String>,
    /// What to install.
    pub recommended: Option<String>,
    /// The rank of its status.
    pub status: i64,
}

/// All that stand so, by module and version: at most what the catalogue has seen on sites.
///
/// # Errors
/// What SQLite says.
pub fn versions(
    db: &Connection,
    narrowed: &Narrowed,
    standings: &[Standing],
) -> Result<Vec<Version>> {
    let ranks: Vec<i64> = standings.iter().map(|standing| standing.rank()).collect();
    let mut statement = db.prepare_cached(
        "SELECT v.id, m.id, m.name, v.version, v.recommended, v.status FROM modules AS m CROSS JOIN module_versions AS v ON v.module_id = m.id
         WHERE m.kind = 'project' AND m.sites_count > 0 AND v.enabled_count > 0 AND v.status IN (SELECT value FROM json_each(?2))
           AND (?1 IS NULL OR m.name = ?1) ORDER BY m.name, m.id, v.version, v.id",
    )?;
    let found = statement.query_map(params![narrowed.module, list(&ranks)], |row| {
        Ok(Version {
            version_id: row.get(0)?,
            module_id: row.get(1)?,
            module: row.get(2)?,
            installed: row.get(3)?,
            recommended: row.get(4)?,
            status: row.get(5)?,
        })
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// How many of these sites run that version, enabled, and ran it before `until` (milliseconds) where that
/// is said; where a risk was asked for, with a window of it open.
///
/// # Errors
/// What SQLite says.
pub fn run_by(
    db: &Connection,
    version: &Version,
    sites: &Sites,
    (risk, until): (Option<&str>, Option<i64>),
) -> Result<i64> {
    // The index alone tells who runs it, but not since when.
    let begun = match until {
        Some(_) => "sm.run_started_at < ?4",
        None => "?4 IS NULL",
    };
    let mut statement = db.prepare_cached(&format!(
        "SELECT sm.site_id FROM site_modules AS sm WHERE sm.version_id = ?1 AND sm.enabled = 1 AND {begun}
           AND (?3 IS NULL OR EXISTS (SELECT 1 FROM exposures AS e WHERE e.site_id = sm.site_id AND e.module_id = ?2
             AND e.closed_at IS NULL AND ifnull(e.risk, 'unknown') = ?3))"
    ))?;
    let mut rows = statement.query(params![version.version_id, version.module_id, risk, until])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        count += i64::from(sites.has(row.get(0)?));
    }
    Ok(count)
}

/// The versions of core and of PHP on the sites that pass, as far as they were reported: (core, PHP, sites).
pub type Platform = (Option<String>, Option<String>, i64);

/// Those.
///
/// # Errors
/// What SQLite says.
pub fn platforms(db: &Connection, narrowed: &Narrowed) -> Result<Vec<Platform>> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT ifnull(v.version, t.drupal_version) AS core, t.php_version, count(*) FROM sites AS t LEFT JOIN module_versions AS v ON v.id = t.core_version_id
         WHERE t.id IN ({SITES}) GROUP BY core, t.php_version"
    ))?;
    let found = statement.query_map(
        named_params! {
            ":within": narrowed.within, ":site": narrowed.site, ":tag": narrowed.tag, ":environments": narrowed.environments,
        },
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}
