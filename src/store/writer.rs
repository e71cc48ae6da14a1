//! The one writer: a thread that owns the only connection that writes.
//!
//! Writes that wait at the same moment share one commit, and one that fails is rolled back alone:
//! each has its own savepoint, unless all of them can be run again from the start. Answers leave only after the commit has returned. Work of the
//! front lane (syncs, people) always goes before work of the back lane (fan-outs, clean-up).

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::StoreError;

/// Writes in one commit, at most: bounds how long the first of them waits for its answer.
const GROUP: usize = 256;

/// Which queue a write waits in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Syncs and people: first.
    Front,
    /// Background work, in batches of about 10 ms: when nothing waits in front.
    Back,
}

/// What the writer has done since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WriteStats {
    /// Transactions committed.
    pub commits: u64,
    /// Writes answered, the failed ones too.
    pub answers: u64,
    /// Writes waiting now.
    pub waiting: u64,
}

/// One write: runs, says whether it may stay, then answers.
trait Task: Send {
    /// Runs; `true`: what it wrote may stay.
    fn run(&mut self, db: &Connection) -> bool;
    /// It may be rolled back and run again.
    fn repeatable(&self) -> bool;
    /// Gives its answer after the commit, or the reason why there was no commit.
    fn answer(self: Box<Self>, committed: Result<(), String>);
}

struct Write<T, E, F> {
    work: F,
    repeatable: bool,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Task for Write<T, E, F>
where
    F: FnMut(&Connection) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run(&mut self, db: &Connection) -> bool {
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.work)(db)))
            .unwrap_or_else(|cause| Err(StoreError::Panicked(text_of(&*cause)).into()));
        let keep = outcome.is_ok();
        self.outcome = Some(outcome);
        keep
    }

    fn repeatable(&self) -> bool {
        self.repeatable
    }

    fn answer(self: Box<Self>, committed: Result<(), String>) {
        let Self {
            work,
            outcome,
            reply,
            ..
        } = *self;
        // What the work shares with its caller is the caller's to free: this thread is everybody's.
        drop(work);
        let answer = match (committed, outcome) {
            (_, Some(Err(own))) => Err(own),
            (Ok(()), Some(Ok(value))) => Ok(value),
            (Ok(()), None) => Err(StoreError::Closed.into()),
            (Err(why), _) => Err(StoreError::Commit(why).into()),
        };
        // A caller who went away does not need the answer.
        let _ = reply.send(answer);
    }
}

fn text_of(cause: &(dyn Any + Send)) -> String {
    cause
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| cause.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "unknown".to_owned())
}

#[derive(Default)]
struct Queues {
    front: VecDeque<Box<dyn Task>>,
    back: VecDeque<Box<dyn Task>>,
    closed: bool,
}

