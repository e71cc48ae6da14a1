//! `/users`: people in sight, invitations, and what only the platform administrator does with people.

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{maybe_written, written};
use crate::app::App;
use crate::domain::fault::Fault;
use crate::domain::member::{InvitationForm, Membership, RoleName, USERS as FIELDS, User, status};
use crate::http::call::{Answer, Call};
use crate::http::fields::Fields;
use crate::http::route::{Gives, Operation, Takes, schema_of};
use crate::services::Result;
use crate::services::invitations::{self, Link};
use crate::services::people::{self, Made, UserForm, Wanted};

/// What somebody is in one organization.
#[derive(Debug, Serialize, ToSchema)]
pub struct MembershipOut {
    organization_id: i64,
    /// Its name.
    organization: String,
    role_id: i64,
    /// Its name.
    role: String,
}

impl From<Membership> for MembershipOut {
    fn from(membership: Membership) -> Self {
        Self {
            organization_id: membership.organization_id,
            organization: membership.organization,
            role_id: membership.role_id,
            role: membership.role,
        }
    }
}

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserOut {
    id: i64,
    /// The address with which he signs in.
    email: String,
    name: String,
    /// `invited`: he has not come yet.
    status: &'static str,
    /// Until when the link of his invitation is good; null where none waits that opens anything.
    #[schema(format = DateTime)]
    invited_until: Option<String>,
    /// May do all in all organizations; null unless the platform administrator asks.
    platform_admin: Option<bool>,
    /// The IANA name of the time zone in which he reads times.
    time_zone: String,
    /// A second factor is asked for when he signs in.
    two_factor_enabled: bool,
    /// Written once a minute at most.
    #[schema(format = DateTime)]
    last_seen_at: Option<String>,
    /// What he is in the organizations in sight.
    memberships: Vec<MembershipOut>,
    #[schema(format = DateTime)]
    created_at: String,
}

/// A person who was just made.
#[derive(Debug, Serialize, ToSchema)]
pub struct MadeUserOut {
    #[serde(flatten)]
    user: UserOut,
    invitation: Option<InvitationOut>,
}

/// The link of an invitation. It is good once, and whoever has it can take the place: for the person
/// who was invited, and nobody else.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvitationOut {
    /// Below `public_url` where that is configured, else a path of this server.
    link: String,
    #[schema(format = DateTime)]
    expires_at: String,
}

impl InvitationOut {
    /// As it is told to whoever invites.
    pub fn of(app: &App, link: &Link) -> Self {
        Self {
            link: format!("{}{}", app.config.public_url, link.path.expose_secret()),
            expires_at: written(link.expires_at),
        }
    }
}

/// What can be sent of somebody to be.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct NewUserIn {
    /// The address of the person.
    #[schema(max_length = 254)]
    email: String,
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// The organization of which he will be a member. Only the platform administrator can leave it out.
    organization_id: Option<i64>,
    /// What he will be there: the id or the name of a role, such as `viewer`, that holds nothing which
    /// the caller doesn't hold there.
    role: Option<RoleIn>,
    /// Makes him at once instead of inviting him (platform administrator).
    #[schema(min_length = 12)]
    password: Option<String>,
}

/// A role by its id or its name.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
#[schema(as = RoleNameIn)]
#[serde(untagged)]
pub enum RoleIn {
    /// By its id.
    Id(i64),
    /// By its name.
    Name(String),
}

/// What can be changed of a person; what isn't sent stays.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct UserIn {
    /// The address with which he signs in.
    #[schema(max_length = 254)]
    email: Option<String>,
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// The IANA name of the time zone in which he reads times.
    time_zone: Option<String>,
    /// May do all in all organizations.
    platform_admin: Option<bool>,
}

fn out(user: User, platform: bool) -> UserOut {
    UserOut {
        id: user.id,
        email: user.email,
        name: user.name,
        status: status(user.invited),
        invited_until: maybe_written(user.invited_until),
        platform_admin: platform.then_some(user.platform_admin),
        time_zone: user.time_zone,
        two_factor_enabled: user.two_factor_enabled,
        last_seen_at: maybe_written(user.last_seen_at),
        memberships: user.memberships.into_iter().map(Into::into).collect(),
        created_at: written(user.created_at),
    }
}

/// `GET /users`.
pub const LIST: Operation = Operation {
    name: "list_users",
    summary: "The people in sight: members of organizations in which the caller manages people",
    takes: Takes::Nothing,
    gives: Gives::Page(&FIELDS, schema_of::<UserOut>),
    handler: |call| Box::pin(list(call)),
};

/// `POST /users`.
pub const CREATE: Operation = Operation {
    name: "create_user",
    summary: "Invite somebody; with a password: make somebody at once (platform administrator)",
    takes: Takes::Json(schema_of::<NewUserIn>),
    gives: Gives::Created(schema_of::<MadeUserOut>),
    handler: |call| Box::pin(create(call)),
};

