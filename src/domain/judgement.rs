//! What the product says of one version of one module: core's verdict, the product's own
//! *exposed*, and what it says where there is nothing to judge. Computed once per distinct
//! (module, version, snapshot date), whoever runs it.

use serde::{Deserialize, Serialize};

use super::advisory::{Advisory, Joined, Match, Readings, join};
use super::exposed::{BranchFix, Rule};
use super::exposure::{Cause, CauseKind};
use super::inventory::{ModuleType, Origin};
use super::prepared::Prepared;
use super::site_status::Standing;
use super::status::{Assessment, History, Installed, assess};
use super::version::Version;
use super::words::words;

/// The reason of everything on a Drupal 7 site.
pub const DRUPAL_7: &str = "drupal-7-end-of-life";

words! {
    /// How asking drupal.org for a module stands.
    pub enum FeedState {
        /// Not asked yet.
        Pending = "pending",
        /// Good data is stored, whatever its age.
        Ok = "ok",
        /// drupal.org knows no such project.
        Absent = "absent",
        /// Asked, but nothing good ever came: no answer.
        Failed = "failed",
        /// Asked, but nothing good ever came: an answer that can't be read.
        Unreadable = "unreadable",
        /// Never asked: custom code and libraries.
        Never = "never",
    }
}

/// The judgement on one version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// The product's word for it.
    pub standing: Standing,
    /// Why, where the word alone doesn't say.
    pub reason: Option<String>,
    /// The engine's whole verdict; `None` where there was nothing to ask it.
    pub assessment: Option<Assessment>,
    /// The advisories that count against the version.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advisories: Vec<Match>,
    /// The advisories of the project that can't be compared with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unclear: Vec<String>,
    /// The releases of its branch that only advisories name as fixes; `comes_after`: it lacks what they brought.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmarked: Vec<BranchFix>,
}

impl Judgement {
    /// The judgement on code that drupal.org doesn't know.
    pub fn custom() -> Self {
        Self {
            standing: Standing::Custom,
            reason: None,
            assessment: None,
            advisories: Vec::new(),
            unclear: Vec::new(),
            unmarked: Vec::new(),
        }
    }

    /// Exposed: yes, no, or can't tell. Custom code isn't judged and so can't tell.
    pub fn exposed(&self) -> Option<bool> {
        self.assessment.as_ref().and_then(|a| a.exposed.answer)
    }

    /// The causes by which the version is exposed: the fixes of its branch that it lacks and the advisories
    /// without a fix, or else the project's own insecurity.
    pub fn causes(&self, project: &str) -> Vec<Cause> {
        if self.exposed() != Some(true) {
            return Vec::new();
        }
        let mut causes: Vec<Cause> = self.fixes_lacking().map(Cause::release).collect();
        causes.extend(
            self.advisories
                .iter()
                .filter(|found| found.fix.is_none())
                .map(|found| Cause::advisory(&found.id)),
        );
        if causes.is_empty() {
            causes.push(Cause {
                kind: CauseKind::Project,
                id: project.to_owned(),
            });
        }
        causes
    }

    /// Whether the version is exposed by a cause: yes, no, or can't tell.
    pub fn about(&self, cause: &Cause) -> Option<bool> {
        let exposed = self.assessment.as_ref().map(|judged| &judged.exposed);
        match cause.kind {
            CauseKind::Release => match self.unmarked.iter().find(|fix| fix.version == cause.id) {
                Some(fix) => fix.comes_after,
                None => exposed?.about(&cause.id),
            },
            // What an advisory says needs no release history.
            CauseKind::Advisory => {
                if self.advisories.iter().any(|found| found.id == cause.id) {
                    Some(true)
                } else if self.unclear.contains(&cause.id) {
                    None
                } else {
                    Some(false)
                }
            }
            CauseKind::Project => match exposed?.answer {
                Some(true) if exposed?.rule == Rule::Insecure => Some(true),
                Some(true) | None => None,
                Some(false) => Some(false),
            },
        }
    }

