//! Backups, the archive of binary logs, instances restored to a moment, and the files of all of these.
//!
//! A backup is physical: `mariabackup` streams it, it is compressed and durable before its row is written. Closed binary logs get a second
//! name in the archive, so the server may purge them. Restoring unpacks the newest backup before the moment into a directory of the new
//! instance, replays what was written after it, and only then gives the directory the name that a server of the instance has.

pub(crate) mod archive;
pub(crate) mod files;
pub(crate) mod policy;
mod replay;
pub(crate) mod restore;
mod signing;
pub(crate) mod taking;
pub(crate) mod tools;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use rookery_store::Transaction;
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;

use crate::error::Error;
use crate::moments::Moment;

/// How many backups are taken at once in the whole cloud: they read whole data directories.
const AT_ONCE: usize = 2;

/// What the process remembers of all this; what has to last is in rows and files.
#[derive(Debug)]
pub(crate) struct Memory {
    /// Backups that are being taken, by instance.
    taking: Mutex<HashMap<String, AbortHandle>>,
    turns: Arc<Semaphore>,
    /// When a backup of an instance failed last.
    failed: Mutex<HashMap<String, Moment>>,
    /// When it was looked last what of an instance has had its time.
    pruned: Mutex<HashMap<String, Moment>>,
    /// What was archived last, by node.
    archived: Mutex<HashMap<String, archive::Seen>>,
    tools: Mutex<Option<tools::Tools>>,
    /// Where this process serves files: `http://127.0.0.1:8080`.
    served_at: OnceLock<String>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            taking: Mutex::default(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            failed: Mutex::default(),
            pruned: Mutex::default(),
            archived: Mutex::default(),
            tools: Mutex::default(),
            served_at: OnceLock::new(),
        }
    }
}

/// Forgets the backups and the schedule of an instance that is gone.
pub(crate) fn forget_instance(tx: &mut Transaction<'_>, instance: &str) -> Result<(), Error> {
    policy::forget(tx, instance)?;
    taking::forget(tx, instance)
}
