//! How what was promised is counted: compliance, the middle, and how long nine of ten took. One rule for
//! dashboards, reports and pages.

use super::exposure::Outcome;

/// Windows that were due in a span of time, by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compliance {
    /// Closed in time.
    pub met: i64,
    /// Closed late.
    pub breached: i64,
    /// Still open, and past due.
    pub overdue: i64,
    /// Still open, with time left.
    pub ahead: i64,
}

impl Compliance {
    /// Counts one window with a due time, milliseconds. What was withdrawn or ended counts nowhere.
    pub fn count(&mut self, outcome: Option<Outcome>, due_at: i64, now: i64) {
        match outcome {
            Some(Outcome::Met) => self.met += 1,
            Some(Outcome::Breached) => self.breached += 1,
            Some(Outcome::Withdrawn | Outcome::Ended) => {}
            None if due_at < now => self.overdue += 1,
            None => self.ahead += 1,
        }
    }

    /// All that were due.
    pub fn due(&self) -> i64 {
        self.met + self.breached + self.overdue + self.ahead
    }

    /// met / (met + breached + overdue), to the ten-thousandth; `None` where nothing was to be judged yet.
    /// Less than all is never told as 1, nor more than nothing as 0.
    pub fn share(&self) -> Option<f64> {
        let judged = self.met + self.breached + self.overdue;
        (judged > 0).then(|| told(self.met as f64 / judged as f64, 10_000.0))
    }
}

/// The value that so many percent don't exceed, of values in order: the nearest rank, so always one that
/// occurred. `None` where there is none.
pub fn rank(sorted: &[i64], percent: usize) -> Option<i64> {
    let at = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(at).copied()
}

/// Milliseconds as hours, to the hundredth.
pub fn hours(milliseconds: i64) -> f64 {
    (milliseconds as f64 / 36_000.0).round() / 100.0
}

/// A share in so many equal steps. What is less than all stays below the last one, what is more than
/// nothing above the first.
pub fn told(share: f64, steps: f64) -> f64 {
    let near = (share * steps).round();
    let step = if share > 0.0 && share < 1.0 {
        near.clamp(1.0, steps - 1.0)
    } else {
        near
    };
    step / steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_rank_is_a_value_that_occurred() {
        assert_eq!(rank(&[], 50), None);
        assert_eq!(rank(&[7], 50), Some(7));
        assert_eq!(rank(&[1, 2, 3, 4], 50), Some(2));
        assert_eq!(rank(&[1, 2, 3, 4], 90), Some(4));
        let ten: Vec<i64> = (1..=10).collect();
        assert_eq!((rank(&ten, 50), rank(&ten, 90)), (Some(5), Some(9)));
    }

    #[test]
    fn what_is_overdue_counts_against_it_and_what_has_time_left_does_not() {
        let mut found = Compliance::default();
        for outcome in [
            Some(Outcome::Met),
            Some(Outcome::Withdrawn),
            Some(Outcome::Ended),
        ] {
            found.count(outcome, 5, 10);
        }
        found.count(Some(Outcome::Breached), 5, 10);
        found.count(None, 9, 10);
        found.count(None, 10, 10);
        assert_eq!((found.due(), found.share()), (4, Some(0.3333)));
        assert_eq!(Compliance::default().share(), None);
    }

    #[test]
    fn less_than_all_is_never_all_and_more_than_nothing_never_nothing() {
        let share = |met, breached| {
            let found = Compliance {
                met,
                breached,
                ..Compliance::default()
            };
            found.share()
        };
        assert_eq!(share(99_999, 1), Some(0.9999));
        assert_eq!(share(1, 99_999), Some(0.0001));
        assert_eq!((share(3, 0), share(0, 3)), (Some(1.0), Some(0.0)));
        assert_eq!((told(0.9996, 1_000.0), told(0.996, 100.0)), (0.999, 0.99));
    }
}
