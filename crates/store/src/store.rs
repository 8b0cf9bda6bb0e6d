//! The handle: opens a state, and takes it through reads and writes.

use std::fs::{DirBuilder, File, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::backend::Backend;
use crate::backend::embedded::Embedded;
use crate::backend::memory::Memory;
use crate::error::{OpenError, StoreError};
use crate::migration::{Migration, Unmigrated, migrate};
use crate::read::View;
use crate::transaction::Transaction;
use crate::writer::{self, Job, QUEUE, Write};

/// The name of the state file in the data directory.
pub const STATE_FILE: &str = "state.sqlite";

/// The file in the data directory whose lock says that a process holds the state. It is empty, and stays.
const LOCK_FILE: &str = "state.lock";

/// A state, held open. Clones are handles of the same state; it is closed when the last one is dropped.
#[derive(Clone)]
pub struct Store {
    open: Arc<Open>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

struct Open {
    backend: Arc<dyn Backend>,
    migrations: &'static [Migration],
    /// `None` once the store is closing.
    queue: Option<mpsc::Sender<Box<dyn Job>>>,
    writer: Option<JoinHandle<()>>,
    /// How often the state has changed since it was opened.
    changes: Arc<AtomicU64>,
}

impl Drop for Open {
    fn drop(&mut self) {
        // Without the queue the writer ends; waiting for it means that the state file is free when the drop returns.
        self.queue = None;
        if let Some(writer) = self.writer.take()
            // The last handle may have been owned by a closure, and be dropped by the writer itself.
            && writer.thread().id() != thread::current().id()
            && writer.join().is_err()
        {
            tracing::error!("the writer of the state had panicked");
        }
    }
}

impl Store {
    /// Opens the state in a data directory, or makes both.
    pub fn open(directory: &Path) -> Result<Store, OpenError> {
        Store::open_with(directory, &[])
    }

    /// As [`open`](Store::open), of a program whose schema has changed: takes the migrations that the state has not
    /// been through, all together or none.
    pub fn open_with(directory: &Path, migrations: &'static [Migration]) -> Result<Store, OpenError> {
        let hold = hold(directory)?;
        let path = directory.join(STATE_FILE);
        let backend = Embedded::open(&path, Some(hold))
            .map_err(|source| OpenError::Unreadable { path: path.clone(), source })?;
        migrate(&backend, migrations).map_err(|error| match error {
            Unmigrated::Newer { found, known } => OpenError::Newer { path: path.clone(), found, known },
            Unmigrated::Step { version, what, source } => OpenError::Migration { version, what, source },
            Unmigrated::Store(source) => OpenError::Unreadable { path: path.clone(), source },
        })?;
        let backend = Arc::new(backend);
        let writer = start_writer(backend.clone()).map_err(|source| OpenError::Io { path, source })?;
        Ok(Store::assemble(backend, migrations, writer))
    }

    /// A new state that lives in memory and ends with its last handle: for tests.
    ///
    /// # Panics
    /// If the system cannot start a thread.
    #[must_use]
    pub fn in_memory() -> Store {
        Store::in_memory_with(&[])
    }

    /// As [`in_memory`](Store::in_memory), at the schema version of these migrations.
    ///
    /// # Panics
    /// If the system cannot start a thread.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "a constructor for tests, which nothing but exhaustion makes fail"
    )]
    pub fn in_memory_with(migrations: &'static [Migration]) -> Store {
        let backend = Arc::new(Memory::default());
        migrate(&*backend, migrations)
            .map_err(|error| format!("{error:?}"))
            .expect("an empty state migrates");
        let writer = start_writer(backend.clone()).expect("the system starts a thread");
        Store::assemble(backend, migrations, writer)
    }

    fn assemble(
        backend: Arc<dyn Backend>,
        migrations: &'static [Migration],
        (queue, writer, changes): Writer,
    ) -> Store {
        Store {
            open: Arc::new(Open { backend, migrations, queue: Some(queue), writer: Some(writer), changes }),
        }
    }

    /// Runs `f` alone among writers. Its effects are all there or none, and durable when this returns `Ok`; where it
    /// returns an error or panics ([`StoreError::Panicked`]), nothing of it is kept.
    ///
    /// `f` may run more than once, on a thread that all writers share: it must not wait for anything, least of all
    /// for another write. A write that has been started is finished even if the returned future is dropped.
    pub async fn write<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: Fn(&mut Transaction<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (job, result) = Write::new(f);
        let queue = self.open.queue.as_ref().ok_or(StoreError::Closed)?;
        queue.send(Box::new(job)).await.map_err(|_| StoreError::Closed)?;
        result.await.map_err(|_| StoreError::Closed)?
    }

    /// Runs `f` over a consistent snapshot, on the calling thread. It waits for no writer and holds none up.
    pub fn read<T, E>(&self, f: impl FnOnce(&View<'_>) -> Result<T, E>) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        f(&self.view()?)
    }

    /// How often the state has changed since it was opened. Asked for before a read, it tells later whether what was read is still what
    /// there is: a change is counted before whoever made it is told.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.open.changes.load(Ordering::Acquire)
    }

    /// Gives up the space of what was removed or replaced, on the calling thread, so that no secret in it is left behind.
    pub fn compact(&self) -> Result<(), StoreError> {
        self.open.backend.compact()
    }

    /// A consistent snapshot.
    pub(crate) fn view(&self) -> Result<View<'_>, StoreError> {
        Ok(View::new(self.open.backend.snapshot()?))
    }

    /// The migrations that this store was opened with.
    pub(crate) fn migrations(&self) -> &'static [Migration] {
        self.open.migrations
    }
}

/// Where transactions are handed in, the thread that runs them, and how often they have changed something.
type Writer = (mpsc::Sender<Box<dyn Job>>, JoinHandle<()>, Arc<AtomicU64>);

/// Starts the thread that runs transactions.
fn start_writer(backend: Arc<dyn Backend>) -> std::io::Result<Writer> {
    let (queue, jobs) = mpsc::channel(QUEUE);
    let changes = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&changes);
    let writer = thread::Builder::new().name("state-writer".to_owned()).spawn(move || {
        if catch_unwind(AssertUnwindSafe(|| writer::run(&*backend, jobs, &counted))).is_err() {
            tracing::error!("the writer of the state panicked; no more writes are taken");
        }
    })?;
    Ok((queue, writer, changes))
}

/// How long a program may take from its fork until it runs.
const FORKED: Duration = Duration::from_secs(1);

/// Makes the data directory, and keeps every other process out of it for as long as the returned file is open.
fn hold(directory: &Path) -> Result<File, OpenError> {
    let io_error = |path: &Path, source| OpenError::Io { path: path.to_owned(), source };
    let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.map_err(|error| io_error(directory, error))?;
    let path = directory.join(LOCK_FILE);
    let lock = File::options().write(true).create(true).truncate(false).open(&path);
    let lock = lock.map_err(|error| io_error(&path, error))?;
    let asked = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            // What a killed process had forked just before keeps the lock until it has become another program.
            Err(TryLockError::WouldBlock) if asked.elapsed() < FORKED => {
                thread::sleep(Duration::from_millis(10));
            }
            Err(TryLockError::WouldBlock) => return Err(OpenError::Held { path: directory.to_owned() }),
            Err(TryLockError::Error(error)) => return Err(io_error(&path, error)),
        }
    }
}
