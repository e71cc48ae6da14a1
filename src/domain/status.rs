//! Drupal core's verdict on an installed version, and the product's own word *exposed* beside it.
//! A pure function of the release history, the version and the snapshot's date: no site, no clock.

use serde::{Deserialize, Serialize};

use crate::domain::exposed::{self, Exposed};
use crate::domain::prepared::{Listed, Prepared, ProjectStatus};
use crate::domain::site_status::Standing;
use crate::domain::version::{InstallType, Version, existing_major};
use crate::domain::words::words;

words! {
    /// Core's word for how a project stands.
    pub enum Status {
        /// The installed release or the project is marked insecure.
        NotSecure = "NOT_SECURE",
        /// The installed release or the project was taken back.
        Revoked = "REVOKED",
        /// The installed release, its branch or the project is no longer supported.
        NotSupported = "NOT_SUPPORTED",
        /// It can't be judged; the reason says why.
        Unknown = "UNKNOWN",
        /// A development snapshot without a date.
        NotChecked = "NOT_CHECKED",
        /// The download failed.
        NotFetched = "NOT_FETCHED",
        /// The download is still to come.
        FetchPending = "FETCH_PENDING",
        /// A newer release is available.
        NotCurrent = "NOT_CURRENT",
        /// Nothing newer that is recommended.
        Current = "CURRENT",
    }
}

impl Status {
    /// The product's word for it.
    #[must_use]
    pub const fn standing(self) -> Standing {
        match self {
            Self::NotSecure => Standing::NotSecure,
            Self::Revoked => Standing::Revoked,
            Self::NotSupported => Standing::NotSupported,
            Self::Unknown | Self::NotFetched => Standing::Unknown,
            Self::NotChecked => Standing::NotChecked,
            Self::FetchPending => Standing::Pending,
            Self::NotCurrent => Standing::NotCurrent,
            Self::Current => Standing::Current,
        }
    }
}

words! {
    /// Why a status is what it is, where the status alone doesn't say.
    pub enum Reason {
        /// There is nothing to compare with, or nothing to recommend.
        NoReleases = "no-releases",
        /// The installed version is an empty string.
        EmptyVersion = "empty-version",
        /// Core can't parse the installed version.
        InvalidVersion = "invalid-version",
        /// The download failed.
        FetchFailed = "fetch-failed",
        /// The download is still to come.
        NoDataPending = "no-data-pending",
        /// A snapshot that doesn't say when it was made.
        UnknownReleaseDate = "unknown-release-date",
    }
}

words! {
    /// What core adds to the status.
    pub enum Extra {
        /// The whole project is insecure.
        ProjectNotSecure = "project-not-secure",
        /// The whole project was taken back.
        ProjectRevoked = "project-revoked",
        /// The whole project is unsupported.
        ProjectNotSupported = "project-not-supported",
        /// The installed release was taken back.
        ReleaseRevoked = "release-revoked",
        /// The installed release is unsupported, and there is a release to go to.
        ReleaseNotSupported = "release-not-supported",
        /// The installed release is unsupported, and there is none to go to.
        ReleaseNotSupportedNoUpdate = "release-not-supported.no-update",
    }
}

/// What is installed.
#[derive(Clone, Copy, Debug)]
pub struct Installed<'a> {
    /// The version as the site says it; `None` where it says none.
    pub version: Option<&'a str>,
    /// When a development snapshot was made, Unix seconds; 0 where that isn't known.
    pub datestamp: i64,
}

/// What is known about the project's releases.
#[derive(Clone, Copy, Debug)]
pub enum History<'a> {
    /// Nothing was ever stored.
    NoData,
    /// The download failed and nothing else is stored.
    NotFetched,
    /// Stored, but older than the installed code: a download is due.
    FetchPending(&'a Prepared),
    /// Stored.
    Stored(&'a Prepared),
}

impl<'a> History<'a> {
    /// What is stored, whatever its age.
    #[must_use]
    pub const fn prepared(&self) -> Option<&'a Prepared> {
        match self {
            Self::NoData | Self::NotFetched => None,
            Self::FetchPending(prepared) | Self::Stored(prepared) => Some(*prepared),
        }
    }
}

/// The verdict on one installed version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// Core's word.
    pub status: Status,
    /// Why, where the status alone doesn't say.
    pub reason: Option<Reason>,
    /// What core adds to it.
    pub extra: Option<Extra>,
    /// The project's own status, where it decided everything.
    pub project_status: Option<ProjectStatus>,
    /// Official, a snapshot, or nothing given.
    pub install_type: InstallType,
    /// The installed major as core shows it; `-1` where it shows none.
    pub existing_major: String,
    /// The release to go to.
    pub recommended: Option<String>,
    /// The newest release of the major in question, whatever its stability.
    pub latest: Option<String>,
    /// The development release of that major.
    pub dev_version: Option<String>,
    /// What a snapshot is compared with.
    pub latest_dev: Option<String>,
    /// Security releases above the installed one, of any branch, in the document's order.
    pub security_updates: Vec<String>,
    /// The first release of each higher major: (major, version).
    pub also: Vec<(String, String)>,
    /// The stored history lists exactly this version.
    pub listed: bool,
    /// The product's own word.
    pub exposed: Exposed,
}

