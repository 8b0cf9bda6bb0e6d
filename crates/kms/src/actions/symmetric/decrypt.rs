//! `Decrypt`: what `Encrypt`, `ReEncrypt` or `GenerateDataKey` made becomes readable again.

use rookery_api::kms::{DecryptRequest, DecryptResponse};
use rookery_gateway::{Call, Resource};

use crate::context::Context;
use crate::envelope::Ciphertext;
use crate::error::Error;
use crate::wrapping::{self, Wrapping};
use crate::{Kms, key_resources};

/// The key is the one that the ciphertext names; a text that is no ciphertext names none.
pub(crate) fn resources(kms: &Kms, call: &Call<DecryptRequest>) -> Vec<Resource> {
    match Ciphertext::key_named(&call.request.ciphertext_blob) {
        Some(id) => key_resources(kms, call, [id]),
        None => vec![Resource::any()],
    }
}

pub(crate) async fn decrypt(kms: &Kms, call: Call<DecryptRequest>) -> Result<DecryptResponse, Error> {
    let scope = kms.enter(&call).await?;
    let DecryptRequest { ciphertext_blob, encryption_context, encryption_public_key, encryption_algorithm } =
        call.request;
    let ciphertext = Ciphertext::parse(&ciphertext_blob)?;
    let context = Context::read(encryption_context.as_deref())?;
    let wrapping = Wrapping::read(encryption_public_key.as_deref(), encryption_algorithm.as_deref())?;
    let text = kms.decrypt(&scope, &ciphertext, &context)?;
    Ok(DecryptResponse {
        key_id: ciphertext.id.to_string(),
        plaintext: wrapping::encode(wrapping.as_ref(), &text)?,
    })
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use rookery_api::ErrorCode as _;
    use rookery_gateway::Refusal;

    use super::*;
    use crate::scene::{ACCOUNT, SYMMETRIC, Scene};

    #[tokio::test]
    async fn states_decide_what_can_be_read() {
        let scene = Scene::new();
        let id = scene.create("data", SYMMETRIC).await;
        let blob = scene.encrypt(&id, None, b"text").await.unwrap();
        scene.archive(&id).await;
        assert_eq!(scene.decrypt(&blob, None).await.unwrap(), b"text");

        let other = scene.create("other", SYMMETRIC).await;
        let blob = scene.encrypt(&other, None, b"text").await.unwrap();
        scene.disable(&other).await;
        assert!(matches!(scene.decrypt(&blob, None).await, Err(Error::KeyDisabled(_))));
        scene.enable(&other).await;
        assert_eq!(scene.decrypt(&blob, None).await.unwrap(), b"text");
        scene.disable(&other).await;
        scene.schedule(&other, 7).await.unwrap();
        assert!(matches!(scene.decrypt(&blob, None).await, Err(Error::KeyPendingDelete(_))));
    }

    #[tokio::test]
    async fn no_other_bytes_are_read() {
        let scene = Scene::new();
        let (id, other) = (scene.create("data", SYMMETRIC).await, scene.create("other", SYMMETRIC).await);
        let blob = scene.encrypt(&id, None, b"text").await.unwrap();
        let bytes = BASE64_STANDARD.decode(&blob).unwrap();
        let refused = async |bytes: &[u8]| {
            let blob = BASE64_STANDARD.encode(bytes);
            scene.decrypt(&blob, None).await.unwrap_err().code().name()
        };
        for length in 0..bytes.len() {
            let code = if length < 50 {
                "InvalidParameterValue.InvalidCiphertext"
            } else {
                "FailedOperation.DecryptError"
            };
            assert_eq!(refused(&bytes[..length]).await, code, "{length}");
        }
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 0x80;
            let code = match at {
                0 | 17..21 => "InvalidParameterValue.InvalidCiphertext",
                1..17 => "ResourceUnavailable.CmkNotFound",
                _ => "FailedOperation.DecryptError",
            };
            assert_eq!(refused(&altered).await, code, "{at}");
        }
        // Not even under another key's name.
        let mut moved = bytes.clone();
        moved[1..17].copy_from_slice(&crate::keys::KeyId::parse(&other).unwrap().to_bytes().unwrap());
        assert_eq!(refused(&moved).await, "FailedOperation.DecryptError");
        for text in ["", "!", "x-k-y-k-z"] {
            assert!(matches!(scene.decrypt(text, None).await, Err(Error::MalformedCiphertext)));
        }
    }

    #[tokio::test]
    async fn another_account_does_not_find_the_key() {
        let scene = Scene::new();
        let id = scene.create("data", SYMMETRIC).await;
        let blob = scene.encrypt(&id, None, b"text").await.unwrap();
        let mut call = scene.call(DecryptRequest {
            ciphertext_blob: blob,
            encryption_context: None,
            encryption_public_key: None,
            encryption_algorithm: None,
        });
        assert_eq!(
            resources(&scene.kms, &call),
            [Resource::named(format!("key/creatorUin/{}/{id}", ACCOUNT.uin))]
        );
        call.caller.account.uin += 1;
        assert!(matches!(decrypt(&scene.kms, call).await, Err(Error::KeyNotFound(_))));
    }

    #[tokio::test]
    async fn what_the_caller_cannot_be_told_is_refused_before_anything_is_decrypted() {
        let scene = Scene::new();
        let id = scene.create("data", SYMMETRIC).await;
        let request = DecryptRequest {
            ciphertext_blob: scene.encrypt(&id, None, b"text").await.unwrap(),
            encryption_context: None,
            encryption_public_key: Some("no PEM".to_owned()),
            encryption_algorithm: None,
        };
        let refusal = decrypt(&scene.kms, scene.call(request)).await.unwrap_err();
        assert_eq!(refusal.code().name(), "InvalidParameter");
    }
}
