//! `EncryptByWhiteBox`: encrypts a text with a white-box key, for whoever has its decrypt file.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rookery_api::kms::{EncryptByWhiteBoxRequest, EncryptByWhiteBoxResponse};
use rookery_gateway::{Call, Resource};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::keys::KeyId;
use crate::message::decode;
use crate::primitives::block::BLOCK_LENGTH;
use crate::whitebox::error::TEXT_LIMIT;
use crate::whitebox::{self, WhiteBoxError, seal_context};
use crate::{Kms, scope};

pub(crate) fn resources(kms: &Kms, call: &Call<EncryptByWhiteBoxRequest>) -> Vec<Resource> {
    whitebox::resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn encrypt_by_white_box(
    kms: &Kms,
    call: Call<EncryptByWhiteBoxRequest>,
) -> Result<EncryptByWhiteBoxResponse, Error> {
    let scope = scope(&call);
    let EncryptByWhiteBoxRequest { key_id, plain_text, initialization_vector } = call.request;
    let id = KeyId::parse(&key_id)?;
    let text = Zeroizing::new(decode("PlainText", &plain_text)?);
    if text.len() > TEXT_LIMIT {
        return Err(WhiteBoxError::TextTooLong(text.len()).into());
    }
    let vector = vector(initialization_vector.as_deref().unwrap_or_default())?;
    let key = kms.store.read(|view| whitebox::existing(view, &scope, &id))?;
    if !key.enabled {
        return Err(WhiteBoxError::Disabled(id).into());
    }
    let secret = kms.seal.open(&seal_context(&id), &key.key)?;
    Ok(EncryptByWhiteBoxResponse {
        cipher_text: BASE64_STANDARD.encode(key.algorithm.encrypt(&secret, vector, &text)?),
        initialization_vector: BASE64_STANDARD.encode(vector),
    })
}

/// The caller's vector, or a random one.
fn vector(text: &str) -> Result<[u8; BLOCK_LENGTH], Error> {
    let mut vector = [0; BLOCK_LENGTH];
    if text.is_empty() {
        aws_lc_rs::rand::fill(&mut vector)
            .map_err(|_| Error::Cryptography("no randomness for an initialization vector"))?;
        return Ok(vector);
    }
    let given = decode("InitializationVector", text)?;
    Ok(<[u8; BLOCK_LENGTH]>::try_from(&*given).map_err(|_| WhiteBoxError::VectorLength(given.len()))?)
}
