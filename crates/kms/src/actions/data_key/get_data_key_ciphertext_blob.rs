//! `GetDataKeyCiphertextBlob`: a data key as `Decrypt` takes it.

use rookery_api::kms::{GetDataKeyCiphertextBlobRequest, GetDataKeyCiphertextBlobResponse};
use rookery_gateway::{Call, Resource};

use crate::data_keys::{self, DataKeyState};
use crate::error::Error;
use crate::{Kms, listing};

pub(crate) fn resources(kms: &Kms, call: &Call<GetDataKeyCiphertextBlobRequest>) -> Vec<Resource> {
    data_keys::resources(kms, call, [&call.request.data_key_id])
}

pub(crate) async fn get_data_key_ciphertext_blob(
    kms: &Kms,
    call: Call<GetDataKeyCiphertextBlobRequest>,
) -> Result<GetDataKeyCiphertextBlobResponse, Error> {
    let scope = kms.enter(&call).await?;
    let GetDataKeyCiphertextBlobRequest { data_key_id, member_account } = call.request;
    let id = data_keys::read_id(&data_key_id)?;
    listing::refuse_member(member_account.as_ref())?;
    let key = kms.store.read(|view| data_keys::existing(view, &scope, &id))?;
    key.expect(&id, &[DataKeyState::Enabled, DataKeyState::Disabled])?;
    Ok(GetDataKeyCiphertextBlobResponse { ciphertext_blob: key.ciphertext })
}
