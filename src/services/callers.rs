//! Who is calling: an API key, an access token or a page's cookie becomes an [`Actor`], or nobody.
//! What has been looked up is remembered until anything about callers changes; that a key or
//! session was used is remembered too, and written once a minute at most.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use moka::sync::Cache;

use super::key_makers::{self, Behind};
use super::{Error, Result};
use crate::app::App;
use crate::domain::access::{Actor, Permission};
use crate::domain::api_key::ApiKey;
use crate::domain::credentials::{fingerprint, is_well_formed_key, looks_like_key};
use crate::domain::grants::{Grants, Permissions};
use crate::domain::network::Network;
use crate::store::sessions::Session;
use crate::store::{Connection, Lane, api_keys, memberships, sessions};

/// A browser that has not called for so long must sign in again.
pub const PAGE_IDLE: SignedDuration = SignedDuration::from_hours(24);
/// How seldom last uses are written.
const WRITE_EVERY: SignedDuration = SignedDuration::from_secs(60);
/// Last uses in one write: a few milliseconds.
const HANDFUL: usize = 500;

#[derive(Debug)]
struct KnownKey {
    key: ApiKey,
    behind: Behind,
    networks: Vec<Network>,
    /// It is the one before the last rotation.
    superseded: bool,
    /// The key's own end, or that of the key that made it; of a key before its rotation, the end of the grace if that is earlier.
    ends_at: Option<Timestamp>,
}

#[derive(Debug)]
struct KnownSession {
    session: Session,
    grants: Arc<Grants>,
    last_used_at: AtomicI64,
}

#[derive(Debug, Default)]
struct Uses {
    keys: HashMap<i64, (i64, IpAddr)>,
    sessions: HashMap<i64, i64>,
    written_at: i64,
}

/// What is remembered about callers.
#[derive(Debug)]
pub struct Callers {
    // What was looked up before the epoch moved does not count, however late it is remembered: a
    // look-up that raced with a revocation cannot outlive it.
    epoch: AtomicU64,
    keys: Cache<[u8; 32], (u64, Arc<KnownKey>)>,
    sessions: Cache<i64, (u64, Arc<KnownSession>)>,
    pages: Cache<[u8; 32], (u64, Arc<KnownSession>)>,
    /// The organization of each site, which never changes; deleted ones are not there.
    homes: Cache<i64, (u64, i64)>,
    uses: Mutex<Uses>,
}

impl Default for Callers {
    fn default() -> Self {
        Self {
            epoch: AtomicU64::new(0),
            keys: Cache::new(100_000),
            sessions: Cache::new(10_000),
            pages: Cache::new(10_000),
            homes: Cache::new(100_000),
            uses: Mutex::default(),
        }
    }
}

impl Callers {
    /// Forgets all that is remembered. To be called after every commit that changes who may call:
    /// a key, a session, a person, the deletion or restoration of a site or an organization.
    pub fn forget(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
    }

    fn known<K, V>(
        &self,
        cache: &Cache<K, (u64, Arc<V>)>,
        key: K,
        look_up: impl FnOnce() -> Result<Option<V>>,
    ) -> Result<Arc<V>>
    where
        K: std::hash::Hash + Eq + Send + Sync + 'static,
        V: Send + Sync + 'static,
    {
        let epoch = self.epoch.load(Ordering::SeqCst);
        if let Some((since, value)) = cache.get(&key)
            && since == epoch
        {
            return Ok(value);
        }
        let value = Arc::new(look_up()?.ok_or(Error::Unauthenticated)?);
        cache.insert(key, (epoch, Arc::clone(&value)));
        Ok(value)
    }

    /// The organization of a site that isn't deleted, where it is remembered.
    fn remembered_home(&self, site_id: i64) -> Option<i64> {
        let epoch = self.epoch.load(Ordering::SeqCst);
        let remembered = self.homes.get(&site_id);
        remembered.and_then(|(since, organization)| (since == epoch).then_some(organization))
    }

    /// Whether asking for that site costs no look-up.
    pub fn knows_home(&self, site_id: i64) -> bool {
        self.remembered_home(site_id).is_some()
    }

