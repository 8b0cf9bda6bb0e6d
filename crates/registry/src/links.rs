//! The blobs of a repository: publishing, mounting, reading, letting go. A link row is the only right to a blob.

use std::io::ErrorKind;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use rookery_store::{Global, Read, Transaction};
use time::{Duration, OffsetDateTime};

use crate::Registry;
use crate::body::ResponseBody;
use crate::damage::is_damaged;
use crate::digest::Digest;
use crate::errors::Error;
use crate::names::{RegistryId, Repository};
use crate::storage::Upload;
use crate::tables::{BlobRow, Blobs, Holders, LinkRow, Links, content_key};
use crate::uploads::Verified;
use crate::usage::Ledger;

/// Blobs up to this many bytes are read at once, and kept in memory while they are asked for.
pub(crate) const SMALL_BLOB: u64 = 64 * 1024;

/// A link younger than this is not written again when the same blob is pushed once more.
const FRESH: Duration = Duration::seconds(60);

impl Registry {
    /// Stores a blob whose bytes are in memory, and links it to the repository.
    pub async fn put_blob(&self, repository: &Repository, bytes: Bytes) -> Result<Digest, Error> {
        let staged = self.inner.uploads.stage(&self.inner.world.uuid().to_string(), bytes).await?;
        let digest = staged.digest.clone();
        self.publish(repository, staged, false).await?;
        Ok(digest)
    }

    /// The length in bytes of a blob that the repository holds. `None` when it does not hold it; [`Error::Damaged`] when its bytes
    /// are known to be no longer what was pushed.
    pub fn blob_size(&self, repository: &Repository, digest: &Digest) -> Result<Option<u64>, Error> {
        let key = content_key(repository, digest.as_str());
        self.inner.store.read(|view| {
            let Some(link) = view.get::<Links>(&Global, &key)? else { return Ok(None) };
            if is_damaged(view, digest)? {
                return Err(Error::Damaged(digest.to_string()));
            }
            Ok(Some(link.size))
        })
    }

    /// The bytes of a blob that the repository holds, if it has no more than `limit` bytes. `None` when the repository does
    /// not hold it; [`Error::SizeInvalid`] when it is longer.
    pub async fn blob(
        &self,
        repository: &Repository,
        digest: &Digest,
        limit: u64,
    ) -> Result<Option<Bytes>, Error> {
        let Some(size) = self.blob_size(repository, digest)? else { return Ok(None) };
        if size > limit {
            return Err(Error::SizeInvalid);
        }
        let Some(body) = self.read_blob(digest, size, 0, size).await? else { return Ok(None) };
        let bytes = body.collect().await.map_err(Error::disk("reading a blob"))?;
        Ok(Some(bytes.to_bytes()))
    }

