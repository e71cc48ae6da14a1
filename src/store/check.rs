//! Whether what is kept agrees with itself: integrity, counters, and what can be told from one another.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::types::FromSql;
use rusqlite::{Connection, OpenFlags};

use super::{Result, search};
use crate::domain::role::ADMIN;

/// Differences told of one check; the rest is counted.
const TOLD: usize = 20;

/// One check: what was looked at, and what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub about: &'static str,
    /// How many things were looked at.
    pub looked_at: u64,
    /// What is wrong; empty: nothing.
    pub wrong: Vec<String>,
    /// What isn't wrong but worth knowing.
    pub worth_knowing: Vec<String>,
}

/// Copies a database as it is now, consistently, although it may be in use.
///
/// # Errors
/// What SQLite says.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    let db = Connection::open_with_flags(
        from,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    db.busy_timeout(std::time::Duration::from_secs(30))?;
    db.execute("VACUUM INTO ?1", [to.to_string_lossy()])?;
    Ok(())
}

/// SQLite's own checks of the file and of the references between rows.
///
/// # Errors
/// What SQLite says.
pub fn integrity(db: &Connection) -> Result<Vec<Finding>> {
    let said: Vec<String> = column(db, "PRAGMA integrity_check")?;
    let mut query = db.prepare("PRAGMA foreign_key_check")?;
    let orphans = query
        .query_map([], |row| {
            let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
            Ok(format!("a row of {table} points to nothing in {parent}"))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(vec![
        Finding {
            about: "the file's integrity",
            looked_at: 1,
            wrong: said.into_iter().filter(|line| line != "ok").collect(),
            worth_knowing: Vec::new(),
        },
        Finding {
            about: "references between rows",
            looked_at: 1,
            wrong: orphans,
            worth_knowing: Vec::new(),
        },
    ])
}

/// People's places: each is a person's, in an organization, with a role that can be given there; and
/// which organizations have nobody of their own who looks after them.
///
/// # Errors
/// What SQLite says.
pub fn memberships(db: &Connection) -> Result<Finding> {
    let lines = |sql: &str| column::<String>(db, sql);
    let count = db.query_row("SELECT count(*) FROM memberships", [], |row| {
        row.get::<_, u32>(0)
    })?;
    Ok(Finding {
        about: "who belongs to which organization, and as what",
        looked_at: u64::from(count),
        wrong: lines(
            "SELECT 'person ' || m.user_id || ' in organization ' || m.organization_id || ': ' || CASE
               WHEN u.id IS NULL THEN 'there is no such person'
               WHEN o.id IS NULL THEN 'there is no such organization'
               WHEN r.id IS NULL THEN 'there is no role ' || m.role_id
               ELSE 'the role ' || r.name || ' belongs to another organization' END
             FROM memberships AS m LEFT JOIN users AS u ON u.id = m.user_id
               LEFT JOIN organizations AS o ON o.id = m.organization_id LEFT JOIN roles AS r ON r.id = m.role_id
             WHERE u.id IS NULL OR o.id IS NULL OR r.id IS NULL OR r.organization_id <> m.organization_id",
        )?,
        worth_knowing: lines(&format!(
            "SELECT 'organization ' || o.id || ' (' || o.name || iif(o.deleted_at IS NULL, '', ', deleted') || ') has no administrator'
             FROM organizations AS o WHERE NOT EXISTS (SELECT 1 FROM memberships AS m JOIN users AS u ON u.id = m.user_id
               WHERE m.organization_id = o.id AND m.role_id = {ADMIN} AND u.deleted_at IS NULL AND u.password_hash IS NOT NULL)
             ORDER BY o.id"
        ))?,
    })
}

/// A counter and how to count it: both queries give (name, value) pairs; what counts zero may be absent.
struct Counter {
    about: &'static str,
    kept: &'static str,
    counted: &'static str,
}

const COUNTERS: &[Counter] = &[
    Counter {
        about: "sites of each version",
        kept: "SELECT id || '', sites_count FROM module_versions",
        counted: "SELECT sm.version_id || '', count(*) FROM site_modules AS sm JOIN sites AS s ON s.id = sm.site_id
            WHERE s.deleted_at IS NULL GROUP BY sm.version_id",
    },
    Counter {
        about: "sites that have each version enabled",
        kept: "SELECT id || '', enabled_count FROM module_versions",
        counted: "SELECT sm.version_id || '', sum(sm.enabled) FROM site_modules AS sm JOIN sites AS s ON s.id = sm.site_id
            WHERE s.deleted_at IS NULL GROUP BY sm.version_id",
    },
    Counter {
        about: "sites of each version by organization",
        kept: "SELECT version_id || ' of ' || organization_id, sites * 1000000 + enabled FROM organization_versions",
        counted: "SELECT sm.version_id || ' of ' || s.organization_id, count(*) * 1000000 + sum(sm.enabled)
            FROM site_modules AS sm JOIN sites AS s ON s.id = sm.site_id
            WHERE s.deleted_at IS NULL GROUP BY sm.version_id, s.organization_id",
    },
    Counter {
        about: "sites of each module",
        kept: "SELECT id || '', sites_count FROM modules",
        counted: "SELECT sm.module_id || '', count(*) FROM site_modules AS sm JOIN sites AS s ON s.id = sm.site_id
            WHERE s.deleted_at IS NULL GROUP BY sm.module_id",
    },
    Counter {
        about: "exposed sites of each module",
        kept: "SELECT id || '', exposed_sites_count FROM modules",
        counted: "SELECT sm.module_id || '', count(*) FROM site_modules AS sm JOIN sites AS s ON s.id = sm.site_id
            JOIN module_versions AS v ON v.id = sm.version_id
            WHERE s.deleted_at IS NULL AND sm.enabled = 1 AND v.exposed = 1 GROUP BY sm.module_id",
    },
    Counter {
        about: "sites of each organization by status",
        kept: "SELECT organization_id || ', status ' || status || ', silent ' || silent, sites FROM organization_statuses",
        counted: "SELECT organization_id || ', status ' || status || ', silent ' || (silent_since IS NOT NULL), count(*)
            FROM sites WHERE deleted_at IS NULL GROUP BY organization_id, status, silent_since IS NOT NULL",
    },
    Counter {
        about: "open exposures of each organization by status",
        kept: "SELECT organization_id || ', status ' || status || ', silent ' || silent, open_exposures FROM organization_statuses",
        counted: "SELECT organization_id || ', status ' || status || ', silent ' || (silent_since IS NOT NULL), sum(open_exposures)
            FROM sites WHERE deleted_at IS NULL GROUP BY organization_id, status, silent_since IS NOT NULL",
    },
    Counter {
        about: "windows opened on each day",
        kept: "SELECT organization_id || ', ' || environment || ', risk ' || risk || ', day ' || day, opened FROM exposure_days",
        counted: "SELECT (organization_id * one) || ', ' || environment || ', risk ' || ifnull(risk, '') || ', day ' || (opened_at / 86400000), count(*)
            FROM exposures, (SELECT 0 AS one UNION ALL SELECT 1) GROUP BY 1",
    },
    Counter {
        about: "windows closed on each day",
        kept: "SELECT organization_id || ', ' || environment || ', risk ' || risk || ', day ' || day, met * 1000000000000 + breached * 1000000 + gone FROM exposure_days",
        counted: "SELECT (organization_id * one) || ', ' || environment || ', risk ' || ifnull(risk, '') || ', day ' || (closed_at / 86400000),
            sum(outcome = 'met') * 1000000000000 + sum(outcome = 'breached') * 1000000 + sum(outcome IN ('withdrawn', 'ended'))
            FROM exposures, (SELECT 0 AS one UNION ALL SELECT 1) WHERE closed_at IS NOT NULL GROUP BY 1",
    },
    Counter {
        about: "windows due on each day",
        kept: "SELECT organization_id || ', ' || environment || ', risk ' || risk || ', day ' || day, due_met * 1000000000000 + due_breached * 1000000 + due_open FROM exposure_days",
        counted: "SELECT (organization_id * one) || ', ' || environment || ', risk ' || ifnull(risk, '') || ', day ' || (due_at / 86400000),
            sum(outcome IS 'met') * 1000000000000 + sum(outcome IS 'breached') * 1000000 + sum(outcome IS NULL)
            FROM exposures, (SELECT 0 AS one UNION ALL SELECT 1)
            WHERE due_at IS NOT NULL AND (outcome IS NULL OR outcome IN ('met', 'breached')) GROUP BY 1",
    },
    Counter {
        about: "modules of sites with something open",
        kept: "SELECT site_id || ', module ' || module_id || ' of organization ' || organization_id || ', due ' || due_at || ', risk ' || risk, exposure_id FROM open_pairs",
        counted: "SELECT e.site_id || ', module ' || e.module_id || ' of organization ' || e.organization_id || ', due ' || min(e.due_at) || ', risk ' || min(e.risk),
            (SELECT exposure_id FROM open_pair_looks AS l WHERE l.site_id = e.site_id AND l.module_id = e.module_id ORDER BY l.due_at, l.exposure_id LIMIT 1)
            FROM open_pair_looks AS e GROUP BY e.site_id, e.module_id",
    },
    Counter {
        about: "modules of sites with something open by day",
        kept: "SELECT organization_id || ', day ' || day || ', risk ' || risk, pairs FROM open_pair_days",
        counted: "SELECT (organization_id * one) || ', day ' || (due_at / 86400000) || ', risk ' || risk, count(*)
            FROM open_pairs, (SELECT 0 AS one UNION ALL SELECT 1) GROUP BY 1",
    },
    Counter {
        about: "open exposures of each site",
        kept: "SELECT id || '', open_exposures FROM sites",
        counted: "SELECT site_id || '', count(DISTINCT module_id) FROM exposures WHERE closed_at IS NULL GROUP BY site_id",
    },
    Counter {
        about: "the earliest due time of each site",
        kept: "SELECT id || '', ifnull(next_due_at, 0) FROM sites",
        counted: "SELECT site_id || '', ifnull(min(due_at), 0) FROM exposures WHERE closed_at IS NULL GROUP BY site_id",
    },
    Counter {
        about: "tags of each site",
        kept: "SELECT site_id || ' ' || tag, 1 FROM site_tags",
        counted: "SELECT s.id || ' ' || t.value, 1 FROM sites AS s, json_each(s.tags) AS t",
    },
    Counter {
        about: "sites affected by each advisory",
        kept: "SELECT name, affected_sites FROM advisories",
        counted: "SELECT a.name, count(DISTINCT e.site_id) FROM exposure_advisories AS ea JOIN exposures AS e ON e.id = ea.exposure_id
            JOIN advisories AS a ON a.id = ea.advisory_id WHERE e.closed_at IS NULL GROUP BY a.id",
    },
    Counter {
        about: "sites affected by each advisory by organization",
        kept: "SELECT advisory_id || ' of ' || organization_id, affected_sites FROM organization_advisories",
        counted: "SELECT ea.advisory_id || ' of ' || e.organization_id, count(DISTINCT e.site_id) FROM exposure_advisories AS ea
            JOIN exposures AS e ON e.id = ea.exposure_id WHERE e.closed_at IS NULL GROUP BY ea.advisory_id, e.organization_id",
    },
    Counter {
        about: "security patches of each patch run",
        kept: "SELECT id || '', security_patches_applied FROM patch_runs WHERE sync_id IS NOT NULL",
        counted: "SELECT closed_by_patch_run_id || '', count(*) FROM exposures
            WHERE closed_by_patch_run_id IS NOT NULL AND outcome IN ('met', 'breached') GROUP BY closed_by_patch_run_id",
    },
];

/// Recounts every counter that SQL can count.
///
/// # Errors
/// What SQLite says.
pub fn counters(db: &Connection) -> Result<Vec<Finding>> {
    COUNTERS
        .iter()
        .map(|counter| {
            let kept = pairs(db, counter.kept)?;
            let counted = pairs(db, counter.counted)?;
            Ok(compare(counter.about, &kept, &counted))
        })
        .collect()
}

fn pairs(db: &Connection, sql: &str) -> Result<BTreeMap<String, String>> {
    let mut query = db.prepare(sql)?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))?;
    let mut all = BTreeMap::new();
    for row in rows {
        let (name, value): (String, i64) = row?;
        if value != 0 {
            all.insert(name, value.to_string());
        }
    }
    Ok(all)
}

