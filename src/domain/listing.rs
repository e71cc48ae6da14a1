//! What a list can be asked: page, filters, order, search. Each list declares closed sets of fields
//! and sorts as a const table; a question outside them is refused with all its faults at once.
//! Knows neither SQL nor HTTP: it reads decoded name and value pairs.

use self::reading::{fault, filter, sorts, text, whole};
use super::fault::Fault;

mod reading;

/// Rows on a page unless asked otherwise.
pub const PER_PAGE: u32 = 25;
/// Rows on a page, at most.
pub const PER_PAGE_MAX: u32 = 200;
/// Totals are exact up to here.
pub const COUNTED: u32 = 10_000;
/// The last page that may be asked for: keeps the arithmetic far from overflow.
pub const PAGE_MAX: u32 = 10_000_000;
/// Filters in one question.
const FILTERS_MAX: usize = 20;
/// Values in one `in`.
pub const IN_MAX: usize = 200;
/// Characters in a text that is compared or searched for.
pub const TEXT_MAX: usize = 255;
/// Sorts in one question.
pub const SORTS_MAX: usize = 5;

/// A list's closed sets, as its const table declares them.
#[derive(Debug)]
pub struct List {
    /// Its name in messages and in the plans' snapshot.
    pub name: &'static str,
    /// What can be filtered by.
    pub fields: &'static [Field],
    /// What can be sorted by.
    pub sorts: &'static [&'static str],
    /// How it is sorted unless asked otherwise, as the parameter would say it.
    pub default_sort: &'static str,
    /// `q` searches its names.
    pub search: bool,
    /// The columns of its CSV: the names of the row's members, in their order.
    pub columns: &'static [&'static str],
}

impl List {
    /// The parameters that every question to this list may carry.
    fn parameters(&self) -> Vec<&'static str> {
        let mut names = vec!["page", "per_page", "sort", "format", "filter[…]"];
        if self.search {
            names.push("q");
        }
        names
    }
}

/// One thing that a list can be filtered by.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What its values are.
    pub kind: Kind,
    /// It can be absent, so that `null` has a meaning.
    pub nullable: bool,
}

impl Field {
    /// A field that is always there.
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            nullable: false,
        }
    }

    /// A field that can be absent.
    pub const fn optional(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            nullable: true,
        }
    }

    /// The operators that its values have a meaning for.
    pub fn operators(&self) -> Vec<Op> {
        let mut ops = match self.kind {
            Kind::Integer => vec![Op::Eq, Op::Ne, Op::Lt, Op::Lte, Op::Gt, Op::Gte, Op::In],
            Kind::Time => vec![Op::Eq, Op::Ne, Op::Lt, Op::Lte, Op::Gt, Op::Gte],
            Kind::Text => vec![Op::Eq, Op::Ne, Op::In, Op::Contains, Op::StartsWith],
            Kind::Word(_) => vec![Op::Eq, Op::Ne, Op::In],
            Kind::Boolean => vec![Op::Eq, Op::Ne],
            Kind::Member => vec![Op::Eq, Op::Ne, Op::In, Op::Contains],
        };
        if self.nullable {
            ops.push(Op::Null);
        }
        ops
    }
}

/// What the values of a field are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole number.
    Integer,
    /// An instant, or a day.
    Time,
    /// Any text.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Boolean,
    /// A member of the row's list of texts, such as a tag.
    Member,
}

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Equal (the default).
    Eq,
    /// Not equal; rows without the field count as not equal.
    Ne,
    /// Less, or earlier.
    Lt,
    /// Less or equal.
    Lte,
    /// More, or later.
    Gt,
    /// More or equal.
    Gte,
    /// One of a comma list.
    In,
    /// Contains the text, whatever its case.
    Contains,
    /// Starts with the text, whatever its case.
    StartsWith,
    /// Is absent (`true`) or there (`false`).
    Null,
}

