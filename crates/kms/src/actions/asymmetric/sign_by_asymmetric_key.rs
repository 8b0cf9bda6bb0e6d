//! `SignByAsymmetricKey`: signs a message, or the digest of one.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rookery_api::kms::{SignByAsymmetricKeyRequest, SignByAsymmetricKeyResponse};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::keys::KeyId;
use crate::message::Message;
use crate::usage::Algorithm;
use crate::{Kms, key_resources};

pub(crate) fn resources(kms: &Kms, call: &Call<SignByAsymmetricKeyRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn sign_by_asymmetric_key(
    kms: &Kms,
    call: Call<SignByAsymmetricKeyRequest>,
) -> Result<SignByAsymmetricKeyResponse, Error> {
    let scope = kms.enter(&call).await?;
    let SignByAsymmetricKeyRequest { algorithm, message, key_id, message_type } = call.request;
    let id = KeyId::parse(&key_id)?;
    let algorithm = Algorithm::parse(&algorithm)?;
    let message = Message::read(algorithm, &message, message_type.as_deref())?;
    let signature = kms.sign_message(&scope, &id, algorithm, &message).await?;
    Ok(SignByAsymmetricKeyResponse { signature: BASE64_STANDARD.encode(signature) })
}

#[cfg(test)]
mod tests {
    use rookery_api::ErrorCode as _;
    use rookery_gateway::Refusal;

    use super::*;
    use crate::openssl::{self, Padding};
    use crate::scene::{ABSENT, ECC, RSA, Scene};

    fn order(
        key_id: &str,
        algorithm: &str,
        message: &[u8],
        kind: Option<&str>,
    ) -> SignByAsymmetricKeyRequest {
        SignByAsymmetricKeyRequest {
            algorithm: algorithm.to_owned(),
            message: BASE64_STANDARD.encode(message),
            key_id: key_id.to_owned(),
            message_type: kind.map(str::to_owned),
        }
    }

    async fn signed(scene: &Scene, request: SignByAsymmetricKeyRequest) -> Vec<u8> {
        let reply = sign_by_asymmetric_key(&scene.kms, scene.call(request)).await.unwrap();
        BASE64_STANDARD.decode(reply.signature).unwrap()
    }

    #[tokio::test]
    async fn openssl_verifies_what_is_signed() {
        let Some(openssl) = openssl::Workshop::open() else { return };
        let scene = Scene::new();
        let (rsa, ecc) = (scene.create("rsa", RSA).await, scene.create("ecc", ECC).await);
        let message = vec![0xA5; 4096];
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &message);
        for (id, algorithm, padding) in [
            (&rsa, "RSA_PKCS1_SHA_256", Padding::None),
            (&rsa, "RSA_PSS_SHA_256", Padding::Pss),
            (&ecc, "ECC_P256_R1", Padding::None),
        ] {
            let pem = scene.public_key_pem(id).await;
            for (text, kind) in
                [(&*message, None), (&*message, Some("RAW")), (digest.as_ref(), Some("DIGEST"))]
            {
                let mut signature = signed(&scene, order(id, algorithm, text, kind)).await;
                assert!(openssl.verifies_message(&pem, padding, &message, &signature), "{algorithm}");
                assert!(openssl.verifies_digest(&pem, padding, digest.as_ref(), &signature), "{algorithm}");
                assert!(!openssl.verifies_message(&pem, padding, b"another", &signature), "{algorithm}");
                if let Some(last) = signature.last_mut() {
                    *last ^= 1;
                }
                assert!(!openssl.verifies_message(&pem, padding, &message, &signature), "{algorithm}");
            }
        }
    }

    #[tokio::test]
    async fn signing_works_after_a_pause_of_the_key() {
        let scene = Scene::new();
        let id = scene.create("release", ECC).await;
        scene.disable(&id).await;
        assert!(matches!(scene.sign(&id, "ECC_P256_R1", b"text").await, Err(Error::KeyDisabled(_))));
        scene.enable(&id).await;
        assert!(scene.sign(&id, "ECC_P256_R1", b"text").await.is_ok());
    }

    #[tokio::test]
    async fn what_cannot_be_signed_is_refused() {
        let scene = Scene::new();
        let (rsa, ecc) = (scene.create("rsa", RSA).await, scene.create("ecc", ECC).await);
        let disabled = scene.create("disabled", ECC).await;
        scene.disable(&disabled).await;
        let raw = |id: &str, algorithm: &str| order(id, algorithm, b"text", None);
        let mangled = |message: &str, kind: Option<&str>| SignByAsymmetricKeyRequest {
            message: message.to_owned(),
            ..order(&ecc, "ECC_P256_R1", b"", kind)
        };
        for (request, code) in [
            (raw("no-uuid", "ECC_P256_R1"), "InvalidParameterValue.InvalidKeyId"),
            (raw(ABSENT, "ECC_P256_R1"), "ResourceUnavailable.CmkNotFound"),
            (raw(&disabled, "ECC_P256_R1"), "ResourceUnavailable.CmkDisabled"),
            (raw(&rsa, "ECC_P256_R1"), "InvalidParameter"),
            (raw(&ecc, "RSA_PKCS1_SHA_256"), "InvalidParameter"),
            (raw(&ecc, "RSA_PSS_SHA_256"), "InvalidParameter"),
            (raw(&ecc, "SM2DSA"), "InvalidParameter"),
            (raw(&ecc, "ECDSA"), "InvalidParameter"),
            (order(&ecc, "ECC_P256_R1", b"text", Some("raw")), "InvalidParameter"),
            (order(&ecc, "ECC_P256_R1", b"text", Some("")), "InvalidParameter"),
            (order(&ecc, "ECC_P256_R1", &[0; 4097], Some("RAW")), "InvalidParameter"),
            (order(&ecc, "ECC_P256_R1", &[0; 31], Some("DIGEST")), "InvalidParameter"),
            (order(&ecc, "ECC_P256_R1", &[0; 33], Some("DIGEST")), "InvalidParameter"),
            (mangled("YQ", None), "InvalidParameter"),
            (mangled("!!!!", Some("RAW")), "InvalidParameter"),
            (mangled("YQ", Some("DIGEST")), "InvalidParameter"),
        ] {
            let refusal = sign_by_asymmetric_key(&scene.kms, scene.call(request)).await.unwrap_err();
            assert_eq!(refusal.code().name(), code, "{refusal}");
        }
    }
}
