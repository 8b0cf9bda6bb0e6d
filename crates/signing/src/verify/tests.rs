//! Signatures made by the formats of this crate, whole and spoilt.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
};
use proptest::prelude::*;
use serde_json::Value;
use time::Duration;
use time::macros::datetime;

use super::*;
use crate::artefact::Artefact;
use crate::certificate;
use crate::notation::Envelope;
use crate::referrer::Subject;
use crate::signer::{Algorithm, KeyDescription, KeyName};
use crate::{bundle, public_key_pem};

const REFERENCE: &str = "demo.cr.localhost/library/app";
const NOW: OffsetDateTime = datetime!(2025-11-22 02:51:00 UTC);

enum Pair {
    Rsa(RsaKeyPair),
    Ecc(EcdsaKeyPair),
}

/// A key, and all that it has made of an image.
struct Bench {
    pair: Pair,
    name: KeyName,
    image: Digest,
    /// ECDSA makes another one each time.
    certificate: Certificate,
}

impl Bench {
    fn both() -> [Self; 2] {
        let rsa = Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap());
        let ecc = Pair::Ecc(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap());
        let name = KeyName { account: 1, region: "ap-guangzhou".into(), id: "a".into() };
        [rsa, ecc].map(|pair| {
            let mut bench = Self {
                pair,
                name: name.clone(),
                image: Digest::of(b"image"),
                certificate: Certificate::from_der(Vec::new()),
            };
            bench.certificate = bench.certify();
            bench
        })
    }

    fn description(&self) -> KeyDescription {
        let (usage, public_key) = match &self.pair {
            Pair::Rsa(pair) => (KeyUsage::Rsa2048, pair.public_key().as_der().unwrap().as_ref().to_vec()),
            Pair::Ecc(pair) => (KeyUsage::EccP256, pair.public_key().as_der().unwrap().as_ref().to_vec()),
        };
        KeyDescription { usage, public_key, enabled: true }
    }

    fn key(&self) -> PublicKey {
        PublicKey::from_pem(&public_key_pem(&self.description().public_key)).unwrap()
    }

    fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        match (&self.pair, algorithm) {
            (Pair::Rsa(pair), algorithm) => {
                let padding =
                    if algorithm == Algorithm::RsaPssSha256 { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                let mut raw = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &SystemRandom::new(), message, &mut raw).unwrap();
                raw
            }
            (Pair::Ecc(pair), _) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
        }
    }

    fn certify(&self) -> Certificate {
        let description = self.description();
        let bytes = certificate::to_be_signed(&self.name, &description).unwrap();
        let raw = self.sign(description.usage.algorithm(), &bytes);
        certificate::signed(&self.name, &description, &raw).unwrap()
    }

    fn subject(&self) -> Subject {
        let media_type = "application/vnd.oci.image.manifest.v1+json".to_owned();
        Subject { media_type, digest: self.image, size: 5 }
    }

    fn simple(&self) -> (Vec<u8>, Artefact) {
        let payload = crate::simple::payload(REFERENCE, &self.image);
        let raw = self.sign(self.description().usage.algorithm(), &payload);
        let signature = crate::simple::Signature { payload: &payload, raw: &raw, key: &self.name };
        let artefact = crate::simple::artefact(None, &self.image, signature).unwrap();
        (payload, artefact)
    }

    fn bundle(&self) -> Vec<u8> {
        let (statement, description) = (bundle::statement(&self.image), self.description());
        let raw = self.sign(description.usage.algorithm(), &bundle::pre_authentication_encoding(&statement));
        let signature = bundle::Signature {
            statement: &statement,
            raw: &raw,
            key: &self.name,
            public_key: &description.public_key,
        };
        held(&bundle::artefact(&self.subject(), signature, NOW))
    }

    fn envelope(&self) -> Vec<u8> {
        let envelope = Envelope::new(self.subject(), self.description().usage, NOW);
        let raw = self.sign(envelope.algorithm(), &envelope.to_be_signed());
        held(&envelope.artefact(&raw, &self.certificate, &self.name).unwrap())
    }
}

