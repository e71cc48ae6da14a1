//! Exposure windows of a span of time, a lane each: from opened to closed, with the due time and how it
//! ended. Shape tells what colour tells: an outline, a filled part, a dot, a cross.

use jiff::Timestamp;

use super::super::parts::{Html, escape};
use super::axis::Axis;
use super::{both, legend, shorten, sign, stretch, svg, swatch};

/// How a window ended, or that it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It is open.
    Open,
    /// A sync closed it.
    Closed,
    /// It counts nowhere: taken back, or its site is gone.
    Gone,
}

/// One window.
#[derive(Debug, Clone)]
pub struct Bar {
    /// The module, and the site.
    pub name: String,
    /// Since when.
    pub opened: Timestamp,
    /// By when it had to be closed.
    pub due: Option<Timestamp>,
    /// When it ended; `None` while open.
    pub closed: Option<Timestamp>,
    /// How.
    pub ending: Ending,
    /// How long, and how that is judged: "9 h, in time".
    pub said: String,
}

/// What the chart shows.
#[derive(Debug, Clone)]
pub struct Spans {
    /// What counts as now.
    pub now: Timestamp,
    /// Where the axis begins.
    pub from: Timestamp,
    /// Where it ends.
    pub to: Timestamp,
    /// The windows, in the order of the table beside.
    pub bars: Vec<Bar>,
}

/// Where the lanes begin.
const TOP: f64 = 24.0;

struct Frame {
    axis: Axis,
    width: f64,
    lane: f64,
    /// Names stand in a column of their own, not above the bars.
    beside: bool,
}

/// The chart for wide and narrow screens. `finding` says it in words.
pub fn spans(data: &Spans, finding: &str) -> Html {
    let frame = |width, left, right, lane, beside| Frame {
        axis: Axis {
            from: data.from,
            to: data.to,
            left,
            right,
        },
        width,
        lane,
        beside,
    };
    let wide = frame(1080.0, 300.0, 926.0, 22.0, true);
    let narrow = frame(358.0, 0.0, 350.0, 38.0, false);
    both(
        wide.drawn("spans-w", "w fluid spans", data, finding),
        narrow.drawn("spans-n", "n fluid", data, finding),
    )
}

