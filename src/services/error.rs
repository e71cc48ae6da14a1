//! The one error that leaves the services. The edge renders it twice: as problem+json and as a page.

use jiff::{SignedDuration, Timestamp};

use crate::domain::fault::Fault;

/// Why a service did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not there, or it is not the caller's to see: the two are never told apart.
    #[error("not found")]
    NotFound,
    /// The caller is not known, or no longer.
    #[error("not authenticated")]
    Unauthenticated,
    /// The caller may not do this. The text names the permission that is missing.
    #[error("not permitted: {0}")]
    Forbidden(String),
    /// The body could not be read as what it claims to be (400).
    #[error("unreadable: {0}")]
    Unreadable(String),
    /// Understood, but not valid: all faults at once (422).
    #[error("invalid: {} faults", .0.len())]
    Invalid(Vec<Fault>),
    /// It clashes with what is there (409). `code` is a stable word such as `name_taken`.
    #[error("conflict: {detail}")]
    Conflict {
        /// A stable word for programs.
        code: &'static str,
        /// A sentence for people.
        detail: String,
    },
    /// Larger than what is taken (413).
    #[error("too large: {0}")]
    TooLarge(String),
    /// Too often (429); try again after so many seconds.
    #[error("too many, retry after {retry_after} s")]
    TooMany {
        /// Whole seconds, at least 1.
        retry_after: u64,
    },
    /// Not now (503); try again after so many seconds.
    #[error("unavailable: {detail}")]
    Unavailable {
        /// Whole seconds, at least 1.
        retry_after: u64,
        /// A sentence for people.
        detail: String,
    },
    /// A fault of ours; the text goes to the log, never to the caller.
    #[error("internal: {0}")]
    Internal(String),
}

impl Error {
    /// The store has too much to do just now.
    pub fn full() -> Self {
        Self::Unavailable {
            retry_after: 1,
            detail: "Too much is waiting to be written. Nothing was changed.".to_owned(),
        }
    }
}

/// What services return.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Asking drupal.org is switched off.
    pub(super) fn not_asking() -> Self {
        Self::Unavailable {
            retry_after: 3600,
            detail: "this appliance is set not to ask drupal.org".to_owned(),
        }
    }

    /// drupal.org said to wait until then.
    pub(super) fn asked_to_wait(now: Timestamp, until: Timestamp) -> Self {
        let wait = until.duration_since(now) + SignedDuration::from_millis(999);
        Self::Unavailable {
            retry_after: wait.as_secs().max(1).unsigned_abs(),
            detail: "drupal.org asked us to wait".to_owned(),
        }
    }
}

impl From<crate::store::StoreError> for Error {
    fn from(error: crate::store::StoreError) -> Self {
        use crate::store::StoreError;
        match error {
            StoreError::Full | StoreError::NoReader(_) => Self::full(),
            StoreError::Closed => Self::Unavailable {
                retry_after: 5,
                detail: "Dewline is shutting down. Nothing was changed.".to_owned(),
            },
            other => Self::Internal(other.to_string()),
        }
    }
}

impl From<crate::domain::access::Denied> for Error {
    fn from(denied: crate::domain::access::Denied) -> Self {
        Self::Forbidden(denied.to_string())
    }
}

impl From<crate::clock::NoEntropy> for Error {
    fn from(error: crate::clock::NoEntropy) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<crate::domain::second_factor::Unusable> for Error {
    fn from(error: crate::domain::second_factor::Unusable) -> Self {
        Self::Internal(error.to_string())
    }
}
