//! Listing tags.

use rookery_store::{Global, Read, Scan};
use time::OffsetDateTime;

use crate::Registry;
use crate::errors::Error;
use crate::manifests::ManifestInfo;
use crate::names::{Repository, Tag};
use crate::tables::{ContentKey, Manifests, Repositories, Tags, content_key, repository_key};

/// A tag and the manifest that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagEntry {
    /// The tag.
    pub tag: Tag,
    /// When it was last put.
    pub pushed_at: OffsetDateTime,
    /// What it names.
    pub manifest: ManifestInfo,
}

impl Registry {
    /// At most `limit` tags of a repository after the tag `after`, in bytewise order, with their manifests. Empty for an
    /// unknown repository.
    pub fn tags(
        &self,
        repository: &Repository,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<TagEntry>, Error> {
        self.inner.store.read(|view| {
            let mut entries = Vec::new();
            for ((_, _, tag), row) in view.scan::<Tags>(&Global, page(repository, after, limit))? {
                let key = content_key(repository, row.digest.as_str());
                let manifest = view
                    .get::<Manifests>(&Global, &key)?
                    .ok_or_else(|| Error::Damaged(format!("tag {tag} names no manifest")))?;
                let manifest = ManifestInfo::from_row(row.digest, manifest);
                entries.push(TagEntry { tag: Tag::new(tag)?, pushed_at: row.pushed_at.into(), manifest });
            }
            Ok(entries)
        })
    }

    /// The tags of one manifest, in bytewise order.
    pub fn tags_of(&self, repository: &Repository, digest: &crate::Digest) -> Result<Vec<Tag>, Error> {
        self.inner.store.read(|view| crate::manifests::tags_of(view, repository, digest))
    }

    /// How many tags a repository has.
    pub fn count_tags(&self, repository: &Repository) -> Result<usize, Error> {
        let tags = self.repository_totals(repository)?.tags;
        Ok(usize::try_from(tags).unwrap_or(usize::MAX))
    }

    /// The names alone; `None` for an unknown repository.
    pub(crate) fn tag_names(
        &self,
        repository: &Repository,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Option<Vec<String>>, Error> {
        self.inner.store.read(|view| {
            if !view.contains::<Repositories>(&Global, &repository_key(repository))? {
                return Ok(None);
            }
            let keys = view.scan_keys::<Tags>(&Global, page(repository, after, limit))?;
            Ok(Some(keys.into_iter().map(|(_, _, tag)| tag).collect()))
        })
    }
}

fn page(repository: &Repository, after: Option<&str>, limit: usize) -> Scan<ContentKey> {
    let scan = Scan::all().prefix(&repository_key(repository)).limit(limit);
    match after {
        Some(after) => scan.after(&content_key(repository, after)),
        None => scan,
    }
}