    /// Makes a blob of `source` readable in `target`, without copying it; `false` when the source does not hold it, or holds bytes that
    /// are damaged: then it has to be pushed. The product may refuse it ([`Hooks::accept_blob`](crate::Hooks::accept_blob)).
    pub async fn mount_blob(
        &self,
        source: &Repository,
        target: &Repository,
        digest: &Digest,
    ) -> Result<bool, Error> {
        let (source, target, digest) = (source.clone(), target.clone(), digest.clone());
        let (now, hooks) = (self.inner.world.now(), Arc::clone(&self.inner.hooks));
        let write = move |tx: &mut Transaction<'_>| {
            let link = tx.get::<Links>(&Global, &content_key(&source, digest.as_str()))?;
            let Some(LinkRow { size, .. }) = link else { return Ok(false) };
            if is_damaged(tx, &digest)? {
                return Ok(false);
            }
            let mut ledger = Ledger::default();
            let (key, row) = (content_key(&target, digest.as_str()), LinkRow { size, linked_at: now.into() });
            let new = !tx.contains::<Links>(&Global, &key)?;
            ledger.put_link(tx, &key, &row)?;
            ledger.post(tx, &target)?;
            if new {
                hooks.accept_blob(tx, &target, &digest, size)?;
            }
            Ok(true)
        };
        self.inner.store.write(write).await
    }

    /// Takes a blob from the repository only; others keep it. [`Error::BlobUnknown`] when the repository does not hold it.
    pub async fn unlink_blob(&self, repository: &Repository, digest: &Digest) -> Result<(), Error> {
        let (digest, key) = (digest.clone(), content_key(repository, digest.as_str()));
        let changed = repository.clone();
        let write = move |tx: &mut Transaction<'_>| {
            let mut ledger = Ledger::default();
            if !ledger.delete_link(tx, &key)? {
                return Err(Error::BlobUnknown(digest.clone()));
            }
            Ok(ledger.post(tx, &changed)?)
        };
        self.change([repository], write).await
    }

    /// At most `limit` repositories of the registry that hold the blob.
    pub(crate) fn holders(
        &self,
        registry: &RegistryId,
        digest: &Digest,
        limit: usize,
    ) -> Result<Vec<Repository>, Error> {
        let value = (digest.to_string(), registry.to_string());
        let found = self.inner.store.read(|view| view.find_all::<Holders>(&value, limit))?;
        let repository = |(_, (_, name, _), _)| Ok(Repository::new(registry.clone(), name)?);
        found.into_iter().map(repository).collect()
    }

    /// Gives a verified upload its place and links it to the repository. The bytes are durable before the row is, and the
    /// row is durable before this returns. Bytes that are there already are replaced: only those that just came are known to
    /// be good.
    pub(crate) async fn publish(
        &self,
        repository: &Repository,
        upload: Verified,
        by_client: bool,
    ) -> Result<(), Error> {
        let Verified { path, size, digest } = upload;
        self.inner.blobs.prepare(&path).await.map_err(Error::disk("making a blob durable"))?;
        let _published = self.inner.locks.lock(&digest).await;
        let published = self.inner.blobs.publish(Upload { path, size }, digest.clone()).await;
        published.map_err(Error::disk("publishing a blob"))?;
        self.link(repository, &digest, size, by_client).await
    }

    async fn link(
        &self,
        repository: &Repository,
        digest: &Digest,
        size: u64,
        by_client: bool,
    ) -> Result<(), Error> {
        let now = self.inner.world.now();
        let (key, text) = (content_key(repository, digest.as_str()), digest.to_string());
        let fresh = self.inner.store.read(|view| {
            let link = view.get::<Links>(&Global, &key)?;
            Ok::<_, Error>(
                link.is_some_and(|link| is_fresh(&link, now))
                    && view.get::<Blobs>(&Global, text.as_str())?.is_some_and(|blob| !blob.damaged),
            )
        })?;
        if fresh {
            return Ok(());
        }
        let (repository, hooks) = (repository.clone(), Arc::clone(&self.inner.hooks));
        let blob = digest.clone();
        let write = move |tx: &mut Transaction<'_>| {
            // Also over a row that says that the bytes were damaged: they are good again.
            tx.put::<Blobs>(&Global, &text, &BlobRow { size, damaged: false })?;
            let new = !tx.contains::<Links>(&Global, &key)?;
            let mut ledger = Ledger::default();
            ledger.put_link(tx, &key, &LinkRow { size, linked_at: now.into() })?;
            ledger.post(tx, &repository)?;
            // What the product writes itself it does not refuse.
            if new && by_client {
                hooks.accept_blob(tx, &repository, &blob, size)?;
            }
            Ok(())
        };
        self.inner.store.write(write).await
    }

    /// A part of a blob whose link the caller has seen. `None` when it was collected in this moment. Bytes that turn out to be
    /// missing or damaged are looked at again, and marked.
    pub(crate) async fn read_blob(
        &self,
        digest: &Digest,
        size: u64,
        start: u64,
        length: u64,
    ) -> Result<Option<ResponseBody>, Error> {
        let read = self.read_stored(digest, size, start, length).await;
        if matches!(read, Ok(None) | Err(Error::Damaged(_))) && self.examine_again(digest).await?.is_some() {
            return Err(Error::Damaged(digest.to_string()));
        }
        read
    }

    async fn read_stored(
        &self,
        digest: &Digest,
        size: u64,
        start: u64,
        length: u64,
    ) -> Result<Option<ResponseBody>, Error> {
        if size > SMALL_BLOB {
            return read_part(self.inner.blobs.read(digest.clone(), size, start, length).await, digest);
        }
        let bytes = if let Some(bytes) = self.inner.contents.get(digest) {
            bytes
        } else {
            let read = self.inner.blobs.read(digest.clone(), size, 0, size).await;
            let Some(body) = read_part(read, digest)? else { return Ok(None) };
            let bytes = body.collect().await.map_err(Error::disk("reading a blob"))?.to_bytes();
            // It is short and then kept in memory: what is handed out of there again and again is right.
            if Digest::of(digest.algorithm(), &bytes) != *digest {
                return Err(Error::Damaged(digest.to_string()));
            }
            self.inner.contents.insert_weighing(digest.clone(), bytes.clone(), bytes.len());
            bytes
        };
        // Blobs of this kind are far shorter than a usize can count.
        let start = usize::try_from(start).unwrap_or(bytes.len()).min(bytes.len());
        let end = start.saturating_add(usize::try_from(length).unwrap_or(0)).min(bytes.len());
        Ok(Some(ResponseBody::bytes(bytes.slice(start..end))))
    }
}

fn read_part(read: std::io::Result<ResponseBody>, digest: &Digest) -> Result<Option<ResponseBody>, Error> {
    match read {
        Ok(body) => Ok(Some(body)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == ErrorKind::InvalidData => Err(Error::Damaged(digest.to_string())),
        Err(source) => Err(Error::Disk { doing: "opening a blob", source }),
    }
}

fn is_fresh(link: &LinkRow, now: OffsetDateTime) -> bool {
    now - OffsetDateTime::from(link.linked_at) < FRESH
}
