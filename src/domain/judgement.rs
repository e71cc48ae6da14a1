//! What the product says of one version of one module: core's verdict, the product's own
//! *exposed*, and what it says where there is nothing to judge. Computed once per distinct
//! (module, version, snapshot date), whoever runs it.

use serde::{Deserialize, Serialize};

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
}

impl Judgement {
    /// The judgement on code that drupal.org doesn't know.
    pub fn custom() -> Self {
        Self {
            standing: Standing::Custom,
            reason: None,
            assessment: None,
        }
    }

    /// Exposed: yes, no, or can't tell. Custom code isn't judged and so can't tell.
    pub fn exposed(&self) -> Option<bool> {
        self.assessment.as_ref().and_then(|a| a.exposed.answer)
    }

    /// The causes by which the version is exposed: the fixes of its branch that it lacks, or else
    /// the project's own insecurity.
    pub fn causes(&self, project: &str) -> Vec<Cause> {
        if self.exposed() != Some(true) {
            return Vec::new();
        }
        let lacking: Vec<Cause> = self
            .fixes_lacking()
            .map(|version| Cause {
                kind: CauseKind::Release,
                id: version.to_owned(),
            })
            .collect();
        if lacking.is_empty() {
            vec![Cause {
                kind: CauseKind::Project,
                id: project.to_owned(),
            }]
        } else {
            lacking
        }
    }

    /// Whether the version is exposed by a cause: yes, no, or can't tell.
    pub fn about(&self, cause: &Cause) -> Option<bool> {
        let exposed = &self.assessment.as_ref()?.exposed;
        match cause.kind {
            CauseKind::Release => exposed.about(&cause.id),
            CauseKind::Advisory | CauseKind::Project => match exposed.answer {
                Some(true) if self.fixes_lacking().next().is_none() => Some(true),
                Some(true) | None => None,
                Some(false) => Some(false),
            },
        }
    }

    /// The security releases of its branch that come after it, in the document's order.
    pub fn fixes_lacking(&self) -> impl Iterator<Item = &str> {
        self.assessment
            .iter()
            .flat_map(|assessment| &assessment.exposed.fixes)
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

/// Judges one version. `history` is the stored release history, where good data is stored.
pub fn judge(
    origin: Origin,
    kind: ModuleType,
    feed: FeedState,
    history: Option<&Prepared>,
    version: Option<&str>,
    datestamp: i64,
) -> Judgement {
    if origin != Origin::Project {
        return Judgement::custom();
    }
    let installed = Installed { version, datestamp };
    let assessment = match (history, feed) {
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
    let judged = Judgement {
        standing,
        reason,
        assessment,
    };
    end_of_life(judged, kind, version)
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
        judge(
            Origin::Project,
            ModuleType::Module,
            feed,
            history,
            Some(version),
            0,
        )
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
        let core = judge(
            Origin::Project,
            ModuleType::Core,
            FeedState::Pending,
            None,
            Some("7.98"),
            0,
        );
        assert_eq!(core.standing, Standing::NotSupported);
        let module = token(None, FeedState::Pending, "7.x-1.9");
        assert_eq!(module.standing, Standing::Unknown);
        assert_eq!(module.reason.as_deref(), Some(DRUPAL_7));
    }
}
