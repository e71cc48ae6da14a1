//! A question to a report: which time, narrowed to what, written how; and the days and months in it.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{Covers, DAY, ENVIRONMENT_WORDS, Filter, RISK_WORDS, Report};
use crate::domain::fault::Fault;
use crate::domain::listing::{Format, TEXT_MAX};
use crate::domain::site::ENVIRONMENTS;

/// Days that a report covers unless asked otherwise.
pub const DAYS: i64 = 30;
/// Days that a report covers, at most.
pub const DAYS_MAX: i64 = 3_660;
const YEARS: std::ops::RangeInclusive<i16> = 1970..=2200;

/// One question to a report, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// From then on, milliseconds.
    pub from: i64,
    /// Until just before then, milliseconds.
    pub to: i64,
    /// One organization.
    pub organization_id: Option<i64>,
    /// One site.
    pub site_id: Option<i64>,
    /// The name of a module.
    pub module: Option<String>,
    /// A risk level, or `unknown`.
    pub risk: Option<&'static str>,
    /// The environments.
    pub environments: &'static [&'static str],
    /// A tag of sites.
    pub tag: Option<String>,
    /// How the answer is written.
    pub format: Format,
}

impl Asked {
    /// What is asked where nothing is said, at `now`.
    pub fn first(now: Timestamp) -> Self {
        let to = now.as_millisecond().saturating_add(1);
        Self {
            from: to.saturating_sub(1 + DAYS * DAY),
            to,
            organization_id: None,
            site_id: None,
            module: None,
            risk: None,
            environments: &ENVIRONMENTS[..1],
            tag: None,
            format: Format::Json,
        }
    }

    /// Reads a question.
    ///
    /// # Errors
    /// All faults at once, each at its `?name`.
    pub fn parse<'a>(
        report: &Report,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
        now: Timestamp,
    ) -> Result<Self, Vec<Fault>> {
        let mut asked = Self::first(now);
        let (mut from, mut to) = (None, None);
        let mut faults = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        for (name, value) in pairs {
            if seen.contains(&name) {
                faults.push(fault(name, "duplicate", "is given more than once"));
                continue;
            }
            seen.push(name);
            let read = match (
                name,
                report.filters.iter().find(|known| known.name() == name),
            ) {
                ("from", _) if report.takes_time() => {
                    instant(value, false).map(|at| from = Some(at))
                }
                ("to", _) if report.takes_time() => instant(value, true).map(|at| to = Some(at)),
                ("format", _) => format(value).map(|format| asked.format = format),
                (_, Some(filter)) => asked.narrow(*filter, value),
                _ => Err(("unknown_parameter", unknown(report))),
            };
            if let Err((code, detail)) = read {
                let shown: String = name.chars().take(100).collect();
                faults.push(fault(&shown, code, &detail));
            }
        }
        asked.spans(from, to, &mut faults);
        if report.covers == Covers::Days {
            let (first, last) = asked.days();
            (asked.from, asked.to) = (DAY * first, DAY * (last + 1));
        }
        if faults.is_empty() {
            Ok(asked)
        } else {
            Err(faults)
        }
    }

    fn narrow(&mut self, filter: Filter, value: &str) -> Read<()> {
        match filter {
            Filter::Organization => self.organization_id = Some(id(value)?),
            Filter::Site => self.site_id = Some(id(value)?),
            Filter::Module => self.module = Some(text(value)?),
            Filter::Tag => self.tag = Some(text(value)?),
            Filter::Risk => self.risk = Some(word(&RISK_WORDS, value)?),
            Filter::Environment => {
                self.environments = match word(&ENVIRONMENT_WORDS, value)? {
                    "production" => &ENVIRONMENTS[..1],
                    "staging" => &ENVIRONMENTS[1..2],
                    "development" => &ENVIRONMENTS[2..],
                    _ => &ENVIRONMENTS,
                };
            }
        }
        Ok(())
    }

    /// The span of time, where it is one.
    fn spans(&mut self, from: Option<i64>, to: Option<i64>, faults: &mut Vec<Fault>) {
        self.to = to.unwrap_or(self.to);
        if let Some(from) = from {
            self.from = from;
        } else if to.is_some() {
            self.from = self.to.saturating_sub(DAYS * DAY);
        }
        if from.is_some_and(|from| to.is_none() && from >= self.to) {
            let detail = "lies in the future; say to, too";
            faults.push(fault("from", "in_the_future", detail));
        } else if self.from >= self.to {
            faults.push(fault("to", "before_from", "is not after from"));
        } else if self.to - self.from > DAYS_MAX * DAY {
            let detail = format!("is more than {DAYS_MAX} days after from");
            faults.push(fault("to", "too_long", &detail));
        }
    }

    /// The word of the environments.
    pub fn environment(&self) -> &'static str {
        match self.environments {
            [one] => one,
            _ => "all",
        }
    }

    /// The first and the last day (UTC) of the time asked for, counted from 1970.
    pub fn days(&self) -> (i64, i64) {
        (day_of(self.from), day_of(self.to - 1))
    }

    /// The months (UTC) of the time asked for, cut by it: name, first millisecond, first millisecond after.
    pub fn months(&self) -> Vec<(String, i64, i64)> {
        let mut months = Vec::new();
        let mut first = date_of(self.from).first_of_month();
        loop {
            let next = first.last_of_month().tomorrow().unwrap_or(Date::MAX);
            let (start, end) = (start_of(first), start_of(next));
            if start >= self.to || end <= start {
                return months;
            }
            let name = format!("{:04}-{:02}", first.year(), first.month());
            months.push((name, start.max(self.from), end.min(self.to)));
            first = next;
        }
    }
}

