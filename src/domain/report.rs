//! What a report can be asked, and what it answers: rows of cells under columns. The envelope, the CSV,
//! the page and the OpenAPI document are all made from these tables. Knows neither SQL nor HTTP.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::fault::Fault;
use super::listing::{Format, TEXT_MAX};
use super::site::ENVIRONMENTS;
use super::text::harmless;
use super::window::RISKS;

/// Days that a report covers unless asked otherwise.
pub const DAYS: i64 = 30;
/// Days that a report covers, at most.
pub const DAYS_MAX: i64 = 3_660;
/// Milliseconds of a day.
pub const DAY: i64 = 86_400_000;
/// The environments that can be asked for.
pub const ENVIRONMENT_WORDS: [&str; 4] = ["production", "staging", "development", "all"];
/// The risks that can be asked for.
pub const RISK_WORDS: [&str; 6] = [RISKS[0], RISKS[1], RISKS[2], RISKS[3], RISKS[4], "unknown"];
const YEARS: std::ops::RangeInclusive<i16> = 1970..=2200;

/// One report, as its const table declares it.
#[derive(Debug, PartialEq, Eq)]
pub struct Report {
    /// Its name: the last word of its address.
    pub name: &'static str,
    /// What it is called on its page.
    pub title: &'static str,
    /// What it can be narrowed by.
    pub filters: &'static [Filter],
    /// It covers a span of time.
    pub dated: bool,
    /// The columns, in the order of the CSV.
    pub columns: &'static [Column],
}

/// What a report can be narrowed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// One organization, by its id.
    Organization,
    /// One site, by its id.
    Site,
    /// One module, by its name.
    Module,
    /// One risk level.
    Risk,
    /// One environment, or all; production unless asked otherwise.
    Environment,
    /// Sites with a tag.
    Tag,
}

impl Filter {
    /// The parameter's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Organization => "organization_id",
            Self::Site => "site_id",
            Self::Module => "module",
            Self::Risk => "risk",
            Self::Environment => "environment",
            Self::Tag => "tag",
        }
    }
}

/// One column.
#[derive(Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What its cells hold.
    pub holds: Holds,
    /// A cell can be empty.
    pub optional: bool,
    /// What it means, where the name doesn't say.
    pub about: &'static str,
}

/// What the cells of a column hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// A text.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Several texts.
    Texts,
    /// A whole number.
    Whole,
    /// A number.
    Number,
    /// An instant.
    Time,
}

const fn column(name: &'static str, holds: Holds) -> Column {
    Column {
        name,
        holds,
        optional: false,
        about: "",
    }
}

impl Column {
    const fn optional(self) -> Self {
        Self {
            optional: true,
            ..self
        }
    }

    const fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }
}

impl Column {
    /// Its cells, in the OpenAPI document.
    pub fn schema(&self) -> Value {
        let mut schema = match self.holds {
            Holds::Text => json!({"type": "string"}),
            Holds::Word(words) => json!({"type": "string", "enum": words}),
            Holds::Texts => json!({"type": "array", "items": {"type": "string"}}),
            Holds::Whole => json!({"type": "integer", "format": "int64"}),
            Holds::Number => json!({"type": "number", "format": "double"}),
            Holds::Time => json!({"type": "string", "format": "date-time"}),
        };
        if let Some(fields) = schema.as_object_mut() {
            if self.optional {
                let kind = fields.get("type").cloned().unwrap_or_default();
                fields.insert("type".to_owned(), json!([kind, "null"]));
                if let Some(Value::Array(words)) = fields.get_mut("enum") {
                    words.push(Value::Null);
                }
            }
            if !self.about.is_empty() {
                fields.insert("description".to_owned(), self.about.into());
            }
        }
        schema
    }
}

/// One cell. Times are milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing to say.
    Empty,
    /// A text.
    Text(Arc<str>),
    /// Several texts.
    Texts(Arc<[Arc<str>]>),
    /// A whole number.
    Whole(i64),
    /// A number.
    Number(f64),
    /// An instant.
    Time(i64),
}

impl Cell {
    /// A text.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// A text that can be absent.
    pub fn maybe(text: Option<impl Into<Arc<str>>>) -> Self {
        text.map_or(Self::Empty, Self::text)
    }

    /// An instant that can be absent.
    pub fn maybe_time(at: Option<i64>) -> Self {
        at.map_or(Self::Empty, Self::Time)
    }

    /// A number that can be absent.
    pub fn maybe_number(number: Option<f64>) -> Self {
        number.map_or(Self::Empty, Self::Number)
    }

    /// A whole number that can be absent.
    pub fn maybe_whole(number: Option<i64>) -> Self {
        number.map_or(Self::Empty, Self::Whole)
    }

    /// As a spreadsheet reads it: no cell can start a formula.
    pub fn csv(&self) -> Cow<'_, str> {
        match self {
            Self::Empty => "".into(),
            Self::Text(text) => harmless(text),
            Self::Texts(texts) => match &**texts {
                [one] => harmless(one),
                several => harmless(&several.join(", ")).into_owned().into(),
            },
            Self::Whole(number) => number.to_string().into(),
            Self::Number(number) => json!(number).to_string().into(),
            Self::Time(at) => written(*at).into(),
        }
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Empty => serializer.serialize_none(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Texts(texts) => serializer.collect_seq(texts.iter().map(|text| &**text)),
            Self::Whole(number) => serializer.serialize_i64(*number),
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Time(at) => serializer.serialize_str(&written(*at)),
        }
    }
}

fn written(at: i64) -> String {
    Timestamp::from_millisecond(at).map_or_else(|_| String::new(), |at| at.to_string())
}

/// One row: as many cells as the report has columns.
pub type Row = Vec<Cell>;