/// Spells from the terms of each index what it was told, and compares that with the texts of today.
///
/// # Errors
/// What SQLite says.
pub fn searches(db: &Connection) -> Result<Vec<Finding>> {
    search::INDEXES
        .iter()
        .map(|index| {
            let kept = search::spelt(db, index)?;
            Ok(compare(index.about, &kept, &texts(db, index.texts)?))
        })
        .collect()
}

pub(super) fn texts(db: &Connection, sql: &str) -> Result<BTreeMap<String, String>> {
    let mut query = db.prepare(sql)?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Compares what is kept with what it should be, by name.
pub(super) fn compare(
    about: &'static str,
    kept: &BTreeMap<String, String>,
    right: &BTreeMap<String, String>,
) -> Finding {
    let none = "nothing".to_owned();
    let mut wrong = Vec::new();
    let mut differences = 0;
    for name in kept
        .keys()
        .chain(right.keys().filter(|name| !kept.contains_key(*name)))
    {
        let (is, should) = (
            kept.get(name).unwrap_or(&none),
            right.get(name).unwrap_or(&none),
        );
        if is != should {
            differences += 1;
            if differences <= TOLD {
                wrong.push(format!("{name}: kept {is}, right is {should}"));
            }
        }
    }
    if differences > TOLD {
        wrong.push(format!("and {} more", differences - TOLD));
    }
    Finding {
        about,
        looked_at: kept.len().max(right.len()) as u64,
        wrong,
        worth_knowing: Vec::new(),
    }
}

/// The events since the beginning give the inventory of each site.
///
/// # Errors
/// What SQLite says.
pub fn events_give_inventories(db: &Connection) -> Result<Finding> {
    let mut folded: BTreeMap<(i64, i64), (Option<String>, bool)> = BTreeMap::new();
    let mut query =
        db.prepare("SELECT site_id, module_id, kind, to_version FROM events ORDER BY id")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let key = (row.get(0)?, row.get(1)?);
        let kind: String = row.get(2)?;
        let version: Option<String> = row.get(3)?;
        match kind.as_str() {
            "removed" => {
                folded.remove(&key);
            }
            "installed" => {
                folded.insert(key, (version, true));
            }
            word => {
                if let Some((kept, enabled)) = folded.get_mut(&key) {
                    *kept = version;
                    *enabled = match word {
                        "enabled" => true,
                        "disabled" => false,
                        _ => *enabled,
                    };
                }
            }
        }
    }
    let named = |(site, module): &(i64, i64), version: &Option<String>, enabled: bool| {
        let version = version.as_deref().unwrap_or("(none)");
        (
            format!("site {site}, module {module}"),
            format!("{version} enabled {enabled}"),
        )
    };
    let right = folded
        .iter()
        .map(|(key, (version, enabled))| named(key, version, *enabled))
        .collect();
    let mut query = db.prepare(
        "SELECT sm.site_id, sm.module_id, v.version, sm.enabled FROM site_modules AS sm JOIN module_versions AS v ON v.id = sm.version_id",
    )?;
    let kept = query
        .query_map([], |row| {
            Ok(named(
                &(row.get(0)?, row.get(1)?),
                &row.get(2)?,
                row.get(3)?,
            ))
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(compare(
        "inventories as the events tell them",
        &kept,
        &right,
    ))
}

/// Whether the site was ever heard.
///
/// # Errors
/// What SQLite says.
pub fn has_spoken(db: &Connection, site_id: i64) -> Result<bool> {
    Ok(db
        .prepare_cached(
            "SELECT 1 FROM site_contacts WHERE site_id = ?1 AND last_sync_at IS NOT NULL",
        )?
        .exists([site_id])?)
}

/// The ids of all modules, and of all sites that aren't deleted.
///
/// # Errors
/// What SQLite says.
pub fn everything(db: &Connection) -> Result<(Vec<i64>, Vec<i64>)> {
    Ok((
        column(db, "SELECT id FROM modules")?,
        column(db, "SELECT id FROM sites WHERE deleted_at IS NULL")?,
    ))
}

/// What a question with one column gives.
fn column<T: FromSql>(db: &Connection, sql: &str) -> Result<Vec<T>> {
    let mut query = db.prepare(sql)?;
    let rows = query.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