impl Frame {
    fn drawn(&self, id: &str, class: &str, data: &Spans, finding: &str) -> String {
        let bottom = TOP + data.bars.len() as f64 * self.lane;
        let now = (data.now < data.to).then(|| self.axis.x(data.now));
        let mut body = String::new();
        for (x, words) in self.axis.marks(64.0) {
            body += &format!(r#"<path class="grid" d="M{x:.1} {TOP}V{bottom:.1}"/>"#);
            let free = now.is_none_or(|now| (x - now).abs() > 44.0);
            if free && x > self.axis.left + 16.0 && x < self.axis.right - 16.0 {
                body += &format!(r#"<text x="{x:.1}" y="14" text-anchor="middle">{words}</text>"#);
            }
        }
        for (i, bar) in data.bars.iter().enumerate() {
            body += &self.lane(data.now, bar, TOP + i as f64 * self.lane);
        }
        if let Some(x) = now {
            let line = if self.beside {
                format!("M{x:.1} 20V{bottom:.1}")
            } else {
                // Not through the words above the bars.
                let lanes = (0..data.bars.len()).map(|i| TOP + i as f64 * self.lane + 19.0);
                lanes.map(|top| format!("M{x:.1} {top:.1}v19")).collect()
            };
            body += &format!(
                r#"<path class="now" d="{line}"/><text class="strong" x="{x:.1}" y="14" text-anchor="middle">now</text>"#
            );
        }
        svg(
            id,
            class,
            self.width,
            bottom + 1.0,
            "Exposure windows over time",
            finding,
            &body,
        )
    }

    fn lane(&self, now: Timestamp, bar: &Bar, top: f64) -> String {
        let (words_y, middle, most) = if self.beside {
            (top + 15.0, top + 11.0, 46)
        } else {
            (top + 14.0, top + 27.0, 36)
        };
        let (said_x, anchor) = if self.beside {
            (self.axis.right + 12.0, "start")
        } else {
            (self.width, "end")
        };
        let mut body = format!(
            r#"<path class="grid" d="M0 {:.1}H{:.1}"/><text class="word" x="0" y="{words_y:.1}">{}</text><text x="{said_x:.1}" y="{words_y:.1}" text-anchor="{anchor}">{}</text>"#,
            top + self.lane - 0.5,
            self.width,
            escape(&shorten(&bar.name, most)),
            escape(&bar.said)
        );
        body += &self.bar(now, bar, middle);
        body
    }

    fn bar(&self, now: Timestamp, bar: &Bar, middle: f64) -> String {
        let end = bar.closed.unwrap_or(now);
        let (x0, x1) = (self.axis.x(bar.opened), self.axis.x(end));
        let x1 = x1.max(x0 + 3.0);
        let class = match bar.ending {
            Ending::Open => "open",
            Ending::Closed => "done",
            Ending::Gone => "gone",
        };
        let counts = bar.ending != Ending::Gone;
        let late = bar.due.filter(|due| counts && *due < end);
        let turn = late.map_or(x1, |due| self.axis.x(due).clamp(x0, x1));
        let mut body = stretch(class, x0, turn, middle, 9.0);
        if late.is_some() && turn < x1 {
            body += &stretch("past", turn, x1, middle, 9.0);
        }
        if let Some(due) = bar.due.filter(|due| counts && self.axis.holds(*due)) {
            let x = self.axis.x(due);
            body += &format!(
                r#"<path class="promise" d="M{x:.1} {:.1}v14"/>"#,
                middle - 7.0
            );
        }
        // What goes on beyond the axis has no end on it.
        if !self.axis.holds(end) {
            return body
                + &format!(
                    r#"<path class="on" d="M{:.1} {:.1}l4 4l-4 4"/>"#,
                    x1 + 2.0,
                    middle - 4.0
                );
        }
        match bar.ending {
            Ending::Open => {}
            Ending::Closed => {
                body += &format!(r#"<circle class="closed" cx="{x1:.1}" cy="{middle:.1}" r="3"/>"#);
            }
            Ending::Gone => {
                body += &format!(
                    r#"<path class="cross" d="M{:.1} {:.1}l6 6m0 -6l-6 6"/>"#,
                    x1 - 3.0,
                    middle - 3.0
                );
            }
        }
        body
    }
}

/// The key below the chart.
pub fn spans_key() -> Html {
    legend(&[
        sign(28, &swatch("done"), "closed, until due"),
        sign(28, &swatch("open"), "open"),
        sign(28, &swatch("past"), "past due"),
        sign(
            8,
            r#"<circle class="closed" cx="4" cy="7" r="3"/>"#,
            "closed by a sync",
        ),
        sign(4, r#"<path class="promise" d="M2 0v14"/>"#, "due"),
        sign(28, &swatch("gone"), "counts nowhere"),
        sign(8, r#"<path class="on" d="M2 3l4 4l-4 4"/>"#, "goes on"),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn bar(name: &str, due: &str, closed: Option<&str>, ending: Ending) -> Bar {
        Bar {
            name: name.to_owned(),
            opened: at("2026-07-02T12:00:00Z"),
            due: Some(at(due)),
            closed: closed.map(at),
            ending,
            said: "9 h, in time".to_owned(),
        }
    }

    fn data(to: &str) -> Spans {
        let (early, late) = ("2026-07-05T12:00:00Z", "2026-07-09T12:00:00Z");
        Spans {
            now: at("2026-07-24T09:42:00Z"),
            from: at("2026-07-01T00:00:00Z"),
            to: at(to),
            bars: vec![
                bar("Met <1>", late, Some(early), Ending::Closed),
                bar("Breached", early, Some(late), Ending::Closed),
                bar("Overdue", early, None, Ending::Open),
                bar("Open", "2026-07-25T12:00:00Z", None, Ending::Open),
                bar("Withdrawn", early, Some(late), Ending::Gone),
            ],
        }
    }

    #[test]
    fn each_ending_has_a_shape_of_its_own() {
        let drawn = spans(&data("2026-07-26T00:00:00Z"), "Five windows.");
        insta::assert_snapshot!(drawn.0.replace("><", ">\n<"));
    }

    #[test]
    fn what_goes_on_beyond_the_time_asked_for_has_no_end_on_it() {
        let drawn = spans(&data("2026-07-07T00:00:00Z"), "").0;
        assert_eq!(
            drawn.matches("class=\"on\"").count(),
            8,
            "four in each width"
        );
        assert!(!drawn.contains(">now</text>"));
        assert!(drawn.contains("Met &#60;1&#62;") || drawn.contains("Met &lt;1&gt;"));
    }

    #[test]
    fn nothing_to_draw_is_an_axis() {
        let mut empty = data("2026-07-26T00:00:00Z");
        empty.bars.clear();
        assert!(!spans(&empty, "").0.contains("NaN"));
    }
}
