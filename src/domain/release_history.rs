//! A release history as drupal.org publishes it, read the way Drupal core reads it.
//! Knows no rules: what a document says, not what follows from it (see `prepared` and `status`).

use serde::{Deserialize, Serialize};

mod xml;

/// What a downloaded body turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// A release history.
    Stored(ReleaseHistory),
    /// Something that isn't one: not well-formed, without a short name, or with entities of its own.
    Unparsable,
    /// Nothing at all, which core takes for a failed download.
    NotFetched,
}

/// What core keeps of a release history. Texts are as they stand in the document: `None` where the element is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReleaseHistory {
    /// The project's name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The machine name that the document gives itself; core doesn't compare it with what it asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub short_name: Option<String>,
    /// The project's type, such as `project_module`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Comma-separated beginnings of supported versions. Absent and empty mean opposite things: none and all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supported_branches: Option<String>,
    /// `published`, `unsupported`, `revoked`, ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_status: Option<String>,
    /// The project's page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The releases in the document's order, which decides much; a repeated version once, at its first place.
    pub releases: Vec<Release>,
}

/// One release. Texts are as they stand in the document: `None` where the element is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Release {
    /// The key: the text of the first `version` element, empty where there is none.
    #[serde(rename = "v")]
    pub key: String,
    /// The `version` field where it isn't the key: absent altogether, or said twice.
    #[serde(rename = "w", skip_serializing_if = "Option::is_none")]
    pub other_version: Option<OtherVersion>,
    /// `published` or `unpublished`.
    #[serde(rename = "s", skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// When it was packaged: Unix seconds as text.
    #[serde(rename = "d", skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// The versions of core that it works with, as composer's constraint.
    #[serde(rename = "c", skip_serializing_if = "Option::is_none")]
    pub core_compatibility: Option<String>,
    /// Its page.
    #[serde(rename = "r", skip_serializing_if = "Option::is_none")]
    pub release_link: Option<String>,
    /// Its archive.
    #[serde(rename = "l", skip_serializing_if = "Option::is_none")]
    pub download_link: Option<String>,
    /// Vocabulary and its values, in the order of appearance.
    #[serde(rename = "t", skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<(String, Vec<String>)>,
}

/// A `version` field that differs from the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OtherVersion {
    /// There is no such element.
    Absent,
    /// A later element of the release says something else.
    Says(String),
}

/// The only vocabulary that core accepts on a release.
pub const RELEASE_TYPE: &str = "Release type";

impl Release {
    /// The `version` field, which core validates; nearly always the key.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        match &self.other_version {
            None => Some(&self.key),
            Some(OtherVersion::Absent) => None,
            Some(OtherVersion::Says(text)) => Some(text),
        }
    }

    /// Whether it carries the release type.
    #[must_use]
    pub fn is(&self, release_type: &str) -> bool {
        self.terms.iter().any(|(name, values)| {
            name == RELEASE_TYPE && values.iter().any(|value| value == release_type)
        })
    }

    /// Whether core accepts its fields. Its version may still be one that core can't parse.
    #[must_use]
    pub fn has_valid_fields(&self) -> bool {
        let filled = |text: Option<&str>| text.is_some_and(|text| !text.is_empty());
        filled(self.version())
            && filled(self.release_link.as_deref())
            && matches!(self.status.as_deref(), Some("published" | "unpublished"))
            && self
                .date
                .as_deref()
                .is_none_or(crate::domain::version::is_numeric)
            && self.download_link.as_deref() != Some("")
            && self.terms.iter().all(|(name, _)| name == RELEASE_TYPE)
    }
}

/// Reads a downloaded body. The work grows linearly with its length, whatever it holds.
#[must_use]
pub fn parse(bytes: &[u8]) -> Document {
    if matches!(bytes, b"" | b"0") {
        return Document::NotFetched;
    }
    let read = || {
        let text = xml::decode(bytes)?;
        xml::check(&text)?;
        xml::with_document(&text, xml::history)
    };
    read().map_or(Document::Unparsable, Document::Stored)
}

/// Whether the body is drupal.org's way to say that there is no such project: a document whose root is `<error>`.
#[must_use]
pub fn is_no_such_project(bytes: &[u8]) -> bool {
    let read = || {
        let text = xml::decode(bytes)?;
        xml::check(&text)?;
        xml::with_document(&text, |document| {
            Some(document.root_element().tag_name().name() == "error")
        })
    };
    read().unwrap_or(false)
}
