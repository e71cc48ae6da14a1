//! Who belongs to an organization, and as what. Nobody gives a role that holds more than he holds
//! there, and no organization is left without somebody who can look after it.

use jiff::Timestamp;
use serde_json::json;

use super::invitations::{Letter, Link, good_until, still_invites};
use super::lists::ask;
use super::roles::may_grant;
use super::sign_in::person;
use super::standing::renewed;
use super::{Error, Result, audit, leaving};
use crate::app::App;
use crate::domain::access::{Actor, Permission, Sight};
use crate::domain::fault::Fault;
use crate::domain::form::required;
use crate::domain::listing::{Page, Query};
use crate::domain::member::{InvitationForm, Invited, Member, Membership, RoleName};
use crate::domain::role::{ADMIN, Role};
use crate::store::audit::Entry;
use crate::store::{
    Connection, Lane, audit as record, in_hand, memberships, organizations, people, roles,
};

/// Who is to become a member, and as what.
#[derive(Debug, Default)]
pub struct Joining {
    /// Somebody in sight who has come already; otherwise it is an invitation.
    pub user_id: Option<i64>,
    /// The role.
    pub role: Option<RoleName>,
    /// Who is invited, and what could not be read.
    pub invitation: InvitationForm,
}

/// A new member, and the link where he was invited.
#[derive(Debug)]
pub struct Joined {
    /// The member.
    pub member: Member,
    /// The link of his invitation.
    pub link: Option<Link>,
}

/// One page of an organization's members, and who was invited to be one.
///
/// # Errors
/// Where the caller may not manage people there.
pub async fn list(
    app: &App,
    actor: &Actor,
    organization_id: i64,
    query: &Query,
) -> Result<Page<Member>> {
    let sight = actor.require(Permission::UsersManage)?;
    actor.require_in(Permission::UsersManage, organization_id)?;
    let within = [("m.organization_id", organization_id)];
    let now = app.clock.now();
    app.store.read(|db| {
        let ask = ask(app, &sight, query, &within);
        let mut page = people::members(db, organization_id, &ask)?;
        for member in &mut page.rows {
            member.invited_until = good_until(db, member.user_id, member.invited_until, now)?;
        }
        Ok(page)
    })
}

/// One member.
///
/// # Errors
/// [`Error::NotFound`]; where the caller may not manage people there.
pub async fn find(app: &App, actor: &Actor, organization_id: i64, user_id: i64) -> Result<Member> {
    actor.require_in(Permission::UsersManage, organization_id)?;
    let now = app.clock.now();
    app.store
        .read(|db| as_told(db, organization_id, user_id, now))
}

/// A member, with the link of his invitation as far as it opens anything.
fn as_told(db: &Connection, organization_id: i64, user_id: i64, now: Timestamp) -> Result<Member> {
    let member = people::member(db, organization_id, user_id)?.ok_or(Error::NotFound)?;
    Ok(Member {
        invited_until: good_until(db, user_id, member.invited_until, now)?,
        ..member
    })
}

/// How many keys of the organization stop working when that member goes, those that he made or rotated last;
/// and how many of such keys of its sites go on.
///
/// # Errors
/// As [`find`].
pub async fn keys_of(
    app: &App,
    actor: &Actor,
    organization_id: i64,
    user_id: i64,
) -> Result<(i64, i64)> {
    actor.require_in(Permission::UsersManage, organization_id)?;
    let now = app.clock.now();
    app.store.read(|db| {
        Ok((
            people::keys_made_by(db, organization_id, user_id, now)?,
            people::site_keys_made_by(db, organization_id, user_id, now)?,
        ))
    })
}

