//! When a page can't be shown, said in plain words with a way on.

use askama::Template;

use super::super::shell::{Gate, Shell};
use super::super::{charts, parts};

/// 403, 404, 409, 429, 500, 503.
#[derive(Debug, Template)]
#[template(path = "fault.html")]
pub struct FaultPage {
    /// What stands around it.
    pub shell: Gate,
    /// The HTTP status.
    pub status: u16,
    /// What happened, as a heading.
    pub happened: String,
    /// What it means and what can be done.
    pub deed: String,
    /// To find it in the log.
    pub request_id: String,
}

impl FaultPage {
    /// The page of `status`; `detail` replaces the general explanation where there is one.
    pub fn new(mut shell: Gate, status: u16, detail: Option<String>, request_id: &str) -> Self {
        let (happened, deed) = match status {
            401 => ("You are signed out", "Sign in to go on."),
            403 => (
                "This is not yours to do",
                "Your account lacks the permission. An administrator can grant it.",
            ),
            404 => (
                "Nothing is here",
                "The address is wrong, what was here has been deleted, or it is not yours to see.",
            ),
            409 => (
                "This clashes with what is there",
                "Go back, look again, and repeat it if it is still needed.",
            ),
            413 => (
                "That is too large",
                "The file or form holds more than is taken at once.",
            ),
            422 | 400 => ("That could not be read", "Go back and check what was sent."),
            429 => (
                "Too often",
                "Too many requests came from here. Wait a moment and try again.",
            ),
            503 => (
                "Not just now",
                "The server has more to do than it can take. Nothing was changed. Try again in a few seconds.",
            ),
            _ => (
                "Something broke here",
                "The fault is the server's. Nothing was half done: what could not be finished was taken back.",
            ),
        };
        shell.title = happened.into();
        Self {
            shell,
            status,
            happened: happened.into(),
            deed: detail.unwrap_or_else(|| deed.into()),
            request_id: request_id.into(),
        }
    }
}

/// The same for somebody who is signed in: with the navigation around it.
#[derive(Debug, Template)]
#[template(path = "fault_framed.html")]
pub struct FramedFaultPage {
    /// What stands around it.
    pub shell: Shell,
    /// What happened.
    pub what: FaultPage,
    /// The page on which it was asked for.
    pub back: Option<String>,
}
