//! `ReEncrypt`: what one key encrypted becomes encrypted by another key, another context, or newer material.
//!
//! A ciphertext of the key's present material that is to keep key and context is given back as it is.

use rookery_api::kms::{ReEncryptRequest, ReEncryptResponse};
use rookery_gateway::{Call, Resource};

use crate::context::Context;
use crate::envelope::Ciphertext;
use crate::error::Error;
use crate::keys::KeyId;
use crate::states::Operation;
use crate::{Kms, key_resources};

/// Both keys: the one that the ciphertext names, and the one that the request does.
pub(crate) fn resources(kms: &Kms, call: &Call<ReEncryptRequest>) -> Vec<Resource> {
    let source = Ciphertext::key_named(&call.request.ciphertext_blob).map(|id| id.to_string());
    let destination = call.request.destination_key_id.clone().filter(|id| !id.is_empty());
    let ids: Vec<_> = source.into_iter().chain(destination).collect();
    if ids.is_empty() { vec![Resource::any()] } else { key_resources(kms, call, ids) }
}

pub(crate) async fn re_encrypt(kms: &Kms, call: Call<ReEncryptRequest>) -> Result<ReEncryptResponse, Error> {
    let scope = kms.enter(&call).await?;
    let ReEncryptRequest {
        ciphertext_blob,
        destination_key_id,
        source_encryption_context,
        destination_encryption_context,
    } = call.request;
    let source = Ciphertext::parse(&ciphertext_blob)?;
    let destination = match destination_key_id.filter(|id| !id.is_empty()) {
        Some(id) => KeyId::parse(&id)?,
        None => source.id.clone(),
    };
    let old = Context::read(source_encryption_context.as_deref())?;
    let new = Context::read(destination_encryption_context.as_deref())?;
    let text = kms.decrypt(&scope, &source, &old)?;
    let key = kms.symmetric(&scope, &destination, Operation::Encrypt)?;
    let same = destination == source.id && key.version == source.version && old == new;
    Ok(ReEncryptResponse {
        ciphertext_blob: if same { ciphertext_blob } else { kms.encrypt(&scope, &destination, &new, &text)? },
        key_id: destination.to_string(),
        source_key_id: source.id.to_string(),
        re_encrypted: !same,
    })
}

#[cfg(test)]
mod tests {
    use rookery_api::ErrorCode as _;
    use rookery_gateway::Refusal;

    use super::*;
    use crate::scene::{ABSENT, ACCOUNT, ECC, SYMMETRIC, Scene};

    fn order(blob: &str, destination: &str, contexts: [Option<&str>; 2]) -> ReEncryptRequest {
        ReEncryptRequest {
            ciphertext_blob: blob.to_owned(),
            destination_key_id: Some(destination.to_owned()),
            source_encryption_context: contexts[0].map(str::to_owned),
            destination_encryption_context: contexts[1].map(str::to_owned),
        }
    }

    #[tokio::test]
    async fn another_key_or_context_or_newer_material_makes_another_ciphertext() {
        let scene = Scene::new();
        let (one, two) = (scene.create("one", SYMMETRIC).await, scene.create("two", SYMMETRIC).await);
        let (here, there) = (Some(r#"{"at":"here"}"#), Some(r#"{"at":"there"}"#));
        let blob = scene.encrypt(&one, here, b"text").await.unwrap();

        let same = re_encrypt(&scene.kms, scene.call(order(&blob, "", [here, here]))).await.unwrap();
        assert_eq!((same.re_encrypted, &same.ciphertext_blob), (false, &blob));
        assert_eq!((&same.key_id, &same.source_key_id), (&one, &one));

        let moved = re_encrypt(&scene.kms, scene.call(order(&blob, &two, [here, there]))).await.unwrap();
        assert_eq!((moved.re_encrypted, &moved.key_id, &moved.source_key_id), (true, &two, &one));
        assert_eq!(scene.decrypt(&moved.ciphertext_blob, there).await.unwrap(), b"text");

        let bare = re_encrypt(&scene.kms, scene.call(order(&blob, &one, [here, None]))).await.unwrap();
        assert!(bare.re_encrypted);
        assert_eq!(scene.decrypt(&bare.ciphertext_blob, None).await.unwrap(), b"text");

        scene.rotate_by_itself(&one).await;
        let newer = re_encrypt(&scene.kms, scene.call(order(&blob, "", [here, here]))).await.unwrap();
        assert!(newer.re_encrypted);
        assert_eq!(scene.decrypt(&newer.ciphertext_blob, here).await.unwrap(), b"text");
        assert_eq!(scene.decrypt(&blob, here).await.unwrap(), b"text");
    }

    #[tokio::test]
    async fn what_cannot_be_read_or_written_is_refused() {
        let scene = Scene::new();
        let (id, signer) = (scene.create("data", SYMMETRIC).await, scene.create("signer", ECC).await);
        let (archived, disabled) =
            (scene.create("archived", SYMMETRIC).await, scene.create("disabled", SYMMETRIC).await);
        let blob = scene.encrypt(&id, None, b"text").await.unwrap();
        let kept = scene.encrypt(&archived, None, b"text").await.unwrap();
        let lost = scene.encrypt(&disabled, None, b"text").await.unwrap();
        scene.archive(&archived).await;
        scene.disable(&disabled).await;
        for (request, code) in [
            (order("x", &id, [None; 2]), "InvalidParameterValue.InvalidCiphertext"),
            (order(&blob, "x", [None; 2]), "InvalidParameterValue.InvalidKeyId"),
            (order(&blob, ABSENT, [None; 2]), "ResourceUnavailable.CmkNotFound"),
            (order(&blob, &signer, [None; 2]), "InvalidParameterValue.InvalidKeyUsage"),
            (order(&blob, &disabled, [None; 2]), "ResourceUnavailable.CmkDisabled"),
            (order(&blob, &archived, [None; 2]), "ResourceUnavailable.CmkArchived"),
            (order(&kept, "", [None; 2]), "ResourceUnavailable.CmkArchived"),
            (order(&lost, &id, [None; 2]), "ResourceUnavailable.CmkDisabled"),
            (order(&blob, &id, [Some(r#"{"a":"b"}"#), None]), "FailedOperation.DecryptError"),
            (order(&blob, &id, [Some("x"), None]), "InvalidParameter"),
            (order(&blob, &id, [None, Some("x")]), "InvalidParameter"),
        ] {
            let refusal = re_encrypt(&scene.kms, scene.call(request)).await.unwrap_err();
            assert_eq!(refusal.code().name(), code, "{refusal}");
        }
        // An archived key is read all the same.
        assert!(re_encrypt(&scene.kms, scene.call(order(&kept, &id, [None; 2]))).await.unwrap().re_encrypted);
        let named = |id: &str| Resource::named(format!("key/creatorUin/{}/{id}", ACCOUNT.uin));
        let both = resources(&scene.kms, &scene.call(order(&kept, &id, [None; 2])));
        assert_eq!(both, [named(&archived), named(&id)]);
    }
}