/// Judges an installed version.
#[must_use]
pub fn assess(history: &History<'_>, installed: &Installed<'_>) -> Assessment {
    let mut verdict = Assessment {
        status: Status::Unknown,
        reason: None,
        extra: None,
        project_status: None,
        install_type: InstallType::of(installed.version),
        existing_major: installed
            .version
            .and_then(existing_major)
            .unwrap_or("-1")
            .to_owned(),
        recommended: None,
        latest: None,
        dev_version: None,
        latest_dev: None,
        security_updates: Vec::new(),
        also: Vec::new(),
        listed: false,
        exposed: Exposed::no_verdict(),
    };
    judge(history, installed, &mut verdict);
    if let Some(prepared) = history.prepared() {
        let place = installed.version.and_then(|version| prepared.find(version));
        verdict.listed = place.is_some();
        let readable = matches!(history, History::Stored(_));
        verdict.exposed = exposed::judge(prepared, installed, place, verdict.status, readable);
    }
    verdict
}

/// Core's word and all that comes with it.
fn judge(history: &History<'_>, installed: &Installed<'_>, verdict: &mut Assessment) {
    let prepared = match history {
        History::NoData => return verdict.unknown(Reason::NoReleases),
        History::NotFetched => return verdict.of_project(ProjectStatus::NotFetched),
        History::FetchPending(prepared) | History::Stored(prepared) => prepared,
    };
    if let Some(status) = prepared.project_status {
        return verdict.of_project(status);
    }
    // Without a version core goes on with the text "Unknown", which it can't parse.
    let text = installed.version.unwrap_or("Unknown");
    if text.is_empty() {
        return verdict.unknown(Reason::EmptyVersion);
    }
    let Some(version) = Version::parse(text) else {
        return verdict.unknown(Reason::InvalidVersion);
    };
    if matches!(history, History::FetchPending(_)) {
        verdict.reason = Some(Reason::NoDataPending);
        verdict.status = Status::FetchPending;
        return;
    }
    if prepared.releases.is_empty() {
        return verdict.unknown(Reason::NoReleases);
    }
    let mut search = Search::new(
        prepared,
        text,
        &version,
        installed.datestamp,
        verdict.install_type,
    );
    search.run();
    search.conclude(verdict);
}

impl Assessment {
    fn unknown(&mut self, reason: Reason) {
        self.status = Status::Unknown;
        self.reason = Some(reason);
    }

    /// The project's own status stops everything else.
    fn of_project(&mut self, status: ProjectStatus) {
        self.project_status = Some(status);
        (self.status, self.reason, self.extra) = match status {
            ProjectStatus::Insecure => (Status::NotSecure, None, Some(Extra::ProjectNotSecure)),
            ProjectStatus::Revoked | ProjectStatus::Unpublished => {
                (Status::Revoked, None, Some(Extra::ProjectRevoked))
            }
            ProjectStatus::Unsupported => {
                (Status::NotSupported, None, Some(Extra::ProjectNotSupported))
            }
            ProjectStatus::NotFetched => (Status::NotFetched, Some(Reason::FetchFailed), None),
        };
    }
}

/// One walk down the releases, in the document's order.
struct Search<'a> {
    prepared: &'a Prepared,
    installed: &'a str,
    datestamp: i64,
    install_type: InstallType,
    /// The major that releases are sought in.
    target: f64,
    status: Option<Status>,
    extra: Option<Extra>,
    recommended: Option<&'a Listed>,
    latest: Option<&'a Listed>,
    dev: Option<&'a Listed>,
    security: Vec<&'a Listed>,
    also: Vec<(usize, &'a Listed)>,
    /// The majors already in `also`.
    seen: Vec<bool>,
    /// The first release of the base version at hand: what is recommended if the base turns out stable.
    candidate: Option<&'a Listed>,
    /// Whether the last release looked at is supported. Core lets it leak out of its loop, and so it decides below.
    supported: bool,
}

impl<'a> Search<'a> {
    fn new(
        prepared: &'a Prepared,
        installed: &'a str,
        version: &Version<'_>,
        datestamp: i64,
        install_type: InstallType,
    ) -> Self {
        let mut status = None;
        let mut target = version.number;
        if prepared.branches.stated && !prepared.branches.support(installed) {
            status = Some(Status::NotSupported);
            // Never downwards.
            target = prepared.branches.first_major.unwrap_or(target).max(target);
        }
        Self {
            prepared,
            installed,
            datestamp,
            install_type,
            target,
            status,
            extra: None,
            recommended: None,
            latest: None,
            dev: None,
            security: Vec::new(),
            also: Vec::new(),
            seen: Vec::new(),
            candidate: None,
            supported: false,
        }
    }

