//! A time axis: instants at round distances with short words, so many as there is room for.

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};

use super::super::words;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// Distances between marks within a day and within months; beyond, marks are first days of months.
const STEPS: [i64; 9] = [
    HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    4 * DAY,
    7 * DAY,
    14 * DAY,
];
const MONTHS: [i16; 5] = [1, 2, 3, 6, 12];
const YEARS_MOST: usize = 40;

/// From when to when, drawn from `left` to `right`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    pub from: Timestamp,
    pub to: Timestamp,
    pub left: f64,
    pub right: f64,
}

impl Axis {
    /// Where an instant lies; what is beyond an end lies on it.
    pub fn x(&self, at: Timestamp) -> f64 {
        let from = self.from.as_millisecond() as f64;
        let long = (self.to.as_millisecond() as f64 - from).max(1.0);
        let share = (at.as_millisecond() as f64 - from) / long;
        self.left + share.clamp(0.0, 1.0) * (self.right - self.left)
    }

    /// It lies on the axis.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && at <= self.to
    }

    /// Instants and their words, each at least `room` from the next.
    pub fn marks(&self, room: f64) -> Vec<(f64, String)> {
        let most = ((self.right - self.left) / room).floor().max(1.0) as i64;
        let long = self.to.as_millisecond() - self.from.as_millisecond();
        let step = STEPS.into_iter().find(|step| long / step <= most);
        let instants = match step {
            Some(step) => self.every(step),
            None => self.months(long / (30 * DAY) / most),
        };
        let named = |at: Timestamp| {
            let words = match step {
                Some(step) if step < DAY && at.as_millisecond() % DAY != 0 => {
                    words::time_of_day(at)
                }
                Some(_) => words::day(self.to, at),
                None => at.to_zoned(TimeZone::UTC).strftime("%b %Y").to_string(),
            };
            (self.x(at), words)
        };
        instants.into_iter().map(named).collect()
    }

    fn every(&self, step: i64) -> Vec<Timestamp> {
        let first = self.from.as_millisecond().div_euclid(step) * step + step;
        let count = ((self.to.as_millisecond() - first) / step).max(-1) + 1;
        let instants = (0..count).map(|i| Timestamp::from_millisecond(first + i * step));
        instants.filter_map(Result::ok).collect()
    }

    fn months(&self, at_least: i64) -> Vec<Timestamp> {
        let step = MONTHS.into_iter().find(|step| i64::from(*step) > at_least);
        let step = i32::from(step.unwrap_or(24));
        let start = self.from.to_zoned(TimeZone::UTC).date();
        let mut day = Date::new(start.year(), 1, 1).unwrap_or(start);
        let mut found = Vec::new();
        while let Ok(at) = day.to_zoned(TimeZone::UTC) {
            let at = at.timestamp();
            if at > self.to || found.len() > 12 * YEARS_MOST {
                break;
            }
            if at >= self.from {
                found.push(at);
            }
            match day.checked_add(step.months()) {
                Ok(next) => day = next,
                Err(_) => break,
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(from: &str, to: &str) -> Axis {
        Axis {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            left: 0.0,
            right: 800.0,
        }
    }

    fn words_of(from: &str, to: &str) -> Vec<String> {
        let marks = axis(from, to).marks(70.0);
        for pair in marks.windows(2) {
            assert!(pair[1].0 - pair[0].0 >= 69.9, "{marks:?}");
        }
        marks.into_iter().map(|(_, words)| words).collect()
    }

    #[test]
    fn hours_days_and_months_are_marked_as_there_is_room() {
        let hours = words_of("2026-07-01T20:30:00Z", "2026-07-02T05:00:00Z");
        assert_eq!(hours[..4], ["21:00", "22:00", "23:00", "2 Jul"]);
        let days = words_of("2026-07-01T00:00:00Z", "2026-07-31T00:00:00Z");
        assert_eq!(days[0], "2 Jul");
        let year = words_of("2025-08-01T00:00:00Z", "2026-07-24T00:00:00Z");
        assert_eq!(year[0], "Sep 2025");
        let ten = words_of("2016-08-01T00:00:00Z", "2026-07-24T00:00:00Z");
        assert_eq!(ten[0], "Jan 2017");
    }

    #[test]
    fn an_axis_without_length_has_a_place_for_everything() {
        let axis = axis("2026-07-01T00:00:00Z", "2026-07-01T00:00:00Z");
        assert!(axis.x(axis.to).is_finite());
        assert!(axis.marks(70.0).len() <= 1);
    }
}
