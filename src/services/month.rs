//! What was promised for a month, and what became of it: the rule of the overview, as a page and for
//! programs. Of production alone, by the day on which a window is due.

use jiff::{Timestamp, ToSpan, tz::TimeZone};

use crate::domain::access::Sight;
use crate::domain::figures::Compliance;
use crate::domain::report::{DAY, start_of};
use crate::store::{Connection, Result, overview as store};

/// A month (UTC): its first millisecond, and the first one after it.
pub(super) type Month = (i64, i64);

/// The month in which `now` lies.
pub(super) fn of(now: Timestamp) -> Month {
    let day = now.to_zoned(TimeZone::UTC).date();
    let next = day.last_of_month().tomorrow().unwrap_or(day);
    (start_of(day.first_of_month()), start_of(next))
}

/// The month before that.
pub(super) fn before(now: Timestamp) -> Month {
    let day = now.to_zoned(TimeZone::UTC).date().first_of_month();
    let before = day.checked_sub(1.month()).unwrap_or(day);
    (start_of(before), start_of(day))
}

/// What became of the windows of production that are due in a month, whole.
pub(super) fn due(
    db: &Connection,
    sight: &Sight,
    month: Month,
    now: Timestamp,
) -> Result<Compliance> {
    let days = (month.0 / DAY, month.1 / DAY - 1);
    store::due(db, sight, days, now.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_on_their_first_day_and_end_where_the_next_begins() {
        let now = "2026-03-31T09:00:00Z".parse().unwrap();
        let said = |at| Timestamp::from_millisecond(at).unwrap().to_string();
        let ((from, until), (last_from, last_until)) = (of(now), before(now));
        assert_eq!(said(from), "2026-03-01T00:00:00Z");
        assert_eq!(said(until), "2026-04-01T00:00:00Z");
        assert_eq!(said(last_from), "2026-02-01T00:00:00Z");
        assert_eq!(last_until, from);
    }
}
