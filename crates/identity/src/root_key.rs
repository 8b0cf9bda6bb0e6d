//! The root's key, and the sealed copy of it that `rookery env` reads while the store is in use.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rookery_seal::{Seal, Sealed};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::OpenError;

/// The file with the root's SecretId and sealed SecretKey, under the data directory.
pub const ROOT_KEY_FILE: &str = "root-key.json";
const CONTEXT: &str = "root-key.json";
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A SecretId and its SecretKey.
#[derive(Clone, PartialEq, Eq)]
pub struct RootKey {
    /// `AKID` and 32 more characters, where it was made here.
    pub secret_id: String,
    /// 32 characters, where it was made here.
    pub secret_key: Zeroizing<String>,
}

impl std::fmt::Debug for RootKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RootKey").field("secret_id", &self.secret_id).finish_non_exhaustive()
    }
}

#[derive(Serialize, Deserialize)]
struct OnDisk {
    secret_id: String,
    secret_key: Sealed,
}

impl RootKey {
    /// A key of the user's choice. Empty parts, blanks, and what cannot stand in a credential scope (`/`, `,`) are refused: no client
    /// could use them.
    pub fn new(secret_id: String, secret_key: String) -> Result<Self, OpenError> {
        let unusable =
            |text: &str| text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control());
        if unusable(&secret_id) || unusable(&secret_key) || secret_id.contains(['/', ',']) {
            return Err(OpenError::UnusableKey);
        }
        Ok(Self { secret_id, secret_key: Zeroizing::new(secret_key) })
    }

    /// A random key from the operating system.
    pub fn generate() -> Result<Self, OpenError> {
        Self::new(format!("AKID{}", random_text()?), random_text()?)
    }

    /// Reads the key of a data directory.
    pub fn read(directory: &Path, seal: &Seal) -> Result<Self, OpenError> {
        let text = fs::read(directory.join(ROOT_KEY_FILE)).map_err(OpenError::File)?;
        let kept: OnDisk = serde_json::from_slice(&text).map_err(|_| OpenError::DamagedKey)?;
        let secret = seal.open(CONTEXT, &kept.secret_key)?;
        let secret = String::from_utf8(secret.to_vec()).map_err(|_| OpenError::DamagedKey)?;
        Self::new(kept.secret_id, secret)
    }

    /// Leaves a sealed copy in the data directory, replacing one that differs.
    pub(crate) fn write(&self, directory: &Path, seal: &Seal) -> Result<(), OpenError> {
        if Self::read(directory, seal).is_ok_and(|kept| kept == *self) {
            return Ok(());
        }
        let kept = OnDisk {
            secret_id: self.secret_id.clone(),
            secret_key: seal.seal(CONTEXT, self.secret_key.as_bytes())?,
        };
        let text = serde_json::to_vec(&kept).map_err(|_| OpenError::DamagedKey)?;
        let draft = directory.join(".root-key.draft");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)
            .map_err(OpenError::File)?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(OpenError::File)?;
        fs::rename(&draft, directory.join(ROOT_KEY_FILE)).map_err(OpenError::File)?;
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(OpenError::File)
    }
}

/// 32 characters of `[A-Za-z0-9]`, each equally likely.
fn random_text() -> Result<String, OpenError> {
    let mut text = String::with_capacity(32);
    let mut bytes = [0; 64];
    while text.len() < 32 {
        getrandom::fill(&mut bytes).map_err(|_| OpenError::Randomness)?;
        // 248 is the last multiple of 62 in a byte; larger ones would make some characters likelier.
        let usable = bytes.iter().filter(|&&byte| byte < 248);
        text.extend(usable.map(|&byte| char::from(ALPHABET[usize::from(byte % 62)])).take(32 - text.len()));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_no_client_could_use_are_refused() {
        for (id, key) in [("", "k"), ("AKID", ""), ("AK ID", "k"), ("AKID/1", "k"), ("AKID", "a\nb")] {
            assert!(matches!(RootKey::new(id.to_owned(), key.to_owned()), Err(OpenError::UnusableKey)));
        }
    }

    #[test]
    fn the_copy_on_disk_holds_no_plain_secret() {
        let (seal, directory) = (Seal::ephemeral().unwrap(), tempfile::tempdir().unwrap());
        let key = RootKey::generate().unwrap();
        key.write(directory.path(), &seal).unwrap();
        let text = fs::read_to_string(directory.path().join(ROOT_KEY_FILE)).unwrap();
        assert!(text.contains(&key.secret_id) && !text.contains(key.secret_key.as_str()));
        assert_eq!(RootKey::read(directory.path(), &seal).unwrap(), key);
    }
}
