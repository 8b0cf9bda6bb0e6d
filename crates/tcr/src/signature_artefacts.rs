//! What a signature is in the registry: a layer under the `.sig` tag of the image for cosign up to version 2 and containers/image, and
//! two referrers of the image, a Sigstore bundle and a Notation envelope.
//!
//! The caller holds the lock of the image ([`Signing::lock`]) where something is attached or detached.

use bytes::Bytes;
use rookery_registry::{Digest, Origin, Reference, Repository, Tag};
use rookery_signing::attached::Pushed;
use rookery_signing::notation::Envelope;
use rookery_signing::simple::{self, Remainder, Signature};
use rookery_signing::{Artefact, Digest as ImageDigest, KEY_ANNOTATION, KeyName, KeyUsage, Subject};
use rookery_signing::{bundle, notation};
use serde::Deserialize;
use time::OffsetDateTime;

use crate::attachments::unless_gone;
use crate::certificates::unusable;
use crate::error::Error;
use crate::signatures::Signing;

/// An image that a key is to sign.
pub(crate) struct Task<'a> {
    pub(crate) repository: &'a Repository,
    pub(crate) digest: &'a Digest,
    pub(crate) subject: Subject,
    pub(crate) key: KeyName,
    pub(crate) usage: KeyUsage,
    /// Whether a Sigstore bundle is wanted.
    pub(crate) bundle: bool,
    pub(crate) docker_reference: String,
    pub(crate) now: OffsetDateTime,
}

/// The signed text of the first format, and the signature.
pub(crate) struct SimpleSignature {
    payload: Vec<u8>,
    pub(crate) raw: Vec<u8>,
}

/// What of a manifest tells a signature in the first format.
#[derive(Default, Deserialize)]
struct Layers {
    #[serde(default)]
    layers: Vec<Layer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layer {
    media_type: String,
}

impl Signing {
    /// The image as the other formats name it, if it is there. What is attached to an image is never signed itself.
    pub(crate) fn subject(
        &self,
        repository: &Repository,
        digest: &Digest,
        image: ImageDigest,
    ) -> Result<Subject, Error> {
        let found = self.registry.get_manifest(repository, &Reference::Digest(digest.clone()))?;
        let found = found.ok_or_else(|| Error::NoImage { reference: digest.to_string() })?;
        // An index has no layers, and nothing else that was accepted is unreadable.
        let layers = serde_json::from_slice::<Layers>(&found.bytes).unwrap_or_default().layers;
        let layers: Vec<_> = layers.iter().map(|layer| layer.media_type.as_str()).collect();
        let pushed = Pushed {
            tag: None,
            artifact_type: found.info.artifact_type.as_deref(),
            config_media_type: found.info.config_media_type.as_deref(),
            layer_media_types: &layers,
            has_subject: found.info.subject.is_some(),
        };
        if !pushed.is_signable() {
            return Err(Error::Unsignable);
        }
        Ok(Subject { media_type: found.info.media_type, digest: image, size: found.info.size })
    }

    pub(crate) async fn make_simple(&self, task: &Task<'_>) -> Result<SimpleSignature, Error> {
        let payload = simple::payload(&task.docker_reference, &task.subject.digest);
        let algorithm = task.usage.algorithm();
        let raw = self.signer.sign(&task.key, algorithm, &payload).await.map_err(Error::KeyService)?;
        Ok(SimpleSignature { payload, raw })
    }

    pub(crate) async fn make_bundle(&self, task: &Task<'_>) -> Result<Artefact, Error> {
        let described = self.signer.describe(&task.key).await.map_err(Error::KeyService)?;
        let statement = bundle::statement(&task.subject.digest);
        let bytes = bundle::pre_authentication_encoding(&statement);
        let algorithm = task.usage.algorithm();
        let raw = self.signer.sign(&task.key, algorithm, &bytes).await.map_err(Error::KeyService)?;
        let (statement, public_key) = (statement.as_slice(), described.public_key.as_slice());
        let signature = bundle::Signature { statement, raw: &raw, key: &task.key, public_key };
        Ok(bundle::artefact(&task.subject, signature, task.now))
    }

