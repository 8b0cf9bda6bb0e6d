//! `EnableWhiteBoxKeys`: white-box keys encrypt again: all of the named ones, or none.

use rookery_api::kms::{EnableWhiteBoxKeysRequest, EnableWhiteBoxKeysResponse};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::whitebox::{self, batch};
use crate::{Kms, scope};

pub(crate) fn resources(kms: &Kms, call: &Call<EnableWhiteBoxKeysRequest>) -> Vec<Resource> {
    whitebox::resources(kms, call, &call.request.key_ids)
}

pub(crate) async fn enable_white_box_keys(
    kms: &Kms,
    call: Call<EnableWhiteBoxKeysRequest>,
) -> Result<EnableWhiteBoxKeysResponse, Error> {
    let scope = scope(&call);
    let ids = batch::read(&call.request.key_ids)?;
    kms.store
        .write(move |tx| {
            ids.iter().try_for_each(|id| whitebox::change(tx, &scope, id, |key| key.enabled = true))
        })
        .await?;
    Ok(EnableWhiteBoxKeysResponse {})
}
