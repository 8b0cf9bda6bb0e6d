//! `GenerateDataKey`: a random key to encrypt data with, in clear and encrypted.

use rookery_api::kms::{GenerateDataKeyRequest, GenerateDataKeyResponse};
use rookery_gateway::{Call, Resource};

use crate::context::Context;
use crate::envelope;
use crate::error::Error;
use crate::keys::KeyId;
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
    let request = call.request;
    let id = KeyId::parse(&request.key_id)?;
    let length = length(request.key_spec.as_deref(), request.number_of_bytes)?;
    let context = Context::read(request.encryption_context.as_deref())?;
    let wrapping =
        Wrapping::read(request.encryption_public_key.as_deref(), request.encryption_algorithm.as_deref())?;
    listing::refuse_hsm_cluster(request.hsm_cluster_id.as_deref())?;
    refuse_hosting(&request)?;
    let data_key = envelope::random_text("NumberOfBytes", length)?;
    let ciphertext_blob = kms.encrypt(&scope, &id, &context, &data_key)?;
    let (tag_code, tag_msg) = tags::outcome(&[]);
    Ok(GenerateDataKeyResponse {
        key_id: request.key_id,
        plaintext: wrapping::encode(wrapping.as_ref(), &data_key)?,
        ciphertext_blob,
        data_key_id: String::new(),
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
    number_of_bytes
        .or(specified)
        .ok_or(Error::Needs { parameter: "KeyId", needed: "KeySpec or NumberOfBytes" })
}

/// What describes a hosted key is refused where none is hosted.
fn refuse_hosting(request: &GenerateDataKeyRequest) -> Result<(), Error> {
    let given = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
    let needed = "IsHostedByKms = 1";
    match request.is_hosted_by_kms.unwrap_or_default() {
        0 if given(&request.data_key_name) => Err(Error::Needs { parameter: "DataKeyName", needed }),
        0 if given(&request.description) => Err(Error::Needs { parameter: "Description", needed }),
        0 if request.tags.as_ref().is_some_and(|tags| !tags.is_empty()) => {
            Err(Error::Needs { parameter: "Tags", needed })
        }
        0 => Ok(()),
        other => Err(Error::value("IsHostedByKms", &other)),
    }
}
