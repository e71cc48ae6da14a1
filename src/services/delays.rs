//! Whoever fails again and again must wait longer and longer: by account and by where he tries from,
//! so that nobody can lock another out. Says nothing about whether there is such an account.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use moka::ops::compute::Op;
use moka::sync::Cache;

use super::Error;
use super::limits::Limited;
use crate::clock::Clock;
use crate::domain::credentials::fingerprint;
use crate::domain::network::household;

/// So many failures cost no wait.
const FREE: u32 = 5;
/// The longest wait.
const LONGEST: SignedDuration = SignedDuration::from_mins(15);
/// Failures are forgotten so long after the last.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(1);
/// Accounts and places that are remembered; beyond, those that are rarely asked about are forgotten.
const REMEMBERED: u64 = 50_000;

/// From where somebody tries: each has a budget of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// An address; IPv6 by its first 64 bits.
    Household(IpAddr),
    /// A browser that the account's owner has signed in with.
    Browser(i64),
    /// A person who is signed in and gives his password once more.
    Person(i64),
}

impl Place {
    /// An address.
    pub fn household(address: IpAddr) -> Self {
        Self::Household(household(address))
    }
}

/// What is tried, and from where.
pub type Key = ([u8; 32], Place);

impl Limited for Key {
    fn is_proven(&self) -> bool {
        match self.1 {
            Place::Household(_) => false,
            Place::Browser(_) | Place::Person(_) => true,
        }
    }
}

/// The key of somebody who tries an account by its address, as it was typed.
pub fn key(email: &str, place: Place) -> Key {
    (fingerprint(&email.trim().to_lowercase()), place)
}

#[derive(Debug, Clone, Copy)]
struct Tried {
    failures: u32,
    at: Timestamp,
    /// An attempt that came too early since then was told of.
    told: bool,
}

/// An attempt that has begun and counts as failed until its end is known.
#[derive(Debug)]
pub struct Begun {
    key: Key,
    before: Option<Tried>,
}

/// An attempt that comes too early.
#[derive(Debug)]
pub struct Early {
    /// Seconds that are left, at least one.
    pub retry_after: u64,
    /// The first of this wait: to be recorded.
    pub first: bool,
}

impl From<Early> for Error {
    fn from(early: Early) -> Self {
        let retry_after = early.retry_after;
        Self::TooMany { retry_after }
    }
}

impl Tried {
    /// How long after the last failure the next attempt may be made.
    fn wait(self) -> SignedDuration {
        let Some(doublings) = self.failures.checked_sub(FREE) else {
            return SignedDuration::ZERO;
        };
        let seconds = 1_i64 << doublings.min(30);
        SignedDuration::from_secs(seconds.min(LONGEST.as_secs()))
    }
}

/// What is remembered of attempts that failed.
#[derive(Debug)]
pub struct Delays {
    tried: Cache<Key, Tried>,
    clock: Arc<dyn Clock>,
}

