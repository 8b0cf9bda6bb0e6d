//! Copies of images, within an instance or to another: the bytes stay where they are, the right to them and the manifests are made anew, and what hangs
//! on the image follows it.

use std::collections::BTreeSet;

use rookery_registry::{
    Digest, Error as RegistryError, ManifestInfo, Origin, Reference, Repository, Subject, Tag,
};
use rookery_store::{Read, Regional};

use crate::Tcr;
use crate::attachments;
use crate::error::Error;
use crate::signatures::{Signatures, image_key};

/// Where the rows of the two instances are; twice the same for a copy within one.
#[derive(Clone, Copy)]
pub(crate) struct Scopes<'a> {
    pub(crate) source: &'a Regional,
    pub(crate) target: &'a Regional,
}

impl Tcr {
    /// Copies an image with the images of an index and everything attached to any of them; puts it under `reference` as a client would.
    pub(crate) async fn copy_image(
        &self,
        scopes: Scopes<'_>,
        source: &Repository,
        digest: &Digest,
        target: &Repository,
        reference: &Reference,
        operator: &Subject,
    ) -> Result<(), Error> {
        // A manifest is only taken in where all that it names is there, so an index comes last.
        let images = self.with_children(source, digest)?;
        for image in &images {
            let origin = Origin::Client(Some(operator.clone()));
            if image.digest == *digest {
                self.copy_manifest(source, image, target, reference, origin).await?;
            } else if source != target {
                let place = Reference::Digest(image.digest.clone());
                self.copy_manifest(source, image, target, &place, origin).await?;
            }
        }
        if source != target {
            for image in &images {
                self.copy_attachments(scopes, source, &image.digest, target).await?;
            }
        }
        Ok(())
    }

    /// The images that an image lists, each after those that it lists itself, and the image at the end.
    fn with_children(&self, source: &Repository, digest: &Digest) -> Result<Vec<ManifestInfo>, Error> {
        enum Step {
            Enter(Digest),
            Leave(Box<ManifestInfo>),
        }
        let (mut images, mut seen) = (Vec::new(), BTreeSet::new());
        let mut steps = vec![Step::Enter(digest.clone())];
        while let Some(step) = steps.pop() {
            match step {
                Step::Enter(digest) => {
                    if seen.insert(digest.clone()) {
                        let image = self.manifest(source, &digest)?;
                        let children = image.children.clone();
                        steps.push(Step::Leave(Box::new(image)));
                        steps.extend(children.into_iter().map(Step::Enter));
                    }
                }
                Step::Leave(image) => images.push(*image),
            }
        }
        Ok(images)
    }

    fn manifest(&self, repository: &Repository, digest: &Digest) -> Result<ManifestInfo, Error> {
        let found = self.registry.manifest_info(repository, &Reference::Digest(digest.clone()))?;
        found.ok_or_else(|| Error::NoImage { reference: digest.to_string() })
    }

    async fn copy_manifest(
        &self,
        source: &Repository,
        image: &ManifestInfo,
        target: &Repository,
        reference: &Reference,
        origin: Origin,
    ) -> Result<(), Error> {
        let missing = || Error::NoImage { reference: image.digest.to_string() };
        if source != target {
            for blob in image.config.iter().chain(&image.layers) {
                // A layer that the source itself does not hold is a foreign one, which the manifest names by its address.
                self.registry.mount_blob(source, target, blob).await?;
            }
        }
        let found = self.registry.get_manifest(source, &Reference::Digest(image.digest.clone()))?;
        let manifest = found.ok_or_else(missing)?;
        let put = self.registry.put_manifest(target, reference, &image.media_type, manifest.bytes, origin);
        match put.await {
            Ok(_) => Ok(()),
            Err(RegistryError::Refused(refusal)) if refusal.code == "PRECONDITION" => {
                Err(Error::ImmutableTag(reference.to_string()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Signatures, attestations and SBOMs under tags made of the digest, and whatever refers to it, and what hangs on that.
    async fn copy_attachments(
        &self,
        scopes: Scopes<'_>,
        source: &Repository,
        digest: &Digest,
        target: &Repository,
    ) -> Result<(), Error> {
        let mut left = vec![digest.clone()];
        while let Some(digest) = left.pop() {
            for tag in attachments::tags(&digest)? {
                self.copy_attached(source, tag, target).await?;
            }
            for referrer in self.registry.referrers(source, &digest, None)? {
                let referrer = self.manifest(source, &referrer.digest)?;
                let place = Reference::Digest(referrer.digest.clone());
                self.copy_manifest(source, &referrer, target, &place, Origin::Internal).await?;
                left.push(referrer.digest);
            }
        }
        self.copy_signature(scopes, source, digest, target).await
    }

    async fn copy_attached(&self, source: &Repository, tag: Tag, target: &Repository) -> Result<(), Error> {
        let tag = Reference::Tag(tag);
        let Some(attached) = self.registry.manifest_info(source, &tag)? else { return Ok(()) };
        // What is there already may be of the destination's own key.
        if self.registry.manifest_info(target, &tag)?.is_some() {
            return Ok(());
        }
        for child in &attached.children {
            let child = self.manifest(source, child)?;
            let place = Reference::Digest(child.digest.clone());
            self.copy_manifest(source, &child, target, &place, Origin::Internal).await?;
        }
        self.copy_manifest(source, &attached, target, &tag, Origin::Internal).await
    }

    /// What `DescribeImages` shows of the source is shown of the copy, unless it has been signed by itself.
    async fn copy_signature(
        &self,
        scopes: Scopes<'_>,
        source: &Repository,
        digest: &Digest,
        target: &Repository,
    ) -> Result<(), Error> {
        let (from, to) = (image_key(source, digest), image_key(target, digest));
        let (source_scope, target_scope) = (scopes.source.clone(), scopes.target.clone());
        let copy = move |tx: &mut rookery_store::Transaction<'_>| {
            if let Some(row) = tx.get::<Signatures>(&source_scope, &from)?
                && !row.withdrawing
            {
                tx.insert::<Signatures>(&target_scope, &to, &row)?;
            }
            Ok(())
        };
        Ok(self.store.write::<_, rookery_store::StoreError, _>(copy).await?)
    }
}
