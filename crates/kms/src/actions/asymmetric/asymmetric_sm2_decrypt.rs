//! `AsymmetricSm2Decrypt`: what was encrypted with the public half of an SM2 key becomes readable.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rookery_api::kms::{AsymmetricSm2DecryptRequest, AsymmetricSm2DecryptResponse};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::keys::KeyId;
use crate::material::KeyPair;
use crate::states::Operation;
use crate::usage::KeyUsage;
use crate::{Kms, key_resources, message};

/// The longest ciphertext, in bytes.
const CIPHERTEXT_LIMIT: usize = 256;

pub(crate) fn resources(kms: &Kms, call: &Call<AsymmetricSm2DecryptRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn asymmetric_sm2_decrypt(
    kms: &Kms,
    call: Call<AsymmetricSm2DecryptRequest>,
) -> Result<AsymmetricSm2DecryptResponse, Error> {
    let scope = kms.enter(&call).await?;
    let AsymmetricSm2DecryptRequest { key_id, ciphertext } = call.request;
    let id = KeyId::parse(&key_id)?;
    let ciphertext = message::decode("Ciphertext", &ciphertext)?;
    if ciphertext.len() > CIPHERTEXT_LIMIT {
        return Err(Error::CiphertextTooLong(ciphertext.len(), CIPHERTEXT_LIMIT));
    }
    let key = kms.key(&scope, &id)?;
    KeyUsage::DecryptSm2.expect(key.usage)?;
    Operation::UseKeyPair.check(&id, key.state)?;
    let pair = kms.key_pair(&scope, &id, &key).await?;
    let KeyPair::Sm2(private_key) = &*pair else {
        return Err(Error::Damaged("a key pair is not of its key's usage"));
    };
    let text = private_key.decrypt(&ciphertext).ok_or(Error::Undecryptable)?;
    Ok(AsymmetricSm2DecryptResponse { key_id, plaintext: BASE64_STANDARD.encode(&*text) })
}

#[cfg(test)]
mod tests {
    use rookery_api::ErrorCode as _;
    use rookery_gateway::Refusal as _;

    use super::*;
    use crate::openssl::Workshop;
    use crate::primitives::sm2::Sm2PublicKey;
    use crate::scene::{ABSENT, Scene};

    const DECRYPTS: &str = "ASYMMETRIC_DECRYPT_SM2";
    const SIGNS: &str = "ASYMMETRIC_SIGN_VERIFY_SM2";

    async fn decrypt(scene: &Scene, id: &str, ciphertext: &[u8]) -> Result<Vec<u8>, Error> {
        let request = AsymmetricSm2DecryptRequest {
            key_id: id.to_owned(),
            ciphertext: BASE64_STANDARD.encode(ciphertext),
        };
        let reply = asymmetric_sm2_decrypt(&scene.kms, scene.call(request)).await?;
        Ok(BASE64_STANDARD.decode(reply.plaintext).unwrap())
    }

    fn public_key(scene: &Scene, id: &str) -> Sm2PublicKey {
        let material = scene.kms.material(&scene.scope(), &KeyId::parse(id).unwrap()).unwrap();
        Sm2PublicKey::from_der(&BASE64_STANDARD.decode(&material.public_key).unwrap()).unwrap()
    }

    #[tokio::test]
    async fn what_openssl_encrypts_is_decrypted() {
        let scene = Scene::new();
        let id = scene.create("sm2", DECRYPTS).await;
        let Some(openssl) = Workshop::open() else { return };
        let pem = scene.public_key_pem(&id).await;
        for text in [&b"x"[..], b"encryption standard", &[7; 140]] {
            let ciphertext = openssl.encrypt_by(&pem, text);
            assert_eq!(decrypt(&scene, &id, &ciphertext).await.unwrap(), text);
        }
    }

    #[tokio::test]
    async fn what_it_cannot_decrypt_is_refused() {
        let scene = Scene::new();
        let (id, other) = (scene.create("sm2", DECRYPTS).await, scene.create("other", DECRYPTS).await);
        let signing = scene.create("signing", SIGNS).await;
        let ciphertext = public_key(&scene, &id).encrypt(b"text").unwrap();
        assert_eq!(decrypt(&scene, &id, &ciphertext).await.unwrap(), b"text");
        let mut altered = ciphertext.clone();
        if let Some(last) = altered.last_mut() {
            *last ^= 1;
        }
        for (id, ciphertext, code) in [
            (&*other, &*ciphertext, "FailedOperation.DecryptError"),
            (&id, &altered, "FailedOperation.DecryptError"),
            (&id, &ciphertext[..ciphertext.len() - 1], "FailedOperation.DecryptError"),
            (&id, b"", "FailedOperation.DecryptError"),
            (&id, &[0; 257], "InvalidParameter"),
            (&signing, &ciphertext, "InvalidParameterValue.InvalidKeyUsage"),
            (ABSENT, &ciphertext, "ResourceUnavailable.CmkNotFound"),
            ("no-uuid", &ciphertext, "InvalidParameterValue.InvalidKeyId"),
        ] {
            assert_eq!(decrypt(&scene, id, ciphertext).await.unwrap_err().code().name(), code);
        }
        let request = AsymmetricSm2DecryptRequest { key_id: id.clone(), ciphertext: "no base64".to_owned() };
        let refusal = asymmetric_sm2_decrypt(&scene.kms, scene.call(request)).await.unwrap_err();
        assert_eq!(refusal.code().name(), "InvalidParameter");
        scene.disable(&id).await;
        let refusal = decrypt(&scene, &id, &ciphertext).await.unwrap_err();
        assert_eq!(refusal.code().name(), "ResourceUnavailable.CmkDisabled");
    }
}
