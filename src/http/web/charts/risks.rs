//! Open windows by risk, day by day: bands upon each other, the worst at the bottom.

use super::super::parts::Html;
use super::super::words;
use super::{both, month_word, svg};

/// The bands, worst first, as people call them.
pub const BANDS: [&str; 6] = [
    "Highly critical",
    "Critical",
    "Moderately critical",
    "Less critical",
    "Not critical",
    "Unknown",
];

/// One day, as `YYYY-MM-DD`, and the windows open at its end, worst risk first, unknown last.
pub type Day = (String, [i64; 6]);

const TOP: f64 = 12.0;
const BOTTOM: f64 = 172.0;
const LEFT: f64 = 46.0;

/// The bands for wide and for narrow screens.
pub fn open_by_risk(days: &[Day], finding: &str) -> Html {
    both(
        drawn("risks-w", "w fluid", 1080.0, 12.0, days, finding),
        drawn("risks-n", "n fluid", 358.0, 4.0, days, finding),
    )
}

fn drawn(id: &str, class: &str, width: f64, labels: f64, days: &[Day], finding: &str) -> String {
    let sum = |counts: &[i64]| counts.iter().map(|open| (*open).max(0)).sum::<i64>();
    let most = days
        .iter()
        .map(|(_, counts)| sum(counts))
        .max()
        .unwrap_or(0)
        .max(1) as f64;
    let step = (width - LEFT - 8.0) / (days.len().max(2) - 1) as f64;
    let x = |i: usize| LEFT + step * i as f64;
    let y = |open: i64| BOTTOM - open as f64 / most * (BOTTOM - TOP);
    let mut body = String::new();
    for part in [0.0, 0.5, 1.0] {
        let at = BOTTOM - part * (BOTTOM - TOP);
        let number = words::number((most * part).round() as u64);
        body += &format!(
            r#"<path class="grid" d="M{LEFT} {at:.1}H{width:.1}"/><text x="{:.1}" y="{:.1}" text-anchor="end">{number}</text>"#,
            LEFT - 8.0,
            at + 4.0
        );
    }
    for band in (0..BANDS.len()).rev() {
        let under = |counts: &[i64; 6], upto: usize| sum(counts.get(..upto).unwrap_or_default());
        if days
            .iter()
            .all(|(_, counts)| counts.get(band).copied().unwrap_or(0) == 0)
        {
            continue;
        }
        let above = days
            .iter()
            .enumerate()
            .map(|(i, (_, counts))| (i, under(counts, band + 1)));
        let below = days
            .iter()
            .enumerate()
            .rev()
            .map(|(i, (_, counts))| (i, under(counts, band)));
        let points = above.chain(below).enumerate().map(|(n, (i, open))| {
            let letter = if n == 0 { 'M' } else { 'L' };
            format!("{letter}{:.1} {:.1}", x(i), y(open))
        });
        body += &format!(
            r#"<path class="band r{band}" d="{}Z"/>"#,
            points.collect::<String>()
        );
    }
    let every = (days.len() as f64 / labels).ceil().max(1.0) as usize;
    for (i, (day, _)) in days.iter().enumerate().skip(every / 2).step_by(every) {
        body += &format!(
            r#"<text x="{:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
            x(i),
            BOTTOM + 22.0,
            short(day)
        );
    }
    svg(
        id,
        class,
        width,
        204.0,
        "Open exposures by risk",
        finding,
        &body,
    )
}

/// `2026-07-04` as `4 Jul`.
fn short(day: &str) -> String {
    let (month, number) = day.rsplit_once('-').unwrap_or((day, ""));
    format!("{} {}", number.trim_start_matches('0'), month_word(month))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_stands_for_each_risk_that_was_ever_open() {
        let days = [
            ("2026-01-01".to_owned(), [1, 0, 2, 0, 0, 0]),
            ("2026-01-02".to_owned(), [0, 0, 4, 0, 0, 0]),
        ];
        let drawn = open_by_risk(&days, "Four at most.").0;
        assert_eq!(
            drawn.matches("class=\"band").count(),
            4,
            "two in each width"
        );
        assert!(drawn.contains("Four at most.") && !drawn.contains("NaN"));
        assert!(!open_by_risk(&[], "").0.contains("NaN"));
    }
}
