//! Reading everything back: which bytes are no longer what their digest says, which are missing, and which images that
//! touches. What is damaged is marked, and handed out no more until it is pushed again.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use futures_util::StreamExt as _;
use rookery_store::{Global, Keyed, Read, Scan, Store, StoreError, Table, Transaction};
use serde::Serialize;

use crate::Registry;
use crate::damage::{Damage, examine, examine_manifest, holders, mark};
use crate::digest::Digest;
use crate::errors::Error;
use crate::manifests::tags_of;
use crate::names::{RegistryId, Repository};
use crate::storage::BlobStore;
use crate::storage::Durability;
use crate::storage::local::LocalBlobs;
use crate::storage::s3::{Bucket, BucketError, S3Blobs};
use crate::tables::{BlobRow, Blobs, Contents, Manifests, References, content_key};

/// Rows looked at in one snapshot.
const BATCH: usize = 500;

/// Content that is damaged, and what it touches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What the content should hash to.
    pub digest: Digest,
    /// What is wrong.
    pub damage: Damage,
    /// The repositories that hold it, as `<registry>/<name>`, in order.
    pub repositories: Vec<String>,
    /// The images that cannot be pulled whole: `<registry>/<name>:<tag>`, or `…@<digest>` where no tag names the manifest; those of
    /// indexes that list a damaged image too.
    pub images: Vec<String>,
}

/// How far a scrub is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Scrubbed {
    /// Blobs read.
    pub blobs: u64,
    /// Manifests read.
    pub manifests: u64,
    /// Bytes read.
    pub bytes: u64,
    /// How many blobs there are.
    pub blobs_in_all: u64,
    /// Their bytes.
    pub bytes_in_all: u64,
}

impl Registry {
    /// Reads everything back, beside pushes and pulls; see [`Scrub`].
    pub async fn scrub(
        &self,
        at_once: usize,
        progress: impl FnMut(Scrubbed),
    ) -> Result<(Scrubbed, Vec<Finding>), Error> {
        let (store, blobs) = (self.inner.store.clone(), Arc::clone(&self.inner.blobs));
        let scrub = Scrub { store, blobs, registry: Some(self.clone()) };
        scrub.run(at_once, progress).await
    }
}

/// Reading everything back.
#[derive(Debug)]
pub struct Scrub {
    store: Store,
    blobs: Arc<dyn BlobStore>,
    /// Who serves them meanwhile, if anybody does.
    registry: Option<Registry>,
}

impl Scrub {
    /// Of a registry that nobody serves: its store, and its directory.
    pub fn of_directory(store: Store, directory: &Path) -> std::io::Result<Self> {
        Ok(Self { store, blobs: Arc::new(LocalBlobs::open(directory, Durability::Strict)?), registry: None })
    }

    /// Of a registry whose blobs are in a bucket.
    pub fn of_bucket(store: Store, bucket: &Bucket) -> Result<Self, BucketError> {
        Ok(Self { store, blobs: Arc::new(S3Blobs::open(bucket)?), registry: None })
    }

    /// Reads `at_once` blobs at a time, and every manifest; says how far it is after each.
    pub async fn run(
        &self,
        at_once: usize,
        mut progress: impl FnMut(Scrubbed),
    ) -> Result<(Scrubbed, Vec<Finding>), Error> {
        let mut scrubbed = self.in_all()?;
        let mut findings = Vec::new();
        let mut last = None;
        while let Some(rows) = next_batch::<Blobs>(&self.store, &mut last)? {
            let checks = rows.into_iter().map(|(digest, row)| self.check(digest, row));
            let mut checks = futures_util::stream::iter(checks).buffer_unordered(at_once.max(1));
            while let Some(checked) = checks.next().await {
                let (digest, size, damage) = checked?;
                scrubbed.blobs += 1;
                scrubbed.bytes += size;
                if let Some(damage) = damage {
                    findings.extend(self.finding(&digest, damage)?);
                }
                progress(scrubbed);
            }
        }
        self.check_manifests(&mut scrubbed, &mut findings).await?;
        progress(scrubbed);
        findings.sort_by(|one, other| one.digest.as_str().cmp(other.digest.as_str()));
        Ok((scrubbed, findings))
    }

    fn in_all(&self) -> Result<Scrubbed, Error> {
        let (mut scrubbed, mut last) = (Scrubbed::default(), None);
        while let Some(rows) = next_batch::<Blobs>(&self.store, &mut last)? {
            scrubbed.blobs_in_all += rows.len() as u64;
            scrubbed.bytes_in_all += rows.iter().map(|(_, row)| row.size).sum::<u64>();
        }
        Ok(scrubbed)
    }

