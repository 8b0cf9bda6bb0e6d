//! `UpdateDataKeyDescription`: gives a data key another description.

use rookery_api::kms::{UpdateDataKeyDescriptionRequest, UpdateDataKeyDescriptionResponse};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::{Kms, data_keys, listing};

pub(crate) fn resources(kms: &Kms, call: &Call<UpdateDataKeyDescriptionRequest>) -> Vec<Resource> {
    data_keys::resources(kms, call, [&call.request.data_key_id])
}

pub(crate) async fn update_data_key_description(
    kms: &Kms,
    call: Call<UpdateDataKeyDescriptionRequest>,
) -> Result<UpdateDataKeyDescriptionResponse, Error> {
    let scope = kms.enter(&call).await?;
    let UpdateDataKeyDescriptionRequest { data_key_id, description, member_account } = call.request;
    let id = data_keys::read_id(&data_key_id)?;
    listing::refuse_member(member_account.as_ref())?;
    let description = data_keys::read_description(Some(description))?;
    kms.store
        .write(move |tx| {
            data_keys::change(tx, &scope, &id, |_, key| {
                key.description.clone_from(&description);
                Ok(())
            })
        })
        .await?;
    Ok(UpdateDataKeyDescriptionResponse {})
}
