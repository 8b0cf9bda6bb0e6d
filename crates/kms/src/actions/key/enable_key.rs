//! `EnableKey`: a disabled key may be used again.

use rookery_api::kms::{EnableKeyRequest, EnableKeyResponse};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::keys::{KeyId, KeyState};
use crate::{Kms, key_resource, scope};

pub(crate) fn resources(_: &Kms, call: &Call<EnableKeyRequest>) -> Vec<Resource> {
    key_resource(&call.request.key_id)
}

pub(crate) async fn enable_key(
    kms: &Kms,
    call: Call<EnableKeyRequest>,
) -> Result<EnableKeyResponse, Error> {
    let scope = scope(&call);
    let EnableKeyRequest { key_id, member_account } = call.request;
    let id = KeyId::parse(&key_id)?;
    if member_account.is_some() {
        return Err(Error::MemberAccounts);
    }
    kms.change_state(scope, id, KeyState::Enabled).await?;
    Ok(EnableKeyResponse {})
}
