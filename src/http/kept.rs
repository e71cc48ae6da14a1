//! Answers that are kept for whoever asks the same again. One counts only as long as nothing was
//! committed since before it was read, and for a second at most, as some of what is told depends on
//! the time: nobody is told less than what the store would say. Who asks, what he may, and what he
//! pays was asked before anybody comes here.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use moka::sync::Cache;

use super::envelope::Enveloped;
use crate::app::App;
use crate::domain::access::Sight;

/// How long an answer counts where nothing changes.
const PATIENCE: SignedDuration = SignedDuration::from_secs(1);
/// Bytes of all answers.
const ROOM: u64 = 32 << 20;

/// What was asked, by whom as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Question {
    /// Path and query as they were sent.
    pub address: String,
    /// What the caller can see.
    pub sight: Option<Sight>,
}

/// The state of the store and the clock before an answer was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    commits: u64,
    at: Timestamp,
}

impl Moment {
    /// Now.
    pub fn now(app: &App) -> Self {
        Self {
            commits: app.store.commits(),
            at: app.clock.now(),
        }
    }

    /// What was read at `self` would be read again now.
    fn holds(self, now: Self) -> bool {
        let age = now.at.duration_since(self.at);
        self.commits == now.commits && !age.is_negative() && age < PATIENCE
    }
}

/// The answers.
#[derive(Debug)]
pub struct Kept(Cache<Question, (Moment, Arc<Enveloped>)>);

impl Default for Kept {
    fn default() -> Self {
        let weight = |question: &Question, (_, answer): &(Moment, Arc<Enveloped>)| {
            u32::try_from(question.address.len() + answer.len() + 200).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().max_capacity(ROOM).weigher(weight).build())
    }
}

impl Kept {
    /// The answer to that question, where it still holds.
    pub fn find(&self, question: &Question, now: Moment) -> Option<Arc<Enveloped>> {
        let (moment, answer) = self.0.get(question)?;
        moment.holds(now).then_some(answer)
    }

    /// Keeps an answer that was read after that moment.
    pub fn keep(&self, question: Question, moment: Moment, answer: Arc<Enveloped>) {
        self.0.insert(question, (moment, answer));
    }
}
