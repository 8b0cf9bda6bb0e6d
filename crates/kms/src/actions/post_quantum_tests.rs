//! Post-quantum keys at work, and what is refused.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rookery_api::ErrorCode as _;
use rookery_api::kms::{
    PostQuantumCryptoDecryptRequest, PostQuantumCryptoEncryptRequest, PostQuantumCryptoSignRequest,
    PostQuantumCryptoVerifyRequest,
};
use rookery_gateway::Refusal as _;

use super::post_quantum::post_quantum_crypto_decrypt::post_quantum_crypto_decrypt;
use super::post_quantum::post_quantum_crypto_encrypt::post_quantum_crypto_encrypt;
use super::post_quantum::post_quantum_crypto_sign::post_quantum_crypto_sign;
use super::post_quantum::post_quantum_crypto_verify::post_quantum_crypto_verify;
use super::scene::{ABSENT, ECC, SYMMETRIC, Scene};
use crate::error::Error;
use crate::material::public_key_pem;
use crate::primitives::sm2::Sm2KeyPair;

const DECRYPTS: &str = "ASYMMETRIC_DECRYPT_ML_KEM_1024";
const SIGNS: &str = "ASYMMETRIC_SIGN_VERIFY_ML_DSA_87";

fn code<T>(answer: Result<T, Error>) -> &'static str {
    answer.err().unwrap().code().name()
}

