//! How many sites run each version of a module: one bar a version, in the order of the releases.

use super::super::parts::{Html, escape};
use super::super::words;
use super::{both, svg};

/// One version that sites run.
#[derive(Debug, Clone)]
pub struct VersionBar {
    /// The version.
    pub version: String,
    /// Sites that run it.
    pub sites: u64,
    /// A site that runs it is exposed.
    pub exposed: bool,
}

const ROW: f64 = 24.0;

/// The bars for wide and for narrow screens. `finding` is what they show, in words.
pub fn version_bars(bars: &[VersionBar], finding: &str) -> Html {
    let wide = draw("skew-w", "w fluid", bars, (760.0, 150.0), finding);
    let narrow = draw("skew-n", "n fluid", bars, (358.0, 110.0), finding);
    both(wide, narrow)
}

fn draw(
    id: &str,
    class: &str,
    bars: &[VersionBar],
    (width, left): (f64, f64),
    finding: &str,
) -> String {
    let most = bars.iter().map(|bar| bar.sites).max().unwrap_or(0).max(1) as f64;
    let room = width - left - 110.0;
    let height = bars.len() as f64 * ROW + 4.0;
    let body: String = bars
        .iter()
        .enumerate()
        .map(|(i, bar)| {
            let y = i as f64 * ROW;
            let length = (bar.sites as f64 / most * room).max(2.0);
            let (class, more) = if bar.exposed { ("past", ", exposed") } else { ("barfill", "") };
            format!(
                r#"<text class="word" x="{:.0}" y="{:.0}" text-anchor="end">{}</text><rect class="{class}" x="{left:.0}" y="{:.0}" width="{length:.1}" height="14"/><text x="{:.1}" y="{:.0}">{}{more}</text>"#,
                left - 10.0,
                y + 15.0,
                escape(&bar.version),
                y + 4.0,
                left + length + 8.0,
                y + 15.0,
                words::number(bar.sites),
            )
        })
        .collect();
    let body = format!(r#"<path class="base" d="M{left:.1} 0v{height:.0}"/>{body}"#);
    svg(
        id,
        class,
        width,
        height,
        "Sites by the version that they run",
        finding,
        &body,
    )
}
