//! `CancelKeyDeletion`: a key that waits for its deletion is kept after all, disabled.

use rookery_api::kms::{CancelKeyDeletionRequest, CancelKeyDeletionResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Transaction;

use crate::error::Error;
use crate::keys::{Key, KeyId};
use crate::states::{KeyState, Operation};
use crate::{Kms, key_resources, listing};

pub(crate) fn resources(kms: &Kms, call: &Call<CancelKeyDeletionRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn cancel_key_deletion(
    kms: &Kms,
    call: Call<CancelKeyDeletionRequest>,
) -> Result<CancelKeyDeletionResponse, Error> {
    let scope = kms.enter(&call).await?;
    let CancelKeyDeletionRequest { key_id, member_account } = call.request;
    let id = KeyId::parse(&key_id)?;
    listing::refuse_member(member_account.as_ref())?;
    let keep = |_: &mut Transaction<'_>, key: &mut Key| {
        key.state = KeyState::Disabled;
        key.deletion = None;
        Ok(())
    };
    kms.change(scope, id, Operation::CancelDeletion, keep).await?;
    Ok(CancelKeyDeletionResponse { key_id })
}
