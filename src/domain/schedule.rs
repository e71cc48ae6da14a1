//! When drupal.org is asked again about a module. Pure arithmetic on instants: it knows no clock, no
//! network, and not what was answered beyond whether it was good.
//!
//! A module is asked on a grid of its own: the hour (and the five minutes of the release window) is
//! divided among the modules by their id, so that requests never bunch, however many sites made their
//! modules known at the same moment.

use jiff::{SignedDuration, Timestamp};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How often every tracked module is asked. The promise is "at least hourly"; five minutes are kept
/// for queues, slow answers and the pace of the client.
const ROUTINE: i64 = 55 * MINUTE;
/// How often a module in use is asked in the release window; also the least time between two requests
/// that somebody's curiosity may cause for one module.
const BRISK: i64 = 5 * MINUTE;
/// 97 % of the security advisories come on a Wednesday, 90 % in these hours (UTC).
const WINDOW_OPENS: i64 = 15 * HOUR;
const WINDOW_CLOSES: i64 = 19 * HOUR;
/// Days from the epoch to its first Wednesday: 1970-01-01 was a Thursday.
const FIRST_WEDNESDAY: i64 = 6;

/// How often the listing of advisories is looked at, outside the window and in it.
const LOOK: i64 = 15 * MINUTE;
const LOOK_IN_WINDOW: i64 = 2 * MINUTE;
/// The longest pause between looks that fail, outside the window and in it.
const LOOK_BACK_OFF: i64 = 30 * MINUTE;
const LOOK_BACK_OFF_IN_WINDOW: i64 = 4 * MINUTE;

/// The longest pause after failures, outside the window and in it.
const BACK_OFF: i64 = HOUR;
const BACK_OFF_IN_WINDOW: i64 = 15 * MINUTE;
/// A `Retry-After` beyond this is taken for a mistake.
const LONGEST_WISH: i64 = DAY;

/// What the next check of a module depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// The module's id: it decides the module's place in the hour.
    pub id: i64,
    /// False for custom code and libraries, whose names are never sent anywhere.
    pub looked_up: bool,
    /// Some site runs it.
    pub in_use: bool,
}

/// How the last request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A document, or the word that the one we have is still the newest.
    Good,
    /// There is no such project: for the how manieth time in a row (1 = the first).
    Absent {
        /// Such answers in a row, this one included.
        in_a_row: u32,
    },
    /// No usable answer.
    Failed {
        /// Failures in a row, this one included.
        in_a_row: u32,
        /// How long the server asked us to wait.
        retry_after: Option<SignedDuration>,
    },
}

/// When to ask next, after an answer that came at `now`. `None`: never.
///
/// - Every module at least hourly; a module in use every 5 minutes in the release window (Wednesdays,
///   15:00 to 19:00 UTC), the first time within the window's first 5 minutes.
/// - A name that drupal.org doesn't know: after 1, 3, 7 days, then every 7.
/// - After failures: 1, 2, 4, … minutes, at most 60 (15 in the window). A longer `Retry-After` wins.
pub fn next_check(now: Timestamp, subject: Subject, outcome: Outcome) -> Option<Timestamp> {
    if !subject.looked_up {
        return None;
    }
    let now = now.as_millisecond();
    let next = match outcome {
        Outcome::Good => routine(now, subject),
        Outcome::Absent { in_a_row } => now + patience(in_a_row),
        Outcome::Failed {
            in_a_row,
            retry_after,
        } => {
            let wish = retry_after.map_or(0, |wait| whole_millis(wait).clamp(0, LONGEST_WISH));
            back_off(now, subject, in_a_row).max(now + wish)
        }
    };
    Some(instant(next))
}

/// When to ask about a module that was never asked, or whose stored history doesn't list a version
/// that a site runs: at once, but at most every 5 minutes a module.
pub fn due_at_once(now: Timestamp, last_asked_at: Option<Timestamp>) -> Timestamp {
    match last_asked_at {
        // A request dated in the future is a clock that was set back, not a reason to wait for it.
        Some(last) if last <= now => instant(last.as_millisecond() + BRISK).max(now),
        _ => now,
    }
}

/// When the listing of advisories is looked at again, after a look at `now` that ended well.
///
/// Every 15 minutes, every 2 in the release window, and the first time within the window's first 2.
pub fn next_look(now: Timestamp) -> Timestamp {
    let now_ms = now.as_millisecond();
    if in_release_window(now) {
        return instant(now_ms + LOOK_IN_WINDOW);
    }
    instant((now_ms + LOOK).min(first_look(now_ms)))
}

