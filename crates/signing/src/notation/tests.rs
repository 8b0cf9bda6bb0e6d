//! Envelopes byte for byte, and what refuses to become one.

use serde_json::{Value, json};
use time::macros::datetime;

use super::*;
use crate::digest::Digest;

const IMAGE: &str = "sha256:a1801b843b1bfaf77c501e7a6d3f709401a1e0c83863037fa3aab063a7fdb9dc";

fn envelope(usage: KeyUsage) -> Envelope {
    let media_type = "application/vnd.oci.image.manifest.v1+json".to_owned();
    let subject = Subject { media_type, digest: IMAGE.parse().unwrap(), size: 428 };
    Envelope::new(subject, usage, datetime!(2025-11-22 10:51:00.5 +8))
}

fn key() -> KeyName {
    KeyName { account: 1, region: "ap-guangzhou".into(), id: "a".into() }
}

fn part(text: &str) -> String {
    String::from_utf8(URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

#[test]
fn what_is_signed_is_the_known_text() {
    for (usage, algorithm) in [(KeyUsage::Rsa2048, "PS256"), (KeyUsage::EccP256, "ES256")] {
        let signed = String::from_utf8(envelope(usage).to_be_signed()).unwrap();
        let (protected, payload) = signed.split_once('.').unwrap();
        assert_eq!(
            part(protected),
            format!(
                r#"{{"alg":"{algorithm}","crit":["io.cncf.notary.signingScheme"],"cty":"application/vnd.cncf.notary.payload.v1+json","io.cncf.notary.signingScheme":"notary.x509","io.cncf.notary.signingTime":"2025-11-22T02:51:00Z"}}"#
            )
        );
        assert_eq!(
            part(payload),
            format!(
                r#"{{"targetArtifact":{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{IMAGE}","size":428}}}}"#
            )
        );
    }
}

#[test]
fn rsa_is_padded_as_notation_wants_it() {
    assert_eq!(envelope(KeyUsage::Rsa2048).algorithm(), Algorithm::RsaPssSha256);
    assert_eq!(envelope(KeyUsage::EccP256).algorithm(), Algorithm::EcdsaP256Sha256);
}

#[test]
fn the_envelope_is_the_layer_of_a_referrer() {
    let certificate = Certificate::from_der(b"certificate".to_vec());
    let unsigned = envelope(KeyUsage::Rsa2048);
    let signed = String::from_utf8(unsigned.to_be_signed()).unwrap();
    let artefact = unsigned.artefact(b"\xff\xfe", &certificate, &key()).unwrap();
    let layer = artefact.blobs.last().unwrap();
    let parts: Vec<_> = signed.split('.').collect();
    assert_eq!(
        serde_json::from_slice::<Value>(&layer.bytes).unwrap(),
        json!({
            "payload": parts[1],
            "protected": parts[0],
            "header": {"x5c": ["Y2VydGlmaWNhdGU="], "io.cncf.notary.signingAgent": SIGNING_AGENT},
            "signature": "__4"
        })
    );
    let manifest: Value = serde_json::from_slice(&artefact.manifest).unwrap();
    assert_eq!(manifest["artifactType"], ARTIFACT_TYPE);
    assert_eq!(manifest["layers"][0]["mediaType"], "application/jose+json");
    assert_eq!(manifest["layers"][0]["digest"], layer.digest.to_string());
    assert_eq!(manifest["subject"]["digest"], IMAGE);
    let thumbprint = format!("[\"{}\"]", Digest::of(b"certificate").hex());
    assert_eq!(manifest["annotations"]["io.cncf.notary.x509chain.thumbprint#S256"], thumbprint);
    assert_eq!(manifest["annotations"]["org.opencontainers.image.created"], "2025-11-22T02:51:00Z");
}

#[test]
fn an_ecdsa_signature_is_written_as_two_numbers_and_nothing_else_is_taken() {
    let certificate = Certificate::from_der(b"certificate".to_vec());
    let artefact =
        envelope(KeyUsage::EccP256).artefact(&[0x30, 6, 2, 1, 1, 2, 1, 2], &certificate, &key()).unwrap();
    let layer: Value = serde_json::from_slice(&artefact.blobs.last().unwrap().bytes).unwrap();
    let signature = URL_SAFE_NO_PAD.decode(layer["signature"].as_str().unwrap()).unwrap();
    assert_eq!((signature.len(), signature[31], signature[63]), (64, 1, 2));
    let refused = envelope(KeyUsage::EccP256).artefact(b"raw", &certificate, &key());
    assert_eq!(refused, Err(SignatureError));
}
