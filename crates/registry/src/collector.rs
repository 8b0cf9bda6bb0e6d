//! Giving space back: what nothing names any more goes, while pushes go on.
//!
//! Marked is what tags, past tags that can still be restored, indexes and subjects keep. Every decision is taken again
//! inside the transaction that acts on it, so a push at the same time either is seen or comes after. What was pushed,
//! mounted or asked for lately is left alone: a manifest may be about to name it.
//!
//! The order of the steps is model-checked: `tests/collection_model` walks through every interleaving of them with pushes,
//! mounts, deletions, indexes, referrers and crashes. Whoever changes a step here changes it there.

use std::sync::Arc;
use std::time::SystemTime;

use rookery_store::{Global, Read, Scan, StoreError, Transaction};
use time::Duration;

use crate::Registry;
use crate::asked::Asked;
use crate::collections::{Phase, Watcher};
use crate::digest::Digest;
use crate::errors::Error;
use crate::history::{Chronicle, is_remembered};
use crate::hooks::Origin;
use crate::manifests::{is_referenced, remove_manifest};
use crate::names::{RegistryId, Repository};
use crate::storage::BlobLock;
use crate::tables::{
    Blobs, ContentKey, Holders, LinkRow, Links, ManifestRow, Manifests, Moment, TagsOf, content_key,
};
use crate::usage::Ledger;

/// Rows looked at in one snapshot.
const BATCH: usize = 500;

/// What a collection may take.
#[derive(Debug, Clone, Copy)]
pub struct CollectOptions {
    /// Nothing younger is taken. Below the time that a client needs from its first blob to its manifest, running pushes
    /// can fail with `MANIFEST_BLOB_UNKNOWN`.
    pub older_than: Duration,
    /// Whether to delete manifests that no tag, no past tag, no index and no subject keeps.
    pub untagged_manifests: bool,
    /// Only say what would go. Content that would be freed only by the deletions is not counted.
    pub dry_run: bool,
}

/// Whose content a collection looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Manifests and links of one registry; then the blobs that no registry holds.
    Registry(RegistryId),
    /// Those of all registries.
    All,
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
    /// Files removed that a crash had left without a row.
    pub files: u64,
}

/// What "too young" and "still remembered" mean to one collection.
#[derive(Debug, Clone, Copy)]
struct Ages {
    before: Moment,
    remembered: Moment,
}

impl Registry {
    /// The whole of a collection. Ends early, and without an error, when it is cancelled.
    pub(crate) async fn sweep(
        &self,
        whose: &Whose,
        options: CollectOptions,
        watcher: &Watcher,
    ) -> Result<(), Error> {
        let _alone = self.inner.collecting.lock().await;
        let ages = Ages {
            before: Moment::from(self.inner.world.now() - options.older_than),
            remembered: self.remembered_since(),
        };
        if options.untagged_manifests {
            watcher.enter(Phase::Manifests);
            // An index that goes frees its children, so passes are made until one finds nothing.
            loop {
                let gone = self.collect_manifests(whose, ages, options.dry_run, watcher).await?;
                if gone == 0 || options.dry_run || watcher.is_cancelled() {
                    break;
                }
            }
        }
        watcher.enter(Phase::Links);
        self.collect_links(whose, ages, options.dry_run, watcher).await?;
        watcher.enter(Phase::Blobs);
        self.collect_blobs(options.dry_run, watcher).await?;
        if !options.dry_run && !watcher.is_cancelled() {
            watcher.enter(Phase::Files);
            self.collect_orphans(options.older_than, watcher).await?;
        }
        Ok(())
    }

    async fn collect_manifests(
        &self,
        whose: &Whose,
        ages: Ages,
        dry_run: bool,
        watcher: &Watcher,
    ) -> Result<u64, Error> {
        let (mut gone, mut last) = (0, None);
        while !watcher.is_cancelled() {
            let scan = page(whose, last.as_ref());
            let rows = self.inner.store.read(|view| view.scan::<Manifests>(&Global, scan))?;
            let Some((key, _)) = rows.last() else { break };
            last = Some(key.clone());
            watcher.examined(rows.len());
            for ((registry, name, digest), row) in rows {
                let repository = Repository::new(RegistryId::new(registry), name)?;
                let digest: Digest = digest.parse()?;
                let asked = &self.inner.asked;
                let unused = self
                    .inner
                    .store
                    .read(|view| is_unused_manifest(view, asked, &repository, &digest, &row, ages))?;
                if unused && !watcher.is_cancelled() {
                    let dropped = dry_run || self.drop_manifest(repository, digest, ages).await?;
                    gone += u64::from(dropped);
                    watcher.took(|collected| collected.manifests += u64::from(dropped));
                }
            }
        }
        Ok(gone)
    }

