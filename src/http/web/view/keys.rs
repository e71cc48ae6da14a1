//! Keys of sites and organizations. A secret is on a page exactly once: right after it was made.

use askama::Template;
use jiff::Timestamp;

use super::super::listing::Listing;
use super::super::shell::Shell;
use super::super::{charts, parts, words};
use super::fleet::Choice;
use super::site::SiteHead;

/// One key, without its secret.
#[derive(Debug, Clone)]
pub struct KeyRow {
    /// The key.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// What it can be recognised by.
    pub prefix: String,
    /// Whose it is: a site or an organization, with a link.
    pub owner: Option<(String, String)>,
    /// What it may do.
    pub scopes: Vec<String>,
    /// That it may do less than its scopes say, and why.
    pub less: Option<String>,
    /// When it was used last.
    pub last_used: Option<Timestamp>,
    /// When it stops working by itself.
    pub expires: Option<Timestamp>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
    /// When it was made.
    pub created: Timestamp,
}

impl KeyRow {
    /// It works at `now`.
    pub fn works(&self, now: &Timestamp) -> bool {
        self.revoked.is_none_or(|at| at > *now) && self.expires.is_none_or(|at| at > *now)
    }
}

/// A secret that was just made.
#[derive(Debug, Clone)]
pub struct NewSecret {
    /// The key's name.
    pub name: String,
    /// The secret.
    pub secret: String,
    /// Until when the key that it replaces goes on working.
    pub old_until: Option<Timestamp>,
}

/// The keys of one site.
#[derive(Debug, Template)]
#[template(path = "site_keys.html")]
pub struct SiteKeysPage {
    /// What stands around it.
    pub shell: Shell,
    /// What stands above it.
    pub head: SiteHead,
    /// What was just made.
    pub secret: Option<NewSecret>,
    /// Its keys, newest first.
    pub rows: Vec<KeyRow>,
    /// What is wrong with the name of a new one.
    pub name_error: Option<String>,
}

/// The keys of all organizations and sites in sight.
#[derive(Debug, Template)]
#[template(path = "keys.html")]
pub struct KeysPage {
    /// What stands around it.
    pub shell: Shell,
    /// What was just made.
    pub secret: Option<NewSecret>,
    /// What every list has.
    pub list: Listing,
    /// The rows of this page.
    pub rows: Vec<KeyRow>,
    /// To choose from for a new key.
    pub organizations: Vec<Choice>,
    /// To choose from for a new key.
    pub scopes: Vec<Choice>,
    /// What is wrong with a new key.
    pub error: Option<String>,
    /// What was typed before.
    pub name: String,
}
