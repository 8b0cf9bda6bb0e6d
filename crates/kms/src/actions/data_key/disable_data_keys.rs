//! `DisableDataKeys`: up to 100 data keys cannot be had in clear any more; all of them, or none if one cannot.

use rookery_api::kms::{DisableDataKeysRequest, DisableDataKeysResponse};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::{Kms, data_keys, listing};

pub(crate) fn resources(kms: &Kms, call: &Call<DisableDataKeysRequest>) -> Vec<Resource> {
    data_keys::resources(kms, call, &call.request.data_key_ids)
}

pub(crate) async fn disable_data_keys(
    kms: &Kms,
    call: Call<DisableDataKeysRequest>,
) -> Result<DisableDataKeysResponse, Error> {
    let scope = kms.enter(&call).await?;
    let DisableDataKeysRequest { data_key_ids, member_account } = call.request;
    let ids = data_keys::read_ids(&data_key_ids)?;
    listing::refuse_member(member_account.as_ref())?;
    kms.store.write(move |tx| ids.iter().try_for_each(|id| data_keys::disable(tx, &scope, id))).await?;
    Ok(DisableDataKeysResponse {})
}
