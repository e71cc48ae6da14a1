//! Organizations: clients of the agency, and the wall between them.

use jiff::Timestamp;

use super::fault::Fault;
use super::form;
use super::listing::{Field, Kind, List};

/// An organization as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its id.
    pub id: i64,
    /// Its name, unique whatever its case among what isn't deleted.
    pub name: String,
    /// What people wrote about it.
    pub notes: String,
    /// Its sites that aren't deleted.
    pub sites_count: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A deleted one, that can be brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedOrganization {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Sites that went with it and come back with it.
    pub sites_count: i64,
    /// When it was deleted.
    pub deleted_at: Timestamp,
}

/// What can be said about an organization; what isn't said stays as it is.
#[derive(Debug, Clone, Default)]
pub struct OrganizationForm {
    /// Its name.
    pub name: Option<String>,
    /// What people write about it.
    pub notes: Option<String>,
    /// What is already known to be wrong: fields that could not be read, or aren't known.
    pub unreadable: Vec<Fault>,
}

/// An organization's facts, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationFacts {
    /// 1 to 120 characters, without blanks around it.
    pub name: String,
    /// At most 4,000 characters.
    pub notes: String,
}

impl OrganizationForm {
    /// The facts, where nothing is wrong with them. `before` gives what the form doesn't say.
    ///
    /// # Errors
    /// All faults at once.
    pub fn check(
        &self,
        before: Option<&OrganizationFacts>,
    ) -> Result<OrganizationFacts, Vec<Fault>> {
        let mut faults = self.unreadable.clone();
        let name = form::line(self.name.as_deref(), "/name", 120, &mut faults).or_else(|| {
            before
                .filter(|_| self.name.is_none())
                .map(|facts| facts.name.clone())
        });
        if name.is_none() && self.name.is_none() {
            form::need("/name", &mut faults);
        }
        let notes = self
            .notes
            .clone()
            .or_else(|| before.map(|facts| facts.notes.clone()))
            .unwrap_or_default();
        form::check_prose(&notes, "/notes", 4_000, &mut faults);
        match name {
            Some(name) if faults.is_empty() => Ok(OrganizationFacts { name, notes }),
            _ => Err(faults),
        }
    }
}

/// The list of organizations.
pub static LIST: List = List {
    name: "organizations",
    fields: &[
        Field::new("id", Kind::Integer),
        Field::new("name", Kind::Text),
        Field::new("created_at", Kind::Time),
        Field::new("updated_at", Kind::Time),
    ],
    sorts: &["name", "id", "created_at"],
    default_sort: "name",
    search: true,
    columns: &[
        "id",
        "name",
        "notes",
        "sites_count",
        "created_at",
        "updated_at",
    ],
};
