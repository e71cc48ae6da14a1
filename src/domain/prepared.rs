//! A release history made ready: all that doesn't depend on the installed version is worked out once.
//! Knows nothing of installed versions beyond finding them; the verdict is `status` and `exposed`.

use std::collections::HashMap;

use crate::domain::composer::Composer;
use crate::domain::release_history::{Release, ReleaseHistory};
use crate::domain::version::{Version, branch_major, numeric};
use crate::domain::words::words;

words! {
    /// The project's own status, where it decides anything.
    pub enum ProjectStatus {
        /// The whole project is insecure.
        Insecure = "insecure",
        /// Taken back.
        Revoked = "revoked",
        /// Not shown any more.
        Unpublished = "unpublished",
        /// Nobody maintains it.
        Unsupported = "unsupported",
        /// Core's own word for a failed download.
        NotFetched = "not-fetched",
    }
}

/// A release history against which any number of versions can be judged.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub(crate) project_status: Option<ProjectStatus>,
    pub(crate) branches: Branches,
    pub(crate) releases: Vec<Listed>,
    /// The distinct majors of the releases, as they are first written.
    pub(crate) majors: Vec<String>,
}

/// One stored release.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The version, exactly as it is written.
    pub version: String,
    /// Its composer form, where it has one.
    pub composer: Option<Composer>,
    /// When it was released, Unix seconds; `None` where the document gives no number. 0 is kept.
    pub date: Option<i64>,
    /// The versions of core that it says it works with; empty counts as absent.
    pub core_compatibility: Option<String>,
    /// It is published.
    pub published: bool,
    /// It is unpublished, in exactly this word.
    pub unpublished: bool,
    /// It is of the type *Security update*.
    pub security: bool,
    /// It is of the type *Insecure*.
    pub insecure: bool,
    /// Its fields are in order and core can parse its version: the release counts.
    pub valid: bool,
    /// It is in a supported branch and not of the type *Unsupported*.
    pub(crate) supported: bool,
    /// What core reads out of the version; `None` where it can't.
    pub(crate) parsed: Option<Parsed>,
}

/// What core reads out of a release's version.
#[derive(Clone, Debug)]
pub(crate) struct Parsed {
    /// The major's value.
    pub number: f64,
    /// Its place among the distinct majors.
    pub major: usize,
    /// The extra is `dev`.
    pub dev: bool,
    /// There is no extra at all.
    pub plain: bool,
    /// The version without its extra, where that differs.
    pub base: Option<String>,
}

impl Listed {
    /// The date, where it says anything: 0 is no date.
    #[must_use]
    pub fn real_date(&self) -> Option<i64> {
        self.date.filter(|date| *date != 0)
    }

    /// The version without its extra.
    pub(crate) fn base(&self) -> &str {
        self.parsed
            .as_ref()
            .and_then(|parsed| parsed.base.as_deref())
            .unwrap_or(&self.version)
    }
}

impl Prepared {
    /// Works out everything that installed versions will be compared with.
    #[must_use]
    pub fn new(history: &ReleaseHistory) -> Self {
        let branches = Branches::new(history.supported_branches.as_deref());
        let mut majors = Majors::default();
        let releases = history
            .releases
            .iter()
            .map(|release| listed(release, &branches, &mut majors))
            .collect();
        let project_status = history
            .project_status
            .as_deref()
            .and_then(ProjectStatus::from_word);
        Self {
            project_status,
            branches,
            releases,
            majors: majors.names,
        }
    }

    /// What core keeps of a document that it can't read: no status, no branches, no releases.
    #[must_use]
    pub fn unreadable() -> Self {
        Self::new(&ReleaseHistory::default())
    }

    /// The stored releases in the document's order, valid or not.
    #[must_use]
    pub fn releases(&self) -> &[Listed] {
        &self.releases
    }

