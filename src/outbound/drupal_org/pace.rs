//! An even pace: turns one after the other, no burst, however many wait and however long nobody did. Time
//! is the timer's own, by which the waiting is done; it doesn't know what a turn is for.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// A pace that nobody has taken a turn at yet.
#[derive(Debug)]
pub(super) struct Pace {
    every: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    /// So many turns a second, at most.
    pub fn per_second(turns: NonZeroU32) -> Self {
        Self {
            every: Duration::from_secs(1) / turns.get(),
            next: Mutex::default(),
        }
    }

    /// Waits until it is one's turn. Whoever goes away while waiting leaves his turn unused.
    pub async fn turn(&self) {
        if let Some(mine) = self.take() {
            sleep_until(mine).await;
        }
    }

    /// When one's turn is; `None`: now.
    #[allow(clippy::disallowed_methods)] // the timer's time, which only the waiting is measured by
    fn take(&self) -> Option<Instant> {
        let now = Instant::now();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = next.map_or(now, |next| next.max(now));
        *next = Some(mine + self.every);
        (mine > now).then_some(mine)
    }
}
