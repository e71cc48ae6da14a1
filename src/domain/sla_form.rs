//! What is said about a policy when it is changed, and what is wrong with it. What isn't said stays.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::exposure::Risk;
use super::fault::Fault;
use super::site::ENVIRONMENTS;
use super::sla::{Calendar, MOST_HOLIDAYS, MOST_HOURS, Policy, Terms};

/// The years in which a holiday can be.
const YEARS: std::ops::RangeInclusive<i16> = 1970..=2200;

/// What is said about one environment.
#[derive(Debug, Clone, Default)]
pub struct TermsForm {
    /// One of the words of [`Calendar`].
    pub calendar: Option<String>,
    /// Hours, in the order of [`Risk::WORST_FIRST`].
    pub hours: [Option<i64>; 5],
}

/// What is said about a policy.
#[derive(Debug, Clone, Default)]
pub struct PolicyForm {
    /// The terms, in the order of [`ENVIRONMENTS`].
    pub environments: [TermsForm; 3],
    /// The name of a time zone.
    pub time_zone: Option<String>,
    /// Days on which no business hours are counted.
    pub holidays: Option<Vec<String>>,
    /// From when it holds: nothing but what holds already, for whoever sends back what he was given.
    pub valid_from: Option<String>,
    /// What is already known to be wrong: fields that could not be read, or aren't known.
    pub unreadable: Vec<Fault>,
}

impl PolicyForm {
    /// The policy that follows `before`, which holds since `held_since`.
    ///
    /// # Errors
    /// All faults at once.
    pub fn check(&self, before: &Policy, held_since: Timestamp) -> Result<Policy, Vec<Fault>> {
        let mut faults = self.unreadable.clone();
        let mut policy = before.clone();
        for (environment, form) in ENVIRONMENTS.into_iter().zip(&self.environments) {
            let place = format!("/environments/{environment}");
            form.check(policy.environments.of_mut(environment), &place, &mut faults);
        }
        if let Some(name) = &self.time_zone {
            match zone(name) {
                Some(zone) => policy.office.zone = zone,
                None => faults.push(Fault::new(
                    "/time_zone",
                    "unknown_time_zone",
                    "This is not the name of a time zone such as Europe/Vienna.",
                )),
            }
        }
        if let Some(days) = &self.holidays {
            policy.office.holidays = holidays(days, &mut faults);
        }
        let moved = |sent: &String| sent.parse::<Timestamp>().ok() != Some(held_since);
        if self.valid_from.as_ref().is_some_and(moved) {
            faults.push(Fault::new(
                "/valid_from",
                "immutable",
                "can't be chosen: what is promised holds from the moment it is said. Leave it out.",
            ));
        }
        if faults.is_empty() {
            Ok(policy)
        } else {
            Err(faults)
        }
    }
}

impl TermsForm {
    fn check(&self, terms: &mut Terms, place: &str, faults: &mut Vec<Fault>) {
        if let Some(word) = &self.calendar {
            match Calendar::from_word(word) {
                Some(calendar) => terms.calendar = calendar,
                None => faults.push(Fault::new(
                    format!("{place}/calendar"),
                    "not_allowed",
                    "takes one of calendar, business, none.",
                )),
            }
        }
        for (risk, hours) in Risk::WORST_FIRST.into_iter().zip(self.hours) {
            let Some(hours) = hours else { continue };
            match u32::try_from(hours) {
                Ok(hours) if (1..=MOST_HOURS).contains(&hours) => *terms.hours.of_mut(risk) = hours,
                _ => faults.push(Fault::new(
                    format!("{place}/hours/{}", risk.word()),
                    "out_of_range",
                    format!("takes a whole number of hours from 1 to {MOST_HOURS}."),
                )),
            }
        }
    }
}

/// From the list that comes with the program, not the machine's own: a replay elsewhere gives the same.
fn zone(name: &str) -> Option<TimeZone> {
    let zone = TimeZoneDatabase::bundled().get(name.trim()).ok()?;
    (zone.iana_name().is_some() && !zone.is_unknown()).then_some(zone)
}

/// The names of the time zones that can be said, in the order of the alphabet.
pub fn time_zones() -> Vec<String> {
    let known = TimeZoneDatabase::bundled();
    let mut names: Vec<String> = known
        .available()
        .map(|name| name.as_str().to_owned())
        .collect();
    names.sort_unstable();
    names
}

fn holidays(days: &[String], faults: &mut Vec<Fault>) -> BTreeSet<Date> {
    if days.len() > MOST_HOLIDAYS {
        faults.push(Fault::new(
            "/holidays",
            "too_many",
            format!("takes at most {MOST_HOLIDAYS} days."),
        ));
        return BTreeSet::new();
    }
    let mut all = BTreeSet::new();
    for (index, text) in days.iter().enumerate() {
        let day = text.trim();
        match day.parse::<Date>() {
            Ok(date) if date.to_string() == day && YEARS.contains(&date.year()) => {
                all.insert(date);
            }
            _ => faults.push(Fault::new(
                format!("/holidays/{index}"),
                "not_a_date",
                "takes a day such as 2026-12-25, from 1970 to 2200.",
            )),
        }
    }
    all
}
