//! `UpdateKeyDescription`: a key gets another description, which may be empty.

use rookery_api::kms::{UpdateKeyDescriptionRequest, UpdateKeyDescriptionResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Transaction;

use crate::error::Error;
use crate::keys::{DESCRIPTION_LIMIT, Key, KeyId};
use crate::states::Operation;
use crate::{Kms, key_resources, listing};

pub(crate) fn resources(kms: &Kms, call: &Call<UpdateKeyDescriptionRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn update_key_description(
    kms: &Kms,
    call: Call<UpdateKeyDescriptionRequest>,
) -> Result<UpdateKeyDescriptionResponse, Error> {
    let scope = kms.enter(&call).await?;
    let UpdateKeyDescriptionRequest { key_id, description, member_account } = call.request;
    let id = KeyId::parse(&key_id)?;
    listing::refuse_member(member_account.as_ref())?;
    let description = listing::description(Some(description), DESCRIPTION_LIMIT)?;
    let describe = move |_: &mut Transaction<'_>, key: &mut Key| {
        key.description.clone_from(&description);
        Ok(())
    };
    kms.change(scope, id, Operation::Rename, describe).await?;
    Ok(UpdateKeyDescriptionResponse {})
}
