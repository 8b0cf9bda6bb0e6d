//! An OCI distribution-spec 1.1 data plane: blobs, manifests, tags, referrers, and the tokens that open them.
//!
//! It serves any number of registries from one store and one directory, and knows nothing of the product that owns them: it
//! asks who may do what through [`Access`] and tells what changed through [`Hooks`]. [`Registry::handle`] answers
//! everything under `/v2/` and `/service/token`; products use the typed operations, which are the same code without HTTP.
//!
//! Where things are: blob bytes in files named by their digest, everything else in the store. A blob's file is complete and
//! durable before its row is, and its row before the client is told, so a crash leaves at worst a file that nobody sees.

mod access;
mod asked;
mod authorization;
mod blocking;
mod body;
mod buffers;
mod cache;
mod challenge;
mod collections;
mod collector;
mod damage;
mod digest;
mod document;
mod errors;
mod file_part;
mod health;
mod history;
mod hooks;
mod links;
mod maintenance;
mod manifests;
mod names;
mod patience;
mod pulls;
mod query;
mod ranges;
mod reception;
mod referrers;
mod repositories;
mod router;
mod scrub;
mod serve;
mod storage;
mod tables;
mod tags;
mod token;
mod uploads;
mod usage;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use rookery_store::Store;
use rookery_world::World;
use time::Duration;

pub use access::{Access, AccessError, Actions, Located, Subject};
pub use body::ResponseBody;
pub use collections::{Collection, CollectionState, Ending, Phase};
pub use collector::{CollectOptions, Collected, Whose};
pub use damage::Damage;
pub use digest::{Algorithm, Digest, DigestError};
pub use errors::Error;
pub use health::Figures;
pub use history::{Ended, PastTag};
pub use hooks::{Deleted, Deletion, Hooks, ManifestPush, Origin, Pull, Refusal};
pub use manifests::{MANIFEST_LIMIT, Manifest, ManifestInfo, Stored};
pub use names::{
    MAX_NAME_LENGTH, MAX_TAG_LENGTH, NameError, Reference, RegistryId, Repository, Tag, is_repository_name,
};
pub use ranges::{Wanted, wanted};
pub use referrers::Referrer;
pub use repositories::RepositoryEntry;
pub use router::{Operation, serves};
pub use scrub::{Finding, Scrub, Scrubbed};
pub use serve::Witness;
pub use storage::Durability;
pub use storage::s3::{Bucket, BucketError};
pub use tags::TagEntry;
pub use token::{TokenKey, TokenKeyError};
pub use usage::{Place, Totals, Unique, usage};

use asked::Asked;
use cache::Generations;
use pulls::Pulls;
use storage::local::{LocalBlobs, open_uploads};
use storage::s3::S3Blobs;
use storage::{BlobLocks, BlobStore};
use token::Tokens;
use uploads::Uploads;

/// Bytes of manifests and small blobs kept in memory, per generation of the cache.
const CACHED_BYTES: usize = 4 * 1024 * 1024;

/// How a registry is set up.
#[derive(Debug)]
pub struct Options {
    /// The directory of blobs and uploads; made when missing. One process at a time may use it.
    pub directory: PathBuf,
    /// Where blobs are, if not in the directory. Uploads are there until they are complete.
    pub bucket: Option<Bucket>,
    /// What of a pushed blob is on this machine's disk when the push is answered; a bucket answers for itself.
    pub durability: Durability,
    /// Signs the bearer tokens. Tokens of an earlier run stay valid only under the same key.
    pub token_key: TokenKey,
    /// The `iss` of the tokens.
    pub issuer: String,
    /// The `service` of the challenge and the `aud` of the tokens.
    pub service: String,
    /// An upload to which nothing was written for so long is dropped at the start and by [`Registry::sweep_uploads`].
    pub upload_expiry: Duration,
    /// For how long a tag that was overwritten or deleted can be seen and restored, and its manifest is kept. Zero keeps none.
    pub tag_retention: Duration,
    /// How often [`Registry::run_maintenance`] looks for what has expired.
    pub maintenance_pulse: std::time::Duration,
    /// How long a client may send nothing of a body before it is sent away. What it sent of a blob is kept, to be resumed.
    pub patience: std::time::Duration,
}

