//! How often one may call, and how that is told: who pays, out of which tier's budget, and the
//! headers that say what is left. The counting is the services' own.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response};

use crate::app::App;
use crate::clock::Clock;
use crate::config::RateLimits;
use crate::domain::access::Actor;
use crate::domain::network::household;
use crate::services::limits::{Figures, Limited, Limiter};

/// Seconds in which a budget is whole again.
const WINDOW: u32 = 60;

/// Who pays for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Payer {
    /// An address that isn't known further; IPv6 by its first 64 bits.
    Anonymous(IpAddr),
    /// An address that signs in.
    SignIn(IpAddr),
    /// A person.
    User(i64),
    /// An API key.
    Key(i64),
    /// A site, for its syncs.
    Site(i64),
}

impl Limited for Payer {
    fn is_proven(&self) -> bool {
        match self {
            Self::Anonymous(_) | Self::SignIn(_) => false,
            Self::User(_) | Self::Key(_) | Self::Site(_) => true,
        }
    }
}

impl Payer {
    /// An unknown address.
    pub fn anonymous(address: IpAddr) -> Self {
        Self::Anonymous(household(address))
    }

    /// An address that signs in.
    pub fn sign_in(address: IpAddr) -> Self {
        Self::SignIn(household(address))
    }

    /// A caller pays for himself; the product itself never calls this way.
    pub fn caller(actor: &Actor, address: IpAddr) -> Self {
        match actor {
            Actor::System => Self::anonymous(address),
            Actor::Person { user_id, .. } => Self::User(*user_id),
            Actor::SiteKey { key_id, .. } | Actor::OrganizationKey { key_id, .. } => {
                Self::Key(*key_id)
            }
        }
    }
}

/// One tier: its budget a minute and what is left of it, by payer.
#[derive(Debug)]
struct Budget {
    per_minute: u32,
    limiter: Limiter<Payer>,
}

/// All budgets.
#[derive(Debug)]
pub struct Budgets {
    anonymous: Budget,
    auth: Budget,
    user: Budget,
    api_key: Budget,
    sync: Budget,
}

/// What to tell about a budget.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    limit: u32,
    remaining: u32,
    reset: u64,
}

impl Budgets {
    /// The budgets that the configuration gives.
    pub fn new(app: &App) -> Self {
        let limits: &RateLimits = &app.config.rate_limits;
        let budget = |per_minute: u32| Budget {
            per_minute,
            limiter: Limiter::new(
                limits.enabled.then_some(per_minute),
                Arc::clone(&app.clock) as Arc<dyn Clock>,
            ),
        };
        Self {
            anonymous: budget(limits.anonymous),
            auth: budget(limits.auth),
            user: budget(limits.user),
            api_key: budget(limits.api_key),
            sync: budget(limits.sync),
        }
    }

    /// How each tier stands, by what it is keyed by, in words, and its setting.
    pub fn figures(&self) -> [(&'static str, &'static str, Figures); 5] {
        let of = |budget: &Budget| budget.limiter.figures();
        [
            (
                "an address that isn't known",
                "rate_limits.anonymous",
                of(&self.anonymous),
            ),
            (
                "an address that signs in",
                "rate_limits.auth",
                of(&self.auth),
            ),
            ("a person", "rate_limits.user", of(&self.user)),
            ("an API key", "rate_limits.api_key", of(&self.api_key)),
            ("a site, for its syncs", "rate_limits.sync", of(&self.sync)),
        ]
    }

    /// Takes one call out of the payer's budget. Gives what to tell, and whether to refuse: then
    /// with the seconds to wait.
    pub fn take(&self, payer: Payer) -> (Option<Told>, Option<u64>) {
        let budget = match payer {
            Payer::Anonymous(_) => &self.anonymous,
            Payer::SignIn(_) => &self.auth,
            Payer::User(_) => &self.user,
            Payer::Key(_) => &self.api_key,
            Payer::Site(_) => &self.sync,
        };
        let limit = budget.per_minute;
        match budget.limiter.take(&payer) {
            Ok(None) => (None, None),
            Ok(Some(remaining)) => {
                let used = u64::from(limit.saturating_sub(remaining));
                let reset = (used * u64::from(WINDOW)).div_ceil(u64::from(limit.max(1)));
                let told = Told {
                    limit,
                    remaining,
                    reset,
                };
                (Some(told), None)
            }
            Err(wait) => {
                let told = Told {
                    limit,
                    remaining: 0,
                    reset: wait,
                };
                (Some(told), Some(wait))
            }
        }
    }
}

/// Writes what is left into the answer's head.
pub fn tell(response: &mut Response<Body>, told: Told) {
    let headers = response.headers_mut();
    let number =
        |name: &'static str, value: u64| (HeaderName::from_static(name), HeaderValue::from(value));
    for (name, value) in [
        number("ratelimit-limit", u64::from(told.limit)),
        number("ratelimit-remaining", u64::from(told.remaining)),
        number("ratelimit-reset", told.reset),
    ] {
        headers.insert(name, value);
    }
    if let Ok(policy) = HeaderValue::try_from(format!("{};w={WINDOW}", told.limit)) {
        headers.insert(HeaderName::from_static("ratelimit-policy"), policy);
    }
}