    async fn drop_manifest(&self, repository: Repository, digest: Digest, ages: Ages) -> Result<bool, Error> {
        let (hooks, changed) = (Arc::clone(&self.inner.hooks), repository.clone());
        let (asked, sweeping) = (Arc::clone(&self.inner.asked), self.inner.asked.sweeping());
        let now = self.inner.world.now();
        let write = move |tx: &mut Transaction<'_>| {
            let _until_committed = &sweeping;
            let row = tx.get::<Manifests>(&Global, &content_key(&repository, digest.as_str()))?;
            let Some(row) = row else { return Ok(false) };
            // It has no tag, so there is nothing to remember.
            let chronicle = Chronicle { origin: &Origin::Internal, now, keeps: false };
            Ok(is_unused_manifest(tx, &asked, &repository, &digest, &row, ages)?
                && remove_manifest(tx, &*hooks, &repository, &digest, chronicle)?)
        };
        match self.change([&changed], write).await {
            // What the product holds on to stays; the rest of the collection goes on.
            Err(Error::Refused(refusal)) if refusal.status.is_client_error() => Ok(false),
            outcome => outcome,
        }
    }

    async fn collect_links(
        &self,
        whose: &Whose,
        ages: Ages,
        dry_run: bool,
        watcher: &Watcher,
    ) -> Result<(), Error> {
        let mut last = None;
        while !watcher.is_cancelled() {
            let scan = page(whose, last.as_ref());
            let rows = self.inner.store.read(|view| view.scan::<Links>(&Global, scan))?;
            let Some((key, _)) = rows.last() else { break };
            last = Some(key.clone());
            watcher.examined(rows.len());
            let mut unused: Vec<(Repository, Vec<ContentKey>)> = Vec::new();
            for (key, row) in rows {
                let asked = &self.inner.asked;
                if !self.inner.store.read(|view| is_unused_link(view, asked, &key, &row, ages))? {
                    continue;
                }
                // In the order of the scan, so those of one repository lie together.
                match unused.last_mut() {
                    Some((last, keys)) if last.registry().as_str() == key.0 && last.name() == key.1 => {
                        keys.push(key);
                    }
                    _ => {
                        let repository = Repository::new(RegistryId::new(key.0.clone()), key.1.clone())?;
                        unused.push((repository, vec![key]));
                    }
                }
            }
            for (repository, keys) in unused {
                let count = keys.len() as u64;
                let gone = if dry_run { count } else { self.drop_links(repository, keys, ages).await? };
                watcher.took(|collected| collected.links += gone);
            }
        }
        Ok(())
    }

    /// Takes what is still unused of these links of one repository.
    async fn drop_links(
        &self,
        repository: Repository,
        keys: Vec<ContentKey>,
        ages: Ages,
    ) -> Result<u64, Error> {
        let (asked, sweeping) = (Arc::clone(&self.inner.asked), self.inner.asked.sweeping());
        let changed = repository.clone();
        let write = move |tx: &mut Transaction<'_>| {
            let _until_committed = &sweeping;
            let (mut gone, mut ledger) = (0, Ledger::default());
            for key in &keys {
                let Some(row) = tx.get::<Links>(&Global, key)? else { continue };
                if is_unused_link(tx, &asked, key, &row, ages)? {
                    gone += u64::from(ledger.delete_link(tx, key)?);
                }
            }
            ledger.post(tx, &repository)?;
            Ok(gone)
        };
        self.change([&changed], write).await
    }

    /// Blobs without any holder, of whatever registry.
    async fn collect_blobs(&self, dry_run: bool, watcher: &Watcher) -> Result<(), Error> {
        let mut last = None::<String>;
        while !watcher.is_cancelled() {
            let scan = Scan::all().limit(BATCH);
            let scan = match &last {
                Some(last) => scan.after(last),
                None => scan,
            };
            let rows = self.inner.store.read(|view| view.scan::<Blobs>(&Global, scan))?;
            let Some((key, _)) = rows.last() else { break };
            last = Some(key.clone());
            watcher.examined(rows.len());
            for (digest, row) in rows {
                if watcher.is_cancelled() || self.inner.store.read(|view| is_held(view, &digest))? {
                    continue;
                }
                if dry_run || self.drop_blob(digest.parse()?).await? {
                    watcher.took(|collected| {
                        collected.blobs += 1;
                        collected.bytes += row.size;
                    });
                }
            }
        }
        Ok(())
    }

    /// The row first, then the file: a file without a row is invisible, a row without a file would be a lie.
    async fn drop_blob(&self, digest: Digest) -> Result<bool, Error> {
        let alone = self.inner.locks.lock(&digest).await;
        let text = digest.to_string();
        let write =
            move |tx: &mut Transaction<'_>| Ok(!is_held(tx, &text)? && tx.delete::<Blobs>(&Global, &text)?);
        let dropped = self.inner.store.write::<_, Error, _>(write).await?;
        if dropped {
            self.remove_file(digest, alone).await?;
        }
        Ok(dropped)
    }

    /// Files that a crash left between their rename and their row.
    async fn collect_orphans(&self, older_than: Duration, watcher: &Watcher) -> Result<(), Error> {
        let now = SystemTime::from(self.inner.world.now());
        let age = older_than.whole_seconds().unsigned_abs();
        let files = self.inner.blobs.older_than(age, now).await.map_err(Error::disk("listing blobs"))?;
        watcher.examined(files.len());
        for digest in files {
            if watcher.is_cancelled() {
                break;
            }
            if self.inner.store.read(|view| view.contains::<Blobs>(&Global, digest.as_str()))? {
                continue;
            }
            let alone = self.inner.locks.lock(&digest).await;
            let text = digest.to_string();
            // Behind all queued transactions: a push that nobody waits for any more may have left one.
            let known = move |tx: &mut Transaction<'_>| tx.contains::<Blobs>(&Global, &text);
            if !self.inner.store.write::<_, StoreError, _>(known).await? {
                tracing::info!(%digest, "removing a blob file that no row names");
                self.remove_file(digest, alone).await?;
                watcher.took(|collected| collected.files += 1);
            }
        }
        Ok(())
    }

    async fn remove_file(&self, digest: Digest, alone: Option<BlobLock>) -> Result<(), Error> {
        self.inner.contents.remove(&digest);
        self.inner.blobs.remove(digest, alone).await.map_err(Error::disk("removing a blob"))
    }
}

