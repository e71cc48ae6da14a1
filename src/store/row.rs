//! How columns are read back: times are kept as milliseconds, lists as JSON.

use jiff::Timestamp;
use rusqlite::Row;

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
    let text: Option<String> = row.get(column)?;
    Ok(text
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default())
}

/// A standing kept as its rank; a rank that isn't one can't be judged.
pub fn standing(row: &Row<'_>, column: &str) -> rusqlite::Result<Standing> {
    Ok(Standing::from_rank(row.get(column)?).unwrap_or(Standing::Unknown))
}