/// The day (UTC) of an instant in milliseconds.
pub fn date_of(at: i64) -> Date {
    Timestamp::from_millisecond(at).map_or(Date::ZERO, |at| at.to_zoned(TimeZone::UTC).date())
}

/// The day (UTC) of an instant in milliseconds, counted from 1970.
pub fn day_of(at: i64) -> i64 {
    at.div_euclid(DAY)
}

/// The first millisecond of a day (UTC).
pub fn start_of(day: Date) -> i64 {
    day.to_zoned(TimeZone::UTC)
        .map_or(i64::MAX, |at| at.timestamp().as_millisecond())
}

type Read<T> = Result<T, (&'static str, String)>;

fn fault(name: &str, code: &'static str, detail: &str) -> Fault {
    Fault::new(format!("?{name}"), code, format!("{name} {detail}."))
}

fn unknown(report: &Report) -> String {
    let allowed = report.parameters().join(", ");
    format!("is not known here; allowed are {allowed}")
}

fn format(value: &str) -> Read<Format> {
    match value {
        "json" => Ok(Format::Json),
        "csv" => Ok(Format::Csv),
        _ => Err(("not_allowed", "takes json or csv".to_owned())),
    }
}

fn id(value: &str) -> Read<i64> {
    let plain = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let found = value.parse().ok().filter(|id: &i64| plain && *id > 0);
    found.ok_or_else(|| ("invalid", "takes the number of one".to_owned()))
}

fn text(value: &str) -> Read<String> {
    if value.is_empty() || value.chars().count() > TEXT_MAX || value.contains('\0') {
        let detail = format!("takes 1 to {TEXT_MAX} characters");
        return Err(("invalid", detail));
    }
    Ok(value.to_owned())
}

fn word(words: &'static [&'static str], value: &str) -> Read<&'static str> {
    let found = words.iter().find(|word| **word == value);
    found
        .copied()
        .ok_or_else(|| ("unknown_word", format!("takes one of {}", words.join(", "))))
}

/// An instant, or a day: its first millisecond, or the first one after it where it ends a span.
fn instant(value: &str, ends: bool) -> Read<i64> {
    let wrong = || {
        let detail = "takes a time as 2026-11-20T08:00:00Z or a day as 2026-11-20";
        ("invalid", detail.to_owned())
    };
    let years = || {
        let detail = format!("takes years from {} to {}", YEARS.start(), YEARS.end());
        ("out_of_range", detail)
    };
    let at = if value.len() == 10 {
        let day: Date = value.parse().map_err(|_| wrong())?;
        let day = if ends {
            day.tomorrow().map_err(|_| years())?
        } else {
            day
        };
        day.to_zoned(TimeZone::UTC)
            .map_err(|_| years())?
            .timestamp()
    } else {
        value.parse::<Timestamp>().map_err(|_| wrong())?
    };
    let at = at.as_millisecond();
    let last = at.saturating_sub(i64::from(ends));
    if YEARS.contains(&date_of(last).year()) {
        Ok(at)
    } else {
        Err(years())
    }
}

