//! People: whom an administrator sees, whom he invites, and what only the platform administrator does
//! with them. E-mail address, password, second factor and deletion belong to the person himself and to
//! the platform administrator.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::invitations::{Letter, Link, already_invited, good_until};
use super::lists::ask;
use super::members::{self, Joining, both, role_named};
use super::sites::SHOWN;
use super::standing::renewed;
use super::{Error, Result, audit, leaving};
use crate::app::App;
use crate::domain::access::{Actor, Permission, Sight};
use crate::domain::fault::Fault;
use crate::domain::form::required;
use crate::domain::listing::{Page, Query};
use crate::domain::member::{DeletedUser, InvitationForm, Invited, RoleName, User};
use crate::domain::person::{Email, check_password, parse_name, parse_time_zone};
use crate::store::users::{NewUser, User as Kept};
use crate::store::{
    Connection, Lane, StoreError, audit as record, in_hand, memberships, organizations, people,
    users,
};

/// One page of the people in sight: members of organizations in which the caller manages people.
///
/// # Errors
/// Where the caller may not, or the store can't.
pub async fn list(app: &App, actor: &Actor, query: &Query) -> Result<Page<User>> {
    let sight = actor.require(Permission::UsersManage)?;
    let now = app.clock.now();
    app.store.read(|db| {
        let mut page = people::list(db, &ask(app, &sight, query, &[]))?;
        for user in &mut page.rows {
            user.invited_until = good_until(db, user.id, user.invited_until, now)?;
        }
        Ok(page)
    })
}

/// Somebody in sight.
///
/// # Errors
/// [`Error::NotFound`] where he isn't there or isn't the caller's to see.
pub async fn find(app: &App, actor: &Actor, id: i64) -> Result<User> {
    let sight = actor.require(Permission::UsersManage)?;
    in_sight(app, &sight, id)
}

/// He is there and the caller can see him.
///
/// # Errors
/// [`Error::NotFound`].
pub fn seen(app: &App, sight: &Sight, id: i64) -> Result<()> {
    in_sight(app, sight, id).map(drop)
}

fn in_sight(app: &App, sight: &Sight, id: i64) -> Result<User> {
    let now = app.clock.now();
    app.store.read(|db| {
        let mut user = people::find(db, sight, id)?.ok_or(Error::NotFound)?;
        user.invited_until = good_until(db, id, user.invited_until, now)?;
        Ok(user)
    })
}

/// He is there, deleted or not: for the platform administrator, who sees all.
///
/// # Errors
/// [`Error::NotFound`].
pub fn seen_or_gone(app: &App, sight: &Sight, id: i64) -> Result<()> {
    let there = *sight == Sight::All
        && app
            .store
            .read(|db| people::exists_at_all(db, id).map_err(Error::from))?;
    if there { Ok(()) } else { Err(Error::NotFound) }
}

/// How many sessions somebody has open.
///
/// # Errors
/// Where the caller isn't the platform administrator.
pub async fn open_sessions(app: &App, actor: &Actor, id: i64) -> Result<i64> {
    actor.require_platform(Permission::UsersManage)?;
    let now = app.clock.now();
    Ok(app.store.read(|db| people::open_sessions(db, id, now))?)
}

/// Somebody to be.
#[derive(Debug, Default)]
pub struct Wanted {
    /// The organization of which he will be a member.
    pub organization_id: Option<i64>,
    /// What he will be there.
    pub role: Option<RoleName>,
    /// His password: then there is no invitation.
    pub password: Option<SecretString>,
    /// His address and name, and what could not be read.
    pub invitation: InvitationForm,
}

/// Somebody who was just made, and the link where he was invited.
#[derive(Debug)]
pub struct Made {
    /// The person.
    pub user: User,
    /// The link of his invitation.
    pub link: Option<Link>,
}

