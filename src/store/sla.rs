//! What was promised, since when: versions of policies, of which none is ever changed, and the
//! environments in which a site was.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZoneDatabase;
use rusqlite::{Connection, Row, params};

use super::time::{at, ms};
use super::{Result, StoreError};
use crate::domain::exposure::{Promised, Risk};
use crate::domain::exposure_event::MARKS;
use crate::domain::sla::{Environments, Office, Policy};

const COLUMNS: &str = "SELECT id, organization_id, valid_from, terms, time_zone, holidays, created_at, created_by FROM sla_policies";

/// One version of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its id.
    pub id: i64,
    /// Whose it is; `None`: it holds where an organization has none of its own.
    pub organization_id: Option<i64>,
    /// Windows that open from then on are due by it.
    pub valid_from: Timestamp,
    /// What it says.
    pub policy: Policy,
    /// When it was made.
    pub created_at: Timestamp,
    /// The label of whoever made it.
    pub created_by: String,
}

fn version(row: &Row<'_>) -> Result<Version> {
    let corrupt = |what: &str| StoreError::Corrupt(format!("a policy's {what} can't be read"));
    let (terms, zone, holidays): (String, String, String) = (row.get(3)?, row.get(4)?, row.get(5)?);
    let environments: Environments = serde_json::from_str(&terms).map_err(|_| corrupt("terms"))?;
    let holidays: BTreeSet<Date> =
        serde_json::from_str(&holidays).map_err(|_| corrupt("holidays"))?;
    // Not the machine's own list of time zones: elsewhere, a replay has to give the same.
    let zone = TimeZoneDatabase::bundled()
        .get(&zone)
        .map_err(|_| corrupt("time zone"))?;
    Ok(Version {
        id: row.get(0)?,
        organization_id: row.get(1)?,
        valid_from: at(row.get(2)?),
        policy: Policy {
            environments,
            office: Office { zone, holidays },
        },
        created_at: at(row.get(6)?),
        created_by: row.get(7)?,
    })
}

/// The versions that an organization has of its own (0: those of everybody), the newest first, at most so
/// many of them. What is due can be told from all of them alone.
///
/// # Errors
/// What SQLite says; [`StoreError::Corrupt`] where a row can't be read.
pub fn versions(db: &Connection, organization_id: i64, most: u32) -> Result<Vec<Version>> {
    let mut query = db.prepare_cached(&format!(
        "{COLUMNS} WHERE ifnull(organization_id, 0) = ?1 ORDER BY valid_from DESC, id DESC LIMIT ?2"
    ))?;
    let mut rows = query.query(params![organization_id, most])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(version(row)?);
    }
    Ok(all)
}

/// The version by which a window of that organization is due that opens at `instant`.
///
/// # Errors
/// As [`versions`].
pub fn in_force(db: &Connection, organization_id: i64, instant: Timestamp) -> Result<Version> {
    let newest = |owner: i64| {
        let mut query = db.prepare_cached(&format!(
            "{COLUMNS} WHERE ifnull(organization_id, 0) = ?1 AND valid_from <= ?2 ORDER BY valid_from DESC, id DESC LIMIT 1"
        ))?;
        let mut rows = query.query([owner, ms(instant).max(0)])?;
        match rows.next()? {
            Some(row) => version(row).map(Some),
            None => Ok(None),
        }
    };
    let own = match organization_id {
        0 => None,
        id => newest(id)?,
    };
    match own {
        Some(own) => Ok(own),
        None => newest(0)?
            .ok_or_else(|| StoreError::Corrupt("nothing is promised to anybody".to_owned())),
    }
}

/// Adds a version and gives its id. None before it in time can come after it.
///
/// # Errors
/// What SQLite says.
pub fn add(
    db: &Connection,
    organization_id: Option<i64>,
    policy: &Policy,
    by: &str,
    (valid_from, now): (Timestamp, Timestamp),
) -> Result<i64> {
    let unwritable = |error: serde_json::Error| StoreError::Corrupt(error.to_string());
    db.prepare_cached(
        "INSERT INTO sla_policies (organization_id, valid_from, terms, time_zone, holidays, created_at, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        organization_id,
        ms(valid_from),
        serde_json::to_string(&policy.environments).map_err(unwritable)?,
        policy.office.zone.iana_name().unwrap_or("UTC"),
        serde_json::to_string(&policy.office.holidays).map_err(unwritable)?,
        ms(now),
        by
    ])?;
    Ok(db.last_insert_rowid())
}

/// What was ever promised to one site.
#[derive(Debug)]
pub struct Promises {
    /// In which environment it was, since when: the newest first.
    environments: Vec<(Timestamp, String)>,
    /// The organization's versions, the newest first.
    own: Vec<Version>,
    /// Everybody's.
    others: Vec<Version>,
}

impl Promises {
    /// Reads what was promised to a site of an organization.
    ///
    /// # Errors
    /// As [`versions`].
    pub fn read(db: &Connection, site_id: i64, organization_id: i64) -> Result<Self> {
        let mut query = db.prepare_cached(
            "SELECT since, environment FROM site_environments WHERE site_id = ?1 ORDER BY since DESC",
        )?;
        let rows = query.query_map([site_id], |row| Ok((at(row.get(0)?), row.get(1)?)))?;
        Ok(Self {
            environments: rows.collect::<rusqlite::Result<_>>()?,
            own: versions(db, organization_id, u32::MAX)?,
            others: versions(db, 0, u32::MAX)?,
        })
    }

    fn in_force(&self, instant: Timestamp) -> Option<&Policy> {
        let held = |versions: &'_ [Version]| {
            versions
                .iter()
                .position(|version| version.valid_from <= instant)
        };
        let found = match held(&self.own) {
            Some(at) => self.own.get(at),
            None => match held(&self.others) {
                Some(at) => self.others.get(at),
                None => self.others.last(),
            },
        };
        found.map(|version| &version.policy)
    }

    /// In which environment the site was.
    pub fn environment(&self, instant: Timestamp) -> &str {
        let held = self
            .environments
            .iter()
            .find(|(since, _)| *since <= instant);
        held.or_else(|| self.environments.last())
            .map_or("production", |(_, environment)| environment)
    }

    /// The instant by which so many quarters of the promised time have passed.
    pub fn mark(&self, opened_at: Timestamp, due_at: Timestamp, quarters: i32) -> Timestamp {
        let policy = self.in_force(opened_at);
        policy.map_or(due_at, |policy| {
            policy.mark(self.environment(opened_at), opened_at, due_at, quarters)
        })
    }

    /// What a clock tells, and when half, three quarters and all of the promised time have passed. Nothing
    /// where nothing is promised.
    pub fn marks(
        &self,
        opened_at: Timestamp,
        due_at: Option<Timestamp>,
    ) -> impl Iterator<Item = (&'static str, Timestamp)> {
        let mark = move |due_at, (quarters, kind)| (kind, self.mark(opened_at, due_at, quarters));
        due_at
            .into_iter()
            .flat_map(move |due_at| MARKS.map(|quarters| mark(due_at, quarters)))
    }
}

impl Promised for Promises {
    fn due(&self, opened_at: Timestamp, from: Timestamp, risk: Option<Risk>) -> Option<Timestamp> {
        let environment = self.environment(opened_at);
        self.in_force(opened_at)?.due(environment, from, risk)
    }

    fn half(&self, opened_at: Timestamp, due_at: Timestamp) -> Timestamp {
        self.mark(opened_at, due_at, 2)
    }
}
