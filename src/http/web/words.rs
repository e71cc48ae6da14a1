//! How times, durations and counts are said on pages. Knows no page and no clock: the instant that
//! counts as now is always handed in. All times are UTC, but for the exact ones: those are in the
//! time zone of whoever reads the page.

use std::future::Future;

use jiff::{Timestamp, tz::TimeZone};

use crate::domain::figures;
use crate::domain::history::PatchChange;

/// A small value as templates hand it over: bare, or behind one or two references.
pub trait Bare<T> {
    /// The value itself.
    fn bare(self) -> T;
}
impl<T: Copy> Bare<T> for T {
    fn bare(self) -> T {
        self
    }
}
impl<T: Copy> Bare<T> for &T {
    fn bare(self) -> T {
        *self
    }
}
impl<T: Copy> Bare<T> for &&T {
    fn bare(self) -> T {
        **self
    }
}

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Milliseconds from `from` to `to`; negative where `to` is earlier.
pub fn between(from: impl Bare<Timestamp>, to: impl Bare<Timestamp>) -> i64 {
    let (from, to) = (from.bare(), to.bare());
    to.as_millisecond() - from.as_millisecond()
}

/// A duration in milliseconds as clocks say it: below 60 min "18 min", below 72 h "32 h 18 min",
/// else "5 d 8 h". The sign is left to the words beside it.
pub fn span(millis: i64) -> String {
    let millis = millis.unsigned_abs().try_into().unwrap_or(i64::MAX);
    if millis < HOUR {
        format!("{} min", millis / MINUTE)
    } else if millis < 72 * HOUR {
        two(millis / HOUR, "h", millis % HOUR / MINUTE, "min")
    } else {
        two(millis / DAY, "d", millis % DAY / HOUR, "h")
    }
}

fn two(large: i64, large_unit: &str, small: i64, small_unit: &str) -> String {
    if small == 0 {
        format!("{large} {large_unit}")
    } else {
        format!("{large} {large_unit} {small} {small_unit}")
    }
}

/// Seconds to wait: "8 s", "15 min".
pub fn wait(seconds: u64) -> String {
    if seconds < 100 {
        format!("{seconds} s")
    } else {
        format!("{} min", seconds.div_ceil(60))
    }
}

/// A duration for narrow columns: "40 min", "33 h", "3 d 5 h", "41 d".
pub fn short_span(millis: i64) -> String {
    let millis: i64 = millis.unsigned_abs().try_into().unwrap_or(i64::MAX);
    if millis < MINUTE {
        "now".into()
    } else if millis < HOUR {
        format!("{} min", millis / MINUTE)
    } else if millis < 72 * HOUR {
        format!("{} h", millis / HOUR)
    } else if millis < 10 * DAY {
        two(millis / DAY, "d", millis % DAY / HOUR, "h")
    } else {
        format!("{} d", millis / DAY)
    }
}

/// "2 min ago", "just now" below a minute, "in 5 d 8 h" for what is yet to come.
pub fn relative(now: Timestamp, at: Timestamp) -> String {
    let passed = between(at, now);
    if passed.abs() < MINUTE {
        "just now".into()
    } else if passed < 0 {
        format!("in {}", span(passed))
    } else {
        format!("{} ago", span(passed))
    }
}

fn utc(at: Timestamp, pattern: &str) -> String {
    at.to_zoned(TimeZone::UTC).strftime(pattern).to_string()
}

/// "Wed 22 Jul 17:55", with the year where it isn't the year of `now`.
pub fn moment(now: Timestamp, at: Timestamp) -> String {
    let pattern = if utc(now, "%Y") == utc(at, "%Y") {
        "%a %-d %b %H:%M"
    } else {
        "%-d %b %Y %H:%M"
    };
    utc(at, pattern)
}

/// "22 Jul", with the year where it isn't the year of `now`.
pub fn day(now: Timestamp, at: Timestamp) -> String {
    let pattern = if utc(now, "%Y") == utc(at, "%Y") {
        "%-d %b"
    } else {
        "%-d %b %Y"
    };
    utc(at, pattern)
}

/// "17:55".
pub fn time_of_day(at: impl Bare<Timestamp>) -> String {
    utc(at.bare(), "%H:%M")
}

tokio::task_local! {
    static ZONE: TimeZone;
}

/// Makes a page for somebody who reads exact times in that zone.
pub async fn read_in<F: Future>(zone: TimeZone, page: F) -> F::Output {
    ZONE.scope(zone, page).await
}

/// The whole of it, for titles: "Wed 22 Jul 2026 17:55:03 UTC", or in the zone of whoever reads it.
pub fn exact(at: Timestamp) -> String {
    let zone = ZONE.try_with(Clone::clone).unwrap_or(TimeZone::UTC);
    at.to_zoned(zone)
        .strftime("%a %-d %b %Y %H:%M:%S %Z")
        .to_string()
}

/// "July", for headings.
pub fn month(at: Timestamp) -> String {
    utc(at, "%B")
}

/// For `datetime` attributes: RFC 3339 to the second.
pub fn machine(at: Timestamp) -> String {
    utc(at, "%Y-%m-%dT%H:%M:%SZ")
}

