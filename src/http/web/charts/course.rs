//! How many windows of one cause were open, step by step, up to now, and by when the rest is due.

use jiff::Timestamp;

use super::super::parts::Html;
use super::super::words;
use super::{both, drop_path, svg};

/// A window: opened, due, closed.
pub type Span = (Timestamp, Option<Timestamp>, Option<Timestamp>);

const DAY: i64 = 86_400_000;
/// Room for the largest number, for words at the end, above and below the steps.
const LEFT: f64 = 30.0;
const RIGHT: f64 = 8.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 92.0;

/// The steps in two widths. Nothing where there is nothing to draw.
pub fn course(now: Timestamp, spans: &[Span]) -> Html {
    let Some(steps) = Steps::of(now, spans) else {
        return Html::default();
    };
    both(
        steps.drawn("w fluid", 760.0, 8.0),
        steps.drawn("n fluid", 358.0, 4.0),
    )
}

struct Steps {
    now: i64,
    from: i64,
    until: i64,
    /// When the first of what is open is due.
    due: Option<i64>,
    /// From when on so many are open.
    values: Vec<(i64, i64)>,
    most: i64,
    left: i64,
}

impl Steps {
    fn of(now: Timestamp, spans: &[Span]) -> Option<Self> {
        let now = now.as_millisecond();
        let mut changes: Vec<(i64, i64)> = Vec::with_capacity(spans.len() * 2);
        for (opened, _, closed) in spans {
            changes.push((opened.as_millisecond(), 1));
            changes.extend(closed.map(|at| (at.as_millisecond(), -1)));
        }
        changes.sort_unstable_by_key(|(at, change)| (*at, -change));
        let from = changes.first()?.0.min(now);
        let mut open = 0;
        let mut values: Vec<(i64, i64)> = Vec::with_capacity(changes.len());
        for (at, change) in changes {
            open += change;
            match values.last_mut() {
                Some(last) if last.0 == at => last.1 = open,
                _ => values.push((at, open)),
            }
        }
        let open = spans.iter().filter(|(_, _, closed)| closed.is_none());
        let due = open.filter_map(|(_, due, _)| *due).min();
        let due = due.map(|at| at.as_millisecond());
        let past = now - from;
        // What is due far away is not drawn: the steps would be squeezed.
        let ahead = due.filter(|at| *at > now && at - now <= (past * 3).max(21 * DAY));
        let until = ahead
            .unwrap_or(now)
            .max(now + past / 12)
            .max(from + DAY / 4);
        Some(Self {
            now,
            from,
            until,
            due: ahead,
            most: values.iter().map(|(_, n)| *n).max()?.max(1),
            left: values.last()?.1,
            values,
        })
    }

    fn finding(&self) -> String {
        let left = self.left.unsigned_abs();
        format!(
            "At most {} open at once, {} left now.",
            words::number(self.most.unsigned_abs()),
            words::number(left)
        )
    }

    fn drawn(&self, class: &str, width: f64, labels: f64) -> String {
        let inner = width - LEFT - RIGHT;
        let long = (self.until - self.from) as f64;
        let x = |at: i64| LEFT + (at - self.from) as f64 / long * inner;
        let y = |n: i64| BOTTOM - n as f64 / self.most as f64 * (BOTTOM - TOP);
        let mut line = format!("M{:.1} {BOTTOM}", x(self.from));
        for (at, n) in &self.values {
            line += &format!("H{:.1}V{:.1}", x((*at).min(self.now)), y(*n));
        }
        line += &format!("H{:.1}", x(self.now));
        let now = x(self.now);
        let most = words::number(self.most.unsigned_abs());
        let mut body = format!(
            r#"<path class="grid" d="M{LEFT} {TOP}H{:.1}"/><text x="{:.1}" y="{:.1}" text-anchor="end">{most}</text><text x="{:.1}" y="{:.1}" text-anchor="end">0</text><path class="area" d="{line}V{BOTTOM}Z"/><path class="base" d="M{LEFT} {BOTTOM}H{:.1}"/>{}<path class="steps" d="{line}"/><path class="now" d="M{now:.1} {:.1}V{BOTTOM}"/>"#,
            width - RIGHT,
            LEFT - 6.0,
            TOP + 4.0,
            LEFT - 6.0,
            BOTTOM + 4.0,
            width - RIGHT,
            self.days(&x, labels),
            TOP - 6.0
        );
        if self.left > 0 {
            // Beside the line where it is low, under it where it stands at the top; above the steps where
            // there is no room after now.
            let (side, anchor, up) = if now > width - 90.0 {
                (-8.0, "end", -8.0)
            } else {
                (8.0, "start", 4.0)
            };
            let beside = (y(self.left) + up).max(TOP + 20.0);
            body += &format!(
                r#"<circle class="at" cx="{now:.1}" cy="{:.1}" r="3.5"/><text class="strong" x="{:.1}" y="{beside:.1}" text-anchor="{anchor}">{} left now</text>"#,
                y(self.left),
                now + side,
                words::number(self.left.unsigned_abs())
            );
        }
        if let Some(due) = self.due {
            let at = x(due);
            body += &format!(
                r#"<path class="dots" d="M{at:.1} {:.1}V{BOTTOM}"/><path class="drop" d="{}"/>"#,
                TOP + 8.0,
                drop_path(at, TOP - 8.0, 15.0)
            );
        }
        let id = if class.starts_with('w') {
            "course"
        } else {
            "course-n"
        };
        svg(
            id,
            class,
            width,
            112.0,
            "Open windows, step by step",
            &self.finding(),
            &body,
        )
    }

    /// The days below the base, at most so many.
    fn days(&self, x: &impl Fn(i64) -> f64, labels: f64) -> String {
        let span = (self.until - self.from) as f64 / DAY as f64;
        let every = [1, 2, 7, 14, 30, 60, 120, 365]
            .into_iter()
            .find(|days| span / *days as f64 <= labels)
            .unwrap_or(730);
        let mut marks = String::new();
        let mut at = (self.from / DAY + 1) * DAY;
        while at < self.until {
            if let Ok(time) = Timestamp::from_millisecond(at) {
                let now = Timestamp::from_millisecond(self.now).unwrap_or(time);
                marks += &format!(
                    r#"<path class="base" d="M{0:.1} {BOTTOM}v4"/><text x="{0:.1}" y="108" text-anchor="middle">{1}</text>"#,
                    x(at),
                    words::day(now, time)
                );
            }
            at += every * DAY;
        }
        marks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_steps_go_up_and_down_and_end_with_what_is_left() {
        let opened = at("2026-07-22T18:00:00Z");
        let due = Some(at("2026-07-29T18:00:00Z"));
        let closed = Some(at("2026-07-23T06:00:00Z"));
        let spans = [
            (opened, due, closed),
            (opened, due, None),
            (opened, due, None),
        ];
        let drawn = course(at("2026-07-24T09:42:00Z"), &spans).0;
        assert!(
            drawn.contains("At most 3 open at once, 2 left now."),
            "{drawn}"
        );
        assert!(drawn.contains("2 left now</text>") && drawn.contains("class=\"drop\""));
    }

    #[test]
    fn nothing_open_ever_draws_nothing() {
        assert_eq!(course(at("2026-07-24T09:42:00Z"), &[]), Html::default());
    }
}