/// Invites somebody, to an organization or (the platform administrator) to none; or makes him at once
/// with a password, which only the platform administrator does.
///
/// # Errors
/// [`Error::Invalid`] with all faults; [`Error::Forbidden`]; [`Error::Conflict`] `already_member`,
/// `already_invited` or, where there is a password or no organization, `email_taken`.
pub async fn create(app: &App, actor: &Actor, wanted: Wanted) -> Result<Made> {
    let sight = actor.require(Permission::UsersManage)?;
    if wanted.password.is_some() {
        actor.require_platform(Permission::UsersManage)?;
    }
    match wanted.organization_id {
        Some(organization) => actor.require_in(Permission::UsersManage, organization)?,
        None if actor.is_platform() && wanted.role.is_none() => {}
        None => {
            let mut faults = vec![required("/organization_id")];
            if wanted.role.is_none() {
                faults.push(required("/role"));
            }
            let all = wanted.invitation.check(faults);
            return Err(Error::Invalid(all.err().unwrap_or_default()));
        }
    }
    match wanted {
        Wanted {
            password: Some(password),
            organization_id,
            role,
            invitation,
        } => with_password(app, actor, (organization_id, role), invitation, password).await,
        Wanted {
            organization_id: Some(organization),
            role,
            invitation,
            ..
        } => {
            exists(app, organization)?;
            let joining = Joining {
                user_id: None,
                role,
                invitation,
            };
            let joined = members::add(app, actor, organization, joining).await?;
            Ok(Made {
                user: in_sight(app, &sight, joined.member.user_id)?,
                link: joined.link,
            })
        }
        Wanted { invitation, .. } => to_no_organization(app, actor, &invitation).await,
    }
}

fn exists(app: &App, organization: i64) -> Result<()> {
    if app
        .store
        .read(|db| organizations::exists(db, organization).map_err(Error::from))?
    {
        return Ok(());
    }
    let fault = Fault::new(
        "/organization_id",
        "not_found",
        "There is none with this id.",
    );
    Err(Error::Invalid(vec![fault]))
}

async fn to_no_organization(app: &App, actor: &Actor, form: &InvitationForm) -> Result<Made> {
    let invited = form.check(Vec::new()).map_err(Error::Invalid)?;
    let (letter, key) = (Letter::new(app)?, app.secret_key.clone());
    let (link, inviter, now) = (letter.link(), actor.clone(), app.clock.now());
    let entry = audit::entry(app, actor, "user.invited");
    let user = app
        .store
        .write(Lane::Front, move |db| {
            renewed(db, &inviter, now)?.require_platform(Permission::UsersManage)?;
            // Whoever invites to the platform sees everybody anyway.
            is_free(db, &invited.email, None)?;
            if people::invited_nowhere(db, &invited.email)? {
                return Err(already_invited());
            }
            let id = letter.invite(db, &key, None, &invited, &inviter.label())?;
            let said = json!({"email": invited.email, "name": invited.name});
            record::append(db, &entry.subject("user", id).after(said))?;
            people::find(db, &Sight::All, id)?.ok_or(Error::NotFound)
        })
        .await?;
    Ok(Made {
        user,
        link: Some(link),
    })
}

async fn with_password(
    app: &App,
    actor: &Actor,
    (organization, role): (Option<i64>, Option<RoleName>),
    form: InvitationForm,
    password: SecretString,
) -> Result<Made> {
    if let Some(organization) = organization {
        exists(app, organization)?;
    }
    let about = [&form.name, &form.email].map(|text| text.as_deref().unwrap_or_default());
    let weak = check_password(password.expose_secret(), "/password", &about).err();
    let role = match organization {
        Some(organization) => {
            let found = app
                .store
                .read(|db| role_named(db, organization, role.as_ref()))?;
            Some(found)
        }
        None => None,
    };
    let (role, invited) = checked(role, form, weak)?;
    let hash = app.passwords.hash(&password, &*app.entropy).await?;
    let (maker, now) = (actor.clone(), app.clock.now());
    let entry = audit::entry(app, actor, "user.created");
    let user = app
        .store
        .write(Lane::Front, move |db| {
            renewed(db, &maker, now)?.require_platform(Permission::UsersManage)?;
            let (by, now) = (maker.label(), now.as_millisecond());
            is_free(db, &invited.email, None)?;
            let new = NewUser {
                email: invited.email,
                name: invited.name,
                password_hash: hash,
                platform_admin: false,
            };
            let id = users::insert(db, &new, now, &by)?;
            let mut entry = entry.subject("user", id);
            if let (Some(organization), Some(role)) = (organization, role) {
                memberships::set(db, organization, id, role, now, &by)?;
                entry = entry.organization(organization);
            }
            let made = people::find(db, &Sight::All, id)?.ok_or(Error::NotFound)?;
            record::append(db, &entry.after(shown(&made)))?;
            Ok::<_, Error>(made)
        })
        .await?;
    Ok(Made { user, link: None })
}