    /// The ids of the advisories that count against the version.
    pub fn advisory_ids(&self) -> Vec<String> {
        self.advisories
            .iter()
            .map(|found| found.id.clone())
            .collect()
    }

    /// The cause by which an advisory counts against the version; `None`: it doesn't.
    pub fn cause_of(&self, advisory: &str) -> Option<Cause> {
        let found = self.advisories.iter().find(|found| found.id == advisory)?;
        Some(match &found.fix {
            Some(fix) => Cause::release(fix),
            None => Cause::advisory(advisory),
        })
    }

    /// The security releases of its branch that come after it, and what advisories name beside them, in the
    /// document's order.
    pub fn fixes_lacking(&self) -> impl Iterator<Item = &str> {
        let marked = self
            .assessment
            .iter()
            .flat_map(|assessment| &assessment.exposed.fixes);
        marked
            .chain(&self.unmarked)
            .filter(|fix| fix.comes_after == Some(true))
            .map(|fix| fix.version.as_str())
    }

    /// The releases that bring a site on this version to safety: the newest lacking fix of the
    /// branch, or, where the branch has none, what core offers instead.
    pub fn fixed_in(&self) -> Vec<String> {
        let lacking: Vec<String> = self.fixes_lacking().map(str::to_owned).collect();
        if !lacking.is_empty() {
            return lacking;
        }
        self.assessment
            .as_ref()
            .filter(|assessment| assessment.exposed.answer == Some(true))
            .map(|assessment| assessment.security_updates.clone())
            .unwrap_or_default()
    }

    /// The stored history lists exactly this version.
    pub fn listed(&self) -> bool {
        self.assessment.as_ref().is_some_and(|a| a.listed)
    }
}

/// What the versions of one module are judged by.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// Whose code it is.
    pub origin: Origin,
    /// Its type.
    pub kind: ModuleType,
    /// Its name.
    pub project: &'a str,
    /// How asking drupal.org stands.
    pub feed: FeedState,
    /// The stored release history, where good data is stored.
    pub history: Option<&'a Prepared>,
    /// The advisories of the project that stand.
    pub advisories: &'a [Advisory],
    /// Which releases of the history they name, as far as it was read; `None`: it is read anew.
    pub readings: Option<&'a Readings>,
}

impl Evidence<'_> {
    /// Judges one version. `datestamp`: of a development snapshot, Unix seconds.
    pub fn judge(&self, version: Option<&str>, datestamp: i64) -> Judgement {
        if self.origin != Origin::Project {
            return Judgement::custom();
        }
        let installed = Installed { version, datestamp };
        let mut assessment = match (self.history, self.feed) {
            (Some(prepared), _) => Some(assess(&History::Stored(prepared), &installed)),
            (None, FeedState::Absent | FeedState::Unreadable | FeedState::Ok) => {
                let nothing = Prepared::unreadable();
                Some(assess(&History::Stored(&nothing), &installed))
            }
            (None, FeedState::Failed) => Some(assess(&History::NotFetched, &installed)),
            (None, FeedState::Pending | FeedState::Never) => None,
        };
        let (standing, reason) = match &assessment {
            None => (Standing::Pending, None),
            Some(assessment) => (
                assessment.status.standing(),
                assessment
                    .reason
                    .map(|reason| reason.as_str().to_owned())
                    .or_else(|| assessment.extra.map(|extra| extra.as_str().to_owned())),
            ),
        };
        let joined = self.join(&mut assessment, &installed);
        let judged = Judgement {
            standing,
            reason,
            assessment,
            advisories: joined.matches,
            unclear: joined.unclear,
            unmarked: joined.unmarked,
        };
        end_of_life(judged, self.kind, version)
    }

    /// Joins the advisories. One that matches needs no release history to make a version exposed.
    fn join(&self, assessment: &mut Option<Assessment>, installed: &Installed<'_>) -> Joined {
        if self.advisories.is_empty() {
            return Joined::default();
        }
        let mut judged = assessment
            .clone()
            .unwrap_or_else(|| assess(&History::NoData, installed));
        let joined = join(
            &mut judged.exposed,
            self.history,
            installed,
            self.advisories,
            self.readings,
        );
        if assessment.is_some() || !joined.matches.is_empty() {
            *assessment = Some(judged);
        }
        joined
    }
}

