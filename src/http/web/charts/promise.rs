//! How promises were kept, month by month: the share closed in time, and how long it took.

use super::super::parts::{Html, escape};
use super::{both, svg};
use crate::domain::figures;

/// One month: its name as `YYYY-MM`, the share closed in time, how long the middle and nine of ten took
/// (milliseconds).
#[derive(Debug, Clone)]
pub struct Month {
    /// Its name.
    pub name: String,
    /// 0 to 1; `None` where nothing was to be judged.
    pub share: Option<f64>,
    /// Half of what was closed took at most so long.
    pub median: Option<i64>,
    /// Nine of ten took at most so long.
    pub p90: Option<i64>,
}

const HEIGHT: f64 = 190.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 156.0;
const LEFT: f64 = 46.0;
const HOUR: f64 = 3_600_000.0;
/// The lines of the logarithmic scale: hours, and how they are called.
const SCALE: [(f64, &str); 8] = [
    (1.0, "1 h"),
    (4.0, "4 h"),
    (12.0, "12 h"),
    (24.0, "1 d"),
    (72.0, "3 d"),
    (168.0, "7 d"),
    (720.0, "30 d"),
    (2_160.0, "90 d"),
];

/// The share closed in time of each month, as drops below or marks at the top line.
pub fn compliance(months: &[Month], finding: &str) -> Html {
    let drawn = |id: &str, class: &str, width: f64| {
        let lowest = months
            .iter()
            .filter_map(|month| month.share)
            .fold(1.0, f64::min);
        // To the ten below the lowest: what lies close together is told apart.
        let floor = ((lowest * 10.0).floor() / 10.0).clamp(0.0, 0.9);
        let y = |share: f64| BOTTOM - (share - floor) / (1.0 - floor) * (BOTTOM - TOP);
        let mut body = String::new();
        for step in 0..=2 {
            let share = floor + (1.0 - floor) * f64::from(step) / 2.0;
            body += &grid(width, y(share), &format!("{:.0} %", share * 100.0));
        }
        for (i, month) in months.iter().enumerate() {
            let x = place(width, months.len(), i);
            body += &named(width, months, i, x);
            let Some(share) = month.share else { continue };
            let at = y(share);
            let mark = if share >= 1.0 { "dot" } else { "hollow" };
            body += &format!(
                r#"<path class="base" d="M{x:.1} {TOP}V{at:.1}"/><circle class="{mark}" cx="{x:.1}" cy="{at:.1}" r="4.5"/>"#
            );
            if shown(width, months.len(), i) {
                body += &worded(
                    x,
                    at,
                    &format!("{:.0}", figures::told(share, 100.0) * 100.0),
                );
            }
        }
        svg(
            id,
            class,
            width,
            HEIGHT,
            "Compliance by month",
            finding,
            &body,
        )
    };
    both(
        drawn("compliance-w", "w fluid", 560.0),
        drawn("compliance-n", "n fluid", 358.0),
    )
}

/// How long patching took each month: a dot for the middle, a bar up to nine of ten.
pub fn time_to_patch(months: &[Month], finding: &str) -> Html {
    let took = months
        .iter()
        .flat_map(|month| [month.median, month.p90])
        .flatten();
    let hours: Vec<f64> = took.map(|took| (took as f64 / HOUR).max(1.0)).collect();
    let least = hours.iter().copied().fold(24.0, f64::min);
    let most = hours.iter().copied().fold(24.0, f64::max);
    let from = SCALE
        .iter()
        .rev()
        .find(|(at, _)| *at <= least)
        .map_or(1.0, |(at, _)| *at);
    let until = SCALE.iter().find(|(at, _)| *at >= most && *at > from);
    let until = until.map_or(most * 1.2, |(at, _)| *at);
    let y = |hours: f64| {
        let share = (hours.max(from) / from).ln() / (until / from).ln();
        BOTTOM - share * (BOTTOM - TOP)
    };
    let drawn = |id: &str, class: &str, width: f64| {
        let lines = SCALE.iter().filter(|(at, _)| (from..=until).contains(at));
        let mut body: String = lines.map(|(at, word)| grid(width, y(*at), word)).collect();
        for (i, month) in months.iter().enumerate() {
            let x = place(width, months.len(), i);
            body += &named(width, months, i, x);
            let (Some(median), Some(p90)) = (month.median, month.p90) else {
                continue;
            };
            let (low, high) = (y(median as f64 / HOUR), y(p90 as f64 / HOUR));
            body += &format!(
                r#"<path class="run" d="M{x:.1} {low:.1}V{high:.1}m-5 0h10"/><circle class="dot" cx="{x:.1}" cy="{low:.1}" r="4.5"/>"#
            );
            if shown(width, months.len(), i) {
                body += &worded(x, low, &in_short(median));
            }
        }
        svg(id, class, width, HEIGHT, "Time to patch", finding, &body)
    };
    both(
        drawn("time-to-patch-w", "w fluid", 560.0),
        drawn("time-to-patch-n", "n fluid", 358.0),
    )
}