/// The role's id and who it is, or all that is wrong.
fn checked(
    role: Option<std::result::Result<crate::domain::role::Role, Fault>>,
    mut form: InvitationForm,
    weak: Option<Fault>,
) -> Result<(Option<i64>, Invited)> {
    form.unreadable.extend(weak);
    match role {
        Some(role) => both(role, &form).map(|(role, invited)| (Some(role.id), invited)),
        None => Ok((None, form.check(Vec::new()).map_err(Error::Invalid)?)),
    }
}

/// What the platform administrator can change of a person; what isn't said stays.
#[derive(Debug, Default)]
pub struct UserForm {
    /// The name that others see.
    pub name: Option<String>,
    /// The address with which he signs in.
    pub email: Option<String>,
    /// The IANA name of the time zone in which he reads times.
    pub time_zone: Option<String>,
    /// May do all in all.
    pub platform_admin: Option<bool>,
    /// What is already known to be wrong: fields that could not be read, or aren't known.
    pub unreadable: Vec<Fault>,
}

impl UserForm {
    fn check(self, before: &Kept) -> Result<Kept> {
        let mut faults = self.unreadable;
        let mut keep = |read: Option<std::result::Result<String, Fault>>, known: &str| match read {
            None => known.to_owned(),
            Some(Ok(text)) => text,
            Some(Err(fault)) => {
                faults.push(fault);
                known.to_owned()
            }
        };
        let email = self.email.map(|text| Email::parse(&text, "/email"));
        let after = Kept {
            name: keep(
                self.name.map(|text| parse_name(&text, "/name")),
                &before.name,
            ),
            email: keep(
                email.map(|read| read.map(|email| email.as_str().to_owned())),
                &before.email,
            ),
            time_zone: keep(
                self.time_zone
                    .map(|text| parse_time_zone(&text, "/time_zone")),
                &before.time_zone,
            ),
            platform_admin: self.platform_admin.unwrap_or(before.platform_admin),
            ..before.clone()
        };
        if faults.is_empty() {
            Ok(after)
        } else {
            Err(Error::Invalid(faults))
        }
    }
}

/// Changes a person. Links that went to an address that he has no longer are void.
///
/// # Errors
/// Where the caller isn't the platform administrator; [`Error::NotFound`]; [`Error::Invalid`] with all
/// faults; [`Error::Conflict`] `email_taken`, `last_administrator`, or `invited` where somebody who
/// hasn't come would become platform administrator.
pub async fn update(app: &App, actor: &Actor, id: i64, form: UserForm) -> Result<User> {
    actor.require_platform(Permission::UsersManage)?;
    let (changer, now) = (actor.clone(), app.clock.now());
    let entry = audit::entry(app, actor, "user.updated").subject("user", id);
    let changed = app
        .store
        .write(Lane::Front, move |db| {
            renewed(db, &changer, now)?.require_platform(Permission::UsersManage)?;
            let known = users::find(db, id)?.ok_or(Error::NotFound)?;
            let before = people::find(db, &Sight::All, id)?.ok_or(Error::NotFound)?;
            let after = form.check(&known)?;
            if after.platform_admin != known.platform_admin {
                may_become(db, &before, after.platform_admin)?;
                people::set_platform_admin(db, id, after.platform_admin)?;
                in_hand::let_go(db, id, now)?;
            }
            if after.email != known.email {
                if !before.invited {
                    is_free(db, &after.email, Some(id))?;
                }
                super::own_account::drop_links(db, id)?;
                leaving::drop_invitation(db, id)?;
            }
            users::update_profile(db, &after, now.as_millisecond(), &changer.label())?;
            let after = people::find(db, &Sight::All, id)?.ok_or(Error::NotFound)?;
            record::append(db, &entry.before(shown(&before)).after(shown(&after)))?;
            Ok::<_, Error>(after)
        })
        .await?;
    app.callers.forget();
    Ok(changed)
}

