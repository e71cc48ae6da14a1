//! Everything that changed the truth, in the order of its commit, so that it can be played again.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::time::{at, ms};
use super::{Result, StoreError};

/// Nothing changed the truth yet.
///
/// # Errors
/// What SQLite says.
pub fn is_empty(db: &Connection) -> Result<bool> {
    Ok(db
        .prepare_cached("SELECT NOT EXISTS (SELECT 1 FROM chronicle)")?
        .query_row([], |row| row.get(0))?)
}

/// Writes down that something changed the truth, in the order of its commit.
///
/// # Errors
/// What SQLite says.
pub fn write(db: &Connection, kind: &str, reference: i64, now: Timestamp) -> Result<()> {
    db.prepare_cached("INSERT INTO chronicle (kind, ref, at) VALUES (?1, ?2, ?3)")?
        .execute(params![kind, reference, ms(now)])?;
    Ok(())
}

/// One thing that changed the truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// A sync: site, received, generated, source, hash, packed delta.
    Sync {
        /// The site.
        site_id: i64,
        /// When the site made it.
        generated_at: Timestamp,
        /// `inventory` or `composer-lock`.
        source: String,
        /// The hash of the inventory.
        hash: Vec<u8>,
        /// What it changed, packed.
        delta: Vec<u8>,
    },
    /// A publication of a module.
    Publication {
        /// The module's name.
        module: String,
        /// The stored document's id.
        publication_id: i64,
    },
    /// A source told something of an advisory: the form's number.
    Advised(i64),
    /// A site was deleted.
    Deleted(i64),
    /// A site was restored.
    Restored(i64),
    /// A site was said to have moved.
    Moved(i64),
    /// The clocks of a site's windows were looked at, and told something.
    Clock(i64),
}

/// The chronicle after `seq`, a bounded part of it: (seq, when, what).
///
/// # Errors
/// What SQLite says; [`StoreError::Corrupt`] for an unknown word.
pub fn after(db: &Connection, after: i64, most: u32) -> Result<Vec<(i64, Timestamp, Happened)>> {
    let mut query = db.prepare_cached(
        "SELECT c.seq, c.at, c.kind, c.ref, s.site_id, s.generated_at, s.source, s.content_hash, s.delta, m.name
         FROM chronicle AS c LEFT JOIN syncs AS s ON c.kind = 'sync' AND s.id = c.ref
            LEFT JOIN publications AS p ON c.kind = 'publication' AND p.id = c.ref LEFT JOIN modules AS m ON m.id = p.module_id
         WHERE c.seq > ?1 ORDER BY c.seq LIMIT ?2",
    )?;
    let mut rows = query.query((after, most))?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let kind: String = row.get(2)?;
        let happened = match kind.as_str() {
            "sync" => Happened::Sync {
                site_id: row.get(4)?,
                generated_at: at(row.get(5)?),
                source: row.get(6)?,
                hash: row.get(7)?,
                delta: row.get(8)?,
            },
            "publication" => Happened::Publication {
                module: row.get(9)?,
                publication_id: row.get(3)?,
            },
            "advisory" => Happened::Advised(row.get(3)?),
            "site_deleted" => Happened::Deleted(row.get(3)?),
            "site_restored" => Happened::Restored(row.get(3)?),
            "site_moved" => Happened::Moved(row.get(3)?),
            "clock" => Happened::Clock(row.get(3)?),
            other => {
                return Err(StoreError::Corrupt(format!(
                    "the chronicle knows no {other}"
                )));
            }
        };
        all.push((row.get(0)?, at(row.get(1)?), happened));
    }
    Ok(all)
}
