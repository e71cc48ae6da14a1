//! The page of what an organization promises.

use askama::Template;
use jiff::Timestamp;

use super::super::shell::Shell;
use super::super::{parts, words};
use super::fleet::Choice;
use super::forms::error_of;

/// What is promised for one risk in one environment, as typed.
#[derive(Debug, Clone)]
pub struct HoursCell {
    /// The name of its field.
    pub name: String,
    /// What it is, for those who don't see the table.
    pub label: String,
    /// The hours.
    pub value: String,
}

/// One risk in all environments.
#[derive(Debug, Clone)]
pub struct RiskRow {
    /// The risk, in words.
    pub risk: String,
    /// One an environment.
    pub cells: Vec<HoursCell>,
}

/// Which hours count in an environment.
#[derive(Debug, Clone)]
pub struct CalendarCell {
    /// The environment.
    pub environment: &'static str,
    /// The calendars to choose from.
    pub choices: Vec<Choice>,
    /// The one in force, in words.
    pub word: &'static str,
}

/// One version of what is promised.
#[derive(Debug, Clone)]
pub struct VersionRow {
    /// Since when; `None`: from the beginning.
    pub from: Option<Timestamp>,
    /// The organization's own, not what holds for all.
    pub own: bool,
    /// What it says of each environment.
    pub terms: Vec<String>,
    /// Where business hours are counted.
    pub office: String,
}

/// What an organization promises, its form, and what it promised before.
#[derive(Debug, Template)]
#[template(path = "sla.html")]
pub struct SlaPage {
    /// What stands around it.
    pub shell: Shell,
    /// The organization.
    pub id: i64,
    /// Its name.
    pub organization: String,
    /// Which hours count, by environment.
    pub calendars: Vec<CalendarCell>,
    /// Hours by risk.
    pub risks: Vec<RiskRow>,
    /// The time zone, as typed.
    pub time_zone: String,
    /// Time zones to choose from.
    pub zones: Vec<String>,
    /// Holidays, one a line, as typed.
    pub holidays: String,
    /// The visitor may change it.
    pub may: bool,
    /// What is wrong.
    pub faults: Vec<(String, String)>,
    /// The newest first.
    pub versions: Vec<VersionRow>,
}

impl SlaPage {
    fn error(&self, field: &str) -> Option<String> {
        error_of(&self.faults, field)
    }

    /// It has a policy of its own.
    fn own(&self) -> bool {
        self.versions.first().is_some_and(|version| version.own)
    }
}
