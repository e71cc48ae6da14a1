//! The members of an organization: invited, given another role, removed; and leaving by oneself.

use super::account;
use super::listing::{Listing, asked};
use super::people::{self as users, invitation, keep, membership, new_link, role_choices, role_of};
use super::view::forms::ConfirmPage;
use super::view::people::{
    InvitationFields, MemberPage, MemberRow, MembersPage, OwnOrganizationsPage, RoleChoice,
};
use super::visit::{Handler, Reply, Visit, by_field};
use super::words;
use crate::domain::access::Permission;
use crate::domain::listing::Query;
use crate::domain::member::{MEMBERS as FIELDS, Member, RoleName};
use crate::domain::role::Role;
use crate::services::members::{self, Joining};
use crate::services::{Error, Result, organizations, roles};

/// `GET /organizations/{id}/members`.
pub const LIST: Handler = |visit| Box::pin(list(visit));
/// `POST /organizations/{id}/members`.
pub const INVITE: Handler = |visit| Box::pin(invite(visit));
/// `GET /organizations/{id}/members/{user_id}`.
pub const SHOW: Handler = |visit| Box::pin(show(visit));
/// `POST /organizations/{id}/members/{user_id}`.
pub const UPDATE: Handler = |visit| Box::pin(update(visit));
/// `GET /organizations/{id}/members/{user_id}/remove`.
pub const ASK_REMOVE: Handler = |visit| Box::pin(ask_remove(visit));
/// `POST /organizations/{id}/members/{user_id}/remove`.
pub const REMOVE: Handler = |visit| Box::pin(remove(visit));
/// `GET /account/organizations`.
pub const OWN: Handler = |visit| Box::pin(own(visit));
/// `GET /account/organizations/{organization_id}/leave`.
pub const ASK_LEAVE: Handler = |visit| Box::pin(ask_leave(visit));
/// `POST /account/organizations/{organization_id}/leave`.
pub const LEAVE: Handler = |visit| Box::pin(leave(visit));

fn row(member: Member) -> MemberRow {
    MemberRow {
        id: member.user_id,
        name: member.name,
        email: member.email,
        role: member.role,
        invited: member.invited,
        until: member.invited_until,
        two_factor: member.two_factor_enabled,
    }
}

async fn list(visit: Visit) -> Result<Reply> {
    page(&visit, Vec::new()).await
}

async fn page(visit: &Visit, faults: Vec<(String, String)>) -> Result<Reply> {
    let (actor, id) = (visit.actor()?, visit.id()?);
    let organization = organizations::name(&visit.app, actor, id)?;
    let query = Query::parse(&FIELDS, asked(&visit.query)).map_err(Error::Invalid)?;
    let found = members::list(&visit.app, actor, id, &query).await?;
    let path = format!("/organizations/{id}/members");
    let list = Listing::of(&path, &visit.query, &query, &found);
    let usable = given(visit, id).await?;
    Reply::page(&MembersPage {
        shell: visit.shell(&format!("Members of {organization}")).await?,
        organization_id: id,
        organization,
        link: new_link(visit),
        list,
        rows: found.rows.into_iter().map(row).collect(),
        form: InvitationFields {
            name: visit.field("name").to_owned(),
            email: visit.field("email").to_owned(),
            organizations: Vec::new(),
            roles: role_choices(usable, false, visit.field("role")),
            faults,
        },
    })
}

/// The roles that the visitor can give there.
async fn given(visit: &Visit, organization: i64) -> Result<Vec<Role>> {
    let held = visit.actor()?.permissions_in(organization);
    let mut usable = roles::usable(&visit.app, visit.actor()?, organization).await?;
    usable.retain(|role| role.permissions.without(held).is_empty());
    Ok(usable)
}

async fn invite(visit: Visit) -> Result<Reply> {
    let id = visit.id()?;
    let joining = Joining {
        user_id: None,
        role: role_of(visit.field("role")),
        invitation: invitation(&visit),
    };
    match members::add(&visit.app, visit.actor()?, id, joining).await {
        Ok(joined) => {
            let place = format!("/organizations/{id}/members");
            if let Some(link) = &joined.link {
                keep(&visit, &place, &joined.member.name, link)?;
            }
            Ok(Reply::go(place))
        }
        Err(error) => Ok(page(&visit, users::faults(error)?).await?.status(422)),
    }
}

/// The organization and the member that the path names.
fn both(visit: &Visit) -> Result<(i64, i64)> {
    let text = visit.names.get(1).ok_or(Error::NotFound)?;
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let user = text.parse().ok().filter(|_| plain);
    Ok((visit.id()?, user.ok_or(Error::NotFound)?))
}

async fn show(visit: Visit) -> Result<Reply> {
    member_page(&visit, None).await
}

async fn member_page(visit: &Visit, error: Option<String>) -> Result<Reply> {
    let (actor, (id, user_id)) = (visit.actor()?, both(visit)?);
    let member = members::find(&visit.app, actor, id, user_id).await?;
    let organization = organizations::name(&visit.app, actor, id)?;
    let held = actor.permissions_in(id);
    let usable = roles::usable(&visit.app, actor, id).await?;
    let beyond = usable.iter().any(|role| {
        role.id == member.role_id
            && role.permissions.contains(Permission::UsersManage)
            && !role.permissions.without(held).is_empty()
    });
    let roles = usable.into_iter().map(|role| RoleChoice {
        chosen: role.id == member.role_id,
        may: role.permissions.without(held).is_empty(),
        id: role.id,
        name: role.name,
        description: role.description,
    });
    Reply::page(&MemberPage {
        shell: visit.shell(&member.name).await?,
        organization_id: id,
        organization,
        link: new_link(visit),
        roles: roles.collect(),
        beyond,
        row: row(member),
        error,
    })
}

