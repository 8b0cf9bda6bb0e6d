//! Blobs as files: `<root>/blobs/<algorithm>/<first two hex digits>/<hex>`, written once and never changed.
//!
//! A file here without a row in the store is invisible; so the file comes first, made durable, and the row second.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::digest::{Algorithm, Digest, Hasher};

/// Bytes read at once where a file is read whole.
pub(crate) const COPY_BUFFER: usize = 512 * 1024;

/// The directory of blobs and of uploads under way. Both are in one file system, so publishing is a rename.
pub(crate) struct BlobDirectory {
    blobs: PathBuf,
    uploads: PathBuf,
    /// By the first byte of the digest: whoever publishes or removes a blob holds its lock, from the file's change until the
    /// transaction's end.
    locks: Vec<Arc<Mutex<()>>>,
}

/// Held by whoever publishes or removes a blob.
pub(crate) type BlobLock = OwnedMutexGuard<()>;

impl BlobDirectory {
    /// Makes what is missing of the directories.
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        let (blobs, uploads) = (root.join("blobs"), root.join("uploads"));
        fs::create_dir_all(&uploads)?;
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            fs::create_dir_all(blobs.join(algorithm.name()))?;
        }
        for made in [&blobs, &uploads, &root.to_path_buf()] {
            sync_directory(made)?;
        }
        Ok(Self { blobs, uploads, locks: (0..256).map(|_| Arc::default()).collect() })
    }

    pub(crate) fn uploads(&self) -> &Path {
        &self.uploads
    }

    fn shard(&self, digest: &Digest) -> PathBuf {
        self.blobs.join(digest.algorithm().name()).join(digest.hex().get(..2).unwrap_or_default())
    }

    /// Where the blob is, or would be. The digest's type is the proof that this stays below the directory.
    pub(crate) fn path(&self, digest: &Digest) -> PathBuf {
        self.shard(digest).join(digest.hex())
    }

    /// Waits until nobody else publishes or removes the blob.
    pub(crate) async fn lock(&self, digest: &Digest) -> Option<BlobLock> {
        let first = digest.hex().get(..2).and_then(|byte| usize::from_str_radix(byte, 16).ok())?;
        match self.locks.get(first) {
            Some(lock) => Some(Arc::clone(lock).lock_owned().await),
            None => None,
        }
    }

    /// Moves a durable upload to its place and makes the name durable too. Blocks.
    pub(crate) fn publish(&self, upload: &Path, digest: &Digest) -> io::Result<()> {
        let shard = self.shard(digest);
        match fs::create_dir(&shard) {
            Ok(()) => sync_directory(&self.blobs.join(digest.algorithm().name()))?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        fs::rename(upload, shard.join(digest.hex()))?;
        sync_directory(&shard)
    }

    /// Opens the blob for reading; with its length. Blocks.
    pub(crate) fn open_blob(&self, digest: &Digest) -> io::Result<(File, u64)> {
        let file = File::open(self.path(digest))?;
        let size = file.metadata()?.len();
        Ok((file, size))
    }

    /// Removes the file; absent is as good as removed. Blocks.
    pub(crate) fn remove(&self, digest: &Digest) -> io::Result<()> {
        remove_if_there(&self.path(digest))
    }

    /// The digests of all blob files with an age of at least `seconds` at `now`. Blocks.
    pub(crate) fn files_older_than(&self, seconds: u64, now: SystemTime) -> io::Result<Vec<Digest>> {
        let mut found = Vec::new();
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            for shard in fs::read_dir(self.blobs.join(algorithm.name()))? {
                for file in fs::read_dir(shard?.path())? {
                    let file = file?;
                    let name = file.file_name();
                    let Some(Ok(digest)) =
                        name.to_str().map(|hex| format!("{}:{hex}", algorithm.name()).parse::<Digest>())
                    else {
                        continue;
                    };
                    if file.metadata().is_ok_and(|metadata| is_older_than(&metadata, seconds, now)) {
                        found.push(digest);
                    }
                }
            }
        }
        Ok(found)
    }
}

/// Whether a file was last written at least `seconds` before `now`.
pub(crate) fn is_older_than(metadata: &fs::Metadata, seconds: u64, now: SystemTime) -> bool {
    let age = metadata.modified().ok().and_then(|written| now.duration_since(written).ok());
    age.is_some_and(|age| age.as_secs() >= seconds)
}

/// Removes a file that may be gone already.
pub(crate) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes the names in a directory durable.
fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Hashes the first `length` bytes of a file. Blocks.
pub(crate) fn hash_file(path: &Path, length: u64, mut hasher: Hasher) -> io::Result<Hasher> {
    let mut file = File::open(path)?.take(length);
    let mut buffer = vec![0; COPY_BUFFER];
    let mut done = 0;
    loop {
        match file.read(&mut buffer) {
            Ok(0) if done == length => return Ok(hasher),
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                hasher.update(buffer.get(..read).unwrap_or_default());
                done += read as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_is_published_under_its_digest() {
        let root = tempfile::tempdir().expect("a directory");
        let directory = BlobDirectory::open(root.path()).expect("opens");
        let digest = Digest::sha256(b"content");
        let upload = directory.uploads().join("one");
        fs::write(&upload, b"content").expect("written");
        directory.publish(&upload, &digest).expect("published");
        assert!(!upload.exists());
        let (_, size) = directory.open_blob(&digest).expect("there");
        assert_eq!(size, 7);
        let place = directory.path(&digest);
        assert!(place.ends_with(format!("blobs/sha256/{}/{}", &digest.hex()[..2], digest.hex())));
        assert_eq!(directory.files_older_than(0, SystemTime::now()).ok(), Some(vec![digest.clone()]));
        assert_eq!(directory.files_older_than(3600, SystemTime::now()).ok(), Some(Vec::new()));
        directory.remove(&digest).expect("removed");
        directory.remove(&digest).expect("removed twice");
        assert!(directory.open_blob(&digest).is_err());
    }

    #[test]
    fn a_file_is_hashed_as_far_as_asked() {
        let root = tempfile::tempdir().expect("a directory");
        let path = root.path().join("file");
        let bytes = vec![7; COPY_BUFFER * 2 + 3];
        fs::write(&path, &bytes).expect("written");
        let hash = |length| hash_file(&path, length, Hasher::new(Algorithm::Sha256));
        assert_eq!(hash(bytes.len() as u64).ok().map(Hasher::finish), Some(Digest::sha256(&bytes)));
        assert_eq!(hash(5).ok().map(Hasher::finish), Some(Digest::sha256(&bytes[..5])));
        assert!(hash(bytes.len() as u64 + 1).is_err());
    }
}
