//! The rows that say what exists. Blob bytes are files; everything else, manifests included, is here.
//!
//! Keys begin with the registry and the repository's name, so whatever belongs to one repository lies together.

use std::collections::BTreeMap;

use rookery_store::{ErasedIndex, Global, Index, Table};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::digest::Digest;
use crate::names::Repository;

/// `(registry, repository name)`.
pub(crate) type RepositoryKey = (String, String);
/// `(registry, repository name, digest or tag)`.
pub(crate) type ContentKey = (String, String, String);

pub(crate) fn repository_key(repository: &Repository) -> RepositoryKey {
    (repository.registry().to_string(), repository.name().to_owned())
}

pub(crate) fn content_key(repository: &Repository, content: &str) -> ContentKey {
    (repository.registry().to_string(), repository.name().to_owned(), content.to_owned())
}

/// A moment as nanoseconds since 1970; holds the years 1677 to 2262.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Moment(i64);

impl Moment {
    pub(crate) fn nanoseconds(self) -> i64 {
        self.0
    }

    pub(crate) fn from_nanoseconds(nanoseconds: i64) -> Self {
        Self(nanoseconds)
    }
}

impl From<OffsetDateTime> for Moment {
    fn from(time: OffsetDateTime) -> Self {
        let nanoseconds = time.unix_timestamp_nanos().clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        Self(i64::try_from(nanoseconds).unwrap_or_default())
    }
}

impl From<Moment> for OffsetDateTime {
    fn from(moment: Moment) -> Self {
        // Every i64 of nanoseconds lies within the years that the type can hold.
        Self::from_unix_timestamp_nanos(i128::from(moment.0)).unwrap_or(Self::UNIX_EPOCH)
    }
}

/// Repositories that hold, or once held, a manifest.
pub(crate) struct Repositories;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RepositoryRow {
    pub(crate) created_at: Moment,
    /// The last change of a tag or a manifest.
    pub(crate) updated_at: Moment,
}

impl Table for Repositories {
    const NAME: &'static str = "registry.repositories";
    type Scope = Global;
    type Key = RepositoryKey;
    type Row = RepositoryRow;
}

/// Blob files that are complete and durable, by digest.
pub(crate) struct Blobs;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BlobRow {
    /// Bytes.
    pub(crate) size: u64,
    /// Its bytes were read back and are not what was pushed: not to be handed out until somebody pushes them again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) damaged: bool,
}

impl Table for Blobs {
    const NAME: &'static str = "registry.blobs";
    type Scope = Global;
    type Key = String;
    type Row = BlobRow;
}

/// Which repository may read which blob. Without a row here a digest is worth nothing, whoever guesses it.
pub(crate) struct Links;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LinkRow {
    /// Bytes.
    pub(crate) size: u64,
    /// When it was last pushed or mounted: the collector leaves fresh links alone, a manifest may be about to name them.
    pub(crate) linked_at: Moment,
}

impl Table for Links {
    const NAME: &'static str = "registry.links";
    type Scope = Global;
    type Key = ContentKey;
    type Row = LinkRow;
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&Holders];
}

/// The links of one blob, by digest and registry.
pub(crate) struct Holders;

impl Index for Holders {
    type Table = Links;
    type Value = (String, String);
    const NAME: &'static str = "holders";
    const UNIQUE: bool = false;

    fn value(_: &Global, (registry, _, digest): &ContentKey, _: &LinkRow) -> Option<Self::Value> {
        Some((digest.clone(), registry.clone()))
    }
}

/// What is known of each manifest without reading it.
pub(crate) struct Manifests;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ManifestRow {
    pub(crate) media_type: String,
    /// Bytes of the manifest itself.
    pub(crate) size: u64,
    /// Bytes of config and layers; of an index, of its children.
    pub(crate) total_size: u64,
    pub(crate) pushed_at: Moment,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) artifact_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) config: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) config_media_type: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) layers: Vec<Digest>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) children: Vec<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<Digest>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
    /// Its bytes were read back and are not what was pushed: not to be handed out until somebody pushes them again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) damaged: bool,
}

impl Table for Manifests {
    const NAME: &'static str = "registry.manifests";
    type Scope = Global;
    type Key = ContentKey;
    type Row = ManifestRow;
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&Referring];
}

/// The manifests that refer to a subject, by repository and subject.
pub(crate) struct Referring;

impl Index for Referring {
    type Table = Manifests;
    type Value = ContentKey;
    const NAME: &'static str = "referring";
    const UNIQUE: bool = false;

    fn value(_: &Global, (registry, name, _): &ContentKey, row: &ManifestRow) -> Option<Self::Value> {
        row.subject.as_ref().map(|subject| (registry.clone(), name.clone(), subject.to_string()))
    }
}

/// The manifests' own bytes. They are JSON, hence UTF-8, hence kept as text without loss.
pub(crate) struct Contents;

impl Table for Contents {
    const NAME: &'static str = "registry.contents";
    type Scope = Global;
    type Key = ContentKey;
    type Row = String;
}

/// What a manifest needs: `(registry, repository name, blob or child manifest, the manifest that names it)`.
pub(crate) struct References;

impl Table for References {
    const NAME: &'static str = "registry.references";
    type Scope = Global;
    type Key = (String, String, String, String);
    type Row = ();
}

/// Tags.
pub(crate) struct Tags;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TagRow {
    pub(crate) digest: Digest,
    /// When the tag was last put.
    pub(crate) pushed_at: Moment,
}

impl Table for Tags {
    const NAME: &'static str = "registry.tags";
    type Scope = Global;
    type Key = ContentKey;
    type Row = TagRow;
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&TagsOf];
}

/// The tags of one manifest, by repository and digest.
pub(crate) struct TagsOf;

impl Index for TagsOf {
    type Table = Tags;
    type Value = ContentKey;
    const NAME: &'static str = "manifest";
    const UNIQUE: bool = false;

    fn value(_: &Global, (registry, name, _): &ContentKey, row: &TagRow) -> Option<Self::Value> {
        Some((registry.clone(), name.clone(), row.digest.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_keep_their_nanoseconds() {
        let time = OffsetDateTime::UNIX_EPOCH + time::Duration::nanoseconds(1_733_841_036_806_284_001);
        assert_eq!(OffsetDateTime::from(Moment::from(time)), time);
    }
}
