//! `PostQuantumCryptoDecrypt`: what `PostQuantumCryptoEncrypt` gave becomes readable, in clear or for the caller alone.

use rookery_api::kms::{PostQuantumCryptoDecryptRequest, PostQuantumCryptoDecryptResponse};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::post_quantum::Ciphertext;
use crate::wrapping::{self, Wrapping};
use crate::{Kms, key_resources};

/// The key that the ciphertext names.
pub(crate) fn resources(kms: &Kms, call: &Call<PostQuantumCryptoDecryptRequest>) -> Vec<Resource> {
    match Ciphertext::parse(&call.request.ciphertext_blob) {
        Ok(ciphertext) => key_resources(kms, call, [ciphertext.id.as_str()]),
        // The action refuses it, whoever asks.
        Err(_) => vec![Resource::any()],
    }
}

pub(crate) async fn post_quantum_crypto_decrypt(
    kms: &Kms,
    call: Call<PostQuantumCryptoDecryptRequest>,
) -> Result<PostQuantumCryptoDecryptResponse, Error> {
    let scope = kms.enter(&call).await?;
    let PostQuantumCryptoDecryptRequest { ciphertext_blob, encryption_public_key, encryption_algorithm } =
        call.request;
    let ciphertext = Ciphertext::parse(&ciphertext_blob)?;
    let wrapping = Wrapping::read(encryption_public_key.as_deref(), encryption_algorithm.as_deref())?;
    let text = kms.decrypt_post_quantum(&scope, &ciphertext).await?;
    Ok(PostQuantumCryptoDecryptResponse {
        key_id: ciphertext.id.to_string(),
        plain_text: wrapping::encode(wrapping.as_ref(), &text)?,
    })
}
