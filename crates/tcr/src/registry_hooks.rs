//! What must happen when content changes: pushes are checked against the instance, noted in the repository's row, and put on the
//! signing queue; deletions take the product's rows along.

use std::sync::{Arc, OnceLock, Weak};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::StatusCode;
use rookery_gateway::Refusal as _;
use rookery_registry::{
    Deleted, Deletion, Digest, Hooks, ManifestPush, Origin, Pull, Reference, Refusal, Repository, Tag,
};
use rookery_signing::attached::{is_attached_tag, is_signature_tag};
use rookery_store::Regional;
use rookery_store::{Read, Scan, Store, StoreError, Table, Transaction};
use rookery_world::World;

use crate::attachments::{Orphaned, OrphanedRow};
use crate::error::Error;
use crate::immutable_tags;
use crate::instances::{self, Instance, Status};
use crate::moments::Moment;
use crate::namespaces;
use crate::repositories::{self, Repositories, RepositoryRow};
use crate::service_accounts::{self, ServiceAccounts};
use crate::signatures::{self, ImageKey, Signatures, Signing, image_key};
use crate::signing_queue::{self, SigningQueue};
use crate::sync_runs;
use crate::webhook_deliveries::{self, Event};
use crate::webhooks::{self, PullListeners};

/// The other half of the registry's questions.
#[derive(Clone)]
pub(crate) struct RegistryHooks {
    store: Store,
    world: World,
    suffix: Arc<str>,
    pub(crate) pull_listeners: PullListeners,
    /// Set once the registry is there, which needs these hooks first; weak, because what signs holds the registry.
    signing: Arc<OnceLock<Weak<Signing>>>,
}

impl RegistryHooks {
    pub(crate) fn new(store: Store, world: World, suffix: &str) -> Self {
        let (suffix, pull_listeners) = (suffix.into(), PullListeners::default());
        Self { store, world, suffix, pull_listeners, signing: Arc::default() }
    }

    /// Says who signs what is pushed. Until then pushes only go on the queue.
    pub(crate) fn connect(&self, signing: &Arc<Signing>) {
        self.signing.get_or_init(|| Arc::downgrade(signing));
    }
}

impl RegistryHooks {
    /// A tag that a client has put is an event; what is attached to an image is none.
    fn tell_push(
        &self,
        tx: &mut Transaction<'_>,
        instance: &Instance,
        push: &ManifestPush,
    ) -> Result<(), StoreError> {
        let Reference::Tag(tag) = &push.reference else { return Ok(()) };
        if is_attached_tag(tag.as_str()) || push.subject.is_some() {
            return Ok(());
        }
        let event = Event {
            name: webhooks::PUSH,
            repository: &push.repository,
            digest: &push.digest,
            tags: vec![tag.as_str()],
            operator: push.pusher.as_ref().map_or("", |pusher| &pusher.id),
            at: push.pushed_at.into(),
        };
        webhook_deliveries::enqueue(tx, instance, &self.suffix, &event)
    }

    fn tell_deletion(
        &self,
        tx: &mut Transaction<'_>,
        instance: &Instance,
        deletion: &Deletion,
        digest: &Digest,
        tags: &[Tag],
    ) -> Result<(), StoreError> {
        let Origin::Client(subject) = &deletion.origin else { return Ok(()) };
        let tags: Vec<&str> = tags.iter().map(Tag::as_str).filter(|tag| !is_attached_tag(tag)).collect();
        let event = Event {
            name: webhooks::DELETE,
            repository: &deletion.repository,
            digest,
            tags,
            operator: subject.as_ref().map_or("", |subject| &subject.id),
            at: self.world.now().into(),
        };
        webhook_deliveries::enqueue(tx, instance, &self.suffix, &event)
    }
}

impl RegistryHooks {
    /// A pull by digest is one of every tag of the image; one of what has no tag (an image of an index, a signature) is no event.
    async fn tell_pull(self, repository: Repository, reference: Reference, digest: Digest, operator: String) {
        let Some(signing) = self.signing.get().and_then(Weak::upgrade) else { return };
        let tags = match reference {
            Reference::Tag(tag) => Ok(vec![tag]),
            Reference::Digest(digest) => signing.registry.tags_of(&repository, &digest),
        };
        let at = self.world.now().into();
        let told = match tags {
            Ok(tags) => {
                let (suffix, place) = (Arc::clone(&self.suffix), repository.clone());
                let write = move |tx: &mut Transaction<'_>| {
                    let Some(instance) = instances::find(tx, place.registry().as_str())? else {
                        return Ok::<_, StoreError>(());
                    };
                    let tags = tags.iter().map(Tag::as_str).filter(|tag| !is_attached_tag(tag)).collect();
                    let (repository, digest, operator) = (&place, &digest, operator.as_str());
                    let event = Event { name: webhooks::PULL, repository, digest, tags, operator, at };
                    webhook_deliveries::enqueue(tx, &instance, &suffix, &event)
                };
                self.store.write(write).await.map_err(Error::from)
            }
            Err(error) => Err(error.into()),
        };
        if let Err(error) = told {
            let internal = error.internal();
            tracing::error!(%repository, %error, internal, "a pull cannot be told");
        }
    }
}

