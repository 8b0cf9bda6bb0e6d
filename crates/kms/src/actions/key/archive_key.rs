//! `ArchiveKey`: a key decrypts only, from now on.

use rookery_api::kms::{ArchiveKeyRequest, ArchiveKeyResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Transaction;

use crate::error::Error;
use crate::keys::{Key, KeyId};
use crate::states::{KeyState, Operation};
use crate::{Kms, key_resources, listing};

pub(crate) fn resources(kms: &Kms, call: &Call<ArchiveKeyRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn archive_key(
    kms: &Kms,
    call: Call<ArchiveKeyRequest>,
) -> Result<ArchiveKeyResponse, Error> {
    let scope = kms.enter(&call).await?;
    let ArchiveKeyRequest { key_id, member_account } = call.request;
    let id = KeyId::parse(&key_id)?;
    listing::refuse_member(member_account.as_ref())?;
    let archive = |_: &mut Transaction<'_>, key: &mut Key| {
        key.state = KeyState::Archived;
        Ok(())
    };
    kms.change(scope, id, Operation::Archive, archive).await?;
    Ok(ArchiveKeyResponse {})
}