async fn update(visit: Visit) -> Result<Reply> {
    let (id, user_id) = both(&visit)?;
    let role = role_of(visit.field("role"));
    let before = members::find(&visit.app, visit.actor()?, id, user_id).await?;
    if role == Some(RoleName::Id(before.role_id)) {
        let said = format!("{} is {}, as before.", before.name, before.role);
        return Ok(Reply::go(format!("/organizations/{id}/members")).saying(&said));
    }
    match members::change(&visit.app, visit.actor()?, id, user_id, (role, Vec::new())).await {
        Ok(member) => {
            let mut said = format!("{} is {} now.", member.name, member.role);
            if member.invited && member.invited_until.is_none() {
                said.push_str(" The link opens nothing any more: make a new one.");
            }
            Ok(Reply::go(format!("/organizations/{id}/members")).saying(&said))
        }
        Err(error) => {
            let why = refusal(error)?;
            Ok(member_page(&visit, Some(why)).await?.status(422))
        }
    }
}

/// Why it was refused, where a person can do something about it.
fn refusal(error: Error) -> Result<String> {
    match error {
        Error::Invalid(faults) => {
            let said: Vec<String> = by_field(&faults).into_iter().map(|(_, s)| s).collect();
            Ok(said.join(" "))
        }
        Error::Conflict { detail, .. } => Ok(detail),
        Error::Forbidden(why) => Ok(format!("That holds more than you: {why}.")),
        other => Err(other),
    }
}

async fn ask_remove(visit: Visit) -> Result<Reply> {
    let (actor, (id, user_id)) = (visit.actor()?, both(&visit)?);
    let member = members::find(&visit.app, actor, id, user_id).await?;
    let organization = organizations::name(&visit.app, actor, id)?;
    let (keys, of_sites) = members::keys_of(&visit.app, actor, id, user_id).await?;
    let keys = match super::overview::natural(keys) {
        0 => String::new(),
        n => format!(
            "{} of the organization that {} made or rotated will stop working. ",
            words::count(n, "key", "keys"),
            member.name
        ),
    };
    let of_sites = match super::overview::natural(of_sites) {
        0 => "Keys of sites go on working.".to_owned(),
        n => format!(
            "{} of sites that {} made or rotated will go on working: rotate what may have been kept.",
            words::count(n, "key", "keys"),
            member.name
        ),
    };
    let (question, explanation, deed) = if member.invited {
        let question = format!("Take back the invitation of {}?", member.name);
        let explanation = "Its link opens nothing any more.".to_owned();
        (question, explanation, "Take it back")
    } else {
        let question = format!("Remove {} from {organization}?", member.name);
        let explanation = format!(
            "{} sees nothing of it any more, from the next click on. {keys}{of_sites} What was done stays on record.",
            member.name
        );
        (question, explanation, "Remove")
    };
    let refused = users::refused(members::may_end(&visit.app, actor, id, user_id).await)?;
    let asked = ConfirmPage {
        shell: visit.shell(&question).await?,
        question,
        explanation,
        keep: format!("/organizations/{id}/members/{user_id}"),
        keep_word: "Keep".to_owned(),
        action: format!("/organizations/{id}/members/{user_id}/remove"),
        deed: deed.to_owned(),
    };
    Reply::page(&asked.or_why_not(refused))
}

async fn remove(visit: Visit) -> Result<Reply> {
    let (actor, (id, user_id)) = (visit.actor()?, both(&visit)?);
    let member = members::find(&visit.app, actor, id, user_id).await?;
    members::remove(&visit.app, actor, id, user_id).await?;
    let said = if member.invited {
        format!("The invitation of {} was taken back.", member.name)
    } else {
        format!("{} was removed.", member.name)
    };
    Ok(Reply::go(format!("/organizations/{id}/members")).saying(&said))
}

async fn own(visit: Visit) -> Result<Reply> {
    let found = members::own(&visit.app, visit.actor()?).await?;
    Reply::page(&OwnOrganizationsPage {
        shell: visit.shell("My account").await?,
        tabs: account::tabs("/account/organizations"),
        rows: found.into_iter().map(membership).collect(),
    })
}

async fn ask_leave(visit: Visit) -> Result<Reply> {
    let id = visit.id()?;
    let mut found = members::own(&visit.app, visit.actor()?).await?.into_iter();
    let own = found
        .find(|own| own.organization_id == id)
        .ok_or(Error::NotFound)?;
    Reply::page(&ConfirmPage {
        shell: visit.shell(&format!("Leave {}", own.organization)).await?,
        question: format!("Leave {}?", own.organization),
        explanation:
            "You see nothing of it any more, and its keys that you made stop working. Only \
             somebody there can let you in again."
                .to_owned(),
        keep: "/account/organizations".to_owned(),
        keep_word: "Stay".to_owned(),
        action: format!("/account/organizations/{id}/leave"),
        deed: "Leave".to_owned(),
    })
}

async fn leave(visit: Visit) -> Result<Reply> {
    members::leave(&visit.app, visit.actor()?, visit.id()?).await?;
    Ok(Reply::go("/account/organizations").saying("You left."))
}
