//! Invitations: a person to be, and a link that is good once, for a week. Whether the address is known
//! already isn't asked when somebody is invited, nor told to whoever opens the link: only to whoever takes
//! it, and of an address that is known only with its password.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::members::already_member;
use super::roles::may_grant;
use super::secret_key::SecretKey;
use super::sign_in::{self, Attempt, Entered, PageSession, Proven, open_page, person, secret};
use super::standing::{held_by, renewed};
use super::{Error, Result, audit, leaving, notifications};
use crate::app::App;
use crate::domain::access::{Actor, Permission, Sight};
use crate::domain::credentials::fingerprint;
use crate::domain::fault::Fault;
use crate::domain::member::{Invited, Membership};
use crate::domain::person::{check_password, parse_name, parse_time_zone};
use crate::store::notifications::NewNotification;
use crate::store::one_time_tokens::NewToken;
use crate::store::users::User;
use crate::store::{
    Connection, Lane, audit as record, memberships, one_time_tokens as tokens, people, users,
};

/// A link is good for so long.
const LIFETIME: SignedDuration = SignedDuration::from_hours(7 * 24);
/// What its token is for.
const PURPOSE: &str = "invitation";

/// The link of an invitation: a path of this server, for one person's eyes.
#[derive(Debug, Clone)]
pub struct Link {
    /// The path.
    pub path: SecretString,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// An invitation that is about to be sent.
pub(super) struct Letter {
    hash: [u8; 32],
    path: String,
    random: [u8; notifications::LINK_ENTROPY],
    now: Timestamp,
    expires_at: Timestamp,
}

impl Letter {
    pub(super) fn new(app: &App) -> Result<Self> {
        let (token, now) = (secret(app)?, app.clock.now());
        Ok(Self {
            hash: fingerprint(&token),
            path: format!("/invitation?token={token}"),
            random: notifications::fresh(&*app.entropy)?,
            now,
            expires_at: now + LIFETIME,
        })
    }

    pub(super) fn link(&self) -> Link {
        Link {
            path: self.path.clone().into(),
            expires_at: self.expires_at,
        }
    }

    /// Makes a person to be, of an organization in a role, or of none; and queues his link. Gives
    /// his id.
    pub(super) fn invite(
        &self,
        db: &Connection,
        key: &SecretKey,
        place: Option<(i64, i64)>,
        invited: &Invited,
        by: &str,
    ) -> Result<i64> {
        if let Some((organization, _)) = place {
            match people::standing(db, organization, &invited.email)? {
                Some(true) => return Err(already_invited()),
                Some(false) => return Err(already_member()),
                None => {}
            }
        }
        let user_id = people::invite(db, &invited.email, &invited.name, by, self.now)?;
        if let Some((organization, role)) = place {
            let now = self.now.as_millisecond();
            memberships::set(db, organization, user_id, role, now, by)?;
        }
        let organization = place.map(|(organization, _)| organization);
        self.send(db, key, (user_id, organization), &invited.email, by)?;
        Ok(user_id)
    }

    /// Queues the link for somebody, instead of the one before; whoever `by` says answers for it.
    fn send(
        &self,
        db: &Connection,
        key: &SecretKey,
        (user_id, organization_id): (i64, Option<i64>),
        email: &str,
        by: &str,
    ) -> Result<()> {
        leaving::drop_invitation(db, user_id)?;
        let (now, end) = (self.now.as_millisecond(), self.expires_at.as_millisecond());
        let token = NewToken {
            purpose: PURPOSE,
            hash: &self.hash,
            user_id: Some(user_id),
            made_by: Some(by),
            created_at: now,
            expires_at: end,
        };
        tokens::insert(db, &token)?;
        let message = NewNotification {
            organization_id,
            user_id: Some(user_id),
            recipient: email.to_owned(),
            kind: notifications::INVITATION,
            created_at: now,
            expires_at: end,
        };
        notifications::queue(db, key, self.random, &message, &self.path)?;
        Ok(())
    }
}

/// Makes a new link for somebody who hasn't come yet; the one before is void. Whoever gets to see the
/// link could take the place himself, so he must hold all that its role holds.
///
/// # Errors
/// [`Error::NotFound`] where nobody in sight has that id; [`Error::Conflict`] `already_member` where
/// he has come; [`Error::Forbidden`].
pub async fn renew(app: &App, actor: &Actor, user_id: i64) -> Result<Link> {
    actor.require(Permission::UsersManage)?;
    let (letter, inviter) = (Letter::new(app)?, actor.clone());
    let (link, key) = (letter.link(), app.secret_key.clone());
    let entry = audit::entry(app, actor, "user.invited").subject("user", user_id);
    app.store
        .write(Lane::Front, move |db| {
            let inviter = renewed(db, &inviter, letter.now)?;
            let sight = inviter.require(Permission::UsersManage)?;
            let user = people::find(db, &sight, user_id)?.ok_or(Error::NotFound)?;
            if !user.invited {
                return Err(already_member());
            }
            let organization = may_see_link(db, &inviter, user_id)?;
            let by = inviter.label();
            letter.send(db, &key, (user_id, organization), &user.email, &by)?;
            let entry = entry.after(json!({"email": user.email, "name": user.name}));
            record::append(db, &in_organization(entry, organization))?;
            Ok::<_, Error>(())
        })
        .await?;
    Ok(link)
}

fn in_organization(
    entry: crate::store::audit::Entry,
    organization: Option<i64>,
) -> crate::store::audit::Entry {
    match organization {
        Some(organization) => entry.organization(organization),
        None => entry,
    }
}

/// That the caller may see a person's invitation: he may invite wherever it leads, and holds there
/// all that its role holds. Gives the organization, if there is one.
pub(super) fn may_see_link(db: &Connection, actor: &Actor, user_id: i64) -> Result<Option<i64>> {
    let places = people::memberships(db, &Sight::All, user_id)?;
    if places.is_empty() {
        actor.require_platform(Permission::UsersManage)?;
    }
    for place in &places {
        actor.require_in(Permission::UsersManage, place.organization_id)?;
        let held = memberships::of_role(db, place.role_id)?;
        may_grant(actor, Some(place.organization_id), held)?;
    }
    Ok(places.first().map(|place| place.organization_id))
}

/// What a link opens.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The address that was invited.
    pub email: String,
    /// The name that the inviter gave.
    pub name: String,
    /// What he will be, and where.
    pub memberships: Vec<Membership>,
}