    /// The release with exactly this version, and its place.
    #[must_use]
    pub fn find(&self, version: &str) -> Option<(usize, &Listed)> {
        self.releases
            .iter()
            .enumerate()
            .find(|(_, release)| release.version == version)
    }
}

/// The distinct majors met so far.
#[derive(Default)]
struct Majors {
    names: Vec<String>,
    places: HashMap<String, usize>,
}

impl Majors {
    fn place(&mut self, name: &str) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        self.places.insert(name.to_owned(), self.names.len());
        self.names.push(name.to_owned());
        self.names.len() - 1
    }
}

fn listed(release: &Release, branches: &Branches, majors: &mut Majors) -> Listed {
    let version = release.key.clone();
    let parsed = Version::parse(&version).map(|found| Parsed {
        number: found.number,
        major: majors.place(found.major),
        dev: found.is_dev(),
        plain: found.extra.is_none(),
        base: base(&version, found.extra),
    });
    Listed {
        composer: Composer::of_drupal(&version),
        date: release.date.as_deref().and_then(numeric).map(whole_seconds),
        core_compatibility: release
            .core_compatibility
            .clone()
            .filter(|text| !text.is_empty()),
        published: release.status.as_deref() == Some("published"),
        unpublished: release.status.as_deref() == Some("unpublished"),
        security: release.is("Security update"),
        insecure: release.is("Insecure"),
        valid: parsed.is_some() && release.has_valid_fields(),
        supported: branches.support(&version) && !release.is("Unsupported"),
        parsed,
        version,
    }
}

/// The version with every `-extra` taken out; PHP counts an extra of `0` or of nothing as none.
fn base(version: &str, extra: Option<&str>) -> Option<String> {
    let extra = extra.filter(|extra| !matches!(*extra, "" | "0"))?;
    Some(version.replace(&format!("-{extra}"), ""))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a cast from a float saturates, which is what is wanted"
)]
fn whole_seconds(date: f64) -> i64 {
    date as i64
}

/// The supported branches: beginnings of versions, in the document's order.
#[derive(Clone, Debug)]
pub(crate) struct Branches {
    /// The element is there at all.
    pub stated: bool,
    /// The element is there and not empty.
    pub listed: bool,
    entries: Vec<String>,
    /// The entries sorted, without those that begin with another entry: one look finds whether any fits.
    sorted: Vec<String>,
    /// The major of the first entry that parses.
    pub first_major: Option<f64>,
}

impl Branches {
    fn new(text: Option<&str>) -> Self {
        let entries: Vec<String> = text
            .map(|text| text.split(',').map(str::to_owned).collect())
            .unwrap_or_default();
        let mut sorted = entries.clone();
        sorted.sort_unstable();
        sorted.dedup_by(|later, earlier| later.starts_with(earlier.as_str()));
        let first_major = entries
            .iter()
            .find_map(|entry| branch_major(entry))
            .map(|(_, number)| number);
        Self {
            stated: text.is_some(),
            listed: text.is_some_and(|text| !text.is_empty()),
            entries,
            sorted,
            first_major,
        }
    }

    /// Whether the version begins with one of the entries.
    pub fn support(&self, version: &str) -> bool {
        let after = self
            .sorted
            .partition_point(|entry| entry.as_str() <= version);
        after
            .checked_sub(1)
            .and_then(|at| self.sorted.get(at))
            .is_some_and(|entry| version.starts_with(entry.as_str()))
    }

    /// Whether there is an empty entry, with which every version begins.
    pub fn support_all(&self) -> bool {
        self.sorted.first().is_some_and(String::is_empty)
    }

    /// The longest entry that isn't empty and with which the version begins.
    pub fn longest(&self, version: &str) -> Option<&str> {
        let fitting = self
            .entries
            .iter()
            .filter(|entry| !entry.is_empty() && version.starts_with(entry.as_str()));
        fitting.max_by_key(|entry| entry.len()).map(String::as_str)
    }
}
