//! `DeleteWhiteBoxKey`: forgets a disabled white-box key. What its files decrypt, they decrypt still.

use rookery_api::kms::{DeleteWhiteBoxKeyRequest, DeleteWhiteBoxKeyResponse};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::keys::KeyId;
use crate::{Kms, scope, whitebox};

pub(crate) fn resources(kms: &Kms, call: &Call<DeleteWhiteBoxKeyRequest>) -> Vec<Resource> {
    whitebox::resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn delete_white_box_key(
    kms: &Kms,
    call: Call<DeleteWhiteBoxKeyRequest>,
) -> Result<DeleteWhiteBoxKeyResponse, Error> {
    let scope = scope(&call);
    let id = KeyId::parse(&call.request.key_id)?;
    kms.store.write(move |tx| whitebox::remove(tx, &scope, &id)).await?;
    Ok(DeleteWhiteBoxKeyResponse {})
}
