//! How far an advisory reaches: which of the versions in use it names, how many sites are through with
//! it, and what nobody can tell. Knows neither who asks nor where it is counted.

use jiff::Timestamp;

use crate::domain::judgement::Judgement;

/// What an advisory says of a version that sites run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    /// It names the version.
    Yes,
    /// One of its readings names the version, the other doesn't: it counts as named.
    Disputed,
    /// It can't be compared with the version.
    Unclear,
    /// It doesn't name the version.
    No,
}

impl Named {
    /// What the judgement of a version says of an advisory.
    pub fn by(judgement: &Judgement, advisory: &str) -> Self {
        let found = judgement
            .advisories
            .iter()
            .find(|found| found.id == advisory);
        match found {
            Some(found) if found.disputed => Self::Disputed,
            Some(_) => Self::Yes,
            None if judgement.unclear.iter().any(|id| id == advisory) => Self::Unclear,
            None => Self::No,
        }
    }
}

/// A version of the advisory's project that sites in sight run, enabled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InUse {
    /// Its number here.
    pub id: i64,
    /// The version; `None`: the sites could not say.
    pub version: Option<String>,
    /// What the advisory says of it.
    pub named: Named,
    /// How many sites run it.
    pub sites: i64,
}

/// How many sites are through with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Sites with an open window that it explains.
    pub open: i64,
    /// Of those: past due.
    pub overdue: i64,
    /// Of those: nobody can tell whether it still holds.
    pub unproven: i64,
    /// Sites that had one, and closed all.
    pub done: i64,
    /// There are more than were counted.
    pub at_least: bool,
}

impl Tally {
    /// Sites that it hit.
    pub fn hit(&self) -> i64 {
        self.open + self.done
    }
}

/// A window, in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// When it opened.
    pub opened: Timestamp,
    /// By when it must be closed.
    pub due: Option<Timestamp>,
    /// When it closed.
    pub closed: Option<Timestamp>,
}

/// A site whose version the advisory can't be compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blind {
    /// The site.
    pub site_id: i64,
    /// Its name.
    pub site: String,
    /// The name of its organization.
    pub organization: String,
    /// Its environment.
    pub environment: String,
    /// What is installed.
    pub installed: Option<String>,
}

/// What is held of the advisory's project, as far as it limits what can be said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ground {
    /// drupal.org's release history of it is at hand.
    pub answered: bool,
    /// That history is too old to call anything fine.
    pub stale: bool,
    /// Its versions were judged anew and not all sites have been told yet.
    pub telling: bool,
}

/// How far an advisory reaches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// How many sites are through with it.
    pub tally: Tally,
    /// The versions in use: what it names comes first.
    pub versions: Vec<InUse>,
    /// Sites on versions that it can't be compared with: some of them.
    pub blind: Vec<Blind>,
    /// Of the sites that run its project: silent ones. What they run now isn't known.
    pub silent: i64,
    /// `None`: its project isn't known here.
    pub ground: Option<Ground>,
}

impl Reach {
    /// Sites in sight that run its project, enabled.
    pub fn running(&self) -> i64 {
        self.versions.iter().map(|version| version.sites).sum()
    }

    /// Sites on versions of which it says this.
    pub fn on(&self, named: Named) -> i64 {
        self.versions
            .iter()
            .filter(|version| version.named == named)
            .map(|version| version.sites)
            .sum()
    }

    /// That no site runs an affected version now is proven: every version in use was compared, and nothing
    /// is old, silent or still to be told.
    pub fn none_is_proven(&self) -> bool {
        let sound = |ground: &Ground| ground.answered && !ground.stale && !ground.telling;
        let nobody = self.running() == 0 && self.ground.is_none_or(|ground| !ground.telling);
        self.tally.open == 0
            && self.silent == 0
            && self
                .versions
                .iter()
                .all(|version| version.named == Named::No)
            && (nobody || self.ground.as_ref().is_some_and(sound))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_use(named: Named, sites: i64) -> InUse {
        InUse {
            id: 1,
            version: Some("1.0.0".to_owned()),
            named,
            sites,
        }
    }

    fn clear() -> Reach {
        Reach {
            versions: vec![in_use(Named::No, 4)],
            ground: Some(Ground {
                answered: true,
                ..Ground::default()
            }),
            ..Reach::default()
        }
    }

    #[test]
    fn that_nobody_is_affected_needs_proof() {
        assert!(clear().none_is_proven());
        let unclear = Reach {
            versions: vec![in_use(Named::No, 4), in_use(Named::Unclear, 1)],
            ..clear()
        };
        let silent = Reach {
            silent: 1,
            ..clear()
        };
        let stale = Reach {
            ground: Some(Ground {
                answered: true,
                stale: true,
                telling: false,
            }),
            ..clear()
        };
        let unanswered = Reach {
            ground: Some(Ground::default()),
            ..clear()
        };
        for doubtful in [unclear, silent, stale, unanswered] {
            assert!(!doubtful.none_is_proven(), "{doubtful:?}");
        }
    }

    #[test]
    fn a_project_that_nobody_runs_affects_nobody() {
        assert!(Reach::default().none_is_proven());
    }
}
