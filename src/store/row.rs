//! How columns are read back: times are kept as milliseconds, lists as JSON.

use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::FromSql;

use crate::domain::site_status::Standing;

/// A time kept as milliseconds since 1970.
pub fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    Ok(instant(row.get(column)?))
}

/// A time that can be absent.
pub fn maybe_time(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(instant))
}

fn instant(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A list of texts kept as JSON; what isn't one is an empty list.
pub fn texts(row: &Row<'_>, column: &str) -> rusqlite::Result<Vec<String>> {
    Ok(read_texts(row.get(column)?))
}

/// A standing kept as its rank; a rank that isn't one can't be judged.
pub fn standing(row: &Row<'_>, column: &str) -> rusqlite::Result<Standing> {
    Ok(Standing::from_rank(row.get(column)?).unwrap_or(Standing::Unknown))
}

/// A row's columns one after the other, in the order of the statement: for rows that are read by the
/// hundred, where looking up each column's name costs as much as finding the row.
#[derive(Debug)]
pub struct InOrder<'r, 's> {
    row: &'r Row<'s>,
    next: usize,
}

impl<'r, 's> InOrder<'r, 's> {
    /// From the first column on.
    pub fn of(row: &'r Row<'s>) -> Self {
        Self { row, next: 0 }
    }

    /// The next column.
    ///
    /// # Errors
    /// Where there is none, or it isn't of that kind.
    pub fn value<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        let value = self.row.get(self.next)?;
        self.next += 1;
        Ok(value)
    }

    /// The next, a time.
    ///
    /// # Errors
    /// As [`InOrder::value`].
    pub fn time(&mut self) -> rusqlite::Result<Timestamp> {
        Ok(instant(self.value()?))
    }

    /// The next, a time that can be absent.
    ///
    /// # Errors
    /// As [`InOrder::value`].
    pub fn maybe_time(&mut self) -> rusqlite::Result<Option<Timestamp>> {
        Ok(self.value::<Option<i64>>()?.map(instant))
    }

    /// The next, a list of texts; what isn't one is an empty list.
    ///
    /// # Errors
    /// As [`InOrder::value`].
    pub fn texts(&mut self) -> rusqlite::Result<Vec<String>> {
        Ok(read_texts(self.value()?))
    }

    /// The next, a standing.
    ///
    /// # Errors
    /// As [`InOrder::value`].
    pub fn standing(&mut self) -> rusqlite::Result<Standing> {
        Ok(Standing::from_rank(self.value()?).unwrap_or(Standing::Unknown))
    }
}

fn read_texts(text: Option<String>) -> Vec<String> {
    match text.as_deref() {
        None | Some("[]") => Vec::new(),
        Some(text) => serde_json::from_str(text).unwrap_or_default(),
    }
}
