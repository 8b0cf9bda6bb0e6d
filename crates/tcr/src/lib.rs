//! TCR, the container registry: instances, namespaces, repositories, images, login tokens, and images that are signed as they
//! are pushed.
//!
//! [`Tcr`] holds the product's rows and the data plane ([`rookery_registry`]), for which it answers who may do what and acts on
//! what changes. [`register`] hands the actions to the gateway; [`Tcr::registry`] is what serves `/v2/` and `/service/token`;
//! [`Tcr::run_signing_queue`] is the work that no request waits for.
//!
//! An instance `demo1` is addressed as the host `demo1.<suffix>` or as the first segment of a path, `<any host>/demo1/…`. The password of
//! `docker login` is a token of `CreateInstanceToken`, the user name the number of who called it.

mod actions;
mod attachments;
mod background;
mod certificates;
mod cloud_tags;
mod conditions;
mod copies;
mod custom_domains;
mod editions;
mod error;
mod external_endpoint;
mod former_rows;
mod gc_jobs;
mod images;
mod immutable_tags;
mod instance_keys;
mod instances;
mod login_callers;
mod login_throttle;
mod moments;
mod names;
mod namespaces;
mod numbers;
mod paging;
mod past_tags;
mod patterns;
mod registry_access;
mod registry_hooks;
mod removals;
mod replicas;
mod repositories;
mod retention_runs;
mod service_accounts;
mod signature_artefacts;
mod signature_policies;
mod signatures;
mod signing_queue;
mod spans;
mod standing;
mod sync_rules;
mod sync_runs;
mod tag_holder;
mod tag_retention;
mod token_key;
mod tokens;
mod verification;
mod webhook_deliveries;
mod webhook_sender;
mod webhooks;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rookery_gateway::Identity;
use rookery_registry::{Registry, TokenKeyError};
use rookery_seal::{Seal, SealError};
use rookery_signing::Signer;
use rookery_store::{Store, StoreError};
use rookery_world::World;
use time::Duration;

pub use actions::register;
pub use former_rows::{index_instances_by_age, name_places_of_token_keys};
pub use past_tags::{PastTag, PastTagError};
pub use verification::{PendingSignature, SigningState, Verification, VerificationError};

use crate::custom_domains::Domains;
use crate::gc_jobs::Collections;
use crate::moments::Moment;
use crate::registry_access::RegistryAccess;
use crate::registry_hooks::RegistryHooks;
use crate::signatures::Signing;
use crate::standing::Standing;
use crate::webhook_sender::Sender;
use crate::webhooks::PullListeners;

/// The domain of the instances' hosts where nothing else is configured.
pub const SUFFIX: &str = "cr.localhost";

/// How the product is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// The domain of the instances' hosts, with the port that clients have to name, if they have to: `cr.localhost`. It is what
    /// `PublicDomain` and signatures say.
    pub suffix: String,
    /// Where the registry keeps its blobs and uploads; made when missing.
    pub directory: PathBuf,
    /// The bucket that keeps the registry's blobs instead, if there is one.
    pub bucket: Option<rookery_registry::Bucket>,
    /// What of a pushed blob is on this machine's disk when the push is answered.
    pub durability: rookery_registry::Durability,
    /// How long a new instance is `Pending`.
    pub pending: Duration,
    /// How long it is then `Deploying`, before it is `Running`.
    pub deploying: Duration,
    /// How many instances an account may have in a region. The platform's own number is not public.
    pub instances_per_region: usize,
    /// Whether policies made from now on also sign as Sigstore bundles. On unless told otherwise: as soon as anybody attests anything
    /// about an image, cosign from 2.6 on looks at bundles only, and an image without one of its own no longer verifies.
    pub sigstore_bundles: bool,
    /// For how long a tag that was overwritten or deleted can be seen and restored. Zero keeps none.
    pub tag_retention: Duration,
    /// How long a client of the registry may send nothing of what it pushes before it is sent away.
    pub patience: std::time::Duration,
    /// How old content must be before a collection of garbage takes it. What is younger may be part of a push that is under way.
    pub collect_older_than: Duration,
    /// How often the background work looks at the clock.
    pub pulse: std::time::Duration,
}