/// Makes somebody in sight a member, or invites somebody. Whether the address of somebody who is
/// invited is known elsewhere isn't even asked.
///
/// # Errors
/// [`Error::Invalid`] with all faults; [`Error::Forbidden`] for a role that holds more than the
/// caller; [`Error::Conflict`] `already_member` or `already_invited`.
pub async fn add(
    app: &App,
    actor: &Actor,
    organization_id: i64,
    joining: Joining,
) -> Result<Joined> {
    actor.require_in(Permission::UsersManage, organization_id)?;
    let newcomer = Newcomer {
        organization_id,
        actor: actor.clone(),
        now: app.clock.now(),
        joining,
        letter: Letter::new(app)?,
        added: audit::entry(app, actor, "member.added"),
        invited: audit::entry(app, actor, "user.invited"),
    };
    let key = app.secret_key.clone();
    let joined = app
        .store
        .write(Lane::Front, move |db| newcomer.come(db, &key))
        .await?;
    app.callers.forget();
    Ok(joined)
}

struct Newcomer {
    organization_id: i64,
    actor: Actor,
    now: Timestamp,
    joining: Joining,
    letter: Letter,
    added: Entry,
    invited: Entry,
}

impl Newcomer {
    fn come(mut self, db: &Connection, key: &super::secret_key::SecretKey) -> Result<Joined> {
        let organization = self.organization_id;
        is_there(db, organization)?;
        self.actor = renewed(db, &self.actor, self.now)?;
        self.actor
            .require_in(Permission::UsersManage, organization)?;
        let role = role_named(db, organization, self.joining.role.as_ref())?;
        match self.joining.user_id {
            Some(user_id) => self.known(db, user_id, role),
            None => {
                let (role, invited) = both(role, &self.joining.invitation)?;
                may_grant(&self.actor, Some(organization), role.permissions)?;
                let by = self.actor.label();
                let user_id =
                    self.letter
                        .invite(db, key, Some((organization, role.id)), &invited, &by)?;
                let said = json!({"email": invited.email, "name": invited.name, "role": role.name});
                let entry = self.invited.subject("user", user_id).after(said);
                record::append(db, &entry.organization(organization))?;
                Ok(Joined {
                    member: people::member(db, organization, user_id)?.ok_or(Error::NotFound)?,
                    link: Some(self.letter.link()),
                })
            }
        }
    }

    /// Somebody who has come already and is in the caller's sight.
    fn known(
        self,
        db: &Connection,
        user_id: i64,
        role: std::result::Result<Role, Fault>,
    ) -> Result<Joined> {
        let mut faults = self.joining.invitation.unreadable;
        let sent = [
            ("/email", self.joining.invitation.email.is_some()),
            ("/name", self.joining.invitation.name.is_some()),
        ];
        for (pointer, _) in sent.iter().filter(|(_, sent)| *sent) {
            let detail = "is taken only without user_id: who has come already keeps his own.";
            faults.push(Fault::new(*pointer, "not_both", detail));
        }
        let sight = self.actor.require(Permission::UsersManage)?;
        let user = people::find(db, &sight, user_id)?.filter(|user| !user.invited);
        if user.is_none() {
            let detail = "There is nobody with this id who has signed in before.";
            faults.push(Fault::new("/user_id", "not_found", detail));
        }
        let role = match (role, faults.is_empty()) {
            (Ok(role), true) => role,
            (role, _) => {
                faults.extend(role.err());
                return Err(Error::Invalid(faults));
            }
        };
        let organization = self.organization_id;
        may_grant(&self.actor, Some(organization), role.permissions)?;
        if people::member(db, organization, user_id)?.is_some() {
            return Err(already_member());
        }
        let (now, by) = (self.now.as_millisecond(), self.actor.label());
        memberships::set(db, organization, user_id, role.id, now, &by)?;
        let entry = self
            .added
            .subject("member", user_id)
            .organization(organization);
        record::append(db, &entry.after(json!({"role": role.name})))?;
        Ok(Joined {
            member: people::member(db, organization, user_id)?.ok_or(Error::NotFound)?,
            link: None,
        })
    }
}

