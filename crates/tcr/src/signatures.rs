//! Signatures: making one, putting it beside its image for cosign and its kin to find, and taking it back.
//!
//! A signature is two things: the artefact in the registry (`simple` of the signing crate), and a row that says what
//! `DescribeImages` shows. Whoever changes either holds the lock of the image, so neither contradicts the other for long.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use rookery_registry::{Digest, Origin, Reference, Registry, Repository, Tag};
use rookery_signing::simple::{self, Remainder, Signature};
use rookery_signing::{Artefact, Digest as ImageDigest, KeyName, Signer};
use rookery_store::{ErasedIndex, Index, Read, Regional, Scan, Store, StoreError, Table, Transaction};
use rookery_world::World;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, MutexGuard};

use crate::error::Error;
use crate::instances::Instance;
use crate::moments::Moment;
use crate::signature_policies::{self, PolicyRow};
use crate::signing_queue::SigningQueue;

/// How many images can be worked on at once.
const LOCKS: usize = 64;

/// Rows read at once where a namespace is gone through.
const BATCH: usize = 200;

/// `(instance, repository, digest)`.
pub(crate) type ImageKey = (String, String, String);

/// The key of an image's rows.
pub(crate) fn image_key(repository: &Repository, digest: &Digest) -> ImageKey {
    (repository.registry().to_string(), repository.name().to_owned(), digest.to_string())
}

/// The signature of each image that a policy has signed.
pub(crate) struct Signatures;

/// What is kept of a signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SignatureRow {
    /// The raw signature in standard base64.
    pub(crate) signature: String,
    pub(crate) kms_id: String,
    pub(crate) kms_region: String,
    /// What the signature says that the image is called.
    pub(crate) docker_reference: String,
    pub(crate) made_at: Moment,
    /// The policy is gone, and the artefact is about to go.
    pub(crate) withdrawing: bool,
}

impl SignatureRow {
    fn key(&self, scope: &Regional) -> KeyName {
        KeyName { account: scope.uin, region: self.kms_region.clone(), id: self.kms_id.clone() }
    }

    /// Whether signing under the policy again would say nothing new.
    pub(crate) fn is_made_by(&self, policy: &PolicyRow, docker_reference: &str) -> bool {
        !self.withdrawing
            && self.kms_id == policy.kms_id
            && self.kms_region == policy.kms_region
            && self.docker_reference == docker_reference
    }
}

impl Table for Signatures {
    const NAME: &'static str = "tcr.signatures";
    type Scope = Regional;
    type Key = ImageKey;
    type Row = SignatureRow;
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&Withdrawing];
}

/// The signatures whose artefacts are about to go.
pub(crate) struct Withdrawing;

impl Index for Withdrawing {
    type Table = Signatures;
    type Value = bool;
    const NAME: &'static str = "withdrawing";
    const UNIQUE: bool = false;

    fn value(_: &Regional, _: &ImageKey, row: &SignatureRow) -> Option<bool> {
        row.withdrawing.then_some(true)
    }
}

/// The signature that `DescribeImages` shows of an image, in base64; empty where there is none.
pub(crate) fn shown(
    read: &impl Read,
    instance: &Instance,
    repository: &Repository,
    digest: &Digest,
) -> Result<String, StoreError> {
    let row = read.get::<Signatures>(&instance.scope, &image_key(repository, digest))?;
    Ok(row.filter(|row| !row.withdrawing).map_or_else(String::new, |row| row.signature))
}

/// Marks the signatures of a namespace as withdrawn; says whose. The artefacts go with [`Signing::withdraw`].
pub(crate) fn withdraw_all(
    tx: &mut Transaction<'_>,
    instance: &Instance,
    namespace: &str,
) -> Result<Vec<ImageKey>, StoreError> {
    let rows = in_namespace::<Signatures>(tx, instance, namespace)?;
    for (key, row) in &rows {
        let row = SignatureRow { withdrawing: true, ..row.clone() };
        tx.put::<Signatures>(&instance.scope, key, &row)?;
    }
    Ok(rows.into_iter().map(|(key, _)| key).collect())
}

