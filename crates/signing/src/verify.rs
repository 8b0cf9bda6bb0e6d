//! Checking signatures in all three formats, with the public key or the certificate that the caller trusts and nothing else.
//!
//! What is checked is what the verifiers of the formats check by key: that the signature is the key's, over exactly these bytes, and that
//! the bytes name the image. Transparency logs and timestamps are not asked: a private key's signatures are in none.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use thiserror::Error;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::bundle::{self, PAYLOAD_TYPE};
use crate::certificate::{Certificate, P256_PREFIX, RSA_2048_PREFIX};
use crate::digest::Digest;
use crate::pem::public_key_from_pem;
use crate::signer::KeyUsage;
use crate::simple::{PAYLOAD_MEDIA_TYPE, SIGNATURE_ANNOTATION};

/// Claims of an envelope that a verifier has to understand where `crit` names them.
const UNDERSTOOD: [&str; 2] = ["io.cncf.notary.signingScheme", "io.cncf.notary.expiry"];

/// Why a signature does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// It is not in its format.
    #[error("it cannot be read: {0}")]
    Malformed(String),
    /// It is a signature of something else.
    #[error("it signs {0}, which is another image")]
    OtherImage(String),
    /// The key has not made it, or not over these bytes.
    #[error("the key did not make it")]
    WrongSignature,
    /// It comes with a certificate that is not the trusted one.
    #[error("it was made under another certificate, with the thumbprint {0}")]
    OtherCertificate(String),
    /// It is over.
    #[error("it expired at {0}")]
    Expired(String),
    /// It asks for something that is not checked here.
    #[error("it uses {0}, which is not checked here")]
    Unsupported(String),
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed(error.to_string())
    }
}

/// A trusted public key: RSA with 2048 bits, or P-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    usage: KeyUsage,
    /// A DER `SubjectPublicKeyInfo`.
    spki: Vec<u8>,
}

impl PublicKey {
    /// A key in PEM.
    pub fn from_pem(text: &str) -> Result<Self, Fault> {
        let spki = public_key_from_pem(text).map_err(|error| Fault::Malformed(error.to_string()))?;
        Self::from_spki(&spki)
    }

    /// A key as a DER `SubjectPublicKeyInfo`.
    pub fn from_spki(spki: &[u8]) -> Result<Self, Fault> {
        let usage = if spki.starts_with(RSA_2048_PREFIX) {
            KeyUsage::Rsa2048
        } else if spki.starts_with(P256_PREFIX) {
            KeyUsage::EccP256
        } else {
            return Err(Fault::Unsupported("a key that is neither RSA-2048 nor P-256".to_owned()));
        };
        Ok(Self { usage, spki: spki.to_vec() })
    }

    fn check(
        &self,
        algorithm: &'static dyn VerificationAlgorithm,
        message: &[u8],
        raw: &[u8],
    ) -> Result<(), Fault> {
        UnparsedPublicKey::new(algorithm, &self.spki).verify(message, raw).map_err(|_| Fault::WrongSignature)
    }

    /// What the first two formats use of a key.
    fn plain(&self) -> &'static dyn VerificationAlgorithm {
        match self.usage {
            KeyUsage::Rsa2048 => &RSA_PKCS1_2048_8192_SHA256,
            KeyUsage::EccP256 => &ECDSA_P256_SHA256_ASN1,
        }
    }
}

