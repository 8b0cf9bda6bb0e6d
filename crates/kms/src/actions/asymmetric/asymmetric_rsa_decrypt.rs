//! `AsymmetricRsaDecrypt`: what was encrypted with the public half of an RSA key becomes readable.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rookery_api::kms::{AsymmetricRsaDecryptRequest, AsymmetricRsaDecryptResponse};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::keys::KeyId;
use crate::material::{KeyPair, RsaPadding};
use crate::states::Operation;
use crate::usage::KeyUsage;
use crate::{Kms, key_resources, message};

pub(crate) fn resources(kms: &Kms, call: &Call<AsymmetricRsaDecryptRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn asymmetric_rsa_decrypt(
    kms: &Kms,
    call: Call<AsymmetricRsaDecryptRequest>,
) -> Result<AsymmetricRsaDecryptResponse, Error> {
    let scope = kms.enter(&call).await?;
    let AsymmetricRsaDecryptRequest { key_id, ciphertext, algorithm } = call.request;
    let id = KeyId::parse(&key_id)?;
    let padding = RsaPadding::parse("Algorithm", &algorithm)?;
    let ciphertext = message::decode("Ciphertext", &ciphertext)?;
    let key = kms.key(&scope, &id)?;
    KeyUsage::DecryptRsa2048.expect(key.usage)?;
    Operation::UseKeyPair.check(&id, key.state)?;
    let pair = kms.key_pair(&scope, &id, &key).await?;
    let KeyPair::RsaDecrypting(private_key) = &*pair else {
        return Err(Error::Damaged("a key pair is not of its key's usage"));
    };
    let text = private_key.decrypt(padding, &ciphertext).ok_or(Error::Undecryptable)?;
    Ok(AsymmetricRsaDecryptResponse { key_id, plaintext: BASE64_STANDARD.encode(&*text) })
}
