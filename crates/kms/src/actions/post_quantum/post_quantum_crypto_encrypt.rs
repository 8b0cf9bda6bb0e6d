//! `PostQuantumCryptoEncrypt`: encrypts a text so that a quantum computer does not read it.

use rookery_api::kms::{PostQuantumCryptoEncryptRequest, PostQuantumCryptoEncryptResponse};
use rookery_gateway::{Call, Resource};

use crate::envelope::plaintext;
use crate::error::Error;
use crate::keys::KeyId;
use crate::{Kms, key_resources};

pub(crate) fn resources(kms: &Kms, call: &Call<PostQuantumCryptoEncryptRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn post_quantum_crypto_encrypt(
    kms: &Kms,
    call: Call<PostQuantumCryptoEncryptRequest>,
) -> Result<PostQuantumCryptoEncryptResponse, Error> {
    let scope = kms.enter(&call).await?;
    let PostQuantumCryptoEncryptRequest { key_id, plain_text } = call.request;
    let id = KeyId::parse(&key_id)?;
    let ciphertext_blob = kms.encrypt_post_quantum(&scope, &id, &plaintext(&plain_text)?)?;
    Ok(PostQuantumCryptoEncryptResponse { ciphertext_blob, key_id })
}
