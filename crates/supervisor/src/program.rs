//! What is run, and how it proves that it does.

use std::collections::hash_map::DefaultHasher;
use std::ffi::OsString;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// The future of one question.
pub type Readiness<'a> = Pin<Box<dyn Future<Output = bool> + Send + 'a>>;

/// Whether a program does what it is there for: a question that only a working one answers, not the mere existence of a process.
pub trait Probe: Send + Sync {
    /// Asks once.
    fn ready(&self) -> Readiness<'_>;
}

/// A program with everything that a start of it needs.
#[derive(Clone)]
pub struct Program {
    /// The executable, by its path.
    pub executable: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Where it runs.
    pub directory: PathBuf,
    /// Where `stdout.log` and `stderr.log` are written.
    pub logs: PathBuf,
    /// The memory that counts against the limit, in bytes.
    pub memory: u64,
    /// Where it will listen. Checked before the first start.
    pub addresses: Vec<SocketAddr>,
    /// How long a start may take until the probe answers.
    pub ready_within: Duration,
    /// How long it may take to end after SIGTERM, before SIGKILL.
    pub stop_within: Duration,
    /// Proves that it is ready.
    pub probe: Arc<dyn Probe>,
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program")
            .field("executable", &self.executable)
            .field("arguments", &self.arguments)
            .finish_non_exhaustive()
    }
}

impl Program {
    /// Two programs of the same fingerprint are the same command in the same place.
    pub(crate) fn fingerprint(&self) -> u64 {
        // `DefaultHasher::new` has fixed keys; a fingerprint that a newer toolchain computes otherwise costs one restart.
        let mut hasher = DefaultHasher::new();
        (&self.executable, &self.arguments, &self.directory).hash(&mut hasher);
        hasher.finish()
    }
}
