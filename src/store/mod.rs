//! What is kept: one SQLite file, with the SQL in view, one file per aggregate.
//!
//! One writer thread ([`writer`]) groups the writes that wait at the same moment into one commit;
//! readers are a pool of connections that cannot write. Knows the domain; knows nothing of services.

use std::path::Path;
use std::time::Duration;

use r2d2::Pool;
use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::OpenFlags;
use rusqlite::config::DbConfig;

pub mod advisories;
pub mod advisory_feed;
pub mod affected_sites;
pub mod api_keys;
pub mod audit;
pub mod blob;
pub mod catalogue;
pub mod challenges;
pub mod check;
pub mod chronicle;
pub mod clocks;
pub mod contacts;
pub mod devices;
pub mod exposures;
pub mod fanouts;
pub mod history;
pub mod in_hand;
pub mod inventory;
pub mod jobs;
pub mod ledger;
pub mod listing;
pub mod memberships;
pub mod module_versions;
pub mod modules;
pub mod named_sites;
pub mod notifications;
pub mod one_time_tokens;
pub mod organizations;
pub mod overview;
pub mod patch_runs;
pub mod people;
pub mod publications;
pub mod reach;
pub mod replay;
pub mod reports;
pub mod roles;
pub mod row;
pub mod search;
pub mod second_factors;
pub mod sessions;
pub mod site_modules;
pub mod sites;
pub mod sla;
pub mod snapshots;
pub mod standing;
pub mod syncs;
pub mod time;
pub mod users;
pub mod wall;
pub mod writer;

/// A connection, as the closures of [`Store::read`] and [`Store::write`] get it.
pub use rusqlite::Connection;
use writer::Writer;
pub use writer::{Lane, WriteStats};

#[allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]
mod embedded {
    refinery::embed_migrations!("migrations");
}

/// Why the store could not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite said no.
    #[error("the database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The queue of writes is full: come back in a second.
    #[error("the queue of writes is full")]
    Full,
    /// No reader became free in time.
    #[error("no reader became free: {0}")]
    NoReader(#[from] r2d2::Error),
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
    /// The commit failed: none of the writes in it happened.
    #[error("the commit failed: {0}")]
    Commit(String),
    /// A write's own code failed unexpectedly; it was rolled back alone.
    #[error("a write failed inside the program: {0}")]
    Panicked(String),
    /// The database was written by a newer Dewline, or a migration failed.
    #[error("{0}")]
    Migration(String),
    /// What was read back isn't what was written.
    #[error("a stored value cannot be read: {0}")]
    Corrupt(String),
    /// The file system said no.
    #[error("{0}")]
    File(#[from] std::io::Error),
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Corrupt(error.to_string())
    }
}

impl StoreError {
    /// The write clashed with a unique index or another constraint.
    pub fn is_constraint(&self) -> bool {
        matches!(self, Self::Sqlite(error)
            if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation))
    }
}

/// What the store returns.
pub type Result<T> = std::result::Result<T, StoreError>;

/// How much the store takes for itself.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Connections that read at the same time.
    pub readers: u32,
    /// Writes that may wait in a lane before the next is refused with [`StoreError::Full`].
    pub queue: usize,
    /// The writer's page cache in KiB; a reader has a quarter of it.
    pub cache_kib: u32,
    /// An answer is given only when its commit is on the disk. `false` is for filling a new database
    /// before anybody is answered: a power failure then loses the newest commits, never a part of one.
    pub durable: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            readers: 8,
            queue: 4096,
            cache_kib: 8 * 1024,
            durable: true,
        }
    }
}

/// The database: readers and the writer.
#[derive(Debug)]
pub struct Store {
    readers: Pool<SqliteConnectionManager>,
    writer: Writer,
}

impl Store {
    /// Opens the database file, making and migrating it where needed. An existing file is copied
    /// beside itself (`VACUUM INTO`) before a migration touches it.
    ///
    /// # Errors
    /// [`StoreError::Migration`] where the file is of a newer Dewline; otherwise what SQLite or
    /// the disk says.
    pub fn open(file: &Path, settings: Settings) -> Result<Self> {
        prepare(file)?;
        let write = Connection::open(file)?;
        write.busy_timeout(Duration::from_secs(5))?;
        search::teach(&write)?;
        let synchronous = if settings.durable { "full" } else { "normal" };
        write.pragma_update(None, "synchronous", synchronous)?;
        write.pragma_update(None, "foreign_keys", true)?;
        write.pragma_update(None, "temp_store", "memory")?;
        write.pragma_update(None, "cache_size", -i64::from(settings.cache_kib))?;
        write.pragma_update(None, "wal_autocheckpoint", 1000)?;
        // Plans don't depend on the values asked for, so that no statement is prepared again for each.
        write.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        write.set_prepared_statement_cache_capacity(256);
        Ok(Self {
            readers: readers(file, settings)?,
            writer: Writer::start(write, settings.queue)?,
        })
    }

