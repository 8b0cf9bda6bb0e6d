//! What pulls ask for again and again, kept in memory: which manifest a reference names, how long a linked blob is.
//!
//! Nothing here outlives the truth. Whoever changes a repository marks it before its transaction is queued; that forgets all
//! of the repository and keeps anything from being remembered. The mark belongs to the transaction's closure, which the
//! store drops after the commit, whatever becomes of the caller; from there on every read sees the new state. What was read
//! from the store is remembered only if no mark was set or taken away since before the read.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use parking_lot::Mutex;
use rookery_store::Transaction;

use crate::Registry;
use crate::digest::Digest;
use crate::errors::Error;
use crate::manifests::ManifestInfo;
use crate::names::{Reference, Repository};
use crate::ranges::VALIDATOR;
use crate::serve::DOCKER_CONTENT_DIGEST;

/// Repositories are spread over so many locks.
const SHARDS: usize = 32;

/// Entries of one shard; when there are more, it begins anew.
const ENTRIES: usize = 256;

/// A manifest as a pull needs it: everything but the bytes.
#[derive(Debug)]
pub(crate) struct Pulled {
    pub(crate) digest: Digest,
    /// The validator, quotes included.
    pub(crate) etag: String,
    /// Of a whole answer: type, length, digest and validator.
    pub(crate) headers: HeaderMap,
    /// Whether the bytes are known to be no longer what was pushed.
    pub(crate) damaged: bool,
}

impl Pulled {
    fn new(info: ManifestInfo) -> Self {
        let etag = format!("\"{}\"", info.digest);
        let mut headers = HeaderMap::with_capacity(8);
        let texts = [
            (CONTENT_TYPE, info.media_type.as_str()),
            (DOCKER_CONTENT_DIGEST, info.digest.as_str()),
            (VALIDATOR, &etag),
        ];
        for (name, text) in texts {
            // All were held to a grammar before; what is no header value after all is left out.
            if let Ok(value) = HeaderValue::from_str(text) {
                headers.insert(name, value);
            }
        }
        headers.insert(CONTENT_LENGTH, HeaderValue::from(info.size));
        Self { digest: info.digest, etag, headers, damaged: info.damaged }
    }
}

#[derive(Default)]
struct Known {
    manifests: HashMap<Reference, Arc<Pulled>>,
    /// Lengths in bytes.
    blobs: HashMap<Digest, u64>,
}

#[derive(Default)]
struct Shard {
    known: HashMap<Repository, Known>,
    entries: usize,
    /// How many changes are under way.
    changing: usize,
    /// Grows whenever a change begins or ends.
    epoch: u64,
}

impl Shard {
    fn forget(&mut self, repository: &Repository) {
        if let Some(known) = self.known.remove(repository) {
            self.entries -= known.manifests.len() + known.blobs.len();
        }
    }
}

/// The memory.
pub(crate) struct Pulls {
    shards: Vec<Mutex<Shard>>,
    spread: RandomState,
}

/// Taken before the store is read: says whether what was read may be remembered.
#[derive(Clone, Copy)]
struct Since(u64);

/// A change under way; see the module.
pub(crate) struct Changing {
    pulls: Arc<Pulls>,
    repository: Repository,
}

impl Drop for Changing {
    fn drop(&mut self) {
        if let Some(shard) = self.pulls.shard(&self.repository) {
            let mut shard = shard.lock();
            shard.changing -= 1;
            shard.epoch += 1;
        }
    }
}

impl Pulls {
    pub(crate) fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), spread: RandomState::new() }
    }

    /// Never `None`: there are as many shards as indexes.
    fn shard(&self, repository: &Repository) -> Option<&Mutex<Shard>> {
        let index = self.spread.hash_one(repository) % (SHARDS as u64);
        self.shards.get(usize::try_from(index).unwrap_or_default())
    }

    fn changing(self: &Arc<Self>, repository: &Repository) -> Changing {
        if let Some(shard) = self.shard(repository) {
            let mut shard = shard.lock();
            shard.changing += 1;
            shard.epoch += 1;
            shard.forget(repository);
        }
        Changing { pulls: Arc::clone(self), repository: repository.clone() }
    }

    /// What is known, else when it was asked for.
    fn look<T>(
        &self,
        repository: &Repository,
        find: impl FnOnce(&Known) -> Option<T>,
    ) -> Result<T, Option<Since>> {
        let shard = self.shard(repository).ok_or(None)?.lock();
        shard.known.get(repository).and_then(find).ok_or(Some(Since(shard.epoch)))
    }

    /// Remembers what was read after `since`. `keep` says whether the entry is new.
    fn keep(&self, repository: &Repository, since: Option<Since>, keep: impl FnOnce(&mut Known) -> bool) {
        let (Some(shard), Some(Since(epoch))) = (self.shard(repository), since) else { return };
        let mut shard = shard.lock();
        if shard.changing > 0 || shard.epoch != epoch {
            return;
        }
        if shard.entries >= ENTRIES {
            shard.known.clear();
            shard.entries = 0;
        }
        let new = keep(shard.known.entry(repository.clone()).or_default());
        shard.entries += usize::from(new);
    }
}

