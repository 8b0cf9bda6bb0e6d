//! Blobs and manifests whose bytes are not what was pushed: found when they are read back, marked so that nobody is handed them
//! as if they were good, and mended by a push.
//!
//! To whoever asks whether something marked is there, the answer is no: so clients push it again. Whoever fetches it is told.

use std::io::ErrorKind;

use http_body_util::BodyExt as _;
use rookery_store::{Global, Read, Scan, StoreError, Transaction};
use serde::Serialize;

use crate::Registry;
use crate::digest::{Digest, Hasher};
use crate::errors::Error;
use crate::names::{RegistryId, Repository};
use crate::storage::BlobStore;
use crate::tables::{BlobRow, Blobs, ContentKey, Contents, Holders, ManifestRow, Manifests, content_key};

/// What is wrong with some content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Damage {
    /// The bytes hash to something else.
    Rotten,
    /// There are more or fewer bytes than were pushed.
    WrongSize,
    /// There is nothing.
    Missing,
    /// The disk does not give the bytes.
    Unreadable,
}

impl Damage {
    /// Whether it stays until somebody pushes the blob again. What the disk does not give now it may give later.
    pub(crate) fn lasts(self) -> bool {
        self != Self::Unreadable
    }
}

/// Reads a blob of `size` bytes back, whole. `None` when it is what was pushed.
pub(crate) async fn examine(blobs: &dyn BlobStore, digest: &Digest, size: u64) -> Option<Damage> {
    let error = match hash(blobs, digest, size).await {
        Ok(actual) => return (actual != *digest).then_some(Damage::Rotten),
        Err(error) => error,
    };
    Some(match error.kind() {
        ErrorKind::NotFound => Damage::Missing,
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof => Damage::WrongSize,
        _ => {
            tracing::error!(%digest, %error, "a blob cannot be read");
            Damage::Unreadable
        }
    })
}

/// Hashes on a thread that may be busy, one frame after the other.
async fn hash(blobs: &dyn BlobStore, digest: &Digest, size: u64) -> std::io::Result<Digest> {
    let mut body = blobs.read(digest.clone(), size, 0, size).await?;
    let mut hasher = Hasher::new(digest.algorithm());
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            let update = move || {
                hasher.update(&data);
                hasher
            };
            hasher = tokio::task::spawn_blocking(update).await.map_err(std::io::Error::other)?;
        }
    }
    Ok(hasher.finish())
}

/// Whether a blob is marked.
pub(crate) fn is_damaged(read: &impl Read, digest: &Digest) -> Result<bool, StoreError> {
    Ok(read.get::<Blobs>(&Global, digest.as_str())?.is_some_and(|row| row.damaged))
}

/// Marks a blob, or takes the mark back.
pub(crate) fn mark(tx: &mut Transaction<'_>, digest: &Digest, damaged: bool) -> Result<(), StoreError> {
    let key = digest.to_string();
    if let Some(row) = tx.get::<Blobs>(&Global, &key)? {
        tx.put::<Blobs>(&Global, &key, &BlobRow { damaged, ..row })?;
    }
    Ok(())
}

/// Whether the bytes of a manifest are not what was pushed; marks it, or takes the mark back. One that is gone is not damaged.
pub(crate) fn examine_manifest(
    tx: &mut Transaction<'_>,
    key: &ContentKey,
    digest: &Digest,
) -> Result<bool, StoreError> {
    let Some(text) = tx.get::<Contents>(&Global, key)? else { return Ok(false) };
    let damaged = Digest::of(digest.algorithm(), text.as_bytes()) != *digest;
    if let Some(row) = tx.get::<Manifests>(&Global, key)?
        && row.damaged != damaged
    {
        if damaged {
            tracing::error!(%digest, "a manifest is damaged; it is not handed out until it is pushed again");
        }
        tx.put::<Manifests>(&Global, key, &ManifestRow { damaged, ..row })?;
    }
    Ok(damaged)
}

/// All repositories that hold a blob.
pub(crate) fn holders(read: &impl Read, digest: &Digest) -> Result<Vec<Repository>, Error> {
    let held = read.scan_index::<Holders>(Scan::all().prefix(digest.as_str()))?;
    let repository = |(_, (registry, name, _), _)| Ok(Repository::new(RegistryId::new(registry), name)?);
    held.into_iter().map(repository).collect()
}

impl Registry {
    /// Reads a blob back while nobody publishes or removes it, and notes what was found. `None` when it is whole or was collected.
    pub(crate) async fn examine_again(&self, digest: &Digest) -> Result<Option<Damage>, Error> {
        let _alone = self.inner.locks.lock(digest).await;
        let row = self.inner.store.read(|view| view.get::<Blobs>(&Global, digest.as_str()))?;
        let Some(row) = row else { return Ok(None) };
        let damage = examine(&*self.inner.blobs, digest, row.size).await;
        let damaged = damage.is_some_and(Damage::lasts) || (row.damaged && damage.is_some());
        if damaged != row.damaged {
            if damaged {
                tracing::error!(%digest, ?damage, "a blob is damaged; it is not handed out until it is pushed again");
            }
            while !self.note(digest, damaged).await? {}
        }
        Ok(damage)
    }

    /// Reads a manifest back while nobody changes it, and notes what was found; says whether it is damaged.
    pub(crate) async fn examine_manifest(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<bool, Error> {
        let (key, digest) = (content_key(repository, digest.as_str()), digest.clone());
        self.change([repository], move |tx| Ok(examine_manifest(tx, &key, &digest)?)).await
    }

    /// Marks a blob for all that hold it. `false` when one more repository was given it meanwhile.
    async fn note(&self, digest: &Digest, damaged: bool) -> Result<bool, Error> {
        let known = self.inner.store.read(|view| holders(view, digest))?;
        let (digest, expected) = (digest.clone(), known.clone());
        let write = move |tx: &mut Transaction<'_>| {
            // What pulls remember is forgotten only for the repositories that were named.
            let complete = holders(tx, &digest)?.iter().all(|holder| expected.contains(holder));
            if complete {
                mark(tx, &digest, damaged)?;
            }
            Ok(complete)
        };
        self.change(&known, write).await
    }
}
