//! The life of one window: when it opened, how far its clock has come, what people did, and how it ended.

use jiff::Timestamp;

use super::super::parts::{Html, escape};
use super::axis::Axis;
use super::{both, drop_path, legend, sign, stretch, svg, swatch};

/// What the chart shows.
#[derive(Debug, Clone)]
pub struct Life {
    /// What counts as now.
    pub now: Timestamp,
    /// Since when it is open.
    pub opened: Timestamp,
    /// When half and three quarters of its time have passed.
    pub marks: Vec<(Timestamp, &'static str)>,
    /// By when it must be closed.
    pub due: Option<Timestamp>,
    /// When it ended; `None` while open.
    pub closed: Option<Timestamp>,
    /// It was taken back, or its site is gone: its due time is in no figure.
    pub gone: bool,
    /// When people did something with it.
    pub acts: Vec<Timestamp>,
}

const BAR: f64 = 56.0;
const BOTTOM: f64 = 112.0;

/// The chart for wide and narrow screens. `finding` says it in words.
pub fn life(data: &Life, finding: &str) -> Html {
    both(
        drawn("life-w", "w fluid near", 720.0, data, finding),
        drawn("life-n", "n fluid", 358.0, data, finding),
    )
}

fn drawn(id: &str, class: &str, width: f64, data: &Life, finding: &str) -> String {
    let end = data.closed.unwrap_or(data.now).max(data.opened);
    let last = data.due.map_or(end, |due| due.max(end)).as_millisecond();
    let long = (last - data.opened.as_millisecond()).max(60_000);
    let beyond = |at: i64| Timestamp::from_millisecond(at).unwrap_or(end);
    let axis = Axis {
        from: beyond(data.opened.as_millisecond() - long / 40),
        to: beyond(last + long / 20),
        left: 4.0,
        right: width - 8.0,
    };
    let mut body = String::new();
    for (x, words) in axis.marks(72.0) {
        body += &format!(r#"<path class="grid" d="M{x:.1} 24V92"/>"#);
        if x > 24.0 && x < width - 24.0 {
            body += &format!(r#"<text x="{x:.1}" y="108" text-anchor="middle">{words}</text>"#);
        }
    }
    body += &bar(&axis, data, end);
    body += &clock(&axis, data, width);
    for at in data.acts.iter().filter(|at| axis.holds(**at)) {
        body += &format!(
            r#"<path class="run" d="M{:.1} {:.1}v12"/>"#,
            axis.x(*at),
            BAR - 22.0
        );
    }
    svg(
        id,
        class,
        width,
        BOTTOM,
        "The window and its clock",
        finding,
        &body,
    )
}

fn bar(axis: &Axis, data: &Life, end: Timestamp) -> String {
    let (x0, x1) = (
        axis.x(data.opened),
        axis.x(end).max(axis.x(data.opened) + 3.0),
    );
    let class = match (data.closed, data.gone) {
        (None, _) => "open",
        (Some(_), false) => "done",
        (Some(_), true) => "gone",
    };
    let late = data.due.filter(|due| *due < end && !data.gone);
    let turn = late.map_or(x1, |due| axis.x(due).clamp(x0, x1));
    let mut body = stretch(class, x0, turn, BAR, 14.0);
    if turn < x1 {
        body += &stretch("past", turn, x1, BAR, 14.0);
    }
    if data.closed.is_none() {
        if let Some(due) = data.due.filter(|due| *due > data.now) {
            body += &format!(
                r#"<path class="dots" d="M{x1:.1} {BAR}H{:.1}"/>"#,
                axis.x(due) - 4.0
            );
        }
    } else {
        body += &format!(r#"<circle class="closed" cx="{x1:.1}" cy="{BAR}" r="4"/>"#);
    }
    body
}

/// Uprights for half, three quarters and due, with their words below; and where the clock stands.
fn clock(axis: &Axis, data: &Life, width: f64) -> String {
    let mut body = String::new();
    let mut taken: Vec<(f64, f64)> = Vec::new();
    let mut word = |x: f64, y: f64, class: &str, words: &str| {
        let half = words.chars().count() as f64 * 3.4 + 6.0;
        let middle = x.clamp(half, width - half);
        let row = y * 10_000.0;
        if taken
            .iter()
            .any(|(at, room)| (at - row - middle).abs() < room + half)
        {
            return String::new();
        }
        taken.push((row + middle, half));
        format!(
            r#"<text class="{class}" x="{middle:.1}" y="{y}" text-anchor="middle">{}</text>"#,
            escape(words)
        )
    };
    if let Some(due) = data.due {
        let x = axis.x(due);
        let open = data.closed.is_none() && due > data.now;
        body += &if open {
            format!(
                r#"<path class="drop" d="{}"/>"#,
                drop_path(x, BAR - 9.0, 17.0)
            )
        } else {
            format!(
                r#"<path class="promise" d="M{x:.1} {:.1}v24"/>"#,
                BAR - 12.0
            )
        };
        body += &word(x, 84.0, "word", "due");
    }
    for (at, words) in &data.marks {
        let x = axis.x(*at);
        body += &format!(r#"<path class="promise" d="M{x:.1} {:.1}v18"/>"#, BAR - 9.0);
        body += &word(x, 84.0, "", words);
    }
    match data.closed {
        Some(closed) => body += &word(axis.x(closed), 18.0, "strong", "closed"),
        None => {
            let x = axis.x(data.now);
            body += &format!(r#"<path class="now" d="M{x:.1} 24V72"/>"#);
            body += &word(x, 18.0, "strong", "now");
        }
    }
    body + &word(axis.x(data.opened), 18.0, "", "opened")
}

/// The key below the chart.
pub fn life_key() -> Html {
    let drop = format!(r#"<path class="drop" d="{}"/>"#, drop_path(6.0, 0.5, 13.0));
    legend(&[
        sign(28, &swatch("open"), "open"),
        sign(28, &swatch("past"), "past due"),
        sign(12, &drop, "due"),
        sign(
            4,
            r#"<path class="run" d="M2 0v14"/>"#,
            "somebody did something",
        ),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn open() -> Life {
        Life {
            now: at("2026-07-24T09:42:00Z"),
            opened: at("2026-07-22T18:00:00Z"),
            marks: vec![
                (at("2026-07-26T06:00:00Z"), "half"),
                (at("2026-07-28T00:00:00Z"), "three quarters"),
            ],
            due: Some(at("2026-07-29T18:00:00Z")),
            closed: None,
            gone: false,
            acts: vec![at("2026-07-23T08:00:00Z")],
        }
    }

    #[test]
    fn an_open_window_shows_its_quarters_its_due_time_and_now() {
        let drawn = life(&open(), "Due Wed 29 Jul.");
        insta::assert_snapshot!(drawn.0.replace("><", ">\n<"));
    }

    #[test]
    fn a_closed_one_ends_with_a_dot_and_shows_what_was_late() {
        let mut late = open();
        late.closed = Some(at("2026-08-02T18:00:00Z"));
        let drawn = life(&late, "").0;
        assert!(drawn.contains("class=\"past\"") && drawn.contains(">closed</text>"));
        assert!(!drawn.contains("class=\"drop\"") && !drawn.contains(">now</text>"));
        late.gone = true;
        assert!(!life(&late, "").0.contains("class=\"past\""));
    }

    #[test]
    fn a_window_of_no_length_without_a_promise_is_drawn() {
        let mut short = open();
        (short.now, short.due, short.marks) = (short.opened, None, Vec::new());
        let drawn = life(&short, "").0;
        assert!(!drawn.contains("NaN") && drawn.contains("class=\"open\""));
    }
}
