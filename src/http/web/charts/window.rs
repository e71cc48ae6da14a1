//! One exposure as a cell of a table: opened, now, due, on an axis that all rows share.

use jiff::Timestamp;

use super::super::parts::Html;
use super::super::words;
use super::drop_path;

const WIDTH: f64 = 124.0;
const PAST_DAYS: f64 = 12.0;
const DAYS: f64 = 25.0;
const DAY: f64 = 86_400_000.0;

fn x(now: Timestamp, at: Timestamp) -> f64 {
    let days = words::between(now, at) as f64 / DAY;
    ((days + PAST_DAYS) / DAYS * WIDTH).clamp(0.0, WIDTH)
}

fn now_x() -> f64 {
    PAST_DAYS / DAYS * WIDTH
}

/// The 124 × 44 cell of an open exposure. The clock beside it says the same in words, so it is hidden from screen readers.
pub fn window_cell(now: Timestamp, opened: Timestamp, due: Option<Timestamp>) -> Html {
    let (from, middle) = (x(now, opened).min(now_x() - 3.0), now_x());
    let mut body = grid();
    match due {
        Some(due) if due < now => {
            let late = x(now, due).clamp(from, middle - 2.0);
            body += &bar("open", from, late);
            body += &bar("past", late, middle);
            body += &format!(r#"<path class="due" d="M{late:.1} 15v14"/>"#);
        }
        Some(due) => {
            let end = x(now, due).clamp(middle + 4.0, WIDTH - 6.0);
            body += &bar("open", from, middle);
            body += &format!(
                r#"<path class="dots" d="M{middle:.1} 22H{:.1}"/>"#,
                end - 4.0
            );
            body += &format!(r#"<path class="drop" d="{}"/>"#, drop_path(end, 15.5, 13.0));
        }
        None => body += &bar("open", from, middle),
    }
    body += &format!(r#"<path class="now" d="M{middle:.1} 0v44"/>"#);
    Html(format!(
        r#"<svg class="chart" viewBox="0 0 124 44" width="124" height="44" aria-hidden="true">{body}</svg>"#
    ))
}

/// The head of the column: −7 d, now, +7 d, at their places.
pub fn window_key() -> Html {
    let at = |days: f64| (PAST_DAYS + days) / DAYS * WIDTH;
    Html(format!(
        r#"<svg class="chart" viewBox="0 0 124 32" width="124" height="32" aria-hidden="true"><text x="{:.1}" y="20" text-anchor="middle">−7 d</text><text class="strong" x="{:.1}" y="20" text-anchor="middle">now</text><text x="{:.1}" y="20" text-anchor="middle">+7 d</text></svg><span class="vh">Window</span>"#,
        at(-8.0),
        at(0.0),
        at(7.5)
    ))
}

fn grid() -> String {
    let at = |days: f64| (PAST_DAYS + days) / DAYS * WIDTH;
    format!(
        r#"<path class="grid" d="M{:.1} 0v44M{:.1} 0v44"/>"#,
        at(-7.0),
        at(7.0)
    )
}

fn bar(class: &str, from: f64, to: f64) -> String {
    let width = (to - from).max(1.0);
    format!(r#"<rect class="{class}" x="{from:.1}" y="18" width="{width:.1}" height="8"/>"#)
}
