//! The rules: the windows that follow from the runs of one module on one site, and what to write so
//! that its rows say the same.

use jiff::Timestamp;

use super::{Cause, CauseKind, Known, NewRow, Outcome, Promised, Risk, Row, Run, Step, Verdicts};

/// A window as it follows from the runs, before anything is compared with the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Window {
    version_id: i64,
    /// Since when that version ran.
    version_since: Timestamp,
    started_at: Timestamp,
    /// When it ran versions that are known to be affected: from, until.
    affected: Vec<(Timestamp, Option<Timestamp>)>,
    unproven_since: Option<Timestamp>,
    closed: Option<(Timestamp, Option<i64>)>,
}

/// What to write so that the rows of one (site, module) say what follows from its history.
/// `now` is the time of the sync or publication that asks. Idempotent: asked again, nothing is left to do.
pub fn reconcile(
    now: Timestamp,
    runs: &[Run],
    rows: &[Row],
    verdicts: &impl Verdicts,
    promised: &impl Promised,
) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rows = rows.to_vec();
    retarget(&mut rows, verdicts, &mut steps);
    for cause in candidates(runs, &rows, verdicts) {
        if !verdicts.exists(&cause) {
            let taken_back = |row| withdraw(now, row, runs, verdicts);
            steps.extend(open_rows(&rows, &cause).filter_map(taken_back));
            continue;
        }
        let windows = windows(&cause, runs, verdicts);
        for window in &windows {
            if let Some(known) = verdicts.known(&cause, window.version_id) {
                let before = steps.len();
                settle(now, &known, window, &rows, promised, &mut steps);
                // A row tells of one window: the next one has to be told by another.
                close(&mut rows, steps.get(before..).unwrap_or_default());
            }
        }
        let open_window = windows.iter().any(|window| window.closed.is_none());
        let settled = |row: &Row| windows.iter().any(|window| overlaps(row, window));
        for row in open_rows(&rows, &cause) {
            if !open_window && !settled(row) {
                steps.extend(left_behind(now, row, runs, &cause, verdicts));
            }
        }
    }
    steps
}

/// Closes the rows that these steps close.
fn close(rows: &mut [Row], steps: &[Step]) {
    for step in steps {
        if let Step::Close {
            row: id,
            at,
            outcome,
            ..
        } = step
            && let Some(row) = rows.iter_mut().find(|row| row.id == *id)
        {
            row.closed = Some((*at, *outcome));
        }
    }
}

/// The causes that matter: those of any version that ran, and those of the open rows. In a fixed order.
fn candidates(runs: &[Run], rows: &[Row], verdicts: &impl Verdicts) -> Vec<Cause> {
    let mut causes: Vec<Cause> = runs
        .iter()
        .flat_map(|run| verdicts.causes(run.version_id))
        .chain(
            rows.iter()
                .filter(|row| row.closed.is_none())
                .map(|row| row.cause.clone()),
        )
        .collect();
    causes.sort();
    causes.dedup();
    causes
}

fn open_rows<'a>(rows: &'a [Row], cause: &'a Cause) -> impl Iterator<Item = &'a Row> {
    rows.iter()
        .filter(move |row| row.closed.is_none() && row.cause == *cause)
}

/// A row without a fix takes the fix as its cause once its version has one; a row for the project's own
/// insecurity takes the advisory that says why.
fn retarget(rows: &mut Vec<Row>, verdicts: &impl Verdicts, steps: &mut Vec<Step>) {
    let without: Vec<i64> = rows
        .iter()
        .filter(|row| row.closed.is_none_or(|(_, how)| how != Outcome::Withdrawn))
        .filter(|row| row.cause.kind != CauseKind::Release)
        .map(|row| row.id)
        .collect();
    for id in without {
        let Some(at) = rows.iter().position(|row| row.id == id) else {
            continue;
        };
        let Some(better) = rows.get(at).and_then(|row| better(row, verdicts)) else {
            continue;
        };
        let twin = rows.get(at).and_then(|row| twin(rows, row, &better.cause));
        let Some(row) = rows.get_mut(at) else {
            continue;
        };
        match twin {
            // What is closed stays as it was, beside the row that tells of the same time.
            Some(_) if row.closed.is_some() => {}
            None => {
                steps.push(Step::Retarget {
                    row: row.id,
                    cause: better.cause.clone(),
                    published_at: better.date,
                });
                row.cause = better.cause;
            }
            Some(into) => {
                steps.push(Step::Merge { into, from: id });
                rows.remove(at);
            }
        }
    }
}

/// The row that already tells of the same time with another cause.
fn twin(rows: &[Row], row: &Row, cause: &Cause) -> Option<i64> {
    let ends = |row: &Row| row.closed.map(|(at, _)| at);
    let alike = |other: &&Row| {
        let both_open = row.closed.is_none() && other.closed.is_none();
        let overlap = ends(other).is_none_or(|end| end > row.opened_at)
            && ends(row).is_none_or(|end| end > other.opened_at);
        both_open || (row.closed.is_some() && overlap)
    };
    rows.iter()
        .filter(|other| other.cause == *cause)
        .find(alike)
        .map(|other| other.id)
}

