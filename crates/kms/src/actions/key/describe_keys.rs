//! `DescribeKeys`: everything about up to 100 keys but their material, in the order of the request.

use rookery_api::kms::{DescribeKeysRequest, DescribeKeysResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Read;

use crate::error::Error;
use crate::keys::{KeyId, Keys};
use crate::{Kms, key_resources, listing};

pub(crate) fn resources(kms: &Kms, call: &Call<DescribeKeysRequest>) -> Vec<Resource> {
    key_resources(kms, call, &call.request.key_ids)
}

pub(crate) async fn describe_keys(
    kms: &Kms,
    call: Call<DescribeKeysRequest>,
) -> Result<DescribeKeysResponse, Error> {
    let scope = kms.enter(&call).await?;
    let DescribeKeysRequest { key_ids, member_account } = call.request;
    let ids = listing::batch(&key_ids)?;
    listing::refuse_member(member_account.as_ref())?;
    let key_metadatas = kms.store.read(|view| {
        let metadata = |id: KeyId| match view.get::<Keys>(&scope, id.as_str())? {
            Some(key) => Ok(key.metadata(id.to_string())),
            None => Err(Error::KeyNotFound(id)),
        };
        ids.into_iter().map(metadata).collect::<Result<_, Error>>()
    })?;
    Ok(DescribeKeysResponse { key_metadatas })
}
