//! Blobs as files: `<root>/blobs/<algorithm>/<first two hex digits>/<hex>`.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::task::spawn_blocking;

use super::{BlobLock, BlobStore, Durability, Upload};
use crate::body::ResponseBody;
use crate::digest::{Algorithm, Digest, Hasher};
use crate::file_part::FilePart;

/// Bytes read at once where a file is read whole.
pub(crate) const COPY_BUFFER: usize = 512 * 1024;

/// Makes the directory of uploads below `root`, and its name durable.
pub(crate) fn open_uploads(root: &Path) -> io::Result<PathBuf> {
    let uploads = root.join("uploads");
    fs::create_dir_all(&uploads)?;
    sync_directory(&uploads)?;
    sync_directory(root)?;
    Ok(uploads)
}

/// The adapter. Uploads must be in the same file system: publishing is a rename.
#[derive(Debug, Clone)]
pub(crate) struct LocalBlobs {
    blobs: Arc<Path>,
    durability: Durability,
}

impl LocalBlobs {
    /// Makes what is missing of the directories.
    pub(crate) fn open(root: &Path, durability: Durability) -> io::Result<Self> {
        let blobs = root.join("blobs");
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            fs::create_dir_all(blobs.join(algorithm.name()))?;
        }
        sync_directory(&blobs)?;
        sync_directory(root)?;
        Ok(Self { blobs: blobs.into(), durability })
    }

    fn shard(&self, digest: &Digest) -> PathBuf {
        self.blobs.join(digest.algorithm().name()).join(digest.hex().get(..2).unwrap_or_default())
    }

    /// Where the blob is, or would be. The digest's type is the proof that this stays below the directory.
    fn path(&self, digest: &Digest) -> PathBuf {
        self.shard(digest).join(digest.hex())
    }

    /// Moves an upload to its place and makes the name as durable as the bytes. Blocks.
    fn move_in(&self, upload: &Upload, digest: &Digest) -> io::Result<()> {
        let shard = self.shard(digest);
        match fs::create_dir(&shard) {
            Ok(()) => {
                self.durability.ensure(|| sync_directory(&self.blobs.join(digest.algorithm().name())))?;
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        fs::rename(&upload.path, shard.join(digest.hex()))?;
        self.durability.ensure(|| sync_directory(&shard))
    }

    /// The digests of all blob files with an age of at least `seconds` at `now`. Blocks.
    fn files_older_than(&self, seconds: u64, now: SystemTime) -> io::Result<Vec<Digest>> {
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

/// Runs what blocks on a thread that may.
fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> BoxFuture<'static, io::Result<T>> {
    spawn_blocking(work).map(|done| done.unwrap_or_else(|error| Err(io::Error::other(error)))).boxed()
}

impl BlobStore for LocalBlobs {
    fn prepare<'a>(&'a self, upload: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        let (upload, durability) = (upload.to_owned(), self.durability);
        blocking(move || durability.ensure(|| File::open(upload)?.sync_data()))
    }

    fn publish(&self, upload: Upload, digest: Digest) -> BoxFuture<'_, io::Result<()>> {
        let local = self.clone();
        blocking(move || local.move_in(&upload, &digest))
    }

    fn size<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, io::Result<Option<u64>>> {
        let path = self.path(digest);
        blocking(move || match fs::metadata(path) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
    }

    fn read(
        &self,
        digest: Digest,
        size: u64,
        start: u64,
        length: u64,
    ) -> BoxFuture<'_, io::Result<ResponseBody>> {
        let path = self.path(&digest);
        if let Some(part) = FilePart::open_now(&path, size, start, length) {
            return std::future::ready(Ok(ResponseBody::file(part))).boxed();
        }
        blocking(move || {
            let file = File::open(path)?;
            if file.metadata()?.len() != size {
                return Err(ErrorKind::InvalidData.into());
            }
            FilePart::open(file, start, length).map(ResponseBody::file)
        })
    }

    fn remove(&self, digest: Digest, alone: Option<BlobLock>) -> BoxFuture<'_, io::Result<()>> {
        let path = self.path(&digest);
        blocking(move || {
            let removed = remove_if_there(&path);
            drop(alone);
            removed
        })
    }

    fn older_than(&self, seconds: u64, now: SystemTime) -> BoxFuture<'_, io::Result<Vec<Digest>>> {
        let local = self.clone();
        blocking(move || local.files_older_than(seconds, now))
    }

    fn abandon(&self, _: u64, _: SystemTime) -> BoxFuture<'_, io::Result<usize>> {
        // A rename has happened or not. What has not is an upload, and goes as one.
        std::future::ready(Ok(0)).boxed()
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

    #[tokio::test]
    async fn it_does_what_every_adapter_does() {
        for durability in [Durability::Strict, Durability::Relaxed] {
            let root = tempfile::tempdir().expect("a directory");
            let local = LocalBlobs::open(root.path(), durability).expect("opens");
            let uploads = open_uploads(root.path()).expect("opens");
            let frames = [COPY_BUFFER - 1, COPY_BUFFER, COPY_BUFFER + 1, 3 * COPY_BUFFER + 5];
            crate::storage::suite::blobs_come_and_go(&local, &uploads, &frames).await;
        }
    }

    #[tokio::test]
    async fn a_blob_is_published_under_its_digest() {
        let root = tempfile::tempdir().expect("a directory");
        let local = LocalBlobs::open(root.path(), Durability::Strict).expect("opens");
        let uploads = open_uploads(root.path()).expect("opens");
        let (digest, path) = (Digest::sha256(b"content"), uploads.join("one"));
        fs::write(&path, b"content").expect("written");
        local.publish(Upload { path, size: 7 }, digest.clone()).await.expect("published");
        let place = format!("blobs/sha256/{}/{}", &digest.hex()[..2], digest.hex());
        assert_eq!(fs::read(root.path().join(place)).expect("there"), b"content");
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
