//! Passwords are hashed with argon2id, off the async threads, a few at a time: each takes 19 MiB
//! and tens of milliseconds on purpose.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use super::{Error, Result};
use crate::clock::Entropy;

/// Memory of one hash, in KiB; with the two below: OWASP's parameters for argon2id.
const MEMORY: u32 = 19_456;
/// Passes over the memory.
const PASSES: u32 = 2;
/// Lanes.
const LANES: u32 = 1;
/// Hashes that are computed at the same time.
const AT_ONCE: usize = 2;
/// Hashes that wait or are computed; the next is refused with 503.
const WAITING: usize = 64;

/// The bounded pool.
#[derive(Debug)]
pub struct Passwords {
    places: Semaphore,
    running: Arc<Semaphore>,
    computed: AtomicU64,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            places: Semaphore::new(WAITING),
            running: Arc::new(Semaphore::new(AT_ONCE)),
            computed: AtomicU64::new(0),
        }
    }
}

impl Passwords {
    /// The PHC string under which the password is kept.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where too many wait.
    pub async fn hash(&self, password: &SecretString, entropy: &dyn Entropy) -> Result<String> {
        let mut salt = [0; 16];
        entropy.fill(&mut salt)?;
        let password = password.clone();
        self.run(move || {
            let hash: PasswordHash = argon2()?
                .hash_password_with_salt(password.expose_secret().as_bytes(), &salt)
                .map_err(|error| Error::Internal(error.to_string()))?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether the password is the one that was hashed. Where there is no hash (nobody of that
    /// name) it takes the same time to say no.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where too many wait; [`Error::Internal`] where the hash is unreadable.
    pub async fn verify(&self, password: &SecretString, hash: Option<String>) -> Result<bool> {
        let password = password.clone();
        self.run(move || {
            let presented = password.expose_secret().as_bytes();
            let Some(hash) = hash else {
                let nobody: std::result::Result<PasswordHash, _> =
                    argon2()?.hash_password_with_salt(presented, b"nobody's password");
                drop(nobody);
                return Ok(false);
            };
            let hash = PasswordHash::new(&hash)
                .map_err(|error| Error::Internal(format!("a password hash: {error}")))?;
            Ok(argon2()?.verify_password(presented, &hash).is_ok())
        })
        .await
    }

    /// How many hashes were computed since the start.
    pub fn computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let full = || Error::Unavailable {
            retry_after: 2,
            detail: "Too many people are signing in at this moment.".to_owned(),
        };
        let _place = self.places.try_acquire().map_err(|_| full())?;
        let permit = Arc::clone(&self.running)
            .acquire_owned()
            .await
            .map_err(|_| full())?;
        self.computed.fetch_add(1, Ordering::Relaxed);
        tokio::task::spawn_blocking(move || {
            // Held here, not in the future: a caller who goes away doesn't free the thread.
            let _permit = permit;
            work()
        })
        .await
        .map_err(|error| Error::Internal(error.to_string()))?
    }
}

fn argon2() -> Result<Argon2<'static>> {
    let parameters = Params::new(MEMORY, PASSES, LANES, None)
        .map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters))
}

/// Whether a hash was made with the parameters that are used now. What was not is made anew when its
/// password is known: at the next sign-in.
pub fn is_current(hash: &str) -> bool {
    let now = format!("$argon2id$v=19$m={MEMORY},t={PASSES},p={LANES}$");
    hash.starts_with(&now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SeededEntropy;

    #[tokio::test]
    async fn a_password_is_known_again_by_its_hash() {
        let passwords = Passwords::default();
        let right = SecretString::from("correct horse battery");
        let hash = passwords
            .hash(&right, &SeededEntropy::new(1))
            .await
            .unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert!(is_current(&hash));
        assert!(!is_current(&hash.replace("t=2", "t=20")));
        assert!(passwords.verify(&right, Some(hash.clone())).await.unwrap());
        let wrong = SecretString::from("correct horse batterz");
        assert!(!passwords.verify(&wrong, Some(hash)).await.unwrap());
        assert!(!passwords.verify(&right, None).await.unwrap());
    }

    #[tokio::test]
    async fn a_flood_is_refused_rather_than_queued() {
        let passwords = Passwords::default();
        let _all = passwords.places.try_acquire_many(64).unwrap();
        let refused = passwords.verify(&SecretString::from("x"), None).await;
        assert!(matches!(refused, Err(Error::Unavailable { .. })));
    }
}
