//! What every list has around its rows: sort links, filter chips, pages, the CSV link. All of it
//! mirrors the URL. Knows no query and no rows.

use super::parts::{Html, escape};
use super::words::{self, Bare};
use crate::domain::fault::Fault;
use crate::domain::listing::{Page, Query};
use crate::services::{Error, Result};

/// One filter in force.
#[derive(Debug, Clone)]
pub struct FilterChip {
    /// What is filtered, in words.
    pub key: String,
    /// By which value.
    pub value: String,
    /// The query parameter that it mirrors.
    pub parameter: String,
}

/// One view above a list.
#[derive(Debug, Clone)]
pub struct Tab {
    /// Its word.
    pub word: String,
    /// Its count, where there is one.
    pub count: Option<u64>,
    /// Where it leads.
    pub href: String,
    /// It is the one shown.
    pub here: bool,
}

impl Tab {
    /// A view that leads to `href`.
    pub fn new(word: &str, count: Option<u64>, href: impl Into<String>, here: bool) -> Self {
        Self {
            word: word.into(),
            count,
            href: href.into(),
            here,
        }
    }
}

/// The furniture of a list.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// The list's path, without a query.
    pub path: String,
    /// The query as it stands, without `page`.
    pub query: Vec<(String, String)>,
    /// How many rows match.
    pub total: u64,
    /// There are at least so many.
    pub at_least: bool,
    /// The page shown, from 1.
    pub page: u64,
    /// How many pages there are, at least 1.
    pub pages: u64,
    /// The page shown is after the last one: that it has no rows says nothing about the list.
    pub beyond: bool,
    /// The sort in force, as in the URL: `-last_sync_at`.
    pub sort: String,
    /// The filters in force.
    pub chips: Vec<FilterChip>,
}

impl Listing {
    /// The furniture of a page of `query`; `pairs` is the URL's query as it stands.
    pub fn of<T>(path: &str, pairs: &[(String, String)], query: &Query, page: &Page<T>) -> Self {
        let total = u64::try_from(page.total).unwrap_or(0);
        let shown = u64::from(query.page);
        let pages = total.div_ceil(u64::from(query.per_page)).max(1);
        let sort = query
            .sorts
            .first()
            .map(|sort| format!("{}{}", if sort.descending { "-" } else { "" }, sort.key));
        Self {
            path: path.to_owned(),
            query: pairs
                .iter()
                .filter(|(k, v)| k != "page" && !v.is_empty())
                .cloned()
                .collect(),
            total,
            at_least: page.at_least,
            page: shown,
            pages: if page.more {
                pages.max(shown + 1)
            } else {
                pages
            },
            beyond: page.rows.is_empty() && total > 0,
            sort: sort.unwrap_or_default(),
            chips: chips(pairs),
        }
    }

    /// Something narrows it: that nothing is shown doesn't mean that there is nothing.
    pub fn narrowed(&self) -> bool {
        self.query
            .iter()
            .any(|(k, _)| k != "sort" && k != "per_page")
    }

