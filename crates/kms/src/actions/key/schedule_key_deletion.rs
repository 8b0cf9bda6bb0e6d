//! `ScheduleKeyDeletion`: a key that is out of use is deleted after 7 to 30 days, with everything that hangs on it.

use std::ops::RangeInclusive;

use rookery_api::kms::{ScheduleKeyDeletionRequest, ScheduleKeyDeletionResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Transaction;

use crate::error::Error;
use crate::keys::{Key, KeyId};
use crate::states::{KeyState, Operation};
use crate::timers::DAY;
use crate::{Kms, key_resources, listing};

/// How many days a key may wait for its deletion.
const WINDOW: RangeInclusive<u64> = 7..=30;

pub(crate) fn resources(kms: &Kms, call: &Call<ScheduleKeyDeletionRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn schedule_key_deletion(
    kms: &Kms,
    call: Call<ScheduleKeyDeletionRequest>,
) -> Result<ScheduleKeyDeletionResponse, Error> {
    let scope = kms.enter(&call).await?;
    let ScheduleKeyDeletionRequest { key_id, pending_window_in_days, member_account } = call.request;
    let id = KeyId::parse(&key_id)?;
    listing::refuse_member(member_account.as_ref())?;
    if !WINDOW.contains(&pending_window_in_days) {
        return Err(Error::PendingWindow(pending_window_in_days));
    }
    let deletion_date = kms.now() + pending_window_in_days * DAY;
    let schedule = move |_: &mut Transaction<'_>, key: &mut Key| {
        key.state = KeyState::PendingDelete;
        key.deletion = Some(deletion_date);
        Ok(())
    };
    kms.change(scope, id, Operation::ScheduleDeletion, schedule).await?;
    Ok(ScheduleKeyDeletionResponse { deletion_date, key_id })
}
