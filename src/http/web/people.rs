//! People: who is in sight, inviting somebody, and what the platform administrator does with one.

use super::fleet::organizations_of;
use super::listing::{Listing, asked};
use super::overview::natural;
use super::secrets::Kept;
use super::view::fleet::Choice;
use super::view::forms::ConfirmPage;
use super::view::people::{
    InvitationFields, InvitePage, MembershipRow, NewLink, UserFields, UserPage, UserRow, UsersPage,
};
use super::visit::{Handler, Reply, Visit, by_field, organization_chosen, own_path};
use crate::domain::access::Permission;
use crate::domain::listing::Query;
use crate::domain::member::{InvitationForm, Membership, RoleName, USERS as FIELDS, User};
use crate::domain::role::Role;
use crate::services::invitations::{self, Link};
use crate::services::people::{self, UserForm, Wanted};
use crate::services::{Error, Result, roles, two_factors};

/// `GET /users`.
pub const LIST: Handler = |visit| Box::pin(list(visit));
/// `GET /users/invite`.
pub const ASK_INVITE: Handler = |visit| Box::pin(ask_invite(visit));
/// `POST /users/invite`.
pub const INVITE: Handler = |visit| Box::pin(invite(visit));
/// `GET /users/{id}`.
pub const SHOW: Handler = |visit| Box::pin(show(visit));
/// `POST /users/{id}`.
pub const UPDATE: Handler = |visit| Box::pin(update(visit));
/// `POST /users/{id}/invite`.
pub const RENEW: Handler = |visit| Box::pin(renew(visit));
/// `GET /users/{id}/second-step`.
pub const ASK_RESET: Handler = |visit| Box::pin(ask_reset(visit));
/// `POST /users/{id}/second-step`.
pub const RESET: Handler = |visit| Box::pin(reset(visit));
/// `GET /users/{id}/delete`.
pub const ASK_DELETE: Handler = |visit| Box::pin(ask_delete(visit));
/// `POST /users/{id}/delete`.
pub const DELETE: Handler = |visit| Box::pin(delete(visit));

/// Keeps a link for the page that will show it.
///
/// # Errors
/// Where nobody is signed in.
pub fn keep(visit: &Visit, place: &str, name: &str, link: &Link) -> Result<()> {
    use secrecy::ExposeSecret;
    let whole = format!("{}{}", visit.origin, link.path.expose_secret());
    let kept = Kept {
        name: name.to_owned(),
        secret: whole.into(),
        old_until: None,
    };
    visit.secrets.keep(visit.actor()?, place, kept);
    Ok(())
}

/// The link that waits for this page, once.
pub fn new_link(visit: &Visit) -> Option<NewLink> {
    let kept = visit.secrets.take(visit.actor.as_ref()?, &visit.path)?;
    Some(NewLink {
        link: kept.reveal(),
        name: kept.name,
    })
}

/// What is wrong, by field; a conflict is said at the field that it is about. What isn't the form's
/// fault goes on.
///
/// # Errors
/// Whatever else it was.
pub fn faults(error: Error) -> Result<Vec<(String, String)>> {
    let at = |field: &str, said: String| Ok(vec![(field.to_owned(), said)]);
    match error {
        Error::Invalid(faults) => Ok(by_field(&faults)),
        Error::Conflict {
            code: "last_administrator",
            detail,
        } => at("platform_admin", detail),
        Error::Conflict { detail, .. } => at("email", detail),
        Error::Forbidden(why) => at("role", format!("You can't give this role: {why}.")),
        other => Err(other),
    }
}

/// A membership as pages show it.
pub fn membership(membership: Membership) -> MembershipRow {
    MembershipRow {
        organization_id: membership.organization_id,
        organization: membership.organization,
        role: membership.role,
    }
}

fn row(user: User) -> UserRow {
    UserRow {
        id: user.id,
        name: user.name,
        email: user.email,
        invited: user.invited,
        until: user.invited_until,
        platform: user.platform_admin,
        two_factor: user.two_factor_enabled,
        seen: user.last_seen_at,
        memberships: user.memberships.into_iter().map(membership).collect(),
    }
}

/// Who looks after the platform is told to those who do.
fn row_for(visit: &Visit, user: User) -> Result<UserRow> {
    let platform = user.platform_admin && visit.actor()?.is_platform();
    Ok(UserRow {
        platform,
        ..row(user)
    })
}

