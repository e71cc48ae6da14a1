//! *Exposed*: whether a version lacks a known security fix. Yes, no, or can't tell; a missing answer is never a no.
//! Knows releases and dates; advisories are joined in `advisory`, windows of exposure are kept elsewhere.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::domain::composer::Composer;
use crate::domain::prepared::{Listed, Prepared, ProjectStatus};
use crate::domain::status::{Installed, Status};
use crate::domain::version::{InstallType, Version};
use crate::domain::words::words;

words! {
    /// The rule that decided whether a version is exposed.
    pub enum Rule {
        /// Yes: the installed release or the project is marked insecure.
        Insecure = "insecure",
        /// Yes: a security release of the branch stands above the installed one.
        FixAbove = "fix-above",
        /// Yes: a security release of the branch is greater than the installed version, which isn't listed.
        FixGreater = "fix-greater",
        /// Yes: the snapshot is older than a security release of its branch.
        SnapshotOlder = "snapshot-older",
        /// Yes: an advisory names the version.
        Advisory = "advisory",
        /// Can't tell: there is nothing to judge, or nothing to judge it by.
        NoVerdict = "no-verdict",
        /// Can't tell: a version that composer can't order.
        NoComposerForm = "no-composer-form",
        /// Can't tell: a date is missing.
        NoDate = "no-date",
        /// Can't tell: a later release of the branch is marked insecure and no fix is known.
        InsecureInBranch = "insecure-in-branch",
        /// Can't tell: nobody fixes this branch or project any more.
        Unsupported = "unsupported",
        /// Can't tell: an advisory of the project can't be compared with the version.
        AdvisoryUnclear = "advisory-unclear",
        /// No: the newest fix of the branch is in it.
        Fixed = "fixed",
        /// No: the branch never had a security release.
        NoFixInBranch = "no-fix-in-branch",
    }
}

/// A valid, published security release of the installed version's branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchFix {
    /// The release.
    pub version: String,
    /// When it was released, Unix seconds; `None` where the document gives no usable date.
    pub date: Option<i64>,
    /// Whether it comes after the installed version; `None` where that can't be told.
    pub comes_after: Option<bool>,
}

/// The answer, the rule that gave it and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exposed {
    /// Yes, no, or (`None`) can't tell.
    pub answer: Option<bool>,
    /// What decided it.
    pub rule: Rule,
    /// The supported branch that the version belongs to; `None` where its major has to do.
    pub branch: Option<String>,
    /// All valid, published security releases of that branch, in the document's order.
    pub fixes: Vec<BranchFix>,
}

impl Exposed {
    /// Nothing to judge.
    #[must_use]
    pub const fn no_verdict() -> Self {
        Self {
            answer: None,
            rule: Rule::NoVerdict,
            branch: None,
            fixes: Vec::new(),
        }
    }

    /// Whether the installed version lacks the fix that a given release brought. This decides when a window of exposure
    /// closes, and a window closed wrongly is the worst that can happen here, so `Some(false)` needs proof:
    ///
    /// * `Some(true)`: the release is a fix of the installed branch and comes after the installed version.
    /// * `Some(false)`: the release is a fix of the installed branch and the installed version has it, or the version as a
    ///   whole was judged not exposed.
    /// * `None`: all else. The branch wasn't judged, or the release belongs to another branch while the version isn't known
    ///   to be safe, or the order of the two can't be told. The window stays open, unproven.
    #[must_use]
    pub fn about(&self, cause_release: &str) -> Option<bool> {
        match self.fixes.iter().find(|fix| fix.version == cause_release) {
            Some(fix) => fix.comes_after,
            None if self.answer == Some(false) => Some(false),
            None => None,
        }
    }
}

/// Judges from the release history alone. `place` is where the history lists the installed version; `readable` is false
/// while a newer history is awaited, when only a mark on the installed version itself is believed.
pub(crate) fn judge(
    prepared: &Prepared,
    installed: &Installed<'_>,
    place: Option<(usize, &Listed)>,
    status: Status,
    readable: bool,
) -> Exposed {
    let mut found = Exposed::no_verdict();
    let marked = status == Status::NotSecure || place.is_some_and(|(_, release)| release.insecure);
    if readable
        && status != Status::NotFetched
        && let Some(text) = installed.version
        && let Some(version) = Version::parse(text)
    {
        let comparison = Comparison::new(prepared, text, &version, installed.datestamp, place);
        comparison.weigh(&mut found);
    }
    if marked {
        found.answer = Some(true);
        found.rule = Rule::Insecure;
    }
    found
}

/// The releases that belong together with an installed version.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Branch<'a> {
    /// All that begin with a supported branch.
    Prefix(&'a str),
    /// All of a major, where no supported branch fits.
    Major(f64),
}

impl<'a> Branch<'a> {
    pub(crate) fn of(prepared: &'a Prepared, text: &str, version: &Version<'_>) -> Self {
        prepared
            .branches
            .longest(text)
            .map_or(Self::Major(version.number), Self::Prefix)
    }

    /// Whether a release belongs to it; one whose version core can't parse belongs nowhere.
    pub(crate) fn holds(self, release: &Listed) -> bool {
        release.parsed.as_ref().is_some_and(|parsed| match self {
            Self::Prefix(start) => release.version.starts_with(start),
            Self::Major(number) => parsed.number == number,
        })
    }
}

/// A day, in seconds.
const DAY: i64 = 86_400;

