//! Reading the ledger for people: what is open, what has been.

use jiff::Timestamp;
use rusqlite::Connection;

use super::Result;
use super::time::at;
use crate::domain::judgement::Judgement;
use crate::domain::site_status::Standing;

/// What a site is told about its security after a sync.
#[derive(Debug, Clone)]
pub struct Summary {
    /// The site's word.
    pub status: Standing,
    /// Modules that can't be judged.
    pub unknown: i64,
    /// (site, module) pairs with an open row.
    pub open_exposures: i64,
    /// The newest site's id.
    pub newest_site: i64,
    /// The modules with an open row, most urgent first.
    pub updates: Vec<Open>,
}

/// A module with an open row.
#[derive(Debug, Clone)]
pub struct Open {
    /// Its name.
    pub module: String,
    /// What is installed.
    pub installed: Option<String>,
    /// The judgement on that.
    pub judgement: Judgement,
    /// By when.
    pub due_at: Option<Timestamp>,
}

/// What a site is told about its security after a sync.
///
/// # Errors
/// What SQLite says.
pub fn summary(db: &Connection, site_id: i64) -> Result<Summary> {
    let mut summary = db
        .prepare_cached(
            "SELECT status, unknown, open_exposures, (SELECT max(id) FROM sites) FROM sites WHERE id = ?1",
        )?
        .query_row([site_id], |row| {
            Ok(Summary {
                status: Standing::from_rank(row.get(0)?).unwrap_or(Standing::Unknown),
                unknown: row.get(1)?,
                open_exposures: row.get(2)?,
                newest_site: row.get(3)?,
                updates: Vec::new(),
            })
        })?;
    if summary.open_exposures > 0 {
        summary.updates = open(db, site_id)?;
    }
    Ok(summary)
}

fn open(db: &Connection, site_id: i64) -> Result<Vec<Open>> {
    let mut query = db.prepare_cached(
        "SELECT m.name, v.version, v.verdict, min(e.due_at) FROM exposures AS e JOIN modules AS m ON m.id = e.module_id
            JOIN site_modules AS sm ON sm.site_id = e.site_id AND sm.module_id = e.module_id
            JOIN module_versions AS v ON v.id = sm.version_id
         WHERE e.site_id = ?1 AND e.closed_at IS NULL GROUP BY e.module_id ORDER BY min(e.due_at), m.name",
    )?;
    let mut rows = query.query([site_id])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let verdict: String = row.get(2)?;
        all.push(Open {
            module: row.get(0)?,
            installed: row.get(1)?,
            judgement: serde_json::from_str(&verdict)?,
            due_at: row.get::<_, Option<i64>>(3)?.map(at),
        });
    }
    Ok(all)
}