/// The module that a patch run changed, and what was done with it where its version neither rose nor fell.
pub fn changed(change: &PatchChange) -> String {
    match change.kind.as_str() {
        "updated" | "downgraded" => change.module.clone(),
        other => format!("{}, {other}", change.module),
    }
}

/// "93.2 %", of a share between 0 and 1; a dash where nothing could be judged. Never all of less than all.
pub fn share(share: Option<f64>) -> String {
    share.map_or_else(
        || "–".to_owned(),
        |share| {
            format!(
                "{} %",
                (figures::told(share, 1_000.0) * 1_000.0).round() / 10.0
            )
        },
    )
}

/// "1 site", "4 sites"; thousands are set apart by a thin comma.
pub fn count(n: impl Bare<u64>, one: &str, many: &str) -> String {
    let n = n.bare();
    let word = if n == 1 { one } else { many };
    format!("{} {word}", number(n))
}

/// One of two words, by the number that stands before it.
pub fn plural<'a>(n: impl Bare<u64>, one: &'a str, many: &'a str) -> &'a str {
    if n.bare() == 1 { one } else { many }
}

/// "10,432".
pub fn number(n: impl Bare<u64>) -> String {
    let digits = n.bare().to_string();
    let mut said = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            said.push(',');
        }
        said.push(digit);
    }
    said
}

/// The initials of a name, at most two: "Mara Lindqvist" gives "ML".
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|w| w.chars().next());
    let first = words.next();
    first
        .into_iter()
        .chain(words.next_back())
        .flat_map(char::to_uppercase)
        .collect()
}

/// Module types and job states are single words; this gives them a capital.
pub fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// What to do about a window that nothing ends yet, in sentences.
pub fn until_fixed(core: bool) -> &'static str {
    if core {
        "Nothing fixes it on this branch. Move to a newer branch of core that has the fix."
    } else {
        "Nothing fixes it yet. Replace the module, switch it off, or wait for a release: this page changes by itself when there is one."
    }
}

/// What to do where nothing fixes the installed branch.
pub fn without_fix(core: bool) -> &'static str {
    if core {
        "no fix on this branch: move to a newer one"
    } else {
        "no fix yet: replace or uninstall"
    }
}

/// Why something has its status, for people; a reason that isn't known here is shown as it came.
pub fn reason(word: &str) -> String {
    match word {
        "core-not-reported" => "Drupal core was not in the inventory",
        "stale" => "Judged on data older than 24 hours",
        "drupal-7-end-of-life" => "Drupal 7 is past its end of life",
        "fetch-failed" => "drupal.org gave no answer",
        "not-fetched" | "no-data-pending" => "drupal.org was not asked yet",
        "no-releases" => "drupal.org lists no release",
        "invalid-version" => "The version can't be read",
        "empty-version" => "The site told no version",
        "no-date" => "A development snapshot without a date",
        "unknown-release-date" => "The release has no date",
        "project-not-secure" => "The project is marked insecure",
        "project-not-supported" => "The project is no longer supported",
        "project-revoked" => "The project was taken back",
        "release-not-supported" => "The release is no longer supported",
        "release-revoked" => "The release was taken back",
        "no-verdict" => "drupal.org's data doesn't allow a verdict",
        other => return sentence(&other.replace('-', " ")),
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn durations_change_their_units_at_an_hour_and_at_three_days() {
        assert_eq!(span(18 * MINUTE), "18 min");
        assert_eq!(span(59 * MINUTE + 59_000), "59 min");
        assert_eq!(span(32 * HOUR + 18 * MINUTE), "32 h 18 min");
        assert_eq!(span(19 * HOUR), "19 h");
        assert_eq!(span(-(5 * DAY + 8 * HOUR)), "5 d 8 h");
        assert_eq!(short_span(33 * HOUR + 47 * MINUTE), "33 h");
        assert_eq!(short_span(41 * DAY + 3 * HOUR), "41 d");
    }

    #[test]
    fn times_are_said_relative_to_the_moment_that_is_handed_in() {
        let now = at("2026-07-24T09:42:00Z");
        assert_eq!(relative(now, at("2026-07-24T09:40:00Z")), "2 min ago");
        assert_eq!(relative(now, at("2026-07-24T09:41:30Z")), "just now");
        assert_eq!(relative(now, at("2026-07-24T10:42:00Z")), "in 1 h");
        assert_eq!(moment(now, at("2026-07-22T17:55:03Z")), "Wed 22 Jul 17:55");
        assert_eq!(moment(now, at("2025-07-22T17:55:03Z")), "22 Jul 2025 17:55");
        assert_eq!(
            exact(at("2026-07-22T17:55:03Z")),
            "Wed 22 Jul 2026 17:55:03 UTC"
        );
    }

    #[test]
    fn counts_and_initials_read_well() {
        assert_eq!(count(1, "site", "sites"), "1 site");
        assert_eq!(count(10_432, "site", "sites"), "10,432 sites");
        assert_eq!(initials("Mara Lindqvist"), "ML");
        assert_eq!(initials("ada"), "A");
    }
}
