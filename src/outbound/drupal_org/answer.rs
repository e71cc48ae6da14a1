//! What an answer is. drupal.org says "no such project" and worse with status 200, and anything between
//! us and it may answer with a page of its own. The document itself is the domain's to read.

use crate::domain::release_history::{self, Document, ReleaseHistory};

/// What a body turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// The release history of the project.
    History(Box<ReleaseHistory>),
    /// drupal.org's word that there is no such project, or that it has no releases.
    NoSuchProject,
    /// Nothing at all.
    Nothing,
    /// Something else; in words for people.
    Unreadable(&'static str),
}

/// Reads what was answered about a project. Work for the processor, linear in the length.
pub fn read(bytes: &[u8], project: &str) -> Reading {
    match kind(bytes) {
        Kind::Empty => Reading::Nothing,
        Kind::Html => Reading::Unreadable("a web page instead of a release history"),
        Kind::NoSuchProject => Reading::NoSuchProject,
        Kind::Complaint => Reading::Unreadable("drupal.org did not understand the request"),
        Kind::Document => match release_history::parse(bytes) {
            Document::Stored(history) if is_of(&history, project) => {
                Reading::History(Box::new(history))
            }
            Document::Stored(_) => Reading::Unreadable("the release history of another project"),
            Document::NotFetched => Reading::Nothing,
            Document::Unparsable if contains(bytes, b"<!ENTITY") => {
                Reading::Unreadable("a document that declares entities")
            }
            Document::Unparsable => Reading::Unreadable("not a release history, or a broken one"),
        },
    }
}

/// Core doesn't compare the names; we would rather keep the last good data than take a neighbour's.
fn is_of(history: &ReleaseHistory, project: &str) -> bool {
    let named = history.short_name.as_deref().unwrap_or_default().trim();
    named.is_empty() || named.eq_ignore_ascii_case(project)
}

/// What kind of document it is, by its root element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Empty,
    Html,
    NoSuchProject,
    Complaint,
    Document,
}

fn kind(bytes: &[u8]) -> Kind {
    let start = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if start.trim_ascii().is_empty() {
        return Kind::Empty;
    }
    match root(start) {
        Some((name, _)) if name.eq_ignore_ascii_case(b"html") => Kind::Html,
        Some((b"error", rest)) => {
            // The first sentence is what counts; a page of it would be no answer of drupal.org.
            let text = rest.get(..400).unwrap_or(rest);
            if contains(text, b"No release history") {
                Kind::NoSuchProject
            } else {
                Kind::Complaint
            }
        }
        _ => Kind::Document,
    }
}

/// The name of the root element (or of the document type, where it comes first) and what follows it.
fn root(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = bytes.trim_ascii_start();
    loop {
        rest = if let Some(inside) = rest.strip_prefix(b"<?") {
            after(inside, b"?>")?
        } else if let Some(inside) = rest.strip_prefix(b"<!--") {
            after(inside, b"-->")?
        } else if let Some(inside) = rest.strip_prefix(b"<!") {
            let inside = inside.get(b"doctype".len()..)?.trim_ascii_start();
            let (name, _) = name(inside);
            if name.eq_ignore_ascii_case(b"html") {
                return Some((name, inside));
            }
            after(inside, b">")?
        } else {
            return rest.strip_prefix(b"<").map(name);
        }
        .trim_ascii_start();
    }
}

fn name(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes
        .iter()
        .position(|b| b.is_ascii_whitespace() || matches!(b, b'>' | b'/' | b'['))
        .unwrap_or(bytes.len());
    bytes.split_at_checked(end).unwrap_or((bytes, b""))
}

fn after<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    let at = bytes.windows(mark.len()).position(|w| w == mark)?;
    bytes.get(at + mark.len()..)
}

fn contains(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|w| w == what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_kind_is_told_by_the_root() {
        for (text, expected) in [
            ("", Kind::Empty),
            (" \r\n\t", Kind::Empty),
            ("\u{feff}", Kind::Empty),
            ("<!DOCTYPE html><p>", Kind::Html),
            ("<!doctype HTML PUBLIC \"x\"><p>", Kind::Html),
            ("\n<html lang='en'>", Kind::Html),
            ("<!-- x --><HTML>", Kind::Html),
            (
                "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<error>No release history was found for the requested project (nope).</error>",
                Kind::NoSuchProject,
            ),
            (
                "<error>No release history available for a 9.x.</error>",
                Kind::NoSuchProject,
            ),
            (
                "<error>You must specify a project name</error>",
                Kind::Complaint,
            ),
            ("<error", Kind::Complaint),
            (
                "<?xml version='1.0'?><!-- <html> --><project><error>No release history</error>",
                Kind::Document,
            ),
            ("<!DOCTYPE project><project/>", Kind::Document),
            ("<!D", Kind::Document),
            ("<?xml", Kind::Document),
            ("plain words", Kind::Document),
        ] {
            assert_eq!(kind(text.as_bytes()), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_have_a_kind(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in "[<!?\\-> a-z]{0,60}") {
            kind(&bytes);
            kind(at.as_bytes());
        }
    }
}