async fn list(visit: Visit) -> Result<Reply> {
    let query = Query::parse(&FIELDS, asked(&visit.query)).map_err(Error::Invalid)?;
    let page = people::list(&visit.app, visit.actor()?, &query).await?;
    let list = Listing::of("/users", &visit.query, &query, &page);
    let rows: Result<Vec<UserRow>> = page
        .rows
        .into_iter()
        .map(|user| row_for(&visit, user))
        .collect();
    Reply::page(&UsersPage {
        shell: visit.shell("Users").await?,
        list,
        rows: rows?,
    })
}

/// The roles as a choice by their ids; an organization's own say whose they are, where it isn't clear.
pub fn role_choices(roles: Vec<Role>, said: bool, chosen: &str) -> Vec<Choice> {
    let chosen = if chosen.is_empty() { "3" } else { chosen };
    let word = |role: &Role| match &role.organization {
        Some(organization) if said => format!("{} ({organization})", role.name),
        _ => role.name.clone(),
    };
    roles
        .iter()
        .map(|role| Choice::new(role.id.to_string(), word(role), chosen))
        .collect()
}

/// A role as a form says it.
pub fn role_of(text: &str) -> Option<RoleName> {
    text.parse().ok().map(RoleName::Id)
}

/// Who is invited, as a form says it.
pub fn invitation(visit: &Visit) -> InvitationForm {
    InvitationForm {
        email: Some(visit.field("email").to_owned()),
        name: Some(visit.field("name").to_owned()),
        unreadable: Vec::new(),
    }
}

async fn ask_invite(visit: Visit) -> Result<Reply> {
    invite_page(&visit, Vec::new()).await
}

async fn invite_page(visit: &Visit, faults: Vec<(String, String)>) -> Result<Reply> {
    let actor = visit.actor()?;
    let sight = actor.require(Permission::UsersManage)?;
    let mut organizations = organizations_of(
        visit,
        Permission::UsersManage,
        visit.field("organization_id"),
    )
    .await?;
    if actor.is_platform() {
        let none = Choice::new("", "None yet", visit.field("organization_id"));
        let chosen = none.chosen && !visit.form.is_empty();
        organizations.push(Choice { chosen, ..none });
    }
    let several = organizations.len() > 1;
    let given = roles::usable_in(&visit.app, actor, &sight).await?;
    Reply::page(&InvitePage {
        shell: visit.shell("Invite somebody").await?,
        form: InvitationFields {
            name: visit.field("name").to_owned(),
            email: visit.field("email").to_owned(),
            organizations,
            roles: role_choices(given, several, visit.field("role")),
            faults,
        },
    })
}

async fn invite(visit: Visit) -> Result<Reply> {
    let organization_id = match organization_chosen(&visit) {
        Ok(chosen) => chosen,
        Err(fault) => return Ok(invite_page(&visit, faults(fault)?).await?.status(422)),
    };
    let wanted = Wanted {
        organization_id,
        role: role_of(visit.field("role")).filter(|_| organization_id.is_some()),
        password: None,
        invitation: invitation(&visit),
    };
    match people::create(&visit.app, visit.actor()?, wanted).await {
        Ok(made) => {
            let place = format!("/users/{}", made.user.id);
            if let Some(link) = &made.link {
                keep(&visit, &place, &made.user.name, link)?;
            }
            Ok(Reply::go(place))
        }
        Err(error) => Ok(invite_page(&visit, faults(error)?).await?.status(422)),
    }
}

async fn show(visit: Visit) -> Result<Reply> {
    page(&visit, Vec::new()).await
}

async fn page(visit: &Visit, faults: Vec<(String, String)>) -> Result<Reply> {
    let (actor, id) = (visit.actor()?, visit.id()?);
    let user = people::find(&visit.app, actor, id).await?;
    let typed = |name: &str, known: &str| {
        if faults.is_empty() {
            known.to_owned()
        } else {
            visit.field(name).to_owned()
        }
    };
    let mut sessions = None;
    let mut form = None;
    if actor.is_platform() {
        if !user.invited {
            sessions = Some(natural(people::open_sessions(&visit.app, actor, id).await?));
        }
        form = Some(UserFields {
            name: typed("name", &user.name),
            email: typed("email", &user.email),
            time_zone: typed("time_zone", &user.time_zone),
            platform_admin: user.platform_admin,
            faults,
        });
    }
    Reply::page(&UserPage {
        shell: visit.shell(&user.name).await?,
        link: new_link(visit),
        since: user.created_at,
        row: row_for(visit, user)?,
        sessions,
        form,
    })
}