impl Op {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Eq,
        Self::Ne,
        Self::Lt,
        Self::Lte,
        Self::Gt,
        Self::Gte,
        Self::In,
        Self::Contains,
        Self::StartsWith,
        Self::Null,
    ];

    /// Its word in a parameter's name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Lt => "lt",
            Self::Lte => "lte",
            Self::Gt => "gt",
            Self::Gte => "gte",
            Self::In => "in",
            Self::Contains => "contains",
            Self::StartsWith => "starts_with",
            Self::Null => "null",
        }
    }
}

/// One value to compare with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A whole number.
    Integer(i64),
    /// An instant (one millisecond long) or a day: from, and the first millisecond after it.
    Time {
        /// The first millisecond.
        from: i64,
        /// The first millisecond after it.
        until: i64,
    },
    /// A text, or a member of a list.
    Text(String),
    /// A word of the field's set, or `true` and `false`.
    Word(&'static str),
}

/// One condition; conditions are joined by AND.
#[derive(Debug, Clone)]
pub struct Filter {
    /// What is compared.
    pub field: &'static Field,
    /// How.
    pub op: Op,
    /// With what: one value, several for `in`, `true` or `false` for `null`.
    pub values: Vec<Value>,
}

/// One key of the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// What is sorted by.
    pub key: &'static str,
    /// Largest first.
    pub descending: bool,
}

/// How the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The envelope.
    Json,
    /// Comma-separated values, bare.
    Csv,
}

/// One question to a list, understood.
#[derive(Debug, Clone)]
pub struct Query {
    /// Which page, from 1.
    pub page: u32,
    /// Rows on a page, 1 to 200.
    pub per_page: u32,
    /// The conditions.
    pub filters: Vec<Filter>,
    /// The order; the store makes it total by id.
    pub sorts: Vec<Sort>,
    /// The text to search for, not empty.
    pub q: Option<String>,
    /// How the answer is written.
    pub format: Format,
}

impl Query {
    /// The first page in the list's own order.
    pub fn first(list: &'static List) -> Self {
        let mut faults = Vec::new();
        Self {
            page: 1,
            per_page: PER_PAGE,
            filters: Vec::new(),
            sorts: sorts(list, list.default_sort, &mut faults),
            q: None,
            format: Format::Json,
        }
    }

    /// Reads a question.
    ///
    /// # Errors
    /// All faults at once: unknown parameters, fields, operators and sorts (each naming what is
    /// allowed), values that aren't what the field holds, parameters given twice.
    pub fn parse<'a>(
        list: &'static List,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Vec<Fault>> {
        let mut query = Self::first(list);
        let mut faults = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        for (name, value) in pairs {
            if seen.contains(&name) {
                faults.push(fault(name, "duplicate", "is given more than once"));
                continue;
            }
            seen.push(name);
            match name {
                "page" => whole(name, value, 1, PAGE_MAX, &mut faults, |n| query.page = n),
                "per_page" => whole(name, value, 1, PER_PAGE_MAX, &mut faults, |n| {
                    query.per_page = n;
                }),
                "sort" => query.sorts = sorts(list, value, &mut faults),
                "format" => match value {
                    "json" => query.format = Format::Json,
                    "csv" => query.format = Format::Csv,
                    _ => faults.push(fault(name, "not_allowed", "takes json or csv")),
                },
                "q" if list.search => match text(value) {
                    Ok(found) => {
                        query.q = (!found.trim().is_empty()).then(|| found.trim().to_owned())
                    }
                    Err(why) => faults.push(fault(name, "invalid", why)),
                },
                _ if name.starts_with("filter[") => filter(list, name, value, &mut faults)
                    .into_iter()
                    .for_each(|filter| query.filters.push(filter)),
                _ => faults.push(fault(
                    name,
                    "unknown_parameter",
                    format!(
                        "is not known here; allowed are {}",
                        list.parameters().join(", ")
                    ),
                )),
            }
        }
        if query.filters.len() > FILTERS_MAX {
            faults.push(fault(
                "filter",
                "too_many",
                format!("takes at most {FILTERS_MAX} conditions"),
            ));
        }
        if faults.is_empty() {
            Ok(query)
        } else {
            Err(faults)
        }
    }

    /// Rows before this page.
    pub fn offset(&self) -> i64 {
        i64::from(self.page.saturating_sub(1)) * i64::from(self.per_page)
    }
}