/// The role and who is invited, or all that is wrong with both.
pub(super) fn both(
    role: std::result::Result<Role, Fault>,
    form: &InvitationForm,
) -> Result<(Role, Invited)> {
    match role {
        Ok(role) => Ok((role, form.check(Vec::new()).map_err(Error::Invalid)?)),
        Err(fault) => Err(Error::Invalid(
            form.check(vec![fault]).err().unwrap_or_default(),
        )),
    }
}

/// Gives a member another role. He may so at the next request. The link of somebody who hasn't come leads to
/// the new role, where it holds nothing that the old one didn't and whoever sent the link may give it;
/// otherwise it is void: it is in hands that might not have got a link to so much.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] at `/role`; [`Error::Forbidden`] for a role that holds
/// more than the caller, now or then; [`Error::Conflict`] `last_administrator`.
pub async fn change(
    app: &App,
    actor: &Actor,
    organization_id: i64,
    user_id: i64,
    (role, unreadable): (Option<RoleName>, Vec<Fault>),
) -> Result<Member> {
    actor.require_in(Permission::UsersManage, organization_id)?;
    let changer = actor.clone();
    let entry = audit::entry(app, actor, "member.changed");
    let now = app.clock.now();
    let changed = app
        .store
        .write(Lane::Front, move |db| {
            is_there(db, organization_id)?;
            let changer = renewed(db, &changer, now)?;
            changer.require_in(Permission::UsersManage, organization_id)?;
            let before = people::member(db, organization_id, user_id)?.ok_or(Error::NotFound)?;
            let mut faults = unreadable;
            let role = match role_named(db, organization_id, role.as_ref())? {
                Ok(role) if faults.is_empty() => role,
                role => {
                    faults.extend(role.err());
                    return Err(Error::Invalid(faults));
                }
            };
            may_touch(db, &changer, &before)?;
            may_grant(&changer, Some(organization_id), role.permissions)?;
            if role.id != ADMIN {
                is_not_the_last(db, &before)?;
            }
            let (ms, by) = (now.as_millisecond(), changer.label());
            let more = role
                .permissions
                .without(memberships::of_role(db, before.role_id)?);
            memberships::set(db, organization_id, user_id, role.id, ms, &by)?;
            in_hand::let_go(db, user_id, now)?;
            if before.invited && (!more.is_empty() || !still_invites(db, user_id, now)?) {
                leaving::drop_invitation(db, user_id)?;
            }
            let after = people::member(db, organization_id, user_id)?.ok_or(Error::NotFound)?;
            let entry = entry
                .subject("member", user_id)
                .organization(organization_id);
            let entry = entry.before(json!({"role": before.role}));
            record::append(db, &entry.after(json!({"role": after.role})))?;
            Ok::<_, Error>(after)
        })
        .await?;
    app.callers.forget();
    Ok(changed)
}

/// Ends a membership: what it let him do ends with the next request, and so do the organization's
/// keys that he made. The invitation of somebody who hasn't come is void.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Forbidden`]; [`Error::Conflict`] `last_administrator`.
pub async fn remove(app: &App, actor: &Actor, organization_id: i64, user_id: i64) -> Result<()> {
    actor.require_in(Permission::UsersManage, organization_id)?;
    end(app, actor, (organization_id, user_id), true).await
}

/// The caller leaves an organization by himself.
///
/// # Errors
/// [`Error::NotFound`] where he isn't a member; [`Error::Conflict`] `last_administrator`.
pub async fn leave(app: &App, actor: &Actor, organization_id: i64) -> Result<()> {
    let (user_id, _) = person(actor)?;
    end(app, actor, (organization_id, user_id), false).await
}

/// What the caller is, organization by organization.
///
/// # Errors
/// [`Error::Forbidden`] for keys.
pub async fn own(app: &App, actor: &Actor) -> Result<Vec<Membership>> {
    let (user_id, _) = person(actor)?;
    Ok(app
        .store
        .read(|db| people::memberships(db, &Sight::All, user_id))?)
}

