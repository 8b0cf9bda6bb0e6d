//! Cosign "simple signing": a JSON payload that names the image, signed, and kept as the layer of a manifest under the
//! tag `sha256-<hex>.sig`. Read by cosign, podman and CRI-O (containers/image), Kyverno, policy-controller and Harbor.
//!
//! One manifest holds the signatures of all keys, a layer each. Layers that this crate writes carry the annotation
//! [`KEY_ANNOTATION`]; signing again with the same key replaces that layer, and [`without`] removes it. Layers without the
//! annotation were pushed by somebody else and are kept as they are.

mod manifest;

use thiserror::Error;

use self::manifest::{Layer, SignatureManifest};
pub use crate::artefact::KEY_ANNOTATION;
use crate::artefact::{Artefact, Blob};
use crate::digest::Digest;
use crate::signer::KeyName;

/// Media type of the signed payload.
pub const PAYLOAD_MEDIA_TYPE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// Annotation of a layer that holds the signature in standard base64.
pub const SIGNATURE_ANNOTATION: &str = "dev.cosignproject.cosign/signature";

/// Why the manifest under a signature tag cannot be added to or removed from. Whoever pushed it, it is not a list of
/// signatures, and overwriting it would lose somebody's content.
#[derive(Debug, Error)]
pub enum ExistingError {
    /// Not JSON, or without the members of an image manifest.
    #[error("not an image manifest: {0}")]
    Malformed(#[from] serde_json::Error),
    /// `schemaVersion` is not 2.
    #[error("schema version {0} instead of 2")]
    SchemaVersion(u64),
    /// `mediaType` is neither an OCI nor a Docker image manifest.
    #[error("{0:?} is not the media type of an image manifest")]
    MediaType(String),
}

/// A payload and what a key made of it.
#[derive(Debug, Clone, Copy)]
pub struct Signature<'a> {
    /// The signed bytes, from [`payload`].
    pub payload: &'a [u8],
    /// The raw signature over them, from [`Signer::sign`](crate::Signer::sign) with
    /// [`KeyUsage::algorithm`](crate::KeyUsage::algorithm).
    pub raw: &'a [u8],
    /// The key that made it.
    pub key: &'a KeyName,
}

/// What is left of a signature manifest when the signatures of one key are taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remainder {
    /// None of the signatures was made by the key: leave the manifest as it is.
    Unchanged,
    /// Other signatures remain: push this in its place.
    Others(Artefact),
    /// No signature remains: delete the manifest and its tag.
    Nothing,
}

/// The bytes that are signed.
///
/// `docker_reference` is `<host>/<namespace>/<repository>` without a tag, with the host that people pull by: cosign compares
/// only the digest, containers/image and Kyverno compare the reference too.
#[must_use]
pub fn payload(docker_reference: &str, manifest_digest: &Digest) -> Vec<u8> {
    // Verifiers take the bytes as they come, so the order of the keys is the format's own and no map decides it.
    let reference = serde_json::Value::from(docker_reference);
    format!(
        r#"{{"critical":{{"identity":{{"docker-reference":{reference}}},"image":{{"docker-manifest-digest":"{manifest_digest}"}},"type":"cosign container image signature"}},"optional":null}}"#
    )
    .into_bytes()
}

/// The tag under which the signatures of a manifest are kept, in the repository of the manifest.
#[must_use]
pub fn tag(manifest_digest: &Digest) -> String {
    format!("sha256-{}.sig", manifest_digest.hex())
}

/// The artefact that holds `signature` beside the signatures of `existing`, the manifest under [`tag`] now.
///
/// A signature that the same key made before is replaced in its place; otherwise the new one comes last. Making the same
/// artefact again from its own manifest and the same signature yields the same bytes.
pub fn artefact(
    existing: Option<&[u8]>,
    manifest_digest: &Digest,
    signature: Signature<'_>,
) -> Result<Artefact, ExistingError> {
    let mut manifest = existing.map_or_else(|| Ok(SignatureManifest::empty()), SignatureManifest::parse)?;
    let payload = Blob::new(signature.payload.to_vec());
    manifest.put(Layer::new(&payload, signature.raw, signature.key));
    Ok(finish(&manifest, manifest_digest, vec![payload]))
}

/// Takes the signatures that `key` made out of `existing`, the manifest under [`tag`] of `manifest_digest`.
pub fn without(existing: &[u8], manifest_digest: &Digest, key: &KeyName) -> Result<Remainder, ExistingError> {
    let mut manifest = SignatureManifest::parse(existing)?;
    if !manifest.remove(key) {
        return Ok(Remainder::Unchanged);
    }
    if manifest.is_empty() {
        return Ok(Remainder::Nothing);
    }
    Ok(Remainder::Others(finish(&manifest, manifest_digest, Vec::new())))
}

/// The artefact of a manifest whose new payloads are `blobs`; adds the config, which lists the layers and so always changes.
fn finish(manifest: &SignatureManifest, manifest_digest: &Digest, mut blobs: Vec<Blob>) -> Artefact {
    let config = Blob::new(manifest.config());
    let text = manifest.render(&config);
    blobs.push(config);
    Artefact { blobs, manifest: text, media_type: manifest.media_type(), tag: Some(tag(manifest_digest)) }
}

#[cfg(test)]
mod tests;