impl Registry {
    /// A transaction that changes or takes away what pulls from these repositories see. What only adds a link needs no such
    /// care: that something is absent is never remembered.
    pub(crate) async fn change<T, F>(
        &self,
        repositories: impl IntoIterator<Item = &Repository>,
        write: F,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Fn(&mut Transaction<'_>) -> Result<T, Error> + Send + 'static,
    {
        let marks: Vec<Changing> =
            repositories.into_iter().map(|repository| self.inner.pulls.changing(repository)).collect();
        let write = move |tx: &mut Transaction<'_>| {
            let _until_committed = &marks;
            write(tx)
        };
        self.inner.store.write(write).await
    }

    /// The manifest that `reference` names, for a pull. `None` when there is none.
    pub(crate) fn pulled(
        &self,
        repository: &Repository,
        reference: &Reference,
    ) -> Result<Option<Arc<Pulled>>, Error> {
        let pulls = &self.inner.pulls;
        let since = match pulls.look(repository, |known| known.manifests.get(reference).cloned()) {
            Ok(pulled) => return Ok(Some(pulled)),
            Err(since) => since,
        };
        let Some(info) = self.manifest_info(repository, reference)? else { return Ok(None) };
        let pulled = Arc::new(Pulled::new(info));
        pulls.keep(repository, since, |known| {
            known.manifests.insert(reference.clone(), Arc::clone(&pulled)).is_none()
        });
        Ok(Some(pulled))
    }

    /// The length in bytes of a blob that the repository holds, for a pull. `None` when it does not hold it.
    pub(crate) fn pulled_size(&self, repository: &Repository, digest: &Digest) -> Result<Option<u64>, Error> {
        let pulls = &self.inner.pulls;
        let since = match pulls.look(repository, |known| known.blobs.get(digest).copied()) {
            Ok(size) => return Ok(Some(size)),
            Err(since) => since,
        };
        let Some(size) = self.blob_size(repository, digest)? else { return Ok(None) };
        pulls.keep(repository, since, |known| known.blobs.insert(digest.clone(), size).is_none());
        Ok(Some(size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::RegistryId;

    fn repository(name: &str) -> Repository {
        Repository::new(RegistryId::new("one"), name).expect("valid")
    }

    fn size(pulls: &Pulls, repository: &Repository, blob: &Digest) -> Option<u64> {
        pulls.look(repository, |known| known.blobs.get(blob).copied()).ok()
    }

    /// Asks, and remembers `read` as what the store said.
    fn asked(pulls: &Pulls, repository: &Repository) -> Option<Since> {
        pulls.look(repository, |_| None::<()>).expect_err("unknown")
    }

    fn keep(pulls: &Pulls, repository: &Repository, since: Option<Since>, blob: &Digest, size: u64) {
        pulls.keep(repository, since, |known| known.blobs.insert(blob.clone(), size).is_none());
    }

    #[test]
    fn a_change_forgets_its_repository() {
        let (pulls, one, two) = (Arc::new(Pulls::new()), repository("a/one"), repository("a/two"));
        let blob = Digest::sha256(b"blob");
        for repository in [&one, &two] {
            keep(&pulls, repository, asked(&pulls, repository), &blob, 4);
            assert_eq!(size(&pulls, repository, &blob), Some(4));
        }
        drop(pulls.changing(&one));
        assert_eq!(size(&pulls, &one, &blob), None);
        assert_eq!(size(&pulls, &two, &blob), Some(4));
    }

    #[test]
    fn what_was_read_around_a_change_is_not_remembered() {
        let (pulls, one) = (Arc::new(Pulls::new()), repository("a/one"));
        let blob = Digest::sha256(b"blob");
        let before = asked(&pulls, &one);
        let change = pulls.changing(&one);
        keep(&pulls, &one, before, &blob, 1);
        let during = asked(&pulls, &one);
        keep(&pulls, &one, during, &blob, 2);
        let other = pulls.changing(&one);
        drop(change);
        keep(&pulls, &one, during, &blob, 3);
        keep(&pulls, &one, asked(&pulls, &one), &blob, 4);
        drop(other);
        keep(&pulls, &one, before, &blob, 5);
        assert_eq!(size(&pulls, &one, &blob), None);
        keep(&pulls, &one, asked(&pulls, &one), &blob, 6);
        assert_eq!(size(&pulls, &one, &blob), Some(6));
    }

    #[test]
    fn the_memory_is_bounded() {
        let (pulls, one) = (Arc::new(Pulls::new()), repository("a/one"));
        for number in 0..5 * ENTRIES {
            let blob = Digest::sha256(&number.to_be_bytes());
            keep(&pulls, &one, asked(&pulls, &one), &blob, 1);
            assert_eq!(size(&pulls, &one, &blob), Some(1));
            let shard = pulls.shard(&one).expect("a shard").lock();
            let kept: usize =
                shard.known.values().map(|known| known.manifests.len() + known.blobs.len()).sum();
            assert!(kept <= ENTRIES && kept == shard.entries);
        }
    }
}
