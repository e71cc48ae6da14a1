//! The doors: set-up and sign-in.

use askama::Template;

use super::super::shell::Gate;
use super::super::{charts, parts};

/// Creates the administrator with the one-time token.
#[derive(Debug, Template)]
#[template(path = "setup.html")]
pub struct SetupPage {
    /// What stands around it.
    pub shell: Gate,
    /// The token, handed on to the form; empty where none was brought.
    pub token: String,
    /// The token is not valid, or was used.
    pub bad_token: bool,
    /// What was typed before.
    pub name: String,
    /// What was typed before.
    pub email: String,
    /// What is wrong with the name.
    pub name_error: Option<String>,
    /// What is wrong with the address.
    pub email_error: Option<String>,
    /// What is wrong with the password.
    pub password_error: Option<String>,
}

/// E-mail and password.
#[derive(Debug, Template)]
#[template(path = "signin.html")]
pub struct SignInPage {
    /// What stands around it.
    pub shell: Gate,
    /// What was typed before.
    pub email: String,
    /// Why it was refused.
    pub error: Option<String>,
    /// Where to go afterwards.
    pub next: String,
    /// What was just done, such as signing out.
    pub note: Option<String>,
}