/// Whoever sees an invitation's link could take the place: it never leads to the platform's. And the
/// platform keeps an administrator.
fn may_become(db: &Connection, user: &User, platform_admin: bool) -> Result<()> {
    if platform_admin && user.invited {
        return Err(Error::Conflict {
            code: "invited",
            detail: "Somebody who was invited must come first.".to_owned(),
        });
    }
    if !platform_admin && !users::another_administrator(db, user.id)? {
        return Err(Error::Conflict {
            code: "last_administrator",
            detail: "Nobody else is a platform administrator. Make another one first.".to_owned(),
        });
    }
    Ok(())
}

/// Takes a person away softly: his sessions end, his invitation is void, his memberships are kept in
/// case he comes back.
///
/// # Errors
/// Where the caller isn't the platform administrator; [`Error::NotFound`]; [`Error::Conflict`]
/// `last_administrator`.
pub async fn delete(app: &App, actor: &Actor, id: i64) -> Result<()> {
    actor.require_platform(Permission::UsersManage)?;
    let (changer, now) = (actor.clone(), app.clock.now());
    let entry = audit::entry(app, actor, "user.deleted").subject("user", id);
    app.store
        .write(Lane::Front, move |db| {
            renewed(db, &changer, now)?.require_platform(Permission::UsersManage)?;
            let before = people::find(db, &Sight::All, id)?.ok_or(Error::NotFound)?;
            leaving::may_leave(db, id)?;
            leaving::go(db, id, now, &changer.label())?;
            record::append(db, &entry.before(shown(&before)))?;
            Ok::<_, Error>(())
        })
        .await?;
    app.callers.forget();
    Ok(())
}

/// Says why a person can't be deleted, before anybody is asked whether he should be.
///
/// # Errors
/// As [`delete`].
pub async fn may_go(app: &App, actor: &Actor, id: i64) -> Result<()> {
    actor.require_platform(Permission::UsersManage)?;
    app.store.read(|db| leaving::may_leave(db, id))
}

/// The deleted people, the newest first.
///
/// # Errors
/// Where the caller isn't the platform administrator, or the store can't.
pub async fn deleted(app: &App, actor: &Actor) -> Result<Vec<DeletedUser>> {
    actor.require_platform(Permission::UsersManage)?;
    app.store
        .read(|db| people::list_deleted(db, SHOWN).map_err(Error::from))
}

/// Brings a deleted person back, with his memberships; he signs in anew.
///
/// # Errors
/// Where the caller isn't the platform administrator; [`Error::NotFound`]; [`Error::Conflict`]
/// `not_deleted`, or `email_taken` where somebody else has his address meanwhile, or was invited with it.
pub async fn restore(app: &App, actor: &Actor, id: i64) -> Result<User> {
    actor.require_platform(Permission::UsersManage)?;
    seen_or_gone(app, &Sight::All, id)?;
    let (changer, now) = (actor.clone(), app.clock.now());
    let entry = audit::entry(app, actor, "user.restored").subject("user", id);
    let restored = app
        .store
        .write(Lane::Front, move |db| {
            renewed(db, &changer, now)?.require_platform(Permission::UsersManage)?;
            let gone = people::find_deleted(db, id)?.ok_or_else(super::sites::not_deleted)?;
            is_free(db, &gone.email, Some(id))?;
            // Whoever comes back is not one of two: an invitation of the same address stands in his way, too.
            if people::is_invited(db, &gone.email)? {
                return Err(email_taken());
            }
            people::restore(db, id, &changer.label(), now).map_err(taken)?;
            let restored = people::find(db, &Sight::All, id)?.ok_or(Error::NotFound)?;
            record::append(db, &entry.after(shown(&restored)))?;
            Ok::<_, Error>(restored)
        })
        .await?;
    app.callers.forget();
    Ok(restored)
}

/// What the record says of a person.
fn shown(user: &User) -> Value {
    json!({
        "email": user.email,
        "name": user.name,
        "time_zone": user.time_zone,
        "platform_admin": user.platform_admin,
    })
}

fn is_free(db: &Connection, email: &str, but: Option<i64>) -> Result<()> {
    match users::find_by_email(db, email)? {
        Some(other) if Some(other.id) != but => Err(email_taken()),
        _ => Ok(()),
    }
}

fn taken(error: StoreError) -> Error {
    if error.is_constraint() {
        return email_taken();
    }
    error.into()
}

fn email_taken() -> Error {
    Error::Conflict {
        code: "email_taken",
        detail: "Somebody has this address, or was invited with it.".to_owned(),
    }
}
