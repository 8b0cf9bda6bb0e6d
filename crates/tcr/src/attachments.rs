//! What hangs on an image goes with it: its signatures, attestations and SBOMs under tags made of its digest, and whatever
//! refers to it. The transaction that deletes an image leaves a row here; the rest follows, at the latest with the
//! background work.

use rookery_registry::{Digest, Error as RegistryError, Origin, Reference, Repository, Tag};
use rookery_store::{Read, Regional, StoreError, Table};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::moments::Moment;
use crate::signatures::{ImageKey, Signing, image_key, image_of};

/// How the tags end that cosign makes of a digest; the tag without an end is the referrers' index of clients that know no
/// referrers API.
const ENDS: [&str; 4] = [".sig", ".att", ".sbom", ""];

/// Images that are gone, and whose attachments may not be.
pub(crate) struct Orphaned;

/// What is kept of a deleted image.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OrphanedRow {
    pub(crate) deleted_at: Moment,
}

impl Table for Orphaned {
    const NAME: &'static str = "tcr.orphaned";
    type Scope = Regional;
    type Key = ImageKey;
    type Row = OrphanedRow;
}

/// The tags that hold what is attached to a manifest, whether there is anything or not. A tag spells at most 64 digits, also of a longer
/// digest.
pub(crate) fn tags(digest: &Digest) -> Result<Vec<Tag>, Error> {
    let digits = digest.hex().get(..64).unwrap_or_default();
    let tag = |end| Tag::new(format!("{}-{digits}{end}", digest.algorithm().name()));
    Ok(ENDS.into_iter().map(tag).collect::<Result<_, _>>().map_err(RegistryError::from)?)
}

impl Signing {
    /// Deletes what hung on a deleted image, and what hung on that. An image that was pushed again meanwhile keeps it.
    pub(crate) async fn clean_up(&self, scope: &Regional, key: &ImageKey) -> Result<(), Error> {
        let mut left = vec![key.clone()];
        while let Some(key) = left.pop() {
            left.extend(self.clean_up_one(scope, &key).await?);
        }
        Ok(())
    }

    /// Tells the referrers that it has deleted.
    async fn clean_up_one(&self, scope: &Regional, key: &ImageKey) -> Result<Vec<ImageKey>, Error> {
        let (repository, digest) = image_of(key)?;
        let mut deleted = Vec::new();
        let _alone = self.lock(&digest).await;
        let image = self.registry.manifest_info(&repository, &Reference::Digest(digest.clone()))?;
        if image.is_none() {
            for tag in tags(&digest)? {
                self.delete_attached(&repository, tag).await?;
            }
            for referrer in self.registry.referrers(&repository, &digest, None)? {
                unless_gone(
                    self.registry.delete_manifest(&repository, &referrer.digest, Origin::Internal).await,
                )?;
                deleted.push(image_key(&repository, &referrer.digest));
            }
        }
        let (scope, key) = (scope.clone(), key.clone());
        self.store.write(move |tx| tx.delete::<Orphaned>(&scope, &key).map(drop)).await?;
        Ok(deleted)
    }

    async fn delete_attached(&self, repository: &Repository, tag: Tag) -> Result<(), Error> {
        let tag = Reference::Tag(tag);
        if let Some(attached) = self.registry.manifest_info(repository, &tag)? {
            unless_gone(self.registry.delete_manifest(repository, &attached.digest, Origin::Internal).await)?;
        }
        Ok(())
    }

    /// The deleted images whose attachments are still to go.
    pub(crate) fn orphaned(&self) -> Result<Vec<(Regional, ImageKey)>, StoreError> {
        let rows = self.store.read(|view| view.scan_all::<Orphaned>())?;
        Ok(rows.into_iter().map(|(scope, key, _)| (scope, key)).collect())
    }
}

/// Somebody else has deleted it: just as well.
pub(crate) fn unless_gone(deleted: Result<(), RegistryError>) -> Result<(), Error> {
    match deleted {
        Ok(()) | Err(RegistryError::ManifestUnknown(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
