//! Signatures of the Notary Project: a descriptor of the image in a JWS envelope, kept as a referrer of the image. Read by
//! `notation`, Ratify and Kyverno, which trust the [`Certificate`] of the key.

mod ecdsa;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use thiserror::Error;
use time::OffsetDateTime;

use crate::artefact::Artefact;
use crate::certificate::Certificate;
use crate::referrer::{Referrer, Subject, rfc3339};
use crate::signer::{Algorithm, KeyName, KeyUsage};

/// Artifact type of the manifest.
pub const ARTIFACT_TYPE: &str = "application/vnd.cncf.notary.signature";

const ENVELOPE_MEDIA_TYPE: &str = "application/jose+json";
const SIGNING_AGENT: &str = concat!("rookery/", env!("CARGO_PKG_VERSION"));

/// The key service's ECDSA signature is not an ASN.1 sequence of two numbers of P-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not an ECDSA signature over P-256 in DER")]
pub struct SignatureError;

/// An envelope that lacks nothing but its signature.
#[derive(Debug, Clone)]
pub struct Envelope {
    subject: Subject,
    usage: KeyUsage,
    signed_at: OffsetDateTime,
    /// Both in base64url, as they are signed.
    protected: String,
    payload: String,
}

impl Envelope {
    /// The envelope of an image that a key of this usage signs at `signed_at`, which is kept in whole seconds.
    #[must_use]
    pub fn new(subject: Subject, usage: KeyUsage, signed_at: OffsetDateTime) -> Self {
        let jws_algorithm = match usage {
            KeyUsage::Rsa2048 => "PS256",
            KeyUsage::EccP256 => "ES256",
        };
        let protected = format!(
            r#"{{"alg":"{jws_algorithm}","crit":["io.cncf.notary.signingScheme"],"cty":"application/vnd.cncf.notary.payload.v1+json","io.cncf.notary.signingScheme":"notary.x509","io.cncf.notary.signingTime":"{}"}}"#,
            rfc3339(signed_at)
        );
        let payload = format!(r#"{{"targetArtifact":{}}}"#, subject.descriptor());
        let [protected, payload] = [protected, payload].map(|part| URL_SAFE_NO_PAD.encode(part));
        Self { subject, usage, signed_at, protected, payload }
    }

    /// The bytes that are signed: `<protected>.<payload>`, by RFC 7515.
    #[must_use]
    pub fn to_be_signed(&self) -> Vec<u8> {
        format!("{}.{}", self.protected, self.payload).into_bytes()
    }

    /// The algorithm that verifiers expect: PSS for RSA (they refuse PKCS#1 v1.5), ECDSA for P-256.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self.usage {
            KeyUsage::Rsa2048 => Algorithm::RsaPssSha256,
            KeyUsage::EccP256 => Algorithm::EcdsaP256Sha256,
        }
    }

    /// The referrer that holds the envelope with the raw signature over [`to_be_signed`](Self::to_be_signed), made with
    /// [`algorithm`](Self::algorithm) by the key that `certificate` is for.
    pub fn artefact(
        self,
        raw: &[u8],
        certificate: &Certificate,
        key: &KeyName,
    ) -> Result<Artefact, SignatureError> {
        let signature = match self.usage {
            KeyUsage::Rsa2048 => URL_SAFE_NO_PAD.encode(raw),
            KeyUsage::EccP256 => URL_SAFE_NO_PAD.encode(ecdsa::fixed(raw).ok_or(SignatureError)?),
        };
        let envelope = format!(
            r#"{{"payload":"{}","protected":"{}","header":{{"x5c":["{}"],"io.cncf.notary.signingAgent":"{SIGNING_AGENT}"}},"signature":"{signature}"}}"#,
            self.payload,
            self.protected,
            STANDARD.encode(certificate.der())
        );
        let thumbprints = format!(r#"["{}"]"#, certificate.thumbprint());
        let referrer = Referrer {
            subject: &self.subject,
            artifact_type: ARTIFACT_TYPE,
            layer_media_type: ENVELOPE_MEDIA_TYPE,
            layer: envelope.into_bytes(),
            annotations: &[("io.cncf.notary.x509chain.thumbprint#S256", &thumbprints)],
            key,
            created: self.signed_at,
        };
        Ok(referrer.artefact())
    }
}

#[cfg(test)]
mod tests;
