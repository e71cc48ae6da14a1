//! Secrets between the form that made them and the page that shows them, once: in memory only,
//! for a few minutes, for the session that asked.

use std::time::Duration;

use moka::sync::Cache;
use secrecy::{ExposeSecret, SecretString};

use crate::domain::access::Actor;

const LIFETIME: Duration = Duration::from_secs(300);
const MOST: u64 = 1_000;

/// A secret and what the page says with it.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The key's name.
    pub name: String,
    /// The secret.
    pub secret: SecretString,
    /// Until when the key that it replaces works.
    pub old_until: Option<jiff::Timestamp>,
}

/// What waits to be shown.
#[derive(Debug)]
pub struct Secrets(Cache<(i64, String), Kept>);

impl Default for Secrets {
    fn default() -> Self {
        Self(
            Cache::builder()
                .max_capacity(MOST)
                .time_to_live(LIFETIME)
                .build(),
        )
    }
}

impl Secrets {
    /// Keeps a secret for the page `place` of the visitor's session.
    pub fn keep(&self, actor: &Actor, place: &str, kept: Kept) {
        if let Some(session) = session_of(actor) {
            self.0.insert((session, place.to_owned()), kept);
        }
    }

    /// Takes it out: the next visit finds nothing.
    pub fn take(&self, actor: &Actor, place: &str) -> Option<Kept> {
        self.0.remove(&(session_of(actor)?, place.to_owned()))
    }
}

impl Kept {
    /// The secret's text.
    pub fn reveal(&self) -> String {
        self.secret.expose_secret().to_owned()
    }
}

fn session_of(actor: &Actor) -> Option<i64> {
    match actor {
        Actor::Person { session_id, .. } => Some(*session_id),
        _ => None,
    }
}
