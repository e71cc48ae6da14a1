//! What is left of each key's budget, in a bounded amount of memory. While it is full, keys that are new
//! share a fixed number of places: a flood of addresses costs newcomers, never whoever has a place already.
//! Keys that strangers can't make up have a memory of their own, which a flood never fills.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;

/// By what something is limited.
pub trait Limited: Hash + Eq + Clone {
    /// It was proven to us: a browser that signed in before, a person, a key. Strangers can't make up others.
    fn is_proven(&self) -> bool;
}

/// Places that newcomers share while the memory is full. Which one is whose can't be guessed.
const SHARED: usize = 1_024;

#[derive(Debug, Default)]
struct Kept<K> {
    own: HashMap<K, Nanos>,
    proven: HashMap<K, Nanos>,
    shared: HashMap<usize, Nanos>,
}

/// The memory of one tier.
#[derive(Debug)]
pub struct Memory<K> {
    most: usize,
    kept: Mutex<Kept<K>>,
    seed: RandomState,
}

impl<K: Limited> Memory<K> {
    /// For so many keys of strangers and as many that are proven, each with a place of its own.
    pub fn of(most: usize) -> Self {
        Self {
            most,
            kept: Mutex::new(Kept {
                own: HashMap::new(),
                proven: HashMap::new(),
                shared: HashMap::new(),
            }),
            seed: RandomState::new(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept<K>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shared_place(&self, key: &K) -> usize {
        usize::try_from(self.seed.hash_one(key)).unwrap_or_default() % SHARED
    }
}

impl<K: Limited> StateStore for Memory<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut kept = self.kept();
        let own = if key.is_proven() {
            &mut kept.proven
        } else {
            &mut kept.own
        };
        let full = own.len() >= self.most;
        if let Some(before) = own.get_mut(key) {
            let (answer, after) = measure(Some(*before))?;
            *before = after;
            return Ok(answer);
        }
        if full {
            let place = self.shared_place(key);
            let (answer, after) = measure(kept.shared.get(&place).copied())?;
            kept.shared.insert(place, after);
            return Ok(answer);
        }
        let (answer, after) = measure(None)?;
        own.insert(key.clone(), after);
        Ok(answer)
    }
}

impl<K: Limited> ShrinkableKeyedStateStore<K> for Memory<K> {
    fn retain_recent(&self, drop_below: Nanos) {
        let mut kept = self.kept();
        kept.own.retain(|_, since| *since > drop_below);
        kept.proven.retain(|_, since| *since > drop_below);
        kept.shared.retain(|_, since| *since > drop_below);
    }

    fn len(&self) -> usize {
        let kept = self.kept();
        kept.own.len() + kept.proven.len() + kept.shared.len()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