fn page(whose: &Whose, after: Option<&ContentKey>) -> Scan<ContentKey> {
    let scan = match whose {
        Whose::Registry(registry) => Scan::all().prefix(registry.as_str()),
        Whose::All => Scan::all(),
    };
    let scan = scan.limit(BATCH);
    match after {
        Some(after) => scan.after(after),
        None => scan,
    }
}

/// No tag names it or named it lately, no index lists it, what it refers to is gone, and it is old.
fn is_unused_manifest(
    read: &impl Read,
    asked: &Asked,
    repository: &Repository,
    digest: &Digest,
    row: &ManifestRow,
    ages: Ages,
) -> Result<bool, Error> {
    if row.pushed_at >= ages.before {
        return Ok(false);
    }
    let subject_is_there = match &row.subject {
        Some(subject) => read.contains::<Manifests>(&Global, &content_key(repository, subject.as_str()))?,
        None => false,
    };
    let (registry, name) = (repository.registry().as_str(), repository.name());
    Ok(!subject_is_there
        && read.find::<TagsOf>(&content_key(repository, digest.as_str()))?.is_none()
        && !is_referenced(read, repository, digest)?
        && !is_remembered(read, repository, digest, ages.remembered)?
        && !asked.since(registry, name, digest.as_str(), ages.before))
}

fn is_unused_link(
    read: &impl Read,
    asked: &Asked,
    (registry, name, digest): &ContentKey,
    row: &LinkRow,
    ages: Ages,
) -> Result<bool, Error> {
    if row.linked_at >= ages.before {
        return Ok(false);
    }
    let repository = Repository::new(RegistryId::new(registry.clone()), name.clone())?;
    Ok(!is_referenced(read, &repository, &digest.parse()?)?
        && !asked.since(registry, name, digest, ages.before))
}

fn is_held(read: &impl Read, digest: &str) -> Result<bool, StoreError> {
    let scan = Scan::all().prefix(digest).limit(1);
    Ok(read.count_index::<Holders>(scan)? > 0)
}
