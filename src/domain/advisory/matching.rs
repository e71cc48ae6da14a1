//! What advisories add to *exposed*: which of them name a version, which can't be compared with it,
//! and which release of its branch fixes each.

use super::{Advisory, Reading, Readings};
use crate::domain::composer::Composer;
use crate::domain::exposed::{Branch, BranchFix, Exposed, Position, Rule};
use crate::domain::prepared::{Listed, Prepared};
use crate::domain::status::Installed;
use crate::domain::version::{InstallType, Version};

/// An advisory that counts against the installed version.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Match {
    /// The advisory.
    pub id: String,
    /// Its two readings say different things of the version.
    pub disputed: bool,
    /// The first release of the installed branch after it that the advisory doesn't name; `None`: no fix is known.
    pub fix: Option<String>,
}

/// What joining the advisories of a project gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Joined {
    /// Those that count against the version.
    pub matches: Vec<Match>,
    /// Those that can't be compared with it.
    pub unclear: Vec<String>,
    /// The releases of the branch that fix an advisory without being marked as security updates, in the document's
    /// order. Their `comes_after` says whether the installed version lacks what they brought.
    pub unmarked: Vec<BranchFix>,
}

/// Joins the advisories of a project to what its release history said: one that matches makes it a yes, one that can't be
/// compared takes a no back. An advisory never makes anything milder. `readings`: of this history and these advisories.
#[must_use]
pub fn join<'a>(
    exposed: &mut Exposed,
    prepared: Option<&Prepared>,
    installed: &Installed<'_>,
    advisories: impl IntoIterator<Item = &'a Advisory>,
    readings: Option<&Readings>,
) -> Joined {
    let subject = Subject::new(prepared, installed);
    let ladder = Ladder::new(prepared, installed);
    let mut joined = Joined::default();
    for (number, advisory) in advisories.into_iter().enumerate() {
        let found = subject.compare(advisory);
        let fixes = ladder.fixes(number, advisory, readings);
        let nearest = fixes
            .iter()
            .rev()
            .find(|step| step.comes_after == Some(true));
        match found {
            Comparison::Clear => {}
            Comparison::Unclear => joined.unclear.push(advisory.id.clone()),
            Comparison::Affected(reading) => joined.matches.push(Match {
                id: advisory.id.clone(),
                disputed: reading.disagrees(),
                fix: nearest.map(|step| step.release.version.clone()),
            }),
        }
        let nearest = nearest.map(|step| step.release.version.as_str());
        for step in fixes.iter().filter(|step| !step.release.security) {
            let lacking = step.lacking(found, nearest);
            note(&mut joined.unmarked, step, lacking);
        }
    }
    joined
        .unmarked
        .sort_by_key(|fix| ladder.place(&fix.version));
    if exposed.answer != Some(true) && !joined.matches.is_empty() {
        (exposed.answer, exposed.rule) = (Some(true), Rule::Advisory);
    } else if exposed.answer == Some(false) && !joined.unclear.is_empty() {
        (exposed.answer, exposed.rule) = (None, Rule::AdvisoryUnclear);
    }
    joined
}

/// Adds an unmarked fix, or what another advisory says of it: lacking beats can't tell beats not lacking.
fn note(all: &mut Vec<BranchFix>, step: &Step<'_>, lacking: Option<bool>) {
    match all
        .iter_mut()
        .find(|fix| fix.version == step.release.version)
    {
        None => all.push(BranchFix {
            version: step.release.version.clone(),
            date: step.release.real_date(),
            comes_after: lacking,
        }),
        Some(fix) => {
            fix.comes_after = match (fix.comes_after, lacking) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (None, _) | (_, None) => None,
                _ => Some(false),
            }
        }
    }
}

/// The official releases of the installed branch, in the document's order.
struct Ladder<'a> {
    releases: Vec<(usize, &'a Listed)>,
    position: Option<Position>,
    prefix: bool,
}

/// A release that fixes an advisory.
struct Step<'a> {
    release: &'a Listed,
    comes_after: Option<bool>,
}

impl Step<'_> {
    /// Whether the installed version lacks what this release brought.
    fn lacking(&self, found: Comparison, nearest: Option<&str>) -> Option<bool> {
        match (self.comes_after, found) {
            (Some(false), _) | (_, Comparison::Clear) => Some(false),
            (Some(true), Comparison::Affected(_))
                if nearest == Some(self.release.version.as_str()) =>
            {
                Some(true)
            }
            _ => None,
        }
    }
}

