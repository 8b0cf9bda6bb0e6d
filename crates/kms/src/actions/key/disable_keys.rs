//! `DisableKeys`: up to 100 keys stay, but nothing can be done with them; all of them, or none if one cannot be disabled.

use rookery_api::kms::{DisableKeysRequest, DisableKeysResponse};
use rookery_gateway::{Call, Resource};

use super::disable_key::disable;
use crate::error::Error;
use crate::states::Operation;
use crate::{Kms, key_resources, listing};

pub(crate) fn resources(kms: &Kms, call: &Call<DisableKeysRequest>) -> Vec<Resource> {
    key_resources(kms, call, &call.request.key_ids)
}

pub(crate) async fn disable_keys(
    kms: &Kms,
    call: Call<DisableKeysRequest>,
) -> Result<DisableKeysResponse, Error> {
    let scope = kms.enter(&call).await?;
    let DisableKeysRequest { key_ids, member_account } = call.request;
    let ids = listing::batch(&key_ids)?;
    listing::refuse_member(member_account.as_ref())?;
    kms.change_all(scope, ids, Operation::Disable, disable).await?;
    Ok(DisableKeysResponse {})
}
