//! `/organizations/{id}/members`: who belongs to an organization, and as what.

use serde::Serialize;
use utoipa::ToSchema;

use super::users::{InvitationOut, RoleIn, invitation, role};
use super::{maybe_written, written};
use crate::domain::member::{MEMBERS as FIELDS, Member, status};
use crate::http::call::{Answer, Call};
use crate::http::route::{Gives, Operation, Takes, schema_of};
use crate::services::Result;
use crate::services::members::{self, Joining};

/// A member of an organization.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberOut {
    user_id: i64,
    name: String,
    /// The address with which he signs in.
    email: String,
    role_id: i64,
    /// Its name.
    role: String,
    /// `invited`: he has not come yet.
    status: &'static str,
    /// Until when the link of his invitation is good; null where none waits that opens anything.
    #[schema(format = DateTime)]
    invited_until: Option<String>,
    /// A second factor is asked for when he signs in.
    two_factor_enabled: bool,
    /// Since when he is a member.
    #[schema(format = DateTime)]
    created_at: String,
}

impl From<Member> for MemberOut {
    fn from(member: Member) -> Self {
        Self {
            user_id: member.user_id,
            name: member.name,
            email: member.email,
            role_id: member.role_id,
            role: member.role,
            status: status(member.invited),
            invited_until: maybe_written(member.invited_until),
            two_factor_enabled: member.two_factor_enabled,
            created_at: written(member.created_at),
        }
    }
}

/// A new member.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewMemberOut {
    #[serde(flatten)]
    member: MemberOut,
    invitation: Option<InvitationOut>,
}

/// What can be sent of a new member: a person in sight, or who is invited.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct NewMemberIn {
    /// A person in sight who has signed in before, or
    user_id: Option<i64>,
    /// the address of somebody who is invited,
    #[schema(max_length = 254)]
    email: Option<String>,
    /// and his name.
    #[schema(max_length = 200)]
    name: Option<String>,
    /// What he will be: the id or the name of a role that holds nothing which the caller doesn't hold.
    role: RoleIn,
}

/// What can be changed of a member.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub struct MemberIn {
    /// What he will be: the id or the name of a role that holds nothing which the caller doesn't hold.
    role: RoleIn,
}

/// `GET /organizations/{id}/members`.
pub const LIST: Operation = Operation {
    name: "list_members",
    summary: "The members of an organization, and who was invited",
    takes: Takes::Nothing,
    gives: Gives::Page(&FIELDS, schema_of::<MemberOut>),
    handler: |call| Box::pin(list(call)),
};

/// `POST /organizations/{id}/members`.
pub const ADD: Operation = Operation {
    name: "add_member",
    summary: "Invite somebody to an organization, or make a person in sight a member",
    takes: Takes::Json(schema_of::<NewMemberIn>),
    gives: Gives::Created(schema_of::<NewMemberOut>),
    handler: |call| Box::pin(add(call)),
};

/// `GET /organizations/{id}/members/{user_id}`.
pub const SHOW: Operation = Operation {
    name: "show_member",
    summary: "One member of an organization, or somebody who was invited",
    takes: Takes::Nothing,
    gives: Gives::One(schema_of::<MemberOut>),
    handler: |call| Box::pin(show(call)),
};

/// `PUT /organizations/{id}/members/{user_id}`.
pub const UPDATE: Operation = Operation {
    name: "update_member",
    summary: "Give a member another role; it counts from the next request on",
    takes: Takes::Json(schema_of::<MemberIn>),
    gives: Gives::One(schema_of::<MemberOut>),
    handler: |call| Box::pin(update(call)),
};

/// `DELETE /organizations/{id}/members/{user_id}`.
pub const REMOVE: Operation = Operation {
    name: "remove_member",
    summary: "End a membership, or an invitation; the organization's keys that he made stop",
    takes: Takes::Nothing,
    gives: Gives::Nothing,
    handler: |call| Box::pin(remove(call)),
};

/// `DELETE /auth/memberships/{organization_id}`.
pub const LEAVE: Operation = Operation {
    name: "leave_organization",
    summary: "Leave an organization",
    takes: Takes::Nothing,
    gives: Gives::Nothing,
    handler: |call| Box::pin(leave(call)),
};

async fn list(call: Call) -> Result<Answer> {
    let page = members::list(&call.app, call.actor()?, call.id()?, call.query()?).await?;
    Answer::page::<_, MemberOut>(&FIELDS, page)
}

async fn add(mut call: Call) -> Result<Answer> {
    let id = call.id()?;
    let mut fields = call.fields();
    let user_id = fields.integer("user_id");
    let (role, fault) = role(&mut fields);
    let joining = Joining {
        user_id,
        role,
        invitation: invitation(fields, fault),
    };
    let joined = members::add(&call.app, call.actor()?, id, joining).await?;
    let location = format!(
        "/api/v1/organizations/{id}/members/{}",
        joined.member.user_id
    );
    let link = joined.link;
    let data = NewMemberOut {
        member: joined.member.into(),
        invitation: link.map(|link| InvitationOut::of(&call.app, &link)),
    };
    Answer::created(location, &data)
}

async fn show(call: Call) -> Result<Answer> {
    let found = members::find(&call.app, call.actor()?, call.id()?, call.second_id()?).await?;
    Answer::one(&MemberOut::from(found))
}

async fn update(mut call: Call) -> Result<Answer> {
    let mut fields = call.fields();
    let (role, fault) = role(&mut fields);
    let mut faults = fields.faults();
    faults.extend(fault);
    let (id, user) = (call.id()?, call.second_id()?);
    let changed = members::change(&call.app, call.actor()?, id, user, (role, faults)).await?;
    Answer::one(&MemberOut::from(changed))
}

async fn remove(call: Call) -> Result<Answer> {
    members::remove(&call.app, call.actor()?, call.id()?, call.second_id()?).await?;
    Ok(Answer::Nothing)
}

async fn leave(call: Call) -> Result<Answer> {
    members::leave(&call.app, call.actor()?, call.id()?).await?;
    Ok(Answer::Nothing)
}
