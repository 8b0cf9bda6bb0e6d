//! Manifests: taking them in, finding them, deleting them.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use rookery_store::{Global, Read, Scan, Transaction};
use time::OffsetDateTime;

use crate::Registry;
use crate::digest::Digest;
use crate::document::{Descriptor, Document};
use crate::errors::Error;
use crate::history::{Chronicle, Ended};
use crate::hooks::{Deleted, Deletion, Hooks, ManifestPush, Origin};
use crate::names::{Reference, Repository, Tag};
use crate::tables::{
    Contents, Links, ManifestRow, Manifests, References, Repositories, RepositoryRow, TagRow, Tags, TagsOf,
    content_key, repository_key,
};
use crate::usage::Ledger;

/// The largest manifest taken: 4 MiB, which the specification asks for at least.
pub const MANIFEST_LIMIT: usize = 4 * 1024 * 1024;

/// What is known of a manifest without reading its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestInfo {
    /// Its digest.
    pub digest: Digest,
    /// The media type exactly as pushed, without parameters.
    pub media_type: String,
    /// Its own length in bytes.
    pub size: u64,
    /// Bytes of config and layers; of an index, of all its children.
    pub total_size: u64,
    /// When it was last pushed.
    pub pushed_at: OffsetDateTime,
    /// `artifactType`, else the config's media type.
    pub artifact_type: Option<String>,
    /// The config blob.
    pub config: Option<Digest>,
    /// The config blob's media type.
    pub config_media_type: Option<String>,
    /// The layers, in order.
    pub layers: Vec<Digest>,
    /// The manifests that an index lists, in order.
    pub children: Vec<Digest>,
    /// What it refers to.
    pub subject: Option<Digest>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Whether its bytes are known to be no longer what was pushed; a push of the same mends them.
    pub damaged: bool,
}

impl ManifestInfo {
    pub(crate) fn from_row(digest: Digest, row: ManifestRow) -> Self {
        Self {
            digest,
            media_type: row.media_type,
            size: row.size,
            total_size: row.total_size,
            pushed_at: row.pushed_at.into(),
            artifact_type: row.artifact_type,
            config: row.config,
            config_media_type: row.config_media_type,
            layers: row.layers,
            children: row.children,
            subject: row.subject,
            annotations: row.annotations,
            damaged: row.damaged,
        }
    }
}

/// A manifest with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// What is known of it.
    pub info: ManifestInfo,
    /// Exactly the bytes that were pushed.
    pub bytes: Bytes,
}

/// A manifest that has been taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its digest.
    pub digest: Digest,
    /// What it refers to.
    pub subject: Option<Digest>,
}

/// A manifest on its way into the store.
struct Incoming {
    repository: Repository,
    references: Vec<Reference>,
    digest: Digest,
    media_type: String,
    document: Document,
    text: String,
    origin: Origin,
    now: OffsetDateTime,
    keeps_history: bool,
}

impl Registry {
    /// Takes in a manifest under one reference. A digest as `reference` must be the content's own. `media_type` is kept as
    /// it is; `Origin::Internal` asks no hook, and everything else is checked as for a client.
    pub async fn put_manifest(
        &self,
        repository: &Repository,
        reference: &Reference,
        media_type: &str,
        bytes: Bytes,
        origin: Origin,
    ) -> Result<Stored, Error> {
        self.put_manifest_under(repository, vec![reference.clone()], Some(media_type), &bytes, origin).await
    }

