//! A site's exposures over time: a lane a module, windows from opened to closed, patch runs, and now.

use jiff::{Timestamp, civil, tz::TimeZone};

use super::super::parts::{Html, escape};
use super::super::words;
use super::{both, drop_path, shorten, stretch, svg};

/// One window in which a module was exposed.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Since when.
    pub opened: Timestamp,
    /// Until when it had to be fixed.
    pub due: Option<Timestamp>,
    /// When it was closed; `None` while open.
    pub closed: Option<Timestamp>,
}

/// One module's windows.
#[derive(Debug, Clone)]
pub struct Lane {
    /// The module's title.
    pub name: String,
    /// Its windows, oldest first.
    pub windows: Vec<Window>,
}

/// What the chart shows.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// What counts as now.
    pub now: Timestamp,
    /// Where the axis begins.
    pub from: Timestamp,
    /// Lanes, the most urgent first.
    pub lanes: Vec<Lane>,
    /// Modules with windows that have no lane.
    pub more: u64,
    /// When patch runs were.
    pub patch_runs: Vec<Timestamp>,
}

impl Timeline {
    /// What it shows, in words.
    pub fn finding(&self) -> String {
        let found = finding(&self.lanes, self.now);
        match self.more {
            0 => found,
            more => format!(
                "{found}; {} not drawn",
                words::count(more, "more module is", "more modules are")
            ),
        }
    }

    /// For wide and narrow screens.
    pub fn drawn(&self) -> Html {
        timeline(self, &self.finding())
    }
}

struct Frame {
    width: f64,
    left: f64,
    lane: f64,
    from: f64,
    to: f64,
}

impl Frame {
    fn x(&self, at: Timestamp) -> f64 {
        let share = (at.as_millisecond() as f64 - self.from) / (self.to - self.from).max(1.0);
        self.left + share.clamp(0.0, 1.0) * (self.width - self.left - 8.0)
    }
}

/// The chart for wide and narrow screens. `finding` says it in words.
pub fn timeline(data: &Timeline, finding: &str) -> Html {
    let wide = draw("line-w", "w fluid", data, finding, 1128.0, 168.0, 22.0);
    let narrow = draw("line-n", "n fluid", data, finding, 358.0, 0.0, 34.0);
    both(wide, narrow)
}

fn draw(
    id: &str,
    class: &str,
    data: &Timeline,
    finding: &str,
    width: f64,
    left: f64,
    lane: f64,
) -> String {
    let (from, now) = (
        data.from.as_millisecond() as f64,
        data.now.as_millisecond() as f64,
    );
    // Room beyond now for what is still to come due, at least a twentieth.
    let due = data
        .lanes
        .iter()
        .flat_map(|l| &l.windows)
        .filter(|w| w.closed.is_none())
        .filter_map(|w| w.due)
        .max();
    let beyond = due
        .map_or(now, |due| due.as_millisecond() as f64)
        .min(now + (now - from) * 0.25);
    let frame = Frame {
        width,
        left,
        lane,
        from,
        to: beyond.max(now) + (now - from) * 0.04,
    };
    let lanes = data.lanes.len() as f64;
    let bottom = 24.0 + (lanes + 1.0) * lane;
    let mut body = months(&frame, data, bottom);
    for (i, lane) in data.lanes.iter().enumerate() {
        body += &draw_lane(&frame, data.now, lane, 24.0 + i as f64 * frame.lane);
    }
    body += &runs(&frame, data, 24.0 + lanes * lane);
    let x = frame.x(data.now);
    body += &format!(
        r#"<path class="now" d="M{x:.1} 20V{bottom:.1}"/><text class="strong" x="{x:.1}" y="14" text-anchor="middle">now</text>"#
    );
    svg(
        id,
        class,
        width,
        bottom,
        "Exposures over time",
        finding,
        &body,
    )
}

