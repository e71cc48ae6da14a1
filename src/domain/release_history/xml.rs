//! From bytes to a release history: decoding, a guard against hostile documents, and the walk over the tree.
//! Knows nothing of what the texts mean.

use std::borrow::Cow;
use std::collections::HashMap;

use roxmltree::{Document, Node, ParsingOptions};

use super::{OtherVersion, Release, ReleaseHistory};

/// libxml refuses deeper documents, and so do we.
const DEEPEST: usize = 256;
/// More than any real element has; the reader compares an element's attributes with one another.
const MOST_ATTRIBUTES: usize = 64;
/// More than any real document declares; the reader carries them down to every element.
const MOST_NAMESPACES: usize = 32;
/// How many prefixes may be used without having been declared.
const MOST_UNDECLARED: usize = 4;
/// More nodes than a document of the allowed size needs.
const MOST_NODES: u32 = 4_000_000;

/// The text of a document, decoded as its first bytes and its declaration say.
pub fn decode(bytes: &[u8]) -> Option<Cow<'_, str>> {
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => std::str::from_utf8(rest).ok().map(Cow::Borrowed),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        _ => match declared_encoding(bytes).as_deref() {
            None | Some("utf-8" | "utf8") => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Some("us-ascii" | "ascii") => std::str::from_utf8(bytes)
                .ok()
                .filter(|text| text.is_ascii())
                .map(Cow::Borrowed),
            Some("iso-8859-1" | "iso8859-1" | "latin1" | "iso_8859-1") => Some(Cow::Owned(
                bytes.iter().map(|byte| char::from(*byte)).collect(),
            )),
            Some(_) => None,
        },
    }
}

fn utf16(bytes: &[u8], read: fn([u8; 2]) -> u16) -> Option<Cow<'static, str>> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| read(*pair)).collect();
    if rest.is_empty() {
        String::from_utf16(&units).ok().map(Cow::Owned)
    } else {
        None
    }
}

/// The encoding that an XML declaration names, in lower case.
fn declared_encoding(bytes: &[u8]) -> Option<String> {
    let head = bytes
        .get(..bytes.len().min(256))
        .filter(|head| head.starts_with(b"<?xml"))?;
    let end = head.windows(2).position(|pair| pair == b"?>")?;
    let declaration: String = head
        .get(..end)?
        .iter()
        .map(|byte| char::from(*byte))
        .collect();
    let (_, after) = declaration.split_once("encoding")?;
    let value = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value
        .get(1..)?
        .split(quote)
        .next()
        .map(str::to_ascii_lowercase)
}

/// Refuses documents whose reading could cost more than their length: entities of their own, endless depth, endless attributes.
pub fn check(text: &str) -> Option<()> {
    let (mut depth, mut namespaces, mut typed) = (0usize, 0usize, false);
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = rest.get(at..)?;
        if let Some(after) = skip_inert(rest)? {
            rest = after;
            continue;
        }
        if let Some(after) = rest.strip_prefix("<!") {
            // A document type without entities is harmless. Where there is one, no entity may be declared anywhere.
            if !typed && after.contains("<!ENTITY") {
                return None;
            }
            typed = true;
            rest = after;
            continue;
        }
        let tag = Tag::read(rest)?;
        namespaces += tag.namespaces;
        depth = if tag.closes {
            depth.saturating_sub(1)
        } else {
            depth + usize::from(!tag.is_empty)
        };
        if tag.attributes > MOST_ATTRIBUTES || namespaces > MOST_NAMESPACES || depth > DEEPEST {
            return None;
        }
        rest = rest.get(tag.length..)?;
    }
    Some(())
}

/// What follows a comment, a CDATA section or an instruction; `None` where it doesn't end.
#[expect(
    clippy::option_option,
    reason = "the outer answer is whether the document can go on at all"
)]
fn skip_inert(rest: &str) -> Option<Option<&str>> {
    for (start, end) in [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")] {
        if let Some(inner) = rest.strip_prefix(start) {
            return inner.split_once(end).map(|(_, after)| Some(after));
        }
    }
    Some(None)
}

/// The shape of one tag: what the guard needs to know.
struct Tag {
    length: usize,
    closes: bool,
    is_empty: bool,
    attributes: usize,
    namespaces: usize,
}

impl Tag {
    fn read(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let closes = bytes.get(1) == Some(&b'/');
        let (mut attributes, mut namespaces) = (0, 0);
        let mut quote = None;
        let mut name_start = 0;
        for (at, byte) in bytes.iter().copied().enumerate().skip(1) {
            match (quote, byte) {
                (Some(open), _) if byte == open => quote = None,
                (Some(_), _) => {}
                (None, b'"' | b'\'') => quote = Some(byte),
                (None, b'=') => {
                    attributes += 1;
                    let name = text.get(name_start..at).unwrap_or("");
                    namespaces += usize::from(name.starts_with("xmlns"));
                }
                (None, b'>') => {
                    let is_empty = bytes.get(at - 1) == Some(&b'/');
                    return Some(Self {
                        length: at + 1,
                        closes,
                        is_empty,
                        attributes,
                        namespaces,
                    });
                }
                (None, b'<') => return None,
                (None, b' ' | b'\t' | b'\n' | b'\r') => name_start = at + 1,
                (None, _) => {}
            }
        }
        None
    }
}

