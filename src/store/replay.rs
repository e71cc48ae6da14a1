//! A database that is built anew from syncs and publications: what it starts with, and how it compares
//! with what is kept.

use std::path::Path;

use rusqlite::Connection;

use super::check::{Finding, compare, texts};
use super::{Result, search};

/// Takes from the kept database what a replay starts with: organizations and sites as they were
/// made, without anything that follows from syncs.
///
/// # Errors
/// What SQLite says.
pub fn seed(rebuilt: &Path, kept: &Path) -> Result<()> {
    let rebuilt = Connection::open(rebuilt)?;
    search::teach(&rebuilt)?;
    rebuilt.execute("ATTACH ?1 AS kept", [kept.to_string_lossy()])?;
    rebuilt.execute_batch(
        "INSERT INTO organizations SELECT * FROM kept.organizations;
         INSERT INTO sites (id, organization_id, name, url, environment, tags, notes, sync_interval_minutes, status,
                created_at, updated_at, created_by, updated_by)
            SELECT id, organization_id, name || ' ' || id, url, environment, tags, notes, sync_interval_minutes, 5,
                created_at, updated_at, created_by, updated_by FROM kept.sites;
         DELETE FROM site_environments;
         INSERT INTO site_environments SELECT * FROM kept.site_environments;
         DELETE FROM sla_policies;
         INSERT INTO sla_policies SELECT * FROM kept.sla_policies;
         INSERT INTO site_contacts (site_id) SELECT id FROM kept.sites;
         DETACH kept;",
    )?;
    Ok(())
}

/// Takes from the kept database what neither syncs nor publications tell: modules that never gave a
/// good answer, and data that grew old.
///
/// # Errors
/// What SQLite says.
pub fn take_feed_states(rebuilt: &Path, kept: &Path) -> Result<()> {
    let rebuilt = Connection::open(rebuilt)?;
    rebuilt.execute("ATTACH ?1 AS kept", [kept.to_string_lossy()])?;
    rebuilt.execute_batch(
        "UPDATE modules SET feed_state = k.feed_state, stale = k.stale FROM kept.modules AS k
            WHERE k.name = modules.name AND k.kind = modules.kind AND k.organization_id IS modules.organization_id;
         DETACH kept;",
    )?;
    Ok(())
}

/// A site moved: what identifies its installation is learnt anew.
///
/// # Errors
/// What SQLite says.
pub fn forget_installation(db: &Connection, site_id: i64) -> Result<()> {
    db.execute(
        "UPDATE sites SET seen_url = NULL, seen_instance = NULL WHERE id = ?1",
        [site_id],
    )?;
    Ok(())
}

/// A part of the truth that a replay builds again, as (name, value) pairs that don't depend on ids
/// that the replay gives out itself.
struct Part {
    about: &'static str,
    sql: &'static str,
}

