//! Exposures: the work list by clock, and one of them with its steps and who has it in hand.

use askama::Template;
use jiff::Timestamp;

use super::super::listing::{Listing, Tab};
use super::super::parts::{Advisories, Clock, Html, Risk, Versions};
use super::super::shell::Shell;
use super::super::{charts, parts, words};
use super::fleet::Choice;

/// One exposure of the work list.
#[derive(Debug, Clone)]
pub struct WorkRow {
    /// Its id.
    pub id: i64,
    /// Time left, late or taken.
    pub clock: Clock,
    /// The module's title.
    pub module: String,
    /// The site.
    pub site_id: i64,
    /// Its name.
    pub site: String,
    /// Its organization, and its environment where that isn't production.
    pub client: String,
    /// Installed and fixing version.
    pub versions: Versions,
    /// What stands in the way of the fix, or that there is none.
    pub hurdle: Option<String>,
    /// How bad.
    pub risk: Risk,
    /// Who has it in hand; empty: nobody.
    pub assignee: String,
    /// Somebody said that he has seen it.
    pub seen: bool,
    /// Until when it is put aside.
    pub snoozed: Option<Timestamp>,
    /// Since when nobody can tell whether it still holds.
    pub unproven_since: Option<Timestamp>,
}

/// An organization with something open.
#[derive(Debug, Clone)]
pub struct ClientRow {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Modules on sites that are exposed.
    pub open: u64,
    /// Sites with something past due.
    pub late: u64,
}

/// The work list.
#[derive(Debug, Template)]
#[template(path = "exposures.html")]
pub struct ExposuresPage {
    /// What stands around it.
    pub shell: Shell,
    /// The views above it.
    pub views: Vec<Tab>,
    /// What the view that is open leaves out, or where it ends.
    pub note: Option<String>,
    /// What every list has.
    pub list: Listing,
    /// The rows of this page.
    pub rows: Vec<WorkRow>,
    /// Instead of them, client by client, those with the most past due first.
    pub clients: Option<Vec<ClientRow>>,
    /// For the filter box.
    pub risks: Vec<Choice>,
    /// For the filter box.
    pub environments: Vec<Choice>,
    /// For the filter box.
    pub organizations: Vec<Choice>,
}

impl ExposuresPage {
    /// What the filter box must send along: everything that it doesn't ask for itself.
    fn kept(&self) -> Vec<&(String, String)> {
        const OWN: [&str; 3] = [
            "filter[risk]",
            "filter[environment]",
            "filter[organization_id]",
        ];
        let mut kept: Vec<_> = self.list.query.iter().collect();
        kept.retain(|(key, _)| !OWN.contains(&key.as_str()));
        kept
    }
}

/// What somebody did with an exposure, or what its clock said.
#[derive(Debug, Clone)]
pub struct ToldRow {
    /// When.
    pub at: Timestamp,
    /// What, in words.
    pub said: String,
    /// By whom; empty: the clock.
    pub by: String,
    /// The note; may be empty.
    pub note: String,
}

/// One exposure.
#[derive(Debug, Template)]
#[template(path = "exposure.html")]
pub struct ExposurePage {
    /// Its site was deleted: nothing leads there.
    pub site_deleted: bool,
    /// What stands around it.
    pub shell: Shell,
    /// What its line in the list says.
    pub row: WorkRow,
    /// Its window over time.
    pub life: Html,
    /// When half and three quarters of its time have passed, or will have.
    pub marks: Vec<(Timestamp, &'static str)>,
    /// The module.
    pub module_id: i64,
    /// The state's word.
    pub state: &'static str,
    /// Why it opened, in words.
    pub cause: String,
    /// The advisories that explain it.
    pub advisories: Advisories,
    /// When the fix was published.
    pub published: Option<Timestamp>,
    /// When Dewline could first know of it.
    pub known: Timestamp,
    /// What to do where nothing fixes it.
    pub no_fix: Option<&'static str>,
    /// What to do, in order.
    pub steps: Vec<String>,
    /// The command that does it.
    pub command: Option<String>,
    /// Why it is put aside.
    pub snooze_reason: String,
    /// When somebody said that he has seen it.
    pub acknowledged_at: Option<Timestamp>,
    /// The patch run that closed it.
    pub patch_run: Option<i64>,
    /// What people did with it, the newest first.
    pub told: Vec<ToldRow>,
    /// It is open, and the visitor may take it in hand.
    pub may_act: bool,
    /// To whom it can be given.
    pub people: Vec<Choice>,
    /// The visitor's own id, where he doesn't have it in hand.
    pub me: Option<i64>,
    /// For how long it can be put aside: hours, in words.
    pub spans: Vec<Choice>,
    /// What was typed and could not be taken.
    pub typed: Typed,
    /// What is wrong with it, by field.
    pub errors: Vec<(String, String)>,
}

/// What was typed into the forms.
#[derive(Debug, Clone, Default)]
pub struct Typed {
    /// A note.
    pub note: String,
    /// A reason.
    pub reason: String,
}

impl ExposurePage {
    fn error(&self, field: &str) -> Option<&str> {
        let found = self.errors.iter().find(|(name, _)| name == field);
        found.map(|(_, said)| said.as_str())
    }
}
