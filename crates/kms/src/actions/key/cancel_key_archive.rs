//! `CancelKeyArchive`: an archived key may do everything again.

use rookery_api::kms::{CancelKeyArchiveRequest, CancelKeyArchiveResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Transaction;

use crate::error::Error;
use crate::keys::{Key, KeyId};
use crate::states::{KeyState, Operation};
use crate::{Kms, key_resources, listing};

pub(crate) fn resources(kms: &Kms, call: &Call<CancelKeyArchiveRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn cancel_key_archive(
    kms: &Kms,
    call: Call<CancelKeyArchiveRequest>,
) -> Result<CancelKeyArchiveResponse, Error> {
    let scope = kms.enter(&call).await?;
    let CancelKeyArchiveRequest { key_id, member_account } = call.request;
    let id = KeyId::parse(&key_id)?;
    listing::refuse_member(member_account.as_ref())?;
    let restore = |_: &mut Transaction<'_>, key: &mut Key| {
        key.state = KeyState::Enabled;
        Ok(())
    };
    kms.change(scope, id, Operation::CancelArchive, restore).await?;
    Ok(CancelKeyArchiveResponse {})
}
