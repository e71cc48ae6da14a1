//! How `q` is found: a text that contains another, whatever its case. Where all is in sight an index of
//! three letters in a row finds it, kept by triggers when a name changes; where the wall or the path
//! leaves few rows these are read one by one. Both find the same.

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::Value as Sql;

/// Letters in a term of the index.
const LETTERS: usize = 3;

/// Teaches a connection `holds(text, folded)`: whether the text contains it, whatever its case.
///
/// # Errors
/// What SQLite says.
pub fn teach(db: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    db.create_scalar_function("holds", 2, flags, |given| {
        let (text, wanted) = (
            given.get_raw(0).as_str_or_null()?,
            given.get_raw(1).as_str()?,
        );
        Ok(fold(text.unwrap_or_default()).contains(wanted))
    })
}

/// The condition for the rows that an index finds: `table` is the index, `table_terms` its terms.
pub(super) fn found(id: &str, table: &str, q: &str, mut bind: impl FnMut(Sql) -> String) -> String {
    if q.chars().count() >= LETTERS {
        let phrase = bind(Sql::Text(format!("\"{}\"", q.replace('"', "\"\""))));
        return format!("{id} IN (SELECT rowid FROM {table} WHERE {table} MATCH {phrase})");
    }
    // Fewer letters than a term has: terms that begin with them.
    let start = fold(q);
    let end = bind(Sql::Text(format!("{start}{}", char::MAX)));
    let start = bind(Sql::Text(start));
    format!("{id} IN (SELECT doc FROM {table}_terms WHERE term >= {start} AND term < {end})")
}

/// The condition for rows that are read one by one.
pub(super) fn compared(columns: &[&str], q: &str, mut bind: impl FnMut(Sql) -> String) -> String {
    let wanted = bind(Sql::Text(fold(q)));
    let each: Vec<_> = columns
        .iter()
        .map(|column| format!("holds({column}, {wanted})"))
        .collect();
    format!("({})", each.join(" OR "))
}

/// Letter by letter, as the index does it: a letter whose small form is several stays.
fn fold(text: &str) -> String {
    let small = |letter: char| {
        let mut forms = letter.to_lowercase();
        match (forms.next(), forms.next()) {
            (Some(form), None) => form,
            _ => letter,
        }
    };
    text.chars().map(small).collect()
}
