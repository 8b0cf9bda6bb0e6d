//! `DescribeDataKeys`: up to 100 data keys without themselves, in the order in which they are named.

use rookery_api::kms::{DescribeDataKeysRequest, DescribeDataKeysResponse};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::keys::KeyId;
use crate::{Kms, data_keys, listing};

pub(crate) fn resources(kms: &Kms, call: &Call<DescribeDataKeysRequest>) -> Vec<Resource> {
    data_keys::resources(kms, call, &call.request.data_key_ids)
}

pub(crate) async fn describe_data_keys(
    kms: &Kms,
    call: Call<DescribeDataKeysRequest>,
) -> Result<DescribeDataKeysResponse, Error> {
    let scope = kms.enter(&call).await?;
    let DescribeDataKeysRequest { data_key_ids, member_account } = call.request;
    let ids = data_keys::read_ids(&data_key_ids)?;
    listing::refuse_member(member_account.as_ref())?;
    let data_key_metadatas = kms.store.read(|view| {
        let described =
            |id: &KeyId| data_keys::existing(view, &scope, id)?.metadata(view, &scope, id.to_string());
        ids.iter().map(described).collect::<Result<_, Error>>()
    })?;
    Ok(DescribeDataKeysResponse { data_key_metadatas })
}
