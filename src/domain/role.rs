//! Roles: sets of permissions under a name, which people hold organization by organization. Three are
//! built in; others belong to one organization, or to the platform and can be used in every one.

use jiff::Timestamp;

use super::access::Permission;
use super::fault::Fault;
use super::form;
use super::grants::Permissions;
use super::listing::{Field, Kind, List};

/// The built-in role that holds everything in an organization.
pub const ADMIN: i64 = 1;

/// A role as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its id.
    pub id: i64,
    /// The organization that made it; `None`: it can be used in every one.
    pub organization_id: Option<i64>,
    /// That organization's name.
    pub organization: Option<String>,
    /// Its name, unique whatever its case among those of its owner and the platform's.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What it lets one do.
    pub permissions: Permissions,
    /// It came with the product and stays as it is.
    pub built_in: bool,
    /// People in sight who hold it, once for each organization.
    pub members_count: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What can be said about a role; what isn't said stays as it is.
#[derive(Debug, Clone, Default)]
pub struct RoleForm {
    /// Its name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// What it lets one do, as permission words.
    pub permissions: Option<Vec<String>>,
    /// What is already known to be wrong: fields that could not be read, or aren't known.
    pub unreadable: Vec<Fault>,
}

/// A role's facts, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleFacts {
    /// 1 to 60 characters, without blanks around it.
    pub name: String,
    /// At most 300 characters.
    pub description: String,
    /// What it lets one do; perhaps nothing.
    pub permissions: Permissions,
}

impl RoleForm {
    /// The facts, where nothing is wrong with them. `before` gives what the form doesn't say.
    ///
    /// # Errors
    /// All faults at once.
    pub fn check(&self, before: Option<&RoleFacts>) -> Result<RoleFacts, Vec<Fault>> {
        let mut faults = self.unreadable.clone();
        let kept = before.filter(|_| self.name.is_none());
        let name = form::line(self.name.as_deref(), "/name", 60, &mut faults)
            .or_else(|| kept.map(|facts| facts.name.clone()));
        if name.is_none() && self.name.is_none() {
            form::need("/name", &mut faults);
        }
        let description = match (&self.description, before) {
            (Some(said), _) => said.trim().to_owned(),
            (None, before) => before.map_or_else(String::new, |facts| facts.description.clone()),
        };
        form::check_prose(&description, "/description", 300, &mut faults);
        let permissions = match (&self.permissions, before) {
            (Some(words), _) => permissions(words, &mut faults),
            (None, Some(before)) => before.permissions,
            (None, None) => {
                form::need("/permissions", &mut faults);
                Permissions::NONE
            }
        };
        match name {
            Some(name) if faults.is_empty() => Ok(RoleFacts {
                name,
                description,
                permissions,
            }),
            _ => Err(faults),
        }
    }
}

fn permissions(words: &[String], faults: &mut Vec<Fault>) -> Permissions {
    let mut known = Vec::with_capacity(words.len());
    for (index, word) in words.iter().enumerate() {
        match Permission::from_word(word) {
            Some(permission) => known.push(permission),
            None => {
                let all: Vec<_> = Permission::ALL.iter().map(|known| known.word()).collect();
                faults.push(Fault::new(
                    format!("/permissions/{index}"),
                    "unknown_permission",
                    format!("is not a permission; known are {}.", all.join(", ")),
                ));
            }
        }
    }
    known.into_iter().collect()
}

/// The list of roles.
pub static LIST: List = List {
    name: "roles",
    fields: &[
        Field::new("id", Kind::Integer),
        Field::new("name", Kind::Text),
        Field::optional("organization_id", Kind::Integer),
        Field::new("built_in", Kind::Boolean),
        Field::new("created_at", Kind::Time),
    ],
    sorts: &["id", "name"],
    default_sort: "id",
    search: true,
    columns: &[
        "id",
        "name",
        "description",
        "organization_id",
        "organization",
        "permissions",
        "built_in",
        "members_count",
        "created_at",
        "updated_at",
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_permissions_are_told_each_by_its_place() {
        let form = RoleForm {
            name: Some("Editor".to_owned()),
            permissions: Some(vec!["sites:read".to_owned(), "sites:eat".to_owned()]),
            ..RoleForm::default()
        };
        let faults = form.check(None).unwrap_err();
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].pointer, "/permissions/1");
        assert!(faults[0].detail.contains("sites:write"));
    }

    #[test]
    fn what_is_not_said_stays() {
        let before = RoleFacts {
            name: "Editor".to_owned(),
            description: "Writes".to_owned(),
            permissions: Permissions::of(&[Permission::SitesRead]),
        };
        assert_eq!(
            RoleForm::default().check(Some(&before)).unwrap(),
            before.clone()
        );
        let empty = RoleForm::default().check(None).unwrap_err();
        let places: Vec<_> = empty.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(places, ["/name", "/permissions"]);
    }
}