/// What a link opens, for its holder.
///
/// # Errors
/// [`Error::NotFound`] where it is unknown, used, expired, void, or not the newest.
pub async fn open(app: &App, token: &str) -> Result<Opened> {
    let (hash, now) = (fingerprint(token), app.clock.now());
    app.store.read(|db| {
        let invited = holder(db, &hash, now)?;
        Ok(Opened {
            memberships: people::memberships(db, &Sight::All, invited.id)?,
            email: invited.email,
            name: invited.name,
        })
    })
}

fn holder(db: &Connection, hash: &[u8; 32], now: Timestamp) -> Result<User> {
    let user_id = tokens::holder(db, PURPOSE, hash, now.as_millisecond())?;
    let user_id = user_id.ok_or(Error::NotFound)?;
    let invited = users::find(db, user_id)?.filter(|user| user.password_hash.is_none());
    let invited = invited.ok_or(Error::NotFound)?;
    // What leads to a deleted organization waits until that comes back.
    let open = !people::is_in_a_deleted_organization(db, user_id)?;
    if open && still_invites(db, user_id, now)? {
        Ok(invited)
    } else {
        Err(Error::NotFound)
    }
}

/// The link that waits for a person to be opens something: whoever sent it may give now all that it gives.
/// What one may no longer give, one's old links don't give either.
///
/// # Errors
/// What the store says.
pub(super) fn still_invites(db: &Connection, user_id: i64, now: Timestamp) -> Result<bool> {
    let Some(sender) = tokens::maker(db, PURPOSE, user_id, now.as_millisecond())? else {
        return Ok(false);
    };
    let places = people::memberships(db, &Sight::All, user_id)?;
    for place in &places {
        let held = held_by(db, &sender, Some(place.organization_id), now)?;
        let given = memberships::of_role(db, place.role_id)?;
        if !held.contains(Permission::UsersManage) || !given.without(held).is_empty() {
            return Ok(false);
        }
    }
    Ok(!places.is_empty() || held_by(db, &sender, None, now)?.contains(Permission::UsersManage))
}

