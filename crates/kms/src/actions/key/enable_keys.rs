//! `EnableKeys`: up to 100 disabled keys may be used again; all of them, or none if one cannot.

use rookery_api::kms::{EnableKeysRequest, EnableKeysResponse};
use rookery_gateway::{Call, Resource};

use super::enable_key::enable;
use crate::error::Error;
use crate::states::Operation;
use crate::{Kms, key_resources, listing};

pub(crate) fn resources(kms: &Kms, call: &Call<EnableKeysRequest>) -> Vec<Resource> {
    key_resources(kms, call, &call.request.key_ids)
}

pub(crate) async fn enable_keys(
    kms: &Kms,
    call: Call<EnableKeysRequest>,
) -> Result<EnableKeysResponse, Error> {
    let scope = kms.enter(&call).await?;
    let EnableKeysRequest { key_ids, member_account } = call.request;
    let ids = listing::batch(&key_ids)?;
    listing::refuse_member(member_account.as_ref())?;
    kms.change_all(scope, ids, Operation::Enable, |_, key| {
        enable(key);
        Ok(())
    })
    .await?;
    Ok(EnableKeysResponse {})
}
