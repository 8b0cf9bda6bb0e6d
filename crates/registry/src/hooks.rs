//! The second seam: what must happen when content changes. The registry tells, a product acts.

use futures_util::future::BoxFuture;
use http::StatusCode;
use rookery_store::{StoreError, Transaction};
use time::OffsetDateTime;

use crate::access::Subject;
use crate::digest::Digest;
use crate::names::{Reference, Repository, Tag};

/// On whose behalf a change is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A client of the data plane, or a product acting for one; `None` is an anonymous client.
    Client(Option<Subject>),
    /// The product itself (a signature it writes): [`Hooks::accept`] and [`Hooks::accepted`] are not asked.
    Internal,
}

/// A manifest that a client puts under one reference. A request that names several tags makes one of these per tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestPush {
    /// Where it goes.
    pub repository: Repository,
    /// The tag or the digest under which it was put.
    pub reference: Reference,
    /// The manifest's own digest.
    pub digest: Digest,
    /// The media type exactly as pushed, without parameters.
    pub media_type: String,
    /// The manifest's own length in bytes.
    pub size: u64,
    /// The digest of the manifest that this one refers to (OCI 1.1 `subject`).
    pub subject: Option<Digest>,
    /// The manifest's `artifactType`, else its config's media type.
    pub artifact_type: Option<String>,
    /// The digest of the config blob.
    pub config: Option<Digest>,
    /// The media type of the config blob.
    pub config_media_type: Option<String>,
    /// The digests of the layers, in order.
    pub layers: Vec<Digest>,
    /// The digests of the manifests that an index lists, in order.
    pub children: Vec<Digest>,
    /// Bytes of config and layers; of an index, of all its children.
    pub total_size: u64,
    /// What the tag named until now; `None` for a new tag or a push by digest.
    pub previous: Option<Digest>,
    /// Whether the repository has no manifest yet.
    pub new_repository: bool,
    /// Whether the repository did not hold this manifest before, under any reference.
    pub new_manifest: bool,
    /// Who pushes; `None` is an anonymous client.
    pub pusher: Option<Subject>,
    /// When.
    pub pushed_at: OffsetDateTime,
}

/// What is taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// The repository it is taken from.
    pub repository: Repository,
    /// What goes.
    pub target: Deleted,
    /// On whose behalf.
    pub origin: Origin,
}

/// The target of a [`Deletion`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deleted {
    /// One tag; the manifest that it named stays.
    Tag {
        /// The tag.
        tag: Tag,
        /// The manifest that it named.
        digest: Digest,
    },
    /// A manifest together with every tag that named it.
    Manifest {
        /// The manifest.
        digest: Digest,
        /// Its tags, in bytewise order.
        tags: Vec<Tag>,
        /// What it referred to.
        subject: Option<Digest>,
    },
    /// The repository with all it holds. Its manifests and tags are not told one by one.
    Repository,
}

/// A manifest that a client is about to get.
#[derive(Debug, Clone, Copy)]
pub struct Pull<'a> {
    /// Where it is.
    pub repository: &'a Repository,
    /// What was asked for.
    pub reference: &'a Reference,
    /// What that is.
    pub digest: &'a Digest,
    /// Who asks; `None` is an anonymous client.
    pub puller: Option<&'a Subject>,
}

/// A product's refusal inside a transaction, as the client will see it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    /// A 4xx status; for a failure of the store, 500.
    pub status: StatusCode,
    /// The code of the error body, upper case and underscores.
    pub code: String,
    /// Words for the client.
    pub message: String,
    /// The failure of the store behind a 500; never shown.
    #[source]
    pub cause: Option<StoreError>,
}

impl Refusal {
    /// A refusal in the product's own words.
    #[must_use]
    pub fn new(status: StatusCode, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into(), cause: None }
    }

    /// 403 `DENIED`.
    #[must_use]
    pub fn denied(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "DENIED", message)
    }

    /// 403 `DENIED`, in the words that clients of a Harbor know, when a push would take more than the quota.
    #[must_use]
    pub fn over_quota(used: u64, added: u64, quota: u64) -> Self {
        Self::denied(format!(
            "adding {added} bytes to the {used} bytes in use would exceed the quota of {quota} bytes"
        ))
    }
}

impl From<StoreError> for Refusal {
    /// The store failed while the product was asked; `?` in a hook does the right thing.
    fn from(cause: StoreError) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: "UNKNOWN".to_owned(),
            message: "internal error".to_owned(),
            cause: Some(cause),
        }
    }
}

/// What the registry tells about changes.
pub trait Hooks: Send + Sync + 'static {
    /// Inside the transaction that accepts a manifest. May refuse it (immutability, quota, missing namespace) and may
    /// record what must follow, for instance a row in a durable queue. A refusal undoes the whole transaction.
    fn accept(&self, tx: &mut Transaction<'_>, push: &ManifestPush) -> Result<(), Refusal>;

    /// Inside the transaction that gives a repository a blob which it did not hold, pushed or mounted by a client. May refuse it
    /// (quota); [`usage`](crate::usage) counts the blob already. Blobs that were not refused are taken as they come.
    fn accept_blob(
        &self,
        tx: &mut Transaction<'_>,
        repository: &Repository,
        digest: &Digest,
        size: u64,
    ) -> Result<(), Refusal> {
        let _ = (tx, repository, digest, size);
        Ok(())
    }

    /// After the transaction is durable and before the client gets its 201. Cannot fail the push.
    fn accepted(&self, push: ManifestPush) -> BoxFuture<'_, ()>;

    /// Before a client gets a manifest that it asked for; not for HEAD, nor for what the client has already. `None` where nobody wants
    /// to know, which has to be quick to say. Cannot fail the pull.
    fn pulled(&self, pull: &Pull<'_>) -> Option<BoxFuture<'static, ()>> {
        let _ = pull;
        None
    }

    /// Inside the transaction that deletes a tag, a manifest or a repository. Drops the product's own rows, and may refuse.
    fn deleted(&self, tx: &mut Transaction<'_>, deletion: &Deletion) -> Result<(), Refusal>;
}
