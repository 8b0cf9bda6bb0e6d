//! `Encrypt`: up to 4,096 bytes become a ciphertext that only `Decrypt` reads.

use rookery_api::kms::{EncryptRequest, EncryptResponse};
use rookery_gateway::{Call, Resource};

use crate::context::Context;
use crate::envelope;
use crate::error::Error;
use crate::keys::KeyId;
use crate::{Kms, key_resources};

pub(crate) fn resources(kms: &Kms, call: &Call<EncryptRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn encrypt(kms: &Kms, call: Call<EncryptRequest>) -> Result<EncryptResponse, Error> {
    let scope = kms.enter(&call).await?;
    let EncryptRequest { key_id, plaintext, encryption_context } = call.request;
    let id = KeyId::parse(&key_id)?;
    let text = envelope::plaintext(&plaintext)?;
    let context = Context::read(encryption_context.as_deref())?;
    let ciphertext_blob = kms.encrypt(&scope, &id, &context, &text)?;
    Ok(EncryptResponse { ciphertext_blob, key_id })
}

#[cfg(test)]
mod tests {
    use rookery_api::ErrorCode as _;
    use rookery_gateway::Refusal;

    use super::*;
    use crate::scene::{ABSENT, ECC, SYMMETRIC, Scene};

    #[tokio::test]
    async fn only_the_same_context_reads_what_was_encrypted() {
        let scene = Scene::new();
        let id = scene.create("data", SYMMETRIC).await;
        let context = Some(r#"{"a":"1","b":"2"}"#);
        let longest = vec![7; 4096];
        let blob = scene.encrypt(&id, context, &longest).await.unwrap();
        assert_eq!(scene.decrypt(&blob, Some(r#"{ "b": "2", "a": "1" }"#)).await.unwrap(), longest);
        for other in [None, Some(r#"{"a":"1"}"#), Some(r#"{"a":"1","b":"3"}"#)] {
            assert!(matches!(scene.decrypt(&blob, other).await, Err(Error::Undecryptable)));
        }
        // Nothing is encrypted twice in the same way.
        assert_ne!(scene.encrypt(&id, context, &longest).await.unwrap(), blob);
    }

    #[tokio::test]
    async fn both_kinds_of_region_encrypt() {
        let scene = Scene::new();
        for region in ["ap-guangzhou", "ap-singapore"] {
            let mut order = scene.call(crate::scene::order("data", SYMMETRIC));
            order.region = region.to_owned();
            let made = crate::actions::key::create_key::create_key(&scene.kms, order).await.unwrap();
            let scope = rookery_store::Regional { region: region.to_owned(), ..scene.scope() };
            let id = KeyId::parse(&made.key_id).unwrap();
            let blob = scene.kms.encrypt(&scope, &id, &Context::default(), b"text").unwrap();
            let ciphertext = envelope::Ciphertext::parse(&blob).unwrap();
            assert_eq!(&**scene.kms.decrypt(&scope, &ciphertext, &Context::default()).unwrap(), b"text");
            let elsewhere = rookery_store::Regional { region: "ap-beijing".to_owned(), ..scope };
            let refused = scene.kms.decrypt(&elsewhere, &ciphertext, &Context::default());
            assert!(matches!(refused, Err(Error::KeyNotFound(_))));
        }
    }

    #[tokio::test]
    async fn what_cannot_be_encrypted_is_refused() {
        let scene = Scene::new();
        let (id, signer) = (scene.create("data", SYMMETRIC).await, scene.create("signer", ECC).await);
        let (disabled, archived) =
            (scene.create("disabled", SYMMETRIC).await, scene.create("archived", SYMMETRIC).await);
        let (leaving, waiting) =
            (scene.create("leaving", SYMMETRIC).await, scene.create_external("waiting").await);
        for id in [&disabled, &leaving] {
            scene.disable(id).await;
        }
        scene.archive(&archived).await;
        scene.schedule(&leaving, 7).await.unwrap();
        let order = |id: &str, plaintext: &str, context: Option<&str>| EncryptRequest {
            key_id: id.to_owned(),
            plaintext: plaintext.to_owned(),
            encryption_context: context.map(str::to_owned),
        };
        for (request, code) in [
            (order("x", "YQ==", None), "InvalidParameterValue.InvalidKeyId"),
            (order(ABSENT, "YQ==", None), "ResourceUnavailable.CmkNotFound"),
            (order(&signer, "YQ==", None), "InvalidParameterValue.InvalidKeyUsage"),
            (order(&disabled, "YQ==", None), "ResourceUnavailable.CmkDisabled"),
            (order(&archived, "YQ==", None), "ResourceUnavailable.CmkArchived"),
            (order(&leaving, "YQ==", None), "ResourceUnavailable.KeyPendingDelete"),
            (order(&waiting, "YQ==", None), "ResourceUnavailable.CmkStateNotSupport"),
            (order(&id, "", None), "InvalidParameterValue.InvalidPlaintext"),
            (order(&id, "YQ", None), "InvalidParameterValue.InvalidPlaintext"),
            (order(&id, "YQ==", Some("[]")), "InvalidParameter"),
        ] {
            let refusal = encrypt(&scene.kms, scene.call(request)).await.unwrap_err();
            assert_eq!(refusal.code().name(), code, "{refusal}");
        }
    }
}
