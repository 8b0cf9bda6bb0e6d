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
    let source = Ciphertext::parse(&call.request.ciphertext_blob).ok().map(|source| source.id.to_string());
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
