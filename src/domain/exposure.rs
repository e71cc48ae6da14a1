//! The ledger's rules: which windows follow from a site's history, and what to write so that the
//! kept rows say the same.
//!
//! A window is a time in which a site ran, enabled, a version with a known security fix
//! outstanding. It follows from the runs of the versions and from what is known of each, never
//! from the moment at which somebody looked. Knows no clock and no store.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

mod reconcile;

pub use reconcile::reconcile;

/// Why a window is open.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cause {
    /// What kind of thing it is.
    pub kind: CauseKind,
    /// The release's version, the advisory's id, or the project's name.
    pub id: String,
}

impl Cause {
    /// The release that fixes it.
    pub fn release(version: &str) -> Self {
        Self {
            kind: CauseKind::Release,
            id: version.to_owned(),
        }
    }

    /// An advisory without a fix.
    pub fn advisory(id: &str) -> Self {
        Self {
            kind: CauseKind::Advisory,
            id: id.to_owned(),
        }
    }

    /// The version of the release that ends it, where one is known: that of the installed branch, never
    /// what another branch has instead.
    pub fn fix(&self) -> Option<&str> {
        (self.kind == CauseKind::Release).then_some(self.id.as_str())
    }
}

/// What kind of thing a window is open for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CauseKind {
    /// The release of the installed branch that fixes it.
    Release,
    /// An advisory without a fix.
    Advisory,
    /// The project's own insecurity: marked insecure, and no release of the branch fixes it.
    Project,
}

impl CauseKind {
    /// Its word, in the API and in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Advisory => "advisory",
            Self::Project => "project",
        }
    }

    /// The kind that the word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Release, Self::Advisory, Self::Project]
            .into_iter()
            .find(|kind| kind.word() == word)
    }
}

/// How a window ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Closed in time.
    Met,
    /// Closed late.
    Breached,
    /// The cause was taken back upstream.
    Withdrawn,
    /// The site was deleted before it closed.
    Ended,
}

impl Outcome {
    /// Its word, in the API and in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Breached => "breached",
            Self::Withdrawn => "withdrawn",
            Self::Ended => "ended",
        }
    }

    /// The outcome that the word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Met, Self::Breached, Self::Withdrawn, Self::Ended]
            .into_iter()
            .find(|outcome| outcome.word() == word)
    }

    /// How a window that closed at `closed_at` ended; without a due time nothing was promised.
    pub fn of(closed_at: Timestamp, due_at: Option<Timestamp>) -> Self {
        match due_at {
            Some(due) if closed_at > due => Self::Breached,
            _ => Self::Met,
        }
    }
}

/// Drupal's risk levels, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// 20 to 25 of 25.
    HighlyCritical,
    /// 15 to 19.
    Critical,
    /// 10 to 14.
    ModeratelyCritical,
    /// 5 to 9.
    LessCritical,
    /// 0 to 4.
    NotCritical,
}

impl Risk {
    /// All of them.
    pub const WORST_FIRST: [Self; 5] = [
        Self::HighlyCritical,
        Self::Critical,
        Self::ModeratelyCritical,
        Self::LessCritical,
        Self::NotCritical,
    ];

    /// All of them, worst first, and among them an unknown one: it is promised what a moderately
    /// critical one is, so it weighs more than a less critical one. The place is the store's rank.
    pub const RANKED: [Option<Self>; 6] = [
        Some(Self::HighlyCritical),
        Some(Self::Critical),
        Some(Self::ModeratelyCritical),
        None,
        Some(Self::LessCritical),
        Some(Self::NotCritical),
    ];

    /// The level of a score out of 25.
    pub const fn of_score(score: u8) -> Self {
        match score {
            0..=4 => Self::NotCritical,
            5..=9 => Self::LessCritical,
            10..=14 => Self::ModeratelyCritical,
            15..=19 => Self::Critical,
            _ => Self::HighlyCritical,
        }
    }

    /// Its word, in the API and in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::HighlyCritical => "highly_critical",
            Self::Critical => "critical",
            Self::ModeratelyCritical => "moderately_critical",
            Self::LessCritical => "less_critical",
            Self::NotCritical => "not_critical",
        }
    }

    /// The level that the word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORST_FIRST
            .into_iter()
            .find(|risk| risk.word() == word)
    }
}

/// What was promised to the site whose windows these are.
pub trait Promised {
    /// By when a window that opened at `opened_at` is due: the hours of that risk, by the policy that was in
    /// force then, counted from `from`. `None`: nothing was promised.
    fn due(&self, opened_at: Timestamp, from: Timestamp, risk: Option<Risk>) -> Option<Timestamp>;
    /// When half of the time from opened to due has passed.
    fn half(&self, opened_at: Timestamp, due_at: Timestamp) -> Timestamp;
}