const ALL_FILTERS: &[Filter] = &[
    Filter::Organization,
    Filter::Site,
    Filter::Module,
    Filter::Risk,
    Filter::Environment,
    Filter::Tag,
];
const STATES: Holds = Holds::Word(&super::window::STATES);

/// Every window that opened in the time asked for, in the order of their opening.
pub static SECURITY_UPDATES: Report = Report {
    name: "security-updates",
    title: "Security updates",
    filters: ALL_FILTERS,
    dated: true,
    columns: &[
        column("site", Holds::Text),
        column("organization", Holds::Text),
        column("environment", Holds::Word(&ENVIRONMENTS)).about("The site's when it opened."),
        column("module", Holds::Text),
        column("installed", Holds::Text).optional(),
        column("fixed_in", Holds::Texts),
        column("advisories", Holds::Texts),
        column("risk", Holds::Word(&RISKS))
            .optional()
            .about("Null: unknown."),
        column("opened_at", Holds::Time),
        column("due_at", Holds::Time)
            .optional()
            .about("Null: nothing was promised."),
        column("closed_at", Holds::Time).optional(),
        column("state", STATES),
        column("exposure_id", Holds::Whole),
        column("site_id", Holds::Whole),
    ],
};

/// What runs in a version for which there is something newer.
pub static MODULE_UPDATES: Report = Report {
    name: "module-updates",
    title: "Module updates",
    filters: ALL_FILTERS,
    dated: true,
    columns: &[
        column("module", Holds::Text),
        column("installed", Holds::Text).optional(),
        column("recommended", Holds::Text).optional(),
        column(
            "status",
            Holds::Word(&["not_secure", "revoked", "not_supported", "not_current"]),
        ),
        column("sites", Holds::Whole).about("Sites that run it, enabled."),
        column("module_id", Holds::Whole),
    ],
};

/// What became of the windows that were due, by month and organization.
pub static SLA_COMPLIANCE: Report = Report {
    name: "sla-compliance",
    title: "SLA compliance",
    filters: ALL_FILTERS,
    dated: true,
    columns: &[
        column("period", Holds::Text).about("The month (UTC), cut by from and to."),
        column("organization", Holds::Text),
        column("due", Holds::Whole).about(
            "Windows due in the period: met, breached, overdue, and still open with time left.",
        ),
        column("met", Holds::Whole),
        column("breached", Holds::Whole).about("Closed late."),
        column("overdue", Holds::Whole).about("Still open, and past due."),
        column("compliance", Holds::Number)
            .optional()
            .about("met / (met + breached + overdue), 0 to 1; null where that is nothing."),
        column("median_hours", Holds::Number)
            .optional()
            .about("From opened to closed."),
        column("p90_hours", Holds::Number)
            .optional()
            .about("Nine of ten were closed within."),
        column("exposure_hours", Holds::Number)
            .about("Of all of them together, until closed or now."),
        column("organization_id", Holds::Whole),
    ],
};

/// Day by day.
pub static HISTORICAL: Report = Report {
    name: "historical",
    title: "Trends",
    filters: ALL_FILTERS,
    dated: true,
    columns: &[
        column("date", Holds::Text).about("The day (UTC)."),
        column("sites", Holds::Whole)
            .optional()
            .about("Null where no snapshot was taken, or where a filter leaves no count."),
        column("exposed", Holds::Whole)
            .optional()
            .about("Sites that are not secure."),
        column("open", Holds::Whole).about("Windows open at the end of the day."),
        column("opened", Holds::Whole),
        column("closed", Holds::Whole),
        column("not_current", Holds::Whole)
            .optional()
            .about("Sites on which something is not current."),
    ],
};

/// What loses its maker's support, and when.
pub static END_OF_LIFE: Report = Report {
    name: "end-of-life",
    title: "End of life",
    filters: &[
        Filter::Organization,
        Filter::Site,
        Filter::Environment,
        Filter::Tag,
    ],
    dated: false,
    columns: &[
        column("kind", Holds::Word(&["core", "php"])),
        column("version", Holds::Text).about("Core: as installed. PHP: its branch."),
        column("ends_on", Holds::Text).optional().about(
            "The first day, or month, without security support; null where no date is known.",
        ),
        column(
            "state",
            Holds::Word(&["ended", "ends_soon", "supported", "unknown"]),
        ),
        column("sites", Holds::Whole),
        column("ends_with", Holds::Text)
            .optional()
            .about("The release of core that ends it, where a release does and no date."),
    ],
};

/// All of them, in the order in which they are shown.
pub static ALL: [&Report; 5] = [
    &SECURITY_UPDATES,
    &SLA_COMPLIANCE,
    &MODULE_UPDATES,
    &HISTORICAL,
    &END_OF_LIFE,
];

impl Report {
    /// The names of its parameters.
    pub fn parameters(&self) -> Vec<&'static str> {
        let dates: &[&str] = if self.dated { &["from", "to"] } else { &[] };
        let filters = self.filters.iter().map(|filter| filter.name());
        let names = dates.iter().copied().chain(filters);
        names.chain(["format"]).collect()
    }
}

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
                ("from", _) if report.dated => instant(value, false).map(|at| from = Some(at)),
                ("to", _) if report.dated => instant(value, true).map(|at| to = Some(at)),
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

    #[test]
    fn a_cell_says_the_same_everywhere() {
        let cell = Cell::Time(at("2026-01-02T03:04:05Z"));
        assert_eq!(json!(cell), json!(cell.csv()));
        assert_eq!(Cell::text("=1+1").csv(), "'=1+1");
        assert_eq!(
            Cell::Texts(["@a".into(), "b".into()].into()).csv(),
            "'@a, b"
        );
        assert_eq!(Cell::Empty.csv(), "");
    }
}
