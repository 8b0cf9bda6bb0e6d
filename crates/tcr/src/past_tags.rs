//! What tags named before, for an operator who has to undo a mistake: seen and restored from this machine, without a login.

use rookery_registry::{Digest, Ended, Origin, Registry, RegistryId, Repository, Subject, Tag};
use rookery_store::StoreError;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::Tcr;
use crate::instances::{self, Instance};

/// Entries that are shown at once.
const SHOWN: usize = 1000;

/// What a tag named before. The field names of the JSON form are those of the fields in camel case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PastTag {
    /// The tag.
    pub tag: String,
    /// What it named.
    pub digest: String,
    /// From when.
    pub pushed_at: String,
    /// Until when.
    pub ended_at: String,
    /// `overwritten`, `deleted`, or `manifest-deleted` where the tag went with its manifest.
    pub ended: String,
    /// What it named then, where it was overwritten.
    pub replaced_by: Option<String>,
    /// The number or the name of who did it; `null` for what Rookery did itself.
    pub by: Option<String>,
    /// Whether the manifest is still there.
    pub restorable: bool,
}

impl From<rookery_registry::PastTag> for PastTag {
    fn from(past: rookery_registry::PastTag) -> Self {
        let (ended, replaced_by) = match past.ended {
            Ended::Overwritten(by) => ("overwritten", Some(by.to_string())),
            Ended::Deleted => ("deleted", None),
            Ended::ManifestDeleted => ("manifest-deleted", None),
        };
        Self {
            tag: past.tag.to_string(),
            digest: past.digest.to_string(),
            pushed_at: text(past.pushed_at),
            ended_at: text(past.ended_at),
            ended: ended.to_owned(),
            replaced_by,
            by: past.by,
            restorable: past.restorable,
        }
    }
}

/// To the second: all moments here lie within the years that the format can write.
fn text(moment: OffsetDateTime) -> String {
    moment.replace_nanosecond(0).unwrap_or(moment).format(&Rfc3339).unwrap_or_default()
}

/// Why past tags could not be told or restored.
#[derive(Debug, thiserror::Error)]
pub enum PastTagError {
    /// Not `INSTANCE/NAMESPACE/REPOSITORY`, with a tag where one is needed.
    #[error("{0}: tags are named INSTANCE/NAMESPACE/REPOSITORY:TAG")]
    Malformed(String),
    /// There is no such instance.
    #[error("no such instance: {0}")]
    NoInstance(String),
    /// The registry failed or refused.
    #[error(transparent)]
    Registry(#[from] rookery_registry::Error),
    /// The tag has named nothing else within the retention window that is still there.
    #[error("{0} has no earlier image that is still there")]
    NothingToRestore(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// `INSTANCE/NAMESPACE/REPOSITORY[:TAG][@DIGEST]`, looked up.
struct Place {
    instance: Instance,
    repository: Repository,
    tag: Option<Tag>,
    digest: Option<Digest>,
}

impl Tcr {
    /// What the tags of a repository named before, or one tag: `INSTANCE/NAMESPACE/REPOSITORY[:TAG]`, the instance by its name or its id.
    /// The latest end of each tag comes first; a thousand entries at most.
    pub fn tag_history(&self, image: &str) -> Result<Vec<PastTag>, PastTagError> {
        let place = self.place(image)?;
        let past = self.registry.tag_history(&place.repository, place.tag.as_ref(), SHOWN)?;
        Ok(past.into_iter().map(PastTag::from).collect())
    }

    /// Lets a tag name again what it named before: `INSTANCE/NAMESPACE/REPOSITORY:TAG[@DIGEST]`, without a digest the latest that is still
    /// there. It is a push by the instance's owner: immutable tags refuse it, and it is signed, told and copied. Gives the digest.
    pub async fn restore_tag(&self, image: &str) -> Result<String, PastTagError> {
        let Place { instance, repository, tag, digest } = self.place(image)?;
        let tag = tag.ok_or_else(|| PastTagError::Malformed(image.to_owned()))?;
        let digest = match digest {
            Some(digest) => digest,
            None => latest(&self.registry, &repository, &tag)?
                .ok_or_else(|| PastTagError::NothingToRestore(image.to_owned()))?,
        };
        let owner = Subject::new(instance.scope.uin.to_string());
        let stored =
            self.registry.restore_tag(&repository, &tag, &digest, Origin::Client(Some(owner))).await?;
        Ok(stored.digest.to_string())
    }

    fn place(&self, image: &str) -> Result<Place, PastTagError> {
        let malformed = || PastTagError::Malformed(image.to_owned());
        let (rest, digest) = match image.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse::<Digest>().map_err(|_| malformed())?)),
            None => (image, None),
        };
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) => (name, Some(Tag::new(tag).map_err(|_| malformed())?)),
            None => (rest, None),
        };
        let (registry, name) = name.split_once('/').ok_or_else(malformed)?;
        let found = self.store.read(|view| {
            let by_id = instances::find(view, registry)?;
            if by_id.is_some() { Ok(by_id) } else { instances::find_by_name(view, registry) }
        })?;
        let instance = found.ok_or_else(|| PastTagError::NoInstance(registry.to_owned()))?;
        let repository =
            Repository::new(RegistryId::new(instance.id.clone()), name).map_err(|_| malformed())?;
        Ok(Place { instance, repository, tag, digest })
    }
}

/// The last image that the tag named, that is still there, and that it does not name now.
fn latest(registry: &Registry, repository: &Repository, tag: &Tag) -> Result<Option<Digest>, PastTagError> {
    let now = registry.manifest_info(repository, &tag.clone().into())?.map(|info| info.digest);
    let past = registry.tag_history(repository, Some(tag), SHOWN)?;
    let digests = past.into_iter().filter(|past| past.restorable).map(|past| past.digest);
    Ok(digests.into_iter().find(|digest| Some(digest) != now.as_ref()))
}
