//! `GetKeyRotationStatus`: whether a key gets new material by itself.

use rookery_api::kms::{GetKeyRotationStatusRequest, GetKeyRotationStatusResponse};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::keys::KeyId;
use crate::{Kms, key_resources, listing};

pub(crate) fn resources(kms: &Kms, call: &Call<GetKeyRotationStatusRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn get_key_rotation_status(
    kms: &Kms,
    call: Call<GetKeyRotationStatusRequest>,
) -> Result<GetKeyRotationStatusResponse, Error> {
    let scope = kms.enter(&call).await?;
    let GetKeyRotationStatusRequest { key_id, member_account } = call.request;
    let id = KeyId::parse(&key_id)?;
    listing::refuse_member(member_account.as_ref())?;
    let key_rotation_enabled = kms.key(&scope, &id)?.rotation.is_some();
    Ok(GetKeyRotationStatusResponse { key_rotation_enabled })
}
