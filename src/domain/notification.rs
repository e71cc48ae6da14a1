//! Messages that wait: a link for one person, until mail can be sent. The link isn't part of it.

use jiff::Timestamp;

use super::listing::{Field, Kind, List};

/// What a message is about.
pub const KINDS: [&str; 2] = ["invitation", "password_reset"];
/// How far a message has come.
pub const STATES: [&str; 1] = ["queued"];

/// A message that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Its id.
    pub id: i64,
    /// The organization that it is about; `None`: the platform's own.
    pub organization_id: Option<i64>,
    /// The person it is for.
    pub user_id: Option<i64>,
    /// The address to which it would be sent.
    pub recipient: String,
    /// One of [`KINDS`].
    pub kind: String,
    /// One of [`STATES`].
    pub state: String,
    /// Since when it waits.
    pub created_at: Timestamp,
    /// When its link ends.
    pub expires_at: Timestamp,
}

/// A message, and whether its link opens anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The message.
    pub message: Notification,
    /// Its link is good: neither at its end, nor of somebody who may no longer give what it gives.
    pub link_works: bool,
}

/// The list of messages.
pub static LIST: List = List {
    name: "notifications",
    fields: &[
        Field::new("id", Kind::Integer),
        Field::new("kind", Kind::Word(&KINDS)),
        Field::new("state", Kind::Word(&STATES)),
        Field::new("recipient", Kind::Text),
        Field::optional("organization_id", Kind::Integer),
        Field::optional("user_id", Kind::Integer),
        Field::new("created_at", Kind::Time),
        Field::new("expires_at", Kind::Time),
    ],
    sorts: &["created_at", "id"],
    default_sort: "-created_at",
    search: false,
    columns: &[
        "id",
        "kind",
        "state",
        "recipient",
        "organization_id",
        "user_id",
        "created_at",
        "expires_at",
        "link_works",
    ],
};
