//! What is wrong with something that was sent: one fault a place, all of them at once.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// A JSON pointer into the body (`/modules/3/version`), or `?name` for a query parameter.
    pub pointer: String,
    /// A stable word for programs, such as `required`, `too_long`, `unknown_field`, `duplicate`.
    pub code: Cow<'static, str>,
    /// A sentence for people: what is wrong and what would be right.
    pub detail: String,
}

impl Fault {
    /// A fault at `pointer`.
    pub fn new(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            code: Cow::Borrowed(code),
            detail: detail.into(),
        }
    }
}
