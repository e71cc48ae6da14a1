//! Security advisories: which versions they name, and what that adds to *exposed*.
//! Knows OSV documents; knows nothing of where they come from.

use serde::Deserialize;

use crate::domain::composer::Composer;
use crate::domain::constraint::Constraint;
use crate::domain::exposed::{Branch, Exposed, Rule};
use crate::domain::prepared::{Listed, Prepared};
use crate::domain::status::Installed;
use crate::domain::version::{InstallType, Version};

/// A security advisory, as far as the rules need it.
#[derive(Clone, Debug, PartialEq)]
pub struct Advisory {
    /// Such as `DRUPAL-CONTRIB-2025-125`.
    pub id: String,
    /// When it was published, Unix seconds.
    pub published: Option<i64>,
    affected: Vec<Affected>,
}

/// The versions of one package that an advisory names, in both ways that it names them.
#[derive(Clone, Debug, PartialEq)]
struct Affected {
    package: String,
    ranges: Vec<Range>,
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
    const NONE: Self = Self {
        osv: None,
        composer: None,
    };

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
    /// Reads an OSV document; `None` where it isn't one.
    #[must_use]
    pub fn from_osv(bytes: &[u8]) -> Option<Self> {
        let osv: Osv = serde_json::from_slice(bytes).ok()?;
        let published = osv
            .published
            .and_then(|text| text.parse::<jiff::Timestamp>().ok());
        Some(Self {
            id: osv.id,
            published: published.map(jiff::Timestamp::as_second),
            affected: osv.affected.into_iter().map(OsvAffected::read).collect(),
        })
    }

    /// The packages that it is about.
    pub fn packages(&self) -> impl Iterator<Item = &str> {
        self.affected
            .iter()
            .map(|affected| affected.package.as_str())
    }

    /// What it says of a version of a package.
    #[must_use]
    pub fn reading(&self, package: &str, version: &Composer) -> Reading {
        let mut found = Reading::NONE;
        for affected in self
            .affected
            .iter()
            .filter(|affected| affected.package == package)
        {
            found.osv = worse(found.osv, affected.by_ranges(version));
            found.composer = worse(
                found.composer,
                affected
                    .constraint
                    .as_ref()
                    .map(|constraint| constraint.allows(version)),
            );
        }
        found
    }
}

/// Affected beats everything, an answer beats none.
fn worse(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    Reading {
        osv: left,
        composer: right,
    }
    .either()
}

impl Affected {
    fn by_ranges(&self, version: &Composer) -> Option<bool> {
        let mut unclear = false;
        for range in &self.ranges {
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

#[derive(Deserialize)]
struct Osv {
    id: String,
    published: Option<String>,
    #[serde(default)]
    affected: Vec<OsvAffected>,
}

#[derive(Deserialize)]
struct OsvAffected {
    package: OsvPackage,
    #[serde(default)]
    ranges: Vec<OsvRange>,
    #[serde(default)]
    database_specific: OsvSpecific,
}

#[derive(Deserialize)]
struct OsvPackage {
    name: String,
}

#[derive(Deserialize)]
struct OsvRange {
    #[serde(default)]
    events: Vec<OsvEvent>,
}

#[derive(Deserialize)]
struct OsvEvent {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
}

#[derive(Default, Deserialize)]
struct OsvSpecific {
    affected_versions: Option<String>,
}

impl OsvAffected {
    fn read(self) -> Affected {
        Affected {
            package: self.package.name,
            ranges: self.ranges.into_iter().flat_map(OsvRange::read).collect(),
            constraint: self
                .database_specific
                .affected_versions
                .as_deref()
                .and_then(Constraint::parse),
        }
    }
}

impl OsvRange {
    /// Each introduction with the end that follows it.
    fn read(self) -> Vec<Range> {
        let mut ranges: Vec<Range> = Vec::new();
        for event in self.events {
            if let Some(text) = event.introduced {
                let introduced = if text == "0" {
                    Start::Always
                } else {
                    Start::At(Composer::normalize(&text))
                };
                ranges.push(Range {
                    introduced,
                    end: End::Never,
                });
            }
            let end = match (event.fixed, event.last_affected) {
                (Some(text), _) => End::Before(Composer::normalize(&text)),
                (None, Some(text)) => End::With(Composer::normalize(&text)),
                (None, None) => continue,
            };
            if let Some(range) = ranges.last_mut() {
                range.end = end;
            } else {
                ranges.push(Range {
                    introduced: Start::Always,
                    end,
                });
            }
        }
        ranges
    }
}

/// An advisory that counts against the installed version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The advisory.
    pub id: String,
    /// Its two readings say different things of the version.
    pub disputed: bool,
}

/// Joins the advisories of a project to what its release history said: one that matches makes it a yes, one that can't be
/// compared takes a no back. An advisory never makes anything milder.
#[must_use]
pub fn join<'a>(
    exposed: &mut Exposed,
    prepared: Option<&Prepared>,
    installed: &Installed<'_>,
    package: &str,
    advisories: impl IntoIterator<Item = &'a Advisory>,
) -> Vec<Match> {
    let subject = Subject::new(prepared, installed);
    let (mut matches, mut unclear) = (Vec::new(), false);
    for advisory in advisories {
        match subject.compare(advisory, package) {
            Comparison::Clear => {}
            Comparison::Unclear => unclear = true,
            Comparison::Affected(reading) => {
                matches.push(Match {
                    id: advisory.id.clone(),
                    disputed: reading.disagrees(),
                });
            }
        }
    }
    if exposed.answer != Some(true) && !matches.is_empty() {
        (exposed.answer, exposed.rule) = (Some(true), Rule::Advisory);
    } else if exposed.answer == Some(false) && unclear {
        (exposed.answer, exposed.rule) = (None, Rule::AdvisoryUnclear);
    }
    matches
}

/// What advisories are compared with.
enum Subject<'a> {
    /// A version of its own.
    Version(Composer),
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
            return Composer::of_drupal(text).map_or(Self::Nothing, Self::Version);
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

    fn compare(&self, advisory: &Advisory, package: &str) -> Comparison {
        match self {
            Self::Nothing => Comparison::Unclear,
            Self::Version(version) => Comparison::of(advisory.reading(package, version)),
            Self::Snapshot {
                datestamp,
                releases,
            } => {
                if advisory
                    .published
                    .is_some_and(|published| datestamp.saturating_add(100) > published)
                {
                    return Comparison::Clear;
                }
                let comparable = releases
                    .iter()
                    .filter_map(|release| release.composer.as_ref());
                let found =
                    comparable.map(|version| Comparison::of(advisory.reading(package, version)));
                match found
                    .reduce(Comparison::graver)
                    .unwrap_or(Comparison::Unclear)
                {
                    Comparison::Affected(_) if advisory.published.is_none() => Comparison::Unclear,
                    found => found,
                }
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