    /// As [`Registry::put_manifest`], under several references at once: at most one digest, any number of tags.
    pub(crate) async fn put_manifest_under(
        &self,
        repository: &Repository,
        references: Vec<Reference>,
        media_type: Option<&str>,
        bytes: &Bytes,
        origin: Origin,
    ) -> Result<Stored, Error> {
        if bytes.len() > MANIFEST_LIMIT {
            return Err(Error::ManifestTooLarge { limit: MANIFEST_LIMIT });
        }
        let expected = references.iter().find_map(|reference| match reference {
            Reference::Digest(digest) => Some(digest.clone()),
            Reference::Tag(_) => None,
        });
        let algorithm = expected.as_ref().map_or(crate::digest::Algorithm::Sha256, Digest::algorithm);
        let digest = Digest::of(algorithm, bytes);
        if let Some(expected) = expected.filter(|expected| *expected != digest) {
            return Err(Error::DigestMismatch { expected, actual: digest });
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Error::ManifestInvalid("not UTF-8".to_owned()))?;
        let (media_type, document) = Document::parse(media_type, text)?;
        let stored = Stored { digest: digest.clone(), subject: document.subject.clone() };
        let incoming = Incoming {
            repository: repository.clone(),
            references,
            digest,
            media_type,
            document,
            text: text.to_owned(),
            origin,
            now: self.inner.world.now(),
            keeps_history: self.keeps_history(),
        };
        let hooks = Arc::clone(&self.inner.hooks);
        let pushes = self.change([repository], move |tx| incoming.store(tx, &*hooks)).await?;
        self.inner.contents.insert_weighing(stored.digest.clone(), bytes.clone(), bytes.len());
        for push in pushes {
            self.inner.hooks.accepted(push).await;
        }
        Ok(stored)
    }

    /// The manifest that `reference` names, with its bytes. `None` when there is none.
    pub fn get_manifest(
        &self,
        repository: &Repository,
        reference: &Reference,
    ) -> Result<Option<Manifest>, Error> {
        let Some(info) = self.manifest_info(repository, reference)? else { return Ok(None) };
        let bytes = self.manifest_bytes(repository, &info.digest)?;
        // `None` when it was deleted between the two reads.
        Ok(bytes.map(|bytes| Manifest { info, bytes }))
    }

    /// The bytes of a manifest that was just seen in the repository. `None` when it has been deleted since; [`Error::Damaged`] when
    /// they are not what was pushed.
    pub(crate) fn manifest_bytes(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Option<Bytes>, Error> {
        if let Some(bytes) = self.inner.contents.get(digest) {
            return Ok(Some(bytes));
        }
        let key = content_key(repository, digest.as_str());
        let text = self.inner.store.read(|view| view.get::<Contents>(&Global, &key))?;
        let Some(text) = text else { return Ok(None) };
        let bytes = Bytes::from(text);
        // What is handed out of memory again and again is right.
        if Digest::of(digest.algorithm(), &bytes) != *digest {
            return Err(Error::Damaged(digest.to_string()));
        }
        self.inner.contents.insert_weighing(digest.clone(), bytes.clone(), bytes.len());
        Ok(Some(bytes))
    }

    /// What is known of the manifest that `reference` names. `None` when there is none.
    pub fn manifest_info(
        &self,
        repository: &Repository,
        reference: &Reference,
    ) -> Result<Option<ManifestInfo>, Error> {
        self.inner.store.read(|view| {
            let digest = match reference {
                Reference::Digest(digest) => digest.clone(),
                Reference::Tag(tag) => {
                    match view.get::<Tags>(&Global, &content_key(repository, tag.as_str()))? {
                        Some(row) => row.digest,
                        None => return Ok(None),
                    }
                }
            };
            let row = view.get::<Manifests>(&Global, &content_key(repository, digest.as_str()))?;
            Ok(row.map(|row| ManifestInfo::from_row(digest, row)))
        })
    }

    /// Deletes a tag; the manifest stays. [`Error::ManifestUnknown`] when there is no such tag.
    pub async fn delete_tag(&self, repository: &Repository, tag: &Tag, origin: Origin) -> Result<(), Error> {
        let changed = repository;
        let (repository, tag, now) = (repository.clone(), tag.clone(), self.inner.world.now());
        let (hooks, keeps) = (Arc::clone(&self.inner.hooks), self.keeps_history());
        let write = move |tx: &mut Transaction<'_>| {
            let key = content_key(&repository, tag.as_str());
            let Some(row) = tx.get::<Tags>(&Global, &key)? else {
                return Err(Error::ManifestUnknown(tag.to_string()));
            };
            tx.delete::<Tags>(&Global, &key)?;
            let mut ledger = Ledger::default();
            ledger.tags(-1);
            ledger.post(tx, &repository)?;
            touch(tx, &repository, now)?;
            let target = Deleted::Tag { tag: tag.clone(), digest: row.digest.clone() };
            let chronicle = Chronicle { origin: &origin, now, keeps };
            chronicle.note(tx, &repository, tag.as_str(), row, Ended::Deleted)?;
            tell_deleted(tx, &*hooks, &repository, target, &origin)
        };
        self.change([changed], write).await
    }

