//! The audit log.

use askama::Template;
use jiff::Timestamp;

use super::super::listing::Listing;
use super::super::shell::Shell;
use super::super::{charts, parts};
use super::fleet::Choice;
use crate::domain::audit::Difference;

/// One row of the record.
#[derive(Debug, Clone)]
pub struct AuditRow {
    /// Its place in the chain.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Who, by the name of that time.
    pub who: String,
    /// What stands beside the name; empty for a person.
    pub kind: &'static str,
    /// All that he did.
    pub theirs: Option<String>,
    /// What was done, in words.
    pub what: String,
    /// How it ended, where it wasn't done.
    pub undone: Option<String>,
    /// To what.
    pub subject: Option<String>,
    /// All that was done to it.
    pub everything: Option<String>,
    /// Whose record it is.
    pub organization: Option<String>,
    /// What was and is.
    pub differences: Vec<Difference>,
    /// From where.
    pub address: Option<String>,
    /// The request.
    pub request_id: Option<String>,
    /// The seal.
    pub seal: String,
}

/// The record, the newest first.
#[derive(Debug, Template)]
#[template(path = "audit.html")]
pub struct AuditPage {
    /// What stands around it.
    pub shell: Shell,
    /// What every list has.
    pub list: Listing,
    /// The rows of this page.
    pub rows: Vec<AuditRow>,
    /// For the filter box.
    pub actions: Vec<Choice>,
    /// For the filter box.
    pub statuses: Vec<Choice>,
    /// For the filter box.
    pub organizations: Vec<Choice>,
}

impl AuditPage {
    /// What the filter box must send along: all that it doesn't hold itself.
    pub fn kept(&self) -> Vec<(String, String)> {
        const OWN: [&str; 6] = [
            "filter[action]",
            "filter[status]",
            "filter[organization_id]",
            "filter[address]",
            "filter[created_at][gte]",
            "filter[created_at][lte]",
        ];
        let mut kept = self.list.hidden("");
        kept.retain(|(name, _)| !OWN.contains(&name.as_str()));
        kept
    }
}