fn blob(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

impl Scene {
    async fn pq_encrypt(&self, id: &str, text: &[u8]) -> Result<String, Error> {
        let request = PostQuantumCryptoEncryptRequest { key_id: id.to_owned(), plain_text: blob(text) };
        let reply = post_quantum_crypto_encrypt(&self.kms, self.call(request)).await?;
        assert_eq!(reply.key_id, id);
        Ok(reply.ciphertext_blob)
    }

    async fn pq_decrypt(
        &self,
        ciphertext: &str,
        public_key: Option<&str>,
    ) -> Result<(String, Vec<u8>), Error> {
        let request = PostQuantumCryptoDecryptRequest {
            ciphertext_blob: ciphertext.to_owned(),
            encryption_public_key: public_key.map(str::to_owned),
            encryption_algorithm: public_key.map(|_| "SM2_C1C3C2_ASN1".to_owned()),
        };
        let reply = post_quantum_crypto_decrypt(&self.kms, self.call(request)).await?;
        Ok((reply.key_id, BASE64_STANDARD.decode(reply.plain_text).unwrap()))
    }

    async fn pq_sign(&self, id: &str, message: &[u8]) -> Result<Vec<u8>, Error> {
        let request = PostQuantumCryptoSignRequest { message: blob(message), key_id: id.to_owned() };
        let reply = post_quantum_crypto_sign(&self.kms, self.call(request)).await?;
        Ok(BASE64_STANDARD.decode(reply.signature).unwrap())
    }

    async fn pq_verify(&self, id: &str, message: &[u8], signature: &[u8]) -> Result<bool, Error> {
        let request = PostQuantumCryptoVerifyRequest {
            key_id: id.to_owned(),
            signature_value: blob(signature),
            message: blob(message),
        };
        Ok(post_quantum_crypto_verify(&self.kms, self.call(request)).await?.signature_valid)
    }
}

#[tokio::test]
async fn a_text_comes_back_from_its_ciphertext_alone() {
    let scene = Scene::new();
    let id = scene.create("pq", DECRYPTS).await;
    for text in [&b"x"[..], &[7; 4096]] {
        let ciphertext = scene.pq_encrypt(&id, text).await.unwrap();
        assert_eq!(BASE64_STANDARD.decode(&ciphertext).unwrap().len(), 17 + 1568 + text.len() + 16);
        assert_eq!(scene.pq_decrypt(&ciphertext, None).await.unwrap(), (id.clone(), text.to_vec()));
        let pair = Sm2KeyPair::generate().unwrap();
        let pem = public_key_pem(&blob(&pair.public_key().to_der().unwrap()));
        let (_, wrapped) = scene.pq_decrypt(&ciphertext, Some(&pem)).await.unwrap();
        assert_eq!(**pair.decrypt(&wrapped).unwrap(), *text);
    }
}

#[tokio::test]
async fn ciphertexts_that_are_none_are_refused() {
    let scene = Scene::new();
    let (id, other) = (scene.create("pq", DECRYPTS).await, scene.create("other", DECRYPTS).await);
    let ciphertext = scene.pq_encrypt(&id, b"text").await.unwrap();
    let bytes = BASE64_STANDARD.decode(&ciphertext).unwrap();
    let another = BASE64_STANDARD.decode(scene.pq_encrypt(&other, b"text").await.unwrap()).unwrap();
    // The header of one key with what was encrypted for the other, a byte altered in each part, the end missing.
    let mut wrong = vec![[&another[..17], &bytes[17..]].concat(), bytes[..bytes.len() - 1].to_vec()];
    for at in [0, 17, 1000, bytes.len() - 20, bytes.len() - 1] {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        wrong.push(altered);
    }
    let symmetric = scene.create("symmetric", SYMMETRIC).await;
    let mut texts: Vec<_> = wrong.iter().map(|bytes| blob(bytes)).collect();
    texts.extend([
        "no base64".to_owned(),
        "A".repeat(7600),
        String::new(),
        scene.encrypt(&symmetric, None, b"text").await.unwrap(),
    ]);
    for text in texts {
        assert_eq!(code(scene.pq_decrypt(&text, None).await), "InvalidParameterValue.InvalidCiphertext");
    }
    let mut unknown = bytes.clone();
    unknown[5] ^= 1;
    assert_eq!(code(scene.pq_decrypt(&blob(&unknown), None).await), "ResourceUnavailable.CmkNotFound");
    assert_eq!(code(scene.pq_decrypt(&ciphertext, Some("no key")).await), "InvalidParameter");
    scene.disable(&id).await;
    assert_eq!(code(scene.pq_decrypt(&ciphertext, None).await), "ResourceUnavailable.CmkDisabled");
    scene.enable(&id).await;
    assert!(scene.pq_decrypt(&ciphertext, None).await.is_ok());
}

#[tokio::test]
async fn a_signature_holds_for_its_message_and_key_alone() {
    let scene = Scene::new();
    let (id, other) = (scene.create("pq", SIGNS).await, scene.create("other", SIGNS).await);
    for message in [&b""[..], &[7; 4096]] {
        let signature = scene.pq_sign(&id, message).await.unwrap();
        assert_eq!(signature.len(), 4627);
        assert!(scene.pq_verify(&id, message, &signature).await.unwrap());
        assert!(!scene.pq_verify(&id, b"another", &signature).await.unwrap());
        assert!(!scene.pq_verify(&other, message, &signature).await.unwrap());
        assert!(!scene.pq_verify(&id, message, &signature[1..]).await.unwrap());
    }
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_with_its_code() {
    let scene = Scene::new();
    let (kem, dsa, ecc) = (
        scene.create("kem", DECRYPTS).await,
        scene.create("dsa", SIGNS).await,
        scene.create("ecc", ECC).await,
    );
    assert_eq!(code(scene.pq_encrypt(&kem, &[7; 4097]).await), "InvalidParameterValue.InvalidPlaintext");
    assert_eq!(code(scene.pq_encrypt(&kem, b"").await), "InvalidParameterValue.InvalidPlaintext");
    assert_eq!(code(scene.pq_sign(&dsa, &[7; 4097]).await), "InvalidParameter");
    for id in [&*dsa, &*ecc] {
        assert_eq!(code(scene.pq_encrypt(id, b"text").await), "InvalidParameterValue.InvalidKeyUsage");
    }
    for id in [&*kem, &*ecc] {
        assert_eq!(code(scene.pq_sign(id, b"text").await), "InvalidParameterValue.InvalidKeyUsage");
        assert_eq!(code(scene.pq_verify(id, b"text", b"").await), "InvalidParameterValue.InvalidKeyUsage");
    }
    // The classical actions are not for these keys.
    assert_eq!(code(scene.sign(&dsa, "ECC_P256_R1", b"text").await), "InvalidParameter");
    for (id, expected) in
        [(ABSENT, "ResourceUnavailable.CmkNotFound"), ("no-uuid", "InvalidParameterValue.InvalidKeyId")]
    {
        assert_eq!(code(scene.pq_encrypt(id, b"text").await), expected);
        assert_eq!(code(scene.pq_sign(id, b"text").await), expected);
        assert_eq!(code(scene.pq_verify(id, b"text", b"").await), expected);
    }
    scene.disable(&dsa).await;
    assert_eq!(code(scene.pq_sign(&dsa, b"text").await), "ResourceUnavailable.CmkDisabled");
}
