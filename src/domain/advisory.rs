//! Security advisories: which versions they name. What that adds to *exposed* is in `matching`, what
//! is told of them beside that in `record`. Knows nothing of where they come from.

pub mod document;
pub mod file;
pub mod id;
pub mod listing;
pub mod matching;
pub mod node;
pub mod plain;
pub mod reach;
pub mod readings;
pub mod record;
pub mod shown;

pub use matching::{Joined, Match, join};
pub use readings::Readings;
pub use record::{Record, Span};

use crate::domain::composer::Composer;
use crate::domain::constraint::Constraint;

/// A security advisory, as far as the rules need it: the versions of one package that it names, in both
/// ways that it names them.
#[derive(Clone, Debug, PartialEq)]
pub struct Advisory {
    /// Such as `SA-CONTRIB-2025-125`.
    pub id: String,
    /// When it was published, Unix seconds.
    pub published: i64,
    /// The package that it is about.
    pub package: String,
    /// It names versions, readable or not.
    stated: bool,
    /// It names versions that aren't kept: of one that it isn't known to name nobody can tell.
    lost: bool,
    /// `None` where it states none.
    ranges: Option<Vec<Range>>,
    /// `None` where it states no constraint, or one that composer refuses.
    constraint: Option<Constraint>,
}

/// From a version on, up to a version. `None` inside: it can't be compared.
#[derive(Clone, Debug, PartialEq)]
struct Range {
    /// Everything from the start where this is `Start::Always`.
    introduced: Start,
    end: End,
}

#[derive(Clone, Debug, PartialEq)]
enum Start {
    Always,
    At(Option<Composer>),
}

#[derive(Clone, Debug, PartialEq)]
enum End {
    Never,
    Before(Option<Composer>),
    With(Option<Composer>),
}

/// What the two readings of an advisory say of a version; `None` where one can't be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// By the OSV ranges.
    pub osv: Option<bool>,
    /// By composer's constraint.
    pub composer: Option<bool>,
}

impl Reading {
    /// For safety: affected if either says so. `None` where neither says anything.
    #[must_use]
    pub fn either(self) -> Option<bool> {
        match (self.osv, self.composer) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), _) | (_, Some(false)) => Some(false),
            (None, None) => None,
        }
    }

    /// Both can be made and they differ.
    #[must_use]
    pub fn disagrees(self) -> bool {
        matches!((self.osv, self.composer), (Some(osv), Some(composer)) if osv != composer)
    }
}

/// The package that a project is released as.
#[must_use]
pub fn package_of(project: &str) -> String {
    format!(
        "drupal/{}",
        if project == "drupal" { "core" } else { project }
    )
}

impl Advisory {
    /// The advisory of a record.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        let (spans, constraint) = (record.ranges.as_ref(), record.affected_versions.as_deref());
        Self {
            id: record.id.clone(),
            published: record.published,
            package: package_of(&record.project),
            stated: record.lost_versions || constraint.is_some() || spans.is_some(),
            lost: record.lost_versions,
            ranges: spans.map(|spans| spans.iter().map(Range::of).collect()),
            constraint: constraint.and_then(Constraint::parse),
        }
    }

    /// It names no versions at all.
    #[must_use]
    pub fn names_no_versions(&self) -> bool {
        !self.stated
    }

    /// What it says of a version of its package.
    #[must_use]
    pub fn reading(&self, version: &Composer) -> Reading {
        let known = |named: Option<bool>| named.filter(|named| *named || !self.lost);
        let constraint = self.constraint.as_ref();
        Reading {
            osv: known(self.by_ranges(version)),
            composer: known(constraint.map(|constraint| constraint.allows(version))),
        }
    }

    fn by_ranges(&self, version: &Composer) -> Option<bool> {
        let mut unclear = false;
        for range in self.ranges.as_ref()? {
            match range.holds(version) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => unclear = true,
            }
        }
        (!unclear).then_some(false)
    }
}

impl Range {
    fn of(span: &Span) -> Self {
        let bound = |text: &String| Composer::normalize(text);
        Self {
            introduced: match span.introduced.as_ref() {
                None => Start::Always,
                Some(text) if text == "0" => Start::Always,
                Some(text) => Start::At(bound(text)),
            },
            end: match (&span.fixed, &span.last_affected) {
                (Some(text), _) => End::Before(bound(text)),
                (None, Some(text)) => End::With(bound(text)),
                (None, None) => End::Never,
            },
        }
    }

    fn holds(&self, version: &Composer) -> Option<bool> {
        let order = |bound: &Option<Composer>| version.order(bound.as_ref()?);
        let begun = match &self.introduced {
            Start::Always => true,
            Start::At(bound) => order(bound)?.is_ge(),
        };
        let open = match &self.end {
            End::Never => true,
            End::Before(bound) => order(bound)?.is_lt(),
            End::With(bound) => order(bound)?.is_le(),
        };
        Some(begun && open)
    }
}