impl Delays {
    /// Nothing yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let forgotten = Duration::from_secs(FORGOTTEN.as_secs().unsigned_abs());
        Self {
            tried: Cache::builder()
                .max_capacity(REMEMBERED)
                .time_to_idle(forgotten)
                .build(),
            clock,
        }
    }

    /// An attempt begins. It counts as failed until [`Delays::succeeded`], so that many at the same
    /// moment gain nothing. One that comes too early is not counted and makes no wait longer.
    ///
    /// # Errors
    /// [`Early`] with the seconds that are left.
    pub fn begin(&self, key: Key) -> Result<Begun, Early> {
        let now = self.clock.now();
        let (mut left, mut first, mut known) = (SignedDuration::ZERO, false, None);
        self.tried.entry(key).and_compute_with(|before| {
            known = before
                .map(|entry| *entry.value())
                .filter(|tried| now.duration_since(tried.at) < FORGOTTEN);
            let Some(before) = known else {
                return Op::Put(Tried {
                    failures: 1,
                    at: now,
                    told: false,
                });
            };
            // A clock that was set back makes nobody wait longer than his wait.
            let passed = now.duration_since(before.at).max(SignedDuration::ZERO);
            left = before.wait() - passed;
            if left > SignedDuration::ZERO {
                first = !before.told;
                return Op::Put(Tried {
                    told: true,
                    ..before
                });
            }
            Op::Put(Tried {
                failures: before.failures.saturating_add(1),
                at: now,
                told: false,
            })
        });
        if left > SignedDuration::ZERO {
            let seconds = left.as_millis().unsigned_abs().div_ceil(1000);
            let retry_after = u64::try_from(seconds).unwrap_or(u64::MAX).max(1);
            return Err(Early { retry_after, first });
        }
        Ok(Begun { key, before: known })
    }

    /// The attempt was not judged, as where the machine was too busy: it doesn't count.
    pub fn not_judged(&self, begun: Begun) {
        self.tried
            .entry(begun.key)
            .and_compute_with(|now| match (now, begun.before) {
                (None, _) => Op::Nop,
                (Some(_), None) => Op::Remove,
                (Some(_), Some(before)) => Op::Put(before),
            });
    }

    /// The attempt was right: what failed before it is forgotten.
    pub fn succeeded(&self, key: &Key) {
        self.tried.invalidate(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    fn delays() -> (Arc<ManualClock>, Delays) {
        let clock = Arc::new(ManualClock::at("2026-11-20T08:00:00Z".parse().unwrap()));
        (clock.clone(), Delays::new(clock))
    }

    fn ada() -> Key {
        key(
            "ada@example.org",
            Place::household("192.0.2.1".parse().unwrap()),
        )
    }

    fn wait(delays: &Delays, key: Key) -> u64 {
        match delays.begin(key) {
            Ok(_) => 0,
            Err(early) => early.retry_after,
        }
    }

    #[test]
    fn waits_double_up_to_a_quarter_of_an_hour() {
        let (clock, delays) = delays();
        let mut waits = Vec::new();
        for _ in 0..18 {
            let seconds = wait(&delays, ada());
            if seconds == 0 {
                waits.push(0);
                continue;
            }
            // Asking too early changes nothing.
            assert_eq!(wait(&delays, ada()), seconds);
            waits.push(seconds);
            clock.advance(SignedDuration::from_secs(seconds as i64));
            assert_eq!(wait(&delays, ada()), 0);
        }
        assert_eq!(
            waits,
            [
                0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900
            ]
        );
    }

    #[test]
    fn an_attempt_that_was_not_judged_makes_nobody_wait() {
        let (clock, delays) = delays();
        for _ in 0..20 {
            let begun = delays.begin(ada()).unwrap();
            delays.not_judged(begun);
        }
        while delays.begin(ada()).is_ok() {}
        clock.advance(SignedDuration::from_secs(1));
        let begun = delays.begin(ada()).unwrap();
        delays.not_judged(begun);
        assert_eq!(wait(&delays, ada()), 0);
    }

    #[test]
    fn of_each_wait_the_first_that_comes_too_early_is_told() {
        let (clock, delays) = delays();
        let first = || delays.begin(ada()).err().map(|early| early.first);
        for _ in 0..5 {
            assert_eq!(first(), None);
        }
        assert_eq!(
            [first(), first(), first()],
            [Some(true), Some(false), Some(false)]
        );
        clock.advance(SignedDuration::from_secs(1));
        assert_eq!([first(), first(), first()], [None, Some(true), Some(false)]);
    }

    #[test]
    fn each_account_and_place_has_its_own() {
        let (_, delays) = delays();
        while delays.begin(ada()).is_ok() {}
        let there = Place::household("198.51.100.7".parse().unwrap());
        assert_eq!(wait(&delays, key("ADA@example.org ", there)), 0);
        assert_eq!(wait(&delays, key("ada@example.org", Place::Browser(1))), 0);
        assert_eq!(wait(&delays, key("bob@example.org", ada().1)), 0);
        assert_eq!(wait(&delays, key(" ADA@Example.org", ada().1)), 1);
    }

    #[test]
    fn a_success_and_an_hour_make_all_good_again() {
        let (clock, delays) = delays();
        while delays.begin(ada()).is_ok() {}
        clock.advance(SignedDuration::from_secs(1));
        delays.begin(ada()).unwrap();
        delays.succeeded(&ada());
        let mut taken = 0;
        while delays.begin(ada()).is_ok() {
            taken += 1;
        }
        assert_eq!(taken, 5);
        clock.advance(FORGOTTEN);
        for _ in 0..5 {
            delays.begin(ada()).unwrap();
        }
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nobody_out() {
        let (clock, delays) = delays();
        while delays.begin(ada()).is_ok() {}
        clock.advance(SignedDuration::from_hours(-24));
        assert_eq!(wait(&delays, ada()), 1);
        clock.advance(SignedDuration::from_hours(24) + SignedDuration::from_secs(1));
        assert_eq!(wait(&delays, ada()), 0);
    }

    #[test]
    fn a_flood_of_addresses_takes_a_bounded_amount_of_memory() {
        let (_, delays) = delays();
        for n in 0..REMEMBERED as u32 + 20_000 {
            let from = Place::household(std::net::Ipv4Addr::from(n).into());
            delays.begin(key("ada@example.org", from)).unwrap();
        }
        delays.tried.run_pending_tasks();
        assert!(delays.tried.entry_count() <= REMEMBERED);
    }
}
