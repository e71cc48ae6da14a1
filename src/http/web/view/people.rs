//! People, members of organizations, invitations, and messages that wait.

use askama::Template;
use jiff::Timestamp;

use super::super::listing::{Listing, Tab};
use super::super::shell::{Gate, Shell};
use super::super::{charts, parts, words};
use super::fleet::Choice;
use super::forms::error_of;

/// A link that is shown this once.
#[derive(Debug, Clone)]
pub struct NewLink {
    /// Whom it is for.
    pub name: String,
    /// The whole link.
    pub link: String,
}

/// What somebody is somewhere.
#[derive(Debug, Clone)]
pub struct MembershipRow {
    /// The organization.
    pub organization_id: i64,
    /// Its name.
    pub organization: String,
    /// The role there.
    pub role: String,
}

/// Somebody in sight.
#[derive(Debug, Clone)]
pub struct UserRow {
    /// The person.
    pub id: i64,
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
    /// He hasn't come yet.
    pub invited: bool,
    /// Until when his link is good.
    pub until: Option<Timestamp>,
    /// He looks after the platform, and the visitor may know.
    pub platform: bool,
    /// He has a second factor.
    pub two_factor: bool,
    /// When he was last here.
    pub seen: Option<Timestamp>,
    /// What he is in the organizations in sight.
    pub memberships: Vec<MembershipRow>,
}

impl UserRow {
    /// A link waits for him that opens something.
    fn waits(&self, now: &Timestamp) -> bool {
        self.until.is_some_and(|until| until > *now)
    }
}

/// The people in sight.
#[derive(Debug, Template)]
#[template(path = "users.html")]
pub struct UsersPage {
    /// What stands around it.
    pub shell: Shell,
    /// What every list has.
    pub list: Listing,
    /// The rows of this page.
    pub rows: Vec<UserRow>,
}

/// What was typed about somebody to be, and what is wrong with it.
#[derive(Debug, Clone, Default)]
pub struct InvitationFields {
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
    /// To choose from; empty where the page is one organization's.
    pub organizations: Vec<Choice>,
    /// To choose from.
    pub roles: Vec<Choice>,
    /// (field, sentence): what is wrong.
    pub faults: Vec<(String, String)>,
}

impl InvitationFields {
    /// What is wrong with a field.
    pub fn error(&self, field: &str) -> Option<String> {
        error_of(&self.faults, field)
    }
}

/// Somebody to be invited.
#[derive(Debug, Template)]
#[template(path = "user_invite.html")]
pub struct InvitePage {
    /// What stands around it.
    pub shell: Shell,
    /// The form.
    pub form: InvitationFields,
}

/// What can be changed of a person, and what is wrong with it.
#[derive(Debug, Clone)]
pub struct UserFields {
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
    /// The time zone.
    pub time_zone: String,
    /// He looks after the platform.
    pub platform_admin: bool,
    /// (field, sentence): what is wrong.
    pub faults: Vec<(String, String)>,
}

impl UserFields {
    fn error(&self, field: &str) -> Option<String> {
        error_of(&self.faults, field)
    }
}

/// One person.
#[derive(Debug, Template)]
#[template(path = "user.html")]
pub struct UserPage {
    /// What stands around it.
    pub shell: Shell,
    /// His link, where it was just made.
    pub link: Option<NewLink>,
    /// The person.
    pub row: UserRow,
    /// Since when there is he.
    pub since: Timestamp,
    /// How many sessions he has open, where the visitor may know.
    pub sessions: Option<u64>,
    /// What can be changed, where the visitor may.
    pub form: Option<UserFields>,
}

/// A member of an organization.
#[derive(Debug, Clone)]
pub struct MemberRow {
    /// The person.
    pub id: i64,
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
    /// The role.
    pub role: String,
    /// He hasn't come yet.
    pub invited: bool,
    /// Until when his link is good.
    pub until: Option<Timestamp>,
    /// He has a second factor.
    pub two_factor: bool,
}

impl MemberRow {
    /// A link waits for him that opens something.
    fn waits(&self, now: &Timestamp) -> bool {
        self.until.is_some_and(|until| until > *now)
    }
}