/// `GET /users/{id}`.
pub const SHOW: Operation = Operation {
    name: "show_user",
    summary: "One person",
    takes: Takes::Nothing,
    gives: Gives::One(schema_of::<UserOut>),
    handler: |call| Box::pin(show(call)),
};

/// `PUT /users/{id}`.
pub const UPDATE: Operation = Operation {
    name: "update_user",
    summary: "Change a person; what isn't sent stays (platform administrator)",
    takes: Takes::Json(schema_of::<UserIn>),
    gives: Gives::One(schema_of::<UserOut>),
    handler: |call| Box::pin(update(call)),
};

/// `DELETE /users/{id}`.
pub const DELETE: Operation = Operation {
    name: "delete_user",
    summary: "Delete a person softly and end his sessions (platform administrator)",
    takes: Takes::Nothing,
    gives: Gives::Nothing,
    handler: |call| Box::pin(delete(call)),
};

/// `POST /users/{id}/restore`.
pub const RESTORE: Operation = Operation {
    name: "restore_user",
    summary: "Bring a deleted person back, with his memberships (platform administrator)",
    takes: Takes::Nothing,
    gives: Gives::One(schema_of::<UserOut>),
    handler: |call| Box::pin(restore(call)),
};

/// `POST /users/{id}/invite`.
pub const INVITE: Operation = Operation {
    name: "renew_invitation",
    summary: "Make a new link for somebody who was invited and hasn't come; the one before is void",
    takes: Takes::Nothing,
    gives: Gives::One(schema_of::<InvitationOut>),
    handler: |call| Box::pin(invite(call)),
};

async fn list(call: Call) -> Result<Answer> {
    let platform = call.actor()?.is_platform();
    let page = people::list(&call.app, call.actor()?, call.query()?).await?;
    Answer::page_with(&FIELDS, page, |user| out(user, platform))
}

async fn create(mut call: Call) -> Result<Answer> {
    let wanted = wanted(call.fields());
    let made = people::create(&call.app, call.actor()?, wanted).await?;
    let Made { user, link } = made;
    let location = format!("/api/v1/users/{}", user.id);
    let data = MadeUserOut {
        user: out(user, call.actor()?.is_platform()),
        invitation: link.map(|link| InvitationOut::of(&call.app, &link)),
    };
    Answer::created(location, &data)
}

fn wanted(mut fields: Fields) -> Wanted {
    let organization_id = fields.integer("organization_id");
    let (role, fault) = role(&mut fields);
    let password = fields.text("password").map(SecretString::from);
    Wanted {
        organization_id,
        role,
        password,
        invitation: invitation(fields, fault),
    }
}

/// Who is invited, with all that could not be read.
pub(super) fn invitation(mut fields: Fields, fault: Option<Fault>) -> InvitationForm {
    let (email, name) = (fields.text("email"), fields.text("name"));
    let mut unreadable = fields.faults();
    unreadable.extend(fault);
    InvitationForm {
        email,
        name,
        unreadable,
    }
}

/// A role by its id or its name.
pub(super) fn role(fields: &mut Fields) -> (Option<RoleName>, Option<Fault>) {
    match fields.take("role") {
        None => (None, None),
        Some(Value::String(name)) => (Some(RoleName::Named(name)), None),
        Some(other) => match other.as_i64() {
            Some(id) => (Some(RoleName::Id(id)), None),
            None => {
                let detail = "takes the id or the name of a role.";
                (None, Some(Fault::new("/role", "wrong_type", detail)))
            }
        },
    }
}

async fn show(call: Call) -> Result<Answer> {
    let found = people::find(&call.app, call.actor()?, call.id()?).await?;
    Answer::one(&out(found, call.actor()?.is_platform()))
}

async fn update(mut call: Call) -> Result<Answer> {
    let mut fields = call.fields();
    let form = UserForm {
        email: fields.text("email"),
        name: fields.text("name"),
        time_zone: fields.text("time_zone"),
        platform_admin: fields.boolean("platform_admin"),
        unreadable: fields.faults(),
    };
    let changed = people::update(&call.app, call.actor()?, call.id()?, form).await?;
    Answer::one(&out(changed, true))
}

async fn delete(call: Call) -> Result<Answer> {
    people::delete(&call.app, call.actor()?, call.id()?).await?;
    Ok(Answer::Nothing)
}

async fn restore(call: Call) -> Result<Answer> {
    let restored = people::restore(&call.app, call.actor()?, call.id()?).await?;
    Answer::one(&out(restored, true))
}

async fn invite(call: Call) -> Result<Answer> {
    let link = invitations::renew(&call.app, call.actor()?, call.id()?).await?;
    Answer::one(&InvitationOut::of(&call.app, &link))
}
