//! The timeline of a site: its windows by module, and its patch runs.

use jiff::{SignedDuration, Timestamp};

use super::charts::{self, Lane};
use crate::domain::history::PatchRun;
use crate::domain::window::Window;

/// Lanes, at most.
const LANES: usize = 8;
/// Its span: at least, and at most.
const SPAN: (SignedDuration, SignedDuration) = (
    SignedDuration::from_hours(60 * 24),
    SignedDuration::from_hours(366 * 24),
);

/// What closed before isn't drawn.
pub(super) fn horizon(now: Timestamp) -> Timestamp {
    now.checked_sub(SPAN.1).unwrap_or(now)
}

/// Lanes by module: what is open first, then what was exposed last.
pub(super) fn timeline(
    now: Timestamp,
    windows: &[Window],
    runs: &[PatchRun],
) -> Option<charts::Timeline> {
    let horizon = horizon(now);
    let shown: Vec<&Window> = windows
        .iter()
        .filter(|w| w.closed_at.is_none_or(|at| at > horizon))
        .collect();
    let oldest = shown.iter().map(|w| w.opened_at).min()?;
    let from = oldest
        .min(now.checked_sub(SPAN.0).unwrap_or(now))
        .max(horizon);
    let mut order: Vec<(bool, Timestamp, i64)> = Vec::new();
    for window in &shown {
        let key = (
            window.closed_at.is_some(),
            window.opened_at,
            window.module_id,
        );
        match order.iter_mut().find(|(.., id)| *id == window.module_id) {
            Some(known) => *known = (known.0 && key.0, known.1.max(key.1), known.2),
            None => order.push(key),
        }
    }
    order.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
    let lanes = order
        .iter()
        .take(LANES)
        .map(|(.., id)| Lane {
            name: title(*id, &shown),
            windows: shown
                .iter()
                .rev()
                .filter(|w| w.module_id == *id)
                .map(|w| drawn(w, from))
                .collect(),
        })
        .collect();
    let patch_runs = runs
        .iter()
        .filter(|run| run.sync_id.is_some())
        .map(|run| run.run_at)
        .filter(|at| *at >= from)
        .collect();
    Some(charts::Timeline {
        now,
        from,
        lanes,
        more: order.len().saturating_sub(LANES) as u64,
        patch_runs,
    })
}

fn drawn(window: &Window, from: Timestamp) -> charts::Window {
    charts::Window {
        opened: window.opened_at.max(from),
        due: window.due_at,
        closed: window.closed_at,
    }
}

fn title(id: i64, windows: &[&Window]) -> String {
    let named = windows.iter().find(|w| w.module_id == id);
    named.map(|w| w.title.clone()).unwrap_or_default()
}
