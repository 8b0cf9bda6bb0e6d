//! Giving space back: what nothing names any more goes, while pushes go on.
//!
//! Every decision is taken again inside the transaction that acts on it, so a push at the same time either is seen or
//! comes after. What was pushed, mounted or asked for lately is left alone: a manifest may be about to name it.

use std::sync::Arc;
use std::time::SystemTime;

use rookery_store::{Global, Read, Scan, StoreError, Transaction};
use time::{Duration, OffsetDateTime};
use tokio::task::spawn_blocking;

use crate::Registry;
use crate::digest::Digest;
use crate::errors::Error;
use crate::hooks::Origin;
use crate::manifests::{is_referenced, remove_manifest};
use crate::names::{RegistryId, Repository};
use crate::tables::{
    Blobs, ContentKey, Holders, LinkRow, Links, ManifestRow, Manifests, Moment, TagsOf, content_key,
};

/// Rows looked at in one snapshot.
const BATCH: usize = 500;

/// What a collection may take.
#[derive(Debug, Clone, Copy)]
pub struct CollectOptions {
    /// Nothing younger is taken. Below the time that a client needs from its first blob to its manifest, running pushes
    /// can fail with `MANIFEST_BLOB_UNKNOWN`.
    pub older_than: Duration,
    /// Whether to delete manifests that no tag, no index and no subject keeps.
    pub untagged_manifests: bool,
    /// Only say what would go. Content that would be freed only by the deletions is not counted.
    pub dry_run: bool,
}

/// What a collection took, or would take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Collected {
    /// Manifests deleted.
    pub manifests: u64,
    /// Blobs taken from a repository in which no manifest names them.
    pub links: u64,
    /// Blobs removed from the disk because no repository holds them.
    pub blobs: u64,
    /// Bytes of the removed blobs.
    pub bytes: u64,
}

impl Registry {
    /// Collects what is unused: manifests and links of the given registry, then the blobs that no registry holds.
    pub async fn collect(&self, registry: &RegistryId, options: CollectOptions) -> Result<Collected, Error> {
        let mut collected = Collected::default();
        let before = Moment::from(self.inner.world.now() - options.older_than);
        if options.untagged_manifests {
            // An index that goes frees its children, so passes are made until one finds nothing.
            loop {
                let gone = self.collect_manifests(registry, before, options.dry_run).await?;
                collected.manifests += gone;
                if gone == 0 || options.dry_run {
                    break;
                }
            }
        }
        collected.links = self.collect_links(registry, before, options.dry_run).await?;
        let (blobs, bytes) = self.collect_blobs(options.dry_run).await?;
        (collected.blobs, collected.bytes) = (blobs, bytes);
        if !options.dry_run {
            self.collect_orphans(options.older_than).await?;
        }
        Ok(collected)
    }

    async fn collect_manifests(
        &self,
        registry: &RegistryId,
        before: Moment,
        dry_run: bool,
    ) -> Result<u64, Error> {
        let (mut gone, mut last) = (0, None);
        loop {
            let scan = page(registry, last.as_ref());
            let rows = self.inner.store.read(|view| view.scan::<Manifests>(&Global, scan))?;
            let Some((key, _)) = rows.last() else { return Ok(gone) };
            last = Some(key.clone());
            for ((_, name, digest), row) in rows {
                let (repository, digest): (_, Digest) =
                    (Repository::new(registry.clone(), name)?, digest.parse()?);
                let unused = self
                    .inner
                    .store
                    .read(|view| is_unused_manifest(view, &repository, &digest, &row, before))?;
                if !unused {
                    continue;
                }
                gone += if dry_run {
                    1
                } else {
                    u64::from(self.drop_manifest(repository, digest, before).await?)
                };
            }
        }
    }

