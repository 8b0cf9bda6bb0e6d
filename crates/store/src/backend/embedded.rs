//! The embedded back end: one `SQLite` file with a write-ahead log, synchronised with the disk by every commit.
//!
//! Of SQL there is one table, of keys and values; docs/decisions/0001-embedded-store.md says why `SQLite`.

use std::fs::{File, OpenOptions};
use std::ops::ControlFlow;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OpenFlags, OptionalExtension, Params};

use super::{Backend, Batch, Snapshot, Visitor};
use crate::error::StoreError;
use crate::scan::Span;
use crate::snapshot::Entries;

/// `synchronous=FULL` is what makes a commit durable: the log reaches the disk before the commit returns. The log is
/// merged into the file when it has 16,000 pages, which writes a page that changed often once and not many times, and keeps those 64 MiB
/// (`journal_size_limit`), because a file that is written over costs less than one that grows again. The cache of 8 MiB holds the inner
/// pages and the recent leaves of a large state.
const WRITER: &str = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA journal_size_limit=67108864; \
    PRAGMA wal_autocheckpoint=16000; PRAGMA cache_size=-8192;";

const TABLE: &str =
    "CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;";

const PUT: &str = "INSERT OR REPLACE INTO entries (key, value) VALUES (?1, ?2)";

/// Free pages and the log keep what was removed: both are written anew.
const COMPACT: &str = "VACUUM; PRAGMA wal_checkpoint(TRUNCATE);";

/// The cache of each reader is 1 MiB: readers multiply, and behind them is the system's own cache.
const READER: &str = "PRAGMA query_only=1; PRAGMA cache_size=-1024;";

/// How many idle readers are kept: as many as read at the same time on a small machine.
const IDLE_READERS: usize = 8;

/// An open state file.
pub(crate) struct Embedded {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
    /// What keeps other processes out; given up last.
    _hold: Option<File>,
}

impl Embedded {
    /// Opens or makes the file at `path`, and keeps `hold` open for as long as it.
    pub(crate) fn open(path: &Path, hold: Option<File>) -> Result<Embedded, StoreError> {
        // Made first, because SQLite would let everyone read it; the files beside it get the same permissions.
        let made = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
        drop(made.map_err(StoreError::backend)?);
        let writer = Connection::open(path).map_err(StoreError::backend)?;
        writer.execute_batch(WRITER).map_err(StoreError::backend)?;
        writer.execute_batch(TABLE).map_err(StoreError::backend)?;
        Ok(Embedded {
            path: path.to_owned(),
            writer: Mutex::new(writer),
            readers: Mutex::default(),
            _hold: hold,
        })
    }

    fn readers(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reader(&self) -> rusqlite::Result<Connection> {
        let idle = self.readers().pop();
        if let Some(reader) = idle {
            return Ok(reader);
        }
        let reader = Connection::open(&self.path)?;
        reader.execute_batch(READER)?;
        Ok(reader)
    }
}

impl Backend for Embedded {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        let reader = self.reader().map_err(StoreError::backend)?;
        run(&reader, "BEGIN")?;
        Ok(Box::new(EmbeddedSnapshot { embedded: self, reader: Some(reader) }))
    }

    fn begin(&self) -> Result<Box<dyn Batch + '_>, StoreError> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        run(&writer, "BEGIN IMMEDIATE")?;
        Ok(Box::new(EmbeddedBatch { writer }))
    }

    fn compact(&self) -> Result<(), StoreError> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.execute_batch(COMPACT).map_err(StoreError::backend)
    }
}

/// A reader within a transaction of its own, whose first read fixes the state that it sees.
struct EmbeddedSnapshot<'e> {
    embedded: &'e Embedded,
    /// `None` once it has been given back.
    reader: Option<Connection>,
}

impl EmbeddedSnapshot<'_> {
    fn reader(&self) -> Result<&Connection, StoreError> {
        self.reader.as_ref().ok_or(StoreError::Closed)
    }
}

impl Snapshot for EmbeddedSnapshot<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        get(self.reader()?, key)
    }

    fn visit(&self, span: &Span, reverse: bool, visitor: &mut Visitor<'_>) -> Result<(), StoreError> {
        visit(self.reader()?, span, reverse, visitor)
    }

    fn count(&self, span: &Span) -> Result<usize, StoreError> {
        count(self.reader()?, span)
    }
}

impl Drop for EmbeddedSnapshot<'_> {
    fn drop(&mut self) {
        // A reader whose transaction does not end is closed instead, which ends it.
        if let Some(reader) = self.reader.take()
            && run(&reader, "COMMIT").is_ok()
        {
            let mut idle = self.embedded.readers();
            if idle.len() < IDLE_READERS {
                idle.push(reader);
            }
        }
    }
}

struct EmbeddedBatch<'e> {
    writer: MutexGuard<'e, Connection>,
}

