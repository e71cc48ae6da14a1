//! How long a version of Drupal core gets security releases, and what core's status report says of it on a given day.
//! Knows no clock: the day is asked for.

use jiff::civil::Date;

use crate::domain::prepared::Prepared;
use crate::domain::version::Version;
use crate::domain::words::words;

/// Until when a version of core is covered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// Until a later minor is released.
    Window {
        /// The release with which coverage ends.
        end_version: String,
        /// How many minors away that is; `None` where no release of the major says.
        minors_left: Option<i64>,
    },
    /// Until a date.
    Dates {
        /// The first day, or month, without coverage: `YYYY-MM-DD` or `YYYY-MM`.
        end: &'static str,
        /// From when to warn.
        warn: Option<&'static str>,
    },
}

/// The dates that core's code has stated, of all its branches: major, minor, end, warning. The last minors of a major are
/// covered by date; 11's will be added here when they are known.
const DATES: [(&str, &str, &str, Option<&str>); 6] = [
    ("8", "8", "2020-12-02", Some("2020-06-02")),
    ("8", "9", "2021-11", None),
    ("9", "4", "2023-06-21", Some("2022-12-14")),
    ("9", "5", "2023-11", Some("2023-05-14")),
    ("10", "5", "2026-06-17", Some("2025-12-10")),
    ("10", "6", "2026-12-09", Some("2026-06-17")),
];

/// How many minors get security releases at a time.
const WINDOW: i64 = 2;

/// The coverage of an installed version of core by core's own release history; `None` where there is no information.
#[must_use]
pub fn coverage(core: &Prepared, installed: &str) -> Option<Coverage> {
    core.find(installed)?;
    let version = Version::parse(installed)?;
    let minor = installed.split('.').nth(1)?;
    let dated = DATES
        .iter()
        .find(|(of_major, of_minor, ..)| *of_major == version.major && *of_minor == minor);
    if let Some((.., end, warn)) = dated {
        return Some(Coverage::Dates { end, warn: *warn });
    }
    if version.extra.is_some() {
        return None;
    }
    let last = minor.parse::<i64>().ok()?.checked_add(WINDOW)?;
    let newest = core
        .releases()
        .iter()
        .filter(|release| release.published)
        .find_map(|release| {
            let found = Version::parse(&release.version)?;
            (found.number == version.number && found.extra.is_none()).then_some(found.minor)
        });
    let newest = newest.map(|minor| {
        minor
            .and_then(|minor| minor.parse::<i64>().ok())
            .unwrap_or(0)
    });
    Some(Coverage::Window {
        end_version: format!("{}.{last}.0", version.major),
        minors_left: newest.map(|newest| last.saturating_sub(newest)),
    })
}

words! {
    /// How loud a line of the status report is.
    pub enum Severity {
        /// Nothing to do.
        Info = "info",
        /// Coverage ends soon.
        Warning = "warning",
        /// Coverage has ended.
        Error = "error",
    }
}

/// What core's status report says of the coverage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The text in short.
    pub value: String,
    /// How loud.
    pub severity: Severity,
    /// What to do about it, as a key: `update-soon-to:10.5`, `update-to-supported-minor-asap`, ...
    pub message: Option<String>,
}

impl Coverage {
    /// What the status report of an installed version says on a day.
    #[must_use]
    pub fn requirement(&self, installed: &str, today: Date) -> Requirement {
        match self {
            Self::Window {
                end_version,
                minors_left,
            } => window(installed, end_version, minors_left.unwrap_or(0)),
            Self::Dates { end, warn } => dates(end, *warn, today),
        }
    }

    /// Whether what it says depends on the day.
    #[must_use]
    pub const fn is_dated(&self) -> bool {
        matches!(self, Self::Dates { .. })
    }
}

fn ended() -> Requirement {
    let message = Some("update-to-supported-minor-asap".to_owned());
    Requirement {
        value: "Coverage has ended".to_owned(),
        severity: Severity::Error,
        message,
    }
}

fn window(installed: &str, end_version: &str, minors_left: i64) -> Requirement {
    if minors_left <= 0 {
        return ended();
    }
    let value = format!("Covered until {end_version}");
    if minors_left > 1 {
        return Requirement {
            value,
            severity: Severity::Info,
            message: None,
        };
    }
    let mut parts = installed.split('.');
    let major = parts.next().unwrap_or("");
    let next = parts
        .next()
        .and_then(|minor| minor.parse::<i64>().ok())
        .unwrap_or(0)
        .saturating_add(1);
    Requirement {
        value,
        severity: Severity::Warning,
        message: Some(format!("update-soon-to:{major}.{next}")),
    }
}

fn dates(end: &str, warn: Option<&str>, today: Date) -> Requirement {
    let day = today.to_string();
    // A month that ends coverage is without it from its first day.
    if day.get(..end.len()).unwrap_or(&day) >= end {
        return ended();
    }
    let value = format!("Covered until {}", spelled(end));
    if warn.is_some_and(|warn| day.as_str() >= warn) {
        let message = Some("update-to-supported-version-soon".to_owned());
        return Requirement {
            value,
            severity: Severity::Warning,
            message,
        };
    }
    Requirement {
        value,
        severity: Severity::Info,
        message: None,
    }
}

/// `2026-12-09` as `2026-Dec-09`, `2023-11` as `2023-Nov`.
fn spelled(date: &str) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let mut parts = date.split('-').map(str::to_owned).collect::<Vec<_>>();
    if let Some(part) = parts.get_mut(1)
        && let Some(name) = part
            .parse::<usize>()
            .ok()
            .and_then(|month| MONTHS.get(month.wrapping_sub(1)))
    {
        *part = (*name).to_owned();
    }
    parts.join("-")
}
