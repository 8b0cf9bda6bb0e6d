//! `UpdateDataKeyName`: gives a data key another name.

use rookery_api::kms::{UpdateDataKeyNameRequest, UpdateDataKeyNameResponse};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::{Kms, data_keys, listing};

pub(crate) fn resources(kms: &Kms, call: &Call<UpdateDataKeyNameRequest>) -> Vec<Resource> {
    data_keys::resources(kms, call, [&call.request.data_key_id])
}

pub(crate) async fn update_data_key_name(
    kms: &Kms,
    call: Call<UpdateDataKeyNameRequest>,
) -> Result<UpdateDataKeyNameResponse, Error> {
    let scope = kms.enter(&call).await?;
    let UpdateDataKeyNameRequest { data_key_id, data_key_name, member_account } = call.request;
    let id = data_keys::read_id(&data_key_id)?;
    listing::refuse_member(member_account.as_ref())?;
    let name = data_keys::read_name(data_key_name)?;
    kms.store
        .write(move |tx| {
            data_keys::change(tx, &scope, &id, |_, key| {
                key.name.clone_from(&name);
                Ok(())
            })
        })
        .await?;
    Ok(UpdateDataKeyNameResponse {})
}
