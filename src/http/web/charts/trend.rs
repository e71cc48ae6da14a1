//! Small charts for the side: what is open over 30 days, and who reported in which hour.

use super::super::parts::Html;
use super::svg;

/// 244 × 36: one value a day, oldest first; `wednesdays` are the indexes that get a tick, as that is when advisories come.
pub fn sparkline(values: &[u64], wednesdays: &[usize], finding: &str) -> Html {
    let most = values.iter().copied().max().unwrap_or(0).max(1) as f64;
    let step = 236.0 / values.len().saturating_sub(1).max(1) as f64;
    let point = |i: usize, value: u64| (4.0 + i as f64 * step, 32.0 - value as f64 / most * 28.0);
    let path: String = values
        .iter()
        .enumerate()
        .map(|(i, value)| {
            let (x, y) = point(i, *value);
            format!("{}{x:.1} {y:.1}", if i == 0 { "M" } else { "L" })
        })
        .collect();
    let ticks: String = wednesdays
        .iter()
        .map(|i| format!("M{:.1} 34v4", point(*i, 0).0))
        .collect();
    let dot = values.last().map(|value| {
        let (x, y) = point(values.len() - 1, *value);
        format!(r#"<circle class="dot" cx="{x:.1}" cy="{y:.1}" r="3"/>"#)
    });
    let body = format!(
        r#"<path class="base" d="M0 34.500h244{ticks}"/><path class="line" d="{path}"/>{}"#,
        dot.unwrap_or_default()
    );
    Html(svg(
        "spark",
        "fluid",
        244.0,
        40.0,
        "Open exposures, day by day",
        finding,
        &body,
    ))
}

/// 244 × 40: how many sites last reported in each hour, oldest first; the last hour is still running.
pub fn reported_bars(hours: &[u64], finding: &str) -> Html {
    let most = hours.iter().copied().max().unwrap_or(0).max(1) as f64;
    let step = 244.0 / hours.len().max(1) as f64;
    let bars: String = hours
        .iter()
        .enumerate()
        .map(|(i, n)| {
            let height = if *n == 0 {
                0.0
            } else {
                (*n as f64 / most * 34.0).max(2.0)
            };
            let class = if i + 1 == hours.len() {
                "barnow"
            } else {
                "barfill"
            };
            format!(
                r#"<rect class="{class}" x="{:.1}" y="{:.1}" width="{:.1}" height="{height:.1}"/>"#,
                i as f64 * step + 0.5,
                38.0 - height,
                (step - 2.0).max(1.0)
            )
        })
        .collect();
    let body = format!(r#"{bars}<path class="base" d="M0 38.500h244"/>"#);
    Html(svg(
        "reported",
        "fluid",
        244.0,
        40.0,
        "Sites by the hour of their last contact",
        finding,
        &body,
    ))
}