    fn run(&mut self) {
        for release in self
            .prepared
            .releases
            .iter()
            .filter(|release| release.valid)
        {
            self.supported = release.supported;
            let is_installed = release.version == self.installed;
            if is_installed {
                self.meet_installed(release);
            } else if self.passes_over(release) {
                continue;
            }
            if self.is_higher_major(release) {
                continue;
            }
            self.look_for_newest(release);
            if is_installed {
                break;
            }
            if release.security && !self.is_older_than_snapshot(release) {
                self.security.push(release);
            }
        }
    }

    /// What the installed release says of itself overrides what its branch said.
    fn meet_installed(&mut self, release: &Listed) {
        if release.insecure {
            self.status = Some(Status::NotSecure);
        } else if !release.published {
            self.status = Some(Status::Revoked);
            self.extra = Some(Extra::ReleaseRevoked);
        } else if !release.supported {
            self.status = Some(Status::NotSupported);
            let somewhere = self.recommended.is_some() || !self.also.is_empty();
            self.extra = Some(if somewhere {
                Extra::ReleaseNotSupported
            } else {
                Extra::ReleaseNotSupportedNoUpdate
            });
        }
    }

    fn passes_over(&self, release: &Listed) -> bool {
        let undated_dev =
            release.date.is_none() && release.parsed.as_ref().is_some_and(|parsed| parsed.dev);
        !release.published || !release.supported || release.insecure || undated_dev
    }

    /// A release of a higher major is at most "also available".
    fn is_higher_major(&mut self, release: &'a Listed) -> bool {
        let Some(parsed) = release
            .parsed
            .as_ref()
            .filter(|parsed| parsed.number > self.target)
        else {
            return false;
        };
        if self.seen.is_empty() {
            self.seen = vec![false; self.prepared.majors.len()];
        }
        if let Some(seen) = self.seen.get_mut(parsed.major)
            && !*seen
        {
            *seen = true;
            self.also.push((parsed.major, release));
        }
        true
    }

    fn look_for_newest(&mut self, release: &'a Listed) {
        let Some(parsed) = release
            .parsed
            .as_ref()
            .filter(|parsed| parsed.number == self.target)
        else {
            return;
        };
        self.latest = self.latest.or(Some(release));
        if parsed.dev {
            self.dev = self.dev.or(Some(release));
        }
        if self.recommended.is_none() && release.supported {
            if self
                .candidate
                .is_none_or(|candidate| candidate.base() != release.base())
            {
                self.candidate = Some(release);
            }
            if parsed.plain {
                self.recommended = self.candidate;
            }
        }
    }

    /// For snapshots: without a date nothing can be said, and an older release is in it already.
    fn is_older_than_snapshot(&self, release: &Listed) -> bool {
        self.install_type == InstallType::Dev
            && (self.datestamp == 0
                || release
                    .real_date()
                    .is_some_and(|date| self.datestamp.saturating_add(100) > date))
    }

    fn conclude(mut self, verdict: &mut Assessment) {
        if self.recommended.is_none() && self.supported {
            self.recommended = self.latest;
        }
        let name = |release: Option<&Listed>| release.map(|release| release.version.clone());
        verdict.recommended = name(self.recommended);
        verdict.latest = name(self.latest);
        verdict.dev_version = name(self.dev);
        verdict.security_updates = self
            .security
            .iter()
            .map(|release| release.version.clone())
            .collect();
        let major = |place: usize| self.prepared.majors.get(place).cloned().unwrap_or_default();
        verdict.also = self
            .also
            .iter()
            .map(|(place, release)| (major(*place), release.version.clone()))
            .collect();
        verdict.extra = self.extra;
        match self.status {
            Some(status) => verdict.status = status,
            None if self.recommended.is_none() => verdict.unknown(Reason::NoReleases),
            None if self.install_type == InstallType::Dev => self.compare_snapshot(verdict),
            None => {
                let newest = [self.recommended, self.latest];
                let current = newest
                    .into_iter()
                    .flatten()
                    .any(|release| release.version == self.installed);
                verdict.status = if current {
                    Status::Current
                } else {
                    Status::NotCurrent
                };
            }
        }
    }

    fn compare_snapshot(&self, verdict: &mut Assessment) {
        let date = |release: Option<&Listed>| release.and_then(|release| release.date);
        let newer_dev = self.dev.filter(|dev| dev.date > date(self.latest));
        let newest = newer_dev.or(self.latest);
        verdict.latest_dev = newest.map(|release| release.version.clone());
        if self.datestamp == 0 {
            verdict.status = Status::NotChecked;
            verdict.reason = Some(Reason::UnknownReleaseDate);
        } else if self.datestamp.saturating_add(100) > date(newest).unwrap_or(0) {
            verdict.status = Status::Current;
        } else {
            verdict.status = Status::NotCurrent;
        }
    }
}
