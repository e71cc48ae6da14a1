//! What differs between two inventories.

use serde::{Deserialize, Serialize};

use super::Entry;

/// What happened to one entry between two inventories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It wasn't there before.
    Installed,
    /// Another version that is newer, or can't be compared.
    Updated,
    /// An older version.
    Downgraded,
    /// It is no longer there.
    Removed,
    /// It was switched on.
    Enabled,
    /// It was switched off.
    Disabled,
}

impl Kind {
    /// Its word in the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Installed => "installed",
            Self::Updated => "updated",
            Self::Downgraded => "downgraded",
            Self::Removed => "removed",
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
        }
    }
}

/// One entry that differs between two inventories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<'a> {
    /// What it was; `None`: it is new.
    pub before: Option<&'a Entry>,
    /// What it is; `None`: it is gone.
    pub after: Option<&'a Entry>,
    /// What to call it: up to two words (a new version and a switch). None: only its components,
    /// title or Composer name differ.
    pub kinds: Vec<Kind>,
}

/// What differs between two inventories; both in the order of [`Inventory::entries`].
/// `is_older(a, b)` says that version `a` comes before version `b`, where that can be told.
pub fn diff<'a>(
    before: impl IntoIterator<Item = &'a Entry>,
    after: impl IntoIterator<Item = &'a Entry>,
    is_older: impl Fn(&str, &str) -> bool,
) -> Vec<Change<'a>> {
    let mut changes = Vec::new();
    let mut old = before.into_iter().peekable();
    let mut new = after.into_iter().peekable();
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return changes,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(a), Some(b)) => (a.origin, &a.name).cmp(&(b.origin, &b.name)),
        };
        let gone = if order.is_le() { old.next() } else { None };
        let come = if order.is_ge() { new.next() } else { None };
        let same = matches!((gone, come), (Some(gone), Some(come)) if gone.is_same(come));
        if !same {
            changes.push(Change {
                before: gone,
                after: come,
                kinds: kinds(gone, come, &is_older),
            });
        }
    }
}

fn kinds(
    before: Option<&Entry>,
    after: Option<&Entry>,
    is_older: &impl Fn(&str, &str) -> bool,
) -> Vec<Kind> {
    match (before, after) {
        (None, None) => Vec::new(),
        // Two words for what arrives switched off, so that the events alone tell what is enabled.
        (None, Some(after)) if !after.enabled => vec![Kind::Installed, Kind::Disabled],
        (None, Some(_)) => vec![Kind::Installed],
        (Some(_), None) => vec![Kind::Removed],
        (Some(before), Some(after)) => {
            let mut kinds = Vec::new();
            if before.version != after.version {
                let lower = match (&before.version, &after.version) {
                    (Some(from), Some(to)) => is_older(to, from),
                    _ => false,
                };
                kinds.push(if lower {
                    Kind::Downgraded
                } else {
                    Kind::Updated
                });
            } else if before.datestamp != after.datestamp {
                let lower = after.datestamp < before.datestamp && after.datestamp != 0;
                kinds.push(if lower {
                    Kind::Downgraded
                } else {
                    Kind::Updated
                });
            }
            match (before.enabled, after.enabled) {
                (false, true) => kinds.push(Kind::Enabled),
                (true, false) => kinds.push(Kind::Disabled),
                _ => {}
            }
            kinds
        }
    }
}
