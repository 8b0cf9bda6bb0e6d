//! `DescribeWhiteBoxDecryptKey`: the file with which one decrypts what a white-box key encrypted.

use rookery_api::kms::{DescribeWhiteBoxDecryptKeyRequest, DescribeWhiteBoxDecryptKeyResponse};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::keys::KeyId;
use crate::{Kms, scope, whitebox};

pub(crate) fn resources(kms: &Kms, call: &Call<DescribeWhiteBoxDecryptKeyRequest>) -> Vec<Resource> {
    whitebox::resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn describe_white_box_decrypt_key(
    kms: &Kms,
    call: Call<DescribeWhiteBoxDecryptKeyRequest>,
) -> Result<DescribeWhiteBoxDecryptKeyResponse, Error> {
    let scope = scope(&call);
    let id = KeyId::parse(&call.request.key_id)?;
    let key = kms.store.read(|view| whitebox::existing(view, &scope, &id))?;
    let (_, decrypt_key) = key.files(&kms.seal, &id)?;
    Ok(DescribeWhiteBoxDecryptKeyResponse { decrypt_key })
}
