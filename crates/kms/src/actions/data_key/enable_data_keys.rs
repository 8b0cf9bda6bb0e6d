//! `EnableDataKeys`: up to 100 data keys can be had in clear again; all of them, or none if one cannot.

use rookery_api::kms::{EnableDataKeysRequest, EnableDataKeysResponse};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::{Kms, data_keys, listing};

pub(crate) fn resources(kms: &Kms, call: &Call<EnableDataKeysRequest>) -> Vec<Resource> {
    data_keys::resources(kms, call, &call.request.data_key_ids)
}

pub(crate) async fn enable_data_keys(
    kms: &Kms,
    call: Call<EnableDataKeysRequest>,
) -> Result<EnableDataKeysResponse, Error> {
    let scope = kms.enter(&call).await?;
    let EnableDataKeysRequest { data_key_ids, member_account } = call.request;
    let ids = data_keys::read_ids(&data_key_ids)?;
    listing::refuse_member(member_account.as_ref())?;
    kms.store.write(move |tx| ids.iter().try_for_each(|id| data_keys::enable(tx, &scope, id))).await?;
    Ok(EnableDataKeysResponse {})
}
