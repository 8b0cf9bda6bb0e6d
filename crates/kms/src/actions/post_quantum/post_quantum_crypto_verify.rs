//! `PostQuantumCryptoVerify`: whether `PostQuantumCryptoSign` made a signature.

use rookery_api::kms::{PostQuantumCryptoVerifyRequest, PostQuantumCryptoVerifyResponse};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::keys::KeyId;
use crate::{Kms, key_resources, message};

pub(crate) fn resources(kms: &Kms, call: &Call<PostQuantumCryptoVerifyRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn post_quantum_crypto_verify(
    kms: &Kms,
    call: Call<PostQuantumCryptoVerifyRequest>,
) -> Result<PostQuantumCryptoVerifyResponse, Error> {
    let scope = kms.enter(&call).await?;
    let PostQuantumCryptoVerifyRequest { key_id, signature_value, message } = call.request;
    let id = KeyId::parse(&key_id)?;
    let message = message::raw(&message)?;
    let signature = message::decode("SignatureValue", &signature_value)?;
    Ok(PostQuantumCryptoVerifyResponse {
        signature_valid: kms.verify_post_quantum(&scope, &id, &message, &signature)?,
    })
}