impl Options {
    /// The values that clients of a Harbor expect (`harbor-registry`, `harbor-token-issuer`), a day for uploads and for past
    /// tags, a look at them every ten minutes, and 75 seconds for a client that sends nothing.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>, token_key: TokenKey) -> Self {
        Self {
            directory: directory.into(),
            bucket: None,
            durability: Durability::Strict,
            token_key,
            issuer: "harbor-token-issuer".to_owned(),
            service: "harbor-registry".to_owned(),
            upload_expiry: Duration::DAY,
            tag_retention: Duration::DAY,
            maintenance_pulse: std::time::Duration::from_mins(10),
            patience: std::time::Duration::from_secs(75),
        }
    }
}

/// Why a registry could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory could not be made or read.
    #[error("the registry's directory {path}")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The token key is not usable.
    #[error(transparent)]
    TokenKey(#[from] TokenKeyError),
    /// The bucket cannot be used.
    #[error(transparent)]
    Bucket(#[from] BucketError),
    /// The blobs of this state are elsewhere.
    #[error("the blobs of this state are in {before}, not in {now}; they are not moved by another setting")]
    Elsewhere {
        /// Where they are.
        before: String,
        /// Where they are looked for now.
        now: String,
    },
    /// What the registries hold could not be counted.
    #[error(transparent)]
    Store(#[from] rookery_store::StoreError),
}

/// The data plane. Cheap to clone; clones share one state. Its asynchronous operations need a Tokio runtime.
#[derive(Clone)]
pub struct Registry {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    world: World,
    access: Arc<dyn Access>,
    hooks: Arc<dyn Hooks>,
    blobs: Arc<dyn BlobStore>,
    locks: BlobLocks,
    uploads: Uploads,
    upload_expiry: Duration,
    tokens: Tokens,
    /// Bytes of manifests and small blobs by their digest. They never change, and the right to them is checked before.
    contents: Generations<Digest, bytes::Bytes>,
    /// What pulls ask for.
    pulls: Arc<Pulls>,
    /// What clients were told is there.
    asked: Arc<Asked>,
    /// Held by the collection that is running.
    collecting: tokio::sync::Mutex<()>,
    collected: parking_lot::Mutex<Collected>,
    tag_retention: Duration,
    maintenance_pulse: std::time::Duration,
    patience: std::time::Duration,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("service", &self.inner.tokens.service()).finish_non_exhaustive()
    }
}

impl Registry {
    /// Opens the directory and drops expired uploads. Blocks for as long as that takes.
    pub fn new(
        options: Options,
        store: Store,
        world: World,
        access: Arc<dyn Access>,
        hooks: Arc<dyn Hooks>,
    ) -> Result<Self, OpenError> {
        let Options {
            directory: path,
            bucket,
            durability,
            token_key,
            issuer,
            service,
            upload_expiry,
            tag_retention,
            maintenance_pulse,
            patience,
        } = options;
        let tokens = Tokens::new(&token_key, issuer, service)?;
        let failed = |source| OpenError::Directory { path: path.clone(), source };
        std::fs::create_dir_all(&path).map_err(failed)?;
        let uploads = open_uploads(&path).map_err(failed)?;
        let place = bucket.as_ref().map_or_else(|| storage::DIRECTORY.to_owned(), Bucket::address);
        if let Err(before) = blocking::wait_for(storage::settle(&store, place.clone()))? {
            return Err(OpenError::Elsewhere { before, now: place });
        }
        let blobs: Arc<dyn BlobStore> = match bucket {
            Some(bucket) => Arc::new(S3Blobs::open(&bucket)?),
            None => Arc::new(LocalBlobs::open(&path, durability).map_err(failed)?),
        };
        let now = SystemTime::from(world.now());
        uploads::remove_stale(&uploads, expiry_seconds(upload_expiry), now).map_err(failed)?;
        blocking::wait_for(usage::count_once(&store))?;
        let inner = Inner {
            store,
            world,
            access,
            hooks,
            uploads: Uploads::new(uploads, durability),
            blobs,
            locks: BlobLocks::new(),
            upload_expiry,
            tokens,
            contents: Generations::new(CACHED_BYTES),
            pulls: Arc::new(Pulls::new()),
            asked: Arc::new(Asked::new()),
            collecting: tokio::sync::Mutex::default(),
            collected: parking_lot::Mutex::default(),
            tag_retention,
            maintenance_pulse,
            patience,
        };
        Ok(Self { inner: Arc::new(inner) })
    }
}

pub(crate) fn expiry_seconds(expiry: Duration) -> u64 {
    u64::try_from(expiry.whole_seconds()).unwrap_or_default()
}
