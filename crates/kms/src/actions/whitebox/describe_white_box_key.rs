//! `DescribeWhiteBoxKey`: a white-box key with its files.

use rookery_api::kms::{DescribeWhiteBoxKeyRequest, DescribeWhiteBoxKeyResponse};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::keys::KeyId;
use crate::{Kms, scope, whitebox};

pub(crate) fn resources(kms: &Kms, call: &Call<DescribeWhiteBoxKeyRequest>) -> Vec<Resource> {
    whitebox::resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn describe_white_box_key(
    kms: &Kms,
    call: Call<DescribeWhiteBoxKeyRequest>,
) -> Result<DescribeWhiteBoxKeyResponse, Error> {
    let scope = scope(&call);
    let id = KeyId::parse(&call.request.key_id)?;
    let key = kms.store.read(|view| whitebox::existing(view, &scope, &id))?;
    Ok(DescribeWhiteBoxKeyResponse { key_info: key.info(&kms.seal, scope.uin, &id)? })
}
