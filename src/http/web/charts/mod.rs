//! Charts as SVG text, from plain numbers: no inline style, every colour by class, a title and a
//! description in words, and the same figures available as a table beside. Knows no store and no clock.

mod axis;
mod course;
mod fleet;
mod life;
mod promise;
mod risks;
mod spans;
mod timeline;
mod trend;
mod versions;
mod window;

pub use course::course;
pub use fleet::{FleetGroup, fleet_line};
pub use life::{Life, life, life_key};
pub use promise::{Month, compliance, time_to_patch, word as month_word};
pub use risks::{BANDS, Day, open_by_risk};
pub use spans::{Bar, Ending, Spans, spans, spans_key};
pub use timeline::{Lane, Timeline, Window, timeline, timeline_key};
pub use trend::{reported_bars, sparkline};
pub use versions::{VersionBar, version_bars};
pub use window::{window_cell, window_key};

use super::parts::{Html, escape};
use super::words::Bare;

/// The drop with its tip at (x, y) and the height `h`: the mark of an exposure, and of Dewline.
fn drop_path(x: f64, y: f64, h: f64) -> String {
    let (shoulder, waist, bottom) = (0.22 * h, 0.42 * h, 0.64 * h);
    let radius = 0.37 * h;
    format!(
        "M{x:.1} {y:.1}C{:.1} {:.1} {:.1} {:.1} {:.1} {:.1}A{radius:.1} {radius:.1} 0 0 1 {:.1} {:.1}C{:.1} {:.1} {:.1} {:.1} {x:.1} {y:.1}Z",
        x + 0.1 * h,
        y + shoulder,
        x + radius,
        y + waist,
        x + radius,
        y + bottom,
        x - radius,
        y + bottom,
        x - radius,
        y + waist,
        x - 0.1 * h,
        y + shoulder,
    )
}

/// An `<svg>` with its title and description, which screen readers say instead of the marks.
fn svg(
    id: &str,
    class: &str,
    width: f64,
    height: f64,
    title: &str,
    desc: &str,
    body: &str,
) -> String {
    format!(
        r#"<svg class="chart {class}" viewBox="0 0 {width:.0} {height:.0}" width="{width:.0}" height="{height:.0}" role="img" aria-labelledby="{id}-t {id}-d"><title id="{id}-t">{}</title><desc id="{id}-d">{}</desc>{body}</svg>"#,
        escape(title),
        escape(desc)
    )
}

/// A stretch of a window's lane, around its middle.
fn stretch(class: &str, from: f64, to: f64, middle: f64, height: f64) -> String {
    format!(
        r#"<rect class="{class}" x="{from:.1}" y="{:.1}" width="{:.1}" height="{height:.0}"/>"#,
        middle - height / 2.0,
        (to - from).max(1.0)
    )
}

/// The key below a chart, of its [`sign`]s.
fn legend(signs: &[String]) -> Html {
    Html(format!(r#"<p class="legend">{}</p>"#, signs.concat()))
}

/// A mark of a chart and what it means.
fn sign(width: u32, mark: &str, words: &str) -> String {
    format!(
        r#"<span><svg class="chart" width="{width}" height="14" aria-hidden="true">{mark}</svg>{words}</span>"#
    )
}

/// A [`stretch`] as the mark of a sign.
fn swatch(class: &str) -> String {
    format!(r#"<rect class="{class}" x="1" y="3" width="26" height="8"/>"#)
}

/// A name that fits: its beginning, where it is longer.
fn shorten(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        return name.to_owned();
    }
    let mut short: String = name.chars().take(most - 1).collect();
    short.push('…');
    short
}

/// Two drawings of one chart; the stylesheet shows one of them.
fn both(wide: String, narrow: String) -> Html {
    Html(wide + &narrow)
}

/// A short empty line for empty states: ticks where something is so, dots where nothing matched.
pub fn short_line(matched: impl Bare<bool>) -> Html {
    let marks = if matched.bare() {
        let ticks: String = (0..30)
            .map(|i| format!("M{} 12v-{}", i * 8 + 4, if i % 5 == 2 { 9 } else { 5 }))
            .collect();
        format!(r#"<path class="base" d="M0 12.5h240"/><path class="tick" d="{ticks}"/>"#)
    } else {
        let dots: String = (0..60).map(|i| format!("M{} 12.5h1", i * 4)).collect();
        format!(r#"<path class="base" d="{dots}"/>"#)
    };
    Html(format!(
        r#"<svg class="chart" viewBox="0 0 240 16" aria-hidden="true">{marks}</svg>"#
    ))
}

/// The ruler with the drop: sign-in, the waiting light and error pages.
pub fn ruler(drop: bool) -> Html {
    let ticks: String = (0..200)
        .filter(|i| !drop || !(96..=103).contains(i))
        .map(|i| format!("M{} 20v-{}", i * 8 + 4, if i % 11 < 4 { 10 } else { 5 }))
        .collect();
    let drop = if drop {
        format!(
            r#"<path class="drop" d="{}"/>"#,
            drop_path(800.0, 20.0, 54.0)
        )
    } else {
        String::new()
    };
    Html(format!(
        r#"<svg class="rulemarks" viewBox="0 0 1600 80" preserveAspectRatio="xMidYMin slice" aria-hidden="true"><path class="base" d="M0 20.5h1600"/><path d="{ticks}"/>{drop}</svg>"#
    ))
}

/// The waiting light's drop below its line; the stylesheet lets it pulse, fill and turn green.
pub fn waiting_light() -> Html {
    let ticks: String = (0..42)
        .filter(|i| !(19..=23).contains(i))
        .map(|i| format!("M{} 36v-{}", i * 8 + 4, if i % 7 == 3 { 9 } else { 5 }))
        .collect();
    Html(format!(
        r#"<svg class="chart" viewBox="0 0 342 104" preserveAspectRatio="xMidYMid slice" aria-hidden="true"><path class="base" d="M0 36.500h342"/><path class="tick" d="{ticks}"/><circle class="pulse" cx="171" cy="64" r="22"/><path class="drop" d="{}"/></svg>"#,
        drop_path(171.0, 37.0, 44.0)
    ))
}
