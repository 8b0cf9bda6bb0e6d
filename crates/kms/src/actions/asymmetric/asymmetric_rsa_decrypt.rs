//! `AsymmetricRsaDecrypt`: what was encrypted with the public half of an RSA key becomes readable.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rookery_api::kms::{AsymmetricRsaDecryptRequest, AsymmetricRsaDecryptResponse};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::keys::KeyId;
use crate::material::{KeyPair, RsaPadding};
use crate::states::Operation;
use crate::usage::KeyUsage;
use crate::{Kms, key_resources, message};

pub(crate) fn resources(kms: &Kms, call: &Call<AsymmetricRsaDecryptRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn asymmetric_rsa_decrypt(
    kms: &Kms,
    call: Call<AsymmetricRsaDecryptRequest>,
) -> Result<AsymmetricRsaDecryptResponse, Error> {
    let scope = kms.enter(&call).await?;
    let AsymmetricRsaDecryptRequest { key_id, ciphertext, algorithm } = call.request;
    let id = KeyId::parse(&key_id)?;
    let padding = RsaPadding::parse("Algorithm", &algorithm)?;
    let ciphertext = message::decode("Ciphertext", &ciphertext)?;
    let key = kms.key(&scope, &id)?;
    KeyUsage::DecryptRsa2048.expect(key.usage)?;
    Operation::UseKeyPair.check(&id, key.state)?;
    let pair = kms.key_pair(&scope, &id, &key).await?;
    let KeyPair::RsaDecrypting(private_key) = &*pair else {
        return Err(Error::Damaged("a key pair is not of its key's usage"));
    };
    let text = private_key.decrypt(padding, &ciphertext).ok_or(Error::Undecryptable)?;
    Ok(AsymmetricRsaDecryptResponse { key_id, plaintext: BASE64_STANDARD.encode(&*text) })
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rsa::{
        OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, Pkcs1PublicEncryptingKey,
        PublicEncryptingKey,
    };
    use rookery_api::ErrorCode as _;
    use rookery_gateway::Refusal;

    use super::*;
    use crate::material::public_key_der;
    use crate::scene::{ABSENT, RSA, SYMMETRIC, Scene};

    const DECRYPTS: &str = "ASYMMETRIC_DECRYPT_RSA_2048";

    fn order(id: &str, ciphertext: &[u8], algorithm: &str) -> AsymmetricRsaDecryptRequest {
        AsymmetricRsaDecryptRequest {
            key_id: id.to_owned(),
            ciphertext: BASE64_STANDARD.encode(ciphertext),
            algorithm: algorithm.to_owned(),
        }
    }

    #[tokio::test]
    async fn what_the_public_key_encrypts_is_read_in_the_same_way_alone() {
        let scene = Scene::new();
        let (id, other) = (scene.create("one", DECRYPTS).await, scene.create("two", DECRYPTS).await);
        let material = scene.kms.material(&scene.scope(), &KeyId::parse(&id).unwrap()).unwrap();
        let public = PublicEncryptingKey::from_der(&public_key_der(&material.public_key).unwrap()).unwrap();
        let oaep = OaepPublicEncryptingKey::new(public.clone()).unwrap();
        let pkcs1 = Pkcs1PublicEncryptingKey::new(public).unwrap();
        let mut ciphertexts = [vec![0; 256], vec![0; 256], vec![0; 256]];
        pkcs1.encrypt(b"text", &mut ciphertexts[0]).unwrap();
        oaep.encrypt(&OAEP_SHA1_MGF1SHA1, b"text", &mut ciphertexts[1], None).unwrap();
        oaep.encrypt(&OAEP_SHA256_MGF1SHA256, b"text", &mut ciphertexts[2], None).unwrap();
        let algorithms = ["RSAES_PKCS1_V1_5", "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"];
        for (at, ciphertext) in ciphertexts.iter().enumerate() {
            for (with, algorithm) in algorithms.into_iter().enumerate() {
                let read =
                    asymmetric_rsa_decrypt(&scene.kms, scene.call(order(&id, ciphertext, algorithm))).await;
                if at == with {
                    let read = read.unwrap();
                    assert_eq!((read.key_id, read.plaintext), (id.clone(), BASE64_STANDARD.encode("text")));
                } else {
                    assert_eq!(read.unwrap_err().code().name(), "FailedOperation.DecryptError");
                }
            }
            let request = order(&other, ciphertext, algorithms[2]);
            let refusal = asymmetric_rsa_decrypt(&scene.kms, scene.call(request)).await.unwrap_err();
            assert_eq!(refusal.code().name(), "FailedOperation.DecryptError");
        }
    }

    #[tokio::test]
    async fn what_cannot_be_decrypted_is_refused() {
        let scene = Scene::new();
        let (id, disabled) = (scene.create("one", DECRYPTS).await, scene.create("off", DECRYPTS).await);
        let (signer, data) = (scene.create("signer", RSA).await, scene.create("data", SYMMETRIC).await);
        scene.disable(&disabled).await;
        let oaep = "RSAES_OAEP_SHA_1";
        let unreadable = AsymmetricRsaDecryptRequest { ciphertext: "!".to_owned(), ..order(&id, b"", oaep) };
        for (request, code) in [
            (order("x", &[0; 256], oaep), "InvalidParameterValue.InvalidKeyId"),
            (order(ABSENT, &[0; 256], oaep), "ResourceUnavailable.CmkNotFound"),
            (order(&signer, &[0; 256], oaep), "InvalidParameterValue.InvalidKeyUsage"),
            (order(&data, &[0; 256], oaep), "InvalidParameterValue.InvalidKeyUsage"),
            (order(&disabled, &[0; 256], oaep), "ResourceUnavailable.CmkDisabled"),
            (order(&id, &[0; 256], "RSA"), "InvalidParameter"),
            (order(&id, &[0; 255], oaep), "FailedOperation.DecryptError"),
            (order(&id, b"", oaep), "FailedOperation.DecryptError"),
            (order(&id, &[0xFF; 256], oaep), "FailedOperation.DecryptError"),
            (unreadable, "InvalidParameter"),
        ] {
            let refusal = asymmetric_rsa_decrypt(&scene.kms, scene.call(request)).await.unwrap_err();
            assert_eq!(refusal.code().name(), code, "{refusal}");
        }
    }
}
