//! The data directory: made with mode 0700, and held by one process at a time through a lock file.
//! Doesn't know what is kept there.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The data directory, held by this process for as long as this value lives.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

/// Why the directory could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Another process holds it.
    #[error("the data directory {0} is in use by another dewline")]
    InUse(PathBuf),
    /// The file system said no.
    #[error("the data directory {0}: {1}")]
    File(PathBuf, io::Error),
}

impl DataDir {
    /// Makes the directory where it isn't there, and takes its lock.
    ///
    /// # Errors
    /// [`Refused::InUse`] where another process holds it; what the file system says.
    pub fn take(path: &Path) -> Result<Self, Refused> {
        let failed = |error| Refused::File(path.to_owned(), error);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(failed)?;
        let lock = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join("dewline.lock"))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(Refused::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
