//! What kind of document an answer is, told from its beginning. drupal.org says "no such project" and
//! worse with status 200, and anything between us and it may answer with a page of its own.

/// What a body turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing at all.
    Empty,
    /// A web page: a proxy, a captive portal, a maintenance page.
    Html,
    /// drupal.org's word that there is no such project, or that it has no releases.
    NoSuchProject,
    /// Another complaint in drupal.org's form.
    Complaint,
    /// It may be a release history.
    History,
}

/// Tells by the root element, without reading the document.
pub(super) fn kind(bytes: &[u8]) -> Kind {
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
        _ => Kind::History,
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
                Kind::History,
            ),
            ("<!DOCTYPE project><project/>", Kind::History),
            ("<!D", Kind::History),
            ("<?xml", Kind::History),
            ("plain words", Kind::History),
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
