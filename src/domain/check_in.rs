//! When a site is expected to speak, and when its silence is worth telling.

use jiff::{SignedDuration, Timestamp};

/// What a site may be late beyond two of its intervals.
const GRACE: SignedDuration = SignedDuration::from_mins(10);

/// The instant after which a site that was last heard of at `last` is silent: two of its intervals
/// (in minutes) and ten minutes later.
pub fn silent_after(last: Timestamp, interval_minutes: i64) -> Timestamp {
    let wait = SignedDuration::from_mins(interval_minutes.saturating_mul(2)) + GRACE;
    last.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// When a site that spoke at `now` is asked to speak next: within one interval, at the site's own
/// place in it. Places are handed out in the order of the sites' ids, so that sites that speak one
/// after the other lie side by side in the table.
pub fn next_check_in(now: Timestamp, interval_minutes: i64, site: i64, newest: i64) -> Timestamp {
    let interval = interval_minutes.max(1).saturating_mul(60_000);
    let sites = newest.max(site).max(1);
    let place = i64::try_from(i128::from(interval) * i128::from(site.max(0)) / i128::from(sites))
        .unwrap_or(0)
        .rem_euclid(interval);
    let now = now.as_millisecond();
    let mut next = now - now.rem_euclid(interval) + place;
    // Not before half an interval has passed, so that no site is asked twice in a row.
    while next <= now + interval / 2 {
        next += interval;
    }
    Timestamp::from_millisecond(next.min(now + interval)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(ms).unwrap()
    }

    proptest! {
        #[test]
        fn the_next_check_in_is_within_one_interval(
            now in 0_i64..4_000_000_000_000, minutes in 5_i64..10_080, site in 1_i64..1_000, newest in 1_i64..1_000,
        ) {
            let next = next_check_in(at(now), minutes, site, newest);
            let wait = next.as_millisecond() - now;
            prop_assert!(wait > minutes * 30_000 && wait <= minutes * 60_000);
        }
    }

    #[test]
    fn neighbours_in_the_table_are_neighbours_in_time() {
        let now = at(1_790_000_000_000);
        let places: Vec<i64> = (1..=60)
            .map(|site| {
                next_check_in(now, 60, site, 60)
                    .as_millisecond()
                    .rem_euclid(3_600_000)
            })
            .collect();
        let steps = places.windows(2).filter(|pair| pair[0] <= pair[1]).count();
        assert!(steps >= 28, "most neighbours follow each other: {places:?}");
    }

    #[test]
    fn silence_begins_after_two_intervals_and_ten_minutes() {
        assert_eq!(silent_after(at(0), 60), at(130 * 60_000));
    }
}