/// The rows of a table of images that belong to one namespace.
pub(crate) fn in_namespace<T>(
    read: &impl Read,
    instance: &Instance,
    namespace: &str,
) -> Result<Vec<(ImageKey, T::Row)>, StoreError>
where
    T: Table<Scope = Regional, Key = ImageKey>,
{
    let start = format!("{namespace}/");
    let (mut found, mut last) = (Vec::new(), (instance.id.clone(), start.clone(), String::new()));
    loop {
        let scan = Scan::all().prefix(instance.id.as_str()).after(&last).limit(BATCH);
        let rows = read.scan::<T>(&instance.scope, scan)?;
        let Some((key, _)) = rows.last() else { return Ok(found) };
        last = key.clone();
        let seen = rows.len();
        // Names of one namespace lie together, so the first of another ends the search.
        found.extend(rows.into_iter().take_while(|(key, _)| key.1.starts_with(&start)));
        if seen < BATCH || !last.1.starts_with(&start) {
            return Ok(found);
        }
    }
}

/// What signs images.
pub(crate) struct Signing {
    pub(crate) store: Store,
    pub(crate) world: World,
    pub(crate) registry: Registry,
    signer: Arc<dyn Signer>,
    suffix: String,
    /// By image: signing, withdrawing and cleaning up read the artefact, change it and write it back.
    locks: Vec<Mutex<()>>,
}

impl Signing {
    pub(crate) fn new(
        store: Store,
        world: World,
        registry: Registry,
        signer: Arc<dyn Signer>,
        suffix: String,
    ) -> Self {
        Self { store, world, registry, signer, suffix, locks: (0..LOCKS).map(|_| Mutex::new(())).collect() }
    }

