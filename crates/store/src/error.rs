//! What can go wrong, by who is concerned: a transaction, the opening of a store, a transfer.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Why a transaction, or one step of it, failed. Nothing of it was kept.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Another row has the same value in a unique index.
    #[error("another row of {table} has the same {index}")]
    Conflict {
        /// The table.
        table: &'static str,
        /// The unique index.
        index: &'static str,
    },
    /// A stored row, key or index entry is not what its type says.
    #[error("the stored table {table} is damaged: {what}")]
    Damaged {
        /// The table.
        table: String,
        /// What does not decode, and why.
        what: String,
    },
    /// A row cannot be written as JSON (for instance a map whose keys are no strings).
    #[error("a row of {table} cannot be written: {what}")]
    Unwritable {
        /// The table.
        table: &'static str,
        /// What the encoder said.
        what: String,
    },
    /// The index that was asked for is not among its table's `INDEXES`, so it is not maintained.
    #[error("the table {table} does not declare its index {index}")]
    Undeclared {
        /// The table.
        table: &'static str,
        /// The index.
        index: &'static str,
    },
    /// The closure of a write panicked; nothing of it was kept, and the store works on.
    #[error("a transaction panicked: {0}")]
    Panicked(String),
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
    /// The back end failed (for instance: the disk is full).
    #[error("the state could not be read or written: {0}")]
    Backend(#[source] Arc<dyn Error + Send + Sync>),
}

impl StoreError {
    pub(crate) fn backend(error: impl Error + Send + Sync + 'static) -> StoreError {
        StoreError::Backend(Arc::new(error))
    }

    /// Whether the disk is full: what was asked for can be tried again once there is room.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let StoreError::Backend(error) = self else { return false };
        let code = error.downcast_ref::<rusqlite::Error>().and_then(rusqlite::Error::sqlite_error_code);
        code == Some(rusqlite::ErrorCode::DiskFull)
    }
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data directory or the state file could not be made, read or written.
    #[error("{path}: {source}")]
    Io {
        /// The directory or file concerned.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process (or another store of this process) holds the data directory.
    #[error("the data directory {path} is in use by another process")]
    Held {
        /// The data directory.
        path: PathBuf,
    },
    /// The state was written by a newer version of the program. Migrations only go forward.
    #[error("{path} has schema version {found}; this version of the program knows up to {known}")]
    Newer {
        /// The state file.
        path: PathBuf,
        /// The schema version in the file.
        found: u64,
        /// The schema version that this program writes.
        known: u64,
    },
    /// A migration failed; the state is as it was before.
    #[error("the migration to schema version {version} ({what}) failed: {source}")]
    Migration {
        /// The version that the migration leads to.
        version: u64,
        /// What the migration does.
        what: &'static str,
        /// Why it failed.
        source: StoreError,
    },
    /// The file is no state file, or is damaged.
    #[error("{path} cannot be opened: {source}")]
    Unreadable {
        /// The state file.
        path: PathBuf,
        /// What the back end said.
        source: StoreError,
    },
}

/// Why an export, import, snapshot or restore failed. A failed import or restore has changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The file or stream could not be read or written.
    #[error("the file could not be read or written: {0}")]
    Io(#[from] io::Error),
    /// A line of the import is not what an export writes.
    #[error("line {line} of the import: {what}")]
    Malformed {
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
    /// The export or snapshot was written by a newer version of the program.
    #[error("what was read has schema version {found}; this version of the program knows up to {known}")]
    Newer {
        /// Its schema version.
        found: u64,
        /// The schema version that this program writes.
        known: u64,
    },
    /// A migration of what was read failed.
    #[error("the migration to schema version {version} ({what}) failed: {source}")]
    Migration {
        /// The version that the migration leads to.
        version: u64,
        /// What the migration does.
        what: &'static str,
        /// Why it failed.
        source: StoreError,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