    pub(crate) async fn make_envelope(&self, task: &Task<'_>) -> Result<Artefact, Error> {
        let certificate = self.credentials(&task.key).await?.certificate;
        let envelope = Envelope::new(task.subject.clone(), task.usage, task.now);
        let signed = self.signer.sign(&task.key, envelope.algorithm(), &envelope.to_be_signed()).await;
        let raw = signed.map_err(Error::KeyService)?;
        envelope.artefact(&raw, &certificate, &task.key).map_err(|error| unusable(&error))
    }

    /// Puts a signature of the first format beside those that are there, in the place of what the same key has signed.
    pub(crate) async fn attach_simple(
        &self,
        task: &Task<'_>,
        SimpleSignature { payload, raw }: &SimpleSignature,
    ) -> Result<(), Error> {
        let existing = self.registry.get_manifest(task.repository, &signature_tag(&task.subject.digest)?)?;
        let existing = existing.as_ref().map(|manifest| &*manifest.bytes);
        let signature = Signature { payload, raw, key: &task.key };
        let artefact =
            simple::artefact(existing, &task.subject.digest, signature).map_err(Error::SignaturesOccupied)?;
        self.push(task.repository, artefact).await.map(drop)
    }

    /// Puts a referrer in the place of those of its type that the same key has made; tells its digest.
    pub(crate) async fn attach_referrer(
        &self,
        task: &Task<'_>,
        artifact_type: &str,
        referrer: Artefact,
    ) -> Result<Digest, Error> {
        let digest = self.push(task.repository, referrer).await?;
        self.detach_referrers(task.repository, task.digest, artifact_type, &task.key, Some(&digest)).await?;
        Ok(digest)
    }

    /// Takes everything that a key has signed away from an image. What somebody else has put there stays.
    pub(crate) async fn detach(
        &self,
        repository: &Repository,
        digest: &Digest,
        key: &KeyName,
    ) -> Result<(), Error> {
        let image: ImageDigest = digest.as_str().parse().map_err(|_| Error::Unsignable)?;
        self.detach_simple(repository, &image, key).await?;
        for artifact_type in [bundle::ARTIFACT_TYPE, notation::ARTIFACT_TYPE] {
            self.detach_referrers(repository, digest, artifact_type, key, None).await?;
        }
        Ok(())
    }

    async fn detach_simple(
        &self,
        repository: &Repository,
        image: &ImageDigest,
        key: &KeyName,
    ) -> Result<(), Error> {
        let Some(manifest) = self.registry.get_manifest(repository, &signature_tag(image)?)? else {
            return Ok(());
        };
        match simple::without(&manifest.bytes, image, key) {
            Ok(Remainder::Others(artefact)) => self.push(repository, artefact).await.map(drop),
            Ok(Remainder::Nothing) => unless_gone(
                self.registry.delete_manifest(repository, &manifest.info.digest, Origin::Internal).await,
            ),
            // Nothing of ours is in what is no list of signatures.
            Ok(Remainder::Unchanged) | Err(_) => Ok(()),
        }
    }

    async fn detach_referrers(
        &self,
        repository: &Repository,
        digest: &Digest,
        artifact_type: &str,
        key: &KeyName,
        except: Option<&Digest>,
    ) -> Result<(), Error> {
        let key = key.to_string();
        for referrer in self.registry.referrers(repository, digest, Some(artifact_type))? {
            if referrer.annotations.get(KEY_ANNOTATION) == Some(&key) && Some(&referrer.digest) != except {
                unless_gone(
                    self.registry.delete_manifest(repository, &referrer.digest, Origin::Internal).await,
                )?;
            }
        }
        Ok(())
    }

    async fn push(&self, repository: &Repository, artefact: Artefact) -> Result<Digest, Error> {
        for blob in artefact.blobs {
            self.registry.put_blob(repository, Bytes::from(blob.bytes)).await?;
        }
        let manifest = Bytes::from(artefact.manifest);
        let reference = match artefact.tag {
            Some(tag) => Reference::Tag(Tag::new(tag).map_err(rookery_registry::Error::from)?),
            None => Reference::Digest(Digest::sha256(&manifest)),
        };
        let stored = self
            .registry
            .put_manifest(repository, &reference, artefact.media_type, manifest, Origin::Internal)
            .await?;
        Ok(stored.digest)
    }
}

fn signature_tag(image: &ImageDigest) -> Result<Reference, Error> {
    Ok(Reference::Tag(Tag::new(simple::tag(image)).map_err(rookery_registry::Error::from)?))
}