    fn href(&self, change: &str, value: Option<&str>) -> String {
        let kept = self
            .query
            .iter()
            .filter(|(k, _)| k != change && k != "page")
            .cloned();
        let changed = value.map(|v| (change.to_owned(), v.to_owned()));
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (key, value) in kept.chain(changed) {
            query.append_pair(&key, &value);
        }
        let query = query.finish();
        if query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{query}", self.path)
        }
    }

    /// A column head that sorts by `field`; pressed again it turns the order. `class` is the cell's.
    pub fn th(&self, field: &str, word: &str, class: &str) -> Html {
        let (state, next, icon) = if self.sort == *field {
            (
                r#" aria-sort="ascending""#,
                format!("-{field}"),
                "chevron-up",
            )
        } else if self.sort.strip_prefix('-') == Some(field) {
            (
                r#" aria-sort="descending""#,
                field.to_owned(),
                "chevron-down",
            )
        } else {
            ("", field.to_owned(), "")
        };
        let icon = if icon.is_empty() {
            String::new()
        } else {
            super::parts::Icon(icon)
                .to_string()
                .replace(r#"class="i""#, r#"class="i s""#)
        };
        let href = escape(&self.href("sort", Some(&next)));
        Html(format!(
            r#"<th scope="col" class="{class}"{state}><a href="{href}">{}{icon}</a></th>"#,
            escape(word)
        ))
    }

    /// The list without one of its filters.
    pub fn without(&self, parameter: &str) -> String {
        self.href(parameter, None)
    }

    /// The list with one parameter set, on its first page.
    pub fn with(&self, parameter: &str, value: &str) -> String {
        self.href(parameter, Some(value))
    }

    /// Another page of the list.
    pub fn page_href(&self, page: impl Bare<u64>) -> String {
        self.href("page", Some(&page.bare().to_string()))
    }

    /// The whole list as CSV.
    pub fn csv(&self) -> String {
        self.href("format", Some("csv"))
    }

    /// What forms that change one thing must send along.
    pub fn hidden(&self, but: &str) -> Vec<(String, String)> {
        self.query
            .iter()
            .filter(|(k, _)| k != but && k != "page")
            .cloned()
            .collect()
    }

    /// The value of one parameter, or nothing.
    pub fn value(&self, parameter: &str) -> &str {
        self.query
            .iter()
            .find(|(k, _)| k == parameter)
            .map_or("", |(_, v)| v)
    }

    /// "69 sites", "at least 10,000 sites".
    pub fn total_words(&self, one: &str, many: &str) -> String {
        let said = words::count(self.total, one, many);
        if self.at_least {
            format!("at least {said}")
        } else {
            said
        }
    }

    /// The pages worth a link: the first, the last, and those around the one shown; 0 stands for a gap.
    pub fn near(&self) -> Vec<u64> {
        let mut near = Vec::new();
        for page in 1..=self.pages.min(10_000) {
            let shown = page == 1 || page == self.pages || page.abs_diff(self.page) <= 1;
            if shown {
                near.push(page);
            } else if near.last() != Some(&0) {
                near.push(0);
            }
        }
        near
    }
}

/// The filters of the URL, in words.
fn chips(pairs: &[(String, String)]) -> Vec<FilterChip> {
    pairs
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .filter_map(|(name, value)| {
            let inner = name.strip_prefix("filter[")?.strip_suffix(']')?;
            let (field, op) = inner.split_once("][").unwrap_or((inner, "eq"));
            let op = match op {
                "eq" | "in" => "",
                "ne" => " not",
                "lt" | "lte" => " up to",
                "gt" | "gte" => " from",
                "null" => " absent",
                _ => " with",
            };
            let field = words::sentence(&field.trim_end_matches("_id").replace('_', " "));
            Some(FilterChip {
                key: format!("{field}{op}"),
                value: value.replace(',', ", ").replace('_', " "),
                parameter: name.clone(),
            })
        })
        .collect()
}

/// The pairs that a list understands: empty ones, as forms send them, are left out.
pub fn asked(pairs: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    pairs
        .iter()
        .filter(|(_, v)| !v.is_empty())
        .map(|(k, v)| (k.as_str(), v.as_str()))
}

/// The view that is asked for, "" for the usual one, and the other pairs, as [`asked`] gives them.
///
/// # Errors
/// [`Error::Invalid`] for a view that isn't one of `views`, each a word and a name.
pub fn viewed<'a>(
    pairs: &'a [(String, String)],
    views: &[(&str, &str)],
) -> Result<(&'a str, Vec<(&'a str, &'a str)>)> {
    let (named, others): (Vec<_>, Vec<_>) = asked(pairs).partition(|(k, _)| *k == "view");
    let known = |name: &str| views.iter().any(|(_, known)| *known == name);
    if let Some((_, strange)) = named.iter().find(|(_, name)| !known(name)) {
        let names: Vec<_> = views.iter().map(|(_, name)| *name).collect();
        let names = names.join(", ");
        let detail = format!("view must be one of {names}, not {strange:?}.");
        return Err(Error::Invalid(vec![Fault::new("?view", "invalid", detail)]));
    }
    Ok((named.first().map_or("", |(_, v)| v), others))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> Listing {
        Listing {
            path: "/sites".into(),
            query: vec![("q".into(), "a b".into()), ("sort".into(), "name".into())],
            page: 5,
            pages: 9,
            sort: "name".into(),
            ..Listing::default()
        }
    }

    #[test]
    fn links_keep_everything_but_what_they_change() {
        assert_eq!(list().page_href(6), "/sites?q=a+b&sort=name&page=6");
        assert_eq!(list().without("q"), "/sites?sort=name");
        assert!(list().th("name", "Site", "").0.contains("sort=-name"));
        assert!(
            list()
                .th("name", "Site", "")
                .0
                .contains("aria-sort=\"ascending\"")
        );
    }

    #[test]
    fn far_pages_are_left_out() {
        assert_eq!(list().near(), [1, 0, 4, 5, 6, 0, 9]);
    }
}
