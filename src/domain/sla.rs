//! What an organization promises: hours from *opened* to *closed* by risk, for each environment, on
//! every hour of the calendar or on business hours, or nothing at all. Pure: knows no clock and no
//! store; a policy that changed is another policy, and what was due by the old one stays due by it.

use std::collections::BTreeSet;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use super::exposure::{Promised, Risk};

/// When a business day begins, in the policy's time zone.
const OPENS: Time = Time::constant(9, 0, 0, 0);
/// When it ends.
const CLOSES: Time = Time::constant(17, 0, 0, 0);
/// The most hours that can be promised: a year of the calendar.
pub const MOST_HOURS: u32 = 8_760;
/// The most holidays that a policy lists: many years of them.
pub const MOST_HOLIDAYS: usize = 500;

/// Which hours count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Calendar {
    /// Every hour.
    Calendar,
    /// Monday to Friday, 9:00 to 17:00 in the policy's time zone, but on holidays.
    Business,
    /// None: nothing is promised.
    None,
}

impl Calendar {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Calendar, Self::Business, Self::None];

    /// Its word, in the API and in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Calendar => "calendar",
            Self::Business => "business",
            Self::None => "none",
        }
    }

    /// The calendar that the word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }
}

/// Hours by risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Hours {
    /// Highly critical.
    pub highly_critical: u32,
    /// Critical.
    pub critical: u32,
    /// Moderately critical, and unknown.
    pub moderately_critical: u32,
    /// Less critical.
    pub less_critical: u32,
    /// Not critical.
    pub not_critical: u32,
}

impl Hours {
    /// Those of a risk, to be changed.
    pub fn of_mut(&mut self, risk: Risk) -> &mut u32 {
        match risk {
            Risk::HighlyCritical => &mut self.highly_critical,
            Risk::Critical => &mut self.critical,
            Risk::ModeratelyCritical => &mut self.moderately_critical,
            Risk::LessCritical => &mut self.less_critical,
            Risk::NotCritical => &mut self.not_critical,
        }
    }

    /// Those of a risk. An unknown risk counts as moderately critical.
    pub fn of(&self, risk: Option<Risk>) -> u32 {
        match risk {
            Some(Risk::HighlyCritical) => self.highly_critical,
            Some(Risk::Critical) => self.critical,
            Some(Risk::ModeratelyCritical) | None => self.moderately_critical,
            Some(Risk::LessCritical) => self.less_critical,
            Some(Risk::NotCritical) => self.not_critical,
        }
    }
}

/// What is promised for one environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Terms {
    /// Which hours count.
    pub calendar: Calendar,
    /// How many, by risk.
    pub hours: Hours,
}

/// Days on which a business is closed, and where its clock hangs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Office {
    /// The time zone.
    pub zone: TimeZone,
    /// The days that don't count.
    pub holidays: BTreeSet<Date>,
}

impl Office {
    fn is_open(&self, day: Date) -> bool {
        !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
            && !self.holidays.contains(&day)
    }

    fn at(&self, day: Date, time: Time) -> Option<Timestamp> {
        // Where the clocks are changed, an hour that is skipped is read later, a repeated one as the first.
        let there = day.to_datetime(time).to_zoned(self.zone.clone()).ok()?;
        Some(there.timestamp())
    }

    /// The instant at which so much open time has passed since `from`; `None` where time as it can be
    /// written ends before.
    fn after(&self, from: Timestamp, open: SignedDuration) -> Option<Timestamp> {
        let mut left = open;
        let mut day = from.to_zoned(self.zone.clone()).date();
        loop {
            if self.is_open(day) {
                let opens = self.at(day, OPENS)?.max(from);
                let closes = self.at(day, CLOSES)?;
                let open = closes.duration_since(opens);
                if left <= open {
                    return opens.checked_add(left).ok();
                }
                left -= open.max(SignedDuration::ZERO);
            }
            day = day.checked_add(1.day()).ok()?;
        }
    }