/// Month names along the top and an upright at each month's first day; none too near to "now".
fn months(frame: &Frame, data: &Timeline, bottom: f64) -> String {
    let now_x = frame.x(data.now);
    let mut drawn = String::new();
    let mut last = f64::MIN;
    for first in first_days(data.from, frame.to as i64) {
        let x = frame.x(first);
        drawn += &format!(r#"<path class="grid" d="M{x:.1} 24V{bottom:.1}"/>"#);
        if x - last > 44.0 && (x + 14.0 - now_x).abs() > 40.0 && x < frame.width - 30.0 {
            let pattern = if first.to_zoned(TimeZone::UTC).month() == 1 || last == f64::MIN {
                "%b %Y"
            } else {
                "%b"
            };
            let name = first.to_zoned(TimeZone::UTC).strftime(pattern).to_string();
            drawn += &format!(r#"<text x="{:.1}" y="14">{name}</text>"#, x + 4.0);
            last = x;
        }
    }
    drawn
}

fn first_days(from: Timestamp, to: i64) -> Vec<Timestamp> {
    let start = from.to_zoned(TimeZone::UTC).date();
    let mut days = Vec::new();
    let (mut year, mut month) = (start.year(), start.month());
    for _ in 0..60 {
        month += 1;
        if month > 12 {
            (year, month) = (year.saturating_add(1), 1);
        }
        let Some(first) = civil::Date::new(year, month, 1)
            .ok()
            .and_then(|d| d.to_zoned(TimeZone::UTC).ok())
        else {
            break;
        };
        if first.timestamp().as_millisecond() > to {
            break;
        }
        days.push(first.timestamp());
    }
    days
}

fn draw_lane(frame: &Frame, now: Timestamp, lane: &Lane, top: f64) -> String {
    let name = shorten(&lane.name, if frame.left > 0.0 { 26 } else { 44 });
    let (label_y, middle) = if frame.left > 0.0 {
        (top + 15.0, top + 11.0)
    } else {
        (top + 14.0, top + 25.0)
    };
    let mut body = format!(
        r#"<path class="grid" d="M0 {:.1}H{:.1}"/><text class="word" x="0" y="{label_y:.1}">{}</text>"#,
        top + frame.lane - 0.5,
        frame.width,
        escape(&name)
    );
    // Several windows of a module can be open at once: what is past due lies on top.
    let all = lane.windows.iter();
    body.extend(all.clone().map(|w| in_time(frame, now, w, middle)));
    body.extend(all.map(|w| late_and_end(frame, now, w, middle)));
    body
}

/// Where a window begins, where it turns late if it does, and where it ends.
fn places(frame: &Frame, now: Timestamp, window: &Window) -> (f64, Option<f64>, f64) {
    let end = window.closed.unwrap_or(now);
    let (x0, x1) = (frame.x(window.opened), frame.x(end));
    let x0 = x0.min(x1 - 3.0);
    let late = window
        .due
        .filter(|due| *due < end)
        .map(|due| frame.x(due).clamp(x0, x1));
    (x0, late, x1)
}

fn in_time(frame: &Frame, now: Timestamp, window: &Window, middle: f64) -> String {
    let (x0, late, x1) = places(frame, now, window);
    stretch("open", x0, late.unwrap_or(x1), middle, 9.0)
}

fn late_and_end(frame: &Frame, now: Timestamp, window: &Window, middle: f64) -> String {
    let (_, late, x1) = places(frame, now, window);
    let mut body = late.map_or_else(String::new, |late| stretch("past", late, x1, middle, 9.0));
    match (window.closed, window.due) {
        (Some(_), _) => {
            body += &format!(r#"<circle class="closed" cx="{x1:.1}" cy="{middle:.1}" r="3"/>"#)
        }
        (None, Some(due)) if due >= now => {
            let due = frame.x(due).max(x1 + 6.0);
            body += &format!(
                r#"<path class="dots" d="M{x1:.1} {middle:.1}H{:.1}"/>"#,
                due - 4.0
            );
            body += &format!(
                r#"<path class="drop" d="{}"/>"#,
                drop_path(due, middle - 7.0, 13.0)
            );
        }
        _ => {}
    }
    body
}

fn runs(frame: &Frame, data: &Timeline, top: f64) -> String {
    let y = if frame.left > 0.0 {
        top + 15.0
    } else {
        top + 14.0
    };
    let mut body = format!(r#"<text x="0" y="{y:.1}">Patch runs</text>"#);
    let marks: String = data
        .patch_runs
        .iter()
        .map(|at| format!("M{:.1} {:.1}v14", frame.x(*at), top + frame.lane - 18.0))
        .collect();
    if !marks.is_empty() {
        body += &format!(r#"<path class="run" d="{marks}"/>"#);
    }
    body
}

/// The key below the chart.
pub fn timeline_key() -> Html {
    let drop = drop_path(6.0, 1.0, 13.0);
    Html(format!(
        r#"<p class="legend" aria-hidden="true"><span><svg class="chart" width="28" height="10"><rect class="open" x="1" y="1" width="26" height="8"/></svg>open</span><span><svg class="chart" width="28" height="10"><rect class="past" x="1" y="1" width="26" height="8"/></svg>past due</span><span><svg class="chart" width="8" height="8"><circle class="closed" cx="4" cy="4" r="3"/></svg>closed by a sync</span><span><svg class="chart" width="12" height="16"><path class="drop" d="{drop}"/></svg>due</span><span><svg class="chart" width="4" height="14"><path class="run" d="M2 0v14"/></svg>patch run</span></p>"#
    ))
}

/// The words that the chart is described with where nothing better is at hand.
fn finding(lanes: &[Lane], now: Timestamp) -> String {
    let windows = || lanes.iter().flat_map(|l| &l.windows);
    let open = windows().filter(|w| w.closed.is_none()).count();
    let late = windows()
        .filter(|w| w.due.is_some_and(|due| due < w.closed.unwrap_or(now)))
        .count();
    format!(
        "{}, {} closed, {} open, {} late",
        words::count(windows().count() as u64, "window", "windows"),
        windows().count() - open,
        open,
        late
    )
}