impl Hooks for RegistryHooks {
    fn accept(&self, tx: &mut Transaction<'_>, push: &ManifestPush) -> Result<(), Refusal> {
        let now = Moment::from(push.pushed_at);
        let instance = accepting_instance(tx, &push.repository, now)?;
        if let (Reference::Tag(tag), Some(previous)) = (&push.reference, &push.previous)
            && *previous != push.digest
            && immutable_tags::is_immutable(tx, &instance, &push.repository, tag.as_str())?
        {
            return Err(immutable_tags::refusal(&push.repository, tag.as_str()));
        }
        may_create(tx, &instance, push)?;
        note_repository(tx, &instance, push.repository.name(), now)?;
        self.tell_push(tx, &instance, push)?;
        sync_runs::note_push(tx, &instance, push)?;
        Ok(signing_queue::enqueue(tx, &instance, push, &self.suffix)?)
    }

    fn accepted(&self, push: ManifestPush) -> BoxFuture<'_, ()> {
        async move {
            let Some(signing) = self.signing.get().and_then(Weak::upgrade) else { return };
            signing.sign_pushed(&push.repository, &push.digest).await;
        }
        .boxed()
    }

    fn pulled(&self, pull: &Pull<'_>) -> Option<BoxFuture<'static, ()>> {
        let (registry, namespace) = (pull.repository.registry().as_str(), pull.repository.namespace());
        if !self.pull_listeners.contains(registry, namespace) {
            return None;
        }
        let operator = pull.puller.map_or_else(String::new, |puller| puller.id.clone());
        let (repository, reference) = (pull.repository.clone(), pull.reference.clone());
        Some(self.clone().tell_pull(repository, reference, pull.digest.clone(), operator).boxed())
    }

    fn deleted(&self, tx: &mut Transaction<'_>, deletion: &Deletion) -> Result<(), Refusal> {
        let repository = &deletion.repository;
        // Of a deleted instance nothing is left to take along.
        let Some(instance) = instances::find(tx, repository.registry().as_str())? else { return Ok(()) };
        match &deletion.target {
            Deleted::Repository => forget_repository(tx, &instance, repository)?,
            Deleted::Tag { tag, digest } => {
                keep_immutable(tx, &instance, repository, std::slice::from_ref(tag), &deletion.origin)?;
                self.tell_deletion(tx, &instance, deletion, digest, std::slice::from_ref(tag))?;
                sync_runs::note_deletion(
                    tx,
                    &instance,
                    deletion,
                    std::slice::from_ref(tag),
                    self.world.now(),
                )?;
                forget_signature(tx, &instance, repository, tag, &deletion.origin)?;
            }
            Deleted::Manifest { digest, tags, subject } => {
                keep_immutable(tx, &instance, repository, tags, &deletion.origin)?;
                self.tell_deletion(tx, &instance, deletion, digest, tags)?;
                sync_runs::note_deletion(tx, &instance, deletion, tags, self.world.now())?;
                if let (Some(subject), Origin::Client(_)) = (subject, &deletion.origin) {
                    let image = image_key(repository, subject);
                    signatures::note_deleted(tx, &instance, &image, |row| row.forget_referrer(digest))?;
                }
                for tag in tags {
                    forget_signature(tx, &instance, repository, tag, &deletion.origin)?;
                }
                let key = image_key(repository, digest);
                tx.delete::<Signatures>(&instance.scope, &key)?;
                tx.delete::<SigningQueue>(&instance.scope, &key)?;
                // Nothing hangs on what itself hangs on an image.
                if !tags.iter().any(|tag| is_attached_tag(tag.as_str())) {
                    let row = OrphanedRow { deleted_at: self.world.now().into() };
                    tx.put::<Orphaned>(&instance.scope, &key, &row)?;
                }
            }
        }
        Ok(())
    }
}

impl Signing {
    /// Signs an image that was just pushed, if it is on the queue. What fails stays there.
    async fn sign_pushed(&self, repository: &Repository, digest: &Digest) {
        let key = image_key(repository, digest);
        let signed = match self.store.read(|view| instances::find(view, repository.registry().as_str())) {
            Ok(Some(instance)) => self.sign_pending(&instance.scope, &key).await,
            Ok(None) => Ok(()),
            Err(error) => Err(error.into()),
        };
        if let Err(error) = signed {
            let internal = error.internal();
            tracing::error!(%repository, %digest, %error, internal, "the signing queue cannot be used");
        }
    }
}

