//! What a report can be asked, and what it answers: rows of cells under columns. The envelope, the CSV,
//! the page and the OpenAPI document are all made from these tables. Knows neither SQL nor HTTP.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::site::ENVIRONMENTS;
use super::text::harmless;
use super::window::RISKS;

mod question;

pub use question::{Asked, DAYS, DAYS_MAX, date_of, day_of, start_of};

/// Milliseconds of a day.
pub const DAY: i64 = 86_400_000;
/// The environments that can be asked for.
pub const ENVIRONMENT_WORDS: [&str; 4] = ["production", "staging", "development", "all"];
/// The risks that can be asked for.
pub const RISK_WORDS: [&str; 6] = [RISKS[0], RISKS[1], RISKS[2], RISKS[3], RISKS[4], "unknown"];

/// One report, as its const table declares it.
#[derive(Debug, PartialEq, Eq)]
pub struct Report {
    /// Its name: the last word of its address.
    pub name: &'static str,
    /// What it is called on its page.
    pub title: &'static str,
    /// What it can be narrowed by.
    pub filters: &'static [Filter],
    /// Which time it covers.
    pub covers: Covers,
    /// The columns, in the order of the CSV.
    pub columns: &'static [Column],
}

/// Which time a report covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Covers {
    /// Now: it takes no time.
    Now,
    /// Now; a time leaves of it what had begun before the time was over.
    Running,
    /// The time asked for, to the instant.
    Time,
    /// The whole days (UTC) of the time asked for.
    Days,
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
    covers: Covers::Time,
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
    covers: Covers::Running,
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
    covers: Covers::Time,
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
    covers: Covers::Days,
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
    covers: Covers::Now,
    columns: &[
        column("kind", Holds::Word(&["core", "php"])),
        column("version", Holds::Text)
            .optional()
            .about("Core: as installed. PHP: its branch. Null: sites that reported none."),
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
    /// It can be asked for a time.
    pub fn takes_time(&self) -> bool {
        self.covers != Covers::Now
    }

    /// It tells of a time, and not of now.
    pub fn has_period(&self) -> bool {
        matches!(self.covers, Covers::Time | Covers::Days)
    }

    /// The names of its parameters.
    pub fn parameters(&self) -> Vec<&'static str> {
        let dates: &[&str] = if self.takes_time() {
            &["from", "to"]
        } else {
            &[]
        };
        let filters = self.filters.iter().map(|filter| filter.name());
        let names = dates.iter().copied().chain(filters);
        names.chain(["format"]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_says_the_same_everywhere() {
        let cell = Cell::Time(1_767_323_045_000);
        assert_eq!(json!(cell), json!(cell.csv()));
        assert_eq!(Cell::text("=1+1").csv(), "'=1+1");
        assert_eq!(
            Cell::Texts(["@a".into(), "b".into()].into()).csv(),
            "'@a, b"
        );
        assert_eq!(Cell::Empty.csv(), "");
    }
}
