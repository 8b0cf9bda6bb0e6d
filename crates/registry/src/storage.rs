//! The seam to where blob bytes are: a directory of this machine, or a bucket. Two adapters, one suite.
//!
//! A blob is written once under its digest and never changed. What is here without a row in the store is invisible; so the
//! bytes come first, made durable, and the row second.

pub(crate) mod local;
pub(crate) mod s3;
#[cfg(test)]
mod s3_server;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::future::BoxFuture;
use rookery_store::{Global, Read as _, Scan, Store, StoreError, Table, Transaction};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::body::ResponseBody;
use crate::digest::Digest;
use crate::tables::Blobs;

/// How the directory of this machine is called among the places where blobs can be.
pub(crate) const DIRECTORY: &str = "the data directory";

/// Where the blobs of this state are.
struct Places;

impl Table for Places {
    const NAME: &'static str = "registry.places";
    type Scope = Global;
    type Key = String;
    type Row = String;
}

/// Notes where the blobs of a state are, the first time that there is anything to note: they would all be missing from another
/// place. Gives the place where they are if it is not this one.
pub(crate) async fn settle(store: &Store, place: String) -> Result<Result<(), String>, StoreError> {
    let write = move |tx: &mut Transaction<'_>| {
        let key = "blobs".to_owned();
        let noted = tx.get::<Places>(&Global, &key)?;
        let holds_blobs = !tx.scan_keys::<Blobs>(&Global, Scan::all().limit(1))?.is_empty();
        // A state of a version that knew only the directory has noted nothing.
        let before = noted.unwrap_or_else(|| DIRECTORY.to_owned());
        if holds_blobs && before != place {
            return Ok(Err(before));
        }
        if before != place {
            tx.put::<Places>(&Global, &key, &place)?;
        }
        Ok(Ok(()))
    };
    store.write(write).await
}

/// What of a pushed blob is on the disk of this machine when the push is answered. A process that is killed loses nothing either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// All of it: a failure of power takes nothing that was acknowledged.
    #[default]
    Strict,
    /// What the system has written by itself so far. After a failure of power a blob of the last half minute may be gone or cut short:
    /// it counts as damaged then, and a push mends it. Manifests and tags are durable as ever.
    Relaxed,
}

impl Durability {
    /// Does what makes something durable, where that is wanted.
    pub(crate) fn ensure(self, sync: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        match self {
            Self::Strict => sync(),
            Self::Relaxed => Ok(()),
        }
    }
}

/// A complete upload, whose file is in the uploads' directory of this machine.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    pub(crate) path: PathBuf,
    /// Bytes.
    pub(crate) size: u64,
}

/// Where blobs are. What is told of as done is durable, unless [`Durability::Relaxed`] was asked for.
pub(crate) trait BlobStore: fmt::Debug + Send + Sync + 'static {
    /// Does as much of publishing an upload as can be done while others publish the same blob.
    fn prepare<'a>(&'a self, upload: &'a Path) -> BoxFuture<'a, io::Result<()>>;

    /// Gives an upload that was prepared its place, over whatever is there; its file is gone afterwards. The blob's lock is held.
    fn publish(&self, upload: Upload, digest: Digest) -> BoxFuture<'_, io::Result<()>>;

    /// The length of a blob; `None` when there is none.
    fn size<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, io::Result<Option<u64>>>;

    /// `length` bytes from `start` of a blob of `size` bytes. [`io::ErrorKind::NotFound`] when it is not there,
    /// [`io::ErrorKind::InvalidData`] when its size is another.
    fn read(
        &self,
        digest: Digest,
        size: u64,
        start: u64,
        length: u64,
    ) -> BoxFuture<'_, io::Result<ResponseBody>>;

    /// Removes a blob; absent is as good as removed. The lock is kept until that is done, even if nobody waits for it.
    fn remove(&self, digest: Digest, alone: Option<BlobLock>) -> BoxFuture<'_, io::Result<()>>;

    /// All blobs that were written at least `seconds` before `now`.
    fn older_than(&self, seconds: u64, now: SystemTime) -> BoxFuture<'_, io::Result<Vec<Digest>>>;

    /// Gives up what of publishing was begun at least `seconds` before `now` and never ended; says how many.
    fn abandon(&self, seconds: u64, now: SystemTime) -> BoxFuture<'_, io::Result<usize>>;
}

