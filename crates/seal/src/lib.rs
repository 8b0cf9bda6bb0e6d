//! Secrets at rest: sealed under one master key, bound to the place they are kept in.
//!
//! A [`Seal`] turns secret bytes into a [`Sealed`] value that a store record may hold. The seal is AES-256-GCM
//! with a random nonce; the *context* (for instance `kms/key/<id>/1`) is authenticated with it, so a sealed
//! value moved to another record does not open there. The master key is a file of 32 random bytes that only its
//! owner can read, or comes from the environment as Base64.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::{Zeroize, Zeroizing};

/// Length of the master key, in bytes.
pub const MASTER_KEY_LENGTH: usize = 32;

/// The file that holds the master key, under the data directory.
pub const MASTER_KEY_FILE: &str = "master.key";

/// Why a secret could not be sealed, opened, or the master key not be had.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The master key file could not be read or made.
    #[error("the master key {path}: {source}")]
    File {
        /// The file concerned.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// The master key is not 32 bytes (or not Base64 of 32 bytes, where it comes from the environment).
    #[error("the master key must be exactly {MASTER_KEY_LENGTH} bytes")]
    Length,
    /// The value was sealed under another key or for another place, or was altered.
    #[error("a sealed value does not open here: wrong master key, wrong place, or altered")]
    Closed,
    /// The cipher refused to seal.
    #[error("a secret could not be sealed")]
    Cipher,
}

/// A secret as it is kept: nonce, ciphertext and tag. Safe to store, and shown by nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealed(…)")
    }
}

impl Serialize for Sealed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Sealed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64_STANDARD.decode(text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// The key that seals. Cheap to clone.
#[derive(Clone)]
pub struct Seal {
    key: Arc<RandomizedNonceKey>,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(…)")
    }
}

impl Seal {
    /// A seal under the given 32 bytes.
    pub fn new(master: &[u8]) -> Result<Self, SealError> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, master).map_err(|_| SealError::Length)?;
        Ok(Self { key: Arc::new(key) })
    }

    /// A seal under a key given as Base64 text, the form of the environment variable.
    pub fn from_base64(text: &str) -> Result<Self, SealError> {
        let master = Zeroizing::new(BASE64_STANDARD.decode(text.trim()).map_err(|_| SealError::Length)?);
        Self::new(&master)
    }

    /// A seal for tests and throw-away stores: its key is gone with the process.
    pub fn ephemeral() -> Result<Self, SealError> {
        let mut master = fresh_key()?;
        let seal = Self::new(&master);
        master.zeroize();
        seal
    }

    /// Reads `directory/master.key`, or makes it (mode 0600, durable before this returns) where there is none.
    pub fn open_or_create(directory: &Path) -> Result<Self, SealError> {
        let path = directory.join(MASTER_KEY_FILE);
        let failed = |source| SealError::File { path: path.display().to_string(), source };
        let mut master = Zeroizing::new(Vec::with_capacity(MASTER_KEY_LENGTH));
        match File::open(&path) {
            Ok(mut file) => {
                file.read_to_end(&mut master).map_err(failed)?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                master.extend_from_slice(&*Zeroizing::new(fresh_key()?));
                write_private(directory, &path, &master).map_err(failed)?;
            }
            Err(error) => return Err(failed(error)),
        }
        Self::new(&master)
    }

    /// Seals `secret` for the place named by `context`; it opens only with the same context.
    pub fn seal(&self, context: &str, secret: &[u8]) -> Result<Sealed, SealError> {
        let mut text = Zeroizing::new(secret.to_vec());
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(context.as_bytes()), &mut *text)
            .map_err(|_| SealError::Cipher)?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.extend_from_slice(&text);
        Ok(Sealed(sealed))
    }

    /// Opens what was sealed for `context`. The bytes are wiped when dropped.
    pub fn open(&self, context: &str, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (nonce, text) = sealed.0.split_at_checked(NONCE_LEN).ok_or(SealError::Closed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Closed)?;
        let mut text = Zeroizing::new(text.to_vec());
        let length = self
            .key
            .open_in_place(nonce, Aad::from(context.as_bytes()), &mut text)
            .map_err(|_| SealError::Closed)?
            .len();
        text.truncate(length);
        Ok(text)
    }
}

fn fresh_key() -> Result<[u8; MASTER_KEY_LENGTH], SealError> {
    let mut key = [0; MASTER_KEY_LENGTH];
    aws_lc_rs::rand::fill(&mut key).map_err(|_| SealError::Cipher)?;
    Ok(key)
}

/// Written under another name and renamed, so that a crash leaves either no key or a whole one.
fn write_private(directory: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = directory.join(".master.key.draft");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn opens_what_it_sealed_and_only_there() {
        let seal = Seal::ephemeral().unwrap();
        let sealed = seal.seal("kms/key/a", b"secret").unwrap();
        assert_eq!(&**seal.open("kms/key/a", &sealed).unwrap(), b"secret");
        assert!(matches!(seal.open("kms/key/b", &sealed), Err(SealError::Closed)));
        let other = Seal::ephemeral().unwrap();
        assert!(matches!(other.open("kms/key/a", &sealed), Err(SealError::Closed)));
    }

    #[test]
    fn every_altered_byte_is_noticed() {
        let seal = Seal::ephemeral().unwrap();
        let sealed = seal.seal("c", b"x").unwrap();
        for at in 0..sealed.0.len() {
            let mut altered = sealed.clone();
            altered.0[at] ^= 1;
            assert!(seal.open("c", &altered).is_err(), "byte {at}");
        }
        assert!(seal.open("c", &Sealed(Vec::new())).is_err());
    }

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
    fn a_sealed_value_survives_json_and_shows_nothing() {
        let seal = Seal::ephemeral().unwrap();
        let sealed = seal.seal("c", b"kept").unwrap();
        let text = serde_json::to_string(&sealed).unwrap();
        let back: Sealed = serde_json::from_str(&text).unwrap();
        assert_eq!(back, sealed);
        assert_eq!(format!("{sealed:?}"), "Sealed(…)");
    }

    #[test]
    fn a_short_key_is_refused() {
        assert!(matches!(Seal::new(b"short"), Err(SealError::Length)));
        assert!(matches!(Seal::from_base64("not base64!"), Err(SealError::Length)));
    }
}