/// The members of an organization.
#[derive(Debug, Template)]
#[template(path = "members.html")]
pub struct MembersPage {
    /// What stands around it.
    pub shell: Shell,
    /// The organization.
    pub organization_id: i64,
    /// Its name.
    pub organization: String,
    /// The link of whoever was just invited.
    pub link: Option<NewLink>,
    /// What every list has.
    pub list: Listing,
    /// The rows of this page.
    pub rows: Vec<MemberRow>,
    /// Who is to be invited.
    pub form: InvitationFields,
}

/// A role that can be given.
#[derive(Debug, Clone)]
pub struct RoleChoice {
    /// The role.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// He has it.
    pub chosen: bool,
    /// It holds nothing that the visitor lacks.
    pub may: bool,
}

/// One member.
#[derive(Debug, Template)]
#[template(path = "member.html")]
pub struct MemberPage {
    /// What stands around it.
    pub shell: Shell,
    /// The organization.
    pub organization_id: i64,
    /// Its name.
    pub organization: String,
    /// His link, where it was just made.
    pub link: Option<NewLink>,
    /// The member.
    pub row: MemberRow,
    /// What he can be.
    pub roles: Vec<RoleChoice>,
    /// He manages people and holds what the visitor lacks: the visitor can't touch him.
    pub beyond: bool,
    /// What was wrong.
    pub error: Option<String>,
}

/// What the link of an invitation opens.
#[derive(Debug, Clone)]
pub struct OpenedInvitation {
    /// The address that was invited.
    pub email: String,
    /// What he will be, and where.
    pub memberships: Vec<MembershipRow>,
    /// The address of whoever is signed in.
    pub signed_in: Option<String>,
    /// What was typed.
    pub name: String,
    /// What was typed.
    pub time_zone: String,
    /// To choose from.
    pub zones: Vec<String>,
    /// (field, sentence): what is wrong.
    pub faults: Vec<(String, String)>,
}

impl OpenedInvitation {
    fn error(&self, field: &str) -> Option<String> {
        error_of(&self.faults, field)
    }

    /// Whoever is signed in is the one who was invited.
    fn is_his(&self) -> bool {
        let same = |email: &String| email.eq_ignore_ascii_case(&self.email);
        self.signed_in.as_ref().is_some_and(same)
    }
}

/// Takes an invitation.
#[derive(Debug, Template)]
#[template(path = "invitation.html")]
pub struct InvitationPage {
    /// What stands around it.
    pub shell: Gate,
    /// The token, handed on to the form.
    pub token: String,
    /// Where signing in comes back to.
    pub sign_in: String,
    /// The same link, for whoever signs out first.
    pub again: String,
    /// What it opens; `None`: the link is no longer good.
    pub opened: Option<OpenedInvitation>,
}

/// A message that waits.
#[derive(Debug, Clone)]
pub struct MessageRow {
    /// Its id.
    pub id: i64,
    /// What it is about, in words.
    pub what: &'static str,
    /// Whom it is for.
    pub recipient: String,
    /// The person it is for.
    pub user_id: Option<i64>,
    /// The organization that it is about.
    pub organization: Option<String>,
    /// Since when it waits.
    pub at: Timestamp,
    /// When its link ends.
    pub until: Timestamp,
    /// Its link opens something.
    pub works: bool,
    /// The visitor may look at its link.
    pub may_show: bool,
}

/// The messages that wait.
#[derive(Debug, Template)]
#[template(path = "notifications.html")]
pub struct NotificationsPage {
    /// What stands around it.
    pub shell: Shell,
    /// The link that was asked for.
    pub link: Option<NewLink>,
    /// What every list has.
    pub list: Listing,
    /// The rows of this page.
    pub rows: Vec<MessageRow>,
}

/// The organizations of whoever is signed in.
#[derive(Debug, Template)]
#[template(path = "account_organizations.html")]
pub struct OwnOrganizationsPage {
    /// What stands around it.
    pub shell: Shell,
    /// The parts of one's account.
    pub tabs: Vec<Tab>,
    /// What he is, and where.
    pub rows: Vec<MembershipRow>,
}
