//! How `q` is found: a text that contains another, whatever its case. Where all is in sight an index of
//! three letters in a row tells the rows that have it, if they are few; else rows are read one by one and
//! compared. Both fold letters alike, by functions that every connection is taught. Knows no list.

use std::collections::BTreeMap;

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, Result};

use crate::domain::fold::fold;

/// Letters in a term of the index.
const LETTERS: usize = 3;

/// Rows that an index may leave to be sorted. Where more have the text the list is read in its order:
/// the page is full before long, or at worst where the list ends.
pub const FEW: i64 = 2_000;

/// Teaches a connection `fold(text)`, by which the triggers of an index write, and `holds(text, folded)`
/// and `begins(text, folded)`: whether the text contains the other, or begins with it.
///
/// # Errors
/// What SQLite says.
pub fn teach(db: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    db.create_scalar_function("fold", 1, flags, folded)?;
    db.create_scalar_function("holds", 2, flags, |given| {
        let wanted = given.get_raw(1).as_str()?;
        Ok(folded(given)?.map(|text| text.contains(wanted)))
    })?;
    db.create_scalar_function("begins", 2, flags, |given| {
        let wanted = given.get_raw(1).as_str()?;
        Ok(folded(given)?.map(|text| text.starts_with(wanted)))
    })
}

fn folded(given: &Context<'_>) -> Result<Option<String>> {
    Ok(given.get_raw(0).as_str_or_null()?.map(fold))
}

/// The statement that counts what the index tells, one beyond [`FEW`]: rows, or of one letter or two
/// the places where they stand.
pub(super) fn counted(index: &str, q: &str, bind: impl FnMut(Sql) -> String) -> String {
    let ids = ids(index, q, bind);
    format!("SELECT count(*) FROM ({ids} LIMIT {})", FEW + 1)
}

/// The condition for the rows that the index tells.
pub(super) fn found(id: &str, index: &str, q: &str, bind: impl FnMut(Sql) -> String) -> String {
    format!("{id} IN ({})", ids(index, q, bind))
}

/// The query for the ids of rows that have the text: the index's terms are in `{index}_terms`.
fn ids(index: &str, q: &str, mut bind: impl FnMut(Sql) -> String) -> String {
    let text = fold(q);
    if text.chars().count() >= LETTERS {
        let phrase = bind(Sql::Text(format!("\"{}\"", text.replace('"', "\"\""))));
        return format!("SELECT rowid FROM {index} WHERE {index} MATCH {phrase}");
    }
    // Fewer letters than a term has: terms that begin with them.
    let end = bind(Sql::Text(format!("{text}{}", char::MAX)));
    let start = bind(Sql::Text(text));
    format!("SELECT doc FROM {index}_terms WHERE term >= {start} AND term < {end}")
}

/// The condition for rows that are read one by one: a column has the text.
pub(super) fn compared(columns: &[&str], q: &str, mut bind: impl FnMut(Sql) -> String) -> String {
    let each: Vec<_> = columns
        .iter()
        .map(|column| holds(column, q, &mut bind))
        .collect();
    format!("({})", each.join(" OR "))
}

/// The condition for a column that contains the text.
pub(super) fn holds(column: &str, text: &str, mut bind: impl FnMut(Sql) -> String) -> String {
    format!("holds({column}, {})", bind(Sql::Text(fold(text))))
}

/// The condition for a column that begins with the text.
pub(super) fn begins(column: &str, text: &str, mut bind: impl FnMut(Sql) -> String) -> String {
    format!("begins({column}, {})", bind(Sql::Text(fold(text))))
}

/// An index, and the texts that it should have.
pub(super) struct Index {
    /// What it is for.
    pub about: &'static str,
    terms: &'static str,
    /// The query for (id and column, text).
    pub texts: &'static str,
}

/// Every index.
pub(super) const INDEXES: [Index; 2] = [
    Index {
        about: "what a search finds of each site",
        terms: "SELECT doc, col, offset, unicode(term) FROM sites_search_terms",
        texts: "SELECT id || ' name', fold(name) FROM sites WHERE name <> ''
            UNION ALL SELECT id || ' url', fold(url) FROM sites WHERE url <> ''",
    },
    Index {
        about: "what a search finds of each module",
        terms: "SELECT doc, col, offset, unicode(term) FROM modules_search_terms",
        texts: "SELECT id || ' name', fold(name) FROM modules WHERE name <> ''
            UNION ALL SELECT id || ' title', fold(title) FROM modules WHERE title <> ''",
    },
];

/// The texts that an index has, by id and column: a term stands where its first letter stands.
pub(super) fn spelt(db: &Connection, index: &Index) -> Result<BTreeMap<String, String>> {
    let mut letters: BTreeMap<(i64, String), Vec<(u32, u32)>> = BTreeMap::new();
    let mut query = db.prepare(index.terms)?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let text = letters.entry((row.get(0)?, row.get(1)?)).or_default();
        text.push((row.get(2)?, row.get(3)?));
    }
    let spell = |((id, column), mut letters): ((i64, String), Vec<(u32, u32)>)| {
        letters.sort_unstable();
        let letters = letters.into_iter();
        let text = letters.filter_map(|(_, letter)| char::from_u32(letter));
        (format!("{id} {column}"), text.collect())
    };
    Ok(letters.into_iter().map(spell).collect())
}
