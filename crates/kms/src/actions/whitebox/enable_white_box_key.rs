//! `EnableWhiteBoxKey`: a white-box key encrypts again. That it did already is no error.

use rookery_api::kms::{EnableWhiteBoxKeyRequest, EnableWhiteBoxKeyResponse};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::keys::KeyId;
use crate::{Kms, scope, whitebox};

pub(crate) fn resources(kms: &Kms, call: &Call<EnableWhiteBoxKeyRequest>) -> Vec<Resource> {
    whitebox::resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn enable_white_box_key(
    kms: &Kms,
    call: Call<EnableWhiteBoxKeyRequest>,
) -> Result<EnableWhiteBoxKeyResponse, Error> {
    let scope = scope(&call);
    let id = KeyId::parse(&call.request.key_id)?;
    kms.store.write(move |tx| whitebox::change(tx, &scope, &id, |key| key.enabled = true)).await?;
    Ok(EnableWhiteBoxKeyResponse {})
}
