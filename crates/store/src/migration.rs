//! The schema version, and the steps that lead from an older one to this program's.

use crate::backend::Backend;
use crate::error::StoreError;
use crate::transaction::Transaction;

/// Where the schema version is kept, as a decimal number. Below every table: names begin with a printable character.
pub(crate) const SCHEMA_KEY: &[u8] = b"\0schema";

/// A step from one schema version to the next.
///
/// A program names all its migrations in order, oldest first, and never takes one out: the schema version is their
/// number. Fields that are added with `#[serde(default)]` need none.
#[derive(Clone, Copy)]
pub struct Migration {
    /// What it does, for messages: "split the policies' names from their ids".
    pub what: &'static str,
    /// The step. It sees the state as the previous one left it; all that are needed are kept together or not at all.
    pub apply: fn(&mut Transaction<'_>) -> Result<(), StoreError>,
}

impl std::fmt::Debug for Migration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Migration").field(&self.what).finish()
    }
}

/// Why a state cannot be brought to this program's schema version.
#[derive(Debug)]
pub(crate) enum Unmigrated {
    /// It has a newer version than this program knows.
    Newer { found: u64, known: u64 },
    /// A step failed.
    Step { version: u64, what: &'static str, source: StoreError },
    /// The version cannot be read, or the result not be written.
    Store(StoreError),
}

impl From<StoreError> for Unmigrated {
    fn from(error: StoreError) -> Unmigrated {
        Unmigrated::Store(error)
    }
}

/// The schema version that a program with these migrations writes.
pub(crate) fn version_of(migrations: &[Migration]) -> u64 {
    migrations.len() as u64
}

/// The schema version in a stored value.
pub(crate) fn read_version(bytes: &[u8]) -> Result<u64, StoreError> {
    let number = std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok());
    number.ok_or_else(|| StoreError::Damaged {
        table: "schema".to_owned(),
        what: "the schema version is no number".to_owned(),
    })
}

/// Brings a back end to the version of `migrations`, in one batch. A back end without a version is empty.
pub(crate) fn migrate(backend: &dyn Backend, migrations: &[Migration]) -> Result<(), Unmigrated> {
    let found = match backend.snapshot()?.get(SCHEMA_KEY)? {
        Some(bytes) => read_version(&bytes)?,
        None => version_of(migrations),
    };
    let mut batch = backend.begin()?;
    let mut transaction = Transaction::over(&*batch);
    step_up(&mut transaction, found, migrations)?;
    let overlay = transaction.into_overlay();
    overlay.apply(&mut *batch)?;
    Ok(batch.commit()?)
}

/// Takes the steps from version `found` on, and notes the version reached.
pub(crate) fn step_up(
    transaction: &mut Transaction<'_>,
    found: u64,
    migrations: &[Migration],
) -> Result<(), Unmigrated> {
    let known = version_of(migrations);
    if found > known {
        return Err(Unmigrated::Newer { found, known });
    }
    for (version, migration) in (1..).zip(migrations) {
        if version > found {
            tracing::info!(version, what = migration.what, "migrating the state");
            (migration.apply)(transaction).map_err(|source| Unmigrated::Step {
                version,
                what: migration.what,
                source,
            })?;
        }
    }
    transaction.put_raw(SCHEMA_KEY.to_vec(), known.to_string().into_bytes());
    Ok(())
}
