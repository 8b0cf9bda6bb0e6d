//! `CancelDataKeyDeletion`: a data key stays after all, disabled.

use rookery_api::kms::{CancelDataKeyDeletionRequest, CancelDataKeyDeletionResponse};
use rookery_gateway::{Call, Resource};

use crate::data_keys::{self, DataKeyError, DataKeyState};
use crate::error::Error;
use crate::{Kms, listing};

pub(crate) fn resources(kms: &Kms, call: &Call<CancelDataKeyDeletionRequest>) -> Vec<Resource> {
    data_keys::resources(kms, call, [&call.request.data_key_id])
}

pub(crate) async fn cancel_data_key_deletion(
    kms: &Kms,
    call: Call<CancelDataKeyDeletionRequest>,
) -> Result<CancelDataKeyDeletionResponse, Error> {
    let scope = kms.enter(&call).await?;
    let CancelDataKeyDeletionRequest { data_key_id, member_account } = call.request;
    let id = data_keys::read_id(&data_key_id)?;
    listing::refuse_member(member_account.as_ref())?;
    kms.store
        .write(move |tx| {
            data_keys::change(tx, &scope, &id, |view, key| {
                if key.state != DataKeyState::PendingDelete {
                    return Err(DataKeyError::NotPendingDelete(id.clone()).into());
                }
                data_keys::check_key(view, &scope, key)?;
                key.state = DataKeyState::Disabled;
                key.deletion = None;
                Ok(())
            })
        })
        .await?;
    Ok(CancelDataKeyDeletionResponse { data_key_id })
}