/// Drupal 7 has ended: its core is not supported, and nobody can tell about its modules.
fn end_of_life(judged: Judgement, kind: ModuleType, version: Option<&str>) -> Judgement {
    let Some(version) = version else {
        return judged;
    };
    let ended = if kind == ModuleType::Core {
        Version::parse(version)
            .is_some_and(|parsed| parsed.major == "7")
            .then_some(Standing::NotSupported)
    } else {
        version.starts_with("7.x-").then_some(Standing::Unknown)
    };
    match ended {
        Some(standing) => Judgement {
            standing: judged.standing.min(standing),
            reason: Some(DRUPAL_7.to_owned()),
            ..judged
        },
        None => judged,
    }
}

#[cfg(test)]
mod tests {
    use super::super::release_history::{Document, parse};
    use super::*;

    fn history(releases: &str) -> Prepared {
        let xml = format!(
            "<project><title>Token</title><short_name>token</short_name><project_status>published</project_status>\
             <supported_branches>8.x-1.</supported_branches><releases>{releases}</releases></project>"
        );
        match parse(xml.as_bytes()) {
            Document::Stored(history) => Prepared::new(&history),
            other => panic!("not stored: {other:?}"),
        }
    }

    fn release(version: &str, date: i64, kind: &str) -> String {
        format!(
            "<release><version>{version}</version><status>published</status><release_link>x</release_link>\
             <download_link>x</download_link><date>{date}</date><terms><term><name>Release type</name>\
             <value>{kind}</value></term></terms></release>"
        )
    }

    fn token(history: Option<&Prepared>, feed: FeedState, version: &str) -> Judgement {
        evidence(history, feed, ModuleType::Module).judge(Some(version), 0)
    }

    fn evidence(history: Option<&Prepared>, feed: FeedState, kind: ModuleType) -> Evidence<'_> {
        Evidence {
            origin: Origin::Project,
            kind,
            project: "token",
            feed,
            history,
            advisories: &[],
            readings: None,
        }
    }

    #[test]
    fn a_version_below_the_fix_is_exposed_by_it() {
        let history = history(
            &(release("8.x-1.15", 1_790_000_000, "Security update")
                + &release("8.x-1.13", 1_700_000_000, "Bug fixes")),
        );
        let judged = token(Some(&history), FeedState::Ok, "8.x-1.13");
        assert_eq!(judged.exposed(), Some(true));
        assert_eq!(judged.fixed_in(), ["8.x-1.15"]);
        assert_eq!(judged.causes("token")[0].id, "8.x-1.15");
        let safe = token(Some(&history), FeedState::Ok, "8.x-1.15");
        assert_eq!(safe.about(&judged.causes("token")[0]), Some(false));
    }

    #[test]
    fn a_module_never_fetched_is_pending_and_not_fine() {
        let judged = token(None, FeedState::Pending, "8.x-1.13");
        assert_eq!(
            (judged.standing, judged.exposed()),
            (Standing::Pending, None)
        );
    }

    #[test]
    fn a_failed_fetch_is_unknown_and_says_so() {
        let judged = token(None, FeedState::Failed, "8.x-1.13");
        assert_eq!(judged.standing, Standing::Unknown);
        assert_eq!(judged.reason.as_deref(), Some("fetch-failed"));
    }

    #[test]
    fn drupal_7_core_is_not_supported_and_its_modules_unknown() {
        let core = evidence(None, FeedState::Pending, ModuleType::Core).judge(Some("7.98"), 0);
        assert_eq!(core.standing, Standing::NotSupported);
        let module = token(None, FeedState::Pending, "7.x-1.9");
        assert_eq!(module.standing, Standing::Unknown);
        assert_eq!(module.reason.as_deref(), Some(DRUPAL_7));
    }
}
