//! One call to each operation, as a test recorded it from the running program: what was sent, what
//! came back, and the refusals that depend on data. The test holds the files equal to what the program
//! answers today (`tests/examples.rs` says how to record them anew).

use std::collections::BTreeMap;

use rust_embed::RustEmbed;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(RustEmbed)]
#[folder = "src/http/openapi/examples/"]
struct Files;

/// The request id of all examples.
pub const REQUEST_ID: &str = "019a9fe0-7a00-7000-8000-000000000001";

/// One call to an operation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// What was asked for, with its query.
    pub path: String,
    /// The body that was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Value>,
    /// The body that came back; a text where it isn't JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Value>,
    /// The problem of a call that was understood, but not valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalid: Option<Value>,
    /// The problems of calls that clashed with what was there, by their codes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub conflicts: BTreeMap<String, Value>,
}

impl Example {
    /// The recorded call to the operation of that name.
    pub fn of(operation: &str) -> Option<Self> {
        let file = Files::get(&format!("{operation}.json"))?;
        serde_json::from_slice(&file.data).ok()
    }

    /// The names of all operations that have one.
    pub fn names() -> Vec<String> {
        let files = Files::iter();
        files
            .filter_map(|file| Some(file.strip_suffix(".json")?.to_owned()))
            .collect()
    }
}
