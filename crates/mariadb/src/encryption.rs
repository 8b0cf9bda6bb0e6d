//! Keys of encrypted files. A key is kept sealed in the instance's row; the servers read it from a file that is there while they run,
//! in memory (`/dev/shm`) where the system has that, so that it does not lie on the disk beside what it encrypts.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rookery_api::mariadb::ErrorCode;
use rookery_seal::Sealed;
use zeroize::Zeroizing;

use crate::MariaDb;
use crate::error::Error;
use crate::instances::InstanceRow;
use crate::security::Encryption;
use crate::server::{private_directory, write_private};

/// A file system in memory, on every Linux.
const MEMORY: &str = "/dev/shm";

/// What a key is sealed for. It has a name of its own and not its instance's, so that a copy of the files can have a copy of the row.
fn context(name: &str) -> String {
    format!("mariadb/key/{name}")
}

/// The directory for key files of this user, or one in `root` where there is none in memory that only this user can read.
pub(crate) fn directory(root: &Path) -> PathBuf {
    let user = rustix::process::getuid().as_raw();
    let in_memory = Path::new(MEMORY).join(format!("rookery-{user}"));
    match in_memory_only_ours(&in_memory, user) {
        Ok(true) => in_memory,
        _ => root.join("keys"),
    }
}

/// Everybody may make names in that place, so what is there already has to be a directory of ours.
fn in_memory_only_ours(directory: &Path, user: u32) -> io::Result<bool> {
    if !Path::new(MEMORY).is_dir() {
        return Ok(false);
    }
    private_directory(directory)?;
    let found = fs::symlink_metadata(directory)?;
    Ok(found.is_dir() && found.uid() == user && found.mode() & 0o777 == 0o700)
}

/// A key as it is shown: encrypted under the cloud's master key.
pub(crate) fn cipher_text(key: &Sealed) -> Result<String, Error> {
    let written = serde_json::to_value(key).ok();
    let text = written.as_ref().and_then(|written| written.get("sealed")?.as_str());
    text.map(str::to_owned).ok_or(Error::Inconsistent("a sealed key has no written form"))
}

impl MariaDb {
    /// A new key, sealed, with which nothing is encrypted yet.
    pub(crate) fn new_key(&self) -> Result<Encryption, Error> {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *key).map_err(|_| Error::Inconsistent("the system gives no randomness"))?;
        let name = self.world.uuid().simple().to_string();
        Ok(Encryption { key: self.seal.seal(&context(&name), &*key)?, name, on: false })
    }

    /// Writes the key file of an instance that has a key, for servers that are about to start.
    pub(crate) fn place_key(&self, id: &str, row: &InstanceRow) -> Result<(), Error> {
        let Some(encryption) = &row.security.encryption else { return Ok(()) };
        let key = self.seal.open(&context(&encryption.name), &encryption.key)?;
        // Number and key, as the plugin has them.
        let text = Zeroizing::new(format!("1;{}\n", Zeroizing::new(hex::encode(&*key)).as_str()));
        Ok(write_private(&self.places.key(id), &text)?)
    }

    /// Takes the key file away from servers that do not run any more.
    pub(crate) fn remove_key(&self, id: &str) {
        match fs::remove_file(self.places.key(id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(instance = id, %error, "the key file of a stopped instance stays");
            }
            _ => {}
        }
    }

    /// Refuses where the server has no plugin that encrypts.
    pub(crate) async fn can_encrypt(&self, id: &str, row: &InstanceRow) -> Result<(), Error> {
        let directory =
            self.primary(id, row).await?.query("SELECT @@plugin_dir AS place").await?.first("place");
        if Path::new(&directory).join("file_key_management.so").is_file() {
            return Ok(());
        }
        Err(Error::refuse(
            ErrorCode::UnsupportedOperationOperationNotApplicable,
            format!("The server's plugin `file_key_management`, which encrypts, is not in {directory}."),
            format!("{directory} 中没有用于加密的服务器插件 `file_key_management`。"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use rookery_seal::Seal;
    use rookery_store::Store;
    use rookery_world::World;

    use super::*;
    use crate::Options;

    #[test]
    fn a_key_is_sealed_in_its_row_and_in_a_file_while_servers_run() {
        let place = tempfile::tempdir().unwrap();
        let (store, seal) = (Store::in_memory(), Seal::ephemeral().unwrap());
        let mariadb = MariaDb::new(Options::new(place.path()), store, seal, World::system()).unwrap();
        let id = World::system().identifier("tdsql-", 8);
        let mut row = InstanceRow::sample();
        mariadb.place_key(&id, &row).unwrap();
        assert!(!mariadb.places.key(&id).exists(), "it has none");
        let encryption = mariadb.new_key().unwrap();
        assert!(cipher_text(&encryption.key).unwrap().len() > 32);
        assert!(encryption.key != mariadb.new_key().unwrap().key);
        row.security.encryption = Some(encryption);
        mariadb.place_key(&id, &row).unwrap();
        let text = fs::read_to_string(mariadb.places.key(&id)).unwrap();
        assert_eq!((text.len(), text.starts_with("1;"), text.ends_with('\n')), (67, true, true));
        assert_eq!(fs::metadata(mariadb.places.key(&id)).unwrap().mode() & 0o777, 0o600);
        row.security.encryption.as_mut().unwrap().name = "another".to_owned();
        assert!(mariadb.place_key(&id, &row).is_err(), "it is sealed for its own name");
        mariadb.remove_key(&id);
        assert!(!mariadb.places.key(&id).exists());
    }

    #[test]
    fn keys_are_kept_where_nobody_else_reads() {
        let root = tempfile::tempdir().unwrap();
        let place = directory(root.path());
        assert!(place.starts_with(MEMORY) || place.starts_with(root.path()));
        let open = root.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let user = rustix::process::getuid().as_raw();
        assert!(!in_memory_only_ours(&open, user).unwrap(), "others can read it");
        let link = root.path().join("link");
        std::os::unix::fs::symlink(&open, &link).unwrap();
        assert!(!in_memory_only_ours(&link, user).unwrap_or(false), "it leads elsewhere");
        assert!(!in_memory_only_ours(&root.path().join("other"), user + 1).unwrap(), "it is somebody else's");
    }
}
