//! How often somebody may do something: a budget a minute for each key, by the app's clock, in a
//! bounded amount of memory, and how many were refused.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::Clock as GovernorClock;
use governor::middleware::StateInformationMiddleware;
use governor::{Quota, RateLimiter};

use crate::clock::Clock;

mod memory;

pub use memory::Limited;
use memory::Memory;

/// Keys of strangers that are remembered, each with a budget of its own; and as many that are proven.
const REMEMBERED: usize = 20_000;
/// How seldom those whose budget is whole again are forgotten, in milliseconds.
const SWEPT_EVERY: u64 = 1_000;
/// Minutes in which refusals are counted.
const COUNTED: usize = 60;

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

type Governor<K> = RateLimiter<K, Memory<K>, OurClock, StateInformationMiddleware>;

/// Refusals by the minute, in a ring.
#[derive(Debug, Default)]
struct Refusals(Mutex<Vec<(u64, u64)>>);

impl Refusals {
    fn note(&self, minute: u64) {
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match ring.last_mut() {
            Some((last, count)) if *last == minute => *count += 1,
            _ => {
                if ring.len() >= COUNTED {
                    ring.remove(0);
                }
                ring.push((minute, 1));
            }
        }
    }

    fn since(&self, minute: u64) -> u64 {
        let ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = ring.iter().filter(|(at, _)| *at >= minute);
        recent.map(|(_, count)| count).sum()
    }
}

/// How a limiter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Calls a minute for each key; `None`: no limit.
    pub per_minute: Option<u32>,
    /// Keys that are remembered now.
    pub remembered: usize,
    /// Calls that were refused in the last hour, or since the program started.
    pub refused: u64,
}

/// A budget for each key.
pub struct Limiter<K: Limited> {
    governor: Option<Governor<K>>,
    per_minute: Option<u32>,
    clock: OurClock,
    swept: AtomicU64,
    refusals: Refusals,
}

impl<K: Limited> std::fmt::Debug for Limiter<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Limiter")
    }
}

impl<K: Limited> Limiter<K> {
    /// `per_minute` calls for each key, all of them at once if one likes; `None` and 0: no limit.
    pub fn new(per_minute: Option<u32>, clock: Arc<dyn Clock>) -> Self {
        let clock = OurClock {
            clock,
            told: Arc::default(),
        };
        let governor = per_minute.and_then(NonZeroU32::new).map(|budget| {
            let memory = Memory::of(REMEMBERED);
            Governor::new(Quota::per_minute(budget), memory, clock.clone())
        });
        Self {
            per_minute: per_minute.filter(|budget| governor.is_some() && *budget > 0),
            governor,
            clock,
            swept: AtomicU64::new(0),
            refusals: Refusals::default(),
        }
    }

    /// Takes one from the key's budget and gives how many are left; `None` where nothing is limited.
    ///
    /// # Errors
    /// Whole seconds after which there is one again, at least 1.
    pub fn take(&self, key: &K) -> Result<Option<u32>, u64> {
        let Some(governor) = &self.governor else {
            return Ok(None);
        };
        if governor.len() >= REMEMBERED && self.is_time_to_sweep() {
            governor.retain_recent();
        }
        let taken = governor
            .check_key(key)
            .map(|left| Some(left.remaining_burst_capacity()));
        taken.map_err(|not_until| {
            self.refusals.note(self.minute());
            let wait = not_until.wait_time_from(self.clock.now());
            wait.as_millis()
                .div_ceil(1000)
                .try_into()
                .unwrap_or(60)
                .max(1)
        })
    }

    /// How it stands.
    pub fn figures(&self) -> Figures {
        Figures {
            per_minute: self.per_minute,
            remembered: self.governor.as_ref().map_or(0, RateLimiter::len),
            refused: self.refusals.since(self.minute().saturating_sub(59)),
        }
    }

    fn minute(&self) -> u64 {
        self.clock.now().as_secs() / 60
    }

    /// Going through all of them is dear: a flood must not have it done on each call.
    fn is_time_to_sweep(&self) -> bool {
        let now = u64::try_from(self.clock.now().as_millis()).unwrap_or(u64::MAX);
        let last = self.swept.load(Ordering::Relaxed);
        let due = now >= last.saturating_add(SWEPT_EVERY);
        due && self
            .swept
            .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use jiff::SignedDuration;

    impl Limited for &str {
        fn is_proven(&self) -> bool {
            false
        }
    }

    impl Limited for u8 {
        fn is_proven(&self) -> bool {
            false
        }
    }

    /// The ten greatest are proven.
    impl Limited for u32 {
        fn is_proven(&self) -> bool {
            *self > u32::MAX - 10
        }
    }

    #[test]
    fn a_flood_of_strangers_does_not_reach_whoever_is_proven_and_comes_only_then() {
        let clock = Arc::new(ManualClock::at("2026-11-20T08:00:00Z".parse().unwrap()));
        let limiter: Limiter<u32> = Limiter::new(Some(10), clock);
        for stranger in 0..100_000 {
            let _ = limiter.take(&stranger);
        }
        assert!((100_000..100_100).all(|stranger| limiter.take(&stranger).is_err()));
        for proven in u32::MAX - 9..=u32::MAX {
            assert_eq!(limiter.take(&proven), Ok(Some(9)));
        }
    }

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
    fn a_million_addresses_are_not_a_million_memories_and_whoever_was_known_keeps_his_budget() {
        let clock = Arc::new(ManualClock::at("2026-11-20T08:00:00Z".parse().unwrap()));
        let limiter: Limiter<u32> = Limiter::new(Some(10), clock.clone());
        assert_eq!(limiter.take(&0), Ok(Some(9)));
        let mut most = 0;
        let mut refused = 0;
        for address in 1..=1_000_000 {
            refused += u64::from(limiter.take(&address).is_err());
            if address % 10_000 == 0 {
                most = most.max(limiter.figures().remembered);
            }
        }
        assert!(most <= REMEMBERED + 1_024, "{most}");
        assert_eq!(limiter.take(&0), Ok(Some(8)));
        // Newcomers share what there is, and all of it comes back with time.
        assert!(refused > 900_000, "{refused}");
        assert_eq!(limiter.figures().refused, refused);
        clock.advance(SignedDuration::from_mins(2));
        assert_eq!(limiter.take(&2_000_000), Ok(Some(9)));
        assert_eq!(limiter.figures().remembered, 1);
        clock.advance(SignedDuration::from_mins(60));
        assert_eq!(limiter.figures().refused, 0);
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