/// The same after a look that failed, for the how manieth time in a row (1 = the first): 1, 2, 4, …
/// minutes, at most 30 (4 in the window). A longer `Retry-After` wins.
pub fn next_look_after_failure(
    now: Timestamp,
    in_a_row: u32,
    retry_after: Option<SignedDuration>,
) -> Timestamp {
    let now_ms = now.as_millisecond();
    let in_window = in_release_window(now);
    let cap = if in_window {
        LOOK_BACK_OFF_IN_WINDOW
    } else {
        LOOK_BACK_OFF
    };
    let wait = (MINUTE << in_a_row.saturating_sub(1).min(10)).min(cap);
    let next = if in_window {
        now_ms + wait
    } else {
        (now_ms + wait).min(first_look(now_ms))
    };
    let wish = retry_after.map_or(0, |wait| whole_millis(wait).clamp(0, LONGEST_WISH));
    instant(next.max(now_ms + wish))
}

/// The first look in the coming window: installations differ in it, so that they don't all ask at once.
fn first_look(now: i64) -> i64 {
    let opens = window_opening(now);
    opens + share_of(LOOK_IN_WINDOW, now)
}

/// Whether `at` lies in the release window.
pub fn in_release_window(at: Timestamp) -> bool {
    let at = at.as_millisecond();
    let opens = window_opening(at);
    (opens..opens + WINDOW_CLOSES - WINDOW_OPENS).contains(&at)
}

fn routine(now: i64, subject: Subject) -> i64 {
    let next = slot_after(now, ROUTINE, subject.id);
    if !subject.in_use {
        return next;
    }
    let opens = window_opening(now);
    if now < opens && next >= opens {
        // Less than five minutes later than the routine, and no second request right after it.
        opens + share_of(BRISK, subject.id)
    } else {
        next.min(window_slot_after(now, subject.id))
    }
}

fn back_off(now: i64, subject: Subject, in_a_row: u32) -> i64 {
    let in_window = subject.in_use && in_release_window(instant(now));
    let cap = if in_window {
        BACK_OFF_IN_WINDOW
    } else {
        BACK_OFF
    };
    let doubled = MINUTE << in_a_row.saturating_sub(1).min(10);
    // Up to a quarter sooner, by id: what failed together doesn't come back together.
    let wait = doubled.min(cap);
    let next = now + wait - share_of(wait / 4, subject.id);
    // A failure before the window must not sleep through its beginning.
    if subject.in_use && !in_window {
        next.min(window_slot_after(now, subject.id))
    } else {
        next
    }
}

/// The pause after the nth answer "no such project".
fn patience(in_a_row: u32) -> i64 {
    match in_a_row {
        0 | 1 => DAY,
        2 => 3 * DAY,
        _ => 7 * DAY,
    }
}

/// The module's next place in the running or coming release window.
fn window_slot_after(now: i64, id: i64) -> i64 {
    let opens = window_opening(now);
    let next = if now < opens {
        opens + share_of(BRISK, id)
    } else {
        slot_after(now, BRISK, id)
    };
    if next < opens + WINDOW_CLOSES - WINDOW_OPENS {
        next
    } else {
        opens + 7 * DAY + share_of(BRISK, id)
    }
}

/// The opening of the release window that is running or comes next.
fn window_opening(at: i64) -> i64 {
    let week = (at - FIRST_WEDNESDAY * DAY).div_euclid(7 * DAY);
    let opens = week * 7 * DAY + FIRST_WEDNESDAY * DAY + WINDOW_OPENS;
    if at < opens + WINDOW_CLOSES - WINDOW_OPENS {
        opens
    } else {
        opens + 7 * DAY
    }
}

/// The module's next place in a grid of `period`. Where that is less than a fifth of a period away
/// (somebody asked out of turn), one request comes half way to the place after it, and the grid is met
/// again from there: no gap is longer than a period, none shorter than a fifth.
fn slot_after(now: i64, period: i64, id: i64) -> i64 {
    let gap = period - (now - share_of(period, id)).rem_euclid(period);
    if gap < period / 5 {
        now + (gap + period) / 2
    } else {
        now + gap
    }
}

/// The part of `span` that belongs to the module, evenly spread whatever the ids: multiples of the
/// golden ratio fill an interval with no two large gaps, in any order of arrival.
fn share_of(span: i64, id: i64) -> i64 {
    const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
    let turn = id.cast_unsigned().wrapping_mul(GOLDEN);
    let share = (u128::from(turn) * u128::from(span.max(0).cast_unsigned())) >> 64;
    i64::try_from(share).unwrap_or(0)
}

fn whole_millis(wait: SignedDuration) -> i64 {
    i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)
}

