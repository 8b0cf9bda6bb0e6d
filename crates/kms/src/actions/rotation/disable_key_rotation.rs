//! `DisableKeyRotation`: a key keeps its material from now on. That is no error where it did so before.

use rookery_api::kms::{DisableKeyRotationRequest, DisableKeyRotationResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Transaction;

use crate::error::Error;
use crate::keys::{Key, KeyId};
use crate::states::Operation;
use crate::{Kms, key_resources, listing};

pub(crate) fn resources(kms: &Kms, call: &Call<DisableKeyRotationRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn disable_key_rotation(
    kms: &Kms,
    call: Call<DisableKeyRotationRequest>,
) -> Result<DisableKeyRotationResponse, Error> {
    let scope = kms.enter(&call).await?;
    let DisableKeyRotationRequest { key_id, member_account } = call.request;
    let id = KeyId::parse(&key_id)?;
    listing::refuse_member(member_account.as_ref())?;
    let disable = |_: &mut Transaction<'_>, key: &mut Key| {
        key.rotation = None;
        Ok(())
    };
    kms.change(scope, id, Operation::DisableRotation, disable).await?;
    Ok(DisableKeyRotationResponse {})
}
