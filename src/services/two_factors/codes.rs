//! How a code is believed: an app's once and only around its time, a backup code once, and wrong ones
//! are counted until an app's codes are not looked at for a while.

use jiff::{SignedDuration, Timestamp};
use ring::hmac;

use crate::app::App;
use crate::domain::fault::Fault;
use crate::domain::second_factor::{Authenticator, Code, SECRET};
use crate::services::secret_key::SEAL_ENTROPY;
use crate::services::{Error, Result};
use crate::store::users::User;
use crate::store::{Connection, second_factors};

/// What encrypts secrets.
const PURPOSE: &str = "second factors: secrets";
/// Wrong codes in a row from which on an app's codes are refused for a while.
const PATIENCE: i64 = 10;
/// How long after the last of them; twice as long after each further one.
const PAUSE: SignedDuration = SignedDuration::from_hours(1);
/// How long at most: whoever knows the password and guesses on has one guess a day, three codes in a
/// million being right.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(24);
/// The browsers that nobody knows share their wrong codes.
const UNKNOWN: i64 = 0;

/// What came of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Given {
    /// It was right, and is used up.
    Right,
    /// It was not, or not any more.
    Wrong,
    /// It was not looked at.
    Refused {
        /// Until when no app's code is; milliseconds.
        until: i64,
    },
}

impl Given {
    /// # Errors
    /// [`Error::Invalid`] at `/code`, or [`Error::TooMany`].
    pub(super) fn or_fault(self, now: Timestamp) -> Result<()> {
        match self {
            Self::Right => Ok(()),
            Self::Wrong => Err(Error::Invalid(vec![Fault::new(
                "/code",
                "wrong",
                "is not right, or was used before.",
            )])),
            Self::Refused { until } => {
                let wait = until.saturating_sub(now.as_millisecond()).max(1);
                Err(Error::TooMany {
                    retry_after: wait.unsigned_abs().div_ceil(1000),
                })
            }
        }
    }
}

/// A code that somebody gave, compared with his secret as it stood then.
pub(super) struct Presented {
    user_id: i64,
    device_id: i64,
    secret_sealed: Vec<u8>,
    /// The time step at which the app shows it.
    step: Option<i64>,
    /// What it is kept as, where it looks like a backup code.
    pub(super) backup: Option<[u8; 32]>,
    now: i64,
}

impl Presented {
    /// `None`: the person has no second factor, or one that waited too long for its first code. `device` is his own browser, where it is known.
    ///
    /// # Errors
    /// What the store says; [`Error::Internal`] where his secret doesn't open with the key file.
    pub(super) fn of(
        app: &App,
        user: &User,
        device: Option<i64>,
        typed: &str,
    ) -> Result<Option<Self>> {
        let Some(factor) = app.store.read(|db| second_factors::find(db, user.id))? else {
            return Ok(None);
        };
        let (code, now) = (Code::typed(typed), app.clock.now());
        if !factor.is_good(now.as_millisecond()) {
            return Ok(None);
        }
        let secret = unseal(app, user.id, &factor.secret_sealed)?;
        let authenticator = Authenticator::new(secret, &user.email)?;
        Ok(Some(Self {
            user_id: user.id,
            device_id: device.unwrap_or(UNKNOWN),
            secret_sealed: factor.secret_sealed,
            step: authenticator.step_of(&code, now),
            backup: code.is_on_paper().then(|| hash_of(app, user.id, &code)),
            now: now.as_millisecond(),
        }))
    }

    /// Takes the code, within the write that does what it is for.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn take(&self, db: &Connection) -> Result<Given> {
        let kept = second_factors::find(db, self.user_id)?;
        if kept.is_none_or(|kept| kept.secret_sealed != self.secret_sealed) {
            return Ok(Given::Wrong);
        }
        // Nobody guesses a backup code: none is refused because others guess the app's.
        if let Some(hash) = &self.backup {
            let right = second_factors::take_backup_code(db, self.user_id, hash, self.now)?;
            if right {
                second_factors::forget_wrong(db, self.user_id, self.device_id)?;
            }
            return Ok(if right { Given::Right } else { Given::Wrong });
        }
        let until = second_factors::refused_until(db, self.user_id, self.device_id)?;
        if until > self.now {
            return Ok(Given::Refused { until });
        }
        if let Some(step) = self.step
            && second_factors::take_step(db, self.user_id, step)?
        {
            second_factors::forget_wrong(db, self.user_id, self.device_id)?;
            return Ok(Given::Right);
        }
        let wrong = second_factors::count_wrong(db, self.user_id, self.device_id)?;
        if wrong >= PATIENCE {
            let until = self.now.saturating_add(pause(wrong));
            second_factors::refuse_until(db, self.user_id, self.device_id, until)?;
        }
        Ok(Given::Wrong)
    }
}

/// Milliseconds for which an app's codes are refused after so many wrong ones.
fn pause(wrong: i64) -> i64 {
    let further = wrong.saturating_sub(PATIENCE).clamp(0, 10);
    let pause = PAUSE.as_secs().saturating_mul(1 << further);
    pause.min(LONGEST_PAUSE.as_secs()).saturating_mul(1000)
}

/// What a backup code is kept as. Its 50 bits are too many to guess here and too few for a plain hash
/// in a copy of the database: without the key file, this one says nothing about them.
pub(super) fn hash_of(app: &App, user_id: i64, code: &Code) -> [u8; 32] {
    let key = app.secret_key.hmac("second factors: backup codes");
    let tag = hmac::sign(&key, format!("{user_id} {}", code.letters()).as_bytes());
    let mut hash = [0; 32];
    for (to, from) in hash.iter_mut().zip(tag.as_ref()) {
        *to = *from;
    }
    hash
}

/// A secret as it is kept, bound to its owner.
///
/// # Errors
/// [`Error::Internal`] where it cannot be encrypted.
pub(super) fn seal(app: &App, user_id: i64, secret: &[u8; SECRET]) -> Result<Vec<u8>> {
    let mut random = [0; SEAL_ENTROPY];
    app.entropy.fill(&mut random)?;
    app.secret_key
        .seal(PURPOSE, &bound_to(user_id), random, secret)
        .ok_or_else(not_ours)
}

/// What was kept.
///
/// # Errors
/// [`Error::Internal`] where it is another person's, or was kept with another key file.
pub(super) fn unseal(app: &App, user_id: i64, sealed: &[u8]) -> Result<[u8; SECRET]> {
    app.secret_key
        .unseal(PURPOSE, &bound_to(user_id), sealed)
        .and_then(|secret| secret.try_into().ok())
        .ok_or_else(not_ours)
}

fn bound_to(user_id: i64) -> String {
    format!("user {user_id}")
}

fn not_ours() -> Error {
    Error::Internal(
        "a second factor's secret does not open: it is not this row's, or not this key file's"
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_further_wrong_code_doubles_the_pause_up_to_a_day() {
        let hours = |wrong| pause(wrong) / 3_600_000;
        let pauses: Vec<i64> = (10..17).map(hours).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 24, 24]);
        assert_eq!(hours(i64::MAX), 24);
    }
}