    async fn drop_manifest(
        &self,
        repository: Repository,
        digest: Digest,
        before: Moment,
    ) -> Result<bool, Error> {
        let (hooks, changed) = (Arc::clone(&self.inner.hooks), repository.clone());
        let write = move |tx: &mut Transaction<'_>| {
            let row = tx.get::<Manifests>(&Global, &content_key(&repository, digest.as_str()))?;
            let Some(row) = row else { return Ok(false) };
            Ok(is_unused_manifest(tx, &repository, &digest, &row, before)?
                && remove_manifest(tx, &*hooks, &repository, &digest, &Origin::Internal)?)
        };
        match self.change([&changed], write).await {
            // What the product holds on to stays; the rest of the collection goes on.
            Err(Error::Refused(refusal)) if refusal.status.is_client_error() => Ok(false),
            outcome => outcome,
        }
    }

    async fn collect_links(
        &self,
        registry: &RegistryId,
        before: Moment,
        dry_run: bool,
    ) -> Result<u64, Error> {
        let (mut gone, mut last) = (0, None);
        loop {
            let scan = page(registry, last.as_ref());
            let rows = self.inner.store.read(|view| view.scan::<Links>(&Global, scan))?;
            let Some((key, _)) = rows.last() else { return Ok(gone) };
            last = Some(key.clone());
            let mut unused = Vec::new();
            for (key, row) in rows {
                let asked = self.inner.asked_for.get(&key).is_some_and(|at| at > before);
                if !asked && self.inner.store.read(|view| is_unused_link(view, &key, &row, before))? {
                    unused.push(key);
                }
            }
            gone += if dry_run { unused.len() as u64 } else { self.drop_links(unused, before).await? };
        }
    }

    async fn drop_links(&self, keys: Vec<ContentKey>, before: Moment) -> Result<u64, Error> {
        if keys.is_empty() {
            return Ok(0);
        }
        let mut changed = Vec::new();
        for (registry, name, _) in &keys {
            // In the order of the scan, so those of one repository lie together.
            if changed.last().is_none_or(|last: &Repository| last.name() != name) {
                changed.push(Repository::new(RegistryId::new(registry.clone()), name.clone())?);
            }
        }
        let write = move |tx: &mut Transaction<'_>| {
            let mut gone = 0;
            for key in &keys {
                let Some(row) = tx.get::<Links>(&Global, key)? else { continue };
                if is_unused_link(tx, key, &row, before)? {
                    tx.delete::<Links>(&Global, key)?;
                    gone += 1;
                }
            }
            Ok(gone)
        };
        self.change(&changed, write).await
    }

    /// Blobs without any holder, of whatever registry. Returns how many, and their bytes.
    async fn collect_blobs(&self, dry_run: bool) -> Result<(u64, u64), Error> {
        let (mut gone, mut bytes, mut last) = (0, 0, None::<String>);
        loop {
            let scan = Scan::all().limit(BATCH);
            let scan = match &last {
                Some(last) => scan.after(last),
                None => scan,
            };
            let rows = self.inner.store.read(|view| view.scan::<Blobs>(&Global, scan))?;
            let Some((key, _)) = rows.last() else { return Ok((gone, bytes)) };
            last = Some(key.clone());
            for (digest, row) in rows {
                if self.inner.store.read(|view| is_held(view, &digest))? {
                    continue;
                }
                if dry_run || self.drop_blob(digest.parse()?).await? {
                    gone += 1;
                    bytes += row.size;
                }
            }
        }
    }

    /// The row first, then the file: a file without a row is invisible, a row without a file would be a lie.
    async fn drop_blob(&self, digest: Digest) -> Result<bool, Error> {
        let _alone = self.inner.directory.lock(&digest).await;
        let text = digest.to_string();
        let write =
            move |tx: &mut Transaction<'_>| Ok(!is_held(tx, &text)? && tx.delete::<Blobs>(&Global, &text)?);
        let dropped = self.inner.store.write::<_, Error, _>(write).await?;
        if dropped {
            self.remove_file(digest).await?;
        }
        Ok(dropped)
    }

    /// Files that a crash left between their rename and their row.
    async fn collect_orphans(&self, older_than: Duration) -> Result<(), Error> {
        let directory = self.inner.directory.clone();
        let now = SystemTime::from(self.inner.world.now());
        let age = older_than.whole_seconds().unsigned_abs();
        let files = spawn_blocking(move || directory.files_older_than(age, now))
            .await?
            .map_err(Error::disk("listing blobs"))?;
        for digest in files {
            let _alone = self.inner.directory.lock(&digest).await;
            let known = self.inner.store.read(|view| view.contains::<Blobs>(&Global, digest.as_str()))?;
            if !known {
                tracing::info!(%digest, "removing a blob file that no row names");
                self.remove_file(digest.clone()).await?;
            }
        }
        Ok(())
    }

    async fn remove_file(&self, digest: Digest) -> Result<(), Error> {
        self.inner.contents.remove(&digest);
        let directory = self.inner.directory.clone();
        spawn_blocking(move || directory.remove(&digest)).await?.map_err(Error::disk("removing a blob"))
    }

    /// Notes that a client was told that the blob is there, and so may name it in a manifest.
    pub(crate) fn note_asked_for(&self, repository: &Repository, digest: &Digest, now: OffsetDateTime) {
        self.inner.asked_for.insert(content_key(repository, digest.as_str()), now.into());
    }
}

fn page(registry: &RegistryId, after: Option<&ContentKey>) -> Scan<ContentKey> {
    let scan = Scan::all().prefix(registry.as_str()).limit(BATCH);
    match after {
        Some(after) => scan.after(after),
        None => scan,
    }
}

/// No tag names it, no index lists it, what it refers to is gone, and it is old.
fn is_unused_manifest(
    read: &impl Read,
    repository: &Repository,
    digest: &Digest,
    row: &ManifestRow,
    before: Moment,
) -> Result<bool, Error> {
    let subject_is_there = match &row.subject {
        Some(subject) => read.contains::<Manifests>(&Global, &content_key(repository, subject.as_str()))?,
        None => false,
    };
    Ok(row.pushed_at < before
        && !subject_is_there
        && read.find::<TagsOf>(&content_key(repository, digest.as_str()))?.is_none()
        && !is_referenced(read, repository, digest)?)
}

fn is_unused_link(
    read: &impl Read,
    (registry, name, digest): &ContentKey,
    row: &LinkRow,
    before: Moment,
) -> Result<bool, Error> {
    let repository = Repository::new(RegistryId::new(registry.clone()), name.clone())?;
    Ok(row.linked_at < before && !is_referenced(read, &repository, &digest.parse()?)?)
}

fn is_held(read: &impl Read, digest: &str) -> Result<bool, StoreError> {
    let scan = Scan::all().prefix(digest).limit(1);
    Ok(read.count_index::<Holders>(scan)? > 0)
}