const PARTS: &[Part] = &[
    Part {
        about: "inventories",
        sql: "SELECT sm.site_id || ' ' || m.kind || ' ' || m.name, ifnull(v.version, '(none)') || ' of ' || v.datestamp || ' enabled ' || sm.enabled
                || ' since ' || ifnull(sm.run_started_at, 0) || ' ' || ifnull(sm.components, '') || ' seen ' || sm.first_seen_at
            FROM site_modules AS sm JOIN modules AS m ON m.id = sm.module_id JOIN module_versions AS v ON v.id = sm.version_id",
    },
    Part {
        about: "past runs",
        sql: "SELECT r.site_id || ' ' || m.kind || ' ' || m.name || ' ' || r.started_at, ifnull(v.version, '(none)') || ' until ' || r.ended_at
            FROM module_runs AS r JOIN modules AS m ON m.id = r.module_id JOIN module_versions AS v ON v.id = r.version_id",
    },
    Part {
        about: "events",
        sql: "SELECT e.site_id || ' ' || e.occurred_at || ' ' || m.kind || ' ' || m.name || ' ' || e.kind,
                ifnull(e.from_version, '(none)') || ' to ' || ifnull(e.to_version, '(none)')
            FROM events AS e JOIN modules AS m ON m.id = e.module_id",
    },
    // Announcements are not played again: what an inventory showed of one alone was no run without it.
    Part {
        about: "patch runs",
        sql: "SELECT site_id || ' ' || run_at, modules_updated || ' raised, ' || modules_downgraded || ' lowered, '
                || security_patches_applied || ' security' FROM patch_runs WHERE sync_id IS NOT NULL AND modules_updated + modules_downgraded > 0",
    },
    Part {
        about: "exposures",
        sql: "SELECT e.site_id || ' ' || m.kind || ' ' || m.name || ' ' || e.cause_kind || ' ' || e.cause || ' opened ' || e.opened_at
                || ' ' || row_number() OVER (PARTITION BY e.site_id, e.module_id, e.cause_kind, e.cause, e.opened_at ORDER BY ifnull(e.closed_at, 9e15)),
                'known ' || e.known_at || ' due ' || ifnull(e.due_at, 0) || ' unproven ' || ifnull(e.unproven_since, 0)
                || ' closed ' || ifnull(e.closed_at, 0) || ' ' || ifnull(e.outcome, 'open') || ' by '
                || ifnull((SELECT received_at FROM syncs WHERE id = e.closed_by_sync_id), 0) || ' no fix ' || e.no_fix
                || ' installed ' || ifnull(v.version, '(none)')
            FROM exposures AS e JOIN modules AS m ON m.id = e.module_id JOIN module_versions AS v ON v.id = e.version_id",
    },
    Part {
        about: "risks and explanations of exposures",
        sql: "SELECT e.site_id || ' ' || m.kind || ' ' || m.name || ' ' || e.cause_kind || ' ' || e.cause || ' opened ' || e.opened_at
                || ' ' || row_number() OVER (PARTITION BY e.site_id, e.module_id, e.cause_kind, e.cause, e.opened_at ORDER BY ifnull(e.closed_at, 9e15)),
                ifnull(e.risk, 'unknown') || ' ' || ifnull((SELECT group_concat(a.name, ' ') FROM (SELECT a.name FROM exposure_advisories AS ea
                    JOIN advisories AS a ON a.id = ea.advisory_id WHERE ea.exposure_id = e.id ORDER BY a.name) AS a), '')
            FROM exposures AS e JOIN modules AS m ON m.id = e.module_id",
    },
    Part {
        about: "what clocks told",
        sql: "SELECT w.name || ' ' || v.kind, 'at ' || v.at || ' noticed ' || v.noticed_at FROM exposure_events AS v
            JOIN (SELECT e.id, e.site_id || ' ' || m.kind || ' ' || m.name || ' ' || e.cause_kind || ' ' || e.cause || ' opened ' || e.opened_at
                || ' ' || row_number() OVER (PARTITION BY e.site_id, e.module_id, e.cause_kind, e.cause, e.opened_at ORDER BY ifnull(e.closed_at, 9e15)) AS name
                FROM exposures AS e JOIN modules AS m ON m.id = e.module_id) AS w ON w.id = v.exposure_id
            WHERE v.kind IN ('half', 'three_quarters', 'due')",
    },
    Part {
        about: "advisories",
        sql: "SELECT name, project || ' ' || ifnull(risk, '') || ' ' || ifnull(risk_known_at, 0) || ' ' || versions_known_at || ' '
                || known_at || ' ' || ifnull(withdrawn_at, 0) || ' ' || affected_sites FROM advisories",
    },
    Part {
        about: "sites' words and counters",
        sql: "SELECT id || '', status || ' ' || ifnull(status_reason, '') || ' ' || total || ' ' || not_current || ' ' || security || ' ' || unknown
                || ' ' || custom || ' ' || disabled || ' ' || open_exposures || ' ' || ifnull(next_due_at, 0) FROM sites WHERE deleted_at IS NULL",
    },
    Part {
        about: "judgements",
        sql: "SELECT m.kind || ' ' || m.name || ' ' || ifnull(m.organization_id, 0) || ' ' || ifnull(v.version, '(none)') || ' ' || v.datestamp,
                v.status || ' ' || ifnull(v.reason, '') || ' ' || ifnull(v.exposed, -1) || ' ' || ifnull(v.insecure_known_at, 0)
            FROM module_versions AS v JOIN modules AS m ON m.id = v.module_id",
    },
];

/// Compares every part of the truth with what a replay built.
///
/// # Errors
/// What SQLite says.
pub fn compared(kept: &Connection, rebuilt: &Connection) -> Result<Vec<Finding>> {
    PARTS
        .iter()
        .map(|part| {
            Ok(compare(
                part.about,
                &texts(kept, part.sql)?,
                &texts(rebuilt, part.sql)?,
            ))
        })
        .collect()
}