#[cfg(test)]
mod tests {
    use super::super::SECURITY_UPDATES;
    use super::*;

    const NOW: &str = "2026-11-23T12:00:00Z";

    fn asked(pairs: &[(&str, &str)]) -> Result<Asked, Vec<(String, String)>> {
        Asked::parse(
            &SECURITY_UPDATES,
            pairs.iter().copied(),
            NOW.parse().unwrap(),
        )
        .map_err(|faults| {
            let told = faults.into_iter();
            told.map(|fault| (fault.pointer, fault.code.into_owned()))
                .collect()
        })
    }

    fn refused(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        asked(pairs).unwrap_err()
    }

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn nothing_asked_is_the_last_thirty_days_of_production() {
        let asked = asked(&[]).unwrap();
        assert_eq!(asked.from, at("2026-10-24T12:00:00Z"));
        assert_eq!(asked.to, at(NOW) + 1);
        assert_eq!(asked.environments, ["production"]);
    }

    #[test]
    fn a_day_at_the_end_is_the_whole_day() {
        let asked = asked(&[("from", "2026-02-01"), ("to", "2026-02-28")]).unwrap();
        assert_eq!(asked.to, at("2026-03-01T00:00:00Z"));
        assert_eq!(asked.months().len(), 1);
        assert_eq!(asked.days(), (asked.from / DAY, asked.from / DAY + 27));
    }

    #[test]
    fn months_are_cut_by_the_time_asked_for() {
        let asked = asked(&[("from", "2025-12-20"), ("to", "2026-02-01T06:00:00Z")]).unwrap();
        let names: Vec<_> = asked.months().into_iter().map(|(name, ..)| name).collect();
        assert_eq!(names, ["2025-12", "2026-01", "2026-02"]);
        let last = asked.months()[2].clone();
        assert_eq!((last.1, last.2), (at("2026-02-01T00:00:00Z"), asked.to));
    }

    #[test]
    fn impossible_spans_are_refused_at_their_place() {
        let told = |pointer: &str, code: &str| [(pointer.to_owned(), code.to_owned())];
        let cases = [
            (("2026-05-02", "2026-05-01"), told("?to", "before_from")),
            (("2010-01-01", "2026-01-01"), told("?to", "too_long")),
            (("yesterday", "2026-01-01"), told("?from", "invalid")),
            (("2026-02-30", "2026-03-01"), told("?from", "invalid")),
            (("1969-12-31", "1970-01-05"), told("?from", "out_of_range")),
            (("2200-12-30", "2201-01-01"), told("?to", "out_of_range")),
        ];
        for ((from, to), fault) in cases {
            let found = refused(&[("from", from), ("to", to)]);
            assert!(found.contains(&fault[0]), "{from} to {to}: {found:?}");
        }
        assert_eq!(
            refused(&[("from", "2027-01-01")]),
            told("?from", "in_the_future")
        );
        assert!(asked(&[("from", "2199-12-01"), ("to", "2200-12-31")]).is_ok());
    }

    #[test]
    fn all_faults_come_at_once_and_name_what_is_allowed() {
        let found = refused(&[
            ("organization_id", "-1"),
            ("risk", "dire"),
            ("environment", "moon"),
            ("tag", ""),
            ("format", "xml"),
            ("page", "2"),
            ("site_id", "1"),
            ("site_id", "2"),
        ]);
        let codes: Vec<_> = found
            .iter()
            .map(|(at, code)| (at.as_str(), code.as_str()))
            .collect();
        assert_eq!(
            codes,
            [
                ("?organization_id", "invalid"),
                ("?risk", "unknown_word"),
                ("?environment", "unknown_word"),
                ("?tag", "invalid"),
                ("?format", "not_allowed"),
                ("?page", "unknown_parameter"),
                ("?site_id", "duplicate"),
            ]
        );
    }
}