    /// The one lock of an image; images share locks, but the same image has always the same.
    pub(crate) async fn lock(&self, digest: &Digest) -> Option<MutexGuard<'_, ()>> {
        let start = digest.hex().get(..4).and_then(|hex| usize::from_str_radix(hex, 16).ok())?;
        match self.locks.get(start % LOCKS) {
            Some(lock) => Some(lock.lock().await),
            None => None,
        }
    }

    /// Signs an image under a policy, in the place of what the same key has signed before, and takes it off the queue.
    pub(crate) async fn sign(
        &self,
        instance: &Instance,
        policy: &PolicyRow,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<(), Error> {
        let image: ImageDigest = digest.as_str().parse().map_err(|_| Error::Unsignable)?;
        let key = policy.key(&instance.scope);
        let docker_reference = policy.docker_reference(instance, &self.suffix, repository.name());
        let payload = simple::payload(&docker_reference, &image);
        let algorithm = simple::algorithm(policy.usage.into());
        let raw = self.signer.sign(&key, algorithm, &payload).await.map_err(Error::KeyService)?;
        let row = SignatureRow {
            signature: STANDARD.encode(&raw),
            kms_id: policy.kms_id.clone(),
            kms_region: policy.kms_region.clone(),
            docker_reference,
            made_at: self.world.now().into(),
            withdrawing: false,
        };

        let _alone = self.lock(digest).await;
        self.require(repository, digest)?;
        self.attach(repository, &image, Signature { payload: &payload, raw: &raw, key: &key }).await?;
        if !self.keep(instance, repository, digest, row).await? {
            self.detach(repository, &image, &key).await?;
            return Err(Error::NoPolicy(repository.namespace().to_owned()));
        }
        // An image deleted while it was being signed leaves nothing behind.
        if let Err(gone) = self.require(repository, digest) {
            self.forget(instance, repository, digest).await?;
            self.detach(repository, &image, &key).await?;
            return Err(gone);
        }
        Ok(())
    }

    fn require(&self, repository: &Repository, digest: &Digest) -> Result<(), Error> {
        match self.registry.manifest_info(repository, &Reference::Digest(digest.clone()))? {
            Some(_) => Ok(()),
            None => Err(Error::NoImage { reference: digest.to_string() }),
        }
    }

    /// Keeps the row if the policy still is what signed, and takes the image off the queue either way.
    async fn keep(
        &self,
        instance: &Instance,
        repository: &Repository,
        digest: &Digest,
        row: SignatureRow,
    ) -> Result<bool, StoreError> {
        let (instance, key) = (instance.clone(), image_key(repository, digest));
        let namespace = repository.namespace().to_owned();
        self.store
            .write(move |tx| {
                tx.delete::<SigningQueue>(&instance.scope, &key)?;
                let policy = signature_policies::find(tx, &instance, &namespace)?;
                let current = policy
                    .is_some_and(|policy| !policy.disabled && row.is_made_by(&policy, &row.docker_reference));
                if current {
                    tx.put::<Signatures>(&instance.scope, &key, &row)?;
                }
                Ok(current)
            })
            .await
    }

    async fn forget(
        &self,
        instance: &Instance,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<(), StoreError> {
        let (scope, key) = (instance.scope.clone(), image_key(repository, digest));
        self.store.write(move |tx| tx.delete::<Signatures>(&scope, &key).map(drop)).await
    }

    /// Takes a withdrawn signature out of the registry, and its row away. One that was made anew meanwhile stays.
    pub(crate) async fn withdraw(&self, scope: &Regional, key: &ImageKey) -> Result<(), Error> {
        let (repository, digest) = image_of(key)?;
        let _alone = self.lock(&digest).await;
        let row = self.store.read(|view| view.get::<Signatures>(scope, key))?;
        let Some(row) = row.filter(|row| row.withdrawing) else { return Ok(()) };
        let image: ImageDigest = digest.as_str().parse().map_err(|_| Error::Unsignable)?;
        self.detach(&repository, &image, &row.key(scope)).await?;
        let (scope, key) = (scope.clone(), key.clone());
        self.store.write(move |tx| tx.delete::<Signatures>(&scope, &key).map(drop)).await?;
        Ok(())
    }

    /// At most `limit` withdrawn signatures that are still there.
    pub(crate) fn withdrawn(&self, limit: usize) -> Result<Vec<(Regional, ImageKey)>, StoreError> {
        let rows = self.store.read(|view| view.scan_index::<Withdrawing>(Scan::all().limit(limit)))?;
        Ok(rows.into_iter().map(|(scope, key, _)| (scope, key)).collect())
    }

    /// Puts a signature beside those that are there.
    async fn attach(
        &self,
        repository: &Repository,
        image: &ImageDigest,
        signature: Signature<'_>,
    ) -> Result<(), Error> {
        let existing = self.registry.get_manifest(repository, &signature_tag(image)?)?;
        let existing = existing.as_ref().map(|manifest| &*manifest.bytes);
        let artefact = simple::artefact(existing, image, signature).map_err(Error::SignaturesOccupied)?;
        self.push(repository, artefact).await
    }

    /// Takes what a key has signed out of the signatures of an image. What somebody else has put there stays.
    async fn detach(&self, repository: &Repository, image: &ImageDigest, key: &KeyName) -> Result<(), Error> {
        let Some(manifest) = self.registry.get_manifest(repository, &signature_tag(image)?)? else {
            return Ok(());
        };
        match simple::without(&manifest.bytes, image, key) {
            Ok(Remainder::Others(artefact)) => self.push(repository, artefact).await,
            Ok(Remainder::Nothing) => {
                match self.registry.delete_manifest(repository, &manifest.info.digest, Origin::Internal).await
                {
                    Ok(()) | Err(rookery_registry::Error::ManifestUnknown(_)) => Ok(()),
                    Err(error) => Err(error.into()),
                }
            }
            // Nothing of ours is in what is no list of signatures.
            Ok(Remainder::Unchanged) | Err(_) => Ok(()),
        }
    }

    async fn push(&self, repository: &Repository, artefact: Artefact) -> Result<(), Error> {
        for blob in artefact.blobs {
            self.registry.put_blob(repository, Bytes::from(blob.bytes)).await?;
        }
        let tag = Reference::Tag(Tag::new(artefact.tag).map_err(rookery_registry::Error::from)?);
        let manifest = Bytes::from(artefact.manifest);
        self.registry.put_manifest(repository, &tag, artefact.media_type, manifest, Origin::Internal).await?;
        Ok(())
    }
}

fn signature_tag(image: &ImageDigest) -> Result<Reference, Error> {
    Ok(Reference::Tag(Tag::new(simple::tag(image)).map_err(rookery_registry::Error::from)?))
}

/// The image of a key.
pub(crate) fn image_of((registry, name, digest): &ImageKey) -> Result<(Repository, Digest), Error> {
    let registry = rookery_registry::RegistryId::new(registry.clone());
    let repository = Repository::new(registry, name.clone()).map_err(rookery_registry::Error::from)?;
    let digest = digest.parse::<Digest>().map_err(rookery_registry::Error::from)?;
    Ok((repository, digest))
}
