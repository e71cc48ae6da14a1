//! The versions of a module: what drupal.org released, and what was merely seen on sites.

use jiff::Timestamp;

use super::handful::{Cell, Row};
use super::listing::{Field, Kind, List};
use super::site_status::Standing;

/// One version of a module, counted over the sites in sight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleVersion {
    /// Its place: the release history's own order, then what it doesn't list.
    pub position: i64,
    /// The version; `None`: sites could not say which.
    pub version_number: Option<String>,
    /// When it was released; `None`: not told, or not a release.
    pub release_date: Option<Timestamp>,
    /// The release fixes a security hole.
    pub is_security_update: bool,
    /// The release is marked as insecure.
    pub is_insecure: bool,
    /// Its branch gets releases.
    pub is_supported: bool,
    /// drupal.org lists it.
    pub is_listed: bool,
    /// The judgement on a site that runs it.
    pub status: Standing,
    /// Why, where the word alone doesn't say.
    pub reason: Option<String>,
    /// A site that runs it is exposed; `None`: can't tell.
    pub exposed: Option<bool>,
    /// Sites in sight that have it.
    pub sites_count: i64,
}

impl Row for ModuleVersion {
    fn cell(&self, field: &str) -> Cell<'_> {
        match field {
            "position" => Cell::Integer(self.position),
            "version_number" => Cell::of(self.version_number.as_deref().map(Cell::Text)),
            "release_date" => Cell::of(self.release_date.map(Cell::Time)),
            "is_security_update" => Cell::Boolean(self.is_security_update),
            "is_insecure" => Cell::Boolean(self.is_insecure),
            "is_supported" => Cell::Boolean(self.is_supported),
            "is_listed" => Cell::Boolean(self.is_listed),
            "status" => Cell::Text(self.status.word()),
            "exposed" => Cell::of(self.exposed.map(Cell::Boolean)),
            "sites_count" => Cell::Integer(self.sites_count),
            _ => Cell::Nothing,
        }
    }
}

const STATUSES: [&str; 9] = [
    "not_secure",
    "revoked",
    "not_supported",
    "unknown",
    "not_checked",
    "pending",
    "not_current",
    "current",
    "custom",
];

/// The list of a module's versions.
pub static LIST: List = List {
    name: "module-versions",
    fields: &[
        Field::optional("version_number", Kind::Text),
        Field::optional("release_date", Kind::Time),
        Field::new("is_security_update", Kind::Boolean),
        Field::new("is_insecure", Kind::Boolean),
        Field::new("is_supported", Kind::Boolean),
        Field::new("is_listed", Kind::Boolean),
        Field::new("status", Kind::Word(&STATUSES)),
        Field::optional("exposed", Kind::Boolean),
        Field::new("sites_count", Kind::Integer),
    ],
    sorts: &["position", "release_date", "sites_count"],
    default_sort: "position",
    search: false,
    columns: &[
        "version_number",
        "release_date",
        "is_security_update",
        "is_insecure",
        "is_supported",
        "is_listed",
        "status",
        "reason",
        "exposed",
        "sites_count",
    ],
};