async fn update(visit: Visit) -> Result<Reply> {
    let id = visit.id()?;
    let known = people::find(&visit.app, visit.actor()?, id).await?;
    let form = UserForm {
        name: Some(visit.field("name").to_owned()),
        email: Some(visit.field("email").to_owned()),
        time_zone: Some(visit.field("time_zone").to_owned()),
        platform_admin: (!known.invited).then(|| !visit.field("platform_admin").is_empty()),
        unreadable: Vec::new(),
    };
    match people::update(&visit.app, visit.actor()?, id, form).await {
        Ok(_) => Ok(Reply::go(format!("/users/{id}")).saying("Saved.")),
        Err(error @ Error::Forbidden(_)) => Err(error),
        Err(error) => Ok(page(&visit, faults(error)?).await?.status(422)),
    }
}

async fn renew(visit: Visit) -> Result<Reply> {
    let (actor, id) = (visit.actor()?, visit.id()?);
    let user = people::find(&visit.app, actor, id).await?;
    let link = invitations::renew(&visit.app, actor, id).await?;
    let place = match own_path(visit.field("back")) {
        back if back.starts_with("/organizations/") => back,
        _ => format!("/users/{id}"),
    };
    keep(&visit, &place, &user.name, &link)?;
    Ok(Reply::go(place))
}

async fn ask_reset(visit: Visit) -> Result<Reply> {
    let user = people::find(&visit.app, visit.actor()?, visit.id()?).await?;
    Reply::page(&ConfirmPage {
        shell: visit
            .shell(&format!("Switch off two-step sign-in of {}", user.name))
            .await?,
        question: format!("Switch off two-step sign-in of {}?", user.name),
        explanation: "For whoever lost the phone and the backup codes. From then on the password alone is enough, \
            until that person sets it up again. All sessions end. Be sure who asked you for it: call the person back."
            .to_owned(),
        keep: format!("/users/{}", user.id),
        keep_word: "Keep it".to_owned(),
        action: format!("/users/{}/second-step", user.id),
        deed: "Switch it off".to_owned(),
    })
}

async fn reset(visit: Visit) -> Result<Reply> {
    let user = people::find(&visit.app, visit.actor()?, visit.id()?).await?;
    two_factors::reset(&visit.app, visit.actor()?, user.id).await?;
    Ok(Reply::go(format!("/users/{}", user.id))
        .saying("Two-step sign-in is off. The password alone is enough now."))
}

async fn ask_delete(visit: Visit) -> Result<Reply> {
    let user = people::find(&visit.app, visit.actor()?, visit.id()?).await?;
    let refused = refused(people::may_go(&visit.app, visit.actor()?, user.id).await)?;
    let explanation = if user.invited {
        "The link of the invitation opens nothing any more.".to_owned()
    } else {
        "All sessions end at once, and the organizations' keys which that person made stop. What was done \
         stays on record. It can be undone: places in organizations and these keys come back, sessions don't."
            .to_owned()
    };
    let asked = ConfirmPage {
        shell: visit.shell(&format!("Delete {}", user.name)).await?,
        question: format!("Delete {}?", user.name),
        explanation,
        keep: format!("/users/{}", user.id),
        keep_word: "Keep".to_owned(),
        action: format!("/users/{}/delete", user.id),
        deed: "Delete".to_owned(),
    };
    Reply::page(&asked.or_why_not(refused))
}

/// Why something would be refused, where a page can say so before anybody asks for it.
///
/// # Errors
/// Whatever else it was.
pub fn refused(asked: Result<()>) -> Result<Option<String>> {
    match asked {
        Ok(()) => Ok(None),
        Err(Error::Conflict { detail, .. }) => Ok(Some(detail)),
        Err(Error::Forbidden(_)) => Ok(Some(
            "This member manages people and may do more than you.".to_owned(),
        )),
        Err(other) => Err(other),
    }
}

async fn delete(visit: Visit) -> Result<Reply> {
    let user = people::find(&visit.app, visit.actor()?, visit.id()?).await?;
    people::delete(&visit.app, visit.actor()?, user.id).await?;
    Ok(Reply::go("/users").gone(
        &format!("{} was deleted.", user.name),
        &format!("/users/{}/restore", user.id),
    ))
}
