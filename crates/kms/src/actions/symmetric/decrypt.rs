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
    match Ciphertext::parse(&call.request.ciphertext_blob) {
        Ok(ciphertext) => key_resources(kms, call, [ciphertext.id]),
        Err(_) => vec![Resource::any()],
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
