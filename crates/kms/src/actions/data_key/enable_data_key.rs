//! `EnableDataKey`: a data key can be had in clear again.

use rookery_api::kms::{EnableDataKeyRequest, EnableDataKeyResponse};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::{Kms, data_keys, listing};

pub(crate) fn resources(kms: &Kms, call: &Call<EnableDataKeyRequest>) -> Vec<Resource> {
    data_keys::resources(kms, call, [&call.request.data_key_id])
}

pub(crate) async fn enable_data_key(
    kms: &Kms,
    call: Call<EnableDataKeyRequest>,
) -> Result<EnableDataKeyResponse, Error> {
    let scope = kms.enter(&call).await?;
    let EnableDataKeyRequest { data_key_id, member_account } = call.request;
    let id = data_keys::read_id(&data_key_id)?;
    listing::refuse_member(member_account.as_ref())?;
    kms.store.write(move |tx| data_keys::enable(tx, &scope, &id)).await?;
    Ok(EnableDataKeyResponse {})
}
