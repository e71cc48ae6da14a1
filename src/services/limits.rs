//! How often somebody may do something: a budget a minute for each key, by the app's clock, in a
//! bounded amount of memory.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::Clock as GovernorClock;
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::clock::Clock;

/// Keys that are remembered before those with a full budget are forgotten.
const REMEMBERED: usize = 20_000;

/// The app's clock, as the limiter reads it: where the machine's clock is set back, this one stands
/// still for a moment and runs on, so that nobody is locked out for as long as it was set back.
#[derive(Debug, Clone)]
struct OurClock {
    clock: Arc<dyn Clock>,
    told: Arc<Told>,
}

#[derive(Debug, Default)]
struct Told {
    last: AtomicU64,
    ahead: AtomicU64,
}

impl GovernorClock for OurClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        let machine = u64::try_from(self.clock.now().as_millisecond()).unwrap_or(0);
        let now = machine.saturating_add(self.told.ahead.load(Ordering::Relaxed));
        let last = self.told.last.fetch_max(now, Ordering::Relaxed);
        if now < last {
            self.told.ahead.fetch_add(last - now, Ordering::Relaxed);
        }
        Duration::from_millis(now.max(last))
    }
}

type Governor<K> = RateLimiter<K, DashMapStateStore<K>, OurClock, StateInformationMiddleware>;

/// A budget for each key.
pub struct Limiter<K: Hash + Eq + Clone> {
    governor: Option<Governor<K>>,
    clock: OurClock,
}

impl<K: Hash + Eq + Clone> std::fmt::Debug for Limiter<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Limiter")
    }
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    /// `per_minute` calls for each key, all of them at once if one likes; `None` and 0: no limit.
    pub fn new(per_minute: Option<u32>, clock: Arc<dyn Clock>) -> Self {
        let clock = OurClock {
            clock,
            told: Arc::default(),
        };
        let governor = per_minute.and_then(NonZeroU32::new).map(|budget| {
            RateLimiter::dashmap_with_clock(Quota::per_minute(budget), clock.clone())
                .with_middleware()
        });
        Self { governor, clock }
    }

    /// Takes one from the key's budget and gives how many are left; `None` where nothing is limited.
    ///
    /// # Errors
    /// Whole seconds after which there is one again, at least 1.
    pub fn take(&self, key: &K) -> Result<Option<u32>, u64> {
        let Some(governor) = &self.governor else {
            return Ok(None);
        };
        if governor.len() > REMEMBERED {
            governor.retain_recent();
        }
        let taken = governor
            .check_key(key)
            .map(|left| Some(left.remaining_burst_capacity()));
        taken.map_err(|not_until| {
            let wait = not_until.wait_time_from(self.clock.now());
            wait.as_millis()
                .div_ceil(1000)
                .try_into()
                .unwrap_or(60)
                .max(1)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use jiff::SignedDuration;

    #[test]
    fn a_budget_is_each_keys_own_and_comes_back_with_time() {
        let clock = Arc::new(ManualClock::at("2026-11-20T08:00:00Z".parse().unwrap()));
        let limiter: Limiter<&str> = Limiter::new(Some(10), clock.clone());
        for left in (0..10).rev() {
            assert_eq!(limiter.take(&"a"), Ok(Some(left)));
        }
        assert_eq!(limiter.take(&"a"), Err(6));
        assert!(limiter.take(&"b").is_ok());
        clock.advance(SignedDuration::from_secs(6));
        assert!(limiter.take(&"a").is_ok());
        assert!(limiter.take(&"a").is_err());
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let clock = Arc::new(ManualClock::at("2026-11-20T08:00:00Z".parse().unwrap()));
        let limiter: Limiter<&str> = Limiter::new(Some(10), clock.clone());
        while limiter.take(&"a").is_ok() {}
        clock.advance(SignedDuration::from_hours(-1));
        assert_eq!(limiter.take(&"a"), Err(6));
        clock.advance(SignedDuration::from_secs(6));
        assert!(limiter.take(&"a").is_ok());
    }

    #[test]
    fn no_budget_is_no_limit() {
        let clock = Arc::new(ManualClock::at(jiff::Timestamp::UNIX_EPOCH));
        for budget in [None, Some(0)] {
            let limiter: Limiter<u8> = Limiter::new(budget, clock.clone());
            assert!((0..1000).all(|_| limiter.take(&1).is_ok()));
        }
    }
}