/// Parses a checked text and hands the tree to a reader.
pub fn with_document<T>(text: &str, read: impl FnOnce(&Document<'_>) -> Option<T>) -> Option<T> {
    let mut text = Cow::Borrowed(text);
    for _ in 0..MOST_UNDECLARED {
        let options = ParsingOptions {
            allow_dtd: true,
            nodes_limit: MOST_NODES,
            ..ParsingOptions::default()
        };
        let declared = match Document::parse_with_options(&text, options) {
            Ok(document) => return read(&document),
            // Core's reader only warns of a prefix that nobody declared.
            Err(roxmltree::Error::UnknownNamespace(prefix, _)) => declaring(&text, &prefix)?,
            Err(_) => return None,
        };
        text = Cow::Owned(declared);
    }
    None
}

/// The document with a prefix declared on its root.
fn declaring(text: &str, prefix: &str) -> Option<String> {
    let starts_name =
        |after: &str| after.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | ':'));
    let mut at = 0;
    let root = loop {
        at += text.get(at..)?.find('<')?;
        match skip_inert(text.get(at..)?)? {
            Some(after) => at = text.len() - after.len(),
            None if text.get(at + 1..).is_some_and(starts_name) => break at + 1,
            None => at += 1,
        }
    };
    let name = text
        .get(root..)?
        .find(|c: char| c.is_whitespace() || matches!(c, '/' | '>'))?;
    let (before, after) = text.split_at(root + name);
    Some(format!("{before} xmlns:{prefix}=\"{prefix}\"{after}"))
}

/// Reads a whole document; `None` where it isn't a release history.
pub fn history(document: &Document<'_>) -> Option<ReleaseHistory> {
    let mut history = ReleaseHistory::default();
    let mut releases = None;
    for child in elements(document.root_element()) {
        let slot = match child.tag_name().name() {
            "title" => &mut history.title,
            "short_name" => &mut history.short_name,
            "type" => &mut history.kind,
            "supported_branches" => &mut history.supported_branches,
            "project_status" => &mut history.project_status,
            "link" => &mut history.link,
            "releases" => {
                releases = releases.or(Some(child));
                continue;
            }
            _ => continue,
        };
        *slot = Some(text_of(child));
    }
    history.short_name.as_ref()?;
    history.releases = releases.map(read_releases).unwrap_or_default();
    Some(history)
}

fn read_releases(parent: Node<'_, '_>) -> Vec<Release> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut releases: Vec<Release> = Vec::new();
    for child in elements(parent) {
        let release = read_release(child);
        let place = places
            .get(&release.key)
            .and_then(|place| releases.get_mut(*place));
        match place {
            Some(earlier) => *earlier = release,
            None => {
                places.insert(release.key.clone(), releases.len());
                releases.push(release);
            }
        }
    }
    releases
}

fn read_release(node: Node<'_, '_>) -> Release {
    let mut release = Release::default();
    let mut versions: Option<(String, String)> = None;
    let mut terms = None;
    for child in elements(node) {
        let slot = match child.tag_name().name() {
            "status" => &mut release.status,
            "date" => &mut release.date,
            "core_compatibility" => &mut release.core_compatibility,
            "release_link" => &mut release.release_link,
            "download_link" => &mut release.download_link,
            "version" => {
                let text = text_of(child);
                versions = Some(versions.map_or_else(
                    || (text.clone(), text.clone()),
                    |(first, _)| (first, text.clone()),
                ));
                continue;
            }
            "terms" => {
                terms = terms.or(Some(child));
                continue;
            }
            _ => continue,
        };
        *slot = Some(text_of(child));
    }
    match versions {
        None => release.other_version = Some(OtherVersion::Absent),
        Some((first, last)) => {
            release.other_version = (first != last).then_some(OtherVersion::Says(last));
            release.key = first;
        }
    }
    release.terms = terms.map(read_terms).unwrap_or_default();
    release
}

fn read_terms(parent: Node<'_, '_>) -> Vec<(String, Vec<String>)> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut terms: Vec<(String, Vec<String>)> = Vec::new();
    for term in elements(parent) {
        let first = |name: &str| {
            elements(term)
                .find(|child| child.tag_name().name() == name)
                .map(text_of)
                .unwrap_or_default()
        };
        let (name, value) = (first("name"), first("value"));
        let place = *places.entry(name.clone()).or_insert(terms.len());
        match terms.get_mut(place) {
            Some((_, values)) => values.push(value),
            None => terms.push((name, vec![value])),
        }
    }
    terms
}

/// The child elements that core sees: those whose name has no prefix.
fn elements<'a, 'input>(node: Node<'a, 'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children()
        .filter(|child| child.is_element() && !is_prefixed(*child))
}

/// Whether the name is written with a prefix; a default namespace is none.
fn is_prefixed(node: Node<'_, '_>) -> bool {
    let written = node
        .document()
        .input_text()
        .get(node.range().start + 1..)
        .unwrap_or("");
    let name = node.tag_name().name();
    !written.starts_with(name)
        || written
            .get(name.len()..)
            .and_then(|after| after.chars().next())
            == Some(':')
}

/// The text of an element as core takes it: its own text nodes joined, without those of nested elements.
fn text_of(node: Node<'_, '_>) -> String {
    node.children()
        .filter(Node::is_text)
        .filter_map(|child| child.text())
        .collect()
}