    /// Deletes a manifest and every tag that names it. [`Error::ManifestUnknown`] when there is no such manifest.
    pub async fn delete_manifest(
        &self,
        repository: &Repository,
        digest: &Digest,
        origin: Origin,
    ) -> Result<(), Error> {
        let changed = repository;
        let (repository, digest, now) = (repository.clone(), digest.clone(), self.inner.world.now());
        let (hooks, keeps) = (Arc::clone(&self.inner.hooks), self.keeps_history());
        let write = move |tx: &mut Transaction<'_>| {
            let chronicle = Chronicle { origin: &origin, now, keeps };
            if remove_manifest(tx, &*hooks, &repository, &digest, chronicle)? {
                Ok(touch(tx, &repository, now)?)
            } else {
                Err(Error::ManifestUnknown(digest.to_string()))
            }
        };
        self.change([changed], write).await
    }

    /// Whether past tags are kept at all.
    pub(crate) fn keeps_history(&self) -> bool {
        self.inner.tag_retention.is_positive()
    }
}

impl Incoming {
    fn store(&self, tx: &mut Transaction<'_>, hooks: &dyn Hooks) -> Result<Vec<ManifestPush>, Error> {
        let total_size = self.check_content(tx)?;
        let pushes = self.ask(tx, hooks, total_size)?;
        self.write(tx, total_size)?;
        Ok(pushes)
    }

    /// Everything that the manifest names must be in the repository, in the size it says. Returns the sum of the sizes.
    fn check_content(&self, tx: &Transaction<'_>) -> Result<u64, Error> {
        let (mut missing, mut total) = (Vec::new(), 0_u64);
        let blobs = self.document.config.iter().chain(&self.document.layers);
        for blob in blobs {
            let link = tx.get::<Links>(&Global, &content_key(&self.repository, blob.digest.as_str()))?;
            match link {
                Some(link) => self.check_size(blob, link.size)?,
                None if blob.is_required() => missing.push(blob.digest.clone()),
                None => {}
            }
            total = total.saturating_add(blob.size);
        }
        for child in &self.document.children {
            match tx.get::<Manifests>(&Global, &content_key(&self.repository, child.digest.as_str()))? {
                Some(row) => {
                    self.check_size(child, row.size)?;
                    total = total.saturating_add(row.total_size);
                }
                None => missing.push(child.digest.clone()),
            }
        }
        if missing.is_empty() { Ok(total) } else { Err(Error::ManifestBlobUnknown(missing)) }
    }

    fn check_size(&self, descriptor: &Descriptor, actual: u64) -> Result<(), Error> {
        if descriptor.size == actual {
            return Ok(());
        }
        let Descriptor { digest, size, .. } = descriptor;
        Err(Error::ManifestInvalid(format!(
            "{digest} has {actual} bytes in {}, not {size}",
            self.repository.name()
        )))
    }