impl Snapshot for EmbeddedBatch<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        get(&self.writer, key)
    }

    fn visit(&self, span: &Span, reverse: bool, visitor: &mut Visitor<'_>) -> Result<(), StoreError> {
        visit(&self.writer, span, reverse, visitor)
    }

    fn count(&self, span: &Span) -> Result<usize, StoreError> {
        count(&self.writer, span)
    }
}

impl Batch for EmbeddedBatch<'_> {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        execute(&self.writer, PUT, (key, value))
    }

    fn delete(&mut self, key: &[u8]) -> Result<(), StoreError> {
        execute(&self.writer, "DELETE FROM entries WHERE key = ?1", [key])
    }

    fn commit(self: Box<Self>) -> Result<(), StoreError> {
        run(&self.writer, "COMMIT")
    }
}

impl Drop for EmbeddedBatch<'_> {
    fn drop(&mut self) {
        // After a commit there is nothing left to take back; after some failures SQLite has done so by itself.
        if !self.writer.is_autocommit()
            && let Err(error) = run(&self.writer, "ROLLBACK")
        {
            tracing::error!(%error, "a batch could not be taken back");
        }
    }
}

/// Writes every entry of `snapshot` to the empty file at `path`. It has no write-ahead log, so that it can be read where
/// nothing can be written.
pub(crate) fn write_file(path: &Path, snapshot: &dyn Snapshot) -> Result<(), StoreError> {
    let connection = Connection::open(path).map_err(StoreError::backend)?;
    // A file that is given up if anything fails needs no journal.
    connection.execute_batch("PRAGMA journal_mode=OFF;").map_err(StoreError::backend)?;
    connection.execute_batch(TABLE).map_err(StoreError::backend)?;
    run(&connection, "BEGIN")?;
    let mut written = Ok(());
    snapshot.visit(&Span { start: Vec::new(), end: None }, false, &mut |key, value| {
        written = execute(&connection, PUT, (key, value));
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    written?;
    run(&connection, "COMMIT")
}

/// Every entry of a file that [`write_file`] wrote.
pub(crate) fn read_file(path: &Path) -> Result<Entries, StoreError> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let mut entries = Entries::new();
    visit(
        &connection.map_err(StoreError::backend)?,
        &Span { start: Vec::new(), end: None },
        false,
        &mut |key, value| {
            entries.push((key.to_vec(), value.to_vec()));
            ControlFlow::Continue(())
        },
    )?;
    Ok(entries)
}

fn run(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    execute(connection, sql, [])
}

fn execute(connection: &Connection, sql: &str, params: impl Params) -> Result<(), StoreError> {
    let executed = connection.prepare_cached(sql).and_then(|mut statement| statement.execute(params));
    executed.map(drop).map_err(StoreError::backend)
}

fn get(connection: &Connection, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
    let found = connection
        .prepare_cached("SELECT value FROM entries WHERE key = ?1")
        .and_then(|mut select| select.query_row([key], |row| row.get(0)).optional());
    found.map_err(StoreError::backend)
}

fn visit(
    connection: &Connection,
    span: &Span,
    reverse: bool,
    visitor: &mut Visitor<'_>,
) -> Result<(), StoreError> {
    let start = span.start.as_slice();
    let visited = match (&span.end, reverse) {
        (Some(end), false) => show(
            connection,
            "SELECT key, value FROM entries WHERE key >= ?1 AND key < ?2 ORDER BY key",
            (start, end),
            visitor,
        ),
        (Some(end), true) => show(
            connection,
            "SELECT key, value FROM entries WHERE key >= ?1 AND key < ?2 ORDER BY key DESC",
            (start, end),
            visitor,
        ),
        (None, false) => {
            show(connection, "SELECT key, value FROM entries WHERE key >= ?1 ORDER BY key", [start], visitor)
        }
        (None, true) => show(
            connection,
            "SELECT key, value FROM entries WHERE key >= ?1 ORDER BY key DESC",
            [start],
            visitor,
        ),
    };
    visited.map_err(StoreError::backend)
}

/// Counted by SQLite, a tenth of what showing each entry takes.
fn count(connection: &Connection, span: &Span) -> Result<usize, StoreError> {
    let start = span.start.as_slice();
    let counted: rusqlite::Result<i64> = match &span.end {
        Some(end) => connection
            .prepare_cached("SELECT count(*) FROM entries WHERE key >= ?1 AND key < ?2")
            .and_then(|mut select| select.query_row((start, end), |row| row.get(0))),
        None => connection
            .prepare_cached("SELECT count(*) FROM entries WHERE key >= ?1")
            .and_then(|mut select| select.query_row([start], |row| row.get(0))),
    };
    Ok(usize::try_from(counted.map_err(StoreError::backend)?).unwrap_or(usize::MAX))
}

fn show(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    visitor: &mut Visitor<'_>,
) -> rusqlite::Result<()> {
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query(params)?;
    while let Some(row) = rows.next()? {
        let (key, value) = (row.get_ref(0)?.as_blob()?, row.get_ref(1)?.as_blob()?);
        if visitor(key, value) == ControlFlow::Break(()) {
            break;
        }
    }
    Ok(())
}
