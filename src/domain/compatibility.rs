//! Which versions of core a release works with, told for the core that a site runs.
//! It never changes a verdict; it is worked out when it is read, for each (version, core version).

use std::collections::{HashMap, HashSet};

use crate::domain::composer::Composer;
use crate::domain::constraint::Constraint;
use crate::domain::prepared::Prepared;
use crate::domain::status::Assessment;

/// The versions of core that a site could run: its own and the supported ones above it.
#[derive(Clone, Debug)]
pub struct CoreVersions {
    installed: Composer,
    /// Ascending, stable only.
    candidates: Vec<(String, Composer)>,
}

/// Whether a release works with the installed core, and with which it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compatibility {
    /// The release.
    pub version: String,
    /// It works with the installed core.
    pub compatible: bool,
    /// The versions of core that it works with, from the installed one on: `10.6.0 to 11.4.5`; may be empty.
    pub works_with: String,
}

impl CoreVersions {
    /// What core's own history offers to a site with this version of core; `None` where nothing can be said.
    #[must_use]
    pub fn new(core: &Prepared, installed: &str) -> Option<Self> {
        if !core.branches.listed {
            return None;
        }
        let (_, own) = core.find(installed)?;
        let own = Composer::normalize(&own.version)?;
        let lowest = Constraint::parse(&format!(">= {installed}"))?;
        let mut candidates: Vec<(String, Composer)> = core
            .releases()
            .iter()
            .filter(|release| core.branches.support(&release.version))
            .filter_map(|release| {
                Some((
                    release.version.clone(),
                    Composer::normalize(&release.version)?,
                ))
            })
            .filter(|(_, version)| version.is_stable() && lowest.allows(version))
            .collect();
        candidates.sort_by(|(_, left), (_, right)| left.rank(right));
        if candidates.is_empty() {
            None
        } else {
            Some(Self {
                installed: own,
                candidates,
            })
        }
    }

    /// The compatibility of a release with a given constraint.
    #[must_use]
    pub fn judge(&self, version: &str, constraint: &str) -> Compatibility {
        let Some(constraint) = Constraint::parse(constraint) else {
            return Compatibility {
                version: version.to_owned(),
                compatible: false,
                works_with: String::new(),
            };
        };
        Compatibility {
            version: version.to_owned(),
            compatible: constraint.allows(&self.installed),
            works_with: self.runs(&constraint).join(", "),
        }
    }

    /// The longest runs of neighbouring candidates that satisfy the constraint.
    fn runs(&self, constraint: &Constraint) -> Vec<String> {
        self.candidates
            .chunk_by(|(_, left), (_, right)| constraint.allows(left) == constraint.allows(right))
            .filter_map(|run| match run {
                [(first, version), .., (last, _)] if constraint.allows(version) => {
                    Some(format!("{first} to {last}"))
                }
                [(only, version)] if constraint.allows(version) => Some(only.clone()),
                _ => None,
            })
            .collect()
    }
}

/// How many releases of one assessment are told about; core itself, years behind, names a hundred.
const MOST: usize = 1000;

/// The compatibility of every one of these releases that says with which core it works.
#[must_use]
pub fn compatibilities<'a>(
    named: impl Iterator<Item = &'a str>,
    project: &Prepared,
    core: &CoreVersions,
) -> Vec<Compatibility> {
    let constraints: HashMap<&str, &str> = project
        .releases()
        .iter()
        .filter_map(|release| {
            Some((
                release.version.as_str(),
                release.core_compatibility.as_deref()?,
            ))
        })
        .collect();
    let mut seen = HashSet::new();
    named
        .filter(|version| seen.insert(*version))
        .take(MOST)
        .filter_map(|version| Some(core.judge(version, constraints.get(version)?)))
        .collect()
}

/// The releases that an assessment names.
pub fn named(assessment: &Assessment) -> impl Iterator<Item = &str> {
    let also = assessment.also.iter().map(|(_, version)| version);
    let first = assessment.recommended.iter().chain(&assessment.latest);
    let all = first.chain(also).chain(&assessment.security_updates);
    all.map(String::as_str)
}
