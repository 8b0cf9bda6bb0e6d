//! What tags named before: kept for a while when a tag is overwritten or deleted, so that a mistake can be seen and undone.
//!
//! While an entry is kept, the collector leaves the manifest that it names alone. A manifest that a client deletes by its
//! digest is gone at once, as the specification wants; its tags' entries stay to tell of it.

use rookery_store::{ErasedIndex, Global, Index, Read, Scan, StoreError, Table, Transaction};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::Registry;
use crate::digest::Digest;
use crate::errors::Error;
use crate::hooks::Origin;
use crate::manifests::Stored;
use crate::names::{Reference, Repository, Tag};
use crate::tables::{ContentKey, Contents, Manifests, Moment, TagRow, content_key, repository_key};

/// How many entries are forgotten in one transaction.
const BATCH: usize = 500;

/// How a tag stopped naming a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Ended {
    /// It was pushed again, with this manifest.
    Overwritten(Digest),
    /// It was deleted.
    Deleted,
    /// The manifest was deleted, and the tag with it.
    ManifestDeleted,
}

/// What a tag named before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastTag {
    /// The tag.
    pub tag: Tag,
    /// What it named.
    pub digest: Digest,
    /// From when.
    pub pushed_at: OffsetDateTime,
    /// Until when.
    pub ended_at: OffsetDateTime,
    /// What happened then.
    pub ended: Ended,
    /// The [`Subject`](crate::Subject) who did it; `None` for the product itself and for an anonymous client.
    pub by: Option<String>,
    /// Whether the manifest is still there, so that [`Registry::restore_tag`] can bring the tag back.
    pub restorable: bool,
}

struct TagHistory;

/// `(registry, repository name, tag, when it ended)`, the moment in nanoseconds.
type HistoryKey = (String, String, String, i64);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct HistoryRow {
    digest: Digest,
    pushed_at: Moment,
    ended: Ended,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

impl Table for TagHistory {
    const NAME: &'static str = "registry.tag-history";
    type Scope = Global;
    type Key = HistoryKey;
    type Row = HistoryRow;
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&HistoryOf, &HistoryByEnd];
}

/// The entries that name a manifest, the latest last.
struct HistoryOf;

impl Index for HistoryOf {
    type Table = TagHistory;
    type Value = HistoryKey;
    const NAME: &'static str = "manifest";
    const UNIQUE: bool = false;

    fn value(_: &Global, (registry, name, _, at): &HistoryKey, row: &HistoryRow) -> Option<HistoryKey> {
        Some((registry.clone(), name.clone(), row.digest.to_string(), *at))
    }
}

/// All entries, the oldest first.
struct HistoryByEnd;

impl Index for HistoryByEnd {
    type Table = TagHistory;
    type Value = i64;
    const NAME: &'static str = "end";
    const UNIQUE: bool = false;

    fn value(_: &Global, (_, _, _, at): &HistoryKey, _: &HistoryRow) -> Option<i64> {
        Some(*at)
    }
}

/// On whose behalf, when, and whether it is kept at all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chronicle<'a> {
    pub(crate) origin: &'a Origin,
    pub(crate) now: OffsetDateTime,
    pub(crate) keeps: bool,
}

impl Chronicle<'_> {
    /// Writes down what a tag named until now.
    pub(crate) fn note(
        self,
        tx: &mut Transaction<'_>,
        repository: &Repository,
        tag: &str,
        row: TagRow,
        ended: Ended,
    ) -> Result<(), StoreError> {
        if !self.keeps {
            return Ok(());
        }
        let by = match self.origin {
            Origin::Client(subject) => subject.as_ref().map(|subject| subject.id.clone()),
            Origin::Internal => None,
        };
        let (registry, name, tag) = content_key(repository, tag);
        let mut key = (registry, name, tag, Moment::from(self.now).nanoseconds());
        // Two ends in one moment are both kept, one a nanosecond later.
        while tx.contains::<TagHistory>(&Global, &key)? {
            key.3 = key.3.saturating_add(1);
        }
        let row = HistoryRow { digest: row.digest, pushed_at: row.pushed_at, ended, by };
        tx.put::<TagHistory>(&Global, &key, &row)
    }
}