fn instant(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn used(id: i64) -> Subject {
        Subject {
            id,
            looked_up: true,
            in_use: true,
        }
    }

    fn unused(id: i64) -> Subject {
        Subject {
            in_use: false,
            ..used(id)
        }
    }

    fn good(now: Timestamp, subject: Subject) -> Timestamp {
        next_check(now, subject, Outcome::Good).unwrap()
    }

    fn failed(now: Timestamp, subject: Subject, in_a_row: u32, wait: Option<i64>) -> Timestamp {
        let retry_after = wait.map(SignedDuration::from_secs);
        next_check(
            now,
            subject,
            Outcome::Failed {
                in_a_row,
                retry_after,
            },
        )
        .unwrap()
    }

    #[test]
    fn the_window_is_wednesday_afternoon() {
        for (time, inside) in [
            ("2026-11-24T16:00:00Z", false),
            ("2026-11-25T14:59:59.999Z", false),
            ("2026-11-25T15:00:00Z", true),
            ("2026-11-25T18:59:59.999Z", true),
            ("2026-11-25T19:00:00Z", false),
            ("2026-11-26T16:00:00Z", false),
            ("1969-12-31T16:00:00Z", true),
        ] {
            assert_eq!(in_release_window(at(time)), inside, "{time}");
        }
    }

    #[test]
    fn custom_code_is_never_asked() {
        let custom = Subject {
            looked_up: false,
            ..used(1)
        };
        assert_eq!(
            next_check(at("2026-11-25T16:00:00Z"), custom, Outcome::Good),
            None
        );
    }

    #[test]
    fn an_unknown_name_is_asked_after_1_3_7_days_and_then_every_7() {
        let mut now = at("2026-11-24T10:00:00Z");
        let mut days = Vec::new();
        for in_a_row in 1..=5 {
            let next = next_check(now, used(3), Outcome::Absent { in_a_row }).unwrap();
            days.push((next.as_millisecond() - now.as_millisecond()) / DAY);
            now = next;
        }
        assert_eq!(days, [1, 3, 7, 7, 7]);
    }

    #[test]
    fn failures_are_asked_later_and_later() {
        let now = at("2026-11-24T10:00:00Z");
        for (in_a_row, minutes) in [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (500, 60)] {
            let wait = failed(now, used(9), in_a_row, None).as_millisecond() - now.as_millisecond();
            let most = minutes * MINUTE;
            assert!(wait <= most && wait >= most * 3 / 4, "{in_a_row}: {wait}");
        }
        let inside = at("2026-11-25T16:00:00Z");
        assert!(failed(inside, used(9), 50, None) <= at("2026-11-25T16:15:00Z"));
        assert!(failed(inside, unused(9), 50, None) > at("2026-11-25T16:15:00Z"));
    }

    #[test]
    fn a_longer_retry_after_wins_but_not_a_foolish_one() {
        let now = at("2026-11-25T16:00:00Z");
        assert_eq!(
            failed(now, used(9), 1, Some(7200)),
            at("2026-11-25T18:00:00Z")
        );
        assert!(failed(now, used(9), 5, Some(1)) > at("2026-11-25T16:05:00Z"));
        assert!(failed(now, used(9), 1, Some(-5)) <= at("2026-11-25T16:01:00Z"));
        assert_eq!(
            failed(now, used(9), 1, Some(i64::MAX)),
            at("2026-11-26T16:00:00Z")
        );
    }

    #[test]
    fn a_failure_before_the_window_does_not_sleep_through_its_beginning() {
        let now = at("2026-11-25T14:50:00Z");
        let next = failed(now, used(77), 9, None);
        assert!(next >= at("2026-11-25T15:00:00Z") && next < at("2026-11-25T15:05:00Z"));
    }

    #[test]
    fn at_once_means_at_most_every_five_minutes() {
        let now = at("2026-11-24T10:00:00Z");
        assert_eq!(due_at_once(now, None), now);
        assert_eq!(due_at_once(now, Some(at("2026-11-24T09:00:00Z"))), now);
        assert_eq!(
            due_at_once(now, Some(at("2026-11-24T09:58:00Z"))),
            at("2026-11-24T10:03:00Z")
        );
        assert_eq!(due_at_once(now, Some(at("2027-01-01T00:00:00Z"))), now);
    }

    #[test]
    fn advisories_are_looked_at_every_15_minutes_and_every_2_in_the_window() {
        let gap = |text: &str| next_look(at(text)).duration_since(at(text)).as_secs();
        assert_eq!(gap("2026-11-24T10:00:00Z"), 15 * 60);
        assert_eq!(gap("2026-11-25T16:00:00Z"), 2 * 60);
        assert_eq!(gap("2026-11-25T18:59:59Z"), 2 * 60);
        assert_eq!(gap("2026-11-25T19:00:00Z"), 15 * 60);
        let opening = next_look(at("2026-11-25T14:50:00Z"));
        assert!(opening >= at("2026-11-25T15:00:00Z") && opening < at("2026-11-25T15:02:00Z"));

        let failed = |text: &str, in_a_row, wait: Option<i64>| {
            let next =
                next_look_after_failure(at(text), in_a_row, wait.map(SignedDuration::from_secs));
            next.duration_since(at(text)).as_secs()
        };
        for (in_a_row, outside, inside) in [(1, 1, 1), (2, 2, 2), (4, 8, 4), (99, 30, 4)] {
            assert_eq!(failed("2026-11-24T10:00:00Z", in_a_row, None), outside * 60);
            assert_eq!(failed("2026-11-25T16:00:00Z", in_a_row, None), inside * 60);
        }
        assert!(failed("2026-11-25T14:50:00Z", 9, None) < 12 * 60);
        assert_eq!(failed("2026-11-25T16:00:00Z", 1, Some(7200)), 7200);
    }

    #[test]
    fn a_thousand_modules_are_spread_evenly() {
        let now = at("2026-11-25T14:59:59Z");
        let mut half_minutes = [0_u32; 10];
        for id in 1..=1000 {
            let into = good(now, used(id)).duration_since(at("2026-11-25T15:00:00Z"));
            half_minutes[usize::try_from(into.as_secs() / 30).unwrap()] += 1;
        }
        assert!(
            half_minutes.iter().all(|n| (95..=105).contains(n)),
            "{half_minutes:?}"
        );

        let mut places = [0_u32; 11];
        for id in 1..=1000 {
            // Twice: the first may come half way between two places of the grid.
            let next = good(good(at("2026-11-24T10:00:00Z"), used(id)), used(id));
            let into = next.as_millisecond().rem_euclid(ROUTINE);
            places[usize::try_from(into / (5 * MINUTE)).unwrap()] += 1;
        }
        assert!(places.iter().all(|n| (85..=97).contains(n)), "{places:?}");
    }

    #[test]
    fn a_module_whose_place_is_at_the_very_end_of_the_hour_waits_no_longer() {
        let subject = used(8_607_686_356_578_211_784);
        let mut now = instant(3_084_318_893_640);
        for _ in 0..40 {
            let next = good(now, subject);
            assert!((1..=HOUR).contains(&(next.as_millisecond() - now.as_millisecond())));
            now = next;
        }
    }

    proptest! {
        #[test]
        fn no_gap_is_longer_than_an_hour(id in any::<i64>(), start in 0..4_000_000_000_000_i64, in_use: bool) {
            let subject = Subject { in_use, ..used(id) };
            let mut now = instant(start);
            for _ in 0..40 {
                let next = good(now, subject);
                let gap = next.as_millisecond() - now.as_millisecond();
                prop_assert!((1..=HOUR).contains(&gap), "{gap}");
                now = next;
            }
        }

        #[test]
        fn in_the_window_a_module_in_use_is_asked_every_five_minutes(id in any::<i64>(), before in 0..HOUR) {
            let opens = at("2026-11-25T15:00:00Z");
            let closes = at("2026-11-25T19:00:00Z");
            let mut now = instant(opens.as_millisecond() - before);
            let mut last = opens;
            while now < closes {
                now = good(now, used(id));
                if now >= opens && now < closes {
                    prop_assert!(now.as_millisecond() - last.as_millisecond() <= BRISK);
                    last = now;
                }
            }
            prop_assert!(closes.as_millisecond() - last.as_millisecond() <= BRISK);
        }

        #[test]
        fn after_a_failure_it_is_never_sooner_than_asked_and_never_later_than_an_hour(
            id in any::<i64>(), start in 0..4_000_000_000_000_i64, in_a_row in any::<u32>(), wait in 0..3600_i64, in_use: bool,
        ) {
            let now = instant(start);
            let next = failed(now, Subject { in_use, ..used(id) }, in_a_row, Some(wait));
            let gap = next.as_millisecond() - start;
            prop_assert!(gap >= wait * SECOND && gap <= HOUR);
        }

        #[test]
        fn nothing_overflows(id in any::<i64>(), nanos in any::<i64>(), wait in any::<i64>(), in_a_row in any::<u32>()) {
            let now = Timestamp::from_nanosecond(i128::from(nanos)).unwrap();
            for now in [now, Timestamp::MIN, Timestamp::MAX] {
                failed(now, used(id), in_a_row, Some(wait));
                good(now, used(id));
                due_at_once(now, Some(now));
                next_look(now);
                next_look_after_failure(now, in_a_row, Some(SignedDuration::from_secs(wait)));
            }
        }
    }
}
