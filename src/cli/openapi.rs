//! `dewline openapi`: the reference of the API, as the program itself knows it.

use super::{Outcome, print};
use crate::http;

/// Prints the document.
pub fn run() -> Outcome {
    let document = serde_json::to_string_pretty(&http::openapi::document())?;
    print(&format!("{document}\n"));
    Ok(())
}
