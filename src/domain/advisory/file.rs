//! A file that holds advisories: an OSV document, a node of api-d7, or a listing of nodes. What is of no use
//! in it costs only itself.

use serde_json::Value;

use super::node::{self, Node, Refused};
use super::{document, listing};

/// One advisory of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Which one of several it is: `node 3555001`, `entry 3`; empty where the file holds only one.
    pub which: String,
    /// What it says, or why that is of no use.
    pub node: Result<Node, Refused>,
    /// It is of no use and may count against projects of drupal.org: those that it names.
    pub forgotten: Option<Vec<String>>,
}

/// Reads a file. Linear in its length.
///
/// # Errors
/// A few words for people.
pub fn read(bytes: &[u8]) -> Result<Vec<Told>, &'static str> {
    let document = listing::json(bytes).map_err(|why| match why {
        "an empty answer" => "an empty file",
        other => other,
    })?;
    if document.get("list").is_some() {
        let page = listing::of_value(&document, 0)?;
        let entries = page.entries.into_iter().enumerate();
        return Ok(entries.map(|(at, entry)| of_entry(at, entry)).collect());
    }
    if !document.is_object() {
        return Err("neither an OSV document nor a node of api-d7");
    }
    let node = of_document(&document);
    let is_forgotten = node.is_err() && document::is_osv(&document);
    Ok(vec![Told {
        which: String::new(),
        node,
        forgotten: is_forgotten
            .then(|| document::forgotten_with(&document))
            .flatten(),
    }])
}

fn of_entry(at: usize, entry: listing::Entry) -> Told {
    Told {
        which: match entry.nid {
            Some(nid) => format!("node {nid}"),
            None => format!("entry {}", at + 1),
        },
        node: entry.node,
        forgotten: None,
    }
}

fn of_document(value: &Value) -> Result<Node, Refused> {
    if !document::is_osv(value) {
        return node::read(value);
    }
    document::read(value).map(|record| Node {
        record,
        published: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_file_is_an_osv_document_a_node_or_a_listing() {
        let osv = json!({
            "schema_version": "1.7.0", "id": "DRUPAL-CORE-2026-001", "modified": "2026-01-01T00:00:00Z",
            "affected": [{"package": {"name": "drupal/core"}}],
        });
        let node = json!({"type": "sa", "nid": "7", "created": "1770000000", "url": "https://www.drupal.org/sa-core-2026-002"});
        let ids = |document: Value| -> Vec<(String, String)> {
            let told = read(document.to_string().as_bytes()).unwrap();
            let id = |told: Told| match told.node {
                Ok(node) => (told.which, node.record.id),
                Err(why) => (told.which, why.to_string()),
            };
            told.into_iter().map(id).collect()
        };
        let pair = |which: &str, id: &str| (which.to_owned(), id.to_owned());
        assert_eq!(ids(osv), [pair("", "SA-CORE-2026-001")]);
        assert_eq!(ids(node.clone()), [pair("", "SA-CORE-2026-002")]);
        assert_eq!(
            ids(json!({"list": [node, 7]})),
            [
                pair("node 7", "SA-CORE-2026-002"),
                pair("entry 2", "not a node")
            ]
        );
        for (bytes, why) in [
            ("", "an empty file"),
            ("[]", "neither an OSV document nor a node of api-d7"),
            ("{\"list\": 7}", "not a listing of advisories"),
            ("{\"id\":", "a document that is cut short"),
        ] {
            assert_eq!(read(bytes.as_bytes()), Err(why));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[\\[\\]{}\":,a-z0-9]{0,80}") {
            let _ = read(&bytes);
            let _ = read(text.as_bytes());
        }
    }
}
