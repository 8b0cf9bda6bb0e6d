//! `DisableDataKey`: a data key cannot be had in clear any more.

use rookery_api::kms::{DisableDataKeyRequest, DisableDataKeyResponse};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::{Kms, data_keys, listing};

pub(crate) fn resources(kms: &Kms, call: &Call<DisableDataKeyRequest>) -> Vec<Resource> {
    data_keys::resources(kms, call, [&call.request.data_key_id])
}

pub(crate) async fn disable_data_key(
    kms: &Kms,
    call: Call<DisableDataKeyRequest>,
) -> Result<DisableDataKeyResponse, Error> {
    let scope = kms.enter(&call).await?;
    let DisableDataKeyRequest { data_key_id, member_account } = call.request;
    let id = data_keys::read_id(&data_key_id)?;
    listing::refuse_member(member_account.as_ref())?;
    kms.store.write(move |tx| data_keys::disable(tx, &scope, &id)).await?;
    Ok(DisableDataKeyResponse {})
}