/// One of the signatures that a manifest under a `.sig` tag lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The digest of the signed text.
    pub payload: Digest,
    /// The raw signature.
    pub raw: Vec<u8>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layers {
    layers: Vec<Layer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layer {
    media_type: String,
    digest: String,
    #[serde(default)]
    annotations: std::collections::BTreeMap<String, String>,
}

/// The signatures of the manifest under the `.sig` tag of an image, in its order. Layers that are none are left out.
pub fn listed(manifest: &[u8]) -> Result<Vec<Listed>, Fault> {
    let Layers { layers } = serde_json::from_slice(manifest)?;
    let signatures = layers.iter().filter(|layer| layer.media_type == PAYLOAD_MEDIA_TYPE);
    let listed = signatures.filter_map(|layer| {
        let raw = STANDARD.decode(layer.annotations.get(SIGNATURE_ANNOTATION)?).ok()?;
        Some(Listed { payload: layer.digest.parse().ok()?, raw })
    });
    Ok(listed.collect())
}

/// The digest of the only layer of a referrer: its bundle or its envelope.
pub fn layer(manifest: &[u8]) -> Result<Digest, Fault> {
    let Layers { layers } = serde_json::from_slice(manifest)?;
    let [layer] = layers.as_slice() else {
        return Err(Fault::Malformed(format!("the manifest has {} layers", layers.len())));
    };
    layer.digest.parse().map_err(|error| Fault::Malformed(format!("{error}")))
}

#[derive(Deserialize)]
struct Payload {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    identity: Identity,
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Identity {
    docker_reference: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Image {
    docker_manifest_digest: String,
}

/// Checks a signature in cosign's first format; tells what it says that the image is called.
pub fn simple(payload: &[u8], raw: &[u8], image: &Digest, key: &PublicKey) -> Result<String, Fault> {
    // Nothing of what is signed is believed before the signature is.
    key.check(key.plain(), payload, raw)?;
    let Payload { critical } = serde_json::from_slice(payload)?;
    if !matches!(critical.kind.as_str(), "cosign container image signature" | "atomic container signature") {
        return Err(Fault::Malformed(format!("it is a {:?}", critical.kind)));
    }
    of_image(&critical.image.docker_manifest_digest, image)?;
    Ok(critical.identity.docker_reference)
}

fn of_image(signed: &str, image: &Digest) -> Result<(), Fault> {
    if signed == image.to_string() { Ok(()) } else { Err(Fault::OtherImage(signed.to_owned())) }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    dsse_envelope: Dsse,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dsse {
    payload: String,
    payload_type: String,
    signatures: Vec<DsseSignature>,
}

#[derive(Deserialize)]
struct DsseSignature {
    sig: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<StatementSubject>,
    predicate_type: String,
}

#[derive(Deserialize)]
struct StatementSubject {
    digest: std::collections::BTreeMap<String, String>,
}

/// Checks a Sigstore bundle; tells the type of what it says of the image.
pub fn bundle(bytes: &[u8], image: &Digest, key: &PublicKey) -> Result<String, Fault> {
    let Bundle { dsse_envelope: envelope } = serde_json::from_slice(bytes)?;
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err(Fault::Unsupported(envelope.payload_type));
    }
    let statement = decoded(&envelope.payload)?;
    let [signature] = envelope.signatures.as_slice() else {
        return Err(Fault::Malformed(format!("the envelope has {} signatures", envelope.signatures.len())));
    };
    key.check(key.plain(), &bundle::pre_authentication_encoding(&statement), &decoded(&signature.sig)?)?;
    let Statement { kind, subject, predicate_type } = serde_json::from_slice(&statement)?;
    if kind != "https://in-toto.io/Statement/v1" {
        return Err(Fault::Unsupported(kind));
    }
    let hex = image.hex();
    let named = subject.iter().filter_map(|subject| subject.digest.get("sha256"));
    if named.clone().any(|digits| *digits == hex) {
        return Ok(predicate_type);
    }
    let named: Vec<_> = named.map(|digits| format!("sha256:{digits}")).collect();
    Err(Fault::OtherImage(named.join(", ")))
}

fn decoded(text: &str) -> Result<Vec<u8>, Fault> {
    STANDARD.decode(text).map_err(|error| Fault::Malformed(error.to_string()))
}

#[derive(Deserialize)]
struct Jws {
    payload: String,
    protected: String,
    header: JwsHeader,
    signature: String,
}

#[derive(Deserialize)]
struct JwsHeader {
    x5c: Vec<String>,
}

#[derive(Deserialize)]
struct Protected {
    alg: String,
    crit: Vec<String>,
    cty: String,
    #[serde(rename = "io.cncf.notary.signingScheme")]
    scheme: String,
    #[serde(rename = "io.cncf.notary.signingTime")]
    signed_at: String,
    #[serde(rename = "io.cncf.notary.expiry")]
    expiry: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Target {
    target_artifact: TargetArtifact,
}

#[derive(Deserialize)]
struct TargetArtifact {
    digest: String,
}

/// Checks a Notation envelope under the one certificate that is trusted; tells when it says that it was made.
///
/// The certificates of [`certificate`](crate::certificate) have no end, so the validity of `trusted` is not looked at.
pub fn envelope(
    bytes: &[u8],
    image: &Digest,
    trusted: &Certificate,
    now: OffsetDateTime,
) -> Result<String, Fault> {
    let jws: Jws = serde_json::from_slice(bytes)?;
    let [certificate] = jws.header.x5c.as_slice() else {
        return Err(Fault::Unsupported(format!("a chain of {} certificates", jws.header.x5c.len())));
    };
    let certificate = Certificate::from_der(decoded(certificate)?);
    if certificate != *trusted {
        return Err(Fault::OtherCertificate(certificate.thumbprint()));
    }
    let key = trusted.public_key().ok_or_else(|| Fault::Malformed("the certificate".to_owned()))?;
    let key = PublicKey::from_spki(key)?;
    let (expected, algorithm): (_, &'static dyn VerificationAlgorithm) = match key.usage {
        KeyUsage::Rsa2048 => ("PS256", &RSA_PSS_2048_8192_SHA256),
        KeyUsage::EccP256 => ("ES256", &ECDSA_P256_SHA256_FIXED),
    };
    let signed = format!("{}.{}", jws.protected, jws.payload);
    key.check(algorithm, signed.as_bytes(), &unpadded(&jws.signature)?)?;
    let protected: Protected = serde_json::from_slice(&unpadded(&jws.protected)?)?;
    if protected.alg != expected {
        return Err(Fault::Unsupported(format!("the algorithm {}", protected.alg)));
    }
    understood(&protected, now)?;
    let target: Target = serde_json::from_slice(&unpadded(&jws.payload)?)?;
    of_image(&target.target_artifact.digest, image)?;
    Ok(protected.signed_at)
}

fn understood(protected: &Protected, now: OffsetDateTime) -> Result<(), Fault> {
    if let Some(claim) = protected.crit.iter().find(|claim| !UNDERSTOOD.contains(&claim.as_str())) {
        return Err(Fault::Unsupported(format!("the claim {claim}")));
    }
    if protected.cty != "application/vnd.cncf.notary.payload.v1+json" || protected.scheme != "notary.x509" {
        return Err(Fault::Unsupported(format!("{} in {}", protected.cty, protected.scheme)));
    }
    let Some(expiry) = &protected.expiry else { return Ok(()) };
    let end = OffsetDateTime::parse(expiry, &Rfc3339).map_err(|error| Fault::Malformed(error.to_string()))?;
    if now < end { Ok(()) } else { Err(Fault::Expired(expiry.clone())) }
}

fn unpadded(text: &str) -> Result<Vec<u8>, Fault> {
    URL_SAFE_NO_PAD.decode(text).map_err(|error| Fault::Malformed(error.to_string()))
}

#[cfg(test)]
mod tests;
