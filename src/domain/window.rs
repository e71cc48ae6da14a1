//! An exposure as people and programs read it: a row of the ledger with the names around it, and its
//! state by the clock.

use jiff::Timestamp;

use super::exposure::{Cause, Outcome};
use super::listing::{Field, Kind, List};
use super::site::ENVIRONMENTS;

/// One window in which a site ran something with a known security fix outstanding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Its id.
    pub id: i64,
    /// Whose site it is.
    pub organization_id: i64,
    /// The site.
    pub site_id: i64,
    /// The site's name.
    pub site: String,
    /// The site's environment when the window opened.
    pub environment: String,
    /// The organization's name.
    pub organization: String,
    /// The module.
    pub module_id: i64,
    /// The module's name.
    pub module: String,
    /// The module's title, or its name where it has none.
    pub title: String,
    /// The newest affected version of the window.
    pub installed: Option<String>,
    /// Why it is open.
    pub cause: Cause,
    /// Nothing fixes it yet.
    pub no_fix: bool,
    /// The release that ends it; none while nothing on the installed branch does.
    pub fixed_in: Vec<String>,
    /// The advisories that explain it.
    pub advisories: Vec<String>,
    /// Drupal's risk level; `None`: unknown.
    pub risk: Option<String>,
    /// When the fix, or what told of it, was published.
    pub published_at: Option<Timestamp>,
    /// When it opened.
    pub opened_at: Timestamp,
    /// When Dewline could first know of it.
    pub known_at: Timestamp,
    /// By when it must be closed.
    pub due_at: Option<Timestamp>,
    /// Since when nobody can tell whether it still holds.
    pub unproven_since: Option<Timestamp>,
    /// When it closed.
    pub closed_at: Option<Timestamp>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// What closed it.
    pub closed_by_patch_run_id: Option<i64>,
    /// Who has it in hand.
    pub assignee: Option<Assignee>,
    /// Since when he has.
    pub assigned_at: Option<Timestamp>,
    /// When somebody said that he has seen it.
    pub acknowledged_at: Option<Timestamp>,
    /// Until when it is put aside, or was: past that it isn't.
    pub snoozed_until: Option<Timestamp>,
    /// Why.
    pub snooze_reason: Option<String>,
    /// The version of core that the site runs now.
    pub site_core: Option<String>,
    /// What stands in the way of its fix.
    pub needs_core: Option<NeedsCore>,
    /// The newest stored history of its project, where it isn't core itself.
    pub publication_id: Option<i64>,
}

/// A person who has a window in hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignee {
    /// His id.
    pub id: i64,
    /// His name.
    pub name: String,
}

/// A fix that the site's core can't take yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeedsCore {
    /// The release that fixes it.
    pub release: String,
    /// The versions of core that it takes, as it says itself: `^10.3 || ^11`.
    pub constraint: String,
    /// The lowest supported version of core, from the site's own on, that it takes; none: there is none.
    pub core_to: Option<String>,
}

impl Window {
    /// Until when it is put aside at `now`; none: it isn't.
    pub fn snoozed(&self, now: Timestamp) -> Option<Timestamp> {
        self.snoozed_until.filter(|until| *until > now)
    }

    /// `open`, `overdue`, `met`, `breached`, `withdrawn` or `ended`, at `now`.
    pub fn state(&self, now: Timestamp) -> &'static str {
        match (self.outcome, self.due_at) {
            (Some(outcome), _) => outcome.word(),
            (None, Some(due)) if due < now => "overdue",
            (None, _) => "open",
        }
    }
}

pub(crate) const STATES: [&str; 6] = ["open", "overdue", "met", "breached", "withdrawn", "ended"];
pub(crate) const RISKS: [&str; 5] = [
    "highly_critical",
    "critical",
    "moderately_critical",
    "less_critical",
    "not_critical",
];
const CAUSES: [&str; 3] = ["release", "advisory", "project"];

/// The list of exposures. `state=open` means open or overdue.
pub static LIST: List = List {
    name: "exposures",
    fields: &[
        Field::new("id", Kind::Integer),
        Field::new("site_id", Kind::Integer),
        Field::new("organization_id", Kind::Integer),
        Field::new("module", Kind::Text),
        Field::new("module_id", Kind::Integer),
        Field::new("state", Kind::Word(&STATES)),
        Field::new("cause", Kind::Word(&CAUSES)),
        Field::optional("risk", Kind::Word(&RISKS)),
        Field::new("no_fix", Kind::Boolean),
        Field::new("environment", Kind::Word(&ENVIRONMENTS)),
        Field::new("most_urgent", Kind::Boolean),
        Field::optional("assignee_id", Kind::Integer),
        Field::optional("acknowledged_at", Kind::Time),
        Field::new("snoozed", Kind::Boolean),
        Field::optional("published_at", Kind::Time),
        Field::new("opened_at", Kind::Time),
        Field::new("known_at", Kind::Time),
        Field::optional("due_at", Kind::Time),
        Field::optional("unproven_since", Kind::Time),
        Field::optional("closed_at", Kind::Time),
        Field::optional("closed_by_patch_run_id", Kind::Integer),
    ],
    sorts: &["opened_at", "due_at", "id"],
    default_sort: "-opened_at",
    search: false,
    columns: &[
        "id",
        "organization_id",
        "site_id",
        "site",
        "environment",
        "module_id",
        "module",
        "installed",
        "cause",
        "state",
        "no_fix",
        "fixed_in",
        "risk",
        "advisories",
        "published_at",
        "opened_at",
        "known_at",
        "due_at",
        "unproven_since",
        "closed_at",
        "closed_by_patch_run_id",
        "organization",
        "assignee",
        "assigned_at",
        "acknowledged_at",
        "snoozed_until",
        "snooze_reason",
        "site_core",
        "needs_core",
        "core_to",
    ],
};