/// The layer of a referrer, found as verifiers find it.
fn held(artefact: &Artefact) -> Vec<u8> {
    let digest = layer(&artefact.manifest).unwrap();
    artefact.blobs.iter().find(|blob| blob.digest == digest).unwrap().bytes.clone()
}

/// The JSON text with one member changed.
fn with(bytes: &[u8], pointer: &str, value: Value) -> Vec<u8> {
    let mut document: Value = serde_json::from_slice(bytes).unwrap();
    *document.pointer_mut(pointer).unwrap() = value;
    serde_json::to_vec(&document).unwrap()
}

#[test]
fn what_this_crate_makes_holds() {
    for bench in Bench::both() {
        let (payload, artefact) = bench.simple();
        let signatures = listed(&artefact.manifest).unwrap();
        assert_eq!(signatures.len(), 1);
        assert_eq!(signatures[0].payload, Digest::of(&payload));
        assert_eq!(simple(&payload, &signatures[0].raw, &bench.image, &bench.key()).unwrap(), REFERENCE);
        assert_eq!(
            bundle(&bench.bundle(), &bench.image, &bench.key()).unwrap(),
            "https://sigstore.dev/cosign/sign/v1"
        );
        let made = envelope(&bench.envelope(), &bench.image, &bench.certificate, NOW);
        assert_eq!(made.unwrap(), "2025-11-22T02:51:00Z");
    }
}

#[test]
fn a_certificate_tells_its_key() {
    for bench in Bench::both() {
        assert_eq!(bench.certificate.public_key().unwrap(), bench.description().public_key);
        assert_eq!(Certificate::from_pem(&bench.certificate.pem()).unwrap(), bench.certificate);
    }
    assert_eq!(Certificate::from_der(b"certificate".to_vec()).public_key(), None);
    assert_eq!(Certificate::from_pem("-----BEGIN CERTIFICATE-----"), None);
}

#[test]
fn nothing_holds_for_another_image() {
    let other = Digest::of(b"other");
    for bench in Bench::both() {
        let (payload, artefact) = bench.simple();
        let raw = listed(&artefact.manifest).unwrap().remove(0).raw;
        let named = Fault::OtherImage(bench.image.to_string());
        assert_eq!(simple(&payload, &raw, &other, &bench.key()), Err(named.clone()));
        assert_eq!(bundle(&bench.bundle(), &other, &bench.key()), Err(named.clone()));
        assert_eq!(envelope(&bench.envelope(), &other, &bench.certificate, NOW), Err(named));
    }
}

#[test]
fn nothing_holds_under_another_key() {
    let [rsa, ecc] = Bench::both();
    for (bench, other) in [(&rsa, &ecc), (&ecc, &rsa), (&rsa, &Bench::both()[0])] {
        let (payload, artefact) = bench.simple();
        let raw = listed(&artefact.manifest).unwrap().remove(0).raw;
        assert_eq!(simple(&payload, &raw, &bench.image, &other.key()), Err(Fault::WrongSignature));
        assert_eq!(bundle(&bench.bundle(), &bench.image, &other.key()), Err(Fault::WrongSignature));
        assert_eq!(
            envelope(&bench.envelope(), &bench.image, &other.certificate, NOW),
            Err(Fault::OtherCertificate(bench.certificate.thumbprint()))
        );
    }
}

