//! `dewline openapi` and `dewline postman`: the reference of the API, as the program itself knows it.

use serde_json::Value;

use super::{Outcome, print};
use crate::http::openapi;

/// Prints the OpenAPI document.
pub fn document() -> Outcome {
    shown(&openapi::DOCUMENT)
}

/// Prints the Postman collection.
pub fn postman() -> Outcome {
    shown(&openapi::postman::collection())
}

fn shown(document: &Value) -> Outcome {
    print(&format!("{document:#}\n"));
    Ok(())
}
