//! Keys of sites and organizations. A secret is on a page exactly once: right after it was made.

use askama::Template;
use jiff::Timestamp;

use super::super::listing::Listing;
use super::super::shell::Shell;
use super::super::{charts, parts, words};
use super::fleet::Choice;
use super::forms::error_of;
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
    /// Until when the secret that it had before goes on working; `None`: it doesn't.
    pub old_until: Option<Timestamp>,
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
    /// For another one.
    pub form: KeyForm,
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
    /// For a new key; no organizations to choose from: none can be made.
    pub form: KeyForm,
}

/// What was typed into a key's form, and what is wrong with it.
#[derive(Debug, Clone, Default)]
pub struct KeyForm {
    /// Its name.
    pub name: String,
    /// What the name should say.
    pub hint: &'static str,
    /// The organizations to choose from; empty: it has its owner already.
    pub organizations: Vec<Choice>,
    /// What it may do; empty: a site's key, which can only sync.
    pub scopes: Vec<Choice>,
    /// Its last day as YYYY-MM-DD, or nothing.
    pub until: String,
    /// From where it is taken, one network per line.
    pub networks: String,
    /// (field, sentence): what is wrong.
    pub faults: Vec<(String, String)>,
}

impl KeyForm {
    /// What is wrong with a field.
    pub fn error(&self, field: &str) -> Option<String> {
        error_of(&self.faults, field)
    }
}

/// One key, to be changed.
#[derive(Debug, Template)]
#[template(path = "key.html")]
pub struct KeyPage {
    /// What stands around it.
    pub shell: Shell,
    /// The key.
    pub id: i64,
    /// Its name as it is.
    pub name: String,
    /// What it can be recognised by.
    pub prefix: String,
    /// Where its list is.
    pub back: String,
    /// Its form.
    pub form: KeyForm,
}

/// The question before a key gets a new secret.
#[derive(Debug, Template)]
#[template(path = "key_rotate.html")]
pub struct RotatePage {
    /// What stands around it.
    pub shell: Shell,
    /// The key.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Where its list is.
    pub back: String,
}
