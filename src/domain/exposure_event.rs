//! What happened to a window while it was open, beside what happened to the site: its clock passed
//! half, three quarters and all of the promised time, and people took it in hand.

use jiff::Timestamp;

use super::listing::{Field, Kind, List};

/// One thing that happened to a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExposureEvent {
    /// Its id.
    pub id: i64,
    /// The window.
    pub exposure_id: i64,
    /// One of [`KINDS`].
    pub kind: String,
    /// The instant itself, whenever it was noticed.
    pub at: Timestamp,
    /// When it was noticed.
    pub noticed_at: Timestamp,
    /// The name of whoever did it; `None`: the clock.
    pub by: Option<String>,
    /// What he said to it, or what it was about.
    pub note: String,
}

/// What a clock tells, each once a window: with so many quarters of the promised time over.
pub const MARKS: [(i32, &str); 3] = [(2, "half"), (3, "three_quarters"), (4, "due")];

/// What can happen to a window.
pub const KINDS: [&str; 7] = [
    "half",
    "three_quarters",
    "due",
    "assigned",
    "acknowledged",
    "snoozed",
    "woken",
];

/// The list of what happened to a window.
pub static LIST: List = List {
    name: "exposure-events",
    fields: &[
        Field::new("id", Kind::Integer),
        Field::new("kind", Kind::Word(&KINDS)),
        Field::new("at", Kind::Time),
        Field::new("noticed_at", Kind::Time),
    ],
    sorts: &["at"],
    default_sort: "at",
    search: false,
    columns: &[
        "id",
        "exposure_id",
        "kind",
        "at",
        "noticed_at",
        "by",
        "note",
    ],
};