    async fn check(&self, digest: String, row: BlobRow) -> Result<(Digest, u64, Option<Damage>), Error> {
        let digest: Digest = digest.parse()?;
        let mut damage = examine(&*self.blobs, &digest, row.size).await;
        let differs = damage.map_or(row.damaged, |damage| damage.lasts() && !row.damaged);
        match &self.registry {
            // Somebody may have been pushing it.
            Some(registry) if differs => damage = registry.examine_again(&digest).await?,
            None if differs => {
                let (digest, damaged) = (digest.clone(), damage.is_some());
                let write = move |tx: &mut Transaction<'_>| Ok(mark(tx, &digest, damaged)?);
                self.store.write::<_, Error, _>(write).await?;
            }
            _ => {}
        }
        Ok((digest, row.size, damage))
    }

    async fn check_manifests(
        &self,
        scrubbed: &mut Scrubbed,
        findings: &mut Vec<Finding>,
    ) -> Result<(), Error> {
        let mut last = None;
        while let Some(rows) = next_batch::<Contents>(&self.store, &mut last)? {
            for ((registry, name, digest), text) in rows {
                let digest: Digest = digest.parse()?;
                let repository = Repository::new(RegistryId::new(registry), name)?;
                scrubbed.manifests += 1;
                scrubbed.bytes += text.len() as u64;
                if self.check_manifest(&repository, &digest, &text).await? {
                    let images = self.store.read(|view| images_with(view, &repository, &digest, true))?;
                    findings.push(Finding {
                        digest,
                        damage: Damage::Rotten,
                        repositories: vec![repository.to_string()],
                        images: images.into_iter().collect(),
                    });
                }
            }
        }
        Ok(())
    }

    /// Whether a manifest is damaged, noted in its row.
    async fn check_manifest(
        &self,
        repository: &Repository,
        digest: &Digest,
        text: &str,
    ) -> Result<bool, Error> {
        let damaged = Digest::of(digest.algorithm(), text.as_bytes()) != *digest;
        let key = content_key(repository, digest.as_str());
        let row = self.store.read(|view| view.get::<Manifests>(&Global, &key))?;
        if row.is_none_or(|row| row.damaged == damaged) {
            return Ok(damaged);
        }
        if let Some(registry) = &self.registry {
            // Somebody may have pushed it meanwhile.
            return registry.examine_manifest(repository, digest).await;
        }
        let digest = digest.clone();
        let write = move |tx: &mut Transaction<'_>| Ok(examine_manifest(tx, &key, &digest)?);
        self.store.write::<_, Error, _>(write).await
    }

    /// What a damaged blob touches; `None` when it was collected meanwhile.
    fn finding(&self, digest: &Digest, damage: Damage) -> Result<Option<Finding>, Error> {
        self.store.read(|view| {
            if !view.contains::<Blobs>(&Global, digest.as_str())? {
                return Ok(None);
            }
            let (mut repositories, mut images) = (BTreeSet::new(), BTreeSet::new());
            for repository in holders(view, digest)? {
                images.extend(images_with(view, &repository, digest, false)?);
                repositories.insert(repository.to_string());
            }
            let (repositories, images) = (repositories.into_iter().collect(), images.into_iter().collect());
            Ok(Some(Finding { digest: digest.clone(), damage, repositories, images }))
        })
    }
}

/// The rows that follow `last`, which moves on to the end of them; `None` at the end of the table. Each batch is a snapshot of its own,
/// so that reading for hours holds no old state.
fn next_batch<T: Table<Scope = Global>>(
    store: &Store,
    last: &mut Option<T::Key>,
) -> Result<Option<Vec<Keyed<T>>>, StoreError>
where
    T::Key: Clone,
{
    let scan = Scan::all().limit(BATCH);
    let scan = match last {
        Some(last) => scan.after(last),
        None => scan,
    };
    let rows = store.read(|view| view.scan::<T>(&Global, scan))?;
    let Some((key, _)) = rows.last() else { return Ok(None) };
    *last = Some(key.clone());
    Ok(Some(rows))
}

/// The images of a repository that need some content: the manifests that name it, and the indexes that list those. With `itself`
/// the content is a manifest, and one of them.
fn images_with(
    read: &impl Read,
    repository: &Repository,
    content: &Digest,
    itself: bool,
) -> Result<BTreeSet<String>, Error> {
    let (mut images, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut next = vec![(content.clone(), itself)];
    while let Some((content, is_manifest)) = next.pop() {
        if is_manifest {
            let tags = tags_of(read, repository, &content)?;
            images.extend(tags.iter().map(|tag| format!("{repository}:{tag}")));
            if tags.is_empty() {
                images.insert(format!("{repository}@{content}"));
            }
        }
        let key = content_key(repository, content.as_str());
        for (_, _, _, by) in read.scan_keys::<References>(&Global, Scan::all().prefix(&key))? {
            if seen.insert(by.clone()) {
                next.push((by.parse()?, true));
            }
        }
    }
    Ok(images)
}