#[test]
fn changed_words_break_the_signature() {
    for bench in Bench::both() {
        let (mut payload, artefact) = bench.simple();
        let raw = listed(&artefact.manifest).unwrap().remove(0).raw;
        payload.push(b' ');
        assert_eq!(simple(&payload, &raw, &bench.image, &bench.key()), Err(Fault::WrongSignature));
        let statement = STANDARD.encode(bundle::statement(&Digest::of(b"other")));
        let spoilt = with(&bench.bundle(), "/dsseEnvelope/payload", statement.into());
        assert_eq!(bundle(&spoilt, &bench.image, &bench.key()), Err(Fault::WrongSignature));
        let target = format!(r#"{{"targetArtifact":{{"digest":"{}"}}}}"#, Digest::of(b"other"));
        let spoilt = with(&bench.envelope(), "/payload", URL_SAFE_NO_PAD.encode(target).into());
        assert_eq!(envelope(&spoilt, &bench.image, &bench.certificate, NOW), Err(Fault::WrongSignature));
    }
}

/// An envelope with other claims, signed as it should be.
fn claiming(bench: &Bench, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let made: Value = serde_json::from_slice(&bench.envelope()).unwrap();
    let part = |name: &str| unpadded(made[name].as_str().unwrap()).unwrap();
    let mut protected: Value = serde_json::from_slice(&part("protected")).unwrap();
    change(&mut protected);
    let protected = URL_SAFE_NO_PAD.encode(protected.to_string());
    let signed = format!("{protected}.{}", made["payload"].as_str().unwrap());
    let raw = bench.sign(Algorithm::RsaPssSha256, signed.as_bytes());
    let spoilt = with(&bench.envelope(), "/protected", protected.into());
    with(&spoilt, "/signature", URL_SAFE_NO_PAD.encode(raw).into())
}

#[test]
fn claims_are_understood_or_refused() {
    let [bench, _] = Bench::both();
    let check = |change: fn(&mut Value), now| {
        envelope(&claiming(&bench, change), &bench.image, &bench.certificate, now)
    };
    assert!(check(|_| {}, NOW).is_ok());
    let expiring = |claims: &mut Value| {
        claims["crit"] = serde_json::json!(["io.cncf.notary.signingScheme", "io.cncf.notary.expiry"]);
        claims["io.cncf.notary.expiry"] = "2025-11-23T02:51:00Z".into();
    };
    assert!(check(expiring, NOW).is_ok());
    let over = check(expiring, NOW + Duration::days(1));
    assert_eq!(over, Err(Fault::Expired("2025-11-23T02:51:00Z".to_owned())));
    let unknown = check(|claims| claims["crit"] = serde_json::json!(["new"]), NOW);
    assert_eq!(unknown, Err(Fault::Unsupported("the claim new".to_owned())));
    assert!(matches!(check(|claims| claims["alg"] = "PS384".into(), NOW), Err(Fault::Unsupported(_))));
    assert!(matches!(check(|claims| claims["cty"] = "text".into(), NOW), Err(Fault::Unsupported(_))));
}

#[test]
fn other_forms_are_named() {
    let [bench, _] = Bench::both();
    let several = with(&bench.bundle(), "/dsseEnvelope/signatures", serde_json::json!([]));
    assert!(matches!(bundle(&several, &bench.image, &bench.key()), Err(Fault::Malformed(_))));
    let typed = with(&bench.bundle(), "/dsseEnvelope/payloadType", "text".into());
    assert_eq!(bundle(&typed, &bench.image, &bench.key()), Err(Fault::Unsupported("text".to_owned())));
    let chain = with(&bench.envelope(), "/header/x5c", serde_json::json!([]));
    assert!(matches!(envelope(&chain, &bench.image, &bench.certificate, NOW), Err(Fault::Unsupported(_))));
    assert!(matches!(PublicKey::from_pem("nothing"), Err(Fault::Malformed(_))));
    assert!(matches!(PublicKey::from_spki(b"0"), Err(Fault::Unsupported(_))));
    assert!(matches!(layer(br#"{"layers":[]}"#), Err(Fault::Malformed(_))));
    assert_eq!(listed(br#"{"layers":[{"mediaType":"text","digest":"x"}]}"#), Ok(Vec::new()));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        let image = Digest::of(b"image");
        let key = PublicKey { usage: KeyUsage::EccP256, spki: bytes.clone() };
        prop_assert!(simple(&bytes, &bytes, &image, &key).is_err());
        prop_assert!(bundle(&bytes, &image, &key).is_err());
        prop_assert!(envelope(&bytes, &image, &Certificate::from_der(bytes.clone()), NOW).is_err());
    }
}
