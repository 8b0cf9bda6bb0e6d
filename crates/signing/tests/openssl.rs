//! Signatures made through the [`Signer`] seam, checked by a tool that shares no code with us.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "the helpers of a test fail as tests do; clippy exempts only the test functions themselves"
)]

use std::io::Write as _;
use std::pin::pin;
use std::process::{Command, Output};
use std::task::{Context, Poll, Waker};

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use rookery_signing::{
    Algorithm, BoxFuture, Digest, KeyDescription, KeyName, KeyUsage, Signer, SignerError, certificate,
    public_key_pem, simple,
};

/// A key service that holds one key of each usage, under the ids `rsa` and `ecc`.
struct TwoKeys {
    rsa: RsaKeyPair,
    ecc: EcdsaKeyPair,
}

impl TwoKeys {
    fn new() -> Self {
        Self {
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
            ecc: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap(),
        }
    }

    fn describe_now(&self, id: &str) -> Result<KeyDescription, SignerError> {
        let (usage, public_key): (_, PublicKeyX509Der<'_>) = match id {
            "rsa" => (KeyUsage::Rsa2048, self.rsa.public_key().as_der().unwrap()),
            "ecc" => (KeyUsage::EccP256, self.ecc.public_key().as_der().unwrap()),
            _ => return Err(SignerError::NoSuchKey),
        };
        Ok(KeyDescription { usage, public_key: public_key.as_ref().to_vec(), enabled: true })
    }

    fn sign_now(&self, id: &str, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        let padding = match (self.describe_now(id)?.usage, algorithm) {
            (KeyUsage::Rsa2048, Algorithm::RsaPkcs1Sha256) => &RSA_PKCS1_SHA256,
            (KeyUsage::Rsa2048, Algorithm::RsaPssSha256) => &RSA_PSS_SHA256,
            (KeyUsage::EccP256, Algorithm::EcdsaP256Sha256) => {
                return Ok(self.ecc.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec());
            }
            _ => return Err(SignerError::UnsuitableUsage),
        };
        let mut signature = vec![0; self.rsa.public_modulus_len()];
        self.rsa.sign(padding, &SystemRandom::new(), message, &mut signature).unwrap();
        Ok(signature)
    }
}

impl Signer for TwoKeys {
    fn describe<'a>(&'a self, key: &'a KeyName) -> BoxFuture<'a, Result<KeyDescription, SignerError>> {
        Box::pin(async { self.describe_now(&key.id) })
    }

    fn sign<'a>(
        &'a self,
        key: &'a KeyName,
        algorithm: Algorithm,
        message: &'a [u8],
    ) -> BoxFuture<'a, Result<Vec<u8>, SignerError>> {
        Box::pin(async move { self.sign_now(&key.id, algorithm, message) })
    }
}

/// The outcome of a future that never waits.
fn now<T>(future: BoxFuture<'_, T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("this signer never waits"),
    }
}

/// Whether openssl is there; says so where it is not.
fn openssl_is_missing() -> bool {
    let missing = Command::new("openssl").arg("version").output().is_err();
    if missing {
        eprintln!("skipped: openssl is not installed");
    }
    missing
}

/// `openssl dgst -sha256 -verify` of `message` with further options.
fn openssl(public_key: &[u8], message: &[u8], signature: &[u8], options: &[&str]) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = directory.path().join(name);
        std::fs::File::create(&path).unwrap().write_all(content).unwrap();
        path
    };
    Command::new("openssl")
        .args(["dgst", "-sha256", "-keyform", "DER", "-verify"])
        .arg(file("key.der", public_key))
        .args(options)
        .arg("-signature")
        .arg(file("signature", signature))
        .arg(file("message", message))
        .output()
        .unwrap()
}

fn key(id: &str) -> KeyName {
    KeyName { account: 1, region: "ap-guangzhou".into(), id: id.into() }
}