    /// Reads, on the calling thread: for queries whose work is bounded (a page of a list, one
    /// row). One call sees one consistent state of the database.
    ///
    /// # Errors
    /// What the closure returns, or [`StoreError::NoReader`] after five seconds.
    pub fn read<T, E>(
        &self,
        work: impl FnOnce(&Connection) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E>
    where
        E: From<StoreError>,
    {
        let db = self.readers.get().map_err(StoreError::from)?;
        let _scope = Snapshot::begin(&db).map_err(StoreError::from)?;
        work(&db)
    }

    /// Writes: the closure runs on the writer's thread inside its own savepoint, and the answer
    /// is given only after the commit that holds it has returned. A closure that returns an error
    /// is rolled back alone.
    ///
    /// # Errors
    /// What the closure returns; [`StoreError::Full`] where too many wait; what the commit said.
    pub async fn write<T, E, F>(&self, lane: Lane, work: F) -> std::result::Result<T, E>
    where
        F: FnOnce(&Connection) -> std::result::Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.writer.write(lane, work).await
    }

    /// As [`Store::write`], for work that gives the same when it is run again: many such writes in
    /// one commit cost less.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_repeatable<T, E, F>(&self, lane: Lane, work: F) -> std::result::Result<T, E>
    where
        F: Fn(&Connection) -> std::result::Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.writer.write_repeatable(lane, work).await
    }

    /// How much the writer has done since it started.
    pub fn stats(&self) -> WriteStats {
        self.writer.stats()
    }

    /// How many transactions were committed since the store was opened. The number rises before those
    /// who wrote are answered: as long as it stays the same, what was read after asking for it is still so.
    pub fn commits(&self) -> u64 {
        self.writer.commits()
    }

    /// Finishes what waits and closes the writer. Later writes answer [`StoreError::Closed`].
    pub fn close(&self) {
        self.writer.close();
    }
}

/// One state of the database, as long as it lives. As a transaction of rusqlite's, but for the two
/// statements that are prepared once.
struct Snapshot<'a>(&'a Connection);

impl<'a> Snapshot<'a> {
    fn begin(db: &'a Connection) -> rusqlite::Result<Self> {
        db.prepare_cached("BEGIN")?.execute([])?;
        Ok(Self(db))
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        // Nothing was written: there is nothing to lose where it fails.
        let _ = self
            .0
            .prepare_cached("ROLLBACK")
            .and_then(|mut end| end.execute([]));
    }
}

fn readers(file: &Path, settings: Settings) -> Result<Pool<SqliteConnectionManager>> {
    let cache = i64::from(settings.cache_kib / 4);
    let manager = SqliteConnectionManager::file(file)
        .with_flags(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .with_init(move |db| {
            db.busy_timeout(Duration::from_secs(5))?;
            db.pragma_update(None, "query_only", true)?;
            db.pragma_update(None, "temp_store", "memory")?;
            db.pragma_update(None, "cache_size", -cache)?;
            db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
            search::teach(db)?;
            db.set_prepared_statement_cache_capacity(256);
            Ok(())
        });
    Ok(Pool::builder()
        .max_size(settings.readers)
        .test_on_check_out(false)
        .connection_timeout(Duration::from_secs(5))
        .build(manager)?)
}

/// Sets WAL and runs the migrations on one connection that is closed again before any other opens.
fn prepare(file: &Path) -> Result<()> {
    let mut db = Connection::open(file)?;
    db.busy_timeout(Duration::from_secs(5))?;
    search::teach(&db)?;
    db.pragma_update(None, "journal_mode", "wal")?;
    db.pragma_update(None, "synchronous", "full")?;
    db.pragma_update(None, "foreign_keys", true)?;
    let newest = embedded::migrations::runner()
        .get_migrations()
        .iter()
        .map(|migration| i64::from(migration.version()))
        .max()
        .unwrap_or(0);
    let applied = applied_version(&db)?;
    if applied > newest {
        return Err(StoreError::Migration(format!(
            "the database {} is of a newer Dewline (schema {applied}; this program knows {newest}). Install that version, or restore a backup made with this one",
            file.display()
        )));
    }
    if applied > 0 && applied < newest {
        copy_before(&db, file, newest)?;
    }
    // With nothing to apply this still compares what was applied with what this program knows.
    embedded::migrations::runner()
        .run(&mut db)
        .map_err(|error| StoreError::Migration(format!("a migration failed: {error}")))?;
    Ok(())
}

/// Copies the database beside itself. What lies there under that name is whole: it is written under another.
fn copy_before(db: &Connection, file: &Path, newest: i64) -> Result<()> {
    let copy = file.with_extension(format!("before-v{newest}.db"));
    let part = copy.with_extension("part");
    if part.exists() {
        std::fs::remove_file(&part)?;
    }
    db.execute("VACUUM INTO ?1", [part.to_string_lossy()])?;
    std::fs::File::open(&part)?.sync_all()?;
    std::fs::rename(&part, &copy)?;
    Ok(())
}

fn applied_version(db: &Connection) -> Result<i64> {
    let known: bool = db.query_row(
        "SELECT count(*) > 0 FROM sqlite_schema WHERE name = 'refinery_schema_history'",
        [],
        |row| row.get(0),
    )?;
    if !known {
        return Ok(0);
    }
    Ok(db.query_row(
        "SELECT coalesce(max(version), 0) FROM refinery_schema_history",
        [],
        |row| row.get(0),
    )?)
}