/// Held by whoever publishes or removes a blob, from the change of its bytes until the transaction's end.
pub(crate) type BlobLock = OwnedMutexGuard<()>;

/// The locks, by the first hex digits of the digest.
pub(crate) struct BlobLocks(Vec<Arc<Mutex<()>>>);

/// Three hex digits.
const LOCKS: usize = 4096;

impl BlobLocks {
    pub(crate) fn new() -> Self {
        Self((0..LOCKS).map(|_| Arc::default()).collect())
    }

    /// Waits until nobody else publishes or removes the blob.
    pub(crate) async fn lock(&self, digest: &Digest) -> Option<BlobLock> {
        let first = digest.hex().get(..3).and_then(|digits| usize::from_str_radix(digits, 16).ok())?;
        match self.0.get(first) {
            Some(lock) => Some(Arc::clone(lock).lock_owned().await),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::BlobRow;

    #[tokio::test]
    async fn blobs_are_not_looked_for_elsewhere() {
        let store = Store::in_memory();
        let settle = async |place: &str| settle(&store, place.to_owned()).await.expect("asked");
        // Nothing is anywhere yet.
        assert_eq!(settle(DIRECTORY).await, Ok(()));
        assert_eq!(settle("s3://one").await, Ok(()));
        let blob = |tx: &mut Transaction<'_>| {
            tx.put::<Blobs>(&Global, &"sha256:0".to_owned(), &BlobRow { size: 1, damaged: false })
        };
        store.write::<_, StoreError, _>(blob).await.expect("written");
        assert_eq!(settle("s3://one").await, Ok(()));
        assert_eq!(settle(DIRECTORY).await, Err("s3://one".to_owned()));
        assert_eq!(settle("s3://two").await, Err("s3://one".to_owned()));
    }
}

#[cfg(test)]
pub(crate) mod suite {
    //! What every adapter has to do.

    use http_body_util::BodyExt;

    use super::*;

    async fn content(body: ResponseBody) -> Vec<u8> {
        body.collect().await.expect("read").to_bytes().to_vec()
    }

    fn upload(directory: &Path, bytes: &[u8]) -> Upload {
        let path = directory.join(Digest::sha256(bytes).hex());
        std::fs::write(&path, bytes).expect("written");
        Upload { path, size: bytes.len() as u64 }
    }

    /// Publishes, reads, removes; `sizes` are those at which the adapter works in another way.
    pub(crate) async fn blobs_come_and_go(store: &dyn BlobStore, uploads: &Path, sizes: &[usize]) {
        for size in [0, 1, 7].iter().chain(sizes) {
            let bytes: Vec<u8> = (0..251_u8).cycle().take(*size).collect();
            let (digest, length) = (Digest::sha256(&bytes), *size as u64);
            assert_eq!(store.size(&digest).await.expect("asked"), None);
            let missing = store.read(digest.clone(), length, 0, length).await;
            assert_eq!(missing.expect_err("absent").kind(), io::ErrorKind::NotFound);
            let one = upload(uploads, &bytes);
            store.prepare(&one.path).await.expect("prepared");
            store.publish(one.clone(), digest.clone()).await.expect("published");
            assert!(!one.path.exists());
            assert_eq!(store.size(&digest).await.expect("asked"), Some(length));
            let whole = store.read(digest.clone(), length, 0, length).await.expect("opened");
            assert!(content(whole).await == bytes, "{size} bytes");
            if length > 2 {
                let part = store.read(digest.clone(), length, 1, length - 2).await.expect("opened");
                assert!(content(part).await == bytes[1..*size - 1], "a part of {size} bytes");
            }
            let wrong = store.read(digest.clone(), length + 1, 0, length + 1).await;
            assert_eq!(wrong.expect_err("another size").kind(), io::ErrorKind::InvalidData);
            // The same blob once more.
            store.publish(upload(uploads, &bytes), digest.clone()).await.expect("published twice");
            let now = SystemTime::now() + std::time::Duration::from_mins(2);
            assert_eq!(store.older_than(60, now).await.expect("listed"), vec![digest.clone()]);
            assert_eq!(store.older_than(3600, now).await.expect("listed"), Vec::new());
            store.remove(digest.clone(), None).await.expect("removed");
            store.remove(digest.clone(), None).await.expect("removed twice");
            assert_eq!(store.size(&digest).await.expect("asked"), None);
        }
    }
}
