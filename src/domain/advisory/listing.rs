//! A page of drupal.org's listing of nodes. A node that is of no use costs only itself.

use serde_json::Value;

use super::node::{self, Node, Refused};

/// Nodes on one page, at most: drupal.org sends up to 100.
const MOST: usize = 500;

/// What a page lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Each entry, in the page's order.
    pub entries: Vec<Entry>,
    /// Another page follows.
    pub more: bool,
}

/// One entry of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// drupal.org's number for it, where it tells one.
    pub nid: Option<i64>,
    /// When it was changed last, Unix seconds, where that is told.
    pub changed: Option<i64>,
    /// What it says, or why that is of no use.
    pub node: Result<Node, Refused>,
}

/// Reads a page of the listing that was asked for `asked` nodes. Linear in the length.
///
/// # Errors
/// A few words for people.
pub fn read(bytes: &[u8], asked: usize) -> Result<Page, &'static str> {
    of_value(&json(bytes)?, asked)
}

/// The same of a document that has been parsed.
///
/// # Errors
/// A few words for people.
pub fn of_value(document: &Value, asked: usize) -> Result<Page, &'static str> {
    let Some(list) = document.get("list").and_then(Value::as_array) else {
        return Err("not a listing of advisories");
    };
    if list.len() > MOST {
        return Err("a page of more than 500 nodes");
    }
    let entries: Vec<Entry> = list.iter().map(entry).collect();
    let says_next = document.get("next").is_some_and(Value::is_string);
    // Who tells where the last page is would tell of a next one too; else a full page may have one.
    let tells_links = says_next || document.get("last").is_some_and(Value::is_string);
    Ok(Page {
        more: !entries.is_empty() && (says_next || (!tells_links && entries.len() >= asked)),
        entries,
    })
}

/// A JSON document of drupal.org's.
///
/// # Errors
/// A few words for people.
pub fn json(bytes: &[u8]) -> Result<Value, &'static str> {
    let start = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let start = start.trim_ascii_start();
    if start.is_empty() {
        return Err("an empty answer");
    }
    if start.starts_with(b"<") {
        return Err("a web page instead of advisories");
    }
    serde_json::from_slice(start).map_err(|error| {
        if error.is_eof() {
            "a document that is cut short"
        } else {
            "not JSON, or broken"
        }
    })
}

fn entry(value: &Value) -> Entry {
    let (nid, changed) = node::outline(value);
    Entry {
        nid,
        changed,
        node: node::read(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_end_of_a_listing_is_told_by_its_links_or_its_length() {
        let node = json!({"nid": "5", "changed": "7", "type": "page"});
        for (document, more) in [
            (
                json!({"list": [node], "next": "https://x/node?page=1"}),
                true,
            ),
            (
                json!({"list": [node], "last": "https://x/node?page=0"}),
                false,
            ),
            (json!({"list": [node, node]}), true),
            (json!({"list": [node]}), false),
            (json!({"list": [], "next": "https://x/node?page=1"}), false),
        ] {
            assert_eq!(of_value(&document, 2).unwrap().more, more, "{document}");
        }
        let page = of_value(&json!({"list": [node, 7]}), 2).unwrap();
        assert_eq!(
            (page.entries[0].nid, page.entries[0].changed),
            (Some(5), Some(7))
        );
        assert_eq!(page.entries[1].node, Err(Refused::NotANode));
    }

    #[test]
    fn what_is_no_listing_is_refused_in_words() {
        let many = format!("{{\"list\":[{}]}}", vec!["0"; 501].join(","));
        for (bytes, why) in [
            ("", "an empty answer"),
            (
                "\u{feff} <!DOCTYPE html>",
                "a web page instead of advisories",
            ),
            ("{\"list\":[", "a document that is cut short"),
            ("nonsense", "not JSON, or broken"),
            ("[]", "not a listing of advisories"),
            ("{\"list\":{}}", "not a listing of advisories"),
            (many.as_str(), "a page of more than 500 nodes"),
        ] {
            assert_eq!(read(bytes.as_bytes(), 50), Err(why), "{bytes:.40}");
        }
        let deep = "[".repeat(100_000);
        assert!(read(deep.as_bytes(), 50).is_err());
    }
}
