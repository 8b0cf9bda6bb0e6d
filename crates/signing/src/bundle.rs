//! Sigstore bundles, version 0.3: an in-toto statement about the image in a DSSE envelope, kept as a referrer of the image.
//! What cosign writes and looks for first since version 3; Kyverno and policy-controller read it too.
//!
//! Verified with the public key alone: the bundle names no certificate and no transparency log.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use time::OffsetDateTime;

use crate::artefact::Artefact;
use crate::digest::Digest;
use crate::referrer::{Referrer, Subject};
use crate::signer::KeyName;

/// Media type of the bundle and artifact type of its manifest.
pub const ARTIFACT_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

pub(crate) const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// Says that the statement signs the image, and claims nothing else of it.
const PREDICATE_TYPE: &str = "https://sigstore.dev/cosign/sign/v1";

/// A statement and what a key made of it.
#[derive(Debug, Clone, Copy)]
pub struct Signature<'a> {
    /// The signed statement, from [`statement`].
    pub statement: &'a [u8],
    /// The raw signature over its [`pre_authentication_encoding`], made with
    /// [`KeyUsage::algorithm`](crate::KeyUsage::algorithm).
    pub raw: &'a [u8],
    /// The key that made it.
    pub key: &'a KeyName,
    /// The public half of the key as a DER `SubjectPublicKeyInfo`; the bundle's hint is its hash.
    pub public_key: &'a [u8],
}

/// The in-toto statement that signs the manifest with this digest.
#[must_use]
pub fn statement(manifest_digest: &Digest) -> Vec<u8> {
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{}"}}}}],"predicateType":"{PREDICATE_TYPE}","predicate":{{}}}}"#,
        manifest_digest.hex()
    )
    .into_bytes()
}

/// The bytes that are signed: DSSE's encoding of a statement together with its type and length.
#[must_use]
pub fn pre_authentication_encoding(statement: &[u8]) -> Vec<u8> {
    let mut encoded =
        format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), statement.len()).into_bytes();
    encoded.extend_from_slice(statement);
    encoded
}

/// The referrer that holds the bundle.
#[must_use]
pub fn artefact(subject: &Subject, signature: Signature<'_>, created: OffsetDateTime) -> Artefact {
    let hint = STANDARD.encode(Digest::of(signature.public_key).bytes());
    let bundle = format!(
        r#"{{"mediaType":"{ARTIFACT_TYPE}","verificationMaterial":{{"publicKey":{{"hint":"{hint}"}}}},"dsseEnvelope":{{"payload":"{}","payloadType":"{PAYLOAD_TYPE}","signatures":[{{"sig":"{}"}}]}}}}"#,
        STANDARD.encode(signature.statement),
        STANDARD.encode(signature.raw)
    );
    let referrer = Referrer {
        subject,
        artifact_type: ARTIFACT_TYPE,
        layer_media_type: ARTIFACT_TYPE,
        layer: bundle.into_bytes(),
        annotations: &[
            ("dev.sigstore.bundle.content", "dsse-envelope"),
            ("dev.sigstore.bundle.predicateType", PREDICATE_TYPE),
        ],
        key: signature.key,
        created,
    };
    referrer.artefact()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use time::macros::datetime;

    use super::*;

    const IMAGE: &str = "sha256:a1801b843b1bfaf77c501e7a6d3f709401a1e0c83863037fa3aab063a7fdb9dc";
    const STATEMENT: &str = r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"a1801b843b1bfaf77c501e7a6d3f709401a1e0c83863037fa3aab063a7fdb9dc"}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{}}"#;

    #[test]
    fn the_statement_is_the_known_one() {
        let statement = statement(&IMAGE.parse().unwrap());
        assert_eq!(String::from_utf8(statement).unwrap(), STATEMENT);
        assert_eq!(STATEMENT.len(), 213);
    }

    #[test]
    fn the_encoding_has_the_known_hash() {
        let encoded = pre_authentication_encoding(STATEMENT.as_bytes());
        assert!(encoded.starts_with(b"DSSEv1 28 application/vnd.in-toto+json 213 {"));
        let hash = Digest::of(&encoded).hex();
        assert_eq!(hash, "233ae2f2d54c6ca0768f63ccad0f71e99f5a4f59f383d7fb67c8be347d1f4ead");
    }

    #[test]
    fn the_bundle_is_the_layer_of_a_referrer() {
        let subject =
            Subject { media_type: "text/image".to_owned(), digest: IMAGE.parse().unwrap(), size: 428 };
        let key = KeyName { account: 1, region: "ap-guangzhou".into(), id: "a".into() };
        let signature =
            Signature { statement: STATEMENT.as_bytes(), raw: b"raw", key: &key, public_key: b"" };
        let artefact = artefact(&subject, signature, datetime!(2025-11-22 02:51:00 UTC));
        let bundle = artefact.blobs.last().unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(&bundle.bytes).unwrap(),
            json!({
                "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
                // The hash of nothing.
                "verificationMaterial": {"publicKey": {"hint": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}},
                "dsseEnvelope": {
                    "payload": STANDARD.encode(STATEMENT),
                    "payloadType": "application/vnd.in-toto+json",
                    "signatures": [{"sig": "cmF3"}]
                }
            })
        );
        let manifest: Value = serde_json::from_slice(&artefact.manifest).unwrap();
        assert_eq!(manifest["artifactType"], ARTIFACT_TYPE);
        assert_eq!(manifest["layers"][0]["mediaType"], ARTIFACT_TYPE);
        assert_eq!(manifest["layers"][0]["digest"], bundle.digest.to_string());
        assert_eq!(manifest["subject"]["digest"], IMAGE);
        assert_eq!(manifest["annotations"]["dev.sigstore.bundle.content"], "dsse-envelope");
        assert_eq!(manifest["annotations"]["dev.sigstore.bundle.predicateType"], PREDICATE_TYPE);
    }
}
