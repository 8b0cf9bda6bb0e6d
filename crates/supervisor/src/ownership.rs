//! Which process is ours: a record on the disk, written before there is a process.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The variable in the environment of every child whose value is the token of its record.
pub const TOKEN_VARIABLE: &str = "ROOKERY_OWNED";

const SUFFIX: &str = ".owner.json";

/// The record of one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// What the child carries in its environment.
    pub(crate) token: String,
    /// Which program it runs.
    pub(crate) fingerprint: u64,
    /// The process and when it started, once it is known.
    pub(crate) process: Option<Identity>,
}

/// A process, told apart from a later one of the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) pid: u32,
    /// Clock ticks after boot, as `/proc/<pid>/stat` has them.
    pub(crate) start_time: u64,
}

/// Where the record of a name is.
#[derive(Debug)]
pub(crate) struct Ownership {
    path: PathBuf,
    name: String,
}

impl Ownership {
    pub(crate) fn at(directory: &Path, name: &str) -> Self {
        Self { path: directory.join(format!("{name}{SUFFIX}")), name: name.to_owned() }
    }

    pub(crate) fn names(directory: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(directory)? {
            if let Some(name) = entry?.file_name().to_str().and_then(|name| name.strip_suffix(SUFFIX)) {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn exists(&self) -> bool {
        self.path.exists()
    }

    /// The record; `None` where there is none. One that cannot be read is an error: it may name a process.
    pub(crate) fn read(&self) -> io::Result<Option<Record>> {
        match fs::read(&self.path) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes the record; it is on the disk, whole, when this returns.
    pub(crate) fn write(&self, record: &Record) -> io::Result<()> {
        let fresh = self.path.with_extension("new");
        let mut file = File::create(&fresh)?;
        file.write_all(&serde_json::to_vec(record)?)?;
        file.sync_all()?;
        fs::rename(&fresh, &self.path)?;
        self.sync_directory()
    }

    pub(crate) fn remove(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => self.sync_directory(),
        }
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
    }
}
