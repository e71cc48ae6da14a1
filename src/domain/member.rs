//! People as those see them who look after them: everybody in sight, and the members of one
//! organization. Whoever was invited and hasn't come yet is a person to be.

use jiff::Timestamp;

use super::fault::Fault;
use super::form;
use super::listing::{Field, Kind, List};
use super::person::{Email, parse_name};

/// Whether somebody has come already.
pub const STATUSES: [&str; 2] = ["active", "invited"];

/// The word of it.
pub fn status(invited: bool) -> &'static str {
    if invited { "invited" } else { "active" }
}

/// What somebody is in one organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The organization.
    pub organization_id: i64,
    /// Its name.
    pub organization: String,
    /// The role there.
    pub role_id: i64,
    /// Its name.
    pub role: String,
}

/// Somebody in sight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The id.
    pub id: i64,
    /// The address with which he signs in.
    pub email: String,
    /// The name that others see.
    pub name: String,
    /// He was invited and hasn't come yet.
    pub invited: bool,
    /// Until when the link of his invitation is good.
    pub invited_until: Option<Timestamp>,
    /// May do all in all.
    pub platform_admin: bool,
    /// The IANA name of the time zone in which he reads times.
    pub time_zone: String,
    /// A second factor is asked for when he signs in.
    pub two_factor_enabled: bool,
    /// The last call of one of his sessions, written once a minute at most.
    pub last_seen_at: Option<Timestamp>,
    /// What he is in the organizations in sight.
    pub memberships: Vec<Membership>,
    /// Since when there is this person.
    pub created_at: Timestamp,
}

/// Somebody who was deleted and can be brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedUser {
    /// The id.
    pub id: i64,
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
    /// When he was deleted.
    pub deleted_at: Timestamp,
}

/// A member of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The organization.
    pub organization_id: i64,
    /// The person.
    pub user_id: i64,
    /// The name that others see.
    pub name: String,
    /// The address with which he signs in.
    pub email: String,
    /// The role here.
    pub role_id: i64,
    /// Its name.
    pub role: String,
    /// He was invited and hasn't come yet.
    pub invited: bool,
    /// Until when the link of his invitation is good.
    pub invited_until: Option<Timestamp>,
    /// A second factor is asked for when he signs in.
    pub two_factor_enabled: bool,
    /// Since when he is a member.
    pub created_at: Timestamp,
}

/// A role as somebody names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoleName {
    /// By its id.
    Id(i64),
    /// By its name.
    Named(String),
}

/// What can be said about a person to be.
#[derive(Debug, Clone, Default)]
pub struct InvitationForm {
    /// His address.
    pub email: Option<String>,
    /// His name.
    pub name: Option<String>,
    /// What is already known to be wrong: fields that could not be read, or aren't known.
    pub unreadable: Vec<Fault>,
}

/// Who is invited, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invited {
    /// His address.
    pub email: String,
    /// His name.
    pub name: String,
}

impl InvitationForm {
    /// Who it is, where nothing is wrong; `others` is what else is wrong with what was sent.
    ///
    /// # Errors
    /// All faults at once.
    pub fn check(&self, others: Vec<Fault>) -> Result<Invited, Vec<Fault>> {
        let mut faults = self.unreadable.clone();
        let mut read = |text: &Option<String>, pointer: &str, parse: &dyn Fn(&str) -> _| match text
        {
            None => {
                form::need(pointer, &mut faults);
                None
            }
            Some(text) => match parse(text) {
                Ok(read) => Some(read),
                Err(fault) => {
                    faults.push(fault);
                    None
                }
            },
        };
        let email = read(&self.email, "/email", &|text| {
            Email::parse(text, "/email").map(|email| email.as_str().to_owned())
        });
        let name = read(&self.name, "/name", &|text| parse_name(text, "/name"));
        faults.extend(others);
        match (email, name) {
            (Some(email), Some(name)) if faults.is_empty() => Ok(Invited { email, name }),
            _ => Err(faults),
        }
    }
}

/// The list of people in sight.
pub static USERS: List = List {
    name: "users",
    fields: &[
        Field::new("id", Kind::Integer),
        Field::new("name", Kind::Text),
        Field::new("email", Kind::Text),
        Field::new("status", Kind::Word(&STATUSES)),
        Field::new("created_at", Kind::Time),
    ],
    sorts: &["name", "email", "id"],
    default_sort: "name",
    search: true,
    columns: &[
        "id",
        "email",
        "name",
        "status",
        "invited_until",
        "platform_admin",
        "time_zone",
        "two_factor_enabled",
        "last_seen_at",
        "memberships",
        "created_at",
    ],
};

/// The list of an organization's members.
pub static MEMBERS: List = List {
    name: "members",
    fields: &[
        Field::new("user_id", Kind::Integer),
        Field::new("name", Kind::Text),
        Field::new("email", Kind::Text),
        Field::new("role_id", Kind::Integer),
        Field::new("role", Kind::Text),
        Field::new("status", Kind::Word(&STATUSES)),
        Field::new("created_at", Kind::Time),
    ],
    sorts: &["name", "email", "user_id", "created_at"],
    default_sort: "name",
    search: true,
    columns: &[
        "user_id",
        "name",
        "email",
        "role_id",
        "role",
        "status",
        "invited_until",
        "two_factor_enabled",
        "created_at",
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_wrong_with_an_invitation_is_said_at_once() {
        let form = InvitationForm {
            email: Some("nowhere".to_owned()),
            ..InvitationForm::default()
        };
        let role = Fault::new("/role", "required", "is required.");
        let faults = form.check(vec![role]).unwrap_err();
        let places: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(places, ["/email", "/name", "/role"]);
    }
}
