//! Organizations: clients of the agency, and the wall between them.

use jiff::{SignedDuration, Timestamp};

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
    /// From then on its members need a second factor; `None`: they don't.
    pub second_factor_from: Option<Timestamp>,
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
    /// Whether its members need a second factor.
    pub require_two_factor: Option<bool>,
    /// Days until it is asked for, 0 to [`LONGEST_GRACE_DAYS`]; not said: what it was, or 14.
    pub two_factor_grace_days: Option<i64>,
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
    /// From then on its members need a second factor; `None`: they don't.
    pub second_factor_from: Option<Timestamp>,
}

/// Days until a second factor is asked for, where nothing else is said.
pub const GRACE_DAYS: i64 = 14;
/// The most days until a second factor is asked for.
pub const LONGEST_GRACE_DAYS: i64 = 90;

impl OrganizationForm {
    /// The facts, where nothing is wrong with them. `before` gives what the form doesn't say.
    ///
    /// # Errors
    /// All faults at once.
    pub fn check(
        &self,
        before: Option<&OrganizationFacts>,
        now: Timestamp,
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
        let known = before.and_then(|facts| facts.second_factor_from);
        let second_factor_from = self.second_factor_from(known, now, &mut faults);
        match name {
            Some(name) if faults.is_empty() => Ok(OrganizationFacts {
                name,
                notes,
                second_factor_from,
            }),
            _ => Err(faults),
        }
    }

    fn second_factor_from(
        &self,
        known: Option<Timestamp>,
        now: Timestamp,
        faults: &mut Vec<Fault>,
    ) -> Option<Timestamp> {
        let pointer = "/two_factor_grace_days";
        let required = self.require_two_factor.unwrap_or(known.is_some());
        match (required, self.two_factor_grace_days) {
            (false, None) => None,
            (false, Some(_)) => {
                faults.push(Fault::new(
                    pointer,
                    "not_required",
                    "says from when two-step sign-in is needed, but none is: send require_two_factor with true.",
                ));
                None
            }
            (true, None) if known.is_some() => known,
            (true, days) => {
                let days = days.unwrap_or(GRACE_DAYS);
                if !(0..=LONGEST_GRACE_DAYS).contains(&days) {
                    faults.push(Fault::new(
                        pointer,
                        "out_of_range",
                        format!("is a number of days from 0 to {LONGEST_GRACE_DAYS}."),
                    ));
                }
                let days = days.clamp(0, LONGEST_GRACE_DAYS);
                now.checked_add(SignedDuration::from_hours(24 * days)).ok()
            }
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
        "require_two_factor",
        "two_factor_required_from",
        "sites_count",
        "created_at",
        "updated_at",
    ],
};