#[test]
fn openssl_verifies_what_the_artefact_holds() {
    if openssl_is_missing() {
        return;
    }
    let keys = TwoKeys::new();
    let image = Digest::of(b"a manifest");
    let mut existing = None;
    for id in ["rsa", "ecc"] {
        let key = key(id);
        let description = now(keys.describe(&key)).unwrap();
        let payload = simple::payload("registry.example.com/team/app", &image);
        let raw = now(keys.sign(&key, description.usage.algorithm(), &payload)).unwrap();
        let signature = simple::Signature { payload: &payload, raw: &raw, key: &key };
        let artefact = simple::artefact(existing.as_deref(), &image, signature).unwrap();

        // As a verifier does it: the last layer's blob, and the signature from its annotation.
        let manifest: serde_json::Value = serde_json::from_slice(&artefact.manifest).unwrap();
        let layer = manifest["layers"].as_array().unwrap().last().unwrap();
        let blob = artefact.blobs.iter().find(|blob| layer["digest"] == blob.digest.to_string()).unwrap();
        let encoded = layer["annotations"][simple::SIGNATURE_ANNOTATION].as_str().unwrap();
        let decoded = base64::engine::general_purpose::STANDARD.decode(encoded).unwrap();

        let verdict = openssl(&description.public_key, &blob.bytes, &decoded, &[]);
        assert!(verdict.status.success(), "{id}: {verdict:?}");
        let forged = openssl(&description.public_key, b"another payload", &decoded, &[]);
        assert!(!forged.status.success(), "{id}: {forged:?}");
        existing = Some(artefact.manifest);
    }
}

#[test]
fn openssl_reads_the_certificate_that_a_key_makes_of_itself() {
    if openssl_is_missing() {
        return;
    }
    let keys = TwoKeys::new();
    for id in ["rsa", "ecc"] {
        let key = key(id);
        let description = now(keys.describe(&key)).unwrap();
        let bytes = certificate::to_be_signed(&key, &description).unwrap();
        let raw = now(keys.sign(&key, description.usage.algorithm(), &bytes)).unwrap();
        let certificate = certificate::signed(&key, &description, &raw).unwrap();

        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("certificate.pem");
        std::fs::write(&file, certificate.pem()).unwrap();
        let openssl = |arguments: &[&str]| {
            let command = Command::new("openssl").args(arguments).arg(&file).output().unwrap();
            (command.status.success(), String::from_utf8(command.stdout).unwrap())
        };
        let path = file.to_str().unwrap();
        let trust = ["verify", "-x509_strict", "-check_ss_sig", "-partial_chain", "-CAfile", path];
        assert_eq!(openssl(&trust), (true, format!("{path}: OK\n")));
        let (_, public_key) = openssl(&["x509", "-noout", "-pubkey", "-in"]);
        assert_eq!(public_key, public_key_pem(&description.public_key));
        let (_, subject) = openssl(&["x509", "-noout", "-subject", "-issuer", "-nameopt", "RFC2253", "-in"]);
        let name = format!("CN={id},O=uin 1,ST=ap-guangzhou,C=CN");
        assert_eq!(subject, format!("subject={name}\nissuer={name}\n"));
    }
}

#[test]
fn openssl_tells_the_two_rsa_paddings_apart() {
    if openssl_is_missing() {
        return;
    }
    let (keys, key) = (TwoKeys::new(), key("rsa"));
    let public_key = now(keys.describe(&key)).unwrap().public_key;
    let raw = now(keys.sign(&key, Algorithm::RsaPssSha256, b"message")).unwrap();
    let pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"];
    assert!(openssl(&public_key, b"message", &raw, &pss).status.success());
    assert!(!openssl(&public_key, b"message", &raw, &[]).status.success());
}

#[test]
fn a_key_service_refuses_unknown_keys_and_other_usages() {
    let keys: Box<dyn Signer> = Box::new(TwoKeys::new());
    assert_eq!(now(keys.describe(&key("none"))), Err(SignerError::NoSuchKey));
    assert_eq!(
        now(keys.sign(&key("ecc"), Algorithm::RsaPkcs1Sha256, b"m")),
        Err(SignerError::UnsuitableUsage)
    );
}
