//! The overview: is anything exposed, since when, until when, where; has everything reported in.

use askama::Template;
use jiff::Timestamp;

use super::super::parts::{Advisories, Clock, Html, Risk, Versions};
use super::super::shell::Shell;
use super::super::{charts, parts, words};

/// How many sites have which status; each site counts once, under its worst.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    /// Exposed, past due or not.
    pub exposed: u64,
    /// Of those: past due.
    pub overdue: u64,
    /// Unsupported or revoked.
    pub unsupported: u64,
    /// Silent, with nothing worse.
    pub silent: u64,
    /// Not judged: unknown, not checked, pending.
    pub unknown: u64,
    /// A newer release, not security.
    pub update: u64,
    /// Nothing to do.
    pub fine: u64,
}

impl Counts {
    /// All sites.
    pub fn total(&self) -> u64 {
        self.exposed + self.unsupported + self.silent + self.unknown + self.update + self.fine
    }

    /// Sites with nothing urgent.
    pub fn calm(&self) -> u64 {
        self.unsupported + self.update + self.fine
    }

    /// Exposed but not past due.
    pub fn in_time(&self) -> u64 {
        self.exposed.saturating_sub(self.overdue)
    }
}

/// One site with an open exposure: the most urgent one.
#[derive(Debug, Clone)]
pub struct Exposed {
    /// What is left of its time.
    pub clock: Clock,
    /// The window on its axis.
    pub window: Html,
    /// The site.
    pub site_id: i64,
    /// Its name.
    pub site: String,
    /// Its organization, and its environment where that isn't production.
    pub client: String,
    /// The site is silent, with what it said last.
    pub silent: bool,
    /// The module's title.
    pub module: String,
    /// How many more modules of the site have an open window.
    pub more: u64,
    /// Installed and fixing version.
    pub versions: Versions,
    /// Why: the fixing release or the advisory.
    pub cause: String,
    /// The advisories that explain it.
    pub advisories: Advisories,
    /// What to do where nothing fixes it yet.
    pub no_fix: Option<&'static str>,
    /// Since when nobody can tell whether it still holds.
    pub unproven_since: Option<Timestamp>,
    /// How bad.
    pub risk: Risk,
}

/// An advisory that hit sites.
#[derive(Debug, Clone)]
pub struct Hit {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// When it was published.
    pub published: Timestamp,
    /// How bad.
    pub risk: Risk,
    /// Sites that are exposed by it.
    pub open: u64,
    /// Sites that closed it.
    pub done: u64,
    /// There are more than were counted.
    pub at_least: bool,
}

/// A site that should have reported.
#[derive(Debug, Clone)]
pub struct SilentSite {
    /// The site.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its last contact; `None` where it never reported.
    pub last: Option<Timestamp>,
}

/// One line of this month against the last.
#[derive(Debug, Clone)]
pub struct MonthLine {
    /// What is counted.
    pub word: String,
    /// This month.
    pub now: String,
    /// The last, over as many days.
    pub before: String,
}

/// What somebody sees who sees no site anywhere.
#[derive(Debug, Template)]
#[template(path = "nothing.html")]
pub struct NothingPage {
    /// What stands around it.
    pub shell: Shell,
}

/// The overview.
#[derive(Debug, Template)]
#[template(path = "overview.html")]
pub struct OverviewPage {
    /// What stands around it.
    pub shell: Shell,
    /// The fleet in numbers.
    pub counts: Counts,
    /// Organizations with sites.
    pub clients: u64,
    /// The fleet line.
    pub line: Html,
    /// The most urgent first.
    pub exposed: Vec<Exposed>,
    /// How many (site, module) pairs are open in all.
    pub open: u64,
    /// The same by risk, worst first.
    pub risks: Vec<(Risk, u64)>,
    /// The newest advisories that hit the fleet.
    pub hits: Vec<Hit>,
    /// Sites by the hour of their last contact over 24 h, oldest first.
    pub hours: Vec<u64>,
    /// Those that should have reported.
    pub silent: Vec<SilentSite>,
    /// This month's name.
    pub this_month: String,
    /// The month before.
    pub last_month: String,
    /// How many days of each are compared.
    pub days: u64,
    /// The lines of the comparison.
    pub months: Vec<MonthLine>,
    /// What became of what is due in each of the two months, the whole of it.
    pub due: Vec<MonthLine>,
    /// Open exposures, a value a day, oldest first.
    pub trend: Vec<u64>,
    /// Which of those days are Wednesdays.
    pub wednesdays: Vec<usize>,
}

impl OverviewPage {
    fn now(&self) -> Timestamp {
        self.shell.now
    }

    fn reported_chart(&self) -> Html {
        let finding = format!(
            "{} of {} sites reported within the last 24 hours.",
            self.shell.fresh.reported, self.shell.sites
        );
        charts::reported_bars(&self.hours, &finding)
    }

    fn trend_chart(&self) -> Html {
        let most = self.trend.iter().max().unwrap_or(&0);
        let finding = format!(
            "{} now, at most {most} in these {} days.",
            self.open,
            self.trend.len()
        );
        charts::sparkline(&self.trend, &self.wednesdays, &finding)
    }
}