    /// Open time between two instants; nothing where they are the wrong way round.
    pub fn between(&self, from: Timestamp, until: Timestamp) -> SignedDuration {
        let mut open = SignedDuration::ZERO;
        let mut day = from.to_zoned(self.zone.clone()).date();
        let last = until.to_zoned(self.zone.clone()).date();
        while day <= last {
            if self.is_open(day)
                && let (Some(opens), Some(closes)) = (self.at(day, OPENS), self.at(day, CLOSES))
            {
                let part = closes.min(until).duration_since(opens.max(from));
                open += part.max(SignedDuration::ZERO);
            }
            match day.checked_add(1.day()) {
                Ok(next) => day = next,
                Err(_) => break,
            }
        }
        open
    }
}

impl Terms {
    /// By when a window that opened at `opened` is due; `None` where nothing is promised.
    pub fn due(&self, office: &Office, opened: Timestamp, risk: Option<Risk>) -> Option<Timestamp> {
        let hours = self.hours.of(risk);
        match self.calendar {
            Calendar::None => None,
            Calendar::Calendar => opened
                .checked_add(SignedDuration::from_hours(i64::from(hours)))
                .ok(),
            Calendar::Business => {
                office.after(opened, SignedDuration::from_hours(i64::from(hours)))
            }
        }
    }

    /// The instant by which so many quarters of the promised time have passed.
    pub fn mark(
        &self,
        office: &Office,
        opened: Timestamp,
        due: Timestamp,
        quarters: i32,
    ) -> Timestamp {
        let there = match self.calendar {
            Calendar::Business => office.after(opened, office.between(opened, due) * quarters / 4),
            Calendar::Calendar | Calendar::None => opened
                .checked_add(due.duration_since(opened) * quarters / 4)
                .ok(),
        };
        there.map_or(due, |there| there.min(due))
    }
}

/// What is promised in each environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Environments {
    /// Production.
    pub production: Terms,
    /// Staging.
    pub staging: Terms,
    /// Development.
    pub development: Terms,
}

impl Environments {
    /// The same hours of the calendar everywhere.
    pub fn alike(hours: Hours) -> Self {
        let calendar = Calendar::Calendar;
        let terms = Terms { calendar, hours };
        Self {
            production: terms,
            staging: terms,
            development: terms,
        }
    }

    /// Those of the environment with that word; of one that isn't known, production's.
    pub fn of(&self, environment: &str) -> &Terms {
        match environment {
            "staging" => &self.staging,
            "development" => &self.development,
            _ => &self.production,
        }
    }
}

impl Environments {
    /// Those of the environment with that word, to be changed; of one that isn't known, production's.
    pub fn of_mut(&mut self, environment: &str) -> &mut Terms {
        match environment {
            "staging" => &mut self.staging,
            "development" => &mut self.development,
            _ => &mut self.production,
        }
    }
}

/// One version of what an organization promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The terms of each environment.
    pub environments: Environments,
    /// Where business hours are counted.
    pub office: Office,
}

impl Policy {
    /// Hours of the calendar, everywhere alike.
    pub fn plain(hours: Hours) -> Self {
        Self {
            environments: Environments::alike(hours),
            office: Office {
                zone: TimeZone::UTC,
                holidays: BTreeSet::new(),
            },
        }
    }

    /// By when a window in that environment is due, counted from `from`.
    pub fn due(&self, environment: &str, from: Timestamp, risk: Option<Risk>) -> Option<Timestamp> {
        self.environments
            .of(environment)
            .due(&self.office, from, risk)
    }

    /// The instant by which so many quarters of the promised time have passed.
    pub fn mark(
        &self,
        environment: &str,
        opened: Timestamp,
        due: Timestamp,
        quarters: i32,
    ) -> Timestamp {
        let terms = self.environments.of(environment);
        terms.mark(&self.office, opened, due, quarters)
    }
}

/// Hours of the calendar, whatever the environment and the time.
impl Promised for Hours {
    fn due(&self, _: Timestamp, from: Timestamp, risk: Option<Risk>) -> Option<Timestamp> {
        let hours = SignedDuration::from_hours(i64::from(self.of(risk)));
        from.checked_add(hours).ok()
    }

    fn half(&self, opened_at: Timestamp, due_at: Timestamp) -> Timestamp {
        opened_at + due_at.duration_since(opened_at) / 2
    }
}

#[cfg(test)]
mod tests;