/// The instance and namespace that a push goes to must be there, and the instance must run.
fn accepting_instance(
    tx: &Transaction<'_>,
    repository: &Repository,
    now: Moment,
) -> Result<Instance, Refusal> {
    let unknown = |message: String| Refusal::new(StatusCode::NOT_FOUND, "NAME_UNKNOWN", message);
    let Some(instance) = instances::find(tx, repository.registry().as_str())? else {
        return Err(unknown("the instance does not exist".to_owned()));
    };
    let status = instance.row.status(now);
    if status != Status::Running {
        return Err(Refusal::denied(format!("the instance is {}, not Running", status.name())));
    }
    let Some((namespace, _)) = repository.name().split_once('/') else {
        return Err(unknown("a repository is named <namespace>/<repository>".to_owned()));
    };
    if namespaces::find(tx, &instance, namespace)?.is_none() {
        return Err(unknown(format!("the namespace {namespace} does not exist")));
    }
    Ok(instance)
}

/// A service account makes repositories only where its permissions say so.
fn may_create(tx: &Transaction<'_>, instance: &Instance, push: &ManifestPush) -> Result<(), Refusal> {
    let Some((_, account)) = push.pusher.as_ref().and_then(service_accounts::of_subject) else {
        return Ok(());
    };
    if repositories::find(tx, instance, push.repository.name())?.is_some() {
        return Ok(());
    }
    let row = tx.get::<ServiceAccounts>(&instance.scope, &(instance.id.as_str(), account))?;
    if row.is_some_and(|row| row.may_create(push.repository.namespace())) {
        return Ok(());
    }
    Err(Refusal::denied(format!(
        "the service account {account} may not create the repository {}: it lacks tcr:CreateRepository",
        push.repository.name()
    )))
}

/// The first push makes the repository, every push changes it.
fn note_repository(
    tx: &mut Transaction<'_>,
    instance: &Instance,
    name: &str,
    now: Moment,
) -> Result<(), Refusal> {
    if let Some(row) = repositories::find(tx, instance, name)? {
        let row = RepositoryRow { updated_at: now, ..row };
        tx.put::<Repositories>(&instance.scope, &(instance.id.clone(), name.to_owned()), &row)?;
        return Ok(());
    }
    repositories::create(tx, instance, name, &RepositoryRow::new(now)).map_err(|error| match error {
        Error::Store(error) => Refusal::from(error),
        told => Refusal::denied(told.to_string()),
    })
}

/// A client cannot take an immutable tag away, nor what it names.
fn keep_immutable(
    tx: &Transaction<'_>,
    instance: &Instance,
    repository: &Repository,
    tags: &[Tag],
    origin: &Origin,
) -> Result<(), Refusal> {
    if matches!(origin, Origin::Internal) {
        return Ok(());
    }
    for tag in tags {
        if immutable_tags::is_immutable(tx, instance, repository, tag.as_str())? {
            return Err(immutable_tags::refusal(repository, tag.as_str()));
        }
    }
    Ok(())
}

fn forget_repository(
    tx: &mut Transaction<'_>,
    instance: &Instance,
    repository: &Repository,
) -> Result<(), StoreError> {
    let key = (instance.id.clone(), repository.name().to_owned());
    tx.delete::<Repositories>(&instance.scope, &key)?;
    forget_images::<Signatures>(tx, instance, &key)?;
    forget_images::<SigningQueue>(tx, instance, &key)?;
    forget_images::<Orphaned>(tx, instance, &key)
}

fn forget_images<T>(
    tx: &mut Transaction<'_>,
    instance: &Instance,
    repository: &(String, String),
) -> Result<(), StoreError>
where
    T: Table<Scope = Regional, Key = ImageKey>,
{
    for key in tx.scan_keys::<T>(&instance.scope, Scan::all().prefix(repository))? {
        tx.delete::<T>(&instance.scope, &key)?;
    }
    Ok(())
}

/// A client that deletes the tag of an image's signatures has deleted them: the image no longer shows one.
fn forget_signature(
    tx: &mut Transaction<'_>,
    instance: &Instance,
    repository: &Repository,
    tag: &Tag,
    origin: &Origin,
) -> Result<(), StoreError> {
    let by_client = matches!(origin, Origin::Client(_));
    if let Some(digits) = tag.as_str().strip_prefix("sha256-").and_then(|rest| rest.strip_suffix(".sig"))
        && by_client
        && is_signature_tag(tag.as_str())
    {
        let (registry, name) = (instance.id.clone(), repository.name().to_owned());
        let image = (registry, name, format!("sha256:{digits}"));
        signatures::note_deleted(tx, instance, &image, |row| row.signature.clear())?;
    }
    Ok(())
}
