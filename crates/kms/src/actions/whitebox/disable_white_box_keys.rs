//! `DisableWhiteBoxKeys`: white-box keys encrypt no longer: all of the named ones, or none.

use rookery_api::kms::{DisableWhiteBoxKeysRequest, DisableWhiteBoxKeysResponse};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::whitebox::{self, batch};
use crate::{Kms, scope};

pub(crate) fn resources(kms: &Kms, call: &Call<DisableWhiteBoxKeysRequest>) -> Vec<Resource> {
    whitebox::resources(kms, call, &call.request.key_ids)
}

pub(crate) async fn disable_white_box_keys(
    kms: &Kms,
    call: Call<DisableWhiteBoxKeysRequest>,
) -> Result<DisableWhiteBoxKeysResponse, Error> {
    let scope = scope(&call);
    let ids = batch::read(&call.request.key_ids)?;
    kms.store
        .write(move |tx| {
            ids.iter().try_for_each(|id| whitebox::change(tx, &scope, id, |key| key.enabled = false))
        })
        .await?;
    Ok(DisableWhiteBoxKeysResponse {})
}