    /// Asks the product about each reference. Nothing to tell when the product itself writes.
    fn ask(
        &self,
        tx: &mut Transaction<'_>,
        hooks: &dyn Hooks,
        total_size: u64,
    ) -> Result<Vec<ManifestPush>, Error> {
        let Origin::Client(pusher) = &self.origin else { return Ok(Vec::new()) };
        let new_repository = !tx.contains::<Repositories>(&Global, &repository_key(&self.repository))?;
        let new_manifest =
            !tx.contains::<Manifests>(&Global, &content_key(&self.repository, self.digest.as_str()))?;
        // A request by digest that also names tags is told by its tags.
        let has_tags = self.references.iter().any(|reference| matches!(reference, Reference::Tag(_)));
        let telling =
            self.references.iter().filter(|reference| !has_tags || matches!(reference, Reference::Tag(_)));
        let mut told = Vec::new();
        for reference in telling {
            let previous = match reference {
                Reference::Tag(tag) => {
                    tx.get::<Tags>(&Global, &content_key(&self.repository, tag.as_str()))?
                }
                Reference::Digest(_) => None,
            };
            let push = ManifestPush {
                repository: self.repository.clone(),
                reference: reference.clone(),
                digest: self.digest.clone(),
                media_type: self.media_type.clone(),
                size: self.text.len() as u64,
                subject: self.document.subject.clone(),
                artifact_type: self.document.artifact_type.clone(),
                config: self.document.config.as_ref().map(|config| config.digest.clone()),
                config_media_type: self.document.config.as_ref().map(|config| config.media_type.clone()),
                layers: digests(&self.document.layers),
                children: digests(&self.document.children),
                total_size,
                previous: previous.map(|row| row.digest),
                new_repository,
                new_manifest,
                pusher: pusher.clone(),
                pushed_at: self.now,
            };
            hooks.accept(tx, &push)?;
            told.push(push);
        }
        Ok(told)
    }

    fn write(&self, tx: &mut Transaction<'_>, total_size: u64) -> Result<(), Error> {
        let key = content_key(&self.repository, self.digest.as_str());
        let row = ManifestRow {
            media_type: self.media_type.clone(),
            size: self.text.len() as u64,
            total_size,
            pushed_at: self.now.into(),
            artifact_type: self.document.artifact_type.clone(),
            config: self.document.config.as_ref().map(|config| config.digest.clone()),
            config_media_type: self.document.config.as_ref().map(|config| config.media_type.clone()),
            layers: digests(&self.document.layers),
            children: digests(&self.document.children),
            subject: self.document.subject.clone(),
            annotations: self.document.annotations.clone(),
            damaged: false,
        };
        let mut ledger = Ledger::default();
        // The same digest is the same bytes, and names the same.
        if tx.insert::<Contents>(&Global, &key, &self.text)? {
            for target in needs(&row) {
                tx.put::<References>(&Global, &reference_key(&self.repository, target, &self.digest), &())?;
            }
            ledger.manifest(1, row.size);
        } else if tx.get::<Contents>(&Global, &key)?.is_some_and(|kept| kept != self.text) {
            // What was kept has rotted.
            tx.put::<Contents>(&Global, &key, &self.text)?;
        }
        tx.put::<Manifests>(&Global, &key, &row)?;
        for reference in &self.references {
            if let Reference::Tag(tag) = reference {
                self.write_tag(tx, tag, &mut ledger)?;
            }
        }
        let now = self.now.into();
        let key = repository_key(&self.repository);
        let existing = tx.get::<Repositories>(&Global, &key)?;
        ledger.repositories(i64::from(existing.is_none()));
        let created_at = existing.map_or(now, |row| row.created_at);
        tx.put::<Repositories>(&Global, &key, &RepositoryRow { created_at, updated_at: now })?;
        Ok(ledger.post(tx, &self.repository)?)
    }

    fn write_tag(&self, tx: &mut Transaction<'_>, tag: &Tag, ledger: &mut Ledger) -> Result<(), Error> {
        let key = content_key(&self.repository, tag.as_str());
        match tx.get::<Tags>(&Global, &key)? {
            None => ledger.tags(1),
            Some(previous) if previous.digest == self.digest => {}
            Some(previous) => {
                let chronicle = Chronicle { origin: &self.origin, now: self.now, keeps: self.keeps_history };
                let ended = Ended::Overwritten(self.digest.clone());
                chronicle.note(tx, &self.repository, tag.as_str(), previous, ended)?;
            }
        }
        let row = TagRow { digest: self.digest.clone(), pushed_at: self.now.into() };
        Ok(tx.put::<Tags>(&Global, &key, &row)?)
    }
}