/// The cause that a row without a fix should have instead.
fn better(row: &Row, verdicts: &impl Verdicts) -> Option<Known> {
    if row.cause.kind == CauseKind::Advisory {
        let cause = verdicts.attached(row.version_id, &row.cause.id)?;
        return (cause.kind == CauseKind::Release)
            .then(|| verdicts.known(&cause, row.version_id))
            .flatten();
    }
    verdicts
        .causes(row.version_id)
        .into_iter()
        .filter(|cause| cause.kind != CauseKind::Project)
        .filter_map(|cause| verdicts.known(&cause, row.version_id))
        .min_by_key(|known| {
            let no_fix = known.cause.kind != CauseKind::Release;
            (
                no_fix,
                known.date.unwrap_or(known.known_at),
                known.cause.clone(),
            )
        })
}

/// The windows of one cause, in order, as they follow from the runs.
fn windows(cause: &Cause, runs: &[Run], verdicts: &impl Verdicts) -> Vec<Window> {
    let mut windows: Vec<Window> = Vec::new();
    let mut open: Option<Window> = None;
    let mut end: Option<(Timestamp, Option<i64>)> = None;
    for run in runs {
        let gap = end.is_none_or(|(at, _)| at < run.started_at);
        let answer = verdicts.about(run.version_id, cause);
        if let (Some(window), Some(ended)) = (&mut open, end)
            && (gap || answer == Some(false))
        {
            window.closed = Some(ended);
            windows.extend(open.take());
        }
        match (answer, &mut open) {
            (Some(true), Some(window)) => {
                window.version_id = run.version_id;
                window.version_since = run.started_at;
                window.affected.push((run.started_at, run.ended_at));
                window.unproven_since = None;
            }
            (Some(true), None) => {
                open = Some(Window {
                    version_id: run.version_id,
                    version_since: run.started_at,
                    started_at: run.started_at,
                    affected: vec![(run.started_at, run.ended_at)],
                    unproven_since: None,
                    closed: None,
                });
            }
            (None, Some(window)) => {
                window.unproven_since.get_or_insert(run.started_at);
            }
            _ => {}
        }
        end = run.ended_at.map(|at| (at, run.ended_by_sync));
    }
    if let Some(mut window) = open {
        window.closed = end;
        windows.push(window);
    }
    windows
}

/// A row and a window tell of the same time.
fn overlaps(row: &Row, window: &Window) -> bool {
    let row_end = row.closed.map(|(at, _)| at);
    let window_end = window.closed.map(|(at, _)| at);
    row_end.is_none_or(|end| end > window.started_at)
        && window_end.is_none_or(|end| row.opened_at < end)
}

/// Makes the rows say one window.
fn settle(
    now: Timestamp,
    known: &Known,
    window: &Window,
    rows: &[Row],
    promised: &impl Promised,
    steps: &mut Vec<Step>,
) {
    let mine = || {
        rows.iter().filter(|row| {
            row.cause == known.cause
                && row.closed.is_none_or(|(_, how)| how != Outcome::Withdrawn)
                && overlaps(row, window)
        })
    };
    if let Some(row) = mine().find(|row| row.closed.is_none()) {
        // What was known before the site left counts, though nobody looked in between.
        steps.extend(weigh(row, known, window, promised));
        steps.extend(follow(row, window, due_by(row, known, window, promised)));
        return;
    }
    let recorded_until = mine().filter_map(|row| row.closed.map(|(at, _)| at)).max();
    if recorded_until.is_some() && window.closed.is_some() {
        return;
    }
    let mut earliest = match known.date {
        Some(date) if date <= known.known_at => date,
        _ => known.known_at,
    };
    if let Some(until) = recorded_until {
        earliest = earliest.max(until);
    }
    // That the site's next version can't be told apart keeps a window open, but opens none: where it had left what
    // is affected before the window would open, that opens when it comes back to it, or never.
    let runs_then = |(_, until): &&(_, Option<Timestamp>)| until.is_none_or(|at| at > earliest);
    let Some((since, _)) = window.affected.iter().find(runs_then) else {
        return;
    };
    let opened_at = earliest.max(*since);
    let mut known_at = known.known_at.max(*since);
    if recorded_until.is_some() {
        known_at = known_at.max(now).max(opened_at);
    }
    if window.closed.is_some_and(|(at, _)| at <= opened_at) {
        return;
    }
    let risk = known.risk.map(|(risk, _)| risk);
    let due_at = promised.due(opened_at, opened_at, risk);
    steps.push(Step::Open(NewRow {
        cause: known.cause.clone(),
        version_id: window.version_id,
        published_at: known.date,
        risk,
        opened_at,
        known_at,
        due_at,
        warn_at: due_at.map(|due| promised.half(opened_at, due)),
        unproven_since: window.unproven_since.map(|since| since.max(opened_at)),
        closed: window
            .closed
            .map(|(at, sync)| (at, Outcome::of(at, due_at), sync)),
    }));
}

