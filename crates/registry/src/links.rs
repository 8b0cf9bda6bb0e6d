//! The blobs of a repository: publishing, mounting, reading, letting go. A link row is the only right to a blob.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::sync::Arc;

use bytes::Bytes;
use rookery_store::{Global, Read, Transaction};
use time::{Duration, OffsetDateTime};
use tokio::task::spawn_blocking;

use crate::Registry;
use crate::digest::Digest;
use crate::errors::Error;
use crate::names::{RegistryId, Repository};
use crate::tables::{BlobRow, Blobs, Holders, LinkRow, Links, content_key};
use crate::uploads::{Verified, discard};
use crate::usage::Ledger;

/// Blobs up to this many bytes are read at once, and kept in memory while they are asked for.
pub(crate) const SMALL_BLOB: u64 = 64 * 1024;

/// A link younger than this is not written again when the same blob is pushed once more.
const FRESH: Duration = Duration::seconds(60);

/// A blob opened for reading.
pub(crate) enum OpenBlob {
    Small(Bytes),
    Large(File),
}

impl Registry {
    /// Stores a blob whose bytes are in memory, and links it to the repository.
    pub async fn put_blob(&self, repository: &Repository, bytes: Bytes) -> Result<Digest, Error> {
        let staged = self.inner.uploads.stage(&self.inner.world.uuid().to_string(), bytes).await?;
        let digest = staged.digest.clone();
        self.publish(repository, staged, false).await?;
        Ok(digest)
    }

    /// The length in bytes of a blob that the repository holds. `None` when it does not hold it.
    pub fn blob_size(&self, repository: &Repository, digest: &Digest) -> Result<Option<u64>, Error> {
        let key = content_key(repository, digest.as_str());
        let link = self.inner.store.read(|view| view.get::<Links>(&Global, &key))?;
        Ok(link.map(|link| link.size))
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
        match self.open_blob(digest, size).await? {
            Some(OpenBlob::Small(bytes)) => Ok(Some(bytes)),
            Some(OpenBlob::Large(file)) => spawn_blocking(move || read_whole(file, size))
                .await?
                .map(Some)
                .map_err(Error::disk("reading a blob")),
            None => Ok(None),
        }
    }

    /// Makes a blob of `source` readable in `target`, without copying it; `false` when the source does not hold it. The product may
    /// refuse it ([`Hooks::accept_blob`](crate::Hooks::accept_blob)).
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
    /// row is durable before this returns.
    pub(crate) async fn publish(
        &self,
        repository: &Repository,
        upload: Verified,
        by_client: bool,
    ) -> Result<(), Error> {
        let Verified { path, size, digest } = upload;
        let known = self.is_stored(&digest, size).await?;
        if !known {
            let synced = path.clone();
            spawn_blocking(move || File::open(synced)?.sync_data())
                .await?
                .map_err(Error::disk("making a blob durable"))?;
        }
        let _published = self.inner.directory.lock(&digest).await;
        if self.is_stored(&digest, size).await? {
            discard(path).await?;
        } else {
            let (directory, place) = (self.inner.directory.clone(), digest.clone());
            spawn_blocking(move || {
                // The collector may have taken the known blob away meanwhile: then this copy is not durable yet.
                if known {
                    File::open(&path)?.sync_data()?;
                }
                directory.publish(&path, &place)
            })
            .await?
            .map_err(Error::disk("publishing a blob"))?;
        }
        self.link(repository, &digest, size, by_client).await
    }

    /// Whether the blob is there, in the store and on the disk.
    async fn is_stored(&self, digest: &Digest, size: u64) -> Result<bool, Error> {
        if !self.inner.store.read(|view| view.contains::<Blobs>(&Global, digest.as_str()))? {
            return Ok(false);
        }
        let path = self.inner.directory.path(digest);
        let metadata = spawn_blocking(move || std::fs::metadata(path)).await?;
        Ok(metadata.is_ok_and(|metadata| metadata.len() == size))
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
                    && view.contains::<Blobs>(&Global, text.as_str())?,
            )
        })?;
        if fresh {
            return Ok(());
        }
        let (repository, hooks) = (repository.clone(), Arc::clone(&self.inner.hooks));
        let blob = digest.clone();
        let write = move |tx: &mut Transaction<'_>| {
            tx.insert::<Blobs>(&Global, &text, &BlobRow { size })?;
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

    /// Opens a blob whose link the caller has seen. `None` when it was collected in this moment.
    pub(crate) async fn open_blob(&self, digest: &Digest, size: u64) -> Result<Option<OpenBlob>, Error> {
        let small = size <= SMALL_BLOB;
        if small && let Some(bytes) = self.inner.contents.get(digest) {
            return Ok(Some(OpenBlob::Small(bytes)));
        }
        let (directory, wanted) = (self.inner.directory.clone(), digest.clone());
        let opened = spawn_blocking(move || {
            let (file, actual) = directory.open_blob(&wanted)?;
            if actual != size {
                return Err(ErrorKind::InvalidData.into());
            }
            if small { read_whole(file, size).map(OpenBlob::Small) } else { Ok(OpenBlob::Large(file)) }
        })
        .await?;
        match opened {
            Ok(blob) => {
                if let OpenBlob::Small(bytes) = &blob {
                    self.inner.contents.insert_weighing(digest.clone(), bytes.clone(), bytes.len());
                }
                Ok(Some(blob))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == ErrorKind::InvalidData => Err(Error::Damaged(digest.to_string())),
            Err(source) => Err(Error::Disk { doing: "opening a blob", source }),
        }
    }
}

fn is_fresh(link: &LinkRow, now: OffsetDateTime) -> bool {
    now - OffsetDateTime::from(link.linked_at) < FRESH
}

fn read_whole(file: File, size: u64) -> std::io::Result<Bytes> {
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    file.take(size).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == size { Ok(bytes.into()) } else { Err(ErrorKind::InvalidData.into()) }
}