/// Until when the link of somebody invited is good, as it is told: not at all where it opens nothing any
/// more before its time.
///
/// # Errors
/// What the store says.
pub(super) fn good_until(
    db: &Connection,
    user_id: i64,
    until: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<Timestamp>> {
    let void = until.is_some_and(|until| until > now) && !still_invites(db, user_id, now)?;
    Ok(until.filter(|_| !void))
}

/// What somebody says about himself who takes an invitation.
#[derive(Debug)]
pub struct Newcomer {
    /// His name.
    pub name: String,
    /// His new password.
    pub password: SecretString,
    /// The IANA name of his time zone.
    pub time_zone: String,
    /// The browser's address.
    pub address: IpAddr,
    /// What the browser calls itself.
    pub device: String,
    /// The cookie by which the browser is known again, as it was sent.
    pub browser: Option<SecretString>,
}

/// What came of it.
#[derive(Debug)]
pub enum Joined {
    /// He is new here, and signed in.
    New(PageSession),
    /// He has an account and gave its password: he takes the invitation with it, once he has answered
    /// what else is asked of him.
    Known(Entered<PageSession>),
}

/// Takes an invitation as somebody new, and signs him in. Somebody who has an account with that address is
/// signed in with it where the password is his, as at any sign-in: the same is checked before that, and as
/// many hashes are computed.
///
/// # Errors
/// [`Error::NotFound`] as [`open`]; [`Error::Invalid`] with all faults; [`Error::TooMany`];
/// [`Error::Conflict`] `sign_in_first` where it is not the password of whoever has that address.
pub async fn join(app: &App, token: &str, newcomer: Newcomer) -> Result<Joined> {
    let (link, now) = (fingerprint(token), app.clock.now());
    let invited = app.store.read(|db| holder(db, &link, now))?;
    let name = parse_name(&newcomer.name, "/name");
    let time_zone = parse_time_zone(&newcomer.time_zone, "/time_zone");
    let about = [newcomer.name.as_str(), invited.email.as_str()];
    let password = check_password(newcomer.password.expose_secret(), "/password", &about);
    let (name, time_zone) = match (name, time_zone, password) {
        (Ok(name), Ok(time_zone), Ok(())) => (name, time_zone),
        (name, time_zone, password) => {
            let faults: [Option<Fault>; 3] = [name.err(), time_zone.err(), password.err()];
            return Err(Error::Invalid(faults.into_iter().flatten().collect()));
        }
    };
    if app
        .store
        .read(|db| users::find_by_email(db, &invited.email))?
        .is_some()
    {
        return known(app, invited.email, newcomer).await.map(Joined::Known);
    }
    let hash = app
        .passwords
        .hash(&newcomer.password, &*app.entropy)
        .await?;
    let entry = audit::entry_of_person(app, invited.id, &name, "user.joined");
    let joined = app
        .store
        .write(Lane::Front, move |db| {
            let invited = holder(db, &link, now)?;
            if users::find_by_email(db, &invited.email)?.is_some() {
                return Err(sign_in_first());
            }
            people::join(db, invited.id, (&name, &time_zone, &hash), now)?;
            leaving::drop_invitation(db, invited.id)?;
            let places = people::memberships(db, &Sight::All, invited.id)?;
            let given: Vec<i64> = places.iter().map(|place| place.organization_id).collect();
            note_joining(db, &entry, invited.id, places, &given)?;
            users::find(db, invited.id)?.ok_or(Error::NotFound)
        })
        .await?;
    app.callers.forget();
    let from = (newcomer.address, newcomer.device.as_str());
    let proven = Proven::of(app, joined, newcomer.browser.as_ref(), from)?;
    open_page(app, proven).await.map(Joined::New)
}

async fn known(app: &App, email: String, newcomer: Newcomer) -> Result<Entered<PageSession>> {
    let attempt = Attempt {
        email,
        password: newcomer.password,
        address: newcomer.address,
        device: newcomer.device,
        browser: newcomer.browser,
    };
    match sign_in::page(app, &attempt).await {
        Err(Error::Unauthenticated) => Err(sign_in_first()),
        other => other,
    }
}

fn sign_in_first() -> Error {
    Error::Conflict {
        code: "sign_in_first",
        detail: "This didn't work. If you have an account with this address, sign in with it."
            .to_owned(),
    }
}

/// Takes an invitation with the account that one has: what it led to becomes the caller's, and the
/// person to be vanishes.
///
/// # Errors
/// [`Error::NotFound`] as [`open`]; [`Error::Conflict`] `another_person` where the invitation is for
/// another address.
pub async fn accept(app: &App, actor: &Actor, token: &str) -> Result<()> {
    let (user_id, _) = person(actor)?;
    let (link, now) = (fingerprint(token), app.clock.now());
    let entry = audit::entry(app, actor, "user.joined");
    let by = actor.label();
    app.store
        .write(Lane::Front, move |db| {
            let ms = now.as_millisecond();
            let invited = holder(db, &link, now)?;
            let own = users::find(db, user_id)?.ok_or(Error::Unauthenticated)?;
            if users::find_by_email(db, &invited.email)?.map(|user| user.id) != Some(own.id) {
                return Err(Error::Conflict {
                    code: "another_person",
                    detail: "This invitation is for another address than yours.".to_owned(),
                });
            }
            let places = people::memberships(db, &Sight::All, invited.id)?;
            let given = memberships::hand_over(db, invited.id, own.id, ms, &by)?;
            note_joining(db, &entry, own.id, places, &given)?;
            leaving::void(db, invited.id, now, &by)?;
            Ok::<_, Error>(())
        })
        .await?;
    app.callers.forget();
    Ok(())
}

/// One row in the record of each organization that the invitation led to, or of the platform where there
/// is none. A role is said where it was given: who was a member already keeps the one he has.
fn note_joining(
    db: &Connection,
    entry: &crate::store::audit::Entry,
    joined: i64,
    places: Vec<Membership>,
    given: &[i64],
) -> Result<()> {
    let entry = entry.clone().subject("user", joined);
    if places.is_empty() {
        record::append(db, &entry)?;
    }
    for place in places {
        let said = if given.contains(&place.organization_id) {
            json!({"role": place.role})
        } else {
            json!({"already_member": true})
        };
        let entry = entry.clone().organization(place.organization_id);
        record::append(db, &entry.after(said))?;
    }
    Ok(())
}

pub(super) fn already_invited() -> Error {
    Error::Conflict {
        code: "already_invited",
        detail: "Somebody with this address is invited already. A new link can be made on that person's page."
            .to_owned(),
    }
}
