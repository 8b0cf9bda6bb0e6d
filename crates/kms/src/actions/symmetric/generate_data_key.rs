//! `GenerateDataKey`: a random key to encrypt data with, in clear and encrypted.

use rookery_api::kms::{GenerateDataKeyRequest, GenerateDataKeyResponse};
use rookery_gateway::{Call, Resource};

use crate::context::Context;
use crate::data_keys::{Encrypted, Hosting};
use crate::envelope;
use crate::error::Error;
use crate::keys::{KeyId, Origin};
use crate::wrapping::{self, Wrapping};
use crate::{Kms, key_resources, listing, tags};

pub(crate) fn resources(kms: &Kms, call: &Call<GenerateDataKeyRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn generate_data_key(
    kms: &Kms,
    call: Call<GenerateDataKeyRequest>,
) -> Result<GenerateDataKeyResponse, Error> {
    let scope = kms.enter(&call).await?;
    let creator = call.caller.uin();
    let request = call.request;
    let id = KeyId::parse(&request.key_id)?;
    let length = length(request.key_spec.as_deref(), request.number_of_bytes)?;
    let context = Context::read(request.encryption_context.as_deref())?;
    let wrapping =
        Wrapping::read(request.encryption_public_key.as_deref(), request.encryption_algorithm.as_deref())?;
    listing::refuse_hsm_cluster(request.hsm_cluster_id.as_deref())?;
    let hosting = hosting(&request)?;
    let data_key = envelope::random_text("NumberOfBytes", length)?;
    let ciphertext_blob = kms.encrypt(&scope, &id, &context, &data_key)?;
    // Before the data key is kept: what cannot be told is not made.
    let plaintext = wrapping::encode(wrapping.as_ref(), &data_key)?;
    let (tag_code, tag_msg) = hosting.as_ref().map_or_else(|| tags::outcome(&[]), Hosting::tag_outcome);
    let data_key_id = match hosting {
        None => String::new(),
        Some(hosting) => {
            let encrypted = Encrypted {
                key: id,
                ciphertext: ciphertext_blob.clone(),
                context: request.encryption_context,
                length: data_key.len(),
                origin: Origin::Kms,
            };
            kms.host(scope, creator, hosting, encrypted).await?.to_string()
        }
    };
    Ok(GenerateDataKeyResponse {
        key_id: request.key_id,
        plaintext,
        ciphertext_blob,
        data_key_id,
        tag_code,
        tag_msg,
    })
}

/// The length of the key in bytes. `NumberOfBytes` counts where both are given; a `KeySpec` must exist all the same.
fn length(key_spec: Option<&str>, number_of_bytes: Option<u64>) -> Result<u64, Error> {
    let specified = match key_spec.unwrap_or_default() {
        "" => None,
        "AES_128" => Some(16),
        "AES_256" => Some(32),
        other => return Err(Error::value("KeySpec", other)),
    };
    number_of_bytes.or(specified).ok_or(Error::NoLength)
}

/// How the data key is to be hosted, if it is. What describes a hosted key is refused where none is hosted.
fn hosting(request: &GenerateDataKeyRequest) -> Result<Option<Hosting>, Error> {
    let given = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
    let needed = "IsHostedByKms = 1";
    match request.is_hosted_by_kms.unwrap_or_default() {
        0 if given(&request.data_key_name) => Err(Error::Needs { parameter: "DataKeyName", needed }),
        0 if given(&request.description) => Err(Error::Needs { parameter: "Description", needed }),
        0 if request.tags.as_ref().is_some_and(|tags| !tags.is_empty()) => {
            Err(Error::Needs { parameter: "Tags", needed })
        }
        0 => Ok(None),
        1 => {
            let name = request.data_key_name.clone().unwrap_or_default();
            Hosting::read(name, request.description.clone(), request.tags.clone()).map(Some)
        }
        other => Err(Error::value("IsHostedByKms", &other)),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use rookery_api::ErrorCode as _;
    use rookery_api::kms::Tag;
    use rookery_gateway::Refusal;

    use super::*;
    use crate::scene::{ABSENT, ECC, SYMMETRIC, Scene};

    fn order(id: &str) -> GenerateDataKeyRequest {
        GenerateDataKeyRequest {
            key_id: id.to_owned(),
            key_spec: None,
            number_of_bytes: Some(24),
            encryption_context: None,
            encryption_public_key: None,
            encryption_algorithm: None,
            is_hosted_by_kms: None,
            data_key_name: None,
            description: None,
            hsm_cluster_id: None,
            tags: None,
        }
    }

    #[tokio::test]
    async fn a_data_key_comes_in_clear_and_encrypted() {
        let scene = Scene::new();
        let id = scene.create("data", SYMMETRIC).await;
        let spec = |spec: &str| Some(spec.to_owned());
        let context = Some(r#"{"a":"1"}"#.to_owned());
        for (request, length) in [
            (order(&id), 24),
            (GenerateDataKeyRequest { key_spec: spec("AES_256"), ..order(&id) }, 24),
            (GenerateDataKeyRequest { key_spec: spec("AES_128"), number_of_bytes: None, ..order(&id) }, 16),
            (GenerateDataKeyRequest { key_spec: spec("AES_256"), number_of_bytes: None, ..order(&id) }, 32),
            (
                GenerateDataKeyRequest {
                    number_of_bytes: Some(1024),
                    is_hosted_by_kms: Some(0),
                    ..order(&id)
                },
                1024,
            ),
        ] {
            let request = GenerateDataKeyRequest { encryption_context: context.clone(), ..request };
            let reply = generate_data_key(&scene.kms, scene.call(request)).await.unwrap();
            let key = BASE64_STANDARD.decode(&reply.plaintext).unwrap();
            assert_eq!(
                (key.len(), reply.key_id.as_str(), reply.data_key_id.as_str()),
                (length, id.as_str(), "")
            );
            assert_eq!(scene.decrypt(&reply.ciphertext_blob, context.as_deref()).await.unwrap(), key);
            assert!(scene.decrypt(&reply.ciphertext_blob, None).await.is_err());
        }
    }

    #[tokio::test]
    async fn what_cannot_be_made_is_refused() {
        let scene = Scene::new();
        let (id, signer) = (scene.create("data", SYMMETRIC).await, scene.create("signer", ECC).await);
        let disabled = scene.create("disabled", SYMMETRIC).await;
        scene.disable(&disabled).await;
        let text = |text: &str| Some(text.to_owned());
        let tags = Some(vec![Tag { tag_key: "a".to_owned(), tag_value: "b".to_owned() }]);
        let of = || order(&id);
        for (request, code) in [
            (order("x"), "InvalidParameterValue.InvalidKeyId"),
            (order(ABSENT), "ResourceUnavailable.CmkNotFound"),
            (order(&signer), "InvalidParameterValue.InvalidKeyUsage"),
            (order(&disabled), "ResourceUnavailable.CmkDisabled"),
            (GenerateDataKeyRequest { number_of_bytes: None, ..of() }, "InvalidParameter"),
            (GenerateDataKeyRequest { number_of_bytes: Some(0), ..of() }, "InvalidParameter"),
            (GenerateDataKeyRequest { number_of_bytes: Some(1025), ..of() }, "InvalidParameter"),
            (GenerateDataKeyRequest { key_spec: text("AES_512"), ..of() }, "InvalidParameter"),
            (GenerateDataKeyRequest { encryption_context: text("x"), ..of() }, "InvalidParameter"),
            (GenerateDataKeyRequest { encryption_public_key: text("x"), ..of() }, "InvalidParameter"),
            (GenerateDataKeyRequest { encryption_algorithm: text("x"), ..of() }, "InvalidParameter"),
            (GenerateDataKeyRequest { is_hosted_by_kms: Some(2), ..of() }, "InvalidParameter"),
            (GenerateDataKeyRequest { data_key_name: text("x"), ..of() }, "InvalidParameter"),
            (GenerateDataKeyRequest { description: text("x"), ..of() }, "InvalidParameter"),
            (GenerateDataKeyRequest { tags, ..of() }, "InvalidParameter"),
            (
                GenerateDataKeyRequest { hsm_cluster_id: text("x"), ..of() },
                "InvalidParameterValue.InvalidHsmClusterId",
            ),
        ] {
            let refusal = generate_data_key(&scene.kms, scene.call(request)).await.unwrap_err();
            assert_eq!(refusal.code().name(), code, "{refusal}");
        }
    }
}