/// One page of a list, as the store found it.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The rows of this page.
    pub rows: Vec<T>,
    /// How many there are on all pages; [`COUNTED`] where `at_least` is set.
    pub total: i64,
    /// There are more than `total`; nobody counted further.
    pub at_least: bool,
    /// There is a next page.
    pub more: bool,
}

impl<T> Page<T> {
    /// The same page with other rows.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page {
            rows: self.rows.into_iter().map(change).collect(),
            total: self.total,
            at_least: self.at_least,
            more: self.more,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static LIST: List = List {
        name: "things",
        fields: &[
            Field::new("name", Kind::Text),
            Field::new("state", Kind::Word(&["open", "met"])),
            Field::optional("due_at", Kind::Time),
            Field::new("size", Kind::Integer),
            Field::new("silent", Kind::Boolean),
        ],
        sorts: &["name", "size"],
        default_sort: "-size",
        search: true,
        columns: &["name"],
    };

    fn parse(pairs: &[(&'static str, &'static str)]) -> Result<Query, Vec<Fault>> {
        Query::parse(&LIST, pairs.iter().copied())
    }

    #[test]
    fn nothing_asked_is_the_first_page_in_the_lists_order() {
        let query = parse(&[]).unwrap();
        assert_eq!((query.page, query.per_page, query.offset()), (1, 25, 0));
        assert_eq!(
            query.sorts,
            [Sort {
                key: "size",
                descending: true
            }]
        );
    }

    #[test]
    fn all_faults_come_at_once_and_name_what_is_allowed() {
        let faults = parse(&[
            ("page", "0"),
            ("per_page", "201"),
            ("sort", "colour"),
            ("filter[colour]", "red"),
            ("filter[silent][lt]", "true"),
            ("filter[state]", "closed"),
            ("colour", "red"),
        ])
        .unwrap_err();
        let told: Vec<_> = faults
            .iter()
            .map(|f| (f.pointer.as_str(), &*f.code))
            .collect();
        assert_eq!(
            told,
            [
                ("?page", "out_of_range"),
                ("?per_page", "out_of_range"),
                ("?sort", "unknown_field"),
                ("?filter[colour]", "unknown_field"),
                ("?filter[silent][lt]", "unknown_operator"),
                ("?filter[state]", "invalid"),
                ("?colour", "unknown_parameter"),
            ]
        );
        assert!(faults[2].detail.contains("name, size"));
        assert!(
            faults[3]
                .detail
                .contains("name, state, due_at, size, silent")
        );
        assert!(faults[4].detail.contains("eq, ne"));
        assert!(faults[6].detail.contains("per_page"));
    }

    #[test]
    fn a_day_is_a_span_and_an_instant_is_a_millisecond() {
        let query = parse(&[("filter[due_at]", "2026-11-20")]).unwrap();
        let Value::Time { from, until } = query.filters[0].values[0] else {
            panic!("a time");
        };
        assert_eq!(until - from, 86_400_000);
        let query = parse(&[("filter[due_at][lt]", "2026-11-20T08:00:00+01:00")]).unwrap();
        let Value::Time { from, until } = query.filters[0].values[0] else {
            panic!("a time");
        };
        assert_eq!((from, until - from), (1_795_158_000_000, 1));
        for wrong in ["2026-13-20", "yesterday", "2026-11-20T08:00:00", ""] {
            assert!(
                Query::parse(&LIST, [("filter[due_at]", wrong)]).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_parameter_given_twice_is_refused() {
        assert_eq!(
            parse(&[("page", "1"), ("page", "2")]).unwrap_err()[0].code,
            "duplicate"
        );
        assert_eq!(
            parse(&[("sort", "name,-name")]).unwrap_err()[0].code,
            "duplicate"
        );
    }

    #[test]
    fn null_has_a_meaning_only_where_a_field_can_be_absent() {
        assert!(parse(&[("filter[due_at][null]", "true")]).is_ok());
        assert!(parse(&[("filter[name][null]", "true")]).is_err());
    }
}