/// One enabled run of one version on one site. Runs of a (site, module) don't overlap and are in
/// order; one that starts at the instant the one before ended follows it without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Which version ran.
    pub version_id: i64,
    /// Since when.
    pub started_at: Timestamp,
    /// Until when; `None`: it still runs.
    pub ended_at: Option<Timestamp>,
    /// The sync that ended it.
    pub ended_by_sync: Option<i64>,
}

/// What is known of a cause, apart from any site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Which cause.
    pub cause: Cause,
    /// When it was published; `None`: without a usable date.
    pub date: Option<Timestamp>,
    /// When it first became known here.
    pub known_at: Timestamp,
    /// How bad it is and since when that is known; `None`: unknown.
    pub risk: Option<(Risk, Timestamp)>,
}

/// A row of the ledger for one (site, module).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its id.
    pub id: i64,
    /// Its cause.
    pub cause: Cause,
    /// The newest affected version of the window.
    pub version_id: i64,
    /// Since when the site was exposed.
    pub opened_at: Timestamp,
    /// Since when that could be known.
    pub known_at: Timestamp,
    /// How bad it is.
    pub risk: Option<Risk>,
    /// By when it is due.
    pub due_at: Option<Timestamp>,
    /// Since when nobody can tell.
    pub unproven_since: Option<Timestamp>,
    /// When and how it closed.
    pub closed: Option<(Timestamp, Outcome)>,
}

/// A row that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRow {
    /// Its cause.
    pub cause: Cause,
    /// The newest affected version of the window.
    pub version_id: i64,
    /// When the cause was published.
    pub published_at: Option<Timestamp>,
    /// How bad it is.
    pub risk: Option<Risk>,
    /// Since when the site was exposed.
    pub opened_at: Timestamp,
    /// Since when that could be known.
    pub known_at: Timestamp,
    /// By when it is due.
    pub due_at: Option<Timestamp>,
    /// When its clock is looked at first: half of the promised time has passed then.
    pub warn_at: Option<Timestamp>,
    /// Since when nobody can tell.
    pub unproven_since: Option<Timestamp>,
    /// When, how and by which sync it closed.
    pub closed: Option<(Timestamp, Outcome, Option<i64>)>,
}

/// One thing to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Write a row that is missing.
    Open(NewRow),
    /// Close an open row.
    Close {
        /// Which.
        row: i64,
        /// When it closed.
        at: Timestamp,
        /// How.
        outcome: Outcome,
        /// By which sync.
        by_sync: Option<i64>,
    },
    /// An open row's version or proof changed.
    Follow {
        /// Which.
        row: i64,
        /// The newest affected version.
        version_id: i64,
        /// Since when nobody can tell.
        unproven_since: Option<Timestamp>,
    },
    /// How bad it is became known, or was corrected. A worse risk tightens the due time; nothing loosens it.
    Weigh {
        /// Which.
        row: i64,
        /// How bad it is.
        risk: Risk,
        /// At the latest by then; `None`: as before.
        due_by: Option<Timestamp>,
    },
    /// A better cause became known for a row that had no fix: it takes that.
    Retarget {
        /// Which.
        row: i64,
        /// The release that fixes it, or the advisory that says what is wrong.
        cause: Cause,
        /// When that was published.
        published_at: Option<Timestamp>,
    },
    /// Two open rows are one: the first takes the earlier times of both, the second goes.
    Merge {
        /// The row that stays.
        into: i64,
        /// The row that goes.
        from: i64,
    },
}

/// What is known of the versions of one module, as the ledger asks it.
pub trait Verdicts {
    /// The causes by which a version is exposed.
    fn causes(&self, version_id: i64) -> Vec<Cause>;
    /// Whether a version is exposed at all: yes, no, or can't tell.
    fn exposed(&self, version_id: i64) -> Option<bool>;
    /// Whether a version is exposed by a cause: yes, no, or can't tell.
    fn about(&self, version_id: i64, cause: &Cause) -> Option<bool>;
    /// The cause is one, today. What was opened for one that no longer is gets withdrawn.
    fn exists(&self, cause: &Cause) -> bool;
    /// The cause by which an advisory counts against a version; `None`: it doesn't.
    fn attached(&self, version_id: i64, advisory: &str) -> Option<Cause>;
    /// What is known of a cause, as it concerns a version; `None`: nothing.
    fn known(&self, cause: &Cause, version_id: i64) -> Option<Known>;
}

#[cfg(test)]
mod tests;