/// The word of a mark: under it, or beside it where that is the scale's end.
fn worded(x: f64, mark: f64, word: &str) -> String {
    let (x, y, anchor) = if mark + 20.0 > BOTTOM {
        (x + 8.0, mark + 4.0, "start")
    } else {
        (x, mark + 18.0, "middle")
    };
    format!(r#"<text class="word" x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{word}</text>"#)
}

/// A span in one unit, as there is room for one.
fn in_short(millis: i64) -> String {
    let hours = millis as f64 / HOUR;
    match hours {
        hours if hours < 1.0 => format!("{:.0} min", hours * 60.0),
        hours if hours < 72.0 => format!("{hours:.0} h"),
        hours => format!("{:.0} d", hours / 24.0),
    }
}

fn grid(width: f64, y: f64, word: &str) -> String {
    format!(
        r#"<path class="grid" d="M{LEFT} {y:.1}H{width:.1}"/><text x="{:.1}" y="{:.1}" text-anchor="end">{word}</text>"#,
        LEFT - 8.0,
        y + 4.0
    )
}

fn place(width: f64, months: usize, i: usize) -> f64 {
    let step = (width - LEFT - 8.0) / months.max(1) as f64;
    LEFT + step * (i as f64 + 0.5)
}

/// There is room for the words of this month.
fn shown(width: f64, months: usize, i: usize) -> bool {
    let every = (months as f64 * 36.0 / (width - LEFT)).ceil().max(1.0) as usize;
    (months - 1 - i).is_multiple_of(every)
}

fn named(width: f64, months: &[Month], i: usize, x: f64) -> String {
    if !shown(width, months.len(), i) {
        return String::new();
    }
    let name = months.get(i).map_or("", |month| month.name.as_str());
    format!(
        r#"<text x="{x:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
        BOTTOM + 24.0,
        word(name)
    )
}

/// `2026-07` as `Jul`; January with its year.
pub fn word(month: &str) -> String {
    const NAMES: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (year, number) = month.split_once('-').unwrap_or((month, ""));
    let name = number
        .parse::<usize>()
        .ok()
        .and_then(|n| NAMES.get(n.checked_sub(1)?));
    match name {
        Some(&"Jan") => format!("Jan {}", year.get(2..).unwrap_or(year)),
        Some(name) => (*name).to_owned(),
        None => escape(month),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(name: &str, share: Option<f64>, hours: Option<i64>) -> Month {
        let took = hours.map(|hours| hours * 3_600_000);
        Month {
            name: name.to_owned(),
            share,
            median: took,
            p90: took.map(|took| took * 3),
        }
    }

    #[test]
    fn each_month_that_can_be_judged_has_a_mark_and_the_others_none() {
        let months = [
            month("2026-01", Some(0.5), Some(5)),
            month("2026-02", None, None),
            month("2026-03", Some(1.0), Some(900)),
        ];
        let drawn = compliance(&months, "Half at worst.").0;
        assert_eq!(drawn.matches("<circle").count(), 4, "two in each width");
        assert!(drawn.contains("Jan 26") && drawn.contains("Half at worst."));
        let drawn = time_to_patch(&months, "").0;
        assert_eq!(drawn.matches("<circle").count(), 4);
        assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
    }

    #[test]
    fn nothing_at_all_still_draws_its_scale() {
        for drawn in [compliance(&[], "").0, time_to_patch(&[], "").0] {
            assert!(drawn.contains("<path") && !drawn.contains("NaN"), "{drawn}");
        }
    }
}
