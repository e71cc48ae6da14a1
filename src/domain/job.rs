//! Work done in the background that somebody asked for, as people and programs read it.

use jiff::Timestamp;

use super::listing::{Field, Kind, List};

/// The job that asks drupal.org for one module now.
pub const REFRESH_MODULE: &str = "refresh-module";

/// One job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: i64,
    /// Whose it is; `None`: the platform's own.
    pub organization_id: Option<i64>,
    /// What it does, such as `refresh-module`.
    pub name: String,
    /// `queued`, `running`, `succeeded`, `failed`, `cancelled` or `dead`.
    pub state: String,
    /// Steps done.
    pub done: i64,
    /// Steps in all, where that is known.
    pub total: Option<i64>,
    /// How often it was begun.
    pub attempts: i64,
    /// Why it last failed.
    pub last_error: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it was first begun.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

const STATES: [&str; 6] = [
    "queued",
    "running",
    "succeeded",
    "failed",
    "cancelled",
    "dead",
];

/// The list of jobs.
pub static LIST: List = List {
    name: "jobs",
    fields: &[
        Field::new("id", Kind::Integer),
        Field::new("name", Kind::Text),
        Field::new("state", Kind::Word(&STATES)),
        Field::new("created_at", Kind::Time),
        Field::optional("finished_at", Kind::Time),
    ],
    sorts: &["id", "created_at"],
    default_sort: "-id",
    search: false,
    columns: &[
        "id",
        "name",
        "state",
        "progress",
        "attempts",
        "last_error",
        "created_at",
        "started_at",
        "finished_at",
    ],
};
