//! The master key as a file, and how it is replaced.
//!
//! A new key is first kept beside the old one ([`Seal::prepare_next`]), so that nothing is ever sealed under a key that is nowhere,
//! and takes the old one's place ([`Seal::adopt_next`]) when everything is sealed under it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use crate::{Seal, SealError};

/// Length of the master key, in bytes.
pub const MASTER_KEY_LENGTH: usize = 32;

/// The file that holds the master key, under the data directory.
pub const MASTER_KEY_FILE: &str = "master.key";

/// The file that holds the key that is about to be the master key.
pub const NEXT_MASTER_KEY_FILE: &str = "master.key.next";

impl Seal {
    /// A seal for tests and throw-away stores: its key is gone with the process.
    pub fn ephemeral() -> Result<Self, SealError> {
        Self::new(&*fresh_key()?)
    }

    /// Reads `directory/master.key`, or makes it (mode 0600, durable before this returns) where there is none.
    pub fn open_or_create(directory: &Path) -> Result<Self, SealError> {
        match read(directory, MASTER_KEY_FILE)? {
            Some(seal) => Ok(seal),
            None => make(directory, MASTER_KEY_FILE),
        }
    }

    /// Reads `directory/master.key`, where there is one.
    pub fn current(directory: &Path) -> Result<Option<Self>, SealError> {
        read(directory, MASTER_KEY_FILE)
    }

    /// Reads the key that is about to be the master key, where there is one.
    pub fn next(directory: &Path) -> Result<Option<Self>, SealError> {
        read(directory, NEXT_MASTER_KEY_FILE)
    }

    /// Makes the key that is about to be the master key, in place of one that never became it.
    pub fn prepare_next(directory: &Path) -> Result<Self, SealError> {
        make(directory, NEXT_MASTER_KEY_FILE)
    }

    /// Makes the next key the master key: the former one is gone when this returns.
    pub fn adopt_next(directory: &Path) -> Result<(), SealError> {
        let next = directory.join(NEXT_MASTER_KEY_FILE);
        let adopted = fs::rename(&next, directory.join(MASTER_KEY_FILE)).and_then(|()| sync(directory));
        adopted.map_err(|source| failed(&next, source))
    }

    /// Removes the next key, where there is one.
    pub fn discard_next(directory: &Path) -> Result<(), SealError> {
        remove(directory, NEXT_MASTER_KEY_FILE)
    }

    /// Removes `directory/master.key`, where there is one: the master key is kept elsewhere from now on.
    pub fn discard_current(directory: &Path) -> Result<(), SealError> {
        remove(directory, MASTER_KEY_FILE)
    }
}

fn failed(path: &Path, source: io::Error) -> SealError {
    SealError::File { path: path.display().to_string(), source }
}

fn read(directory: &Path, name: &str) -> Result<Option<Seal>, SealError> {
    let path = directory.join(name);
    let mut master = Zeroizing::new(Vec::with_capacity(MASTER_KEY_LENGTH));
    match File::open(&path) {
        Ok(mut file) => {
            file.read_to_end(&mut master).map_err(|source| failed(&path, source))?;
            Seal::new(&master).map(Some)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(&path, error)),
    }
}

fn make(directory: &Path, name: &str) -> Result<Seal, SealError> {
    let master = fresh_key()?;
    let path = directory.join(name);
    write_private(directory, &path, &*master).map_err(|source| failed(&path, source))?;
    Seal::new(&*master)
}

fn remove(directory: &Path, name: &str) -> Result<(), SealError> {
    let path = directory.join(name);
    match fs::remove_file(&path) {
        Ok(()) => sync(directory).map_err(|source| failed(&path, source)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(&path, error)),
    }
}

fn fresh_key() -> Result<Zeroizing<[u8; MASTER_KEY_LENGTH]>, SealError> {
    let mut key = Zeroizing::new([0; MASTER_KEY_LENGTH]);
    aws_lc_rs::rand::fill(&mut *key).map_err(|_| SealError::Cipher)?;
    Ok(key)
}

/// Written under another name and renamed, so that a crash leaves either no key or a whole one.
fn write_private(directory: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = directory.join(".master.key.draft");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    sync(directory)
}

fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_key_file_is_private_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        let sealed = Seal::open_or_create(directory.path()).unwrap().seal("c", b"kept").unwrap();
        let mode = fs::metadata(directory.path().join(MASTER_KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = Seal::open_or_create(directory.path()).unwrap();
        assert_eq!(&**again.open("c", &sealed).unwrap(), b"kept");
    }

    #[test]
    fn the_next_key_becomes_the_current_one_or_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path();
        assert!(Seal::current(directory).unwrap().is_none() && Seal::next(directory).unwrap().is_none());
        let first = Seal::open_or_create(directory).unwrap();
        Seal::prepare_next(directory).unwrap();
        Seal::discard_next(directory).unwrap();
        Seal::discard_next(directory).unwrap();
        assert!(Seal::next(directory).unwrap().is_none());
        let next = Seal::prepare_next(directory).unwrap();
        let mode = fs::metadata(directory.join(NEXT_MASTER_KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(Seal::current(directory).unwrap().unwrap().fingerprint(), first.fingerprint());
        Seal::adopt_next(directory).unwrap();
        assert_eq!(Seal::current(directory).unwrap().unwrap().fingerprint(), next.fingerprint());
        assert!(Seal::next(directory).unwrap().is_none() && Seal::adopt_next(directory).is_err());
        Seal::discard_current(directory).unwrap();
        assert!(Seal::current(directory).unwrap().is_none());
    }
}