async fn end(
    app: &App,
    actor: &Actor,
    (organization_id, user_id): (i64, i64),
    by_another: bool,
) -> Result<()> {
    let changer = actor.clone();
    let entry = audit::entry(app, actor, "member.removed");
    let now = app.clock.now();
    app.store
        .write(Lane::Front, move |db| {
            is_there(db, organization_id)?;
            let changer = renewed(db, &changer, now)?;
            if by_another {
                changer.require_in(Permission::UsersManage, organization_id)?;
            }
            let before = people::member(db, organization_id, user_id)?.ok_or(Error::NotFound)?;
            if by_another {
                may_touch(db, &changer, &before)?;
            }
            is_not_the_last(db, &before)?;
            let keys = people::keys_made_by(db, organization_id, user_id, now)?;
            memberships::remove(db, organization_id, user_id)?;
            in_hand::let_go(db, user_id, now)?;
            if before.invited {
                leaving::void(db, user_id, now, &changer.label())?;
            }
            let entry = entry
                .subject("member", user_id)
                .organization(organization_id);
            let said = json!({"name": before.name, "role": before.role, "keys_stopped": keys});
            record::append(db, &entry.before(said))?;
            Ok::<_, Error>(())
        })
        .await?;
    app.callers.forget();
    Ok(())
}

/// Says why a membership can't be ended, before anybody is asked whether it should be.
///
/// # Errors
/// As [`remove`].
pub async fn may_end(app: &App, actor: &Actor, organization_id: i64, user_id: i64) -> Result<()> {
    actor.require_in(Permission::UsersManage, organization_id)?;
    app.store.read(|db| {
        let member = people::member(db, organization_id, user_id)?.ok_or(Error::NotFound)?;
        may_touch(db, actor, &member)?;
        is_not_the_last(db, &member)
    })
}

/// Nobody comes to a deleted organization, or leaves it: its people are what they were when it comes
/// back.
fn is_there(db: &Connection, organization_id: i64) -> Result<()> {
    if organizations::exists(db, organization_id)? {
        return Ok(());
    }
    Err(Error::NotFound)
}

/// Whoever manages people there himself is touched only by those who hold all that he holds.
fn may_touch(db: &Connection, actor: &Actor, member: &Member) -> Result<()> {
    let held = memberships::of_role(db, member.role_id)?;
    if held.contains(Permission::UsersManage) {
        may_grant(actor, Some(member.organization_id), held)?;
    }
    Ok(())
}

/// An organization keeps somebody who can look after it.
fn is_not_the_last(db: &Connection, member: &Member) -> Result<()> {
    let counts = member.role_id == ADMIN && !member.invited;
    if counts && !people::another_administrator_in(db, member.organization_id, member.user_id)? {
        return Err(Error::Conflict {
            code: "last_administrator",
            detail: format!(
                "{} is the only administrator here. Give somebody else the role admin first.",
                member.name
            ),
        });
    }
    Ok(())
}

/// The role of that name or id which can be given in an organization.
pub(super) fn role_named(
    db: &Connection,
    organization_id: i64,
    name: Option<&RoleName>,
) -> Result<std::result::Result<Role, Fault>> {
    let Some(name) = name else {
        return Ok(Err(required("/role")));
    };
    let id = match name {
        RoleName::Id(id) => Some(*id),
        RoleName::Named(name) => roles::find_named(db, organization_id, name.trim())?,
    };
    let role = match id {
        Some(id) => roles::find(db, &Sight::organization(organization_id), id)?,
        None => None,
    };
    if let Some(role) = role {
        return Ok(Ok(role));
    }
    let usable = roles::usable(db, organization_id)?;
    let names: Vec<_> = usable.into_iter().map(|role| role.name).collect();
    let detail = format!("is not a role here; there are {}.", names.join(", "));
    Ok(Err(Fault::new("/role", "not_found", detail)))
}

pub(super) fn already_member() -> Error {
    Error::Conflict {
        code: "already_member",
        detail: "Somebody with this address is a member already.".to_owned(),
    }
}
