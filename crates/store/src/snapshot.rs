//! Snapshot, restore and reset: the whole state into a file, out of one, and to nothing.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::backend::embedded;
use crate::error::{StoreError, TransferError};
use crate::migration::{SCHEMA_KEY, Unmigrated, read_version, step_up, version_of};
use crate::read::Raw;
use crate::scan::Span;
use crate::store::Store;

/// Stored keys and values.
pub(crate) type Entries = Vec<(Vec<u8>, Vec<u8>)>;

impl Store {
    /// Writes a consistent snapshot of the state to a new file, which [`restore`](Store::restore) reads. The file
    /// appears under its name only when it is whole and on the disk, readable for its owner only.
    pub fn snapshot(&self, path: &Path) -> Result<(), TransferError> {
        if path.try_exists()? {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, path.display().to_string()).into());
        }
        let part = part_of(path);
        // Of an earlier snapshot that was interrupted.
        if part.try_exists()? {
            fs::remove_file(&part)?;
        }
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
        let view = self.view()?;
        embedded::write_file(&part, view.raw().0)?;
        File::open(&part)?.sync_all()?;
        fs::rename(&part, path)?;
        match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            Some(parent) => Ok(File::open(parent)?.sync_all()?),
            None => Ok(File::open(".")?.sync_all()?),
        }
    }

    /// Replaces the whole state by that of a [`snapshot`](Store::snapshot), with the migrations that it needs. All of it
    /// is held in memory until it is kept together.
    pub async fn restore(&self, path: &Path) -> Result<(), TransferError> {
        let mut entries = embedded::read_file(path)?;
        let schema = entries.iter().position(|(key, _)| key == SCHEMA_KEY).map(|at| entries.swap_remove(at));
        let (_, schema) = schema.ok_or_else(|| StoreError::Damaged {
            table: "schema".to_owned(),
            what: format!("{} has no schema version", path.display()),
        })?;
        self.replace(read_version(&schema)?, entries).await
    }

    /// Removes every row of every table.
    pub async fn reset(&self) -> Result<(), StoreError> {
        let replaced = self.replace(version_of(self.migrations()), Entries::new()).await;
        replaced.map_err(|error| match error {
            TransferError::Store(error) => error,
            other => StoreError::backend(other),
        })
    }

    /// Replaces the whole state by `entries`, which have schema version `schema`.
    pub(crate) async fn replace(&self, schema: u64, entries: Entries) -> Result<(), TransferError> {
        let migrations = self.migrations();
        let everything = Span { start: Vec::new(), end: None };
        self.write(move |transaction| {
            transaction.clear(&everything)?;
            for (key, value) in &entries {
                transaction.put_raw(key.clone(), value.clone());
            }
            step_up(transaction, schema, migrations).map_err(|error| match error {
                Unmigrated::Newer { found, known } => TransferError::Newer { found, known },
                Unmigrated::Step { version, what, source } => {
                    TransferError::Migration { version, what, source }
                }
                Unmigrated::Store(error) => TransferError::Store(error),
            })
        })
        .await
    }
}

/// Where a snapshot is written until it is whole.
fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}