struct Shared {
    queues: Mutex<Queues>,
    arrived: Condvar,
    limit: usize,
    commits: AtomicU64,
    answers: AtomicU64,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The writer's thread and its queues.
pub struct Writer {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

impl Writer {
    /// Starts the thread that owns `db`. At most `limit` writes wait in each lane.
    ///
    /// # Errors
    /// Where the operating system gives no thread.
    pub fn start(db: Connection, limit: usize) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared {
            queues: Mutex::default(),
            arrived: Condvar::new(),
            limit,
            commits: AtomicU64::new(0),
            answers: AtomicU64::new(0),
        });
        let mine = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("dewline-writer".to_owned())
            .spawn(move || serve(&db, &mine))?;
        Ok(Self {
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Queues a write and waits for the commit that holds it.
    ///
    /// # Errors
    /// What the closure returns; [`StoreError::Full`] or [`StoreError::Closed`] where it was not
    /// taken; [`StoreError::Commit`] where it was not kept.
    pub async fn write<T, E, F>(&self, lane: Lane, work: F) -> Result<T, E>
    where
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let mut once = Some(work);
        let work = move |db: &Connection| match once.take() {
            Some(work) => work(db),
            None => Err(StoreError::Closed.into()),
        };
        self.queue(lane, work, false).await
    }

    /// As [`Writer::write`], for work that gives the same when it is run again: it needs no
    /// savepoint of its own where all that shares its commit is of that kind.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub async fn write_repeatable<T, E, F>(&self, lane: Lane, work: F) -> Result<T, E>
    where
        F: Fn(&Connection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.queue(lane, work, true).await
    }

    async fn queue<T, E, F>(&self, lane: Lane, work: F, repeatable: bool) -> Result<T, E>
    where
        F: FnMut(&Connection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let task: Box<dyn Task> = Box::new(Write {
            work,
            repeatable,
            outcome: None,
            reply,
        });
        {
            let mut queues = self.shared.lock();
            if queues.closed {
                return Err(StoreError::Closed.into());
            }
            let queue = match lane {
                Lane::Front => &mut queues.front,
                Lane::Back => &mut queues.back,
            };
            if queue.len() >= self.shared.limit {
                return Err(StoreError::Full.into());
            }
            queue.push_back(task);
        }
        self.shared.arrived.notify_one();
        answer
            .await
            .unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    /// How many transactions were committed since it started.
    pub fn commits(&self) -> u64 {
        self.shared.commits.load(Ordering::Acquire)
    }

    /// What has been done so far.
    pub fn stats(&self) -> WriteStats {
        let queues = self.shared.lock();
        WriteStats {
            commits: self.shared.commits.load(Ordering::Relaxed),
            answers: self.shared.answers.load(Ordering::Relaxed),
            waiting: (queues.front.len() + queues.back.len()) as u64,
        }
    }

    /// Takes no more, finishes what waits, and ends the thread.
    pub fn close(&self) {
        self.shared.lock().closed = true;
        self.shared.arrived.notify_one();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

/// The thread's life: take a group, run it, commit, answer.
fn serve(db: &Connection, shared: &Shared) {
    while let Some(mut group) = next_group(shared) {
        let outcome = run_group(db, &mut group).map_err(|error| error.to_string());
        if outcome.is_err() && !db.is_autocommit() {
            let _ = db.execute_batch("ROLLBACK");
        }
        shared.commits.fetch_add(1, Ordering::Release);
        shared
            .answers
            .fetch_add(group.len() as u64, Ordering::Relaxed);
        for task in group {
            task.answer(outcome.clone());
        }
    }
    let _ = db.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);");
}

/// All that waits in front, or else one batch of the back. `None`: closed and empty.
fn next_group(shared: &Shared) -> Option<Vec<Box<dyn Task>>> {
    let mut queues = shared.lock();
    loop {
        if !queues.front.is_empty() {
            let count = queues.front.len().min(GROUP);
            return Some(queues.front.drain(..count).collect());
        }
        if let Some(task) = queues.back.pop_front() {
            return Some(vec![task]);
        }
        if queues.closed {
            return None;
        }
        queues = shared
            .arrived
            .wait(queues)
            .unwrap_or_else(PoisonError::into_inner);
    }
}

fn run_group(db: &Connection, group: &mut [Box<dyn Task>]) -> rusqlite::Result<()> {
    let begin = || db.prepare_cached("BEGIN IMMEDIATE")?.execute([]);
    begin()?;
    if !group.iter().all(|task| task.repeatable()) {
        run_each(db, group)?;
    } else if !group.iter_mut().all(|task| task.run(db)) {
        // One failed and takes the others with it: all of them again, each by itself.
        db.prepare_cached("ROLLBACK")?.execute([])?;
        begin()?;
        run_each(db, group)?;
    }
    db.prepare_cached("COMMIT")?.execute([])?;
    Ok(())
}

/// Runs each write in its own savepoint.
fn run_each(db: &Connection, group: &mut [Box<dyn Task>]) -> rusqlite::Result<()> {
    for task in group {
        db.prepare_cached("SAVEPOINT one")?.execute([])?;
        if !task.run(db) {
            db.prepare_cached("ROLLBACK TO one")?.execute([])?;
        }
        db.prepare_cached("RELEASE one")?.execute([])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
