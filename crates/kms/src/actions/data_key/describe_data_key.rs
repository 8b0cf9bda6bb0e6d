//! `DescribeDataKey`: a data key without itself.

use rookery_api::kms::{DescribeDataKeyRequest, DescribeDataKeyResponse};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::{Kms, data_keys, listing};

pub(crate) fn resources(kms: &Kms, call: &Call<DescribeDataKeyRequest>) -> Vec<Resource> {
    data_keys::resources(kms, call, [&call.request.data_key_id])
}

pub(crate) async fn describe_data_key(
    kms: &Kms,
    call: Call<DescribeDataKeyRequest>,
) -> Result<DescribeDataKeyResponse, Error> {
    let scope = kms.enter(&call).await?;
    let DescribeDataKeyRequest { data_key_id, member_account } = call.request;
    let id = data_keys::read_id(&data_key_id)?;
    listing::refuse_member(member_account.as_ref())?;
    let data_key_metadata =
        kms.store.read(|view| data_keys::existing(view, &scope, &id)?.metadata(view, &scope, data_key_id))?;
    Ok(DescribeDataKeyResponse { data_key_metadata })
}