/// How releases are compared with the installed version.
pub(crate) enum Position {
    /// It is listed: the document's order decides.
    Listed { place: usize, date: Option<i64> },
    /// It isn't: composer's order decides.
    Unlisted(Option<Composer>),
    /// A snapshot: dates decide.
    Snapshot(i64),
}

impl Position {
    pub(crate) fn of(text: &str, datestamp: i64, place: Option<(usize, &Listed)>) -> Self {
        match (InstallType::of(Some(text)), place) {
            (InstallType::Dev, _) => Self::Snapshot(datestamp),
            (_, Some((place, release))) => Self::Listed {
                place,
                date: release.real_date(),
            },
            (_, None) => Self::Unlisted(Composer::of_drupal(text)),
        }
    }

    /// Whether a release comes after the installed version; `None` where that can't be told. `prefix`: both are of a
    /// supported branch, where the document's order is enough.
    pub(crate) fn is_before(&self, place: usize, release: &Listed, prefix: bool) -> Option<bool> {
        match self {
            Self::Listed { place: own, date } => {
                Some(place < *own && (prefix || is_clearly_later(release, *date)))
            }
            Self::Unlisted(own) => {
                let order = release.composer.as_ref()?.order(own.as_ref()?)?;
                Some(order == Ordering::Greater)
            }
            Self::Snapshot(0) => None,
            Self::Snapshot(datestamp) => release
                .real_date()
                .map(|date| datestamp.saturating_add(100) <= date),
        }
    }
}

struct Comparison<'a> {
    prepared: &'a Prepared,
    text: &'a str,
    branch: Branch<'a>,
    position: Position,
    installed: Option<&'a Listed>,
}

impl<'a> Comparison<'a> {
    fn new(
        prepared: &'a Prepared,
        text: &'a str,
        version: &Version<'_>,
        datestamp: i64,
        place: Option<(usize, &'a Listed)>,
    ) -> Self {
        let position = Position::of(text, datestamp, place);
        let branch = Branch::of(prepared, text, version);
        Self {
            prepared,
            text,
            branch,
            position,
            installed: place.map(|(_, release)| release),
        }
    }

    fn comes_after(&self, place: usize, release: &Listed) -> Option<bool> {
        let prefix = matches!(self.branch, Branch::Prefix(_));
        self.position.is_before(place, release, prefix)
    }

    fn weigh(&self, found: &mut Exposed) {
        let releases = || {
            self.prepared
                .releases
                .iter()
                .enumerate()
                .filter(|(_, release)| self.branch.holds(release))
        };
        if !releases().any(|(_, release)| release.valid) {
            return;
        }
        if let Branch::Prefix(start) = self.branch {
            found.branch = Some(start.to_owned());
        }
        found.fixes = releases()
            .filter(|(_, release)| release.valid && release.published && release.security)
            .map(|(place, release)| BranchFix {
                version: release.version.clone(),
                date: release.real_date(),
                comes_after: self.comes_after(place, release),
            })
            .collect();
        (found.answer, found.rule) = self.by_fixes(&found.fixes);
        if found.answer == Some(false) {
            if self.has_insecure_after() {
                (found.answer, found.rule) = (None, Rule::InsecureInBranch);
            } else if self.is_unsupported() {
                (found.answer, found.rule) = (None, Rule::Unsupported);
            }
        }
    }

    fn by_fixes(&self, fixes: &[BranchFix]) -> (Option<bool>, Rule) {
        let (yes, unclear) = match self.position {
            Position::Listed { .. } => (Rule::FixAbove, Rule::NoVerdict),
            Position::Unlisted(_) => (Rule::FixGreater, Rule::NoComposerForm),
            Position::Snapshot(_) => (Rule::SnapshotOlder, Rule::NoDate),
        };
        if fixes.iter().any(|fix| fix.comes_after == Some(true)) {
            (Some(true), yes)
        } else if fixes.iter().any(|fix| fix.comes_after.is_none()) {
            (None, unclear)
        } else if fixes.is_empty() {
            (Some(false), Rule::NoFixInBranch)
        } else {
            (Some(false), Rule::Fixed)
        }
    }

    /// A later release of the branch is marked insecure (or all official ones are): there is a hole, and no fix to name.
    fn has_insecure_after(&self) -> bool {
        let (mut official, mut sound) = (false, false);
        for (place, release) in self
            .prepared
            .releases
            .iter()
            .enumerate()
            .filter(|(_, release)| self.branch.holds(release))
        {
            let other = release.version != self.text;
            if release.insecure && other && self.comes_after(place, release) != Some(false) {
                return true;
            }
            if InstallType::of(Some(&release.version)) != InstallType::Dev {
                official = true;
                sound |= !release.insecure;
            }
        }
        official && !sound
    }

    /// Nobody makes fixes for it any more, so that none is known says nothing.
    fn is_unsupported(&self) -> bool {
        let branches = &self.prepared.branches;
        let abandoned = matches!(
            self.prepared.project_status,
            Some(ProjectStatus::Unsupported | ProjectStatus::Revoked | ProjectStatus::Unpublished)
        );
        let taken_back = self.installed.is_some_and(|release| release.unpublished);
        let outside = branches.listed && !branches.support_all() && !branches.support(self.text);
        abandoned || taken_back || !branches.stated || outside
    }
}

/// Without branches the order of the document isn't enough: a fix of another branch may stand above.
fn is_clearly_later(release: &Listed, installed: Option<i64>) -> bool {
    match (release.real_date(), installed) {
        (Some(date), Some(installed)) => date > installed.saturating_add(DAY),
        _ => true,
    }
}
