//! The rows of module updates: versions that sites run and that are not current, by module. Beside them
//! stand the modules of which nobody can tell: no row is no all-clear for these.

use crate::domain::report::{Cell, Row};
use crate::domain::site_status::Standing;
use crate::services::Result;
use crate::store::Connection;
use crate::store::reports::{self as store, Narrowed, Sites, Version};

/// Versions whose sites are counted in a chunk.
const VERSIONS: usize = 200;
/// What is not current.
const OUTDATED: [Standing; 4] = [
    Standing::NotSecure,
    Standing::Revoked,
    Standing::NotSupported,
    Standing::NotCurrent,
];
/// What nobody can tell.
const UNKNOWN: [Standing; 3] = [Standing::Unknown, Standing::NotChecked, Standing::Pending];

/// A module that sites run and that could not be judged: its id and its name.
pub type Unknown = (i64, String);

/// How far the walk has come.
#[derive(Debug)]
pub struct Modules {
    sites: Sites,
    /// Where a time that is over was asked for: what had begun before its end.
    until: Option<i64>,
    /// The versions still to come, the last one first.
    left: Vec<Version>,
}

impl Modules {
    /// Sets out.
    ///
    /// # Errors
    /// What the store says.
    pub fn begin(db: &Connection, narrowed: &Narrowed, until: Option<i64>) -> Result<Self> {
        let mut left = store::versions(db, narrowed, &OUTDATED)?;
        left.reverse();
        Ok(Self {
            sites: store::sites(db, narrowed)?,
            until,
            left,
        })
    }

    /// The next rows; `None` at the end.
    ///
    /// # Errors
    /// What the store says.
    pub fn rows(&mut self, db: &Connection, narrowed: &Narrowed) -> Result<Option<Vec<Row>>> {
        if self.left.is_empty() {
            return Ok(None);
        }
        let mut rows: Vec<(Version, i64)> = Vec::new();
        while let Some(version) = self.left.pop() {
            let so = (narrowed.risk(), self.until);
            let count = store::run_by(db, &version, &self.sites, so)?;
            let full = rows.len() >= VERSIONS;
            // Snapshots of one development version are one row.
            match rows.last_mut() {
                Some((before, sites)) if same(before, &version) => *sites += count,
                _ if full => {
                    self.left.push(version);
                    break;
                }
                _ => rows.push((version, count)),
            }
        }
        let run = rows.into_iter().filter(|(_, sites)| *sites > 0);
        Ok(Some(run.map(row).collect()))
    }

    /// The modules on these sites of which nobody can tell, by name. Which risk they are is not known either.
    ///
    /// # Errors
    /// What the store says.
    pub fn unknown(&self, db: &Connection, narrowed: &Narrowed) -> Result<Vec<Unknown>> {
        let mut unknown: Vec<Unknown> = Vec::new();
        for version in store::versions(db, narrowed, &UNKNOWN)? {
            let told = unknown
                .last()
                .is_some_and(|(id, _)| *id == version.module_id);
            if !told && store::run_by(db, &version, &self.sites, (None, self.until))? > 0 {
                unknown.push((version.module_id, version.module));
            }
        }
        Ok(unknown)
    }
}

/// They are told in one row.
fn same(one: &Version, other: &Version) -> bool {
    one.module_id == other.module_id
        && one.installed == other.installed
        && one.recommended == other.recommended
        && one.status == other.status
}

fn row((version, sites): (Version, i64)) -> Row {
    let standing = Standing::from_rank(version.status).unwrap_or(Standing::NotCurrent);
    vec![
        Cell::text(version.module),
        Cell::maybe(version.installed),
        Cell::maybe(version.recommended),
        Cell::text(standing.word().to_owned()),
        Cell::Whole(sites),
        Cell::Whole(version.module_id),
    ]
}
