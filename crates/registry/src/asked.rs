//! What clients were told is there, and so may name in a manifest without sending it: the collector leaves that alone.
//!
//! An answer and a sweep may meet. Every transaction that drops something looks at the notes while it runs, and carries a
//! mark from before it is queued until after its commit. Whoever answers reads, notes, and then looks at the marks: if one
//! was set or taken away since before the read, the answer is read again behind all queued transactions. So either the
//! transaction saw the note, or the answer saw the transaction.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rookery_store::{Global, Read, Transaction};
use time::OffsetDateTime;

use crate::Registry;
use crate::cache::Generations;
use crate::digest::Digest;
use crate::errors::Error;
use crate::manifests::ManifestInfo;
use crate::names::{Reference, Repository};
use crate::tables::{Links, Manifests, Moment, content_key};

/// How many answers are remembered, and as many older ones.
const NOTES: usize = 32 * 1024;

/// Notes are spread over so many locks.
const SHARDS: usize = 16;

/// The notes and the marks.
pub(crate) struct Asked {
    /// By two independent hashes of repository and digest: if two things ever share both, one stays a little longer.
    notes: Vec<Generations<(u64, u64), Moment>>,
    spread: (RandomState, RandomState),
    /// Odd while a sweep drops something; there is one sweep at a time.
    epoch: AtomicU64,
}

/// The mark of a sweep.
pub(crate) struct Sweeping(Arc<Asked>);

impl Drop for Sweeping {
    fn drop(&mut self) {
        self.0.epoch.fetch_add(1, Ordering::SeqCst);
    }
}

impl Asked {
    pub(crate) fn new() -> Self {
        Self {
            notes: (0..SHARDS).map(|_| Generations::new(NOTES / SHARDS)).collect(),
            spread: (RandomState::new(), RandomState::new()),
            epoch: AtomicU64::new(0),
        }
    }

    fn place(&self, registry: &str, name: &str, digest: &str) -> (u64, u64) {
        let key = (registry, name, digest);
        (self.spread.0.hash_one(key), self.spread.1.hash_one(key))
    }

    fn shard(&self, place: (u64, u64)) -> Option<&Generations<(u64, u64), Moment>> {
        self.notes.get(usize::try_from(place.0 % (SHARDS as u64)).unwrap_or_default())
    }

    fn note(&self, repository: &Repository, digest: &Digest, now: OffsetDateTime) {
        let place = self.place(repository.registry().as_str(), repository.name(), digest.as_str());
        if let Some(shard) = self.shard(place) {
            shard.insert(place, now.into());
        }
    }

    /// Whether somebody was told after `before` that it is there.
    pub(crate) fn since(&self, registry: &str, name: &str, digest: &str, before: Moment) -> bool {
        let place = self.place(registry, name, digest);
        self.shard(place).and_then(|shard| shard.get(&place)).is_some_and(|at| at > before)
    }

    /// Marks a transaction that drops things; to be taken before it is queued, and owned by its closure.
    pub(crate) fn sweeping(self: &Arc<Self>) -> Sweeping {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        Sweeping(Arc::clone(self))
    }

    fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    fn is_overtaken(&self, epoch: u64) -> bool {
        epoch % 2 == 1 || self.epoch() != epoch
    }
}

impl Registry {
    /// The length of a blob for a client that may go on to name it in a manifest. `None` when the repository does not hold it.
    pub(crate) async fn promise_blob(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Option<u64>, Error> {
        let epoch = self.inner.asked.epoch();
        let Some(size) = self.pulled_size(repository, digest)? else { return Ok(None) };
        self.inner.asked.note(repository, digest, self.inner.world.now());
        if !self.inner.asked.is_overtaken(epoch) {
            return Ok(Some(size));
        }
        let key = content_key(repository, digest.as_str());
        let again = move |tx: &mut Transaction<'_>| Ok(tx.get::<Links>(&Global, &key)?.map(|link| link.size));
        self.inner.store.write(again).await
    }

    /// Whether a manifest that was just found is still there, for a client that may go on to name it in an index.
    pub(crate) async fn promise_manifest(
        &self,
        repository: &Repository,
        digest: &Digest,
        epoch: u64,
    ) -> Result<bool, Error> {
        self.inner.asked.note(repository, digest, self.inner.world.now());
        if !self.inner.asked.is_overtaken(epoch) {
            return Ok(true);
        }
        let key = content_key(repository, digest.as_str());
        let again = move |tx: &mut Transaction<'_>| Ok(tx.contains::<Manifests>(&Global, &key)?);
        self.inner.store.write(again).await
    }

    /// To be taken before a manifest is looked up that is then promised.
    pub(crate) fn promise_epoch(&self) -> u64 {
        self.inner.asked.epoch()
    }

    /// As [`Registry::manifest_info`], for a caller that goes on to name the manifest or its blobs in what it pushes: a
    /// collection leaves it alone as if it had just been pushed.
    pub async fn manifest_to_name(
        &self,
        repository: &Repository,
        reference: &Reference,
    ) -> Result<Option<ManifestInfo>, Error> {
        let epoch = self.promise_epoch();
        let Some(info) = self.manifest_info(repository, reference)? else { return Ok(None) };
        Ok(self.promise_manifest(repository, &info.digest, epoch).await?.then_some(info))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::RegistryId;

    #[test]
    fn notes_count_from_their_moment() {
        let (asked, now) = (Asked::new(), OffsetDateTime::UNIX_EPOCH + time::Duration::HOUR);
        let repository = Repository::new(RegistryId::new("one"), "a/b").expect("valid");
        let digest = Digest::sha256(b"blob");
        asked.note(&repository, &digest, now);
        let since = |name, before| asked.since("one", name, digest.as_str(), Moment::from(before));
        assert!(since("a/b", now - time::Duration::SECOND));
        assert!(!since("a/b", now));
        assert!(!since("a/c", now - time::Duration::SECOND));
    }

    #[test]
    fn sweeps_overtake() {
        let asked = Arc::new(Asked::new());
        let before = asked.epoch();
        assert!(!asked.is_overtaken(before));
        let sweep = asked.sweeping();
        assert!(asked.is_overtaken(before) && asked.is_overtaken(asked.epoch()));
        drop(sweep);
        assert!(asked.is_overtaken(before) && !asked.is_overtaken(asked.epoch()));
    }
}
