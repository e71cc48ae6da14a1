//! Instants as the store keeps them: whole milliseconds since 1970.

use jiff::Timestamp;

/// An instant as it is stored.
pub fn ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// A stored instant. What lies outside the calendar becomes its nearest end.
pub fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}
