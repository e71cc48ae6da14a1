//! What happened on sites, as people and programs read it: syncs, events, patch runs, and the
//! syncs that were refused.

use jiff::Timestamp;

use super::listing::{Field, Kind, List};

/// An accepted inventory that differed from the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sync {
    /// Its id.
    pub id: i64,
    /// The site.
    pub site_id: i64,
    /// When it arrived.
    pub received_at: Timestamp,
    /// When the site made it.
    pub generated_at: Timestamp,
    /// Who made it, or empty.
    pub agent: String,
    /// `inventory` or `composer-lock`.
    pub source: String,
    /// Projects in it.
    pub total: i64,
    /// New ones.
    pub added: i64,
    /// At a higher version.
    pub updated: i64,
    /// At a lower version.
    pub downgraded: i64,
    /// Gone.
    pub removed: i64,
    /// As before.
    pub unchanged: i64,
    /// The patch run that it was.
    pub patch_run_id: Option<i64>,
}

/// One difference between two inventories of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its id.
    pub id: i64,
    /// The site.
    pub site_id: i64,
    /// The sync that told it.
    pub sync_id: i64,
    /// When that arrived.
    pub occurred_at: Timestamp,
    /// `installed`, `updated`, `downgraded`, `removed`, `enabled` or `disabled`.
    pub kind: String,
    /// The module.
    pub module_id: i64,
    /// The module's name.
    pub module: String,
    /// The module's title, or its name where it has none.
    pub title: String,
    /// The version before.
    pub from: Option<String>,
    /// The version after.
    pub to: Option<String>,
}

/// What was done with modules on a site: seen in its inventory, announced, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchRun {
    /// Its id.
    pub id: i64,
    /// The site.
    pub site_id: i64,
    /// The site's name.
    pub site: String,
    /// When the inventory that shows it arrived; while it is only claimed, when it was started.
    pub run_at: Timestamp,
    /// Modules at a higher version.
    pub modules_updated: i64,
    /// Modules at a lower version.
    pub modules_downgraded: i64,
    /// Security fixes that it brought.
    pub security_patches_applied: i64,
    /// What changed.
    pub changes: Vec<PatchChange>,
    /// The sync that shows it; none: it is only claimed.
    pub sync_id: Option<i64>,
    /// What was said of it; none: nobody announced it.
    pub announced: Option<Announced>,
}

impl PatchRun {
    /// `claimed`, `proved` or `unattributed`.
    pub fn state(&self) -> &'static str {
        match (self.sync_id, &self.announced) {
            (None, _) => "claimed",
            (Some(_), Some(_)) => "proved",
            (Some(_), None) => "unattributed",
        }
    }
}

/// What was said of a patch run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// When it was said.
    pub at: Timestamp,
    /// The name of the person or the key who said it.
    pub by: String,
    /// Who did it.
    pub performed_by: Option<String>,
    /// The ticket for which it was done.
    pub ticket: Option<String>,
    /// The commit that was brought out.
    pub commit: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; none: that was not said.
    pub finished_at: Option<Timestamp>,
}

/// One module in a patch run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchChange {
    /// The module's name.
    pub module: String,
    /// The version before.
    pub from: Option<String>,
    /// The version after.
    pub to: Option<String>,
    /// `updated` or `downgraded`, and what else its inventory changed: `installed`, `removed`, `enabled`, `disabled`.
    pub kind: String,
}

/// A sync that was refused after the key was known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedSync {
    /// When it arrived.
    pub received_at: Timestamp,
    /// The HTTP status.
    pub status: i64,
    /// A word for programs.
    pub code: String,
    /// The reason, for people.
    pub detail: String,
    /// Where it came from.
    pub address: String,
}

/// What is known of a patch run.
pub const RUN_STATES: [&str; 3] = ["claimed", "proved", "unattributed"];
const SOURCES: [&str; 2] = ["inventory", "composer-lock"];
const KINDS: [&str; 6] = [
    "installed",
    "updated",
    "downgraded",
    "removed",
    "enabled",
    "disabled",
];

/// The list of a site's syncs.
pub static SYNCS: List = List {
    name: "syncs",
    fields: &[
        Field::new("id", Kind::Integer),
        Field::new("received_at", Kind::Time),
        Field::new("generated_at", Kind::Time),
        Field::new("source", Kind::Word(&SOURCES)),
        Field::optional("patch_run_id", Kind::Integer),
    ],
    sorts: &["id", "received_at"],
    default_sort: "-id",
    search: false,
    columns: &[
        "id",
        "site_id",
        "received_at",
        "generated_at",
        "agent",
        "source",
        "counts",
        "patch_run_id",
    ],
};

/// The list of a site's events.
pub static EVENTS: List = List {
    name: "events",
    fields: &[
        Field::new("id", Kind::Integer),
        Field::new("occurred_at", Kind::Time),
        Field::new("kind", Kind::Word(&KINDS)),
        Field::new("module", Kind::Text),
        Field::new("sync_id", Kind::Integer),
    ],
    sorts: &["id", "occurred_at"],
    default_sort: "-id",
    search: false,
    columns: &[
        "id",
        "site_id",
        "sync_id",
        "occurred_at",
        "kind",
        "module_id",
        "module",
        "from",
        "to",
    ],
};

/// The list of patch runs.
pub static PATCH_RUNS: List = List {
    name: "patch-runs",
    fields: &[
        Field::new("id", Kind::Integer),
        Field::new("site_id", Kind::Integer),
        Field::new("organization_id", Kind::Integer),
        Field::new("run_date", Kind::Time),
        Field::new("modules_updated", Kind::Integer),
        Field::new("security_patches_applied", Kind::Integer),
        Field::new("state", Kind::Word(&RUN_STATES)),
    ],
    sorts: &["run_date", "id"],
    default_sort: "-run_date",
    search: false,
    columns: &[
        "id",
        "site_id",
        "site",
        "run_date",
        "modules_updated",
        "modules_downgraded",
        "security_patches_applied",
        "changes",
        "sync_id",
        "state",
        "announced",
    ],
};
