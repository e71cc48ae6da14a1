//! One's own account, and a lost password.

use askama::Template;
use jiff::Timestamp;

use super::super::listing::Tab;
use super::super::shell::{Gate, Shell};
use super::super::{charts, parts, words};
use super::forms::error_of;

/// Who one is.
#[derive(Debug, Template)]
#[template(path = "account.html")]
pub struct ProfilePage {
    /// What stands around it.
    pub shell: Shell,
    /// The parts of the account.
    pub tabs: Vec<Tab>,
    /// His name.
    pub name: String,
    /// The address with which he signs in.
    pub email: String,
    /// The IANA name of his time zone.
    pub time_zone: String,
    /// The names to choose from.
    pub zones: Vec<String>,
    /// (field, sentence): what is wrong.
    pub faults: Vec<(String, String)>,
}

impl ProfilePage {
    /// What is wrong with a field.
    pub fn error(&self, field: &str) -> Option<String> {
        error_of(&self.faults, field)
    }
}

/// A new password for the old one.
#[derive(Debug, Template)]
#[template(path = "account_password.html")]
pub struct PasswordPage {
    /// What stands around it.
    pub shell: Shell,
    /// The parts of the account.
    pub tabs: Vec<Tab>,
    /// The address, for whatever keeps passwords in the browser.
    pub email: String,
    /// (field, sentence): what is wrong.
    pub faults: Vec<(String, String)>,
}

impl PasswordPage {
    /// What is wrong with a field.
    pub fn error(&self, field: &str) -> Option<String> {
        error_of(&self.faults, field)
    }
}

/// A sign-in that has not ended.
#[derive(Debug, Clone)]
pub struct SessionRow {
    /// The id.
    pub id: i64,
    /// What people call the browser or program.
    pub name: String,
    /// What it calls itself.
    pub device: String,
    /// It is a program's.
    pub program: bool,
    /// From where it signed in.
    pub address: String,
    /// When it signed in.
    pub began: Timestamp,
    /// Its last use.
    pub used: Timestamp,
    /// It is the one that looks.
    pub current: bool,
}

/// A browser that is known again.
#[derive(Debug, Clone)]
pub struct BrowserRow {
    /// The id.
    pub id: i64,
    /// It is the one before the visitor.
    pub present: bool,
    /// What people call it.
    pub name: String,
    /// What it calls itself.
    pub device: String,
    /// From where it last signed in.
    pub address: String,
    /// The last sign-in with it.
    pub used: Timestamp,
    /// Until when no second factor is asked for on it.
    pub trusted_until: Option<Timestamp>,
}

/// Where one is signed in, and with what.
#[derive(Debug, Template)]
#[template(path = "account_sessions.html")]
pub struct SessionsPage {
    /// What stands around it.
    pub shell: Shell,
    /// The parts of the account.
    pub tabs: Vec<Tab>,
    /// The sessions, this one first.
    pub rows: Vec<SessionRow>,
    /// The browsers.
    pub browsers: Vec<BrowserRow>,
    /// A code is asked for at sign-in.
    pub two_step: bool,
}

/// Deletes one's own account.
#[derive(Debug, Template)]
#[template(path = "account_delete.html")]
pub struct LeavePage {
    /// What stands around it.
    pub shell: Shell,
    /// Why it can't be done.
    pub refused: Option<String>,
    /// (field, sentence): what is wrong.
    pub faults: Vec<(String, String)>,
}

impl LeavePage {
    /// What is wrong with a field.
    pub fn error(&self, field: &str) -> Option<String> {
        error_of(&self.faults, field)
    }
}

/// Asks for a link.
#[derive(Debug, Template)]
#[template(path = "forgotten.html")]
pub struct ForgottenPage {
    /// What stands around it.
    pub shell: Gate,
    /// What was typed before.
    pub email: String,
    /// It was asked for.
    pub asked: bool,
    /// What is wrong.
    pub error: Option<String>,
}

/// Where a link leads.
#[derive(Debug, Template)]
#[template(path = "reset.html")]
pub struct ResetPage {
    /// What stands around it.
    pub shell: Gate,
    /// The token, handed on to the form.
    pub token: String,
    /// The link is good.
    pub good: bool,
    /// What is wrong with the password.
    pub error: Option<String>,
}