fn digests(descriptors: &[Descriptor]) -> Vec<Digest> {
    descriptors.iter().map(|descriptor| descriptor.digest.clone()).collect()
}

/// What must stay as long as the manifest does.
fn needs(row: &ManifestRow) -> impl Iterator<Item = &Digest> {
    row.config.iter().chain(&row.layers).chain(&row.children)
}

fn reference_key(repository: &Repository, target: &Digest, by: &Digest) -> (String, String, String, String) {
    let (registry, name, target) = content_key(repository, target.as_str());
    (registry, name, target, by.to_string())
}

/// Whether a manifest of the repository names this blob or manifest.
pub(crate) fn is_referenced(
    read: &impl Read,
    repository: &Repository,
    target: &Digest,
) -> Result<bool, Error> {
    let scan = Scan::all().prefix(&content_key(repository, target.as_str())).limit(1);
    Ok(!read.scan_keys::<References>(&Global, scan)?.is_empty())
}

/// The tags of a manifest, in bytewise order.
pub(crate) fn tags_of(read: &impl Read, repository: &Repository, digest: &Digest) -> Result<Vec<Tag>, Error> {
    let found = read.find_all::<TagsOf>(&content_key(repository, digest.as_str()), usize::MAX)?;
    found.into_iter().map(|(_, (_, _, tag), _)| Ok(Tag::new(tag)?)).collect()
}

/// Takes a manifest, its tags and its references away; says whether there was one.
pub(crate) fn remove_manifest(
    tx: &mut Transaction<'_>,
    hooks: &dyn Hooks,
    repository: &Repository,
    digest: &Digest,
    chronicle: Chronicle<'_>,
) -> Result<bool, Error> {
    let key = content_key(repository, digest.as_str());
    let Some(row) = tx.get::<Manifests>(&Global, &key)? else { return Ok(false) };
    let mut ledger = Ledger::default();
    let tags = tags_of(tx, repository, digest)?;
    for tag in &tags {
        let key = content_key(repository, tag.as_str());
        if let Some(named) = tx.get::<Tags>(&Global, &key)? {
            tx.delete::<Tags>(&Global, &key)?;
            chronicle.note(tx, repository, tag.as_str(), named, Ended::ManifestDeleted)?;
            ledger.tags(-1);
        }
    }
    for target in needs(&row) {
        tx.delete::<References>(&Global, &reference_key(repository, target, digest))?;
    }
    tx.delete::<Contents>(&Global, &key)?;
    tx.delete::<Manifests>(&Global, &key)?;
    ledger.manifest(-1, row.size);
    ledger.post(tx, repository)?;
    let target = Deleted::Manifest { digest: digest.clone(), tags, subject: row.subject };
    tell_deleted(tx, hooks, repository, target, chronicle.origin)?;
    Ok(true)
}

pub(crate) fn tell_deleted(
    tx: &mut Transaction<'_>,
    hooks: &dyn Hooks,
    repository: &Repository,
    target: Deleted,
    origin: &Origin,
) -> Result<(), Error> {
    let deletion = Deletion { repository: repository.clone(), target, origin: origin.clone() };
    hooks.deleted(tx, &deletion).map_err(Error::Refused)
}

/// Notes that something of the repository has changed.
fn touch(tx: &mut Transaction<'_>, repository: &Repository, now: OffsetDateTime) -> Result<(), Error> {
    let key = repository_key(repository);
    if let Some(row) = tx.get::<Repositories>(&Global, &key)? {
        tx.put::<Repositories>(&Global, &key, &RepositoryRow { updated_at: now.into(), ..row })?;
    }
    Ok(())
}
