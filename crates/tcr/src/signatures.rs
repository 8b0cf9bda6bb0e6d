//! Signatures: making one, putting it beside its image for every kind of verifier to find, and taking it back.
//!
//! A signature is two things: what is in the registry, in three formats ([`signature_artefacts`](crate::signature_artefacts)), and a
//! row that says what `DescribeImages` shows and which formats are there. Whoever changes either holds the lock of the image, so
//! neither contradicts the other for long.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rookery_registry::{Digest, Reference, Registry, Repository};
use rookery_signing::{Artefact, Digest as ImageDigest, KeyName, Signer, bundle, notation};
use rookery_store::{ErasedIndex, Index, Read, Regional, Scan, Store, StoreError, Table, Transaction};
use rookery_world::World;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, MutexGuard};

use crate::error::Error;
use crate::instances::Instance;
use crate::moments::Moment;
use crate::signature_artefacts::{SimpleSignature, Task};
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
    /// The raw signature of the first format in standard base64; empty where that format is not there.
    pub(crate) signature: String,
    /// The digest of the referrer that holds the Sigstore bundle. Rows from before that format have none.
    #[serde(default)]
    pub(crate) bundle: Option<String>,
    /// The digest of the referrer that holds the Notation envelope. Rows from before that format have none.
    #[serde(default)]
    pub(crate) envelope: Option<String>,
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

    /// No format yet.
    fn nothing(policy: &PolicyRow, made_at: Moment) -> Self {
        Self {
            signature: String::new(),
            bundle: None,
            envelope: None,
            kms_id: policy.kms_id.clone(),
            kms_region: policy.kms_region.clone(),
            docker_reference: String::new(),
            made_at,
            withdrawing: false,
        }
    }

    /// Whether the policy's key has made what is there.
    fn is_made_by(&self, policy: &PolicyRow) -> bool {
        !self.withdrawing && self.kms_id == policy.kms_id && self.kms_region == policy.kms_region
    }

    /// Forgets a referrer that is no longer there.
    pub(crate) fn forget_referrer(&mut self, digest: &Digest) {
        for referrer in [&mut self.bundle, &mut self.envelope] {
            referrer.take_if(|kept| kept == digest.as_str());
        }
    }

    fn has_simple(&self, docker_reference: &str) -> bool {
        !self.signature.is_empty() && self.docker_reference == docker_reference
    }

    /// Whether signing under the policy again would say nothing new.
    pub(crate) fn is_whole(&self, policy: &PolicyRow, docker_reference: &str) -> bool {
        self.is_made_by(policy)
            && self.has_simple(docker_reference)
            && (self.bundle.is_some() || !policy.bundle)
            && self.envelope.is_some()
    }
}

/// Which formats to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Formats {
    /// All, in the place of what is there.
    All,
    /// Those that the image does not have under the policy.
    Missing,
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

/// Marks the signatures that a policy has made in its namespace as withdrawn and empties its queue; says whose. The artefacts go with
/// [`Signing::withdraw`].
pub(crate) fn withdraw_all(
    tx: &mut Transaction<'_>,
    instance: &Instance,
    namespace: &str,
    policy: &PolicyRow,
) -> Result<Vec<ImageKey>, StoreError> {
    let mut withdrawn = Vec::new();
    for (key, row) in in_namespace::<Signatures>(tx, instance, namespace)? {
        let row = SignatureRow { withdrawing: true, ..row };
        tx.put::<Signatures>(&instance.scope, &key, &row)?;
        withdrawn.push(key);
    }
    for (key, waiting) in in_namespace::<SigningQueue>(tx, instance, namespace)? {
        tx.delete::<SigningQueue>(&instance.scope, &key)?;
        // A process that ended before it had noted what it made has left it in the registry all the same.
        if !tx.contains::<Signatures>(&instance.scope, &key)? {
            let row =
                SignatureRow { withdrawing: true, ..SignatureRow::nothing(policy, waiting.enqueued_at) };
            tx.put::<Signatures>(&instance.scope, &key, &row)?;
            withdrawn.push(key);
        }
    }
    Ok(withdrawn)
}