    /// The organization of a site that isn't deleted, looked up where it isn't remembered.
    pub(super) fn home(
        &self,
        site_id: i64,
        look_up: impl FnOnce() -> Result<Option<i64>>,
    ) -> Result<Option<i64>> {
        // Before the look-up: what it finds is as old as this at most.
        let epoch = self.epoch.load(Ordering::SeqCst);
        if let Some(organization) = self.remembered_home(site_id) {
            return Ok(Some(organization));
        }
        let found = look_up()?;
        if let Some(organization) = found {
            self.homes.insert(site_id, (epoch, organization));
        }
        Ok(found)
    }

    fn note_key(&self, id: i64, now: i64, address: IpAddr) {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        uses.keys.insert(id, (now, address));
    }

    fn note_session(&self, known: &KnownSession, now: i64) {
        known.last_used_at.fetch_max(now, Ordering::Relaxed);
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        uses.sessions.insert(known.session.id, now);
    }
}

/// The caller who presents this text as `X-API-Key` or bearer: a key or an access token.
///
/// # Errors
/// [`Error::Unauthenticated`] for every reason there is not to believe it.
pub fn authenticate(app: &App, presented: &str, address: IpAddr) -> Result<Actor> {
    if looks_like_key(presented) {
        by_key(app, presented, address)
    } else {
        by_access_token(app, presented)
    }
}

fn by_key(app: &App, presented: &str, address: IpAddr) -> Result<Actor> {
    if !is_well_formed_key(presented) {
        return Err(Error::Unauthenticated);
    }
    let hash = fingerprint(presented);
    let known = app
        .callers
        .known(&app.callers.keys, hash, || look_up_key(app, &hash))?;
    let now = app.clock.now();
    let ended = known.ends_at.is_some_and(|end| end <= now);
    let stray = [&known.networks, &known.behind.networks]
        .iter()
        .any(|from| !from.is_empty() && !from.iter().any(|n| n.contains(address)));
    if ended || stray {
        return Err(Error::Unauthenticated);
    }
    app.callers
        .note_key(known.key.id, now.as_millisecond(), address);
    Ok(known.actor(now))
}

fn look_up_key(app: &App, hash: &[u8; 32]) -> Result<Option<KnownKey>> {
    let found = app.store.read(|db| api_keys::find_presented(db, hash))?;
    let Some(found) = found.filter(|found| found.key.revoked_at.is_none()) else {
        return Ok(None);
    };
    let (key, superseded) = (found.key, found.superseded);
    let networks = key_makers::networks(&key)?;
    let ends_at = if superseded {
        let grace = key.old_expires_at.unwrap_or(Timestamp::UNIX_EPOCH);
        Some(key.expires_at.map_or(grace, |own| own.min(grace)))
    } else {
        key.expires_at
    };
    let Some(behind) = app.store.read(|db| key_makers::behind(db, &key))? else {
        return Ok(None);
    };
    Ok(Some(KnownKey {
        ends_at: ends_at.into_iter().chain(behind.ends_at).min(),
        key,
        behind,
        networks,
        superseded,
    }))
}

impl KnownKey {
    /// Who calls by it.
    fn actor(&self, now: Timestamp) -> Actor {
        let key = &self.key;
        let name = key.name.clone();
        if let Some(site_id) = key.site_id {
            return Actor::SiteKey {
                key_id: key.id,
                site_id,
                organization_id: key.organization_id,
                name,
            };
        }
        let mut scopes = self.behind.lets(key, now);
        // Whoever holds an old secret must not learn the new one by it.
        if self.superseded {
            scopes = scopes.without(Permissions::of(&[Permission::ApiKeysManage]));
        }
        Actor::OrganizationKey {
            key_id: key.id,
            organization_id: key.organization_id,
            scopes,
            name,
        }
    }
}

