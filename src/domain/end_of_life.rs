//! Until when what sites stand on gets security releases: core by what its own code says, PHP by the
//! dates of php.net. Knows no clock: the day is asked for.

use jiff::civil::{Date, date};

use super::coverage::{Coverage, Severity, coverage};
use super::prepared::Prepared;

/// Days before its end from which support counts as ending soon.
const SOON: i32 = 180;

/// The last day of security support of each branch of PHP, as php.net says.
const PHP: [(&str, Date); 14] = [
    ("5.6", date(2018, 12, 31)),
    ("7.0", date(2019, 1, 10)),
    ("7.1", date(2019, 12, 1)),
    ("7.2", date(2020, 11, 30)),
    ("7.3", date(2021, 12, 6)),
    ("7.4", date(2022, 11, 28)),
    ("8.0", date(2023, 11, 26)),
    ("8.1", date(2025, 12, 31)),
    ("8.2", date(2026, 12, 31)),
    ("8.3", date(2027, 12, 31)),
    ("8.4", date(2028, 12, 31)),
    ("8.5", date(2029, 12, 31)),
    ("5.5", date(2016, 7, 21)),
    ("5.4", date(2015, 9, 3)),
];
/// Drupal 7 has had no security releases since that day.
const DRUPAL_7: Date = date(2025, 1, 5);

/// How long something is still supported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Support {
    /// The first day, or month, without: `YYYY-MM-DD` or `YYYY-MM`.
    pub ends_on: Option<String>,
    /// The release of core that ends it.
    pub ends_with: Option<String>,
    /// `ended`, `ends_soon`, `supported` or `unknown`.
    pub state: &'static str,
}

impl Support {
    /// What ended or ends first comes first: what ended on a day that nobody knows, then day by day, then what a
    /// release will end, and last what nobody knows.
    pub fn by_end(&self) -> (u8, Option<&str>) {
        let rank = match (self.state, &self.ends_on) {
            ("ended", None) => 0,
            (_, Some(_)) => 1,
            ("ends_soon", None) => 2,
            ("supported", None) => 3,
            _ => 4,
        };
        (rank, self.ends_on.as_deref())
    }

    fn unknown() -> Self {
        Self {
            ends_on: None,
            ends_with: None,
            state: "unknown",
        }
    }

    /// With a last day.
    fn until(last: Date, today: Date) -> Self {
        let first = last.tomorrow().unwrap_or(last);
        let left = today.until(last).map_or(i32::MAX, |span| span.get_days());
        let state = match left {
            ..0 => "ended",
            0..SOON => "ends_soon",
            _ => "supported",
        };
        Self {
            ends_on: Some(first.to_string()),
            ends_with: None,
            state,
        }
    }
}

/// The branch of a PHP version: `8.3.6` is of `8.3`. `None` where it names none.
pub fn php_branch(version: &str) -> Option<String> {
    let mut parts = version.split('.');
    let (major, minor) = (parts.next()?, parts.next()?);
    let minor: String = minor.chars().take_while(char::is_ascii_digit).collect();
    let plain = !major.is_empty() && major.bytes().all(|byte| byte.is_ascii_digit());
    (plain && !minor.is_empty()).then(|| format!("{major}.{minor}"))
}

/// The support of a branch of PHP on a day.
pub fn php(branch: &str, today: Date) -> Support {
    let known = PHP.iter().find(|(name, _)| *name == branch);
    if known.is_none() && older(branch) {
        return Support {
            state: "ended",
            ..Support::unknown()
        };
    }
    known.map_or_else(Support::unknown, |(_, last)| Support::until(*last, today))
}

/// The branch is older than all whose last day is known: older than 5.4.
fn older(branch: &str) -> bool {
    let mut parts = branch.split('.').map(str::parse::<u64>);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) < (5, 4),
        _ => false,
    }
}

/// The support of an installed version of core on a day, by core's own release history where it is known.
pub fn core(history: Option<&Prepared>, installed: &str, today: Date) -> Support {
    if installed.starts_with("7.") {
        return Support::until(DRUPAL_7, today);
    }
    let Some(covered) = history.and_then(|history| coverage(history, installed)) else {
        return Support::unknown();
    };
    let state = match covered.requirement(installed, today).severity {
        Severity::Info => "supported",
        Severity::Warning => "ends_soon",
        Severity::Error => "ended",
    };
    let (ends_on, ends_with) = match covered {
        Coverage::Dates { end, .. } => (Some(end.to_owned()), None),
        Coverage::Window { end_version, .. } => (None, Some(end_version)),
    };
    Support {
        ends_on,
        ends_with,
        state,
    }
}

/// Older versions come first: their numbers, one by one.
pub fn by_age(version: &str) -> (Vec<u64>, String) {
    let parts = version.split(|letter: char| !letter.is_ascii_digit());
    let numbers = parts.filter_map(|part| part.parse().ok()).collect();
    (numbers, version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn php_ends_with_its_last_day() {
        let state = |year, month, day| php("8.1", date(year, month, day)).state;
        assert_eq!(state(2025, 1, 1), "supported");
        assert_eq!(state(2025, 9, 1), "ends_soon");
        assert_eq!(state(2025, 12, 31), "ends_soon");
        assert_eq!(state(2026, 1, 1), "ended");
        assert_eq!(php("8.1", date(2026, 1, 1)).ends_on.unwrap(), "2026-01-01");
    }

    #[test]
    fn what_nobody_knows_is_not_called_supported() {
        let today = date(2026, 1, 1);
        assert_eq!(php("9.9", today), Support::unknown());
        assert_eq!(php("5.3", today).state, "ended");
        assert_eq!(core(None, "11.2.0", today), Support::unknown());
        assert_eq!(core(None, "7.103", today).state, "ended");
    }

    #[test]
    fn a_branch_is_the_first_two_numbers() {
        assert_eq!(php_branch("8.3.6").unwrap(), "8.3");
        assert_eq!(php_branch("8.4.0RC1").unwrap(), "8.4");
        assert_eq!(php_branch("8.5beta").unwrap(), "8.5");
        for odd in ["", "8", "x.1", "8.x"] {
            assert_eq!(php_branch(odd), None, "{odd}");
        }
    }
}