/// Notes that a client has deleted what `change` takes out of the row of an image, so that the next push makes it anew.
pub(crate) fn note_deleted(
    tx: &mut Transaction<'_>,
    instance: &Instance,
    image: &ImageKey,
    change: impl FnOnce(&mut SignatureRow),
) -> Result<(), StoreError> {
    let Some(mut row) = tx.get::<Signatures>(&instance.scope, image)? else { return Ok(()) };
    change(&mut row);
    if row.signature.is_empty() && row.bundle.is_none() && row.envelope.is_none() {
        return tx.delete::<Signatures>(&instance.scope, image).map(drop);
    }
    tx.put::<Signatures>(&instance.scope, image, &row)
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
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) suffix: String,
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

    /// Signs an image under a policy, in the place of what the same key has signed before, and takes it off the queue. The formats
    /// stand alone: where one fails the others are there all the same, the image stays on the queue, and the first failure is told.
    pub(crate) async fn sign(
        &self,
        instance: &Instance,
        policy: &PolicyRow,
        repository: &Repository,
        digest: &Digest,
        formats: Formats,
    ) -> Result<(), Error> {
        let image: ImageDigest = digest.as_str().parse().map_err(|_| Error::Unsignable)?;
        let task = Task {
            repository,
            digest,
            subject: self.subject(repository, digest, image)?,
            key: policy.key(&instance.scope),
            usage: policy.usage.into(),
            bundle: policy.bundle,
            docker_reference: policy.docker_reference(instance, &self.suffix, repository.name()),
            now: self.world.now(),
        };
        let there = match formats {
            Formats::All => None,
            Formats::Missing => {
                let key = image_key(repository, digest);
                let row = self.store.read(|view| view.get::<Signatures>(&instance.scope, &key))?;
                row.filter(|row| row.is_made_by(policy))
            }
        };
        let made = self.make(&task, there.as_ref()).await;

        let _alone = self.lock(digest).await;
        self.require(repository, digest)?;
        self.finish_withdrawal(&instance.scope, repository, digest).await?;
        let attached = self.attach(&task, made).await;
        if attached.is_nothing() {
            return attached.outcome();
        }
        if !self.keep(instance, &task, policy, &attached).await? {
            self.detach(repository, digest, &task.key).await?;
            return Err(Error::NoPolicy(repository.namespace().to_owned()));
        }
        // An image deleted while it was being signed leaves nothing behind.
        if let Err(gone) = self.require(repository, digest) {
            self.forget(&instance.scope, repository, digest).await?;
            self.detach(repository, digest, &task.key).await?;
            return Err(gone);
        }
        attached.outcome()
    }

    /// Has the key sign what is not there.
    async fn make(&self, task: &Task<'_>, there: Option<&SignatureRow>) -> Made {
        let has_simple = there.is_some_and(|row| row.has_simple(&task.docker_reference));
        Made {
            simple: if has_simple { Ok(None) } else { self.make_simple(task).await.map(Some) },
            bundle: match there.and_then(|row| row.bundle.as_ref()) {
                None if task.bundle => self.make_bundle(task).await.map(Some),
                _ => Ok(None),
            },
            envelope: match there.and_then(|row| row.envelope.as_ref()) {
                Some(_) => Ok(None),
                None => self.make_envelope(task).await.map(Some),
            },
        }
    }

    async fn attach(&self, task: &Task<'_>, made: Made) -> Attached {
        let simple = match made.simple {
            Ok(Some(signature)) => {
                self.attach_simple(task, &signature).await.map(|()| Some(STANDARD.encode(&signature.raw)))
            }
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        Attached {
            simple,
            bundle: self.attach_made(task, bundle::ARTIFACT_TYPE, made.bundle).await,
            envelope: self.attach_made(task, notation::ARTIFACT_TYPE, made.envelope).await,
        }
    }

    async fn attach_made(
        &self,
        task: &Task<'_>,
        artifact_type: &str,
        made: Result<Option<Artefact>, Error>,
    ) -> Result<Option<String>, Error> {
        match made? {
            Some(artefact) => {
                Ok(Some(self.attach_referrer(task, artifact_type, artefact).await?.to_string()))
            }
            None => Ok(None),
        }
    }

    fn require(&self, repository: &Repository, digest: &Digest) -> Result<(), Error> {
        match self.registry.manifest_info(repository, &Reference::Digest(digest.clone()))? {
            Some(_) => Ok(()),
            None => Err(Error::NoImage { reference: digest.to_string() }),
        }
    }

    /// Notes what is there now if the policy still is what signed. Takes the image off the queue, unless a format is missing.
    async fn keep(
        &self,
        instance: &Instance,
        task: &Task<'_>,
        policy: &PolicyRow,
        attached: &Attached,
    ) -> Result<bool, StoreError> {
        let key = image_key(task.repository, task.digest);
        let (instance, namespace) = (instance.clone(), task.repository.namespace().to_owned());
        let (domain, now, whole) = (policy.domain.clone(), Moment::from(task.now), attached.is_whole());
        let fresh = SignatureRow {
            signature: attached.simple().unwrap_or_default().to_owned(),
            bundle: attached.bundle().map(str::to_owned),
            envelope: attached.envelope().map(str::to_owned),
            docker_reference: task.docker_reference.clone(),
            ..SignatureRow::nothing(policy, now)
        };
        self.store
            .write(move |tx| {
                let policy = signature_policies::find(tx, &instance, &namespace)?;
                let policy = policy
                    .filter(|policy| !policy.disabled && policy.domain == domain && fresh.is_made_by(policy));
                let Some(policy) = policy else { return Ok(false) };
                if whole {
                    tx.delete::<SigningQueue>(&instance.scope, &key)?;
                }
                let mut row = fresh.clone();
                if let Some(before) = tx.get::<Signatures>(&instance.scope, &key)?
                    && before.is_made_by(&policy)
                {
                    if row.signature.is_empty() {
                        (row.signature, row.docker_reference) = (before.signature, before.docker_reference);
                    }
                    row.bundle = row.bundle.or(before.bundle);
                    row.envelope = row.envelope.or(before.envelope);
                }
                tx.put::<Signatures>(&instance.scope, &key, &row)?;
                Ok(true)
            })
            .await
    }

    async fn forget(
        &self,
        scope: &Regional,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<(), StoreError> {
        let (scope, key) = (scope.clone(), image_key(repository, digest));
        self.store.write(move |tx| tx.delete::<Signatures>(&scope, &key).map(drop)).await
    }

    /// Takes a withdrawn signature out of the registry, and its row away. One that was made anew meanwhile stays.
    pub(crate) async fn withdraw(&self, scope: &Regional, key: &ImageKey) -> Result<(), Error> {
        let (repository, digest) = image_of(key)?;
        let _alone = self.lock(&digest).await;
        self.finish_withdrawal(scope, &repository, &digest).await
    }

    async fn finish_withdrawal(
        &self,
        scope: &Regional,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<(), Error> {
        let key = image_key(repository, digest);
        let row = self.store.read(|view| view.get::<Signatures>(scope, &key))?;
        let Some(row) = row.filter(|row| row.withdrawing) else { return Ok(()) };
        self.detach(repository, digest, &row.key(scope)).await?;
        Ok(self.forget(scope, repository, digest).await?)
    }

    /// At most `limit` withdrawn signatures that are still there.
    pub(crate) fn withdrawn(&self, limit: usize) -> Result<Vec<(Regional, ImageKey)>, StoreError> {
        let rows = self.store.read(|view| view.scan_index::<Withdrawing>(Scan::all().limit(limit)))?;
        Ok(rows.into_iter().map(|(scope, key, _)| (scope, key)).collect())
    }
}

/// What a key has made of an image. `None` where the image had it before.
struct Made {
    simple: Result<Option<SimpleSignature>, Error>,
    bundle: Result<Option<Artefact>, Error>,
    envelope: Result<Option<Artefact>, Error>,
}

/// What of it is in the registry: a signature in base64, the digests of two referrers.
struct Attached {
    simple: Result<Option<String>, Error>,
    bundle: Result<Option<String>, Error>,
    envelope: Result<Option<String>, Error>,
}

impl Attached {
    fn parts(&self) -> [&Result<Option<String>, Error>; 3] {
        [&self.simple, &self.bundle, &self.envelope]
    }

    fn is_whole(&self) -> bool {
        self.parts().iter().all(|part| part.is_ok())
    }

    /// Whether all that was tried failed.
    fn is_nothing(&self) -> bool {
        !self.is_whole() && self.parts().iter().all(|part| !matches!(part, Ok(Some(_))))
    }

    fn simple(&self) -> Option<&str> {
        self.simple.as_ref().ok()?.as_deref()
    }

    fn bundle(&self) -> Option<&str> {
        self.bundle.as_ref().ok()?.as_deref()
    }

    fn envelope(&self) -> Option<&str> {
        self.envelope.as_ref().ok()?.as_deref()
    }

    fn outcome(self) -> Result<(), Error> {
        self.simple?;
        self.bundle?;
        self.envelope?;
        Ok(())
    }
}

/// The image of a key.
pub(crate) fn image_of((registry, name, digest): &ImageKey) -> Result<(Repository, Digest), Error> {
    let registry = rookery_registry::RegistryId::new(registry.clone());
    let repository = Repository::new(registry, name.clone()).map_err(rookery_registry::Error::from)?;
    let digest = digest.parse::<Digest>().map_err(rookery_registry::Error::from)?;
    Ok((repository, digest))
}