impl Options {
    /// The registry in `registry/` of the data directory; instances that run at once, a hundred of them in a region, and a pulse of
    /// a second. The usual `suffix` is [`SUFFIX`].
    #[must_use]
    pub fn new(data: &Path, suffix: &str) -> Self {
        Self {
            suffix: suffix.to_owned(),
            directory: data.join("registry"),
            bucket: None,
            durability: rookery_registry::Durability::Strict,
            pending: Duration::ZERO,
            deploying: Duration::ZERO,
            instances_per_region: 100,
            sigstore_bundles: true,
            tag_retention: Duration::DAY,
            patience: std::time::Duration::from_secs(75),
            collect_older_than: Duration::hours(2),
            pulse: std::time::Duration::from_secs(1),
        }
    }
}

/// Why the product could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key of the bearer tokens does not open: the master key is another than the one that sealed it.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The key of the bearer tokens is not usable, or the system gave no randomness for one.
    #[error(transparent)]
    TokenKey(#[from] TokenKeyError),
    /// The registry could not be opened.
    #[error(transparent)]
    Registry(#[from] rookery_registry::OpenError),
    /// Nothing can be sent to webhooks.
    #[error(transparent)]
    Webhooks(#[from] rookery_client::TransportError),
    /// A task that was waited for was cancelled or panicked.
    #[error(transparent)]
    Interrupted(#[from] tokio::task::JoinError),
}

/// The product.
pub struct Tcr {
    store: Store,
    seal: Seal,
    world: World,
    signer: Arc<dyn Signer>,
    registry: Arc<Registry>,
    signing: Arc<Signing>,
    suffix: String,
    pending: Duration,
    deploying: Duration,
    instances_per_region: usize,
    sigstore_bundles: bool,
    pulse: std::time::Duration,
    standing: Standing,
    domains: Domains,
    webhooks: Sender,
    pull_listeners: PullListeners,
    collect_older_than: Duration,
    collections: Collections,
}

impl fmt::Debug for Tcr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tcr").field("suffix", &self.suffix).finish_non_exhaustive()
    }
}

impl Tcr {
    /// Opens the product over its rows in `store`, and its registry in [`Options::directory`]. The key of the registry's bearer
    /// tokens is made at the first start and kept sealed. `signer` is asked for every signature under a policy, `identity`
    /// for the rights of every pull and push.
    pub async fn new(
        options: Options,
        store: Store,
        seal: Seal,
        world: World,
        signer: Arc<dyn Signer>,
        identity: Arc<dyn Identity>,
    ) -> Result<Arc<Self>, OpenError> {
        let Options {
            suffix,
            directory,
            bucket,
            durability,
            pending,
            deploying,
            instances_per_region,
            sigstore_bundles,
            tag_retention,
            patience,
            collect_older_than,
            pulse,
        } = options;
        let token_key = token_key::open_or_make(&store, &seal).await?;
        let hooks = RegistryHooks::new(store.clone(), world.clone(), &suffix);
        let pull_listeners = hooks.pull_listeners.clone();
        pull_listeners.refresh(&store)?;
        let access = RegistryAccess::new(store.clone(), world.clone(), identity, &suffix);
        let (standing, domains) = (access.standing.clone(), access.domains.clone());
        domains.refresh(&store)?;
        let access = Arc::new(access);
        let registry = {
            let (store, world, hooks) = (store.clone(), world.clone(), Arc::new(hooks.clone()));
            let usual = rookery_registry::Options::new(directory, token_key);
            let options = rookery_registry::Options { bucket, durability, tag_retention, patience, ..usual };
            tokio::task::spawn_blocking(move || Registry::new(options, store, world, access, hooks)).await??
        };
        let signing = Arc::new(Signing::new(
            store.clone(),
            world.clone(),
            registry.clone(),
            Arc::clone(&signer),
            suffix.clone(),
        ));
        hooks.connect(&signing);
        Ok(Arc::new(Self {
            store,
            seal,
            world,
            signer,
            registry: Arc::new(registry),
            signing,
            suffix,
            pending,
            deploying,
            instances_per_region,
            sigstore_bundles,
            pulse,
            standing,
            domains,
            webhooks: Sender::new()?,
            pull_listeners,
            collect_older_than,
            collections: Collections::default(),
        }))
    }

    /// The data plane, for whoever serves it.
    #[must_use]
    pub fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.registry)
    }

    /// Whether a host is of the form of the instances' own.
    fn is_own_host(&self, host: &str) -> bool {
        registry_access::is_under(host, &self.suffix)
    }

    fn now(&self) -> Moment {
        self.world.now().into()
    }
}
