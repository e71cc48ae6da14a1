//! A world in which everything is known of a few versions, and a book that takes the steps.

use std::collections::HashMap;

use super::*;
use crate::domain::sla::Hours;

pub(super) const PROMISE: Hours = Hours {
    highly_critical: 24,
    critical: 72,
    moderately_critical: 168,
    less_critical: 336,
    not_critical: 720,
};

pub(super) fn hour(hour: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + hour * 3600).unwrap()
}

/// Fix `n` is needed by every version below `n`; `unclear` versions can't be judged.
#[derive(Default)]
pub(super) struct World {
    pub(super) fixes: HashMap<i64, (Option<i64>, i64)>,
    pub(super) unclear: Vec<i64>,
    pub(super) insecure: HashMap<i64, i64>,
    pub(super) hole: Option<Hole>,
}

/// An advisory against every version below `below`.
#[derive(Clone, Copy)]
pub(super) struct Hole {
    pub(super) below: i64,
    pub(super) fix: Option<i64>,
    pub(super) published: i64,
    pub(super) known: i64,
    pub(super) risk: Option<(Risk, i64)>,
    pub(super) stands: bool,
}

pub(super) const HOLE: Hole = Hole {
    below: 5,
    fix: None,
    published: 10,
    known: 11,
    risk: None,
    stands: true,
};

impl World {
    pub(super) fn hole(hole: Hole) -> Self {
        Self {
            hole: Some(hole),
            ..Self::default()
        }
    }

    pub(super) fn holed(&self, version: i64) -> Option<Hole> {
        self.hole.filter(|hole| hole.stands && version < hole.below)
    }

    pub(super) fn fix(mut self, version: i64, date: Option<i64>, known: i64) -> Self {
        self.fixes.insert(version, (date, known));
        self
    }
}

impl Verdicts for World {
    fn causes(&self, version: i64) -> Vec<Cause> {
        if self.unclear.contains(&version) {
            return Vec::new();
        }
        let mut fixes: Vec<Cause> = self
            .fixes
            .keys()
            .filter(|fix| version < **fix)
            .map(|fix| Cause::release(&fix.to_string()))
            .collect();
        if self.holed(version).is_some_and(|hole| hole.fix.is_none()) {
            fixes.push(Cause::advisory("SA-1"));
        }
        if fixes.is_empty() && self.insecure.contains_key(&version) {
            return vec![Cause {
                kind: CauseKind::Project,
                id: "token".to_owned(),
            }];
        }
        fixes
    }

    fn exposed(&self, version: i64) -> Option<bool> {
        if self.unclear.contains(&version) {
            return None;
        }
        Some(!self.causes(version).is_empty())
    }

    fn about(&self, version: i64, cause: &Cause) -> Option<bool> {
        if self.unclear.contains(&version) {
            return None;
        }
        if cause.kind == CauseKind::Advisory {
            return Some(self.holed(version).is_some());
        }
        Some(self.causes(version).contains(cause))
    }

    fn exists(&self, cause: &Cause) -> bool {
        match cause.kind {
            CauseKind::Advisory => self.hole.is_some_and(|hole| hole.stands),
            _ => self.known(cause, 0).is_some(),
        }
    }

    fn attached(&self, version: i64, _: &str) -> Option<Cause> {
        let hole = self.holed(version)?;
        Some(match hole.fix {
            Some(fix) => Cause::release(&fix.to_string()),
            None => Cause::advisory("SA-1"),
        })
    }

    fn known(&self, cause: &Cause, version: i64) -> Option<Known> {
        let (date, known) = match cause.kind {
            CauseKind::Release => *self.fixes.get(&cause.id.parse().ok()?)?,
            CauseKind::Advisory => self.hole.map(|hole| (Some(hole.published), hole.known))?,
            CauseKind::Project => (None, *self.insecure.values().min()?),
        };
        let risk = self
            .holed(version)
            .filter(|_| self.attached(version, "SA-1").as_ref() == Some(cause))
            .and_then(|hole| hole.risk);
        Some(Known {
            cause: cause.clone(),
            date: date.map(hour),
            known_at: hour(known),
            risk: risk.map(|(risk, since)| (risk, hour(since))),
        })
    }
}

pub(super) fn run(version_id: i64, from: i64, to: Option<i64>) -> Run {
    Run {
        version_id,
        started_at: hour(from),
        ended_at: to.map(hour),
        ended_by_sync: to,
    }
}

/// A book that takes the steps, so that a test can go on from there.
#[derive(Default)]
pub(super) struct Book(pub(super) Vec<Row>);

impl Book {
    pub(super) fn reconcile(&mut self, now: i64, runs: &[Run], world: &World) -> usize {
        let steps = reconcile(hour(now), runs, &self.0, world, &PROMISE);
        let count = steps.len();
        for step in steps {
            self.take(step);
        }
        assert_eq!(
            reconcile(hour(now), runs, &self.0, world, &PROMISE),
            [],
            "asked again, nothing is left to do"
        );
        count
    }

    pub(super) fn take(&mut self, step: Step) {
        match step {
            Step::Open(new) => self.0.push(Row {
                id: self.0.len() as i64 + 1,
                cause: new.cause,
                version_id: new.version_id,
                opened_at: new.opened_at,
                known_at: new.known_at,
                risk: new.risk,
                due_at: new.due_at,
                unproven_since: new.unproven_since,
                closed: new.closed.map(|(at, how, _)| (at, how)),
            }),
            Step::Close {
                row, at, outcome, ..
            } => self.row(row).closed = Some((at, outcome)),
            Step::Follow {
                row,
                version_id,
                unproven_since,
            } => {
                self.row(row).version_id = version_id;
                self.row(row).unproven_since = unproven_since;
            }
            Step::Weigh { row, risk, due_by } => {
                let row = self.row(row);
                row.risk = Some(risk);
                row.due_at = row.due_at.min(due_by.or(row.due_at));
            }
            Step::Retarget { row, cause, .. } => self.row(row).cause = cause,
            Step::Merge { into, from } => {
                let gone = self.row(from).clone();
                let kept = self.row(into);
                kept.opened_at = kept.opened_at.min(gone.opened_at);
                kept.known_at = kept.known_at.min(gone.known_at);
                kept.due_at = kept.due_at.min(gone.due_at);
                self.0.retain(|row| row.id != from);
            }
        }
    }

    pub(super) fn row(&mut self, id: i64) -> &mut Row {
        self.0.iter_mut().find(|row| row.id == id).unwrap()
    }
}