/// Whether an entry that ended after `since` names the manifest.
pub(crate) fn is_remembered(
    read: &impl Read,
    repository: &Repository,
    digest: &Digest,
    since: Moment,
) -> Result<bool, StoreError> {
    let scan = Scan::all().prefix(&content_key(repository, digest.as_str())).reverse().limit(1);
    let latest = read.scan_index::<HistoryOf>(scan)?;
    Ok(latest.first().is_some_and(|(_, (_, _, _, at), _)| *at > since.nanoseconds()))
}

/// Forgets all that is known of a repository's tags.
pub(crate) fn forget(tx: &mut Transaction<'_>, repository: &Repository) -> Result<(), StoreError> {
    for key in tx.scan_keys::<TagHistory>(&Global, Scan::all().prefix(&repository_key(repository)))? {
        tx.delete::<TagHistory>(&Global, &key)?;
    }
    Ok(())
}

impl Registry {
    /// From when on past tags are kept.
    pub(crate) fn remembered_since(&self) -> Moment {
        Moment::from(self.inner.world.now() - self.inner.tag_retention)
    }

    /// What tags of a repository named before, the latest end of each tag first; of one tag, if one is given. Entries are kept for
    /// [`Options::tag_retention`](crate::Options::tag_retention).
    pub fn tag_history(
        &self,
        repository: &Repository,
        tag: Option<&Tag>,
        limit: usize,
    ) -> Result<Vec<PastTag>, Error> {
        let scan = match tag {
            Some(tag) => Scan::all().prefix(&content_key(repository, tag.as_str())),
            None => Scan::all().prefix(&repository_key(repository)),
        };
        let since = self.remembered_since().nanoseconds();
        self.inner.store.read(|view| {
            let mut past = Vec::new();
            for ((_, _, tag, at), row) in view.scan::<TagHistory>(&Global, scan.reverse())? {
                if past.len() == limit {
                    break;
                }
                if at > since {
                    past.push(past_tag(view, repository, tag, at, row)?);
                }
            }
            Ok(past)
        })
    }

    /// Lets a tag name again what it named before: the same as a push of that manifest by the caller, hooks included.
    /// [`Error::ManifestUnknown`] when the tag did not name it within the retention window, or the manifest is gone.
    pub async fn restore_tag(
        &self,
        repository: &Repository,
        tag: &Tag,
        digest: &Digest,
        origin: Origin,
    ) -> Result<Stored, Error> {
        let past = self.tag_history(repository, Some(tag), usize::MAX)?;
        let unknown = || Error::ManifestUnknown(digest.to_string());
        if !past.iter().any(|past| past.digest == *digest) {
            return Err(unknown());
        }
        let reference = Reference::Digest(digest.clone());
        let info = self.manifest_to_name(repository, &reference).await?.ok_or_else(unknown)?;
        let bytes = self.manifest_bytes(repository, digest)?.ok_or_else(unknown)?;
        let references = vec![reference, Reference::Tag(tag.clone())];
        self.put_manifest_under(repository, references, Some(&info.media_type), &bytes, origin).await
    }

    /// Forgets the entries that are older than the retention window; says how many.
    pub async fn forget_past_tags(&self) -> Result<usize, Error> {
        let since = self.remembered_since().nanoseconds();
        let mut forgotten = 0;
        loop {
            let oldest = Scan::all().limit(BATCH);
            let rows = self.inner.store.read(|view| view.scan_index::<HistoryByEnd>(oldest))?;
            let keys: Vec<HistoryKey> =
                rows.into_iter().map(|(_, key, _)| key).filter(|key| key.3 <= since).collect();
            if keys.is_empty() {
                return Ok(forgotten);
            }
            forgotten += keys.len();
            let write = move |tx: &mut Transaction<'_>| {
                keys.iter().try_for_each(|key| tx.delete::<TagHistory>(&Global, key).map(drop))
            };
            self.inner.store.write::<_, StoreError, _>(write).await?;
        }
    }
}

fn past_tag(
    read: &impl Read,
    repository: &Repository,
    tag: String,
    at: i64,
    row: HistoryRow,
) -> Result<PastTag, Error> {
    let key: ContentKey = content_key(repository, row.digest.as_str());
    Ok(PastTag {
        tag: Tag::new(tag)?,
        restorable: read.contains::<Manifests>(&Global, &key)? && read.contains::<Contents>(&Global, &key)?,
        digest: row.digest,
        pushed_at: row.pushed_at.into(),
        ended_at: Moment::from_nanoseconds(at).into(),
        ended: row.ended,
        by: row.by,
    })
}
