//! Version strings as Drupal core reads them: major, minor and extra, or not a version at all.
//! Knows nothing of composer's order (see `composer`) and nothing of releases.

use crate::domain::words::words;

words! {
    /// What kind of thing is installed, judged by the version string alone.
    pub enum InstallType {
        /// A packaged release, or at least something that doesn't look like a snapshot.
        Official = "official",
        /// A development snapshot: the string contains `dev` or `HEAD`.
        Dev = "dev",
        /// No version was given.
        Unknown = "unknown",
    }
}

impl InstallType {
    /// The install type of an installed version; `None` means that none was given.
    #[must_use]
    pub fn of(version: Option<&str>) -> Self {
        match version {
            None => Self::Unknown,
            Some(text) if text.contains("dev") || text.contains("HEAD") => Self::Dev,
            Some(_) => Self::Official,
        }
    }
}

/// A version that Drupal core can parse. Borrows from the string that it was parsed from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Version<'a> {
    /// The first component as it is written: PHP calls it numeric, so ` 1`, `08` and `1e1` occur.
    pub major: &'a str,
    /// The second of three components; `None` where there are only two.
    pub minor: Option<&'a str>,
    /// What follows the first dash of the last component, up to the next dash: `rc1`, `dev`, or empty.
    pub extra: Option<&'a str>,
    /// The major's value: majors are compared as numbers.
    pub number: f64,
}

impl<'a> Version<'a> {
    /// Parses a version string, or says that core would refuse it.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let bare = without_core_prefix(text)?;
        let mut parts = bare.split('.');
        let (major, second) = (parts.next()?, parts.next()?);
        let (minor, last) = match parts.next() {
            None => (None, second),
            Some(third) => (Some(second), third),
        };
        if parts.next().is_some() || minor.is_some_and(|part| !is_numeric(part)) {
            return None;
        }
        let mut pieces = last.split('-');
        let patch = pieces.next()?;
        let extra = pieces.next();
        if !is_numeric(patch) && extra != Some("dev") {
            return None;
        }
        let number = numeric(major)?;
        Some(Self {
            major,
            minor,
            extra,
            number,
        })
    }

    /// Whether the extra is exactly `dev`: a development release, as core sees releases.
    #[must_use]
    pub fn is_dev(&self) -> bool {
        self.extra == Some("dev")
    }
}

/// Takes off `8.x-`, the one prefix that core accepts; `None` for a prefix that it refuses.
fn without_core_prefix(text: &str) -> Option<&str> {
    if text != "8.x-dev"
        && let Some(bare) = text.strip_prefix("8.x-")
    {
        return Some(bare);
    }
    if let Some(at @ (1 | 2)) = text.find(".x-") {
        let after = text.get(at + 3..)?;
        if after.split(".x-").next() != Some("dev") {
            return None;
        }
    }
    Some(text)
}

/// The major of a support branch such as `8.x-1.` or `10.4.`; `None` where core can't read one.
#[must_use]
pub fn branch_major(branch: &str) -> Option<(String, f64)> {
    if !branch.ends_with('.') {
        return None;
    }
    let text = format!("{branch}0");
    Version::parse(&text).map(|version| (version.major.to_owned(), version.number))
}

/// The major that core shows for an installed version: a looser reading than [`Version::parse`], for information only.
#[must_use]
pub fn existing_major(version: &str) -> Option<&str> {
    if let Some((before, rest)) = version.split_once(".x-")
        && is_digits(before)
        && let Some(major) = leading_major(rest)
    {
        return Some(major);
    }
    leading_major(version)
}

/// Digits, a dot, then anything that stays on one line (a last line break is forgiven).
fn leading_major(text: &str) -> Option<&str> {
    let (digits, rest) = text.split_once('.')?;
    let line = rest.strip_suffix('\n').unwrap_or(rest);
    (is_digits(digits) && !line.contains('\n')).then_some(digits)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether PHP calls the string numeric.
#[must_use]
pub fn is_numeric(text: &str) -> bool {
    numeric(text).is_some()
}

/// The value of a string that PHP calls numeric: blanks around it, a sign, a fraction and an exponent are fine.
#[must_use]
pub fn numeric(text: &str) -> Option<f64> {
    let blank = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c');
    let trimmed = text.trim_matches(blank);
    let unsigned = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
    let starts = unsigned.strip_prefix('.').unwrap_or(unsigned);
    // Rust reads the same numbers and more ("inf", "nan"): those begin with a letter.
    if !starts.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    trimmed.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Option<(&str, Option<&str>, Option<&str>)> {
        Version::parse(text).map(|version| (version.major, version.minor, version.extra))
    }

    #[test]
    fn versions_parse_as_core_parses_them() {
        assert_eq!(parts("8.x-1.5+3-dev"), Some(("1", None, Some("dev"))));
        assert_eq!(parts("8.x-dev"), Some(("8", None, Some("dev"))));
        assert_eq!(parts("11.4.0-rc2"), Some(("11", Some("4"), Some("rc2"))));
        assert_eq!(parts("1.0-"), Some(("1", None, Some(""))));
        assert_eq!(parts("7.x-1.0"), None);
        assert_eq!(parts("1.x"), None);
    }

    #[test]
    fn numeric_is_php_s() {
        for text in ["1", " 1", "1 ", "-1", "+.5", "5.", "1e1", "1E+2"] {
            assert!(is_numeric(text), "{text:?}");
        }
        for text in [
            "", " ", ".", "0x1", "1_0", "inf", "nan", "1e", "- 1", "--1", "1 1",
        ] {
            assert!(!is_numeric(text), "{text:?}");
        }
    }
}
