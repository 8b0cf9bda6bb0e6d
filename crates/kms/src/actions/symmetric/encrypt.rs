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
