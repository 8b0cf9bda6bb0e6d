//! `GetDataKeyPlaintext`: a data key in clear, or encrypted for the caller.

use rookery_api::kms::{GetDataKeyPlaintextRequest, GetDataKeyPlaintextResponse};
use rookery_gateway::{Call, Resource};

use crate::Kms;
use crate::context::Context;
use crate::data_keys::{self, DataKeyError, DataKeyState};
use crate::envelope::Ciphertext;
use crate::error::Error;
use crate::wrapping::{self, Wrapping};

pub(crate) fn resources(kms: &Kms, call: &Call<GetDataKeyPlaintextRequest>) -> Vec<Resource> {
    data_keys::resources(kms, call, [&call.request.data_key_id])
}

pub(crate) async fn get_data_key_plaintext(
    kms: &Kms,
    call: Call<GetDataKeyPlaintextRequest>,
) -> Result<GetDataKeyPlaintextResponse, Error> {
    let scope = kms.enter(&call).await?;
    let GetDataKeyPlaintextRequest { data_key_id, encryption_public_key, encryption_algorithm } =
        call.request;
    let id = data_keys::read_id(&data_key_id)?;
    let wrapping = Wrapping::read(encryption_public_key.as_deref(), encryption_algorithm.as_deref())?;
    let key = kms.store.read(|view| data_keys::existing(view, &scope, &id))?;
    match key.state {
        DataKeyState::Enabled => {}
        DataKeyState::Disabled => return Err(DataKeyError::Disabled(id).into()),
        DataKeyState::PendingDelete => return Err(DataKeyError::PendingDelete(id).into()),
    }
    let ciphertext = Ciphertext::parse(&key.ciphertext)?;
    let text = kms.decrypt(&scope, &ciphertext, &Context::read(key.context.as_deref())?)?;
    Ok(GetDataKeyPlaintextResponse { plaintext: wrapping::encode(wrapping.as_ref(), &text)? })
}
