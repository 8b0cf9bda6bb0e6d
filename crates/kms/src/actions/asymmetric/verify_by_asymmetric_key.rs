//! `VerifyByAsymmetricKey`: whether a signature is one that the key made.

use rookery_api::kms::{VerifyByAsymmetricKeyRequest, VerifyByAsymmetricKeyResponse};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::keys::KeyId;
use crate::message::{self, Message};
use crate::states::Operation;
use crate::usage::Algorithm;
use crate::{Kms, key_resources, material};

pub(crate) fn resources(kms: &Kms, call: &Call<VerifyByAsymmetricKeyRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

/// A signature that is not the key's is an answer; a text that is not Base64 is an error.
pub(crate) async fn verify_by_asymmetric_key(
    kms: &Kms,
    call: Call<VerifyByAsymmetricKeyRequest>,
) -> Result<VerifyByAsymmetricKeyResponse, Error> {
    let scope = kms.enter(&call).await?;
    let VerifyByAsymmetricKeyRequest { key_id, signature_value, message, algorithm, message_type } =
        call.request;
    let id = KeyId::parse(&key_id)?;
    let algorithm = Algorithm::parse(&algorithm)?;
    let message = Message::read(algorithm, &message, message_type.as_deref())?;
    let signature = message::decode("SignatureValue", &signature_value)?;
    let algorithm = kms.key_for(&scope, &id, Operation::UseKeyPair)?.usage.suited(algorithm)?;
    let pair = kms.material(&scope, &id)?;
    let signature_valid = material::verify(&pair.public_key, algorithm, &message, &signature)?;
    Ok(VerifyByAsymmetricKeyResponse { signature_valid })
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest::{SHA256, digest};
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use rookery_api::ErrorCode as _;
    use rookery_gateway::Refusal;

    use super::*;
    use crate::scene::{ABSENT, ECC, RSA, Scene};

    const MESSAGE: &[u8] = b"a message";

    fn question(key_id: &str, algorithm: &str, signature: &[u8]) -> VerifyByAsymmetricKeyRequest {
        VerifyByAsymmetricKeyRequest {
            key_id: key_id.to_owned(),
            signature_value: BASE64_STANDARD.encode(signature),
            message: BASE64_STANDARD.encode(MESSAGE),
            algorithm: algorithm.to_owned(),
            message_type: None,
        }
    }

    async fn valid(scene: &Scene, request: VerifyByAsymmetricKeyRequest) -> bool {
        verify_by_asymmetric_key(&scene.kms, scene.call(request)).await.unwrap().signature_valid
    }

    #[tokio::test]
    async fn only_the_signature_of_the_message_by_the_key_is_valid() {
        let scene = Scene::new();
        let (rsa, ecc) = (scene.create("rsa", RSA).await, scene.create("ecc", ECC).await);
        let (rsa_too, ecc_too) = (scene.create("rsa-too", RSA).await, scene.create("ecc-too", ECC).await);
        for (id, another, algorithm) in [
            (&rsa, &rsa_too, "RSA_PKCS1_SHA_256"),
            (&rsa, &rsa_too, "RSA_PSS_SHA_256"),
            (&ecc, &ecc_too, "ECC_P256_R1"),
        ] {
            let signature = scene.sign(id, algorithm, MESSAGE).await.unwrap();
            assert!(valid(&scene, question(id, algorithm, &signature)).await);
            let by_digest = VerifyByAsymmetricKeyRequest {
                message: BASE64_STANDARD.encode(digest(&SHA256, MESSAGE)),
                message_type: Some("DIGEST".to_owned()),
                ..question(id, algorithm, &signature)
            };
            assert!(valid(&scene, by_digest).await);

            assert!(!valid(&scene, question(another, algorithm, &signature)).await);
            assert!(!valid(&scene, question(id, algorithm, b"")).await);
            let mut altered = signature.clone();
            if let Some(last) = altered.last_mut() {
                *last ^= 1;
            }
            assert!(!valid(&scene, question(id, algorithm, &altered)).await);
            let message = BASE64_STANDARD.encode("another");
            let other = VerifyByAsymmetricKeyRequest { message, ..question(id, algorithm, &signature) };
            assert!(!valid(&scene, other).await);
        }
        let padded = scene.sign(&rsa, "RSA_PSS_SHA_256", MESSAGE).await.unwrap();
        assert!(!valid(&scene, question(&rsa, "RSA_PKCS1_SHA_256", &padded)).await);
    }

    #[tokio::test]
    async fn what_cannot_be_verified_is_refused() {
        let scene = Scene::new();
        let (ecc, disabled) = (scene.create("ecc", ECC).await, scene.create("disabled", ECC).await);
        scene.disable(&disabled).await;
        let base = || question(&ecc, "ECC_P256_R1", b"x");
        let unreadable = VerifyByAsymmetricKeyRequest { signature_value: "?".to_owned(), ..base() };
        let mangled = VerifyByAsymmetricKeyRequest { message: "?".to_owned(), ..base() };
        let unknown_kind = VerifyByAsymmetricKeyRequest { message_type: Some("HASH".to_owned()), ..base() };
        let short = VerifyByAsymmetricKeyRequest { message_type: Some("DIGEST".to_owned()), ..base() };
        let long = VerifyByAsymmetricKeyRequest { message: BASE64_STANDARD.encode([0; 4097]), ..base() };
        for (request, code) in [
            (question("no-uuid", "ECC_P256_R1", b"x"), "InvalidParameterValue.InvalidKeyId"),
            (question(ABSENT, "ECC_P256_R1", b"x"), "ResourceUnavailable.CmkNotFound"),
            (question(&disabled, "ECC_P256_R1", b"x"), "ResourceUnavailable.CmkDisabled"),
            (question(&ecc, "RSA_PKCS1_SHA_256", b"x"), "InvalidParameter"),
            (question(&ecc, "SM2DSA", b"x"), "InvalidParameter"),
            (question(&ecc, "ECDSA", b"x"), "InvalidParameter"),
            (unreadable, "InvalidParameter"),
            (mangled, "InvalidParameter"),
            (unknown_kind, "InvalidParameter"),
            (short, "InvalidParameter"),
            (long, "InvalidParameter"),
        ] {
            let refusal = verify_by_asymmetric_key(&scene.kms, scene.call(request)).await.unwrap_err();
            assert_eq!(refusal.code().name(), code, "{refusal}");
        }
    }
}
