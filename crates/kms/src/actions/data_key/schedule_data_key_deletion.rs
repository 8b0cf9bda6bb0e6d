//! `ScheduleDataKeyDeletion`: a data key is deleted after 7 to 30 days.

use rookery_api::kms::{ScheduleDataKeyDeletionRequest, ScheduleDataKeyDeletionResponse};
use rookery_gateway::{Call, Resource};

use crate::data_keys::{self, DataKeyState};
use crate::error::Error;
use crate::timers::DAY;
use crate::{Kms, listing};

pub(crate) fn resources(kms: &Kms, call: &Call<ScheduleDataKeyDeletionRequest>) -> Vec<Resource> {
    data_keys::resources(kms, call, [&call.request.data_key_id])
}

pub(crate) async fn schedule_data_key_deletion(
    kms: &Kms,
    call: Call<ScheduleDataKeyDeletionRequest>,
) -> Result<ScheduleDataKeyDeletionResponse, Error> {
    let scope = kms.enter(&call).await?;
    let ScheduleDataKeyDeletionRequest { data_key_id, pending_window_in_days, member_account } = call.request;
    let id = data_keys::read_id(&data_key_id)?;
    listing::refuse_member(member_account.as_ref())?;
    if !(7..=30).contains(&pending_window_in_days) {
        return Err(Error::PendingWindow(pending_window_in_days));
    }
    let deletion_date = kms.now() + pending_window_in_days * DAY;
    kms.store
        .write(move |tx| {
            data_keys::change(tx, &scope, &id, |_, key| {
                key.expect(&id, &[DataKeyState::Enabled, DataKeyState::Disabled])?;
                key.state = DataKeyState::PendingDelete;
                key.deletion = Some(deletion_date);
                Ok(())
            })
        })
        .await?;
    Ok(ScheduleDataKeyDeletionResponse { deletion_date, data_key_id })
}
