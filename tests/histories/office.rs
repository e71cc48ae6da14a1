//! Business hours once more, minute by minute: whatever minute is open counts, and no other.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::model::Minute;

const DAY: Minute = 1_440;
/// 9:00 to 17:00.
const OPEN: std::ops::Range<Minute> = 540..1_020;

/// Where an office is, and on which days (since 1970) it is closed.
#[derive(Clone, Debug)]
pub struct Office {
    zone: TimeZone,
    holidays: BTreeSet<i64>,
}

impl Office {
    pub fn at(zone: &str, holidays: BTreeSet<i64>) -> Self {
        let zone = TimeZoneDatabase::bundled().get(zone).unwrap();
        Self { zone, holidays }
    }

    /// How many minutes the clocks there are ahead of UTC.
    fn ahead(&self, at: Minute) -> Minute {
        let at = Timestamp::from_second(at * 60).unwrap();
        i64::from(self.zone.to_offset(at).seconds()) / 60
    }

    fn is_open(&self, there: Minute) -> bool {
        // The first day of 1970 was a Thursday.
        let day = there.div_euclid(DAY);
        (day + 3).rem_euclid(7) < 5
            && OPEN.contains(&there.rem_euclid(DAY))
            && !self.holidays.contains(&day)
    }

    /// The minutes from then on, each with whether it is open.
    fn minutes(&self, from: Minute) -> impl Iterator<Item = (Minute, bool)> {
        let mut ahead = self.ahead(from);
        (from..).map(move |at| {
            // Clocks are changed on the half hour at the earliest.
            if at % 30 == 0 {
                ahead = self.ahead(at);
            }
            (at, self.is_open(at + ahead))
        })
    }

    /// The second at which so many quarters of a minute have been open since then.
    pub fn after(&self, from: Minute, quarters: i64) -> i64 {
        let mut left = quarters;
        for (at, _) in self.minutes(from).filter(|(_, open)| *open) {
            if left <= 4 {
                return at * 60 + left * 15;
            }
            left -= 4;
        }
        unreachable!("there is always another minute")
    }

    /// The open minutes between two instants.
    pub fn between(&self, from: Minute, until: Minute) -> i64 {
        let within = self.minutes(from).take_while(|(at, _)| *at < until);
        i64::try_from(within.filter(|(_, open)| *open).count()).unwrap()
    }
}