/// The risk of an open row as it is known now, where that differs.
fn weigh(row: &Row, known: &Known, window: &Window, promised: &impl Promised) -> Option<Step> {
    let (risk, since) = known.risk?;
    let in_time = window.closed.is_none_or(|(at, _)| since < at);
    (row.risk != Some(risk) && in_time).then(|| Step::Weigh {
        row: row.id,
        risk,
        due_by: tightened(row, known, window, promised),
    })
}

/// By when an open row is due after weighing.
fn due_by(
    row: &Row,
    known: &Known,
    window: &Window,
    promised: &impl Promised,
) -> Option<Timestamp> {
    match weigh(row, known, window, promised) {
        Some(Step::Weigh {
            due_by: Some(due), ..
        }) => Some(row.due_at.map_or(due, |was| was.min(due))),
        _ => row.due_at,
    }
}

/// The due time that a worse risk asks for. An unknown risk counted as moderately critical.
fn tightened(
    row: &Row,
    known: &Known,
    window: &Window,
    promised: &impl Promised,
) -> Option<Timestamp> {
    let (risk, since) = known.risk?;
    let worse = risk < row.risk.unwrap_or(Risk::ModeratelyCritical);
    if worse && row.due_at.is_some() {
        let from = since.max(window.version_since);
        promised.due(row.opened_at, from, Some(risk))
    } else {
        None
    }
}

/// What an open row needs to say the window it belongs to.
fn follow(row: &Row, window: &Window, due_at: Option<Timestamp>) -> Option<Step> {
    if let Some((at, by_sync)) = window.closed {
        return Some(Step::Close {
            row: row.id,
            at,
            outcome: Outcome::of(at, due_at),
            by_sync,
        });
    }
    let unproven_since = match (row.unproven_since, window.unproven_since) {
        (Some(was), Some(_)) => Some(was),
        (_, now) => now,
    };
    (row.version_id != window.version_id || row.unproven_since != unproven_since).then_some(
        Step::Follow {
            row: row.id,
            version_id: window.version_id,
            unproven_since,
        },
    )
}

/// An open row without a window: nothing that ran is judged exposed by its cause any more.
fn left_behind(
    now: Timestamp,
    row: &Row,
    runs: &[Run],
    cause: &Cause,
    verdicts: &impl Verdicts,
) -> Option<Step> {
    let last = runs.last();
    Some(match last {
        // Nothing runs any more: it closed when the last run did.
        Some(Run {
            ended_at: Some(at),
            ended_by_sync,
            ..
        }) => Step::Close {
            row: row.id,
            at: (*at).max(row.opened_at),
            outcome: Outcome::of((*at).max(row.opened_at), row.due_at),
            by_sync: *ended_by_sync,
        },
        // Nobody could tell of the version that it was open for, and the site has left that for one that is not exposed.
        Some(run)
            if row.unproven_since.is_some()
                && run.version_id != row.version_id
                && verdicts.about(run.version_id, cause) == Some(false) =>
        {
            let before = runs.iter().rev().nth(1);
            let at = run.started_at.max(row.opened_at);
            Step::Close {
                row: row.id,
                at,
                outcome: Outcome::of(at, row.due_at),
                by_sync: before.and_then(|before| before.ended_by_sync),
            }
        }
        // Judged anew: what runs was never exposed by it.
        Some(run) if verdicts.about(run.version_id, cause) == Some(false) => Step::Close {
            row: row.id,
            at: now.max(row.opened_at),
            outcome: Outcome::Withdrawn,
            by_sync: None,
        },
        // Nobody can tell: it stays open.
        _ if row.unproven_since.is_some() => return None,
        _ => Step::Follow {
            row: row.id,
            version_id: row.version_id,
            unproven_since: Some(now),
        },
    })
}

/// The cause is none any more. What is judged is no longer exposed by it: the row is withdrawn, or
/// was closed by the move to another version. While nobody can tell, it stays open: a history that
/// vanished proves nothing.
fn withdraw(now: Timestamp, row: &Row, runs: &[Run], verdicts: &impl Verdicts) -> Option<Step> {
    let mut newest = runs.iter().rev();
    let (run, before) = (newest.next(), newest.next());
    let (at, by_sync, left) = match run {
        Some(run) => match (run.ended_at, verdicts.exposed(run.version_id)) {
            (Some(at), _) => (at, run.ended_by_sync, true),
            (None, Some(_)) if run.version_id != row.version_id => (
                run.started_at,
                before.and_then(|before| before.ended_by_sync),
                row.unproven_since.is_some(),
            ),
            (None, Some(_)) => (now, None, false),
            (None, None) => {
                return row.unproven_since.is_none().then_some(Step::Follow {
                    row: row.id,
                    version_id: row.version_id,
                    unproven_since: Some(now),
                });
            }
        },
        None => (now, None, false),
    };
    let at = at.max(row.opened_at);
    Some(Step::Close {
        row: row.id,
        at: if left { at } else { now.max(row.opened_at) },
        outcome: if left {
            Outcome::of(at, row.due_at)
        } else {
            Outcome::Withdrawn
        },
        by_sync: by_sync.filter(|_| left),
    })
}