fn by_access_token(app: &App, presented: &str) -> Result<Actor> {
    let id = app
        .access_tokens
        .session(presented, app.clock.now())
        .ok_or(Error::Unauthenticated)?;
    let look = || {
        app.callers.known(&app.callers.sessions, id, || {
            app.store.read(|db| {
                let found = sessions::find(db, id)?.filter(|session| !session.page);
                found.map(|found| KnownSession::of(db, found)).transpose()
            })
        })
    };
    let mut known = look()?;
    if known.session.expires_at <= app.clock.now().as_millisecond() {
        // Each refresh moves the end; what is remembered may be the end before.
        app.callers.sessions.invalidate(&id);
        known = look()?;
    }
    known.admit(app, None)
}

/// The person whose browser presents this cookie.
///
/// # Errors
/// [`Error::Unauthenticated`] where no such session lives.
pub fn page_session(app: &App, cookie: &str) -> Result<Actor> {
    let hash = fingerprint(cookie);
    let known = app.callers.known(&app.callers.pages, hash, || {
        app.store.read(|db| {
            let found = sessions::find_page(db, &hash)?;
            found.map(|found| KnownSession::of(db, found)).transpose()
        })
    })?;
    known.admit(app, Some(PAGE_IDLE))
}

/// The IANA name of the time zone in which the person reads times whose browser presents this cookie;
/// asked after [`page_session`], which has just looked him up.
pub fn time_zone(app: &App, cookie: &str) -> Option<String> {
    let (_, known) = app.callers.pages.get(&fingerprint(cookie))?;
    Some(known.session.time_zone.clone())
}

impl KnownSession {
    fn of(db: &Connection, session: Session) -> Result<Self> {
        Ok(Self {
            last_used_at: AtomicI64::new(session.last_used_at),
            grants: memberships::grants(db, session.user_id)?.into(),
            session,
        })
    }

    fn admit(&self, app: &App, idle: Option<SignedDuration>) -> Result<Actor> {
        let at = app.clock.now();
        let now = at.as_millisecond();
        let last = self.last_used_at.load(Ordering::Relaxed);
        let asleep = idle.is_some_and(|idle| i128::from(now - last) >= idle.as_millis());
        if self.session.expires_at <= now || asleep {
            return Err(Error::Unauthenticated);
        }
        app.callers.note_session(self, now);
        Ok(Actor::Person {
            user_id: self.session.user_id,
            session_id: self.session.id,
            name: self.session.user_name.clone(),
            grants: self.grants.at(at),
        })
    }
}

/// Writes the last uses that were noted, if a minute has passed since they were written last.
/// `true`: there was something to write.
///
/// # Errors
/// What the store says; what could not be written is lost, it only says when a key was last used.
pub async fn write_last_uses(app: &App) -> Result<bool> {
    let now = app.clock.now().as_millisecond();
    {
        let uses = app
            .callers
            .uses
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let due = i128::from(now - uses.written_at) >= WRITE_EVERY.as_millis();
        if !due || (uses.keys.is_empty() && uses.sessions.is_empty()) {
            return Ok(false);
        }
    }
    write_last_uses_now(app).await?;
    Ok(true)
}

/// Writes them whenever they were written last: before the program ends.
///
/// # Errors
/// As [`write_last_uses`].
pub async fn write_last_uses_now(app: &App) -> Result<()> {
    let (keys, of_sessions) = {
        let mut uses = app
            .callers
            .uses
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        uses.written_at = app.clock.now().as_millisecond();
        (
            std::mem::take(&mut uses.keys),
            std::mem::take(&mut uses.sessions),
        )
    };
    // In the order of the table, so that neighbours are written together.
    let mut keys: Vec<(i64, i64, String)> = keys
        .into_iter()
        .map(|(id, (at, from))| (id, at, super::audit::shown(from)))
        .collect();
    keys.sort_unstable_by_key(|used| used.0);
    for handful in keys.chunks(HANDFUL) {
        let handful = handful.to_vec();
        app.store
            .write(Lane::Back, move |db| api_keys::note_uses(db, &handful))
            .await?;
    }
    if !of_sessions.is_empty() {
        app.store
            .write(Lane::Back, move |db| {
                of_sessions
                    .iter()
                    .try_for_each(|(id, at)| sessions::note_use(db, *id, *at))
            })
            .await?;
    }
    Ok(())
}