impl<'a> Ladder<'a> {
    fn new(prepared: Option<&'a Prepared>, installed: &Installed<'_>) -> Self {
        let mut ladder = Self {
            releases: Vec::new(),
            position: None,
            prefix: false,
        };
        if let (Some(prepared), Some(text)) = (prepared, installed.version)
            && let Some(version) = Version::parse(text)
        {
            let branch = Branch::of(prepared, text, &version);
            ladder.prefix = matches!(branch, Branch::Prefix(_));
            ladder.position = Some(Position::of(text, installed.datestamp, prepared.find(text)));
            ladder.releases = prepared
                .releases()
                .iter()
                .enumerate()
                .filter(|(_, release)| {
                    branch.holds(release)
                        && release.valid
                        && release.published
                        && release.composer.is_some()
                        && InstallType::of(Some(&release.version)) != InstallType::Dev
                })
                .collect();
        }
        ladder
    }

    /// The releases that an advisory doesn't name while it names the one before each, in the document's order.
    fn fixes(
        &self,
        number: usize,
        advisory: &Advisory,
        readings: Option<&Readings>,
    ) -> Vec<Step<'a>> {
        let named = |place: usize, release: &Listed| {
            let version = release.composer.as_ref()?;
            let read = || advisory.reading(version).either();
            match readings {
                Some(readings) => readings.either(number, place, read),
                None => read(),
            }
        };
        let mut fixes = Vec::new();
        let mut older = None;
        for (place, release) in self.releases.iter().rev() {
            let now = named(*place, release);
            if older == Some(true) && now == Some(false) {
                fixes.push(Step {
                    release,
                    comes_after: self
                        .position
                        .as_ref()
                        .and_then(|position| position.is_before(*place, release, self.prefix)),
                });
            }
            older = now.or(older);
        }
        fixes.reverse();
        fixes
    }

    fn place(&self, version: &str) -> Option<usize> {
        self.releases
            .iter()
            .position(|(_, release)| release.version == version)
    }
}

/// What advisories are compared with.
enum Subject<'a> {
    /// A version of its own, and when it was released.
    Version(Composer, Option<i64>),
    /// A snapshot: the releases of its branch stand for it.
    Snapshot {
        datestamp: i64,
        releases: Vec<&'a Listed>,
    },
    /// Nothing can be compared.
    Nothing,
}

impl<'a> Subject<'a> {
    fn new(prepared: Option<&'a Prepared>, installed: &Installed<'_>) -> Self {
        let Some(text) = installed.version else {
            return Self::Nothing;
        };
        if InstallType::of(Some(text)) != InstallType::Dev {
            let released = prepared
                .and_then(|prepared| prepared.find(text))
                .and_then(|(_, release)| release.real_date());
            return Composer::of_drupal(text)
                .map_or(Self::Nothing, |version| Self::Version(version, released));
        }
        let (Some(prepared), Some(version), 1..) =
            (prepared, Version::parse(text), installed.datestamp)
        else {
            return Self::Nothing;
        };
        let branch = Branch::of(prepared, text, &version);
        let releases = prepared
            .releases()
            .iter()
            .filter(|release| branch.holds(release))
            .collect();
        Self::Snapshot {
            datestamp: installed.datestamp,
            releases,
        }
    }

    fn compare(&self, advisory: &Advisory) -> Comparison {
        match self {
            Self::Nothing => Comparison::Unclear,
            Self::Version(version, released) => {
                match (Comparison::of(advisory.reading(version)), released) {
                    // It names no versions: what was released after it isn't what it is about.
                    (Comparison::Unclear, Some(released))
                        if advisory.names_no_versions() && *released > advisory.published =>
                    {
                        Comparison::Clear
                    }
                    (found, _) => found,
                }
            }
            Self::Snapshot {
                datestamp,
                releases,
            } => {
                if datestamp.saturating_add(100) > advisory.published {
                    return Comparison::Clear;
                }
                let comparable = releases
                    .iter()
                    .filter_map(|release| release.composer.as_ref());
                let found = comparable.map(|version| Comparison::of(advisory.reading(version)));
                found
                    .reduce(Comparison::graver)
                    .unwrap_or(Comparison::Unclear)
            }
        }
    }
}

/// How an advisory stands to what is installed.
#[derive(Clone, Copy)]
enum Comparison {
    Affected(Reading),
    Unclear,
    Clear,
}

impl Comparison {
    fn of(reading: Reading) -> Self {
        match reading.either() {
            Some(true) => Self::Affected(reading),
            Some(false) => Self::Clear,
            None => Self::Unclear,
        }
    }

    fn graver(self, other: Self) -> Self {
        match (self, other) {
            (Self::Affected(_), _) | (Self::Unclear, Self::Unclear | Self::Clear) => self,
            _ => other,
        }
    }
}
