//! `DisableWhiteBoxKey`: a white-box key encrypts no longer. That it did not already is no error.

use rookery_api::kms::{DisableWhiteBoxKeyRequest, DisableWhiteBoxKeyResponse};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::keys::KeyId;
use crate::{Kms, scope, whitebox};

pub(crate) fn resources(kms: &Kms, call: &Call<DisableWhiteBoxKeyRequest>) -> Vec<Resource> {
    whitebox::resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn disable_white_box_key(
    kms: &Kms,
    call: Call<DisableWhiteBoxKeyRequest>,
) -> Result<DisableWhiteBoxKeyResponse, Error> {
    let scope = scope(&call);
    let id = KeyId::parse(&call.request.key_id)?;
    kms.store.write(move |tx| whitebox::change(tx, &scope, &id, |key| key.enabled = false)).await?;
    Ok(DisableWhiteBoxKeyResponse {})
}
