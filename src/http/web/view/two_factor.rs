//! The second step of a sign-in: the code's page, and a person's own settings of it.

use askama::Template;
use jiff::Timestamp;

use super::super::listing::Tab;
use super::super::parts::Html;
use super::super::shell::{Gate, Shell};
use super::super::{charts, parts, words};
use super::account::BrowserRow;
use super::forms::error_of;

/// A code, after the password.
#[derive(Debug, Template)]
#[template(path = "code.html")]
pub struct CodePage {
    /// What stands around it.
    pub shell: Gate,
    /// Why the code was refused.
    pub error: Option<String>,
    /// Where to go afterwards.
    pub next: String,
    /// The browser is to be remembered.
    pub remember: bool,
    /// A backup code is about to be typed: another keyboard. Either kind is taken all the same.
    pub backup: bool,
}

impl CodePage {
    /// The same page for the other kind of code.
    pub fn other(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("next", &self.next);
        if !self.backup {
            query.append_pair("with", "backup");
        }
        format!("/sign-in/code?{}", query.finish())
    }
}

/// A secret that waits for the app's first code.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// In groups of four.
    pub secret: String,
    /// As apps on this device read it.
    pub address: String,
    /// As apps on another device read it: an SVG.
    pub qr: Html,
}

/// What is wrong with one of the page's forms.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// The form: `set-up`, `enable`, `codes` or `disable`.
    pub form: &'static str,
    /// (field, sentence).
    pub said: Vec<(String, String)>,
}

/// A person's second step.
#[derive(Debug, Template)]
#[template(path = "two_factor.html")]
pub struct TwoFactorPage {
    /// What stands around it.
    pub shell: Shell,
    /// The parts of the account.
    pub tabs: Vec<Tab>,
    /// Since when it is on.
    pub enabled_at: Option<Timestamp>,
    /// The secret that waits for the app's first code.
    pub waiting: Option<Waiting>,
    /// Backup codes that are unused.
    pub codes_left: u64,
    /// The sign-in is so long ago that setting up takes the password.
    pub asks_password: bool,
    /// Organizations that need it, and from when on.
    pub required: Vec<(String, Timestamp)>,
    /// The browsers in which no code is asked for.
    pub remembered: Vec<BrowserRow>,
    /// What is wrong.
    pub faults: Faults,
}

impl TwoFactorPage {
    /// What is wrong with a form's field.
    pub fn error(&self, form: &str, field: &str) -> Option<String> {
        if self.faults.form == form {
            error_of(&self.faults.said, field)
        } else {
            None
        }
    }
}

/// Backup codes, shown once.
#[derive(Debug, Template)]
#[template(path = "backup_codes.html")]
pub struct BackupCodesPage {
    /// What stands around it.
    pub shell: Shell,
    /// The codes.
    pub codes: Vec<String>,
    /// This server's address.
    pub server: String,
}

impl BackupCodesPage {
    /// The file that keeps them, as an address that needs no second visit: the server has only hashes.
    pub fn file(&self) -> String {
        let mut text = format!(
            "Backup codes of {} for Dewline, {}\nEach is good once, in place of the app's code.\n\n",
            self.shell.person, self.server
        );
        for code in &self.codes {
            text.push_str(code);
            text.push('\n');
        }
        let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        format!(
            "data:text/plain;charset=utf-8,{}",
            encoded.replace('+', "%20")
        )
    }
}
