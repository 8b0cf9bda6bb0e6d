//! `EnableKey`: a disabled key may be used again.

use rookery_api::kms::{EnableKeyRequest, EnableKeyResponse};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::keys::{Key, KeyId};
use crate::states::Operation;
use crate::{Kms, key_resources, listing};

pub(crate) fn resources(kms: &Kms, call: &Call<EnableKeyRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn enable_key(kms: &Kms, call: Call<EnableKeyRequest>) -> Result<EnableKeyResponse, Error> {
    let scope = kms.enter(&call).await?;
    let EnableKeyRequest { key_id, member_account } = call.request;
    let id = KeyId::parse(&key_id)?;
    listing::refuse_member(member_account.as_ref())?;
    kms.change(scope, id, Operation::Enable, |_, key| {
        enable(key);
        Ok(())
    })
    .await?;
    Ok(EnableKeyResponse {})
}

/// Brings a key back into use. One whose material has gone meanwhile waits for it again.
pub(super) fn enable(key: &mut Key) {
    key.state = key.state_in_use();
}
