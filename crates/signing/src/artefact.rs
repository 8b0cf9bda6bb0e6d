//! What a registry has to hold so that a verifier finds a signature.

use crate::digest::Digest;

/// Annotation that names the key that made a signature, as [`KeyName`](crate::KeyName) displays it: of a layer in
/// [`simple`](crate::simple), of the manifest in the formats that are referrers. Verifiers ignore it; it is how our own
/// signatures are found again, to be replaced or taken back.
pub const KEY_ANNOTATION: &str = "dev.rookery.signature.key";

/// Content and the digest that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// SHA-256 of `bytes`.
    pub digest: Digest,
    /// The content.
    pub bytes: Vec<u8>,
}

impl Blob {
    /// A blob of these bytes; computes the digest.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { digest: Digest::of(&bytes), bytes }
    }
}

/// A signature ready to be pushed into the repository of the signed image: first the blobs, then the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artefact {
    /// The blobs that the manifest refers to and that may not be in the repository yet.
    pub blobs: Vec<Blob>,
    /// The manifest, byte for byte as it has to be stored.
    pub manifest: Vec<u8>,
    /// Media type of the manifest, for its `Content-Type`.
    pub media_type: &'static str,
    /// The tag to store the manifest under; `None` for a referrer, which is stored under its digest.
    pub tag: Option<String>,
}

impl Artefact {
    /// The digest of the manifest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.manifest)
    }
}
