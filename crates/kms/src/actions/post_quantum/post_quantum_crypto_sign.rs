//! `PostQuantumCryptoSign`: signs a message so that a quantum computer does not forge it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rookery_api::kms::{PostQuantumCryptoSignRequest, PostQuantumCryptoSignResponse};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::keys::KeyId;
use crate::{Kms, key_resources, message};

pub(crate) fn resources(kms: &Kms, call: &Call<PostQuantumCryptoSignRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn post_quantum_crypto_sign(
    kms: &Kms,
    call: Call<PostQuantumCryptoSignRequest>,
) -> Result<PostQuantumCryptoSignResponse, Error> {
    let scope = kms.enter(&call).await?;
    let PostQuantumCryptoSignRequest { message, key_id } = call.request;
    let id = KeyId::parse(&key_id)?;
    let signature = kms.sign_post_quantum(&scope, &id, &message::raw(&message)?).await?;
    Ok(PostQuantumCryptoSignResponse { signature: BASE64_STANDARD.encode(signature) })
}
